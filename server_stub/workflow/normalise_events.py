"""Events: one plain start for each process, what an event waits for or throws, messages and signals with names. Timers: normalise_timers.py."""

from typing import Final

from lxml import etree

from server_stub.workflow.bpmn_xml import Element, child, children, id_of, local, name_of, q
from server_stub.workflow.draft import ACTIVITIES, Draft, container_of, title_of
from server_stub.workflow.normalise_processes import bare_ref
from server_stub.workflow.normalise_timers import normalise_timer

_DEFINITION: Final = "EventDefinition"
_ALLOWED: Final = {
    "startEvent": frozenset[str](),
    "endEvent": frozenset({"terminate", "error", "cancel", "message", "escalation"}),
    "intermediateCatchEvent": frozenset({"timer", "message", "signal"}),
    "intermediateThrowEvent": frozenset({"message", "signal", "escalation"}),
    "boundaryEvent": frozenset({"timer", "message", "signal", "error", "escalation", "cancel"}),
}
_NAMED: Final = {"message": "message", "signal": "signal", "error": "error", "escalation": "escalation"}


def normalise_events(draft: Draft) -> None:
    """All events of the draft."""
    for around in draft.containers():
        _keep_one_start(draft, around)
    for kind, allowed in _ALLOWED.items():
        for event in draft.nodes(kind):
            _check_event(draft, event, kind, allowed)
    for task in draft.nodes("receiveTask"):
        _name_message(draft, task, task, "message")


def definitions_of(event: Element) -> list[Element]:
    """What the event waits for or throws."""
    return [one for one in event if local(one).endswith(_DEFINITION)]


def _keep_one_start(draft: Draft, around: Element) -> None:
    starts = children(around, "startEvent")
    plain = [one for one in starts if not definitions_of(one)]
    if not starts:
        what = title_of(around)
        draft.refuse(around, "noStart", f"“{what}”没有开始事件", f"{what} has no start event")
    elif len(starts) > 1 and len(plain) != 1:
        draft.refuse(
            starts[1],
            "severalStarts",
            f"“{title_of(around)}”有多个开始事件",
            "several start events; one plain one is needed",
        )
    else:
        for start in starts:
            if len(starts) > 1 and start is not plain[0]:
                _drop_start(draft, around, start)
            elif definitions_of(start):
                draft.note(
                    start, "plainStart", "事件触发的开始改为提交即开始", "it starts by submitting, not by an event"
                )
                for one in definitions_of(start):
                    start.remove(one)


def _drop_start(draft: Draft, around: Element, start: Element) -> None:
    for flow in draft.flows(around):
        if flow.get("sourceRef") == id_of(start):
            around.remove(flow)
    draft.note(start, "startDropped", "多余的开始事件不予采用", "a further start event is left out")
    around.remove(start)


def _check_event(draft: Draft, event: Element, kind: str, allowed: frozenset[str]) -> None:
    found = definitions_of(event)
    if child(event, "eventDefinitionRef") is not None or len(found) > 1:
        draft.refuse(event, "severalEvents", "不支持引用的或多个事件定义", "several or referenced event definitions")
        return
    if kind == "boundaryEvent":
        _check_attached(draft, event)
    if not found:
        if kind in {"boundaryEvent", "intermediateCatchEvent"}:
            draft.refuse(event, "noEvent", f"“{title_of(event)}”没有写明等待什么", "an event that waits for nothing")
        return
    definition = found[0]
    what = local(definition)[: -len(_DEFINITION)]
    if what == "signal" and kind == "endEvent":
        event.remove(definition)
        draft.note(event, "plainEnd", "结束事件的信号不予发送", "the signal of an end event is not sent")
    elif what not in allowed:
        zh, en = f"“{title_of(event)}”：此处不支持 {what} 事件", f"{what} events are not supported at a {kind}"
        draft.refuse(event, "unsupported", zh, en)
    elif what == "cancel":
        _check_cancel(draft, event, kind)
    elif what == "timer":
        normalise_timer(draft, event, definition)
    elif what in _NAMED:
        _name_message(draft, event, definition, what)


def _check_attached(draft: Draft, event: Element) -> None:
    attached = event.get("attachedToRef")
    if not any(id_of(one) == attached for one in children(container_of(event), *ACTIVITIES)):
        draft.refuse(event, "notAttached", "边界事件没有附着在活动上", "a boundary event is attached to no activity")


def _check_cancel(draft: Draft, event: Element, kind: str) -> None:
    around = container_of(event)
    if kind == "boundaryEvent":
        at = event.get("attachedToRef")
        around = next((one for one in children(around, "transaction") if id_of(one) == at), None)
    if around is None or local(around) != "transaction":
        draft.refuse(event, "cancelOutside", "取消事件只能用于事务", "cancel events belong to transactions")


def _name_message(draft: Draft, owner: Element, holder: Element, what: str) -> None:
    """The message, signal, error or escalation it refers to exists in the file and has a name."""
    attribute = f"{what}Ref"
    reference = bare_ref(holder.get(attribute))
    target = next((one for one in children(draft.root, what) if id_of(one) == reference), None)
    if target is None and what in {"error", "escalation"}:
        if reference:
            draft.note(owner, "anyOfKind", "未定义的错误或升级按任意处理", f"an unknown {what} became any {what}")
        holder.attrib.pop(attribute, None)
        return
    if target is None:
        name = name_of(owner) or id_of(owner)
        target = next((one for one in children(draft.root, what) if name_of(one) == name), None)
        if target is None:
            target = etree.Element(q(what), {"id": draft.new_id(f"{what.capitalize()}_{id_of(owner)}"), "name": name})
            draft.root.insert(0, target)
        draft.note(owner, "named", f"等待或发出的消息命名为“{name}”", f"its {what} is called {name}")
    holder.set(attribute, id_of(target))
    if not target.get("name"):
        target.set("name", id_of(target))
