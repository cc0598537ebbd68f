"""A field's value to read: words, chips, links to people and records, files that open, lines as a table, rich text made safe."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from desktop.core.domain.definition import Field, FieldKind
from desktop.models.record_lines import NUMERIC
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Card, Chip, Divider, Label, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.attachments import AttachmentCards
from desktop.ui.office.html_view import HtmlView
from desktop.ui.office.record.files_editor import attachment_of
from desktop.ui.office.record.flow import Flow
from desktop.ui.office.record.origins import target_of
from desktop.ui.office.views.base import ViewContext

LINES_SHOWN = 200
WORDS_WIDTH = 84
LINK_INSET = 5
"""What a link button pads its text with; plain values stand in by as much, so that all line up."""
BOXED = frozenset({FieldKind.LINES, FieldKind.FILES, FieldKind.RICH_TEXT})
LINKS = frozenset({FieldKind.PERSON, FieldKind.PERSONS, FieldKind.REFERENCE, FieldKind.REFERENCES})


class ValueView(QWidget):
    """Shows one value.

    Signals:
        opened: a record or person to go to: type name ("Person" for people), id.
        file_opened, file_saved: an Attachment.
    """

    opened = Signal(str, str)
    file_opened = Signal(object)
    file_saved = Signal(object)

    def __init__(self, context: ViewContext, field: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.context, self.field = context, field
        self._value: Any = None
        self._shown: object = object()
        self.column = QVBoxLayout(self)
        linked = field.kind in LINKS
        self.column.setContentsMargins(0 if linked or field.kind in BOXED else LINK_INSET, 0, 0, 0)
        self.column.setSpacing(4)
        context.names_changed.connect(self._on_names)

    def show_value(self, value: Any) -> None:
        """Shows a value; the same one again draws nothing anew."""
        self._value = value
        fresh = (repr(value), self.context.language, tuple(self._names()))
        if fresh != self._shown:
            self._shown = fresh
            empty_layout(self.column)
            self._draw()

    def _names(self) -> list[str]:
        """What the ids in the value are called now: when one becomes known the value is drawn again."""
        field, value = self.field, self._value
        if field.kind in LINKS or field.kind in (FieldKind.DEPARTMENT, FieldKind.DEPARTMENTS):
            keys = value if isinstance(value, list) else [value] if value else []
            return [self._name(str(key)) for key in keys]
        if field.kind is FieldKind.TEXT and (target := target_of(value)) is not None:
            return [self.context.title_of(*target)] if self.context.type_of(target[0]) is not None else []
        if field.kind in (FieldKind.LINES, FieldKind.OBJECT, FieldKind.AUDIENCE):
            return [self.context.cell_text(field, value)] + [
                self.context.cell_text(one, line.get(one.name))
                for line in (value if isinstance(value, list) else [])[:LINES_SHOWN]
                if isinstance(line, dict)
                for one in field.fields
            ]
        return []

    def _name(self, key: str) -> str:
        if self.field.kind in (FieldKind.REFERENCE, FieldKind.REFERENCES):
            return self.context.title_of(self.field.target or "", key)
        return self.context.name_of(key)

    def _on_names(self) -> None:
        self.show_value(self._value)

    # ---- drawing
    def _draw(self) -> None:
        field, value = self.field, self._value
        match field.kind:
            case _ if value is None or value in ("", [], {}):
                self.column.addWidget(Label("—", tone="ink3"))
            case FieldKind.RICH_TEXT:
                view = HtmlView()
                view.show_body(str(value))
                self.column.addWidget(view)
            case FieldKind.FILES:
                self._draw_files(value)
            case FieldKind.LINES if isinstance(value, list):
                self.column.addWidget(self._table(value))
            case FieldKind.OBJECT if isinstance(value, dict):
                self.column.addWidget(self._object(value))
            case FieldKind.CHOICE:
                tone = self.context.choice_color(field, value)
                self.column.addLayout(row(Chip(self.context.cell_text(field, value), tone), None))
            case FieldKind.MULTI_CHOICE if isinstance(value, list):
                flow = Flow()
                for one in value:
                    flow.add(Chip(self.context.cell_text(field, [one]), self.context.choice_color(field, one)))
                self.column.addWidget(flow)
            case FieldKind.TEXT if (target := target_of(value)) is not None:
                self._draw_link(*target)
            case _ if field.kind in LINKS:
                self._draw_links(value if isinstance(value, list) else [value])
            case _:
                self._draw_text(value)

    def _draw_text(self, value: Any) -> None:
        long = self.field.kind is FieldKind.LONG_TEXT
        label = Label(str(value) if long else self.context.cell_text(self.field, value), wrap=True)
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.column.addWidget(label)

    def _draw_link(self, type_name: str, key: str) -> None:
        """A tongban:// link leads there, under the name of what is there as far as that is known."""
        known = self.context.type_of(type_name)
        title = self.context.title_of(type_name, key) if known is not None else ""
        words = title or (self.context.label(known.label) if known is not None else tr("office_record.open_origin"))
        button = Button(words, kind="link", small=True)
        button.setObjectName("originLink")
        on_click(button, partial(self.opened.emit, type_name, key))
        self.column.addLayout(row(button, None))

    def _draw_links(self, keys: list[Any]) -> None:
        flow = Flow(spacing=2)
        people = self.field.kind in (FieldKind.PERSON, FieldKind.PERSONS)
        for key in keys:
            button = Button(self._name(str(key)) or "…", kind="link", small=True)
            on_click(button, partial(self.opened.emit, "Person" if people else self.field.target or "", str(key)))
            flow.add(button)
        self.column.addWidget(flow)

    def _draw_files(self, value: Any) -> None:
        held = [one for item in value if (one := attachment_of(item)) is not None]
        cards = AttachmentCards(self)
        cards.show_attachments(held, (), self.context.session.files.has)
        cards.opened.connect(self.file_opened)
        cards.saved.connect(self.file_saved)
        self.column.addWidget(cards)

    def _table(self, lines: list[Any]) -> QWidget:
        box = Card(padding=8)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        columns = self.field.fields
        for number, one in enumerate(columns):
            head = Label(self.context.label(one.label), role="secondary", tone="ink3", wrap=one.kind in NUMERIC)
            head.setAlignment(_side(one))
            grid.setColumnMinimumWidth(number, theme.scaled(0 if one.kind in NUMERIC else WORDS_WIDTH))
            grid.addWidget(head, 0, number)
        grid.addWidget(Divider(), 1, 0, 1, max(1, len(columns)))
        for place, line in enumerate(lines[:LINES_SHOWN]):
            for number, one in enumerate(columns):
                text = self.context.cell_text(one, line.get(one.name)) if isinstance(line, dict) else ""
                cell = Label(text, wrap=one.kind not in NUMERIC)
                cell.setAlignment(_side(one))
                grid.addWidget(cell, place + 2, number)
        box.body.addLayout(grid)
        return box

    def _object(self, value: dict[str, Any]) -> QWidget:
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for one in self.field.fields:
            text = self.context.cell_text(one, value.get(one.name))
            if text:
                name = Label(self.context.label(one.label), role="secondary", tone="ink3")
                column.addLayout(row(name, Label(text, wrap=True), None))
        return holder


def _side(field: Field) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if field.kind in NUMERIC else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignTop
