"""What most likely comes after a step: a walk over the drawing, asking its conditions where the data is enough."""

from collections.abc import Mapping
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.exclusive_gateway import ExclusiveGateway
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask
from SpiffWorkflow.specs.MultiChoice import MultiChoice

from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.evaluator import evaluate
from server_stub.workflow.machine_tasks import CaseTask
from server_stub.workflow.machine_trees import CaseWorkflow

_Stack = tuple[Any, ...]
"""The activities around a place in the drawing, outermost first: specs of the sub-processes and calls."""


def likely_next(top: CaseWorkflow, task: CaseTask, data: Mapping[str, Any], past: frozenset[str]) -> tuple[str, ...]:
    """Ids of the steps reached first from a step. Where a condition cannot be answered every way counts, but ways back give way to ways on."""
    walk = _Walk(top.subprocess_specs, data)
    stack = _around(task)
    own = task.parent if task.triggered else task
    for output in own.task_spec.outputs:
        walk.visit(output, stack)
    found = dict.fromkeys(walk.found)
    if walk.guessed:
        onward = [one for one in found if one not in past]
        return tuple(onward or found)
    return tuple(found)


def _around(task: CaseTask) -> _Stack:
    owners: list[Any] = []
    tree = task.workflow
    while tree.parent_task_id is not None:
        owner = tree.top_workflow.registry[tree.parent_task_id]
        owners.append((owner.parent if owner.triggered else owner).task_spec)
        tree = owner.workflow
    return tuple(reversed(owners))


class _Walk:
    def __init__(self, inner: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        self._inner = inner
        self._data = data
        self._seen: set[tuple[int, tuple[int, ...]]] = set()
        self._stops: list[tuple[Any, _Stack]] = []
        self.found: list[str] = []
        self.guessed = False

    def visit(self, spec: Any, stack: _Stack) -> None:
        """Go on from an element to the first steps after it."""
        work = [(spec, stack)]
        while work:
            spec, stack = work.pop()
            key = (id(spec), tuple(id(one) for one in stack))
            if key in self._seen:
                continue
            self._seen.add(key)
            if self._is_step(spec):
                self.found.append(spec.bpmn_id)
            else:
                work.extend(reversed(self._onward(spec, stack)))

    def _is_step(self, spec: Any) -> bool:
        turned = spec._wf_spec.task_specs[spec.task_spec] if isinstance(spec, LoopTask) else spec
        return bool(turned.manual)

    def _onward(self, spec: Any, stack: _Stack) -> list[tuple[Any, _Stack]]:
        turned = spec._wf_spec.task_specs[spec.task_spec] if isinstance(spec, LoopTask) else spec
        if isinstance(spec, BoundaryEventJoin):
            return []
        if isinstance(turned, SubWorkflowTask) and turned.spec in self._inner and len(stack) < 12:
            return [(self._inner[turned.spec].start, (*stack, spec))]
        if spec.name == "End" and stack:
            return [(one, stack[:-1]) for one in stack[-1].outputs]
        if isinstance(spec, BoundaryEventSplit):
            return [(one, stack) for one in spec.outputs if not isinstance(one, BoundaryEvent)]
        if isinstance(spec, MultiChoice):
            return [(one, stack) for one in self._chosen(spec)]
        return [(one, stack) for one in spec.outputs]

    def _chosen(self, gateway: Any) -> list[Any]:
        specs = gateway._wf_spec.task_specs
        chosen, default, unsure = [], [], False
        for condition, name in gateway.cond_task_specs:
            if condition is None:
                default.append(specs[name])
                continue
            holds = self._holds(condition.args[0])
            if holds is None:
                unsure = True
            if holds is not False:
                chosen.append(specs[name])
            if holds and isinstance(gateway, ExclusiveGateway):
                break
        if unsure:
            self.guessed = True
            return chosen + default
        return chosen or default

    def _holds(self, expression: str) -> bool | None:
        try:
            return bool(evaluate(expression, self._data))
        except EvaluationError:
            return None
