"""The list of transfers with totals above it. Reads the model, calls the verbs; knows nothing of how bytes move."""

from pathlib import Path
from typing import Protocol

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QHelpEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QStackedWidget,
    QToolTip,
    QVBoxLayout,
    QWidget,
)

from desktop.core.domain import Attachment, Direction, Transfer
from desktop.models.transfers import TransferRole, TransfersModel
from desktop.platform import opening
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Menu
from desktop.ui.shell.navigator import FileOpener
from desktop.ui.tasks import TaskOwner
from desktop.ui.transfers.delegate import TransferDelegate
from desktop.ui.transfers.words import Action, actions

COLUMN_WIDTH = 860


class TransferVerbs(Protocol):
    """What the page asks of the core."""

    async def pause(self, transfer_id: str) -> None: ...
    async def resume(self, transfer_id: str) -> None: ...
    async def cancel(self, transfer_id: str) -> None: ...


class TransferList(QListView):
    """The rows; tells which action of which transfer was asked for, by mouse, key or menu."""

    asked = Signal(object, str)  # Action, transfer id

    def __init__(self, model: TransfersModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("transferList")
        self._rows = TransferDelegate(self)
        self.setItemDelegate(self._rows)
        self.setModel(model)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(tr("transfers.title"))
        theme.changed.connect(self.scheduleDelayedItemsLayout)
        i18n.changed.connect(self._retranslate)

    def _retranslate(self) -> None:
        self.setAccessibleName(tr("transfers.title"))
        self.viewport().update()

    def _at(self, place: QPoint) -> tuple[Transfer, Action | None] | None:
        index = self.indexAt(place)
        transfer = index.data(TransferRole.TRANSFER)
        if not isinstance(transfer, Transfer):
            return None
        return transfer, self._rows.action_at(self.visualRect(index), transfer, place)

    def _main_action(self, index: QModelIndex | QPersistentModelIndex) -> None:
        transfer = index.data(TransferRole.TRANSFER)
        if isinstance(transfer, Transfer):
            self.asked.emit(actions(transfer)[0], transfer.id)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        found = self._at(event.position().toPoint())
        if event.button() == Qt.MouseButton.LeftButton and found is not None and found[1] is not None:
            self.asked.emit(found[1], found[0].id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        found = self._at(event.position().toPoint())
        over = found is not None and found[1] is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        transfer = index.data(TransferRole.TRANSFER)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and index.isValid():
            self._main_action(index)
        elif event.key() == Qt.Key.Key_Delete and isinstance(transfer, Transfer):
            self.asked.emit(actions(transfer)[-1], transfer.id)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        index = (
            self.currentIndex() if event.reason() is QContextMenuEvent.Reason.Keyboard else self.indexAt(event.pos())
        )
        transfer = index.data(TransferRole.TRANSFER)
        if not isinstance(transfer, Transfer):
            return
        menu = Menu(self, leaves=True)
        for action in actions(transfer):
            entry = QAction(tr(f"transfers.action.{action.value}"), menu)
            entry.triggered.connect(lambda _=False, a=action, t=transfer.id: self.asked.emit(a, t))
            menu.addAction(entry)
        menu.popup(self.viewport().mapToGlobal(self.visualRect(index).center()))

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            found = self._at(event.pos())
            if found is not None and found[1] is not None:
                QToolTip.showText(event.globalPos(), tr(f"transfers.action.{found[1].value}"), self)
                return True
        return super().viewportEvent(event)


class TransfersPage(QWidget):
    """The page of the main window."""

    def __init__(
        self, verbs: TransferVerbs, model: TransfersModel, files: FileOpener, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("transfersPage")
        self.setProperty("surface", "bg")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._verbs = verbs
        self._model = model
        self._files = files
        self.tasks = TaskOwner(self)
        self._build_ui()
        model.totals_changed.connect(self._refresh)
        i18n.changed.connect(self._refresh)
        self._refresh()

    def _build_ui(self) -> None:
        card = QFrame()
        card.setProperty("surface", "card")
        card.setMaximumWidth(COLUMN_WIDTH)
        header = QWidget()
        self._title = QLabel()
        self._title.setProperty("role", "header")
        self._title.setProperty("strong", "true")
        self._speeds = QLabel()
        self._speeds.setProperty("role", "secondary")
        self._speeds.setProperty("tone", "ink3")
        head = QHBoxLayout(header)
        head.setContentsMargins(16, 12, 16, 12)
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self._speeds)
        rule = QFrame()
        rule.setProperty("surface", "rule")
        self.list = TransferList(self._model)
        self.list.asked.connect(self.act)
        self._empty = QLabel()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setProperty("tone", "ink3")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._empty)
        column = QVBoxLayout(card)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(header)
        column.addWidget(rule)
        column.addWidget(self._stack, 1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(24, 24, 24, 24)
        outer.addStretch(1)
        outer.addWidget(card, 100)
        outer.addStretch(1)

    def _refresh(self) -> None:
        active = self._model.active
        self._title.setText(tr("transfers.title_count", count=active) if active else tr("transfers.title"))
        speeds = [
            f"{arrow} {when.speed(speed)}"
            for arrow, direction in (("↓", Direction.DOWN), ("↑", Direction.UP))
            if (speed := self._model.speed(direction)) > 0
        ]
        self._speeds.setText("   ".join(speeds))
        self._empty.setText(tr("transfers.empty"))
        self._stack.setCurrentWidget(self.list if self._model.rowCount() else self._empty)

    def act(self, action: Action, transfer_id: str) -> None:
        """Does what a row's action says."""
        transfer = self._model.transfer(transfer_id)
        if transfer is None:
            return
        path = Path(transfer.path) if transfer.path else None
        match action:
            case Action.PAUSE:
                self.tasks.start(self._verbs.pause(transfer_id), name=f"transfer-{transfer_id}")
            case Action.RESUME | Action.RETRY:
                self.tasks.start(self._verbs.resume(transfer_id), name=f"transfer-{transfer_id}")
            case Action.CANCEL | Action.REMOVE:
                self.tasks.start(self._verbs.cancel(transfer_id), name=f"transfer-{transfer_id}")
            case Action.OPEN if path is not None:
                opening.open_file(path)
            case Action.OPEN if transfer.blob_id:
                self._files.open_file(Attachment(transfer.blob_id, transfer.name, size=transfer.size))
            case Action.FOLDER if path is not None:
                opening.show_in_folder(path)
            case _:
                pass
