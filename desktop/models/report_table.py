"""Reports: records in groups with exact figures, by month, year, week or day of a field, over a period. Decimals throughout; no Qt, no words.

A record with several values of a group's field (people, choices) counts in each of its groups and once in the totals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import product
from typing import Any, Final

from desktop.core.clock import utc_date
from desktop.core.domain.conditions import as_decimal, is_empty
from desktop.core.domain.definition import Field, FieldKind, Measure, ModuleDefinition, Report, TypeDefinition
from desktop.core.domain.records import Figure, FigureGroup, Record
from desktop.models.record_values import local_date, local_ms, moment_of

TIMES: Final = frozenset({FieldKind.DATE, FieldKind.DATETIME, FieldKind.SPAN})
UNITS: Final = ("year", "month", "week", "day")
LONGEST_LINE: Final = 400
"""Groups of time without records are filled in up to here."""
ENVELOPE_TIMES: Final = ("createdAt", "updatedAt")

Key = str | bool | None


# ------------------------------------------------------------ periods
class PeriodName(StrEnum):
    """Periods seen from today."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    LAST_YEAR = "last_year"
    ALL = "all"
    CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Period:
    """Local days from `first` on, before `after`; None: no bound."""

    first: date | None = None
    after: date | None = None


def period_of(name: str, today: date, first: date | None = None, last: date | None = None) -> Period:
    """The period of a name; first and last day for a custom one. An unknown name is everything."""
    match name:
        case PeriodName.MONTH:
            begin = today.replace(day=1)
            return Period(begin, _months_on(begin, 1))
        case PeriodName.QUARTER:
            begin = today.replace(month=(today.month - 1) // 3 * 3 + 1, day=1)
            return Period(begin, _months_on(begin, 3))
        case PeriodName.YEAR:
            return Period(date(today.year, 1, 1), date(today.year + 1, 1, 1))
        case PeriodName.LAST_YEAR:
            return Period(date(today.year - 1, 1, 1), date(today.year, 1, 1))
        case PeriodName.CUSTOM:
            return Period(first, last + timedelta(days=1) if last is not None else None)
    return Period()


def _months_on(day: date, count: int) -> date:
    month = day.year * 12 + day.month - 1 + count
    return date(month // 12, month % 12 + 1, 1)


def period_filter(time: Field | None, period: Period) -> dict[str, Any] | None:
    """The condition of a query that keeps to a period; a span belongs to the day it starts on. None: nothing to narrow."""
    if time is None:
        return None
    day = time.kind is FieldKind.DATE
    found: dict[str, Any] = {}
    if period.first is not None:
        found[f"{time.name}After"] = period.first.isoformat() if day else utc_date(local_ms(period.first))
    if period.after is not None:
        found[f"{time.name}Before"] = period.after.isoformat() if day else utc_date(local_ms(period.after))
    return found or None


def time_name(report: Report, definition: TypeDefinition, module: ModuleDefinition | None) -> str:
    """The field a period narrows by: the one grouped by time, the booking's, what places or sorts the type in a view, a required one; "" for none."""
    for group in report.group:
        unit, _, name = group.rpartition(":")
        if unit in UNITS:
            return name
    if definition.booking is not None:
        return definition.booking.span
    kinds = {field_.name: field_.kind for field_ in definition.fields}
    views = [view for view in module.views if view.type == definition.name] if module is not None else []
    for view in views:
        for name in (view.time or "", *(one.lstrip("-") for one in view.sort)):
            if kinds.get(name) in TIMES or name in ENVELOPE_TIMES:
                return name
    return next((f.name for f in definition.fields if f.required and f.kind in TIMES), "")


# ------------------------------------------------------------ groups
@dataclass(frozen=True, slots=True)
class Group:
    """A field records are grouped by; `unit` of time or ""."""

    name: str
    unit: str = ""


def group_of(text: str) -> Group:
    """`month:span` → the month a span starts in."""
    unit, _, name = text.rpartition(":")
    return Group(name, unit) if unit in UNITS else Group(text)


def keys_of(record: Record, group: Group) -> list[Key]:
    """The groups a record is in: ids, choices, "2026-10", "2026-W43"; None where the field is empty."""
    held = _held(record, group.name)
    if group.unit:
        start = held.get("start") if isinstance(held, dict) else held
        at = moment_of(start)
        return [None if at is None else time_key(local_date(at), group.unit)]
    if isinstance(held, list):
        return [str(one) for one in dict.fromkeys(map(str, held))] or [None]
    if isinstance(held, bool):
        return [held]
    return [None if is_empty(held) else str(held)]


def _held(record: Record, name: str) -> Any:
    match name:
        case "authorId":
            return record.author_id
        case "createdAt":
            return utc_date(record.created_at)
        case "updatedAt":
            return utc_date(record.updated_at)
    return record.data.get(name)


def time_key(day: date, unit: str) -> str:
    """The name of the year, month, week (ISO) or day; they sort like the days."""
    match unit:
        case "year":
            return f"{day.year:04d}"
        case "month":
            return f"{day.year:04d}-{day.month:02d}"
        case "week":
            week = day.isocalendar()
            return f"{week.year:04d}-W{week.week:02d}"
    return day.isoformat()


def key_day(key: str, unit: str) -> date:
    """The first day of a time key."""
    match unit:
        case "year":
            return date(int(key), 1, 1)
        case "month":
            return date(int(key[:4]), int(key[5:7]), 1)
        case "week":
            return date.fromisocalendar(int(key[:4]), int(key[6:]), 1)
    return date.fromisoformat(key)


def _next_key(key: str, unit: str) -> str:
    day = key_day(key, unit)
    if unit in ("year", "month"):
        return time_key(_months_on(day, 12 if unit == "year" else 1), unit)
    return time_key(day + timedelta(days=7 if unit == "week" else 1), unit)


def line_of(keys: Iterable[str], unit: str) -> list[str]:
    """All keys from the first to the last one, those without records too."""
    held = sorted(keys)
    if not held:
        return []
    found = [held[0]]
    while found[-1] < held[-1] and len(found) < LONGEST_LINE:
        found.append(_next_key(found[-1], unit))
    return found if found[-1] == held[-1] else held


# ------------------------------------------------------------ figures
@dataclass(slots=True)
class _Sums:
    """What a measure has gathered."""

    count: int = 0
    total: Decimal = Decimal(0)
    low: Decimal | None = None
    high: Decimal | None = None
    per: Decimal = Decimal(0)

    def add(self, values: Sequence[Decimal], per: Sequence[Decimal]) -> None:
        for value in values:
            self.count += 1
            self.total += value
            self.low = value if self.low is None else min(self.low, value)
            self.high = value if self.high is None else max(self.high, value)
        self.per += sum(per, Decimal(0))

    def add_figure(self, figure: Figure, per: Figure) -> None:
        self.count += figure.count
        self.total += figure.total
        self.low = min((one for one in (self.low, figure.low) if one is not None), default=None)
        self.high = max((one for one in (self.high, figure.high) if one is not None), default=None)
        self.per += per.total

    def figure(self, measure: Measure, records: int) -> Decimal | None:
        """The figure; None where there is nothing to tell: no value, or nothing to divide by."""
        match measure.op:
            case "count":
                found: Decimal | None = Decimal(records if measure.field is None else self.count)
            case "average":
                found = self.total / self.count if self.count else None
            case "min":
                found = self.low
            case "max":
                found = self.high
            case _:
                found = self.total
        if measure.per is None or found is None:
            return found
        return found / self.per if self.per else None


def _decimals(record: Record, name: str | None) -> list[Decimal]:
    """The numbers in a field, of `lines.x` one for each line."""
    if not name:
        return []
    head, _, rest = name.partition(".")
    held = record.data.get(head)
    lines = held if isinstance(held, list) else []
    values = [line.get(rest) for line in lines if isinstance(line, dict)] if rest else [held]
    return [number for value in values if (number := as_decimal(value)) is not None]


@dataclass(slots=True)
class _Bucket:
    records: int = 0
    sums: list[_Sums] = field(default_factory=list)

    def add(self, record: Record, measures: Sequence[Measure]) -> None:
        if not self.sums:
            self.sums = [_Sums() for _ in measures]
        self.records += 1
        for measure, held in zip(measures, self.sums, strict=True):
            held.add(_decimals(record, measure.field), _decimals(record, measure.per))

    def add_group(self, group: FigureGroup, measures: Sequence[Measure]) -> None:
        """Records that were added up already."""
        if not self.sums:
            self.sums = [_Sums() for _ in measures]
        self.records += group.count
        for measure, held in zip(measures, self.sums, strict=True):
            held.add_figure(
                group.figures.get(measure.field or "", Figure()), group.figures.get(measure.per or "", Figure())
            )

    def figures(self, measures: Sequence[Measure]) -> tuple[Decimal | None, ...]:
        sums = self.sums or [_Sums() for _ in measures]
        return tuple(held.figure(measure, self.records) for measure, held in zip(measures, sums, strict=True))


@dataclass(frozen=True, slots=True)
class Row:
    """A group: its keys, one for each field grouped by, and its figures."""

    keys: tuple[Key, ...]
    figures: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class ReportTable:
    """Rows in the order they are shown, totals over all records, and how many those are."""

    groups: tuple[Group, ...]
    rows: tuple[Row, ...] = ()
    totals: tuple[Decimal | None, ...] = ()
    records: int = 0


def table_of(
    report: Report, records: Iterable[Record], field_of: Callable[[str], Field | None] = lambda _name: None
) -> ReportTable:
    """The report over these records. Time goes on without gaps, choices stand in their own order, everything else by the first figure, largest first."""
    groups = tuple(group_of(one) for one in report.group)
    buckets: dict[tuple[Key, ...], _Bucket] = {}
    whole = _Bucket()
    for record in records:
        whole.add(record, report.measures)
        for keys in product(*(keys_of(record, group) for group in groups)):
            buckets.setdefault(keys, _Bucket()).add(record, report.measures)
    return _table(report, groups, buckets, whole, field_of)


def may_add_up(report: Report, field_of: Callable[[str], Field | None]) -> bool:
    """Whether the store can add the report up: no number stands inside of lines, and no moment is a group by itself (it is held in another way)."""
    alone = [field_of(group.name) for group in map(group_of, report.group) if not group.unit]
    moments = any(one is not None and one.kind in TIMES and one.kind is not FieldKind.DATE for one in alone)
    return not moments and not any("." in name for name in figure_names(report))


def figure_names(report: Report) -> list[str]:
    """Fields whose figures the report needs."""
    return list(dict.fromkeys(name for one in report.measures for name in (one.field, one.per) if name))


def table_of_groups(
    report: Report, found: Iterable[FigureGroup], field_of: Callable[[str], Field | None] = lambda _name: None
) -> ReportTable:
    """The same from records that the store added up: each is in one group there, and here in one for each value it holds."""
    groups = tuple(group_of(one) for one in report.group)
    buckets: dict[tuple[Key, ...], _Bucket] = {}
    whole = _Bucket()
    for one in found:
        whole.add_group(one, report.measures)
        for keys in product(*(_held_keys(value, group) for value, group in zip(one.keys, groups, strict=True))):
            buckets.setdefault(keys, _Bucket()).add_group(one, report.measures)
    return _table(report, groups, buckets, whole, field_of)


def _held_keys(value: Any, group: Group) -> list[Key]:
    if isinstance(value, tuple):
        return list(dict.fromkeys(value)) or [None]
    if group.unit == "week" and isinstance(value, str):
        return [time_key(date.fromisoformat(value), "week")]
    return [value if value is None or isinstance(value, bool) else str(value)]


def _table(
    report: Report,
    groups: tuple[Group, ...],
    buckets: Mapping[tuple[Key, ...], _Bucket],
    whole: _Bucket,
    field_of: Callable[[str], Field | None],
) -> ReportTable:
    rows = [Row(keys, bucket.figures(report.measures)) for keys, bucket in buckets.items()]
    rows = _filled(rows, groups, report.measures)
    ranks = [_ranks(number, group, rows, field_of) for number, group in enumerate(groups)]
    rows.sort(key=lambda row: tuple(rank[key] for rank, key in zip(ranks, row.keys, strict=True)))
    return ReportTable(groups, tuple(rows), whole.figures(report.measures) if whole.records else (), whole.records)


def _filled(rows: list[Row], groups: Sequence[Group], measures: Sequence[Measure]) -> list[Row]:
    """A line of time alone has its empty groups too."""
    if len(groups) != 1 or not groups[0].unit:
        return rows
    held = {key for row in rows if isinstance(key := row.keys[0], str)}
    nothing = _Bucket().figures(measures)
    return rows + [Row((key,), nothing) for key in line_of(held, groups[0].unit) if key not in held]


def _ranks(
    number: int, group: Group, rows: Sequence[Row], field_of: Callable[[str], Field | None]
) -> dict[Key, tuple[Any, ...]]:
    """Where each key of a group stands; empty ones last."""
    sums: dict[Key, Decimal] = {}
    for row in rows:
        first = row.figures[0] if row.figures else None
        sums[row.keys[number]] = sums.get(row.keys[number], Decimal(0)) + (first or Decimal(0))
    found = field_of(group.name)
    order = {choice.value: place for place, choice in enumerate(found.choices)} if found is not None else {}
    ranks: dict[Key, tuple[Any, ...]] = {}
    for key, total in sums.items():
        if group.unit:
            ranks[key] = (key is None, str(key))
        elif order:
            ranks[key] = (key is None, order.get(str(key), len(order)), str(key))
        else:
            ranks[key] = (key is None, -total, str(key))
    return ranks


# ------------------------------------------------------------ showing
def figure_places(measure: Measure, field_: Field | None) -> int | None:
    """Decimals a figure is shown with; None: as many as it has, up to two."""
    if measure.op == "count" and measure.per is None:
        return 0
    if measure.per is not None or measure.op == "average":
        return 2
    if field_ is not None and field_.kind is FieldKind.MONEY:
        return 2
    return field_.decimals if field_ is not None else None


def figure_text(figure: Decimal | None, places: int | None) -> str:
    """1,250.00; empty for nothing to tell."""
    if figure is None:
        return ""
    if places is not None:
        return f"{figure.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):,}"
    short = figure.quantize(Decimal("0.01"), ROUND_HALF_UP).normalize()
    return f"{short:,f}"


@dataclass(frozen=True, slots=True)
class Series:
    """Values along the labels of a chart; `key` of the second group, None where there is one series only."""

    key: Key
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a chart draws: keys along it, series, and how many groups are left to the table."""

    keys: tuple[Key, ...]
    series: tuple[Series, ...]
    others: int = 0


def picture_of(table: ReportTable, measure: int, most: int = 20) -> Picture:
    """One measure of a table for a chart. Of many groups that are no time the first `most` are drawn."""
    if not table.rows:
        return Picture((), ())
    keys = tuple(dict.fromkeys(row.keys[0] if row.keys else None for row in table.rows))
    names: tuple[Key, ...] = (None,)
    if len(table.groups) > 1:
        names = tuple(dict.fromkeys(row.keys[1] for row in table.rows))
    held: dict[tuple[Key, Key], Decimal | None] = {}
    for row in table.rows:
        place = (row.keys[0] if row.keys else None, row.keys[1] if len(table.groups) > 1 else None)
        value = row.figures[measure]
        if place not in held:
            held[place] = value
        elif value is not None:  # a third field that is grouped by
            held[place] = (held[place] or Decimal(0)) + value
    cut = len(keys) if table.groups and table.groups[0].unit else min(len(keys), most)
    series = tuple(Series(name, tuple(held.get((key, name)) for key in keys[:cut])) for name in names)
    return Picture(keys[:cut], series, len(keys) - cut)


def axis_marks(low: Decimal, high: Decimal, count: int = 5) -> list[Decimal]:
    """Round numbers from at most `low` to at least `high`, 0 among them, about `count`."""
    low, high = min(low, Decimal(0)), max(high, Decimal(0))
    if low == high:
        return [Decimal(0), Decimal(1)]
    rough = (high - low) / max(1, count - 1)
    power = Decimal(10) ** (rough.adjusted())
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough)
    first = (low / step).to_integral_value(rounding="ROUND_FLOOR") * step
    marks = [first]
    while marks[-1] < high:
        marks.append(marks[-1] + step)
    return marks
