"""One download: from the device that holds it ready, in pieces for somebody who reads meanwhile, or as a stream; sealed and compared in the end."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Final, Protocol

from desktop.core.domain import TransferState
from desktop.core.errors import BadFile, Offline, Rejected, StorageUnavailable
from desktop.core.net.transport import Download, Piece
from desktop.core.services.arriving import ArrivingBlob, NoPieces
from desktop.core.services.blobs import BlobCache, BlobPart
from desktop.core.services.context import Context
from desktop.core.services.direct import DirectFiles
from desktop.core.services.pace import Pace
from desktop.core.services.transfer_records import Record

KEEP_FREE: Final = 64 * 1024 * 1024
"""Bytes a download leaves on the disk: the store needs room too."""


Source = Callable[[str, str, int], Awaitable[Download]]
"""(blob id, name, offset) → the running download."""


class Downloads(Protocol):
    """What a download needs of the list it stands in."""

    def record(self, key: str) -> Record:
        """The record as it is now. Raises KeyError."""
        ...

    async def set_transfer(self, key: str, **changes: object) -> None:
        """Writes its transfer and tells."""
        ...

    def moved(self, key: str) -> Callable[[int], None]:
        """Who is told how many bytes are through."""
        ...


class Downloader:
    """Runs downloads. `arrivals`: the blobs that are read while they come, shared with the list."""

    def __init__(
        self,
        context: Context,
        cache: BlobCache,
        downloads: Downloads,
        pace: Pace,
        direct: DirectFiles,
        arrivals: dict[str, ArrivingBlob],
    ) -> None:
        self._context = context
        self._cache = cache
        self._downloads = downloads
        self._pace = pace
        self._direct = direct
        self._arrivals = arrivals

    async def run(self, key: str) -> None:
        """Until the blob is here. Raises Offline, Rejected, BadFile, StorageUnavailable."""
        blob_id = self._downloads.record(key).transfer.blob_id or ""
        if self._direct.is_coming(blob_id):
            await self._take(key, blob_id)
            return
        if blob_id in self._arrivals or self._cache.has_pieces(blob_id):
            with suppress(NoPieces):
                await self._in_pieces(key, blob_id)
                return
        try:
            await self._stream(key, blob_id, self._from_server)
        except Rejected as error:
            if self._downloads.record(key).awaited and error.data.get("type") == "notFound":
                raise Offline(reason="notYet") from error  # the device that held it gave up: it uploads it now
            raise

    async def _take(self, key: str, blob_id: str) -> None:
        """From the other one's device. What came stays when it is cut: the rest comes from the server."""
        try:
            await self._stream(key, blob_id, self._from_device)
        except (Offline, BadFile) as error:
            await self._direct.failed(blob_id, "cut" if isinstance(error, Offline) else "hash")
            await self._downloads.set_transfer(key, way="server")
            raise Offline(reason="direct") from error
        except StorageUnavailable:
            await self._direct.failed(blob_id, "disk")
            raise
        await self._direct.done(blob_id)

    async def _from_server(self, blob_id: str, name: str, offset: int) -> Download:
        return await self._context.transport.download(blob_id, name, offset)

    async def _from_device(self, blob_id: str, name: str, offset: int) -> Download:
        del name
        return self._direct.open(blob_id, offset)

    async def _stream(self, key: str, blob_id: str, source: Source) -> None:
        cpu = self._context.workers.cpu
        transfer = self._downloads.record(key).transfer
        part: BlobPart = await self._context.workers.opened(self._cache.part, blob_id)
        try:
            if await cpu(self._cache.free_bytes) < transfer.size - part.size + KEEP_FREE:
                raise StorageUnavailable(reason="diskFull")
            download = await source(blob_id, transfer.name, part.size)
            if download.offset != part.size:
                await cpu(part.restart)
            await self._downloads.set_transfer(key, size=download.size or transfer.size)
            moved = self._downloads.moved(key)
            async with aclosing(download.parts) as parts:
                async for data in parts:
                    await cpu(part.write, data)
                    moved(part.size)
                    await self._pace.take(len(data))
                    if blob_id in self._arrivals:
                        self._arrivals[blob_id].streamed(part.size)
            if part.size < download.size:
                raise Offline(reason="cut")
            await cpu(part.finish)
        finally:
            part.close()
        whole = self._downloads.record(key).transfer.size
        await self._downloads.set_transfer(key, state=TransferState.DONE, moved=whole)

    async def _in_pieces(self, key: str, blob_id: str) -> None:
        transfer, context = self._downloads.record(key).transfer, self._context
        arrival = self._arrivals.setdefault(blob_id, ArrivingBlob(self._cache, blob_id, transfer.size))

        async def fetch(offset: int, length: int) -> Piece | None:
            await context.tokens.ensure()
            await self._pace.take(length)
            return await context.transport.fetch_piece(blob_id, transfer.name, offset, length)

        await arrival.fetch(fetch, context.workers.cpu, context.clock, self._downloads.moved(key))
        await self._downloads.set_transfer(key, state=TransferState.DONE, size=arrival.size, moved=arrival.size)
