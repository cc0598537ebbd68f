"""The marks on one screenshot with undo and redo, and the finished picture. Knows no widget."""

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QImage, QPainter

from desktop.ui.capture.marks import Mark, Tool, paint_mark


class Drawing:
    """`base` is what the screen showed; `ratio`: its pixels per logical pixel."""

    def __init__(self, base: QImage, ratio: float) -> None:
        self.base, self.ratio = base, ratio
        self.base.setDevicePixelRatio(1.0)
        self.marks: list[Mark] = []
        self._undone: list[Mark] = []

    def add(self, mark: Mark) -> bool:
        """Puts a mark on; False when there is nothing to be seen of it."""
        if not mark.counts:
            return False
        self.marks.append(mark)
        self._undone.clear()
        return True

    @property
    def can_undo(self) -> bool:
        """Whether there is a mark to take back."""
        return bool(self.marks)

    @property
    def can_redo(self) -> bool:
        """Whether a mark that was taken back can come again."""
        return bool(self._undone)

    def undo(self) -> None:
        """Takes the last mark back."""
        if self.marks:
            self._undone.append(self.marks.pop())

    def redo(self) -> None:
        """Brings the mark again that was taken back last."""
        if self._undone:
            self.marks.append(self._undone.pop())

    def clear(self) -> None:
        """A bare picture."""
        self.marks.clear()
        self._undone.clear()

    @property
    def next_number(self) -> str:
        """What the next number mark says."""
        return str(1 + sum(mark.tool is Tool.NUMBER for mark in self.marks))

    def paint(self, painter: QPainter) -> None:
        """Draws all marks, in pixels of the picture."""
        for mark in self.marks:
            paint_mark(painter, mark, self.base, self.ratio)

    def picture(self, rect: QRect) -> QImage:
        """A part of the screen with its marks, in the screen's own pixels."""
        rect = rect.intersected(self.base.rect())
        image = self.base.copy(rect).convertToFormat(QImage.Format.Format_RGB32)
        painter = QPainter(image)
        painter.translate(QPoint(0, 0) - rect.topLeft())
        self.paint(painter)
        painter.end()
        return image
