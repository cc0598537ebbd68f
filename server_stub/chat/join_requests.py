"""Asking to join a group, for oneself or for somebody else: owner and admins say yes or no."""

from typing import Final

import sqlalchemy as sa

from server_stub.chat.alerting import Notification
from server_stub.chat.base import check_people
from server_stub.chat.conversations import do_add_member, load_membership, load_memberships
from server_stub.chat.desk import CHAT, ChatDesk
from server_stub.chat.group_settings import CONVERSATION, JOIN_RULE
from server_stub.chat.lines import do_line
from server_stub.chat.names import names_of
from server_stub.chat.places import load_place
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records import visibility
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record, do_destroy_record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import fetch_rows
from server_stub.storage.database import Tx

JOIN_REQUEST: Final = "JoinRequest"
WAITING: Final = "waiting"
ACCEPTED: Final = "accepted"
REFUSED: Final = "refused"
SYSTEM: Final = "system"
MAX_TEXT: Final = 200
MAX_WAITING: Final = 200  # of one group


class JoinRequestHandler(RecordHandler):
    """JoinRequest: seen by who asks, who is asked for, owner and admins."""

    properties = frozenset("id conversationId personId byId text state createdAt updatedAt authorId".split())

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(JOIN_REQUEST, CHAT)
        self._desk = desk

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> tuple[JsonObject, list[int]]:
        """`{conversationId, personId?, text?}` where the group's joinRule is `approve`."""
        unknown = sorted(data.keys() - {"conversationId", "personId", "text"})
        if unknown:
            raise invalid_properties("set by the server", *unknown)
        conversation_id, person_id = data.get("conversationId"), data.get("personId", actor.person_id)
        text = data.get("text", "")
        if not isinstance(conversation_id, str) or not isinstance(person_id, str):
            raise invalid_properties("ids", "conversationId", "personId")
        if not isinstance(text, str) or len(text) > MAX_TEXT:
            raise invalid_properties(f"at most {MAX_TEXT} characters", "text")
        check_people(tx, [person_id], "personId")
        name = self._check_asked(tx, actor, conversation_id, person_id)
        managers = _managers(tx, conversation_id)
        who = names_of(tx.conn, [person_id])[person_id]
        about = Notification(SYSTEM, f"{who}申请加入{name}", text, JOIN_REQUEST, record_id)
        self._desk.alerts.do_alert(tx, managers, about)
        made = {"conversationId": conversation_id, "personId": person_id, "byId": actor.person_id, "state": WAITING}
        return {**made, **({"text": text} if text else {})}, _scopes(tx, made)

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        """`state` from waiting to accepted or refused, by owner and admins."""
        if changed != {"state"} or data.get("state") not in (ACCEPTED, REFUSED):
            raise invalid_properties("only state may change, to accepted or refused", *sorted(changed))
        place = load_place(tx.conn, record.data["conversationId"], actor.person_id)
        if place is None:
            raise SetError(SetErrorType.FORBIDDEN, "only owner and admins of the group")
        place.check_managed()
        if record.data["state"] != WAITING:
            raise SetError(SetErrorType.FORBIDDEN, "it was answered before")
        person_id, by_id = record.data["personId"], record.data["byId"]
        self._desk.alerts.do_drop(tx, JOIN_REQUEST, record.id, None, None)
        if data["state"] == ACCEPTED and load_membership(tx.conn, place.id, person_id) is None:
            invited_by = by_id if by_id != person_id else None
            do_add_member(tx, place.id, person_id, invited_by=invited_by)
            do_line(tx, place.id, "joined", by=invited_by, people=[person_id])
        answer = "已同意" if data["state"] == ACCEPTED else "未同意"
        about = Notification(SYSTEM, f"{place.name}{answer}加入申请", "", CONVERSATION, place.id)
        self._desk.alerts.do_alert(tx, [by_id], about)
        return data, None

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """By who asked."""
        if record.data["byId"] != actor.person_id:
            raise SetError(SetErrorType.FORBIDDEN, "only who asked takes it back")
        self._desk.alerts.do_drop(tx, JOIN_REQUEST, record.id, None, None)

    def _check_asked(self, tx: Tx, actor: Actor, conversation_id: str, person_id: str) -> str:
        """The name of a group that can be asked. Raises SetError."""
        rows = fetch_rows(
            tx.conn,
            "SELECT name, coalesce(json_extract(settings, '$.joinRule'), ?) FROM conversation"
            " WHERE id = ? AND kind = 'group' AND dissolved_at IS NULL AND department_id IS NULL",
            (JOIN_RULE, conversation_id),
        )
        if not rows or rows[0][1] != "approve":
            raise SetError(SetErrorType.FORBIDDEN, "nobody can ask to join this")
        if person_id != actor.person_id and load_membership(tx.conn, conversation_id, actor.person_id) is None:
            raise SetError(SetErrorType.FORBIDDEN, "only members propose others")
        if load_membership(tx.conn, conversation_id, person_id) is not None:
            raise invalid_properties("a member already", "personId")
        waiting = _waiting(tx, conversation_id)
        if any(one[1] == person_id for one in waiting):
            raise invalid_properties("this is waiting for an answer already", "personId")
        if len(waiting) >= MAX_WAITING:
            raise SetError(SetErrorType.RATE_LIMIT, "too many are waiting", retryAfter=3600)
        return str(rows[0][0])


def do_show_to_managers(tx: Tx, conversation_id: str) -> None:
    """Requests that wait are seen by the owner and admins there are now."""
    for id_, person_id, by_id in _waiting(tx, conversation_id):
        about: JsonObject = {"conversationId": conversation_id, "personId": person_id, "byId": by_id}
        visibility.do_set_scopes(tx, id_, JOIN_REQUEST, _scopes(tx, about))


def do_drop_requests(tx: Tx, desk: ChatDesk, conversation_id: str, person_id: str | None = None) -> None:
    """Nobody waits any more: the person came in another way, or (None) the group is gone."""
    for id_, who, _ in _waiting(tx, conversation_id):
        if person_id in (None, who):
            desk.alerts.do_drop(tx, JOIN_REQUEST, id_, None, None)
            do_destroy_record(tx, id_)


def is_waiting(conn: sa.Connection, conversation_id: str, person_id: str) -> bool:
    """Whether somebody waits for an answer."""
    return any(one[1] == person_id for one in _load_waiting(conn, conversation_id))


def _waiting(tx: Tx, conversation_id: str) -> list[tuple[str, str, str]]:
    return _load_waiting(tx.conn, conversation_id)


def _load_waiting(conn: sa.Connection, conversation_id: str) -> list[tuple[str, str, str]]:
    """(id, person, who asked) of the requests that wait."""
    rows = fetch_rows(
        conn,
        "SELECT id, json_extract(data, '$.personId'), json_extract(data, '$.byId') FROM record WHERE type = ?"
        " AND json_extract(data, '$.conversationId') = ? AND json_extract(data, '$.state') = ?",
        (JOIN_REQUEST, conversation_id, WAITING),
    )
    return [(row[0], row[1], row[2]) for row in rows]


def _managers(tx: Tx, conversation_id: str) -> list[str]:
    return [one.person_id for one in load_memberships(tx.conn, conversation_id) if one.manages]


def _scopes(tx: Tx, data: JsonObject) -> list[int]:
    people = {data["personId"], data["byId"], *_managers(tx, data["conversationId"])}
    return [visibility.scope_id(tx, "person", one) for one in sorted(people)]
