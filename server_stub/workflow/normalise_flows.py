"""Sequence flows and gateways: flows lead from somewhere to somewhere, forks are gateways, every way has a condition or is the default, all of them ours."""

from typing import Final

from lxml import etree

from server_stub.workflow.bpmn_xml import XSI, Element, child, id_of, local, name_of, q, text_of
from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.dialects import translate
from server_stub.workflow.draft import FLOW_NODES, GATEWAYS, Draft, title_of

_CHOOSING: Final = ("exclusiveGateway", "inclusiveGateway")
FORMAL: Final = {q("type", XSI): "bpmn:tFormalExpression"}


def normalise_joints(draft: Draft) -> None:
    """Flows that hang in the air are refused; nodes with several ways out get a gateway, those with none an end."""
    for around in draft.containers():
        nodes = {id_of(one): one for one in around if local(one) in FLOW_NODES}
        for flow in draft.flows(around):
            _check_flow(draft, flow, nodes)
        outgoing = draft.outgoing(around)
        for name, node in nodes.items():
            _normalise_ways(draft, around, node, outgoing.get(name, []))


def _check_flow(draft: Draft, flow: Element, nodes: dict[str, Element]) -> None:
    source, target = nodes.get(str(flow.get("sourceRef"))), nodes.get(str(flow.get("targetRef")))
    if source is None or target is None:
        zh = f"连线“{title_of(flow)}”没有连接两端，或跨越了子流程边界"
        draft.refuse(flow, "dangling", zh, "a flow with a loose end, or across the border of a sub-process")
    elif local(target) in {"startEvent", "boundaryEvent"} or local(source) == "endEvent":
        zh = "连线不能进入开始事件或边界事件，也不能离开结束事件"
        draft.refuse(flow, "wrongWay", zh, "a flow into a start or boundary event, or out of an end event")


def _normalise_ways(draft: Draft, around: Element, node: Element, ways: list[Element]) -> None:
    kind = local(node)
    if kind == "endEvent":
        return
    if not ways and (kind in GATEWAYS or kind == "startEvent"):
        what = title_of(node)
        draft.refuse(node, "noWayOut", f"“{what}”没有出口", f"the {kind} {what} has no way out")
    elif not ways:
        end = draft.add(around, "endEvent", f"{id_of(node)}_end")
        draft.add(around, "sequenceFlow", f"{id_of(node)}_out", sourceRef=id_of(node), targetRef=id_of(end))
        draft.note(
            node, "endAdded", f"“{title_of(node)}”之后没有连线，已补结束事件", "nothing follows it: an end was added"
        )
    elif len(ways) > 1 and kind not in GATEWAYS:
        _add_fork(draft, around, node, ways)


def _add_fork(draft: Draft, around: Element, node: Element, ways: list[Element]) -> None:
    """Several flows out of a task: all of them at once, or those whose conditions hold. As a gateway SpiffWorkflow runs it."""
    default = node.attrib.pop("default", None)
    has_conditions = any(text_of(child(way, "conditionExpression")) for way in ways)
    kind = "inclusiveGateway" if has_conditions else "parallelGateway"
    fork = draft.add(around, kind, f"{id_of(node)}_fork")
    if default and has_conditions:
        fork.set("default", default)
    for way in ways:
        way.set("sourceRef", id_of(fork))
    draft.add(around, "sequenceFlow", f"{id_of(node)}_out", sourceRef=id_of(node), targetRef=id_of(fork))
    zh = f"“{title_of(node)}”的多条出线改由网关分出"
    draft.note(node, "forkAdded", zh, f"its several ways out leave through a {kind}")


def normalise_gateways(draft: Draft) -> None:
    """Defaults and missing conditions of all gateways."""
    for around in draft.containers():
        outgoing = draft.outgoing(around)
        for node in around:
            if local(node) in FLOW_NODES:
                _normalise_default(draft, node, outgoing.get(id_of(node), []))
            if local(node) == "eventBasedGateway":
                _check_event_gateway(draft, around, node, outgoing.get(id_of(node), []))


def _normalise_default(draft: Draft, node: Element, ways: list[Element]) -> None:
    for way in ways:
        condition = child(way, "conditionExpression")
        if condition is not None and not text_of(condition):
            way.remove(condition)
    default = node.get("default")
    if default is not None and (
        local(node) not in _CHOOSING or default not in {id_of(one) for one in ways} or len(ways) < 2
    ):
        del node.attrib["default"]
        default = None
    if local(node) not in _CHOOSING or len(ways) < 2:
        return
    bare = [one for one in ways if child(one, "conditionExpression") is None and id_of(one) != default]
    if local(node) == "inclusiveGateway":
        for way in bare:
            etree.SubElement(way, q("conditionExpression"), FORMAL).text = "True"
            draft.note(way, "alwaysTaken", "没有条件的出口总是执行", "a way without a condition is always taken")
    elif default is None and len(bare) == 1:
        node.set("default", id_of(bare[0]))
        zh = f"“{title_of(node)}”没有条件的出口设为默认"
        draft.note(node, "defaultSet", zh, "its one way without a condition became the default")
    else:
        for way in bare:
            what = name_of(way) or id_of(way)
            zh = f"网关“{title_of(node)}”的出口“{what}”没有条件"
            draft.refuse(way, "noCondition", zh, f"the way {what} out of gateway {title_of(node)} has no condition")
    if default is None and not bare:
        zh = f"“{title_of(node)}”没有默认出口：条件都不成立时流程出错"
        draft.note(node, "noDefault", zh, "it has no default: if no condition holds, the case stops with an error")


def _check_event_gateway(draft: Draft, around: Element, node: Element, ways: list[Element]) -> None:
    targets = {str(one.get("targetRef")) for one in ways}
    for one in around:
        if id_of(one) in targets and local(one) != "intermediateCatchEvent":
            zh = "事件网关之后只能是等待消息或定时的中间事件"
            draft.refuse(one, "unsupported", zh, "after an event-based gateway only catching events are supported")


def normalise_conditions(draft: Draft) -> None:
    """Conditions in our language, where a gateway asks for them; elsewhere they are taken off."""
    for around in draft.containers():
        nodes = {id_of(one): one for one in around if local(one) in FLOW_NODES}
        outgoing = draft.outgoing(around)
        for flow in draft.flows(around):
            condition = child(flow, "conditionExpression")
            if condition is None:
                continue
            source = nodes[str(flow.get("sourceRef"))]
            is_choice = local(source) in _CHOOSING and len(outgoing[id_of(source)]) > 1
            if not is_choice or source.get("default") == id_of(flow):
                flow.remove(condition)
                zh = f"连线“{title_of(flow)}”的条件不起作用，已去除"
                draft.note(flow, "conditionDropped", zh, "a condition that decides nothing was taken off")
            else:
                _translate(draft, flow, condition)


def _translate(draft: Draft, flow: Element, condition: Element) -> None:
    written = text_of(condition)
    try:
        ours = translate(written)
    except EvaluationError as error:
        zh, en = f"连线“{title_of(flow)}”的条件：{error.zh}", f"the condition of {title_of(flow)}: {error.en}"
        draft.refuse(flow, "expression", zh, en)
        return
    if ours != written:
        zh, en = f"表达式 {written[:100]} 改写为 {ours[:100]}", f"{written[:100]} became {ours[:100]}"
        draft.note(flow, "expression", zh, en)
    condition.clear()
    condition.set(q("type", XSI), FORMAL[q("type", XSI)])
    condition.text = ours
