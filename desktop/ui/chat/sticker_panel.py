"""Stickers to send from: this user's own, the recent ones first, with the ways to add, to order and to throw away; and the built-in set."""

from pathlib import Path

from PySide6.QtCore import QModelIndex, QPoint, QRect, QRectF, QStringListModel, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFileDialog, QStackedLayout, QVBoxLayout, QWidget

from desktop.core.domain import Sticker
from desktop.models.verbs import KeepingVerbs
from desktop.ui import i18n
from desktop.ui.chat import sticker_set
from desktop.ui.chat.outgoing import PICTURES
from desktop.ui.chat.picture_grid import CellDelegate, PictureGrid, ThumbnailDelegate
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Label, Menu, on_click
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import icons

CELL = 70
SET_CELL = 72
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
        self.list = PictureGrid("chat_talk.stickers")
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._model = QStringListModel(self)
        self.list.setItemDelegate(ThumbnailDelegate(self.list, CELL, 5, thumbnails, self._blob_of))
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

    def _blob_of(self, number: int) -> str | None:
        return self.shown[number].blob_id if number < len(self.shown) else None

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


class StickerSet(PictureGrid):
    """The set to send from; `picked` carries a name."""

    picked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("chat_talk.sticker_set", parent=parent)
        self._model = QStringListModel(self)
        self.setItemDelegate(_SetDelegate(self, SET_CELL, 4))
        self.setModel(self._model)
        self._fill()
        i18n.changed.connect(self._fill)
        self.chosen.connect(lambda index: self.picked.emit(sticker_set.names()[index.row()]))

    def _fill(self) -> None:
        self._model.setStringList([sticker_set.caption(name) for name in sticker_set.names()])


class _SetDelegate(CellDelegate):
    """A drawing and its words."""

    def paint_cell(self, painter: QPainter, place: QRect, number: int) -> None:
        sticker_set.paint(painter, QRectF(place), sticker_set.names()[number], role="small")
