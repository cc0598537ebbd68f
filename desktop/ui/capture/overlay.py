"""One frozen screen: the region is chosen and marked up here. Places are in pixels of the picture unless said.

Mouse: drag for a region, click for the window under the pointer, handles and inside to change it, right click to begin again.
Keys: arrows move by a pixel, with Shift they widen; Enter is done; Esc leaves.
"""

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.ui import i18n, theme
from desktop.ui.capture.drawing import Drawing
from desktop.ui.capture.marks import Mark, Tool, paint_mark, text_font
from desktop.ui.capture.region import HANDLES, Handle, Region, between, cursor_of
from desktop.ui.capture.shots import Shot
from desktop.ui.capture.tool_bar import ToolBar
from desktop.ui.i18n import tr
from desktop.ui.theme import values_capture as values

_ARROWS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


class CaptureOverlay(QWidget):
    """`finished`: the way (copy, save, send) and the picture; `cancelled`: nothing is kept; `began`: a region is chosen on this screen."""

    finished = Signal(str, QImage)
    cancelled = Signal()
    began = Signal()

    def __init__(self, shot: Shot, *, can_send: bool) -> None:
        flags = Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        super().__init__(None, flags)
        self.shot = shot
        self.drawing = Drawing(shot.image, shot.ratio)
        self._frozen = QPixmap.fromImage(shot.image)
        self.region: Region | None = None
        self.suggested = shot.image.rect()
        self._pressed: QPoint | None = None
        self._handle: Handle | None = None
        self._stroke: list[QPointF] = []
        self._stroke_on = False
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        i18n.bind(self.setAccessibleName, "capture.title")
        self.setAccessibleDescription(tr("capture.hint"))
        self.bar = ToolBar(can_send, self)
        self.bar.hide()
        self.bar.done.connect(self.finish)
        self.bar.undo_wanted.connect(self._undo)
        self.bar.redo_wanted.connect(self._redo)
        self.bar.tool_changed.connect(self._on_tool)
        self.field = QLineEdit(self)
        self.field.setFrame(False)
        self.field.hide()
        self.field.returnPressed.connect(self.take_text)
        self._text_place = QPointF()
        self.setGeometry(shot.screen.geometry())

    # ---- places
    def _pixel(self, place: QPointF) -> QPoint:
        bounds, ratio = self.shot.image.rect(), self.shot.ratio
        x, y = int(place.x() * ratio), int(place.y() * ratio)
        return QPoint(max(0, min(bounds.right(), x)), max(0, min(bounds.bottom(), y)))

    def _logical(self, rect: QRect) -> QRect:
        ratio = self.shot.ratio
        return QRectF(rect.x() / ratio, rect.y() / ratio, rect.width() / ratio, rect.height() / ratio).toAlignedRect()

    @property
    def _reach(self) -> int:
        return round(values.HANDLE * self.shot.ratio)

    # ---- the region
    def set_region(self, rect: QRect) -> None:
        """Chooses a part of the screen."""
        rect = rect.intersected(self.shot.image.rect())
        if rect.isEmpty():
            return
        self.region = Region(rect, self.shot.image.rect())
        self._show_bar()
        self.began.emit()
        self.update()

    def clear_region(self) -> None:
        """Begins again: no region, no marks."""
        self.region = None
        self._drop_text()
        self.drawing.clear()
        self.bar.set_tool(None)
        self.bar.hide()
        self.setCursor(Qt.CursorShape.CrossCursor)
        self.update()

    def suggest(self, place: QPoint) -> None:
        """Offers the front window under a place, else the whole screen."""
        found = next((rect for rect in self.shot.windows if rect.contains(place)), self.shot.image.rect())
        if found != self.suggested:
            self.suggested = found
            self.update()

    def _show_bar(self) -> None:
        if self.region is not None:
            self.bar.set_undo(self.drawing.can_undo, self.drawing.can_redo)
            self.bar.stand_by(self._logical(self.region.rect), self.rect())
            self.bar.show()

    # ---- the end
    def finish(self, way: str) -> None:
        """Hands out the picture, or leaves."""
        if way == "cancel":
            self.cancelled.emit()
            return
        self.take_text()
        if self.region is None:
            self.set_region(self.suggested)
        if self.region is not None:
            self.finished.emit(way, self.drawing.picture(self.region.rect))

    def _finish_usual(self) -> None:
        self.finish("send" if "send" in self.bar.ends else "copy")

    # ---- mouse
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.take_text()
        if event.button() is Qt.MouseButton.RightButton:
            if self.region is not None:
                self.clear_region()
            else:
                self.cancelled.emit()
            return
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        place = self._pixel(event.position())
        self._pressed, self._handle = place, None
        if self.region is None:
            return
        if self.bar.tool is not None and self.region.rect.contains(place):
            self._begin_stroke(place)
            return
        self._handle = self.region.handle_at(place, self._reach)
        if self._handle is None and self.region.rect.contains(place):
            self._handle = ""

    def _begin_stroke(self, place: QPoint) -> None:
        match self.bar.tool:
            case Tool.TEXT:
                self._open_text(place)
            case Tool.NUMBER:
                self._add(Mark(Tool.NUMBER, (QPointF(place),), self.bar.color, self.bar.size_index, self._number()))
            case _:
                self._stroke_on = True
                self._stroke = [QPointF(place)]

    def _number(self) -> str:
        return self.drawing.next_number

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self._pixel(event.position())
        if self._stroke_on:
            self._stroke.append(QPointF(place))
            self.update()
        elif self._pressed is None:
            self._hover(place)
        elif self.region is None or self._handle is None:
            if self.region is None and (place - self._pressed).manhattanLength() >= values.LEAST_REGION:
                self.suggested = between(self._pressed, place)
                self.update()
        else:
            away = place - self._pressed
            change = self.region.pulled if self._handle else None
            self.region = change(self._handle, away.x(), away.y()) if change else self.region.moved(away.x(), away.y())
            if self._handle:
                self._handle = _turned(self.region, place, self._handle)
            self._pressed = place
            self._show_bar()
            self.update()

    def _hover(self, place: QPoint) -> None:
        if self.region is None:
            self.suggest(place)
            return
        inside = self.region.rect.contains(place)
        if self.bar.tool is not None and inside:
            self.setCursor(Qt.CursorShape.IBeamCursor if self.bar.tool is Tool.TEXT else Qt.CursorShape.CrossCursor)
            return
        handle = self.region.handle_at(place, self._reach)
        if handle is not None or inside:
            self.setCursor(cursor_of(handle or ""))
        else:
            self.setCursor(Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        if self._stroke_on:
            mark = self._current_mark()
            self._stroke_on, self._stroke = False, []
            if mark is not None:
                self._add(mark)
        elif self.region is None and self._pressed is not None:
            self.set_region(self.suggested)
        self._pressed, self._handle = None, None
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if self.region is not None and self.bar.tool is None and event.button() is Qt.MouseButton.LeftButton:
            self._finish_usual()

    # ---- marks
    def _current_mark(self) -> Mark | None:
        tool = self.bar.tool
        if tool is None or not self._stroke:
            return None
        points = tuple(self._stroke) if tool is Tool.PEN else (self._stroke[0], self._stroke[-1])
        return Mark(tool, points, self.bar.color, self.bar.size_index)

    def _add(self, mark: Mark) -> None:
        self.drawing.add(mark)
        self._show_bar()
        self.update()

    def _undo(self) -> None:
        self.drawing.undo()
        self._show_bar()
        self.update()

    def _redo(self) -> None:
        self.drawing.redo()
        self._show_bar()
        self.update()

    # ---- text
    def _open_text(self, place: QPoint) -> None:
        self._text_place = QPointF(place)
        where = self._logical(QRect(place, place))
        self._dress_field()
        self.field.clear()
        self.field.move(where.topLeft())
        room = self.width() - where.left() - 8
        self.field.resize(max(60, min(theme.scaled(320), room)), self.field.sizeHint().height())
        self.field.show()
        self.field.setFocus()

    def _dress_field(self) -> None:
        font = text_font(self.bar.size_index, 1.0)
        self.field.setFont(font)
        i18n.bind(self.field.setAccessibleName, "capture.tool.text")
        self.field.setStyleSheet(
            f"QLineEdit {{ background: transparent; color: {self.bar.color}; border: 1px dashed {values.EDGE};"
            f" padding: 0px; font-size: {font.pixelSize()}px; }}"
        )

    def take_text(self) -> None:
        """What is written becomes a mark."""
        if not self.field.isVisible():
            return
        text, place = self.field.text(), self._text_place
        self._drop_text()
        self._add(Mark(Tool.TEXT, (place,), self.bar.color, self.bar.size_index, text))

    def _drop_text(self) -> None:
        self.field.hide()
        self.field.clear()
        self.setFocus()

    def _on_tool(self) -> None:
        if self.field.isVisible():
            if self.bar.tool is Tool.TEXT:
                self._dress_field()
            else:
                self.take_text()

    # ---- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._escape()
        elif self.field.isVisible():
            super().keyPressEvent(event)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self._undo()
        elif event.matches(QKeySequence.StandardKey.Redo) or _is_ctrl_y(event):
            self._redo()
        elif event.matches(QKeySequence.StandardKey.Copy):
            self.finish("copy")
        elif event.matches(QKeySequence.StandardKey.Save):
            self.finish("save")
        elif event.key() in _ARROWS and self.region is not None:
            self._nudge(
                *_ARROWS[Qt.Key(event.key())], wider=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            )
        else:
            super().keyPressEvent(event)

    def _escape(self) -> None:
        if self.field.isVisible():
            self._drop_text()
        elif self.bar.tool is not None:
            self.bar.set_tool(None)
        else:
            self.cancelled.emit()

    def _enter(self) -> None:
        if self.region is None:
            self.set_region(self.suggested)
        else:
            self._finish_usual()

    def _nudge(self, dx: int, dy: int, *, wider: bool) -> None:
        assert self.region is not None
        self.region = self.region.pulled("br", dx, dy) if wider else self.region.moved(dx, dy)
        self._show_bar()
        self.update()

    # ---- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        ratio = self.shot.ratio
        painter.scale(1 / ratio, 1 / ratio)
        painter.drawPixmap(0, 0, self._frozen)
        chosen = self.region.rect if self.region is not None else self.suggested
        if self.region is not None:
            painter.save()
            painter.setClipRect(chosen)
            self.drawing.paint(painter)
            mark = self._current_mark() if self._stroke_on else None
            if mark is not None and mark.counts:
                paint_mark(painter, mark, self.drawing.base, ratio)
            painter.restore()
        self._paint_shade(painter, chosen)
        edge = QColor(values.EDGE)
        painter.setPen(QPen(edge, max(1.0, 1.5 * ratio)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(QRectF(chosen))
        if self.region is not None:
            self._paint_handles(painter, self.region, edge)
        self._paint_size(painter, chosen)
        painter.end()

    def _paint_shade(self, painter: QPainter, chosen: QRect) -> None:
        whole = self.shot.image.rect()
        shade = QColor(values.SHADE)
        painter.fillRect(QRect(0, 0, whole.width(), chosen.top()), shade)
        painter.fillRect(QRect(0, chosen.bottom() + 1, whole.width(), whole.bottom() - chosen.bottom()), shade)
        painter.fillRect(QRect(0, chosen.top(), chosen.left(), chosen.height()), shade)
        right = chosen.right() + 1
        painter.fillRect(QRect(right, chosen.top(), whole.width() - right, chosen.height()), shade)

    def _paint_handles(self, painter: QPainter, region: Region, edge: QColor) -> None:
        side = values.HANDLE * self.shot.ratio * 0.8
        painter.setPen(QPen(QColor(values.ON_DARK_PEN), self.shot.ratio))
        painter.setBrush(edge)
        for handle in HANDLES:
            place = QPointF(region.handle_place(handle))
            painter.drawEllipse(place, side / 2, side / 2)

    def _paint_size(self, painter: QPainter, chosen: QRect) -> None:
        said = f"{chosen.width()} × {chosen.height()}"
        painter.save()
        painter.scale(self.shot.ratio, self.shot.ratio)
        font = theme.font("secondary")
        painter.setFont(font)
        where = self._logical(chosen)
        wide, tall = QFontMetrics(font).horizontalAdvance(said) + 12, QFontMetrics(font).height() + 6
        top = where.top() - tall - 4 if where.top() - tall - 4 >= 0 else where.top() + 4
        box = QRect(where.left(), top, wide, tall)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tokens().snack)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.tokens().on_snack)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, said)
        painter.restore()


def _is_ctrl_y(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_Y and event.modifiers() == Qt.KeyboardModifier.ControlModifier


def _turned(region: Region, place: QPoint, handle: Handle) -> Handle:
    """The handle that is at the pointer after the region may have turned inside out."""
    center = region.rect.center()
    across = ("l" if place.x() <= center.x() else "r") if {"l", "r"} & set(handle) else ""
    down = ("t" if place.y() <= center.y() else "b") if {"t", "b"} & set(handle) else ""
    return down + across
