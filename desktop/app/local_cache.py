"""How much the sealed files of this device take, and making room: what is kept offline, or still on its way, is never touched."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

from desktop.core.domain import TransferState
from desktop.core.services.session import Session

BLOB_NAME = re.compile(r"([0-9a-f]{64})(\..+)?")
UNDER_WAY = frozenset({TransferState.WAITING, TransferState.RUNNING, TransferState.PAUSED, TransferState.HELD})


class LocalCache:
    """The blob files below one data folder. Its coroutines run on the core's thread, the disk work beside it."""

    def __init__(self, data_dir: Path, session: Session) -> None:
        self._folder = data_dir / "accounts"
        self._session = session

    async def size(self) -> int:
        """Bytes on disk."""
        return await asyncio.to_thread(lambda: sum(size for _, size, _ in self._files()))

    async def clear(self) -> int:
        """Forgets all that may go; the bytes that became free."""
        return await self.trim(0)

    async def trim(self, limit: int) -> int:
        """Forgets what was not opened for longest until the rest fits into `limit` bytes; the bytes that became free."""
        files = await asyncio.to_thread(lambda: sorted(self._files(), key=lambda file: file[2]))
        used = sum(size for _, size, _ in files)
        needed = await self._needed()
        freed = 0
        for blob_id, size, _ in files:
            if used - freed <= limit:
                break
            if blob_id in needed or not self._session.files.has(blob_id):
                continue
            await self._session.files.forget(blob_id)
            freed += size
        return freed

    async def _needed(self) -> set[str]:
        documents = await self._session.office.documents()
        kept = {document.blob_id for document in documents if document.kept}
        return kept | {t.blob_id for t in self._session.files.transfers() if t.blob_id and t.state in UNDER_WAY}

    def _files(self) -> Iterator[tuple[str, int, float]]:
        """Blob id, bytes, time of last use of each file."""
        for path in self._folder.glob("*/blobs/*/*"):
            found = BLOB_NAME.fullmatch(path.name)
            if found is None:
                continue
            try:
                info = path.stat()
            except FileNotFoundError:
                continue  # it went while we looked
            yield found[1], info.st_size, max(info.st_atime, info.st_mtime)
