"""A message in one line, as a screen reader says it: who, when, what."""

from desktop.core.domain import Message
from desktop.ui.chat import text as words
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.summaries import summary
from desktop.ui.i18n import when
from desktop.ui.kit import conversation_name

NO_RECORDS = frozenset({"Person", "Conversation"})  # their cards say all there is to say


def heading(message: Message, context: TalkContext) -> str:
    """Who wrote it, and when."""
    name = context.people.name(message.sender_id)
    if not name and context.conversation is not None:
        name = conversation_name(context.conversation)
    return f"{name} {when.date_time(message.sent_at)}"


def spoken(message: Message, context: TalkContext) -> str:
    """A message in one line: who, when, what."""
    card = message.card if message.card is not None and message.card.type not in NO_RECORDS else None
    face = context.face(card) if card is not None and context.live_cards else None
    said = ", ".join(part for part in (face.kind, face.title, face.state) if part) if face is not None else ""
    return f"{heading(message, context)} {words.one_line(said or summary(message, context.people), 400)}"
