"""Checks and completes the data of a whole record by its definition: known fields, values, defaults, conditional fields, what is required, order in time."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.conditions import Standpoint, compare_times, compile_conditions, is_empty, texts_of
from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.modules.engine.formulas import TooLarge, compute_record
from server_stub.modules.engine.values import Check, WrongValue, check_value, fill_value


def check_record(
    check: Check,
    definition: TypeDefinition,
    data: Mapping[str, Any],
    *,
    only: Collection[str] | None = None,
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The data of a record, cleaned: known fields only, every value checked. A new record (`only` is None) gets its defaults.

    Args:
        only: the fields to check (those that changed); the others are taken over as they are.
        before: the data so far.

    Raises:
        SetError: invalidProperties, naming every field at fault; `reasons` says what is wrong with each.
    """
    unknown = sorted(key for key in data if definition.field(key) is None and (only is None or key in only))
    if unknown:
        raise invalid_properties("no such property", *unknown)
    cleaned: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for field in definition.every_field:
        value = data.get(field.name)
        if field.computed:
            continue
        if only is not None and field.name not in only:
            if field.name in data:
                cleaned[field.name] = value
            continue
        if value is None and field.default is not None and (only is None or field.required):
            value = fill_value(check.standpoint, field, field.default)
        if value is None:
            continue
        known = frozenset(texts_of((before or {}).get(field.name)))
        try:
            cleaned[field.name] = check_value(replace(check, known=known) if known else check, field, value)
        except WrongValue as problem:
            problems[field.name] = str(problem)
    refuse(problems)
    return cleaned


def settle_record(
    standpoint: Standpoint,
    definition: TypeDefinition,
    data: dict[str, Any],
    *,
    changed: Collection[str],
    before: Mapping[str, Any] | None,
) -> None:
    """Make data whole after a change: conditional fields come and go, formulas are computed, required and order are checked.

    Args:
        changed: the fields that were written.
        before: the data so far; None for a new record.

    Raises:
        SetError: invalidProperties.
    """
    appeared = _settle_conditional(standpoint, definition, data, before)
    compute_formulas(definition, data)
    problems: dict[str, str] = {}
    for field in definition.every_field:
        asked = before is None or field.name in changed or field.name in appeared
        if field.required and asked and not (field.read_only or field.computed or field.formula):
            problems.update(_missing(standpoint, field, data))
        if field.after is not None and (before is None or {field.name, field.after} & set(changed)):
            order = compare_times(data.get(field.name), data.get(field.after), standpoint.offset)
            if order is not None and order < 0:
                problems.setdefault(field.name, f"must not come before {field.after}")
    refuse(problems)


def compute_formulas(definition: TypeDefinition, data: dict[str, Any]) -> None:
    """Fill in the formula fields. Raises SetError invalidProperties: a result beyond reason."""
    try:
        compute_record(definition.fields, data)
    except TooLarge as problem:
        raise invalid_properties("is too large", str(problem)) from None


def apply_sets(
    standpoint: Standpoint, definition: TypeDefinition, data: dict[str, Any], sets: Mapping[str, Any]
) -> None:
    """Write what an action sets; None, and a placeholder that stands for nobody, empty the field."""
    for name, value in sets.items():
        field = definition.field(name)
        filled = None if field is None else fill_value(standpoint, field, value)
        if filled is None:
            data.pop(name, None)
        else:
            data[name] = filled


def check_filled(definition: TypeDefinition, data: Mapping[str, Any], names: Iterable[str]) -> None:
    """Raises SetError invalidProperties: one of these fields is empty."""
    refuse({name: "is required" for name in names if is_empty(data.get(name))})


def refuse(problems: Mapping[str, str]) -> None:
    """Raises SetError invalidProperties when there are problems: field → what is wrong with it."""
    if problems:
        text = "; ".join(dict.fromkeys(problems.values()))
        raise SetError(SetErrorType.INVALID_PROPERTIES, text[:500], list(problems), reasons=dict(problems))


def searched_fields(definition: TypeDefinition) -> frozenset[str]:
    """The fields quick search looks into: those that hold words."""
    return frozenset(one.name for one in definition.fields if _holds_words(one))


def _holds_words(field: Field) -> bool:
    if field.kind in (FieldKind.OBJECT, FieldKind.LINES):
        return any(_holds_words(one) for one in field.fields)
    return field.kind in (FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.RICH_TEXT, FieldKind.FILES)


def _settle_conditional(
    standpoint: Standpoint, definition: TypeDefinition, data: dict[str, Any], before: Mapping[str, Any] | None
) -> set[str]:
    """Drop the fields whose condition does not hold, give those that appear their defaults. Returns what appeared."""
    conditional = [one for one in definition.fields if one.when is not None]
    appeared: set[str] = set()
    for _ in range(len(conditional) + 1):  # one may depend on another
        moved = False
        for field in conditional:
            applies = is_asked(standpoint, field, data)
            if not applies and field.name in data:
                del data[field.name]
                moved = True
            elif applies and before is not None and not is_asked(standpoint, field, dict(before)):
                appeared.add(field.name)
                if field.name not in data and field.default is not None:
                    filled = fill_value(standpoint, field, field.default)
                    if filled is not None:
                        data[field.name] = filled
                        moved = True
        if not moved:
            break
    return appeared


def _missing(standpoint: Standpoint, field: Field, data: dict[str, Any]) -> dict[str, str]:
    empty = is_empty(data.get(field.name)) and is_asked(standpoint, field, data)
    return {field.name: "is required"} if empty else {}


def is_asked(standpoint: Standpoint, field: Field, data: dict[str, Any]) -> bool:
    """Whether a field's `when` is met by a record with this data."""
    return field.when is None or compile_conditions(field.when, standpoint)(data)
