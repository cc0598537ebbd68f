"""Shows a workbook: one grid, a tab for each sheet. Read only; what is selected is copied as lines and tabs."""

from __future__ import annotations

from html import escape
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QItemSelectionModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPaintEvent, QTextDocument
from PySide6.QtWidgets import QTabBar, QTableView, QVBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.kit import Label
from desktop.ui.reader.formats.workbook import Sheet
from desktop.ui.reader.search_run import Hit
from desktop.ui.reader.text_search import FoldedText, Span
from desktop.ui.reader.watermark import paint_watermark
from desktop.ui.reader.zoom import clamp, step
from desktop.ui.theme.tokens import FONT_SIZES

Index = QModelIndex | QPersistentModelIndex
BLOCK = 400
"""Rows a search looks at in one step."""
NARROWEST, WIDEST = 64, 320
MEASURED_ROWS = 60
SPARE_ROWS, SPARE_COLUMNS = 12, 6
"""Empty ones around what is written, as in any spreadsheet."""


def column_name(column: int) -> str:
    """A, B, … Z, AA, …"""
    name = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        name = chr(65 + letter) + name
    return name


class SheetModel(QAbstractTableModel):
    """One sheet's cells."""

    def __init__(self, sheet: Sheet, parent: QWidget) -> None:
        super().__init__(parent)
        self.sheet = sheet
        self.width = sheet.columns + SPARE_COLUMNS
        self.hits: frozenset[tuple[int, int]] = frozenset()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.sheet.rows) + SPARE_ROWS

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else self.width

    def text(self, row: int, column: int) -> str:
        """A cell's text, empty beyond what is written."""
        cells = self.sheet.rows[row] if row < len(self.sheet.rows) else ()
        cell = cells[column] if column < len(cells) else None
        return cell.text if cell is not None else ""

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row, column = index.row(), index.column()
        if role == Qt.ItemDataRole.BackgroundRole and (row, column) in self.hits:
            color = QColor(theme.tokens().away)
            color.setAlpha(90)
            return color
        if role not in (
            Qt.ItemDataRole.DisplayRole,
            Qt.ItemDataRole.ToolTipRole,
            Qt.ItemDataRole.TextAlignmentRole,
        ) or row >= len(self.sheet.rows):
            return None
        cells = self.sheet.rows[row]
        cell = cells[column] if column < len(cells) else None
        if cell is None:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if cell.number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell.text if len(cell.text) > 24 else None
        return cell.text.replace("\n", " ")

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole:
            return column_name(section) if orientation == Qt.Orientation.Horizontal else section + 1
        return None


class Grid(QTableView):
    """The grid with the reader's name over it."""

    copied = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.watermark = ""
        self.setObjectName("readerGrid")
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copied.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.watermark:
            painter = QPainter(self.viewport())
            paint_watermark(painter, self.viewport().rect().toRectF(), self.watermark, on_paper=False)


class SheetsView(QWidget):
    """The workbook."""

    zoom_changed = Signal()
    copy_refused = Signal()
    zooms = searches = copies = prints = True

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readerSheets")
        self.may_copy, self.factor = True, 1.0
        self._sheets: tuple[Sheet, ...] = ()
        self._blocks: list[tuple[int, int]] = []
        self._hits: list[Hit] = []
        self.grid = Grid(self)
        self.tabs = QTabBar(self)
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(True)
        self.cut = Label(key="reader.sheet_cut", role="secondary", tone="amber", wrap=True, parent=self)
        self.cut.setContentsMargins(12, 4, 12, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.grid, 1)
        column.addWidget(self.cut)
        column.addWidget(self.tabs)
        self.setFocusProxy(self.grid)
        self.tabs.currentChanged.connect(self.show_sheet)
        self.grid.copied.connect(self.copy_selected)
        theme.changed.connect(self._apply_font)

    @property
    def watermark(self) -> str:
        """The text over the grid."""
        return self.grid.watermark

    @watermark.setter
    def watermark(self, text: str) -> None:
        self.grid.watermark = text

    def show_workbook(self, sheets: tuple[Sheet, ...]) -> None:
        """Shows the first sheet of another workbook."""
        self._sheets = sheets
        self._hits = []
        self._blocks = [(n, top) for n, sheet in enumerate(sheets) for top in range(0, len(sheet.rows), BLOCK)]
        self.tabs.blockSignals(True)
        while self.tabs.count():
            self.tabs.removeTab(0)
        for sheet in sheets:
            self.tabs.addTab(sheet.name.replace("&", "&&"))
        self.tabs.blockSignals(False)
        self.tabs.setVisible(bool(sheets))
        self.show_sheet(0)

    def clear(self) -> None:
        self.show_workbook(())

    def show_sheet(self, number: int) -> None:
        """Shows one sheet."""
        old = self.grid.model()
        made = SheetModel(self._sheets[number], self) if 0 <= number < len(self._sheets) else None
        self.grid.setModel(made)
        if old is not None:
            old.deleteLater()
        self.cut.setVisible(made is not None and made.sheet.cut)
        if made is not None:
            self._mark_cells(made, number)
            self._apply_font()
            self.grid.setAccessibleName(made.sheet.name)

    # ---- search: a hit's place is row * columns + column of its sheet
    @property
    def parts(self) -> int:
        return len(self._blocks)

    def find_in(self, part: int, needle: str) -> list[Span]:
        number, top = self._blocks[part]
        sheet = self._sheets[number]
        across = sheet.columns
        found = []
        for row, cells in enumerate(sheet.rows[top : top + BLOCK], top):
            for column, cell in enumerate(cells):
                if cell is not None and FoldedText(cell.text).find_all(needle):
                    found.append(Span(row * across + column, 1))
        return found

    def set_marks(self, hits: list[Hit], current: Hit | None) -> None:
        self._hits = hits
        if current is not None:
            number = self._blocks[current.part][0]
            if number != self.tabs.currentIndex():
                self.tabs.setCurrentIndex(number)
        model = self.grid.model()
        if not isinstance(model, SheetModel):
            return
        self._mark_cells(model, self.tabs.currentIndex())
        self.grid.viewport().update()
        if current is not None:
            cell = model.index(*divmod(current.span.start, model.sheet.columns))
            self.grid.selectionModel().setCurrentIndex(cell, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.grid.scrollTo(cell)

    def _mark_cells(self, model: SheetModel, number: int) -> None:
        here = (hit.span.start for hit in self._hits if self._blocks[hit.part][0] == number)
        model.hits = frozenset(divmod(place, model.sheet.columns) for place in here)

    # ---- size
    def set_factor(self, factor: float) -> None:
        self.factor = clamp(factor)
        self._apply_font()
        self.zoom_changed.emit()

    def zoom_step(self, direction: int) -> None:
        self.set_factor(step(self.factor, direction))

    def _apply_font(self) -> None:
        font = theme.font("base")
        font.setPixelSize(max(6, round(theme.scaled(FONT_SIZES["base"]) * self.factor)))
        self.grid.setFont(font)
        metrics = self.grid.fontMetrics()
        self.grid.verticalHeader().setDefaultSectionSize(metrics.height() + theme.scaled(10))
        model = self.grid.model()
        if not isinstance(model, SheetModel):
            return
        low, high = (round(theme.scaled(side) * self.factor) for side in (NARROWEST, WIDEST))
        for column in range(model.width):
            texts = (model.text(row, column) for row in range(min(MEASURED_ROWS, len(model.sheet.rows))))
            widest = max((metrics.horizontalAdvance(text[:80]) for text in texts if text), default=0)
            self.grid.setColumnWidth(column, max(low, min(high, widest + theme.scaled(24))))

    # ---- leaving
    def copy_selected(self) -> bool:
        """Copies the block around the selected cells."""
        chosen = self.grid.selectionModel().selectedIndexes() if self.grid.selectionModel() else []
        model = self.grid.model()
        if not chosen or not isinstance(model, SheetModel):
            return False
        if not self.may_copy:
            self.copy_refused.emit()
            return False
        rows = sorted({one.row() for one in chosen})
        columns = sorted({one.column() for one in chosen})
        lines = ("\t".join(model.text(row, column) for column in columns) for row in rows)
        QGuiApplication.clipboard().setText("\n".join(lines))
        return True

    def printed(self) -> QTextDocument | None:
        """The sheet that is shown, as a table."""
        model = self.grid.model()
        if not isinstance(model, SheetModel):
            return None
        rows = ("".join(f"<td>{escape(cell.text) if cell else ''}</td>" for cell in row) for row in model.sheet.rows)
        document = QTextDocument()
        document.setHtml(
            f'<table border="1" cellspacing="0" cellpadding="3">{"".join(f"<tr>{row}</tr>" for row in rows)}</table>'
        )
        return document
