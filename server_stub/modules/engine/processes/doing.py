"""An act under way, and what several of them do."""

from dataclasses import dataclass

from server_stub.modules.engine.processes.book import Act, Round
from server_stub.modules.engine.processes.ending import end_run, first_state
from server_stub.modules.engine.processes.request import Wish
from server_stub.modules.engine.processes.rows import EventRow, ItemRow
from server_stub.modules.engine.processes.run import CaseRun, process_failed
from server_stub.workflow.machine_faults import ProcessError


@dataclass(frozen=True, slots=True)
class Doing:
    """An act under way. `item`: None where it is about the case as a whole; `outcome`: what conditions will see; person None: the server."""

    run: CaseRun
    wish: Wish
    event: EventRow
    item: ItemRow | None
    outcome: str
    person_id: str | None

    @property
    def at(self) -> ItemRow:
        """The item acted on."""
        assert self.item is not None
        return self.item

    @property
    def round(self) -> Round:
        """Of the item acted on."""
        return self.run.book.rounds[self.at.token]


def note_act(doing: Doing) -> None:
    run, item, round_ = doing.run, doing.at, doing.round
    person_id = doing.person_id or item.person_id or next(iter(item.people))
    made = Act(
        person_id, doing.outcome, doing.wish.action, item.id, item.people.get(person_id), item.part == "after"
    )  # fmt: skip
    round_.acts.append(made)
    if item.part == "after":
        round_.after -= 1
    if doing.wish.action in ("approve", "submit", "addSignerAfter") and doing.person_id is not None:
        run.book.approvers.append(person_id)


def cancel(run: CaseRun) -> None:
    run.running.cancel(run.tx.now)


def go_back(run: CaseRun, token: str, target: str, instance: str | None = None) -> None:
    """`instance`: of instances that are over only this one (Token.instance); None: all that did the step."""
    try:
        run.running.go_back(token, target, run.tx.now, run.data(), instance=instance)
    except ProcessError as problem:
        raise process_failed(problem) from problem
    run.note_way()


def give_back(run: CaseRun) -> None:
    """To a starter who has no step of his own: the case is over, the record is his again to amend and submit."""
    cancel(run)
    end_run(run, "terminated", first_state(run))
    run.case.end_state = None
    run.add_event("end")
