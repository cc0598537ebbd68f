"""The Conversation type as the api sees it: shared facts and each member's own."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.chat import sources
from server_stub.chat.announcements import do_announce, do_clear_announcement
from server_stub.chat.base import CHUNK, ChatHandler, check_people, server_set
from server_stub.chat.conversations import check_name, do_create_group, do_open_direct, load_memberships
from server_stub.chat.department_groups import do_make_department_group
from server_stub.chat.desk import ChatDesk
from server_stub.chat.group_cards import make_group_card
from server_stub.chat.group_settings import CONVERSATION, SHARED, do_dissolve, do_patch_shared, shared_properties
from server_stub.chat.join_requests import do_drop_requests
from server_stub.chat.own_settings import OWN, do_patch_own, own_properties
from server_stub.chat.places import load_place
from server_stub.chat.read_markers import count_unread
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.types import JsonObject
from server_stub.records.visibility import INF, ChangesPage
from server_stub.storage.database import Tx

COUNTS: Final = ["lastSeq", "lastMessage", "unreadCount", "mentionCount", "readSeq", "updatedAt"]
_COLUMNS: Final = (
    "c.id, c.kind, c.name, c.member_count, c.last_seq, c.last_message, c.announcement, c.created_at, c.updated_at,"
    " c.scope, c.settings, c.muted_all, c.dissolved_at, c.department_id, m.read_seq, m.muted, m.pinned, m.own"
)


class ConversationHandler(ChatHandler):
    """Conversation: opened by people, a group set up by owner and admins, dissolved by its owner."""

    SOURCES = sources.CONVERSATION
    properties = frozenset(
        "id kind name memberIds memberCount lastSeq lastMessage unreadCount mentionCount readSeq muted pinned folder hiddenAt"
        " markedUnread draft notify announcement joinRule anyonePins anyoneInvites mutedAll avatarBlobId departmentId"
        " dissolvedAt createdAt updatedAt".split()
    )

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(CONVERSATION, desk)
        if desk.database is not None:
            self.own_methods = {"card": make_group_card(desk.database)}

    def load(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        """Each with this reader's own counts."""
        found: dict[str, JsonObject] = {}
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            rows = conn.exec_driver_sql(
                f"SELECT {_COLUMNS} FROM conversation AS c"
                " JOIN member AS m ON m.conversation_id = c.id AND m.person_id = ? AND m.until = ?"
                f" WHERE c.id IN ({','.join('?' * len(chunk))})",
                (actor.person_id, INF, *chunk),
            ).fetchall()
            found.update((row[0], _conversation_object(conn, actor.person_id, row)) for row in rows)
        return found

    def updated_properties(self, conn: sa.Connection, actor: Actor, since: str, page: ChangesPage) -> list[str] | None:
        """COUNTS when nothing else changed on any of them (RFC 8621 §2.2): the commonest answer by far."""
        n0 = int(since.partition(".")[0])
        for start in range(0, len(page.updated), CHUNK):
            chunk = page.updated[start : start + CHUNK]
            newest = conn.exec_driver_sql(
                "SELECT max(max(c.props_touched, m.props_touched)) FROM conversation AS c"
                " JOIN member AS m ON m.conversation_id = c.id AND m.person_id = ? AND m.until = ?"
                f" WHERE c.id IN ({','.join('?' * len(chunk))})",
                (actor.person_id, INF, *chunk),
            ).scalar()
            if newest is None or newest > n0:
                return None
        return COUNTS

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """`{kind:"direct", memberIds:[other]}`, `{kind:"group", name, memberIds}` or `{kind:"group", departmentId}`."""
        unknown = sorted(obj.keys() - {"kind", "name", "memberIds", "departmentId"})
        if unknown:
            raise invalid_properties("set by the server, or later", *unknown)
        if obj.get("kind") == "group" and obj.get("departmentId") is not None:
            conversation_id = do_make_department_group(tx, actor, object_id(tx, creation_id), obj["departmentId"])
        else:
            conversation_id = self._do_open(tx, actor, creation_id, obj)
        made = self.load(tx.conn, actor, [conversation_id], None).get(conversation_id)
        if made is None:  # a department's group of which its maker is no member
            return {"id": conversation_id}
        return {key: value for key, value in made.items() if obj.get(key, ...) != value}

    def _do_open(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> str:
        people = obj.get("memberIds")
        if not isinstance(people, list) or not all(isinstance(one, str) for one in people):
            raise invalid_properties("memberIds is a list of people", "memberIds")
        others = [one for one in dict.fromkeys(people) if one != actor.person_id]
        check_people(tx, others, "memberIds")
        if obj.get("kind") == "direct":
            if len(others) != 1:
                raise invalid_properties("a direct conversation has one other", "memberIds")
            return do_open_direct(tx, actor.person_id, others[0])
        if obj.get("kind") == "group":
            conversation_id = object_id(tx, creation_id)
            do_create_group(tx, conversation_id, check_name(obj.get("name")), actor.person_id, others)
            return conversation_id
        raise invalid_properties("kind is direct or group", "kind")

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """What owner and admins set for all, and what is one's own."""
        place = load_place(tx.conn, id_, actor.person_id)
        if place is None:
            raise SetError(SetErrorType.NOT_FOUND)
        before = self.load(tx.conn, actor, [id_], None)[id_]
        wrong = [key for key in sorted(patch.keys() - OWN - SHARED - {"announcement"}) if before.get(key) != patch[key]]
        if wrong:
            raise invalid_properties("set by the server", *wrong)
        if any(key in patch and before.get(key) != patch[key] for key in SHARED):
            do_patch_shared(tx, self.desk, actor, place, {key: patch[key] for key in SHARED & patch.keys()})
        if "announcement" in patch and before.get("announcement") != patch["announcement"]:
            place.check_managed()
            text = patch["announcement"]
            text = text.get("text") if isinstance(text, Mapping) else text
            if text is None or text == "":
                do_clear_announcement(tx, place.id)
            else:
                do_announce(tx, self.desk, actor, place, object_id(tx, "server"), {"text": text})
        if patch.keys() & OWN:
            do_patch_own(tx, place.mine, patch)
        return server_set(before, self.load(tx.conn, actor, [id_], None)[id_], patch)

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        """Dissolve a group: it stays to be read."""
        place = load_place(tx.conn, id_, actor.person_id)
        if place is None:
            raise SetError(SetErrorType.NOT_FOUND)
        do_dissolve(tx, actor, place)
        do_drop_requests(tx, self.desk, id_)


def _conversation_object(conn: sa.Connection, person_id: str, row: Sequence[Any]) -> JsonObject:
    id_, kind, name, count, last_seq, last, announcement, created, updated, scope = row[:10]
    settings, muted_all, dissolved_at, department_id, read_seq, muted, pinned, own = row[10:]
    unread, mentions = count_unread(conn, scope, person_id, read_seq) if last_seq > read_seq else (0, 0)
    found: JsonObject = {
        "id": id_,
        "kind": kind,
        "memberCount": count,
        "lastSeq": last_seq,
        "unreadCount": unread,
        "mentionCount": mentions,
        "readSeq": read_seq,
        **own_properties(bool(muted), bool(pinned), own),
        "createdAt": format_utc(created),
        "updatedAt": format_utc(updated),
    }
    if name is not None:
        found["name"] = name
    if kind == "direct":
        found["memberIds"] = [one.person_id for one in load_memberships(conn, id_)]
    if kind == "group":
        held = msgspec.json.decode(settings) if settings else {}
        found.update(shared_properties(held, bool(muted_all), department_id))
    if dissolved_at is not None:
        found["dissolvedAt"] = format_utc(dissolved_at)
    if last is not None:
        found["lastMessage"] = msgspec.json.decode(last)
    if announcement is not None:
        found["announcement"] = msgspec.json.decode(announcement)
    return found
