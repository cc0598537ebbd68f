"""The composer and the list: Enter and input methods, mentions, drafts, files, limits; order, filter and menu of conversations."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QImage, QInputMethodEvent
from PySide6.QtWidgets import QApplication, QFileDialog

from desktop.core.domain import ConnectionState, Delivery
from desktop.core.errors import Rejected, StorageUnavailable
from desktop.models.conversations import ConversationRole
from desktop.ui.chat.composer import Composer
from desktop.ui.chat.conversation_list import preview
from desktop.ui.chat.emoji_words import categories
from desktop.ui.chat.outgoing import item_of
from desktop.ui.chat.page import MessagesPage
from desktop.ui.chat.text import is_emoji
from tests.helpers.fake_session import GROUP, WANG, ZHANG, FakeClock, FakeSession
from tests.helpers.stage import play, press, settle, until
from tests.widgets.test_chat_view import open_page

CONTROL = Qt.KeyboardModifier.ControlModifier


def write(page: MessagesPage, text: str) -> Composer:
    """Types a text at the cursor."""
    composer = page.pane.composer
    composer.edit.insertPlainText(text)
    return composer


def test_enter_sends_at_once_and_control_enter_makes_a_line() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.hold = True
        page = await open_page(session, WANG)
        composer = write(page, "第一行")
        press(composer.edit, Qt.Key.Key_Return, CONTROL)
        write(page, "第二行")
        press(composer.edit, Qt.Key.Key_Return)
        assert composer.text == ""
        await until(lambda: session.called("chat.send_text"))
        assert session.called("chat.send_text") == [(WANG, "第一行\n第二行", (), None)]
        await until(lambda: page.pane.view.placed[0][2].message.delivery is Delivery.PENDING)
        composer.set_enter_sends(False)
        write(page, "另一种")
        press(composer.edit, Qt.Key.Key_Return)
        assert composer.text == "另一种\n"
        press(composer.edit, Qt.Key.Key_Return, CONTROL)
        await until(lambda: len(session.called("chat.send_text")) == 2)
        page.close_page()

    play(scene())


def test_enter_never_sends_while_an_input_method_composes() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        edit = page.pane.composer.edit
        QApplication.sendEvent(edit, QInputMethodEvent("ni hao", []))
        press(edit, Qt.Key.Key_Return)
        press(edit, Qt.Key.Key_Enter, CONTROL)
        await settle()
        assert not session.called("chat.send_text")
        commit = QInputMethodEvent("", [])
        commit.setCommitString("你好")
        QApplication.sendEvent(edit, commit)
        press(edit, Qt.Key.Key_Return)
        await until(lambda: session.called("chat.send_text"))
        assert session.called("chat.send_text")[0][1] == "你好"
        page.close_page()

    play(scene())


def test_a_text_over_the_limit_stays_and_says_why() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = write(page, "字" * 10_001)
        press(composer.edit, Qt.Key.Key_Return)
        assert len(composer.text) == 10_001
        assert "10001" in page.pane.snack.text.text()
        assert not session.called("chat.send_text")
        composer.edit.textCursor().deletePreviousChar()
        composer.submit()
        await until(lambda: session.called("chat.send_text"))
        page.close_page()

    play(scene())


@pytest.mark.parametrize("failure", [StorageUnavailable(reason="disk"), Rejected(type="forbidden")])
def test_what_could_not_be_handed_over_comes_back_before_what_was_typed_since(failure: Exception) -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        session.failures["chat.send_text"] = failure
        composer = write(page, "不能丢")
        composer.submit()
        write(page, "后来写的")
        await until(lambda: "不能丢" in composer.text)
        assert composer.text == "不能丢\n后来写的"
        assert page.pane.snack.isVisible()
        page.close_page()

    play(scene())


def test_two_sends_keep_their_order_offline_and_after() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        session.go(ConnectionState.OFFLINE)
        for text in ("一", "二", "三"):
            write(page, text)
            page.pane.composer.submit()
        await until(lambda: len(session.called("chat.send_text")) == 3)
        session.go(ConnectionState.LIVE)
        window = page.pane.window_model
        await until(lambda: len(window) == 5 and all(window.at(row).seq for row in range(5)))
        assert [window.at(row).text for row in (2, 3, 4)] == ["一", "二", "三"]
        page.close_page()

    play(scene())


def test_the_draft_is_kept_for_each_conversation() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        write(page, "写到一半")
        page.open_conversation(ZHANG)
        await until(lambda: session.chat.drafts.get(WANG) == "写到一半")
        assert page.pane.composer.text == ""
        await until(lambda: page.list.model.find(WANG).draft == "写到一半")  # type: ignore[union-attr]
        page.open_conversation(WANG)
        await settle()
        assert page.pane.composer.text == "写到一半"
        page.pane.composer.submit()
        await until(lambda: session.chat.drafts.get(WANG) == "")
        page.close_page()

    play(scene())


def test_the_draft_is_saved_a_moment_after_typing() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        write(page, "停一停")
        await until(lambda: session.called("chat.set_draft") == [(WANG, "停一停")])
        page.close_page()

    play(scene())


def test_mentions_complete_by_initials_and_pinyin_and_are_sent() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        composer = write(page, "👍请@wjg")
        popup = composer.popup
        assert popup.isVisible()
        assert [c.name for c in popup.found] == ["王建国"]
        press(composer.edit, Qt.Key.Key_Return)
        assert composer.text == "👍请@王建国 "
        assert not popup.isVisible()
        write(page, "看一下，@zhang")
        assert [c.id for c in popup.found] == ["zhangmin"]
        press(composer.edit, Qt.Key.Key_Tab)
        write(page, "也看一下")
        composer.submit()
        await until(lambda: session.called("chat.send_text"))
        _, text, mentions, _ = session.called("chat.send_text")[0]
        assert text == "👍请@王建国 看一下，@张敏 也看一下"
        assert mentions == ("wangjianguo", "zhangmin")
        page.close_page()

    play(scene())


def test_mentions_offer_everyone_move_with_the_keys_and_close_with_escape() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        composer = write(page, "@")
        assert composer.popup.found[0].id == "all"
        press(composer.edit, Qt.Key.Key_Down)
        assert composer.popup.list.currentIndex().row() == 1
        press(composer.edit, Qt.Key.Key_Escape)
        assert not composer.popup.isVisible()
        composer.edit.clear()
        write(page, "mail@")
        assert not composer.popup.isVisible()
        page.close_page()

    play(scene())


def test_no_mentions_between_two_people() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = write(page, "@w")
        assert not composer.popup.isVisible()
        assert not composer.mention_button.isVisible()
        page.close_page()

    play(scene())


def test_pasted_picture_and_dropped_files_wait_in_the_strip_until_sent(tmp_path: Path) -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        image = QImage(8, 8, QImage.Format.Format_RGB32)
        image.fill(QColor("red"))
        mime = QMimeData()
        mime.setImageData(image)
        composer.edit.insertFromMimeData(mime)
        paper = tmp_path / "报告.docx"
        paper.write_bytes(b"x" * 2048)
        files = QMimeData()
        folder = tmp_path / "航拍"
        folder.mkdir()
        files.setUrls([QUrl.fromLocalFile(str(paper)), QUrl.fromLocalFile(str(folder)), QUrl("https://a.test/x")])
        composer.edit.insertFromMimeData(files)
        composer.want_extra("folder")
        (dialog,) = composer.findChildren(QFileDialog)
        assert dialog.fileMode() is QFileDialog.FileMode.Directory
        (tmp_path / "图纸").mkdir()
        dialog.filesSelected.emit([str(tmp_path / "图纸")])
        dialog.close()
        names = [item.name for item in composer.strip.items]
        assert names == ["截图 " + names[0][3:], "报告.docx", "航拍/", "图纸/"]
        assert composer.strip.isVisible()
        assert "网页" in page.pane.snack.text.text()
        assert not session.called("chat.send_picture")
        write(page, "请看附件")
        composer.submit()
        await until(lambda: session.called("chat.send_text"))
        sent = [call[0] for call in session.calls if str(call[0]).startswith("chat.send")]
        assert sent == ["chat.send_picture", *["chat.send_file"] * 3, "chat.send_text"]
        assert not composer.strip.isVisible()
        page.close_page()

    play(scene())


def test_a_file_that_fails_comes_back_with_what_stood_behind_it(tmp_path: Path) -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        paper = tmp_path / "a.bin"
        paper.write_bytes(b"1")
        item = item_of(paper)
        assert item is not None
        composer = write(page, "说明")
        composer.strip.add((item,))
        session.failures["chat.send_file"] = StorageUnavailable(reason="disk")
        composer.submit()
        await until(lambda: composer.text == "说明")
        assert [i.name for i in composer.strip.items] == ["a.bin"]
        page.close_page()

    play(scene())


def test_rich_text_is_pasted_as_plain_text() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        mime = QMimeData()
        mime.setHtml("<b>粗体</b><img src='x'>")
        mime.setText("粗体")
        page.pane.composer.edit.insertFromMimeData(mime)
        assert page.pane.composer.text == "粗体"
        page.close_page()

    play(scene())


def test_emoji_are_inserted_and_remembered() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        composer.picker.open_above(composer.emoji_button)
        assert composer.picker.isVisible()
        grid = composer.picker._grid
        press(grid, Qt.Key.Key_Right)
        press(grid, Qt.Key.Key_Return)
        second = categories()["smileys"][1]
        assert composer.text == second
        assert not composer.picker.isVisible()
        composer.picker.open_above(composer.emoji_button)
        press(grid, Qt.Key.Key_Return)
        assert composer.text == second * 2
        page.close_page()

    play(scene())


@pytest.mark.parametrize(
    ("text", "large"),
    [("👍", True), ("👨‍💻", True), ("🇨🇳", True), ("👍👍👍👍", False), ("好👍", False), ("123", False), ("", False)],
)
def test_emoji_alone_are_shown_large(text: str, large: bool) -> None:
    assert is_emoji(text) is large


def test_typing_is_told_now_and_then_and_not_offline() -> None:
    clock = FakeClock()

    async def scene() -> None:
        session = FakeSession(clock=clock)
        page = await open_page(session, WANG)
        write(page, "a")
        write(page, "b")
        await settle()
        assert session.called("chat.typing") == [(WANG,)]
        clock.now += 4000
        write(page, "c")
        await settle()
        assert len(session.called("chat.typing")) == 2
        session.go(ConnectionState.OFFLINE)
        clock.now += 4000
        write(page, "d")
        await settle()
        assert len(session.called("chat.typing")) == 2
        page.close_page()

    play(scene(), clock=clock)


def test_a_reply_carries_its_message_and_escape_takes_it_back() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        composer.set_reply("m-x", "回复 王建国：好的")
        press(composer.edit, Qt.Key.Key_Escape)
        assert not composer.reply_line.isVisible()
        composer.set_reply("m-x", "回复 王建国：好的")
        write(page, "嗯")
        composer.submit()
        await until(lambda: session.called("chat.send_text"))
        assert session.called("chat.send_text")[0][3] == "m-x"
        page.close_page()

    play(scene())


def test_the_composer_grows_to_a_limit() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        composer = page.pane.composer
        low = composer.edit.height()
        write(page, "\n" * 6)
        await settle()
        middle = composer.edit.height()
        write(page, "\n" * 60)
        await settle()
        assert low < middle < composer.edit.height() <= 200
        page.close_page()

    play(scene())


def test_a_system_conversation_cannot_be_answered() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, "c-alerts")
        assert not page.pane.composer.isVisible()
        assert page.pane.read_only.isVisible()
        assert page.pane.header.title.text() == "待办助手"
        page.close_page()

    play(scene())


# ---- the list


def test_the_list_is_in_order_and_moves_rows_without_a_reset() -> None:
    async def scene() -> None:
        session = FakeSession(conversations=500)
        page = await open_page(session, WANG)
        model = page.list.model
        assert model.rowCount() == 509
        assert model.at(0).id == GROUP
        resets: list[int] = []
        moves: list[int] = []
        model.modelReset.connect(lambda: resets.append(1))
        model.rowsMoved.connect(lambda *_: moves.append(1))
        session.receive("c-fill-400", "zhangmin", "新的")
        await until(lambda: model.at(1).id == "c-fill-400")
        assert (resets, len(moves)) == ([], 1)
        assert page.list.list.currentIndex().data(ConversationRole.ID) == WANG
        page.close_page()

    play(scene())


def test_previews_say_mention_draft_kind_and_sender() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        find, people = page.list.model.find, page.people

        def line(key: str) -> tuple[str, str]:
            conversation = find(key)
            assert conversation is not None
            mark, _, body = preview(conversation, people)
            return mark, body

        assert line(GROUP) == ("[有人@我]", "张敏：@林远 会议材料改好后同步给信息中心一份。")
        assert line(ZHANG) == ("", "[文件] 2026年预算草案.xlsx")
        assert line("c-duty") == ("", "刘洋：[图片]")
        draft = next(c for c in session.chat.list.values() if c.draft)
        assert line(draft.id) == ("[草稿]", "档案移交清单我再核")
        page.close_page()

    play(scene())


@pytest.mark.parametrize(
    ("typed", "found"), [("办公室", GROUP), ("wangj", WANG), ("wjg", WANG), ("zm", ZHANG), ("待办", "c-alerts")]
)
def test_the_filter_finds_names_pinyin_and_initials(typed: str, found: str) -> None:
    async def scene() -> None:
        session = FakeSession(conversations=30)
        page = await open_page(session, "c-alerts")
        await until(lambda: page.people.person("wangjianguo") is not None)
        page.list.search.setText(typed)
        assert found in [page.list.model.at(row).id for row in range(page.list.model.rowCount())]
        press(page.list.search, Qt.Key.Key_Escape)
        assert page.list.model.rowCount() == 39
        page.list.search.setText("没有这个")
        assert page.list.empty.isVisible()
        page.close_page()

    play(scene())


def test_the_menu_pins_mutes_and_marks_read() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        conversation = page.list.model.find("c-duty")
        assert conversation is not None
        texts = {action.text(): action for action in page.list.menu(conversation).actions()}
        for text in ("置顶", "恢复提醒", "标为已读", "复制名称"):
            texts[text].trigger()
        await until(lambda: session.called("chat.mark_read"))
        assert session.called("chat.set_pinned") == [("c-duty", True)]
        assert session.called("chat.set_muted") == [("c-duty", False)]
        assert QApplication.clipboard().text() == "信息中心值班群"
        page.close_page()

    play(scene())


def test_rows_speak_and_the_badge_counts_what_is_not_muted() -> None:
    async def scene() -> None:
        session = FakeSession()
        counts: list[int] = []
        page = await open_page(session, WANG)
        page.badge_changed.connect(counts.append)
        model = page.list.model
        said = model.index(model.row_of(ZHANG)).data(Qt.ItemDataRole.AccessibleTextRole)
        assert said.startswith("张敏 ・ 办公室，1 条未读，[文件] 2026年预算草案.xlsx")
        assert model.unread_total == 5
        session.receive("c-duty", "liuyang", "静音的")
        session.receive(ZHANG, "zhangmin", "不静音的")
        await until(lambda: counts == [6])
        page.close_page()

    play(scene())


def test_a_conversation_that_is_not_listed_yet_opens_when_it_arrives() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        conversation = await session.chat.open_direct("ouyangxue")
        page.open_conversation(conversation.id)
        await until(lambda: page.shown_conversation == conversation.id)
        page.close_page()

    play(scene())
