"""Timelines without Qt: windows on days when clocks change, lanes, half-open holds, rows, what the keyboard goes to."""

import itertools
import time
from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.domain.definition import Field, FieldKind, Label
from desktop.core.domain.records import Record
from desktop.models.record_values import local_ms
from desktop.models.timeline_layout import (
    HOUR_MS,
    Block,
    Scale,
    Window,
    blocks_of,
    conflicts,
    lanes_of,
    moved_days,
    neighbors,
    rows_of,
    snapped,
    step_day,
    ticks_of,
    time_value,
    window_of,
)

SPAN = Field(name="span", kind=FieldKind.SPAN, label=Label("时间", "Time"))
CAR = Field(name="car", kind=FieldKind.REFERENCE, label=Label("车", "Car"))
CARS = Field(name="cars", kind=FieldKind.REFERENCES, label=Label("车", "Cars"))
DAY = date(2026, 10, 22)


@pytest.fixture(autouse=True)
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", getattr(request, "param", "Asia/Shanghai"))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def block(key: str, start: int, end: int, resource: str = "v1", *, holds: bool = True, own: bool = True) -> Block:
    return Block(Record(key, "Trip"), start, end, resource, holds, own)


def test_windows_are_a_day_a_week_from_monday_and_a_month() -> None:
    assert (window_of(Scale.WEEK, DAY).first, window_of(Scale.WEEK, DAY).after) == (
        date(2026, 10, 19),
        date(2026, 10, 26),
    )
    month = window_of(Scale.MONTH, date(2024, 2, 29))
    assert (month.first, month.after) == (date(2024, 2, 1), date(2024, 3, 1))
    assert len(ticks_of(month)) == 29
    assert step_day(Scale.MONTH, date(2026, 1, 31), 1) == date(2026, 2, 28)
    assert step_day(Scale.WEEK, DAY, -1) == date(2026, 10, 15)


@pytest.mark.parametrize("zone", ["Europe/Berlin"], indirect=True)
def test_a_day_when_clocks_change_is_as_long_as_it_is() -> None:
    spring, autumn = window_of(Scale.DAY, date(2026, 3, 29)), window_of(Scale.DAY, date(2026, 10, 25))
    assert (spring.length, autumn.length) == (23 * HOUR_MS, 25 * HOUR_MS)
    assert [tick.hour for tick in ticks_of(spring)][:4] == [0, 1, 3, 4]
    assert [tick.hour for tick in ticks_of(autumn)][:5] == [0, 1, 2, 2, 3]
    assert all(a.end == b.at for a, b in zip(ticks_of(autumn), ticks_of(autumn)[1:], strict=False))
    before = local_ms(date(2026, 3, 28), 9)
    assert moved_days(before, 1) == local_ms(date(2026, 3, 29), 9) == before + 23 * HOUR_MS


def test_touching_is_free_and_what_is_moved_is_not_in_its_own_way() -> None:
    held = [block("a", 100, 200), block("b", 300, 400), block("c", 120, 180, holds=False)]
    assert conflicts(held, 200, 300) == []
    assert [one.record.id for one in conflicts(held, 199, 301)] == ["a", "b"]
    assert conflicts(held, 150, 250, without="a") == []


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=30))
def test_blocks_of_a_lane_never_overlap_and_lanes_are_as_few_as_can_be(spans: list[tuple[int, int]]) -> None:
    blocks = [block(f"r{n}", start, start + length) for n, (start, length) in enumerate(spans)]
    placed, lanes = lanes_of(blocks)
    assert {one.block.record.id for one in placed} == {one.record.id for one in blocks}
    for lane in range(lanes):
        line = sorted((one.block for one in placed if one.lane == lane), key=lambda one: one.start)
        assert all(a.end <= b.start for a, b in itertools.pairwise(line))
    depth = max((sum(b.start <= a.start < b.end for b in blocks) for a in blocks), default=1)
    assert lanes == depth


def test_records_become_blocks_on_each_of_their_resources() -> None:
    span = {"start": "2026-10-22T01:00:00.000Z", "end": "2026-10-22T03:00:00.000Z"}
    trips = [
        Record("a", "Trip", {"span": span, "car": "v1", "state": "approved"}),
        Record("b", "Trip", {"span": span, "state": "approved"}),
        Record("c", "Trip", {"car": "v1"}),
        Record("d", "Trip", {"span": span, "car": "v1", "state": "refused"}),
    ]
    found = {one.record.id: one for one in blocks_of(trips, SPAN, CAR, holding=["approved"])}
    assert set(found) == {"a", "b", "d"}
    assert (found["a"].holds, found["b"].holds, found["d"].holds) == (True, False, False)
    assert found["b"].resource == ""
    assert found["a"].start == local_ms(DAY, 9)
    assert time_value(SPAN, found["a"].start, found["a"].end) == span
    many = blocks_of([Record("e", "Trip", {"span": span, "cars": ["v1", "v2"]})], SPAN, CARS, holding=[])
    assert [(one.resource, one.holds, one.key) for one in many] == [("v1", True, "e@v1"), ("v2", True, "e@v2")]
    assert blocks_of(trips, SPAN, CAR)[0].holds is False


def test_rows_keep_the_order_and_what_has_no_resource_stands_first() -> None:
    window = Window(Scale.DAY, DAY, DAY, 0, 1000)
    blocks = [
        block("a", 100, 200),
        block("b", 150, 250),
        block("x", 500, 600, "gone"),
        block("z", 2000, 3000),
        block("n", 10, 20, "", holds=False),
    ]
    rows = rows_of(["v2", "v1"], blocks, window)
    assert [(row.key, row.lanes, len(row.placed)) for row in rows] == [("", 1, 2), ("v2", 1, 0), ("v1", 2, 2)]
    assert {one.record.id for one in rows[2].holding} == {"a", "b", "z"}
    assert [row.key for row in rows_of(["v1"], blocks[:1], window)] == ["v1"]
    hidden = Block(Record("h", "Trip"), 100, 200, "v1", True, True, shown=False)
    only = rows_of(["v1"], [hidden], window)[0]
    assert only.placed == ()
    assert conflicts(only.holding, 150, 160) == [hidden]


def test_the_keyboard_finds_what_stands_beside() -> None:
    window = Window(Scale.DAY, DAY, DAY, 0, 1000)
    blocks = [block("a", 100, 200), block("b", 300, 400), block("c", 310, 350, "v2")]
    rows = rows_of(["v1", "v2"], blocks, window)
    assert neighbors(rows, "a@v1") == {"right": "b@v1", "down": "c@v2"}
    assert neighbors(rows, "c@v2") == {"up": "b@v1"}
    assert neighbors(rows, "nothing") == {}


def test_moments_snap_to_the_quarter() -> None:
    assert snapped(local_ms(DAY, 9, 7)) == local_ms(DAY, 9)
    assert snapped(local_ms(DAY, 9, 8)) == local_ms(DAY, 9, 15)
