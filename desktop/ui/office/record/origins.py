"""Records that are made of something else: which types say what they began with, what their form is filled in with, and where such a link leads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from desktop.core.domain.definition import Field, FieldKind, TypeDefinition
from desktop.core.domain.records import Record
from desktop.ui.office.views.base import ViewContext

ORIGIN: Final = "origin"
"""The object field that says what a record was made from."""
TITLE_LENGTH: Final = 200
_LINK: Final = re.compile(r"tongban://([A-Za-z][0-9A-Za-z]{1,63})/([0-9A-Za-z_-]{1,128})\Z")
_PLACES: Final = {"conversation": "Conversation", "person": "Person", "notice": "Notice", "document": "Document"}
"""Words of links that are no names of types."""


@dataclass(frozen=True, slots=True)
class Source:
    """What a record is made from. `title`: in a line; `text`: all of it, where there is more than that."""

    type: str
    id: str
    title: str
    text: str = ""
    conversation_id: str = ""


def source_of(context: ViewContext, record: Record) -> Source:
    """A record as what another one is made from."""
    return Source(record.type, record.id, context.title(record)[:TITLE_LENGTH])


def makeable(context: ViewContext, besides: str = "") -> list[TypeDefinition]:
    """Types with an origin that this user may create, but not the one named."""
    return [
        one
        for module in context.modules
        for one in module.types
        if one.name != besides and origin_field(one) is not None and context.records.may(None, one.name, "create")
    ]


def prefill_from(definition: TypeDefinition, source: Source) -> dict[str, Any]:
    """Its title as title, its whole text as description, itself as origin."""
    origin = origin_field(definition)
    if origin is None:
        return {}
    told = {
        "type": source.type,
        "id": source.id,
        "conversationId": source.conversation_id,
        "title": source.title[:TITLE_LENGTH],
    }
    found: dict[str, Any] = {ORIGIN: {f.name: _cut(told[f.name], f) for f in origin.fields if told.get(f.name)}}
    named, long = _text_field(definition, FieldKind.TEXT), _text_field(definition, FieldKind.LONG_TEXT)
    if named is not None:
        found[named.name] = _cut(source.title, named)
    if long is not None and source.text and source.text != source.title:
        found[long.name] = _cut(source.text, long)
    return {name: value for name, value in found.items() if value}


def origin_field(definition: TypeDefinition) -> Field | None:
    """The field of a type that says what a record was made from; None: it has none."""
    field = definition.field(ORIGIN)
    return field if field is not None and field.kind is FieldKind.OBJECT else None


def target_of(text: object) -> tuple[str, str] | None:
    """(type, id) that a text is the link of; None: it is no link of ours."""
    found = _LINK.match(text) if isinstance(text, str) else None
    return None if found is None else (_PLACES.get(found[1], found[1]), found[2])


def _text_field(definition: TypeDefinition, kind: FieldKind) -> Field | None:
    """The field that names a record, or the first long text; nothing a rule or an action writes."""
    named = [definition.field(name) for name in definition.title] if kind is FieldKind.TEXT else []
    shown = [definition.field(name) for section in definition.sections for name in section.fields]
    for field in (*named, *shown, *definition.fields):
        if field is not None and field.kind is kind and not field.read_only and not field.formula and not field.edit:
            return field
    return None


def _cut(text: str, field: Field) -> str:
    return text[: int(field.max)] if field.max is not None else text
