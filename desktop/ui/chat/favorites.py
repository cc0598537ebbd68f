"""What this user kept: a list with a search; each can be sent to the open conversation, found where it was said, or thrown away."""

from PySide6.QtCore import QRect, QRectF, QStringListModel, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.core.domain import Favorite, MessageKind
from desktop.models.people import People
from desktop.models.verbs import KeepingVerbs
from desktop.ui import theme
from desktop.ui.chat.summaries import kind_words
from desktop.ui.chat.text import one_line
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Dialog, Label, ListPane, RowDelegate, SearchBox, clipboard_text, draw_elided, on_click
from desktop.ui.kit.panes import Index
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import icons

_ICONS = {
    MessageKind.PICTURE: "image",
    MessageKind.FILE: "file",
    MessageKind.VOICE: "microphone",
    MessageKind.VIDEO: "film-strip",
    MessageKind.MERGED: "chat-centered-text",
    MessageKind.STICKER: "sticker",
}


def favorite_words(favorite: Favorite) -> str:
    """What it says, in one line."""
    attachment, merged = favorite.attachment, favorite.merged
    name = attachment.name if attachment is not None else merged.title if merged is not None else ""
    return one_line(kind_words(favorite.kind, favorite.text, name) or favorite.text, 300)


class FavoritesDialog(Dialog):
    """`send_wanted` and `jump_wanted` carry a Favorite. `sendable`: there is a conversation to send to."""

    send_wanted = Signal(object)
    jump_wanted = Signal(object)

    def __init__(self, parent: QWidget, chat: KeepingVerbs, people: People, *, sendable: bool) -> None:
        super().__init__(parent, "chat_talk.favorite.title", width=480)
        self._chat, self._people = chat, people
        self.tasks = TaskOwner(self)
        self.items: list[Favorite] = []
        self.search = SearchBox("chat_talk.favorite.search")
        self.list = ListPane("chat_talk.favorite.title")
        self.list.setProperty("look", "")
        self.list.setMinimumHeight(theme.scaled(340))
        self._model = QStringListModel(self)
        self.list.setItemDelegate(_Delegate(self, people))
        self.list.setModel(self._model)
        self.nothing = Label(key="chat_talk.favorite.none", tone="ink3", wrap=True)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body.addWidget(Label(key="chat_talk.favorite.title", role="header", strong=True))
        for part in (self.search, self.nothing, self.list):
            self.body.addWidget(part)
        self.remove = self.add_button("chat_talk.favorite.remove", kind="ghost")
        self.jump = self.add_button("chat_talk.favorite.jump")
        self.copy = self.add_button("common.copy")
        self.send = self.add_button("chat_talk.favorite.send", kind="primary")
        self.send.setVisible(sendable)
        on_click(self.remove, self._remove)
        on_click(self.jump, lambda: self._give(self.jump_wanted))
        on_click(self.copy, self._copy)
        on_click(self.send, lambda: self._give(self.send_wanted))
        self.search.searched.connect(lambda _text: self.reload())
        self.list.selectionModel().currentChanged.connect(lambda _now, _before: self._show_state())
        self._show_state()

    def reload(self) -> None:
        """Reads the list anew."""
        self.tasks.start(self._load(), name="favorites", exclusive=True)

    async def _load(self) -> None:
        found = await self._chat.favorites(self.search.text().strip())
        if not alive(self):
            return
        current = self.current
        self.items = found
        self._model.setStringList([favorite_words(one) for one in found])
        row = next((row for row, one in enumerate(found) if current is not None and one.id == current.id), 0)
        if found:
            self.list.setCurrentIndex(self._model.index(row))
        self._show_state()

    @property
    def current(self) -> Favorite | None:
        """The one that is marked."""
        row = self.list.currentIndex().row()
        return self.items[row] if 0 <= row < len(self.items) else None

    def _show_state(self) -> None:
        one = self.current
        for button in (self.remove, self.copy, self.send):
            button.setEnabled(one is not None)
        self.jump.setEnabled(one is not None and bool(one.message_id and one.conversation_id))
        self.nothing.setVisible(not self.items)

    def _give(self, signal: object) -> None:
        one = self.current
        if one is not None:
            signal.emit(one)  # type: ignore[attr-defined]  # a bound signal; PySide has no public name for its type
            self.accept()

    def _copy(self) -> None:
        if self.current is not None:
            clipboard_text(self.current.text or favorite_words(self.current))

    def _remove(self) -> None:
        if self.current is not None:
            self.tasks.start(self._do_remove(self.current.id), name="remove")

    async def _do_remove(self, favorite_id: str) -> None:
        await self._chat.remove_favorite(favorite_id)
        if alive(self):
            await self._load()


class _Delegate(RowDelegate):
    """An icon, what it says, who said it and when it was kept."""

    height = 52

    def __init__(self, dialog: FavoritesDialog, people: People) -> None:
        super().__init__(dialog.list)
        self._dialog, self._people = dialog, people

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        if index.row() >= len(self._dialog.items):
            return
        one, colors = self._dialog.items[index.row()], theme.tokens()
        side = theme.scaled(20)
        place = QRectF(rect.left(), rect.center().y() - side / 2, side, side)
        icons.paint(painter, place, _ICONS.get(one.kind, "chat-text"), colors.link)
        upper = rect.adjusted(side + 12, theme.scaled(7), 0, -rect.height() // 2)
        lower = rect.adjusted(side + 12, rect.height() // 2, 0, -theme.scaled(6))
        draw_elided(painter, upper, favorite_words(one), theme.font("base"), colors.ink)
        sender = self._people.name(one.sender_id) or tr("common.unknown_person")
        parts = [sender, when.short(one.created_at, when.now()), one.note or "", *one.tags]
        draw_elided(painter, lower, " ・ ".join(p for p in parts if p), theme.font("secondary"), colors.ink3)
