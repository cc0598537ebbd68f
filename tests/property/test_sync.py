"""Devices and a backend model under loss, duplication, reordering, crash-restart, clock jumps, rights changes and a forgotten log:
in the end all hold what the server shows them, nothing is lost, nothing is there twice, every conversation keeps its order."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.domain import Message
from desktop.core.ids import uuid7
from desktop.core.sync.outbox import EditState
from tests.helpers.backend_model import BackendModel
from tests.helpers.simulated_device import TYPES, SimulatedDevice

ROOMS = ("room-1", "room-2", "room-3")
ROUNDS = 400

devices = st.integers(0, 2)
rooms = st.sampled_from(ROOMS)
places = st.integers(0, 5)
steps = st.one_of(
    st.tuples(st.just("say"), devices, rooms),
    st.tuples(st.just("say and die"), devices, rooms),
    st.tuples(st.just("read"), devices, rooms),
    st.tuples(st.just("dismiss"), devices, st.none()),
    st.tuples(st.just("to server"), devices, places),
    st.tuples(st.just("to server"), devices, places),
    st.tuples(st.just("to client"), devices, places),
    st.tuples(st.just("to client"), devices, places),
    st.tuples(st.just("to client, die"), devices, places),
    st.tuples(st.just("double to server"), devices, places),
    st.tuples(st.just("double to client"), devices, places),
    st.tuples(st.just("lose"), devices, st.booleans()),
    st.tuples(st.just("settle"), devices, st.none()),
    st.tuples(st.just("connect"), devices, st.none()),
    st.tuples(st.just("refuse"), devices, st.none()),
    st.tuples(st.just("cut"), devices, st.none()),
    st.tuples(st.just("crash"), devices, st.none()),
    st.tuples(st.just("network"), devices, st.none()),
    st.tuples(st.just("time"), devices, st.sampled_from((0.6, 2.0, 31.0, 86_400.0))),
    st.tuples(st.just("others say"), devices, rooms),
    st.tuples(st.just("change"), devices, rooms),
    st.tuples(st.just("others change"), devices, rooms),
    st.tuples(st.just("leave"), devices, rooms),
    st.tuples(st.just("join"), devices, rooms),
    st.tuples(st.just("alert"), devices, st.none()),
    st.tuples(st.just("forget log"), devices, st.none()),
)


class World:
    """Two devices of anna, one of ben, and carol who only talks."""

    def __init__(self, push_objects: bool) -> None:
        self.model = BackendModel(push_objects)
        for room in ROOMS:
            self.model.add_conversation(room, "anna", "ben", "carol")
        self.devices = [SimulatedDevice(n, a, self.model) for n, a in enumerate(("anna", "anna", "ben"))]
        self.count = 0

    def step(self, name: str, number: int, argument: Any) -> None:  # noqa: C901 - one case for each step
        device = self.devices[number]
        self.count += 1
        match name:
            case "say" | "say and die":
                device.say(argument, die=name == "say and die")
            case "read":
                device.mark_read(argument)
            case "dismiss":
                device.dismiss()
            case "to server" | "double to server":
                device.reaches_server(argument, keep=name == "double to server")
            case "to client" | "double to client" | "to client, die":
                device.reaches_client(argument, keep=name == "double to client", die=name == "to client, die")
            case "lose":
                device.lose(self.count, to_client=argument)
            case "settle":
                device.settle()
            case "connect":
                device.connect()
            case "refuse":
                device.refuse_connection()
            case "cut":
                device.cut()
            case "crash":
                device.crash()
            case "network":
                device.network_changed()
            case "time":
                device.pass_time(argument)
            case "others say":
                self.model.say("carol", argument, uuid7(10**9 + self.count, b"carol12345"), f"c{self.count}")
            case "change":
                device.change(argument)
            case "others change":
                self.change_one_of_carols(argument)
            case "leave":
                self.model.leave(device.account, argument)
            case "join":
                self.model.join(device.account, argument)
            case "alert":
                self.model.alert(device.account, f"alert-{self.count}")
            case "forget log":
                self.model.forget_log()

    def change_one_of_carols(self, room: str) -> None:
        said = [m["id"] for m in self.model._messages(room) if m["senderId"] == "carol"]
        if said:
            self.model.change("carol", said[self.count % len(said)], f"c{self.count}")

    def heal(self) -> None:
        """The network is good again; time passes until nothing more happens."""
        for device in self.devices:
            device.cut()
            device.refuse_connection()
        for _ in range(ROUNDS):
            before = self.model.now
            for device in self.devices:
                device.connect()
                device.settle()
            due = [d.wake_at for d in self.devices if d.wake_at is not None]
            idle = all(d.quiet for d in self.devices) and before == self.model.now
            soon = [d for d in self.devices if d.wake_at is not None and d.wake_at - d.now < 100]
            if idle and not soon and not any(e.ready for d in self.devices for e in d.store.load_edits()):
                return
            for device in self.devices if due else ():
                device.pass_time(max(0.0, (device.wake_at or device.now) - device.now))
        raise AssertionError([device.dump() for device in self.devices])

    def check(self) -> None:
        texts = [message["text"] for message in self.model.objects["Message"].values()]
        assert len(set(texts)) == len(texts)  # nobody's message exists twice
        for device in self.devices:
            for type_name in TYPES:
                assert self.held(device, type_name) == self.model.visible(device.account, type_name), type_name
            for room in ROOMS:
                self.check_room(device, room)

    def held(self, device: SimulatedDevice, type_name: str) -> set[str]:
        if type_name != "Message":
            return {value.id for value in device.store.load_objects(type_name)}
        return {message.id for room in ROOMS for message in device.store.load_messages(room, limit=10_000)}

    def check_room(self, device: SimulatedDevice, room: str) -> None:
        messages: list[Message] = device.store.load_messages(room, limit=10_000)
        assert len({message.id for message in messages}) == len(messages)
        truth = self.model.objects["Message"]
        assert all(truth[message.id]["seq"] == message.seq for message in messages)
        assert [message.text for message in messages] == [truth[message.id]["text"] for message in messages]
        conversation = next((c for c in device.store.load_conversations() if c.id == room), None)
        if conversation is not None:
            seen = self.model._as_seen(device.account, "Conversation", room)
            held = (conversation.last_seq, conversation.read_seq, conversation.unread_count)
            assert held == (seen["lastSeq"], seen["readSeq"], seen["unreadCount"])
            last = conversation.last_message
            assert (None if last is None else last.text) == seen.get("lastMessage", {}).get("text")
        kept = {edit.object_id for edit in device.store.load_edits() if edit.state is EditState.REFUSED}
        assert kept == {
            message_id for message_id in device.refused | kept if message_id not in truth
        }  # the user still has it
        accepted = [message_id for message_id in device.said.get(room, []) if message_id not in kept]
        assert all(message_id in truth for message_id in accepted)
        order = [truth[message_id]["seq"] for message_id in accepted]
        assert order == sorted(order)


@settings(max_examples=300, deadline=None)
@given(push_objects=st.booleans(), online=st.booleans(), story=st.lists(steps, max_size=60))
def test_devices_converge_whatever_happens(push_objects: bool, online: bool, story: list[tuple[str, int, Any]]) -> None:
    world = World(push_objects)
    for device in world.devices if online else ():
        device.connect()
        device.settle()
    for step in story:
        world.step(*step)
    world.heal()
    world.check()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_long_stories_in_a_bad_network(seed: int, push_objects: bool) -> None:
    random = Random(seed)
    world = World(push_objects)
    for device in world.devices:
        device.connect()
    names = [
        "say",
        "say",
        "others say",
        "change",
        "others change",
        "to server",
        "to client",
        "to server",
        "to client",
        "settle",
        "lose",
        "cut",
        "connect",
        "connect",
        "crash",
    ]
    for _ in range(400):
        name = random.choice(names)
        argument: Any = (
            random.choice(ROOMS)
            if "say" in name or "change" in name
            else random.random() < 0.5
            if name == "lose"
            else random.randrange(6)
        )
        world.step(name, random.randrange(3), argument)
        for device in world.devices:
            device.pass_time(random.random() * 3)
    world.heal()
    world.check()
