"""Debug aid: logs every block of the main thread longer than two or three frames, with the stack that held it."""

import logging
import sys
import threading
import time
import traceback

from PySide6.QtCore import QObject, Qt, QTimer

log = logging.getLogger("tongban.watchdog")

LIMIT_MS = 50
BEAT_MS = 10


class Watchdog(QObject):
    """Beats on the main thread by a timer; a thread of its own watches the beats. Only with --debug."""

    def __init__(self, parent: QObject | None = None, *, limit_ms: int = LIMIT_MS) -> None:
        super().__init__(parent)
        self.blocks: list[tuple[float, str]] = []
        self._limit = limit_ms / 1000
        self._main = threading.get_ident()
        self._last = time.monotonic()
        self._over = threading.Event()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Begins to watch; called on the main thread."""
        self._last = time.monotonic()
        self._timer.start()
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch."""
        self._timer.stop()
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(1)

    def _beat(self) -> None:
        self._last = time.monotonic()

    def _watch(self) -> None:
        reported = 0.0
        while not self._over.wait(BEAT_MS / 1000):
            last = self._last
            late = time.monotonic() - last - BEAT_MS / 1000
            if late < self._limit or last == reported:
                continue
            reported = last
            frame = sys._current_frames().get(self._main)
            stack = "".join(traceback.format_stack(frame)) if frame else ""
            self.blocks.append((late * 1000, stack))
            log.warning("main thread blocked for %.0f ms and counting:\n%s", late * 1000, stack)
