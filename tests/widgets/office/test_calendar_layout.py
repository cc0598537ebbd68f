"""Calendars without Qt: days an entry touches, weeks of a month, bars in lanes with the rest counted, entries side by side, moving by days."""

import itertools
import time
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.clock import utc_date
from desktop.core.domain.definition import Field, FieldKind, Label
from desktop.core.domain.records import Record
from desktop.models.agenda_layout import Entry, entries_of, entry_of, lay_day, lay_line, month_weeks, shifted
from desktop.models.record_values import local_ms
from desktop.models.timeline_layout import HOUR_MS

DAY = date(2026, 10, 22)
WEEK = [date(2026, 10, 19) + timedelta(days=n) for n in range(7)]


def field(kind: FieldKind) -> Field:
    return Field(name="at", kind=kind, label=Label("时间", "Time"))


@pytest.fixture(autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", getattr(request, "param", "Asia/Shanghai"))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def spanned(key: str, start: int, end: int) -> Record:
    return Record(key, "Trip", {"at": {"start": utc_date(start), "end": utc_date(end)}})


def entry(key: str, first: int, days: int = 1, *, hour: float | None = None, hours: float = 1) -> Entry:
    """All day from WEEK[first] on, or at an hour of it."""
    begin = WEEK[0] + timedelta(days=first)
    if hour is None:
        after = begin + timedelta(days=days)
        return Entry(Record(key, "T"), local_ms(begin), local_ms(after), begin, after - timedelta(days=1), True)
    start = local_ms(begin) + round(hour * HOUR_MS)
    return Entry(Record(key, "T"), start, start + round(hours * HOUR_MS), begin, begin)


def test_dates_datetimes_and_spans_touch_their_local_days() -> None:
    whole = entry_of(Record("a", "T", {"at": "2026-10-22"}), field(FieldKind.DATE))
    assert whole is not None
    assert (whole.first, whole.last, whole.all_day, whole.bar) == (DAY, DAY, True, True)
    point = entry_of(Record("b", "T", {"at": "2026-10-21T16:30:00.000Z"}), field(FieldKind.DATETIME))
    assert point is not None
    assert (point.first, point.bar) == (DAY, False)
    night = entry_of(spanned("c", local_ms(DAY, 22), local_ms(DAY + timedelta(days=1))), field(FieldKind.SPAN))
    assert night is not None
    assert (night.first, night.last, night.bar) == (DAY, DAY, False)
    long = entry_of(spanned("d", local_ms(DAY, 22), local_ms(DAY + timedelta(days=1), 0, 1)), field(FieldKind.SPAN))
    assert long is not None
    assert long.bar
    assert entry_of(Record("e", "T", {}), field(FieldKind.DATE)) is None
    assert entry_of(Record("f", "T", {"at": "soon"}), field(FieldKind.DATE)) is None


def test_only_what_touches_the_days_is_there() -> None:
    records = [
        spanned("in", local_ms(DAY, 1), local_ms(DAY, 2)),
        spanned("out", local_ms(DAY) - HOUR_MS, local_ms(DAY)),
    ]
    found = entries_of(records, field(FieldKind.SPAN), DAY, DAY + timedelta(days=1))
    assert [one.record.id for one in found] == ["in"]


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)))
def test_a_month_is_whole_weeks_from_monday(day: date) -> None:
    days = [one for week in month_weeks(day) for one in week]
    assert days[0].weekday() == 0
    assert len(days) % 7 == 0
    assert len(days) // 7 in (4, 5, 6)
    assert all(b - a == timedelta(days=1) for a, b in itertools.pairwise(days))
    assert days[0] <= day.replace(day=1)
    assert days[-1] >= day


@given(st.lists(st.tuples(st.integers(-3, 8), st.integers(1, 6)), max_size=20), st.integers(1, 5))
def test_every_entry_of_a_day_is_a_bar_or_counted_and_bars_do_not_overlap(
    held: list[tuple[int, int]], most: int
) -> None:
    entries = [entry(f"r{n}", first, days) for n, (first, days) in enumerate(held)]
    line = lay_line(WEEK, entries, most)
    for number, day in enumerate(WEEK):
        bars = [bar for bar in line.bars if bar.first <= number <= bar.last]
        touching = [one for one in entries if one.first <= day <= one.last]
        assert len(bars) + line.hidden[number] == len(touching)
        assert len({bar.lane for bar in bars}) == len(bars)
        assert all(bar.lane < most for bar in bars)
        if line.hidden[number]:
            assert all(bar.lane < most - 1 for bar in bars), "the word that there is more needs the last lane"


def test_a_bar_tells_where_it_goes_on() -> None:
    bar = lay_line(WEEK, [entry("a", -2, 20)], 3).bars[0]
    assert (bar.first, bar.last, bar.begins, bar.ends) == (0, 6, False, False)


def test_entries_at_the_same_time_share_the_width() -> None:
    entries = [entry("a", 0, hour=9, hours=2), entry("b", 0, hour=10), entry("c", 0, hour=11), entry("d", 0, hour=15)]
    found = {one.entry.record.id: (one.column, one.columns) for one in lay_day(WEEK[0], [*entries, entry("bar", 0)])}
    assert found == {"a": (0, 2), "b": (1, 2), "c": (0, 1), "d": (0, 1)}


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
def test_moving_keeps_the_clock_and_the_length_when_clocks_change() -> None:
    saturday = date(2026, 3, 28)
    record = spanned("a", local_ms(saturday, 9), local_ms(saturday, 11))
    timed = entry_of(record, field(FieldKind.SPAN))
    assert timed is not None
    assert shifted(timed, 1) == (local_ms(date(2026, 3, 29), 9), local_ms(date(2026, 3, 29), 11))
    whole = entry_of(spanned("b", local_ms(saturday), local_ms(saturday + timedelta(days=1))), field(FieldKind.SPAN))
    assert whole is not None
    assert shifted(whole, 1) == (local_ms(date(2026, 3, 29)), local_ms(date(2026, 3, 30)))
