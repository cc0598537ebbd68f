"""How a pop-up comes and goes: it slides in from the side and fades, moves up when there is room, fades out. Without motion it is just there, or not."""

from collections.abc import Callable

from PySide6.QtCore import QAbstractAnimation, QEasingCurve, QObject, QPoint, QPropertyAnimation
from PySide6.QtWidgets import QWidget

from desktop.ui import motion, theme

IN_MS = 180
MOVE_MS = 150
OUT_MS = 120
WAY = 48
"""Logical pixels it comes in from the side."""


class Sliding(QObject):
    """Moves one window; lives with it."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._place = window.pos()
        self._moving = QPropertyAnimation(window, b"pos", self)
        self._moving.setEasingCurve(QEasingCurve.Type.OutCubic)
        self._fading = QPropertyAnimation(window, b"windowOpacity", self)

    @property
    def running(self) -> bool:
        """Something moves or fades now."""
        state = QAbstractAnimation.State.Running
        return self._moving.state() == state or self._fading.state() == state

    def stand(self, place: QPoint) -> None:
        """Its place from now on; one that is on the screen already goes there."""
        if place == self._place and self._window.isVisible():
            return
        self._place = place
        if motion.is_reduced() or not self._window.isVisible():
            self._moving.stop()
            self._window.move(place)
        else:
            self._move(self._window.pos(), place, MOVE_MS)

    def enter(self) -> None:
        """It was just shown at its place: slides in from the right."""
        if motion.is_reduced():
            return
        self._move(self._place + QPoint(theme.scaled(WAY), 0), self._place, IN_MS)
        self._fade(0.0, 1.0, IN_MS)

    def leave(self, done: Callable[[], object]) -> None:
        """It has nothing to say any more: fades out, then `done`; at once without motion."""
        self._moving.stop()
        if motion.is_reduced() or not self._window.isVisible():
            self._fading.stop()
            done()
            return
        self._fading.finished.connect(done)
        self._fade(self._window.windowOpacity(), 0.0, OUT_MS)

    def _move(self, start: QPoint, end: QPoint, lasts: int) -> None:
        self._moving.stop()
        self._moving.setStartValue(start)
        self._moving.setEndValue(end)
        self._moving.setDuration(lasts)
        self._moving.start()

    def _fade(self, start: float, end: float, lasts: int) -> None:
        self._fading.stop()
        self._fading.setStartValue(start)
        self._fading.setEndValue(end)
        self._fading.setDuration(lasts)
        self._fading.start()
