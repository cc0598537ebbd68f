"""The tray icon's behavior: what a click means, flashing, the menu, surviving a tray host that comes and goes.

The tray is never the only way back: where there is none the main window minimizes to the task bar instead.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QRect, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup, QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop.core.domain import Conversation, Presence
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Menu
from desktop.ui.tray.hover_card import HoverCard, HoverWatch
from desktop.ui.tray.icon import MARK, tray_icon

if TYPE_CHECKING:
    from desktop.ui.tray.quiet_dialog import QuietDialog

FLASH_MS = 500  # two pictures a second at most: some desktops leak on each change
FLASH_FOR_MS = 5000
POLL_MS = 3000
Beside = tuple[Sequence[tuple[str, str]], bool]
_Entry = tuple[str, str, Callable[[], object]]  # name, words, what it does
QUIETS = ("hour", "four", "tomorrow", "custom", "off")
CHOICES = (Presence.ONLINE, Presence.AWAY, Presence.BUSY, Presence.DND)


class Tray(QObject):
    """One tray icon for the whole program, signed in or not."""

    toggle_asked = Signal()
    conversation_asked = Signal(str)
    status_chosen = Signal(object)  # Presence
    quiet_asked = Signal(str)  # hour, four, tomorrow, off
    quiet_until_asked = Signal(object)  # ms since 1970
    panel_asked = Signal()
    lock_asked = Signal()
    account_asked = Signal(str)  # another account of this device; empty: one that never signed in here
    beside_asked = Signal(str)  # a further account at the same time; empty: one that never signed in
    work_asked = Signal()
    ignore_asked = Signal()  # everything unread counts as read
    settings_asked = Signal()
    diagnose_asked = Signal()
    sign_out_asked = Signal()
    quit_asked = Signal()
    availability_changed = Signal(bool)
    unread_changed = Signal(int)  # for the number on the program's own icon

    def __init__(
        self, parent: QObject | None = None, *, is_available: Callable[[], bool] = QSystemTrayIcon.isSystemTrayAvailable
    ) -> None:
        super().__init__(parent)
        self.presence = Presence.OFFLINE
        self.unread = 0
        self.changes = 0
        self._conversations = 0
        self._work = (0, 0, 0)
        self._unread_list: tuple[tuple[Conversation, str], ...] = ()
        self._card: HoverCard | None = None
        self._account = ""
        self._quiet = False
        self._locked = False
        self._accounts: tuple[tuple[str, str], ...] = ()
        self._beside: Callable[[], Beside] | None = None
        self._mark = MARK
        self._hover_enabled = True
        self._dialog: QuietDialog | None = None
        self._flash_enabled = True
        self._flashing: list[str] = []
        self._lit = False
        self._is_available = is_available
        self._available = False
        self._icon = QSystemTrayIcon(self)
        self._icon.activated.connect(self._on_activated)
        self._menu = Menu()
        self._menu.setObjectName("trayMenu")
        self._build_menu()
        self._icon.setContextMenu(self._menu)
        self._hover = HoverWatch(self._icon, lambda: self._card, self)
        self._hover.entered.connect(self.show_card)
        self._hover.left.connect(self.hide_card)
        self._note = ""
        self._flash_timer = QTimer(self, interval=FLASH_MS)
        self._flash_timer.timeout.connect(self._on_flash)
        self._calm_timer = QTimer(self, interval=FLASH_FOR_MS, singleShot=True)
        self._calm_timer.timeout.connect(self._stop_flashing)
        self._poll = QTimer(self, interval=POLL_MS)
        self._poll.timeout.connect(self.check)
        i18n.changed.connect(self._retranslate)
        theme.changed.connect(self._refresh)

    # ------------------------------------------------------------ life
    @property
    def available(self) -> bool:
        """Whether the desktop has a tray just now; Qt's answer is the only honest test."""
        return self._available

    @property
    def flashing(self) -> tuple[str, ...]:
        """The conversations that flash, oldest first."""
        return tuple(self._flashing)

    @property
    def menu(self) -> QMenu:
        """The icon's menu, also for a window without a tray."""
        return self._menu

    @property
    def tooltip(self) -> str:
        """What hovering tells."""
        return self._icon.toolTip()

    @property
    def geometry(self) -> tuple[int, int, int, int]:
        """Where the icon stands, left, top, width, height; zeros where the desktop does not tell."""
        place = self._icon.geometry()
        return place.left(), place.top(), place.width(), place.height()

    @property
    def picture(self) -> QIcon:
        """The picture shown now."""
        return self._icon.icon()

    def start(self) -> None:
        """Shows the icon and begins to look for the tray host."""
        self._retranslate()
        self.check()
        self._poll.start()
        self._hover.start()

    def stop(self) -> None:
        """Takes the icon away."""
        self._poll.stop()
        self._hover.stop()
        self._stop_flashing()
        if self._dialog is not None:
            self._dialog.close()
        if self._card is not None:
            self._card.hide()
            self._card.deleteLater()
            self._card = None
        self._icon.hide()

    def check(self) -> None:
        """Looks whether a tray host came or went; shows the icon anew when one came."""
        available = self._is_available()
        if available is self._available:
            return
        self._available = available
        self._icon.hide()
        if available:
            self._refresh()
            self._icon.show()
        self.availability_changed.emit(available)

    # ------------------------------------------------------------ state
    def set_account(self, name: str) -> None:
        """Who is signed in; empty: nobody."""
        self._account = name
        if not name:
            self._stop_flashing()
            self.unread = self._conversations = 0
            self._work, self._unread_list = (0, 0, 0), ()
            self.hide_card()
            self.presence = Presence.OFFLINE
            self.unread_changed.emit(0)
        self._retranslate()

    def set_accounts(self, others: Sequence[tuple[str, str]]) -> None:
        """The other accounts that can be entered without a password: id and what to call it."""
        self._accounts = tuple(others)
        self._fill_accounts()

    def set_beside(self, source: Callable[[], Beside] | None) -> None:
        """Asked whenever the menu opens: accounts that may be signed in at the same time (id, name), and whether one more may."""
        self._beside = source
        self._fill_beside()

    def set_mark(self, mark: str) -> None:
        """The sign in the icon, to tell two icons apart."""
        self._mark = mark
        self._refresh()

    def set_presence(self, presence: Presence, *, quiet: bool) -> None:
        """The state the icon shows."""
        self.presence, self._quiet = presence, quiet
        self._retranslate()

    def set_unread(self, unread: int, conversations: int) -> None:
        """The badge. Nothing unread ends the flashing at once: it was read, here or elsewhere."""
        over = bool(self.unread) and not unread
        self.unread, self._conversations = unread, conversations
        self.unread_changed.emit(unread)
        if over:  # from nothing to nothing is no end: a message may come before its count
            self._stop_flashing()
        self._refresh()

    def set_work(self, todos: int, overdue: int, today: int) -> None:
        """What waits, what is overdue, what is due today. Hovering tells it; the badge counts messages alone."""
        self._work = todos, overdue, today
        self._icon.setToolTip(self._tooltip())
        self._fill_card()

    def set_note(self, note: str) -> None:
        """One more line for who rests the mouse on the icon; empty: none."""
        if note != self._note:
            self._note = note
            self._refresh()

    def set_unread_list(self, unread: Sequence[tuple[Conversation, str]]) -> None:
        """Conversations with something unread, newest first, and their last words."""
        self._unread_list = tuple(unread)
        self._fill_card()

    @property
    def newest_unread(self) -> str:
        """The conversation to open for "show me what is new": what flashed last, else what is unread and newest; empty for none."""
        if self._flashing:
            return self._flashing[-1]
        return self._unread_list[0][0].id if self._unread_list else ""

    def set_locked(self, locked: bool) -> None:
        """While the program is locked the icon tells how much is unread, not what."""
        self._locked = locked
        self.hide_card()
        self._retranslate()

    # ------------------------------------------------------------ hovering
    def set_hover_enabled(self, enabled: bool) -> None:
        """Whether a resting mouse opens the card."""
        self._hover_enabled = enabled
        if not enabled:
            self.hide_card()

    @property
    def card(self) -> HoverCard | None:
        """The card, once the mouse rested on the icon."""
        return self._card

    def show_card(self, place: QRect) -> None:
        """The mouse rests on the icon, which stands at this place of the screen."""
        if not self._account or self._locked or not self._hover_enabled or self._menu.isVisible():
            return
        if self._card is None:
            self._card = HoverCard()
            self._card.opened.connect(self.conversation_asked)
            self._card.work_asked.connect(self._on_work)
            self._card.ignore_asked.connect(self.ignore_asked)
        self._fill_card()
        self._card.show_at(place)

    def hide_card(self) -> None:
        """The mouse left, or something else was asked for."""
        if self._card is not None:
            self._card.hide()

    def _on_work(self) -> None:
        self.hide_card()
        self.work_asked.emit()

    def _fill_card(self) -> None:
        if self._card is not None:
            self._card.show_unread(self._unread_list, " · ".join(self._work_lines()))

    def _work_lines(self) -> list[str]:
        waiting, overdue, today = self._work
        lines = [tr("office_workbench.tray.todos", n=waiting)] if waiting else []
        return lines + ([tr("office_workbench.tray.dues", overdue=overdue, today=today)] if overdue or today else [])

    def set_flash_enabled(self, enabled: bool) -> None:
        """Whether new messages make the icon flash."""
        self._flash_enabled = enabled
        if not enabled:
            self._stop_flashing()

    def flash(self, conversation_id: str) -> None:
        """A message came: flash for some seconds; the conversation stays the one a click opens until it is read."""
        if not self._flash_enabled:
            return
        if conversation_id in self._flashing:
            self._flashing.remove(conversation_id)
        self._flashing.append(conversation_id)
        self._calm_timer.start()
        if not self._flash_timer.isActive():
            self._flash_timer.start()

    def calm(self, conversation_id: str) -> None:
        """A conversation was read."""
        if conversation_id in self._flashing:
            self._flashing.remove(conversation_id)
        if not self._flashing:
            self._stop_flashing()

    def _on_flash(self) -> None:
        self._lit = not self._lit
        self._refresh()

    def _stop_flashing(self) -> None:
        self._flash_timer.stop()
        self._calm_timer.stop()
        self._flashing.clear()
        if self._lit:
            self._lit = False
            self._refresh()

    def _refresh(self) -> None:
        self._icon.setIcon(tray_icon(self.presence, self.unread, lit=self._lit, mark=self._mark))
        self.changes += 1
        self._icon.setToolTip(self._tooltip())

    def _tooltip(self) -> str:
        if not self._account:
            return tr("tray.tooltip.signed_out")
        state = tr(f"tray.status.{self.presence.value}")
        unread = tr("tray.tooltip.unread", n=self.unread, conversations=self._conversations) if self.unread else ""
        who = tr("tray.tooltip.account", name=self._account, state=state)
        return "\n".join(filter(None, (who, unread, *self._work_lines(), self._note)))

    def _on_activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        self.hide_card()
        if reason not in (QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick):
            return
        if self._flashing and not self._locked:
            conversation_id = self._flashing[-1]
            self._stop_flashing()
            self.conversation_asked.emit(conversation_id)
        elif reason is QSystemTrayIcon.ActivationReason.Trigger:
            self.toggle_asked.emit()

    # ------------------------------------------------------------ menu
    def _build_menu(self) -> None:
        menu = self._menu
        self._open = self._action(menu, "open", self.toggle_asked.emit)
        menu.setDefaultAction(self._open)
        menu.addSeparator()
        self._status_menu = Menu(menu)
        menu.addMenu(self._status_menu)
        group = QActionGroup(self)
        self._statuses: dict[Presence, QAction] = {}
        for choice in CHOICES:
            action = self._action(self._status_menu, f"status_{choice.value}", partial(self.status_chosen.emit, choice))
            action.setCheckable(True)
            group.addAction(action)
            self._statuses[choice] = action
        self._quiet_menu = Menu(menu)
        menu.addMenu(self._quiet_menu)
        self._quiets = {
            key: self._action(self._quiet_menu, f"quiet_{key}", partial(self._on_quiet, key)) for key in QUIETS
        }
        menu.addSeparator()
        self._panel = self._action(menu, "panel", self.panel_asked.emit)
        self._settings = self._action(menu, "settings", self.settings_asked.emit)
        self._diagnose = self._action(menu, "diagnose", self.diagnose_asked.emit)
        self._lock = self._action(menu, "lock", self.lock_asked.emit)
        self._accounts_menu = Menu(menu)
        menu.addMenu(self._accounts_menu)
        self._beside_menu = Menu(menu)
        menu.addMenu(self._beside_menu)
        self._beside_menu.menuAction().setVisible(False)
        menu.aboutToShow.connect(self._fill_beside)
        self._sign_out = self._action(menu, "sign_out", self.sign_out_asked.emit)
        menu.addSeparator()
        self._quit = self._action(menu, "quit", self.quit_asked.emit)

    def _fill_accounts(self) -> None:
        self._accounts_menu.setTitle(tr("tray.menu.accounts"))
        others = [(f"account_{one}", name, partial(self.account_asked.emit, one)) for one, name in self._accounts]
        more = ("account_other", tr("tray.menu.account_other"), partial(self.account_asked.emit, ""))
        self._fill(self._accounts_menu, others, more)

    def _fill_beside(self) -> None:
        known, may_add = self._beside() if self._beside is not None and self._account else ((), False)
        self._beside_menu.setTitle(tr("tray.menu.beside"))
        self._beside_menu.menuAction().setVisible(bool(known or may_add))
        others = [(f"beside_{one}", name, partial(self.beside_asked.emit, one)) for one, name in known]
        more = ("beside_other", tr("tray.menu.beside_other"), partial(self.beside_asked.emit, ""))
        self._fill(self._beside_menu, others, more if may_add else None)

    def _fill(self, menu: QMenu, others: Sequence[_Entry], more: _Entry | None) -> None:
        """Entries anew, where they differ: to a tray's host an entry made again is another one, and a click on the old one is lost."""
        entries = [*others, *([more] if more is not None else [])]
        shown = [(action.objectName(), action.text()) for action in menu.actions() if not action.isSeparator()]
        if shown == [(f"tray_{name}", text) for name, text, _ in entries]:
            return
        menu.clear()
        for entry in entries:
            if entry is more and others:
                menu.addSeparator()
            name, text, slot = entry
            self._action(menu, name, slot).setText(text)

    def _on_quiet(self, key: str) -> None:
        if key != "custom":
            self.quiet_asked.emit(key)
            return
        if self._dialog is None:
            from desktop.ui.tray.quiet_dialog import QuietDialog

            self._dialog = QuietDialog()
            self._dialog.chosen.connect(self.quiet_until_asked)
            self._dialog.finished.connect(self._on_dialog_finished)
        self._dialog.show()
        self._dialog.raise_()
        self._dialog.activateWindow()

    def _on_dialog_finished(self) -> None:
        if self._dialog is not None:
            self._dialog.deleteLater()
            self._dialog = None

    def _action(self, menu: QMenu, name: str, slot: Callable[[], object]) -> QAction:
        action = menu.addAction("")
        action.setObjectName(f"tray_{name}")
        action.triggered.connect(lambda _checked=False: slot())
        return action

    def _retranslate(self) -> None:
        signed_in = bool(self._account)
        self._open.setText(tr("tray.menu.open"))
        self._status_menu.setTitle(tr("tray.menu.status"))
        self._quiet_menu.setTitle(tr("tray.menu.quiet"))
        for choice, action in self._statuses.items():
            action.setText(tr(f"tray.status.{choice.value}"))
            action.setChecked(choice is self.presence)
        for key, action in self._quiets.items():
            action.setText(tr(f"tray.quiet.{key}"))
        self._quiets["off"].setEnabled(self._quiet)
        self._panel.setText(tr("tray.menu.panel"))
        self._lock.setText(tr("tray.menu.lock"))
        self._fill_beside()
        self._settings.setText(tr("tray.menu.settings"))
        self._diagnose.setText(tr("tray.menu.diagnose"))
        self._sign_out.setText(tr("tray.menu.sign_out"))
        self._quit.setText(tr("tray.menu.quit"))
        for part in (self._status_menu.menuAction(), self._quiet_menu.menuAction()):
            part.setVisible(signed_in)
        self._fill_accounts()
        for part in (self._panel, self._settings, self._lock, self._accounts_menu.menuAction(), self._sign_out):
            part.setVisible(signed_in and not self._locked)
        self._refresh()
