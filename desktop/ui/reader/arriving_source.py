"""Pages of a document whose file is still on its way: what is here is drawn, the rest is wished for. Text, search and outline come with the whole file."""

from __future__ import annotations

import threading
from typing import IO, TYPE_CHECKING, Final, Protocol, cast

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSize, QSizeF, Signal
from PySide6.QtGui import QImage

from desktop.core.domain import Arriving
from desktop.ui.reader.arriving_bytes import ArrivingBytes, ArrivingFile, NotHere
from desktop.ui.reader.kinds import Kind
from desktop.ui.reader.page_images import DrawnPageImages, PageImages
from desktop.ui.reader.page_source import DocumentProblem, Heading, PageSelection
from desktop.ui.reader.text_search import Span

if TYPE_CHECKING:
    from desktop.ui.reader.ofd_source import OfdSource

TRIES: Final = 400
"""How often one page may ask for bytes before it has to wait for the whole file: broken and hostile files ask for everything, bit by bit."""


class PartialDocument(Protocol):
    """A format that can show a page without having the whole file. Every method but `close` raises NotHere and DocumentProblem."""

    def page_sizes(self) -> list[QSizeF]:
        """One for each page, in points; all but the first may be guessed."""
        ...

    def measure(self, page: int) -> QSizeF:
        """How large a page is, in points."""
        ...

    def draw(self, page: int, size: QSize, clip: QRect) -> QImage:
        """The part `clip` of a page drawn `size` large, in device pixels, on white."""
        ...

    def here(self, missed: NotHere) -> bool:
        """Whether what was missed has come."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


class PartialOfd:
    """An OFD: its directory is at the end of the file, its pages anywhere."""

    def __init__(self, held: ArrivingBytes) -> None:
        self._held = held
        self._file = ArrivingFile(held)
        self._lock = threading.RLock()
        self._source: OfdSource | None = None

    def page_sizes(self) -> list[QSizeF]:
        """One for each page; all but the first are guessed."""
        with self._lock:
            return list(self._opened().sizes)

    def measure(self, page: int) -> QSizeF:
        """How large a page is, in points."""
        with self._lock:
            return self._opened().measure(page)

    def draw(self, page: int, size: QSize, clip: QRect) -> QImage:
        """The part `clip` of a page drawn `size` large, on white."""
        with self._lock:
            return self._opened().render(page, size, clip)

    def here(self, missed: NotHere) -> bool:
        """Whether what was missed has come."""
        with self._lock:
            return self._held.here(missed)

    def close(self) -> None:
        """Lets go of it."""
        with self._lock:
            if self._source is not None:
                self._source.close()
            self._source = None

    def _opened(self) -> OfdSource:
        if self._source is None:
            from desktop.ui.reader.ofd_source import OfdSource

            self._source = OfdSource(cast(IO[bytes], self._file), lazy=True)
        return self._source


def partial_document(kind: Kind, arriving: Arriving) -> PartialDocument:
    """The document of a file on its way; each format's code is loaded when first needed."""
    held = ArrivingBytes(arriving)
    if kind is Kind.OFD:
        return PartialOfd(held)
    from desktop.ui.reader.partial_pdf import PartialPdf

    return PartialPdf(held)


class Sizes(QObject):
    """Tells on the UI thread that a page turned out to have another size than was guessed: page, points."""

    found = Signal(int, QSizeF)


class ArrivingSource:
    """A PageSource over a PartialDocument. `render` is called by the thread that draws; nothing waits for the network."""

    def __init__(self, document: PartialDocument, sizes: list[QSizeF]) -> None:
        self.sizes = sizes
        self.sizes_found = Sizes()
        self._document = document
        self._measured: set[int] = {0}
        self._drawn: set[int] = set()
        self._missed: dict[int, NotHere] = {}
        self._tries: dict[int, int] = {}
        self._hopeless: set[int] = set()

    @property
    def page_count(self) -> int:
        """How many pages there are, at least one."""
        return len(self.sizes)

    def here(self, page: int) -> bool:
        """Whether something of the page was drawn."""
        return page in self._drawn

    def close(self) -> None:
        """Lets go of the document."""
        self._document.close()

    def images(self, parent: QObject) -> PageImages:
        """Draws the pages in a thread."""
        return DrawnPageImages(self.render, parent)

    def render(self, page: int, size: QSize, clip: QRect) -> QImage:
        """The part `clip` of a page drawn `size` large, on white; a null image while the page is not here."""
        missed = self._missed.get(page)
        if page in self._hopeless or (missed is not None and not self._document.here(missed)):
            return QImage()
        try:
            if page not in self._measured and not self._measure(page):
                return QImage()
            image = self._document.draw(page, size, clip)
        except NotHere as found:
            self._missed[page] = found
            self._tries[page] = self._tries.get(page, 0) + 1
            if self._tries[page] > TRIES:
                self._hopeless.add(page)
            return QImage()
        except DocumentProblem:  # what is wrong with it is said when all of it is here
            self._hopeless.add(page)
            return QImage()
        self._missed.pop(page, None)
        self._drawn.add(page)
        return image

    def _measure(self, page: int) -> bool:
        """Whether the page is as large as was guessed; if not, the screen is told and asks again."""
        size = self._document.measure(page)
        self._measured.add(page)
        if abs(size.width() - self.sizes[page].width()) + abs(size.height() - self.sizes[page].height()) < 1:
            return True
        self.sizes_found.found.emit(page, size)
        return False

    # ---- what the whole file alone can tell
    def page_text(self, page: int) -> str:
        """None yet."""
        return ""

    def find(self, page: int, needle: str) -> list[Span]:
        """None yet."""
        return []

    def rectangles(self, page: int, span: Span) -> tuple[QRectF, ...]:
        """None yet."""
        return ()

    def on_text(self, page: int, point: QPointF) -> bool:
        """Not known yet."""
        return False

    def select(self, page: int, start: QPointF, end: QPointF) -> PageSelection | None:
        """None yet."""
        return None

    def select_word(self, page: int, point: QPointF) -> PageSelection | None:
        """None yet."""
        return None

    def select_page(self, page: int) -> PageSelection | None:
        """None yet."""
        return None

    def outline(self) -> tuple[Heading, ...]:
        """None yet."""
        return ()
