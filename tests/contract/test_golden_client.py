"""Golden frames (resources/protocol/golden): the client reads every server frame on file and writes every client frame byte for byte alike."""

import json
from pathlib import Path
from typing import Any

import pytest

from desktop.core.domain import Conversation, Message
from desktop.core.protocol.answers import ChangesAnswer, GetAnswer, MethodError, QueryAnswer, SetAnswer, decode_answer
from desktop.core.protocol.frames import (
    Push,
    RequestError,
    Response,
    Signal,
    StateChange,
    decode_frame,
    encode_push_enable,
    encode_request,
    encode_signal,
)
from desktop.core.protocol.objects import TYPES, decode_object

GOLDEN = Path(__file__).parents[2] / "resources" / "protocol" / "golden"
SERVER = sorted((GOLDEN / "server").glob("*.json"))
REQUESTS = [p for p in sorted((GOLDEN / "client").glob("*.json")) if '"Request"' in p.read_text(encoding="utf-8")]
ME = "0192f000-0000-7000-8000-000000000001"
ANSWERS: dict[str, type[Any]] = {
    "get": GetAnswer, "changes": ChangesAnswer, "query": QueryAnswer, "set": SetAnswer, "error": MethodError,
}  # fmt: skip


def client_frame(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / "client" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def name_of(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", SERVER, ids=name_of)
def test_every_server_frame_is_read_in_full(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    frame = decode_frame(text)
    assert isinstance(frame, Response | RequestError | StateChange | Push | Signal)
    responses = frame.method_responses if isinstance(frame, Response) else []
    for method, raw, _ in responses:
        type_name, _, verb = method.partition("/")
        answer = decode_answer(raw, ANSWERS[verb or method])
        for one in answer.objects if isinstance(answer, GetAnswer) else ():
            decode_object(type_name, one, ME)
    pushed = frame.objects if isinstance(frame, Push) else {}
    for type_name, raws in pushed.items():
        assert type_name in TYPES
        assert [decode_object(type_name, raw, ME).id for raw in raws] == [
            o["id"] for o in json.loads(text)["objects"][type_name]
        ]


@pytest.mark.parametrize("path", REQUESTS, ids=name_of)
def test_every_request_is_written_alike(path: Path) -> None:
    golden = client_frame(path.stem)
    calls = [(name, arguments, call_id) for name, arguments, call_id in golden["methodCalls"]]
    more = {key: value for key, value in golden.items() if key not in ("@type", "id", "using", "methodCalls")}
    assert json.loads(encode_request(golden["id"], calls, tuple(golden["using"]))) | more == golden


def test_push_and_signals_are_written_alike() -> None:
    enable = client_frame("push-enable")
    written = encode_push_enable(enable["dataTypes"], enable["pushState"], enable["objects"])
    assert json.loads(written) == enable
    typing, presence, authorize = (client_frame(name) for name in ("typing", "presence", "authorize"))
    assert json.loads(encode_signal("typing", conversationId=typing["conversationId"])) == typing
    assert json.loads(encode_signal("presence", status=presence["status"])) == presence
    assert json.loads(encode_signal("authorize", accessToken=authorize["accessToken"])) == authorize


def test_what_the_golden_objects_mean() -> None:
    frame = decode_frame((GOLDEN / "server" / "counts-only.json").read_text(encoding="utf-8"))
    assert isinstance(frame, Response)
    raw = decode_answer(frame.method_responses[1][1], GetAnswer).objects[0]
    conversation = decode_object("Conversation", raw, ME)
    assert isinstance(conversation, Conversation)
    assert conversation.peer_id == "0192f000-0000-7000-8000-000000000002"
    assert conversation.last_message is not None
    assert (conversation.last_seq, conversation.last_message.text) == (2, "好的 👍")
    push = decode_frame((GOLDEN / "server" / "push-system-card.json").read_text(encoding="utf-8"))
    assert isinstance(push, Push)
    message = decode_object("Message", push.objects["Message"][0], ME)
    assert isinstance(message, Message)
    assert message.sender_id is None
    assert message.card is not None
    assert message.card.type == "Notice"
