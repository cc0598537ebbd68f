"""Runs the real server as a process of its own, on a free loopback port. Waits on conditions, with a deadline."""

from __future__ import annotations

import asyncio
import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from server_stub.accounts.passwords import Passwords
from server_stub.app.admin import Context, run_command
from server_stub.app.cli import initialize
from server_stub.app.layout import DataLayout
from server_stub.app.settings import Settings
from server_stub.clock import SystemClock
from server_stub.storage.database import Database
from tests.helpers.device_key import DeviceKey

DEADLINE_S = 30.0
PASSWORD = "correct horse battery"
ROOT = Path(__file__).resolve().parents[2]


def wait_until(condition: Callable[[], bool], what: str, deadline_s: float = DEADLINE_S) -> None:
    """Ask again and again until the condition holds; fail the test after the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        assert time.monotonic() < end, f"not within {deadline_s} s: {what}"
        time.sleep(0.02)


def run_cli(data: Path, *arguments: str, stdin: str = "", code: int = 0, **environment: str) -> str:
    """One command of the command line; its output. Fails the test when the exit code is another."""
    done = subprocess.run(
        [sys.executable, "-m", "server_stub", "--data", str(data), *arguments],
        cwd=ROOT,
        env=_environment(environment),
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == code, f"exit code {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


class LiveServer:
    """`tongban-server serve` over a data folder; a context manager that stops it gracefully."""

    def __init__(self, data: Path, *, command: str = "serve", environment: dict[str, str] | None = None) -> None:
        self.data = data
        self.command = command
        self.log_path = data.parent / f"{data.name}.log"
        self._environment = environment or {}
        self._port_file = data.parent / f"{data.name}.port"
        self._process: subprocess.Popen[bytes] | None = None
        self._clients: list[httpx.Client] = []
        self.port = 0

    def start(self, port: int = 0) -> Self:
        """Start and wait until it answers."""
        self._port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "server_stub", self.command, "--data", str(self.data), "--log-level", "DEBUG"]
        command += ["--port", str(port), "--port-file", str(self._port_file)]
        environment = _environment(self._environment)
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        wait_until(lambda: self._port_file.exists() or self.process.poll() is not None, "the server listens")
        assert self.process.poll() is None, self.log()
        self.port = int(self._port_file.read_text())
        return self

    def __enter__(self) -> Self:
        return self.start() if self._process is None else self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running process."""
        assert self._process is not None
        return self._process

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"https://localhost:{self.port}"

    def stop(self) -> int:
        """Stop gracefully; the exit code."""
        self.process.terminate()
        return self.process.wait(15)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(15)

    def log(self) -> str:
        """Everything it wrote so far."""
        return self.log_path.read_text("utf-8")

    def tls(self) -> ssl.SSLContext:
        """Trusts this server's authority and nothing else."""
        return ssl.create_default_context(cafile=str(self.data / "tls" / "ca.pem"))

    def http(self) -> httpx.Client:
        """A plain HTTP client of this server, closed when the server's block ends."""
        client = httpx.Client(base_url=self.url, verify=self.tls(), trust_env=False, timeout=20)
        self._clients.append(client)
        return client


class LiveDevice:
    """A device of a test person: signs in and signs its requests."""

    def __init__(self, server: LiveServer, login: str, password: str = PASSWORD, key: DeviceKey | None = None) -> None:
        self.server = server
        self.http = server.http()
        self.key = key or DeviceKey()
        device = {"name": "test", "platform": "linux"}
        answer = self.grant(grantType="password", login=login, password=password, device=device)
        self.tokens: dict[str, Any] = answer.raise_for_status().json()

    @property
    def account(self) -> str:
        """The account's id."""
        return str(self.tokens["accountId"])

    def grant(self, **body: Any) -> httpx.Response:
        """POST /auth/token."""
        url = f"{self.server.url}/auth/token"
        return self.http.post(url, json=body, headers=self.key.headers("POST", url))

    def refresh(self, token: str | None = None) -> httpx.Response:
        """Trade the refresh token (or another one)."""
        return self.grant(grantType="refresh_token", refreshToken=token or self.tokens["refreshToken"])

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request with token and proof."""
        url = f"{self.server.url}{path}"
        headers = self.key.headers(method, url, self.tokens["accessToken"]) | options.pop("headers", {})
        return self.http.request(method, url, headers=headers, **options)

    def jmap(self, *calls: list[Any], using: tuple[str, ...] = ("directory", "account", "chat", "office")) -> list[Any]:
        """The method responses of a JMAP request."""
        urns = ["urn:ietf:params:jmap:core", *(f"urn:tongban:{name}" for name in using)]
        answer = self.request("POST", "/jmap/api", json={"using": urns, "methodCalls": list(calls)})
        responses: list[Any] = answer.raise_for_status().json()["methodResponses"]
        return responses


def make_server(folder: Path, *logins: str) -> LiveServer:
    """A fresh data folder with these logins (the first an administrator), not started yet."""
    # In this process: a command line for each would cost a second of start-up.
    settings = Settings(data=folder / "data")
    initialize(settings)
    database = Database.open(DataLayout(settings.data).database, clock=SystemClock())
    passwords = Passwords()
    try:
        for position, login in enumerate(logins):
            asked = {"login": login, "password": PASSWORD, "roles": [] if position else ["admin"]}
            asyncio.run(run_command(Context(database, passwords), "user.add", asked))
    finally:
        passwords.close()
        database.close_now()
    return LiveServer(settings.data)


def _environment(more: dict[str, str]) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TONGBAN_")}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **more}
