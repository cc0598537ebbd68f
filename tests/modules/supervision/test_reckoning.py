"""Lights, days of feedback and points, at their edges."""

import datetime as dt

import pytest

from server_stub.modules.supervision.reckoning import (
    amber_day,
    days_late,
    first_report,
    light_on,
    next_change,
    on_working_day,
    points_of,
    quarter_days,
    report_after,
)

D = dt.date.fromisoformat


@pytest.mark.parametrize(
    ("day", "light"),
    [
        ("2025-11-01", "green"),
        ("2025-11-07", "green"),  # four of ten days left
        ("2025-11-08", "amber"),  # three of ten: not more than 30 %
        ("2025-11-10", "amber"),
        ("2025-11-11", "red"),
    ],
)
def test_a_light_is_green_above_thirty_percent_of_the_time(day: str, light: str) -> None:
    assert light_on(D(day), D("2025-11-01"), D("2025-11-10")) == light


def test_a_short_time_is_amber_on_its_last_day() -> None:
    assert amber_day(D("2025-11-01"), D("2025-11-01")) == D("2025-11-01")
    assert amber_day(D("2025-11-01"), D("2025-11-02")) == D("2025-11-02")
    assert light_on(D("2025-11-01"), D("2025-11-03"), D("2025-11-02")) == "green"  # handed out after its deadline


def test_the_light_is_looked_at_when_it_changes_and_then_daily() -> None:
    start, deadline = D("2025-11-01"), D("2025-11-10")
    days = [D("2025-11-01")]
    while days[-1] < D("2025-11-13"):
        days.append(next_change(days[-1], start, deadline))
    assert [one.day for one in days] == [1, 8, 11, 12, 13]


def test_every_change_of_the_light_is_a_moment_looked_at() -> None:
    start = D("2025-01-01")
    for length in range(60):
        deadline = start + dt.timedelta(days=length)
        day, seen = start, light_on(start, start, deadline)
        upcoming = next_change(day, start, deadline)
        for _ in range(length + 5):
            day += dt.timedelta(days=1)
            if day == upcoming:
                seen, upcoming = light_on(day, start, deadline), next_change(day, start, deadline)
            assert light_on(day, start, deadline) == seen


@pytest.mark.parametrize(
    ("cycle", "day", "start", "first"),
    [
        ("weekly", 5, "2025-11-24", "2025-11-28"),
        ("weekly", 1, "2025-11-24", "2025-12-01"),  # never on the day itself
        ("weekly", 9, "2025-11-24", "2025-11-30"),
        ("biweekly", 5, "2025-11-24", "2025-12-05"),
        ("monthly", 25, "2025-11-24", "2025-11-25"),
        ("monthly", 24, "2025-11-24", "2025-12-24"),
        ("monthly", 31, "2025-11-30", "2025-12-31"),
        ("monthly", 31, "2025-02-01", "2025-02-28"),
    ],
)
def test_the_first_feedback(cycle: str, day: int, start: str, first: str) -> None:
    assert first_report(cycle, day, None, D(start)) == D(first)


def test_a_named_first_day_wins_and_none_is_never() -> None:
    assert first_report("weekly", 5, D("2025-12-02"), D("2025-11-24")) == D("2025-12-02")
    assert first_report("none", 5, D("2025-12-02"), D("2025-11-24")) is None


def test_cycles_go_on_from_the_first() -> None:
    assert report_after("weekly", D("2025-12-02"), 5, D("2025-12-02")) == D("2025-12-09")
    assert report_after("biweekly", D("2025-12-02"), 5, D("2025-12-20")) == D("2025-12-30")
    assert report_after("weekly", D("2025-12-02"), 5, D("2025-11-01")) == D("2025-12-02")
    days = [D("2025-01-31")]
    while len(days) < 5:
        days.append(report_after("monthly", D("2025-01-31"), 31, days[-1]))
    assert [one.isoformat()[5:] for one in days] == ["01-31", "02-28", "03-31", "04-30", "05-31"]
    assert report_after("monthly", D("2025-01-10"), 5, D("2025-01-10")) == D("2025-02-10")  # by the day named first


def test_days_late_points_and_quarters() -> None:
    assert (days_late(D("2025-11-10"), D("2025-11-10")), days_late(D("2025-11-12"), D("2025-11-10"))) == (0, 2)
    assert points_of("lead", 0, 0, 0, 0) == 10
    assert points_of("support", 0, 1, 0, 0) == 5.5
    assert points_of("lead", 30, 0, 0, 0) == 5  # delay alone takes five at most
    assert points_of("support", 30, 4, 3, 2) == 0
    assert quarter_days(2025, 4) == (D("2025-10-01"), D("2025-12-31"))
    assert quarter_days(2024, 1)[1] == D("2024-03-31")


@pytest.mark.parametrize(
    ("day", "cycle", "wanted", "moved"),
    [
        ("2025-11-26", "weekly", 3, "2025-11-26"),
        ("2025-10-01", "monthly", 1, "2025-10-09"),  # national day, to the first day worked
        ("2025-09-28", "monthly", 28, "2025-09-28"),  # a Sunday that is worked
        ("2025-11-29", "monthly", 29, "2025-12-01"),
        ("2025-11-29", "weekly", 6, "2025-11-29"),  # Saturdays were chosen
        ("2025-10-04", "weekly", 6, "2025-10-09"),  # but not those of a holiday
    ],
)
def test_feedback_is_due_on_a_day_people_work(day: str, cycle: str, wanted: int, moved: str) -> None:
    assert on_working_day(D(day), cycle, wanted) == D(moved)
