"""Conversations, members, messages, receipts. Order inside a conversation is `seq`; pending messages have seq 0 and stand last."""

from enum import StrEnum

import msgspec


class ConversationKind(StrEnum):
    """direct: two people; group: many; system: a sender of the office itself, read-only."""

    DIRECT = "direct"
    GROUP = "group"
    SYSTEM = "system"


class MessageKind(StrEnum):
    """What a message is."""

    TEXT = "text"
    EMOJI = "emoji"
    PICTURE = "picture"
    FILE = "file"
    SYSTEM = "system"


class Delivery(StrEnum):
    """Where a message stands on its way: sent ones came back from the server."""

    SENT = "sent"
    PENDING = "pending"
    UPLOADING = "uploading"
    REFUSED = "refused"


class Attachment(msgspec.Struct, frozen=True, rename="camel"):
    """A file in a message or record; `size` in bytes, pictures have `width` and `height` in pixels."""

    blob_id: str
    name: str
    type: str = "application/octet-stream"
    size: int = 0
    width: int | None = None
    height: int | None = None


class Card(msgspec.Struct, frozen=True, rename="camel"):
    """A message's link to an office record."""

    type: str
    id: str
    title: str = ""


class LastMessage(msgspec.Struct, frozen=True, rename="camel"):
    """What the conversation list shows of the newest message."""

    id: str
    seq: int
    kind: MessageKind
    text: str
    sent_at: int
    sender_id: str | None = None
    delivery: Delivery = Delivery.SENT


class Conversation(msgspec.Struct, frozen=True, rename="camel"):
    """A conversation as this user sees it. Times in ms since 1970. `name` is filled by the core for direct ones too."""

    id: str
    kind: ConversationKind
    name: str = ""
    peer_id: str | None = None
    member_count: int = 0
    last_seq: int = 0
    read_seq: int = 0
    unread_count: int = 0
    mention_count: int = 0
    last_message: LastMessage | None = None
    muted: bool = False
    pinned: bool = False
    announcement: str | None = None
    draft: str = ""
    updated_at: int = 0


class Member(msgspec.Struct, frozen=True, rename="camel"):
    """One person in one conversation; `role` is owner, admin or member."""

    id: str
    conversation_id: str
    person_id: str
    role: str = "member"
    joined_at: int = 0


class Message(msgspec.Struct, frozen=True, rename="camel"):
    """One message. `local_path`: the file being sent, known on this device alone. `refusal`: the server's reason when refused."""

    id: str
    conversation_id: str
    kind: MessageKind
    text: str = ""
    seq: int = 0
    sender_id: str | None = None
    sent_at: int = 0
    mentions: tuple[str, ...] = ()
    reply_to_id: str | None = None
    attachment: Attachment | None = None
    card: Card | None = None
    delivery: Delivery = Delivery.SENT
    local_path: str | None = None
    refusal: str | None = None


class MessagePage(msgspec.Struct, frozen=True):
    """A contiguous run of messages, oldest first; pending ones last."""

    messages: tuple[Message, ...]
    has_older: bool = False
    has_newer: bool = False


class Receipt(msgspec.Struct, frozen=True, rename="camel"):
    """How far one member has read one conversation."""

    id: str
    conversation_id: str
    person_id: str
    read_seq: int = 0
    read_at: int = 0
