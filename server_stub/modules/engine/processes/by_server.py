"""What a module's own code may do with a case, from its hooks on_step, on_case_end, after_update, on_due (never from `service`, where a case is in hand):
messages to what waits for them, showing it to more readers, ending it. Starting one: acting.do_start_by_server."""

from collections.abc import Collection, Mapping
from typing import Any, Literal

from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes.acts_case import do_terminate
from server_stub.modules.engine.processes.acts_people import do_show_to
from server_stub.modules.engine.processes.doing import Doing
from server_stub.modules.engine.processes.limits import limits_of
from server_stub.modules.engine.processes.performers import active_people
from server_stub.modules.engine.processes.request import Wish
from server_stub.modules.engine.processes.rounds import settle
from server_stub.modules.engine.processes.rows import newest_case, open_case
from server_stub.modules.engine.processes.run import load_run, process_failed
from server_stub.modules.engine.processes.saving import do_save
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record
from server_stub.storage.database import Tx
from server_stub.workflow.machine_faults import ProcessError


def do_deliver(
    tx: Tx,
    context: OfficeContext,
    rules: Rules,
    record: Record,
    name: str,
    data: Mapping[str, Any] | None = None,
    *,
    kind: Literal["message", "signal"] = "message",
    by: str | None = None,
) -> bool:
    """A message or signal for the case of a record. False, and nothing changed, when nothing waits for it.

    Raises:
        SetError: processFailed.
    """
    case = open_case(tx.conn, record.id)
    if case is None or case.state != "running":
        return False
    run = load_run(tx, context, rules, record, case)
    run.acting = by
    send = run.running.message if kind == "message" else run.running.signal
    try:
        if not send(name, {**run.data(), **(data or {})}, tx.now):
            return False
    except ProcessError as problem:
        raise process_failed(problem) from problem
    run.note_way()
    event = run.add_event("advance", person_id=by, extra={"outcome": name})
    run.told.advanced.append(event)
    settle(run, event)
    do_save(run)
    return True


def do_circulate_by_server(
    tx: Tx, context: OfficeContext, rules: Rules, record: Record, person_ids: Collection[str], by: str | None = None
) -> int:
    """Show the record, with its newest case, to these people as something to read; whoever has it to read already keeps it.

    Returns:
        To how many it is new.
    """
    case = newest_case(tx.conn, record.id)
    if case is None or case.state == "terminated":
        return 0
    run = load_run(tx, context, rules, record, case)
    run.acting = by
    reading = {one for item in run.items.values() if item.part == "read" for one in item.people}
    wanted = [one for one in active_people(tx, person_ids) if one not in reading]
    if not wanted:
        return 0
    step_id = next((one for one in reversed(run.book.done) if one in run.steps), next(iter(run.steps)))
    event = run.add_event("circulate", person_id=by, step_id=step_id, extra={"to": wanted})
    for person_id in wanted:
        do_show_to(run, person_id, step_id, "", event.person_id)
    do_save(run)
    return len(wanted)


def do_terminate_by_server(
    tx: Tx, context: OfficeContext, rules: Rules, record: Record, reason: str, by: str | None = None
) -> bool:
    """End the open case of a record; False when there is none."""
    case = open_case(tx.conn, record.id)
    if case is None:
        return False
    run = load_run(tx, context, rules, record, case)
    run.acting = by
    event = run.add_event("terminate", person_id=by, extra={"opinion": reason} if reason else {})
    do_terminate(Doing(run, Wish("terminate"), event, None, "terminate", by))
    do_save(run)
    return True


def do_renew_limits(tx: Tx, context: OfficeContext, rules: Rules, record: Record) -> int:
    """A date of the record that limits open steps was moved: their times follow; what is not late any more may get late again.

    Returns:
        How many pieces of work have another time now.
    """
    case = open_case(tx.conn, record.id)
    if case is None:
        return 0
    run = load_run(tx, context, rules, record, case)
    renewed = 0
    for item in run.items.values():
        options = run.step(item.step_id).options
        if item.part == "read" or options.limit is None or not options.limit.startswith("field:"):
            continue
        limits = limits_of(options, run.record, tx.now, run.work)
        if limits.due_at == item.due_at:
            continue
        item.amber_at, item.due_at, item.offer.moments = limits.amber_at, limits.due_at, dict(limits.moments)
        item.passed = [one for one in item.passed if limits.moments.get(one, 0) <= tx.now]
        run.keep_item(item)
        run.renew_todos(item)
        renewed += 1
    if renewed:
        do_save(run)
    return renewed
