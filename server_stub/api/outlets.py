"""The ways out of a socket, as push.Outlet wants them: straight into uvicorn's transport, or through ASGI's send by a task."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from server_stub.api.rawsocket import RawWebSocketProtocol
from server_stub.push.connection import LAGGING, TOO_SLOW
from server_stub.push.frames import Frame

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class AsgiOutlet:
    """A bounded queue and a task that feeds ASGI's send: for servers that offer nothing better."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[Frame | tuple[int, str]] = deque()
        self._waiting = 0
        self.behind = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._closing = False

    def send(self, frame: Frame) -> None:
        """Queue a frame."""
        if not self._closing:
            self._waiting += len(frame.wire)
            if self._waiting > LAGGING:
                self._room.clear()
                self.behind = True
            self._queue.append(frame)
            self._news.set()

    def backlog(self) -> int:
        """Bytes queued."""
        return self._waiting

    def close(self, code: int, reason: str) -> None:
        """Close after what is queued; at once when nobody takes it."""
        if not self._closing:
            self._closing = True
            if self._waiting > TOO_SLOW:
                self._queue.clear()
            self._queue.append((code, reason))
            self._news.set()

    async def drained(self) -> None:
        """Wait until less than LAGGING bytes are queued."""
        await self._room.wait()

    async def run(self) -> None:
        """Feed ASGI's send until the socket closes; runs in a task of the socket."""
        while True:
            while self._queue:
                item = self._queue.popleft()
                if isinstance(item, Frame):
                    await self._send({"type": "websocket.send", "text": item.text})
                    self._waiting -= len(item.wire)
                    if self._waiting <= LAGGING:
                        self._room.set()
                        self.behind = False
                else:
                    await self._send({"type": "websocket.close", "code": item[0], "reason": item[1]})
                    return
            self._news.clear()
            await self._news.wait()


class RawOutlet:
    """Straight into the transport: no task, no copy, no framing per receiver."""

    def __init__(self, protocol: RawWebSocketProtocol, send: Send) -> None:
        self._protocol = protocol
        self._asgi_send = send
        self._close: tuple[int, str] | None = None
        self._news = asyncio.Event()

    def send(self, frame: Frame) -> None:
        """Write a frame; dropped when the connection is not open."""
        protocol = self._protocol
        if self._close is None and not protocol.close_sent and not protocol.disconnected:
            protocol.transport.write(frame.wire)

    @property
    def behind(self) -> bool:
        """More than LAGGING bytes wait."""
        return self._protocol.behind

    def backlog(self) -> int:
        """Bytes in the transport's buffer."""
        return self._protocol.backlog()

    def close(self, code: int, reason: str) -> None:
        """Close after what was written; at once when nobody takes it."""
        if self._close is None:
            self._close = (code, reason)
            if self.backlog() > TOO_SLOW:
                self._protocol.abort()
            self._news.set()

    async def drained(self) -> None:
        """Wait until the transport takes more."""
        await self._protocol.drained()

    async def run(self) -> None:
        """Wait for close, then do it; runs in a task of the socket."""
        await self._news.wait()
        assert self._close is not None
        code, reason = self._close
        await self._asgi_send({"type": "websocket.close", "code": code, "reason": reason})
