"""What a message that just came changes in its conversation, until the server's own version arrives. Pure; both stores use it."""

import msgspec

from desktop.core.domain import Conversation, LastMessage, Message, MessageKind


def with_message(conversation: Conversation, message: Message, me: str) -> Conversation:
    """`conversation` after `message`: preview, last seq and, for a colleague's unread one, the counts."""
    if message.seq <= conversation.last_seq:
        return conversation
    # Sending moves no read marker (docs/protocol.md): a guess that it did would swallow the marker the user sets next.
    news = message.sender_id != me and message.kind is not MessageKind.SYSTEM and message.seq > conversation.read_seq
    mentioned = news and (me in message.mentions or "all" in message.mentions)
    return msgspec.structs.replace(
        conversation,
        last_seq=message.seq,
        last_message=preview(message),
        updated_at=max(conversation.updated_at, message.sent_at),
        unread_count=conversation.unread_count + news,
        mention_count=conversation.mention_count + mentioned,
    )


def preview(message: Message) -> LastMessage:
    """The conversation list's line for a message."""
    text = message.text or (message.attachment.name if message.attachment else "")
    return LastMessage(
        message.id, message.seq, message.kind, text[:200], message.sent_at, message.sender_id, message.delivery
    )
