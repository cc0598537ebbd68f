"""Seals put onto pages: dropped, dragged, kept on the page, taken away; also on turned pages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtTest import QTest

from desktop.ui.reader.ofd_source import OfdSource
from desktop.ui.reader.pages_view import PagesView
from desktop.ui.reader.placing_layer import Place, PlacingLayer
from desktop.ui.reader.zoom import Fit
from tests.helpers.ofd_files import line_of, ofd
from tests.helpers.stage import play, shown, until

pytestmark = pytest.mark.usefixtures("qapp")

PAPER = ofd(line_of("关于防汛值班的通知", 20, 30, 6), line_of("第二页", 20, 30, 6))
SIDE = 120.0


def seal() -> QImage:
    image = QImage(60, 60, QImage.Format.Format_ARGB32)
    image.fill(QColor(220, 0, 0))
    return image


def opened() -> tuple[PagesView, PlacingLayer]:
    pages = PagesView()
    pages.resize(700, 900)
    shown(pages)
    pages.show_source(OfdSource(PAPER))
    pages.set_fit(Fit.PAGE)
    layer = PlacingLayer(pages)
    assert pages.source is not None
    layer.begin([QRectF(QPointF(0, 0), size) for size in pages.source.sizes], [])
    layer.know("seal", seal(), SIDE)
    layer.take("seal")
    layer.changed.connect(pages.viewport().update)
    pages.layer = layer
    return pages, layer


def at(pages: PagesView, x: float, y: float, page: int = 0) -> QPoint:
    return pages.place_of(page).map(QPointF(x, y)).toPoint()


def drag(pages: PagesView, *places: QPoint) -> None:
    view = pages.viewport()
    QTest.mousePress(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[0])
    for one in places[1:]:
        QTest.mouseMove(view, one)
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, places[-1])


@pytest.mark.parametrize("turns", [0, 1])
def test_a_seal_is_put_dragged_and_taken_away(turns: int) -> None:
    async def scene() -> None:
        pages, layer = opened()
        for _ in range(turns):
            pages.turn()
        told: list[int] = []
        layer.placed.connect(lambda: told.append(len(layer.places)))
        drag(pages, at(pages, 300, 400))
        (one,) = layer.places
        assert (one.page, one.side) == (0, SIDE)
        assert (one.x, one.y) == pytest.approx((240, 340), abs=1.5)
        await until(lambda: pages.viewport().grab().toImage().pixelColor(at(pages, 300, 400)).red() > 180)
        drag(pages, at(pages, 300, 400), at(pages, 320, 420), at(pages, 400, 500))
        (one,) = layer.places
        assert (one.x, one.y) == pytest.approx((340, 440), abs=3)
        assert told == [1, 1]
        drag(pages, at(pages, one.handle.center().x(), one.handle.center().y()))
        assert layer.places == []
        assert told == [1, 1, 0]

    play(scene())


def test_nothing_is_put_until_a_seal_is_taken() -> None:
    owner = QObject()
    layer = PlacingLayer(owner)
    layer.begin([QRectF(0, 0, 595, 842)], [])
    assert not layer.press(0, QPointF(10, 10))
    assert not layer.move(0, QPointF(20, 10))
    assert not layer.release()
    assert layer.places == []


@given(st.lists(st.tuples(st.integers(0, 1), st.floats(-2000, 2000), st.floats(-2000, 2000)), min_size=1, max_size=6))
def test_a_seal_never_leaves_its_page(way: list[tuple[int, float, float]]) -> None:
    owner = QObject()
    layer = PlacingLayer(owner)
    layer.begin([QRectF(0, 0, 595, 842), QRectF(0, 0, 842, 595)], [Place("seal", 0, 10, 10, SIDE)])
    layer.know("seal", seal(), SIDE)
    layer.take("seal")
    layer.press(way[0][0], QPointF(way[0][1], way[0][2]))
    for page, x, y in way:
        layer.move(page, QPointF(x, y))
    layer.release()
    rooms = [QRectF(0, 0, 595, 842), QRectF(0, 0, 842, 595)]
    assert all(rooms[one.page].contains(one.box) for one in layer.places)
