"""The words of a PDF are those people type: what Qt names by radicals is put right, and nothing else is touched."""

import io

import pypdf
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QFont, QPainter, QPdfWriter
from pytestqt.qtbot import QtBot

from desktop.ui import theme
from desktop.ui.office.record.pdf_words import readable, same_glyphs

WORDS = "派车单 用车目的地 公里 第1页 Hello"
RADICALS = range(0x2E80, 0x2FE0)


def pdf(*fonts: QFont) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    painter = QPainter(writer)
    for line, font in enumerate(fonts, 1):
        painter.setFont(font)
        painter.drawText(100, 600 * line, WORDS)
    painter.end()
    del writer
    return bytes(buffer.data().data())


def text_of(data: bytes) -> str:
    return "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data), strict=True).pages)


def folded(text: str) -> str:
    return "".join(text.split())


def test_words_can_be_found(qtbot: QtBot) -> None:
    plain, bold = theme.font("base"), theme.font("base", bold=True)
    data = pdf(plain, bold)
    made = readable(data, same_glyphs(plain))
    assert made.startswith(data)  # an update at the end
    assert folded(text_of(made)) == folded(WORDS) * 2
    assert not any(ord(sign) in RADICALS for sign in text_of(made))


def test_only_radicals_become_ideographs(qtbot: QtBot) -> None:
    found = same_glyphs(theme.font("base"))
    assert found.get(0x2F64, ord("用")) == ord("用")
    assert all(code in RADICALS and 0x4E00 <= other < 0xA000 for code, other in found.items())


def test_another_file_stays_as_it_is(qtbot: QtBot) -> None:
    same = {0x2ECB: ord("车")}
    for data in (b"", b"%PDF-1.7\nstartxref\n0\n%%EOF", pdf(theme.font("base"))[:-30]):
        assert readable(data, same) == data
    assert readable(pdf(), same)[:5] == b"%PDF-"
