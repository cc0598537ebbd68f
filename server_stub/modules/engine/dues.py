"""The table of due dates: when a record's rules, or a reminder of the engine, want to be called."""

import sqlalchemy as sa

from server_stub.storage.database import Tx


class DueChanged:
    """Published when a date was set: the runner looks again."""


def do_set_due(tx: Tx, record_id: str, type_name: str, kind: str, at: int) -> None:
    """Call the rules of this record at `at` (ms); replaces an earlier date of the same kind."""
    tx.raw.execute(
        "INSERT INTO due(record_id, kind, type, at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (record_id, kind) DO UPDATE SET at = excluded.at, type = excluded.type",
        (record_id, kind, type_name, at),
    )
    tx.publish(DueChanged())


def do_clear_due(tx: Tx, record_id: str, kind: str | None = None) -> None:
    """Forget the date of one kind (None: all) of a record."""
    if kind is None:
        tx.raw.execute("DELETE FROM due WHERE record_id = ?", (record_id,))
    else:
        tx.raw.execute("DELETE FROM due WHERE record_id = ? AND kind = ?", (record_id, kind))


def next_due(conn: sa.Connection) -> int | None:
    """The earliest date, None when there is none."""
    value = conn.exec_driver_sql("SELECT min(at) FROM due").scalar_one()
    return None if value is None else int(value)
