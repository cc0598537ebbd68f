"""Everything that exists while somebody is signed in: main window with its pages, tray, pop-ups, file windows. Made and ended as one."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.app.desk import Desk
from desktop.app.file_opener import FileWindows
from desktop.app.ui_session import ScreenSession
from desktop.core.domain import Presence
from desktop.models.records import is_to_confirm, is_unread
from desktop.platform.notifications import SystemNotifications
from desktop.platform.preferences import Preferences
from desktop.ui import tasks
from desktop.ui.chat.page import MessagesPage, create_messages_page
from desktop.ui.i18n import tr
from desktop.ui.settings.sources import SettingsSources
from desktop.ui.shell.main_window import MainWindow
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tray.tray import Tray

if TYPE_CHECKING:
    from desktop.ui.office.talk_cards import TalkCards

log = logging.getLogger("tongban.app")

PAINT_MS = 30  # from the first rows in the list to the screen
SETTLE_LIMIT_MS = 1000
CARDS_MS = 1500  # after the first screen: what a message can be made into is known before the first menu


class SignedIn(QObject):
    """One session on the screen."""

    ended = Signal(str)  # the error code that ended it from outside; "signIn" when the user wants to sign in again
    sign_out_asked = Signal(bool)  # everywhere
    retry_asked = Signal()
    settled = Signal()  # the first screen stands; what can wait may begin
    named = Signal(str)  # the user's name, once the directory is here

    def __init__(
        self,
        session: ScreenSession,
        tray: Tray,
        preferences: Preferences,
        notifications: SystemNotifications,
        sources: SettingsSources,
        *,
        now_ms: Callable[[], int],
        data_dir: Path,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._tray, self._preferences, self._sources, self._now_ms = tray, preferences, sources, now_ms
        self.ui_state = UiState(data_dir / "windows" / f"{session.me.id}.json")
        self.window = MainWindow(session, self.ui_state)
        self.files = FileWindows(session, now_ms, self)
        self.desk = Desk(
            session,
            self.window,
            tray,
            preferences,
            notifications,
            looking_at=self.looking_at,
            now_ms=now_ms,
            parent=self,
        )
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self.settled)
        self._cards: TalkCards | None = None
        self._cards_soon = QTimer(self, singleShot=True, interval=CARDS_MS)
        self._cards_soon.timeout.connect(self._warm_cards)
        self.settled.connect(self._cards_soon.start)
        self._add_pages()
        self._bind()

    # ------------------------------------------------------------ life
    def start(self, *, hidden: bool) -> None:
        """Shows the window (unless it is to stay in the tray) and begins."""
        tasks.set_presenter(self.window.present)
        self.window.start()
        if not hidden or not self._tray.available:
            self.window.come_forward()
        self._wait_for_rows()
        self.desk.start()
        self.desk.tasks.start(self._count_notices(), name="notices")

    def _wait_for_rows(self) -> None:
        page = self._messages()
        if page is None or not self.window.isVisible():
            self._soon.start(0)
            return
        self._soon.start(SETTLE_LIMIT_MS)
        page.list.loaded.connect(lambda: self._soon.start(PAINT_MS), Qt.ConnectionType.SingleShotConnection)

    async def close(self) -> None:
        """Takes everything off the screen; what is written but not sent is kept as draft first."""
        await self.save()
        self._tray.toggle_asked.disconnect(self.toggle)
        self._tray.settings_asked.disconnect(self._open_settings)
        self._preferences.changed.disconnect(self._on_preference)
        self._cards_soon.stop()
        self.desk.stop()
        await self.desk.close()
        self.files.close()
        tasks.set_presenter(None)
        self.window.close_for_good()
        self.window.deleteLater()

    async def save(self) -> None:
        """Keeps drafts and the windows' places."""
        self.window.remember()
        draft = self.draft()
        if draft is not None:
            await self.session.chat.set_draft(*draft)

    def draft(self) -> tuple[str, str] | None:
        """Conversation and text of what stands in the composer; None when no conversation is open."""
        page = self._messages()
        if page is None or not page.shown_conversation:
            return None
        return page.shown_conversation, page.pane.composer.text

    # ------------------------------------------------------------ parts
    def _add_pages(self) -> None:
        window = self.window
        window.add_page("messages", "chat-circle-dots", "shell.messages", self._make_messages, opens=("conversation",))
        window.add_page(
            "contacts", "users", "shell.contacts", self._make_contacts, opens=("person",), module="desktop.ui.contacts"
        )
        window.add_page(
            "workbench",
            "squares-four",
            "shell.workbench",
            self._make_workbench,
            opens=("notice", "document", "record"),
            module="desktop.ui.office.page",
        )
        window.add_page(
            "transfers", "arrows-down-up", "shell.transfers", self._make_transfers, module="desktop.ui.transfers.view"
        )
        window.add_search()
        window.add_page(
            "settings", "gear", "shell.settings", self._make_settings, foot=True, module="desktop.ui.settings.page"
        )

    def _make_messages(self) -> QWidget:
        page = create_messages_page(self.session, self.window, self.files, self.ui_state, self._talk_cards)
        page.set_enter_sends(self._preferences.now.enter_sends)
        return page

    def _talk_cards(self) -> "TalkCards":
        """The records behind cards of the talk; one for the session."""
        if self._cards is None:
            from desktop.ui.office.talk_cards import TalkCards

            self._cards = TalkCards(self.session, self._now_ms, self)
        return self._cards

    def _warm_cards(self) -> None:
        self._talk_cards().warm()

    def _make_contacts(self) -> QWidget:
        from desktop.ui.contacts import create_contacts

        return create_contacts(self.session, self.window)

    def _make_workbench(self) -> QWidget:
        from desktop.ui.office import create_workbench

        return create_workbench(self.session, self.window, self._now_ms)

    def _make_transfers(self) -> QWidget:
        from desktop.ui.transfers.view import TransfersPage

        return TransfersPage(self.session.files, self.desk.transfers, self.files)

    def _make_settings(self) -> QWidget:
        from desktop.ui.settings.page import SettingsPage

        return SettingsPage(self._preferences, self._sources, now_ms=self._now_ms)

    def _bind(self) -> None:
        self._tray.toggle_asked.connect(self.toggle)
        self._tray.settings_asked.connect(self._open_settings)
        self._preferences.changed.connect(self._on_preference)
        window, state = self.window, self.desk.state
        window.hidden.connect(self._on_hidden)
        window.presence_chosen.connect(self.desk.choose_status)
        window.sign_out_asked.connect(lambda: self.sign_out_asked.emit(False))
        window.retry_asked.connect(self.retry_asked)
        window.sign_in_asked.connect(lambda: self.ended.emit("signIn"))
        state.presence_changed.connect(lambda: window.set_presence(state.chosen if not state.quiet else Presence.DND))
        state.unread_changed.connect(lambda: window.set_badge("messages", state.unread))
        state.ended.connect(self.ended)
        self.desk.people.changed.connect(self._on_people)
        self.desk.transfers.totals_changed.connect(lambda: window.set_badge("transfers", self.desk.transfers.active))

    def _on_people(self, _ids: frozenset[str]) -> None:
        """After a first sign-in the user is a bare login name until the directory comes."""
        me = self.desk.people.person(self.session.me.id)
        if me is None or me == self.session.me:
            return
        self.session.me = self.desk.people.me = self.desk.state.me = me
        self._tray.set_account(me.name)
        self.window.set_presence(self.desk.state.chosen)
        self.named.emit(me.name)

    def _messages(self) -> MessagesPage | None:
        page = self.window.page("messages")
        return page if isinstance(page, MessagesPage) else None

    def looking_at(self) -> str | None:
        """The conversation in front of the user; None when the window is not, or another page is."""
        page = self._messages()
        if page is None or not self.window.isActiveWindow() or self.window.current_page != "messages":
            return None
        return page.shown_conversation or None

    async def _count_notices(self) -> None:
        """The workbench's badge before the page was ever shown."""
        me = self.session.me.id
        notices = await self.session.office.notices()
        waiting = sum((await self.session.records.counts()).values())
        if self.window.page("workbench") is None:
            news = sum(is_to_confirm(n) or is_unread(n, me) for n in notices)
            self.window.set_badge("workbench", waiting + news)

    # ------------------------------------------------------------ window and tray
    def toggle(self) -> None:
        """The tray icon was clicked: in front, or away."""
        if self.window.isVisible() and self.window.isActiveWindow() and not self.window.isMinimized():
            self.window.close()
        else:
            self.window.come_forward()

    def _open_settings(self) -> None:
        self.window.open_page("settings")

    def _on_hidden(self) -> None:
        """Closed: away into the tray. Without one, or by choice, it stays in the task bar: the tray is never the only way back."""
        if self._tray.available and self._preferences.now.close_hides:
            return
        self.window.showMinimized()
        if not self._tray.available and not self._preferences.now.said_no_tray:
            self._preferences.set(said_no_tray=True)
            self.window.snack.say(tr("app.no_tray"))

    def _on_preference(self, name: str) -> None:
        page = self._messages()
        if name == "enter_sends" and page is not None:
            page.set_enter_sends(self._preferences.now.enter_sends)
