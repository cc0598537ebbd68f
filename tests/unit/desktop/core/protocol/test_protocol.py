"""Frames and objects of any bytes: a value or a ProtocolError, never anything else; what is unknown falls back."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop.core.domain import Conversation, ConversationKind, Message, MessageKind, Notice, Record
from desktop.core.protocol.answers import (
    ChangesAnswer,
    GetAnswer,
    Problem,
    QueryAnswer,
    SetAnswer,
    TokenAnswer,
    decode_answer,
)
from desktop.core.protocol.frames import (
    MAX_FRAME,
    Push,
    Response,
    Signal,
    StateChange,
    Unknown,
    decode_frame,
    decode_response,
    encode_push_enable,
    encode_request,
    encode_signal,
)
from desktop.core.protocol.objects import TYPES, decode_object, is_record, state_number, value_of
from desktop.core.protocol.problems import ProtocolError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=15,
)
FIELDS = [
    "id",
    "kind",
    "seq",
    "sentAt",
    "text",
    "conversationId",
    "lastMessage",
    "memberIds",
    "announcement",
    "attachment",
]
FIELDS += ["order", "lastSeq", "unreadCount", "readSeq", "size", "urgent", "link", "types", "joinedAt"]
FIELDS += [
    "versions",
    "publishedAt",
    "level",
    "identities",
    "name",
    "title",
    "label",
    "group",
    "icon",
    "recordId",
    "offline",
]
FRAMES = ["Response", "RequestError", "StateChange", "Push", "Signal", "Nonsense"]


@given(st.binary(max_size=300))
def test_any_bytes_are_a_frame_or_a_protocol_error(data: bytes) -> None:
    try:
        decode_frame(data)
    except ProtocolError:
        return


@given(
    st.sampled_from(FRAMES),
    st.dictionaries(
        st.text(max_size=12) | st.sampled_from(["changed", "state", "objects", "kind"]), json_values, max_size=5
    ),
)
def test_any_json_is_a_frame_or_a_protocol_error(kind: str, body: dict[str, Any]) -> None:
    try:
        decode_frame(json.dumps({**body, "@type": kind}))
    except ProtocolError:
        return


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000, "", "null", "[]", '{"@type":5}', b"\xff\xfe"])
def test_hostile_texts(text: str | bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_frame(text)
    with pytest.raises(ProtocolError):
        decode_response(text if isinstance(text, bytes) else text.encode())


def test_a_frame_too_long_is_not_parsed() -> None:
    with pytest.raises(ProtocolError, match="too long"):
        decode_frame(" " * (MAX_FRAME + 1))


@given(
    st.sampled_from(sorted(TYPES)),
    st.dictionaries(st.sampled_from(FIELDS), json_values, max_size=8),
    st.binary(max_size=40),
)
def test_any_object_is_a_value_that_can_be_kept_or_a_protocol_error(
    name: str, body: dict[str, Any], noise: bytes
) -> None:
    for data in (json.dumps(body).encode(), json.dumps({**body, "id": "x"}).encode(), noise):
        try:
            value = decode_object(name, data, "me")
        except ProtocolError:
            continue
        kind = Record if is_record(name) else TYPES[name].struct
        assert msgspec.json.decode(msgspec.json.encode(value), type=kind) == value


@pytest.mark.parametrize("kind", [ChangesAnswer, GetAnswer, QueryAnswer, SetAnswer, TokenAnswer])
@given(value=json_values)
def test_any_answer_is_a_value_or_a_protocol_error(kind: type[Any], value: Any) -> None:
    try:
        decode_answer(json.dumps(value).encode(), kind)
    except ProtocolError:
        return


def test_frames_as_the_server_sends_them() -> None:
    response = decode_frame(
        '{"@type":"Response","requestId":"r1","methodResponses":[["Core/echo",{"a":1},"c"]],"new":true}'
    )
    assert isinstance(response, Response)
    assert (response.request_id, response.method_responses[0][0]) == ("r1", "Core/echo")
    assert decode_frame('{"@type":"StateChange","changed":{"a":{"Message":"5"}},"pushState":"5"}') == StateChange(
        {"a": {"Message": "5"}}, "5"
    )
    push = decode_frame('{"@type":"Push","state":"7","objects":{"Message":[{"id":"m"}]}}')
    assert isinstance(push, Push)
    assert bytes(push.objects["Message"][0]) == b'{"id":"m"}'
    assert decode_frame('{"@type":"Signal","kind":"goingAway","retryAfter":3}') == Signal("goingAway", retry_after=3.0)
    assert decode_frame('{"@type":"Tomorrow","x":1}') == Unknown("Tomorrow")
    assert decode_response(b'{"methodResponses":[],"sessionState":"s"}') == Response([], session_state="s")


def test_frames_as_we_send_them() -> None:
    request = json.loads(encode_request("r1", [("Core/echo", {"a": 1}, "c")], ("urn:ietf:params:jmap:core",)))
    assert request == {
        "@type": "Request",
        "id": "r1",
        "using": ["urn:ietf:params:jmap:core"],
        "methodCalls": [["Core/echo", {"a": 1}, "c"]],
    }
    assert json.loads(encode_push_enable(["Message"], None, [])) == {
        "@type": "WebSocketPushEnable",
        "dataTypes": ["Message"],
        "signals": True,
    }
    enable = json.loads(encode_push_enable(["Message"], "5", ["Message"]))
    assert (enable["pushState"], enable["objects"]) == ("5", ["Message"])
    assert json.loads(encode_signal("typing", conversationId="c")) == {
        "@type": "Signal",
        "kind": "typing",
        "conversationId": "c",
    }


def test_a_conversation_from_the_wire() -> None:
    data = {
        "id": "d-1",
        "kind": "direct",
        "memberIds": ["me", "ben"],
        "announcement": {"text": "hello", "by": "ben", "at": "2026-11-22T08:00:00.000Z"},
        "lastMessage": {
            "id": "m",
            "seq": 2,
            "kind": "text",
            "text": "hi",
            "sentAt": "2026-11-22T08:30:00.123Z",
            "senderId": None,
        },
        "updatedAt": "2026-11-22T08:30:00.123Z",
        "draft": "not the server's to say",
        "tomorrow": 1,
    }
    value = decode_object("Conversation", json.dumps(data).encode(), "me")
    assert isinstance(value, Conversation)
    assert (value.peer_id, value.announcement, value.draft) == ("ben", "hello", "")
    assert value.updated_at == 1795336200123
    assert value.last_message is not None
    assert value.last_message.sent_at == 1795336200123


def test_what_is_unknown_falls_back() -> None:
    message = decode_object(
        "Message", b'{"id":"m","conversationId":"c","kind":"hologram","seq":1,"delivery":"refused"}', "me"
    )
    assert isinstance(message, Message)
    assert (message.kind, message.delivery) == (MessageKind.TEXT, "sent")
    room = decode_object("Conversation", b'{"id":"c","kind":"hall","name":null}', "me")
    assert isinstance(room, Conversation)
    assert (room.kind, room.name) == (ConversationKind.GROUP, "")
    record = decode_object("Notice", b'{"id":"n","title":"t","level":"panic","myReadAt":5}', "me")
    assert isinstance(record, Record)
    notice = value_of(record, "me")
    assert isinstance(notice, Notice)
    assert (notice.level, notice.my_read_at) == ("normal", None)


@pytest.mark.parametrize("seq", ["0", "-1", "null", '"1"', "1e3", str(1 << 60)])
def test_a_message_without_a_good_place_is_broken(seq: str) -> None:
    with pytest.raises(ProtocolError):
        decode_object("Message", f'{{"id":"m","conversationId":"c","kind":"text","seq":{seq}}}'.encode(), "me")


@pytest.mark.parametrize(
    ("state", "number"), [("17", 17), ("17.3.x", 17), ("", None), ("x", None), ("٣", None), ("9" * 30, None)]
)
def test_states_are_opaque_but_for_their_number(state: str, number: int | None) -> None:
    assert state_number(state) == number


def test_problem_codes() -> None:
    assert Problem("urn:tongban:error:locked").code == "locked"
    assert "secret" not in repr(TokenAnswer("secret", 300, "secret", "d", "a"))
