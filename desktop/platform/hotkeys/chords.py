"""A combination of keys, out of Qt's portable text ("Ctrl+Alt+Z"), and what the systems call its parts."""

from dataclasses import dataclass
from enum import Flag, auto
from typing import Final

MOST_FUNCTION_KEY: Final = 24
NAMED: Final = frozenset(
    {"Space", "Tab", "Return", "Esc", "Backspace", "Ins", "Del", "Home", "End", "PgUp", "PgDown"}
    | {"Left", "Right", "Up", "Down", "Print", "Pause"}
)
PUNCTUATION: Final = frozenset("`-=[]\\;',./")


class Modifier(Flag):
    """META is the Windows key, the Command key on macOS is CTRL as in Qt."""

    NONE = 0
    CTRL = auto()
    ALT = auto()
    SHIFT = auto()
    META = auto()


_MODIFIERS: Final = {"ctrl": Modifier.CTRL, "alt": Modifier.ALT, "shift": Modifier.SHIFT, "meta": Modifier.META}


class BadKeys(ValueError):
    """A text that names no combination a system could listen for."""


@dataclass(frozen=True, slots=True)
class Chord:
    """`key`: a capital letter, a digit, a sign of PUNCTUATION, F1 to F24 or a name of NAMED."""

    modifiers: Modifier
    key: str

    @property
    def is_safe(self) -> bool:
        """Whether nobody types it by accident: a function key, Print, or something held that is more than Shift."""
        return bool(self.modifiers & ~Modifier.SHIFT) or self.key in ("Print", "Pause") or _is_function(self.key)


def parse_keys(text: str) -> Chord:
    """The chord of a portable text.

    Raises:
        BadKeys: empty, several combinations in a row, or a key no system's table here knows.
    """
    *held, key = text.split("+") if not text.endswith("++") else [*text[:-2].split("+"), "+"]
    modifiers = Modifier.NONE
    for word in held:
        if word.lower() not in _MODIFIERS:
            raise BadKeys(text)
        modifiers |= _MODIFIERS[word.lower()]
    if len(key) == 1 and key.isascii() and (key.isalnum() or key in PUNCTUATION):
        return Chord(modifiers, key.upper())
    if key in NAMED or _is_function(key):
        return Chord(modifiers, key)
    raise BadKeys(text)


def _is_function(key: str) -> bool:
    return key[:1] == "F" and key[1:].isdigit() and 1 <= int(key[1:]) <= MOST_FUNCTION_KEY
