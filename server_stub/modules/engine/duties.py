"""Due dates: rules ask to be called about a record at a moment; one owner's task calls them, by the server's clock.

What fell due while the server was down is done at the next start. A duty is done at least once: its row leaves in the same transaction.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from server_stub.clock import Clock
from server_stub.errors import StorageFailed
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import load_record
from server_stub.storage.database import Database, Tx

log = logging.getLogger("tongban.office")

LONGEST_NAP_S: Final = 30.0  # so that a changed system clock is noticed
RETRY_S: Final = 5.0
BATCH: Final = 100


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


def do_whats_due(tx: Tx, rules_of: Callable[[str], Rules | None], now: int) -> int:
    """Do what is due at `now`, at most BATCH; returns how many. A duty whose rules fail is dropped and logged, the others go on."""
    rows = tx.raw.execute(
        "SELECT record_id, kind, type FROM due WHERE at <= ? ORDER BY at, record_id LIMIT ?", (now, BATCH)
    ).fetchall()
    for record_id, kind, type_name in rows:
        do_clear_due(tx, record_id, kind)
        record, rules = load_record(tx.conn, record_id, type_name=type_name), rules_of(type_name)
        if record is None or rules is None:
            continue
        try:
            with tx.savepoint():
                rules.on_due(tx, record, kind)
        except Exception:  # border: one module's mistake must not stop the clock of all others
            log.exception("a due date of a %s could not be handled", type_name)
    return len(rows)


class DueChanged:
    """Published when a date was set: the runner looks again."""


class DutyRunner:
    """The one task that waits for due dates. Its owner runs `run()` in a TaskGroup and cancels it at the end."""

    def __init__(self, database: Database, clock: Clock, rules_of: Callable[[str], Rules | None]) -> None:
        self._database = database
        self._clock = clock
        self._rules_of = rules_of
        self._changed = asyncio.Event()
        database.subscribe(self._on_commit)

    def _on_commit(self, events: list[object]) -> None:
        if any(isinstance(event, DueChanged) for event in events):
            self._changed.set()

    async def run(self) -> None:
        """Do what is due, sleep until the next date or until one is set; for ever."""
        while True:
            self._changed.clear()
            try:
                while await self.run_due() == BATCH:
                    pass
                nap = await self._nap()
            except StorageFailed as problem:
                log.warning("due dates cannot be handled now: %s", problem)
                nap = RETRY_S
            try:
                async with asyncio.timeout(nap):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def run_due(self) -> int:
        """Do what is due now, at most BATCH; returns how many."""
        due_at = await self._database.read(next_due)
        now = self._clock.now_ms()
        if due_at is None or due_at > now:
            return 0
        return await self._database.write(lambda tx: do_whats_due(tx, self._rules_of, now))

    async def _nap(self) -> float:
        due_at = await self._database.read(next_due)
        if due_at is None:
            return LONGEST_NAP_S
        return min(max((due_at - self._clock.now_ms()) / 1000, 0.01), LONGEST_NAP_S)
