"""Messages change in place: of two versions that overtake one another the later one stays, and what nobody will tell of is fetched."""

from typing import Any

from desktop.core.sync.commands import ReportRefusal, SendRequest
from desktop.core.sync.events import ConnectionLost, EditMade, SocketOpened, WindowWanted, WokeUp
from desktop.core.sync.outbox import Edit, EditKind
from desktop.core.sync.port import CoverMessages, PutEdit, PutObjects, RemoveEdit, Saved, SetCoverage
from tests.unit.desktop.core.sync.test_engine import ROLL, TYPES, Stage, message, push, say


def window(stage: Stage, low: int = 1, high: int = 3) -> SendRequest:
    stage >> WindowWanted(stage.now, 1, "room", low, high)
    return stage.request("Message/query")


def answered(stage: Stage, request: SendRequest, state: int, *messages: dict[str, Any]) -> list[CoverMessages]:
    got = {"state": str(state), "list": list(messages)}
    queried = {"ids": [one["id"] for one in messages]}
    stage.answer(request, **{"0_q": queried, "0_g": got})
    return [op for op in stage.operations(CoverMessages) if op.conversation_id == "room"]


def test_a_window_read_before_a_push_leaves_what_the_push_brought() -> None:
    stage = Stage().online()
    request = stage.frame(push(9, message(6))).request("Message/query")
    stage.frame(push(10, message(5)))
    (covered,) = answered(stage, request, 9, message(4), message(5))
    assert ([m.id for m in covered.messages], covered.newer) == (["room-4"], ("room-5",))


def test_a_window_read_before_the_cursor_leaves_what_is_held() -> None:
    stage = Stage().online()
    request = stage.frame(push(9, message(6))).request("Message/query")
    stage.frame({"@type": "StateChange", "changed": {"me": {"Message": "12"}}})
    changes = {"newState": "12", "updated": ["room-5", "room-6"], "modseqs": {"room-5": 12, "room-6": 9}}
    stage.answer(stage.request("Message/changes"), Message_c=changes)
    stage.answer(stage.request("Message/get"), get={"state": "12", "list": [message(5)]})
    (covered,) = answered(stage, request, 11, message(4), message(5))
    assert ([m.id for m in covered.messages], covered.newer) == (["room-4"], ("room-5",))


def test_a_new_cursor_proves_nothing_of_what_was_held_before_and_asks_again_what_was_read_before() -> None:
    stage = Stage(Saved({"Conversation": "5", "Alert": "5"}, tops={"room": 3}, coverage={"room": ((2, 2),)}))
    stage >> SocketOpened(stage.now, ("Message",), TYPES, renew_at=stage.now + 240)
    snapshot = next(c for c in stage.only(SendRequest) if c.calls[0][0] == "Message/get")
    early = window(stage, 1, 3)
    stage.answer(snapshot, state={"state": "30", "list": []})
    assert SetCoverage("room", ()) in stage.operations(SetCoverage)
    assert answered(stage, early, 29, message(1)) == []
    (covered,) = answered(stage, stage.request("Message/query"), 30, message(1), message(2), message(3))
    assert [m.id for m in covered.messages] == ["room-1", "room-2", "room-3"]


def test_a_message_sent_twice_is_shown_and_fetched() -> None:
    stage = Stage().online() >> say()
    stage >> ConnectionLost(101.0, ROLL) >> WokeUp(130.0, ROLL) >> SocketOpened(130.0, (), TYPES)
    again = stage.request("Message/set")
    made = {"id": "m1", "seq": 4, "senderId": "me", "sentAt": "2026-11-22T08:00:00.000Z"}
    stage.answer(again, set={"created": {"m1": made}})
    assert [op.objects[0].id for op in stage.operations(PutObjects)] == ["m1"]
    assert stage.operations(RemoveEdit)
    assert stage.operations(SetCoverage) == []  # perhaps it was changed since: a window brings it

    once = Stage().online()
    once >> say("m2")
    once.answer(once.request("Message/set"), set={"created": {"m2": {**made, "id": "m2"}}})
    assert once.operations(SetCoverage) == [SetCoverage("room", ((1, 4),))]


def test_a_change_goes_by_itself_and_a_refused_one_shows_the_message_as_it_is() -> None:
    stage = Stage().online()
    patch = {"text": "other"}
    edit = Edit("e1", "message:room-1", EditKind.UPDATE, "Message", "room-1", patch, alone=True, room="room")
    stage >> EditMade(stage.now, edit)
    assert [op.edit.id for op in stage.operations(PutEdit)] == ["e1"]
    request = stage.request("Message/set")
    got = {"state": "9", "list": [{**message(1), "text": "theirs"}]}
    refused = {"type": "forbidden", "reason": "muted", "until": "2026-11-23T08:00:00.000Z"}
    stage.answer(request, set={"notUpdated": {"room-1": refused}}, get=got)
    assert [op.objects[0].text for op in stage.operations(PutObjects)] == ["theirs"]
    assert stage.only(ReportRefusal) == [ReportRefusal("Message", "room-1", "muted", "", "other")]
    assert [op.edit.id for op in stage.operations(RemoveEdit)] == ["e1"]
