"""The last pass: only what we know stays in the file, in the order the schema wants. What other engines said and we do not use is named in one note."""

from typing import Final

from lxml import etree

from server_stub.workflow.bpmn_xml import (
    BPMN,
    TONGBAN,
    XSI,
    Element,
    bare,
    children,
    id_of,
    local,
    name_of,
    q,
)
from server_stub.workflow.draft import ACTIVITIES, CONTAINERS, EVENTS, FLOW_NODES, GATEWAYS, Draft
from server_stub.workflow.drawing_xml import rewrite_drawing
from server_stub.workflow.normalise_processes import drop_collaboration

_ATTRIBUTES: Final = {
    "definitions": ("targetNamespace",),
    "process": ("isExecutable",),
    "participant": ("processRef",),
    "boundaryEvent": ("attachedToRef", "cancelActivity"),
    "exclusiveGateway": ("default",),
    "inclusiveGateway": ("default",),
    "callActivity": ("calledElement",),
    "sendTask": ("messageRef",),
    "receiveTask": ("messageRef",),
    "sequenceFlow": ("sourceRef", "targetRef"),
    "association": ("sourceRef", "targetRef"),
    "messageEventDefinition": ("messageRef",),
    "signalEventDefinition": ("signalRef",),
    "errorEventDefinition": ("errorRef",),
    "escalationEventDefinition": ("escalationRef",),
    "error": ("errorCode",),
    "escalation": ("escalationCode",),
    "multiInstanceLoopCharacteristics": ("isSequential",),
    "standardLoopCharacteristics": ("testBefore", "loopMaximum"),
    "conditionExpression": (q("type", XSI),),
}
_NAMELESS: Final = frozenset({"conditionExpression", "documentation"})
_REFERENCES: Final = ("messageRef", "signalRef", "errorRef", "escalationRef")
_TEXTS: Final = frozenset({"documentation", "extensionElements"})
_LOOP: Final = "multiInstanceLoopCharacteristics"
_STANDARD: Final = "standardLoopCharacteristics"
_CONTENT: Final = frozenset({*FLOW_NODES, "sequenceFlow", "laneSet", "textAnnotation", "association"}) | _TEXTS
_DEFINITIONS: Final = frozenset(
    f"{one}EventDefinition" for one in ("terminate", "timer", "message", "signal", "error", "escalation", "cancel")
)
_CHILDREN: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(GATEWAYS, _TEXTS),
    **dict.fromkeys(EVENTS, _TEXTS | _DEFINITIONS),
    **dict.fromkeys(ACTIVITIES, _TEXTS | {_LOOP, _STANDARD}),
    "process": _CONTENT,
    "subProcess": _CONTENT | {_LOOP, _STANDARD},
    "transaction": _CONTENT | {_LOOP, _STANDARD},
    "scriptTask": _TEXTS | {_LOOP, _STANDARD, "script"},
    "sequenceFlow": frozenset({"conditionExpression"}) | _TEXTS,
    "laneSet": frozenset({"lane"}),
    "childLaneSet": frozenset({"lane"}),
    "lane": frozenset({"flowNodeRef", "childLaneSet"}),
    "textAnnotation": frozenset({"text"}),
    "timerEventDefinition": frozenset({"timeDate", "timeDuration", "timeCycle"}),
    _STANDARD: frozenset({"loopCondition"}),
    _LOOP: frozenset(
        {
            "loopCardinality",
            "loopDataInputRef",
            "loopDataOutputRef",
            "inputDataItem",
            "outputDataItem",
            "completionCondition",
        }
    ),
}
_RUNNING: Final = frozenset({*FLOW_NODES, "sequenceFlow", "process"})
_NOTHING: Final[frozenset[str]] = frozenset()
_ORDER: Final = (
    "documentation",
    "extensionElements",
    "incoming",
    "outgoing",
    "multiInstanceLoopCharacteristics",
    "laneSet",
)
_FIRST_ATTRIBUTES: Final = ("id", "name")
MAX_NAMED: Final = 12
_READ: Final = frozenset(
    {
        "assignee", "candidateGroups", "candidateUsers", "dueDate", "topic", "delegateExpression", "class", "expression", "type", "collection",
        "elementVariable", "resultVariable", "assignmentDefinition", "taskDefinition", "taskSchedule", "calledElement", "loopCharacteristics", "script",
    }
)  # fmt: skip
"""Words of other engines that earlier passes read."""


def clean(draft: Draft) -> None:
    """Take out everything that is not known; write incoming and outgoing anew; the drawing too."""
    foreign: dict[str, None] = {}
    root = draft.root
    drop_collaboration(draft)
    for process in draft.processes:
        _clean_element(process, foreign)
        _clean_lanes(process)
        for around in process.iter(*(q(name) for name in CONTAINERS)):
            write_joints(around)
    used = {one.get(name) for process in draft.processes for one in process.iter() for name in _REFERENCES}
    for part in list(root):
        keeps = part in draft.processes or local(part) == "collaboration" or bare(part) == "BPMNDiagram"
        if not keeps and not (local(part) in {"message", "signal", "error", "escalation"} and id_of(part) in used):
            root.remove(part)
    _clean_attributes(root, {})
    for part in root:
        if part not in draft.processes and local(part):
            _clean_shallow(part)
    _keep_ids_apart(draft)
    if not root.get("targetNamespace"):
        root.set("targetNamespace", "urn:tongban:process")
    rewrite_drawing(draft)
    _order(root, ("message", "signal", "error", "escalation", "collaboration"))
    for word in _READ:
        foreign.pop(word, None)
    if foreign:
        words = ", ".join(list(foreign)[:MAX_NAMED]) + ("…" if len(foreign) > MAX_NAMED else "")
        zh, en = f"其他引擎的设置不予采用：{words}", f"settings of other engines that are not used: {words}"
        draft.note("", "foreign", zh, en)


def _clean_element(element: Element, foreign: dict[str, None]) -> None:
    _clean_attributes(element, foreign)
    element.tail = None
    for part in list(element):
        if local(part) == "extensionElements":
            _clean_extensions(part, foreign)
            if len(part) == 0:
                element.remove(part)
        elif local(part) not in _CHILDREN.get(local(element), _NOTHING):
            element.remove(part)
        else:
            _clean_element(part, foreign)
    if len(element) or local(element) in FLOW_NODES:
        element.text = None


def _clean_attributes(element: Element, foreign: dict[str, None]) -> None:
    kind = local(element)
    kept = {} if kind in _NAMELESS else {name: element.get(name) for name in _FIRST_ATTRIBUTES if element.get(name)}
    for name in _ATTRIBUTES.get(kind, ()):
        if element.get(name) is not None:
            kept[name] = element.get(name)
    if kept.get("name"):
        kept["name"] = name_of(element)
    for name in element.attrib:
        if name.startswith("{") and name not in kept and not name.startswith(f"{{{BPMN}}}"):
            foreign[name.rpartition("}")[2]] = None
    element.attrib.clear()
    for name, value in kept.items():
        element.set(name, value)


def _clean_extensions(holder: Element, foreign: dict[str, None]) -> None:
    holder.attrib.clear()
    holder.text = holder.tail = None
    for part in list(holder):
        if isinstance(part.tag, str) and part.tag.startswith(f"{{{TONGBAN}}}"):
            part.tail = None
        else:
            foreign[bare(part)] = None
            holder.remove(part)


def _clean_shallow(part: Element) -> None:
    for element in part.iter():
        if local(element):
            _clean_attributes(element, {})
            for below in list(element):
                if local(below) not in {"participant"}:
                    element.remove(below)


def _keep_ids_apart(draft: Draft) -> None:
    """A lane or remark with the id of something that runs loses it: SpiffWorkflow takes the last of a name."""
    elements = [one for part in draft.root if local(part) for one in part.iter() if one.get("id")]
    runs = {id_of(one) for one in elements if local(one) in _RUNNING}
    seen: set[str] = set()
    for element in elements:
        if local(element) not in _RUNNING and id_of(element) in runs | seen:
            del element.attrib["id"]
        else:
            seen.add(id_of(element))


def _clean_lanes(process: Element) -> None:
    """Lanes name nodes that are there."""
    ids = {id_of(one) for one in process.iter() if local(one) in FLOW_NODES}
    for reference in list(process.iter(q("flowNodeRef"))):
        reference.text = (reference.text or "").strip()
        if reference.text not in ids:
            reference.getparent().remove(reference)


def write_joints(around: Element) -> None:
    """Say at each node which flows enter and leave it, as the schema wants."""
    nodes = {id_of(one): one for one in around if local(one) in FLOW_NODES}
    for flow in children(around, "sequenceFlow"):
        etree.SubElement(nodes[str(flow.get("sourceRef"))], q("outgoing")).text = id_of(flow)
        etree.SubElement(nodes[str(flow.get("targetRef"))], q("incoming")).text = id_of(flow)
    for node in nodes.values():
        _order(node, _ORDER)


def _order(element: Element, first: tuple[str, ...]) -> None:
    """Children of these names first, in this order; the others after them as they were."""
    rank = {name: at for at, name in enumerate(first)}
    element[:] = sorted(element, key=lambda one: rank.get(local(one), len(first)))
