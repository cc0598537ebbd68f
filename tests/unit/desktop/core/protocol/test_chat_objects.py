"""What messages and conversations carry beside a text, read from the wire: whole, with gaps, and broken."""

from typing import Any

import pytest

from desktop.core.clock import parse_utc_date
from desktop.core.domain import (
    ChainEntry,
    Conversation,
    JoinState,
    Message,
    MessageKind,
    Notify,
    Pin,
    PollOption,
    PollResult,
    ScheduledMessage,
    ScheduledState,
    SystemEvent,
)
from desktop.core.protocol.chat_objects import merged_of
from desktop.core.protocol.objects import object_of
from desktop.core.protocol.problems import ProtocolError

AT = "2026-11-22T08:00:00.000Z"
MS = parse_utc_date(AT)


def message(**more: Any) -> Message:
    plain = {"id": "m", "conversationId": "c", "seq": 1, "senderId": "anna", "kind": "text", "text": "", "sentAt": AT}
    found = object_of("Message", {**plain, **more}, "me")
    assert isinstance(found, Message)
    return found


def conversation(**more: Any) -> Conversation:
    found = object_of("Conversation", {"id": "c", "kind": "group", "updatedAt": AT, **more}, "me")
    assert isinstance(found, Conversation)
    return found


def test_a_changed_message_keeps_all_of_it() -> None:
    found = message(
        editedAt=AT,
        reactions={"👍": ["ben", "me"]},
        pinned={"byId": "ben", "at": AT},
        mustConfirm=True,
        confirmedIds=["ben"],
        forwardedFrom=True,
        code=True,
        language="python",
        changing=True,
    )
    assert found.edited_at == MS
    assert found.reactions == {"👍": ("ben", "me")}
    assert found.pinned == Pin("ben", MS)
    assert (found.must_confirm, found.confirmed_ids, found.forwarded) == (True, ("ben",), True)
    assert (found.code, found.language, found.changing) == (True, "python", False)


def test_a_recalled_message_is_a_trace() -> None:
    found = message(recalledAt=AT, recalledById="ben", mentions=[])
    assert (found.recalled_at, found.recalled_by_id, found.text) == (MS, "ben", "")


def test_polls_chains_and_lines() -> None:
    options = [{"id": "1", "text": "是"}, {"id": "2", "text": "否"}]
    poll = {"question": "去吗", "options": options, "multiple": False, "anonymous": True, "closesAt": None}
    found = message(kind="poll", poll=poll, results={"1": {"count": 2}}, choice=["1"])
    assert found.poll is not None
    assert found.poll.options == (PollOption("1", "是"), PollOption("2", "否"))
    assert (found.poll.closes_at, found.results, found.choice) == (None, {"1": PollResult(2)}, ("1",))
    chain = message(kind="chain", chain={"title": "报名"}, entries=[{"personId": "ben", "text": "去", "at": AT}])
    assert chain.entries == (ChainEntry("ben", "去", MS),)
    line = message(kind="system", event={"type": "muted", "byId": None, "personIds": ["ben"], "value": 5})
    assert line.event == SystemEvent("muted", ("ben",), None, 5)


def test_merged_talk_survives_what_a_later_server_adds() -> None:
    item = {"senderId": None, "name": "", "sentAt": AT, "kind": "hologram", "text": "x", "attachment": None}
    nested = {**item, "kind": "merged", "merged": {"title": "t", "count": 3, "more": 1}}
    found = message(kind="merged", merged={"title": "群的聊天记录", "items": [item, nested]})
    assert found.merged is not None
    first, second = found.merged.items
    assert (first.kind, first.sent_at) == (MessageKind.TEXT, MS)
    assert second.merged is not None
    assert second.merged.count == 3
    assert merged_of({"title": "t", "items": [dict(item)]}).items == (first,)


@pytest.mark.parametrize(
    "broken",
    [
        {"merged": {"items": 5}},
        {"poll": {"options": []}},
        {"entries": [{"personId": "ben"}]},
        {"pinned": {"at": "yesterday"}},
        {"reactions": {"👍": 1}},
        {"event": {"personIds": []}},
    ],
)
def test_broken_parts_break_the_message_alone(broken: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        message(**broken)


def test_a_conversation_tells_what_is_ones_own() -> None:
    found = conversation(
        notify="mentions",
        folder="工作",
        markedUnread=True,
        hiddenAt=AT,
        draft={"text": "写到一半", "replyToId": "m1", "at": AT},
        joinRule="lottery",
        lastMessage={
            "id": "m",
            "seq": 3,
            "kind": "text",
            "text": "",
            "sentAt": AT,
            "recalledAt": AT,
            "recalledById": "b",
        },
    )
    assert (found.notify, found.folder, found.marked_unread, found.hidden_at) == (Notify.MENTIONS, "工作", True, MS)
    assert (found.draft, found.draft_reply_to_id, found.draft_at) == ("写到一半", "m1", MS)
    assert found.join_rule == "invite"
    assert found.last_message is not None
    assert found.last_message.recalled_at == MS


def test_a_muted_conversation_of_an_older_server_lets_mentions_through() -> None:
    assert conversation(muted=True).notify is Notify.MENTIONS
    assert conversation(muted=False).notify is Notify.ALL
    assert conversation(draft=None).draft == ""


def test_what_one_keeps_is_read_tolerantly() -> None:
    content = {"kind": "text", "text": "提醒"}
    scheduled = object_of(
        "ScheduledMessage",
        {"id": "s", "conversationId": "c", "message": content, "sendAt": AT, "createdAt": AT, "state": "pondering"},
        "me",
    )
    assert isinstance(scheduled, ScheduledMessage)
    assert (scheduled.text, scheduled.send_at, scheduled.state) == ("提醒", MS, ScheduledState.FAILED)
    request = object_of("JoinRequest", {"id": "j", "conversationId": "c", "personId": "p", "state": "waiting"}, "me")
    assert getattr(request, "state") is JoinState.WAITING  # noqa: B009 - the union of all types has no such field
