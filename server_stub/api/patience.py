"""uvicorn's HTTP protocol with an end to patience: a request's head must come in time and be of a sane size.

Nobody has proved who he is before the head is read, and uvicorn itself waits for ever and keeps whatever is sent.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_S: Final = 20.0
MAX_HEAD: Final = 64 * 1024


class PatientHttpProtocol(HttpToolsProtocol):
    """Closes a connection whose first byte, or whose head from then on, takes longer than HEAD_S or is longer than MAX_HEAD."""

    _head_timer: asyncio.TimerHandle | None = None
    _in_head = False
    _head_size = 0

    def connection_made(self, transport: Any) -> None:
        """uvicorn's; the wait for the first head begins."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """uvicorn's; nothing is waited for any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """uvicorn's, then the size of a head that still goes on."""
        super().data_received(data)
        if self._in_head:
            self._head_size += len(data)
            if self._head_size > MAX_HEAD and not self.transport.is_closing():
                self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        """The parser's callback at the first byte of a request."""
        super().on_message_begin()
        self._in_head, self._head_size = True, 0
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        """The parser's callback at the end of a head."""
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_timer = asyncio.get_running_loop().call_later(HEAD_S, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        self._head_timer = None
        self.transport.abort()
