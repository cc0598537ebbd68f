"""The library module: folders, documents, details. Reading happens in the reader of the office page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import Document
from desktop.core.errors import AppError, Offline
from desktop.models.documents import ALL_DOCUMENTS, KEPT_DOCUMENTS, DocumentTableModel, FolderTreeModel
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Button, EmptyState, IconButton, PaneHeader, SearchBox, Snack, finished, on_click
from desktop.ui.office.document_details import DocumentDetails
from desktop.ui.office.documents_table import DocumentsTable
from desktop.ui.office.folder_tree import FolderTree
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.ports import librarian
from desktop.ui.tasks import TaskOwner, alive

PANES = (190, 640, 266)


class LibraryPage(QWidget):
    """Works on an OfficeData that is loaded by its owner."""

    back_asked = Signal()
    document_opened = Signal(str, object, str)  # title, LocalDocument, note
    document_loading = Signal(str)
    document_failed = Signal(str, object)  # title, AppError

    def __init__(self, data: OfficeData, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("libraryPage")
        self.tasks = TaskOwner(self)
        self._data, self._now_ms = data, now_ms
        self._writing = librarian(data.session.office)
        self._may_edit = self._writing is not None and "librarian" in data.session.me.roles
        self._folders, self._documents = FolderTreeModel(self), DocumentTableModel(self)
        self._folder, self._last = ALL_DOCUMENTS, ""
        self._build_ui()
        self._bind()
        self._refresh()

    # ---- build
    def _build_ui(self) -> None:
        self.header = PaneHeader(key="office.library")
        back = IconButton("arrow-left", "office.back")
        back.setObjectName("libraryBack")
        layout = self.header.layout()
        assert layout is not None
        layout.insertWidget(0, back)  # type: ignore[attr-defined]  # PaneHeader's layout is a QHBoxLayout
        on_click(back, self.back_asked.emit)
        self.search = SearchBox("office.search_documents")
        self.search.setObjectName("librarySearch")
        self.search.setFixedWidth(theme.scaled(240))
        self.add = Button(key="office.add_document", kind="primary", icon="plus", small=True)
        self.add.setObjectName("libraryAdd")
        self.add.setVisible(self._may_edit)
        self.header.add_action(self.search)
        self.header.add_action(self.add)
        self.tree = FolderTree(self._folders)
        self.tree.setMinimumWidth(theme.scaled(180))
        self.table = DocumentsTable(self._documents, self._now_ms)
        self.state = EmptyState("books", "common.loading")
        self._middle = QStackedWidget()
        self._middle.addWidget(self.table)
        self.setFocusProxy(self.table)
        self._middle.addWidget(self.state)
        self.details = DocumentDetails(self._now_ms)
        self.nothing = EmptyState("file-text", "office.choose_document")
        self._right = QStackedWidget()
        self._right.addWidget(self.nothing)
        self._right.addWidget(self.details)
        self._right.setMinimumWidth(theme.scaled(240))
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        for number, pane in enumerate((self.tree, self._middle, self._right)):
            split.addWidget(pane)
            split.setStretchFactor(number, 1 if number == 1 else 0)
        split.setSizes([theme.scaled(width) for width in PANES])
        whole = QWidget()
        whole.setProperty("surface", "surface")
        whole.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(split, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(whole)
        self._snack = Snack(self)

    def _bind(self) -> None:
        self._data.changed.connect(self._on_changed)
        self._data.loaded.connect(self._refresh)
        self._data.failed.connect(self._on_failed)
        self.tree.picked.connect(self._on_folder)
        self.table.picked.connect(self._show_details)
        self.table.opened.connect(self.open_document)
        self.search.searched.connect(lambda _text: self._filter())
        self.details.open_asked.connect(self.open_document)
        self.details.keep_asked.connect(self.keep)
        self.details.version_asked.connect(self.add_version)
        self.state.action.clicked.connect(self._data.load)
        on_click(self.add, self.open_form)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.search.setFocus)

    # ---- content
    def _on_changed(self, name: str) -> None:
        if name in ("documents", "folders", "organization"):
            self._refresh()

    def _refresh(self) -> None:
        self._folders.set_content(self._data.folders, self._data.documents)
        self._documents.set_documents(self._data.documents)
        self._filter()
        if self.details.document_id:
            self._show_details(self.details.document_id)

    def _on_failed(self, error: AppError) -> None:
        self.state.show_text("warning-circle", "office.failed")
        self.state.hint.setText(error_text(error))
        self.state.hint.show()
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.show()
        self._middle.setCurrentWidget(self.state)

    def _on_folder(self, key: str) -> None:
        self._folder = key
        self._filter()

    def _filter(self) -> None:
        kept = self._folder == KEPT_DOCUMENTS
        folders = None if kept or self._folder == ALL_DOCUMENTS else self._folders.subtree(self._folder)
        self._documents.set_filter(folders, kept_only=kept, needle=self.search.text())
        if self._documents.rowCount():
            self._middle.setCurrentWidget(self.table)
            self.table.select(self.details.document_id)
            return
        self.state.action.hide()
        if not self._data.ready:
            self.state.show_text("hourglass-medium", "common.loading")
        elif self.search.text():
            self.state.show_text("magnifying-glass", "office.none_found")
        elif kept:
            self.state.show_text("download-simple", "office.none_kept")
        else:
            self.state.show_text("folder-open", "office.none_in_folder")
        self._middle.setCurrentWidget(self.state)

    def _show_details(self, document_id: str) -> None:
        document = self._documents.document(document_id)
        if document is None:
            self._right.setCurrentWidget(self.nothing)
            return
        place = " / ".join(self._folders.path_names(document.folder_id))
        own = self._writing is not None and document.owner_id == self._data.session.me.id
        may_edit = self._may_edit or own
        self.details.show_document(document, place, self._data.name, may_edit=may_edit)
        self._right.setCurrentWidget(self.details)

    # ---- what the user does
    def focus_search(self) -> None:
        """Puts the cursor into the search field."""
        self.search.setFocus()

    def show_folder(self, key: str) -> None:
        """Shows a folder, everything (""), or what is kept ("kept:")."""
        self.search.clear()
        self.tree.select(key)

    def show_document(self, document_id: str) -> None:
        """Goes to a document and opens it."""
        if self._documents.document(document_id) is None:
            self._snack.say(tr("office.document_gone") if self._data.ready else tr("common.loading"))
            return
        if not self.table.select(document_id):
            self.show_folder(ALL_DOCUMENTS)
            self.table.select(document_id)
        self.open_document(document_id)

    def retry_open(self) -> None:
        """Opens the last one again, after it could not be had."""
        self.open_document(self._last)

    def open_document(self, document_id: str) -> None:
        """Opens a document in the reader."""
        self._last = document_id
        document = self._documents.document(document_id)
        if document is not None:
            self.document_loading.emit(document.title)
            self.tasks.start(self._open(document), name="open", exclusive=True)

    async def _open(self, document: Document) -> None:
        try:
            local = await self._data.session.office.document_path(document.id, early=True)
        except AppError as error:
            if alive(self):
                self.document_failed.emit(document.title, error)
            return
        if alive(self):
            until = local.lease_until
            note = tr("office.lease_until", time=when.date_time(until)) if until else ""
            self.document_opened.emit(document.title, local, note)

    def keep(self, document_id: str, kept: bool) -> None:
        """Keeps a document on this device, or no longer."""
        self.tasks.start(self._keep(document_id, kept), name=f"keep-{document_id}", exclusive=True)

    async def _keep(self, document_id: str, kept: bool) -> None:
        said = "office.keep_done" if kept else "office.keep_dropped"
        try:
            await self._data.session.office.keep_offline(document_id, kept)
        except Offline:
            said = "office.keep_later"
        finally:
            if alive(self) and self.details.document_id == document_id:
                self._show_details(document_id)
        if alive(self):
            self._snack.say(tr(said))

    def open_form(self) -> None:
        """Opens the form for a new document."""
        from desktop.ui.office.document_form import DocumentForm  # most people only read

        assert self._writing is not None
        form = DocumentForm(self._data, self._writing, self._folder, self)
        form.accepted.connect(self._say_saved)
        form.finished.connect(form.deleteLater)
        form.open()

    def add_version(self, document_id: str) -> None:
        """Asks for a file and makes it the newest version."""
        self.tasks.start(self._add_version(document_id), name="version", exclusive=True)

    async def _add_version(self, document_id: str) -> None:
        dialog = QFileDialog(self, tr("office.new_version"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        if not await finished(dialog) or not alive(self):
            return
        assert self._writing is not None
        await self._writing.add_version(document_id, Path(dialog.selectedFiles()[0]))
        if alive(self):
            self._say_saved()

    def _say_saved(self) -> None:
        self._snack.say(tr("office.document_saved"))
