"""A process as a list of steps: plain BPMN by the schema, run by the machine, read back; what is no list says why."""

from typing import Any

import msgspec
import pytest
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnValidator

from server_stub.workflow.machine import Machine
from server_stub.workflow.options import StepOptions
from server_stub.workflow.reading import read_bpmn
from server_stub.workflow.step_list import (
    BranchStep,
    CallStep,
    Choice,
    EndStep,
    Lane,
    ParallelStep,
    PersonStep,
    ScriptStep,
    ServiceStep,
    StepList,
    StepListRefused,
)
from server_stub.workflow.step_list_read import NotAList, read_step_list
from server_stub.workflow.step_list_write import write_step_list
from tests.helpers.office_bpmn import DISPATCH, END, START, bpmn, flow, one_node, process, user


def person(name: str, *performers: str, **more: Any) -> PersonStep:
    return PersonStep(id=name, name=name, options=StepOptions(performers=performers, **more))


DONE = EndStep(id="done", name="办结", state="stamped")
SEAL = StepList(
    id="seal",
    name="用印申请",
    steps=(
        person("apply", "starter"),
        person("head", "departmentHead", limit="1d", urge_after="0h"),
        BranchStep(
            id="refusal",
            choices=(Choice(name="拒绝", condition='outcome == "refused"', steps=(EndStep(id="no", state="refused"),)),),
        ),
        BranchStep(
            id="copies",
            choices=(Choice(name="份数>2", condition="record.copies > 2", steps=(person("office", "post:办公室/主任"),)),),
        ),
        ScriptStep(id="count", name="计数", script="copies = record.copies"),
        ParallelStep(
            id="both",
            lanes=(
                Lane(steps=(person("keeper", "field:sealId.keeperId"),)),
                Lane(name="传阅", steps=(person("readers", "field:readers", kind="read", count="all"), ServiceStep(id="n", name="编号", service="number"))),
            ),
        ),
        CallStep(id="archive", name="归档", process="filing"),
        DONE,
    ),
)  # fmt: skip


def test_it_is_written_as_bpmn_that_the_schema_accepts() -> None:
    data = write_step_list(SEAL)
    BpmnValidator().validate(etree.fromstring(data))
    root = etree.fromstring(data)
    di = "{http://www.omg.org/spec/BPMN/20100524/DI}"
    drawn = {one.get("bpmnElement") for one in root.iter(f"{di}BPMNShape", f"{di}BPMNEdge")}
    in_process = {one.get("id") for one in root[0] if one.get("id")}
    assert drawn == in_process
    labels = {one.getparent().get("bpmnElement") for one in root.iter(f"{di}BPMNLabel")}
    named = {
        one.get("id") for one in root[0] if one.get("name") and "Task" not in one.tag and "callActivity" not in one.tag
    }
    assert labels == named
    assert len(named) == 4
    assert b"multiInstanceLoopCharacteristics" in data


def test_it_comes_back_as_it_was() -> None:
    file = read_bpmn(write_step_list(SEAL))
    assert file.notes == ()
    assert read_step_list(file) == SEAL
    assert msgspec.json.decode(msgspec.json.encode(SEAL), type=StepList) == SEAL


def test_it_runs() -> None:
    file = read_bpmn(write_step_list(SEAL))
    filing = read_bpmn(
        write_step_list(StepList(id="filing", name="归档", steps=(person("file", "role:archive"), EndStep(id="end"))))
    )
    trace = []
    machine = Machine.start(file, {"filing": filing}, {"record": {"copies": 3}}, 0, service=lambda _name, _data: {})
    while machine.tokens:
        token = machine.tokens[0]
        trace.append(token.step_id)
        machine.complete(token.id, {"outcome": "approved"}, 0)
    assert trace == ["apply", "head", "office", "keeper", "readers", "file"]
    assert machine.ended_at == ("done",)
    assert file.ends["done"].state == "stamped"
    refused = Machine.start(file, {"filing": filing}, {"record": {"copies": 3}}, 0)
    for outcome in ("submitted", "refused"):
        refused.complete(refused.tokens[0].id, {"outcome": outcome}, 0)
    assert refused.ended_at == ("no",)


def branch(*choices: Choice, **more: Any) -> BranchStep:
    return BranchStep(id="b", choices=choices, **more)


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ((), ("p", "tooMany")),
        ((person("a", "starter"),), ("p", "noEnd")),
        ((DONE, person("a"), EndStep(id="e2")), ("done", "unreachable")),
        ((person("a"), person("a"), DONE), ("a", "badId")),
        ((person("Flow_1"), DONE), ("Flow_1", "badId")),
        ((person("Start"), DONE), ("Start", "badId")),
        ((branch(Choice(condition="x ="), Choice(condition="1", steps=(person("a"),))), DONE), ("b", "expression")),
        ((branch(Choice(condition="${x}", steps=(person("a"),))), DONE), ("b", "expression")),
        ((branch(Choice(condition="x"), otherwise=Choice()), DONE), ("b", "badBranch")),
        ((branch(Choice(steps=(person("a"),))), DONE), ("b", "badBranch")),
        ((branch(), DONE), ("b", "badBranch")),
        ((ParallelStep(id="q", lanes=(Lane(steps=(person("a"),)),)), DONE), ("q", "badParallel")),
        (
            (ParallelStep(id="q", lanes=(Lane(steps=(person("a"),)), Lane(steps=(EndStep(id="z"),)))), DONE),
            ("z", "endInParallel"),
        ),
        ((ScriptStep(id="x", name="", script="import os"), DONE), ("x", "expression")),
        ((ServiceStep(id="x", name="", service=""), DONE), ("x", "noService")),
        ((PersonStep(id="x", name="two\nlines"), DONE), ("x", "badName")),
        ((EndStep(id="x", state="Not A State"),), ("x", "badState")),
    ],
)
def test_lists_that_are_no_process_are_refused(steps: Any, problem: tuple[str, str]) -> None:
    with pytest.raises(StepListRefused) as refusal:
        write_step_list(StepList(id="p", name="流程", steps=steps))
    assert problem in [(one.element, one.code) for one in refusal.value.problems]


def test_a_deeply_nested_list_is_refused() -> None:
    steps: tuple[Any, ...] = (person("a0"),)
    for n in range(30):
        steps = (BranchStep(id=f"b{n}", choices=(Choice(condition="x", steps=steps),)),)
    with pytest.raises(StepListRefused, match="nested deeper"):
        write_step_list(StepList(id="p", name="", steps=(*steps, DONE)))


@pytest.mark.parametrize(
    ("data", "element"),
    [
        (DISPATCH, "draft"),
        (
            one_node(
                '<bpmn:subProcess id="a"><bpmn:startEvent id="s2"/><bpmn:endEvent id="e2"/>'
                + flow("s2", "e2")
                + "</bpmn:subProcess>"
            ),
            "a",
        ),
        (
            bpmn(
                process(
                    START,
                    user(),
                    END,
                    '<bpmn:exclusiveGateway id="g" default="g_e"/>',
                    flow("s", "a"),
                    flow("a", "g"),
                    flow("g", "e"),
                    flow("g", "a", "x"),
                )
            ),
            "a",
        ),
    ],
)
def test_other_shapes_say_why_they_are_no_list(data: bytes, element: str) -> None:
    reason = read_step_list(read_bpmn(data))
    assert isinstance(reason, NotAList)
    assert reason.element == element
    assert reason.zh
    assert reason.en


def test_a_plain_file_of_another_modeller_is_a_list() -> None:
    found = read_step_list(read_bpmn(one_node(user(attributes='camunda:assignee="${starter}"'))))
    assert isinstance(found, StepList)
    assert [one.id for one in found.steps] == ["a", "e"]
