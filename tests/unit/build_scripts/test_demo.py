"""What the demo decides without starting anything: names, ports, whom it closes."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from build_scripts import demo, demo_clients, local_server, locks
from build_scripts.progress import StepFailed
from build_scripts.system_packages import Need

ROOT = Path(__file__).resolve().parents[3]
CLIENT = """
import sys, threading
from pathlib import Path
from desktop.platform.folder_lock import FolderLock
lock = FolderLock(Path(sys.argv[1]))
assert lock.acquire()
print("open", flush=True)
threading.Event().wait()
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(demo, "HOME", tmp_path)
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port with a listener."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def left() -> int:
    """A port whose listener has just ended with a connection open, which the system remembers for a while."""
    with socket.socket() as listener:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port: int = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            server, _ = listener.accept()
            server.close()  # the side that closes first keeps the port in TIME_WAIT
            client.recv(1)
    return port


@pytest.mark.parametrize("name", ["nobody", "../linyuan", "", "LINYUAN"])
def test_a_name_that_nobody_has_is_refused_with_names_that_are_there(home: Path, name: str) -> None:
    with pytest.raises(StepFailed, match="zhangmin"):
        demo.run(name, reset=True, stop=False)
    assert list(home.iterdir()) == []


def test_the_first_start_takes_the_preferred_port_or_any(
    home: Path, taken: int, left: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PREFERRED_PORT", taken)
    assert demo._choose_port() == 0
    monkeypatch.setattr(demo, "PREFERRED_PORT", left)
    assert demo._choose_port() == left


def test_clients_find_the_backend_where_it_was(
    home: Path, left: int, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "PREFERRED_PORT", taken)
    (home / "last-port").write_text(str(left), encoding="utf-8")
    assert demo._choose_port() == 0, "no client ever signed in there"
    (home / "clients" / "linyuan").mkdir(parents=True)
    assert demo._choose_port() == left


def test_a_port_that_another_program_took_is_said(home: Path, taken: int) -> None:
    (home / "last-port").write_text(str(taken), encoding="utf-8")
    (home / "clients" / "linyuan").mkdir(parents=True)
    with pytest.raises(StepFailed, match=f"port {taken}.*--reset"):
        demo._choose_port()


@pytest.mark.parametrize(("display", "packages"), [(True, {"libgl1"}), (False, {"libgl1", "xvfb"})])
def test_all_that_the_system_lacks_is_asked_for_at_once_and_first(
    home: Path, display: bool, packages: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[set[str]] = []

    def provide(needs: tuple[Need, ...]) -> list[Need]:
        asked.append({need.package for need in needs} & {"libgl1", "xvfb"})
        return [need for need in needs if need.package == "libgl1"]

    monkeypatch.setattr(demo, "_has_display", lambda: display)
    monkeypatch.setattr(demo.system_packages, "provide", provide)
    monkeypatch.setattr(demo.environment, "ensure_environment", lambda: pytest.fail("minutes before the bad news"))
    with pytest.raises(StepFailed, match="without these"):
        demo.run(demo.CLERK, reset=False, stop=False)
    assert asked == [packages]


def test_offline_needs_an_earlier_start(home: Path) -> None:
    with pytest.raises(StepFailed, match="never started"):
        demo._known_server()
    (home / "last-port").write_text("8460", encoding="utf-8")
    assert demo._known_server() == local_server.Address(8460, home / "server" / "tls" / "ca.pem")


def test_starting_over_closes_the_clients_and_only_those(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [sys.executable, "-c", CLIENT]
    with subprocess.Popen([*argv, str(home / "clients" / "linyuan")], cwd=ROOT, stdout=subprocess.PIPE) as client:
        assert client.stdout is not None
        assert client.stdout.readline().strip() == b"open"
        closed = (
            home / "clients" / "zhangmin" / demo_clients.LOCK_NAME
        )  # its process number is now somebody else's: ours
        closed.parent.mkdir()
        closed.write_text(str(os.getpid()), encoding="ascii")
        demo._throw_away()
        assert client.wait(20) != 0
    assert not home.exists()
    assert capsys.readouterr().out == "  Closed the clients of linyuan.\n"


def test_nothing_runs_nothing_is_stopped(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "pid").write_text(str(os.getpid()), encoding="utf-8")
    (home / "server").mkdir()
    (home / "server" / local_server.LOCK_NAME).touch()
    demo._stop()
    assert "No backend of the demo is running." in capsys.readouterr().out


def test_a_lock_without_a_door_is_said(home: Path) -> None:
    (home / "server").mkdir()
    with locks.only_one(home / "server" / local_server.LOCK_NAME), pytest.raises(StepFailed, match="cannot be stopped"):
        demo._stop()


@pytest.mark.parametrize("door", ["", "[]", "{}", json.dumps({"url": "https://127.0.0.1:1/x", "secret": "s"})])
def test_a_door_that_nobody_opens_is_no_answer(tmp_path: Path, door: str) -> None:
    (tmp_path / local_server.DOOR_NAME).write_text(door, encoding="utf-8")
    assert not local_server.ask_to_stop(tmp_path)
