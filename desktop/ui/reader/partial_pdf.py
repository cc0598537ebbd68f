"""Pages of a PDF whose file is not all here, drawn by PDFium itself: QtPdf opens whole files only, PDFium asks for the bytes it needs.

PDFium takes bytes it cannot have for a damaged file and remembers them so. What it made of the file is therefore thrown away after a miss;
opening it again takes a few milliseconds. (FPDFAvail, made for this, asks for the whole file where page 50 of a plain PDF is wanted.)
"""

from __future__ import annotations

import ctypes
import threading
from typing import Any, Final

import pypdfium2.raw as pdfium  # generated bindings without types
from PySide6.QtCore import QRect, QSize, QSizeF
from PySide6.QtGui import QImage

from desktop.ui.reader.arriving_bytes import ArrivingBytes, NotHere
from desktop.ui.reader.page_source import DocumentProblem

MAX_PAGES: Final = 20_000
DRAWN_AT_MOST: Final = 64
"""Drawings after which the document is opened anew: PDFium keeps every object it has read."""
_LOCK: Final = threading.RLock()
"""PDFium serves one thread at a time, whatever the document."""
_started: list[bool] = []


class PartialPdf:
    """One document. Every method may be called from any thread and waits for none but another drawing."""

    def __init__(self, held: ArrivingBytes) -> None:
        self._held = held
        self._document: Any = None
        self._missed: NotHere | None = None
        self._drawn = 0
        self._access = pdfium.FPDF_FILEACCESS()
        self._access.m_FileLen = held.size
        self._block = type(self._access.m_GetBlock)(self._read)
        self._access.m_GetBlock = self._block

    def page_sizes(self) -> list[QSizeF]:
        """One for each page, in points; all but the first are guessed. Raises NotHere, DocumentProblem."""
        with _LOCK:
            document = self._open()
            count = pdfium.FPDF_GetPageCount(document)
            self._check()
            if not 0 < count <= MAX_PAGES:
                raise DocumentProblem("brokenPdf")
            return [self._measured(0)] * count

    def measure(self, page: int) -> QSizeF:
        """How large a page is, in points. Raises NotHere, DocumentProblem."""
        with _LOCK:
            self._open()
            return self._measured(page)

    def draw(self, page: int, size: QSize, clip: QRect) -> QImage:
        """The part `clip` of a page drawn `size` large, on white. Raises NotHere, DocumentProblem."""
        with _LOCK:
            if self._drawn >= DRAWN_AT_MOST:
                self.close()
            self._drawn += 1
            loaded = pdfium.FPDF_LoadPage(self._open(), page)
            try:
                self._check()
                if not loaded:
                    raise DocumentProblem("brokenPdf")
                return self._paint(loaded, size, clip)
            finally:
                if loaded:
                    pdfium.FPDF_ClosePage(loaded)
                self._drop_when_missed()

    def here(self, missed: NotHere) -> bool:
        """Whether what was missed has come."""
        with _LOCK:
            return self._held.here(missed)

    def close(self) -> None:
        """Lets go of the document; it opens again when it is asked for something."""
        with _LOCK:
            if self._document is not None:
                pdfium.FPDF_CloseDocument(self._document)
            self._document, self._drawn = None, 0

    def _paint(self, loaded: Any, size: QSize, clip: QRect) -> QImage:
        image = QImage(clip.size(), QImage.Format.Format_RGB32)
        image.fill(0xFFFFFFFF)
        # The memory is written by C code between these lines and by nobody afterwards.
        held = (ctypes.c_char * image.sizeInBytes()).from_buffer(image.bits())
        target = pdfium.FPDFBitmap_CreateEx(
            image.width(), image.height(), pdfium.FPDFBitmap_BGRx, ctypes.addressof(held), image.bytesPerLine()
        )
        if not target:
            raise DocumentProblem("brokenPdf")
        left, top = -clip.left(), -clip.top()
        pdfium.FPDF_RenderPageBitmap(target, loaded, left, top, size.width(), size.height(), 0, pdfium.FPDF_ANNOT)
        pdfium.FPDFBitmap_Destroy(target)
        self._check()
        return image

    def _open(self) -> Any:
        if not _started:
            pdfium.FPDF_InitLibrary()
            _started.append(True)
        self._missed = None
        if self._document is None:
            document = pdfium.FPDF_LoadCustomDocument(ctypes.byref(self._access), None)
            self._document = document or None
            self._check()
            if self._document is None:
                raise DocumentProblem("brokenPdf")
        return self._document

    def _measured(self, page: int) -> QSizeF:
        size = pdfium.FS_SIZEF()
        found = pdfium.FPDF_GetPageSizeByIndexF(self._document, page, ctypes.byref(size))
        self._check()
        usable = bool(found) and size.width > 1 and size.height > 1
        return QSizeF(size.width, size.height) if usable else QSizeF(595, 842)

    def _check(self) -> None:
        """What PDFium made of a file it could not read is worth nothing."""
        missed = self._missed
        if missed is not None:
            self._drop_when_missed()
            raise missed

    def _drop_when_missed(self) -> None:
        if self._missed is not None:
            self.close()

    def _read(self, _: Any, offset: int, buffer: Any, length: int) -> int:
        """Called by PDFium; after the first miss it gets nothing more, so that it gives up soon."""
        if self._missed is not None or offset + length > self._held.size:
            return 0
        try:
            data = self._held.read(offset, length)
        except NotHere as missed:
            self._missed = missed
            return 0
        except (OSError, ValueError):  # the disk, or the file was let go of
            self._missed = NotHere(offset, length)
            return 0
        ctypes.memmove(buffer, data, length)
        return 1
