"""A window that leaves a strip at the edge of the screen it was dragged to, and comes back when the mouse goes there.

Window managers keep windows from standing outside the screen, so it does not: it hides, and the strip is a window of its own.
Needs a desktop where a program may place its windows and see the mouse: not Wayland, where the window stays where the user puts it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QCursor, QEnterEvent, QGuiApplication, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.ui import i18n, theme

NEAR: Final = 12
STRIP: Final = 5
LOOK_MS: Final = 150
LEAVE_LOOKS: Final = 4  # the mouse may slip off for a moment


class Edge(StrEnum):
    """Where it hides. At the lower edge most desktops have their bar."""

    NONE = ""
    TOP = "top"
    LEFT = "left"
    RIGHT = "right"


def edge_of(window: QRect, area: QRect) -> Edge:
    """The edge a window was dragged to."""
    if window.top() <= area.top() + NEAR:
        return Edge.TOP
    if window.left() <= area.left() + NEAR:
        return Edge.LEFT
    return Edge.RIGHT if window.right() >= area.right() - NEAR else Edge.NONE


def out_place(edge: Edge, window: QRect, area: QRect) -> QPoint:
    """The upper left corner of the window in full sight at its edge."""
    left = max(area.left(), min(window.left(), area.right() + 1 - window.width()))
    top = max(area.top(), min(window.top(), area.bottom() + 1 - window.height()))
    match edge:
        case Edge.TOP:
            top = area.top()
        case Edge.LEFT:
            left = area.left()
        case Edge.RIGHT:
            left = area.right() + 1 - window.width()
        case _:
            pass
    return QPoint(left, top)


def strip_place(edge: Edge, window: QRect, area: QRect) -> QRect:
    """Where the strip of a window at that edge lies."""
    at = out_place(edge, window, area)
    match edge:
        case Edge.TOP:
            return QRect(at.x(), area.top(), window.width(), STRIP)
        case Edge.LEFT:
            return QRect(area.left(), at.y(), STRIP, window.height())
        case Edge.RIGHT:
            return QRect(area.right() + 1 - STRIP, at.y(), STRIP, window.height())
        case _:
            return QRect()


def may_dock(edge: Edge, area: QRect, others: list[QRect]) -> bool:
    """Whether nothing lies behind that edge: between two screens the mouse would run over the strip on its way."""
    beyond = {
        Edge.TOP: QRect(area.left(), area.top() - 2, area.width(), 1),
        Edge.LEFT: QRect(area.left() - 2, area.top(), 1, area.height()),
        Edge.RIGHT: QRect(area.right() + 2, area.top(), 1, area.height()),
    }.get(edge)
    return beyond is not None and not any(other.intersects(beyond) for other in others)


class Strip(QWidget):
    """What is left of the hidden window. `touched` when the mouse comes, or something is dragged onto it."""

    touched = Signal()

    def __init__(self) -> None:
        flags = Qt.WindowType.Tool | Qt.WindowType.FramelessWindowHint | Qt.WindowType.WindowStaysOnTopHint
        # A window manager of X11 may put a new window where it likes; this one belongs at the edge.
        flags |= Qt.WindowType.WindowDoesNotAcceptFocus | Qt.WindowType.BypassWindowManagerHint
        super().__init__(None, flags)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setObjectName("panelStrip")
        i18n.bind(self.setAccessibleName, "panel.title")

    def enterEvent(self, event: QEnterEvent) -> None:
        self.touched.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), theme.tokens().accent)


class EdgeDock(QObject):
    """Watches one window. `changed` when it docks or is freed; `edge` and `hidden` tell how it stands."""

    changed = Signal()

    def __init__(self, window: QWidget, *, mouse: Callable[[], QPoint] = QCursor.pos) -> None:
        super().__init__(window)
        self._window, self._mouse = window, mouse
        self.edge = Edge.NONE
        self.hidden = False
        self._strip: Strip | None = None
        self._looks = 0
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)

    @staticmethod
    def possible() -> bool:
        """Whether this desktop lets a program do that."""
        return not QGuiApplication.platformName().startswith("wayland")

    def area(self) -> QRect:
        """The room of the screen the window is on."""
        screen = self._window.screen() or QGuiApplication.primaryScreen()
        return screen.availableGeometry()

    def dropped(self) -> None:
        """The user let go of the window."""
        area = self.area()
        others = [s.geometry() for s in QGuiApplication.screens() if s is not self._window.screen()]
        edge = edge_of(self._window.geometry(), area)
        self.set_edge(edge if self.possible() and may_dock(edge, area, others) else Edge.NONE)

    def set_edge(self, edge: Edge) -> None:
        """Docks at an edge, in full sight at first; NONE frees it."""
        before, self.edge = self.edge, edge
        self._looks = 0
        if edge is Edge.NONE:
            self._timer.stop()
        else:
            self._window.move(out_place(edge, self._window.geometry(), self.area()))
            self._timer.start()
        if edge is not before:
            self.changed.emit()

    def pause(self) -> None:
        """The window is being dragged, or taken away by the user."""
        self._timer.stop()
        self._drop_strip()
        self.hidden = False

    def come_out(self) -> None:
        """In full sight."""
        was_hidden, self.hidden = self.hidden, False
        self._looks = 0
        self._drop_strip()
        if self.edge is not Edge.NONE:
            self._window.move(out_place(self.edge, self._window.geometry(), self.area()))
            self._timer.start()
        if was_hidden:
            self._window.show()
            self._window.raise_()

    def hide(self) -> None:
        """Only the strip is left."""
        self._timer.stop()
        self.hidden = True
        self._strip = Strip()
        self._strip.touched.connect(self.come_out)
        place = strip_place(self.edge, self._window.geometry(), self.area())
        self._strip.setGeometry(place)
        self._window.hide()
        self._strip.show()

    def look(self) -> None:
        """Where is the mouse? Away for some looks hides."""
        over = self._window.frameGeometry().adjusted(-2, -2, 2, 2).contains(self._mouse())
        busy = over or self._window.isActiveWindow() or QApplication.activePopupWidget() is not None
        self._looks = 0 if busy else self._looks + 1
        if self._looks >= LEAVE_LOOKS:
            self.hide()

    def _drop_strip(self) -> None:
        strip, self._strip = self._strip, None
        if strip is not None:
            strip.hide()
            strip.deleteLater()
