"""Measures a PDF as it is drawn: ink, red lines and text lines of a page, in millimeters from its top left. QtPdf draws, Pillow counts."""

import os
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QImage, QPainter
from PySide6.QtPdf import QPdfDocument
from PySide6.QtWidgets import QApplication

DOTS_PER_MM = 8
POINT = 25.4 / 72


@dataclass(frozen=True)
class Box:
    """Where something is, in mm."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


class MeasuredPdf:
    """One PDF. Pages count from 0."""

    def __init__(self, pdf: bytes) -> None:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        self._application = QApplication.instance() or QApplication(["tests"])
        self._buffer = QBuffer()
        self._buffer.setData(QByteArray(pdf))
        self._buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        self._document = QPdfDocument()
        self._document.load(self._buffer)
        assert self._document.status() is QPdfDocument.Status.Ready
        self._drawn: dict[int, Image.Image] = {}

    @property
    def pages(self) -> int:
        return self._document.pageCount()

    def size(self, page: int = 0) -> tuple[float, float]:
        """Width and height of a page."""
        points = self._document.pagePointSize(page)
        return points.width() * POINT, points.height() * POINT

    def text(self, page: int) -> str:
        return self._document.getAllText(page).text()

    def lines(self, page: int) -> list[str]:
        """The lines of text of a page as they are drawn, the page number left out."""
        return [one for one in self.text(page).splitlines() if one and not one.startswith("—")]

    def picture(self, page: int) -> Image.Image:
        """The page on white, DOTS_PER_MM."""
        if page not in self._drawn:
            width, height = (round(one * DOTS_PER_MM) for one in self.size(page))
            image = QImage(width, height, QImage.Format.Format_RGB888)
            image.fill(0xFFFFFFFF)
            painter = QPainter(image)
            painter.drawImage(0, 0, self._document.render(page, QSize(width, height)))
            painter.end()
            self._drawn[page] = Image.frombytes(
                "RGB", (width, height), bytes(image.constBits()), "raw", "RGB", image.bytesPerLine()
            )
        return self._drawn[page]

    def ink(self, page: int, *, inside: Box | None = None) -> Box | None:
        """What is drawn within a part of the page (all of it unless said); None: nothing."""
        return self._bounds(self.picture(page).convert("L").point(lambda value: 255 if value < 128 else 0), inside)

    def red(self, page: int, *, inside: Box | None = None) -> Box | None:
        """What is drawn in red within a part of the page."""
        return self._bounds(self._red_mask(page), inside)

    def red_lines(self, page: int) -> list[Box]:
        """Red lines at least 140 mm long, from above."""
        return self._long_rows(self._red_mask(page))

    def black_lines(self, page: int) -> list[Box]:
        """Black lines at least 140 mm long, from above."""
        return self._long_rows(self.picture(page).convert("L").point(lambda value: 255 if value < 160 else 0))

    def _red_mask(self, page: int) -> Image.Image:
        red, green, blue = self.picture(page).split()
        dark = green.point(lambda value: 255 if value < 120 else 0)
        bright = red.point(lambda value: 255 if value > 180 else 0)
        not_blue = blue.point(lambda value: 255 if value < 120 else 0)
        nothing = Image.new("L", dark.size, 0)
        return Image.composite(Image.composite(bright, nothing, dark), nothing, not_blue)

    def _bounds(self, mask: Image.Image, inside: Box | None) -> Box | None:
        left, top = (0, 0) if inside is None else (round(inside.left * DOTS_PER_MM), round(inside.top * DOTS_PER_MM))
        if inside is not None:
            mask = mask.crop((left, top, round(inside.right * DOTS_PER_MM), round(inside.bottom * DOTS_PER_MM)))
        found = mask.getbbox()
        if found is None:
            return None
        x0, y0, x1, y1 = found
        return Box(*(one / DOTS_PER_MM for one in (left + x0, top + y0, left + x1, top + y1)))

    def _long_rows(self, mask: Image.Image) -> list[Box]:
        width, height = mask.size
        filled = mask.resize((1, height), Image.Resampling.BOX).tobytes()
        rows = [y for y in range(height) if filled[y] * width / 255 > 140 * DOTS_PER_MM]
        found: list[Box] = []
        for y in rows:
            if found and abs(found[-1].bottom * DOTS_PER_MM - y) < 0.5:
                found[-1] = Box(found[-1].left, found[-1].top, found[-1].right, (y + 1) / DOTS_PER_MM)
                continue
            strip = mask.crop((0, y, width, y + 1)).getbbox()
            assert strip is not None
            found.append(Box(strip[0] / DOTS_PER_MM, y / DOTS_PER_MM, strip[2] / DOTS_PER_MM, (y + 1) / DOTS_PER_MM))
        return found


def save_picture(pdf: bytes, page: int, target: Path) -> None:
    """A page as PNG, to look at."""
    MeasuredPdf(pdf).picture(page).save(target)
