"""Windows stay within reach: when a screen goes away, or shrinks, what stood there comes back into view."""

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QObject, QPoint, QRect, QTimer
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import QApplication, QWidget

GRIP_WIDTH, GRIP_HEIGHT = 80, 32
"""So much of a window's upper edge must lie on some screen: there it can be grabbed."""
SETTLE_MS: Final = 250  # desktops move windows themselves after a change; what is still lost then is ours


def reachable(window: QRect, areas: Sequence[QRect]) -> bool:
    """Whether enough of the window's head lies on a screen."""
    head = QRect(window.left(), window.top(), window.width(), GRIP_HEIGHT)
    seen = (area.intersected(head) for area in areas)
    return any(part.width() >= min(GRIP_WIDTH, window.width()) and part.height() >= GRIP_HEIGHT // 2 for part in seen)


def place_within(window: QRect, area: QRect) -> QRect:
    """The window moved, and shrunk if need be, so that the area holds it."""
    width, height = min(window.width(), area.width()), min(window.height(), area.height())
    left = max(area.left(), min(window.left(), area.right() + 1 - width))
    top = max(area.top(), min(window.top(), area.bottom() + 1 - height))
    return QRect(left, top, width, height)


def bring_into_view(window: QWidget) -> bool:
    """Moves a window that nobody could reach to the nearest screen. True when it was lost."""
    areas = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    frame = window.frameGeometry()
    if not areas or reachable(frame, areas):
        return False
    nearest = min(areas, key=lambda area: _distance(frame.center(), area))
    wanted = place_within(frame, nearest)
    inner = window.size() + wanted.size() - frame.size()
    window.resize(inner.expandedTo(window.minimumSize()))
    window.move(wanted.topLeft())
    return True


def _distance(point: QPoint, area: QRect) -> int:
    aside = max(area.left() - point.x(), 0, point.x() - area.right())
    above = max(area.top() - point.y(), 0, point.y() - area.bottom())
    return aside + above


class ScreenKeeper(QObject):
    """Looks after all windows of the program. `exempt`: windows that stand half outside by intention."""

    def __init__(self, parent: QObject, *, exempt: Callable[[QWidget], bool] = lambda _window: False) -> None:
        super().__init__(parent)
        self._exempt = exempt
        self._soon = QTimer(self, interval=SETTLE_MS, singleShot=True)
        self._soon.timeout.connect(self.look)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.screenAdded.connect(self._on_added)
            app.screenRemoved.connect(lambda _screen: self._soon.start())
        for screen in QGuiApplication.screens():
            self._watch(screen)

    def _on_added(self, screen: QScreen) -> None:
        self._watch(screen)
        self._soon.start()

    def _watch(self, screen: QScreen) -> None:
        screen.availableGeometryChanged.connect(lambda _area: self._soon.start())

    def look(self) -> None:
        """Brings back what is out of reach."""
        for window in QApplication.topLevelWidgets():
            if window.isVisible() and window.isWindow() and not window.isMinimized() and not self._exempt(window):
                bring_into_view(window)
