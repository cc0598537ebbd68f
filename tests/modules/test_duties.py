"""Due dates: done when they come by the server's clock, after a restart too; one that fails does not stop the others."""

import asyncio
import logging
from pathlib import Path

import pytest

from server_stub.clock import format_utc
from server_stub.modules.engine.dues import DueChanged, do_set_due, next_due
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record
from server_stub.storage.database import Tx
from tests.modules.office_bench import DAY, Bench, open_bench

DEADLINE = 10.0


def test_the_runner_does_what_is_due_when_its_date_is_set_and_the_clock_has_passed_it(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        expired = asyncio.Event()

        def watch(events: list[object]) -> None:
            if bench.database.read_now(next_due) is None and not any(isinstance(one, DueChanged) for one in events):
                expired.set()

        bench.database.subscribe(watch)
        running = asyncio.ensure_future(bench.office.run())
        handler, actor = bench.handlers["Notice"], bench.actors["zhang"]
        notice = {
            "title": "停水",
            "audience": {"everyone": True},
            "state": "published",
            "expiresAt": format_utc(bench.clock.now_ms() + 40),
        }
        made = await bench.database.write(lambda tx: handler.create(tx, actor, "k", notice))
        bench.clock.advance(DAY)
        async with asyncio.timeout(DEADLINE):
            await expired.wait()
        running.cancel()
        shown = bench.get("lin", "Notice", made["id"])
        assert shown is not None
        assert shown["expired"] is True

    with open_bench(tmp_path) as bench:
        asyncio.run(scenario(bench))


class Broken(Rules):
    """Rules with a mistake in them."""

    def on_due(self, tx: Tx, record: Record, kind: str) -> None:
        tx.execute("DELETE FROM record")
        raise RuntimeError("a module's mistake")


def test_a_module_s_mistake_is_undone_logged_and_does_not_stop_the_others(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    folder = bench.create("chen", "Folder", name="x")
    notice = bench.notice(expiresAt=format_utc(bench.clock.now_ms() + DAY))
    bench.write(lambda tx: do_set_due(tx, folder, "Folder", "any", bench.clock.now_ms()))
    rules = bench.office.rules_of("Folder")
    assert rules is not None
    broken = Broken(rules.context, rules.definition)
    monkeypatch.setattr(bench.handlers["Folder"], "rules", broken)  # the one place where rules are looked up
    bench.clock.advance(2 * DAY)
    with caplog.at_level(logging.ERROR, "tongban.office"):
        assert bench.run_due() == 2
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert bench.get("lin", "Folder", folder) is not None
    assert (bench.get("lin", "Notice", notice) or {})["expired"] is True
    assert bench.run_due() == 0


def test_a_date_of_a_record_that_is_gone_is_forgotten(bench: Bench) -> None:
    draft = bench.notice("lin", state="draft")
    bench.write(lambda tx: do_set_due(tx, draft, "Notice", "expire", bench.clock.now_ms()))
    bench.destroy("lin", "Notice", draft)
    assert bench.database.read_now(next_due) is None
