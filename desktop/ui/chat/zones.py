"""A place in a row that reacts: what a click asks for, and what the mouse is told while it rests there."""

from dataclasses import dataclass

from PySide6.QtCore import QRectF


@dataclass(slots=True)
class Zone:
    """What to do, with what. `name` is what a screen reader says, `tip` what the mouse is told."""

    rect: QRectF
    action: str
    data: str = ""
    name: str = ""
    tip: str = ""
