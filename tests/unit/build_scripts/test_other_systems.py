"""What Windows and macOS need otherwise, looked at from here by pretending."""

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from build_scripts import demo, environment, local_server, progress, system_packages
from build_scripts.progress import StepFailed


@pytest.mark.parametrize(
    ("system", "parts"),
    [("win32", ("Scripts", "python.exe")), ("darwin", ("bin", "python")), ("linux", ("bin", "python"))],
)
def test_where_an_environment_keeps_its_python(
    system: str, parts: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setenv(environment.OWN_VENV_VARIABLE, str(tmp_path))
    assert environment.venv_python() == tmp_path.joinpath(*parts)


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_a_screen_is_always_there_and_nothing_is_installed(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", system)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert demo._has_display()
    assert system_packages.provide(system_packages.WINDOW + system_packages.SCREEN) == []


def test_no_apt_is_asked_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_packages.shutil, "which", lambda _: None)
    assert not system_packages.install_packages(["python3-venv"])
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(system_packages.os, "geteuid", raising=False)  # Windows has none
    assert not system_packages.install_packages(["python3-venv"])


def test_the_backend_has_a_hidden_console_of_its_own_on_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DETACHED_PROCESS would have an environment's python.exe open a window for the interpreter that it starts."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0x200, raising=False)
    monkeypatch.setattr(subprocess, "CREATE_NO_WINDOW", 0x8000000, raising=False)
    monkeypatch.setattr(subprocess, "Popen", lambda argv, **options: asked.update(options))
    start = {"port": 0, "port_file": tmp_path / "port", "log": tmp_path / "log"}
    local_server.start(Path("python"), tmp_path, detached=True, **start)
    assert asked["creationflags"] == 0x8000200
    local_server.start(Path("python"), tmp_path, **start)
    assert asked["creationflags"] == 0


@pytest.mark.parametrize(("console", "knows", "live"), [(True, True, True), (True, False, False), (False, True, False)])
def test_a_windows_console_is_told_to_understand_control_codes(
    console: bool, knows: bool, live: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    def set_mode(_handle: int, mode: int) -> int:
        told.append(mode)
        return int(knows)

    kernel = SimpleNamespace(GetStdHandle=lambda _: 7, GetConsoleMode=lambda *_: int(console), SetConsoleMode=set_mode)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=kernel), raising=False)
    assert progress._understands_control_codes() is live
    assert all(mode & progress.VIRTUAL_TERMINAL for mode in told)


def test_files_that_a_program_keeps_open_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "The process cannot access the file", str(path))

    monkeypatch.setattr(demo, "HOME", tmp_path)
    monkeypatch.setattr(demo.shutil, "rmtree", refuse)
    with pytest.raises(StepFailed, match=r"cannot be thrown away: .*The process cannot access the file"):
        demo._throw_away()
    with pytest.raises(StepFailed, match="end the programs that run from it"):
        environment._make_venv(tmp_path)


def test_an_environment_is_made_with_the_installed_python_not_with_itself() -> None:
    assert Path(environment._base_python()).exists()
    if sys.prefix != sys.base_prefix:
        assert not Path(environment._base_python()).is_relative_to(sys.prefix)
