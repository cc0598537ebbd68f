"""Kinds of elements and their ids: what no engine here can run is refused, ids must be there, be plain and be unique."""

import re
from collections import Counter
from typing import Final

from server_stub.workflow.bpmn_xml import BPMNDI, Element, children, descendants, id_of, local, q
from server_stub.workflow.draft import CONTAINERS, FLOW_NODES, Draft, swap_kind, title_of

_ID: Final = re.compile(r"[^\W\d][\w.-]{0,99}")
ENGINES_IDS: Final = frozenset({"Start", "End", "Root", "StartEventSplit", "StartEventJoin"})
"""Names of what the engine puts into each process itself."""
_KEPT_ENDS: Final = (".EndJoin", ".BoundaryEventSplit", ".BoundaryEventJoin")
MAX_NODES: Final = 200
"""Flow nodes of one file: a process nobody could read any more, and SpiffWorkflow descends along the flow."""
MAX_NESTED: Final = 6
_UNSUPPORTED: Final = {
    "businessRuleTask": ("业务规则任务", "business rule tasks"),
    "complexGateway": ("复杂网关", "complex gateways"),
    "adHocSubProcess": ("即席子流程", "ad-hoc sub-processes"),
    "subChoreography": ("编排", "choreographies"),
    "choreographyTask": ("编排任务", "choreography tasks"),
    "callChoreography": ("编排调用", "calls of choreographies"),
    "implicitThrowEvent": ("隐式抛出事件", "implicit throw events"),
}
IGNORED: Final = frozenset(
    {
        "documentation", "extensionElements", "laneSet", "textAnnotation", "association", "group", "dataObject", "dataObjectReference",
        "dataStoreReference", "ioSpecification", "property", "dataInputAssociation", "dataOutputAssociation", "monitoring", "auditing", "supports",
        "correlationSubscription", "resourceRole", "performer", "humanPerformer", "potentialOwner", "incoming", "outgoing",
        "multiInstanceLoopCharacteristics", "standardLoopCharacteristics", "ioBinding",
    }
)  # fmt: skip
"""What stands in a process beside flow nodes and flows, and does not run."""


def check_kinds(draft: Draft) -> None:
    """Every element of a process is one we know."""
    for process in draft.processes:
        for element in process.iter(q("task")):
            swap_kind(element, "userTask")
            draft.note(
                element,
                "taskToUser",
                f"普通任务“{title_of(element)}”按人工环节处理",
                "a task without a kind became a step for people",
            )
        for around in process.iter(*(q(name) for name in CONTAINERS)):
            _check_container(draft, around)
        for element in descendants(process, *FLOW_NODES, "sequenceFlow"):
            if local(element.getparent()) not in CONTAINERS:
                zh, en = f"“{title_of(element)}”的位置不对", f"a {local(element)} where none can be"
                draft.refuse(element, "misplaced", zh, en)
    nodes = draft.nodes()
    if len(nodes) > MAX_NODES:
        draft.refuse("", "tooMany", f"环节和网关超过 {MAX_NODES} 个", f"more than {MAX_NODES} flow nodes")
    for node in nodes:
        if sum(1 for _ in node.iterancestors(q("subProcess"), q("transaction"))) > MAX_NESTED:
            draft.refuse(node, "tooDeep", "子流程嵌套过深", f"sub-processes nested deeper than {MAX_NESTED}")
            return


def _check_container(draft: Draft, around: Element) -> None:
    if around.get("triggeredByEvent") == "true":
        draft.refuse(around, "eventSubProcess", "不支持事件子流程", "event sub-processes are not supported")
    for element in around:
        kind = local(element)
        if not kind or kind in FLOW_NODES or kind in IGNORED or kind == "sequenceFlow":
            continue
        zh, en = _UNSUPPORTED.get(kind, (f"元素 {kind}", f"elements {kind}"))
        draft.refuse(element, "unsupported", f"不支持{zh}：“{title_of(element)}”", f"{en} are not supported")


def check_ids(draft: Draft) -> None:
    """Ids of nodes are plain, of flows there, all of them unique; those SpiffWorkflow keeps for itself are changed."""
    for around in draft.containers():
        for flow in draft.flows(around):
            if not id_of(flow):
                flow.set("id", draft.new_id("Flow"))
    elements = [
        *draft.processes,
        *draft.nodes(),
        *(one for p in draft.processes for one in descendants(p, "sequenceFlow")),
    ]
    for name, times in Counter(id_of(one) for one in elements).items():
        if times > 1 and name:
            draft.refuse(name, "duplicateId", f"编号 {name} 出现多次", f"{times} elements have the id {name}")
    for element in elements:
        if not _ID.fullmatch(id_of(element)):
            what = title_of(element)
            draft.refuse(element, "badId", f"“{what}”的编号缺失或不规范", f"{local(element)} {what} has no plain id")
    if not draft.problems:
        for node in draft.nodes():
            if id_of(node) in ENGINES_IDS or id_of(node).endswith(_KEPT_ENDS):
                _rename(draft, node)


def _rename(draft: Draft, node: Element) -> None:
    old = id_of(node)
    new = draft.new_id(f"{old.replace('.', '_')}_")
    node.set("id", new)
    draft.note(
        new, "renamed", f"编号 {old} 为引擎保留，改为 {new}", f"the id {old} is the engine's own, it became {new}"
    )
    for process in draft.processes:
        for element in process.iter():
            for name in ("sourceRef", "targetRef", "attachedToRef"):
                if element.get(name) == old:
                    element.set(name, new)
            if local(element) == "flowNodeRef" and (element.text or "").strip() == old:
                element.text = new
    for drawn in draft.root.iter(q("BPMNShape", BPMNDI), q("BPMNPlane", BPMNDI)):
        if drawn.get("bpmnElement") == old:
            drawn.set("bpmnElement", new)


def lanes_of(draft: Draft) -> dict[str, str]:
    """The name of the innermost lane of each flow node."""
    found: dict[str, str] = {}
    for process in draft.processes:
        for lane in descendants(process, "lane"):
            for reference in children(lane, "flowNodeRef"):
                found[(reference.text or "").strip()] = " ".join(str(lane.get("name") or "").split())
    return found
