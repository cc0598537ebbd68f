"""The message view: a RowFlow under a scroll bar that counts places in the conversation, not pixels. Mouse, keys, focus, copying.

Layout and anchor are the flow's, the mouse is the pointer's, what screen readers see is in accessible.py.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QModelIndex, QPoint, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QFrame, QToolTip, QWidget

from desktop.core.domain import Message
from desktop.models.messages import MessageWindow
from desktop.ui import i18n, theme
from desktop.ui.chat import accessible
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.file_cards import file_zones
from desktop.ui.chat.flow import PAD, Placed, RowFlow
from desktop.ui.chat.hover_bar import HoverBar
from desktop.ui.chat.picking import Picking, pickable
from desktop.ui.chat.pointing import Pointer
from desktop.ui.chat.row_painting import PaintState, RowPainter, paint_pick
from desktop.ui.chat.selection import End, Selection
from desktop.ui.chat.spoken_line import spoken
from desktop.ui.chat.zones import Zone
from desktop.ui.i18n import tr
from desktop.ui.theme.values_chat import WHEEL_STEP

if TYPE_CHECKING:
    from desktop.ui.chat.copying import Copier

NEAR_END = 20  # rows left before the next page is asked for
UNIT = 100  # scroll bar steps of one message


class MessageView(accessible.SpokenArea):
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
        accessible.install()
        self.window_model, self._context = window, context
        self._painter = RowPainter(context)
        self._flow = RowFlow(window, context)
        self._flow.resize(self.viewport().width(), self.viewport().height())
        self._guard = False
        self._fresh = 0
        self._last_place = 0
        self.focused_message = ""
        self.selection = Selection(window)
        self.picking = Picking(window, self)
        self._pointer = Pointer(self.viewport(), self._flow, self.selection, self.picking, context, self.scroll_up)
        self.hover_bar = HoverBar(self.viewport(), self._flow)
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
        window = self.window_model
        window.modelReset.connect(self._on_reset)
        window.rowsInserted.connect(self._on_inserted)
        window.rowsRemoved.connect(self._on_removed)
        window.dataChanged.connect(self._on_changed)
        self.verticalScrollBar().valueChanged.connect(self._on_bar)
        self._pointer.acted.connect(self.acted)
        self._pointer.pressed_at.connect(self._focus)
        self._pointer.over.connect(self._on_over)
        self.picking.changed.connect(self._on_picking)
        theme.changed.connect(self.relayout)
        i18n.changed.connect(self.relayout)
        self._context.thumbnails.arrived.connect(lambda _blob: self.viewport().update())

    # ---- what others ask
    @property
    def at_newest(self) -> bool:
        """Whether the newest message is in sight and nothing newer is missing."""
        return self._flow.at_newest

    @property
    def anchor(self) -> tuple[str, float]:
        """The message at the foot and how many pixels of it lie below the edge."""
        row = self._flow.row
        return (self.window_model.at(row).id, self._flow.off) if 0 <= row < len(self.window_model) else ("", 0.0)

    @property
    def placed(self) -> list[Placed]:
        """Rows in sight, lowest first: (row, y, layout)."""
        return self._flow.placed

    @property
    def cached_rows(self) -> int:
        """How many laid-out rows are kept."""
        return self._flow.kept

    def set_last_place(self, seq: int) -> None:
        """The newest place of the conversation, for the scroll bar."""
        self._last_place = seq
        self._show_bar()

    def to_newest(self) -> None:
        """Goes to the foot; asks for it when it is not held, or nothing is yet."""
        self._set_fresh(0)
        if self.window_model.has_newer or not len(self.window_model):
            self.newest_wanted.emit()
            return
        self._flow.hang_newest()
        self._place()

    def show_message(self, message_id: str, *, at_top: bool = False) -> bool:
        """Brings a held message into sight; False when it is not held."""
        row = self.window_model.row_of(message_id)
        if row < 0:
            return False
        room, height = self.viewport().height(), self._flow.layout(row).height
        self._flow.hang_at(row)
        self.scroll_up(-(room - height - PAD) if at_top else -(room - height) / 2)
        return True

    def relayout(self) -> None:
        """Everything looks different: theme, language, text size."""
        self._flow.forget()
        self._place()

    def refresh_row(self, message_id: str) -> None:
        """A name, post or mark of one message changed its layout."""
        self._flow.forget(message_id)
        self._place()

    def scroll_up(self, pixels: float) -> None:
        """Moves towards older messages; negative towards newer."""
        self._flow.off += pixels
        self._place()
        if self.at_newest:
            self._set_fresh(0)

    # ---- copying
    @cached_property
    def _copier(self) -> "Copier":
        from desktop.ui.chat.copying import Copier

        return Copier(self.selection, self._flow, self._context)

    def selected_text(self) -> str:
        """The selected text; over several messages each part stands under a line with its sender and time."""
        return self._copier.selected_text()

    def copy_selection(self) -> bool:
        """Puts the selection on the clipboard; False when there is none."""
        data = self._copier.selected_data()
        if data is not None:
            QApplication.clipboard().setMimeData(data)
        return data is not None

    def copy_messages(self, messages: Sequence[Message]) -> None:
        """Puts whole messages on the clipboard, plain and as HTML."""
        rows = [self.window_model.row_of(message.id) for message in messages]
        QApplication.clipboard().setMimeData(self._copier.messages_data(messages, rows))

    def select_all(self) -> None:
        """Selects all that is held."""
        if len(self.window_model):
            last = len(self.window_model) - 1
            self.selection.start(End(self.window_model.at(0).id, 0))
            self.selection.extend(End(self.window_model.at(last).id, self._flow.layout(last).length))
            self.viewport().update()

    def zones_of(self, message_id: str) -> list[Zone]:
        """What reacts in a held message, for the menu: all that the mouse can do, the keyboard can."""
        number = self.window_model.row_of(message_id)
        return list(self._flow.layout(number).zones) if number >= 0 else []

    # ---- picking several
    def _on_picking(self) -> None:
        if self._context.picking != self.picking.active:
            self._context.picking = self.picking.active
            self.selection.clear()
            self.relayout()
            self.setFocus()
        self.viewport().update()

    def _on_over(self, message_id: str) -> None:
        """The mouse is over a message, or over none."""
        found = next(((y, row) for _, y, row in self.placed if row.message.id == message_id), None)
        wanted = found is not None and not self.picking.active and pickable(found[1].message)
        self.hover_bar.follow(found[1] if found is not None and wanted else None, found[0] if found else 0.0)

    # ---- placing
    def _place(self) -> None:
        self.hover_bar.leave()
        self._flow.place()
        if not self._flow.placed:
            self._describe()
        else:
            self._show_bar()
            self._want_more()
            self._tell_seen()
        self.viewport().update()

    def _want_more(self) -> None:
        if self.window_model.has_older and self._flow.top_row < NEAR_END:
            self.older_wanted.emit()
        if self.window_model.has_newer and self._flow.row > len(self.window_model) - NEAR_END:
            self.newer_wanted.emit()

    def _tell_seen(self) -> None:
        newest = next((row.message.seq for _, _, row in self.placed if row.message.seq), 0)
        if newest:
            self.seen.emit(newest)

    # ---- the scroll bar
    def _seq_of(self, number: int) -> int:
        return self.window_model.at(number).seq or self.window_model.last_seq + 1

    def _show_bar(self) -> None:
        bar, flow = self.verticalScrollBar(), self._flow
        self._guard = True
        if not flow.placed:
            bar.setRange(0, 0)
        else:
            whole = max(self._last_place, self.window_model.last_seq, len(self.window_model))
            step = min(len(flow.placed), whole) * UNIT
            share = flow.off / max(1.0, flow.layout(flow.row).height)
            value = round((self._seq_of(flow.row) - share) * UNIT)
            bar.setPageStep(step)
            bar.setSingleStep(UNIT)
            bar.setRange(0, 0 if flow.fits else max(0, whole * UNIT - step))
            bar.setValue(bar.maximum() if flow.at_newest else max(0, value - step))
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
        number = self.window_model.row_of_seq(seq)
        if number < 0:
            self.jump_wanted.emit(seq)
            return
        self._flow.hang_at(number, (1 - (place - seq)) * self._flow.layout(number).height if place > seq else 0.0)
        self._place()

    # ---- changes of the model
    def _on_reset(self) -> None:
        self._flow.forget()
        self.selection.clear()
        self.focused_message = ""
        self._set_fresh(0)
        self._flow.hang_newest()
        self._place()
        accessible.tell_reorder(self)

    def _on_inserted(self, _parent: QModelIndex, first: int, last: int) -> None:
        count, window, flow = last - first + 1, self.window_model, self._flow
        appended = first + count == len(window)
        followed = flow.row >= first - 1 and flow.off <= 1
        if not appended or first <= flow.row:
            flow.inserted(first, count)
        elif window.arriving:
            mine = any(window.at(n).sender_id == self._context.me_id for n in range(first, last + 1))
            if not mine:
                self._announce(window.at(last).id)
            if (followed and not self._pointer.selecting) or mine:
                flow.hang_newest()
            elif not window.has_newer:
                self._set_fresh(self._fresh + count)
        self._place()
        accessible.tell_reorder(self)

    def _on_removed(self, _parent: QModelIndex, first: int, last: int) -> None:
        self._flow.removed(first, last)
        self._place()
        accessible.tell_reorder(self)

    def _on_changed(self, first: QModelIndex, last: QModelIndex) -> None:
        for number in range(first.row(), last.row() + 1):
            self._flow.forget(self.window_model.at(number).id)
        self._place()

    def _set_fresh(self, count: int) -> None:
        if count != self._fresh:
            self._fresh = count
            self.fresh_changed.emit(count)

    # ---- the message that has the keyboard
    def _focus(self, message_id: str) -> None:
        self.focused_message = message_id
        self._describe()
        accessible.tell_focus(self)
        self.viewport().update()

    def _move_focus(self, step: int) -> None:
        number = self.window_model.row_of(self.focused_message)
        number = self._flow.row if number < 0 else min(max(number + step, 0), len(self.window_model) - 1)
        if number >= 0:
            self._reveal(number)
            self._focus(self.window_model.at(number).id)

    def _reveal(self, number: int) -> None:
        flow, room = self._flow, self.viewport().height()
        place, height = flow.y_of(number), flow.layout(number).height
        if place is None and number < flow.top_row:
            while flow.top_row > number:
                self.scroll_up(height)
            place = flow.y_of(number) or 0.0
        if place is None:
            flow.hang_at(number)
            self._place()
        elif place < 0:
            self.scroll_up(-place + PAD)
        elif place + height > room:
            self.scroll_up(room - place - height - PAD)

    def _act_on_focus(self) -> None:
        number = self.window_model.row_of(self.focused_message)
        if number < 0:
            return
        row = self._flow.layout(number)
        zones = [z for z in row.zones if z.action != "person"]
        if row.body == "file":
            zones = file_zones(row, self._context.transfer_of(row.message))
        if zones:
            self.acted.emit(zones[0].action, row.message.id, zones[0].data)

    def _copy_focused(self) -> None:
        number = self.window_model.row_of(self.focused_message)
        if number >= 0:
            self.copy_messages([self.window_model.at(number)])

    # ---- what a screen reader asks
    def spoken(self, message_id: str) -> str:
        number = self.window_model.row_of(message_id)
        return spoken(self.window_model.at(number), self._context) if number >= 0 else ""

    def global_rect(self, message_id: str) -> QRect:
        for _, y, row in self.placed:
            if row.message.id == message_id:
                box = row.bubble.translated(0, y).toRect() & self.viewport().rect()
                return QRect(self.viewport().mapToGlobal(box.topLeft()), box.size())
        return QRect()

    def message_at(self, x: int, y: int) -> str:
        hit = self._flow.hit(QPointF(self.viewport().mapFromGlobal(QPoint(x, y))))
        return hit[1].message.id if hit is not None else ""

    def _describe(self) -> None:
        """Keeps the description at the message that has the keyboard, for readers that do not ask for children."""
        text = self.spoken(self.focused_message)
        self.setAccessibleDescription(text or (tr("chat.view_empty") if not len(self.window_model) else ""))
        if text and QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    def _announce(self, message_id: str) -> None:
        """Lets a screen reader say a message that has just come."""
        if QAccessible.isActive() and self.isVisible():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.spoken(message_id)))

    # ---- Qt
    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            zone = self._pointer.zone_at(QPointF(event.pos()))
            if zone is not None and zone[0].tip:
                QToolTip.showText(event.globalPos(), zone[0].tip, self.viewport())
            else:
                QToolTip.hideText()
            return True
        if event.type() == QEvent.Type.Leave:
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor)
            self.hover_bar.leave()
        return super().viewportEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        dirty = QRectF(event.rect())
        painter.fillRect(dirty, theme.tokens().bg)
        selected = not self.selection.empty
        for number, y, row in self.placed:
            if y + row.height < dirty.top() or y > dirty.bottom():
                continue
            focused = self.hasFocus() and row.message.id == self.focused_message
            state = PaintState(self.selection.of(number, row.length) if selected else None, focused)
            painter.translate(0, y)
            if self.picking.active and pickable(row.message):
                paint_pick(painter, row, picked=row.message.id in self.picking)
            self._painter.paint(painter, row, state)
            painter.translate(0, -y)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._flow.resize(self.viewport().width(), self.viewport().height())
        self._place()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """The bar's movement is handled in `_on_bar`."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        pixels = event.pixelDelta().y() or event.angleDelta().y() / 120 * theme.scaled(WHEEL_STEP)
        if pixels:
            self.scroll_up(pixels)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pointer.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer.move(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pointer.release(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._pointer.double_click(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            place = self.global_rect(self.focused_message)
            middle = self.viewport().mapToGlobal(self.viewport().rect().center())
            self.menu_wanted.emit(self.focused_message, middle if place.isEmpty() else place.center())
            return
        hit = self._flow.hit(QPointF(event.pos()))
        if hit is not None:
            self.menu_wanted.emit(hit[1].message.id, event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        page = self.viewport().height() - theme.scaled(40)
        key = event.key()
        if event.matches(QKeySequence.StandardKey.Copy):
            if not self.copy_selection():
                self._copy_focused()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self.select_all()
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.scroll_up(page if key == Qt.Key.Key_PageUp else -page)
        elif key == Qt.Key.Key_Home:
            self._to_oldest()
        elif key == Qt.Key.Key_End:
            self.to_newest()
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._move_focus(-1 if key == Qt.Key.Key_Up else 1)
        elif self.picking.active and key == Qt.Key.Key_Escape:
            self.picking.stop()
        elif self.picking.active and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.picking.toggle(self.focused_message)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._act_on_focus()
        else:
            super().keyPressEvent(event)

    def _to_oldest(self) -> None:
        if self.window_model.has_older:
            self.jump_wanted.emit(1)
        elif len(self.window_model):
            self._flow.hang_at(0)
            self._place()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        by_keyboard = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        if not self.focused_message and self.placed and by_keyboard:
            self.focused_message = self.placed[0][2].message.id
        self._focus(self.focused_message)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()
