"""The database: group commit, failures that stay alone, events in commit order, snapshots, migrations, backup."""

import asyncio
import sqlite3
import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from server_stub.clock import FixedClock
from server_stub.errors import DatabaseDamaged, DatabaseTooNew, StorageFailed
from server_stub.storage.checkpoints import EVERY
from server_stub.storage.database import Database, Tx
from server_stub.storage.schema import LATEST

CLOCK = FixedClock(1_700_000_000_000)


def make_note_table(tx: Tx) -> None:
    tx.execute("CREATE TABLE IF NOT EXISTS note(id INTEGER PRIMARY KEY, n BIGINT, body TEXT)")


def add(body: str, *, fail: bool = False):  # noqa: ANN201
    def action(tx: Tx) -> int:
        n = tx.change_id()
        tx.execute("INSERT INTO note(n, body) VALUES (?, ?)", (n, body))
        tx.publish((n, body))
        if fail:
            raise ValueError(body)
        return n

    return action


def bodies(conn: sa.Connection) -> list[tuple[int, str]]:
    return [tuple(row) for row in conn.exec_driver_sql("SELECT n, body FROM note ORDER BY id")]


def test_actions_of_a_group_fail_alone_and_ids_follow_commit_order(tmp_path: Path) -> None:
    async def scenario() -> None:
        db = Database.open(tmp_path / "a.db", clock=CLOCK)
        seen: list[object] = []
        db.subscribe(seen.extend)
        await db.write(make_note_table)
        results = await asyncio.gather(
            *(db.write(add(str(i), fail=i % 3 == 1)) for i in range(300)), return_exceptions=True
        )
        good = [str(i) for i in range(300) if i % 3 != 1]
        assert [r for r in results if not isinstance(r, ValueError)] == list(range(1, 201))
        assert [str(r) for r in results if isinstance(r, ValueError)] == [str(i) for i in range(300) if i % 3 == 1]
        assert await db.read(bodies) == list(zip(range(1, 201), good, strict=True))
        assert seen == list(zip(range(1, 201), good, strict=True))
        await db.close()
        again = Database.open(tmp_path / "a.db", clock=CLOCK)
        assert await again.write(lambda tx: tx.change_id()) == 201
        await again.close()

    asyncio.run(scenario())


def test_many_writes_share_few_commits(tmp_path: Path) -> None:
    async def scenario() -> None:
        db = Database.open(tmp_path / "a.db", clock=CLOCK)
        groups: list[int] = []
        db.subscribe(lambda events: groups.append(len(events)))
        await db.write(make_note_table)
        release = threading.Event()
        held = [asyncio.ensure_future(db.write(lambda tx: release.wait(5)))]
        held += [asyncio.ensure_future(db.write(add(str(i)))) for i in range(500)]
        await asyncio.sleep(0)
        release.set()
        await asyncio.gather(*held)
        assert sum(groups) == 500
        assert len(groups) <= 4
        await db.close()

    asyncio.run(scenario())


def test_events_come_before_the_writer_resumes(tmp_path: Path) -> None:
    async def scenario() -> None:
        db = Database.open(tmp_path / "a.db", clock=CLOCK)
        await db.write(make_note_table)
        seen: list[object] = []
        db.subscribe(seen.extend)
        await db.write(add("x"))
        assert seen == [(1, "x")]
        with pytest.raises(ValueError, match="y"):
            await db.write(add("y", fail=True))
        assert seen == [(1, "x")]
        await db.close()

    asyncio.run(scenario())


def test_a_part_of_an_action_fails_alone(tmp_path: Path) -> None:
    def action(tx: Tx) -> int:
        with pytest.raises(ValueError, match="lost"), tx.savepoint():
            add("lost", fail=True)(tx)
        with tx.savepoint():
            return add("kept")(tx)

    async def scenario() -> None:
        db = Database.open(tmp_path / "a.db", clock=CLOCK)
        seen: list[object] = []
        db.subscribe(seen.extend)
        await db.write(make_note_table)
        assert await db.write(action) == 1
        assert seen == [(1, "kept")]
        value = await db.read(
            lambda conn: conn.exec_driver_sql("SELECT value FROM counter WHERE name = 'change'").scalar_one()
        )
        assert value == 1
        await db.close()

    asyncio.run(scenario())


def test_a_read_sees_one_snapshot(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db", clock=CLOCK)
    db.write_now(make_note_table)

    def look(conn: sa.Connection) -> tuple[int, int]:
        before = len(bodies(conn))
        db.write_now(add("between"))
        return before, len(bodies(conn))

    assert db.read_now(look) == (0, 0)
    assert len(db.read_now(bodies)) == 1
    with pytest.raises(sa.exc.OperationalError, match="readonly"):
        db.read_now(lambda conn: conn.exec_driver_sql("DELETE FROM note"))
    db.close_now()


def test_a_cancelled_caller_does_not_stop_its_group(tmp_path: Path) -> None:
    async def scenario() -> None:
        db = Database.open(tmp_path / "a.db", clock=CLOCK)
        await db.write(make_note_table)
        release = threading.Event()
        block = asyncio.ensure_future(db.write(lambda tx: release.wait(5)))
        gone = asyncio.ensure_future(db.write(add("gone")))
        stays = asyncio.ensure_future(db.write(add("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        release.set()
        assert await stays == 2
        await block
        assert [body for _, body in await db.read(bodies)] == ["gone", "stays"]
        await db.close()

    asyncio.run(scenario())


def test_a_commit_that_fails_fails_all_of_it(tmp_path: Path) -> None:
    db = Database.open(tmp_path / "a.db", clock=CLOCK)
    db.write_now(make_note_table)
    db.write_now(
        lambda tx: tx.execute("CREATE TABLE child(p INTEGER REFERENCES note(id) DEFERRABLE INITIALLY DEFERRED)")
    )
    with pytest.raises(StorageFailed):
        db.write_now(lambda tx: (tx.change_id(), tx.execute("INSERT INTO child VALUES (77)")))
    assert db.write_now(add("after")) == 1
    db.close_now()
    with pytest.raises(StorageFailed):
        db.write_now(add("closed"))
    db.close_now()


def test_close_finishes_what_is_queued_and_folds_the_log(tmp_path: Path) -> None:
    async def scenario() -> None:
        db = Database.open(tmp_path / "a.db", clock=CLOCK)
        await db.write(make_note_table)
        pending = [asyncio.ensure_future(db.write(add(str(i)))) for i in range(50)]
        await asyncio.sleep(0)
        await db.close()
        assert await asyncio.gather(*pending) == list(range(1, 51))

    asyncio.run(scenario())
    assert not (tmp_path / "a.db-wal").exists()


def test_migrations_run_once_and_newer_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    Database.open(path, clock=CLOCK).close_now()
    ran: list[int] = []

    def forward(conn: sa.Connection) -> None:
        ran.append(LATEST + 1)
        conn.exec_driver_sql("CREATE TABLE two(x INTEGER)")

    def broken(conn: sa.Connection) -> None:
        conn.exec_driver_sql("CREATE TABLE three(x INTEGER)")
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        Database.open(path, clock=CLOCK, migrations={LATEST + 1: forward, LATEST + 2: broken})
    for _ in range(2):
        Database.open(path, clock=CLOCK, migrations={LATEST + 1: forward}).close_now()
    assert ran == [LATEST + 1, LATEST + 1]  # undone with the broken one, then once for good
    tables = {row[0] for row in sqlite3.connect(path).execute("SELECT name FROM sqlite_master")}
    assert "two" in tables
    assert "three" not in tables
    with pytest.raises(DatabaseTooNew) as caught:
        Database.open(path, clock=CLOCK)
    assert (caught.value.found, caught.value.supported) == (LATEST + 1, LATEST)


def test_a_file_that_is_no_database_is_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"this is no database, but it is long enough to look at" * 100)
    with pytest.raises(DatabaseDamaged):
        Database.open(path, clock=CLOCK)


def test_a_backup_is_a_whole_database(tmp_path: Path) -> None:
    async def scenario() -> None:
        db = Database.open(tmp_path / "a.db", clock=CLOCK)
        await db.write(make_note_table)
        await db.write(add("one"))
        await db.backup(tmp_path / "b.db")
        await db.write(add("two"))
        assert db.integrity_problems() == []
        await db.close()
        copy = Database.open(tmp_path / "b.db", clock=CLOCK)
        assert await copy.read(bodies) == [(1, "one")]
        assert await copy.write(lambda tx: tx.change_id()) == 2
        await copy.close()

    asyncio.run(scenario())


def test_the_log_is_long_from_the_start_and_folded_in_beside_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database = Database.open(path, clock=CLOCK)
    try:
        database.write_now(make_note_table)
        before = database.read_now(lambda conn: conn.exec_driver_sql("SELECT * FROM counter").fetchall())
        database.ready_log()
        assert (tmp_path / "a.db-wal").stat().st_size > 4_000_000
        assert database.read_now(lambda conn: conn.exec_driver_sql("SELECT * FROM counter").fetchall()) == before
        size = path.stat().st_size
        for number in range(EVERY):
            database.write_now(add("x" * 4000 + str(number)))
        deadline = time.monotonic() + 20
        while path.stat().st_size < size + EVERY * 3000 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert path.stat().st_size >= size + EVERY * 3000  # though the log is far from as long as the writer waits for
    finally:
        database.close_now()
    assert not (tmp_path / "a.db-wal").exists()
