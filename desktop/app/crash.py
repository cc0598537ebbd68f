"""The last border: an exception nobody expected is logged once with its stack and shown as "internal error + id"."""

import asyncio
import logging
import secrets
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

log = logging.getLogger("tongban.crash")


class CrashBorder:
    """Catches what reached the top on any thread or loop. `present` is called with the id, on the thread it happened on."""

    def __init__(
        self,
        present: Callable[[str], None],
        note: Callable[[type[BaseException], TracebackType | None], object] = lambda _kind, _trace: None,
    ) -> None:
        """`note`: keeps for the next start where it broke."""
        self._present, self._note = present, note
        self._before: Callable[..., Any] | None = None
        self._thread_before: Callable[..., Any] | None = None
        self.last_id: str | None = None

    def install(self) -> None:
        """Takes over sys.excepthook and threading.excepthook."""
        self._before, self._thread_before = sys.excepthook, threading.excepthook
        sys.excepthook = self.on_exception
        threading.excepthook = lambda args: self.on_exception(
            args.exc_type, args.exc_value or args.exc_type(), args.exc_traceback
        )

    def remove(self) -> None:
        """Puts back what was there."""
        if self._before is not None and self._thread_before is not None:
            sys.excepthook, threading.excepthook = self._before, self._thread_before

    def on_exception(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Logs once, shows the id."""
        if issubclass(kind, KeyboardInterrupt | SystemExit | asyncio.CancelledError):
            return
        crash_id = secrets.token_hex(4)
        self.last_id = crash_id
        log.critical("internal error %s", crash_id, exc_info=(kind, error, trace))
        self._note(kind, trace)
        self._present(crash_id)

    def on_loop_exception(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """An asyncio loop's exception handler."""
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.on_exception(type(error), error, error.__traceback__)
        else:
            log.error("event loop: %s", context.get("message"))
