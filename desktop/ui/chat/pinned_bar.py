"""The bar at the top of a conversation with what is pinned there: a press leads to it, the next press to the one before."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from desktop.core.domain import Message
from desktop.models.people import People
from desktop.ui.chat.summaries import summary
from desktop.ui.chat.text import one_line
from desktop.ui.i18n import tr
from desktop.ui.kit import ElidedLabel, IconButton, IconLabel, Label, on_click


class PinnedBar(QFrame):
    """Shows one of the pinned messages, the one pinned last first. `wanted` and `unpin_wanted` name a message."""

    wanted = Signal(str)
    unpin_wanted = Signal(str)

    def __init__(self, people: People, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("surface", "header")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._people = people
        self.messages: list[Message] = []
        self._at = 0
        self.text = ElidedLabel(role="secondary", tone="ink2")
        self.count = Label(role="secondary", tone="ink3")
        self.unpin = IconButton("push-pin-slash", "chat_talk.act.unpin", size=14, box=24)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(18, 5, 10, 5)
        layout.setSpacing(8)
        layout.addWidget(IconLabel("push-pin", tone="amber", size=14))
        layout.addWidget(self.text, 1)
        layout.addWidget(self.count)
        layout.addWidget(self.unpin)
        on_click(self.unpin, self._on_unpin)
        self.hide()

    def show_messages(self, messages: list[Message], *, may_unpin: bool) -> None:
        """What is pinned now."""
        self.messages = sorted(messages, key=lambda m: m.pinned.at if m.pinned else 0, reverse=True)
        self._at = min(self._at, max(0, len(messages) - 1))
        self.unpin.setVisible(may_unpin)
        self._show()

    @property
    def current(self) -> Message | None:
        """The one that is shown."""
        return self.messages[self._at] if self.messages else None

    def press(self) -> None:
        """Leads to the one that is shown; the next one is shown then."""
        message = self.current
        if message is not None:
            self.wanted.emit(message.id)
            self._at = (self._at + 1) % len(self.messages)
            self._show()

    def _show(self) -> None:
        message = self.current
        self.setVisible(message is not None)
        if message is None:
            return
        said = one_line(summary(message, self._people), 200)
        text = tr("chat.quote", name=self._people.name(message.sender_id), text=said)
        self.text.setText(text)
        many = len(self.messages)
        self.count.setText(f"{self._at + 1} / {many}" if many > 1 else "")
        self.setAccessibleName(tr("chat_talk.pinned", text=text))

    def _on_unpin(self) -> None:
        if self.current is not None:
            self.unpin_wanted.emit(self.current.id)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.press()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.press()
            return
        super().keyPressEvent(event)
