"""Frames the server sends on its own account: encoded once, the same bytes for every receiver. Pure."""

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

encode: Final = msgspec.json.Encoder().encode


class Frame:
    """A text message on its way to any number of sockets.

    Attributes:
        payload: the JSON, UTF-8.
        wire: the same as one unmasked WebSocket frame (RFC 6455 §5.2), ready for the transport.
    """

    __slots__ = ("_text", "payload", "wire")

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        size = len(payload)
        if size < 126:
            head = bytes((0x81, size))
        elif size < 65536:
            head = struct.pack("!BBH", 0x81, 126, size)
        else:
            head = struct.pack("!BBQ", 0x81, 127, size)
        self.wire = head + payload
        self._text: str | None = None

    @property
    def text(self) -> str:
        """The payload as text, decoded once, for servers that want it so."""
        if self._text is None:
            self._text = self.payload.decode()
        return self._text


def push_frame(type_name: str, change_id: int, objects: Sequence[Mapping[str, Any]]) -> Frame:
    """Whole objects of one type, all last changed at `change_id` (docs/protocol.md §5)."""
    return Frame(b'{"@type":"Push","state":"%d","objects":{%s:%s}}' % (change_id, encode(type_name), encode(objects)))


def state_change(account: str, changed: Mapping[str, str], push_state: int) -> Frame:
    """RFC 8887 §4.3.5.1: the types with news for this account, with their states."""
    return Frame(
        b'{"@type":"StateChange","changed":{%s:%s},"pushState":"%d"}' % (encode(account), encode(changed), push_state)
    )


def typing_signal(conversation_id: str, person_id: str) -> Frame:
    """Somebody is writing in a conversation."""
    return signal("typing", conversationId=conversation_id, personId=person_id)


def signal(kind: str, **values: Any) -> Frame:
    """A Signal frame of any kind."""
    return Frame(encode({"@type": "Signal", "kind": kind, **values}))
