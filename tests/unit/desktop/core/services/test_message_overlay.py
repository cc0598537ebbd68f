"""Messages after the changes that are still on their way, without a store or a network."""

from typing import Any

from desktop.core.domain import Attachment, ChainEntry, Message, MessageKind, Pin, Poll, PollOption, PollResult
from desktop.core.services.message_overlay import changed, reaction_key, with_changes
from desktop.core.sync.outbox import Edit, EditKind, EditState

TEXT = Message("m", "c", MessageKind.TEXT, "before", 3, "me", 1000, mentions=("ben",))


def patch(**payload: Any) -> Edit:
    return Edit("e", "message:m", EditKind.UPDATE, "Message", "m", payload, created_at=5000, room="c")


def after(message: Message, *payloads: dict[str, Any]) -> Message:
    return changed(message, [patch(**one) for one in payloads], "me")


def test_an_edit_and_a_recall_show_in_order() -> None:
    edited = after(TEXT, {"text": "now", "mentions": []})
    assert (edited.text, edited.mentions, edited.edited_at, edited.changing) == ("now", (), 5000, True)
    file = Message(
        "m", "c", MessageKind.FILE, "", 3, "me", 1000, attachment=Attachment("b", "a.pdf"), must_confirm=True
    )
    gone = after(file, {"recalled": True})
    assert gone == Message(
        "m",
        "c",
        MessageKind.FILE,
        seq=3,
        sender_id="me",
        sent_at=1000,
        recalled_at=5000,
        recalled_by_id="me",
        changing=True,
    )


def test_reactions_are_ones_own_and_their_keys_are_pointers() -> None:
    assert reaction_key("a/b~") == "reactions/a~1b~0"
    other = Message("m", "c", MessageKind.TEXT, reactions={"👍": ("ben",), "🎉": ("me",)})
    found = after(other, {reaction_key("👍"): True, reaction_key("🎉"): None, reaction_key("a/b~"): True})
    assert found.reactions == {"👍": ("ben", "me"), "a/b~": ("me",)}
    assert after(found, {reaction_key("👍"): True}).reactions["👍"] == ("ben", "me")


def test_a_vote_takes_the_place_of_the_earlier_one() -> None:
    poll = Poll("去吗", (PollOption("1", "是"), PollOption("2", "否")))
    message = Message(
        "m",
        "c",
        MessageKind.POLL,
        poll=poll,
        results={"1": PollResult(2, ("ben", "me"))},
        choice=("1",),
    )
    moved = after(message, {"choice": ["2"]})
    assert moved.results == {"1": PollResult(1, ("ben",)), "2": PollResult(1, ("me",))}
    assert after(message, {"choice": []}).results == {"1": PollResult(1, ("ben",))}
    assert after(message, {"close": True}).poll == Poll("去吗", poll.options, closed_at=5000)


def test_an_entry_keeps_its_place() -> None:
    message = Message("m", "c", MessageKind.CHAIN, entries=(ChainEntry("me", "a", 1), ChainEntry("ben", "b", 2)))
    assert after(message, {"entry": "c"}).entries == (ChainEntry("me", "c", 5000), ChainEntry("ben", "b", 2))
    assert after(message, {"entry": None}).entries == (ChainEntry("ben", "b", 2),)
    assert after(message, {"entry": None}, {"entry": "d"}).entries[-1] == ChainEntry("me", "d", 5000)


def test_pins_and_confirmations() -> None:
    asked = Message("m", "c", MessageKind.TEXT, must_confirm=True, confirmed_ids=("ben",), pinned=Pin("ben", 1))
    assert after(asked, {"confirmed": True}, {"confirmed": True}).confirmed_ids == ("ben", "me")
    assert after(asked, {"pinned": False}).pinned is None
    assert after(asked, {"pinned": False}, {"pinned": True}).pinned == Pin("me", 5000)


def test_refused_changes_and_those_of_other_messages_show_nothing() -> None:
    refused = Edit("e", "l", EditKind.UPDATE, "Message", "m", {"text": "x"}, state=EditState.REFUSED)
    other = Edit("e", "l", EditKind.UPDATE, "Message", "n", {"text": "x"})
    made = Edit("m", "l", EditKind.CREATE, "Message", "m", {"text": "x"})
    assert with_changes([TEXT], [refused, other, made], "me") == [TEXT]
