"""Working time of a Chinese office: from a moment so many working hours on, and the minutes worked between two moments.

Weekends, public holidays and the weekends worked instead of them (调休) come from chinese-calendar, which knows the years the State Council has announced;
later years count weekends only until it does. An office may say otherwise for single days.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

import chinese_calendar

MINUTE_MS: Final = 60_000
LONGEST_DAYS: Final = 3660
"""No limit reaches further than ten years; a calendar without a working day ends there."""
_LENGTH: Final = re.compile(r"(\d{1,4})([dhm])")
_UNITS: Final = {"h": 60, "m": 1}


class WorkingTimeError(ValueError):
    """Not a length of working time, or one that never ends."""


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """When an office works.

    Attributes:
        hours: (begin, end) of each part of a working day, in minutes since midnight, ascending.
        days: days that are (True) or are not (False) worked whatever the calendar says.
        utc_offset: minutes by which the office's local time is ahead of UTC.
    """

    hours: tuple[tuple[int, int], ...] = ((8 * 60 + 30, 12 * 60), (13 * 60 + 30, 17 * 60 + 30))
    days: Mapping[dt.date, bool] = field(default_factory=dict)
    utc_offset: int = 480

    @property
    def minutes_a_day(self) -> int:
        """How long a working day is."""
        return sum(end - begin for begin, end in self.hours)

    def is_worked(self, day: dt.date) -> bool:
        """Whether people work on that day."""
        said = self.days.get(day)
        return _is_workday(day) if said is None else said

    def add(self, start: int, length: str) -> int:
        """The moment at which `length` of working time has passed since `start`.

        Args:
            start: ms since the epoch.
            length: whole days, hours or minutes of work: "2d", "4h", "30m", "1d4h"; "0h" is `start` itself.

        Returns:
            ms since the epoch; inside working hours, or at the end of a part of the day.

        Raises:
            WorkingTimeError: not a length, or nobody works for ten years.
        """
        left = self.minutes(length) * MINUTE_MS
        if left == 0:
            return start
        for begin, end in self._parts(start):
            if end - begin >= left:
                return begin + left
            left -= end - begin
        raise WorkingTimeError("nobody works for ten years")

    def between(self, start: int, end: int) -> int:
        """Whole working minutes between two moments in ms; 0 when `end` does not come after `start`."""
        worked = 0
        for begin, finish in self._parts(start):
            if begin >= end:
                break
            worked += min(finish, end) - begin
        return worked // MINUTE_MS

    def minutes(self, length: str) -> int:
        """A length in working minutes. Raises WorkingTimeError."""
        parts = _LENGTH.findall(length)
        if not parts or "".join(number + unit for number, unit in parts) != length:
            raise WorkingTimeError(f"{length[:40]!r} is not a length of working time such as 2d, 4h or 30m")
        return sum(int(number) * _UNITS.get(unit, self.minutes_a_day) for number, unit in parts)

    def _parts(self, start: int) -> Iterator[tuple[int, int]]:
        """The worked parts of days from a moment on, in ms; the first one is cut at `start`."""
        zone = dt.timezone(dt.timedelta(minutes=self.utc_offset))
        day = dt.datetime.fromtimestamp(start / 1000, zone).date()
        for _ in range(LONGEST_DAYS):
            if self.is_worked(day):
                midnight = int(dt.datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * 1000
                for begin, end in self.hours:
                    first, last = midnight + begin * MINUTE_MS, midnight + end * MINUTE_MS
                    if last > start:
                        yield max(first, start), last
            day += dt.timedelta(days=1)


@lru_cache(maxsize=4096)
def _is_workday(day: dt.date) -> bool:
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:  # a year that is not announced yet
        return day.weekday() < 5
