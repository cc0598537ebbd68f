"""The program as a whole: core and UI joined, login window or main window, sign-out, links from a second start, the end in order."""

import asyncio
import logging
import os
import platform
import signal
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import msgspec
from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QSessionManager
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app.beside import BesideAccounts, beside_folders, is_beside, is_running
from desktop.app.bridge import CLOSE_LIMIT_S, Bridge
from desktop.app.help_desk import HelpDesk
from desktop.app.icon_menu import IconMenu
from desktop.app.keychain import ask_for_keychain, find_keychain
from desktop.app.links import local_file, open_link
from desktop.app.local_cache import LocalCache
from desktop.app.options import Options
from desktop.app.surroundings import Surroundings
from desktop.app.trust import Trust, pinned_fingerprint
from desktop.app.ui_session import on_screen
from desktop.app.updating import Updating
from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import Keychain
from desktop.core.domain import KnownAccount
from desktop.core.errors import AppError, UserCancelled
from desktop.core.net.proxy import Proxy, ProxyKind, read_settings
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from desktop.platform.autostart import Autostart, AutostartFailed, SetAutostart, make_autostart
from desktop.platform.badge import Badge
from desktop.platform.folders import choose_downloads_dir
from desktop.platform.network import NetworkWatch
from desktop.platform.notifications import SystemNotifications
from desktop.platform.open_events import OpeningApplication
from desktop.platform.policy import load_policy
from desktop.platform.preferences import Preferences
from desktop.platform.single_instance import SingleInstance
from desktop.platform.sounds import Sounds
from desktop.platform.system_proxy import READS_SCRIPTS, system_proxy
from desktop.ui import i18n, motion, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Snack, group_faces, initial
from desktop.ui.settings.sources import SettingsSources
from desktop.ui.shell.placement import ScreenKeeper
from desktop.ui.tasks import TaskOwner
from desktop.ui.tray.icon import MARK, app_icon
from desktop.ui.tray.tray import Tray
from desktop.ui.updates import blocked_text, update_note, voice_is_unsent

if TYPE_CHECKING:  # the screens are loaded while the keychain is asked, the login window when it is wanted
    from desktop.app.signed_in import SignedIn
    from desktop.ui.shell.login import LoginGate, LoginWindow

log = logging.getLogger("tongban.app")

DEFAULT_SERVER = "https://localhost:8460"
SAVE_LIMIT_S = 2.0
ROOM_DELAY_S = 60.0
CONTROL_VARIABLE = "TONGBAN_TEST_CONTROL"
ROOM_EVERY_S = 3600.0
DAY_MS = 86_400_000
ACT = "tongban://do/"


class Application(QObject):
    """Made once by lifecycle.py; starts the core's thread at once. `run` returns when the user has quit."""

    screen_made = Signal()  # signed in: `signed_in` is there, not shown yet

    def __init__(
        self, qapp: QApplication, options: Options, preferences: Preferences, instance: SingleInstance | None
    ) -> None:
        super().__init__()
        self._qapp, self._options, self.preferences = qapp, options, preferences
        choose_downloads_dir(preferences.now.download_folder)
        self.policy = load_policy()
        self.bridge = Bridge(self)
        self.clock = SystemClock()
        self.trust = Trust(options.certificate)
        self.client: Client | None = None
        self._may_connect = asyncio.Event()  # belongs to the core's thread
        # First of all, for it waits for the session bus and the disk: everything below is made meanwhile.
        self.bridge.start()
        self._opening = self.bridge.submit(self._open_unasked())
        self.tray = Tray(self)
        self.notifications = SystemNotifications(tr("app.name"))
        self.tasks = TaskOwner(self)
        self._asking: asyncio.Timeout | None = None
        self._network = NetworkWatch(self)
        self._network.changed.connect(self._on_retry)
        self.surroundings = Surroundings(preferences, self, now_ms=self.clock.now_ms)
        self.surroundings.woke.connect(self._on_retry)
        self.surroundings.sleeping.connect(self._save_now)
        self.surroundings.pressed.connect(self._on_hotkey)
        self._sounds = Sounds(now_ms=self.clock.now_ms)
        self._keeper = ScreenKeeper(self, exempt=self._may_stand_outside)
        self.badge = Badge(further=is_beside(options.data_dir))
        self.tray.unread_changed.connect(self.badge.show)
        self._icon_menu = IconMenu(lambda link: self._on_second_start([link]))
        self.help = HelpDesk(self, self)
        self.beside = BesideAccounts(options.data_dir, preferences, _passed_on(options), parent=self)
        self.core_session: Session | None = None
        self.signed_in: SignedIn | None = None
        self.login: LoginWindow | None = None
        self.updating = Updating(
            options,
            self.bridge,
            self.clock,
            version=program_version,
            device=f"{os.environ.get('USER') or os.environ.get('USERNAME') or ''}@{platform.node()}",
            channel=self.policy.update_channel,
            busy=lambda: what_is_under_way(self.signed_in, options.data_dir),
            parent=self,
        )
        self._quit = asyncio.Event()
        self._links = list(options.links)
        self._control: QObject | None = None
        self._besides_opened = False
        qapp.setWindowIcon(app_icon())
        self._bind(instance)

    def _bind(self, instance: SingleInstance | None) -> None:
        self.tray.quit_asked.connect(self._on_quit_asked)
        self.tray.diagnose_asked.connect(self.help.open_diagnosis)
        self.tray.beside_asked.connect(self._on_beside)
        self.tray.set_beside(None if is_beside(self._options.data_dir) else self._beside_menu)
        self.tray.toggle_asked.connect(self._on_toggle)
        self.tray.account_asked.connect(self.switch_account)
        self.tray.sign_out_asked.connect(lambda: self.sign_out(False))
        self.preferences.changed.connect(self._on_preference)
        self._qapp.commitDataRequest.connect(self._on_session_end)
        self.updating.end_asked.connect(self.quit)
        self.updating.changed.connect(lambda status: self.tray.set_note(update_note(status)))
        self.updating.blocked.connect(self._on_update_blocked)
        if instance is not None:
            instance.asked.connect(self._on_second_start)
            instance.end_asked.connect(self.updating.stand_back)  # an installer is about to replace the files
            instance.end_asked.connect(self.quit)
        if isinstance(self._qapp, OpeningApplication):  # macOS: links and files come as events
            self._qapp.open_events.opened.connect(self._on_second_start)
            self._links += self._qapp.open_events.take()

    @property
    def data_dir(self) -> Path:
        """Where this client keeps its data."""
        return self._options.data_dir

    @property
    def server_now(self) -> str:
        """The server of the session, else the one in the login window; empty for none."""
        account = self._account(self.core_session) if self.core_session is not None else None
        if account is not None:
            return account.server
        return self.login.server_now if self.login is not None else ""

    def version(self) -> str:
        """The program's version."""
        return program_version()

    @property
    def certificate(self) -> Path | None:
        """The CA certificate named on the command line."""
        return self._options.certificate

    # ------------------------------------------------------------ life
    async def run(self) -> bool:
        """Runs until the user quits. False when something did not end within its limit."""
        self.tray.start()
        self._open_control()
        self._catch_signals()
        try:
            await self._begin()
            await self._quit.wait()
            self.updating.finish()
        except UserCancelled:
            log.info("no passphrase: nothing to do")
        return await self._close()

    def _catch_signals(self) -> None:
        """SIGTERM and SIGINT end the program as its menu does. Python runs handlers between byte codes, and qasync turns often enough."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self.quit())

    def quit(self) -> None:
        """Ends the program, in order; whoever is still asked for a passphrase need not answer."""
        self._quit.set()
        if self._asking is not None:
            self._asking.reschedule(0)

    def _on_update_blocked(self, standing: list[str]) -> None:
        if self.signed_in is not None:
            Snack(self.signed_in.window).say(blocked_text(standing))

    def _on_quit_asked(self) -> None:
        if self.preferences.now.beside_open:
            self.preferences.set(beside_open=False)  # it does not come back with the first account by itself
        self.quit()

    # ------------------------------------------------------------ accounts beside this one
    def _beside_menu(self) -> tuple[list[tuple[str, str]], bool]:
        return [(one.id, one.label) for one in self.beside.known() if one.label], self.beside.may_add

    def _on_beside(self, beside_id: str) -> None:
        if not self.beside.open(beside_id) and self.signed_in is not None:
            Snack(self.signed_in.window).say(tr("app.beside.failed"))

    def _show_beside(self, name: str, label: str) -> None:
        """Of a further account: what tells it from the first one, on the screen and in the first one's menu."""
        if is_beside(self._options.data_dir):
            self.preferences.set(account_label=label, beside_open=bool(label))
            self.tray.set_mark(initial(name) if name else MARK)
            self._qapp.setWindowIcon(app_icon(initial(name)) if name else app_icon())

    async def _begin(self) -> None:
        from desktop.app import signed_in  # noqa: F401 - for its time, not its name

        session = await asyncio.wrap_future(self._opening)
        if self.client is None:
            self.updating.on_first_window()  # the question for the passphrase
            session = await self.bridge.call(self._open(await self._ask_for_keychain()))
        if session is None:
            self.show_login()
        else:
            await self.enter(session, hidden=self._options.hidden)

    async def _ask_for_keychain(self) -> Keychain:
        """Raises UserCancelled: nobody answered before the program is to end."""
        try:
            async with asyncio.timeout(None) as self._asking:
                return await ask_for_keychain(self.bridge, self._options.data_dir)
        except TimeoutError:
            raise UserCancelled from None
        finally:
            self._asking = None

    async def _open_unasked(self) -> Session | None:
        """On the core's thread: keychain, accounts and a session as far as nobody has to type. `client` stays None without a keychain."""
        keychain = await find_keychain(self._options.data_dir)
        return None if keychain is None else await self._open(keychain)

    async def _open(self, keychain: Keychain) -> Session | None:
        """On the core's thread: the data folder, and a session if one can be had unasked."""
        self.client = client = await Client.open(
            self._options.data_dir,
            keychain=keychain,
            clock=self.clock,
            trust=self.trust,
            system_proxy=system_proxy if READS_SCRIPTS else read_settings,
        )
        await client.use_proxy(self._proxy())
        return await self._sign_in_unasked(client)

    def _set_server(self) -> str | None:
        """The one server of the administrator's policy, as accounts name theirs."""
        if self.policy.server is None:
            return None
        from desktop.ui.shell.login import server_address

        return server_address(self.policy.server)

    def _autostart(self) -> Autostart:
        """The system's way; carried out at once and out of the user's hands where the administrator decided."""
        usual = make_autostart(self._options.data_dir)
        if self.policy.autostart is None:
            return usual
        set_ = SetAutostart(usual, self.policy.autostart)
        try:
            set_.apply()
        except AutostartFailed as error:
            log.warning("autostart is not as the administrator set it: %s", error)
        return set_

    def _proxy(self, password: str = "") -> Proxy:
        """The way the user chose; a kind that an older or damaged file names is the system's."""
        now = self.preferences.now
        kind = ProxyKind(now.proxy) if now.proxy in tuple(ProxyKind) else ProxyKind.SYSTEM
        if kind in (ProxyKind.NONE, ProxyKind.SYSTEM):
            return Proxy(kind)
        return Proxy(kind, now.proxy_host, now.proxy_port, now.proxy_login, password)

    async def use_proxy(self, server: str, password: str | None) -> None:
        """Takes the way of the preferences from now on and tries it. Raises Unreachable, ProxyFailed."""
        client, proxy = self.client, self._proxy(password or "")
        if client is None:
            return

        async def go() -> None:
            await client.use_proxy(proxy)
            await client.try_way(server)

        await self.bridge.call(go())

    async def _sign_in_unasked(self, client: Client) -> Session | None:
        """A session that needs nobody to type: the one of --sign-in, else the remembered account used last. None: ask."""
        accounts, wanted = client.accounts(), self._options
        if self.policy.server is not None:  # an account of another office stays where it is, and is not entered
            accounts = [account for account in accounts if account.server == self._set_server()]
        known = next((a for a in accounts if a.remembered and wanted.sign_in in (None, a.login)), None)
        try:
            if known is not None:
                return await client.resume(known, may_connect=self._may_connect)
            server = self._set_server() or wanted.server
            if wanted.sign_in and wanted.password is not None and server:
                return await client.sign_in(server, wanted.sign_in, wanted.password, remember=True)
        except AppError as error:
            log.warning("not signed in by itself: %s", error.code)
        return None

    async def _close(self) -> bool:
        """Ends what was begun, in reverse order; what does not end within the limit is logged and left."""
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await self._leave()
                if self.client is not None and self.bridge.running:
                    await self.bridge.call(self.client.close())
        except TimeoutError:
            log.warning("the session did not end within %s s", CLOSE_LIMIT_S)
        except AppError as error:
            log.warning("at the end: %s", error.code)
        self._drop_login()
        self.help.close()
        self.tasks.cancel_all()
        clean = await self.bridge.close()
        self.surroundings.stop()
        self.tray.stop()
        return clean

    # ------------------------------------------------------------ signed out
    def show_login(self, notice: str = "") -> None:
        """Shows the login window."""
        from desktop.ui.shell.login import LoginWindow

        client = self.client
        assert client is not None
        if self.login is None:
            free = self._options.server or self.preferences.now.last_server or DEFAULT_SERVER
            server = self.policy.server or free
            gate = self.bridge.wrap(client, cancellable=True, approve=self.trust.approve)
            self.login = LoginWindow(
                cast("LoginGate", gate),
                server=server,
                login=self._options.sign_in or "",
                autostart=self._autostart(),
                policy=self.policy,
            )
            self.login.signed_in.connect(self._on_signed_in)
            self.login.closed.connect(self._on_login_closed)
            self.login.network_asked.connect(self._open_network)
            self.login.diagnose_asked.connect(self.help.open_diagnosis)
        if notice:
            Snack(self.login).say(notice)
        self.login.show()
        self.updating.on_first_window()
        self.login.raise_()
        self.login.activateWindow()
        self.help.tell_crash()

    def open_network(self) -> None:
        """The settings of the way to the server, wherever they are just now."""
        if self.signed_in is not None:
            self.signed_in.open_settings("network")
        else:
            self._open_network()

    def _open_network(self) -> None:
        """The way to the server, over the login window: it is tried with the server typed there."""
        from desktop.ui.settings.network_dialog import NetworkDialog

        login = self.login
        if login is None:
            return
        dialog = NetworkDialog(login, self.preferences, lambda password: self.use_proxy(login.server_now, password))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _drop_login(self) -> None:
        if self.login is not None:
            self.login.closed.disconnect(self._on_login_closed)
            self.login.close()
            self.login.deleteLater()
            self.login = None

    def _on_login_closed(self) -> None:
        """Given up. With a tray the program stays there; without one it would be out of reach."""
        if not self.tray.available:
            self.quit()

    def _on_signed_in(self, session: Session) -> None:
        self.tasks.start(self.enter(session, hidden=False), name="enter")

    # ------------------------------------------------------------ signed in
    async def enter(self, session: Session, *, hidden: bool) -> None:
        """Puts a session on the screen."""
        from desktop.app.signed_in import SignedIn

        self.core_session = session
        screen = await on_screen(self.bridge, session)
        self.signed_in = entered = SignedIn(
            screen,
            self.tray,
            self.preferences,
            self.notifications,
            self.sources(session, screen.me.login),
            now_ms=self.clock.now_ms,
            data_dir=self._options.data_dir,
            surroundings=self.surroundings,
            play=self._sounds.play,
            parent=self,
        )
        entered.ended.connect(self._on_ended)
        entered.sign_out_asked.connect(self.sign_out)
        entered.retry_asked.connect(self._on_retry)
        entered.named.connect(
            lambda name: self.tasks.start(self._remember(session, name), name="remember", exclusive=True)
        )
        entered.settled.connect(self._on_settled)
        self.screen_made.emit()
        entered.start(hidden=hidden)
        self.updating.on_first_window()
        self._drop_login()
        self._follow_links()
        self.tasks.start(self._remember(session, screen.me.name), name="remember")
        self.tasks.start(self._make_room(session), name="room", exclusive=True)
        self.updating.on_session(session)

    def _on_settled(self) -> None:
        """Painted: now the connection may take its share of the processor."""
        self._network.start()
        self._icon_menu.show()
        self.surroundings.start()
        if self.signed_in is not None:
            self.surroundings.watch.watch_window(int(self.signed_in.window.winId()))

        async def let_connect() -> None:
            self._may_connect.set()

        self.tasks.start(self.bridge.call(let_connect()), name="connect")
        self.help.tell_crash()
        if not self._besides_opened:
            self._besides_opened = True
            self.beside.open_again()

    def _account(self, session: Session) -> KnownAccount | None:
        accounts = self.client.accounts() if self.client is not None else []
        return next((account for account in accounts if account.id == session.account_id), None)

    async def _remember(self, session: Session, name: str) -> None:
        client = self.client
        account = self._account(session)
        if client is None or account is None:
            return

        async def remember() -> None:
            client.remember_name(session.account_id, name)

        self.preferences.set(last_server=account.server)
        self._show_beside(name, account_label(msgspec.structs.replace(account, name=name)))
        await self.bridge.call(remember())
        self.tray.set_accounts([(one.id, account_label(one)) for one in self._others(client, account)])

    def _others(self, client: Client, account: KnownAccount) -> list[KnownAccount]:
        return [one for one in client.accounts() if one.remembered and one.id != account.id]

    def sources(self, session: Session, login: str) -> SettingsSources:
        """What the settings page of a session reads."""
        account = self._account(session)
        server = account.server if account is not None else ""
        wrapped = self.bridge.wrap(session)
        cache = LocalCache(self._options.data_dir, session)

        async def fingerprint() -> str:
            return pinned_fingerprint(self._options.data_dir, server)

        async def cache_size() -> int:
            return await self.bridge.finish(cache.size())

        async def clear_cache() -> int:
            return await self.bridge.finish(cache.clear())

        return SettingsSources(
            server=server,
            login=login,
            data_dir=self._options.data_dir,
            version=program_version,
            fingerprint=fingerprint,
            devices=wrapped.settings.devices,
            sign_out_device=wrapped.settings.sign_out_device,
            login_log=wrapped.settings.login_log,
            cache_size=cache_size,
            clear_cache=clear_cache,
            sign_out=self.sign_out,
            conversations=wrapped.chat.conversations,
            modules=wrapped.records.modules,
            hotkey_outcomes=lambda: self.surroundings.outcomes,
            hotkeys_changed=self.surroundings.hotkeys_changed,
            autostart=self._autostart(),
            policy=self.policy,
            play=self._sounds.play,
            use_proxy=lambda password: self.use_proxy(server, password),
            transfers=wrapped.files,
            updates=self.updating,
            diagnose=self.help.open_diagnosis,
        )

    def _on_retry(self) -> None:
        session = self.core_session

        async def retry() -> None:
            if session is not None:
                session.network_changed()

        self.tasks.start(self.bridge.call(retry()), name="retry")

    # ------------------------------------------------------------ leaving
    def sign_out(self, everywhere: bool) -> None:
        """Signs out and shows the login window."""
        self.tasks.start(self._sign_out(everywhere), name="sign-out", exclusive=True)

    async def _sign_out(self, everywhere: bool) -> None:
        session = self.core_session
        if session is None or self.client is None:
            return
        if self.signed_in is not None:
            await self.signed_in.save()
        await self.bridge.call(session.sign_out(everywhere=everywhere))
        await self._leave(closed=True)
        self._show_beside("", "")
        self.show_login()

    def switch_account(self, account_id: str) -> None:
        """Goes over to another account of this device, each with its own store; empty: the login window asks. Nobody is signed out."""
        self.tasks.start(self._switch(account_id), name="switch", exclusive=True)

    async def _switch(self, account_id: str) -> None:
        client = self.client
        if client is None or self.login is not None:
            return
        account = next((one for one in client.accounts() if one.id == account_id), None)
        await self._leave()
        if account is None:
            self.show_login()
            return
        try:
            session = await self.bridge.call(client.resume(account))
        except AppError as error:
            log.warning("not entered: %s", error.code)
            self.show_login(i18n.error_text(error))
            return
        await self.enter(session, hidden=False)

    def _on_ended(self, reason: str) -> None:
        self.tasks.start(self._after_end(reason), name="ended", exclusive=True)

    async def _after_end(self, reason: str) -> None:
        await self._leave()
        key = f"error.{reason}"
        self.show_login(tr(key) if i18n.has(key) else "")

    async def _leave(self, *, closed: bool = False) -> None:
        """Takes the session off the screen and closes it."""
        self.updating.on_session_end()
        entered, self.signed_in = self.signed_in, None
        session, self.core_session = self.core_session, None
        if entered is not None:
            await entered.close()
            entered.deleteLater()
        self.bridge.drop_feeds()
        group_faces.forget_all()
        if session is not None and not closed and self.bridge.running:
            await self.bridge.call(session.close())

    def _on_session_end(self, manager: QSessionManager) -> None:
        """The system logs the user out: keep what is written. No event loop turns in here, so the core's thread is waited for."""
        del manager
        self.help.leave()
        self._save_now()

    def _save_now(self) -> None:
        """Keeps windows' places and drafts before the machine sleeps or the session ends."""
        if self.signed_in is None:
            return
        self.signed_in.remember()
        if self.core_session is None or not self.bridge.running:
            return
        for draft in self.signed_in.drafts():
            saving = self.bridge.submit(self.core_session.chat.set_draft(*draft))
            try:
                saving.result(SAVE_LIMIT_S)
            except (TimeoutError, AppError):
                log.warning("a draft was not kept in time")
                return

    async def _make_room(self, session: Session) -> None:
        """Keeps the sealed files of this device within the limit the user set, now and every hour."""
        cache = LocalCache(self._options.data_dir, session)
        await asyncio.sleep(ROOM_DELAY_S)
        while self.core_session is session:
            days = self.policy.retention_days
            since = None if days is None else self.clock.now_ms() - days * DAY_MS
            freed = await self.bridge.finish(cache.trim(self.preferences.now.cache_limit, unused_since_ms=since))
            if freed:
                log.info("made room: %s bytes", freed)
            await asyncio.sleep(ROOM_EVERY_S)

    # ------------------------------------------------------------ from outside
    def _on_hotkey(self, action: str) -> None:
        if self.signed_in is None and action == "toggle":
            self._on_toggle()

    def _may_stand_outside(self, window: QWidget) -> bool:
        """Pop-ups and the panel's strip place themselves."""
        return window.objectName().startswith("toast:") or window.objectName() == "panelStrip"

    def _on_toggle(self) -> None:
        if self.signed_in is None and self.login is not None:
            self.login.setVisible(not self.login.isActiveWindow())
            self.login.activateWindow()

    def _on_second_start(self, links: list[str]) -> None:
        acts = [link.removeprefix(ACT) for link in links if link.startswith(ACT)]
        for (
            action
        ) in acts:  # for desktops that let no program listen for keys: the user's own keyboard settings call us
            self.surroundings.pressed.emit(action)
        self._links.extend(link for link in links if not link.startswith(ACT))
        if acts and len(acts) == len(links):
            return
        if self.signed_in is not None:
            self.signed_in.window.come_forward()
            self._follow_links()
        elif self.login is not None:
            self.login.show()
            self.login.activateWindow()

    def _follow_links(self) -> None:
        if self.signed_in is None:
            return
        links, self._links = self._links, []
        for link in links:
            if link.startswith(ACT):
                self.surroundings.pressed.emit(link.removeprefix(ACT))
            elif path := local_file(link):
                self.signed_in.files.open_local(path)
            elif not open_link(link, self.signed_in.window):
                log.warning("a link was not understood")

    def _on_preference(self, name: str) -> None:
        choices = self.preferences.now
        match name:
            case "language":
                language = choices.language or i18n.system_language()
                i18n.set_language("zh" if language == "zh" else "en")
                self._icon_menu.show()
            case "theme":
                theme.set_mode("light" if choices.theme == "light" else "dark" if choices.theme == "dark" else "system")
            case "reduce_motion":
                motion.set_reduced(choices.reduce_motion)
            case "text_percent":
                theme.set_text_scale(choices.text_percent / 100)
            case _:
                pass

    def _open_control(self) -> None:
        address = os.environ.get(CONTROL_VARIABLE)
        if not address:
            return
        from desktop.app.control import Control, Verb
        from desktop.app.probes import make_probes

        verbs: dict[str, Verb] = {
            "quit": lambda _: self.quit(),
            "preference": lambda a: self.preferences.set(**{str(a["name"]): a["value"]}),
        }
        self._control = Control(address, make_probes(self, self), verbs, self)


def _passed_on(options: Options) -> list[str]:
    """What further accounts get of this one's command line."""
    passed = ["--server", options.server] if options.server else []
    return passed + (["--ca", str(options.certificate)] if options.certificate else [])


def what_is_under_way(entered: "SignedIn | None", data_dir: Path) -> list[str]:
    """What an update must not interrupt: transfers, a capture of the screen, voice not yet sent, another account's client."""
    root = data_dir.parent.parent if is_beside(data_dir) else data_dir
    folders = [folder for folder in (root, *beside_folders(root)) if folder != data_dir]
    standing = ["accounts"] if any(is_running(folder) for folder in folders) else []
    if entered is None:
        return standing
    standing += ["transfers"] if entered.desk.transfers.active else []
    standing += ["capture"] if entered.screenshots.running else []
    return standing + (["voice"] if voice_is_unsent() else [])


def account_label(account: KnownAccount) -> str:
    """A name for a menu: the person's, with the login and server that tell two of the same name apart."""
    return f"{account.name} · {account.login}@{urlsplit(account.server).hostname or account.server}"


def program_version() -> str:
    """The version of this program; 0 where it runs from sources that nobody installed."""
    from importlib.metadata import PackageNotFoundError, version  # slow to import, wanted by the settings page alone

    try:
        return version("tongban")
    except PackageNotFoundError:
        return "0"
