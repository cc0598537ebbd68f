"""A step list as a plain BPMN 2.0 file with its drawing: any modeller opens it, read_bpmn takes it as it is."""

from lxml import etree
from msgspec import Struct

from server_stub.workflow.bpmn_xml import NAMESPACES, Element, id_of, q, to_bytes
from server_stub.workflow.drawing import make_plane
from server_stub.workflow.drawing_xml import write_planes
from server_stub.workflow.normalise_clean import write_joints
from server_stub.workflow.normalise_flows import FORMAL
from server_stub.workflow.options import Label
from server_stub.workflow.options_xml import renew, write_label, write_many, write_options
from server_stub.workflow.process_file import Problem
from server_stub.workflow.step_list import (
    JOIN,
    START_ID,
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
    StepListRefused,
    check_step_list,
    ways_of,
)


class _Loose(Struct, frozen=True):
    """A way that waits for what comes next: the node it leaves, the flow's name and condition, whether it is the default."""

    source: str
    name: str = ""
    condition: str | None = None
    is_default: bool = False
    label: Label | None = None


def write_step_list(steps: StepList) -> bytes:
    """The .bpmn file.

    Raises:
        StepListRefused: the list is no process.
    """
    problems = check_step_list(steps)
    if problems:
        raise StepListRefused(problems)
    root = etree.Element(q("definitions"), {"id": "Definitions_1"}, nsmap=NAMESPACES)
    root.set("targetNamespace", "urn:tongban:process")
    try:
        process = etree.SubElement(root, q("process"), {"id": steps.id, "name": steps.name, "isExecutable": "true"})
        write_label(process, steps.label)
        _Writer(process).write(steps)
    except ValueError as error:  # characters XML does not have
        zh, en = "含有不可用的字符", f"characters that cannot be written: {error}"
        raise StepListRefused((Problem(steps.id, "badText", zh, en),)) from None
    write_joints(process)
    write_planes(root, [make_plane(process)])
    return to_bytes(root)


class _Writer:
    """Nodes and flows of one process, in the order of the list; flows after all nodes."""

    def __init__(self, process: Element) -> None:
        self._process = process
        self._flows: list[Element] = []

    def write(self, steps: StepList) -> None:
        self._node("startEvent", START_ID, "")
        self._sequence(steps.steps, [_Loose(START_ID)])
        self._process.extend(self._flows)

    def _sequence(self, steps: tuple[ListItem, ...], loose: list[_Loose]) -> list[_Loose]:
        for item in steps:
            loose = self._item(item, loose)
        return loose

    def _item(self, item: ListItem, loose: list[_Loose]) -> list[_Loose]:
        match item:
            case BranchStep() | ParallelStep():
                return self._fork(item, loose)
            case PersonStep():
                self._person(item)
            case ServiceStep():
                renew(self._node("serviceTask", item.id, item.name), "service").set("name", item.service)
            case ScriptStep():
                etree.SubElement(self._node("scriptTask", item.id, item.name), q("script")).text = item.script
            case CallStep():
                self._node("callActivity", item.id, item.name).set("calledElement", item.process)
            case EndStep():
                end = self._node("endEvent", item.id, item.name)
                if item.state is not None:
                    renew(end, "end").set("state", item.state)
        if not isinstance(item, PersonStep):
            write_label(self._process[-1], item.label)
        self._join(loose, item.id)
        return [] if isinstance(item, EndStep) else [_Loose(item.id)]

    def _person(self, item: PersonStep) -> None:
        task = self._node("manualTask" if item.manual else "userTask", item.id, item.name)
        if item.many is not None:
            write_many(task, item.many)
        write_options(task, item.options)
        if item.options.count != "one":  # a mark for the eyes of other modellers
            mark = etree.SubElement(task, q("multiInstanceLoopCharacteristics"))
            if item.options.order == "sequential":
                mark.set("isSequential", "true")

    def _fork(self, item: BranchStep | ParallelStep, loose: list[_Loose]) -> list[_Loose]:
        several = isinstance(item, BranchStep) and item.several
        kind = (
            "parallelGateway"
            if isinstance(item, ParallelStep)
            else "inclusiveGateway"
            if several
            else "exclusiveGateway"
        )
        write_label(self._node(kind, item.id, item.name), item.label)
        self._join(loose, item.id)
        after: list[_Loose] = []
        for way in ways_of(item):
            after += self._sequence(way.steps, [_way(item, way)])
        if not after:
            return []
        self._node(kind, f"{item.id}{JOIN}", "")
        self._join(after, f"{item.id}{JOIN}")
        return [_Loose(f"{item.id}{JOIN}")]

    def _node(self, kind: str, name: str, title: str) -> Element:
        node = etree.SubElement(self._process, q(kind), {"id": name})
        if title:
            node.set("name", title)
        return node

    def _join(self, loose: list[_Loose], target: str) -> None:
        for one in loose:
            flow = etree.Element(q("sequenceFlow"), {"id": f"Flow_{len(self._flows) + 1}"})
            if one.name:
                flow.set("name", one.name)
            write_label(flow, one.label)
            flow.set("sourceRef", one.source)
            flow.set("targetRef", target)
            if one.condition is not None:
                etree.SubElement(flow, q("conditionExpression"), FORMAL).text = one.condition
            self._flows.append(flow)
            if one.is_default:
                node = next(node for node in self._process if id_of(node) == one.source)
                node.set("default", id_of(flow))


def _way(item: BranchStep | ParallelStep, way: Choice | Lane) -> _Loose:
    if isinstance(way, Lane):
        return _Loose(item.id, way.name, label=way.label)
    return _Loose(item.id, way.name, way.condition, way.condition is None, way.label)
