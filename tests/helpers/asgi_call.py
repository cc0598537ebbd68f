"""Calls an ASGI application by hand: bodies in pieces, disconnects in the middle, requests that hold still. For tests only."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message

DISCONNECT = object()


@dataclass
class Answer:
    """A response."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def code(self) -> str:
        """The code of problem details."""
        return str(json.loads(self.body)["type"]).removeprefix("urn:tongban:error:")


async def call(
    app: ASGIApp,
    method: str,
    path: str,
    headers: dict[str, str] | None = None,
    body: bytes | Iterable[object] | AsyncIterator[object] = b"",
) -> Answer:
    """One request. The body may be pieces; DISCONNECT among them ends the connection there."""
    answer = Answer()
    pieces = _pieces(body)
    ended = asyncio.Event()

    async def receive() -> Message:
        try:
            piece = await anext(pieces)
        except StopAsyncIteration:
            await ended.wait()
            return {"type": "http.disconnect"}
        if piece is DISCONNECT:
            ended.set()
            return {"type": "http.disconnect"}
        data, more = piece
        return {"type": "http.request", "body": data, "more_body": more}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            answer.body += message.get("body", b"")
            if not message.get("more_body"):
                ended.set()

    path, _, query = path.partition("?")
    scope: dict[str, Any] = {
        "type": "http",
        "http_version": "1.1",
        "asgi": {"version": "3.0"},
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": ("10.0.0.1", 5000),
        "server": ("h", 443),
        "extensions": {},
    }
    await app(scope, receive, send)
    return answer


async def _pieces(body: bytes | Iterable[object] | AsyncIterator[object]) -> AsyncIterator[Any]:
    if isinstance(body, bytes):
        yield body, False
        return
    if isinstance(body, AsyncIterator):
        async for piece in body:
            yield piece if piece is DISCONNECT else (piece, True)
            if piece is DISCONNECT:
                return
    else:
        for piece in body:
            yield piece if piece is DISCONNECT else (piece, True)
            if piece is DISCONNECT:
                return
    yield b"", False
