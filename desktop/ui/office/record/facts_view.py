"""A record to read: its sections with names and values, and the records of other types that point to it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain.conditions import BadFilter, is_empty, matches, resolve
from desktop.core.domain.definition import Field, FieldKind, Link, TypeDefinition
from desktop.core.domain.records import Record
from desktop.models.record_form import parts_of
from desktop.ui import theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Button, Chip, Label, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.record.form import facts_of
from desktop.ui.office.record.value_view import ValueView
from desktop.ui.office.views.base import STATE, ViewContext

NAME_WIDTH = 84
LINKS_SHOWN = 8
WIDE = frozenset({FieldKind.LINES, FieldKind.RICH_TEXT, FieldKind.FILES})


class FactsView(QWidget):
    """The fields of one record.

    Signals:
        opened: a record or person to go to (type, id). file_opened, file_saved: an Attachment.
    """

    opened = Signal(str, str)
    file_opened = Signal(object)
    file_saved = Signal(object)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self.views: dict[str, ValueView] = {}
        self._shape: object = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(10)

    def show_record(self, definition: TypeDefinition, record: Record) -> None:
        """Shows the record; where the same fields are filled only the values are drawn anew."""
        parts = [
            (part.label, tuple(one for one in part.fields if self._shown(one, record))) for part in parts_of(definition)
        ]
        shape = (definition, record.id, self.context.language, theme.text_scale(), tuple(fields for _, fields in parts))
        if shape != self._shape:
            self._shape = shape
            empty_layout(self._column)
            self.views = {}
            titled = sum(bool(fields) for _, fields in parts) > 1
            for label, fields in parts:
                if fields:
                    text = self.context.label(label) if label is not None else tr("office_record.more_fields")
                    self._section(text if titled else "", fields)
            self._envelope(record)
        for name, view in self.views.items():
            view.show_value(record.data.get(name))

    def _shown(self, one: Field, record: Record) -> bool:
        """Empty fields and those that do not belong to this record leave no line."""
        if is_empty(record.data.get(one.name)):
            return False
        try:
            return one.when is None or matches(resolve(one.when, facts_of(self.context)), record.data)
        except BadFilter:
            return True

    def _section(self, title: str, fields: Sequence[Field]) -> None:
        if title:
            self._column.addWidget(Label(title, role="emphasis", strong=True))
        grid = _grid()
        for number, one in enumerate(fields):
            view = ValueView(self.context, one)
            view.setObjectName(f"value_{one.name}")
            view.opened.connect(self.opened)
            view.file_opened.connect(self.file_opened)
            view.file_saved.connect(self.file_saved)
            self.views[one.name] = view
            name = _name(self.context.label(one.label))
            view.setAccessibleName(name.text())
            if one.kind in WIDE:
                grid.addWidget(name, number * 2, 0, 1, 2)
                grid.addWidget(view, number * 2 + 1, 0, 1, 2)
            else:
                grid.addWidget(name, number * 2, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(view, number * 2, 1)
        self._column.addLayout(grid)

    def _envelope(self, record: Record) -> None:
        who = self.context.name_of(record.author_id) or tr("office_record.the_office")
        made = (
            tr("office_record.made_by", name=who, time=when.date_time(record.created_at)) if record.created_at else who
        )
        self._column.addWidget(Label(made, role="secondary", tone="ink3", wrap=True))


def _grid() -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(6)
    grid.setVerticalSpacing(6)
    grid.setColumnStretch(1, 1)
    return grid


def _name(text: str) -> Label:
    label = Label(text, tone="ink3", wrap=True)
    label.setFixedWidth(theme.scaled(NAME_WIDTH))
    label.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    return label


class LinkedView(QWidget):
    """Records that point to this one, each with its state; a press shows it."""

    opened = Signal(str, str)

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context = context
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def show_linked(self, found: Sequence[tuple[Link, Sequence[Record]]]) -> None:
        """Shows these, by link."""
        empty_layout(self._column)
        for link, records in found:
            if not records:
                continue
            head = tr("office_record.linked", name=self.context.label(link.label), n=len(records))
            self._column.addWidget(Label(head, role="emphasis", strong=True))
            newest = sorted(records, key=lambda one: one.created_at, reverse=True)
            for record in newest[:LINKS_SHOWN]:
                self._column.addLayout(self._line(record))
            if len(records) > LINKS_SHOWN:
                rest = tr("office_record.more_linked", n=len(records) - LINKS_SHOWN)
                self._column.addWidget(Label(rest, role="secondary", tone="ink3"))
        self.setVisible(any(records for _, records in found))

    def _line(self, record: Record) -> QHBoxLayout:
        button = Button(self.context.title(record), kind="link", small=True)
        on_click(button, partial(self.opened.emit, record.type, record.id))
        definition = self.context.type_of(record.type)
        state = definition.state(record.data.get(STATE)) if definition is not None else None
        if state is None:
            return row(button, None)
        return row(button, Chip(self.context.label(state.label), state.color), None)
