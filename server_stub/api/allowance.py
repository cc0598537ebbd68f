"""What one person may write: so many objects in a time, so many bytes in all. Turns both into the answers of the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server_stub.accounts.refusals import Refused
from server_stub.errors import SetError, SetErrorType
from server_stub.push.rates import RateLimiter
from server_stub.storage.quota import OverQuota, Quota, Room


class Allowance:
    """The limits of everybody; a part that is None limits nothing."""

    def __init__(self, rates: RateLimiter | None = None, quota: Quota | None = None) -> None:
        self._rates = rates
        self._quota = quota

    def take(self, person_id: str, wanted: int) -> int:
        """How many of so many writes are granted now."""
        return wanted if self._rates is None else self._rates.take(person_id, wanted)

    def refusal(self, person_id: str) -> SetError:
        """What an object of a /set is told that was not granted."""
        wait = 1 if self._rates is None else self._rates.wait_s(person_id)
        return SetError(SetErrorType.RATE_LIMIT, "too many writes in a short time", retryAfter=wait)

    def charge_one(self, person_id: str) -> None:
        """One write that is no object of a /set: an upload. Raises Refused rateLimit."""
        if self._rates is not None and not self._rates.take(person_id):
            raise Refused("rateLimit", "too many writes in a short time", retry_after=self._rates.wait_s(person_id))

    @asynccontextmanager
    async def room(self, person_id: str, size: int) -> AsyncIterator[Room | None]:
        """Hold room for a file of `size` bytes while it comes in; None where there is no quota. Raises Refused overQuota."""
        if self._quota is None:
            yield None
            return
        try:
            async with self._quota.room(person_id, size) as room:
                yield room
        except OverQuota as over:
            raise Refused("overQuota", f"you would keep {over.used} bytes, at most {over.limit}") from None
