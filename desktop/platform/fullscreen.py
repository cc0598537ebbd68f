"""Whether a program in full screen is in front: a film, a presentation, a shared screen."""

import ctypes
import ctypes.util
import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from PySide6.QtGui import QGuiApplication

log = logging.getLogger("tongban.fullscreen")

FullScreen = Callable[[], bool]
LONGEST: Final = 1024  # 32-bit items of a property; windows have a dozen states at most
# shellapi.h, QUERY_USER_NOTIFICATION_STATE
BUSY, FULL_SCREEN_3D, PRESENTATION, QUIET_TIME, STORE_APP = 2, 3, 4, 6, 7
HOLDS: Final = frozenset({BUSY, FULL_SCREEN_3D, PRESENTATION, STORE_APP})


class X11FullScreen:
    """_NET_ACTIVE_WINDOW and its _NET_WM_STATE (Extended Window Manager Hints)."""

    def __init__(self, x11: Any = None) -> None:
        """Raises OSError without libX11 or a display."""
        self._x11 = x11 or ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
        self._x11.XOpenDisplay.restype = ctypes.c_void_p
        self._x11.XInternAtom.restype = self._x11.XDefaultRootWindow.restype = ctypes.c_ulong
        display = self._x11.XOpenDisplay(None)
        if not display:
            raise OSError("no X display")
        self._display = ctypes.c_void_p(display)
        self._root = self._x11.XDefaultRootWindow(self._display)
        self._active, self._state, self._full, self._pid = (
            self._x11.XInternAtom(self._display, name, 0)
            for name in (b"_NET_ACTIVE_WINDOW", b"_NET_WM_STATE", b"_NET_WM_STATE_FULLSCREEN", b"_NET_WM_PID")
        )

    def __call__(self) -> bool:
        front = self._property(self._root, self._active)
        if not front or not front[0]:
            return False
        window = front[0]
        return self._full in self._property(window, self._state) and os.getpid() not in self._property(
            window, self._pid
        )

    def _property(self, window: int, name: int) -> list[int]:
        """The 32-bit items of a property. The window may be gone by now: Qt has Xlib report errors without ending the program."""
        kind, form = ctypes.c_ulong(), ctypes.c_int()
        count, left, data = ctypes.c_ulong(), ctypes.c_ulong(), ctypes.POINTER(ctypes.c_ulong)()
        failed = self._x11.XGetWindowProperty(
            self._display, ctypes.c_ulong(window), ctypes.c_ulong(name), ctypes.c_long(0), ctypes.c_long(LONGEST), 0,
            ctypes.c_ulong(0), ctypes.byref(kind), ctypes.byref(form), ctypes.byref(count), ctypes.byref(left),
            ctypes.byref(data),
        )  # fmt: skip
        if failed or not data:
            return []
        found = [data[number] for number in range(count.value)] if form.value == 32 else []
        self._x11.XFree(data)
        return found


class WindowsFullScreen:
    """SHQueryUserNotificationState: what Windows itself goes by."""

    def __init__(self, shell32: Any = None) -> None:
        libraries: Any = ctypes
        self._shell32 = shell32 or libraries.windll.shell32

    def state(self) -> int:
        """A QUERY_USER_NOTIFICATION_STATE; 0 when the system does not tell."""
        found = ctypes.c_int()
        return 0 if self._shell32.SHQueryUserNotificationState(ctypes.byref(found)) else found.value

    def __call__(self) -> bool:
        return self.state() in HOLDS


def make_full_screen() -> FullScreen:
    """This desktop's way. macOS (a full-screen program has a space of its own) and Wayland do not tell: never."""
    try:
        if sys.platform == "win32":
            return WindowsFullScreen()
        if sys.platform != "darwin" and QGuiApplication.platformName() == "xcb":
            return X11FullScreen()
    except OSError as error:
        log.warning("full screen is not seen: %s", error)
    return lambda: False
