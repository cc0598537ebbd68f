"""Rounds: a token at a step becomes work for people, what they give is counted, and when enough have acted the machine goes on."""

from typing import Any, Final

import msgspec

from server_stub.errors import SetError
from server_stub.modules.engine.alerts import AlertText, do_alert
from server_stub.modules.engine.processes.book import Act, Round, results_of
from server_stub.modules.engine.processes.ending import reach_end
from server_stub.modules.engine.processes.handing import (
    give_item,
    hand_out,
    is_shared,
    is_starters,
    need_of,
    new_item,
    next_in_order,
)
from server_stub.modules.engine.processes.performers import Resolution, active_people, resolve
from server_stub.modules.engine.processes.rows import EventRow
from server_stub.modules.engine.processes.run import PROCESS_FAILED, CaseRun, process_failed
from server_stub.records.types import JsonObject
from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.evaluator import evaluate
from server_stub.workflow.machine import Token
from server_stub.workflow.machine_faults import ProcessError
from server_stub.workflow.options import OUTCOMES, StepOptions
from server_stub.workflow.process_file import Step

MAX_PASSES: Final = 200
"""Steps that pass by themselves in one go; more is a process that never waits for anybody."""
FORWARD: Final = frozenset({"submit", "start", "approve", "refuse", "read", "addSignerAfter"})
"""Acts that move a case on, and may be taken back while nobody has acted after them."""
REFUSING: Final = frozenset({"refuse"})


def settle(run: CaseRun, cause: EventRow | None, again: str | None = None, restore: Round | None = None) -> None:
    """Give every token of the machine its round, and take rounds without a token away, until somebody has to act or the case has ended.

    Args:
        cause: the event that moved the machine; None: time did.
        again: a step that was returned to: those who had it have it again.
        restore: the round of a step that somebody took back: taken up where it was.

    Raises:
        SetError: processFailed; invalidProperties (`chosen`): somebody has to be picked for a step that comes now.
    """
    for _ in range(MAX_PASSES):
        tokens = {one.id: one for one in run.running.tokens}
        for gone in [one for one in run.book.rounds if one not in tokens]:
            _drop_round(run, gone, cause)
        fresh = [one for one in tokens.values() if one.id not in run.book.rounds]
        if not fresh:
            break
        for token in fresh:
            if restore is not None and (restore.step_id, restore.instance) == (token.step_id, token.instance):
                _take_up(run, token, restore)
            elif _open_round(run, token, cause, again == token.step_id):
                finish_round(run, token.id, cause)
                break
    else:
        raise SetError(PROCESS_FAILED, "the process does not come to rest")
    if run.running.finished and run.case.state == "running":
        reach_end(run)


def _open_round(run: CaseRun, token: Token, cause: EventRow | None, again: bool) -> bool:
    """Somebody has the step from now on. True: nobody has to act, it is passed at once."""
    step = run.step(token.step_id)
    forward = cause is not None and cause.person_id is not None and cause.action in FORWARD
    moved_by = (cause.id, str(cause.person_id), cause.step_id) if cause is not None and forward else None
    made = Round(step_id=step.id, opened_at=run.tx.now, moved_by=moved_by, instance=token.instance)
    run.book.rounds[token.id] = made
    _enter_state(run, step.options)
    done = run.book.handled_in if made.instance else run.book.handled
    found = _people(run, step, token, done.get(made.place, []) if again else [])
    made.on_behalf = dict(found.on_behalf)
    made.resolved = list(found.person_ids)
    _note_delegates(run, step, found)
    if run.starting is not None and is_starters(step.options) and run.case.started_by in found.person_ids:
        _start_here(run, token, made)
        return True
    people = list(found.person_ids)
    made.need = need_of(step, len(people))
    if not again:
        people = _skip_repeated(run, step, made, people)
    if not people or is_enough(run, made):
        return True
    if moved_by is not None:
        run.book.moves[moved_by[0]] = run.book.moves.get(moved_by[0], 0) + 1
    if found.fallback_used:
        _tell_of_fallback(run, step, found)
    hand_out(run, step, token.id, made, people)
    return False


def _take_up(run: CaseRun, token: Token, round_: Round) -> None:
    """A round that had ended goes on: who took his act back has it again."""
    run.book.rounds[token.id] = round_
    round_.opened_at = run.tx.now  # the time before is counted already
    step = run.step(token.step_id)
    _enter_state(run, step.options)
    assert run.acting is not None
    absent = round_.on_behalf.get(run.acting)
    give_item(run, step, token.id, round_, [run.acting], on_behalf={run.acting: absent})


def _people(run: CaseRun, step: Step, token: Token, before: list[str]) -> Resolution:
    """Who gets a step. `before`: who did it, where it was returned to."""
    facts, options, chosen = run.facts(), step.options, run.book.chosen.get(step.id)
    rule = run.rules_people
    again = active_people(run.tx, before)
    if again:
        words = msgspec.structs.replace(options, performers=("chosen",))
        return resolve(run.tx, run.context, words, facts, run.record, again, rule)
    entries = _entries(run, step, token)
    if entries:
        options, chosen = msgspec.structs.replace(options, performers=("chosen",)), entries
    found = resolve(run.tx, run.context, options, facts, run.record, chosen, rule)
    if found.fallback_used and options.performers == ("chosen",) and run.may_choose(step.id):
        raise SetError(
            "invalidProperties", "somebody has to be picked for the next step", ["chosen"], reasons={"chosen": step.id}
        )
    return found


def _entries(run: CaseRun, step: Step, token: Token) -> list[str]:
    """The people a multi-instance step names, one instance each; empty: its performers say who."""
    values: Any = [token.item] if isinstance(token.item, str) and step.many is None else None
    if step.many is not None and step.many.collection is not None:
        try:
            values = evaluate(step.many.collection, run.data(**_case_data(run)))
        except EvaluationError:
            values = None  # the file's own list is not there: its performers act
    texts = [one for one in values if isinstance(one, str)] if isinstance(values, list) else []
    return active_people(run.tx, texts)


def _case_data(run: CaseRun) -> JsonObject:
    return {key: value for key, value in run.running.data.items() if key not in ("record", "starter", "outcomes")}


def _enter_state(run: CaseRun, options: StepOptions) -> None:
    if options.state is not None:
        run.state = options.state
    elif is_starters(options) and run.definition.states:
        run.state = run.definition.states[0].value


def _note_delegates(run: CaseRun, step: Step, found: Resolution) -> None:
    for absent, delegate in found.delegated:
        run.book.take_part(absent)
        run.add_event("delegate", step_id=step.id, on_behalf_of=absent, extra={"to": [delegate]})


def _start_here(run: CaseRun, token: Token, made: Round) -> None:
    """The starter's own first step is done by submitting."""
    event, starter = run.starting, run.case.started_by
    assert event is not None
    step = run.step(token.step_id)
    item = new_item(run, step, token.id, "step", made, [starter])
    item.offer.step_name, item.offer.step_label = run.step_name(step.id), run.step_label(step.id)
    run.name_place(event, step.id)
    event.work_item_id = item.id
    run.close_item(item, "done", event.id, starter)
    made.acts.append(Act(starter, str(event.extra.get("outcome") or OUTCOMES["submit"]), "submit", item.id))
    run.book.approvers.append(starter)
    run.starting = None
    made.need = 1


def _skip_repeated(run: CaseRun, step: Step, made: Round, people: list[str]) -> list[str]:
    """Those who still have to act, after who approved before has passed by setting."""
    options = step.options
    if not options.skip_repeated or options.kind == "read":
        return people
    passed = [one for one in people if one in run.book.approvers]
    for person_id in passed[:1] if is_shared(step) else passed:
        made.acts.append(Act(person_id, OUTCOMES["approve"], "skip", ""))
        run.add_event("skip", step_id=step.id, person_id=person_id, extra={"outcome": OUTCOMES["approve"]})
    return [] if passed and is_shared(step) else [one for one in people if one not in passed]


def _tell_of_fallback(run: CaseRun, step: Step, found: Resolution) -> None:
    zh, en = run.step_words(step.id)
    label = {"zh": f"“{zh}”没有找到办理人，转由您办理", "en": f"Nobody was found for “{en}”: it came to you"}
    link = run.record
    do_alert(
        run.tx, found.person_ids, AlertText("system", run.case.title, label["zh"], True, link.type, link.id, label)
    )


def is_enough(run: CaseRun, round_: Round) -> bool:
    """Whether as many have acted as the step asks for."""
    if round_.after > 0:
        return False
    acts = round_.main_acts
    step = run.step(round_.step_id)
    return len(acts) >= round_.need or (bool(acts) and _completion_holds(run, step, round_))


def _completion_holds(run: CaseRun, step: Step, round_: Round) -> bool:
    """Whether the file's own completion condition of a multi-instance step is true."""
    many = step.many
    if many is None or many.completion is None:
        return False
    results = results_of(round_)
    numbers = {
        "numberOfInstances": round_.entries,
        "numberOfCompletedInstances": len(results),
        "numberOfActiveInstances": max(round_.entries - len(results), 0),
    }
    more = {many.results: [one["outcome"] for one in results], "results": results, **numbers}
    try:
        return bool(evaluate(many.completion, {**_case_data(run), **run.data(), **more}))
    except EvaluationError as problem:
        raise SetError(PROCESS_FAILED, f"completion condition: {problem}"[:500], element=step.id) from problem


def after_act(run: CaseRun, token: str, cause: EventRow) -> None:
    """Somebody has acted at a step: it is left when that was enough, else the next one in order has it."""
    round_ = run.book.rounds[token]
    round_.touched = True
    if is_enough(run, round_):
        finish_round(run, token, cause)
        settle(run, cause)
        return
    busy = any(one.part == "step" for one in run.items_at(token)) or round_.asking
    if busy:
        return
    following = next_in_order(run, round_.waiting)
    if following is not None:
        give_item(run, run.step(round_.step_id), token, round_, [following[0]], on_behalf=dict([following]))
        run.told.advanced.append(cause)
    elif round_.after == 0:  # whoever was still to come has left
        finish_round(run, token, cause)
        settle(run, cause)


def finish_round(run: CaseRun, token: str, cause: EventRow | None) -> None:
    """The step is done: its items close, its outcome is kept, the machine goes on."""
    round_ = run.book.rounds.pop(token)
    step = run.step(round_.step_id)
    _close_rest(run, token, cause)
    if cause is not None:
        run.told.steps.append((step.id, cause))
        run.told.advanced.append(cause)
    run.book.passed[step.id] = round_
    outcome = outcome_of(round_)
    book = run.book
    book.outcomes[step.id] = outcome
    people = list(dict.fromkeys(one.person_id for one in round_.acts))
    book.handled[step.id] = people
    if round_.instance:
        book.handled_in[round_.place] = people
    book.previous = people or book.previous
    book.minutes[step.id] = book.minutes.get(step.id, 0) + run.work.between(round_.opened_at, run.tx.now)
    more: JsonObject = {"outcome": outcome, "results": results_of(round_)}
    if step.many is not None:
        more[step.many.results] = [one.outcome for one in round_.acts]
    _complete(run, token, more)


def _complete(run: CaseRun, token: str, more: JsonObject) -> None:
    try:
        run.running.complete(token, run.data(**more), run.tx.now)
    except ProcessError as problem:
        raise process_failed(problem) from problem
    run.note_way()


def outcome_of(round_: Round) -> str:
    """What conditions see of a step: of several acts a refusal counts, else the last one."""
    refused = [one.outcome for one in round_.acts if one.action in REFUSING]
    if refused:
        return refused[-1]
    return round_.acts[-1].outcome if round_.acts else OUTCOMES["approve"]


def _close_rest(run: CaseRun, token: str, cause: EventRow | None) -> None:
    for item in run.items_at(token):
        run.close_item(item, "withdrawn", None if cause is None else cause.id)


def _drop_round(run: CaseRun, token: str, cause: EventRow | None) -> None:
    """The machine left a step without its being done: returned, interrupted, ended."""
    round_ = run.book.rounds.pop(token)
    step_id = round_.step_id
    run.book.minutes[step_id] = run.book.minutes.get(step_id, 0) + run.work.between(round_.opened_at, run.tx.now)
    _close_rest(run, token, cause)
