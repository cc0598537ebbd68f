"""What the flow shows beside plain text: Markdown, code, polls, chains, merged messages, system lines; copying with formats; emoji by name."""

from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from PySide6.QtGui import QGuiApplication, QTextDocument
from PySide6.QtWidgets import QAbstractButton, QApplication

from desktop.core.domain import (
    Attachment,
    Card,
    Chain,
    ChainEntry,
    Merged,
    MergedItem,
    Message,
    MessageKind,
    NestedMerged,
    Poll,
    PollOption,
    PollResult,
    SystemEvent,
)
from desktop.models.people import People
from desktop.ui import i18n
from desktop.ui.chat import sticker_set
from desktop.ui.chat.ask_text import TextDialog
from desktop.ui.chat.emoji_words import categories, emoji_name, find_emoji
from desktop.ui.chat.merged_window import MergedWindow
from desktop.ui.chat.people_tabs import PeopleTabs
from desktop.ui.chat.poll_cards import my_choice, voters
from desktop.ui.chat.poll_dialogs import CodeDialog, PollDialog
from desktop.ui.chat.summaries import summary
from desktop.ui.chat.system_words import event_words
from desktop.ui.chat.text_layout import from_html, from_markdown
from tests.helpers.fake_session import GROUP, MINUTE, NOW, PEOPLE, WANG, FakeSession, make_png
from tests.helpers.stage import RecordingNavigator, play, settle, until
from tests.widgets.test_chat_acts import ME, came, click_zone, held, opened, row_of, zones
from tests.widgets.test_chat_view import open_page

LUNCH = Poll("周五吃什么？", (PollOption("a", "面"), PollOption("b", "饭"), PollOption("c", "饺子")))


@pytest.fixture
def people(qapp: QApplication) -> People:
    made = People(PEOPLE[0])
    made.set_directory(PEOPLE, ())
    return made


# ---- text in its dresses
def test_markdown_becomes_one_text_with_formats_and_loads_nothing(qapp: QApplication) -> None:
    rich = from_markdown(
        "# 标题\n\n**粗** `code` [安全](https://a.example) [坏](file:///etc/passwd)\n\n- [x] 一\n- 二\n\n"
        "1. 甲\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n![图](file:///etc/passwd) <b>原样</b>"
    )
    lines = rich.text.split("\n")
    assert lines[:2] == ["标题", "粗 code 安全 坏"]
    assert "☑ 一" in lines
    assert "• 二" in lines
    assert "1. 甲" in lines
    assert "1 │ 2" in lines
    assert "<b>原样</b>" in rich.text
    assert [span.data for span in rich.spans] == ["https://a.example"]
    bold = [rich.text[f.start : f.start + f.length] for f in rich.formats if f.format.fontWeight() >= 600]
    assert {"标题", "粗"} <= set(bold)


def test_safe_html_of_a_formatted_message_is_shown_with_its_marks(qapp: QApplication) -> None:
    rich = from_html("<p>请<b>务必</b>看 <a href='https://a.example/x'>附件</a></p><ul><li>一</li><li>二</li></ul>")
    assert rich.text == "请务必看 附件\n• 一\n• 二"
    assert [(s.start, s.length, s.data) for s in rich.spans] == [(5, 2, "https://a.example/x")]


def test_a_copied_selection_carries_its_formats() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        told = session.receive(WANG, "wangjianguo", "**预算** 见 [附件](https://a.example/<x>)", markdown=True)
        await until(lambda: page.pane.held(told.id))
        page.pane.view.copy_messages([held(page, told.id)])
        data = QGuiApplication.clipboard().mimeData()
        assert data.text() == told.text
        assert "<b>预算</b>" in data.html()
        assert 'href="https://a.example/' in data.html()
        document = QTextDocument()
        document.setHtml(data.html())
        assert document.toPlainText() == "预算 见 附件"
        page.close_page()

    play(scene())


def test_code_stands_in_fixed_width_and_is_copied_whole() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        page.pane.composer.edit.setPlainText("SELECT 1;\nSELECT 2;")
        page.pane.composer.extra_wanted.emit("code")
        dialog = await came(CodeDialog)
        assert dialog.code.toPlainText() == "SELECT 1;\nSELECT 2;"
        dialog.language.setText("SQL")
        dialog.ok.click()
        await until(lambda: session.called("chat.send_code") == [(WANG, "SELECT 1;\nSELECT 2;", "sql")])
        assert page.pane.composer.text == ""
        await settle()
        sent = page.pane.window_model.at(len(page.pane.window_model) - 1)
        row = row_of(page, sent.id)
        assert row.body == "code"
        assert any(getattr(piece, "text", "") == "sql" for piece in row.pieces)
        QGuiApplication.clipboard().clear()
        click_zone(page, sent.id, "copy_code")
        assert QGuiApplication.clipboard().text() == "SELECT 1;\nSELECT 2;"
        page.close_page()

    play(scene())


def test_a_link_alone_has_a_card_that_asks_before_it_opens() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        alone = session.receive(WANG, "wangjianguo", "https://oa.example.gov/files/118")
        among = session.receive(WANG, "wangjianguo", "看 https://oa.example.gov/files/118 第三页")
        await until(lambda: page.pane.held(among.id))
        assert row_of(page, alone.id).laid is not None
        assert row_of(page, among.id).laid is None
        page.close_page()

    play(scene())


# ---- polls and chains
def test_a_vote_moves_and_goes_and_the_sender_closes_the_poll() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        asked = session.receive(GROUP, "zhangmin", "", kind=MessageKind.POLL, poll=LUNCH)
        await until(lambda: page.pane.held(asked.id))
        await settle()
        click_zone(page, asked.id, "vote", "a")
        await until(lambda: held(page, asked.id).choice == ("a",))
        await settle()
        click_zone(page, asked.id, "vote", "b")
        await until(lambda: held(page, asked.id).choice == ("b",))
        await settle()
        assert "close_poll" not in zones(page, asked.id)
        click_zone(page, asked.id, "voters")
        dialog = await came(PeopleTabs)
        dialog.show_tab(1)
        assert dialog.shown == [ME]
        dialog.reject()
        closed = session.receive(
            GROUP,
            "zhangmin",
            "",
            kind=MessageKind.POLL,
            poll=Poll("旧的", LUNCH.options, closes_at=NOW - MINUTE),
        )
        await until(lambda: page.pane.held(closed.id))
        await settle()
        assert "vote" not in zones(page, closed.id)
        page.close_page()

    play(scene())


def test_counting_voters_and_own_choice() -> None:
    several = Poll("?", LUNCH.options, multiple=True)
    named = {"a": PollResult(2, ("x", ME)), "b": PollResult(1, ("x",))}
    message = Message("m", GROUP, MessageKind.POLL, poll=several, results=named)
    assert voters(message) == 2
    assert my_choice(message, ME) == ("a",)
    hidden = Poll("?", LUNCH.options, anonymous=True)
    assert (
        voters(Message("m", GROUP, MessageKind.POLL, poll=hidden, results={"a": PollResult(2), "b": PollResult(3)}))
        == 5
    )


def test_a_new_poll_needs_a_question_and_two_answers() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        page.pane.composer.extra_wanted.emit("poll")
        dialog = await came(PollDialog)
        dialog.question.setText("去哪里？")
        dialog.options[0].setText("湖边")
        dialog.options[1].setText(" 湖边 ")
        assert not dialog.ok.isEnabled()
        dialog.options[2].setText("山上")
        dialog.multiple.setChecked(True)
        assert dialog.ok.isEnabled()
        dialog.ok.click()
        await until(lambda: session.called("chat.send_poll"))
        assert session.called("chat.send_poll")[0][:3] == (GROUP, "去哪里？", ("湖边", "山上"))
        page.close_page()

    play(scene())


def test_a_line_of_a_chain_is_added_changed_and_taken_back() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        others = tuple(ChainEntry(p.id, f"套餐 {n}", NOW) for n, p in enumerate(PEOPLE[1:12]))
        told = session.receive(GROUP, "zhangmin", "", kind=MessageKind.CHAIN, chain=Chain("订餐"), entries=others)
        await until(lambda: page.pane.held(told.id))
        await settle()
        assert zones(page, told.id)["chain"] == "查看前面 3 条"

        def mine() -> list[str]:
            return [entry.text for entry in held(page, told.id).entries if entry.person_id == ME]

        for text, wanted in (("不要香菜", ["不要香菜"]), ("", [])):
            click_zone(page, told.id, "chain_entry")
            dialog = await came(TextDialog)
            dialog.edit.setPlainText(text)
            dialog.ok.click()
            await until(partial(lambda wanted: mine() == wanted, wanted))
            await until(lambda: opened(TextDialog) is None)
            await settle()
        page.close_page()

    play(scene())


# ---- merged messages, cards
def test_a_merged_message_opens_in_a_window_and_what_is_nested_in_another() -> None:
    async def scene() -> None:
        session = FakeSession()
        recorder = RecordingNavigator()
        page = await open_page(session, WANG, recorder)
        blob = session.files.keep(make_png(40, 30, (10, 20, 30)))
        picture = Attachment(blob, "照片.png", "image/png", 10, 40, 30)
        inner = Merged("里面的聊天记录", (MergedItem("wufang", "吴芳", NOW, text="最里面"),))
        items = (
            MergedItem("zhangmin", "张敏", NOW, text="外面"),
            MergedItem("wufang", "吴芳", NOW, MessageKind.PICTURE, attachment=picture),
            MergedItem("wufang", "吴芳", NOW, MessageKind.MERGED, merged=NestedMerged("里面的聊天记录", 1)),
        )
        told = session.receive(WANG, "wangjianguo", "", kind=MessageKind.MERGED, merged=Merged("群聊记录", items))
        session.chat.nested[(told.id, 2)] = inner
        await until(lambda: page.pane.held(told.id))
        click_zone(page, told.id, "merged")
        window = await came(MergedWindow)
        pressable = window.findChildren(QAbstractButton)
        assert "[图片] 照片.png" in [button.accessibleName() for button in pressable]
        next(button for button in pressable if button.text() == "里面的聊天记录  1 条").click()
        await until(lambda: session.called("chat.open_merged") == [(told.id, (2,))])

        def windows() -> list[MergedWindow]:
            return [one for one in QApplication.topLevelWidgets() if isinstance(one, MergedWindow)]

        await until(lambda: len(windows()) == 2)
        for one in windows():
            one.close()
        page.close_page()

    play(scene())


def test_a_contact_card_leads_to_the_person() -> None:
    async def scene() -> None:
        session = FakeSession()
        recorder = RecordingNavigator()
        page = await open_page(session, WANG, recorder)
        told = session.receive(WANG, "wangjianguo", "", card=Card("Person", "chenjing", "陈静"))
        await until(lambda: page.pane.held(told.id))
        click_zone(page, told.id, "person", "chenjing")
        assert recorder.calls[-1] == ("person", "chenjing")
        page.close_page()

    play(scene())


# ---- lines
@pytest.mark.parametrize(
    ("event", "zh", "en"),
    [
        (SystemEvent("joined", ("chenjing", "zhaolei"), "zhangmin"), "张敏 邀请 陈静、赵磊 加入了群聊", "张敏 brought"),
        (SystemEvent("joined", (ME,), ME), "您 加入了群聊", "You joined the group"),
        (SystemEvent("renamed", (), ME, "新群"), "您 将群名改为“新群”", "You named the group “新群”"),
        (
            SystemEvent("roleChanged", ("zhaolei",), "zhangmin", "admin"),
            "张敏 将 赵磊 设为管理员",
            "张敏 made 赵磊 an admin",
        ),
        (SystemEvent("muted", (), "zhangmin"), "张敏 开启了全员禁言", "张敏 muted everyone"),
        (SystemEvent("somethingNew", (ME,), ME), "", ""),
    ],
)
def test_system_lines_are_worded_in_the_users_language(people: People, event: SystemEvent, zh: str, en: str) -> None:
    i18n.set_language("zh")
    assert event_words(event, people) == zh
    i18n.set_language("en")
    try:
        assert event_words(event, people).startswith(en)
    finally:
        i18n.set_language("zh")


def test_a_line_for_every_kind(people: People) -> None:
    voice = Message("m", GROUP, MessageKind.VOICE, attachment=Attachment("b", "v.ogg"))
    assert summary(voice, people) == "[语音]"
    assert summary(Message("m", GROUP, MessageKind.POLL, poll=LUNCH), people) == "[投票] 周五吃什么？"
    gone = Message("m", GROUP, MessageKind.TEXT, sender_id="zhaolei", recalled_at=NOW, recalled_by_id="zhangmin")
    assert summary(gone, people) == "张敏 撤回了 赵磊 的一条消息"


# ---- emoji by name
def test_emoji_are_found_by_words_of_both_languages() -> None:
    i18n.set_language("zh")
    assert "👍" in find_emoji("赞")
    assert "👍" in find_emoji("thumbs")
    assert "🎉" in find_emoji("party")
    assert find_emoji("  ") == ()
    assert find_emoji("没有这种表情") == ()
    assert all(emoji_name(one) for line in categories().values() for one in line)


def test_the_picker_narrows_and_takes_the_first_at_enter() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        composer.picker.open_above(composer.emoji_button)
        composer.picker.search.setText("蛋糕")
        assert "🎂" in composer.picker.offered
        first = composer.picker.offered[0]
        composer.picker.search.returnPressed.emit()
        assert composer.text == first
        page.close_page()

    play(scene())


def test_rows_of_all_kinds_keep_to_their_place_at_twice_the_text_size() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        told = [
            session.receive(GROUP, "zhangmin", "", kind=MessageKind.POLL, poll=LUNCH, reactions={"👍": (ME,)}),
            session.receive(GROUP, ME, "确认一下", must_confirm=True, reactions={e: (ME,) for e in "😀😃😄😁😆😅"}),
            session.receive(GROUP, "wufang", "x = 1", code=True, edited_at=NOW),
        ]
        await until(lambda: page.pane.held(told[-1].id))
        await settle()
        for message in told:
            row = row_of(page, message.id)
            assert row.bubble.left() >= 0
            assert row.bubble.right() <= row.width
            for piece in row.pieces:
                assert piece.rect.bottom() <= row.height
        placed = sorted(page.pane.view.placed, key=lambda one: one[0])
        assert all(abs(a[1] + a[2].height - b[1]) < 0.5 for a, b in pairwise(placed))
        page.close_page()

    play(scene(), scale=2.0)


def test_own_stickers_are_added_sent_and_thrown_away(tmp_path: Path) -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        picker = composer.picker
        picker.open_above(composer.emoji_button)
        assert picker.stickers is not None
        picture = tmp_path / "好的.png"
        picture.write_bytes(make_png(60, 60, (200, 160, 20)))
        await picker.stickers.add([str(picture)])
        assert [one.name for one in picker.stickers.stickers] == ["好的"]
        picker.stickers.list.chosen.emit(picker.stickers.list.model().index(0, 0))
        key = picker.stickers.stickers[0].id
        await until(lambda: session.called("chat.send_sticker") == [(WANG, key)])
        assert not picker.isVisible()
        await picker.stickers.remove(key)
        assert picker.stickers.stickers == []
        page.close_page()

    play(scene())


def test_a_built_in_sticker_is_picked_drawn_and_said_in_words(people: People) -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        picker = page.pane.composer.picker
        picker.open_above(page.pane.composer.emoji_button)
        picker._show(len(picker._names) + 1)
        grid = picker.sticker_set
        assert grid is not None
        assert grid.isVisible()
        assert not (picker.stickers and picker.stickers.isVisible())
        assert grid.model().rowCount() == len(sticker_set.names()) >= 16
        grid.chosen.emit(grid.model().index(0, 0))
        await until(lambda: session.called("chat.send_built_in") == [(WANG, "got-it", "收到")])
        assert not picker.isVisible()
        told = session.receive(WANG, "wangwei", "辛苦了", kind=MessageKind.STICKER, sticker="well-done")
        newer = session.receive(WANG, "wangwei", "放假啦", kind=MessageKind.STICKER, sticker="of-a-later-version")
        await until(lambda: page.pane.held(newer.id))
        await settle()
        row = row_of(page, told.id)
        assert (row.body, row.bubble.height() > row.bubble.width()) == ("sticker", True)
        seen = page.pane.view.viewport().grab().toImage()
        assert not seen.isNull()
        assert row_of(page, newer.id).text == "放假啦"
        assert [summary(one, people) for one in (told, newer)] == ["[辛苦了]", "[表情] 放假啦"]
        page.close_page()

    play(scene())


def test_every_built_in_sticker_has_a_drawing_and_words(qapp: QApplication) -> None:
    seen = set()
    for name in sticker_set.names():
        drawn = sticker_set.pixmap(name, 60, 1.0).toImage()
        colors = {drawn.pixel(x, y) for x in range(0, 60, 3) for y in range(0, 60, 3)}
        assert len(colors) > 5, name
        seen.add(frozenset(colors))
        i18n.set_language("en")
        english = sticker_set.caption(name)
        i18n.set_language("zh")
        assert english.isascii()
        assert 0 < len(sticker_set.caption(name)) <= 5
    assert len(seen) == len(sticker_set.names())


def test_stickers_are_ordered_and_the_recent_ones_come_first() -> None:
    async def scene() -> None:
        session = FakeSession()
        for number in range(12):
            await session.chat.add_sticker(make_png(4, 4, (number, 0, 0)), f"s{number}")
        page = await open_page(session, WANG)
        panel = page.pane.composer.picker.stickers
        assert panel is not None
        panel.reload()
        await until(lambda: len(panel.shown) == 12)
        seventh = panel.stickers[7].id
        await panel.move_to(seventh, 0)
        assert [one.name for one in panel.stickers][:3] == ["s7", "s0", "s1"]
        panel.picked.emit(panel.stickers[4].id)
        page.pane.composer.picker._show(len(page.pane.composer.picker._names))
        await until(lambda: len(panel.shown) == 13)
        assert panel.shown[0].name == "s3"

    play(scene())
