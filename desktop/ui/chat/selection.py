"""A selection that runs over messages: two ends, each a message and a place in its text. Survives rows coming and going."""

from collections.abc import Iterator
from dataclasses import dataclass

from desktop.models.messages import MessageWindow


@dataclass(frozen=True, slots=True)
class End:
    """One end: a message and a place in it (text units; 0 or 1 for what is no text)."""

    message_id: str
    place: int


class Selection:
    """From where the mouse went down to where it is."""

    def __init__(self, window: MessageWindow) -> None:
        self._window = window
        self._anchor: End | None = None
        self._cursor: End | None = None

    def clear(self) -> None:
        """Nothing is selected."""
        self._anchor = self._cursor = None

    def start(self, end: End) -> None:
        """Begins here, empty."""
        self._anchor = self._cursor = end

    def extend(self, end: End) -> None:
        """Moves the free end."""
        self._anchor = self._anchor or end
        self._cursor = end

    @property
    def empty(self) -> bool:
        """Whether nothing would be copied."""
        return self._anchor is None or self._anchor == self._cursor

    def _ordered(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        if self._anchor is None or self._cursor is None:
            return None
        first = (self._window.row_of(self._anchor.message_id), self._anchor.place)
        second = (self._window.row_of(self._cursor.message_id), self._cursor.place)
        if first[0] < 0 or second[0] < 0:
            return None
        return (first, second) if first <= second else (second, first)

    def of(self, row: int, length: int) -> tuple[int, int] | None:
        """The selected stretch of a row that has `length` places."""
        ends = self._ordered()
        if ends is None or ends[0] == ends[1]:
            return None
        (first, start), (last, end) = ends
        if not first <= row <= last:
            return None
        return (start if row == first else 0, end if row == last else length)

    def rows(self) -> Iterator[int]:
        """Rows that hold a part of it, in order."""
        ends = self._ordered()
        if ends is not None:
            yield from range(ends[0][0], ends[1][0] + 1)
