"""The chat types as the api sees them: who may do what, and each reader's own view. Writes go through the do_ functions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import msgspec
import sqlalchemy as sa

from server_stub.chat import sources
from server_stub.chat.conversations import (
    MAX_ANNOUNCEMENT,
    MEMBER_COLUMNS,
    Membership,
    check_name,
    do_add_member,
    do_change_conversation,
    do_change_own,
    do_create_group,
    do_open_direct,
    do_remove_member,
    do_set_role,
    encode_announcement,
    load_membership,
    load_memberships,
)
from server_stub.chat.drafts import Attachment, check_draft
from server_stub.chat.messages import count_unread, do_mark_read, do_send, load_messages, receipt_object
from server_stub.clock import format_utc
from server_stub.errors import MethodError, MethodErrorType, SetError, SetErrorType, invalid_properties
from server_stub.records import visibility
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.handler import RecordHandler, compile_filter, sort_objects
from server_stub.records.types import MAX_QUERY, Comparator, GetResult, JsonObject, QueryResult, Window, cut_window
from server_stub.records.visibility import INF, ChangesPage, ScopeSource
from server_stub.storage.blobs import BlobStore
from server_stub.storage.database import Tx

CHAT: Final = "urn:tongban:chat"
MAX_LISTED: Final = 1000  # objects a /get without ids may give (RFC 8620: requestTooLarge beyond)
COUNTS: Final = ["lastSeq", "lastMessage", "unreadCount", "mentionCount", "readSeq", "updatedAt"]

_CHUNK: Final = 500


CardTitle = Callable[[sa.Connection, Actor, str, str], str | None]
"""(conn, sender, type, id) → what an office record is called; None: the sender does not see it."""


class ChatHandler(RecordHandler):
    """What the chat types share: visibility by their own tables."""

    SOURCES: ClassVar[tuple[ScopeSource, ...]]

    def changes(self, conn: sa.Connection, actor: Actor, since: str, limit: int) -> ChangesPage:
        """RFC 8620 §5.2."""
        return visibility.changes(conn, actor.person_id, self.name, since, limit, sources=self.SOURCES)

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        """RFC 8620 §5.1."""
        wanted = visibility.visible_ids(conn, actor.person_id, self.name, ids, sources=self.SOURCES)
        if ids is None and len(wanted) > MAX_LISTED:
            raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, "too many: use /query")
        found = self.load(conn, actor, wanted, properties)
        missing = [] if ids is None else [id_ for id_ in dict.fromkeys(ids) if id_ not in found]
        return GetResult([found[id_] for id_ in dict.fromkeys(wanted) if id_ in found], missing)

    def load(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        """Objects by id, as this reader sees them; visibility was checked."""
        raise NotImplementedError

    def sees(self, conn: sa.Connection, actor: Actor, id_: str) -> bool:
        """Whether the actor sees this object."""
        return visibility.is_visible(conn, actor.person_id, self.name, id_, sources=self.SOURCES)

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """Nothing may be changed unless a type says so."""
        raise SetError(SetErrorType.FORBIDDEN if self.sees(tx.conn, actor, id_) else SetErrorType.NOT_FOUND)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """Nothing may be made unless a type says so."""
        raise SetError(SetErrorType.FORBIDDEN)

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        """Nothing may be destroyed unless a type says so."""
        raise SetError(SetErrorType.FORBIDDEN if self.sees(tx.conn, actor, id_) else SetErrorType.NOT_FOUND)


class MessageHandler(ChatHandler):
    """Message: create only."""

    SOURCES = sources.MESSAGE
    keeps_creations = True
    properties = frozenset("id conversationId seq senderId kind text mentions replyToId attachment card sentAt".split())

    def __init__(self, blobs: BlobStore | None, card_title: CardTitle | None = None) -> None:
        super().__init__("Message", CHAT)
        self._blobs = blobs
        self._card_title = card_title

    def load(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        """Messages are the same for every reader."""
        return load_messages(conn, ids)

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        """Without ids it would be years of talk: only a short history is given whole."""
        if ids is None:
            count = conn.exec_driver_sql(
                "SELECT count(*) FROM (SELECT 1 FROM membership AS m CROSS JOIN message AS s ON s.scope = m.scope"
                " WHERE m.person_id = ? AND m.until = ? LIMIT ?)",
                (actor.person_id, INF, MAX_LISTED + 1),
            ).scalar_one()
            if count > MAX_LISTED:
                raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, "too many: use /query")
        return super().get(conn, actor, ids, properties)

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        """Filter `{conversationId, beforeSeq?, afterSeq?}`, sort `seq`; a page costs a page, however long the history."""
        conversation_id, after, before = _message_filter(filter_)
        if [comparator.property for comparator in sort] not in ([], ["seq"]):
            raise MethodError(MethodErrorType.UNSUPPORTED_SORT, "messages are sorted by seq")
        ascending = not sort or sort[0].is_ascending
        mine = load_membership(conn, conversation_id, actor.person_id)
        if mine is None:
            return cut_window([], window)
        # seq is contiguous from 1: positions are arithmetic
        last = conn.exec_driver_sql("SELECT last_seq FROM conversation WHERE id = ?", (conversation_id,)).scalar_one()
        first, end = max(1, after + 1), min(last, before - 1)
        total = max(0, end - first + 1)
        start = self._start(conn, mine.scope, window, first, end, ascending, total)
        limit = MAX_QUERY if window.limit is None else min(window.limit, MAX_QUERY)
        low, high = (first + start, first + start + limit - 1) if ascending else (end - start - limit + 1, end - start)
        order = "ASC" if ascending else "DESC"
        rows = conn.exec_driver_sql(
            f"SELECT id FROM message WHERE scope = ? AND seq BETWEEN ? AND ? ORDER BY seq {order}",
            (mine.scope, max(first, low), min(end, high)),
        )
        return QueryResult([row[0] for row in rows], start, total if window.calculate_total else None)

    def _start(
        self, conn: sa.Connection, scope: int, window: Window, first: int, end: int, ascending: bool, total: int
    ) -> int:
        if window.anchor is None:
            return max(0, window.position + total) if window.position < 0 else min(window.position, total)
        seq = conn.exec_driver_sql(
            "SELECT seq FROM message WHERE id = ? AND scope = ?", (window.anchor, scope)
        ).scalar()
        if seq is None or not first <= seq <= end:
            raise MethodError(MethodErrorType.ANCHOR_NOT_FOUND)
        index = int(seq) - first if ascending else end - int(seq)
        return min(total, max(0, index + window.anchor_offset))

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """Send. The answer is the same however often the same id is sent."""
        message_id = object_id(tx, creation_id)

        def refer(given: Attachment) -> tuple[int, str]:
            if self._blobs is None:
                raise SetError(SetErrorType.BLOB_NOT_FOUND, notFound=[given.blob_id])
            blob = self._blobs.do_refer(tx, given.blob_id, message_id, self.name, actor)
            return blob.size, blob.type

        def title_of(type_name: str, id_: str) -> str | None:
            return None if self._card_title is None else self._card_title(tx.conn, actor, type_name, id_)

        conversation_id, draft = check_draft(obj, refer, title_of)
        sent = do_send(tx, actor.person_id, conversation_id, message_id, draft).message
        answer = {key: sent[key] for key in ("id", "seq", "senderId", "sentAt")}
        if draft.attachment is not None and draft.attachment != obj.get("attachment"):
            answer["attachment"] = sent["attachment"]
        if draft.card is not None and draft.card != obj.get("card"):
            answer["card"] = sent["card"]
        return answer


def _message_filter(filter_: JsonObject | None) -> tuple[str, int, int]:
    known = {"conversationId", "beforeSeq", "afterSeq"}
    if filter_ is None or not filter_.keys() <= known or not isinstance(filter_.get("conversationId"), str):
        raise MethodError(MethodErrorType.UNSUPPORTED_FILTER, "filter is {conversationId, beforeSeq?, afterSeq?}")
    after, before = filter_.get("afterSeq"), filter_.get("beforeSeq")
    for bound in (after, before):
        if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool) or abs(bound) > INF):
            raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "beforeSeq and afterSeq are numbers")
    return filter_["conversationId"], 0 if after is None else after, INF if before is None else before


class ConversationHandler(ChatHandler):
    """Conversation: shared facts and each member's own (unread, muted, pinned)."""

    SOURCES = sources.CONVERSATION
    properties = frozenset(
        "id kind name memberIds memberCount lastSeq lastMessage unreadCount mentionCount readSeq muted pinned"
        " announcement createdAt updatedAt".split()
    )

    def __init__(self) -> None:
        super().__init__("Conversation", CHAT)

    def load(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        """Each with this reader's own counts."""
        found: dict[str, JsonObject] = {}
        for start in range(0, len(ids), _CHUNK):
            chunk = ids[start : start + _CHUNK]
            rows = conn.exec_driver_sql(
                "SELECT c.id, c.kind, c.name, c.member_count, c.last_seq, c.last_message, c.announcement, c.created_at,"
                " c.updated_at, c.scope, m.read_seq, m.muted, m.pinned FROM conversation AS c"
                " JOIN member AS m ON m.conversation_id = c.id AND m.person_id = ? AND m.until = ?"
                f" WHERE c.id IN ({','.join('?' * len(chunk))})",
                (actor.person_id, INF, *chunk),
            ).fetchall()
            found.update((row[0], _conversation_object(conn, actor.person_id, row)) for row in rows)
        return found

    def updated_properties(self, conn: sa.Connection, actor: Actor, since: str, page: ChangesPage) -> list[str] | None:
        """COUNTS when nothing else changed on any of them (RFC 8621 §2.2): the commonest answer by far."""
        n0 = int(since.partition(".")[0])
        for start in range(0, len(page.updated), _CHUNK):
            chunk = page.updated[start : start + _CHUNK]
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
        """`{kind:"direct", memberIds:[other]}` or `{kind:"group", name, memberIds}`."""
        unknown = sorted(obj.keys() - {"kind", "name", "memberIds"})
        if unknown:
            raise invalid_properties("set by the server, or later", *unknown)
        people = obj.get("memberIds")
        if not isinstance(people, list) or not all(isinstance(one, str) for one in people):
            raise invalid_properties("memberIds is a list of people", "memberIds")
        others = [one for one in dict.fromkeys(people) if one != actor.person_id]
        _check_people(tx, others, "memberIds")
        if obj.get("kind") == "direct":
            if len(others) != 1:
                raise invalid_properties("a direct conversation has one other", "memberIds")
            conversation_id = do_open_direct(tx, actor.person_id, others[0])
        elif obj.get("kind") == "group":
            conversation_id = object_id(tx, creation_id)
            do_create_group(tx, conversation_id, check_name(obj.get("name")), actor.person_id, others)
        else:
            raise invalid_properties("kind is direct or group", "kind")
        made = self.load(tx.conn, actor, [conversation_id], None)[conversation_id]
        return {key: value for key, value in made.items() if obj.get(key, ...) != value}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """`name`, `announcement` (owner, admin); one's own `muted`, `pinned`, `readSeq`."""
        mine = load_membership(tx.conn, id_, actor.person_id)
        if mine is None:
            raise SetError(SetErrorType.NOT_FOUND)
        before = self.load(tx.conn, actor, [id_], None)[id_]
        own = {"muted", "pinned", "readSeq"}
        shared = {"name", "announcement"}
        wrong = [key for key in sorted(patch.keys() - own - shared) if before.get(key) != patch[key]]
        if wrong:
            raise invalid_properties("set by the server", *wrong)
        if patch.keys() & shared:
            self._change_shared(tx, actor, mine, before, patch)
        if patch.keys() & own:
            self._change_own(tx, mine, patch)
        after = self.load(tx.conn, actor, [id_], None)[id_]
        return {key: value for key, value in after.items() if patch.get(key, before.get(key)) != value} or None

    def _change_shared(self, tx: Tx, actor: Actor, mine: Membership, before: JsonObject, patch: JsonObject) -> None:
        if before["kind"] != "group" or mine.role not in {"owner", "admin"}:
            raise SetError(SetErrorType.FORBIDDEN, "only owner and admins of a group")
        columns: dict[str, Any] = {}
        if "name" in patch and patch["name"] != before.get("name"):
            columns["name"] = check_name(patch["name"])
        if "announcement" in patch:
            columns["announcement"] = self._announcement(tx, actor, patch["announcement"])
        if columns:
            do_change_conversation(tx, mine.conversation_id, **columns)

    def _announcement(self, tx: Tx, actor: Actor, value: Any) -> str | None:
        text = value.get("text") if isinstance(value, Mapping) else value
        if text is None or text == "":
            return None
        if not isinstance(text, str) or len(text) > MAX_ANNOUNCEMENT:
            raise invalid_properties(f"at most {MAX_ANNOUNCEMENT} characters", "announcement")
        return encode_announcement(text, actor.person_id, format_utc(tx.now))

    def _change_own(self, tx: Tx, mine: Membership, patch: JsonObject) -> None:
        muted, pinned = patch.get("muted", mine.muted), patch.get("pinned", mine.pinned)
        wrong = [key for key, value in (("muted", muted), ("pinned", pinned)) if value not in (True, False)]
        seq = patch.get("readSeq", 0)
        if not isinstance(seq, int) or isinstance(seq, bool) or not 0 <= seq <= INF:
            wrong.append("readSeq")
        if wrong:
            raise invalid_properties("of the wrong type", *wrong)
        if (bool(muted), bool(pinned)) != (bool(mine.muted), bool(mine.pinned)):
            do_change_own(tx, mine, muted=bool(muted), pinned=bool(pinned))
        if "readSeq" in patch:
            do_mark_read(tx, mine, seq)


def _conversation_object(conn: sa.Connection, person_id: str, row: Sequence[Any]) -> JsonObject:
    id_, kind, name, count, last_seq, last, announcement, created, updated, scope, read_seq, muted, pinned = row
    unread, mentions = count_unread(conn, scope, person_id, read_seq) if last_seq > read_seq else (0, 0)
    found: JsonObject = {
        "id": id_,
        "kind": kind,
        "memberCount": count,
        "lastSeq": last_seq,
        "unreadCount": unread,
        "mentionCount": mentions,
        "readSeq": read_seq,
        "muted": bool(muted),
        "pinned": bool(pinned),
        "createdAt": format_utc(created),
        "updatedAt": format_utc(updated),
    }
    if name is not None:
        found["name"] = name
    if kind == "direct":
        found["memberIds"] = [one.person_id for one in load_memberships(conn, id_)]
    if last is not None:
        found["lastMessage"] = msgspec.json.decode(last)
    if announcement is not None:
        found["announcement"] = msgspec.json.decode(announcement)
    return found


def _check_people(tx: Tx, person_ids: Sequence[str], name: str) -> None:
    """They are people of this office, whom everyone sees."""
    for person_id in person_ids:
        scope = visibility.find_scope(tx.conn, "person", person_id)
        if scope is None or not visibility.audience(tx.conn, [scope]):
            raise invalid_properties("no such person", name)


class MemberHandler(ChatHandler):
    """Member of a group: the owner and admins let people in, everybody may leave."""

    SOURCES = sources.MEMBER
    properties = frozenset(("id", "conversationId", "personId", "role", "joinedAt"))

    def __init__(self) -> None:
        super().__init__("Member", CHAT)

    def load(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        """Members are the same for every reader."""
        return {one.id: _member_object(one) for one in _load_by_id(conn, ids)}

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        """As every type, but the members of one conversation are read alone."""
        return _query_members(self, conn, actor, filter_, sort, window, _member_object)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """`{conversationId, personId}` by owner or admin."""
        conversation_id, person_id = obj.get("conversationId"), obj.get("personId")
        if not isinstance(conversation_id, str) or not isinstance(person_id, str):
            raise invalid_properties("both are needed", "conversationId", "personId")
        if obj.get("role", "member") != "member":
            raise invalid_properties("a new member is a member", "role")
        _access_managed(tx, actor, conversation_id)
        _check_people(tx, [person_id], "personId")
        id_ = do_add_member(tx, conversation_id, person_id)
        return {"id": id_, "role": "member", "joinedAt": format_utc(tx.now)}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """`role`, by the owner; making somebody else the owner makes this one an admin."""
        one = self._access_member(tx, actor, id_)
        wrong = [key for key, value in patch.items() if key != "role" and _member_object(one).get(key) != value]
        role = patch.get("role", one.role)
        if wrong or role not in ("owner", "admin", "member"):
            raise invalid_properties("only role may change, to owner, admin or member", *(wrong or ["role"]))
        if role == one.role:
            return None
        mine = load_membership(tx.conn, one.conversation_id, actor.person_id)
        if mine is None or mine.role != "owner":
            raise SetError(SetErrorType.FORBIDDEN, "only the owner")
        if one.person_id == actor.person_id:
            raise SetError(SetErrorType.FORBIDDEN, "make another member the owner first")
        do_set_role(tx, one, role)
        if role == "owner":
            do_set_role(tx, mine, "admin")
        return None

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        """Leave, or remove somebody of lower rank."""
        one = self._access_member(tx, actor, id_)
        mine = load_membership(tx.conn, one.conversation_id, actor.person_id)
        rank = {"owner": 2, "admin": 1, "member": 0}
        if mine is None or (mine.id != one.id and rank[mine.role] <= rank[one.role]):
            raise SetError(SetErrorType.FORBIDDEN, "only somebody of higher rank")
        kind = tx.raw.execute("SELECT kind FROM conversation WHERE id = ?", (one.conversation_id,)).fetchone()[0]
        if kind != "group":
            raise SetError(SetErrorType.FORBIDDEN, "only groups can be left")
        do_remove_member(tx, one)

    def _access_member(self, tx: Tx, actor: Actor, id_: str) -> Membership:
        found = _load_by_id(tx.conn, [id_])
        if not found or not self.sees(tx.conn, actor, id_):
            raise SetError(SetErrorType.NOT_FOUND)
        return found[0]


class ReceiptHandler(ChatHandler):
    """Receipt: how far each member has read; moved by Conversation readSeq."""

    SOURCES = sources.RECEIPT
    properties = frozenset(("id", "conversationId", "personId", "readSeq", "readAt"))

    def __init__(self) -> None:
        super().__init__("Receipt", CHAT)

    def load(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        """Receipts are the same for every reader."""
        return {one.id: _receipt_of(one) for one in _load_by_id(conn, ids)}

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        """As every type, but the receipts of one conversation are read alone."""
        return _query_members(self, conn, actor, filter_, sort, window, _receipt_of)


def _member_object(one: Membership) -> JsonObject:
    return {
        "id": one.id,
        "conversationId": one.conversation_id,
        "personId": one.person_id,
        "role": one.role,
        "joinedAt": format_utc(one.joined_at),
    }


def _receipt_of(one: Membership) -> JsonObject:
    return receipt_object(one.conversation_id, one.person_id, one.id, one.read_seq, one.read_at)


def _load_by_id(conn: sa.Connection, ids: Sequence[str]) -> list[Membership]:
    found: list[Membership] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = tuple(ids[start : start + _CHUNK])
        marks = ",".join("?" * len(chunk))
        rows = conn.exec_driver_sql(
            f"SELECT {MEMBER_COLUMNS} FROM member WHERE id IN ({marks}) AND until = ?", (*chunk, INF)
        )
        found += [Membership(*row) for row in rows]
    return found


def _access_managed(tx: Tx, actor: Actor, conversation_id: str) -> Membership:
    """The actor's membership of a group in which they may let people in."""
    mine = load_membership(tx.conn, conversation_id, actor.person_id)
    if mine is None:
        raise invalid_properties("no conversation of yours", "conversationId")
    kind = tx.raw.execute("SELECT kind FROM conversation WHERE id = ?", (conversation_id,)).fetchone()[0]
    if kind != "group" or mine.role not in {"owner", "admin"}:
        raise SetError(SetErrorType.FORBIDDEN, "only owner and admins of a group")
    return mine


def _query_members(
    handler: ChatHandler,
    conn: sa.Connection,
    actor: Actor,
    filter_: JsonObject | None,
    sort: Sequence[Comparator],
    window: Window,
    show: Any,
) -> QueryResult:
    conversation_id = (filter_ or {}).get("conversationId")
    if not isinstance(conversation_id, str):
        return RecordHandler.query(handler, conn, actor, filter_, sort, window)
    mine = load_membership(conn, conversation_id, actor.person_id)
    objects = [show(one) for one in load_memberships(conn, conversation_id)] if mine is not None else []
    matches = compile_filter(filter_, handler.compile_condition)
    return cut_window([obj["id"] for obj in sort_objects([o for o in objects if matches(o)], sort)], window)


def chat_handlers(blobs: BlobStore | None, card_title: CardTitle | None = None) -> list[ChatHandler]:
    """All types of chat, for the registry. Without `card_title` no message has a card."""
    return [ConversationHandler(), MemberHandler(), MessageHandler(blobs, card_title), ReceiptHandler()]
