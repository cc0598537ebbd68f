"""A PDF held in memory: pages, text, selections, outline. Everything here takes a few milliseconds at most; drawing is elsewhere.

Coordinates are points (1/72 inch) from the page's top left corner, as QtPdf gives them.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QModelIndex, QObject, QPointF, QRect, QRectF, QSize, QSizeF
from PySide6.QtGui import QImage
from PySide6.QtPdf import QPdfBookmarkModel, QPdfDocument, QPdfDocumentRenderOptions

from desktop.ui.reader.page_images import PageImages, PdfPageImages, on_paper
from desktop.ui.reader.page_source import DocumentProblem, Heading, PageSelection
from desktop.ui.reader.text_search import FoldedText, Span

LINE_EDGE = 0.5


class PdfSource:
    """Owns the QPdfDocument and its buffer."""

    def __init__(self, data: bytes, password: str = "") -> None:
        self.document = QPdfDocument()
        self._buffer = QBuffer()
        self._bytes = QByteArray(data)
        self._buffer.setBuffer(self._bytes)
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        if password:
            self.document.setPassword(password)
        self.document.load(self._buffer)
        self._check(password)
        self.sizes = [self._size(page) for page in range(self.document.pageCount())]
        self._folded: dict[int, FoldedText] = {}
        self._lines: dict[int, list[QRectF]] = {}

    def _check(self, password: str) -> None:
        error = QPdfDocument.Error
        match self.document.error():
            case error.None_ if self.document.pageCount() > 0:
                return
            case error.IncorrectPassword:
                raise DocumentProblem("passwordWrong" if password else "passwordNeeded")
            case error.UnsupportedSecurityScheme:
                raise DocumentProblem("unsupportedPdf")
        raise DocumentProblem("brokenPdf")

    def _size(self, page: int) -> QSizeF:
        size = self.document.pagePointSize(page)
        return size if size.width() > 1 and size.height() > 1 else QSizeF(595, 842)

    def here(self, page: int) -> bool:
        """Always: the file is whole."""
        return True

    @property
    def page_count(self) -> int:
        """How many pages there are, at least one."""
        return len(self.sizes)

    def close(self) -> None:
        """Lets go of the document; nothing may be asked afterwards."""
        self.document.close()
        self._buffer.close()

    # ---- pictures
    def images(self, parent: QObject) -> PageImages:
        """Draws the pages in QtPdf's thread."""
        return PdfPageImages(self.document, parent)

    def render(self, page: int, size: QSize, clip: QRect) -> QImage:
        """The part `clip` of a page drawn `size` large, in device pixels, on white."""
        options = QPdfDocumentRenderOptions()
        options.setScaledSize(size)
        options.setScaledClipRect(clip)
        return on_paper(self.document.render(page, clip.size(), options))

    # ---- text
    def page_text(self, page: int) -> str:
        """All text of a page, lines parted by \\r\\n."""
        return self.document.getAllText(page).text()

    def find(self, page: int, needle: str) -> list[Span]:
        """Hits on one page; the page's text is read once and kept."""
        if page not in self._folded:
            self._folded[page] = FoldedText(self.page_text(page))
        return self._folded[page].find_all(needle)

    def rectangles(self, page: int, span: Span) -> tuple[QRectF, ...]:
        """Where a hit stands on its page."""
        selection = self.document.getSelectionAtIndex(page, span.start, span.length)
        return _rectangles(selection)

    # ---- selection
    def lines(self, page: int) -> list[QRectF]:
        """Rectangles of the page's runs of text."""
        if page not in self._lines:
            self._lines[page] = [p.boundingRect() for p in self.document.getAllText(page).bounds()]
        return self._lines[page]

    def snap(self, page: int, point: QPointF) -> QPointF | None:
        """The nearest point that lies on text; None on a page without text."""
        best: tuple[float, float, QPointF] | None = None
        for line in self.lines(page):
            x = min(max(point.x(), line.left() + LINE_EDGE), line.right() - LINE_EDGE)
            y = min(max(point.y(), line.top() + LINE_EDGE), line.bottom() - LINE_EDGE)
            # The right line comes before the near one: dragging past a line's end selects to its end.
            away = (abs(point.y() - y), abs(point.x() - x))
            if best is None or away < best[:2]:
                best = (*away, QPointF(x, line.center().y()))
        return best[2] if best else None

    def on_text(self, page: int, point: QPointF) -> bool:
        """Whether there is text under the point."""
        return any(line.contains(point) for line in self.lines(page))

    def select(self, page: int, start: QPointF, end: QPointF) -> PageSelection | None:
        """The text between two points of one page."""
        first, last = self.snap(page, start), self.snap(page, end)
        if first is None or last is None:
            return None
        return self._selected(page, self.document.getSelection(page, first, last))

    def select_word(self, page: int, point: QPointF) -> PageSelection | None:
        """The word under the point: a run of letters and digits, or of Chinese characters up to the next sign."""
        index, text = self._index_at(page, point), self.page_text(page)
        if not 0 <= index < len(text) or not text[index].isalnum():
            return None
        start, end = index, index + 1
        while start > 0 and text[start - 1].isalnum():
            start -= 1
        while end < len(text) and text[end].isalnum():
            end += 1
        return self._selected(page, self.document.getSelectionAtIndex(page, start, end - start))

    def _index_at(self, page: int, point: QPointF) -> int:
        """The position in the page's text of the character under the point, -1 where there is none."""
        line = next((line for line in self.lines(page) if line.contains(point)), None)
        if line is None:
            return -1
        left = QPointF(line.left() + LINE_EDGE, line.center().y())
        before = self.document.getSelection(page, left, QPointF(point.x(), line.center().y()))
        whole = self.document.getSelection(page, left, QPointF(line.right() - LINE_EDGE, line.center().y()))
        edge = before.endIndex() if before.isValid() else whole.startIndex()
        # QtPdf answers the nearest edge between characters: the one wanted stands on one side of it.
        for index in (edge - 1, edge):
            if index >= 0 and self.document.getSelectionAtIndex(page, index, 1).boundingRectangle().contains(point):
                return index
        return -1

    def select_page(self, page: int) -> PageSelection | None:
        """All text of a page."""
        return self._selected(page, self.document.getAllText(page))

    @staticmethod
    def _selected(page: int, selection: Any) -> PageSelection | None:
        if not selection.isValid() or not selection.text():
            return None
        return PageSelection(
            page, selection.text(), _rectangles(selection), selection.startIndex(), selection.endIndex()
        )

    # ---- outline
    def outline(self) -> tuple[Heading, ...]:
        """The document's own outline, empty when it has none."""
        model = QPdfBookmarkModel()
        model.setDocument(self.document)
        return _headings(model, QModelIndex(), 0)


def _rectangles(selection: Any) -> tuple[QRectF, ...]:
    return tuple(polygon.boundingRect() for polygon in selection.bounds())


def _headings(model: QPdfBookmarkModel, parent: QModelIndex, depth: int) -> tuple[Heading, ...]:
    if depth > 16:  # hostile files nest without end
        return ()
    role = QPdfBookmarkModel.Role
    found = []
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        location = model.data(index, int(role.Location))
        top = location.y() if isinstance(location, QPointF) else 0.0
        page = int(model.data(index, int(role.Page)) or 0)
        found.append(
            Heading(str(model.data(index, int(role.Title)) or ""), page, top, _headings(model, index, depth + 1))
        )
    return tuple(found)
