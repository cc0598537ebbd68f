"""Shows what an archive holds, folder by folder, as a list. An entry is asked for by `opened`; nothing is unpacked here."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QTextDocument
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import ElidedLabel, IconButton, Label, on_click
from desktop.ui.reader.formats.archive import Entry, Listing
from desktop.ui.reader.kinds import Kind, kind_of
from desktop.ui.reader.search_run import Hit
from desktop.ui.reader.text_search import FoldedText, Span
from desktop.ui.theme.icons import icon

Index = QModelIndex | QPersistentModelIndex
BLOCK = 500
"""Entries a search looks at in one step."""
ICONS = {
    Kind.PICTURE: "image",
    Kind.PDF: "file-pdf",
    Kind.WORKBOOK: "table",
    Kind.WRITING: "file-text",
    Kind.SLIDES: "presentation",
    Kind.ARCHIVE: "archive",
    Kind.MEDIA: "play-circle",
    Kind.OTHER: "file",
}


def folders_of(listing: Listing) -> dict[str, list[Entry]]:
    """The entries below each folder's path ("" the top), folders first; folders an archive does not list are made up."""
    found: dict[str, dict[str, Entry]] = {"": {}}
    for entry in listing.entries:
        parts = [part for part in entry.path.split("/") if part not in ("", ".")]
        for depth in range(1, len(parts)):
            path = "/".join(parts[:depth])
            found.setdefault("/".join(parts[: depth - 1]), {}).setdefault(path, Entry(path, 0, folder=True))
            found.setdefault(path, {})
        if parts:
            found.setdefault("/".join(parts[:-1]), {})[entry.path] = entry
            if entry.folder:
                found.setdefault(entry.path, {})
    return {
        path: sorted(entries.values(), key=lambda one: (not one.folder, one.path.casefold()))
        for path, entries in found.items()
    }


class FolderModel(QAbstractTableModel):
    """One folder's entries: name, size, time."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.entries: list[Entry] = []

    def show_entries(self, entries: list[Entry]) -> None:
        """Another folder."""
        self.beginResetModel()
        self.entries = entries
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else 3

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry = self.entries[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(entry, index.column())
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 0:
            if entry.locked:
                return icon("lock-key")
            if entry.folder:
                return icon("folder", "accent")
            return icon(ICONS.get(kind_of(b"", entry.path), "file-text"))
        if role == Qt.ItemDataRole.ToolTipRole and index.column() == 0:
            return entry.path
        return None

    @staticmethod
    def _text(entry: Entry, column: int) -> str:
        if column == 0:
            return entry.path.rpartition("/")[2]
        if column == 1:
            return "" if entry.folder or entry.size < 0 else when.size(entry.size)
        return when.date_time(entry.changed) if entry.changed is not None and not entry.folder else ""

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return tr(("reader.archive.name", "reader.archive.size", "reader.archive.changed")[section])
        return None


class EntryTable(QTableView):
    """The list; Enter opens, Backspace goes up."""

    chosen = Signal(int)
    up = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.chosen.emit(self.currentIndex().row())
        elif event.key() == Qt.Key.Key_Backspace:
            self.up.emit()
        else:
            super().keyPressEvent(event)


class ArchiveView(QWidget):
    """The list with the way to where one is."""

    opened = Signal(object)  # Entry
    zoom_changed = Signal()
    copy_refused = Signal()
    zooms = prints = False
    searches = True
    copies = False

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("readerArchive")
        self.may_copy, self.watermark, self.factor = True, "", 1.0
        self._folders: dict[str, list[Entry]] = {}
        self._files: list[Entry] = []
        self._path, self._name, self._cut = "", "", False
        self._up = IconButton("arrow-up", "reader.archive.up", size=18, box=30)
        self._up.setObjectName("archiveUp")
        self._way = ElidedLabel("")
        self._count = Label(role="secondary", tone="ink3")
        self.table = EntryTable(self)
        self.table.setObjectName("archiveEntries")
        self.model = FolderModel(self)
        self._build_table()
        line = QHBoxLayout()
        line.setContentsMargins(16, 8, 16, 8)
        line.setSpacing(8)
        line.addWidget(self._up)
        line.addWidget(self._way, 1)
        line.addWidget(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(line)
        column.addWidget(self.table, 1)
        self.setFocusProxy(self.table)
        on_click(self._up, self.go_up)
        self.table.chosen.connect(self._choose)
        self.table.doubleClicked.connect(lambda index: self._choose(index.row()))
        self.table.up.connect(self.go_up)
        i18n.changed.connect(self._refresh)
        theme.changed.connect(self._fit)

    def _build_table(self) -> None:
        table = self.table
        table.setModel(self.model)
        table.setFrameShape(QTableView.Shape.NoFrame)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self._fit()

    def _fit(self) -> None:
        self.table.verticalHeader().setDefaultSectionSize(theme.scaled(34))
        self.table.setIconSize(QSize(theme.scaled(20), theme.scaled(20)))
        self.table.setColumnWidth(1, theme.scaled(110))
        self.table.setColumnWidth(2, theme.scaled(170))

    def show_listing(self, name: str, listing: Listing) -> None:
        """Shows another archive from its top."""
        self._name, self._cut = name, listing.cut
        self._folders = folders_of(listing)
        self._files = [entry for entry in listing.entries if not entry.folder]
        self.go_to("")

    def clear(self) -> None:
        self.show_listing("", Listing(()))

    def go_to(self, path: str) -> None:
        """Shows one folder."""
        self._path = path
        self.model.show_entries(self._folders.get(path, []))
        if self.model.entries:
            self.table.selectRow(0)
        self._refresh()

    def go_up(self) -> None:
        """Shows the folder above, with the one that was left chosen."""
        if not self._path:
            return
        left = self._path
        self.go_to(left.rpartition("/")[0])
        self._select(left)

    def _select(self, path: str) -> None:
        row = next((n for n, entry in enumerate(self.model.entries) if entry.path == path), -1)
        if row >= 0:
            self.table.selectRow(row)
            self.table.scrollTo(self.model.index(row, 0))

    def _refresh(self) -> None:
        self._up.setEnabled(bool(self._path))
        self._way.setText(" / ".join([self._name, *filter(None, self._path.split("/"))]))
        total = sum(max(0, entry.size) for entry in self._files)
        key = "reader.archive.cut" if self._cut else "reader.archive.count"
        self._count.setText(tr(key, count=len(self._files), size=when.size(total)))
        self.table.setAccessibleName(self._way.text())

    def _choose(self, row: int) -> None:
        if not 0 <= row < len(self.model.entries):
            return
        entry = self.model.entries[row]
        if entry.folder:
            self.go_to(entry.path)
        else:
            self.opened.emit(entry)

    # ---- search: by name, over all folders; a hit's place is the file's number
    @property
    def parts(self) -> int:
        return (len(self._files) + BLOCK - 1) // BLOCK

    def find_in(self, part: int, needle: str) -> list[Span]:
        first = part * BLOCK
        some = enumerate(self._files[first : first + BLOCK], first)
        return [Span(n, 1) for n, one in some if FoldedText(one.path.rpartition("/")[2]).find_all(needle)]

    def set_marks(self, hits: list[Hit], current: Hit | None) -> None:
        if current is None:
            return
        entry = self._files[current.span.start]
        folder = "/".join(part for part in entry.path.split("/")[:-1] if part not in ("", "."))
        if folder != self._path:
            self.go_to(folder)
        self._select(entry.path)

    # ---- what a list does not do
    def set_factor(self, factor: float) -> None:
        """The list keeps its size."""

    def zoom_step(self, direction: int) -> None:
        """The list keeps its size."""

    def copy_selected(self) -> bool:
        """Copies the name of the chosen entry."""
        row = self.table.currentIndex().row()
        if not 0 <= row < len(self.model.entries) or not self.may_copy:
            return False
        QGuiApplication.clipboard().setText(self.model.entries[row].path)
        return True

    def printed(self) -> QTextDocument | None:
        """A list is not printed."""
        return None
