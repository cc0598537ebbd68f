"""What the user sees: the confirmed state with the outbox's edits laid over it. Pure. When an edit is refused its layer simply goes."""

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from desktop.core.domain import Attachment, Card, Conversation, Delivery, LastMessage, Message, MessageKind
from desktop.core.sync.effects import preview
from desktop.core.sync.outbox import Edit, EditKind, EditState


def pending_message(edit: Edit, me: str) -> Message:
    """The message an edit of the outbox will become."""
    payload = edit.payload
    delivery = Delivery.UPLOADING if edit.upload else Delivery.PENDING
    attachment = payload.get("attachment")
    return Message(
        id=edit.object_id,
        conversation_id=str(payload["conversationId"]),
        kind=MessageKind(payload["kind"]),
        text=str(payload.get("text", "")),
        sender_id=me,
        sent_at=edit.created_at,
        mentions=tuple(payload.get("mentions", ())),
        reply_to_id=payload.get("replyToId"),
        attachment=None if attachment is None else msgspec.convert({"blobId": "", **attachment}, Attachment),
        delivery=Delivery.REFUSED if edit.state is EditState.REFUSED else delivery,
        card=None if payload.get("card") is None else msgspec.convert(payload["card"], Card),
        local_path=edit.local_path,
        refusal=edit.code,
    )


def is_message(edit: Edit) -> bool:
    """Whether the edit is a message being sent."""
    return edit.type_name == "Message" and edit.kind is EditKind.CREATE


def pending_messages(edits: Iterable[Edit], conversation_id: str, me: str) -> list[Message]:
    """Messages of a conversation that are still on their way, in order."""
    return [
        pending_message(edit, me)
        for edit in edits
        if is_message(edit) and edit.payload.get("conversationId") == conversation_id
    ]


QuietAfter = Callable[[str, int], int]
"""(conversation, seq) → how many of the messages held after `seq` count for nobody's unread: this user's own, the system's."""


def with_edits(conversation: Conversation, edits: Iterable[Edit], me: str, quiet_after: QuietAfter) -> Conversation:
    """`conversation` as it looks after the pending edits that touch it."""
    changed: dict[str, Any] = {}
    newest: Edit | None = None
    for edit in edits:
        if edit.type_name == "Conversation" and edit.object_id == conversation.id and edit.kind is EditKind.UPDATE:
            changed |= _patched(conversation, edit.payload, quiet_after)
        elif is_message(edit) and edit.payload.get("conversationId") == conversation.id:
            newest = edit
    if newest is not None:
        changed["last_message"] = _line(newest, me)
        changed["updated_at"] = max(conversation.updated_at, newest.created_at)
    return msgspec.structs.replace(conversation, **changed) if changed else conversation


def _line(edit: Edit, me: str) -> LastMessage:
    return preview(pending_message(edit, me))


def _patched(conversation: Conversation, patch: dict[str, Any], quiet_after: QuietAfter) -> dict[str, Any]:
    changed: dict[str, Any] = {key: patch[key] for key in ("muted", "pinned", "name") if key in patch}
    if "announcement" in patch:
        text = patch["announcement"]
        changed["announcement"] = text.get("text") if isinstance(text, dict) else text
    read = patch.get("readSeq")
    if isinstance(read, int) and read > conversation.read_seq:
        rest = min(conversation.unread_count, conversation.last_seq - read)
        if rest > 0:
            rest -= min(rest, quiet_after(conversation.id, read))
        rest = max(0, rest)
        changed |= {"read_seq": read, "unread_count": rest}
        if rest == 0:
            changed["mention_count"] = 0
    return changed


def created_conversation(edit: Edit, me: str) -> Conversation | None:
    """A conversation that exists in the outbox alone."""
    if edit.type_name != "Conversation" or edit.kind is not EditKind.CREATE or edit.state is EditState.REFUSED:
        return None
    data = {"id": edit.object_id, "kind": edit.payload["kind"], "updatedAt": edit.created_at}
    members = [str(person) for person in edit.payload.get("memberIds", ())]
    if edit.payload["kind"] == "direct":
        data |= {"peerId": next((person for person in members if person != me), me), "memberCount": 2}
    else:
        data |= {"name": edit.payload.get("name", ""), "memberCount": len({*members, me})}
    return msgspec.convert(data, Conversation)
