"""The window's shake: some pixels left and right for half a second, and back to where it was. Not under reduced motion, nor maximised."""

from PySide6.QtCore import QEasingCurve, QObject, QPoint, QPropertyAnimation, Qt
from PySide6.QtWidgets import QWidget

from desktop.ui import motion
from desktop.ui.tasks import alive

SHAKE_MS = 480
REACH = 9
SWINGS = 6


class Shaker(QObject):
    """Shakes the window of a widget; a shake while one is under way is part of it."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._motion: QPropertyAnimation | None = None

    @property
    def shaking(self) -> bool:
        """Whether the window moves now."""
        return self._motion is not None

    @property
    def reduced(self) -> bool:
        """Whether less motion is wanted."""
        return motion.is_reduced()

    def shake(self) -> bool:
        """Begins; False where it does not move: it rests, is maximised, or motion is not wanted."""
        window = self._widget.window()
        fixed = Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen | Qt.WindowState.WindowMinimized
        if self.reduced or self.shaking or not window.isVisible() or window.windowState() & fixed:
            return False
        home = window.pos()
        swing = QPropertyAnimation(window, b"pos", self)
        swing.setDuration(SHAKE_MS)
        swing.setStartValue(home)
        for number in range(1, SWINGS):
            side = REACH if number % 2 else -REACH
            swing.setKeyValueAt(number / SWINGS, home + QPoint(side, 0))
        swing.setEndValue(home)
        swing.setEasingCurve(QEasingCurve.Type.InOutSine)
        swing.finished.connect(lambda: self._rest(window, home))
        self._motion = swing
        swing.start()
        return True

    def _rest(self, window: QWidget, home: QPoint) -> None:
        swing, self._motion = self._motion, None
        if swing is not None:
            swing.deleteLater()
        if alive(window):
            window.move(home)
