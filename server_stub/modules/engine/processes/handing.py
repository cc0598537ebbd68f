"""A step in people's hands: how many have to act, the items they get, and what these let them do."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from server_stub.ids import uuid7
from server_stub.modules.engine.processes.book import START, Round
from server_stub.modules.engine.processes.delegations import stand_in
from server_stub.modules.engine.processes.limits import limits_of
from server_stub.modules.engine.processes.performers import active_people
from server_stub.modules.engine.processes.rows import ENDED, ItemRow, Offer
from server_stub.modules.engine.processes.run import CaseRun, process_failed
from server_stub.records.types import JsonObject
from server_stub.workflow.machine_faults import ProcessError
from server_stub.workflow.options import StepAction, StepOptions
from server_stub.workflow.process_file import Step


def is_starters(options: StepOptions) -> bool:
    """Whether a step is the starter's own: submitting is what is done there."""
    return "starter" in options.performers and options.kind == "handle"


def need_of(step: Step, people: int) -> int:
    """How many have to act."""
    if step.many is not None:
        return people
    count = step.options.count
    if isinstance(count, int):
        return min(count, people)
    return people if count == "all" or step.options.kind == "read" else 1


def is_shared(step: Step) -> bool:
    """One of them does it, whoever comes first. A step to read is everybody's own."""
    return step.many is None and step.options.count == "one" and step.options.kind == "handle"


def hand_out(run: CaseRun, step: Step, token: str, made: Round, people: list[str]) -> None:
    made.need = max(made.need, 1)
    made.entries = len(people) + len(made.acts)
    sequential = step.many.sequential if step.many is not None else step.options.order == "sequential"
    if is_shared(step):
        give_item(run, step, token, made, people)
    elif sequential:
        made.waiting = people[1:]
        give_item(run, step, token, made, people[:1])
    else:
        for person_id in people:
            give_item(run, step, token, made, [person_id])


def next_in_order(run: CaseRun, waiting: list[str]) -> tuple[str, str | None] | None:
    """Who comes next of those who wait for their turn, with the absent person he acts for; taken off the list. None: nobody is left."""
    while waiting:
        person_id = waiting.pop(0)
        if not active_people(run.tx, [person_id]):
            continue
        delegate = stand_in(run.tx, person_id, run.case.module)
        return (person_id, None) if delegate in (person_id, run.case.started_by) else (delegate, person_id)
    return None


def give_item(
    run: CaseRun, step: Step, token: str, made: Round, people: Sequence[str], part: str = "step", **more: Any
) -> ItemRow:
    """A new item of a round waits for these people, shared where they are several."""
    return run.open_item(new_item(run, step, token, part, made, people, **more), run.acting)


def keep_limits(run: CaseRun, made: ItemRow, before: ItemRow) -> None:
    """An item that stands in the place of another is due when that was, and what time has done already is not done again."""
    made.due_at, made.amber_at, made.offer.moments = before.due_at, before.amber_at, dict(before.offer.moments)
    made.passed = list(before.passed)
    run.renew_todos(made)


def give_once_more(run: CaseRun, item: ItemRow, people: Mapping[str, str | None]) -> ItemRow:
    """A new item in the place of one that waits no more, for these people (each with whom they act for), as the step offers it now; limits stay."""
    round_ = run.book.rounds.get(item.token)
    if run.case.state in ENDED or round_ is None:
        round_ = Round(step_id=item.step_id, opened_at=item.created_at)  # only to be read: no round waits for it
    made = give_item(
        run,
        run.step(item.step_id),
        item.token,
        round_,
        list(people),
        item.part,
        added_by=item.added_by,
        parent=item.offer.parent,
        on_behalf=dict(people),
    )
    keep_limits(run, made, item)
    return made


def new_item(
    run: CaseRun,
    step: Step,
    token: str,
    part: str,
    made: Round,
    people: Sequence[str],
    *,
    added_by: str | None = None,
    parent: str | None = None,
    on_behalf: dict[str, str | None] | None = None,
) -> ItemRow:
    shares = {one: made.on_behalf.get(one) for one in people} if on_behalf is None else on_behalf
    alone = people[0] if len(people) == 1 else None
    limits = limits_of(step.options, run.record, run.tx.now, run.work)
    item = ItemRow(
        uuid7(run.tx.now), run.case.id, token, step.id, step.options.kind, part, "open", alone,
        None if alone is None else shares.get(alone), added_by, run.tx.now,
        amber_at=limits.amber_at, due_at=limits.due_at, offer=_offer(run, step, token, part), people=dict(shares),
    )  # fmt: skip
    item.offer.moments, item.offer.parent = dict(limits.moments), parent
    return item


def _offer(run: CaseRun, step: Step, token: str, part: str) -> Offer:
    options = step.options
    back = _return_to(run, token)
    actions = [_shown(one) for one in options.actions if one.name != "return" or back]
    if part == "before":
        actions = [one for one in actions if one["name"] in ("transfer", "circulate")]
        actions = [{"name": "approve", "opinion": "optional"}, {"name": "refuse", "opinion": "required"}, *actions]
    return Offer(
        actions=actions,
        opinion=options.opinion,
        signature=options.signature,
        attachments=options.attachments,
        editable=[] if part == "before" else _editable(options),
        required=[] if part == "before" else list(options.required),
        return_to=back if part != "before" else [],
        chooses=[run.named(one) for one in options.chooses if part != "before"],
    )


def _editable(options: StepOptions) -> list[str]:
    """What comes back to the starter may be amended, unless the step says otherwise."""
    return list(options.editable) or (["*"] if is_starters(options) else [])


def _shown(action: StepAction) -> JsonObject:
    return dict(msgspec.to_builtins(action))


def _return_to(run: CaseRun, token: str) -> list[JsonObject]:
    """Where a case can be returned to from here, latest first; to the starter where the process has no step of the starter's."""
    try:
        earlier = run.running.earlier_steps(token)
    except ProcessError as problem:
        raise process_failed(problem) from problem
    places: list[JsonObject] = []
    for step_id in earlier:
        people: list[str | None] = [*run.book.handled.get(step_id, ()), None]
        places.append({**run.named(step_id), "personId": people[0]})
    if not any(is_starters(step.options) for step in run.steps.values()):
        places.append({"stepId": START, "name": "", "personId": run.case.started_by})
    return places
