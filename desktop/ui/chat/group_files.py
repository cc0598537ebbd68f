"""What was sent in a group: its files as a list, its pictures as an album."""

from PySide6.QtCore import QModelIndex, QRect, QRectF, QStringListModel, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStackedLayout, QStyleOptionViewItem, QVBoxLayout, QWidget

from desktop.core.domain import Message, MessageKind
from desktop.models.people import People
from desktop.ui import theme
from desktop.ui.chat.picture_grid import PictureGrid, ThumbnailDelegate
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.i18n import tr, when
from desktop.ui.kit import EmptyState, ListPane, RowDelegate, SearchBox, draw_elided, paint_file_sheet
from desktop.ui.kit.panes import Index

CELL = 84
SHOWN = 300


class SentFiles(QWidget):
    """One kind of what was sent. `picked` carries the message of the file that was pressed."""

    picked = Signal(object)

    def __init__(
        self, kind: MessageKind, people: People, thumbnails: Thumbnails, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.kind = kind
        self._messages: list[Message] = []
        self.shown: list[Message] = []
        album = kind is MessageKind.PICTURE
        self.search = SearchBox("chat_group.files.search")
        self.search.setVisible(not album)
        self._model = QStringListModel(self)
        self.list: ListPane
        if album:
            self.list = grid = PictureGrid("chat_group.album")
            grid.setItemDelegate(ThumbnailDelegate(grid, CELL, 3, thumbnails, self._blob_of))
        else:
            self.list = ListPane("chat_group.files")
            self.list.setProperty("look", "")
            self.list.setItemDelegate(_FileDelegate(self, people))
        self.list.setModel(self._model)
        key = "chat_group.album.none" if album else "chat_group.files.none"
        self.empty = EmptyState("image" if album else "file", key)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 8)
        column.setSpacing(8)
        column.addWidget(self.search)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        column.addLayout(self._stack, 1)
        self.search.searched.connect(lambda _text: self._narrow())
        self.list.chosen.connect(self._on_chosen)

    def show_messages(self, messages: list[Message]) -> None:
        """What there is, newest first."""
        self._messages = [m for m in messages if m.attachment is not None and m.recalled_at is None]
        self._narrow()

    def _blob_of(self, number: int) -> str | None:
        attachment = self.shown[number].attachment if number < len(self.shown) else None
        return attachment.blob_id if attachment is not None else None

    def _narrow(self) -> None:
        needle = self.search.text().strip().lower()
        self.shown = [m for m in self._messages if m.attachment is not None and needle in m.attachment.name.lower()]
        self._model.setStringList([m.attachment.name if m.attachment else "" for m in self.shown])
        self._stack.setCurrentWidget(self.list if self.shown else self.empty)

    def _on_chosen(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self.shown):
            self.picked.emit(self.shown[index.row()])


class _FileDelegate(RowDelegate):
    """A sheet, the name, size and sender and time."""

    height = 54
    padding = 6

    def __init__(self, pane: SentFiles, people: People) -> None:
        super().__init__(pane.list)
        self._pane, self._people = pane, people

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        if index.row() >= len(self._pane.shown):
            return
        message, colors = self._pane.shown[index.row()], theme.tokens()
        attachment = message.attachment
        if attachment is None:
            return
        width, height = theme.scaled(28), theme.scaled(34)
        sheet = QRectF(rect.left(), rect.center().y() - height / 2, width, height)
        paint_file_sheet(painter, sheet, attachment.name)
        upper = rect.adjusted(width + 10, theme.scaled(8), 0, -rect.height() // 2)
        lower = rect.adjusted(width + 10, rect.height() // 2, 0, -theme.scaled(7))
        draw_elided(painter, upper, attachment.name, theme.font("base"), colors.ink)
        sender = self._people.name(message.sender_id) or tr("common.unknown_person")
        parts = (when.size(attachment.size), sender, when.short(message.sent_at, when.now()))
        draw_elided(painter, lower, " ・ ".join(parts), theme.font("secondary"), colors.ink3)
