"""The reader beyond PDF and OFD: archives, Markdown, workbooks, Word, slides, sound; what is hostile is refused with a sentence."""

import gzip
import io
import struct
import tarfile
import wave
import zipfile
from datetime import date
from typing import TypeVar

import openpyxl
import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QGuiApplication, QImage, QTextDocument
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop.core.domain import LocalDocument
from desktop.ui.i18n import tr
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.reader.formats import archive as archives
from desktop.ui.reader.formats.archive import open_archive
from desktop.ui.reader.formats.archive_view import ArchiveView
from desktop.ui.reader.formats.media_view import MediaView, clock_text, is_media
from desktop.ui.reader.formats.rich_view import RichView
from desktop.ui.reader.formats.sheets_view import SheetsView, column_name
from desktop.ui.reader.formats.slides import load_slides
from desktop.ui.reader.formats.word import load_word
from desktop.ui.reader.formats.workbook import load_workbook
from desktop.ui.reader.kinds import Kind
from desktop.ui.reader.page_source import DocumentProblem
from tests.helpers.fake_session import NOW, make_png
from tests.helpers.stage import play, press, shown, until

NO_SPEAKER = pytest.mark.qt_log_level_fail(
    "CRITICAL"
)  # what the sound and film libraries of this machine say of themselves
V = TypeVar("V", bound=QWidget)
W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"


def make_zip(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in entries.items():
            made.writestr(name, data)
    return out.getvalue()


def make_word(body: str, *, head: str = "", extra: dict[str, bytes] | None = None, links: str = "") -> bytes:
    types = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="png" ContentType="image/png"/></Types>'
    return make_zip(
        {
            "[Content_Types].xml": types.encode(),
            "_rels/.rels": f'<Relationships xmlns="{RELS}"><Relationship Id="r" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>'
            "</Relationships>".encode(),
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{RELS}">{links}</Relationships>'.encode(),
            "word/document.xml": f'{head}<w:document xmlns:w="{W}" xmlns:r="{OFFICE}"><w:body>{body}</w:body></w:document>'.encode(),
            **(extra or {}),
        }
    )


def paragraph(text: str, style: str = "") -> str:
    dress = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{dress}<w:r><w:t>{text}</w:t></w:r></w:p>"


def make_slides(texts: list[str], picture: bytes) -> bytes:
    links = "".join(
        f'<Relationship Id="r{n}" Type="{OFFICE}/slide" Target="slides/slide{n}.xml"/>' for n in range(len(texts))
    )
    ids = "".join(f'<p:sldId id="{256 + n}" r:id="r{n}"/>' for n in reversed(range(len(texts))))
    entries = {
        "ppt/presentation.xml": f'<p:presentation xmlns:p="{P}" xmlns:r="{OFFICE}"><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>'.encode(),
        "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{RELS}">{links}</Relationships>'.encode(),
        "ppt/media/a.png": picture,
    }
    for n, text in enumerate(texts):
        entries[f"ppt/slides/slide{n}.xml"] = (
            f'<p:sld xmlns:p="{P}" xmlns:a="{A}" xmlns:r="{OFFICE}"><p:cSld><p:spTree>'
            f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="title"/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>'
            '<p:pic><p:blipFill><a:blip r:embed="p"/></p:blipFill></p:pic></p:spTree></p:cSld></p:sld>'
        ).encode()
        entries[f"ppt/slides/_rels/slide{n}.xml.rels"] = (
            f'<Relationships xmlns="{RELS}"><Relationship Id="p" Type="{OFFICE}/image" Target="../media/a.png"/></Relationships>'.encode()
        )
    return make_zip(entries)


def make_book() -> bytes:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "值班表"
    first.append(["姓名", "日期", "金额", "比例"])
    first.append(["林远", date(2026, 10, 22), 1234.5, 0.25])
    first["C2"].number_format = "#,##0.00"
    first["D2"].number_format = "0%"
    second = book.create_sheet("物资")
    second["B600"] = "救生衣"
    book.create_sheet("隐藏").sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def make_wave(seconds: float = 1.5) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(2)
        made.setframerate(8000)
        made.writeframes(struct.pack("<h", 900) * int(8000 * seconds))
    return out.getvalue()


def make_tar(mode: str, entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as made:  # type: ignore[call-overload]  # a mode that is not a literal
        for name, data in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return out.getvalue()


def code_of(call: object, *args: object) -> str:
    assert callable(call)
    with pytest.raises(DocumentProblem) as problem:
        call(*args)
    return problem.value.code


# ------------------------------------------------------------ archives
@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_archives_are_listed_and_one_entry_is_read(mode: str) -> None:
    entries = {"防汛/值班.txt": "全文".encode(), "防汛/图/一.png": b"\x89PNG", "空.txt": b""}
    data = make_zip(entries) if mode == "zip" else make_tar(mode, entries)
    opened = open_archive(data, f"a.{mode}")
    assert [(one.path, one.size) for one in opened.listing().entries] == [(k, len(v)) for k, v in entries.items()]
    assert opened.read("防汛/值班.txt") == "全文".encode()
    assert code_of(opened.read, "没有.txt") == "brokenEntry"


def test_a_single_packed_file_is_one_entry() -> None:
    opened = open_archive(gzip.compress(b"log line"), "server.log.gz")
    assert [(one.path, one.size) for one in opened.listing().entries] == [("server.log", -1)]
    assert opened.read("server.log") == b"log line"


def test_names_written_by_chinese_windows_are_read() -> None:
    raw = "通知.txt".encode("gb18030")
    data = make_zip({"x" * len(raw): b"1"}).replace(b"x" * len(raw), raw)
    opened = open_archive(data, "a.zip")
    assert [one.path for one in opened.listing().entries] == ["通知.txt"]
    assert opened.read("通知.txt") == b"1"


def test_bombs_and_locked_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_ENTRY", 1 << 20)
    monkeypatch.setattr(archives, "MAX_WALKED", 1 << 20)
    monkeypatch.setattr(archives, "RATIO_FROM", 1 << 18)
    zeros = bytes(2 << 20)
    assert code_of(open_archive(make_zip({"a": zeros}), "a.zip").read, "a") == "tooLargeEntry"
    assert code_of(open_archive(make_zip({"a": zeros[: 1 << 19]}), "a.zip").read, "a") == "tooLargeEntry"
    assert code_of(open_archive(gzip.compress(zeros), "a.gz").read, "a") == "tooLargeEntry"
    cut = open_archive(make_tar("w:gz", {"a": zeros, "b": b"1"}), "a.tgz").listing()
    assert (cut.cut, [one.path for one in cut.entries]) == (True, ["a"])
    lying = bytearray(make_zip({"a": zeros[: 1 << 19]}))
    place = lying.rindex(b"PK\1\2") + 24
    lying[place : place + 4] = struct.pack("<I", 10)  # tells of ten bytes only
    assert code_of(open_archive(bytes(lying), "a.zip").read, "a") == "brokenEntry"
    locked = bytearray(make_zip({"a": b"1"}))
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(mark) + offset] |= 1
    opened = open_archive(bytes(locked), "a.zip")
    assert opened.listing().entries[0].locked
    assert code_of(opened.read, "a") == "lockedEntry"


@settings(max_examples=40)
@given(st.sampled_from([b"PK\3\4", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b""]), st.binary(max_size=700))
def test_any_bytes_are_an_archive_or_refused(start: bytes, data: bytes) -> None:
    try:
        opened = open_archive(start + data, "a.zip")
        for entry in opened.listing().entries:
            opened.read(entry.path)
    except DocumentProblem:
        return


# ------------------------------------------------------------ documents of office programs
def test_a_workbook_is_read_as_people_see_it() -> None:
    first, second = load_workbook(make_book())
    assert [one.text if one else "" for one in first.rows[1]] == ["林远", "2026-10-22", "1,234.50", "25%"]
    assert (first.name, second.name) == ("值班表", "物资")
    assert second.rows[599][1] is not None
    assert [column_name(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_word_becomes_safe_html_with_its_own_pictures_only() -> None:
    picture = (
        '<w:p><w:r><w:drawing><wp:inline xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing">'
        f'<a:graphic xmlns:a="{A}"><a:graphicData><pic:pic xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture">'
        '<pic:blipFill><a:blip {}="i"/></pic:blipFill></pic:pic></a:graphicData></a:graphic></wp:inline></w:drawing></w:r></w:p>'
    )
    table = f"<w:tbl><w:tr><w:tc>{paragraph('甲')}</w:tc><w:tc>{paragraph('乙')}</w:tc></w:tr></w:tbl>"
    body = paragraph("防汛预案", "Heading1") + paragraph("第一条 &lt;script&gt;") + table + picture.format("r:embed")
    inside = f'<Relationship Id="i" Type="{OFFICE}/image" Target="media/a.png"/>'
    made = load_word(make_word(body, extra={"word/media/a.png": make_png(8, 8, (9, 9, 99))}, links=inside))
    assert "<h1>防汛预案</h1>" in made.text
    assert "<td><p>甲</p></td>" in made.text
    assert "<script" not in made.text
    assert list(made.pictures) == ["part:0"]
    outside = f'<Relationship Id="i" Type="{OFFICE}/image" Target="file:///etc/hostname" TargetMode="External"/>'
    far = load_word(make_word(body.replace("r:embed", "r:link"), links=outside))
    assert far.pictures == {}


def test_hostile_documents_are_refused() -> None:
    laughs = '<!DOCTYPE a [<!ENTITY b "ha">]>'
    assert code_of(load_word, make_word(paragraph("&b;"), head=laughs)) == "brokenWord"
    deep = "<w:p>" * 3000 + "</w:p>" * 3000
    assert code_of(load_word, make_word(deep)) == "brokenWord"
    assert code_of(load_word, make_word(paragraph("a" * (13 << 20)))) == "tooLargeOffice"
    assert code_of(load_word, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") == "lockedOffice"
    for load, broken in ((load_word, "brokenWord"), (load_workbook, "brokenWorkbook"), (load_slides, "brokenSlides")):
        assert code_of(load, b"PK\3\4nonsense") == broken
        assert code_of(load, make_zip({"a.txt": b"1"})) == broken
        assert code_of(load, make_zip({f"{n}": b"" for n in range(5001)})) == "tooLargeOffice"


def test_slides_come_in_their_order_with_pictures() -> None:
    made = load_slides(make_slides(["第一页 &amp; 一", "第二页"], make_png(8, 8, (9, 9, 99))))
    assert made.text.index("1. 第二页") < made.text.index("2. 第一页 &amp; 一")
    assert list(made.pictures) == ["part:ppt/media/a.png"]


# ------------------------------------------------------------ the widget
def make_reader(data: bytes, name: str, *, may_copy: bool = True) -> DocumentReader:
    reader = DocumentReader("林远", lambda: NOW)
    shown(reader)
    reader.show_document(name, LocalDocument(name, "", data, None, may_copy, may_copy))
    return reader


def label_of(reader: DocumentReader, name: str) -> str:
    widget = reader.findChild(QWidget, name)
    assert widget is not None
    return str(widget.property("text"))


async def view_of(reader: DocumentReader, kind: Kind, view: type[V]) -> V:
    await until(lambda: reader.kind is kind, kind)
    found = reader.findChild(view)
    assert found is not None
    return found


def search(reader: DocumentReader, needle: str) -> None:
    reader.open_find()
    box = reader.findChild(QLineEdit, "readerFindBox")
    assert box is not None
    box.setText(needle)


def test_an_archive_is_walked_and_back_leads_to_it() -> None:
    async def scene() -> None:
        inner = make_zip({"里/说明.md": "# 内层".encode()})
        reader = make_reader(make_zip({"资料/内.zip": inner, "资料/坏.txt": b"\0"}), "外.zip", may_copy=False)
        closed: list[bool] = []
        reader.closed.connect(lambda: closed.append(True))
        view = await view_of(reader, Kind.ARCHIVE, ArchiveView)
        assert [one.path for one in view.model.entries] == ["资料"]
        press(view.table, Qt.Key.Key_Return)
        assert [one.path for one in view.model.entries] == ["资料/内.zip", "资料/坏.txt"]
        view.go_up()
        search(reader, "内")
        await until(lambda: view.table.currentIndex().isValid() and len(view.model.entries) == 2, "found below")
        press(view.table, Qt.Key.Key_Return)
        await until(lambda: reader.header.title.text() == "内.zip" and reader.kind is Kind.ARCHIVE, "inner archive")
        search(reader, "说明")
        await until(lambda: [one.path for one in view.model.entries] == ["里/说明.md"], "found inside")
        press(view.table, Qt.Key.Key_Return)
        text = await view_of(reader, Kind.MARKDOWN, RichView)
        assert not text.may_copy
        reader.leave()
        await until(lambda: reader.kind is Kind.ARCHIVE, "back in the inner one")
        reader.leave()
        await until(lambda: reader.header.title.text() == "外.zip" and reader.kind is Kind.ARCHIVE, "back outside")
        assert not closed
        reader.leave()
        assert closed == [True]

    play(scene())


def test_markdown_has_form_is_searched_and_fetches_nothing() -> None:
    async def scene() -> None:
        text = "# 防汛 😀\n\n![远](http://192.0.2.1/a.png) <b>原样</b>\n\n|甲|乙|\n|-|-|\n|1|2|\n\n值班 [链](https://example.org)\n"
        reader = make_reader(text.encode(), "说明.md", may_copy=False)
        view = await view_of(reader, Kind.MARKDOWN, RichView)
        assert view.document().begin().blockFormat().headingLevel() == 1
        assert "<b>原样</b>" in view.toPlainText()  # HTML inside is shown as it stands, never obeyed
        picture = view.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl("file:///etc/hostname"))
        assert isinstance(picture, QImage)
        assert picture.isNull()
        search(reader, "值班")
        await until(lambda: label_of(reader, "readerFindCount") == "1 / 1")
        assert [one.cursor.selectedText() for one in view.extraSelections()] == ["值班"]
        view.selectAll()
        QGuiApplication.clipboard().setText("before")
        view.copy_selected()
        assert QGuiApplication.clipboard().text() == "before"

    play(scene())


def test_word_and_slides_are_shown_with_their_pictures() -> None:
    async def scene() -> None:
        reader = make_reader(make_word(paragraph("防汛预案", "Heading1") + paragraph("正文")), "预案.docx")
        view = await view_of(reader, Kind.WRITING, RichView)
        assert view.toPlainText() == "防汛预案\n正文"
        reader.show_document(
            "会", LocalDocument("会.pptx", "", make_slides(["开场"], make_png(40, 30, (9, 9, 99))), None, True, True)
        )
        await view_of(reader, Kind.SLIDES, RichView)
        assert "1. 开场" in view.toPlainText()
        inside = view.loadResource(QTextDocument.ResourceType.ImageResource.value, QUrl("part:ppt/media/a.png"))
        assert isinstance(inside, QImage)
        assert inside.width() == 40

    play(scene())


def test_a_workbook_has_tabs_is_searched_across_sheets_and_copied() -> None:
    async def scene() -> None:
        reader = make_reader(make_book(), "值班.xlsx")
        view = await view_of(reader, Kind.WORKBOOK, SheetsView)
        assert [view.tabs.tabText(n) for n in range(view.tabs.count())] == ["值班表", "物资"]
        view.grid.selectAll()
        view.copy_selected()
        assert "林远\t2026-10-22\t1,234.50\t25%" in QGuiApplication.clipboard().text()
        search(reader, "救生衣")
        await until(lambda: view.tabs.currentIndex() == 1 and view.grid.currentIndex().row() == 599, "other sheet")
        before = view.grid.verticalHeader().defaultSectionSize()
        view.zoom_step(1)
        assert view.grid.verticalHeader().defaultSectionSize() > before
        view.may_copy = False
        QGuiApplication.clipboard().setText("before")
        QTest.keyClick(view.grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert QGuiApplication.clipboard().text() == "before"

    play(scene())


@NO_SPEAKER
def test_sound_is_played_sought_and_slowed_out_of_memory() -> None:
    async def scene() -> None:
        reader = make_reader(make_wave(), "会议.wav")
        view = await view_of(reader, Kind.MEDIA, MediaView)
        await until(lambda: label_of(reader, "mediaTime") == "0:00 / 0:01", "its length")
        view.skip(1200)
        assert view.player.position() == 1200
        view.speed.setCurrentIndex(0)
        assert view.player.playbackRate() == 0.5
        press(view, Qt.Key.Key_Space)
        await until(lambda: view.player.isPlaying() and view.player.position() > 1200, "playing")
        press(view, Qt.Key.Key_Space)
        assert not view.player.isPlaying()
        reader.clear()
        assert view.player.sourceDevice() is None

    play(scene())


@NO_SPEAKER
def test_what_only_names_addresses_is_not_played() -> None:
    assert not is_media(b"#EXTM3U\nhttp://192.0.2.1/a.ts\n")
    assert [clock_text(ms) for ms in (0, 187_000, 3_723_000)] == ["0:00", "3:07", "1:02:03"]

    async def scene() -> None:
        reader = make_reader(b"#EXTM3U\nhttp://192.0.2.1/a.ts\n", "a.mp4")
        await until(lambda: label_of(reader, "readerProblemText") == tr("reader.problem.notMedia"))
        cut = LocalDocument("b.ogg", "", b"OggS" + bytes(3000), None, True, True)
        reader.show_document("b", cut)
        await until(lambda: label_of(reader, "readerProblemText") == tr("reader.problem.noCodec"))

    play(scene())


def test_pages_of_the_server_are_shown_in_place_of_the_document_itself() -> None:
    async def scene() -> None:
        reader = make_reader(b"", "预案.docx")
        pages = bytes(typst.compile(b"pages of the server"))
        reader.show_document("预案", LocalDocument("预案.docx", "", b"PK", None, True, True, pages=pages))
        assert reader.kind is Kind.PDF
        assert reader.pages is not None

    play(scene())
