"""The selected text of a talk, as it goes to the clipboard and as a screen reader says it."""

from collections.abc import Sequence

from PySide6.QtCore import QMimeData

from desktop.core.domain import Message
from desktop.ui.chat import text as words
from desktop.ui.chat.clipboard_html import clipboard_data, row_html
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.flow import RowFlow
from desktop.ui.chat.selection import Selection
from desktop.ui.chat.summaries import summary
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
    return f"{heading(message, context)} {words.one_line(said or summary(message, context.people), 400)}"


Piece = tuple[Message, str, str]
"""A message, and what of it is copied: plain and as HTML."""


def _selected(selection: Selection, flow: RowFlow) -> list[Piece]:
    parts: list[Piece] = []
    for number in selection.rows():
        row = flow.layout(number)
        stretch = selection.of(number, row.length)
        piece = row.copied(*stretch) if stretch else ""
        if piece and stretch:
            parts.append((row.message, piece, row_html(row, *stretch)))
    return parts


def _joined(parts: Sequence[Piece], context: TalkContext) -> tuple[str, str]:
    """One piece stands alone; over several messages each stands under a line with its sender and time."""
    if len(parts) == 1:
        return parts[0][1], parts[0][2]
    text = "\n".join(f"{heading(message, context)}\n{piece}" for message, piece, _ in parts)
    html = "".join(f"<p><b>{heading(message, context)}</b><br>{piece}</p>" for message, _, piece in parts)
    return text, html


def selected_text(selection: Selection, flow: RowFlow, context: TalkContext) -> str:
    """The selected text; over several messages each part stands under a line with its sender and time."""
    return _joined(_selected(selection, flow), context)[0]


def selected_data(selection: Selection, flow: RowFlow, context: TalkContext) -> QMimeData | None:
    """The selected text for the clipboard, plain and as HTML; None when there is none."""
    parts = _selected(selection, flow)
    return clipboard_data(*_joined(parts, context)) if parts else None


def messages_data(messages: Sequence[Message], flow: RowFlow, context: TalkContext, rows: Sequence[int]) -> QMimeData:
    """Whole messages for the clipboard; `rows` are their numbers, -1 for what is not held any more."""
    parts: list[Piece] = []
    for message, number in zip(messages, rows, strict=True):
        row = flow.layout(number) if number >= 0 else None
        if row is not None and row.layout is not None:
            parts.append((message, message.text, row_html(row, 0, row.length)))
        else:
            said = summary(message, context.people)
            parts.append((message, said, said))
    return clipboard_data(*_joined(parts, context))
