"""The real server as a process for the core's tests: made once with some people, stopped and started at will on one port and data folder."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from server_stub.accounts.directory import do_create_person, do_set_roles
from server_stub.accounts.passwords import Passwords
from server_stub.app.layout import DataLayout
from server_stub.clock import SystemClock
from server_stub.storage.database import Database, Tx

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct-horse-7"
DEADLINE = 40.0


class ServerProcess:
    """`python -m server_stub` on loopback."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "server"
        self._port_file = folder / "port"
        self._process: subprocess.Popen[bytes] | None = None
        self._people: dict[str, str] = {}
        self.port = 0
        self.settings: dict[str, str] = {}  # more TONGBAN_* variables

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def init(self, *logins: str) -> None:
        """Makes the data folder and its people, in this process: a command of its own for each costs a second."""
        self._run("init")
        passwords = Passwords()
        hashed = passwords.hash(PASSWORD)
        passwords.close()

        def do_add(tx: Tx) -> None:
            for login in logins:
                self._people[login] = do_create_person(tx, name=login.title(), login=login, password_hash=hashed)

        if logins:
            self._write(do_add)

    def give_roles(self, login: str, *roles: str) -> None:
        """Replaces a person's roles."""
        if self._process is None:
            self._write(lambda tx: do_set_roles(tx, self._people[login], roles))
        else:
            self._run("user", "roles", login, *roles)

    def start(self) -> None:
        """Starts and waits until it answers; the port stays the same over restarts."""
        self._port_file.unlink(missing_ok=True)
        command = self._command("serve", "--port", str(self.port), "--port-file", str(self._port_file))
        self._process = subprocess.Popen(command, cwd=ROOT, env=self._environment(), stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + DEADLINE
        while not (self._port_file.exists() and self._port_file.read_text().strip()):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("the server did not start")
            time.sleep(0.02)
        self.port = int(self._port_file.read_text())

    def stop(self) -> None:
        """Gracefully."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power cut would, for a process."""
        self._end(signal.SIGKILL)

    def _write(self, action: Callable[[Tx], None]) -> None:
        database = Database.open(DataLayout(self._data).database, clock=SystemClock())
        try:
            database.write_now(action)
        finally:
            database.close_now()

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(DEADLINE)
            self._process = None

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "server_stub", *arguments, "--data", str(self._data)]

    def _run(self, *arguments: str) -> None:
        done = subprocess.run(
            self._command(*arguments), cwd=ROOT, env=self._environment(), capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr.decode()[-2000:]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.settings, "TEST_PASSWORD": PASSWORD}
