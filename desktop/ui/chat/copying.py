"""The selected text of a talk, as it goes to the clipboard and as a screen reader says it."""

from desktop.core.domain import Message
from desktop.ui.chat import text as words
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.flow import RowFlow
from desktop.ui.chat.rows import summary
from desktop.ui.chat.selection import Selection
from desktop.ui.i18n import when
from desktop.ui.kit import conversation_name


def heading(message: Message, context: TalkContext) -> str:
    """Who wrote it, and when."""
    name = context.people.name(message.sender_id)
    if not name and context.conversation is not None:
        name = conversation_name(context.conversation)
    return f"{name} {when.date_time(message.sent_at)}"


def spoken(message: Message, context: TalkContext) -> str:
    """A message in one line: who, when, what."""
    face = context.face(message.card) if message.card is not None and context.live_cards else None
    said = ", ".join(part for part in (face.kind, face.title, face.state) if part) if face is not None else ""
    return f"{heading(message, context)} {words.one_line(said or summary(message), 400)}"


def selected_text(selection: Selection, flow: RowFlow, context: TalkContext) -> str:
    """The selected text; over several messages each part stands under a line with its sender and time."""
    parts: list[tuple[Message, str]] = []
    for number in selection.rows():
        row = flow.layout(number)
        stretch = selection.of(number, row.length)
        piece = row.copied(*stretch) if stretch else ""
        if piece:
            parts.append((row.message, piece))
    if len(parts) == 1:
        return parts[0][1]
    return "\n".join(f"{heading(message, context)}\n{piece}" for message, piece in parts)
