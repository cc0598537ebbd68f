"""The ReadMark type as the api sees it (docs/protocol.md §4); the marks themselves are kept by marks.py."""

from collections.abc import Callable, Sequence
from typing import Final

import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.ids import pair_id
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.marks import READ_MARK, do_mark, load_marks
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.todos import do_close_to_read
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import access_record
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import visible_ids
from server_stub.storage.database import Tx

_PROPERTIES: Final = frozenset({"id", "recordId", "recordType", "personId", "readAt", "confirmedAt"})


class ReadMarkHandler(RecordHandler):
    """The ReadMark type. Creating one twice answers with the one there is; its id is `<recordId>_<personId>`."""

    def __init__(self, rules_of: Callable[[str], Rules | None]) -> None:
        super().__init__(READ_MARK, OFFICE)
        self.properties = _PROPERTIES
        self._rules_of = rules_of

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        found = load_marks(conn, wanted)
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        unknown = sorted(obj.keys() - {"recordType", "recordId", "confirmed"})
        if unknown:
            raise invalid_properties("a ReadMark is created from recordType, recordId, confirmed", *unknown)
        record_type, record_id, confirmed = obj.get("recordType"), obj.get("recordId"), obj.get("confirmed", False)
        if not isinstance(confirmed, bool):
            raise invalid_properties("must be true or false", "confirmed")
        if not isinstance(record_type, str) or not isinstance(record_id, str):
            raise invalid_properties("must be texts", "recordType", "recordId")
        mark_id = self._mark(tx, actor, record_type, record_id, confirmed)
        return load_marks(tx.conn, [mark_id])[mark_id]

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        held = load_marks(tx.conn, visible_ids(tx.conn, actor.person_id, self.name, [id_])).get(id_)
        if held is None:
            raise SetError(SetErrorType.NOT_FOUND)
        if held["personId"] != actor.person_id:
            raise SetError(SetErrorType.FORBIDDEN, "nobody can confirm for somebody else")
        if patch.keys() != {"confirmed"} or patch["confirmed"] is not True:
            raise invalid_properties("only confirmed: true can be set", *sorted(patch))
        self._mark(tx, actor, held["recordType"], held["recordId"], True)
        return {"confirmedAt": load_marks(tx.conn, [id_])[id_]["confirmedAt"]}

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        raise SetError(SetErrorType.FORBIDDEN, "what was read stays read")

    def _mark(self, tx: Tx, actor: Actor, record_type: str, record_id: str, confirmed: bool) -> str:
        rules = self._rules_of(record_type)
        if rules is None or not rules.definition.marks:
            raise invalid_properties("records of this type are not marked", "recordType")
        record = access_record(tx.conn, actor.person_id, record_type, record_id)
        if record is None:
            raise invalid_properties("there is no such record", "recordId")
        rules.check_mark(tx, actor, record, confirmed)
        if any(do_mark(tx, record, actor.person_id, confirmed=confirmed)):
            do_close_to_read(tx, record, actor.person_id)
            rules.on_mark(tx, actor, record, confirmed)
        return pair_id(record_id, actor.person_id)
