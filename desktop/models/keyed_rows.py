"""Rows with keys: an old list becomes a new one by the smallest honest signals, so views keep selection and place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from PySide6.QtCore import QAbstractItemModel, QModelIndex

T = TypeVar("T")


class KeyedRows(Generic[T]):
    """The top-level rows of `model`; `replace` removes, inserts, moves and updates by key and leaves the rest alone."""

    def __init__(self, model: QAbstractItemModel, key: Callable[[T], str], columns: int = 1) -> None:
        self._model = model
        self._columns = columns
        self._key = key
        self.rows: list[T] = []

    def __len__(self) -> int:
        return len(self.rows)

    def position(self, key: str) -> int:
        """The row of `key`, -1 when it is not there."""
        return next((row for row, item in enumerate(self.rows) if self._key(item) == key), -1)

    def replace(self, wanted: Sequence[T]) -> None:
        """Makes the rows equal to `wanted`; keys must be unique."""
        self._remove_absent({self._key(item) for item in wanted})
        parent = QModelIndex()
        for row, item in enumerate(wanted):
            key = self._key(item)
            if row < len(self.rows) and self._key(self.rows[row]) == key:
                self._update(row, item)
                continue
            source = next((n for n in range(row + 1, len(self.rows)) if self._key(self.rows[n]) == key), -1)
            if source < 0:
                self._model.beginInsertRows(parent, row, row)
                self.rows.insert(row, item)
                self._model.endInsertRows()
                continue
            self._model.beginMoveRows(parent, source, source, parent, row)
            self.rows.insert(row, self.rows.pop(source))
            self._model.endMoveRows()
            self._update(row, item)

    def _remove_absent(self, kept: set[str]) -> None:
        row = len(self.rows) - 1
        while row >= 0:
            if self._key(self.rows[row]) in kept:
                row -= 1
                continue
            last = row
            while row > 0 and self._key(self.rows[row - 1]) not in kept:
                row -= 1
            self._model.beginRemoveRows(QModelIndex(), row, last)
            del self.rows[row : last + 1]
            self._model.endRemoveRows()
            row -= 1

    def _update(self, row: int, item: T) -> None:
        if self.rows[row] == item:
            return
        self.rows[row] = item
        self._model.dataChanged.emit(self._model.index(row, 0), self._model.index(row, self._columns - 1))
