"""The lines of a form as a table model: rows of wire values, formulas of a line computed as it changes, one empty row at the end to write on.

Words come from the `words` given; pasted rows arrive as texts and are read by the `read` given. QtCore only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.core.domain.conditions import is_empty
from desktop.core.domain.definition import Field, FieldKind
from desktop.core.domain.formulas import with_formulas
from desktop.models.record_form import is_written

Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
NUMERIC = frozenset({FieldKind.NUMBER, FieldKind.MONEY})
Words = Callable[[Field, Any], str]
Reader = Callable[[Field, str], Any]
"""The wire value of a text; raises ValueError where it is none."""


class LinesModel(QAbstractTableModel):
    """Lines of one field. `edited` after each change that came from here, not from `set_lines`."""

    edited = Signal()

    def __init__(
        self, field: Field, words: Words, label: Callable[[Field], str], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.field = field
        self.columns = tuple(one for one in field.fields)
        self._words, self._label = words, label
        self._rows: list[dict[str, Any]] = []
        self._raws: list[dict[str, str]] = []
        self._bad: set[tuple[int, str]] = set()

    # ---- the lines
    def lines(self) -> list[dict[str, Any]]:
        """Every line that holds something, formulas included."""
        return [dict(line) for line in self._rows if holds(self.field, line)]

    def set_lines(self, lines: Any) -> None:
        """Shows these lines; the same ones again change nothing."""
        wanted = [dict(line) for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
        wanted = [with_formulas(self.columns, line) for line in wanted]
        if wanted == self.lines():
            return
        self.beginResetModel()  # other lines altogether: of another record, or of a draft
        self._rows = wanted
        self._raws = [{} for _ in wanted]
        self._bad.clear()
        self.endResetModel()

    def line(self, row: int) -> dict[str, Any]:
        """A line; an empty one past the end."""
        return self._rows[row] if 0 <= row < len(self._rows) else {}

    @property
    def count(self) -> int:
        """How many lines there are, without the empty one at the end."""
        return len(self._rows)

    def set_cell(self, row: int, name: str, value: Any) -> None:
        """Writes a cell; writing on the empty row makes a line of it."""
        if row >= len(self._rows):
            if is_empty(value) or value is False:
                return
            row = self._append({})
        line = dict(self._rows[row])
        self._raws[row].pop(name, None)
        if is_empty(value):
            line.pop(name, None)
        else:
            line[name] = value
        self._rows[row] = with_formulas(self.columns, line)
        self._bad.discard((row, name))
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(self.columns) - 1))
        self.edited.emit()

    def set_raw(self, row: int, name: str, text: str) -> None:
        """Keeps a text that is no value: it stands in the cell, marked, until it is written another way."""
        if row >= len(self._rows):
            row = self._append({})
        self._raws[row][name] = text
        self.dataChanged.emit(self.index(row, 0), self.index(row, len(self.columns) - 1))
        self.edited.emit()

    def raw(self, row: int, name: str) -> str | None:
        """The text of a cell that is no value."""
        return self._raws[row].get(name) if 0 <= row < len(self._raws) else None

    def raws(self) -> dict[int, dict[str, str]]:
        """Every text that is no value: row → field → text."""
        return {row: dict(texts) for row, texts in enumerate(self._raws) if texts}

    def _append(self, line: dict[str, Any]) -> int:
        place = len(self._rows)
        self.beginInsertRows(
            NO_INDEX, place + 1, place + 1
        )  # the empty row becomes the line, below it is a new empty one
        self._rows.append(line)
        self._raws.append({})
        self.endInsertRows()
        self.headerDataChanged.emit(Qt.Orientation.Vertical, place, place)
        return place

    def remove(self, rows: Sequence[int]) -> None:
        """Takes lines away."""
        wanted = sorted((row for row in set(rows) if 0 <= row < len(self._rows)), reverse=True)
        for row in wanted:
            self.beginRemoveRows(NO_INDEX, row, row)
            del self._rows[row]
            del self._raws[row]
            self.endRemoveRows()
        if wanted:
            self._bad.clear()
            self.edited.emit()

    def move(self, row: int, step: int) -> int:
        """Moves a line up (-1) or down (1). Answers where it is now."""
        target = row + step
        if not (0 <= row < len(self._rows) and 0 <= target < len(self._rows)):
            return row
        self._rows[row], self._rows[target] = self._rows[target], self._rows[row]
        self._raws[row], self._raws[target] = self._raws[target], self._raws[row]
        low, high = min(row, target), max(row, target)
        self.dataChanged.emit(self.index(low, 0), self.index(high, len(self.columns) - 1))
        self.edited.emit()
        return target

    def paste(self, row: int, column: int, text: str, read: Reader) -> tuple[int, int]:
        """Writes a block of cells as a spreadsheet copies it (tabs and line ends), from a cell on.

        Answers how many cells were written, and how many of them hold what their column can't: those keep the text, marked.
        """
        written, bad = 0, 0
        columns = [one for one in self.columns[column:] if is_written(one)]
        for step, texts in enumerate(block(text)):
            if not any(cell.strip() for cell in texts):
                continue
            place = row + step if row + step < len(self._rows) else self._append({})
            line, raws = dict(self._rows[place]), self._raws[place]
            for one, cell in zip(columns, texts, strict=False):
                written += 1
                raws.pop(one.name, None)
                line.pop(one.name, None)
                try:
                    value = read(one, cell) if cell.strip() else None
                except ValueError:
                    bad += 1
                    raws[one.name] = cell
                    continue
                if not is_empty(value):
                    line[one.name] = value
            self._rows[place] = with_formulas(self.columns, line)
            self.dataChanged.emit(self.index(place, 0), self.index(place, len(self.columns) - 1))
        if written:
            self.edited.emit()
        return written, bad

    def show_bad(self, cells: set[tuple[int, str]]) -> None:
        """Marks cells as wrong: (row among the lines that hold something, field)."""
        held = [row for row, line in enumerate(self._rows) if holds(self.field, line)]
        self._bad = {(held[row], name) for row, name in cells if row < len(held)}
        if self._rows:
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._rows) - 1, len(self.columns) - 1))

    def is_bad(self, index: Index) -> bool:
        """Whether a cell is marked as wrong."""
        name = self.columns[index.column()].name
        return (index.row(), name) in self._bad or self.raw(index.row(), name) is not None

    def totals(self) -> dict[str, Decimal]:
        """Sums of the columns of numbers and money."""
        sums: dict[str, Decimal] = {}
        for one in self.columns:
            if one.kind not in NUMERIC:
                continue
            for line in self._rows:
                try:
                    sums[one.name] = sums.get(one.name, Decimal(0)) + Decimal(str(line.get(one.name, 0)))
                except InvalidOperation:
                    continue
        return sums

    # ---- QAbstractTableModel
    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows) + 1

    def columnCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.column() >= len(self.columns):
            return None
        one = self.columns[index.column()]
        value = self.line(index.row()).get(one.name)
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.ToolTipRole | Qt.ItemDataRole.AccessibleTextRole:
                raw = self.raw(index.row(), one.name)
                return self._words(one, value) if raw is None else raw
            case Qt.ItemDataRole.EditRole:
                return value
            case Qt.ItemDataRole.TextAlignmentRole if one.kind in NUMERIC:
                return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        if orientation is Qt.Orientation.Horizontal and 0 <= section < len(self.columns):
            return self._label(self.columns[section])
        return str(section + 1) if section < len(self._rows) else "+"

    def flags(self, index: Index) -> Qt.ItemFlag:
        base = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if index.isValid() and is_written(self.columns[index.column()]):
            return base | Qt.ItemFlag.ItemIsEditable
        return base


def holds(field: Field, line: dict[str, Any]) -> bool:
    """Whether a line has anything that somebody wrote."""
    return any(is_written(one) and not is_empty(line.get(one.name)) for one in field.fields)


def block(text: str) -> list[list[str]]:
    """The cells of a spreadsheet's clipboard text: rows by line ends, cells by tabs; a cell in quotes may hold both."""
    rows: list[list[str]] = []
    row: list[str] = []
    cell, quoted, place = "", False, 0
    while place < len(text):
        sign = text[place]
        if quoted:
            if sign == '"' and text[place + 1 : place + 2] == '"':
                cell, place = cell + '"', place + 1
            elif sign == '"':
                quoted = False
            else:
                cell += sign
        elif sign == '"' and not cell:
            quoted = True
        elif sign == "\t":
            row, cell = [*row, cell], ""
        elif sign in "\r\n":
            if sign == "\r" and text[place + 1 : place + 2] == "\n":
                place += 1
            rows, row, cell = [*rows, [*row, cell]], [], ""
        else:
            cell += sign
        place += 1
    if cell or row:
        rows.append([*row, cell])
    return rows
