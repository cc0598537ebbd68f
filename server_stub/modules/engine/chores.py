"""Chores: slow work about a record (typesetting, packing) that a transaction asks for and that is done beside the writer, on a worker thread.

The wish is a row, written in the same transaction as what it follows from; what comes of it is written in a transaction of its own. A server that
stops in between does it after its next start: a chore is done at least once, so its rules look again at the record before they keep the result.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import sqlalchemy as sa

from server_stub.clock import Clock
from server_stub.errors import StorageFailed
from server_stub.ids import uuid7
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record, load_record
from server_stub.storage.blobs import do_link, do_register
from server_stub.storage.database import Database, Tx
from server_stub.storage.rounds import LONGEST_NAP_S, nap_until, run_rounds
from server_stub.storage.schema import metadata

log = logging.getLogger("tongban.office")

MAX_TRIES: Final = 3
RETRY_MS: Final = 30_000

chore: Final = sa.Table(
    "chore",
    metadata,
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),  # another one: it was asked for again meanwhile
    sa.Column("asked_by", sa.Text, nullable=True),
    sa.Column("at", sa.BigInteger, nullable=False),  # not before this moment, ms
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Index("chore_at", "at"),
)
"""Slow work that waits to be done about a record; one of each kind."""


class ChoreAsked:
    """Published when a chore was asked for: the runner looks again."""


class ChoreRefused(Exception):
    """The work cannot be done, now or later; the text says why to people."""


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file that a chore made: in the blob store, not registered yet."""

    blob_id: str
    size: int
    type: str


class BlobFiles(Protocol):
    """As much of the blob store as chores need; both block."""

    def store_bytes(self, data: bytes) -> str:
        """Keep bytes; their id."""
        ...

    def path(self, blob_id: str) -> Path:
        """Where a blob lies."""
        ...


class Workshop:
    """What a chore may touch while it works: files, no database."""

    def __init__(self, files: BlobFiles) -> None:
        self._files = files

    def store(self, data: bytes, type_: str) -> MadeFile:
        """Keep what was made."""
        return MadeFile(self._files.store_bytes(data), len(data), type_)

    def path(self, blob_id: str) -> Path:
        """Where a blob's content lies."""
        return self._files.path(blob_id)


Work = Callable[[Workshop], Any]


class ChoreRules(Rules):
    """Rules of a type that asks for chores."""

    def prepare_chore(self, conn: sa.Connection, record: Record, kind: str) -> Work | None:
        """Read what the work needs; the work itself then runs on a worker thread without a database. None: there is nothing to do any more.

        Raises:
            ChoreRefused: it can be seen already that it cannot be done. The work may raise it too.
        """
        raise NotImplementedError

    def do_finish_chore(self, tx: Tx, record: Record, kind: str, result: Any, by: str | None) -> None:
        """Keep what the work gave. The record is as it is now: it may have changed since."""
        raise NotImplementedError

    def do_give_up_chore(self, tx: Tx, record: Record, kind: str, reason: str, by: str | None) -> None:
        """It could not be done."""

    def do_attach(self, tx: Tx, made: MadeFile, record: Record, by: str | None) -> None:
        """Register a file that was made, and let the readers of the record read it."""
        do_register(tx, made.blob_id, made.size, made.type, by or record.author_id or "")
        do_link(tx, made.blob_id, record.id, record.type, made.type)


def do_ask_chore(tx: Tx, record: Record, kind: str, by: str | None) -> None:
    """Have something done about a record, after this transaction; asked twice before it is done, it is done once."""
    tx.raw.execute(
        "INSERT INTO chore(record_id, kind, type, token, asked_by, at, tries) VALUES (?, ?, ?, ?, ?, ?, 0)"
        " ON CONFLICT (record_id, kind) DO UPDATE SET token = excluded.token, asked_by = excluded.asked_by,"
        " at = excluded.at, tries = 0",
        (record.id, kind, record.type, uuid7(tx.now), by, tx.now),
    )
    tx.publish(ChoreAsked())


@dataclass(frozen=True, slots=True)
class _Asked:
    record_id: str
    kind: str
    type: str
    token: str
    by: str | None
    tries: int


class ChoreRunner:
    """The one task that does chores, one after the other. Its owner runs `run()` in a TaskGroup and cancels it at the end."""

    def __init__(
        self, database: Database, clock: Clock, rules_of: Callable[[str], Rules | None], files: BlobFiles
    ) -> None:
        self._database = database
        self._clock = clock
        self._rules_of = rules_of
        self._workshop = Workshop(files)
        self._changed = asyncio.Event()
        database.subscribe(self._on_commit)

    def _on_commit(self, events: list[object]) -> None:
        if any(isinstance(event, ChoreAsked) for event in events):
            self._changed.set()

    async def run(self) -> None:
        """Do what waits, sleep until more is asked for; for ever."""
        await run_rounds(self._changed, self._round, log, "chores cannot be done now", retry_s=LONGEST_NAP_S)

    async def _round(self) -> float:
        while await self.run_next():
            pass
        due_at = await self._database.read(lambda conn: conn.exec_driver_sql("SELECT min(at) FROM chore").scalar_one())
        return nap_until(due_at, self._clock.now_ms())

    async def run_next(self, at: int | None = None) -> bool:
        """Do the first chore that waits; False when none does.

        Args:
            at: as if it were this moment (ms): for a demo that happened in the past; None: now.
        """
        asked = await self._database.read(lambda conn: _first(conn, self._clock.now_ms()))
        if asked is None:
            return False
        try:
            result = await self._do(asked)
        except ChoreRefused as refused:
            reason = str(refused)[:500]
            await self._write(lambda tx: self._give_up(tx, asked, reason), at)
        except StorageFailed:
            raise
        except Exception as problem:  # border: one module's mistake must not stop all other chores
            log.exception("a chore %s of a %s failed", asked.kind, asked.type)
            why = type(problem).__name__
            await self._write(lambda tx: self._retry(tx, asked, why), at)
        else:
            await self._write(lambda tx: self._finish(tx, asked, result), at)
        return True

    async def _write(self, action: Callable[[Tx], None], at: int | None) -> None:
        def run(tx: Tx) -> None:
            tx.now = tx.now if at is None else at
            action(tx)

        await self._database.write(run)

    async def _do(self, asked: _Asked) -> Any:
        """What the work gives; _NOTHING when there is none."""
        work = await self._database.read(lambda conn: self._prepare(conn, asked))
        return _NOTHING if work is None else await asyncio.to_thread(work, self._workshop)

    def _prepare(self, conn: sa.Connection, asked: _Asked) -> Work | None:
        record, rules = load_record(conn, asked.record_id, type_name=asked.type), self._rules_of(asked.type)
        if record is None or not isinstance(rules, ChoreRules):
            return None
        return rules.prepare_chore(conn, record, asked.kind)

    def _finish(self, tx: Tx, asked: _Asked, result: Any) -> None:
        _do_forget(tx, asked)
        record, rules = load_record(tx.conn, asked.record_id, type_name=asked.type), self._rules_of(asked.type)
        if result is not _NOTHING and record is not None and isinstance(rules, ChoreRules):
            rules.do_finish_chore(tx, record, asked.kind, result, asked.by)

    def _give_up(self, tx: Tx, asked: _Asked, reason: str) -> None:
        _do_forget(tx, asked)
        record, rules = load_record(tx.conn, asked.record_id, type_name=asked.type), self._rules_of(asked.type)
        if record is not None and isinstance(rules, ChoreRules):
            rules.do_give_up_chore(tx, record, asked.kind, reason, asked.by)

    def _retry(self, tx: Tx, asked: _Asked, why: str) -> None:
        if asked.tries + 1 >= MAX_TRIES:
            self._give_up(tx, asked, why)
            return
        later = self._clock.now_ms() + RETRY_MS * (asked.tries + 1)
        tx.raw.execute(
            "UPDATE chore SET tries = tries + 1, at = ? WHERE record_id = ? AND kind = ? AND token = ?",
            (later, asked.record_id, asked.kind, asked.token),
        )


_NOTHING: Final = object()


def _first(conn: sa.Connection, now: int) -> _Asked | None:
    row = conn.exec_driver_sql(
        "SELECT record_id, kind, type, token, asked_by, tries FROM chore WHERE at <= ? ORDER BY at, record_id LIMIT 1",
        (now,),
    ).fetchone()
    return None if row is None else _Asked(*row)


def _do_forget(tx: Tx, asked: _Asked) -> None:
    """Done, unless it was asked for again meanwhile."""
    tx.raw.execute(
        "DELETE FROM chore WHERE record_id = ? AND kind = ? AND token = ?", (asked.record_id, asked.kind, asked.token)
    )
