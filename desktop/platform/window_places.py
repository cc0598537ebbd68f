"""Where the windows of all programs stand, the front one first: to offer a whole window for a screenshot. X11; elsewhere unknown."""

import ctypes
import logging
import sys

from PySide6.QtCore import QRect
from PySide6.QtGui import QGuiApplication

from desktop.platform.fullscreen import X11FullScreen

log = logging.getLogger("tongban.capture")


class X11Windows(X11FullScreen):
    """_NET_CLIENT_LIST_STACKING of the window manager, with the rectangles the server knows. Raises OSError without a display."""

    def places(self) -> tuple[QRect, ...]:
        """Rectangles in the display's pixels, without the frames that window managers draw."""
        stack = self._x11.XInternAtom(self._display, b"_NET_CLIENT_LIST_STACKING", 0)
        hidden = self._x11.XInternAtom(self._display, b"_NET_WM_STATE_HIDDEN", 0)
        found = []
        for window in reversed(self._property(self._root, stack)):
            if hidden not in self._property(window, self._state):
                rect = self._rect(window)
                if rect is not None:
                    found.append(rect)
        return tuple(found)

    def _rect(self, window: int) -> QRect | None:
        root, child = ctypes.c_ulong(), ctypes.c_ulong()
        x, y = ctypes.c_int(), ctypes.c_int()
        wide, tall, border, depth = (ctypes.c_uint() for _ in range(4))
        if not self._x11.XGetGeometry(
            self._display, ctypes.c_ulong(window), ctypes.byref(root), ctypes.byref(x), ctypes.byref(y),
            ctypes.byref(wide), ctypes.byref(tall), ctypes.byref(border), ctypes.byref(depth),
        ):  # fmt: skip
            return None
        self._x11.XTranslateCoordinates(
            self._display, ctypes.c_ulong(window), ctypes.c_ulong(self._root), 0, 0, ctypes.byref(x), ctypes.byref(y),
            ctypes.byref(child),
        )  # fmt: skip
        return QRect(x.value, y.value, wide.value, tall.value)

    def close(self) -> None:
        """Lets go of the display."""
        self._x11.XCloseDisplay(self._display)


def get_window_places() -> tuple[QRect, ...]:
    """All windows to be seen now; empty where the system does not tell."""
    if sys.platform in ("win32", "darwin") or QGuiApplication.platformName() != "xcb":
        return ()
    try:
        windows = X11Windows()
    except OSError as error:
        log.warning("windows are not seen: %s", error)
        return ()
    try:
        return windows.places()
    finally:
        windows.close()
