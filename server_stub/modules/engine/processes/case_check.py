"""`tongban-server check` of cases and processes: whether every case can go on, and everything it stands on is there. Reads only."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from server_stub.modules.engine.processes.book import Book, decode
from server_stub.modules.engine.processes.process_store import remember_file
from server_stub.workflow.machine import Machine
from server_stub.workflow.machine_faults import ProcessError
from server_stub.workflow.process_file import ProcessFile

_OPEN: Final = "state IN ('running', 'suspended')"
_REFERENCES: Final = (
    ("a case is about a record that is not there", "SELECT id FROM office_case WHERE record_id NOT IN (SELECT id FROM record)"),
    ("a running case has no saved state", f"SELECT id FROM office_case WHERE {_OPEN} AND id NOT IN (SELECT case_id FROM case_state)"),
    ("a record has two running cases",
     f"SELECT record_id FROM office_case WHERE {_OPEN} GROUP BY record_id HAVING count(*) > 1"),
    ("a work item belongs to no case", "SELECT id FROM work_item WHERE case_id NOT IN (SELECT id FROM office_case)"),
    ("a work item is open in a case that has ended",
     "SELECT i.id FROM work_item i JOIN office_case c ON c.id = i.case_id WHERE i.state = 'open' AND i.part <> 'read'"
     f" AND NOT c.{_OPEN}"),
    ("an open work item is nobody's",
     "SELECT id FROM work_item WHERE state = 'open' AND id NOT IN (SELECT item_id FROM work_item_person WHERE todo_id IS NOT NULL)"),
    ("an open work item has a to-do that is not there",
     "SELECT p.item_id FROM work_item_person p JOIN work_item i ON i.id = p.item_id WHERE i.state = 'open'"
     " AND p.todo_id IS NOT NULL AND p.todo_id NOT IN (SELECT id FROM todo WHERE done_at IS NULL)"),
    ("an entry of a history belongs to no case", "SELECT id FROM case_event WHERE case_id NOT IN (SELECT id FROM office_case)"),
    ("a case is on a version that is not there",
     "SELECT id FROM office_case WHERE sha NOT IN (SELECT sha FROM process WHERE version IS NOT NULL)"),
    ("a version of a process has no file", "SELECT id FROM process WHERE file NOT IN (SELECT sha FROM process_file)"),
    ("a version calls a file that is not there",
     "SELECT p.id FROM process p, json_each(p.called) c WHERE c.value NOT IN (SELECT sha FROM process_file)"),
    ("a process is published twice",
     "SELECT process_id FROM process WHERE state = 'published' GROUP BY process_id HAVING count(*) > 1"),
    ("an absence names somebody who is not there",
     "SELECT id FROM delegation WHERE person_id NOT IN (SELECT id FROM record) OR delegate_id NOT IN (SELECT id FROM record)"),
)  # fmt: skip
_RUNNING: Final = (
    "SELECT c.id, c.sha, s.sha, s.machine, s.book FROM office_case c JOIN case_state s ON s.case_id = c.id"
    " WHERE c.state IN ('running', 'suspended') ORDER BY c.sha, c.id"
)


def find_case_problems(conn: sa.Connection) -> Iterator[str]:
    """Every problem as one line."""
    for text, query in _REFERENCES:
        for (found,) in conn.exec_driver_sql(query):
            yield f"{text}: {found}"
    yield from _state_problems(conn)


def _state_problems(conn: sa.Connection) -> Iterator[str]:
    """Cases whose machine cannot go on, or does not fit what waits for people."""
    files: dict[str, tuple[ProcessFile, Mapping[str, ProcessFile]] | None] = {}
    items = _open_tokens(conn)
    for case_id, sha, saved_sha, machine, book in conn.exec_driver_sql(_RUNNING):
        if sha != saved_sha:
            yield f"a case and its saved state are on different versions: {case_id}"
            continue
        if sha not in files:
            files[sha] = _load_files(conn, sha)
        held = files[sha]
        if held is None:
            continue  # told above
        try:
            loaded = Machine.load(held[0], held[1], machine, service=_no_service)
            rounds = decode(book)
        except (ProcessError, msgspec.DecodeError) as problem:
            yield f"the state of a case cannot be loaded: {case_id}: {problem}"
            continue
        yield from _misfits(case_id, held[0], loaded, rounds, items.get(case_id, set()))


def _misfits(case_id: str, process: ProcessFile, machine: Machine, book: Book, waiting: set[str]) -> Iterator[str]:
    tokens = {one.id for one in machine.tokens}
    if tokens != set(book.rounds):
        yield f"the steps a case is at are not those people have: {case_id}"
    elif tokens - waiting:
        yield f"a case is at a step that nobody has: {case_id}"
    elif not tokens and machine.next_due() is None and not process.messages:
        yield f"a running case waits for nothing: {case_id}"


def _open_tokens(conn: sa.Connection) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    rows = conn.exec_driver_sql("SELECT case_id, token FROM work_item WHERE state = 'open' AND part <> 'read'")
    for case_id, token in rows:
        found.setdefault(case_id, set()).add(token)
    return found


def _load_files(conn: sa.Connection, sha: str) -> tuple[ProcessFile, Mapping[str, ProcessFile]] | None:
    row = conn.exec_driver_sql(
        "SELECT file, called FROM process WHERE sha = ? AND version IS NOT NULL ORDER BY version DESC LIMIT 1", (sha,)
    ).fetchone()
    if row is None:
        return None
    try:
        called = {name: _load_file(conn, one) for name, one in msgspec.json.decode(row[1], type=dict[str, str]).items()}
        return _load_file(conn, row[0]), called
    except (KeyError, msgspec.DecodeError):
        return None


def _load_file(conn: sa.Connection, sha: str) -> ProcessFile:
    row = conn.exec_driver_sql("SELECT file FROM process_file WHERE sha = ?", (sha,)).fetchone()
    if row is None:
        raise KeyError(sha)
    return remember_file(sha, row[0])


def _no_service(name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
    raise AssertionError(f"looking at a case asked for {name}")  # loading runs nothing
