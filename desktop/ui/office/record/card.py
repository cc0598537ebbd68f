"""A record as a live card of a talk: what a row paints from, made anew whenever the record, a name or the language changes. No widget."""

from __future__ import annotations

from dataclasses import dataclass

from desktop.core.domain.definition import FieldKind, TypeDefinition
from desktop.core.domain.records import Record
from desktop.ui.office.views.base import STATE, ViewContext

FIELDS = 2
_PLAIN = frozenset(
    {
        FieldKind.TEXT,
        FieldKind.NUMBER,
        FieldKind.MONEY,
        FieldKind.DATE,
        FieldKind.DATETIME,
        FieldKind.SPAN,
        FieldKind.CHOICE,
        FieldKind.PERSON,
        FieldKind.PERSONS,
        FieldKind.DEPARTMENT,
        FieldKind.REFERENCE,
    }
)


@dataclass(frozen=True, slots=True)
class CardLines:
    """What a card says: the kind of record, its title, its state with the tone of the chip, and a few fields as (name, value)."""

    kind: str
    title: str
    state: str = ""
    tone: str = "neutral"
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def spoken(self) -> str:
        """The card for a screen reader."""
        told = (f"{name} {value}" for name, value in self.fields)
        return ", ".join(part for part in (self.kind, self.title, self.state, *told) if part)


def card_lines(context: ViewContext, record: Record) -> CardLines:
    """The card of a record as it is now."""
    definition = context.type_of(record.type)
    if definition is None:
        return CardLines(record.type, record.id)
    state = definition.state(record.data.get(STATE))
    shown = []
    for name in _candidates(definition):
        text = context.text(record, name)
        field = definition.field(name)
        if text and field is not None:
            shown.append((context.label(field.label), text))
        if len(shown) == FIELDS:
            break
    return CardLines(
        context.label(definition.label),
        context.title(record),
        context.label(state.label) if state is not None else "",
        state.color if state is not None else "neutral",
        tuple(shown),
    )


def _candidates(definition: TypeDefinition) -> list[str]:
    """Fields worth a line: of the first sections first, those of the title left out."""
    named = [name for section in definition.sections for name in section.fields]
    names = dict.fromkeys([*named, *(field.name for field in definition.fields)])
    found = [(name, definition.field(name)) for name in names if name not in definition.title]
    return [name for name, field in found if field is not None and field.kind in _PLAIN]
