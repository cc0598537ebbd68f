"""Running what was packed: the self-test, a window on a virtual screen with its picture, the time a start takes.

The environment of a check holds nothing of the workshop: no PYTHONPATH, no virtual environment, a home of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from build_scripts.package import layout
from build_scripts.progress import Step, StepFailed

SELF_TEST_LIMIT_S: Final = 120.0
WINDOW_LIMIT_S: Final = 40.0
END_LIMIT_S: Final = 15.0
POLL_S: Final = 0.01
LEAST_COLORS: Final = 50  # a login window has text and pictures; a blank or black one has a handful of colors


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """What a program has on a machine without this project."""
    kept = {
        name: os.environ[name] for name in ("PATH", "TMPDIR", "SYSTEMROOT", "WINDIR", "COMSPEC") if name in os.environ
    }
    private = {"HOME": str(home), "XDG_RUNTIME_DIR": str(home), "LANG": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}
    return {**kept, **private, **more}


def self_test(
    argv: Sequence[str | Path], *, report: Path | None = None, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Runs `argv --self-test --json` and returns its document. Raises StepFailed with the parts that do not work."""
    with Step("self-test") as step, tempfile.TemporaryDirectory(prefix="tongban-home-") as home:
        command = [*map(str, argv), "--self-test", "--json"]
        try:
            done = subprocess.run(
                command,
                env=dict(env) if env is not None else clean_environment(Path(home)),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SELF_TEST_LIMIT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StepFailed(f"self-test: {error}") from error
        document = read_self_test(done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
        if report is not None:
            report.parent.mkdir(parents=True, exist_ok=True)
            report.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")
        step.note(judged(document, done.returncode))
    return document


def read_self_test(output: str, errors: str = "") -> dict[str, Any]:
    """The JSON of a self-test out of what it printed. Raises StepFailed when there is none: it did not come to its end."""
    start = output.find("{")
    try:
        document = json.loads(output[start:])
    except ValueError as error:
        raise StepFailed(f"self-test: it did not come to its end\n{output[-2000:]}{errors[-2000:]}") from error
    if start < 0 or not isinstance(document, dict) or not document.get("checks"):
        raise StepFailed(f"self-test: no results\n{output[-2000:]}{errors[-2000:]}")
    return document


def judged(document: Mapping[str, Any], code: int) -> str:
    """A line for a good one. Raises StepFailed for a bad one."""
    bad = [f"    {one['name']}: {one['found']}" for one in document["checks"] if not one["ok"]]
    if bad or code or not document.get("ok"):
        raise StepFailed("self-test: these parts do not work\n" + "\n".join(bad or [f"    ended with code {code}"]))
    return f"{len(document['checks'])} parts work, Python {document['python']}"


def window(argv: Sequence[str | Path], *, picture: Path) -> None:
    """Starts the program on a virtual screen, waits for its window, keeps a picture, ends it politely. Raises StepFailed."""
    from build_scripts.desktop_session import DesktopSession

    with Step("window") as step, DesktopSession(tray="none", notifications="none", keyring=False) as session:
        home = session.folder
        process = session.popen(
            "packed", [*map(str, argv), "--data-dir", str(home / "data"), "--lang", "zh"], env=_unasked(session.env)
        )
        seconds = wait_for_window(session.env, process, time.monotonic())
        picture.parent.mkdir(parents=True, exist_ok=True)
        session.wait_until(
            lambda: colors(session.screenshot(picture)) >= LEAST_COLORS, "a painted window", WINDOW_LIMIT_S
        )
        process.terminate()
        code = process.wait(END_LIMIT_S)
        if code:
            raise StepFailed(f"The program ended with code {code} when asked to end:\n{session.log('packed')}")
        step.note(f"after {seconds:.2f} s, {picture.name}")


def start_seconds(first: Sequence[str | Path], second: Sequence[str | Path], *, rounds: int) -> tuple[float, float]:
    """Median seconds until the window of each is on the screen, turn by turn in one sitting; the first turn is not counted."""
    from build_scripts.desktop_session import DesktopSession

    taken: tuple[list[float], list[float]] = ([], [])
    with DesktopSession(tray="none", notifications="none", keyring=False) as session:
        env = _unasked(session.env)
        for turn in range(rounds + 1):
            for place, argv in enumerate((first, second)):
                data = session.folder / f"data-{turn}-{place}"
                begun = time.monotonic()
                process = session.popen(f"start-{turn}-{place}", [*map(str, argv), "--data-dir", str(data)], env=env)
                seconds = wait_for_window(session.env, process, begun)
                process.terminate()
                process.wait(END_LIMIT_S)
                if turn:
                    taken[place].append(seconds)
    return median(taken[0]), median(taken[1])


def _unasked(env: Mapping[str, str]) -> dict[str, str]:
    """Without a keychain the program would ask for a passphrase first."""
    # The unbundled program has its byte code, as an installed one does.
    return {**env, "TONGBAN_KEYCHAIN_PASSPHRASE": "for a check", "PYTHONDONTWRITEBYTECODE": ""}


def wait_for_window(env: Mapping[str, str], process: subprocess.Popen[bytes], begun: float) -> float:
    while time.monotonic() - begun < WINDOW_LIMIT_S:
        if _visible(env, process.pid):
            return time.monotonic() - begun
        if process.poll() is not None:
            break
        time.sleep(POLL_S)
    raise StepFailed(f"No window after {time.monotonic() - begun:.0f} s (the program ended with {process.poll()}).")


def _visible(env: Mapping[str, str], pid: int) -> bool:
    found = subprocess.run(
        ["xdotool", "search", "--all", "--onlyvisible", "--pid", str(pid), "--name", ".+"],
        env=dict(env),
        capture_output=True,
        check=False,
    )
    return bool(found.stdout.strip())


def colors(picture: Path) -> int:
    done = subprocess.run(["identify", "-format", "%k", picture], capture_output=True, text=True, check=False)
    return int(done.stdout or 0)


def program_in(folder: Path) -> Path:
    """The program of an unpacked bundle."""
    if folder.suffix == ".app":
        return folder / "Contents" / "MacOS" / layout.APP_NAME
    return folder / (f"{layout.APP_NAME}.exe" if sys.platform == "win32" else layout.APP_NAME)
