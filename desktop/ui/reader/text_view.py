"""Shows a text file: read only, searched, zoomed, copied where allowed. Long ones are filled in piece by piece between frames."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QTextCharFormat, QTextCursor, QWheelEvent
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from desktop.ui import theme
from desktop.ui.reader.search_run import Hit
from desktop.ui.reader.text_search import FoldedText, Span
from desktop.ui.reader.watermark import paint_watermark
from desktop.ui.reader.zoom import clamp, step
from desktop.ui.theme.tokens import FONT_SIZES

PIECE = 16_000
"""Characters put in at once: some milliseconds."""
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


class TextView(QPlainTextEdit):
    """The text on the page's surface."""

    zoom_changed = Signal()
    copy_refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.may_copy = True
        self.watermark = ""
        self.factor = 1.0
        self._pieces: list[tuple[int, str]] = []
        self._folded: dict[int, FoldedText] = {}
        self._filled = 0
        self.setReadOnly(True)
        self.setUndoRedoEnabled(False)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._filling = QTimer(self, interval=0)
        self._filling.timeout.connect(self._fill)
        theme.changed.connect(self._apply_font)
        self._apply_font()

    def show_text(self, text: str) -> None:
        """Shows another text from its beginning."""
        self.clear()
        self._pieces, self._folded, self._filled = pieces(text), {}, 0
        self._fill()
        self._filling.start()

    @property
    def filled(self) -> bool:
        """Whether the whole text is in."""
        return self._filled >= len(self._pieces)

    def _fill(self) -> None:
        if self.filled:
            self._filling.stop()
            return
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(self._pieces[self._filled][1])
        self._filled += 1

    # ---- search
    @property
    def parts(self) -> int:
        """How many pieces a search goes through."""
        return len(self._pieces)

    def find_in(self, part: int, needle: str) -> list[Span]:
        """Hits in one piece, at places of the whole text."""
        start, text = self._pieces[part]
        if part not in self._folded:
            self._folded[part] = FoldedText(text)
        return [Span(start + hit.start, hit.length) for hit in self._folded[part].find_all(needle)]

    def set_marks(self, hits: list[Hit], current: Hit | None) -> None:
        """Marks the hits around the current one and shows it."""
        middle = hits.index(current) if current in hits else 0
        first = max(0, middle - MOST_MARKS // 2)
        marks = [self._mark(hit, hit == current) for hit in hits[first : first + MOST_MARKS]]
        self.setExtraSelections([mark for mark in marks if mark])
        if current is not None and not self.document().isEmpty():
            self._reveal(current)

    def _mark(self, hit: Hit, current: bool) -> QTextEdit.ExtraSelection | None:
        end = self.document().characterCount() - 1
        if hit.span.start + hit.span.length > end:
            return None
        mark = QTextEdit.ExtraSelection()
        cursor = QTextCursor(self.document())
        cursor.setPosition(hit.span.start)
        cursor.setPosition(hit.span.start + hit.span.length, QTextCursor.MoveMode.KeepAnchor)
        look = QTextCharFormat()
        color = QColor(theme.tokens().away)
        color.setAlpha(220 if current else 90)
        look.setBackground(color)
        mark.cursor, mark.format = cursor, look
        return mark

    def _reveal(self, hit: Hit) -> None:
        cursor = QTextCursor(self.document())
        cursor.setPosition(min(hit.span.start, self.document().characterCount() - 1))
        self.setTextCursor(cursor)
        self.ensureCursorVisible()

    # ---- size
    def set_factor(self, factor: float) -> None:
        """Shows the text at this size."""
        self.factor = clamp(factor)
        self._apply_font()
        self.zoom_changed.emit()

    def zoom_step(self, direction: int) -> None:
        """One step larger (1) or smaller (-1)."""
        self.set_factor(step(self.factor, direction))

    def _apply_font(self) -> None:
        font = theme.font("emphasis")
        font.setPixelSize(max(6, round(theme.scaled(FONT_SIZES["emphasis"]) * self.factor)))
        self.document().setDefaultFont(font)
        self.document().setDocumentMargin(theme.scaled(24))

    # ---- Qt events
    def createMimeDataFromSelection(self) -> QMimeData:
        if self.may_copy:
            return super().createMimeDataFromSelection()
        self.copy_refused.emit()
        return QMimeData()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            if event.angleDelta().y():
                self.set_factor(self.factor * 1.0015 ** event.angleDelta().y())
            event.accept()
            return
        super().wheelEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.watermark:
            painter = QPainter(self.viewport())
            paint_watermark(painter, self.viewport().rect().toRectF(), self.watermark, on_paper=False)
