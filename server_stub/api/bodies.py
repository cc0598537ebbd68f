"""The body of a request worth it (an upload whose sender was let in), as the parser gives it: woken once a megabyte, nothing copied twice.

uvicorn wakes the application for every 64 KiB and has it wait at each; here more may lie in memory, so this is for those who were admitted.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Any, Final

BODY_EXTENSION: Final = "tongban.body"
ENOUGH: Final = 1024 * 1024
"""Bytes that wake whoever waits."""
MOST: Final = 2 * ENOUGH
"""Bytes that lie in memory before the connection is no longer read."""


class BodyState(Enum):
    """Whether more is to come."""

    OPEN = auto()
    ENDED = auto()
    BROKEN = auto()


class Body:
    """One request's body; the protocol puts in (once it is begun), the application takes out. `cycle` and `flow` are uvicorn's."""

    def __init__(self, cycle: Any, flow: Any, transport: asyncio.Transport) -> None:
        self.cycle = cycle
        self.begun = False
        self._flow = flow
        self._transport = transport
        self._parts: list[bytes] = []
        self._size = 0

    def begin(self) -> None:
        """From here on the body comes this way; what has come already is the beginning of it."""
        self.begun = True
        if self.cycle.body:
            self.put(bytes(self.cycle.body))
            self.cycle.body = bytearray()

    def put(self, data: bytes) -> None:
        """The next bytes, from the parser."""
        self._parts.append(data)
        self._size += len(data)
        if self._size >= ENOUGH:
            self.cycle.message_event.set()
            if self._size >= MOST:
                self._flow.pause_reading()

    async def take(self, wait_s: float) -> tuple[list[bytes], BodyState]:
        """About a megabyte, in pieces; less at the end, and when `wait_s` seconds brought no more."""
        cycle = self.cycle
        if cycle.waiting_for_100_continue and not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            cycle.waiting_for_100_continue = False
        if self._size < ENOUGH and cycle.more_body and not cycle.disconnected:
            cycle.message_event.clear()
            self._flow.resume_reading()
            try:
                async with asyncio.timeout(wait_s):
                    await cycle.message_event.wait()
            except TimeoutError:
                pass
        parts, self._parts, self._size = self._parts, [], 0
        self._flow.resume_reading()
        if not cycle.more_body:
            return parts, BodyState.ENDED
        return parts, BodyState.BROKEN if cycle.disconnected else BodyState.OPEN
