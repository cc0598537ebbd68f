"""How long the files of records may be read on this device without the server's word, and a clock that never runs backward."""

from typing import Final

from desktop.core.errors import LeaseExpired
from desktop.core.services.context import Context

RECORD_DAYS: Final = 30
"""What the server's library gives its documents where nothing else is said."""
DAY_MS: Final = 86_400_000
RENEW_EVERY: Final = 3_600_000
"""Milliseconds: a lease this fresh is not written again."""
_CLOCK: Final = "clock"
_RECORDS: Final = "recordLease"
_KEY: Final = "latest"


class Leases:
    """Of one session."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def now(self) -> int:
        """Milliseconds; a clock that was set back does not stretch a lease: the latest time at which something was read counts."""
        latest = (await self._context.load_local(_CLOCK, int)).get(_KEY, 0)
        return max(self._context.clock.now_ms(), latest)

    async def check(self, until: int) -> None:
        """Raises LeaseExpired when that time, in ms, is over; else it is now that something is read."""
        now = await self.now()
        if now > until:
            raise LeaseExpired(until=until)
        await self._context.put_local(_CLOCK, _KEY, now)

    async def renew_records(self) -> int:
        """The server is there and this device has what it says: the lease of records' files begins anew. Until when, in ms."""
        now = self._context.clock.now_ms()  # the server has just been heard: a time that once ran ahead counts no more
        until = now + RECORD_DAYS * DAY_MS
        held = (await self._context.load_local(_RECORDS, int)).get(_KEY, 0)
        if not until - RENEW_EVERY < held <= until:
            await self._context.put_local(_RECORDS, _KEY, until)
            await self._context.put_local(_CLOCK, _KEY, now)
            held = until
        return held

    async def check_records(self) -> int:
        """Until when records' files may be read with the cable out, in ms. Raises LeaseExpired."""
        until = (await self._context.load_local(_RECORDS, int)).get(_KEY)
        if until is None:  # kept by a program that knew of no lease: it begins now
            until = await self.now() + RECORD_DAYS * DAY_MS
            await self._context.put_local(_RECORDS, _KEY, until)
        await self.check(until)
        return until
