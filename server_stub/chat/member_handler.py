"""The Member and Receipt types as the api sees them: who is in a group, in which role, and how far each has read."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.chat import sources
from server_stub.chat.base import CHUNK, ChatHandler, check_people
from server_stub.chat.confirms import do_forget_confirms
from server_stub.chat.conversations import (
    DECEIVING,
    MEMBER_COLUMNS,
    Membership,
    do_add_member,
    do_change_member,
    do_remove_member,
    do_set_role,
    load_membership,
    load_memberships,
)
from server_stub.chat.desk import ChatDesk
from server_stub.chat.group_settings import JOIN_RULE
from server_stub.chat.join_requests import do_drop_requests, do_show_to_managers
from server_stub.chat.lines import do_line
from server_stub.chat.places import Place, load_place
from server_stub.chat.read_markers import receipt_object
from server_stub.clock import format_utc, parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler, compile_filter, sort_objects
from server_stub.records.types import Comparator, JsonObject, QueryResult, Window, cut_window
from server_stub.records.visibility import INF
from server_stub.storage.database import Tx

MEMBER: Final = "Member"
RECEIPT: Final = "Receipt"
MAX_NICKNAME: Final = 50
_RANK: Final = {"owner": 2, "admin": 1, "member": 0}


class MemberHandler(ChatHandler):
    """Member of a group: let in by owner and admins, or by everyone where the group says so; everybody may leave."""

    SOURCES = sources.MEMBER
    properties = frozenset("id conversationId personId role joinedAt mutedUntil nickname invitedById".split())

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(MEMBER, desk)

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
        """`{conversationId, personId}` by whom the group lets invite."""
        conversation_id, person_id = obj.get("conversationId"), obj.get("personId")
        if not isinstance(conversation_id, str) or not isinstance(person_id, str):
            raise invalid_properties("both are needed", "conversationId", "personId")
        if obj.get("role", "member") != "member":
            raise invalid_properties("a new member is a member", "role")
        place = load_place(tx.conn, conversation_id, actor.person_id)
        if place is None:
            raise invalid_properties("no conversation of yours", "conversationId")
        _check_may_invite(place)
        check_people(tx, [person_id], "personId")
        id_ = do_add_member(tx, conversation_id, person_id, invited_by=actor.person_id)
        do_drop_requests(tx, self.desk, conversation_id, person_id)
        do_line(tx, conversation_id, "joined", by=actor.person_id, people=[person_id])
        return {"id": id_, "role": "member", "joinedAt": format_utc(tx.now), "invitedById": actor.person_id}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """`role` by the owner (owner: a transfer), `mutedUntil` by who is of higher rank, the own `nickname`."""
        one = self._access_member(tx, actor, id_)
        place = load_place(tx.conn, one.conversation_id, actor.person_id)
        if place is None:
            raise SetError(SetErrorType.NOT_FOUND)
        shown, may_change = _member_object(one), {"role", "mutedUntil", "nickname"}
        wrong = [key for key in sorted(patch.keys() - may_change) if shown.get(key) != patch[key]]
        if wrong:
            raise invalid_properties("only role, mutedUntil and nickname may change", *wrong)
        if "role" in patch and patch["role"] != one.role:
            self._do_change_role(tx, place, one, patch["role"])
        if "mutedUntil" in patch and patch["mutedUntil"] != shown.get("mutedUntil"):
            _do_mute(tx, place, one, patch["mutedUntil"])
        if "nickname" in patch and patch["nickname"] != one.nickname:
            if one.person_id != actor.person_id:
                raise SetError(SetErrorType.FORBIDDEN, "a nickname is one's own")
            place.check_alive()
            do_change_member(tx, one, nickname=_nickname(patch["nickname"]))
        after = self.load(tx.conn, actor, [id_], None)[id_]
        return {key: value for key, value in after.items() if {**shown, **patch}.get(key) != value} or None

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        """Leave, or remove somebody of lower rank."""
        one = self._access_member(tx, actor, id_)
        place = load_place(tx.conn, one.conversation_id, actor.person_id)
        if place is None or (place.mine.id != one.id and _RANK[place.mine.role] <= _RANK[one.role]):
            raise SetError(SetErrorType.FORBIDDEN, "only somebody of higher rank")
        if not place.is_group or place.department_id is not None:
            raise SetError(SetErrorType.FORBIDDEN, "only groups can be left, and not those of a department")
        if place.dissolved_at is not None and place.mine.id != one.id:
            place.check_alive()
        do_remove_member(tx, one)
        do_forget_confirms(tx, self.desk, place.scope, one.person_id)
        if one.manages:
            do_show_to_managers(tx, place.id)
        if place.dissolved_at is None:
            type_, by = ("left", None) if one.id == place.mine.id else ("removed", actor.person_id)
            do_line(tx, place.id, type_, by=by, people=[one.person_id])
            heirs = [heir.person_id for heir in load_memberships(tx.conn, place.id) if heir.role == "owner"]
            if one.role == "owner" and heirs:
                do_line(tx, place.id, "transferred", people=heirs)

    def _do_change_role(self, tx: Tx, place: Place, one: Membership, role: Any) -> None:
        if role not in ("owner", "admin", "member"):
            raise invalid_properties("owner, admin or member", "role")
        place.check_alive()
        if place.mine.role != "owner":
            raise SetError(SetErrorType.FORBIDDEN, "only the owner")
        if one.id == place.mine.id:
            raise SetError(SetErrorType.FORBIDDEN, "make another member the owner first")
        if role == "owner" and place.department_id is not None:
            raise SetError(SetErrorType.FORBIDDEN, "the head of the department owns its group")
        do_set_role(tx, one, role)
        me = place.mine.person_id
        if role == "owner":
            do_set_role(tx, place.mine, "admin")
            do_line(tx, place.id, "transferred", by=me, people=[one.person_id])
        else:
            do_line(tx, place.id, "roleChanged", by=me, people=[one.person_id], value=role)
        do_show_to_managers(tx, place.id)

    def _access_member(self, tx: Tx, actor: Actor, id_: str) -> Membership:
        found = _load_by_id(tx.conn, [id_])
        if not found or not self.sees(tx.conn, actor, id_):
            raise SetError(SetErrorType.NOT_FOUND)
        return found[0]


class ReceiptHandler(ChatHandler):
    """Receipt: how far each member has read; moved by Conversation readSeq."""

    SOURCES = sources.RECEIPT
    properties = frozenset(("id", "conversationId", "personId", "readSeq", "readAt"))

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(RECEIPT, desk)

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


def _check_may_invite(place: Place) -> None:
    """Owner and admins always let people in; others where anyone may invite and nobody has to approve. Raises SetError."""
    place.check_alive()
    if place.is_group and place.department_id is not None:
        raise SetError(SetErrorType.FORBIDDEN, "the organisation decides who is in this group")
    open_to_all = place.settings.get("joinRule", JOIN_RULE) == "invite" and place.settings.get("anyoneInvites")
    if not place.is_group or not (place.mine.manages or open_to_all):
        raise SetError(SetErrorType.FORBIDDEN, "only owner and admins of a group")


def _do_mute(tx: Tx, place: Place, one: Membership, until: Any) -> None:
    """Silence a member until a moment (None: let them speak). Raises SetError."""
    place.check_managed()
    if _RANK[place.mine.role] <= _RANK[one.role]:
        raise SetError(SetErrorType.FORBIDDEN, "only somebody of higher rank")
    try:
        moment = None if until is None else parse_utc(until)
    except (ValueError, TypeError) as problem:
        raise invalid_properties("a UTCDate", "mutedUntil") from problem
    if moment is not None and moment <= tx.now:
        moment = None
    do_change_member(tx, one, muted_until=moment)
    type_, value = ("unmuted", None) if moment is None else ("muted", format_utc(moment))
    do_line(tx, place.id, type_, by=place.mine.person_id, people=[one.person_id], value=value)


def _nickname(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or not 0 < len(value.strip()) <= MAX_NICKNAME or DECEIVING.search(value):
        raise invalid_properties(f"one line of at most {MAX_NICKNAME} characters", "nickname")
    return value.strip()


def _member_object(one: Membership) -> JsonObject:
    found: JsonObject = {
        "id": one.id,
        "conversationId": one.conversation_id,
        "personId": one.person_id,
        "role": one.role,
        "joinedAt": format_utc(one.joined_at),
    }
    if one.muted_until is not None:
        found["mutedUntil"] = format_utc(one.muted_until)
    if one.nickname is not None:
        found["nickname"] = one.nickname
    if one.invited_by is not None:
        found["invitedById"] = one.invited_by
    return found


def _receipt_of(one: Membership) -> JsonObject:
    return receipt_object(one.conversation_id, one.person_id, one.id, one.read_seq, one.read_at)


def _load_by_id(conn: sa.Connection, ids: Sequence[str]) -> list[Membership]:
    found: list[Membership] = []
    for start in range(0, len(ids), CHUNK):
        chunk = tuple(ids[start : start + CHUNK])
        marks = ",".join("?" * len(chunk))
        rows = conn.exec_driver_sql(
            f"SELECT {MEMBER_COLUMNS} FROM member WHERE id IN ({marks}) AND until = ?", (*chunk, INF)
        )
        found += [Membership(*row) for row in rows]
    return found


def _query_members(
    handler: ChatHandler,
    conn: sa.Connection,
    actor: Actor,
    filter_: JsonObject | None,
    sort: Sequence[Comparator],
    window: Window,
    show: Callable[[Membership], JsonObject],
) -> QueryResult:
    conversation_id = (filter_ or {}).get("conversationId")
    if not isinstance(conversation_id, str):
        return RecordHandler.query(handler, conn, actor, filter_, sort, window)
    mine = load_membership(conn, conversation_id, actor.person_id)
    objects = [show(one) for one in load_memberships(conn, conversation_id)] if mine is not None else []
    matches = compile_filter(filter_, handler.compile_condition)
    return cut_window([obj["id"] for obj in sort_objects([o for o in objects if matches(o)], sort)], window)
