"""The calendar as a list: days with something on them, and what it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.models.agenda_layout import Entry
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import ListPane, RowDelegate, draw_elided, paint_chip
from desktop.ui.office.views.calendar_canvas import CalendarWords
from desktop.ui.office.views.date_bar import day_words
from desktop.ui.office.views.timeline_paint import time_words, tone_colors

Index = QModelIndex | QPersistentModelIndex
Line = tuple[date, Entry | None]
"""A day, or an entry that touches it."""


def lines_of(entries: Sequence[Entry], first: date, after: date) -> list[Line]:
    """Each day with something on it, followed by its entries; one over several days stands on its first one here."""
    by: dict[date, list[Entry]] = {}
    for entry in entries:
        day = max(entry.first, first)
        if day < after:
            by.setdefault(day, []).append(entry)
    lines: list[Line] = []
    for day in sorted(by):
        lines.append((day, None))
        lines += [(day, entry) for entry in sorted(by[day], key=lambda one: (not one.bar, one.start, one.record.id))]
    return lines


class AgendaModel(QAbstractListModel):
    """The lines; days are no choice."""

    def __init__(self, words: CalendarWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self.lines: list[Line] = []

    def show_lines(self, lines: list[Line]) -> None:
        """Other lines."""
        if lines != self.lines:
            self.beginResetModel()
            self.lines = lines
            self.endResetModel()

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.lines)

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or self.lines[index.row()][1] is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        day, entry = self.lines[index.row()]
        if entry is None:
            return day_words("office_views.day_title", day)
        return self._words.spoken(entry) if role == Qt.ItemDataRole.AccessibleTextRole else self._words.title(entry)


class AgendaDelegate(RowDelegate):
    """Paints a day as a heading, an entry with its hours, name and state."""

    height = 38

    def __init__(self, words: CalendarWords, states: Any, model: AgendaModel, parent: QWidget) -> None:
        super().__init__(parent)
        self._words, self._states, self._model = words, states, model

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(200), theme.scaled(self.height))

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        colors = theme.tokens()
        day, entry = self._model.lines[index.row()]
        painter.fillRect(QRect(0, rect.bottom(), rect.right() + 40, 1), colors.line)
        if entry is None:
            painter.fillRect(rect.adjusted(-40, 0, 40, -1), colors.bg)
            words = day_words("office_views.day_title", day)
            draw_elided(painter, rect, words, theme.font("secondary", bold=True), colors.ink2)
            return
        times = (
            tr("office_views.all_day")
            if entry.all_day and entry.first == entry.last
            else time_words(entry.start, entry.end)
        )
        width = theme.scaled(170)
        place = QRect(rect.left(), rect.top(), width, rect.height())
        draw_elided(painter, place, times, theme.font("secondary"), colors.ink3)
        _, edge, _ = tone_colors(self._words.tone(entry))
        painter.fillRect(QRectF(rect.left() + width, rect.top() + 8, 3, rect.height() - 17), edge)
        state = self._states(entry)
        room = QRect(rect.left() + width + 12, rect.top(), rect.width() - width - theme.scaled(110), rect.height())
        draw_elided(painter, room, self._words.title(entry), theme.font("base"), colors.ink)
        if state:
            paint_chip(painter, rect.right() - theme.scaled(90), rect.center().y(), state, self._words.tone(entry))


class AgendaList(ListPane):
    """Signals: opened (an Entry), picked (an Entry or None)."""

    opened = Signal(object)
    picked = Signal(object)

    def __init__(self, words: CalendarWords, states: Any, parent: QWidget | None = None) -> None:
        super().__init__("office_views.agenda", parent=parent)
        self.lines = AgendaModel(words, self)
        self.setModel(self.lines)
        self.setItemDelegate(AgendaDelegate(words, states, self.lines, self))
        self.chosen.connect(self._on_chosen)
        self.selectionModel().currentChanged.connect(self._on_current)

    def _entry(self, index: QModelIndex) -> Entry | None:
        return self.lines.lines[index.row()][1] if index.isValid() else None

    def _on_chosen(self, index: QModelIndex) -> None:
        entry = self._entry(index)
        if entry is not None:
            self.opened.emit(entry)

    def _on_current(self, index: QModelIndex, _before: QModelIndex) -> None:
        self.picked.emit(self._entry(index))

    def show_entries(self, entries: Sequence[Entry], first: date, after: date) -> None:
        """Other entries; the chosen one and the place stay."""
        current = self._entry(self.currentIndex())
        place = self.verticalScrollBar().value()
        self.lines.show_lines(lines_of(entries, first, after))
        if current is not None:
            self.choose(current.record.id)
        self.verticalScrollBar().setValue(place)
        self.viewport().update()

    def choose(self, record_id: str) -> None:
        """Makes the entry of a record the current one."""
        held = enumerate(self.lines.lines)
        row = next((n for n, (_, entry) in held if entry is not None and entry.record.id == record_id), -1)
        if row >= 0:
            self.setCurrentIndex(self.lines.index(row, 0))
