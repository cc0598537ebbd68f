"""How long and how much the server takes from somebody who has proved nothing yet."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import msgspec
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message
from uvicorn.server import ServerState

from server_stub.accounts.refusals import Refused
from server_stub.api import auth, patience
from server_stub.api.patience import MAX_HEAD, PatientHttpProtocol

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(Starlette(routes=[Route("/", echo, methods=["POST"])]), lifespan="off", log_config=None)
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: PatientHttpProtocol(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield reader, writer
    finally:
        writer.close()
        server.close()


def run(talk: Talk, monkeypatch: pytest.MonkeyPatch, head_s: float = 0.3) -> None:
    monkeypatch.setattr(patience, "HEAD_S", head_s)

    async def test() -> None:
        async with asyncio.timeout(30), connected() as (reader, writer):
            await talk(reader, writer)

    asyncio.run(test())


async def ends(reader: asyncio.StreamReader) -> bytes:
    """What still came before the server closed."""
    try:
        return await reader.read()
    except ConnectionError:
        return b""


def test_who_says_nothing_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await ends(reader) == b""

    run(talk, monkeypatch)


def test_a_head_that_trickles_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended = asyncio.ensure_future(ends(reader))
        writer.write(HEAD)
        while not ended.done():
            writer.write(b"X: y\r\n")
            await asyncio.wait([ended], timeout=0.05)
        assert ended.result() == b""

    run(talk, monkeypatch)


def test_a_head_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD)
        for _ in range(MAX_HEAD // 1000 + 2):
            writer.write(b"X: " + b"y" * 1000 + b"\r\n")
        assert (await ends(reader))[:12] in (b"", b"HTTP/1.1 400")

    run(talk, monkeypatch, head_s=60)


def test_a_slow_body_and_a_pause_between_requests_are_nobodys_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(HEAD + b"\r\n")
            for byte in b"slow":
                await asyncio.sleep(0.15)
                writer.write(bytes((byte,)))
            answer = await reader.readuntil(b"slow")
            assert answer.startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.4)

    run(talk, monkeypatch)


def test_a_sign_in_whose_body_does_not_come_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth, "BODY_S", 0.1)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def test() -> None:
        request = Request({"type": "http", "method": "POST", "headers": []}, receive)
        async with asyncio.timeout(10):
            with pytest.raises(Refused, match="badRequest"):
                await auth.read_json(request, msgspec.Struct)

    asyncio.run(test())
