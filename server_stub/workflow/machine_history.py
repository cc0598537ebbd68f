"""What led to what in a case, and taking it back: a step is opened again, all that came of it is undone, all that did not stays.

Everything that happened is a task; its causes are its parent, what a join took in, the end of the process inside it, and what threw the event it caught.
Going back to a step removes the step and all it caused (its cone). Joins in the cone give back what they took from outside of it, canceled things come
back when what canceled them is in the cone, and activities whose inner end is in it are at work again.
"""

from collections.abc import Iterator
from typing import Any

from SpiffWorkflow.bpmn.specs.control import BoundaryEventSplit
from SpiffWorkflow.bpmn.specs.mixins.events.intermediate_event import BoundaryEvent
from SpiffWorkflow.util.task import TaskState

from server_stub.workflow.machine_specs import CaseLoop, first_local, is_many
from server_stub.workflow.machine_tasks import CaseTask
from server_stub.workflow.machine_trees import CaseWorkflow


# ---------------------------------------------------------------- looking back
def earlier(top: CaseWorkflow, task: CaseTask) -> dict[str, list[CaseTask]]:
    """The steps that led to a step: id to the last time it was done, latest first; in instances that are over to the last time in each of them.

    Of instances that came one after the other only the first counts: those after it have not begun when it is open again.
    """
    found: dict[str, list[CaseTask]] = {}
    for one in sorted(_steps_before(top, task), key=lambda it: -int(it.internal_data.get("no", 0))):
        if one.task_spec.bpmn_id != task.task_spec.bpmn_id:
            found.setdefault(one.task_spec.bpmn_id, []).append(one)
    return {step_id: _last_in_each(ones) for step_id, ones in found.items()}


def _last_in_each(done: list[CaseTask]) -> list[CaseTask]:
    """Of one step as often as it was done, latest first: the last time, and that in the other instances of the same passage."""
    around = {one.id: instances_around(one) for one in done}
    outermost = around[done[0].id][:1]
    last: dict[tuple[int, ...], CaseTask] = {}
    for one in done:
        if [it.parent for it in around[one.id][:1]] == [it.parent for it in outermost]:
            last.setdefault(tuple(it.id for it in around[one.id]), one)
    return [one for place, one in last.items() if not _comes_later(place, around[one.id], list(last))]


def _comes_later(place: tuple[int, ...], around: list[CaseTask], places: list[tuple[int, ...]]) -> bool:
    """Whether another of these is in an earlier one of instances that come one after the other."""
    return any(
        getattr(one.parent.task_spec, "sequential", False)
        and any(other[:depth] == place[:depth] and other[depth] < place[depth] for other in places)
        for depth, one in enumerate(around)
    )


def instances_around(task: CaseTask) -> list[CaseTask]:
    """The instances of multi-instance activities a task is in, outermost first."""
    found: list[CaseTask] = []
    one: CaseTask | None = task
    while one is not None:
        if one.triggered and is_many(one.parent):
            found.append(one)
        owner = one.workflow.parent_task_id
        one = None if owner is None else one.workflow.top_workflow.registry[owner]
    return found[::-1]


def instance_of(task: CaseTask) -> str:
    """See Token.instance."""
    return ".".join(str(one.internal_data["n"]) for one in instances_around(task))


def _steps_before(top: CaseWorkflow, task: CaseTask) -> Iterator[CaseTask]:
    seen, work = {task.id}, [task]
    while work:
        for cause in _causes(top, work.pop()):
            if cause.id in seen:
                continue
            seen.add(cause.id)
            work.append(cause)
            if cause.task_spec.manual and cause._state == TaskState.COMPLETED:
                yield cause
            elif isinstance(cause.task_spec, BoundaryEvent):
                yield from (one for one in cause.parent.children if one.task_spec.manual and one.id not in seen)


def _causes(top: CaseWorkflow, task: CaseTask) -> Iterator[CaseTask]:
    parent = task.parent
    if parent is None:
        if task.workflow.parent_task_id is not None:
            yield top.registry[task.workflow.parent_task_id]
        return
    yield parent
    yield from (top.registry[one] for one in task.internal_data.get("of", ()) if one in top.registry)
    thrower = top.registry.get(task.internal_data.get("from", 0))
    if thrower is not None:
        yield thrower
    if task.triggered or parent._state != TaskState.COMPLETED:
        return
    turns = [one for one in parent.children if one.triggered and one._state == TaskState.COMPLETED]
    for one in [parent, *(turns[-1:] if isinstance(parent.task_spec, CaseLoop) else turns)]:
        if one is not parent:
            yield one
        inner = top.subprocesses.get(one.id)
        if inner is not None:
            yield from (end for end in inner.tasks.values() if "closed" in end.internal_data)


def done_steps(top: CaseWorkflow) -> tuple[str, ...]:
    """Ids of the steps done, in the order they were."""
    done = [one for one in top.registry.values() if one.task_spec.manual and one._state == TaskState.COMPLETED]
    done.sort(key=lambda one: int(one.internal_data["no"]))
    return tuple(dict.fromkeys(one.task_spec.bpmn_id for one in done))


def passed_elements(top: CaseWorkflow) -> tuple[str, ...]:
    """Ids of whatever was passed, in the order it began: steps, and what the program did between them (services, gateways, events)."""
    named = (one for one in top.registry.values() if one._state == TaskState.COMPLETED and one.task_spec.bpmn_id)
    return tuple(dict.fromkeys(one.task_spec.bpmn_id for one in named))


# ---------------------------------------------------------------- taking back
def reopen(top: CaseWorkflow, step: CaseTask) -> None:
    """Undo a step and all it caused, and enter it again. What is ready then has still to be run."""
    anchor = _anchor(step)
    parent, spec = anchor.parent, anchor.task_spec
    gone, undone = _cone(top, anchor)
    top.forget(list(gone.values()))
    if anchor.id in parent._children:
        parent._children.remove(anchor.id)
    for one in gone.values():
        kept = one.workflow.tasks.get(one._parent)
        if kept is not None and one.id in kept._children:
            kept._children.remove(one.id)
    _give_back(top, gone, undone)
    again = parent._add_child(spec)
    top.cause = parent.id
    spec._update(again)
    top.cause = 0
    for tree in list(top.trees()):
        if not tree.completed:
            tree.update_all_waiting()


def _anchor(step: CaseTask) -> CaseTask:
    """The step with what was put around it: its loop, its events at the border."""
    anchor = step
    if anchor.triggered and isinstance(anchor.parent.task_spec, CaseLoop):
        anchor = anchor.parent
    if isinstance(anchor.parent.task_spec, BoundaryEventSplit):
        anchor = anchor.parent
    return anchor


def _cone(top: CaseWorkflow, anchor: CaseTask) -> tuple[dict[int, CaseTask], dict[int, CaseTask]]:
    """What goes, by id, and what stays but has its effects undone."""
    caught: dict[int, list[CaseTask]] = {}
    for one in top.registry.values():
        if "from" in one.internal_data:
            caught.setdefault(one.internal_data["from"], []).append(one)
    gone: dict[int, CaseTask] = {anchor.id: anchor}
    undone: dict[int, CaseTask] = {}
    work = [anchor]
    while work:
        task = work.pop()
        whole = task.id in gone
        for effect in _effects(top, task, whole=whole):
            if effect.id not in gone:
                gone[effect.id] = effect
                work.append(effect)
        for effect in _undone_by(top, task, caught):
            if effect.id not in gone and effect.id not in undone:
                undone[effect.id] = effect
                work.append(effect)
    for found in gone:
        undone.pop(found, None)
    return gone, undone


def _effects(top: CaseWorkflow, task: CaseTask, *, whole: bool) -> Iterator[CaseTask]:
    """What goes with a task: all below and in it; of one that stays, what it made when it was done."""
    inner = top.subprocesses.get(task.id) if whole else None
    if inner is not None:
        yield from inner.tasks.values()
    yield from (one for one in task.children if whole or not one.triggered)
    if not whole and task.triggered:  # an instance at work again: those after it in a sequence have not begun
        row = task.parent
        if getattr(row.task_spec, "sequential", False):
            yield from (one for one in row.children if one.triggered and one.id > task.id)


def _undone_by(top: CaseWorkflow, task: CaseTask, caught: dict[int, list[CaseTask]]) -> Iterator[CaseTask]:
    """What stays but did not happen without this task: joins it went into, activities it ended, events that caught what it threw."""
    if "into" in task.internal_data and task.internal_data["into"] in top.registry:
        yield top.registry[task.internal_data["into"]]
    if "closed" in task.internal_data and task.workflow.parent_task_id is not None:
        yield top.registry[task.workflow.parent_task_id]
    yield from caught.get(task.id, ())
    if task.triggered and task._state == TaskState.COMPLETED:
        yield task.parent


def _give_back(top: CaseWorkflow, gone: dict[int, CaseTask], undone: dict[int, CaseTask]) -> None:
    for task in undone.values():
        _rewind(top, task, undone)
    for task in list(top.registry.values()):
        kept = task.internal_data
        if kept.get("into") in undone or kept.get("into") in gone:
            del kept["into"]
            _resume(top, task, TaskState.WAITING)
        elif "was" in kept and (kept["was"][1] in gone or kept["was"][1] in undone):
            if task._state == TaskState.CANCELLED:
                _resume(top, task, kept["was"][0])
            del kept["was"]


def _rewind(top: CaseWorkflow, task: CaseTask, undone: dict[int, CaseTask]) -> None:
    """A task that stays, back before it was done."""
    kept = task.internal_data
    inner = top.subprocesses.get(task.id)
    if inner is not None:
        inner.completed = False
        if task.triggered:
            kept.setdefault("local", first_local(task.parent, kept["n"]))
        _resume(top, task, TaskState.STARTED)
    elif "results" in kept or "done" in kept:
        turns = [one for one in task.children if one.triggered and one.id not in undone]
        done = {one.internal_data["n"] for one in turns if one._state == TaskState.COMPLETED}
        if "results" in kept:
            kept["results"] = [one for one in kept["results"] if one[0] in done]
        else:
            kept["done"] = len(done)
        _resume(top, task, TaskState.STARTED)
    else:
        for name in ("of", "from", "fire", "event_fired", "closed"):
            kept.pop(name, None)
        _resume(top, task, TaskState.WAITING)


def _resume(top: CaseWorkflow, task: CaseTask, state: int) -> None:
    task.enter(state)
    task.last_state_change = top.now_ms
    inner = top.subprocesses.get(task.id)
    if inner is not None and state == TaskState.STARTED:
        inner.completed = any("closed" in one.internal_data for one in inner.tasks.values())


# ---------------------------------------------------------------- forgetting the oldest laps
def forget_laps(top: CaseWorkflow, limit: int) -> None:
    """Keep a case that goes round and round small: while it has more than `limit` tasks, the oldest lap of a loop is forgotten."""
    for tree in list(top.trees()):
        while len(top.registry) > limit:
            if not _forget_a_lap(top, tree):
                break


def _forget_a_lap(top: CaseWorkflow, tree: Any) -> bool:
    """Put a later lap in the place of an earlier one, where nothing else lives that came of the earlier."""
    living = list(tree.living.values())
    if not living:
        return False
    ways = [[one, *one.ancestors()] for one in living]
    shared = set.intersection(*({task.id for task in way} for way in ways))
    trunk = [task for task in reversed(ways[0]) if task.id in shared]
    first: dict[str, CaseTask] = {}
    for task in trunk:
        if not task.task_spec.manual or task._state != TaskState.COMPLETED:
            continue
        old = first.setdefault(task.task_spec.name, task)
        if old is not task:
            _replace(top, _anchor(old), _anchor(task))
            return True
    return False


def _replace(top: CaseWorkflow, old: CaseTask, new: CaseTask) -> None:
    new.parent._children.remove(new.id)
    parent = old.parent
    parent._children[parent._children.index(old.id)] = new.id
    new._parent = parent.id
    parent._children.sort()
    top.forget([old])
