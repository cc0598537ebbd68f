"""tongban-server check: a database in order says nothing; each kind of damage to cases, processes and overlays is named."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa

from server_stub.modules.engine.overlays_store import find_overlay_problems
from server_stub.modules.engine.processes.case_check import find_case_problems
from tests.modules.engine.processes.case_bench import chain, open_cases, step


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A running case, one with somebody asked first, and one that has ended."""
    folder = tmp_path_factory.mktemp("office")
    with open_cases(folder, chain(step("draft", "starter"), step("review", "superior"))) as bench:
        bench.submitted()
        asked = bench.submitted()
        bench.act("gao", "addSignerBefore", asked, to=["zhang"])
        over = bench.submitted()
        bench.act("gao", "approve", over)
    with closing(sqlite3.connect(folder / "office.db")) as held:
        yield held


def problems(office: sqlite3.Connection, *damage: str) -> list[str]:
    copy = sqlite3.connect(":memory:")
    office.backup(copy)
    for statement in damage:
        copy.execute(statement)
    copy.commit()
    engine = sa.create_engine("sqlite://", creator=lambda: copy, poolclass=sa.StaticPool)
    with engine.connect() as conn:
        return [one.rpartition(": ")[0] or one for one in (*find_case_problems(conn), *find_overlay_problems(conn))]


def test_a_database_in_order_says_nothing(office: sqlite3.Connection) -> None:
    assert problems(office) == []


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        ("DELETE FROM case_state", "a running case has no saved state"),
        ("UPDATE case_state SET machine = x'54424d31ff'", "the state of a case cannot be loaded"),
        ("UPDATE case_state SET book = '{\"rounds\": {}}'", "the steps a case is at are not those people have"),
        ("UPDATE case_state SET sha = 'other'", "a case and its saved state are on different versions"),
        ("DELETE FROM office_case WHERE state = 'running'", "a work item belongs to no case"),
        ("UPDATE office_case SET state = 'completed'", "a work item is open in a case that has ended"),
        ("UPDATE work_item SET state = 'withdrawn'", "a case is at a step that nobody has"),
        ("UPDATE work_item_person SET todo_id = NULL", "an open work item is nobody's"),
        ("DELETE FROM todo", "an open work item has a to-do that is not there"),
        ("DELETE FROM record WHERE type = 'Paper'", "a case is about a record that is not there"),
        ("DELETE FROM process", "a case is on a version that is not there"),
        ("DELETE FROM process_file", "a version of a process has no file"),
        ('UPDATE process SET called = \'{"other": "none"}\'', "a version calls a file that is not there"),
        (
            "INSERT INTO module_overlay(id, changes, updated_at) VALUES ('papers', '{', 0)",
            "the changes of the module papers cannot be read",
        ),
    ],
)
def test_damage_is_named(office: sqlite3.Connection, damage: str, told: str) -> None:
    assert told in {one.partition(":")[0] for one in problems(office, damage)}
