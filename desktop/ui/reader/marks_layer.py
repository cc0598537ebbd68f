"""Marks laid over the pages: painted, and made with the mouse or a pen. The pages know nothing of them but this layer."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPen, QTransform

from desktop.core.domain import Annotation
from desktop.ui.reader.marks import Marks, note_box, rectangles, strokes
from desktop.ui.theme.tokens import palette_tokens

_STRENGTH: Final = 90
_CLOSE: Final = 1.2
"""Points: a pen that moved less has not moved."""
_MOST_POINTS: Final = 4_000


class MarksLayer(QObject):
    """What is done with the tool in hand. `tool`: "", highlight, note, pen or eraser."""

    changed = Signal()
    note_wanted = Signal(int, QPointF)  # page, upright point
    opened = Signal(object)  # Annotation

    def __init__(self, marks: Marks, parent: QObject) -> None:
        super().__init__(parent)
        self.marks = marks
        self.tool = ""
        self.color = "yellow"
        self.shared = False
        self._stroke: list[QPointF] = []
        self._page = -1
        marks.changed.connect(self.changed)

    def set_tool(self, tool: str) -> None:
        """Take a tool, or none."""
        self.tool = tool
        self._stroke, self._page = [], -1
        self.changed.emit()

    # ---- the pages ask
    def paint(self, painter: QPainter, page: int, place: QTransform) -> None:
        """Paint a page's marks; `place` leads from upright points to the painter's."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setTransform(place, True)
        for one in self.marks.on_page(page):
            paint_mark(painter, one)
        if self._page == page and len(self._stroke) > 1:
            _paint_strokes(painter, [self._stroke], mark_color(self.color), 1.5)
        painter.restore()

    def press(self, page: int, point: QPointF) -> bool:
        """A button went down; True: the pages have nothing to do with it."""
        if self.tool == "pen":
            self._page, self._stroke = page, [point]
            return True
        if self.tool == "note":
            self.note_wanted.emit(page, point)
            return True
        found = self.marks.at(page, point)
        if self.tool == "eraser":
            if found is not None and found.author_id == self.marks.me:
                self.marks.erase(found)
            return True
        if found is not None and found.kind == "note" and not self.tool:
            self.opened.emit(found)
            return True
        return False

    def move(self, page: int, point: QPointF) -> bool:
        """The pointer moved with the button down."""
        if self.tool != "pen" or page != self._page:
            return self.tool in ("pen", "note", "eraser")
        last = self._stroke[-1]
        if (last - point).manhattanLength() > _CLOSE and len(self._stroke) < _MOST_POINTS:
            self._stroke.append(point)
            self.changed.emit()
        return True

    def release(self) -> bool:
        """The button came up."""
        stroke, page = self._stroke, self._page
        self._stroke, self._page = [], -1
        if self.tool == "pen" and stroke:
            line = stroke if len(stroke) > 1 else [stroke[0], stroke[0] + QPointF(0.5, 0.5)]
            points = [[round(one.x(), 2), round(one.y(), 2)] for one in line]
            self.marks.add(page, "pen", {"strokes": [points], "color": self.color, "width": 1.5}, shared=self.shared)
        return self.tool in ("pen", "note", "eraser")

    def cursor(self, page: int, point: QPointF) -> Qt.CursorShape | None:
        """The pointer's shape over a point, None: as the pages want."""
        if self.tool in ("pen", "note"):
            return Qt.CursorShape.CrossCursor
        found = self.marks.at(page, point)
        if self.tool == "eraser":
            mine = found is not None and found.author_id == self.marks.me
            return Qt.CursorShape.PointingHandCursor if mine else Qt.CursorShape.ForbiddenCursor
        return Qt.CursorShape.PointingHandCursor if found is not None and found.kind == "note" else None

    # ---- making
    def highlight(self, page: int, rects: list[QRectF]) -> None:
        """Mark rectangles of a page."""
        rows = [[round(v, 2) for v in (one.x(), one.y(), one.width(), one.height())] for one in rects[:500]]
        if rows:
            self.marks.add(page, "highlight", {"rects": rows, "color": self.color}, shared=self.shared)

    def write_note(self, page: int, point: QPointF, text: str) -> None:
        """Put a note down."""
        mark = {"x": round(point.x(), 2), "y": round(point.y(), 2), "text": text, "color": self.color}
        self.marks.add(page, "note", mark, shared=self.shared)


def mark_color(name: object) -> QColor:
    """The color of a mark: paper is white in dark windows too."""
    tokens = palette_tokens(False)
    known = {"yellow": tokens.away, "green": tokens.green, "blue": tokens.accent, "red": tokens.red}
    return QColor(known.get(str(name), tokens.away))


def paint_mark(painter: QPainter, annotation: Annotation) -> None:
    """Paint one mark in upright points; one on its way is fainter."""
    color = mark_color(annotation.mark.get("color"))
    painter.setOpacity(0.55 if annotation.pending else 1.0)
    match annotation.kind:
        case "highlight":
            color.setAlpha(_STRENGTH)
            path = QPainterPath()
            path.setFillRule(Qt.FillRule.WindingFill)
            for one in rectangles(annotation):
                path.addRect(one)
            painter.fillPath(path, color)
        case "note":
            _paint_note(painter, note_box(annotation), color)
        case "pen":
            width = annotation.mark.get("width")
            _paint_strokes(painter, strokes(annotation), color, width if isinstance(width, int | float) else 1.5)
    painter.setOpacity(1.0)


def _paint_strokes(painter: QPainter, lines: list[list[QPointF]], color: QColor, width: float) -> None:
    pen = QPen(color, width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    for line in lines:
        if not line:
            continue
        path = QPainterPath(line[0])
        for before, now in pairwise(line[1:]):  # through the middles: round, as a hand writes
            path.quadTo(before, (before + now) / 2)
        path.lineTo(line[-1])
        painter.strokePath(path, pen)


def _paint_note(painter: QPainter, box: QRectF, color: QColor) -> None:
    """A small sheet with a folded corner and two lines."""
    fold = box.width() / 3
    sheet = QPainterPath(box.topLeft())
    sheet.lineTo(box.right(), box.top())
    sheet.lineTo(box.right(), box.bottom() - fold)
    sheet.lineTo(box.right() - fold, box.bottom())
    sheet.lineTo(box.left(), box.bottom())
    sheet.closeSubpath()
    painter.fillPath(sheet, color)
    painter.setPen(QPen(palette_tokens(False).surface, 1.2))
    for part in (0.35, 0.6):
        y = box.top() + box.height() * part
        painter.drawLine(QPointF(box.left() + 4, y), QPointF(box.right() - 5, y))
