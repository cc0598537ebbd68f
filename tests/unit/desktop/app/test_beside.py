"""Further accounts: their folders, what they begin with, which come back, and what the tray offers."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from desktop.app.beside import MOST, BesideAccounts, is_beside
from desktop.platform.folder_lock import FolderLock
from desktop.platform.preferences import Preferences, load_choices
from desktop.ui.tray.icon import MARK, tray_icon
from desktop.ui.tray.tray import Tray


class Started:
    """Takes commands in place of the system."""

    def __init__(self, *, works: bool = True) -> None:
        self.commands: list[list[str]] = []
        self._works = works

    def __call__(self, command: Sequence[str]) -> bool:
        self.commands.append(list(command))
        return self._works


@pytest.fixture
def preferences(qapp: QApplication, tmp_path: Path) -> Preferences:
    made = Preferences(tmp_path / "preferences.json")
    made.set(theme="dark", text_percent=150, last_server="https://a.example", rules={"conversation:c": "none"})
    return made


def test_a_new_one_gets_a_folder_our_looks_and_no_keys_of_ours(tmp_path: Path, preferences: Preferences) -> None:
    started = Started()
    beside = BesideAccounts(tmp_path, preferences, ["--ca", "a.pem"], start=started)
    assert (beside.known(), beside.may_add) == ([], True)
    assert beside.open("")
    folder = tmp_path / "beside" / "2"
    (command,) = started.commands
    assert command[command.index("--data-dir") + 1] == str(folder)
    assert command[-2:] == ["--ca", "a.pem"]
    assert "--hidden" not in command
    choices = load_choices(folder / "preferences.json")
    assert choices is not None
    assert (choices.theme, choices.text_percent, choices.rules, choices.last_server) == ("dark", 150, {}, "")
    assert set(choices.hotkeys.values()) == {""}
    assert beside.open(""), "nobody signed in there yet: the same one comes forward"
    assert [one.id for one in beside.known()] == ["2"]
    assert (is_beside(folder), is_beside(tmp_path)) == (True, False)
    within = BesideAccounts(folder, preferences, start=started)
    assert (within.known(), within.may_add, within.open("")) == ([], False, False)


def test_those_left_open_come_back_in_the_tray_unless_they_run(tmp_path: Path, preferences: Preferences) -> None:
    for name, label, left_open in (("2", "王建国", True), ("3", "张敏", False), ("4", "刘洋", True)):
        folder = tmp_path / "beside" / name
        folder.mkdir(parents=True)
        (folder / "preferences.json").write_text(json.dumps({"account_label": label, "beside_open": left_open}))
    (tmp_path / "beside" / "5").mkdir()
    (tmp_path / "beside" / "5" / "preferences.json").write_text("damaged")
    running = FolderLock(tmp_path / "beside" / "4")
    assert running.acquire()
    started = Started()
    beside = BesideAccounts(tmp_path, preferences, start=started)
    try:
        assert beside.open_again() == 1
    finally:
        running.release()
    assert started.commands[0][-1] == "--hidden"
    assert str(tmp_path / "beside" / "2") in started.commands[0]
    assert [one.label for one in beside.known()] == ["王建国", "张敏", "刘洋", ""]
    assert len(beside.known()) == MOST
    assert beside.may_add, "one of them has no account"
    assert not beside.open("9")
    assert not BesideAccounts(tmp_path, preferences, start=Started(works=False)).open("2")


def test_the_tray_offers_them_and_tells_icons_apart(qapp: QApplication) -> None:
    tray = Tray(is_available=lambda: False)
    asked: list[str] = []
    tray.beside_asked.connect(asked.append)
    (menu,) = [action.menu() for action in tray.menu.actions() if action.menu() and action.menu() is tray._beside_menu]
    assert not tray._beside_menu.menuAction().isVisible()
    tray.set_account("张敏")
    known: list[tuple[str, str]] = []
    tray.set_beside(lambda: (known, True))
    known.append(("2", "王建国 · wang@a.example"))
    tray.menu.aboutToShow.emit()
    assert [action.text() for action in menu.actions() if not action.isSeparator()] == [  # type: ignore[attr-defined]  # a menu
        "王建国 · wang@a.example", "也登录另一个账号…",
    ]  # fmt: skip
    for action in tray._beside_menu.actions():
        action.trigger()
    assert asked == ["2", ""]
    plain = tray.picture.pixmap(32, 32).toImage()
    tray.set_mark("王")
    assert tray.picture.pixmap(32, 32).toImage() != plain
    assert tray_icon(tray.presence, 0, mark=MARK).pixmap(32, 32).toImage() == plain
    tray.stop()
