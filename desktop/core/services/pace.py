"""A speed limit shared by all transfers of one direction."""

import asyncio
from typing import Final

from desktop.core.clock import Clock

SLICE_S: Final = 0.5
SMALLEST: Final = 32 * 1024


class Pace:
    """Lets so many bytes a second go; 0: as fast as it gets. Belongs to the loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limit = 0
        self._free_at = 0.0
        self._changed = asyncio.Event()

    @property
    def limit(self) -> int:
        """Bytes per second."""
        return self._limit

    def set_limit(self, limit: int) -> None:
        """From now on; who waits for the old one is let go."""
        self._limit, self._free_at = limit, 0.0
        self._changed.set()
        self._changed = asyncio.Event()

    def portion(self, wanted: int) -> int:
        """How many of so many bytes to take at once: about half a second's worth, so that it flows and does not jump."""
        return wanted if not self._limit else min(wanted, max(SMALLEST, int(self._limit * SLICE_S)))

    async def take(self, count: int) -> None:
        """Waits until `count` bytes may go."""
        if not self._limit:
            return
        now = self._clock.monotonic()
        start = max(now, self._free_at)
        self._free_at = start + count / self._limit
        changed = self._changed
        if start > now:
            try:
                async with asyncio.timeout(start - now):
                    await changed.wait()
            except TimeoutError:
                return
