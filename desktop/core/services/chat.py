"""Verbs of conversations and messages, in layers: reading, what is this user's own, sending, changes of messages, groups, what one keeps.

Everything the user writes goes through the outbox and shows at once; everything shown comes from the store. One class for each layer: chat_reading.py,
chat_own.py, chat_sending.py, chat_acts.py, chat_groups.py, chat_keeping.py.
"""

from desktop.core.services.chat_keeping import ChatKeeping
from desktop.core.services.chat_reading import Anchor

__all__ = ["Anchor", "ChatService"]


class ChatService(ChatKeeping):
    """All of talking."""
