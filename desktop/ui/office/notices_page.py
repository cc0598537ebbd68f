"""The notices module: its tabs, a list or a generic view at the left; beside it the reader, the form, or a record of the module."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import Any, Final, cast

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFrame, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import Notice, Transfer
from desktop.core.domain.records import Record, RecordQuery
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, EditRefused, Event, TransferProgress
from desktop.core.ids import read_mark_id
from desktop.models.records import NoticeFilter, NoticeListModel, is_to_confirm, is_unread
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import EmptyState, Snack, on_click
from desktop.ui.office.notice_files import NoticeFiles
from desktop.ui.office.notice_form import NOTICE, NoticeDetail
from desktop.ui.office.notice_header import NoticesHeader
from desktop.ui.office.notice_list import NoticeList
from desktop.ui.office.notice_reader import NoticeReader
from desktop.ui.office.notice_views import NoticeViews
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.record.share import SharePane, sent_text
from desktop.ui.office.views.base import RecordsSession, ViewContext, view_label
from desktop.ui.tasks import TaskOwner, alive

LIST_WIDTH = 320
LIST_MOST = 440
READER_WIDTH = 700
MODULE: Final = "notices"
SETTINGS: Final = "NoticeSettings"
ESCALATION: Final = "NoticeEscalation"
EMPTY = {
    NoticeFilter.ALL: "office.none",
    NoticeFilter.UNREAD: "office.none_unread",
    NoticeFilter.TO_CONFIRM: "office.none_to_confirm",
    NoticeFilter.MINE: "office.none_mine",
}


class NoticesPage(QWidget):
    """Works on an OfficeData that is loaded by its owner."""

    back_asked = Signal()
    link_asked = Signal(str, str)  # a record of another module, or a colleague (type, id)
    document_opened = Signal(str, object)  # title, LocalDocument
    document_loading = Signal(str)
    document_failed = Signal(str, object)  # title, AppError

    def __init__(self, data: OfficeData, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("noticesPage")
        self.tasks = TaskOwner(self)
        self._data, self._now_ms = data, now_ms
        self._me = data.session.me
        # The office page makes its data from a session with records; the narrower type is what the library needs.
        self.context = ViewContext(cast(RecordsSession, data.session), MODULE, now_ms, self)
        self.files = NoticeFiles(data.session, self)
        self._model = NoticeListModel(self._me.id, self)
        self._transfers: dict[str, Transfer] = {}
        self._told: set[str] = set()  # read here; the record that says so may still be on its way
        self.filter = NoticeFilter.ALL
        self.share: SharePane | None = None
        self._waiting: Callable[[], None] | None = None
        """What was asked for before the definition was read."""
        self._build_ui()
        self._bind()
        self._on_changed("organization")
        self.tasks.start(self._load_module(), name="module")

    # ---- build
    def _build_ui(self) -> None:
        self.list = NoticeList(self._model, self._now_ms)
        self.state = EmptyState("megaphone", "common.loading")
        self._left = QStackedWidget()
        self._left.addWidget(self.list)
        self._left.addWidget(self.state)
        self.generic = NoticeViews(self.context, self._left)
        self._pane = QWidget()
        self._pane.setProperty("surface", "pane")
        self._pane.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(self._pane)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._left)
        self.reader = NoticeReader(self._data, self.context, self._now_ms)
        self.detail = NoticeDetail(self.context)
        self.nothing = EmptyState("article", "office.choose_notice")
        self._right = QStackedWidget()
        for widget in (self.nothing, self.reader, self.detail):
            self._right.addWidget(widget)
        self._surface = QFrame()
        self._surface.setProperty("surface", "surface")
        inside = QVBoxLayout(self._surface)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._right)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._pane)
        self._split.addWidget(self._surface)
        self._split.setStretchFactor(1, 1)
        self._pane.setMinimumWidth(theme.values.LIST_MIN)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        self.header = NoticesHeader()
        self.tabs, self.search, self.new = self.header.tabs, self.header.search, self.header.new
        self.tabs.current = NoticeFilter.ALL.value
        outer.addWidget(self.header)
        outer.addWidget(self._split, 1)
        self._snack = Snack(self)
        self.setFocusProxy(self.list)
        self._share_room(generic=False)

    def _share_room(self, *, generic: bool) -> None:
        """A list takes no more than it needs, also with large text; a table takes what the pane beside it leaves."""
        if generic:
            room = max(self.width(), LIST_WIDTH + READER_WIDTH)
            self._split.setSizes([room * 6 // 10, room * 4 // 10])
        else:
            self._split.setSizes([min(theme.scaled(LIST_WIDTH), LIST_MOST), READER_WIDTH])

    def _bind(self) -> None:
        self._data.changed.connect(self._on_changed)
        self._data.loaded.connect(lambda: self._on_changed("notices"))
        self._data.failed.connect(self._on_failed)
        self.header.back_asked.connect(self.back_asked)
        self.tabs.chosen.connect(self.show_tab)
        self.search.searched.connect(lambda _text: self._filter())
        self.list.picked.connect(self._on_picked)
        self.reader.confirm_asked.connect(self.confirm)
        self.reader.edit_asked.connect(self.write)
        self.reader.mend_asked.connect(self.mend)
        self.reader.acted.connect(self._snack.say)
        self.reader.deleted.connect(self._show_nothing)
        self.reader.share_asked.connect(self._share)
        self.reader.attachment_opened.connect(self.files.open)
        self.reader.attachment_saved.connect(self.files.save)
        self.files.told.connect(self._snack.say)
        self.detail.closed.connect(self._close_detail)
        self.detail.written.connect(self._on_written)
        self.detail.opened_record.connect(self.open_record)
        for part in (self.reader, self.detail, self.files):
            part.document_loading.connect(self.document_loading)
            part.document_opened.connect(self.document_opened)
            part.document_failed.connect(self.document_failed)
        self.generic.opened.connect(self.open_record)
        self.generic.new_asked.connect(self.new_record)
        self.generic.text_wanted.connect(self.search.setText)
        self.state.action.clicked.connect(self._data.load)
        self.context.definition_changed.connect(self._on_definition)
        on_click(self.new, self.new_record)
        i18n.changed.connect(self._show_tabs)
        for keys, action in (
            (QKeySequence(QKeySequence.StandardKey.Find), self.focus_search),
            (QKeySequence(QKeySequence.StandardKey.New), self.new_record),
        ):
            shortcut = QShortcut(keys, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(self._data.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    # ---- the module
    async def _load_module(self) -> None:
        """Definition, names, the approval switch. Without them notices are read all the same."""
        try:
            await self.context.load()
        except AppError:
            return  # the context reads again with the next change
        if alive(self):
            self._on_definition()
            await self._load_settings()

    async def _load_settings(self) -> None:
        """Whether somebody else approves, and whether this user has anybody to urge."""
        if self.context.type_of(SETTINGS) is None:
            return
        try:
            found = await self.context.records.page(RecordQuery(SETTINGS))
            urged = await self.context.records.page(RecordQuery(ESCALATION, limit=1))
        except AppError:
            return  # the next change reads again; the server decides anyway
        if not alive(self):
            return
        approval = any(bool(one.data.get("approval")) for one in found.records)
        self.reader.approval = self.detail.approval = approval
        self.generic.urged = urged.total > 0
        self._show_tabs()
        self.reader.reload()

    def _on_definition(self) -> None:
        self.generic.refresh()
        self._show_tabs()
        self.reader.reload()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting()

    def _show_tabs(self) -> None:
        counts = {kind: self._model.count(kind) for kind in (NoticeFilter.UNREAD, NoticeFilter.TO_CONFIRM)}
        tabs = []
        for kind in NoticeFilter:
            words, count = tr(f"office.filter.{kind.value}"), counts.get(kind, 0)
            tabs.append((kind.value, f"{words} {count}" if count else words))
        tabs += [(view.id, view_label(self.context, view)) for view in self.generic.views()]
        self.tabs.set_tabs(tabs)
        if self.tabs.current not in dict(tabs):
            self.show_tab(NoticeFilter.ALL.value)
        self.tabs.choose(self.tabs.current)
        self._show_new()

    def _new_type(self) -> str:
        """What the primary button makes: in a tab of other records, one of those."""
        view = self.generic.view(self.tabs.current)
        return view.type if view is not None else NOTICE

    def _show_new(self) -> None:
        name = self._new_type()
        definition = self.context.type_of(name)
        if definition is None:
            self.new.hide()
            return
        once = name == SETTINGS  # there is one for the whole office
        self.new.setVisible(not once and self.context.records.may(None, name, "create"))
        i18n.unbind(self.new.setText)
        self.new.setText(tr("office_notice.new") if name == NOTICE else self.context.label(definition.label))

    # ---- tabs
    def show_tab(self, key: str) -> None:
        """Shows a tab: a filter of the list, or a view of the definition."""
        view = self.generic.view(key)
        if view is None:
            self._leave_generic()
            self.filter = NoticeFilter(key) if key in set(NoticeFilter) else NoticeFilter.ALL
            self.tabs.choose(self.filter.value)
            self._filter()
            self._show_new()
            return
        generic = self.generic.shown is not None
        frame = self.generic.frame(view)
        self.tabs.choose(key)
        self._left.setCurrentWidget(frame)
        frame.set_text(self.search.text().strip())
        if not generic:
            self._share_room(generic=True)
        if self._right.currentWidget() is not self.detail or not self.detail.writing:
            self._show_nothing()
        self._show_new()

    def _leave_generic(self) -> None:
        shown = self.generic.shown
        if shown is not None:
            shown.leave()
            self._share_room(generic=False)
            self._left.setCurrentWidget(self.list)
            if self._right.currentWidget() is self.detail and not self.detail.writing:
                self._show_nothing()

    # ---- content
    def _on_changed(self, name: str) -> None:
        if name not in ("notices", "organization"):
            return
        if name == "organization":
            self._model.set_names(self._data.names)
        self._model.set_notices(self._data.notices)
        self._show_tabs()
        self._refresh_state()
        self._show_awaited()
        shown = self._model.notice(self.reader.notice_id) if self.reader.notice_id else None
        if shown is not None:
            self.reader.show_notice(shown, list(self._transfers.values()))
            self.list.select(shown.id)
        elif self.reader.notice_id and self._data.ready and self._right.currentWidget() is self.reader:
            self._right.setCurrentWidget(self.nothing)

    def _on_failed(self, error: AppError) -> None:
        self.state.show_text("warning-circle", "office.failed")
        self.state.hint.setText(error_text(error))
        self.state.hint.show()
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.show()
        self._show_list(self.state)

    def _show_list(self, widget: QWidget) -> None:
        """The list, or what stands in its place; a generic view stays."""
        if self.generic.shown is None:
            self._left.setCurrentWidget(widget)

    def _refresh_state(self) -> None:
        if self._model.rowCount():
            self._show_list(self.list)
            return
        self.state.action.hide()
        if not self._data.ready:
            self.state.show_text("hourglass-medium", "common.loading")
        elif self.search.text():
            self.state.show_text("magnifying-glass", "office.none_found")
        else:
            self.state.show_text("check-circle", EMPTY[self.filter])
        self._show_list(self.state)

    def _filter(self) -> None:
        shown = self.generic.shown
        if shown is not None:
            shown.set_text(self.search.text().strip())
            return
        self._model.set_filter(self.filter, self.search.text())
        self._refresh_state()

    def _on_picked(self, notice_id: str) -> None:
        notice = self._model.notice(notice_id)
        if notice is None:
            return
        if notice_id == self.reader.notice_id:
            self._show_reader()
            return
        self._awaited = ""  # something else is read meanwhile
        self._model.hold(notice_id)
        self.reader.show_notice(notice, list(self._transfers.values()))
        self._show_reader()
        self._mark_read(notice)
        if self.reader.sees_readers and notice.state != "draft":
            self.tasks.start(self._load_marks(notice_id), name="marks", exclusive=True)

    def _show_reader(self) -> None:
        """The reader in front; a form that is left keeps what is written as its draft."""
        self._right.setCurrentWidget(self.reader)

    def _show_nothing(self) -> None:
        generic = self.generic.shown is not None
        self.nothing.show_text("article", "office_notice.choose" if generic else "office.choose_notice")
        self._right.setCurrentWidget(self.nothing)

    def _mark_read(self, notice: Notice) -> None:
        """What is not on the screen has not been read: a notice picked behind a hidden page waits for it to be shown."""
        if self.isVisible() and is_unread(notice, self._me.id) and notice.id not in self._told:
            self._told.add(notice.id)
            self.tasks.start(self._data.session.office.mark_read(notice.id), name=f"read-{notice.id}", exclusive=True)

    async def _load_marks(self, notice_id: str) -> None:
        marks = await self._data.session.office.marks(notice_id)
        if alive(self) and self.reader.notice_id == notice_id:
            self.reader.show_marks(marks)

    def _on_event(self, event: Event) -> None:
        match event:
            case TransferProgress(transfer=transfer):
                if transfer.blob_id:
                    self._transfers[transfer.blob_id] = transfer
                self.reader.show_transfer(transfer)
            case ChangeSet(type_name="ReadMark") if self.reader.notice_id and self.reader.sees_readers:
                self.tasks.start(self._load_marks(self.reader.notice_id), name="marks", exclusive=True)
            case ChangeSet(type_name="NoticeBallot" | "NoticeEscalation" | "NoticeSettings"):
                self.tasks.start(self._load_settings(), name="settings", exclusive=True)
                self.reader.reload()
            case EditRefused(type_name="ReadMark", object_id=key) if self.reader.notice_id:
                if key == read_mark_id(self.reader.notice_id, self._me.id):
                    self.reader.show_confirmed(self.reader.notice_id, False)
                    self._snack.say(tr("office.confirm_refused"))

    # ---- what the user does
    def focus_search(self) -> None:
        """Puts the cursor into the search field."""
        self.search.setFocus()

    def open_notice(self, notice_id: str) -> None:
        """Shows a notice whatever is filtered; one that is gone says so."""
        if self._model.notice(notice_id) is None:
            self._snack.say(tr("office.notice_gone") if self._data.ready else tr("common.loading"))
            return
        if self.generic.shown is not None:  # a table of notices stays beside the notice
            self._on_picked(notice_id)
            return
        if not self.list.select(notice_id):
            self.search.clear()
            self.show_tab(NoticeFilter.ALL.value)
            self.list.select(notice_id)
        self._on_picked(notice_id)

    def open_record(self, type_name: str, record_id: str) -> None:
        """Shows a record of the module; what is of another kind is left to who knows it."""
        if type_name == NOTICE:
            self.open_notice(record_id)
        elif self.context.module is None:  # whose type it is will be known when the definition is read
            self._waiting = partial(self.open_record, type_name, record_id)
        elif self.context.module.type(type_name) is not None:
            self._right.setCurrentWidget(self.detail)
            self.detail.show_record(type_name, record_id)
        else:
            self.link_asked.emit(type_name, record_id)

    def show_filter(self, kind: NoticeFilter) -> None:
        """Shows the notices of one filter."""
        self.search.clear()
        self.show_tab(kind.value)
        if self._model.rowCount():
            self.list.setCurrentIndex(self._model.index(0))

    def confirm(self, notice_id: str) -> None:
        """Confirms: the screen answers at once, the core sends it now or when there is a connection."""
        notice = self._model.notice(notice_id)
        if notice is not None and is_to_confirm(notice):
            self.reader.show_confirmed(notice_id, True)
            self._model.hold(notice_id)
            self.tasks.start(self._do_confirm(notice_id), name=f"confirm-{notice_id}")

    async def _do_confirm(self, notice_id: str) -> None:
        try:
            await self._data.session.office.confirm(notice_id)
        except AppError:
            if alive(self):
                self.reader.show_confirmed(notice_id, False)
            raise

    # ---- writing
    def new_record(self, prefill: dict[str, Any] | None = None, type_name: str = "") -> None:
        """Opens the form of a new notice, or of what the tab shows."""
        if self.context.module is None:
            self._waiting = partial(self.new_record, prefill, type_name)
            return
        wanted = type_name or self._new_type()
        if self.context.type_of(wanted) is not None and self.context.records.may(None, wanted, "create"):
            self._right.setCurrentWidget(self.detail)
            self.detail.new(wanted, dict(prefill or {}))

    def write(self, record: Record) -> None:
        """Opens the form of a notice."""
        self._right.setCurrentWidget(self.detail)
        self.detail.write(record)

    def mend(self, notice_id: str) -> None:
        """An edit of it was refused: the generic pane compares, or gives what was written back into a form."""
        self._right.setCurrentWidget(self.detail)
        self.detail.show_record(NOTICE, notice_id)

    def _share(self, record: Record) -> None:
        """Asks which conversation the notice goes to."""
        if self.share is None:
            self.share = SharePane(self.context, self._right)
            self.share.closed.connect(self._show_reader)
            self.share.sent.connect(self._on_sent)
            self._right.addWidget(self.share)
        self._right.setCurrentWidget(self.share)
        self.share.show_record(record)

    def _on_sent(self, conversation: str) -> None:
        self._snack.say(sent_text(conversation))
        self._show_reader()

    def _close_detail(self) -> None:
        if self.generic.shown is not None or not self.reader.notice_id:
            self._show_nothing()
        else:
            self._show_reader()

    def _on_written(self, notice_id: str, problem: str) -> None:
        """It is on its way: it is shown as soon as it is in the list."""
        self._snack.say(problem or tr("office_notice.written"))
        self._show_nothing()
        self._awaited = notice_id
        self._show_awaited()

    _awaited = ""

    def _show_awaited(self) -> None:
        if self._awaited and self._model.notice(self._awaited) is not None:
            awaited, self._awaited = self._awaited, ""
            self.open_notice(awaited)

    def retry_open(self) -> None:
        """Opens the last attachment again, after it could not be had."""
        self.files.open_last()

    # ---- Qt events
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        notice = self._model.notice(self.reader.notice_id)
        if notice is not None:
            self._mark_read(notice)
