"""What a filter is set with, by the field's kind: boxes for choices, a search for people and records, days, numbers; and "empty" for all."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind
from desktop.models.record_filters import DATES, PICKS, RANGES, FieldFilter, Period
from desktop.models.record_values import Unreadable, parse_decimal
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, CheckBox, Label, TextField, on_click, restyle, row
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.views.base import ViewContext

MANY_OF = {
    FieldKind.PERSON: FieldKind.PERSONS,
    FieldKind.DEPARTMENT: FieldKind.DEPARTMENTS,
    FieldKind.REFERENCE: FieldKind.REFERENCES,
}


class FilterEditor(QWidget):
    """Base: `changed` carries the FieldFilter after each step of the user; one that asks nothing has no parts."""

    changed = Signal(object)

    def __init__(self, context: ViewContext, field: Field, one: FieldFilter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.field, self.one = context, field, one
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)

    def tell(self, **parts: Any) -> None:
        """The user chose: these parts and no others."""
        self.one = FieldFilter(self.field.name, **parts)
        self.changed.emit(self.one)


class ChoiceFilter(FilterEditor):
    """A box for each choice; yes and no of a box."""

    def __init__(self, context: ViewContext, field: Field, one: FieldFilter, parent: QWidget | None = None) -> None:
        super().__init__(context, field, one, parent)
        flow = Flow()
        words = [(choice.value, context.label(choice.label)) for choice in field.choices]
        values: list[tuple[Any, str]] = list(words)
        if field.kind is FieldKind.BOOL:
            values = [(True, tr("office_module.yes")), (False, tr("office_module.no"))]
        self.boxes: list[tuple[Any, CheckBox]] = []
        for value, text in values:
            box = CheckBox(text)
            box.setObjectName(f"filterChoice_{value}")
            box.setChecked(value in one.values)
            box.toggled.connect(self._on_box)
            self.boxes.append((value, box))
            flow.add(box)
        self.column.addWidget(flow)

    def _on_box(self) -> None:
        self.tell(values=tuple(value for value, box in self.boxes if box.isChecked()))


class PickFilter(FilterEditor):
    """People, departments or records, found as one types."""

    def __init__(self, context: ViewContext, field: Field, one: FieldFilter, parent: QWidget | None = None) -> None:
        super().__init__(context, field, one, parent)
        from desktop.ui.office.record.field_editors import create_editor

        many = msgspec.structs.replace(field, kind=MANY_OF.get(field.kind, field.kind), only=None, min=None, max=None)
        self.editor = create_editor(context, many)
        self.editor.set_value(list(one.values))
        self.editor.changed.connect(lambda: self.tell(values=tuple(self.editor.value() or ())))
        self.column.addWidget(self.editor)
        self.setFocusProxy(self.editor)


class DaysFilter(FilterEditor):
    """Periods seen from today, or from one day to another."""

    def __init__(self, context: ViewContext, field: Field, one: FieldFilter, parent: QWidget | None = None) -> None:
        super().__init__(context, field, one, parent)
        from desktop.ui.office.record.field_editors import create_editor

        flow = Flow()
        self.periods: dict[Period, Button] = {}
        for period in Period:
            button = Button(tr(f"office_module.period.{period}"), small=True)
            button.setObjectName(f"period_{period}")
            button.setCheckable(True)
            on_click(button, partial(self._on_period, period))
            self.periods[period] = button
            flow.add(button)
        day = Field(name=field.name, kind=FieldKind.DATE, label=field.label)
        self.first, self.last = create_editor(context, day), create_editor(context, day)
        for editor, value in ((self.first, one.low), (self.last, one.high)):
            editor.set_value(value)
            editor.setMaximumWidth(theme.scaled(170))
            editor.changed.connect(self._on_days)
        self.first.set_name(tr("office_module.from_day"))
        self.last.set_name(tr("office_module.to_day"))
        between = Label("–", tone="ink3")
        self.column.addWidget(flow)
        self.column.addLayout(
            row(Label(key="office_module.from_day", tone="ink2"), self.first, between, self.last, None)
        )
        self._mark()

    def _mark(self) -> None:
        for period, button in self.periods.items():
            button.setChecked(period is self.one.period)
            restyle(button)

    def _on_period(self, period: Period) -> None:
        chosen = None if self.one.period is period else period
        self.first.set_value(None)
        self.last.set_value(None)
        self.tell(period=chosen)
        self._mark()

    def _on_days(self) -> None:
        self.tell(low=self.first.value(), high=self.last.value())
        self._mark()


class NumbersFilter(FilterEditor):
    """From a number to another, both within."""

    def __init__(self, context: ViewContext, field: Field, one: FieldFilter, parent: QWidget | None = None) -> None:
        super().__init__(context, field, one, parent)
        self.low, self.high = TextField(key="office_module.from_number"), TextField(key="office_module.to_number")
        for line, value in ((self.low, one.low), (self.high, one.high)):
            line.setText(value or "")
            line.setMaximumWidth(theme.scaled(130))
            line.textEdited.connect(self._on_text)
        unit = Label(field.unit.text(context.language) if field.unit else "", tone="ink3")
        self.column.addLayout(row(self.low, Label("–", tone="ink3"), self.high, unit, None))
        self.setFocusProxy(self.low)

    def _on_text(self) -> None:
        bounds = [self._read(line) for line in (self.low, self.high)]
        self.tell(low=bounds[0], high=bounds[1])

    @staticmethod
    def _read(line: TextField) -> str | None:
        text = line.text().strip()
        try:
            number = str(parse_decimal(text)) if text else None
        except Unreadable:
            line.set_invalid(True)
            return None
        line.set_invalid(False)
        return number


class WordFilter(FilterEditor):
    """Texts are searched above; here only whether there is one."""


def create_filter_editor(context: ViewContext, field: Field, one: FieldFilter) -> FilterEditor:
    """The editor of a field's filter."""
    made: FilterEditor
    if field.kind in RANGES:
        made = NumbersFilter(context, field, one)
    elif field.kind in DATES:
        made = DaysFilter(context, field, one)
    elif field.kind in (FieldKind.CHOICE, FieldKind.MULTI_CHOICE, FieldKind.BOOL):
        made = ChoiceFilter(context, field, one)
    elif field.kind in PICKS:
        made = PickFilter(context, field, one)
    else:
        made = WordFilter(context, field, one)
    _add_empty(made)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made


def _add_empty(editor: FilterEditor) -> None:
    """Two boxes, of which one may be on: nothing in it, anything in it."""
    empty, filled = CheckBox(key="office_module.is_empty"), CheckBox(key="office_module.is_filled")
    empty.setObjectName("filterEmpty")
    filled.setObjectName("filterFilled")
    empty.setChecked(editor.one.empty is True)
    filled.setChecked(editor.one.empty is False)

    def on_box(box: CheckBox, other: CheckBox, value: bool) -> None:
        if box.isChecked():
            other.setChecked(False)
            editor.tell(empty=value)
        elif not other.isChecked():
            editor.tell()

    empty.toggled.connect(lambda _on: on_box(empty, filled, True))
    filled.toggled.connect(lambda _on: on_box(filled, empty, False))

    def on_changed(one: FieldFilter) -> None:
        if one.empty is None and (one.values or one.low or one.high or one.period):
            for box in (empty, filled):
                box.blockSignals(True)
                box.setChecked(False)
                box.blockSignals(False)

    editor.changed.connect(on_changed)
    editor.column.addLayout(row(empty, filled, None, spacing=14))
