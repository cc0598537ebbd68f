"""The message view and its window: paging without a jump, bounded memory, selection and copy, keys, the unread line."""

import asyncio

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest

from desktop.core.domain import ConnectionState, Delivery
from desktop.models.messages import MAX_HELD, PAGE, MessageWindow
from desktop.ui.chat import text as words
from desktop.ui.chat.flow import KEPT_ROWS
from desktop.ui.chat.page import MessagesPage, create_messages_page
from desktop.ui.chat.view import MessageView
from desktop.ui.shell.ui_state import UiState
from tests.helpers.fake_session import GROUP, HISTORY, WANG, ZHANG, FakeSession
from tests.helpers.stage import RecordingNavigator, play, press, settle, until


async def open_page(
    session: FakeSession, conversation: str, recorder: RecordingNavigator | None = None
) -> MessagesPage:
    """The page at a fixed size with a conversation open and loaded."""
    recorder = recorder or RecordingNavigator()
    page = create_messages_page(session, recorder, recorder, UiState())
    page.resize(1000, 700)
    page.show()
    page.activateWindow()
    await until(lambda: page.list.model.rowCount() > 0)
    page.open_conversation(conversation)
    await until(lambda: page.pane.window_model.conversation_id == conversation and session.called("chat.members"))
    await settle()
    return page


def place_of(view: MessageView, message_id: str) -> float:
    """Where a message stands in the viewport."""
    return next(y for _, y, row in view.placed if row.message.id == message_id)


def test_older_pages_join_without_moving_what_is_read() -> None:
    async def scene() -> None:
        session = FakeSession(history=1000)
        page = await open_page(session, HISTORY)
        view, window = page.pane.view, page.pane.window_model
        for _ in range(12):
            view.scroll_up(400)
            held, before = len(window), window.first_seq
            middle = view.placed[len(view.placed) // 2][2].message.id
            at = place_of(view, middle)
            await settle()
            assert abs(place_of(view, middle) - at) < 0.51, (held, before)
        assert len(window) > PAGE
        assert window.first_seq < 1000 - PAGE
        seqs = [window.at(row).seq for row in range(len(window))]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        page.close_page()

    play(scene())


def test_memory_stays_bounded_through_a_long_way_up_and_down() -> None:
    async def scene() -> None:
        session = FakeSession(history=5000)
        page = await open_page(session, HISTORY)
        view, window = page.pane.view, page.pane.window_model
        while window.first_seq > 3600:
            view.scroll_up(900)
            await asyncio.sleep(0)
            assert len(window) <= MAX_HELD
            assert view.cached_rows <= KEPT_ROWS
        assert window.has_newer
        reached = window.first_seq
        for _ in range(400):
            view.scroll_up(-900)
            await asyncio.sleep(0)
            assert len(window) <= MAX_HELD
        await until(lambda: not window.has_newer)
        assert window.last_seq == 5000
        assert window.first_seq > reached
        page.close_page()

    play(scene())


def test_the_scroll_bar_reaches_any_place_of_a_long_history() -> None:
    async def scene() -> None:
        session = FakeSession(history=100_000)
        page = await open_page(session, HISTORY)
        view, window = page.pane.view, page.pane.window_model
        bar = view.verticalScrollBar()
        assert bar.value() == bar.maximum()
        bar.setValue(bar.maximum() // 2)
        await until(lambda: 45_000 < window.first_seq < 55_000)
        assert window.has_older
        assert window.has_newer
        assert 0.45 < bar.value() / bar.maximum() < 0.55
        press(view, Qt.Key.Key_Home)
        await until(lambda: window.first_seq == 1)
        press(view, Qt.Key.Key_End)
        await until(lambda: view.at_newest and window.last_seq == 100_000)
        page.close_page()

    play(scene())


def test_a_new_message_follows_at_the_foot_and_is_counted_above_it() -> None:
    async def scene() -> None:
        session = FakeSession(history=300)
        page = await open_page(session, HISTORY)
        view, pane = page.pane.view, page.pane
        session.receive(HISTORY, "zhangmin", "到了")
        await until(lambda: view.placed[0][2].message.text == "到了")
        assert view.at_newest
        view.scroll_up(800)
        await settle()
        anchor = view.anchor
        session.receive(HISTORY, "zhangmin", "又一条")
        session.receive(HISTORY, "wufang", "再一条")
        await until(lambda: pane.jump.accessibleName() == "2 条新消息")
        assert view.anchor == anchor
        assert pane.jump.isVisible()
        pane.jump.click()
        await until(lambda: view.at_newest)
        assert not pane.jump.isVisible()
        page.close_page()

    play(scene())


def test_the_unread_line_stands_before_the_first_new_message_and_reading_is_told_once() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        lines = [row.message.seq for _, _, row in page.pane.view.placed if row.unread_line]
        assert lines == [11]
        await until(lambda: session.called("chat.mark_read"))
        assert session.called("chat.mark_read") == [(GROUP, 13)]
        await until(lambda: page.list.model.unread_total == 2)
        page.close_page()

    play(scene())


def test_the_unread_line_never_stands_before_ones_own_message() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.receive(WANG, "linyuan", "我在另一台电脑上写的")
        session.receive(WANG, "wangjianguo", "回复")
        session.chat.change(WANG, read_seq=2, unread_count=1)
        page = await open_page(session, WANG)
        assert [row.message.text for _, _, row in page.pane.view.placed if row.unread_line] == ["回复"]
        page.close_page()

    play(scene())


def test_many_unread_open_at_the_first_of_them() -> None:
    async def scene() -> None:
        session = FakeSession(history=400)
        session.chat.change(HISTORY, unread_count=150, read_seq=250)
        page = await open_page(session, HISTORY)
        view = page.pane.view
        top = min((y, row.message.seq) for _, y, row in view.placed if y >= -1)
        assert top[1] == 251
        assert page.pane.window_model.has_newer
        page.close_page()

    play(scene())


@pytest.mark.parametrize("unread", [150, 25])
def test_end_pressed_while_a_talk_opens_is_not_overridden_by_its_unread_messages(unread: int) -> None:
    async def scene() -> None:
        session = FakeSession(history=400)
        session.chat.change(HISTORY, unread_count=unread, read_seq=400 - unread)
        page = create_messages_page(session, RecordingNavigator(), RecordingNavigator(), UiState())
        page.resize(1000, 700)
        page.show()
        await until(lambda: page.list.model.rowCount() > 0)
        page.open_conversation(HISTORY)
        view = page.pane.view
        assert not len(view.window_model)  # nothing has come yet
        press(view, Qt.Key.Key_End)
        await until(lambda: session.called("chat.members"), "the talk to be read")
        await settle()
        assert view.at_newest
        assert page.pane.context.unread_from == 401 - unread  # the line is drawn all the same
        page.close_page()

    play(scene())


def test_selection_runs_over_bubbles_and_is_copied_in_order() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        view = page.pane.view
        rows = {row.message.seq: (y, row) for _, y, row in view.placed}
        (y1, first), (y2, second) = rows[1], rows[2]
        start = QPointF(first.bubble.left() + 2, y1 + first.bubble.center().y()).toPoint()
        end = QPointF(second.bubble.right() - 2, y2 + second.bubble.center().y()).toPoint()
        port = view.viewport()
        QTest.mousePress(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
        QTest.mouseMove(port, start + QPoint(30, 4))
        QTest.mouseMove(port, end)
        QTest.mouseRelease(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)
        press(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        copied = QGuiApplication.clipboard().text().split("\n")
        assert copied[0].startswith("林远 2026-10-22")
        assert copied[1] == "附件还差一份合同扫描件"
        assert copied[2].startswith("王建国 ")
        assert copied[3] == "好的，我下午把附件补齐"
        page.close_page()

    play(scene())


def test_a_selection_inside_one_bubble_is_the_bare_text_whatever_stands_before_it() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.receive(WANG, "wangjianguo", "👍👨‍💻水位 12.4 米")
        page = await open_page(session, WANG)
        view = page.pane.view
        row = view.placed[0][2]
        view.selection.start(_end(row.message.id, words.units("👍👨‍💻")))
        view.selection.extend(_end(row.message.id, words.units("👍👨‍💻水位")))
        assert view.selected_text() == "水位"
        page.close_page()

    play(scene())


def _end(message_id: str, place: int):  # type: ignore[no-untyped-def]
    from desktop.ui.chat.selection import End

    return End(message_id, place)


def test_text_is_never_read_as_html_and_controls_cannot_turn_it_round() -> None:
    async def scene() -> None:
        session = FakeSession()
        hostile = "<b>粗</b><img src='http://x.example/a.png'> \u202egpj.exe\x07"
        session.receive(WANG, "wangjianguo", hostile)
        page = await open_page(session, WANG)
        row = page.pane.view.placed[0][2]
        assert row.layout is not None
        laid = row.layout.text()
        assert "<b>粗</b>" in laid
        assert "\u202e" not in laid
        assert "\x07" not in laid
        assert words.units(laid) == words.units(hostile)
        page.close_page()

    play(scene())


def test_links_people_cards_and_pictures_react() -> None:
    async def scene() -> None:
        session, recorder = FakeSession(), RecordingNavigator()
        page = await open_page(session, GROUP, recorder)
        view = page.pane.view
        for wanted, message in (("card", "m-c-office-10"), ("picture", "m-c-office-4"), ("jump", "m-c-office-9")):
            view.show_message(message)
            await settle()
            y, row = next((y, r) for _, y, r in view.placed if r.message.id == message)
            zone = next(z for z in row.zones if z.action == wanted)
            QTest.mouseClick(
                view.viewport(), Qt.MouseButton.LeftButton, pos=(zone.rect.center() + QPointF(0, y)).toPoint()
            )
            await settle()
        assert ("notice", "n1") in recorder.calls
        assert ("picture", "现场照片.png") in recorder.calls
        assert any(row.message.id == "m-c-office-7" for _, _, row in view.placed)
        spans = words.spans("见 https://oa.example.gov/a?b=1。谢谢", [])
        assert [span.data for span in spans] == ["https://oa.example.gov/a?b=1"]
        page.close_page()

    play(scene())


def test_only_web_links_are_links() -> None:
    for text in ("javascript:alert(1)", "file:///etc/passwd", "data:text/html,x", "ftp://x.example/a"):
        assert not words.spans(text, [])


def test_pending_sent_and_refused_marks() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        session.go(ConnectionState.OFFLINE)
        message = await session.chat.send_text(WANG, "断网也能写")
        view = page.pane.view
        await until(lambda: view.placed[0][2].message.id == message.id)
        assert view.placed[0][2].message.delivery is Delivery.PENDING
        session.chat.refuse(WANG, message.id)
        await until(lambda: view.placed[0][2].message.delivery is Delivery.REFUSED)
        y, row = view.placed[0][1], view.placed[0][2]
        retry = next(zone for zone in row.zones if zone.action == "retry")
        QTest.mouseClick(
            view.viewport(), Qt.MouseButton.LeftButton, pos=(retry.rect.center() + QPointF(0, y)).toPoint()
        )
        await until(lambda: session.called("chat.retry"))
        session.go(ConnectionState.LIVE)
        await until(lambda: view.placed[0][2].message.delivery is Delivery.SENT)
        assert view.placed[0][2].message.seq == 3
        page.close_page()

    play(scene())


def test_a_refused_message_can_be_discarded() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.hold = True
        page = await open_page(session, WANG)
        message = await session.chat.send_text(WANG, "不要了")
        session.chat.refuse(WANG, message.id)
        await until(lambda: page.pane.view.placed[0][2].message.delivery is Delivery.REFUSED)
        page.pane.view.acted.emit("discard", message.id, message.id)
        await until(lambda: page.pane.window_model.row_of(message.id) < 0)
        page.close_page()

    play(scene())


def test_typing_is_shown_and_ends_with_the_message() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, ZHANG)
        session.typing(ZHANG, "zhangmin")
        assert page.pane.typing_line.text() == "张敏 正在输入…"
        session.receive(ZHANG, "zhangmin", "好")
        assert not page.pane.typing_line.isVisible()
        session.typing(GROUP, "wufang")
        assert not page.pane.typing_line.isVisible()
        page.close_page()

    play(scene())


def test_the_focused_message_is_described_and_moves_with_the_keys() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        view = page.pane.view
        view.setFocus(Qt.FocusReason.TabFocusReason)
        await settle()
        press(view, Qt.Key.Key_Up)
        assert "附件还差一份合同扫描件" in view.accessibleDescription() or "附件补齐" in view.accessibleDescription()
        press(view, Qt.Key.Key_Up)
        assert "附件还差一份合同扫描件" in view.accessibleDescription()
        press(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert QGuiApplication.clipboard().text() == "附件还差一份合同扫描件"
        page.close_page()

    play(scene())


def test_a_burst_larger_than_a_page_leads_to_the_newest_without_a_gap() -> None:
    async def scene() -> None:
        session = FakeSession(history=200)
        page = await open_page(session, HISTORY)
        window = page.pane.window_model
        session.hold = True
        talk = session.chat.talks[HISTORY]
        talk.messages = [*talk.messages, *(_copy(talk.messages[0], 200 + n) for n in range(1, 151))]
        session.publish_messages(HISTORY, "many")
        await until(lambda: window.last_seq == 350 and not window.has_newer)
        seqs = [window.at(row).seq for row in range(len(window))]
        assert seqs == list(range(seqs[0], 351))
        page.close_page()

    play(scene())


def _copy(message, seq: int):  # type: ignore[no-untyped-def]
    import msgspec

    return msgspec.structs.replace(message, id=f"burst-{seq}", seq=seq)


def test_a_late_answer_of_the_former_conversation_is_dropped() -> None:
    async def scene() -> None:
        session = FakeSession()
        window = MessageWindow(session.chat)
        first = asyncio.get_running_loop().create_task(window.open(GROUP))
        second = asyncio.get_running_loop().create_task(window.open(WANG))
        await asyncio.gather(first, second)
        assert window.conversation_id == WANG
        assert len(window) == 2

    play(scene())


def test_all_scales_and_both_themes_paint() -> None:
    async def scene() -> None:
        from desktop.ui import i18n, theme

        session = FakeSession()
        page = await open_page(session, GROUP)
        for mode in ("light", "dark"):
            for scale in (1.0, 2.0):
                theme.set_mode(mode)
                theme.set_text_scale(scale)
                i18n.set_language("en" if scale == 2.0 else "zh")
                await settle()
                image = page.pane.view.grab().toImage()
                corner = image.pixelColor(image.width() // 2, 4)
                assert corner.lightness() > 200 if mode == "light" else corner.lightness() < 80
                assert page.pane.view.placed
        page.close_page()

    play(scene())


def test_a_screen_reader_is_told_of_new_messages_and_of_the_focused_one() -> None:
    async def scene() -> None:
        from PySide6.QtGui import QAccessible

        session = FakeSession()
        page = await open_page(session, WANG)
        was = QAccessible.isActive()
        QAccessible.setActive(True)
        try:
            session.receive(WANG, "wangjianguo", "请听")
            await until(lambda: page.pane.view.placed[0][2].message.text == "请听")
            page.pane.view.setFocus(Qt.FocusReason.TabFocusReason)
            await settle()
            assert page.pane.view.accessibleDescription().endswith("请听")
        finally:
            QAccessible.setActive(was)
        page.close_page()

    play(scene())


def test_ten_thousand_characters_are_laid_out_within_a_few_frames_and_kept() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.receive(WANG, "wangjianguo", "水位上涨，请各站点注意。" * 830)
        page = await open_page(session, WANG)
        view = page.pane.view
        tall = view.placed[0][2]
        assert tall.height > view.viewport().height()
        before = tall
        view.scroll_up(200)
        assert view.placed[0][2] is before
        assert view.anchor == (before.message.id, 200 - 0.0)
        page.close_page()

    play(scene())
