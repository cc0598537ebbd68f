"""What groups look like: members' faces side by side, a picture cut to a square by owner and admins, everywhere the group is drawn."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from desktop.ui.chat.crop_dialog import RESULT, CropDialog, read_for_crop
from desktop.ui.kit import group_faces, paint_avatar
from desktop.ui.kit.group_faces import GroupFace, rows_of
from tests.helpers.fake_session import GROUP, FakeSession, make_png
from tests.helpers.stage import play, press, settle, until
from tests.widgets.test_chat_acts import ME, came
from tests.widgets.test_chat_groups import panel_of, the


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    group_faces.forget_all()


def drawn(key: str) -> QImage:
    """An avatar on gray, as any list draws it."""
    image = QImage(40, 40, QImage.Format.Format_RGB32)
    image.fill(QColor("#808080"))
    painter = QPainter(image)
    paint_avatar(painter, QRectF(0, 0, 40, 40), "某群", key)
    painter.end()
    return image


@pytest.mark.parametrize(
    ("count", "rows"),
    [(2, [2]), (3, [1, 2]), (4, [2, 2]), (5, [2, 3]), (6, [3, 3]), (7, [1, 3, 3]), (8, [2, 3, 3]), (9, [3, 3, 3])],
)
def test_tiles_stand_in_rows(qapp: QApplication, count: int, rows: list[int]) -> None:
    assert rows_of(count) == rows
    colors = [QColor.fromHsv(number * 36, 255, 200).rgba() for number in range(count)]
    group_faces.put("g", GroupFace(tuple(("", color) for color in colors)))
    image = drawn("g")
    seen = {image.pixel(x, y) for x in range(40) for y in range(40)}
    assert set(colors) <= seen, "each of them is there"


def test_a_group_wears_the_faces_of_its_first_members_until_it_has_a_picture() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="owner")
        before = drawn(GROUP)
        page = await panel_of(session, "settings")
        await until(lambda: group_faces.get(GROUP) is not None)
        face = group_faces.get(GROUP)
        assert face is not None
        assert 2 <= len(face.tiles) <= 9
        assert face.picture is None
        assert drawn(GROUP) != before
        assert page.pane.header.face.isVisible()
        settings = the(page).settings
        assert not settings.reset_face.isVisible()
        await session.chat.set_avatar(GROUP, make_png(64, 64, (10, 200, 30)))
        await until(settings.reset_face.isVisible)
        await until(lambda: (known := group_faces.get(GROUP)) is not None and known.picture is not None)
        middle = drawn(GROUP).pixelColor(20, 20)
        assert (middle.green() > 150, middle.red() < 60) == (True, True)
        settings.reset_face.click()
        await until(lambda: session.called("chat.reset_avatar") == [(GROUP,)])
        await until(lambda: (known := group_faces.get(GROUP)) is not None and known.picture is None)
        page.close_page()

    play(scene())


def test_members_see_the_picture_and_do_not_change_it() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="member")
        page = await panel_of(session, "settings")
        assert the(page).settings.face.isVisible()
        assert not the(page).settings.change_face.isVisible()
        page.close_page()

    play(scene())


def test_a_square_is_cut_out_of_what_is_seen(tmp_path: Path) -> None:
    picture = tmp_path / "集体照.png"
    wide = Image.new("RGB", (300, 100), (255, 0, 0))
    wide.paste((0, 0, 255), (200, 0, 300, 100))
    wide.save(picture)

    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="owner")
        page = await panel_of(session, "settings")
        settings = the(page).settings
        settings._on_face_file(str(picture))
        dialog = await came(CropDialog)
        view = dialog.view
        assert view.part == QRectF(100, 0, 100, 100)
        view.move_by(QPointF(10_000, 10_000))
        assert view.part == QRectF(0, 0, 100, 100), "it never leaves the square empty"
        dialog.zoom.setValue(200)
        assert view.part.width() == 50
        for _ in range(200):
            press(view, Qt.Key.Key_Right)
        assert (view.part.right(), view.part.top()) == (300, 25)
        dialog.ok.click()
        await until(lambda: session.called("chat.set_avatar") == [(GROUP,)])
        cut = Image.open(BytesIO(dialog_data[0]))
        assert cut.size == (RESULT, RESULT)
        assert cut.convert("RGB").getpixel((240, 240))[2] > 200  # type: ignore[index]  # a pixel of an RGB picture is a tuple
        broken = tmp_path / "坏.png"
        broken.write_bytes(b"not a picture")
        settings._on_face_file(str(broken))
        await until(lambda: "打不开" in page.pane.snack.text.text())
        await settle()
        page.close_page()

    dialog_data: list[bytes] = []
    taken: Any = vars(CropDialog)["data"].fget

    def remember(dialog: CropDialog) -> bytes:
        dialog_data.append(bytes(taken(dialog)))
        return dialog_data[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CropDialog, "data", property(remember))
        play(scene())
    assert read_for_crop(tmp_path / "nothing.png") is None
