"""Pages turned, side by side, on the whole screen, and the place where somebody stopped reading."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.core.domain import LocalDocument
from desktop.core.errors import StorageUnavailable
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.reader.full_screen import FullScreen
from desktop.ui.reader.kinds import Kind
from desktop.ui.reader.ofd_source import OfdSource
from desktop.ui.reader.pages_view import PagesView
from desktop.ui.reader.places import ReadingPlaces
from desktop.ui.reader.turned_source import TurnedSource, turned
from tests.helpers.fake_session import NOW
from tests.helpers.ofd_files import line_of, ofd, path_of
from tests.helpers.stage import play, shown, until

pytestmark = pytest.mark.usefixtures("qapp")

CORNER = path_of(
    "M 0 0 L 40 0 L 40 20 L 0 20 C", "0 0 40 20", '<ofd:FillColor Value="255 0 0"/>', Fill="true", Stroke="false"
)
PAPER = ofd(*(line_of(f"第 {n} 页 防汛", 20, 30, 6) + CORNER for n in range(1, 8)))


class Kept:
    """Remembers view states; `broken`: refuses."""

    def __init__(self, *, broken: bool = False) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.broken = broken

    async def view_state(self, view_key: str) -> dict[str, Any]:
        if self.broken:
            raise StorageUnavailable
        return self.states.get(view_key, {})

    async def set_view_state(self, view_key: str, state: dict[str, Any]) -> None:
        if self.broken:
            raise StorageUnavailable
        self.states[view_key] = state


def pages_of(reader: DocumentReader) -> PagesView:
    found = reader.findChild(PagesView)
    assert found is not None
    return found


def opened(places: ReadingPlaces | None = None) -> tuple[DocumentReader, PagesView]:
    reader = DocumentReader("林远", lambda: NOW, places=places)
    reader.resize(900, 700)
    shown(reader)
    reader.show_document("来文", LocalDocument("来文.ofd", "application/ofd", PAPER))
    return reader, pages_of(reader)


# ---------------------------------------------------------------- turned sources


@pytest.mark.parametrize(("degrees", "corner"), [(90, (0.97, 0.05)), (180, (0.95, 0.97)), (270, (0.05, 0.95))])
def test_a_turned_page_is_drawn_turned(degrees: int, corner: tuple[float, float]) -> None:
    source = TurnedSource(OfdSource(PAPER), degrees)
    size = source.sizes[0].toSize()
    image = source.render(0, size, QRect(0, 0, size.width(), size.height()))
    assert image.size() == size
    assert image.pixelColor(round(size.width() * corner[0]), round(size.height() * corner[1])).name() == "#ff0000"
    assert image.pixelColor(size.width() // 2, size.height() // 2).name() == "#ffffff"


@given(
    st.sampled_from([90, 180, 270]), st.integers(0, 300), st.integers(0, 300), st.integers(1, 200), st.integers(1, 200)
)
def test_parts_of_a_turned_page_fit_together(degrees: int, x: int, y: int, width: int, height: int) -> None:
    source = TurnedSource(OfdSource(PAPER), degrees)
    size = source.sizes[0].toSize()
    whole = source.render(0, size, QRect(0, 0, size.width(), size.height()))
    part = QRect(x, y, width, height).intersected(whole.rect())
    assert source.render(0, size, part).size() == part.size()


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_text_is_found_where_it_stands_after_turning(degrees: int) -> None:
    source = TurnedSource(OfdSource(PAPER), degrees)
    (hit,) = source.find(0, "防汛")
    (box,) = source.rectangles(0, hit)
    assert QRectF(QPointF(0, 0), source.sizes[0]).contains(box)
    assert source.on_text(0, box.center())
    word = source.select_word(0, box.center())
    assert word is not None
    assert word.text == "防汛"
    assert word.rectangles[0].contains(box.center())


def test_four_quarters_are_none() -> None:
    upright = OfdSource(PAPER)
    source = turned(upright, 90)
    assert turned(source, 360) is upright
    assert isinstance(turned(source, 180), TurnedSource)


# ---------------------------------------------------------------- the reader


def test_an_ofd_is_drawn_searched_turned_and_laid_side_by_side() -> None:
    async def scene() -> None:
        reader, pages = opened()
        assert reader.kind is Kind.OFD
        assert pages.source is not None
        images = pages.images
        assert images is not None
        await until(lambda: not images.busy and not _is_blank(pages.grab().toImage()))
        pages.go_to(3)
        reader.turn()
        assert pages.page == 3
        assert pages.source.sizes[0].width() > pages.source.sizes[0].height()
        for _ in range(3):
            reader.turn()
        pages.set_columns(2)
        assert pages.page == 2
        assert set(pages.visible_pages()) >= {2, 3}
        left, right = pages._page_rect(2), pages._page_rect(3)
        assert left.top() == right.top()
        assert left.right() < right.left()
        page, point = pages._point_at(right.center())
        assert (page, round(point.x())) == (3, round(pages.source.sizes[3].width() / 2))

    play(scene())


def _is_blank(image: QImage) -> bool:
    return not any(
        image.pixelColor(x, y).red() > 200 > image.pixelColor(x, y).green() + 100
        for x in range(0, image.width(), 4)
        for y in range(0, image.height(), 4)
    )


def test_reading_goes_on_where_it_stopped() -> None:
    kept = Kept()

    async def scene() -> None:
        reader, pages = opened(ReadingPlaces(kept))
        await until(lambda: not reader.tasks.busy)
        pages.set_factor(1.5)
        pages.go_to(4, 100)
        pages.set_columns(2)
        reader.turn()
        reader.clear()
        await until(lambda: bool(kept.states))
        place = next(iter(kept.states.values()))
        assert (place["page"], place["columns"], place["degrees"]) == (4, 2, 90)
        again, pages = opened(ReadingPlaces(kept))
        await until(lambda: pages.page == 4)
        assert (pages.columns, pages.factor) == (2, 1.5)
        again.clear()

    play(scene())


def test_a_place_that_cannot_be_kept_disturbs_nobody() -> None:
    async def scene() -> None:
        reader, pages = opened(ReadingPlaces(Kept(broken=True)))
        pages.go_to(2)
        reader.clear()
        await until(lambda: not reader.tasks.busy)

    play(scene())


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "page": st.one_of(st.integers(-5, 99), st.text()),
            "top": st.one_of(st.floats(-1e4, 1e4), st.none()),
            "fit": st.one_of(st.sampled_from(["width", "page", "free"]), st.integers()),
            "factor": st.one_of(st.floats(-10, 10), st.text()),
            "columns": st.integers(-1, 3),
            "degrees": st.one_of(st.sampled_from([0, 90, 180, 270, 45]), st.none()),
        },
    )
)
def test_no_kept_place_makes_the_view_fall(place: dict[str, Any]) -> None:
    view = PagesView()
    view.show_source(OfdSource(PAPER))
    view.take_place(place)
    view.clear()
    view.deleteLater()


def test_full_screen_turns_pages_and_comes_back_to_the_page() -> None:
    async def scene() -> None:
        reader, pages = opened()
        pages.go_to(2)
        reader.full_screen()
        screens = [one for one in QApplication.topLevelWidgets() if isinstance(one, FullScreen)]
        (screen,) = [one for one in screens if one.isVisible()]
        assert screen.isFullScreen()
        await until(lambda: screen.pages.page == 2)
        QTest.keyClick(screen.pages, Qt.Key.Key_Right)
        QTest.keyClick(screen.pages, Qt.Key.Key_Space)
        QTest.keyClick(screen.pages, Qt.Key.Key_Left)
        assert screen.pages.page == 3
        QTest.keyClick(screen.pages, Qt.Key.Key_Escape)
        assert not screen.isVisible()
        assert pages.page == 3
        assert screen.pages.source is None

    play(scene())


def test_what_is_drawn_is_not_drawn_again() -> None:
    async def scene() -> None:
        _, pages = opened()
        images = pages.images
        assert images is not None
        await until(lambda: bool(images.stand_ins(0)) and not images.busy)
        pages.viewport().repaint()
        assert not images.busy

    play(scene())


def test_the_size_of_the_next_document_is_told() -> None:
    view = PagesView()
    view.resize(500, 400)
    told: list[float] = []
    view.zoom_changed.connect(lambda: told.append(view.factor))
    view.show_source(OfdSource(PAPER))
    assert told == [view.factor]
    view.show_source(OfdSource(PAPER))
    assert told == [view.factor]  # as it was: nothing to tell
    view.clear()
    view.deleteLater()
