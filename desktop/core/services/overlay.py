"""What the user sees: the confirmed state with the outbox's edits laid over it. Pure. When an edit is refused its layer simply goes."""

import copy
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from desktop.core.clock import parse_utc_date
from desktop.core.domain import (
    Attachment,
    Card,
    Conversation,
    Delivery,
    JoinRule,
    LastMessage,
    Member,
    Message,
    MessageKind,
    Notify,
)
from desktop.core.protocol.objects import object_of
from desktop.core.services import message_overlay
from desktop.core.sync.effects import preview
from desktop.core.sync.outbox import Edit, EditKind, EditState


def pending_message(edit: Edit, me: str) -> Message:
    """The message an edit of the outbox will become."""
    payload = edit.payload
    delivery = Delivery.UPLOADING if edit.upload else Delivery.PENDING
    attachment = payload.get("attachment")
    plain = Message(
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
    if edit.shown is None and _RICH.isdisjoint(payload):
        return plain
    return msgspec.structs.replace(plain, **_rich(payload, edit.shown or {}))


_RICH: Final = frozenset(
    {"mustConfirm", "silent", "code", "language", "markdown", "formatted", "forwardedFrom", "poll", "chain", "sticker"}
)


def _rich(payload: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """What few messages have, read as a server would tell it."""
    held = copy.deepcopy({**{key: payload[key] for key in _RICH & payload.keys()}, **shown})  # reading takes it apart
    read = object_of("Message", {"id": "x", "conversationId": "", "kind": "text", "seq": 1, **held}, "")
    return {name: getattr(read, name) for name in _RICH_FIELDS}


_RICH_FIELDS: Final = (
    *("must_confirm", "silent", "code", "language", "markdown", "formatted"),
    *("forwarded", "poll", "chain", "merged", "sticker"),
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
    last: list[Edit] = []
    for edit in edits:
        if edit.type_name == "Conversation" and edit.object_id == conversation.id and edit.kind is EditKind.UPDATE:
            changed |= _patched(conversation, edit.payload, quiet_after)
        elif is_message(edit) and edit.payload.get("conversationId") == conversation.id:
            newest = edit
        elif conversation.last_message is not None and edit.object_id == conversation.last_message.id:
            last.append(edit)
    if last:
        changed |= _changed_line(conversation, last, me)
    if newest is not None:
        changed["last_message"] = _line(newest, me)
        changed["updated_at"] = max(conversation.updated_at, newest.created_at)
    return msgspec.structs.replace(conversation, **changed) if changed else conversation


def _changed_line(conversation: Conversation, edits: list[Edit], me: str) -> dict[str, Any]:
    """The last line after pending changes of its message."""
    last = conversation.last_message
    if last is None:
        return {}
    shown = Message(last.id, conversation.id, last.kind, last.text, last.seq, last.sender_id, last.sent_at)
    for edit in message_overlay.changes_of(edits).get(last.id, ()):
        if edit.payload.keys() & {"text", "recalled"}:
            shown = message_overlay.changed(shown, [edit], me)
    if not shown.changing:
        return {}
    return {"last_message": preview(shown)}


def _line(edit: Edit, me: str) -> LastMessage:
    return preview(pending_message(edit, me))


def _patched(conversation: Conversation, patch: dict[str, Any], quiet_after: QuietAfter) -> dict[str, Any]:
    changed: dict[str, Any] = {field: patch[key] for key, field in _PLAIN.items() if key in patch}
    if "muted" in patch:
        changed["notify"] = Notify.NONE if patch["muted"] else Notify.ALL
    if "notify" in patch:
        changed |= {"notify": Notify(patch["notify"]), "muted": patch["notify"] == Notify.NONE}
    if "joinRule" in patch:
        changed["join_rule"] = JoinRule(patch["joinRule"])
    if "hiddenAt" in patch:
        changed["hidden_at"] = None if patch["hiddenAt"] is None else parse_utc_date(patch["hiddenAt"])
    if "draft" in patch:
        draft = patch["draft"] or {}
        changed |= {"draft": draft.get("text", ""), "draft_reply_to_id": draft.get("replyToId")}
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


_PLAIN: Final = {
    "muted": "muted",
    "pinned": "pinned",
    "name": "name",
    "folder": "folder",
    "markedUnread": "marked_unread",
    "anyonePins": "anyone_pins",
    "anyoneInvites": "anyone_invites",
    "mutedAll": "muted_all",
    "avatarBlobId": "avatar_blob_id",
}
"""Properties that are shown as they are written."""


def members_with_edits(members: list[Member], edits: Iterable[Edit], conversation_id: str) -> list[Member]:
    """Members after the pending changes of roles, mutes and nicknames, those who are asked in or sent away included."""
    found = {member.id: member for member in members}
    for edit in edits:
        if edit.type_name != "Member" or edit.state is EditState.REFUSED:
            continue
        held = found.get(edit.object_id)
        if edit.kind is EditKind.DESTROY:
            found.pop(edit.object_id, None)
        elif edit.kind is EditKind.CREATE and held is None:
            person = str(edit.payload["personId"])
            found[edit.object_id] = Member(edit.object_id, conversation_id, person, joined_at=edit.created_at)
        elif edit.kind is EditKind.UPDATE and held is not None:
            if edit.payload.get("role") == "owner":  # there is one owner: the other one steps down
                found |= {one.id: msgspec.structs.replace(one, role="member") for one in members if one.role == "owner"}
            found[edit.object_id] = _member(held, edit.payload)
    return list(found.values())


def _member(member: Member, patch: dict[str, Any]) -> Member:
    changed: dict[str, Any] = {key: patch[key] for key in ("role", "nickname") if key in patch}
    if "mutedUntil" in patch:
        changed["muted_until"] = None if patch["mutedUntil"] is None else parse_utc_date(patch["mutedUntil"])
    return msgspec.structs.replace(member, **changed)


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
