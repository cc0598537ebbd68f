"""Resources by time: windows of a day, a week or a month, marks of the scale, lanes of blocks that overlap, who holds what. No Qt, no words.

Moments are ms since 1970 and spans half-open [start, end), so touching is free. Places on the scale follow elapsed time: a day of 23 or 25 hours is that long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from desktop.core.clock import utc_date
from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.records import Record
from desktop.models.record_values import local_date, local_ms, moment_of, span_of, span_value

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
SNAP_MS: Final = 15 * MINUTE_MS
"""Offsets of all time zones are multiples of this, so it is the same in local and universal time."""


class Scale(StrEnum):
    """How much time stands side by side."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Window:
    """The local days from `first` on, before `after`, as ms."""

    scale: Scale
    first: date
    after: date
    start: int
    end: int

    @property
    def length(self) -> int:
        """Elapsed ms; not a multiple of a day where the clocks change."""
        return self.end - self.start


def window_of(scale: Scale, day: date) -> Window:
    """The day, its week from Monday on, or its month."""
    match scale:
        case Scale.WEEK:
            first = day - timedelta(days=day.weekday())
            after = first + timedelta(days=7)
        case Scale.MONTH:
            first = day.replace(day=1)
            after = (first + timedelta(days=31)).replace(day=1)
        case _:
            first, after = day, day + timedelta(days=1)
    return Window(scale, first, after, local_ms(first), local_ms(after))


def step_day(scale: Scale, day: date, count: int) -> date:
    """A day in the window so many windows further; the last day of a shorter month."""
    if scale is not Scale.MONTH:
        return day + timedelta(days=count * (7 if scale is Scale.WEEK else 1))
    month = day.year * 12 + day.month - 1 + count
    first = date(month // 12, month % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of the scale: an hour (`hour` 0 to 23) or a day."""

    at: int
    end: int
    day: date
    hour: int | None = None


def ticks_of(window: Window) -> list[Tick]:
    """Hours of a day, else days. An hour the clocks skip has no mark, one they repeat has two."""
    if window.scale is Scale.DAY:
        starts = range(window.start, window.end, HOUR_MS)
        return [Tick(at, min(at + HOUR_MS, window.end), window.first, _hour(at)) for at in starts]
    days = [window.first + timedelta(days=n) for n in range((window.after - window.first).days)]
    return [Tick(local_ms(day), local_ms(day + timedelta(days=1)), day) for day in days]


def _hour(ms: int) -> int:
    return datetime.fromtimestamp(ms / 1000).astimezone().hour


def snapped(ms: float, step: int = SNAP_MS) -> int:
    """The nearest quarter of an hour."""
    return round(ms / step) * step


def moved_days(ms: int, days: int) -> int:
    """The same time of the clock on another day."""
    wall = datetime.fromtimestamp(ms / 1000).astimezone().replace(tzinfo=None)
    return round((wall + timedelta(days=days)).astimezone().timestamp() * 1000)


# ------------------------------------------------------------ blocks
@dataclass(frozen=True, slots=True)
class Block:
    """A record on a resource for a time.

    Attributes:
        resource: id of the record it stands on; "" for none yet.
        holds: nobody else may have the resource then.
        own: of the view's type; others are shown beside it and not moved here.
        shown: it meets the filters; one that does not only holds.
    """

    record: Record
    start: int
    end: int
    resource: str
    holds: bool = False
    own: bool = True
    shown: bool = True

    @property
    def key(self) -> str:
        """A record with several resources has a block on each."""
        return f"{self.record.id}@{self.resource}"


def time_of(field_: Field | None, value: Any) -> tuple[int, int] | None:
    """Start and end of a field that places a record: a date is its whole local day, a datetime an hour to be seen; None for nothing readable."""
    if field_ is None or value in (None, ""):
        return None
    if field_.kind is FieldKind.SPAN:
        return span_of(value)
    start = moment_of(value)
    if start is None:
        return None
    if field_.kind is FieldKind.DATE:
        return start, local_ms(local_date(start) + timedelta(days=1))
    return start, start + HOUR_MS


def time_value(field_: Field, start: int, end: int) -> Any:
    """The wire value of a field that places a record."""
    match field_.kind:
        case FieldKind.SPAN:
            return span_value(start, end)
        case FieldKind.DATE:
            return local_date(start).isoformat()
    return utc_date(start)


def blocks_of(
    records: Iterable[Record],
    time: Field | None,
    resource: Field | None,
    *,
    holding: Sequence[str] | None = None,
    own: bool = True,
    shown: bool = True,
) -> list[Block]:
    """Blocks of records. holding: states in which the record holds the resource, empty: always; None: the type books nothing."""
    found = []
    for record in records:
        times = time_of(time, record.data.get(time.name)) if time is not None else None
        if times is None or times[1] <= times[0]:
            continue
        held = record.data.get(resource.name) if resource is not None else None
        holds = holding is not None and (not holding or record.data.get("state") in holding) and not record.refusal
        keys = [one for one in held if isinstance(one, str)] if isinstance(held, list) else [held]
        for key in keys or [None]:
            found.append(Block(record, *times, key if isinstance(key, str) else "", holds and bool(key), own, shown))
    return found


def conflicts(blocks: Iterable[Block], start: int, end: int, *, without: str = "") -> list[Block]:
    """Blocks that hold the resource in [start, end); touching is free. `without`: the record being moved."""
    return [b for b in blocks if b.holds and b.record.id != without and b.start < end and start < b.end]


# ------------------------------------------------------------ rows
@dataclass(frozen=True, slots=True)
class Placed:
    """A block and the lane of its row."""

    block: Block
    lane: int


@dataclass(frozen=True, slots=True)
class Row:
    """A resource's blocks in the window. `holding`: all that hold it, in the window or not; `lanes` at least one."""

    key: str
    lanes: int = 1
    placed: tuple[Placed, ...] = ()
    holding: tuple[Block, ...] = field(default=())


def lanes_of(blocks: Iterable[Block]) -> tuple[tuple[Placed, ...], int]:
    """Blocks in the first lane that is free, from the earliest on, and how many lanes that takes."""
    ends: list[int] = []
    placed = []
    for block in sorted(blocks, key=lambda one: (one.start, not one.own, -one.end, one.record.id)):
        lane = next((n for n, end in enumerate(ends) if end <= block.start), len(ends))
        if lane == len(ends):
            ends.append(block.end)
        ends[lane] = block.end
        placed.append(Placed(block, lane))
    return tuple(placed), max(1, len(ends))


def rows_of(resources: Sequence[str], blocks: Iterable[Block], window: Window) -> list[Row]:
    """A row for each resource in order; before them one for what has no resource yet, where there is any in the window."""
    by: dict[str, list[Block]] = {}
    for block in blocks:
        by.setdefault(block.resource, []).append(block)
    known = set(resources)
    loose = [b for key, held in by.items() if key not in known for b in held if b.own]
    rows = [_row(key, by.get(key, ()), window) for key in resources]
    head = _row("", loose, window)
    return [head, *rows] if head.placed else rows


def _row(key: str, blocks: Iterable[Block], window: Window) -> Row:
    held = tuple(blocks)
    inside = (one for one in held if one.shown and one.start < window.end and window.start < one.end)
    placed, lanes = lanes_of(inside)
    return Row(key, lanes, placed, tuple(one for one in held if one.holds) if key else ())


def neighbors(rows: Sequence[Row], key: str) -> Mapping[str, str]:
    """Keys of the blocks to the left, right, above and below of one, for the keyboard; directions without any are absent."""
    place = next(((n, p.block) for n, row in enumerate(rows) for p in row.placed if p.block.key == key), None)
    if place is None:
        return {}
    number, block = place
    found: dict[str, str] = {}
    line = sorted(rows[number].placed, key=lambda p: (p.block.start, p.lane))
    at = next(n for n, p in enumerate(line) if p.block.key == key)
    if at:
        found["left"] = line[at - 1].block.key
    if at + 1 < len(line):
        found["right"] = line[at + 1].block.key
    for name, others in (("up", list(reversed(rows[:number]))), ("down", list(rows[number + 1 :]))):
        other = next((row for row in others if row.placed), None)
        if other is not None:
            found[name] = min(other.placed, key=lambda p: abs(p.block.start - block.start)).block.key
    return found
