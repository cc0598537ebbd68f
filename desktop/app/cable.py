"""A cable that can be cut: a TCP proxy on loopback between client and backend, for the tour. TLS goes through untouched."""

import asyncio
import contextlib


class Cable:
    """Passes bytes both ways until it is cut; mending it takes connections again on the same port."""

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()

    async def lay(self) -> int:
        """Begins to listen; the port."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def cut(self) -> None:
        """Drops every connection and takes no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._open):
            writer.transport.abort()

    async def mend(self) -> None:
        """Takes connections again."""
        await self.lay()

    async def close(self) -> None:
        """The end; returns when every connection has ended by itself."""
        await self.cut()
        for _ in range(200):
            if not self._open:
                return
            await asyncio.sleep(0.01)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            self._open.discard(writer)
            return
        self._open.add(far_writer)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(reader, far_writer), name="up")
                group.create_task(_pass_on(far_reader, writer), name="down")
        finally:
            for end in (writer, far_writer):
                end.close()
                self._open.discard(end)


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()
