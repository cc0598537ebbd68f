"""Writes a case that was in hand, with all that hangs on it: the record's state and people, items, history, the next moment of time, who sees it."""

from collections.abc import Sequence
from typing import Final

from server_stub.clock import format_utc
from server_stub.modules.engine.definition import HANDLERS, PARTICIPANTS
from server_stub.modules.engine.dues import do_clear_due, do_set_due
from server_stub.modules.engine.keeping import do_keep
from server_stub.modules.engine.processes import process_store
from server_stub.modules.engine.processes.acts_back import withdrawable
from server_stub.modules.engine.processes.book import Book, encode
from server_stub.modules.engine.processes.performers import resolve
from server_stub.modules.engine.processes.rows import (
    CASE,
    CASE_EVENT,
    ENDED,
    WORK_ITEM,
    do_write_case,
    do_write_event,
    do_write_item,
)
from server_stub.modules.engine.processes.run import CaseRun
from server_stub.modules.engine.processes.telling import do_tell
from server_stub.modules.engine.scopes import do_share_many
from server_stub.records.types import JsonObject
from server_stub.records.visibility import do_touch, scopes_of
from server_stub.storage.database import Tx

DUE_KIND: Final = "case"
"""The row of the table of due dates that wakes a case."""
MAX_NEXT: Final = 4
_QUIET: Final = frozenset({HANDLERS, PARTICIPANTS})


def do_save(run: CaseRun, *, fresh: bool = False) -> None:
    """Write everything, tell everybody, call the type's hooks.

    Args:
        fresh: the case is new.

    Raises:
        SetError: the record cannot be kept (unique, overlap), or a hook refuses.
    """
    _do_write_record(run)
    _show(run)
    do_write_case(run.tx, run.case)
    _do_write_state(run)
    new_items = [one.id for one in run.changed.values() if one.created_at == run.tx.now and not _is_known(run, one.id)]
    for item in run.changed.values():
        do_write_item(run.tx, item)
    for event in run.events:
        do_write_event(run.tx, event)
    companions = [(one, WORK_ITEM) for one in new_items] + [(one.id, CASE_EVENT) for one in run.events]
    do_accompany_all(run.tx, [*([(run.case.id, CASE)] if fresh else []), *companions], run.record.id)
    known = [run.case.id] if not fresh else []
    for touched in dict.fromkeys([*known, *(one for one in run.changed if one not in new_items), *run.retitled]):
        do_touch(run.tx, touched)
    do_set_case_due(run)
    if fresh or run.told.ended:
        process_store.do_count_cases(run.tx, run.case.sha)
    do_tell(run)
    if _do_call_hooks(run):
        _do_retitle(run)


def do_accompany_all(tx: Tx, objects: Sequence[tuple[str, str]], record_id: str) -> None:
    """New objects are seen by exactly those who see the record: what do_accompany does for one, for many at once."""
    tx.raw.executemany(
        "INSERT INTO companion(object_id, type, of_id) VALUES (?, ?, ?)",
        [(object_id, type_name, record_id) for object_id, type_name in objects],
    )
    scopes = scopes_of(tx.conn, record_id)
    for type_name in dict.fromkeys(name for _, name in objects):
        pairs = [(object_id, scope) for object_id, name in objects if name == type_name for scope in scopes]
        do_share_many(tx, type_name, pairs)


def do_set_case_due(run: CaseRun) -> None:
    """When the case has to be looked at because of time alone: the machine's timers, the limits of open items."""
    moments = [at for item in run.items.values() for kind, at in item.offer.moments.items() if kind not in item.passed]
    if run.machine is not None:
        moments.append(run.machine.next_due() or 0)
    wanted = [at for at in moments if at] if run.case.state == "running" else []
    if run.book.readers:
        wanted.append(run.tx.now)
    if wanted:
        do_set_due(run.tx, run.record.id, run.record.type, DUE_KIND, min(wanted))
    else:
        do_clear_due(run.tx, run.record.id, DUE_KIND)


def _is_known(run: CaseRun, item_id: str) -> bool:
    row = run.tx.raw.execute("SELECT 1 FROM work_item WHERE id = ?", (item_id,)).fetchone()
    return row is not None


def _do_write_record(run: CaseRun) -> None:
    """State and people of the record; readers follow. In the history only the state is a change worth telling."""
    record = run.reload()
    data = {key: value for key, value in {**record.data, **run.kept_fields()}.items() if value is not None}
    moved = any(
        record.data.get(name) != data.get(name) for name in record.data.keys() | data.keys() if name not in _QUIET
    )
    run.record = do_keep(run.tx, run.context, record, data, run.acting, touch_time=moved)
    run.told.before = record.data.get("state")
    run.retitle()  # its number may have been given


def _do_write_state(run: CaseRun) -> None:
    machine = b"" if run.machine is None else run.machine.save()
    _prune(run.book)
    run.tx.raw.execute(
        "INSERT OR REPLACE INTO case_state(case_id, sha, machine, book) VALUES (?, ?, ?, ?)",
        (run.case.id, run.case.sha, machine, encode(run.book)),
    )


def _prune(book: Book) -> None:
    """Moves that nothing open came of cannot be taken back any more."""
    alive = {one.moved_by[0] for one in book.rounds.values() if one.moved_by is not None}
    book.moves = {event: count for event, count in book.moves.items() if event in alive}


# ---------------------------------------------------------------- what is shown of a case


def _show(run: CaseRun) -> None:
    """now, next, done, durations."""
    run.case.shown = {
        "now": [_now(run, token) for token in run.book.rounds],
        "next": [] if run.case.state in ENDED else _next(run),
        "done": list(run.book.done),
        "way": list(run.book.way),
        "durations": dict(run.book.minutes),
        "may": {} if run.case.state in ENDED else _may(run),
    }


def _may(run: CaseRun) -> dict[str, list[str]]:
    """Who may do what with the case as a whole; the same questions are asked when somebody does (acting.py, acts.py)."""
    starter, handlers = run.case.started_by, run.handlers()
    if run.case.state == "suspended":
        by = None if run.book.suspended is None else run.book.suspended[1]
        return {"resume": [by] if by is not None else []}
    others = [one for one in run.book.participants if set(handlers) - {one}]
    return {
        "withdraw": list(withdrawable(run)),
        "urge": others,
        "terminate": [starter] if set(handlers) == {starter} else [],
    }


def _now(run: CaseRun, token: str) -> JsonObject:
    round_, items = run.book.rounds[token], run.items_at(token)
    made: JsonObject = {
        **run.named(round_.step_id),
        "since": format_utc(round_.opened_at),
        "personIds": list(dict.fromkeys(one for item in items for one in item.people)),
    }
    for name, moments in (("dueAt", [one.due_at for one in items]), ("amberAt", [one.amber_at for one in items])):
        known = [one for one in moments if one is not None]
        if known:
            made[name] = format_utc(min(known))
    behalf = {one: absent for item in items for one, absent in item.people.items() if absent}
    return {**made, "onBehalf": behalf} if behalf else made


def _next(run: CaseRun) -> list[JsonObject]:
    """What most likely comes, with who would have it where that can be told."""
    steps = (one for token in run.book.rounds for one in run.running.next_steps(token, run.data()))
    shown: list[JsonObject] = []
    for step_id in list(dict.fromkeys(steps))[:MAX_NEXT]:
        made: JsonObject = run.named(step_id)
        options = run.step(step_id).options
        chosen = run.book.chosen.get(step_id)
        found = resolve(run.tx, run.context, options, run.facts(), run.record, chosen, run.rules_people)
        if not found.fallback_used:
            made["personIds"] = list(found.person_ids)
        shown.append(made)
    return shown


def _do_retitle(run: CaseRun) -> None:
    """The type's own hooks may have changed what the record is called."""
    title, run.retitled = run.case.title, []
    run.retitle()
    if run.case.title != title:
        do_write_case(run.tx, run.case)
        for touched in (run.case.id, *run.retitled):
            do_touch(run.tx, touched)


def _do_call_hooks(run: CaseRun) -> bool:
    """Tell the type's rules what was done. Returns whether there was anything to tell."""
    for step_id, event in run.told.steps:
        run.rules.on_step(run.tx, run.reload(), step_id, event.to_object(run.record.type, run.record.id))
    if run.told.ended:
        state = run.case.end_state if run.case.state == "completed" else None
        run.rules.on_case_end(run.tx, run.reload(), state)
    run.rules.on_case(run.tx, run.reload(), run.told.before)
    run.reload()
    return bool(run.told.steps) or run.told.ended
