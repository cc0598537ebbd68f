"""The settings page and what it keeps: each change at once, a damaged file never a crash, devices and log from the server."""

import asyncio
import dataclasses
import gc
import getpass
import json
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest
import qasync
from PySide6.QtCore import QEvent, Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QListWidget, QWidget

from desktop.core.domain import Conversation, ConversationKind, Device, LoginEntry, ModuleDefinition, TransferRules
from desktop.core.domain.definition import Label as LabelWords
from desktop.core.errors import Offline
from desktop.platform.autostart import AutostartFailed, SetAutostart
from desktop.platform.folders import choose_downloads_dir, default_data_dir, downloads_dir
from desktop.platform.hotkeys.port import Outcome
from desktop.platform.policy import Policy
from desktop.platform.preferences import DND_FOREVER, HOTKEYS, Choices, Preferences
from desktop.platform.single_instance import SingleInstance, instance_name, parse_links
from desktop.ui import i18n, theme
from desktop.ui.kit import Button, Label, SearchBox
from desktop.ui.kit.time_field import TimeField
from desktop.ui.settings.controls import Choice, SettingGroup, SettingRow, Switch
from desktop.ui.settings.key_recorder import KeyRecorder
from desktop.ui.settings.page import SECTIONS, SettingsPage
from desktop.ui.settings.sources import SettingsSources
from desktop.ui.settings.transfer_rows import TransferGroup

NOW = 1_790_000_000_000


class Office:
    """The account's verbs in memory."""

    def __init__(self, folder: Path) -> None:
        self.devices = [
            Device("d1", "办公室台式机", "linux", last_seen_at=NOW, current=True),
            Device("d2", "旧笔记本", "windows", last_seen_at=NOW - 10**8),
        ]
        self.offline = False
        self.signed_out: list[bool] = []
        self.cache = 5_000_000
        self.sources = SettingsSources(
            server="https://oa.example.gov",
            login="linyuan",
            data_dir=folder,
            version=lambda: "0.1.0",
            fingerprint=self._fingerprint,
            devices=self._devices,
            sign_out_device=self._sign_out_device,
            login_log=self._log,
            cache_size=self._size,
            clear_cache=self._clear,
            sign_out=self.signed_out.append,
        )

    async def _fingerprint(self) -> str:
        return "ab12" * 16

    async def _devices(self) -> list[Device]:
        if self.offline:
            raise Offline()
        return self.devices

    async def _sign_out_device(self, device_id: str) -> None:
        self.devices = [device for device in self.devices if device.id != device_id]

    async def _log(self) -> list[LoginEntry]:
        return [
            LoginEntry("l1", NOW, "10.0.0.8", "linyuan", "ok"),
            LoginEntry("l2", NOW - 1, "10.0.0.9", "linyuan", "odd"),
        ]

    async def _size(self) -> int:
        return self.cache

    async def _clear(self) -> int:
        freed, self.cache = self.cache, 0
        return freed


def on_loop(qapp: QApplication, scene: Callable[[], Coroutine[Any, Any, None]], seconds: float = 10) -> None:
    def factory() -> asyncio.AbstractEventLoop:
        loop = qasync.QEventLoop(qapp)
        asyncio.set_event_loop(loop)
        return loop

    theme.apply(qapp)
    i18n.set_language("zh")
    before = set(map(id, QApplication.topLevelWidgets()))
    try:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.wait_for(scene(), seconds))
    finally:
        drop_windows(before)


def drop_windows(before: set[int]) -> None:
    """What a scene left open goes: a page that lives on is dressed again by every later test."""
    for window in QApplication.topLevelWidgets():
        if id(window) not in before:
            window.hide()
            window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def make_page(tmp_path: Path) -> tuple[SettingsPage, Preferences, Office]:
    preferences, office = Preferences(tmp_path / "preferences.json"), Office(tmp_path)
    page = SettingsPage(preferences, office.sources, now_ms=lambda: NOW)
    page.resize(1000, 700)
    page.show()
    return page, preferences, office


def texts(page: QWidget) -> str:
    return "\n".join(label.text() for label in page.findChildren(Label) if label.isVisible())


async def settle(done: Callable[[], bool], seconds: float = 5) -> None:
    for _ in range(int(seconds * 100)):
        if done():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("did not settle")


# ---------------------------------------------------------------- what is kept
def test_choices_survive_a_restart(tmp_path: Path, qapp: QApplication) -> None:
    Preferences(tmp_path / "p.json").set(theme="dark", text_percent=150)
    again = Preferences(tmp_path / "p.json").now
    assert (again.theme, again.text_percent, again.toasts) == ("dark", 150, True)


def test_each_changed_field_is_told_once(tmp_path: Path, qapp: QApplication) -> None:
    preferences = Preferences(tmp_path / "p.json")
    spy = QSignalSpy(preferences.changed)
    preferences.set(theme="dark", toasts=True)
    preferences.set(theme="dark")
    assert [spy.at(n)[0] for n in range(spy.count())] == ["theme"]


def test_wrong_type_changes_nothing(tmp_path: Path, qapp: QApplication) -> None:
    preferences = Preferences(tmp_path / "p.json")
    with pytest.raises(msgspec.ValidationError):
        preferences.set(text_percent="huge")
    assert preferences.now == Choices()


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b'{"text_percent": "x"}', b'{"theme"'])
def test_damaged_file_is_set_aside_and_defaults_are_used(tmp_path: Path, qapp: QApplication, content: bytes) -> None:
    path = tmp_path / "p.json"
    path.write_bytes(content)
    assert Preferences(path).now == Choices()
    assert (tmp_path / "p.damaged").read_bytes() == content


def test_fields_of_a_newer_program_are_kept(tmp_path: Path, qapp: QApplication) -> None:
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"theme": "light", "hologram": True}), encoding="utf-8")
    Preferences(path).set(theme="dark")
    assert json.loads(path.read_text(encoding="utf-8")) | {"hologram": True, "theme": "dark"} == json.loads(
        path.read_text(encoding="utf-8")
    )


# ---------------------------------------------------------------- page
class Transfers:
    """The rules for transfers, and what the policy allows."""

    def __init__(self, limit: int) -> None:
        self.limit, self.kept = limit, TransferRules(receive=("picture",))

    def rules(self) -> TransferRules:
        return self.kept

    async def set_rules(self, rules: TransferRules) -> None:
        self.kept = rules

    async def direct_limit(self) -> int:
        return self.limit


@pytest.mark.parametrize("limit", [0, 2 << 30])
def test_the_rules_for_transfers_stand_with_the_files(tmp_path: Path, qapp: QApplication, limit: int) -> None:
    """Kinds, sizes, speeds and the folder are kept at once; direct transfers can be chosen where the policy allows them."""

    async def scene() -> None:
        transfers, preferences = Transfers(limit), Preferences(tmp_path / "p.json")
        sources = dataclasses.replace(Office(tmp_path).sources, transfers=transfers)
        page = SettingsPage(preferences, sources, now_ms=lambda: NOW)
        page.show()
        page.open_section("files")
        direct = page.findChild(Switch, "transfers.set.direct")
        assert direct is not None
        told = "不超过 2.0 GB" if limit else "管理员没有开放"
        await settle(lambda: told in texts(page))
        assert (direct.isEnabled(), direct.isChecked()) == (bool(limit), bool(limit))
        for name in ("receive.file", "receive.picture", *(["direct"] if limit else [])):
            switch = page.findChild(Switch, f"transfers.set.{name}")
            assert switch is not None
            QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
            await asyncio.sleep(0)
        for name, value in (("up", 512_000), ("up_to", 104_857_600)):
            choice = page.findChild(Choice, f"transfers.set.{name}")
            assert choice is not None
            choice.choose(str(value))
            choice.activated.emit(choice.currentIndex())
            await asyncio.sleep(0)
        await settle(lambda: transfers.kept.receive_up_to == 104_857_600)
        assert transfers.kept == TransferRules(512_000, 0, ("file",), 104_857_600, not limit)
        (group,) = page.findChildren(TransferGroup)
        try:
            group.use_folder(str(tmp_path))
            assert preferences.now.download_folder == str(tmp_path)
            assert downloads_dir() == tmp_path
            assert str(tmp_path) in texts(page)
        finally:
            choose_downloads_dir("")

    on_loop(qapp, scene)


def test_switch_and_choice_work_at_once(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        page, preferences, _ = make_page(tmp_path)
        page.open_section("notifications")
        switch = page.findChild(Switch, "settings.toasts")
        assert switch is not None
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
        assert preferences.now.toasts is False
        QTest.keyClick(switch, Qt.Key.Key_Return)
        assert preferences.now.toasts is True
        choice = page.findChild(Choice, "settings.dnd_until")
        assert choice is not None
        choice.setCurrentIndex(2)
        choice.activated.emit(2)
        assert preferences.now.dnd_until == DND_FOREVER
        page.close()

    on_loop(qapp, scene)


def test_change_from_elsewhere_shows(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        page, preferences, _ = make_page(tmp_path)
        assert page.findChild(Switch, "settings.flash") is None  # a section is built when it is first shown
        page.open_section("notifications")
        switch = page.findChild(Switch, "settings.flash")
        assert switch is not None
        assert switch.isChecked()
        preferences.set(flash=False)
        assert not switch.isChecked()
        page.close()

    on_loop(qapp, scene)


def test_search_finds_rows_across_sections_in_the_language_shown(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        page, _, _ = make_page(tmp_path)
        box = page.findChildren(SearchBox)[0]
        box.setText("闪动")
        shown = [group.key for group in page.findChildren(SettingGroup) if group.isVisible()]
        assert shown == ["settings.group.tray"]
        box.setText("没有这项")
        assert not any(group.isVisible() for group in page.findChildren(SettingGroup))
        box.clear()
        assert any(group.isVisible() for group in page.findChildren(SettingGroup))
        page.close()

    on_loop(qapp, scene)


def test_security_lists_devices_and_log_and_signs_a_device_out(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        page, _, office = make_page(tmp_path)
        page.open_section("security")
        await settle(lambda: "旧笔记本" in texts(page))
        assert "未成功（odd）" in texts(page)
        button = next(b for b in page.findChildren(Button) if b.accessibleName() == "退出设备 旧笔记本")
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        await settle(lambda: QApplication.activeModalWidget() is not None)
        dialog = QApplication.activeModalWidget()
        assert dialog is not None
        yes = [b for b in dialog.findChildren(Button) if b.property("kind") == "danger"]
        QTest.mouseClick(yes[0], Qt.MouseButton.LeftButton)
        await settle(lambda: [d.id for d in office.devices] == ["d1"])
        await settle(lambda: "旧笔记本" not in texts(page))
        page.close()

    on_loop(qapp, scene)


def test_offline_it_says_so_in_place(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        page, _, office = make_page(tmp_path)
        office.offline = True
        page.open_section("security")
        await settle(lambda: "现在没有连接" in texts(page))
        page.close()

    on_loop(qapp, scene)


def test_cache_is_shown_and_cleared(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        page, _, office = make_page(tmp_path)
        page.open_section("files")
        await settle(lambda: "4.8 MB" in texts(page))
        clear = next(b for b in page.findChildren(Button) if b.text() == "清除缓存")
        QTest.mouseClick(clear, Qt.MouseButton.LeftButton)
        await settle(lambda: "已释放 4.8 MB" in texts(page))
        assert office.cache == 0
        page.close()

    on_loop(qapp, scene)


def test_sign_out_is_asked_for(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        page, _, office = make_page(tmp_path)
        page.open_section("security")
        button = page.findChild(Button, "signOut")
        assert button is not None
        QTest.mouseClick(button, Qt.MouseButton.LeftButton)
        assert office.signed_out == [False]
        page.close()

    on_loop(qapp, scene)


def test_every_section_has_content_in_both_languages(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        page, _, _ = make_page(tmp_path)
        for language in ("zh", "en"):
            i18n.set_language(language)
            sections = page.findChild(QListWidget, "settingsSections")
            assert sections is not None
            assert [sections.item(n).text() for n in range(sections.count())] == [
                i18n.tr(f"settings.section.{s}") for s in SECTIONS
            ]
            for section in SECTIONS:
                page.open_section(section)
                assert texts(page)
        page.close()

    on_loop(qapp, scene)


# ---------------------------------------------------------------- one instance
SECOND_START = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from desktop.platform.single_instance import SingleInstance, instance_name, parse_links
app = QCoreApplication([])
sys.exit(0 if SingleInstance(Path(sys.argv[1])).hand_over(("tongban://conversation/c1",)) else 1)
"""


def test_users_of_one_machine_never_meet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names, folders = set(), set()
    for user in ("anna", "boris"):
        monkeypatch.setattr(getpass, "getuser", lambda user=user: user)
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / user))
        names.add(instance_name(tmp_path))  # even for one and the same folder
        folders.add(default_data_dir())
    assert len(names) == 2
    if sys.platform == "linux":
        assert folders == {tmp_path / user / "tongban" for user in ("anna", "boris")}


def test_second_start_hands_its_links_over(tmp_path: Path, qapp: QApplication) -> None:
    first = SingleInstance(tmp_path)
    assert not first.hand_over(("x",))
    assert first.claim()
    asked: list[list[str]] = []
    first.asked.connect(asked.append)

    with subprocess.Popen([sys.executable, "-c", SECOND_START, str(tmp_path)]) as second:
        on_loop(qapp, lambda: settle(lambda: second.poll() is not None, seconds=20), seconds=30)
    assert second.returncode == 0
    assert asked == [["tongban://conversation/c1"]]
    first.release()


@pytest.mark.parametrize("line", [b"x", b"[]", b'{"links": 1}', b'{"links": [1]}', b'{"links": null}', b"\xff"])
def test_nonsense_on_the_instance_socket_is_refused(line: bytes) -> None:
    assert parse_links(line) is None


def test_other_folder_is_another_client(tmp_path: Path, qapp: QApplication) -> None:
    first, other = SingleInstance(tmp_path / "a"), SingleInstance(tmp_path / "b")
    assert first.claim()
    assert not other.hand_over(())
    assert other.claim()
    first.release()
    other.release()


# ---------------------------------------------------------------- keys, times, rules, autostart
class Entry:
    """Autostart of a system that refuses when told to."""

    def __init__(self) -> None:
        self.on = self.refuses = False

    def is_on(self) -> bool:
        return self.on

    def set_on(self, on: bool) -> None:
        if self.refuses:
            raise AutostartFailed("read-only")
        self.on = on


def make_rich_page(tmp_path: Path, **more: Any) -> tuple[SettingsPage, Preferences]:
    preferences = Preferences(tmp_path / "preferences.json")
    sources = dataclasses.replace(Office(tmp_path).sources, **more)
    page = SettingsPage(preferences, sources, now_ms=lambda: NOW)
    page.resize(1000, 700)
    page.show()
    return page, preferences


def test_keys_are_recorded_and_refused_with_a_reason(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        outcomes = {"toggle": Outcome.TAKEN}
        page, preferences = make_rich_page(tmp_path, hotkey_outcomes=lambda: outcomes)
        page.open_section("shortcuts")
        assert "Ctrl+Alt+W 已被其他程序占用" in texts(page)
        recorder = page.findChild(KeyRecorder, "keys_toggle")
        assert recorder is not None
        outcomes["toggle"] = Outcome.LISTENING
        for keys, held, wanted in (
            (Qt.Key.Key_F9, Qt.KeyboardModifier.ControlModifier, "Ctrl+F9"),
            (Qt.Key.Key_Tab, Qt.KeyboardModifier.AltModifier, "Alt+Tab"),
            (Qt.Key.Key_Escape, Qt.KeyboardModifier.NoModifier, "Alt+Tab"),
            (Qt.Key.Key_Q, Qt.KeyboardModifier.ShiftModifier, "Alt+Tab"),  # a letter one types
            (Qt.Key.Key_Backspace, Qt.KeyboardModifier.NoModifier, ""),
        ):
            QTest.mouseClick(recorder, Qt.MouseButton.LeftButton)
            assert recorder.recording
            QTest.keyClick(recorder, Qt.Key.Key_Control, held)  # holding alone is no combination
            assert recorder.recording
            QTest.keyClick(recorder, keys, held)
            assert not recorder.recording
            assert preferences.now.hotkeys["toggle"] == wanted
        QTest.mouseClick(recorder, Qt.MouseButton.LeftButton)
        both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        QTest.keyClick(recorder, Qt.Key.Key_Z, both)
        assert preferences.now.hotkeys["toggle"] == ""
        assert "这组键已用于另一个操作" in texts(page)
        usual = page.findChild(Button, "hotkeysReset")
        assert usual is not None
        QTest.mouseClick(usual, Qt.MouseButton.LeftButton)
        assert preferences.now.hotkeys == HOTKEYS
        page.close()

    on_loop(qapp, scene)


@pytest.mark.parametrize(
    ("typed", "kept"), [("9", "09:00"), ("930", "09:30"), ("21.5", "12:00"), ("2105", "21:05"), ("25:00", "12:00")]
)
def test_quiet_hours_are_typed_in_any_form(tmp_path: Path, qapp: QApplication, typed: str, kept: str) -> None:
    async def scene() -> None:
        page, preferences = make_rich_page(tmp_path)
        page.open_section("notifications")
        field = page.findChild(TimeField, "settings.quiet_from")
        assert field is not None
        field.selectAll()
        QTest.keyClicks(field, typed)
        QTest.keyClick(field, Qt.Key.Key_Return)
        assert preferences.now.quiet_from == field.text() == kept
        page.close()

    on_loop(qapp, scene)


def test_times_step_around_midnight(qapp: QApplication) -> None:
    field = TimeField("settings.quiet_to")
    field.set_time("23:50")
    QTest.keyClick(field, Qt.Key.Key_Up)
    assert field.time == "00:00"
    QTest.keyClick(field, Qt.Key.Key_Down)
    assert field.time == "23:45"


def test_each_conversation_and_module_has_its_rule(tmp_path: Path, qapp: QApplication) -> None:
    async def conversations() -> list[Conversation]:
        return [
            Conversation("c1", ConversationKind.GROUP, "办公室工作群", updated_at=2),
            Conversation("c2", ConversationKind.SYSTEM, "alerts", updated_at=3),
        ]

    async def modules() -> list[ModuleDefinition]:
        label = LabelWords("公务用车", "Vehicles")
        return [ModuleDefinition(id="vehicles", group="personal", label=label, icon="car", order=1, types=())]

    async def scene() -> None:
        page, preferences = make_rich_page(tmp_path, conversations=conversations, modules=modules)
        page.open_section("notifications")
        await settle(lambda: page.findChild(Choice, "rule_module:vehicles") is not None)
        choice = page.findChild(Choice, "rule_conversation:c1")
        assert choice is not None
        assert choice.accessibleName() == "办公室工作群"
        assert page.findChild(Choice, "rule_conversation:c2") is None  # what the system says has modules' rules
        choice.setCurrentIndex(2)
        choice.activated.emit(2)
        assert preferences.now.rules == {"conversation:c1": "mentions"}
        choice.activated.emit(0)
        assert preferences.now.rules == {}  # as usual needs no rule
        page.close()

    on_loop(qapp, scene)


def test_autostart_shows_what_the_system_says(tmp_path: Path, qapp: QApplication) -> None:
    async def scene() -> None:
        entry = Entry()
        page, _ = make_rich_page(tmp_path, autostart=entry)
        switch = page.findChild(Switch, "settings.autostart")
        assert switch is not None
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
        assert (entry.on, switch.isChecked()) == (True, True)
        entry.refuses = True
        QTest.mouseClick(switch, Qt.MouseButton.LeftButton)
        assert (entry.on, switch.isChecked()) == (True, True)
        assert "read-only" in texts(page)
        page.close()

    on_loop(qapp, scene)


def test_settings_say_what_the_administrator_set(qapp: QApplication, tmp_path: Path) -> None:
    class Entry:
        on = False

        def is_on(self) -> bool:
            return self.on

        def set_on(self, on: bool) -> None:
            self.on = on

    entry = Entry()
    set_ = SetAutostart(entry, True)
    set_.apply()
    set_.set_on(False)
    assert entry.on, "carried out, and not to be switched off again"
    policy = Policy("https://oa.example.gov", "off", True, 90)
    sources = dataclasses.replace(Office(tmp_path).sources, autostart=set_, policy=policy)
    page = SettingsPage(Preferences(tmp_path / "p.json"), sources, now_ms=lambda: NOW)
    switch = page.findChild(Switch, "settings.autostart")
    assert switch is not None
    assert (switch.isChecked(), switch.isEnabled()) == (True, False)
    for section in ("general", "files", "network", "about"):
        page.open_section(section)
        told = " ".join(row.hint.text() for row in page.findChildren(SettingRow))
        assert ("由管理员设定" if i18n.language() == "zh" else "your administrator") in told, section
    assert "90" in " ".join(row.hint.text() for row in page.findChildren(SettingRow))
