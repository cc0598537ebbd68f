"""The pane of one record: to read, to act on, to write, with comments, history, paper and a way to others. Opened beside any view of any module."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from desktop.core.domain.cases import Flow
from desktop.core.domain.definition import Action, TypeDefinition
from desktop.core.domain.records import Conflict, Record
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, Event
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import (
    Banner,
    Chip,
    ElidedLabel,
    EmptyState,
    Folding,
    IconButton,
    Label,
    Menu,
    Scroll,
    Snack,
    clipboard_text,
    on_click,
    row,
)
from desktop.ui.office.record.actions_bar import ActionsBar, ConfirmBar
from desktop.ui.office.record.case_tab import SUBMIT, CaseTab, cases_of, create_case_tab, first_choices
from desktop.ui.office.record.comments import CommentsPane
from desktop.ui.office.record.conflict import ConflictPane
from desktop.ui.office.record.facts_view import FactsView, LinkedView
from desktop.ui.office.record.files import RecordFiles
from desktop.ui.office.record.form import RecordForm
from desktop.ui.office.record.history import HistoryPane
from desktop.ui.office.record.make_menu import add_makeable
from desktop.ui.office.record.outcome import Outcome, conflict_of
from desktop.ui.office.record.share import SharePane, sent_text
from desktop.ui.office.views.base import STATE, ViewContext
from desktop.ui.tasks import TaskOwner, alive

GATHER_MS = 40
FACTS, FLOW, COMMENTS, HISTORY = range(4)


class RecordDetail(QWidget):
    """One record at a time.

    Signals:
        closed: the pane is not wanted any more.
        opened_record: go to a record (type, id); "Person" for a colleague.
        make_asked: a record to be made from this one (type, what its form begins with).
        saved: a record was written from here (type, id).
        document_loading, document_opened, document_failed: a file for the reader: title; title and LocalDocument; title and AppError.
    """

    closed = Signal()
    opened_record = Signal(str, str)
    make_asked = Signal(str, object)
    saved = Signal(str, str)
    document_loading = Signal(str)
    document_opened = Signal(str, object)
    document_failed = Signal(str, object)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted_action = ""
        self.setObjectName("recordDetail")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.context = context
        self.tasks = TaskOwner(self)
        self.files = RecordFiles(context, self)
        self.record: Record | None = None
        self.type_name = ""
        self.record_id = ""
        self.form: RecordForm | None = None
        self._action_form: RecordForm | None = None
        self._acting: Action | None = None
        self._conflict: Conflict | None = None
        self._refused_edit = ""
        self.sending = False
        """Whether a form was submitted and the answer is waited for: the form says it itself when it is refused."""
        self._linked_to = ""
        """The record whose linked ones are shown: a reload that comes in between must not leave them out."""
        self.case: CaseTab | None = None
        self._led_to_case = ""
        """The record whose case came to the front by itself: it does so once."""
        self._build_ui()
        self._bind()

    # ---- build
    def _build_ui(self) -> None:
        self.state = EmptyState("file-text", "office_record.loading")
        self.page = self._build_page()
        self.form_page, self._form_column = _column_page()
        self.form_title = Label(role="header", strong=True)
        self.form_close = IconButton("x", "office_record.close")
        head = QWidget()
        line = row(self.form_title, None, self.form_close, margins=(18, 12, 10, 4))
        head.setLayout(line)
        self._form_column.addWidget(head)
        self.share = SharePane(self.context)
        self.conflict = ConflictPane(self.context)
        self.stack = QStackedWidget()
        for widget in (self.state, self.page, self.form_page, self.share, self.conflict):
            self.stack.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.stack)
        self.snack = Snack(self)

    def _build_page(self) -> QWidget:
        page, column = _column_page()
        self.title = Label(role="header", strong=True, wrap=True)
        self.title.setObjectName("recordTitle")
        self.chip = Chip()
        self.kind = ElidedLabel(role="secondary", tone="ink3")
        self.follow = IconButton("bell", "office_record.follow", size=18, box=30, checkable=True, active="accent")
        self.follow.setObjectName("recordFollow")
        self.edit_button = IconButton("pencil-simple", "office_record.edit", size=18, box=30)
        self.edit_button.setObjectName("recordEdit")
        self.share_button = IconButton("share-network", "office_record.share", size=18, box=30)
        self.more = IconButton("dots-three", "office_record.more", size=18, box=30)
        self.more.setObjectName("recordMore")
        self.close_button = IconButton("x", "office_record.close", size=18, box=30)
        top = QHBoxLayout()
        top.setContentsMargins(18, 12, 10, 0)
        top.addWidget(self.title, 1)
        top.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignTop)
        tools = (self.follow, self.share_button, self.edit_button, self.more)
        self.action_bar = ActionsBar(self.context)
        self.ask = ConfirmBar()
        self.banner = Banner()
        self._action_box = QFrame()
        self._action_box.setProperty("surface", "card")
        self._action_column = QVBoxLayout(self._action_box)
        self._action_column.setContentsMargins(1, 6, 1, 1)
        self._action_box.hide()
        self.facts = FactsView(self.context)
        self.linked = LinkedView(self.context)
        self.comments = CommentsPane(self.context)
        self.history = HistoryPane(self.context)
        self.tabs = QTabBar()
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        for _ in (FACTS, FLOW, COMMENTS, HISTORY):
            self.tabs.addTab("")
        i18n.bind(self.tabs.setAccessibleName, "office_record.parts")
        column.addWidget(self.banner)
        column.addWidget(self.ask)
        column.addLayout(top)
        second = row(self.chip, self.kind, None, *tools, margins=(18, 2, 10, 6), spacing=4)
        Folding(self, second, lambda cut: self.chip.set_room(theme.scaled(56) if cut else 0))
        column.addLayout(second)
        acting = QVBoxLayout()
        acting.setContentsMargins(18, 0, 18, 6)
        acting.setSpacing(10)
        acting.addWidget(self.action_bar)
        acting.addWidget(self._action_box)
        column.addLayout(acting)
        column.addLayout(row(self.tabs, None, margins=(10, 0, 10, 0)))
        self.area = Scroll(surface="surface")
        self.area.inner.setContentsMargins(18, 12, 18, 16)
        self.area.inner.setSpacing(14)
        for widget in (self.facts, self.linked, self.comments, self.history):
            self.area.inner.addWidget(widget)
        self.area.inner.addStretch(1)
        column.addWidget(self.area, 1)
        self._label_tabs(0)
        return page

    def _bind(self) -> None:
        on_click(self.close_button, self.closed.emit)
        on_click(self.form_close, self.ask_close)
        on_click(self.edit_button, self.edit)
        on_click(self.follow, self.toggle_follow)
        on_click(self.share_button, self.share_it)
        on_click(self.more, self._open_menu)
        on_click(self.state.action, self.reload)
        on_click(self.banner.action, self.open_conflict)
        self.ask.confirmed.connect(self._delete)
        self.action_bar.chosen.connect(self.act)
        self.tabs.currentChanged.connect(self._show_tab)
        self.comments.counted.connect(self._label_tabs)
        self.share.closed.connect(self._back_to_record)
        self.share.sent.connect(self._on_sent)
        self.conflict.closed.connect(self._back_to_record)
        self.conflict.settled.connect(self._on_settled)
        for part in (self.facts, self.linked):
            part.opened.connect(self.opened_record)
        for pane in (self.facts, self.comments):
            pane.file_opened.connect(self.files.open_file)
            pane.file_saved.connect(self.files.save_file)
        self.files.document_loading.connect(self.document_loading)
        self.files.document_opened.connect(self.document_opened)
        self.files.document_failed.connect(self.document_failed)
        self.files.told.connect(self.snack.say)
        self._gather = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._gather.timeout.connect(self.reload)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(self.context.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)
        self.context.definition_changed.connect(self._gather.start)
        self.context.names_changed.connect(self._gather.start)
        i18n.changed.connect(self._on_language)
        theme.changed.connect(self._gather.start)
        QShortcut(QKeySequence("Ctrl+E"), self, self.edit, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        QShortcut(QKeySequence("Ctrl+P"), self, self.preview, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    # ---- which record
    @property
    def writing(self) -> bool:
        """Whether a form is open in which something stands that is not sent."""
        forms = (self.form, self._action_form)
        if any(form is not None and form.isVisibleTo(self) and form.changed for form in forms):
            return True
        return self.case is not None and self.case.isVisibleTo(self) and self.case.writing

    @property
    def definition(self) -> TypeDefinition | None:
        """The type of what is shown."""
        return self.context.type_of(self.type_name)

    def show_record(self, type_name: str, record_id: str) -> None:
        """Shows a record. What is being written in a form is kept as its draft."""
        other = (type_name, record_id) != (self.type_name, self.record_id)
        self._drop_forms()
        self._wanted_action = ""
        self.type_name, self.record_id = type_name, record_id
        self.files.about = (type_name, record_id)
        if other:
            self.record, self._conflict = None, None
            self.banner.hide()
            self.ask.hide()
            self.linked.show_linked([])
            self.tabs.setCurrentIndex(FACTS)
            self.area.verticalScrollBar().setValue(0)
            self.state.show_text("file-text", "office_record.loading")
            self.state.action.hide()
            self.stack.setCurrentWidget(self.state)
            self._linked_to = ""
        self.reload()

    def act_when_shown(self, action_name: str) -> None:
        """Does an action as soon as the record is here, as its button would: a card was put into another column."""
        self._wanted_action = action_name

    def reload(self) -> None:
        """Reads the record again."""
        if self.record_id:
            self.tasks.start(self._load(self.type_name, self.record_id), name="load", exclusive=True)

    async def _load(self, type_name: str, record_id: str) -> None:
        try:
            found = await self.context.records.record(type_name, record_id)
            conflict = await conflict_of(self.context, record_id) if found is None or found.refusal else None
        except AppError as error:
            if alive(self) and self.record is None:
                self._show_state("warning-circle", "office_record.failed", retry=True)
                self.state.hint.setText(error_text(error))
                self.state.hint.show()
            return
        if not alive(self) or self.record_id != record_id:
            return
        if found is None:
            self._show_gone(conflict)
            return
        self._conflict = conflict
        self._show(found)
        if self._linked_to != record_id:
            await self._load_more(found)

    async def _load_more(self, record: Record) -> None:
        definition = self.definition
        if definition is None:
            return
        linked = [(one, await self.context.records.linked(one.type, one.field, record.id)) for one in definition.links]
        if not alive(self) or self.record_id != record.id:
            return
        self.linked.show_linked(linked)
        self._show_tab(self.tabs.currentIndex())
        if definition.marks and self._linked_to != record.id:
            await self.context.session.office.mark_read(record.id, record.type)
        self._linked_to = record.id

    def _show_state(self, icon: str, key: str, *, retry: bool = False) -> None:
        self.state.show_text(icon, key)
        self.state.action.setVisible(retry)
        i18n.bind(self.state.action.setText, "office_record.retry")
        self.stack.setCurrentWidget(self.state)

    def _show_gone(self, conflict: Conflict | None) -> None:
        """Deleted, or not for this user any more. What is being written stays where it is."""
        self.record = None
        if conflict is not None:
            self.conflict.show_conflict(conflict)
            self.stack.setCurrentWidget(self.conflict)
        elif self.stack.currentWidget() is not self.form_page:
            self._show_state("file-x", "office_record.gone")
        elif self.form is not None:
            self.form.show_failure(tr("office_record.gone"))

    # ---- drawing
    def _show(self, record: Record) -> None:
        definition = self.definition
        if definition is None:
            self._show_state("file-x", "office_record.unknown_type")
            return
        self.record = record
        self.title.setText(self.context.title(record))
        self.setAccessibleName(self.title.text())
        state = definition.state(record.data.get(STATE))
        self.chip.setVisible(state is not None)
        if state is not None:
            self.chip.setText(self.context.label(state.label))
            self.chip.set_tone(state.color)
        self.kind.setText(self.context.label(definition.label))
        self.action_bar.show_actions(self.context.records.allowed_actions(record))
        self.edit_button.setVisible(self._may_edit(definition, record))
        self._show_follow(record)
        self._show_banner(record)
        self.facts.show_record(definition, record)
        self.tabs.setTabVisible(COMMENTS, definition.comments)
        self._show_case(definition, record)
        self._label_tabs(-1)
        if self.form is not None and self.form.state.record is not None and self.form.state.record.id == record.id:
            self.form.rebase(record)
        if self.stack.currentWidget() is self.state:
            self.stack.setCurrentWidget(self.page)
        self._show_tab(self.tabs.currentIndex())
        wanted, self._wanted_action = self._wanted_action, ""
        action = definition.action(wanted) if wanted else None
        if action is not None and action in self.context.records.allowed_actions(record):
            self.act(action)

    def _may_edit(self, definition: TypeDefinition, record: Record) -> bool:
        return any(self.context.records.may_edit(record, field.name) for field in definition.fields)

    def _show_follow(self, record: Record) -> None:
        on = self.context.records.following(record.id)
        self.follow.setChecked(on)
        self.follow.set_icon(
            "bell-ringing" if on else "bell", "office_record.unfollow" if on else "office_record.follow"
        )

    def _show_banner(self, record: Record) -> None:
        action = self.banner.action
        action.hide()
        if record.refusal is not None:
            self.banner.show_text(_refusal_text(record.refusal), tone="red", icon="warning-circle")
            compares = self._conflict is not None and self._conflict.code == "conflict"
            i18n.bind(action.setText, "office_record.compare" if compares else "office_record.mend")
            action.setVisible(self._conflict is not None)
        elif record.pending:
            self.banner.show_text(tr("office_record.pending"), tone="amber", icon="clock")
        else:
            self.banner.hide()

    # ---- its case
    def _show_case(self, definition: TypeDefinition, record: Record) -> None:
        """The flow of a record whose type has a process."""
        has = definition.process is not None and cases_of(self.context) is not None
        self.tabs.setTabVisible(FLOW, has)
        if not has:
            if self.case is not None:
                self.case.show_record(None)
            return
        if self.case is None:
            made = self.case = create_case_tab(self.context)
            made.hide()
            made.flow_changed.connect(self._on_flow)
            made.acted.connect(lambda _name: self._gather.start())
            made.file_opened.connect(self.files.open_file)
            made.file_saved.connect(self.files.save_file)
            self.area.inner.insertWidget(self.area.inner.indexOf(self.comments), made)
        self.case.show_record(record)

    def _on_flow(self, flow: Flow) -> None:
        """Where this user has to act the case comes to the front, once for each record."""
        case = self.case
        if case is None or self.record is None or flow.record_id != self.record.id:
            return
        waits = flow.item is not None or case.may_submit or bool(flow.refused)
        if waits and self._led_to_case != flow.record_id and self.tabs.currentIndex() == FACTS:
            self._led_to_case = flow.record_id
            self.tabs.setCurrentIndex(FLOW)

    def _label_tabs(self, count: int) -> None:
        if count >= 0:
            self._count = count
        texts = (
            tr("office_record.tab.facts"),
            tr("office_process.tab"),
            tr("office_record.tab.comments", n=self._count) if self._count else tr("office_record.tab.no_comments"),
            tr("office_record.tab.history"),
        )
        for number, text in enumerate(texts):
            self.tabs.setTabText(number, text)

    def _show_tab(self, tab: int) -> None:
        for widget in (self.facts, self.linked):
            widget.setVisible(tab == FACTS)
        if self.case is not None:
            self.case.setVisible(tab == FLOW)
        self.comments.setVisible(tab == COMMENTS)
        self.history.setVisible(tab == HISTORY)
        if self.record is None:
            return
        definition = self.definition
        if definition is not None and definition.comments:
            self.comments.show_record(self.record)
        if tab == HISTORY:
            self.history.show_record(self.record)

    def _on_language(self) -> None:
        self._label_tabs(-1)
        self._gather.start()

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, ChangeSet) or not self.record_id:
            return
        touched = (*event.upserts, *event.removed)
        if event.type_name == self.type_name and self.record_id in touched:
            self._gather.start()
        elif event.type_name == "Comment":
            self.comments.reload()
        elif event.type_name == "Follow" and self.record is not None:
            self._show_follow(self.record)
        elif self.record is not None and any(link.type == event.type_name for link in self._links()):
            self.tasks.start(self._load_more(self.record), name="linked", exclusive=True)

    def _links(self) -> tuple[Any, ...]:
        definition = self.definition
        return definition.links if definition is not None else ()

    # ---- writing
    def new(self, type_name: str, prefill: Mapping[str, Any] | None = None) -> None:
        """Opens the form of a new record."""
        self._drop_forms()
        self.type_name, self.record_id, self.record = type_name, "", None
        self.files.about = None
        self._open_form(None, prefill)

    def edit(self) -> None:
        """Opens the form of the record that is shown."""
        if self.record is not None and not self.edit_button.isHidden() and self.stack.currentWidget() is self.page:
            self._open_form(self.record, None)

    def _open_form(self, record: Record | None, prefill: Mapping[str, Any] | None, *, draft_key: str = "") -> None:
        definition = self.definition
        if definition is None:
            self._show_state("file-x", "office_record.unknown_type")
            return
        form = self.make_form(definition)
        form.set_record(record, prefill, draft_key=draft_key)
        form.submitted.connect(self._on_submitted)
        form.thrown.connect(self._on_form_thrown)
        form.closed.connect(self._on_form_closed)
        self._wire(form)
        self.form = form
        i18n.unbind(self.form_title.setText)
        name = self.context.label(definition.label)
        self.form_title.setText(tr("office_record.edit_of", name=name) if record is not None else name)
        self._form_column.addWidget(form, 1)
        self.stack.setCurrentWidget(self.form_page)
        form.focus_first()

    def make_form(self, definition: TypeDefinition) -> RecordForm:
        """The form of a whole record; a module's own pane may make another."""
        return RecordForm(self.context, definition)

    def _wire(self, form: RecordForm) -> None:
        form.opened.connect(self.opened_record)
        form.file_opened.connect(self.files.open_file)
        form.file_saved.connect(self.files.save_file)

    def _drop_forms(self) -> None:
        """Takes the forms away; each flushes its draft as it hides."""
        if self.form is not None:
            self._form_column.removeWidget(self.form)
            _retire(self.form)
            self.form = None
        self._close_action()
        self._refused_edit = ""
        if self.record is not None:
            self.stack.setCurrentWidget(self.page)

    def _on_form_thrown(self) -> None:
        """With what was written goes what the server refused of it: no row stays behind that nobody wants."""
        refused, self._refused_edit = self._refused_edit, ""
        if refused:
            self.tasks.start(self.context.records.drop(refused), name="drop")

    def _on_form_closed(self) -> None:
        record = self.record
        self._drop_forms()
        if record is None:
            self.closed.emit()
        else:
            self._back_to_record()

    def ask_close(self) -> None:
        """Closes what is open, innermost first; a form with something in it asks."""
        shown = self.stack.currentWidget()
        if shown is self.form_page and self.form is not None:
            self.form.ask_close()
        elif shown in (self.share, self.conflict):
            self._back_to_record()
        elif self._action_form is not None:
            self._action_form.ask_close()
        else:
            self.closed.emit()

    def _on_submitted(self, values: dict[str, Any]) -> None:
        form = self.form
        if form is not None:
            self.tasks.start(self._submit(form, values), name="submit")

    async def _submit(self, form: RecordForm, values: dict[str, Any]) -> None:
        self.sending = True
        try:
            await self._send(form, values)
        finally:
            self.sending = False

    async def _send(self, form: RecordForm, values: dict[str, Any]) -> None:
        record, then = form.state.record, form.then
        outcome = Outcome(self.context, self.type_name)
        try:
            record_id = await self._write(record, values)
            if (
                self._refused_edit
            ):  # what was refused is replaced by what is written now; should the power fail before, both are there
                refused, self._refused_edit = self._refused_edit, ""
                await self.context.records.drop(refused)
            await form.done()
            found = await outcome.wait(record_id) if record_id else record
        except AppError as error:
            if alive(form):
                form.show_failure(error_text(error))
            return
        if not alive(self) or self.form is not form:
            return
        if found is None or found.refusal is not None:
            await self._show_refusal(form, record_id, found, outcome)
            return
        await self._after_submit(found, then)

    async def _write(self, record: Record | None, values: dict[str, Any]) -> str:
        if record is None:
            return await self.context.records.create(self.type_name, values)
        if values:
            await self.context.records.update(record, values)
        return record.id

    async def _after_submit(self, record: Record, then: Action | None) -> None:
        self.saved.emit(record.type, record.id)
        if then is not None:
            try:
                await self._follow_up(record, then)
            except AppError as error:  # it is there, as a draft: the action can be pressed again
                if alive(self):
                    self.show_record(record.type, record.id)
                    self.snack.say(error_text(error))
                return
        if alive(self):
            self.show_record(record.type, record.id)

    async def _follow_up(self, record: Record, then: Action) -> None:
        """What the form's first button does once the record is there: its case starts, or an action of its type."""
        cases, definition = cases_of(self.context), self.definition
        if then.name == SUBMIT and cases is not None and definition is not None and definition.process is not None:
            if await first_choices(self.context, record.type):
                self.snack.say(tr("office_process.choose_then_submit"))  # its case asks for them, and submits
            else:
                await cases.submit(record)
        else:
            await self.context.records.act(record, then.name, {})

    async def _show_refusal(self, form: RecordForm, record_id: str, found: Record | None, outcome: Outcome) -> None:
        """The server would not have it: the form is still there, with what it said where it belongs."""
        conflict = await conflict_of(self.context, record_id)
        if not alive(self) or self.form is not form:
            return
        form.reopen()
        if conflict is not None and conflict.code == "conflict" and form.state.record is not None:
            self._conflict = conflict
            self.conflict.show_conflict(conflict)
            self.stack.setCurrentWidget(self.conflict)
            return
        self._refused_edit = conflict.edit_id if conflict is not None else ""
        code = found.refusal if found is not None and found.refusal else outcome.refused.code if outcome.refused else ""
        self._show_reason(form, conflict, conflict.code if conflict is not None else code)

    # ---- actions
    def act(self, action: Action) -> None:
        """Does what a button says; first asks in place for what it needs."""
        if self.record is None:
            return
        if action.requires or action.asks:
            self._open_action(action)
        else:
            self.tasks.start(self._act(self.record, action, {}), name="act")

    def _open_action(self, action: Action) -> None:
        definition, record = self.definition, self.record
        if definition is None or record is None:
            return
        self._close_action()
        form = RecordForm(self.context, definition)
        form.setObjectName("actionForm")
        form.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        form.set_record(record, action=action)
        form.submitted.connect(self._on_action_form)
        form.closed.connect(self._close_action)
        self._wire(form)
        self._acting, self._action_form = action, form
        self._action_column.addWidget(form)
        form.fit_content()
        self._action_box.show()
        form.focus_first()

    def _on_action_form(self, values: dict[str, Any]) -> None:
        if self.record is not None and self._acting is not None:
            self.tasks.start(self._act(self.record, self._acting, values), name="act")

    async def _act(self, record: Record, action: Action, values: dict[str, Any]) -> None:
        self.action_bar.set_busy(True)
        form = self._action_form
        try:
            await self.context.records.act(record, action.name, values)
            if form is not None and alive(form):
                await form.done()
        except AppError as error:
            if alive(self):
                self._say_failure(form, error)
            return
        finally:
            if alive(self):
                self.action_bar.set_busy(False)
        if alive(self):
            self._close_action()
            self.saved.emit(record.type, record.id)
            self.reload()

    def _say_failure(self, form: RecordForm | None, error: AppError) -> None:
        properties = error.data.get("properties")
        if form is None or not alive(form):
            self.banner.action.hide()
            self.banner.show_text(error_text(error), tone="red", icon="warning-circle", dismissible=True)
        elif isinstance(properties, list | tuple) and properties:
            form.show_errors(dict.fromkeys(map(str, properties), error_text(error)))
        else:
            form.show_failure(error_text(error))

    def _close_action(self) -> None:
        if self._action_form is not None:
            self._action_column.removeWidget(self._action_form)
            _retire(self._action_form)
        self._action_form, self._acting = None, None
        self._action_box.hide()

    # ---- conflicts
    def open_conflict(self) -> None:
        """Shows both versions side by side; what was refused for another reason comes back into a form."""
        conflict = self._conflict
        if conflict is None:
            return
        if conflict.code == "conflict":
            self.conflict.show_conflict(conflict)
            self.stack.setCurrentWidget(self.conflict)
            return
        record = self.record if conflict.theirs is not None else None  # without one it never came to be
        self._drop_forms()
        self._open_form(record, conflict.mine, draft_key=f"mend/{conflict.id}")
        self._refused_edit = conflict.edit_id
        if self.form is not None:
            self.form.reopen()
            self._show_reason(self.form, conflict, conflict.code)

    @staticmethod
    def _show_reason(form: RecordForm, conflict: Conflict | None, code: str) -> None:
        if conflict is not None and conflict.code == "overlap":
            form.show_overlap(conflict.holds, conflict.free)
            return
        text = _refusal_text(code)
        fields = conflict.fields if conflict is not None else ()
        form.show_errors(dict.fromkeys(fields, text) if fields else {"": text})

    def _on_settled(self) -> None:
        self._conflict = None
        if self.form is not None:
            self.form.forget()
        self._drop_forms()
        self._back_to_record()
        self.reload()

    def _back_to_record(self) -> None:
        if self.form is not None:
            self.stack.setCurrentWidget(self.form_page)
        elif self.record is not None:
            self.stack.setCurrentWidget(self.page)
        else:
            self._show_state("file-x", "office_record.gone")

    # ---- follow, share, link
    def toggle_follow(self) -> None:
        """Follows the record, or not any more."""
        if self.record is not None:
            on = not self.context.records.following(self.record.id)
            self.tasks.start(self._follow(self.record, on), name="follow", exclusive=True)

    async def _follow(self, record: Record, on: bool) -> None:
        try:
            await self.context.records.follow(record, on)
        finally:
            if alive(self) and self.record is not None:
                self._show_follow(self.record)

    def share_it(self) -> None:
        """Asks for the conversation to send the record to."""
        if self.record is not None:
            self.stack.setCurrentWidget(self.share)
            self.share.show_record(self.record)

    def _on_sent(self, name: str) -> None:
        self._back_to_record()
        self.snack.say(sent_text(name))

    def copy_link(self) -> None:
        """Puts the record's link on the clipboard."""
        if self.record is not None:
            clipboard_text(f"tongban://{self.record.type}/{self.record.id}")
            self.snack.say(tr("office_record.link_copied"))

    def _open_menu(self) -> None:
        self.menu().popup(self.more.mapToGlobal(QPoint(0, self.more.height())))

    def menu(self) -> Menu:
        """What else can be done with the record."""
        menu = Menu(self, leaves=True)
        for key, verb in (
            ("office_record.copy_link", self.copy_link),
            ("office_record.preview", self.preview),
            ("office_record.print", self.print_it),
            ("office_record.save_pdf", self.save_pdf),
        ):
            menu.addAction(tr(key), verb)
        record = self.record
        if record is not None:
            add_makeable(menu, self.context, record, self.make_asked.emit)
        if record is not None and self.context.records.may(record, record.type, "destroy"):
            menu.addSeparator()
            menu.addAction(tr("office_record.delete"), self.ask_delete)
        return menu

    # ---- deleting
    def ask_delete(self) -> None:
        """Asks in place."""
        if self.record is not None:
            title = self.context.title(self.record)
            self.ask.ask(tr("office_record.delete_question", title=title), tr("office_record.delete"))

    def _delete(self) -> None:
        if self.record is not None:
            self.tasks.start(self._do_delete(self.record), name="delete")

    async def _do_delete(self, record: Record) -> None:
        try:
            await self.context.records.destroy(record)
        except AppError as error:
            if alive(self):
                self._say_failure(None, error)
            return
        if alive(self) and self.record_id == record.id:
            self.record, self.record_id = None, ""
            self.closed.emit()

    # ---- paper
    def preview(self) -> None:
        """Shows the printed sheet in the reader, from which it is printed or saved too."""
        if self.record is not None:
            self.files.preview([self.record], self.title.text())

    def print_it(self) -> None:
        """Prints the sheet on a printer that is asked for."""
        if self.record is not None:
            self.files.print_records([self.record])

    def save_pdf(self) -> None:
        """Saves the sheet as a PDF where the user says."""
        if self.record is not None:
            self.files.save_pdf([self.record], self.title.text())

    def retry_open(self) -> None:
        """Opens the last file again, after it could not be had."""
        self.files.retry_open()

    # ---- Qt overrides
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.ask_close()
            return
        super().keyPressEvent(event)


def _column_page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    return page, column


def _refusal_text(code: str) -> str:
    """What a refusal means for the work."""
    key = f"office_record.refused.{code}"
    return tr(key) if i18n.has(key) else tr("office_record.refused.other", code=code)


def _retire(form: RecordForm) -> None:
    """Takes a form away; hiding it writes its draft."""
    form.hide()
    form.setParent(None)
    form.deleteLater()
