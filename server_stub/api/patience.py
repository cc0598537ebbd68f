"""uvicorn's HTTP protocol with an end to patience: a place in the crowd, a head that comes in time, a reader who reads.

Nobody has proved who he is before the head is read, and uvicorn itself waits for ever, for a head as for a reader, and keeps
whatever is sent.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from server_stub.accounts.refusals import Refused
from server_stub.api.bodies import BODY_EXTENSION, Body
from server_stub.api.crowd import Crowd, Entry
from server_stub.api.door import refusal_response

HEAD_S: Final = 20.0
LATE_S: Final = 5.0  # for a connection that is only waited for to be told that there is no room
MAX_HEAD: Final = 64 * 1024
STALL_S: Final = 120.0
STALL_LOOKS: Final = 4  # how often within the time a stalled connection is looked at
RETRY_AFTER_S: Final = 30


class ServerConfig(uvicorn.Config):
    """uvicorn's settings with ours: `crowd` (None: everybody may come), `stall_s` (seconds a response may wait for its reader)."""

    crowd: Crowd | None = None
    stall_s: float = STALL_S


class PatientHttpProtocol(HttpToolsProtocol):
    """Closes a connection for which there is no room (after a 503), whose first byte, or whose head from then on, takes longer
    than HEAD_S or is longer than MAX_HEAD, or whose peer takes nothing of a response for `stall_s`.
    """

    _head_timer: asyncio.TimerHandle | None = None
    _stall_timer: asyncio.TimerHandle | None = None
    _in_head = False
    _head_size = 0
    _late = False

    def __init__(self, config: uvicorn.Config, *args: Any, **options: Any) -> None:
        super().__init__(config, *args, **options)
        self._crowd: Crowd | None = getattr(config, "crowd", None)
        self._stall_s: float = getattr(config, "stall_s", STALL_S)
        self._unsent = 0
        self._looks = 0
        self._body: Body | None = None

    def connection_made(self, transport: Any) -> None:
        """uvicorn's, if there is room; the wait for the first head begins."""
        super().connection_made(transport)
        entry = Entry.IN
        if self._crowd is not None:
            entry = self._crowd.enter(transport, self.client[0] if self.client else "")
        self._late = entry is not Entry.IN
        if entry is Entry.OUT:
            transport.abort()
            return
        self._expect_head(LATE_S if self._late else HEAD_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn's; nothing is waited for any more."""
        self._stop_waiting()
        self._stop_stalling()
        if self._crowd is not None:
            self._crowd.leave(self.transport)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """uvicorn's, then the size of a head that still goes on."""
        if self._late:
            self._turn_away()
            return
        super().data_received(data)
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD and not self.transport.is_closing():
                self.send_400_response("The request's head is too long.")

    def handle_websocket_upgrade(self) -> None:
        """uvicorn's: from here on the connection is another protocol's, its place in the crowd as well."""
        self._stop_stalling()
        super().handle_websocket_upgrade()

    # ------------------------------------------------------------ the head

    def on_message_begin(self) -> None:
        """The parser's callback at the first byte of a request."""
        super().on_message_begin()
        self._in_head, self._head_size = True, 0
        if self._head_timer is None:
            self._expect_head(HEAD_S)

    def on_headers_complete(self) -> None:
        """The parser's callback at the end of a head."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()
        self._body = Body(self.cycle, self.flow, self.transport)
        scope: Any = self.scope  # the application's task has not run yet
        scope["extensions"] = {BODY_EXTENSION: self._body}

    def on_body(self, body: bytes) -> None:
        """The parser's callback for a piece of content."""
        taker = self._body
        if taker is None or not taker.begun or taker.cycle is not self.cycle or self.cycle.response_complete:
            super().on_body(body)
        else:
            taker.put(body)

    def _expect_head(self, seconds: float) -> None:
        self._head_timer = asyncio.get_running_loop().call_later(seconds, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        self.transport.abort()

    def _turn_away(self) -> None:
        if self.transport.is_closing():
            return
        response = refusal_response(Refused("busy", "too many connections", retry_after=RETRY_AFTER_S))
        head = b"".join(b"%b: %b\r\n" % pair for pair in response.raw_headers)
        self.transport.write(
            b"HTTP/1.1 503 Service Unavailable\r\n" + head + b"connection: close\r\n\r\n" + bytes(response.body)
        )
        self.transport.close()

    # ------------------------------------------------------------ the reader

    def pause_writing(self) -> None:
        """The transport holds more than it likes: from here on the peer has to take some of it."""
        super().pause_writing()
        self._stop_stalling()
        self._unsent, self._looks = self.transport.get_write_buffer_size(), 0
        self._watch_reader()

    def resume_writing(self) -> None:
        """The peer took what there was."""
        super().resume_writing()
        self._stop_stalling()

    def _watch_reader(self) -> None:
        loop = asyncio.get_running_loop()
        self._stall_timer = loop.call_later(self._stall_s / STALL_LOOKS, self._look_at_reader)

    def _look_at_reader(self) -> None:
        unsent = self.transport.get_write_buffer_size()
        self._looks = 0 if unsent < self._unsent else self._looks + 1
        self._unsent = unsent
        if self._looks >= STALL_LOOKS:
            self._stall_timer = None
            self.transport.abort()  # a close would wait for the very bytes that nobody takes
        else:
            self._watch_reader()

    def _stop_stalling(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
