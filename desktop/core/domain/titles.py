"""How a record is named in lists, cards and links, and how one value reads as text. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from desktop.core.domain.definition import Field, FieldKind, TypeDefinition, own_words

NameOf = Callable[[str], str]
"""The name of a person, a department or a record by its id."""

JOINED: Final = " · "
_TEXTS: Final = (FieldKind.TEXT, FieldKind.LONG_TEXT)
_NAMED: Final = frozenset({FieldKind.PERSON, FieldKind.DEPARTMENT, FieldKind.REFERENCE})
_NAMED_LISTS: Final = frozenset({FieldKind.PERSONS, FieldKind.DEPARTMENTS, FieldKind.REFERENCES})


def title_fields(type_: TypeDefinition) -> tuple[str, ...]:
    """The fields that name a record; without any said, its first text."""
    if type_.title:
        return type_.title
    first = next((field.name for kind in _TEXTS for field in type_.fields if field.kind is kind), None)
    return () if first is None else (first,)


def title_of(
    type_: TypeDefinition, data: Mapping[str, Any], *, language: str = "zh", name_of: NameOf | None = None
) -> str:
    """What names the record, or "" while its title fields are empty."""
    parts: list[str] = []
    for name in title_fields(type_):
        field = type_.field(name)
        text = _state(type_, data, language) if name == "state" else ""
        if field is not None:
            text = value_text(field, data.get(name), language=language, name_of=name_of)
        if text:
            parts.append(text)
    return JOINED.join(parts)


def value_text(field: Field, value: Any, *, language: str = "zh", name_of: NameOf | None = None) -> str:
    """A value as plain text: labels of choices, names of people, departments and records; "" where nothing is held."""
    if value is None or value in ("", []):
        return ""
    named = name_of or (lambda held: held)
    if field.kind in _NAMED:
        return named(str(value))
    if field.kind in _NAMED_LISTS and isinstance(value, list):
        return "、".join(named(str(one)) for one in value)
    if field.kind in (FieldKind.CHOICE, FieldKind.MULTI_CHOICE):
        held = value if isinstance(value, list) else [value]
        return "、".join(choice_text(field, one, language) for one in held)
    if field.kind is FieldKind.SPAN and isinstance(value, dict):
        return f"{value.get('start', '')} – {value.get('end', '')}"
    if field.kind is FieldKind.FILES and isinstance(value, list):
        return "、".join(str(one.get("name", "")) for one in value if isinstance(one, dict))
    if isinstance(value, dict | list):
        return ""
    return own_words(str(value), language) if field.in_both else str(value)


def choice_text(field: Field, value: Any, language: str) -> str:
    """The label of a choice; the value itself where the definition does not know it."""
    return next((one.label.text(language) for one in field.choices if one.value == value), str(value))


def _state(type_: TypeDefinition, data: Mapping[str, Any], language: str) -> str:
    state = type_.state(data.get("state"))
    return "" if state is None else state.label.text(language)
