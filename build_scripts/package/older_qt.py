"""The older Qt for systems with glibc 2.28 (UOS 20, Kylin V10): an environment from older_qt.txt, and the proof that it fits.

older_qt.txt names what pyproject.toml wants, with PySide6 6.9.3 instead: the last one whose wheels are content with glibc
2.28 on x86_64 (design/STACK.md, trap 1). All wheels are those for manylinux_2_28; the Python is one of old_python.py, or
the one that TONGBAN_OLD_PYTHON names. `python -m build_scripts.package.older_qt` makes the file anew.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from build_scripts.package import bundle, elf, layout, old_python
from build_scripts.progress import Step, StepFailed, run_step

LOCK: Final = Path(__file__).with_name("older_qt.txt")
QT_VERSION: Final = "6.9.3"
PLATFORM: Final = "x86_64-manylinux_2_28"
GLIBC: Final = (2, 28)
TOOLS: Final = ("pyinstaller",)
# PyInstaller takes these of the machine that builds along, for QtNetwork (whose TLS we do not use) and for TIFF.
SETTINGS: Final = {"dropped": r"lib(ssl|crypto)\.so\.3|liblzma\.so\.5"}
PYTHON_VARIABLE: Final = "TONGBAN_OLD_PYTHON"


def environment(out: Path) -> Path:
    """The interpreter of an environment with the older Qt, made below `out` when it is not there. Raises StepFailed."""
    venv = out / bundle.WORK / "older-qt-venv"
    python = venv / "bin" / "python"
    stamp = venv / "lock.sha256"
    base = Path(os.environ[PYTHON_VARIABLE]) if PYTHON_VARIABLE in os.environ else old_python.interpreter(out)
    wanted = f"{base}\n{LOCK.read_text(encoding='utf-8')}"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return python
    run_step(
        "environment for the older Qt",
        [sys.executable, "-m", "uv", "venv", "-q", "--clear", "--python", base, venv],
        cwd=layout.ROOT,
    )
    argv: list[str | Path] = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "install",
        "-q",
        "--python",
        python,
        "--require-hashes",
    ]
    argv += ["--only-binary", ":all:", "--python-platform", PLATFORM, "--requirement", LOCK]
    run_step(f"Qt {QT_VERSION} and wheels for glibc {'.'.join(map(str, GLIBC))}", argv, cwd=layout.ROOT)
    stamp.write_text(wanted, encoding="utf-8")
    return python


def check_symbols(result: Path) -> None:
    """That nothing in a .deb wants a newer glibc than 2.28. Raises StepFailed."""
    with Step("newest glibc wanted") as step, tempfile.TemporaryDirectory(prefix="tongban-elf-") as place:
        subprocess.run(["dpkg-deb", "-x", result, place], check=True)
        needs = {path: elf.needs_of(path) for path in elf.elf_files(Path(place))}
        found = too_new(needs)
        if found:
            raise StepFailed(f"These want more than glibc 2.28: {told(found)}")
        step.note(f"{'.'.join(map(str, elf.newest(needs.values(), 'GLIBC')))}, of {len(needs)} programs and libraries")


def too_new(needs: Mapping[Path, elf.Needs]) -> dict[str, elf.Version]:
    """Files that want a newer glibc, by name, with what they want."""
    wanted = {path.name: one.versions.get("GLIBC", ()) for path, one in needs.items()}
    return {name: version for name, version in wanted.items() if version > GLIBC}


def told(files: Mapping[str, elf.Version]) -> str:
    """The worst few, with what they want."""
    worst = sorted(files.items(), key=lambda item: item[1], reverse=True)[:4]
    return ", ".join(f"{name} {'.'.join(map(str, version))}" for name, version in worst) or "none"


def write_lock() -> None:
    """Makes older_qt.txt anew: pyproject.toml's dependencies, PySide6 replaced, all else as the usual lock has it."""
    project = tomllib.loads((layout.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    qt = re.compile(r"(?i)(pyside6|shiboken6)")
    wanted = [text for text in project["dependencies"] if not qt.match(text)]
    wanted += [f"{name}=={QT_VERSION}" for name in ("PySide6-Essentials", "PySide6-Addons", "shiboken6")] + list(TOOLS)
    usual = (layout.ROOT / "build_scripts" / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9][\w.-]*==[^\s\\]+(?: ; [^\\\n]+)?)", usual, re.MULTILINE)
    with tempfile.TemporaryDirectory() as place:
        given, kept = Path(place, "wanted.in"), Path(place, "kept.txt")
        given.write_text("\n".join(wanted), encoding="utf-8")
        kept.write_text("\n".join(pin for pin in pins if not qt.match(pin)), encoding="utf-8")
        argv: list[str | Path] = [
            sys.executable,
            "-m",
            "uv",
            "pip",
            "compile",
            "-q",
            "--generate-hashes",
            "--no-emit-index-url",
        ]
        argv += [
            "--no-annotate",
            "--no-header",
            "--python-version",
            "3.11",
            "--python-platform",
            PLATFORM,
            "--only-binary",
            ":all:",
        ]
        run_step(
            "resolve and hash for the older Qt",
            [*argv, "--constraint", kept, "--output-file", LOCK, given],
            cwd=layout.ROOT,
        )


if __name__ == "__main__":
    write_lock()
