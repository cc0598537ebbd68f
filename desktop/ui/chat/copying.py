"""What of a talk goes to the clipboard, plain and as HTML. Loaded when something is first copied."""

from collections.abc import Sequence

from PySide6.QtCore import QMimeData

from desktop.core.domain import Message
from desktop.ui.chat.clipboard_html import clipboard_data, plain_html, row_html
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.flow import RowFlow
from desktop.ui.chat.selection import Selection
from desktop.ui.chat.spoken_line import heading
from desktop.ui.chat.summaries import summary

Piece = tuple[Message, str, str]
"""A message, and what of it is copied: plain and as HTML."""


class Copier:
    """The copies of one view."""

    def __init__(self, selection: Selection, flow: RowFlow, context: TalkContext) -> None:
        self._selection, self._flow, self._context = selection, flow, context

    def selected_text(self) -> str:
        """The selected text; over several messages each part stands under a line with its sender and time."""
        return self._joined(self._selected())[0]

    def selected_data(self) -> QMimeData | None:
        """The selected text for the clipboard, plain and as HTML; None when there is none."""
        parts = self._selected()
        return clipboard_data(*self._joined(parts)) if parts else None

    def messages_data(self, messages: Sequence[Message], rows: Sequence[int]) -> QMimeData:
        """Whole messages for the clipboard; `rows` are their numbers, -1 for what is not held any more."""
        return clipboard_data(*self._joined([self._whole(*one) for one in zip(messages, rows, strict=True)]))

    def _selected(self) -> list[Piece]:
        parts: list[Piece] = []
        for number in self._selection.rows():
            row = self._flow.layout(number)
            stretch = self._selection.of(number, row.length)
            piece = row.copied(*stretch) if stretch else ""
            if piece and stretch:
                parts.append((row.message, piece, row_html(row, *stretch)))
        return parts

    def _whole(self, message: Message, number: int) -> Piece:
        row = self._flow.layout(number) if number >= 0 else None
        if row is not None and row.layout is not None:
            return message, message.text, row_html(row, 0, row.length)
        said = summary(message, self._context.people)
        return message, said, plain_html(said)

    def _joined(self, parts: Sequence[Piece]) -> tuple[str, str]:
        """One piece stands alone; over several messages each stands under a line with its sender and time."""
        if len(parts) == 1:
            return parts[0][1], parts[0][2]
        lines = [(heading(message, self._context), plain, html) for message, plain, html in parts]
        text = "\n".join(f"{line}\n{plain}" for line, plain, _ in lines)
        return text, "".join(f"<p><b>{line}</b><br>{html}</p>" for line, _, html in lines)
