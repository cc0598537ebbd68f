"""The notices module: list with filters and search at the left, the reader at the right, publishing for those who may."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import Attachment, LocalDocument, Notice, Transfer
from desktop.core.errors import AppError, Offline
from desktop.core.events import ChangeSet, EditRefused, Event, TransferProgress
from desktop.core.ids import read_mark_id
from desktop.models.records import NoticeFilter, NoticeListModel, is_to_confirm, is_unread
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import (
    Button,
    Dialog,
    EmptyState,
    IconButton,
    Label,
    PaneHeader,
    SearchBox,
    Snack,
    TextField,
    finished,
    on_click,
)
from desktop.ui.office.fetching import fetch_bytes
from desktop.ui.office.filter_tabs import FilterTabs
from desktop.ui.office.notice_list import NoticeList
from desktop.ui.office.notice_reader import NoticeReader
from desktop.ui.office.office_records import OfficeData
from desktop.ui.tasks import TaskOwner, alive

LIST_WIDTH = 320
LIST_MOST = 440
READER_WIDTH = 700
EMPTY = {
    NoticeFilter.ALL: "office.none",
    NoticeFilter.UNREAD: "office.none_unread",
    NoticeFilter.TO_CONFIRM: "office.none_to_confirm",
    NoticeFilter.MINE: "office.none_mine",
}


class NoticesPage(QWidget):
    """Works on an OfficeData that is loaded by its owner."""

    back_asked = Signal()
    document_opened = Signal(str, object)  # title, LocalDocument
    document_loading = Signal(str)
    document_failed = Signal(str, object)  # title, AppError

    def __init__(self, data: OfficeData, now_ms: Callable[[], int], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("noticesPage")
        self.tasks = TaskOwner(self)
        self._data, self._now_ms = data, now_ms
        self._me = data.session.me
        self._model = NoticeListModel(self._me.id, self)
        self._transfers: dict[str, Transfer] = {}
        self._last: Attachment | None = None
        self._told: set[str] = set()  # read here; the record that says so may still be on its way
        self._build_ui()
        self._bind()
        self._on_changed("organization")

    # ---- build
    def _build_ui(self) -> None:
        self.header = PaneHeader(key="office.notices")
        back = IconButton("arrow-left", "office.back")
        back.setObjectName("noticesBack")
        layout = self.header.layout()
        assert layout is not None
        layout.insertWidget(0, back)  # type: ignore[attr-defined]  # PaneHeader's layout is a QHBoxLayout
        on_click(back, self.back_asked.emit)
        self.publish = Button(key="office.publish", kind="primary", icon="plus", small=True)
        self.publish.setObjectName("noticesPublish")
        self.publish.setVisible("publisher" in self._me.roles)
        self.header.add_action(self.publish)
        self.tabs = FilterTabs("office.filter", tuple(kind.value for kind in NoticeFilter))
        self.tabs.set_shown(NoticeFilter.MINE, "publisher" in self._me.roles)
        self.search = SearchBox("office.search_notices")
        self.search.setObjectName("noticesSearch")
        self.list = NoticeList(self._model, self._now_ms)
        self.state = EmptyState("megaphone", "common.loading")
        self._left = QStackedWidget()
        self._left.addWidget(self.list)
        self._left.addWidget(self.state)
        left = QWidget()
        left.setProperty("surface", "pane")
        left.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        tools = QVBoxLayout()
        tools.setContentsMargins(14, 12, 14, 10)
        tools.setSpacing(10)
        tools.addWidget(self.tabs)
        tools.addWidget(self.search)
        column.addWidget(self.header)
        column.addLayout(tools)
        column.addWidget(self._left, 1)
        self.reader = NoticeReader(self._data, self._now_ms)
        self.nothing = EmptyState("article", "office.choose_notice")
        self._right = QStackedWidget()
        self._right.addWidget(self.nothing)
        self._right.addWidget(self.reader)
        surface = QFrame()
        surface.setProperty("surface", "surface")
        inside = QVBoxLayout(surface)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self._right)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(surface)
        split.setStretchFactor(1, 1)
        left.setMinimumWidth(theme.values.LIST_MIN)
        # With large text the list takes no more than it needs: what is read is at the right.
        split.setSizes([min(theme.scaled(LIST_WIDTH), LIST_MOST), READER_WIDTH])
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(split)
        self._snack = Snack(self)

    def _bind(self) -> None:
        self._data.changed.connect(self._on_changed)
        self._data.loaded.connect(lambda: self._on_changed("notices"))
        self._data.failed.connect(self._on_failed)
        self.tabs.chosen.connect(lambda _key: self._filter())
        self.search.searched.connect(lambda _text: self._filter())
        self.list.picked.connect(self._on_picked)
        self.reader.confirm_asked.connect(self.confirm)
        self.reader.withdraw_asked.connect(self.withdraw)
        self.reader.attachment_opened.connect(self.open_attachment)
        self.reader.attachment_saved.connect(self.save_attachment)
        self.state.action.clicked.connect(self._data.load)
        on_click(self.publish, self.open_form)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.search.setFocus)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(self._data.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    # ---- content
    def _on_changed(self, name: str) -> None:
        if name not in ("notices", "organization"):
            return
        if name == "organization":
            self._model.set_names(self._data.names)
        self._model.set_notices(self._data.notices)
        self.tabs.set_counts({kind.value: self._model.count(kind) for kind in NoticeFilter if kind != NoticeFilter.ALL})
        self._refresh_state()
        shown = self._model.notice(self.reader.notice_id) if self.reader.notice_id else None
        if shown is not None:
            self.reader.show_notice(shown, list(self._transfers.values()))
            self.list.select(shown.id)
        elif self.reader.notice_id and self._data.ready:
            self._right.setCurrentWidget(self.nothing)

    def _on_failed(self, error: AppError) -> None:
        self.state.show_text("warning-circle", "office.failed")
        self.state.hint.setText(error_text(error))
        self.state.hint.show()
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.show()
        self._left.setCurrentWidget(self.state)

    def _refresh_state(self) -> None:
        if self._model.rowCount():
            self._left.setCurrentWidget(self.list)
            return
        self.state.action.hide()
        if not self._data.ready:
            self.state.show_text("hourglass-medium", "common.loading")
        elif self.search.text():
            self.state.show_text("magnifying-glass", "office.none_found")
        else:
            self.state.show_text("check-circle", EMPTY[NoticeFilter(self.tabs.current)])
        self._left.setCurrentWidget(self.state)

    def _filter(self) -> None:
        self._model.set_filter(NoticeFilter(self.tabs.current), self.search.text())
        self._refresh_state()

    def _on_picked(self, notice_id: str) -> None:
        notice = self._model.notice(notice_id)
        if notice is None or notice_id == self.reader.notice_id:
            return
        self._model.hold(notice_id)
        self.reader.show_notice(notice, list(self._transfers.values()))
        self._right.setCurrentWidget(self.reader)
        self._mark_read(notice)
        if self.reader.sees_readers and notice.state != "draft":
            self.tasks.start(self._load_marks(notice_id), name="marks", exclusive=True)

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
        if not self.list.select(notice_id):
            self.search.clear()
            self.tabs.choose(NoticeFilter.ALL)
            self.list.select(notice_id)
        self._on_picked(notice_id)

    def show_filter(self, kind: NoticeFilter) -> None:
        """Shows the notices of one filter."""
        self.search.clear()
        self.tabs.choose(kind)
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

    def withdraw(self, notice_id: str) -> None:
        """Asks for a reason and withdraws."""
        self.tasks.start(self._do_withdraw(notice_id), name="withdraw", exclusive=True)

    async def _do_withdraw(self, notice_id: str) -> None:
        dialog = Dialog(self, "office.withdraw", width=420)
        dialog.setObjectName("withdrawDialog")
        dialog.body.addWidget(Label(key="office.withdraw", role="header", strong=True))
        dialog.body.addWidget(Label(key="office.withdraw_hint", tone="ink2", wrap=True))
        reason = TextField(key="office.withdraw_reason")
        reason.setObjectName("withdrawReason")
        reason.setMaxLength(200)
        dialog.body.addWidget(reason)
        dialog.add_button("common.cancel", accept=False)
        go = dialog.add_button("office.withdraw", kind="danger", accept=True)
        go.setEnabled(False)
        reason.textChanged.connect(lambda text: go.setEnabled(bool(text.strip())))
        try:
            if await finished(dialog):
                await self._data.session.office.withdraw(notice_id, reason.text().strip())
                if alive(self):
                    self._snack.say(tr("office.withdrawn_done"))
        except Offline:
            if alive(self):
                self._snack.say(tr("office.withdraw_offline"))
        finally:
            dialog.deleteLater()

    def open_form(self) -> None:
        """Opens the form for a new notice."""
        from desktop.ui.office.notice_form import NoticeForm  # most people never publish

        form = NoticeForm(self._data, self._now_ms(), self)
        form.published.connect(self._on_published)
        form.finished.connect(form.deleteLater)
        form.open()

    def _on_published(self, notice_id: str) -> None:
        self._snack.say(tr("office.published"))

    def retry_open(self) -> None:
        """Opens the last attachment again, after it could not be had."""
        if self._last is not None:
            self.open_attachment(self._last)

    def open_attachment(self, attachment: Attachment) -> None:
        """Opens an attachment in the reader, fetching it first where it must be."""
        self._last = attachment
        self.document_loading.emit(attachment.name)
        self.tasks.start(self._open_attachment(attachment), name="attachment", exclusive=True)

    async def _open_attachment(self, attachment: Attachment) -> None:
        try:
            data = await fetch_bytes(self._data.session, attachment)
        except AppError as error:
            if alive(self):
                self.document_failed.emit(attachment.name, error)
            return
        if alive(self):
            self.document_opened.emit(attachment.name, LocalDocument(attachment.name, attachment.type, data))

    def save_attachment(self, attachment: Attachment) -> None:
        """Asks for a place and saves the attachment there."""
        self.tasks.start(self._save_attachment(attachment), name="save", exclusive=True)

    async def _save_attachment(self, attachment: Attachment) -> None:
        dialog = QFileDialog(self, tr("office.save_as"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(Path(attachment.name).name)
        if not await finished(dialog) or not alive(self):
            return
        files = self._data.session.files
        await files.ensure(attachment.blob_id, attachment.name, quiet=False)
        try:
            await files.save_as(attachment.blob_id, Path(dialog.selectedFiles()[0]))
        except OSError:
            self._snack.say(tr("reader.save_failed"))
            return
        if alive(self):
            self._snack.say(tr("reader.saved"))

    # ---- Qt events
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        notice = self._model.notice(self.reader.notice_id)
        if notice is not None:
            self._mark_read(notice)
