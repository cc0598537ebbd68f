"""The Message type as the api sees it: reading, paging, sending; what changes a message lies in files of its own."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.chat import sources
from server_stub.chat.attachments import DIRECT, Attachment
from server_stub.chat.base import MAX_LISTED, ChatHandler, server_set
from server_stub.chat.confirms import do_ask_to_confirm, make_remind
from server_stub.chat.conversations import load_membership
from server_stub.chat.desk import ChatDesk
from server_stub.chat.direct_files import do_name_direct
from server_stub.chat.drafts import check_draft
from server_stub.chat.merged import do_merge, make_open_merged
from server_stub.chat.message_patch import do_patch
from server_stub.chat.message_rows import MESSAGE, load_messages, load_row
from server_stub.chat.messages import do_send, find_sent
from server_stub.chat.pins import pinned_ids
from server_stub.chat.places import load_place
from server_stub.chat.polls import choices_of
from server_stub.chat.search import KEYS as SEARCHED
from server_stub.chat.search import MessageSearch
from server_stub.chat.shakes import check_shake
from server_stub.clock import format_utc
from server_stub.errors import MethodError, MethodErrorType, SetError, SetErrorType
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.types import MAX_QUERY, Comparator, GetResult, JsonObject, QueryResult, Window, cut_window
from server_stub.records.visibility import INF, fetch_rows, person_scopes
from server_stub.storage.database import Tx

EDITS: Final = "edits"
_PLAIN: Final = 8  # members of a message that has no others than every one
_MADE_TRUE: Final = ("attachment", "card", "poll", "results", "chain", "entries", "merged", "formatted", "mentions")


class MessageHandler(ChatHandler):
    """Message: sent by members, changed in place by whom each change concerns, never destroyed."""

    SOURCES = sources.MESSAGE
    keeps_creations = True
    properties = frozenset(
        "id conversationId seq senderId kind text mentions replyToId attachment card sentAt editedAt edits recalledAt"
        " recalledById reactions pinned mustConfirm confirmedIds merged poll results choice chain entries code language"
        " markdown formatted silent forwardedFrom event auto sticker".split()
    )

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(MESSAGE, desk)
        self.search = MessageSearch(None if desk.database is None else desk.database.path.with_name("search.db"))
        if desk.database is not None:
            self.own_methods = {
                "remind": make_remind(desk, desk.database),
                "merged": make_open_merged(desk.database),
            }

    def load(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        """The same for every reader, but for the own choice in a poll; earlier versions only when asked for by name."""
        return self._complete(conn, actor, load_messages(conn, ids), properties)

    def _complete(
        self, conn: sa.Connection, actor: Actor, found: dict[str, JsonObject], properties: Sequence[str] | None
    ) -> dict[str, JsonObject]:
        polls = [id_ for id_, obj in found.items() if obj["kind"] == "poll" and "poll" in obj]
        if polls:
            for id_, choice in choices_of(conn, polls, actor.person_id).items():
                found[id_]["choice"] = choice
        if properties is not None and EDITS in properties:
            _add_edits(conn, actor, found)
        return found

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
        # Who sees a message is who is in its scope now: its row tells both.
        wanted = list(dict.fromkeys(ids))
        rows = load_messages(conn, wanted, person_scopes(conn, actor.person_id))
        found = self._complete(conn, actor, rows, properties)
        return GetResult([found[id_] for id_ in wanted if id_ in found], [id_ for id_ in wanted if id_ not in found])

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        """Filter `{conversationId, beforeSeq?, afterSeq?}` or `{conversationId, pinned:true}`, sort `seq`; a page costs a page; or a search (search.py)."""
        if filter_ is not None and filter_.keys() & SEARCHED:
            return self.search.query(conn, actor, filter_, sort, window)
        conversation_id, after, before, pinned = _message_filter(filter_)
        if [comparator.property for comparator in sort] not in ([], ["seq"]):
            raise MethodError(MethodErrorType.UNSUPPORTED_SORT, "messages are sorted by seq")
        mine = load_membership(conn, conversation_id, actor.person_id)
        if mine is None:
            return cut_window([], window)
        if pinned:
            return cut_window(pinned_ids(conn, mine.scope), window)
        ascending = not sort or sort[0].is_ascending
        # seq is contiguous from 1: positions are arithmetic
        last = conn.exec_driver_sql("SELECT last_seq FROM conversation WHERE id = ?", (conversation_id,)).scalar_one()
        first, end = max(1, after + 1), min(last, before - 1)
        total = max(0, end - first + 1)
        start = _start(conn, mine.scope, window, first, end, ascending, total)
        limit = MAX_QUERY if window.limit is None else min(window.limit, MAX_QUERY)
        low, high = (first + start, first + start + limit - 1) if ascending else (end - start - limit + 1, end - start)
        order = "ASC" if ascending else "DESC"
        rows = conn.exec_driver_sql(
            f"SELECT id FROM message WHERE scope = ? AND seq BETWEEN ? AND ? ORDER BY seq {order}",
            (mine.scope, max(first, low), min(end, high)),
        )
        return QueryResult([row[0] for row in rows], start, total if window.calculate_total else None)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """Send. The answer is the same however often the same id is sent."""
        message_id = object_id(tx, creation_id)
        if (
            obj.get("kind", "text") != "text"
        ):  # what it refers to must not be noted again when it was recalled meanwhile
            known = find_sent(tx, actor.person_id, message_id)
            if known is not None and known["conversationId"] == obj.get("conversationId"):
                return _answer(known, obj)

        direct: list[str] = []

        def refer(given: Attachment) -> tuple[int, str]:
            try:
                blob = self.desk.do_refer(tx, actor, given.blob_id, message_id, self.name)
            except SetError:
                passed = do_name_direct(tx, actor.person_id, str(obj["conversationId"]), given.blob_id, message_id)
                if passed is None:
                    raise
                direct.append(given.blob_id)
                return passed
            return blob.size, blob.type

        def title_of(type_name: str, id_: str) -> str | None:
            return self.desk.title_of(tx.conn, actor, type_name, id_)

        def merge(ids: list[str]) -> JsonObject:
            return do_merge(tx, actor, message_id, ids)

        conversation_id, draft = check_draft(obj, refer, title_of, merge, self.desk.policy)
        if direct and draft.attachment is not None:
            draft.attachment[DIRECT] = True
        if draft.kind == "shake":
            check_shake(tx, conversation_id, actor.person_id)
        sent = do_send(tx, actor.person_id, conversation_id, message_id, draft)
        if sent.is_new and "mustConfirm" in draft.extra:
            row = load_row(tx.conn, message_id)
            assert row is not None  # just written
            do_ask_to_confirm(tx, self.desk, row)
        return _answer(sent.message, obj)

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """Edit, recall, react, pin, confirm, vote, enter: see message_patch."""
        row = load_row(tx.conn, id_)
        place = None if row is None else load_place(tx.conn, row.conversation_id, actor.person_id)
        if row is None or place is None:
            raise SetError(SetErrorType.NOT_FOUND)
        before = self.load(tx.conn, actor, [id_], None)[id_]
        do_patch(tx, self.desk, place, row, before, patch)
        return server_set(before, self.load(tx.conn, actor, [id_], None)[id_], patch)


def _answer(sent: JsonObject, obj: JsonObject) -> JsonObject:
    """`created` of a message: what the server set, and what it made true of what the client said."""
    answer = {"id": sent["id"], "seq": sent["seq"], "senderId": sent["senderId"], "sentAt": sent["sentAt"]}
    if len(sent) == _PLAIN and not sent["mentions"]:
        return answer
    answer.update({key: sent[key] for key in _MADE_TRUE if key in sent and sent[key] != obj.get(key, [])})
    return answer


def _add_edits(conn: sa.Connection, actor: Actor, found: dict[str, JsonObject]) -> None:
    """What they said before, oldest first: for the sender and, in groups, for everyone."""
    for id_, obj in found.items():
        kind = fetch_rows(conn, "SELECT kind FROM conversation WHERE id = ?", (obj["conversationId"],))[0][0]
        if "editedAt" in obj and (kind == "group" or obj["senderId"] == actor.person_id):
            rows = fetch_rows(conn, "SELECT text, at FROM message_edit WHERE message_id = ? ORDER BY number", (id_,))
            obj[EDITS] = [{"text": text, "at": format_utc(at)} for text, at in rows]


def _start(conn: sa.Connection, scope: int, window: Window, first: int, end: int, ascending: bool, total: int) -> int:
    if window.anchor is None:
        return max(0, window.position + total) if window.position < 0 else min(window.position, total)
    seq = conn.exec_driver_sql("SELECT seq FROM message WHERE id = ? AND scope = ?", (window.anchor, scope)).scalar()
    if seq is None or not first <= seq <= end:
        raise MethodError(MethodErrorType.ANCHOR_NOT_FOUND)
    index = int(seq) - first if ascending else end - int(seq)
    return min(total, max(0, index + window.anchor_offset))


def _message_filter(filter_: JsonObject | None) -> tuple[str, int, int, bool]:
    known = {"conversationId", "beforeSeq", "afterSeq", "pinned"}
    pinned: Any = (filter_ or {}).get("pinned", False)
    if (
        filter_ is None
        or not filter_.keys() <= known
        or not isinstance(filter_.get("conversationId"), str)
        or not isinstance(pinned, bool)
        or (pinned and len(filter_) > 2)
    ):
        raise MethodError(
            MethodErrorType.UNSUPPORTED_FILTER,
            "filter is {conversationId, beforeSeq?, afterSeq?} or {conversationId, pinned}",
        )
    after, before = filter_.get("afterSeq"), filter_.get("beforeSeq")
    for bound in (after, before):
        if bound is not None and (not isinstance(bound, int) or isinstance(bound, bool) or abs(bound) > INF):
            raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "beforeSeq and afterSeq are numbers")
    return filter_["conversationId"], 0 if after is None else after, INF if before is None else before, pinned
