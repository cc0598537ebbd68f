"""The real server as a process for end-to-end tests: made with some people, started, stopped, killed; and a signed-in device over plain HTTP."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

from tests.helpers.device_key import DeviceKey

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"
DEADLINE = 30.0
USING = [
    "urn:ietf:params:jmap:core",
    "urn:tongban:directory",
    "urn:tongban:chat",
    "urn:tongban:office",
    "urn:tongban:account",
]


def run_cli(data: Path, *arguments: str, code: int = 0, **environment: str) -> str:
    """Runs a command on a data folder; all it printed. Fails when it ends with another code."""
    done = subprocess.run(
        [sys.executable, "-m", "server_stub", *arguments, "--data", str(data)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, f"{arguments[:2]} ended with {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def wait_until(true: Callable[[], bool], what: str, seconds: float = 10.0) -> None:
    """Looks again and again until it is true, with a deadline."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.05)


class ServerProcess:
    """`tongban-server serve` over one data folder. As a context it runs inside and is stopped at the end."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.port = 0
        self.process: subprocess.Popen[bytes]
        self._log_file = data.parent / f"{data.name}.log"
        self._running = False

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"https://localhost:{self.port}"

    def start(self, port: int = 0) -> ServerProcess:
        """Starts and waits for the port file, written once it answers."""
        port_file = self.data.parent / f"{self.data.name}.port"
        port_file.unlink(missing_ok=True)
        command = [sys.executable, "-m", "server_stub", "serve", "--data", str(self.data), "--log-level", "DEBUG"]
        command += ["--port", str(port), "--port-file", str(port_file)]
        with open(self._log_file, "ab") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self._running = True
        wait_until(lambda: self.process.poll() is not None or _text(port_file) != "", "the server answers", DEADLINE)
        assert self.process.poll() is None, self.log()[-2000:]
        self.port = int(_text(port_file))
        return self

    def stop(self) -> int:
        """Asks it to end; its exit code."""
        self.process.terminate()
        code = self.process.wait(DEADLINE)
        self._running = False
        return code

    def kill(self) -> None:
        """Ends it without a word."""
        self.process.kill()
        self.process.wait(DEADLINE)
        self._running = False

    def log(self) -> str:
        """Everything it logged."""
        return self._log_file.read_text(encoding="utf-8")

    def tls(self) -> ssl.SSLContext:
        """Trusts its authority alone."""
        return ssl.create_default_context(cafile=str(self.data / "tls" / "ca.pem"))

    def http(self) -> httpx.Client:
        """A plain client of it."""
        return httpx.Client(base_url=self.url, verify=self.tls(), trust_env=False, timeout=DEADLINE)

    def __enter__(self) -> ServerProcess:
        return self if self._running else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._running and self.process.poll() is None:
            self.stop()
        self._running = False


def make_server(folder: Path, *logins: str) -> ServerProcess:
    """A data folder with these people, all with PASSWORD; not started yet."""
    data = folder / "data"
    run_cli(data, "init")
    for login in logins:
        run_cli(data, "user", "add", login, "--name", login, "--password-env", "PW", PW=PASSWORD)
    return ServerProcess(data)


class SignedIn:
    """A device that signed in, over plain HTTP."""

    def __init__(
        self, server: ServerProcess, login: str, password: str = PASSWORD, key: DeviceKey | None = None
    ) -> None:
        self.http = server.http()
        self.key = key or DeviceKey()
        self._url = server.url
        device = {"name": "test", "platform": "linux"}
        answer = self.grant(grantType="password", login=login, password=password, device=device)
        self.tokens: dict[str, Any] = answer.raise_for_status().json()
        self.account = str(self.tokens["accountId"])

    def grant(self, **body: Any) -> httpx.Response:
        """Asks /auth/token."""
        url = str(self.http.base_url).rstrip("/") + "/auth/token"
        return self.http.post(url, json=body, headers=self.key.headers("POST", url))

    def refresh(self, token: str | None = None) -> httpx.Response:
        """Uses this refresh token, or the last one."""
        return self.grant(grantType="refresh_token", refreshToken=token or self.tokens["refreshToken"])

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request with a proof and the access token."""
        url = str(self.http.base_url).rstrip("/") + path
        headers = self.key.headers(method, url, self.tokens["accessToken"]) | options.pop("headers", {})
        return self.http.request(method, url, headers=headers, **options)

    def jmap(self, *calls: list[Any]) -> list[list[Any]]:
        """Method calls; their responses."""
        answer = self.request("POST", "/jmap/api", json={"using": USING, "methodCalls": list(calls)})
        responses: list[list[Any]] = answer.raise_for_status().json()["methodResponses"]
        return responses


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
