"""The office page: the workbench, the modules it opens and the reader over them. One page of the main window, three rooms inside."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop.core.clock import SystemClock
from desktop.core.domain import LocalDocument
from desktop.core.errors import AppError
from desktop.models.documents import ALL_DOCUMENTS, KEPT_DOCUMENTS
from desktop.models.records import NoticeFilter, is_to_confirm, is_unread
from desktop.ui.office.library_page import LibraryPage
from desktop.ui.office.notices_page import NoticesPage
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.ports import OfficeSession
from desktop.ui.office.workbench import Workbench
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.shell.navigator import Navigator


class OfficePage(QWidget):
    """Shows one of its rooms. What is asked for before the records are read is shown as soon as they are."""

    badge_changed = Signal(int)  # notices unread or to confirm

    def __init__(
        self,
        session: OfficeSession,
        navigator: Navigator,
        now_ms: Callable[[], int],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("officePage")
        self._session, self._navigator, self._now_ms = session, navigator, now_ms
        self.data = OfficeData(session, self)
        self._notices: NoticesPage | None = None
        self._library: LibraryPage | None = None
        self._reader: DocumentReader | None = None
        self._waiting: Callable[[], None] | None = None
        self._back_to: QWidget | None = None
        self.badge = 0
        self.workbench = Workbench(self.data, now_ms)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.workbench)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        self.workbench.module_asked.connect(self.open_module)
        self.workbench.notice_asked.connect(self.open_notice)
        self.workbench.document_asked.connect(self.open_document)
        self.workbench.link_asked.connect(self.open_link)
        self.workbench.confirm_asked.connect(self._confirm)
        self.data.loaded.connect(self._on_loaded)
        self.data.changed.connect(self._on_changed)

    # ---- rooms, made when first wanted
    @property
    def notices(self) -> NoticesPage:
        """The notices module."""
        if self._notices is None:
            self._notices = NoticesPage(self.data, self._now_ms)
            self._notices.back_asked.connect(self.show_workbench)
            self._wire_reader(self._notices)
            self._stack.addWidget(self._notices)
        return self._notices

    @property
    def library(self) -> LibraryPage:
        """The library module."""
        if self._library is None:
            self._library = LibraryPage(self.data, self._now_ms)
            self._library.back_asked.connect(self.show_workbench)
            self._wire_reader(self._library)
            self._stack.addWidget(self._library)
        return self._library

    @property
    def reader(self) -> DocumentReader:
        """The reader over whichever room asked for it."""
        if self._reader is None:
            self._reader = DocumentReader(self._session.me.name, self._now_ms)
            self._reader.closed.connect(self.close_reader)
            self._reader.retry.connect(self._retry)
            self._stack.addWidget(self._reader)
        return self._reader

    def _wire_reader(self, room: NoticesPage | LibraryPage) -> None:
        room.document_loading.connect(self._read_loading)
        room.document_opened.connect(self._read)
        room.document_failed.connect(self._read_failed)

    # ---- the reader
    def _read_loading(self, title: str) -> None:
        if self._stack.currentWidget() is not self._reader:
            self._back_to = self._stack.currentWidget()
        self.reader.show_loading(title)
        self._stack.setCurrentWidget(self.reader)

    def _read(self, title: str, document: LocalDocument, note: str = "") -> None:
        if self._stack.currentWidget() is self._reader:
            self.reader.show_document(title, document, note=note)

    def _read_failed(self, title: str, error: AppError) -> None:
        if self._stack.currentWidget() is self._reader:
            self.reader.show_failure(title, error)

    def _retry(self) -> None:
        if isinstance(self._back_to, NoticesPage | LibraryPage):
            self._back_to.retry_open()

    def close_reader(self) -> None:
        """Back to where the document was opened from."""
        self._stack.setCurrentWidget(self._back_to or self.workbench)
        if self._reader is not None:
            self._reader.clear()

    # ---- where to go
    def focus_search(self) -> None:
        """Leads to the search of the room that is shown; the workbench has none of its own and leads to the notices."""
        shown = self._stack.currentWidget()
        if shown is self._reader and self._reader is not None:
            self._reader.open_find()
        elif shown is self._library and self._library is not None:
            self._library.focus_search()
        else:
            self.open_module("notices")
            self.notices.focus_search()

    def show_workbench(self) -> None:
        """Shows the workbench."""
        self._stack.setCurrentWidget(self.workbench)

    def open_module(self, module_id: str, part: str = "") -> None:
        """Shows a module, and of it a part: a filter of notices, "kept" or "new" of the library."""
        match module_id:
            case "notices":
                self._stack.setCurrentWidget(self.notices)
                if part:
                    self.notices.show_filter(NoticeFilter(part))
            case "library":
                self._stack.setCurrentWidget(self.library)
                if part:
                    self.library.show_folder(KEPT_DOCUMENTS if part == "kept" else ALL_DOCUMENTS)
            case _:
                self._navigator.open_page(module_id)

    def open_notice(self, notice_id: str) -> None:
        """Shows a notice."""
        self._leave_reader()
        self._stack.setCurrentWidget(self.notices)
        self._when_ready(lambda: self.notices.open_notice(notice_id))

    def open_document(self, document_id: str) -> None:
        """Shows a document of the library in the reader."""
        self._leave_reader()
        self._stack.setCurrentWidget(self.library)
        self._when_ready(lambda: self.library.show_document(document_id))

    def open_link(self, type_name: str, object_id: str) -> None:
        """Shows what an alert or a card points to."""
        match type_name:
            case "Notice":
                self.open_notice(object_id)
            case "Document":
                self.open_document(object_id)
            case "Conversation":
                self._navigator.open_conversation(object_id)
            case "Person":
                self._navigator.open_person(object_id)

    def _leave_reader(self) -> None:
        if self._reader is not None and self._stack.currentWidget() is self._reader:
            self.close_reader()

    def _confirm(self, notice_id: str) -> None:
        self.notices.confirm(notice_id)

    def _when_ready(self, action: Callable[[], None]) -> None:
        if self.data.ready:
            action()
        else:
            self._waiting = action
            self.load()

    def load(self) -> None:
        """Reads the records, once."""
        if not self.data.ready:
            self.data.load()

    def _on_loaded(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def _on_changed(self, name: str) -> None:
        if name != "notices":
            return
        me = self._session.me.id
        count = sum(is_to_confirm(n) or is_unread(n, me) for n in self.data.notices)
        if count != self.badge:
            self.badge = count
            self.badge_changed.emit(count)

    # ---- Qt events
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()


def create_workbench(
    session: OfficeSession, navigator: Navigator, now_ms: Callable[[], int] | None = None
) -> OfficePage:
    """The page as the main window adds it."""
    return OfficePage(session, navigator, now_ms or SystemClock().now_ms)
