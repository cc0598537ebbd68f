"""What is drawn on a screenshot: one mark each of rectangle, ellipse, arrow, pen, text, mosaic, number. In pixels of the picture."""

import math
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPen, QPolygonF

from desktop.ui import theme
from desktop.ui.theme import values_capture as values


class Tool(StrEnum):
    """What a stroke of the mouse draws."""

    RECTANGLE = "rectangle"
    ELLIPSE = "ellipse"
    ARROW = "arrow"
    PEN = "pen"
    TEXT = "text"
    MOSAIC = "mosaic"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Mark:
    """`points`: first and last of a stroke, all of a pen's, one of a text and a number. `size` 0..2: thin, middle, thick."""

    tool: Tool
    points: tuple[QPointF, ...]
    color: str
    size: int = 1
    text: str = ""

    @property
    def box(self) -> QRectF:
        """What the first and the last point span."""
        return QRectF(self.points[0], self.points[-1]).normalized()

    @property
    def counts(self) -> bool:
        """Whether anything is to be seen of it."""
        if self.tool is Tool.TEXT:
            return bool(self.text.strip())
        if self.tool in (Tool.NUMBER, Tool.PEN):
            return True
        away = self.points[-1] - self.points[0]
        return math.hypot(away.x(), away.y()) >= 3


def paint_mark(painter: QPainter, mark: Mark, base: QImage, ratio: float) -> None:
    """Draws a mark; `base` is the picture without marks, `ratio` its pixels per logical pixel."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    width = values.WIDTHS[mark.size] * ratio
    pen = QPen(QColor(mark.color), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    match mark.tool:
        case Tool.RECTANGLE:
            painter.drawRect(mark.box)
        case Tool.ELLIPSE:
            painter.drawEllipse(mark.box)
        case Tool.ARROW:
            _paint_arrow(painter, mark, width)
        case Tool.PEN:
            _paint_stroke(painter, mark)
        case Tool.TEXT:
            painter.setFont(text_font(mark.size, ratio))
            box = QRectF(mark.points[0].x(), mark.points[0].y(), base.width(), base.height())
            painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop), mark.text)
        case Tool.MOSAIC:
            _paint_mosaic(painter, mark.box.toAlignedRect(), base, round(values.MOSAIC_BLOCK * ratio))
        case Tool.NUMBER:
            _paint_number(painter, mark, ratio)
    painter.restore()


def text_font(size: int, ratio: float) -> QFont:
    """The letters of text marks."""
    font = QFont(theme.font())
    font.setPixelSize(round(values.TEXT_SIZES[size] * ratio))
    return font


def _paint_stroke(painter: QPainter, mark: Mark) -> None:
    if len(mark.points) == 1:
        painter.drawPoint(mark.points[0])
        return
    path = QPainterPath(mark.points[0])
    for point in mark.points[1:]:
        path.lineTo(point)
    painter.drawPath(path)


def _paint_arrow(painter: QPainter, mark: Mark, width: float) -> None:
    first, last = mark.points[0], mark.points[-1]
    angle = math.atan2(last.y() - first.y(), last.x() - first.x())
    reach = math.hypot(last.x() - first.x(), last.y() - first.y())
    head = min(width * 3 + 8, reach)

    def at(turn: float, far: float) -> QPointF:
        return QPointF(last.x() - far * math.cos(angle + turn), last.y() - far * math.sin(angle + turn))

    painter.drawLine(first, at(0, head * 0.7))
    painter.setBrush(QColor(mark.color))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawPolygon(QPolygonF([last, at(0.45, head), at(-0.45, head)]))


def _paint_number(painter: QPainter, mark: Mark, ratio: float) -> None:
    radius = values.NUMBER_RADII[mark.size] * ratio
    color, center = QColor(mark.color), mark.points[0]
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawEllipse(center, radius, radius)
    painter.setPen(QColor(values.ON_LIGHT_PEN if color.lightnessF() > 0.7 else values.ON_DARK_PEN))
    font = QFont(theme.font(bold=True))
    font.setPixelSize(round(radius * 1.2))
    painter.setFont(font)
    box = QRectF(center.x() - radius, center.y() - radius, radius * 2, radius * 2)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, mark.text)


def _paint_mosaic(painter: QPainter, rect: QRect, base: QImage, block: int) -> None:
    """Squares of one color each, the mean of what they hide. The squares lie on a grid of the picture, so they do not swim while it is drawn."""
    block = max(2, block)
    left, top = rect.left() // block * block, rect.top() // block * block
    wide, tall = -(-(rect.right() + 1 - left) // block), -(-(rect.bottom() + 1 - top) // block)
    grid = QRect(left, top, wide * block, tall * block)
    inside = grid.intersected(base.rect())
    if inside.isEmpty():
        return
    columns, rows = max(1, -(-inside.width() // block)), max(1, -(-inside.height() // block))
    source = base.copy(inside)
    source.setDevicePixelRatio(1.0)
    small = source.scaled(
        columns, rows, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.drawImage(QRectF(inside), small)
