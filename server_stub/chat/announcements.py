"""Announcements of a group: each is kept with who read and confirmed it; the newest stands in the conversation itself."""

from typing import Any, Final

import msgspec

from server_stub.chat.alerting import Notification
from server_stub.chat.conversations import (
    MAX_ANNOUNCEMENT,
    do_change_conversation,
    encode_announcement,
    load_memberships,
)
from server_stub.chat.desk import CHAT, ChatDesk
from server_stub.chat.lines import do_line
from server_stub.chat.places import Place, load_place
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record, do_create_record, do_destroy_record, do_update_record, load_record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import fetch_rows
from server_stub.storage.database import Tx

ANNOUNCEMENT: Final = "Announcement"
MAX_TITLE: Final = 100
_FIRST_WORDS: Final = 40
CONFIRM: Final = "confirm"


def do_announce(tx: Tx, desk: ChatDesk, actor: Actor, place: Place, id_: str, obj: JsonObject) -> Record:
    """Keep an announcement `{text, title?, mustConfirm?}`, show it in the conversation, write a line. Raises SetError."""
    text, title, must_confirm = obj.get("text"), obj.get("title"), obj.get("mustConfirm", False)
    if not isinstance(text, str) or not 0 < len(text.strip()) <= MAX_ANNOUNCEMENT:
        raise invalid_properties(f"1 to {MAX_ANNOUNCEMENT} characters", "text")
    if not (title is None or (isinstance(title, str) and 0 < len(title.strip()) <= MAX_TITLE)):
        raise invalid_properties(f"at most {MAX_TITLE} characters", "title")
    if not isinstance(must_confirm, bool):
        raise invalid_properties("true or false", "mustConfirm")
    title = None if title is None else title.strip()
    made = do_keep_announcement(tx, place, id_, text, title=title, must_confirm=must_confirm)
    do_line(tx, place.id, "announced", by=actor.person_id, value=(title or text).strip()[:_FIRST_WORDS])
    if must_confirm:
        others = [one.person_id for one in load_memberships(tx.conn, place.id) if one.person_id != actor.person_id]
        about = Notification(CONFIRM, title or place.name or "", text, ANNOUNCEMENT, id_, urgent=True)
        desk.alerts.do_alert(tx, others, about)
    return made


def do_keep_announcement(
    tx: Tx,
    place: Place,
    id_: str,
    text: str,
    *,
    title: str | None = None,
    must_confirm: bool = False,
    at: int | None = None,
) -> Record:
    """Keep an announcement of the member whose place it is and show it, without a line; `at`: its time when that is not now (ms)."""
    by = place.mine.person_id
    data: JsonObject = {
        "conversationId": place.id,
        "text": text,
        "byId": by,
        "at": format_utc(tx.now if at is None else at),
        "mustConfirm": must_confirm,
        "readIds": [by],
        "confirmedIds": [],
    }
    if title is not None:
        data["title"] = title
    made = do_create_record(tx, ANNOUNCEMENT, id_, data, scopes=[place.scope], author_id=by, at=at)
    _do_mirror(tx, place.id, made)
    return made


def do_clear_announcement(tx: Tx, conversation_id: str) -> None:
    """No announcement stands in the conversation any more; those that were made stay."""
    do_change_conversation(tx, conversation_id, announcement=None)


def _do_mirror(tx: Tx, conversation_id: str, record: Record) -> None:
    data = record.data
    more: dict[str, Any] = {"id": record.id}
    if "title" in data:
        more["title"] = data["title"]
    if data["mustConfirm"]:
        more["mustConfirm"] = True
    stored = encode_announcement(data["text"], data["byId"], data["at"], **more)
    do_change_conversation(tx, conversation_id, announcement=stored)


class AnnouncementHandler(RecordHandler):
    """Announcement: made and destroyed by owner and admins, marked as read and confirmed by members."""

    properties = frozenset(
        "id conversationId title text byId at mustConfirm readIds confirmedIds createdAt updatedAt authorId".split()
    )

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(ANNOUNCEMENT, CHAT)
        self._desk = desk

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """`{conversationId, text, title?, mustConfirm?}`."""
        unknown = sorted(obj.keys() - {"conversationId", "text", "title", "mustConfirm"})
        if unknown:
            raise invalid_properties("set by the server", *unknown)
        conversation_id = obj.get("conversationId")
        place = load_place(tx.conn, conversation_id, actor.person_id) if isinstance(conversation_id, str) else None
        if place is None:
            raise invalid_properties("no conversation of yours", "conversationId")
        place.check_managed()
        made = do_announce(tx, self._desk, actor, place, object_id(tx, creation_id), obj)
        return {key: value for key, value in made.to_object().items() if obj.get(key, ...) != value}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """`{read:true}`, `{confirmed:true}`: by each member, once."""
        record = self._access(tx, actor, id_)
        shown = record.to_object()
        wrong = [key for key in sorted(patch.keys() - {"read", "confirmed"}) if shown.get(key) != patch[key]]
        if wrong or any(patch.get(key, True) is not True for key in ("read", "confirmed")):
            raise invalid_properties("only read and confirmed may become true", *wrong)
        data = dict(record.data)
        if "read" in patch or "confirmed" in patch:
            data["readIds"] = _with(data["readIds"], actor.person_id)
        if "confirmed" in patch:
            if not data["mustConfirm"] or data["byId"] == actor.person_id:
                raise SetError(SetErrorType.FORBIDDEN, "there is nothing to confirm")
            data["confirmedIds"] = _with(data["confirmedIds"], actor.person_id)
            self._desk.alerts.do_drop(tx, ANNOUNCEMENT, id_, [actor.person_id], (CONFIRM,))
        if data == record.data:
            return None
        do_update_record(tx, record, data, touch_time=False, history=False)
        return {key: data[key] for key in ("readIds", "confirmedIds") if data[key] != record.data[key]}

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        """By owner and admins; the one before it stands in the conversation again, where this one stood."""
        record = self._access(tx, actor, id_)
        place = load_place(tx.conn, record.data["conversationId"], actor.person_id)
        if place is None:
            raise SetError(SetErrorType.NOT_FOUND)
        place.check_managed()
        do_destroy_record(tx, id_)
        self._desk.alerts.do_drop(tx, ANNOUNCEMENT, id_, None, None)
        rows = fetch_rows(tx.conn, "SELECT announcement FROM conversation WHERE id = ?", (place.id,))
        standing = msgspec.json.decode(rows[0][0]) if rows[0][0] else {}
        if standing.get("id") == id_:
            self._do_show_newest(tx, place)

    def _do_show_newest(self, tx: Tx, place: Place) -> None:
        rows = fetch_rows(
            tx.conn,
            "SELECT id FROM record WHERE type = ? AND json_extract(data, '$.conversationId') = ?"
            " ORDER BY created_at DESC, id DESC LIMIT 1",
            (ANNOUNCEMENT, place.id),
        )
        newest = load_record(tx.conn, rows[0][0], type_name=ANNOUNCEMENT) if rows else None
        if newest is None:
            do_clear_announcement(tx, place.id)
        else:
            _do_mirror(tx, place.id, newest)


def _with(people: list[str], person_id: str) -> list[str]:
    return people if person_id in people else [*people, person_id]
