"""Working time as limits count it: the minutes worked between two moments, by the hours of the office, its holidays and the weekends worked instead.

The same days as the server's (server_stub/workflow/working_time.py): resources/calendar/workdays.json; later years have plain weekends.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

HOURS: Final = ((8 * 60 + 30, 12 * 60), (13 * 60 + 30, 17 * 60 + 30))
MINUTES_A_DAY: Final = sum(end - begin for begin, end in HOURS)
_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
LONGEST_DAYS: Final = 1100
"""Further away than three years nothing is counted in working time."""


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Days that are worked or not, where a plain week would say otherwise."""

    days: Mapping[date, bool] = field(default_factory=dict)

    def is_worked(self, day: date) -> bool:
        """Whether people work on that day."""
        return self.days.get(day, day.weekday() < 5)

    def minutes_between(self, start: int, end: int, zone: int) -> int:
        """Whole working minutes between two moments.

        Args:
            start, end: ms since 1970; 0 when `end` does not come after `start`.
            zone: minutes by which the office is ahead of UTC.
        """
        worked = 0
        for begin, finish in self._parts(start, zone):
            if begin >= end:
                break
            worked += min(finish, end) - begin
        return worked // _MINUTE_MS

    def _parts(self, start: int, zone: int) -> Iterator[tuple[int, int]]:
        local = datetime.fromtimestamp((start + zone * _MINUTE_MS) / 1000, UTC)
        midnight = (
            round(datetime(local.year, local.month, local.day, tzinfo=UTC).timestamp() * 1000) - zone * _MINUTE_MS
        )
        day = local.date()
        for count in range(LONGEST_DAYS):
            if self.is_worked(day + timedelta(days=count)):
                for begin, end in HOURS:
                    first = midnight + count * _DAY_MS + begin * _MINUTE_MS
                    last = midnight + count * _DAY_MS + end * _MINUTE_MS
                    if last > start:
                        yield max(first, start), last


def calendar_of(data: bytes) -> WorkCalendar:
    """The calendar a file holds: year → off, worked: days as MM-DD. What cannot be read counts as a plain week."""
    found: dict[str, Any] = msgspec.json.decode(data, type=dict[str, Any])
    days: dict[date, bool] = {}
    for year, lists in found.items():
        for word, is_worked in (("off", False), ("worked", True)):
            for one in lists.get(word, ()):
                days[date.fromisoformat(f"{year}-{one}")] = is_worked
    return WorkCalendar(days)
