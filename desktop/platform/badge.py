"""How much is unread, on the program's icon in the task bar or Dock: Qt tells it to each system in that system's way.

Windows: an overlay on the task bar's button. macOS: the Dock's badge. Linux: the signal of Unity's launcher API, which Ubuntu's
dock, KDE's task bar, Deepin's and UKUI's listen to; it names the desktop entry, so two clients of one user would
overwrite each other there, and a further account stays silent.
"""

import sys
from collections.abc import Callable
from typing import Final

from PySide6.QtGui import QGuiApplication

MOST: Final = 9999


class Badge:
    """The number on the icon; told only when it changes. Belongs to the UI thread."""

    def __init__(self, *, further: bool = False, set_number: Callable[[int], object] | None = None) -> None:
        """`further`: the client of a second account at the same time. `set_number`: how the system is told; 0 takes it away."""
        self._silent = further and sys.platform.startswith("linux")
        self._set_number = set_number or _set_number
        self._shown = 0

    def show(self, unread: int) -> None:
        """Shows a number; none for 0."""
        number = min(max(unread, 0), MOST)
        if not self._silent and number != self._shown:
            self._shown = number
            self._set_number(number)


def _set_number(number: int) -> None:
    application = QGuiApplication.instance()
    if isinstance(application, QGuiApplication):
        application.setBadgeNumber(number)
