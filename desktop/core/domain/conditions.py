"""Filters of office records (RFC 8620 §5.5): what they mean. Golden cases for both sides: resources/protocol/golden/filters.json. Pure.

A filter is resolved once (placeholders, dates of the local zone) into a Condition, which `matches` asks of wire objects and the store turns into SQL.
`field: value` equal, a held list contains it, `[a, b]` one of them, null empty, false also missing; `<field>Before` <, `<field>After` >= (a span by its
start); a date against a time is that local day; `text`: every word stands in some text of the record; `operator` AND, OR, NOT.
"""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from msgspec import Struct

from desktop.core.clock import parse_utc_date
from desktop.core.domain.definition import ENVELOPE, Filter
from desktop.core.domain.moments import (
    Moment,
    day_moment,
    day_of,
    instant,
    instant_moment,
    is_date,
    is_instant,
    moved,
)

MAX_DEPTH: Final = 16
FIRST_DAY: Final = "0001-01-03"
LAST_DAY: Final = "9999-12-29"
"""A zone away from these is still a date."""
_MONEY: Final = re.compile(r"-?[0-9]{1,17}\.[0-9]{2}")
_DAY: Final = re.compile(r"@today(?:([+-][0-9]{1,4})([dwmy]))?")
_ID: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|(?:d-)?[0-9a-f]{32}|[0-9a-f]{64}"
)
_TAG: Final = re.compile(r"<[^>]*>")


class BadFilter(ValueError):
    """The filter is none: an unknown operator, conditions of a wrong shape."""


class Facts(Struct, frozen=True):
    """What placeholders stand for. `zone`: minutes the user's local time is ahead of UTC."""

    me: str
    departments: tuple[str, ...] = ()
    now_ms: int = 0
    zone: int = 0


class Literal(Struct, frozen=True):
    """A value a field is compared with; nothing set: empty."""

    text: str | None = None
    number: Decimal | None = None
    moment: Moment | None = None
    flag: bool | None = None

    @property
    def empty(self) -> bool:
        """Whether it stands for "nothing held"."""
        return self.text is None and self.number is None and self.moment is None and self.flag is None


class Is(Struct, frozen=True):
    """The field equals one of the values, or holds one of them. `many` False: it is known to hold no list, which the store need not look for."""

    field: str
    values: tuple[Literal, ...]
    many: bool = True


class Compare(Struct, frozen=True):
    """The field is before the value, or (not `before`) at it or after."""

    field: str
    before: bool
    value: Literal


class Overlaps(Struct, frozen=True):
    """The field's span or instant touches the time from the instant `start` on, before `end`; a span whose end is not known may."""

    field: str
    start: str
    end: str


class Words(Struct, frozen=True):
    """Every word stands in some text of the record; words are folded."""

    words: tuple[str, ...]


class Every(Struct, frozen=True):
    """All of them; none: always."""

    parts: tuple["Condition", ...]


class Some(Struct, frozen=True):
    """At least one of them; none: never."""

    parts: tuple["Condition", ...]


class Never(Struct, frozen=True):
    """Not this."""

    part: "Condition"


Condition = Is | Compare | Overlaps | Words | Every | Some | Never
ALWAYS: Final = Every(())


def resolve(wanted: Filter | None, facts: Facts) -> Condition:
    """The condition of a filter; None: everything.

    Raises:
        BadFilter: it is no filter.
    """
    return ALWAYS if wanted is None else _resolve(wanted, facts, 0)


def _resolve(wanted: Any, facts: Facts, depth: int) -> Condition:
    if not isinstance(wanted, Mapping) or depth > MAX_DEPTH:
        raise BadFilter("a filter is an object, not nested deeply")
    if "operator" in wanted:
        inner = wanted.get("conditions", ())
        if not isinstance(inner, list | tuple):
            raise BadFilter("conditions is a list")
        parts = tuple(_resolve(part, facts, depth + 1) for part in inner)
        match wanted["operator"]:
            case "AND":
                return Every(parts)
            case "OR":
                return Some(parts)
            case "NOT":
                return Never(Some(parts))
            case _:
                raise BadFilter("operator is AND, OR or NOT")
    found = tuple(_leaf(str(key), value, facts) for key, value in wanted.items())
    return found[0] if len(found) == 1 else Every(found)


def _leaf(key: str, value: Any, facts: Facts) -> Condition:
    if key == "text":
        if not isinstance(value, str):
            raise BadFilter("text is a text")
        return Words(words_of(value))
    for ending, before in (("Before", True), ("After", False)):
        if key.endswith(ending) and key != ending:
            literals = _literals(value, facts)
            if isinstance(value, list | tuple) or len(literals) != 1:
                raise BadFilter(f"{key[:60]} takes one value")
            return Compare(key.removesuffix(ending), before, literals[0])
    values = value if isinstance(value, list | tuple) else (value,)
    return Is(key, tuple(literal for one in values for literal in _literals(one, facts)))


def _literals(value: Any, facts: Facts) -> tuple[Literal, ...]:
    """What one value of a filter stands for; @myDepartments may be several."""
    match value:
        case None:
            return (Literal(),)
        case bool():
            return (Literal(flag=value),)
        case int() | float():
            return (Literal(number=Decimal(str(value))),)
        case "":
            return (Literal(),)
        case str() if value.startswith("@"):
            return _placeholder(value, facts)
        case str():
            return (_text(value, facts),)
        case _:
            raise BadFilter("a value is a text, a number, true, false or null")


def _placeholder(text: str, facts: Facts) -> tuple[Literal, ...]:
    if text == "@me":
        return (Literal(text=facts.me),)
    if text == "@myDepartments":
        return tuple(Literal(text=department) for department in facts.departments)
    if text == "@now":
        now = instant_moment(facts.now_ms, facts.zone)
        return (Literal(now.instant, moment=now),)
    if _DAY.fullmatch(text) is None:
        return (Literal(text),)
    return (_text(today(facts, text), facts),)


def today(facts: Facts, placeholder: str = "@today") -> str:
    """The date a placeholder of the @today family stands for; the far end of time where there is none. Raises BadFilter: it is no such placeholder."""
    found = _DAY.fullmatch(placeholder)
    if found is None:
        raise BadFilter(f"unknown placeholder {placeholder[:40]}")
    day = day_of(facts.now_ms, facts.zone)
    try:
        return day if found[1] is None else moved(day, int(found[1]), found[2])
    except ValueError:
        return FIRST_DAY if found[1].startswith("-") else LAST_DAY


def _text(text: str, facts: Facts) -> Literal:
    try:
        if is_date(text):
            return Literal(text, moment=day_moment(text, facts.zone))
        if is_instant(text):
            return Literal(instant(text), moment=instant_moment(parse_utc_date(text), facts.zone))
    except (ValueError, OverflowError):
        return Literal(text)
    return Literal(text, Decimal(text)) if is_money(text) else Literal(text)


def is_money(text: str) -> bool:
    """Whether a text is an amount of money as records hold it."""
    return _MONEY.fullmatch(text) is not None


# ------------------------------------------------------------ asking
def matches(condition: Condition, record: Mapping[str, Any]) -> bool:
    """Whether a wire object meets the condition."""
    match condition:
        case Is(field=field, values=values):
            held = record.get(field)
            return any(_is(held, value) for value in values)
        case Compare(field=field, before=before, value=value):
            return _compare(record.get(field), before, value)
        case Overlaps(field=field, start=start, end=end):
            return _overlaps(record.get(field), start, end)
        case Words(words=words):
            texts = record_texts(record) if words else []
            return all(any(word in text for text in texts) for word in words)
        case Every(parts=parts):
            return all(matches(part, record) for part in parts)
        case Some(parts=parts):
            return any(matches(part, record) for part in parts)
        case Never(part=part):
            return not matches(part, record)


def is_empty(held: Any) -> bool:
    """Whether a field counts as holding nothing."""
    return held is None or held in ("", [])


def _is(held: Any, value: Literal) -> bool:
    if value.empty or (value.flag is False and is_empty(held)):
        return is_empty(held)
    if isinstance(held, list):
        return any(_is_one(one, value) for one in held)
    if isinstance(held, dict):  # a span, which may be on a day
        return value.moment is not None and value.moment.instant is None and _is_one(held.get("start"), value)
    return _is_one(held, value)


def _start(held: Any) -> Any:
    """A span stands for its start."""
    return held.get("start") if isinstance(held, dict) else held


def _is_one(held: Any, value: Literal) -> bool:
    if value.flag is not None:
        return held is value.flag or (held is None and not value.flag)
    if isinstance(held, bool):
        return False
    if isinstance(held, int | float):
        return value.number is not None and Decimal(str(held)) == value.number
    if not isinstance(held, str):
        return False
    if value.moment is not None and is_instant(held):
        at, moment = instant(held), value.moment
        return at == moment.instant if moment.instant is not None else moment.start <= at < moment.end
    if value.moment is not None and is_date(held):
        return held == value.moment.day
    if value.number is not None and is_money(held):
        return Decimal(held) == value.number
    return held == value.text


def _compare(held: Any, before: bool, value: Literal) -> bool:
    order = _order(_start(held), value)
    return order is not None and (order < 0) is before


def _overlaps(held: Any, start: str, end: str) -> bool:
    begins = _start(held)
    if not isinstance(begins, str) or not is_instant(begins) or not instant(begins) < end:
        return False
    until = held.get("end") if isinstance(held, dict) else begins
    if not isinstance(until, str) or not is_instant(until):
        return True
    return instant(begins) >= start or instant(until) > start


def _order(held: Any, value: Literal) -> int | None:
    """-1, 0 or 1: how what is held stands to the value; None: they cannot be compared."""
    if isinstance(held, bool) or held is None:
        return None
    if isinstance(held, int | float):
        return None if value.number is None else _sign(Decimal(str(held)), value.number)
    if not isinstance(held, str) or not held:
        return None
    if value.moment is not None and is_instant(held):
        return _sign(instant(held), value.moment.instant or value.moment.start)
    if value.moment is not None and is_date(held):
        return _sign(held, value.moment.day)
    if value.number is not None:
        return _sign(Decimal(held), value.number) if is_money(held) else None
    return None if value.text is None else _sign(held, value.text)


def _sign(a: Any, b: Any) -> int:
    return -1 if a < b else int(a > b)


# ------------------------------------------------------------ quick search
def words_of(text: str) -> tuple[str, ...]:
    """The folded words of a quick search."""
    return tuple(dict.fromkeys(text.casefold().split()))


def record_texts(record: Mapping[str, Any]) -> list[str]:
    """What quick search looks into: every text of a wire object but its envelope, folded. Nobody types ids, instants or HTML tags."""
    found: list[str] = []
    for key, value in record.items():
        if key not in ENVELOPE:
            _gather(value, found)
    return found


def _gather(value: Any, found: list[str]) -> None:
    if isinstance(value, str):
        if value and not _ID.fullmatch(value) and not is_instant(value):
            found.append((_TAG.sub(" ", value) if value[0] == "<" else value).casefold())
    elif isinstance(value, dict):
        for inner in value.values():
            _gather(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _gather(inner, found)


def as_decimal(value: Any) -> Decimal | None:
    """A number or an amount of money as an exact number; None: neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float) or (isinstance(value, str) and is_money(value)):
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            return None
        return found if found.is_finite() else None
    return None
