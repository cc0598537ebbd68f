"""Frozen screens: the region is chosen and marked up here. Places are in pixels of the canvas, which holds all screens, unless said.

The overlay stands on one screen and owns everything; a mirror on each other screen shows its part and hands on what the hand does.

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
from desktop.ui.capture.shots import Canvas, Shot, View, alone
from desktop.ui.capture.tool_bar import ToolBar
from desktop.ui.i18n import tr
from desktop.ui.theme import values_capture as values

FLAGS = Qt.WindowType.Window | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
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

    def __init__(self, shot: Shot, *, can_send: bool, canvas: Canvas | None = None) -> None:
        super().__init__(None, FLAGS)
        self.shot = shot
        self.canvas = canvas or alone(shot)
        self.view = next(view for view in self.canvas.views if view.shot is shot)
        self.mirrors = [CaptureMirror(self, view) for view in self.canvas.views if view is not self.view]
        self.drawing = Drawing(self.canvas.image, shot.ratio)
        self._frozen = QPixmap.fromImage(shot.image)
        self.region: Region | None = None
        self.suggested = self.view.place
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
    def pixel(self, view: View, event: QMouseEvent) -> QPoint:
        """Where an event is on the canvas. The window that was pressed gets the moves over the other screens too."""
        screen = view.shot.screen.geometry()
        place = event.position() + QPointF(screen.topLeft())
        there = self.canvas.view_at(place.toPoint()) or view
        return there.to_canvas(place - QPointF(there.shot.screen.geometry().topLeft()))

    def _window_of(self, view: View) -> QWidget:
        return next((mirror for mirror in self.mirrors if mirror.view is view), self)

    def repaint_all(self) -> None:
        """On every screen."""
        self.update()
        for mirror in self.mirrors:
            mirror.update()

    @property
    def _reach(self) -> int:
        return round(values.HANDLE * self.shot.ratio)

    # ---- the region
    def set_region(self, rect: QRect) -> None:
        """Chooses a part of the screen."""
        rect = rect.intersected(self.canvas.image.rect())
        if rect.isEmpty():
            return
        self.region = Region(rect, self.canvas.image.rect())
        self._show_bar()
        self.began.emit()
        self.repaint_all()

    def clear_region(self) -> None:
        """Begins again: no region, no marks."""
        self.region = None
        self._drop_text()
        self.drawing.clear()
        self.bar.set_tool(None)
        self.bar.hide()
        self._point_as(Qt.CursorShape.CrossCursor)
        self.repaint_all()

    def suggest(self, place: QPoint) -> None:
        """Offers the front window under a place, else the whole screen it is on."""
        screen = (self.canvas.view_of(place) or self.view).place
        found = next((rect for rect in self.canvas.windows if rect.contains(place)), screen)
        if found != self.suggested:
            self.suggested = found
            self.repaint_all()

    def _show_bar(self) -> None:
        if self.region is not None:
            self.bar.set_undo(self.drawing.can_undo, self.drawing.can_redo)
            view = self.canvas.view_of(self.region.rect.bottomRight()) or self.view
            window = self._window_of(view)
            if self.bar.parentWidget() is not window:
                self.bar.setParent(window)
            self.bar.stand_by(view.to_local(self.region.rect), window.rect())
            self.bar.show()

    # ---- the end
    def take_back(self) -> None:
        """Bar and field belong to this window again: a mirror goes without them."""
        for part in (self.bar, self.field):
            if part.parentWidget() is not self:
                part.setParent(self)

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
        self.press(self.view, event)

    def press(self, view: View, event: QMouseEvent) -> None:
        """A button went down on one of the screens."""
        self.take_text()
        if event.button() is Qt.MouseButton.RightButton:
            if self.region is not None:
                self.clear_region()
            else:
                self.cancelled.emit()
            return
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        place = self.pixel(view, event)
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
        self.drag(self.pixel(self.view, event))

    def drag(self, place: QPoint) -> None:
        """The pointer moved, pressed or not."""
        if self._stroke_on:
            self._stroke.append(QPointF(place))
            self.repaint_all()
        elif self._pressed is None:
            self._hover(place)
        elif self.region is None or self._handle is None:
            if self.region is None and (place - self._pressed).manhattanLength() >= values.LEAST_REGION:
                self.suggested = between(self._pressed, place)
                self.repaint_all()
        else:
            away = place - self._pressed
            change = self.region.pulled if self._handle else None
            self.region = change(self._handle, away.x(), away.y()) if change else self.region.moved(away.x(), away.y())
            if self._handle:
                self._handle = _turned(self.region, place, self._handle)
            self._pressed = place
            self._show_bar()
            self.repaint_all()

    def _hover(self, place: QPoint) -> None:
        if self.region is None:
            self.suggest(place)
            return
        inside = self.region.rect.contains(place)
        if self.bar.tool is not None and inside:
            self._point_as(Qt.CursorShape.IBeamCursor if self.bar.tool is Tool.TEXT else Qt.CursorShape.CrossCursor)
            return
        handle = self.region.handle_at(place, self._reach)
        if handle is not None or inside:
            self._point_as(cursor_of(handle or ""))
        else:
            self._point_as(Qt.CursorShape.ArrowCursor)

    def _point_as(self, shape: Qt.CursorShape) -> None:
        for window in (self, *self.mirrors):
            window.setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.release(event)

    def release(self, event: QMouseEvent) -> None:
        """A button went up."""
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
        self.repaint_all()

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
        self.repaint_all()

    def _undo(self) -> None:
        self.drawing.undo()
        self._show_bar()
        self.repaint_all()

    def _redo(self) -> None:
        self.drawing.redo()
        self._show_bar()
        self.repaint_all()

    # ---- text
    def _open_text(self, place: QPoint) -> None:
        self._text_place = QPointF(place)
        view = self.canvas.view_of(place) or self.view
        window, where = self._window_of(view), view.to_local(QRect(place, place))
        if self.field.parentWidget() is not window:
            self.field.setParent(window)
        self._dress_field()
        self.field.clear()
        self.field.move(where.topLeft())
        room = window.width() - where.left() - 8
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
        self.repaint_all()

    # ---- painting
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self.paint_on(painter, self.view, self._frozen)
        painter.end()

    def paint_on(self, painter: QPainter, view: View, frozen: QPixmap) -> None:
        """Draws what is to be seen on one screen."""
        ratio = view.shot.ratio
        view.begin(painter)
        painter.drawPixmap(view.place.topLeft(), frozen)
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
            self._paint_handles(painter, self.region, edge, ratio)
        if view.place.contains(chosen.topLeft()):
            self._paint_size(painter, view, chosen)

    def _paint_shade(self, painter: QPainter, chosen: QRect) -> None:
        whole = self.canvas.image.rect()
        shade = QColor(values.SHADE)
        painter.fillRect(QRect(0, 0, whole.width(), chosen.top()), shade)
        painter.fillRect(QRect(0, chosen.bottom() + 1, whole.width(), whole.bottom() - chosen.bottom()), shade)
        painter.fillRect(QRect(0, chosen.top(), chosen.left(), chosen.height()), shade)
        right = chosen.right() + 1
        painter.fillRect(QRect(right, chosen.top(), whole.width() - right, chosen.height()), shade)

    def _paint_handles(self, painter: QPainter, region: Region, edge: QColor, ratio: float) -> None:
        side = values.HANDLE * ratio * 0.8
        painter.setPen(QPen(QColor(values.ON_DARK_PEN), ratio))
        painter.setBrush(edge)
        for handle in HANDLES:
            place = QPointF(region.handle_place(handle))
            painter.drawEllipse(place, side / 2, side / 2)

    def _paint_size(self, painter: QPainter, view: View, chosen: QRect) -> None:
        said = f"{chosen.width()} × {chosen.height()}"
        painter.save()
        painter.resetTransform()
        font = theme.font("secondary")
        painter.setFont(font)
        where = view.to_local(chosen)
        wide, tall = QFontMetrics(font).horizontalAdvance(said) + 12, QFontMetrics(font).height() + 6
        top = where.top() - tall - 4 if where.top() - tall - 4 >= 0 else where.top() + 4
        box = QRect(where.left(), top, wide, tall)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tokens().snack)
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(theme.tokens().on_snack)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, said)
        painter.restore()


class CaptureMirror(QWidget):
    """Another screen of the same canvas: shows its part, and what is done on it is done on the overlay."""

    def __init__(self, overlay: CaptureOverlay, view: View) -> None:
        super().__init__(None, FLAGS)
        self._overlay, self.view = overlay, view
        self._frozen = QPixmap.fromImage(view.shot.image)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)
        i18n.bind(self.setAccessibleName, "capture.title")
        self.setGeometry(view.shot.screen.geometry())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._overlay.press(self.view, event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._overlay.drag(self._overlay.pixel(self.view, event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._overlay.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._overlay.mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._overlay.keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._overlay.paint_on(painter, self.view, self._frozen)
        painter.end()


def _is_ctrl_y(event: QKeyEvent) -> bool:
    return event.key() == Qt.Key.Key_Y and event.modifiers() == Qt.KeyboardModifier.ControlModifier


def _turned(region: Region, place: QPoint, handle: Handle) -> Handle:
    """The handle that is at the pointer after the region may have turned inside out."""
    center = region.rect.center()
    across = ("l" if place.x() <= center.x() else "r") if {"l", "r"} & set(handle) else ""
    down = ("t" if place.y() <= center.y() else "b") if {"t", "b"} & set(handle) else ""
    return down + across
