"""The editor of a field by its kind."""

from __future__ import annotations

from typing import Final

from desktop.core.domain.definition import Field, FieldKind
from desktop.ui.office.record.choice_editors import CHIPS, BoolEditor, ChipsEditor, ChoiceList
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.record.files_editor import FilesEditor
from desktop.ui.office.record.lines_editor import LinesEditor, ObjectEditor
from desktop.ui.office.record.pick_editors import AudienceEditor, PickMany, PickOne
from desktop.ui.office.record.text_editors import AmountEditor, LongTextEditor, RichEditor, TextEditor
from desktop.ui.office.record.time_editors import DateEditor, DatetimeEditor, SpanEditor
from desktop.ui.office.views.base import ViewContext

_SMALL: Final[dict[FieldKind, type[FieldEditor]]] = {
    FieldKind.TEXT: TextEditor,
    FieldKind.NUMBER: AmountEditor,
    FieldKind.MONEY: AmountEditor,
    FieldKind.DATE: DateEditor,
    FieldKind.DATETIME: DatetimeEditor,
    FieldKind.SPAN: SpanEditor,
    FieldKind.BOOL: BoolEditor,
    FieldKind.PERSON: PickOne,
    FieldKind.DEPARTMENT: PickOne,
    FieldKind.REFERENCE: PickOne,
}
"""Editors that fit a cell as well."""
_LARGE: Final[dict[FieldKind, type[FieldEditor]]] = {
    FieldKind.LONG_TEXT: LongTextEditor,
    FieldKind.RICH_TEXT: RichEditor,
    FieldKind.MULTI_CHOICE: ChipsEditor,
    FieldKind.PERSONS: PickMany,
    FieldKind.DEPARTMENTS: PickMany,
    FieldKind.REFERENCES: PickMany,
    FieldKind.AUDIENCE: AudienceEditor,
    FieldKind.FILES: FilesEditor,
    FieldKind.BLOB: FilesEditor,
}


def create_editor(context: ViewContext, field: Field, compact: bool = False) -> FieldEditor:
    """The editor; `compact` for a cell of lines, where long texts are one line."""
    kind = field.kind
    if kind is FieldKind.CHOICE:
        in_list = compact or len(field.choices) > CHIPS
        return ChoiceList(context, field, compact=compact) if in_list else ChipsEditor(context, field)
    if kind is FieldKind.OBJECT:
        return ObjectEditor(context, field, create_editor)
    if kind is FieldKind.LINES:
        return LinesEditor(context, field, create_editor)
    if compact and kind in (FieldKind.LONG_TEXT, FieldKind.RICH_TEXT):
        return TextEditor(context, field, compact=True)
    large = _LARGE.get(kind)
    return large(context, field) if large is not None else _SMALL[kind](context, field, compact=compact)
