"""The fonts of a document: embedded ones as they are, named ones by what the machine has, and a fallback for characters a font lacks.

A QRawFont belongs to the thread that made it: a FontBook is used by one thread only.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import msgspec
from msgspec import Struct
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontDatabase, QPainterPath, QRawFont

from desktop.ui import i18n
from desktop.ui.reader.ofd.document import Face, OfdDocument

EM: Final = 100.0
"""Pixels of an em in which glyphs are taken; runs scale them."""


class _Kind(Struct, frozen=True):
    """Fonts that look alike: words in a name that tell them, families that stand in."""

    name: str
    words: tuple[str, ...]
    families: tuple[str, ...]


class _StandIns(Struct, frozen=True):
    fallback: tuple[str, ...]
    kinds: tuple[_Kind, ...]

    def families(self, name: str) -> tuple[str, ...]:
        """The families of a kind."""
        return next(one.families for one in self.kinds if one.name == name)


@cache
def _stand_ins() -> _StandIns:
    return msgspec.toml.decode((i18n.folder().parent / "fonts" / "stand_ins.toml").read_bytes(), type=_StandIns)


@cache
def _families() -> frozenset[str]:
    return frozenset(QFontDatabase.families())


def _family(face: Face) -> str:
    """The family to use for a named font: itself, or one of its kind that the machine has."""
    if face.name in _families():
        return face.name
    name, known = face.name.lower(), _stand_ins()
    wanted = next((one.families for one in known.kinds if any(word in name for word in one.words)), None)
    if wanted is None:
        chinese = face.serif or not name.isascii()
        wanted = known.families("mono" if face.fixed else "song" if chinese else "sans")
    return next((one for one in wanted if one in _families()), face.name)


def _named(family: str, *, bold: bool = False, italic: bool = False) -> QRawFont:
    font = QFont(family)
    font.setPixelSize(int(EM))
    font.setBold(bold)
    font.setItalic(italic)
    font.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    return QRawFont.fromFont(font)


class FontBook:
    """The raw fonts of one document, for one thread."""

    def __init__(self, document: OfdDocument) -> None:
        self._document = document
        self._fonts: dict[str, QRawFont] = {}
        self._fallback: list[QRawFont] | None = None

    def font(self, font_id: str) -> QRawFont:
        """The font of a resource ID; a missing or broken one is stood in for."""
        if font_id not in self._fonts:
            self._fonts[font_id] = self._load(self._document.resources.faces.get(font_id))
        return self._fonts[font_id]

    def _load(self, face: Face | None) -> QRawFont:
        if face is None:
            return _named(_family(Face("", "", False, False, True, False)))
        data = self._document.package.read(face.file) if face.file else None
        if data:
            font = QRawFont(data, EM, QFont.HintingPreference.PreferNoHinting)
            if font.isValid():
                return font
        return _named(_family(face), bold=face.bold, italic=face.italic)

    def glyph(self, font: QRawFont, character: str) -> tuple[QRawFont, int]:
        """The glyph of a character in this font, or in a fallback that has it; 0 where none has."""
        index = _index(font, character)
        if index:
            return font, index
        if self._fallback is None:
            self._fallback = [_named(one) for one in _stand_ins().fallback if one in _families()]
        for other in self._fallback:
            index = _index(other, character)
            if index:
                return other, index
        return font, 0

    @staticmethod
    def outline(font: QRawFont, glyph: int) -> QPainterPath:
        """The shape of a glyph, EM pixels to the em, its baseline at y = 0."""
        return font.pathForGlyph(glyph)

    @staticmethod
    def advance(font: QRawFont, glyph: int) -> float:
        """How far the pen moves after a glyph, in ems."""
        found: list[QPointF] = font.advancesForGlyphIndexes([glyph])
        return found[0].x() / EM if found else 1.0


def _index(font: QRawFont, character: str) -> int:
    found = font.glyphIndexesForString(character)
    return int(found[0]) if found else 0
