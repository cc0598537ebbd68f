"""Checks one value against its field: the right shape, inside its limits, referring to things that are there and may be chosen.

Everything a client may send passes through `check_value`; nothing else of a record is trusted to be well-formed.
"""

import functools
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.clock import format_utc, parse_utc
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.conditions import Standpoint, matches, resolve
from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.modules.engine.formulas import format_money
from server_stub.modules.engine.markup import UnsafeMarkup, clean_html
from server_stub.records.store import load_record
from server_stub.records.visibility import is_visible
from server_stub.storage.blobs import is_blob_id

MAX_TEXT: Final = 1000
MAX_LONG_TEXT: Final = 100_000
MAX_ITEMS: Final = 500
MAX_FILES: Final = 50
MAX_FILE_NAME: Final = 200
MAX_MONEY: Final = Decimal(10) ** 13
AUDIENCE_LISTS: Final = ("departmentIds", "roles", "personIds")
_ROLE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
_AMOUNT: Final = re.compile(r"-?\d{1,15}(?:\.\d{1,2})?\Z", re.ASCII)


class WrongValue(ValueError):
    """A value that does not fit its field; the text is a sentence for developers."""


@dataclass(frozen=True, slots=True)
class Check:
    """What values are checked against besides their field.

    Attributes:
        viewer: who writes; None: the server itself, which may refer to anything.
        known: texts the record held in this field before: what was chosen once need not be chosen again.
    """

    conn: sa.Connection
    viewer: Viewer | None
    standpoint: Standpoint
    types: Mapping[str, TypeDefinition]
    known: frozenset[str] = field(default_factory=frozenset)


def check_value(check: Check, field: Field, value: Any) -> Any:
    """One value, cleaned.

    Raises:
        WrongValue: it does not fit.
    """
    return _CHECKS[field.kind](check, field, value)


def fill_value(standpoint: Standpoint, field: Field, value: Any) -> Any:
    """A default, or what an action sets: placeholders in the shape of the field's kind. None where a placeholder stands for nobody."""
    if isinstance(value, list) and field.kind in (FieldKind.PERSONS, FieldKind.DEPARTMENTS):
        filled: Any = [person for one in value for person in fill_value(standpoint, field, one)]
    else:
        filled = resolve(value, standpoint)
    match field.kind:
        case FieldKind.PERSONS | FieldKind.DEPARTMENTS if isinstance(filled, str):
            return [filled]
        case FieldKind.PERSON | FieldKind.DEPARTMENT if isinstance(filled, list):
            return filled[0] if filled else None
        case FieldKind.DATE if value == "@now":
            return standpoint.today().isoformat()
        case FieldKind.DATETIME if isinstance(filled, str) and len(filled) == 10:
            return standpoint.day_start(date.fromisoformat(filled))
    return filled


def check_file_name(value: Any) -> str:
    """A file name without path, control characters or direction tricks. Raises WrongValue."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_FILE_NAME:
        raise WrongValue(f"a file name has 1 to {MAX_FILE_NAME} characters")
    if any(one in "/\\\0" or unicodedata.category(one) in ("Cc", "Cf", "Cs") for one in value) or value in (".", ".."):
        raise WrongValue("a file name has no path and no control characters")
    return unicodedata.normalize("NFC", value)


# ---------------------------------------------------------------- one check for each kind


def _text(check: Check, field: Field, value: Any) -> str:
    text = _limited_text(field, value, MAX_TEXT)
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in text):
        raise WrongValue("one line without control characters")
    if field.pattern is not None and text and not _pattern(field.pattern).fullmatch(text):
        raise WrongValue("does not have the form that is asked for")
    return text


def _long_text(check: Check, field: Field, value: Any) -> str:
    text = _limited_text(field, value, MAX_LONG_TEXT)
    if any(unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t\r" for one in text):
        raise WrongValue("no control characters")
    return text


def _rich_text(check: Check, field: Field, value: Any) -> str:
    try:
        return clean_html(_limited_text(field, value, MAX_LONG_TEXT))
    except UnsafeMarkup as problem:
        raise WrongValue(str(problem)) from None


def _limited_text(field: Field, value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise WrongValue("must be a text")
    longest = int(field.max) if field.max is not None else most
    if len(value) > longest:
        raise WrongValue(f"at most {longest} characters")
    if (field.required and not value.strip()) or len(value) < (field.min or 0):
        raise WrongValue("is too short")
    return value


@functools.lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text)


def _choice(check: Check, field: Field, value: Any) -> str:
    for one in field.choices:
        if one.value == value:
            return one.value
    raise WrongValue("must be one of " + ", ".join(one.value for one in field.choices))


def _multi_choice(check: Check, field: Field, value: Any) -> list[str]:
    return _unique([_choice(check, field, one) for one in _list(field, value)])


def _person(check: Check, field: Field, value: Any) -> str:
    return _existing(check, PERSON, value)


def _persons(check: Check, field: Field, value: Any) -> list[str]:
    return _unique([_existing(check, PERSON, one) for one in _list(field, value)])


def _department(check: Check, field: Field, value: Any) -> str:
    return _existing(check, DEPARTMENT, value)


def _departments(check: Check, field: Field, value: Any) -> list[str]:
    return _unique([_existing(check, DEPARTMENT, one) for one in _list(field, value)])


def _datetime(check: Check, field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongValue("must be a UTCDate")
    try:
        return format_utc(parse_utc(value))
    except (ValueError, OverflowError, OSError):
        raise WrongValue("must be a UTCDate") from None


def _span(check: Check, field: Field, value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or value.keys() != {"start", "end"}:
        raise WrongValue("a span has start and end")
    start, end = _datetime(check, field, value["start"]), _datetime(check, field, value["end"])
    if end <= start:
        raise WrongValue("a span ends after it starts")
    return {"start": start, "end": end}


def _date(check: Check, field: Field, value: Any) -> str:
    if not isinstance(value, str) or len(value) != 10:
        raise WrongValue("must be a date such as 2026-11-22")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise WrongValue("must be a date such as 2026-11-22") from None


def _number(check: Check, field: Field, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise WrongValue("must be a number")
    if abs(value) > 2**53:
        raise WrongValue("is too large")
    if field.decimals is not None and round(value, field.decimals) != value:
        raise WrongValue(f"at most {field.decimals} decimals")
    _check_limits(field, Decimal(repr(value)))
    return value


def _money(check: Check, field: Field, value: Any) -> str:
    """Taken as text or whole number: a float would have lost the cents before it came here."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not _AMOUNT.match(text):
        raise WrongValue('must be money such as "1250.00"')
    amount = Decimal(text)
    if abs(amount) >= MAX_MONEY:
        raise WrongValue("is too large")
    _check_limits(field, amount)
    return format_money(amount)


def _check_limits(field: Field, value: Decimal) -> None:
    if field.min is not None and value < Decimal(repr(field.min)):
        raise WrongValue(f"at least {field.min:g}")
    if field.max is not None and value > Decimal(repr(field.max)):
        raise WrongValue(f"at most {field.max:g}")


def _bool(check: Check, field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValue("must be true or false")
    return value


def _files(check: Check, field: Field, value: Any) -> list[dict[str, Any]]:
    return [_file(one) for one in _list(field, value, MAX_FILES)]


def _file(value: Any) -> dict[str, Any]:
    """An attachment; type and size are put right when the blob is referred to."""
    blob_id = value.get("blobId") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(blob_id, str) or not is_blob_id(blob_id):
        raise WrongValue("each file has blobId, name, type, size")
    return {
        "blobId": blob_id,
        "name": check_file_name(value.get("name")),
        "type": str(value.get("type") or "")[:130],
        "size": value["size"] if isinstance(value.get("size"), int) else 0,
    }


def _reference(check: Check, field: Field, value: Any) -> str:
    """Somebody who may not see a record must not learn from the answer whether it is there."""
    target = field.target or ""
    record = load_record(check.conn, value, type_name=target) if isinstance(value, str) else None
    if record is None:
        raise WrongValue(f"there is no such {target}")
    if record.id in check.known:
        return record.id
    if check.viewer is not None and not is_visible(check.conn, check.viewer.actor.person_id, target, record.id):
        raise WrongValue(f"there is no such {target}")
    if field.only is not None and not matches(field.only, record.to_object(), check.standpoint):
        raise WrongValue(f"this {target} cannot be chosen now")
    return record.id


def _references(check: Check, field: Field, value: Any) -> list[str]:
    return _unique([_reference(check, field, one) for one in _list(field, value)])


def _audience(check: Check, field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() - {"everyone", *AUDIENCE_LISTS}:
        raise WrongValue("an audience has everyone, departmentIds, roles, personIds")
    everyone = _bool(check, field, value.get("everyone", False))
    people = _unique([_existing(check, PERSON, one) for one in _list(field, value.get("personIds", []))])
    departments = _unique([_existing(check, DEPARTMENT, one) for one in _list(field, value.get("departmentIds", []))])
    roles = _list(field, value.get("roles", []))
    if not all(isinstance(one, str) and _ROLE.match(one) for one in roles):
        raise WrongValue("roles are lower-case words")
    if field.required and not (everyone or people or departments or roles):
        raise WrongValue("an audience of nobody")
    return {"everyone": everyone, "departmentIds": departments, "roles": _unique(roles), "personIds": people}


def _blob(check: Check, field: Field, value: Any) -> str:
    if not isinstance(value, str) or not is_blob_id(value):
        raise WrongValue("must be a blob id")
    return value


def _object(check: Check, field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongValue("must be an object")
    known = {one.name: one for one in field.fields}
    if value.keys() - known.keys():
        raise WrongValue("no such members: " + ", ".join(sorted(str(one) for one in value.keys() - known.keys()))[:200])
    result: dict[str, Any] = {}
    for name, inner in known.items():
        if inner.formula or inner.computed:  # whatever the client computed: the server does it again
            continue
        given = value.get(name)
        if given is None and inner.default is not None:
            given = fill_value(check.standpoint, inner, inner.default)
        if given is not None:
            result[name] = _member(check, inner, given)
        elif inner.required:
            raise WrongValue(f"{name} is required")
    return result


def _member(check: Check, field: Field, value: Any) -> Any:
    try:
        return check_value(check, field, value)
    except WrongValue as problem:
        raise WrongValue(f"{field.name}: {problem}") from None


def _lines(check: Check, field: Field, value: Any) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    for number, one in enumerate(_list(field, value), 1):
        try:
            lines.append(_object(check, field, one))
        except WrongValue as problem:
            raise WrongValue(f"line {number}: {problem}") from None
    return lines


def _list(field: Field, value: Any, most: int = MAX_ITEMS) -> list[Any]:
    if not isinstance(value, list):
        raise WrongValue("must be a list")
    most = int(field.max) if field.max is not None else most
    if len(value) > most:
        raise WrongValue(f"at most {most} entries")
    if field.kind is not FieldKind.AUDIENCE and value and len(value) < (field.min or 0):
        raise WrongValue(f"at least {field.min:g} entries")
    return value


def _existing(check: Check, type_name: str, value: Any) -> str:
    if not isinstance(value, str) or load_record(check.conn, value, type_name=type_name) is None:
        raise WrongValue(f"there is no such {type_name}")
    return value


def _unique(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


_CHECKS: Final[dict[FieldKind, Callable[[Check, Field, Any], Any]]] = {
    FieldKind.TEXT: _text,
    FieldKind.LONG_TEXT: _long_text,
    FieldKind.RICH_TEXT: _rich_text,
    FieldKind.CHOICE: _choice,
    FieldKind.MULTI_CHOICE: _multi_choice,
    FieldKind.PERSON: _person,
    FieldKind.PERSONS: _persons,
    FieldKind.DEPARTMENT: _department,
    FieldKind.DEPARTMENTS: _departments,
    FieldKind.DATETIME: _datetime,
    FieldKind.DATE: _date,
    FieldKind.SPAN: _span,
    FieldKind.NUMBER: _number,
    FieldKind.MONEY: _money,
    FieldKind.BOOL: _bool,
    FieldKind.FILES: _files,
    FieldKind.REFERENCE: _reference,
    FieldKind.REFERENCES: _references,
    FieldKind.AUDIENCE: _audience,
    FieldKind.BLOB: _blob,
    FieldKind.OBJECT: _object,
    FieldKind.LINES: _lines,
}
