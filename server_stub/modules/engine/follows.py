"""Follow: who wants to hear of a record (docs/protocol.md §4), and telling them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.ids import pair_id
from server_stub.modules.engine.alerts import OFFICE, AlertText, do_alert
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.scopes import readers_among
from server_stub.modules.engine.tables import follow
from server_stub.modules.engine.titles import title_of
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record, access_record
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import do_bury, do_share, scope_id, visible_ids
from server_stub.storage.database import Tx

FOLLOW: Final = "Follow"
_CHUNK: Final = 400


def followers_of(tx: Tx, record_id: str) -> set[str]:
    """The people who follow a record, whether they still see it or not."""
    return {row[0] for row in tx.raw.execute("SELECT person_id FROM follow WHERE record_id = ?", (record_id,))}


def do_tell_followers(tx: Tx, context: OfficeContext, record: Record, by: str | None) -> None:
    """The record's state changed: alert its followers."""
    people = readers_among(tx, record.id, followers_of(tx, record.id) - {by or ""})
    if not people:
        return
    definition = context.types[record.type]
    state = definition.state(record.data.get("state"))
    label = None if state is None else {"zh": state.label.zh, "en": state.label.en}
    title = title_of(tx.conn, context.types, definition, record.data)
    text = "" if label is None else label["zh"]
    do_alert(tx, people, AlertText("follow", title, text, False, record.type, record.id, label))


def do_drop_follows(tx: Tx, record_id: str) -> None:
    """The record is gone."""
    rows = tx.raw.execute("DELETE FROM follow WHERE record_id = ? RETURNING person_id", (record_id,)).fetchall()
    for (person_id,) in rows:
        do_bury(tx, pair_id(record_id, person_id))


class FollowHandler(RecordHandler):
    """The Follow type: one's own, made and destroyed; following twice is following once."""

    properties = frozenset(("id", "recordType", "recordId", "personId", "createdAt"))

    def __init__(self, context: OfficeContext) -> None:
        super().__init__(FOLLOW, OFFICE)
        self._context = context

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        found = _load(conn, wanted)
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        record = access_target(tx, self._context, actor, obj, {"recordType", "recordId"})
        tx.raw.execute(
            "INSERT INTO follow(record_id, person_id, record_type, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (record.id, actor.person_id, record.type, tx.now),
        )
        follow_id = pair_id(record.id, actor.person_id)
        do_share(tx, follow_id, FOLLOW, scope_id(tx, "person", actor.person_id))
        return _load(tx.conn, [follow_id])[follow_id]

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, "a follow is made or destroyed")

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        if not visible_ids(tx.conn, actor.person_id, self.name, [id_]):
            raise SetError(SetErrorType.NOT_FOUND)
        record_id, _, person_id = id_.rpartition("_")
        tx.raw.execute("DELETE FROM follow WHERE record_id = ? AND person_id = ?", (record_id, person_id))
        do_bury(tx, id_)


def access_target(tx: Tx, context: OfficeContext, actor: Actor, obj: JsonObject, known: Collection[str]) -> Record:
    """The record an object with recordType and recordId is about, if the actor sees it.

    Raises:
        SetError: invalidProperties: other properties than `known`, no such record.
    """
    unknown = sorted(obj.keys() - set(known))
    if unknown:
        raise invalid_properties("no such property", *unknown)
    record_type, record_id = obj.get("recordType"), obj.get("recordId")
    if not isinstance(record_type, str) or not isinstance(record_id, str) or record_type not in context.types:
        raise invalid_properties("must name an office record", "recordType", "recordId")
    record = access_record(tx.conn, actor.person_id, record_type, record_id)
    if record is None:
        raise invalid_properties("there is no such record", "recordId")
    return record


def _load(conn: sa.Connection, follow_ids: Iterable[str]) -> dict[str, JsonObject]:
    pairs = [one.rpartition("_")[::2] for one in follow_ids]
    found: dict[str, JsonObject] = {}
    for start in range(0, len(pairs), _CHUNK):
        within = sa.tuple_(follow.c.record_id, follow.c.person_id).in_(pairs[start : start + _CHUNK])
        for row in conn.execute(sa.select(follow).where(within)):
            shown = _present(row)
            found[shown["id"]] = shown
    return found


def _present(row: Any) -> JsonObject:
    return {
        "id": pair_id(row.record_id, row.person_id),
        "recordType": row.record_type,
        "recordId": row.record_id,
        "personId": row.person_id,
        "createdAt": format_utc(row.created_at),
    }
