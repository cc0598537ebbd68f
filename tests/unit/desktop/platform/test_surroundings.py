"""Away and back, sleeping and waking, full screen, starting with the session: each system played at its border."""

import configparser
import ctypes
import plistlib
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtTest import QSignalSpy
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app.key_news import KeyNews
from desktop.app.surroundings import TREMBLE_MS, Senses, Surroundings
from desktop.platform import autostart as starting
from desktop.platform.autostart import AutostartFailed, MacAutostart, XdgAutostart, quoted_exec
from desktop.platform.fullscreen import BUSY, PRESENTATION, QUIET_TIME, WindowsFullScreen
from desktop.platform.hotkeys.chords import Chord
from desktop.platform.hotkeys.port import Outcome, Pressed
from desktop.platform.idle import MacIdle, WindowsIdle
from desktop.platform.preferences import Preferences
from desktop.platform.session_watch import (
    BEAT_MS,
    PBT_APMRESUMEAUTOMATIC,
    PBT_APMSUSPEND,
    SLEPT_OVER_MS,
    WM_POWERBROADCAST,
    WM_WTSSESSION_CHANGE,
    WTS_SESSION_LOCK,
    WTS_SESSION_UNLOCK,
    SessionWatch,
    WindowMessages,
)
from desktop.platform.sounds import NAMES, QUIET_MS, Sounds, sound_file
from desktop.ui.kit import Banner


# ---------------------------------------------------------------- autostart
def test_xdg_entry_starts_the_very_command(tmp_path: Path) -> None:
    command = ["/opt/通 办/tongban", "--data-dir", '/home/a/50% "mine" $x', "--hidden"]
    entry = XdgAutostart(command, tmp_path / "autostart")
    assert not entry.is_on()
    entry.set_on(True)
    entry.set_on(True)
    assert entry.is_on()
    parser = configparser.RawConfigParser(strict=False)
    parser.read(entry.path, encoding="utf-8")
    written = (
        parser["Desktop Entry"]["exec"].replace("\\\\", "\\").replace("%%", "%").replace("\\$", "$")
    )  # shlex keeps that one
    assert shlex.split(written) == command
    entry.path.write_text(entry.path.read_text("utf-8") + "Hidden=true\n", "utf-8")
    assert not entry.is_on()  # the desktop's own settings switched it off
    entry.set_on(False)
    entry.set_on(False)
    assert not entry.path.exists()


def test_plain_words_stay_plain() -> None:
    assert quoted_exec(["/usr/bin/python3", "-m", "desktop", "--hidden"]) == "/usr/bin/python3 -m desktop --hidden"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AutostartFailed):
        XdgAutostart(["x"], tmp_path / "file" / "autostart").set_on(True)


def test_the_data_folder_is_named_where_it_is_not_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["/usr/bin/tongban"])
    assert starting.start_command(tmp_path) == ["/usr/bin/tongban", "--data-dir", str(tmp_path), "--hidden"]
    monkeypatch.setattr(starting, "default_data_dir", lambda: tmp_path)
    assert starting.start_command(tmp_path) == ["/usr/bin/tongban", "--hidden"]


def test_mac_launch_agent(tmp_path: Path) -> None:
    entry = MacAutostart(["/Applications/Tongban.app/Contents/MacOS/tongban", "--hidden"], tmp_path / "LaunchAgents")
    entry.set_on(True)
    agent = plistlib.loads(entry.path.read_bytes())
    assert agent["RunAtLoad"] is True
    assert agent["ProgramArguments"][-1] == "--hidden"
    entry.set_on(False)
    assert not entry.is_on()


# ---------------------------------------------------------------- idle, full screen
def test_windows_idle_survives_the_turn_of_its_counter() -> None:
    def last_input(info: Any) -> bool:
        info._obj.time = (1 << 32) - 1000
        return True

    idle = WindowsIdle(SimpleNamespace(GetLastInputInfo=last_input), SimpleNamespace(GetTickCount=lambda: 500))
    assert idle() == 1500
    assert (
        WindowsIdle(SimpleNamespace(GetLastInputInfo=lambda _info: 0), SimpleNamespace(GetTickCount=lambda: 5))()
        is None
    )


def test_mac_idle_is_in_milliseconds() -> None:
    def seconds(_state: int, _kind: int) -> float:
        return 61.5

    assert MacIdle(SimpleNamespace(CGEventSourceSecondsSinceLastEventType=seconds))() == 61_500


@pytest.mark.parametrize(("state", "holds"), [(BUSY, True), (PRESENTATION, True), (5, False), (QUIET_TIME, False)])
def test_windows_says_what_may_disturb(state: int, holds: bool) -> None:
    def query(found: Any) -> int:
        ctypes.cast(found, ctypes.POINTER(ctypes.c_int))[0] = state
        return 0

    assert WindowsFullScreen(SimpleNamespace(SHQueryUserNotificationState=query))() is holds


# ---------------------------------------------------------------- lock, sleep
class Wall:
    """A wall clock to be moved."""

    def __init__(self) -> None:
        self.ms = 1_790_000_000_000

    def __call__(self) -> int:
        return self.ms


def test_a_gap_in_the_clock_is_a_waking_and_counts_once(qapp: QApplication) -> None:
    wall = Wall()
    watch = SessionWatch(now_ms=wall)
    woke = QSignalSpy(watch.woke)
    wall.ms += BEAT_MS
    watch.beat()
    assert woke.count() == 0
    wall.ms += BEAT_MS + SLEPT_OVER_MS + 1
    watch.beat()
    watch.on_sleep(False)  # the system says it too, a moment later
    assert woke.count() == 1


def test_windows_messages(qapp: QApplication) -> None:
    watch = SessionWatch(now_ms=Wall())
    asked: list[int] = []
    messages = WindowMessages(
        watch, wtsapi=SimpleNamespace(WTSRegisterSessionNotification=lambda w, _f: asked.append(w))
    )
    messages.ask_for(77)
    locked, sleeping, woke = QSignalSpy(watch.locked), QSignalSpy(watch.sleeping), QSignalSpy(watch.woke)
    for message, word in (
        (WM_WTSSESSION_CHANGE, WTS_SESSION_LOCK),
        (WM_WTSSESSION_CHANGE, WTS_SESSION_UNLOCK),
        (WM_POWERBROADCAST, PBT_APMSUSPEND),
        (WM_POWERBROADCAST, PBT_APMRESUMEAUTOMATIC),
        (0x0010, 0),
    ):
        messages.take(message, word)
    messages.close()
    assert asked == [77]
    assert [locked.at(0)[0], locked.at(1)[0], sleeping.count(), woke.count()] == [True, False, 1, 1]


# ---------------------------------------------------------------- all together
class Keys:
    """A backend where Ctrl+Alt+Z belongs to somebody else."""

    def __init__(self) -> None:
        self.held: dict[str, Chord] = {}
        self.press: Pressed = lambda _name: None

    def make(self, pressed: Pressed, _parent: QObject) -> "Keys":
        self.press = pressed
        return self

    def listen(self, name: str, chord: Chord) -> Outcome:
        self.let_go(name)
        if chord.key == "Z":
            return Outcome.TAKEN
        self.held[name] = chord
        return Outcome.LISTENING

    def let_go(self, name: str) -> None:
        self.held.pop(name, None)

    def close(self) -> None:
        self.held.clear()


class Around:
    """Surroundings with senses to be set."""

    def __init__(self, folder: Path) -> None:
        self.idle_ms: int | None = 0
        self.full = self.quiet = False
        self.keys, self.wall = Keys(), Wall()
        self.preferences = Preferences(folder / "preferences.json")

        def never() -> Callable[[], bool]:
            return lambda: self.quiet

        senses = Senses(lambda: lambda: self.idle_ms, lambda: lambda: self.full, never, self.keys.make)
        self.it = Surroundings(self.preferences, now_ms=self.wall, senses=senses)
        self.it.watch.start = lambda: None  # type: ignore[method-assign]  # no bus in here
        self.it.start()


@pytest.fixture
def around(qapp: QApplication, tmp_path: Path) -> Around:
    return Around(tmp_path)


def test_away_after_the_minutes_chosen_and_back_at_a_touch(around: Around) -> None:
    changes = QSignalSpy(around.it.absent_changed)
    around.idle_ms = 10 * 60_000 - 1
    around.it.look()
    assert changes.count() == 0
    around.idle_ms += 1
    around.it.look()
    around.idle_ms = 5
    around.it.look()
    assert [changes.at(0)[0], changes.at(1)[0]] == [True, False]
    around.preferences.set(away_minutes=0)
    around.idle_ms = 10**9
    around.it.look()
    assert not around.it.absent
    around.it.watch.on_locked(True)
    assert around.it.absent


def test_full_screen_and_the_systems_quiet_hold_until_they_end(around: Around) -> None:
    ended = QSignalSpy(around.it.hold_ended)
    assert not around.it.held
    around.full = True
    assert around.it.held
    around.it.look()
    assert ended.count() == 0
    around.full = False
    around.it.look()
    assert (ended.count(), around.it.held) == (1, False)
    around.quiet = True
    around.it.look()
    assert around.it.held
    around.preferences.set(follow_quiet=False)
    assert not around.it.held
    around.full = True
    around.preferences.set(hold_fullscreen=False)
    assert not around.it.held


def test_keys_follow_the_settings_and_a_conflict_is_known(around: Around) -> None:
    pressed = QSignalSpy(around.it.pressed)
    assert around.it.outcomes == {
        "toggle": Outcome.LISTENING, "newest": Outcome.TAKEN, "screenshot": Outcome.LISTENING
    }  # fmt: skip
    around.preferences.set(hotkeys={"toggle": "", "newest": "Ctrl+Alt+N", "screenshot": "Nonsense"})
    assert set(around.keys.held) == {"newest"}
    assert around.it.outcomes == {"newest": Outcome.LISTENING, "screenshot": Outcome.UNKNOWN_KEY}
    around.keys.press("newest")
    around.keys.press("newest")  # a trembling hand
    around.wall.ms += TREMBLE_MS
    around.keys.press("newest")
    assert pressed.count() == 2
    around.it.stop()
    assert around.keys.held == {}


def test_keys_of_another_program_are_told_once_with_the_way_to_others(around: Around) -> None:
    asked: list[bool] = []
    host = QWidget()
    banner = Banner(parent=host)
    news = KeyNews(banner, around.it, around.preferences, lambda: asked.append(True), host)
    around.it.hotkeys_changed.emit()
    assert news.taken == {"newest": "Ctrl+Alt+Z"}
    assert around.preferences.now.told_hotkeys == "", "in the tray nobody sees it: it is told again"
    host.show()
    around.it.hotkeys_changed.emit()
    assert banner.isVisible()
    assert "打开最新未读" in banner.text.text()
    assert "Z" in banner.text.text()
    banner.action.click()
    assert (asked, banner.isVisible()) == ([True], False)
    around.it.hotkeys_changed.emit()
    assert not banner.isVisible(), "once"
    around.preferences.set(hotkeys={"toggle": "Ctrl+Z", "newest": "Ctrl+Alt+N"})
    assert banner.isVisible(), "other keys, other news"
    around.preferences.set(hotkeys={"toggle": "Ctrl+Alt+W", "newest": "Ctrl+Alt+N"})
    assert not banner.isVisible()
    host.close()
    host.deleteLater()


# ---------------------------------------------------------------- sounds
def test_a_burst_sounds_once(tmp_path: Path) -> None:
    wall = Wall()
    played: list[list[str]] = []
    sounds = Sounds(
        now_ms=wall, player=("play", "-q"), run=lambda program, words: played.append([program, *words]) or True
    )
    assert sounds.play("message")
    assert not sounds.play("alert")
    wall.ms += QUIET_MS
    assert sounds.play("urgent")
    assert played == [["play", "-q", str(sound_file("message"))], ["play", "-q", str(sound_file("urgent"))]]
    assert all(sound_file(name).stat().st_size > 1000 for name in NAMES)
