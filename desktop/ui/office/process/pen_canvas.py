"""A small sheet to sign on with a mouse, a finger or a pen; a pen's pressure makes the line broad, without one its speed makes it thin.

Who can't draw signs with the name in a brush face. The picture is a PNG without background, cut to the ink.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QBuffer, QIODevice, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QTabletEvent,
)
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, on_click
from desktop.ui.office.record.flow import Flow
from desktop.ui.theme import values_process as values

NEAR: Final = 1.5
"""Points nearer than this to the last one tell nothing."""
FAST: Final = 28.0
"""A step of so many pixels draws the thinnest line of a mouse."""
MOST_POINTS: Final = 20_000
NAME_FACES: Final = ("KaiTi", "STKaiti", "Kaiti SC", "AR PL UKai CN", "Noto Serif CJK SC", "serif")


@dataclass
class Stroke:
    """One line: points in the canvas's logical pixels at scale 1, and how broad the pen was at each (0–1)."""

    points: list[QPointF] = field(default_factory=list)
    weights: list[float] = field(default_factory=list)


class PenSheet(QWidget):
    """The sheet itself.

    Signals:
        changed: something was drawn or taken back.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("penSheet")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setAttribute(Qt.WidgetAttribute.WA_TabletTracking)
        self.strokes: list[Stroke] = []
        self.name = ""
        self._drawing: Stroke | None = None
        self._pen_down = False
        i18n.bind(self.setAccessibleName, "office_process.sign.sheet")
        theme.changed.connect(self._fit)
        self._fit()

    def _fit(self) -> None:
        self.setFixedHeight(theme.scaled(values.PEN_HEIGHT))
        self.update()

    # ---- what is on it
    @property
    def empty(self) -> bool:
        """Whether nothing is on it."""
        return not self.strokes and not self.name

    def clear(self) -> None:
        """Wipes it."""
        if not self.empty:
            self.strokes, self.name, self._drawing = [], "", None
            self._told()

    def undo(self) -> None:
        """Takes the last line back, or the written name."""
        if self.strokes:
            self.strokes.pop()
        elif self.name:
            self.name = ""
        else:
            return
        self._told()

    def write_name(self, name: str) -> None:
        """Signs with a name: for who can't draw."""
        self.strokes, self.name = [], name
        self._told()

    def _told(self) -> None:
        self.setAccessibleDescription("" if self.empty else tr("office_process.sign.signed"))
        self.update()
        self.changed.emit()

    def png(self) -> bytes:
        """The ink as PNG, cut to it, `PEN_IMAGE_HEIGHT` pixels tall at most; empty where nothing is on it."""
        place = self._ink_place()
        if self.empty or place.isEmpty():
            return b""
        factor = min(4.0, values.PEN_IMAGE_HEIGHT / place.height(), 4 * values.PEN_IMAGE_HEIGHT / place.width())
        size = QSize(max(1, round(place.width() * factor)), max(1, round(place.height() * factor)))
        image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(factor, factor)
        painter.translate(-place.topLeft())
        self._paint_ink(painter, QColor(values.SIGNATURE_INK))
        painter.end()
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stubs want bytes, Qt takes the name
        return bytes(buffer.data().data())

    # ---- ink
    def _name_path(self) -> QPainterPath:
        font = theme.font("hero")
        font.setFamilies([*NAME_FACES])
        font.setPixelSize(round(values.PEN_HEIGHT * 0.42))
        path = QPainterPath()
        path.addText(QPointF(0, 0), font, self.name)
        box = path.boundingRect()
        room = self._logical().width() - 2 * values.RAIL
        if box.width() > room > 0:
            font.setPixelSize(max(8, round(font.pixelSize() * room / box.width())))
            path = QPainterPath()
            path.addText(QPointF(0, 0), font, self.name)
            box = path.boundingRect()
        path.translate(self._logical().center() - box.center())
        return path

    def _logical(self) -> QRectF:
        scale = theme.text_scale()
        return QRectF(0, 0, self.width() / scale, self.height() / scale)

    def _ink_place(self) -> QRectF:
        place = self._name_path().boundingRect() if self.name else QRectF()
        for stroke in self.strokes:
            for point in stroke.points:
                place = place.united(QRectF(point.x() - 2, point.y() - 2, 4, 4))
        margin = values.PEN_WIDTH + 1
        return place.adjusted(-margin, -margin, margin, margin)

    def _paint_ink(self, painter: QPainter, color: QColor) -> None:
        if self.name:
            painter.fillPath(self._name_path(), color)
        for stroke in self.strokes:
            _paint_stroke(painter, stroke, color)

    # ---- drawing
    def _begin(self, point: QPointF, weight: float) -> None:
        if sum(len(stroke.points) for stroke in self.strokes) >= MOST_POINTS:
            return
        self.name = ""
        self._drawing = Stroke([point], [weight])
        self.strokes.append(self._drawing)
        self._told()

    def _move(self, point: QPointF, pressure: float | None) -> None:
        stroke = self._drawing
        if stroke is None:
            return
        step = point - stroke.points[-1]
        length = (step.x() ** 2 + step.y() ** 2) ** 0.5
        if length < NEAR or len(stroke.points) >= MOST_POINTS:
            return
        weight = pressure if pressure is not None else max(0.3, 1 - length / FAST)
        stroke.points.append(point)
        stroke.weights.append(stroke.weights[-1] * 0.6 + weight * 0.4)  # ink follows the hand, it does not jump
        self.update()

    def _end(self) -> None:
        if self._drawing is not None:
            self._drawing = None
            self.changed.emit()

    def _at(self, place: QPointF) -> QPointF:
        scale = theme.text_scale()
        return QPointF(min(max(place.x(), 0), self.width()) / scale, min(max(place.y(), 0), self.height()) / scale)

    # ---- Qt overrides
    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._begin(self._at(event.position()), 0.7)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._move(self._at(event.position()), None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._end()

    def tabletEvent(self, event: QTabletEvent) -> None:
        """A pen speaks here; accepted, Qt makes no mouse of it."""
        place = self._at(event.position())
        match event.type():
            case QTabletEvent.Type.TabletPress:
                self.setFocus(Qt.FocusReason.MouseFocusReason)
                self._begin(place, max(0.15, event.pressure()))
            case QTabletEvent.Type.TabletMove:
                self._move(place, max(0.15, event.pressure()) if event.pressure() > 0 else None)
            case QTabletEvent.Type.TabletRelease:
                self._end()
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.clear()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        del event
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(colors.accent if self.hasFocus() else colors.line, 1))
        painter.setBrush(colors.pane)
        painter.drawRoundedRect(box, theme.values.RADIUS_BUTTON, theme.values.RADIUS_BUTTON)
        base = self.height() * 0.78
        painter.setPen(QPen(colors.line_strong, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(box.left() + 16, base), QPointF(box.right() - 16, base))
        if self.empty:
            painter.setPen(colors.ink3)
            painter.setFont(theme.font("secondary"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, tr("office_process.sign.here"))
        painter.scale(theme.text_scale(), theme.text_scale())
        self._paint_ink(painter, colors.ink)


def _paint_stroke(painter: QPainter, stroke: Stroke, color: QColor) -> None:
    """Short curves through the middles of the points, each as broad as the pen was."""
    pen = QPen(color, values.PEN_WIDTH, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    points = stroke.points
    if len(points) == 1:
        pen.setWidthF(values.PEN_WIDTH * 1.3)
        painter.setPen(pen)
        painter.drawPoint(points[0])
        return
    before = points[0]
    for number in range(1, len(points)):
        last = number == len(points) - 1
        middle = points[number] if last else (points[number] + points[number - 1]) / 2
        pen.setWidthF(values.PEN_WIDTH * (0.35 + stroke.weights[number]))
        painter.setPen(pen)
        path = QPainterPath(before)
        path.quadTo(points[number - 1], middle)
        painter.drawPath(path)
        before = middle


class PenCanvas(QWidget):
    """The sheet with its buttons: take the last line back, wipe, sign with the name.

    Signals:
        changed: what is on the sheet changed.
    """

    changed = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("penCanvas")
        self.sheet = PenSheet()
        self.back = Button(key="office_process.sign.undo", kind="link", small=True)
        self.wipe = Button(key="office_process.sign.clear", kind="link", small=True)
        self.wipe.setObjectName("penClear")
        self.named = Button(key="office_process.sign.with_name", kind="link", small=True)
        self.named.setObjectName("penName")
        line = Flow(spacing=6)
        for button in (self.back, self.wipe, self.named):
            line.add(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.sheet)
        column.addWidget(line)
        on_click(self.back, self.sheet.undo)
        on_click(self.wipe, self.sheet.clear)
        on_click(self.named, lambda: self.sheet.write_name(name))
        self.sheet.changed.connect(self._on_changed)
        self.setFocusProxy(self.sheet)
        self._on_changed()

    def _on_changed(self) -> None:
        for button in (self.back, self.wipe):
            button.setEnabled(not self.sheet.empty)
        self.changed.emit()

    @property
    def empty(self) -> bool:
        """Whether nobody signed."""
        return self.sheet.empty

    def clear(self) -> None:
        """Wipes the sheet."""
        self.sheet.clear()

    def png(self) -> bytes:
        """The signature; empty where nobody signed."""
        return self.sheet.png()
