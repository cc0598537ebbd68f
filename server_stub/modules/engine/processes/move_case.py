"""Taking one running case to another version of its process: explicit, by an administrator, with a place for everything that is open."""

from collections.abc import Callable, Mapping
from typing import Any

from server_stub.audit.chain import do_record
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes import process_store
from server_stub.modules.engine.processes.book import Book
from server_stub.modules.engine.processes.hand_over import give_again
from server_stub.modules.engine.processes.process_store import StoredProcess
from server_stub.modules.engine.processes.rounds import settle
from server_stub.modules.engine.processes.rows import ENDED, load_case
from server_stub.modules.engine.processes.run import CaseRun, labels_of, load_run, steps_of
from server_stub.modules.engine.processes.saving import do_save
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx
from server_stub.workflow.machine import Machine
from server_stub.workflow.machine_faults import CannotMove, ProcessError
from server_stub.workflow.machine_moving import move

CANNOT_MOVE = "cannotMove"


def do_move_case(
    tx: Tx,
    context: OfficeContext,
    rules_of: Callable[[str], Rules | None],
    actor: Actor,
    case_id: str,
    version: int,
    mapping: Mapping[str, str],
) -> JsonObject:
    """Go on with a case by another version. Steps that are open stay open, with whoever has them, under the same id or the one `mapping` names.

    Raises:
        SetError: notFound; invalidProperties: there is no such version, it has ended; cannotMove `{steps}`: these have no place there.
    """
    run = _load(tx, context, rules_of, case_id)
    case, old = run.case, run.stored
    new = process_store.load_version(tx, case.process_id, version)
    if new is None:
        raise invalid_properties("there is no such version", "version")
    if case.state in ENDED or new.sha == old.sha:
        raise invalid_properties("it has ended" if case.state in ENDED else "it is on that version", "caseId")
    steps = steps_of(new)
    unknown = sorted({*mapping} - {*run.steps}) + sorted({*mapping.values()} - {*steps})
    if unknown:
        raise invalid_properties(f"there is no step {unknown[0][:100]}", "map")
    run.machine = _moved(run, old, new, mapping)
    run.stored, run.steps, run.labels = new, steps, labels_of(new)
    case.sha, case.version = new.sha, new.version
    tokens = {one.id: one.step_id for one in run.machine.tokens}
    _rename_steps(run.book, mapping, tokens)
    event = run.add_event("move", person_id=actor.person_id, extra={"version": new.version})
    for item in [one for one in run.items.values() if one.token in tokens]:
        item.step_id = tokens[item.token]
        give_again(run, item, item.people, event.id)
    settle(run, event)
    do_save(run)
    process_store.do_count_cases(tx, old.sha)
    process_store.do_count_cases(tx, new.sha)
    do_record(tx, actor.person_id, "case.move", case.id, {"from": old.version, "to": new.version})
    return {"caseId": case.id, "version": new.version, "steps": sorted(set(tokens.values()))}


def _load(tx: Tx, context: OfficeContext, rules_of: Callable[[str], Rules | None], case_id: str) -> CaseRun:
    case = load_case(tx.conn, case_id)
    record = None if case is None else load_record(tx.conn, case.record_id, type_name=case.record_type)
    rules = None if record is None else rules_of(record.type)
    if case is None or record is None or rules is None:
        raise SetError(SetErrorType.NOT_FOUND)
    return load_run(tx, context, rules, record, case)


def _moved(run: CaseRun, old: StoredProcess, new: StoredProcess, mapping: Mapping[str, str]) -> Machine:
    try:
        state = move(
            run.running.save(),
            old.file,
            new.file,
            mapping,
            old_called=old.called,
            new_called=new.called,
            now_ms=run.tx.now,
            service=run.serve,
        )
        return Machine.load(new.file, new.called, state, service=run.serve)
    except CannotMove as problem:
        raise SetError(CANNOT_MOVE, str(problem)[:500], steps=list(problem.steps)) from None
    except ProcessError as problem:
        raise SetError(CANNOT_MOVE, str(problem)[:500], steps=[problem.element] if problem.element else []) from None


def _rename_steps(book: Book, mapping: Mapping[str, str], tokens: Mapping[str, str]) -> None:
    """What the case remembers of steps is under their ids in the version it is on now."""
    for held in (book.chosen, book.outcomes, book.handled, book.handled_in, book.minutes, book.passed):
        _rename_keys(held, mapping)
    book.done = [mapping.get(one, one) for one in book.done]
    book.way = [mapping.get(one, one) for one in book.way]
    for step_id, round_ in book.passed.items():
        round_.step_id = step_id
    for token, step_id in tokens.items():
        if token in book.rounds:
            book.rounds[token].step_id = step_id


def _rename_keys(held: dict[str, Any], mapping: Mapping[str, str]) -> None:
    renamed = {}
    for key, value in held.items():
        step_id, in_instance, instance = key.partition("#")
        renamed[mapping.get(step_id, step_id) + in_instance + instance] = value
    held.clear()
    held.update(renamed)
