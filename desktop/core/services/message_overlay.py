"""Messages as they look after the changes the outbox still holds: edits, recalls, reactions, pins, confirmations, votes, entries. Pure."""

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from desktop.core.domain import ChainEntry, Message, Pin, PollResult
from desktop.core.sync.outbox import Edit, EditKind, EditState

REACTIONS: Final = "reactions/"


def changes_of(edits: Iterable[Edit]) -> dict[str, list[Edit]]:
    """Pending changes of messages, by message, in order."""
    found: dict[str, list[Edit]] = {}
    for edit in edits:
        if edit.type_name == "Message" and edit.kind is EditKind.UPDATE and edit.state is EditState.PENDING:
            found.setdefault(edit.object_id, []).append(edit)
    return found


def with_changes(messages: Iterable[Message], edits: Iterable[Edit], me: str) -> list[Message]:
    """`messages` after the pending changes among `edits`."""
    changes = changes_of(edits)
    if not changes:
        return list(messages)
    return [changed(message, changes[message.id], me) if message.id in changes else message for message in messages]


def changed(message: Message, edits: Iterable[Edit], me: str) -> Message:
    """One message after these changes of it."""
    for edit in edits:
        message = _after(message, edit, me)
    return message


def recalled(message: Message, at: int, by: str) -> Message:
    """What is left of a message that was taken back."""
    return Message(
        message.id,
        message.conversation_id,
        message.kind,
        seq=message.seq,
        sender_id=message.sender_id,
        sent_at=message.sent_at,
        delivery=message.delivery,
        recalled_at=at,
        recalled_by_id=by,
    )


def reaction_key(emoji: str) -> str:
    """The patch property of this user's own reaction (a JSON pointer, RFC 6901)."""
    return REACTIONS + emoji.replace("~", "~0").replace("/", "~1")


def _after(message: Message, edit: Edit, me: str) -> Message:
    patch, at = edit.payload, edit.created_at
    if patch.get("recalled"):
        return msgspec.structs.replace(recalled(message, at, me), changing=True)
    now: dict[str, Any] = {"changing": True}
    if "text" in patch:
        now |= {"text": patch["text"], "mentions": tuple(patch.get("mentions", ())), "edited_at": at}
        now["formatted"] = patch.get("formatted")
    if "pinned" in patch:
        now["pinned"] = Pin(me, at) if patch["pinned"] else None
    if patch.get("confirmed") and me not in message.confirmed_ids:
        now["confirmed_ids"] = (*message.confirmed_ids, me)
    if "choice" in patch:
        now |= {"choice": tuple(patch["choice"]), "results": _results(message, set(patch["choice"]), me)}
    if patch.get("close") and message.poll is not None:
        now["poll"] = msgspec.structs.replace(message.poll, closed_at=at)
    if "entry" in patch:
        now["entries"] = _entries(message, patch["entry"], me, at)
    reactions = {key: on for key, on in patch.items() if key.startswith(REACTIONS)}
    if reactions:
        now["reactions"] = _reactions(message.reactions, reactions, me)
    return msgspec.structs.replace(message, **now)


def _reactions(held: dict[str, tuple[str, ...]], patch: dict[str, bool | None], me: str) -> dict[str, tuple[str, ...]]:
    found = dict(held)
    for key, on in patch.items():
        emoji = key.removeprefix(REACTIONS).replace("~1", "/").replace("~0", "~")
        people = found.get(emoji, ())
        if on and me not in people:
            people = (*people, me)
        elif not on:
            people = tuple(person for person in people if person != me)
        if people:
            found[emoji] = people
        else:
            found.pop(emoji, None)
    return found


def _results(message: Message, chosen: set[str], me: str) -> dict[str, PollResult]:
    if message.poll is None:
        return message.results
    before = set(message.choice)
    found: dict[str, PollResult] = {}
    for option in message.poll.options:
        held = message.results.get(option.id, PollResult())
        count = max(0, held.count - (option.id in before) + (option.id in chosen))
        people = tuple(person for person in held.person_ids if person != me)
        if option.id in chosen and not message.poll.anonymous:
            people = (*people, me)
        if count:
            found[option.id] = PollResult(count, people)
    return found


def _entries(message: Message, text: str | None, me: str, at: int) -> tuple[ChainEntry, ...]:
    """An own line that is there keeps its place."""
    if not text:
        return tuple(entry for entry in message.entries if entry.person_id != me)
    line = ChainEntry(me, text, at)
    if any(entry.person_id == me for entry in message.entries):
        return tuple(line if entry.person_id == me else entry for entry in message.entries)
    return (*message.entries, line)
