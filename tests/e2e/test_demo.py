"""The README's first command: the backend of the demo is started, reused and stopped, and the clerk's client opens."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from build_scripts import demo, demo_clients, local_server, locks
from build_scripts.desktop_session import DesktopSession
from build_scripts.progress import StepFailed

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform != "linux", reason="a virtual screen needs Linux")]

PYTHON = Path(sys.executable)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(demo, "HOME", tmp_path)
    monkeypatch.setattr(demo, "PREFERRED_PORT", 0)
    return tmp_path


def test_the_backend_is_started_once_and_stopped(home: Path) -> None:
    address = demo._start_server(PYTHON)
    try:
        assert address.is_healthy()
        assert demo._running_server() == address
    finally:
        demo._stop()
    assert not address.is_healthy()
    assert demo._running_server() is None
    assert '"stopped"' in (home / "server.log").read_text(encoding="utf-8"), "in order, not by force"


def test_clients_find_a_backend_that_was_started_again(home: Path) -> None:
    first = demo._start_server(PYTHON)
    (home / "clients" / "linyuan").mkdir(parents=True)
    with socket.create_connection(("127.0.0.1", first.port)):  # kept by the system for a while after the end
        demo._stop()
    assert demo._known_server() == first
    second = demo._start_server(PYTHON)
    demo._stop()
    assert second == first


def test_a_backend_that_does_not_open_its_door_is_stopped_all_the_same(home: Path) -> None:
    address = demo._start_server(PYTHON)
    (home / "server" / local_server.DOOR_NAME).unlink()
    demo._stop()
    assert not address.is_healthy()
    assert not locks.is_held(home / "server" / local_server.LOCK_NAME)


def test_a_backend_that_cannot_start_shows_its_log(home: Path) -> None:
    (home / "server").write_text("a file where the data folder should be", encoding="utf-8")
    with pytest.raises(StepFailed, match=r"The backend ended with code [1-9]") as failure:
        demo._start_server(PYTHON)
    assert "server.log" in str(failure.value)


def test_the_clerks_client_opens(home: Path) -> None:
    code = f"""
from pathlib import Path
from build_scripts import demo, demo_clients, local_server, locks
demo.HOME, demo.PREFERRED_PORT = Path({str(home)!r}), 0
raise SystemExit(demo.run(demo.CLERK, reset=False, stop=False))
"""
    with DesktopSession(tray="sni", notifications="recorder") as session:
        try:
            process = session.popen("demo", [sys.executable, "-u", "-c", code], env={"DEV_VENV": sys.prefix})
            session.wait_until(lambda: window_count(session) > 0 or process.poll() is not None, "a window", 120)
            assert process.poll() is None, session.log("demo")
            assert "Opening the client as linyuan" in session.log("demo")
            session.wait_for_tray_icon(timeout=60)
            assert demo_clients.close_all(home / "clients") == ["linyuan"]
            assert process.wait(20) == 0, "closed in order"
        finally:
            demo._stop()


def window_count(session: DesktopSession) -> int:
    argv = ["xdotool", "search", "--onlyvisible", "--class", "tongban"]
    return len(subprocess.run(argv, env=session.env, capture_output=True, check=False, encoding="utf-8").stdout.split())
