"""Requests as they arrive: limits first, then JSON, then shape. Any bytes give a Request or a RequestError, never anything else."""

import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from server_stub.errors import RequestError, RequestErrorType

_TOKENS: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|([\[{])|([\]}])', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Limits:
    """The core capability's limits (RFC 8620 §2) and our own on depth. Sizes in bytes."""

    max_size_upload: int = 100_000_000
    max_concurrent_upload: int = 4
    max_size_request: int = 10_000_000
    max_concurrent_requests: int = 8
    max_calls_in_request: int = 32
    max_objects_in_get: int = 1000
    max_objects_in_set: int = 500
    max_changes: int = 1000
    max_depth: int = 32

    def to_capability(self) -> dict[str, Any]:
        """The value of `urn:ietf:params:jmap:core`."""
        return {
            "maxSizeUpload": self.max_size_upload,
            "maxConcurrentUpload": self.max_concurrent_upload,
            "maxSizeRequest": self.max_size_request,
            "maxConcurrentRequests": self.max_concurrent_requests,
            "maxCallsInRequest": self.max_calls_in_request,
            "maxObjectsInGet": self.max_objects_in_get,
            "maxObjectsInSet": self.max_objects_in_set,
            "collationAlgorithms": [],
        }


Call = tuple[str, dict[str, Any], str]


class Request(msgspec.Struct, rename="camel"):
    """RFC 8620 §3.3."""

    using: list[str]
    method_calls: list[Call]
    created_ids: dict[str, str] | None = None


_decoder: Final = msgspec.json.Decoder(Request)
_any_decoder: Final = msgspec.json.Decoder()


def decode_json(data: bytes | str, limits: Limits) -> Any:
    """Any JSON value within the limits of size and depth.

    Raises:
        RequestError: limit, notJSON.
    """
    check_size(data, limits)
    try:
        return _any_decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
        raise RequestError(RequestErrorType.NOT_JSON, str(problem)) from problem


def decode_request(data: bytes | str, limits: Limits) -> Request:
    """A request within the limits of size, depth and number of calls.

    Raises:
        RequestError: limit, notJSON, notRequest.
    """
    check_size(data, limits)
    try:
        request = _decoder.decode(data)
    except msgspec.ValidationError as problem:
        decode_json(data, limits)  # broken JSON further on is the graver error
        raise RequestError(RequestErrorType.NOT_REQUEST, str(problem)) from problem
    except (msgspec.DecodeError, RecursionError, UnicodeError) as problem:
        raise RequestError(RequestErrorType.NOT_JSON, str(problem)) from problem
    check_calls(request, limits)
    return request


def convert_request(value: Any, limits: Limits) -> Request:
    """The same from a decoded JSON value (a WebSocket frame)."""
    try:
        request = msgspec.convert(value, Request)
    except (msgspec.ValidationError, RecursionError) as problem:
        raise RequestError(RequestErrorType.NOT_REQUEST, str(problem)) from problem
    check_calls(request, limits)
    return request


def check_calls(request: Request, limits: Limits) -> None:
    """Raises RequestError limit when there are too many method calls."""
    if len(request.method_calls) > limits.max_calls_in_request:
        raise RequestError(RequestErrorType.LIMIT, "too many method calls", limit="maxCallsInRequest")


def check_size(data: bytes | str, limits: Limits) -> None:
    """Raises RequestError when the text is too long, or nested too deep to be looked into."""
    if len(data) > limits.max_size_request:
        raise RequestError(RequestErrorType.LIMIT, "the request is too large", limit="maxSizeRequest", status=413)
    raw = data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")
    if raw.count(b"[") + raw.count(b"{") > limits.max_depth and _depth(raw, limits.max_depth) > limits.max_depth:
        raise RequestError(RequestErrorType.NOT_REQUEST, f"nested deeper than {limits.max_depth}")


def _depth(raw: bytes, enough: int) -> int:
    depth = deepest = 0
    for token in _TOKENS.finditer(raw):
        if token.lastindex == 1:
            depth += 1
            deepest = max(deepest, depth)
            if deepest > enough:
                break
        elif token.lastindex == 2:
            depth -= 1
    return deepest
