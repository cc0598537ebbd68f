"""Multi-instance: taken off steps for people (our engine runs their instances), made complete for calls and sub-processes (the machine runs those)."""

import re
from typing import Final

from lxml import etree

from server_stub.workflow.bpmn_xml import (
    VENDORS,
    ZEEBE,
    Element,
    child,
    children,
    extension,
    id_of,
    local,
    q,
    text_of,
    vendor_attribute,
)
from server_stub.workflow.budget import EvaluationError
from server_stub.workflow.dialects import translate
from server_stub.workflow.draft import ACTIVITIES, PEOPLE_TASKS, Draft, title_of
from server_stub.workflow.options_xml import load_many
from server_stub.workflow.process_file import Many

_LOOP: Final = "multiInstanceLoopCharacteristics"
_STANDARD: Final = "standardLoopCharacteristics"
_TURNS: Final = re.compile(r"[1-9][0-9]{0,2}", re.ASCII)
_NAME: Final = re.compile(r"[^\W\d]\w{0,99}")


def take_many(draft: Draft, task: Element) -> Many | None:
    """The instances of a step, its loop characteristics gone. Instances of nothing named (only the mark is drawn) are left as the attribute `_all`.

    Raises:
        BadOptions: a tongban:many that cannot be meant.
    """
    loop = _only_loop(task)
    if loop is None:
        return load_many(task)
    task.remove(loop)
    many = _read_loop(draft, task, loop)
    if many is None:
        sequential = loop.get("isSequential") == "true"
        if extension(task, "step", "urn:tongban:bpmn") is None:
            task.set("_all", "sequential" if sequential else "parallel")
            zh, en = f"“{title_of(task)}”由全部办理人办理", "instances of nothing named: all performers act"
            draft.note(task, "manyOfPerformers", zh, en)
        return None
    zh, en = f"“{title_of(task)}”的多实例由程序管理", "its instances are kept by the program"
    draft.note(task, "many", zh, en)
    return many


def normalise_many(draft: Draft) -> None:
    """Instances of calls, sub-processes and automatic tasks, written the one way the machine reads."""
    for task in draft.nodes(*ACTIVITIES):
        loop = _only_loop(task)
        if loop is None or local(task) in PEOPLE_TASKS:
            continue
        many = _read_loop(draft, task, loop)
        if many is None:
            zh, en = f"“{title_of(task)}”的多实例没有写明集合或次数", "instances need a collection or a number"
            draft.refuse(task, "manyOfNothing", zh, en)
        else:
            _write_loop(draft, task, loop, many)


def _only_loop(task: Element) -> Element | None:
    """The first loop of a task; a second one has no meaning and goes."""
    first, *others = children(task, _LOOP) or [None]
    for one in others:
        task.remove(one)
    return first


def _read_loop(draft: Draft, task: Element, loop: Element) -> Many | None:
    """What the loop says in one modeller's words or another's; None: neither a collection nor a number."""
    zeebe = extension(loop, "loopCharacteristics", ZEEBE)
    if zeebe is None:
        zeebe = extension(task, "loopCharacteristics", ZEEBE)
    words = zeebe.attrib if zeebe is not None else {}
    custom = next((one for space in VENDORS for one in loop.iter(q("collection", space))), None)
    collection = (
        _source_of(draft, task, text_of(child(loop, "loopDataInputRef")))
        or vendor_attribute(loop, "collection")
        or (text_of(custom) if custom is not None else "")
        or words.get("inputCollection")
    )
    cardinality = text_of(child(loop, "loopCardinality"))
    if not collection and not cardinality:
        return None
    item, output = child(loop, "inputDataItem"), child(loop, "outputDataItem")
    name = re.sub(r"\W", "_", id_of(task))
    many = Many(
        sequential=loop.get("isSequential") == "true",
        collection=_translated(draft, task, collection) if collection else None,
        cardinality=_translated(draft, task, cardinality) if not collection else None,
        variable=_plain(
            _name_of(item) or vendor_attribute(loop, "elementVariable") or words.get("inputElement"), "item"
        ),
        results=_plain(text_of(child(loop, "loopDataOutputRef")) or words.get("outputCollection"), f"{name}_results"),
        result=_plain(_name_of(output), f"{name}_result"),
        completion=_completion(draft, task, loop, words.get("completionCondition")),
    )
    return many


def _source_of(draft: Draft, task: Element, reference: str) -> str:
    """The data behind a data input, as the standard writes it: the name of the property or data object that is copied into it."""
    for association in children(task, "dataInputAssociation"):
        if reference and text_of(child(association, "targetRef")) == reference:
            source = text_of(child(association, "sourceRef"))
            found = next((one for one in draft.root.iter() if source and one.get("id") == source), None)
            name = None if found is None else found.get("name") or found.get("id")
            return name if name and _NAME.fullmatch(name) else source
    return reference


def _completion(draft: Draft, task: Element, loop: Element, other: str | None) -> str | None:
    written = text_of(child(loop, "completionCondition")) or other
    return _translated(draft, task, written) if written else None


def _name_of(element: Element | None) -> str | None:
    return None if element is None else element.get("name") or element.get("id")


def _plain(name: str | None, otherwise: str) -> str:
    """A name of data; what is none (an id of an item elsewhere, an expression) is replaced."""
    return name if name and _NAME.fullmatch(name) and not name.startswith("_") else otherwise.lstrip("_") or "item"


def _translated(draft: Draft, task: Element, text: str) -> str:
    try:
        ours = translate(text)
    except EvaluationError as error:
        what = title_of(task)
        draft.refuse(task, "expression", f"“{what}”：{error.zh}", f"{what}: {error.en}")
        return text[:100]
    if ours != text:
        draft.note(task, "expression", f"表达式 {text[:100]} 改写为 {ours[:100]}", f"{text[:100]} became {ours[:100]}")
    return ours


def _write_loop(draft: Draft, task: Element, loop: Element, many: Many) -> None:
    """In the standard's words, complete: a collection (an expression) or a number, the entry's name, where results go, when it is enough."""
    for part in list(loop):
        loop.remove(part)
    loop.attrib.clear()
    if many.sequential:
        loop.set("isSequential", "true")
    if many.collection is None:
        etree.SubElement(loop, q("loopCardinality")).text = many.cardinality
    else:
        etree.SubElement(loop, q("loopDataInputRef")).text = many.collection
    etree.SubElement(loop, q("loopDataOutputRef")).text = many.results
    etree.SubElement(loop, q("inputDataItem"), {"id": f"{id_of(task)}.item", "name": many.variable})
    etree.SubElement(loop, q("outputDataItem"), {"id": f"{id_of(task)}.result", "name": many.result})
    if many.completion is not None:
        etree.SubElement(loop, q("completionCondition")).text = many.completion


def normalise_loops(draft: Draft) -> None:
    """Standard loops of automatic activities: with a condition or a number of turns; a step for people goes back by a flow instead."""
    for task in draft.nodes(*ACTIVITIES):
        for loop in children(task, _STANDARD):
            condition, most = text_of(child(loop, "loopCondition")), loop.get("loopMaximum") or ""
            if local(task) in PEOPLE_TASKS or not (condition or most) or (most and not _TURNS.fullmatch(most)):
                zh, en = (
                    f"“{title_of(task)}”：不支持这种循环，请画成回退的连线",
                    "such a loop; draw a flow that goes back",
                )
                draft.refuse(task, "unsupported", zh, en)
                continue
            for part in list(loop):
                loop.remove(part)
            if condition:
                etree.SubElement(loop, q("loopCondition")).text = _translated(draft, task, condition)
