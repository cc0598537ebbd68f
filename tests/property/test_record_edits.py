"""Two people on three devices edit the same records in a bad network: no field is ever lost without somebody having seen it, nothing the server refused is
shown as if it held, types come and go with their modules, and in the end all devices hold what the server has."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.domain import Record
from desktop.core.domain.conditions import Facts
from desktop.core.ids import uuid7
from desktop.core.services.record_base import lane_of
from desktop.core.services.record_edits import MINE, THEIRS, conflict_of, decided, waits
from desktop.core.services.record_overlay import NOT_DATA, edits_of, lay
from desktop.core.services.records import versioned
from desktop.core.sync import events as happened
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import RecordsWanted
from tests.helpers.record_model import RecordModel
from tests.helpers.simulated_device import SimulatedDevice

FIELDS = ("title", "place", "cost")
ROUNDS = 300

devices = st.integers(0, 2)
places = st.integers(0, 5)
fields = st.sampled_from(FIELDS)
steps = st.one_of(
    st.tuples(st.just("create"), devices, fields),
    st.tuples(st.just("edit"), devices, st.tuples(places, fields)),
    st.tuples(st.just("edit"), devices, st.tuples(places, fields)),
    st.tuples(st.just("edit and die"), devices, st.tuples(places, fields)),
    st.tuples(st.just("edit badly"), devices, st.tuples(places, fields)),
    st.tuples(st.just("settle a conflict"), devices, st.lists(st.sampled_from([MINE, THEIRS]), min_size=3, max_size=3)),
    st.tuples(st.just("destroy"), devices, places),
    st.tuples(st.just("module"), devices, st.sampled_from([(), ("Fuel",), ("Fuel", "Repair")])),
    st.tuples(st.just("to server"), devices, places),
    st.tuples(st.just("to client"), devices, places),
    st.tuples(st.just("to client, die"), devices, places),
    st.tuples(st.just("double to server"), devices, places),
    st.tuples(st.just("lose"), devices, st.booleans()),
    st.tuples(st.just("settle"), devices, st.none()),
    st.tuples(st.just("connect"), devices, st.none()),
    st.tuples(st.just("cut"), devices, st.none()),
    st.tuples(st.just("crash"), devices, st.none()),
    st.tuples(st.just("time"), devices, st.sampled_from((0.6, 2.0, 31.0))),
    st.tuples(st.just("forget log"), devices, st.none()),
)


class Device(SimulatedDevice):
    """A device whose user writes records."""

    model: RecordModel

    def connect(self) -> None:
        if self.wants_connection:
            self.wants_connection = False
            self.connection = self.model.connect(self.account)
            types = ("ModuleDefinition", *self.model.types)
            self.post(happened.SocketOpened(self.now, (), types, max_get=4))

    def shown(self, type_name: str) -> dict[str, Record]:
        """Records as the screen has them."""
        stored = {record.id: record for record in self.store.load_page(RecordsWanted(type_name))[0]}
        laid = lay(edits_of(self.store.load_edits(), type_name), stored, None, Facts(self.account))
        return {key: one for key, one in {**stored, **laid.records}.items() if key not in laid.hidden}

    def write(self, kind: EditKind, type_name: str, key: str, payload: dict[str, Any], *, die: bool = False) -> None:
        self._counter += 1
        edit_id = uuid7(self.number * 1_000_000 + self._counter, bytes([self.number] * 10))
        lane = lane_of(self.store.load_edits(), type_name, key, payload)
        edit = Edit(edit_id, lane, kind, type_name, key, payload)
        self.post(happened.EditMade(self.now, edit), die_after_persist=die)


class World:
    """anna on two devices, ben on one."""

    def __init__(self) -> None:
        self.model = RecordModel("anna", "ben")
        self.model.define("vehicles", "Trip")
        self.devices = [Device(n, account, self.model) for n, account in enumerate(("anna", "anna", "ben"))]
        self.count = 0
        self.seen: dict[str, Any] = {}
        """What stood in the field when its writer wrote this value."""
        self.settled: set[str] = set()
        """Values their writer gave up, or wrote over himself."""
        self.owner: dict[str, str] = {}

    def step(self, name: str, number: int, argument: Any) -> None:
        device = self.devices[number]
        self.count += 1
        match name:
            case "create":
                value = self.value(device, None)
                key = uuid7(10**9 + self.count, bytes([number] * 10))
                device.write(EditKind.CREATE, "Trip", key, {argument: value})
            case "edit" | "edit and die" | "edit badly":
                self.edit(device, *argument, bad=name == "edit badly", die=name == "edit and die")
            case "settle a conflict":
                self.settle_conflict(device, argument)
            case "destroy":
                self.destroy(device, argument)
            case "module":
                self.model.define("cars", *argument) if argument else self.model.undefine("cars")
            case "to server" | "double to server":
                device.reaches_server(argument, keep=name == "double to server")
            case "to client" | "to client, die":
                device.reaches_client(argument, die=name == "to client, die")
            case "lose":
                device.lose(self.count, to_client=argument)
            case "settle":
                device.settle()
            case "connect":
                device.connect()
            case "cut":
                device.cut()
            case "crash":
                device.crash()
            case "time":
                device.pass_time(argument)
            case "forget log":
                self.model.forget_log()

    def value(self, device: Device, seen: Any, bad: str = "") -> str:
        value = f"{bad}{device.account}-{self.count}"
        self.seen[value], self.owner[value] = seen, device.account
        return value

    def edit(self, device: Device, place: int, field: str, *, bad: bool, die: bool) -> None:
        shown = device.shown("Trip")
        if not shown:
            return
        record = shown[sorted(shown)[place % len(shown)]]
        if record.refusal is not None and record.version == 0:
            return  # a refused new record is mended in its form
        stored = device.store.load_records("Trip", (record.id,)).get(record.id)
        value = self.value(device, None if stored is None else stored.data.get(field), "bad-" if bad else "")
        held = record.data.get(field)
        if held in self.owner and self.owner[held] == device.account:
            self.settled.add(held)  # written over by its own writer, who sees it
        device.write(EditKind.UPDATE, "Trip", record.id, versioned(record, {field: value}), die=die)

    def settle_conflict(self, device: Device, choices: list[str]) -> None:
        edit = next((one for one in device.store.load_edits() if waits(one)), None)
        if edit is None:
            return
        conflict = conflict_of(edit, device.store)
        take = dict(zip(FIELDS, choices, strict=True))
        patch = decided(conflict, take)
        given_up = {value for field, value in edit.payload.items() if field not in patch}
        if edit.kind is EditKind.CREATE or conflict.theirs is None:
            given_up = set(edit.payload.values())
        elif patch:
            for field, value in patch.items():
                self.seen[value] = conflict.theirs.data.get(field)
            device.write(EditKind.UPDATE, "Trip", edit.object_id, {**patch, "version": conflict.theirs.version})
        self.settled |= given_up
        device.post(happened.EditDropped(device.now, edit.id))

    def destroy(self, device: Device, place: int) -> None:
        shown = [one for one in device.shown("Trip").values() if one.version]
        if shown:
            device.write(EditKind.DESTROY, "Trip", sorted(one.id for one in shown)[place % len(shown)], {})

    def heal(self) -> None:
        for device in self.devices:
            device.cut()
            device.refuse_connection()
        for _ in range(ROUNDS):
            before = self.model.now
            for device in self.devices:
                device.connect()
                device.settle()
            idle = all(d.quiet for d in self.devices) and before == self.model.now
            soon = [d for d in self.devices if d.wake_at is not None and d.wake_at - d.now < 100]
            if idle and not soon and not any(e.ready for d in self.devices for e in d.store.load_edits()):
                return
            for device in self.devices:
                device.pass_time(max(0.0, (device.wake_at or device.now) - device.now))
        raise AssertionError([device.dump() for device in self.devices])

    # ------------------------------------------------------------ what must hold
    def check_screens(self) -> None:
        """Nothing refused is shown as if it held."""
        for device in self.devices:
            shown = device.shown("Trip")
            edits = [edit for edit in device.store.load_edits() if edit.type_name == "Trip"]
            pending = {
                (edit.object_id, field) for edit in edits if edit.state is EditState.PENDING for field in edit.payload
            }
            for edit in edits:
                stored = device.store.load_records("Trip", (edit.object_id,)).get(edit.object_id)
                if edit.state is not EditState.REFUSED or stored is None or edit.object_id not in shown:
                    continue
                assert shown[edit.object_id].refusal is not None
                for field in edit.payload.keys() - NOT_DATA:
                    if (edit.object_id, field) not in pending:
                        assert shown[edit.object_id].data.get(field) == stored.data.get(field)

    def check(self) -> None:
        truth = self.model.objects.get("Trip", {})
        for device in self.devices:
            for type_name in ("Trip", "Fuel", "Repair"):
                held = {record.id: record for record in device.store.load_page(RecordsWanted(type_name))[0]}
                assert held.keys() == self.model.objects.get(type_name, {}).keys(), type_name
                if type_name not in self.model.types:
                    assert type_name not in device.store.load_saved().states
            for key, record in truth.items():
                mine = device.store.load_records("Trip", (key,))[key]
                assert mine.version == record["version"]
                assert mine.data == {field: record[field] for field in FIELDS if field in record}
        self.check_nothing_is_lost()

    def check_nothing_is_lost(self) -> None:
        for one in self.model.written:
            if one.old_by is not None and one.old_by != one.by:
                assert self.seen[one.new] == one.old, one  # who wrote over it had seen it
        waiting = {value for d in self.devices for edit in d.store.load_edits() for value in edit.payload.values()}
        lost = [value for value in self.owner if value not in self.model.accepted | self.settled | waiting]
        assert lost == []


@settings(max_examples=300, deadline=None)
@given(online=st.booleans(), story=st.lists(steps, max_size=50))
def test_no_field_is_lost_silently(online: bool, story: list[tuple[str, int, Any]]) -> None:
    world = World()
    for device in world.devices if online else ():
        device.connect()
        device.settle()
    for step in story:
        world.step(*step)
        world.check_screens()
    world.heal()
    world.check_screens()
    world.check()


def long_story(seed: int) -> World:
    """A few records, many edits, now and then a bad line."""
    random = Random(seed)
    world = World()
    for device in world.devices:
        device.connect()
        device.settle()
    names = (
        ["edit"] * 12 + ["settle"] * 8 + ["edit and die", "edit badly", "connect", "connect", "to server", "to client"]
    )
    names += [
        "settle a conflict",
        "time",
        "time",
        "create",
        "cut",
        "crash",
        "lose",
        "module",
        "destroy",
        "double to server",
    ]
    arguments: dict[str, Any] = {
        "create": lambda: random.choice(FIELDS),
        "settle a conflict": lambda: [random.choice((MINE, THEIRS)) for _ in FIELDS],
        "lose": lambda: random.random() < 0.5,
        "module": lambda: random.choice(((), ("Fuel",), ("Fuel", "Repair"))),
        "time": lambda: random.random() * 3,
    }
    for _ in range(250):
        name = random.choice(names)
        make = arguments.get(name, lambda: random.randrange(6))
        argument = (random.randrange(2), random.choice(FIELDS)) if name.startswith("edit") else make()
        world.step(name, random.randrange(3), argument)
        world.check_screens()
    world.heal()
    world.check()
    return world


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_nothing_is_lost_in_long_stories(seed: int) -> None:
    long_story(seed)


def test_the_stories_do_have_conflicts_and_merges() -> None:
    worlds = [long_story(seed) for seed in range(12)]
    assert sum(world.model.conflicts for world in worlds) >= 10
    written = [one for world in worlds for one in world.model.written]
    assert sum(one.old_by is not None and one.old_by != one.by for one in written) >= 10
