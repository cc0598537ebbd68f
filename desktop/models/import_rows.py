"""The rows of an import as a table: where in the sheet, what it would be called, what is wrong with it. Rows with problems come first where asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

AnyIndex = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row: its number in the sheet, words that name it, what is wrong."""

    number: int
    title: str
    problems: tuple[str, ...] = ()


class ImportColumn(IntEnum):
    """The columns."""

    NUMBER = 0
    TITLE = 1
    PROBLEMS = 2


class ImportRowsModel(QAbstractTableModel):
    """All rows, or those with problems alone."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[ImportRow, ...] = ()
        self._shown: tuple[ImportRow, ...] = ()
        self._heads: tuple[str, ...] = ("",) * len(ImportColumn)
        self.only_wrong = False

    def set_heads(self, heads: Sequence[str]) -> None:
        """Column titles in the interface's language."""
        self._heads = tuple(heads)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(ImportColumn) - 1)

    def set_rows(self, rows: Sequence[ImportRow], *, only_wrong: bool) -> None:
        """Another result."""
        self.beginResetModel()  # another check of a whole sheet: nothing of the old one stands
        self.rows, self.only_wrong = tuple(rows), only_wrong
        self._shown = tuple(row for row in rows if row.problems or not only_wrong)
        self.endResetModel()

    @property
    def wrong(self) -> int:
        """How many rows have problems."""
        return sum(bool(row.problems) for row in self.rows)

    def at(self, row: int) -> ImportRow | None:
        """The row shown there."""
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(ImportColumn)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._heads[section] if section < len(self._heads) else None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.at(index.row()) if index.isValid() else None
        if row is None:
            return None
        texts = (str(row.number), row.title, "\n".join(row.problems))
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return texts[index.column()].replace("\n", "  ·  ")
        return texts[2] if role == Qt.ItemDataRole.ToolTipRole else None
