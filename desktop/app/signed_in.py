"""Everything that exists while somebody is signed in: main window with its pages, tray, pop-ups, file windows. Made and ended as one."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from desktop.app.desk import Desk
from desktop.app.file_opener import FileWindows
from desktop.app.key_news import KeyNews
from desktop.app.locking import Locking
from desktop.app.own_status import OwnStatus
from desktop.app.screenshots import Screenshots
from desktop.app.surroundings import Surroundings
from desktop.app.ui_session import ScreenSession
from desktop.core.domain import Presence
from desktop.models.conversations import ConversationRole
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
    from desktop.app.search_desk import SearchDesk
    from desktop.ui.office.talk_cards import TalkCards
    from desktop.ui.panel.mini_panel import MiniPanel
    from desktop.ui.popout.talk_windows import TalkWindows

log = logging.getLogger("tongban.app")

PAINT_MS = 30  # from the first rows in the list to the screen
SETTLE_LIMIT_MS = 1000
HOST_WAIT_MS = 15_000
CARDS_MS = 300  # after the first talk was opened: what a message can be made into is known before the first menu


class SignedIn(QObject):
    """One session on the screen."""

    ended = Signal(str)  # the error code that ended it from outside; "signIn" when the user wants to sign in again
    sign_out_asked = Signal(bool)  # everywhere
    retry_asked = Signal()
    settled = Signal()  # the first screen stands; what can wait may begin
    named = Signal(str)  # the user's name, once the directory is here
    screenshot_asked = Signal()  # the global hotkey; whoever can take one connects

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
        surroundings: Surroundings | None = None,
        play: Callable[[str], object] = lambda _name: None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.session = session
        self._surroundings = surroundings
        self.talks: TalkWindows | None = None
        self.panel: MiniPanel | None = None
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
            held=lambda: surroundings is not None and surroundings.held,
            play=play,
            parent=self,
        )
        self.lock = Locking(lambda: session.me, session.check_password, self)
        self._soon = QTimer(self, singleShot=True)
        self._soon.timeout.connect(self.settled)
        self._search: SearchDesk | None = None
        self.window.search = self._open_search
        self.own_status = OwnStatus(session, self.window, self.ui_state, now_ms)
        self.settled.connect(self.own_status.start)
        self.screenshots = Screenshots(self.window, self)
        self.screenshot_asked.connect(self.screenshots.start)
        self.key_news: KeyNews | None = None
        if surroundings is not None:
            self.key_news = KeyNews(self.window.news, surroundings, preferences, self._open_keys, self)
        self._cards: TalkCards | None = None
        self._cards_soon = QTimer(self, singleShot=True, interval=CARDS_MS)
        self._cards_soon.timeout.connect(self._warm_cards)
        self.settled.connect(self._restore_windows)
        self._add_pages()
        self._bind()

    # ------------------------------------------------------------ life
    def start(self, *, hidden: bool) -> None:
        """Shows the window (unless it is to stay in the tray) and begins."""
        tasks.set_presenter(self.window.present)
        self.window.start()
        if not hidden:
            self.window.come_forward()
        elif not self._tray.available:  # started with the desktop's session, perhaps before its tray
            QTimer.singleShot(HOST_WAIT_MS, self, self._show_without_tray)
        self._wait_for_rows()
        self.desk.start()
        self.desk.tasks.start(self._count_notices(), name="notices")

    def _show_without_tray(self) -> None:
        if not self._tray.available and not self.window.isVisible() and not self.lock.locked:
            self._on_hidden()

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
        self._bind_desktop(bind=False)
        self._cards_soon.stop()
        self.lock.close()
        self.screenshots.close()
        if self.talks is not None:
            self.talks.close()
        if self.panel is not None:
            self.panel.close_for_good()
            self.panel.deleteLater()
        if self._search is not None:
            self._search.overlay.close_search()
        self.desk.stop()
        await self.desk.close()
        self.files.close()
        tasks.set_presenter(None)
        self.window.close_for_good()
        self.window.deleteLater()

    async def save(self) -> None:
        """Keeps drafts and the windows' places."""
        self.remember()
        for draft in self.drafts():
            await self.session.chat.set_draft(*draft)

    def remember(self) -> None:
        """Keeps the windows' places for the next start."""
        self.window.remember()
        if self.talks is not None:
            self.talks.remember()

    def drafts(self) -> list[tuple[str, str]]:
        """Conversation and text of what stands in the composers; a window of its own wins over the page."""
        page = self._messages()
        found = {}
        if page is not None and page.shown_conversation:
            found[page.shown_conversation] = page.pane.composer.text
        if self.talks is not None:
            found.update(self.talks.drafts())
        return list(found.items())

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
        page.list.list.doubleClicked.connect(lambda index: self.pop_out(index.data(ConversationRole.ID)))
        page.list.pop_out_asked.connect(self.pop_out)
        page.conversation_shown.connect(
            lambda _conversation_id: self._cards_soon.start(), Qt.ConnectionType.SingleShotConnection
        )
        return page

    def _talk_cards(self) -> "TalkCards":
        """The records behind cards of the talk; one for the session."""
        if self._cards is None:
            from desktop.ui.office.talk_cards import TalkCards

            self._cards = TalkCards(self.session, self._now_ms, self)
        return self._cards

    @property
    def search(self) -> "SearchDesk":
        """The search over everything; made when first asked for."""
        if self._search is None:
            from desktop.app.search_desk import SearchDesk

            self._search = SearchDesk(self.session, self.window, self)
        return self._search

    def _open_search(self) -> None:
        self.search.open_search()

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

    # ------------------------------------------------------------ windows beside the main one
    def pop_out(self, conversation_id: str) -> None:
        """Shows a conversation in a window of its own."""
        page = self._messages()
        if page is not None and page.shown_conversation == conversation_id:
            page.save_drafts()
        self._talk_windows().open(conversation_id)

    def _talk_windows(self) -> "TalkWindows":
        if self.talks is None:
            from desktop.ui.popout.talk_windows import TalkWindows

            self.talks = TalkWindows(
                self.session, self.desk.people, self.window, self.files, self.ui_state, self._talk_cards, self
            )
            self.talks.set_enter_sends(self._preferences.now.enter_sends)
            self._cards_soon.start()
        return self.talks

    def _in_own_window(self, conversation_id: str) -> bool:
        window = self.talks.window(conversation_id) if self.talks is not None else None
        if window is not None:
            window.come_forward()
        return window is not None

    def show_panel(self) -> None:
        """Shows the mini panel, or puts it away."""
        if self.lock.locked:
            self.lock.come_forward()
            return
        self._mini_panel().toggle()

    def _mini_panel(self) -> "MiniPanel":
        if self.panel is None:
            from desktop.ui.panel.mini_panel import MiniPanel

            self.panel = MiniPanel(self.session, self.desk.people, self.window, self.ui_state)
            self.panel.presence_chosen.connect(self.desk.choose_status)
            self.panel.main_asked.connect(self.window.come_forward)
            self.panel.module_asked.connect(self._open_module)
            self.panel.shown_changed.connect(lambda shown: self.ui_state.set("panel.shown", shown))
            self._show_presence()
        return self.panel

    def _open_module(self, module_id: str) -> None:
        self.window.open_page("workbench")
        page = self.window.page("workbench")
        open_it = getattr(page, "open_module", None)
        if open_it is not None:
            open_it(module_id)

    def _restore_windows(self) -> None:
        """What stood beside the main window at the last end stands there again, unless the program starts into the tray."""
        if not self.window.isVisible():
            return
        if self.ui_state.get("talks.open"):
            self._talk_windows().restore()
        if self.ui_state.get("panel.shown") is True:
            self._mini_panel().show()

    def _show_presence(self) -> None:
        state = self.desk.state
        seen = state.chosen if not state.quiet else Presence.DND
        self.window.set_presence(seen)
        if self.panel is not None:
            self.panel.set_presence(state.presence)

    # ------------------------------------------------------------ locked
    def _on_locked(self, locked: bool) -> None:
        self.window.locked = locked
        self._tray.set_locked(locked)
        self.desk.set_locked(locked)

    # ------------------------------------------------------------ the desktop around
    def _bind_desktop(self, *, bind: bool) -> None:
        tray, around = self._tray, self._surroundings
        pairs: list[tuple[Any, Callable[..., object]]] = [
            (tray.panel_asked, self.show_panel),
            (tray.lock_asked, self.lock.lock),
        ]
        if around is not None:
            pairs += [
                (around.absent_changed, self.desk.set_absent),
                (around.hold_ended, self.desk.attention.release),
                (around.pressed, self.on_hotkey),
            ]
        for signal, slot in pairs:
            if bind:
                signal.connect(slot)
            else:
                signal.disconnect(slot)

    def on_hotkey(self, action: str) -> None:
        """A global hotkey was pressed."""
        if self.lock.locked and action != "toggle":
            self.lock.come_forward()
            return
        match action:
            case "toggle":
                self.toggle()
            case "newest":
                self._open_newest()
            case "screenshot":
                self.screenshot_asked.emit()
            case _:
                pass

    def _open_newest(self) -> None:
        newest = self.desk.newest_unread()
        if newest:
            self.window.open_conversation(newest)
        else:
            self.window.come_forward()

    def _bind(self) -> None:
        self._bind_desktop(bind=True)
        self.lock.changed.connect(self._on_locked)
        self.lock.sign_out_asked.connect(lambda: self.sign_out_asked.emit(False))
        self.window.unlock_asked.connect(self.lock.come_forward)
        self.window.shows_elsewhere = self._in_own_window
        self._tray.toggle_asked.connect(self.toggle)
        self._tray.settings_asked.connect(self._open_settings)
        self._preferences.changed.connect(self._on_preference)
        window, state = self.window, self.desk.state
        window.hidden.connect(self._on_hidden)
        window.presence_chosen.connect(self.desk.choose_status)
        window.sign_out_asked.connect(lambda: self.sign_out_asked.emit(False))
        window.retry_asked.connect(self.retry_asked)
        window.sign_in_asked.connect(lambda: self.ended.emit("signIn"))
        state.presence_changed.connect(self._show_presence)
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
        own = self.talks.looking_at() if self.talks is not None else None
        if own is not None:
            return own
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
        if self.lock.locked:
            self.lock.toggle()
            return
        if self.window.isVisible() and self.window.isActiveWindow() and not self.window.isMinimized():
            self.window.close()
        else:
            self.window.come_forward()

    def _open_settings(self) -> None:
        self.window.open_page("settings")

    def _open_keys(self) -> None:
        self.open_settings("shortcuts")

    def open_settings(self, section: str) -> None:
        """Shows a section of the settings."""
        self.window.open_page("settings")
        page = self.window.page("settings")
        if page is not None:
            page.open_section(section)  # type: ignore[attr-defined]  # SettingsPage, which is not loaded at start

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
        if name != "enter_sends":
            return
        if page is not None:
            page.set_enter_sends(self._preferences.now.enter_sends)
        if self.talks is not None:
            self.talks.set_enter_sends(self._preferences.now.enter_sends)
