"""A running case: SpiffWorkflow under a sans-io face. Time is passed in, ids are counted, no step of it waits, and a refused call leaves it as it was."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from msgspec import Struct
from SpiffWorkflow.bpmn.specs.event_definitions import (
    CancelEventDefinition,
    ErrorEventDefinition,
    EscalationEventDefinition,
    MessageEventDefinition,
    SignalEventDefinition,
)
from SpiffWorkflow.bpmn.specs.mixins.events.end_event import EndEvent
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.util.task import TaskState

from server_stub.workflow.machine_compile import Compiled, compile_process
from server_stub.workflow.machine_faults import CannotGoBack, NoSuchToken, ProcessStuck
from server_stub.workflow.machine_history import done_steps, earlier, forget_laps, instance_of, passed_elements, reopen
from server_stub.workflow.machine_preview import likely_next
from server_stub.workflow.machine_state import copied, pack, unpack
from server_stub.workflow.machine_tasks import CaseTask, element_of
from server_stub.workflow.machine_timers import CaseTimer, fire_next, waiting_timers
from server_stub.workflow.machine_trees import CaseWorkflow, Service
from server_stub.workflow.process_file import ProcessFile

MAX_FIRED: Final = 500
"""Timers fired in one refresh; what is left is due at once."""
FORGET_ABOVE: Final = 400
"""Tasks in the history above which the oldest laps of loops are forgotten."""


class Token(Struct, frozen=True):
    """One open step of a case. A step many people act at is still one token; its instances are the engine's.

    Attributes:
        id: the same over save and load for as long as the step is open; never used again in this case.
        entered_at: ms since the epoch.
        within: ids of the call activities and sub-processes around it, outermost first.
        item: the entry of the nearest multi-instance activity around it; None outside of one.
        instance: numbers of the instances around it, outermost first, as "2" or "0.1"; "" outside of one.
    """

    id: str
    step_id: str
    name: str
    entered_at: int
    within: tuple[str, ...] = ()
    item: Any = None
    instance: str = ""


class Thrown(Struct, frozen=True):
    """A message or signal sent in the last call that nothing in the case waits for: the engine may pass it on."""

    element: str
    kind: str
    name: str


class Machine:
    """One running case.

    Data is one dict for the whole case, sub-processes and called processes included; JSON values only. What an instance of a multi-instance
    sub-process keeps for itself (its entry, what its scripts assign) is in that instance.
    """

    def __init__(self, compiled: Compiled, top: CaseWorkflow, service: Service | None, packed: bytes) -> None:
        """Use start or load."""
        self._compiled: Final = compiled
        self._top = top
        self._service: Final = service
        self._packed = packed
        top.service = service

    @classmethod
    def start(
        cls,
        process: ProcessFile,
        called: Mapping[str, ProcessFile],
        data: Mapping[str, Any],
        now_ms: int,
        *,
        service: Service | None = None,
    ) -> "Machine":
        """A new case, run up to its first steps.

        Raises:
            ProcessRefused, ProcessFailed, ProcessRunaway, ProcessTooLarge, ProcessStuck.
        """
        compiled = compile_process(process, called)
        machine = cls(
            compiled, CaseWorkflow(compiled.spec, dict(compiled.inner), compiled.services, now_ms), service, b""
        )
        machine._top.vars = copied(dict(data))
        machine._top.open_tree()
        machine._top.run_ready()
        machine._settle()
        return machine

    @classmethod
    def load(
        cls, process: ProcessFile, called: Mapping[str, ProcessFile], state: bytes, *, service: Service | None = None
    ) -> "Machine":
        """The case that `save` wrote; with the same files it was started with.

        Raises:
            StateRefused, ProcessRefused.
        """
        compiled = compile_process(process, called)
        return cls(compiled, unpack(compiled, state), service, state)

    def save(self) -> bytes:
        """The state without the files: a few KiB, format version first. The same state gives the same bytes."""
        return self._packed

    # ------------------------------------------------------------------ what it is
    @property
    def data(self) -> dict[str, Any]:
        """What conditions see. To read; written through complete, go_back, message, signal and set_data."""
        return self._top.vars

    @property
    def finished(self) -> bool:
        """Whether it has come to an end, of whatever kind."""
        return bool(self._top.completed)

    @property
    def ended_at(self) -> tuple[str, ...]:
        """End events of the main process in the order they were reached; none after `cancel`."""
        ends = [one for one in self._top.tasks.values() if isinstance(one.task_spec, EndEvent)]
        done = [one for one in ends if one._state == TaskState.COMPLETED]
        return tuple(one.task_spec.bpmn_id for one in sorted(done, key=lambda one: int(one.internal_data["no"])))

    @property
    def error(self) -> str | None:
        """Code of the error that ended the case and nobody caught, "" when it has none; None: no error."""
        return self._top.error

    @property
    def thrown(self) -> tuple[Thrown, ...]:
        """What the last call sent out and nothing in the case waited for. Not saved."""
        return tuple(Thrown(*one) for one in self._top.thrown)

    @property
    def tokens(self) -> tuple[Token, ...]:
        """The open steps, oldest first."""
        return tuple(_token(one) for one in sorted(self._top.open.values(), key=lambda one: int(one.id)))

    @property
    def past_steps(self) -> tuple[str, ...]:
        """Ids of the steps done and not gone back over, in order of completion, each once: what is lit."""
        return done_steps(self._top)

    @property
    def past_elements(self) -> tuple[str, ...]:
        """The same with all that needs nobody: services, scripts, gateways, events."""
        return passed_elements(self._top)

    def earlier_steps(self, token_id: str) -> tuple[str, ...]:
        """Ids of the steps that led to this one, latest first, each once: where it can go back to. Raises NoSuchToken."""
        return tuple(earlier(self._top, self._open(token_id)))

    def next_steps(self, token_id: str, data: Mapping[str, Any] | None = None) -> tuple[str, ...]:
        """Ids of the steps that most likely come after this one.

        Conditions are asked with `data` over the case's data. Without an `outcome` in it the outcome of this step counts as unknown; where a
        condition has no answer, every way that does not lead back counts. Raises NoSuchToken.
        """
        task = self._open(token_id)
        known = dict(task.data)
        known.pop("outcome", None)
        outcomes = known.get("outcomes")
        if isinstance(outcomes, dict):
            known["outcomes"] = {name: one for name, one in outcomes.items() if name != task.task_spec.bpmn_id}
        known.update(data or {})
        return likely_next(self._top, task, known, frozenset((*self.past_steps, task.task_spec.bpmn_id)))

    def next_due(self) -> int | None:
        """When `refresh` has something to do, ms since the epoch; None: no timer runs."""
        return min((when for when, _key, _task in waiting_timers(self._top)), default=None)

    # ------------------------------------------------------------------ what is done to it
    def complete(self, token_id: str, data: Mapping[str, Any], now_ms: int) -> None:
        """The step is done: its values go into the data, the case runs on to its next steps.

        Raises:
            NoSuchToken, ProcessFailed, ProcessRunaway, ProcessTooLarge, ProcessStuck.
        """
        task = self._open(token_id)
        with self._changing(now_ms) as top:
            top.vars.update(copied(dict(data)))
            top.run_task(task)
            top.run_ready()

    def set_data(self, data: Mapping[str, Any]) -> None:
        """Values into the data while nothing moves (a record edited beside its case). Raises ProcessTooLarge."""
        with self._changing(self._top.now_ms) as top:
            top.vars.update(copied(dict(data)))

    def go_back(
        self,
        token_id: str,
        step_id: str,
        now_ms: int,
        data: Mapping[str, Any] | None = None,
        *,
        instance: str | None = None,
    ) -> tuple[str, ...]:
        """Open an earlier step again. All that came of it ends, branches it did not cause live on, and joins wait for it again.

        What was canceled by something now undone is open again, under its old token id. The data stays, but for what is given. A step in the
        instances of an activity that is over is opened in each of them that did it (one after the other: from the first on), or in `instance` alone.

        Returns:
            The ids of the tokens that ended, the given one among them. `tokens` has the new one.

        Raises:
            NoSuchToken, CannotGoBack, and those of complete.
        """
        task = self._open(token_id)
        steps = earlier(self._top, task).get(step_id, [])
        if instance is not None:
            steps = [one for one in steps if instance_of(one) == instance]
        if not steps:
            raise CannotGoBack(f"{step_id!r} is no earlier step of {task.task_spec.bpmn_id!r}", step_id)
        before = {str(one) for one in sorted(self._top.open)}
        with self._changing(now_ms) as top:
            top.vars.update(copied(dict(data or {})))
            for step in steps:
                if step.id in top.registry:  # what only happened because of another of them waits for that again
                    reopen(top, step)
            top.run_ready()
        return tuple(sorted(before - {str(one) for one in self._top.open}, key=int))

    def message(self, name: str, data: Mapping[str, Any], now_ms: int) -> bool:
        """Deliver a message to what waits for it longest; False, and nothing changed, when nothing does. Raises as complete."""
        return self._deliver(MessageEventDefinition(name), data, now_ms, first_only=True)

    def signal(self, name: str, data: Mapping[str, Any], now_ms: int) -> bool:
        """Deliver a signal to everything that waits for it; False, and nothing changed, when nothing does. Raises as complete."""
        return self._deliver(SignalEventDefinition(name), data, now_ms, first_only=False)

    def refresh(self, now_ms: int) -> tuple[str, ...]:
        """Fire the timers that are due, each once, in the order of their times; answers the ids of their events.

        A cycle makes up for each time it missed (machine_timers.MAX_CATCH_UP). Raises as complete.
        """
        due = self.next_due()
        if due is None or due > now_ms:
            return ()
        fired: list[str] = []
        with self._changing(now_ms) as top:
            while len(fired) < MAX_FIRED and (key := fire_next(top)) is not None:
                fired.append(key)
                top.run_ready()
        return tuple(fired)

    def cancel(self, now_ms: int) -> None:
        """End the case: every step and timer ends, `ended_at` has only what was reached before."""
        with self._changing(now_ms) as top:
            top.cancel()
            top.queue.clear()

    def finish_move(self) -> None:
        """Run what is ready after a move (machine_moving) and pack. Raises as complete."""
        self._top.run_ready()
        self._settle()

    # ------------------------------------------------------------------ inside
    def _open(self, token_id: str) -> CaseTask:
        task = self._top.open.get(int(token_id)) if token_id.isascii() and token_id.isdecimal() else None
        if task is None:
            raise NoSuchToken(f"no open step has the token {token_id!r}")
        return task

    def _deliver(self, definition: Any, data: Mapping[str, Any], now_ms: int, *, first_only: bool) -> bool:
        event = BpmnEvent(definition)
        if not self._top.waits_for(event):
            return False
        with self._changing(now_ms) as top:
            top.vars.update(copied(dict(data)))
            top.deliver(event, first_only=first_only)
            top.run_ready()
        return True

    @contextmanager
    def _changing(self, now_ms: int) -> Iterator[CaseWorkflow]:
        """A change that is whole or not at all."""
        self._top.now_ms = now_ms
        self._top.thrown = []
        try:
            yield self._top
            self._settle()
        except BaseException:
            self._top = unpack(self._compiled, self._packed)
            self._top.service = self._service
            raise

    def _settle(self) -> None:
        """After a change: nothing left hanging, small enough, packed."""
        top = self._top
        if not (top.completed or top.open or any(_may_come(one) for one in top.listening.values())):
            joins = [one for tree in top.trees() for waiting in tree.waiting.values() for one in waiting.values()]
            raise ProcessStuck("nothing can go on: branches that never join", element_of(joins[0]) if joins else "")
        if len(top.registry) > FORGET_ABOVE:
            forget_laps(top, FORGET_ABOVE)
        self._packed = pack(top, self._compiled)


def _may_come(task: CaseTask) -> bool:
    """Whether what a task waits for can come with nothing else alive: not an error or a cancel out of what stands still."""
    definition = task.task_spec.event_definition
    if isinstance(definition, (ErrorEventDefinition, EscalationEventDefinition, CancelEventDefinition)):
        return False
    return "due" in task.internal_data or not isinstance(definition, CaseTimer)


def _token(task: CaseTask) -> Token:
    within, item, nearest = [], None, True
    one: CaseTask | None = task
    while one is not None:
        if one.triggered and nearest and "items" in one.parent.internal_data:
            item, nearest = one.parent.internal_data["items"][one.internal_data["n"]], False
        owner = one.workflow.parent_task_id
        one = None if owner is None else one.workflow.top_workflow.registry[owner]
        if one is not None:
            within.append(element_of(one.parent if one.triggered else one))
    spec = task.task_spec
    return Token(
        str(task.id),
        spec.bpmn_id,
        spec.bpmn_name or "",
        int(task.last_state_change),
        tuple(within[::-1]),
        item,
        instance_of(task),
    )


def check_process(process: ProcessFile, called: Mapping[str, ProcessFile]) -> None:
    """Whether it can run: parsed as for a start. Raises ProcessRefused."""
    compile_process(process, called)
