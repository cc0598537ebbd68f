"""Records found by a value: fields of records and of lines, kept in step, filled in when a definition begins to want them."""

import shutil
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from server_stub.chat.messages import do_post_system
from server_stub.modules.engine.lookups import load_by_value
from server_stub.modules.engine.office import Office
from server_stub.modules.engine.reading import MODULES_FOLDER
from server_stub.storage.database import Tx
from tests.modules.approvals.approvals_bench import ApprovalsBench

EXPENSE = "Expense"
PATH = "lines.invoice"


def claim(bureau: ApprovalsBench, *invoices: str) -> str:
    lines = [
        {"date": "2025-11-20", "kind": "office", "what": "纸", "amount": "10.00", "invoice": one} for one in invoices
    ]
    return bureau.file_(EXPENSE, reason="办公用品", lines=lines, invoices=[bureau.file("jiang")])


def plan_of(conn: sa.Connection, *, query: str) -> str:
    return str(conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}").all())


def found(bureau: ApprovalsBench, value: str) -> list[str]:
    return bureau.database.read_now(lambda conn: [one.id for one in load_by_value(conn, EXPENSE, PATH, value)])


def test_values_of_lines_follow_the_record_and_are_found_by_an_index(tmp_path: Path) -> None:
    bureau = ApprovalsBench(tmp_path)
    try:
        first, second = claim(bureau, "A1", "B2"), claim(bureau, "C3")
        assert (found(bureau, "B2"), found(bureau, " ｂ2 "), found(bureau, "C3")) == ([first], [first], [second])
        line = {"date": "2025-11-20", "kind": "office", "what": "笔", "amount": "5.00", "invoice": "C3"}
        bureau.update("jiang", EXPENSE, first, lines=[line])
        assert (found(bureau, "A1"), found(bureau, "C3")) == ([], [first, second])
        bureau.destroy("jiang", EXPENSE, second)
        assert found(bureau, "C3") == [first]
        for query, name in (
            ("SELECT record_id FROM record_lookup WHERE type = 'Expense' AND field = 'lines.invoice' AND value = 'x'", "record_lookup"),
            ("SELECT id FROM record WHERE type = 'Expense' AND author_id = 'x' ORDER BY created_at, id", "ix_reference_Expense_authorId"),
            ("SELECT id FROM record WHERE type = 'Expense' AND json_extract(data, '$.loanId') = 'x'", "ix_reference_Expense_loanId"),
        ):  # fmt: skip
            plan = bureau.database.read_now(partial(plan_of, query=query))
            assert "SEARCH" in plan
            assert name in plan
    finally:
        bureau.database.close_now()


def test_a_field_that_is_indexed_from_now_on_is_filled_in_and_one_that_is_not_any_more_dropped(tmp_path: Path) -> None:
    bureau = ApprovalsBench(tmp_path)
    try:
        first = claim(bureau, "A1")
        told = (MODULES_FOLDER / "approvals" / "module.toml").read_text(encoding="utf-8")
        folder = tmp_path / "other"
        shutil.copytree(tmp_path / "modules", folder)

        def restart(text: str) -> None:
            (folder / "approvals" / "module.toml").write_text(text, encoding="utf-8")
            office = Office(bureau.database, bureau.clock, bureau.blobs, do_post_system, folder=folder)
            bureau.write(office.do_bring_in_line)

        def rows(tx: Tx) -> int:
            return int(tx.raw.execute("SELECT count(*) FROM record_lookup WHERE field = ?", (PATH,)).fetchone()[0])

        restart(told.replace("max = 40, indexed = true", "max = 40"))
        assert bureau.write(rows) == 0
        restart(told)
        assert found(bureau, "A1") == [first]
        assert bureau.write(rows) == 1
    finally:
        bureau.database.close_now()
