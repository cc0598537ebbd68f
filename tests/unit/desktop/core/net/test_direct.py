"""One file from client to client: all of it, from anywhere, and nothing for whoever is not the one it is for."""

import asyncio
import random
import ssl
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from desktop.core.errors import BadFile, Offline
from desktop.core.net import direct
from desktop.core.net.direct import MAGIC, PIECE, DirectSource, Identity, connect_direct, make_identity, near_addresses

DATA = random.Random(3).randbytes(3 * PIECE + 1234)
TOKEN = bytes(range(32))
MINE, YOURS, STRANGER = make_identity(), make_identity(), make_identity()


@dataclass
class Scene:
    source: DirectSource
    where: list[tuple[str, int]]
    told: list[int]

    async def take(self, offset: int = 0, *, size: int = len(DATA)) -> bytes:
        line = await connect_direct(self.where, YOURS, MINE.certificate, TOKEN)
        try:
            return b"".join([part async for part in line.parts(offset, size)])
        finally:
            line.close()

    async def raw(self, identity: Identity | None = YOURS) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if identity is not None:
            identity.load_into(context)
        return await asyncio.open_connection(*self.where[0], ssl=context)


async def read_at(offset: int, length: int) -> bytes:
    return DATA[offset : offset + min(length, 100_000)]  # as a speed limit gives it


@asynccontextmanager
async def scene(read: Callable[[int, int], Awaitable[bytes]] = read_at) -> AsyncIterator[Scene]:
    told: list[int] = []
    source = DirectSource(read, len(DATA), told.append)
    try:
        where = source.open(["127.0.0.1"])
        await source.serve(MINE, YOURS.certificate, TOKEN)
        yield Scene(source, where, told)
    finally:
        await source.close()


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


def test_all_of_it_or_the_rest() -> None:
    async def test() -> None:
        async with scene() as here:
            assert await here.take() == DATA
            assert here.told[-1] == len(DATA)
            assert await here.take(PIECE + 7) == DATA[PIECE + 7 :]
            left = await connect_direct(here.where, YOURS, MINE.certificate, TOKEN)  # a line that hangs
            first = left.parts(0, len(DATA))
            await anext(first)
            assert await here.take() == DATA  # the newer one is the one that counts
            with pytest.raises(Offline):
                _ = [part async for part in first]
            left.close()
        with pytest.raises(Offline):  # nobody listens any more
            await here.take()
        assert await near_addresses("127.0.0.1", 1) == ["127.0.0.1"]

    run(test)


def test_nobody_answers_before_the_receiver_is_known() -> None:
    async def test() -> None:
        source = DirectSource(read_at, len(DATA), lambda _: None)
        where = source.open(["127.0.0.1"])
        taking = asyncio.ensure_future(connect_direct(where, YOURS, MINE.certificate, TOKEN))  # it may be early
        reader, writer = await asyncio.open_connection(*where[0])
        writer.write(b"anybody?")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.1)
        writer.transport.abort()
        await source.serve(MINE, YOURS.certificate, TOKEN)
        (await taking).close()
        await source.close()

    run(test)


async def _says_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether the other side hangs up without a byte."""
    try:
        return await reader.read(1) == b""
    except (OSError, ssl.SSLError):
        return True
    finally:
        writer.transport.abort()


def test_strangers_get_nothing_and_hold_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another certificate, none, another token, no TLS, garbage, too much asked for, silence: cut off; then the right one is served."""
    monkeypatch.setattr(direct, "HELLO_S", 0.3)

    async def test() -> None:
        async with scene() as here:
            for identity in (STRANGER, None):
                try:
                    reader, writer = await here.raw(identity)
                    writer.write(MAGIC + TOKEN + bytes(12))
                except (OSError, ssl.SSLError):
                    continue
                assert await _says_nothing(reader, writer)
            for said in (
                MAGIC + bytes(32),
                b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + bytes(40),
                MAGIC + TOKEN + (len(DATA)).to_bytes(8) + (1).to_bytes(4),
                MAGIC + TOKEN + bytes(8) + (PIECE + 1).to_bytes(4),
                MAGIC + TOKEN + b"\xff" * 12,
                MAGIC,  # and then silence
            ):
                reader, writer = await here.raw()
                writer.write(said)
                assert await _says_nothing(reader, writer)
            reader, writer = await asyncio.open_connection(*here.where[0])
            writer.write(b"no TLS at all" * 10)
            while await reader.read(1000):  # perhaps an alert
                pass
            writer.transport.abort()
            silent, slow = await asyncio.open_connection(*here.where[0])  # does not even begin TLS
            assert await here.take() == DATA
            assert await _says_nothing(silent, slow)

    run(test)


def test_after_too_many_strangers_nobody_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "MAX_STRANGERS", 2)

    async def test() -> None:
        async with scene() as here:
            for _ in range(2):
                reader, writer = await here.raw()
                writer.write(MAGIC + bytes(32))
                assert await _says_nothing(reader, writer)
            with pytest.raises(Offline):
                await here.take()

    run(test)


def test_the_sender_is_known_too() -> None:
    """Whoever took over its address has another certificate: he is told neither token nor wish; a changed file is cut off."""

    async def test() -> None:
        heard: list[bytes] = []

        async def other(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(100))
            writer.transport.abort()

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        STRANGER.load_into(context)
        server = await asyncio.start_server(other, "127.0.0.1", 0, ssl=context)
        where = [("127.0.0.1", int(server.sockets[0].getsockname()[1]))]
        with pytest.raises(Offline):
            await connect_direct(where, YOURS, MINE.certificate, TOKEN)
        server.close()
        await server.wait_closed()
        assert not any(heard)
        with pytest.raises(BadFile):
            await connect_direct(where, YOURS, b"no certificate", TOKEN)

        async def changed(offset: int, length: int) -> bytes:
            raise BadFile(reason="changed")

        async with scene(changed) as here:
            with pytest.raises(Offline):
                await here.take()

    run(test)


def test_a_key_is_never_left_on_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen: list[bytes] = []
    mkstemp = tempfile.mkstemp

    def noted(**options: str) -> tuple[int, str]:
        handle, name = mkstemp(**options)
        seen.append(name.encode())
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", noted)
    MINE.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    assert len(seen) == 1
    assert b"ENCRYPTED PRIVATE KEY" in MINE.pem
    assert list(tmp_path.iterdir()) == []
