"""Other people of the demo office for the tour: each with a client of his own, and a main window of his own when he is to be looked at."""

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop.app.application import Application
    from desktop.app.signed_in import SignedIn
    from desktop.app.ui_session import ScreenSession
    from desktop.core.services.session import Session

POLL_S = 0.05


class People:
    """Who has signed in beside the tour's own user. Everything is made when first wanted and ended by `close`."""

    def __init__(self, application: "Application", server: str, password: str) -> None:
        self._app, self._server, self._password = application, server, password
        self._sessions: dict[str, Session] = {}
        self._screens: dict[str, ScreenSession] = {}
        self._windows: dict[str, SignedIn] = {}

    async def come(self, *logins: str) -> None:
        """Signs these in at the same time; returns when each has everything."""
        await asyncio.gather(*(self._come(one) for one in logins if one not in self._screens))

    async def _come(self, login: str) -> None:
        from desktop.app.trust import Trust
        from desktop.app.ui_session import on_screen
        from desktop.core.crypto.keychain import MemoryKeychain
        from desktop.core.services.client import Client

        bridge = self._app.bridge
        folder = self._app.data_dir / "people" / login
        client = await bridge.call(Client.open(folder, keychain=MemoryKeychain(), trust=Trust(self._app.certificate)))
        self._sessions[login] = await bridge.call(client.sign_in(self._server, login, self._password, remember=False))
        await bridge.call(self._sessions[login].wait_until(synced=True))
        self._screens[login] = await on_screen(bridge, self._sessions[login])

    def __getitem__(self, login: str) -> "ScreenSession":
        """What he can do, without a window."""
        return self._screens[login]

    def sit_down(self, login: str, size: tuple[int, int]) -> "SignedIn":
        """His main window, in front."""
        from desktop.app.signed_in import SignedIn

        app = self._app
        if login not in self._windows:
            self._windows[login] = entered = SignedIn(
                self._screens[login],
                app.tray,
                app.preferences,
                app.notifications,
                app.sources(self._sessions[login], login),
                now_ms=app.clock.now_ms,
                data_dir=app.data_dir / "people" / login,
                parent=app,
            )
            entered.start(hidden=False)
            entered.window.resize(*size)
        self._windows[login].window.show()
        self._windows[login].window.come_forward()
        return self._windows[login]

    def get_up(self, login: str) -> None:
        """Takes his window off the screen; it keeps what it shows."""
        self._windows[login].desk.toasts.clear()
        self._windows[login].window.hide()

    def hush(self, but: "SignedIn") -> None:
        """Closes the pop-ups of everybody else: all windows share the screen."""
        for entered in (self._app.signed_in, *self._windows.values()):
            if entered is not None and entered is not but:
                entered.desk.toasts.clear()

    async def close(self) -> None:
        """Ends all windows, then all clients; the tour's own user has the screen again."""
        from desktop.ui import tasks

        windows, self._windows = self._windows, {}
        for entered in windows.values():
            await entered.close()
            entered.deleteLater()
        sessions, self._sessions, self._screens = self._sessions, {}, {}
        await asyncio.gather(*(self._app.bridge.call(one.close()) for one in sessions.values()))
        if self._app.signed_in is not None:
            tasks.set_presenter(self._app.signed_in.window.present)
            self._app.signed_in.window.come_forward()
