"""The one door: what it takes and what it answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


def dev(*argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "build_scripts" / "dev.py"), *argv]
    if "SYSTEMROOT" in os.environ:  # without it no program starts on Windows
        env["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    env["PYTHONIOENCODING"] = "utf-8"
    return subprocess.run(command, cwd="/", env=env, capture_output=True, encoding="utf-8", check=False, timeout=60)


@pytest.mark.parametrize("command", ["demo", "test", "check", "bench", "tour", "lock"])
def test_help_names_every_command(command: str) -> None:
    assert f"\n    {command} " in dev("--help").stdout


@pytest.mark.parametrize("argv", [[], ["dance"], ["demo", "--never"], ["check", "desktop"]])
def test_what_it_does_not_know_is_an_error(argv: list[str]) -> None:
    done = dev(*argv)
    assert done.returncode == 2
    assert "usage: dev.py" in done.stderr


def test_an_environment_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = dev("check", DEV_VENV=str(tmp_path / "nowhere"))
    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_needs_nothing_but_the_standard_library() -> None:
    """Everything dev.py imports must load without the environment that it is there to make."""
    code = f"import runpy, sys; sys.argv = ['dev.py', '--help']; runpy.run_path({str(ROOT / 'build_scripts' / 'dev.py')!r}, run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, encoding="utf-8", check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
