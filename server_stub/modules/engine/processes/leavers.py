"""Work of people who have left: it goes to whom the step would find now, else to its fallback, with an alert; both names stay in the history."""

import logging
from collections.abc import Callable
from typing import Final

from server_stub.accounts.directory import PERSON
from server_stub.errors import SetError
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes.handing import give_item, keep_limits
from server_stub.modules.engine.processes.performers import active_people, resolve
from server_stub.modules.engine.processes.rows import ENDED, ItemRow, load_case
from server_stub.modules.engine.processes.run import CaseRun, load_run
from server_stub.modules.engine.processes.saving import do_save
from server_stub.modules.engine.processes.telling import do_alert_people
from server_stub.modules.engine.rules import Rules
from server_stub.records.store import load_record
from server_stub.storage.database import Tx

log = logging.getLogger("tongban.office")

BATCH: Final = 200


def do_hand_over_leavers(
    tx: Tx, context: OfficeContext, rules_of: Callable[[str], Rules | None], after: str = ""
) -> str:
    """Look at open work of people who are not active any more, BATCH cases at most.

    Args:
        after: the last case of the call before.

    Returns:
        The last case looked at when there may be more, else "".
    """
    rows = tx.raw.execute(
        "SELECT DISTINCT i.case_id FROM record AS r JOIN work_item_person AS p ON p.person_id = r.id AND p.todo_id IS NOT NULL"
        " JOIN work_item AS i ON i.id = p.item_id"
        " WHERE r.type = ? AND NOT json_extract(r.data, '$.active') AND i.state = 'open' AND i.case_id > ?"
        " ORDER BY i.case_id LIMIT ?",
        (PERSON, after, BATCH),
    ).fetchall()
    for (case_id,) in rows:
        try:
            with tx.savepoint():
                _do_look_at(tx, context, rules_of, case_id)
        except SetError:
            log.exception("the work of somebody who left could not be handed over")
    return str(rows[-1][0]) if len(rows) == BATCH else ""


def _do_look_at(tx: Tx, context: OfficeContext, rules_of: Callable[[str], Rules | None], case_id: str) -> None:
    case = load_case(tx.conn, case_id)
    record = None if case is None else load_record(tx.conn, case.record_id, type_name=case.record_type)
    rules = None if record is None else rules_of(record.type)
    if case is None or record is None or rules is None:
        return
    run = load_run(tx, context, rules, record, case)
    for item in list(run.items.values()):
        _hand_over(run, item)
    do_save(run)


def _hand_over(run: CaseRun, item: ItemRow) -> None:
    staying = active_people(run.tx, item.people)
    leaving = [one for one in item.people if one not in staying]
    if not leaving:
        return
    if item.part == "read" or run.case.state in ENDED:
        run.close_item(item, "withdrawn", None)
        return
    step, round_ = run.step(item.step_id), run.book.rounds[item.token]
    people = staying or _successors(run, item)
    event = run.add_event("handOver", item=item, on_behalf_of=leaving[0], extra={"to": people})
    run.close_item(item, "withdrawn", event.id)
    behalf = {one: item.people.get(one) for one in people}
    made = give_item(
        run,
        step,
        item.token,
        round_,
        people,
        item.part,
        added_by=item.added_by,
        parent=item.offer.parent,
        on_behalf=behalf,
    )
    made.offer.actions, made.offer.return_to = item.offer.actions, item.offer.return_to
    keep_limits(run, made, item)
    if not staying:
        zh, en = run.step_words(item.step_id)
        zh, en = f"“{zh}”的原办理人已离岗，转由您办理", f"“{en}” came to you: who had it has left"
        do_alert_people(run, people, "system", zh, en, urgent=True)


def _successors(run: CaseRun, item: ItemRow) -> list[str]:
    """Who has it now: whom the step's own words find today, of those who do not have it anyway; else its fallback."""
    options = run.step(item.step_id).options
    chosen = run.book.chosen.get(item.step_id)
    found = resolve(run.tx, run.context, options, run.facts(), run.record, chosen, run.rules_people)
    busy = {one for other in run.items_at(item.token) if other.id != item.id for one in other.people}
    return [one for one in found.person_ids if one not in busy][:1] or list(found.person_ids)[:1]
