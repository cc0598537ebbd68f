"""The desk: what arrives in a session reaches tray and pop-ups, what is done there reaches the core. On the session in memory."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from desktop.app.desk import Desk
from desktop.core.domain import Alert, ConnectionState, JoinRequest, Link, Presence
from desktop.core.domain.records import Todo
from desktop.core.errors import Rejected
from desktop.core.events import ChangeSet
from desktop.models.alerts import NoticeItem
from desktop.platform.notifications import NotificationButton, SystemNotifications
from desktop.platform.preferences import Preferences
from desktop.ui import i18n, theme
from desktop.ui.toasts.backlog import BacklogToast
from desktop.ui.toasts.toast import MessageToast, NoticeToast
from desktop.ui.tray.tray import Tray
from tests.helpers.fake_records import RecordsScene
from tests.helpers.fake_session import GROUP, ZHANG
from tests.helpers.stage import RecordingNavigator


class Center(SystemNotifications):
    """The system's notification center in memory."""

    def __init__(self, *, works: bool = True) -> None:
        super().__init__("test")
        self.works = works
        self.shown: dict[str, tuple[str, str]] = {}
        self.buttons: dict[str, dict[str, Callable[[], object]]] = {}

    async def send(self, key: str, title: str, text: str, **more: Any) -> bool:
        if self.works:
            self.shown[key] = (title, text)
            buttons: list[NotificationButton] = more["buttons"]
            self.buttons[key] = {button.title: button.pressed for button in buttons}
        return self.works

    async def remove(self, key: str) -> None:
        self.shown.pop(key, None)


class Scene:
    """A desk over a session in memory."""

    def __init__(self, folder: Path, center: Center | None = None) -> None:
        self.session = RecordsScene()
        self.paths, self.center = RecordingNavigator(), center or Center()
        self.preferences = Preferences(folder / "preferences.json")
        self.tray = Tray(is_available=lambda: True)
        self.looking: str | None = None
        self.held = False
        self.played: list[str] = []
        self.desk = Desk(
            self.session,
            self.paths,
            self.tray,
            self.preferences,
            self.center,
            looking_at=lambda: self.looking,
            now_ms=self.session.clock.now_ms,
            held=lambda: self.held,
            play=self.played.append,
        )

    async def start(self) -> None:
        self.tray.start()
        self.desk.start()
        await settle(lambda: self.desk.people.name("zhangmin") == "张敏" and not self.desk.tasks.running("load"))

    def stop(self) -> None:
        self.desk.stop()
        self.tray.stop()

    def message(self, key: str) -> MessageToast:
        toast = self.desk.toasts.toast(key)
        assert isinstance(toast, MessageToast)
        return toast

    def notice(self, key: str) -> NoticeToast:
        toast = self.desk.toasts.toast(key)
        assert isinstance(toast, NoticeToast)
        return toast


async def settle(done: Callable[[], bool]) -> None:
    for _ in range(300):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("did not settle")


def play(
    qapp: QApplication, folder: Path, act: Callable[[Scene], Coroutine[Any, Any, None]], center: Center | None = None
) -> None:
    def factory() -> asyncio.AbstractEventLoop:
        loop = qasync.QEventLoop(qapp)
        asyncio.set_event_loop(loop)
        return loop

    async def whole() -> None:
        theme.apply(qapp)
        i18n.set_language("zh")
        scene = Scene(folder, center)
        await scene.start()
        try:
            await asyncio.wait_for(act(scene), 15)
        finally:
            scene.stop()

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(whole())


def test_start_counts_unread_and_brings_back_what_must_be_confirmed(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await settle(lambda: scene.tray.unread > 0)
        listed = await scene.session.chat.conversations()
        assert scene.tray.unread == sum(c.unread_count for c in listed if not c.muted)
        assert scene.desk.toasts.shown == ["a1"]

    play(qapp, tmp_path, act)


def test_message_pops_up_flashes_and_counts(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        before = scene.tray.unread
        scene.session.receive(ZHANG, "zhangmin", "材料发我一份")
        assert scene.tray.flashing == (ZHANG,)
        assert "材料发我一份" in scene.message(ZHANG).accessibleName()
        await settle(lambda: scene.tray.unread == before + 1)

    play(qapp, tmp_path, act)


def test_reply_in_place_is_sent_and_counts_as_read(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        message = scene.session.receive(ZHANG, "zhangmin", "材料发我一份")
        toast = scene.message(ZHANG)
        QTest.keyClicks(toast.reply, "sent")
        QTest.keyClick(toast.reply, Qt.Key.Key_Return)
        await settle(lambda: ZHANG not in scene.desk.toasts.shown)
        assert scene.session.called("chat.send_text")[0][:2] == (ZHANG, "sent")
        await settle(lambda: bool(scene.session.called("chat.mark_read")))
        assert scene.session.called("chat.mark_read") == [(ZHANG, message.seq)]

    play(qapp, tmp_path, act)


def test_refused_reply_stays_with_its_reason(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.session.receive(ZHANG, "zhangmin", "材料发我一份")
        toast = scene.message(ZHANG)
        scene.session.failures["chat.send_text"] = Rejected(type="forbidden")
        QTest.keyClicks(toast.reply, "sent")
        QTest.keyClick(toast.reply, Qt.Key.Key_Return)
        await settle(lambda: not toast.reply.isReadOnly())
        assert toast.reply.text() == "sent"
        assert scene.session.called("chat.mark_read") == []

    play(qapp, tmp_path, act)


def test_read_on_another_device_clears_pop_up_flash_and_badge(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        before = scene.tray.unread
        message = scene.session.receive(ZHANG, "zhangmin", "材料发我一份")
        await settle(lambda: scene.tray.unread == before + 1)
        scene.session.chat.change(ZHANG, read_seq=message.seq, unread_count=0)
        await settle(lambda: ZHANG not in scene.desk.toasts.shown)
        assert scene.tray.flashing == ()
        await settle(lambda: scene.tray.unread <= before)

    play(qapp, tmp_path, act)


def test_confirm_in_place(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        QTest.mouseClick(scene.notice("a1").confirm, Qt.MouseButton.LeftButton)
        await settle(lambda: scene.desk.toasts.shown == [])
        assert scene.session.called("office.confirm") == [("n1",)]

    play(qapp, tmp_path, act)


def test_a_message_is_confirmed_in_place_or_shown_in_its_talk(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        told = scene.session.receive(ZHANG, "zhangmin", "请确认", must_confirm=True)
        for key in ("c1", "c2"):
            scene.session.alerts.arrive(Alert(key, "confirm", "请确认", urgent=True, link=Link("Message", told.id)))
        QTest.mouseClick(scene.notice("c1").confirm, Qt.MouseButton.LeftButton)
        await settle(lambda: scene.session.called("chat.confirm") == [(told.id,)])
        QTest.mouseClick(scene.notice("c2").open, Qt.MouseButton.LeftButton)
        await settle(lambda: scene.paths.calls == [("message", told.id)])

    play(qapp, tmp_path, act)


def test_opening_a_notice_leads_there_and_dismisses_its_alert(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.session.alerts.arrive(Alert("a9", "notice", "国庆假期值班安排", link=Link("Notice", "n2")))
        QTest.mouseClick(scene.notice("a9").open, Qt.MouseButton.LeftButton)
        assert scene.paths.calls == [("notice", "n2")]
        await settle(lambda: scene.session.called("alerts.dismiss") == [("a9",)])

    play(qapp, tmp_path, act)


def test_somebody_who_asks_to_join_leads_to_the_members_of_the_group(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.session.chat.request_list["j1"] = JoinRequest("j1", GROUP, "newcomer", "newcomer", "借调来的")
        scene.session.alerts.arrive(Alert("a9", "system", "新人申请加入办公室工作群", link=Link("JoinRequest", "j1")))
        QTest.mouseClick(scene.notice("a9").open, Qt.MouseButton.LeftButton)
        await settle(lambda: scene.paths.calls == [("members", GROUP)])

    play(qapp, tmp_path, act)


def test_do_not_disturb_for_an_hour_is_told_to_colleagues_and_holds(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.desk.ask_quiet("hour")
        assert scene.tray.presence is Presence.DND
        await settle(lambda: (Presence.DND,) in scene.session.called("presence.set_presence"))
        scene.session.receive(ZHANG, "zhangmin", "在吗")
        scene.session.alerts.arrive(Alert("a9", "notice", "国庆假期值班安排", link=Link("Notice", "n2")))
        assert scene.desk.toasts.shown == ["a1"]
        assert scene.tray.flashing == ()
        scene.desk.ask_quiet("off")
        assert scene.desk.toasts.shown == ["a1", "a9"]
        assert scene.tray.presence is Presence.ONLINE

    play(qapp, tmp_path, act)


def test_tray_tells_when_the_connection_is_gone(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        assert scene.tray.presence is Presence.ONLINE
        scene.session.go(ConnectionState.OFFLINE)
        assert scene.tray.presence is Presence.OFFLINE
        scene.session.go(ConnectionState.LIVE)
        assert scene.tray.presence is Presence.ONLINE

    play(qapp, tmp_path, act)


def test_click_on_the_flashing_icon_opens_that_conversation(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.session.receive(GROUP, "zhangmin", "开会")
        scene.tray.conversation_asked.emit(scene.tray.flashing[-1])
        assert scene.paths.calls == [("conversation", GROUP)]

    play(qapp, tmp_path, act)


def test_conversation_in_front_stays_quiet(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.looking = ZHANG
        scene.session.receive(ZHANG, "zhangmin", "在吗")
        assert scene.desk.toasts.shown == ["a1"]
        assert scene.tray.flashing == ()

    play(qapp, tmp_path, act)


def test_system_notifications_when_chosen(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.preferences.set(style="system")
        scene.session.receive(GROUP, "zhangmin", "会议材料已上传")
        await settle(lambda: GROUP in scene.center.shown)
        assert scene.center.shown[GROUP] == ("张敏 · 办公室工作群", "会议材料已上传")
        assert GROUP not in scene.desk.toasts.shown
        scene.center.buttons[GROUP]["查看"]()
        assert scene.paths.calls == [("conversation", GROUP)]

    play(qapp, tmp_path, act)


def test_without_a_notification_service_our_own_pop_up_comes(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.preferences.set(style="system")
        scene.session.receive(GROUP, "zhangmin", "会议材料已上传")
        await settle(lambda: GROUP in scene.desk.toasts.shown)

    play(qapp, tmp_path, act, Center(works=False))


def test_sign_out_leaves_nothing_on_the_screen(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.session.receive(GROUP, "zhangmin", "会议材料已上传")
        scene.desk.stop()
        assert scene.desk.toasts.shown == []
        assert (scene.tray.unread, scene.tray.flashing) == (0, ())
        scene.session.receive(GROUP, "zhangmin", "还在吗")
        assert scene.desk.toasts.shown == []
        scene.desk.stop = lambda: None  # type: ignore[method-assign]  # already stopped

    play(qapp, tmp_path, act)


def test_snooze_is_offered_for_what_must_be_confirmed(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        QTest.mouseClick(scene.notice("a1").snooze, Qt.MouseButton.LeftButton)
        assert scene.desk.toasts.shown == []
        scene.desk.attention.offer(NoticeItem("a1", scene.session.alerts.list["a1"]))
        assert scene.desk.toasts.shown == []  # not before its time

    play(qapp, tmp_path, act)


@pytest.mark.parametrize("kind", ["todo", "due", "comment", "mention", "follow"])
def test_alerts_about_records_have_words_and_open_them(qapp: QApplication, tmp_path: Path, kind: str) -> None:
    async def act(scene: Scene) -> None:
        scene.session.alerts.arrive(Alert("a7", kind, "苏A・12345 用车申请", link=Link("SampleTrip", "t1")))
        await settle(lambda: "a7" in scene.desk.toasts.shown)
        toast = scene.notice("a7")
        assert i18n.tr(f"toasts.heading.{kind}") in toast.accessibleName()
        assert toast.open.text() == i18n.tr("toasts.handle" if kind in ("todo", "due") else "toasts.open")
        assert not toast.snooze.isHidden()
        QTest.mouseClick(toast.open, Qt.MouseButton.LeftButton)
        assert scene.paths.calls == [("SampleTrip", "t1")]
        await settle(lambda: scene.session.called("alerts.dismiss") == [("a7",)])

    play(qapp, tmp_path, act)


def test_the_tray_tells_what_waits_and_falls_due(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.session.records.list = [Todo("1", "r", person_id="linyuan", title="甲")]
        scene.session.events.publish(ChangeSet("Todo", ("1",)))
        await settle(lambda: i18n.tr("office_workbench.tray.todos", n=2) in scene.tray.tooltip)  # and a notice
        assert i18n.tr("office_workbench.tray.dues", overdue=0, today=1) in scene.tray.tooltip
        assert scene.tray.unread == sum(c.unread_count for c in await scene.session.chat.conversations() if not c.muted)

    play(qapp, tmp_path, act)


def test_nobody_at_the_desk_is_away_and_comes_back(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        said = lambda: [call[0] for call in scene.session.called("presence.set_presence")]  # noqa: E731
        scene.desk.set_absent(True)
        assert scene.tray.presence is Presence.AWAY
        await settle(lambda: said() == [Presence.AWAY])
        assert scene.desk.state.chosen is Presence.ONLINE  # the server's echo is no choice
        scene.desk.set_absent(False)
        await settle(lambda: said() == [Presence.AWAY, Presence.ONLINE])
        assert scene.tray.presence is Presence.ONLINE
        scene.desk.choose_status(Presence.BUSY)
        await settle(lambda: len(said()) == 3)
        scene.desk.set_absent(True)  # who chose busy stays busy
        assert scene.tray.presence is Presence.BUSY
        assert len(said()) == 3

    play(qapp, tmp_path, act)


def test_what_gathers_while_the_way_back_is_found_comes_as_one(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        await settle(lambda: scene.desk.toasts.shown == ["a1"])
        scene.session.go(ConnectionState.CONNECTING)
        for number in range(5):
            scene.session.alerts.arrive(Alert(f"b{number}", "todo", f"事项 {number}", link=Link("Notice", "n2")))
        assert scene.desk.toasts.shown == ["a1"]
        scene.session.go(ConnectionState.LIVE)
        await settle(lambda: scene.desk.toasts.shown == ["a1", "backlog"])
        toast = scene.desk.toasts.toast("backlog")
        assert isinstance(toast, BacklogToast)
        QTest.mouseClick(toast.open, Qt.MouseButton.LeftButton)
        assert scene.paths.calls == [("page", "workbench")]
        assert scene.desk.toasts.shown == ["a1"]

    play(qapp, tmp_path, act)


def test_rules_sounds_and_a_program_in_full_screen(qapp: QApplication, tmp_path: Path) -> None:
    async def act(scene: Scene) -> None:
        scene.preferences.set(rules={f"conversation:{ZHANG}": "silent"})
        scene.session.receive(ZHANG, "zhangmin", "材料发我一份")
        assert ZHANG in scene.desk.toasts.shown
        assert "message" not in scene.played
        scene.preferences.set(rules={f"conversation:{ZHANG}": "mentions"})
        scene.desk.toasts.remove(ZHANG)
        scene.desk.attention.closed(ZHANG)
        scene.session.receive(ZHANG, "zhangmin", "在吗")
        assert ZHANG not in scene.desk.toasts.shown
        scene.session.receive(ZHANG, "zhangmin", "@林远", mentions=("linyuan",))
        assert scene.played[-1] == "message"
        scene.held = True
        scene.session.alerts.arrive(Alert("a7", "notice", "国庆假期值班安排", link=Link("Notice", "n2")))
        scene.session.alerts.arrive(Alert("a8", "urge", "催办", urgent=True, link=Link("Notice", "n2")))
        assert "a7" not in scene.desk.toasts.shown
        assert "a8" in scene.desk.toasts.shown
        assert scene.played[-1] == "urgent"
        assert scene.tray.presence is Presence.ONLINE  # colleagues are not told what is on the screen
        scene.held = False
        scene.desk.attention.release()
        assert "a7" in scene.desk.toasts.shown

    play(qapp, tmp_path, act)
