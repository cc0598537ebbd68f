"""How cases end: at an end of the process, refused, terminated; what becomes of the record and of what still waits."""

from server_stub.modules.engine.processes.run import CaseRun
from server_stub.records.types import JsonObject


def reach_end(run: CaseRun) -> None:
    """The machine has reached an end: the record is in the state the file says, what is only to be read may still be read."""
    machine, case = run.running, run.case
    ends = [run.stored.file.ends[one] for one in machine.ended_at if one in run.stored.file.ends]
    named = [one for one in ends if one.state is not None]
    run.note_way()
    run.book.done = [*run.book.done, *dict.fromkeys(machine.ended_at)]
    end_run(run, "completed" if ends or machine.error is None else "terminated", named[-1].state if named else None)
    case.end_state = case.end_state or (run.state or run.record.data.get("state"))
    extra: JsonObject = {} if case.end_state is None else {"outcome": case.end_state}
    run.add_event("end", step_id="", extra=extra)


def end_run(run: CaseRun, case_state: str, state: str | None) -> None:
    """The case is over; what waited for somebody to handle it waits no more."""
    for item in list(run.items.values()):
        if item.part != "read" or case_state == "terminated":
            run.close_item(item, "withdrawn", run.events[-1].id if run.events else None)
    for round_ in run.book.rounds.values():
        minutes = run.work.between(round_.opened_at, run.tx.now)
        run.book.minutes[round_.step_id] = run.book.minutes.get(round_.step_id, 0) + minutes
    if case_state == "terminated":
        run.book.readers.clear()
    run.book.rounds.clear()
    run.book.moves.clear()
    run.case.state, run.case.ended_at, run.case.end_state = case_state, run.tx.now, state
    if state is not None:
        run.state = state
    run.machine = None
    run.told.ended = True


def refused_end(run: CaseRun) -> str | None:
    """The record's state after a refusal that the process itself says nothing of; None: back to its first state."""
    values = {one.value for one in run.definition.states}
    return next((one for one in ("refused", "rejected", "declined") if one in values), None)


def terminated_state(run: CaseRun) -> str | None:
    """The record's state after its case was terminated; its first one where the type has no word for it."""
    values = [one.value for one in run.definition.states]
    words = ("terminated", "cancelled", "canceled", "void", "voided", "withdrawn")
    return next((one for one in words if one in values), first_state(run))


def first_state(run: CaseRun) -> str | None:
    """The state in which the author edits the record and may submit it."""
    return run.definition.states[0].value if run.definition.states else None
