"""Times, sizes and lengths of time in words. Times come in as ms since 1970 and are shown in the machine's zone."""

from datetime import datetime

from desktop.core.clock import Clock, SystemClock
from desktop.ui.i18n import language, tr

DAY_MS = 86_400_000
_UNITS = ("B", "KB", "MB", "GB", "TB")


def _local(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000).astimezone()


def days_apart(ms: int, now_ms: int) -> int:
    """Calendar days from a time to now; 0 is today, negative is ahead."""
    return (_local(now_ms).date() - _local(ms).date()).days


def clock(ms: int) -> str:
    """HH:MM."""
    return _local(ms).strftime("%H:%M")


def date(ms: int) -> str:
    """YYYY-MM-DD."""
    return _local(ms).strftime("%Y-%m-%d")


def date_time(ms: int) -> str:
    """YYYY-MM-DD HH:MM."""
    return _local(ms).strftime("%Y-%m-%d %H:%M")


def short(ms: int, now_ms: int) -> str:
    """For lists: 10:42, 昨天, 周五 (within a week), 10-21 (this year), 2025-10-21."""
    if not ms:
        return ""
    apart = days_apart(ms, now_ms)
    if apart == 0:
        return clock(ms)
    if apart == 1:
        return tr("when.yesterday")
    moment = _local(ms)
    if 1 < apart < 7:
        return tr(f"when.weekday.{moment.weekday()}")
    return moment.strftime("%m-%d") if moment.year == _local(now_ms).year else moment.strftime("%Y-%m-%d")


def separator(ms: int, now_ms: int) -> str:
    """For the line between days of a talk: 今天 10:28, 昨天 09:00, 周五 17:30, 10-21 08:00."""
    if days_apart(ms, now_ms) == 0:
        return tr("when.today_at", time=clock(ms))
    return tr("when.day_at", day=short(ms, now_ms), time=clock(ms))


def size(count: float) -> str:
    """Bytes in words: 812 B, 18.4 MB."""
    unit = 0
    while count >= 1000 and unit < len(_UNITS) - 1:  # 999 KB reads better than 0.98 MB
        count, unit = count / 1024, unit + 1
    return f"{count:.0f} {_UNITS[unit]}" if unit == 0 or count >= 100 else f"{count:.1f} {_UNITS[unit]}"


def speed(bytes_per_second: float) -> str:
    """6.2 MB/s."""
    return f"{size(bytes_per_second)}/s"


def duration(seconds: float) -> str:
    """2 秒, 3 分钟, 1 小时 5 分."""
    whole = max(0, round(seconds))
    if whole < 60:
        return tr("when.seconds", n=whole)
    if whole < 3600:
        return tr("when.minutes", n=round(whole / 60))
    return tr("when.hours_minutes", hours=whole // 3600, minutes=whole % 3600 // 60)


def list_join(names: list[str]) -> str:
    """Names in a row, with the language's comma."""
    return ("、" if language() == "zh" else ", ").join(names)


class _Time:
    """The clock screens read; tests set their own."""

    clock: Clock = SystemClock()


def use_clock(clock: Clock) -> None:
    """Makes screens take the time from `clock`."""
    _Time.clock = clock


def now() -> int:
    """Wall time in ms, for texts relative to now."""
    return _Time.clock.now_ms()
