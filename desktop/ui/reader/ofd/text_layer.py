"""The text of a page with where each character stands: for search, selection and copying. Points (1/72 inch) from the page's corner."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QPointF, QRectF

from desktop.ui.reader.ofd.drawing import PlacedRun
from desktop.ui.reader.page_source import PageSelection

_EDGE: Final = 0.25
POINTS: Final = 72 / 25.4
"""Points in a millimeter."""
_NEW_LINE: Final = 0.6
_GAP: Final = 0.4
"""Parts of a character's height: a step down that begins a line, a step aside that is a blank."""


class TextLayer:
    """The characters of one page in the order of the file.

    Attributes:
        text: all of them, lines parted by \\r\\n.
    """

    def __init__(self, page: int, runs: Iterable[PlacedRun]) -> None:
        self._page = page
        characters: list[str] = []
        self._boxes: list[QRectF | None] = []
        before: QRectF | None = None
        for placed in runs:
            inside: QRectF | None = None  # the character before it, in the run's own space
            for character, box in placed.run.boxes():
                if not character:
                    continue
                shown = placed.place.mapRect(box)
                shown = QRectF(shown.topLeft() * POINTS, shown.size() * POINTS)
                filler = _between_runs(before, shown) if inside is None else _within_run(inside, box)
                characters.extend((*filler, character))
                self._boxes.extend((*[None] * len(filler), shown))
                before, inside = shown, box
        self.text = "".join(characters)
        self.lines = self._join(range(len(self.text)))

    def rectangles(self, start: int, end: int) -> tuple[QRectF, ...]:
        """Where characters start..end stand, one rectangle for each line."""
        return tuple(self._join(range(max(0, start), min(end, len(self.text)))))

    def _join(self, indexes: Iterable[int]) -> list[QRectF]:
        joined: list[QRectF] = []
        new = True
        for index in indexes:
            box = self._boxes[index]
            if box is None:
                new = new or self.text[index] in "\r\n"
            elif new or not joined:
                joined.append(QRectF(box))
                new = False
            else:
                joined[-1] = joined[-1].united(box)
        return joined

    def index_at(self, point: QPointF) -> int:
        """The character under a point, -1 where there is none."""
        held = ((i, box.adjusted(-_EDGE, 0, _EDGE, 0)) for i, box in enumerate(self._boxes) if box is not None)
        return next((i for i, box in held if box.contains(point)), -1)

    def edge_at(self, point: QPointF) -> int:
        """The gap between characters nearest to a point, as an index into the text; -1 on a page without text."""
        best: tuple[float, float, int] | None = None
        for index, box in enumerate(self._boxes):
            if box is None:
                continue
            y = max(box.top() - point.y(), point.y() - box.bottom(), 0.0)
            for edge, x in ((index, box.left()), (index + 1, box.right())):
                away = (y, abs(point.x() - x), edge)
                if best is None or away < best:
                    best = away
        return best[2] if best else -1

    def select(self, start: int, end: int) -> PageSelection | None:
        """The characters start..end as a selection, None when there are none."""
        first, last = sorted((max(0, start), min(end, len(self.text))))
        if first >= last:
            return None
        return PageSelection(self._page, self.text[first:last], self.rectangles(first, last), first, last)


def _between_runs(before: QRectF | None, now: QRectF) -> str:
    """What parts a run from the one before it on the page: a new line, a blank where it stands apart, or nothing."""
    if before is None:
        return ""
    height = max(before.height(), now.height(), 0.1)
    if abs(now.center().y() - before.center().y()) > _NEW_LINE * height or now.left() < before.left() - height:
        return "\r\n"
    return " " if now.left() - before.right() > _GAP * height else ""


def _within_run(before: QRectF, now: QRectF) -> str:
    """A new line where a run goes back and down; columns of upright text and turned text are one line."""
    down = abs(now.center().y() - before.center().y()) > _NEW_LINE * now.height()
    return "\r\n" if down and now.left() < before.left() - _GAP * now.height() else ""
