"""What people type, as wire values of a record's fields, and back as what they read: numbers, money, dates, times and spans in several forms.

Numbers are read alike in every country: a point before the decimals, commas or spaces between thousands; anything else is refused, never guessed.
Dates and times are local; on the wire a date is "2026-11-22", a time UTC. No words: relative days ("tomorrow") come in as a table.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from desktop.core.clock import parse_utc_date, utc_date

CENT = Decimal("0.01")
LARGEST = Decimal(10) ** 15
"""Doubles on the way hold whole numbers up to here exactly; nobody's odometer or budget is longer."""

_GROUPED = re.compile(r"[+-]?(\d{1,3}([, _]\d{3})+|\d+)?(\.\d*)?")
_DATE_FORMS = (
    re.compile(r"(?P<y>\d{4})[-/.年 ](?P<m>\d{1,2})[-/.月 ](?P<d>\d{1,2})日?"),  # not a text
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})"),
    re.compile(r"(?P<m>\d{1,2})[-/.月](?P<d>\d{1,2})[日号]?"),
    re.compile(r"(?P<d>\d{1,2})[日号]?"),
)
_STEP = re.compile(r"(?P<sign>[+-])(?P<n>\d{1,4})(?P<unit>[dwmy天日周月年]?)")
_TIME = re.compile(r"(?P<h>\d{1,2})([:.时点](?P<m>\d{1,2})?分?|(?P<half>点半))?")  # not a text
_TIGHT_TIME = re.compile(r"(?P<h>\d{2})(?P<m>\d{2})")
_UNITS = {"天": "d", "日": "d", "周": "w", "月": "m", "年": "y"}  # not a text
_ARROWS = re.compile(r"\s*(?:—+|–|~|至|到|\bto\b|→)\s*|\s+-+\s+|(?<=\d)-+(?=\d{1,2}:)")  # not a text


class Unreadable(ValueError):
    """What was typed is no value of the kind."""


def normal(text: str) -> str:
    """Full-width signs and digits as plain ones, blanks trimmed: what a Chinese keyboard makes of "12：30"."""
    return unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()


# ------------------------------------------------------------ numbers
def parse_decimal(text: str) -> Decimal:
    """A number as typed: "1,250.5", "-3", "１２".

    Raises:
        Unreadable: no number, thousands in the wrong places, or longer than a number can be.
    """
    plain = normal(text).lstrip("¥$€").strip()
    if not _GROUPED.fullmatch(plain) or not any(sign.isdigit() for sign in plain):
        raise Unreadable(text)
    try:
        value = Decimal(re.sub(r"[, _]", "", plain))
    except InvalidOperation:  # pragma: no cover - the pattern lets nothing else through
        raise Unreadable(text) from None
    if abs(value) >= LARGEST:
        raise Unreadable(text)
    return value


def parse_number(text: str, decimals: int | None = None) -> int | float:
    """A number value; whole ones come as int. `decimals` None allows six.

    Raises:
        Unreadable: no number, or more decimals than allowed.
    """
    value = parse_decimal(text)
    places = 6 if decimals is None else decimals
    if value != value.quantize(Decimal(1).scaleb(-places)):
        raise Unreadable(text)
    return int(value) if value == value.to_integral_value() else float(value)


def parse_money(text: str) -> str:
    """A money value: exactly two decimals.

    Raises:
        Unreadable: no number, or parts of a cent.
    """
    value = parse_decimal(text)
    if value != value.quantize(CENT):
        raise Unreadable(text)
    return str(value.quantize(CENT, ROUND_HALF_UP) + 0)  # + 0: no "-0.00"


def format_number(value: object, decimals: int | None = None) -> str:
    """12,345.6; with `decimals` that many."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    return f"{value:,}" if isinstance(value, int) or not float(value).is_integer() else f"{int(value):,}"


def format_money(value: object) -> str:
    """1,250.00; the empty text for what is no money."""
    try:
        return f"{Decimal(str(value)).quantize(CENT):,}" if isinstance(value, str | int | float) else ""
    except InvalidOperation:
        return ""


# ------------------------------------------------------------ dates and times
def local_date(ms: int) -> date:
    """The local day of a moment."""
    return datetime.fromtimestamp(ms / 1000).astimezone().date()


def local_ms(day: date, hour: int = 0, minute: int = 0) -> int:
    """The moment of a local day and time."""
    return round(datetime(day.year, day.month, day.day, hour, minute).astimezone().timestamp() * 1000)


def _safe_date(year: int, month: int, day: int, text: str) -> date:
    try:
        return date(year, month, day)
    except ValueError:
        raise Unreadable(text) from None


def step_date(day: date, count: int, unit: str) -> date:
    """A day so many days, weeks, months or years further; the last day of the month where that one has fewer.

    Raises:
        Unreadable: outside of the calendar.
    """
    try:
        match unit:
            case "w":
                return day + timedelta(weeks=count)
            case "m" | "y":
                month = day.year * 12 + day.month - 1 + count * (12 if unit == "y" else 1)
                first = date(month // 12, month % 12 + 1, 1)
                following = date((month + 1) // 12, (month + 1) % 12 + 1, 1)
                return first.replace(day=min(day.day, (following - timedelta(days=1)).day))
            case _:
                return day + timedelta(days=count)
    except (ValueError, OverflowError):
        raise Unreadable(f"{count}{unit}") from None


def parse_date(text: str, today: date, words: Mapping[str, int] | None = None) -> date:
    """A day: "2026-11-22", "2026/11/22", "20261122", "2026年11月22日", "11-22", "22", "+3", "+2w", or a word of `words` (days from today).

    Raises:
        Unreadable: none of these, or no day of the calendar.
    """
    plain = normal(text).casefold()
    if words and plain in words:
        return today + timedelta(days=words[plain])
    step = _STEP.fullmatch(plain)
    if step:
        unit = _UNITS.get(step["unit"], step["unit"])
        return step_date(today, int(step["sign"] + step["n"]), unit)
    for form in _DATE_FORMS:
        found = form.fullmatch(plain)
        if found:
            parts = found.groupdict()
            year, month = int(parts.get("y") or today.year), int(parts.get("m") or today.month)
            return _safe_date(year, month, int(parts["d"]), text)
    raise Unreadable(text)


def parse_clock(text: str) -> tuple[int, int]:
    """(hour, minute): "9:30", "0930", "9", "9点半", "14时05分".

    Raises:
        Unreadable: no time of day.
    """
    plain = normal(text)
    found = _TIGHT_TIME.fullmatch(plain) or _TIME.fullmatch(plain)
    if not found:
        raise Unreadable(text)
    parts = found.groupdict()
    hour, minute = int(parts["h"]), 30 if parts.get("half") else int(parts.get("m") or 0)
    if hour > 23 or minute > 59:
        raise Unreadable(text)
    return hour, minute


def parse_moment(text: str, today: date, words: Mapping[str, int] | None = None, *, base: date | None = None) -> int:
    """A moment in ms: a day, a time, or both with a blank between; a day alone is its start, a time alone is on `base` or today.

    Raises:
        Unreadable: neither.
    """
    plain = normal(text)
    day_text, blank, time_text = plain.rpartition(" ")
    if blank:
        return local_ms(parse_date(day_text, today, words), *parse_clock(time_text))
    if "t" in plain.casefold() and plain[:4].isdigit():
        day_text, _, time_text = plain.upper().partition("T")
        return local_ms(parse_date(day_text, today, words), *parse_clock(time_text[:5]))
    if re.search(r"[:时点]", plain):  # not a text
        return local_ms(base or today, *parse_clock(plain))
    return local_ms(parse_date(plain, today, words))


def parse_span(text: str, today: date, words: Mapping[str, int] | None = None) -> tuple[int, int]:
    """(start, end) in ms: "10-22 10:00 — 12:00", "9:00-11:30", "2026-10-22 10:00 ~ 2026-10-23 12:00"; two days alone mean the whole of both.

    Raises:
        Unreadable: no two moments, or the end is not after the start.
    """
    parts = [part for part in _ARROWS.split(normal(text)) if part]
    if len(parts) != 2:
        raise Unreadable(text)
    start = parse_moment(parts[0], today, words)
    end = parse_moment(parts[1], today, words, base=local_date(start))
    if not re.search(r"[:时点]", parts[1]):  # not a text
        end = local_ms(local_date(end) + timedelta(days=1))
    if end <= start:
        raise Unreadable(text)
    return start, end


def span_value(start: int, end: int) -> dict[str, str]:
    """A span on the wire."""
    return {"start": utc_date(start), "end": utc_date(end)}


def moment_of(value: object) -> int | None:
    """ms of a date (its local start) or a UTC time of the wire; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        return local_ms(date.fromisoformat(value)) if len(value) == 10 else parse_utc_date(value)
    except (ValueError, OverflowError):
        return None


def span_of(value: object) -> tuple[int, int] | None:
    """(start, end) in ms of a span of the wire; None for anything else."""
    if not isinstance(value, dict):
        return None
    start, end = moment_of(value.get("start")), moment_of(value.get("end"))
    return (start, end) if start is not None and end is not None else None


def format_span(start: int, end: int) -> str:
    """2026-10-22 10:00 — 12:00; both days where they differ; days alone where it is whole days."""
    first, last = _local(start), _local(end)
    whole = (first.hour, first.minute, last.hour, last.minute) == (0, 0, 0, 0)
    if whole:
        final = (last - timedelta(days=1)).date()
        return f"{first:%Y-%m-%d}" if final == first.date() else f"{first:%Y-%m-%d} — {final:%Y-%m-%d}"
    tail = f"{last:%H:%M}" if first.date() == last.date() else f"{last:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} — {tail}"


def format_moment(ms: int) -> str:
    """2026-10-22 10:00."""
    return f"{_local(ms):%Y-%m-%d %H:%M}"


def _local(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone()
