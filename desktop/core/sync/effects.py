"""What a message that came, or changed, changes in its conversation until the server's own version arrives. Pure; both stores use it."""

import msgspec

from desktop.core.domain import Conversation, LastMessage, Message, MessageKind


def with_message(conversation: Conversation, message: Message, me: str) -> Conversation:
    """`conversation` after `message`: preview, last seq and, for a colleague's unread one, the counts."""
    if message.seq <= conversation.last_seq:
        return conversation
    # Sending moves no read marker (docs/protocol.md): a guess that it did would swallow the marker the user sets next.
    news = counts(message, me) and message.seq > conversation.read_seq
    mentioned = news and names(message, me)
    return msgspec.structs.replace(
        conversation,
        last_seq=message.seq,
        last_message=preview(message),
        updated_at=max(conversation.updated_at, message.sent_at),
        unread_count=conversation.unread_count + news,
        mention_count=conversation.mention_count + mentioned,
    )


def with_changed(conversation: Conversation, message: Message) -> Conversation:
    """`conversation` after one of its messages changed in place: its last line. The counts come from the server alone: whether they know of it already
    cannot be told here."""
    last = conversation.last_message
    if last is None or last.id != message.id:
        return conversation
    line = preview(message)
    return conversation if line == last else msgspec.structs.replace(conversation, last_message=line)


def counts(message: Message, me: str) -> bool:
    """Whether a message is news to this user while he has not read it."""
    return message.sender_id != me and message.kind is not MessageKind.SYSTEM and message.recalled_at is None


def names(message: Message, me: str) -> bool:
    """Whether a message names this user."""
    return me in message.mentions or "all" in message.mentions


def preview(message: Message) -> LastMessage:
    """The conversation list's line for a message."""
    return LastMessage(
        message.id,
        message.seq,
        message.kind,
        _line(message)[:200],
        message.sent_at,
        message.sender_id,
        message.delivery,
        message.recalled_at,
        message.recalled_by_id,
        message.event,
    )


def _line(message: Message) -> str:
    """Its text, or what else names it."""
    if message.text or message.recalled_at is not None:
        return message.text
    if message.attachment is not None:
        return message.attachment.name
    if message.card is not None:
        return message.card.title
    if message.poll is not None:
        return message.poll.question
    if message.chain is not None:
        return message.chain.title
    return message.merged.title if message.merged is not None else ""
