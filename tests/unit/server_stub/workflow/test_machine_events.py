"""Timers by the given time alone, each once over save and load; messages, signals, errors, escalations and cancels at the borders of activities."""

from typing import Any

import pytest

from server_stub.clock import utc_offset
from server_stub.workflow.machine import Machine, Thrown
from server_stub.workflow.machine_faults import ProcessFailed
from server_stub.workflow.machine_timers import after, first_of_cycle, moment_of
from server_stub.workflow.process_file import ProcessFile
from tests.helpers.small_bpmn import Draw, script, timer

HOUR = 3_600_000
T0 = 1_790_000_000_000
ERROR = '<bpmn:errorEventDefinition errorRef="err"/>'
MESSAGE = '<bpmn:messageEventDefinition messageRef="m"/>'
SIGNAL = '<bpmn:signalEventDefinition signalRef="sig"/>'
DEFINED = (
    '<bpmn:message id="m" name="go"/><bpmn:signal id="sig" name="all"/><bpmn:error id="err" name="bad" errorCode="E7"/>'
    '<bpmn:escalation id="esc" name="up" escalationCode="U1"/>'
)


def run(file: ProcessFile, **data: Any) -> Machine:
    return Machine.start(file, {}, data, T0)


def again(machine: Machine, file: ProcessFile) -> Machine:
    return Machine.load(file, {}, machine.save())


def steps(machine: Machine) -> list[str]:
    return [one.step_id for one in machine.tokens]


def do(machine: Machine, step: str, now: int = T0, **data: Any) -> None:
    machine.complete(next(one for one in machine.tokens if one.step_id == step).id, data, now)


def bordered(event: str, *, cancels: bool) -> Draw:
    """a with an event `t` at its border that leads to x; z after a."""
    draw = Draw().put("userTask", "a x z").put("endEvent", "xe")
    draw.put("boundaryEvent", "t", event, attachedToRef="a", cancelActivity=str(cancels).lower())
    draw.extra = DEFINED
    return draw.flow("s a z e").flow("t x xe")


# ---------------------------------------------------------------- timers
def test_a_timer_at_the_border_interrupts_once() -> None:
    file = bordered(timer("duration", '"PT2H"'), cancels=True).file()
    machine = run(file)
    assert machine.next_due() == T0 + 2 * HOUR
    assert machine.refresh(T0 + 2 * HOUR - 1) == ()
    machine = again(machine, file)
    assert machine.next_due() == T0 + 2 * HOUR, "counted when the step was entered, not when it is loaded"
    assert machine.refresh(T0 + 50 * HOUR) == ("t",)
    assert steps(machine) == ["x"]
    assert machine.tokens[0].entered_at == T0 + 50 * HOUR
    machine = again(machine, file)
    assert machine.next_due() is None
    assert machine.refresh(T0 + 99 * HOUR) == ()
    assert machine.earlier_steps(machine.tokens[0].id) == ("a",)
    machine.go_back(machine.tokens[0].id, "a", T0 + 100 * HOUR)
    assert steps(machine) == ["a"]
    assert machine.next_due() == T0 + 102 * HOUR, "the step begins anew, its time too"


def test_a_timer_that_interrupts_nothing_leaves_the_step_open() -> None:
    file = bordered(timer("duration", '"PT2H"'), cancels=False).file()
    machine = run(file)
    machine.refresh(T0 + 3 * HOUR)
    assert steps(machine) == ["a", "x"]
    assert machine.next_due() is None
    do(machine, "a")
    assert sorted(steps(machine)) == ["x", "z"], "the reminder's branch lives on"
    do(machine, "z")
    assert list(machine.ended_at) == ["e"]
    do(machine, "x")
    assert machine.finished
    assert machine.ended_at == ("e", "xe")


def test_a_done_step_has_no_timer_left() -> None:
    machine = run(bordered(timer("duration", '"PT2H"'), cancels=True).file())
    do(machine, "a")
    assert machine.next_due() is None
    assert machine.refresh(T0 + 9 * HOUR) == ()
    assert steps(machine) == ["z"]


def test_timers_missed_fire_in_the_order_of_their_times_and_the_first_that_interrupts_ends_the_others() -> None:
    draw = bordered(timer("duration", '"PT10H"'), cancels=True)
    draw.put("scriptTask", "note", script("reminded = 1")).put("scriptTask", "note2", script("late = 1")).put(
        "endEvent", "n e2"
    )
    draw.put("boundaryEvent", "early", timer("duration", '"PT2H"'), attachedToRef="a", cancelActivity="false")
    draw.put("boundaryEvent", "after", timer("duration", '"PT20H"'), attachedToRef="a", cancelActivity="false")
    draw.flow("early note n").flow("after note2 e2")
    machine = run(draw.file())
    assert machine.refresh(T0 + 100 * HOUR) == ("early", "t")
    assert machine.data == {"reminded": 1}
    assert steps(machine) == ["x"]


def test_a_cycle_fires_each_time_until_its_number_is_used_up() -> None:
    draw = bordered(timer("cycle", '"R3/PT1H"'), cancels=False).put("scriptTask", "count", script("n = n + 1"))
    draw = Draw().put("userTask", "a").put("scriptTask", "count", script("n = n + 1")).put("endEvent", "ne")
    draw.put("boundaryEvent", "t", timer("cycle", '"R3/PT1H"'), attachedToRef="a", cancelActivity="false")
    file = draw.flow("s a e").flow("t count ne").file()
    machine = run(file, n=0)
    assert machine.refresh(T0 + HOUR) == ("t",)
    assert machine.data["n"] == 1
    machine = again(machine, file)
    assert machine.next_due() == T0 + 2 * HOUR
    assert machine.refresh(T0 + 30 * HOUR) == ("t", "t"), "both missed times, one by one"
    assert machine.data["n"] == 3
    assert again(machine, file).next_due() is None
    assert machine.refresh(T0 + 90 * HOUR) == ()
    do(machine, "a")
    assert machine.finished


def test_a_cycle_without_a_number_fires_once_for_all_it_missed() -> None:
    draw = Draw().put("userTask", "a r").put("endEvent", "ne")
    draw.put("boundaryEvent", "t", timer("cycle", '"R/PT1H"'), attachedToRef="a", cancelActivity="false")
    machine = run(draw.flow("s a e").flow("t r ne").file())
    assert machine.refresh(T0 + 30 * HOUR + 5) == ("t",)
    assert machine.next_due() == T0 + 31 * HOUR
    assert machine.refresh(T0 + 31 * HOUR) == ("t",)
    assert steps(machine) == ["a", "r", "r"]
    do(machine, "a")
    assert machine.next_due() is None
    assert steps(machine) == ["r", "r"]


def test_an_intermediate_timer_waits_in_the_flow() -> None:
    draw = Draw().put("userTask", "a").put("intermediateCatchEvent", "w", timer("duration", '"P1DT1H"')).flow("s w a e")
    machine = run(draw.file())
    assert machine.tokens == ()
    assert not machine.finished
    assert machine.refresh(T0 + 25 * HOUR) == ("w",)
    assert steps(machine) == ["a"]


def test_a_timer_reads_a_date_of_the_record() -> None:
    file = bordered(timer("date", "record.deadline"), cancels=True).file()
    assert run(file, record={"deadline": "2026-11-23T08:00:00+08:00"}).next_due() == 1_795_392_000_000
    assert run(file, record={"deadline": 1_795_392_000_000}).next_due() == 1_795_392_000_000
    with pytest.raises(ProcessFailed) as failed:
        run(file, record={"deadline": "soon"})
    assert failed.value.element == "t"


def test_moments_and_lengths() -> None:
    naive = moment_of("2026-11-23T08:00:00")
    assert naive == 1_795_392_000_000 + (480 - utc_offset(naive)) * 60_000
    assert moment_of("2026-11-23") == naive - 8 * HOUR
    january = moment_of("2026-01-31T00:00:00Z")
    assert after(january, "P1M") == moment_of("2026-03-03T00:00:00Z"), "as many days as January has"
    assert after(0, "PT90M") == 90 * 60_000
    assert after(0, "P1W") == 7 * 24 * HOUR
    assert first_of_cycle(0, "R5/PT2H") == (2 * HOUR, 2 * HOUR, 5)
    assert first_of_cycle(0, "R/2026-01-31T00:00:00Z/P1D") == (january, 24 * HOUR, -1)
    for bad in ("P", "PT", "1D", "", None, 5, "P1000000000000Y", "PX"):
        with pytest.raises(ValueError, match=r"."):
            after(0, bad)
    for bad in ("R0/PT1H", "R-2/PT1H", "PT1H", "R3", "R/PT1S", 7, "R3/a/b/c"):
        with pytest.raises(ValueError, match=r"."):
            first_of_cycle(0, bad)
    for bad in ("P1D", True, None, 10**18, -1, "31.01.2026"):
        with pytest.raises(ValueError, match=r"."):
            moment_of(bad)


def test_going_back_into_a_sub_process_brings_its_timer_back() -> None:
    inner = Draw("in", "is", "ie").put("userTask", "i").flow("is i ie")
    draw = Draw().put("subProcess", "sub", inner.body()).put("userTask", "x z").put("endEvent", "xe")
    draw.put("boundaryEvent", "t", timer("duration", '"PT5H"'), attachedToRef="sub", cancelActivity="true")
    file = draw.flow("s sub z e").flow("t x xe").file()
    machine = run(file)
    do(machine, "i")
    assert machine.next_due() is None
    machine.go_back(machine.tokens[0].id, "i", T0 + HOUR)
    machine = again(machine, file)
    assert machine.next_due() == T0 + 5 * HOUR, "the whole began at T0"
    assert machine.refresh(T0 + 6 * HOUR) == ("t",)
    assert steps(machine) == ["x"]


def test_nothing_asks_the_system_for_the_time_or_for_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    file = bordered(timer("duration", '"PT2H"'), cancels=False).file()
    Machine.start(file, {}, {}, T0)  # compiled
    monkeypatch.setattr("SpiffWorkflow.task.time", None)
    monkeypatch.setattr("SpiffWorkflow.task.uuid4", None)
    for name in ("TimeDate", "DurationTimer", "CycleTimer"):
        definition = f"SpiffWorkflow.bpmn.specs.event_definitions.timer.{name}EventDefinition"
        monkeypatch.setattr(f"{definition}.{'cycle_complete' if name == 'CycleTimer' else 'has_fired'}", None)
    machine = run(file)
    assert machine.refresh(T0 + 3 * HOUR) == ("t",)
    do(again(machine, file), "a")


# ---------------------------------------------------------------- messages and signals
def test_a_message_goes_to_what_waits_longest_and_brings_its_data() -> None:
    draw = Draw().put("intermediateCatchEvent", "w v", MESSAGE).put("userTask", "a b").put("parallelGateway", "f j")
    draw.extra = DEFINED
    file = draw.flow("s f w a j e").flow("f v b j").file()
    machine = run(file)
    assert machine.message("other", {"n": 1}, T0) is False
    assert machine.data == {}
    machine = again(machine, file)
    assert machine.message("go", {"n": 1}, T0) is True
    assert steps(machine) == ["a"]
    assert machine.data == {"n": 1}
    assert machine.message("go", {}, T0) is True
    assert steps(machine) == ["a", "b"]
    assert machine.message("go", {}, T0) is False


def test_a_signal_goes_to_all() -> None:
    draw = Draw().put("intermediateCatchEvent", "w v", SIGNAL).put("userTask", "a b").put("parallelGateway", "f j")
    draw.extra = DEFINED
    machine = run(draw.flow("s f w a j e").flow("f v b j").file())
    assert machine.signal("all", {}, T0) is True
    assert sorted(steps(machine)) == ["a", "b"]


def test_a_message_at_the_border_and_a_signal_inside_the_case() -> None:
    file = bordered(MESSAGE, cancels=True).file()
    machine = run(file)
    assert machine.message("go", {}, T0)
    assert steps(machine) == ["x"]
    draw = bordered(SIGNAL, cancels=True).put("userTask", "c").put("parallelGateway", "f").put("endEvent", "ce")
    draw.put("intermediateThrowEvent", "throw", SIGNAL)
    machine = run(Draw_with_fork(draw))
    do(machine, "c")
    assert steps(machine) == ["x"]
    token = machine.tokens[0].id
    assert set(machine.earlier_steps(token)) == {"a", "c"}
    machine.go_back(token, "c", T0)
    assert sorted(steps(machine)) == ["a", "c"], "what the signal interrupted is open again"


def Draw_with_fork(draw: Draw) -> ProcessFile:  # noqa: N802 - reads as a drawing
    """s forks into the bordered step and c, which throws."""
    draw._parts = [one for one in draw._parts if 'sourceRef="s"' not in one]
    return draw.flow("s f a").flow("f c throw ce").file()


def test_the_first_of_several_events_decides() -> None:
    draw = Draw().put("eventBasedGateway", "g").put("intermediateCatchEvent", "w", MESSAGE)
    draw.put("intermediateCatchEvent", "t", timer("duration", '"PT1H"')).put("userTask", "a b")
    draw.extra = DEFINED
    file = draw.flow("s g w a e").flow("g t b e").file()
    machine = again(run(file), file)
    assert machine.next_due() == T0 + HOUR
    assert machine.message("go", {}, T0)
    assert steps(machine) == ["a"]
    assert machine.next_due() is None
    machine = again(run(file), file)
    assert machine.refresh(T0 + HOUR) == ("t",)
    assert steps(machine) == ["b"]
    assert not machine.message("go", {}, T0)


def test_receive_and_send_tasks() -> None:
    draw = Draw().put("receiveTask", "r", messageRef="m").put("sendTask", "t", messageRef="m").put("userTask", "a")
    draw.extra = DEFINED
    machine = run(draw.flow("s t r a e").file())
    assert machine.thrown == (Thrown("t", "message", "go"),)
    assert machine.message("go", {}, T0)
    assert steps(machine) == ["a"]


# ---------------------------------------------------------------- errors, escalations, cancels
def failing(end: str, border: str, *, cancels: bool = True, tag: str = "subProcess") -> ProcessFile:
    inner = (
        Draw("in", "is", "")
        .put("userTask", "i k")
        .put("parallelGateway", "f")
        .put("endEvent", "bad", end)
        .put("endEvent", "ke")
    )
    inner.flow("is f i bad").flow("f k ke")
    draw = Draw().put(tag, "sub", inner.body()).put("userTask", "x z").put("endEvent", "xe")
    if border:
        draw.put("boundaryEvent", "t", border, attachedToRef="sub", cancelActivity=str(cancels).lower()).flow("t x xe")
    draw.extra = DEFINED
    return draw.flow("s sub z e").file()


def test_an_error_ends_the_activity_and_goes_its_own_way() -> None:
    file = failing(ERROR, ERROR)
    machine = run(file)
    do(machine, "i")
    assert steps(machine) == ["x"]
    assert machine.error is None
    machine = again(machine, file)
    assert machine.earlier_steps(machine.tokens[0].id) == ("i",)
    machine.go_back(machine.tokens[0].id, "i", T0)
    assert sorted(steps(machine)) == ["i", "k"], "the other way inside is open again too"
    do(machine, "k")
    do(machine, "i")
    assert steps(machine) == ["x"]


def test_an_error_nobody_catches_ends_the_case() -> None:
    file = failing(ERROR, "")
    machine = run(file)
    do(machine, "i")
    assert machine.finished
    assert machine.error == "E7"
    assert machine.tokens == ()
    assert again(machine, file).error == "E7"


def test_an_error_end_of_the_main_process() -> None:
    draw = Draw(end="").put("userTask", "a").put("endEvent", "bad", ERROR)
    draw.extra = DEFINED
    machine = run(draw.flow("s a bad").file())
    do(machine, "a")
    assert (machine.finished, machine.error, machine.ended_at) == (True, "E7", ("bad",))


def test_errors_of_one_instance_do_not_reach_the_border_of_another_activity() -> None:
    inner = Draw("in", "is", "").put("userTask", "i").put("endEvent", "bad", ERROR).flow("is i bad")
    other = Draw("ot", "os", "oe").put("userTask", "o").flow("os o oe")
    draw = Draw().put("subProcess", "sub", inner.body()).put("subProcess", "side", other.body()).put("userTask", "x y")
    draw.put("endEvent", "xe ye").put("parallelGateway", "f j")
    draw.put("boundaryEvent", "t", ERROR, attachedToRef="sub").put("boundaryEvent", "u", ERROR, attachedToRef="side")
    draw.extra = DEFINED
    machine = run(draw.flow("s f sub j e").flow("f side j").flow("t x xe").flow("u y ye").file())
    do(machine, "i")
    assert sorted(steps(machine)) == ["o", "x"]


def test_an_escalation_goes_up_and_the_activity_goes_on() -> None:
    up = '<bpmn:escalationEventDefinition escalationRef="esc"/>'
    machine = run(failing(up, up, cancels=False))
    do(machine, "i")
    assert sorted(steps(machine)) == ["k", "x"]
    do(machine, "k")
    assert sorted(steps(machine)) == ["x", "z"]
    machine = run(failing(up, ""))
    do(machine, "i")
    assert machine.thrown == (Thrown("bad", "escalation", "U1"),)


def test_a_cancel_ends_the_transaction() -> None:
    cancel = "<bpmn:cancelEventDefinition/>"
    file = failing(cancel, cancel, tag="transaction")
    machine = run(file)
    do(machine, "i")
    assert steps(machine) == ["x"]
    do(again(machine, file), "x")
    with pytest.raises(ProcessFailed):
        do(run(failing(cancel, "", tag="transaction")), "i")
