"""The figures of a report as a table: sorted by its headers, copied as lines with tabs, totals below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence, QPainter
from PySide6.QtWidgets import QFrame, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import clipboard_text, draw_elided
from desktop.ui.office.views.table_header import RecordHeader

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 34


@dataclass(frozen=True, slots=True)
class FigureRow:
    """Names of the groups, figures, and figures in words."""

    names: tuple[str, ...]
    figures: tuple[Decimal | None, ...] = ()
    words: tuple[str, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        """All cells in words."""
        return (*self.names, *self.words)


class FigureModel(QAbstractTableModel):
    """Rows of figures; the last one is the total where there is one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heads: tuple[str, ...] = ()
        self.rows: list[FigureRow] = []
        self.total: FigureRow | None = None
        self._given: list[FigureRow] = []

    def show_rows(self, heads: Sequence[str], rows: Sequence[FigureRow], total: FigureRow | None) -> None:
        """Other figures, in the order given."""
        self.beginResetModel()
        self.heads, self._given, self.rows, self.total = tuple(heads), list(rows), list(rows), total
        self.endResetModel()

    def sort_by(self, column: int, down: bool | None) -> None:
        """By a column; None: as given. Empty figures stand last."""
        self.layoutAboutToBeChanged.emit()
        self.rows = list(self._given)
        if down is not None:
            names = len(self.heads) - (len(self.rows[0].figures) if self.rows else 0)
            if column < names:
                self.rows.sort(key=lambda row: row.names[column], reverse=down)
            else:
                held = [row for row in self.rows if row.figures[column - names] is not None]
                held.sort(key=lambda row: row.figures[column - names] or Decimal(0), reverse=down)
                self.rows = held + [row for row in self.rows if row.figures[column - names] is None]
        self.layoutChanged.emit()

    def is_number(self, column: int) -> bool:
        """Whether a column holds figures."""
        return bool(self.rows) and column >= len(self.rows[0].names)

    def row(self, number: int) -> FigureRow:
        """A row, the total included."""
        return self.rows[number] if number < len(self.rows) or self.total is None else self.total

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows) + (self.total is not None)

    def columnCount(self, parent: Index | None = None) -> int:
        return len(self.heads)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if index.isValid() and role == Qt.ItemDataRole.DisplayRole:
            cells = self.row(index.row()).cells
            return cells[index.column()] if index.column() < len(cells) else ""
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return self.heads[section] if section < len(self.heads) else None
        return None

    def text(self) -> str:
        """Everything as lines with tabs."""
        lines = [self.heads, *(row.cells for row in self.rows), *([self.total.cells] if self.total else [])]
        return "\n".join("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in line) for line in lines)


class FigureDelegate(QStyledItemDelegate):
    """Names at the left, figures at the right, totals strong."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(80), theme.scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        colors, rect = theme.tokens(), QRect(option.rect)
        model = cast(FigureModel, index.model())
        total = model.total is not None and index.row() == len(model.rows)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.fillRect(rect, colors.selected if chosen else colors.bg if total else colors.surface)
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colors.line)
        side = Qt.AlignmentFlag.AlignRight if model.is_number(index.column()) else None
        pad = theme.scaled(10)
        font = theme.font("base", bold=total)
        draw_elided(painter, rect.adjusted(pad, 0, -pad, -1), str(index.data() or ""), font, colors.ink, align=side)


class FigureTable(QTableView):
    """The table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.figures = FigureModel(self)
        self._sorted: tuple[int, bool] | None = None
        self.head = RecordHeader(self)
        self.head.setSectionsMovable(False)
        self.head.setStretchLastSection(False)
        self.setHorizontalHeader(self.head)
        self.setModel(self.figures)
        self.setItemDelegate(FigureDelegate(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        i18n.bind(self.setAccessibleName, "office_views.report")
        self.head.sort_asked.connect(lambda column, _add: self.sort_by(column))
        self._fit()
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.scaled(ROW_HEIGHT))

    def show_rows(self, heads: Sequence[str], rows: Sequence[FigureRow], total: FigureRow | None) -> None:
        """Other figures; what is read stays where it is."""
        place = self.verticalScrollBar().value()
        fresh = tuple(heads) != self.figures.heads
        self.figures.show_rows(heads, rows, total)
        self.head.right = frozenset(n for n in range(len(heads)) if self.figures.is_number(n))
        if fresh:
            self._sorted = None
            for number in range(len(heads)):
                self.head.resizeSection(number, theme.scaled(180 if number not in self.head.right else 140))
        self._apply_sort()
        self.verticalScrollBar().setValue(place)

    def sort_by(self, column: int) -> None:
        """Largest first for figures, up for names; then the other way; then as given."""
        first = column in self.head.right
        if self._sorted is None or self._sorted[0] != column:
            self._sorted = (column, first)
        else:
            self._sorted = (column, not first) if self._sorted[1] is first else None
        self._apply_sort()

    def _apply_sort(self) -> None:
        column, down = self._sorted or (0, None)
        self.figures.sort_by(column, down)
        self.head.set_marks({} if self._sorted is None else {self._sorted[0]: (1, self._sorted[1])})

    def copy(self) -> None:
        """All of it onto the clipboard."""
        clipboard_text(self.figures.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        super().keyPressEvent(event)


def total_row(names: int, figures: tuple[Decimal | None, ...], words: tuple[str, ...]) -> FigureRow:
    """The last line."""
    return FigureRow((tr("office_views.total"), *[""] * (names - 1)), figures, words)
