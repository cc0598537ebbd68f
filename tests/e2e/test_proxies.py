"""The client behind proxies that are real ones: HTTP CONNECT and SOCKS5, with a login, the system's, changed while signed in, wrong ones."""

import asyncio
import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import ConnectionState
from desktop.core.domain.diagnosis import FindingState
from desktop.core.errors import ProxyFailed
from desktop.core.net.proxy import DIRECT, Door, Proxy, ProxyKind, choose, proxy_of
from desktop.core.services.client import Client
from desktop.core.services.diagnosis import CORE_CHECKS
from tests.helpers.core_server import PASSWORD as SERVER_PASSWORD
from tests.helpers.core_server import ROOT, ServerProcess
from tests.helpers.proxies import LOGIN, PASSWORD, REFUSED, ProxyServer, proxy_server

LIMIT = 30.0
SENTENCES = json.loads((ROOT / "resources" / "i18n" / "error.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("server"))
    process.init("anna")
    process.start()
    yield process
    process.kill()


def to(proxy: ProxyServer, kind: ProxyKind, *, password: str = PASSWORD, login: str = LOGIN) -> Proxy:
    return Proxy(kind, "127.0.0.1", proxy.port, login, password)


def test_everything_goes_through_the_proxy_and_another_way_is_taken_at_once(
    server: ServerProcess, tmp_path: Path
) -> None:
    """First look at the certificate, requests and push socket; then SOCKS5 instead, without signing in again; the password is kept."""

    async def scenario() -> None:
        keychain = MemoryKeychain()
        async with proxy_server("http", login=True) as http, proxy_server("socks5", login=True) as socks:
            async with await Client.open(tmp_path, keychain=keychain) as client:
                await client.use_proxy(to(http, ProxyKind.HTTP))
                async with asyncio.timeout(LIMIT):
                    session = await client.sign_in(server.address, "anna", SERVER_PASSWORD, remember=True)
                    await session.wait_until(ConnectionState.LIVE, synced=True)
                    assert set(http.asked) == {("127.0.0.1", server.port)}
                    assert len(http.asked) >= 3  # the look, a request, the socket
                    room = await session.chat.open_direct(session.account_id)
                    assert room is not None
                    before = len(http.asked)
                    await client.use_proxy(to(socks, ProxyKind.SOCKS5))
                    while not socks.asked:
                        await session.wait_until(ConnectionState.OFFLINE)
                        await session.wait_until(ConnectionState.LIVE)
                    await session.wait_until(ConnectionState.LIVE, synced=True)
                    assert len(http.asked) == before
            async with await Client.open(tmp_path, keychain=keychain) as again:
                await again.use_proxy(to(socks, ProxyKind.SOCKS5, password=""))
                await again.try_way(server.address)

    asyncio.run(scenario())


def test_the_systems_proxy_and_its_exceptions(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    system = Proxy(ProxyKind.SYSTEM)
    assert choose(system, "oa.example", 443) is None
    monkeypatch.setenv("https_proxy", "http://10.1.2.3:3128")
    monkeypatch.setenv("no_proxy", ".inside.example")
    assert choose(system, "oa.example", 443) == Proxy(ProxyKind.HTTP, "10.1.2.3", 3128)
    assert choose(system, "oa.inside.example", 443) is choose(system, "localhost", 443) is None
    assert choose(system, "127.0.0.8", 443) is choose(system, "::1", 443) is choose(DIRECT, "oa.example", 1) is None
    here = socket.gethostname()  # in the server's certificate, and no loopback name

    async def scenario() -> None:
        async with proxy_server("socks5") as proxy:
            monkeypatch.setenv("https_proxy", f"socks5h://127.0.0.1:{proxy.port}")
            async with await Client.open(tmp_path, keychain=MemoryKeychain(), proxy=system) as client:
                async with asyncio.timeout(LIMIT):
                    address = f"https://{here}:{server.port}"
                    session = await client.sign_in(address, "anna", SERVER_PASSWORD, remember=False)
                    await session.wait_until(ConnectionState.LIVE)
            assert set(proxy.asked) == {(here.lower(), server.port)}

    asyncio.run(scenario())


def test_a_healthy_client_is_told_that_it_is(server: ServerProcess, tmp_path: Path) -> None:
    """Help → Diagnose against a real server: before the first sign-in, signed in, and after the session was signed out elsewhere."""

    async def scenario() -> None:
        async with await Client.open(tmp_path, keychain=MemoryKeychain()) as client:
            stranger = client.diagnosis(server.address)
            found = {name: await stranger.check(name) for name in CORE_CHECKS}
            reasons = {name: one.reason for name, one in found.items()}
            assert reasons["tls"] == "unknown"
            assert (reasons["clock"], reasons["proxy"], reasons["sign_in"]) == ("ok", "straight", "nobody")
            session = await client.sign_in(server.address, "anna", SERVER_PASSWORD, remember=True)
            await session.wait_until(ConnectionState.LIVE, synced=True)
            known = client.diagnosis(server.address, session)
            found = {name: await known.check(name) for name in CORE_CHECKS}
            assert {name: one.state for name, one in found.items() if one.state is not FindingState.OK} == {}
            assert found["tls"].reason == "pinned"
            assert int(found["store"].data["size"]) > 0
            await session.revoke(everywhere=False)
            session.checks._context.tokens.spoil()
            refused = await known.check("sign_in")
            assert refused.state is FindingState.FAILED
            assert refused.act == "sign_in"

    asyncio.run(asyncio.wait_for(scenario(), LIMIT))


@pytest.mark.parametrize("kind", [ProxyKind.HTTP, ProxyKind.SOCKS5])
def test_a_wrong_proxy_says_what_is_wrong(kind: ProxyKind, tmp_path: Path) -> None:
    """Each failure has its own sentence in both languages, and the requests tell the same as the bare door."""

    async def told(client: Client, proxy: Proxy, target: str) -> str:
        await client.use_proxy(proxy)
        with pytest.raises(ProxyFailed) as caught:
            await client.sign_in(f"https://{target}", "anna", "x", remember=False)
        host, _, port = target.partition(":")
        with pytest.raises(ProxyFailed) as at_the_door:
            await Door(proxy).open(host, int(port))
        assert at_the_door.value.data == caught.value.data
        transport = client._transport(f"https://{target}")
        transport._context = ssl.create_default_context()  # no look at the certificate before
        with pytest.raises(ProxyFailed) as in_a_request:
            await transport.sign_in("anna", "x", "test", "linux")
        await transport.close()
        assert in_a_request.value.data == caught.value.data
        for text in SENTENCES[f"error.proxyFailed.{caught.value.data['type']}"].values():
            assert "{" not in text.format_map(caught.value.data)
        return str(caught.value.data["type"])

    async def scenario() -> None:
        async with await Client.open(tmp_path, keychain=MemoryKeychain()) as client:
            async with proxy_server(kind, login=True) as proxy:
                assert await told(client, to(proxy, kind, password="wrong"), "oa.example:443") == "auth"
                assert await told(client, to(proxy, kind, login=""), "oa.example:443") == "auth"
                assert await told(client, to(proxy, kind), f"{REFUSED}:443") == "refused"
                assert await told(client, to(proxy, kind), "oa.example:1") == "target"
                gone = to(proxy, kind)
            assert await told(client, gone, "oa.example:443") == "unreachable"
            assert await told(client, Proxy(kind, "127.0.0.1", 0), "oa.example:443") == "address"
            async with proxy_server("socks5" if kind is ProxyKind.HTTP else "http") as other:
                assert await told(client, to(other, kind), "oa.example:443") == "protocol"

    asyncio.run(scenario())


@pytest.mark.parametrize("text", ["", "ftp://x:1", "http://:8080", "http://h:99999", "pac+http://x"])
def test_what_is_no_proxys_address(text: str) -> None:
    with pytest.raises(ProxyFailed):
        proxy_of(text)
