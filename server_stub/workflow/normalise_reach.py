"""What the flow reaches: steps nothing leads to are refused, other unreachable things taken out; every process and sub-process can come to an end."""

from server_stub.workflow.bpmn_xml import Element, children, id_of, local
from server_stub.workflow.draft import CONTAINERS, FLOW_NODES, PEOPLE_TASKS, Draft, title_of


def check_reach(draft: Draft) -> None:
    """All processes of the draft, from their starts."""
    for process in draft.processes:
        _check_container(draft, process)


def _check_container(draft: Draft, around: Element) -> None:
    reached = {id_of(one) for one in reached_from_start(around)}
    ends = 0
    for node in list(around):
        if local(node) not in FLOW_NODES:
            continue
        if id_of(node) not in reached:
            _take_out(draft, around, node)
        elif local(node) in CONTAINERS:
            _check_container(draft, node)
        ends += local(node) == "endEvent" and id_of(node) in reached
    for flow in children(around, "sequenceFlow"):
        if flow.get("sourceRef") not in reached:
            around.remove(flow)
    if not ends:
        what = title_of(around)
        draft.refuse(around, "noEnd", f"“{what}”永远到不了结束", f"{what} can never come to an end")


def _take_out(draft: Draft, around: Element, node: Element) -> None:
    people = [node] if local(node) in PEOPLE_TASKS else [one for one in node.iter() if local(one) in PEOPLE_TASKS]
    for task in people:
        what = title_of(task)
        draft.refuse(task, "unreachable", f"环节“{what}”无法到达", f"nothing leads to the step {what}")
    if not people:
        zh, en = f"“{title_of(node)}”无法到达，不予采用", "nothing leads to it; it is left out"
        draft.note(node, "unreachable", zh, en)
    around.remove(node)


def reached_from_start(around: Element) -> list[Element]:
    """The nodes directly in a process or sub-process that the flow reaches, in the order in which it does (breadth first)."""
    nodes = {id_of(one): one for one in around if local(one) in FLOW_NODES}
    ways: dict[str, list[str]] = {}
    for flow in children(around, "sequenceFlow"):
        ways.setdefault(str(flow.get("sourceRef")), []).append(str(flow.get("targetRef")))
    for event in children(around, "boundaryEvent"):
        ways.setdefault(str(event.get("attachedToRef")), []).append(id_of(event))
    order = [id_of(one) for one in children(around, "startEvent")]
    seen = set(order)
    for name in order:
        for target in ways.get(name, ()):
            if target not in seen and target in nodes:
                seen.add(target)
                order.append(target)
    return [nodes[one] for one in order]
