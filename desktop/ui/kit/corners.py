"""Round corners of small windows: menus, pop-ups, toasts. Translucent where the desktop composes, else cut out by a mask."""

import sys

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QBitmap, QGuiApplication, QPainter
from PySide6.QtWidgets import QMenu, QWidget

from desktop.ui.theme.tokens import RADIUS_CARD


def composited() -> bool:
    """Whether windows may be translucent: always but on X11, where no compositor would mean black corners."""
    return sys.platform in ("win32", "darwin") or QGuiApplication.platformName() != "xcb"


def rounded_mask(window: QWidget) -> QBitmap:
    """The window's shape with the corners of a card cut off."""
    mask = QBitmap(window.size())
    mask.clear()
    painter = QPainter(mask)
    painter.setBrush(Qt.GlobalColor.color1)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(window.rect(), RADIUS_CARD, RADIUS_CARD)
    painter.end()
    return mask


class _Cutter(QObject):
    """Cuts the corners anew with every size."""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            watched.setMask(rounded_mask(watched))
        return False


def round_corners(window: QWidget) -> None:
    """Makes the corners outside of a window's border invisible. Call before it is first shown."""
    if composited():
        window.setWindowFlag(Qt.WindowType.FramelessWindowHint)  # Windows draws a frame around what is translucent
        window.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)
    else:
        window.installEventFilter(_Cutter(window))


class Menu(QMenu):
    """A menu with round corners, its submenus too. `leaves`: it goes with its closing (a context menu)."""

    def __init__(self, parent: QWidget | None = None, *, leaves: bool = False) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, leaves)
        round_corners(self)
