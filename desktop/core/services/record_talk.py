"""Verbs of what people say about records: comments, history, following, cards in conversations."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from desktop.core.clock import parse_utc_date
from desktop.core.domain import Attachment, Comment, Record, RecordChange
from desktop.core.errors import Offline
from desktop.core.protocol.answers import GetAnswer, QueryAnswer
from desktop.core.services.record_edits import RecordEdits
from desktop.core.services.record_query import Asking
from desktop.core.services.record_scene import FOLLOWS, Scene
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import Store

COMMENT: Final = "Comment"
_HISTORY: Final = "history"
_MAX_HISTORIES: Final = 200
_GET_PAGE: Final = 500


class RecordTalk(RecordEdits):
    """Comments, history, followers."""

    async def comments(self, record_id: str) -> list[Comment]:
        """What was said about a record, the oldest first; what is on its way stands last."""
        store, me = self._context.store, self._context.me

        def load() -> list[Comment]:
            found = [one for one in store.load_objects(COMMENT, parent=record_id) if isinstance(one, Comment)]
            edits = [edit for edit in store.load_edits() if edit.type_name == COMMENT]
            gone = {edit.object_id for edit in edits if edit.kind is EditKind.DESTROY}
            known = {one.id for one in found}
            waiting = [
                _pending(edit, me)
                for edit in edits
                if edit.kind is EditKind.CREATE
                and edit.payload.get("recordId") == record_id
                and edit.object_id not in known
            ]
            shown = sorted(found, key=lambda one: (one.created_at, one.id)) + waiting
            return [one for one in shown if one.id not in gone]

        return await self._context.db(load)

    async def comment(
        self, record: Record, text: str, mentions: Sequence[str] = (), attachments: Sequence[Attachment] = ()
    ) -> None:
        """Says something about a record; queued."""
        payload: dict[str, Any] = {"recordType": record.type, "recordId": record.id, "text": text}
        if mentions:
            payload["mentions"] = list(mentions)
        if attachments:
            payload["attachments"] = [
                {"blobId": one.blob_id, "name": one.name, "type": one.type, "size": one.size} for one in attachments
            ]
        await self._queue(EditKind.CREATE, COMMENT, self._context.new_id(), payload, about=record.id)

    async def delete_comment(self, id: str) -> None:
        """Takes an own comment back; one that has not reached the server just leaves the outbox."""
        for edit in await self._edits(COMMENT):
            if edit.object_id == id and edit.kind is EditKind.CREATE and await self._withdraw(edit):
                return
        await self._queue(EditKind.DESTROY, COMMENT, id, {})

    # ------------------------------------------------------------ history
    async def history(self, record: Record) -> list[RecordChange]:
        """Who changed what, the newest first. Asks the server; offline, what was seen last.

        Raises:
            Offline: nobody can be asked, and it was never seen. Rejected.
        """
        try:
            found = await self._fetch_history(record)
        except Offline:
            known = (await self._context.load_local(_HISTORY, _Seen)).get(record.id)
            if known is None:
                raise
            return list(known.changes)
        await self._keep_history(record.id, found)
        return found

    async def _fetch_history(self, record: Record) -> list[RecordChange]:
        asked = {"filter": {"recordId": record.id}}
        ids = (await self._context.call("RecordChange/query", asked, QueryAnswer)).ids
        found: list[RecordChange] = []
        for start in range(0, len(ids), _GET_PAGE):
            got = await self._context.call("RecordChange/get", {"ids": ids[start : start + _GET_PAGE]}, GetAnswer)
            found += [_change(raw) for raw in got.objects]
        return sorted(found, key=lambda change: (-change.at, change.id))

    async def _keep_history(self, record_id: str, found: list[RecordChange]) -> None:
        seen = await self._context.load_local(_HISTORY, _Seen)
        seen[record_id] = _Seen(self._context.clock.now_ms(), tuple(found))
        await self._context.put_local(_HISTORY, record_id, seen[record_id])
        for key in sorted(seen, key=lambda key: -seen[key].at)[_MAX_HISTORIES:]:
            await self._context.put_local(_HISTORY, key, None)

    # ------------------------------------------------------------ following
    async def follow(self, record: Record, on: bool) -> None:
        """Follows a record, or no more; queued."""
        await self._scene.ready()
        if self.following(record.id) is on:
            return
        key = f"{record.id}_{self._context.me}"
        if on:
            payload = {"recordType": record.type, "recordId": record.id}
            await self._queue(EditKind.CREATE, FOLLOWS, key, payload, about=record.id)
        else:
            await self._queue(EditKind.DESTROY, FOLLOWS, key, {})
        await self._scene.ready()

    def following(self, record_id: str) -> bool:
        """Whether this user follows a record."""
        return record_id in self._scene.now.followed

    # ------------------------------------------------------------ into a conversation
    async def send_card(self, conversation_id: str, record: Record) -> None:
        """Shares a record to a conversation: a message whose card changes when the record does; queued."""

        def title(store: Store, asking: Asking, scene: Scene) -> str:
            return self._titles(store, asking, scene, record.type, (record.id,), "zh").get(record.id, "")

        text = await self._ask(title) or record.type
        message_id = self._context.new_id()
        payload = {
            "conversationId": conversation_id,
            "kind": "text",
            "text": text,
            "card": {"type": record.type, "id": record.id, "title": text},
        }
        lane = f"conversation:{conversation_id}"
        await self._context.edit(EditKind.CREATE, "Message", message_id, payload, lane=lane, edit_id=message_id)

    async def _withdraw(self, edit: Edit) -> bool:
        """Takes an edit out of the outbox; False: it is on its way already."""
        await self.drop(edit.id)
        return all(other.id != edit.id for other in await self._edits(edit.type_name))


class _Seen(msgspec.Struct, frozen=True):
    at: int
    changes: tuple[RecordChange, ...]


def _pending(edit: Edit, me: str) -> Comment:
    refused = edit.state is EditState.REFUSED
    return Comment(
        id=edit.object_id,
        record_id=str(edit.payload.get("recordId", "")),
        record_type=str(edit.payload.get("recordType", "")),
        text=str(edit.payload.get("text", "")),
        mentions=tuple(edit.payload.get("mentions", ())),
        attachments=tuple(msgspec.convert(one, Attachment) for one in edit.payload.get("attachments", ())),
        author_id=me,
        created_at=edit.created_at,
        updated_at=edit.created_at,
        pending=not refused,
        refusal=(edit.code or "rejected") if refused else None,
    )


def _change(raw: msgspec.Raw) -> RecordChange:
    try:
        data: dict[str, Any] = msgspec.json.decode(raw, type=dict[str, Any])
        data["at"] = parse_utc_date(data["at"])
        return msgspec.convert({key: value for key, value in data.items() if value is not None}, RecordChange)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise Offline(reason="protocolError") from error
