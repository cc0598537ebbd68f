"""The tree as Qt sees it: children are handed out when a record is opened, records are known by number so that indexes stay valid as they change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractItemModel, QMimeData, QModelIndex, QPersistentModelIndex, Qt, Signal

from desktop.core.domain.records import Record
from desktop.models.record_tree import Tree

Index = QModelIndex | QPersistentModelIndex
MIME: Final = "application/x-tongban-record-ids"


class RecordTreeModel(QAbstractItemModel):
    """`columns` are names of fields, "" the record's title; `record_of` has the records that were read.

    Signals:
        dropped: ids of records and the id of the record they were put on, "" for the top.
    """

    dropped = Signal(list, str)

    def __init__(
        self,
        record_of: Callable[[str], Record | None],
        text: Callable[[Record, str], str],
        label: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._record_of, self._text, self._label = record_of, text, label
        self.tree = Tree()
        self.columns: tuple[str, ...] = ("",)
        self._numbers: dict[str, int] = {}
        self._ids: list[str] = [""]
        self._rows: dict[str, int] = {}
        self._fetched: set[str] = {""}

    def show_tree(self, tree: Tree, columns: Sequence[str]) -> bool:
        """Another tree. Answers whether indexes were lost: records that only changed keep theirs."""
        if tree.children == self.tree.children and tuple(columns) == self.columns:
            self.tree = tree
            self.touch()
            return False
        self.beginResetModel()
        self.tree, self.columns = tree, tuple(columns)
        for key in tree.parents:
            if key not in self._numbers:
                self._numbers[key] = len(self._ids)
                self._ids.append(key)
        self._rows = {key: row for line in tree.children.values() for row, key in enumerate(line)}
        self._fetched = {""}
        self.endResetModel()
        return True

    def touch(self) -> None:
        """Records came or changed: what is handed out is told as changed, branch by branch."""
        for parent in self._fetched:
            line = self.tree.below(parent)
            if line:
                last = self.createIndex(len(line) - 1, len(self.columns) - 1, self._numbers[line[-1]])
                self.dataChanged.emit(self.createIndex(0, 0, self._numbers[line[0]]), last)

    # ---- records
    def id_of(self, index: Index) -> str:
        """The record's id; "" for none."""
        return self._ids[index.internalId()] if index.isValid() else ""

    def record(self, index: Index) -> Record | None:
        """The record of an index; None: it is not here yet."""
        key = self.id_of(index)
        return self._record_of(key) if key else None

    def index_of(self, record_id: str) -> QModelIndex:
        """The first cell of a record; the way to it is handed out. Invalid where it is not here."""
        if record_id not in self._rows:
            return QModelIndex()
        for key in self.tree.path(record_id):
            self._fetch(key)
        return self.createIndex(self._rows[record_id], 0, self._numbers[record_id])

    def _fetch(self, key: str) -> None:
        line = self.tree.below(key)
        if key in self._fetched or not line:
            return
        self.beginInsertRows(self.createIndex(self._rows[key], 0, self._numbers[key]), 0, len(line) - 1)
        self._fetched.add(key)
        self.endInsertRows()

    # ---- Qt
    def index(self, row: int, column: int, parent: Index | None = None) -> QModelIndex:
        key = self.id_of(parent) if parent is not None else ""
        line = self.tree.below(key) if key in self._fetched else ()
        if not 0 <= row < len(line) or not 0 <= column < len(self.columns):
            return QModelIndex()
        return self.createIndex(row, column, self._numbers[line[row]])

    def parent(self, child: Index | None = None) -> Any:
        if child is None:
            return super().parent()
        key = self.tree.parents.get(self.id_of(child), "")
        return self.createIndex(self._rows[key], 0, self._numbers[key]) if key else QModelIndex()

    def rowCount(self, parent: Index | None = None) -> int:
        if parent is not None and parent.column() > 0:
            return 0
        key = self.id_of(parent) if parent is not None else ""
        return len(self.tree.below(key)) if key in self._fetched else 0

    def columnCount(self, parent: Index | None = None) -> int:
        return len(self.columns)

    def hasChildren(self, parent: Index | None = None) -> bool:  # noqa: N802  # Qt's name
        return bool(self.tree.below(self.id_of(parent) if parent is not None else ""))

    def canFetchMore(self, parent: Index) -> bool:
        key = self.id_of(parent)
        return key not in self._fetched and bool(self.tree.below(key))

    def fetchMore(self, parent: Index) -> None:
        self._fetch(self.id_of(parent))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        record = self.record(index)
        if record is None:
            return None
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == 0:
            return ", ".join(text for name in self.columns if (text := self._text(record, name)))
        return self._text(record, self.columns[index.column()])

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role == Qt.ItemDataRole.DisplayRole and orientation is Qt.Orientation.Horizontal:
            return self._label(self.columns[section]) if section < len(self.columns) else None
        return None

    # ---- dragging
    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index) | Qt.ItemFlag.ItemIsDropEnabled
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        made = QMimeData()
        keys = dict.fromkeys(self.id_of(index) for index in indexes)
        made.setData(MIME, "\n".join(keys).encode())
        return made

    def canDropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        return data.hasFormat(MIME)

    def dropMimeData(self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Tells who is put where. The records move when the write does; the view removes nothing by itself."""
        keys = data.data(MIME).toStdString().split("\n") if data.hasFormat(MIME) else []
        self.dropped.emit([key for key in keys if key in self.tree], self.id_of(parent))
        return False
