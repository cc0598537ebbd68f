"""Read marks: who has read and confirmed a record (docs/protocol.md §4, ReadMark). Seen by that person and by the record's author."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.ids import pair_id
from server_stub.modules.engine.tables import read_mark
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.records.visibility import do_bury, do_share, do_touch, scope_id
from server_stub.storage.database import Tx

READ_MARK: Final = "ReadMark"
_CHUNK: Final = 400


@dataclass(frozen=True, slots=True)
class MarkCounts:
    """How many people have read and confirmed a record."""

    read: int = 0
    confirmed: int = 0


def do_mark(tx: Tx, record: Record, person_id: str, *, confirmed: bool, at: int | None = None) -> tuple[bool, bool]:
    """Note that a person read (and confirmed) a record; a confirmation is never taken back. Returns (newly read, newly confirmed)."""
    when = tx.now if at is None else at
    mark_id = pair_id(record.id, person_id)
    held = tx.raw.execute(
        "SELECT confirmed_at FROM read_mark WHERE record_id = ? AND person_id = ?", (record.id, person_id)
    ).fetchone()
    if held is None:
        tx.raw.execute(
            "INSERT INTO read_mark(record_id, person_id, record_type, read_at, confirmed_at) VALUES (?, ?, ?, ?, ?)",
            (record.id, person_id, record.type, when, when if confirmed else None),
        )
        for reader in dict.fromkeys(one for one in (person_id, record.author_id) if one is not None):
            do_share(tx, mark_id, READ_MARK, scope_id(tx, "person", reader))
        return True, confirmed
    if not confirmed or held[0] is not None:
        return False, False
    tx.raw.execute(
        "UPDATE read_mark SET confirmed_at = ? WHERE record_id = ? AND person_id = ?", (when, record.id, person_id)
    )
    do_touch(tx, mark_id)
    return False, True


def do_drop_marks(tx: Tx, record_id: str) -> int:
    """The record is new to everyone again: all marks leave. Returns how many there were."""
    rows = tx.raw.execute("DELETE FROM read_mark WHERE record_id = ? RETURNING person_id", (record_id,)).fetchall()
    for row in rows:
        do_bury(tx, pair_id(record_id, row[0]))
    return len(rows)


def load_mark_counts(conn: sa.Connection, record_ids: Sequence[str]) -> dict[str, MarkCounts]:
    """Record id → counts; records nobody has read are missing."""
    found: dict[str, MarkCounts] = {}
    for start in range(0, len(record_ids), _CHUNK):
        chunk = tuple(record_ids[start : start + _CHUNK])
        rows = conn.exec_driver_sql(
            "SELECT record_id, count(*), count(confirmed_at) FROM read_mark"
            f" WHERE record_id IN ({','.join('?' * len(chunk))}) GROUP BY record_id",
            chunk,
        )
        found.update((row[0], MarkCounts(row[1], row[2])) for row in rows)
    return found


def load_marks(conn: sa.Connection, mark_ids: Iterable[str]) -> dict[str, JsonObject]:
    """Marks by id, as on the wire."""
    pairs = [one.rpartition("_")[::2] for one in mark_ids]
    found: dict[str, JsonObject] = {}
    for start in range(0, len(pairs), _CHUNK):
        chunk = pairs[start : start + _CHUNK]
        matches = sa.tuple_(read_mark.c.record_id, read_mark.c.person_id).in_(chunk)
        for row in conn.execute(sa.select(read_mark).where(matches)):
            shown = _present(row)
            found[shown["id"]] = shown
    return found


def _present(row: Any) -> JsonObject:
    shown = {
        "id": pair_id(row.record_id, row.person_id),
        "recordId": row.record_id,
        "recordType": row.record_type,
        "personId": row.person_id,
        "readAt": format_utc(row.read_at),
    }
    if row.confirmed_at is not None:
        shown["confirmedAt"] = format_utc(row.confirmed_at)
    return shown
