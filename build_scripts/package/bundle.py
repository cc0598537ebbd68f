"""`package bundle`: the client as one folder with everything in it, by PyInstaller, and the archive of that folder (.tar.xz).

The folder stands below <out>/.work, so that `deb`, `windows`, `macos` and `update-repo` take the same one instead of
building it again: see `bundle_folder`. PyInstaller runs as a process of its own, with the interpreter that runs us.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from build_scripts.package import layout, licences, running
from build_scripts.progress import Step, StepFailed, run_step

SETTINGS_VARIABLE: Final = "TONGBAN_BUNDLE"
STAMP: Final = "stamp.json"
WORK: Final = ".work"
STRIPPED: Final = ("libpython3*", "python3.*/lib-dynload/*.so", "libcrypto.so.*", "libssl.so.*")
XZ_LEVEL: Final = 3  # a third of the time of 6, a twentieth more bytes
STARTS: Final = 5
MOST_SLOWER_S: Final = 0.15


def bundle_folder(
    out: Path, *, version: str, settings: Mapping[str, object] | None = None, python: Path | None = None
) -> Path:
    """The unpacked bundle of a version, built when it is missing or older than the sources.

    Args:
        settings: more for tongban.spec: icon, version_file, manifest, info_plist, entitlements, identity, dropped.
        python: an interpreter with the packages to bundle, where that is not ours (an older Qt).

    Returns:
        The folder with the program in it (macOS: the .app).
    """
    python = python or Path(sys.executable)
    work = out / WORK / _work_name(python)
    wanted = {"settings": _plain(settings), "sources": sources_digest(), "python": str(python)}
    folder = work / "dist" / (f"{layout.DISPLAY_NAME}.app" if sys.platform == "darwin" else layout.APP_NAME)
    if _read_stamp(work) == wanted and folder.exists():
        _set_version(folder, version)
        return folder
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    with Step("licences of what is in it") as step:
        step.note(f"{len(_gathered(work / 'licences', python))} packages")
    told = {"licences": str(work / "licences"), **_plain(settings), "version": version}
    env = {**os.environ, SETTINGS_VARIABLE: json.dumps(told), "PYTHONHASHSEED": "1", "QT_QPA_PLATFORM": "offscreen"}
    argv: list[str | Path] = [python, "-m", "PyInstaller", "--noconfirm", "--clean", "--distpath", work / "dist"]
    run_step("PyInstaller", [*argv, "--workpath", work / "build", layout.SPEC], cwd=layout.ROOT, env=env)
    shutil.rmtree(work / "build", ignore_errors=True)
    if sys.platform == "linux":
        _strip(folder)
    (work / STAMP).write_text(json.dumps(wanted), encoding="utf-8")
    return folder


def with_version(folder: Path, target: Path, version: str) -> Path:
    """A copy of an unpacked bundle that calls itself another version: what upgrades and updates are tried with, without a build."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target, symlinks=True)
    _set_version(target, version)
    return target


def internal_folder(folder: Path) -> Path:
    """Where the libraries lie in an unpacked bundle."""
    return folder / "Contents" / "Frameworks" if folder.suffix == ".app" else folder / layout.INTERNAL


def make(out: Path, *, version: str) -> Path:
    """The download: <out>/tongban-<version>-<system>-<machine>.tar.xz. See package.Kind."""
    folder = bundle_folder(out, version=version)
    name = f"{layout.APP_NAME}-{version}-{sys.platform}-{platform.machine().lower()}"
    target = out / f"{name}.tar.xz"
    with Step(f"pack {target.name}") as step:
        _pack(folder, target, name)
        step.note(f"{weight(folder) / 1e6:.1f} MB unpacked, {target.stat().st_size / 1e6:.1f} MB packed")
    return target


def check(result: Path) -> None:
    """Unpacks, weighs, runs the self-test, shows a window and compares its start with the unbundled program's. See package.Kind."""
    with tempfile.TemporaryDirectory(prefix="tongban-bundle-") as place:
        with Step(f"unpack {result.name}"), tarfile.open(result) as archive:
            archive.extractall(place, filter="tar")  # our own archive: it holds links inside itself
        folder = next(Path(place).iterdir())
        check_weight(folder, result)
        running.self_test([folder / layout.APP_NAME], report=result.with_name(WORK) / "self-test.json")
        if sys.platform == "linux":
            running.window([folder / layout.APP_NAME], picture=result.with_name(WORK) / "bundle-window.png")
            _compare_starts(folder / layout.APP_NAME)


def check_weight(folder: Path, download: Path) -> None:
    """Holds a bundle and its download against the budget of issue 6. Raises StepFailed."""
    with Step("weight") as step:
        unpacked, packed = weight(folder), download.stat().st_size
        step.note(
            f"{unpacked / 1e6:.1f} of {layout.BUDGET_UNPACKED / 1e6:.0f} MB, {packed / 1e6:.1f} of {layout.BUDGET_DOWNLOAD / 1e6:.0f} MB"
        )
        if unpacked > layout.BUDGET_UNPACKED or packed > layout.BUDGET_DOWNLOAD:
            raise StepFailed("The bundle is over its budget: see what came in with `du -a`, and layout.py.")


def weight(folder: Path) -> int:
    """Bytes of all files; links count nothing."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def sources_digest(root: Path = layout.ROOT) -> str:
    """Changes with anything that goes into a bundle."""
    found = hashlib.sha256()
    for path in sorted(_sources(root)):
        found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _sources(root: Path) -> Iterable[Path]:
    yield from (root / "desktop").rglob("*.py")
    for name in layout.RESOURCES:
        yield from (path for path in (root / "resources" / name).rglob("*") if path.is_file())
    package = root / "build_scripts" / "package"
    yield from (package / "layout.py", package / "tongban.spec", root / "build_scripts" / "requirements.lock")


def _compare_starts(program: Path) -> None:
    with Step("start beside the unbundled program") as step:
        bundled, plain = running.start_seconds([program], [sys.executable, "-m", "desktop"], rounds=STARTS)
        step.note(f"{bundled:.2f} s and {plain:.2f} s to the window, medians of {STARTS}")
        if bundled - plain > MOST_SLOWER_S:
            raise StepFailed(
                f"The bundle starts {bundled - plain:.2f} s later than the unbundled program; {MOST_SLOWER_S} s may be."
            )


def _gathered(folder: Path, python: Path) -> list[str]:
    if python == Path(sys.executable):
        return licences.gather(folder)
    code = "import pathlib, sys; from build_scripts.package import licences; print(*licences.gather(pathlib.Path(sys.argv[1])), sep='\\n')"
    done = subprocess.run([python, "-c", code, folder], cwd=layout.ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"licences: {done.stderr[-2000:]}")
    return done.stdout.splitlines()


def _strip(folder: Path) -> None:
    """Takes debugging symbols off the libraries that no wheel brought: an interpreter built by hand carries 20 MB of them."""
    if shutil.which("strip") is None:
        return
    for pattern in STRIPPED:
        for path in internal_folder(folder).glob(pattern):
            if not path.is_symlink():
                subprocess.run(["strip", "--strip-unneeded", path], check=False, stderr=subprocess.DEVNULL)


def _pack(folder: Path, target: Path, name: str) -> None:
    """The same bytes for the same folder: sorted, without owners, the times of the newest commit are not in it."""

    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        entry.mtime = 0
        entry.mode = 0o755 if entry.isdir() or entry.mode & 0o100 else 0o644
        return entry

    if shutil.which("xz") is None:
        with tarfile.open(target, "w:xz", preset=XZ_LEVEL) as archive:
            archive.add(folder, name, filter=plain)
        return
    with (
        target.open("wb") as file,
        subprocess.Popen(["xz", f"-{XZ_LEVEL}", "-T0"], stdin=subprocess.PIPE, stdout=file) as process,
    ):
        assert process.stdin is not None
        with tarfile.open(fileobj=process.stdin, mode="w|", format=tarfile.PAX_FORMAT) as archive:
            archive.add(folder, name, filter=plain)
        process.stdin.close()
    if process.returncode:
        raise StepFailed(f"xz ended with code {process.returncode}: is the disk full?")


def _set_version(folder: Path, version: str) -> None:
    """Writes the bundle's own metadata anew: the running program reads its version there."""
    inside = folder / "Contents" / "Resources" if folder.suffix == ".app" else internal_folder(folder)
    for old in inside.glob(f"{layout.APP_NAME}-*.dist-info"):
        shutil.rmtree(old)
    for name, text in layout.distribution_info(version).items():
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).write_text(text, encoding="utf-8")


def _plain(settings: Mapping[str, object] | None) -> dict[str, object]:
    return {key: str(value) if isinstance(value, Path) else value for key, value in (settings or {}).items()}


def _work_name(python: Path) -> str:
    usual = python == Path(sys.executable)
    return "bundle" if usual else f"bundle-{hashlib.sha256(str(python).encode()).hexdigest()[:8]}"


def _read_stamp(work: Path) -> dict[str, object]:
    try:
        stamp = json.loads((work / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}
