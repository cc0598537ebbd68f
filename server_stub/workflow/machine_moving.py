"""A running case taken to another version of its process: what is open keeps its place by id, history that has none is left out, borders are made anew."""

from collections.abc import Iterator, Mapping
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventJoin, BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.bpmn.specs.mixins.multiinstance_task import LoopTask
from SpiffWorkflow.bpmn.specs.mixins.subworkflow_task import SubWorkflowTask
from SpiffWorkflow.util.task import TaskState

from server_stub.workflow.machine import Machine
from server_stub.workflow.machine_compile import compile_process, ways_to
from server_stub.workflow.machine_faults import CannotMove
from server_stub.workflow.machine_specs import CaseParallel
from server_stub.workflow.machine_state import unpack
from server_stub.workflow.machine_tasks import UNFINISHED, CaseTask, element_of
from server_stub.workflow.machine_trees import CaseSubWorkflow, CaseWorkflow, Service
from server_stub.workflow.process_file import ProcessFile

_PARTS = (".BoundaryEventSplit", ".BoundaryEventJoin", " [child]")


def move(
    state: bytes,
    old: ProcessFile,
    new: ProcessFile,
    mapping: Mapping[str, str],
    *,
    old_called: Mapping[str, ProcessFile] | None = None,
    new_called: Mapping[str, ProcessFile] | None = None,
    now_ms: int,
    service: Service | None = None,
) -> bytes:
    """The state of a running case in another version of its process.

    Open steps stay open under their token ids, at the element of the same id or the one `mapping` names (old id to new id: steps, joins, events,
    activities). Timers keep their moments; those that are new at the border of an open step begin now.

    Raises:
        CannotMove: something open has no place, or a join would wait for what cannot come; with the ids in the old version.
        StateRefused, ProcessRefused, and those of Machine.complete when something can go on at once.
    """
    source = unpack(compile_process(old, old_called or {}), state)
    compiled = compile_process(new, new_called or {})
    target = CaseWorkflow(compiled.spec, dict(compiled.inner), compiled.services, now_ms)
    target.vars, target.error = source.vars, source.error
    target.counter, target.numbers = source.counter, source.numbers
    _Mover(source, target, mapping).run()
    target.completed = source.completed
    if not target.completed:
        _check_joins(target, mapping)
        _renew_borders(target)
        for tree in list(target.trees()):
            tree.update_all_waiting()
    machine = Machine(compiled, target, service, b"")
    machine.finish_move()
    return machine.save()


class _Mover:
    """Copies the tasks of one version into the other."""

    def __init__(self, source: CaseWorkflow, target: CaseWorkflow, mapping: Mapping[str, str]) -> None:
        self._source = source
        self._target = target
        self._mapping = mapping
        self._lost: list[CaseTask] = []

    def run(self) -> None:
        self._copy_tree(self._source, self._target)
        if self._lost:
            self._lost.sort(key=lambda one: int(one.id))
            raise CannotMove(tuple(dict.fromkeys(element_of(one) for one in self._lost)))

    def _copy_tree(self, old: Any, new: Any) -> None:
        places: dict[int, CaseTask | None] = {}
        for task in sorted(old.tasks.values(), key=lambda one: int(one.id)):
            parent = None if task._parent is None else places[task._parent]
            spec = new.spec.task_specs.get(renamed(task.task_spec.name, old, new, self._mapping))
            if spec is None or not _alike(task.task_spec, spec):
                if task._state & UNFINISHED and not isinstance(task.task_spec, (BoundaryEvent, BoundaryEventJoin)):
                    self._lost.append(task)
                places[task.id] = parent
                continue
            places[task.id] = self._copy(task, spec, new, parent)
        roots = [one for one in new.tasks.values() if one._parent is None]
        new.task_tree = roots[0]

    def _copy(self, task: CaseTask, spec: Any, tree: Any, parent: CaseTask | None) -> CaseTask:
        made = CaseTask(tree, spec, parent, id=task.id)
        made.internal_data = task.internal_data
        via = made.internal_data.get("via")
        if via is not None:
            made.internal_data["via"] = renamed(via, task.workflow, tree, self._mapping)
        made.triggered = task.triggered
        made.last_state_change = task.last_state_change
        made.enter(task._state)
        inner = self._source.subprocesses.get(task.id)
        if inner is not None:
            tree = CaseSubWorkflow(self._target.subprocess_specs[spec.spec], task.id, self._target)
            self._target.subprocesses[task.id] = tree
            tree.completed = inner.completed
            self._copy_tree(inner, tree)
        return made


def renamed(name: str, old: Any, new: Any, mapping: Mapping[str, str]) -> str:
    """The name of an element in the other version."""
    if name == old.spec.end.name:
        return str(new.spec.end.name)
    part = next((one for one in _PARTS if name.endswith(one)), "")
    base = name.removesuffix(part)
    return mapping.get(base, base) + part


def _alike(one: Any, other: Any) -> bool:
    if one.manual and other.manual:
        return True
    if isinstance(one, SubWorkflowTask) and isinstance(other, SubWorkflowTask):
        return True
    return type(one) is type(other)


def _check_joins(top: CaseWorkflow, mapping: Mapping[str, str]) -> None:
    """A join something waits at must still be able to go on."""
    back = {new: old for old, new in mapping.items()}
    lost: list[str] = []
    for tree in top.trees():
        waiting = [
            one for tasks in tree.waiting.values() for one in tasks.values() if isinstance(one.task_spec, CaseParallel)
        ]
        for spec in {id(one.task_spec): one.task_spec for one in waiting}.values():
            come = {one.internal_data["via"] for one in waiting if one.task_spec is spec}
            living = {one.task_spec.name for one in tree.living.values() if one.task_spec is not spec}
            hopeless = any(
                name not in come and not ways_to(tree.spec.task_specs[name], spec) & living
                for name in spec._inputs
                if name not in spec.back
            )
            if hopeless or not come <= set(spec._inputs):
                lost.append(back.get(spec.bpmn_id, spec.bpmn_id))
    if lost:
        raise CannotMove(tuple(lost))


def _renew_borders(top: CaseWorkflow) -> None:
    """Events at the borders of what is at work: those the new version adds begin, with a split around the activity where there was none."""
    for task in sorted(top.registry.values(), key=lambda one: int(one.id)):
        if not task._state & (TaskState.READY | TaskState.STARTED) or task.triggered:
            continue
        split = task.workflow.spec.task_specs.get(f"{task.task_spec.name}.BoundaryEventSplit")
        if split is None or not (task.task_spec.manual or isinstance(task.task_spec, (LoopTask, SubWorkflowTask))):
            continue
        around = task.parent
        if not isinstance(around.task_spec, BoundaryEventSplit):
            around = CaseTask(task.workflow, split, task.parent, TaskState.COMPLETED)
            task.parent._children.remove(task.id)
            task._parent = around.id
            around._children.append(task.id)
        for event in _missing_events(around, split):
            made = around._add_child(event, TaskState.WAITING)
            event._update(made)


def _missing_events(around: CaseTask, split: Any) -> Iterator[Any]:
    there = {id(one.task_spec) for one in around.children}
    return (one for one in split.outputs if isinstance(one, BoundaryEvent) and id(one) not in there)
