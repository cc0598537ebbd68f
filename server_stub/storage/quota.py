"""How many bytes each person keeps on the server's disk: blobs uploaded, uploads begun, and what is on its way in.

A blob counts for each of its uploaders until it is dropped, referred to or not. Each file counts at least one disk block, so that
a million empty files are not for nothing either.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

import sqlalchemy as sa

from server_stub.errors import ServerError
from server_stub.storage.database import Database

BLOCK: Final = 4096


class OverQuota(ServerError):
    """The person would keep more than the quota allows. Sizes in bytes."""

    def __init__(self, used: int, limit: int) -> None:
        super().__init__(f"{used} of at most {limit} bytes")
        self.used = used
        self.limit = limit


class Quota:
    """The quota of every person. Belongs to the event loop."""

    def __init__(self, database: Database, limit: int, open_bytes: Callable[[str], int]) -> None:
        """
        Args:
            limit: bytes a person may keep.
            open_bytes: what a person's unfinished uploads will take.
        """
        self._database = database
        self._limit = limit
        self._open_bytes = open_bytes
        self._arriving: Counter[str] = Counter()

    async def used(self, person_id: str) -> int:
        """Bytes this person keeps, those on their way in included."""
        kept = await self._database.read(lambda conn: stored_bytes(conn, person_id))
        return kept + self._open_bytes(person_id) + self._arriving[person_id]

    @asynccontextmanager
    async def room(self, person_id: str, size: int) -> AsyncIterator[Room]:
        """Hold room for a file that is coming in; what came in must be registered before the block ends. Raises OverQuota."""
        room = Room(self, person_id)
        try:
            await room.grow(size)
            yield room
        finally:
            self.arrive(person_id, -room.size)

    def arrive(self, person_id: str, size: int) -> None:
        """So many bytes more (or less) are on their way in."""
        self._arriving[person_id] += size
        if not self._arriving[person_id]:
            del self._arriving[person_id]

    async def refuse_beyond(self, person_id: str) -> None:
        """Raises OverQuota when there is more than may be."""
        used = await self.used(person_id)
        if used > self._limit:
            raise OverQuota(used, self._limit)


class Room:
    """Room held for one file; `size` in bytes."""

    def __init__(self, quota: Quota, person_id: str) -> None:
        self._quota = quota
        self._person_id = person_id
        self.size = 0

    async def grow(self, size: int) -> None:
        """The file has (or will have) this size. Raises OverQuota."""
        wanted = max(size, BLOCK)
        if wanted > self.size:
            # Held before it is looked at: of two that come at once, never both find the last room.
            self._quota.arrive(self._person_id, wanted - self.size)
            self.size = wanted
            await self._quota.refuse_beyond(self._person_id)


def stored_bytes(conn: sa.Connection, person_id: str) -> int:
    """Bytes of all blobs a person has uploaded and that were not dropped since."""
    return int(
        conn.exec_driver_sql(
            "SELECT coalesce(sum(max(b.size, ?)), 0) FROM blob_uploader AS u JOIN blob AS b ON b.id = u.blob_id"
            " WHERE u.person_id = ?",
            (BLOCK, person_id),
        ).scalar_one()
    )
