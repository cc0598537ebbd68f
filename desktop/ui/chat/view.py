"""The message view: lays out only what is in sight, anchored at a message, so that nothing that loads elsewhere moves it.

Anchor = (row whose lower part is at the viewport's foot, pixels of it below the edge). The scroll bar counts places in the
conversation, not pixels: heights of rows out of sight are never needed (STACK trap 3).
"""

from collections import OrderedDict

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QPointF, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QContextMenuEvent,
    QCursor,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QWidget

from desktop.core.domain import Message
from desktop.models.messages import MessageWindow
from desktop.ui import i18n, theme
from desktop.ui.chat import text as words
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.row_painting import PaintState, RowPainter
from desktop.ui.chat.rows import Row, RowBuilder, Zone, file_zones, summary
from desktop.ui.chat.selection import End, Selection
from desktop.ui.i18n import tr, when
from desktop.ui.kit import conversation_name
from desktop.ui.theme.values_chat import WHEEL_STEP

KEPT_ROWS = 300
NEAR_END = 20  # rows left before the next page is asked for
UNIT = 100  # scroll bar steps of one message
PAD = 10
AUTOSCROLL_MS = 30


class MessageView(QAbstractScrollArea):
    """Shows a MessageWindow. What the user wants done comes out as signals; the pane above does it."""

    older_wanted = Signal()
    newer_wanted = Signal()
    jump_wanted = Signal(int)  # a place in the conversation that is not held
    newest_wanted = Signal()
    acted = Signal(str, str, str)  # action, message id, data
    menu_wanted = Signal(str, QPoint)  # message id, global place
    seen = Signal(int)  # the newest place in sight
    fresh_changed = Signal(int)  # messages that came while the foot is out of sight

    def __init__(self, window: MessageWindow, context: TalkContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._window, self._context = window, context
        self._builder, self._painter = RowBuilder(context), RowPainter(context)
        self._rows: OrderedDict[str, tuple[tuple[object, ...], Row]] = OrderedDict()
        self._row, self._off = -1, 0.0
        self._placed: list[tuple[int, float, Row]] = []
        self._guard = False
        self._fresh = 0
        self._last_place = 0
        self._focus_id = ""
        self.selection = Selection(window)
        self._pressed: tuple[Zone, str] | None = None
        self._press_at = QPointF()
        self._selecting = False
        self._autoscroll = QTimer(self)
        self._autoscroll.setInterval(AUTOSCROLL_MS)
        self._autoscroll.timeout.connect(self._on_autoscroll)
        self._build()
        self._bind()

    def _build(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.viewport().setMouseTracking(True)
        i18n.bind(self.setAccessibleName, "chat.view_name")

    def _bind(self) -> None:
        window = self._window
        window.modelReset.connect(self._on_reset)
        window.rowsInserted.connect(self._on_inserted)
        window.rowsRemoved.connect(self._on_removed)
        window.dataChanged.connect(self._on_changed)
        self.verticalScrollBar().valueChanged.connect(self._on_bar)
        theme.changed.connect(self.relayout)
        i18n.changed.connect(self.relayout)
        self._context.thumbnails.arrived.connect(lambda _blob: self.viewport().update())

    # ---- what others ask
    @property
    def at_newest(self) -> bool:
        """Whether the newest message is in sight and nothing newer is missing."""
        return not self._window.has_newer and self._row >= len(self._window) - 1 and self._off <= 1

    @property
    def anchor(self) -> tuple[str, float]:
        """The message at the foot and how many pixels of it lie below the edge."""
        return (self._window.at(self._row).id, self._off) if 0 <= self._row < len(self._window) else ("", 0.0)

    @property
    def placed(self) -> list[tuple[int, float, Row]]:
        """Rows in sight, lowest first: (row, y, layout)."""
        return self._placed

    @property
    def cached_rows(self) -> int:
        """How many laid-out rows are kept."""
        return len(self._rows)

    def set_last_place(self, seq: int) -> None:
        """The newest place of the conversation, for the scroll bar."""
        self._last_place = seq
        self._show_bar()

    def to_newest(self) -> None:
        """Goes to the foot; asks for it when it is not held."""
        self._set_fresh(0)
        if self._window.has_newer:
            self.newest_wanted.emit()
            return
        self._row, self._off = len(self._window) - 1, 0.0
        self._place()

    def show_message(self, message_id: str, *, at_top: bool = False) -> bool:
        """Brings a held message into sight; False when it is not held."""
        row = self._window.row_of(message_id)
        if row < 0:
            return False
        self._row = row
        height = self._layout(row).height
        self._off = 0.0
        room = self.viewport().height()
        self.scroll_up(-(room - height - PAD) if at_top else -(room - height) / 2)
        return True

    def relayout(self) -> None:
        """Everything looks different: theme, language, text size."""
        self._rows.clear()
        self._place()

    def refresh_row(self, message_id: str) -> None:
        """A name, post or mark of one message changed its layout."""
        self._rows.pop(message_id, None)
        self._place()

    def copy_selection(self) -> bool:
        """Puts the selection on the clipboard; False when there is none."""
        text = self.selected_text()
        if text:
            QApplication.clipboard().setText(text)
        return bool(text)

    def selected_text(self) -> str:
        """The selected text; over several messages each part stands under a line with its sender and time."""
        parts: list[tuple[Message, str]] = []
        for number in self.selection.rows():
            row = self._layout(number)
            stretch = self.selection.of(number, row.length)
            piece = row.copied(*stretch) if stretch else ""
            if piece:
                parts.append((row.message, piece))
        if len(parts) == 1:
            return parts[0][1]
        return "\n".join(f"{self._heading(message)}\n{piece}" for message, piece in parts)

    def _heading(self, message: Message) -> str:
        name = self._context.people.name(message.sender_id)
        if not name and self._context.conversation is not None:
            name = conversation_name(self._context.conversation)
        return f"{name} {when.date_time(message.sent_at)}"

    # ---- laying out
    def _layout(self, number: int) -> Row:
        message = self._window.at(number)
        previous = self._window.at(number - 1) if number else None
        width = self.viewport().width()
        line = bool(message.seq) and message.seq == self._context.unread_from
        key = (message, previous.id if previous else "", width, line)
        kept = self._rows.get(message.id)
        if kept is not None and kept[0] == key:
            self._rows.move_to_end(message.id)
            return kept[1]
        row = self._builder.build(message, previous, width, unread_line=line)
        self._rows[message.id] = (key, row)
        self._rows.move_to_end(message.id)
        while len(self._rows) > KEPT_ROWS:
            self._rows.popitem(last=False)
        return row

    def _place(self) -> None:
        """Settles the anchor within the talk, then fills the viewport from it upwards."""
        count = len(self._window)
        if not count:
            self._placed, self._row = [], -1
            self._describe()
            self.viewport().update()
            return
        self._row = min(max(self._row, 0), count - 1)
        self._settle()
        self._fill()
        top = self._placed[-1][1] if self._placed and self._placed[-1][0] == 0 else 0.0
        if top > PAD:  # the oldest message hangs in the middle: pull up, or stand at the top when all of it fits
            self._off -= top - PAD
            self._settle()
            self._fill()
            top = self._placed[-1][1] if self._placed[-1][0] == 0 else 0.0
            if top > PAD:
                self._placed = [(n, y - top + PAD, row) for n, y, row in self._placed]
        self._show_bar()
        self._want_more()
        self._tell_seen()
        self.viewport().update()

    def _settle(self) -> None:
        last = len(self._window) - 1
        while self._off < 0 and self._row < last:
            self._row += 1
            self._off += self._layout(self._row).height
        if self._off < 0 and self._row == last:
            self._off = 0.0
        while self._row > 0 and self._off >= (height := self._layout(self._row).height):
            self._off -= height
            self._row -= 1

    def _fill(self) -> None:
        height = self.viewport().height()
        y = height + self._off - (PAD if self._row == len(self._window) - 1 else 0)
        placed: list[tuple[int, float, Row]] = []
        number = self._row
        while number >= 0 and y > 0:
            row = self._layout(number)
            y -= row.height
            placed.append((number, y, row))
            number -= 1
        self._placed = placed

    def scroll_up(self, pixels: float) -> None:
        """Moves towards older messages; negative towards newer."""
        self._off += pixels
        self._place()
        if self.at_newest:
            self._set_fresh(0)

    def _want_more(self) -> None:
        if not self._placed:
            return
        if self._window.has_older and self._placed[-1][0] < NEAR_END:
            self.older_wanted.emit()
        if self._window.has_newer and self._row > len(self._window) - NEAR_END:
            self.newer_wanted.emit()

    def _tell_seen(self) -> None:
        newest = next((row.message.seq for _, _, row in self._placed if row.message.seq), 0)
        if newest:
            self.seen.emit(newest)

    # ---- the scroll bar
    def _seq_of(self, number: int) -> int:
        seq = self._window.at(number).seq
        return seq or self._window.last_seq + 1

    def _show_bar(self) -> None:
        bar = self.verticalScrollBar()
        if not self._placed:
            self._guard = True
            bar.setRange(0, 0)
            self._guard = False
            return
        whole = max(self._last_place, self._window.last_seq, len(self._window))
        step = min(len(self._placed), whole) * UNIT
        fits = not self._window.has_older and not self._window.has_newer and len(self._placed) == len(self._window)
        fits = fits and self._placed[-1][1] >= 0
        share = self._off / max(1.0, self._layout(self._row).height)
        value = round((self._seq_of(self._row) - share) * UNIT)
        self._guard = True
        bar.setPageStep(step)
        bar.setSingleStep(UNIT)
        bar.setRange(0, 0 if fits else max(0, whole * UNIT - step))
        bar.setValue(bar.maximum() if self.at_newest else max(0, value - step))
        self._guard = False

    def _on_bar(self, value: int) -> None:
        if self._guard:
            return
        bar = self.verticalScrollBar()
        if value >= bar.maximum():
            self.to_newest()
            return
        place = (value + bar.pageStep()) / UNIT
        seq = max(1, int(place))
        number = self._window.row_of_seq(seq)
        if number < 0:
            self.jump_wanted.emit(seq)
            return
        self._row = number
        self._off = (1 - (place - seq)) * self._layout(number).height if place > seq else 0.0
        self._place()

    # ---- changes of the model
    def _on_reset(self) -> None:
        self._rows.clear()
        self.selection.clear()
        self._focus_id = ""
        self._set_fresh(0)
        self._row, self._off = len(self._window) - 1, 0.0
        self._place()

    def _on_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        count = last - first + 1
        appended = first + count == len(self._window)
        followed = self._row >= first - 1 and self._off <= 1
        if not appended or first <= self._row:
            if first <= self._row or (first == 0 and self._row < 0):
                self._row += count
            self._place()
            return
        if not self._window.arriving:
            self._place()
            return
        mine = any(self._window.at(n).sender_id == self._context.me_id for n in range(first, last + 1))
        if not mine:
            self._announce(self._window.at(last))
        if (followed and not self._selecting) or mine:
            self._row, self._off = len(self._window) - 1, 0.0
        elif not self._window.has_newer:
            self._set_fresh(self._fresh + count)
        self._place()

    def _on_removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        if last < self._row:
            self._row -= last - first + 1
        elif first <= self._row:
            self._row, self._off = first - 1, 0.0
        self._place()

    def _on_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        for number in range(first.row(), last.row() + 1):
            self._rows.pop(self._window.at(number).id, None)
        self._place()

    def _set_fresh(self, count: int) -> None:
        if count != self._fresh:
            self._fresh = count
            self.fresh_changed.emit(count)

    # ---- finding what is where
    def _hit(self, place: QPointF) -> tuple[int, Row, QPointF] | None:
        """The row at a point, with the point inside the row; beyond the last row, its end."""
        for number, y, row in self._placed:
            if place.y() >= y:
                return number, row, QPointF(place.x(), min(place.y() - y, row.height))
        return None

    def _zone_at(self, place: QPointF) -> tuple[Zone, str] | None:
        hit = self._hit(place)
        if hit is None:
            return None
        _, row, local = hit
        zones = row.zones
        if row.body == "file":
            zones = [*file_zones(row, self._context.transfer_of(row.message)), *zones]
        return next(((zone, row.message.id) for zone in zones if zone.rect.contains(local)), None)

    def _end_at(self, place: QPointF) -> End | None:
        hit = self._hit(place)
        if hit is None:
            if not self._placed:
                return None
            return End(self._placed[-1][2].message.id, 0)
        _, row, local = hit
        return End(row.message.id, row.text_at(local))

    # ---- Qt
    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Leave:
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dirty = QRectF(event.rect())
        painter.fillRect(dirty, theme.tokens().bg)
        selected = not self.selection.empty
        for number, y, row in self._placed:
            if y + row.height < dirty.top() or y > dirty.bottom():
                continue
            focused = self.hasFocus() and row.message.id == self._focus_id
            state = PaintState(self.selection.of(number, row.length) if selected else None, focused)
            painter.translate(0, y)
            self._painter.paint(painter, row, state)
            painter.translate(0, -y)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """The bar's movement is handled in `_on_bar`."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels = event.pixelDelta().y() or event.angleDelta().y() / 120 * theme.scaled(WHEEL_STEP)
        if pixels:
            self.scroll_up(pixels)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self._press_at = event.position()
        self._pressed = self._zone_at(event.position())
        end = self._end_at(event.position())
        if end is None:
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not self.selection.empty:
            self.selection.extend(end)
        else:
            self.selection.start(end)
        self._focus_id = end.message_id
        self._describe()
        self.viewport().update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = event.position()
        if not event.buttons() & Qt.MouseButton.LeftButton:
            self._show_cursor(place)
            return
        far = (place - self._press_at).manhattanLength() >= QApplication.startDragDistance()
        if not self._selecting and not far:
            return
        self._selecting, self._pressed = True, None
        self._extend(place)
        inside = self.viewport().rect().contains(place.toPoint())
        if inside:
            self._autoscroll.stop()
        elif not self._autoscroll.isActive():
            self._autoscroll.start()

    def _extend(self, place: QPointF) -> None:
        end = self._end_at(place)
        if end is not None:
            self.selection.extend(end)
            self.viewport().update()

    def _on_autoscroll(self) -> None:
        place = self.viewport().mapFromGlobal(QCursor.pos())
        if not self._selecting or self.viewport().rect().contains(place):
            self._autoscroll.stop()
            return
        if place.y() < 0:
            self.scroll_up(min(60, -place.y()))
        elif place.y() > self.viewport().height():
            self.scroll_up(-min(60, place.y() - self.viewport().height()))
        self._extend(QPointF(place))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._autoscroll.stop()
        self._selecting = False
        pressed, self._pressed = self._pressed, None
        if pressed is None or event.button() is not Qt.MouseButton.LeftButton:
            return
        now = self._zone_at(event.position())
        if now is not None and (now[0].action, now[1]) == (pressed[0].action, pressed[1]):
            self.acted.emit(now[0].action, now[1], now[0].data)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        hit = self._hit(event.position())
        if hit is None or hit[1].layout is None or self._zone_at(event.position()):
            return
        _, row, local = hit
        place = row.text_at(local)
        layout = row.layout
        if layout is None:
            return
        start = layout.previousCursorPosition(min(place + 1, row.length), layout.CursorMode.SkipWords)
        end = layout.nextCursorPosition(start, layout.CursorMode.SkipWords)
        self.selection.start(End(row.message.id, start))
        self.selection.extend(End(row.message.id, end))
        self.viewport().update()

    def _show_cursor(self, place: QPointF) -> None:
        shape = Qt.CursorShape.ArrowCursor
        zone = self._zone_at(place)
        hit = self._hit(place)
        if zone is not None:
            shape = Qt.CursorShape.PointingHandCursor
        elif hit is not None and hit[1].layout is not None and hit[1].bubble.contains(hit[2]):
            shape = Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            place = self._row_rect(self._focus_id).center()
            self.menu_wanted.emit(self._focus_id, self.viewport().mapToGlobal(place))
            return
        hit = self._hit(QPointF(event.pos()))
        if hit is not None:
            self.menu_wanted.emit(hit[1].message.id, event.globalPos())

    def _row_rect(self, message_id: str) -> QRect:
        for _, y, row in self._placed:
            if row.message.id == message_id:
                return row.bubble.translated(0, y).toRect()
        return self.viewport().rect()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = self.viewport().height() - theme.scaled(40)
        key = event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            if not self.copy_selection():
                self._copy_focused()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif key == Qt.Key.Key_PageUp:
            self.scroll_up(page)
        elif key == Qt.Key.Key_PageDown:
            self.scroll_up(-page)
        elif key == Qt.Key.Key_Home:
            self._to_oldest()
        elif key == Qt.Key.Key_End:
            self.to_newest()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._move_focus(-1 if key == Qt.Key.Key_Up else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._act_on_focus()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        if (
            not self._focus_id
            and self._placed
            and event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        ):
            self._focus_id = self._placed[0][2].message.id
        self._describe()
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()

    def _to_oldest(self) -> None:
        if self._window.has_older:
            self.jump_wanted.emit(1)
        elif len(self._window):
            self._row, self._off = 0, 0.0
            self._place()

    def _move_focus(self, step: int) -> None:
        number = self._window.row_of(self._focus_id)
        number = self._row if number < 0 else min(max(number + step, 0), len(self._window) - 1)
        if number < 0:
            return
        self._focus_id = self._window.at(number).id
        self._reveal(number)
        self._describe()
        self.viewport().update()

    def _reveal(self, number: int) -> None:
        place = next((y for n, y, _ in self._placed if n == number), None)
        height = self._layout(number).height
        if place is None and number < (self._placed[-1][0] if self._placed else 0):
            while self._placed and self._placed[-1][0] > number and self._placed[-1][0] > 0:
                self.scroll_up(height)
            place = next((y for n, y, _ in self._placed if n == number), 0.0)
        if place is None:
            self._row, self._off = number, 0.0
            self._place()
        elif place < 0:
            self.scroll_up(-place + PAD)
        elif place + height > self.viewport().height():
            self.scroll_up(self.viewport().height() - place - height - PAD)

    def _act_on_focus(self) -> None:
        number = self._window.row_of(self._focus_id)
        if number < 0:
            return
        row = self._layout(number)
        zones = [z for z in row.zones if z.action != "person"]
        if row.body == "file":
            zones = file_zones(row, self._context.transfer_of(row.message))
        if zones:
            self.acted.emit(zones[0].action, row.message.id, zones[0].data)

    def _copy_focused(self) -> None:
        number = self._window.row_of(self._focus_id)
        if number >= 0:
            QApplication.clipboard().setText(summary(self._window.at(number)))

    def select_all(self) -> None:
        """Selects all that is held."""
        if len(self._window):
            last = len(self._window) - 1
            self.selection.start(End(self._window.at(0).id, 0))
            self.selection.extend(End(self._window.at(last).id, self._layout(last).length))
            self.viewport().update()

    def _describe(self) -> None:
        """Keeps the description for screen readers at the message that has the focus."""
        number = self._window.row_of(self._focus_id)
        if number < 0:
            self.setAccessibleDescription(tr("chat.view_empty") if not len(self._window) else "")
            return
        self.setAccessibleDescription(self._spoken(self._window.at(number)))
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    def _spoken(self, message: Message) -> str:
        return f"{self._heading(message)} {words.one_line(summary(message), 400)}"

    def _announce(self, message: Message) -> None:
        """Lets a screen reader say a message that has just come."""
        if QAccessible.isActive() and self.isVisible():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self._spoken(message)))
