"""What the mouse does to the messages: presses what reacts, selects by dragging, by double click and beyond the edges."""

from collections.abc import Callable

from PySide6.QtCore import QObject, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.file_cards import file_zones
from desktop.ui.chat.flow import RowFlow
from desktop.ui.chat.picking import Picking
from desktop.ui.chat.selection import End, Selection
from desktop.ui.chat.zones import Zone

AUTOSCROLL_MS = 30
AUTOSCROLL_MOST = 60


class Pointer(QObject):
    """The mouse over one viewport. `pressed_at` names the message under a press, `acted` what a click asked for."""

    acted = Signal(str, str, str)  # action, message id, data
    pressed_at = Signal(str)  # message id
    over = Signal(str)  # the message under the mouse, empty while a drag selects

    def __init__(
        self,
        viewport: QWidget,
        flow: RowFlow,
        selection: Selection,
        picking: Picking,
        context: TalkContext,
        scroll_up: Callable[[float], None],
    ) -> None:
        super().__init__(viewport)
        self._viewport, self._flow, self._selection, self._context = viewport, flow, selection, context
        self._picking, self._scroll_up = picking, scroll_up
        self._pressed: tuple[Zone, str] | None = None
        self._press_at = QPointF()
        self.selecting = False
        self._autoscroll = QTimer(self)
        self._autoscroll.setInterval(AUTOSCROLL_MS)
        self._autoscroll.timeout.connect(self._on_autoscroll)

    # ---- finding what is where
    def zone_at(self, place: QPointF) -> tuple[Zone, str] | None:
        """What reacts at a point, with its message's id."""
        hit = self._flow.hit(place)
        if hit is None:
            return None
        _, row, local = hit
        zones = row.zones
        if row.body == "file":
            zones = [*file_zones(row, self._context.transfer_of(row.message)), *zones]
        return next(((zone, row.message.id) for zone in zones if zone.rect.contains(local)), None)

    def _end_at(self, place: QPointF) -> End | None:
        hit = self._flow.hit(place)
        if hit is None:
            return End(self._flow.placed[-1][2].message.id, 0) if self._flow.placed else None
        _, row, local = hit
        return End(row.message.id, row.text_at(local))

    # ---- the mouse
    def press(self, event: QMouseEvent) -> None:
        """The left button went down."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self._press_at = event.position()
        self._pressed = self.zone_at(event.position())
        if self._picking.active:
            self._pick(event)
            return
        end = self._end_at(event.position())
        if end is None:
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not self._selection.empty:
            self._selection.extend(end)
        else:
            self._selection.start(end)
        self.pressed_at.emit(end.message_id)
        self._viewport.update()

    def _pick(self, event: QMouseEvent) -> None:
        """While several are picked a press anywhere in a row picks it; with Shift, all up to it."""
        self._pressed = None
        hit = self._flow.hit(event.position())
        if hit is None:
            return
        self.pressed_at.emit(hit[1].message.id)
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._picking.extend_to(hit[1].message.id)
        else:
            self._picking.toggle(hit[1].message.id)

    def move(self, event: QMouseEvent) -> None:
        """It moved: a drag selects, else the cursor tells what is there."""
        place = event.position()
        if not event.buttons() & Qt.MouseButton.LeftButton:
            self._show_cursor(place)
            hit = self._flow.hit(place)
            self.over.emit(hit[1].message.id if hit is not None else "")
            return
        if self._picking.active:
            return
        far = (place - self._press_at).manhattanLength() >= QApplication.startDragDistance()
        if not self.selecting and not far:
            return
        if not self.selecting:
            self.over.emit("")
        self.selecting, self._pressed = True, None
        self._extend(place)
        inside = self._viewport.rect().contains(place.toPoint())
        if inside:
            self._autoscroll.stop()
        elif not self._autoscroll.isActive():
            self._autoscroll.start()

    def _extend(self, place: QPointF) -> None:
        end = self._end_at(place)
        if end is not None:
            self._selection.extend(end)
            self._viewport.update()

    def _on_autoscroll(self) -> None:
        place = self._viewport.mapFromGlobal(QCursor.pos())
        height = self._viewport.height()
        if not self.selecting or self._viewport.rect().contains(place):
            self._autoscroll.stop()
            return
        if place.y() < 0:
            self._scroll_up(min(AUTOSCROLL_MOST, -place.y()))
        elif place.y() > height:
            self._scroll_up(-min(AUTOSCROLL_MOST, place.y() - height))
        self._extend(QPointF(place))

    def release(self, event: QMouseEvent) -> None:
        """The button went up: over what it went down on, that is a click."""
        self._autoscroll.stop()
        self.selecting = False
        pressed, self._pressed = self._pressed, None
        if pressed is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        now = self.zone_at(event.position())
        if now is not None and (now[0].action, now[1]) == (pressed[0].action, pressed[1]):
            self.acted.emit(now[0].action, now[1], now[0].data)

    def double_click(self, event: QMouseEvent) -> None:
        """Selects a word."""
        hit = self._flow.hit(event.position())
        if hit is None or hit[1].layout is None or self.zone_at(event.position()):
            return
        _, row, local = hit
        layout = row.layout
        if layout is None:
            return
        start = layout.previousCursorPosition(min(row.text_at(local) + 1, row.length), layout.CursorMode.SkipWords)
        end = layout.nextCursorPosition(start, layout.CursorMode.SkipWords)
        self._selection.start(End(row.message.id, start))
        self._selection.extend(End(row.message.id, end))
        self._viewport.update()

    def _show_cursor(self, place: QPointF) -> None:
        shape = Qt.CursorShape.ArrowCursor
        hit = self._flow.hit(place)
        if self.zone_at(place) is not None:
            shape = Qt.CursorShape.PointingHandCursor
        elif hit is not None and hit[1].layout is not None and hit[1].bubble.contains(hit[2]):
            shape = Qt.CursorShape.IBeamCursor
        self._viewport.setCursor(shape)
