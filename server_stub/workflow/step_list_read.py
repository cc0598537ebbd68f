"""A step list out of a process file, where it has that shape: one start, nested branches and parallels that come together again, no ways back, no timers."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from server_stub.workflow.bpmn_xml import Element, child, children, id_of, local, name_of, parse_xml, text_of
from server_stub.workflow.draft import FLOW_NODES, PEOPLE_TASKS
from server_stub.workflow.normalise_events import definitions_of
from server_stub.workflow.normalise_tasks import service_name
from server_stub.workflow.options import StepOptions
from server_stub.workflow.options_xml import load_label, load_many, load_options, load_word
from server_stub.workflow.process_file import ProcessFile
from server_stub.workflow.step_list import (
    MAX_DEEP,
    BranchStep,
    CallStep,
    Choice,
    EndStep,
    Lane,
    ListItem,
    ParallelStep,
    PersonStep,
    ScriptStep,
    ServiceStep,
    StepList,
    check_step_list,
)

_FORKS: Final = ("exclusiveGateway", "inclusiveGateway", "parallelGateway")


class NotAList(Struct, frozen=True):
    """Why a process is shown as a diagram only. `element`: where it differs."""

    element: str
    zh: str
    en: str


class _Differs(Exception):
    def __init__(self, element: str, zh: str, en: str) -> None:
        super().__init__(en)
        self.reason = NotAList(element, zh, en)


def read_step_list(process: ProcessFile) -> StepList | NotAList:
    """The list, or why there is none."""
    root = parse_xml(process.xml)
    main = next(one for one in children(root, "process") if id_of(one) == process.id)
    try:
        steps = _Reader(main).read()
    except _Differs as difference:
        return difference.reason
    found = StepList(id=process.id, name=name_of(main), steps=steps, label=load_label(main))
    problems = check_step_list(found)
    if problems:
        return NotAList(problems[0].element, problems[0].zh, problems[0].en)
    return found


class _Reader:
    """One process, from its start. A way is followed until an end or the gateway at which it meets the others."""

    def __init__(self, main: Element) -> None:
        self._nodes = {id_of(one): one for one in main if local(one) in FLOW_NODES}
        self._leaving: dict[str, list[Element]] = {}
        self._entering: dict[str, int] = {}
        for flow in children(main, "sequenceFlow"):
            self._leaving.setdefault(str(flow.get("sourceRef")), []).append(flow)
            target = str(flow.get("targetRef"))
            self._entering[target] = self._entering.get(target, 0) + 1
        self._seen: set[str] = set()

    def read(self) -> tuple[ListItem, ...]:
        start = next(one for one in self._nodes.values() if local(one) == "startEvent")
        if len(self._leaving.get(id_of(start), ())) != 1:
            raise _Differs(id_of(start), "开始之后不是一步", "more than one way out of the start")
        items, meeting = self._sequence(self._target(self._leaving[id_of(start)][0]), 1)
        if meeting is not None:
            raise _Differs(meeting, "流程有回退或交叉的连线", "ways that go back or cross")
        return items

    def _target(self, flow: Element) -> str:
        return str(flow.get("targetRef"))

    def _sequence(self, name: str, depth: int) -> tuple[tuple[ListItem, ...], str | None]:
        """The items from a node on, and the gateway where the way meets others; None: it ends."""
        items: list[ListItem] = []
        while True:
            node = self._nodes[name]
            if self._is_join(node):
                return tuple(items), name
            if name in self._seen or self._entering.get(name, 0) > 1:
                raise _Differs(name, "有回退或交叉的连线", "ways that go back or cross")
            self._seen.add(name)
            if local(node) in _FORKS and len(self._leaving[name]) > 1:
                item, after = self._fork(node, depth)
            else:
                item, after = self._step(node), name
            items.append(item)
            ways = self._leaving.get(after, []) if after is not None else []
            if not ways:
                return tuple(items), None
            if len(ways) > 1:
                raise _Differs(name, "多条出线", "several ways out")
            name = self._target(ways[0])

    def _is_join(self, node: Element) -> bool:
        return local(node) in _FORKS and len(self._leaving.get(id_of(node), ())) == 1

    def _fork(self, node: Element, depth: int) -> tuple[ListItem, str | None]:
        """A branch or parallel, and the gateway after which it goes on."""
        name = id_of(node)
        if depth >= MAX_DEEP:
            raise _Differs(name, "分支嵌套过深", "branches nested too deep")
        ways = [(flow, *self._sequence(self._target(flow), depth + 1)) for flow in self._leaving[name]]
        meetings = {meeting for _flow, _items, meeting in ways if meeting is not None}
        open_ways = sum(meeting is not None for _flow, _items, meeting in ways)
        if len(meetings) > 1:
            raise _Differs(name, "分支没有汇合到一处", "its ways do not meet in one place")
        meeting = next(iter(meetings), None)
        if meeting is not None:
            if (
                local(self._nodes[meeting]) != local(node)
                or self._entering[meeting] != open_ways
                or meeting in self._seen
            ):
                raise _Differs(meeting, "汇合的网关与分支不一致", "the gateway where they meet does not fit the fork")
            self._seen.add(meeting)
        return self._item_of(node, [(flow, items) for flow, items, _meeting in ways]), meeting

    def _item_of(self, node: Element, ways: Sequence[tuple[Element, tuple[ListItem, ...]]]) -> ListItem:
        name, title, label = id_of(node), name_of(node), load_label(node)
        if local(node) == "parallelGateway":
            return ParallelStep(
                id=name,
                name=title,
                lanes=tuple(Lane(name=name_of(flow), steps=items, label=load_label(flow)) for flow, items in ways),
                label=label,
            )
        default = node.get("default")
        if default is None:
            raise _Differs(name, "分支没有默认出口", "the branch has no default way")
        choices, otherwise = [], Choice()
        for flow, items in ways:
            condition = text_of(child(flow, "conditionExpression"))
            if id_of(flow) == default:
                otherwise = Choice(name=name_of(flow), steps=items, label=load_label(flow))
            else:
                choices.append(Choice(name=name_of(flow), condition=condition, steps=items, label=load_label(flow)))
        several = local(node) == "inclusiveGateway"
        return BranchStep(
            id=name, name=title, choices=tuple(choices), otherwise=otherwise, several=several, label=label
        )

    def _step(self, node: Element) -> ListItem:
        name, title, kind, label = id_of(node), name_of(node), local(node), load_label(node)
        if (
            child(node, "multiInstanceLoopCharacteristics") is not None
            or child(node, "standardLoopCharacteristics") is not None
        ):
            raise _Differs(name, "含有循环或多实例", "a loop or instances")
        if kind in PEOPLE_TASKS:
            options = load_options(node) or StepOptions()
            return PersonStep(id=name, name=title, options=options, many=load_many(node), manual=kind == "manualTask")
        if kind == "serviceTask":
            return ServiceStep(id=name, name=title, service=service_name(node), label=label)
        if kind == "scriptTask":
            return ScriptStep(id=name, name=title, script=text_of(child(node, "script")), label=label)
        if kind == "callActivity":
            return CallStep(id=name, name=title, process=str(node.get("calledElement")), label=label)
        if kind == "endEvent" and not definitions_of(node):
            return EndStep(id=name, name=title, state=load_word(node, "end", "state"), label=label)
        raise _Differs(name, f"步骤列表中没有 {kind}", f"a list of steps has no {kind}")
