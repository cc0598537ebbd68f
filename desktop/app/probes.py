"""What a test may ask of the running client through the control channel: plain values, read only."""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, SignalInstance
from PySide6.QtWidgets import QApplication

from desktop.core.clock import SystemClock
from desktop.core.domain import ConnectionState
from desktop.core.events import StatusChanged
from desktop.models.alerts import MessageItem, NoticeItem
from desktop.ui.chat.page import MessagesPage

if TYPE_CHECKING:
    from desktop.app.signed_in import SignedIn
    from desktop.app.surroundings import Surroundings
    from desktop.platform.notifications import SystemNotifications
    from desktop.ui.tray.tray import Tray


class Probed(Protocol):
    """What of the application is looked at."""

    screen_made: SignalInstance

    @property
    def signed_in(self) -> "SignedIn | None": ...
    @property
    def login(self) -> object | None: ...
    @property
    def tray(self) -> "Tray": ...
    @property
    def notifications(self) -> "SystemNotifications": ...
    @property
    def surroundings(self) -> "Surroundings": ...


class PaintWatch(QObject):
    """Notes when the main window first painted with conversations in it: what a cold start is measured by."""

    def __init__(self, app: Probed, parent: QObject) -> None:
        super().__init__(parent)
        self._app = app
        self.usable_at: float | None = None
        self.usable_cpu: float | None = None
        app.screen_made.connect(self._on_screen)

    def _on_screen(self) -> None:
        entered = self._app.signed_in
        if entered is not None and self.usable_at is None:
            entered.window.page_shown.connect(self._on_page)

    def _on_page(self) -> None:
        """Watches the list alone: a filter on the application would slow down what it measures."""
        page = self._page()
        if page is not None and self.usable_at is None:
            page.list.list.viewport().installEventFilter(self)

    def _page(self) -> MessagesPage | None:
        page = self._app.signed_in.window.page("messages") if self._app.signed_in is not None else None
        return page if isinstance(page, MessagesPage) else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and self.usable_at is None:
            page = self._page()
            if page is not None and page.list.model.rowCount():
                self.usable_at = time.monotonic()
                self.usable_cpu = time.process_time()
                watched.removeEventFilter(self)
        return False


class PopUpWatch(QObject):
    """What was offered as a pop-up since the start: nothing may be offered twice."""

    def __init__(self, app: Probed, parent: QObject) -> None:
        super().__init__(parent)
        self._app = app
        self.offered: Counter[str] = Counter()
        app.screen_made.connect(self._on_screen)

    def _on_screen(self) -> None:
        if self._app.signed_in is not None:
            self._app.signed_in.desk.attention.shown.connect(self._on_shown)

    def _on_shown(self, item: object) -> None:
        if isinstance(item, MessageItem):
            self.offered[item.message.id] += 1
        elif isinstance(item, NoticeItem):
            self.offered[item.key] += 1


class SyncWatch(QObject):
    """When everything the server had was here, as the session itself told: a poll from outside would be coarser than what it measures."""

    def __init__(self, app: Probed, parent: QObject) -> None:
        super().__init__(parent)
        self._app = app
        self._listening = ExitStack()
        self.live_since: int | None = None
        self.caught_up_at: int | None = None
        app.screen_made.connect(self._on_screen)

    def _on_screen(self) -> None:
        self._listening.close()
        if self._app.signed_in is not None:
            self._listening.enter_context(self._app.signed_in.session.events.subscribe(self._on_event))

    def _on_event(self, event: object) -> None:
        if isinstance(event, StatusChanged):
            status = event.status
            whole = status.state is ConnectionState.LIVE and not status.syncing
            self.live_since = status.since if status.state is ConnectionState.LIVE else None
            self.caught_up_at = SystemClock().now_ms() if whole else None


class PauseWatch(QObject):
    """The longest time the UI thread did not come back to its loop, since it was asked last. Watches from the first question on."""

    BEAT_MS = 4

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._longest = self._last = 0.0
        self._timer = QTimer(self, interval=self.BEAT_MS)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)

    def take(self) -> float:
        """Milliseconds; 0 the first time."""
        longest, self._longest = self._longest, 0.0
        if not self._timer.isActive():
            self._last = time.monotonic()
            self._timer.start()
        return longest

    def _beat(self) -> None:
        now = time.monotonic()
        self._longest = max(self._longest, (now - self._last) * 1000 - self.BEAT_MS)
        self._last = now


def make_probes(app: Probed, parent: QObject) -> Mapping[str, Callable[[], object]]:
    """The probes by name."""
    watch, pauses, pop_ups = PaintWatch(app, parent), PauseWatch(parent), PopUpWatch(app, parent)
    sync = SyncWatch(app, parent)

    def screen() -> str:
        return "main" if app.signed_in is not None else "login" if app.login is not None else "start"

    def entered() -> "SignedIn":
        if app.signed_in is None:
            raise LookupError("nobody is signed in")
        return app.signed_in

    def messages() -> MessagesPage:
        page = entered().window.page("messages")
        if not isinstance(page, MessagesPage):
            raise LookupError("the messages page was never shown")
        return page

    def active() -> bool:
        return entered().window.isActiveWindow()

    def shown_conversation() -> str:
        return messages().shown_conversation

    def tray() -> dict[str, Any]:
        icon = app.tray
        return {
            "available": icon.available,
            "presence": icon.presence.value,
            "unread": icon.unread,
            "flashing": list(icon.flashing),
            "tooltip": icon.tooltip,
            "geometry": list(icon.geometry),
        }

    def shown_messages() -> list[dict[str, Any]]:
        model = messages().pane.window_model
        held = [model.at(row) for row in range(len(model))]
        return [{"text": m.text, "seq": m.seq, "delivery": m.delivery.value, "sender": m.sender_id} for m in held]

    def toasts() -> list[dict[str, str]]:
        stack = entered().desk.toasts
        found = [(key, stack.toast(key)) for key in stack.shown]
        return [{"key": key, "says": toast.accessibleName()} for key, toast in found if toast is not None]

    def talk_windows() -> list[str]:
        talks = entered().talks
        return list(talks.ids) if talks is not None else []

    def panel_edge() -> str:
        panel = entered().panel
        return panel.dock.edge.value if panel is not None else ""

    return {
        "hotkeys": lambda: {name: outcome.value for name, outcome in app.surroundings.outcomes.items()},
        "talk_windows": talk_windows,
        "panel_edge": panel_edge,
        "screen": screen,
        "me": lambda: entered().session.me.id,
        "status": lambda: entered().session.status.state.value,
        "syncing": lambda: entered().session.status.syncing,
        "caught_up": lambda: [sync.live_since, sync.caught_up_at],
        "page": lambda: entered().window.current_page,
        "conversations": lambda: [
            {"id": c.id, "name": c.name, "unread": c.unread_count, "read": c.read_seq, "last": c.last_seq}
            for c in (messages().list.model.at(row) for row in range(messages().list.model.rowCount()))
        ],
        "conversation": shown_conversation,
        "messages": shown_messages,
        "tray": tray,
        "toasts": toasts,
        "notifications": lambda: app.notifications.keys,
        "longest_pause_ms": pauses.take,
        "offered": lambda: dict(pop_ups.offered),
        "held": lambda: {
            "widgets": len(QApplication.allWidgets()),
            "tasks": len(asyncio.all_tasks()),
            "threads": threading.active_count(),
        },
        "usable_at": lambda: watch.usable_at,
        "usable_cpu": lambda: watch.usable_cpu,
        "active": active,
    }
