"""Golden frames (resources/protocol/golden): the server answers each client frame with exactly the server frame on file.

The story is played against the real dispatcher, database and hub on a fixed clock. After a wanted change of the wire, write the files
anew with TONGBAN_GOLDEN=write and read the difference before committing it.
"""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server_stub.api.app import Services
from server_stub.api.wire import Limits, convert_request
from server_stub.chat.handlers import chat_handlers
from server_stub.chat.messages import do_post_system
from server_stub.clock import FixedClock, parse_utc
from server_stub.errors import RequestError
from server_stub.ids import direct_conversation_id
from server_stub.push.connection import Connection
from server_stub.push.frames import Frame
from server_stub.records import visibility
from server_stub.records.actor import Actor
from server_stub.storage.database import Database
from tests.helpers.json_schema import load_schema, problems
from tests.helpers.running_backend import FakeDoor

GOLDEN = Path(__file__).parents[2] / "resources" / "protocol" / "golden"
WRITE = os.environ.get("TONGBAN_GOLDEN") == "write"

ANN, BOB, EVE = (f"0192f000-0000-7000-8000-00000000000{n}" for n in (1, 2, 3))
GROUP = "0192f000-0000-7000-8000-0000000000a1"
FIRST, SECOND, THIRD = (f"0192f000-0000-7000-8000-0000000000b{n}" for n in (1, 2, 3))
DIRECT = direct_conversation_id(ANN, BOB)
USING = ["urn:ietf:params:jmap:core", "urn:tongban:chat"]


class Play:
    """Plays client frames against the server's parts and keeps what everybody is sent."""

    def __init__(self, folder: Path) -> None:
        self.clock = FixedClock(parse_utc("2026-11-22T08:30:00.123Z"))
        self.database = Database.open(folder / "office.db", clock=self.clock)
        self.services = Services.assemble(self.database, self.clock, FakeDoor(), chat_handlers(None), limits=Limits())
        self.sent: dict[str, list[dict[str, Any]]] = {}
        self.story: list[tuple[str, str, dict[str, Any]]] = []

    def note(self, name: str, side: str, frame: dict[str, Any]) -> None:
        self.story.append((name, side, frame))

    async def request(self, name: str, person: str, *calls: tuple[str, dict[str, Any]], **more: Any) -> None:
        method_calls = [
            [method, {"accountId": person, **arguments}, f"c{n}"] for n, (method, arguments) in enumerate(calls)
        ]
        frame = {"@type": "Request", "id": name, "using": USING, "methodCalls": method_calls, **more}
        self.note(name, "client", frame)
        self.clock.advance(1000)
        try:
            request = convert_request({key: frame[key] for key in ("using", "methodCalls", *more)}, Limits())
            answer = await self.services.dispatcher.handle_request(request, Actor(person))
        except RequestError as refused:
            self.note(name, "server", {"@type": "RequestError", "requestId": name, **refused.to_problem()})
        else:
            answer["sessionState"] = "s1"
            self.note(
                name, "server", {"@type": "Response", "requestId": name, **json.loads(msgspec.json.encode(answer))}
            )

    async def listen(self, person: str) -> Connection:
        frames = self.sent.setdefault(person, [])

        class Recorder:
            behind = False

            def send(self, frame: Frame) -> None:
                frames.append(json.loads(frame.payload))

            def backlog(self) -> int:
                return 0

            def close(self, code: int, reason: str) -> None:
                pass

        connection = Connection(person, Recorder())
        await self.services.hub.connect(connection)
        return connection

    async def told(self, name: str, person: str, **match: Any) -> None:
        """The next frame to a person that matches, as the server frame `name`."""
        async with asyncio.timeout(30):
            while True:
                for frame in self.sent[person]:
                    if match.items() <= frame.items():
                        self.sent[person].remove(frame)
                        self.note(name, "server", frame)
                        return
                await asyncio.sleep(0.01)


async def play_changes(p: Play) -> None:
    """Messages that change in place, and a poll."""
    edit = {"text": "王科长，附件已收到，谢谢。", "mentions": [BOB]}
    await p.request("edit-message", ANN, ("Message/set", {"update": {FIRST: edit}}))
    await p.told("push-edit", BOB, **next(f for f in p.sent[BOB] if "editedAt" in str(f)))
    whole = "conversationId seq senderId kind text mentions sentAt editedAt edits".split()
    await p.request("get-edits", ANN, ("Message/get", {"ids": [FIRST], "properties": whole}))
    await p.request("edit-refused", BOB, ("Message/set", {"update": {FIRST: {"text": "不是我写的"}}}))
    await p.request("react-message", BOB, ("Message/set", {"update": {FIRST: {"reactions/👍": True}}}))
    await p.request("recall-message", BOB, ("Message/set", {"update": {SECOND: {"recalled": True}}}))
    await p.told("push-recall", ANN, **next(f for f in p.sent[ANN] if "recalledAt" in str(f)))
    options = [{"id": "a", "text": "周五"}, {"id": "b", "text": "周六"}]
    poll = {"question": "哪天巡查？", "options": options, "multiple": False, "anonymous": True}
    asked = {"conversationId": DIRECT, "kind": "poll", "poll": poll}
    await p.request("send-poll", ANN, ("Message/set", {"create": {THIRD: asked}}))
    await p.request(
        "vote", BOB, ("Message/set", {"update": {THIRD: {"choice": ["b"]}}}), ("Message/get", {"ids": [THIRD]})
    )
    own = {"folder": "值班", "draft": {"text": "写到一半", "at": "2026-11-22T08:30:00.000Z"}, "notify": "mentions"}
    await p.request(
        "own-settings", BOB, ("Conversation/set", {"update": {DIRECT: own}}), ("Conversation/get", {"ids": [DIRECT]})
    )


async def play(folder: Path) -> list[tuple[str, str, dict[str, Any]]]:
    p = Play(folder)
    await p.database.write(lambda tx: [visibility.do_enroll(tx, person) for person in (ANN, BOB, EVE)])
    ann, bob = await p.listen(ANN), await p.listen(BOB)
    enable = {
        "@type": "WebSocketPushEnable",
        "dataTypes": ["Message", "Receipt", "Conversation"],
        "objects": ["Message", "Receipt"],
        "signals": True,
    }
    p.note("push-enable", "client", {**enable, "pushState": "1"})
    for connection in (ann, bob):
        p.services.hub.enable(connection, enable["dataTypes"], enable["objects"], signals=True)
    await p.told("presence-snapshot", BOB, kind="presence")

    await p.request(
        "create-direct", ANN, ("Conversation/set", {"create": {"k1": {"kind": "direct", "memberIds": [BOB]}}})
    )
    await p.told("state-change-of-rights", BOB, **{"@type": "StateChange"})
    text = {"conversationId": DIRECT, "kind": "text", "text": "王科长，附件已收到。", "mentions": []}
    await p.request("send-message", ANN, ("Message/set", {"create": {FIRST: text}}))
    await p.told("push-message", BOB, **{"@type": "Push"})
    await p.told("push-own-message", ANN, **{"@type": "Push"})
    await p.told("state-change", BOB, **{"@type": "StateChange"})
    await p.request("send-message-again", ANN, ("Message/set", {"create": {FIRST: text}}))
    reply = {"conversationId": DIRECT, "kind": "text", "text": "好的 👍", "replyToId": FIRST, "mentions": [ANN]}
    await p.request("send-reply", BOB, ("Message/set", {"create": {SECOND: reply}}))
    await p.told("push-reply", ANN, **{"@type": "Push"})
    await p.request("refused-message", EVE, ("Message/set", {"create": {THIRD: text}}))
    await p.request(
        "changes-then-get",
        ANN,
        ("Message/changes", {"sinceState": "0", "maxChanges": 100}),
        ("Message/get", {"#ids": {"resultOf": "c0", "name": "Message/changes", "path": "/created"}}),
    )
    await p.request("changes-paged", ANN, ("Message/changes", {"sinceState": "0", "maxChanges": 1}))
    await p.request("mark-read", BOB, ("Conversation/set", {"update": {DIRECT: {"readSeq": 1}}}))
    await p.told("push-receipt", ANN, **{"@type": "Push"})
    await p.request(
        "counts-only", BOB, ("Conversation/changes", {"sinceState": "5"}), ("Conversation/get", {"ids": [DIRECT]})
    )
    group = {"kind": "group", "name": "防汛值班群", "memberIds": [BOB, EVE]}
    await p.request("create-group", ANN, ("Conversation/set", {"create": {GROUP: group}}))
    await p.request(
        "members-by-query",
        ANN,
        (
            "Member/query",
            {"filter": {"conversationId": GROUP}, "sort": [{"property": "personId"}], "calculateTotal": True},
        ),
        ("Member/get", {"#ids": {"resultOf": "c0", "name": "Member/query", "path": "/ids"}}),
    )
    await p.request("leave-group", EVE, ("Member/set", {"destroy": [f"{GROUP}_{EVE}"]}))
    card = {"type": "Notice", "id": THIRD, "title": "关于召开防汛会商会的通知"}
    await p.database.write(lambda tx: do_post_system(tx, "notices", [ANN], card["title"], card))
    pushed = next(f for f in p.sent[ANN] if "card" in str(f))
    pushed["objects"]["Message"][0]["id"] = FIRST  # the one id here that the server chose
    await p.told("push-system-card", ANN, **pushed)
    await play_changes(p)
    await p.request(
        "method-errors",
        ANN,
        ("Message/get", {"ids": 5}),
        ("Message/copy", {}),
        ("Message/changes", {"sinceState": "999"}),
    )
    await p.request("unknown-capability", ANN, using=["urn:example:nothing"])

    p.note("typing", "client", {"@type": "Signal", "kind": "typing", "conversationId": DIRECT})
    scope = await p.database.read(lambda conn: visibility.find_scope(conn, "conversation", DIRECT))
    assert scope is not None
    p.services.hub.type_in(ann, scope, DIRECT)
    await p.told("typing", BOB, kind="typing")
    p.note("presence", "client", {"@type": "Signal", "kind": "presence", "status": "busy"})
    p.services.hub.set_status(ann, "busy")
    await p.told("presence", BOB, kind="presence", presence={ANN: "busy"})
    p.note("authorize", "client", {"@type": "Signal", "kind": "authorize", "accessToken": "an-access-token"})
    p.note("push-disable", "client", {"@type": "WebSocketPushDisable"})
    p.services.hub.go_away()
    await p.told("going-away", ANN, kind="goingAway")
    await p.database.close()
    return p.story


@contextmanager
def files() -> Iterator[dict[str, dict[str, Any]]]:
    yield {path.relative_to(GOLDEN).as_posix(): json.loads(path.read_text("utf-8")) for path in GOLDEN.rglob("*.json")}


def test_the_server_says_exactly_what_is_on_file(tmp_path: Path) -> None:
    told = {f"{side}/{name}.json": frame for name, side, frame in asyncio.run(play(tmp_path))}
    if WRITE:
        for name, frame in told.items():
            path = GOLDEN / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(frame, ensure_ascii=False, indent=1) + "\n", "utf-8")
    with files() as golden:
        ours = {name: frame for name, frame in golden.items() if name.split("/")[0] in {"client", "server"}}
        assert told == ours


def test_golden_frames_fit_the_schema() -> None:
    document = load_schema()
    with files() as golden:
        assert len(golden) > 30
        for name, frame in golden.items():
            if "/" not in name:  # filters and formulas: cases, not frames
                continue
            kind = {"client": "ClientFrame", "server": "ServerFrame"}[name.split("/")[0]]
            assert problems(frame, kind, document) == [], name
            assert problems(frame, frame["@type"], document) == [], name
            for method, arguments, _ in frame.get("methodResponses", ()):
                type_name, _, verb = method.partition("/")
                if verb == "changes":
                    assert problems(arguments, "Changes", document) == [], name
                for shown in arguments.get("list", ()) if verb == "get" else ():
                    assert problems(shown, type_name, document) == [], name


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"@type": "Push", "state": "1", "objects": {"Message": [{"id": "x"}]}}, "Push"),
        ({"@type": "Push", "state": "one", "objects": {}}, "Push"),
        ({"@type": "Signal", "kind": "odd"}, "Signal"),
        ({"@type": "Request", "using": [], "methodCalls": [["a", {}]]}, "Request"),
        ({"id": "a b", "conversationId": "c", "personId": "p", "role": "owner", "joinedAt": "2026-11-22"}, "Member"),
        ({"id": "r", "conversationId": "c", "personId": "p", "readSeq": True, "readAt": None}, "Receipt"),
    ],
)
def test_the_schema_refuses_what_is_wrong(value: Any, name: str) -> None:
    assert problems(value, name) != []
