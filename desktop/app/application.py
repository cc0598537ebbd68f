"""The program as a whole: core and UI joined, login window or main window, sign-out, links from a second start, the end in order."""

import asyncio
import logging
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QSessionManager
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app.bridge import CLOSE_LIMIT_S, Bridge
from desktop.app.keychain import ask_for_keychain, find_keychain
from desktop.app.links import open_link
from desktop.app.local_cache import LocalCache
from desktop.app.options import Options
from desktop.app.surroundings import Surroundings
from desktop.app.trust import Trust, pinned_fingerprint
from desktop.app.ui_session import on_screen
from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import Keychain
from desktop.core.domain import KnownAccount
from desktop.core.errors import AppError, UserCancelled
from desktop.core.net.proxy import Proxy, ProxyKind
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from desktop.platform.autostart import make_autostart
from desktop.platform.network import NetworkWatch
from desktop.platform.notifications import SystemNotifications
from desktop.platform.preferences import Preferences
from desktop.platform.single_instance import SingleInstance
from desktop.platform.sounds import Sounds
from desktop.ui import i18n, motion, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Snack
from desktop.ui.settings.sources import SettingsSources
from desktop.ui.shell.placement import ScreenKeeper
from desktop.ui.tasks import TaskOwner
from desktop.ui.tray.icon import app_icon
from desktop.ui.tray.tray import Tray

if TYPE_CHECKING:  # the screens are loaded while the keychain is asked, the login window when it is wanted
    from desktop.app.signed_in import SignedIn
    from desktop.ui.shell.login import LoginGate, LoginWindow

log = logging.getLogger("tongban.app")

DEFAULT_SERVER = "https://localhost:8460"
SAVE_LIMIT_S = 2.0
ROOM_DELAY_S = 60.0
CONTROL_VARIABLE = "TONGBAN_TEST_CONTROL"
ROOM_EVERY_S = 3600.0
ACT = "tongban://do/"


class Application(QObject):
    """Made once by lifecycle.py; starts the core's thread at once. `run` returns when the user has quit."""

    screen_made = Signal()  # signed in: `signed_in` is there, not shown yet

    def __init__(
        self, qapp: QApplication, options: Options, preferences: Preferences, instance: SingleInstance | None
    ) -> None:
        super().__init__()
        self._qapp, self._options, self.preferences = qapp, options, preferences
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
        self._network = NetworkWatch(self)
        self._network.changed.connect(self._on_retry)
        self.surroundings = Surroundings(preferences, self, now_ms=self.clock.now_ms)
        self.surroundings.woke.connect(self._on_retry)
        self.surroundings.sleeping.connect(self._save_now)
        self.surroundings.pressed.connect(self._on_hotkey)
        self._sounds = Sounds(now_ms=self.clock.now_ms)
        self._keeper = ScreenKeeper(self, exempt=self._may_stand_outside)
        self.core_session: Session | None = None
        self.signed_in: SignedIn | None = None
        self.login: LoginWindow | None = None
        self._quit = asyncio.Event()
        self._links = list(options.links)
        self._control: QObject | None = None
        qapp.setWindowIcon(app_icon())
        self._bind(instance)

    def _bind(self, instance: SingleInstance | None) -> None:
        self.tray.quit_asked.connect(self.quit)
        self.tray.toggle_asked.connect(self._on_toggle)
        self.tray.account_asked.connect(self.switch_account)
        self.tray.sign_out_asked.connect(lambda: self.sign_out(False))
        self.preferences.changed.connect(self._on_preference)
        self._qapp.commitDataRequest.connect(self._on_session_end)
        if instance is not None:
            instance.asked.connect(self._on_second_start)

    @property
    def data_dir(self) -> Path:
        """Where this client keeps its data."""
        return self._options.data_dir

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
        except UserCancelled:
            log.info("no passphrase: nothing to do")
        return await self._close()

    def _catch_signals(self) -> None:
        """SIGTERM and SIGINT end the program as its menu does. Python runs handlers between byte codes, and qasync turns often enough."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: self.quit())

    def quit(self) -> None:
        """Ends the program, in order."""
        self._quit.set()

    async def _begin(self) -> None:
        from desktop.app import signed_in  # noqa: F401 - for its time, not its name

        session = await asyncio.wrap_future(self._opening)
        if self.client is None:
            keychain = await ask_for_keychain(self.bridge, self._options.data_dir)
            session = await self.bridge.call(self._open(keychain))
        if session is None:
            self.show_login()
        else:
            await self.enter(session, hidden=self._options.hidden)

    async def _open_unasked(self) -> Session | None:
        """On the core's thread: keychain, accounts and a session as far as nobody has to type. `client` stays None without a keychain."""
        keychain = await find_keychain(self._options.data_dir)
        return None if keychain is None else await self._open(keychain)

    async def _open(self, keychain: Keychain) -> Session | None:
        """On the core's thread: the data folder, and a session if one can be had unasked."""
        self.client = client = await Client.open(
            self._options.data_dir, keychain=keychain, clock=self.clock, trust=self.trust
        )
        await client.use_proxy(self._proxy())
        return await self._sign_in_unasked(client)

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
        known = next((a for a in accounts if a.remembered and wanted.sign_in in (None, a.login)), None)
        try:
            if known is not None:
                return await client.resume(known, may_connect=self._may_connect)
            if wanted.sign_in and wanted.password is not None and wanted.server:
                return await client.sign_in(wanted.server, wanted.sign_in, wanted.password, remember=True)
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
            server = self._options.server or self.preferences.now.last_server or DEFAULT_SERVER
            gate = self.bridge.wrap(client, cancellable=True, approve=self.trust.approve)
            self.login = LoginWindow(
                cast("LoginGate", gate),
                server=server,
                login=self._options.sign_in or "",
                autostart=make_autostart(self._options.data_dir),
            )
            self.login.signed_in.connect(self._on_signed_in)
            self.login.closed.connect(self._on_login_closed)
        if notice:
            Snack(self.login).say(notice)
        self.login.show()
        self.login.raise_()
        self.login.activateWindow()

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
        self._drop_login()
        self._follow_links()
        self.tasks.start(self._remember(session, screen.me.name), name="remember")
        self.tasks.start(self._make_room(session), name="room", exclusive=True)

    def _on_settled(self) -> None:
        """Painted: now the connection may take its share of the processor."""
        self._network.start()
        self.surroundings.start()
        if self.signed_in is not None:
            self.surroundings.watch.watch_window(int(self.signed_in.window.winId()))

        async def let_connect() -> None:
            self._may_connect.set()

        self.tasks.start(self.bridge.call(let_connect()), name="connect")

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
            version=_version,
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
            autostart=make_autostart(self._options.data_dir),
            play=self._sounds.play,
            use_proxy=lambda password: self.use_proxy(server, password),
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
        entered, self.signed_in = self.signed_in, None
        session, self.core_session = self.core_session, None
        if entered is not None:
            await entered.close()
            entered.deleteLater()
        self.bridge.drop_feeds()
        if session is not None and not closed and self.bridge.running:
            await self.bridge.call(session.close())

    def _on_session_end(self, manager: QSessionManager) -> None:
        """The system logs the user out: keep what is written. No event loop turns in here, so the core's thread is waited for."""
        del manager
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
            freed = await self.bridge.finish(cache.trim(self.preferences.now.cache_limit))
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
        links, self._links = self._links, []
        for link in links:
            if self.signed_in is not None and not open_link(link, self.signed_in.window):
                log.warning("a link was not understood")

    def _on_preference(self, name: str) -> None:
        choices = self.preferences.now
        match name:
            case "language":
                language = choices.language or i18n.system_language()
                i18n.set_language("zh" if language == "zh" else "en")
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


def account_label(account: KnownAccount) -> str:
    """A name for a menu: the person's, with the login and server that tell two of the same name apart."""
    return f"{account.name} · {account.login}@{urlsplit(account.server).hostname or account.server}"


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # slow to import, wanted by the settings page alone

    try:
        return version("tongban")
    except PackageNotFoundError:
        return "0"
