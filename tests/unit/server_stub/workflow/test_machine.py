"""The machine: each kind of element, loops, instances, calls, going back, what comes next, services."""

from collections.abc import Mapping
from typing import Any

import pytest

from server_stub.workflow.machine import Machine, Thrown, check_process
from server_stub.workflow.machine_faults import (
    CannotGoBack,
    NoSuchToken,
    ProcessFailed,
    ProcessRefused,
    ProcessRunaway,
    ProcessStuck,
    ProcessTooLarge,
)
from server_stub.workflow.process_file import ProcessFile
from server_stub.workflow.reading import read_bpmn
from tests.helpers.small_bpmn import Draw, many, script, timer


def run(file: ProcessFile, called: Mapping[str, ProcessFile] | None = None, **data: Any) -> Machine:
    return Machine.start(file, called or {}, data, 1_000)


def steps(machine: Machine) -> list[str]:
    return [one.step_id for one in machine.tokens]


def do(machine: Machine, step: str, now: int = 2_000, **data: Any) -> None:
    """Complete the oldest token of a step; the state survives being saved at any moment."""
    token = next(one for one in machine.tokens if one.step_id == step)
    machine.complete(token.id, data, now)


def test_a_token_says_what_is_open_and_since_when() -> None:
    machine = run(Draw().put("userTask", "a", name="拟稿").flow("s a e").file())
    (token,) = machine.tokens
    assert (token.step_id, token.name, token.entered_at, token.within) == ("a", "拟稿", 1_000, ())
    machine.complete(token.id, {"outcome": "approved"}, 5_000)
    assert machine.finished
    assert machine.ended_at == ("e",)
    assert machine.tokens == ()
    assert machine.data == {"outcome": "approved"}
    assert machine.past_steps == ("a",)
    assert machine.error is None
    with pytest.raises(NoSuchToken):
        machine.complete(token.id, {}, 6_000)


def test_manual_tasks_are_steps_too() -> None:
    machine = run(Draw().put("manualTask", "m").flow("s m e").file())
    assert steps(machine) == ["m"]


def test_the_exclusive_gateway_asks_in_order_and_takes_the_default_last() -> None:
    draw = Draw().put("userTask", "a b c d").put("exclusiveGateway", "g").flow("s a g")
    draw.flow("g b", "record.amount > 100").flow("g c", "record.amount > 10").flow("g !d").flow("b e").flow("c e").flow(
        "d e"
    )
    for amount, expected in ((1000, "b"), (50, "c"), (1, "d")):
        machine = run(draw.file())
        do(machine, "a", record={"amount": amount})
        assert steps(machine) == [expected]


def test_a_gateway_without_a_way_out_fails_and_nothing_moves() -> None:
    draw = Draw().put("userTask", "a b").put("exclusiveGateway", "g").flow("s a g")
    draw.flow("g b", "outcome == 'x'").flow("g e", "outcome == 'y'").flow("b e")
    machine = run(draw.file())
    before = machine.save()
    with pytest.raises(ProcessFailed) as failed:
        do(machine, "a", outcome="z", extra=1)
    assert failed.value.element == "g"
    assert steps(machine) == ["a"]
    assert machine.data == {}
    assert machine.save() == before
    do(machine, "a", outcome="x")
    assert steps(machine) == ["b"]


def test_a_name_that_is_not_there_names_the_gateway() -> None:
    draw = Draw().put("userTask", "a b").put("exclusiveGateway", "g").flow("s a g").flow("g b", "nothing.there > 1")
    machine = run(draw.flow("g !e").flow("b e").file())
    with pytest.raises(ProcessFailed, match="nothing") as failed:
        do(machine, "a")
    assert failed.value.element == "g"


def test_parallel_ways_join_in_any_order() -> None:
    draw = (
        Draw().put("userTask", "a b c z").put("parallelGateway", "f j").flow("s f a j z e").flow("f b j").flow("f c j")
    )
    for order in (("a", "b", "c"), ("c", "b", "a"), ("b", "a", "c")):
        machine = run(draw.file())
        assert sorted(steps(machine)) == ["a", "b", "c"]
        for step in order:
            assert "z" not in steps(machine)
            do(machine, step)
        assert steps(machine) == ["z"]


def test_a_join_in_a_loop_waits_for_all_again() -> None:
    draw = Draw().put("userTask", "a b z").put("parallelGateway", "f j").put("exclusiveGateway", "g")
    draw.flow("s f a j z g").flow("f b j").flow("g f", "outcome == 'again'").flow("g !e")
    machine = run(draw.file())
    for _lap in range(4):
        do(machine, "b")
        assert steps(machine) == ["a"]
        do(machine, "a")
        do(machine, "z", outcome="again")
    do(machine, "a")
    assert steps(machine) == ["b"], "what came in the lap before does not count"
    do(machine, "b")
    do(machine, "z", outcome="enough")
    assert machine.finished


def test_an_arrow_back_out_of_parallel_ways_leaves_one_token_over_and_the_case_still_ends() -> None:
    draw = Draw().put("userTask", "d a b").put("parallelGateway", "f j").put("exclusiveGateway", "g")
    draw.flow("s d f a g").flow("g d", "outcome == 'back'").flow("g !j").flow("f b j e")
    machine = run(draw.file())
    do(machine, "d")
    do(machine, "a", outcome="back")
    do(machine, "d", outcome="")
    assert sorted(steps(machine)) == ["a", "b", "b"]
    for step in ("a", "b", "b"):
        do(machine, step)
    assert machine.finished


def test_the_inclusive_gateway_takes_all_that_hold_and_joins_those() -> None:
    draw = Draw().put("userTask", "a b c d z").put("inclusiveGateway", "f j").flow("s a f")
    draw.flow("f b j", "record.b").flow("f c j", "record.c").flow("f !d j").flow("j z e")
    for record, expected in (({"b": 1, "c": 1}, ["b", "c"]), ({"b": 0, "c": 1}, ["c"]), ({"b": 0, "c": 0}, ["d"])):
        machine = run(draw.file())
        do(machine, "a", record=record)
        assert sorted(steps(machine)) == expected
        for step in expected:
            assert "z" not in steps(machine)
            do(machine, step)
        assert steps(machine) == ["z"]


def test_branches_that_never_join_are_told_and_the_step_stays_open() -> None:
    draw = (
        Draw(end="")
        .put("userTask", "a b c")
        .put("exclusiveGateway", "g")
        .put("parallelGateway", "j")
        .put("endEvent", "e")
    )
    draw.flow("s a g").flow("g b", "outcome == 'b'").flow("g !c").flow("b j e").flow("c j")
    machine = run(draw.file())
    do(machine, "a", outcome="b")
    with pytest.raises(ProcessStuck) as stuck:
        do(machine, "b")
    assert stuck.value.element == "j"
    assert steps(machine) == ["b"]


def test_a_plain_end_in_one_branch_does_not_wait_for_a_join_that_cannot_be() -> None:
    draw = (
        Draw()
        .put("userTask", "a b")
        .put("parallelGateway", "f j")
        .put("exclusiveGateway", "g")
        .put("endEvent", "refused")
    )
    draw.flow("s f a g").flow("g refused", "outcome == 'no'").flow("g !j").flow("f b j e")
    machine = run(draw.file())
    do(machine, "b")
    do(machine, "a", outcome="no")
    assert machine.finished
    assert machine.ended_at == ("refused",)


def test_a_terminate_end_ends_all() -> None:
    draw = Draw().put("userTask", "a b").put("parallelGateway", "f")
    draw.put("endEvent", "t", "<bpmn:terminateEventDefinition/>").flow("s f a t").flow("f b e")
    machine = run(draw.file())
    do(machine, "a")
    assert machine.finished
    assert machine.ended_at == ("t",)
    assert machine.tokens == ()


def test_scripts_assign_and_a_bad_one_names_itself() -> None:
    draw = Draw().put(
        "scriptTask", "x", script("level = 'high' if record.amount > 5 else 'low'\nn = len(record.lines)")
    )
    draw.put("userTask", "a").put("scriptTask", "y", script("n = n + missing")).flow("s x a y e")
    machine = run(draw.file(), record={"amount": 9, "lines": [1, 2]})
    assert machine.data["level"] == "high"
    assert machine.data["n"] == 2
    with pytest.raises(ProcessFailed) as failed:
        do(machine, "a")
    assert failed.value.element == "y"


@pytest.mark.parametrize("text", ["__import__('os').system('id')", "().__class__", "[x for x in (1,)]", "open('/x')"])
def test_a_script_reaches_no_builtins(text: str) -> None:
    with pytest.raises(ProcessFailed):
        run(Draw().put("scriptTask", "x", script(f"y = {text}")).put("userTask", "a").flow("s x a e").file())


def test_services_are_called_by_name_and_answer_into_the_data() -> None:
    draw = Draw().put("serviceTask", "x y").put("userTask", "a").flow("s x a y e")
    draw.services = {"x": "take-number"}
    calls: list[tuple[str, Any]] = []

    def service(name: str, data: Mapping[str, Any]) -> Mapping[str, Any]:
        calls.append((name, data["record"]))
        if name == "y":
            raise LookupError("no such book")
        return {"number": 17}

    machine = Machine.start(draw.file(), {}, {"record": {"id": 3}}, 0, service=service)
    assert machine.data["number"] == 17
    with pytest.raises(LookupError, match="no such book"):
        do(machine, "a")
    assert steps(machine) == ["a"], "what the service raises comes through and nothing has moved"
    assert calls == [("take-number", {"id": 3}), ("y", {"id": 3})]
    with pytest.raises(ProcessFailed) as failed:
        run(draw.file())
    assert failed.value.element == "x"


def test_a_loop_without_a_person_is_stopped() -> None:
    draw = Draw().put("userTask", "a").put("scriptTask", "x", script("n = 1")).put("exclusiveGateway", "g")
    draw.flow("s a x g").flow("g x", "n == 1").flow("g !e")
    machine = run(draw.file())
    before = machine.save()
    with pytest.raises(ProcessRunaway):
        do(machine, "a")
    assert machine.save() == before
    assert steps(machine) == ["a"]


def test_a_ring_without_any_way_out_is_stopped_too() -> None:
    draw = Draw().put("scriptTask", "x y", script("n = 1")).put("userTask", "a").flow("s a x y x")
    machine = run(draw.file())
    with pytest.raises(ProcessRunaway):
        do(machine, "a")


def test_a_call_of_itself_is_stopped() -> None:
    file = Draw().put("callActivity", "c", calledElement="p").flow("s c e").file()
    with pytest.raises(ProcessTooLarge, match="deeper"):
        run(file)


def test_data_has_a_size_and_a_kind() -> None:
    machine = run(Draw().put("userTask", "a").flow("s a e").file())
    for bad in ("x" * 600_000, object(), {1, 2}.__iter__()):
        with pytest.raises(ProcessTooLarge):
            do(machine, "a", big=bad)
    assert steps(machine) == ["a"]
    assert machine.data == {}


def test_what_is_given_is_copied() -> None:
    record = {"amount": 1}
    machine = run(Draw().put("userTask", "a").flow("s a e").file(), record=record)
    record["amount"] = 2
    assert machine.data["record"] == {"amount": 1}


# ---------------------------------------------------------------- processes in processes
def inner(process_id: str = "in", step: str = "i") -> Draw:
    return (
        Draw(process_id, f"{process_id}_s", f"{process_id}_e")
        .put("userTask", step)
        .flow(f"{process_id}_s {step} {process_id}_e")
    )


def test_sub_processes_and_calls_share_the_data() -> None:
    called = (
        Draw("called", "cs", "ce")
        .put("scriptTask", "x", script("deep = outcome"))
        .put("userTask", "c")
        .flow("cs x c ce")
    )
    draw = Draw().put("userTask", "a z").put("subProcess", "sub", inner().body())
    draw.put("callActivity", "call", calledElement="called").flow("s a sub call z e")
    machine = run(draw.file(), {"called": called.file()})
    do(machine, "a", outcome="yes")
    assert machine.tokens[0].within == ("sub",)
    do(machine, "i")
    assert machine.data["deep"] == "yes"
    assert machine.tokens[0].within == ("call",)
    assert machine.next_steps(machine.tokens[0].id) == ("z",)
    do(machine, "c")
    assert steps(machine) == ["z"]
    assert machine.past_steps == ("a", "i", "c")
    assert machine.earlier_steps(machine.tokens[0].id) == ("c", "i", "a")


def test_a_missing_called_process_is_refused_before_anything_starts() -> None:
    file = Draw().put("userTask", "a").put("callActivity", "c", calledElement="nowhere").flow("s a c e").file()
    with pytest.raises(ProcessRefused) as refused:
        check_process(file, {})
    assert refused.value.element == "c"


def test_instances_of_a_sub_process_have_their_own_entry() -> None:
    body = inner().body() + many("record.units", condition="numberOfCompletedInstances >= 2")
    draw = Draw().put("subProcess", "sub", body).put("userTask", "z").flow("s sub z e")
    machine = run(draw.file(), record={"units": ["甲", "乙", "丙"]})
    assert [one.item for one in machine.tokens] == ["甲", "乙", "丙"]
    machine = Machine.load(draw.file(), {}, machine.save())
    machine.complete(machine.tokens[1].id, {"result": 1}, 2_000)
    assert [one.item for one in machine.tokens] == ["甲", "丙"]
    machine.complete(machine.tokens[1].id, {"result": 2}, 2_000)
    assert steps(machine) == ["z"], "the third is withdrawn"
    assert machine.data["results"] == [1, 2]
    machine = Machine.load(draw.file(), {}, machine.save())
    kept = machine.save()
    assert machine.earlier_steps(machine.tokens[0].id) == ("i",)
    machine.go_back(machine.tokens[0].id, "i", 3_000)
    assert {(one.step_id, one.item, one.instance) for one in machine.tokens} == {
        ("i", item, str(n)) for n, item in enumerate("甲乙丙")
    }
    machine.complete(next(one.id for one in machine.tokens if one.item == "甲"), {"result": 3}, 4_000)
    assert {one.item for one in machine.tokens} == {"乙", "丙"}, "they are counted anew"
    machine.complete(next(one.id for one in machine.tokens if one.item == "乙"), {"result": 4}, 4_000)
    assert (steps(machine), machine.data["results"]) == (["z"], [3, 4])
    machine = Machine.load(draw.file(), {}, kept)
    machine.go_back(machine.tokens[0].id, "i", 3_000, instance="2")
    assert [one.item for one in machine.tokens] == ["甲", "丙"], "what it canceled comes back, the other stays done"
    with pytest.raises(CannotGoBack):
        Machine.load(draw.file(), {}, kept).go_back("22", "i", 3_000, instance="0")


def test_instances_one_after_the_other_and_none_at_all() -> None:
    body = inner().body() + many("record.units", sequential=True)
    draw = Draw().put("subProcess", "sub", body).put("userTask", "z").flow("s sub z e")
    machine = run(draw.file(), record={"units": [5, 6]})
    assert [one.item for one in machine.tokens] == [5]
    do(machine, "i")
    assert [one.item for one in machine.tokens] == [6]
    do(machine, "i")
    assert steps(machine) == ["z"]
    assert steps(run(draw.file(), record={"units": []})) == ["z"]
    assert steps(run(draw.file(), record={"units": None})) == ["z"]
    with pytest.raises(ProcessFailed) as failed:
        run(draw.file(), record={"units": 3})
    assert failed.value.element == "sub"
    with pytest.raises(ProcessTooLarge):
        run(draw.file(), record={"units": [0] * 501})


def test_scripts_of_an_instance_keep_to_it() -> None:
    body = Draw("in", "is", "ie").put("scriptTask", "x", script("mine = item * 2")).put("userTask", "i")
    body.put("scriptTask", "y", script("result = mine")).flow("is x i y ie")
    draw = Draw().put("subProcess", "sub", body.body() + many("record.units")).put("userTask", "z").flow("s sub z e")
    machine = run(draw.file(), record={"units": [1, 2, 3]})
    for token in reversed(machine.tokens):
        machine.complete(token.id, {}, 2_000)
    assert machine.data["results"] == [6, 4, 2]
    assert "mine" not in machine.data


def test_an_activity_loops_while_its_condition_holds() -> None:
    loop = "<bpmn:standardLoopCharacteristics><bpmn:loopCondition>outcome == 'more'</bpmn:loopCondition></bpmn:standardLoopCharacteristics>"
    machine = run(
        Draw().put("userTask", "q a", "").put("userTask", "l", loop).put("userTask", "z").flow("s q l z e").file()
    )
    assert machine.next_steps(machine.tokens[0].id) == ("l",)
    do(machine, "q")
    for _turn in range(3):
        do(machine, "l", outcome="more")
        assert steps(machine) == ["l"]
    machine.go_back(machine.tokens[0].id, "q", 3_000)
    do(machine, "q")
    do(machine, "l", outcome="done")
    assert steps(machine) == ["z"]
    machine.go_back(machine.tokens[0].id, "l", 3_000)
    assert steps(machine) == ["l"]
    do(machine, "l", outcome="done")
    assert steps(machine) == ["z"]


def test_what_the_reader_makes_of_a_modellers_file_runs() -> None:
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics xmlns:camunda="http://camunda.org/schema/1.0/bpmn" '
        'camunda:collection="${record.units}" camunda:elementVariable="unit"><bpmn:completionCondition>'
        "${nrOfCompletedInstances &gt;= 2}</bpmn:completionCondition></bpmn:multiInstanceLoopCharacteristics>"
    )
    draw = Draw().put("subProcess", "sub", inner().body() + loop).put("userTask", "z").put("exclusiveGateway", "g")
    draw.put("boundaryEvent", "t", timer("duration", "PT2H"), attachedToRef="z", cancelActivity="false").put(
        "endEvent", "te"
    )
    file = read_bpmn(draw.flow("s sub z g").flow("g sub", "${outcome == 'no'}").flow("g e").flow("t te").xml())
    machine = run(file, record={"units": ["甲", "乙", "丙"]})
    assert [one.item for one in machine.tokens] == ["甲", "乙", "丙"]
    do(machine, "i")
    do(machine, "i")
    assert steps(machine) == ["z"]
    assert machine.next_due() == 2_000 + 7_200_000
    do(machine, "z", outcome="no")
    assert steps(machine) == ["i", "i", "i"]


# ---------------------------------------------------------------- going back
def test_going_back_ends_what_the_step_caused_and_nothing_else() -> None:
    draw = Draw().put("userTask", "d a a2 b z").put("parallelGateway", "f j").flow("s d f a a2 j z e").flow("f b j")
    machine = run(draw.file())
    do(machine, "d")
    do(machine, "a")
    other = next(one for one in machine.tokens if one.step_id == "b")
    token = next(one for one in machine.tokens if one.step_id == "a2")
    assert machine.earlier_steps(token.id) == ("a", "d"), "b is not on its way"
    assert machine.go_back(token.id, "a", 9_000) == (token.id,)
    assert other in machine.tokens
    assert {one.step_id: one.entered_at for one in machine.tokens} == {"b": 2_000, "a": 9_000}
    with pytest.raises(NoSuchToken):
        machine.go_back(token.id, "a", 9_000)
    do(machine, "a")
    do(machine, "b")
    do(machine, "a2")
    token = machine.tokens[0]
    assert machine.earlier_steps(token.id) == ("a2", "b", "a", "d")
    machine.go_back(token.id, "b", 9_000)
    assert steps(machine) == ["b"]
    do(machine, "b")
    assert steps(machine) == ["z"], "the other way had arrived and waits at the join"
    machine.go_back(machine.tokens[0].id, "d", 9_000)
    assert steps(machine) == ["d"]
    assert machine.past_steps == ()
    with pytest.raises(CannotGoBack):
        machine.go_back(machine.tokens[0].id, "z", 9_000)


def test_going_back_with_a_token_waiting_at_the_join_from_before() -> None:
    draw = Draw().put("userTask", "d a b c z").put("parallelGateway", "f j").flow("s d f a j z e").flow("f b c j")
    machine = run(draw.file())
    do(machine, "d")
    do(machine, "a")
    do(machine, "b")
    machine.go_back(machine.tokens[0].id, "b", 3_000)
    do(machine, "b")
    do(machine, "c")
    assert steps(machine) == ["z"]
    machine.go_back(machine.tokens[0].id, "a", 3_000)
    do(machine, "a")
    assert steps(machine) == ["z"]


def test_going_back_into_a_called_process_opens_it_again() -> None:
    called = (
        Draw("called", "cs", "ce")
        .put("userTask", "c1 c2")
        .put("parallelGateway", "cf cj")
        .flow("cs cf c1 cj ce")
        .flow("cf c2 cj")
    )
    draw = Draw().put("userTask", "a z").put("callActivity", "call", calledElement="called").flow("s a call z e")
    machine = run(draw.file(), {"called": called.file()})
    do(machine, "a")
    do(machine, "c1")
    do(machine, "c2")
    machine = Machine.load(draw.file(), {"called": called.file()}, machine.save())
    machine.go_back(machine.tokens[0].id, "c1", 3_000)
    assert [(one.step_id, one.within) for one in machine.tokens] == [("c1", ("call",))]
    do(machine, "c1")
    assert steps(machine) == ["z"]
    machine.go_back(machine.tokens[0].id, "c2", 3_000)
    machine.go_back(machine.tokens[0].id, "a", 3_000)
    assert steps(machine) == ["a"]
    do(machine, "a")
    assert sorted(steps(machine)) == ["c1", "c2"]


def test_going_back_over_a_terminate_brings_back_what_it_ended() -> None:
    body = Draw("in", "is", "ie").put("userTask", "a b").put("parallelGateway", "f")
    body.put("endEvent", "t", "<bpmn:terminateEventDefinition/>").flow("is f a t").flow("f b ie")
    draw = Draw().put("subProcess", "sub", body.body()).put("userTask", "z").flow("s sub z e")
    machine = run(draw.file())
    kept = next(one for one in machine.tokens if one.step_id == "b")
    do(machine, "a")
    assert steps(machine) == ["z"]
    assert machine.earlier_steps(machine.tokens[0].id) == ("a",)
    machine = Machine.load(draw.file(), {}, machine.save())
    machine.go_back(machine.tokens[0].id, "a", 3_000)
    assert sorted(steps(machine)) == ["a", "b"]
    assert kept.id in {one.id for one in machine.tokens}, "the same token is open again"
    do(machine, "b")
    assert steps(machine) == ["a"]
    do(machine, "a")
    assert steps(machine) == ["z"]


def test_the_data_stays_when_going_back_but_for_what_is_given() -> None:
    machine = run(Draw().put("userTask", "a b").flow("s a b e").file(), n=1)
    do(machine, "a", n=2)
    machine.go_back(machine.tokens[0].id, "a", 3_000, {"outcome": "returned"})
    assert machine.data == {"n": 2, "outcome": "returned"}


# ---------------------------------------------------------------- what comes next
def review() -> Draw:
    draw = (
        Draw().put("userTask", "draft review sign archive big").put("exclusiveGateway", "g h").flow("s draft review g")
    )
    draw.flow("g draft", "outcome == 'returned'").flow("g !h").flow("h big sign", "record.amount > 100").flow(
        "h !sign archive e"
    )
    return draw


def test_next_steps_ask_the_conditions_and_prefer_the_way_on() -> None:
    machine = run(review().file(), record={"amount": 5})
    assert machine.next_steps(machine.tokens[0].id) == ("review",)
    do(machine, "draft", outcome="returned")
    token = machine.tokens[0].id
    assert machine.next_steps(token) == ("sign",), "the last outcome is not this step's"
    assert machine.next_steps(token, {"outcome": "returned"}) == ("draft",)
    assert machine.next_steps(token, {"record": {"amount": 500}}) == ("big",)
    machine = run(review().file())
    do(machine, "draft")
    token = machine.tokens[0].id
    assert set(machine.next_steps(token, {"outcome": "approved"})) == {"big", "sign"}, (
        "without the amount either may come"
    )


def test_next_steps_go_through_forks_and_nested_processes() -> None:
    draw = Draw().put("userTask", "a b z").put("parallelGateway", "f j").put("subProcess", "sub", inner().body())
    draw.flow("s a f b j z e").flow("f sub j")
    machine = run(draw.file())
    assert machine.next_steps(machine.tokens[0].id) == ("b", "i")
    do(machine, "a")
    assert machine.next_steps(machine.tokens[0].id) == ("z",)
    do(machine, "b")
    do(machine, "i")
    assert machine.next_steps(machine.tokens[0].id) == ()


# ---------------------------------------------------------------- ends
def test_cancel_ends_all() -> None:
    machine = run(review().file(), record={"amount": 5})
    machine.cancel(4_000)
    assert machine.finished
    assert machine.tokens == ()
    assert machine.ended_at == ()
    loaded = Machine.load(review().file(), {}, machine.save())
    assert loaded.finished
    assert loaded.next_due() is None


def test_messages_sent_out_are_told() -> None:
    draw = (
        Draw(end="")
        .put("userTask", "a")
        .put("endEvent", "e", '<bpmn:messageEventDefinition messageRef="m"/>')
        .flow("s a e")
    )
    draw.extra = '<bpmn:message id="m" name="stamped"/>'
    machine = run(draw.file())
    do(machine, "a")
    assert machine.finished
    assert machine.thrown == (Thrown("e", "message", "stamped"),)
