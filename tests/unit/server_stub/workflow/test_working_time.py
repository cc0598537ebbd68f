"""Working time: parts of days, weekends, holidays and the weekends worked instead."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.workflow.working_time import MINUTE_MS, WorkingTime, WorkingTimeError

ZONE = dt.timezone(dt.timedelta(hours=8))
OFFICE = WorkingTime()


def at(text: str) -> int:
    return int(dt.datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)


def text(ms: int) -> str:
    return dt.datetime.fromtimestamp(ms / 1000, ZONE).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        ("2026-11-23 09:00", "2h", "2026-11-23 11:00"),
        ("2026-11-23 11:00", "2h", "2026-11-23 14:30"),  # over noon
        ("2026-11-23 17:00", "1h", "2026-11-24 09:00"),  # over night
        ("2026-11-20 16:00", "1d", "2026-11-23 16:00"),  # Friday to Monday
        ("2026-11-21 10:00", "30m", "2026-11-23 09:00"),  # begins on Monday
        ("2026-09-30 16:30", "1d", "2026-10-08 16:30"),  # the National Day holidays
        ("2026-10-09 16:30", "1d", "2026-10-10 16:30"),  # a Saturday worked instead
        ("2026-11-23 06:00", "1d4h", "2026-11-24 14:00"),  # half an hour of it after noon
        ("2031-11-21 09:00", "1d", "2031-11-24 09:00"),  # a year nobody has announced: weekends only
    ],
)
def test_working_time_passes_only_while_people_work(start: str, length: str, end: str) -> None:
    assert text(OFFICE.add(at(start), length)) == end


def test_an_office_may_say_otherwise() -> None:
    closed = WorkingTime(days={dt.date(2026, 11, 24): False, dt.date(2026, 11, 28): True})
    assert text(closed.add(at("2026-11-23 17:00"), "1h")) == "2026-11-25 09:00"
    assert closed.is_worked(dt.date(2026, 11, 28))


def test_nothing_passes_at_once() -> None:
    night = at("2026-11-22 23:00")
    assert OFFICE.add(night, "0h") == night


@pytest.mark.parametrize("length", ["", "d", "1", "1w", "-1d", "1d ", "99999d", "1.5h"])
def test_what_is_no_length_is_refused(length: str) -> None:
    with pytest.raises(WorkingTimeError, match="length"):
        OFFICE.add(0, length)


def test_an_office_that_never_works_ends() -> None:
    with pytest.raises(WorkingTimeError, match="nobody works"):
        WorkingTime(hours=()).add(at("2026-11-22 23:00"), "1h")


@given(st.integers(at("2020-01-01 00:00"), at("2030-01-01 00:00")), st.integers(1, 3000))
def test_what_is_added_has_been_worked(start: int, minutes: int) -> None:
    end = OFFICE.add(start - start % MINUTE_MS, f"{minutes}m")
    assert OFFICE.between(start - start % MINUTE_MS, end) == minutes


@given(st.integers(at("2020-01-01 00:00"), at("2030-01-01 00:00")), st.integers(0, 10**10), st.integers(0, 10**10))
def test_time_between_adds_up(start: int, first: int, second: int) -> None:
    start -= start % MINUTE_MS
    middle = start + first - first % MINUTE_MS
    end = middle + second - second % MINUTE_MS
    assert OFFICE.between(start, middle) + OFFICE.between(middle, end) == OFFICE.between(start, end)
