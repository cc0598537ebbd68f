"""An OFD held in memory as the reader wants it: pages drawn by our own renderer, text for search and selection, outline."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import IO, Final

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage, QPainter

from desktop.ui.reader.ofd.document import OfdDocument, OutlineEntry
from desktop.ui.reader.ofd.drawing import Draftsman, PageDrawing
from desktop.ui.reader.ofd.package import OfdProblem
from desktop.ui.reader.ofd.text_layer import POINTS, TextLayer
from desktop.ui.reader.page_images import DrawnPageImages, PageImages
from desktop.ui.reader.page_source import DocumentProblem, Heading, PageSelection
from desktop.ui.reader.text_search import FoldedText, Span

KEPT_DRAWINGS: Final = 12


class OfdSource:
    """Draws and reads an OFD document; drawings of the last pages are kept."""

    def __init__(self, data: bytes | IO[bytes], *, lazy: bool = False) -> None:
        """`lazy`: pages but the first are measured when `measure` is called. Raises DocumentProblem: brokenOfd, lockedOfd, tooLargeOfd."""
        try:
            self._document = OfdDocument(data, lazy=lazy)
        except OfdProblem as problem:
            raise DocumentProblem(problem.code) from None
        self.sizes = [QSizeF(width * POINTS, height * POINTS) for width, height in self._document.sizes]
        self._drawings: OrderedDict[int, PageDrawing] = OrderedDict()
        self._layers: dict[int, TextLayer] = {}
        self._folded: dict[int, FoldedText] = {}
        self._lock = threading.RLock()  # pages are drawn in a thread, their text is asked for in the UI's
        self._draftsmen = threading.local()

    def measure(self, page: int) -> QSizeF:
        """How large a page is, read from the file now, in points."""
        with self._lock:
            self._document.measure(page)
            width, height = self._document.sizes[page]
            self.sizes[page] = QSizeF(width * POINTS, height * POINTS)
            return self.sizes[page]

    def here(self, page: int) -> bool:
        """Always: the file is whole."""
        return True

    @property
    def page_count(self) -> int:
        """How many pages there are, at least one."""
        return len(self.sizes)

    def close(self) -> None:
        """Lets go of what was drawn."""
        with self._lock:
            self._drawings.clear()

    def images(self, parent: QObject) -> PageImages:
        """Draws the pages in a thread."""
        return DrawnPageImages(self.render, parent)

    def render(self, page: int, size: QSize, clip: QRect) -> QImage:
        """The part `clip` of a page drawn `size` large, in device pixels, on white."""
        image = QImage(clip.size(), QImage.Format.Format_RGB32)
        image.fill(0xFFFFFFFF)
        width, height = self._document.sizes[page]
        drawing = self._drawing(page)
        painter = QPainter(image)
        painter.translate(-clip.left(), -clip.top())
        painter.scale(size.width() / width, size.height() / height)
        drawing.paint(painter)
        painter.end()
        return image

    def _drawing(self, page: int) -> PageDrawing:
        with self._lock:
            found = self._drawings.pop(page, None)
            if found is None:
                draftsman = getattr(self._draftsmen, "held", None)
                if draftsman is None:  # fonts belong to the thread that loaded them
                    draftsman = self._draftsmen.held = Draftsman(self._document)
                found = draftsman.draw(page)
            self._drawings[page] = found
            while len(self._drawings) > KEPT_DRAWINGS:
                self._drawings.popitem(last=False)
            return found

    # ---- text
    def _layer(self, page: int) -> TextLayer:
        if page not in self._layers:
            self._layers[page] = TextLayer(page, self._drawing(page).runs)
        return self._layers[page]

    def page_text(self, page: int) -> str:
        """All text of a page, lines parted by \\r\\n."""
        return self._layer(page).text

    def find(self, page: int, needle: str) -> list[Span]:
        """Hits on one page; the page's text is read once and kept."""
        if page not in self._folded:
            self._folded[page] = FoldedText(self.page_text(page))
        return self._folded[page].find_all(needle)

    def rectangles(self, page: int, span: Span) -> tuple[QRectF, ...]:
        """Where a hit stands on its page."""
        return self._layer(page).rectangles(span.start, span.start + span.length)

    def on_text(self, page: int, point: QPointF) -> bool:
        """Whether there is text under the point."""
        return any(line.contains(point) for line in self._layer(page).lines)

    def select(self, page: int, start: QPointF, end: QPointF) -> PageSelection | None:
        """The text between two points of one page."""
        layer = self._layer(page)
        return layer.select(layer.edge_at(start), layer.edge_at(end))

    def select_word(self, page: int, point: QPointF) -> PageSelection | None:
        """The word under the point: a run of letters and digits, or of Chinese characters up to the next sign."""
        layer = self._layer(page)
        index, text = layer.index_at(point), layer.text
        if index < 0 or not text[index].isalnum():
            return None
        start, end = index, index + 1
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        return layer.select(start, end)

    def select_page(self, page: int) -> PageSelection | None:
        """All text of a page."""
        layer = self._layer(page)
        return layer.select(0, len(layer.text))

    # ---- outline
    def outline(self) -> tuple[Heading, ...]:
        """The document's own outline, empty when it has none."""
        return tuple(map(_heading, self._document.outline()))


def _heading(entry: OutlineEntry) -> Heading:
    return Heading(entry.title, entry.page, entry.top * POINTS, tuple(map(_heading, entry.children)))
