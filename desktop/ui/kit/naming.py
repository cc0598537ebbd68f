"""What conversations and people are called on the screen. Names of the office's own senders come over the wire as keys."""

from desktop.core.domain import Conversation, ConversationKind, Presence
from desktop.ui.i18n import has, tr

_ICONS = {"notices": "megaphone-fill", "alerts": "bell-fill", "process": "flow-arrow-fill"}


def conversation_name(conversation: Conversation) -> str:
    """The name as users know it: a system sender's in their language, every other as it is."""
    key = f"chat.system.{conversation.name}"
    return tr(key) if conversation.kind is ConversationKind.SYSTEM and has(key) else conversation.name


def person_tip(name: str, presence: Presence, says: str) -> str:
    """Somebody under the pointer: whether he is there, and what he says of it."""
    return " · ".join(part for part in (name, tr(f"presence.{presence.value}"), says) if part)


def conversation_icon(conversation: Conversation) -> str:
    """The glyph in a system sender's avatar; empty where the initial stands."""
    return _ICONS.get(conversation.name, "") if conversation.kind is ConversationKind.SYSTEM else ""
