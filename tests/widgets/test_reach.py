"""Everybody can use it: names, roles, the way of the Tab key, text that fits; the sheet of keys; less motion. The tour asks the same of every page."""

import dataclasses
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLabel, QListWidget, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from desktop.app import reach
from desktop.core.errors import ProxyFailed
from desktop.platform.preferences import Preferences
from desktop.ui import i18n, motion, theme
from desktop.ui.chat.page import create_messages_page
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, TextField
from desktop.ui.kit.spoken import speak_as
from desktop.ui.settings.network_dialog import NetworkDialog
from desktop.ui.settings.page import SECTIONS, SettingsPage
from desktop.ui.settings.proxy import ProxyGroup
from desktop.ui.settings.rows import Rows
from desktop.ui.shell.keys import TABLE, known_keys
from desktop.ui.shell.keys_sheet import KeysSheet
from desktop.ui.shell.login import LoginWindow
from desktop.ui.shell.ui_state import UiState
from tests.helpers.fake_session import GROUP, FakeSession
from tests.helpers.stage import RecordingNavigator, play, press, settle, shown, until
from tests.widgets.test_settings import NOW, Office


class Bad(QWidget):
    """One of every flaw."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        self.key, self.icon, self.nameless = QPushButton("common.close"), QPushButton("chat-circle-dots"), TextField()
        self.trap, self.list, self.mouse = QPlainTextEdit(), QListWidget(), QPushButton("仅鼠标")
        self.trap.setAccessibleName("正文")
        self.list.setAccessibleName("清单")
        self.list.addItem("")
        self.mouse.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas = QWidget()
        self.canvas.setAccessibleName("画布")
        self.canvas.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.cut = QLabel("这一行字比它的地方长得多")
        self.cut.setFixedWidth(20)
        self.frame = QWidget()
        self.beyond = QPushButton("在外面", self.frame)
        self.empty = Button("没有地方写字")
        self.empty.set_room(1)
        parts = (self.key, self.icon, self.nameless, self.trap, self.list, self.mouse, self.canvas, self.cut)
        self.beyond.setObjectName("part8")
        for number, part in enumerate(parts):
            part.setObjectName(f"part{number}")
            column.addWidget(part)
        self.empty.setObjectName("part9")
        column.addWidget(self.empty)
        column.addWidget(self.frame)
        self.beyond.move(370, 0)


def test_each_flaw_is_seen_and_none_is_seen_when_it_is_mended() -> None:
    async def scene() -> None:
        window = Bad()
        shown(window, 400, 500)
        told = "\n".join(reach.flaws(window))
        for number, why in enumerate(
            (
                "untranslated key",
                "icon's name",
                "no name",
                "keeps the Tab key",
                "row 0",
                "reach",
                "(Client)",
                "px",
                "out of sight",
                "shows nothing",
            )
        ):
            assert any(f"part{number}" in line and why in line for line in told.splitlines()), (why, told)
        window.key.setText("关闭")
        window.icon.setText("会话")
        window.nameless.setAccessibleName("姓名")
        window.trap.setTabChangesFocus(True)
        window.list.item(0).setText("一")
        window.mouse.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        window.canvas.deleteLater()
        window.cut.setFixedWidth(360)
        window.beyond.move(0, 0)
        window.empty.set_room(0)
        better = QWidget()
        better.setAccessibleName("画布")
        better.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        speak_as(better, QAccessible.Role.Graphic)
        layout = window.layout()
        assert layout is not None
        layout.addWidget(better)
        window.canvas.hide()
        await until(better.isVisible)
        assert reach.flaws(window) == []
        window.key.setFocus()
        assert reach.first_focus(window) == []  # a plain one of Qt's, for what is chosen first
        window.empty.setFocus()
        assert "has the keyboard first" in reach.first_focus(window)[0]

    play(scene())


def settings_page(folder: Path, office: Office | None = None) -> SettingsPage:
    office = office or Office(folder)
    preferences = Preferences(folder / "preferences.json")

    async def use_proxy(_password: str | None) -> None:
        return

    return SettingsPage(preferences, dataclasses.replace(office.sources, use_proxy=use_proxy), now_ms=lambda: NOW)


def test_settings_are_for_everybody_in_chinese(tmp_path: Path) -> None:
    """Every section has names and roles, and its text fits, at 100 %. At 200 % in English: tests/e2e/test_everybody.py, with every other page."""

    async def scene() -> None:
        page = settings_page(tmp_path)
        shown(page, 1500, 900)
        for section in SECTIONS:
            page.open_section(section)
            await until(lambda: not page.tasks.running("devices"))
            await settle()
            assert reach.flaws(page) == [], section

    play(scene())


def test_tab_reaches_everything_and_comes_back(tmp_path: Path) -> None:
    """Real key presses: nobody keeps them, every control of the way is visited, and the way is a circle."""

    async def scene() -> None:
        page = settings_page(tmp_path)
        shown(page, 1100, 740)
        page.activateWindow()
        page.open_section("appearance")
        await until(page.isActiveWindow)
        way = reach.stops(page)
        way[0].setFocus(Qt.FocusReason.TabFocusReason)
        visited = []
        for _ in way:
            here = QApplication.focusWidget()
            assert here is not None
            visited.append(here)
            press(here, Qt.Key.Key_Tab)
        assert set(visited) == set(way)
        assert QApplication.focusWidget() is visited[0]

    play(scene())


def test_the_message_page_tells_its_lists_and_messages(tmp_path: Path) -> None:
    async def scene() -> None:
        session = FakeSession()
        page = create_messages_page(session, RecordingNavigator(), RecordingNavigator(), UiState())
        shown(page)
        await until(lambda: page.list.model.rowCount() > 0)
        page.open_conversation(GROUP)
        await until(lambda: len(page.pane.window_model) > 0)
        assert reach.flaws(page) == []
        view = QAccessible.queryAccessibleInterface(page.pane.view)
        assert view.role() is QAccessible.Role.List
        assert view.childCount() == len(page.pane.window_model)
        assert view.child(0).text(QAccessible.Text.Name)
        unlisted = {
            shortcut.key().toString(QKeySequence.SequenceFormat.PortableText)
            for shortcut in page.findChildren(QShortcut)
        } - known_keys()
        assert unlisted == set()

    play(scene())


@pytest.mark.parametrize(("language", "scale"), [("zh", 1.0), ("en", 2.0)])
def test_the_sheet_of_keys_has_every_line_and_begins_with_the_page(language: i18n.Language, scale: float) -> None:
    async def scene() -> None:
        sheet = KeysSheet(None, "documents")
        sheet.resize(sheet.sizeHint())
        sheet.open()
        texts = [label.text() for label in sheet.findChildren(QLabel)]
        assert texts[0] == tr("keys.flows")
        for place, rows in TABLE.items():
            for row in rows:
                assert tr(f"keys.{place}.{row.name}") in texts
                assert all(not QKeySequence.fromString(keys).isEmpty() for keys in row.keys), row
        assert reach.flaws(sheet) == []
        press(sheet, Qt.Key.Key_Escape)
        await until(lambda: not sheet.isVisible())

    play(scene(), language=language, scale=scale)


def test_a_proxy_is_entered_tried_and_told(tmp_path: Path) -> None:
    """An incomplete one is not kept; a wrong one says so in a sentence; a good one says so too, and the password is not shown again."""
    said: list[str | None] = []

    async def apply(password: str | None) -> None:
        said.append(password)
        if len(said) == 1:
            raise ProxyFailed(type="unreachable", proxy="proxy.example:3128")

    async def scene() -> None:
        preferences = Preferences(tmp_path / "preferences.json")
        rows = Rows(preferences)
        group = ProxyGroup(rows, apply)
        rows.sync()
        shown(group, 700, 500)
        assert group.kind.currentData() == "system"
        assert not group.host.isVisible()
        group.kind.choose("http")
        group.kind.activated.emit(group.kind.currentIndex())
        assert group.host.isVisible()
        group.host.setText("proxy.example")
        group.button.click()
        assert (preferences.now.proxy, said) == ("system", [])
        group.port.setText("3128")
        group.password.setText("geheim")
        group.button.click()
        sentence = tr("error.proxyFailed.unreachable", proxy="proxy.example:3128")
        await until(lambda: sentence in [label.text() for label in group.findChildren(QLabel)])
        assert (preferences.now.proxy, preferences.now.proxy_host, preferences.now.proxy_port) == (
            "http",
            "proxy.example",
            3128,
        )
        assert "geheim" not in (tmp_path / "preferences.json").read_text()
        assert group.password.text() == "geheim"
        group.button.click()
        await until(lambda: tr("settings.proxy.works") in [label.text() for label in group.findChildren(QLabel)])
        assert group.password.text() == ""
        assert said == ["geheim", "geheim"]
        assert reach.flaws(group) == []

    play(scene())


def test_the_way_can_be_chosen_before_anybody_signs_in(tmp_path: Path) -> None:
    said: list[str | None] = []

    async def apply(password: str | None) -> None:
        said.append(password)

    async def scene() -> None:
        window = LoginWindow(LoginGateOf(), server="oa.example")  # type: ignore[arg-type]  # nobody signs in here
        preferences = Preferences(tmp_path / "preferences.json")
        opened: list[NetworkDialog] = []

        def show() -> None:
            opened.append(NetworkDialog(window, preferences, apply))
            opened[0].open()

        window.network_asked.connect(show)
        window.show()
        assert not window.network.isVisible()
        window.gear.click()
        assert window.network.isVisible()
        assert window.server_now == "https://oa.example:8460"
        window.network.click()
        group = opened[0].group
        assert group.kind.currentData() == "system"
        words = [label.text() for label in group.findChildren(QLabel)]
        assert (tr("settings.proxy.no_scripts") in words) is (sys.platform not in ("win32", "darwin"))
        group.kind.choose("socks5")
        group.kind.activated.emit(group.kind.currentIndex())
        group.host.setText("proxy.example")
        group.port.setText("1080")
        group.button.click()
        await until(lambda: said == [None])
        assert (preferences.now.proxy, preferences.now.proxy_host) == ("socks5", "proxy.example")
        assert reach.flaws(opened[0]) == []
        opened[0].close()
        window.close()

    play(scene())


class LoginGateOf:
    """A gate with nobody behind it."""

    def accounts(self) -> list[object]:
        return []


def test_less_motion_is_asked_at_one_door() -> None:
    theme.apply(QApplication.instance())  # type: ignore[arg-type]  # the tests' one application
    try:
        motion.set_reduced(True)
        assert motion.is_reduced()
    finally:
        motion.set_reduced(False)
    root = Path(motion.__file__).parents[1]
    movers = ("QPropertyAnimation", "QVariantAnimation", "QTimeLine", "QParallelAnimationGroup")
    for path in root.rglob("*.py"):
        source = path.read_text("utf-8")
        if any(f"{mover}(" in source for mover in movers):
            assert "motion.is_reduced()" in source, path
