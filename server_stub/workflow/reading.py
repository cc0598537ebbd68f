"""BPMN files of any modeller in, processes that run out: parsed without entities, network and bombs, normalised with a note for each change, or refused."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Literal

from lxml import etree
from msgspec.structs import replace
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
from SpiffWorkflow.exceptions import SpiffWorkflowException

from server_stub.workflow.bpmn_xml import (
    Element,
    children,
    descendants,
    id_of,
    local,
    name_of,
    parse_xml,
    refuse,
    to_bytes,
)
from server_stub.workflow.draft import CONTAINERS, FLOW_NODES, PEOPLE_TASKS, Draft
from server_stub.workflow.normalise import normalise
from server_stub.workflow.normalise_events import definitions_of
from server_stub.workflow.normalise_processes import called_ids, find_circle
from server_stub.workflow.normalise_reach import reached_from_start
from server_stub.workflow.normalise_tasks import service_name
from server_stub.workflow.options import Label, StepOptions, usual_actions
from server_stub.workflow.options_xml import BadOptions, load_label, load_many, load_options, load_word
from server_stub.workflow.process_file import BpmnRefused, End, Many, Note, Problem, ProcessFile, Step

__all__ = [
    "BpmnRefused",
    "End",
    "Many",
    "Note",
    "Problem",
    "ProcessFile",
    "Step",
    "find_call_circle",
    "names_in_one_language",
    "read_bpmn",
]

EndKind = Literal["plain", "terminate", "error", "cancel", "message", "escalation"]
_END_KINDS: Mapping[str, EndKind] = {
    "terminateEventDefinition": "terminate",
    "errorEventDefinition": "error",
    "cancelEventDefinition": "cancel",
    "messageEventDefinition": "message",
    "escalationEventDefinition": "escalation",
}


def read_bpmn(data: bytes) -> ProcessFile:
    """A process from the bytes of a .bpmn file. Reading its `xml` again gives the same steps and the same xml.

    Raises:
        BpmnRefused: not BPMN, hostile, or something in it cannot run; with the ids of the elements.
    """
    draft = Draft(parse_xml(data))
    normalise(draft)
    xml = to_bytes(draft.root)
    _try_engine(xml, draft)
    main = draft.main
    processes = {id_of(one): one for one in draft.processes}
    called = tuple(dict.fromkeys(one for process in draft.processes for one in called_ids(process)))
    return ProcessFile(
        id=id_of(main),
        name=_name_of_file(draft),
        xml=xml,
        sha256=hashlib.sha256(xml).hexdigest(),
        notes=tuple(draft.notes),
        steps={one.id: one for process in draft.processes for one in _steps(process)},
        ends={one.id: one for one in _ends(draft)},
        called=tuple(one for one in called if one not in processes),
        services={id_of(one): service_name(one) for one in draft.nodes("serviceTask")},
        messages=_awaited(draft),
        labels=dict(_labels(draft)),
    )


def names_in_one_language(process: ProcessFile) -> tuple[str, ...]:
    """Ids of what has a name that is no English, and no label: an English interface shows it as it is."""
    root = parse_xml(process.xml)
    named = (one for one in descendants(root, "process", *FLOW_NODES, "sequenceFlow") if not name_of(one).isascii())
    return tuple(id_of(one) for one in named if id_of(one) not in process.labels)


def find_call_circle(process: ProcessFile, called: Mapping[str, ProcessFile]) -> tuple[str, ...]:
    """Ids along a circle of calls over several files, the first repeated at the end; empty: there is none."""
    calls = {one.id: one.called for one in (*called.values(), process)}
    return find_circle(process.id, calls)


def _name_of_file(draft: Draft) -> str:
    main = id_of(draft.main)
    pools = [one for part in children(draft.root, "collaboration") for one in children(part, "participant")]
    pool = next((name_of(one) for one in pools if one.get("processRef") == main), "")
    return name_of(draft.main) or pool or main


def _steps(process: Element) -> Iterator[Step]:
    for node, parent in _in_order(process, None):
        if local(node) not in PEOPLE_TASKS:
            continue
        options, many = _load(node)
        yield Step(
            id=id_of(node),
            name=name_of(node) or id_of(node),
            process=id_of(process),
            options=options,
            parent=parent,
            many=many,
            manual=local(node) == "manualTask",
        )


def _load(node: Element) -> tuple[StepOptions, Many | None]:
    try:
        options, many = load_options(node) or StepOptions(), load_many(node)
    except BadOptions as error:  # what we wrote ourselves a moment ago
        raise refuse("badOptions", f"设置有误：{error}", str(error), id_of(node)) from None
    return (options if options.actions else _with_actions(options)), many


def _with_actions(options: StepOptions) -> StepOptions:
    return replace(options, actions=usual_actions(options))


def _in_order(around: Element, parent: str | None) -> Iterator[tuple[Element, str | None]]:
    for node in reached_from_start(around):
        yield node, parent
        if local(node) in CONTAINERS:
            yield from _in_order(node, id_of(node))


def _ends(draft: Draft) -> Iterator[End]:
    codes = {id_of(one): one.get("errorCode") for one in children(draft.root, "error")}
    for end in children(draft.main, "endEvent"):
        definition = next(iter(definitions_of(end)), None)
        kind = "plain" if definition is None else _END_KINDS[local(definition)]
        code = codes.get(definition.get("errorRef")) if definition is not None else None
        state = load_word(end, "end", "state")
        yield End(id=id_of(end), name=name_of(end), state=state or None, kind=kind, code=code)


def _labels(draft: Draft) -> Iterator[tuple[str, Label]]:
    for process in draft.processes:
        for element in (process, *descendants(process, *FLOW_NODES, "sequenceFlow")):
            label = load_label(element)
            if label is not None:
                yield id_of(element), label


def _awaited(draft: Draft) -> tuple[str, ...]:
    names = {id_of(one): name_of(one) for one in (*children(draft.root, "message"), *children(draft.root, "signal"))}
    waiting = [one for node in draft.nodes("intermediateCatchEvent", "boundaryEvent") for one in definitions_of(node)]
    waiting += draft.nodes("receiveTask")
    references = [one.get("messageRef") or one.get("signalRef") for one in waiting]
    return tuple(dict.fromkeys(names[one] for one in references if one in names))


def _try_engine(xml: bytes, draft: Draft) -> None:
    """The engine's own parser must take what we wrote: what it refuses here would otherwise fail at somebody's submission."""
    parser = BpmnParser()
    try:
        parser.add_bpmn_str(xml)
        parser.get_spec(id_of(draft.main))
        parser.get_subprocess_specs(id_of(draft.main), require_call_activity_specs=False)
    except (SpiffWorkflowException, etree.LxmlError, LookupError, AttributeError, ValueError, TypeError) as error:
        where = str(getattr(error, "id", "") or "")
        raise refuse("engine", f"流程引擎不接受：{error}", f"the engine does not take it: {error}", where) from None
    except (RecursionError, NotImplementedError) as error:
        raise refuse("engine", "流程过长或含有不支持的元素", f"the engine does not take it: {error}") from None
