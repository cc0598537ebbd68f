"""Conversations in windows of their own: opened by double click or menu, remembered with their places for the next start."""

import base64
import binascii
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import partial
from typing import Final

from PySide6.QtCore import QByteArray, QEvent, QObject, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from desktop.core.domain import Conversation
from desktop.core.events import ChangeSet, Event
from desktop.models.people import People
from desktop.models.verbs import TalkSession
from desktop.ui import i18n, theme
from desktop.ui.chat.cards import CardSource
from desktop.ui.chat.pane import ChatPane
from desktop.ui.kit import conversation_name
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.shell.placement import bring_into_view
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import TaskOwner

SIZE = (620, 640)
SMALLEST = (420, 360)
MOST: Final = 12
"""More windows than that are nobody's wish; the one not looked at longest makes room."""
GATHER_MS: Final = 120
STEP: Final = 28  # each further window a little lower and to the right


class TalkWindow(QWidget):
    """One conversation. `closed` tells its id."""

    closed = Signal(str)
    activated = Signal(str)

    def __init__(self, pane: ChatPane, conversation: Conversation) -> None:
        super().__init__(None)
        self.pane = pane
        self.conversation_id = conversation.id
        self._over = False
        self.setObjectName(f"talk_{conversation.id}")
        self.setProperty("surface", "bg")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(pane)
        self.resize(theme.scaled(SIZE[0]), theme.scaled(SIZE[1]))
        self.setMinimumSize(*SMALLEST)
        QShortcut(QKeySequence("Ctrl+W"), self).activated.connect(self.close)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self).activated.connect(pane.find_in_talk)
        self.rename(conversation)

    def rename(self, conversation: Conversation) -> None:
        """The title says whose talk it is, and how much of it is unread."""
        unread = f"({conversation.unread_count}) " if conversation.unread_count else ""
        self.setWindowTitle(unread + conversation_name(conversation))

    def come_forward(self) -> None:
        """In front, with the keyboard."""
        self.setWindowState(self.windowState() & ~self.windowState().WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def end(self) -> None:
        """Stops what the pane does; the window goes."""
        if not self._over:
            self._over = True
            self.pane.composer.flush_draft()
            self.pane.stop_timers()
            self.pane.tasks.cancel_all()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.ActivationChange and self.isActiveWindow() and not self._over:
            self.pane.read_marks.window_activated()
            self.activated.emit(self.conversation_id)

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        self.closed.emit(self.conversation_id)


class TalkWindows(QObject):
    """All of them, for one session. `navigator` is where links out of a talk lead."""

    def __init__(
        self,
        session: TalkSession,
        people: People,
        navigator: Navigator,
        files: FileOpener,
        state: UiState,
        cards: Callable[[], CardSource] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._people, self._navigator = session, people, navigator
        self._files, self._state, self._cards = files, state, cards
        self._windows: dict[str, TalkWindow] = {}  # the one looked at last is last
        self._enter_sends = True
        self.tasks = TaskOwner(self)
        self._soon = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._soon.timeout.connect(lambda: self.tasks.start(self._refresh(), name="refresh", exclusive=True))
        self._subscription = ExitStack()
        self._subscription.enter_context(session.events.subscribe(self._on_event))
        i18n.changed.connect(self._soon.start)

    # ---- asking
    @property
    def ids(self) -> tuple[str, ...]:
        """The conversations that have a window, the one looked at last at the end."""
        return tuple(self._windows)

    def window(self, conversation_id: str) -> TalkWindow | None:
        """The window of a conversation."""
        return self._windows.get(conversation_id)

    def looking_at(self) -> str | None:
        """The conversation whose window is in front of the user."""
        return next((one.conversation_id for one in self._windows.values() if one.isActiveWindow()), None)

    def drafts(self) -> list[tuple[str, str]]:
        """What stands in the composers: conversation and text."""
        return [(key, one.pane.composer.text) for key, one in self._windows.items()]

    # ---- doing
    def open(self, conversation_id: str) -> None:
        """Shows a conversation in its window."""
        known = self._windows.get(conversation_id)
        if known is not None:
            known.come_forward()
        else:
            self.tasks.start(self._open((conversation_id,), forward=True), name=f"open-{conversation_id}")

    def restore(self) -> None:
        """Opens the windows that were open at the last end."""
        kept = self._state.get("talks.open")
        wanted = tuple(one for one in kept if isinstance(one, str)) if isinstance(kept, list) else ()
        if wanted:
            self.tasks.start(self._open(wanted[-MOST:], forward=False), name="restore")

    async def _open(self, wanted: tuple[str, ...], *, forward: bool) -> None:
        found = {one.id: one for one in await self._session.chat.conversations()}
        for conversation_id in wanted:
            conversation = found.get(conversation_id)
            if conversation is None or conversation_id in self._windows:
                continue
            window = self._make(conversation)
            if forward:
                window.come_forward()
            else:
                window.show()
        self.remember()

    def _make(self, conversation: Conversation) -> TalkWindow:
        if len(self._windows) >= MOST:
            next(iter(self._windows.values())).close()
        pane = ChatPane(self._session, self._people, self._navigator, self._files, self._state, self._cards)
        pane.composer.set_enter_sends(self._enter_sends)
        window = TalkWindow(pane, conversation)
        window.closed.connect(self._on_closed)
        window.activated.connect(self._on_activated)
        self._place(window)
        self._windows[conversation.id] = window
        pane.show_conversation(conversation, conversation.draft)
        return window

    def _place(self, window: TalkWindow) -> None:
        kept = self._places().get(window.conversation_id)
        if isinstance(kept, str):
            with suppress(binascii.Error):
                window.restoreGeometry(QByteArray(base64.b64decode(kept, validate=True)))
        elif self._windows:
            last = next(reversed(self._windows.values()))
            window.move(last.x() + STEP, last.y() + STEP)
        elif (front := QApplication.activeWindow()) is not None:
            window.move(front.frameGeometry().center() - window.rect().center())
        bring_into_view(window)

    def set_enter_sends(self, sends: bool) -> None:
        """Whether Enter sends, or Ctrl+Enter."""
        self._enter_sends = sends
        for window in self._windows.values():
            window.pane.composer.set_enter_sends(sends)

    def close(self) -> None:
        """Ends all; they come back with the next sign-in."""
        self.remember()
        self._subscription.close()
        self._soon.stop()
        self.tasks.cancel_all()
        windows, self._windows = list(self._windows.values()), {}
        for window in windows:
            window.end()
            window.hide()
            window.deleteLater()

    # ---- following
    def _on_event(self, event: Event) -> None:
        if not self._windows:
            return
        for window in self._windows.values():
            window.pane.on_event(event)
        if isinstance(event, ChangeSet) and event.type_name in ("Conversation", "Message", "Person"):
            self._soon.start()

    async def _refresh(self) -> None:
        for conversation in await self._session.chat.conversations():
            window = self._windows.get(conversation.id)
            if window is not None:
                window.pane.update_conversation(conversation)
                window.rename(conversation)

    def _on_activated(self, conversation_id: str) -> None:
        window = self._windows.pop(conversation_id, None)
        if window is not None:
            self._windows[conversation_id] = window

    def _on_closed(self, conversation_id: str) -> None:
        window = self._windows.get(conversation_id)
        if window is None:
            return
        self._keep_place(window)
        del self._windows[conversation_id]
        window.end()
        QTimer.singleShot(0, self, partial(_drop, window))
        self._state.set("talks.open", list(self._windows))

    # ---- remembering
    def _places(self) -> dict[str, object]:
        kept = self._state.get("talks.places")
        return dict(kept) if isinstance(kept, dict) else {}

    def _keep_place(self, window: TalkWindow) -> None:
        places = self._places()
        places.pop(window.conversation_id, None)
        places[window.conversation_id] = base64.b64encode(window.saveGeometry().data()).decode()
        self._state.set("talks.places", dict(list(places.items())[-50:]))

    def remember(self) -> None:
        """Keeps which windows are open, and where."""
        for window in self._windows.values():
            self._keep_place(window)
        self._state.set("talks.open", list(self._windows))


def _drop(window: TalkWindow) -> None:
    """Not from within its own closing."""
    window.deleteLater()
