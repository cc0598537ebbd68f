"""SpiffWorkflow's tasks for our cases: counted ids, the caller's time, one dict of data, nothing predicted.

SpiffWorkflow draws random ids, asks the system for the time, copies the data into each task and grows a tree of possible futures. Here the tree holds
only what happened, so that it can be saved small, gives the same bytes for the same history, and can be taken back exactly (machine_history).
"""

from collections import ChainMap
from collections.abc import Iterator, MutableMapping
from typing import Any, Final

from SpiffWorkflow.bpmn.specs.control import EventSplit
from SpiffWorkflow.bpmn.specs.mixins.events.end_event import EndEvent
from SpiffWorkflow.bpmn.specs.mixins.events.event_types import CatchingEvent
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import EventBasedGateway
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.specs.MultiChoice import MultiChoice
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

UNFINISHED: Final = TaskState.NOT_FINISHED_MASK


def element_of(task: Any) -> str:
    """The id in the file of a task, or of what it was made for."""
    return str(task.task_spec.bpmn_id or task.task_spec.name.split(".Boundary")[0])


class CaseTask(Task):  # type: ignore[misc]
    """One thing that happened or waits in a case.

    `internal_data` keeps, all optional: `no` the place in the order of things people did; `via` the input of a join it came by; `of` the arrivals a join
    took, `into` the join that took this arrival; `from` what threw the event it caught; `was` the state before it was canceled and by what; `closed` it
    ended its process; `local` the data of a multi-instance; and what its kind of element needs (due, items, done …).
    """

    def __init__(
        self, workflow: Any, task_spec: Any, parent: Any = None, state: int = 0, id: int | None = None
    ) -> None:
        top = workflow.top_workflow
        self.id = top.next_id() if id is None else id
        self.workflow = workflow
        self.task_spec = task_spec
        self.triggered = False
        self.thread_id = 0
        self.internal_data: dict[str, Any] = {}
        self.last_state_change: int = top.now_ms
        self._children: list[int] = []
        self._parent = None if parent is None else parent.id
        self._state = 0
        workflow.tasks[self.id] = self
        top.registry[self.id] = self
        if parent is not None:
            parent._children.append(self.id)
        self.enter(state)

    @property
    def data(self) -> MutableMapping[str, Any]:
        """The case's data; in a multi-instance, its own over it."""
        local = self.internal_data.get("local")
        if local is not None:
            return ChainMap(local, self.parent.data)
        owner = self.workflow.parent_task_id
        top = self.workflow.top_workflow
        return top.vars if owner is None else top.registry[owner].data  # type: ignore[no-any-return]

    @data.setter
    def data(self, value: object) -> None:
        """Ignored: SpiffWorkflow copies data from task to task, ours is shared."""

    @property
    def children(self) -> list["CaseTask"]:
        """What came of it directly, in the order it was made."""
        tasks = self.workflow.tasks
        return [tasks[one] for one in self._children]

    def enter(self, state: int) -> None:
        """Take a state and its place among what is ready, open or waiting; nothing else happens."""
        top, workflow = self.workflow.top_workflow, self.workflow
        top.open.pop(self.id, None)
        top.listening.pop(self.id, None)
        workflow.leave(self)
        self._state = state
        if state & UNFINISHED:
            workflow.join(self)
        if state == TaskState.WAITING and isinstance(self.task_spec, CatchingEvent):
            top.listening[self.id] = self
        elif state == TaskState.READY:
            if self.task_spec.manual:
                top.open[self.id] = self
            else:
                top.queue.append(self.id)

    def _set_state(self, value: int) -> None:
        if value == self._state:
            return
        top = self.workflow.top_workflow
        if value == TaskState.CANCELLED:
            self.internal_data["was"] = [self._state, top.cause]
        if self.task_spec.manual:
            self.internal_data["no"] = top.next_number()
        self.last_state_change = top.now_ms
        self.enter(value)

    def consume(self, join: "CaseTask") -> None:
        """This arrival goes into a join."""
        self.enter(TaskState.CANCELLED)
        self.internal_data["into"] = join.id

    def run(self) -> Any:
        spec = self.task_spec
        if isinstance(spec, EventSplit):
            for output in spec.outputs:
                self._add_child(output, TaskState.MAYBE if isinstance(output, spec.event_type) else TaskState.FUTURE)
        elif isinstance(spec, EventBasedGateway):
            for output in spec.outputs:
                self._add_child(output, TaskState.MAYBE)
        return super().run()

    def complete(self) -> None:
        self._set_state(TaskState.COMPLETED)
        spec = self.task_spec
        if not (
            isinstance(spec, (MultiChoice, EventSplit, EventBasedGateway)) or self.internal_data.pop("cycled", None)
        ):
            for output in spec.outputs:
                self._add_child(output, TaskState.FUTURE)
        if isinstance(spec, EndEvent) and self.workflow.parent_task_id is None:
            self.internal_data["no"] = self.workflow.top_workflow.next_number()
        spec._on_complete(self)
        for name in ("seen_events", "event_fired", "fire", "due"):
            self.internal_data.pop(name, None)
        parent = self.parent
        if self.triggered and isinstance(parent.task_spec, LoopTask):
            parent.task_spec.on_instance_done(parent, self)

    def cancel(self) -> None:
        if self.has_state(TaskState.FINISHED_MASK):
            return
        self._set_state(TaskState.CANCELLED)
        for child in self.children:
            if child.triggered:
                child.cancel()
        self.task_spec._on_cancel(self)

    def ancestors(self) -> Iterator["CaseTask"]:
        """Its parents up to the start of its process."""
        task = self.parent
        while task is not None:
            yield task
            task = task.parent

    def is_descendant_of(self, task: object) -> bool:
        return any(one is task for one in self.ancestors())

    def find_ancestor(self, spec_name: str) -> Any:
        return next((one for one in self.ancestors() if one.task_spec.name == spec_name), None)

    def _add_child(self, task_spec: Any, state: int = TaskState.FUTURE) -> "CaseTask":
        return CaseTask(self.workflow, task_spec, self, state)

    def _inherit_data(self) -> None:
        """Nothing: the data is shared."""

    def set_data(self, **values: Any) -> None:
        self.data.update(values)
