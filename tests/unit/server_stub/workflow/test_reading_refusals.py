"""Files that cannot run, and hostile ones: refused with the element and the reason, in bounded time, and never a crash."""

import time

import pytest

from server_stub.workflow.process_file import BpmnRefused
from server_stub.workflow.reading import read_bpmn
from tests.helpers.office_bpmn import END, HEAD, START, bpmn, choice, flow, one_node, process, user

TIMER = "<bpmn:timerEventDefinition><bpmn:timeDuration>{}</bpmn:timeDuration></bpmn:timerEventDefinition>"


def refused(data: bytes) -> list[tuple[str, str]]:
    with pytest.raises(BpmnRefused) as refusal:
        read_bpmn(data)
    assert all(one.zh and one.en for one in refusal.value.problems)
    return [(one.element, one.code) for one in refusal.value.problems]


def catching(definition: str) -> bytes:
    return one_node(f'<bpmn:intermediateCatchEvent id="a">{definition}</bpmn:intermediateCatchEvent>')


def scripted(script: str) -> bytes:
    return one_node(f'<bpmn:scriptTask id="a"><bpmn:script>{script}</bpmn:script></bpmn:scriptTask>')


CANNOT_RUN = {
    "no start": (bpmn(process(user(), END, flow("a", "e"))), ("p", "noStart")),
    "no process": (bpmn(), ("", "noProcess")),
    "several starts": (one_node(user(), more='<bpmn:startEvent id="s2"/>' + flow("s2", "a")), ("s2", "severalStarts")),
    "choreography": (bpmn('<bpmn:choreography id="ch"/>', process(START)), ("ch", "choreography")),
    "choreography task": (one_node('<bpmn:choreographyTask id="a"/>'), ("a", "unsupported")),
    "rule task": (one_node('<bpmn:businessRuleTask id="a"/>'), ("a", "unsupported")),
    "unknown element": (one_node(user(), more='<bpmn:teleport id="x"/>'), ("x", "unsupported")),
    "loose flow": (one_node(user(), more=flow("a", "nowhere")), ("a_nowhere", "dangling")),
    "flow into the start": (one_node(user(), more=flow("a", "s")), ("a_s", "wrongWay")),
    "unreachable step": (one_node(user(), more=user("b") + flow("b", "e")), ("b", "unreachable")),
    "gateway without way out": (one_node(user(), more='<bpmn:exclusiveGateway id="g"/>' + flow("a", "g")), ("g", "noWayOut")),
    "no way to an end": (bpmn(process(START, user(), user("b"), flow("s", "a"), flow("a", "b"), flow("b", "a"))), ("p", "noEnd")),
    "a bean of another engine": (choice("${bean.check(execution)}"), ("g_b", "expression")),
    "a script as condition": (choice("if (x) return true;"), ("g_b", "expression")),
    "builtins in a condition": (choice("__import__('os').system('id')"), ("g_b", "expression")),
    "dunder in a condition": (choice("record.__class__.__mro__"), ("g_b", "expression")),
    "event sub-process": (one_node(user(), more='<bpmn:subProcess id="x" triggeredByEvent="true"/>'), ("x", "eventSubProcess")),
    "empty sub-process": (one_node('<bpmn:subProcess id="a"/>'), ("a", "noStart")),
    "call of nothing": (one_node('<bpmn:callActivity id="a"/>'), ("a", "noCalled")),
    "call of an expression": (one_node('<bpmn:callActivity id="a" calledElement="${x}"/>'), ("a", "noCalled")),
    "global task": (one_node('<bpmn:callActivity id="a" calledElement="gt"/>', roots='<bpmn:globalUserTask id="gt"/>'), ("a", "globalTask")),
    "call of itself": (one_node('<bpmn:callActivity id="a" calledElement="p"/>'), ("p", "circle")),
    "same id twice": (one_node(user(), more=user("a")), ("a", "duplicateId")),
    "no id": (one_node("<bpmn:userTask/>", more=user()), ("", "badId")),
    "odd id": (one_node(user("a b"), "a b"), ("a b", "badId")),
    "timer without time": (catching("<bpmn:timerEventDefinition/>"), ("a", "noTime")),
    "cron": (catching(TIMER.format("0 0 9 * * ?")), ("a", "badTime")),
    "endless repetition": (
        one_node(user(), more='<bpmn:boundaryEvent id="x" attachedToRef="a" cancelActivity="false"><bpmn:timerEventDefinition>'
                 '<bpmn:timeCycle>R/PT0S</bpmn:timeCycle></bpmn:timerEventDefinition></bpmn:boundaryEvent>'),
        ("x", "badTime"),
    ),
    "waits for nothing": (catching(""), ("a", "noEvent")),
    "conditional event": (catching("<bpmn:conditionalEventDefinition/>"), ("a", "unsupported")),
    "link": (catching("<bpmn:linkEventDefinition/>"), ("a", "unsupported")),
    "unattached": (
        one_node(user(), more=f'<bpmn:boundaryEvent id="x" attachedToRef="zz">{TIMER.format("PT1H")}</bpmn:boundaryEvent>'),
        ("x", "notAttached"),
    ),
    "cancel outside": (
        one_node(user(), more='<bpmn:endEvent id="x"><bpmn:cancelEventDefinition/></bpmn:endEvent>' + flow("a", "x")),
        ("x", "cancelOutside"),
    ),
    "instances of nothing": (
        one_node('<bpmn:callActivity id="a" calledElement="q"><bpmn:multiInstanceLoopCharacteristics/></bpmn:callActivity>'),
        ("a", "manyOfNothing"),
    ),
    "a loop of a step": (one_node(user(inside="<bpmn:standardLoopCharacteristics/>")), ("a", "unsupported")),
    "importing script": (scripted("import os"), ("a", "script")),
    "calling script": (scripted("x = open('/etc/passwd')"), ("a", "script")),
    "overwriting script": (scripted("record = 1"), ("a", "script")),
    "groovy": (scripted("def f() { return 1 }"), ("a", "script")),
    "compensation": (one_node('<bpmn:serviceTask id="a" isForCompensation="true"/>'), ("a", "unsupported")),
    "misplaced": (one_node(user(inside=user("inner"))), ("inner", "misplaced")),
}  # fmt: skip


@pytest.mark.parametrize("name", CANNOT_RUN)
def test_what_cannot_run_is_refused_with_element_and_reason(name: str) -> None:
    data, problem = CANNOT_RUN[name]
    assert problem in refused(data)


def test_each_gateway_way_without_condition_is_named() -> None:
    gate = '<bpmn:exclusiveGateway id="g"/>'
    data = bpmn(
        process(
            START,
            gate,
            user(),
            user("b"),
            END,
            flow("s", "g"),
            flow("g", "a"),
            flow("g", "b"),
            flow("a", "e"),
            flow("b", "e"),
        )
    )
    assert refused(data) == [("g_a", "noCondition"), ("g_b", "noCondition")]


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">'.encode() for i in range(9))
    + b"]>"
)
HOSTILE = {
    "billion laughs": LAUGHS + HEAD.partition("\n")[2].encode() + b"&j;</bpmn:definitions>",
    "laughs in an attribute": LAUGHS + b'<a b="&j;"/>',
    "file entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
    "remote DTD": b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><a/>',
    "hidden in UTF-16": '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
    "deep nesting": HEAD.encode() + b"<bpmn:a>" * 200_000,
    "well-formed deep nesting": HEAD.encode() + b"<x>" * 100 + b"</x>" * 100 + b"</bpmn:definitions>",
    "ten megabytes of text": one_node(user(inside="<bpmn:documentation>" + "字" * 3_500_000 + "</bpmn:documentation>")),
    "a long text": one_node(user(inside="<bpmn:documentation>" + "x" * 1_500_000 + "</bpmn:documentation>")),
    "a huge attribute": one_node(user(attributes=f'camunda:assignee="{"x" * 1_000_000}"')),
    "very many elements": bpmn(process(START, *(f'<bpmn:endEvent id="e{n}"/>' for n in range(30_000)))),
    "very many steps": one_node(user(), more="".join(user(f"u{n}") for n in range(300))),
    "an encoding nobody has": b'<?xml version="1.0" encoding="utf-7"?><a/>',
    "nothing": b"",
    "no XML": b"PK\x03\x04 this is a zip",
    "another XML": b"<html/>",
    "bytes of no encoding": HEAD.encode() + b"\xff\xfe\xfd</bpmn:definitions>",
    "a nested expression": choice("(" * 1_900 + "1" + ")" * 90),
    "an expression of nots": choice("not " * 400 + "x"),
    "a long expression": choice("x + " * 5_000 + "x"),
    "nested ternaries": choice("${" + "a ? b : " * 200 + "c}"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_bounded_time(name: str) -> None:
    begun = time.process_time()
    assert refused(HOSTILE[name])
    assert time.process_time() - begun < 2


def test_the_longest_chain_that_is_let_in_runs() -> None:
    steps = [user(f"u{n}") for n in range(198)]
    chain = [flow("s", "u0"), *(flow(f"u{n}", f"u{n + 1}") for n in range(197)), flow("u197", "e")]
    assert len(read_bpmn(bpmn(process(START, *steps, END, *chain))).steps) == 198


def test_chinese_encodings_are_read() -> None:
    text = (
        one_node(user()).decode().replace('name="a"', 'name="审批"').replace('encoding="UTF-8"', 'encoding="GB18030"')
    )
    assert read_bpmn(text.encode("gb18030")).steps["a"].name == "审批"
    assert read_bpmn(one_node(user()).decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")).steps
