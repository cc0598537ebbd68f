"""Acting on a step (mockup 3, below the flow): the fields of this step, an opinion with common phrases, a signature, files, and exactly the buttons it offers.

What is typed is kept by itself for each work item. Each action asks in place for what it needs; Ctrl+Enter does the first one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QKeySequence, QResizeEvent, QShortcut, QTextCursor
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain import Attachment, ConnectionState
from desktop.core.domain.cases import CaseEvent, ChosenStep, Flow, WorkItem, WorkKind
from desktop.core.domain.definition import Action, Field, FieldKind, TypeDefinition
from desktop.core.domain.definition import Label as Words
from desktop.core.domain.processes import StepAction
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.models.record_form import is_written
from desktop.ui import i18n
from desktop.ui.i18n import error_text, tr, when
from desktop.ui.kit import Button, IconButton, IconLabel, Label, Scroll, on_click, restyle, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process.action_row import ActionRow, Choice
from desktop.ui.office.process.ask_box import ASKS, Answer, AskBox, people_field
from desktop.ui.office.process.pen_canvas import PenCanvas
from desktop.ui.office.process.phrase_line import PhraseLine
from desktop.ui.office.process.runs_label import Run, RunsLabel
from desktop.ui.office.record.case_tab import cases_of
from desktop.ui.office.record.draft import DraftKeeper
from desktop.ui.office.record.files_editor import FilesEditor, attachment_of, attachment_value
from desktop.ui.office.record.form import RecordForm
from desktop.ui.office.record.pick_editors import PickMany
from desktop.ui.office.record.text_editors import GrowingText
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

ENDS: Final = frozenset({"submit", "approve", "refuse", "read"})
"""Acts that are the step itself: fields, signature and choices go with them."""
GOES_ON: Final = frozenset({"submit", "approve", "read"})
SUMMED_UP: Final = 5
"""So many filled fields stand in the line of a folded form."""
SUMMED_LETTERS: Final = 24
"""So much of each."""
NEGATIVE: Final = frozenset({"return", "refuse"})


class StepForm(RecordForm):
    """The few fields of a step, as tall as they are at the width there is."""

    heeds_when = True

    def __init__(self, context: ViewContext, definition: TypeDefinition, parent: QWidget | None = None) -> None:
        super().__init__(context, definition, parent)
        self.setObjectName("stepForm")
        self.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)

    def _fit_content(self) -> None:
        layout = self.area.content.layout()
        if layout is not None:
            width = self.area.viewport().width()
            tall = layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()
            self.area.setFixedHeight(max(1, tall))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_content()


class OpinionBox(QFrame):
    """The box of one record's work item.

    Signals:
        acted: the name of an action that was taken in. file_opened, file_saved: an Attachment.
        grown: it wants another height. item_shown: another work item, or the same one as it is now.
    """

    acted = Signal(str)
    grown = Signal()
    item_shown = Signal()
    file_opened = Signal(object)
    file_saved = Signal(object)

    def __init__(self, context: ViewContext, *, flat: bool = False, parent: QWidget | None = None) -> None:
        """`flat`: as tall as it is; else what is written scrolls and the buttons below it stay in sight."""
        super().__init__(parent)
        self.setObjectName("opinionBox")
        self.setProperty("surface", "none" if flat else "footer")
        self._flat = flat
        self.context = context
        self.tasks = TaskOwner(self)
        self.record: Record | None = None
        self.item: WorkItem | None = None
        self.offered: tuple[StepAction, ...] = ()
        self.form: RecordForm | None = None
        self.pickers: dict[str, PickMany] = {}
        self.first_choices: tuple[ChosenStep, ...] = ()
        self._key = ""
        self._shape: tuple[object, ...] = ()
        self._keeper: DraftKeeper | None = None
        self._instead_of: str | None = None
        self._busy = False
        self._loading = False
        self._build_ui()
        self._bind()
        self.hide()

    # ---- build
    def _build_ui(self) -> None:
        self.title = RunsLabel()
        self.sign_button = IconButton("pen-nib", "office_process.sign.open", size=16, box=28)
        self.sign_button.setObjectName("opinionSign")
        self.sign_star = Label("*", tone="red_text", strong=True)
        self.file_button = IconButton("paperclip", "office_process.attach", size=16, box=28)
        self.file_button.setObjectName("opinionAttach")
        self.form_box = QFrame()
        self.form_box.setProperty("surface", "none")
        self._form_column = QVBoxLayout(self.form_box)
        self._form_column.setContentsMargins(0, 0, 0, 0)
        self._form_column.setSpacing(4)
        self.summary = RunsLabel()
        self.form_toggle = Button(kind="link", small=True)
        self.form_toggle.setObjectName("stepFields")
        self._form_head = QWidget()
        self._form_head.setLayout(row(self.summary, self.form_toggle, spacing=4))
        self._form_column.addWidget(self._form_head)
        self.edit = GrowingText((3, 8))
        self.edit.setObjectName("opinionEdit")
        self.phrases = PhraseLine(self.context)
        self.pen = PenCanvas(self.context.me.name)
        label = Words(zh="", en="")
        self.files = FilesEditor(self.context, Field(name="attachments", kind=FieldKind.FILES, label=label))
        self.choosing = QWidget()
        self._choosing_column = QVBoxLayout(self.choosing)
        self._choosing_column.setContentsMargins(0, 0, 0, 0)
        self._choosing_column.setSpacing(4)
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.row = ActionRow(self.context)
        self.ask = AskBox(self.context)
        self.answer_icon = IconLabel("check-circle", tone="green", size=16)
        self.answer = Label(role="secondary", wrap=True)
        self.answer_box = QWidget()
        self.answer_box.setLayout(row(self.answer_icon, self.answer, spacing=6))
        self._lay_out()

    def _lay_out(self) -> None:
        self.content, self.foot = QWidget(), QWidget()
        upper, lower = QVBoxLayout(self.content), QVBoxLayout(self.foot)
        sides = 0 if self._flat else 16
        upper.setContentsMargins(sides, 10, sides, 0)
        lower.setContentsMargins(sides, 8, sides, 12)
        upper.setSpacing(8)
        lower.setSpacing(8)
        upper.addWidget(self.form_box)
        head = row(self.title, self.sign_star, self.sign_button, self.file_button, spacing=2)
        head.setStretch(0, 1)
        upper.addLayout(head)
        self.content.installEventFilter(self)
        for part in (self.edit, self.phrases, self.pen, self.files, self.choosing):
            upper.addWidget(part)
        for part in (self.problem, self.row, self.ask, self.answer_box):
            lower.addWidget(part)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        if self._flat:
            column.addWidget(self.content)
        else:
            upper.addStretch(1)
            self.area = Scroll(surface="surface")
            self.area.setWidget(self.content)
            self.content.setProperty("surface", "surface")
            column.addWidget(self.area, 1)
        column.addWidget(self.foot)
        for part in (self.form_box, self.pen, self.files, self.choosing, self.problem, self.answer_box):
            part.hide()

    def wanted_height(self, width: int) -> int:
        """How tall it would like to be at a width."""
        found = 2
        for part in (self.content, self.foot):
            if not part.isHidden():
                layout = part.layout()
                flows = layout is not None and layout.hasHeightForWidth()
                found += layout.totalHeightForWidth(width) if layout is not None and flows else part.sizeHint().height()
        return found

    def _bind(self) -> None:
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self.go_on)
        on_click(self.sign_button, self.open_pen)
        on_click(self.form_toggle, self.toggle_fields)
        on_click(self.file_button, self.attach)
        self.phrases.taken.connect(self.insert)
        self.edit.textChanged.connect(self._on_typed)
        self.files.changed.connect(self._keep)
        self.row.chosen.connect(self.choose)
        self.ask.answered.connect(self._on_answer)
        self.ask.dismissed.connect(self._after_ask)
        i18n.changed.connect(self._relabel)

    # ---- what it is about
    def show_flow(
        self,
        record: Record,
        flow: Flow,
        actions: Sequence[StepAction] | None = None,
        first_choices: Sequence[ChosenStep] = (),
    ) -> None:
        """Shows what may be done with a record now; what is typed for the same work item stays as it is.

        Args:
            first_choices: the steps whose people are picked with submitting, where there is no work item yet.
        """
        self.first_choices = tuple(first_choices)
        item, allowed = flow.item, tuple(actions if actions is not None else flow.actions)
        key = item.id if item is not None else f"{record.type}/{record.id}"
        if key != self._key:
            self._begin(key, record, item)
        self.record, self.item, self.offered = record, item, allowed
        self.show_shape()
        if self.form is not None:
            self.form.rebase(record)
            self._sum_up()
        self.row.show_actions(allowed)
        self._show_answer(flow)
        if not self.ask.isHidden() and not self._still_asked():
            self.ask.dismiss()
        self._show_parts()
        self.item_shown.emit()

    def clear(self) -> None:
        """Nothing may be done here."""
        self._flush()
        self._key, self.record, self.item, self.offered, self._keeper = "", None, None, (), None
        self._drop_form()
        self.hide()
        self.item_shown.emit()

    def _still_asked(self) -> bool:
        return all(one in self.offered for one in self.ask.offered)

    def _begin(self, key: str, record: Record, item: WorkItem | None) -> None:
        """Another work item: its own draft."""
        self._flush()
        self._key, self._instead_of, self._shape = key, None, ()
        self._loading = True
        self.edit.clear()
        self.pen.clear()
        self.files.set_value(None)
        self._loading = False
        self.ask.clear()
        for part in (self.pen, self.files, self.problem):
            part.hide()
        self._drop_form()
        self._keeper = DraftKeeper(self.context, f"opinion/{key}", self)
        self.tasks.start(self._load_draft(self._keeper), name="draft", exclusive=True)
        self.phrases.reload()
        self._make_form(record, item)

    @property
    def chooses(self) -> tuple[ChosenStep, ...]:
        """The steps whose people are picked here."""
        return self.item.chooses if self.item is not None else self.first_choices

    def show_shape(self) -> None:
        """The people pickers of the steps this one chooses for; made again only when those change."""
        shape = (tuple((c.step_id, c.name) for c in self.chooses), self.context.language)
        if shape == self._shape:
            return
        kept = {key: picker.value() for key, picker in self.pickers.items()} if self._shape else {}
        self._shape = shape
        empty_layout(self._choosing_column)
        self.pickers = {}
        for step in self.chooses:
            title = tr("office_process.choose_for", step=self.context.label(step.words) or step.step_id)
            picker = PickMany(self.context, people_field(step.step_id, Words(zh=title, en=title)))
            picker.set_name(title)
            picker.set_value(kept.get(step.step_id))
            picker.changed.connect(self._keep)
            self._choosing_column.addWidget(Label(title, role="secondary", tone="ink3"))
            self._choosing_column.addWidget(picker)
            self.pickers[step.step_id] = picker

    # ---- the fields of this step
    def _make_form(self, record: Record, item: WorkItem | None) -> None:
        definition = self.context.type_of(record.type)
        if item is None or definition is None or not (item.editable or item.required):
            return
        every = "*" in item.editable
        wanted = {name.split(".")[0] for name in item.editable}
        names = [f.name for f in definition.fields if is_written(f) and not f.immutable and (every or f.name in wanted)]
        names += [
            n for n in item.required if n not in names and (f := definition.field(n)) is not None and is_written(f)
        ]
        if not names:
            return
        label = item.step_words
        step = Action(
            name="step", label=label, from_=(), who=(), requires=tuple(n for n in item.required if n in names),
            asks=tuple(names),
        )  # fmt: skip
        form = self.form = StepForm(self.context, definition)
        form.area.inner.setContentsMargins(0, 0, 0, 0)
        form.set_record(record, action=step, draft_key=f"step/{item.id}")
        form.foot.hide()
        for shortcut in form.findChildren(QShortcut):
            shortcut.setEnabled(False)  # Ctrl+Enter is the box's
        form.file_opened.connect(self.file_opened)
        form.file_saved.connect(self.file_saved)
        self._form_column.addWidget(form)
        form.fit_content()
        form.draft_changed.connect(self._sum_up)
        self._open_fields(len(names) == 1 or bool(form.state.problems({})))

    # what is there already is one quiet line; the opinion must not be pushed out of sight
    def toggle_fields(self) -> None:
        """Opens the fields of the step, or closes them to a line."""
        if self.form is not None:
            self._open_fields(self.form.isHidden())
            if not self.form.isHidden():
                self.form.focus_first()

    def _open_fields(self, opened: bool) -> None:
        form = self.form
        if form is None:
            return
        form.setVisible(opened)
        self.summary.setVisible(not opened)
        self._form_head.setVisible(not opened or len(form.rows) > 1)
        i18n.bind(self.form_toggle.setText, f"office_process.fields.{'close' if opened else 'open'}")
        self._sum_up()
        self.grown.emit()

    def _sum_up(self) -> None:
        """The fields with what stands in them, in a line."""
        form = self.form
        if form is None:
            return
        said = {
            line: self.context.cell_text(line.field, form.state.values.get(name)) for name, line in form.rows.items()
        }
        filled = [(line.name, text) for line, text in said.items() if text and text != "–"]
        runs: list[Run] = []
        for name, text in filled[:SUMMED_UP]:
            runs += [Run(f"{name}: ", "ink3", "secondary"), Run(f"{_short(text)}  ", "ink2", "secondary")]
        if len(filled) > SUMMED_UP:
            runs.append(Run("…  ", "ink3", "secondary"))
        if not filled:
            names = when.list_join([line.name for line in list(said)[:SUMMED_UP]])
            runs.append(Run(tr("office_process.fields.empty", names=names), "ink3", "secondary"))
        self.summary.show_runs(runs)

    def _drop_form(self) -> None:
        if self.form is not None:
            self._form_column.removeWidget(self.form)
            self.form.hide()  # hiding it writes its draft
            self.form.setParent(None)
            self.form.deleteLater()
            self.form = None

    # ---- looks
    def _show_parts(self) -> None:
        item = self.item
        acting = bool(self.offered)
        writes = acting and (item is not None or self._asks_words())
        self.form_box.setVisible(acting and self.form is not None)
        for part in (self.edit, self.phrases):
            part.setVisible(writes)
        signs = item is not None and writes
        self.sign_button.setVisible(signs and self.pen.isHidden())
        primary = self.row.primary
        needed = primary is not None and self.needs_signature(primary.actions[0])
        self.sign_star.setVisible(signs and needed and self.pen.isHidden())
        self.file_button.setVisible(writes and (item is None or item.attachments) and self.files.isHidden())
        self.choosing.setVisible(acting and bool(self.pickers))
        self.row.setVisible(acting and self.ask.isHidden())
        if not acting:
            for idle in (self.ask, self.pen, self.files, self.problem):
                idle.hide()
        there = writes or not self.form_box.isHidden() or not self.choosing.isHidden()
        self.content.setVisible(there)
        if not self._flat:
            self.area.setVisible(there)
        self.setVisible(bool(self.offered) or self._busy or not self.answer_box.isHidden())
        self._relabel()
        self.title.setVisible(writes)
        self.grown.emit()

    def _asks_words(self) -> bool:
        """Without a work item words are only wanted for what is being asked, or to submit with."""
        return not self.ask.isHidden() or any(one.name == "submit" for one in self.offered)

    def _primary_need(self) -> str:
        primary = self.row.primary
        return self.need(primary.actions[0]) if primary is not None else "optional"

    def need(self, action: StepAction) -> str:
        """Whether an action wants words: required, optional or none."""
        if action.opinion is not None:
            return action.opinion
        wanted = self.item.opinion if self.item is not None else "optional"
        if wanted == "onReturn":
            return "required" if action.name in NEGATIVE else "optional"
        return wanted if wanted != "required" or action.name in ENDS | NEGATIVE else "optional"

    def needs_signature(self, action: StepAction) -> bool:
        """Whether an action wants a handwritten signature."""
        wanted = self.item.signature if self.item is not None else "never"
        return action.name in ENDS and (wanted == "always" or (wanted == "onApprove" and action.name == "approve"))

    def _relabel(self) -> None:
        item = self.item
        title = tr("office_process.opinion")
        if item is not None and item.kind is WorkKind.READ:
            title = tr("office_process.opinion_read")
        elif item is not None and item.step_name:
            title = tr("office_process.opinion_of", step=self.context.label(item.step_words))
        asked = self.need(self.ask.offered[0]) if self.ask.offered and not self.ask.isHidden() else ""
        needed = (asked or self._primary_need()) == "required"
        self.title.show_runs([Run(title, strong=True), Run(" *" if needed else "", "red_text", strong=True)])
        hint = "office_process.opinion_needed" if needed else "office_process.opinion_hint"
        self.edit.setPlaceholderText(tr(hint))
        self.edit.setAccessibleName(title)
        if self._shape and self._shape[1] != self.context.language:
            self.show_shape()

    def _show_answer(self, flow: Flow) -> None:
        """What became of the last act, as long as it is on its way."""
        if not flow.pending:
            self.answer_box.hide()
            return
        live = self.context.session.status.state is ConnectionState.LIVE
        self.answer.setText(tr("office_process.sending" if live else "office_process.sent_waiting_hint"))
        self.answer_icon.set_icon("arrows-clockwise" if live else "clock", "ink3" if live else "amber")
        self.answer.set_tone("ink2" if live else "amber")
        self.answer_box.show()

    # ---- writing
    def insert(self, phrase: str) -> None:
        """Puts a phrase where the cursor is; into an empty box as the whole."""
        cursor = self.edit.textCursor()
        before = self.edit.toPlainText()[: cursor.position()]
        joint = (
            "" if not before or before[-1] in "。，,；;！!？?\n " else "，" if self.context.language == "zh" else ", "
        )
        cursor.insertText(joint + phrase)
        self.edit.setTextCursor(cursor)
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    def open_pen(self) -> None:
        """Shows the sheet to sign on."""
        self.pen.show()
        self._show_parts()
        self.pen.setFocus(Qt.FocusReason.OtherFocusReason)
        if not self._flat:
            self.area.ensureWidgetVisible(self.pen)

    def attach(self) -> None:
        """Shows the files and asks for some."""
        self.files.show()
        self._show_parts()
        self.files.ask_files()

    def _on_typed(self) -> None:
        if not self.problem.isHidden() and self.edit.toPlainText().strip():
            self.say("")
        self._keep()

    def say(self, text: str) -> None:
        """What is missing or went wrong; empty: nothing."""
        self.problem.setText(text)
        self.problem.setVisible(bool(text))
        self.edit.setProperty("invalid", "true" if text and not self.edit.toPlainText().strip() else "false")
        restyle(self.edit)
        self.grown.emit()

    # ---- acting
    def go_on(self) -> None:
        """Does what the step is there for: Ctrl+Enter. With a question open it is the answer."""
        if not self.ask.isHidden():
            self.ask.answer()
        elif self.row.primary is not None and not self.row.isHidden():
            self.choose(self.row.primary)

    def choose(self, choice: Choice) -> None:
        """The user wants this; what it needs is asked first, in place."""
        if self._busy:
            return
        action = choice.actions[0]
        if action.name in ASKS and not (action.name == "return" and not self._returns()):
            self.say("")
            self.ask.ask(choice.actions, self.item, needs_opinion=self.need(action) == "required")
            self._show_parts()
            if self.need(action) == "required" and not self.edit.toPlainText().strip():
                self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        self._try(Answer(action))

    def _returns(self) -> bool:
        return self.item is not None and bool(self.item.return_to)

    def _after_ask(self) -> None:
        self._show_parts()
        if not self.row.isHidden():
            next(iter(self.row.buttons.values())).setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_answer(self, answer: Answer) -> None:
        self._try(answer)

    def _try(self, answer: Answer) -> None:
        """Checks what the action needs and sends it; says what is missing and goes there."""
        action = answer.action
        self.say("")
        if self.need(action) == "required" and not self.edit.toPlainText().strip():
            self.say(tr("office_process.missing.opinion"))
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if action.name in GOES_ON:
            if self.form is not None and not self._form_stands():
                self._open_fields(True)
                self.form.check()  # goes to the first one that is wrong
                self.say(tr("office_process.missing.fields"))
                return
            empty = next((key for key, picker in self.pickers.items() if not self._picked(picker)), None)
            if empty is not None:
                self.say(tr("office_process.missing.chosen", step=self._chosen_name(empty)))
                self.pickers[empty].take_focus()
                return
        if self.needs_signature(action) and self.pen.empty:
            self.open_pen()
            self.say(tr("office_process.missing.signature"))
            return
        self.tasks.start(self._send(answer), name="act", exclusive=True)

    def _form_stands(self) -> bool:
        assert self.form is not None
        for line in self.form.rows.values():
            if line.editor is not None:
                line.editor.finish()
        return self.form.check()

    def _picked(self, picker: PickMany) -> list[str]:
        picker.finish()
        value = picker.value()
        return value if isinstance(value, list) else []

    def _chosen_name(self, step_id: str) -> str:
        named = (self.context.label(one.words) for one in self.chooses if one.step_id == step_id and one.name)
        return next(named, step_id)

    async def _send(self, answer: Answer) -> None:
        cases, record = cases_of(self.context), self.record
        if cases is None or record is None:
            return
        action, name = answer.action, answer.action.name
        key, keeper, form = self._key, self._keeper, self.form
        self._set_busy(True)
        try:
            values = await self._values() if name in ENDS else None
            more: dict[str, Any] = {
                "opinion": self.edit.toPlainText().strip(),
                "attachments": self._attachments(),
                "values": values,
                "chosen": {k: p for k, picker in self.pickers.items() if (p := self._picked(picker))}
                if name in GOES_ON
                else None,
                "instead_of": self._instead_of,
            }
            if name == "submit" and self.item is None:
                await cases.submit(record, **more)
            else:
                signature = self.pen.png() if name in ENDS and not self.pen.empty else None
                await cases.act(
                    record, action, self.item, signature=signature, to=answer.to, to_step=answer.to_step, **more
                )
        except AppError as error:
            if alive(self):
                self._set_busy(False)
                self.say(error_text(error))
            return
        if keeper is not None:
            await keeper.drop()
        if form is not None and alive(form):
            await form.done()
        if alive(self):
            self._set_busy(False)
            if self._key == key:
                self._empty()
            self.acted.emit(name)

    async def _values(self) -> dict[str, Any]:
        """What was changed in the step's fields; files that are still going up are waited for."""
        form = self.form
        if form is None:
            return {}
        for line in form.rows.values():
            if line.editor is not None and not line.isHidden():
                before = line.editor.value()
                await line.editor.settle()
                if line.editor.value() != before:
                    form.state.set(line.field.name, line.editor.value())
        return form.value()

    def _attachments(self) -> list[Path | Attachment]:
        found = (entry.attachment or entry.path for entry in self.files.entries)
        return [one for one in found if one is not None]

    def _set_busy(self, busy: bool) -> None:
        self._busy = busy
        self.row.set_busy(busy)
        self.ask.yes.setEnabled(not busy)

    def _empty(self) -> None:
        self._loading = True
        self.edit.clear()
        self.pen.clear()
        self.files.set_value(None)
        self._loading = False
        self._instead_of = None
        for picker in self.pickers.values():
            picker.set_value(None)
        self.ask.clear()
        self.say("")
        for part in (self.pen, self.files):
            part.hide()
        self._show_parts()

    # ---- what was refused comes back
    def reuse(self, event: CaseEvent) -> None:
        """Puts an act that was refused back: words, files and people; the next act takes its place."""
        self._instead_of = event.id
        if event.opinion and event.opinion not in self.edit.toPlainText():
            self.edit.moveCursor(QTextCursor.MoveOperation.End)
            self.edit.insertPlainText(("\n" if self.edit.toPlainText() else "") + event.opinion)
        if event.attachments:
            self.files.set_value([attachment_value(one) for one in event.attachments])
            self.files.show()
        for step_id, people in event.chosen.items():
            if step_id in self.pickers:
                self.pickers[step_id].set_value(list(people))
        self._show_parts()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- the draft
    def _keep(self) -> None:
        if self._keeper is None or self._loading:
            return
        draft: dict[str, Any] = {
            "text": self.edit.toPlainText(),
            "files": self.files.value(),
            "chosen": {key: value for key, picker in self.pickers.items() if (value := picker.value())},
        }
        worth = draft["text"].strip() or draft["files"] or draft["chosen"]
        self._keeper.keep(draft if worth else None)

    async def _load_draft(self, keeper: DraftKeeper) -> None:
        try:
            kept = await keeper.load()
        except AppError:
            return  # the store is asked again when something is written
        if not alive(self) or keeper is not self._keeper or not kept:
            return
        self._loading = True
        if not self.edit.toPlainText():
            self.edit.setPlainText(str(kept.get("text") or ""))
            self.edit.moveCursor(QTextCursor.MoveOperation.End)
        files = [one for one in kept.get("files") or () if attachment_of(one) is not None]
        if files and not self.files.entries:
            self.files.set_value(files)
            self.files.show()
        chosen = kept.get("chosen")
        for key, people in chosen.items() if isinstance(chosen, dict) else ():
            if key in self.pickers and not self.pickers[key].value():
                self.pickers[key].set_value(people)
        self._loading = False
        self._show_parts()

    def _flush(self) -> None:
        if self._keeper is not None:
            self._keeper.flush()

    @property
    def writing(self) -> bool:
        """Whether something stands here that is not sent."""
        return bool(self.edit.toPlainText().strip() or self.files.entries or not self.pen.empty)

    # ---- Qt overrides
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.content and event.type() == QEvent.Type.LayoutRequest:
            self.grown.emit()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.ask.isHidden():
            self.ask.dismiss()
            return
        super().keyPressEvent(event)

    def hideEvent(self, event: QHideEvent) -> None:
        self._flush()
        super().hideEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.ActivationChange and not self.isActiveWindow():
            self._flush()
        super().changeEvent(event)


def _short(text: str) -> str:
    """The beginning of a text, without the signs it is set by."""
    plain = " ".join(text.replace("*", "").partition("|")[0].split())
    return plain if len(plain) <= SUMMED_LETTERS and plain == " ".join(text.split()) else f"{plain[:SUMMED_LETTERS]}…"
