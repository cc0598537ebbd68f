"""Acting on a case: who may, whether it is too late, what the step asks for; then the act itself, in the same transaction."""

from typing import Final

from server_stub.accounts.directory import load_rights
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.ids import uuid7
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes import process_store
from server_stub.modules.engine.processes.acts import EFFECTS
from server_stub.modules.engine.processes.book import Book
from server_stub.modules.engine.processes.delegations import ADMIN_ROLES
from server_stub.modules.engine.processes.doing import Doing
from server_stub.modules.engine.processes.handing import is_starters
from server_stub.modules.engine.processes.patching import check_required, do_patch
from server_stub.modules.engine.processes.request import Wish
from server_stub.modules.engine.processes.rounds import settle
from server_stub.modules.engine.processes.rows import (
    ENDED,
    CaseRow,
    EventRow,
    ItemRow,
    Offer,
    load_events,
    load_items,
    newest_case,
)
from server_stub.modules.engine.processes.run import CaseRun, load_run, process_failed
from server_stub.modules.engine.processes.saving import do_save
from server_stub.modules.engine.processes.step_checks import (
    DECIDING,
    FINISHING,
    check_words,
    do_keep_blobs,
    new_event,
    take_choices,
)
from server_stub.modules.engine.processes.telling import do_send_card
from server_stub.modules.engine.processes.undoing import BESIDE, UNDONE, remember
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.titles import title_of
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx
from server_stub.workflow.machine import Machine
from server_stub.workflow.machine_faults import ProcessError
from server_stub.workflow.options import OUTCOMES, StepOptions

OVERTAKEN: Final = "overtaken"
SUSPENDED: Final = "suspended"
OF_CASE: Final = frozenset({"withdraw", "urge", "suspend", "resume", "terminate"})
"""What can be done without an item of one's own."""
_WHILE_SUSPENDED: Final = frozenset({"resume", "terminate", "read"})
_FOR_ADMINS: Final = frozenset({"transfer", "return", "terminate", "suspend", "resume", "urge"})


def do_act(
    tx: Tx, context: OfficeContext, rules: Rules, actor: Actor, event_id: str, record: Record, wish: Wish
) -> EventRow:
    """Do what a person wants done with the case of a record. Gives the history's new entry.

    Raises:
        SetError: forbidden, invalidProperties, overtaken, suspended, rateLimit, processFailed; what the type's rules refuse with.
    """
    case = newest_case(tx.conn, record.id)
    if wish.action == "submit" and wish.work_item_id is None and (case is None or case.state in ENDED):
        return do_start(tx, context, rules, actor, event_id, record, wish)
    if case is None:
        raise invalid_properties("nothing was submitted yet", "recordId")
    run = load_run(tx, context, rules, record, case)
    run.acting = actor.person_id
    item = _find_item(run, actor, wish)
    _check_state(run, actor, wish, item)
    action = _check_offered(run, actor, wish, item)
    outcome = wish.outcome or str(action.get("outcome") or OUTCOMES.get(wish.action, wish.action))
    event = new_event(run, actor, event_id, wish, item, outcome)
    if item is not None:
        check_words(run, wish, item.offer, action)
        take_choices(run, wish, item.offer)
    do_keep_blobs(run, actor, event, wish)
    rules.check_case_action(tx, actor, run.record, event.to_object(record.type, record.id))
    if wish.values:
        if item is None or wish.action not in DECIDING:
            raise invalid_properties("fields are written with the step's own action", "values")
        do_patch(run, actor, wish.values, item.offer.editable)
    if item is not None and wish.action in FINISHING and item.part != "read":
        check_required(run, item.offer.required)
    undo = remember(run, event) if wish.action in UNDONE and run.machine is not None else None
    EFFECTS[wish.action](Doing(run, wish, event, item, outcome, actor.person_id))
    if wish.action not in BESIDE:
        run.book.undo = undo if run.machine is not None else None
    do_save(run)
    return event


# ---------------------------------------------------------------- starting


def do_start(
    tx: Tx, context: OfficeContext, rules: Rules, actor: Actor, event_id: str, record: Record, wish: Wish
) -> EventRow:
    """A person submits a record: its case begins. Raises SetError as do_act."""
    definition = context.types[record.type]
    viewer = Viewer(tx.conn, actor, context.types)
    if record.author_id != actor.person_id and not viewer.is_one_of(
        definition.access.update, definition, record.author_id, record.data
    ):
        raise SetError(SetErrorType.FORBIDDEN, f"you may not submit this {record.type}")
    run = _new_run(tx, context, rules, record, actor.person_id)
    run.acting = actor.person_id
    outcome = wish.outcome or OUTCOMES["submit"]
    event = new_event(run, actor, event_id, wish, None, outcome)
    first = next((one for one in run.stored.file.steps.values() if is_starters(one.options)), None)
    if first is not None:
        check_words(run, wish, _offer_of(run, first.options), {})
        take_choices(run, wish, _offer_of(run, first.options))
    do_keep_blobs(run, actor, event, wish)
    rules.check_case_action(tx, actor, record, event.to_object(record.type, record.id))
    if wish.values:
        do_patch(run, actor, wish.values, ["*"])
    if first is not None:
        check_required(run, first.options.required)
    do_begin(run, event)
    return event


def do_start_by_server(
    tx: Tx,
    context: OfficeContext,
    rules: Rules,
    record: Record,
    starter_id: str,
    chosen: dict[str, list[str]] | None = None,
) -> str:
    """Start the case of a record as the server, in somebody's name (a document that comes in, a task that follows from another). Gives its id.

    Raises:
        SetError: as do_act.
    """
    run = _new_run(tx, context, rules, record, starter_id)
    run.book.chosen.update(chosen or {})
    event = run.add_event("start", person_id=starter_id, extra={"outcome": OUTCOMES["submit"]})
    do_begin(run, event)
    return run.case.id


def do_begin(run: CaseRun, event: EventRow) -> None:
    """Run the machine of a new case up to the first people who have to act, and write it all."""
    try:
        run.machine = Machine.start(
            run.stored.file, run.stored.called, run.data(outcome=""), run.tx.now, service=run.serve
        )
    except ProcessError as problem:
        raise process_failed(problem) from problem
    run.starting = event
    run.chooses = frozenset(
        one for step in run.steps.values() if is_starters(step.options) for one in step.options.chooses
    )
    settle(run, event)
    if run.starting is not None:
        run.told.steps.append(("", event))
    do_save(run, fresh=True)
    do_send_card(run)


def _new_run(tx: Tx, context: OfficeContext, rules: Rules, record: Record, starter_id: str) -> CaseRun:
    definition = context.types[record.type]
    stored = None if definition.process is None else process_store.load_current(tx, definition.process)
    if stored is None:
        raise SetError("noProcess", f"no process is published for {record.type}")
    if definition.states and record.data.get("state") != definition.states[0].value:
        raise invalid_properties("was submitted before, or is settled", "recordId")
    departments = load_rights(tx.conn, starter_id).department_ids
    title = title_of(tx.conn, context.types, definition, record.data)
    case = CaseRow(
        uuid7(tx.now), record.type, record.id, context.modules.get(record.type, ""), stored.process_id, stored.sha,
        stored.version, title, "running", starter_id, tx.now, departments[0] if departments else None,
    )  # fmt: skip
    run = CaseRun(tx, context, rules, record, case, Book(), stored, {})
    run.book.take_part(starter_id)
    return run


def _offer_of(run: CaseRun, options: StepOptions) -> Offer:
    chooses: list[JsonObject] = [run.named(one) for one in options.chooses]
    return Offer(opinion=options.opinion, signature=options.signature, attachments=options.attachments, chooses=chooses)


# ---------------------------------------------------------------- who, and whether it is too late


def is_admin(actor: Actor) -> bool:
    """Whether the actor keeps processes."""
    return bool(ADMIN_ROLES & actor.roles)


def _find_item(run: CaseRun, actor: Actor, wish: Wish) -> ItemRow | None:
    """The item an act is about: the one named, else the actor's own.

    Raises:
        SetError: forbidden: it is not the actor's; overtaken: it is not open any more.
    """
    if wish.work_item_id is None:
        return _own_item(run, actor, wish)
    item = run.items.get(wish.work_item_id) or load_items(run.tx.conn, [wish.work_item_id]).get(wish.work_item_id)
    if item is None or item.case_id != run.case.id:
        if item is not None and actor.person_id in item.people:
            raise overtaken(run.tx, run.case, item)
        raise invalid_properties("there is no such work item in this case", "workItemId")
    if wish.action == "urge":
        return item
    if actor.person_id not in item.people and not (is_admin(actor) and wish.action in _FOR_ADMINS):
        raise SetError(SetErrorType.FORBIDDEN, "this is for somebody else to do")
    if item.state != "open":
        raise overtaken(run.tx, run.case, item)
    return item


def _own_item(run: CaseRun, actor: Actor, wish: Wish) -> ItemRow | None:
    mine = [one for one in run.items.values() if actor.person_id in one.people]
    offering = [one for one in mine if any(action["name"] == wish.action for action in one.offer.actions)]
    if offering:
        return offering[0]
    if wish.action in OF_CASE:
        return None
    if mine:
        raise SetError(SetErrorType.FORBIDDEN, f"{wish.action} is not offered at this step")
    if wish.action == "submit" or _had_one(run, actor.person_id):
        raise overtaken(run.tx, run.case, None)
    raise SetError(SetErrorType.FORBIDDEN, "nothing of this case is yours to do")


def _had_one(run: CaseRun, person_id: str) -> bool:
    row = run.tx.raw.execute(
        "SELECT 1 FROM work_item AS i JOIN work_item_person AS p ON p.item_id = i.id"
        " WHERE i.case_id = ? AND p.person_id = ? LIMIT 1",
        (run.case.id, person_id),
    ).fetchone()
    return row is not None


def overtaken(tx: Tx, case: CaseRow, item: ItemRow | None) -> SetError:
    """Who was faster, when and with what, and where the case is now."""
    found = None
    if item is not None and item.closed_by is not None:
        found = load_events(tx.conn, [item.closed_by]).get(item.closed_by)
    if found is None:
        row = tx.raw.execute(
            "SELECT id FROM case_event WHERE case_id = ? ORDER BY seq DESC LIMIT 1", (case.id,)
        ).fetchone()
        found = load_events(tx.conn, [row[0]])[row[0]]
    told = found.to_object(case.record_type, case.record_id)
    return SetError(
        OVERTAKEN,
        "somebody was faster",
        by=told["personId"],
        at=told["at"],
        action=told["action"],
        case=case.to_object(),
    )


def _check_state(run: CaseRun, actor: Actor, wish: Wish, item: ItemRow | None) -> None:
    if run.case.state in ENDED and not (item is not None and item.part == "read"):
        raise overtaken(run.tx, run.case, item)
    if run.case.state == "suspended" and wish.action not in _WHILE_SUSPENDED:
        raise SetError(SUSPENDED, "the case is suspended", case=run.case.to_object())
    if wish.action == "resume" and run.case.state != "suspended":
        raise invalid_properties("it is not suspended", "action")


def _check_offered(run: CaseRun, actor: Actor, wish: Wish, item: ItemRow | None) -> JsonObject:
    """The action as the item offers it; one of the case as a whole is looked at by who asks.

    Raises:
        SetError: forbidden.
    """
    if item is not None and actor.person_id in item.people:
        for one in item.offer.actions:
            outcome = one.get("outcome") or OUTCOMES.get(wish.action, wish.action)
            if one["name"] == wish.action and wish.outcome in (None, outcome):
                return one
    if wish.action in _FOR_ADMINS and is_admin(actor):
        return {}
    if wish.action in OF_CASE and _may_of_case(run, actor.person_id, wish.action):
        return {}
    raise SetError(SetErrorType.FORBIDDEN, f"{wish.action} is not offered here")


def _may_of_case(run: CaseRun, person_id: str, action: str) -> bool:
    match action:
        case "withdraw":
            return True  # acts.py looks at who acted last
        case "urge":
            return person_id in run.book.participants
        case "resume":
            return run.book.suspended is not None and run.book.suspended[1] == person_id
        case "terminate":
            return person_id == run.case.started_by and set(run.handlers()) == {person_id}
    return False
