"""Dates and times as records hold them ("2026-11-22", "2026-11-22T08:30:00.000Z"), and days of a time zone given in minutes ahead of UTC. Pure."""

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import Final

import msgspec

from desktop.core.clock import parse_utc_date, utc_date

DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_DATE_LENGTH: Final = 10
_INSTANT_LENGTH: Final = 24


class Moment(msgspec.Struct, frozen=True):
    """A day with its bounds as instants [start, end), and the instant itself where it is one."""

    day: str
    start: str
    end: str
    instant: str | None = None


def is_date(text: str) -> bool:
    """Whether the text is a date without a time."""
    if len(text) != _DATE_LENGTH or text[4] != "-" or text[7] != "-":
        return False
    return (text[:4] + text[5:7] + text[8:]).isdecimal() and text.isascii()


def is_instant(text: str) -> bool:
    """Whether the text looks like a UTCDate."""
    return len(text) >= 20 and text[10] == "T" and text[-1] == "Z" and is_date(text[:10])


def instant(text: str) -> str:
    """A UTCDate with exactly three decimals, so that texts order like times; what is none comes back as it is."""
    if not is_instant(text) or (len(text) == _INSTANT_LENGTH and text[19] == "."):
        return text
    try:
        return utc_date(parse_utc_date(text))
    except (ValueError, OverflowError):
        return text


def day_of(ms: int, zone: int) -> str:
    """The local date at a moment."""
    return utc_date(ms + zone * _MINUTE_MS)[:_DATE_LENGTH]


def is_today(due_at: int, now: int, zone: int) -> bool:
    """Whether a date is over today: one without a time ends as its day does."""
    return day_of(due_at - 1, zone) == day_of(now, zone)


def day_start(day: str, zone: int) -> int:
    """When a local date begins, ms. Raises ValueError: no date."""
    begins = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return round(begins.timestamp() * 1000) - zone * _MINUTE_MS


def day_moment(day: str, zone: int) -> Moment:
    """A local date. Raises ValueError: no date."""
    start = day_start(day, zone)
    return Moment(day, utc_date(start), utc_date(start + DAY_MS))


def instant_moment(ms: int, zone: int) -> Moment:
    """A moment and its local date."""
    known = day_moment(day_of(ms, zone), zone)
    return msgspec.structs.replace(known, instant=utc_date(ms))


def moved(day: str, count: int, unit: str) -> str:
    """`day` moved by days (d), weeks (w), months (m) or years (y); the 31st becomes the last day of a shorter month. Raises ValueError: out of range."""
    begin = date.fromisoformat(day)
    try:
        if unit in ("d", "w"):
            return (begin + timedelta(days=count * (7 if unit == "w" else 1))).isoformat()
        months = begin.year * 12 + begin.month - 1 + count * (12 if unit == "y" else 1)
        year, month = months // 12, months % 12 + 1
        return date(year, month, min(begin.day, calendar.monthrange(year, month)[1])).isoformat()
    except (OverflowError, calendar.IllegalMonthError) as error:
        raise ValueError("date out of range") from error


def bounds_ms(value: object, zone: int) -> tuple[int, int] | None:
    """Beginning and end (ms) of what a date, datetime or span field holds: a date is its whole day, a datetime a point; None: nothing readable."""
    try:
        if isinstance(value, dict):
            return parse_utc_date(value["start"]), parse_utc_date(value["end"])
        if not isinstance(value, str):
            return None
        if is_date(value):
            start = day_start(value, zone)
            return start, start + DAY_MS
        at = parse_utc_date(value)
        return at, at
    except (ValueError, TypeError, KeyError, OverflowError):
        return None
