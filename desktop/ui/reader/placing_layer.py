"""A picture put onto pages with the mouse: a seal is dropped where it belongs, dragged until it sits, and taken away again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QObject, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPen, QTransform

from desktop.ui.reader.pages_view import PageLayer
from desktop.ui.theme.tokens import palette_tokens

HANDLE: Final = 14.0
"""Points: the cross that takes a picture away."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture stands: page from 0; left, top and side in points of the upright page. `key`: what it is a picture of."""

    key: str
    page: int
    x: float
    y: float
    side: float

    @property
    def box(self) -> QRectF:
        """The square it takes."""
        return QRectF(self.x, self.y, self.side, self.side)

    @property
    def handle(self) -> QRectF:
        """Where the cross stands."""
        return QRectF(self.x + self.side - HANDLE, self.y, HANDLE, HANDLE)


class PlacingLayer(QObject):
    """Pictures on the pages of one document.

    Attributes:
        places: what stands where now.
        below: another layer that is painted first and takes the mouse where no picture is taken or held.
    """

    changed = Signal()
    placed = Signal()  # the places are others than before

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.places: list[Place] = []
        self.below: PageLayer | None = None
        self._pictures: dict[str, tuple[QImage, float]] = {}
        self._sizes: list[QRectF] = []
        self._key = ""
        self._held: int | None = None
        self._grip = QPointF()
        self._before: list[Place] = []

    def begin(self, pages: list[QRectF], places: list[Place]) -> None:
        """Another document: the rectangles of its upright pages in points, and what stands on them already."""
        self._sizes, self.places, self._held = pages, list(places), None
        self.changed.emit()

    def know(self, key: str, picture: QImage, side: float) -> None:
        """A picture that may stand here, `side` points wide when it is put down."""
        self._pictures[key] = (picture, side)
        self.changed.emit()

    def take(self, key: str) -> None:
        """The picture that is put down next; "" puts none down."""
        self._key = key
        self.changed.emit()

    # ---- the pages ask
    def paint(self, painter: QPainter, page: int, place: QTransform) -> None:
        """Paint what stands on a page; seals are laid over print as ink is."""
        if self.below is not None:
            self.below.paint(painter, page, place)
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(place, True)
        for index, one in enumerate(self.places):
            if one.page == page:
                self._paint(painter, one, held=index == self._held)
        painter.restore()

    def _paint(self, painter: QPainter, one: Place, *, held: bool) -> None:
        known = self._pictures.get(one.key)
        if known is not None:
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Multiply)
            painter.drawImage(one.box, known[0])
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
        tokens = palette_tokens(False)
        painter.setPen(QPen(tokens.accent, 1.5 if held else 0.8, Qt.PenStyle.DashLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(one.box)
        handle = one.handle
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tokens.accent)
        painter.drawRect(handle)
        painter.setPen(QPen(tokens.surface, 1.4))
        inner = handle.adjusted(4, 4, -4, -4)
        painter.drawLine(inner.topLeft(), inner.bottomRight())
        painter.drawLine(inner.topRight(), inner.bottomLeft())

    def press(self, page: int, point: QPointF) -> bool:
        """Takes hold of a picture, takes one away by its cross, or puts a new one down around the point."""
        self._before = list(self.places)
        for index in reversed(range(len(self.places))):
            one = self.places[index]
            if one.page == page and one.handle.contains(point):
                del self.places[index]
                self._held = None
                self._tell()
                return True
            if one.page == page and one.box.contains(point):
                self._held, self._grip = index, point - one.box.topLeft()
                self.changed.emit()
                return True
        known = self._pictures.get(self._key)
        if known is None:
            return self.below is not None and self.below.press(page, point)
        side = known[1]
        corner = self._inside(page, QPointF(point.x() - side / 2, point.y() - side / 2), side)
        self.places.append(Place(self._key, page, corner.x(), corner.y(), side))
        self._held, self._grip = len(self.places) - 1, point - corner
        self.changed.emit()
        return True

    def move(self, page: int, point: QPointF) -> bool:
        """Drags what is held, onto another page too."""
        if self._held is not None:
            one = self.places[self._held]
            corner = self._inside(page, point - self._grip, one.side)
            self.places[self._held] = replace(one, page=page, x=corner.x(), y=corner.y())
            self.changed.emit()
            return True
        return self._key != "" or (self.below is not None and self.below.move(page, point))

    def release(self) -> bool:
        """Lets go."""
        held, self._held = self._held, None
        if held is not None:
            if self.places != self._before:
                self._tell()
            self.changed.emit()
            return True
        return self._key != "" or (self.below is not None and self.below.release())

    def cursor(self, page: int, point: QPointF) -> Qt.CursorShape | None:
        """A hand over what can be dragged, a cross where something can be put."""
        for one in self.places:
            if one.page == page and one.handle.contains(point):
                return Qt.CursorShape.PointingHandCursor
            if one.page == page and one.box.contains(point):
                return Qt.CursorShape.SizeAllCursor
        if self._key:
            return Qt.CursorShape.CrossCursor
        return self.below.cursor(page, point) if self.below is not None else None

    def _inside(self, page: int, corner: QPointF, side: float) -> QPointF:
        """The nearest corner at which the whole picture stands on the page, to a tenth of a point."""
        room = self._sizes[page] if page < len(self._sizes) else QRectF(0, 0, 595, 842)
        x = min(max(corner.x(), 0.0), max(0.0, room.width() - side))
        y = min(max(corner.y(), 0.0), max(0.0, room.height() - side))
        return QPointF(round(x, 1), round(y, 1))

    def _tell(self) -> None:
        self.changed.emit()
        self.placed.emit()
