"""Files of other modellers: what is changed so that they run, said in notes; reading what was read changes nothing more."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnValidator

from server_stub.workflow.machine import Machine
from server_stub.workflow.process_file import BpmnRefused, Many, ProcessFile
from server_stub.workflow.reading import find_call_circle, read_bpmn
from tests.helpers.office_bpmn import (
    DISPATCH,
    END,
    START,
    bpmn,
    choice,
    flow,
    one_node,
    process,
    sample_files,
    user,
)

MINUTE = 60_000


def codes(file: ProcessFile) -> list[str]:
    return [one.code for one in file.notes]


def options_of(task: str, **more: str) -> Any:
    return read_bpmn(one_node(task, **more)).steps["a"].options


def test_an_office_process_of_a_modeller_reads_with_a_report() -> None:
    file = read_bpmn(DISPATCH)
    assert (file.id, file.name) == ("dispatch", "发文办理")
    assert list(file.steps) == ["draft", "review", "cosign", "finance", "file"]
    assert file.steps["draft"].options.performers == ("starter",)
    assert [one.name for one in file.steps["draft"].options.actions] == ["submit"]
    assert file.steps["review"].options.performers == ("role:office", "role:leaders")
    assert file.steps["review"].options.limit == "2d"
    assert "return" in [one.name for one in file.steps["review"].options.actions]
    assert file.steps["finance"].options.performers == ("role:finance",)
    assert file.steps["file"].parent == "sub"
    assert file.steps["file"].manual
    assert file.called == ("stamping",)
    assert file.services == {"number": "give-number"}
    assert file.messages == ("paid",)
    assert file.ends["e"].state == "passed"
    assert file.ends["dead"].kind == "terminate"
    assert {
        "executable",
        "timerQuoted",
        "expression",
        "many",
        "scriptRewritten",
        "service",
        "performers",
        "limit",
    } <= set(codes(file))
    assert all(one.zh and one.en for one in file.notes)


def test_the_instances_of_a_step_are_taken_off_the_file() -> None:
    file = read_bpmn(DISPATCH)
    assert file.steps["cosign"].many == Many(
        collection="record.signers",
        variable="signer",
        results="cosign_results",
        result="cosign_result",
        completion="numberOfCompletedInstances >= 2",
    )
    assert file.steps["cosign"].options.count == "all"
    assert b"multiInstance" not in file.xml


def test_reading_what_was_read_changes_nothing() -> None:
    file = read_bpmn(DISPATCH)
    again = read_bpmn(file.xml)
    assert (again.xml, again.sha256, again.steps, again.ends) == (file.xml, file.sha256, file.steps, file.ends)
    assert again.notes == ()


def test_it_runs_to_its_end() -> None:
    stamping = read_bpmn(one_node(user(), more="").replace(b'id="p"', b'id="stamping"'))
    machine = Machine.start(
        read_bpmn(DISPATCH), {"stamping": stamping}, {"record": {}}, 0, service=lambda _name, _data: {"number": 7}
    )
    trace = []
    for outcome in ("submitted", "returned", "submitted", "approved", "ok", "ok", "ok", "ok"):
        token = machine.tokens[0]
        trace.append(token.step_id)
        machine.complete(token.id, {"outcome": outcome}, MINUTE)
    assert trace == ["draft", "review", "draft", "review", "cosign", "finance", "a", "file"]
    assert "wait" not in machine.ended_at
    assert machine.message("paid", {}, MINUTE)
    assert machine.finished
    assert machine.ended_at == ("e",)
    assert machine.data["number"] == 7


def test_a_quoted_timer_fires() -> None:
    machine = Machine.start(
        read_bpmn(DISPATCH), {"stamping": read_bpmn(one_node(user()).replace(b'"p"', b'"stamping"'))}, {}, 0
    )
    machine.complete(machine.tokens[0].id, {}, 0)
    assert machine.next_due() == 24 * 60 * MINUTE
    assert machine.refresh(25 * 60 * MINUTE) == ("late",)
    assert machine.data["reminded"] is True


@pytest.mark.parametrize("path", sample_files(), ids=lambda one: one.name)
def test_files_that_others_wrote_load_with_a_report_or_are_refused(path: Path) -> None:
    try:
        file = read_bpmn(path.read_bytes())
    except BpmnRefused as refusal:
        problems = refusal.problems
    else:
        _check_sample(file)
        return
    assert all(one.element and one.zh and one.en for one in problems)


def _check_sample(file: ProcessFile) -> None:
    assert file.steps
    assert read_bpmn(file.xml).steps == file.steps
    BpmnValidator().validate(etree.fromstring(file.xml))
    machine = Machine.start(
        file, {}, {"record": {}, "approved": True, "clarified": "no"}, 0, service=lambda _name, _data: {}
    )
    for _turn in range(20):
        if not machine.tokens:
            break
        machine.complete(machine.tokens[0].id, {}, 0)
    assert machine.finished


@pytest.mark.parametrize(
    ("written", "ours"),
    [
        ("outcome == 'a'", "outcome == 'a'"),
        ("${outcome == 'a' &amp;&amp; !done}", "outcome == 'a' and not done"),
        ("#{execution.getVariable('x') ge 3}", "x >= 3"),
        ('=amount &gt; 5 and kind = "x"', 'amount > 5 and kind == "x"'),
        ("${record.signers.size() gt 2}", "(len(record.signers)) > 2"),
        ("approved == true", "approved == True"),
        ("${empty record.remark}", "not record.remark"),
    ],
)
def test_conditions_of_other_engines_become_ours(written: str, ours: str) -> None:
    assert f">{ours.replace('>', '&gt;')}<".encode() in read_bpmn(choice(written)).xml


@pytest.mark.parametrize(
    ("attributes", "performers"),
    [
        ('camunda:assignee="${initiator}"', ("starter",)),
        ('activiti:assignee="zhangmin"', ("person:zhangmin",)),
        ('flowable:assignee="${execution.managerId}"', ("field:managerId",)),
        ('flowable:candidateUsers="a, b"', ("person:a", "person:b")),
        ('camunda:candidateGroups="Seal Keepers,财务"', ("role:seal-keepers", "post:财务")),
        ('camunda:assignee="departmentHead"', ("departmentHead",)),
        ("", ()),
    ],
)
def test_who_acts_in_the_words_of_others(attributes: str, performers: tuple[str, ...]) -> None:
    options = options_of(user(attributes=attributes))
    assert options.performers == performers
    assert options.fallback == ("role:admin",)


def test_a_zeebe_task_says_who_and_by_when_in_elements() -> None:
    inside = (
        '<bpmn:extensionElements><zeebe:assignmentDefinition assignee="=initiator" candidateGroups="finance"/>'
        '<zeebe:taskSchedule dueDate="=record.deadline"/></bpmn:extensionElements>'
    )
    options = options_of(user(inside=inside))
    assert (options.performers, options.limit) == (("starter", "role:finance"), "field:deadline")


def test_potential_owners_and_lanes_are_hints() -> None:
    expression = "<bpmn:formalExpression>user(li), group(legal)</bpmn:formalExpression>"
    words = f"<bpmn:resourceAssignmentExpression>{expression}</bpmn:resourceAssignmentExpression>"
    owner = f"<bpmn:potentialOwner>{words}</bpmn:potentialOwner>"
    assert options_of(user(inside=owner)).performers == ("person:li", "role:legal")
    lane = '<bpmn:laneSet id="ls"><bpmn:lane id="l" name="办公室"><bpmn:flowNodeRef> a </bpmn:flowNodeRef></bpmn:lane></bpmn:laneSet>'
    file = read_bpmn(one_node(user(), more=lane))
    assert file.steps["a"].options.performers == ("post:办公室",)
    assert codes(file) == ["performersFromLane"]


def test_our_own_options_are_read_in_full() -> None:
    step = (
        '<bpmn:extensionElements><tongban:step performers="post:办公室/主任, of:draft" fallback="role:office" count="2" order="sequential" kind="handle" '
        'opinion="onReturn" signature="onApprove" attachments="false" editable="title,lines.amount" required="title" limit="1d" urgeAfter="0h" '
        'escalateAfter="1d" onOverdue="approve" overdueAfter="2d" skipRepeated="true" chooses="later" state="inReview">'
        '<tongban:label zh="审核" en="Review"/><tongban:action name="approve" outcome="stamped" zh="已盖章" en="Stamped" opinion="none"/></tongban:step>'
        "</bpmn:extensionElements>"
    )
    file = read_bpmn(one_node(user(inside=step)))
    options = file.steps["a"].options
    assert options.performers == ("post:办公室/主任", "of:draft")
    assert (options.count, options.order, options.opinion, options.signature) == (
        2,
        "sequential",
        "onReturn",
        "onApprove",
    )
    assert (options.attachments, options.editable, options.required) == (False, ("title", "lines.amount"), ("title",))
    assert (options.limit, options.urge_after, options.escalate_after) == ("1d", "0h", "1d")
    assert (options.on_overdue, options.overdue_after, options.skip_repeated) == ("approve", "2d", True)
    assert (options.chooses, options.state, options.label and options.label.zh) == (("later",), "inReview", "审核")
    (action,) = options.actions
    assert (action.name, action.outcome, action.opinion, action.label and action.label.en) == (
        "approve",
        "stamped",
        "none",
        "Stamped",
    )
    assert file.notes == ()


@pytest.mark.parametrize(
    "broken",
    ['performers="nobody:x"', 'count="0"', 'colour="red"', 'limit="soon"', 'onOverdue="dance"', 'attachments="maybe"'],
)
def test_options_that_cannot_be_meant_are_refused(broken: str) -> None:
    inside = f"<bpmn:extensionElements><tongban:step {broken}/></bpmn:extensionElements>"
    with pytest.raises(BpmnRefused) as refusal:
        read_bpmn(one_node(user(inside=inside)))
    assert [(one.element, one.code) for one in refusal.value.problems] == [("a", "badOptions")]


def test_several_ways_out_of_a_task_leave_through_a_gateway() -> None:
    content = START, user(), user("b"), user("c"), END, flow("s", "a"), flow("b", "e"), flow("c", "e")
    both = read_bpmn(bpmn(process(*content, flow("a", "b"), flow("a", "c"))))
    assert b"parallelGateway" in both.xml
    one = read_bpmn(bpmn(process(*content, flow("a", "b", "x &gt; 1"), flow("a", "c"))))
    assert b"inclusiveGateway" in one.xml
    machine = Machine.start(one, {}, {"x": 0}, 0)
    machine.complete(machine.tokens[0].id, {}, 0)
    assert [token.step_id for token in machine.tokens] == ["c"]


def test_what_nothing_follows_ends() -> None:
    file = read_bpmn(bpmn(process(START, user(), flow("s", "a"))))
    assert codes(file) == ["noPerformers", "endAdded"]
    assert len(file.ends) == 1


def test_ids_the_engine_keeps_for_itself_are_changed_everywhere() -> None:
    data = bpmn(process('<bpmn:startEvent id="Start"/>', user("End"), END, flow("Start", "End"), flow("End", "e")))
    file = read_bpmn(data)
    assert list(file.steps) == ["End_"]
    assert codes(file).count("renamed") == 2
    Machine.start(file, {}, {}, 0)


def test_one_of_several_starts_and_events_at_the_start_are_left_out() -> None:
    timer = '<bpmn:startEvent id="t"><bpmn:timerEventDefinition/></bpmn:startEvent>'
    file = read_bpmn(one_node(user(), more=timer + flow("t", "a")))
    assert codes(file) == ["startDropped", "noPerformers"]
    message = START.replace("/>", "><bpmn:messageEventDefinition/></bpmn:startEvent>")
    assert "plainStart" in codes(read_bpmn(one_node(user()).replace(START.encode(), message.encode())))


def test_the_executable_process_is_the_main_one_and_pools_that_talk_to_it_go() -> None:
    pools = (
        '<bpmn:collaboration id="c"><bpmn:participant id="p1" name="客户" processRef="other"/>'
        '<bpmn:participant id="p2" name="我们" processRef="p"/><bpmn:messageFlow id="m" sourceRef="x" targetRef="a"/></bpmn:collaboration>'
    )
    other = process(
        START.replace('"s"', '"so"'),
        user("x"),
        '<bpmn:endEvent id="eo"/>',
        flow("so", "x"),
        flow("x", "eo"),
        name="other",
        attributes="",
    )
    ours = process(START, user(), END, flow("s", "a"), flow("a", "e"))
    file = read_bpmn(bpmn(pools, other, ours))
    assert (file.id, file.name, list(file.steps)) == ("p", "我们", ["a"])
    assert b"messageFlow" not in file.xml
    calling = process(
        START, '<bpmn:callActivity id="a" calledElement="bpmn:other"/>', END, flow("s", "a"), flow("a", "e")
    )
    both = read_bpmn(bpmn(other, calling))
    assert (both.id, both.called) == ("p", ())
    assert both.steps["x"].process == "other"


def test_instances_of_a_call_are_made_complete() -> None:
    loop = '<bpmn:multiInstanceLoopCharacteristics isSequential="true" flowable:collection="${record.units}" flowable:elementVariable="unit"/>'
    call = f'<bpmn:callActivity id="a" calledElement="q">{loop}</bpmn:callActivity>'
    file = read_bpmn(one_node(call))
    called = read_bpmn(one_node(user("x"), "x").replace(b'id="p"', b'id="q"'))
    machine = Machine.start(file, {"q": called}, {"record": {"units": ["u1", "u2"]}}, 0)
    items = []
    while machine.tokens:
        items.append(machine.tokens[0].item)
        machine.complete(machine.tokens[0].id, {}, 0)
    assert items == ["u1", "u2"]


def test_circles_over_several_files_are_found() -> None:
    def calls(name: str, target: str) -> ProcessFile:
        data = one_node(f'<bpmn:callActivity id="a" calledElement="{target}"/>')
        return read_bpmn(data.replace(b'id="p"', f'id="{name}"'.encode()))

    one, two, three = calls("one", "two"), calls("two", "three"), calls("three", "one")
    assert find_call_circle(one, {"two": two, "three": three}) == ("one", "two", "three", "one")
    assert find_call_circle(one, {"two": two}) == ()


@pytest.mark.parametrize(
    ("task", "name"),
    [
        ('<bpmn:serviceTask id="a" activiti:class="com.example.SealService"/>', "SealService"),
        ('<bpmn:serviceTask id="a" flowable:delegateExpression="${numberService}"/>', "numberService"),
        ('<bpmn:serviceTask id="a" camunda:expression="${archive.store(execution)}"/>', "archive"),
        ('<bpmn:serviceTask id="a" name="归档" implementation="##WebService"/>', "归档"),
        ('<bpmn:sendTask id="a" camunda:type="external" camunda:topic="send"/>', "send"),
        (
            '<bpmn:serviceTask id="a"><bpmn:extensionElements><zeebe:taskDefinition type="mail"/></bpmn:extensionElements></bpmn:serviceTask>',
            "mail",
        ),
        (
            '<bpmn:serviceTask id="a"><bpmn:extensionElements><tongban:service name="number"/></bpmn:extensionElements></bpmn:serviceTask>',
            "number",
        ),
    ],
)
def test_services_are_found_by_name(task: str, name: str) -> None:
    assert read_bpmn(one_node(task)).services == {"a": name}


def test_zeebe_says_instances_calls_and_scripts_in_elements() -> None:
    loop = (
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:extensionElements>"
        '<zeebe:loopCharacteristics inputCollection="=record.signers" inputElement="signer" outputCollection="opinions"/>'
        "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
    )
    many = read_bpmn(one_node(user(inside=loop))).steps["a"].many
    assert many is not None
    assert (many.collection, many.variable, many.results) == ("record.signers", "signer", "opinions")
    call = '<bpmn:callActivity id="a"><bpmn:extensionElements><zeebe:calledElement processId="seal"/></bpmn:extensionElements></bpmn:callActivity>'
    assert read_bpmn(one_node(call)).called == ("seal",)
    zeebe = '<zeebe:script expression="=x + 1" resultVariable="y"/>'
    script = f'<bpmn:scriptTask id="a"><bpmn:extensionElements>{zeebe}</bpmn:extensionElements></bpmn:scriptTask>'
    assert b"<bpmn:script>y = x + 1</bpmn:script>" in read_bpmn(one_node(script)).xml


def test_instances_over_a_data_input_are_those_of_its_source() -> None:
    inside = (
        '<bpmn:ioSpecification><bpmn:dataInput id="in1"/><bpmn:inputSet><bpmn:dataInputRefs>in1</bpmn:dataInputRefs></bpmn:inputSet></bpmn:ioSpecification>'
        "<bpmn:dataInputAssociation><bpmn:sourceRef>prop1</bpmn:sourceRef><bpmn:targetRef>in1</bpmn:targetRef></bpmn:dataInputAssociation>"
        "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopDataInputRef>in1</bpmn:loopDataInputRef></bpmn:multiInstanceLoopCharacteristics>"
    )
    file = read_bpmn(one_node(user(inside=inside), more='<bpmn:property id="prop1" name="signers"/>'))
    many = file.steps["a"].many
    assert many is not None
    assert many.collection == "signers"


def test_only_the_mark_of_instances_means_all_performers() -> None:
    marked = user(
        inside='<bpmn:multiInstanceLoopCharacteristics isSequential="true"/>', attributes='camunda:candidateUsers="a,b"'
    )
    step = read_bpmn(one_node(marked)).steps["a"]
    assert (step.many, step.options.count, step.options.order) == (None, "all", "sequential")


def test_a_timer_of_another_dialect_is_read() -> None:
    for written, kept in (
        ("P1D", '"P1D"'),
        ("'PT4H'", '"PT4H"'),
        ('=duration("PT1H")', '"PT1H"'),
        ("${record.deadline}", "record.deadline"),
    ):
        wait = (
            f"<bpmn:timerEventDefinition><bpmn:timeDuration>{written}</bpmn:timeDuration></bpmn:timerEventDefinition>"
        )
        file = read_bpmn(one_node(f'<bpmn:intermediateCatchEvent id="a">{wait}</bpmn:intermediateCatchEvent>'))
        assert f">{kept}<".encode() in file.xml.replace(b"&quot;", b'"')
