"""The locked program: its windows leave the screen until the password is typed; what arrives is counted, not told."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QWidget

from desktop.core.domain import Person
from desktop.ui.tasks import alive

if TYPE_CHECKING:
    from desktop.ui.shell.lock_window import LockWindow

COME_BACK = (Qt.WindowType.Window, Qt.WindowType.Dialog)  # pop-ups and menus do not
PANEL = "miniPanel"


class Locking(QObject):
    """Of one session. `changed` tells whether it is locked now."""

    changed = Signal(bool)
    sign_out_asked = Signal()

    def __init__(
        self, me: Callable[[], Person], check: Callable[[str], Awaitable[bool]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._me, self._check = me, check
        self._window: LockWindow | None = None
        self._hidden: list[QWidget] = []

    @property
    def locked(self) -> bool:
        """Whether the password is wanted."""
        return self._window is not None

    @property
    def window(self) -> "LockWindow | None":
        """The window that asks for it."""
        return self._window

    def lock(self) -> None:
        """Takes all windows off the screen and shows the one that asks."""
        if self._window is not None:
            self._window.come_forward()
            return
        from desktop.ui.shell.lock_window import LockWindow

        shown = [one for one in QApplication.topLevelWidgets() if one.isVisible()]
        self._hidden = [one for one in shown if one.windowType() in COME_BACK or one.objectName() == PANEL]
        for window in shown:
            window.hide()
        self._window = LockWindow(self._me(), self._check)
        self._window.unlocked.connect(self.unlock)
        self._window.sign_out_asked.connect(self.sign_out_asked)
        self.changed.emit(True)
        self._window.come_forward()

    def come_forward(self) -> None:
        """The window that asks stands in front."""
        if self._window is not None:
            self._window.come_forward()

    def toggle(self) -> None:
        """In front, or away when it was there already."""
        window = self._window
        if window is not None and window.isVisible() and window.isActiveWindow():
            window.hide()
        else:
            self.come_forward()

    def unlock(self) -> None:
        """Right: everything stands again as it stood."""
        if self._drop():
            self.changed.emit(False)
            for window in self._hidden:
                if alive(window):
                    window.show()
        self._hidden = []

    def close(self) -> None:
        """The session ends."""
        self._drop()
        self._hidden = []

    def _drop(self) -> bool:
        window, self._window = self._window, None
        if window is None:
            return False
        window.tasks.cancel_all()
        window.hide()
        window.deleteLater()
        return True
