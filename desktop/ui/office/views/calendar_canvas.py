"""What the painted calendars share: places of entries and days, a chosen entry and day, dragging an entry to another day, making one over days, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QColor,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
)
from PySide6.QtWidgets import QAbstractScrollArea, QApplication, QFrame, QToolTip, QWidget

from desktop.models.agenda_layout import Entry
from desktop.models.record_values import local_date
from desktop.ui import i18n, theme
from desktop.ui.i18n import when
from desktop.ui.kit import draw_elided
from desktop.ui.kit.spoken import speak_as
from desktop.ui.office.views.date_bar import day_words
from desktop.ui.office.views.timeline_paint import tone_colors
from desktop.ui.theme import icons

NOW_MS: Final = 30_000
SPOKEN: Final = 5
"""Entries of a day that are read out with it; Space goes through all."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a part of an entry was painted."""

    rect: QRectF
    entry: Entry


@dataclass
class DayDrag:
    """A gesture over days; entry None: a new record is made from `origin` to `day`."""

    press: QPointF
    origin: date
    day: date
    entry: Entry | None = None
    began: bool = False


@dataclass(frozen=True, slots=True)
class CalendarWords:
    """What entries are called, their tone, what is said of one, and whether it may be moved."""

    title: Callable[[Entry], str]
    tone: Callable[[Entry], str]
    spoken: Callable[[Entry], str]
    may_move: Callable[[Entry], str]


class CalendarCanvas(QAbstractScrollArea):
    """Base of the month and the week. Sub-classes paint, fill `hits`, and know days at places.

    Signals:
        opened: an Entry. moved: an Entry and days to move it by. created: first and last day, start ms or None.
        selected: an Entry or None. refused: why not. stepped: windows to go. day_asked: a day to show alone.
    """

    opened = Signal(object)
    moved = Signal(object, int)
    created = Signal(object, object, object)
    selected = Signal(object)
    refused = Signal(str)
    stepped = Signal(int)
    day_asked = Signal(object)
    released = Signal()

    def __init__(self, words: CalendarWords, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        speak_as(self, QAccessible.Role.Chart)
        self.words, self.now_ms = words, now_ms
        self.days: Sequence[date] = ()
        self.entries: Sequence[Entry] = ()
        self.hits: list[Hit] = []
        self.current, self.marked = "", ""
        self.day = local_date(now_ms())
        self.drag: DayDrag | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        i18n.bind(self.setAccessibleName, "office_views.calendar")
        theme.changed.connect(self.relayout)
        i18n.changed.connect(self.viewport().update)
        self._clock = QTimer(self, interval=NOW_MS)
        self._clock.timeout.connect(self.viewport().update)
        self._clock.start()

    # ---- for sub-classes
    def day_at(self, place: QPointF) -> date | None:
        """The day at a place of the screen."""
        raise NotImplementedError

    def day_rect(self, day: date) -> QRectF:
        """A day's place on the screen; empty for one that is not shown."""
        raise NotImplementedError

    def relayout(self) -> None:
        """Sizes changed."""
        self.viewport().update()

    def moment_at(self, place: QPointF) -> int | None:
        """The moment at a place, where hours are shown."""
        return None

    def row_step(self) -> int:
        """Days from one line to the next, for the keyboard."""
        return 7

    # ---- what is shown
    def show_entries(self, days: Sequence[date], entries: Sequence[Entry]) -> None:
        """Other days or other entries."""
        self.days, self.entries = days, entries
        if self.day not in days and days:
            self.day = days[0] if not days[0] <= self.day <= days[-1] else self.day
        if self.current and self.entry_of(self.current) is None:
            self.current = ""
        self.relayout()

    def entry_of(self, record_id: str) -> Entry | None:
        """The entry of a record."""
        return next((one for one in self.entries if one.record.id == record_id), None)

    def of_day(self, day: date) -> list[Entry]:
        """Entries that touch a day."""
        return [one for one in self.entries if one.first <= day <= one.last]

    def entry_at(self, place: QPointF) -> Entry | None:
        """The entry painted at a place."""
        return next((hit.entry for hit in reversed(self.hits) if hit.rect.contains(place)), None)

    def choose(self, record_id: str, *, tell: bool = True) -> None:
        """Makes an entry the current one."""
        entry = self.entry_of(record_id) if record_id else None
        self.current = record_id if entry is not None else ""
        if entry is not None and not entry.first <= self.day <= entry.last:
            self.day = entry.first
        self._speak(self.words.spoken(entry) if entry is not None else self._day_words())
        if tell:
            self.selected.emit(entry)
        self.viewport().update()

    def choose_day(self, day: date) -> None:
        """Makes a day the current one; one outside of what is shown turns the page."""
        self.current, self.day = "", day
        if self.days and day not in self.days:
            self.stepped.emit(1 if day > self.days[-1] else -1)
        self._speak(self._day_words())
        self.viewport().update()

    def _day_words(self) -> str:
        held = self.of_day(self.day)
        day = i18n.tr("office_views.day_count", day=day_words("office_views.day_title", self.day), n=len(held))
        return "; ".join([day, *(self.words.spoken(one) for one in held[:SPOKEN])])

    def _speak(self, words: str) -> None:
        self.setAccessibleDescription(words)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.DescriptionChanged))

    # ---- painting
    def paint_entry(
        self, painter: QPainter, rect: QRectF, entry: Entry, *, clock: bool = True, round_ends: bool = True
    ) -> None:
        """One entry as a chip with its name; it can be pressed there."""
        self.hits.append(Hit(rect, entry))
        fill, edge, ink = tone_colors(self.words.tone(entry))
        drag = self.drag
        painter.setOpacity(0.4 if drag is not None and drag.began and drag.entry is entry else 1.0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(rect, 3, 3) if round_ends else painter.drawRect(rect)
        painter.fillRect(QRectF(rect.left(), rect.top(), 3, rect.height()), edge)
        room = rect.toRect().adjusted(theme.scaled(7), 0, -3, 0)
        glyph = "warning-circle-fill" if entry.record.refusal else "clock" if entry.record.pending else ""
        if glyph and room.width() > theme.scaled(24):
            side = theme.scaled(12)
            icons.paint(painter, QRectF(room.left(), room.center().y() - side / 2, side, side), glyph, ink)
            room.setLeft(room.left() + side + 3)
        words = self.words.title(entry)
        if clock and not entry.all_day:
            words = f"{when.clock(entry.start)} {words}"
        if room.height() > theme.scaled(34):
            painter.setFont(theme.font("small"))
            painter.setPen(ink)
            wrapped = Qt.TextFlag.TextWrapAnywhere | Qt.AlignmentFlag.AlignTop
            painter.drawText(room.adjusted(0, theme.scaled(4), 0, -2), int(wrapped), words)
        else:
            draw_elided(painter, room, words, theme.font("small"), ink)
        if entry.record.id in (self.current, self.marked):
            painter.setBrush(Qt.BrushStyle.NoBrush)
            strong = self.hasFocus() and entry.record.id == self.current
            painter.setPen(QPen(theme.tokens().accent, 2 if strong else 1))
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 3, 3)
        painter.setOpacity(1.0)

    def dragged_days(self) -> tuple[date, date] | None:
        """Days a gesture covers now."""
        drag = self.drag
        if drag is None or not drag.began:
            return None
        if drag.entry is None:
            return min(drag.origin, drag.day), max(drag.origin, drag.day)
        by = drag.day - drag.origin
        return drag.entry.first + by, drag.entry.last + by

    def paint_gesture(self, painter: QPainter, rect: QRectF) -> None:
        """Marks a day that a gesture covers."""
        colors = theme.tokens()
        soft = QColor(colors.accent)
        soft.setAlpha(36)
        painter.setPen(QPen(colors.accent, 1))
        painter.setBrush(soft)
        painter.drawRect(rect.adjusted(0.5, 0.5, -0.5, -0.5))

    # ---- mouse
    def mousePressEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position())
        if event.button() is not Qt.MouseButton.LeftButton or day is None:
            return
        entry = self.entry_at(event.position())
        if entry is not None:
            self.choose(entry.record.id)
        else:
            self.choose_day(day)
            self.selected.emit(None)
        self.drag = DayDrag(event.position(), day, day, entry)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        drag = self.drag
        if drag is None:
            over = self.entry_at(event.position()) is not None
            self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
            return
        if (event.position() - drag.press).manhattanLength() >= QApplication.startDragDistance():
            drag.began = True
        drag.day = self.day_at(event.position()) or drag.day
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        drag, self.drag = self.drag, None
        if drag is None:
            return
        entry = drag.entry
        if entry is None and drag.began:
            first, last = min(drag.origin, drag.day), max(drag.origin, drag.day)
            self.created.emit(first, last, self.moment_at(drag.press) if first == last else None)
        elif entry is not None and not drag.began:
            self.opened.emit(entry)
        elif entry is not None and drag.day != drag.origin:
            self.ask_move(entry, (drag.day - drag.origin).days)
        self.viewport().update()
        self.released.emit()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position())
        if day is not None and self.entry_at(event.position()) is None:
            self.created.emit(day, day, self.moment_at(event.position()))

    def ask_move(self, entry: Entry, days: int) -> None:
        """An entry is to go so many days on; what the user may not do is said."""
        refusal = self.words.may_move(entry)
        if refusal:
            self.refused.emit(refusal)
        else:
            self.moved.emit(entry, days)

    # ---- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Up: -self.row_step(),
            Qt.Key.Key_Down: self.row_step(),
        }
        key, entry = Qt.Key(event.key()), self.entry_of(self.current)
        if key == Qt.Key.Key_Escape and self.drag is not None:
            self.drag = None
            self.viewport().update()
            self.released.emit()
        elif key in steps and event.modifiers() & Qt.KeyboardModifier.ControlModifier and entry is not None:
            self.ask_move(entry, steps[key])
        elif key in steps:
            self.choose_day(self.day + timedelta(days=steps[key]))
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_N):
            self._next_of_day(-1 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            held = self.of_day(self.day)
            if entry is not None or held:
                self.opened.emit(entry or held[0])
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.stepped.emit(-1 if key == Qt.Key.Key_PageUp else 1)
        else:
            super().keyPressEvent(event)

    def _next_of_day(self, step: int) -> None:
        """Goes through the entries of the day."""
        held = [one.record.id for one in self.of_day(self.day)]
        if held:
            at = held.index(self.current) + step if self.current in held else 0
            self.choose(held[at % len(held)])

    # ---- Qt overrides
    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            entry = self.entry_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), self.words.spoken(entry) if entry is not None else "", self)
            return True
        return super().viewportEvent(event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        entry = self.entry_of(self.current)
        self._speak(self.words.spoken(entry) if entry is not None else self._day_words())
        self.viewport().update()
