"""How long to wait before the next try: doubling, jittered, capped. The randomness comes in as a number."""

from typing import Final

FIRST: Final = 0.5
LIMIT: Final = 60.0
_DOUBLINGS: Final = 8


def delay(attempt: int, roll: float) -> float:
    """Seconds before try `attempt` (0 = the first one again); `roll` in [0, 1) spreads a crowd over half of the span."""
    span = min(LIMIT, FIRST * 2 ** min(attempt, _DOUBLINGS))
    return float(span * (0.5 + 0.5 * roll))
