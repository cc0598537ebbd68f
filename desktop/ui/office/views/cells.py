"""A field's wire value in words, as tables, cards and details show it. Broken values show as they are, never raise."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from desktop.core.clock import parse_utc_date
from desktop.core.domain.definition import Field, FieldKind, own_words
from desktop.ui.i18n import Language, tr, when

_TAG: Final = re.compile(r"<[^>]*>")
_BLANKS: Final = re.compile(r"\s+")
NUMERIC: Final = frozenset({FieldKind.NUMBER, FieldKind.MONEY})


@dataclass(frozen=True, slots=True)
class Words:
    """Where names come from: `name` of a person or department, `title` of a record of a type."""

    language: Language
    name: Callable[[str], str]
    title: Callable[[str, str], str]


def cell_text(field: Field, value: Any, words: Words) -> str:
    """One line of words; empty for nothing."""
    if value is None or value in ("", []):
        return ""
    try:
        return _MAKERS.get(field.kind, _plain)(field, value, words)
    except (TypeError, ValueError, KeyError, AttributeError, InvalidOperation):
        return str(value)


def _plain(field: Field, value: Any, words: Words) -> str:
    text = own_words(str(value), words.language) if field.in_both else str(value)
    return _BLANKS.sub(" ", text).strip()


def plain_text(markup: str) -> str:
    """Rich text without its marks, on one line."""
    return _BLANKS.sub(" ", html.unescape(_TAG.sub(" ", markup))).strip()


def _rich(_field: Field, value: Any, _words: Words) -> str:
    return plain_text(str(value))


def _number(field: Field, value: Any, words: Words) -> str:
    number = Decimal(str(value))
    decimals, comma = field.decimals, "" if field.plain else ","
    text = f"{number:{comma}.{decimals}f}" if decimals is not None else f"{number.normalize():{comma}f}"
    return f"{text} {field.unit.text(words.language)}" if field.unit else text


def money_text(value: Any) -> str:
    """1,250.00"""
    return f"{Decimal(str(value)):,.2f}"


def _money(field: Field, value: Any, words: Words) -> str:
    text = money_text(value)
    return f"{text} {field.unit.text(words.language)}" if field.unit else text


def _datetime(_field: Field, value: Any, _words: Words) -> str:
    return when.date_time(parse_utc_date(value))


def span_text(value: dict[str, Any]) -> str:
    """2026-10-22 10:00 – 12:00; with the second date where it is another day."""
    start, end = parse_utc_date(value["start"]), parse_utc_date(value["end"])
    until = when.clock(end) if when.date(start) == when.date(end) else when.date_time(end)
    return f"{when.date_time(start)} – {until}"


def _span(_field: Field, value: Any, _words: Words) -> str:
    return span_text(value)


def _bool(_field: Field, value: Any, _words: Words) -> str:
    return tr("office_module.yes") if value else tr("office_module.no")


def _choice(field: Field, value: Any, words: Words) -> str:
    return next((c.label.text(words.language) for c in field.choices if c.value == value), str(value))


def _choices(field: Field, value: Any, words: Words) -> str:
    return when.list_join([_choice(field, one, words) for one in value])


def _name(_field: Field, value: Any, words: Words) -> str:
    return words.name(value)


def _names(_field: Field, value: Any, words: Words) -> str:
    return when.list_join([name for one in value if (name := words.name(one))])


def _audience(_field: Field, value: Any, words: Words) -> str:
    if value.get("everyone"):
        return tr("office_module.everyone")
    keys = [*value.get("departmentIds", ()), *value.get("personIds", ())]
    return when.list_join([*(name for key in keys if (name := words.name(key))), *value.get("roles", ())])


def _reference(field: Field, value: Any, words: Words) -> str:
    return words.title(field.target or "", value)


def _references(field: Field, value: Any, words: Words) -> str:
    return when.list_join([title for one in value if (title := words.title(field.target or "", one))])


def _files(_field: Field, value: Any, _words: Words) -> str:
    return when.list_join([str(one.get("name", "")) for one in value])


def _blob(_field: Field, _value: Any, _words: Words) -> str:
    return tr("office_module.one_file")


def _object(field: Field, value: Any, words: Words) -> str:
    parts = ((one, cell_text(one, value.get(one.name), words)) for one in field.fields)
    return "; ".join(f"{one.label.text(words.language)} {text}" for one, text in parts if text)


def _lines(_field: Field, value: Any, _words: Words) -> str:
    return tr("office_module.lines", n=len(value))


_MAKERS: Final[dict[FieldKind, Callable[[Field, Any, Words], str]]] = {
    FieldKind.RICH_TEXT: _rich,
    FieldKind.NUMBER: _number,
    FieldKind.MONEY: _money,
    FieldKind.DATETIME: _datetime,
    FieldKind.SPAN: _span,
    FieldKind.BOOL: _bool,
    FieldKind.CHOICE: _choice,
    FieldKind.MULTI_CHOICE: _choices,
    FieldKind.PERSON: _name,
    FieldKind.DEPARTMENT: _name,
    FieldKind.PERSONS: _names,
    FieldKind.DEPARTMENTS: _names,
    FieldKind.AUDIENCE: _audience,
    FieldKind.REFERENCE: _reference,
    FieldKind.REFERENCES: _references,
    FieldKind.FILES: _files,
    FieldKind.BLOB: _blob,
    FieldKind.OBJECT: _object,
    FieldKind.LINES: _lines,
}
