"""The way to the server: straight, by the system's proxy, an HTTP proxy (CONNECT, RFC 9110 §9.3.6) or SOCKS5 (RFC 1928, 1929).

One door for requests, the push socket and the look at a certificate. Names are resolved by the proxy. The proxy sees TLS only.
"""

import asyncio
import base64
import ipaddress
import socket
import struct
from collections.abc import Awaitable, Callable, Generator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import msgspec

from desktop.core.errors import ProxyFailed

if TYPE_CHECKING:
    import httpcore

CONNECT_LIMIT: Final = 10.0
_MAX_ANSWER: Final = 16 * 1024
_PORTS: Final = {"http": 8080, "socks5": 1080}
_MOST_SOCKS: Final = 255  # bytes of a name, a login, a password
_PROXY_AUTH: Final = 407
_SOCKS_REFUSED: Final = 2  # RFC 1928 §6: not allowed by ruleset


class ProxyKind(StrEnum):
    """How the user wants to reach the server."""

    NONE = "none"
    SYSTEM = "system"
    HTTP = "http"
    SOCKS5 = "socks5"


class Proxy(msgspec.Struct, frozen=True):
    """A choice. `host` to `password` are for HTTP and SOCKS5."""

    kind: ProxyKind = ProxyKind.NONE
    host: str = ""
    port: int = 0
    login: str = ""
    password: str = ""

    @property
    def shown(self) -> str:
        """`host:port`, without the secrets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


DIRECT: Final = Proxy()


def proxy_of(text: str) -> Proxy:
    """The proxy an address names (`http://login:password@host:port`, `socks5://host`); a bare `host:port` is an HTTP one.

    Raises:
        ProxyFailed: not such an address.
    """
    parts = urlsplit(text.strip() if "://" in text else f"http://{text.strip()}")
    kind = "socks5" if parts.scheme in ("socks5", "socks5h", "socks") else parts.scheme
    try:
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ProxyFailed(type="address", proxy="") from error
    if not host or kind not in _PORTS:
        raise ProxyFailed(type="address", proxy=host or "")
    login, password = unquote(parts.username or ""), unquote(parts.password or "")
    return Proxy(ProxyKind(kind), host, port or _PORTS[kind], login, password)


SystemProxy = Callable[[str, int], str | None]
"""Asks the system for the way to (host, port): the address of a proxy, None for the straight way. May block for seconds."""


def read_settings(host: str, port: int) -> str | None:
    """What environment variables and the system's plain settings say; configuration scripts (PAC) are not read."""
    from urllib.request import getproxies, proxy_bypass  # with the first connection: it loads e-mail and HTTP

    known = getproxies()
    address = known.get("https") or known.get("all")
    return None if not address or proxy_bypass(f"{host}:{port}") else address


def choose(wanted: Proxy, host: str, port: int, system: SystemProxy = read_settings) -> Proxy | None:
    """The proxy for one server, None for the straight way. The system's is never asked for this machine itself.

    Raises:
        ProxyFailed: the choice is not complete, or the system names something that is no proxy.
    """
    match wanted.kind:
        case ProxyKind.NONE:
            return None
        case ProxyKind.SYSTEM:
            address = None if _is_here(host) else system(host, port)
            return None if address is None else proxy_of(address)
        case _:
            if not wanted.host or not 0 < wanted.port < 1 << 16:
                raise ProxyFailed(type="address", proxy=wanted.host)
            return wanted


def _is_here(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


# ------------------------------------------------------------ what is said to the proxy
Talk = Generator[bytes, bytes, None]
"""Yields what to send (maybe nothing), is sent what came; ends when the way is open, raises ProxyFailed."""


def _talk(proxy: Proxy, host: str, port: int) -> Talk:
    return _connect(proxy, host, port) if proxy.kind is ProxyKind.HTTP else _socks(proxy, host, port)


def _connect(proxy: Proxy, host: str, port: int) -> Talk:
    target = f"[{host}]:{port}" if ":" in host else f"{_ascii(host)}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if proxy.login:
        secret = base64.b64encode(f"{proxy.login}:{proxy.password}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {secret}")
    answer = yield ("\r\n".join(lines) + "\r\n\r\n").encode()
    while b"\r\n\r\n" not in answer:
        if len(answer) > _MAX_ANSWER:
            raise ProxyFailed(type="protocol", proxy=proxy.shown)
        answer += yield b""
    words = answer.split(b"\r\n", 1)[0].split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1.") or not words[1].isdigit():
        raise ProxyFailed(type="protocol", proxy=proxy.shown)
    status = int(words[1][:3])
    if 200 <= status < 300:
        return
    kind = "auth" if status == _PROXY_AUTH else "target" if status >= 500 else "refused"
    raise ProxyFailed(type=kind, proxy=proxy.shown, status=status)


def _socks(proxy: Proxy, host: str, port: int) -> Talk:
    login, password = proxy.login.encode(), proxy.password.encode()
    if len(login) > _MOST_SOCKS or len(password) > _MOST_SOCKS:
        raise ProxyFailed(type="auth", proxy=proxy.shown)
    ways = b"\x00\x02" if login else b"\x00"
    came = yield from _exactly(2, b"\x05" + bytes([len(ways)]) + ways)
    if came[0] != 5:
        raise ProxyFailed(type="protocol", proxy=proxy.shown)
    if came[1] == 2 and login:
        sub = b"\x01" + bytes([len(login)]) + login + bytes([len(password)]) + password
        came = yield from _exactly(2, sub)
        if came[1] != 0:
            raise ProxyFailed(type="auth", proxy=proxy.shown)
    elif came[1] != 0:
        raise ProxyFailed(type="auth", proxy=proxy.shown)
    came = yield from _exactly(5, b"\x05\x01\x00" + _socks_address(host) + struct.pack("!H", port))
    if came[1] != 0:
        kind = "refused" if came[1] == _SOCKS_REFUSED else "target"
        raise ProxyFailed(type=kind, proxy=proxy.shown, status=came[1])
    rest = {1: 4 + 2 - 1, 4: 16 + 2 - 1, 3: came[4] + 2}.get(came[3])
    if rest is None:
        raise ProxyFailed(type="protocol", proxy=proxy.shown)
    yield from _exactly(rest)


def _exactly(count: int, say: bytes = b"") -> Generator[bytes, bytes, bytes]:
    """Says something and takes exactly so many bytes: what is asked of the proxy is one byte at a time, for what follows is not ours."""
    came = b""
    while len(came) < count:
        came += yield say
        say = b""
    return came


def _socks_address(host: str) -> bytes:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = _ascii(host).encode()
        return b"\x03" + bytes([len(name)]) + name
    return (b"\x01" if address.version == 4 else b"\x04") + address.packed


def _ascii(host: str) -> str:
    try:
        name = host.encode("idna").decode()
    except UnicodeError as error:
        raise ProxyFailed(type="target", proxy=host) from error
    return name


async def _hold(
    talk: Talk, proxy: Proxy, send: Callable[[bytes], Awaitable[object]], receive: Callable[[], Awaitable[bytes]]
) -> None:
    """Carries the talk over a connection. Who hangs up or says nothing is no such proxy."""
    try:
        async with asyncio.timeout(CONNECT_LIMIT):
            say = next(talk)
            while True:
                if say:
                    await send(say)
                came = await receive()
                if not came:
                    raise ProxyFailed(type="protocol", proxy=proxy.shown)
                say = talk.send(came)
    except StopIteration:
        return
    except (OSError, TimeoutError) as error:
        raise ProxyFailed(type="protocol", proxy=proxy.shown) from error


# ------------------------------------------------------------ the door
class Door:
    """Opens connections. `proxy` may change at any time; what is open stays as it is. `system` answers where it is the system's."""

    def __init__(self, proxy: Proxy = DIRECT, system: SystemProxy = read_settings) -> None:
        self.proxy, self._system = proxy, system

    async def open(self, host: str, port: int) -> socket.socket | None:
        """A connected socket behind the proxy that the server's TLS can begin on; None when the straight way is meant.

        Raises:
            ProxyFailed: with `type` unreachable, auth, refused, target, protocol or address.
        """
        proxy = await self._choose(host, port)
        if proxy is None:
            return None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_LIMIT):
                sock = await _reach(proxy)
        except (OSError, TimeoutError) as error:
            raise ProxyFailed(type="unreachable", proxy=proxy.shown) from error
        talk = _talk(proxy, host, port)
        try:
            await _hold(talk, proxy, lambda data: loop.sock_sendall(sock, data), lambda: loop.sock_recv(sock, 1))
        except BaseException:
            sock.close()
            raise
        return sock

    async def way(self, host: str, port: int) -> Proxy | None:
        """The proxy that is taken to a server; None: the straight way. Raises ProxyFailed."""
        return await self._choose(host, port)

    async def _choose(self, host: str, port: int) -> Proxy | None:
        if self.proxy.kind is ProxyKind.SYSTEM:  # may ask a registry or resolve a name
            return await asyncio.to_thread(choose, self.proxy, host, port, self._system)
        return choose(self.proxy, host, port)

    def backend(self) -> "httpcore.AsyncNetworkBackend":
        """The same door for httpcore."""
        import httpcore

        inner = httpcore.AnyIOBackend()
        door = self

        class Backend(httpcore.AsyncNetworkBackend):
            async def connect_tcp(
                self,
                host: str,
                port: int,
                timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
                local_address: str | None = None,
                socket_options: Any = None,
            ) -> httpcore.AsyncNetworkStream:
                proxy = await door._choose(host, port)
                if proxy is None:
                    return await inner.connect_tcp(host, port, timeout, local_address, socket_options)
                try:
                    stream = await inner.connect_tcp(proxy.host, proxy.port, timeout, local_address, socket_options)
                except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                    raise ProxyFailed(type="unreachable", proxy=proxy.shown) from error
                try:
                    talk = _talk(proxy, host, port)
                    await _hold(talk, proxy, stream.write, lambda: stream.read(1))
                except httpcore.NetworkError as error:
                    await stream.aclose()
                    raise ProxyFailed(type="protocol", proxy=proxy.shown) from error
                except BaseException:
                    await stream.aclose()
                    raise
                return stream

            async def sleep(self, seconds: float) -> None:
                await inner.sleep(seconds)

        return Backend()


async def _reach(proxy: Proxy) -> socket.socket:
    """A socket to the proxy, by the first of its addresses that answers. Raises OSError."""
    loop = asyncio.get_running_loop()
    problem: OSError = OSError("no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        sock.setblocking(False)
        try:
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            problem = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise problem
