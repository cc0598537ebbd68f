"""Reads one notice: head, what may be done with it, body, attachments, the vote, who has read it, talk and history, the confirmation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, cast

from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import ConnectionState, LocalDocument, Notice, ReadMark, Transfer
from desktop.core.domain.records import Record
from desktop.core.errors import AppError, Rejected
from desktop.models.notice_report import ReportGroup, report_of
from desktop.models.records import is_to_confirm
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import (
    Banner,
    Chip,
    IconButton,
    Label,
    Menu,
    Scroll,
    clipboard_text,
    on_click,
    row,
)
from desktop.ui.office.attachments import AttachmentCards
from desktop.ui.office.html_view import HtmlView
from desktop.ui.office.levels import chip_of
from desktop.ui.office.notice_actions import REMIND, NoticeActions, NoticeVerbs, refusal_text
from desktop.ui.office.notice_ballot import BallotPane
from desktop.ui.office.notice_foot import NoticeFoot
from desktop.ui.office.notice_report import ReportCard
from desktop.ui.office.notice_sheet import ReceiptSheet
from desktop.ui.office.notice_talk import NoticeTalk
from desktop.ui.office.notice_words import meta_text, show_state, urged_text
from desktop.ui.office.office_records import OfficeData
from desktop.ui.office.record.actions_bar import ConfirmBar
from desktop.ui.office.record.files import RecordFiles
from desktop.ui.office.record.paper import file_name, pdf_of_document
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

COLUMN = 760
GATHER_MS = 40
NOTICE: Final = "Notice"
ESCALATION: Final = "NoticeEscalation"


class NoticeReader(QWidget):
    """The right pane of the notices page. The notice itself is shown at once; what is in its record follows.

    Signals:
        confirm_asked: the id of the notice to confirm. edit_asked: the Record to write in. mend_asked: the id of one whose edit was refused.
        share_asked: the Record to send to a conversation.
        acted: what became of the notice, in words. deleted: it is gone.
        attachment_opened, attachment_saved: an Attachment.
        document_loading, document_opened: a sheet for the reader: title; title and LocalDocument.
    """

    confirm_asked = Signal(str)
    edit_asked = Signal(object)
    mend_asked = Signal(str)
    share_asked = Signal(object)
    acted = Signal(str)
    deleted = Signal()
    attachment_opened = Signal(object)
    attachment_saved = Signal(object)
    document_loading = Signal(str)
    document_opened = Signal(str, object)
    document_failed = Signal(str, object)

    def __init__(
        self, data: OfficeData, context: ViewContext, now_ms: Callable[[], int], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("noticeReader")
        self._data, self._context, self._now_ms = data, context, now_ms
        self.tasks = TaskOwner(self)
        self.files = RecordFiles(context, self)
        self._notice: Notice | None = None
        self._groups: tuple[ReportGroup, ...] | None = None
        self._confirmed_here: set[str] = set()
        self.record: Record | None = None
        self.approval = False
        self._build_ui()
        self._bind()

    def _build_ui(self) -> None:
        self.title = Label(role="title", strong=True, wrap=True)
        self.title.setObjectName("noticeTitle")
        self.chip = Chip()
        self.meta = Label(role="secondary", tone="ink3", wrap=True)
        self.state = Banner()
        self.ask = ConfirmBar()
        self.body = HtmlView()
        self.attachments = AttachmentCards()
        self.steps = NoticeActions(self._context)
        self.vote = BallotPane(self._data, self._context, self._now_ms)
        self.readers = ReportCard()
        self.talk = NoticeTalk(self._context)
        scroll = Scroll(surface="surface")
        column = QWidget()
        column.setMaximumWidth(theme.scaled(COLUMN))
        inner = QVBoxLayout(column)
        inner.setContentsMargins(28, 24, 28, 28)
        inner.setSpacing(12)
        inner.addLayout(self._build_head())
        inner.addWidget(self.steps)
        rule = QFrame()
        rule.setProperty("surface", "rule")
        for widget in (rule, self.body, self.attachments, self.vote, self.readers, self.talk):
            inner.addWidget(widget)
        inner.addStretch(1)
        scroll.inner.setContentsMargins(0, 0, 0, 0)
        centered = QHBoxLayout()
        centered.addWidget(column, 1000)
        centered.addStretch(1)
        scroll.inner.addLayout(centered)
        scroll.inner.addStretch(1)
        self._scroll = scroll
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.state)
        outer.addWidget(self.ask)
        outer.addWidget(scroll, 1)
        self.foot = NoticeFoot()
        on_click(self.foot.confirm, self._ask_confirm)
        outer.addWidget(self.foot)

    def _build_head(self) -> QVBoxLayout:
        self.edit = IconButton("pencil-simple", "office_record.edit", size=18, box=30, parent=self)
        self.edit.setObjectName("noticeEdit")
        self.edit.hide()
        self.follow = IconButton(
            "bell", "office_record.follow", size=18, box=30, checkable=True, active="accent", parent=self
        )
        self.follow.setObjectName("noticeFollow")
        self.share = IconButton("share-network", "office_record.share", size=18, box=30, parent=self)
        self.share.setObjectName("noticeShare")
        self.share.hide()
        self.more = IconButton("dots-three", "office_record.more", size=18, box=30, parent=self)
        self.more.setObjectName("noticeMore")
        head = QVBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.title)
        line = row(self.chip, self.meta, self.follow, self.share, self.edit, self.more, spacing=6)
        line.setStretch(1, 1)
        head.addLayout(line)
        return head

    def _bind(self) -> None:
        self.attachments.opened.connect(self.attachment_opened)
        self.attachments.saved.connect(self.attachment_saved)
        self.talk.comments.file_opened.connect(self.attachment_opened)
        self.talk.comments.file_saved.connect(self.attachment_saved)
        self.steps.done.connect(self._on_acted)
        self.readers.remind_asked.connect(self.remind)
        self.readers.sheet_asked.connect(self.open_sheet)
        self.ask.confirmed.connect(self._delete)
        self.files.document_loading.connect(self.document_loading)
        self.files.document_opened.connect(self.document_opened)
        self.files.document_failed.connect(self.document_failed)
        on_click(self.edit, self.write)
        on_click(self.follow, self.toggle_follow)
        on_click(self.share, self.share_it)
        on_click(self.more, lambda: self.menu().popup(self.more.mapToGlobal(QPoint(0, self.more.height()))))
        on_click(self.state.action, lambda: self.mend_asked.emit(self.notice_id))
        self._gather = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._gather.timeout.connect(self.reload)
        self._context.definition_changed.connect(self._gather.start)
        i18n.changed.connect(self._refresh)
        self._data.status_changed.connect(self._refresh_foot)

    # ---- content
    @property
    def notice_id(self) -> str:
        """Which notice is read; empty for none."""
        return self._notice.id if self._notice else ""

    @property
    def sees_readers(self) -> bool:
        """Whether this user may see who has read it."""
        me, notice = self._data.session.me, self._notice
        return notice is not None and (notice.author_id == me.id or "publisher" in me.roles)

    def show_notice(self, notice: Notice, transfers: Sequence[Transfer] = ()) -> None:
        """Shows a notice; the same one again keeps its place on the screen."""
        same = self._notice is not None and self._notice.id == notice.id
        if not same:
            self._forget()
        if not same or (self._notice is not None and self._notice.body != notice.body):
            self.body.show_body(notice.body)
        self._notice = notice
        if notice.my_confirmed_at is None and not is_to_confirm(notice):
            self._confirmed_here.discard(notice.id)
        self.attachments.show_attachments(notice.attachments, transfers, self._data.session.files.has)
        self._refresh()
        self.reload()

    def _forget(self) -> None:
        """Another notice comes: what belongs to the last one goes."""
        self._groups, self.record = None, None
        self.steps.show_record(None)
        self.vote.forget()
        self.readers.hide()
        self.readers.show_problem("")
        self.ask.hide()
        self.share.hide()
        self.talk.forget()
        self._scroll.verticalScrollBar().setValue(0)

    # ---- what is in its record
    def reload(self) -> None:
        """Reads the record again, and what refers to it."""
        if self._notice is not None and self._context.type_of(NOTICE) is not None:
            self.tasks.start(self._load(self._notice.id), name="record", exclusive=True)

    async def _load(self, notice_id: str) -> None:
        records = self._context.records
        try:
            record = await records.record(NOTICE, notice_id)
            urged = await records.linked(ESCALATION, "noticeId", notice_id) if record and self.sees_readers else []
        except AppError:
            return  # the notice can be read all the same; the next change reads again
        if not alive(self) or record is None or self.notice_id != notice_id:
            return
        self.record = record
        self._refresh_record()
        self.readers.show_urged(urged_text(self._data, one, self._now_ms()) for one in urged)

    def _refresh_record(self) -> None:
        record = self.record
        if record is None:
            return
        definition = self._context.type_of(NOTICE)
        self.steps.show_record(record, approval=self.approval)
        fields = definition.fields if definition is not None else ()
        open_ = record.data.get("state") != "withdrawn"
        self.edit.setVisible(open_ and any(self._context.records.may_edit(record, one.name) for one in fields))
        self.share.setVisible(
            record.version > 0 or not record.pending
        )  # what has not reached the server nobody can open
        self._show_follow(record)
        self.vote.show_record(record, manages=self.sees_readers)
        self._refresh_reminding()
        self.talk.show_record(record)
        if self._notice is not None:
            self._refresh_meta(self._notice)
        self._refresh_state()

    def _refresh_reminding(self) -> None:
        record = self.record
        may = record is not None and any(one.name == REMIND for one in self._context.records.allowed_actions(record))
        busy = self.tasks.running("remind")
        self.readers.show_reminding(record, may=may, now_ms=self._now_ms(), busy=busy)

    def _show_follow(self, record: Record) -> None:
        on = self._context.records.following(record.id)
        self.follow.setChecked(on)
        self.follow.set_icon(
            "bell-ringing" if on else "bell", "office_record.unfollow" if on else "office_record.follow"
        )

    def show_transfer(self, transfer: Transfer) -> None:
        """A download moved on."""
        self.attachments.show_transfer(transfer)

    def show_marks(self, marks: Sequence[ReadMark]) -> None:
        """Who has read it, for those who may know."""
        notice = self._notice
        if notice is not None:
            self._groups = report_of(notice.audience, marks, self._data.organization, without=notice.author_id)
            self._refresh_readers()

    def show_confirmed(self, notice_id: str, confirmed: bool) -> None:
        """The user confirmed on this device: seen at once, whatever the network does; or it was refused."""
        if confirmed:
            self._confirmed_here.add(notice_id)
        else:
            self._confirmed_here.discard(notice_id)
        self._refresh_foot()

    def _refresh(self) -> None:
        notice = self._notice
        if notice is None:
            return
        i18n.unbind(self.title.setText)
        self.title.setText(notice.title)
        text, tone = chip_of(notice)
        self.chip.setText(text)
        self.chip.set_tone(tone)
        self._refresh_meta(notice)
        self._refresh_state()
        self._refresh_foot()
        self._refresh_readers()

    def _refresh_state(self) -> None:
        if self._notice is not None:
            show_state(self.state, self._notice, self.record, self._now_ms())

    def _refresh_meta(self, notice: Notice) -> None:
        self.meta.setText(meta_text(self._data, notice, self.record, self._now_ms()))

    def _refresh_foot(self) -> None:
        here = self._notice is not None and self._notice.id in self._confirmed_here
        live = self._data.session.status.state is ConnectionState.LIVE
        self.foot.show_notice(self._notice, here=here, live=live, now_ms=self._now_ms())

    def _refresh_readers(self) -> None:
        notice, groups = self._notice, self._groups
        if notice is None or groups is None or not self.sees_readers or notice.state not in ("published", "withdrawn"):
            self.readers.hide()
            return
        self.readers.show_report(groups, must_confirm=notice.level.value == "mustConfirm")
        self._refresh_reminding()

    # ---- what the user does
    def _ask_confirm(self) -> None:
        self.confirm_asked.emit(self.notice_id)

    def write(self) -> None:
        """Opens the form of the notice."""
        if self.record is not None and not self.edit.isHidden():
            self.edit_asked.emit(self.record)

    def _on_acted(self, name: str) -> None:
        key = f"office_notice.done.{name}"
        if self._notice is not None and i18n.has(key):
            self.acted.emit(tr(key))
        self.reload()

    def toggle_follow(self) -> None:
        """Follows the notice, or not any more."""
        if self.record is not None:
            on = not self._context.records.following(self.record.id)
            self.tasks.start(self._follow(self.record, on), name="follow", exclusive=True)

    async def _follow(self, record: Record, on: bool) -> None:
        try:
            await self._context.records.follow(record, on)
        finally:
            if alive(self) and self.record is not None:
                self._show_follow(self.record)

    # ---- reminding
    def remind(self) -> None:
        """Reminds those who owe the notice something."""
        if self._notice is not None and not self.tasks.running("remind"):
            self.readers.show_problem("")
            self.readers.remind.setEnabled(False)
            self.tasks.start(self._remind(self._notice.id), name="remind")

    async def _remind(self, notice_id: str) -> None:
        problem = ""
        try:
            await cast(NoticeVerbs, self._data.session.office).remind(notice_id)
        except Rejected as error:
            problem = refusal_text(str(error.data.get("type", "")))
        except AppError as error:
            problem = error_text(error)
        if not alive(self) or self.notice_id != notice_id:
            return
        self.readers.show_problem(problem)
        if not problem:
            self.acted.emit(tr("office_notice.done.remind"))
        self.readers.remind.setEnabled(bool(problem))
        self._gather.start()

    # ---- paper
    def open_sheet(self) -> None:
        """Shows the sheet to sign in the reader, from which it is printed or saved."""
        notice, groups = self._notice, self._groups
        definition = self._context.type_of(NOTICE)
        if notice is None or groups is None or definition is None:
            return
        title = tr("office_notice.sheet.name", title=notice.title)
        sheet = ReceiptSheet(self._context, definition)
        self.document_loading.emit(title)
        data = pdf_of_document(self._context, lambda device: sheet.receipt(notice, groups, device), title)
        self.document_opened.emit(title, LocalDocument(file_name(title), "application/pdf", data))

    def share_it(self) -> None:
        """Asks which conversation it goes to."""
        if self.record is not None:
            self.share_asked.emit(self.record)

    def preview(self) -> None:
        """Shows the notice as it is printed."""
        if self.record is not None:
            self.files.preview([self.record], self.title.text())

    def copy_link(self) -> None:
        """Puts the notice's link on the clipboard."""
        clipboard_text(f"tongban://{NOTICE}/{self.notice_id}")
        self.acted.emit(tr("office_record.link_copied"))

    def menu(self) -> Menu:
        """What else can be done with the notice."""
        menu = Menu(self, leaves=True)
        menu.addAction(tr("office_record.copy_link"), self.copy_link)
        record = self.record
        if record is not None and not self.share.isHidden():
            menu.addAction(tr("office_record.share"), self.share_it)
        menu.addAction(tr("office_record.preview"), self.preview).setEnabled(record is not None)
        drafted = record is not None and record.data.get("state") == "draft"
        if record is not None and drafted and self._context.records.may(record, NOTICE, "destroy"):
            menu.addSeparator()
            menu.addAction(tr("office_record.delete"), self.ask_delete)
        return menu

    # ---- deleting
    def ask_delete(self) -> None:
        """Asks in place."""
        question = tr("office_record.delete_question", title=self.title.text())
        self.ask.ask(question, tr("office_record.delete"))

    def _delete(self) -> None:
        if self.record is not None:
            self.tasks.start(self._do_delete(self.record), name="delete")

    async def _do_delete(self, record: Record) -> None:
        await self._context.records.destroy(record)
        if alive(self) and self.notice_id == record.id:
            self._notice = None
            self._forget()
            self.deleted.emit()
