"""Global hotkeys on Windows: RegisterHotKey for the UI thread; WM_HOTKEY comes through Qt's native event filter."""

import ctypes
from ctypes import wintypes
from typing import Any, Final

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication

from desktop.platform.hotkeys.chords import Chord, Modifier
from desktop.platform.hotkeys.port import Outcome, Pressed

WM_HOTKEY: Final = 0x0312
MOD_ALT, MOD_CONTROL, MOD_SHIFT, MOD_WIN, MOD_NOREPEAT = 1, 2, 4, 8, 0x4000
# WinUser.h virtual key codes where they are not the character's own
VIRTUAL_KEYS: Final = {
    "Space": 0x20, "Tab": 0x09, "Return": 0x0D, "Esc": 0x1B, "Backspace": 0x08, "Ins": 0x2D, "Del": 0x2E, "Home": 0x24,
    "End": 0x23, "PgUp": 0x21, "PgDown": 0x22, "Left": 0x25, "Up": 0x26, "Right": 0x27, "Down": 0x28, "Print": 0x2C,
    "Pause": 0x13, ";": 0xBA, "=": 0xBB, ",": 0xBC, "-": 0xBD, ".": 0xBE, "/": 0xBF, "`": 0xC0, "[": 0xDB, "\\": 0xDC,
    "]": 0xDD, "'": 0xDE,
}  # fmt: skip
F1: Final = 0x70


def virtual_key(key: str) -> int:
    """The virtual key code of a chord's key."""
    if key in VIRTUAL_KEYS:
        return VIRTUAL_KEYS[key]
    return F1 + int(key[1:]) - 1 if len(key) > 1 else ord(key)


def modifier_bits(modifiers: Modifier) -> int:
    """What RegisterHotKey takes as fsModifiers."""
    bits = (
        (Modifier.ALT, MOD_ALT),
        (Modifier.CTRL, MOD_CONTROL),
        (Modifier.SHIFT, MOD_SHIFT),
        (Modifier.META, MOD_WIN),
    )
    return MOD_NOREPEAT | sum(bit for modifier, bit in bits if modifier in modifiers)


class WindowsHotkeys(QAbstractNativeEventFilter):
    """Registered with the thread that makes it, which must be the UI thread."""

    def __init__(self, pressed: Pressed, *, user32: Any = None) -> None:
        super().__init__()
        self._pressed = pressed
        self._user32 = user32 or ctypes.windll.user32  # type: ignore[attr-defined,unused-ignore]  # Windows alone has it
        self._numbers: dict[str, int] = {}
        self._last = 0
        app = QCoreApplication.instance()
        if app is not None:
            app.installNativeEventFilter(self)

    def listen(self, name: str, chord: Chord) -> Outcome:
        """See HotkeyBackend."""
        self.let_go(name)
        self._last += 1
        if not self._user32.RegisterHotKey(None, self._last, modifier_bits(chord.modifiers), virtual_key(chord.key)):
            return Outcome.TAKEN
        self._numbers[name] = self._last
        return Outcome.LISTENING

    def let_go(self, name: str) -> None:
        """See HotkeyBackend."""
        number = self._numbers.pop(name, None)
        if number is not None:
            self._user32.UnregisterHotKey(None, number)

    def close(self) -> None:
        """See HotkeyBackend."""
        for name in tuple(self._numbers):
            self.let_go(name)
        app = QCoreApplication.instance()
        if app is not None:
            app.removeNativeEventFilter(self)

    def nativeEventFilter(self, _kind: QByteArray | bytes | bytearray | memoryview, message: int) -> object:
        """Qt hands every message of the thread."""
        told = wintypes.MSG.from_address(int(message))
        if told.message == WM_HOTKEY:
            for name, number in tuple(self._numbers.items()):
                if number == told.wParam:
                    self._pressed(name)
                    return True, 0
        return False, 0
