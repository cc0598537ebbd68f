"""Messages to be sent later: kept as they would be created, sent by the server as the person, once."""

import logging
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.directory import load_rights
from server_stub.chat.attachments import Attachment
from server_stub.chat.contents import utc_of
from server_stub.chat.desk import CHAT, ChatDesk
from server_stub.chat.drafts import check_draft
from server_stub.chat.message_handler import MessageHandler
from server_stub.chat.places import load_place
from server_stub.clock import parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record, do_update_record, load_record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import fetch_rows, scope_id
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx

log = logging.getLogger("tongban.chat")

SCHEDULED: Final = "ScheduledMessage"
WAITING: Final = "waiting"
SENT: Final = "sent"
FAILED: Final = "failed"
MAX_WAITING: Final = 200  # of one person
FARTHEST_MS: Final = 366 * 24 * 3_600_000
BATCH: Final = 50
_NOT_LATER: Final = frozenset({"merged", "shake"})


class ScheduledChanged:
    """Published when something is to be sent at another moment: the runner looks again."""


class ScheduledMessageHandler(RecordHandler):
    """ScheduledMessage: the person's own; may change and go until it is sent."""

    properties = frozenset(
        "id conversationId message sendAt state reason messageId createdAt updatedAt authorId".split()
    )

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(SCHEDULED, CHAT)
        self._desk = desk

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> tuple[JsonObject, list[int]]:
        """`{conversationId, message, sendAt}`; what cannot be sent now is refused now."""
        unknown = sorted(data.keys() - {"conversationId", "message", "sendAt"})
        if unknown:
            raise invalid_properties("set by the server", *unknown)
        held = fetch_rows(
            tx.conn,
            "SELECT count(*) FROM record WHERE type = ? AND author_id = ? AND json_extract(data, '$.state') = ?",
            (SCHEDULED, actor.person_id, WAITING),
        )
        if held[0][0] >= MAX_WAITING:
            raise SetError(SetErrorType.OVER_QUOTA, f"at most {MAX_WAITING} messages wait to be sent")
        made = self._check(tx, actor, record_id, data)
        _do_set_due(tx, record_id, made["sendAt"])
        return {**made, "state": WAITING}, [scope_id(tx, "person", actor.person_id)]

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        """`message` and `sendAt`, until it is sent."""
        if record.data["state"] != WAITING:
            raise SetError(SetErrorType.FORBIDDEN, "it was sent")
        if not changed <= {"message", "sendAt"}:
            raise invalid_properties("only message and sendAt may change", *sorted(changed - {"message", "sendAt"}))
        do_unrefer(tx, record.id, SCHEDULED)
        made = self._check(tx, actor, record.id, data)
        _do_set_due(tx, record.id, made["sendAt"])
        return {**data, **made}, None

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """It is not sent, or no longer listed."""
        tx.raw.execute("DELETE FROM scheduled_due WHERE id = ?", (record.id,))
        do_unrefer(tx, record.id, SCHEDULED)

    def _check(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        conversation_id, message, send_at = data.get("conversationId"), data.get("message"), data.get("sendAt")
        place = load_place(tx.conn, conversation_id, actor.person_id) if isinstance(conversation_id, str) else None
        if place is None or place.kind == "system":
            raise invalid_properties("no conversation of yours to write in", "conversationId")
        if not isinstance(message, dict) or message.get("kind") in _NOT_LATER:
            raise invalid_properties("a message as it is created", "message")
        if not isinstance(send_at, str):
            raise invalid_properties("a UTCDate", "sendAt")
        at = utc_of(send_at, "sendAt")
        if parse_utc(at) > tx.now + FARTHEST_MS:
            raise invalid_properties("at most a year from now", "sendAt")

        def refer(given: Attachment) -> tuple[int, str]:
            blob = self._desk.do_refer(tx, actor, given.blob_id, record_id, SCHEDULED)
            return blob.size, blob.type

        message = {key: value for key, value in message.items() if key != "conversationId"}
        try:
            check_draft(
                {**message, "conversationId": place.id},
                refer,
                lambda type_name, id_: self._desk.title_of(tx.conn, actor, type_name, id_),
                policy=self._desk.policy,
            )
        except SetError as problem:
            if problem.type == SetErrorType.INVALID_PROPERTIES:
                raise invalid_properties(problem.description, "message") from problem
            raise
        return {"conversationId": place.id, "message": message, "sendAt": at}


def do_send_due(tx: Tx, messages: MessageHandler, now: int) -> int:
    """Send what is due, at most BATCH; returns how many. What cannot be sent is kept with the reason.

    The row of the date leaves in the transaction that writes the message, and the message has the id of what was scheduled: whatever
    happens in between, it is sent once.
    """
    rows = fetch_rows(tx.conn, "SELECT id FROM scheduled_due WHERE at <= ? ORDER BY at, id LIMIT ?", (now, BATCH))
    for (id_,) in rows:
        tx.raw.execute("DELETE FROM scheduled_due WHERE id = ?", (id_,))
        record = load_record(tx.conn, id_, type_name=SCHEDULED)
        if record is None or record.author_id is None or record.data["state"] != WAITING:
            continue
        outcome: dict[str, Any]
        try:
            with tx.savepoint():
                outcome = {"state": SENT, "messageId": _do_send(tx, messages, record, record.author_id)}
        except SetError as problem:
            outcome = {"state": FAILED, "reason": problem.extra.get("reason", problem.type)}
        except Exception:  # border: one message that cannot be sent must not hold up all others
            log.exception("a scheduled message could not be sent")
            outcome = {"state": FAILED, "reason": "serverFail"}
        else:
            do_unrefer(tx, id_, SCHEDULED)
        do_update_record(tx, record, {**record.data, **outcome}, history=False)
    return len(rows)


def next_scheduled(conn: sa.Connection) -> int | None:
    """When the next one is due (ms), None when nothing waits."""
    value = fetch_rows(conn, "SELECT min(at) FROM scheduled_due")[0][0]
    return None if value is None else int(value)


def _do_send(tx: Tx, messages: MessageHandler, record: Record, person_id: str) -> str:
    rights = load_rights(tx.conn, person_id)
    known = load_record(tx.conn, person_id) is not None
    if known and not rights.active:
        raise SetError("accountDisabled", "the sender is not active")
    actor = Actor(person_id, rights.roles, rights.department_ids)
    message = {**record.data["message"], "conversationId": record.data["conversationId"]}
    return str(messages.create(tx, actor, record.id, message)["id"])


def _do_set_due(tx: Tx, record_id: str, send_at: str) -> None:
    tx.raw.execute(
        "INSERT INTO scheduled_due(id, at) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
        (record_id, parse_utc(send_at)),
    )
    tx.publish(ScheduledChanged())
