"""What time alone does to a case: the machine's timers, and the limits of open items. One row of the table of due dates wakes each case."""

from server_stub.modules.engine.access import Lookup
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes.acts_case import do_terminate
from server_stub.modules.engine.processes.acts_people import do_show_next
from server_stub.modules.engine.processes.acts_step import do_approve, do_return
from server_stub.modules.engine.processes.doing import Doing
from server_stub.modules.engine.processes.limits import AUTOMATIC, ESCALATE, OVERDUE, URGE
from server_stub.modules.engine.processes.performers import active_people
from server_stub.modules.engine.processes.request import Wish
from server_stub.modules.engine.processes.rounds import settle
from server_stub.modules.engine.processes.rows import ItemRow, newest_case
from server_stub.modules.engine.processes.run import CaseRun, load_run, process_failed
from server_stub.modules.engine.processes.saving import do_save
from server_stub.modules.engine.processes.telling import OVERDUE as OVERDUE_ALERT
from server_stub.modules.engine.processes.telling import URGE as URGE_ALERT
from server_stub.modules.engine.processes.telling import do_alert_people
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import Record
from server_stub.storage.database import Tx
from server_stub.workflow.machine_faults import ProcessError
from server_stub.workflow.options import OUTCOMES


def do_case_due(tx: Tx, context: OfficeContext, rules: Rules, record: Record) -> None:
    """A moment of a record's case has come: do all that is due by now, each once, and set the next moment. Raises SetError."""
    case = newest_case(tx.conn, record.id)
    if case is None or case.state == "terminated":
        return
    run = load_run(tx, context, rules, record, case)
    if case.state != "running" and not run.book.readers:
        return
    do_show_next(run)
    if case.state != "running":
        do_save(run)
        return
    _fire_timers(run)
    for item in list(run.items.values()):
        for kind, at in sorted(item.offer.moments.items(), key=lambda one: one[1]):
            if at <= tx.now and kind not in item.passed and item.id in run.items:
                item.passed.append(kind)
                run.keep_item(item)
                _EFFECTS[kind](run, item)
    do_save(run)


def _fire_timers(run: CaseRun) -> None:
    due = run.running.next_due()
    if due is None or due > run.tx.now:
        return
    before = set(run.book.rounds)
    try:
        run.running.set_data(run.data())  # the record may have been edited since the last step
        fired = run.running.refresh(run.tx.now)
    except ProcessError as problem:
        raise process_failed(problem) from problem
    if not fired:
        return
    event = None
    for element in fired:
        event = run.add_event("advance")
        run.name_place(event, element, "")
    run.note_way()
    settle(run, event)
    if event is not None and before - set(run.book.rounds):
        run.told.advanced.append(event)


def _do_overdue(run: CaseRun, item: ItemRow) -> None:
    zh, en = run.step_words(item.step_id)
    do_alert_people(run, list(item.people), OVERDUE_ALERT, f"“{zh}”已超期", f"“{en}” is overdue", urgent=True)


def _do_urge(run: CaseRun, item: ItemRow) -> None:
    zh, en = run.step_words(item.step_id)
    item.urged_at = run.tx.now
    run.add_event("urge", item=item, extra={"to": list(item.people)})
    do_alert_people(run, list(item.people), URGE_ALERT, f"催办：“{zh}”", f"Please see to “{en}”", urgent=True)


def _do_escalate(run: CaseRun, item: ItemRow) -> None:
    """The superiors of those who have it hear of it, and see the record from now on."""
    lookup = Lookup(run.tx.conn, run.context.types)
    found = [lookup.superior(one) for one in item.people]
    people = active_people(run.tx, [one for one in found if one is not None])
    run.add_event("escalate", item=item, extra={"to": people})
    run.book.take_part(*people)
    zh, en = run.step_words(item.step_id)
    zh, en = f"下属办理的“{zh}”已超期", f"“{en}” is overdue at your subordinate's"
    do_alert_people(run, people, OVERDUE_ALERT, zh, en, urgent=True)


def _do_automatic(run: CaseRun, item: ItemRow) -> None:
    """What the step says the system does by itself."""
    kind = run.step(item.step_id).options.on_overdue
    outcome = OUTCOMES["approve"]
    event = run.add_event("timeout", item=item, extra={"outcome": outcome if kind == "approve" else str(kind)})
    if kind == "approve":
        do_approve(Doing(run, Wish("approve"), event, item, outcome, None))
    elif kind == "return" and item.offer.return_to:
        do_return(Doing(run, Wish("return"), event, item, "return", None))
    elif kind == "terminate":
        do_terminate(Doing(run, Wish("terminate"), event, item, "terminate", None))


_EFFECTS = {OVERDUE: _do_overdue, URGE: _do_urge, ESCALATE: _do_escalate, AUTOMATIC: _do_automatic}
