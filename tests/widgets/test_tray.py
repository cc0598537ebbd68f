"""The tray icon: badge, flashing within its limits, what a click means, the menu, a tray host that comes and goes."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QDateTime, QEvent, QPoint, QRect, QSize, Qt
from PySide6.QtGui import QAction, QHelpEvent
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget
from pytestqt.qtbot import QtBot

from desktop.core.domain import Conversation, ConversationKind, Presence
from desktop.ui import i18n, theme
from desktop.ui.i18n import when
from desktop.ui.tray.hover_card import REST_LOOKS, HoverWatch, place_beside
from desktop.ui.tray.icon import badge_text, draw_mark, tray_icon
from desktop.ui.tray.tray import FLASH_FOR_MS, FLASH_MS, Tray


class Host:
    """A tray host that can be there or not."""

    def __init__(self) -> None:
        self.there = True

    def __call__(self) -> bool:
        return self.there


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def tray(qapp: QApplication, host: Host) -> Iterator[Tray]:
    theme.apply(qapp)
    i18n.set_language("zh")
    tray = Tray(is_available=host)
    tray.start()
    tray.set_account("林远")
    tray.set_presence(Presence.ONLINE, quiet=False)
    yield tray
    tray.stop()
    tray.deleteLater()


def activate(tray: Tray, reason: QSystemTrayIcon.ActivationReason = QSystemTrayIcon.ActivationReason.Trigger) -> None:
    tray.findChildren(QSystemTrayIcon)[0].activated.emit(reason)


def action(tray: Tray, name: str) -> QAction:
    return next(a for a in tray.menu.findChildren(QAction) if a.objectName() == f"tray_{name}")


@pytest.mark.parametrize(("unread", "text"), [(-1, ""), (0, ""), (1, "1"), (99, "99"), (100, "99+"), (10**6, "99+")])
def test_badge_stops_at_99(unread: int, text: str) -> None:
    assert badge_text(unread) == text


def test_every_state_is_drawn_differently(tray: Tray) -> None:
    states = [(p, badge, lit) for p in Presence for badge in ("", "7") for lit in (False, True)]
    pictures = {bytes(draw_mark(32, p, badge, lit).toImage().constBits()) for p, badge, lit in states}
    assert len(pictures) == len(Presence) * 4


def test_the_menu_bar_of_macos_takes_a_mask_while_nothing_is_unread(
    tray: Tray, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not tray_icon(Presence.ONLINE, 0).isMask()
    monkeypatch.setattr("sys.platform", "darwin")
    quiet = tray_icon(Presence.ONLINE, 0)
    assert quiet.isMask()
    assert quiet.actualSize(QSize(64, 64)) == QSize(18, 18)
    assert quiet.pixmap(QSize(18, 18), 2.0).size() == QSize(36, 36)
    for icon in (tray_icon(Presence.ONLINE, 1), tray_icon(Presence.DND, 0), tray_icon(Presence.ONLINE, 0, lit=True)):
        assert not icon.isMask()


def test_same_state_is_the_same_cached_icon(tray: Tray) -> None:
    assert tray_icon(Presence.ONLINE, 3).cacheKey() == tray_icon(Presence.ONLINE, 3).cacheKey()
    assert tray_icon(Presence.ONLINE, 100).cacheKey() == tray_icon(Presence.ONLINE, 5000).cacheKey()


def test_click_toggles_the_window(tray: Tray) -> None:
    spy = QSignalSpy(tray.toggle_asked)
    activate(tray)
    assert spy.count() == 1


def test_click_on_flashing_icon_opens_what_flashed_last(tray: Tray) -> None:
    toggles, opens = QSignalSpy(tray.toggle_asked), QSignalSpy(tray.conversation_asked)
    tray.set_unread(2, 2)
    tray.flash("c1")
    tray.flash("c2")
    activate(tray)
    assert [opens.at(0)[0], opens.count(), toggles.count()] == ["c2", 1, 0]
    assert tray.flashing == ()


def test_middle_click_and_context_do_nothing_themselves(tray: Tray) -> None:
    spy = QSignalSpy(tray.toggle_asked)
    activate(tray, QSystemTrayIcon.ActivationReason.MiddleClick)
    activate(tray, QSystemTrayIcon.ActivationReason.Context)
    assert spy.count() == 0


def test_flashing_changes_at_most_twice_a_second_and_stops(tray: Tray, qtbot: QtBot) -> None:
    assert 1000 / FLASH_MS <= 2
    assert (tray._flash_timer.interval(), tray._calm_timer.interval()) == (FLASH_MS, FLASH_FOR_MS)
    tray._flash_timer.setInterval(FLASH_MS // 10)  # ten times as fast, in the same proportion
    tray._calm_timer.setInterval(FLASH_FOR_MS // 10)
    tray.set_unread(1, 1)
    before = tray.changes
    tray.flash("c1")
    qtbot.waitUntil(lambda: not tray.flashing, timeout=FLASH_FOR_MS)
    assert 2 < tray.changes - before <= FLASH_FOR_MS / FLASH_MS + 2
    assert tray.picture.cacheKey() == tray_icon(Presence.ONLINE, 1).cacheKey()


def test_reading_elsewhere_ends_flashing_and_badge_at_once(tray: Tray) -> None:
    tray.set_unread(4, 1)
    tray.flash("c1")
    tray.set_unread(0, 0)
    assert tray.flashing == ()
    assert tray.picture.cacheKey() == tray_icon(Presence.ONLINE, 0).cacheKey()


def test_calm_keeps_the_other_conversations_flashing(tray: Tray) -> None:
    tray.set_unread(2, 2)
    tray.flash("c1")
    tray.flash("c2")
    tray.calm("c2")
    assert tray.flashing == ("c1",)


def test_switched_off_it_never_flashes(tray: Tray) -> None:
    tray.set_flash_enabled(False)
    tray.flash("c1")
    assert tray.flashing == ()


def test_tray_host_restart_shows_the_icon_again(tray: Tray, host: Host) -> None:
    spy = QSignalSpy(tray.availability_changed)
    host.there = False
    tray.check()
    assert not tray.available
    host.there = True
    tray.check()
    assert tray.available
    assert [spy.at(0)[0], spy.at(1)[0]] == [False, True]


def test_menu_says_what_was_chosen(tray: Tray) -> None:
    status, quiet = QSignalSpy(tray.status_chosen), QSignalSpy(tray.quiet_asked)
    action(tray, "status_busy").trigger()
    action(tray, "quiet_hour").trigger()
    action(tray, "quiet_tomorrow").trigger()
    assert status.at(0)[0] is Presence.BUSY
    assert [quiet.at(0)[0], quiet.at(1)[0]] == ["hour", "tomorrow"]
    assert not action(tray, "quiet_off").isEnabled()
    tray.set_presence(Presence.DND, quiet=True)
    assert action(tray, "quiet_off").isEnabled()


def test_menu_leads_to_panel_lock_and_a_time_of_ones_own(tray: Tray) -> None:
    panel, lock, until = (QSignalSpy(s) for s in (tray.panel_asked, tray.lock_asked, tray.quiet_until_asked))
    action(tray, "panel").trigger()
    action(tray, "lock").trigger()
    action(tray, "quiet_custom").trigger()
    dialog = tray._dialog
    assert dialog is not None
    assert dialog.isVisible()
    dialog.time.setText("0000")
    dialog.day.setCurrentIndex(0)
    dialog.take()
    assert dialog.problem.text()  # that is over already
    dialog.day.setCurrentIndex(3)
    dialog.time.setText("730")
    dialog.take()
    moment = QDateTime.fromMSecsSinceEpoch(until.at(0)[0])
    assert moment.time().toString("HH:mm") == "07:30"
    assert QDateTime.fromMSecsSinceEpoch(when.now()).daysTo(moment) == 3
    assert (panel.count(), lock.count(), until.count(), tray._dialog) == (1, 1, 1, None)


def test_menu_switches_accounts(tray: Tray) -> None:
    spy = QSignalSpy(tray.account_asked)
    tray.set_accounts([("p2", "张敏 · zhangmin@oa")])
    action(tray, "account_p2").trigger()
    action(tray, "account_other").trigger()
    assert [spy.at(0)[0], spy.at(1)[0]] == ["p2", ""]


def test_locked_it_tells_how_much_and_not_what(tray: Tray) -> None:
    tray.set_unread(2, 1)
    tray.set_unread_list(talks(2))
    tray.flash("c1")
    tray.set_locked(True)
    toggles, opens = QSignalSpy(tray.toggle_asked), QSignalSpy(tray.conversation_asked)
    tray.show_card(QRect(900, 700, 24, 24))
    assert tray.card is None
    activate(tray)
    assert (toggles.count(), opens.count()) == (1, 0)
    hidden = {a.objectName() for a in tray.menu.actions() if not a.isVisible()}
    assert {"tray_panel", "tray_settings", "tray_lock", "tray_sign_out"} <= hidden
    tray.set_locked(False)
    activate(tray)
    assert opens.at(0) == ["c1"]


def test_newest_unread_is_what_flashed_last_else_the_first_of_the_list(tray: Tray) -> None:
    assert tray.newest_unread == ""
    tray.set_unread_list(talks(3))
    assert tray.newest_unread == "c0"
    tray.flash("c2")
    assert tray.newest_unread == "c2"


def test_switched_off_the_card_stays_away(tray: Tray) -> None:
    tray.set_hover_enabled(False)
    tray.show_card(QRect(900, 700, 24, 24))
    assert tray.card is None


def test_signed_out_menu_offers_open_diagnose_and_quit_alone(tray: Tray) -> None:
    tray.set_account("")
    shown = [a.objectName() for a in tray.menu.actions() if a.isVisible() and not a.isSeparator()]
    assert shown == ["tray_open", "tray_diagnose", "tray_quit"]


def test_tooltip_tells_state_and_unread_in_both_languages(tray: Tray) -> None:
    tray.set_unread(9, 3)
    assert tray.tooltip == "通办 · 林远 · 在线\n3 个会话有 9 条未读"
    i18n.set_language("en")
    assert tray.tooltip == "Tongban · 林远 · Online\n9 unread in 3 conversations"


# ------------------------------------------------------------ hovering
def talks(count: int) -> list[tuple[Conversation, str]]:
    return [
        (Conversation(f"c{n}", ConversationKind.GROUP, f"群 {n}", unread_count=n + 1), "好的") for n in range(count)
    ]


class Icon(QSystemTrayIcon):
    """An icon that knows where it stands."""

    place = QRect(900, 700, 24, 24)

    def geometry(self) -> QRect:
        return self.place


def test_the_card_lists_what_is_unread_and_leads_there(tray: Tray) -> None:
    tray.set_unread(15, 5)
    tray.set_unread_list(talks(7))
    tray.set_work(8, 1, 2)
    tray.show_card(QRect(900, 700, 24, 24))
    card = tray.card
    assert card is not None
    assert card.isVisible()
    assert card.title.text() == i18n.tr("tray.hover.title", n=28)
    lines = [w.objectName() for w in card.findChildren(QWidget) if w.objectName().startswith("hover_")]
    assert lines == [f"hover_c{n}" for n in range(5)]
    assert card.foot.text() == "待办 8 项 · 超期 1 项，今天到期 2 项"
    assert tray.unread == 15  # to-dos and dates are no part of the badge
    asked, work, ignore = (QSignalSpy(s) for s in (tray.conversation_asked, tray.work_asked, tray.ignore_asked))
    QTest.mouseClick(card.ignore, Qt.MouseButton.LeftButton)
    line = card.findChild(QWidget, "hover_c2")
    assert line is not None
    QTest.mouseClick(line, Qt.MouseButton.LeftButton)
    QTest.mouseClick(card.foot, Qt.MouseButton.LeftButton)
    assert (asked.count(), work.count(), ignore.count()) == (1, 1, 1)
    assert asked.at(0) == ["c2"]
    assert not card.isVisible()
    tray.set_unread_list([])
    tray.set_work(0, 0, 0)
    assert card.ignore.isHidden()
    assert card.foot.text() == i18n.tr("tray.hover.no_work")


def test_nobody_signed_in_has_no_card(tray: Tray) -> None:
    tray.show_card(QRect(900, 700, 24, 24))
    assert tray.card is not None
    tray.set_account("")
    assert not tray.card.isVisible()
    tray.show_card(QRect(900, 700, 24, 24))
    assert not tray.card.isVisible()


def test_the_mouse_must_rest_and_may_move_onto_the_card(qapp: QApplication) -> None:
    icon, card, at = Icon(), QWidget(), QPoint(0, 0)
    watch = HoverWatch(icon, lambda: card, icon, mouse=lambda: at)
    entered, left = QSignalSpy(watch.entered), QSignalSpy(watch.left)
    at = icon.place.center()
    watch.look()
    at = QPoint(0, 0)
    watch.look()  # passing over is no resting
    assert entered.count() == 0
    at = icon.place.center()
    for _ in range(REST_LOOKS):
        watch.look()
    assert entered.count() == 1
    card.setGeometry(800, 500, 200, 190)
    card.show()
    at = QPoint(850, 600)
    for _ in range(5):
        watch.look()
    assert left.count() == 0
    at = QPoint(10, 10)
    for _ in range(REST_LOOKS):
        watch.look()
    assert left.count() == 1
    card.close()


def test_a_desktop_that_tells_of_hovering_is_believed(qapp: QApplication) -> None:
    icon = Icon()
    watch = HoverWatch(icon, lambda: None, icon, mouse=lambda: QPoint(5, 5))
    entered = QSignalSpy(watch.entered)
    QApplication.sendEvent(icon, QHelpEvent(QEvent.Type.ToolTip, QPoint(1, 1), QPoint(905, 705)))
    assert entered.at(0) == [icon.place]


@pytest.mark.parametrize("icon", [QRect(1900, 1050, 24, 24), QRect(0, 0, 24, 24), QRect(1000, 1050, 24, 24)])
def test_the_card_stays_on_the_screen(icon: QRect) -> None:
    area = QRect(0, 0, 1920, 1080)
    at = place_beside(icon, 300, 320, area)
    card = QRect(at.x(), at.y(), 300, 320)
    assert area.contains(card)
    assert not card.intersects(icon)
