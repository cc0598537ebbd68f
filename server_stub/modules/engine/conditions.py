"""Filters of office records (definition.Filter): one meaning for /query, `when`, `only`, to-dos and due dates. Pure.

Golden cases for server and client: resources/protocol/golden/filters.json. Values are compared by what they look like, since a filter knows no
field kinds: money ("1250.00") and numbers as numbers, a day with a moment by the reader's day, a span by its start, anything else as text.
"""

import calendar
import datetime as dt
import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from server_stub.clock import UTC, format_utc, parse_utc
from server_stub.records.handler import compile_filter
from server_stub.records.types import JsonObject

Test = Callable[[JsonObject], bool]

LATEST: Final = 253_402_300_800_000
"""The first millisecond of the year 10000: moments before it have texts of one length."""
ENVELOPE_TEXTS: Final = frozenset({"id", "authorId", "createdAt", "updatedAt", "version"})
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)
_MONEY: Final = re.compile(r"-?\d{1,18}\.\d\d\Z", re.ASCII)
_TODAY: Final = re.compile(r"@today(?:([+-]\d{1,4})([dwmy]))?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Standpoint:
    """Who asks, and when: what placeholders mean.

    Attributes:
        person_id: @me; empty: nobody.
        department_ids: @myDepartments.
        now: milliseconds since the epoch.
        offset: minutes by which local time is ahead of UTC.
    """

    person_id: str
    department_ids: tuple[str, ...]
    now: int
    offset: int

    def today(self) -> dt.date:
        """The local day."""
        return local_day(self.now, self.offset)

    def day_start(self, day: dt.date) -> str:
        """The first moment of a local day, as a UTCDate."""
        return format_utc(day_start(day, self.offset))


def matches(filter_: Mapping[str, Any], record: JsonObject, standpoint: Standpoint) -> bool:
    """Whether one record matches; for many compile the filter once.

    Raises:
        MethodError: the filter is malformed.
    """
    return compile_conditions(filter_, standpoint)(record)


def compile_conditions(filter_: Any, standpoint: Standpoint, searched: Collection[str] | None = None) -> Test:
    """A filter as one test of an object with envelope.

    Args:
        searched: the fields that `text` looks into; None: all.

    Raises:
        MethodError: unsupportedFilter, invalidArguments.
    """
    return compile_filter(filter_, functools.partial(compile_condition, standpoint=standpoint, searched=searched))


def compile_condition(
    name: str, value: Any, *, standpoint: Standpoint, searched: Collection[str] | None = None
) -> Test:
    """The meaning of one condition."""
    if name == "text":
        return _searches(str(value).casefold().split(), searched)
    for suffix in ("Before", "After"):
        key = name.removesuffix(suffix)
        if key not in (name, ""):
            return _bounded(key, resolve(value, standpoint), suffix == "Before", standpoint.offset)
    wanted = _flat(resolve(one, standpoint) for one in value) if isinstance(value, list) else resolve(value, standpoint)
    return _equals(name, wanted, standpoint.offset)


def condition_field(name: str) -> str:
    """The field a condition is about: `dueDate` of `dueDateBefore`; `text` of `text`."""
    for suffix in ("Before", "After"):
        if name.endswith(suffix) and name != suffix:
            return name.removesuffix(suffix)
    return name


def resolve(value: Any, standpoint: Standpoint) -> Any:
    """A value with its placeholder filled in; @myDepartments becomes a list."""
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    match value:
        case "@me":
            return standpoint.person_id
        case "@myDepartments":
            return list(standpoint.department_ids)
        case "@now":
            return format_utc(standpoint.now)
    found = _TODAY.match(value)
    if found is None:
        return value
    day = standpoint.today()
    return (day if found[1] is None else shifted(day, int(found[1]), found[2])).isoformat()


def shifted(day: dt.date, count: int, unit: str) -> dt.date:
    """A day so many days (d), weeks (w), months (m), years (y) away; the last of the month where the day does not exist."""
    try:
        if unit in "dw":
            return day + dt.timedelta(days=count * (7 if unit == "w" else 1))
        months = day.year * 12 + day.month - 1 + count * (12 if unit == "y" else 1)
        year, month = divmod(months, 12)
        return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
    except (ValueError, OverflowError):
        return dt.date.max if count > 0 else dt.date.min


def local_day(ms: int, offset: int) -> dt.date:
    """The day of a moment, `offset` minutes ahead of UTC."""
    return (dt.datetime(1970, 1, 1) + dt.timedelta(milliseconds=ms, minutes=offset)).date()  # noqa: DTZ001 (local by intent)


def day_start(day: dt.date, offset: int) -> int:
    """The first millisecond of a local day."""
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=UTC)
    return (midnight - dt.datetime(1970, 1, 1, tzinfo=UTC)) // dt.timedelta(milliseconds=1) - offset * 60_000


def compare_times(one: Any, other: Any, offset: int) -> int | None:
    """-1, 0, 1: one comes before, is at, comes after the other (days, moments, spans by their start); None: one of them is missing."""
    start = other.get("start") if isinstance(other, dict) else other
    return None if is_empty(one) or is_empty(start) else _Comparison(start, offset).order(one)


def is_empty(value: Any) -> bool:
    """Nothing, an empty text or an empty list."""
    return value is None or value in ("", [])


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a value, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts_of(inner)


# ---------------------------------------------------------------- tests of one condition


def _searches(words: Sequence[str], searched: Collection[str] | None) -> Test:
    """Words have no blanks in them: texts joined by line breaks hold a word if, and only if, one of them does."""

    def found(record: JsonObject) -> bool:
        texts: list[str] = []
        for name, value in record.items():
            if name in searched if searched is not None else name not in ENVELOPE_TEXTS:
                if type(value) is str:
                    texts.append(value)
                else:
                    texts.extend(texts_of(value))
        text = "\n".join(texts).casefold()
        return all(word in text for word in words)

    return found


def _bounded(key: str, bound: Any, before: bool, offset: int) -> Test:
    compare = _Comparison(bound, offset)

    def inside(record: JsonObject) -> bool:
        order = compare.order(record.get(key))
        return order is not None and (order < 0 if before else order >= 0)

    return inside


def _equals(name: str, wanted: Any, offset: int) -> Test:
    choices = wanted if isinstance(wanted, list) else [wanted]
    plain = [one for one in choices if isinstance(one, str) and not _special(one)]
    if len(plain) == len(choices):  # the usual case: a word, an id, several of them
        allowed = frozenset(plain)

        def named(record: JsonObject) -> bool:
            held = record.get(name)
            if isinstance(held, list):
                return any(isinstance(one, str) and one in allowed for one in held)
            return isinstance(held, str) and held in allowed

        return named
    tests = [_Comparison(one, offset) for one in choices]

    def equal(record: JsonObject) -> bool:
        held = record.get(name)
        return any(test.equals(held) for test in tests)

    return equal


class _Comparison:
    """A value of a filter, ready to be compared with what records hold."""

    __slots__ = ("_at", "_day", "_moment", "_number", "_offset", "_value", "_wire")

    def __init__(self, value: Any, offset: int) -> None:
        self._value = value
        self._offset = offset
        self._number = as_number(value)
        self._day = value if isinstance(value, str) and _is_day(value) else None
        self._moment = _moment(value)
        self._at = self._moment if self._day is None else day_start(dt.date.fromisoformat(self._day), offset)
        self._wire = None if self._at is None or not 0 <= self._at < LATEST else format_utc(self._at)

    def equals(self, held: Any) -> bool:
        if self._value is None or self._value == "":
            return is_empty(held)
        if self._value is False and held is None:
            return True
        if isinstance(held, list):
            return any(self.equals(one) for one in held if one is not None)
        if isinstance(self._value, bool) or isinstance(held, bool):
            return held is self._value
        if isinstance(self._value, dict):
            return bool(held == self._value)
        if isinstance(held, dict) and self._day is not None:
            held = held.get("start")
        if self._day is not None and isinstance(held, str) and not _DAY.match(held):
            moment = _moment(held)
            return moment is not None and local_day(moment, self._offset).isoformat() == self._day
        return self.order(held) == 0 if not isinstance(held, dict) else False

    def order(self, held: Any) -> int | None:
        """-1, 0, 1: what is held comes before, is equal to, comes after the value; None: they have no order."""
        if isinstance(held, dict):
            held = held.get("start")
        if self._number is not None:
            number = as_number(held)
            return None if number is None else _sign(number, self._number)
        if not isinstance(held, str) or not isinstance(self._value, str) or held == "":
            return None
        if self._wire is not None and len(held) == len(self._wire) and held[-1] == "Z" and held[10] == "T":
            return _sign(held, self._wire)  # as the server writes moments: they sort as texts
        if self._at is not None:
            if self._day is None and _is_day(held):
                return _sign(held, local_day(self._at, self._offset).isoformat())
            moment = _moment(held)
            if moment is not None:
                return _sign(moment, self._at)
        return _sign(held, self._value)


def as_number(value: Any) -> Decimal | None:
    """A number, or a text that is money, as a number; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value)
    if isinstance(value, float):
        return Decimal(repr(value))
    return Decimal(value) if isinstance(value, str) and _MONEY.match(value) else None


def _special(text: str) -> bool:
    return text == "" or _is_day(text) or _moment(text) is not None or _MONEY.match(text) is not None


def _is_day(text: str) -> bool:
    if not _DAY.match(text):
        return False
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _moment(value: Any) -> int | None:
    if not isinstance(value, str) or not _MOMENT.match(value):
        return None
    try:
        return parse_utc(value)
    except (ValueError, OverflowError):
        return None


def _sign(left: Any, right: Any) -> int:
    return int(left > right) - int(left < right)


def _flat(values: Iterator[Any]) -> list[Any]:
    result: list[Any] = []
    for value in values:
        if isinstance(value, list):
            result.extend(value)
        else:
            result.append(value)
    return result
