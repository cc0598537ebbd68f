"""Tells of the system's session: the screen is locked and unlocked, the machine goes to sleep and wakes.

Linux: D-Bus (screen savers of the session, login1). Windows: messages to a window. Everywhere: a wall clock that ran on while ours
stood still means that the machine slept, also where nobody says so.
"""

import ctypes
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import SLOT, QAbstractNativeEventFilter, QByteArray, QCoreApplication, QObject, QTimer, Signal, Slot

BEAT_MS: Final = 10_000
SLEPT_OVER_MS: Final = 20_000  # more than this between two beats, and nobody was there to beat
WAKE_GATHER_MS: Final = 3000  # several tell of the same waking
SAVERS: Final = (
    "org.freedesktop.ScreenSaver",
    "org.gnome.ScreenSaver",
    "org.cinnamon.ScreenSaver",
    "org.mate.ScreenSaver",
)
LOGIN: Final = "org.freedesktop.login1"
WM_POWERBROADCAST, WM_WTSSESSION_CHANGE = 0x0218, 0x02B1
PBT_APMSUSPEND, PBT_APMRESUMESUSPEND, PBT_APMRESUMEAUTOMATIC = 0x4, 0x7, 0x12
WTS_SESSION_LOCK, WTS_SESSION_UNLOCK = 0x7, 0x8


class SessionWatch(QObject):
    """Signals come on the UI thread."""

    locked = Signal(bool)
    sleeping = Signal()
    woke = Signal()

    def __init__(self, parent: QObject | None = None, *, now_ms: Callable[[], int]) -> None:
        super().__init__(parent)
        self._now_ms = now_ms
        self._last = (now_ms(), time.monotonic())
        self._is_locked = False
        self._beat = QTimer(self, interval=BEAT_MS)
        self._beat.timeout.connect(self.beat)
        self._woken = QTimer(self, interval=WAKE_GATHER_MS, singleShot=True)
        self._messages: WindowMessages | None = None

    @property
    def is_locked(self) -> bool:
        """Whether the screen is locked, as far as the system told."""
        return self._is_locked

    def start(self) -> None:
        """Begins to listen."""
        self._last = (self._now_ms(), time.monotonic())
        self._beat.start()
        if sys.platform == "win32":
            self._messages = WindowMessages(self)
        elif sys.platform != "darwin":
            self._listen_on_bus()

    def stop(self) -> None:
        """Listens no more."""
        self._beat.stop()
        if self._messages is not None:
            self._messages.close()
            self._messages = None

    def _listen_on_bus(self) -> None:
        from PySide6.QtDBus import QDBusConnection

        session, system = QDBusConnection.sessionBus(), QDBusConnection.systemBus()
        on_locked: Any = SLOT("on_locked(bool)")  # the stubs say bytes, PySide takes str alone
        on_sleep: Any = SLOT("on_sleep(bool)")
        if session.isConnected():
            for saver in SAVERS:
                session.connect("", "", saver, "ActiveChanged", self, on_locked)
        if system.isConnected():
            system.connect(LOGIN, "/org/freedesktop/login1", f"{LOGIN}.Manager", "PrepareForSleep", self, on_sleep)

    @Slot(bool)
    def on_locked(self, locked: bool) -> None:
        """The system says that the screen was locked or unlocked."""
        if locked is not self._is_locked:
            self._is_locked = locked
            self.locked.emit(locked)

    @Slot(bool)
    def on_sleep(self, begins: bool) -> None:
        """The system says that it goes to sleep, or that it is back."""
        if begins:
            self.sleeping.emit()
        elif not self._woken.isActive():
            self._woken.start()
            self.woke.emit()

    def beat(self) -> None:
        """Compares the clocks: a monotonic clock stands still while most machines sleep, and a timer always does."""
        wall, steady = self._now_ms(), time.monotonic()
        passed = max(wall - self._last[0], (steady - self._last[1]) * 1000)
        self._last = (wall, steady)
        if passed > BEAT_MS + SLEPT_OVER_MS:
            self.on_sleep(False)

    def watch_window(self, window_id: int) -> None:
        """Windows tells of locking to a window that asked for it; elsewhere nothing is to be done."""
        if self._messages is not None:
            self._messages.ask_for(window_id)


class WindowMessages(QAbstractNativeEventFilter):
    """WM_POWERBROADCAST, which every top-level window gets, and WM_WTSSESSION_CHANGE."""

    def __init__(self, watch: SessionWatch, *, wtsapi: Any = None) -> None:
        super().__init__()
        self._watch = watch
        libraries: Any = ctypes
        self._wtsapi = wtsapi or libraries.windll.wtsapi32
        app = QCoreApplication.instance()
        if app is not None:
            app.installNativeEventFilter(self)

    def ask_for(self, window_id: int) -> None:
        """Asks for the messages about this session."""
        self._wtsapi.WTSRegisterSessionNotification(window_id, 0)

    def close(self) -> None:
        """Listens no more."""
        app = QCoreApplication.instance()
        if app is not None:
            app.removeNativeEventFilter(self)

    def nativeEventFilter(self, _kind: QByteArray | bytes | bytearray | memoryview, message: int) -> object:
        """Qt hands every message of the thread."""
        from ctypes import wintypes

        told = wintypes.MSG.from_address(int(message))
        self.take(told.message, told.wParam)
        return False, 0

    def take(self, message: int, word: int) -> None:
        """One message of Windows."""
        if message == WM_WTSSESSION_CHANGE and word in (WTS_SESSION_LOCK, WTS_SESSION_UNLOCK):
            self._watch.on_locked(word == WTS_SESSION_LOCK)
        elif message == WM_POWERBROADCAST and word in (PBT_APMSUSPEND, PBT_APMRESUMESUSPEND, PBT_APMRESUMEAUTOMATIC):
            self._watch.on_sleep(word == PBT_APMSUSPEND)
