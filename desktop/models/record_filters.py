"""What a user narrows a table by, field by field, and how that becomes a filter of the query. Saved ones stay relative: "last 7 days" moves on.

Whole-day bounds are of this machine's zone. No words, no widgets.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

import msgspec

from desktop.core.clock import utc_date
from desktop.core.domain.definition import Field, FieldKind
from desktop.models.record_values import local_date, local_ms

RANGES: Final = frozenset({FieldKind.NUMBER, FieldKind.MONEY})
DATES: Final = frozenset({FieldKind.DATE, FieldKind.DATETIME, FieldKind.SPAN})
PICKS: Final = frozenset(
    {
        FieldKind.CHOICE,
        FieldKind.MULTI_CHOICE,
        FieldKind.BOOL,
        FieldKind.PERSON,
        FieldKind.PERSONS,
        FieldKind.DEPARTMENT,
        FieldKind.DEPARTMENTS,
        FieldKind.REFERENCE,
        FieldKind.REFERENCES,
    }
)
GROUPABLE: Final = frozenset(
    {
        FieldKind.TEXT,
        FieldKind.CHOICE,
        FieldKind.BOOL,
        FieldKind.DATE,
        FieldKind.PERSON,
        FieldKind.DEPARTMENT,
        FieldKind.REFERENCE,
    }
)
"""Fields with one value of few."""


class Period(StrEnum):
    """Spans of days seen from today."""

    OVERDUE = "overdue"
    TODAY = "today"
    THIS_WEEK = "thisWeek"
    THIS_MONTH = "thisMonth"
    THIS_YEAR = "thisYear"
    NEXT_7 = "next7"
    NEXT_30 = "next30"
    LAST_7 = "last7"
    LAST_30 = "last30"


class FieldFilter(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One field's condition. Exactly one of the parts is used: `empty`, `values` (one of them), `period`, or the bounds `low` and `high`, both within.

    Bounds are numbers as text, or dates "2026-11-22".
    """

    field: str
    values: tuple[Any, ...] = ()
    low: str | None = None
    high: str | None = None
    period: Period | None = None
    empty: bool | None = None


class SavedFilter(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A named set of conditions with the order and the grouping that went with it."""

    name: str
    filters: tuple[FieldFilter, ...] = ()
    text: str = ""
    sort: tuple[str, ...] = ()
    group: str | None = None


class TableState(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a table remembers for a user. columns: in order, empty for the view's own; widths in logical pixels at 100 %."""

    columns: tuple[str, ...] = ()
    widths: dict[str, int] = {}
    sort: tuple[str, ...] | None = None
    group: str | None = None
    grouped: bool = False
    closed: tuple[str, ...] = ()
    filters: tuple[FieldFilter, ...] = ()
    saved: tuple[SavedFilter, ...] = ()
    default: str = ""
    active: str = ""

    def named(self, name: str) -> SavedFilter | None:
        """The saved filter of this name."""
        return next((one for one in self.saved if one.name == name), None)

    def with_saved(self, made: SavedFilter) -> TableState:
        """Keeps a filter; one of the same name is replaced."""
        others = tuple(one for one in self.saved if one.name != made.name)
        kept = sorted((*others, made), key=lambda one: one.name.casefold())
        return msgspec.structs.replace(self, saved=tuple(kept), active=made.name)

    def renamed(self, old: str, new: str) -> TableState:
        """Another name for a saved filter; a filter that has the new name already gives way."""
        held = self.named(old)
        if held is None or not new or old == new:
            return self
        without = tuple(one for one in self.saved if one.name not in (old, new))
        moved = sorted((*without, msgspec.structs.replace(held, name=new)), key=lambda one: one.name.casefold())
        default = new if self.default in (old, new) else self.default
        active = new if self.active in (old, new) else self.active
        return msgspec.structs.replace(self, saved=tuple(moved), default=default, active=active)

    def without(self, name: str) -> TableState:
        """Forgets a saved filter."""
        return msgspec.structs.replace(
            self,
            saved=tuple(one for one in self.saved if one.name != name),
            default="" if self.default == name else self.default,
            active="" if self.active == name else self.active,
        )


def read_state(raw: dict[str, Any]) -> TableState:
    """A remembered state; one that another version wrote and this one can't read is forgotten."""
    try:
        return msgspec.convert(raw, TableState)
    except msgspec.ValidationError:
        return TableState()


def write_state(state: TableState) -> dict[str, Any]:
    """A state as JSON values."""
    made: dict[str, Any] = msgspec.to_builtins(state)
    return made


def conditions(
    filters: Sequence[FieldFilter], field_of: Callable[[str], Field | None], now_ms: int
) -> dict[str, Any] | None:
    """The filter that asks for all of them; None for none. Conditions on fields that are gone are left out."""
    made = []
    for one in filters:
        field = field_of(one.field)
        condition = condition_of(one, field, now_ms) if field is not None else None
        if condition is not None:
            made.append(condition)
    if len(made) < 2:
        return made[0] if made else None
    return {"operator": "AND", "conditions": made}


def condition_of(one: FieldFilter, field: Field, now_ms: int) -> dict[str, Any] | None:
    """One condition as a filter; None where it asks nothing."""
    name = one.field
    if one.empty is not None:
        return {name: None} if one.empty else {"operator": "NOT", "conditions": [{name: None}]}
    if one.values:
        return _one_of(name, one.values, field)
    if field.kind in DATES:
        first, last = period_days(one.period, local_date(now_ms)) if one.period else (_day(one.low), _day(one.high))
        return _days(name, field, first, last)
    return _between(name, one.low, one.high) if field.kind in RANGES else None


def _one_of(name: str, values: tuple[Any, ...], field: Field) -> dict[str, Any]:
    if field.kind is FieldKind.BOOL and False in values:  # a box nobody ever ticked is "no" as well
        return {} if True in values else {"operator": "NOT", "conditions": [{name: True}]}
    return {name: values[0] if len(values) == 1 else list(values)}


def period_days(period: Period, today: date) -> tuple[date | None, date | None]:
    """First and last day of a period; None is open."""
    monday = today - timedelta(days=today.weekday())
    next_month = (today.replace(day=28) + timedelta(days=4)).replace(day=1)
    return {
        Period.OVERDUE: (None, today - timedelta(days=1)),
        Period.TODAY: (today, today),
        Period.THIS_WEEK: (monday, monday + timedelta(days=6)),
        Period.THIS_MONTH: (today.replace(day=1), next_month - timedelta(days=1)),
        Period.THIS_YEAR: (today.replace(month=1, day=1), today.replace(month=12, day=31)),
        Period.NEXT_7: (today, today + timedelta(days=7)),
        Period.NEXT_30: (today, today + timedelta(days=30)),
        Period.LAST_7: (today - timedelta(days=7), today),
        Period.LAST_30: (today - timedelta(days=30), today),
    }[period]


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _days(name: str, field: Field, first: date | None, last: date | None) -> dict[str, Any] | None:
    def bound(day: date) -> str:
        return day.isoformat() if field.kind is FieldKind.DATE else utc_date(local_ms(day))

    made: dict[str, Any] = {}
    if first is not None:
        made[f"{name}After"] = bound(first)
    if last is not None and last < date.max:
        made[f"{name}Before"] = bound(last + timedelta(days=1))
    return made or None


def _between(name: str, low: str | None, high: str | None) -> dict[str, Any] | None:
    parts: list[dict[str, Any]] = []
    if low:
        parts.append({f"{name}After": _number(low)})
    if high:
        top = _number(high)
        parts.append({"operator": "OR", "conditions": [{f"{name}Before": top}, {name: top}]})
    if len(parts) < 2:
        return parts[0] if parts else None
    return {"operator": "AND", "conditions": parts}


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value
