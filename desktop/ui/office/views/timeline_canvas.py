"""The painted part of a timeline: resources down the left, time across, blocks moved by hand and keys. Only rows on the screen are painted."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QToolTip, QWidget

from desktop.models.timeline_layout import (
    HOUR_MS,
    SNAP_MS,
    Block,
    Row,
    Scale,
    Window,
    moved_days,
    neighbors,
    snapped,
)
from desktop.ui import i18n, theme
from desktop.ui.kit.spoken import speak_as
from desktop.ui.office.views.timeline_drag import EDGE, Drag, Mode

HEAD, TICKS, LANE, GAP, PAD = 132, 31, 40, 3, 9
DAY_HOURS: Final = 10
"""Hours of a day that fill the screen at the usual zoom."""
WEEK_DAY: Final = 150
MONTH_DAY: Final = 26
ZOOMS: Final = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
FIRST_HOUR: Final = 8
NOW_MS: Final = 30_000


class Painter(Protocol):
    """Paints what is on the screen."""

    def paint(self, canvas: TimelineCanvas) -> None: ...


class TimelineCanvas(QAbstractScrollArea):
    """Rows of a window. What a drag would do is asked of `judge(drag)`, which sets its clash and refusal.

    Signals:
        opened: a Block. created: resource id, start, end. changed: Block, resource id, start, end.
        selected: a Block or None. refused: why a gesture was not taken. stepped: windows to go. zoomed: -1 or 1.
    """

    opened = Signal(object)
    created = Signal(str, object, object)
    changed = Signal(object, str, object, object)
    selected = Signal(object)
    refused = Signal(str)
    stepped = Signal(int)
    zoomed = Signal(int)
    released = Signal()

    def __init__(self, painter: Painter, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Chart)
        self.painter, self.now_ms = painter, now_ms
        self.judge: Callable[[Drag], None] = lambda _drag: None
        self.spoken: Callable[[Block], str] = lambda block: block.record.id
        self.rows: Sequence[Row] = ()
        self.window_: Window | None = None
        self.zoom = 1.0
        self.drag: Drag | None = None
        self.current = ""
        self.marked = ""
        self._tops = [0]
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        i18n.bind(self.setAccessibleName, "office_views.timeline")
        self._width = 1.0  # of the whole window at the last layout
        theme.changed.connect(self._relayout)
        i18n.changed.connect(self.viewport().update)
        self._clock = QTimer(self, interval=NOW_MS)
        self._clock.timeout.connect(self.viewport().update)
        self._clock.start()

    # ---- what is shown
    def show_rows(self, window: Window, rows: Sequence[Row]) -> None:
        """Shows rows; in the same window the row at the top of the screen stays there."""
        fresh = window != self.window_
        anchor = self._anchor()
        self.window_, self.rows = window, rows
        self._relayout()
        if fresh:
            self._show_start()
        elif anchor is not None:
            place = next((n for n, row in enumerate(rows) if row.key == anchor[0]), -1)
            if place >= 0 and self.verticalScrollBar().value():
                self.verticalScrollBar().setValue(self._tops[place] + anchor[1])
        self.viewport().update()

    def set_zoom(self, zoom: float, at: float | None = None) -> None:
        """Another width of an hour; the time at `at` (middle of the screen) stays where it is."""
        room = self._room()
        place = (at if at is not None else room / 2) + self.horizontalScrollBar().value()
        share = place / max(1.0, self.scale_width())
        self.zoom = zoom
        self._relayout()
        self.horizontalScrollBar().setValue(
            round(share * self.scale_width() - place + self.horizontalScrollBar().value())
        )
        self.viewport().update()

    def _show_start(self) -> None:
        """A day begins at eight, or where its first block does; a week or month with today on the screen."""
        window = self.window_
        if window is None:
            return
        first = window.start + FIRST_HOUR * HOUR_MS
        if window.scale is Scale.DAY:
            starts = [p.block.start for row in self.rows for p in row.placed if p.block.start > window.start]
            first = min([first, *starts])
            first -= first % HOUR_MS
        else:
            now = self.now_ms()
            beyond = window.start <= now < window.end and self._offset(now) > self._room() - theme.scaled(WEEK_DAY)
            first = now - window.length // 4 if beyond else window.start
        self.horizontalScrollBar().setValue(round(self._offset(first)))
        self.verticalScrollBar().setValue(0)

    def _anchor(self) -> tuple[str, int] | None:
        top = self.verticalScrollBar().value()
        place = bisect_right(self._tops, top) - 1
        return (self.rows[place].key, top - self._tops[place]) if 0 <= place < len(self.rows) else None

    # ---- places
    def head_width(self) -> int:
        """Width of the resources' column."""
        return theme.scaled(HEAD)

    def ticks_height(self) -> int:
        """Height of the line of hours or days."""
        return theme.scaled(TICKS)

    def _room(self) -> int:
        return max(1, self.viewport().width() - self.head_width())

    def scale_width(self) -> float:
        """Width of the whole window in pixels."""
        window, room = self.window_, self._room()
        if window is None:
            return room
        match window.scale:
            case Scale.DAY:
                usual = room * window.length / (DAY_HOURS * HOUR_MS)
            case Scale.MONTH:
                usual = max(room, theme.scaled(MONTH_DAY) * (window.after - window.first).days)
            case _:
                usual = max(room, theme.scaled(WEEK_DAY) * (window.after - window.first).days)
        return max(float(room), usual * self.zoom)

    def _offset(self, ms: float) -> float:
        window = self.window_
        return 0.0 if window is None else (ms - window.start) / window.length * self.scale_width()

    def x_of(self, ms: float) -> float:
        """Where a moment is on the screen."""
        return self.head_width() + self._offset(ms) - self.horizontalScrollBar().value()

    def ms_at(self, x: float) -> float:
        """The moment at a place of the screen."""
        window = self.window_
        if window is None:
            return 0.0
        offset = x - self.head_width() + self.horizontalScrollBar().value()
        return window.start + offset / self.scale_width() * window.length

    def row_at(self, y: float) -> int:
        """The row at a place of the screen, -1 for none."""
        place = bisect_right(self._tops, y - self.ticks_height() + self.verticalScrollBar().value()) - 1
        return place if y >= self.ticks_height() and 0 <= place < len(self.rows) else -1

    def row_rect(self, number: int) -> QRect:
        """A row's place on the screen."""
        top = self._tops[number] - self.verticalScrollBar().value() + self.ticks_height()
        return QRect(0, top, self.viewport().width(), self._tops[number + 1] - self._tops[number])

    def lane_rect(self, number: int, lane: int, start: int, end: int) -> QRectF:
        """A block's place on the screen."""
        row = self.row_rect(number)
        top = row.top() + theme.scaled(PAD) + lane * theme.scaled(LANE + GAP)
        left, right = self.x_of(start), self.x_of(end)
        return QRectF(left, top, max(theme.scaled(6), right - left - 1), theme.scaled(LANE))

    def visible_rows(self) -> range:
        """Numbers of the rows on the screen."""
        top = self.verticalScrollBar().value()
        first = max(0, bisect_right(self._tops, top) - 1)
        last = bisect_right(self._tops, top + self.viewport().height())
        return range(first, min(last, len(self.rows)))

    def block_at(self, place: QPointF) -> tuple[Block, QRectF] | None:
        """The block at a place of the screen."""
        number = self.row_at(place.y())
        if number < 0 or place.x() < self.head_width():
            return None
        for placed in reversed(self.rows[number].placed):
            rect = self.lane_rect(number, placed.lane, placed.block.start, placed.block.end)
            if rect.contains(place):
                return placed.block, rect
        return None

    def rect_of(self, key: str) -> QRectF | None:
        """Where a block stands on the screen; None when it is not in the window."""
        found = self.placed(key)
        return None if found is None else self.lane_rect(found[0], found[1], found[2].start, found[2].end)

    def placed(self, key: str) -> tuple[int, int, Block] | None:
        """Row, lane and block of a key, or of a record's id."""
        for number, row in enumerate(self.rows):
            for placed in row.placed:
                if key in (placed.block.key, placed.block.record.id):
                    return number, placed.lane, placed.block
        return None

    def _relayout(self) -> None:
        self._width = self.scale_width()
        self._tops = [0]
        for row in self.rows:
            height = theme.scaled(2 * PAD + LANE) + (row.lanes - 1) * theme.scaled(LANE + GAP)
            self._tops.append(self._tops[-1] + height)
        height = self.viewport().height() - self.ticks_height()
        self.verticalScrollBar().setRange(0, max(0, self._tops[-1] - height))
        self.verticalScrollBar().setPageStep(max(1, height))
        self.verticalScrollBar().setSingleStep(theme.scaled(LANE))
        self.horizontalScrollBar().setRange(0, max(0, round(self.scale_width()) - self._room()))
        self.horizontalScrollBar().setPageStep(self._room())
        self.horizontalScrollBar().setSingleStep(theme.scaled(LANE))

    # ---- choosing
    def choose(self, key: str, *, tell: bool = True) -> None:
        """Makes a block the current one, and scrolls to it."""
        found = self.placed(key) if key else None
        self.current = found[2].key if found is not None else ""
        if found is not None:
            self._reveal(found)
        self.setAccessibleDescription(self.spoken(found[2]) if found is not None else "")
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))
        if tell:
            self.selected.emit(found[2] if found is not None else None)
        self.viewport().update()

    def _reveal(self, found: tuple[int, int, Block]) -> None:
        number, lane, block = found
        rect = self.lane_rect(number, lane, block.start, block.end)
        width, bar = self.viewport().width(), self.horizontalScrollBar()
        if rect.right() < self.head_width() + 8 or rect.left() > width - 8:
            bar.setValue(round(bar.value() + rect.left() - self.head_width() - theme.scaled(40)))
        row, down = self.row_rect(number), self.verticalScrollBar()
        if row.top() < self.ticks_height():
            down.setValue(down.value() + row.top() - self.ticks_height())
        elif row.bottom() > self.viewport().height():
            down.setValue(down.value() + row.bottom() - self.viewport().height())

    # ---- mouse
    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if event.button() is not Qt.MouseButton.LeftButton or self.window_ is None:
            return
        hit = self.block_at(place)
        number = self.row_at(place.y())
        if hit is not None:
            block, rect = hit
            self.choose(block.key)
            mode = Mode.MOVE
            if rect.width() > 3 * EDGE and place.x() - rect.left() <= EDGE:
                mode = Mode.START
            elif rect.width() > 3 * EDGE and rect.right() - place.x() <= EDGE:
                mode = Mode.END
            self.drag = Drag(mode, place, self.ms_at(place.x()), number, block.start, block.end, block)
        elif number >= 0 and place.x() >= self.head_width():
            self.choose("")
            at = snapped(self.ms_at(place.x()) - SNAP_MS / 2)
            self.drag = Drag(Mode.CREATE, place, float(at), number, at, at + SNAP_MS)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place, drag = event.position(), self.drag
        if drag is None:
            self._show_cursor(place)
            return
        far = (place - drag.press).manhattanLength() >= QApplication.startDragDistance()
        if not drag.began and not far:
            return
        drag.began = True
        self._scroll_at_edge(place)
        drag.follow(self.ms_at(place.x()), self.row_at(place.y()), self._unit())
        drag.resource = self.rows[drag.row].key
        self.judge(drag)
        self.viewport().setCursor(Qt.CursorShape.ForbiddenCursor if drag.refusal else Qt.CursorShape.ClosedHandCursor)
        self.viewport().update()

    def _unit(self) -> int:
        return SNAP_MS

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag, self.drag = self.drag, None
        self.viewport().unsetCursor()
        if drag is None:
            return
        if not drag.began:
            if drag.block is not None:
                self.opened.emit(drag.block)
        elif drag.refusal:
            self.refused.emit(drag.refusal)
        elif drag.block is None:
            self.created.emit(drag.resource, drag.start, drag.end)
        elif drag.moved:
            self.changed.emit(drag.block, drag.resource, drag.start, drag.end)
        self.viewport().update()
        self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        number = self.row_at(event.position().y())
        if self.block_at(event.position()) is None and number >= 0 and event.position().x() >= self.head_width():
            at = snapped(self.ms_at(event.position().x()) - HOUR_MS / 2, HOUR_MS // 2)
            drag = Drag(Mode.CREATE, event.position(), float(at), number, at, at + HOUR_MS, began=True)
            drag.resource = self.rows[number].key
            self.judge(drag)
            (self.refused.emit(drag.refusal) if drag.refusal else self.created.emit(drag.resource, at, at + HOUR_MS))

    def _show_cursor(self, place: QPointF) -> None:
        hit = self.block_at(place)
        if hit is None or not hit[0].own:
            self.viewport().unsetCursor()
            return
        near = min(abs(place.x() - hit[1].left()), abs(place.x() - hit[1].right())) <= EDGE
        edge = near and hit[1].width() > 3 * EDGE
        self.viewport().setCursor(Qt.CursorShape.SizeHorCursor if edge else Qt.CursorShape.PointingHandCursor)

    def _scroll_at_edge(self, place: QPointF) -> None:
        rim, across, down = theme.scaled(24), self.horizontalScrollBar(), self.verticalScrollBar()
        if place.x() > self.viewport().width() - rim:
            across.setValue(across.value() + rim)
        elif place.x() < self.head_width() + rim:
            across.setValue(across.value() - rim)
        if place.y() > self.viewport().height() - rim:
            down.setValue(down.value() + rim)
        elif place.y() < self.ticks_height() + rim:
            down.setValue(down.value() - rim)

    # ---- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        names = {
            Qt.Key.Key_Left: "left",
            Qt.Key.Key_Right: "right",
            Qt.Key.Key_Up: "up",
            Qt.Key.Key_Down: "down",
        }
        key, held = event.key(), event.modifiers()
        if key == Qt.Key.Key_Escape and self.drag is not None:
            self.drag = None
            self.viewport().update()
            self.released.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            found = self.placed(self.current)
            if found is not None:
                self.opened.emit(found[2])
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.stepped.emit(-1 if key == Qt.Key.Key_PageUp else 1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            self.zoomed.emit(-1 if key == Qt.Key.Key_Minus else 1)
        elif (direction := names.get(Qt.Key(key))) is not None:
            self._on_arrow(direction, held)
        else:
            super().keyPressEvent(event)

    def _on_arrow(self, direction: str, held: Qt.KeyboardModifier) -> None:
        found = self.placed(self.current)
        if found is None:
            first = next((p.block.key for row in self.rows for p in row.placed), "")
            self.choose(first)
        elif held & Qt.KeyboardModifier.ControlModifier:
            self.choose(neighbors(self.rows, self.current).get(direction, self.current))
        else:
            self._nudge(found, direction, bool(held & Qt.KeyboardModifier.ShiftModifier))

    def _nudge(self, found: tuple[int, int, Block], direction: str, size: bool) -> None:
        number, _, block = found
        start, end = block.start, block.end
        step = {"left": -1, "right": 1}.get(direction, 0)
        if step:
            end = self._later(end, step)
            start = start if size else self._later(start, step)
        elif size or not 0 <= (number := number + (1 if direction == "down" else -1)) < len(self.rows):
            return
        drag = Drag(Mode.END if size else Mode.MOVE, QPointF(), 0.0, number, start, end, block, began=True)
        drag.resource = self.rows[number].key if number != found[0] else block.resource
        if end <= start:
            return
        self.judge(drag)
        if drag.refusal:
            self.refused.emit(drag.refusal)
        else:
            self.changed.emit(block, drag.resource, start, end)

    def _later(self, ms: int, step: int) -> int:
        """A quarter of an hour on a day's scale, else a day by the clock."""
        day_scale = self.window_ is not None and self.window_.scale is Scale.DAY
        return ms + step * SNAP_MS if day_scale else moved_days(ms, step)

    # ---- Qt overrides
    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoomed.emit(1 if delta.y() > 0 else -1)
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(delta.x()) > abs(delta.y()):
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - (delta.x() or delta.y()))
        else:
            super().wheelEvent(event)
            return
        event.accept()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            hit = self.block_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.spoken(hit[0]) if hit is not None else "", self)
            return True
        return super().viewportEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        fresh = event.oldSize().width() < theme.scaled(HEAD) * 2
        bar = self.horizontalScrollBar()
        share = bar.value() / max(1.0, self._width)
        self._relayout()
        if fresh:
            self._show_start()
        else:
            bar.setValue(round(share * self._width))  # the same hour stands at the left, however wide an hour is now

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        self.painter.paint(self)
