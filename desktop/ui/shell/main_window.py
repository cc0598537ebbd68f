"""The main window: rail, pages made when first shown, a strip that tells about the connection. Closing it hides it.

Pages are added by the composition root. A page may offer `open_conversation`, `open_person`, `open_notice`, `open_document`,
`open_record` with `new_record`, `focus_search` and a signal `badge_changed(int)`; `opens` names which of them it answers.
"""

import base64
import binascii
import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import ConnectionState, ConnectionStatus, Person, Presence
from desktop.core.errors import AppError
from desktop.core.events import Event, EventBus, PresenceChanged, StatusChanged
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Banner, Snack, on_click
from desktop.ui.shell.placement import bring_into_view
from desktop.ui.shell.rail import Rail
from desktop.ui.shell.ui_state import UiState

Target = Literal["conversation", "person", "notice", "document", "record"]
CONNECTING_SHOWN_MS = 2000  # a short reconnect is nobody's business
SECOND_MS = 1000
DEFAULT_SIZE = (1160, 748)
SMALLEST = (760, 480)


class ShellSession(Protocol):
    """What the frame needs of a session."""

    @property
    def me(self) -> Person: ...
    @property
    def events(self) -> EventBus: ...
    @property
    def status(self) -> ConnectionStatus: ...


@dataclass(slots=True)
class _Page:
    """A page that is known; its widget exists once it was shown."""

    key: str
    factory: Callable[[], QWidget]
    opens: tuple[Target, ...]
    module: str = ""
    widget: QWidget | None = None


class MainWindow(QWidget):
    """The frame. Implements `Navigator`."""

    hidden = Signal()
    page_shown = Signal(str)
    presence_chosen = Signal(object)
    sign_out_asked = Signal()
    retry_asked = Signal()
    sign_in_asked = Signal()
    unlock_asked = Signal()

    def __init__(self, session: ShellSession, state: UiState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._state = session, state
        self._pages: dict[str, _Page] = {}
        self._current = ""
        self._presence = Presence.ONLINE
        self._quitting = False
        self.locked = False  # then coming forward only asks for the password
        self.shows_elsewhere: Callable[[str], bool] = lambda _conversation_id: False  # a window of its own took it
        self.search: Callable[[], None] | None = (
            None  # opens the search over everything; without it Ctrl+K finds inside the page
        )
        self._build_ui()
        self._bind()
        self._restore()
        self._show_status()

    # ---- build
    def _build_ui(self) -> None:
        self.setObjectName("mainWindow")
        self.setProperty("surface", "bg")
        i18n.bind(self.setWindowTitle, "app.name")
        self.rail = Rail()
        self.banner = Banner()
        self.news = Banner()  # what is worth a word once, beside the connection's
        self.stack = QStackedWidget()
        content = QVBoxLayout()
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(0)
        content.addWidget(self.banner)
        content.addWidget(self.news)
        content.addWidget(self.stack, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.rail)
        layout.addLayout(content, 1)
        self._fit_to_screen()
        self.snack = Snack(self)
        self._connecting = QTimer(self)
        self._connecting.setSingleShot(True)
        self._connecting.setInterval(CONNECTING_SHOWN_MS)
        self._countdown = QTimer(self)
        self._countdown.setInterval(SECOND_MS)

    def _bind(self) -> None:
        self._subscription = ExitStack()
        self._subscription.enter_context(self._session.events.subscribe(self._on_event))
        self.destroyed.connect(self._subscription.close)
        self.rail.wanted.connect(self._on_rail)
        self.rail.approached.connect(self._on_approached)
        self.rail.presence_chosen.connect(self.presence_chosen)
        self.rail.sign_out_asked.connect(self.sign_out_asked)
        self._connecting.timeout.connect(self._show_connecting)
        self._countdown.timeout.connect(self._show_status)
        on_click(self.banner.action, self._on_banner)
        i18n.changed.connect(self._show_status)
        QShortcut(QKeySequence("Ctrl+K"), self).activated.connect(self.open_search)
        for keys in ("F1", "Ctrl+/"):
            QShortcut(QKeySequence(keys), self).activated.connect(self.open_keys)
        for number in range(1, 10):
            shortcut = QShortcut(QKeySequence(f"Alt+{number}"), self)
            shortcut.activated.connect(lambda number=number: self._open_nth(number - 1))

    def open_keys(self) -> None:
        """The sheet of all keys; asked for again, the one that is open comes forward."""
        from desktop.ui.shell.keys_sheet import KeysSheet  # seldom wanted, so not with the start

        sheet = self.findChild(KeysSheet) or KeysSheet(self, self._current)
        sheet.open()
        sheet.raise_()

    # ---- pages
    def add_page(
        self,
        key: str,
        icon: str,
        label_key: str,
        factory: Callable[[], QWidget],
        *,
        foot: bool = False,
        rail: bool = True,
        opens: Sequence[Target] = (),
        module: str = "",
    ) -> None:
        """Makes a page known. `factory` runs when it is first shown; `rail=False` keeps it off the rail.

        `module`: what the factory imports. It is loaded when mouse or keyboard come onto the page's button, so that the click need not
        wait for it; a client that never goes there never pays for it.
        """
        self._pages[key] = _Page(key, factory, tuple(opens), module)
        if rail:
            self.rail.add(key, icon, label_key, foot=foot)

    def add_search(self) -> None:
        """Puts a search button at the foot: it opens the search over everything."""
        self.rail.add("search", "magnifying-glass", "shell.search", foot=True)

    def _on_approached(self, key: str) -> None:
        page = self._pages.get(key)
        if page is not None and page.widget is None and page.module:
            name, page.module = page.module, ""
            QTimer.singleShot(0, self, lambda: importlib.import_module(name))

    def open_page(self, key: str) -> None:
        """Shows a page, making it if need be, and brings the window to the front."""
        self.show_page(key)
        self.come_forward()

    def show_page(self, key: str) -> None:
        """Shows a page without raising the window. An unknown key leaves things as they are."""
        page = self._pages.get(key)
        if page is None:
            return
        widget = self._widget(page)
        fresh = widget.focusWidget() is None
        self.stack.setCurrentWidget(widget)
        self._current = key
        self.rail.set_current(key)
        self._state.set("shell.page", key)
        if fresh and widget.focusProxy() is not None and self.isVisible():  # not whatever button comes first
            widget.setFocus(Qt.FocusReason.OtherFocusReason)
        self.page_shown.emit(key)

    def start(self, default: str = "messages") -> None:
        """Shows the page that was shown last, or `default`."""
        last = self._state.get("shell.page")
        self.show_page(last if isinstance(last, str) and last in self._pages else default)

    def page(self, key: str) -> QWidget | None:
        """A page's widget, None while it was never shown."""
        found = self._pages.get(key)
        return found.widget if found else None

    def made_page(self, key: str) -> QWidget:
        """A page's widget, made now if need be. KeyError for an unknown key."""
        return self._widget(self._pages[key])

    @property
    def current_page(self) -> str:
        """The key of the page that is shown."""
        return self._current

    def _widget(self, page: _Page) -> QWidget:
        if page.widget is None:
            page.widget = page.factory()
            page.widget.setObjectName(page.widget.objectName() or f"page.{page.key}")
            badge = getattr(page.widget, "badge_changed", None)
            if badge is not None:
                badge.connect(lambda count, key=page.key: self.set_badge(key, count))
            self.stack.addWidget(page.widget)
        return page.widget

    def set_badge(self, key: str, count: int) -> None:
        """The count on a page's button."""
        self.rail.set_badge(key, count)

    def _open_nth(self, number: int) -> None:
        keys = [key for key in self._pages if self.rail.findChild(QWidget, f"rail.{key}") is not None]
        if number < len(keys):
            self.show_page(keys[number])

    def _on_rail(self, key: str) -> None:
        if key == "search":
            self.rail.set_current(self._current)
            self.open_search()
        else:
            self.show_page(key)

    def open_search(self) -> None:
        """Opens the search over everything."""
        (self.search or self.focus_search)()

    def focus_search(self) -> None:
        """Puts the cursor into the search field of the page that is shown, else of the messages."""
        page = self.page(self._current)
        focus = getattr(page, "focus_search", None)
        if focus is None and "messages" in self._pages:
            self.show_page("messages")
            focus = getattr(self.page("messages"), "focus_search", None)
        if focus is not None:
            focus()

    # ---- Navigator
    def open_conversation(self, conversation_id: str) -> None:
        """Shows a conversation, in its own window where it has one."""
        if self.locked or not self.shows_elsewhere(conversation_id):
            self._open("conversation", conversation_id)

    def open_message(self, conversation_id: str, message_id: str, seq: int) -> None:
        """Shows a message in its conversation."""
        self._call("conversation", "open_message", conversation_id, message_id, seq)

    def open_members(self, conversation_id: str) -> None:
        """Shows a group with its members beside it."""
        self._call("conversation", "open_members", conversation_id)

    def open_person(self, person_id: str) -> None:
        """Shows a contact card."""
        self._open("person", person_id)

    def open_notice(self, notice_id: str) -> None:
        """Shows a notice."""
        self._open("notice", notice_id)

    def open_document(self, document_id: str) -> None:
        """Shows a document."""
        self._open("document", document_id)

    def open_record(self, type_name: str, record_id: str) -> None:
        """Shows an office record of any type."""
        self._open("record", type_name, record_id)

    def new_record(self, type_name: str, prefill: Mapping[str, Any]) -> None:
        """Opens the form for a new office record."""
        self._call("record", "new_record", type_name, prefill)

    def _open(self, target: Target, *names: str) -> None:
        self._call(target, f"open_{target}", *names)

    def _call(self, target: Target, verb: str, *arguments: object) -> None:
        page = next((p for p in self._pages.values() if target in p.opens), None)
        if page is None:
            return
        self.open_page(page.key)
        getattr(page.widget, verb)(*arguments)

    def come_forward(self) -> None:
        """Shows the window, un-minimised, in front, with the keyboard."""
        if self.locked:
            self.unlock_asked.emit()
            return
        self.setWindowState(self.windowState() & ~self.windowState().WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    # ---- connection
    def _on_event(self, event: Event) -> None:
        match event:
            case StatusChanged():
                self._show_status()
            case PresenceChanged(presence=presence) if self._session.me.id in presence:
                mine = presence[self._session.me.id]
                if mine is not Presence.OFFLINE:
                    self.set_presence(mine)
            case _:
                pass

    def set_presence(self, presence: Presence) -> None:
        """How colleagues see the user; offline while there is no connection."""
        self._presence = presence
        self._show_me()

    def _show_me(self) -> None:
        live = self._session.status.state is ConnectionState.LIVE
        self.rail.set_me(self._session.me, self._presence if live else Presence.OFFLINE)

    def _show_status(self) -> None:
        status = self._session.status
        self._show_me()
        self._countdown.stop()
        match status.state:
            case ConnectionState.LIVE | ConnectionState.IDLE:
                self._connecting.stop()
                self.banner.hide()
            case ConnectionState.CONNECTING:
                if self.banner.isVisible():
                    self._show_connecting()
                elif not self._connecting.isActive():
                    self._connecting.start()
            case ConnectionState.OFFLINE:
                self._connecting.stop()
                self._show_offline(status)
            case ConnectionState.FAILED:
                self._connecting.stop()
                self._show_failed(status)

    def _show_connecting(self) -> None:
        if self._session.status.state is ConnectionState.CONNECTING:
            self.banner.action.hide()
            self.banner.show_text(tr("shell.connecting"), tone="accent", icon="arrows-clockwise")

    def _show_offline(self, status: ConnectionStatus) -> None:
        text = tr("shell.offline")
        if status.retry_at:
            left = max(0, round((status.retry_at - when.now()) / SECOND_MS))
            if left:
                text = f"{text} {tr('shell.retry_in', time=when.duration(left))}"
                self._countdown.start()
        self.banner.show_text(text, tone="amber", icon="wifi-slash")
        i18n.bind(self.banner.action.setText, "shell.retry_now")
        self.banner.action.show()

    def _show_failed(self, status: ConnectionStatus) -> None:
        key = f"error.{status.detail}"
        text = tr(key, server="", retry_after="") if i18n.has(key) else tr("shell.failed")
        self.banner.show_text(f"{text} {tr('shell.kept')}", tone="red", icon="warning-circle")
        i18n.bind(self.banner.action.setText, "shell.sign_in_again")
        self.banner.action.show()

    def _on_banner(self) -> None:
        if self._session.status.state is ConnectionState.FAILED:
            self.sign_in_asked.emit()
        else:
            self.retry_asked.emit()

    def present(self, error: AppError, _widget: QWidget | None = None) -> None:
        """Shows a failure at the foot of the window: a presenter for `tasks.set_presenter`."""
        self.snack.say(error_text(error))

    # ---- remembering
    def _restore(self) -> None:
        self.resize(theme.scaled(DEFAULT_SIZE[0]), theme.scaled(DEFAULT_SIZE[1]))
        kept = self._state.get("shell.geometry")
        if isinstance(kept, str):
            with suppress(binascii.Error):  # an edited file: the default size will do
                self.restoreGeometry(QByteArray(base64.b64decode(kept, validate=True)))
        bring_into_view(self)

    def remember(self) -> None:
        """Keeps size and place for the next start."""
        self._state.set("shell.geometry", base64.b64encode(self.saveGeometry().data()).decode())

    def close_for_good(self) -> None:
        """Ends the window: sign-out or quit."""
        self.remember()
        self._quitting = True
        self._subscription.close()
        self._countdown.stop()
        self._connecting.stop()
        self.close()

    # ---- Qt
    def closeEvent(self, event: QCloseEvent) -> None:
        self.remember()
        if self._quitting:
            event.accept()
            return
        event.ignore()
        self.hide()
        self.hidden.emit()

    def _fit_to_screen(self) -> None:
        """At 300 % a small screen has less room than the pages would like: the window never asks for more than there is."""
        room = self.screen().availableSize() if self.screen() is not None else QSize(*SMALLEST)
        self.setMinimumSize(QSize(*SMALLEST).boundedTo(room))

    def showEvent(self, event: QShowEvent) -> None:
        self._fit_to_screen()
        super().showEvent(event)
        self._show_status()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange and not self.isMinimized():
            self.remember()
