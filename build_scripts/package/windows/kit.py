"""The Wine kit of this machine: a Windows Python with the lock's packages and a prefix, in a cache outside the tree, by hash."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from build_scripts import environment, locks, system_packages
from build_scripts.package.windows import wine, wine_python
from build_scripts.progress import StepFailed
from build_scripts.system_packages import Need

CACHE_VARIABLE = "TONGBAN_BUILD_CACHE"
PROGRAMS: tuple[Need, ...] = (
    Need("wine64", "program", "/usr/lib/wine/wine64"),
    Need("gcc-mingw-w64-x86-64", "program", wine_python.MINGW + "gcc"),
    Need("nsis", "program", "makensis"),
    Need("osslsigncode", "program", "osslsigncode"),
    Need("xvfb", "program", "Xvfb"),
    Need("imagemagick", "program", "import"),
    Need("xdotool", "program", "xdotool"),
)


@dataclass(frozen=True)
class Kit:
    """What a build under Wine needs. `python`: the folder with python.exe."""

    python: Path
    prefix: Path

    @property
    def program(self) -> Path:
        """The interpreter."""
        return self.python / "python.exe"


def cache_folder() -> Path:
    """Where builds keep what is dear to make: $TONGBAN_BUILD_CACHE, else below the user's cache folder."""
    if CACHE_VARIABLE in os.environ:
        return Path(os.environ[CACHE_VARIABLE])
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "tongban-build"


def ensure_kit() -> Kit:
    """The kit, made where it is missing or where the lock has changed since (about a minute).

    Raises:
        StepFailed: programs are missing that are not ours to install, or a step failed; a half-made kit is not left.
    """
    missing = [need.name for need in system_packages.provide(PROGRAMS)]
    if missing:
        raise StepFailed(f"This needs {', '.join(missing)} on this machine (the command is above).")
    python = environment.ensure_environment()
    home = cache_folder() / "windows"
    home.mkdir(parents=True, exist_ok=True)
    with locks.only_one(home / "lock"):
        made_python = home / f"python-{_python_key()}"
        if not made_python.exists():
            wine_python.make_python(made_python, python=python, lock=environment.LOCK)
        prefix = home / f"prefix-{_prefix_key()}"
        if not (prefix / wine.READY).exists():
            wine.make_prefix(prefix, qt_folder=made_python / "Lib" / "site-packages" / "PySide6")
        _forget_older(home, {made_python.name, prefix.name})
    return Kit(made_python, prefix)


def _forget_older(home: Path, used: set[str]) -> None:
    """A kit takes more than a gigabyte; the one before the last is not coming back."""
    for kind in ("python-*", "prefix-*"):
        others = sorted(
            (path for path in home.glob(kind) if path.name not in used), key=lambda path: path.stat().st_mtime
        )
        for path in others[:-1]:
            shutil.rmtree(path, ignore_errors=True)


def _python_key() -> str:
    parts = [environment.LOCK.read_bytes(), wine_python.LOCK.read_bytes(), Path(wine_python.__file__).read_bytes()]
    return _digest([*parts, sys.version.encode(), *_kit_sources()])


def _prefix_key() -> str:
    return _digest([environment.LOCK.read_bytes(), Path(wine.__file__).read_bytes(), *_kit_sources()])


def _kit_sources() -> list[bytes]:
    return [file.read_bytes() for file in sorted(wine_python.KIT.glob("*.c"))]


def _digest(parts: list[bytes]) -> str:
    hasher = hashlib.sha256()
    for part in parts:
        hasher.update(hashlib.sha256(part).digest())
    return hasher.hexdigest()[:16]
