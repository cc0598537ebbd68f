"""Generic records: JSON objects with an author, times and a modseq, shown to scopes. Checks no rights; that is the handlers' part."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import invalid_properties
from server_stub.records import visibility
from server_stub.storage.database import Tx

_COLUMNS: Final = "id, type, data, author_id, created_at, updated_at, modseq, version"
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Record:
    """A stored record. Times in milliseconds since the epoch; `modseq` = the change that last wrote it; `version` counts the changes of its data from 1."""

    id: str
    type: str
    data: dict[str, Any]
    author_id: str | None
    created_at: int
    updated_at: int
    modseq: int
    version: int = 1

    def to_object(self) -> dict[str, Any]:
        """The record with the envelope of docs/protocol.md §4: its data plus id, createdAt, updatedAt, authorId."""
        return {
            "id": self.id,
            **self.data,
            "createdAt": format_utc(self.created_at),
            "updatedAt": format_utc(self.updated_at),
            "authorId": self.author_id,
        }


def do_create_record(
    tx: Tx,
    type_name: str,
    record_id: str,
    data: Mapping[str, Any],
    *,
    scopes: Iterable[int],
    author_id: str | None = None,
    at: int | None = None,
) -> Record:
    """Write a new record and show it to `scopes`; `at` is its time of creation when that is not now.

    Raises:
        SetError: invalidProperties on `id`: it is taken.
    """
    when = tx.now if at is None else at
    # record_scope knows devices, alerts and login lines by id as well: a record under such an id would hide them when it goes.
    if tx.raw.execute(
        "SELECT 1 FROM record_scope WHERE object_id = ? AND type <> ? LIMIT 1", (record_id, type_name)
    ).fetchone():
        raise invalid_properties("this id is taken", "id")
    made = Record(record_id, type_name, dict(data), author_id, when, when, tx.change_id())
    inserted = tx.raw.execute(
        f"INSERT INTO record({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (record_id, type_name, _encode(made.data), author_id, when, when, made.modseq, made.version),
    )
    if inserted.rowcount != 1:
        raise invalid_properties("this id is taken", "id")
    for scope in dict.fromkeys(scopes):
        visibility.do_share(tx, record_id, type_name, scope)
    return made


def do_update_record(
    tx: Tx,
    record: Record,
    data: Mapping[str, Any],
    *,
    touch_time: bool = True,
    by: str | None = None,
    history: bool = True,
) -> Record:
    """Replace a record's data; all who see it will hear.

    Args:
        touch_time: False keeps updatedAt (bookkeeping nobody should notice).
        by: who changed it, for the history; None: the server.
        history: False keeps no trace of what was there before (people and their telephone numbers).
    """
    n = tx.change_id()
    updated = tx.now if touch_time else record.updated_at
    changes = [
        [key, record.data.get(key), data.get(key)]
        for key in sorted(record.data.keys() | data.keys())
        if record.data.get(key) != data.get(key)
    ]
    row = tx.raw.execute(
        "UPDATE record SET data = ?, updated_at = ?, modseq = ?, version = version + ? WHERE id = ? RETURNING version",
        (_encode(data), updated, n, bool(changes), record.id),
    ).fetchone()
    version = record.version if row is None else int(row[0])
    if history and changes and row is not None:
        tx.raw.execute(
            "INSERT INTO record_change(record_id, version, type, at, person_id, changes) VALUES (?, ?, ?, ?, ?, ?)",
            (record.id, version, record.type, tx.now, by, msgspec.json.encode(changes).decode()),
        )
    visibility.do_touch(tx, record.id)
    return Record(record.id, record.type, dict(data), record.author_id, record.created_at, updated, n, version)


def do_destroy_record(tx: Tx, record_id: str) -> None:
    """Take a record away from everyone, with its row and its history."""
    visibility.do_bury(tx, record_id)
    tx.raw.execute("DELETE FROM record_change WHERE record_id = ?", (record_id,))
    tx.raw.execute("DELETE FROM record WHERE id = ?", (record_id,))


def load_records(conn: sa.Connection, ids: Sequence[str], *, type_name: str | None = None) -> dict[str, Record]:
    """The records among `ids`, by id; of one type when `type_name` is given."""
    found: dict[str, Record] = {}
    for start in range(0, len(ids), _CHUNK):
        chunk = tuple(ids[start : start + _CHUNK])
        marks = ",".join("?" * len(chunk))
        rows = visibility.fetch_rows(conn, f"SELECT {_COLUMNS} FROM record WHERE id IN ({marks})", chunk)
        found.update((row[0], _to_record(row)) for row in rows if type_name in (None, row[1]))
    return found


def load_record(conn: sa.Connection, record_id: str, *, type_name: str | None = None) -> Record | None:
    """One record, None when there is none."""
    return load_records(conn, [record_id], type_name=type_name).get(record_id)


def load_records_of_type(conn: sa.Connection, type_name: str) -> list[Record]:
    """All records of a type, oldest first."""
    rows = conn.exec_driver_sql(f"SELECT {_COLUMNS} FROM record WHERE type = ? ORDER BY created_at, id", (type_name,))
    return [_to_record(row) for row in rows]


def load_visible_records(conn: sa.Connection, person_id: str, type_name: str) -> list[Record]:
    """All records of a type the person sees, oldest first."""
    ids = visibility.visible_ids(conn, person_id, type_name, None)
    return sorted(
        load_records(conn, ids, type_name=type_name).values(), key=lambda record: (record.created_at, record.id)
    )


def access_record(conn: sa.Connection, person_id: str, type_name: str, record_id: str) -> Record | None:
    """One record if the person sees it, else None."""
    if not visibility.is_visible(conn, person_id, type_name, record_id):
        return None
    return load_record(conn, record_id, type_name=type_name)


def _encode(data: Mapping[str, Any]) -> str:
    return msgspec.json.encode(data).decode()


def _to_record(row: Sequence[Any]) -> Record:
    return Record(row[0], row[1], msgspec.json.decode(row[2]), row[3], row[4], row[5], row[6], row[7])
