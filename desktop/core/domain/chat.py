"""Conversations, members, messages, receipts. Order inside a conversation is `seq`; pending messages have seq 0 and stand last.

What messages may carry beside a text is in chat_parts.py, what hangs on conversations and people in chat_keeping.py.
"""

from enum import StrEnum

import msgspec

from desktop.core.domain.chat_parts import (
    Attachment,
    Card,
    Chain,
    ChainEntry,
    Merged,
    MessageKind,
    Pin,
    Poll,
    PollResult,
    SystemEvent,
)


class ConversationKind(StrEnum):
    """direct: two people; group: many; system: a sender of the office itself, read-only."""

    DIRECT = "direct"
    GROUP = "group"
    SYSTEM = "system"


class Delivery(StrEnum):
    """Where a message stands on its way: sent ones came back from the server."""

    SENT = "sent"
    PENDING = "pending"
    UPLOADING = "uploading"
    REFUSED = "refused"


class Notify(StrEnum):
    """What of a conversation pops up: everything, only what names this user, nothing."""

    ALL = "all"
    MENTIONS = "mentions"
    NONE = "none"


class JoinRule(StrEnum):
    """How people come into a group: asked in by a member (who may: `anyone_invites`), by asking and being approved, by owner and admins alone."""

    INVITE = "invite"
    APPROVE = "approve"
    ADMINS = "admins"


class LastMessage(msgspec.Struct, frozen=True, rename="camel"):
    """What the conversation list shows of the newest message."""

    id: str
    seq: int
    kind: MessageKind
    text: str
    sent_at: int
    sender_id: str | None = None
    delivery: Delivery = Delivery.SENT
    recalled_at: int | None = None
    recalled_by_id: str | None = None
    event: SystemEvent | None = None


class Conversation(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A conversation as this user sees it. Times in ms since 1970. `name` is filled by the core for direct ones too.

    Own, on all devices: `muted` `notify` `pinned` `folder` `hidden_at` `marked_unread` and the draft (`draft` its text, `draft_reply_to_id` what it quotes).
    Of groups: `join_rule` `anyone_pins` `anyone_invites` `muted_all`; `department_id`: membership follows the organisation; `dissolved_at`: read-only for good.
    """

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
    draft_reply_to_id: str | None = None
    draft_at: int = 0
    folder: str | None = None
    hidden_at: int | None = None
    marked_unread: bool = False
    notify: Notify = Notify.ALL
    join_rule: JoinRule = JoinRule.INVITE
    anyone_pins: bool = False
    anyone_invites: bool = True
    muted_all: bool = False
    department_id: str | None = None
    avatar_blob_id: str | None = None
    dissolved_at: int | None = None


class Member(msgspec.Struct, frozen=True, rename="camel"):
    """One person in one conversation; `role` is owner, admin or member. `muted_until`: may not write before (ms); `nickname`: the own name used here."""

    id: str
    conversation_id: str
    person_id: str
    role: str = "member"
    joined_at: int = 0
    muted_until: int | None = None
    nickname: str | None = None
    invited_by_id: str | None = None


class Message(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One message.

    Attributes:
        local_path: the file being sent, known on this device alone. refusal: the server's reason when refused.
        changing: changes of this user that the server has not confirmed (an edit, a recall, a reaction…) are shown already.
        recalled_at: taken back: text, attachment and all else are gone; `event`: what a system line tells, to be worded by the screen.
        confirmed_ids: who confirmed a `must_confirm` message. forwarded: it came from another conversation.
        code, language: the text is a block of code; markdown: it is read-only Markdown; formatted: safe HTML beside the plain text.
        sticker: one of the built-in set, which the client draws; one that it does not know is shown by its text.
        results: of a poll by option id; choice: this user's. entries: of a chain, in order.
    """

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
    changing: bool = False
    edited_at: int | None = None
    recalled_at: int | None = None
    recalled_by_id: str | None = None
    reactions: dict[str, tuple[str, ...]] = {}
    pinned: Pin | None = None
    must_confirm: bool = False
    confirmed_ids: tuple[str, ...] = ()
    forwarded: bool = msgspec.field(default=False, name="forwardedFrom")
    silent: bool = False
    auto: bool = False  # an absence reply
    code: bool = False
    language: str | None = None
    markdown: bool = False
    formatted: str | None = None
    event: SystemEvent | None = None
    merged: Merged | None = None
    poll: Poll | None = None
    results: dict[str, PollResult] = {}
    choice: tuple[str, ...] = ()
    chain: Chain | None = None
    entries: tuple[ChainEntry, ...] = ()
    sticker: str | None = None


class TextVersion(msgspec.Struct, frozen=True, rename="camel"):
    """What a message said until it was changed at `at` (ms)."""

    text: str
    at: int = 0


class Readers(msgspec.Struct, frozen=True):
    """Who of a conversation has read a message, who has not, who confirmed it: person ids; its sender is in none of them."""

    read: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()
    unconfirmed: tuple[str, ...] = ()


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
