"""Due dates: rules ask to be called about a record at a moment; one owner's task calls them, by the server's clock.

What fell due while the server was down is done at the next start. A duty is done at least once: its row leaves in the same transaction.
"""

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.clock import Clock, utc_offset
from server_stub.errors import StorageFailed
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.dues import DueChanged, do_clear_due, do_set_due, next_due
from server_stub.modules.engine.new_day import do_new_day
from server_stub.modules.engine.processes.leavers import do_hand_over_leavers
from server_stub.modules.engine.processes.saving import DUE_KIND
from server_stub.modules.engine.processes.timers import do_case_due
from server_stub.modules.engine.reminders import do_remind, is_reminder
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.scopes import do_scope_by_directory
from server_stub.push.events import ObjectsChanged
from server_stub.records.store import load_record
from server_stub.storage.database import Database, Tx
from server_stub.storage.rounds import nap_until, run_rounds

log = logging.getLogger("tongban.office")

CASE_RETRY_MS: Final = 3_600_000  # a case whose process failed is looked at again
BATCH: Final = 100


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
                if is_reminder(kind):
                    do_remind(tx, rules.context, record, kind)
                elif kind == DUE_KIND:
                    do_case_due(tx, rules.context, rules, record)
                else:
                    rules.on_due(tx, record, kind)
        except Exception:  # border: one module's mistake must not stop the clock of all others
            log.exception("a due date of a %s could not be handled", type_name)
            if kind == DUE_KIND:
                do_set_due(tx, record_id, type_name, kind, now + CASE_RETRY_MS)
    return len(rows)


class DutyRunner:
    """The one task that waits for due dates. Its owner runs `run()` in a TaskGroup and cancels it at the end."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        rules_of: Callable[[str], Rules | None],
        context: OfficeContext | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._rules_of = rules_of
        self._context = context
        self._changed = asyncio.Event()
        self._directory_changed = True  # who knows what happened while the server was down
        self._day: dt.date | None = None
        database.subscribe(self._on_commit)

    def _on_commit(self, events: list[object]) -> None:
        if any(isinstance(event, DueChanged) for event in events):
            self._changed.set()
        if any(isinstance(event, ObjectsChanged) and event.type_name in (PERSON, DEPARTMENT) for event in events):
            self._directory_changed = True
            self._changed.set()

    async def run(self) -> None:
        """Do what is due, sleep until the next date or until one is set; for ever."""
        await run_rounds(self._changed, self._round, log, "due dates cannot be handled now")

    async def _round(self) -> float:
        while await self.run_due() == BATCH:
            pass
        await self.run_directory()
        await self.run_daily()
        return nap_until(await self._database.read(next_due), self._clock.now_ms())

    async def run_due(self) -> int:
        """Do what is due now, at most BATCH; returns how many."""
        due_at = await self._database.read(next_due)
        now = self._clock.now_ms()
        if due_at is None or due_at > now:
            return 0
        return await self._database.write(lambda tx: do_whats_due(tx, self._rules_of, now))

    async def run_directory(self) -> None:
        """Show records to the superiors and heads of departments there are now, when some of them may have changed."""
        context = self._context
        if context is not None and self._directory_changed:
            self._directory_changed = False
            try:
                await self._database.write(lambda tx: do_scope_by_directory(tx, context))
                await self._hand_over(context)
            except StorageFailed:
                self._directory_changed = True
                raise

    async def _hand_over(self, context: OfficeContext) -> None:
        """What people had to do who are not there any more goes to others; in parts, so that others come in between."""
        after, more = "", True
        while more:
            hand_over = partial(do_hand_over_leavers, context=context, rules_of=self._rules_of, after=after)
            after = await self._database.write(hand_over)
            more = bool(after)

    async def run_daily(self) -> None:
        """Once in a local day: what the calendar alone makes a to-do, and forgetting what was done long ago."""
        now = self._clock.now_ms()
        today = local_day(now, utc_offset(now))
        context = self._context
        if context is None or today == self._day:
            return
        await self._database.write(lambda tx: do_new_day(tx, context))
        self._day = today
