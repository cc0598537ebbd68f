"""The desktop around the client: is the user there, may a pop-up stand in front, which global keys were pressed, did the machine sleep.

Everything is asked only after the first screen stands, and seldom; what a system does not tell counts as "nothing special".
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.platform.fullscreen import FullScreen, make_full_screen
from desktop.platform.hotkeys.choosing import make_hotkeys
from desktop.platform.hotkeys.chords import BadKeys, parse_keys
from desktop.platform.hotkeys.port import HotkeyBackend, Outcome, Pressed
from desktop.platform.idle import Idle, make_idle
from desktop.platform.preferences import Preferences
from desktop.platform.session_watch import SessionWatch
from desktop.platform.system_quiet import SystemQuiet, make_system_quiet

log = logging.getLogger("tongban.desk")

LOOK_MS: Final = 15_000
LOOK_SOON_MS: Final = 2_000  # while away or held: the end must be noticed soon
MINUTE_MS: Final = 60_000
TREMBLE_MS: Final = 250


@dataclass(frozen=True, slots=True)
class Senses:
    """How this system is asked; tests bring their own."""

    idle: Callable[[], Idle] = make_idle
    full_screen: Callable[[], FullScreen] = make_full_screen
    quiet: Callable[[], SystemQuiet] = make_system_quiet
    hotkeys: Callable[[Pressed, QObject], HotkeyBackend] = field(default=make_hotkeys)


class Surroundings(QObject):
    """One for the program; `start` may be called again."""

    absent_changed = Signal(bool)
    hold_ended = Signal()
    sleeping = Signal()
    woke = Signal()
    pressed = Signal(str)  # the action of a global hotkey
    hotkeys_changed = Signal()

    def __init__(
        self,
        preferences: Preferences,
        parent: QObject | None = None,
        *,
        now_ms: Callable[[], int],
        senses: Senses | None = None,
    ) -> None:
        super().__init__(parent)
        self._preferences, self._senses, self._now_ms = preferences, senses or Senses(), now_ms
        self._last_press = 0
        self.absent = False
        self.outcomes: dict[str, Outcome] = {}
        self._holding = self._system_quiet = self._started = False
        self._idle: Idle = lambda: None
        self._full_screen: FullScreen = lambda: False
        self._ask_quiet: SystemQuiet = lambda: False
        self._hotkeys: HotkeyBackend | None = None
        self._listening: dict[str, str] = {}
        self.watch = SessionWatch(self, now_ms=now_ms)
        self.watch.locked.connect(self._on_locked)
        self.watch.sleeping.connect(self.sleeping)
        self.watch.woke.connect(self.woke)
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.look)
        preferences.changed.connect(self._on_preference)

    # ------------------------------------------------------------ life
    def start(self) -> None:
        """Begins to look and to listen."""
        if self._started:
            return
        self._started = True
        self._idle, self._full_screen = self._senses.idle(), self._senses.full_screen()
        self._ask_quiet = self._senses.quiet()
        self._hotkeys = self._senses.hotkeys(self._on_pressed, self)
        self.watch.start()
        self._timer.start()
        self._listen()
        self.look()

    def stop(self) -> None:
        """Lets go of the keys and looks no more."""
        self._timer.stop()
        self.watch.stop()
        if self._hotkeys is not None:
            self._hotkeys.close()
            self._hotkeys = None
        self._started = False

    # ------------------------------------------------------------ is the user there, may we disturb
    @property
    def held(self) -> bool:
        """Whether pop-ups that are not urgent wait just now. Asked when one comes; `hold_ended` follows in time."""
        if self._must_hold():
            self._holding = True
            self._timer.setInterval(LOOK_SOON_MS)
        return self._holding

    def _must_hold(self) -> bool:
        choices = self._preferences.now
        if self.watch.is_locked or (choices.follow_quiet and self._system_quiet):
            return True
        return choices.hold_fullscreen and self._full_screen()

    def look(self) -> None:
        """Asks the system."""
        choices = self._preferences.now
        self._system_quiet = choices.follow_quiet and self._ask_quiet()
        idle = self._idle() if choices.away_minutes else None
        self._set_absent(self.watch.is_locked or (idle is not None and idle >= choices.away_minutes * MINUTE_MS))
        if self._holding and not self._must_hold():
            self._holding = False
            self.hold_ended.emit()
        self._timer.setInterval(LOOK_SOON_MS if self.absent or self._holding else LOOK_MS)

    def _set_absent(self, absent: bool) -> None:
        if absent is not self.absent:
            self.absent = absent
            self.absent_changed.emit(absent)

    def _on_locked(self, _locked: bool) -> None:
        self.look()

    # ------------------------------------------------------------ keys
    def _on_pressed(self, action: str) -> None:
        """A trembling hand counts once: a window hidden and shown within some hundredths of a second loses the keyboard on X11."""
        now = self._now_ms()
        if not 0 <= now - self._last_press < TREMBLE_MS:
            self._last_press = now
            self.pressed.emit(action)

    def _on_preference(self, name: str) -> None:
        if not self._started:
            return
        if name == "hotkeys":
            self._listen()
        elif name in ("away_minutes", "hold_fullscreen", "follow_quiet"):
            self.look()

    def _listen(self) -> None:
        wanted: Mapping[str, str] = self._preferences.now.hotkeys
        for action in {*self._listening, *wanted}:
            keys = wanted.get(action, "")
            if self._listening.get(action) != keys or self.outcomes.get(action) is Outcome.TAKEN:
                self._listening[action] = keys
                self._listen_for(action, keys)
        self.hotkeys_changed.emit()

    def _listen_for(self, action: str, keys: str) -> None:
        assert self._hotkeys is not None
        self.outcomes.pop(action, None)
        if not keys:
            self._hotkeys.let_go(action)
            return
        try:
            self.outcomes[action] = self._hotkeys.listen(action, parse_keys(keys))
        except BadKeys:
            self._hotkeys.let_go(action)
            self.outcomes[action] = Outcome.UNKNOWN_KEY
        if self.outcomes[action] is not Outcome.LISTENING:
            log.info("hotkey of %s: %s", action, self.outcomes[action].value)
