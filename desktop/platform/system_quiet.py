"""Whether the user told the whole system not to disturb: KDE's and others' notification service, GNOME's switch, Windows' quiet time."""

import sys
from collections.abc import Callable
from typing import Any

from desktop.platform.bus import call_session

SystemQuiet = Callable[[], bool]
NOTIFICATIONS = "org.freedesktop.Notifications"
PROPERTIES = "org.freedesktop.DBus.Properties"
PORTAL = ("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings")
GNOME = "org.gnome.desktop.notifications"


def linux_quiet() -> bool:
    """`Inhibited` of the notification service (KDE, others), or GNOME's banners switched off, as the settings portal tells it."""
    found = call_session(NOTIFICATIONS, "/org/freedesktop/Notifications", PROPERTIES, "Get", NOTIFICATIONS, "Inhibited")
    if found:
        return _plain(found[0]) is True
    banners = call_session(*PORTAL, "ReadOne", GNOME, "show-banners")
    return bool(banners) and _plain(banners[0]) is False


def make_system_quiet() -> SystemQuiet:
    """This system's way. macOS tells no program without the user's permission: never."""
    if sys.platform == "win32":
        from desktop.platform.fullscreen import QUIET_TIME, WindowsFullScreen

        shell = WindowsFullScreen()
        return lambda: shell.state() == QUIET_TIME
    return (lambda: False) if sys.platform == "darwin" else linux_quiet


def _plain(value: Any) -> Any:
    """What a variant holds; nested ones too."""
    while hasattr(value, "variant"):
        value = value.variant()
    return value
