"""The small bar beside the message under the mouse: answer with an emoji, quote, forward, more. The menu has all of it for the keyboard."""

from functools import partial

from PySide6.QtCore import QPointF, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.ui import theme
from desktop.ui.chat.flow import RowFlow
from desktop.ui.chat.row import Row
from desktop.ui.kit import IconButton, on_click

GAP = 6
OVERLAP = 10
_ACTIONS = (
    ("react", "smiley", "chat_talk.act.react"),
    ("reply", "arrow-bend-up-left", "chat.menu.reply"),
    ("forward", "share", "chat_talk.act.forward"),
    ("more", "dots-three", "chat_talk.act.more"),
)


class HoverBar(QFrame):
    """Floats over the messages; `wanted` says what for which message."""

    wanted = Signal(str, str)  # action, message id

    def __init__(self, viewport: QWidget, flow: RowFlow) -> None:
        super().__init__(viewport)
        self._flow = flow
        self.message_id = ""
        self.enabled: set[str] = {"react", "reply", "forward", "more"}
        self.setProperty("surface", "popup")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 2, 2, 2)
        layout.setSpacing(0)
        self.buttons: dict[str, IconButton] = {}
        for action, icon, key in _ACTIONS:
            button = IconButton(icon, key, size=16, box=26, active="link")
            button.setObjectName(f"chat.hover.{action}")
            button.setAutoRaise(True)
            on_click(button, partial(self._press, action))
            self.buttons[action] = button
            layout.addWidget(button)
        self.hide()

    def follow(self, row: Row | None, y: float) -> None:
        """Goes to a row, whose top stands at `y` of the viewport; away for none."""
        if row is None:
            self.leave()
            return
        if row.message.id == self.message_id and self.isVisible():
            return
        self.message_id = row.message.id
        for action, button in self.buttons.items():
            button.setVisible(action in self.enabled)
        self.adjustSize()
        self.move(self._place(row, y).toPoint())
        self.show()
        self.raise_()

    def _press(self, action: str) -> None:
        self.wanted.emit(action, self.message_id)

    def leave(self) -> None:
        """Nothing is under the mouse, or what was has moved."""
        self.message_id = ""
        self.hide()

    def _place(self, row: Row, y: float) -> QPointF:
        """Beside the bubble, on its free side, a little above its middle line; never outside the view."""
        box, room = row.bubble, self.parentWidget()
        width = room.width() if room is not None else row.width
        x = box.left() - self.width() - GAP if row.mine else box.right() + GAP
        x = min(max(x, 4.0), width - self.width() - 4.0)
        beside = x + self.width() <= box.left() or x >= box.right()
        top = y + box.top() + (2 if beside else -self.height() + theme.scaled(OVERLAP))
        limit = room.height() - self.height() if room is not None else top
        return QPointF(x, min(max(top, 2.0), float(limit)))
