"""Processes drawn without sense: whatever comes, the machine answers with one of its own errors and stays whole, or the case goes on or ends."""

import random
from itertools import pairwise
from typing import Any

import pytest

from server_stub.workflow.machine import Machine
from server_stub.workflow.machine_faults import ProcessError
from server_stub.workflow.machine_moving import move
from server_stub.workflow.process_file import ProcessFile
from server_stub.workflow.reading import BpmnRefused, read_bpmn
from tests.helpers.small_bpmn import Draw, many, script, timer

DEFINED = (
    '<bpmn:message id="m" name="go"/><bpmn:signal id="sig" name="all"/><bpmn:error id="err" name="bad" errorCode="E"/>'
)
CATCHING = (
    timer("duration", '"PT1H"'),
    timer("cycle", '"R2/PT1H"'),
    '<bpmn:messageEventDefinition messageRef="m"/>',
    '<bpmn:signalEventDefinition signalRef="sig"/>',
)
ENDING = ("", "", "<bpmn:terminateEventDefinition/>", '<bpmn:errorEventDefinition errorRef="err"/>')


class Chaos:
    """Random elements and random arrows between them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.count = 0

    def ids(self, prefix: str, most: int, least: int = 0) -> list[str]:
        made = [f"{prefix}{self.count + n}" for n in range(self.rng.randint(least, most))]
        self.count += len(made) + 1
        return made

    def body(self, process_id: str, depth: int) -> Draw:
        rng, start = self.rng, f"s_{process_id}"
        draw = Draw(process_id, start, "")
        users, ends = self.ids("u", 5, 2), self.ids("e", 3, 1)
        gates = {kind: self.ids(kind[0], 2) for kind in ("exclusive", "parallel", "inclusive")}
        subs = self.ids("sub", 2) if depth else []
        draw.put("userTask", " ".join(users)).put("scriptTask", " ".join(scripts := self.ids("x", 2)), script("n = 1"))
        for one in ends:
            draw.put("endEvent", one, rng.choice(ENDING))
        for kind, names in gates.items():
            draw.put(f"{kind}Gateway", " ".join(names))
        for one in (waits := self.ids("w", 1)):
            draw.put("intermediateCatchEvent", one, rng.choice((CATCHING[0], *CATCHING[2:])))
        for one in subs:
            loop = many("[1, 2, 3]", sequential=rng.random() < 0.5, condition=rng.choice((None, "go")))
            draw.put("subProcess", one, self.body(one, depth - 1).body() + (loop if rng.random() < 0.4 else ""))
        tasks = [*users, *scripts, *waits, *subs]
        nodes = [*tasks, *(one for names in gates.values() for one in names)]
        rng.shuffle(nodes)
        for source, target in pairwise([start, *nodes, ends[0]]):
            self.arrow(draw, source, target, source in gates["exclusive"] + gates["inclusive"])
        for one in (one for names in gates.values() for one in names):
            for _more in range(rng.randint(0, 2)):
                name = rng.choice([*nodes, *ends])
                draw.flow(f"{one} {name}", None if one in gates["parallel"] else rng.choice(("go", "not go", "k > 2")))
        for one in [*users, *subs]:
            for event in self.ids("b", 1):
                inner = rng.choice(CATCHING)
                if one in subs and rng.random() < 0.5:
                    inner = ENDING[3]
                stops = inner != CATCHING[1] and (inner == ENDING[3] or rng.random() < 0.5)
                draw.put("boundaryEvent", event, inner, attachedToRef=one, cancelActivity=str(stops).lower())
                draw.flow(f"{event} {rng.choice([*nodes, *ends])}")
        return draw

    def arrow(self, draw: Draw, source: str, target: str, default: bool) -> None:
        draw.flow(f"{source} !{target}" if default else f"{source} {target}")


def check(machine: Machine, file: ProcessFile) -> Machine:
    """What holds after anything: saving is identity, an ended case has nothing open, another has something to wait for."""
    state = machine.save()
    loaded = Machine.load(file, {}, state)
    assert loaded.tokens == machine.tokens
    assert (loaded.finished, loaded.data, loaded.next_due()) == (machine.finished, machine.data, machine.next_due())
    loaded.set_data({})
    assert loaded.save() == state
    if machine.finished:
        assert machine.tokens == ()
        assert machine.next_due() is None
    else:
        assert machine.tokens or machine._top.listening
    for token in machine.tokens:
        assert token.step_id not in machine.earlier_steps(token.id)
        machine.next_steps(token.id)
    return loaded if len(state) % 2 else machine


def act(machine: Machine, rng: random.Random, now: int) -> None:
    data: dict[str, Any] = {"go": rng.random() < 0.5, "k": rng.randrange(5), "result": now}
    choice = rng.random()
    if choice < 0.1 or not machine.tokens:
        due = machine.next_due()
        if due is not None:
            before = machine.next_due()
            machine.refresh(max(now, due))
            assert machine.next_due() != before
        elif not machine.message("go", data, now):
            assert machine.signal("all", data, now) or machine.tokens, "a case without open steps waits for something"
        return
    token = rng.choice(machine.tokens)
    steps = machine.earlier_steps(token.id)
    if choice < 0.3 and steps:
        step = rng.choice(steps)
        ended = machine.go_back(token.id, step, now, data)
        assert token.id in ended
        assert machine.finished or ended
    else:
        machine.complete(token.id, data, now)


def live(file: ProcessFile, rng: random.Random) -> str:
    """One case through forty acts; answers how it went."""
    machine = Machine.start(file, {}, {"go": False, "k": 0}, 0)
    for turn in range(40):
        machine = check(machine, file)
        if machine.finished:
            return "finished"
        state = machine.save()
        tokens = machine.tokens
        try:
            act(machine, rng, turn * 1000)
        except ProcessError:
            assert machine.save() == state
            assert machine.tokens == tokens
            if rng.random() < 0.3:
                return "refused"
        else:
            kept = Machine.load(file, {}, move(machine.save(), file, file, {}, now_ms=turn * 1000))
            assert kept.tokens == machine.tokens, "moving to the same version changes nothing"
    return "open"


@pytest.mark.parametrize("start", range(0, 120, 20))
def test_whatever_is_drawn_is_refused_or_runs(start: int) -> None:
    went: dict[str, int] = {}
    for seed in range(start, start + 20):
        rng = random.Random(seed)
        draw = Chaos(rng).body("p", 1)
        draw.extra = DEFINED
        try:
            file = read_bpmn(draw.xml())
            how = live(file, rng)
        except BpmnRefused:
            how = "unread"
        except ProcessError:
            how = "unstarted"
        went[how] = went.get(how, 0) + 1
    assert went.get("finished", 0) + went.get("open", 0) + went.get("refused", 0) >= 5, went
