"""BPMN files as other programs write them, for tests of the reader: a whole office process, pieces of it in the words of several modellers, real samples."""

from pathlib import Path
from typing import Final

HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" '
    'xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" '
    'xmlns:flowable="http://flowable.org/bpmn" xmlns:activiti="http://activiti.org/bpmn" '
    'xmlns:tongban="urn:tongban:bpmn" id="D" targetNamespace="http://bpmn.io/schema/bpmn">'
)


def bpmn(*parts: str, drawing: str = "") -> bytes:
    """A file of these root elements."""
    return f"{HEAD}{''.join(parts)}{drawing}</bpmn:definitions>".encode()


def process(*content: str, name: str = "p", attributes: str = 'isExecutable="true"') -> str:
    """A process element."""
    return f'<bpmn:process id="{name}" {attributes}>{"".join(content)}</bpmn:process>'


def flow(source: str, target: str, condition: str | None = None, *, name: str = "") -> str:
    """A sequence flow; its id is source_target."""
    inside = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition is not None else ""
    title = f' name="{name}"' if name else ""
    return f'<bpmn:sequenceFlow id="{source}_{target}"{title} sourceRef="{source}" targetRef="{target}">{inside}</bpmn:sequenceFlow>'


START: Final = '<bpmn:startEvent id="s"/>'
END: Final = '<bpmn:endEvent id="e"/>'


def one_node(node: str, name: str = "a", *, more: str = "", roots: str = "") -> bytes:
    """A process with one node between start and end."""
    return bpmn(roots, process(START, node, END, flow("s", name), flow(name, "e"), more))


def user(name: str = "a", inside: str = "", attributes: str = "") -> str:
    """A user task."""
    return f'<bpmn:userTask id="{name}" name="{name}" {attributes}>{inside}</bpmn:userTask>'


def choice(condition: str) -> bytes:
    """A gateway behind a step whose one way has this condition."""
    gate = '<bpmn:exclusiveGateway id="g" default="g_e"/>'
    flows = flow("s", "a"), flow("a", "g"), flow("g", "e"), flow("g", "b", condition), flow("b", "e")
    return bpmn(process(START, user(), user("b"), gate, END, *flows))


DISPATCH: Final = bpmn(
    '<bpmn:message id="m1" name="paid"/>',
    process(
        '<bpmn:laneSet id="ls"><bpmn:lane id="l1" name="承办处室"><bpmn:flowNodeRef>draft</bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>',
        START,
        user("draft", attributes='camunda:assignee="${starter}"'),
        user("review", attributes='camunda:candidateGroups="office,leaders" camunda:dueDate="P2D"'),
        '<bpmn:boundaryEvent id="late" attachedToRef="review" cancelActivity="false"><bpmn:timerEventDefinition>'
        "<bpmn:timeDuration>P1D</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>",
        '<bpmn:scriptTask id="remind"><bpmn:script>reminded = true;</bpmn:script></bpmn:scriptTask>',
        '<bpmn:exclusiveGateway id="gw"/>',
        '<bpmn:parallelGateway id="fork"/>',
        user(
            "cosign",
            '<bpmn:multiInstanceLoopCharacteristics camunda:collection="${record.signers}" camunda:elementVariable="signer">'
            "<bpmn:completionCondition>${nrOfCompletedInstances >= 2}</bpmn:completionCondition></bpmn:multiInstanceLoopCharacteristics>".replace(
                ">=", "&gt;="
            ),
        ),
        user("finance", attributes='flowable:candidateGroups="finance"'),
        '<bpmn:parallelGateway id="join"/>',
        '<bpmn:serviceTask id="number" camunda:type="external" camunda:topic="give-number"/>',
        '<bpmn:callActivity id="seal" calledElement="stamping"/>',
        '<bpmn:subProcess id="sub"><bpmn:startEvent id="ss"/><bpmn:manualTask id="file" name="归档"/><bpmn:endEvent id="se"/>',
        flow("ss", "file"),
        flow("file", "se"),
        "</bpmn:subProcess>",
        '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="m1"/></bpmn:intermediateCatchEvent>',
        '<bpmn:endEvent id="e" name="办结"><bpmn:extensionElements><tongban:end state="passed"/></bpmn:extensionElements></bpmn:endEvent>',
        '<bpmn:endEvent id="dead"><bpmn:terminateEventDefinition/></bpmn:endEvent>',
        flow("s", "draft"),
        flow("draft", "review"),
        flow("review", "gw"),
        flow("gw", "draft", "${outcome == 'returned'}"),
        flow("gw", "dead", '=outcome = "refused"'),
        flow("gw", "fork"),
        flow("fork", "cosign"),
        flow("fork", "finance"),
        flow("cosign", "join"),
        flow("finance", "join"),
        flow("join", "number"),
        flow("number", "seal"),
        flow("seal", "sub"),
        flow("sub", "wait"),
        flow("wait", "e"),
        flow("late", "remind"),
        attributes='name="发文办理" isExecutable="false"',
        name="dispatch",
    ),
)
"""A process as a modeller of the Camunda family saves it, with a little of everything that runs."""

_FOLDERS: Final = [one / "shared" / "samples" / "bpmn" for one in Path(__file__).resolve().parents]


def sample_files() -> list[Path]:
    """Files that other programs wrote, where their folder is present; else none."""
    folder = next((one for one in _FOLDERS if one.is_dir()), None)
    return sorted(folder.glob("*.bpmn")) if folder else []
