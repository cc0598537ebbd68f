"""Pop-ups: what is shown, held and grouped; where they stand; reply and confirm in place; never the focus."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from desktop.core.domain import Alert, Conversation, ConversationKind, Link, Message, MessageKind, ModuleDefinition
from desktop.core.domain.definition import Access, Label, TypeDefinition
from desktop.core.events import AlertArrived, ChangeSet, MessageArrived
from desktop.models.alert_rules import AlertRules, Rule, conversation_key, module_key
from desktop.models.alerts import BACKLOG, BACKLOG_OVER, Attention, BacklogItem, MessageItem, NoticeItem, Quiet
from desktop.ui import i18n, motion, theme
from desktop.ui.toasts.backlog import BacklogToast
from desktop.ui.toasts.stack import GAP, MARGIN, MOST, MOST_STAYING, ToastStack, places
from desktop.ui.toasts.toast import STAY_MS, MessageToast, NoticeToast

GROUP = Conversation("c1", ConversationKind.GROUP, name="办公室工作群")
DIRECT = Conversation("c2", ConversationKind.DIRECT, name="张敏", peer_id="p1")


def arrived(
    conversation: Conversation = GROUP, text: str = "会议材料已上传", number: int = 1, *, notify: bool = True
) -> MessageArrived:
    message = Message(f"m{number}", conversation.id, MessageKind.TEXT, text=text, seq=number, sender_id="p1")
    return MessageArrived(message, conversation, notify)


def alert(key: str = "a1", *, urgent: bool = False, kind: str = "notice") -> Alert:
    return Alert(key, kind, "关于做好防汛值班工作的通知", text="办公室", urgent=urgent, link=Link("Notice", "n1"))


@dataclass
class Scene:
    """The attention rules with what they emitted."""

    quiet: Quiet = field(default_factory=Quiet)
    looking: str | None = None

    def __post_init__(self) -> None:
        self.rules = Attention(quiet=lambda: self.quiet, looking_at=lambda: self.looking)
        self.shown, self.gone, self.flashed = (
            QSignalSpy(self.rules.shown),
            QSignalSpy(self.rules.gone),
            QSignalSpy(self.rules.arrived),
        )

    @property
    def last(self) -> MessageItem | NoticeItem:
        item = self.shown.at(self.shown.count() - 1)[0]
        assert isinstance(item, MessageItem | NoticeItem)
        return item


@pytest.fixture
def scene(qapp: QApplication) -> Scene:
    return Scene()


@pytest.fixture
def stack(qapp: QApplication) -> Iterator[ToastStack]:
    theme.apply(qapp)
    i18n.set_language("zh")
    stack = ToastStack(name_of=lambda person: {"p1": "张敏"}.get(person, "?"), show_content=lambda: True)
    yield stack
    stack.clear()


# ---------------------------------------------------------------- what deserves a pop-up
def test_messages_of_one_conversation_share_one_item(scene: Scene) -> None:
    scene.rules.on_event(arrived(number=1))
    scene.rules.on_event(arrived(number=2, text="请先看第三部分"))
    assert isinstance(scene.last, MessageItem)
    assert (scene.last.key, scene.last.count, scene.last.message.text) == ("c1", 2, "请先看第三部分")


def test_message_that_asks_for_no_notice_is_left_alone(scene: Scene) -> None:
    scene.rules.on_event(arrived(notify=False))
    assert scene.shown.count() == scene.flashed.count() == 0


def test_conversation_in_front_of_the_user_pops_nothing_up(scene: Scene) -> None:
    scene.looking = "c1"
    scene.rules.on_event(arrived())
    assert scene.shown.count() == scene.flashed.count() == 0
    scene.rules.on_event(arrived(DIRECT))
    assert scene.shown.count() == 1


def test_do_not_disturb_holds_messages_for_good_and_notices_until_it_ends(scene: Scene) -> None:
    scene.quiet = Quiet(do_not_disturb=True)
    scene.rules.on_event(arrived())
    scene.rules.on_event(AlertArrived(alert()))
    assert scene.shown.count() == scene.flashed.count() == 0
    scene.quiet = Quiet()
    scene.rules.release()
    assert (scene.shown.count(), scene.last.key) == (1, "a1")


def test_urgent_alert_comes_through_everything(scene: Scene) -> None:
    scene.quiet = Quiet(do_not_disturb=True, messages_off=True, notices_off=True)
    scene.rules.on_event(AlertArrived(alert(urgent=True)))
    assert scene.last.key == "a1"


def test_switched_off_messages_still_flash_the_tray(scene: Scene) -> None:
    scene.quiet = Quiet(messages_off=True)
    scene.rules.on_event(arrived())
    assert (scene.shown.count(), scene.flashed.count()) == (0, 1)


def test_read_elsewhere_takes_the_pop_up_away(scene: Scene) -> None:
    scene.rules.on_event(arrived())
    scene.rules.read("c1")
    assert scene.gone.at(0)[0] == "c1"
    scene.rules.on_event(arrived(number=2))
    assert isinstance(scene.last, MessageItem)
    assert scene.last.count == 1


def test_alert_dismissed_on_another_device_goes_even_while_held(scene: Scene) -> None:
    scene.quiet = Quiet(do_not_disturb=True)
    scene.rules.on_event(AlertArrived(alert()))
    scene.rules.on_event(ChangeSet("Alert", removed=("a1",)))
    scene.quiet = Quiet()
    scene.rules.release()
    assert scene.shown.count() == 0


def test_snoozed_alert_comes_back(scene: Scene, qtbot: QtBot) -> None:
    scene.rules.on_event(AlertArrived(alert(urgent=True)))
    scene.rules.snooze("a1", after_ms=20)
    assert scene.gone.at(0)[0] == "a1"
    qtbot.waitUntil(lambda: scene.shown.count() == 2, timeout=2000)


def test_snoozed_alert_handled_meanwhile_stays_away(scene: Scene, qtbot: QtBot) -> None:
    scene.rules.on_event(AlertArrived(alert(urgent=True)))
    scene.rules.snooze("a1", after_ms=20)
    scene.rules.on_event(ChangeSet("Alert", removed=("a1",)))
    qtbot.wait(60)
    assert scene.shown.count() == 1


# ---------------------------------------------------------------- where they stand
def test_stack_grows_up_from_the_bottom_right_corner() -> None:
    area = QRect(0, 0, 1280, 760)
    (x1, y1), (x2, y2) = places(area, [(340, 100), (340, 150)], shadow=0, from_top=False)
    assert (x1, y1) == (1280 - MARGIN - 340, 760 - MARGIN - 100)
    assert (x2, y2) == (x1, y1 - GAP - 150)


def test_stack_grows_down_from_the_top_right_corner_on_macos() -> None:
    (_, y1), (_, y2) = places(QRect(0, 25, 1280, 735), [(340, 100), (340, 150)], shadow=0, from_top=True)
    assert (y1, y2) == (25 + MARGIN, 25 + MARGIN + 100 + GAP)


def test_shadow_margin_does_not_move_the_visible_box() -> None:
    plain = places(QRect(0, 0, 1280, 760), [(340, 100)], shadow=0, from_top=False)[0]
    shaded = places(QRect(0, 0, 1280, 760), [(368, 128)], shadow=14, from_top=False)[0]
    assert (shaded[0] + 14, shaded[1] + 14) == plain


def show(stack: ToastStack, key: str, *, urgent: bool = False) -> None:
    stack.show_item(NoticeItem(key, alert(key, urgent=urgent)))


def test_never_more_than_four(stack: ToastStack) -> None:
    for number in range(7):
        show(stack, f"a{number}")
    assert stack.shown == ["a3", "a4", "a5", "a6"]
    assert MOST == 4


def test_urgent_ones_stay_and_the_fourth_waits_for_room(stack: ToastStack) -> None:
    for number in range(MOST_STAYING):
        show(stack, f"u{number}", urgent=True)
    show(stack, "late", urgent=True)
    assert stack.shown == ["u0", "u1", "u2"]
    stack.remove("u1")
    assert stack.shown == ["u0", "u2", "late"]


def test_what_comes_and_goes_always_finds_a_place_beside_urgent_ones(stack: ToastStack) -> None:
    for number in range(MOST):
        show(stack, f"u{number}", urgent=True)
    show(stack, "a1")
    show(stack, "a2")
    assert stack.shown == ["u0", "u1", "u2", "a2"]
    stack.remove("a2")
    assert stack.shown == ["u0", "u1", "u2"]  # the fourth urgent one does not take the place


def test_pop_up_never_takes_the_focus(stack: ToastStack, qtbot: QtBot) -> None:
    show(stack, "a1")
    toast = stack.toast("a1")
    assert toast is not None
    assert toast.testAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
    assert toast.windowFlags() & Qt.WindowType.Tool
    assert not toast.isActiveWindow()


def test_plain_one_leaves_by_itself_and_urgent_one_stays(stack: ToastStack, qtbot: QtBot) -> None:
    show(stack, "plain")
    show(stack, "urgent", urgent=True)
    leaving = [toast._leave for key in stack.shown if (toast := stack.toast(key)) is not None]
    assert [(timer.isActive(), timer.interval()) for timer in leaving] == [(True, STAY_MS), (False, STAY_MS)]
    leaving[0].start(50)  # the same way in a hundredth of the time
    qtbot.waitUntil(lambda: stack.shown == ["urgent"], timeout=2000)


# ---------------------------------------------------------------- what can be done in them
def message_toast(stack: ToastStack, count: int = 1) -> MessageToast:
    event = arrived()
    stack.show_item(MessageItem("c1", event.conversation, event.message, count))
    toast = stack.toast("c1")
    assert isinstance(toast, MessageToast)
    return toast


def test_reply_in_place_is_sent_and_the_pop_up_goes(stack: ToastStack) -> None:
    toast, asked = message_toast(stack), QSignalSpy(stack.reply_asked)
    QTest.keyClicks(toast.reply, "ok, on my way")
    QTest.keyClick(toast.reply, Qt.Key.Key_Return)
    assert asked.at(0) == ["c1", "ok, on my way"]
    stack.reply_done("c1")
    assert stack.shown == []


def test_failed_reply_keeps_the_text_and_says_why(stack: ToastStack) -> None:
    toast = message_toast(stack)
    QTest.keyClicks(toast.reply, "hello")
    QTest.mouseClick(toast.reply.send, Qt.MouseButton.LeftButton)
    stack.reply_failed("c1", "没有权限")
    assert (toast.reply.text(), toast.reply.isReadOnly()) == ("hello", False)
    assert stack.shown == ["c1"]


def test_second_enter_does_not_send_twice(stack: ToastStack) -> None:
    toast, asked = message_toast(stack), QSignalSpy(stack.reply_asked)
    QTest.keyClicks(toast.reply, "once")
    QTest.keyClick(toast.reply, Qt.Key.Key_Return)
    QTest.keyClick(toast.reply, Qt.Key.Key_Return)
    assert asked.count() == 1


def test_further_message_keeps_what_is_typed(stack: ToastStack) -> None:
    toast = message_toast(stack)
    QTest.keyClicks(toast.reply, "half a sen")
    assert message_toast(stack, count=2) is toast
    assert toast.reply.text() == "half a sen"


def test_confirm_open_and_snooze(stack: ToastStack) -> None:
    item = NoticeItem("a1", alert(urgent=True, kind="confirm"))
    confirmed, opened, snoozed = (
        QSignalSpy(stack.confirm_asked),
        QSignalSpy(stack.open_asked),
        QSignalSpy(stack.snooze_asked),
    )
    stack.show_item(item)
    toast = stack.toast("a1")
    assert isinstance(toast, NoticeToast)
    for button in (toast.confirm, toast.open, toast.snooze):
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (confirmed.at(0)[0], opened.at(0)[0], snoozed.at(0)[0]) == (item, item, "a1")
    assert not toast.confirm.isEnabled()
    stack.confirm_failed("a1", "x")
    assert toast.confirm.isEnabled()


def test_plain_notice_offers_no_confirm(stack: ToastStack) -> None:
    stack.show_item(NoticeItem("a1", alert()))
    toast = stack.toast("a1")
    assert isinstance(toast, NoticeToast)
    assert not toast.confirm.isVisible()


def test_escape_closes(stack: ToastStack) -> None:
    toast, closed = message_toast(stack), QSignalSpy(stack.closed)
    QTest.keyClick(toast, Qt.Key.Key_Escape)
    assert (closed.at(0)[0], stack.shown) == ("c1", [])


def test_click_on_the_body_opens(stack: ToastStack) -> None:
    toast, opened = message_toast(stack), QSignalSpy(stack.open_asked)
    QTest.mouseClick(toast, Qt.MouseButton.LeftButton, pos=toast.rect().center() * 0.2)
    assert opened.count() == 1


def test_content_can_be_hidden(qapp: QApplication) -> None:
    stack = ToastStack(name_of=lambda _: "张敏", show_content=lambda: False)
    toast = message_toast(stack)
    assert "会议材料" not in toast.accessibleName()
    stack.clear()


# ---------------------------------------------------------------- what had gathered
def gather(scene: Scene, *alerts: Alert) -> None:
    scene.rules.begin_gathering()
    for one in alerts:
        scene.rules.offer(NoticeItem(one.id, one))
    assert scene.shown.count() == 0
    scene.rules.end_gathering()


def test_few_that_had_gathered_come_one_by_one(scene: Scene) -> None:
    gather(scene, *(alert(f"a{n}", urgent=True) for n in range(BACKLOG_OVER)))
    assert scene.shown.count() == BACKLOG_OVER


def test_many_that_had_gathered_come_as_one_and_shrink_as_they_are_dealt_with(scene: Scene) -> None:
    gather(scene, *(alert(f"a{n}", urgent=n == 0) for n in range(6)))
    (item,) = [scene.shown.at(n)[0] for n in range(scene.shown.count())]
    assert isinstance(item, BacklogItem)
    assert (len(item.alerts), item.urgent) == (6, True)
    scene.rules.on_event(AlertArrived(alert("a3")))  # told once more: it is in there already
    scene.rules.on_event(ChangeSet("Alert", removed=("a0",)))
    smaller = scene.shown.at(scene.shown.count() - 1)[0]
    assert (len(smaller.alerts), smaller.urgent) == (5, False)
    scene.rules.on_event(ChangeSet("Alert", removed=tuple(f"a{n}" for n in range(1, 6))))
    assert scene.gone.at(scene.gone.count() - 1) == [BACKLOG]


def test_a_snoozed_pile_comes_back_and_a_closed_one_does_not(scene: Scene, qtbot: QtBot) -> None:
    gather(scene, *(alert(f"a{n}", urgent=True) for n in range(5)))
    scene.rules.snooze(BACKLOG, after_ms=1)
    assert scene.gone.at(0) == [BACKLOG]
    qtbot.waitUntil(lambda: scene.shown.count() == 2)
    scene.rules.closed(BACKLOG)
    scene.rules.release()
    assert scene.shown.count() == 2


def test_a_pile_without_urgent_ones_waits_for_the_end_of_the_quiet(scene: Scene) -> None:
    scene.quiet = Quiet(do_not_disturb=True)
    gather(scene, *(alert(f"a{n}") for n in range(5)))
    assert scene.shown.count() == 0
    scene.quiet = Quiet()
    scene.rules.release()
    assert scene.shown.count() == 1


def test_locked_holds_even_urgent_ones_and_gives_them_back(scene: Scene) -> None:
    scene.rules.offer(NoticeItem("a1", alert(urgent=True)))
    scene.quiet = Quiet(locked=True)
    scene.rules.hold_all()
    scene.rules.offer(NoticeItem("a2", alert("a2", urgent=True)))
    scene.rules.on_event(arrived())
    assert (scene.shown.count(), scene.flashed.count()) == (1, 1)  # the icon still tells that something came
    scene.quiet = Quiet()
    scene.rules.release()
    assert [scene.shown.at(n)[0].key for n in range(scene.shown.count())] == ["a1", "a1", "a2"]


def test_the_pile_on_the_screen_says_how_many_of_what(stack: ToastStack) -> None:
    alerts = (alert("a1", urgent=True, kind="confirm"), alert("a2", kind="todo"), alert("a3", kind="todo"))
    stack.show_item(BacklogItem(alerts))
    toast = stack.toast(BACKLOG)
    assert isinstance(toast, BacklogToast)
    assert toast.accessibleName() == "您有 3 条待处理提醒: 待您办理 2 条、待您确认 1 条"
    assert toast.stays
    opened, snoozed = QSignalSpy(stack.open_asked), QSignalSpy(stack.snooze_asked)
    QTest.mouseClick(toast.open, Qt.MouseButton.LeftButton)
    QTest.mouseClick(toast.snooze, Qt.MouseButton.LeftButton)
    assert isinstance(opened.at(0)[0], BacklogItem)
    assert snoozed.at(0) == [BACKLOG]
    stack.show_item(BacklogItem(alerts[1:]))
    assert not toast.stays
    assert stack.shown == [BACKLOG]


# ---------------------------------------------------------------- rules
VEHICLES = ModuleDefinition(
    id="vehicles", group="personal", label=Label("公务用车", "Vehicles"), icon="car", order=1,
    types=(TypeDefinition(name="Trip", label=Label("用车", "Trip"), fields=(), access=Access(read=(), create=(), update=(), destroy=())),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "plain", "mentioned", "everyone"),
    [("all", True, True, True), ("silent", True, True, True), ("mentions", False, True, True),
     ("none", False, False, False), ("a newer word", True, True, True)],
)  # fmt: skip
def test_a_conversations_rule(rule: str, plain: bool, mentioned: bool, everyone: bool) -> None:
    rules = AlertRules("me", lambda: {conversation_key("c1"): rule})
    seen = [
        rules.wants_message(Message("m", "c1", MessageKind.TEXT, mentions=mentions), GROUP)
        for mentions in ((), ("p2", "me"), ("all",))
    ]
    assert seen == [plain, mentioned, everyone]
    assert rules.of_conversation("c2") is Rule.ALL


@pytest.mark.parametrize(("rule", "plain"), [("all", True), ("silent", True), ("urgent", False), ("none", False)])
def test_a_modules_rule_never_hides_what_is_urgent(rule: str, plain: bool) -> None:
    rules = AlertRules("me", lambda: {module_key("vehicles"): rule})
    rules.set_modules([VEHICLES])
    trip = Alert("a1", "todo", "派车", link=Link("Trip", "t1"))
    assert rules.wants_alert(trip) is plain
    assert rules.wants_alert(Alert("a1", "todo", "派车", urgent=True, link=Link("Trip", "t1")))
    assert rules.wants_alert(alert())  # of another module


def test_pop_ups_slide_in_fade_out_and_keep_still_where_less_motion_is_wanted(stack: ToastStack, qtbot: QtBot) -> None:
    stack.show_item(NoticeItem("n1", alert("n1")))
    toast = stack.toast("n1")
    assert toast is not None
    place = QGuiApplication.primaryScreen().availableGeometry().bottomRight()
    assert toast.sliding.running
    assert toast.x() + toast.width() > place.x()  # it comes in from the side
    qtbot.waitUntil(lambda: not toast.sliding.running)
    at_rest = toast.pos()
    assert at_rest.x() + toast.width() <= place.x() + toast.shadow
    stack.show_item(NoticeItem("n2", alert("n2")))
    second = stack.toast("n2")
    assert second is not None
    qtbot.waitUntil(lambda: not second.sliding.running and not toast.sliding.running)
    above = second.pos()
    toast.dismiss()
    assert stack.shown == ["n2"]
    assert toast.isVisible()  # it fades
    qtbot.waitUntil(lambda: second.pos() != above and not second.sliding.running)
    assert second.pos() == at_rest
    motion.set_reduced(True)
    try:
        second.dismiss()
        assert not second.isVisible()
        stack.show_item(NoticeItem("n3", alert("n3")))
        third = stack.toast("n3")
        assert third is not None
        assert not third.sliding.running
        assert third.pos() == at_rest
    finally:
        motion.set_reduced(False)
