"""Global hotkeys on macOS: Carbon's RegisterEventHotKey, the one way that asks the user for no permission. Not seen running: see docs/platforms.md."""

import ctypes
from typing import Any, Final

from desktop.platform.hotkeys.chords import Chord, Modifier
from desktop.platform.hotkeys.port import Outcome, Pressed

CARBON: Final = "/System/Library/Frameworks/Carbon.framework/Carbon"
CMD_KEY, SHIFT_KEY, OPTION_KEY, CONTROL_KEY = 0x0100, 0x0200, 0x0800, 0x1000
ALREADY_TAKEN: Final = -9878  # eventHotKeyExistsErr
NOT_HANDLED: Final = -9874  # eventNotHandledErr
SIGNATURE: Final = int.from_bytes(b"tgbn", "big")
# Events.h: codes of keys by their place on an American keyboard
KEY_CODES: Final = {
    "A": 0, "S": 1, "D": 2, "F": 3, "H": 4, "G": 5, "Z": 6, "X": 7, "C": 8, "V": 9, "B": 11, "Q": 12, "W": 13, "E": 14,
    "R": 15, "Y": 16, "T": 17, "1": 18, "2": 19, "3": 20, "4": 21, "6": 22, "5": 23, "=": 24, "9": 25, "7": 26, "-": 27,
    "8": 28, "0": 29, "]": 30, "O": 31, "U": 32, "[": 33, "I": 34, "P": 35, "Return": 36, "L": 37, "J": 38, "'": 39,
    "K": 40, ";": 41, "\\": 42, ",": 43, "/": 44, "N": 45, "M": 46, ".": 47, "Tab": 48, "Space": 49, "`": 50,
    "Backspace": 51, "Esc": 53, "F5": 96, "F6": 97, "F7": 98, "F3": 99, "F8": 100, "F9": 101, "F11": 103, "F13": 105,
    "F16": 106, "F14": 107, "F10": 109, "F12": 111, "F15": 113, "Home": 115, "PgUp": 116, "Del": 117, "F4": 118,
    "End": 119, "F2": 120, "PgDown": 121, "F1": 122, "Left": 123, "Right": 124, "Down": 125, "Up": 126,
}  # fmt: skip


class _EventType(ctypes.Structure):
    _fields_ = (("event_class", ctypes.c_uint32), ("kind", ctypes.c_uint32))


class _HotKeyId(ctypes.Structure):
    _fields_ = (("signature", ctypes.c_uint32), ("number", ctypes.c_uint32))


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
KEYBOARD_CLASS: Final = int.from_bytes(b"keyb", "big")
HOT_KEY_PRESSED: Final = 5
PARAM_DIRECT_OBJECT: Final = int.from_bytes(b"----", "big")
TYPE_HOT_KEY_ID: Final = int.from_bytes(b"hkid", "big")


def carbon_bits(modifiers: Modifier) -> int:
    """Carbon's modifier bits; Qt's Ctrl is the Command key there, its Meta the Control key."""
    bits = (
        (Modifier.CTRL, CMD_KEY),
        (Modifier.SHIFT, SHIFT_KEY),
        (Modifier.ALT, OPTION_KEY),
        (Modifier.META, CONTROL_KEY),
    )
    return sum(bit for modifier, bit in bits if modifier in modifiers)


class MacHotkeys:
    """Handlers of the application's event target, which Qt's run loop serves."""

    def __init__(self, pressed: Pressed, *, carbon: Any = None) -> None:
        self._pressed = pressed
        self._carbon = carbon or ctypes.CDLL(CARBON)
        self._target = self._carbon.GetApplicationEventTarget
        self._target.restype = ctypes.c_void_p
        self._held: dict[str, tuple[int, Any]] = {}
        self._last = 0
        self._callback = _CALLBACK(self._on_event)  # kept: the system calls it as long as we live
        wanted = _EventType(KEYBOARD_CLASS, HOT_KEY_PRESSED)
        target = ctypes.c_void_p(self._target())
        self._carbon.InstallEventHandler(target, self._callback, 1, ctypes.byref(wanted), None, None)

    def listen(self, name: str, chord: Chord) -> Outcome:
        """See HotkeyBackend."""
        self.let_go(name)
        code = KEY_CODES.get(chord.key)
        if code is None:
            return Outcome.UNKNOWN_KEY
        self._last += 1
        reference = ctypes.c_void_p()
        status = self._carbon.RegisterEventHotKey(
            code, carbon_bits(chord.modifiers), _HotKeyId(SIGNATURE, self._last), ctypes.c_void_p(self._target()), 0,
            ctypes.byref(reference),
        )  # fmt: skip
        if status:
            return Outcome.TAKEN if status == ALREADY_TAKEN else Outcome.UNSUPPORTED
        self._held[name] = self._last, reference
        return Outcome.LISTENING

    def let_go(self, name: str) -> None:
        """See HotkeyBackend."""
        held = self._held.pop(name, None)
        if held is not None:
            self._carbon.UnregisterEventHotKey(held[1])

    def close(self) -> None:
        """See HotkeyBackend."""
        for name in tuple(self._held):
            self.let_go(name)

    def _on_event(self, _call: int, event: int, _user: int) -> int:
        key = _HotKeyId()
        size = ctypes.c_ulong(ctypes.sizeof(key))
        self._carbon.GetEventParameter(
            ctypes.c_void_p(event), PARAM_DIRECT_OBJECT, TYPE_HOT_KEY_ID, None, size, None, ctypes.byref(key)
        )
        return 0 if self.on_number(key.number) else NOT_HANDLED

    def on_number(self, number: int) -> bool:
        """The system says that a registered chord was pressed."""
        for name, (held, _reference) in tuple(self._held.items()):
            if held == number:
                self._pressed(name)
                return True
        return False
