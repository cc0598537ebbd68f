"""RecordChange: who changed which field of a record when (docs/protocol.md §4), seen with the record, without what its reader may not see."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import CannotCalculateChanges, MethodError, MethodErrorType, SetError, SetErrorType
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.definition import HANDLERS, PARTICIPANTS
from server_stub.modules.engine.handler import OfficeHandler
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import access_record
from server_stub.records.types import Comparator, GetResult, JsonObject, QueryResult, Window, cut_window
from server_stub.records.visibility import ChangesPage
from server_stub.storage.database import Tx

RECORD_CHANGE: Final = "RecordChange"


class RecordChangeHandler(RecordHandler):
    """The RecordChange type: asked for by record, never synced, never written by clients."""

    can_calculate_query_changes = False
    properties = frozenset(("id", "recordType", "recordId", "at", "personId", "changes"))

    def __init__(self, handlers: Mapping[str, OfficeHandler]) -> None:
        super().__init__(RECORD_CHANGE, OFFICE)
        self._handlers = handlers

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        if ids is None:
            raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, "name ids: query them by recordId")
        wanted = [one.rpartition("-") for one in dict.fromkeys(ids)]
        found: dict[str, JsonObject] = {}
        for record_id in dict.fromkeys(record_id for record_id, _, _ in wanted):
            found.update((entry["id"], entry) for entry in self._entries(conn, actor, record_id))
        return GetResult([found[one] for one in ids if one in found], [one for one in ids if one not in found])

    def changes(self, conn: sa.Connection, actor: Actor, since: str, limit: int) -> ChangesPage:
        raise CannotCalculateChanges("a history is asked for, not synced")

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        record_id = None if filter_ is None or set(filter_) != {"recordId"} else filter_["recordId"]
        if not isinstance(record_id, str):
            raise MethodError(MethodErrorType.UNSUPPORTED_FILTER, "the filter is {recordId}")
        if any(one.property != "at" for one in sort) or len(sort) > 1:
            raise MethodError(MethodErrorType.UNSUPPORTED_SORT, "sorted by at")
        ids = [entry["id"] for entry in self._entries(conn, actor, record_id)]
        return cut_window(ids[::-1] if sort and not sort[0].is_ascending else ids, window)

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        raise SetError(SetErrorType.FORBIDDEN, "history is written by the server")

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, "history is written by the server")

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        raise SetError(SetErrorType.FORBIDDEN, "history is written by the server")

    def _entries(self, conn: sa.Connection, actor: Actor, record_id: str) -> list[JsonObject]:
        """The history of a record, oldest first; nothing for who does not see the record."""
        row = conn.exec_driver_sql("SELECT type FROM record WHERE id = ?", (record_id,)).fetchone()
        handler = None if row is None else self._handlers.get(row[0])
        record = None if handler is None else access_record(conn, actor.person_id, handler.name, record_id)
        if handler is None or record is None:
            return []
        shown = handler.shown_fields(conn, actor, record) - {HANDLERS, PARTICIPANTS}
        rows = conn.exec_driver_sql(
            "SELECT version, at, person_id, changes FROM record_change WHERE record_id = ? ORDER BY version",
            (record_id,),
        )
        entries = (_present(handler.name, record_id, one, shown) for one in rows)
        return [entry for entry in entries if entry["changes"]]


def _present(type_name: str, record_id: str, row: Sequence[Any], shown: Collection[str]) -> JsonObject:
    version, at, person_id, changes = row
    return {
        "id": f"{record_id}-{version}",
        "recordType": type_name,
        "recordId": record_id,
        "at": format_utc(at),
        "personId": person_id,
        "changes": [
            {"field": name, "old": old, "new": new} for name, old, new in msgspec.json.decode(changes) if name in shown
        ],
    }
