"""What a message that just came changes in its conversation, until the server's own version arrives. Pure; both stores use it."""

import msgspec

from desktop.core.domain import Conversation, LastMessage, Message


def with_message(conversation: Conversation, message: Message, me: str) -> Conversation:
    """`conversation` after `message`: preview, last seq and, for a colleague's unread one, the counts."""
    if message.seq <= conversation.last_seq:
        return conversation
    unread = message.sender_id != me and message.seq > conversation.read_seq
    mentioned = unread and (me in message.mentions or "all" in message.mentions)
    mine = message.sender_id == me
    return msgspec.structs.replace(
        conversation,
        last_seq=message.seq,
        last_message=preview(message),
        updated_at=max(conversation.updated_at, message.sent_at),
        unread_count=0 if mine else conversation.unread_count + unread,
        mention_count=0 if mine else conversation.mention_count + mentioned,
        read_seq=message.seq if mine else conversation.read_seq,
    )


def preview(message: Message) -> LastMessage:
    """The conversation list's line for a message."""
    text = message.text or (message.attachment.name if message.attachment else "")
    return LastMessage(
        message.id, message.seq, message.kind, text[:200], message.sent_at, message.sender_id, message.delivery
    )
