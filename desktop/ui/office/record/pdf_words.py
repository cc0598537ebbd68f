"""The words of a PDF that Qt wrote, made such that they can be found and copied.

A font draws 车 and the radical ⻋ with one glyph, and Qt's table from glyphs to characters names the lower one: the radical. Here
those tables are written again with the characters people type, as an update at the end of the file (ISO 32000-1 §7.5.6).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from PySide6.QtGui import QFont, QRawFont, QTextLayout

_RADICALS: Final = range(0x2E80, 0x2FE0)
_IDEOGRAPHS: Final = range(0x4E00, 0xA000)
_OBJECT: Final = re.compile(rb"(?:^|[\r\n])(\d+) 0 obj\s*<<((?:(?!endobj).)*?)>>\s*stream\r?\n", re.DOTALL)
_TO_UNICODE: Final = re.compile(rb"/ToUnicode (\d+) 0 R")
_TRAILER: Final = re.compile(rb"trailer\s*<<(.*?)>>\s*startxref\s+(\d+)\s+%%EOF\s*$", re.DOTALL)
_IDEOGRAPH: Final = 0x8F66  # any one will do: a cart
_CODE: Final = re.compile(rb"<([0-9A-Fa-f]{4})>")


def same_glyphs(font: QFont) -> Mapping[int, int]:
    """Radicals that a font draws as it draws an ideograph, each with that ideograph; code points."""
    return _same_glyphs(font.family(), font.weight())


@lru_cache(maxsize=4)
def _same_glyphs(family: str, weight: int) -> Mapping[int, int]:
    layout = QTextLayout(
        chr(_IDEOGRAPH), QFont(family, 10, weight)
    )  # the font that draws it may be another than the one asked for
    layout.beginLayout()
    layout.createLine()
    layout.endLayout()
    runs = layout.glyphRuns()
    if not runs:
        return {}
    raw = runs[0].rawFont()
    glyphs = {glyph: code for code in reversed(_IDEOGRAPHS) if (glyph := _glyph(raw, code))}
    return {code: glyphs[glyph] for code in _RADICALS if (glyph := _glyph(raw, code)) in glyphs}


def _glyph(raw: QRawFont, code: int) -> int:
    found = raw.glyphIndexesForString(chr(code))
    return int(found[0]) if found else 0


def readable(data: bytes, same: Mapping[int, int]) -> bytes:
    """The file with its tables put right; as it is where it is not written the way Qt does."""
    trailer = _TRAILER.search(data)
    if trailer is None or not same:
        return data
    wanted = {int(one) for one in _TO_UNICODE.findall(data)}
    places: dict[int, int] = {}
    added = bytearray()
    for found in _OBJECT.finditer(data):
        number = int(found[1])
        if number not in wanted:
            continue
        table = _table(data, found)
        if table is None:
            return data
        mended = _mended(table, same)
        places[number] = len(data) + len(added)
        added += b"%d 0 obj\n<< /Length %d >>\nstream\n" % (number, len(mended)) + mended + b"\nendstream\nendobj\n"
    if not places:
        return data
    start = len(data) + len(added)
    rows = b"".join(b"%d 1\n%010d 00000 n \n" % (number, place) for number, place in sorted(places.items()))
    entries = re.sub(rb"/Prev \d+", b"", trailer[1]).strip()
    end = b"trailer\n<<\n%s\n/Prev %d\n>>\nstartxref\n%d\n%%%%EOF\n" % (entries, int(trailer[2]), start)
    return data + bytes(added) + b"xref\n0 1\n0000000000 65535 f \n" + rows + end


def _table(data: bytes, found: re.Match[bytes]) -> bytes | None:
    end = data.find(b"endstream", found.end())
    body = data[found.end() : end]
    if b"/FlateDecode" not in found[2]:
        return body.rstrip(b"\r\n")
    try:
        return zlib.decompressobj().decompress(body)
    except zlib.error:
        return None


def _mended(table: bytes, same: Mapping[int, int]) -> bytes:
    """Only what a glyph stands for is changed: the last code of a line, and those of a list."""

    def put(found: re.Match[bytes]) -> bytes:
        code = int(found[1], 16)
        return b"<%04X>" % same.get(code, code)

    lines = []
    for line in table.split(b"\n"):
        head, mark, rest = line.partition(b"[")
        if mark:
            lines.append(head + mark + _CODE.sub(put, rest))
            continue
        codes = list(_CODE.finditer(line))
        if len(codes) < 2 or line.lstrip()[:1] != b"<":
            lines.append(line)
            continue
        last = codes[-1]
        lines.append(line[: last.start()] + put(last) + line[last.end() :])
    return b"\n".join(lines)
