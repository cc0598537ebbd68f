"""Fills the {slots} of a text: from lists, numbers, words of time and names. The same slot of one text gets the same value."""

import math
import random
import re
from collections.abc import Mapping, Sequence
from typing import Final

from server_stub.app.demo.moments import DAY_MS

_SLOT: Final = re.compile(r"\{([^{}]+)\}")
_NUMBER: Final = re.compile(r"(n|f|ff):(-?\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)\Z")
_DECIMALS: Final = {"n": 0, "f": 1, "ff": 2}


class UnknownSlot(ValueError):
    """A text asks for a slot nobody fills."""


class SlotFiller:
    """Fills one scene: draws are remembered, so that all of its lines agree."""

    def __init__(
        self,
        rng: random.Random,
        lists: Mapping[str, Sequence[str]],
        known: Mapping[str, str],
        levels: Mapping[str, str] | None = None,
    ) -> None:
        self._rng = rng
        self._lists = lists
        self._values = dict(known)
        self._levels = levels or {}

    def fill(self, text: str) -> str:
        """The text without slots. Raises UnknownSlot."""
        return _SLOT.sub(lambda match: self._value(match[1]), text)

    def _value(self, slot: str) -> str:
        if slot not in self._values:
            self._values[slot] = self._draw(slot)
        return self._values[slot]

    def _draw(self, slot: str) -> str:
        number = _NUMBER.match(slot)
        if number:
            decimals = _DECIMALS[number[1]]
            low, high = float(number[2]), float(number[3])
            return (
                f"{self._rng.uniform(low, high):.{decimals}f}"
                if decimals
                else str(self._rng.randint(int(low), int(high)))
            )
        name, _, rest = slot.partition(":")
        if name == "level" and rest in self._levels:
            return self._levels[rest]
        if name not in self._lists:
            raise UnknownSlot(slot)
        taken = {value for key, value in self._values.items() if key.partition(":")[0] == name}
        free = [one for one in self._lists[name] if one not in taken] or list(self._lists[name])
        return self._rng.choice(free)


def slots_in(text: str) -> set[str]:
    """The slots a text names."""
    return set(_SLOT.findall(text))


def slow_level(name: str, base: float, at: int) -> float:
    """A water level that moves as levels do: a slow wave, a small daily change, no jumps."""
    day = at / DAY_MS
    phase = sum(map(ord, name)) % 97
    return base + 0.7 * math.sin(day / 19 + phase) + 0.12 * math.sin(day * 1.7 + phase)


def rain_of(rng: random.Random, month: int) -> float:
    """Millimetres in a day: mostly none, more in the wet months."""
    wet = 0.55 if 5 <= month <= 9 else 0.25
    return round(rng.expovariate(1 / 14.0), 1) if rng.random() < wet else 0.0


def weather_of(rain: float) -> str:
    """The words for a day with this much rain."""
    for least, words in ((50.0, "大雨局部暴雨"), (25.0, "大雨"), (10.0, "中雨"), (0.1, "阴转小雨")):
        if rain >= least:
            return words
    return "多云"
