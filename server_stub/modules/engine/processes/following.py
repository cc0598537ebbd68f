"""A record with a running case that changes beside it: what people edit and do with it in the ordinary way."""

from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes.ending import end_run
from server_stub.modules.engine.processes.rows import open_case
from server_stub.modules.engine.processes.run import load_run
from server_stub.modules.engine.processes.saving import do_save
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.storage.database import Tx


def do_follow_record(tx: Tx, context: OfficeContext, rules: Rules, actor: Actor, before: Record, after: Record) -> None:
    """The case takes the record's new title; an action that settles the record (voids it) ends its case. Raises SetError."""
    case = open_case(tx.conn, after.id)
    if case is None:
        return
    definition = context.types[after.type]
    title = case.title
    run = load_run(tx, context, rules, after, case)
    run.acting = actor.person_id
    run.retitle()
    state = definition.state(after.data.get("state"))
    if state is not None and state.final and before.data.get("state") != state.value:
        event = run.add_event("terminate", person_id=actor.person_id, extra={"outcome": state.value})
        run.told.advanced.append(event)
        run.running.cancel(tx.now)
        end_run(run, "terminated", state.value)
        run.add_event("end", extra={"outcome": state.value})
    elif run.case.title == title:
        return
    do_save(run)
