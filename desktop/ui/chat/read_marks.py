"""What counts as read: what was in sight of the active window for a moment. Behind another window nothing is read."""

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.core.domain import Conversation

SEEN_MS = 300


class ReadMarks(QTimer):
    """Notes what is in sight and, a moment later, tells it once. The timer runs while something waits to be told."""

    read = Signal(str, int)  # conversation id, the newest place that was read

    def __init__(self, pane: QWidget, conversation: Callable[[], Conversation | None]) -> None:
        super().__init__(pane, singleShot=True, interval=SEEN_MS)
        self._pane, self._conversation = pane, conversation
        self._seen = self._told = 0
        self.timeout.connect(self._tell)

    def turn_to(self, conversation: Conversation) -> None:
        """Another conversation is shown."""
        self._told, self._seen = conversation.read_seq, 0

    def see(self, seq: int) -> None:
        """A place came into sight."""
        self._seen = max(self._seen, seq)
        if self._seen > self._told and not self.isActive():
            self.start()

    def window_activated(self) -> None:
        """The window came to the front: what is in sight counts now."""
        if self._seen > self._told:
            self.start()

    def _tell(self) -> None:
        conversation = self._conversation()
        if conversation is None or self._seen <= self._told:
            return
        if not self._pane.isVisible() or not self._pane.window().isActiveWindow():
            return
        self._told = self._seen
        self.read.emit(conversation.id, self._seen)
