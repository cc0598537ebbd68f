"""Pictures of pages: drawn in another thread, in strips of bounded size, a few kept. The UI thread only asks and shows."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

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
    """Keeps drawn strips, newest used longest, and has the ones wanted now drawn, nearest first. Subclasses draw."""

    drawn = Signal(int)  # page
    idle = Signal()  # everything wanted is there

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._kept: OrderedDict[Strip, QImage] = OrderedDict()
        self._bytes = 0
        self._wanted: list[Strip] = []
        self._asked: dict[int, Strip] = {}
        self._before: list[tuple[Strip, QImage]] = []

    def inherit(self, other: PageImages) -> None:
        """The same pages were drawn from another source: its pictures stand in until the new ones are drawn."""
        self._before = list(other._kept.items())

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
        self._stop()

    def get(self, strip: Strip) -> QImage | None:
        """The strip's picture, None while it is not drawn."""
        return self._kept.get(strip)

    def stand_ins(self, page: int) -> list[tuple[Strip, QImage]]:
        """Strips of this page drawn at another size, to be stretched until the right ones come."""
        return [(strip, image) for strip, image in (*self._before, *self._kept.items()) if strip.page == page]

    @property
    def busy(self) -> bool:
        """Whether something wanted is still to be drawn."""
        return bool(self._wanted or self._asked)

    def _ask(self) -> None:
        while self._wanted and len(self._asked) < AT_ONCE:
            strip = self._wanted.pop(0)
            self._asked[self._begin(strip)] = strip
        if not self.busy:
            self._before.clear()
            self.idle.emit()

    def _begin(self, strip: Strip) -> int:
        """Begin to draw a strip; `_on_drawn` is called with this number when it is done, never before this returns."""
        raise NotImplementedError

    def _stop(self) -> None:
        """Drop what waits and wait for what is being drawn."""
        raise NotImplementedError

    def _on_drawn(self, number: int, image: QImage) -> None:
        strip = self._asked.pop(number, None)
        if strip is not None and not image.isNull():  # a page that has not come is asked for again when more has
            self._keep(strip, image)
            self.drawn.emit(strip.page)
        self._ask()

    def _keep(self, strip: Strip, image: QImage) -> None:
        self._kept[strip] = image
        self._bytes += image.sizeInBytes()
        while self._bytes > CACHE_BYTES and len(self._kept) > 1:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.sizeInBytes()


class PdfPageImages(PageImages):
    """Pages of a PDF, drawn by QtPdf in its own thread."""

    def __init__(self, document: QPdfDocument, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._renderer = QPdfPageRenderer(self)
        self._renderer.setRenderMode(QPdfPageRenderer.RenderMode.MultiThreaded)
        self._renderer.setDocument(document)
        self._nothing = QPdfDocument()
        self._renderer.pageRendered.connect(self._on_rendered)

    def _begin(self, strip: Strip) -> int:
        options = QPdfDocumentRenderOptions()
        options.setScaledSize(QSize(strip.width, strip.height))
        options.setScaledClipRect(QRect(0, strip.top, strip.width, strip.depth))
        return int(self._renderer.requestPage(strip.page, QSize(strip.width, strip.depth), options))

    def _stop(self) -> None:
        self._renderer.setDocument(self._nothing)

    def _on_rendered(self, _page: int, _size: QSize, image: QImage, _options: Any, number: int) -> None:
        self._on_drawn(number, on_paper(image))


Render = Callable[[int, QSize, QRect], QImage]
T = TypeVar("T")


@cache
def _draftsman() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="pages")


async def in_drawing_thread(work: Callable[[], T]) -> T:
    """Runs `work` where pages are drawn, in turn with them."""
    return await asyncio.get_running_loop().run_in_executor(_draftsman(), work)


class DrawnPageImages(PageImages):
    """Pages that a function draws, one strip after the other in a thread of their own."""

    _done = Signal(int, QImage)

    def __init__(self, render: Render, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._render = render
        self._count = 0
        self._running: dict[int, Future[None]] = {}
        self._done.connect(self._on_done)

    def _begin(self, strip: Strip) -> int:
        self._count += 1
        self._running[self._count] = _draftsman().submit(self._work, self._count, strip)
        return self._count

    def _work(self, number: int, strip: Strip) -> None:
        size, clip = QSize(strip.width, strip.height), QRect(0, strip.top, strip.width, strip.depth)
        self._done.emit(number, self._render(strip.page, size, clip))

    def _on_done(self, number: int, image: QImage) -> None:
        done = self._running.pop(number, None)
        if done is not None:
            self._on_drawn(number, image)

    def _stop(self) -> None:
        running, self._running = list(self._running.values()), {}
        for one in running:
            if not one.cancel():
                one.exception()  # waits


def on_paper(image: QImage) -> QImage:
    """The page on white: PDFs draw on nothing, and a highlight multiplied with nothing is black."""
    paper = QImage(image.size(), QImage.Format.Format_RGB32)
    paper.fill(0xFFFFFFFF)
    painter = QPainter(paper)
    painter.drawImage(0, 0, image)
    painter.end()
    return paper
