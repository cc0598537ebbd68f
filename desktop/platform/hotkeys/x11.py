"""Global hotkeys on X11: XGrabKey on the root window, over a connection of our own, watched by Qt's event loop.

A grab counts for one exact set of modifiers, so each chord is grabbed with Caps Lock and Num Lock on and off. A refused grab
(BadAccess: another client has it) arrives as an X error; Xlib's handler is ours for the length of one round trip only.
"""

import ctypes
import ctypes.util
import logging
from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QObject, QSocketNotifier, QTimer

from desktop.platform.hotkeys.chords import Chord, Modifier
from desktop.platform.hotkeys.port import Outcome, Pressed

log = logging.getLogger("tongban.hotkeys")

KEY_PRESS: Final = 2
MAPPING_NOTIFY: Final = 34
BAD_ACCESS: Final = 10
GRAB_ASYNC: Final = 1
# X.h: ShiftMask, LockMask, ControlMask, Mod1Mask, Mod2Mask, Mod4Mask
SHIFT, LOCK, CONTROL, ALT, NUM_LOCK, SUPER = 1, 2, 4, 8, 16, 64
LOCKS: Final = (0, LOCK, NUM_LOCK, LOCK | NUM_LOCK)
HELD: Final = SHIFT | CONTROL | ALT | SUPER
# keysymdef.h names where they differ from the character
KEYSYMS: Final = {
    "Space": "space", "Tab": "Tab", "Return": "Return", "Esc": "Escape", "Backspace": "BackSpace", "Ins": "Insert",
    "Del": "Delete", "Home": "Home", "End": "End", "PgUp": "Prior", "PgDown": "Next", "Left": "Left", "Right": "Right",
    "Up": "Up", "Down": "Down", "Print": "Print", "Pause": "Pause", "`": "grave", "-": "minus", "=": "equal",
    "[": "bracketleft", "]": "bracketright", "\\": "backslash", ";": "semicolon", "'": "apostrophe", ",": "comma",
    ".": "period", "/": "slash",
}  # fmt: skip


class _KeyEvent(ctypes.Structure):
    """XKeyEvent of Xlib.h."""

    _fields_ = (
        ("type", ctypes.c_int), ("serial", ctypes.c_ulong), ("send_event", ctypes.c_int), ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong), ("root", ctypes.c_ulong), ("subwindow", ctypes.c_ulong), ("time", ctypes.c_ulong),
        ("x", ctypes.c_int), ("y", ctypes.c_int), ("x_root", ctypes.c_int), ("y_root", ctypes.c_int),
        ("state", ctypes.c_uint), ("keycode", ctypes.c_uint), ("same_screen", ctypes.c_int),
    )  # fmt: skip


class _Event(ctypes.Union):
    """XEvent: padded to 24 longs."""

    _fields_ = (("type", ctypes.c_int), ("key", _KeyEvent), ("pad", ctypes.c_long * 24))


class _ErrorEvent(ctypes.Structure):
    """XErrorEvent of Xlib.h."""

    _fields_ = (
        ("type", ctypes.c_int), ("display", ctypes.c_void_p), ("resource", ctypes.c_ulong), ("serial", ctypes.c_ulong),
        ("error_code", ctypes.c_ubyte), ("request_code", ctypes.c_ubyte), ("minor_code", ctypes.c_ubyte),
    )  # fmt: skip


_HANDLER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.POINTER(_ErrorEvent))


def load_x11() -> ctypes.CDLL:
    """libX11 with the signatures that differ from int.

    Raises:
        OSError: there is none.
    """
    x11 = ctypes.CDLL(ctypes.util.find_library("X11") or "libX11.so.6")
    x11.XOpenDisplay.restype = x11.XSetErrorHandler.restype = ctypes.c_void_p
    x11.XSetErrorHandler.argtypes = [ctypes.c_void_p]
    x11.XDefaultRootWindow.restype = x11.XStringToKeysym.restype = ctypes.c_ulong
    x11.XStringToKeysym.argtypes = [ctypes.c_char_p]
    x11.XKeysymToKeycode.restype = ctypes.c_ubyte
    x11.XKeysymToKeycode.argtypes = [ctypes.c_void_p, ctypes.c_ulong]
    for name in ("XConnectionNumber", "XDefaultRootWindow", "XPending", "XCloseDisplay", "XFlush"):
        getattr(x11, name).argtypes = [ctypes.c_void_p]
    x11.XSync.argtypes = [ctypes.c_void_p, ctypes.c_int]
    x11.XNextEvent.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    x11.XGrabKey.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint, ctypes.c_ulong, *[ctypes.c_int] * 3]
    x11.XUngrabKey.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint, ctypes.c_ulong]
    return x11


def mask_of(modifiers: Modifier) -> int:
    """The state bits of X that stand for the modifiers."""
    bits = ((Modifier.SHIFT, SHIFT), (Modifier.CTRL, CONTROL), (Modifier.ALT, ALT), (Modifier.META, SUPER))
    return sum(bit for modifier, bit in bits if modifier in modifiers)


class X11Hotkeys(QObject):
    """Grabs on the display that DISPLAY names."""

    def __init__(self, pressed: Pressed, parent: QObject | None = None, *, x11: Any = None) -> None:
        """Raises OSError when there is no libX11 or no display."""
        super().__init__(parent)
        self._pressed = pressed
        self._x11 = x11 or load_x11()
        self._display: int | None = self._x11.XOpenDisplay(None)
        if not self._display:
            raise OSError("no X display")
        self._root: int = self._x11.XDefaultRootWindow(self._display)
        self._chords: dict[str, Chord] = {}
        self._grabs: dict[str, tuple[int, int]] = {}  # name: keycode, state
        self._refused = 0
        self._late = QTimer(self, interval=0, singleShot=True)
        self._late.timeout.connect(self.take_events)
        self._note = QSocketNotifier(self._x11.XConnectionNumber(self._display), QSocketNotifier.Type.Read, self)
        self._note.activated.connect(self.take_events)

    def listen(self, name: str, chord: Chord) -> Outcome:
        """See HotkeyBackend."""
        self.let_go(name)
        keycode = self._keycode(chord)
        if not keycode:
            return Outcome.UNKNOWN_KEY
        state = mask_of(chord.modifiers)
        refused = self._guarded(lambda: self._grab(keycode, state))
        if refused:
            self._guarded(lambda: self._ungrab(keycode, state))
            return Outcome.TAKEN
        self._chords[name], self._grabs[name] = chord, (keycode, state)
        return Outcome.LISTENING

    def let_go(self, name: str) -> None:
        """See HotkeyBackend."""
        self._chords.pop(name, None)
        held = self._grabs.pop(name, None)
        if held is not None:
            self._guarded(lambda: self._ungrab(*held))

    def close(self) -> None:
        """See HotkeyBackend."""
        for name in tuple(self._grabs):
            self.let_go(name)
        if self._display:
            self._note.setEnabled(False)
            self._x11.XCloseDisplay(self._display)
            self._display = None

    def _keycode(self, chord: Chord) -> int:
        """Where the key sits on this keyboard; 0: nowhere."""
        keysym = self._x11.XStringToKeysym(KEYSYMS.get(chord.key, chord.key).encode())
        return int(self._x11.XKeysymToKeycode(self._display, keysym)) if keysym else 0

    def _grab(self, keycode: int, state: int) -> None:
        for locks in LOCKS:
            self._x11.XGrabKey(self._display, keycode, state | locks, self._root, 1, GRAB_ASYNC, GRAB_ASYNC)

    def _ungrab(self, keycode: int, state: int) -> None:
        for locks in LOCKS:
            self._x11.XUngrabKey(self._display, keycode, state | locks, self._root)

    def _guarded(self, work: Callable[[], None]) -> int:
        """Runs requests and waits for their answers; how many were refused. Errors of others go where they went before."""
        self._refused = 0
        handler = _HANDLER(self._on_error)
        before = self._x11.XSetErrorHandler(ctypes.cast(handler, ctypes.c_void_p))
        try:
            work()
            self._x11.XSync(self._display, 0)
        finally:
            self._x11.XSetErrorHandler(before)
        self._late.start()  # what came over meanwhile wakes no notifier any more
        return self._refused

    def _on_error(self, _display: int, error: Any) -> int:
        self._refused += error.contents.error_code == BAD_ACCESS
        return 0

    def take_events(self) -> None:
        """Handles what the X server sent."""
        while self._display and self._x11.XPending(self._display):
            event = _Event()
            self._x11.XNextEvent(self._display, ctypes.byref(event))
            if event.type == KEY_PRESS:
                self._on_key(event.key.keycode, event.key.state)
            elif event.type == MAPPING_NOTIFY:
                self._x11.XRefreshKeyboardMapping(ctypes.byref(event))
                self._grab_anew()

    def _on_key(self, keycode: int, state: int) -> None:
        for name, held in tuple(self._grabs.items()):
            if held == (keycode, state & HELD):
                self._pressed(name)

    def _grab_anew(self) -> None:
        """Another keyboard layout: the keys may sit elsewhere."""
        for name, chord in tuple(self._chords.items()):
            if self._grabs[name][0] == self._keycode(chord):
                continue
            outcome = self.listen(name, chord)
            if outcome is not Outcome.LISTENING:
                log.warning("after a change of keyboard %s is %s", name, outcome.value)
