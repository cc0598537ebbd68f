"""The system's own notifications (D-Bus, Windows, macOS) through desktop-notifier. Loaded on first use only."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

log = logging.getLogger("tongban.notifications")

SEND_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class NotificationButton:
    """A button below a notification; `pressed` runs on the UI thread."""

    title: str
    pressed: Callable[[], object]


class SystemNotifications:
    """Sends, replaces and takes back notifications by key. A system without a notification service is no error: False."""

    def __init__(self, app_name: str) -> None:
        self._app_name = app_name
        self._notifier: DesktopNotifier | None = None
        self._sent: dict[str, str] = {}

    @property
    def keys(self) -> list[str]:
        """What the system took and was not taken back."""
        return list(self._sent)

    async def send(
        self,
        key: str,
        title: str,
        text: str,
        *,
        urgent: bool = False,
        buttons: Sequence[NotificationButton] = (),
        clicked: Callable[[], object] | None = None,
        dismissed: Callable[[], object] | None = None,
    ) -> bool:
        """Shows a notification in place of the one of the same key. True when the system took it."""
        from desktop_notifier import Button, DesktopNotifier, Urgency

        if self._notifier is None:
            self._notifier = DesktopNotifier(app_name=self._app_name)
        await self.remove(key)
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                self._sent[key] = await self._notifier.send(
                    title=title,
                    message=text,
                    urgency=Urgency.Critical if urgent else Urgency.Normal,
                    buttons=[Button(title=b.title, on_pressed=_plain(b.pressed)) for b in buttons],
                    on_clicked=_plain(clicked) if clicked else None,
                    on_dismissed=_plain(dismissed) if dismissed else None,
                )
        except _failures() as error:
            log.warning("the system took no notification: %s", type(error).__name__)
            return False
        return True

    async def remove(self, key: str) -> None:
        """Takes a notification back; nothing when there is none."""
        sent = self._sent.pop(key, None)
        if sent is None or self._notifier is None:
            return
        try:
            async with asyncio.timeout(SEND_LIMIT_S):
                await self._notifier.clear(sent)
        except _failures() as error:
            log.warning("a notification was not taken back: %s", type(error).__name__)

    async def clear(self) -> None:
        """Takes all back."""
        for key in tuple(self._sent):
            await self.remove(key)


def _failures() -> tuple[type[Exception], ...]:
    """What a notification service that is gone, odd or slow makes desktop-notifier raise. LookupError: it closed by itself."""
    known: list[type[Exception]] = [TimeoutError, OSError, RuntimeError, LookupError, EOFError]
    try:
        from dbus_fast.errors import DBusError
    except ImportError:  # Windows, macOS
        return tuple(known)
    return (*known, DBusError)


def _plain(action: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        action()

    return run
