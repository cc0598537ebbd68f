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
from pathlib import Path

from build_scripts import environment, local_server, system_packages
from build_scripts.environment import ROOT
from build_scripts.progress import StepFailed

CLERK = "linyuan"
PASSWORD = "tongban-demo"  # everybody's in the demo office, and printed on purpose
PASSWORD_VARIABLE = "TONGBAN_DEMO_PASSWORD"
PREFERRED_PORT = 8460
HOME = ROOT / ".demo"
_children: list[subprocess.Popen[bytes]] = []  # backends that this very process started: nobody else may wait for them


def run(person: str, *, reset: bool, stop: bool) -> int:
    """Opens a client of the demo office as this person (a login name); returns the client's exit code.

    Raises:
        StepFailed: the backend or the client could not be started.
    """
    if stop or reset:
        _stop()
    if stop:
        return 0
    if reset and HOME.exists():
        shutil.rmtree(HOME)
    python = environment.ensure_environment()
    missing = system_packages.provide(system_packages.WINDOW)
    if any(not need.optional for need in missing):
        raise StepFailed("Qt cannot open a window without these libraries.")
    if not _has_display():
        return _show_pictures(python)
    HOME.mkdir(exist_ok=True)
    with environment.only_one(HOME / "lock"):
        server = _running_server() or _start_server(python)
    print(f"  The demo office is at {server.url}; everybody's password is {PASSWORD}")
    print(
        f"  Opening the client as {person}. A colleague beside it: dev.py demo --as zhangmin."
        " To end the backend: dev.py demo --stop"
    )
    argv: list[str | Path] = [python, "-m", "desktop", "--data-dir", HOME / "clients" / person, "--server", server.url]
    argv += ["--ca", server.ca_file, "--sign-in", person, "--password-env", PASSWORD_VARIABLE]
    # Secrets of the demo stay in its folder: nothing is asked for, and the person's own keychain stays as it is.
    env = {**os.environ, PASSWORD_VARIABLE: PASSWORD, "TONGBAN_KEYCHAIN_PASSPHRASE": PASSWORD}
    return subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode


def _has_display() -> bool:
    return sys.platform in {"win32", "darwin"} or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _show_pictures(python: Path) -> int:
    print("  No display here: running the tour instead, which drives the real client on a virtual screen.")
    missing = system_packages.provide(system_packages.SCREEN)
    if missing:
        raise StepFailed("The tour needs a virtual screen (the command is above).")
    out = ROOT / "out" / "tour"
    code = subprocess.run([python, "-m", "build_scripts.tour", "--out", out], cwd=ROOT, check=False).returncode
    if code == 0:
        print(f"  The pictures are in {out}; open {out / 'index.html'}")
    return code


def _running_server() -> local_server.Address | None:
    """The demo's backend of an earlier start, when it still answers."""
    address = local_server.read_address(HOME / "port", HOME / "server")
    return address if address is not None and address.is_healthy() else None


def _start_server(python: Path) -> local_server.Address:
    (HOME / "port").unlink(missing_ok=True)
    port = PREFERRED_PORT if _is_free(PREFERRED_PORT) else 0
    process = local_server.start(
        python, HOME / "server", port=port, port_file=HOME / "port", log=HOME / "server.log", detached=True
    )
    _children.append(process)
    (HOME / "pid").write_text(str(process.pid), encoding="utf-8")
    return local_server.wait_until_healthy(process, HOME / "port", HOME / "server", log=HOME / "server.log")


def _stop() -> None:
    """Ends the backend that an earlier demo left in the background; only one that answers is really ours."""
    address = _running_server()
    try:
        pid = int((HOME / "pid").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        pid = 0
    if address is None or not pid:
        print("  No backend of the demo is running.")
        return
    os.kill(pid, signal.SIGTERM)
    local_server.wait_until_gone(address)
    while _children:
        _children.pop().wait(local_server.STOP_SECONDS)
    print("  The demo's backend has stopped.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
