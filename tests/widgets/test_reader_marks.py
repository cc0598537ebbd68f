"""Marking documents: highlights from selected text, notes, the pen, the eraser; private and shared; in turned pages too."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QWidget

from desktop.core.domain import Annotation, AnnotationTarget, LocalDocument
from desktop.ui.kit import Button, CheckBox, IconButton
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.reader.marks_layer import paint_mark
from desktop.ui.reader.note_bubble import NoteBubble
from desktop.ui.reader.pages_view import PagesView
from desktop.ui.reader.zoom import Fit
from tests.helpers.fake_annotations import FakeAnnotations
from tests.helpers.fake_session import NOW
from tests.helpers.ofd_files import line_of, ofd
from tests.helpers.stage import play, shown, until

pytestmark = pytest.mark.usefixtures("qapp")

TARGET = AnnotationTarget("IncomingDocument", "r1", "b1")
PAPER = ofd(line_of("为切实做好今年防汛值班工作", 20, 30, 6), line_of("第二页", 20, 30, 6))
POINTS = 72 / 25.4


def opened(verbs: FakeAnnotations, target: AnnotationTarget | None = TARGET) -> tuple[DocumentReader, PagesView]:
    reader = DocumentReader(
        "林远", lambda: NOW, marks=(verbs, "me"), name_of={"zhang": "张敏", "me": "林远"}.__getitem__
    )
    reader.resize(900, 700)
    shown(reader)
    reader.show_document("来文", LocalDocument("来文.ofd", "application/ofd", PAPER, target=target))
    pages = reader.findChild(PagesView)
    assert pages is not None
    return reader, pages


def tool(reader: DocumentReader, name: str) -> None:
    button(reader, "reader_pen").setChecked(True)
    button(reader, f"readerMark_{name}").setChecked(True)


def button(reader: QWidget, name: str) -> IconButton:
    found = reader.findChild(IconButton, name)
    assert found is not None
    return found


def at(pages: PagesView, x: float, y: float, page: int = 0) -> QPoint:
    """A place on an upright page in millimeters, on the viewport."""
    return pages.place_of(page).map(QPointF(x * POINTS, y * POINTS)).toPoint()


def drag(pages: PagesView, *places: QPoint) -> None:
    view = pages.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[0])
    for one in places[1:]:
        QTest.mouseMove(view, one)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[-1])


@pytest.mark.parametrize("turns", [0, 1, 3])
def test_selected_text_is_highlighted_where_it_stands(turns: int) -> None:
    verbs = FakeAnnotations()

    async def scene() -> None:
        reader, pages = opened(verbs)
        for _ in range(turns):
            reader.turn()
        pages.set_fit(Fit.PAGE)
        tool(reader, "highlight")
        drag(pages, at(pages, 21, 33), at(pages, 40, 33), at(pages, 55.5, 33))
        await until(lambda: bool(verbs.held))
        (made,) = verbs.held
        (rect,) = made.mark["rects"]
        assert (made.kind, made.page, made.shared, made.mark["color"]) == ("highlight", 0, False, "yellow")
        assert rect[0] / POINTS == pytest.approx(20, abs=0.7)
        assert rect[2] / POINTS == pytest.approx(36, abs=1.5)
        assert not pages.selected_text
        await until(lambda: _tinted(pages, at(pages, 32.1, 36.5)))

    play(scene())


def _tinted(pages: PagesView, spot: QPoint) -> bool:
    color = pages.viewport().grab().toImage().pixelColor(spot)
    return color.blue() < color.red() - 12


def test_a_note_is_written_read_and_erased() -> None:
    verbs = FakeAnnotations(
        Annotation(
            "z",
            "r1",
            page=0,
            blob_id="b1",
            kind="note",
            mark={"x": 300, "y": 300, "text": "请防汛办核"},
            author_id="zhang",
        )
    )

    async def scene() -> None:
        reader, pages = opened(verbs)
        bubble = pages.findChild(NoteBubble)
        assert bubble is not None
        tool(reader, "note")
        shared = reader.findChild(CheckBox, "readerMarkShared")
        assert shared is not None
        shared.setChecked(True)
        QTest.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(pages, 60, 60))
        box = bubble.findChild(QPlainTextEdit)
        assert box is not None
        assert bubble.isVisible()
        QTest.keyClicks(box, "check this")
        QTest.keyClick(bubble, Qt.Key.Key_Escape)
        assert not bubble.isVisible()
        QTest.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(pages, 60, 60))
        assert box.toPlainText() == "check this"  # nothing typed is lost
        QTest.keyClick(bubble, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: len(verbs.held) == 2)
        made = verbs.held[-1]
        assert (made.kind, made.shared, made.mark["text"]) == ("note", True, "check this")
        button(reader, "readerMark_note").setChecked(False)
        spot = pages.place_of(0).map(QPointF(305, 305)).toPoint()
        QTest.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, spot)
        said = {one.text() for one in bubble.findChildren(QLabel) if one.isVisible()}
        assert {"张敏", "请防汛办核"} <= said
        erase = bubble.findChild(Button, "readerNoteErase")
        assert erase is not None
        assert not erase.isVisible()  # somebody else's
        QTest.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(pages, 61, 61))
        QTest.mouseClick(erase, Qt.MouseButton.LeftButton)
        await until(lambda: [one.id for one in verbs.held] == ["z"])

    play(scene())


def test_the_pen_writes_and_the_eraser_takes_own_marks_away() -> None:
    other = Annotation(
        "z", "r1", page=0, blob_id="b1", kind="pen", mark={"strokes": [[[400, 400], [420, 420]]]}, author_id="zhang"
    )
    verbs = FakeAnnotations(other)

    async def scene() -> None:
        reader, pages = opened(verbs)
        tool(reader, "pen")
        drag(pages, at(pages, 50, 80), at(pages, 60, 85), at(pages, 70, 80))
        await until(lambda: len(verbs.held) == 2)
        (line,) = verbs.held[-1].mark["strokes"]
        assert line[0] == pytest.approx([50 * POINTS, 80 * POINTS], abs=1.5)
        assert len(line) >= 3
        tool(reader, "eraser")
        place = pages.place_of(0).map(QPointF(420, 420)).toPoint()
        QTest.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        await until(lambda: not reader.tasks.busy)
        assert len(verbs.held) == 2
        QTest.mouseClick(pages.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at(pages, 60, 85))
        await until(lambda: verbs.held == [other])

    play(scene())


def test_documents_of_no_record_are_not_marked() -> None:
    async def scene() -> None:
        reader, _ = opened(FakeAnnotations(), target=None)
        assert not button(reader, "reader_pen").isVisible()

    play(scene())


def test_what_cannot_be_kept_is_said() -> None:
    verbs = FakeAnnotations(broken=True)

    async def scene() -> None:
        reader, pages = opened(verbs)
        tool(reader, "pen")
        drag(pages, at(pages, 50, 80), at(pages, 60, 85))
        await until(lambda: any(one.isVisible() and one.text() for one in reader._snack.findChildren(QLabel)))

    play(scene())


def test_marks_of_others_come_in() -> None:
    verbs = FakeAnnotations()

    async def scene() -> None:
        reader, pages = opened(verbs)
        mark = {"rects": [[20 * POINTS, 100 * POINTS, 60, 20]], "color": "yellow"}
        verbs.held.append(Annotation("z", "r1", page=0, blob_id="b1", kind="highlight", mark=mark, author_id="zhang"))
        reader.on_marks_changed()
        await until(lambda: _tinted(pages, at(pages, 25, 103)))

    play(scene())


@given(
    st.sampled_from(["highlight", "note", "pen", "stamp"]),
    st.dictionaries(
        st.sampled_from(["rects", "strokes", "x", "y", "text", "color", "width"]),
        st.recursive(
            st.one_of(st.none(), st.integers(-99, 99), st.text(max_size=3)),
            lambda inner: st.lists(inner, max_size=4),
            max_leaves=9,
        ),
    ),
)
def test_no_mark_makes_the_painter_fall(kind: str, mark: dict[str, Any]) -> None:
    image = QImage(40, 40, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    paint_mark(painter, Annotation("a", "r", kind=kind, mark=mark))
    painter.end()
