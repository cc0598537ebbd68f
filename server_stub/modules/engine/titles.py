"""What a record is called in to-dos, alerts and cards: its title fields in words. Fields that not every reader is shown never are in a title."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.modules.engine.conditions import is_empty
from server_stub.modules.engine.definition import BOTH, Field, FieldKind, TypeDefinition
from server_stub.records.store import load_record

SEPARATOR: Final = " · "
MAX_TITLE: Final = 200
_NAMED: Final = {
    FieldKind.PERSON: PERSON,
    FieldKind.PERSONS: PERSON,
    FieldKind.DEPARTMENT: DEPARTMENT,
    FieldKind.DEPARTMENTS: DEPARTMENT,
}


def title_of(
    conn: sa.Connection,
    types: Mapping[str, TypeDefinition],
    definition: TypeDefinition,
    data: Mapping[str, Any],
    depth: int = 2,
) -> str:
    """The title, cut to MAX_TITLE characters; the type's own name where the fields say nothing.

    Args:
        depth: how far to follow references.
    """
    words = [_words(conn, types, field, data.get(field.name), depth) for field in title_fields(definition)]
    title = SEPARATOR.join(one for one in words if one)
    return title[:MAX_TITLE] or definition.label.zh


def title_fields(definition: TypeDefinition) -> list[Field]:
    """The fields a title is made of."""
    named = [field for name in definition.title if (field := definition.field(name)) is not None]
    if not definition.title:
        named = [one for one in definition.fields if one.kind is FieldKind.TEXT and not one.see][:1]
    return [one for one in named if not one.see and not one.computed]


def _words(conn: sa.Connection, types: Mapping[str, TypeDefinition], field: Field, value: Any, depth: int) -> str:
    if is_empty(value):
        return ""
    match field.kind:
        case FieldKind.CHOICE | FieldKind.MULTI_CHOICE if isinstance(value, str):
            return next((one.label.zh for one in field.choices if one.value == value), str(value))
        case FieldKind.SPAN:
            return str(value.get("start", ""))[:10]
        case FieldKind.DATETIME:
            return str(value)[:10]
    if isinstance(value, list):
        return "、".join(one for one in (_words(conn, types, field, item, depth) for item in value[:5]) if one)
    if field.kind in _NAMED:
        record = load_record(conn, str(value), type_name=_NAMED[field.kind])
        return "" if record is None else str(record.data.get("name", ""))
    if field.kind in (FieldKind.REFERENCE, FieldKind.REFERENCES):
        target = types.get(field.target or "")
        record = None if target is None or depth == 0 else load_record(conn, str(value), type_name=target.name)
        return "" if record is None or target is None else title_of(conn, types, target, record.data, depth - 1)
    if field.in_both:
        return str(value).partition(BOTH)[0]
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""
