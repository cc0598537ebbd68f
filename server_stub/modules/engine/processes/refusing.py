"""Whether a process itself says what comes after a refusal: a gateway after the step that looks at its outcome."""

import functools
from typing import Final

from lxml import etree

from server_stub.workflow.process_file import ProcessFile

_BPMN: Final = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
_DECIDING: Final = frozenset({"exclusiveGateway", "inclusiveGateway", "complexGateway"})
_WAITING: Final = frozenset({"userTask", "manualTask", "endEvent", "receiveTask", "intermediateCatchEvent"})
_WORDS: Final = ("outcome", "results")


def decides_on_outcome(file: ProcessFile, step_id: str) -> bool:
    """Whether the flow after a step asks for its outcome before anybody else has to act."""
    return step_id in _deciding_steps(file.sha256, file.xml)


@functools.lru_cache(maxsize=256)
def _deciding_steps(sha: str, xml: bytes) -> frozenset[str]:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    root = etree.fromstring(xml, parser)
    ways: dict[str, list[tuple[str, str]]] = {}
    for flow in root.iter(f"{_BPMN}sequenceFlow"):
        condition = flow.findtext(f"{_BPMN}conditionExpression") or ""
        ways.setdefault(flow.get("sourceRef", ""), []).append((flow.get("targetRef", ""), condition))
    kinds = {node.get("id", ""): etree.QName(node).localname for node in root.iter() if isinstance(node.tag, str)}
    names = _result_names(root)
    tasks = [one for one, kind in kinds.items() if kind in ("userTask", "manualTask")]
    return frozenset(one for one in tasks if _decides(one, ways, kinds, (*_WORDS, *names)))


def _result_names(root: etree._Element) -> tuple[str, ...]:
    """The lists in which multi-instance steps collect what was given."""
    return tuple(filter(None, (one.text for one in root.iter(f"{_BPMN}loopDataOutputRef"))))


def _decides(
    step_id: str, ways: dict[str, list[tuple[str, str]]], kinds: dict[str, str], words: tuple[str, ...]
) -> bool:
    pending, seen = [step_id], {step_id}
    while pending:
        for target, condition in ways.get(pending.pop(), ()):
            if any(word in condition for word in words):
                return True
            if target not in seen and kinds.get(target) not in _WAITING:
                seen.add(target)
                pending.append(target)
    return False
