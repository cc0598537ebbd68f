"""The panel of a group and the list's folders: who may do what with whom, announcements with their readers, files, settings, leaving."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QGuiApplication
from PySide6.QtWidgets import QMenu

from desktop.core.domain import Announcement, Card, GroupCard, JoinRequest, JoinRule, Notify
from desktop.ui.chat.ask_text import TextDialog
from desktop.ui.chat.group_panel import GroupPanel
from desktop.ui.chat.joining import JoinDialog
from desktop.ui.chat.page import MessagesPage
from desktop.ui.chat.people_tabs import PeopleTabs
from desktop.ui.chat.target_picker import TargetPicker
from desktop.ui.kit import Button, Dialog
from tests.helpers.fake_session import GROUP, NOW, WANG, FakeSession
from tests.helpers.stage import RecordingNavigator, play, press, until
from tests.widgets.test_chat_acts import ME, came, opened
from tests.widgets.test_chat_view import open_page


async def panel_of(session: FakeSession, tab: str, recorder: RecordingNavigator | None = None) -> MessagesPage:
    """The page with the group's panel open at a tab."""
    page = await open_page(session, GROUP, recorder)
    page.pane.open_panel(tab)
    panel = the(page)
    await until(lambda: not panel.tasks.busy)
    return page


def the(page: MessagesPage) -> GroupPanel:
    panel = page.pane.panel
    assert panel is not None
    return panel


def entries(menu: QMenu) -> dict[str, QAction]:
    """A menu's entries by their words, those of menus inside too."""
    found: dict[str, QAction] = {}
    for action in menu.actions():
        inner = action.menu()
        found |= entries(inner) if isinstance(inner, QMenu) else {action.text(): action}
    return found


def member_menu(page: MessagesPage, who: str) -> dict[str, QAction]:
    members = the(page).members
    return entries(members.menu(next(m for m in members.shown if m.person_id == who)))


def button(widget: object, words: str) -> Button:
    """A button by what it says."""
    found = next(b for b in widget.findChildren(Button) if b.text() == words and not b.isHidden())  # type: ignore[attr-defined]
    assert isinstance(found, Button)
    return found


@pytest.mark.parametrize(
    ("role", "who", "may"),
    [
        ("owner", "zhangmin", {"取消管理员", "转让群主", "1 小时", "移出群聊"}),
        ("owner", "hejing", {"设为管理员", "转让群主", "1 小时", "移出群聊"}),
        ("admin", "hejing", {"1 小时", "移出群聊"}),
        ("admin", "zhangmin", set()),
        ("member", "hejing", set()),
    ],
)
def test_what_a_member_may_do_with_another(role: str, who: str, may: set[str]) -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role=role)
        session.chat.set_member(GROUP, "zhangmin", role="admin")
        page = await panel_of(session, "members")
        offered = set(member_menu(page, who)) - {"查看名片", "10 分钟", "12 小时", "7 天"}
        assert offered == may
        page.close_page()

    play(scene())


def test_members_are_found_muted_and_let_in() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="owner")
        session.chat.request_list["j"] = JoinRequest("j", GROUP, "newcomer", "hejing", "借调来的")
        page = await panel_of(session, "members")
        members = the(page).members
        assert members.shown[0].person_id == ME
        members.search.setText("oyx")
        assert [m.person_id for m in members.shown] == ["ouyangxue"]
        members.search.clear()
        member_menu(page, "zhaolei")["1 小时"].trigger()
        await until(lambda: session.called("chat.mute_member"))
        assert session.called("chat.mute_member")[0][:2] == (GROUP, "zhaolei")
        await until(lambda: "解除禁言" in member_menu(page, "zhaolei"))
        button(members, "同意").click()
        await until(lambda: session.called("chat.decide_join") == [("j", True)])
        await until(lambda: not [b for b in members.findChildren(Button) if b.text() == "同意" and b.isVisible()])
        assert "newcomer" in [m.person_id for m in members.shown]
        page.close_page()

    play(scene())


def test_a_card_of_a_group_one_is_not_in_offers_to_ask() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.open_groups["tech"] = GroupCard("tech", "技术交流群", 12)
        page = await open_page(session, WANG)
        told = session.receive(WANG, "wangjianguo", "", card=Card("Conversation", "tech", "技术交流群"))
        await until(lambda: page.pane.held(told.id))
        page.open_conversation("tech")
        dialog = await came(JoinDialog)
        dialog.reason.setPlainText("字" * 201)
        assert not dialog.ok.isEnabled()
        dialog.reason.setPlainText("我负责网络维护")
        dialog.ok.click()
        await until(lambda: session.called("chat.ask_to_join") == [("tech", "我负责网络维护")])
        await until(page.pane.snack.isVisible)
        page.open_conversation("tech")
        waiting = await came(JoinDialog)
        assert not waiting.reason.isVisible()
        waiting.ok.click()
        page.open_conversation("nowhere")
        await until(lambda: "不存在" in page.pane.snack.text.text())
        assert page.shown_conversation == WANG
        assert len(session.called("chat.ask_to_join")) == 1
        page.close_page()

    play(scene())


def test_a_group_that_may_be_asked_is_shared_as_a_card_or_a_link() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await panel_of(session, "settings")
        settings = the(page).settings
        assert not settings.share.isVisible()
        session.chat.change(GROUP, join_rule=JoinRule.APPROVE)
        await until(settings.share.isVisible)
        settings.link.click()
        assert QGuiApplication.clipboard().text() == f"tongban://conversation/{GROUP}"
        settings.share.click()
        picker = await came(TargetPicker)
        assert GROUP not in [t.conversation_id for t in picker.shown]
        picker.toggle(next(n for n, t in enumerate(picker.shown) if t.conversation_id == WANG))
        picker.send.click()
        await until(lambda: session.called("chat.send_card"))
        ((where, card, *_),) = session.called("chat.send_card")
        assert isinstance(card, Card)
        assert (where, card.type, card.id) == (WANG, "Conversation", GROUP)
        page.close_page()

    play(scene())


def test_people_who_are_not_in_it_yet_are_invited() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="owner")
        talk = session.chat.talks[GROUP]
        talk.members = tuple(p for p in talk.members if p not in ("wangjianguo", "ouyangxue"))
        page = await panel_of(session, "members")
        the(page).members.invite.click()
        picker = await came(TargetPicker)
        assert [t.name for t in picker.shown] == ["王建国"]
        picker.toggle(0)
        picker.search.setText("ouyang")
        press(picker.search, Qt.Key.Key_Return)
        picker.send.click()
        await until(lambda: session.called("chat.add_members") == [(GROUP, ("wangjianguo", "ouyangxue"))])
        page.close_page()

    play(scene())


def test_an_announcement_is_read_by_opening_it_confirmed_by_a_button_and_its_readers_listed() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="admin")
        said = Announcement("a1", GROUP, "周三前报送预算。", None, "zhangmin", NOW, True, ("wufang",), ("wufang",))
        session.chat.announcement_list["a1"] = said
        page = await open_page(session, GROUP)
        page.pane.notice.button.click()
        notices = the(page).notices
        await until(lambda: ME in session.chat.announcement_list["a1"].read_ids)
        await until(lambda: not the(page).tasks.busy)
        button(notices, "确认收到").click()
        await until(lambda: ME in session.chat.announcement_list["a1"].confirmed_ids)
        await until(lambda: [b for b in notices.findChildren(Button) if b.text() == "已确认 2/12" and b.isVisible()])
        button(notices, "已确认 2/12").click()
        dialog = await came(PeopleTabs)
        assert set(dialog.shown) == {"wufang", ME}
        dialog.show_tab(1)
        assert len(dialog.shown) == 10
        dialog.reject()
        notices.new.click()
        form = await came(TextDialog)
        form.edit.setPlainText("今晚停电。")
        form.check.setChecked(True)
        form.ok.click()
        await until(lambda: session.called("chat.announce") == [(GROUP, "今晚停电。", None, True)])
        await until(lambda: len(notices.items) == 2)
        page.close_page()

    play(scene())


def test_files_and_pictures_of_a_group_open_from_the_panel() -> None:
    async def scene() -> None:
        session = FakeSession()
        recorder = RecordingNavigator()
        page = await panel_of(session, "files", recorder)
        files = the(page).sent_files
        assert [m.attachment.name for m in files.shown if m.attachment] == ["防汛工作会议材料（第三稿）.pdf"]
        files.list.chosen.emit(files.list.model().index(0, 0))
        assert recorder.calls[-1] == ("file", "防汛工作会议材料（第三稿）.pdf")
        the(page).open_tab("album")
        await until(lambda: the(page).album.shown)
        the(page).album.list.chosen.emit(the(page).album.list.model().index(0, 0))
        assert recorder.calls[-1] == ("picture", "现场照片.png")
        page.close_page()

    play(scene())


def test_settings_show_what_one_may_change_and_change_it() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="owner")
        page = await panel_of(session, "settings")
        settings = the(page).settings
        assert settings.dissolve.isVisible()
        assert not settings.leave.isVisible()
        settings.rule.setCurrentIndex(list(JoinRule).index(JoinRule.APPROVE))
        settings.rule.activated.emit(settings.rule.currentIndex())
        settings.notify.setCurrentIndex(list(Notify).index(Notify.MENTIONS))
        settings.notify.activated.emit(settings.notify.currentIndex())
        settings.mute_all.click()
        await until(lambda: session.called("chat.mute_all") == [(GROUP, True)])
        await until(lambda: session.called("chat.set_join_rule") == [(GROUP, JoinRule.APPROVE)])
        await until(lambda: session.called("chat.set_notify") == [(GROUP, Notify.MENTIONS)])
        settings.dissolve.click()
        question = await came(Dialog)
        button(question, "确定").click()
        await until(lambda: session.called("chat.dissolve") == [(GROUP,)])
        await until(lambda: not settings.dissolve.isVisible())
        page.close_page()

    play(scene())


def test_a_departments_group_cannot_be_left_renamed_or_added_to() -> None:
    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="admin")
        session.chat.change(GROUP, department_id="d2")
        page = await panel_of(session, "settings")
        settings = the(page).settings
        assert settings.department.isVisible()
        assert not settings.leave.isVisible()
        assert not settings.rename.isVisible()
        the(page).open_tab("members")
        await until(lambda: not the(page).tasks.busy)
        assert not the(page).members.invite.isVisible()
        assert "移出群聊" not in member_menu(page, "hejing")
        press(the(page).members.list, Qt.Key.Key_Escape)
        assert not the(page).isVisible()
        page.open_conversation(WANG)
        page.pane.open_panel("members")
        assert not the(page).isVisible()  # a talk of two has none
        page.close_page()

    play(scene())


def test_folders_narrow_the_list_and_go_with_their_last_conversation() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, WANG)
        pane = page.list
        assert not pane.model.folders
        found = pane.model.find(WANG)
        assert found is not None
        entries(pane.menu(found))["新建分组"].trigger()
        dialog = await came(TextDialog)
        dialog.edit.setPlainText("财务")
        dialog.ok.click()
        await until(pane.folders.isVisible)
        entries(pane.folders.menu())["财务"].trigger()
        assert pane.model.rowCount() == 1
        session.chat.change(WANG, folder=None)
        await until(lambda: pane.model.rowCount() > 1)
        assert not pane.folders.isVisible()
        page.close_page()

    play(scene())


def test_a_conversation_is_marked_unread_until_it_is_opened_and_can_be_hidden() -> None:
    async def scene() -> None:
        session = FakeSession()
        page = await open_page(session, GROUP)
        pane = page.list

        def menu() -> dict[str, QAction]:
            found = pane.model.find(WANG)
            assert found is not None
            return entries(pane.menu(found))

        def marked() -> bool:
            found = pane.model.find(WANG)
            return found is not None and found.marked_unread

        menu()["标为未读"].trigger()
        await until(marked)
        assert "标为已读" in menu()
        page.open_conversation(WANG)
        await until(lambda: not marked())
        menu()["不显示该会话"].trigger()
        await until(lambda: session.called("chat.set_hidden") == [(WANG, True)])
        page.close_page()

    play(scene())


def test_the_first_escape_leaves_no_dialog_behind() -> None:
    """Questions that are given up change nothing."""

    async def scene() -> None:
        session = FakeSession()
        session.chat.set_member(GROUP, ME, role="owner")
        page = await panel_of(session, "settings")
        the(page).settings.rename.click()
        dialog = await came(TextDialog)
        dialog.edit.setPlainText("另一个名字")
        press(dialog, Qt.Key.Key_Escape)
        await until(lambda: opened(TextDialog) is None)
        await until(lambda: not the(page).tasks.busy)
        assert not session.called("chat.rename")
        page.close_page()

    play(scene())
