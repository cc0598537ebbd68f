"""The columns of a workbook: a field each, but two for a span and one for each part of an object; lines stand on sheets of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from desktop.core.domain.definition import Field, FieldKind, Label, TypeDefinition
from desktop.models.record_form import is_written
from desktop.ui.i18n import catalog

START, END = "start", "end"
NOT_READ: Final = frozenset({FieldKind.BLOB, FieldKind.FILES, FieldKind.AUDIENCE})
"""Kinds that a cell can't carry back: files, and audiences of several parts."""
ROW_KEY: Final = "#"
"""Key of the column that ties a sheet of lines to the rows of the first one."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column. key: `plate`, `span.start`, `place.road`; field: what its cells hold; name: the record's field it belongs to."""

    key: str
    name: str
    part: str
    field: Field
    label: Label

    def heads(self) -> set[str]:
        """Every heading under which the column is known, folded."""
        return {folded(self.label.zh), folded(self.label.en), folded(self.key)}


def columns_of(fields: Iterable[Field]) -> list[Column]:
    """The columns of some fields, in their order; lines have none here."""
    made: list[Column] = []
    for field in fields:
        if field.kind is FieldKind.LINES:
            continue
        if field.kind is FieldKind.SPAN:
            moment = Field(name=field.name, kind=FieldKind.DATETIME, label=field.label)
            made += [
                Column(f"{field.name}.{part}", field.name, part, moment, _joined(field.label, word))
                for part, word in ((START, _words("start")), (END, _words("end")))
            ]
        elif field.kind is FieldKind.OBJECT:
            made += [
                Column(f"{field.name}.{inner.name}", field.name, inner.name, inner, _joined(field.label, inner.label))
                for inner in field.fields
            ]
        else:
            made.append(Column(field.name, field.name, "", field, field.label))
    return made


def targets_of(definition: TypeDefinition) -> list[Column]:
    """What a column of a sheet may be taken for; a span also whole, in one cell."""
    fields = [field for field in definition.fields if is_written(field) and field.kind not in NOT_READ]
    spans = [f for f in fields if f.kind is FieldKind.SPAN]
    return columns_of(fields) + [Column(f.name, f.name, "", f, f.label) for f in spans]


def line_fields(definition: TypeDefinition) -> list[Field]:
    """The fields that have a sheet of their own."""
    return [field for field in definition.fields if field.kind is FieldKind.LINES]


def folded(text: str) -> str:
    """A heading without what people add to it: stars, blanks, case."""
    return "".join(text.split()).strip("*＊:：").casefold()


def _joined(first: Label, second: Label) -> Label:
    return Label(zh=f"{first.zh}（{second.zh}）", en=f"{first.en} ({second.en})")


def _words(part: str) -> Label:
    words = catalog()[f"office_module.part.{part}"]
    return Label(zh=words["zh"], en=words["en"])
