"""Working time on the client counts as the server's does: the same days, the same hours."""

import datetime as dt

import chinese_calendar
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.clock import parse_utc_date
from desktop.core.domain.working_time import WorkCalendar, calendar_of
from desktop.ui import i18n
from server_stub.workflow.working_time import WorkingTime

DATA = (i18n.folder().parent / "calendar" / "workdays.json").read_bytes()
CALENDAR = calendar_of(DATA)
YEARS = sorted(int(year) for year in msgspec.json.decode(DATA))


def test_the_days_are_those_the_state_council_announced() -> None:
    """A newer chinese-calendar knows another year: the file is written anew (docs/processes.md, Screens)."""
    assert YEARS[-1] == max(day.year for day in chinese_calendar.constants.holidays)
    day = dt.date(YEARS[0], 1, 1)
    while day.year <= YEARS[-1]:
        assert CALENDAR.is_worked(day) == chinese_calendar.is_workday(day), day
        day += dt.timedelta(days=1)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(parse_utc_date("2024-01-01T00:00:00Z"), parse_utc_date("2027-06-01T00:00:00Z")),
    st.integers(-3_600_000, 40 * 86_400_000),
    st.sampled_from([480, 0, -300, 345]),
)
def test_minutes_are_the_servers(start: int, length: int, zone: int) -> None:
    ours = CALENDAR.minutes_between(start, start + length, zone)
    assert ours == WorkingTime(utc_offset=zone).between(start, start + length)


def test_a_plain_week_where_nothing_is_known() -> None:
    friday = parse_utc_date("2040-06-01T09:00:00Z")  # 17:00 in Beijing
    assert WorkCalendar().minutes_between(friday, friday + 3 * 86_400_000, 480) == 30 + 420
