"""How large a document is shown: fit to width, fit to page, or a factor; and the steps of the plus and minus buttons. No Qt."""

from __future__ import annotations

from enum import StrEnum

SMALLEST, LARGEST = 0.25, 5.0
STEPS = (0.25, 0.33, 0.5, 0.67, 0.75, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0)


class Fit(StrEnum):
    """What the size follows."""

    WIDTH = "width"
    PAGE = "page"
    FREE = "free"


def clamp(factor: float) -> float:
    """The factor inside what we show."""
    return min(max(factor, SMALLEST), LARGEST)


def step(factor: float, direction: int) -> float:
    """The next step up (1) or down (-1) from any factor."""
    if direction > 0:
        return next((s for s in STEPS if s > factor * 1.01), LARGEST)
    return next((s for s in reversed(STEPS) if s < factor * 0.99), SMALLEST)
