"""The fonts of a document: embedded ones as they are, named ones by what the machine has, and a fallback for characters a font lacks.

A QRawFont belongs to the thread that made it: a FontBook is used by one thread only.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontDatabase, QPainterPath, QRawFont

from desktop.ui.reader.ofd.document import Face, OfdDocument

EM: Final = 100.0
"""Pixels of an em in which glyphs are taken; runs scale them."""
_SONG: Final = ("SimSun", "宋体", "方正书宋_GBK", "Songti SC", "Noto Serif CJK SC", "Source Han Serif SC")
_HEI: Final = ("SimHei", "黑体", "Heiti SC", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC")
_KAI: Final = (
    "KaiTi",
    "楷体",
    "KaiTi_GB2312",
    "楷体_GB2312",
    "Kaiti SC",
    "方正楷体_GBK",
    "LXGW WenKai",
    "Noto Serif CJK SC",
)
_FANG: Final = ("FangSong", "仿宋", "FangSong_GB2312", "仿宋_GB2312", "STFangsong", "方正仿宋_GBK", "Noto Serif CJK SC")
_MONO: Final = ("Courier New", "Liberation Mono", "DejaVu Sans Mono")
_SERIF: Final = ("Times New Roman", "Liberation Serif", "DejaVu Serif")
_SANS: Final = ("Arial", "Liberation Sans", "DejaVu Sans")
_KINDS: Final = (
    (("kai", "楷"), _KAI),
    (("fang", "仿宋"), _FANG),
    (("hei", "黑", "gothic", "yahei", "雅黑"), _HEI),
    (("song", "sun", "宋", "ming"), _SONG),
    (("courier", "mono", "consol"), _MONO),
    (("times", "serif"), _SERIF),
    (("arial", "helvetica", "sans", "calibri"), _SANS),
)


@cache
def _families() -> frozenset[str]:
    return frozenset(QFontDatabase.families())


def _family(face: Face) -> str:
    """The family to use for a named font: itself, or one of its kind that the machine has."""
    if face.name in _families():
        return face.name
    name = face.name.lower()
    wanted = next((families for words, families in _KINDS if any(word in name for word in words)), None)
    if wanted is None:
        wanted = _MONO if face.fixed else _SONG if face.serif or not name.isascii() else _SANS
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
            names = (*_SONG[-2:], *_HEI[-2:], *_SANS)
            self._fallback = [_named(one) for one in names if one in _families()]
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
