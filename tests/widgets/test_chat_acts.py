"""What is done with messages in the talk: recall, edit, reactions, confirming, picking several, forwarding, pins, receipts, keeping, later."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.core.domain import Message, MessageKind, Pin, ScheduledState
from desktop.core.errors import Rejected
from desktop.core.events import EditRefused
from desktop.ui.chat.favorites import FavoritesDialog
from desktop.ui.chat.history_dialog import HistoryDialog
from desktop.ui.chat.page import MessagesPage
from desktop.ui.chat.people_tabs import PeopleTabs
from desktop.ui.chat.row import Row
from desktop.ui.chat.schedule_dialogs import LaterDialog, ScheduledList, usual_times
from desktop.ui.chat.target_picker import TargetPicker
from tests.helpers.fake_session import GROUP, MINUTE, NOW, WANG, FakeSession
from tests.helpers.stage import RecordingNavigator, play, press, settle, until
from tests.widgets.test_chat_view import open_page

ME = "linyuan"
W = TypeVar("W", bound=QWidget)


def row_of(page: MessagesPage, message_id: str) -> Row:
    """A message as it is laid out now; it is brought into sight."""
    view = page.pane.view
    assert view.show_message(message_id)
    return next(row for _, _, row in view.placed if row.message.id == message_id)


def zones(page: MessagesPage, message_id: str) -> dict[str, str]:
    """What reacts in a message: action to what it is called."""
    return {zone.action: zone.name for zone in row_of(page, message_id).zones}


def click_zone(page: MessagesPage, message_id: str, action: str, data: str | None = None) -> None:
    """A click of the mouse into a zone."""
    view = page.pane.view
    row = row_of(page, message_id)
    y = next(y for _, y, one in view.placed if one.message.id == message_id)
    zone = next(z for z in row.zones if z.action == action and data in (None, z.data))
    place = (zone.rect.center() + QPointF(0, y)).toPoint()
    QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)


def opened(kind: type[W]) -> W | None:
    """The open window of a kind."""
    return next((w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()), None)


async def came(kind: type[W]) -> W:
    """Waits for a window of a kind."""
    await until(lambda: opened(kind) is not None, f"a {kind.__name__}")
    found = opened(kind)
    assert found is not None
    return found


def held(page: MessagesPage, message_id: str) -> Message:
    message = page.pane.held(message_id)
    assert message is not None
    return message


def entries(page: MessagesPage, message_id: str) -> dict[str, Callable[[], None]]:
    """The menu of a message: words to what pressing them does."""
    menu = page.pane.message_actions.menu(held(page, message_id))
    return {action.text(): action.trigger for action in menu.actions() if action.text()}


def test_recalled_text_leaves_a_trace_and_can_be_written_again() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        sent = session.receive(WANG, ME, "先发错了", sent_at=NOW - MINUTE)
        theirs = session.receive(WANG, "wangjianguo", "好")
        await until(lambda: page.pane.held(theirs.id))
        assert "撤回" not in entries(page, theirs.id)
        entries(page, sent.id)["撤回"]()
        await until(lambda: held(page, sent.id).recalled_at)
        await settle()
        row = row_of(page, sent.id)
        assert row.body == "system"
        assert row.text == "您撤回了一条消息 ・ 重新编辑"
        page.pane.composer.edit.setPlainText("后来写的")
        click_zone(page, sent.id, "reedit")
        assert page.pane.composer.text == "先发错了\n后来写的"
        assert set(entries(page, sent.id)) == {"全选", "重新编辑"}
        page.close_page()

    play(scene())


def test_a_message_is_changed_in_the_composer_and_its_history_shown() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        sent = session.receive(WANG, ME, "下午三点开会", sent_at=NOW - MINUTE)
        await until(lambda: page.pane.held(sent.id))
        press(composer.edit, Qt.Key.Key_Up)
        assert composer.editing == sent.id
        assert composer.text == "下午三点开会"
        press(composer.edit, Qt.Key.Key_Escape)
        assert (composer.editing, composer.text) == ("", "")
        composer.edit.setPlainText("还没写完")
        entries(page, sent.id)["编辑"]()
        composer.edit.setPlainText("下午四点开会")
        composer.submit()
        assert composer.text == "还没写完"
        await until(lambda: held(page, sent.id).text == "下午四点开会")
        assert not session.called("chat.send_text")
        await settle()
        assert "history" in zones(page, sent.id)
        click_zone(page, sent.id, "history")
        dialog = await came(HistoryDialog)
        said = [label.text() for label in dialog.findChildren(QWidget) if hasattr(label, "text")]
        assert "下午三点开会" in said
        assert "下午四点开会" in said
        dialog.reject()
        assert ("下午三点开会" in [v.text for v in await session.chat.history(sent.id)]) is True
        page.close_page()

    play(scene())


def test_reactions_are_toggled_by_a_click_and_offered_by_the_bar_beside_the_message() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        view = page.pane.view
        told = session.receive(GROUP, "wufang", "材料齐了", reactions={"👍": ("zhangmin", "hejing")})
        await until(lambda: page.pane.held(told.id))
        await settle()
        assert zones(page, told.id)["react"] == "👍 张敏、何静"
        click_zone(page, told.id, "react", "👍")
        await until(lambda: ME in held(page, told.id).reactions["👍"])
        await settle()
        click_zone(page, told.id, "react", "👍")
        await until(lambda: ME not in held(page, told.id).reactions["👍"])
        await settle()
        row, y = next((row, y) for _, y, row in view.placed if row.message.id == told.id)
        QTest.mouseMove(view.viewport(), (row.bubble.center() + QPointF(0, y)).toPoint())
        bar = view.hover_bar
        assert bar.isVisible()
        assert bar.x() >= row.bubble.right()
        assert bar.geometry().right() <= view.viewport().width()
        QTest.mouseClick(bar.buttons["react"], Qt.MouseButton.LeftButton)
        picker = page.pane.message_actions._reactions
        assert picker is not None
        assert picker.isVisible()
        QTest.mouseClick(picker.buttons["🎉"], Qt.MouseButton.LeftButton)
        await until(lambda: held(page, told.id).reactions.get("🎉") == (ME,))
        view.scroll_up(200)
        assert not bar.isVisible()
        page.close_page()

    play(scene())


def test_a_message_to_confirm_has_a_button_and_its_sender_sees_and_reminds_who_has_not() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        theirs = session.receive(GROUP, "zhangmin", "请确认值班表", must_confirm=True)
        mine = session.receive(GROUP, ME, "请确认会议时间", must_confirm=True, confirmed_ids=("wufang",))
        await until(lambda: page.pane.held(mine.id))
        await settle()
        assert "confirm" in zones(page, theirs.id)
        click_zone(page, theirs.id, "confirm")
        await until(lambda: ME in held(page, theirs.id).confirmed_ids)
        await settle()
        assert "confirm" not in zones(page, theirs.id)
        row = row_of(page, mine.id)
        assert any("1/12" in getattr(piece, "text", "") for piece in row.pieces)
        click_zone(page, mine.id, "confirmations")
        dialog = await came(PeopleTabs)
        assert dialog.shown == ["wufang"]
        dialog.show_tab(1)
        assert len(dialog.shown) == 11
        assert ME not in dialog.shown
        assert dialog.action is not None
        dialog.action.click()
        await until(lambda: session.called("chat.remind") == [(mine.id, None)] or session.called("chat.remind"))
        session.failures["chat.remind"] = Rejected(type="rateLimit", retry_after=120)
        dialog.action.click()
        await until(lambda: "2 分钟" in page.pane.snack.text.text(), "the wait in words")
        dialog.reject()
        page.close_page()

    play(scene())


def test_receipts_of_a_group_message_stand_in_two_lists() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        mine = session.receive(GROUP, ME, "材料发群里了")
        await until(lambda: page.pane.held(mine.id))
        session.read_by(GROUP, "wufang", mine.seq)
        await settle()
        click_zone(page, mine.id, "readers")
        dialog = await came(PeopleTabs)
        assert dialog.shown == ["wufang"]
        session.read_by(GROUP, "hejing", mine.seq)
        await until(lambda: set(dialog.shown) == {"wufang", "hejing"}, "the list to follow")
        dialog.reject()
        page.close_page()

    play(scene())


def test_several_messages_are_picked_and_forwarded_as_one_with_a_word() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        view = page.pane.view
        first, last = f"m-{GROUP}-7", f"m-{GROUP}-9"
        entries(page, first)["多选"]()
        await settle()
        assert page.pane.pick_bar.isVisible()
        assert not page.pane.composer.isVisible()
        row = row_of(page, last)
        y = next(y for _, y, one in view.placed if one.message.id == last)
        place = QPoint(300, round(y + row.bubble.center().y()))
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier, place)
        assert [m.id for m in view.picking.messages()] == [f"m-{GROUP}-{n}" for n in (7, 8, 9)]
        press(view, Qt.Key.Key_Space)
        assert len(view.picking) == 2
        view.picking.toggle(last)
        page.pane.pick_bar.buttons["merge"].click()
        picker = await came(TargetPicker)
        assert not picker.send.isEnabled()
        picker.search.setText("oyx")
        assert [target.name for target in picker.shown] == ["欧阳雪"]
        press(picker.search, Qt.Key.Key_Return)
        picker.search.setText("王建")
        press(picker.search, Qt.Key.Key_Return)
        assert [target.name for target in picker.chosen] == ["欧阳雪", "王建国"]
        picker.note.setPlainText("请看")
        picker.send.click()
        await until(lambda: session.called("chat.forward_merged"))
        asked: list[Any] = session.called("chat.forward_merged")
        ids, where = asked[0]
        assert ids == tuple(f"m-{GROUP}-{n}" for n in (7, 8, 9))
        assert len(where) == 2
        assert where[1] == WANG
        await until(lambda: len(session.called("chat.send_text")) == 2)
        await until(lambda: not page.pane.pick_bar.isVisible())
        assert page.pane.composer.isVisible()
        page.close_page()

    play(scene())


def test_picking_leaves_out_what_says_nothing_and_stops_at_escape() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        view = page.pane.view
        view.picking.start(f"m-{GROUP}-1")  # somebody was invited
        assert len(view.picking) == 0
        view.picking.toggle(f"m-{GROUP}-2")
        view.copy_messages(view.picking.messages())
        assert QGuiApplication.clipboard().text().startswith("机房今晚")
        press(view, Qt.Key.Key_Escape)
        assert not view.picking.active
        page.close_page()

    play(scene())


def test_what_is_pinned_stands_above_the_talk_and_leads_to_its_place() -> None:
    async def scene() -> None:
        session = FakeSession()
        talk = session.chat.talks[GROUP]
        talk.messages[1] = msgspec.structs.replace(talk.messages[1], pinned=Pin("zhangmin", NOW))
        session.chat.set_member(GROUP, ME, role="admin")
        page = await open_page(session, GROUP)
        bar = page.pane.pinned
        await until(bar.isVisible)
        assert bar.text.text().startswith("刘洋：机房今晚")
        bar.press()
        await until(lambda: any(row.message.id == talk.messages[1].id for _, _, row in page.pane.view.placed))
        entries(page, f"m-{GROUP}-9")["置顶这条消息"]()
        await until(lambda: len(bar.messages) == 2)
        bar.unpin.click()
        await until(lambda: len(bar.messages) == 1)
        page.close_page()

    play(scene())


def test_a_member_who_leads_nothing_cannot_pin_and_one_who_is_muted_cannot_write() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="member")
        page = await open_page(session, GROUP)
        assert "置顶这条消息" not in entries(page, f"m-{GROUP}-9")
        session.chat.set_member(GROUP, ME, muted_until=session.clock.now_ms() + MINUTE)
        await until(lambda: not page.pane.composer.isVisible())
        assert page.pane.read_only.text() == "您已被禁言，暂时不能发言"
        assert "引用回复" not in entries(page, f"m-{GROUP}-9")
        session.chat.set_member(GROUP, ME, muted_until=None)
        await until(page.pane.composer.isVisible)
        session.chat.change(GROUP, dissolved_at=NOW)
        await until(lambda: not page.pane.composer.isVisible())
        assert page.pane.read_only.text() == "群聊已解散，只能查看"
        page.close_page()

    play(scene())


def test_a_text_waits_for_its_time_and_can_be_taken_back() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        composer.edit.setPlainText("明早记得带材料")
        composer.toggle_option("must_confirm")
        composer.later_button.click()
        dialog = await came(LaterDialog)
        dialog.field.set_at(NOW + 90 * MINUTE)
        dialog.ok.click()
        await until(lambda: session.called("chat.schedule"))
        assert session.called("chat.schedule")[0][:3] == (WANG, "明早记得带材料", NOW + 90 * MINUTE)
        await until(lambda: composer.text == "")
        composer.later_button.click()
        waiting = await came(ScheduledList)
        assert [(one.text, one.state) for one in waiting.items] == [("明早记得带材料", ScheduledState.WAITING)]
        waiting.edited.emit(waiting.items[0].id)
        await until(lambda: composer.text == "明早记得带材料")
        assert not await session.chat.scheduled(WANG)
        page.close_page()

    play(scene())


def test_usual_times_are_ahead() -> None:
    found = dict(usual_times(NOW))
    assert found
    assert all(moment > NOW for moment in found.values())


def test_what_was_kept_can_be_sent_again() -> None:
    async def scene() -> None:
        session = FakeSession()
        recorder = RecordingNavigator()
        page = await open_page(session, WANG, recorder)
        source = f"m-{WANG}-2"
        entries(page, source)["收藏"]()
        await until(lambda: session.called("chat.add_favorite"))
        page.pane.header.favorites_button.click()
        dialog = await came(FavoritesDialog)
        await until(lambda: dialog.items)
        assert dialog.current is not None
        assert dialog.current.text == "好的，我下午把附件补齐"
        dialog.send.click()
        await until(lambda: (WANG, "好的，我下午把附件补齐", (), None) in session.called("chat.send_text"))
        page.pane.header.favorites_button.click()
        dialog = await came(FavoritesDialog)
        await until(lambda: dialog.items)
        dialog.remove.click()
        await until(lambda: not dialog.items and not dialog.send.isEnabled())
        dialog.reject()
        page.close_page()

    play(scene())


def test_a_refused_change_says_so_once() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        session.events.publish(EditRefused("Message", f"m-{GROUP}-9", "tooLate"))
        await until(page.pane.snack.isVisible)
        assert page.pane.snack.text.text()
        page.close_page()

    play(scene())


def test_a_draft_of_another_device_comes_in_while_this_one_rests() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        page.list.search.setFocus()
        session.chat.change(WANG, draft="在手机上写的")
        await until(lambda: composer.text == "在手机上写的")
        composer.edit.setPlainText("在这里改了")
        session.chat.change(WANG, draft="手机上又写了")
        await settle()
        await asyncio.sleep(0.05)
        assert composer.text == "在这里改了"
        page.close_page()

    play(scene())


def test_a_shake_moves_the_window_and_brings_it_back() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        home = page.pos()
        shaker = page.pane.shaker
        if shaker.reduced:
            assert not shaker.shake()
            page.close_page()
            return
        session.receive(WANG, "wangjianguo", "", kind=MessageKind.SHAKE)
        await until(lambda: shaker.shaking)
        assert not shaker.shake()
        await until(lambda: not shaker.shaking)
        assert page.pos() == home
        page.close_page()

    play(scene())
