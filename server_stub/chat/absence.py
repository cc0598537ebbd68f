"""Answers of people who are away: one a day to whoever writes to them alone, marked `auto`. Sent after the commit, so sending waits for nothing.

Groups, the system and automatic messages are never answered: two people who are away do not write to each other for ever.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.directory import load_rights
from server_stub.chat.contents import utc_of
from server_stub.chat.desk import CHAT, ChatDesk
from server_stub.chat.messages import Draft, do_send
from server_stub.clock import Clock, parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.ids import uuid7
from server_stub.push.events import ObjectsChanged
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import INF, fetch_rows, scope_id
from server_stub.storage.database import Database, Tx

log = logging.getLogger("tongban.chat")

ABSENCE: Final = "AbsenceReply"
MAX_TEXT: Final = 500
AGAIN_MS: Final = 24 * 3_600_000
FRESH_MS: Final = 60_000
QUEUED: Final = 1000  # what waits to be looked at; beyond it nobody is answered
_CHANGED: Final = ("editedAt", "recalledAt", "reactions", "pinned", "confirmedIds", "results", "entries")
_NEVER: Final = frozenset({"system", "shake"})
_AWAY: Final = frozenset({"away", "offline"})
_SET: Final = frozenset({"enabled", "from", "to", "text", "whileAway"})


class AbsenceReplyHandler(RecordHandler):
    """AbsenceReply: at most one of each person, their own: `{enabled, text, from?, to?, whileAway?}`."""

    properties = frozenset("id enabled from to text whileAway createdAt updatedAt authorId".split())

    def __init__(self, desk: ChatDesk) -> None:
        super().__init__(ABSENCE, CHAT)

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> tuple[JsonObject, list[int]]:
        """Refused (`singleton`) where there is one: it is updated."""
        if load_absence(tx.conn, actor.person_id) is not None:
            raise SetError(SetErrorType.SINGLETON, "there is one: update it")
        return _check(data), [scope_id(tx, "person", actor.person_id)]

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        """Turned on anew, everybody is answered again."""
        made = _check(data)
        if "enabled" in changed and made["enabled"]:
            _do_forget(tx, actor.person_id)
        return made, None

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Nobody is answered."""
        _do_forget(tx, actor.person_id)


def _do_forget(tx: Tx, person_id: str) -> None:
    tx.raw.execute("DELETE FROM absence_sent WHERE person_id = ?", (person_id,))


def _check(data: JsonObject) -> JsonObject:
    unknown = sorted(data.keys() - _SET)
    if unknown:
        raise invalid_properties("set by the server", *unknown)
    text = data.get("text")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise invalid_properties(f"a text of at most {MAX_TEXT} characters", "text")
    made: JsonObject = {"text": text}
    for name, usual in (("enabled", True), ("whileAway", False)):
        value = data.get(name, usual)
        if not isinstance(value, bool):
            raise invalid_properties("true or false", name)
        made[name] = value
    for name in ("from", "to"):
        if data.get(name) is not None:
            if not isinstance(data[name], str):
                raise invalid_properties("a UTCDate", name)
            made[name] = utc_of(data[name], name)
    if "from" in made and "to" in made and parse_utc(made["from"]) >= parse_utc(made["to"]):
        raise invalid_properties("it ends after it begins", "from", "to")
    return made


def load_absence(conn: sa.Connection, person_id: str) -> JsonObject | None:
    """What a person has set; None: nothing."""
    rows = fetch_rows(
        conn,
        "SELECT json_extract(data, '$.enabled'), json_extract(data, '$.text'), json_extract(data, '$.from'),"
        " json_extract(data, '$.to'), json_extract(data, '$.whileAway')"
        " FROM record WHERE type = ? AND author_id = ?",
        (ABSENCE, person_id),
    )
    return dict(zip(("enabled", "text", "from", "to", "whileAway"), rows[0], strict=True)) if rows else None


def is_active(absence: Mapping[str, Any], now: int, status: str) -> bool:
    """Whether it answers at a moment (ms), its person being of this presence."""
    if not absence["enabled"] or (absence["whileAway"] and status not in _AWAY):
        return False
    begins, ends = absence["from"], absence["to"]
    return (begins is None or parse_utc(begins) <= now) and (ends is None or now < parse_utc(ends))


def to_answer(objects: Sequence[Mapping[str, Any]], now: int) -> list[tuple[str, str]]:
    """(conversation, sender) of the messages among these that were just sent by somebody."""
    return [
        (one["conversationId"], one["senderId"])
        for one in objects
        if one["senderId"] is not None
        and one["kind"] not in _NEVER
        and "auto" not in one
        and not any(name in one for name in _CHANGED)
        and 0 <= now - parse_utc(one["sentAt"]) + FRESH_MS <= 2 * FRESH_MS
    ]


def do_answer(tx: Tx, conversation_id: str, sender_id: str, status_of: Callable[[str], str]) -> bool:
    """Answer in the name of the other one, where they are away and have not answered this day. False: not."""
    rows = fetch_rows(
        tx.conn,
        "SELECT m.person_id FROM conversation AS c JOIN member AS m ON m.conversation_id = c.id AND m.until = ?"
        " WHERE c.id = ? AND c.kind = 'direct' AND m.person_id <> ?",
        (INF, conversation_id, sender_id),
    )
    if len(rows) != 1:
        return False
    person_id = str(rows[0][0])
    absence = load_absence(tx.conn, person_id)
    if absence is None or not is_active(absence, tx.now, status_of(person_id)):
        return False
    if load_record(tx.conn, person_id) is not None and not load_rights(tx.conn, person_id).active:
        return False
    noted = tx.raw.execute(
        "INSERT INTO absence_sent(person_id, to_id, at) VALUES (?, ?, ?)"
        " ON CONFLICT (person_id, to_id) DO UPDATE SET at = excluded.at WHERE excluded.at - at >= ?",
        (person_id, sender_id, tx.now, AGAIN_MS),
    )
    if noted.rowcount != 1:
        return False
    do_send(tx, person_id, conversation_id, uuid7(tx.now), Draft("text", absence["text"], more={"auto": True}))
    return True


class AbsenceAnswers:
    """Notes what was sent, and answers it when the chat's task comes round. While nobody is away it costs a look at the event.

    What waited when the server ended is found again at its start; whom was answered is in the database, so nobody is answered twice.
    """

    def __init__(self, database: Database, clock: Clock, wake: Callable[[], None]) -> None:
        self._database, self._clock, self._wake = database, clock, wake
        self.status_of: Callable[[str], str] = lambda _person_id: "offline"
        self._some = True  # until it was looked up
        self._look = self._begin = True
        self._waiting: dict[tuple[str, str], None] = {}
        database.subscribe(self._on_commit)

    def _on_commit(self, events: list[object]) -> None:
        for event in events:
            if not isinstance(event, ObjectsChanged):
                continue
            if event.type_name == ABSENCE:
                self._look = self._some = True
                self._wake()
            elif self._some and event.type_name == "Message" and event.objects and len(self._waiting) < QUEUED:
                found = to_answer(event.objects, self._clock.now_ms())
                if found:
                    self._waiting.update(dict.fromkeys(found))
                    self._wake()

    async def run_due(self) -> int:
        """Answer everything that waits; returns how many answers were sent."""
        if self._look:
            self._look = False
            try:
                self._some = await self._database.read(_has_absences)
            except BaseException:
                self._look = True
                raise
        answered = await self._run_missed() if self._begin and self._some else 0
        self._begin = False
        waiting, self._waiting = list(self._waiting), {}
        if not waiting or not self._some:
            return answered
        return answered + await self._database.write(
            lambda tx: sum(self._do_answer(tx, *one, self.status_of) for one in waiting)
        )

    async def _run_missed(self) -> int:
        """What waited when the server ended. Who was away then is not known any more: who only answers while away does not."""
        missed = await self._database.read(lambda conn: load_missed(conn, self._clock.now_ms()))
        if not missed:
            return 0
        return await self._database.write(
            lambda tx: sum(self._do_answer(tx, *one, lambda _person_id: "online") for one in missed)
        )

    def _do_answer(self, tx: Tx, conversation_id: str, sender_id: str, status_of: Callable[[str], str]) -> bool:
        try:
            with tx.savepoint():
                return do_answer(tx, conversation_id, sender_id, status_of)
        except SetError as problem:
            log.info("no answer of somebody away: %s", problem.type)
            return False


def load_missed(conn: sa.Connection, now: int) -> list[tuple[str, str]]:
    """(conversation, sender) of what came last in direct conversations just before the server stood still; those answered are noted."""
    rows = fetch_rows(
        conn,
        "SELECT c.id, m.sender_id FROM conversation AS c JOIN message AS m ON m.id = json_extract(c.last_message, '$.id')"
        " WHERE c.kind = 'direct' AND c.updated_at >= ? AND m.sent_at >= ? AND m.sender_id IS NOT NULL"
        " AND m.kind NOT IN ('system', 'shake') AND json_extract(m.extra, '$.auto') IS NULL"
        " AND json_extract(m.extra, '$.recalledAt') IS NULL LIMIT ?",
        (now - FRESH_MS, now - FRESH_MS, QUEUED),
    )
    return [(row[0], row[1]) for row in rows]


def _has_absences(conn: sa.Connection) -> bool:
    return bool(
        fetch_rows(
            conn,
            "SELECT 1 FROM record WHERE type = ? AND json_extract(data, '$.enabled') LIMIT 1",
            (ABSENCE,),
        )
    )
