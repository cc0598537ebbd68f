"""Verbs of office records: the workbench and notices here, the library beside it (library.py)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final

import msgspec

from desktop.core.clock import local_minutes, utc_date
from desktop.core.domain import (
    Attachment,
    Audience,
    ModuleDefinition,
    Notice,
    NoticeLevel,
    ReadMark,
    Record,
)
from desktop.core.domain.conditions import Facts
from desktop.core.errors import Offline
from desktop.core.events import ChangeSet
from desktop.core.ids import read_mark_id
from desktop.core.protocol.answers import GetAnswer
from desktop.core.protocol.objects import decode_object, value_of
from desktop.core.protocol.problems import ProtocolError
from desktop.core.services.library import LibraryService
from desktop.core.services.record_overlay import edits_of, lay
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import Store

WAITING: Final = ("submitted", "scheduled")
"""States in which a notice waits for a publisher or for its time; only those who may see it then have it."""


class NoticeFilter(StrEnum):
    """Which notices."""

    ALL = "all"
    UNREAD = "unread"
    TO_CONFIRM = "toConfirm"
    MINE = "mine"


class OfficeService(LibraryService):
    """Office records on this device."""

    # ------------------------------------------------------------ workbench and notices
    async def modules(self) -> list[ModuleDefinition]:
        """The modules this server has, in their order."""
        found = await self._context.db(self._context.store.load_objects, "ModuleDefinition")
        modules = [value for value in found if isinstance(value, ModuleDefinition)]
        return sorted(modules, key=lambda module: (module.group, module.order, module.id))

    async def notices(self, which: NoticeFilter = NoticeFilter.ALL) -> list[Notice]:
        """Notices this user may see, pinned first, then the newest. A withdrawn one stays as its trace (title, time, reason).

        Drafts and those whose time is over are for their author alone; those that wait for a publisher are for publishers too. What this device
        has written and not sent yet is among them, as it will be.
        """
        now, me = self._context.clock.now_ms(), self._context.me
        found = [self._marked(n, marks) for n, marks in await self._notices_with_marks()]
        shown = [n for n in found if n.author_id == me or n.state in WAITING or _current(n, now)]
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

        facts = self._facts()

        def load() -> list[tuple[Notice, ReadMark | None]]:
            edits = store.load_edits()
            stored = store.load_objects("Notice") if notice_id is None else [store.load_object("Notice", notice_id)]
            found = {n.id: n for n in stored if isinstance(n, Notice)}
            written, gone = _written(store, edits, facts)
            found |= {key: notice for key, notice in written.items() if notice_id in (None, key)}
            marks = _marks(store.load_objects("ReadMark"), edits, me)
            return [(n, marks.get(n.id)) for n in found.values() if n.id not in gone]

        return await self._context.db(load)

    def _facts(self) -> Facts:
        now = self._context.clock.now_ms()
        return Facts(self._context.me, (), now, local_minutes(now))

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

    async def fetch_notice(self, notice_id: str) -> Record | None:
        """The notice as the server tells it now: the count of a vote is not pushed to every reader with every ballot. None: it is gone.

        Raises:
            Offline, Rejected.
        """
        answer = await self._context.call("Notice/get", {"ids": [notice_id]}, GetAnswer)
        try:
            found = [decode_object("Notice", raw, self._context.me) for raw in answer.objects]
        except ProtocolError as error:
            raise Offline(reason="protocolError") from error
        return next((one for one in found if isinstance(one, Record)), None)

    async def remind(self, notice_id: str) -> None:
        """Alerts those who have not read or confirmed a notice. Not queued: a reminder that comes hours later reminds of nothing.

        Raises:
            Offline, Rejected: rateLimit: they were reminded less than an hour ago.
        """
        await self.update_notice(notice_id, {"action": "remind"})

    async def withdraw(self, notice_id: str, reason: str) -> None:
        """Takes a notice back; it leaves a trace. Raises Offline, Rejected."""
        await self.update_notice(notice_id, {"state": "withdrawn", "withdrawReason": reason})


def _written(store: Store, edits: Sequence[Edit], facts: Facts) -> tuple[dict[str, Notice], frozenset[str]]:
    """Notices as the outbox makes them, and the ids of those it destroys."""
    own = edits_of(edits, "Notice")
    if not own:
        return {}, frozenset()
    modules = (value for value in store.load_objects("ModuleDefinition") if isinstance(value, ModuleDefinition))
    type_ = next((one for module in modules for one in module.types if one.name == "Notice"), None)
    laid = lay(own, store.load_records("Notice", {edit.object_id for edit in own}), type_, facts)
    found: dict[str, Notice] = {}
    for record in laid.records.values():
        with suppress(ProtocolError):  # what the server may still refuse need not be a notice yet
            value = value_of(record, facts.me)
            if isinstance(value, Notice):
                found[value.id] = msgspec.structs.replace(value, pending=record.pending)
    return found, laid.hidden


def _current(notice: Notice, now: int) -> bool:
    return notice.state in ("published", "withdrawn") and (notice.expires_at is None or notice.expires_at > now)


def _to_confirm(notice: Notice) -> bool:
    wanted = notice.level is NoticeLevel.MUST_CONFIRM and notice.state == "published"
    return wanted and notice.my_confirmed_at is None


def _marks(found: Sequence[object], edits: Sequence[Edit], me: str) -> dict[str, ReadMark]:
    """This user's marks by record, those in the outbox too."""
    marks = {value.record_id: value for value in found if isinstance(value, ReadMark) and value.person_id == me}
    for edit in edits:
        if edit.type_name != "ReadMark" or edit.state is EditState.REFUSED:
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
