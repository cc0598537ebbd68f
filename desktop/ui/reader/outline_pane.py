"""A document's own outline beside the page; a line goes to its place."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QTreeView, QWidget

from desktop.ui import i18n
from desktop.ui.reader.page_source import Heading

PAGE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
TOP_ROLE = PAGE_ROLE + 1
MOST_LINES = 5000


class OutlinePane(QTreeView):
    """The headings as a tree."""

    chosen = Signal(int, float)  # page, top in points

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readerOutline")
        self.setProperty("look", "pane")
        self.setHeaderHidden(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformRowHeights(True)
        self.setIndentation(14)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setMinimumWidth(180)
        self._model = QStandardItemModel(self)
        self.setModel(self._model)
        i18n.bind(self.setAccessibleName, "reader.outline")
        self.clicked.connect(self._go)
        self.activated.connect(self._go)

    def show_outline(self, headings: tuple[Heading, ...]) -> None:
        """Shows these headings, the first two levels open."""
        self._model.clear()
        self._left = MOST_LINES
        root = self._model.invisibleRootItem()
        for heading in headings:
            self._add(root, heading)
        self.expandToDepth(0)

    def _add(self, parent: QStandardItem, heading: Heading) -> None:
        if self._left <= 0:
            return
        self._left -= 1
        item = QStandardItem(heading.title)
        item.setToolTip(heading.title)
        item.setData(heading.page, PAGE_ROLE)
        item.setData(heading.top, TOP_ROLE)
        parent.appendRow(item)
        for child in heading.children:
            self._add(item, child)

    def _go(self, index: object) -> None:
        item = self._model.itemFromIndex(index)  # type: ignore[arg-type]  # the signal hands a QModelIndex
        if item is not None:
            self.chosen.emit(int(item.data(PAGE_ROLE)), float(item.data(TOP_ROLE)))
