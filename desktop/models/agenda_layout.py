"""Days of a calendar and what stands on them: weeks of a month from Monday on, bars over several days in lanes, timed entries side by side. No Qt, no words.

Days are local. What ends at midnight does not touch the day that begins then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.records import Record
from desktop.models.record_values import local_date, local_ms
from desktop.models.timeline_layout import moved_days, time_of

WEEK: Final = 7
SHORTEST_MS: Final = 1_800_000
"""A timed entry is drawn at least this long."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record on the calendar: moments [start, end) and the local days it touches. all_day: its field is a date."""

    record: Record
    start: int
    end: int
    first: date
    last: date
    all_day: bool = False

    @property
    def bar(self) -> bool:
        """Whether it is drawn over whole days instead of at its hour."""
        return self.all_day or self.first != self.last


def entry_of(record: Record, field: Field) -> Entry | None:
    """The record at the time its field says; None where it says none."""
    times = time_of(field, record.data.get(field.name))
    if times is None or times[1] <= times[0]:
        return None
    start, end = times
    if field.kind is FieldKind.DATETIME:
        day = local_date(start)
        return Entry(record, start, min(end, local_ms(day + timedelta(days=1))), day, day)
    return Entry(record, start, end, local_date(start), local_date(end - 1), field.kind is FieldKind.DATE)


def entries_of(records: Iterable[Record], field: Field, first: date, after: date) -> list[Entry]:
    """Records that touch days from `first` on, before `after`, in the order they are drawn: longer ones and earlier ones first."""
    found = (entry_of(record, field) for record in records)
    inside = (one for one in found if one is not None and one.first < after and first <= one.last)
    return sorted(inside, key=_order)


def _order(entry: Entry) -> tuple[date, bool, int, int, str]:
    return entry.first, not entry.bar, -(entry.last - entry.first).days, entry.start, entry.record.id


def month_weeks(day: date) -> list[list[date]]:
    """Whole weeks, Monday first, that hold the days of the month: four to six."""
    first = day.replace(day=1)
    after = (first + timedelta(days=31)).replace(day=1)
    monday = first - timedelta(days=first.weekday())
    weeks = []
    while monday < after:
        weeks.append([monday + timedelta(days=n) for n in range(WEEK)])
        monday += timedelta(days=WEEK)
    return weeks


@dataclass(frozen=True, slots=True)
class Bar:
    """An entry in a line of days: columns `first` to `last`, and its lane; `begins`, `ends`: it does so inside of the line."""

    entry: Entry
    first: int
    last: int
    lane: int
    begins: bool = True
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """A line of days: bars that have a lane, how many more there are on each day, and lanes used."""

    bars: tuple[Bar, ...]
    hidden: tuple[int, ...]
    lanes: int


def lay_line(days: Sequence[date], entries: Iterable[Entry], most: int) -> Line:
    """Entries on a line of days in at most `most` lanes. A day with too many keeps its last lane free, for the word that there are more."""
    spans = [_columns(days, one) for one in entries]
    held = [(one, first, last) for found in spans if found is not None for one, first, last in (found,)]
    lanes = _assign(held, len(days))
    crowded = {
        day
        for (_, first, last), lane in zip(held, lanes, strict=True)
        if lane >= most
        for day in range(first, last + 1)
    }
    hidden = [0] * len(days)
    bars = []
    for (one, first, last), lane in zip(held, lanes, strict=True):
        room = most - 1 if crowded.intersection(range(first, last + 1)) else most
        if lane < room:
            bars.append(Bar(one, first, last, lane, days[first] <= one.first, one.last <= days[last]))
        else:
            for day in range(first, last + 1):
                hidden[day] += 1
    # a bar pushed out of the last lane crowds its other days too: they say "more" in the lane it left
    return Line(tuple(bars), tuple(hidden), max((bar.lane + 1 for bar in bars), default=0))


def _columns(days: Sequence[date], entry: Entry) -> tuple[Entry, int, int] | None:
    if not days or entry.last < days[0] or entry.first > days[-1]:
        return None
    return entry, max(0, (entry.first - days[0]).days), min(len(days) - 1, (entry.last - days[0]).days)


def _assign(held: Sequence[tuple[Entry, int, int]], width: int) -> list[int]:
    taken: list[list[bool]] = []
    lanes = []
    for _, first, last in held:
        lane = next((n for n, row in enumerate(taken) if not any(row[first : last + 1])), len(taken))
        if lane == len(taken):
            taken.append([False] * width)
        for day in range(first, last + 1):
            taken[lane][day] = True
        lanes.append(lane)
    return lanes


@dataclass(frozen=True, slots=True)
class Timed:
    """A timed entry of a day in one of several columns side by side."""

    entry: Entry
    column: int
    columns: int


def lay_day(day: date, entries: Iterable[Entry]) -> list[Timed]:
    """Timed entries of one day: those that overlap share the width."""
    held = sorted((one for one in entries if not one.bar and one.first == day), key=lambda one: (one.start, -one.end))
    found: list[Timed] = []
    group: list[tuple[Entry, int]] = []
    ends: list[int] = []
    for entry in held:
        if ends and entry.start >= max(ends):
            found += [Timed(one, column, len(ends)) for one, column in group]
            group, ends = [], []
        column = next((n for n, end in enumerate(ends) if end <= entry.start), len(ends))
        if column == len(ends):
            ends.append(0)
        ends[column] = max(entry.end, entry.start + SHORTEST_MS)
        group.append((entry, column))
    return found + [Timed(one, column, len(ends)) for one, column in group]


def shifted(entry: Entry, days: int) -> tuple[int, int]:
    """The entry on another day: the same times of the clock at its start, the same length; whole days stay whole days."""
    if entry.all_day or _whole_days(entry):
        return moved_days(entry.start, days), moved_days(entry.end, days)
    start = moved_days(entry.start, days)
    return start, start + entry.end - entry.start


def _whole_days(entry: Entry) -> bool:
    return entry.start == local_ms(entry.first) and entry.end == local_ms(entry.last + timedelta(days=1))
