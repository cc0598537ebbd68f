"""What becomes of one record's data when its definition changes: what a [[migrations]] entry says, and conversions that lose nothing. Pure."""

import html
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from server_stub.modules.engine.definition import Field, FieldKind, Migration, TypeDefinition
from server_stub.modules.engine.soundness.values import value_problem
from server_stub.records.types import JsonObject


def apply_migration(migration: Migration, type_: TypeDefinition, data: JsonObject) -> bool:
    """Do one entry with the data of one record; whether anything changed. `field` may be `lines.x`: then in every line."""
    outer, dot, inner = str(migration.field).partition(".")
    if not dot:
        return _apply_to(migration, type_.field(migration.rename or outer), outer, data)
    held = data.get(outer)
    parts = held if isinstance(held, list) else [held]
    lines = [dict(one) for one in parts if isinstance(one, dict)]
    of = type_.field(outer)
    fields = {one.name: one for one in of.fields} if of is not None else {}
    done = [_apply_to(migration, fields.get(migration.rename or inner), inner, line) for line in lines]
    if any(done):
        data[outer] = lines if isinstance(held, list) else lines[0]
    return any(done)


def _apply_to(migration: Migration, now: Field | None, name: str, data: JsonObject) -> bool:
    value = data.get(name)
    if migration.fill is not None:
        if value is not None and now is not None and _has_shape(now, value):
            return False
        data[name] = migration.fill
        return True
    if value is None:
        return False
    if migration.drop:
        del data[name]
        return True
    if migration.rename is not None:
        if data.get(migration.rename) is not None:
            return False  # both are there: what is left under the old name is refused below
        data[migration.rename] = data.pop(name)
        return True
    mapped = _mapped(migration.values, value)
    if mapped == value:
        return False
    data[name] = mapped
    return True


def _mapped(values: Mapping[str, str], value: Any) -> Any:
    if isinstance(value, list):
        return list(dict.fromkeys(values.get(one, one) if isinstance(one, str) else one for one in value))
    return values.get(value, value) if isinstance(value, str) else value


def _has_shape(one: Field, value: Any) -> bool:
    """Whether a stored value fits the field as far as that can be said without the database; references count as fitting."""
    if one.kind in _OF_IDS:
        return isinstance(value, str) if one.kind in _ONE_ID else isinstance(value, list)
    return value_problem(one, value) is None


_ONE_ID: Final = frozenset({FieldKind.PERSON, FieldKind.DEPARTMENT, FieldKind.REFERENCE, FieldKind.BLOB})
_OF_IDS: Final = _ONE_ID | {FieldKind.PERSONS, FieldKind.DEPARTMENTS, FieldKind.REFERENCES, FieldKind.FILES}


def told(migration: Migration) -> str:
    if migration.rename is not None:
        return f"renamed to {migration.rename}"
    if migration.drop:
        return "dropped"
    return "values replaced" if migration.values else "filled in"


# ---------------------------------------------------------------- safe conversions


def converted(old: str, new: FieldKind, value: Any) -> Any:
    convert = _CONVERSIONS.get((old, new.value))
    return value if convert is None else convert(value)


def _in_a_list(value: Any) -> Any:
    return [value]


def _out_of_a_list(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _to_money(value: Any) -> Any:
    exact = Decimal(repr(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return f"{exact:.2f}" if exact is not None and exact == round(exact, 2) else value


def _to_number(value: Any) -> Any:
    number = float(value)
    return int(number) if number.is_integer() else number


def _to_html(value: Any) -> Any:
    return "".join(f"<p>{html.escape(line)}</p>" for line in str(value).splitlines())


def _to_text(value: Any) -> Any:
    return f"{value:g}" if isinstance(value, float) else str(value)


_CONVERSIONS: Final[Mapping[tuple[str, str], Callable[[Any], Any]]] = {
    ("person", "persons"): _in_a_list,
    ("department", "departments"): _in_a_list,
    ("reference", "references"): _in_a_list,
    ("choice", "multiChoice"): _in_a_list,
    ("persons", "person"): _out_of_a_list,
    ("departments", "department"): _out_of_a_list,
    ("references", "reference"): _out_of_a_list,
    ("multiChoice", "choice"): _out_of_a_list,
    ("object", "lines"): _in_a_list,
    ("number", "money"): _to_money,
    ("money", "number"): _to_number,
    ("number", "text"): _to_text,
    ("text", "richText"): _to_html,
    ("longText", "richText"): _to_html,
}
