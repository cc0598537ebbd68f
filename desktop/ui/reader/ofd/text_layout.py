"""Where each glyph of a text object stands (GB/T 33190-2016 §11): DeltaX and DeltaY, glyph transforms, directions, fallback fonts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPainterPath, QRawFont, QTransform

from desktop.ui.reader.ofd.fonts import EM, FontBook
from desktop.ui.reader.ofd.package import Element, children, number, numbers, text

ASCENT: Final = 0.88
"""Of the em, above the baseline: where a character's box begins."""
MAX_CHARACTERS: Final = 200_000


@dataclass(frozen=True, slots=True)
class Placed:
    """One character of a run in the object's own space (millimeters): its text, glyph, pen position and the room it takes."""

    character: str
    font: QRawFont
    glyph: int
    x: float
    y: float
    advance: float


@dataclass(frozen=True, slots=True)
class Run:
    """A text object laid out. `size`: of the em; `stretch`: horizontal scale; `turn`: degrees each character is turned."""

    placed: tuple[Placed, ...]
    size: float
    stretch: float
    turn: float

    def outline(self, book: FontBook) -> QPainterPath:
        """The shapes of all glyphs as one path."""
        path = QPainterPath()
        scale = self.size / EM
        for one in self.placed:
            if one.glyph or not one.character.isspace():
                place = QTransform(scale * self.stretch, 0, 0, scale, one.x, one.y)
                if self.turn:
                    place = QTransform().rotate(self.turn) * QTransform.fromTranslate(one.x, one.y)
                    place = QTransform.fromScale(scale * self.stretch, scale) * place
                path.addPath(place.map(book.outline(one.font, one.glyph)))
        path.setFillRule(_WINDING)
        return path

    def boxes(self) -> Iterator[tuple[str, QRectF]]:
        """Each character with the box it takes."""
        for one in self.placed:
            width = max(one.advance, self.size * 0.1)
            yield one.character, QRectF(one.x, one.y - self.size * ASCENT, width, self.size)


_WINDING: Final = Qt.FillRule.WindingFill


def lay_out(element: Element, book: FontBook) -> Run:
    """Lay out a TextObject."""
    size = min(2_000.0, max(0.01, number(element.get("Size"), 3.175)))
    stretch = number(element.get("HScale"), 1.0) or 1.0
    font = book.font(element.get("Font") or "")
    glyphs, extra = _transforms(element)
    vertical = number(element.get("ReadDirection"), 0.0) in (90.0, 270.0)
    placed: list[Placed] = []
    start_x = start_y = 0.0
    position = 0
    for code in children(element, "TextCode"):
        words = (code.text or "")[: MAX_CHARACTERS - position]
        start_x, start_y = number(code.get("X"), start_x), number(code.get("Y"), start_y)
        x, y = start_x, start_y
        steps_x, steps_y = _deltas(code.get("DeltaX"), len(words)), _deltas(code.get("DeltaY"), len(words))
        for index, character in enumerate(words):
            glyph = glyphs.get(position)
            used, glyph = (font, glyph) if glyph is not None else book.glyph(font, character)
            natural = book.advance(used, glyph) * size * stretch
            step_x, step_y = _step(steps_x, steps_y, index, natural, vertical=vertical, size=size)
            room = min(natural, step_x) if steps_x and step_x > 0 else natural
            placed.append(Placed(character, used, glyph, x, y, room))
            placed += [Placed("", font, more, x + natural, y, 0.0) for more in extra.get(position, ())]
            x, y = x + step_x, y + step_y
            position += 1
    return Run(tuple(placed), size, stretch, number(element.get("CharDirection"), 0.0) % 360)


def _step(
    steps_x: list[float], steps_y: list[float], index: int, natural: float, *, vertical: bool, size: float
) -> tuple[float, float]:
    """How far the pen moves after a character: what is said, the last one again when the list is short, else its width."""
    if not steps_x and not steps_y:
        return (0.0, size) if vertical else (natural, 0.0)
    return (
        steps_x[min(index, len(steps_x) - 1)] if steps_x else 0.0,
        steps_y[min(index, len(steps_y) - 1)] if steps_y else 0.0,
    )


def _deltas(value: str | None, length: int) -> list[float]:
    """A list of steps; `g n d` stands for n times d. Never longer than the text it is for."""
    tokens = (value or "").split(None, 3 * length + 3)
    found: list[float] = []
    at = 0
    while at < len(tokens) and len(found) < length:
        if tokens[at] == "g" and at + 2 < len(tokens):
            times = int(min(float(length), max(0.0, number(tokens[at + 1], 0.0))))
            found += [number(tokens[at + 2], 0.0)] * times
            at += 3
        else:
            found.append(number(tokens[at], 0.0))
            at += 1
    return found[:length]


def _transforms(element: Element) -> tuple[dict[int, int], dict[int, list[int]]]:
    """Glyphs said for character positions, and those beyond one for one that follow the last character of a group."""
    glyphs: dict[int, int] = {}
    extra: dict[int, list[int]] = {}
    for one in children(element, "CGTransform"):
        first = int(number(one.get("CodePosition"), 0.0))
        codes = max(1, int(number(one.get("CodeCount"), 1.0)))
        named = [int(glyph) for glyph in numbers(text(one, "Glyphs"), MAX_CHARACTERS) if 0 <= glyph < 65_536]
        if len(named) >= codes > 1 or codes == 1:
            glyphs |= {first + index: glyph for index, glyph in enumerate(named[:codes])}
            extra[first + codes - 1] = named[codes : codes + 64]
        else:  # several characters drawn as fewer glyphs: a ligature
            glyphs |= {first + index: named[index] if index < len(named) else 0 for index in range(min(codes, 64))}
    return glyphs, extra
