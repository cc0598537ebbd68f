"""The one place of the server that asks the system for the time; everything else takes a Clock, so that tests can move it."""

import datetime as dt
import time
from functools import lru_cache
from typing import Final, Protocol

UTC: Final = dt.UTC


class Clock(Protocol):
    """Tells the time of day in whole milliseconds since 1970-01-01T00:00:00Z."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


class FixedClock:
    """A clock that moves only when told to: for tests and for imports that lie in the past."""

    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        """The time it was set to, in milliseconds since the epoch."""
        return self.now

    def advance(self, ms: int) -> None:
        """Move forward (or back, with a negative number)."""
        self.now += ms


def utc_offset(ms: int) -> int:
    """Minutes by which this machine's local time is ahead of UTC at a moment: where the office is."""
    offset = dt.datetime.fromtimestamp(ms / 1000, UTC).astimezone().utcoffset()
    return 0 if offset is None else int(offset.total_seconds() // 60)


def format_utc(ms: int) -> str:
    """Milliseconds since the epoch as the wire's UTCDate: `2026-11-22T08:30:00.123Z`."""
    minute, rest = divmod(ms, 60_000)
    return f"{_minute(minute)}{rest // 1000:02d}.{rest % 1000:03d}Z"


@lru_cache(maxsize=1024)
def _minute(minute: int) -> str:
    """What neighbors in time share: hot path, objects come by the thousand."""
    return "%04d-%02d-%02dT%02d:%02d:" % time.gmtime(minute * 60)[:5]  # noqa: UP031 (twice as fast)


def parse_utc(text: str) -> int:
    """A UTCDate as milliseconds since the epoch.

    Raises:
        ValueError: `text` is no RFC 3339 time with an offset of zero.
    """
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None or moment.utcoffset() != dt.timedelta(0):
        raise ValueError("a UTCDate ends in Z")
    return (moment - dt.datetime(1970, 1, 1, tzinfo=UTC)) // dt.timedelta(milliseconds=1)
