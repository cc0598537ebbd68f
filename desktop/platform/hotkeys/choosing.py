"""Which backend this desktop has."""

import logging
import sys

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication

from desktop.platform.hotkeys.port import HotkeyBackend, NoHotkeys, Pressed

log = logging.getLogger("tongban.hotkeys")


def make_hotkeys(pressed: Pressed, parent: QObject) -> HotkeyBackend:
    """The backend of this desktop; one that says no where there is none. `pressed` gets the name of what was pressed."""
    try:
        if sys.platform == "win32":
            from desktop.platform.hotkeys.windows import WindowsHotkeys

            return WindowsHotkeys(pressed)
        if sys.platform == "darwin":
            from desktop.platform.hotkeys.macos import MacHotkeys

            return MacHotkeys(pressed)
        if QGuiApplication.platformName() == "xcb":
            from desktop.platform.hotkeys.x11 import X11Hotkeys

            return X11Hotkeys(pressed, parent)
    except OSError as error:
        log.warning("no global hotkeys: %s", error)
    return NoHotkeys()
