"""What a backend of global hotkeys offers. Backends live on the UI thread and call `pressed` there."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from desktop.platform.hotkeys.chords import Chord


class Outcome(StrEnum):
    """What became of a wish to listen. TAKEN: another program has the keys. UNKNOWN_KEY: this keyboard has no such key."""

    LISTENING = "listening"
    TAKEN = "taken"
    UNKNOWN_KEY = "unknown_key"
    UNSUPPORTED = "unsupported"


class HotkeyBackend(Protocol):
    """One system's way."""

    def listen(self, name: str, chord: Chord) -> Outcome:
        """Listens for a chord under a name; what the name stood for before is let go first."""
        ...

    def let_go(self, name: str) -> None:
        """Listens no longer; nothing for an unknown name."""
        ...

    def close(self) -> None:
        """Lets go of all."""
        ...


class NoHotkeys:
    """Wayland and whatever has no way: every wish is answered with UNSUPPORTED."""

    def listen(self, name: str, chord: Chord) -> Outcome:
        """Never."""
        del name, chord
        return Outcome.UNSUPPORTED

    def let_go(self, name: str) -> None:
        """Nothing was held."""

    def close(self) -> None:
        """Nothing was held."""


Pressed = Callable[[str], None]
