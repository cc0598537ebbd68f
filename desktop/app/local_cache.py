"""The sealed files of the signed-in account, for the settings page and the hourly tidying: a short name for the core's cache verbs."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.core.services.session import Session


class LocalCache:
    """Its coroutines run on the core's thread. Where the files lie is the core's business, so the data folder is not looked at."""

    def __init__(self, data_dir: Path, session: "Session") -> None:
        del data_dir
        self._cache = session.cache

    async def size(self) -> int:
        """Bytes on disk."""
        return await self._cache.size()

    async def clear(self) -> int:
        """Forgets all that may go; the bytes that became free."""
        return await self._cache.clear()

    async def trim(self, limit: int, *, unused_since_ms: int | None = None) -> int:
        """Forgets what was not used for longest until the rest fits into `limit` bytes, and what was not used since a moment in any case."""
        return await self._cache.trim(limit, unused_since_ms=unused_since_ms)
