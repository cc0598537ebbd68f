"""approve, submit, read, refuse, return: what is done with a step itself."""

from server_stub.errors import invalid_properties
from server_stub.modules.engine.processes.acts_people import answer
from server_stub.modules.engine.processes.book import START
from server_stub.modules.engine.processes.doing import Doing, cancel, give_back, go_back, note_act
from server_stub.modules.engine.processes.ending import end_run, first_state, refused_end
from server_stub.modules.engine.processes.refusing import decides_on_outcome
from server_stub.modules.engine.processes.rounds import after_act, settle


def do_approve(doing: Doing) -> None:
    """approve, submit, read: this person's part of the step is done."""
    run, item = doing.run, doing.at
    run.close_item(item, "done", doing.event.id, doing.person_id)
    if item.part == "read":
        return
    if item.part == "before":
        answer(doing)
        return
    note_act(doing)
    after_act(run, item.token, doing.event)


def do_refuse(doing: Doing) -> None:
    """Not agreed. Where the process itself asks for the outcome it goes on; else the case ends here."""
    run, item = doing.run, doing.at
    if item.part == "before" or _goes_on(doing):
        do_approve(doing)
        return
    run.close_item(item, "done", doing.event.id, doing.person_id)
    note_act(doing)
    run.told.steps.append((item.step_id, doing.event))
    run.told.advanced.append(doing.event)
    run.book.handled[item.step_id] = [one.person_id for one in doing.round.acts]
    state = refused_end(run)
    cancel(run)
    end_run(run, "completed" if state else "terminated", state or first_state(run))
    run.add_event("end", extra={"outcome": state} if state else {})


def _goes_on(doing: Doing) -> bool:
    files = [doing.run.stored.file, *doing.run.stored.called.values()]
    step = doing.run.step(doing.at.step_id)
    if step.many is not None and step.many.completion is not None and "outcome" in step.many.completion:
        return True
    return any(decides_on_outcome(file, step.id) for file in files if step.id in file.steps)


def do_return(doing: Doing) -> None:
    """Back to an earlier step: those who did it have it again, and all that came of it is undone."""
    run, item = doing.run, doing.at
    places = [str(one["stepId"]) for one in item.offer.return_to]
    target = doing.wish.to_step_id or (places[0] if places else None)
    if target is None or target not in places:
        raise invalid_properties("is none of the steps this can be returned to", "toStepId")
    doing.event.extra["toStepId"] = target
    run.close_item(item, "done", doing.event.id, doing.person_id)
    run.told.advanced.append(doing.event)
    run.book.approvers.clear()
    if target == START:
        give_back(run)
    else:
        go_back(run, item.token, target)
        settle(run, doing.event, again=target)
