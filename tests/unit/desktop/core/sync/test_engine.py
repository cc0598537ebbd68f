"""The sync machine as a transcript: events in, commands out."""

import json
from typing import Any

import msgspec
import pytest

from desktop.core.domain import ConnectionState
from desktop.core.protocol.frames import decode_frame
from desktop.core.sync import backoff
from desktop.core.sync.commands import (
    AnnounceMessages,
    CloseConnection,
    Command,
    EnablePush,
    EndSession,
    NoteBroken,
    OpenConnection,
    Persist,
    RenewToken,
    ReportRefusal,
    ReportSignal,
    SendRequest,
    SetStatus,
    SettleWindow,
    WakeUpAt,
)
from desktop.core.sync.engine import SyncEngine
from desktop.core.sync.events import (
    ConnectionLost,
    EditDropped,
    EditMade,
    EditRetried,
    FrameArrived,
    NetworkChanged,
    SessionEnded,
    SocketOpened,
    Start,
    Stop,
    SyncEvent,
    TokenNotRenewed,
    TokenRenewed,
    UploadFinished,
    UploadRefused,
    WindowWanted,
    WokeUp,
)
from desktop.core.sync.jobs import DEADLINE, PROBE_DEADLINE
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import CoverMessages, PutEdit, PutObjects, RemoveEdit, RemoveObjects, Saved, SetState

ROLL = 0.5
STATES = {"Conversation": "5", "Message": "5", "Alert": "5"}
TYPES = ("Conversation", "Message", "Alert")


class Stage:
    """An engine and what it last said."""

    def __init__(self, saved: Saved | None = None) -> None:
        self.engine = SyncEngine("me")
        self.now = 100.0
        self.last: list[Command] = []
        self.all: list[Command] = []
        self >> Start(self.now, saved or Saved(dict(STATES), tops={"room": 3}, coverage={"room": ((1, 3),)}))

    def __rshift__(self, event: SyncEvent) -> "Stage":
        self.last = self.engine.handle(event)
        self.all += self.last
        return self

    def only(self, kind: type[Any]) -> list[Any]:
        return [command for command in self.last if isinstance(command, kind)]

    def online(self) -> "Stage":
        self >> SocketOpened(self.now, ("Message",), TYPES, renew_at=self.now + 240)
        return self.answer_all()

    def operations(self, kind: type[Any]) -> list[Any]:
        return [op for command in self.only(Persist) for op in command.operations if isinstance(op, kind)]

    def frame(self, body: dict[str, Any]) -> "Stage":
        return self >> FrameArrived(self.now, ROLL, decode_frame(json.dumps(body)))

    def answer(self, request: SendRequest, **results: Any) -> "Stage":
        """Answers each call by its call id; what is not given gets an empty answer of its kind."""
        responses = []
        for name, arguments, call_id in request.calls:
            result = results.get(call_id.replace("/", "_"), empty(name, arguments))
            responses.append(["error" if "type" in result else name, result, call_id])
        return self.frame({"@type": "Response", "requestId": request.request_id, "methodResponses": responses})

    def answer_all(self) -> "Stage":
        waiting = self.only(SendRequest)
        while waiting:
            self.answer(waiting.pop(0))
            waiting += self.only(SendRequest)
        return self

    def request(self, method: str) -> SendRequest:
        found: list[SendRequest] = [c for c in self.only(SendRequest) if c.calls[0][0] == method]
        assert len(found) == 1, self.last
        return found[0]


def empty(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    match name.split("/")[1]:
        case "changes":
            return {"newState": arguments["sinceState"]}
        case "get":
            return {"state": "5", "list": []}
        case "query":
            return {"ids": []}
        case _:
            return {}


def message(seq: int, sender: str = "ben", room: str = "room", message_id: str | None = None) -> dict[str, Any]:
    return {
        "id": message_id or f"{room}-{seq}",
        "conversationId": room,
        "kind": "text",
        "text": "x",
        "seq": seq,
        "senderId": sender,
        "sentAt": "2026-11-22T08:00:00.000Z",
    }


def push(state: int, *messages: dict[str, Any]) -> dict[str, Any]:
    return {"@type": "Push", "state": str(state), "objects": {"Message": list(messages)}}


def say(edit_id: str = "m1", room: str = "room", upload: str | None = None) -> EditMade:
    payload = {"conversationId": room, "kind": "text", "text": "hi"}
    return EditMade(
        100.0, Edit(edit_id, f"conversation:{room}", EditKind.CREATE, "Message", edit_id, payload, upload=upload)
    )


def mark(edit_id: str, seq: int) -> EditMade:
    return EditMade(100.0, Edit(edit_id, "marks:room", EditKind.UPDATE, "Conversation", "room", {"readSeq": seq}))


def test_start_connects_and_a_failure_waits_with_growing_patience() -> None:
    stage = Stage()
    assert stage.only(OpenConnection)
    assert stage.only(SetStatus) == [SetStatus(ConnectionState.CONNECTING)]
    at = stage.now
    for attempt in range(12):
        stage >> ConnectionLost(at, ROLL, "unreachable")
        wait = backoff.delay(attempt, ROLL)
        assert stage.only(WakeUpAt) == [WakeUpAt(at + wait)]
        assert stage.only(SetStatus) == [SetStatus(ConnectionState.OFFLINE, "unreachable", wait)]
        at += wait
        stage >> WokeUp(at, ROLL)
        assert stage.only(OpenConnection)
    assert backoff.delay(100, 0.999) <= backoff.LIMIT


def test_an_opened_socket_enables_push_and_asks_every_type_in_one_request() -> None:
    stage = Stage() >> SocketOpened(100.0, ("Message",), TYPES)
    assert stage.only(EnablePush) == [EnablePush((), None, ("Message",))]
    request = stage.request("Conversation/changes")
    assert [call[0] for call in request.calls[::3]] == ["Conversation/changes", "Message/changes", "Alert/changes"]
    stage.answer(request)
    assert stage.only(SetStatus) == [SetStatus(ConnectionState.LIVE)]


def test_cursor_and_data_move_in_one_transaction() -> None:
    stage = Stage() >> SocketOpened(100.0, (), TYPES)
    results = {
        "Message_c": {"newState": "9", "created": ["room-4"], "destroyed": ["room-1"]},
        "Message_created": {"state": "9", "list": [message(4)]},
    }
    stage.answer(stage.request("Conversation/changes"), **results)
    (persist,) = [p for p in stage.only(Persist) if SetState("Message", "9") in p.operations]
    assert RemoveObjects("Message", ("room-1",)) in persist.operations
    assert [op.objects[0].id for op in persist.operations if isinstance(op, PutObjects)] == ["room-4"]
    assert stage.only(AnnounceMessages) == [AnnounceMessages(("room-4",))]


def test_a_page_of_changes_leads_to_the_next() -> None:
    stage = Stage() >> SocketOpened(100.0, (), TYPES)
    stage.answer(stage.request("Conversation/changes"), Message_c={"newState": "6.2.x", "hasMoreChanges": True})
    assert stage.request("Message/changes").calls[0][1]["sinceState"] == "6.2.x"


def test_a_push_is_shown_at_once_and_its_objects_are_not_fetched_again() -> None:
    stage = Stage().online()
    stage.frame(push(7, message(4)))
    assert stage.operations(PutObjects)[0].live
    assert stage.operations(SetState) == []  # a hint moves no cursor
    stage >> WokeUp(101.0, ROLL)
    request = stage.request("Message/changes")
    assert len(request.calls) == 1
    stage.answer(request, Message_c={"newState": "7", "created": ["room-4"], "modseqs": {"room-4": 7}})
    assert stage.operations(SetState) == [SetState("Message", "7")]
    assert stage.only(SendRequest) == []


def test_what_a_push_did_not_bring_is_fetched_before_the_cursor_moves() -> None:
    stage = Stage().online()
    stage.frame(push(7, message(4))) >> WokeUp(101.0, ROLL)
    changes = {"newState": "8", "created": ["room-4", "room-5"], "modseqs": {"room-4": 7, "room-5": 8}}
    stage.answer(stage.request("Message/changes"), Message_c=changes)
    assert stage.operations(SetState) == []
    request = stage.request("Message/get")
    assert request.calls[0][1]["ids"] == ["room-5"]
    stage.answer(request, get={"state": "8", "list": [message(5)]})
    assert stage.operations(SetState) == [SetState("Message", "8")]


def test_an_older_answer_does_not_undo_a_newer_push() -> None:
    stage = Stage().online()
    state_change = {"@type": "StateChange", "changed": {"me": {"Conversation": "6"}}}
    request = stage.frame(state_change).request("Conversation/changes")
    newer = {"id": "room", "kind": "group", "name": "newer", "lastSeq": 3}
    stage.frame({"@type": "Push", "state": "7", "objects": {"Conversation": [newer]}})
    older = {"state": "6", "list": [{**newer, "name": "older"}]}
    stage.answer(request, Conversation_c={"newState": "6", "updated": ["room"]}, Conversation_updated=older)
    assert stage.operations(PutObjects) == []
    assert stage.operations(SetState) == [SetState("Conversation", "6")]


def test_a_gap_in_a_conversation_is_fetched() -> None:
    stage = Stage().online()
    stage.frame(push(9, message(8)))
    request = stage.request("Message/query")
    assert request.calls[0][1]["filter"] == {"conversationId": "room", "beforeSeq": 8, "afterSeq": 3}
    found = [message(n) for n in (4, 5, 7)]  # 6 is not for our eyes
    ids = [m["id"] for m in found]
    stage.answer(request, **{"0_q": {"ids": ids}, "0_g": {"state": "9", "list": found}})
    (cover,) = stage.operations(CoverMessages)
    assert (cover.low, cover.high, [m.seq for m in cover.messages]) == (4, 7, [4, 5, 7])
    assert stage.only(SendRequest) == []


def test_first_sign_in_takes_the_state_before_the_snapshot_and_windows_before_history() -> None:
    stage = Stage(Saved()) >> SocketOpened(100.0, (), TYPES)
    snapshot = stage.request("Conversation/get")
    assert [call[0] for call in snapshot.calls] == ["Conversation/get", "Conversation/query", "Conversation/get"]
    messages = stage.request("Message/get")
    rooms = [{"id": f"c{n}", "kind": "group", "lastSeq": 100} for n in range(30)]
    ids = [room["id"] for room in rooms]
    stage.answer(snapshot, state={"state": "40", "list": []}, ids={"ids": ids}, objects={"state": "41", "list": rooms})
    assert SetState("Conversation", "40") in stage.operations(
        SetState
    )  # the earlier state: what came between is asked again
    stage.answer(messages, state={"state": "40", "list": []})
    windows = [call for r in stage.only(SendRequest) for call in r.calls if call[0] == "Message/query"]
    assert len(windows) == 20
    assert {call[1]["limit"] for call in windows} == {30}
    assert {call[1]["filter"]["beforeSeq"] for call in windows} == {101}


def asks_for_changes(stage: Stage) -> SendRequest:
    waiting: list[SendRequest] = stage.only(SendRequest)
    return next(one for one in waiting if any(call[0] == "Message/changes" for call in one.calls))


def page_of_messages(stage: Stage, first: int, count: int, text: str) -> None:
    """A page of /changes that is not the last."""
    found = [message(seq) | {"text": text} for seq in range(first, first + count)]
    made = {"newState": f"5.{first}", "hasMoreChanges": True, "created": [m["id"] for m in found]}
    stage.answer(asks_for_changes(stage), Message_c=made, Message_created={"state": "9", "list": found})


def most(stage: Stage) -> int:
    """How many changes of messages the question asks for that has just gone out."""
    return next(int(c[1]["maxChanges"]) for c in asks_for_changes(stage).calls if c[0] == "Message/changes")


def test_pages_of_messages_grow_while_they_are_short_and_begin_small_on_a_new_connection() -> None:
    saved = Saved(dict(STATES), tops={"room": 3000}, coverage={"room": ((1, 3),)})
    stage = Stage(saved) >> SocketOpened(100.0, (), TYPES, max_get=1000)
    assert most(stage) == 400
    page_of_messages(stage, 4, 3, "short")
    assert most(stage) == 1000
    page_of_messages(stage, 7, 3, "x" * 10_000)
    assert 90 < most(stage) < 105  # a megabyte of them
    stage >> ConnectionLost(101.0, ROLL) >> WokeUp(130.0, ROLL) >> SocketOpened(130.0, (), TYPES, max_get=1000)
    assert most(stage) == 400


def test_what_changes_bring_is_not_asked_for_as_history_too() -> None:
    saved = Saved(dict(STATES), tops={"room": 3000}, coverage={"room": ((1, 3),)})
    stage = Stage(saved) >> SocketOpened(100.0, (), TYPES)
    (window,) = [call for r in stage.only(SendRequest) for call in r.calls if call[0] == "Message/query"]
    assert (window[1]["limit"], window[1]["sort"][0]["isAscending"]) == (30, False)  # the newest screenful alone
    request = next(r for r in stage.only(SendRequest) if r.calls[0][0] == "Message/query")
    newest = [message(seq) for seq in range(2971, 3001)]
    changes = [r for r in stage.only(SendRequest) if r is not request]
    stage.answer(request, **{"0_q": {"ids": [m["id"] for m in newest]}, "0_g": {"state": "5", "list": newest}})
    assert stage.only(SendRequest) == []
    for one in changes:  # nothing changed, and yet there is a gap: now it is history
        stage.answer(one)
    windows = [call for c in stage.all if isinstance(c, SendRequest) for call in c.calls if call[0] == "Message/query"]
    assert windows[1][1]["filter"] == {"conversationId": "room", "beforeSeq": 2971, "afterSeq": 3}


def test_a_lost_cursor_leads_into_the_start_up_path_and_nothing_else() -> None:
    stage = Stage() >> SocketOpened(100.0, (), TYPES)
    stage.answer(stage.request("Conversation/changes"), Message_c={"type": "cannotCalculateChanges"})
    assert SetState("Message", None) in stage.operations(SetState)
    assert stage.request("Message/get").calls[0][1]["ids"] == []


def test_a_snapshot_too_large_for_one_answer_comes_in_pages() -> None:
    stage = Stage(Saved({"Conversation": "5", "Message": "5"})) >> SocketOpened(100.0, (), TYPES, max_get=2)
    request = stage.request("Alert/get")
    stage.answer(request, ids={"ids": ["a", "b", "c"]}, objects={"type": "requestTooLarge"})
    first = stage.request("Alert/get")
    assert first.calls[0][1]["ids"] == ["a", "b"]
    stage.answer(first, get={"state": "6", "list": [{"id": "a", "kind": "system", "title": "t"}]})
    assert stage.operations(SetState) == []
    second = stage.request("Alert/get")
    assert second.calls[0][1]["ids"] == ["c"]
    stage.answer(second)
    assert SetState("Alert", "5") in stage.operations(SetState)


def test_an_edit_made_offline_is_kept_and_sent_once_after_reconnecting() -> None:
    stage = Stage() >> ConnectionLost(100.0, ROLL) >> say()
    assert stage.only(Persist)[0].durable
    assert stage.only(SendRequest) == []
    stage >> WokeUp(200.0, ROLL) >> SocketOpened(200.0, (), TYPES)
    request = stage.request("Message/set")
    assert list(request.calls[0][1]["create"]) == ["m1"]
    stage.answer(request, set={"created": {"m1": {"id": "m1", "seq": 4, "sentAt": "2026-11-22T08:00:00.000Z"}}})
    assert [edit.edit.id for edit in stage.operations(RemoveEdit)] == ["m1"]
    assert stage.operations(PutObjects)[0].objects[0].sender_id == "me"
    assert [r for r in stage.only(SendRequest) if r.calls[0][0] == "Message/set"] == []


def test_a_lost_acknowledgment_is_asked_for_again_under_the_same_id() -> None:
    stage = Stage().online() >> say()
    first = stage.request("Message/set")
    stage >> ConnectionLost(101.0, ROLL) >> WokeUp(130.0, ROLL) >> SocketOpened(130.0, (), TYPES)
    again = stage.request("Message/set")
    assert again.calls == first.calls
    assert again.request_id != first.request_id


def test_the_stream_confirms_what_the_lost_answer_did_not() -> None:
    stage = Stage().online() >> say()
    request = stage.request("Message/set")
    stage.frame(push(7, message(4, "me", message_id="m1")))
    assert [op.edit.id for op in stage.operations(RemoveEdit)] == ["m1"]
    stage.answer(request, set={"created": {"m1": {"id": "m1", "seq": 4}}})
    assert stage.operations(RemoveEdit) == []


def test_a_lane_waits_for_its_answer_and_goes_on_as_a_batch() -> None:
    stage = Stage().online() >> say("m1")
    first = stage.request("Message/set")
    stage >> say("m2") >> say("m3")
    assert stage.only(SendRequest) == []
    stage >> say("n1", "other")
    assert list(stage.request("Message/set").calls[0][1]["create"]) == ["n1"]
    stage.answer(first, set={"created": {"m1": {"id": "m1", "seq": 4}}})
    assert list(stage.request("Message/set").calls[0][1]["create"]) == ["m2", "m3"]


def test_a_refused_message_stays_with_its_reason_and_can_be_retried_or_dropped() -> None:
    stage = Stage().online() >> say()
    stage.answer(stage.request("Message/set"), set={"notCreated": {"m1": {"type": "forbidden", "description": "no"}}})
    assert stage.only(ReportRefusal) == [ReportRefusal("Message", "m1", "forbidden", "no")]
    refused = stage.operations(PutEdit)[0].edit
    assert (refused.state, refused.code) == (EditState.REFUSED, "forbidden")
    stage >> say("m2")
    stage.answer(stage.request("Message/set"), set={"created": {"m2": {"id": "m2", "seq": 4}}})
    stage >> EditRetried(100.0, "m1")
    stage.answer(stage.request("Message/set"), set={"notCreated": {"m1": {"type": "forbidden"}}})
    stage >> EditDropped(100.0, "m1")
    assert [op.edit.id for op in stage.operations(RemoveEdit)] == ["m1"]


def test_a_refused_change_shows_the_server_s_version_again() -> None:
    stage = Stage().online() >> mark("e1", 2)
    stage.answer(stage.request("Conversation/set"), set={"notUpdated": {"room": {"type": "notFound"}}})
    assert [op.edit.id for op in stage.operations(RemoveEdit)] == ["e1"]
    assert stage.only(ReportRefusal) == [ReportRefusal("Conversation", "room", "notFound")]


def test_a_passing_trouble_is_tried_again_later_and_not_for_ever() -> None:
    stage = Stage().online() >> say()
    for _ in range(8):
        request = stage.request("Message/set")
        stage.answer(request, set={"type": "serverUnavailable"})
        assert stage.operations(PutEdit) == []
        stage.now += 100
        stage >> WokeUp(stage.now, ROLL)
    stage.answer(stage.request("Message/set"), set={"type": "serverUnavailable"})
    assert stage.operations(PutEdit)[0].edit.state is EditState.REFUSED


def test_a_bad_message_in_a_batch_is_found_and_the_others_go_on() -> None:
    saved = Saved(dict(STATES), edits=tuple(msgspec.structs.replace(say(f"m{n}").edit, order=n) for n in (1, 2)))
    stage = Stage(saved) >> SocketOpened(100.0, (), TYPES)
    request = stage.request("Message/set")
    assert list(request.calls[0][1]["create"]) == ["m1", "m2"]
    stage.answer(request, set={"type": "invalidArguments"})
    alone = stage.request("Message/set")
    assert list(alone.calls[0][1]["create"]) == ["m1"]
    stage.answer(alone, set={"type": "invalidArguments"})
    assert stage.operations(PutEdit)[0].edit.id == "m1"
    assert list(stage.request("Message/set").calls[0][1]["create"]) == ["m2"]


def test_read_marks_merge_and_never_move_back() -> None:
    stage = Stage() >> ConnectionLost(100.0, ROLL) >> mark("e1", 2) >> mark("e2", 5) >> mark("e3", 3)
    assert stage.operations(PutEdit)[0].edit.payload == {"readSeq": 5}
    stage >> WokeUp(200.0, ROLL) >> SocketOpened(200.0, (), TYPES)
    assert stage.request("Conversation/set").calls[0][1]["update"] == {"room": {"readSeq": 5}}


def test_a_message_with_a_file_waits_for_it_and_lets_others_pass() -> None:
    stage = Stage().online() >> say("m1", upload="t1") >> say("m2")
    assert list(stage.request("Message/set").calls[0][1]["create"]) == ["m2"]
    stage.answer(stage.request("Message/set"), set={"created": {"m2": {"id": "m2", "seq": 4}}})
    stage >> UploadFinished(100.0, "t1", "blob")
    assert stage.request("Message/set").calls[0][1]["create"]["m1"]["attachment"] == {"blobId": "blob"}


def test_a_file_that_cannot_be_sent_refuses_its_message() -> None:
    stage = Stage().online() >> say("m1", upload="t1") >> UploadRefused(100.0, "t1", "changed")
    assert stage.only(ReportRefusal) == [ReportRefusal("Message", "m1", "changed")]


def test_silence_is_a_dead_connection() -> None:
    stage = Stage() >> SocketOpened(100.0, (), TYPES)
    assert stage.only(WakeUpAt) == [WakeUpAt(100.0 + DEADLINE)]
    stage >> WokeUp(100.0 + DEADLINE, ROLL)
    assert stage.only(CloseConnection)
    assert stage.only(SetStatus)[0].state is ConnectionState.OFFLINE


def test_after_sleep_the_connection_must_prove_itself_quickly() -> None:
    stage = Stage().online() >> NetworkChanged(110.0, ROLL)
    probe = stage.request("Core/echo")
    assert stage.only(WakeUpAt) == [WakeUpAt(110.0 + PROBE_DEADLINE)]
    stage >> NetworkChanged(110.0, ROLL)
    assert stage.only(SendRequest) == []
    stage.answer(probe)
    assert stage.only(WakeUpAt) != [WakeUpAt(110.0 + PROBE_DEADLINE)]
    stage >> ConnectionLost(111.0, ROLL) >> NetworkChanged(111.1, ROLL)
    assert stage.only(OpenConnection)


def test_going_away_is_honored_to_the_second() -> None:
    stage = Stage().online()
    stage.frame({"@type": "Signal", "kind": "goingAway", "retryAfter": 20}) >> ConnectionLost(130.0, 0.0)
    assert stage.only(WakeUpAt) == [WakeUpAt(150.0)]


def test_the_token_is_renewed_before_it_ends() -> None:
    stage = Stage().online()
    stage >> WokeUp(340.0, ROLL)
    assert stage.only(RenewToken)
    stage >> TokenNotRenewed(341.0)
    assert stage.only(WakeUpAt) == [WakeUpAt(351.0)]
    stage >> WokeUp(351.0, ROLL) >> TokenRenewed(351.0, 600.0)
    assert stage.only(WakeUpAt) == [WakeUpAt(600.0)]


def test_a_session_that_ended_is_not_tried_again() -> None:
    stage = Stage() >> SessionEnded(100.0, "deviceRevoked")
    assert stage.only(EndSession) == [EndSession("deviceRevoked")]
    assert stage.only(SetStatus) == [SetStatus(ConnectionState.FAILED, "deviceRevoked")]
    assert (stage >> NetworkChanged(200.0, ROLL)).last == []


def test_stop_ends_quietly_and_a_late_socket_is_closed() -> None:
    stage = Stage() >> Stop(100.0)
    assert stage.only(CloseConnection)
    stage >> SocketOpened(101.0, (), TYPES)
    assert stage.last == [CloseConnection()]


def test_windows_for_a_screen() -> None:
    stage = Stage().online() >> WindowWanted(100.0, 1, "room", 1, 3)
    assert stage.only(SettleWindow) == [SettleWindow(1)]
    stage >> WindowWanted(100.0, 2, "room", 1, 9)
    request = stage.request("Message/query")
    assert request.calls[0][1]["filter"] == {"conversationId": "room", "beforeSeq": 10, "afterSeq": 3}
    stage.answer(request)
    assert stage.only(SettleWindow) == [SettleWindow(2)]
    stage >> WindowWanted(100.0, 3, "room", 20, 30) >> ConnectionLost(101.0, ROLL)
    assert stage.only(SettleWindow) == [SettleWindow(3, "offline")]
    stage >> WindowWanted(102.0, 4, "room", 20, 30)
    assert stage.only(SettleWindow) == [SettleWindow(4, "offline")]


def test_a_message_of_an_unknown_conversation_is_announced_when_that_arrives() -> None:
    stage = Stage().online()
    stage.frame(push(7, message(1, room="new")))
    assert stage.only(AnnounceMessages) == []
    request = stage.request("Conversation/changes")
    new = {"id": "new", "kind": "group", "lastSeq": 1}
    stage.answer(
        request,
        Conversation_c={"newState": "7", "created": ["new"]},
        Conversation_created={"state": "7", "list": [new]},
    )
    assert stage.only(AnnounceMessages) == [AnnounceMessages(("new-1",))]


def test_broken_objects_are_skipped_and_a_broken_answer_costs_the_connection() -> None:
    stage = Stage().online()
    stage.frame(push(7, {"id": "broken"}, message(4)))
    assert [value.id for value in stage.operations(PutObjects)[0].objects] == ["room-4"]
    assert stage.only(NoteBroken)
    stage >> WokeUp(102.0, ROLL)
    stage.answer(stage.request("Message/changes"), Message_c={"newState": 5})
    assert stage.only(CloseConnection)
    assert stage.only(SetStatus)[0].detail == "protocolError"


def test_request_errors_are_tried_again_later() -> None:
    stage = Stage() >> SocketOpened(100.0, (), TYPES)
    request = stage.request("Conversation/changes")
    limit = {"@type": "RequestError", "requestId": request.request_id, "type": "urn:ietf:params:jmap:error:limit"}
    stage.frame(limit)
    assert stage.only(SendRequest) == []
    stage >> WokeUp(200.0, ROLL)
    assert stage.request("Conversation/changes").calls == request.calls


def test_signals_and_strange_frames() -> None:
    stage = Stage().online()
    stage.frame({"@type": "Signal", "kind": "typing", "conversationId": "room", "personId": "ben"})
    assert stage.only(ReportSignal)[0].signal.person_id == "ben"
    stage.frame({"@type": "Tomorrow"})
    assert stage.only(NoteBroken)
    assert stage.frame({"@type": "Response", "requestId": "r999", "methodResponses": []}).last == []


@pytest.mark.parametrize("kind", ["unknownMethod", "forbidden"])
def test_a_type_this_server_does_not_have_is_left_alone(kind: str) -> None:
    stage = Stage() >> SocketOpened(100.0, (), TYPES)
    stage.answer(stage.request("Conversation/changes"), Alert_c={"type": kind})
    stage.frame({"@type": "StateChange", "changed": {"me": {"Alert": "9"}}})
    assert stage.only(SendRequest) == []


ROOM = {"id": "room", "kind": "group", "lastSeq": 3}
READ, UNREAD = {**ROOM, "readSeq": 3, "unreadCount": 0}, {**ROOM, "readSeq": 2, "unreadCount": 1}


def unread_written(stage: Stage) -> list[int]:
    return [value.unread_count for operation in stage.operations(PutObjects) for value in operation.objects]


def test_an_answer_read_before_an_own_write_does_not_undo_it() -> None:
    """Requests run side by side on the server, so the older answer may come last: the read marker must not jump back."""
    stage = Stage().online()
    state_change = {"@type": "StateChange", "changed": {"me": {"Conversation": "6"}}}
    changes = stage.frame(state_change).request("Conversation/changes")
    write = (stage >> mark("e1", 3)).request("Conversation/set")
    stage.answer(write, set={"updated": {"room": None}}, get={"state": "7", "list": [READ]})
    assert unread_written(stage) == [0]
    assert [operation.edit.id for operation in stage.operations(RemoveEdit)] == ["e1"]
    older = {"state": "6", "list": [UNREAD]}
    stage.answer(changes, Conversation_c={"newState": "6", "updated": ["room"]}, Conversation_updated=older)
    assert stage.operations(PutObjects) == []
    assert SetState("Conversation", "6") in stage.operations(SetState)
    # The marker's own change comes next: it is here already, nothing is fetched.
    following = stage.frame({**state_change, "changed": {"me": {"Conversation": "7"}}}).request("Conversation/changes")
    stage.answer(following, Conversation_c={"newState": "7", "updated": ["room"], "modseqs": {"room": 7}})
    assert stage.only(SendRequest) == []
    assert SetState("Conversation", "7") in stage.operations(SetState)


def test_an_answer_or_push_from_before_the_cursor_changes_nothing() -> None:
    """Nothing would ever repair it: /changes tells only what happened after the cursor."""
    stage = Stage().online()
    write = (stage >> mark("e1", 2)).request("Conversation/set")
    state_change = {"@type": "StateChange", "changed": {"me": {"Conversation": "9"}}}
    changes = stage.frame(state_change).request("Conversation/changes")
    newer = {"state": "9", "list": [READ]}
    stage.answer(changes, Conversation_c={"newState": "9", "updated": ["room"]}, Conversation_updated=newer)
    assert unread_written(stage) == [0]
    stage.answer(write, set={"updated": {"room": None}}, get={"state": "8", "list": [UNREAD]})
    assert stage.operations(PutObjects) == []
    assert stage.operations(RemoveEdit)
    stage.frame({"@type": "Push", "state": "8", "objects": {"Conversation": [UNREAD]}})
    assert stage.operations(PutObjects) == []


def test_what_a_snapshot_did_not_name_is_fetched_again_although_an_own_write_had_brought_it() -> None:
    stage = Stage(Saved()) >> SocketOpened(100.0, (), TYPES)
    snapshot = stage.request("Conversation/get")
    create = Edit("new", "conversation:new", EditKind.CREATE, "Conversation", "new", {"kind": "group", "name": "n"})
    write = (stage >> EditMade(100.0, create)).request("Conversation/set")
    made = {"id": "new", "kind": "group", "name": "n", "lastSeq": 0}
    stage.answer(write, set={"created": {"new": {"id": "new"}}}, get={"state": "7", "list": [made]})
    stage.answer(snapshot, state={"state": "6", "list": []}, ids={"ids": []}, objects={"state": "6", "list": []})
    changes = stage.request("Conversation/changes")
    assert ("Conversation/get", "Conversation/created") in [(name, call_id) for name, _, call_id in changes.calls]
    created = {"state": "7", "list": [made]}
    stage.answer(changes, Conversation_c={"newState": "7", "created": ["new"]}, Conversation_created=created)
    assert [value.id for operation in stage.operations(PutObjects) for value in operation.objects] == ["new"]


def version(edit_id: str, upload: str | None = "t1", path: str | None = "/f") -> EditMade:
    kind = EditKind.CREATE if edit_id == "doc" else EditKind.UPDATE
    payload = {"name": "f.pdf", "type": "application/pdf"}
    edit = Edit(edit_id, "Document:doc", kind, "Document", "doc", payload, upload=upload, local_path=path)
    return EditMade(100.0, edit)


def test_the_blob_of_a_document_goes_into_the_document_itself() -> None:
    stage = Stage().online() >> version("doc")
    assert stage.only(SendRequest) == []
    stage >> UploadFinished(101.0, "t1", "b" * 64)
    request = stage.request("Document/set")
    assert request.calls[0][1]["create"]["doc"] == {"name": "f.pdf", "type": "application/pdf", "blobId": "b" * 64}
    assert request.calls[1][0] == "Document/get"


def test_a_version_does_not_overtake_the_document_it_belongs_to() -> None:
    stage = Stage().online() >> version("doc", "t1") >> version("v2", "t2")
    stage >> UploadFinished(101.0, "t2", "c" * 64)
    assert stage.only(SendRequest) == []  # the document itself still waits for its file
    stage >> UploadFinished(102.0, "t1", "b" * 64)
    request = stage.request("Document/set")
    assert "create" in request.calls[0][1]
    stage.answer(request, set={"created": {"doc": {"id": "doc"}}}, get={"state": "9", "list": []})
    assert stage.request("Document/set").calls[0][1]["update"]["doc"]["blobId"] == "c" * 64


def test_two_versions_are_two_although_updates_merge() -> None:
    stage = Stage() >> version("v1", "t1") >> version("v2", "t2")
    assert [operation.edit.id for operation in stage.operations(PutEdit)] == ["v2"]


def test_a_refused_write_that_carries_a_file_is_kept_and_a_refused_mark_is_not() -> None:
    stage = Stage().online() >> version("v1", None)
    refusal = {"notUpdated": {"doc": {"type": "forbidden"}}}
    stage.answer(stage.request("Document/set"), set=refusal)
    assert [operation.edit.state for operation in stage.operations(PutEdit)] == [EditState.REFUSED]
    assert stage.only(ReportRefusal) == [ReportRefusal("Document", "doc", "forbidden", "")]
    stage >> EditRetried(101.0, "v1")
    assert stage.request("Document/set").calls[0][1]["update"]["doc"]["name"] == "f.pdf"
    read = Edit("mark", "mark:x", EditKind.CREATE, "ReadMark", "x", {"recordId": "n", "recordType": "Notice"})
    stage >> EditMade(102.0, read)
    stage.answer(stage.request("ReadMark/set"), set={"notCreated": {"x": {"type": "invalidProperties"}}})
    assert [operation.edit.id for operation in stage.operations(RemoveEdit)] == ["mark"]
