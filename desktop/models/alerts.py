"""Which of what arrives deserves a pop-up now, which is held, which is grouped. State only; the pop-ups are ui.toasts.

A held notice comes back when do-not-disturb ends; held messages do not, their unread counts tell. What had gathered while the
user was away comes as one pop-up, not as a pile.
"""

from collections.abc import Callable

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal

from desktop.core.domain import Alert, Conversation, ConversationKind, Message
from desktop.core.events import AlertArrived, ChangeSet, Event, MessageArrived

SNOOZE_MS = 10 * 60 * 1000
BACKLOG = "backlog"
BACKLOG_OVER = 3  # more than so many at once become one pop-up


class MessageItem(msgspec.Struct, frozen=True):
    """Unseen messages of one conversation: the newest, who sent it, how many. `key` is the conversation's id."""

    key: str
    conversation: Conversation
    message: Message
    count: int = 1


class NoticeItem(msgspec.Struct, frozen=True):
    """An alert. `key` is the alert's id."""

    key: str
    alert: Alert


class BacklogItem(msgspec.Struct, frozen=True):
    """Alerts that had gathered while nobody was here. There is one at a time; `key` is BACKLOG."""

    alerts: tuple[Alert, ...]
    key: str = BACKLOG

    @property
    def urgent(self) -> bool:
        """Whether one of them must be dealt with."""
        return any(alert.urgent for alert in self.alerts)


Item = MessageItem | NoticeItem | BacklogItem


def _always(*_of: object) -> bool:
    return True


class Quiet(msgspec.Struct, frozen=True):
    """What keeps pop-ups away at this moment."""

    do_not_disturb: bool = False
    messages_off: bool = False
    notices_off: bool = False
    locked: bool = False  # nothing at all, urgent or not


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
        wants_message: Callable[[Message, Conversation], bool] = _always,
        wants_alert: Callable[[Alert], bool] = _always,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._quiet = quiet
        self._looking_at = looking_at
        self._wants_message, self._wants_alert = wants_message, wants_alert
        self._gathered: dict[str, NoticeItem] | None = None
        self._backlog: BacklogItem | None = None
        self._messages: dict[str, MessageItem] = {}
        self._held: dict[str, NoticeItem] = {}
        self._open: dict[str, NoticeItem | BacklogItem] = {}
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
        if not self._wants_message(message, conversation):
            return
        quiet = self._quiet()
        if not quiet.do_not_disturb:
            self.arrived.emit(conversation.id)
        if conversation.kind is ConversationKind.SYSTEM or quiet.do_not_disturb or quiet.messages_off or quiet.locked:
            return  # a system conversation's message comes with an alert of its own
        before = self._messages.get(conversation.id)
        item = MessageItem(conversation.id, conversation, message, count=before.count + 1 if before else 1)
        self._messages[conversation.id] = item
        self.shown.emit(item)

    def offer(self, item: NoticeItem) -> None:
        """Shows a notice now, or holds it while the user wants peace. Urgent ones come through."""
        if item.key in self._snoozed or not self._wants_alert(item.alert) or self._in_backlog(item.key):
            return
        quiet = self._quiet()
        if not item.alert.urgent and quiet.notices_off:
            return
        if self._gathered is not None:
            self._gathered[item.key] = item
            return
        if quiet.locked or (not item.alert.urgent and quiet.do_not_disturb):
            self._held[item.key] = item
            return
        self._open[item.key] = item
        self.shown.emit(item)

    # ------------------------------------------------------------ what had gathered
    @property
    def gathering(self) -> bool:
        """Whether alerts are put by until `end_gathering`."""
        return self._gathered is not None

    def begin_gathering(self) -> None:
        """Alerts that come from now on were there before the user was: a start, a way back to the server."""
        if self._gathered is None:
            self._gathered = {}

    def end_gathering(self) -> None:
        """Few come one by one, many as one."""
        gathered, self._gathered = self._gathered or {}, None
        if len(gathered) <= BACKLOG_OVER and self._backlog is None:
            for item in gathered.values():
                self.offer(item)
        elif gathered:
            before = self._backlog.alerts if self._backlog is not None else ()
            self._set_backlog((*before, *(item.alert for item in gathered.values())))

    def _in_backlog(self, key: str) -> bool:
        return self._backlog is not None and any(alert.id == key for alert in self._backlog.alerts)

    def _set_backlog(self, alerts: tuple[Alert, ...]) -> None:
        self._backlog = BacklogItem(alerts) if alerts else None
        if BACKLOG in self._snoozed:
            return
        if self._backlog is None:
            self._open.pop(BACKLOG, None)
            self.gone.emit(BACKLOG)
            return
        quiet = self._quiet()
        if not quiet.locked and (self._backlog.urgent or not (quiet.do_not_disturb or quiet.notices_off)):
            self._open[BACKLOG] = self._backlog
            self.shown.emit(self._backlog)

    def hold_all(self) -> None:
        """What stands on the screen is put by until `release`: the program is locked."""
        opened, self._open = self._open, {}
        self._messages.clear()
        self._held |= {key: item for key, item in opened.items() if isinstance(item, NoticeItem)}

    def release(self) -> None:
        """Do-not-disturb ended: what was held comes now."""
        held, self._held = self._held, {}
        for item in held.values():
            self.offer(item)
        if self._backlog is not None and BACKLOG not in self._open:
            self._set_backlog(self._backlog.alerts)

    def read(self, conversation_id: str) -> None:
        """The conversation was opened here or read elsewhere: its pop-up goes."""
        if self._messages.pop(conversation_id, None) is not None:
            self.gone.emit(conversation_id)

    def closed(self, key: str) -> None:
        """The user closed the pop-up, or its time was over. The next message starts counting anew."""
        self._messages.pop(key, None)
        self._open.pop(key, None)
        if key == BACKLOG:
            self._backlog = None

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

    def _wake(self, item: NoticeItem | BacklogItem) -> None:
        timer = self._snoozed.pop(item.key, None)
        if timer is not None:
            timer.deleteLater()
        if isinstance(item, NoticeItem):
            self.offer(item)
        elif self._backlog is not None:
            self._set_backlog(self._backlog.alerts)

    def forget(self, key: str) -> None:
        """The alert is gone on the server (handled, withdrawn, dismissed elsewhere)."""
        timer = self._snoozed.pop(key, None)
        if timer is not None:
            timer.stop()
            timer.deleteLater()
        self._held.pop(key, None)
        self._open.pop(key, None)
        if self._gathered is not None:
            self._gathered.pop(key, None)
        self.gone.emit(key)
        if self._backlog is not None and self._in_backlog(key):
            self._set_backlog(tuple(alert for alert in self._backlog.alerts if alert.id != key))

    def recall(self, conversation_id: str) -> MessageItem | None:
        """The item shown for a conversation, with its count; None when none is."""
        return self._messages.get(conversation_id)

    def rename(self, conversation: Conversation) -> None:
        """A shown conversation changed its name."""
        item = self._messages.get(conversation.id)
        if item is not None and item.conversation.name != conversation.name:
            self._messages[conversation.id] = msgspec.structs.replace(item, conversation=conversation)
            self.shown.emit(self._messages[conversation.id])
