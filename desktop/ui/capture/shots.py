"""What the screens show now, one picture each, in the screens' own pixels."""

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QGuiApplication, QImage, QScreen


class CannotCapture(Exception):
    """This desktop gives programs no picture of the screen."""


@dataclass(frozen=True, slots=True)
class Shot:
    """`windows`: rectangles of the windows on it, the front one first, in pixels of the picture."""

    screen: QScreen
    image: QImage
    ratio: float
    windows: tuple[QRect, ...] = ()


def capture_screens(windows: tuple[QRect, ...] = ()) -> list[Shot]:
    """A picture of every screen. `windows` in the system's own pixels, as desktop/platform/window_places.py tells them.

    Raises:
        CannotCapture: the desktop refuses (Wayland), or a screen is gone.
    """
    if QGuiApplication.platformName().startswith("wayland"):
        raise CannotCapture
    shots = [_capture(screen, windows) for screen in QGuiApplication.screens()]
    if not shots or any(shot.image.isNull() for shot in shots):
        raise CannotCapture
    return shots


def _capture(screen: QScreen, windows: tuple[QRect, ...]) -> Shot:
    pixmap = screen.grabWindow(0)
    image = pixmap.toImage()
    ratio = image.width() / screen.geometry().width() if not image.isNull() else 1.0
    image.setDevicePixelRatio(1.0)
    here = tuple(place_on(rect, screen.geometry().topLeft(), image.rect()) for rect in windows)
    return Shot(screen, image, ratio, tuple(rect for rect in here if not rect.isEmpty()))


def place_on(window: QRect, origin: QPoint, bounds: QRect) -> QRect:
    """A window's rectangle within a screen's picture: a screen's origin is the same in logical and in system pixels (Qt on X11)."""
    return window.translated(-origin).intersected(bounds)
