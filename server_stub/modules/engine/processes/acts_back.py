"""withdraw: taking one's own act back while nobody has acted after it."""

import msgspec

from server_stub.errors import SetError, SetErrorType
from server_stub.modules.engine.processes.book import START, Round
from server_stub.modules.engine.processes.doing import Doing, give_back, go_back
from server_stub.modules.engine.processes.handing import give_item
from server_stub.modules.engine.processes.rounds import settle
from server_stub.modules.engine.processes.run import CaseRun
from server_stub.modules.engine.processes.undoing import do_undo, may_be_undone


def do_withdraw(doing: Doing) -> None:
    """Take one's own act back while nobody has acted after it.

    Raises:
        SetError: forbidden: somebody has, or there is nothing of this person's to take back.
    """
    run, person_id = doing.run, doing.person_id
    place = withdrawable(run).get(person_id or "")
    if place is None:
        raise SetError(SetErrorType.FORBIDDEN, "somebody has acted since, or there is nothing of yours to take back")
    undo = may_be_undone(run)
    if undo is not None and undo.person_id == person_id:
        do_undo(doing, undo)
        return
    token, step_id = place
    run.name_place(doing.event, step_id, "" if step_id == START else None)
    if person_id in run.book.approvers:
        run.book.approvers.remove(person_id)
    if run.book.rounds[token].step_id == step_id and run.book.rounds[token].acts:
        _reopen(run, token, doing)
    elif step_id == START:
        give_back(run)
    else:
        passed = run.book.passed.get(step_id)
        go_back(run, token, step_id, passed.instance or None if passed is not None else None)
        settle(run, doing.event, again=step_id, restore=_without(passed, person_id))


def withdrawable(run: CaseRun) -> dict[str, tuple[str, str]]:
    """Person → (token, step) of what that person may take back now."""
    found: dict[str, tuple[str, str]] = {}
    undo = may_be_undone(run)
    if undo is not None:
        found[undo.person_id] = ("", undo.step_id)
    for token, round_ in run.book.rounds.items():
        person_id = _signed_last(run, token, round_)
        if person_id is not None:
            found.setdefault(person_id, (token, round_.step_id))
        elif round_.moved_by is not None and _is_untouched(run, round_.moved_by[0]):
            _, person_id, step_id = round_.moved_by
            if not step_id or step_id in run.running.earlier_steps(token):
                found.setdefault(person_id, (token, step_id or START))
    return found


def _signed_last(run: CaseRun, token: str, round_: Round) -> str | None:
    """Who acted last at a step that others still have; None: nobody, or something has happened since."""
    last = round_.acts[-1] if round_.acts else None
    if last is None or not last.item_id or last.after or round_.asking:
        return None
    passed_on = any(one.part == "step" and one.added_by is not None for one in run.items_at(token))
    return None if passed_on else last.person_id


def _is_untouched(run: CaseRun, event_id: str) -> bool:
    """Whether all the steps that an act led to are open, and nobody has done anything there."""
    rounds = run.book.rounds.values()
    born = [one for one in rounds if one.moved_by is not None and one.moved_by[0] == event_id]
    return len(born) == run.book.moves.get(event_id) and not any(
        one.touched or any(act.item_id for act in one.acts) for one in born
    )


def _without(passed: Round | None, person_id: str | None) -> Round | None:
    """A round as it was before its last act; None when that was not this person's."""
    if passed is None or not passed.acts or passed.acts[-1].person_id != person_id or passed.acts[-1].after:
        return None
    return msgspec.structs.replace(passed, acts=passed.acts[:-1], touched=bool(passed.acts[:-1]))


def _reopen(run: CaseRun, token: str, doing: Doing) -> None:
    """The act was one of several at a step that still goes on."""
    round_ = run.book.rounds[token]
    act = round_.acts.pop()
    round_.touched = bool(round_.acts)
    for item in [one for one in run.items_at(token) if one.part == "after" and one.added_by == act.person_id]:
        run.close_item(item, "withdrawn", doing.event.id)
        round_.after -= 1
    step = run.step(round_.step_id)
    if step.many.sequential if step.many is not None else step.options.order == "sequential":
        for item in [one for one in run.items_at(token) if one.part == "step"]:
            run.close_item(item, "withdrawn", doing.event.id)
            round_.waiting[:0] = list(item.people)
    give_item(run, step, token, round_, [act.person_id], on_behalf={act.person_id: act.on_behalf_of})
