"""Finding and marking in a text that Qt lays out: the search goes piece by piece, places count as Qt counts them (UTF-16)."""

from __future__ import annotations

from bisect import bisect_left

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from desktop.ui import theme
from desktop.ui.reader.search_run import Hit
from desktop.ui.reader.text_search import FoldedText, Span

PIECE = 16_000
"""Characters put in or searched at once: some milliseconds."""
MOST_MARKS = 1000


def pieces(text: str) -> list[tuple[int, str]]:
    """The text cut at line ends into pieces of bounded size, each with its place; a line longer than that is cut anyway."""
    found: list[tuple[int, str]] = []
    start = 0
    while start < len(text):
        end = min(start + PIECE, len(text))
        line_end = text.rfind("\n", start, end) + 1
        if end < len(text) and line_end > start:
            end = line_end
        found.append((start, text[start:end]))
        start = end
    return found


class TextMarks:
    """The text of one view, searched and marked."""

    def __init__(self, view: QPlainTextEdit | QTextEdit) -> None:
        self._view = view
        self.pieces: list[tuple[int, str]] = []
        self._folded: dict[int, FoldedText] = {}
        self._wide: list[int] = []

    def set_text(self, text: str) -> None:
        """Another text."""
        self.pieces, self._folded = pieces(text), {}
        self._wide = [] if text.isascii() else [place for place, one in enumerate(text) if ord(one) > 0xFFFF]

    def find_in(self, part: int, needle: str) -> list[Span]:
        """Hits in one piece, at places of the whole text."""
        start, text = self.pieces[part]
        if part not in self._folded:
            self._folded[part] = FoldedText(text)
        return [Span(start + hit.start, hit.length) for hit in self._folded[part].find_all(needle)]

    def mark(self, hits: list[Hit], current: Hit | None) -> None:
        """Marks the hits around the current one and shows it."""
        middle = hits.index(current) if current in hits else 0
        first = max(0, middle - MOST_MARKS // 2)
        marks = [self._mark(hit, hit == current) for hit in hits[first : first + MOST_MARKS]]
        self._view.setExtraSelections([mark for mark in marks if mark])
        if current is not None and not self._view.document().isEmpty():
            self._reveal(current)

    def _place(self, index: int) -> int:
        """Where Qt has the character `index`: characters beyond U+FFFF count twice there."""
        return index + bisect_left(self._wide, index)

    def _mark(self, hit: Hit, current: bool) -> QTextEdit.ExtraSelection | None:
        start, end = self._place(hit.span.start), self._place(hit.span.start + hit.span.length)
        if end > self._view.document().characterCount() - 1:
            return None
        mark = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self._view.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        look = QTextCharFormat()
        color = QColor(theme.tokens().away)
        color.setAlpha(220 if current else 90)
        look.setBackground(color)
        mark.cursor, mark.format = cursor, look
        return mark

    def _reveal(self, hit: Hit) -> None:
        cursor = QTextCursor(self._view.document())
        cursor.setPosition(min(self._place(hit.span.start), self._view.document().characterCount() - 1))
        self._view.setTextCursor(cursor)
        self._view.ensureCursorVisible()
