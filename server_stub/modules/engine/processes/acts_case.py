"""urge, suspend, resume, terminate: what is done with a case as a whole."""

from typing import Final

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.processes.doing import Doing, cancel
from server_stub.modules.engine.processes.ending import end_run, terminated_state
from server_stub.modules.engine.processes.telling import URGE, do_alert_people, names_of

URGE_AGAIN_MS: Final = 10 * 60_000


def do_urge(doing: Doing) -> None:
    """Whoever has it is asked to hurry."""
    run, now = doing.run, doing.run.tx.now
    items = [doing.item] if doing.item is not None else [one for one in run.items.values() if one.part != "read"]
    asked = [one for one in items if one.urged_at is None or now - one.urged_at >= URGE_AGAIN_MS]
    if not asked:
        raise SetError(SetErrorType.RATE_LIMIT, "they were urged a moment ago")
    people = list(dict.fromkeys(one for item in asked for one in item.people if one != doing.person_id))
    if not people:
        raise invalid_properties("nobody else has it", "action")
    for item in asked:
        item.urged_at = now
        run.keep_item(item)
    doing.event.extra["to"] = people
    who = names_of(run, [doing.person_id or ""]).get(doing.person_id or "", "")
    words = f"：{doing.wish.opinion}" if doing.wish.opinion else ""
    do_alert_people(run, people, URGE, f"{who}催办{words}", f"Urged by {who}{words}", urgent=True)


def do_suspend(doing: Doing) -> None:
    """Nothing moves and no time runs until it is resumed."""
    doing.run.case.state = "suspended"
    doing.run.book.suspended = (doing.run.tx.now, doing.person_id)
    doing.run.told.advanced.append(doing.event)


def do_resume(doing: Doing) -> None:
    """Time limits move by as long as it stood still."""
    run = doing.run
    since, _ = run.book.suspended or (run.tx.now, None)
    run.case.state, run.book.suspended = "running", None
    shift = run.tx.now - since
    for item in run.items.values():
        item.due_at = None if item.due_at is None else item.due_at + shift
        item.amber_at = None if item.amber_at is None else item.amber_at + shift
        item.offer.moments = {kind: at + shift for kind, at in item.offer.moments.items()}
        run.keep_item(item)
        run.renew_todos(item)
    run.told.advanced.append(doing.event)


def do_terminate(doing: Doing) -> None:
    """The case ends for good where it is."""
    run = doing.run
    if doing.item is not None:
        run.close_item(doing.item, "done", doing.event.id, doing.person_id)
    run.told.advanced.append(doing.event)
    state = terminated_state(run)
    cancel(run)
    end_run(run, "terminated", state)
    run.add_event("end", extra={"outcome": state} if state else {})
