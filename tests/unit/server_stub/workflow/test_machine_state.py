"""Saved states: small, the same bytes for the same case, refused when foreign or damaged; the oldest laps of loops are forgotten; a step is fast."""

import random
import time
import zlib

import pytest

from server_stub.workflow.machine import FORGET_ABOVE, Machine
from server_stub.workflow.machine_faults import ProcessTooLarge, StateRefused
from server_stub.workflow.process_file import ProcessFile
from tests.helpers.small_bpmn import Draw, timer


def circle() -> ProcessFile:
    draw = Draw().put("userTask", "first a b c").put("parallelGateway", "f j").put("exclusiveGateway", "g")
    draw.put("boundaryEvent", "t", timer("duration", '"PT1H"'), attachedToRef="a", cancelActivity="false").put(
        "userTask", "r"
    )
    draw.put("endEvent", "re").flow("t r re")
    return draw.flow("s first f a j g").flow("f b c j").flow("g first", "outcome == 'again'").flow("g !e").file()


def issuing() -> ProcessFile:
    """About as large as issuing a document: 14 steps, two forks, returns, a timer at each step."""
    draw = Draw(process_id="issue")
    names = [f"step{n}" for n in range(14)]
    draw.put("userTask", " ".join(names)).put("parallelGateway", "f j f2 j2").put("exclusiveGateway", "g g2")
    for name in names:
        inner = timer("duration", '"P3D"')
        draw.put("boundaryEvent", f"late_{name}", inner, attachedToRef=name, cancelActivity="false")
        draw.put("scriptTask", f"note_{name}", "<bpmn:script>late = 1</bpmn:script>").put("endEvent", f"noted_{name}")
        draw.flow(f"late_{name} note_{name} noted_{name}")
    draw.flow("s step0 step1 g").flow("g step0", "outcome == 'returned'").flow("g !f")
    draw.flow("f step2 j").flow("f step3 j").flow("f step4 j").flow("j step5 step6 g2").flow(
        "g2 step0", "outcome == 'no'"
    )
    draw.flow("g2 !step7 step8 f2").flow("f2 step9 j2").flow("f2 step10 j2").flow("j2 step11 step12 step13 e")
    return draw.file()


def test_states_of_another_file_or_damaged_ones_are_refused() -> None:
    file = circle()
    machine = Machine.start(file, {}, {"n": 1}, 0)
    state = machine.save()
    assert Machine.load(file, {}, state).tokens == machine.tokens
    with pytest.raises(StateRefused):
        Machine.load(issuing(), {}, state)
    rng = random.Random(5)
    refused = 0
    for _turn in range(400):
        broken = bytearray(state)
        if rng.random() < 0.3:
            broken = broken[: rng.randrange(len(state))]
        else:
            broken[rng.randrange(len(state))] ^= 1 << rng.randrange(8)
        try:
            loaded = Machine.load(file, {}, bytes(broken))
        except StateRefused:
            refused += 1
        else:  # a bit that says nothing, as the last byte of compressed data has some
            assert (loaded.tokens, loaded.data) == (machine.tokens, machine.data)
    assert refused > 380
    for bad in (
        b"",
        b"TBM2\n" + state[5:],
        state + b"x",
        b"TBM1\n" + zlib.compress(b"{}"),
        b"TBM1\n" + zlib.compress(b"[" * 9),
    ):
        with pytest.raises(StateRefused):
            Machine.load(file, {}, bad)


def test_a_state_that_names_what_is_not_in_the_process_is_refused() -> None:
    file = circle()
    raw = zlib.decompress(Machine.start(file, {}, {}, 0).save()[5:])
    with pytest.raises(StateRefused):
        Machine.load(file, {}, b"TBM1\n" + zlib.compress(raw.replace(b'"first"', b'"other"')))
    bomb = b"TBM1\n" + zlib.compress(b'{"a":"' + b"0" * 50_000_000)
    with pytest.raises(StateRefused):
        Machine.load(file, {}, bomb)


def test_the_same_moves_give_the_same_bytes() -> None:
    states = []
    for _run in range(2):
        machine = Machine.start(circle(), {}, {"b": [1], "a": {"y": 1, "x": 2}}, 0)
        machine.complete(machine.tokens[0].id, {"outcome": "x"}, 5)
        machine.refresh(4_000_000)
        machine = Machine.load(circle(), {}, machine.save())
        machine.go_back(machine.tokens[0].id, "first", 4_000_001)
        states.append(machine.save())
    assert states[0] == states[1]


def test_a_case_that_goes_round_for_ever_stays_small() -> None:
    file = circle()
    machine = Machine.start(file, {}, {}, 0)
    sizes = []
    for lap in range(150):
        machine = Machine.load(file, {}, machine.save())
        for step in ("first", "a", "b", "c"):
            token = next(one for one in machine.tokens if one.step_id == step)
            machine.complete(token.id, {"outcome": "again"}, lap)
        sizes.append(len(machine.save()))
    assert len(machine._top.registry) <= FORGET_ABOVE
    assert max(sizes) < 10_000
    machine.complete(machine.tokens[0].id, {}, 200)
    token = next(one for one in machine.tokens if one.step_id == "b")
    assert set(machine.earlier_steps(token.id)) == {"first", "a", "c"}, "of the last lap"
    machine.go_back(token.id, "first", 200)
    for step in ("first", "b", "c", "a"):
        machine.complete(next(one for one in machine.tokens if one.step_id == step).id, {"outcome": "enough"}, 300)
    assert machine.finished


def test_too_many_tasks_are_refused_and_the_case_stays() -> None:
    loop = "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>500</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>"
    draw = Draw().put("userTask", "a").put("parallelGateway", "f j")
    for name in "xy":
        body = (
            Draw(f"in{name}", f"is{name}", f"ie{name}").put("userTask", f"i{name}").flow(f"is{name} i{name} ie{name}")
        )
        draw.put("subProcess", name, body.body() + loop).flow(f"f {name} j")
    file = draw.flow("s a f").flow("j e").file()
    machine = Machine.start(file, {}, {}, 0)
    state = machine.save()
    with pytest.raises(ProcessTooLarge, match="history"):
        machine.complete(machine.tokens[0].id, {}, 1)
    assert machine.save() == state
    assert [one.step_id for one in machine.tokens] == ["a"]


def test_a_step_of_issuing_a_document_takes_a_few_milliseconds() -> None:
    file = issuing()
    record = {f"field{n}": "公文的一个字段" * 5 for n in range(40)}
    machine = Machine.start(file, {}, {"record": record, "starter": "u1", "outcomes": {}}, 0)
    took, sizes = [], []
    state = machine.save()
    turn = 0
    while turn < 120:
        begun = time.perf_counter()
        machine = Machine.load(file, {}, state)
        token = machine.tokens[turn % len(machine.tokens)]
        outcome = "no" if token.step_id == "step6" and turn < 100 else "approved"
        machine.complete(token.id, {"record": record, "outcome": outcome}, turn)
        state = machine.save()
        took.append(time.perf_counter() - begun)
        sizes.append(len(state))
        turn += 1
        if machine.finished:
            break
    took.sort()
    print(
        f"{len(took)} steps: median {took[len(took) // 2] * 1e3:.2f} ms, worst {took[-1] * 1e3:.2f} ms; state {max(sizes)} bytes"
    )
    assert took[len(took) // 2] < 0.02, "load, complete and save; a few ms, with room for a busy machine"
    assert max(sizes) < 20_000
