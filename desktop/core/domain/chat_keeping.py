"""What hangs on conversations and people beside the messages: announcements, requests to join, scheduled messages, favorites, stickers. Times in ms."""

from enum import StrEnum
from typing import Any

import msgspec

from desktop.core.domain.chat_parts import Attachment, Card, Merged, MessageKind


class Announcement(msgspec.Struct, frozen=True, rename="camel"):
    """A group's announcement; the newest is the conversation's `announcement`. `read_ids`, `confirmed_ids`: who has."""

    id: str
    conversation_id: str
    text: str = ""
    title: str | None = None
    by_id: str | None = None
    at: int = 0
    must_confirm: bool = False
    read_ids: tuple[str, ...] = ()
    confirmed_ids: tuple[str, ...] = ()


class JoinState(StrEnum):
    """Where a request to join stands."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class JoinRequest(msgspec.Struct, frozen=True, rename="camel"):
    """`by_id` wants `person_id` (often the same) in the group; owner and admins decide."""

    id: str
    conversation_id: str
    person_id: str
    by_id: str | None = None
    text: str | None = None
    state: JoinState = JoinState.WAITING
    created_at: int = 0
    decided_by_id: str | None = None


class GroupCard(msgspec.Struct, frozen=True, rename="camel"):
    """What one is told of a group one is not in; `asked`: this user's request waits for an answer."""

    id: str
    name: str = ""
    member_count: int = 0
    is_member: bool = False
    asked: bool = False


class ScheduledState(StrEnum):
    """waiting for its time; sent; failed: see `reason`."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


class ScheduledMessage(msgspec.Struct, frozen=True, rename="camel"):
    """A message the server will send as this user at `send_at`. `message`: wire content as for a create. `pending`: not on the server yet."""

    id: str
    conversation_id: str
    message: dict[str, Any] = {}
    send_at: int = 0
    created_at: int = 0
    state: ScheduledState = ScheduledState.WAITING
    reason: str | None = None
    pending: bool = False

    @property
    def text(self) -> str:
        """What a list shows of it."""
        attachment = self.message.get("attachment")
        name = attachment.get("name", "") if isinstance(attachment, dict) else ""
        return str(self.message.get("text") or name)


class Favorite(msgspec.Struct, frozen=True, rename="camel"):
    """This user's own copy of a message; it stays when the message is recalled. `pending`: not on the server yet."""

    id: str
    kind: MessageKind = MessageKind.TEXT
    text: str = ""
    message_id: str | None = None
    conversation_id: str | None = None
    sender_id: str | None = None
    attachment: Attachment | None = None
    merged: Merged | None = None
    card: Card | None = None
    sent_at: int = 0
    code: bool = False
    language: str | None = None
    markdown: bool = False
    formatted: str | None = None
    sticker: str | None = None
    note: str | None = None
    tags: tuple[str, ...] = ()
    created_at: int = 0
    pending: bool = False


class Sticker(msgspec.Struct, frozen=True, rename="camel"):
    """One of this user's own stickers; `type`: the media type of its picture."""

    id: str
    blob_id: str
    type: str = "image/png"
    name: str | None = None
    order: int = 0
    created_at: int = 0
    pending: bool = False
