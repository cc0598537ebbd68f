"""Running cases taken to another version of their process, or refused with the steps that have no place."""

from typing import Any

import pytest

from server_stub.workflow.machine import Machine
from server_stub.workflow.machine_faults import CannotMove
from server_stub.workflow.machine_moving import move
from server_stub.workflow.process_file import ProcessFile
from tests.helpers.small_bpmn import Draw, timer


def steps(machine: Machine) -> list[str]:
    return [one.step_id for one in machine.tokens]


def do(machine: Machine, step: str, **data: Any) -> None:
    machine.complete(next(one for one in machine.tokens if one.step_id == step).id, data, 50)


def moved(machine: Machine, old: ProcessFile, new: ProcessFile, **mapping: str) -> Machine:
    return Machine.load(new, {}, move(machine.save(), old, new, mapping, now_ms=1_000))


def plain() -> ProcessFile:
    return Draw().put("userTask", "a b c").flow("s a b c e").file()


def test_open_steps_keep_their_place_and_token() -> None:
    new = Draw().put("userTask", "a b check c").flow("s a b check c e").file()
    machine = Machine.start(plain(), {}, {"n": 1}, 0)
    do(machine, "a")
    after = moved(machine, plain(), new)
    assert after.tokens == machine.tokens
    assert after.data == {"n": 1}
    assert after.earlier_steps(after.tokens[0].id) == ("a",)
    do(after, "b")
    assert steps(after) == ["check"]
    after.go_back(after.tokens[0].id, "a", 60)
    assert steps(after) == ["a"]


def test_a_step_that_is_gone_is_named_unless_mapped() -> None:
    new = Draw().put("userTask", "a b2 c").flow("s a b2 c e").file()
    machine = Machine.start(plain(), {}, {}, 0)
    do(machine, "a")
    state = machine.save()
    with pytest.raises(CannotMove) as refused:
        move(state, plain(), new, {}, now_ms=1)
    assert refused.value.steps == ("b",)
    after = moved(machine, plain(), new, b="b2")
    assert steps(after) == ["b2"]
    assert after.tokens[0].id == machine.tokens[0].id
    do(after, "b2")
    assert after.earlier_steps(after.tokens[0].id) == ("b2", "a")


def test_a_step_that_was_done_may_be_gone() -> None:
    new = Draw().put("userTask", "b c").flow("s b c e").file()
    machine = Machine.start(plain(), {}, {}, 0)
    do(machine, "a")
    do(machine, "b")
    after = moved(machine, plain(), new)
    assert steps(after) == ["c"]
    assert after.earlier_steps(after.tokens[0].id) == ("b",)
    after.go_back(after.tokens[0].id, "b", 60)
    do(after, "b")
    do(after, "c")
    assert after.finished


def forked(*ways: str) -> ProcessFile:
    draw = (
        Draw()
        .put("userTask", " ".join(ways))
        .put("userTask", "z")
        .put("parallelGateway", "f j")
        .flow("s f")
        .flow("j z e")
    )
    for way in ways:
        draw.flow(f"f {way} j")
    return draw.file()


def test_what_waits_at_a_join_waits_there_still() -> None:
    machine = Machine.start(forked("a", "b"), {}, {}, 0)
    do(machine, "a")
    new = Draw().put("userTask", "a b b3 z").put("parallelGateway", "f j").flow("s f a j z e").flow("f b b3 j").file()
    after = moved(machine, forked("a", "b"), new)
    do(after, "b")
    assert steps(after) == ["b3"]
    do(after, "b3")
    assert steps(after) == ["z"]


def test_a_join_that_would_wait_for_ever_is_refused() -> None:
    machine = Machine.start(forked("a", "b"), {}, {}, 0)
    do(machine, "a")
    with pytest.raises(CannotMove) as refused:
        moved(machine, forked("a", "b"), forked("a", "b", "c"))
    assert refused.value.steps == ("j",)
    with pytest.raises(CannotMove):
        moved(machine, forked("a", "b"), plain(), b="b")


def test_timers_keep_their_moment_and_new_ones_begin() -> None:
    def late(hours: int, *, cancels: str = "false") -> ProcessFile:
        draw = Draw().put("userTask", "a r").put("endEvent", "re")
        draw.put("boundaryEvent", "t", timer("duration", f'"PT{hours}H"'), attachedToRef="a", cancelActivity=cancels)
        return draw.flow("s a e").flow("t r re").file()

    without = Draw().put("userTask", "a r").flow("s a r e").file()
    machine = Machine.start(late(2), {}, {}, 0)
    assert moved(machine, late(2), late(5)).next_due() == 2 * 3_600_000
    assert moved(machine, late(2), without).next_due() is None
    bare = Machine.start(without, {}, {}, 0)
    after = moved(bare, without, late(5, cancels="true"))
    assert after.next_due() == 1_000 + 5 * 3_600_000
    assert after.tokens[0].id == bare.tokens[0].id
    assert after.refresh(10**9) == ("t",)
    assert steps(after) == ["r"]
    assert after.earlier_steps(after.tokens[0].id) == ("a",)


def test_cases_inside_a_sub_process_move_with_it() -> None:
    def nested(inner_steps: str, name: str = "sub") -> ProcessFile:
        body = Draw("in", "is", "ie").put("userTask", inner_steps).flow(f"is {inner_steps} ie")
        return Draw().put("subProcess", name, body.body()).put("userTask", "z").flow(f"s {name} z e").file()

    machine = Machine.start(nested("i"), {}, {}, 0)
    after = moved(machine, nested("i"), nested("h i k"))
    do(after, "i")
    assert steps(after) == ["k"]
    do(after, "k")
    assert steps(after) == ["z"]
    with pytest.raises(CannotMove) as refused:
        moved(machine, nested("i"), plain())
    assert refused.value.steps == ("sub",)
    assert moved(machine, nested("i"), nested("i", "office"), sub="office").tokens[0].within == ("office",)


def test_a_finished_case_moves_as_it_is() -> None:
    machine = Machine.start(plain(), {}, {}, 0)
    machine.cancel(5)
    assert moved(machine, plain(), forked("a", "b")).finished
