"""Help → Diagnose below the screen: each fault is made for real where that is cheap, and is told by its own name."""

import asyncio
import json
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from desktop.core.clock import SystemClock
from desktop.core.crypto.device_key import DeviceKey
from desktop.core.domain.diagnosis import Finding, FindingState
from desktop.core.errors import AccountDisabled, AuthExpired, DeviceRevoked, Offline, StorageUnavailable, StoreDamaged
from desktop.core.net.https import HttpsTransport
from desktop.core.net.proxy import DIRECT, Door, Proxy, ProxyKind
from desktop.core.net.trust import Pin, TrustStore, fingerprint, origin
from desktop.core.services.context import Context
from desktop.core.services.diagnosis import Diagnosis
from desktop.core.services.session_checks import SessionChecks
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import PutLocal
from tests.helpers.proxies import LOGIN, PASSWORD, REFUSED, proxy_server
from tests.helpers.tls_server import Certificate, make_certificate, tls_server

LIMIT = 20.0
GIB = 1 << 30


class Place:
    """One folder and what a Diagnosis is made of."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.door = folder, Door(DIRECT)
        self.trust = TrustStore(folder / "trust.json", door=self.door)

    def pin(self, server: str, certificate: Certificate) -> None:
        self.trust._remember(origin(server), Pin(fingerprint(certificate.anchor), certificate.anchor))

    def diagnosis(self, server: str, **more: Any) -> Diagnosis:
        given: dict[str, Any] = {
            "store_file": None,
            "ask_keychain": answering(True),
            "free_bytes": lambda _path: 90 * GIB,
        }
        fixed = {"door": self.door, "trust": self.trust, "clock": SystemClock(), "data_dir": self.folder}
        return Diagnosis(server, **(given | fixed | more))


def answering(value: Any) -> Callable[..., Coroutine[Any, Any, Any]]:
    async def answer(*_arguments: object) -> Any:
        if isinstance(value, Exception):
            raise value
        return value

    return answer


def run(work: Coroutine[Any, Any, Finding]) -> tuple[str, str]:
    found = asyncio.run(asyncio.wait_for(work, LIMIT))
    return found.state.value, found.reason


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_name_of_the_office(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(host: str, *_rest: object, **_more: object) -> list[Any]:
        if host == "oa.example":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.1.2.3", 443))]

    monkeypatch.setattr(socket, "getaddrinfo", ask)
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo"), (2, "eth0")])
    assert run(place.diagnosis("https://oa.example").check("network")) == ("failed", "no_name")
    assert run(place.diagnosis("https://there.example").check("network")) == ("ok", "ok")
    assert run(place.diagnosis("").check("network")) == ("unchecked", "no_server")
    place.door.proxy = Proxy(ProxyKind.HTTP, "10.0.0.1", 3128)
    assert run(place.diagnosis("https://oa.example").check("network")) == ("ok", "by_proxy")
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo")])
    assert run(place.diagnosis("https://oa.example").check("network")) == ("failed", "no_card")


def test_the_way(place: Place) -> None:
    async def scenario() -> None:
        async def told(server: str) -> tuple[FindingState, str, str]:
            found = await place.diagnosis(server).check("proxy")
            assert PASSWORD not in repr(found)
            return found.state, found.reason, found.act

        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            closed = f"https://127.0.0.1:{taken.getsockname()[1]}"
        assert await told(closed) == (FindingState.FAILED, "straight_refused", "proxy")
        async with tls_server(make_certificate(place.folder)) as server, proxy_server("http", login=True) as proxy:
            assert await told(server) == (FindingState.OK, "straight", "")
            place.door.proxy = Proxy(ProxyKind.HTTP, "127.0.0.1", proxy.port, LOGIN, PASSWORD)
            assert await told(server) == (FindingState.OK, "through", "")
            assert await told(f"https://{REFUSED}") == (FindingState.FAILED, "refused", "proxy")
            place.door.proxy = Proxy(ProxyKind.HTTP, "127.0.0.1", proxy.port, LOGIN, "wrong")
            assert await told(server) == (FindingState.FAILED, "auth", "proxy")
        assert await told(server) == (FindingState.FAILED, "unreachable", "proxy")

    asyncio.run(asyncio.wait_for(scenario(), LIMIT))


def test_certificates(place: Place) -> None:
    async def scenario() -> None:
        async def told(certificate: Certificate, pinned: Certificate | None) -> tuple[str, str]:
            async with tls_server(certificate) as server:
                if pinned is not None:
                    place.pin(server, pinned)
                found = await place.diagnosis(server).check("tls")
            return found.state.value, found.reason

        good = make_certificate(place.folder)
        assert await told(good, good) == ("ok", "pinned")
        assert await told(good, None) == ("failed", "unknown")
        assert await told(make_certificate(place.folder), good) == ("failed", "changed")
        for reason, made in {
            "expired": make_certificate(place.folder, starts_in=-30, ends_in=-1),
            "not_yet": make_certificate(place.folder, starts_in=2),
            "wrong_name": make_certificate(place.folder, host="other.example"),
        }.items():
            assert await told(made, made) == ("failed", reason)
            assert await told(made, None) == ("failed", reason)  # seen for the first time: still told by its name
        soon = make_certificate(place.folder, ends_in=5)
        assert await told(soon, soon) == ("attention", "ends_soon")
        async with tls_server(None) as plain:
            assert (await place.diagnosis(plain).check("tls")).reason == "no_tls"
        assert (await place.diagnosis(plain).check("tls")).reason == "offline"

    asyncio.run(asyncio.wait_for(scenario(), LIMIT))


@pytest.mark.parametrize(
    ("off_s", "state", "reason"),
    [(0, "ok", "ok"), (-300, "failed", "fast"), (300, "failed", "behind"), (60, "attention", "little_behind")],
)
def test_the_clock(place: Place, off_s: int, state: str, reason: str) -> None:
    """Whatever the certificate: a wrong clock is what makes good ones look expired."""

    async def scenario() -> Finding:
        async with tls_server(make_certificate(place.folder, ends_in=-1), clock_off_s=off_s) as server:
            return await place.diagnosis(server).check("clock")

    assert run(scenario()) == (state, reason)


@pytest.mark.parametrize(
    ("error", "state", "reason"),
    [
        (AuthExpired(), "failed", "authExpired"),
        (DeviceRevoked(), "failed", "deviceRevoked"),
        (AccountDisabled(), "failed", "accountDisabled"),
        (Offline(), "unchecked", "offline"),
    ],
)
def test_the_token(error: Exception, state: str, reason: str) -> None:
    context = SimpleNamespace(clock=SystemClock(), tokens=SimpleNamespace(ensure=answering(error)))
    assert run(SessionChecks(cast(Context, context)).sign_in()) == (state, reason)


@pytest.mark.parametrize("status", ["426 Upgrade Required", "200 OK", "404 Not Found"])
def test_a_proxy_that_drops_upgrade(place: Place, status: str) -> None:
    """Requests come through, and the handshake of the socket gets an ordinary answer."""

    async def scenario() -> Finding:
        session = {
            "capabilities": {"urn:ietf:params:jmap:websocket": {"url": "/jmap/ws"}}, "accounts": {}, "primaryAccounts": {},
            "username": "anna", "apiUrl": "/jmap/api", "downloadUrl": "/d", "uploadUrl": "/u", "eventSourceUrl": "/e", "state": "1",
        }  # fmt: skip
        answers = {"/.well-known/jmap": ("200 OK", json.dumps(session).encode()), "/jmap/ws": (status, b"")}
        certificate = make_certificate(place.folder)
        async with tls_server(certificate, answers=answers) as server:
            place.pin(server, certificate)
            key = DeviceKey.generate()
            transport = HttpsTransport(server, answering(key), place.trust, SystemClock(), door=place.door)
            tokens = SimpleNamespace(ensure=answering(None))
            checks = SessionChecks(
                cast(Context, SimpleNamespace(clock=SystemClock(), tokens=tokens, transport=transport))
            )
            try:
                signed_in = await place.diagnosis(server, session=checks).check("sign_in")
                assert signed_in.reason == "ok"
                return await place.diagnosis(server, session=checks).check("socket")
            finally:
                await transport.close()

    assert run(scenario()) == ("failed", "blocked")


def test_nobody_is_signed_in(place: Place) -> None:
    for name in ("sign_in", "socket"):
        assert run(place.diagnosis("https://oa.example").check(name)) == ("unchecked", "nobody")


def test_a_damaged_page_of_the_store(place: Place) -> None:
    path, key = place.folder / "store.db", os.urandom(32)
    store = SqliteStore.open(path, key, "me")
    store.apply([PutLocal("big", str(number), os.urandom(3000)) for number in range(60)], durable=True)
    assert store.check(5.0)
    store.close()

    def look() -> bool:
        again = SqliteStore.open(path, key, "me")
        try:
            return again.check(5.0)
        finally:
            again.close()

    def diagnosis() -> Diagnosis:
        async def open_store() -> bool:
            return await asyncio.to_thread(look)

        return place.diagnosis("", store_file=path, open_store=open_store)

    assert run(diagnosis().check("store")) == ("ok", "ok")
    with path.open("r+b") as file:
        file.seek(path.stat().st_size * 2 // 3)
        file.write(os.urandom(4096))
    assert run(diagnosis().check("store")) == ("failed", "damaged")


@pytest.mark.parametrize(
    ("free", "answer", "told"),
    [
        (10 << 20, True, ("failed", "disk_full")),
        (500 << 20, True, ("attention", "disk_low")),
        (90 * GIB, False, ("ok", "partly")),
        (90 * GIB, None, ("unchecked", "none")),
        (90 * GIB, StoreDamaged(), ("failed", "damaged")),
        (90 * GIB, StorageUnavailable(reason="inUse"), ("failed", "in_use")),
    ],
)
def test_the_disk_and_the_store(place: Place, free: int, answer: object, told: tuple[str, str]) -> None:
    diagnosis = place.diagnosis("", open_store=answering(answer), free_bytes=lambda _path: free)
    assert run(diagnosis.check("store")) == told


def test_the_keychain(place: Place) -> None:
    for answer, told in {
        True: ("ok", "ok"),
        False: ("ok", "new"),
        StorageUnavailable(reason="keychainTimeout"): ("failed", "silent"),
        StorageUnavailable(reason="keychain"): ("failed", "failed"),
    }.items():
        assert run(place.diagnosis("", ask_keychain=answering(answer)).check("keychain")) == told
