"""Which change was the newest at what time: a mark a day, so that the log of changes can be trimmed by age."""

from typing import Final

import sqlalchemy as sa

from server_stub.storage.database import Tx
from server_stub.storage.schema import metadata

MARK_EVERY_MS: Final = 24 * 3600 * 1000

change_mark: Final = sa.Table(
    "change_mark",
    metadata,
    sa.Column("at", sa.BigInteger, primary_key=True),  # ms
    sa.Column("change", sa.BigInteger, nullable=False),
)


def do_mark_change(tx: Tx) -> None:
    """Note the newest change and the time, unless that was done within the last day."""
    newest = tx.raw.execute("SELECT max(at) FROM change_mark").fetchone()[0]
    if newest is None or tx.now - newest >= MARK_EVERY_MS:
        tx.raw.execute("INSERT INTO change_mark(at, change) VALUES (?, ?)", (tx.now, tx.latest))


def do_drop_marks_before(tx: Tx, at_ms: int) -> None:
    """Drop the marks that change_before(at_ms) does not look at any more."""
    tx.raw.execute("DELETE FROM change_mark WHERE at < (SELECT max(at) FROM change_mark WHERE at <= ?)", (at_ms,))


def change_before(conn: sa.Connection, at_ms: int) -> int | None:
    """A change that had been made by then, as late as the marks tell; None when they do not reach back so far."""
    found = conn.exec_driver_sql("SELECT change FROM change_mark WHERE at <= ? ORDER BY at DESC LIMIT 1", (at_ms,))
    row = found.first()
    return None if row is None else int(row[0])
