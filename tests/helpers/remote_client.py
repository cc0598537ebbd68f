"""A real client process under test, driven through its test-only control channel (desktop/app/control.py)."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from build_scripts.desktop_session import DesktopSession

T = TypeVar("T")

ANSWER_S = 15.0
START_S = 40.0
POLL_S = 0.05
PASSWORD_VARIABLE = "TONGBAN_TEST_PASSWORD"


class Refused(Exception):
    """The client could not do what was asked: its own words."""


class RemoteClient:
    """One client with a data folder of its own. `do` sends a verb, `until` waits for a condition with a deadline."""

    def __init__(self, session: DesktopSession, name: str, folder: Path) -> None:
        self.name = name
        self._session = session
        self._folder = folder
        self._address = str(folder / f"{name}.ctl")
        self._starts = 0
        self._socket: socket.socket | None = None
        self._buffer = b""
        self._number = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log_name(self) -> str:
        """The name of its log in the desktop session."""
        return f"client-{self.name}-{self._starts}"

    def start(self, *options: str | Path, password: str = "", data_dir: Path | None = None) -> "RemoteClient":
        """Starts the process and connects to its control channel."""
        self._starts += 1
        Path(self._address).unlink(missing_ok=True)
        self._folder.mkdir(parents=True, exist_ok=True)
        argv: list[str | Path] = [
            sys.executable,
            "-m",
            "desktop",
            "--data-dir",
            data_dir or self._folder / "data",
            "--lang",
            "zh",
        ]
        env = {"TONGBAN_TEST_CONTROL": self._address, PASSWORD_VARIABLE: password}
        self.process = self._session.popen(
            self.log_name, [*argv, *options, "--password-env", PASSWORD_VARIABLE], env=env
        )
        self._connect()
        return self

    def _connect(self) -> None:
        deadline = time.monotonic() + START_S
        while True:
            link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                link.connect(self._address)
            except OSError:
                link.close()
                assert self.process is not None
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Refused(f"{self.name} did not start:\n{self._session.log(self.log_name)}") from None
                time.sleep(POLL_S)
                continue
            link.settimeout(ANSWER_S)
            self._socket, self._buffer = link, b""
            return

    def do(self, verb: str, **data: Any) -> Any:
        """Does one thing in the client; its answer.

        Raises:
            Refused: it could not.
        """
        assert self._socket is not None
        self._number += 1
        self._socket.sendall(json.dumps({"id": self._number, "do": verb, **data}).encode() + b"\n")
        while b"\n" not in self._buffer:
            received = self._socket.recv(65536)
            if not received:
                raise Refused(f"{self.name} went away:\n{self._session.log(self.log_name)}")
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        answer = json.loads(line)
        if not answer["ok"]:
            raise Refused(f"{self.name}: {verb} {data}: {answer['error']}")
        return answer["value"]

    def probe(self, name: str) -> Any:
        """A plain value of the client's state."""
        return self.do("probe", name=name)

    def until(self, condition: Callable[[], T], what: str, seconds: float = ANSWER_S) -> T:
        """Waits until a condition gives something true; a thing not on the screen yet is no failure.

        Raises:
            Refused: it did not come true in time.
        """
        deadline = time.monotonic() + seconds
        last = ""
        while True:
            try:
                if value := condition():
                    return value
            except Refused as refusal:
                last = str(refusal)
            if time.monotonic() > deadline:
                raise Refused(f"{self.name}: waited {seconds:.0f} s in vain: {what}. {last}")
            time.sleep(POLL_S)

    def click(self, name: str, **more: Any) -> None:
        """Clicks a widget as soon as it is there."""
        self.until(lambda: self.do("click", name=name, **more) or True, f"click {name}")

    def quit(self, seconds: float = ANSWER_S) -> int:
        """Ends it as its own menu does; the exit code."""
        assert self.process is not None
        self.do("quit")
        return self._ended(seconds)

    def kill(self) -> None:
        """Ends it as a power cut does."""
        assert self.process is not None
        os.kill(self.process.pid, 9)
        self._ended(ANSWER_S)

    def drop(self) -> None:
        """Lets go of a client whatever became of it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(ANSWER_S)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def wait_for_end(self, seconds: float = ANSWER_S) -> int:
        """Waits for an end asked for elsewhere; the exit code."""
        return self._ended(seconds)

    def _ended(self, seconds: float) -> int:
        assert self.process is not None
        code = self.process.wait(seconds)
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        return code
