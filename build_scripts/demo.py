"""The demo: the real backend with the demo office on loopback, and the real client signed in as somebody of it.

The backend stays in the background for the next `demo --as NAME`; `--stop` ends it, `--reset` throws its data away.
Everything lies in .demo/ of the checkout. Without a display the tour is run instead. Standard library only.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

from build_scripts import demo_clients, environment, local_server, locks, system_packages
from build_scripts.environment import ROOT
from build_scripts.progress import StepFailed

CLERK = "linyuan"
PASSWORD = "tongban-demo"  # everybody's in the demo office, and printed on purpose
PASSWORD_VARIABLE = "TONGBAN_DEMO_PASSWORD"
PREFERRED_PORT = 8460
HOME = ROOT / ".demo"
PEOPLE = ROOT / "resources" / "demo" / "office.toml"
NAMES_SHOWN = 12
_children: list[subprocess.Popen[bytes]] = []  # backends that this very process started: nobody else may wait for them


def run(person: str, *, reset: bool, stop: bool, offline: bool = False) -> int:
    """Opens a client of the demo office as this person (a login name); returns the client's exit code.

    Raises:
        StepFailed: nobody has this name, or the backend or the client could not be started.
    """
    _check_name(person)
    if stop or reset:
        _stop()
    if stop:
        return 0
    if reset:
        _throw_away()
    _provide_system()
    python = environment.ensure_environment()
    if not _has_display():
        return _show_pictures(python)
    HOME.mkdir(exist_ok=True)
    with locks.only_one(HOME / "lock"):
        server = _known_server() if offline else _running_server() or _start_server(python)
    print(f"  The demo office is at {server.url}; everybody's password is {PASSWORD}")
    print(
        f"  Opening the client as {person}. A colleague beside it: dev.py demo --as zhangmin."
        " To end the backend: dev.py demo --stop"
    )
    argv: list[str | Path] = [python, "-m", "desktop", "--data-dir", HOME / "clients" / person, "--server", server.url]
    argv += ["--ca", server.ca_file, "--sign-in", person, "--password-env", PASSWORD_VARIABLE]
    # Secrets of the demo stay in its folder: nothing is asked for, and the person's own keychain stays as it is.
    env = {**os.environ, PASSWORD_VARIABLE: PASSWORD, "TONGBAN_KEYCHAIN_PASSPHRASE": PASSWORD}
    return demo_clients.run_client(argv, env)


def _check_name(person: str) -> None:
    names = [one["login"] for one in tomllib.loads(PEOPLE.read_text(encoding="utf-8"))["people"]]
    if person not in names:
        some = ", ".join(names[:NAMES_SHOWN])
        raise StepFailed(f"Nobody in the demo office is called {person}. There are {some}, and others ({PEOPLE}).")


def _provide_system() -> None:
    """All of it at once and before the long installation: who has to type a command, types one and waits once."""
    needs = system_packages.WINDOW if _has_display() else system_packages.WINDOW + system_packages.SCREEN
    if any(not need.optional for need in system_packages.provide(needs)):
        raise StepFailed("The client cannot open a window, on a screen or a virtual one, without these.")


def _has_display() -> bool:
    return sys.platform in {"win32", "darwin"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show_pictures(python: Path) -> int:
    print("  No display here: running the tour instead, which drives the real client on a virtual screen.")
    out = ROOT / "out" / "tour"
    code = subprocess.run([python, "-m", "build_scripts.tour", "--out", out], cwd=ROOT, check=False).returncode
    if code == 0:
        print(f"  The pictures are in {out}; open {out / 'index.html'}")
    return code


def _running_server() -> local_server.Address | None:
    """The demo's backend of an earlier start, when it still answers."""
    address = local_server.read_address(HOME / "port", HOME / "server")
    return address if address is not None and address.is_healthy() else None


def _known_server() -> local_server.Address:
    """Where the demo's backend was, whether it runs or not: enough to open a client that was signed in before."""
    address = local_server.read_address(HOME / "last-port", HOME / "server")
    if address is None:
        raise StepFailed("The demo was never started here, so nothing can be read offline. Run: dev.py demo")
    return address


def _start_server(python: Path) -> local_server.Address:
    (HOME / "port").unlink(missing_ok=True)
    process = local_server.start(
        python, HOME / "server", port=_choose_port(), port_file=HOME / "port", log=HOME / "server.log", detached=True
    )
    _children.append(process)
    (HOME / "pid").write_text(str(process.pid), encoding="utf-8")
    address = local_server.wait_until_healthy(process, HOME / "port", HOME / "server", log=HOME / "server.log")
    (HOME / "last-port").write_text(str(address.port), encoding="utf-8")
    return address


def _choose_port() -> int:
    """The port of the last time: the demo's clients have signed in there. Without clients any free one is good (0)."""
    last = local_server.read_address(HOME / "last-port", HOME / "server")
    if last is None or not any((HOME / "clients").glob("*")):
        return PREFERRED_PORT if _is_free(PREFERRED_PORT) else 0
    if not _is_free(last.port):
        raise StepFailed(
            f"Another program listens on port {last.port}, where the demo's clients look for their backend."
            " End it, or start over: dev.py demo --reset"
        )
    return last.port


def _stop() -> None:
    """Ends the backend that an earlier demo left in the background; what holds the lock of our data folder is really ours."""
    data = HOME / "server"
    if not locks.is_held(data / local_server.LOCK_NAME):
        print("  No backend of the demo is running.")
        return
    if not local_server.ask_to_stop(data):
        try:  # it is still starting, or hangs
            os.kill(int((HOME / "pid").read_text(encoding="utf-8")), signal.SIGTERM)
        except (OSError, ValueError) as error:
            raise StepFailed(f"The backend that uses {data} cannot be stopped: {error}") from error
    local_server.wait_until_gone(data)
    while _children:
        _children.pop().wait(local_server.STOP_SECONDS)
    print("  The demo's backend has stopped.")


def _throw_away() -> None:
    closed = demo_clients.close_all(HOME / "clients")
    if closed:
        print(f"  Closed the clients of {', '.join(closed)}.")
    if not HOME.exists():
        return
    try:
        shutil.rmtree(HOME)
    except OSError as error:  # Windows keeps files that a program has open
        raise StepFailed(f"The demo's data in {HOME} cannot be thrown away: {error}") from error


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":  # else the connections of a backend that has just ended keep the port for a minute
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
