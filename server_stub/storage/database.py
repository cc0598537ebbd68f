"""SQLite with one writer thread (group commit) and a small pool of readers (snapshots).

Every write is an action over a `Tx` in a savepoint of its own; the writer drains its queue, commits once for all, and only then do the
callers go on. What an action published is told to the listeners on the event loop, in commit order, before the callers resume.
Nothing here knows what is stored. Only this file may know the driver's transaction control.
"""

import asyncio
import contextlib
import logging
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future as ThreadFuture
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self, TypeVar

import sqlalchemy as sa

from server_stub.clock import Clock
from server_stub.errors import DatabaseDamaged, DatabaseTooNew, StorageFailed
from server_stub.storage.checkpoints import FALL_BACK, Checkpoints, grow_log
from server_stub.storage.schema import LATEST, MIGRATIONS, Migration, metadata

log = logging.getLogger("tongban.storage")

T = TypeVar("T")
Listener = Callable[[list[object]], None]

GROUP: Final = 256  # actions that share one commit at most: bounds what a failed commit takes with it
READERS: Final = 2
CACHE_KIB: Final = 64 * 1024


class Tx:
    """What a write action works with; lives for one action, in the writer thread only.

    Attributes:
        conn: the SQLAlchemy connection, for Core statements.
        raw: the driver's connection, for hot paths (no statement building); never commit on it.
        now: milliseconds since the epoch at the start of the action.
    """

    def __init__(self, conn: sa.Connection, raw: sqlite3.Connection, now: int, latest: int) -> None:
        self.conn = conn
        self.raw = raw
        self.now = now
        self._latest = latest
        self._mine: int | None = None
        self.events: list[object] = []

    def change_id(self) -> int:
        """This action's change id, the same at every call; ids grow in commit order and are taken only when asked for."""
        if self._mine is None:
            self._mine = self._latest = self._latest + 1
            self.raw.execute("UPDATE counter SET value = ? WHERE name = 'change'", (self._mine,))
        return self._mine

    @property
    def latest(self) -> int:
        """The newest change id this action can see, its own included."""
        return self._latest

    def publish(self, event: object) -> None:
        """Hand an event to the listeners once the action is durable; dropped when it is rolled back."""
        self.events.append(event)

    def execute(self, statement: str | sa.Executable, params: Mapping[str, Any] | Sequence[Any] = ()) -> Any:
        """Run SQL: text with `:name` and a mapping (or `?` and a sequence), or a Core statement; returns the cursor result."""
        if not isinstance(statement, str):
            return self.conn.execute(statement, params or None)
        if isinstance(params, Mapping):
            return self.conn.execute(sa.text(statement), params)
        return self.conn.exec_driver_sql(statement, tuple(params))

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the action that fails alone: when the block raises, its writes, events and change id are undone."""
        mine, latest, events = self._mine, self._latest, len(self.events)
        self.raw.execute("SAVEPOINT part")
        try:
            yield
        except BaseException:
            self.raw.execute("ROLLBACK TO part")
            self.raw.execute("RELEASE part")
            self._mine, self._latest = mine, latest
            del self.events[events:]
            raise
        self.raw.execute("RELEASE part")


@dataclass(slots=True)
class _Job:
    """A queued action with whoever waits for it: a future of the loop, or of another thread."""

    action: Callable[[Tx], Any]
    waiter: "asyncio.Future[Any] | ThreadFuture[Any]"
    loop: asyncio.AbstractEventLoop | None
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class _Reader:
    """A reading connection; used by one thread at a time."""

    conn: sa.Connection
    raw: sqlite3.Connection


@dataclass(slots=True)
class _Barrier:
    """Put in the queue by close(): the writer ends when it comes to it."""

    done: threading.Event = field(default_factory=threading.Event)


class Database:
    """A database file with its threads. Open it, write and read from one event loop, close it."""

    _writer: sa.Connection
    _raw: sqlite3.Connection
    _thread: threading.Thread
    _checkpoints: Checkpoints

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock
        self._engine = sa.create_engine(
            f"sqlite:///{path}",
            poolclass=sa.NullPool,
            isolation_level="AUTOCOMMIT",  # this file sends BEGIN and COMMIT itself
            connect_args={"check_same_thread": False, "timeout": 10.0, "cached_statements": 512},
        )
        self._queue: queue.SimpleQueue[_Job | _Barrier] = queue.SimpleQueue()
        self._listeners: list[Listener] = []
        self._readers: queue.SimpleQueue[_Reader] = queue.SimpleQueue()
        self._read_pool = ThreadPoolExecutor(READERS, thread_name_prefix="db-read")
        self._closed = False
        self._latest = 0

    @classmethod
    def open(cls, path: Path, *, clock: Clock, migrations: Mapping[int, Migration] = MIGRATIONS) -> Self:
        """Open or make the database at `path` and take its schema forward.

        Raises:
            DatabaseTooNew: a newer program wrote it.
            DatabaseDamaged: it is no database, or its pages are broken.
        """
        self = cls(path, clock)
        try:
            # SQLite would make it readable by everybody the folder lets in; -wal and -shm get the mode of the file.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as problem:
            raise DatabaseDamaged(f"cannot open the database: {problem.strerror}") from problem
        try:
            self._writer, self._raw = self._connect()
            self._migrate(migrations)
            for _ in range(READERS):
                conn, raw = self._connect()
                raw.execute("PRAGMA query_only = ON")
                self._readers.put(_Reader(conn, raw))
        except (sqlite3.DatabaseError, sa.exc.DatabaseError) as problem:
            self._engine.dispose()
            raise DatabaseDamaged(f"cannot open the database: {problem}") from problem
        except DatabaseTooNew:
            self._writer.close()
            raise
        row = self._raw.execute("SELECT value FROM counter WHERE name = 'change'").fetchone()
        self._latest = int(row[0])
        self._raw.execute(f"PRAGMA wal_autocheckpoint = {FALL_BACK}")
        self._checkpoints = Checkpoints(path)
        self._thread = threading.Thread(target=self._run, name="db-write", daemon=True)
        self._thread.start()
        return self

    def _connect(self) -> tuple[sa.Connection, sqlite3.Connection]:
        conn = self._engine.connect()
        raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", f"cache_size = -{CACHE_KIB}"):
            raw.execute(f"PRAGMA {pragma}")
        return conn, raw

    def _migrate(self, migrations: Mapping[int, Migration]) -> None:
        """Bring the schema to the newest version in one transaction, or leave the file as it was."""
        newest = max(migrations, default=LATEST)
        self._raw.execute("BEGIN IMMEDIATE")
        try:
            found = self._version()
            if found is not None and found > newest:
                raise DatabaseTooNew(found, newest)
            for version in range((found if found is not None else newest) + 1, newest + 1):
                migrations[version](self._writer)
            metadata.create_all(self._writer)
            self._raw.execute("DELETE FROM schema_version")
            self._raw.execute("INSERT INTO schema_version(version) VALUES (?)", (newest,))
            for name in ("change", "log_start"):
                self._raw.execute(
                    "INSERT INTO counter(name, value) VALUES (?, 0) ON CONFLICT (name) DO NOTHING", (name,)
                )
        except BaseException:
            self._raw.execute("ROLLBACK")
            raise
        self._raw.execute("COMMIT")

    def _version(self) -> int | None:
        """The schema version of the file; None for a new one."""
        known = self._raw.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone()
        row = self._raw.execute("SELECT max(version) FROM schema_version").fetchone() if known else None
        return int(row[0]) if row and row[0] is not None else None

    # ------------------------------------------------------------ writing

    async def write(self, action: Callable[[Tx], T]) -> T:
        """Run `action` in the writer thread; returns its value once it is durable.

        Raises:
            StorageFailed: the commit failed; nothing of it was kept.
            Exception: whatever the action raised; its writes alone were undone.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Job(action, future, loop))
        return await future

    def write_now(self, action: Callable[[Tx], T]) -> T:
        """The same for programs without an event loop (command line, import): blocks until durable, tells no listener."""
        future: ThreadFuture[T] = ThreadFuture()
        self._put(_Job(action, future, None))
        return future.result()

    def _put(self, job: _Job) -> None:
        if self._closed:
            raise StorageFailed("the database is closed")
        self._queue.put(job)

    def _run(self) -> None:
        """The writer thread: wait for one job, take what else is there, commit once, answer all."""
        while True:
            first = self._queue.get()
            jobs: list[_Job] = []
            barrier: _Barrier | None = None
            while True:
                if isinstance(first, _Barrier):
                    barrier = first
                    break
                jobs.append(first)
                if len(jobs) >= GROUP:
                    break
                try:
                    first = self._queue.get_nowait()
                except queue.Empty:
                    break
            if jobs:
                self._commit_group(jobs)
            if barrier is not None:
                barrier.done.set()
                return

    def _commit_group(self, jobs: list[_Job]) -> None:
        latest = self._latest
        events: list[object] = []
        try:
            self._raw.execute("BEGIN IMMEDIATE")
            for job in jobs:
                self._run_action(job, events)
            self._raw.execute("COMMIT")
        except sqlite3.Error as problem:
            log.exception("a group of %d writes could not be committed", len(jobs))
            self._latest = latest
            events = []
            with contextlib.suppress(sqlite3.Error):
                if self._raw.in_transaction:
                    self._raw.execute("ROLLBACK")
            for job in jobs:
                job.result, job.error = None, StorageFailed(f"the write could not be kept: {problem}")
        self._answer(jobs, events)
        self._checkpoints.note(len(jobs))

    def _run_action(self, job: _Job, events: list[object]) -> None:
        tx = Tx(self._writer, self._raw, self._clock.now_ms(), self._latest)
        self._raw.execute("SAVEPOINT act")
        try:
            job.result = job.action(tx)
        except BaseException as problem:  # noqa: BLE001 (border: it belongs to the caller, who gets it)
            job.error = problem
            # A full disk makes SQLite roll back all of the group by itself: then this raises and the group fails as one.
            self._raw.execute("ROLLBACK TO act")
            self._raw.execute("RELEASE act")
            return
        self._raw.execute("RELEASE act")
        self._latest = tx.latest
        events.extend(tx.events)

    def _answer(self, jobs: list[_Job], events: list[object]) -> None:
        """Wake the callers: those of an event loop in one call of it, after the listeners."""
        loops: dict[asyncio.AbstractEventLoop, list[_Job]] = {}
        for job in jobs:
            if job.loop is not None:
                loops.setdefault(job.loop, []).append(job)
            elif isinstance(job.waiter, ThreadFuture):
                _settle(job)
        for loop, waiting in loops.items():
            try:
                loop.call_soon_threadsafe(self._deliver, waiting, events)
            except RuntimeError:  # the loop is gone: what was written stays written, nobody asks any more
                log.warning("the event loop ended before %d writes were answered", len(waiting))
            events = []

    def _deliver(self, jobs: list[_Job], events: list[object]) -> None:
        try:
            if events:
                for listener in self._listeners:
                    listener(events)
        finally:
            for job in jobs:
                _settle(job)

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with the events of each commit, in commit order, on the event loop, before the writers resume."""
        self._listeners.append(listener)

    # ------------------------------------------------------------ reading

    async def read(self, query: Callable[[sa.Connection], T]) -> T:
        """Run `query` in a reader thread on one consistent snapshot."""
        if self._closed:
            raise StorageFailed("the database is closed")
        return await asyncio.get_running_loop().run_in_executor(self._read_pool, self.read_now, query)

    def read_now(self, query: Callable[[sa.Connection], T]) -> T:
        """The same, blocking, for programs without an event loop."""
        reader = self._readers.get()
        try:
            reader.raw.execute("BEGIN")
            try:
                return query(reader.conn)
            finally:
                reader.raw.execute("ROLLBACK")
        finally:
            self._readers.put(reader)

    # ------------------------------------------------------------ keeping

    async def backup(self, target: Path) -> None:
        """Write a consistent copy to `target` (which must not exist) while everything goes on; durable when it returns."""
        await asyncio.get_running_loop().run_in_executor(None, self.backup_now, target)

    def backup_now(self, target: Path) -> None:
        """The same, blocking."""
        source = sqlite3.connect(self.path)
        try:
            source.execute("VACUUM INTO ?", (str(target),))
        finally:
            source.close()
        with target.open("r+b") as file:  # Windows flushes only what may be written
            os.fsync(file.fileno())

    def ready_log(self) -> None:
        """Before many come: what a commit would wait for at first is done now. Blocking."""
        try:
            grow_log(self.path)
        except (sqlite3.Error, OSError) as problem:  # it only saves time
            log.warning("the log is as short as it was: %s", problem)

    def integrity_problems(self) -> list[str]:
        """What SQLite's own check finds wrong; empty when all is well. Reads every page."""

        def check(conn: sa.Connection) -> list[str]:
            rows = conn.exec_driver_sql("PRAGMA integrity_check(100)").fetchall()
            broken = conn.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            return [row[0] for row in rows if row[0] != "ok"] + [f"{row[0]}: a row refers to nothing" for row in broken]

        return self.read_now(check)

    async def close(self) -> None:
        """Finish what is queued, fold the write-ahead log into the file, close. Safe to call twice."""
        await asyncio.get_running_loop().run_in_executor(None, self.close_now)

    def close_now(self) -> None:
        """The same, blocking."""
        if self._closed:
            return
        self._closed = True
        barrier = _Barrier()
        self._queue.put(barrier)
        self._thread.join()
        self._checkpoints.close()
        self._read_pool.shutdown(wait=True)
        for _ in range(READERS):
            self._readers.get().conn.close()
        self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._writer.close()
        self._engine.dispose()


def _settle(job: _Job) -> None:
    if job.waiter.done():  # the caller was cancelled; the write happened all the same
        return
    if job.error is not None:
        job.waiter.set_exception(job.error)
    else:
        job.waiter.set_result(job.result)
