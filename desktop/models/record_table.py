"""Records as rows of a table of which only the pages near the screen are in memory. Groups are rows of their own above their records.

Rows keep their identity over a reload: selections follow the record, not the place. No texts, no widgets; words come by a callback.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.core.domain.records import Record
from desktop.models.record_summary import Run

AnyIndex = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
PAGE: Final = 200
KEPT_PAGES: Final = 60
"""Pages that stay in memory while the user scrolls: 12,000 records."""


class RecordRole(IntEnum):
    """What a row tells, in any column."""

    RECORD = int(Qt.ItemDataRole.UserRole) + 1
    RUN = int(Qt.ItemDataRole.UserRole) + 2


class RecordTableModel(QAbstractTableModel):
    """Rows of records, `columns` are field names. `words` gives a cell's text, `label` a column's, `run_words` a group's."""

    def __init__(
        self,
        words: Callable[[Record, str], str],
        label: Callable[[str], str],
        run_words: Callable[[Run], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._words, self._label, self._run_words = words, label, run_words
        self.tips: Callable[[Record], str | None] = lambda _record: None
        self.columns: tuple[str, ...] = ()
        self.total = 0
        self.runs: tuple[Run, ...] = ()
        self.closed: frozenset[str] = frozenset()
        self._pages: OrderedDict[int, tuple[Record, ...]] = OrderedDict()
        self._places: dict[str, int] = {}
        self._heads: list[int] = []
        self._shown = 0

    # ---- content
    def set_columns(self, columns: Sequence[str]) -> None:
        """Other columns."""
        if tuple(columns) != self.columns:
            self.beginResetModel()  # columns come, go and move at once; the view keeps widths by name
            self.columns = tuple(columns)
            self.endResetModel()

    def show(self, total: int, pages: Mapping[int, Sequence[Record]], runs: Sequence[Run] = ()) -> None:
        """Shows another result: so many records, of which these pages are here."""
        self._rearrange(total, {n: tuple(records) for n, records in pages.items()}, tuple(runs), self.closed)

    def put(self, number: int, records: Sequence[Record]) -> None:
        """A page that was missing has come."""
        self._pages[number] = tuple(records)
        self._pages.move_to_end(number)
        for offset, record in enumerate(records):
            self._places[record.id] = number * PAGE + offset
        while len(self._pages) > KEPT_PAGES:
            _, dropped = self._pages.popitem(last=False)
            for record in dropped:
                self._places.pop(record.id, None)
        first, last = self.row_of(number * PAGE), self.row_of(number * PAGE + max(0, len(records) - 1))
        if records and first >= 0 and last < self._shown:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(self.columns) - 1))

    def set_closed(self, keys: Iterable[str]) -> None:
        """Which groups show their head alone."""
        self._rearrange(self.total, dict(self._pages), self.runs, frozenset(keys))

    def _rearrange(
        self, total: int, pages: dict[int, tuple[Record, ...]], runs: tuple[Run, ...], closed: frozenset[str]
    ) -> None:
        wanted = _rows_of(total, runs, closed)
        if wanted > self._shown:
            self.beginInsertRows(NO_INDEX, self._shown, wanted - 1)
            self._shown = wanted
            self.endInsertRows()
        self.layoutAboutToBeChanged.emit()
        kept = [(index, self._identity(index.row())) for index in self.persistentIndexList()]
        self.total, self.runs, self.closed = total, runs, closed
        self._pages = OrderedDict(pages)
        self._heads = _heads_of(runs, closed)
        self._places = {r.id: n * PAGE + i for n, records in pages.items() for i, r in enumerate(records)}
        self.changePersistentIndexList(
            [index for index, _ in kept], [self._find(name, index.column()) for index, name in kept]
        )
        self.layoutChanged.emit()
        if wanted < self._shown:
            self.beginRemoveRows(NO_INDEX, wanted, self._shown - 1)
            self._shown = wanted
            self.endRemoveRows()

    def _identity(self, row: int) -> tuple[str, str]:
        record, run = self.record_at(row), self.run_at(row)
        return ("record", record.id) if record else ("run", run.key) if run else ("", "")

    def _find(self, name: tuple[str, str], column: int) -> QModelIndex:
        kind, key = name
        if kind == "record":
            row = self.position(key)
        else:
            found = (head for head, run in zip(self._heads, self.runs, strict=True) if kind == "run" and run.key == key)
            row = next(found, -1)
        return self.index(row, column) if row >= 0 else QModelIndex()

    # ---- rows and records
    def place_of(self, row: int) -> int:
        """The place among all records of the record in this row; -1 in a group's head and outside."""
        if not 0 <= row < self._shown:
            return -1
        if not self.runs:
            return row if row < self.total else -1
        which = bisect_right(self._heads, row) - 1
        offset = row - self._heads[which] - 1
        return self.runs[which].start + offset if 0 <= offset < self.runs[which].count else -1

    def row_of(self, place: int) -> int:
        """The row of the record at this place; -1 where its group is closed."""
        if not 0 <= place < self.total:
            return -1
        if not self.runs:
            return place
        which = bisect_right([run.start for run in self.runs], place) - 1
        run = self.runs[which]
        if run.key in self.closed or place >= run.start + run.count:
            return -1
        return self._heads[which] + 1 + place - run.start

    def record_at(self, row: int) -> Record | None:
        """The record in a row; None in a group's head and while its page is missing."""
        return self.record_in(self.place_of(row))

    def record_in(self, place: int) -> Record | None:
        """The record at a place, while its page is here."""
        page = self._pages.get(place // PAGE) if place >= 0 else None
        return page[place % PAGE] if page is not None and place % PAGE < len(page) else None

    def run_at(self, row: int) -> Run | None:
        """The group whose head stands in this row."""
        if not self.runs or not 0 <= row < self._shown:
            return None
        which = bisect_right(self._heads, row) - 1
        return self.runs[which] if self._heads[which] == row else None

    def position(self, record_id: str) -> int:
        """The row of a record, -1 where it is not shown or its page is not here."""
        place = self._places.get(record_id, -1)
        return self.row_of(place) if place >= 0 else -1

    def missing(self, first: int, last: int) -> list[int]:
        """Pages that rows `first` to `last` need and that are not here."""
        places = {self.place_of(row) for row in range(max(0, first), min(last, self._shown - 1) + 1)}
        return sorted({place // PAGE for place in places if place >= 0} - self._pages.keys())

    @property
    def pages(self) -> dict[int, tuple[Record, ...]]:
        """The pages that are here."""
        return dict(self._pages)

    # ---- Qt overrides
    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else self._shown

    def columnCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.column() >= len(self.columns):
            return None
        match role:
            case RecordRole.RECORD:
                return self.record_at(index.row())
            case RecordRole.RUN:
                return self.run_at(index.row())
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self._cell(index.row(), index.column())
            case Qt.ItemDataRole.ToolTipRole:
                record = self.record_at(index.row())
                return self.tips(record) if record is not None else None
        return None

    def _cell(self, row: int, column: int) -> str | None:
        run = self.run_at(row)
        if run is not None:
            return self._run_words(run) if column == 0 else None
        record = self.record_at(row)
        return self._words(record, self.columns[column]) if record is not None else None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._label(self.columns[section]) if 0 <= section < len(self.columns) else None


def _rows_of(total: int, runs: Sequence[Run], closed: frozenset[str]) -> int:
    return total if not runs else sum(1 + (0 if run.key in closed else run.count) for run in runs)


def _heads_of(runs: Sequence[Run], closed: frozenset[str]) -> list[int]:
    heads, row = [], 0
    for run in runs:
        heads.append(row)
        row += 1 + (0 if run.key in closed else run.count)
    return heads
