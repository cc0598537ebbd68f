"""Where the rows of a talk lie: lays out only what is in sight, anchored at a message, so that nothing that loads elsewhere moves it.

Anchor = (row whose lower part is at the viewport's foot, pixels of it below the edge). Heights of rows out of sight are never
needed (STACK trap 3). Knows no widget: width and height of the viewport come in, places of rows come out.
"""

from collections import OrderedDict

from PySide6.QtCore import QPointF

from desktop.models.messages import MessageWindow
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.row import Row
from desktop.ui.chat.rows import RowBuilder

KEPT_ROWS = 300
PAD = 10

Placed = tuple[int, float, Row]
"""A row in sight: its number, its y in the viewport, its layout."""


class RowFlow:
    """The rows in sight and the anchor they hang from."""

    def __init__(self, window: MessageWindow, context: TalkContext) -> None:
        self._window, self._context = window, context
        self._builder = RowBuilder(context)
        self._rows: OrderedDict[str, tuple[tuple[object, ...], Row]] = OrderedDict()
        self._width, self._height = 0, 0
        self.row, self.off = -1, 0.0
        self.placed: list[Placed] = []  # lowest first

    # ---- what is known
    @property
    def kept(self) -> int:
        """How many laid-out rows are kept."""
        return len(self._rows)

    @property
    def at_newest(self) -> bool:
        """Whether the newest message is in sight and nothing newer is missing."""
        return not self._window.has_newer and self.row >= len(self._window) - 1 and self.off <= 1

    @property
    def fits(self) -> bool:
        """Whether the whole conversation is in sight."""
        whole = not self._window.has_older and not self._window.has_newer and len(self.placed) == len(self._window)
        return whole and bool(self.placed) and self.placed[-1][1] >= 0

    @property
    def top_row(self) -> int:
        """The highest row in sight, 0 when none is."""
        return self.placed[-1][0] if self.placed else 0

    def y_of(self, number: int) -> float | None:
        """Where a row stands in the viewport; None out of sight."""
        return next((y for n, y, _ in self.placed if n == number), None)

    def hit(self, place: QPointF) -> tuple[int, Row, QPointF] | None:
        """The row at a point, with the point inside the row; beyond the last row, its end."""
        for number, y, row in self.placed:
            if place.y() >= y:
                return number, row, QPointF(place.x(), min(place.y() - y, row.height))
        return None

    # ---- laying out
    def layout(self, number: int) -> Row:
        """A row laid out for the viewport's width; kept for the next time."""
        message = self._window.at(number)
        previous = self._window.at(number - 1) if number else None
        line = bool(message.seq) and message.seq == self._context.unread_from
        key = (message, previous.id if previous else "", self._width, line)
        kept = self._rows.get(message.id)
        if kept is not None and kept[0] == key:
            self._rows.move_to_end(message.id)
            return kept[1]
        row = self._builder.build(message, previous, self._width, unread_line=line)
        self._rows[message.id] = (key, row)
        self._rows.move_to_end(message.id)
        while len(self._rows) > KEPT_ROWS:
            self._rows.popitem(last=False)
        return row

    def forget(self, message_id: str | None = None) -> None:
        """One message, or every one, looks different now."""
        if message_id is None:
            self._rows.clear()
        else:
            self._rows.pop(message_id, None)

    def resize(self, width: int, height: int) -> None:
        """The viewport's size, in logical pixels."""
        self._width, self._height = width, height

    def place(self) -> None:
        """Settles the anchor within the talk, then fills the viewport from it upwards."""
        count = len(self._window)
        if not count:
            self.placed, self.row = [], -1
            return
        self.row = min(max(self.row, 0), count - 1)
        self._settle()
        self._fill()
        top = self.placed[-1][1] if self.placed and self.placed[-1][0] == 0 else 0.0
        if top > PAD:  # the oldest message hangs in the middle: pull up, or stand at the top when all of it fits
            self.off -= top - PAD
            self._settle()
            self._fill()
            top = self.placed[-1][1] if self.placed[-1][0] == 0 else 0.0
            if top > PAD:
                self.placed = [(n, y - top + PAD, row) for n, y, row in self.placed]

    def _settle(self) -> None:
        last = len(self._window) - 1
        while self.off < 0 and self.row < last:
            self.row += 1
            self.off += self.layout(self.row).height
        if self.off < 0 and self.row == last:
            self.off = 0.0
        while self.row > 0 and self.off >= (height := self.layout(self.row).height):
            self.off -= height
            self.row -= 1

    def _fill(self) -> None:
        y = self._height + self.off - (PAD if self.row == len(self._window) - 1 else 0)
        placed: list[Placed] = []
        number = self.row
        while number >= 0 and y > 0:
            row = self.layout(number)
            y -= row.height
            placed.append((number, y, row))
            number -= 1
        self.placed = placed

    # ---- moving the anchor; `place` makes it show
    def hang_at(self, number: int, off: float = 0.0) -> None:
        """The row's lower edge at the foot, `off` pixels of it below."""
        self.row, self.off = number, off

    def hang_newest(self) -> None:
        """The newest held row at the foot."""
        self.hang_at(len(self._window) - 1)

    def inserted(self, first: int, count: int) -> None:
        """Rows came before or at the anchor: it stays at its message."""
        if first <= self.row or (first == 0 and self.row < 0):
            self.row += count

    def removed(self, first: int, last: int) -> None:
        """Rows went."""
        if last < self.row:
            self.row -= last - first + 1
        elif first <= self.row:
            self.hang_at(first - 1)
