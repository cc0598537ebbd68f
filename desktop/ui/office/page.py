"""The office page: the workbench, "my work", the modules they open and the reader over them. One page of the main window, rooms inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from desktop.core.clock import SystemClock
from desktop.core.domain import LocalDocument
from desktop.core.errors import AppError
from desktop.models.cases_verbs import CasesVerbs
from desktop.models.documents import ALL_DOCUMENTS, KEPT_DOCUMENTS
from desktop.models.records import NoticeFilter
from desktop.models.workbench import Part
from desktop.ui.i18n import tr
from desktop.ui.kit import Snack
from desktop.ui.layouts import discard
from desktop.ui.office.document_readers import create_reader
from desktop.ui.office.library_page import LibraryPage
from desktop.ui.office.module_page import ModulePage, create_module_page
from desktop.ui.office.notices_page import NoticesPage
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.views.base import RecordsSession
from desktop.ui.office.workbench import Workbench
from desktop.ui.office.workbench_list import MyWork, create_my_work
from desktop.ui.office.workbench_work import WorkData
from desktop.ui.reader.document_reader import DocumentReader
from desktop.ui.shell.navigator import Navigator
from desktop.ui.tasks import TaskOwner, alive

Room = NoticesPage | LibraryPage | ModulePage


class OfficePage(QWidget):
    """Shows one of its rooms. What is asked for before the records are read is shown as soon as they are."""

    badge_changed = Signal(int)  # what is to be done or read

    def __init__(
        self,
        session: RecordsSession,
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
        self._my_work: MyWork | None = None
        self._modules: dict[str, ModulePage] = {}
        self.tasks = TaskOwner(self)
        self._waiting: Callable[[], None] | None = None
        self._back_to: QWidget | None = None
        self.badge = 0
        self.work = WorkData(session, self.data, now_ms, self)
        self.workbench = Workbench(self.data, self.work)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.workbench)
        self._stack.currentChanged.connect(self._on_room)
        self.setFocusProxy(self.workbench)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        self.workbench.module_asked.connect(self.open_module)
        self.workbench.part_asked.connect(self.open_my_work)
        self.workbench.link_asked.connect(self.open_record)
        self.workbench.confirm_asked.connect(self._confirm)
        self.data.loaded.connect(self._on_loaded)
        self.data.changed.connect(self._on_changed)
        self.work.changed.connect(self._show_badge)
        self.snack = Snack(self)

    # ---- rooms, made when first wanted
    @property
    def notices(self) -> NoticesPage:
        """The notices module."""
        if self._notices is None:
            self._notices = NoticesPage(self.data, self._now_ms)
            self._notices.back_asked.connect(self.show_workbench)
            self._notices.link_asked.connect(self.open_record)
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
    def my_work(self) -> MyWork:
        """The lists of what waits for the user."""
        if self._my_work is None:
            self._my_work = create_my_work(self.work, self.open_record, self.show_workbench)
            self._stack.addWidget(self._my_work)
        return self._my_work

    def module_page(self, module_id: str) -> ModulePage:
        """The page of a module that has none of its own."""
        page = self._modules.get(module_id)
        if page is None:
            page = create_module_page(self._session, self._navigator, module_id, self._now_ms)
            page.back_asked.connect(self.show_workbench)
            page.link_asked.connect(self.open_record)
            self._wire_reader(page)
            self._modules[module_id] = page
            self._stack.addWidget(page)
        return page

    @property
    def reader(self) -> DocumentReader:
        """The reader over whichever room asked for it."""
        if self._reader is None:
            self._reader = create_reader(self._session, self._now_ms, self.data.name)
            self._reader.closed.connect(self.close_reader)
            self._reader.retry.connect(self._retry)
            self._stack.addWidget(self._reader)
        return self._reader

    def _wire_reader(self, room: Room) -> None:
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
        if isinstance(self._back_to, Room):
            self._back_to.retry_open()

    def close_reader(self) -> None:
        """Back to where the document was opened from."""
        self._stack.setCurrentWidget(self._back_to or self.workbench)
        if self._reader is not None:
            self._reader.clear()

    # ---- where to go
    def _on_room(self, _number: int) -> None:
        """The keyboard goes to what a room names as its first: its list, not the button that leads back."""
        room = self._stack.currentWidget()
        if room is None:
            return
        self.setFocusProxy(room)
        if room.focusProxy() is not None and self.isVisible():
            room.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_search(self) -> None:
        """Leads to the search of the room that is shown; the workbench has none of its own and leads to "my work"."""
        shown = self._stack.currentWidget()
        if shown is self._reader and self._reader is not None:
            self._reader.open_find()
            return
        if not isinstance(shown, Room):
            self.open_my_work(str(self.my_work.part))
            shown = self.my_work
        shown.focus_search()

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
            case "contacts":  # a page of the main window
                self._navigator.open_page(module_id)
                self.work.use(module_id)
                return
            case _ if self.work.module(module_id) is not None:
                page = self.module_page(module_id)
                self._stack.setCurrentWidget(page)
                if part:
                    page.show_view(part)
            case _:
                self._navigator.open_page(module_id)
                return
        self.work.use(module_id)

    def open_my_work(self, part: str = Part.TODO) -> None:
        """Shows a list of what waits for the user."""
        self.my_work.show_part(part)
        self._stack.setCurrentWidget(self.my_work)

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

    def open_record(self, type_name: str, object_id: str) -> None:
        """Shows what a link, an alert or a card points to: a record of any type, a conversation, a message, a colleague."""
        match type_name:
            case "Notice":
                self.open_notice(object_id)
            case "Document":
                self.open_document(object_id)
            case "Conversation":
                self._navigator.open_conversation(object_id)
            case "Message":
                self.tasks.start(self._open_message(object_id), name="open-message", exclusive=True)
            case "Person":
                self._navigator.open_person(object_id)
            case _:
                self._leave_reader()
                self.tasks.start(self._open_record(type_name, object_id), name="open-record", exclusive=True)

    async def _open_record(self, type_name: str, record_id: str) -> None:
        if type_name == "WorkItem" and hasattr(self._session, "cases"):
            cases = cast(CasesVerbs, self._session.cases)
            item = await cases.item(record_id)
            if item is not None:
                type_name, record_id = item.record_type, item.record_id
        page = await self._home_page(type_name)
        if isinstance(page, ModulePage):
            page.open_link(type_name, record_id)
        elif page is not None:
            page.open_record(type_name, record_id)

    async def _home_page(self, type_name: str) -> ModulePage | NoticesPage | None:
        """The page of the module a type belongs to, shown; tells the user where there is none."""
        module = next((one for one in await self._session.records.modules() if one.type(type_name)), None)
        if not alive(self):
            return None
        if module is None:
            self.snack.say(tr("office_workbench.no_record"))
            return None
        page = self.notices if module.id == "notices" else self.module_page(module.id)
        self._stack.setCurrentWidget(page)
        self.work.use(module.id)
        return page

    async def _open_message(self, message_id: str) -> None:
        message = await self._session.chat.message(message_id)
        if not alive(self):
            return
        if message is None:
            self.snack.say(tr("office_workbench.no_record"))
        else:
            self._navigator.open_message(message.conversation_id, message.id, message.seq)

    def new_record(self, type_name: str, prefill: Mapping[str, Any]) -> None:
        """Opens the form for a new record of a type, with what is known already filled in."""
        self._leave_reader()
        self.tasks.start(self._new_record(type_name, dict(prefill)), name="new-record", exclusive=True)

    async def _new_record(self, type_name: str, prefill: dict[str, Any]) -> None:
        page = await self._home_page(type_name)
        if page is not None:
            page.new_record(prefill, type_name)

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
        if not self.work.ready:
            self.work.load()

    def _on_loaded(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def _on_changed(self, name: str) -> None:
        """A module that was taken away takes its page with it."""
        if name != "modules":
            return
        for module_id in self._modules.keys() - {module.id for module in self.data.modules}:
            page = self._modules.pop(module_id)
            if self._stack.currentWidget() is page:
                self.show_workbench()
            self._stack.removeWidget(page)
            discard(page)

    def _show_badge(self) -> None:
        work = self.work.work
        count = len(work.part(Part.TODO)) + len(work.part(Part.TO_READ))
        if count != self.badge:
            self.badge = count
            self.badge_changed.emit(count)

    # ---- Qt events
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.load()


def create_workbench(
    session: RecordsSession, navigator: Navigator, now_ms: Callable[[], int] | None = None
) -> OfficePage:
    """The page as the main window adds it."""
    return OfficePage(session, navigator, now_ms or SystemClock().now_ms)
