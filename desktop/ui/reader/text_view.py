"""Shows a text file: read only, searched, zoomed, copied where allowed. Long ones are filled in piece by piece between frames."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QTextCursor, QWheelEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from desktop.ui import theme
from desktop.ui.reader.search_run import Hit
from desktop.ui.reader.text_marks import TextMarks
from desktop.ui.reader.text_search import Span
from desktop.ui.reader.watermark import paint_watermark
from desktop.ui.reader.zoom import clamp, step
from desktop.ui.theme.tokens import FONT_SIZES


class TextView(QPlainTextEdit):
    """The text on the page's surface."""

    zoom_changed = Signal()
    copy_refused = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.may_copy = True
        self.watermark = ""
        self.factor = 1.0
        self._marks = TextMarks(self)
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
        self._marks.set_text(text)
        self._filled = 0
        self._fill()
        self._filling.start()

    @property
    def filled(self) -> bool:
        """Whether the whole text is in."""
        return self._filled >= len(self._marks.pieces)

    def _fill(self) -> None:
        if self.filled:
            self._filling.stop()
            return
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(self._marks.pieces[self._filled][1])
        self._filled += 1

    # ---- search
    @property
    def parts(self) -> int:
        """How many pieces a search goes through."""
        return len(self._marks.pieces)

    def find_in(self, part: int, needle: str) -> list[Span]:
        """Hits in one piece, at places of the whole text."""
        return self._marks.find_in(part, needle)

    def set_marks(self, hits: list[Hit], current: Hit | None) -> None:
        """Marks the hits around the current one and shows it."""
        self._marks.mark(hits, current)

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
