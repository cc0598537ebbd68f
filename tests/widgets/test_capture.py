"""The screenshot tool: region, marks, undo, what the picture holds; the overlay by mouse and keys, on a screen of two pixels a point."""

from types import SimpleNamespace
from typing import cast

from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPainter, QScreen
from PySide6.QtTest import QTest

from desktop.ui.capture.capture import ScreenCapture
from desktop.ui.capture.drawing import Drawing
from desktop.ui.capture.marks import Mark, Tool
from desktop.ui.capture.overlay import CaptureOverlay
from desktop.ui.capture.region import Region
from desktop.ui.capture.shots import CannotCapture, Shot, joined, place_on
from tests.helpers.fake_session import GROUP, FakeSession
from tests.helpers.stage import play, press, until
from tests.widgets.test_chat_view import open_page

RED = "#e5372b"
BOUNDS = QRect(0, 0, 400, 300)


def striped(width: int = 400, height: int = 300) -> QImage:
    """Black and white columns of one pixel, as fine as small letters."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    for x in range(0, width, 2):
        painter.fillRect(x, 0, 1, height, QColor("black"))
    painter.end()
    return image


def shot(ratio: float = 2.0, windows: tuple[QRect, ...] = ()) -> Shot:
    screen = QGuiApplication.primaryScreen()
    size = screen.geometry().size() * ratio
    return Shot(screen, striped(size.width(), size.height()), ratio, windows)


def test_a_region_moves_and_turns_inside_its_screen() -> None:
    region = Region(QRect(10, 10, 50, 40), BOUNDS)
    assert region.moved(-30, 500).rect == QRect(0, 260, 50, 40)
    assert region.pulled("br", 1, -1).rect == QRect(10, 10, 51, 39)
    assert region.pulled("l", 70, 0).rect == QRect(59, 10, 22, 40)
    assert region.pulled("r", 5000, 0).rect.right() == BOUNDS.right()
    assert region.handle_at(QPoint(61, 48), 4) == "br"
    assert region.handle_at(QPoint(30, 30), 4) is None
    assert place_on(QRect(1900, 10, 100, 100), QPoint(1920, 0), QRect(0, 0, 1920, 1080)) == QRect(0, 10, 80, 100)


def test_a_mosaic_leaves_nothing_of_what_it_hides() -> None:
    drawing = Drawing(striped(), 1.0)
    assert drawing.add(Mark(Tool.MOSAIC, (QPointF(48, 48), QPointF(143, 119)), RED))
    picture = drawing.picture(QRect(0, 0, 400, 300))
    hidden = {picture.pixelColor(x, y).value() for x in range(48, 144) for y in range(48, 120, 7)}
    assert all(60 < value < 200 for value in hidden), "only means of black and white are left"
    assert {picture.pixelColor(x, 200).value() for x in range(48, 144)} == {0, 255}, "beside it all is as it was"
    blocks = {picture.pixel(60 + x, 60) for x in range(12)}
    assert len(blocks) == 1


def test_marks_are_drawn_undone_and_brought_again() -> None:
    def scene_picture(drawing: Drawing) -> QImage:
        return drawing.picture(QRect(20, 20, 200, 200))

    async def scene() -> None:
        drawing = Drawing(striped(), 1.0)
        bare = scene_picture(drawing)
        strokes = {
            Tool.RECTANGLE: (QPointF(40, 40), QPointF(100, 90)),
            Tool.ELLIPSE: (QPointF(40, 40), QPointF(100, 90)),
            Tool.ARROW: (QPointF(40, 40), QPointF(150, 150)),
            Tool.PEN: (QPointF(40, 40), QPointF(60, 50), QPointF(80, 120)),
            Tool.TEXT: (QPointF(50, 50),),
            Tool.NUMBER: (QPointF(60, 60),),
        }
        for tool, points in strokes.items():
            drawing.clear()
            assert drawing.add(Mark(tool, points, RED, 2, "批注" if tool is Tool.TEXT else "1"))
            drawn = scene_picture(drawing)
            reds = sum(drawn.pixelColor(x, y) == QColor(RED) for x in range(0, 200, 2) for y in range(0, 200, 2))
            assert reds > 10, tool
            drawing.undo()
            assert scene_picture(drawing) == bare
            assert drawing.can_redo
            drawing.redo()
            assert scene_picture(drawing) == drawn
        assert not drawing.add(Mark(Tool.RECTANGLE, (QPointF(5, 5), QPointF(6, 5)), RED)), "a click is no rectangle"
        assert not drawing.add(Mark(Tool.TEXT, (QPointF(5, 5),), RED, 1, "  "))
        assert drawing.next_number == "2"

    play(scene())


def test_mouse_and_keys_choose_mark_and_finish() -> None:
    async def scene() -> None:
        window = QRect(100, 100, 300, 200)
        overlay = CaptureOverlay(shot(windows=(window,)), can_send=True)
        overlay.show()
        done: list[tuple[str, QImage]] = []
        overlay.finished.connect(lambda way, image: done.append((way, image)))
        overlay.suggest(QPoint(150, 150))
        assert overlay.suggested == window
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QTest.mousePress(overlay, left, none, QPoint(20, 30))
        QTest.mouseMove(overlay, QPoint(220, 130))
        QTest.mouseRelease(overlay, left, none, QPoint(220, 130))
        assert overlay.region is not None
        assert overlay.region.rect == QRect(40, 60, 401, 201), "in pixels of the screen, two a point"
        press(overlay, Qt.Key.Key_Right)
        press(overlay, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
        assert overlay.region.rect == QRect(41, 60, 401, 202)
        overlay.bar.tools[Tool.PEN].click()
        QTest.mousePress(overlay, left, none, QPoint(60, 60))
        QTest.mouseMove(overlay, QPoint(90, 90))
        QTest.mouseRelease(overlay, left, none, QPoint(90, 90))
        overlay.bar.tools[Tool.TEXT].click()
        QTest.mouseClick(overlay, left, none, QPoint(100, 60))
        assert overlay.field.isVisible()
        overlay.field.setText("请看这里")
        overlay.bar.tools[Tool.NUMBER].click()
        QTest.mouseClick(overlay, left, none, QPoint(150, 110))
        assert [mark.tool for mark in overlay.drawing.marks] == [Tool.PEN, Tool.TEXT, Tool.NUMBER]
        press(overlay, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert len(overlay.drawing.marks) == 2
        assert overlay.bar.redo_button.isEnabled()
        press(overlay, Qt.Key.Key_Return)
        assert [way for way, _ in done] == ["send"]
        assert done[0][1].size() == overlay.region.rect.size()
        gone: list[bool] = []
        overlay.cancelled.connect(lambda: gone.append(True))
        press(overlay, Qt.Key.Key_Escape)  # the tool first
        assert not gone
        press(overlay, Qt.Key.Key_Escape)
        assert gone
        overlay.deleteLater()

    play(scene())


class TwoScreens:
    """A plain screen at the left, one of two pixels a point at the right of it, its origin in pixels as X11 tells it."""

    def __init__(self) -> None:
        self.left = self._shot(QRect(0, 0, 400, 300), 1.0, "#c00000", (QRect(350, 20, 50, 50),))
        self.right = self._shot(QRect(400, 0, 300, 200), 2.0, "#0000c0", (QRect(0, 20, 40, 50),))

    def _shot(self, place: QRect, ratio: float, color: str, windows: tuple[QRect, ...]) -> Shot:
        image = QImage(place.size() * ratio, QImage.Format.Format_RGB32)
        image.fill(QColor(color))
        screen = SimpleNamespace(geometry=lambda: place)
        return Shot(cast("QScreen", screen), image, ratio, windows)


def test_a_region_goes_over_two_screens() -> None:
    async def scene() -> None:
        screens = TwoScreens()
        (canvas,) = joined([screens.left, screens.right])
        assert canvas.image.size() == QSize(1000, 400)
        assert canvas.windows == (QRect(350, 20, 50, 50), QRect(400, 20, 40, 50))
        overlay = CaptureOverlay(screens.left, can_send=False, canvas=canvas)
        (mirror,) = overlay.mirrors
        for window in (overlay, mirror):
            window.show()
        done: list[QImage] = []
        overlay.finished.connect(lambda _way, image: done.append(image))
        left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        QTest.mouseMove(mirror, QPoint(200, 150))
        assert overlay.suggested == QRect(400, 0, 600, 400), "the screen the pointer is on"
        QTest.mousePress(overlay, left, none, QPoint(300, 100))
        QTest.mouseMove(overlay, QPoint(450, 150))  # 50, 150 of the right one, in points
        QTest.mouseRelease(overlay, left, none, QPoint(450, 150))
        assert overlay.region is not None
        assert overlay.region.rect == QRect(300, 100, 201, 201)
        assert overlay.bar.parentWidget() is mirror, "the tools are where the region ends"
        assert overlay.bar.isVisible()
        overlay.bar.tools[Tool.RECTANGLE].click()
        QTest.mousePress(mirror, left, none, QPoint(5, 60))
        QTest.mouseMove(mirror, QPoint(40, 90))
        QTest.mouseRelease(mirror, left, none, QPoint(40, 90))
        assert [mark.points for mark in overlay.drawing.marks] == [(QPointF(410, 120), QPointF(480, 180))]
        shown = mirror.grab().toImage()
        assert not shown.isNull()
        overlay.bar.set_tool(None)
        press(mirror, Qt.Key.Key_Return)
        (picture,) = done
        assert picture.size() == QSize(201, 201)
        assert picture.pixelColor(50, 20) == QColor("#c00000")
        assert picture.pixelColor(150, 100 + 90) == QColor("#0000c0")
        overlay.take_back()
        assert overlay.bar.parentWidget() is overlay
        for window in (mirror, overlay):
            window.close()
            window.deleteLater()

    play(scene())


def test_screens_whose_places_do_not_fit_stay_apart() -> None:
    """On macOS origins are points: one scale for all is reckoned with, two are not put together."""
    screens = TwoScreens()
    low = Shot(cast("QScreen", SimpleNamespace(geometry=lambda: QRect(0, 0, 400, 300))), striped(800, 600), 2.0)
    high = Shot(cast("QScreen", SimpleNamespace(geometry=lambda: QRect(400, 0, 300, 200))), striped(600, 400), 2.0)
    (canvas,) = joined([low, high])
    assert [view.place.left() for view in canvas.views] == [0, 800]
    beside = Shot(cast("QScreen", SimpleNamespace(geometry=lambda: QRect(400, 0, 300, 200))), striped(300, 200), 1.0)
    assert len(joined([low, beside])) == 2
    assert joined([screens.left])[0].image.size() == QSize(400, 300)


def test_a_screenshot_goes_into_the_message_and_a_refusal_is_said() -> None:
    async def scene() -> None:
        page = await open_page(FakeSession(), GROUP)
        talk = page.pane
        tool = talk.capturing.capture
        tool._capture = lambda _windows: [shot(1.0)]  # the border to the system
        talk.composer.want_capture(True)
        await until(lambda: bool(tool.overlays))
        assert not page.isVisible()
        overlay = tool.overlays[0]
        overlay.set_region(QRect(5, 5, 120, 80))
        overlay.finish("send")
        assert page.isVisible()
        assert not tool.running
        item = talk.composer.strip.items[0]
        assert isinstance(item.source, bytes)
        assert QImage.fromData(item.source).size() == QRect(5, 5, 120, 80).size()
        assert item.is_picture
        assert item.name.endswith(".png")

    play(scene())

    async def refused() -> None:
        def refuse(_windows: tuple[QRect, ...]) -> list[Shot]:
            raise CannotCapture

        said: list[str] = []
        tool = ScreenCapture(capture=refuse)
        tool.said.connect(said.append)
        tool.start(can_send=False)
        assert said
        assert not tool.running
        assert not tool.overlays

    play(refused())
