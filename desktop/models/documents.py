"""The library's folders and documents as Qt models: raw values by role, sorting and search, no texts and no files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.core.domain import Document, Folder
from desktop.models.keyed_rows import KeyedRows

AnyIndex = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
ALL_DOCUMENTS = ""
KEPT_DOCUMENTS = "kept:"


class FolderRole(IntEnum):
    """What a folder's node tells."""

    KEY = int(Qt.ItemDataRole.UserRole) + 1
    KIND = int(Qt.ItemDataRole.UserRole) + 2
    COUNT = int(Qt.ItemDataRole.UserRole) + 3


class DocumentRole(IntEnum):
    """What a document's row tells, in any column."""

    DOCUMENT = int(Qt.ItemDataRole.UserRole) + 1


class Column(IntEnum):
    """The columns of the documents table."""

    TITLE = 0
    NUMBER = 1
    SIZE = 2
    UPDATED = 3
    KEPT = 4


class FolderTreeModel(QAbstractItemModel):
    """All documents, those kept on this device, then the folders. Counts include sub-folders."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folders: dict[str, Folder] = {}
        self._counts: dict[str, int] = {}
        self._nodes: list[tuple[str, str, int, int]] = []  # key, kind, parent position, row
        self._children: dict[int, list[int]] = {}
        self._by_key: dict[str, int] = {}
        self.name_kind: Callable[[str], str] = str  # words for the two nodes that are no folders, for who hears them

    def set_content(self, folders: Iterable[Folder], documents: Sequence[Document]) -> None:
        """Shows these folders with the documents counted in."""
        wanted = {f.id: f for f in sorted(folders, key=lambda f: (f.name, f.id))}
        if wanted != self._folders or not self._nodes:
            self.beginResetModel()  # the tree has another shape; the view restores what was open by key
            self._folders = wanted
            self._build()
            self.endResetModel()
        self._count(documents)
        for position in range(len(self._nodes)):
            index = self.createIndex(self._nodes[position][3], 0, position)
            self.dataChanged.emit(index, index)

    def _build(self) -> None:
        self._nodes, self._children, self._by_key = [], {}, {}
        self._add(ALL_DOCUMENTS, "all", -1)
        self._add(KEPT_DOCUMENTS, "kept", -1)
        below: dict[str, list[str]] = {}
        for folder in self._folders.values():
            below.setdefault(self._parent_of(folder), []).append(folder.id)
        queue = [("", -1)]
        while queue:
            above, position = queue.pop(0)
            queue.extend((key, self._add(key, "folder", position)) for key in below.get(above, ()))

    def _parent_of(self, folder: Folder) -> str:
        """The parent's id, "" for a root; a missing parent or a ring makes a root."""
        if folder.parent_id is None or folder.parent_id not in self._folders:
            return ""
        return "" if folder.id in self._path(folder.parent_id) else folder.parent_id

    def _path(self, folder_id: str) -> list[str]:
        path: list[str] = []
        walk: str | None = folder_id
        while walk is not None and walk in self._folders and walk not in path:
            path.append(walk)
            walk = self._folders[walk].parent_id
        return path

    def _add(self, key: str, kind: str, parent: int) -> int:
        siblings = self._children.setdefault(parent, [])
        position = len(self._nodes)
        self._nodes.append((key, kind, parent, len(siblings)))
        siblings.append(position)
        self._by_key[key] = position
        return position

    def _count(self, documents: Sequence[Document]) -> None:
        self._counts = {ALL_DOCUMENTS: len(documents), KEPT_DOCUMENTS: sum(d.kept for d in documents)}
        for document in documents:
            for key in self._path(document.folder_id):
                self._counts[key] = self._counts.get(key, 0) + 1

    def subtree(self, key: str) -> set[str]:
        """The folder and all below it."""
        return {folder_id for folder_id in self._folders if key in self._path(folder_id)}

    def path_names(self, folder_id: str) -> list[str]:
        """Names from the root down to the folder."""
        return [self._folders[key].name for key in reversed(self._path(folder_id))]

    def index_of(self, key: str) -> QModelIndex:
        """The index of a folder or of one of the two entries on top."""
        position = self._by_key.get(key)
        return QModelIndex() if position is None else self.createIndex(self._nodes[position][3], 0, position)

    def index(self, row: int, column: int, parent: AnyIndex = NO_INDEX) -> QModelIndex:
        children = self._children.get(parent.internalId() if parent.isValid() else -1, [])
        if column != 0 or not 0 <= row < len(children):
            return QModelIndex()
        return self.createIndex(row, column, children[row])

    def parent(self, index: AnyIndex = NO_INDEX) -> QModelIndex:  # type: ignore[override]  # Qt overloads parent() and parent(index)
        if not index.isValid():
            return QModelIndex()
        above = self._nodes[index.internalId()][2]
        return QModelIndex() if above < 0 else self.createIndex(self._nodes[above][3], 0, above)

    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return len(self._children.get(parent.internalId() if parent.isValid() else -1, []))

    def columnCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 1

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        key, kind, _, _ = self._nodes[index.internalId()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return self._folders[key].name if kind == "folder" else ""
            case Qt.ItemDataRole.AccessibleTextRole:
                return self._folders[key].name if kind == "folder" else self.name_kind(kind)
            case FolderRole.KEY:
                return key
            case FolderRole.KIND:
                return kind
            case FolderRole.COUNT:
                return self._counts.get(key, 0)
        return None


class DocumentTableModel(QAbstractTableModel):
    """Documents of a folder and those below it, sorted by a column, narrowed by a text in title, number, name."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: tuple[Document, ...] = ()
        self._folders: set[str] | None = None
        self._kept_only = False
        self._needle = ""
        self._column, self._order = Column.UPDATED, Qt.SortOrder.DescendingOrder
        self._headers: tuple[str, ...] = ("",) * len(Column)
        self._rows: KeyedRows[Document] = KeyedRows(self, lambda document: document.id, len(Column))

    def set_headers(self, headers: Sequence[str]) -> None:
        """Column titles in the interface's language."""
        self._headers = tuple(headers)
        self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(Column) - 1)

    def set_documents(self, documents: Iterable[Document]) -> None:
        """The documents this user can see now."""
        self._all = tuple(documents)
        self._show()

    def set_filter(self, folders: set[str] | None, *, kept_only: bool = False, needle: str = "") -> None:
        """Only these folders (None: all), only kept ones, only those matching the text."""
        self._folders, self._kept_only, self._needle = folders, kept_only, needle.strip().casefold()
        self._show()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._column, self._order = Column(column), order
        self._show()

    def document(self, document_id: str) -> Document | None:
        """The document of this id, shown or not."""
        return next((d for d in self._all if d.id == document_id), None)

    def at(self, row: int) -> Document | None:
        """The document in this row."""
        return self._rows.rows[row] if 0 <= row < len(self._rows) else None

    def position(self, document_id: str) -> int:
        """The row of this document, -1 when not shown."""
        return self._rows.position(document_id)

    def _show(self) -> None:
        wanted = [d for d in self._all if self._wanted(d)]
        wanted.sort(key=lambda d: d.id)
        wanted.sort(key=self._sort_key, reverse=self._order == Qt.SortOrder.DescendingOrder)
        self._rows.replace(wanted)

    def _wanted(self, document: Document) -> bool:
        if self._folders is not None and document.folder_id not in self._folders:
            return False
        if self._kept_only and not document.kept:
            return False
        text = f"{document.title}\n{document.number or ''}\n{document.name}"
        return not self._needle or self._needle in text.casefold()

    def _sort_key(self, document: Document) -> Any:
        match self._column:
            case Column.NUMBER:
                return document.number or ""
            case Column.SIZE:
                return document.size
            case Column.UPDATED:
                return document.updated_at
            case Column.KEPT:
                return document.kept
            case _:
                return document.title

    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(Column)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._headers[section] if section < len(self._headers) else None

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        document = self.at(index.row()) if index.isValid() else None
        if document is None:
            return None
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return document.title if index.column() == Column.TITLE else None
            case DocumentRole.DOCUMENT:
                return document
        return None
