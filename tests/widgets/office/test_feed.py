"""The feed: newest first, more while scrolling, what comes in meanwhile waits, pictures, keys."""

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QBuffer, QIODevice, QSize, Qt
from PySide6.QtGui import QImage

from desktop.core.domain import Attachment
from desktop.core.domain.records import Record
from desktop.core.errors import StorageUnavailable
from desktop.ui.office.views.feed import PAGE, FeedView
from desktop.ui.office.views.feed_pictures import More, Picture, decode, picture_of
from tests.helpers.fake_records import TRIP, RecordsScene
from tests.helpers.fake_session import MINUTE, NOW
from tests.helpers.stage import click, play, press, settle, until
from tests.helpers.view_stage import open_view


async def opened(session: RecordsScene, *, started: bool = True) -> FeedView:
    shown_first = {"sort": ("-createdAt",), "columns": ("destination", "kind", "cost")}
    return await open_view(session, "feed", FeedView, size=(900, 600), started=started, **shown_first)


def fresh(number: int) -> Record:
    return Record(
        f"x{number}", TRIP, {"destination": f"新 {number}", "state": "draft"}, "zhaolei", NOW + number * MINUTE, NOW
    )


def png(width: int = 40, height: int = 30) -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.green)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]  # the stub asks for bytes, PySide for text
    return bytes(buffer.data().data())


def test_cards_say_who_when_and_what() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        assert list(view.cards) == ["t7", "t6", "t5", "t4", "t3", "t2", "t1"]
        card = view.cards["t4"]
        assert (card.who.text(), card.state.text(), card.text.text()) == ("林远", "待审批", "防汛值班汇报")
        assert "省水利厅" in card.title.text()
        assert "类别 公务" in card.facts.text()
        assert view.cards["t5"].text.text() == "巡查 三处 险工。"
        assert "林远" in card.accessibleName()
        assert card.pictures.isHidden()

    play(scene())


def test_more_is_read_near_the_end() -> None:
    async def scene() -> None:
        session = RecordsScene(many=100)
        view = await opened(session)
        assert len(view.cards) < 107
        bar = view.area.verticalScrollBar()
        for _ in range(20):
            if len(view.cards) == 107:
                break
            known = len(view.cards)
            bar.setValue(bar.maximum())
            await until(lambda known=known: len(view.cards) > known or len(view.cards) == 107)  # type: ignore[misc]  # a default binds the loop's value
            await settle()
        assert len(view.cards) == 107
        assert view.area.inner.indexOf(view.cards[list(view.cards)[-1]]) == 106

    play(scene())


def test_what_comes_in_while_reading_further_down_waits_behind_a_button() -> None:
    async def scene() -> None:
        session = RecordsScene(many=60)
        view = await opened(session)
        bar = view.area.verticalScrollBar()
        bar.setValue(700)
        await settle()
        place, first = bar.value(), next(iter(view.cards))
        session.records.put(fresh(1), fresh(2), tell=True)
        await until(lambda: view.fresh == 2)
        await settle()
        assert view.more.isVisible()
        assert view.more.text() == "有 2 条新内容"
        assert (bar.value(), next(iter(view.cards))) == (place, first)
        click(view.more)
        await until(lambda: list(view.cards)[:2] == ["x2", "x1"])
        assert not view.more.isVisible()
        assert bar.value() == 0

    play(scene())


def test_at_the_top_new_records_come_in_at_once_and_changes_fill_their_card() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        session.records.put(fresh(1), tell=True)
        await until(lambda: next(iter(view.cards)) == "x1")
        card = view.cards["t4"]
        trip = session.records.get("t4")
        session.records.put(msgspec.structs.replace(trip, data={**trip.data, "reason": "改了"}), tell=True)
        await until(lambda: card.text.text() == "改了")
        assert view.cards["t4"] is card
        session.records.remove(session.records.get("t6"))
        await until(lambda: "t6" not in view.cards)

    play(scene())


def test_a_removed_record_leaves_while_reading_further_down() -> None:
    async def scene() -> None:
        session = RecordsScene(many=60)
        view = await opened(session)
        view.area.verticalScrollBar().setValue(700)
        gone = list(view.cards)[3]
        session.records.remove(session.records.get(gone))
        await until(lambda: gone not in view.cards)

    play(scene())


def test_pictures_are_shown_and_pressed() -> None:
    async def scene() -> None:
        session = RecordsScene()
        blob = session.files.keep(png())
        trip = session.records.get("t4")
        paper = {"blobId": blob, "name": "现场.png", "type": "image/png", "size": 200}
        broken = {"blobId": "nothing", "name": "坏.png", "type": "image/png", "size": 200}
        data = {**trip.data, "papers": [paper, broken, {"blobId": "b", "name": "a.pdf", "type": "application/pdf"}]}
        session.records.put(msgspec.structs.replace(trip, data=data))
        view = await opened(session)
        pictures = view.cards["t4"].pictures.findChildren(Picture)
        assert len(pictures) == 2
        await until(lambda: not pictures[0].image.isNull())
        await until(lambda: pictures[1].failed)
        asked: list[Attachment] = []
        view.file_asked.connect(asked.append)
        press(pictures[0], Qt.Key.Key_Return)
        assert [one.name for one in asked] == ["现场.png"]

    play(scene())


def test_only_sound_pictures_are_decoded() -> None:
    assert decode(b"no picture", QSize(10, 10)).isNull()
    assert decode(png(400, 300), QSize(40, 30)).size() == QSize(40, 30)
    assert picture_of({"blobId": "b", "name": "a.png", "type": "image/png"}) == Attachment("b", "a.png", "image/png", 0)
    for held in ({"type": "image/svg+xml"}, {"type": "image/png", "size": 1 << 30}, {"type": "text/plain"}, {}):
        assert picture_of({"blobId": "b"} | held) is None
    assert picture_of("b") is None


def test_keys_go_from_card_to_card_and_open() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        opened_ids: list[str] = []
        view.opened.connect(opened_ids.append)
        view.cards["t7"].setFocus()
        press(view.cards["t7"], Qt.Key.Key_Down)
        assert view.cards["t6"].hasFocus()
        press(view.cards["t6"], Qt.Key.Key_Return)
        click(view.cards["t5"])
        assert opened_ids == ["t6", "t5"]
        view.show_record("t5")
        assert view.cards["t5"].marked

    play(scene())


def test_searches_and_failures_are_said() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session, started=False)
        session.failures["records.page"] = StorageUnavailable()
        view.reload()
        await until(view.stack.state.action.isVisible)
        view.stack.state.action.click()
        await until(lambda: view.stack.showing)
        view.set_text("水利厅")
        await until(lambda: list(view.cards) == ["t4"])
        view.set_text("no such words")
        await until(lambda: not view.stack.showing)

    play(scene())


def test_of_ten_thousand_records_a_screen_of_cards_is_made() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene(many=10_000))
        assert view.total == 10_007
        assert len(view.cards) <= 3 * PAGE

    play(scene())


@pytest.mark.parametrize(("mode", "language", "size"), [("light", "zh", 1.0), ("dark", "en", 2.0)])
def test_it_is_painted(mode: Any, language: Any, size: float) -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        image = view.grab().toImage()
        assert len({image.pixel(x, y) for x in range(0, 800, 3) for y in range(0, 300, 3)}) > 8

    play(scene(), mode=mode, language=language, scale=size)


def test_more_than_four_pictures_wait_behind_a_tile() -> None:
    async def scene() -> None:
        session = RecordsScene()
        files = [{"blobId": f"b{n}", "name": f"{n}.png", "type": "image/png", "size": 90} for n in range(7)]
        for one in files:
            session.files.blobs[str(one["blobId"])] = png()
        record = session.records.get("t4")
        session.records.put(msgspec.structs.replace(record, data={**record.data, "papers": files}))
        view = await opened(session)
        asked: list[Attachment] = []
        view.file_asked.connect(asked.append)
        row = view.cards["t4"].pictures
        assert len(row.findChildren(Picture)) == 4
        tile = row.findChild(More)
        assert tile is not None
        assert tile.count == 3
        press(tile, Qt.Key.Key_Return)
        assert [one.name for one in asked] == ["4.png"]
        await until(lambda: row.findChild(More) is None)
        await until(lambda: len([one for one in row.findChildren(Picture) if one.isVisibleTo(row)]) == 7)
        await settle()
        assert row.height() >= row.sizeHint().height(), "both lines have room"

    play(scene())
