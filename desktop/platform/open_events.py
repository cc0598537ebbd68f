"""Links and files that macOS hands over: as events to the running program, not on a command line."""

import sys
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Signal
from PySide6.QtGui import QFileOpenEvent
from PySide6.QtWidgets import QApplication


class OpenEvents(QObject):
    """Hears the events; what comes before anybody listens waits in `take`."""

    opened = Signal(list)  # one link, or one absolute path

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._waiting: list[str] = []
        self._listening = False

    def hears(self, event: QEvent) -> bool:
        """Takes an event that asks to open something; False for any other."""
        if not isinstance(event, QFileOpenEvent):
            return False
        url = event.url()
        asked = url.toLocalFile() if url.isLocalFile() else url.toString()
        if not asked:
            return False
        if self._listening:
            self.opened.emit([asked])
        else:
            self._waiting.append(asked)
        return True

    def take(self) -> list[str]:
        """What came so far; from now on the signal tells."""
        self._listening = True
        waiting, self._waiting = self._waiting, []
        return waiting


class OpeningApplication(QApplication):
    """A QApplication that hears such events. They come to the application itself: an event filter would see every event of the program."""

    def __init__(self, argv: Sequence[str]) -> None:
        self.open_events = OpenEvents()
        super().__init__(argv)

    def event(self, event: QEvent) -> bool:
        """Qt calls this for events of the application object."""
        return self.open_events.hears(event) or super().event(event)


def make_application(argv: Sequence[str]) -> QApplication:
    """The QApplication of this system."""
    return OpeningApplication(argv) if sys.platform == "darwin" else QApplication(list(argv))
