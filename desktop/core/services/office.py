"""Verbs of office records: the workbench, notices, the library, documents kept for the day the cable is out."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from desktop.core.clock import utc_date
from desktop.core.domain import (
    Attachment,
    Audience,
    Document,
    Folder,
    LocalDocument,
    ModuleDefinition,
    Notice,
    NoticeLevel,
    ReadMark,
)
from desktop.core.errors import BadFile, LeaseExpired, Offline, Rejected
from desktop.core.events import ChangeSet
from desktop.core.ids import read_mark_id
from desktop.core.services.context import Context
from desktop.core.services.transfers import TransferService
from desktop.core.sync.outbox import Edit, EditKind

_KEPT: Final = "kept"
_CLOCK: Final = "clock"
_DAY_MS: Final = 86_400_000


class NoticeFilter(StrEnum):
    """Which notices."""

    ALL = "all"
    UNREAD = "unread"
    TO_CONFIRM = "toConfirm"
    MINE = "mine"


class Kept(msgspec.Struct, frozen=True):
    """A document kept on this device. `pinned`: the user wished it (else the policy did). Times in ms."""

    blob_id: str
    lease_until: int
    pinned: bool


class OfficeService:
    """Office records on this device."""

    def __init__(self, context: Context, transfers: TransferService) -> None:
        self._context = context
        self._transfers = transfers

    # ------------------------------------------------------------ workbench and notices
    async def modules(self) -> list[ModuleDefinition]:
        """The modules this server has, in their order."""
        found = await self._context.db(self._context.store.load_objects, "ModuleDefinition")
        modules = [value for value in found if isinstance(value, ModuleDefinition)]
        return sorted(modules, key=lambda module: (module.group, module.order, module.id))

    async def notices(self, which: NoticeFilter = NoticeFilter.ALL) -> list[Notice]:
        """Notices this user may see, pinned first, then the newest. Expired and withdrawn ones are for their author alone."""
        now, me = self._context.clock.now_ms(), self._context.me
        found = [self._marked(n, marks) for n, marks in await self._notices_with_marks()]
        shown = [n for n in found if n.author_id == me or _current(n, now)]
        match which:
            case NoticeFilter.UNREAD:
                shown = [n for n in shown if n.my_read_at is None and n.state == "published"]
            case NoticeFilter.TO_CONFIRM:
                shown = [n for n in shown if _to_confirm(n)]
            case NoticeFilter.MINE:
                shown = [n for n in shown if n.author_id == me]
            case NoticeFilter.ALL:
                pass
        return sorted(shown, key=lambda n: (not n.pinned, -(n.published_at or n.created_at), n.id))

    async def notice(self, notice_id: str) -> Notice | None:
        """One notice with this user's marks."""
        pairs = await self._notices_with_marks(notice_id)
        return self._marked(*pairs[0]) if pairs else None

    async def _notices_with_marks(self, notice_id: str | None = None) -> list[tuple[Notice, ReadMark | None]]:
        store, me = self._context.store, self._context.me

        def load() -> list[tuple[Notice, ReadMark | None]]:
            found = store.load_objects("Notice") if notice_id is None else [store.load_object("Notice", notice_id)]
            marks = _marks(store.load_objects("ReadMark"), store.load_edits(), me)
            return [(n, marks.get(n.id)) for n in found if isinstance(n, Notice)]

        return await self._context.db(load)

    def _marked(self, notice: Notice, mark: ReadMark | None) -> Notice:
        if mark is None:
            return notice
        return msgspec.structs.replace(notice, my_read_at=mark.read_at, my_confirmed_at=mark.confirmed_at)

    async def mark_read(self, record_id: str, record_type: str = "Notice") -> None:
        """This user opened the record. Queued offline; told once."""
        if await self._mark(record_id) is None:
            await self._put_mark(record_id, record_type, confirmed=False, exists=False)

    async def confirm(self, notice_id: str) -> None:
        """This user confirms a notice that asks for it."""
        mark = await self._mark(notice_id)
        if mark is None or mark.confirmed_at is None:
            await self._put_mark(notice_id, "Notice", confirmed=True, exists=mark is not None)

    async def _put_mark(self, record_id: str, record_type: str, *, confirmed: bool, exists: bool) -> None:
        key = read_mark_id(record_id, self._context.me)
        lane = f"mark:{key}"
        if exists:
            await self._context.edit(EditKind.UPDATE, "ReadMark", key, {"confirmed": True}, lane=lane)
        else:
            payload = {"recordType": record_type, "recordId": record_id, "confirmed": confirmed}
            await self._context.edit(EditKind.CREATE, "ReadMark", key, payload, lane=lane)
        self._context.bus.publish(ChangeSet(record_type, (record_id,)))

    async def _mark(self, record_id: str) -> ReadMark | None:
        store, me = self._context.store, self._context.me

        def load() -> ReadMark | None:
            marks = store.load_objects("ReadMark", parent=record_id)
            return _marks(marks, store.load_edits(), me).get(record_id)

        return await self._context.db(load)

    async def marks(self, record_id: str) -> list[ReadMark]:
        """Who read and confirmed a record, as far as this user may see."""
        found = await self._context.db(lambda: self._context.store.load_objects("ReadMark", parent=record_id))
        return [value for value in found if isinstance(value, ReadMark)]

    async def publish(
        self,
        title: str,
        body: str,
        *,
        level: NoticeLevel = NoticeLevel.NORMAL,
        audience: Audience,
        attachments: Sequence[Attachment] = (),
        pinned: bool = False,
        expires_at: int | None = None,
    ) -> str:
        """Publishes a notice; its id. Needs the server's word, so it is not queued.

        Raises:
            Offline, Rejected.
        """
        notice_id = self._context.new_id()
        notice: dict[str, Any] = {
            "title": title,
            "body": body,
            "level": level.value,
            "audience": msgspec.to_builtins(audience),
            "attachments": [_attachment(a) for a in attachments],
            "pinned": pinned,
            "state": "published",
        }
        if expires_at is not None:
            notice["expiresAt"] = utc_date(expires_at)
        await self._context.call_set("Notice", create={notice_id: notice})
        return notice_id

    async def update_notice(self, notice_id: str, patch: Mapping[str, Any]) -> None:
        """Changes a notice (author, publisher). `patch` has wire names. Raises Offline, Rejected."""
        await self._context.call_set("Notice", update={notice_id: dict(patch)})

    async def withdraw(self, notice_id: str, reason: str) -> None:
        """Takes a notice back; it leaves a trace. Raises Offline, Rejected."""
        await self.update_notice(notice_id, {"state": "withdrawn", "withdrawReason": reason})

    # ------------------------------------------------------------ the library
    async def folders(self) -> list[Folder]:
        """All folders this user may see."""
        found = await self._context.db(self._context.store.load_objects, "Folder")
        return sorted((v for v in found if isinstance(v, Folder)), key=lambda folder: (folder.name, folder.id))

    async def documents(self, folder_id: str | None = None) -> list[Document]:
        """The documents of a folder (None: all), the newest first, with what is kept of them."""
        found = await self._context.db(lambda: self._context.store.load_objects("Document", parent=folder_id))
        kept = await self._context.load_local(_KEPT, Kept)
        documents = [self._with_kept(v, kept.get(v.id)) for v in found if isinstance(v, Document)]
        return sorted(documents, key=lambda document: (-document.updated_at, document.id))

    async def document(self, document_id: str) -> Document | None:
        """One document."""
        found = await self._context.db(self._context.store.load_object, "Document", document_id)
        if not isinstance(found, Document):
            return None
        return self._with_kept(found, (await self._context.load_local(_KEPT, Kept)).get(document_id))

    def _with_kept(self, document: Document, kept: Kept | None) -> Document:
        if kept is None:
            return document
        here = self._transfers.has(document.blob_id)
        return msgspec.structs.replace(document, kept=here, lease_until=kept.lease_until)

    async def keep_offline(self, document_id: str, keep: bool) -> None:
        """Keeps a document on this device, or not any more.

        Raises:
            Rejected: its policy forbids it. Offline: it is not here and cannot be fetched now (it is fetched later).
        """
        document = await self.document(document_id)
        if document is None:
            raise Rejected(type="notFound")
        if not keep:
            await self._context.put_local(_KEPT, document_id, None)
            self._changed(document_id)
            return
        if document.offline.policy == "none":
            raise Rejected(type="offlineForbidden")
        await self._renew(document, pinned=True)
        await self._transfers.ensure(document.blob_id, document.name)
        self._changed(document_id)

    async def document_path(self, document_id: str) -> LocalDocument:
        """A document's bytes, from this device or from the server.

        Raises:
            Offline: it is not kept and there is no network. LeaseExpired: kept, but for too long without the server's word.
            Rejected: the server said no.
        """
        document = await self.document(document_id)
        if document is None:
            raise Rejected(type="notFound")
        rights = document.offline
        lease_until: int | None = None
        if self._context.live:
            if rights.policy != "none":
                kept = (await self._context.load_local(_KEPT, Kept)).get(document_id)
                await self._renew(document, pinned=bool(kept and kept.pinned))
        else:
            lease_until = await self._check_lease(document)
        data = await self._transfers.open_bytes(document.blob_id, document.name)
        if rights.policy == "none":
            await self._transfers.forget(document.blob_id)
        return LocalDocument(document.name, document.type, data, lease_until, rights.print, rights.copy)

    async def keep_by_policy(self) -> None:
        """Renews the leases of what is kept and fetches what the policy wants here. Called when the connection is live and quiet."""
        kept = await self._context.load_local(_KEPT, Kept)
        documents = {document.id: document for document in await self.documents()}
        for document_id in kept.keys() - documents.keys():  # deleted, or no longer ours to read
            await self._transfers.forget(kept[document_id].blob_id)
            await self._context.put_local(_KEPT, document_id, None)
        for document in documents.values():
            known = kept.get(document.id)
            if document.offline.policy == "none" and known is not None:
                await self._transfers.forget(known.blob_id)
                await self._context.put_local(_KEPT, document.id, None)
            elif known is not None or document.offline.policy == "always":
                await self._renew(document, pinned=bool(known and known.pinned))
                await self._fetch_quietly(document)

    async def _fetch_quietly(self, document: Document) -> None:
        try:
            await self._transfers.ensure(document.blob_id, document.name)
        except (Offline, Rejected, BadFile):
            return  # the next quiet moment tries again

    async def _renew(self, document: Document, *, pinned: bool) -> None:
        now = self._context.clock.now_ms()
        lease = now + max(1, document.offline.lease_days) * _DAY_MS
        await self._context.put_local(_KEPT, document.id, Kept(document.blob_id, lease, pinned))
        await self._context.put_local(_CLOCK, "latest", now)

    async def _check_lease(self, document: Document) -> int:
        kept = (await self._context.load_local(_KEPT, Kept)).get(document.id)
        if kept is None or not self._transfers.has(document.blob_id):
            raise Offline(reason="notKept")
        # A clock that was set back does not stretch a lease: the latest time ever seen counts.
        latest = (await self._context.load_local(_CLOCK, int)).get("latest", 0)
        now = max(self._context.clock.now_ms(), latest)
        if now > kept.lease_until:
            raise LeaseExpired(until=kept.lease_until)
        await self._context.put_local(_CLOCK, "latest", now)
        return kept.lease_until

    def _changed(self, document_id: str) -> None:
        self._context.bus.publish(ChangeSet("Document", (document_id,)))


def _current(notice: Notice, now: int) -> bool:
    return notice.state == "published" and (notice.expires_at is None or notice.expires_at > now)


def _to_confirm(notice: Notice) -> bool:
    wanted = notice.level is NoticeLevel.MUST_CONFIRM and notice.state == "published"
    return wanted and notice.my_confirmed_at is None


def _marks(found: Sequence[object], edits: Sequence[Edit], me: str) -> dict[str, ReadMark]:
    """This user's marks by record, those in the outbox too."""
    marks = {value.record_id: value for value in found if isinstance(value, ReadMark) and value.person_id == me}
    for edit in edits:
        if edit.type_name != "ReadMark":
            continue
        confirmed = edit.created_at if edit.payload.get("confirmed") else None
        if edit.kind is EditKind.CREATE:
            record_id = str(edit.payload.get("recordId", ""))
            record_type = str(edit.payload.get("recordType", ""))
            mark = ReadMark(edit.object_id, record_id, record_type, me, edit.created_at, confirmed)
            marks.setdefault(record_id, mark)
        else:
            for record_id, known in marks.items():
                if known.id == edit.object_id and confirmed is not None:
                    marks[record_id] = msgspec.structs.replace(known, confirmed_at=confirmed)
    return marks


def _attachment(attachment: Attachment) -> dict[str, Any]:
    return {
        "blobId": attachment.blob_id,
        "name": attachment.name,
        "type": attachment.type,
        "size": attachment.size,
    }
