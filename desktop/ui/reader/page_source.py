"""What the reader asks of a document with pages, whatever its format: sizes, pictures of pages, text, selections, outline.

Coordinates are points (1/72 inch) from the page's top left corner. `render` may be called from another thread, all else is for the UI thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtCore import QObject, QPointF, QRect, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage

from desktop.ui.reader.page_images import PageImages
from desktop.ui.reader.text_search import Span


class DocumentProblem(Exception):
    """The document can't be shown. `code`: a key below reader.problem, such as brokenPdf or passwordNeeded."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class PageSelection:
    """Selected text of one page with its rectangles."""

    page: int
    text: str
    rectangles: tuple[QRectF, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Heading:
    """A line of the outline; `top` in points."""

    title: str
    page: int
    top: float
    children: tuple[Heading, ...] = field(default=())


class PageSource(Protocol):
    """A document with pages."""

    sizes: list[QSizeF]

    @property
    def page_count(self) -> int:
        """How many pages there are, at least one."""
        ...

    def here(self, page: int) -> bool:
        """Whether the page can be shown; False while its part of the file is still on its way."""
        ...

    def close(self) -> None:
        """Lets go of the document; nothing may be asked afterwards."""
        ...

    def images(self, parent: QObject) -> PageImages:
        """Pictures of the pages, drawn in another thread."""
        ...

    def render(self, page: int, size: QSize, clip: QRect) -> QImage:
        """The part `clip` of a page drawn `size` large, in device pixels, on white; a null image while the page is not here."""
        ...

    def page_text(self, page: int) -> str:
        """All text of a page, lines parted by \\r\\n."""
        ...

    def find(self, page: int, needle: str) -> list[Span]:
        """Hits on one page."""
        ...

    def rectangles(self, page: int, span: Span) -> tuple[QRectF, ...]:
        """Where a hit stands on its page."""
        ...

    def on_text(self, page: int, point: QPointF) -> bool:
        """Whether there is text under the point."""
        ...

    def select(self, page: int, start: QPointF, end: QPointF) -> PageSelection | None:
        """The text between two points of one page."""
        ...

    def select_word(self, page: int, point: QPointF) -> PageSelection | None:
        """The word under the point."""
        ...

    def select_page(self, page: int) -> PageSelection | None:
        """All text of a page."""
        ...

    def outline(self) -> tuple[Heading, ...]:
        """The document's own outline, empty when it has none."""
        ...
