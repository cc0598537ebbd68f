"""A network cable between one client and a server on loopback: forwards bytes until it is pulled; the same address works again when it is plugged in."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Cable:
    """Listens on a port of its own and passes everything on to another."""

    def __init__(self, to_port: int) -> None:
        self._to = to_port
        self._server: asyncio.Server | None = None
        self._lines: set[asyncio.Task[None]] = set()
        self.port = 0

    @property
    def address(self) -> str:
        """What the client signs in to."""
        return f"https://127.0.0.1:{self.port}"

    async def plug(self) -> None:
        """Connections get through from now on."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def pull(self) -> None:
        """Everything that runs over it ends, and nobody gets through."""
        if self._server is not None:
            self._server.close()
        lines = list(self._lines)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
            try:
                await asyncio.gather(_pass_on(reader, back), _pass_on(there, writer))
            finally:
                back.close()
        except (OSError, asyncio.CancelledError):
            return
        finally:
            self._lines.discard(line)
            writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def cable(to_port: int) -> AsyncIterator[Cable]:
    """One that is plugged in, and pulled at the end."""
    made = Cable(to_port)
    await made.plug()
    try:
        yield made
    finally:
        await made.pull()
