"""Several messages picked at once: which ones, and the bar in the composer's place that says what can be done with them."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.core.domain import Message, MessageKind
from desktop.models.messages import MessageWindow
from desktop.ui import i18n, theme
from desktop.ui.kit import Button, ElidedLabel, Folding, IconButton, on_click

MOST = 100


def pickable(message: Message) -> bool:
    """Whether a message can be picked: the server has it and it says something."""
    told = message.kind in (MessageKind.SYSTEM, MessageKind.SHAKE) or message.recalled_at is not None
    return bool(message.seq) and not told


class Picking(QObject):
    """Which messages of the open conversation are picked. `changed` comes with every change, the mode included."""

    changed = Signal()
    full = Signal()  # more than MOST were wanted

    def __init__(self, window: MessageWindow, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._window = window
        self._picked: dict[str, Message] = {}
        self._last = ""
        self.active = False

    def __contains__(self, message_id: str) -> bool:
        return message_id in self._picked

    def __len__(self) -> int:
        return len(self._picked)

    def start(self, message_id: str = "") -> None:
        """Begins to pick, with one message where it is named."""
        self._picked = {}
        self.active = True
        self._last = ""
        if message_id:
            self._put(message_id)
        self.changed.emit()

    def stop(self) -> None:
        """Nothing is picked any more."""
        if self.active:
            self.active = False
            self._picked = {}
            self.changed.emit()

    def toggle(self, message_id: str) -> None:
        """Picks a message, or puts it back."""
        if message_id in self._picked:
            del self._picked[message_id]
        else:
            self._put(message_id)
        self.changed.emit()

    def extend_to(self, message_id: str) -> None:
        """Picks all from the one picked last to this one."""
        first, last = sorted((self._window.row_of(self._last), self._window.row_of(message_id)))
        if first < 0:
            self.toggle(message_id)
            return
        for row in range(first, last + 1):
            self._put(self._window.at(row).id)
        self._last = message_id
        self.changed.emit()

    def drop(self, message_ids: Iterable[str]) -> None:
        """Messages are gone."""
        gone = [one for one in message_ids if self._picked.pop(one, None) is not None]
        if gone:
            self.changed.emit()

    def messages(self) -> list[Message]:
        """What is picked, oldest first, as it stands now where it is still held."""
        now = [self._now(message) for message in self._picked.values()]
        return sorted(now, key=lambda message: message.seq)

    def _now(self, message: Message) -> Message:
        row = self._window.row_of(message.id)
        return self._window.at(row) if row >= 0 else message

    def _put(self, message_id: str) -> None:
        row = self._window.row_of(message_id)
        if row < 0 or not pickable(self._window.at(row)) or message_id in self._picked:
            return
        if len(self._picked) >= MOST:
            self.full.emit()
            return
        self._picked[message_id] = self._window.at(row)
        self._last = message_id


class PickBar(QFrame):
    """How many are picked, and what to do with them."""

    def __init__(self, picking: Picking, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "footer")
        self._picking = picking
        self.count = ElidedLabel(role="secondary", tone="ink2", whole=True)
        self.buttons: dict[str, Button] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(18, 12, 14, 14)
        self._row.setSpacing(8)
        self._row.addWidget(self.count)
        self._row.addStretch(1)
        self.close_button = IconButton("x", "chat_talk.pick.stop", size=16)
        self._row.addWidget(self.close_button)
        on_click(self.close_button, picking.stop)
        self._folding = Folding(self, self._row, lambda cut: self.count.set_whole(not cut))
        picking.changed.connect(self._show)
        i18n.changed.connect(self._show)
        self.hide()

    def add(self, name: str, icon: str, run: Callable[[list[Message]], object]) -> None:
        """Offers one thing to do with the picked messages."""
        button = Button(key=f"chat_talk.pick.{name}", icon=icon, kind="secondary")
        button.setObjectName(f"chat.pick.{name}")
        on_click(button, lambda: run(self._picking.messages()))
        self.buttons[name] = button
        self._row.insertWidget(self._row.count() - 1, button)
        self._folding.steps.insert(len(self.buttons) - 1, button.set_compact)

    def minimumSizeHint(self) -> QSize:
        return QSize(theme.scaled(60), super().minimumSizeHint().height())

    def _show(self) -> None:
        many = len(self._picking)
        self.count.setText(i18n.tr("chat_talk.pick.count", n=many))
        for button in self.buttons.values():
            button.setEnabled(bool(many))
        self.setVisible(self._picking.active)
