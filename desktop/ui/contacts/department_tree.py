"""The tree of departments, personal contacts and groups: painted rows with a caret, the name and how many of how many are online."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QFrame, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTreeView, QWidget

from desktop.models.contacts import DepartmentTreeModel, TreeRole
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import draw_elided
from desktop.ui.theme import icons

Index = QModelIndex | QPersistentModelIndex
ROW_HEIGHT = 34
INDENT = 18
LEFT = 12
CARET = 14


class DepartmentDelegate(QStyledItemDelegate):
    """One line of the tree, indented by its depth."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(160), theme.scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tree, colors = self.parent(), theme.tokens()
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, colors.selected)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, colors.hover)
        if state & QStyle.StateFlag.State_HasFocus and state & QStyle.StateFlag.State_KeyboardFocusChange:
            painter.setPen(QPen(colors.accent, 1))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))
        left = caret_left(index)
        if index.model().hasChildren(index):
            opened = isinstance(tree, QTreeView) and tree.isExpanded(index)
            side = theme.scaled(CARET)
            place = QRectF(left, rect.center().y() - side / 2 + 1, side, side)
            icons.paint(painter, place, "caret-down-fill" if opened else "caret-right-fill", colors.ink3)
        right = rect.right() - theme.scaled(LEFT)
        count = count_text(index)
        if count:
            whole = QRect(rect.left(), rect.top(), right - rect.left(), rect.height())
            width = draw_elided(
                painter, whole, count, theme.font("secondary"), colors.ink3, align=Qt.AlignmentFlag.AlignRight
            )
            right -= width + theme.scaled(8)
        start = left + theme.scaled(CARET + 4)
        name = QRect(start, rect.top(), right - start, rect.height())
        draw_elided(painter, name, node_name(index), theme.font("base"), colors.ink)
        painter.restore()


def caret_left(index: Index) -> int:
    """Where the caret of a row begins."""
    depth, walk = 0, index.parent()
    while walk.isValid():
        depth, walk = depth + 1, walk.parent()
    return theme.scaled(LEFT) + depth * theme.scaled(INDENT)


def node_name(index: Index) -> str:
    """The name as shown: groups stand under a heading of ours."""
    return heading(str(index.data(TreeRole.KIND))) or str(index.data())


def heading(kind: str) -> str:
    """What stands over groups and personal contacts; empty for what has a name of its own."""
    key = {"groups": "contacts.my_groups", "book": "contacts.personal"}.get(kind)
    return tr(key) if key is not None else ""


def count_text(index: Index) -> str:
    """online/all of a department, the number of groups."""
    match index.data(TreeRole.KIND):
        case "department":
            return f"{index.data(TreeRole.ONLINE)}/{index.data(TreeRole.TOTAL)}"
        case "groups" | "book" | "contact_group":
            return str(index.data(TreeRole.TOTAL))
    return ""


class DepartmentTree(QTreeView):
    """The tree. `picked` names the department or group the user went to, by mouse or keyboard."""

    picked = Signal(str, str)  # kind, key
    opened = Signal(str, str)  # the same by double click or Enter
    menu_asked = Signal(str, str, QPoint)

    def __init__(self, model: DepartmentTreeModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("departmentTree")
        self.setProperty("look", "pane")
        self.setHeaderHidden(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRootIsDecorated(False)
        self.setIndentation(0)  # the delegate indents: the whole row lights up, caret and all
        self.setUniformRowHeights(True)
        self.setMouseTracking(True)
        self.setExpandsOnDoubleClick(False)
        self.setEditTriggers(QTreeView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QTreeView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setItemDelegate(DepartmentDelegate(self))
        self._open_keys: set[str] | None = None
        self._current_key = ""
        model.words = heading
        self.setModel(model)
        self._model = model
        i18n.bind(self.setAccessibleName, "contacts.departments")
        model.modelAboutToBeReset.connect(self._remember)
        model.modelReset.connect(self._restore)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        theme.changed.connect(self.scheduleDelayedItemsLayout)
        i18n.changed.connect(self.viewport().update)

    def select(self, key: str) -> None:
        """Goes to a department or group and opens what is above it."""
        index = self._model.index_of(key)
        if index.isValid():
            walk = index.parent()
            while walk.isValid():
                self.expand(walk)
                walk = walk.parent()
            self.setCurrentIndex(index)
            self.scrollTo(index)

    def open_first(self) -> None:
        """Opens the only root, so that its departments are seen at once."""
        first = self._model.index(0, 0)
        if first.isValid():
            self.expand(first)

    def _remember(self) -> None:
        keys, stack = set(), [QModelIndex()]
        while stack:
            parent = stack.pop()
            for row in range(self._model.rowCount(parent)):
                index = self._model.index(row, 0, parent)
                if self.isExpanded(index):
                    keys.add(str(index.data(TreeRole.KEY)))
                    stack.append(index)
        self._open_keys = keys if self._model.rowCount() else None

    def _restore(self) -> None:
        if self._open_keys is None:
            self.open_first()
        for key in self._open_keys or ():
            index = self._model.index_of(key)
            if index.isValid():
                self.expand(index)
        if self._current_key:
            self.select(self._current_key)

    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid():
            self._current_key = str(index.data(TreeRole.KEY))
            self.picked.emit(str(index.data(TreeRole.KIND)), self._current_key)

    def _on_menu(self, place: QPoint) -> None:
        index = self.indexAt(place)
        if index.isValid():
            kind, key = str(index.data(TreeRole.KIND)), str(index.data(TreeRole.KEY))
            self.menu_asked.emit(kind, key, self.viewport().mapToGlobal(place))

    def _toggle(self, index: QModelIndex) -> None:
        if self._model.hasChildren(index):
            self.setExpanded(index, not self.isExpanded(index))
        else:
            self.opened.emit(str(index.data(TreeRole.KIND)), str(index.data(TreeRole.KEY)))

    # ---- Qt events
    def mousePressEvent(self, event: object) -> None:
        place: QPoint = event.position().toPoint()  # type: ignore[attr-defined]  # Qt hands a QMouseEvent
        index = self.indexAt(place)
        on_caret = index.isValid() and abs(place.x() - caret_left(index) - theme.scaled(CARET) / 2) <= theme.scaled(
            CARET
        )
        if on_caret and self._model.hasChildren(index):
            self.setExpanded(index, not self.isExpanded(index))
            return
        super().mousePressEvent(event)  # type: ignore[arg-type]  # as above

    def mouseDoubleClickEvent(self, event: object) -> None:
        index = self.indexAt(event.position().toPoint())  # type: ignore[attr-defined]  # Qt hands a QMouseEvent
        if index.isValid():
            self._toggle(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._toggle(self.currentIndex())
            return
        if event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right) and self._walk(event.key() == Qt.Key.Key_Right):
            return
        super().keyPressEvent(event)

    def _walk(self, deeper: bool) -> bool:
        """Right opens or goes to the first child, Left closes or goes to the parent: with no indentation Qt scrolls instead."""
        index = self.currentIndex()
        if not index.isValid():
            return False
        if deeper:
            if self._model.hasChildren(index) and not self.isExpanded(index):
                self.expand(index)
            elif self._model.hasChildren(index):
                self.setCurrentIndex(self._model.index(0, 0, index))
        elif self.isExpanded(index):
            self.collapse(index)
        elif index.parent().isValid():
            self.setCurrentIndex(index.parent())
        return True
