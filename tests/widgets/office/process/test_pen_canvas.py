"""The sheet to sign on: mouse and pen, pressure, undo and clear by keys, the name for who can't draw, the picture that comes out."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.ui import theme
from desktop.ui.office.process.pen_canvas import PenCanvas
from desktop.ui.theme import values_process as values
from tests.helpers.stage import play, press, settle, shown

KEPT: list[PenCanvas] = []


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


def canvas() -> PenCanvas:
    made = PenCanvas("林远")
    KEPT.append(made)
    shown(made, 280, 180)
    return made


def draw(made: PenCanvas, *points: tuple[int, int]) -> None:
    sheet, left, none = made.sheet, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(sheet, left, none, QPoint(*points[0]))
    for point in points[1:]:
        QTest.mouseMove(sheet, QPoint(*point))
    QTest.mouseRelease(sheet, left, none, QPoint(*points[-1]))


def test_lines_come_out_as_a_picture_cut_to_the_ink() -> None:
    async def scene() -> None:
        made = canvas()
        assert made.empty
        assert made.png() == b""
        draw(made, (30, 40), (60, 70), (110, 40), (160, 75))
        image = QImage.fromData(made.png())
        assert 0 < image.height() <= values.PEN_IMAGE_HEIGHT
        assert image.width() > 2 * image.height()
        assert image.hasAlphaChannel()
        corners = {image.pixelColor(x, y).alpha() for x in (0, image.width() - 1) for y in (0, image.height() - 1)}
        assert corners == {0}
        inked = sum(image.pixelColor(x, image.height() // 2).alpha() > 0 for x in range(image.width()))
        assert inked > 0

    play(scene())


def test_undo_clear_and_the_name_by_keys() -> None:
    async def scene() -> None:
        made = canvas()
        changes: list[bool] = []
        made.changed.connect(lambda: changes.append(made.empty))
        draw(made, (30, 40), (60, 70))
        draw(made, (90, 40), (120, 70))
        assert len(made.sheet.strokes) == 2
        press(made.sheet, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert len(made.sheet.strokes) == 1
        press(made.sheet, Qt.Key.Key_Delete)
        assert made.empty
        assert changes[-1] is True
        made.named.click()
        assert made.sheet.name == "林远"
        assert QImage.fromData(made.png()).width() > 40
        assert made.sheet.accessibleDescription() == "已签名"
        draw(made, (30, 40), (60, 70))
        assert made.sheet.name == ""
        press(made.sheet, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        press(made.sheet, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert made.empty

    play(scene())


def pen(made: PenCanvas, kind: QEvent.Type, x: float, pressure: float) -> None:
    device = QPointingDevice(
        "pen",
        7,
        QInputDevice.DeviceType.Stylus,
        QPointingDevice.PointerType.Pen,
        QInputDevice.Capability.Position | QInputDevice.Capability.Pressure,
        1,
        1,
    )
    place = QPointF(x, 60)
    event = QTabletEvent(
        kind, device, place, QPointF(made.sheet.mapToGlobal(place.toPoint())), pressure, 0, 0, 0, 0, 0,
        Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton, Qt.MouseButton.LeftButton,
    )  # fmt: skip
    QApplication.sendEvent(made.sheet, event)
    KEPT_DEVICES.append(device)


KEPT_DEVICES: list[QPointingDevice] = []


def test_a_pens_pressure_makes_the_line_broad() -> None:
    async def scene() -> None:
        made = canvas()
        widths = []
        for pressure in (0.2, 0.95):
            pen(made, QEvent.Type.TabletPress, 20, pressure)
            for x in range(24, 120, 6):
                pen(made, QEvent.Type.TabletMove, x, pressure)
            pen(made, QEvent.Type.TabletRelease, 120, 0)
            widths.append(made.sheet.strokes[-1].weights[-1])
        assert widths[0] < 0.4
        assert widths[1] > 0.8

    play(scene())


def test_it_draws_at_every_size_and_palette() -> None:
    async def scene() -> None:
        made = canvas()
        draw(made, (60, 80), (160, 140), (300, 90))
        await settle()
        image = made.sheet.grab().toImage()
        ink = theme.tokens().ink
        found = any(
            abs(image.pixelColor(x, y).lightness() - ink.lightness()) < 30
            for x in range(40, image.width() - 20, 2)
            for y in range(20, image.height() - 20, 2)
        )
        assert found
        assert max(p.x() for p in made.sheet.strokes[0].points) <= 150  # kept at scale 1

    play(scene(), mode="dark", scale=2.0)
