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

from desktop.core.domain import Attachment, Direction, Transfer, TransferRules, TransferState
from desktop.core.errors import AppError
from desktop.models.transfers import TransferFilter, TransferRole, TransfersModel
from desktop.platform import opening
from desktop.platform.folders import downloads_dir
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import IconButton, Menu, SearchBox, Snack, TabStrip
from desktop.ui.shell.navigator import FileOpener
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.transfers.delegate import TransferDelegate
from desktop.ui.transfers.rules_menu import rules_menu
from desktop.ui.transfers.words import Action, actions, menu_actions

COLUMN_WIDTH = 860


class TransferVerbs(Protocol):
    """What the page asks of the core."""

    async def pause(self, transfer_id: str) -> None: ...
    async def resume(self, transfer_id: str) -> None: ...
    async def cancel(self, transfer_id: str) -> None: ...
    async def hasten(self, transfer_id: str) -> None: ...
    async def pause_all(self) -> None: ...
    async def resume_all(self) -> None: ...
    async def clear_done(self) -> None: ...
    async def save_into(self, transfer_id: str, folder: Path) -> Path | None: ...
    def rules(self) -> TransferRules: ...
    async def set_rules(self, rules: TransferRules) -> None: ...


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
        for action in menu_actions(transfer):
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
        self._filter()

    def _build_ui(self) -> None:
        card = QFrame()
        card.setProperty("surface", "card")
        self._card = card
        self._fit()
        theme.changed.connect(self._fit)
        header = QWidget()
        self._title = QLabel()
        self._title.setProperty("role", "header")
        self._title.setProperty("strong", "true")
        self._speeds = QLabel()
        self._speeds.setProperty("role", "secondary")
        self._speeds.setProperty("tone", "ink3")
        self._rules = IconButton("sliders-horizontal", "transfers.rules", size=18, box=30)
        self._rules.setObjectName("transferRules")
        self._rules.clicked.connect(self._show_rules)
        head = QHBoxLayout(header)
        head.setContentsMargins(16, 12, 10, 8)
        head.addWidget(self._title)
        head.addStretch()
        head.addWidget(self._speeds)
        head.addWidget(self._rules)
        rule = QFrame()
        rule.setProperty("surface", "rule")
        self.list = TransferList(self._model)
        self.list.asked.connect(self.act)
        self.setFocusProxy(self.list)
        self._empty = QLabel()
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setProperty("tone", "ink3")
        self._stack = QStackedWidget()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self._empty)
        self._snack = Snack(self)
        column = QVBoxLayout(card)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(header)
        column.addWidget(self._build_bar())
        column.addWidget(rule)
        column.addWidget(self._stack, 1)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(24, 24, 24, 24)
        outer.addStretch(1)
        outer.addWidget(card, 100)
        outer.addStretch(1)

    def _build_bar(self) -> QWidget:
        """Which are shown, and what can be done to all."""
        self._bar = QWidget()
        line = QHBoxLayout(self._bar)
        line.setContentsMargins(16, 0, 10, 10)
        line.setSpacing(6)
        self._strip = TabStrip(small=True, prefix="transferFilter.")
        self._label_filters()
        i18n.changed.connect(self._label_filters)
        self._strip.choose(TransferFilter.ALL.value)
        self._strip.chosen.connect(lambda _: self._filter())
        line.addWidget(self._strip, 3)
        self._search = SearchBox("transfers.search")
        self._search.searched.connect(lambda _: self._filter())
        line.addWidget(self._search, 2)
        verbs = self._verbs
        self._pause_all = IconButton("pause", "transfers.pause_all", size=18, box=30)
        self._pause_all.clicked.connect(lambda: self.tasks.start(verbs.pause_all(), name="transfers-all"))
        self._resume_all = IconButton("play", "transfers.resume_all", size=18, box=30)
        self._resume_all.clicked.connect(lambda: self.tasks.start(verbs.resume_all(), name="transfers-all"))
        self._clear = IconButton("trash-simple", "transfers.clear", size=18, box=30)
        self._clear.clicked.connect(lambda: self.tasks.start(verbs.clear_done(), name="transfers-clear"))
        for name, one in (("pauseAll", self._pause_all), ("resumeAll", self._resume_all), ("clear", self._clear)):
            one.setObjectName(f"transfers.{name}")
            line.addWidget(one)
        return self._bar

    def _fit(self) -> None:
        self._card.setMaximumWidth(theme.scaled(COLUMN_WIDTH))

    def _label_filters(self) -> None:
        self._strip.set_tabs([(one.value, tr(f"transfers.filter.{one.value}")) for one in TransferFilter])

    def _filter(self) -> None:
        self._model.show_only(TransferFilter(self._strip.current), self._search.text().strip())
        self._refresh()

    def _show_rules(self) -> None:
        def chosen(rules: TransferRules) -> None:
            self.tasks.start(self._verbs.set_rules(rules), name="transfer-rules")

        menu = rules_menu(self._verbs.rules(), chosen, self)
        menu.popup(self._rules.mapToGlobal(self._rules.rect().bottomLeft()))

    def _refresh(self) -> None:
        active = self._model.active
        self._title.setText(tr("transfers.title_count", count=active) if active else tr("transfers.title"))
        speeds = [
            f"{arrow} {when.speed(speed)}"
            for arrow, direction in (("↓", Direction.DOWN), ("↑", Direction.UP))
            if (speed := self._model.speed(direction)) > 0
        ]
        self._speeds.setText("   ".join(speeds))
        count = self._model.count
        self._bar.setVisible(self._model.total > 0)
        self._pause_all.setEnabled(self._model.active > count(TransferState.PAUSED))
        self._resume_all.setEnabled(count(TransferState.PAUSED) > 0)
        self._clear.setEnabled(count(TransferState.DONE) > 0)
        self._empty.setText(tr("transfers.filter.none" if self._model.total else "transfers.empty"))
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
            case Action.HASTEN:
                self.tasks.start(self._verbs.hasten(transfer_id), name=f"transfer-{transfer_id}")
            case Action.SAVE:
                self.tasks.start(self._save(transfer_id), name=f"save-{transfer_id}", exclusive=True)
            case Action.SAVE_AS if transfer.blob_id:
                self._files.save_file(Attachment(transfer.blob_id, transfer.name, size=transfer.size))
            case Action.OPEN if path is not None:
                opening.open_file(path)
            case Action.OPEN if transfer.blob_id:
                self._files.open_file(Attachment(transfer.blob_id, transfer.name, size=transfer.size))
            case Action.FOLDER if path is not None:
                opening.show_in_folder(path)
            case _:
                pass

    async def _save(self, transfer_id: str) -> None:
        try:
            path = await self._verbs.save_into(transfer_id, downloads_dir())
        except AppError as error:
            if alive(self):
                self._snack.say(i18n.error_text(error))
            return
        if path is not None and alive(self):
            self._snack.say(tr("transfers.saved", path=str(path)))
