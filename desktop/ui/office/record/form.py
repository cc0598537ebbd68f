"""The form of a record, made from its type: sections, fields that come and go with what is written, errors where they belong, a draft kept by itself.

The form never writes: it says `submitted`, the pane around it sends and tells it what the server said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain.conditions import BadFilter, Facts, matches, resolve
from desktop.core.domain.definition import Action, Field, TypeDefinition
from desktop.core.domain.records import Hold, Record
from desktop.core.errors import AppError
from desktop.models.record_form import FormState, parts_of, zone_minutes
from desktop.models.record_values import format_span, span_of
from desktop.ui import i18n, theme
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Banner, Button, Label, Scroll, on_click
from desktop.ui.layouts import empty_layout
from desktop.ui.office.record.bookings import find_free, find_holds
from desktop.ui.office.record.case_tab import cases_of, submit_action
from desktop.ui.office.record.draft import DraftKeeper
from desktop.ui.office.record.field_row import FieldRow
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.form_parts import FreeBox, LeaveBar
from desktop.ui.office.record.pick_editors import PickOne
from desktop.ui.office.record.value_view import ValueView
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

FORM_WIDTH = 760
HOLDS_MS = 200


def facts_of(context: ViewContext) -> Facts:
    """What placeholders stand for, for this user now."""
    me, now = context.me, context.now_ms()
    departments = tuple(i.department_id for i in sorted(me.identities, key=lambda i: not i.primary))
    return Facts(me.id, departments, now, zone_minutes(now))


class RecordForm(QWidget):
    """Writes one record.

    Signals:
        submitted: the values of a new record, or the patch of an existing one. `then` names the action that follows.
        closed: the user left it; what was written is kept or thrown away.
        thrown: it is thrown away; `closed` follows.
        draft_changed: something was written since.
        opened: a record or person to look at (type, id).
    """

    submitted = Signal(dict)
    closed = Signal()
    thrown = Signal()
    draft_changed = Signal()
    opened = Signal(str, str)
    file_opened = Signal(object)
    file_saved = Signal(object)
    heeds_when = False
    """In the small form of an action: fields whose `when` is not met are left out."""

    def __init__(self, context: ViewContext, definition: TypeDefinition, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("recordForm")
        self.context, self.definition = context, definition
        self.tasks = TaskOwner(self)
        self.rows: dict[str, FieldRow] = {}
        self.state = FormState(definition, facts_of(context))
        self.then: Action | None = None
        self._only: tuple[str, ...] | None = None
        self._heads: list[tuple[QWidget, tuple[Field, ...]]] = []
        self._keeper: DraftKeeper | None = None
        self._touched = False
        self._busy = False
        self._free: FreeBox | None = None
        self._in_sight: QWidget | None = None
        """What is kept in sight while the form grows below it: chips get their names later."""
        self._held = ""
        self._build_ui()
        self._bind()

    def _build_ui(self) -> None:
        self.banner = Banner()
        self.leave = LeaveBar()
        self.area = Scroll(surface="surface")
        self._column = QVBoxLayout()
        self._column.setSpacing(12)
        holder = self._holder = QWidget()
        holder.setMaximumWidth(theme.scaled(FORM_WIDTH))
        holder.setLayout(self._column)
        self._column.setContentsMargins(0, 0, 0, 0)
        self.area.inner.setContentsMargins(18, 14, 18, 14)
        self.area.inner.addWidget(holder)
        self.area.inner.addStretch(1)
        self.submit_button = Button(key="office_record.submit", kind="primary")
        self.submit_button.setObjectName("formSubmit")
        self.save_button = Button(key="office_record.save_draft")
        self.save_button.setObjectName("formSave")
        self.cancel_button = Button(key="common.cancel", kind="ghost")
        self.cancel_button.setObjectName("formCancel")
        self.busy = Label(role="secondary", tone="ink3")
        flow = self.buttons = Flow(spacing=8)
        for widget in (self.submit_button, self.save_button, self.cancel_button, self.busy):
            flow.add(widget)
        foot = QFrame()
        foot.setProperty("surface", "footer")
        line = QVBoxLayout(foot)
        line.setContentsMargins(18, 10, 18, 10)
        line.addWidget(flow)
        self.foot = foot
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.banner)
        outer.addWidget(self.leave)
        outer.addWidget(self.area, 1)
        outer.addWidget(foot)

    def _bind(self) -> None:
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.submit)
        on_click(self.submit_button, self.submit)
        on_click(self.save_button, self.save)
        on_click(self.cancel_button, self.ask_close)
        on_click(self.banner.action, self.throw_draft)
        self.leave.stayed.connect(self._stay)
        self.leave.kept.connect(self.close_kept)
        self.leave.thrown.connect(self.close_thrown)
        self.area.verticalScrollBar().rangeChanged.connect(lambda _low, _high: self._keep_in_sight())
        self.draft_changed.connect(self._look_freely)
        self._holds_timer = QTimer(self, interval=HOLDS_MS, singleShot=True)
        self._holds_timer.timeout.connect(
            lambda: self.tasks.start(self._look_for_holds(), name="holds", exclusive=True)
        )
        i18n.changed.connect(self._relabel)

    # ---- what is written
    def set_record(
        self,
        record: Record | None,
        prefill: Mapping[str, Any] | None = None,
        *,
        action: Action | None = None,
        draft_key: str = "",
    ) -> None:
        """Shows a record to change, or a new one. With an `action` only what it asks for; the draft comes by itself."""
        self._flush()
        self._only = tuple(dict.fromkeys((*action.requires, *action.asks))) if action is not None else None
        self.state = FormState(
            self.definition,
            facts_of(self.context),
            record=record,
            prefill=prefill,
            editable=partial(self._editable, record),
            only=self._only,
            heeds_when=self.heeds_when,
            required=action.requires if action is not None else (),
        )
        self._touched, self.then = False, None
        self._build_rows()
        self._show_buttons(record, action)
        for part in (self.banner, self.leave):
            part.hide()
        suffix = f"/{action.name}" if action is not None else ""
        key = draft_key or f"form/{self.definition.name}/{record.id if record is not None else 'new'}{suffix}"
        self._keeper = DraftKeeper(self.context, key, self)
        self.tasks.start(self._load_draft(self._keeper, frozenset(prefill or ())), name="draft", exclusive=True)
        self._look_later()

    def _editable(self, record: Record | None, field: Field) -> bool:
        if record is not None:
            return self.context.records.may_edit(record, field.name)
        if not field.edit:
            return True
        fresh = Record("", self.definition.name, author_id=self.context.me.id)
        return self.context.records.may_edit(fresh, field.name)

    def _show_buttons(self, record: Record | None, action: Action | None) -> None:
        self._primary = None if record is not None or action is not None else self._first_action()
        self.save_button.setVisible(self._primary is not None)
        if action is not None:
            i18n.unbind(self.submit_button.setText)
            self.submit_button.setText(self.context.label(action.label))
            self.submit_button.setProperty("kind", "danger" if action.destructive else "primary")
        elif self._primary is not None:
            i18n.unbind(self.submit_button.setText)
            self.submit_button.setText(self.context.label(self._primary.label))
        else:
            i18n.bind(
                self.submit_button.setText, "office_record.save" if record is not None else "office_record.submit"
            )

    def _first_action(self) -> Action | None:
        """What usually comes right after a new record is there: "submit" beside "save as draft"."""
        if self.definition.process is not None and cases_of(self.context) is not None:
            return submit_action()
        if not self.definition.states:
            return None
        fresh = Record(
            "", self.definition.name, {"state": self.definition.states[0].value}, author_id=self.context.me.id
        )
        if self._waits_at_once(fresh):
            return None
        allowed = self.context.records.allowed_actions(fresh)
        return next((one for one in allowed if one.primary and one.to and not one.destructive), None)

    def _waits_at_once(self, fresh: Record) -> bool:
        """Whether a new record is somebody's to-do from its first state on: submitting it is all there is to do."""
        facts = facts_of(self.context)
        try:
            return any(one.when and matches(resolve(one.when, facts), fresh.data) for one in self.definition.todos)
        except BadFilter:
            return False  # a condition of a newer version

    def value(self) -> dict[str, Any]:
        """What would be sent: a new record's fields, or an existing one's patch."""
        return self.state.patch() if self.state.record is not None or self._only is not None else self.state.data()

    @property
    def changed(self) -> bool:
        """Whether anything was written that is not sent."""
        return self._touched and bool(self.state.changed or self.raws())

    def raws(self) -> dict[str, str]:
        """Texts that are no values, by field."""
        found = {name: line.editor.raw() for name, line in self.rows.items() if line.editor is not None}
        return {name: text for name, text in found.items() if text is not None and self._stands(name)}

    def _stands(self, name: str) -> bool:
        one = self.definition.field(name)
        return one is not None and self.state.stands(one)

    # ---- rows
    def _build_rows(self) -> None:
        self._holder.hide()  # one layout at the end instead of one for every field
        empty_layout(self._column)
        self.rows, self._heads, self._free, self._held = {}, [], None, ""
        self._in_sight = None
        if self.definition.help is not None and self._only is None:
            self._column.addWidget(
                Label(self.context.label(self.definition.help), role="secondary", tone="ink3", wrap=True)
            )
        for part in self._all_parts():
            head = Label(self.context.label(part[0]) if part[0] else "", role="emphasis", strong=True)
            if part[0] is None and len(self._all_parts()) > 1:
                i18n.bind(head.setText, "office_record.more_fields")
            self._column.addWidget(head)
            self._heads.append((head, part[1]))
            head.setProperty("titled", bool(head.text()))
            for one in part[1]:
                self._column.addWidget(self._make_row(one))
                self._add_free_box(one)
        self._refresh_rows()
        self._holder.show()

    def _all_parts(self) -> list[tuple[Any, tuple[Field, ...]]]:
        if self._only is not None:
            return [(part.label, part.fields) for part in self.state.parts()]
        return [(part.label, part.fields) for part in parts_of(self.definition)]

    def _make_row(self, one: Field) -> FieldRow:
        line = FieldRow(self.context, one, writable=self.state.writable(one), required=self.state.is_required(one))
        line.set_value(self.state.values.get(one.name))
        if line.editor is not None:
            line.editor.changed.connect(partial(self._on_changed, one.name))
        line.theirs_taken.connect(partial(self._take_theirs, one.name))
        opens = line.opens()
        if isinstance(opens, PickOne | ValueView):
            opens.opened.connect(self.opened)
        if isinstance(opens, ValueView):
            opens.file_opened.connect(self.file_opened)
            opens.file_saved.connect(self.file_saved)
        self.rows[one.name] = line
        return line

    def _add_free_box(self, one: Field) -> None:
        booking = self.definition.booking
        if booking is not None and one.name == booking.resource and self.rows[one.name].editor is not None:
            self._free = FreeBox(self.context, one)
            self._free.taken.connect(partial(self._take_free, one.name))
            self._column.addWidget(self._free)

    def _refresh_rows(self) -> None:
        """Fields come and go with what is written."""
        for name, line in self.rows.items():
            line.setVisible(self._stands(name))
        for head, fields in self._heads:
            head.setVisible(bool(head.property("titled")) and any(self._stands(one.name) for one in fields))

    def _relabel(self) -> None:
        """Another language: the rows are made again, with what is written in them."""
        raws = self.raws()
        self._build_rows()
        self._put_raws(raws)
        self._show_buttons(self.state.record, None) if self._only is None else None

    # ---- the user writes
    def _on_changed(self, name: str) -> None:
        line = self.rows[name]
        if line.editor is None:
            return
        self._touched = True
        for other in self.state.set(name, line.editor.value()):
            if other != name and other in self.rows:
                self.rows[other].set_value(self.state.values.get(other))
        line.hide_theirs()
        if line.wrong:
            self._check_one(name)
        self._refresh_rows()
        if self._keeper is not None:
            self._keeper.keep(self.state.draft(self.raws()) if self.changed else None)
        booking = self.definition.booking
        if booking is not None and name in (booking.resource, booking.span):
            self._look_later()
        self.draft_changed.emit()

    def _check_one(self, name: str) -> None:
        problem = self.state.problems(self.raws()).get(name)
        if problem is None:
            self.rows[name].show_error(self._held if self._is_resource(name) else "")
        else:
            self.rows[name].show_problem(problem, self._after(name))

    def _after(self, name: str) -> Field | None:
        one = self.definition.field(name)
        return self.definition.field(one.after) if one is not None and one.after else None

    def _put_raws(self, raws: Mapping[str, str]) -> None:
        for name, text in raws.items():
            line = self.rows.get(name)
            if line is not None and line.editor is not None:
                line.editor.set_raw(text)

    # ---- submitting
    def check(self) -> bool:
        """Shows what is wrong, and goes to the first of it; True when nothing is."""
        problems = self.state.problems(self.raws())
        for name, line in self.rows.items():
            if name in problems:
                line.show_problem(problems[name], self._after(name))
            else:
                line.show_error(self._held if self._is_resource(name) else "")
        self._go_to(problems)
        return not problems

    def _is_resource(self, name: str) -> bool:
        return self.definition.booking is not None and self.definition.booking.resource == name

    def _go_to(self, wrong: Mapping[str, object]) -> None:
        for name, line in self.rows.items():
            if name in wrong and line.editor is not None and not line.isHidden():
                line.editor.take_focus()
                self.area.ensureWidgetVisible(line, 0, theme.scaled(60))
                return

    def submit(self) -> None:
        """Sends what is written, or shows what is wrong with it. With a primary action of a new record, that follows."""
        self._send(self._primary)

    def save(self) -> None:
        """Sends it without the action: the record stays a draft."""
        self._send(None)

    def _send(self, then: Action | None) -> None:
        if self._busy:
            return
        for line in self.rows.values():
            if line.editor is not None:
                line.editor.finish()
        if self.check():
            self.then = then
            self.tasks.start(self._settle(), name="submit", exclusive=True)

    async def _settle(self) -> None:
        """What must be there first: files that are still going up."""
        self.set_busy(True)
        try:
            for line in self.rows.values():
                if line.editor is not None and not line.isHidden():
                    before = line.editor.value()
                    await line.editor.settle()
                    if not alive(self):
                        return
                    if line.editor.value() != before:
                        self.state.set(line.field.name, line.editor.value())
        except AppError as error:
            if alive(self):
                self.set_busy(False)
                self.show_failure(error_text(error))
            return
        self.submitted.emit(self.value())

    def set_busy(self, busy: bool) -> None:
        """While it is being sent nothing can be pressed twice."""
        self._busy = busy
        for button in (self.submit_button, self.save_button):
            button.setEnabled(not busy)
        self.busy.setText(tr("office_record.sending") if busy else "")

    async def done(self) -> None:
        """It was sent: the draft is not needed any more."""
        self.set_busy(False)
        self._touched = False
        if self._keeper is not None:
            await self._keeper.drop()

    def reopen(self) -> None:
        """The server would not have it: what is written is a draft again."""
        self.set_busy(False)
        self._touched = True
        if self._keeper is not None:
            self._keeper.keep(self.state.draft(self.raws()))

    def fit_content(self) -> None:
        """As tall as its fields: for a form inside a pane that scrolls itself."""
        self.foot.setProperty("surface", "none")
        self.area.content.installEventFilter(self)
        self._fit_content()

    def _fit_content(self) -> None:
        self.area.setFixedHeight(self.area.content.sizeHint().height() + 4)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.area.content and event.type() == QEvent.Type.LayoutRequest:
            self._fit_content()
        return False

    # ---- what the server said
    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Field → what is wrong with it; what belongs to no field of the form stands on top."""
        self.set_busy(False)
        rest = [text for name, text in errors.items() if name not in self.rows or self.rows[name].isHidden()]
        for name, text in errors.items():
            if name in self.rows:
                self.rows[name].show_error(text)
        if rest:
            self.show_failure("\n".join(rest))
        self._go_to(errors)

    def show_failure(self, text: str) -> None:
        """What went wrong with the whole."""
        self.set_busy(False)
        self.banner.action.hide()
        self.banner.show_text(text, tone="red", icon="warning-circle", dismissible=True)

    def show_overlap(self, holds: Sequence[Hold], free: Sequence[str]) -> None:
        """Somebody was faster: who holds it, and which are free."""
        self.set_busy(False)
        booking = self.definition.booking
        line = self.rows.get(booking.resource) if booking is not None else None
        if line is None:
            self.show_failure("\n".join(self._hold_text(hold) for hold in holds))
            return
        self._held = "\n".join(self._hold_text(hold) for hold in holds) or tr("office_record.held")
        line.show_error(self._held)
        if self._free is not None:
            self._free.show_free(free)
        self._go_to({line.field.name: True})
        self._in_sight = self._free
        self._keep_in_sight()

    def _keep_in_sight(self) -> None:
        if self._in_sight is not None:
            self.area.ensureWidgetVisible(self._in_sight, 0, theme.scaled(12))

    def _look_freely(self) -> None:
        self._in_sight = None

    def _hold_text(self, hold: Hold) -> str:
        span = span_of(hold.span)
        who = self.context.name_of(hold.author_id) or hold.title or tr("office_record.somebody")
        if span is None:
            return tr("office_record.held_by", who=who)
        return tr("office_record.held_from_to", span=self._short_span(span), who=who)

    def _short_span(self, span: tuple[int, int]) -> str:
        """The times alone where the day is the one that is written."""
        booking = self.definition.booking
        wanted = span_of(self.state.values.get(booking.span)) if booking is not None else None
        days = {when.date(ms) for ms in (*span, *(wanted or ()))}
        return f"{when.clock(span[0])}–{when.clock(span[1])}" if len(days) == 1 else format_span(*span)

    # ---- holds
    def _look_later(self) -> None:
        if self._free is not None:
            self._holds_timer.start()

    async def _look_for_holds(self) -> None:
        booking, free_box = self.definition.booking, self._free
        if booking is None or free_box is None or self._busy:
            return
        record = self.state.record
        span, wanted = self.state.values.get(booking.span), self.state.values.get(booking.resource)
        try:
            holds = await find_holds(self.context, self.definition, span, without=record.id if record else "")
            free = await find_free(self.context, self.definition, frozenset(holds)) if wanted in holds else ()
        except AppError:
            return  # a hint less; the server says it when the form is sent
        if not alive(self) or free_box is not self._free:
            return
        line = self.rows[booking.resource]
        if isinstance(wanted, str) and wanted in holds:
            self._held = "\n".join(self._hold_text(hold) for hold in holds[wanted])
            line.show_error(self._held)
            free_box.show_free(free)
        elif self._held:
            self._held = ""
            line.show_error("")
            free_box.hide()

    def _take_free(self, name: str, key: str) -> None:
        line = self.rows[name]
        if line.editor is not None:
            line.editor.set_value(key)
            self._held = ""
            line.show_error("")
            if self._free is not None:
                self._free.hide()
            self._on_changed(name)
            self.submit_button.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- the record changes elsewhere
    def rebase(self, record: Record) -> None:
        """Somebody changed the record meanwhile: untouched fields follow, touched ones show both."""
        clashes = self.state.rebase(record)
        for name, line in self.rows.items():
            if name not in self.state.changed:
                line.set_value(self.state.values.get(name))
            if name in clashes:
                line.show_theirs(record.data.get(name))
        self._refresh_rows()

    def _take_theirs(self, name: str) -> None:
        line, record = self.rows[name], self.state.record
        if record is not None:
            line.set_value(record.data.get(name))
            self._on_changed(name)

    # ---- the draft
    async def _load_draft(self, keeper: DraftKeeper, prefilled: frozenset[str]) -> None:
        try:
            kept = await keeper.load()
        except AppError:
            return  # the store is asked again when something is written
        if not alive(self) or keeper is not self._keeper or kept is None or self._touched:
            return
        kept = {**kept, "values": {k: v for k, v in (kept.get("values") or {}).items() if k not in prefilled}}
        outdated = self.state.outdated(kept)
        fields, raws = self.state.restore(kept)
        if not fields and not raws:
            return
        for name, line in self.rows.items():
            line.set_value(self.state.values.get(name))
        self._put_raws(raws)
        self._touched = True
        for name in outdated & self.rows.keys():
            self.rows[name].show_theirs(self.state.start.get(name))
        self._refresh_rows()
        i18n.bind(self.banner.action.setText, "office_record.throw_draft")
        self.banner.action.show()
        self.banner.show_text(tr("office_record.draft_found"), tone="accent", icon="note-pencil", dismissible=True)
        self._look_later()

    def throw_draft(self) -> None:
        """Throws the restored draft away and begins anew."""
        record, keeper = self.state.record, self._keeper
        if keeper is None:
            return
        keeper.keep(None)
        keeper.flush()
        self.state = FormState(
            self.definition,
            facts_of(self.context),
            record=record,
            editable=partial(self._editable, record),
            only=self._only,
            heeds_when=self.heeds_when,
        )
        self._touched = False
        self._build_rows()
        self.banner.hide()

    def _flush(self) -> None:
        if self._keeper is not None:
            self._keeper.flush()

    # ---- leaving
    def ask_close(self) -> None:
        """Leaves; asks first when something was written."""
        if self.changed:
            self.leave.show()
            self.leave.stay.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.closed.emit()

    def _stay(self) -> None:
        self.leave.hide()
        first = next((line.editor for line in self.rows.values() if line.editor is not None), None)
        if first is not None:
            first.take_focus()

    def close_kept(self) -> None:
        """Leaves; what was written is there next time."""
        self._flush()
        self.leave.hide()
        self.closed.emit()

    def close_thrown(self) -> None:
        """Leaves and forgets what was written."""
        self.leave.hide()
        self.forget()
        self.thrown.emit()
        self.closed.emit()

    def forget(self) -> None:
        """What was written is not wanted any more, or settled elsewhere."""
        self._touched = False
        if self._keeper is not None:
            self._keeper.keep(None)
            self._keeper.flush()

    def focus_first(self) -> None:
        """Puts the keyboard into the first field that can be written."""
        for line in self.rows.values():
            if line.editor is not None and not line.isHidden():
                line.editor.take_focus()
                return

    # ---- Qt overrides
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._stay() if not self.leave.isHidden() else self.ask_close()
            return
        super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._flush()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self._flush()
        super().changeEvent(event)
