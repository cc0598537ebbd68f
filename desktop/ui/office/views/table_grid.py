"""The grid of the table view: rows of one height, whole rows selected, group heads that open and close, copied as lines with tabs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QHoverEvent, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QTableView, QWidget

from desktop.models.record_table import RecordTableModel
from desktop.ui import theme
from desktop.ui.office.views.table_cells import ROW_HEIGHT, RecordDelegate
from desktop.ui.office.views.table_header import RecordHeader

SETTLE_MS: Final = 12
"""A wheel turns many rows a moment: pages are asked for when it has come to rest for that long."""


class RecordGrid(QTableView):
    """Signals:
    visible_changed: other rows are on the screen.
    resized: it has another size.
    opened: Enter, or a press on a row without a key held: the record in that row.
    pressed_delete, copy_asked: by their keys.
    toggled: a group's head was pressed, by its row.
    selection_moved: other rows are selected.
    menu_asked: a place on the screen.
    """

    visible_changed = Signal()
    resized = Signal()
    opened = Signal(str)
    pressed_delete = Signal()
    copy_asked = Signal()
    toggled = Signal(int)
    selection_moved = Signal()
    menu_asked = Signal(object)

    def __init__(self, model: RecordTableModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._records = model
        self.header = RecordHeader(self)
        self.setHorizontalHeader(self.header)
        self.setModel(model)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setCornerButtonEnabled(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(self.verticalHeader().ResizeMode.Fixed)
        self._settle = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self.visible_changed)
        self.verticalScrollBar().valueChanged.connect(lambda _value: self._settle.start())
        self._pressed = QPoint()
        self.selectionModel().selectionChanged.connect(lambda _new, _old: self.selection_moved.emit())
        self.selectionModel().currentRowChanged.connect(self._on_row)
        self._fit()
        theme.changed.connect(self._fit)

    def _fit(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.scaled(ROW_HEIGHT))
        self.verticalScrollBar().setSingleStep(theme.scaled(ROW_HEIGHT))

    @property
    def delegate(self) -> RecordDelegate:
        """Paints the rows."""
        made = self.itemDelegate()
        assert isinstance(made, RecordDelegate)
        return made

    # ---- rows
    def visible_rows(self) -> tuple[int, int]:
        """First and last row on the screen; (0, -1) for none."""
        if not self._records.rowCount():
            return 0, -1
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        if last < 0:  # fewer rows than room, or rows that are not laid out yet
            last = max(0, first) + self.viewport().height() // max(1, self.verticalHeader().defaultSectionSize()) + 1
        return max(0, first), min(last, self._records.rowCount() - 1)

    def selected_rows(self) -> Iterator[int]:
        """Rows that are selected, heads of groups among them, from top to bottom."""
        ranges = sorted((r.top(), r.bottom()) for r in self.selectionModel().selection().toList() if r.isValid())
        done = -1
        for top, bottom in ranges:
            yield from range(max(top, done + 1), bottom + 1)
            done = max(done, bottom)

    def selected_places(self) -> list[int]:
        """Places of the selected records among all."""
        places = (self._records.place_of(row) for row in self.selected_rows())
        return [place for place in places if place >= 0]

    def go_to(self, row: int) -> None:
        """Makes a row the current one and scrolls to it."""
        self.setCurrentIndex(self._records.index(row, max(0, self.header.logicalIndex(0))))
        self.scrollTo(self._records.index(row, 0), QTableView.ScrollHint.EnsureVisible)

    def select_row(self, row: int) -> None:
        """Selects one row alone, without moving the view sideways."""
        flags = QItemSelectionModel.SelectionFlag
        index = self._records.index(row, 0)
        self.selectionModel().setCurrentIndex(index, flags.ClearAndSelect | flags.Rows)

    def _on_row(self, current: QModelIndex, previous: QModelIndex) -> None:
        self.viewport().update()

    # ---- Qt overrides
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()
        self._settle.start()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint()
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        if event.button() is not Qt.MouseButton.LeftButton or event.modifiers() != Qt.KeyboardModifier.NoModifier:
            return
        row = self.rowAt(round(event.position().y()))
        if row < 0 or self.rowAt(self._pressed.y()) != row:
            return
        self._take(row)

    def _take(self, row: int) -> None:
        record = self._records.record_at(row)
        if record is not None:
            self.opened.emit(record.id)
        elif self._records.run_at(row) is not None:
            self.toggled.emit(row)

    def viewportEvent(self, event: QEvent) -> bool:
        """The style lights the cell under the mouse at every hover; the row goes with it."""
        if isinstance(event, QHoverEvent):
            left = event.type() == QEvent.Type.HoverLeave
            self._hover(-1 if left else self.rowAt(round(event.position().y())))
        return super().viewportEvent(event)

    def _hover(self, row: int) -> None:
        if row != self.delegate.hovered:
            self.delegate.hovered = row
            self.viewport().update()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_asked.emit(event.globalPos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row = self.currentIndex().row()
        run = self._records.run_at(row)
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter if row >= 0:
                self._take(row)
            case Qt.Key.Key_Left | Qt.Key.Key_Right if run is not None:
                if (run.key in self._records.closed) is (event.key() == Qt.Key.Key_Right):
                    self.toggled.emit(row)
            case Qt.Key.Key_Delete:
                self.pressed_delete.emit()
            case Qt.Key.Key_Home | Qt.Key.Key_End if self._records.rowCount():
                self.select_row(0 if event.key() == Qt.Key.Key_Home else self._records.rowCount() - 1)
            case _ if event.matches(QKeySequence.StandardKey.Copy):
                self.copy_asked.emit()
            case _:
                super().keyPressEvent(event)
