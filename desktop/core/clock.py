"""Time as a port: the only place of the client that reads a clock. Wall time in milliseconds since 1970 UTC."""

import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What the drivers ask for the time; tests bring their own."""

    def now_ms(self) -> int:
        """Wall time, milliseconds since 1970-01-01 UTC. May jump either way."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backward; no meaning but differences."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


def utc_date(ms: int) -> str:
    """RFC 8620 §1.4 UTCDate with milliseconds, from milliseconds since 1970."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def parse_utc_date(text: str) -> int:
    """Milliseconds since 1970 of a UTCDate.

    Raises:
        ValueError: the text is no date-time with a zone.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("date-time without a zone")
    return round(moment.timestamp() * 1000)


def local_minutes(ms: int) -> int:
    """Minutes by which this machine's local time is ahead of UTC at a moment (ms since 1970)."""
    offset = datetime.fromtimestamp(ms / 1000, UTC).astimezone().utcoffset()
    return 0 if offset is None else round(offset.total_seconds() / 60)
