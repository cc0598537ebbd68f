"""What supervision counts: lights by the time left, the days on which feedback is due, days late, points. Pure; days of the office."""

import datetime as dt
from typing import Final

import chinese_calendar

from server_stub.modules.engine.conditions import shifted
from server_stub.workflow.working_time import WorkingTime

GREEN_ABOVE: Final = 30
"""Percent of the time there was that must be left for a green light."""
EARLIER: Final = {"weekly": 1, "biweekly": 2, "monthly": 3}
"""How many days before it is due feedback is asked for."""
SATURDAY: Final = 6
LONGEST_HOLIDAY: Final = 15
"""Days looked ahead for one that is worked."""
BASE: Final = {"lead": 10.0, "support": 6.0}
DELAY_EACH, DELAY_MOST = 1.0, 5.0
YELLOW_EACH, MISSED_EACH, URGED_EACH = 2.0, 1.0, 0.5


def amber_day(start: dt.date, deadline: dt.date) -> dt.date:
    """The first day on which not more than 30 % of the days is left, today and the deadline counted; at the latest the deadline."""
    total = max((deadline - start).days + 1, 1)
    left = max(total * GREEN_ABOVE // 100, 1)
    return deadline - dt.timedelta(days=left - 1)


def light_on(day: dt.date, start: dt.date, deadline: dt.date) -> str:
    """green, amber or red."""
    if day > deadline:
        return "red"
    return "amber" if day >= amber_day(start, deadline) else "green"


def next_change(day: dt.date, start: dt.date, deadline: dt.date) -> dt.date:
    """The next day on which the light, or the number of days late, is another."""
    later = (one for one in (amber_day(start, deadline), deadline + dt.timedelta(days=1)) if one > day)
    return min(later, default=day + dt.timedelta(days=1))


def days_late(day: dt.date, deadline: dt.date) -> int:
    """How many days after the deadline; 0 when in time."""
    return max((day - deadline).days, 0)


def first_report(cycle: str, day: int, first: dt.date | None, start: dt.date) -> dt.date | None:
    """The day of the first feedback, after `start` unless it is named; None: only when asked.

    Args:
        day: of the week (1 is Monday, 7 at most) or of the month.
        first: named by somebody: all others are counted from it.
    """
    if cycle == "none":
        return None
    if first is not None:
        return first
    if cycle == "monthly":
        this = _in_month(start, day)
        return this if this > start else _in_month(shifted(start.replace(day=1), 1, "m"), day)
    after = start + dt.timedelta(days=1 if cycle == "weekly" else 8)
    return after + dt.timedelta(days=(min(day, 7) - after.isoweekday()) % 7)


def report_after(cycle: str, first: dt.date, day: int, after: dt.date) -> dt.date:
    """The first day of feedback after a day, counted from the first one; a month that is too short has it on its last day."""
    if after < first:
        return first
    if cycle == "monthly":
        wanted = first.day if first.day != _in_month(first, day).day else day
        this = _in_month(after, wanted)
        return this if this > after else _in_month(shifted(after.replace(day=1), 1, "m"), wanted)
    every = 7 if cycle == "weekly" else 14
    return first + dt.timedelta(days=((after - first).days // every + 1) * every)


def on_working_day(day: dt.date, cycle: str, wanted: int) -> dt.date:
    """The day itself, or the next one people work on when it is a holiday or falls on a weekend; a weekday of the weekend that was chosen stays."""
    work = WorkingTime()
    if cycle != "monthly" and wanted >= SATURDAY and day_is_plain_weekend(day):
        return day
    for _ in range(LONGEST_HOLIDAY):
        if work.is_worked(day):
            break
        day += dt.timedelta(days=1)
    return day


def day_is_plain_weekend(day: dt.date) -> bool:
    """A Saturday or Sunday that is no public holiday."""
    try:
        holiday, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:  # years that are not announced yet
        return day.isoweekday() >= SATURDAY
    return holiday and name is None


def points_of(part: str, delay: int, urged: int, yellow: int, missed: int) -> float:
    """What a finished item is worth to its unit; never less than nothing."""
    taken = min(delay * DELAY_EACH, DELAY_MOST) + yellow * YELLOW_EACH + missed * MISSED_EACH + urged * URGED_EACH
    return max(BASE.get(part, BASE["support"]) - taken, 0.0)


def quarter_days(year: int, quarter: int) -> tuple[dt.date, dt.date]:
    """The first and the last day of a quarter."""
    first = dt.date(year, quarter * 3 - 2, 1)
    return first, shifted(first, 3, "m") - dt.timedelta(days=1)


def _in_month(month: dt.date, day: int) -> dt.date:
    last = shifted(month.replace(day=1), 1, "m") - dt.timedelta(days=1)
    return month.replace(day=min(day, last.day))
