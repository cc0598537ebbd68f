"""Files on their way: persisted, a few at a time, paused and resumed by the user or by the network, with speed and time left."""

import asyncio
import io
import mimetypes
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from desktop.core.domain import Attachment, Direction, Transfer, TransferState
from desktop.core.errors import AppError, AuthExpired, BadFile, Offline, Rejected
from desktop.core.events import ChangeSet, EditRefused, StatusChanged, TransferProgress
from desktop.core.net.transport import BadUpload
from desktop.core.services.blobs import BlobCache
from desktop.core.services.context import Context
from desktop.core.services.speed import Speed
from desktop.core.sync.events import EditDropped, EditRetried
from desktop.core.sync.outbox import EditState

_SPACE: Final = "transfers"
AT_ONCE: Final = 3
REPORT_EVERY: Final = 0.25
MAX_PIXELS: Final = 64_000_000
UPLOAD_TRIES: Final = 3
EDGES: Final = (96, 256, 1024)
WITH_A_SCREEN: Final = frozenset({"Message", "CaseEvent"})
"""What shows its own refusal, with all that was written: its files say nothing of it."""
NO_NETWORK: Final = frozenset({"offline", "unreachable"})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A file taken for sending: its transfer and what the message says of it."""

    transfer_id: str
    attachment: Attachment


class Record(msgspec.Struct, frozen=True):
    """On disk: the transfer and what it needs to go on. `source`: `path:…` a file of the user, `blob:…` a sealed copy."""

    transfer: Transfer
    source: str = ""
    modified_ns: int = 0
    upload_url: str | None = None
    content_type: str = "application/octet-stream"
    hidden: bool = False


class TransferService:
    """All transfers of a session."""

    def __init__(self, context: Context, cache: BlobCache) -> None:
        self._context = context
        self._cache = cache
        self._records: dict[str, Record] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._speeds: dict[str, Speed] = {}
        self._reported: dict[str, float] = {}

    async def start(self) -> None:
        """Takes up what an earlier run left, and tells the outbox what it missed."""
        self._records = await self._context.load_local(_SPACE, Record)
        for key, record in self._records.items():
            if record.transfer.state in (TransferState.RUNNING, TransferState.WAITING):
                self._records[key] = _with(record, state=TransferState.HELD)
        for edit in await self._context.db(self._context.store.load_edits):
            for transfer_id in (edit.upload, *(one for one, _ in edit.uploads)):
                if transfer_id is not None:
                    self._tell_outbox(transfer_id)

    def _tell_outbox(self, transfer_id: str) -> None:
        known = self._records.get(transfer_id)
        if known is None:
            self._context.driver.upload_refused(transfer_id, "missing")
        elif known.transfer.state is TransferState.DONE and known.transfer.blob_id:
            self._context.driver.upload_finished(transfer_id, known.transfer.blob_id)

    def on_status(self, event: StatusChanged) -> None:
        """The network is back: held transfers go on."""
        del event
        if self._context.live:
            for key, record in self._records.items():
                if record.transfer.state is TransferState.HELD:
                    self._records[key] = _with(record, state=TransferState.WAITING)
            self._pump()

    # ------------------------------------------------------------ verbs
    def of(self, edit_id: str) -> Transfer | None:
        """The transfer of the file an edit carries."""
        return next((r.transfer for r in self._records.values() if r.transfer.message_id == edit_id), None)

    def blobs_under_way(self) -> set[str]:
        """Blobs that a transfer which is not done brings, or sends."""
        open_ones = [record for record in self._records.values() if record.transfer.state is not TransferState.DONE]
        sources = {r.source.removeprefix("blob:") for r in open_ones if r.source.startswith("blob:")}
        return sources | {r.transfer.blob_id for r in open_ones if r.transfer.blob_id is not None}

    def transfers(self) -> list[Transfer]:
        """Those a user knows of, newest last."""
        return [record.transfer for _, record in sorted(self._records.items()) if not record.hidden]

    async def pause(self, transfer_id: str) -> None:
        """Stops it; what is through stays."""
        record = self._records.get(transfer_id)
        if record is None or record.transfer.state in (TransferState.DONE, TransferState.FAILED):
            return
        await self._set(transfer_id, state=TransferState.PAUSED)
        await self._stop(transfer_id)

    async def resume(self, transfer_id: str) -> None:
        """Goes on where it stopped. Once more for what the server refused: the message or document it belongs to is sent again."""
        record = self._records.get(transfer_id)
        if record is None or record.transfer.state in (TransferState.DONE, TransferState.RUNNING):
            return
        through = record.transfer.direction is Direction.UP and record.transfer.blob_id is not None
        await self._set(transfer_id, state=TransferState.DONE if through else TransferState.WAITING, error=None)
        if record.transfer.message_id is not None:
            await self._context.driver.do(EditRetried(self._context.clock.monotonic(), record.transfer.message_id))
        self._pump()

    async def cancel(self, transfer_id: str) -> None:
        """Ends it for good; a message that waited for it is refused, a document that did is taken back."""
        record = self._records.pop(transfer_id, None)
        if record is None:
            return
        await self._stop(transfer_id)
        await self._context.put_local(_SPACE, transfer_id, None)
        if record.transfer.direction is Direction.UP and record.transfer.state is not TransferState.DONE:
            await self._drop_record(record.transfer.message_id)
            self._context.driver.upload_refused(transfer_id, "cancelled")
        elif record.transfer.blob_id and record.transfer.state is not TransferState.DONE:
            await self._context.workers.cpu(self._cache.path(record.transfer.blob_id, ".part").unlink, True)
        self._finished(transfer_id)
        self._context.bus.publish(ChangeSet("Transfer", removed=(transfer_id,)))

    async def _drop_record(self, edit_id: str | None) -> None:
        """A message stays where its writer sees it; a document that never came to be has no other place than its transfer."""
        edits = await self._context.db(self._context.store.load_edits)
        if any(edit.id == edit_id and edit.type_name not in WITH_A_SCREEN for edit in edits):
            await self._context.driver.do(EditDropped(self._context.clock.monotonic(), str(edit_id)))

    def on_refused(self, event: EditRefused) -> None:
        """The server refused what a file was sent for: its transfer says so, to be tried again or taken back."""
        if event.type_name not in WITH_A_SCREEN:
            self._context.tasks.start(self._note_refusal(event), name="refusal")

    async def _note_refusal(self, event: EditRefused) -> None:
        edits = await self._context.db(self._context.store.load_edits)
        refused = {edit.id for edit in edits if edit.object_id == event.object_id and edit.state is EditState.REFUSED}
        for key, record in list(self._records.items()):
            if record.transfer.message_id in refused and record.transfer.state is TransferState.DONE:
                await self._set(key, state=TransferState.FAILED, error=event.code)

    async def clear_done(self) -> None:
        """Takes finished ones off the list."""
        done = tuple(key for key, record in self._records.items() if record.transfer.state is TransferState.DONE)
        for key in done:
            del self._records[key]
            await self._context.put_local(_SPACE, key, None)
        if done:
            self._context.bus.publish(ChangeSet("Transfer", removed=done))

    async def download(self, attachment: Attachment) -> Transfer:
        """Brings an attachment onto this device (sealed). One that is here is done at once."""
        self._cache.path(attachment.blob_id)  # refuses an id that is none
        for record in self._records.values():
            same = record.transfer.blob_id == attachment.blob_id and record.transfer.direction is Direction.DOWN
            if same and record.transfer.state is not TransferState.DONE:
                await self.resume(record.transfer.id)
                return self._records[record.transfer.id].transfer
        return (await self._new_download(attachment, hidden=False)).transfer

    async def forget(self, blob_id: str) -> None:
        """Deletes this device's copy of a blob."""
        await self._context.workers.cpu(self._cache.delete, blob_id)

    async def save_as(self, blob_id: str, target: Path) -> None:
        """A plain copy of a blob that is on this device, where the user wants it."""
        await self._context.workers.cpu(self._cache.copy_to, blob_id, target)

    def has(self, blob_id: str) -> bool:
        """Whether the blob is on this device."""
        return self._cache.has(blob_id)

    async def open_bytes(self, blob_id: str, name: str = "file", *, quiet: bool = True) -> bytes:
        """The plain bytes of a blob, fetched first where it is not here.

        Raises:
            Offline: it is not here and there is no network. BadFile: damaged.
        """
        await self.ensure(blob_id, name, quiet=quiet)
        return await self._context.workers.cpu(self._cache.read, blob_id)

    async def ensure(self, blob_id: str, name: str = "file", *, quiet: bool = True) -> None:
        """Makes sure a blob is on this device. Raises Offline, Rejected, BadFile."""
        if self._cache.has(blob_id):
            return
        if not self._context.live:
            raise Offline(reason="offline")
        going = next(
            (
                r
                for r in self._records.values()
                if r.transfer.blob_id == blob_id
                and r.transfer.direction is Direction.DOWN
                and r.transfer.state in (TransferState.RUNNING, TransferState.WAITING)
            ),
            None,
        )
        record = going or await self._new_download(Attachment(blob_id, name), hidden=quiet)
        ended = self._ended.setdefault(record.transfer.id, asyncio.Event())
        if not self._cache.has(blob_id):
            await ended.wait()
        if not self._cache.has(blob_id):
            left = self._records.get(record.transfer.id)
            code = left.transfer.error if left is not None else "cancelled"
            raise Offline(reason=code) if code is None or code in NO_NETWORK else Rejected(type=code)

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
            data = await cpu(_make_thumbnail, await cpu(self._cache.read, blob_id), edge)
        else:
            if not self._context.live:
                raise Offline(reason="offline")
            await self._context.tokens.ensure()
            data = await self._context.transport.thumbnail(blob_id, edge)
        await cpu(self._cache.put_thumbnail, blob_id, edge, data)
        return data

    # ------------------------------------------------------------ what messages send
    async def take_picture(
        self, picture: Path | bytes, name: str | None, limit: int, *, hidden: bool = False
    ) -> Outgoing:
        """Seals a copy of a picture and reads its size; `hidden`: it is no file the user knows of. Raises BadFile."""

        def take() -> tuple[str, str, str, int, int, int]:
            data = picture if isinstance(picture, bytes) else _read_limited(picture, limit)
            if len(data) > limit:
                raise BadFile(reason="tooLarge")
            kind, width, height = _picture_size(data)
            shown = name or (picture.name if isinstance(picture, Path) else f"picture.{kind.split('/')[-1]}")
            return self._cache.put(data), shown, kind, width, height, len(data)

        blob_id, shown, kind, width, height, size = await self._context.workers.cpu(take)
        attachment = Attachment(blob_id, shown, kind, size, width, height)
        return await self._new_upload(attachment, f"blob:{blob_id}", 0, hidden=hidden)

    async def take_file(self, path: Path) -> Outgoing:
        """Notes a file of the user. Raises BadFile."""
        try:
            stat = path.stat()
        except OSError as error:
            raise BadFile(reason="missing") from error
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        return await self._new_upload(Attachment("", path.name, kind, stat.st_size), f"path:{path}", stat.st_mtime_ns)

    async def begin_upload(self, outgoing: Outgoing, edit_id: str) -> None:
        """The message (or document) is in the outbox: the file may go."""
        await self._set(outgoing.transfer_id, message_id=edit_id, state=self._ready_state())
        self._pump()

    async def retry_of(self, message_id: str) -> None:
        """The file of a refused message goes again."""
        for record in list(self._records.values()):
            if record.transfer.message_id == message_id:
                await self.resume(record.transfer.id)

    async def cancel_of(self, message_id: str) -> None:
        """The message is taken back: so is its file."""
        for record in list(self._records.values()):
            if record.transfer.message_id == message_id:
                await self.cancel(record.transfer.id)

    async def upload_file(self, path: Path) -> Attachment:
        """Sends a file for a record (a notice's attachment) and waits for it.

        Raises:
            Offline, Rejected, BadFile.
        """
        if not self._context.live:
            raise Offline(reason="offline")
        outgoing = await self.take_file(path)
        ended = self._ended.setdefault(outgoing.transfer_id, asyncio.Event())
        await self._set(outgoing.transfer_id, state=self._ready_state())
        self._pump()
        blob_id: str | None = None
        try:
            await ended.wait()
            record = self._records.get(outgoing.transfer_id)
            code = (record.transfer.error if record else None) or "cancelled"
            blob_id = record.transfer.blob_id if record is not None else None
        finally:
            if blob_id is None:  # nobody waits for it any more: it must not go on by itself later
                await self.cancel(outgoing.transfer_id)
        if blob_id is None:
            raise Offline(reason=code) if code in NO_NETWORK else Rejected(type=code)
        return msgspec.structs.replace(outgoing.attachment, blob_id=blob_id)

    # ------------------------------------------------------------ the workers
    async def _new_upload(
        self, attachment: Attachment, source: str, modified_ns: int, *, hidden: bool = False
    ) -> Outgoing:
        path = source.removeprefix("path:") if source.startswith("path:") else None
        transfer = Transfer(
            self._context.new_id(), Direction.UP, attachment.name, attachment.size, 0, TransferState.PAUSED, path=path
        )
        record = Record(transfer, source, modified_ns, content_type=attachment.type, hidden=hidden)
        await self._keep(record)
        return Outgoing(transfer.id, attachment)

    async def _new_download(self, attachment: Attachment, *, hidden: bool) -> Record:
        here = self._cache.has(attachment.blob_id)
        state = TransferState.DONE if here else self._ready_state()
        transfer = Transfer(
            self._context.new_id(),
            Direction.DOWN,
            attachment.name,
            attachment.size,
            attachment.size if here else 0,
            state,
            blob_id=attachment.blob_id,
        )
        record = Record(transfer, content_type=attachment.type, hidden=hidden)
        await self._keep(record)
        self._pump()
        return record

    def _ready_state(self) -> TransferState:
        return TransferState.WAITING if self._context.live else TransferState.HELD

    def _pump(self) -> None:
        for key, record in sorted(self._records.items()):
            if len(self._running) >= AT_ONCE:
                return
            if record.transfer.state is TransferState.WAITING and key not in self._running:
                self._records[key] = _with(record, state=TransferState.RUNNING, error=None)
                self._speeds[key] = Speed()
                self._running[key] = self._context.tasks.start(self._run(key), name=f"transfer.{key}")

    async def _run(self, key: str) -> None:
        try:
            await self._context.tokens.ensure()
            if self._records[key].transfer.direction is Direction.UP:
                await self._upload(key)
            else:
                await self._download(key)
        except Offline as error:
            await self._set(key, state=TransferState.HELD, error=error.code)
        except AuthExpired as error:
            self._context.tokens.spoil()
            await self._set(key, state=TransferState.HELD, error=error.code)
        except AppError as error:
            code = str(error.data.get("type") or error.data.get("reason") or error.code)
            await self._set(key, state=TransferState.FAILED, error=code)
            if key in self._records and self._records[key].transfer.direction is Direction.UP:
                self._context.driver.upload_refused(key, code)
        finally:
            self._running.pop(key, None)
            state = self._records[key].transfer.state if key in self._records else TransferState.FAILED
            if state is not TransferState.PAUSED:
                self._finished(key)
            self._pump()

    def _finished(self, key: str) -> None:
        ended = self._ended.pop(key, None)
        if ended is not None:
            ended.set()

    async def _stop(self, key: str) -> None:
        task = self._running.get(key)
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def _upload(self, key: str) -> None:
        size = self._records[key].transfer.size
        for _ in range(UPLOAD_TRIES):
            record = self._records[key]
            url = record.upload_url
            if url is None:
                url = await self._context.transport.create_upload(size, record.transfer.name, record.content_type)
                await self._keep(msgspec.structs.replace(self._records[key], upload_url=url))
            try:
                blob_id = await self._context.transport.upload(url, size, self._reader(record), self._moved(key))
            except BadUpload:  # forgotten by the server, or another offset than we believed: look again, else anew
                await self._keep(msgspec.structs.replace(self._records[key], upload_url=None))
                continue
            await self._set(key, state=TransferState.DONE, blob_id=blob_id, moved=size)
            self._context.driver.upload_finished(key, blob_id)
            return
        raise Offline(reason="upload")

    def _reader(self, record: Record) -> Callable[[int, int], asyncio.Future[bytes]]:
        kind, _, where = record.source.partition(":")

        def read(offset: int, length: int) -> bytes:
            if kind == "blob":
                return self._cache.read(where, offset, length)
            return _read_unchanged(Path(where), record, offset, length)

        return lambda offset, length: asyncio.ensure_future(self._context.workers.cpu(read, offset, length))  # noqa: TID251 - awaited at once by the transport

    async def _download(self, key: str) -> None:
        transfer = self._records[key].transfer
        blob_id = transfer.blob_id or ""
        cpu = self._context.workers.cpu
        part = await cpu(self._cache.part, blob_id)
        try:
            download = await self._context.transport.download(blob_id, transfer.name, part.size)
            if download.offset != part.size:
                await cpu(part.restart)
            await self._set(key, size=download.size or transfer.size)
            moved = self._moved(key)
            async for data in download.parts:
                await cpu(part.write, data)
                moved(part.size)
            if part.size < download.size:
                raise Offline(reason="cut")
            await cpu(part.finish)
        finally:
            part.close()
        await self._set(key, state=TransferState.DONE, moved=self._records[key].transfer.size)

    def _moved(self, key: str) -> Callable[[int], None]:
        def moved(count: int) -> None:
            record = self._records.get(key)
            if record is None:
                return
            now = self._context.clock.monotonic()
            speed = self._speeds[key].after(now, count)
            left = (record.transfer.size - count) / speed if speed > 0 else None
            self._records[key] = _with(record, moved=count, speed=speed, seconds_left=left)
            if now - self._reported.get(key, 0.0) >= REPORT_EVERY:
                self._reported[key] = now
                self._report(self._records[key])

        return moved

    # ------------------------------------------------------------ keeping
    async def _set(self, key: str, **changes: object) -> None:
        record = self._records.get(key)
        if record is not None:
            await self._keep(_with(record, **changes))

    async def _keep(self, record: Record) -> None:
        self._records[record.transfer.id] = record
        done_quietly = record.hidden and record.transfer.state is TransferState.DONE
        if done_quietly:
            del self._records[record.transfer.id]
        await self._context.put_local(_SPACE, record.transfer.id, None if done_quietly else record)
        self._report(record)

    def _report(self, record: Record) -> None:
        if not record.hidden:
            self._context.bus.publish(TransferProgress(record.transfer))


def _with(record: Record, **changes: object) -> Record:
    return msgspec.structs.replace(record, transfer=msgspec.structs.replace(record.transfer, **changes))


def _read_unchanged(path: Path, record: Record, offset: int, length: int) -> bytes:
    """A piece of the user's file, as long as it is the file it was when the user sent it."""
    try:
        with open(path, "rb") as file:
            stat = os.fstat(file.fileno())
            if stat.st_size != record.transfer.size or stat.st_mtime_ns != record.modified_ns:
                raise BadFile(reason="changed")
            file.seek(offset)
            return file.read(length)
    except OSError as error:
        raise BadFile(reason="missing") from error


def _read_limited(path: Path, limit: int) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(limit + 1)
    except OSError as error:
        raise BadFile(reason="missing") from error


def _picture_size(data: bytes) -> tuple[str, int, int]:
    from PIL import Image  # loaded with the first picture: no start waits for it

    try:
        with Image.open(io.BytesIO(data)) as picture:
            width, height = picture.size
            kind = Image.MIME.get(picture.format or "", "application/octet-stream")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadFile(reason="noPicture") from error
    if width * height > MAX_PIXELS:
        raise BadFile(reason="tooLarge")
    return kind, width, height


def _make_thumbnail(data: bytes, edge: int) -> bytes:
    from PIL import Image

    _picture_size(data)
    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.thumbnail((edge, edge))
            target = io.BytesIO()
            picture.convert("RGBA" if "A" in picture.getbands() else "RGB").save(target, "WEBP", quality=85)
            return target.getvalue()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadFile(reason="noPicture") from error
