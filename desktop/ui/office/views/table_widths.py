"""How wide a table's columns stand: as what is in them asks, room that is left to those with words, too little taken from them first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from desktop.core.domain.definition import FieldKind

FLEXIBLE: Final = frozenset(
    {
        FieldKind.TEXT,
        FieldKind.LONG_TEXT,
        FieldKind.RICH_TEXT,
        FieldKind.MULTI_CHOICE,
        FieldKind.PERSONS,
        FieldKind.DEPARTMENT,
        FieldKind.DEPARTMENTS,
        FieldKind.REFERENCE,
        FieldKind.REFERENCES,
        FieldKind.FILES,
    }
)
"""Kinds whose words may be any length."""
WIDEST: Final = 320
"""More than this (logical pixels) is a text to read in the pane, not in a row."""


class Wish(Struct, frozen=True):
    """A column's wish in pixels: `least` before it is shortened no more, `flexible` takes and gives room."""

    width: int
    least: int
    flexible: bool = False


def wish(measured: int, usual: int, narrowest: int, widest: int, *, flexible: bool) -> Wish:
    """What a column asks for: numbers, dates and chips must be whole, words may be shortened to what is usual for their kind."""
    if not flexible:
        width = max(measured, narrowest)
        return Wish(width, width)
    width = min(max(measured, usual * 2 // 3), widest)
    return Wish(width, min(width, usual), flexible=True)


def spread(wishes: Sequence[Wish], room: int) -> list[int]:
    """The widths in a row of `room` pixels. Their sum is the room wherever a flexible column is there to take or give."""
    widths = [one.width for one in wishes]
    left = room - sum(widths)
    shares = [
        (one.width if left > 0 else one.width - one.least) if one.flexible else 0 for one in wishes
    ]  # room goes by width; what lacks is taken where there is something to spare
    whole = sum(shares)
    if not whole:
        return widths
    change = left if left > 0 else max(left, -whole)
    given = 0
    seen = 0
    for number, share in enumerate(shares):
        seen += share
        part = change * seen // whole - given  # whole pixels, none lost to rounding
        given += part
        widths[number] += part
    return widths
