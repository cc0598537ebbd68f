"""The hub with sockets that only write down what they are sent: who hears what, how often, and what a slow one hears."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from server_stub.clock import FixedClock
from server_stub.push import hub
from server_stub.push.connection import TOO_SLOW, Connection
from server_stub.push.events import MembershipChanged, ObjectsChanged
from server_stub.push.frames import Frame, push_frame, state_change
from server_stub.push.hub import Hub
from server_stub.push.presence import Presence, best_status
from server_stub.storage.database import Database

TYPES = ("Message", "Receipt", "Conversation")


@dataclass
class Outlet:
    """Writes down frames; as full as the test says."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    raw: list[Frame] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    behind: bool = False
    waiting: int = 0

    def send(self, frame: Frame) -> None:
        self.raw.append(frame)
        self.frames.append(json.loads(frame.payload))

    def backlog(self) -> int:
        return self.waiting

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def of(self, type_: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["@type"] == type_]


class World:
    """A hub over an empty database; who is in which scope is what the test says."""

    def __init__(self, database: Database, clock: FixedClock) -> None:
        self.scopes: dict[str, set[int]] = {}
        self.database = database
        self.clock = clock
        self.hub = Hub(database, clock, lambda conn, person: set(self.scopes.get(person, ())), TYPES)

    async def enter(
        self, person: str, *scopes: int, objects: tuple[str, ...] = ("Message", "Receipt")
    ) -> tuple[Connection, Outlet]:
        self.scopes[person] = set(scopes)
        outlet = Outlet()
        connection = Connection(person, outlet)
        await self.hub.connect(connection)
        self.hub.enable(connection, None, objects, signals=True)
        return connection, outlet

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)


def message(n: int, *scopes: int, **more: Any) -> ObjectsChanged:
    return ObjectsChanged("Message", n, scopes, objects=({"id": f"m{n}"},), **more)


@pytest.fixture
def run(tmp_path: Path) -> Callable[[Callable[[World], Awaitable[None]]], None]:
    def start(scenario: Callable[[World], Awaitable[None]]) -> None:
        async def main() -> None:
            clock = FixedClock(1_000_000)
            database = Database.open(tmp_path / "a.db", clock=clock)
            try:
                await scenario(World(database, clock))
            finally:
                await database.close()

        asyncio.run(main())

    return start


Run = Callable[[Callable[[World], Awaitable[None]]], None]


def test_a_frame_is_encoded_once_for_everybody_in_the_scope(run: Run) -> None:
    async def scenario(world: World) -> None:
        inside = [await world.enter(f"p{n}", 1) for n in range(5)]
        _, outside = await world.enter("q", 2)
        world.hub.on_events([message(7, 1)])
        for _, outlet in inside:
            assert outlet.of("Push") == [{"@type": "Push", "state": "7", "objects": {"Message": [{"id": "m7"}]}}]
        assert len({id(outlet.raw[-1]) for _, outlet in inside}) == 1
        assert outside.of("Push") == []

    run(scenario)


def test_a_socket_that_falls_behind_hears_only_that_something_changed(run: Run) -> None:
    async def scenario(world: World) -> None:
        connection, outlet = await world.enter("p", 1)
        outlet.behind = True
        world.hub.on_events([message(1, 1), message(2, 1)])
        assert connection.lagging
        outlet.behind = False
        world.hub.on_events([message(3, 1)])
        assert outlet.of("Push") == []  # not before the state that tells what was left out
        await world.until(lambda: bool(outlet.of("StateChange")))
        (told,) = outlet.of("StateChange")
        assert told == {"@type": "StateChange", "changed": {"p": {"Message": "3"}}, "pushState": "3"}
        world.hub.on_events([message(4, 1)])
        assert len(outlet.of("Push")) == 1

    run(scenario)


def test_a_socket_that_takes_nothing_is_closed(run: Run) -> None:
    async def scenario(world: World) -> None:
        _, outlet = await world.enter("p", 1)
        outlet.behind, outlet.waiting = True, TOO_SLOW + 1
        world.hub.on_events([message(1, 1)])
        await world.until(lambda: outlet.closed is not None)
        assert outlet.closed == (1013, "too slow")

    run(scenario)


def test_news_of_a_scope_is_gathered_into_one_state_change(run: Run) -> None:
    async def scenario(world: World) -> None:
        _, one = await world.enter("p", 1, 2)
        _, other = await world.enter("q", 2)
        for n in range(1, 50):
            world.hub.on_events(
                [ObjectsChanged("Conversation", n, (1,)), ObjectsChanged("Receipt", n, person_ids=("q",))]
            )
        await world.until(lambda: bool(one.of("StateChange") and other.of("StateChange")))
        assert [frame["changed"] for frame in one.of("StateChange")] == [{"p": {"Conversation": "49"}}]
        assert [frame["changed"] for frame in other.of("StateChange")] == [{"q": {"Receipt": "49"}}]

    run(scenario)


def test_receipts_of_large_groups_are_gathered_newest_of_each(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "GATHER_OBJECTS_S", 0.05)

    async def scenario(world: World) -> None:
        _, outlet = await world.enter("p", 1)
        for n in range(1, 9):
            receipt = {"id": f"r{n % 3}", "readSeq": n}
            world.hub.on_events([ObjectsChanged("Receipt", n, (1,), objects=(receipt,), gather=True)])
        assert outlet.of("Push") == []
        await world.until(lambda: bool(outlet.of("Push")))
        (push,) = outlet.of("Push")
        assert push["state"] == "8"
        assert {one["id"]: one["readSeq"] for one in push["objects"]["Receipt"]} == {"r0": 6, "r1": 7, "r2": 8}

    run(scenario)


def test_what_was_gathered_does_not_come_after_what_went_out_at_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "GATHER_OBJECTS_S", 0.05)

    async def scenario(world: World) -> None:
        _, outlet = await world.enter("p", 1)
        for n, (id_, text, gather) in enumerate((("a", "old", True), ("b", "kept", True), ("a", "new", False)), 1):
            changed = ObjectsChanged("Message", n, (1,), objects=({"id": id_, "text": text},), gather=gather)
            world.hub.on_events([changed])
        await world.until(lambda: len(outlet.of("Push")) == 2)
        told = [one["text"] for push in outlet.of("Push") for one in push["objects"]["Message"]]
        assert told == ["new", "kept"]

    run(scenario)


def test_membership_moves_pushes_also_while_the_scopes_are_being_read(run: Run) -> None:
    async def scenario(world: World) -> None:
        outlet = Outlet()
        connection = Connection("p", outlet)
        world.scopes["p"] = {1, 2}
        entering = asyncio.ensure_future(world.hub.connect(connection))
        await asyncio.sleep(0)
        world.hub.on_events([MembershipChanged("p", 3, True, 1), MembershipChanged("p", 2, False, 2)])
        await entering
        world.hub.enable(connection, None, ["Message"], signals=True)
        assert connection.scopes == {1, 3}
        world.hub.on_events([message(3, 2), message(4, 3), MembershipChanged("p", 3, False, 5), message(6, 3)])
        assert [push["state"] for push in outlet.of("Push")] == ["4"]
        await world.until(lambda: bool(outlet.of("StateChange")))
        assert outlet.of("StateChange")[0]["changed"] == {"p": dict.fromkeys(TYPES, "5")}
        world.hub.disconnect(connection)
        world.hub.disconnect(connection)
        world.hub.on_events([message(7, 1)])
        assert len(outlet.of("Push")) == 1

    run(scenario)


def test_nothing_is_sent_before_enable_or_after_disable(run: Run) -> None:
    async def scenario(world: World) -> None:
        connection, outlet = await world.enter("p", 1)
        silent = Outlet()
        await world.hub.connect(Connection("p", silent))
        world.hub.disable(connection)
        world.hub.on_events([message(1, 1), ObjectsChanged("Conversation", 1, (1,))])
        _, witness = await world.enter("w", 1)
        world.hub.on_events([ObjectsChanged("Conversation", 2, (1,))])
        await world.until(lambda: bool(witness.of("StateChange")))
        assert silent.frames == []
        assert outlet.of("Push") == outlet.of("StateChange") == []

    run(scenario)


def test_typing_is_told_to_others_and_not_too_often(run: Run) -> None:
    async def scenario(world: World) -> None:
        writer, own = await world.enter("p", 1)
        _, reader = await world.enter("q", 1)
        assert world.hub.type_in(writer, 1, "c")
        assert not world.hub.type_in(writer, 1, "c")
        assert not world.hub.type_in(writer, 2, "d")
        world.clock.advance(1000)
        assert world.hub.type_in(writer, 1, "c")
        typing = {"@type": "Signal", "kind": "typing", "conversationId": "c", "personId": "p"}
        assert [frame for frame in reader.frames if frame.get("kind") == "typing"] == [typing, typing]
        assert [frame for frame in own.frames if frame.get("kind") == "typing"] == []

    run(scenario)


def test_going_away_gives_each_a_delay_of_its_own(run: Run) -> None:
    async def scenario(world: World) -> None:
        outlets = [(await world.enter(f"p{n}", 1))[1] for n in range(40)]
        world.hub.on_events([ObjectsChanged("Conversation", 1, (1,))])
        world.hub.go_away(first_s=2, spread_s=10)
        delays = [outlet.frames[-1]["retryAfter"] for outlet in outlets]
        assert len(set(delays)) == 40
        assert (min(delays), max(delays) <= 12) == (2, True)
        assert {outlet.closed for outlet in outlets} == {(1001, "the server is stopping")}

    run(scenario)


def test_presence_is_the_best_of_all_sockets_and_tells_only_changes() -> None:
    assert best_status(["away", "online", None]) == "online"
    assert best_status(["away", "dnd", "online"]) == "dnd"
    assert best_status([None]) == "offline"
    presence = Presence()
    assert presence.update("p", "online")
    assert not presence.update("p", "online")
    assert presence.update("q", "busy")
    assert presence.take_changes() == {"p": "online", "q": "busy"}
    presence.update("p", "offline")
    presence.update("p", "online")
    presence.update("q", "offline")
    assert presence.take_changes() == {"q": "offline"}
    assert presence.current == {"p": "online"}
    assert presence.set_text("p", "开会到 11 点")
    assert not presence.set_text("p", "开会到 11 点")
    assert not presence.set_text("q", "nobody there")
    assert presence.take_texts() == {"p": "开会到 11 点"}
    presence.set_text("p", "")
    assert presence.take_texts() == {"p": ""}
    presence.set_text("p", "again")
    presence.update("p", "offline")
    assert presence.texts == {}, "it leaves with the person"


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_are_framed_as_the_rfc_says(size: int) -> None:
    from websockets.frames import Frame as Parsed
    from websockets.streams import StreamReader

    reader = StreamReader()
    reader.feed_data(Frame(b"x" * size).wire)
    parsing = Parsed.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as done:
        next(parsing)
    assert (done.value.value.data, int(done.value.value.opcode), done.value.value.fin) == (b"x" * size, 1, True)


def test_hostile_names_stay_inside_their_frame() -> None:
    told = json.loads(state_change('a"}],', {'T"': "1"}, 2).payload)
    assert told["changed"] == {'a"}],': {'T"': "1"}}
    assert json.loads(push_frame('M"', 3, [{"id": "x"}]).payload)["objects"] == {'M"': [{"id": "x"}]}


def test_a_client_that_did_not_ask_for_signals_gets_standard_frames_alone(run: Run) -> None:
    async def scenario(world: World) -> None:
        plain = Outlet()
        connection = Connection("ann", plain)
        await world.hub.connect(connection)
        world.hub.enable(connection, None)
        _, other = await world.enter("bob", 1)
        assert world.hub.status_of("ann") == "offline"
        world.hub.go_away()
        assert plain.of("Signal") == []
        assert other.of("Signal")[-1]["kind"] == "goingAway"

    run(scenario)


def test_a_socket_that_changes_its_presence_too_often_is_heard_again_later(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "STATUS_WINDOW_MS", 300)

    async def scenario(world: World) -> None:
        noisy, _ = await world.enter("p")
        other, _ = await world.enter("q")
        said = ["away", "busy", "dnd", "online", "away", "busy", "dnd", "online", "dnd"]
        held = []
        for status in said:
            world.hub.set_status(noisy, status)
            held.append(world.hub.status_of("p"))
        assert held == [*said[:5], "away", "away", "away", "away"]
        world.hub.set_status(other, "busy")
        assert world.hub.status_of("q") == "busy"
        world.clock.advance(300)
        await world.until(lambda: world.hub.status_of("p") == "dnd")  # the last one counts, when it may
        for _ in range(100):
            world.hub.set_status(noisy, "dnd")  # what it is already is no change
        world.hub.set_status(noisy, "away")
        assert world.hub.status_of("p") == "away"

    run(scenario)


def test_a_socket_that_is_gone_changes_nothing_any_more(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "STATUS_WINDOW_MS", 50)

    async def scenario(world: World) -> None:
        noisy, _ = await world.enter("p")
        for status in ["away", "busy"] * 4:
            world.hub.set_status(noisy, status)
        world.clock.advance(50)
        world.hub.disconnect(noisy)
        assert noisy.status_timer is None
        assert world.hub.status_of("p") == "offline"
        fired = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, fired.set)
        await fired.wait()
        assert world.hub.status_of("p") == "offline"

    run(scenario)
