"""Automatic tasks: scripts become assignments of ours, service tasks get the name of the service they ask for, sending and calling are made plain."""

import re
from typing import Final

from lxml import etree

from server_stub.workflow.bpmn_xml import (
    TONGBAN,
    ZEEBE,
    Element,
    child,
    extension,
    id_of,
    name_of,
    q,
    text_of,
    vendor_attribute,
)
from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.dialects import translate_script
from server_stub.workflow.draft import ACTIVITIES, Draft, swap_kind, title_of
from server_stub.workflow.normalise_processes import bare_ref
from server_stub.workflow.options_xml import load_word, renew

_LAST_WORD: Final = re.compile(r"[$#]\{\s*([A-Za-z_]\w*)(?:\.\w+\(?.*)?\s*\}|(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*)", re.S)
_STANDARD: Final = frozenset({"", "##WebService", "##unspecified", "##Unspecified"})


def normalise_tasks(draft: Draft) -> None:
    """All automatic tasks of the draft."""
    for task in draft.nodes(*ACTIVITIES):
        if task.get("isForCompensation") == "true":
            draft.refuse(task, "unsupported", "不支持补偿活动", "compensation is not supported")
    for task in draft.nodes("sendTask"):
        _normalise_send(draft, task)
    for task in draft.nodes("scriptTask"):
        _normalise_script(draft, task)
    for task in draft.nodes("serviceTask"):
        _name_service(draft, task)


def _normalise_send(draft: Draft, task: Element) -> None:
    reference = bare_ref(task.get("messageRef"))
    if any(id_of(one) == reference and one.get("name") for one in draft.root.iter(q("message"))):
        task.set("messageRef", reference)
        return
    task.attrib.pop("messageRef", None)
    swap_kind(task, "serviceTask")
    draft.note(task, "sendToService", f"发送任务“{title_of(task)}”按服务任务处理", "a send task became a service task")


def _normalise_script(draft: Draft, task: Element) -> None:
    script = child(task, "script")
    written = text_of(script)
    zeebe = extension(task, "script", ZEEBE)
    if zeebe is not None and not written:
        written = f"{zeebe.get('resultVariable') or 'result'} = {zeebe.get('expression') or ''}"
    variable = vendor_attribute(task, "resultVariable")
    if variable and written and not re.match(r"\s*[^\W\d]\w*\s*=(?!=)", written):
        written = f"{variable} = {written}"
    try:
        ours = translate_script(written)
    except EvaluationError as error:
        what = title_of(task)
        draft.refuse(task, "script", f"脚本“{what}”不能执行：{error.zh}", f"the script {what} cannot run: {error.en}")
        return
    if script is None:
        script = etree.SubElement(task, q("script"))
    if ours != text_of(script):
        draft.note(task, "scriptRewritten", f"脚本“{title_of(task)}”已改写", f"the script was rewritten: {ours[:100]}")
    script.text = ours


def _name_service(draft: Draft, task: Element) -> None:
    ours = load_word(task, "service", "name")
    name = ours or _service_of(task)
    if not name:
        name = name_of(task) or id_of(task)
    if ours is None:
        draft.note(task, "service", f"服务任务“{title_of(task)}”调用“{name}”", f"the service task asks for {name}")
    renew(task, "service").set("name", name[:200])


def _service_of(task: Element) -> str:
    """The word by which another engine would find the service."""
    zeebe = extension(task, "taskDefinition", ZEEBE)
    if zeebe is not None and zeebe.get("type"):
        return str(zeebe.get("type")).strip().lstrip("=").strip().strip('"')
    words = [vendor_attribute(task, one) for one in ("topic", "delegateExpression", "class", "expression")]
    implementation = str(task.get("implementation") or "")
    words += [None if implementation in _STANDARD else implementation, bare_ref(task.get("operationRef"))]
    written = next((one.strip() for one in words if one and one.strip()), "")
    match = _LAST_WORD.fullmatch(written)
    return (match[1] or match[2]) if match else written


def service_name(task: Element) -> str:
    """The name of the service, after normalising."""
    found = extension(task, "service", TONGBAN)
    return "" if found is None else str(found.get("name"))
