"""The list of hits that hangs below a line while something is looked up; the keyboard stays in the line, which hands its keys over.

Not QCompleter: its pop-up is a window that nobody owns, and it goes down with the program when both are taken away at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QListView, QWidget

from desktop.ui import theme

KEY = int(Qt.ItemDataRole.UserRole) + 1
HITS = 12
ROW = 30
WIDTHS = (200, 360)
"""At least and at most, whatever the line's width."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that can be picked: its id, its name, and what tells it from others of that name."""

    id: str
    name: str
    detail: str = ""


class HitList(QListView):
    """Shows hits under a widget. `picked` carries the Hit taken by Enter or a press."""

    picked = Signal(object)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.setWindowFlags(Qt.WindowType.ToolTip | Qt.WindowType.FramelessWindowHint)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setObjectName("pickHits")
        self.setProperty("look", "drop")
        self.setFrameShape(QFrame.Shape.Box)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.hits: list[Hit] = []
        self._items = QStandardItemModel(self)
        self.setModel(self._items)
        self.clicked.connect(self.take)
        self.hide()

    def show_hits(self, hits: Sequence[Hit], place: QRect | None = None) -> None:
        """Shows these, the first one chosen; none hide it. `place`: where in the widget, else the widget itself; the list hangs below it."""
        self.hits = list(hits)[:HITS]
        self._items.clear()
        for hit in self.hits:
            item = QStandardItem(f"{hit.name}  {hit.detail}".rstrip())
            item.setData(hit.id, KEY)
            self._items.appendRow(item)
        host = self.parentWidget()
        if not self.hits or host is None:
            self.hide()
            return
        box = place if place is not None else host.rect()
        width = min(theme.scaled(WIDTHS[1]), max(host.width(), theme.scaled(WIDTHS[0])))
        height = sum(max(self.sizeHintForRow(row), 1) for row in range(len(self.hits))) + 4
        below = host.mapToGlobal(QPoint(box.left(), box.bottom() + 2))
        room = (host.screen() or QGuiApplication.primaryScreen()).availableGeometry()
        if below.y() + height > room.bottom():
            below.setY(max(room.top(), host.mapToGlobal(box.topLeft()).y() - height - 2))
        below.setX(max(room.left(), min(below.x(), room.right() - width)))
        self.setGeometry(QRect(below.x(), below.y(), width, height))
        self.setCurrentIndex(self._items.index(0, 0))
        self.show()

    def handles(self, event: QKeyEvent) -> bool:
        """Takes a key of the line while it hangs there: arrows, Enter, Escape. False for what is the line's."""
        if not self.isVisible():
            return False
        match event.key():
            case Qt.Key.Key_Down | Qt.Key.Key_Up:
                step = 1 if event.key() == Qt.Key.Key_Down else -1
                row = (self.currentIndex().row() + step) % len(self.hits)
                self.setCurrentIndex(self._items.index(row, 0))
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.take(self.currentIndex())
            case Qt.Key.Key_Escape:
                self.hide()
            case _:
                return False
        return True

    def take(self, index: QModelIndex) -> None:
        """The user wants this one."""
        key = index.data(KEY)
        hit = next((one for one in self.hits if one.id == key), None)
        self.hide()
        if hit is not None:
            self.picked.emit(hit)
