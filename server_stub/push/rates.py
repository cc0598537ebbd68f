"""How often somebody may do something: a token bucket for each key. Pure but for the clock; belongs to one thread."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from server_stub.clock import Clock

MAX_BUCKETS: Final = 10_000  # past it the full ones, which say nothing, are dropped now and again


@dataclass(slots=True)
class _Bucket:
    """`level` tokens as of `at` (ms)."""

    level: float
    at: int


class RateLimiter:
    """`burst` at once, `per_second` in the long run, for each key by itself."""

    def __init__(self, clock: Clock, *, per_second: float, burst: int) -> None:
        self._clock = clock
        self._per_ms = per_second / 1000
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}
        self._sweep_at = MAX_BUCKETS

    def take(self, key: str, wanted: int = 1) -> int:
        """How many of `wanted` are granted now; they are used up."""
        bucket = self._refill(key)
        granted = min(wanted, int(bucket.level))
        bucket.level -= granted
        return granted

    def wait_s(self, key: str) -> int:
        """Whole seconds until one more is granted; at least 1, for a Retry-After."""
        missing = 1 - self._refill(key).level
        return max(1, math.ceil(missing / self._per_ms / 1000))

    def _refill(self, key: str) -> _Bucket:
        now = self._clock.now_ms()
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._sweep_at:
                self._drop_full(now)
            bucket = self._buckets[key] = _Bucket(float(self._burst), now)
            return bucket
        bucket.level = self._level(bucket, now)
        bucket.at = now
        return bucket

    def _level(self, bucket: _Bucket, now: int) -> float:
        # A clock that was set back grants nothing, and takes nothing away.
        return min(float(self._burst), bucket.level + max(0, now - bucket.at) * self._per_ms)

    def _drop_full(self, now: int) -> None:
        self._buckets = {key: one for key, one in self._buckets.items() if self._level(one, now) < self._burst}
        self._sweep_at = max(MAX_BUCKETS, 2 * len(self._buckets))  # all in use: not at every newcomer again
