"""For how long nobody has touched mouse or keys: asked now and then, never watched."""

import ctypes
import ctypes.util
import logging
import sys
from collections.abc import Callable
from typing import Any, Final

from PySide6.QtGui import QGuiApplication

log = logging.getLogger("tongban.idle")

Idle = Callable[[], int | None]
"""Milliseconds; None: this desktop does not tell."""
ANY_INPUT: Final = 0xFFFFFFFF  # kCGAnyInputEventType
COMBINED_SESSION: Final = 0  # kCGEventSourceStateCombinedSessionState
TICKS: Final = 1 << 32  # GetTickCount turns over after 49.7 days


class _ScreenSaverInfo(ctypes.Structure):
    """XScreenSaverInfo of scrnsaver.h."""

    _fields_ = (
        ("window", ctypes.c_ulong), ("state", ctypes.c_int), ("kind", ctypes.c_int), ("til_or_since", ctypes.c_ulong),
        ("idle", ctypes.c_ulong), ("event_mask", ctypes.c_ulong),
    )  # fmt: skip


class _LastInput(ctypes.Structure):
    """LASTINPUTINFO of WinUser.h."""

    _fields_ = (("size", ctypes.c_uint), ("time", ctypes.c_uint))


class X11Idle:
    """The screen saver extension, over a connection of its own."""

    def __init__(self, x11: Any = None, saver: Any = None) -> None:
        """Raises OSError without the libraries or a display."""
        self._x11 = x11 or ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
        self._saver = saver or ctypes.CDLL(ctypes.util.find_library("Xss") or "libXss.so.1")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XDefaultRootWindow.restype = ctypes.c_ulong
        self._display = self._x11.XOpenDisplay(None)
        if not self._display:
            raise OSError("no X display")
        self._root = ctypes.c_ulong(self._x11.XDefaultRootWindow(ctypes.c_void_p(self._display)))
        base, errors = ctypes.c_int(), ctypes.c_int()
        if not self._saver.XScreenSaverQueryExtension(
            ctypes.c_void_p(self._display), ctypes.byref(base), ctypes.byref(errors)
        ):
            raise OSError("no screen saver extension")

    def __call__(self) -> int | None:
        info = _ScreenSaverInfo()
        told = self._saver.XScreenSaverQueryInfo(ctypes.c_void_p(self._display), self._root, ctypes.byref(info))
        return int(info.idle) if told else None


class WindowsIdle:
    """GetLastInputInfo of this session."""

    def __init__(self, user32: Any = None, kernel32: Any = None) -> None:
        libraries: Any = ctypes if user32 is None or kernel32 is None else None
        self._user32 = user32 or libraries.windll.user32
        self._kernel32 = kernel32 or libraries.windll.kernel32

    def __call__(self) -> int | None:
        last = _LastInput(ctypes.sizeof(_LastInput), 0)
        if not self._user32.GetLastInputInfo(ctypes.byref(last)):
            return None
        return int((self._kernel32.GetTickCount() - last.time) % TICKS)


class MacIdle:
    """CGEventSourceSecondsSinceLastEventType; needs no permission."""

    def __init__(self, graphics: Any = None) -> None:
        path = "/System/Library/Frameworks/CoreGraphics.framework/CoreGraphics"
        self._graphics = graphics or ctypes.CDLL(path)
        since = self._graphics.CGEventSourceSecondsSinceLastEventType
        since.restype, since.argtypes = ctypes.c_double, [ctypes.c_int32, ctypes.c_uint32]
        self._since = since

    def __call__(self) -> int | None:
        return int(self._since(COMBINED_SESSION, ANY_INPUT) * 1000)


class BusIdle:
    """Wayland: GNOME's idle monitor, else KDE's screen saver service, on the session bus."""

    PLACES: Final = (
        ("org.gnome.Mutter.IdleMonitor", "/org/gnome/Mutter/IdleMonitor/Core", "GetIdletime"),
        ("org.freedesktop.ScreenSaver", "/org/freedesktop/ScreenSaver", "GetSessionIdleTime"),
    )

    def __call__(self) -> int | None:
        from desktop.platform.bus import call_session

        for service, path, verb in self.PLACES:
            found = call_session(service, path, service, verb)
            if found:
                return int(found[0])
        return None


def make_idle() -> Idle:
    """This desktop's way; one that never tells where there is none."""
    try:
        if sys.platform == "win32":
            return WindowsIdle()
        if sys.platform == "darwin":
            return MacIdle()
        if QGuiApplication.platformName() == "xcb":
            return X11Idle()
        if QGuiApplication.platformName().startswith("wayland"):
            return BusIdle()
    except OSError as error:
        log.warning("nobody tells how long the user was away: %s", error)
    return lambda: None
