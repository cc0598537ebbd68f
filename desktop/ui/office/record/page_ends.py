"""Where tables of a printed sheet end on each page: Qt draws their sides down to the page's edge, we cut them below the last whole row and close it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from PySide6.QtGui import QTextDocument, QTextTable


@dataclass(frozen=True, slots=True)
class TableRows:
    """One table: how far its words reach to the left and right, and for each row where they begin and end, in the document's units."""

    left: float
    right: float
    rows: list[tuple[float, float]]

    @property
    def inset(self) -> float:
        """Between the words of a row and its line below: half of what lies between two rows of a page."""
        gaps = [below[0] - above[1] for above, below in pairwise(self.rows)]
        return min((gap for gap in gaps if gap > 0), default=0.0) / 2

    def end_on(self, top: float, bottom: float) -> float | None:
        """The lower edge of the last row on a page, when the table goes on behind it; else None."""
        if not self.rows or self.rows[-1][1] <= bottom:
            return None
        here = [end for start, end in self.rows if start >= top and end <= bottom]
        return max(here) + self.inset if here else None


def tables_of(document: QTextDocument) -> list[TableRows]:
    """The tables of a document that is laid out."""
    return list(_tables(document))


def _tables(document: QTextDocument) -> Iterator[TableRows]:
    layout = document.documentLayout()
    for frame in document.rootFrame().childFrames():
        if not isinstance(frame, QTextTable):
            continue
        rows, lefts, rights = [], [], []
        for row in range(frame.rows()):
            starts, ends = [], []
            for column in range(frame.columns()):
                cell = frame.cellAt(row, column)
                if cell.row() == row and cell.rowSpan() == 1:
                    first = layout.blockBoundingRect(cell.firstCursorPosition().block())
                    starts.append(first.top())
                    ends.append(layout.blockBoundingRect(cell.lastCursorPosition().block()).bottom())
                    lefts.append(first.left())
                    rights.append(first.right())
            rows.append((min(starts, default=0.0), max(ends, default=0.0)))
        yield TableRows(min(lefts, default=0.0), max(rights, default=0.0), rows)
