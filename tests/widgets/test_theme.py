"""Tokens, texts and small parts: contrast, both palettes complete, both languages complete, icons, names for screen readers."""

import asyncio
import json
import re
import string
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QToolTip, QWidget

from desktop.core.errors import AppError, InvalidCredentials, Rejected
from desktop.ui import i18n, tasks, theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import (
    Avatar,
    Badge,
    Button,
    CheckBox,
    IconButton,
    Label,
    Menu,
    PasswordField,
    SearchBox,
    composited,
    rounded_mask,
)
from desktop.ui.tasks import InternalError, TaskOwner
from desktop.ui.theme import icons
from desktop.ui.theme.tokens import palette_tokens
from tests.helpers.fake_session import DAY, NOW
from tests.helpers.stage import application, play, settle

TEXT_ON = [
    *[
        (ink, on)
        for ink in ("ink", "ink2", "ink3")
        for on in ("surface", "bg", "pane", "selected", "field", "hover", "pinned")
    ],
    *[("ink", on) for on in ("bubble_me", "bubble_other", "selection", "amber_soft")],
    ("ink2", "bubble_me"),
    *[("link", on) for on in ("surface", "bg", "bubble_me", "bubble_other", "accent_soft", "selected")],
    *[("red_text", on) for on in ("surface", "bg", "pane", "selected", "red_soft")],
    *[("green", on) for on in ("surface", "green_soft")],
    *[("amber", on) for on in ("surface", "amber_soft")],
    ("on_accent", "accent"),
    ("on_red", "red"),
    ("rail_ink", "rail"),
    ("rail_ink_active", "rail_active"),
    ("on_tooltip", "tooltip"),
    ("on_snack", "snack"),
]


def _luminance(color: QColor) -> float:
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in color.getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(first: QColor, second: QColor) -> float:
    """WCAG 2 contrast ratio."""
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize(("ink", "on"), TEXT_ON)
def test_text_can_be_read_on_its_background(dark: bool, ink: str, on: str) -> None:
    colors = palette_tokens(dark)
    assert contrast(colors.named(ink), colors.named(on)) >= 4.5


@pytest.mark.parametrize("hue", [*theme.AVATAR_HUES, *theme.FILE_COLORS.values()])
def test_white_letters_can_be_read_on_avatars_and_sheets(hue: str) -> None:
    assert contrast(QColor("#ffffff"), QColor(hue)) >= 4.5


def test_every_text_has_both_languages_and_the_same_places() -> None:
    for key, entry in i18n.catalog().items():
        assert entry.keys() == {"zh", "en"}, key
        assert all(entry.values()), key
        places = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in entry.values()]
        if "#" not in key:
            assert places[0] == places[1], key


def test_no_key_is_given_twice() -> None:
    seen: dict[str, str] = {}
    for path in i18n.folder().glob("*.json"):
        for key in json.loads(path.read_text("utf-8")):
            assert key not in seen, f"{key} is in {seen.get(key)} and {path.name}"
            seen[key] = path.name


def test_every_text_named_in_the_talk_and_the_frame_is_there() -> None:
    root = Path(i18n.__file__).parents[1]
    named = re.compile(r"[\"']((?:chat|shell|login|common|presence|when)\.[a-z_A-Z.]+[a-z])[\"']")
    for path in [p for room in ("chat", "shell", "kit", "i18n") for p in (root / room).glob("*.py")]:
        code = "\n".join(
            line
            for line in path.read_text("utf-8").splitlines()
            if "setObjectName" not in line and "_state." not in line
        )
        for key in named.findall(code):
            known = i18n.has(key) or any(name.startswith(f"{key}.") for name in i18n.catalog())
            assert known or key.split(".")[-1] == "name", f"{path.name}: {key}"


def test_language_switches_bound_texts_at_once() -> None:
    async def scene() -> None:
        label = Label(key="presence.online")
        assert label.text() == "在线"
        i18n.set_language("en")
        assert label.text() == "Online"
        i18n.bind(label.setText, "presence.busy")
        i18n.set_language("zh")
        assert label.text() == "忙碌"

    play(scene())


def test_theme_changes_palette_sheet_and_signal() -> None:
    async def scene() -> None:
        told: list[bool] = []
        theme.changed.connect(lambda: told.append(theme.is_dark()))
        theme.set_mode("dark")
        assert told == [True]
        assert application().palette().window().color() == palette_tokens(True).bg
        theme.set_text_scale(1.5)
        assert theme.font("base").pixelSize() == 20
        theme.set_text_scale(9)
        assert theme.text_scale() == 2.0

    play(scene())


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_a_tooltip_has_the_color_of_the_theme(mode: theme.Mode, scale: float) -> None:
    async def scene() -> None:
        host = QWidget()
        host.show()
        QToolTip.showText(host.mapToGlobal(QPoint(5, 5)), "工作台", host)
        tip = next(w for w in QApplication.topLevelWidgets() if w.metaObject().className() == "QTipLabel")
        image, colors = tip.grab().toImage(), theme.tokens()
        assert image.pixelColor(3, image.height() // 2) == colors.tooltip
        assert image.pixelColor(0, image.height() // 2) == colors.line_strong
        assert (colors.tooltip.lightness() > 200) is (mode == "light")
        inks = {image.pixelColor(x, y).lightness() for x in range(image.width()) for y in range(image.height())}
        darkest, brightest = min(inks), max(inks)
        assert brightest - darkest > 150
        QToolTip.hideText()

    play(scene(), mode=mode, scale=scale)


@pytest.mark.parametrize(
    ("ago", "shown"),
    [(0, "10:45"), (DAY, "昨天"), (3 * DAY, "周一"), (9 * DAY, "10-13"), (400 * DAY, "2025-09-17")],
)
def test_times_are_relative_for_a_week_then_dates(monkeypatch: pytest.MonkeyPatch, ago: int, shown: str) -> None:
    import time

    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    i18n.set_language("zh")
    try:
        assert when.short(NOW - ago, NOW) == shown
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (812, "812 B"), (1024, "1.0 KB"), (19_293_798, "18.4 MB"), (1_000_000, "977 KB")]
)
def test_sizes_in_words(count: int, shown: str) -> None:
    assert when.size(count) == shown


def test_errors_say_their_own_sentence() -> None:
    i18n.set_language("zh")
    assert "用户名或密码" in error_text(InvalidCredentials())
    assert "没有权限" in error_text(Rejected(type="forbidden"))
    assert error_text(Rejected(type="neverHeardOf")) == tr("error.rejected")
    assert "appError" in error_text(AppError())


def test_icons_are_tinted_and_unknown_ones_named() -> None:
    application()
    image = icons.pixmap("chat-circle-dots-fill", QColor("#c9372c"), 32, 1.0).toImage()
    inks = {
        image.pixelColor(x, y).name() for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() == 255
    }
    assert inks == {"#c9372c"}
    assert not icons.exists("no-such-glyph")
    with pytest.raises(icons.UnknownIcon):
        icons.outline("no-such-glyph")


def test_controls_have_names_and_take_the_keyboard() -> None:
    async def scene() -> None:
        host = QWidget()
        search, password = SearchBox(parent=host), PasswordField(key="login.password", parent=host)
        icon, button, box = (
            IconButton("x", "common.close", parent=host),
            Button(key="common.ok", parent=host),
            CheckBox(key="common.ok", parent=host),
        )
        for control in host.findChildren(QAbstractButton):
            assert control.accessibleName() or control.text()
        for field in host.findChildren(QLineEdit):
            assert field.accessibleName()
        assert all(w.focusPolicy().value for w in (search, password, icon, button, box))
        pressed: list[int] = []
        button.clicked.connect(lambda: pressed.append(1))
        from PySide6.QtCore import Qt

        from tests.helpers.stage import press

        press(button, Qt.Key.Key_Return)
        assert pressed == [1]

    play(scene())


def test_badge_and_avatar_speak() -> None:
    async def scene() -> None:
        from desktop.core.domain import Presence

        badge = Badge()
        badge.set_count(120)
        assert badge.accessibleName() == "99+"
        badge.set_count(0)
        assert not badge.isVisible()
        avatar = Avatar()
        avatar.set_subject("张敏", "zhangmin", presence=Presence.DND)
        assert avatar.accessibleName() == "张敏, 请勿打扰"

    play(scene())


def test_a_task_is_cancelled_with_its_widget_and_replaced_when_exclusive() -> None:
    async def scene() -> None:
        host = QWidget()
        owner = TaskOwner(host)
        first = owner.start(asyncio.sleep(60), name="search", exclusive=True)
        second = owner.start(asyncio.sleep(60), name="search", exclusive=True)
        await settle()
        assert first is not None
        assert second is not None
        assert first.cancelled()
        assert owner.running("search")
        host.deleteLater()
        await settle()
        assert second.cancelled()

    play(scene())


def test_a_task_after_the_loop_ended_is_dropped_without_a_word() -> None:
    application()
    work = asyncio.sleep(60)
    assert TaskOwner(QWidget()).start(work, name="late") is None
    with pytest.raises(RuntimeError):
        work.send(None)


def test_failures_of_tasks_are_shown_and_bugs_get_a_number(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        shown: list[AppError] = []
        tasks.set_presenter(lambda error, _widget: shown.append(error))
        owner = TaskOwner(QWidget())

        async def bug() -> None:
            raise ValueError("ours")

        async def refused() -> None:
            raise Rejected(type="forbidden")

        owner.start(refused(), name="a")
        owner.start(bug(), name="b")
        await settle()
        assert isinstance(shown[0], Rejected)
        assert isinstance(shown[1], InternalError)
        assert str(shown[1].data["id"]) in caplog.text

    play(scene())


def test_menus_have_no_corners_outside_their_border() -> None:
    async def scene() -> None:
        menu = Menu()
        menu.addAction("打开")
        menu.resize(menu.sizeHint())
        assert menu.testAttribute(Qt.WidgetAttribute.WA_TranslucentBackground) is composited()
        image = menu.grab().toImage()
        assert image.pixelColor(0, 0).alpha() == 0
        assert image.pixelColor(image.width() // 2, 2).alpha() == 255
        cut = rounded_mask(menu).toImage()
        ink = {cut.pixelColor(x, y).name() for x, y in ((0, 0), (cut.width() - 1, cut.height() - 1))}
        assert ink != {cut.pixelColor(cut.width() // 2, cut.height() // 2).name()}
        assert len(ink) == 1

    play(scene())
