"""The picture viewer: fit, zoom around the mouse, turn, hostile bytes, and the window's life."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import qasync
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.core.errors import BadFile, Offline
from desktop.ui import i18n, theme
from desktop.ui.kit import IconButton, Label
from desktop.ui.viewer.canvas import LEAST, MOST, PictureCanvas
from desktop.ui.viewer.viewer import Picture, PictureViewer, decode_picture
from tests.helpers.fake_session import make_png

PICTURE = make_png(400, 200, (80, 120, 200))


@pytest.fixture
def canvas(qapp: QApplication) -> PictureCanvas:
    theme.apply(qapp)
    canvas = PictureCanvas()
    canvas.resize(200, 200)
    canvas.show()
    canvas.set_image(decode_picture(PICTURE))
    return canvas


def on_loop(qapp: QApplication, scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    def factory() -> asyncio.AbstractEventLoop:
        loop = qasync.QEventLoop(qapp)
        asyncio.set_event_loop(loop)
        return loop

    theme.apply(qapp)
    i18n.set_language("zh")
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(asyncio.wait_for(scene(), 10))


async def settle(done: Callable[[], bool]) -> None:
    for _ in range(300):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("did not settle")


def test_large_picture_is_fitted_and_follows_the_window(canvas: PictureCanvas) -> None:
    assert canvas.scale == 0.5
    canvas.resize(100, 100)
    assert canvas.scale == 0.25


def test_small_picture_is_never_blown_up_by_fitting(qapp: QApplication) -> None:
    canvas = PictureCanvas()
    canvas.resize(800, 800)
    canvas.set_image(QImage(20, 10, QImage.Format.Format_RGB32))
    assert canvas.scale == 1.0


def test_turning_fits_the_other_way_round(canvas: PictureCanvas) -> None:
    canvas.resize(100, 400)
    assert canvas.scale == 0.25
    QTest.keyClick(canvas, Qt.Key.Key_R)
    assert (canvas.turned, canvas.scale) == (1, 0.5)
    assert canvas.image().size() == QSize(200, 400)
    for _ in range(3):
        canvas.rotate()
    assert canvas.turned == 0


def test_zoom_has_limits(canvas: PictureCanvas) -> None:
    for _ in range(60):
        canvas.zoom_in()
    assert canvas.scale == MOST
    for _ in range(120):
        QTest.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.scale == LEAST
    QTest.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.fitted


def test_zoom_keeps_the_point_under_the_mouse(canvas: PictureCanvas) -> None:
    canvas.actual()
    before = canvas.grab().toImage().pixelColor(150, 100)
    canvas.zoom_to(2.0, QPointF(150, 100))
    after = canvas.grab().toImage().pixelColor(150, 100)
    assert max(abs(a - b) for a, b in zip(before.getRgb()[:3], after.getRgb()[:3], strict=True)) <= 4


@given(st.binary(max_size=300))
def test_no_bytes_make_it_crash(data: bytes) -> None:
    with pytest.raises(BadFile):
        decode_picture(data)


@pytest.mark.parametrize("cut", [10, 60, 200])
def test_cut_picture_is_a_clear_error_or_a_picture(cut: int) -> None:
    with pytest.raises(BadFile):
        decode_picture(PICTURE[:cut])


def test_huge_dimensions_are_refused_before_memory_is_taken() -> None:
    header = bytearray(PICTURE)
    header[16:20] = (100_000).to_bytes(4)
    with pytest.raises(BadFile):
        decode_picture(bytes(header))


def test_window_opens_at_once_and_fills(qapp: QApplication, tmp_path: Path) -> None:
    async def scene() -> None:
        release = asyncio.Event()

        async def load() -> bytes:
            await release.wait()
            return PICTURE

        viewer = PictureViewer()
        viewer.show_picture("现场照片.png", load)
        assert viewer.isVisible()
        assert "正在载入" in viewer.findChildren(Label)[-1].text() + viewer.findChildren(Label)[0].text()
        release.set()
        await settle(lambda: viewer.canvas.isVisible() and viewer.canvas.scale > 0)
        button = viewer.findChild(IconButton, "common.copy")
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert QGuiApplication.clipboard().image().size() == QSize(400, 200)
        QTest.keyClick(viewer, Qt.Key.Key_Escape)
        assert not viewer.isVisible()

    on_loop(qapp, scene)


def test_failure_is_a_sentence_in_the_window(qapp: QApplication) -> None:
    async def scene() -> None:
        async def load() -> bytes:
            raise Offline

        viewer = PictureViewer()
        viewer.show_picture("x.png", load)
        await settle(lambda: any("没有连接" in label.text() for label in viewer.findChildren(Label)))
        button = viewer.findChild(IconButton, "common.copy")
        assert button is not None
        assert not button.isEnabled()
        viewer.close()

    on_loop(qapp, scene)


def test_color_is_what_it_was() -> None:
    image = decode_picture(make_png(8, 8, (255, 0, 0)))
    assert QColor(image.pixel(7, 7)).red() > QColor(image.pixel(7, 7)).blue()


def test_arrows_lead_through_the_pictures_and_stop_at_the_ends(qapp: QApplication) -> None:
    async def scene() -> None:
        colors = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]

        async def load(number: int) -> bytes:
            return make_png(20, 10, colors[number])

        viewer = PictureViewer()
        viewer.show_pictures([Picture(f"{n}.png", partial(load, n)) for n in range(3)], 1)
        await settle(viewer.canvas.isVisible)
        assert viewer.place.text() == "2 / 3"
        QTest.keyClick(viewer, Qt.Key.Key_Right)
        QTest.keyClick(viewer, Qt.Key.Key_Right)
        assert viewer.at == 2
        assert not viewer.next.isEnabled()
        await settle(lambda: viewer.canvas.isVisible() and not viewer.tasks.busy)
        assert viewer.canvas.image().pixelColor(5, 9).blue() > 150
        assert viewer.windowTitle().startswith("2.png")
        QTest.mouseClick(viewer.previous, Qt.MouseButton.LeftButton)
        assert viewer.at == 1
        viewer.close()

    on_loop(qapp, scene)
