"""Collects cyclic garbage on the UI thread alone.

Python's collector runs on whichever thread allocates. On the core's thread it would destroy widgets caught in reference cycles
there, which Qt forbids: a crash that comes some days and not others. So automatic collection is off while two threads run.
"""

import gc
import time

from PySide6.QtCore import QObject, QTimer

TICK_MS = 250
FIRST_MS = 2000  # what a start makes is no garbage
YOUNG = 2000  # new objects worth a look
OLDER = 20  # young collections before an older one
FULL_EVERY_S = 60.0  # a full one costs some frames with a large heap


class UiGarbage(QObject):
    """Runs the collector from a timer, a generation at a time, as the automatic one would."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.look)
        self._last_full = time.monotonic()
        self._was_enabled = False

    def start(self) -> None:
        """Takes over from the automatic collector. What exists now is here to stay and no longer looked at."""
        self._was_enabled = gc.isenabled()
        gc.disable()
        gc.freeze()
        self._timer.start(FIRST_MS)

    def stop(self) -> None:
        """Hands back."""
        self._timer.stop()
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

    def look(self) -> None:
        """Collects as much as the counts ask for."""
        self._timer.setInterval(TICK_MS)
        young, older, old = gc.get_count()
        now = time.monotonic()
        if old > OLDER and now - self._last_full > FULL_EVERY_S:
            self._last_full = now
            gc.collect()
        elif older > OLDER:
            gc.collect(1)
        elif young > YOUNG:
            gc.collect(0)
