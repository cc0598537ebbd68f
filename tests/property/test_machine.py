"""Random processes of blocks under random people: the machine opens what a plain reading of the blocks says, also after going back; saving changes nothing."""

import random
from dataclasses import dataclass, field

import pytest

from server_stub.workflow.machine import Machine
from server_stub.workflow.process_file import ProcessFile
from server_stub.workflow.reading import read_bpmn
from tests.helpers.small_bpmn import Draw, many, script

Data = dict[str, object]


# ---------------------------------------------------------------- blocks: a process as a tree, and its plain reading
@dataclass
class Block:
    """One block; `kind` step, seq, xor, par, inc, loop, sub, each (instances at once), row (one after the other). `state` idle, open, done."""

    kind: str
    id: str
    parts: list["Block"] = field(default_factory=list)
    state: str = "idle"
    taken: list["Block"] = field(default_factory=list)
    instance: str = ""

    def instances(self, number: int) -> list["Block"]:
        """As many copies, each knowing which one it is."""
        return [self._copy(str(one)) for one in range(number)]

    def _copy(self, instance: str) -> "Block":
        inner = f"{instance}.{self.instance}" if self.instance else instance
        return Block(self.kind, self.id, [one._copy(instance) for one in self.parts], instance=inner)

    def steps(self) -> list["Block"]:
        return [self] if self.kind == "step" else [step for part in self.parts for step in part.steps()]

    def reset(self) -> None:
        self.state = "idle"
        self.taken = []
        for part in self.parts:
            part.reset()

    def finish(self) -> None:
        """As if all of it had been done."""
        self.state = "done"
        for part in self.parts:
            part.finish()

    def enter(self, data: Data) -> None:
        self.reset()
        self.state = "open"
        if self.kind == "xor":
            self.taken = [self.parts[int(str(data[self.id])) % len(self.parts)]]
        elif self.kind == "inc":
            mask = int(str(data[self.id]))
            self.taken = [one for n, one in enumerate(self.parts[1:]) if mask >> n & 1] or [self.parts[0]]
        elif self.kind in ("par", "each"):
            self.taken = list(self.parts)
        elif self.kind in ("seq", "sub", "loop", "row"):
            self.taken = self.parts[:1]
        for one in self.taken:
            one.enter(data)
        self.go_on(data)

    def go_on(self, data: Data) -> None:
        """Move on what can: called from the inside out after anything changed."""
        if self.state != "open":
            return
        for one in self.taken:
            one.go_on(data)
        if self.kind == "step" or any(one.state != "done" for one in self.taken):
            return
        if self.kind in ("seq", "row") and len(self.taken) < len(self.parts):
            following = self.parts[len(self.taken)]
            self.taken.append(following)
            following.enter(data)
            self.go_on(data)
        elif self.kind == "loop" and data[self.id]:
            self.enter(data)
        else:
            self.state = "done"

    def open_steps(self) -> list[tuple[str, str]]:
        if self.state != "open":
            return []
        if self.kind == "step":
            return [(self.id, self.instance)]
        return [step for one in self.taken for step in one.open_steps()]

    def go_back(self, step: str, origin: "Block") -> bool:
        """Open a done step again; answers whether it is in here. Out of instances only to what is in the same one, into finished ones to all."""
        if self.kind == "step":
            if self.id == step:
                self.state = "open"
            return self.id == step
        mine = [one for one in self.taken if any(it is origin for it in one.steps())]
        ways = mine if mine and self.kind in ("each", "row") else self.taken
        back: list[Block] = []
        for one in ways:
            if (self.kind == "each" or not back) and one.go_back(step, origin):
                back.append(one)
        if back:
            self.state = "open"
            if self.kind in ("seq", "row"):
                number = next(number for number, one in enumerate(self.taken) if one is back[0])
                self.taken = self.taken[: number + 1]
                for later in self.parts[number + 1 :]:
                    later.reset()
        return bool(back)

    def led_to(self, origin: "Block") -> tuple[bool, list[str]]:
        """Whether the step is in here, and the steps done on the way to it in this turn."""
        if self.kind == "step":
            return self is origin, []
        before: list[str] = []
        for one in self.taken:
            inside, found = one.led_to(origin)
            if inside:
                return True, before + found
            if self.kind == "seq":
                before += [it.id for it in one.steps() if it.state == "done"]
        return False, []


class Maker:
    """Draws random blocks and the BPMN for them."""

    def __init__(self, rng: random.Random, many: tuple[str, ...] = ()) -> None:
        self.rng = rng
        self.many = many
        self.count = 0
        self.variables: dict[str, int] = {}

    def name(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def block(self, depth: int) -> Block:
        kind = (
            self.rng.choice(["step", "step", "seq", "xor", "par", "par", "inc", "loop", "sub", *self.many])
            if depth
            else "step"
        )
        if kind == "step":
            return Block("step", self.name("t"))
        size = self.rng.randint(2, 3)
        made = Block(kind, self.name(kind))
        if kind in ("xor", "inc"):
            self.variables[made.id] = 1 << size
        if kind == "loop":
            self.variables[made.id] = 2
            first = Block("step", self.name("t"))
            made.parts = [Block("seq", self.name("q"), [first, self.block(depth - 1)])]
        elif kind == "sub":
            made.parts = [self.block(depth - 1)]
        elif kind in ("each", "row"):
            made.parts = self.block(depth - 1).instances(size)
        else:
            made.parts = [self.block(depth - 1) for _one in range(size)]
            if kind in ("xor", "par") and self.rng.random() < 0.2:
                made.parts[-1] = Block("seq", self.name("q"))
        return made

    def draw(self, draw: Draw, block: Block, source: str) -> str:
        """The block after an element; answers its last element."""
        if block.kind == "step":
            draw.put("userTask", block.id).flow(f"{source} {block.id}")
            return block.id
        if block.kind == "seq":
            for part in block.parts:
                source = self.draw(draw, part, source)
            return source
        if block.kind in ("sub", "each", "row"):
            inner = Draw(block.id, f"s_{block.id}", f"e_{block.id}")
            inner.flow(f"{self.draw(inner, block.parts[0], f's_{block.id}')} e_{block.id}")
            entries = str(list(range(len(block.parts))))
            instances = "" if block.kind == "sub" else many(entries, sequential=block.kind == "row")
            draw.put("subProcess", block.id, inner.body() + instances).flow(f"{source} {block.id}")
            return block.id
        return self._gateways(draw, block, source)

    def _gateways(self, draw: Draw, block: Block, source: str) -> str:
        opening, closing = f"o_{block.id}", f"c_{block.id}"
        tag = {
            "xor": "exclusiveGateway",
            "loop": "exclusiveGateway",
            "par": "parallelGateway",
            "inc": "inclusiveGateway",
        }
        draw.put(tag[block.kind], f"{opening} {closing}").flow(f"{source} {opening}")
        if block.kind == "loop":
            end = self.draw(draw, block.parts[0], opening)
            draw.flow(f"{end} {closing}").flow(f"{closing} {opening}", f"{block.id} == 1")
            draw.put("exclusiveGateway", f"x_{block.id}").flow(f"{closing} !x_{block.id}")
            return f"x_{block.id}"
        for number, part in enumerate(block.parts):
            self._branch(draw, block, number, part)
        return closing

    def _branch(self, draw: Draw, block: Block, number: int, part: Block) -> None:
        """One way between two gateways, behind a script so that its first arrow can have a condition."""
        opening, closing, way = f"o_{block.id}", f"c_{block.id}", f"w_{block.id}_{number}"
        draw.put("scriptTask", way, script("passed = 1"))
        if block.kind == "par":
            draw.flow(f"{opening} {way}")
        elif number == 0:
            draw.flow(f"{opening} !{way}")
        elif block.kind == "xor":
            draw.flow(f"{opening} {way}", f"{block.id} % {len(block.parts)} == {number}")
        else:
            holds = " or ".join(
                f"{block.id} == {mask}" for mask in range(1 << len(block.parts)) if mask >> number - 1 & 1
            )
            draw.flow(f"{opening} {way}", holds)
        draw.flow(f"{self.draw(draw, part, way)} {closing}")

    def process(self) -> tuple[Block, ProcessFile]:
        tree = Block("seq", "root", [Block("step", self.name("t")), *(self.block(3) for _one in range(2))])
        draw = Draw()
        draw.flow(f"{self.draw(draw, tree, 's')} e")
        return tree, read_bpmn(draw.xml())

    def values(self) -> Data:
        return {
            name: self.rng.randrange(size) if size > 2 else int(self.rng.random() < 0.4)
            for name, size in self.variables.items()
        }


def play(seed: int, *, back: float, moves: int = 60, instances: bool = False) -> list[str]:
    """A random case against its plain reading; answers the log of what was done."""
    rng = random.Random(seed)
    maker = Maker(rng, ("each", "each", "row") if instances else ())
    tree, file = maker.process()
    data = maker.values()
    machine = Machine.start(file, {}, data, 0)
    tree.enter(data)
    log: list[str] = []
    for move in range(moves):
        opened = [(token.step_id, token.instance) for token in machine.tokens]
        assert sorted(opened) == sorted(tree.open_steps()), (seed, log)
        assert machine.finished == (not machine.tokens), (seed, log)
        assert len({token.id for token in machine.tokens}) == len(machine.tokens)
        if machine.finished:
            assert machine.ended_at == ("e",)
            break
        state = machine.save()
        machine = Machine.load(file, {}, state)
        machine.set_data({})
        assert machine.save() == state, "saving and loading is identity"
        token = rng.choice(machine.tokens)
        origin = next(one for one in tree.steps() if (one.id, one.instance) == (token.step_id, token.instance))
        inside, way = tree.led_to(origin)
        assert inside
        assert set(way) <= set(machine.earlier_steps(token.id)), (seed, log, token)
        given = maker.values()
        if way and rng.random() < back:
            step = rng.choice(way)
            others = {one.id for one in machine.tokens}
            ended = machine.go_back(token.id, step, move, given)
            log.append(f"{token.step_id} back to {step}")
            assert token.id in ended
            assert others - set(ended) <= {one.id for one in machine.tokens}, "what did not end keeps its id"
            tree.go_back(step, origin)
        else:
            machine.complete(token.id, given, move)
            log.append(token.step_id)
            origin.state = "done"
            data.update(given)
            tree.go_on(data)
        data.update(given)
    return log


@pytest.mark.parametrize("start", range(0, 60, 30))
def test_random_cases_open_what_the_blocks_say(start: int) -> None:
    for seed in range(start, start + 30):
        play(seed, back=0.0)


@pytest.mark.parametrize("start", range(0, 100, 25))
def test_going_back_undoes_what_the_step_caused_and_nothing_else(start: int) -> None:
    for seed in range(start, start + 25):
        play(seed, back=0.35)


def test_instances_come_and_are_gone_back_into_as_the_blocks_say() -> None:
    for seed in range(1_000, 1_030):
        play(seed, back=0.35, instances=True)


def test_the_same_choices_give_the_same_bytes() -> None:
    assert play(7, back=0.3) == play(7, back=0.3)
