"""Trying a process on a sample case: a form filled in, a starter, what each step answers; the way it takes, with who would have it. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from desktop.core.domain.definition import Label as Words
from desktop.core.domain.definition import TypeDefinition
from desktop.core.domain.processes import Process, ProcessNote, TraceStep, TryOut
from desktop.core.errors import AppError
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Button, Chip, Label, Scroll, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.process import words
from desktop.ui.office.process.ask_box import people_field
from desktop.ui.office.process.designer.small_editors import ChoiceBox
from desktop.ui.office.process.designer.step_words import StepWords
from desktop.ui.office.record.case_tab import cases_of
from desktop.ui.office.record.form import RecordForm
from desktop.ui.office.record.pick_editors import PickOne
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive


class TryOutPane(QFrame):
    """Signals: closed. traced: it was run (a TryOut)."""

    closed = Signal()
    traced = Signal(object)

    def __init__(self, context: ViewContext, says: StepWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tryOut")
        self.setProperty("surface", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.context, self.says = context, says
        self.tasks = TaskOwner(self)
        self.process: Process | None = None
        self.content: str | bytes | Mapping[str, Any] = ""
        self.form: RecordForm | None = None
        self.script: list[str] = []
        self.result: TryOut | None = None
        label = Words(zh=tr("office_process.try.starter"), en=tr("office_process.try.starter"))
        self.starter = PickOne(context, people_field("starter", label, many=False))
        self.starter.set_name(tr("office_process.try.starter"))
        self.starter.set_value(context.me.id)
        self.run_button = Button(key="office_process.try.run", kind="primary", small=True, icon="play")
        self.run_button.setObjectName("tryRun")
        self.close_button = Button(key="common.close", kind="ghost", small=True)
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.problem.hide()
        self.area = Scroll(surface="surface")
        self.area.inner.setContentsMargins(18, 8, 18, 14)
        self.area.inner.setSpacing(8)
        self._trace = QWidget()
        self._trace_column = QVBoxLayout(self._trace)
        self._trace_column.setContentsMargins(0, 0, 0, 0)
        self._trace_column.setSpacing(6)
        self._form_box = QWidget()
        self._form_column = QVBoxLayout(self._form_box)
        self._form_column.setContentsMargins(0, 0, 0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = row(Label(key="office_process.try.title", strong=True), None, self.run_button, self.close_button)
        head.setContentsMargins(18, 10, 12, 4)
        column.addLayout(head)
        column.addWidget(self.area, 1)
        for part in (
            Label(key="office_process.try.hint", role="secondary", tone="ink3", wrap=True),
            self.problem,
            self._trace,
            Label(key="office_process.try.starter", role="secondary", tone="ink3"),
            self.starter,
            self._form_box,
        ):
            self.area.inner.addWidget(part)
        self.area.inner.addStretch(1)
        on_click(self.run_button, self.run)
        on_click(self.close_button, self.closed.emit)

    def show_process(
        self, process: Process, content: str | bytes | Mapping[str, Any], definition: TypeDefinition | None
    ) -> None:
        """Tries this: a version by its id, or a list as it is written now."""
        other = self.process is None or self.process.record_type != process.record_type
        self.process, self.content = process, content
        if other:
            self.script = []
            empty_layout(self._form_column)
            self.form = None
            if definition is not None:
                self._make_form(definition)
            self._show(None)

    def _make_form(self, definition: TypeDefinition) -> None:
        form = self.form = RecordForm(self.context, definition)
        form.area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        form.area.inner.setContentsMargins(0, 0, 0, 0)
        form.set_record(None, draft_key=f"try/{definition.name}")
        form.foot.hide()
        for shortcut in form.findChildren(QShortcut):
            shortcut.setEnabled(False)
        self._form_column.addWidget(form)
        form.fit_content()

    # ---- running
    def run(self) -> None:
        """Runs it with what the form says and what each step is to answer."""
        if self.form is not None and not self.form.check():
            self._say(tr("office_process.try.fill"))
            return
        if self.process is not None:
            self.tasks.start(self._run(self.process), name="run", exclusive=True)

    async def _run(self, process: Process) -> None:
        cases = cases_of(self.context)
        person = self.starter.value()
        if cases is None:
            return
        self.run_button.setEnabled(False)
        self.problem.hide()
        data = self.form.value() if self.form is not None else {}
        try:
            found = await cases.try_out(
                self.content, process.record_type, data, str(person or self.context.me.id), tuple(self.script)
            )
        except AppError as error:
            if alive(self):
                self._say(error_text(error))
                wrong = error.data.get("properties")
                if self.form is not None and isinstance(wrong, list | tuple):
                    self.form.show_errors({str(one).split("/")[-1]: error_text(error) for one in wrong})
            return
        finally:
            if alive(self):
                self.run_button.setEnabled(True)
        if alive(self):
            self._show(found)
            self.area.verticalScrollBar().setValue(0)
            self.traced.emit(found)

    def _say(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()

    def answer(self, number: int, outcome: str) -> None:
        """Lets a step answer something else, and runs again."""
        while len(self.script) <= number:
            self.script.append(self._outcome(len(self.script)))
        self.script[number] = outcome
        del self.script[number + 1 :]  # another way leads over other steps
        self.run()

    def _outcome(self, number: int) -> str:
        steps = self._people()
        return steps[number].outcome or "" if number < len(steps) else ""

    def _people(self) -> list[TraceStep]:
        return [one for one in (self.result.trace if self.result is not None else ()) if one.kind == "userTask"]

    # ---- what came of it
    def _show(self, found: TryOut | None) -> None:
        self.result = found
        empty_layout(self._trace_column)
        self._trace.setVisible(found is not None)
        if found is None:
            return
        for problem in (*found.problems, *found.notes):
            self._trace_column.addWidget(self._note(problem, bad=problem in found.problems))
        number = 0
        for step in found.trace:
            self._trace_column.addWidget(self._line(step, number))
            number += step.kind == "userTask"
        self._trace_column.addWidget(self._end(found))

    def _note(self, note: ProcessNote, *, bad: bool) -> Label:
        text = (
            f"{note.element}: {note.text(self.context.language)}" if note.element else note.text(self.context.language)
        )
        return Label(text, role="secondary", tone="red_text" if bad else "amber", wrap=True)

    def _line(self, step: TraceStep, number: int) -> QWidget:
        line = QFrame()
        line.setProperty("surface", "card")
        column = QVBoxLayout(line)
        column.setContentsMargins(10, 6, 10, 6)
        column.setSpacing(3)
        title = Label(self.context.label(step.words), strong=True)
        who = words.people_word(self.context, step.person_ids) if step.person_ids else ""
        side = Label(who or tr("office_process.the_system"), role="secondary", tone="ink3")
        parts: list[QWidget | int | None] = [title, side, None]
        if step.state:
            parts.append(Chip(self.says.state(step.state), "accent"))
        outcomes = self._outcomes(step)
        if step.kind == "userTask" and outcomes:
            box = ChoiceBox(outcomes)
            box.setObjectName(f"outcome_{number}")
            box.set_value(step.outcome or outcomes[0][0])
            box.setAccessibleName(tr("office_process.try.answer_of", step=title.text()))
            box.changed.connect(partial(self._on_answer, number, box))
            parts.append(box)
        column.addLayout(row(*parts))
        hints = [self._said(step.note), tr("office_process.try.fallback") if step.fallback else ""]
        hints += [words.left(step.entered_at, step.due_at)] if step.entered_at and step.due_at else []
        text = " · ".join(part for part in hints if part)
        if text:
            column.addWidget(Label(text, role="secondary", tone="amber" if step.fallback else "ink3", wrap=True))
        line.setAccessibleName(f"{title.text()}, {side.text()}")
        return line

    def _said(self, note: str | Words | None) -> str:
        return self.context.label(note) if isinstance(note, Words) else note or ""

    def _on_answer(self, number: int, box: ChoiceBox) -> None:
        self.answer(number, str(box.value()))

    def _outcomes(self, step: TraceStep) -> list[tuple[Any, str]]:
        """What a step may answer: its forward actions, and going back."""
        found: list[tuple[Any, str]] = []
        known = self.process.step(step.step_id) if self.process is not None else None
        usual = {"submit": "submitted", "approve": "approved", "refuse": "refused", "read": "read", "return": "return"}
        for action in known.actions if known is not None else ():
            outcome = action.outcome or usual.get(action.name)
            if outcome is not None:
                found.append((outcome, words.action_word(self.context, action)))
        return list(dict(found).items())

    def _end(self, found: TryOut) -> Label:
        if found.ended:
            state = self.says.state(found.end_state) if found.end_state else ""
            return Label(tr("office_process.try.ended", state=state), role="secondary", tone="green")
        return Label(tr("office_process.try.not_ended"), role="secondary", tone="amber", wrap=True)
