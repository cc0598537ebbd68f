"""A field in a form: its name, its editor or its value to read, help, and what is wrong with it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field
from desktop.models.record_form import Problem
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, IconLabel, Label, on_click, row
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.record.field_editors import create_editor
from desktop.ui.office.record.lines_editor import LinesEditor
from desktop.ui.office.record.pick_editors import PickOne
from desktop.ui.office.record.value_view import ValueView
from desktop.ui.office.views.base import ViewContext


def problem_text(context: ViewContext, problem: Problem, after: Field | None = None) -> str:
    """What a problem says. `after`: the field that a date must not come before."""
    figures = dict(problem.figures)
    if problem.code == "before":
        figures["after"] = context.label(after.label) if after is not None else str(figures.get("after", ""))
    text = tr(f"office_record.problem.{problem.code}", **figures)
    if problem.inner is None:
        return text
    name = context.label(problem.inner.label)
    if problem.row is None:
        return tr("office_record.problem_inside", name=name, text=text)
    return tr("office_record.problem_in_line", row=problem.row + 1, name=name, text=text)


class FieldRow(QWidget):
    """One field. `theirs_taken`: the user wants what somebody else wrote meanwhile."""

    theirs_taken = Signal()

    def __init__(
        self,
        context: ViewContext,
        field: Field,
        *,
        writable: bool,
        required: bool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.context, self.field = context, field
        self.setObjectName(f"row_{field.name}")
        self.name = context.label(field.label)
        self.editor: FieldEditor | None = create_editor(context, field) if writable else None
        self.view: ValueView | None = None if writable else ValueView(context, field)
        self.caption = Label(self.name, role="secondary", tone="ink3")
        self._wrong: QWidget | None = None  # made when first needed: a form has many fields, and few of them are wrong
        self._clash: QWidget | None = None
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(3)
        if self.editor is not None and not self.editor.captioned:
            self.caption.setParent(self)
            self.caption.hide()
        elif required:
            self.column.addLayout(row(self.caption, Label("*", role="secondary", tone="red_text"), None, spacing=3))
        else:
            self.column.addWidget(self.caption)
        self.column.addWidget(self.editor or self.view or QWidget())
        if (
            field.help is not None and required == field.required
        ):  # what leaving it empty means is no help where it must not be
            self.column.addWidget(Label(context.label(field.help), role="secondary", tone="ink3", wrap=True))
        if self.editor is not None:
            self.editor.set_name(tr("office_record.required_name", name=self.name) if required else self.name)

    def set_value(self, value: object) -> None:
        """Shows a value."""
        if self.editor is not None:
            self.editor.set_value(value)
        elif self.view is not None:
            self.view.show_value(value)

    def value(self) -> Any:
        """What its editor holds; None where it is only read."""
        return self.editor.value() if self.editor is not None else None

    def put(self, value: object) -> None:
        """Puts a value in as if the user had written it."""
        if self.editor is not None:
            self.editor.set_value(value)
            self.editor.changed.emit()

    @property
    def wrong(self) -> str:
        """What stands below as wrong; empty for nothing."""
        return self.error.text() if self._wrong is not None and not self._wrong.isHidden() else ""

    def show_error(self, text: str) -> None:
        """Says what is wrong; the empty text that nothing is."""
        if self._wrong is None:
            if not text:
                return
            self._wrong = self._make_wrong()
        self.error.setText(text)
        self._wrong.setVisible(bool(text))
        if self.editor is not None:
            self.editor.set_invalid(bool(text))
            self.editor.setAccessibleDescription(text)

    def _make_wrong(self) -> QWidget:
        self.error = Label(role="secondary", tone="red_text", wrap=True)
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(IconLabel("warning-circle", tone="red_text", size=14))
        line.addWidget(self.error, 1)
        self.column.addWidget(holder)
        return holder

    def show_problem(self, problem: Problem, after: Field | None) -> None:
        """Says what is wrong, and where inside lines."""
        self.show_error(problem_text(self.context, problem, after))
        if isinstance(self.editor, LinesEditor) and problem.row is not None and problem.inner is not None:
            self.editor.show_bad({(problem.row, problem.inner.name)})

    def show_theirs(self, value: object) -> None:
        """Somebody else changed the field meanwhile: what it is there."""
        if self._clash is None:
            self._clash = self._make_clash()
        text = self.context.cell_text(self.field, value) or tr("office_record.nothing")
        self.theirs.setText(tr("office_record.changed_meanwhile", value=text))
        self._clash.show()

    def _make_clash(self) -> QWidget:
        self.theirs = Label(role="secondary", tone="amber", wrap=True)
        take = Button(key="office_record.take_theirs", kind="link", small=True)
        on_click(take, self.theirs_taken.emit)
        holder = QWidget()
        holder.setLayout(row(self.theirs, take, None))
        self.column.addWidget(holder)
        return holder

    def hide_theirs(self) -> None:
        """The user has seen it."""
        if self._clash is not None:
            self._clash.hide()

    def opens(self) -> PickOne | ValueView | None:
        """What of it can ask for another record to be shown."""
        return self.editor if isinstance(self.editor, PickOne) else self.view
