"""Pages turned by quarter turns: another source seen at an angle. Whoever shows it knows nothing of the turning."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QTransform

from desktop.ui.reader.page_images import DrawnPageImages, PageImages
from desktop.ui.reader.page_source import Heading, PageSelection, PageSource
from desktop.ui.reader.text_search import Span

QUARTERS: Final = (0, 90, 180, 270)


class TurnedSource:
    """Another source, its pages turned clockwise.

    Attributes:
        inner: the source as it is; the owner of this closes it by closing this.
        degrees: 90, 180 or 270.
    """

    def __init__(self, inner: PageSource, degrees: int) -> None:
        self.inner = inner
        self.degrees = degrees
        upright = degrees % 180 == 0
        self.sizes = [size if upright else size.transposed() for size in inner.sizes]

    def here(self, page: int) -> bool:
        """Whether the page has come."""
        return self.inner.here(page)

    @property
    def page_count(self) -> int:
        """How many pages there are."""
        return self.inner.page_count

    def close(self) -> None:
        """Closes the inner source."""
        self.inner.close()

    def images(self, parent: QObject) -> PageImages:
        """Pictures of the turned pages, drawn in a thread."""
        return DrawnPageImages(self.render, parent)

    def render(self, page: int, size: QSize, clip: QRect) -> QImage:
        """The part `clip` of the turned page."""
        straight = size if self.degrees == 180 else size.transposed()
        back, _ = _way(QSizeF(straight), self.degrees).inverted()
        part = back.mapRect(QRectF(clip)).toRect().intersected(QRect(0, 0, straight.width(), straight.height()))
        return self.inner.render(page, straight, part).transformed(QTransform().rotate(self.degrees))

    # ---- text: there and back
    def _there(self, page: int) -> QTransform:
        return _way(self.inner.sizes[page], self.degrees)

    def _back(self, page: int, point: QPointF) -> QPointF:
        return self._there(page).inverted()[0].map(point)

    def _turn(self, selection: PageSelection | None) -> PageSelection | None:
        if selection is None:
            return None
        way = self._there(selection.page)
        return replace(selection, rectangles=tuple(map(way.mapRect, selection.rectangles)))

    def page_text(self, page: int) -> str:
        """All text of a page."""
        return self.inner.page_text(page)

    def find(self, page: int, needle: str) -> list[Span]:
        """Hits on one page."""
        return self.inner.find(page, needle)

    def rectangles(self, page: int, span: Span) -> tuple[QRectF, ...]:
        """Where a hit stands on the turned page."""
        return tuple(map(self._there(page).mapRect, self.inner.rectangles(page, span)))

    def on_text(self, page: int, point: QPointF) -> bool:
        """Whether there is text under the point."""
        return self.inner.on_text(page, self._back(page, point))

    def select(self, page: int, start: QPointF, end: QPointF) -> PageSelection | None:
        """The text between two points of one page."""
        return self._turn(self.inner.select(page, self._back(page, start), self._back(page, end)))

    def select_word(self, page: int, point: QPointF) -> PageSelection | None:
        """The word under the point."""
        return self._turn(self.inner.select_word(page, self._back(page, point)))

    def select_page(self, page: int) -> PageSelection | None:
        """All text of a page."""
        return self._turn(self.inner.select_page(page))

    def outline(self) -> tuple[Heading, ...]:
        """The outline; on pages that lie on their side it leads to their beginnings."""
        return self.inner.outline()


def turned(source: PageSource, degrees: int) -> PageSource:
    """A source turned by so much altogether; an upright one is itself."""
    inner = source.inner if isinstance(source, TurnedSource) else source
    return inner if degrees % 360 == 0 else TurnedSource(inner, degrees % 360)


def upright_to_shown(source: PageSource, page: int) -> QTransform:
    """From points of the upright page to points of the page as the source shows it."""
    if isinstance(source, TurnedSource):
        return _way(source.inner.sizes[page], source.degrees)
    return QTransform()


def _way(size: QSizeF, degrees: int) -> QTransform:
    """From a page of this size to the turned page, whose corner is again the origin."""
    moved = {90: (size.height(), 0.0), 180: (size.width(), size.height()), 270: (0.0, size.width())}[degrees]
    return QTransform().rotate(degrees) * QTransform.fromTranslate(*moved)
