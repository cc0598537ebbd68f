"""Prints what the reader shows, page by page with the watermark; pages are drawn in the background thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtPrintSupport import QPrinter
from PySide6.QtWidgets import QWidget

from desktop.ui.background import in_background
from desktop.ui.reader.picture_view import PictureView
from desktop.ui.reader.text_view import TextView
from desktop.ui.reader.watermark import paint_watermark

if TYPE_CHECKING:
    from desktop.ui.reader.formats.format_view import FormatView
    from desktop.ui.reader.page_source import PageSource

DOTS_PER_INCH = 200


async def print_pages(printer: QPrinter, source: PageSource | None, view: QWidget | None, watermark: str) -> bool:
    """Prints a document (the pages chosen in the dialog), a picture or a text; False when the printer would not."""
    if isinstance(view, TextView):
        view.document().print_(printer)
        return True
    if hasattr(view, "printed"):  # a FormatView
        document = cast("FormatView", view).printed()
        if document is None:
            return False
        document.print_(printer)
        return True
    painter = QPainter()
    if not painter.begin(printer):
        return False
    try:
        if isinstance(view, PictureView):
            _place(painter, printer, view.image, watermark)
        elif source is not None:
            await _print_source(painter, printer, source, watermark)
    finally:
        painter.end()
    return True


async def _print_source(painter: QPainter, printer: QPrinter, source: PageSource, watermark: str) -> None:
    first = max(1, printer.fromPage() or 1)
    last = min(source.page_count, printer.toPage() or source.page_count)
    for page in range(first - 1, last):
        if page > first - 1:
            printer.newPage()
        points: QSizeF = source.sizes[page]
        size = QSize(round(points.width() * DOTS_PER_INCH / 72), round(points.height() * DOTS_PER_INCH / 72))
        _place(painter, printer, await in_background(source.render, page, size, QRect(QPoint(0, 0), size)), watermark)


def _place(painter: QPainter, printer: QPrinter, image: QImage, watermark: str) -> None:
    room = printer.pageRect(QPrinter.Unit.DevicePixel)
    size = image.size().toSizeF().scaled(room.size(), Qt.AspectRatioMode.KeepAspectRatio)
    place = QRectF((room.width() - size.width()) / 2, 0, size.width(), size.height())
    painter.drawImage(place, image)
    paint_watermark(painter, place, watermark, scale=place.width() / 595)
