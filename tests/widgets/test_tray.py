"""The tray icon: badge, flashing within its limits, what a click means, the menu, a tray host that comes and goes."""

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QAction
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from desktop.core.domain import Presence
from desktop.ui import i18n, theme
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
    tray.set_unread(1, 1)
    before = tray.changes
    tray.flash("c1")
    qtbot.waitUntil(lambda: not tray.flashing, timeout=FLASH_FOR_MS + 2000)
    assert tray.changes - before <= FLASH_FOR_MS / FLASH_MS + 2
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


def test_signed_out_menu_offers_open_and_quit_alone(tray: Tray) -> None:
    tray.set_account("")
    shown = [a.objectName() for a in tray.menu.actions() if a.isVisible() and not a.isSeparator()]
    assert shown == ["tray_open", "tray_quit"]


def test_tooltip_tells_state_and_unread_in_both_languages(tray: Tray) -> None:
    tray.set_unread(9, 3)
    assert tray.tooltip == "通办 · 林远 · 在线\n3 个会话有 9 条未读"
    i18n.set_language("en")
    assert tray.tooltip == "Tongban · 林远 · Online\n9 unread in 3 conversations"
