"""The library's folders: everything, what is kept on this device, then the tree, each with its count."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QFrame, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from desktop.models.documents import FolderRole, FolderTreeModel
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import draw_elided
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 34
GLYPHS = {"all": "files", "kept": "download-simple", "folder": "folder-simple"}


class FolderDelegate(QStyledItemDelegate):
    """Icon, name, count."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(140), theme.scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        colors = theme.tokens()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        if selected or state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, colors.selected if selected else colors.hover)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(QPen(colors.accent, 1))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        side = theme.scaled(16)
        kind = str(index.data(FolderRole.KIND))
        left = rect.left() + theme.scaled(6)
        glyph = QRectF(left, rect.center().y() - side / 2 + 0.5, side, side)
        icons.paint(painter, glyph, GLYPHS[kind], colors.accent if kind == "folder" else colors.ink3)
        right = rect.right() - theme.scaled(12)
        whole = QRect(rect.left(), rect.top(), right - rect.left(), rect.height())
        count = str(index.data(FolderRole.COUNT))
        width = draw_elided(
            painter, whole, count, theme.font("secondary"), colors.ink3, align=Qt.AlignmentFlag.AlignRight
        )
        start = left + side + theme.scaled(8)
        name = QRect(round(start), rect.top(), right - width - theme.scaled(8) - round(start), rect.height())
        draw_elided(painter, name, folder_name(index), theme.font("base"), colors.ink)
        painter.restore()


def folder_name(index: Index) -> str:
    """The name as shown."""
    kind = str(index.data(FolderRole.KIND))
    return str(index.data()) if kind == "folder" else tr(f"office.folder.{kind}")


class FolderTree(QTreeView):
    """The tree; `picked` names the folder, "" for everything."""

    picked = Signal(str)

    def __init__(self, model: FolderTreeModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("folderTree")
        model.name_kind = lambda kind: tr(f"office.folder.{kind}")
        self.setProperty("look", "pane")
        self.setHeaderHidden(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformRowHeights(True)
        self.setIndentation(theme.scaled(16))
        self.setRootIsDecorated(False)
        self.setMouseTracking(True)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(FolderDelegate(self))
        self.setModel(model)
        self._model = model
        self._key: str | None = None
        i18n.bind(self.setAccessibleName, "office.folders")
        self.selectionModel().currentChanged.connect(self._on_current)
        model.modelReset.connect(self._restore)
        theme.changed.connect(self.scheduleDelayedItemsLayout)
        i18n.changed.connect(self.viewport().update)

    def select(self, key: str) -> None:
        """Goes to a folder."""
        index = self._model.index_of(key)
        if index.isValid():
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def _restore(self) -> None:
        self.expandAll()
        self.select(self._key or "")

    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid():
            self._key = str(index.data(FolderRole.KEY))
            self.picked.emit(self._key)
