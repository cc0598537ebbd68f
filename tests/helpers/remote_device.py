"""A test device at any address: a server in a bare Debian, or one behind a proxy. The same device as live_server's."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from tests.helpers.live_server import PASSWORD, LiveDevice, LiveServer


class RemoteServer(LiveServer):
    """A server that somebody else started, at `url`, known by the authority in `ca`."""

    def __init__(self, url: str, ca: Path) -> None:
        super().__init__(ca.parent)
        self._url, self._ca = url, ca

    @property
    def url(self) -> str:
        return self._url

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self._ca))

    def close(self) -> None:
        """Close its clients' connections."""
        for client in self._clients:
            client.close()

    def device(self, login: str, password: str = PASSWORD) -> LiveDevice:
        """A device of this person, signed in."""
        return LiveDevice(self, login, password)


def sign_in(url: str, ca: Path, login: str, password: str) -> int:
    """Sign a device in and ask for everybody; how many people there are."""
    server = RemoteServer(url, ca)
    try:
        device = server.device(login, password)
        answer = device.jmap(["Person/get", {"accountId": device.account, "ids": None}, "0"])
        return len(answer[0][1]["list"])
    except httpx.HTTPError as error:
        raise AssertionError(f"{url}: {error}") from error
    finally:
        server.close()
