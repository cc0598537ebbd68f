"""The system's proxy where the system reads scripts: what Qt answers becomes an address, and the door asks whoever it is given."""

import asyncio

import pytest
from PySide6.QtNetwork import QNetworkProxy, QNetworkProxyQuery

from desktop.core.errors import ProxyFailed
from desktop.core.net.proxy import DIRECT, Door, Proxy, ProxyKind, choose, proxy_of
from desktop.platform.system_proxy import system_proxy

Kind = QNetworkProxy.ProxyType
PLAIN = QNetworkProxy(Kind.NoProxy)


@pytest.mark.parametrize(
    ("answers", "address"),
    [
        ([QNetworkProxy(Kind.HttpProxy, "10.1.2.3", 3128), PLAIN], "http://10.1.2.3:3128"),
        ([QNetworkProxy(Kind.FtpCachingProxy, "ftp.example", 21), QNetworkProxy(Kind.Socks5Proxy, "s.example", 1080)], "socks5://s.example:1080"),
        ([PLAIN, QNetworkProxy(Kind.HttpProxy, "10.1.2.3", 3128)], None),
        ([QNetworkProxy(Kind.HttpCachingProxy, "fd00::1", 8080)], "http://[fd00::1]:8080"),
        ([QNetworkProxy(Kind.HttpProxy, "", 0)], None),
        ([], None),
    ],
)  # fmt: skip
def test_the_first_answer_that_is_of_use(answers: list[QNetworkProxy], address: str | None) -> None:
    asked: list[str] = []

    def ask(query: QNetworkProxyQuery) -> list[QNetworkProxy]:
        asked.append(query.url().toString())
        return answers

    assert system_proxy("oa.example", 8460, ask) == address
    assert system_proxy("fd00::2", 443, ask) == address
    assert asked == ["https://oa.example:8460/", "https://[fd00::2]:443/"]
    if address is not None:
        assert proxy_of(address).port in (3128, 1080, 8080)


def test_the_door_asks_the_system_off_the_loop_and_never_for_this_machine() -> None:
    asked: list[tuple[str, int]] = []

    def system(host: str, port: int) -> str | None:
        asked.append((host, port))
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()  # a script that is fetched must not stop the loop
        return "http://10.9.9.9:3128" if host == "oa.example" else None

    door = Door(Proxy(ProxyKind.SYSTEM), system)

    async def scene() -> None:
        assert await door._choose("oa.example", 443) == Proxy(ProxyKind.HTTP, "10.9.9.9", 3128)
        assert await door._choose("inside.example", 443) is None
        assert await door._choose("localhost", 443) is None

    asyncio.run(scene())
    assert asked == [("oa.example", 443), ("inside.example", 443)]
    assert choose(DIRECT, "oa.example", 443, system) is None
    with pytest.raises(ProxyFailed):
        choose(Proxy(ProxyKind.SYSTEM), "oa.example", 443, lambda _host, _port: "gopher://x")
