"""Whether the filters of a definition can match: fields that exist, values they can have, placeholders that mean something for them."""

from typing import Any, Final

from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.modules.engine.saying import Reason, reason
from server_stub.modules.engine.soundness.findings import (
    DEPARTMENT_KINDS,
    ENVELOPE_FIELDS,
    FIGURE_KINDS,
    LIST_KINDS,
    PERSON_KINDS,
    REFERENCE_KINDS,
    TIME_KINDS,
    Findings,
)
from server_stub.modules.engine.soundness.values import MOMENT, value_problem

MAX_DEPTH: Final = 8
MAX_CONDITIONS: Final = 200
OPERATORS: Final = ("AND", "OR", "NOT")
_ONLY_EMPTY: Final = frozenset({FieldKind.FILES, FieldKind.LINES, FieldKind.OBJECT, FieldKind.AUDIENCE, FieldKind.BLOB})
_ONLY_EMPTY_TOO: Final = frozenset({FieldKind.SPAN, FieldKind.RICH_TEXT})
_ID: Final = Field(name="id", kind=FieldKind.TEXT, label=ENVELOPE_FIELDS["authorId"].label)


def check_filter(found: Findings, where: str, type_: TypeDefinition, filter_: Any, depth: int = 0) -> None:
    """Note everything wrong with a filter over records of this type. None is no filter."""
    if filter_ is None:
        return
    if not isinstance(filter_, dict) or depth > MAX_DEPTH:
        found.say(where, "filterShape", "a filter is a table, not too deep")
    elif "operator" in filter_:
        _check_operator(found, where, type_, filter_, depth)
    else:
        for name, value in filter_.items():
            _check_condition(found, where, type_, str(name), value)


def names_in(filter_: Any) -> set[str]:
    """The fields a filter looks at, at any depth."""
    if not isinstance(filter_, dict):
        return set()
    if "operator" in filter_:
        inner = filter_.get("conditions")
        return set().union(*(names_in(one) for one in inner)) if isinstance(inner, list) else set()
    return {str(name) for name in filter_} | {
        str(name).removesuffix("Before").removesuffix("After") for name in filter_
    }


def _check_operator(found: Findings, where: str, type_: TypeDefinition, filter_: dict[str, Any], depth: int) -> None:
    if filter_["operator"] not in OPERATORS:
        found.say(where, "filterOperator", "operator is one of {known}", known=OPERATORS)
    for name in sorted(str(key) for key in filter_.keys() - {"operator", "conditions"}):
        found.say(
            where, "besideOperator", "{name} stands beside an operator: put it into its conditions", name=name[:60]
        )
    conditions = filter_.get("conditions")
    if not isinstance(conditions, list) or not 0 < len(conditions) <= MAX_CONDITIONS:
        found.say(where, "conditionCount", "an operator needs 1 to {most} conditions", most=MAX_CONDITIONS)
        return
    for one in conditions:
        check_filter(found, where, type_, one, depth + 1)


def _check_condition(found: Findings, where: str, type_: TypeDefinition, name: str, value: Any) -> None:
    if name == "text":
        if not isinstance(value, str):
            found.say(where, "textTakesText", "text takes a text")
        return
    field = type_.field(name) or ENVELOPE_FIELDS.get(name) or (_ID if name == "id" else None)
    if field is not None:
        _check_equal(found, where, field, value)
        return
    for suffix in ("Before", "After"):
        base = name.removesuffix(suffix)
        field = type_.field(base) or ENVELOPE_FIELDS.get(base)
        if base != name and field is not None:
            _check_bound(found, where, name, field, value)
            return
    found.say(where, "noField", "there is no field {name}", name=name[:60])


def _check_equal(found: Findings, where: str, field: Field, value: Any) -> None:
    if value is None:
        return
    if field.kind in _ONLY_EMPTY | _ONLY_EMPTY_TOO:
        found.say(
            where, "onlyEmpty", "{name} is a {kind}: it can only be asked to be empty", name=field.name, kind=field.kind
        )
        return
    if value == "@myDepartments" and field.kind in DEPARTMENT_KINDS:
        return
    if isinstance(value, list) and not value:
        found.say(where, "oneOfNothing", "{name} is one of nothing", name=field.name)
    for one in value if isinstance(value, list) else [value]:
        problem = None if one is None else _one_problem(field, one)
        if problem is not None:
            found.say(where, "badValue", "{name}: {problem}", name=field.name, problem=problem)


def _one_problem(field: Field, value: Any) -> Reason | None:
    """What is wrong with a value to compare with, or with one entry of the field's list."""
    if field.kind in REFERENCE_KINDS:
        return reason("noRecordHere", "no record can be named in a definition")
    if field.kind in PERSON_KINDS:
        return None if value == "@me" else reason("noPersonHere", "no person can be named here but @me")
    if field.kind in DEPARTMENT_KINDS:
        return (
            None
            if value == "@myDepartments"
            else reason("noDepartmentHere", "no department can be named here but @myDepartments")
        )
    return value_problem(field, [value] if field.kind in LIST_KINDS else value)


def _check_bound(found: Findings, where: str, name: str, field: Field, value: Any) -> None:
    if field.kind in TIME_KINDS:
        fine = isinstance(value, str) and (
            MOMENT.match(value) is not None or any(value_problem(one, value) is None for one in (_A_DATE, _A_TIME))
        )
        if not fine:
            found.say(where, "takesTime", "{name} takes a date or a time, or @today and @now", name=name)
    elif field.kind in FIGURE_KINDS:
        problem = value_problem(field, value)
        if problem is not None and not problem.startswith(("is less", "is more")):
            found.say(where, "badBound", "{name} {problem}", name=name, problem=problem)
    else:
        found.say(where, "noBounds", "{name} is a {kind}: it has no before and after", name=field.name, kind=field.kind)


_A_DATE: Final = Field(name="date", kind=FieldKind.DATE, label=_ID.label)
_A_TIME: Final = Field(name="time", kind=FieldKind.DATETIME, label=_ID.label)
