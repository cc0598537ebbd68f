"""Checks a value against its field: the right shape, inside its limits, referring to things that are there. HTML is made safe here.

Everything a client may send passes through `check_record`; nothing else of a record is trusted to be well-formed.
"""

import html
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

import nh3
import sqlalchemy as sa

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.clock import format_utc, parse_utc
from server_stub.errors import invalid_properties
from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.records.actor import Actor
from server_stub.records.store import load_record
from server_stub.records.visibility import is_visible
from server_stub.storage.blobs import is_blob_id

MAX_TEXT: Final = 1000
MAX_LONG_TEXT: Final = 100_000
MAX_ITEMS: Final = 500
MAX_FILES: Final = 50
MAX_FILE_NAME: Final = 200
_ROLE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
_BLOCK_END: Final = re.compile(r"</(?:p|li|h[1-4]|tr|td|div)>|<br\s*/?>", re.IGNORECASE)
AUDIENCE_LISTS: Final = ("departmentIds", "roles", "personIds")

HTML_TAGS: Final = frozenset(
    {"p", "br", "hr", "h1", "h2", "h3", "h4", "blockquote", "pre", "code", "div", "span", "a"}
    | {"strong", "b", "em", "i", "u", "s", "sub", "sup", "ul", "ol", "li"}
    | {"table", "thead", "tbody", "tr", "th", "td"}
)
HTML_ATTRIBUTES: Final = {"a": {"href"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan"}, "ol": {"start"}}
URL_SCHEMES: Final = frozenset({"http", "https", "mailto"})
MAX_HTML_DEPTH: Final = 100
_TAG: Final = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_NEVER_NESTED: Final = frozenset({"p", "br", "hr", "li", "tr", "td", "th", "thead", "tbody", "img"})
_ABSOLUTE: Final = re.compile(r"\s*(?:https?://|mailto:)", re.IGNORECASE)
_SMALL_NUMBER: Final = re.compile(r"\d{1,3}\Z", re.ASCII)


class WrongValue(ValueError):
    """A value that does not fit its field; the text is a sentence for developers."""


def check_record(
    conn: sa.Connection,
    actor: Actor,
    definition: TypeDefinition,
    data: Mapping[str, Any],
    *,
    only: set[str] | None = None,
) -> dict[str, Any]:
    """The data of a record, cleaned: known fields only, defaults filled in (when `only` is None), every value checked.

    Args:
        only: the fields to check (those that changed); the others are taken over as they are.

    Raises:
        SetError: invalidProperties, naming the field.
    """
    unknown = sorted(key for key in data if definition.field(key) is None and (only is None or key in only))
    if unknown:
        raise invalid_properties("no such property", *unknown)
    cleaned: dict[str, Any] = {}
    for field in definition.fields:
        if field.computed:
            continue
        value = data.get(field.name)
        if only is not None and field.name not in only:
            if field.name in data:
                cleaned[field.name] = value
            continue
        if value is None and field.default is not None:
            value = field.default
        if value is None:
            if field.required:
                raise invalid_properties("is required", field.name)
            continue
        try:
            cleaned[field.name] = check_value(conn, actor, field, value)
        except WrongValue as problem:
            raise invalid_properties(str(problem), field.name) from None
    return cleaned


def check_value(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> Any:
    """One value, cleaned.

    Raises:
        WrongValue: it does not fit.
    """
    return _CHECKS[field.kind](conn, actor, field, value)


def clean_html(text: str) -> str:
    """HTML with nothing in it that acts: no scripts, styles, frames, pictures from elsewhere; links open nothing by themselves.

    Raises:
        WrongValue: nested deeper than any notice needs (a parser, here or in a client, takes time or stack for each level).
    """
    _refuse_deep(text)
    return nh3.clean(
        text,
        attribute_filter=_safe_attribute,
        tags=set(HTML_TAGS),
        attributes=HTML_ATTRIBUTES,
        url_schemes=set(URL_SCHEMES),
        link_rel="noopener noreferrer",
    )


def _refuse_deep(text: str) -> None:
    opened: Counter[str] = Counter()
    closed_by_the_next = _NEVER_NESTED
    depth = 0
    for closing, name in _TAG.findall(text):
        tag = name.lower()
        if tag in ("svg", "math"):
            closed_by_the_next = frozenset()  # in foreign content any tag nests
        if tag in closed_by_the_next or (closing and not opened[tag]):
            continue
        step = -1 if closing else 1
        opened[tag] += step
        depth += step
        if depth > MAX_HTML_DEPTH:
            raise WrongValue(f"tags are nested at most {MAX_HTML_DEPTH} deep")


def _safe_attribute(tag: str, name: str, value: str) -> str | None:
    """Links without a scheme lead to shares and files of the reader's own machine; a cell over a million columns stops a client."""
    if name == "href":
        return value if _ABSOLUTE.match(value) else None
    return value if name == "rel" or _SMALL_NUMBER.match(value) else None


def plain_text(markup: str, longest: int) -> str:
    """The words of some HTML in one line, cut to `longest` characters: for alerts and previews."""
    words = html.unescape(nh3.clean(_BLOCK_END.sub(" ", markup), tags=set())).split()
    text = " ".join(words)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def check_file_name(value: Any) -> str:
    """A file name without path, control characters or direction tricks. Raises WrongValue."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_FILE_NAME:
        raise WrongValue(f"a file name has 1 to {MAX_FILE_NAME} characters")
    if any(one in "/\\\0" or unicodedata.category(one) in ("Cc", "Cf", "Cs") for one in value) or value in (".", ".."):
        raise WrongValue("a file name has no path and no control characters")
    return unicodedata.normalize("NFC", value)


# ---------------------------------------------------------------- one check for each kind


def _text(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    text = _limited_text(field, value, MAX_TEXT)
    if any(unicodedata.category(one) in ("Cc", "Cs") for one in text):
        raise WrongValue("one line without control characters")
    return text


def _long_text(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    text = _limited_text(field, value, MAX_LONG_TEXT)
    if any(unicodedata.category(one) in ("Cc", "Cs") and one not in "\n\t\r" for one in text):
        raise WrongValue("no control characters")
    return text


def _rich_text(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    return clean_html(_limited_text(field, value, MAX_LONG_TEXT))


def _limited_text(field: Field, value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise WrongValue("must be a text")
    longest = int(field.maximum) if field.maximum is not None else most
    if len(value) > longest:
        raise WrongValue(f"at most {longest} characters")
    if (field.required and not value.strip()) or len(value) < (field.minimum or 0):
        raise WrongValue("is too short")
    return value


def _choice(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    for one in field.choices:
        if one.value == value:
            return one.value
    raise WrongValue("must be one of " + ", ".join(one.value for one in field.choices))


def _multi_choice(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> list[str]:
    return _unique([_choice(conn, actor, field, one) for one in _list(field, value)])


def _person(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    return _existing(conn, PERSON, value)


def _persons(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> list[str]:
    return _unique([_existing(conn, PERSON, one) for one in _list(field, value)])


def _department(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    return _existing(conn, DEPARTMENT, value)


def _departments(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> list[str]:
    return _unique([_existing(conn, DEPARTMENT, one) for one in _list(field, value)])


def _datetime(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise WrongValue("must be a UTCDate")
    try:
        return format_utc(parse_utc(value))
    except (ValueError, OverflowError, OSError):
        raise WrongValue("must be a UTCDate") from None


def _date(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    if not isinstance(value, str) or len(value) != 10:
        raise WrongValue("must be a date such as 2026-11-22")
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise WrongValue("must be a date such as 2026-11-22") from None


def _number(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise WrongValue("must be a number")
    if field.minimum is not None and value < field.minimum:
        raise WrongValue(f"at least {field.minimum:g}")
    if value > (field.maximum if field.maximum is not None else 2**53) or value < -(2**53):
        raise WrongValue("is too large")
    return value


def _bool(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise WrongValue("must be true or false")
    return value


def _files(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> list[dict[str, Any]]:
    items = _list(field, value, MAX_FILES)
    return [_file(one) for one in items]


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


def _reference(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    record_id = _existing(conn, field.target or "", value)
    if not is_visible(conn, actor.person_id, field.target or "", record_id):
        raise WrongValue(f"there is no such {field.target}")
    return record_id


def _audience(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or value.keys() - {"everyone", *AUDIENCE_LISTS}:
        raise WrongValue("an audience has everyone, departmentIds, roles, personIds")
    everyone = _bool(conn, actor, field, value.get("everyone", False))
    people = _unique([_existing(conn, PERSON, one) for one in _list(field, value.get("personIds", []))])
    departments = _unique([_existing(conn, DEPARTMENT, one) for one in _list(field, value.get("departmentIds", []))])
    roles = _list(field, value.get("roles", []))
    if not all(isinstance(one, str) and _ROLE.match(one) for one in roles):
        raise WrongValue("roles are lower-case words")
    if field.required and not (everyone or people or departments or roles):
        raise WrongValue("an audience of nobody")
    return {"everyone": everyone, "departmentIds": departments, "roles": _unique(roles), "personIds": people}


def _blob(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> str:
    if not isinstance(value, str) or not is_blob_id(value):
        raise WrongValue("must be a blob id")
    return value


def _object(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WrongValue("must be an object")
    known = {one.name: one for one in field.fields}
    if value.keys() - known.keys():
        raise WrongValue("no such members: " + ", ".join(sorted(str(one) for one in value.keys() - known.keys()))[:200])
    result: dict[str, Any] = {}
    for name, inner in known.items():
        given = value.get(name, inner.default)
        if given is not None:
            result[name] = check_value(conn, actor, inner, given)
        elif inner.required:
            raise WrongValue(f"{name} is required")
    return result


def _objects(conn: sa.Connection, actor: Actor, field: Field, value: Any) -> list[dict[str, Any]]:
    return [_object(conn, actor, field, one) for one in _list(field, value)]


def _list(field: Field, value: Any, most: int = MAX_ITEMS) -> list[Any]:
    if not isinstance(value, list):
        raise WrongValue("must be a list")
    most = int(field.maximum) if field.maximum is not None else most
    if len(value) > most:
        raise WrongValue(f"at most {most} entries")
    return value


def _existing(conn: sa.Connection, type_name: str, value: Any) -> str:
    if not isinstance(value, str) or load_record(conn, value, type_name=type_name) is None:
        raise WrongValue(f"there is no such {type_name}")
    return value


def _unique(values: list[str]) -> list[str]:
    return list(dict.fromkeys(values))


_CHECKS: Final[dict[FieldKind, Callable[[sa.Connection, Actor, Field, Any], Any]]] = {
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
    FieldKind.NUMBER: _number,
    FieldKind.BOOL: _bool,
    FieldKind.FILES: _files,
    FieldKind.REFERENCE: _reference,
    FieldKind.AUDIENCE: _audience,
    FieldKind.BLOB: _blob,
    FieldKind.OBJECT: _object,
    FieldKind.OBJECTS: _objects,
}
