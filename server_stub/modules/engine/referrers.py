"""Records that refer to a record, or were written by somebody: what a rule asks for when totals, readings or children belong to the thing referred to."""

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


def load_written_by(conn: sa.Connection, type_name: str, person_id: str | None) -> list[Record]:
    """The records of a type that somebody has written, oldest first. Quick for types with a process."""
    rows = conn.exec_driver_sql(
        f"SELECT id FROM record WHERE type = '{type_name}' AND author_id = ? ORDER BY created_at, id",  # noqa: S608
        (person_id,),
    )
    ids = [row[0] for row in rows]
    found = load_records(conn, ids, type_name=type_name)
    return [found[one] for one in ids if one in found]


def do_index_references(tx: Tx, modules: Iterable[ModuleDefinition]) -> None:
    """One partial index for each field that refers to one thing, and for the authors of types with a process: finding them does not read the whole type."""
    types = [type_ for module in modules for type_ in module.types]
    wanted = {
        f"{_PREFIX}{type_.name}_{field.name}": (type_.name, f"json_extract(data, '$.{field.name}')")
        for type_ in types
        for field in type_.fields
        if field.kind in _INDEXED and not field.computed
    }
    wanted |= {f"{_PREFIX}{one.name}_authorId": (one.name, "author_id") for one in types if one.process is not None}
    rows = tx.raw.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE ?", (f"{_PREFIX}%",))
    held = {row[0] for row in rows}
    for name in held - wanted.keys():
        tx.raw.execute(f'DROP INDEX "{name}"')
    for name in wanted.keys() - held:
        type_name, what = wanted[name]
        tx.raw.execute(f"CREATE INDEX \"{name}\" ON record({what}, created_at, id) WHERE type = '{type_name}'")
