"""The office's working days, from the program's own data: read once."""

from functools import cache

from desktop.core.clock import local_minutes
from desktop.core.domain.working_time import WorkCalendar, calendar_of
from desktop.ui import i18n


@cache
def get_calendar() -> WorkCalendar:
    """Holidays and worked weekends of the years that are known."""
    return calendar_of((i18n.folder().parent / "calendar" / "workdays.json").read_bytes())


def worked_minutes(start: int, end: int) -> int:
    """Working minutes between two moments in ms, in the zone of this machine; 0 when `end` does not come after `start`."""
    return get_calendar().minutes_between(start, end, local_minutes(start))
