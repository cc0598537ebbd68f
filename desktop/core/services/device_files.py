"""What this device holds of files: thumbnails, pages, plain copies where the user wants them, folders out of their archives."""

import asyncio
from pathlib import Path
from typing import Final

from desktop.core.domain import Transfer
from desktop.core.errors import BadFile, Offline, Rejected
from desktop.core.services.blobs import BlobCache
from desktop.core.services.context import Context
from desktop.core.services.downloading import KEEP_FREE
from desktop.core.services.folder_unzip import FolderArchive
from desktop.core.services.pictures import make_thumbnail

EDGES: Final = (96, 256, 1024)
PAGES: Final = 0
"""What the pages of an office document are kept as, beside the thumbnails of pictures: they come and go with the blob."""
PAGES_WITHIN_S: Final = 15.0
"""How long a reader waits for pages before the document is shown without."""


class DeviceFiles:
    """The part of the transfers that moves nothing over the network but small pictures and pages."""

    def __init__(self, context: Context, cache: BlobCache) -> None:
        self._context = context
        self._cache = cache
        self._unpacking: dict[str, bool] = {}  # by transfer: whether it is to go on

    # ------------------------------------------------------------ of the list
    def transfer(self, transfer_id: str) -> Transfer | None:
        """The transfer of an id."""
        raise NotImplementedError

    def checked(self, key: str, count: int) -> None:
        """So many bytes of a file have been read, or unpacked."""
        raise NotImplementedError

    async def set_transfer(self, key: str, **changes: object) -> None:
        """Changes a transfer, if it is still in the list, and tells."""
        raise NotImplementedError

    # ------------------------------------------------------------ files
    async def forget(self, blob_id: str) -> None:
        """Deletes this device's copy of a blob."""
        await self._context.workers.cpu(self._cache.delete, blob_id)

    async def save_as(self, blob_id: str, target: Path) -> None:
        """A plain copy of a blob that is on this device, where the user wants it."""
        await self._context.workers.cpu(self._cache.copy_to, blob_id, target)

    async def save_into(self, transfer_id: str, folder: Path) -> Path | None:
        """A plain copy of a finished download in a folder, under a name that is free there; the transfer points at it from then on.

        A folder that was sent becomes a folder again; None also when that was cancelled on the way.

        Raises:
            StorageUnavailable: diskFull, noRights, disk. BadFile: it is not on this device any more.
        """
        transfer = self.transfer(transfer_id)
        if transfer is None or transfer.blob_id is None or transfer_id in self._unpacking:
            return None
        blob_id, name = transfer.blob_id, transfer.name
        archive = await self._folder_of(blob_id, name)
        target: Path | None
        if archive is not None:
            target = await self._unpack(transfer_id, archive, folder)
        else:
            target = await self._context.workers.cpu(self._cache.copy_into, blob_id, folder, name)
        if target is None:
            return None
        await self.set_transfer(transfer_id, path=str(target))
        return target

    async def _unpack(self, transfer_id: str, archive: FolderArchive, folder: Path) -> Path | None:
        """The folder out of its archive, a step at a time; the row tells how far. None when it was cancelled: nothing of it is left."""
        steps = archive.unpack(folder)
        self._unpacking[transfer_id] = True

        def step() -> tuple[int, Path | None]:
            try:
                return next(steps), None
            except StopIteration as end:
                return archive.content, end.value

        made: Path | None = None
        try:
            while made is None and self._unpacking[transfer_id]:
                count, made = await self._context.workers.cpu(step)
                self.checked(transfer_id, count)
        finally:
            del self._unpacking[transfer_id]
            await self._context.workers.cpu(steps.close)
            archive.close()
            await self.set_transfer(transfer_id, checked=None)
        return made

    async def is_folder(self, blob_id: str, name: str) -> bool:
        """Whether a blob that is on this device is a folder that was sent."""
        archive = await self._folder_of(blob_id, name)
        if archive is not None:
            archive.close()
        return archive is not None

    async def _folder_of(self, blob_id: str, name: str) -> FolderArchive | None:
        try:
            return await self._context.workers.opened(self._cache.folder, blob_id, name)
        except BadFile as error:
            if error.data.get("reason") == "archive":
                return None
            raise

    def has(self, blob_id: str) -> bool:
        """Whether the blob is on this device."""
        return self._cache.has(blob_id)

    async def has_room(self, size: int) -> bool:
        """Whether the disk takes a file of so many bytes, and leaves the store its room."""
        return await self._context.workers.cpu(self._cache.free_bytes) >= size + KEEP_FREE

    async def thumbnail(self, blob_id: str, edge: int) -> bytes:
        """A small picture of a blob: edge 96, 256 or 1024 px. From this device, made here when the blob is, else from the server.

        Raises:
            Offline, Rejected, BadFile.
        """
        if edge not in EDGES:
            raise BadFile(reason="edge")
        cpu = self._context.workers.cpu
        kept = await cpu(self._cache.thumbnail, blob_id, edge)
        if kept is not None:
            return kept
        if self._cache.has(blob_id):
            data = await cpu(make_thumbnail, await cpu(self._cache.read, blob_id), edge)
        else:
            if not self._context.live:
                raise Offline(reason="offline")
            await self._context.tokens.ensure()
            data = await self._context.transport.thumbnail(blob_id, edge)
        await cpu(self._cache.put_thumbnail, blob_id, edge, data)
        return data

    async def pages(self, blob_id: str, suffix: str, *, keep: bool) -> bytes:
        """An office document as PDF, where the server makes one: from this device, else from there. Empty: there is none, or not in time."""
        cpu = self._context.workers.cpu
        kept = await cpu(self._cache.thumbnail, blob_id, PAGES)
        if kept is not None or not self._context.live:
            return kept or b""
        try:
            async with asyncio.timeout(PAGES_WITHIN_S):
                await self._context.tokens.ensure()
                data = await self._context.transport.rendition(blob_id, suffix) or b""
        except (TimeoutError, Offline, Rejected):  # the document is read as it is; asked again, the server may have it
            return b""
        if data and keep:
            await cpu(self._cache.put_thumbnail, blob_id, PAGES, data)
        return data
