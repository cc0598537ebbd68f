"""What the screens show now, one picture each, in the screens' own pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QScreen


class CannotCapture(Exception):
    """This desktop gives programs no picture of the screen."""


@dataclass(frozen=True, slots=True)
class Shot:
    """`windows`: rectangles of the windows on it, the front one first, in pixels of the picture."""

    screen: QScreen
    image: QImage
    ratio: float
    windows: tuple[QRect, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """Where one screen's picture stands on the canvas: `place` in the canvas's pixels."""

    shot: Shot
    place: QRect

    def to_canvas(self, local: QPointF) -> QPoint:
        """A point of the screen in logical pixels, kept inside it, as a pixel of the canvas."""
        ratio = self.shot.ratio
        x, y = int(local.x() * ratio), int(local.y() * ratio)
        inside = QPoint(max(0, min(self.place.width() - 1, x)), max(0, min(self.place.height() - 1, y)))
        return self.place.topLeft() + inside

    def to_local(self, rect: QRect) -> QRect:
        """A rectangle of the canvas in the screen's logical pixels; it may reach beyond the screen."""
        ratio, at = self.shot.ratio, rect.topLeft() - self.place.topLeft()
        return QRectF(at.x() / ratio, at.y() / ratio, rect.width() / ratio, rect.height() / ratio).toAlignedRect()

    def begin(self, painter: QPainter) -> None:
        """From here on the painter draws in the canvas's pixels."""
        painter.scale(1 / self.shot.ratio, 1 / self.shot.ratio)
        painter.translate(-self.place.topLeft())


@dataclass(frozen=True, slots=True)
class Canvas:
    """The pictures of screens side by side as they stand, each in its own pixels: a region may go over several."""

    image: QImage
    views: tuple[View, ...]
    windows: tuple[QRect, ...] = ()

    def view_at(self, place: QPoint) -> View | None:
        """The screen a place of the desktop (logical) is on."""
        return next((view for view in self.views if view.shot.screen.geometry().contains(place)), None)

    def view_of(self, pixel: QPoint) -> View | None:
        """The screen a pixel of the canvas is on."""
        return next((view for view in self.views if view.place.contains(pixel)), None)


def alone(shot: Shot) -> Canvas:
    """One screen by itself."""
    return Canvas(shot.image, (View(shot, shot.image.rect()),), shot.windows)


def joined(shots: Sequence[Shot]) -> list[Canvas]:
    """All screens on one canvas. Where their places in pixels do not fit together (screens of different scale on macOS), each has its own."""
    if len(shots) == 1:
        return [alone(shots[0])]
    for scaled in (False, True):  # origins are pixels on X11 and Windows, points on macOS
        places = [_pixels(shot, scaled=scaled) for shot in shots]
        if not any(one.intersects(other) for number, one in enumerate(places) for other in places[:number]):
            return [_join(shots, places)]
    return [alone(shot) for shot in shots]


def _pixels(shot: Shot, *, scaled: bool) -> QRect:
    origin = shot.screen.geometry().topLeft() * (shot.ratio if scaled else 1)
    return QRect(origin, shot.image.size())


def _join(shots: Sequence[Shot], places: list[QRect]) -> Canvas:
    whole = places[0]
    for place in places[1:]:
        whole = whole.united(place)
    image = QImage(whole.size(), QImage.Format.Format_RGB32)
    image.fill(0)  # between screens of different height there is nothing
    painter = QPainter(image)
    views: list[View] = []
    windows: list[QRect] = []
    for shot, place in zip(shots, places, strict=True):
        view = View(shot, place.translated(-whole.topLeft()))
        painter.drawImage(view.place.topLeft(), shot.image)
        views.append(view)
        windows += [rect.translated(view.place.topLeft()) for rect in shot.windows]
    painter.end()
    return Canvas(image, tuple(views), tuple(windows))


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
