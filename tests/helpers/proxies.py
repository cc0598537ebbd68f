"""Real proxies for the tests on loopback: HTTP CONNECT and SOCKS5, with or without a login; each remembers where it was asked to go."""

import asyncio
import base64
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

LOGIN, PASSWORD = "wang", "geheim: 密"
REFUSED: Final = "forbidden.example"


class ProxyServer:
    """Everything it lets through goes to loopback: whoever asks for a name that only the proxy knows, must have asked the proxy."""

    def __init__(self, kind: str, *, login: bool = False) -> None:
        self._kind, self._login = kind, login
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self.asked: list[tuple[str, int]] = []
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._on_client, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Also cuts what runs through it."""
        assert self._server is not None
        self._server.close()
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
        await self._server.wait_closed()

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lines.add(task)
        try:
            target = await (self._http(reader, writer) if self._kind == "http" else self._socks(reader, writer))
            if target is not None:
                await self._carry(reader, writer, target)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            self._lines.discard(task)
            writer.close()
            writer.transport.abort()

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int | None:
        first = await reader.readexactly(1)
        if not first.isalpha():
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            return None
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        assert method == "CONNECT"
        host, _, port = target.rpartition(":")
        wanted = "Basic " + base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()
        answer = "200 Connection established"
        if self._login and f"Proxy-Authorization: {wanted}" not in head:
            answer = "407 Proxy Authentication Required"
        elif host == REFUSED:
            answer = "403 Forbidden"
        elif int(port) == 1:
            answer = "502 Bad Gateway"
        writer.write(f"HTTP/1.1 {answer}\r\nVia: 1.1 test\r\n\r\n".encode())
        await writer.drain()
        self.asked.append((host, int(port)))
        return int(port) if answer.startswith("200") else None

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int | None:
        version, count = await reader.readexactly(2)
        assert version == 5
        ways = await reader.readexactly(count)
        way = 2 if self._login else 0
        writer.write(bytes([5, way if way in ways else 0xFF]))
        if way not in ways:
            await writer.drain()
            return None
        if way == 2:
            texts = []
            await reader.readexactly(1)
            for _ in range(2):
                texts.append((await reader.readexactly((await reader.readexactly(1))[0])).decode())
            good = texts == [LOGIN, PASSWORD]
            writer.write(bytes([1, 0 if good else 1]))
            if not good:
                await writer.drain()
                return None
        *_, kind = await reader.readexactly(4)
        size = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        raw = await reader.readexactly(size)
        (port,) = struct.unpack("!H", await reader.readexactly(2))
        host = raw.decode() if kind == 3 else ".".join(map(str, raw))
        answer = 2 if host == REFUSED else 5 if port == 1 else 0
        writer.write(bytes([5, answer, 0, 3, 4]) + b"here" + bytes(2))
        await writer.drain()
        self.asked.append((host, port))
        return port if answer == 0 else None

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, back), name="there")
                group.create_task(_pump(there, writer), name="back")
        finally:
            back.close()
            back.transport.abort()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


@asynccontextmanager
async def proxy_server(kind: str, *, login: bool = False) -> AsyncIterator[ProxyServer]:
    server = ProxyServer(kind, login=login)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
