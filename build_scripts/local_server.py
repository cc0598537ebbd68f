"""Starts a real backend with the demo office on loopback and waits until it answers. Standard library only.

Used by the demo, the tour and whoever needs a backend in a process of its own. It never guesses: the backend writes its
port to a file when it listens, and /healthz is asked over TLS, checked against the certificate authority it made.
"""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from build_scripts import locks
from build_scripts.environment import ROOT
from build_scripts.progress import Step, StepFailed

START_SECONDS = 300.0  # the first start makes months of the demo office's life
STOP_SECONDS = 30.0
POLL_SECONDS = 0.1
LOG_LINES = 30
LOCK_NAME = "server.lock"  # server_stub/app/lock.py
DOOR_NAME = "admin.json"  # server_stub/app/admin.py


@dataclass(frozen=True)
class Address:
    """Where a backend listens, and the authority that signed its certificate."""

    port: int
    ca_file: Path

    @property
    def url(self) -> str:
        """The address a client is given."""
        return f"https://127.0.0.1:{self.port}"

    def is_healthy(self, timeout: float = 2.0) -> bool:
        """True when it answers /healthz with status ok, with a certificate of its own authority."""
        try:
            context = ssl.create_default_context(cafile=str(self.ca_file))
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=context)
            try:
                connection.request("GET", "/healthz")
                answer = connection.getresponse()
                return answer.status == http.client.OK and json.load(answer).get("status") == "ok"
            finally:
                connection.close()
        except (OSError, ValueError, http.client.HTTPException):
            return False


def read_address(port_file: Path, data: Path) -> Address | None:
    """The address that a backend with this data wrote down, whether it still runs or not."""
    try:
        return Address(int(port_file.read_text(encoding="utf-8")), data / "tls" / "ca.pem")
    except (OSError, ValueError):
        return None


def start(
    python: Path, data: Path, *, port: int, port_file: Path, log: Path, detached: bool = False
) -> subprocess.Popen[bytes]:
    """Starts `server_stub demo` with its data folder; port 0 takes any free one. Detached, it outlives us."""
    argv: list[str | Path] = [
        python,
        "-m",
        "server_stub",
        "demo",
        "--data",
        data,
        "--port",
        str(port),
        "--port-file",
        port_file,
    ]
    flags = 0
    if detached and sys.platform == "win32":
        # With a console that nobody sees: without any, an environment's python.exe opens one for the real interpreter.
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=detached,
            creationflags=flags,
        )


def wait_until_healthy(process: subprocess.Popen[bytes], port_file: Path, data: Path, *, log: Path) -> Address:
    """Waits for the port file and a good /healthz.

    Raises:
        StepFailed: it ended or did not answer in time; carries the end of its log.
    """
    deadline = time.monotonic() + START_SECONDS
    try:
        with Step("backend with the demo office"):
            while time.monotonic() < deadline:
                code = process.poll()
                if code is not None:
                    raise StepFailed(f"The backend ended with code {code}. The end of its log, {log}:\n{_tail(log)}")
                address = read_address(port_file, data)
                if address is not None and address.is_healthy():
                    return address
                time.sleep(POLL_SECONDS)
            raise StepFailed(
                f"The backend did not answer within {START_SECONDS:.0f} s. The end of its log, {log}:\n{_tail(log)}"
            )
    except BaseException:  # Ctrl+C too: nobody would know of it
        process.kill()
        raise


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks a backend of ours to stop and waits; kills it when it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def ask_to_stop(data: Path) -> bool:
    """Asks the backend with this data folder, by its door for administrators, to stop in order: the way that every system has.

    False when it did not take it (it is still starting, or hangs).
    """
    try:
        door = json.loads((data / DOOR_NAME).read_text(encoding="utf-8"))
        url, secret = urlsplit(door["url"]), door["secret"]
        context = ssl.create_default_context(cafile=str(data / "tls" / "ca.pem"))
        connection = http.client.HTTPSConnection(url.hostname or "", url.port, timeout=STOP_SECONDS, context=context)
        try:
            body = json.dumps({"command": "server.stop", "arguments": {}})
            connection.request("POST", url.path, body, {"tongban-admin": secret, "Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status == http.client.OK and "failed" not in json.load(answer)
        finally:
            connection.close()
    except (OSError, ValueError, KeyError, TypeError, http.client.HTTPException):
        return False


def wait_until_gone(data: Path) -> None:
    """Waits until no backend has this data folder any more: it has written everything and its files may go.

    Raises:
        StepFailed: one still has it after half a minute.
    """
    deadline = time.monotonic() + STOP_SECONDS
    while locks.is_held(data / LOCK_NAME):
        if time.monotonic() > deadline:
            raise StepFailed(f"The backend that uses {data} does not stop.")
        time.sleep(POLL_SECONDS)


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return "\n".join(f"    {line}" for line in lines[-LOG_LINES:])
