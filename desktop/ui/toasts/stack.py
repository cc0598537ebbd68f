"""Where the pop-ups stand: stacked from the corner, at most four, urgent ones before others. One pop-up for each key.

Urgent ones stay until somebody deals with them, so one place is kept from them: what comes and goes must always be seen.
"""

import sys
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication

from desktop.models.alerts import BacklogItem, Item, MessageItem, NoticeItem
from desktop.ui.toasts.backlog import BacklogToast
from desktop.ui.toasts.toast import MessageToast, NoticeToast, Toast

MOST = 4
MOST_STAYING = MOST - 1
MARGIN = 16
GAP = 12


def places(area: QRect, sizes: list[tuple[int, int]], *, shadow: int, from_top: bool) -> list[tuple[int, int]]:
    """Top left corners of windows stacked from the right corner of an area, the first one nearest to it."""
    found: list[tuple[int, int]] = []
    edge = area.top() + MARGIN if from_top else area.bottom() + 1 - MARGIN
    for width, height in sizes:
        visible = height - 2 * shadow
        left = area.right() + 1 - MARGIN - width + shadow
        top = edge if from_top else edge - visible
        found.append((left, top - shadow))
        edge = edge + visible + GAP if from_top else edge - visible - GAP
    return found


def _stays(item: Item) -> bool:
    match item:
        case NoticeItem():
            return item.alert.urgent
        case BacklogItem():
            return item.urgent
    return False


class ToastStack(QObject):
    """The pop-ups on the screen and those that wait for room."""

    reply_asked = Signal(str, str)  # conversation id, text
    open_asked = Signal(object)  # Item
    confirm_asked = Signal(object)  # NoticeItem
    snooze_asked = Signal(str)  # key
    closed = Signal(str)  # key

    def __init__(
        self, *, name_of: Callable[[str], str], show_content: Callable[[], bool], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._name_of = name_of
        self._show_content = show_content
        self._items: dict[str, Item] = {}
        self._toasts: dict[str, Toast] = {}
        self._waiting: dict[str, Item] = {}
        self._leaving: set[Toast] = set()
        self._placing = QTimer(self, interval=0, singleShot=True)
        self._placing.timeout.connect(self._place)
        screen = QGuiApplication.primaryScreen()
        if screen is not None:
            screen.availableGeometryChanged.connect(self._placing.start)

    @property
    def shown(self) -> list[str]:
        """Keys on the screen, the one nearest to the corner first."""
        return list(self._toasts)

    def toast(self, key: str) -> Toast | None:
        """The pop-up of a key."""
        return self._toasts.get(key)

    def show_item(self, item: Item) -> None:
        """Shows an item, or renews the pop-up it has already."""
        known = self._toasts.get(item.key)
        if isinstance(known, MessageToast) and isinstance(item, MessageItem):
            self._items[item.key] = item
            known.renew(item, self._sender(item))
            return
        if isinstance(known, BacklogToast) and isinstance(item, BacklogItem):
            self._items[item.key] = item
            known.renew(item)
            self._placing.start()
            return
        if known is not None:
            return
        if self._may_stand(item) and (len(self._toasts) < MOST or self._make_room(item)):
            self._raise(item)
        else:
            self._waiting[item.key] = item

    def remove(self, key: str) -> None:
        """Takes a pop-up away without a word: its reason is gone."""
        self._waiting.pop(key, None)
        toast = self._toasts.pop(key, None)
        self._items.pop(key, None)
        if toast is not None:
            self._see_off(toast)
            self._fill_up()

    def clear(self) -> None:
        """Takes all away: signed out, or another style was chosen."""
        self._waiting.clear()
        for key in self.shown:
            self.remove(key)
        for toast in list(self._leaving):
            self._gone(toast)

    def reply_done(self, key: str) -> None:
        """The reply of a pop-up was taken."""
        toast = self._toasts.get(key)
        if isinstance(toast, MessageToast):
            toast.reply_done()

    def reply_failed(self, key: str, why: str) -> None:
        """The reply was not taken; its text stays."""
        toast = self._toasts.get(key)
        if isinstance(toast, MessageToast):
            toast.reply_failed(why)

    def confirm_failed(self, key: str, why: str) -> None:
        """The confirmation was not taken."""
        toast = self._toasts.get(key)
        if isinstance(toast, NoticeToast):
            toast.confirm_failed(why)

    def _sender(self, item: MessageItem) -> str:
        sender = item.message.sender_id
        return self._name_of(sender) if sender else item.conversation.name

    def _may_stand(self, item: Item) -> bool:
        return not _stays(item) or sum(toast.stays for toast in self._toasts.values()) < MOST_STAYING

    def _make_room(self, item: Item) -> bool:
        """The oldest that may leave by itself makes room; one the user is busy with stays, and so do urgent ones."""
        urgent = _stays(item)
        for key, toast in self._toasts.items():
            if not toast.stays and not toast.busy_with_user():
                if not urgent:
                    self.closed.emit(key)
                else:
                    self._waiting[key] = self._items[key]
                self._drop(key)
                return True
        return False

    def _drop(self, key: str) -> None:
        toast = self._toasts.pop(key)
        self._items.pop(key, None)
        self._see_off(toast)

    def _see_off(self, toast: Toast) -> None:
        """It fades out and is deleted then; meanwhile nothing can be pressed on it, and nothing it says is heard."""
        toast.blockSignals(True)
        toast.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._leaving.add(toast)  # nobody else holds it
        toast.sliding.leave(partial(self._gone, toast))

    def _gone(self, toast: Toast) -> None:
        if toast in self._leaving:
            self._leaving.remove(toast)
            toast.hide()
            toast.deleteLater()

    def _raise(self, item: Item) -> None:
        toast: Toast
        if isinstance(item, MessageItem):
            message = MessageToast(item, self._sender(item), show_content=self._show_content())
            message.replied.connect(self.reply_asked)
            toast = message
        elif isinstance(item, BacklogItem):
            backlog = BacklogToast(item)
            backlog.snoozed.connect(self.snooze_asked)
            toast = backlog
        else:
            notice = NoticeToast(item)
            notice.confirmed.connect(lambda key: self.confirm_asked.emit(self._items[key]))
            notice.snoozed.connect(self.snooze_asked)
            toast = notice
        toast.opened.connect(lambda key: self.open_asked.emit(self._items[key]))
        toast.closed.connect(self._on_closed)
        self._items[item.key] = item
        self._toasts[item.key] = toast
        toast.adjustSize()
        self._place()
        toast.announce()
        self._placing.start()

    def _on_closed(self, key: str) -> None:
        if key in self._toasts:
            self._drop(key)
            self.closed.emit(key)
            self._fill_up()

    def _fill_up(self) -> None:
        for key, item in list(self._waiting.items()):
            if len(self._toasts) < MOST and self._may_stand(item):
                del self._waiting[key]
                self._raise(item)
        self._placing.start()

    def _place(self) -> None:
        screen = QGuiApplication.primaryScreen()
        if screen is None or not self._toasts:
            return
        toasts = list(self._toasts.values())
        sizes = [(toast.width(), toast.height()) for toast in toasts]
        corners = places(screen.availableGeometry(), sizes, shadow=toasts[0].shadow, from_top=sys.platform == "darwin")
        for toast, (left, top) in zip(toasts, corners, strict=True):
            toast.sliding.stand(QPoint(left, top))
