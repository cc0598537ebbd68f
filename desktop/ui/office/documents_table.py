"""The table of documents: title with its file sheet, number, size, date, and whether it is kept on this device."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from desktop.core.domain import Document
from desktop.models.documents import Column, DocumentRole, DocumentTableModel
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import draw_elided, paint_file_sheet
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 44
WIDTHS = {Column.NUMBER: 132, Column.SIZE: 76, Column.UPDATED: 84, Column.KEPT: 56}


class DocumentDelegate(QStyledItemDelegate):
    """Paints every column."""

    def __init__(self, now_ms: Callable[[], int], parent: QWidget) -> None:
        super().__init__(parent)
        self._now_ms = now_ms

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(60), theme.scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        document = index.data(DocumentRole.DOCUMENT)
        if not isinstance(document, Document):
            return
        colors = theme.tokens()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, colors.selected)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, colors.hover)
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colors.line)
        pad = theme.scaled(8)
        inner = rect.adjusted(pad, 0, -pad, 0)
        match index.column():
            case Column.TITLE:
                self._paint_title(painter, inner.adjusted(theme.scaled(8), 0, 0, 0), document)
            case Column.NUMBER:
                draw_elided(painter, inner, document.number or "", theme.font("secondary"), colors.ink2)
            case Column.SIZE:
                draw_elided(painter, inner, when.size(document.size), theme.font("secondary"), colors.ink3)
            case Column.UPDATED:
                stamp = when.short(document.updated_at, self._now_ms())
                draw_elided(painter, inner, stamp, theme.font("secondary"), colors.ink3)
            case Column.KEPT:
                self._paint_kept(painter, inner, document)
        painter.restore()

    @staticmethod
    def _paint_title(painter: QPainter, rect: QRect, document: Document) -> None:
        sheet = QRectF(rect.left(), rect.center().y() - theme.scaled(14), theme.scaled(24), theme.scaled(28))
        paint_file_sheet(painter, sheet, document.name)
        room = rect.adjusted(theme.scaled(34), 0, 0, 0)
        draw_elided(painter, room, document.title, theme.font("base"), theme.tokens().ink)

    def _paint_kept(self, painter: QPainter, rect: QRect, document: Document) -> None:
        if not document.kept:
            return
        expired = document.lease_until is not None and document.lease_until <= self._now_ms()
        side = theme.scaled(18)
        place = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        colors = theme.tokens()
        glyph = "warning-circle" if expired else "arrow-circle-down-fill"
        icons.paint(painter, place, glyph, colors.amber if expired else colors.green)


class DocumentsTable(QTableView):
    """The table; `picked` as the user goes through it, `opened` by double click or Enter."""

    picked = Signal(str)
    opened = Signal(str)

    def __init__(self, model: DocumentTableModel, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("documentsTable")
        self._model = model
        self.setItemDelegate(DocumentDelegate(now_ms, self))
        self.setModel(model)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setSortingEnabled(True)
        self.setMouseTracking(True)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.setEditTriggers(QTableView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        i18n.bind(self.setAccessibleName, "office.documents")
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(Column.TITLE, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicator(Column.UPDATED, Qt.SortOrder.DescendingOrder)
        self._retitle()
        self._fit()
        i18n.changed.connect(self._retitle)
        theme.changed.connect(self._fit)
        self.selectionModel().currentRowChanged.connect(self._on_current)
        self.doubleClicked.connect(self._on_double)

    def _retitle(self) -> None:
        self._model.set_headers([tr(f"office.column.{column.name.lower()}") for column in Column])

    def _fit(self) -> None:
        self.verticalHeader().setDefaultSectionSize(theme.scaled(ROW_HEIGHT))
        for column, width in WIDTHS.items():
            self.setColumnWidth(column, theme.scaled(width))

    def select(self, document_id: str) -> bool:
        """Goes to a document of the table; False when it is not in it."""
        row = self._model.position(document_id)
        if row >= 0:
            self.selectRow(row)
            self.scrollTo(self._model.index(row, 0))
        return row >= 0

    def _on_current(self, index: QModelIndex) -> None:
        document = self._model.at(index.row())
        if document is not None:
            self.picked.emit(document.id)

    def _on_double(self, index: QModelIndex) -> None:
        document = self._model.at(index.row())
        if document is not None:
            self.opened.emit(document.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._on_double(self.currentIndex())
            return
        super().keyPressEvent(event)
