"""A process as a list of steps, as an administrator designs it: people's steps, automatic ones, branches, parallels, ends. Values and what holds for them.

`name` is what the file calls a thing, `label` the same in both languages (a person's step has it in `options`).
step_list_write.py makes a .bpmn file of one, step_list_read.py reads it back from any file of that shape; both ways nothing is lost.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.dialects import translate, translate_script
from server_stub.workflow.normalise_ids import ENGINES_IDS, MAX_NODES
from server_stub.workflow.options import Label, StepId, StepOptions
from server_stub.workflow.process_file import Many, Problem

MAX_NAME: Final = 200
MAX_DEEP: Final = 5
_ID: Final = re.compile(r"[^\W\d][\w.-]{0,79}")
_STATE: Final = re.compile(r"[a-z][A-Za-z0-9-]{0,59}")
START_ID: Final = "StartEvent_1"
KEPT_IDS: Final = ENGINES_IDS | {START_ID}
JOIN: Final = "_join"
FLOW: Final = re.compile(r"Flow_[0-9]+")


class _Item(
    Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    tag_field="type",
    forbid_unknown_fields=True,
):
    """A line of the list."""

    id: StepId
    name: str


class PersonStep(_Item, frozen=True, kw_only=True, tag="step"):
    """A step for people. `many`: instances over data, as a file of another modeller may have them; else `options` say how many act."""

    options: StepOptions = StepOptions()
    many: Many | None = None
    manual: bool = False


class ServiceStep(_Item, frozen=True, kw_only=True, tag="service"):
    """Something the program does: the service of that name."""

    service: str
    label: Label | None = None


class ScriptStep(_Item, frozen=True, kw_only=True, tag="script"):
    """Lines of `name = expression`."""

    script: str
    label: Label | None = None


class CallStep(_Item, frozen=True, kw_only=True, tag="call"):
    """Another process, by its id, done before this one goes on."""

    process: str
    label: Label | None = None


class EndStep(_Item, frozen=True, kw_only=True, tag="end"):
    """The case ends here; the last of its list. `state`: the record's state then."""

    name: str = ""
    state: str | None = None
    label: Label | None = None


class Choice(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """One way of a branch. `condition`: of the expression language; None only for what is done otherwise."""

    name: str = ""
    condition: str | None = None
    steps: "tuple[ListItem, ...]" = ()
    label: Label | None = None


class BranchStep(_Item, frozen=True, kw_only=True, tag="branch"):
    """The first choice whose condition holds, or every one if `several`; where none holds, `otherwise`. One way at most may be without steps."""

    name: str = ""
    choices: tuple[Choice, ...]
    otherwise: Choice = Choice()
    several: bool = False
    label: Label | None = None


class Lane(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """One of the ways done at the same time."""

    name: str = ""
    steps: "tuple[ListItem, ...]"
    label: Label | None = None


class ParallelStep(_Item, frozen=True, kw_only=True, tag="parallel"):
    """Two or more ways at the same time; it goes on when all are done."""

    name: str = ""
    lanes: tuple[Lane, ...]
    label: Label | None = None


ListItem = PersonStep | ServiceStep | ScriptStep | CallStep | EndStep | BranchStep | ParallelStep


class StepList(Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """A whole process: begins with its first step, every way comes to an end. `id`: of the process."""

    id: StepId
    name: str
    steps: tuple[ListItem, ...]
    label: Label | None = None


class StepListRefused(Exception):
    """A list that is no process; `problems` name the items by their ids."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems: Final = problems
        super().__init__("; ".join(f"{one.element}: {one.en}" for one in problems))


def walk(steps: tuple[ListItem, ...]) -> Iterator[ListItem]:
    """All items, in the order of the list, those within branches after the branch."""
    for item in steps:
        yield item
        for way in ways_of(item):
            yield from walk(way.steps)


def ways_of(item: ListItem) -> tuple[Choice | Lane, ...]:
    """The lists within an item; of a branch the one for otherwise last."""
    if isinstance(item, BranchStep):
        return (*item.choices, item.otherwise)
    return item.lanes if isinstance(item, ParallelStep) else ()


def label_of(item: ListItem) -> Label | None:
    """What an item is called in both languages."""
    return item.options.label if isinstance(item, PersonStep) else item.label


def goes_on(steps: tuple[ListItem, ...]) -> bool:
    """Whether something can follow a list: it does not end on all its ways."""
    if not steps:
        return True
    last = steps[-1]
    if isinstance(last, BranchStep):
        return any(goes_on(way.steps) for way in ways_of(last))
    return not isinstance(last, EndStep)


def check_step_list(steps: StepList) -> tuple[Problem, ...]:
    """What does not hold; empty: it can be written."""
    found: list[Problem] = []
    if depth_of(steps.steps) > MAX_DEEP:
        return (Problem(steps.id, "tooDeep", "分支嵌套过深", f"branches nested deeper than {MAX_DEEP}"),)
    items = list(walk(steps.steps))
    if not 1 <= len(items) <= MAX_NODES // 3:
        found.append(Problem(steps.id, "tooMany", "步骤过多或没有步骤", f"1 to {MAX_NODES // 3} steps"))
    ids = Counter([steps.id, *(one.id for one in items), *(f"{one.id}{JOIN}" for one in items if ways_of(one))])
    for name, times in ids.items():
        if times > 1 or name in KEPT_IDS or FLOW.fullmatch(name) or not _ID.fullmatch(name):
            found.append(Problem(name, "badId", f"编号 {name} 重复或不可用", f"the id {name} is taken or not plain"))
    if goes_on(steps.steps):
        found.append(Problem(steps.id, "noEnd", "最后一步应为结束", "the list does not come to an end"))
    _check_ways(steps.steps, found, is_parallel=False)
    names = [(steps.id, steps.name), *((one.id, one.name) for one in items)]
    ways = [(one.id, way) for one in items for way in ways_of(one)]
    names += [(name, way.name) for name, way in ways]
    labels = [
        (steps.id, steps.label),
        *((one.id, label_of(one)) for one in items),
        *((name, way.label) for name, way in ways),
    ]
    names += [(name, words) for name, label in labels if label is not None for words in (label.zh, label.en)]
    for name, text in names:
        if text != " ".join(text.split()) or len(text) > MAX_NAME or not text.isprintable():
            zh, en = "名称应为一行文字，不超过 200 字", "a name is one line of at most 200 characters"
            found.append(Problem(name, "badName", zh, en))
    for item in items:
        _check_item(item, found)
    return tuple(found)


def depth_of(steps: tuple[ListItem, ...]) -> int:
    """How deep branches are nested: 1 for a plain list."""
    level: list[tuple[ListItem, ...]] = [steps]
    depth = 0
    while level and depth <= MAX_DEEP:
        level = [way.steps for one in level for item in one for way in ways_of(item)]
        depth += 1
    return depth


def _check_ways(steps: tuple[ListItem, ...], found: list[Problem], *, is_parallel: bool) -> None:
    for number, item in enumerate(steps, 1):
        if number < len(steps) and not goes_on((item,)):
            zh, en = "其后的步骤无法到达", "what follows it can never be reached"
            found.append(Problem(item.id, "unreachable", zh, en))
        if is_parallel and isinstance(item, EndStep):
            found.append(Problem(item.id, "endInParallel", "并行中不能结束", "no end within a parallel"))
        if isinstance(item, BranchStep):
            _check_branch(item, found)
        if isinstance(item, ParallelStep) and (len(item.lanes) < 2 or not all(one.steps for one in item.lanes)):
            zh, en = "并行至少两路，每路至少一步", "a parallel has two or more ways, each with a step"
            found.append(Problem(item.id, "badParallel", zh, en))
        for way in ways_of(item):
            _check_ways(way.steps, found, is_parallel=is_parallel or isinstance(item, ParallelStep))


def _check_branch(item: BranchStep, found: list[Problem]) -> None:
    if not item.choices or sum(not way.steps for way in ways_of(item)) > 1:
        zh, en = "分支至少一个条件，至多一路没有步骤", "a branch has a choice, and one way at most without steps"
        found.append(Problem(item.id, "badBranch", zh, en))
    if item.otherwise.condition is not None or any(one.condition is None for one in item.choices):
        zh, en = (
            "每个条件分支都要有条件，其余情况没有条件",
            "each choice has a condition, what is done otherwise has none",
        )
        found.append(Problem(item.id, "badBranch", zh, en))
    for one in item.choices:
        _check_text(item.id, one.condition or "", found)


def _check_text(name: str, text: str, found: list[Problem], *, is_script: bool = False) -> None:
    """An expression as it will be read again, letter by letter."""
    try:
        ours = translate_script(text) if is_script else translate(text)
    except EvaluationError as error:
        found.append(Problem(name, "expression", error.zh, error.en))
        return
    if ours != text:
        found.append(Problem(name, "expression", f"请写成：{ours}", f"write it as: {ours}"))


def _check_item(item: ListItem, found: list[Problem]) -> None:
    match item:
        case ScriptStep():
            _check_text(item.id, item.script, found, is_script=True)
        case ServiceStep() if (
            not item.service or item.service != " ".join(item.service.split()) or len(item.service) > 200
        ):
            found.append(Problem(item.id, "noService", "没有写明服务", "it names no service"))
        case CallStep() if not _ID.fullmatch(item.process):
            found.append(Problem(item.id, "noCalled", "没有写明被调用的流程", "it names no process"))
        case EndStep() if item.state is not None and not _STATE.fullmatch(item.state):
            found.append(Problem(item.id, "badState", "状态不规范", "the state is no word"))
        case PersonStep(many=Many() as many):
            for text in (many.collection, many.cardinality, many.completion):
                if text is not None:
                    _check_text(item.id, text, found)
