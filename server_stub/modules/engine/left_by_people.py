"""What people leave on a record, written once and taken away by its author alone: the common part of comments and annotations."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.context import OfficeContext
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import do_bury, visible_ids
from server_stub.storage.database import Tx

_CHUNK: Final = 500


class LeftHandler(RecordHandler):
    """A type whose objects have `id recordType recordId authorId createdAt updatedAt` and what they say; rows of `table`."""

    def __init__(self, name: str, table: sa.Table, context: OfficeContext) -> None:
        super().__init__(name, OFFICE)
        self._table: Final = table
        self._context = context

    @abstractmethod
    def says(self, row: Any) -> JsonObject:
        """What an object says beside who left it where and when."""

    def do_let_go(self, tx: Tx, id_: str) -> None:
        """What hangs on an object that is taken away."""

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        found = self.load(conn, wanted)
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, "what was left is not changed, only destroyed")

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        held = self.load(tx.conn, visible_ids(tx.conn, actor.person_id, self.name, [id_])).get(id_)
        if held is None:
            raise SetError(SetErrorType.NOT_FOUND)
        if held["authorId"] != actor.person_id:
            raise SetError(SetErrorType.FORBIDDEN, "only its author takes it away")
        self.do_let_go(tx, id_)
        do_bury(tx, id_)
        tx.conn.execute(sa.delete(self._table).where(self._table.c.id == id_))

    def do_insert(self, tx: Tx, values: JsonObject) -> None:
        """A row, at the time of the transaction. Raises SetError: the id is taken."""
        if tx.raw.execute("SELECT 1 FROM record_scope WHERE object_id = ? LIMIT 1", (values["id"],)).fetchone():
            raise invalid_properties("this id is taken", "id")
        tx.conn.execute(sa.insert(self._table).values(**values, created_at=tx.now))

    def created(self, tx: Tx, made: str, obj: JsonObject) -> JsonObject:
        """What the server tells who made it: its id, and whatever is not as it was given."""
        shown = self.load(tx.conn, [made])[made]
        return {"id": made, **{key: value for key, value in shown.items() if obj.get(key, ...) != value}}

    def load(self, conn: sa.Connection, ids: Sequence[str]) -> dict[str, JsonObject]:
        """Objects by id."""
        return {row.id: self._shown(row) for row in self._rows(conn, ids)}

    def _rows(self, conn: sa.Connection, ids: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(ids), _CHUNK):
            yield from conn.execute(sa.select(self._table).where(self._table.c.id.in_(ids[start : start + _CHUNK])))

    def _shown(self, row: Any) -> JsonObject:
        at = format_utc(row.created_at)
        place = {"id": row.id, "recordType": row.record_type, "recordId": row.record_id}
        return {**place, **self.says(row), "authorId": row.author_id, "createdAt": at, "updatedAt": at}
