"""What may be done with a message or a group: for buttons and menus; the server decides. Pure. Times in ms since 1970."""

from typing import Final

import msgspec

from desktop.core.domain.chat import Conversation, ConversationKind, Delivery, Member, Message
from desktop.core.domain.chat_parts import MessageKind

LEADING: Final = frozenset({"owner", "admin"})
FORWARDABLE: Final = frozenset(MessageKind) - {
    MessageKind.SYSTEM,
    MessageKind.SHAKE,
    MessageKind.POLL,
    MessageKind.CHAIN,
}


class ChatPolicy(msgspec.Struct, frozen=True, rename="camel"):
    """The server's limits: seconds in which an own text may be changed and an own message recalled; `max_voice_ms` of a voice message."""

    edit_within: int = 86_400
    recall_within: int = 120
    max_voice_ms: int = 120_000


def is_sent(message: Message) -> bool:
    """Whether the server has it, whole."""
    return message.delivery is Delivery.SENT and message.recalled_at is None


def may_edit(message: Message, me: str, now: int, policy: ChatPolicy) -> bool:
    """Whether this user may change the text."""
    mine = message.sender_id == me and message.kind is MessageKind.TEXT
    return mine and is_sent(message) and now - message.sent_at <= policy.edit_within * 1000


def may_recall(message: Message, me: str, role: str, now: int, policy: ChatPolicy) -> bool:
    """Whether this user may take it back; `role`: his in a group, "" in a direct conversation."""
    if not is_sent(message) or message.kind is MessageKind.SYSTEM:
        return False
    return role in LEADING or (message.sender_id == me and now - message.sent_at <= policy.recall_within * 1000)


def may_pin(conversation: Conversation, role: str) -> bool:
    """Whether this user may pin messages here."""
    if conversation.kind is ConversationKind.DIRECT:
        return True
    group = conversation.kind is ConversationKind.GROUP and conversation.dissolved_at is None
    return group and (role in LEADING or conversation.anyone_pins)


def may_write(conversation: Conversation, mine: Member | None, now: int) -> bool:
    """Whether this user may send here now."""
    if conversation.kind is ConversationKind.SYSTEM or conversation.dissolved_at is not None:
        return False
    if mine is None or mine.role in LEADING:
        return True
    return not conversation.muted_all and (mine.muted_until is None or mine.muted_until <= now)


def may_invite(conversation: Conversation, role: str) -> bool:
    """Whether this user may ask people in."""
    if conversation.kind is not ConversationKind.GROUP or conversation.department_id is not None:
        return False
    free = conversation.anyone_invites and conversation.join_rule != "admins"
    return conversation.dissolved_at is None and (role in LEADING or free)


def may_forward(message: Message) -> bool:
    """Whether its content can go elsewhere."""
    return is_sent(message) and message.kind in FORWARDABLE


def must_confirm(message: Message, me: str) -> bool:
    """Whether it waits for this user's confirmation."""
    waits = message.must_confirm and message.recalled_at is None and message.seq > 0
    return waits and message.sender_id != me and me not in message.confirmed_ids
