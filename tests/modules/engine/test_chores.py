"""Chores: slow work beside the writer is done once for each wish, survives a restart, is tried again, and is given up with a reason."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from server_stub.modules.engine.chores import (
    MAX_TRIES,
    RETRY_MS,
    ChoreRefused,
    ChoreRules,
    ChoreRunner,
    Work,
    Workshop,
    do_ask_chore,
)
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.records.store import Record, load_record
from server_stub.storage.database import Tx
from tests.modules.office_bench import Bench


class Counting(ChoreRules):
    """Counts the characters of a task's description; what happens on the way is said by `plan`."""

    plan: list[Any]

    def prepare_chore(self, conn: sa.Connection, record: Record, kind: str) -> Work | None:
        if self.plan and self.plan[0] == "nothing":
            return None
        text = record.data["title"]

        def work(workshop: Workshop) -> Any:
            step = self.plan.pop(0) if self.plan else None
            if isinstance(step, Exception):
                raise step
            if callable(step):
                step()
            return workshop.store(f"{kind}:{text}".encode(), "text/plain")

        return work

    def do_finish_chore(self, tx: Tx, record: Record, kind: str, result: Any, by: str | None) -> None:
        self.do_attach(tx, result, record, by)
        self.change(tx, "Task", record.id, {"note": f"{result.size}"}, by=by)

    def do_give_up_chore(self, tx: Tx, record: Record, kind: str, reason: str, by: str | None) -> None:
        self.change(tx, "Task", record.id, {"note": f"no: {reason}"}, by=by)


class Shop:
    """An office with one task, and its rules."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        definition = bench.office.context.types["Task"]
        self.rules = Counting(bench.office.context, definition)
        self.rules.plan = []
        self.task = bench.create(
            "zhang", "Task", title="四个字的", assignees=[bench.person("lin")], deadline="2030-01-01"
        )
        self.runner = self.new_runner()

    def new_runner(self) -> ChoreRunner:
        bench = self.bench
        return ChoreRunner(
            bench.database, bench.clock, lambda name: self.rules if name == "Task" else None, bench.blobs
        )

    def do_ask(self, tx: Tx) -> None:
        record = load_record(tx.conn, self.task)
        assert record is not None
        do_ask_chore(tx, record, "count", self.bench.person("zhang"))

    def ask(self) -> None:
        self.bench.write(self.do_ask)

    def run(self) -> int:
        async def all_of_them() -> int:
            done = 0
            while await self.runner.run_next():
                done += 1
            return done

        return asyncio.run(all_of_them())

    @property
    def note(self) -> str | None:
        found = self.bench.get("zhang", "Task", self.task)
        assert found is not None
        return found.get("note")

    @property
    def waiting(self) -> int:
        count = self.bench.database.read_now(
            lambda conn: conn.exec_driver_sql("SELECT count(*) FROM chore").scalar_one()
        )
        return int(count)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shutil.copytree(MODULES_FOLDER / "tasks", tmp_path / "modules" / "tasks")
    bench = Bench(tmp_path, tmp_path / "modules")
    try:
        yield Shop(bench)
    finally:
        bench.database.close_now()


def test_a_wish_is_done_once_and_its_file_is_read_by_readers_of_the_record(shop: Shop) -> None:
    shop.ask()
    shop.ask()
    assert shop.run() == 1
    assert shop.note == "18"
    (blob_id,) = shop.bench.database.read_now(
        lambda conn: [
            row[0] for row in conn.exec_driver_sql("SELECT blob_id FROM blob_ref WHERE object_id = ?", (shop.task,))
        ]
    )
    assert shop.bench.may_read_blob("lin", blob_id)
    assert not shop.bench.may_read_blob("chen", blob_id)
    assert shop.run() == 0


def test_what_is_rolled_back_is_not_asked_for(shop: Shop) -> None:
    def fail(tx: Tx) -> None:
        record = load_record(tx.conn, self_task)
        assert record is not None
        do_ask_chore(tx, record, "count", None)
        raise ValueError("no")

    self_task = shop.task
    with pytest.raises(ValueError, match="no"):
        shop.bench.write(fail)
    assert shop.run() == 0


def test_a_wish_of_the_meantime_is_done_after(shop: Shop) -> None:
    shop.rules.plan = [shop.ask]
    shop.ask()
    assert shop.run() == 2


def test_a_new_runner_finds_what_the_old_one_left(shop: Shop) -> None:
    shop.ask()
    shop.runner = shop.new_runner()
    assert shop.run() == 1


def test_what_fails_is_tried_again_later_and_then_given_up(shop: Shop) -> None:
    shop.rules.plan = [RuntimeError("disk")] * MAX_TRIES
    shop.ask()
    for tries in range(1, MAX_TRIES):
        assert shop.run() == 1
        assert shop.note is None
        assert shop.waiting == 1
        shop.bench.clock.advance(RETRY_MS * tries - 2)
        assert shop.run() == 0, "not so soon"
        shop.bench.clock.advance(2)
    assert shop.run() == 1
    assert shop.note == "no: RuntimeError"
    assert shop.waiting == 0


def test_what_is_refused_is_given_up_at_once_with_the_reason(shop: Shop) -> None:
    shop.rules.plan = [ChoreRefused("没有正文")]
    shop.ask()
    assert shop.run() == 1
    assert shop.note == "no: 没有正文"


def test_a_record_that_is_gone_and_work_that_is_nothing_leave_nothing(shop: Shop) -> None:
    shop.rules.plan = ["nothing"]
    shop.ask()
    assert shop.run() == 1
    assert shop.note is None
    shop.ask()
    shop.bench.destroy("zhang", "Task", shop.task)
    assert shop.run() == 1
    assert shop.waiting == 0


def test_the_running_task_does_what_is_asked_for_while_it_waits(shop: Shop) -> None:
    async def scene() -> None:
        loop = asyncio.get_running_loop()
        running = asyncio.ensure_future(shop.runner.run())
        for _ in range(3):  # it may look, then sleep, before each of them
            done = asyncio.Event()
            shop.rules.plan = [lambda done=done: loop.call_soon_threadsafe(done.set)]
            await shop.bench.database.write(shop.do_ask)
            async with asyncio.timeout(20):
                await done.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(scene())
