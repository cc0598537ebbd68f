"""The document reader: searching as people mean it, encodings, hostile files, selection, policy, and each failure's own sentence."""

import asyncio
import base64
import zlib
from collections.abc import Callable

import pytest
import typst
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from desktop.core.domain import LocalDocument
from desktop.core.errors import LeaseExpired, Offline, Rejected
from desktop.ui.i18n import tr
from desktop.ui.kit import IconButton
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.reader.kinds import Kind, kind_of, readable
from desktop.ui.reader.page_images import STRIP_PIXELS, strips
from desktop.ui.reader.page_source import DocumentProblem
from desktop.ui.reader.pages_view import PagesView
from desktop.ui.reader.pdf_source import PdfSource
from desktop.ui.reader.picture_view import PictureView, decode_picture
from desktop.ui.reader.problem_pane import ProblemPane
from desktop.ui.reader.search_run import SearchRun
from desktop.ui.reader.text_decode import NotText, decode_text
from desktop.ui.reader.text_marks import PIECE, pieces
from desktop.ui.reader.text_search import FoldedText, Span
from desktop.ui.reader.text_view import TextView
from desktop.ui.reader.zoom import LARGEST, SMALLEST, STEPS, Fit, step
from tests.helpers.fake_session import NOW, make_png
from tests.helpers.stage import play, shown, until

SECRET = base64.b64decode(
    "eNqNUctuFDEQvPsr+rJH4vZzbGm0B5KshABlNQlcohz8XAatZqJZr5Twkxz4A/gRvBNIVlkOWLJkVVdVt6sX64vVG3YmyOLnr+8/"
    "CAOE0X8lbUvoehrjPqQJ2hiYcQG9D0uyXJI0xAOHH3FvHu8T0LXbpB2h5+N+KMAIfd/HHdyCrMQO7o6k4kR67orbjhvy5AEH7+5I"
    "IP/Zi9Au7cb9FKqiViqdfkyxd2/Hh9oWz3C+HJ/u3cF8SnW01+7qyP3zYfAOOKEf0rApX0Bi1YHkVlrdcFsLq35baiz0urghuikS"
    "egWtZZgarxrDkRmL0njD0PnYCCm10Jlzz7w2igduRQhGqYA1UonaBSc1r7N/glagUSZJYWN2Jgmus2qyUMo6K5OSKmGOgWcTPM/W"
    "cI7WqNCwZHwQ2Bg83s/DlDJB0ASfD2ilhIIMzxirf58rwwum7AnGmDnFdHOCcc1esDK5fpumOdbr/luqo9BuHAuIOX/6bsgjsD/v"
    "i7qxNmQps0ORueMum5SUkxIzBu4bE5NY/g+l7vlyCNPjfQH1d9G74qYyByIbRRaLy6sV+Q313MOm"
)
"""An empty page, encrypted with RC4-40 by pypdf; the password is below."""
PASSWORD = "geheim"
SOURCE = """
#set page(paper: "a4", margin: 28mm)
#set text(font: "Noto Serif CJK SC", size: 16pt, lang: "zh")
= 关于做好防汛值班工作的通知
#for number in range(1, 13) [
  == 第 #number 章
  为切实做好今年防汛值班工作,严格落实领导带班和 24 小时值班制度,现将有关事项通知如下。
  各单位主要负责同志为第一责任人,突发险情须在 30 分钟内电话报告。 Duty officers report at once.
  #pagebreak()
]
"""


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return bytes(typst.compile(SOURCE.encode()))


@pytest.fixture
def source(qapp: QApplication, pdf: bytes) -> PdfSource:
    return PdfSource(pdf)


def local(
    data: bytes, name: str = "a.pdf", *, kind: str = "", may_copy: bool = True, may_print: bool = True
) -> LocalDocument:
    return LocalDocument(name, kind, data, None, may_print, may_copy)


# ------------------------------------------------------------ text without Qt
@pytest.mark.parametrize(
    ("text", "needle", "found"),
    [
        ("值班制\r\n度", "值班制度", ["值班制\r\n度"]),
        ("带班和 24 小时", "带班和24小时", ["带班和 24 小时"]),
        ("ＡＢＣ abc", "abc", ["ＡＢＣ", "abc"]),
        ("Duty officers\r\nreport", "officers report", ["officers\r\nreport"]),
        ("into the box", "in to", []),
        ("aaaa", "aa", ["aa", "aa"]),
        ("任何文字", "   ", []),
        ("Straße", "STRASSE", ["Straße"]),
    ],
)
def test_search_means_what_people_mean(text: str, needle: str, found: list[str]) -> None:
    hits = FoldedText(text).find_all(needle)
    assert [text[h.start : h.start + h.length] for h in hits] == found


@given(st.text(), st.text())
def test_search_finds_only_what_is_there(text: str, needle: str) -> None:
    wanted = FoldedText(needle).text
    hits = FoldedText(text).find_all(needle)
    assert all(wanted in FoldedText(text[h.start : h.start + h.length]).text for h in hits)
    assert all(h.start >= 0 and h.start + h.length <= len(text) for h in hits)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("防汛\r\n值班".encode(), "防汛\n值班"),
        ("防汛值班".encode("gb18030"), "防汛值班"),
        ("防汛".encode("utf-8-sig"), "防汛"),
        ("防汛".encode("utf-16"), "防汛"),
        (b"", ""),
    ],
)
def test_text_files_of_each_encoding(data: bytes, text: str) -> None:
    assert decode_text(data)[0] == text


def test_a_program_is_no_text() -> None:
    with pytest.raises(NotText):
        decode_text(b"\x7fELF\0\0\1")


@given(st.binary())
def test_any_bytes_are_text_or_refused(data: bytes) -> None:
    try:
        text, _ = decode_text(data)
    except NotText:
        return
    assert "\r" not in text


@given(st.text(alphabet=st.sampled_from("防汛ab \n"), max_size=60), st.integers(1, 40))
def test_pieces_are_the_whole_text(text: str, times: int) -> None:
    long = text * times * 40
    found = pieces(long)
    assert "".join(piece for _, piece in found) == long
    assert all(long[start : start + len(piece)] == piece and len(piece) <= PIECE for start, piece in found)


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (b"%PDF-1.7", "misnamed.txt", Kind.PDF),
        (b"\x89PNG\r\n\x1a\n", "x.bin", Kind.PICTURE),
        (b"RIFF0000WEBP", "x", Kind.PICTURE),
        ("正文".encode(), "说明.TXT", Kind.TEXT),
        (b"PK\3\4", "a.docx", Kind.WRITING),
        (b"PK\3\4", "a", Kind.ARCHIVE),
        (b"\xd0\xcf\x11\xe0", "a.doc", Kind.OTHER),
        (b"<svg/>", "a.svg", Kind.OTHER),
    ],
)
def test_a_file_is_what_its_bytes_say(data: bytes, name: str, kind: Kind) -> None:
    assert kind_of(data, name) is kind


def test_readable_is_told_by_the_name_alone() -> None:
    assert [readable(n) for n in ("a.pdf", "a.PNG", "a.csv", "a.xlsx", "a.dwg")] == [True, True, True, True, False]


@given(st.integers(1, 6000), st.integers(1, 20000))
def test_strips_cover_a_page_once(width: int, height: int) -> None:
    found = strips(3, width, height)
    assert [s.top for s in found] == [sum(s.depth for s in found[:n]) for n in range(len(found))]
    assert sum(s.depth for s in found) == height
    assert all(s.depth * width <= max(STRIP_PIXELS, 64 * width) for s in found)


@given(st.floats(0.05, 9))
def test_zoom_steps_always_move_and_stay_inside(factor: float) -> None:
    larger, smaller = step(factor, 1), step(factor, -1)
    assert larger in STEPS
    assert smaller in STEPS
    assert larger > factor or larger == LARGEST
    assert smaller < factor or smaller == SMALLEST


# ------------------------------------------------------------ PDF
def test_pdf_outline_and_pages(source: PdfSource) -> None:
    outline = source.outline()
    assert outline[0].title == "关于做好防汛值班工作的通知"
    assert [h.page for h in outline[0].children][:3] == [0, 1, 2]
    assert source.page_count == len(outline[0].children) + 1


def test_pdf_hits_over_a_line_break_have_rectangles_in_both_lines(source: PdfSource) -> None:
    (hit,) = source.find(0, "严格落实领导带班和24小时值班制度")
    rectangles = source.rectangles(0, hit)
    assert len({round(r.center().y()) for r in rectangles}) == 2
    assert source.find(0, "没有的话") == []


def test_pdf_selection_snaps_to_the_nearest_line(source: PdfSource) -> None:
    first = source.select(0, QPointF(0, 0), QPointF(9999, 9999))
    whole = source.select_page(0)
    assert first is not None
    assert whole is not None
    assert "关于做好防汛值班" in first.text
    assert first.text.strip()[-4:] == whole.text.strip()[-4:]


def test_pdf_word_under_the_pointer(source: PdfSource) -> None:
    (hit,) = source.find(0, "officers")
    word = source.select_word(0, source.rectangles(0, hit)[0].center())
    assert word is not None
    assert word.text == "officers"


@pytest.mark.parametrize("data", [b"", b"%PDF-1.4 junk", b"%PDF-1.7\n%%EOF"])
def test_broken_pdfs_say_so(qapp: QApplication, data: bytes) -> None:
    with pytest.raises(DocumentProblem) as problem:
        PdfSource(data)
    assert problem.value.code == "brokenPdf"


def test_truncated_pdf_says_so(qapp: QApplication, pdf: bytes) -> None:
    with pytest.raises(DocumentProblem) as problem:
        PdfSource(pdf[: len(pdf) // 2])
    assert problem.value.code == "brokenPdf"


def test_password_needed_wrong_and_right(qapp: QApplication) -> None:
    with pytest.raises(DocumentProblem) as problem:
        PdfSource(zlib.decompress(SECRET))
    assert problem.value.code == "passwordNeeded"
    with pytest.raises(DocumentProblem) as problem:
        PdfSource(zlib.decompress(SECRET), "wrong")
    assert problem.value.code == "passwordWrong"
    assert PdfSource(zlib.decompress(SECRET), PASSWORD).page_count == 1


@given(st.binary(max_size=300))
def test_any_bytes_are_a_pdf_or_refused(data: bytes) -> None:
    with pytest.raises(DocumentProblem):
        PdfSource(b"%PDF-1.5\n" + data)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_picture_or_none(data: bytes) -> None:
    assert decode_picture(b"\x89PNG\r\n\x1a\n" + data) is None


# ------------------------------------------------------------ the search in steps
def found_in(parts: list[int]) -> Callable[[int, str], list[Span]]:
    return lambda part, needle: [Span(n, 1) for n in range(parts[part])]


def test_search_begins_at_the_page_in_view_and_goes_round() -> None:
    async def scene() -> None:
        owner = QWidget()
        run = SearchRun(owner)
        run.set_document(4, found_in([1, 0, 2, 1]))
        run.start("x", 2)
        await until(lambda: run.done)
        assert len(run.hits) == 4
        assert run.current_hit is not None
        assert run.current_hit.part == 2
        assert [hit.part for hit in (run.move(1), run.move(1), run.move(1), run.move(-1)) if hit] == [2, 3, 0, 3]

    play(scene())


def test_a_new_search_forgets_the_old() -> None:
    async def scene() -> None:
        owner = QWidget()
        run = SearchRun(owner)
        run.set_document(2, found_in([3, 3]))
        run.start("x", 0)
        run.start("", 0)
        await asyncio.sleep(0.02)
        assert (run.hits, run.done, run.move(1)) == ([], True, None)

    play(scene())


# ------------------------------------------------------------ the widget
def make_reader() -> DocumentReader:
    reader = DocumentReader("林远", lambda: NOW)
    shown(reader)
    return reader


def text_of(reader: DocumentReader, name: str) -> str:
    widget = reader.findChild(QWidget, name)
    assert widget is not None
    return str(widget.property("text"))


def button(reader: DocumentReader, name: str) -> IconButton:
    found = reader.findChild(IconButton, name)
    assert found is not None
    return found


def pdf_view(reader: DocumentReader) -> PagesView:
    view = reader.findChild(PagesView)
    assert view is not None
    return view


def test_pdf_is_drawn_searched_and_walked_through(pdf: bytes) -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_document("通知", local(pdf))
        view = pdf_view(reader)
        assert reader.kind is Kind.PDF
        images = view.images
        assert images is not None
        await until(
            lambda: not images.busy and view.grab().toImage().pixelColor(view.width() // 2, 60).lightness() > 250
        )
        reader.open_find()
        QTest.keyClicks(reader.findChild(QWidget, "readerFindBox"), "officers")
        await until(lambda: text_of(reader, "readerFindCount") == "1 / 12", "count")
        rect = view._page_rect(0)
        await until(lambda: view._current is not None and view._current[1], "the hit's place")
        (place,) = view._current[1] if view._current else ()
        assert view.viewport().rect().contains((rect.topLeft() + place.center() * view._scale).toPoint())
        for _ in range(2):
            QTest.keyClick(reader.findChild(QWidget, "readerFindBox"), Qt.Key.Key_Return)
        assert text_of(reader, "readerFindCount") == "3 / 12"
        await until(lambda: view.page == 2, "the third page")
        field = reader.findChild(QWidget, "readerPageField")
        assert field is not None
        field.setFocus()
        field.setProperty("text", "7")
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert view.page == 6
        QTest.keyClick(reader.findChild(QWidget, "readerFindBox"), Qt.Key.Key_Escape)
        assert text_of(reader, "readerFindCount") == ""

    play(scene())


def test_zoom_keeps_the_place_and_fit_follows_the_window(pdf: bytes) -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_document("通知", local(pdf))
        view = pdf_view(reader)
        view.go_to(5, 300)
        before = view._point_at(QPointF(view.viewport().rect().center()))
        view.zoom_step(1)
        after = view._point_at(QPointF(view.viewport().rect().center()))
        assert before[0] == after[0]
        assert abs(before[1].y() - after[1].y()) < 3
        view.set_fit(Fit.PAGE)
        small = view.factor
        reader.resize(QSize(1096, 1200))
        await until(lambda: view.factor > small)

    play(scene())


def drag_over_page(view: PagesView) -> None:
    rect = view._page_rect(0)
    start, end = rect.topLeft().toPoint(), rect.bottomRight().toPoint()
    QTest.mousePress(view.viewport(), Qt.MouseButton.LeftButton, pos=start)
    view._drag_to(QPointF(end))
    QTest.mouseRelease(view.viewport(), Qt.MouseButton.LeftButton, pos=end)


def test_selected_text_is_copied(pdf: bytes) -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_document("通知", local(pdf))
        view = pdf_view(reader)
        QGuiApplication.clipboard().clear()
        drag_over_page(view)
        QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert "第一责任人" in QGuiApplication.clipboard().text().replace("\n", "")

    play(scene())


def test_policy_forbids_copy_print_and_save_and_says_why(pdf: bytes) -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_document("通知", local(pdf, may_copy=False, may_print=False))
        view = pdf_view(reader)
        QGuiApplication.clipboard().setText("before")
        drag_over_page(view)
        assert view.selected_text
        QTest.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert QGuiApplication.clipboard().text() == "before"
        for name, key in (("reader_copy", "no_copy"), ("reader_print", "no_print"), ("reader_save", "no_save")):
            assert not button(reader, name).isEnabled()
            assert button(reader, name).toolTip() == tr(f"reader.{key}")

    play(scene())


def test_watermark_lies_over_the_page(pdf: bytes) -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_document("通知", local(pdf))
        view = pdf_view(reader)
        assert view.watermark.startswith("林远 2026-10-22")
        images = view.images
        assert images is not None
        view.viewport().repaint()
        await until(lambda: not images.busy)
        marked = view.grab().toImage()
        view.watermark = ""
        assert view.grab().toImage() != marked

    play(scene())


def test_gb18030_text_is_shown_and_searched() -> None:
    async def scene() -> None:
        reader = make_reader()
        text = "值班制度\n" * 9000
        reader.show_document("说明", local(text.encode("gb18030"), "说明.txt"))
        view = reader.findChild(TextView)
        assert view is not None
        assert reader.kind is Kind.TEXT
        await until(lambda: view.filled)
        assert view.toPlainText() == text
        reader.open_find()
        box = reader.findChild(QLineEdit, "readerFindBox")
        assert box is not None
        box.setText("度")
        await until(lambda: text_of(reader, "readerFindCount") == "1 / 5000+", "hits")
        QTest.keyClick(box, Qt.Key.Key_Return)
        assert text_of(reader, "readerFindCount") == "2 / 5000+"
        assert view.extraSelections()

    play(scene())


def test_picture_is_fitted_turned_and_copied() -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_document("照片", local(make_png(1600, 800, (90, 120, 200)), "照片.png", kind="image/png"))
        await until(lambda: reader.kind is Kind.PICTURE)
        view = reader.findChild(PictureView)
        assert view is not None
        assert view.factor < 1
        view.rotate()
        assert view.image.size() == QSize(800, 1600)
        reader.copy()
        copied: QImage = QGuiApplication.clipboard().image()
        assert copied.size() == QSize(800, 1600)

    play(scene())


@pytest.mark.parametrize(
    ("data", "name", "key"),
    [
        (b"%PDF-1.4 nonsense", "a.pdf", "brokenPdf"),
        (b"\x89PNG\r\n\x1a\nnonsense", "a.png", "brokenPicture"),
        (b"\0\1\2", "a.txt", "notText"),
        (b"PK\3\4", "a.docx", "brokenWord"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a.doc", "unsupportedType"),
        (b"Rar!\x1a\x07", "a.rar", "unknownArchive"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_bad_file_has_its_sentence(data: bytes, name: str, key: str, language: str) -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_document("文件", local(data, name))
        await until(lambda: text_of(reader, "readerProblemText") == tr(f"reader.problem.{key}"), key)
        assert reader.kind is None

    play(scene(), language="zh" if language == "zh" else "en")


def test_password_is_asked_for_and_opens() -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_document("机密", local(zlib.decompress(SECRET)))
        pane = reader.findChild(ProblemPane)
        assert pane is not None
        assert pane.text.text() == tr("reader.problem.passwordNeeded")
        QTest.keyClicks(pane.password, "wrong")
        QTest.keyClick(pane.password, Qt.Key.Key_Return)
        assert pane.text.text() == tr("reader.problem.passwordWrong")
        QTest.keyClicks(pane.password, PASSWORD)
        QTest.keyClick(pane.password, Qt.Key.Key_Return)
        assert reader.kind is Kind.PDF

    play(scene())


def test_failures_to_get_it_have_their_sentences() -> None:
    async def scene() -> None:
        reader = make_reader()
        reader.show_failure("手册", LeaseExpired(until=NOW))
        assert "2026-10-22" in text_of(reader, "readerProblemText")
        reader.show_failure("手册", Offline())
        assert text_of(reader, "readerProblemText") == tr("reader.problem.notKept")
        reader.show_failure("手册", Rejected(type="notFound"))
        assert text_of(reader, "readerProblemText") == tr("error.rejected.notFound")

    play(scene())


def test_another_document_takes_the_place_of_one_being_drawn(pdf: bytes) -> None:
    async def scene() -> None:
        reader = make_reader()
        for _ in range(5):
            reader.show_document("一", local(pdf))
            pdf_view(reader).viewport().repaint()
        reader.clear()
        assert reader.kind is None
        assert pdf_view(reader).source is None

    play(scene())
