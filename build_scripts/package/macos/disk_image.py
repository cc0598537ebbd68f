"""The .dmg: the program beside a link to Applications, on a picture that says what to do. hdiutil makes it, the Finder arranges it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from build_scripts.package import layout
from build_scripts.progress import Step, StepFailed

WIDTH, HEIGHT = 560, 360  # of the window's inside, in points
ICON_SIZE: Final = 112
APP_PLACE, FOLDER_PLACE = (150, 170), (410, 170)
BACKGROUND: Final = "background.png"
ARRANGE_S: Final = 90

Run = Callable[[list[str]], None]


def _run(argv: list[str]) -> None:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"{argv[0]} {argv[1]}: {(done.stderr or done.stdout).strip()[-2000:]}")


def _arrange(script: str) -> bool:
    """Lets the Finder arrange the window; a Mac without a screen or without the right to steer it has no way."""
    try:
        done = subprocess.run(["osascript", "-e", script], capture_output=True, timeout=ARRANGE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def pack(app: Path, target: Path, *, work: Path, run: Run = _run, arrange: Callable[[str], bool] = _arrange) -> None:
    """Packs an .app into `target`; `work` is made anew. Raises StepFailed with hdiutil's own words."""
    stage = fill_stage(app, work)
    writable = work / "writable.dmg"
    volume = work / "volume"
    target.unlink(missing_ok=True)
    with Step(f"pack {target.name}") as step:
        run(["hdiutil", "create", "-volname", layout.DISPLAY_NAME, "-srcfolder", str(stage), "-fs", "HFS+",
             "-format", "UDRW", "-ov", str(writable)])  # fmt: skip
        with mounted(writable, volume, writable=True, run=run):
            if not arrange(arrangement(volume, app.name)):
                step.note("icons not arranged: the Finder could not be steered")
        run(["hdiutil", "convert", str(writable), "-format", "ULFO", "-o", str(target)])


def fill_stage(app: Path, work: Path) -> Path:
    """The folder that becomes the volume."""
    shutil.rmtree(work, ignore_errors=True)
    stage = work / "stage"
    (stage / ".background").mkdir(parents=True)
    shutil.copytree(app, stage / app.name, symlinks=True)
    (stage / "Applications").symlink_to("/Applications")
    draw_background(stage / ".background" / BACKGROUND)
    return stage


def arrangement(volume: Path, app_name: str) -> str:
    """AppleScript for the Finder: window, background, places of the two icons."""
    left, top = 200, 160
    return f"""
tell application "Finder"
  set box to (POSIX file "{volume}") as alias
  tell folder box
    open
    set current view of container window to icon view
    set toolbar visible of container window to false
    set statusbar visible of container window to false
    set the bounds of container window to {{{left}, {top}, {left + WIDTH}, {top + HEIGHT + 28}}}
    set options to the icon view options of container window
    set arrangement of options to not arranged
    set icon size of options to {ICON_SIZE}
    set background picture of options to file ".background:{BACKGROUND}"
    set position of item "{app_name}" of container window to {{{APP_PLACE[0]}, {APP_PLACE[1]}}}
    set position of item "Applications" of container window to {{{FOLDER_PLACE[0]}, {FOLDER_PLACE[1]}}}
    update without registering applications
    close
  end tell
end tell
"""


@contextmanager
def mounted(image: Path, volume: Path, *, writable: bool = False, run: Run = _run) -> Iterator[Path]:
    """Mounts an image at `volume` for as long as it is needed."""
    volume.mkdir(parents=True, exist_ok=True)
    mode = [] if writable else ["-readonly"]
    run(["hdiutil", "attach", str(image), "-mountpoint", str(volume), "-nobrowse", "-noautoopen", *mode])
    try:
        yield volume
    finally:
        run(["hdiutil", "detach", str(volume), "-force"])


def copied_app(volume: Path, place: Path) -> Path:
    """Copies the program out of a mounted image, as a user drags it. Raises StepFailed when it is not one."""
    app = volume / f"{layout.DISPLAY_NAME}.app"
    folder = volume / "Applications"
    if not app.is_dir() or not folder.is_symlink() or os.readlink(folder) != "/Applications":
        raise StepFailed("The image lacks the program or the link to Applications.")
    return Path(shutil.copytree(app, place / app.name, symlinks=True))


def draw_background(target: Path) -> None:
    """A plain ground with an arrow from the program to the folder, at twice the points for fine screens."""
    from PySide6.QtCore import QPointF, Qt
    from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

    image = QImage(WIDTH * 2, HEIGHT * 2, QImage.Format.Format_RGB32)
    image.setDotsPerMeterX(round(144 / 0.0254))  # 144 dpi: the Finder shows it at WIDTH points
    image.setDotsPerMeterY(round(144 / 0.0254))
    image.fill(QColor("#f4f6f9"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(2, 2)
    start, end, y = APP_PLACE[0] + ICON_SIZE * 0.75, FOLDER_PLACE[0] - ICON_SIZE * 0.75, float(APP_PLACE[1])
    color = QColor("#8a94a3")
    painter.setPen(QPen(color, 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
    painter.drawLine(QPointF(start, y), QPointF(end - 12, y))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawPolygon(QPolygonF([QPointF(end, y), QPointF(end - 20, y - 12), QPointF(end - 20, y + 12)]))
    painter.end()
    if not image.save(str(target)):
        raise StepFailed(f"{target.name} could not be written.")
