"""The project's virtual environment: made when missing, brought up to date when what it is made from changed.

Everything comes from build_scripts/requirements.lock, by hash; the project itself is installed editable, without
dependencies of its own. A stamp file remembers what is installed. DEV_VENV names an environment made by hand, which
is used as it is. Standard library only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from build_scripts import locks, system_packages
from build_scripts.progress import Step, StepFailed, run_step

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "build_scripts" / "requirements.lock"
PROJECT = ROOT / "pyproject.toml"
STAMP_NAME = "tongban-stamp.json"
OWN_VENV_VARIABLE = "DEV_VENV"


def venv_python() -> Path:
    """The interpreter of the environment, which may not be there yet."""
    return _python_in(_venv_dir())


def ensure_environment() -> Path:
    """Makes or updates the environment and returns its interpreter.

    Raises:
        StepFailed: it could not be made; the text says why.
    """
    venv = _venv_dir()
    if OWN_VENV_VARIABLE in os.environ:
        if not _python_in(venv).exists():
            raise StepFailed(f"{OWN_VENV_VARIABLE} names {venv}, but there is no Python in it.")
        return _python_in(venv)
    if _read_stamp(venv) == _wanted_stamp() and _works(venv):
        return _python_in(venv)
    with locks.only_one(venv.with_name(venv.name + ".lock")):
        _bring_up_to_date(venv)
    return _python_in(venv)


def write_lock() -> None:
    """Makes the lock anew from pyproject.toml: the newest versions that fit, for every system; names and hashes only.

    Raises:
        StepFailed: no resolution was found, or uv could not be had.
    """
    if LOCK.exists():
        python = ensure_environment()
    else:
        _make_venv(_venv_dir())
        python = venv_python()
        run_step("uv, to make the first lock", [python, "-m", "pip", "install", "-q", "uv"], cwd=ROOT)
    argv: list[str | Path] = [
        python,
        "-m",
        "uv",
        "pip",
        "compile",
        "--universal",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-annotate",
        "--no-header",
    ]
    argv += ["--upgrade", "--python-version", "3.11", "--all-extras", "--output-file", LOCK, PROJECT]
    run_step("resolve and hash every dependency", argv, cwd=ROOT)
    print(f"  {LOCK.relative_to(ROOT)}: {_locked_count()} packages")


def _venv_dir() -> Path:
    return Path(os.environ.get(OWN_VENV_VARIABLE) or ROOT / ".venv")


def _python_in(venv: Path) -> Path:
    return venv / "Scripts" / "python.exe" if sys.platform == "win32" else venv / "bin" / "python"


def _bring_up_to_date(venv: Path) -> None:
    stamp, wanted = _read_stamp(venv), _wanted_stamp()
    fresh = stamp.get("python") != wanted["python"] or not _works(venv)
    if not fresh and stamp == wanted:
        return  # another dev.py did it while we waited
    (venv / STAMP_NAME).unlink(missing_ok=True)
    if fresh:
        _make_venv(venv)
    if fresh or stamp.get("lock") != wanted["lock"]:
        _install_locked(venv)
    argv: list[str | Path] = [
        _python_in(venv),
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--editable",
        ROOT,
    ]
    run_step("install the project itself", argv, cwd=ROOT, env=_pip_env())
    (venv / STAMP_NAME).write_text(json.dumps(wanted), encoding="utf-8")


def _make_venv(venv: Path) -> None:
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"  # Debian splits it off
        if not system_packages.install_packages([package]):
            raise StepFailed(f"This Python cannot make environments. Run: {system_packages.install_command([package])}")
    if venv.exists():
        try:
            shutil.rmtree(venv)
        except OSError as error:  # Windows keeps files that a program has open
            raise StepFailed(f"{venv} cannot be made anew; end the programs that run from it: {error}") from error
    version = ".".join(map(str, sys.version_info[:3]))
    run_step(f"make {venv.name} with Python {version}", [_base_python(), "-m", "venv", venv], cwd=ROOT)


def _base_python() -> str:
    """The interpreter that was installed, also when we run in an environment made from it, perhaps the very one to replace."""
    if sys.platform == "win32" and sys.prefix != sys.base_prefix:
        return str(Path(sys.base_prefix) / "python.exe")
    return getattr(sys, "_base_executable", None) or sys.executable


def _install_locked(venv: Path) -> None:
    total = _locked_count()
    seen = 0

    def watch(step: Step, line: str) -> None:
        nonlocal seen
        if line.startswith(("Collecting ", "Processing ")):
            seen += 1
            step.note(f"{seen} of at most {total} found")
        elif line.startswith("Installing collected"):
            step.note(f"unpacking {seen}")

    argv: list[str | Path] = [
        _python_in(venv),
        "-m",
        "pip",
        "install",
        "--no-deps",  # the lock is complete; pip's resolver trips over a package that is wanted with extras and locked without
        "--require-hashes",
        "--progress-bar",
        "off",
        "--requirement",
        LOCK,
    ]
    run_step("install what the lock names", argv, cwd=ROOT, env=_pip_env(), watch=watch)


def _pip_env() -> dict[str, str]:
    return {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}


def _locked_count() -> int:
    return len(re.findall(r"^[A-Za-z0-9][\w.-]*==", LOCK.read_text(encoding="utf-8"), re.MULTILINE))


def _works(venv: Path) -> bool:
    """False for one that is missing, half made, or whose base interpreter is gone."""
    try:
        done = subprocess.run([_python_in(venv), "-c", "import pip"], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _wanted_stamp() -> dict[str, str]:
    project = PROJECT.read_text(encoding="utf-8").split("[tool.ruff]")[0]  # checkers' settings need no new install
    return {
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "lock": hashlib.sha256(LOCK.read_bytes()).hexdigest(),
        "project": hashlib.sha256(project.encode()).hexdigest(),
    }


def _read_stamp(venv: Path) -> dict[str, str]:
    try:
        stamp = json.loads((venv / STAMP_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}
