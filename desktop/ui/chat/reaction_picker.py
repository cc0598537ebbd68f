"""A row of emoji to answer a message with, and the way to all others."""

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QWidget

from desktop.ui import i18n, theme
from desktop.ui.chat.emoji import EmojiPicker
from desktop.ui.chat.emoji_words import emoji_name
from desktop.ui.kit import IconButton, on_click, round_corners
from desktop.ui.shell.ui_state import UiState

USUAL = ("👍", "👌", "🙏", "🎉", "😄", "❤️", "👏", "✅")


class ReactionPicker(QFrame):
    """A pop-up over a message; `picked` says which emoji for which message."""

    picked = Signal(str, str)  # message id, emoji

    def __init__(self, state: UiState, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._state, self._host = state, parent
        self._message_id = ""
        self._place = QPoint()
        self._all: EmojiPicker | None = None
        self.setProperty("surface", "popup")
        round_corners(self)
        i18n.bind(self.setAccessibleName, "chat_talk.act.react")
        line = QHBoxLayout(self)
        line.setContentsMargins(6, 4, 6, 4)
        line.setSpacing(2)
        self.buttons: dict[str, QToolButton] = {}
        for emoji in USUAL:
            button = QToolButton(self)
            button.setText(emoji)
            button.setFont(theme.font("title"))
            button.setAccessibleName(emoji_name(emoji) or emoji)
            button.setToolTip(emoji_name(emoji))
            button.setFixedSize(theme.scaled(36), theme.scaled(36))
            on_click(button, partial(self._pick, emoji))
            self.buttons[emoji] = button
            line.addWidget(button)
        self.more = IconButton("plus-circle", "chat_talk.act.more_emoji", box=36)
        on_click(self.more, self._open_all)
        line.addWidget(self.more)

    def open_at(self, message_id: str, place: QPoint) -> None:
        """Opens over a place of the screen, inside it."""
        self._message_id = message_id
        self.adjustSize()
        screen = self._host.screen().availableGeometry()
        x = min(max(place.x() - self.width() // 2, screen.left()), screen.right() - self.width())
        y = max(place.y() - self.height() - 4, screen.top())
        self._place = QPoint(x, y)
        self.move(self._place)
        self.show()
        self.buttons[USUAL[0]].setFocus()

    def _open_all(self) -> None:
        if self._all is None:
            self._all = EmojiPicker(self._state, self._host)
            self._all.picked.connect(self._pick)
        self.hide()
        self._all.open_above(self)

    def _pick(self, emoji: str) -> None:
        self.hide()
        self.picked.emit(self._message_id, emoji)
