"""The short way to decode a message says what the long way says, or nothing."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from desktop.core.domain import Message, MessageKind
from desktop.core.protocol.objects import decode_object, object_of
from desktop.core.protocol.plain_messages import plain_message
from desktop.core.protocol.problems import ProtocolError

PLAIN: dict[str, Any] = {
    "id": "m1",
    "conversationId": "c1",
    "seq": 7,
    "senderId": "p1",
    "kind": "text",
    "text": "你好\u2028",
    "mentions": ["p2", "all"],
    "sentAt": "2026-11-22T08:00:00.123Z",
}
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 1 << 54), st.text(max_size=3), st.lists(st.text(max_size=2), max_size=2)
)
ODD = st.sampled_from(
    [
        "2026-11-22T08:00:00Z", "2026-11-22T08:00:00.123456Z", "2026-11-22T08:00:00+08:00", "2026-11-22T08:00:00",
        "1969-12-31T23:59:59.999Z", "2026-02-30T00:00:00Z", "x" * 256, "picture", "system", "later kind", "", 0, 1 << 53,
    ]
)  # fmt: skip


def long_way(data: dict[str, Any]) -> Message | None:
    try:
        found = object_of("Message", msgspec.json.decode(msgspec.json.encode(data)), "me")
    except ProtocolError:
        return None
    assert isinstance(found, Message)
    return found


def test_what_every_message_has_is_all_it_takes() -> None:
    found = plain_message(msgspec.json.encode(PLAIN))
    assert found == long_way(PLAIN)
    assert found is not None
    assert (found.kind, found.sent_at) == (MessageKind.TEXT, 1795334400123)


@pytest.mark.parametrize("more", ["pinned", "attachment", "delivery", "recalledAt", "ofALaterServer"])
def test_whatever_has_more_takes_the_long_way(more: str) -> None:
    assert plain_message(msgspec.json.encode(PLAIN | {more: None})) is None


@settings(max_examples=150)
@given(
    st.dictionaries(st.sampled_from(sorted(PLAIN)), VALUES | ODD, max_size=2),
    st.sets(st.sampled_from(sorted(PLAIN)), max_size=1),
)
def test_the_short_way_never_says_anything_else(changed: dict[str, Any], without: set[str]) -> None:
    data = {key: value for key, value in (PLAIN | changed).items() if key not in without}
    raw = msgspec.json.encode(data)
    assert plain_message(raw) in (None, long_way(data))
    if long_way(data) is None:
        with pytest.raises(ProtocolError):
            decode_object("Message", raw, "me")
