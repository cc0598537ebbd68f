"""Records found by a value: the fields a definition calls `indexed`, those of lines too, are kept in a table. Exact after NFKC, case and blanks."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.modules.engine.conditions import is_empty
from server_stub.modules.engine.definition import FieldKind, ModuleDefinition, TypeDefinition
from server_stub.modules.engine.uniqueness import compared_form
from server_stub.records.store import Record, load_records, load_records_of_type
from server_stub.storage.database import Tx
from server_stub.storage.schema import metadata

lookup: Final = sa.Table(
    "record_lookup",
    metadata,
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),  # `invoice` of lines is `lines.invoice`
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Index("record_lookup_record", "record_id"),
)
"""Which records have which value."""

indexed_field: Final = sa.Table(
    "record_lookup_field",
    metadata,
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
)
"""What is indexed by now: a field that a definition adds to it is filled in once."""


def indexed_paths(definition: TypeDefinition) -> tuple[str, ...]:
    """The fields of a type that are looked up, in order."""
    found = [one.name for one in definition.fields if one.indexed]
    found += [
        f"{one.name}.{inner.name}"
        for one in definition.fields
        if one.kind is FieldKind.LINES
        for inner in one.fields
        if inner.indexed
    ]
    return tuple(found)


def load_by_value(conn: sa.Connection, type_name: str, path: str, value: Any) -> list[Record]:
    """The records of a type whose indexed field (or the field of one of whose lines) is this, oldest first."""
    rows = conn.exec_driver_sql(
        "SELECT record_id FROM record_lookup WHERE type = ? AND field = ? AND value = ?",
        (type_name, path, _form(value)),
    )
    found = load_records(conn, [row[0] for row in rows], type_name=type_name).values()
    return sorted(found, key=lambda one: (one.created_at, one.id))


def do_index_values(tx: Tx, definition: TypeDefinition, record_id: str, data: Mapping[str, Any]) -> None:
    """What a record has now is what it is found by."""
    paths = indexed_paths(definition)
    if not paths:
        return
    wanted = {(path, _form(value)) for path in paths for value in _values(data, path)}
    rows = tx.raw.execute("SELECT field, value FROM record_lookup WHERE record_id = ?", (record_id,))
    held = {(row[0], row[1]) for row in rows}
    for path, value in held - wanted:
        tx.raw.execute(
            "DELETE FROM record_lookup WHERE type = ? AND field = ? AND value = ? AND record_id = ?",
            (definition.name, path, value, record_id),
        )
    for path, value in sorted(wanted - held):
        tx.raw.execute(
            "INSERT INTO record_lookup(type, field, value, record_id) VALUES (?, ?, ?, ?)",
            (definition.name, path, value, record_id),
        )


def do_forget_values(tx: Tx, record_id: str) -> None:
    """The record is gone."""
    tx.raw.execute("DELETE FROM record_lookup WHERE record_id = ?", (record_id,))


def do_bring_lookups_in_line(tx: Tx, modules: Iterable[ModuleDefinition]) -> None:
    """After definitions changed: fields that are looked up from now on are filled in from the records there are, others are dropped."""
    types = {type_.name: type_ for module in modules for type_ in module.types}
    wanted = {(name, path) for name, type_ in types.items() for path in indexed_paths(type_)}
    held = {(row[0], row[1]) for row in tx.raw.execute("SELECT type, field FROM record_lookup_field")}
    for name, path in held - wanted:
        tx.raw.execute("DELETE FROM record_lookup WHERE type = ? AND field = ?", (name, path))
        tx.raw.execute("DELETE FROM record_lookup_field WHERE type = ? AND field = ?", (name, path))
    for name, path in sorted(wanted - held):
        tx.raw.execute("INSERT INTO record_lookup_field(type, field) VALUES (?, ?)", (name, path))
    for name in sorted({name for name, _ in wanted - held}):
        for record in load_records_of_type(tx.conn, name):
            do_index_values(tx, types[name], record.id, record.data)


def _values(data: Mapping[str, Any], path: str) -> Iterator[Any]:
    name, _, inner = path.partition(".")
    held = data.get(name)
    for value in [one.get(inner) for one in held or ()] if inner else [held]:
        if not is_empty(value):
            yield value


def _form(value: Any) -> str:
    return msgspec.json.encode(compared_form(value)).decode()
