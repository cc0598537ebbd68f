"""This user's own stickers: a grid to send from, the recent ones first, with the ways to add, to order and to throw away."""

from pathlib import Path

from PySide6.QtCore import QModelIndex, QPoint, QRect, QSize, QStringListModel, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFileDialog, QListView, QStackedLayout, QStyle, QStyleOptionViewItem, QVBoxLayout, QWidget

from desktop.core.domain import Sticker
from desktop.models.verbs import KeepingVerbs
from desktop.ui import theme
from desktop.ui.chat.outgoing import PICTURES
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Label, ListPane, Menu, RowDelegate, on_click
from desktop.ui.kit.panes import Index
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import icons

CELL = 70
RECENT, MANY = 5, 10  # the first row, where there are more than fit at a glance


class StickerPanel(QWidget):
    """`picked` carries a sticker's id."""

    picked = Signal(str)

    def __init__(self, chat: KeepingVerbs, thumbnails: Thumbnails, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chat = chat
        self.tasks = TaskOwner(self)
        self.stickers: list[Sticker] = []
        self.recent: tuple[str, ...] = ()  # ids, the last one sent first
        self.shown: list[Sticker] = []  # the recent ones, where there are many, then all in their order
        self.list = ListPane("chat_talk.stickers")
        self.list.setProperty("look", "")
        self.list.setViewMode(QListView.ViewMode.IconMode)
        self.list.setResizeMode(QListView.ResizeMode.Adjust)
        self.list.setMovement(QListView.Movement.Static)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._model = QStringListModel(self)
        self.list.setItemDelegate(_Delegate(self, thumbnails))
        self.list.setModel(self._model)
        self.nothing = Label(key="chat_talk.stickers.none", tone="ink3", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.add_button = Button(key="chat_talk.stickers.add", icon="plus", kind="link", small=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.nothing)
        column.addLayout(self._stack, 1)
        column.addWidget(self.add_button, 0, Qt.AlignmentFlag.AlignLeft)
        on_click(self.add_button, self._ask)
        self.list.chosen.connect(self._on_chosen)
        self.list.customContextMenuRequested.connect(self._on_menu)
        thumbnails.arrived.connect(lambda _blob: self.list.viewport().update())

    def reload(self) -> None:
        """Reads them anew."""
        self.tasks.start(self._load(), name="stickers", exclusive=True)

    async def _load(self) -> None:
        found = await self._chat.stickers()
        if alive(self):
            self.stickers = sorted(found, key=lambda one: (one.order, one.created_at))
            self._show_stickers()
            self._stack.setCurrentWidget(self.list if self.stickers else self.nothing)

    def _show_stickers(self) -> None:
        held = {one.id: one for one in self.stickers}
        many = len(held) > MANY
        recent = [held[key] for key in self.recent if key in held][:RECENT] if many else []
        self.shown = [*recent, *self.stickers]
        self._model.setStringList([one.name or tr("chat_talk.kind.sticker") for one in self.shown])

    def _on_chosen(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self.shown):
            self.picked.emit(self.shown[index.row()].id)

    def _ask(self) -> None:
        dialog = QFileDialog(self.window().parentWidget(), tr("chat_talk.stickers.add"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        patterns = " ".join(f"*.{suffix}" for suffix in sorted(PICTURES))
        dialog.setNameFilter(f"{tr('chat.compose.pictures')} ({patterns})")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.filesSelected.connect(lambda paths: self.tasks.start(self.add(paths), name="add-sticker"))
        dialog.open()

    async def add(self, paths: list[str]) -> None:
        """Makes stickers of pictures on this computer."""
        for path in paths:
            await self._chat.add_sticker(Path(path), Path(path).stem)
        await self._load()

    def _on_menu(self, place: QPoint) -> None:
        row = self.list.indexAt(place).row()
        if not 0 <= row < len(self.shown):
            return
        menu = Menu(self, leaves=True)
        key, number = self.shown[row].id, self.stickers.index(self.shown[row])
        last = len(self.stickers) - 1
        for name, icon, place_of in (
            ("first", "arrow-line-left", 0),
            ("left", "arrow-left", number - 1),
            ("right", "arrow-right", number + 1),
        ):
            if 0 <= place_of <= last and place_of != number:
                move = menu.addAction(icons.icon(icon, "ink2", 16), tr(f"chat_talk.stickers.{name}"))
                move.triggered.connect(lambda _checked=False, to=place_of: self._start_move(key, to))
        action = menu.addAction(icons.icon("trash", "ink2", 16), tr("chat_talk.stickers.remove"))
        action.triggered.connect(lambda _checked=False: self.tasks.start(self.remove(key), name="remove-sticker"))
        menu.popup(self.list.viewport().mapToGlobal(place))

    def _start_move(self, sticker_id: str, to: int) -> None:
        self.tasks.start(self.move_to(sticker_id, to), name="order-stickers", exclusive=True)

    async def move_to(self, sticker_id: str, to: int) -> None:
        """Another place in the order, from 0."""
        order = [one.id for one in self.stickers if one.id != sticker_id]
        order.insert(to, sticker_id)
        await self._chat.order_stickers(order)
        await self._load()

    async def remove(self, sticker_id: str) -> None:
        """Throws one away."""
        await self._chat.remove_sticker(sticker_id)
        await self._load()


class _Delegate(RowDelegate):
    """A picture in a square."""

    height = CELL
    padding = 0

    def __init__(self, panel: StickerPanel, thumbnails: Thumbnails) -> None:
        super().__init__(panel.list)
        self._panel, self._thumbnails = panel, thumbnails

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(theme.scaled(CELL), theme.scaled(CELL))

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        if index.row() >= len(self._panel.shown):
            return
        place = rect.adjusted(5, 5, -5, -5)
        pixmap = self._thumbnails.get(self._panel.shown[index.row()].blob_id, place.size())
        if pixmap is not None:
            painter.drawPixmap(place.topLeft(), pixmap)
        else:
            painter.fillRect(place, theme.tokens().field)
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.tokens().accent)
            painter.drawRect(place)
