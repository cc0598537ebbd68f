"""The number of a message in the search index: it grows with the time of sending, so that the index gives the newest hits first without sorting."""

import zlib
from typing import Final

from desktop.core.domain import Message

_TIME_SHIFT: Final = 20
_CUT: Final = 32 - _TIME_SHIFT
_MAX_TIME: Final = (1 << 42) - 1
"""Milliseconds up to the year 2109; later ones share the last numbers."""


def moment_of(message: Message) -> int:
    """Neighbors of one millisecond are told apart by their ids; two may have the same number, if rarely."""
    return first_moment(message.sent_at) | zlib.crc32(message.id.encode("utf-8", "surrogatepass")) >> _CUT


def first_moment(at_ms: int) -> int:
    """The least number of a time."""
    return (0 if at_ms < 0 else at_ms if at_ms < _MAX_TIME else _MAX_TIME) << _TIME_SHIFT
