"""A case's state as bytes and back: format number, what it belongs to, data, and the tasks in a line each. The same state gives the same bytes."""

import zlib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from server_stub.workflow.machine_compile import Compiled
from server_stub.workflow.machine_faults import ProcessTooLarge, StateRefused
from server_stub.workflow.machine_tasks import CaseTask
from server_stub.workflow.machine_trees import MAX_TASKS, CaseSubWorkflow, CaseWorkflow

FORMAT: Final = 1
MAX_STATE_BYTES: Final = 4_000_000
"""Of a state before it is compressed."""
MAX_DATA_BYTES: Final = 512_000

_MAGIC: Final = b"TBM%d\n"
_encoder: Final = msgspec.json.Encoder()
_decoder: Final = msgspec.json.Decoder()


class _Row(msgspec.Struct, array_like=True, omit_defaults=True):
    id: int
    parent: int
    spec: int
    state: int
    changed: int
    internal: dict[str, Any] = msgspec.field(default_factory=dict)
    triggered: bool = False


class _TreeRow(msgspec.Struct, array_like=True):
    owner: int
    completed: bool
    specs: list[str]
    tasks: list[_Row]


class _State(msgspec.Struct, omit_defaults=True):
    key: list[tuple[str, str]]
    counter: int
    numbers: int
    now: int
    data: dict[str, Any]
    trees: list[_TreeRow]
    error: str | None = None


_state_decoder: Final = msgspec.json.Decoder(_State)


def pack(top: CaseWorkflow, compiled: Compiled) -> bytes:
    """The state as bytes.

    Raises:
        ProcessTooLarge: more than the limits of this module; values that are no JSON.
    """
    if len(top.registry) > MAX_TASKS:
        raise ProcessTooLarge(f"more than {MAX_TASKS} elements in the history of the case")
    data = encoded_data(top.vars)
    trees = [_tree_row(one) for one in top.trees()]
    raw = _encoder.encode(
        _State(
            key=list(compiled.key),
            counter=top.counter,
            numbers=top.numbers,
            now=top.now_ms,
            data=msgspec.Raw(data),  # type: ignore[arg-type]  # already JSON: put in as it is
            trees=trees,
            error=top.error,
        )
    )
    if len(raw) > MAX_STATE_BYTES:
        raise ProcessTooLarge(f"a state of more than {MAX_STATE_BYTES} bytes")
    return _MAGIC % FORMAT + zlib.compress(raw, 3)


def encoded_data(data: dict[str, Any]) -> bytes:
    """The case's data as JSON. Raises ProcessTooLarge: too much of it, or values that are no JSON."""
    try:
        found = _encoder.encode(data)
    except (TypeError, ValueError, RecursionError, msgspec.EncodeError) as error:
        raise ProcessTooLarge(f"data that cannot be kept: {error}") from error
    if len(found) > MAX_DATA_BYTES:
        raise ProcessTooLarge(f"data of more than {MAX_DATA_BYTES} bytes")
    return found


def copied(data: Any) -> Any:
    """A copy of JSON values that shares nothing with them. Raises ProcessTooLarge when they are no JSON."""
    return _decoder.decode(encoded_data(data))


def _tree_row(tree: Any) -> _TreeRow:
    names: dict[str, int] = {}
    rows = []
    for task in _parents_first(tree):
        kept = {name: value for name, value in task.internal_data.items() if value is not None and value is not False}
        spec = names.setdefault(task.task_spec.name, len(names))
        changed = int(task.last_state_change)
        rows.append(_Row(task.id, task._parent or 0, spec, task._state, changed, kept, bool(task.triggered)))
    return _TreeRow(tree.parent_task_id or 0, bool(tree.completed), list(names), rows)


def _parents_first(tree: Any) -> Iterator[CaseTask]:
    work = [tree.task_tree]
    while work:
        task = work.pop()
        yield task
        work.extend(reversed(task.children))


def unpack(compiled: Compiled, state: bytes) -> CaseWorkflow:
    """The case of a state.

    Raises:
        StateRefused.
    """
    found = _read(state)
    if tuple(tuple(one) for one in found.key) != compiled.key:
        raise StateRefused("the state belongs to other files")
    try:
        return build(compiled, found)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise StateRefused(f"the state does not fit its process: {error!r}") from error


def _read(state: bytes) -> _State:
    head, _, body = state.partition(b"\n")
    if head + b"\n" != _MAGIC % FORMAT:
        raise StateRefused("no state, or one of another format")
    try:
        unpacking = zlib.decompressobj()
        raw = unpacking.decompress(body, MAX_STATE_BYTES + 1)
        if len(raw) > MAX_STATE_BYTES or not unpacking.eof or unpacking.unused_data:
            raise StateRefused("a state that is too large or cut off")
        return _state_decoder.decode(raw)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise StateRefused(f"a damaged state: {error}") from error


def build(compiled: Compiled, found: _State) -> CaseWorkflow:
    """The workflow with its tasks as they were; nothing runs."""
    top = CaseWorkflow(compiled.spec, dict(compiled.inner), compiled.services, found.now)
    top.vars, top.error = found.data, found.error
    for row in found.trees:
        tree: Any = top
        if row.owner:
            owner = top.registry[row.owner]
            tree = CaseSubWorkflow(compiled.inner[owner.task_spec.spec], row.owner, top)
            top.subprocesses[row.owner] = tree
        _fill(tree, row)
    top.counter, top.numbers = found.counter, found.numbers
    return top


def _fill(tree: Any, row: _TreeRow) -> None:
    specs = [tree.spec.task_specs[name] for name in row.specs]
    for one in row.tasks:
        parent = tree.tasks[one.parent] if one.parent else None
        task = CaseTask(tree, specs[one.spec], parent, id=one.id)
        task.internal_data = one.internal
        task.last_state_change = one.changed
        task.triggered = one.triggered
    for one in sorted(row.tasks, key=lambda it: it.id):  # so that what waits does in the order it came
        tree.tasks[one.id].enter(one.state)
    tree.task_tree = tree.tasks[row.tasks[0].id]
    tree.completed = row.completed
