"""The screenshot hotkey: into the message that is being written where there is one, else to copy or save."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from desktop.ui.chat.page import MessagesPage
from desktop.ui.shell.main_window import MainWindow

if TYPE_CHECKING:
    from desktop.ui.capture.capture import ScreenCapture


class Screenshots(QObject):
    """One for the session."""

    def __init__(self, window: MainWindow, parent: QObject) -> None:
        super().__init__(parent)
        self._window = window
        self._capture: ScreenCapture | None = None

    def start(self) -> None:
        """The hotkey was pressed; while one is being taken, nothing happens."""
        page = self._window.page("messages")
        running = self._capture is not None and self._capture.running
        if isinstance(page, MessagesPage) and self._window.isVisible() and page.pane.composer.isVisible():
            if not running:
                page.pane.capturing.start()
            return
        if self._capture is None:
            from desktop.ui.capture.capture import ScreenCapture

            self._capture = ScreenCapture(self)
            self._capture.said.connect(self._window.snack.say)
        self._capture.start(can_send=False)

    @property
    def running(self) -> bool:
        """Whether a capture is on the screen."""
        return self._capture is not None and self._capture.running

    def close(self) -> None:
        """Leaves the screens alone."""
        if self._capture is not None:
            self._capture.cancel()
