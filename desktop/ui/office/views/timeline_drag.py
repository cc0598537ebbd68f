"""A gesture on the timeline under way: what it makes, moves or sizes, where it would land, and why it may not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from PySide6.QtCore import QPointF

from desktop.models.timeline_layout import SNAP_MS, Block, snapped

EDGE: Final = 6
"""Pixels at a block's ends that size it."""


class Mode(StrEnum):
    """What a gesture does."""

    CREATE = "create"
    MOVE = "move"
    START = "start"
    END = "end"


@dataclass
class Drag:
    """`grab` is the moment under the press; `clash` the blocks in the way; `refusal` the words why it would not be taken."""

    mode: Mode
    press: QPointF
    grab: float
    row: int
    start: int
    end: int
    block: Block | None = None
    began: bool = False
    resource: str = ""
    clash: tuple[Block, ...] = ()
    refusal: str = ""

    @property
    def moved(self) -> bool:
        """Whether it would change anything."""
        block = self.block
        return block is None or (self.start, self.end, self.resource) != (block.start, block.end, block.resource)

    def follow(self, at: float, row: int, unit: int = SNAP_MS) -> None:
        """The pointer is over a moment and a row (-1: none). What is made or sized keeps its row and lasts a unit at least."""
        block = self.block
        if self.mode is Mode.CREATE:
            far = snapped(at, unit)
            self.start = min(round(self.grab), far)
            self.end = max(round(self.grab), far, self.start + unit)
        elif block is None:
            return
        elif self.mode is Mode.START:
            self.start = min(snapped(at, unit), block.end - unit)
        elif self.mode is Mode.END:
            self.end = max(snapped(at, unit), block.start + unit)
        else:
            self.start = snapped(block.start + at - self.grab, unit) if abs(at - self.grab) >= unit / 2 else block.start
            self.end = self.start + block.end - block.start
            self.row = row if row >= 0 else self.row
