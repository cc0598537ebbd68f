"""Screenshots for an open talk: what was taken waits in the composer's strip until the user sends it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QWidget

from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.chat.outgoing import Item
from desktop.ui.tasks import alive

if TYPE_CHECKING:
    from desktop.ui.capture.capture import ScreenCapture

MENU_MS = 120  # the menu that asked has to be off the screen first


class Capturing(QObject):
    """Acts for one open talk's composer."""

    def __init__(self, host: QWidget, talk: OpenTalk) -> None:
        super().__init__(host)
        self._host, self._talk = host, talk
        self._capture: ScreenCapture | None = None
        self._hide = False
        self._soon = QTimer(self, singleShot=True, interval=MENU_MS)
        self._soon.timeout.connect(lambda: self.start(hide_windows=self._hide))
        talk.composer.capture_wanted.connect(self._on_wanted)

    @property
    def capture(self) -> "ScreenCapture":
        """The tool, made when it is first wanted."""
        if self._capture is None:
            from desktop.ui.capture.capture import ScreenCapture

            self._capture = ScreenCapture(self)
            self._capture.sent.connect(self._on_sent)
            self._capture.said.connect(self._talk.snack.say)
        return self._capture

    def _on_wanted(self, hide_windows: bool) -> None:
        self._hide = hide_windows
        self._soon.start()

    def start(self, *, hide_windows: bool = False) -> None:
        """Takes a screenshot for this talk."""
        self.capture.start(can_send=True, hide_windows=hide_windows)

    def _on_sent(self, png: bytes) -> None:
        from desktop.ui.capture.capture import picture_name

        if alive(self._host):
            self._talk.composer.strip.add((Item(picture_name(), png, True, len(png)),))
            self._host.window().activateWindow()
            self._talk.composer.edit.setFocus()
