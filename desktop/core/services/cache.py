"""Verbs of the sealed copies on this device: how much they take, and making room. What is kept offline or still on its way is never touched."""

from desktop.core.services.blobs import BlobCache
from desktop.core.services.case_keeping import CaseKeeping, blobs_in
from desktop.core.services.context import Context
from desktop.core.services.library import LibraryService
from desktop.core.services.transfers import TransferService


class CacheService:
    """Blobs of one account on this device."""

    def __init__(
        self,
        context: Context,
        blobs: BlobCache,
        transfers: TransferService,
        library: LibraryService,
        cases: CaseKeeping,
    ) -> None:
        self._context = context
        self._blobs = blobs
        self._transfers = transfers
        self._library = library
        self._cases = cases

    async def size(self) -> int:
        """Bytes on disk."""
        return await self._context.workers.cpu(self._blobs.used)

    async def clear(self) -> int:
        """Forgets all that may go; the bytes that became free."""
        return await self.trim(0)

    async def trim(self, limit: int, *, unused_since_ms: int | None = None) -> int:
        """Forgets what was not used for longest until the rest fits into `limit` bytes; the bytes that became free.

        Args:
            unused_since_ms: what nobody used since then (ms since 1970) goes in any case.
        """
        found = await self._context.workers.cpu(self._blobs.usage)
        over = sum(usage.size for usage in found) - limit
        stale_before = float("-inf") if unused_since_ms is None else unused_since_ms / 1000
        if over <= 0 and all(usage.used_at >= stale_before for usage in found):
            return 0
        needed = await self._needed()
        freed = 0
        for usage in sorted(found, key=lambda usage: usage.used_at):
            if freed >= over and usage.used_at >= stale_before:
                break
            if usage.blob_id not in needed:
                freed += await self._context.workers.cpu(self._blobs.delete_idle, usage)
        return freed

    async def _needed(self) -> set[str]:
        """Kept documents, files of open work, transfers under way, and whatever the outbox has not brought to the server."""
        edits = await self._context.db(self._context.store.load_edits)
        written = {blob for edit in edits for blob in (*blobs_in(edit.payload), edit.payload.get("signature"))}
        kept = await self._library.kept_blobs() | await self._cases.kept_blobs()
        return {str(blob) for blob in written if blob} | self._transfers.blobs_under_way() | kept
