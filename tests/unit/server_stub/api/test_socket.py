"""JMAP over WebSocket: requests, errors that do not end it, pushes, signals, tokens that end, graceful stop; with both outlets."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed, InvalidStatus

from server_stub.accounts.events import AccessEnded, RightsChanged, TokenRevoked
from server_stub.api.wire import Limits
from server_stub.ids import uuid7
from tests.helpers.running_backend import DEADLINE, USING, Backend, Socket, running_backend


@pytest.fixture(scope="module", params=[True, False], ids=["raw", "asgi"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    limits = Limits(max_size_request=100_000)
    folder = tmp_path_factory.mktemp("socket")
    with running_backend(folder, people=14, limits=limits, raw=request.param) as running:
        yield running


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(2 * DEADLINE):
            await scenario()

    asyncio.run(limited())


def direct(backend: Backend, one: str, other: str) -> str:
    return str(backend.client(one).create("Conversation", kind="direct", memberIds=[other])["id"])


def test_the_handshake_wants_a_token_and_the_subprotocol(backend: Backend) -> None:
    async def scenario() -> None:
        with pytest.raises(InvalidStatus) as caught:
            async with backend.socket("expired"):
                pass
        assert caught.value.response.status_code == 401
        assert json.loads(caught.value.response.body)["type"] == "urn:tongban:error:tokenExpired"
        with pytest.raises(InvalidStatus) as caught:
            async with backend.socket(backend.people[0], subprotocols=["chat"]):
                pass
        assert caught.value.response.status_code == 400

    run(scenario)


def test_broken_frames_are_answered_and_the_socket_goes_on(backend: Backend) -> None:
    async def scenario() -> None:
        async with backend.socket(backend.people[0]) as socket:
            for broken, error in (
                (b"\x00\x01", "notJSON"),
                ("{", "notJSON"),
                ("[1]", "notRequest"),
                ('{"@type":"Odd"}', "notRequest"),
                ('{"using":[]}', "notRequest"),
                ('{"@type":"Request"}', "notRequest"),
                ('{"@type":"Request","id":"r","using":5}', "notRequest"),
                ("[" * 90, "notRequest"),
                (json.dumps({"@type": "Request", "using": ["urn:x"], "methodCalls": []}), "unknownCapability"),
                (json.dumps({"@type": "Request", "using": [], "methodCalls": [["a", {}, "c"]] * 33}), "limit"),
                (json.dumps({"pad": "x" * 100_001}), "limit"),
            ):
                await socket.connection.send(broken)
                answer = await socket.receive()
                assert (answer["@type"], answer["type"].rpartition(":")[2]) == ("RequestError", error), broken[:50]
            await socket.connection.send('{"@type":"Request","id":"r","using":5}')
            assert (await socket.receive())["requestId"] == "r"
            await socket.send({"@type": "Signal", "kind": "odd"})
            await socket.send({"@type": "Signal", "kind": "presence", "status": "odd"})
            await socket.send({"@type": "Signal", "kind": "typing", "conversationId": "none"})
            assert (await socket.request("Core/echo", x=1))["x"] == 1

    run(scenario)


def test_many_requests_at_once_are_all_answered(backend: Backend) -> None:
    async def scenario() -> None:
        ann, bob = backend.people[:2]
        there = await asyncio.to_thread(direct, backend, ann, bob)
        async with backend.socket(ann) as socket:
            for n in range(100):
                create = {uuid7(n): {"conversationId": there, "text": str(n)}}
                calls = [["Message/set", {"accountId": ann, "create": create}, "c"]]
                await socket.send({"@type": "Request", "id": str(n), "using": USING, "methodCalls": calls})
            seqs = {}
            for _ in range(100):
                answer = await socket.receive()
                (made,) = answer["methodResponses"][0][1]["created"].values()
                seqs[int(answer["requestId"])] = made["seq"]
        assert [seqs[n] - seqs[0] for n in range(100)] == list(range(100))  # begun in the order sent

    run(scenario)


def test_messages_and_receipts_are_pushed_whole_other_types_as_states(backend: Backend) -> None:
    async def scenario() -> None:
        ann, bob, eve = backend.people[:3]
        there = await asyncio.to_thread(direct, backend, ann, bob)
        async with backend.socket(ann) as one, backend.socket(bob) as other, backend.socket(eve) as third:
            for socket in (one, other, third):
                await socket.enable(objects=["Message", "Receipt", "Conversation"])
            key = uuid7(1)
            message = {"conversationId": there, "text": "晚上好", "mentions": [bob]}
            made = (await one.request("Message/set", create={key: message}))["created"][key]
            for socket in (one, other):
                push = await socket.type("Push")
                (got,) = push["objects"]["Message"]
                assert got == {**message, "id": key, "kind": "text", **made}
            (fetched,) = (await other.request("Message/get", ids=[key]))["list"]
            assert fetched == got
            changed = (await other.until(lambda f: "Conversation" in f.get("changed", {}).get(bob, {})))["changed"]
            assert "Message" not in changed[bob]
            page = await other.request("Message/changes", sinceState=str(int(push["state"]) - 1))
            assert page["modseqs"] == {key: int(push["state"])}

            await other.request("Conversation/set", update={there: {"readSeq": made["seq"]}})
            push = await one.until(lambda f: "Receipt" in f.get("objects", {}))
            (receipt,) = push["objects"]["Receipt"]
            assert (receipt["personId"], receipt["readSeq"]) == (bob, made["seq"])
            assert (await one.request("Receipt/get", ids=[receipt["id"]]))["list"] == [receipt]
            assert not [frame for frame in third.seen if frame["@type"] == "Push"]

    run(scenario)


def test_states_are_gathered_and_filtered_by_type(backend: Backend) -> None:
    async def scenario() -> None:
        ann, bob = backend.people[3:5]
        there = await asyncio.to_thread(direct, backend, ann, bob)
        async with backend.socket(ann) as one, backend.socket(bob) as other:
            await other.enable(["Message", "Nonsense"])
            for n in range(20):
                await one.request("Message/set", create={uuid7(n): {"conversationId": there, "text": "x"}})
            last = (await one.request("Message/get", ids=[]))["state"]
            states = [await other.type("StateChange")]
            while states[-1]["changed"][bob]["Message"] != last:
                states.append(await other.type("StateChange"))
            assert len(states) < 20
            assert all(list(state["changed"][bob]) == ["Message"] for state in states)
            assert states[-1]["pushState"] == last
            await other.send({"@type": "WebSocketPushDisable"})
            await other.request("Core/echo")
            await one.request("Message/set", create={uuid7(1): {"conversationId": there, "text": "x"}})
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await other.type("StateChange")

    run(scenario)


def test_enable_with_push_state_tells_at_once_what_was_missed(backend: Backend) -> None:
    async def scenario() -> None:
        ann, bob = backend.people[5:7]
        there = await asyncio.to_thread(direct, backend, ann, bob)
        async with backend.socket(ann) as one, backend.socket(bob) as other:
            state = (await other.request("Message/get", ids=[]))["state"]
            await other.enable(["Message", "Conversation", "Member"], pushState=state)
            await other.request("Core/echo")
            assert not [frame for frame in other.seen if frame["@type"] == "StateChange"]
            await one.request("Message/set", create={uuid7(1): {"conversationId": there, "text": "x"}})
            await other.type("StateChange")
            await other.enable(["Message", "Conversation", "Member"], pushState=state)
            missed = await other.type("StateChange")
            assert set(missed["changed"][bob]) == {"Message", "Conversation"}
            await other.enable(["Member"], pushState="never was")
            assert set((await other.type("StateChange"))["changed"][bob]) == {"Member"}

    run(scenario)


def test_a_change_of_rights_is_news_of_every_type_and_moves_pushes(backend: Backend) -> None:
    async def scenario() -> None:
        ann, bob, eve = backend.people[7:10]
        made = {"kind": "group", "name": "g", "memberIds": [bob]}
        there = (await asyncio.to_thread(lambda: backend.client(ann).create("Conversation", **made)))["id"]
        async with backend.socket(ann) as one, backend.socket(eve) as third:
            await third.enable(objects=["Message"])
            joined = await one.request("Member/set", create={"k": {"conversationId": there, "personId": eve}})
            news = await third.type("StateChange")
            every = [one.name for one in backend.services.registry]
            assert set(every) > {"Conversation", "Member", "Message", "Receipt"}
            assert news["changed"][eve] == dict.fromkeys(every, joined["newState"])
            line = (await third.type("Push"))["objects"]["Message"][0]
            assert (line["event"]["type"], line["event"]["personIds"]) == ("joined", [eve])
            await one.request("Message/set", create={uuid7(1): {"conversationId": there, "text": "seen"}})
            assert (await third.type("Push"))["objects"]["Message"][0]["text"] == "seen"
            await one.request("Member/set", destroy=[f"{there}_{eve}"])
            await one.request("Message/set", create={uuid7(2): {"conversationId": there, "text": "unseen"}})
            await third.type("StateChange")
            assert (await third.request("Conversation/get", ids=None))["list"] == []
            assert not [frame for frame in third.seen if frame["@type"] == "Push"]

    run(scenario)


def test_typing_reaches_the_other_members_only(backend: Backend) -> None:
    async def scenario() -> None:
        ann, bob, eve = backend.people[:3]
        there = await asyncio.to_thread(direct, backend, ann, bob)
        async with backend.socket(ann) as one, backend.socket(bob) as other, backend.socket(eve) as third:
            for socket in (one, other, third):
                await socket.enable([])
            await third.send({"@type": "Signal", "kind": "typing", "conversationId": there})
            await third.request("Core/echo")
            await one.send({"@type": "Signal", "kind": "typing", "conversationId": there, "personId": eve})
            signal = await other.until(lambda f: f.get("kind") == "typing")
            assert signal == {"@type": "Signal", "kind": "typing", "conversationId": there, "personId": ann}
            await one.request("Core/echo")
            await third.request("Core/echo")
            assert not [f for s in (one, third) for f in s.seen if f.get("kind") == "typing"]

    run(scenario)


def test_presence_is_a_snapshot_then_changes(backend: Backend) -> None:
    async def scenario() -> None:
        ann, bob = backend.people[10:12]

        def tells(person: str, status: str) -> Callable[[dict[str, Any]], bool]:
            return lambda frame: frame.get("presence", {}).get(person) == status

        async with backend.socket(ann) as one:
            assert (await one.enable([]))[ann] == "online"
            async with backend.socket(bob) as other, backend.socket(bob) as phone:
                assert (await other.enable([])).keys() >= {ann, bob}
                await one.until(tells(bob, "online"))
                await other.send({"@type": "Signal", "kind": "presence", "status": "away"})
                await one.until(tells(bob, "away"))
                await phone.enable([])
                await one.until(tells(bob, "online"))
                await phone.send({"@type": "Signal", "kind": "presence", "status": "dnd"})
                await one.until(tells(bob, "dnd"))
                said = {"@type": "Signal", "kind": "presence", "status": "dnd", "text": "开会到 11 点"}
                await phone.send(said)
                await one.until(lambda frame: frame.get("texts") == {bob: "开会到 11 点"})
                await phone.send({**said, "text": "x" * 61})  # not heard
                await phone.send({**said, "text": ""})
                await one.until(lambda frame: frame.get("texts") == {bob: ""})
            await one.until(tells(bob, "offline"))

    run(scenario)


def test_tokens_that_end_close_the_socket_unless_renewed(backend: Backend) -> None:
    async def closed(socket: Socket) -> int:
        async with asyncio.timeout(DEADLINE):
            await socket.connection.wait_closed()
        return int(socket.connection.close_code or 0)

    async def scenario() -> None:
        ann, bob = backend.people[12:14]
        now = backend.services.clock.now_ms()
        backend.door.expires[ann] = now + 1_500  # a loaded machine opens three sockets in that
        async with backend.socket(ann) as one, backend.socket(ann) as renewed, backend.socket(ann) as wrong:
            await renewed.send({"@type": "Signal", "kind": "authorize", "accessToken": "good"})
            await renewed.request("Core/echo")
            await wrong.send({"@type": "Signal", "kind": "authorize", "accessToken": "bad"})
            assert await closed(wrong) == 1008
            assert await closed(one) == 1008
            assert (await renewed.request("Core/echo", x=2))["x"] == 2
            backend.call(backend.services.hub.on_events, [])
            async with backend.socket(bob) as other:
                await other.request("Core/echo")
                end = asyncio.to_thread
                await end(backend.write, lambda tx: tx.publish(TokenRevoked("unknown")))
                await end(backend.write, lambda tx: tx.publish(AccessEnded((f"device-{ann}",))))
                assert await closed(renewed) == 1008
                assert (await other.request("Core/echo", x=3))["x"] == 3
                await end(backend.write, lambda tx: tx.publish(RightsChanged((bob,))))
                assert await closed(other) == 1008
        del backend.door.expires[ann]

    run(scenario)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    frames=st.lists(
        st.text(max_size=40)
        | st.binary(max_size=40)
        | st.fixed_dictionaries(
            {"@type": st.sampled_from(["Request", "Signal", "WebSocketPushEnable", "WebSocketPushDisable", "x"])},
            optional={
                "id": st.text(max_size=5) | st.integers(),
                "kind": st.sampled_from(["typing", "presence", "x"]),
                "status": st.text(max_size=5) | st.just("away"),
                "conversationId": st.text(max_size=50),
                "using": st.just([]) | st.integers(),
                "methodCalls": st.lists(st.tuples(st.text(max_size=5), st.just({}), st.text(max_size=5)), max_size=2),
                "dataTypes": st.lists(st.text(max_size=5), max_size=3) | st.none(),
                "objects": st.lists(st.sampled_from(["Message", "x"]), max_size=3) | st.integers(),
                "pushState": st.text(max_size=8),
            },
        ).map(json.dumps),
        max_size=8,
    )
)
def test_any_frames_leave_the_socket_alive(backend: Backend, frames: list[str | bytes]) -> None:
    async def scenario() -> None:
        async with backend.socket(backend.people[0]) as socket:
            for frame in frames:
                await socket.connection.send(frame)
            assert (await socket.request("Core/echo", alive=True))["alive"] is True

    run(scenario)


def test_state_changes_come_as_events_too(backend: Backend) -> None:
    ann, bob = backend.people[:2]
    there = direct(backend, ann, bob)
    headers = {"Authorization": f"Bearer {bob}"}
    url = "/jmap/events?types=Conversation&closeafter=state&ping=0"
    with backend.http.stream("GET", url, headers=headers) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.iter_lines()
        assert next(lines) == ": welcome"
        backend.client(ann).create("Message", conversationId=there, text="x")
        rest = [line for line in lines if line]
    assert rest[0] == "event: state"
    assert list(json.loads(rest[1].removeprefix("data: "))["changed"][bob]) == ["Conversation"]
    assert backend.http.get("/jmap/events?ping=x", headers=headers).status_code == 400
    assert backend.http.get("/jmap/events", headers={}).status_code == 401


@pytest.mark.parametrize("raw", [True, False])
def test_a_graceful_stop_tells_everyone_when_to_come_back(tmp_path: Path, raw: bool) -> None:
    async def scenario(backend: Backend) -> None:
        async with backend.socket(backend.people[0]) as one, backend.socket(backend.people[1]) as other:
            await one.enable([])
            await other.enable([])
            backend.call(backend.services.hub.go_away)
            delays = set()
            for socket in (one, other):
                signal = await socket.until(lambda f: f.get("kind") == "goingAway")
                delays.add(signal["retryAfter"])
                with pytest.raises(ConnectionClosed) as caught:
                    await socket.receive()
                assert caught.value.rcvd is not None
                assert caught.value.rcvd.code == 1001
            assert len(delays) == 2
            assert min(delays) >= 1
            assert backend.http.get("/healthz").status_code == 503
            with pytest.raises(InvalidStatus) as refused:
                async with backend.socket(backend.people[0]):
                    pass
            assert refused.value.response.status_code == 503

    with running_backend(tmp_path, raw=raw) as backend:
        run(lambda: scenario(backend))
