"""Two people on three devices act on shared work in a bad network: every act happens once or comes back with all that was typed, one of two wins, nothing is
sent before what it needs, and in the end all devices hold the server's cases and histories."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.domain.cases import Case, CaseEvent, WorkItem
from desktop.core.ids import uuid7
from desktop.core.protocol.objects import value_of
from desktop.core.services.case_overlay import ENDING, acts_of, event_of, items_under_way
from desktop.core.services.record_base import lane_of
from desktop.core.sync import events as happened
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import RecordsWanted
from tests.helpers.case_model import REQUEST, CaseModel
from tests.helpers.simulated_device import SimulatedDevice

ROUNDS = 300
ACTS = ("approve", "return", "urge")

devices = st.integers(0, 2)
places = st.integers(0, 5)
steps = st.one_of(
    st.tuples(st.just("act"), devices, st.tuples(places, st.sampled_from(ACTS))),
    st.tuples(st.just("act"), devices, st.tuples(places, st.sampled_from(ACTS))),
    st.tuples(st.just("act with a file"), devices, st.tuples(places, st.sampled_from(ACTS))),
    st.tuples(st.just("act and die"), devices, st.tuples(places, st.sampled_from(ACTS))),
    st.tuples(st.just("file arrives"), devices, st.booleans()),
    st.tuples(st.just("draft"), devices, st.booleans()),
    st.tuples(st.just("mend"), devices, st.none()),
    st.tuples(st.just("retry"), devices, places),
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
    """A device whose user handles cases."""

    model: CaseModel

    def connect(self) -> None:
        if self.wants_connection:
            self.wants_connection = False
            self.connection = self.model.connect(self.account)
            types = ("ModuleDefinition", *self.model.types)
            self.post(happened.SocketOpened(self.now, (), types, max_get=4))

    def values(self, type_name: str) -> list[Any]:
        found = self.store.load_page(RecordsWanted(type_name))[0]
        return [value_of(record, self.account) for record in found]

    def work(self) -> list[WorkItem]:
        """What the screen offers this user."""
        under_way = items_under_way(self.store.load_edits(), {})
        mine = [one for one in self.values("WorkItem") if one.open and one.is_of(self.account)]
        return sorted((one for one in mine if one.id not in under_way), key=lambda one: one.id)

    def key(self, base: int) -> str:
        self._counter += 1
        return uuid7(base + self.number * 1_000_000 + self._counter, bytes([self.number] * 10))

    def act(self, record_id: str, payload: dict[str, Any], *, upload: bool = False, die: bool = False) -> str:
        edits = self.store.load_edits()
        event_id = self.key(0)
        edit = Edit(
            event_id,
            lane_of(edits, REQUEST, record_id, payload),
            EditKind.CREATE,
            "CaseEvent",
            event_id,
            payload,
            uploads=((f"t-{event_id}", "attachments.0"), (f"s-{event_id}", "signature")) if upload else (),
            needs=record_id if any(e.kind is EditKind.CREATE and e.object_id == record_id for e in edits) else None,
        )
        self.post(happened.EditMade(self.now, edit), die_after_persist=die)
        return event_id


class World:
    """anna on two devices, ben on one."""

    def __init__(self) -> None:
        self.model = CaseModel("anna", "ben", chain=("ben", "anna", "ben", "anna"))
        for name in ("r1", "r2", "r3"):
            self.model.record(name, subject=name)
        self.model.open("r1", "anna", "ben")
        self.model.open("r2", "anna", "ben")
        self.model.open("r3", "anna")
        self.devices = [Device(n, account, self.model) for n, account in enumerate(("anna", "anna", "ben"))]
        self.count = 0
        self.typed: dict[str, tuple[int, dict[str, Any]]] = {}

    def step(self, name: str, number: int, argument: Any) -> None:
        device = self.devices[number]
        self.count += 1
        match name:
            case "act" | "act with a file" | "act and die":
                self.act(device, *argument, upload=name == "act with a file", die=name == "act and die")
            case "file arrives":
                self.files_arrive(device, refused=argument)
            case "draft":
                self.draft(device, bad=argument)
            case "mend":
                self.mend(device)
            case "retry":
                refused = [edit for edit in device.store.load_edits() if edit.state is EditState.REFUSED]
                if refused:
                    device.post(happened.EditRetried(device.now, refused[argument % len(refused)].id))
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

    # ------------------------------------------------------------ what people do
    def act(self, device: Device, place: int, action: str, *, upload: bool, die: bool) -> None:
        work = device.work()
        if not work:
            return
        item = work[place % len(work)]
        payload: dict[str, Any] = {
            "recordType": REQUEST,
            "recordId": item.record_id,
            "workItemId": item.id,
            "action": action,
        }
        payload["opinion"] = f"{device.account} {self.count}"
        if upload:
            payload["attachments"] = [{"blobId": "", "name": "a.pdf", "size": 1}]
        if action == "approve":
            payload["values"] = {"unit": f"u{self.count}"}
        self.note(device, device.act(item.record_id, payload, upload=upload, die=die), payload)

    def draft(self, device: Device, *, bad: bool) -> None:
        """A new record and its submission, one after the other."""
        record_id = device.key(10**9)
        made = Edit(
            record_id,
            f"{REQUEST}:{record_id}",
            EditKind.CREATE,
            REQUEST,
            record_id,
            {"subject": "bad" if bad else "good"},
        )
        device.post(happened.EditMade(device.now, made))
        payload = {"recordType": REQUEST, "recordId": record_id, "action": "submit", "opinion": f"draft {self.count}"}
        self.note(device, device.act(record_id, payload), payload)

    def mend(self, device: Device) -> None:
        """A refused draft is written once more, as its form does."""
        for edit in device.store.load_edits():
            if edit.state is EditState.REFUSED and edit.type_name == REQUEST:
                again = Edit(
                    device.key(2 * 10**9), edit.lane, EditKind.CREATE, REQUEST, edit.object_id, {"subject": "good"}
                )
                device.post(happened.EditMade(device.now, again))
                device.post(happened.EditDropped(device.now, edit.id))
                return

    def files_arrive(self, device: Device, *, refused: bool) -> None:
        for edit in device.store.load_edits():
            for transfer, _ in edit.uploads:
                if refused:
                    device.post(happened.UploadRefused(device.now, transfer, "missing"))
                else:
                    device.post(happened.UploadFinished(device.now, transfer, f"blob-{transfer}"))

    def note(self, device: Device, event_id: str, payload: dict[str, Any]) -> None:
        self.typed[event_id] = (device.number, payload)

    def heal(self) -> None:
        for device in self.devices:
            device.cut()
            device.refuse_connection()
        for _ in range(ROUNDS):
            before = self.model.now
            for device in self.devices:
                self.files_arrive(device, refused=False)
                self.mend(device)
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
    def check_server(self) -> None:
        """One of several wins; nothing happens twice, and nothing to a record that is not there yet."""
        ids = [one["id"] for one in self.model.done]
        assert len(set(ids)) == len(ids)
        ended = [one["workItemId"] for one in self.model.done if one["action"] in ENDING and one.get("workItemId")]
        assert len(set(ended)) == len(ended)
        assert self.model.early == 0

    def check(self) -> None:
        self.check_server()
        done = {one["id"]: one for one in self.model.done}
        for event_id, (number, payload) in self.typed.items():
            edits = {edit.id: edit for edit in acts_of(self.devices[number].store.load_edits())}
            if event_id in done:
                assert event_id not in edits
                assert done[event_id]["opinion"] == payload["opinion"]
                continue
            assert payload["action"] != "submit"  # its draft was mended, so it went
            lost = edits[event_id]  # it came back, with all that was typed
            event = event_of(lost, "anna", None, None)
            assert (lost.state, event.refusal is not None) == (EditState.REFUSED, True)
            assert (event.opinion, event.action, event.values) == (
                payload["opinion"],
                payload["action"],
                payload.get("values", {}),
            )
            assert [one.name for one in event.attachments] == [one["name"] for one in payload.get("attachments", [])]
            if lost.code == "overtaken":
                assert event.refusal is not None
                assert event.refusal.by in ("anna", "ben")
        for one in self.model.done:
            if one.get("attachments"):
                assert one["attachments"][0]["blobId"] == f"blob-t-{one['id']}"
                assert one["signature"] == f"blob-s-{one['id']}"
        self.check_devices()

    def check_devices(self) -> None:
        for device in self.devices:
            items = {one.id: one.state for one in device.values("WorkItem")}
            assert items == {key: one["state"] for key, one in self.model.objects["WorkItem"].items()}
            cases = [one for one in device.values("Case") if isinstance(one, Case)]
            assert {one.id: one.state for one in cases} == {
                k: c["state"] for k, c in self.model.objects["Case"].items()
            }
            events = {one.id: one.seq for one in device.store.load_objects("CaseEvent") if isinstance(one, CaseEvent)}
            assert events == {key: one["seq"] for key, one in self.model.objects["CaseEvent"].items()}


@settings(max_examples=300, deadline=None)
@given(online=st.booleans(), story=st.lists(steps, max_size=50))
def test_every_act_happens_once_or_comes_back_whole(online: bool, story: list[tuple[str, int, Any]]) -> None:
    world = World()
    for device in world.devices if online else ():
        device.connect()
        device.settle()
    for step in story:
        world.step(*step)
        world.check_server()
    world.heal()
    world.check()


def long_story(seed: int) -> World:
    """Much work in a line that is bad now and then."""
    random = Random(seed)
    world = World()
    for device in world.devices:
        device.connect()
        device.settle()
    names = ["act"] * 8 + ["settle"] * 5 + ["to server", "to client", "connect", "connect", "time", "time"] * 2
    names += ["act with a file", "act and die", "file arrives", "file arrives", "draft", "mend", "retry"]
    names += ["cut", "crash", "lose", "double to server", "to client, die"]
    arguments: dict[str, Any] = {
        "file arrives": lambda: random.random() < 0.2,
        "draft": lambda: random.random() < 0.4,
        "lose": lambda: random.random() < 0.5,
        "time": lambda: random.random() * 3,
    }
    for _ in range(200):
        name = random.choice(names)
        make = arguments.get(name, lambda: random.randrange(6))
        argument = (random.randrange(6), random.choice(ACTS)) if name.startswith("act") else make()
        world.step(name, random.randrange(3), argument)
        world.check_server()
    world.heal()
    world.check()
    return world


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_nothing_is_lost_or_doubled_in_long_stories(seed: int) -> None:
    long_story(seed)


def test_the_stories_do_have_people_who_are_overtaken_and_drafts_that_are_held() -> None:
    worlds = [long_story(seed) for seed in range(12)]
    lost = [edit for world in worlds for device in world.devices for edit in acts_of(device.store.load_edits())]
    assert sum(edit.code == "overtaken" for edit in lost) >= 10
    assert sum(one["action"] == "submit" for world in worlds for one in world.model.done) >= 10
    assert sum(bool(one.get("attachments")) for world in worlds for one in world.model.done) >= 5
