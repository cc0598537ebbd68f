"""Which of what arrives deserves a pop-up now, which is held, which is grouped. State only; the pop-ups are ui.toasts.

A held notice comes back when do-not-disturb ends; held messages do not, their unread counts tell.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.domain import Alert, Conversation, ConversationKind, Message
from desktop.core.events import AlertArrived, ChangeSet, Event, MessageArrived

SNOOZE_MS = 10 * 60 * 1000


@dataclass(frozen=True, slots=True)
class MessageItem:
    """Unseen messages of one conversation: the newest, who sent it, how many. `key` is the conversation's id."""

    key: str
    conversation: Conversation
    message: Message
    count: int = 1


@dataclass(frozen=True, slots=True)
class NoticeItem:
    """An alert. `key` is the alert's id."""

    key: str
    alert: Alert


Item = MessageItem | NoticeItem


@dataclass(frozen=True, slots=True)
class Quiet:
    """What keeps pop-ups away at this moment."""

    do_not_disturb: bool = False
    messages_off: bool = False
    notices_off: bool = False


class Attention(QObject):
    """Turns the session's events into items to show or to take away."""

    shown = Signal(object)  # Item: new, or changed under the same key
    gone = Signal(str)  # key
    arrived = Signal(str)  # conversation id: the tray flashes

    def __init__(
        self,
        *,
        quiet: Callable[[], Quiet],
        looking_at: Callable[[], str | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._quiet = quiet
        self._looking_at = looking_at
        self._messages: dict[str, MessageItem] = {}
        self._held: dict[str, NoticeItem] = {}
        self._open: dict[str, NoticeItem] = {}
        self._snoozed: dict[str, QTimer] = {}

    def on_event(self, event: Event) -> None:
        """Follows the session's events."""
        match event:
            case MessageArrived(message=message, conversation=conversation, notify=True):
                self._on_message(message, conversation)
            case AlertArrived(alert=alert):
                self.offer(NoticeItem(alert.id, alert))
            case ChangeSet(type_name="Alert", removed=removed):
                for alert_id in removed:
                    self.forget(alert_id)
            case _:
                pass

    def _on_message(self, message: Message, conversation: Conversation) -> None:
        if self._looking_at() == conversation.id:
            return
        quiet = self._quiet()
        if not quiet.do_not_disturb:
            self.arrived.emit(conversation.id)
        if conversation.kind is ConversationKind.SYSTEM or quiet.do_not_disturb or quiet.messages_off:
            return  # a system conversation's message comes with an alert of its own
        before = self._messages.get(conversation.id)
        item = MessageItem(conversation.id, conversation, message, count=before.count + 1 if before else 1)
        self._messages[conversation.id] = item
        self.shown.emit(item)

    def offer(self, item: NoticeItem) -> None:
        """Shows a notice now, or holds it while the user wants peace. Urgent ones come through."""
        if item.key in self._snoozed:
            return
        quiet = self._quiet()
        if not item.alert.urgent and quiet.notices_off:
            return
        if not item.alert.urgent and quiet.do_not_disturb:
            self._held[item.key] = item
            return
        self._open[item.key] = item
        self.shown.emit(item)

    def release(self) -> None:
        """Do-not-disturb ended: what was held comes now."""
        held, self._held = self._held, {}
        for item in held.values():
            self.offer(item)

    def read(self, conversation_id: str) -> None:
        """The conversation was opened here or read elsewhere: its pop-up goes."""
        if self._messages.pop(conversation_id, None) is not None:
            self.gone.emit(conversation_id)

    def closed(self, key: str) -> None:
        """The user closed the pop-up, or its time was over. The next message starts counting anew."""
        self._messages.pop(key, None)
        self._open.pop(key, None)

    def snooze(self, key: str, after_ms: int = SNOOZE_MS) -> None:
        """Takes a notice away and brings it back after a while, unless it is gone by then."""
        item = self._open.pop(key, None)
        if item is None:
            return
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: self._wake(item))
        timer.start(after_ms)
        self._snoozed[key] = timer
        self.gone.emit(key)

    def _wake(self, item: NoticeItem) -> None:
        timer = self._snoozed.pop(item.key, None)
        if timer is not None:
            timer.deleteLater()
        self.offer(item)

    def forget(self, key: str) -> None:
        """The alert is gone on the server (handled, withdrawn, dismissed elsewhere)."""
        timer = self._snoozed.pop(key, None)
        if timer is not None:
            timer.stop()
            timer.deleteLater()
        self._held.pop(key, None)
        self._open.pop(key, None)
        self.gone.emit(key)

    def recall(self, conversation_id: str) -> MessageItem | None:
        """The item shown for a conversation, with its count; None when none is."""
        return self._messages.get(conversation_id)

    def rename(self, conversation: Conversation) -> None:
        """A shown conversation changed its name."""
        item = self._messages.get(conversation.id)
        if item is not None and item.conversation.name != conversation.name:
            self._messages[conversation.id] = replace(item, conversation=conversation)
            self.shown.emit(self._messages[conversation.id])
