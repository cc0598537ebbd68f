"""Times of the demo office: everything lies before one `now`, in the local time zone of this machine, and can be said in words."""

import datetime as dt
import random
from dataclasses import dataclass
from typing import Final

from server_stub.clock import UTC

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS
SATURDAY: Final = 5
_WEEKDAYS: Final = "一二三四五六日"
_NUMBERS: Final = "零一二三四"


@dataclass(frozen=True, slots=True)
class Moments:
    """The moment the office is made (ms)."""

    now: int

    def local(self, at: int) -> dt.datetime:
        """A moment (ms) in local time."""
        return dt.datetime.fromtimestamp(at / 1000, UTC).astimezone()

    def day_at(self, days_ago: int, hour: int, minute: int) -> int:
        """A time of day some days ago (ms)."""
        day = self.local(self.now - days_ago * DAY_MS)
        return int(day.replace(hour=hour, minute=minute, second=0, microsecond=0).timestamp() * 1000)

    def is_workday(self, days_ago: int) -> bool:
        """Monday to Friday."""
        return self.local(self.now - days_ago * DAY_MS).weekday() < SATURDAY

    def office_time(self, rng: random.Random, days_ago: int, *, round_the_clock: bool = False) -> int:
        """Some moment of a working day (ms), more in the morning; of the whole waking day when asked."""
        if round_the_clock:
            hour = rng.choice((7, 8, 9, 9, 10, 10, 11, 14, 15, 15, 16, 17, 18, 19, 20, 21, 22))
        else:
            hour = rng.choice((8, 9, 9, 9, 10, 10, 10, 11, 14, 14, 15, 15, 16, 16, 17))
        at = self.day_at(days_ago, hour, rng.randrange(60)) + rng.randrange(60_000)
        return at + (30 * MINUTE_MS if hour == 8 and not round_the_clock else 0)

    def words(self, at: int, rng: random.Random) -> dict[str, str]:
        """The slots of time, as somebody who speaks at that moment would say them."""
        day = self.local(at)
        deadline = self._workday_after(day, rng.randint(2, 4))
        last_month = day.replace(day=1) - dt.timedelta(days=1)
        return {
            "today": _date(day),
            "tomorrow": _date(day + dt.timedelta(days=1)),
            "deadline": _date(deadline),
            "friday": "本周五" if day.weekday() < SATURDAY - 1 else "下周五",
            "weekday": "周" + _WEEKDAYS[rng.randrange(1, 5)],
            "month": str(day.month),
            "last_month": str(last_month.month),
            "year": str(day.year),
            "next_year": str(day.year + 1),
            "last_year": str(day.year - 1),
            "quarter": _NUMBERS[(day.month - 1) // 3 + 1] + "季度",
            "halfday": rng.choice(("上午下班前", "下午", "明天上午")),
            "date": f"{day.year}年{day.month}月{day.day}日",
        }

    def _workday_after(self, day: dt.datetime, days: int) -> dt.datetime:
        later = day + dt.timedelta(days=days)
        while later.weekday() >= SATURDAY:
            later += dt.timedelta(days=1)
        return later


def _date(day: dt.datetime) -> str:
    return f"{day.month}月{day.day}日"
