"""How long and how much the server takes from somebody who has proved nothing yet."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message
from starlette.websockets import WebSocket
from uvicorn.server import ServerState
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from server_stub.accounts.refusals import Refused
from server_stub.api import auth, patience
from server_stub.api.blobs import PIECE
from server_stub.api.bodies import BODY_EXTENSION, MOST, Body, BodyState
from server_stub.api.crowd import MAX_LATE, Crowd, Entry
from server_stub.api.patience import MAX_HEAD, PatientHttpProtocol, ServerConfig
from server_stub.api.rawsocket import RawWebSocketProtocol

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


class Taking:
    """Takes a body by our own way, once it may; what came of it."""

    def __init__(self) -> None:
        self.got = b""
        self.state: BodyState | None = None
        self.may = asyncio.Event()
        self.ended = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        body: Body = request.scope["extensions"][BODY_EXTENSION]
        await asyncio.sleep(0)  # something of it came the usual way before
        body.begin()
        await self.may.wait()
        self.state = BodyState.OPEN
        while self.state is BodyState.OPEN:
            parts, self.state = await body.take(10)
            assert sum(map(len, parts)) < 2 * MOST  # the connection was not read on and on
            self.got += b"".join(parts)
        self.ended.set()
        return PlainTextResponse(str(len(self.got)))


ENDLESS = 64 * 1024 * 1024
"""More than any buffer between two ends of a connection holds."""


class Stream:
    """A long response; knows how it went."""

    def __init__(self) -> None:
        self.sent = 0
        self.ended = asyncio.Event()

    async def answer(self, request: Request) -> Response:
        return StreamingResponse(self._body(), headers={"content-length": str(ENDLESS)})

    async def _body(self) -> AsyncIterator[bytes]:
        try:
            while self.sent < ENDLESS:
                await asyncio.sleep(0)  # as a file is read: the next piece comes a little later
                self.sent += PIECE
                yield bytes(PIECE)
        finally:
            self.ended.set()


async def accept_socket(socket: WebSocket) -> None:
    await socket.accept()
    await socket.receive()


@asynccontextmanager
async def serving(stream: Stream | None = None, taking: Taking | None = None, **options: Any) -> AsyncIterator[int]:
    """The protocol with a small application; the port. `options` are attributes of the ServerConfig."""
    routes = [
        Route("/", echo, methods=["POST"]),
        Route("/stream", (stream or Stream()).answer),
        Route("/take", (taking or Taking()).answer, methods=["POST"]),
        WebSocketRoute("/ws", accept_socket),
    ]
    config = ServerConfig(Starlette(routes=routes), lifespan="off", log_config=None, ws=RawWebSocketProtocol)
    for name, value in options.items():
        setattr(config, name, value)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: PatientHttpProtocol(config=config, server_state=state, app_state={}), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        while state.connections or state.tasks:
            for connection in list(state.connections):
                connection.transport.abort()
            await asyncio.sleep(0.01)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def dial(port: int, **options: Any) -> AsyncIterator[Ends]:
    """A connection that is really gone at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **options)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def connected() -> AsyncIterator[Ends]:
    async with serving() as port, dial(port) as ends_:
        yield ends_


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


# ---------------------------------------------------------------- readers


def limited(scenario: Callable[[], Awaitable[None]]) -> None:
    async def test() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(test())


def test_a_reader_who_takes_nothing_is_cut_and_the_server_lets_go() -> None:
    async def scenario() -> None:
        stream = Stream()
        async with serving(stream, stall_s=0.4) as port, dial(port, limit=1024) as (_, writer):
            writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.ended.wait()
            assert stream.sent < ENDLESS

    limited(scenario)


def test_a_slow_reader_who_goes_on_reading_gets_it_all() -> None:
    async def scenario() -> None:
        async with serving(Stream(), stall_s=0.6) as port, dial(port, limit=1024) as (reader, writer):
            writer.write(b"GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            got, rests = 0, 0
            while got < ENDLESS:
                data = await reader.read(1 << 18)
                assert data, f"cut after {got} bytes"
                got += len(data)
                if (
                    got // (ENDLESS // 16) > rests
                ):  # 16 rests, in all five times what a reader who takes nothing is allowed
                    rests += 1
                    await asyncio.sleep(0.2)
            assert got == ENDLESS

    limited(scenario)


# ---------------------------------------------------------------- the crowd


def test_addresses_are_by_themselves_and_ipv6_networks_are_one() -> None:
    crowd = Crowd(most=5, most_of_address=2)
    assert [crowd.enter(number, "10.0.0.1") for number in range(3)] == [Entry.IN, Entry.IN, Entry.LATE]
    assert crowd.enter(0, "10.0.0.1") is Entry.IN  # it is in already
    assert crowd.enter(10, "::ffff:10.0.0.1") is Entry.LATE
    assert [crowd.enter(20 + number, f"2001:db8::{number}") for number in range(3)] == [Entry.IN, Entry.IN, Entry.LATE]
    assert crowd.enter(30, "2001:db8:0:1::1") is Entry.IN
    assert crowd.enter(40, "10.0.0.9") is Entry.LATE  # five are in
    for gone in (0, 0, 2):
        crowd.leave(gone)
    assert crowd.enter(50, "10.0.0.1") is Entry.IN


def test_who_is_told_that_there_is_no_room_has_an_end_too() -> None:
    crowd = Crowd(most=1, most_of_address=1)
    assert crowd.enter("in", "a") is Entry.IN
    assert {crowd.enter(number, f"b{number}") for number in range(MAX_LATE)} == {Entry.LATE}
    assert crowd.enter("out", "c") is Entry.OUT
    crowd.leave(0)
    assert crowd.enter("late", "c") is Entry.LATE


def test_one_connection_too_many_gets_a_clear_answer_and_room_comes_back() -> None:
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        writer.write(request)
        return int((await reader.readuntil(b"\r\n\r\n")).split()[1])

    async def scenario() -> None:
        async with serving(crowd=Crowd(most=9, most_of_address=3)) as port, dial(port) as one, dial(port) as two:
            async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None):
                assert [await ask(*one), await ask(*two)] == [200, 200]
                async with dial(port) as (reader, writer):
                    writer.write(request)
                    head, _, body = (await ends(reader)).partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 503 ")
                assert b"retry-after: 30" in head
                assert json.loads(body)["type"] == "urn:tongban:error:busy"
                with pytest.raises(InvalidStatus) as refused:
                    async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None):
                        pass
                assert refused.value.response.status_code == 503
                assert [await ask(*one), await ask(*two)] == [200, 200]  # who is in stays in
            status = 503
            while status == 503:  # until the server has seen that the socket is gone
                async with dial(port) as newcomer:
                    status = await ask(*newcomer)
            assert status == 200

    limited(scenario)


def test_a_late_connection_that_says_nothing_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LATE_S", 0.1)

    async def scenario() -> None:
        async with serving(crowd=Crowd(most=1, most_of_address=1)) as port, dial(port), dial(port) as (reader, _):
            assert await ends(reader) == b""

    limited(scenario)


@pytest.mark.parametrize("size", [0, 5, 70_000, 5_000_000])
def test_a_body_taken_our_way_is_whole_and_the_connection_goes_on(size: int) -> None:
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]

    async def test() -> None:
        taking = Taking()
        async with asyncio.timeout(30), serving(taking=taking) as port, dial(port) as (reader, writer):
            head = b"POST /take HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % size
            writer.write(head)
            taking.may.set()
            assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
            taking.may.clear()
            writer.write(content)
            assert b" 200 OK" in await reader.readuntil(b"\r\n\r\n%d" % size)
            assert (taking.got == content, taking.state) == (True, BodyState.ENDED)
            writer.write(HEAD + b"\r\nwxyz")
            assert b"wxyz" in await reader.readuntil(b"wxyz")

    asyncio.run(test())


def test_a_body_that_breaks_off_is_told_with_what_came() -> None:
    async def test() -> None:
        taking = Taking()
        async with asyncio.timeout(30), serving(taking=taking) as port:
            async with dial(port) as (_, writer):
                writer.write(b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n" + bytes(1_500_000))
                await writer.drain()
                taking.may.set()
                while len(taking.got) < 1_000_000:
                    await asyncio.sleep(0.01)
            await taking.ended.wait()
            assert taking.state is BodyState.BROKEN
            assert 1_000_000 <= len(taking.got) <= 1_500_000

    asyncio.run(test())
