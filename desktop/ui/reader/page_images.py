"""Pictures of PDF pages: drawn by QtPdf in its own thread, in strips of bounded size, a few kept. The UI thread only asks and shows."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, QRect, QSize, Signal
from PySide6.QtGui import QImage, QPainter
from PySide6.QtPdf import QPdfDocument, QPdfDocumentRenderOptions, QPdfPageRenderer

STRIP_PIXELS = 1_500_000
"""One request draws no more than this: while PDFium draws, a question about text waits for its lock."""
CACHE_BYTES = 96 << 20
AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Strip:
    """A horizontal slice of one page at one size, in device pixels."""

    page: int
    width: int
    height: int
    top: int
    depth: int


def strips(page: int, width: int, height: int) -> list[Strip]:
    """The slices of a page drawn `width` by `height` device pixels, from the top down."""
    depth = max(64, STRIP_PIXELS // max(1, width))
    return [Strip(page, width, height, top, min(depth, height - top)) for top in range(0, height, depth)]


class PageImages(QObject):
    """Keeps drawn strips, newest used longest, and draws the ones wanted now, nearest first."""

    drawn = Signal(int)  # page
    idle = Signal()  # everything wanted is there

    def __init__(self, document: QPdfDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._renderer = QPdfPageRenderer(self)
        self._renderer.setRenderMode(QPdfPageRenderer.RenderMode.MultiThreaded)
        self._renderer.setDocument(document)
        self._nothing = QPdfDocument()
        self._renderer.pageRendered.connect(self._on_rendered)
        self._kept: OrderedDict[Strip, QImage] = OrderedDict()
        self._bytes = 0
        self._wanted: list[Strip] = []
        self._asked: dict[int, Strip] = {}

    def want(self, wanted: list[Strip]) -> None:
        """Draws these, in this order; older wishes that have not begun are dropped."""
        for strip in wanted:
            if strip in self._kept:
                self._kept.move_to_end(strip)
        self._wanted = [strip for strip in wanted if strip not in self._kept and strip not in self._asked.values()]
        self._ask()

    def close(self) -> None:
        """Stops drawing; waits for the strip being drawn, since the document goes next."""
        self._wanted, self._asked = [], {}
        self._renderer.setDocument(self._nothing)

    def get(self, strip: Strip) -> QImage | None:
        """The strip's picture, None while it is not drawn."""
        return self._kept.get(strip)

    def stand_ins(self, page: int) -> list[tuple[Strip, QImage]]:
        """Strips of this page drawn at another size, to be stretched until the right ones come."""
        return [(strip, image) for strip, image in self._kept.items() if strip.page == page]

    @property
    def busy(self) -> bool:
        """Whether something wanted is still to be drawn."""
        return bool(self._wanted or self._asked)

    def _ask(self) -> None:
        while self._wanted and len(self._asked) < AT_ONCE:
            strip = self._wanted.pop(0)
            options = QPdfDocumentRenderOptions()
            options.setScaledSize(QSize(strip.width, strip.height))
            options.setScaledClipRect(QRect(0, strip.top, strip.width, strip.depth))
            number = self._renderer.requestPage(strip.page, QSize(strip.width, strip.depth), options)
            self._asked[number] = strip
        if not self.busy:
            self.idle.emit()

    def _on_rendered(self, page: int, _size: QSize, image: QImage, _options: Any, number: int) -> None:
        strip = self._asked.pop(number, None)
        if strip is not None:
            self._keep(strip, on_paper(image))
            self.drawn.emit(page)
        self._ask()

    def _keep(self, strip: Strip, image: QImage) -> None:
        self._kept[strip] = image
        self._bytes += image.sizeInBytes()
        while self._bytes > CACHE_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.sizeInBytes()


def on_paper(image: QImage) -> QImage:
    """The page on white: PDFs draw on nothing, and a highlight multiplied with nothing is black."""
    paper = QImage(image.size(), QImage.Format.Format_RGB32)
    paper.fill(0xFFFFFFFF)
    painter = QPainter(paper)
    painter.drawImage(0, 0, image)
    painter.end()
    return paper
