"""SpiffWorkflow's workflows for our cases: the main process and the inner ones, their books of what lives and waits, the queue of what is ready, events."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.specs.event_definitions import (
    CancelEventDefinition,
    ConditionalEventDefinition,
    ErrorEventDefinition,
    TerminateEventDefinition,
)
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.inclusive_gateway import InclusiveGateway
from SpiffWorkflow.bpmn.specs.mixins.parallel_gateway import ParallelGateway
from SpiffWorkflow.bpmn.util.event import BpmnEvent
from SpiffWorkflow.bpmn.util.subworkflow import BpmnSubWorkflow
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.util.task import TaskState

from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.evaluator import SafeEnvironment
from server_stub.workflow.machine_faults import ProcessFailed, ProcessRunaway, ProcessTooLarge
from server_stub.workflow.machine_tasks import CaseTask, element_of

MAX_ENGINE_STEPS: Final = 3_000
"""Engine steps in one call of Machine."""
MAX_TASKS: Final = 4_000
"""Elements that happened or wait, in one case."""
GATHERING: Final = (ParallelGateway, InclusiveGateway)

Service = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
"""service(name, data) -> values to keep in the data. `name`: what the service task asks for (ProcessFile.services), else its id."""


def _by_id(task: Any) -> int:
    return int(task.id)


class _Tree:
    """What the main process and the inner ones have in common.

    Attributes:
        living: its own tasks that are not over, by id, without those of inner processes; `alive` counts them by the name of their element.
        waiting: those of them that wait, by the name of their element and id.
        parked: how many of them wait at parallel joins; `come` has those and the ones at inclusive joins by the join's name, the input they came by, and id.
    """

    living: dict[int, CaseTask]
    alive: Counter[str]
    waiting: dict[str, dict[int, CaseTask]]
    parked: int
    come: dict[str, dict[str, dict[int, CaseTask]]]
    tasks: dict[int, CaseTask]
    completed: bool
    parent_task_id: Any
    top_workflow: Any
    task_tree: Any
    spec: Any
    last_task: Any

    def set_up(self) -> None:
        """Empty books, before SpiffWorkflow's own set-up."""
        self.living, self.alive, self.waiting, self.parked, self.come = {}, Counter(), {}, 0, {}

    def join(self, task: CaseTask) -> None:
        """Book a task that is not over, by its state."""
        name = task.task_spec.name
        self.living[task.id] = task
        self.alive[name] += 1
        if task._state == TaskState.WAITING:
            self.waiting.setdefault(name, {})[task.id] = task
            self.parked += isinstance(task.task_spec, ParallelGateway)
            if isinstance(task.task_spec, GATHERING):
                self.come.setdefault(name, {}).setdefault(task.internal_data["via"], {})[task.id] = task

    def leave(self, task: CaseTask) -> None:
        """Take a task out of the books, before its state changes."""
        if self.living.pop(task.id, None) is None:
            return
        name = task.task_spec.name
        self.alive[name] -= 1
        if not self.alive[name]:
            del self.alive[name]
        if task._state == TaskState.WAITING:
            del self.waiting[name][task.id]
            self.parked -= isinstance(task.task_spec, ParallelGateway)
            if isinstance(task.task_spec, GATHERING):
                del self.come[name][task.internal_data["via"]][task.id]

    def open_tree(self) -> None:
        """Put the start task in and make it ready."""
        self.task_tree = CaseTask(self, self.spec.start, state=TaskState.FUTURE)
        self.task_tree._ready()

    def update_all_waiting(self) -> None:
        """Ask everything again, after things came back in an order that is not theirs."""
        self.waiting = {name: dict(sorted(tasks.items())) for name, tasks in self.waiting.items()}
        for ways in self.come.values():
            for via, arrivals in ways.items():
                ways[via] = dict(sorted(arrivals.items()))
        for tasks in list(self.waiting.values()):
            for task in list(tasks.values()):
                if task._state == TaskState.WAITING:
                    task.task_spec._update(task)

    def update_waiting_tasks(self) -> None:
        """Ask joins and conditions again. Of several arrivals at a join the oldest is enough; timers, messages and parallel joins come by themselves."""
        for name, tasks in list(self.waiting.items()):
            spec = self.spec.task_specs[name]
            if not tasks or isinstance(spec, ParallelGateway):
                continue
            if not isinstance(spec, CatchingEvent):
                oldest = next(iter(tasks.values()))
                spec._update(oldest)
            elif isinstance(spec.event_definition, ConditionalEventDefinition):
                for task in list(tasks.values()):
                    spec._update(task)

    def _task_completed_notify(self, task: CaseTask) -> None:
        if task.task_spec.name == "End":
            self._mark_complete(task)
        if not self.completed:
            self.update_waiting_tasks()
        elif "closed" in task.internal_data and self.parent_task_id is not None:
            owner = self.top_workflow.registry[self.parent_task_id]
            if owner._state == TaskState.STARTED:
                owner._set_state(TaskState.READY)

    def _mark_complete(self, task: CaseTask) -> None:
        task.internal_data["closed"] = True
        self.completed = True

    def cancel(self, *_ignored: object) -> list[CaseTask]:
        """Cancel what is not over, inner processes included."""
        self.completed = True
        canceled = list(self.living.values())
        for task in canceled:
            task.cancel()
        return canceled

    def _remove_task(self, task_id: int) -> None:
        task = self.tasks[task_id]
        if task._parent is not None and task._parent in self.tasks:
            self.tasks[task._parent]._children.remove(task_id)
        self.top_workflow.forget([task])


class CaseSubWorkflow(_Tree, BpmnSubWorkflow):  # type: ignore[misc]
    """A sub-process or a called process at work."""

    def __init__(self, spec: Any, parent_task_id: int, top: "CaseWorkflow") -> None:
        self.set_up()
        super().__init__(spec, parent_task_id, top, deserializing=True)


class CaseWorkflow(_Tree, BpmnWorkflow):  # type: ignore[misc]
    """The main process of a case and all that is shared by the inner ones.

    Attributes:
        vars: the case's data.
        registry: every task by id, of inner processes too.
        open: the steps that wait for people.
        listening: what waits for events: timers, messages, errors of inner processes …
        cause: the task that runs now; 0: the caller.
        error: see Machine.
        thrown: [element, kind, name] of what nobody in the case caught.
    """

    def __init__(self, spec: Any, subprocess_specs: dict[str, Any], services: Mapping[str, str], now_ms: int) -> None:
        self.now_ms = now_ms
        self.counter = 0
        self.numbers = 0
        self.cause = 0
        self.vars: dict[str, Any] = {}
        self.registry: dict[int, CaseTask] = {}
        self.open: dict[int, CaseTask] = {}
        self.listening: dict[int, CaseTask] = {}
        self.queue: deque[int] = deque()
        self.set_up()
        self.error: str | None = None
        self.thrown: list[tuple[str, str, str]] = []
        self.services = services
        self.service: Service | None = None
        super().__init__(spec, subprocess_specs, script_engine=CaseEngine(), deserializing=True)

    def next_id(self) -> int:
        """A task id never given before in this case."""
        self.counter += 1
        return self.counter

    def next_number(self) -> int:
        """The next place in the order of things."""
        self.numbers += 1
        return self.numbers

    def get_task_from_id(self, task_id: int) -> CaseTask:
        return self.registry[task_id]

    def trees(self) -> Iterator[Any]:
        """The main process and all inner ones."""
        yield self
        yield from self.subprocesses.values()

    def forget(self, tasks: list[CaseTask]) -> None:
        """Take tasks out, with all below them and in them."""
        work = list(tasks)
        while work:
            task = work.pop()
            inner = self.subprocesses.pop(task.id, None)
            if inner is not None:
                work.extend(inner.tasks.values())
            work.extend(child for one in task._children if (child := task.workflow.tasks.get(one)) is not None)
            task.enter(TaskState.CANCELLED)
            task.workflow.tasks.pop(task.id, None)
            self.registry.pop(task.id, None)

    def run_ready(self) -> None:
        """Run what needs no person until nothing is ready.

        Raises:
            ProcessRunaway, ProcessFailed, ProcessTooLarge.
        """
        steps = 0
        while self.queue:
            task = self.registry.get(self.queue.popleft())
            if task is None or task._state != TaskState.READY:
                continue
            steps += 1
            if steps > MAX_ENGINE_STEPS:
                raise ProcessRunaway(f"more than {MAX_ENGINE_STEPS} steps without a person", element_of(task))
            if len(self.registry) > MAX_TASKS:
                raise ProcessTooLarge(f"more than {MAX_TASKS} elements in the history of the case", element_of(task))
            self.run_task(task)

    def run_task(self, task: CaseTask) -> None:
        """Run one task as the cause of what comes of it."""
        self.cause = task.id
        try:
            task.run()
        except SpiffWorkflowException as error:
            raise ProcessFailed(str(error), element_of(task)) from error
        finally:
            self.cause = 0

    # ------------------------------------------------------------------ events
    def catch(self, event: BpmnEvent) -> None:
        """An event thrown inside the case."""
        definition = event.event_definition
        if isinstance(definition, TerminateEventDefinition):
            return
        thrower = self.registry[self.cause]
        if event.target is not None or isinstance(definition, CancelEventDefinition):
            if not self._throw_up(thrower, event):
                self._uncaught(thrower, definition)
        elif not self.deliver(event, first_only="Message" in type(definition).__name__):
            kind = type(definition).__name__.removesuffix("EventDefinition").lower()
            self.thrown.append((element_of(thrower), kind, definition.name or ""))

    def deliver(self, event: BpmnEvent, *, first_only: bool) -> bool:
        """Give an event to what waits for it, the longest waiting first; False when nothing does."""
        hits = self.waits_for(event)
        for task in hits[:1] if first_only else hits:
            if task._state == TaskState.WAITING:
                self.hand(task, event)
        return bool(hits)

    def waits_for(self, event: BpmnEvent) -> list[CaseTask]:
        """What would catch an event, the longest waiting first."""
        waiting = sorted(self.listening.values(), key=_by_id)
        return [one for one in waiting if one._state == TaskState.WAITING and one.task_spec.catches(one, event)]

    def hand(self, task: CaseTask, event: BpmnEvent) -> None:
        """Let one waiting task catch an event."""
        event.payload = None
        task.task_spec.catch(task, event)
        if self.cause:
            task.internal_data["from"] = self.cause
        task.task_spec._update(task)

    def _throw_up(self, thrower: CaseTask, event: BpmnEvent) -> bool:
        """Errors, escalations and cancels go to the border of the activity around, then of the one around that."""
        inner = thrower.workflow
        while inner.parent_task_id is not None:
            owner = self.registry[inner.parent_task_id]
            activity = owner.parent if owner.triggered else owner
            for one in activity.parent.children:
                caught = isinstance(one.task_spec, BoundaryEvent) and one.task_spec.catches(one, event)
                if caught and one._state == TaskState.WAITING:
                    self.hand(one, event)
                    return True
            inner = owner.workflow
        return False

    def _uncaught(self, thrower: CaseTask, definition: Any) -> None:
        if isinstance(definition, ErrorEventDefinition):
            self.error = definition.code or ""
            self.cancel()
        elif isinstance(definition, CancelEventDefinition):
            raise ProcessFailed("no border of a transaction catches this cancel", element_of(thrower))
        else:
            self.thrown.append((element_of(thrower), "escalation", definition.code or definition.name or ""))


class CaseEngine(PythonScriptEngine):  # type: ignore[misc]
    """Evaluates with the allow-list; says which element an expression that failed belongs to."""

    def __init__(self) -> None:
        super().__init__(environment=SafeEnvironment())

    def evaluate(self, task: CaseTask, expression: str, external_context: Mapping[str, Any] | None = None) -> Any:
        """The value of an expression for a task. Raises ProcessFailed."""
        try:
            return self.environment.evaluate(expression, task.data, external_context)
        except EvaluationError as error:
            raise ProcessFailed(f"{expression!r}: {error}", element_of(task)) from error

    def execute(self, task: CaseTask, script: str, external_context: Mapping[str, Any] | None = None) -> Any:
        """Run a script task. Raises ProcessFailed."""
        try:
            return self.environment.execute(script, task.data, external_context)
        except EvaluationError as error:
            raise ProcessFailed(str(error), element_of(task)) from error
