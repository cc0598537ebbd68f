"""SpiffWorkflow's kinds of elements where ours behave otherwise: joins that count arrivals by flow, sub-processes that share data, instances, services."""

from collections import Counter
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any, Final

from SpiffWorkflow.bpmn.exceptions import WorkflowTaskException
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.control import SimpleBpmnTask, _EndJoin
from SpiffWorkflow.bpmn.specs.defaults import (
    CallActivity,
    InclusiveGateway,
    ParallelGateway,
    ParallelMultiInstanceTask,
    SequentialMultiInstanceTask,
    ServiceTask,
    StandardLoopTask,
    SubWorkflowTask,
    TransactionSubprocess,
)
from SpiffWorkflow.util.task import TaskState

from server_stub.workflow.machine_faults import ProcessFailed, ProcessTooLarge
from server_stub.workflow.machine_tasks import UNFINISHED, CaseTask, element_of
from server_stub.workflow.machine_trees import CaseSubWorkflow

MAX_CALL_DEPTH: Final = 12
MAX_INSTANCES: Final = 500


# ---------------------------------------------------------------- joins
def arrivals_at(my_task: CaseTask) -> list[CaseTask]:
    """What waits at the end of a process, the one just arriving among it, oldest first."""
    spec = my_task.task_spec
    found = [one for one in my_task.workflow.waiting.get(spec.name, {}).values() if one is not my_task]
    return sorted([*found, my_task], key=lambda one: int(one.id))


def merge(my_task: CaseTask, arrivals: list[CaseTask]) -> None:
    """The join goes on with this arrival; it takes the others in."""
    others = [one for one in arrivals if one is not my_task]
    for one in others:
        one.consume(my_task)
    if others:
        my_task.internal_data["of"] = [one.id for one in others]


class CaseParallel(ParallelGateway):  # type: ignore[misc]
    """Goes on with one arrival by each input; what came by an input twice waits for the next time.

    `back`: inputs that can only be reached through the gateway itself (a way back drawn straight into a fork): what comes by them goes on alone. Set
    when the process is compiled.
    """

    back: frozenset[str] = frozenset()

    def _update_hook(self, my_task: CaseTask) -> bool:
        if my_task.has_state(TaskState.FINISHED_MASK):
            return False
        if my_task.parent.task_spec.name in self.back:
            return True
        via = my_task.internal_data.setdefault("via", my_task.parent.task_spec.name)
        come = my_task.workflow.come.get(self.name, {})
        chosen = {my_task.id: my_task}
        for name, count in Counter(one for one in self._inputs if one not in self.back).items():
            there = [*islice((one for one in come.get(name, {}).values() if one is not my_task), count)]
            if len(there) + (name == via) < count:
                my_task._set_state(TaskState.WAITING)
                return False
            chosen.update((one.id, one) for one in there[: count - (name == via)])
        merge(my_task, list(chosen.values()))
        return True

    def _run_hook(self, my_task: CaseTask) -> bool:
        return True


class CaseInclusive(InclusiveGateway):  # type: ignore[misc]
    """Waits while something that lives can still come by an input nothing came by (BPMN 2.0, 13.4.3).

    `reach`: names of elements from which an input can be reached without passing this gateway, by input; set when the process is compiled.
    """

    reach: Mapping[str, frozenset[str]]

    def _update_hook(self, my_task: CaseTask) -> bool:
        if my_task.has_state(TaskState.FINISHED_MASK):
            return False
        via = my_task.internal_data.setdefault("via", my_task.parent.task_spec.name)
        come = {
            name: next(iter(ones.values())) for name, ones in my_task.workflow.come.get(self.name, {}).items() if ones
        }
        come[via] = my_task
        if self._waits(my_task, come.keys()):
            my_task._set_state(TaskState.WAITING)
            return False
        merge(my_task, list(come.values()))
        return True

    def _waits(self, my_task: CaseTask, come: Collection[str]) -> bool:
        open_inputs = set(self._inputs).difference(come)
        if not open_inputs:
            return False
        living = my_task.workflow.alive.keys() - {self.name}
        arrived = frozenset[str]().union(*(self.reach.get(one, frozenset()) for one in come))
        return any((self.reach.get(one, frozenset()) & living) - arrived for one in open_inputs)

    def _run_hook(self, my_task: CaseTask) -> bool:
        matches, defaults = self._get_matching_outputs(my_task)
        if not matches and not defaults:
            raise WorkflowTaskException("no condition holds and there is no default", task=my_task)
        for output in matches or defaults:
            my_task._add_child(output)
        return True


class CaseEnd(_EndJoin):  # type: ignore[misc]
    """The end of a process: waits for all that lives in it. Arrivals at joins that nothing can complete any more do not hold it up."""

    def _update_hook(self, my_task: CaseTask) -> bool:
        if my_task.has_state(TaskState.FINISHED_MASK):
            return False
        tree = my_task.workflow
        if len(tree.living) - tree.alive[self.name] > tree.parked:
            my_task._set_state(TaskState.WAITING)
            return False
        stuck = [one for one in tree.living.values() if one.task_spec is not self]
        merge(my_task, arrivals_at(my_task))
        top = my_task.workflow.top_workflow
        before, top.cause = top.cause, my_task.id
        for one in stuck:
            one.cancel()
        top.cause = before
        return True

    def _run_hook(self, my_task: CaseTask) -> bool:
        return True


class CaseProcessSpec(BpmnProcessSpec):  # type: ignore[misc]
    """A process whose end is ours; data objects are drawings to us."""

    end: Any

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        for name in (self.end.name, "End"):
            del self.task_specs[name]
        self.end = CaseEnd(self, f"{self.name}.EndJoin")
        self.end.connect(SimpleBpmnTask(self, "End"))


# ---------------------------------------------------------------- processes in processes
class _Inner:
    """An activity with a process in it."""

    spec: str

    def _update_hook(self, my_task: CaseTask) -> bool:
        top = my_task.workflow.top_workflow
        if my_task.id in top.subprocesses:
            return False
        spec = top.subprocess_specs.get(self.spec)
        if spec is None:
            raise ProcessFailed(f"the process {self.spec!r} is not there", element_of(my_task))
        if my_task.workflow.depth >= MAX_CALL_DEPTH:
            raise ProcessTooLarge(f"processes in processes deeper than {MAX_CALL_DEPTH}", element_of(my_task))
        my_task._set_state(TaskState.STARTED)
        inner = top.subprocesses[my_task.id] = CaseSubWorkflow(spec, my_task.id, top)
        inner.open_tree()
        return False

    def _run_hook(self, my_task: CaseTask) -> bool:
        return True

    def _on_cancel(self, my_task: CaseTask) -> None:
        inner = my_task.workflow.top_workflow.subprocesses.get(my_task.id)
        if inner is not None:
            inner.cancel()


class CaseSubProcess(_Inner, SubWorkflowTask):  # type: ignore[misc]
    """A sub-process drawn inside."""


class CaseCall(_Inner, CallActivity):  # type: ignore[misc]
    """A call of another process."""


class CaseTransaction(_Inner, TransactionSubprocess):  # type: ignore[misc]
    """A sub-process that can be canceled as a whole."""


# ---------------------------------------------------------------- instances
def is_many(my_task: CaseTask) -> bool:
    """Whether what is in it are instances, each with an entry of its own, not the turns of a loop."""
    return isinstance(my_task.task_spec, _Many)


def first_local(my_task: CaseTask, number: int) -> dict[str, Any]:
    """What an instance, or a turn of a loop, has for itself when it begins."""
    local: dict[str, Any] = {"loopCounter": number}
    item = getattr(my_task.task_spec, "input_item", None)
    if item is not None:
        local[item.bpmn_name or item.bpmn_id] = my_task.internal_data["items"][number]
    return local


def open_instance(my_task: CaseTask, number: int, local: dict[str, Any]) -> None:
    """One more instance of an activity, with its own data over the case's."""
    spec = my_task.workflow.spec.task_specs[my_task.task_spec.task_spec]
    child = my_task._add_child(spec)
    child.triggered = True
    child.internal_data.update(n=number, local=local)
    spec._update(child)


class _Many:
    """Instances of a sub-process or a call, all at once or one after the other. Those of steps for people are the engine's, not ours."""

    sequential = False
    data_input: Any
    data_output: Any
    input_item: Any
    output_item: Any
    cardinality: str | None
    condition: str | None

    def _update_hook(self, my_task: CaseTask) -> bool:
        if my_task._state == TaskState.STARTED:
            return False
        items = self._items(my_task)
        if len(items) > MAX_INSTANCES:
            raise ProcessTooLarge(f"more than {MAX_INSTANCES} instances", element_of(my_task))
        my_task.internal_data.update(items=items, results=[])
        self._publish(my_task)
        if not items:
            return True
        my_task._set_state(TaskState.STARTED)
        for number in range(1 if self.sequential else len(items)):
            self._open(my_task, number)
        return False

    def _run_hook(self, my_task: CaseTask) -> bool:
        return True

    def _items(self, my_task: CaseTask) -> list[Any]:
        evaluate = my_task.workflow.script_engine.evaluate
        expression = self.data_input.bpmn_id if self.data_input is not None else self.cardinality
        value = evaluate(my_task, expression)
        if self.data_input is None:
            if not isinstance(value, int) or isinstance(value, bool) or value < 0:
                raise ProcessFailed(f"{expression}: no number of instances: {value!r}", element_of(my_task))
            return list(range(min(value, MAX_INSTANCES + 1)))
        if value is None:
            return []
        if not isinstance(value, list | tuple | dict):
            raise ProcessFailed(f"{expression}: no list: {value!r}"[:200], element_of(my_task))
        return list(value.values() if isinstance(value, dict) else value)

    def _open(self, my_task: CaseTask, number: int) -> None:
        open_instance(my_task, number, first_local(my_task, number))

    def _publish(self, my_task: CaseTask) -> None:
        """What the instances gave, in the order they were done, into the data."""
        if self.data_output is not None:
            my_task.data[self.data_output.bpmn_id] = [value for _n, value in my_task.internal_data["results"]]

    def on_instance_done(self, my_task: CaseTask, child: CaseTask) -> None:
        """Keep its result; go on when all are done or the condition holds."""
        kept = my_task.internal_data
        data = child.data
        name = None if self.output_item is None else self.output_item.bpmn_name or self.output_item.bpmn_id
        kept["results"].append([child.internal_data["n"], None if name is None else data.get(name)])
        self._publish(my_task)
        done, count = len(kept["results"]), len(kept["items"])
        if done >= count or self._enough(my_task, child, done, count):
            for one in my_task.children:
                one.cancel()
            my_task._set_state(TaskState.READY)
        elif self.sequential:
            self._open(my_task, done)

    def _enough(self, my_task: CaseTask, child: CaseTask, done: int, count: int) -> bool:
        if self.condition is None:
            return False
        active = sum(1 for one in my_task.children if one._state & UNFINISHED)
        counts = {
            "numberOfInstances": count,
            "numberOfCompletedInstances": done,
            "numberOfActiveInstances": active,
            "nrOfInstances": count,
            "nrOfCompletedInstances": done,
            "nrOfActiveInstances": active,
        }
        return bool(my_task.workflow.script_engine.evaluate(child, self.condition, counts))


class CaseManyParallel(_Many, ParallelMultiInstanceTask):  # type: ignore[misc]
    """All instances at once."""


class CaseManySequential(_Many, SequentialMultiInstanceTask):  # type: ignore[misc]
    """One instance after the other."""

    sequential = True


class CaseLoop(StandardLoopTask):  # type: ignore[misc]
    """An activity done again while its condition holds."""

    def _update_hook(self, my_task: CaseTask) -> bool:
        if my_task._state == TaskState.STARTED:
            return False
        my_task.internal_data["done"] = 0
        if self.test_before and not self._again(my_task):
            return True
        my_task._set_state(TaskState.STARTED)
        open_instance(my_task, 0, {"loopCounter": 0})
        return False

    def _run_hook(self, my_task: CaseTask) -> bool:
        return True

    def _again(self, my_task: CaseTask) -> bool:
        done = my_task.internal_data["done"]
        if self.maximum is not None and done >= self.maximum:
            return False
        return self.condition is None or bool(
            my_task.workflow.script_engine.evaluate(my_task, self.condition, {"loopCounter": done})
        )

    def on_instance_done(self, my_task: CaseTask, child: CaseTask) -> None:
        """Once more, or go on. What the turn kept for itself goes to the case."""
        local = child.internal_data.pop("local", {})
        local.pop("loopCounter", None)
        my_task.data.update(local)
        my_task.internal_data["done"] += 1
        if self._again(my_task):
            open_instance(my_task, my_task.internal_data["done"], {"loopCounter": my_task.internal_data["done"]})
        else:
            my_task._set_state(TaskState.READY)


# ---------------------------------------------------------------- services
class CaseService(ServiceTask):  # type: ignore[misc]
    """Asks the caller's service and keeps what it answers."""

    def _execute(self, task: CaseTask) -> bool:
        top = task.workflow.top_workflow
        if top.service is None:
            raise ProcessFailed("there is no service to call", element_of(task))
        answer = top.service(top.services.get(self.bpmn_id, self.bpmn_id), task.data)
        task.data.update(answer)
        return True
