"""Frames of the socket (RFC 8887 and docs/protocol.md §5) as values, with limits enforced before anything is parsed deep."""

from typing import Any, Final

import msgspec

from desktop.core.protocol.problems import ProtocolError

MAX_FRAME: Final = 16 * 1024 * 1024
"""Bytes of one incoming frame or HTTP answer. A page of 500 long messages stays below 6 MB."""

MethodCall = tuple[str, dict[str, Any], str]
"""Method name, arguments, call id (RFC 8620 §3.2)."""


class Response(msgspec.Struct, frozen=True, rename="camel", tag_field="@type", tag="Response"):
    """Answers of one request; arguments stay raw until somebody knows their type."""

    method_responses: list[tuple[str, msgspec.Raw, str]]
    request_id: str | None = None
    session_state: str | None = None


class RequestError(msgspec.Struct, frozen=True, rename="camel", tag_field="@type", tag="RequestError"):
    """The whole request failed (RFC 8620 §3.6.1)."""

    type: str
    request_id: str | None = None
    status: int = 0
    detail: str | None = None
    limit: str | None = None


class StateChange(msgspec.Struct, frozen=True, rename="camel", tag_field="@type", tag="StateChange"):
    """Types whose state moved, by account (RFC 8620 §7.1)."""

    changed: dict[str, dict[str, str]]
    push_state: str | None = None


class Push(msgspec.Struct, frozen=True, rename="camel", tag_field="@type", tag="Push"):
    """Changed objects themselves: a hint that may be shown at once."""

    state: str
    objects: dict[str, list[msgspec.Raw]]


class Signal(msgspec.Struct, frozen=True, rename="camel", tag_field="@type", tag="Signal"):
    """Typing, presence, going away: never stored."""

    kind: str
    conversation_id: str | None = None
    person_id: str | None = None
    presence: dict[str, str] | None = None
    texts: dict[str, str] | None = None
    retry_after: float | None = None
    direct: dict[str, Any] | None = None


class Unknown(msgspec.Struct, frozen=True):
    """A frame of a kind this version does not know; ignored."""

    type: str


Frame = Response | RequestError | StateChange | Push | Signal | Unknown


class _Head(msgspec.Struct, rename={"type": "@type"}):
    type: str


_decoder = msgspec.json.Decoder(Response | RequestError | StateChange | Push | Signal)
_head_decoder = msgspec.json.Decoder(_Head)
_KNOWN: Final = frozenset({"Response", "RequestError", "StateChange", "Push", "Signal"})


def decode_frame(data: str | bytes) -> Frame:
    """The frame in `data`.

    Raises:
        ProtocolError: too long, no JSON, or not of the shape its type promises.
    """
    if len(data) > MAX_FRAME:
        raise ProtocolError("frame too long")
    try:
        frame: Frame = _decoder.decode(data)
    except (ValueError, RecursionError) as error:
        unknown = _unknown_type(data)
        if unknown is not None:
            return Unknown(unknown)
        raise ProtocolError(f"broken frame: {type(error).__name__}") from error
    return frame


def _unknown_type(data: str | bytes) -> str | None:
    try:
        head = _head_decoder.decode(data)
    except (ValueError, RecursionError):
        return None
    return None if head.type in _KNOWN else head.type


def decode_response(data: bytes) -> Response:
    """The Response of `POST /jmap/api` (no @type there). Raises ProtocolError."""
    if len(data) > MAX_FRAME:
        raise ProtocolError("answer too long")
    try:
        plain = _plain_decoder.decode(data)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"broken answer: {type(error).__name__}") from error
    return Response(plain.method_responses, session_state=plain.session_state)


class _PlainResponse(msgspec.Struct, rename="camel"):
    method_responses: list[tuple[str, msgspec.Raw, str]]
    session_state: str | None = None


_plain_decoder = msgspec.json.Decoder(_PlainResponse)


def request_body(calls: list[MethodCall], using: tuple[str, ...]) -> dict[str, Any]:
    """A JMAP request object (RFC 8620 §3.3)."""
    return {"using": list(using), "methodCalls": calls}


def encode_request(request_id: str, calls: list[MethodCall], using: tuple[str, ...]) -> str:
    """A `Request` frame."""
    return encode({"@type": "Request", "id": request_id, **request_body(calls, using)})


def encode_push_enable(types: list[str] | None, push_state: str | None, objects: list[str]) -> str:
    """`WebSocketPushEnable` (RFC 8887 §4.3.5.2) with our `objects` and `signals`; `types` None: all."""
    frame: dict[str, Any] = {"@type": "WebSocketPushEnable", "dataTypes": types, "signals": True}
    if push_state is not None:
        frame["pushState"] = push_state
    if objects:
        frame["objects"] = objects
    return encode(frame)


def encode_signal(kind: str, **fields: str) -> str:
    """A `Signal` frame of this client."""
    return encode({"@type": "Signal", "kind": kind, **fields})


def encode(value: object) -> str:
    """JSON text of a frame."""
    return msgspec.json.encode(value).decode()
