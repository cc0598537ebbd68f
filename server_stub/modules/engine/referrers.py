"""Records that refer to a record: what a rule asks for when totals, readings or children belong to the thing referred to."""

from collections.abc import Iterable
from typing import Final

import sqlalchemy as sa

from server_stub.modules.engine.definition import FieldKind, ModuleDefinition
from server_stub.records.store import Record, load_records
from server_stub.storage.database import Tx

_INDEXED: Final = frozenset({FieldKind.REFERENCE, FieldKind.DEPARTMENT, FieldKind.PERSON})
_PREFIX: Final = "ix_reference_"


def load_referrers(conn: sa.Connection, type_name: str, field: str, record_id: str) -> list[Record]:
    """The records of a type whose reference `field` is `record_id`, oldest first. `field` is a name of a definition, never a client's word."""
    # Type and path stand in the statement as they stand in the index: SQLite takes an index of an expression for nothing else.
    rows = conn.exec_driver_sql(
        f"SELECT id FROM record WHERE type = '{type_name}' AND json_extract(data, '$.{field}') = ? ORDER BY created_at, id",  # noqa: S608
        (record_id,),
    )
    ids = [row[0] for row in rows]
    found = load_records(conn, ids, type_name=type_name)
    return [found[one] for one in ids if one in found]


def do_index_references(tx: Tx, modules: Iterable[ModuleDefinition]) -> None:
    """One partial index for each field that refers to one thing, so that finding its referrers does not read the whole type."""
    wanted = {
        f"{_PREFIX}{type_.name}_{field.name}": (type_.name, field.name)
        for module in modules
        for type_ in module.types
        for field in type_.fields
        if field.kind in _INDEXED and not field.computed
    }
    rows = tx.raw.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE ?", (f"{_PREFIX}%",))
    held = {row[0] for row in rows}
    for name in held - wanted.keys():
        tx.raw.execute(f'DROP INDEX "{name}"')
    for name in wanted.keys() - held:
        type_name, field = wanted[name]
        tx.raw.execute(
            f"CREATE INDEX \"{name}\" ON record(json_extract(data, '$.{field}'), created_at, id) WHERE type = '{type_name}'"
        )
