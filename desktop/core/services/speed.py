"""How fast a transfer goes: an average that forgets, so that a pause or a burst does not stay in the figure."""

from typing import Final

HALF_LIFE: Final = 3.0


class Speed:
    """Bytes per second of one run of one transfer."""

    def __init__(self) -> None:
        self._at: float | None = None
        self._count = 0
        self._speed = 0.0

    def after(self, now: float, count: int) -> float:
        """The speed after `count` bytes are through at `now` (seconds)."""
        if self._at is None:
            self._at, self._count = now, count
            return 0.0
        span = now - self._at
        if span <= 0:
            return self._speed
        fresh = max(0, count - self._count) / span
        weight = 0.5 ** (span / HALF_LIFE) if self._speed else 0.0
        self._speed = self._speed * weight + fresh * (1 - weight)
        self._at, self._count = now, count
        return self._speed
