"""Files on their way: persisted, a few at a time, paused and resumed by the user or by the network, with speed and time left."""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from desktop.core.domain import ArrivalState, Attachment, Direction, Transfer, TransferRules, TransferState
from desktop.core.errors import AppError, AuthExpired, BadFile, Offline, Rejected
from desktop.core.events import ChangeSet, EditRefused, MessageArrived, StatusChanged, TransferProgress
from desktop.core.services.arriving import EARLY_FROM, ArrivingBlob
from desktop.core.services.blobs import BlobCache
from desktop.core.services.context import Context
from desktop.core.services.device_files import DeviceFiles
from desktop.core.services.direct import DirectFiles
from desktop.core.services.downloading import Downloader
from desktop.core.services.folder_zip import FolderList
from desktop.core.services.pace import Pace
from desktop.core.services.speed import Speed
from desktop.core.services.transfer_intake import Intake, Taken
from desktop.core.services.transfer_records import FOLDERS, SPACE, Outgoing, Record, brings, changed
from desktop.core.services.uploading import Uploader
from desktop.core.sync import backoff
from desktop.core.sync.events import EditDropped, EditRetried
from desktop.core.sync.outbox import EditState

__all__ = ["Outgoing", "Record", "TransferService"]

RULES: Final = "transferRules"
AT_ONCE: Final = 3
REPORT_EVERY: Final = 0.25
WITH_A_SCREEN: Final = frozenset({"Message", "CaseEvent"})
"""What shows its own refusal, with all that was written: its files say nothing of it."""
BAD_FILES: Final = frozenset({"hash", "range", "damaged", "blobId"})
"""Reasons of BadFile for what the server sent."""
MOST_AWAITED: Final = 12
"""How often the server is asked for a file whose sender stopped in the middle of giving it directly: some minutes in all."""
NO_NETWORK: Final = frozenset({"offline", "unreachable"})


class TransferService(DeviceFiles):
    """All transfers of a session."""

    def __init__(self, context: Context, cache: BlobCache) -> None:
        super().__init__(context, cache)
        self._records: dict[str, Record] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._ended: dict[str, asyncio.Event] = {}
        self._speeds: dict[str, Speed] = {}
        self._reported: dict[str, float] = {}
        self._arrivals: dict[str, ArrivingBlob] = {}
        self._intake = Intake(cache)
        self._up, self._down = Pace(context.clock), Pace(context.clock)
        self.direct = DirectFiles(context, self)
        self._uploader = Uploader(context, cache, self, self._up, self.direct)
        self._downloader = Downloader(context, cache, self, self._down, self.direct, self._arrivals)
        self._rules = TransferRules()
        self._failures: dict[str, int] = {}
        self._unborn: set[str] = set()  # uploads whose message is not in the outbox yet

    async def start(self) -> None:
        """Takes up what an earlier run left, and tells the outbox what it missed."""
        self._records = await self._context.load_local(SPACE, Record)
        self._use((await self._context.load_local(RULES, TransferRules)).get("", TransferRules()))
        for key, record in self._records.items():
            if record.transfer.state in (TransferState.RUNNING, TransferState.WAITING):
                self._records[key] = changed(record, state=TransferState.HELD, checked=None)
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
                    self._records[key] = changed(record, state=TransferState.WAITING)
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

    def transfer(self, transfer_id: str) -> Transfer | None:
        """The transfer of an id, hidden ones too."""
        record = self._records.get(transfer_id)
        return record.transfer if record is not None else None

    def transfers(self) -> list[Transfer]:
        """Those a user knows of, newest last."""
        return [record.transfer for _, record in sorted(self._records.items()) if not record.hidden]

    async def pause(self, transfer_id: str) -> None:
        """Stops it; what is through stays."""
        record = self._records.get(transfer_id)
        if record is None or record.transfer.state in (TransferState.DONE, TransferState.FAILED):
            return
        await self.set_transfer(transfer_id, state=TransferState.PAUSED)
        await self._stop(transfer_id)

    async def resume(self, transfer_id: str) -> None:
        """Goes on where it stopped. Once more for what the server refused: the message or document it belongs to is sent again."""
        record = self._records.get(transfer_id)
        if record is None or record.transfer.state in (TransferState.DONE, TransferState.RUNNING):
            return
        through = record.transfer.direction is Direction.UP and record.transfer.blob_id is not None
        await self.set_transfer(transfer_id, state=TransferState.DONE if through else TransferState.WAITING, error=None)
        if record.transfer.message_id is not None:
            await self._context.driver.do(EditRetried(self._context.clock.monotonic(), record.transfer.message_id))
        self._pump()

    async def cancel(self, transfer_id: str) -> None:
        """Ends it for good; a message that waited for it is refused, a document that did is taken back. While it is unpacked, only that ends."""
        if transfer_id in self._unpacking:
            self._unpacking[transfer_id] = False
            return
        record = self._records.pop(transfer_id, None)
        if record is None:
            return
        await self._stop(transfer_id)
        await self._forget_record(record)
        if record.transfer.direction is Direction.UP and record.transfer.state is not TransferState.DONE:
            await self._drop_record(record.transfer.message_id)
            self._context.driver.upload_refused(transfer_id, "cancelled")
        elif record.transfer.blob_id and record.transfer.state is not TransferState.DONE:
            self._settle_arrival(record.transfer.blob_id, ArrivalState.FAILED, Rejected(type="cancelled"))
            await self.direct.failed(record.transfer.blob_id, "cancelled")
            await self._context.workers.cpu(self._cache.drop_sparse, record.transfer.blob_id)
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
                await self.set_transfer(key, state=TransferState.FAILED, error=event.code)

    async def clear_done(self) -> None:
        """Takes finished ones off the list."""
        done = {key: record for key, record in self._records.items() if record.transfer.state is TransferState.DONE}
        for key, record in done.items():
            self._records.pop(key, None)
            await self._forget_record(record)
        if done:
            self._context.bus.publish(ChangeSet("Transfer", removed=tuple(done)))

    async def _forget_record(self, record: Record) -> None:
        await self._context.put_local(SPACE, record.transfer.id, None)
        if record.source.startswith("folder:"):
            await self._context.put_local(FOLDERS, record.transfer.id, None)

    async def hasten(self, transfer_id: str) -> None:
        """Lets one go before all others that wait; a paused one goes on."""
        record = self._records.get(transfer_id)
        if record is None or record.transfer.state is TransferState.DONE:
            return
        first = min((one.rank for one in self._records.values()), default=0) - 1
        await self.keep(msgspec.structs.replace(record, rank=first))
        if record.transfer.state is TransferState.PAUSED:
            await self.resume(transfer_id)
        self._pump()

    async def pause_all(self) -> None:
        """Stops all that move or wait."""
        for key in self._in_state(TransferState.WAITING, TransferState.HELD, TransferState.RUNNING):
            if not self._records[key].hidden:
                await self.pause(key)

    async def resume_all(self) -> None:
        """Lets all paused ones go on."""
        for key in self._in_state(TransferState.PAUSED):
            if not self._records[key].hidden and key not in self._unborn:
                await self.resume(key)

    def _in_state(self, *states: TransferState) -> list[str]:
        return sorted(key for key, record in self._records.items() if record.transfer.state in states)

    async def direct_limit(self) -> int:
        """The largest file that may go from device to device, in bytes; 0: the server's policy allows none, or it is not known now."""
        with suppress(Offline, Rejected):
            policy = await self._context.transport.direct_policy()
            return policy.max_size if policy is not None else 0
        return 0

    def rules(self) -> TransferRules:
        """What the user wants of all transfers."""
        return self._rules

    async def set_rules(self, rules: TransferRules) -> None:
        """Keeps them; running transfers follow at once."""
        self._use(rules)
        await self._context.put_local(RULES, "", rules)

    def _use(self, rules: TransferRules) -> None:
        self._rules = rules
        self._up.set_limit(rules.up_limit)
        self._down.set_limit(rules.down_limit)

    def on_message(self, event: MessageArrived) -> None:
        """A colleague's file: it comes by itself where the user wants it so."""
        attachment, rules = event.message.attachment, self._rules
        if attachment is not None and attachment.blob_id:
            self._message_came(attachment.blob_id)
        if attachment is None or not attachment.blob_id or event.message.kind.value not in rules.receive:
            return
        if 0 < attachment.size <= rules.receive_up_to and not self._cache.has(attachment.blob_id):
            self._context.start(self._receive(attachment), f"receive.{attachment.blob_id[:8]}")

    def _message_came(self, blob_id: str) -> None:
        """What a device gave up half way is at the server now."""
        for key, record in list(self._records.items()):
            if record.awaited and record.transfer.blob_id == blob_id:
                held = record.transfer.state is TransferState.HELD and self._context.live
                now = changed(record, state=TransferState.WAITING) if held else record
                self._records[key] = msgspec.structs.replace(now, awaited=False)
        self._pump()

    async def _receive(self, attachment: Attachment) -> None:
        with suppress(BadFile):  # an id that is none: opening it by hand will say so
            await self.download(attachment)

    async def download(self, attachment: Attachment) -> Transfer:
        """Brings an attachment onto this device (sealed). One that is here is done at once."""
        self._cache.path(attachment.blob_id)  # refuses an id that is none
        for record in self._records.values():
            if brings(record.transfer, attachment.blob_id):
                await self.resume(record.transfer.id)
                return self._records[record.transfer.id].transfer
        return (await self._new_download(attachment, hidden=False)).transfer

    async def receive_direct(self, attachment: Attachment) -> None:
        """Somebody's device holds a file ready: it comes from there. Raises BadFile: its row is paused, or the id is none."""
        for record in self._records.values():
            if brings(record.transfer, attachment.blob_id) and record.transfer.state is TransferState.PAUSED:
                raise BadFile(reason="paused")  # the user's word: it is uploaded, and waits for him there
        transfer = await self.download(attachment)
        coming = self._records.get(transfer.id)
        if coming is not None and coming.transfer.state is not TransferState.DONE:
            await self.keep(msgspec.structs.replace(changed(coming, way="direct"), awaited=True))

    async def withdraw_direct(self, blob_id: str) -> None:
        """The sender thought better of it; what came of it is of no use to anybody."""
        for key, record in list(self._records.items()):
            if record.awaited and brings(record.transfer, blob_id):
                await self.cancel(key)

    async def passed(self, key: str, direct_id: str, content: str) -> None:
        """An upload that went from device to device; where the policy wants it the server gets it later, after all else."""
        record = self._records[key]
        if not await self.direct.keeps_copies():
            return
        last = max(one.rank for one in self._records.values()) + 1
        copy = Transfer(
            self._context.new_id(),
            Direction.UP,
            record.transfer.name,
            record.transfer.size,
            0,
            self._ready_state(),
            files=record.transfer.files,
        )
        if record.source.startswith("folder:"):
            lists = await self._context.load_local(FOLDERS, FolderList)
            await self._context.put_local(FOLDERS, copy.id, lists.get(key))
        hidden = msgspec.structs.replace(
            record, transfer=copy, hidden=True, rank=last, content=content, conversation=None, keeps=direct_id
        )
        await self.keep(hidden)

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
        record = self._coming(blob_id) or await self._new_download(Attachment(blob_id, name), hidden=quiet)
        ended = self._ended.setdefault(record.transfer.id, asyncio.Event())
        if not self._cache.has(blob_id):
            await ended.wait()
        if not self._cache.has(blob_id):
            left = self._records.get(record.transfer.id)
            code = left.transfer.error if left is not None else "cancelled"
            raise Offline(reason=code) if code is None or code in NO_NETWORK else Rejected(type=code)

    def _coming(self, blob_id: str) -> Record | None:
        """The download that brings a blob now."""
        under_way = (TransferState.RUNNING, TransferState.WAITING)
        found = (r for r in self._records.values() if brings(r.transfer, blob_id) and r.transfer.state in under_way)
        return next(found, None)

    async def arrive(self, attachment: Attachment, *, quiet: bool = True, keep: bool = True) -> ArrivingBlob | None:
        """A file to be read while it comes; `keep`: it may stay on this device. None where `open_bytes` serves as well: here, small, or no network."""
        blob_id = attachment.blob_id
        self._cache.path(blob_id)  # refuses an id that is none
        if self._cache.has(blob_id) or not self._context.live or attachment.size < EARLY_FROM:
            return None
        known = self._arrivals.get(blob_id)
        begun = next((r.transfer.id for r in self._records.values() if brings(r.transfer, blob_id)), None)
        if begun is not None and known is not None and known.size == attachment.size:
            await self.resume(begun)
            return known
        self._settle_arrival(blob_id, ArrivalState.FAILED)
        arrival = self._arrivals[blob_id] = ArrivingBlob(self._cache, blob_id, attachment.size, keep=keep)
        if begun is None:
            await self._new_download(attachment, hidden=quiet)
        else:  # what came in order stays, the rest comes as it is wished for
            if not quiet:
                self._records[begun] = msgspec.structs.replace(self._records[begun], hidden=False)
            await self.pause(begun)
            await self.resume(begun)
        return arrival

    def close(self) -> None:
        """The session ends: what came of files being read stays for the next one."""
        for arrival in self._arrivals.values():
            arrival.close()
            arrival.release()

    # ------------------------------------------------------------ what messages send
    async def take_picture(
        self, picture: Path | bytes, name: str | None, limit: int, *, hidden: bool = False
    ) -> Outgoing:
        """Seals a copy of a picture and reads its size; `hidden`: it is no file the user knows of. Raises BadFile."""
        taken = await self._context.workers.cpu(self._intake.picture, picture, name, limit)
        return await self._new_upload(taken, hidden=hidden)

    async def take_bytes(self, data: bytes, name: str, kind: str) -> Outgoing:
        """Seals what has no file yet (a recording); no transfer the user knows of."""
        taken = await self._context.workers.cpu(self._intake.data, data, name, kind)
        return await self._new_upload(taken, hidden=True)

    async def take_file(self, path: Path) -> Outgoing:
        """Notes a file of the user. Raises BadFile."""
        return await self._new_upload(await self._context.workers.cpu(self._intake.file, path))

    async def take_folder(self, path: Path) -> Outgoing:
        """Notes a folder of the user: it goes as one ZIP, made while it is sent (`folder_zip`). Raises BadFile."""
        return await self._new_upload(await self._context.workers.cpu(self._intake.folder, path))

    async def begin_upload(self, outgoing: Outgoing, edit_id: str, conversation_id: str | None = None) -> None:
        """The message (or document) is in the outbox: the file may go; in a talk of two (`conversation_id`) perhaps from device to device."""
        self._unborn.discard(outgoing.transfer_id)
        record = self._records.get(outgoing.transfer_id)
        if record is not None and not record.hidden and conversation_id is not None:
            self._records[outgoing.transfer_id] = msgspec.structs.replace(record, conversation=conversation_id)
        await self.set_transfer(outgoing.transfer_id, message_id=edit_id, state=self._ready_state())
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
        self._unborn.discard(outgoing.transfer_id)
        await self.set_transfer(outgoing.transfer_id, state=self._ready_state())
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
    async def _new_upload(self, taken: Taken, *, hidden: bool = False) -> Outgoing:
        attachment = taken.attachment
        kind, _, where = taken.source.partition(":")
        transfer = Transfer(
            self._context.new_id(),
            Direction.UP,
            attachment.name,
            attachment.size,
            0,
            TransferState.PAUSED,
            path=None if kind == "blob" else where,
            files=taken.folder.files if taken.folder is not None else 0,
        )
        if taken.folder is not None:
            await self._context.put_local(FOLDERS, transfer.id, taken.folder)
        self._unborn.add(transfer.id)
        record = Record(transfer, taken.source, taken.modified_ns, content_type=attachment.type, hidden=hidden)
        await self.keep(record)
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
        await self.keep(record)
        self._pump()
        return record

    def _ready_state(self) -> TransferState:
        return TransferState.WAITING if self._context.live else TransferState.HELD

    def _pump(self) -> None:
        waiting = [(r.rank, k) for k, r in self._records.items() if r.transfer.state is TransferState.WAITING]
        for _, key in sorted(waiting):
            record = self._records[key]
            if len(self._running) >= AT_ONCE and record.transfer.blob_id not in self._arrivals:
                continue  # somebody looks at what he reads: that waits for no other file
            if key not in self._running:
                self._records[key] = changed(record, state=TransferState.RUNNING, error=None)
                self._speeds[key] = Speed()
                self._running[key] = self._context.tasks.start(self._run(key), name=f"transfer.{key}")

    async def _run(self, key: str) -> None:
        try:
            await self._context.tokens.ensure()
            if self._records[key].transfer.direction is Direction.UP:
                await self._upload(key)
            else:
                await self._downloader.run(key)
            self._failures.pop(key, None)
        except Offline as error:
            if error.data.get("reason") == "notYet" and self._failures.get(key, 0) >= MOST_AWAITED:
                await self.set_transfer(key, state=TransferState.FAILED, error="notFound")
                return
            await self.set_transfer(key, state=TransferState.HELD, error=error.code)
            self._retry_later(key, error.data.get("retry_after"))
        except AuthExpired as error:
            self._context.tokens.spoil()
            await self.set_transfer(key, state=TransferState.HELD, error=error.code)
            self._retry_later(key)
        except AppError as error:
            code = str(error.data.get("type") or error.data.get("reason") or error.code)
            await self.set_transfer(key, state=TransferState.FAILED, error=code)
            record = self._records.get(key)
            if record is not None and record.keeps is not None:  # the file is gone or another one: its receiver has it
                await self._forget_record(self._records.pop(key))
            elif record is not None and record.transfer.direction is Direction.UP:
                self._context.driver.upload_refused(key, code)
        finally:
            self._running.pop(key, None)
            state = self._records[key].transfer.state if key in self._records else TransferState.FAILED
            self._tell_arrival(key)
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

    def _retry_later(self, key: str, least: object = None) -> None:
        """The line is there, it was only this transfer that fell: again by itself, later each time."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        wait = 2 * backoff.delay(failures, random.random())
        if isinstance(least, int | float):
            wait = max(wait, float(least))
        self._context.start(self._retry(key, wait), f"retry.{key}")

    async def _retry(self, key: str, wait: float) -> None:
        await asyncio.sleep(wait)
        record = self._records.get(key)
        if record is not None and record.transfer.state is TransferState.HELD and self._context.live:
            self._records[key] = changed(record, state=TransferState.WAITING)
            self._pump()

    async def _upload(self, key: str) -> None:
        blob_id = await self._uploader.run(key)
        if (direct_id := self._records[key].keeps) is not None:
            await self.direct.keep(direct_id)
        record = self._records[key]  # one that is hidden is gone as soon as it is done
        await self.set_transfer(key, state=TransferState.DONE, blob_id=blob_id, moved=record.transfer.size)
        if record.source.startswith("folder:"):
            await self._context.put_local(FOLDERS, key, None)
        if record.keeps is None:
            self._context.driver.upload_finished(key, blob_id)

    def _tell_arrival(self, key: str) -> None:
        """Whoever reads what this download brings hears how it stands."""
        record = self._records.get(key)
        if record is None or record.transfer.direction is Direction.UP:
            return
        transfer = record.transfer
        code = transfer.error
        if transfer.state is TransferState.FAILED:
            error = BadFile(reason=code) if code in BAD_FILES else Rejected(type=code or "failed")
            self._settle_arrival(transfer.blob_id or "", ArrivalState.FAILED, error)
        elif transfer.blob_id in self._arrivals:
            self._arrivals[transfer.blob_id].tell(ArrivalState.HELD, Offline(reason=code) if code else None)

    def _settle_arrival(self, blob_id: str, state: ArrivalState, error: AppError | None = None) -> None:
        arrival = self._arrivals.pop(blob_id, None)
        if arrival is not None:
            arrival.release()
            arrival.tell(state, error)

    def record(self, key: str) -> Record:
        """The record as it is now. Raises KeyError."""
        return self._records[key]

    def checked(self, key: str, count: int) -> None:
        """So many bytes of a file have been read before it is sent."""
        record = self._records.get(key)
        if record is not None:
            self._records[key] = changed(record, checked=count)
            self._report_sometimes(key, self._context.clock.monotonic())

    def _report_sometimes(self, key: str, now: float) -> None:
        if now - self._reported.get(key, 0.0) >= REPORT_EVERY:
            self._reported[key] = now
            self._report(self._records[key])

    def moved(self, key: str) -> Callable[[int], None]:
        """Who is told how many bytes of a transfer are through."""

        def moved(count: int) -> None:
            record = self._records.get(key)
            if record is None:
                return
            if count > record.transfer.moved:
                self._failures.pop(key, None)
            now = self._context.clock.monotonic()
            speed = self._speeds[key].after(now, count)
            left = (record.transfer.size - count) / speed if speed > 0 else None
            self._records[key] = changed(record, moved=count, speed=speed, seconds_left=left)
            self._report_sometimes(key, now)

        return moved

    # ------------------------------------------------------------ keeping
    async def set_transfer(self, key: str, **changes: object) -> None:
        """Changes a transfer, if it is still in the list, and tells."""
        record = self._records.get(key)
        if record is not None:
            if "state" in changes:
                changes = {"checked": None, **changes}
            await self.keep(changed(record, **changes))

    async def keep(self, record: Record) -> None:
        """Writes a record and tells of it."""
        self._records[record.transfer.id] = record
        if record.transfer.state is TransferState.DONE and record.transfer.direction is Direction.DOWN:
            self._settle_arrival(record.transfer.blob_id or "", ArrivalState.WHOLE)
        done_quietly = record.hidden and record.transfer.state is TransferState.DONE
        if done_quietly:
            del self._records[record.transfer.id]
        await self._context.put_local(SPACE, record.transfer.id, None if done_quietly else record)
        self._report(record)

    def _report(self, record: Record) -> None:
        if not record.hidden:
            self._context.bus.publish(TransferProgress(record.transfer))
