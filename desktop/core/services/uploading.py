"""One upload from its first look at the file to the server's word: read and hashed, claimed where the server has it, else sent and compared."""

from collections.abc import Callable
from typing import Final, Protocol

import msgspec

from desktop.core.domain import Attachment
from desktop.core.errors import BadFile, Offline
from desktop.core.net.transport import BadUpload, ReadAt
from desktop.core.services.blobs import BlobCache
from desktop.core.services.context import Context
from desktop.core.services.direct import DirectFiles
from desktop.core.services.folder_zip import FolderList
from desktop.core.services.outgoing_files import Read, add_crcs, hash_source, proves, source_of
from desktop.core.services.pace import Pace
from desktop.core.services.transfer_records import FOLDERS, Record, changed

UPLOAD_TRIES: Final = 3


class Uploads(Protocol):
    """What an upload needs of the list it stands in."""

    def record(self, key: str) -> Record:
        """The record as it is now. Raises KeyError."""
        ...

    async def keep(self, record: Record) -> None:
        """Writes it and tells."""
        ...

    def moved(self, key: str) -> Callable[[int], None]:
        """Who is told how many bytes are through."""
        ...

    def checked(self, key: str, count: int) -> None:
        """So many bytes have been read before sending."""
        ...

    async def passed(self, key: str, direct_id: str, content: str) -> None:
        """It went from device to device; where the policy wants it the server gets it later."""
        ...


class Uploader:
    """Runs uploads; holds nothing between them."""

    def __init__(self, context: Context, cache: BlobCache, uploads: Uploads, pace: Pace, direct: DirectFiles) -> None:
        self._context = context
        self._cache = cache
        self._uploads = uploads
        self._pace = pace
        self._direct = direct

    async def run(self, key: str) -> str:
        """The blob's id once the server has it. Raises Offline, Rejected, BadFile."""
        record = self._uploads.record(key)
        size = record.transfer.size
        read = await self._source(key, record)
        content = record.content or await self._look_at(key, read, size)
        if record.upload_url is None and await self._claimed(record, read, content):
            now = self._uploads.record(key)
            await self._uploads.keep(changed(now, instant=True))
            return content
        if record.upload_url is None and record.conversation is not None and await self._passed(key, content, read):
            return content
        blob_id = await self._send(key, size, read)
        if blob_id != content:
            await self._forget(key)
            raise BadFile(reason="hash")
        return blob_id

    async def _passed(self, key: str, content: str, read: Read) -> bool:
        """Whether the other one of the talk has it, from this device to his; that it went so stands in the record."""
        record = self._uploads.record(key)
        transfer = record.transfer

        async def begun() -> None:
            await self._uploads.keep(changed(self._uploads.record(key), way="direct"))

        attachment = Attachment(content, transfer.name, record.content_type, transfer.size)
        went = await self._direct.pass_on(
            record.conversation or "", attachment, self._paced(read), self._uploads.moved(key), begun
        )
        if went.id is None and went.tried:
            await self._uploads.keep(changed(self._uploads.record(key), way="server", moved=0))
        elif went.id is not None:
            await self._uploads.passed(key, went.id, content)
        return went.id is not None

    async def _source(self, key: str, record: Record) -> Read:
        folder: FolderList | None = None
        if record.source.startswith("folder:"):
            folder = (await self._context.load_local(FOLDERS, FolderList)).get(key)
            if folder is not None and not folder.crcs:
                folder = await self._add_crcs(key, folder)
        return source_of(record, self._cache, folder)

    async def _add_crcs(self, key: str, folder: FolderList) -> FolderList:
        def counted(count: int) -> None:
            self._uploads.checked(key, count // 2)  # it is read once more for its hash

        known = await add_crcs(folder, self._context.workers, counted)
        await self._context.put_local(FOLDERS, key, known)
        return known

    async def _look_at(self, key: str, read: Read, size: int) -> str:
        record = self._uploads.record(key)
        kind, _, where = record.source.partition(":")
        if kind == "blob":
            return where
        half = kind == "folder"
        self._uploads.checked(key, size // 2 if half else 0)

        def counted(count: int) -> None:
            self._uploads.checked(key, (size + count) // 2 if half else count)

        content = await hash_source(read, size, self._context.workers, counted)
        kept = msgspec.structs.replace(changed(self._uploads.record(key), checked=None), content=content)
        await self._uploads.keep(kept)
        return content

    async def _claimed(self, record: Record, read: Read, content: str) -> bool:
        await self._context.tokens.ensure()  # a large file was being read for long
        prove = proves(read, content, self._context.workers)
        return await self._context.transport.claim(content, record.transfer.size, record.content_type, prove)

    async def _send(self, key: str, size: int, read: Read) -> str:
        transport = self._context.transport
        for _ in range(UPLOAD_TRIES):
            record = self._uploads.record(key)
            url = record.upload_url
            if url is None:
                url = await transport.create_upload(size, record.transfer.name, record.content_type)
                await self._uploads.keep(msgspec.structs.replace(self._uploads.record(key), upload_url=url))
            try:
                return await transport.upload(url, size, self._paced(read), self._uploads.moved(key))
            except BadUpload:  # forgotten by the server, or another offset than we believed: look again, else anew
                await self._forget(key)
        raise Offline(reason="upload")

    async def _forget(self, key: str) -> None:
        await self._uploads.keep(msgspec.structs.replace(self._uploads.record(key), upload_url=None))

    def _paced(self, read: Read) -> ReadAt:
        async def read_at(offset: int, length: int) -> bytes:
            portion = self._pace.portion(length)
            await self._pace.take(portion)
            await self._context.tokens.ensure()
            return await self._context.workers.cpu(read, offset, portion)

        return read_at
