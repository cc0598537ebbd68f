"""Global keys: what a combination means to each system, who has it already, and what was pressed. Systems are played at their ctypes border."""

import ctypes
from ctypes import wintypes
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from desktop.platform.hotkeys.chords import BadKeys, Chord, Modifier, parse_keys
from desktop.platform.hotkeys.macos import ALREADY_TAKEN, CMD_KEY, OPTION_KEY, MacHotkeys
from desktop.platform.hotkeys.port import NoHotkeys, Outcome
from desktop.platform.hotkeys.windows import MOD_ALT, MOD_CONTROL, MOD_NOREPEAT, WM_HOTKEY, WindowsHotkeys, virtual_key
from desktop.platform.hotkeys.x11 import ALT, CONTROL, LOCKS, SHIFT, SUPER, mask_of

CTRL_ALT_Z = Chord(Modifier.CTRL | Modifier.ALT, "Z")


@pytest.mark.parametrize(
    ("text", "chord"),
    [
        ("Ctrl+Alt+Z", CTRL_ALT_Z),
        ("ctrl+alt+z", CTRL_ALT_Z),
        ("F11", Chord(Modifier.NONE, "F11")),
        ("Meta+Shift+Space", Chord(Modifier.META | Modifier.SHIFT, "Space")),
        ("Ctrl+-", Chord(Modifier.CTRL, "-")),
        ("Print", Chord(Modifier.NONE, "Print")),
    ],
)
def test_portable_text_becomes_a_chord(text: str, chord: Chord) -> None:
    assert parse_keys(text) == chord


@pytest.mark.parametrize("text", ["", "Ctrl", "Hyper+Z", "Ctrl+K, Ctrl+C", "Ctrl+é", "F0", "F25", "Ctrl++"])
def test_what_no_system_knows_is_refused(text: str) -> None:
    with pytest.raises(BadKeys):
        parse_keys(text)


@pytest.mark.parametrize(
    ("text", "safe"),
    [("Ctrl+Z", True), ("F5", True), ("Print", True), ("Shift+A", False), ("A", False), ("Alt+1", True)],
)
def test_keys_typed_every_day_are_not_safe(text: str, safe: bool) -> None:
    assert parse_keys(text).is_safe is safe


def test_x11_masks() -> None:
    assert mask_of(Modifier.CTRL | Modifier.ALT) == CONTROL | ALT
    assert mask_of(Modifier.META | Modifier.SHIFT) == SUPER | SHIFT
    assert len(set(LOCKS)) == 4  # with and without Caps Lock and Num Lock


def test_a_desktop_without_a_way_says_so() -> None:
    assert NoHotkeys().listen("toggle", CTRL_ALT_Z) is Outcome.UNSUPPORTED


# ---------------------------------------------------------------- Windows
class User32:
    """RegisterHotKey with one combination held by another program."""

    def __init__(self, taken: int = 0) -> None:
        self.taken = taken
        self.held: dict[int, tuple[int, int]] = {}

    def RegisterHotKey(self, window: None, number: int, modifiers: int, key: int) -> bool:  # noqa: N802 - Windows' name
        if key == self.taken:
            return False
        self.held[number] = (modifiers, key)
        return True

    def UnregisterHotKey(self, window: None, number: int) -> None:  # noqa: N802 - Windows' name
        del self.held[number]


def test_windows_registers_and_hears(qapp: QApplication) -> None:
    pressed: list[str] = []
    user32 = User32(taken=virtual_key("F9"))
    keys = WindowsHotkeys(pressed.append, user32=user32)
    assert keys.listen("newest", CTRL_ALT_Z) is Outcome.LISTENING
    assert keys.listen("toggle", Chord(Modifier.NONE, "F9")) is Outcome.TAKEN
    (number,) = user32.held
    assert user32.held[number] == (MOD_CONTROL | MOD_ALT | MOD_NOREPEAT, ord("Z"))
    told = wintypes.MSG(message=WM_HOTKEY, wParam=number)
    assert keys.nativeEventFilter(b"windows_generic_MSG", ctypes.addressof(told)) == (True, 0)
    strange = wintypes.MSG(message=WM_HOTKEY, wParam=number + 7)
    assert keys.nativeEventFilter(b"windows_generic_MSG", ctypes.addressof(strange)) == (False, 0)
    assert pressed == ["newest"]
    keys.listen("newest", Chord(Modifier.CTRL, "F1"))
    assert list(user32.held.values()) == [(MOD_CONTROL | MOD_NOREPEAT, 0x70)]
    keys.close()
    assert user32.held == {}


# ---------------------------------------------------------------- macOS
class Carbon:
    """The few functions of Carbon, with ⌘⌥X held by another program."""

    def __init__(self) -> None:
        self.held: dict[int, tuple[int, int]] = {}
        self.GetApplicationEventTarget = _Function(lambda: 1)

    def InstallEventHandler(self, *_: object) -> int:  # noqa: N802 - Carbon's name
        return 0

    def RegisterEventHotKey(  # noqa: N802 - Carbon's name
        self, code: int, bits: int, key: Any, target: object, options: int, reference: Any
    ) -> int:
        if code == 7:
            return ALREADY_TAKEN
        self.held[key.number] = (code, bits)
        reference._obj.value = key.number
        return 0

    def UnregisterEventHotKey(self, reference: Any) -> int:  # noqa: N802 - Carbon's name
        del self.held[reference.value]
        return 0


class _Function(SimpleNamespace):
    """A function of a library, whose restype can be set."""

    def __init__(self, run: Any) -> None:
        super().__init__(run=run)

    def __call__(self, *arguments: object) -> Any:
        return self.run(*arguments)


def test_macos_registers_and_hears() -> None:
    pressed: list[str] = []
    carbon = Carbon()
    keys = MacHotkeys(pressed.append, carbon=carbon)
    assert keys.listen("newest", CTRL_ALT_Z) is Outcome.LISTENING
    assert keys.listen("toggle", Chord(Modifier.CTRL | Modifier.ALT, "X")) is Outcome.TAKEN
    assert keys.listen("screenshot", Chord(Modifier.NONE, "Print")) is Outcome.UNKNOWN_KEY
    assert carbon.held == {1: (6, CMD_KEY | OPTION_KEY)}
    assert keys.on_number(1)
    assert not keys.on_number(5)
    assert pressed == ["newest"]
    keys.close()
    assert carbon.held == {}
