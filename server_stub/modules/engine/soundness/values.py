"""Whether a value that a definition gives (a default, what an action sets, what a filter compares) fits its field."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from server_stub.modules.engine.definition import Field, FieldKind
from server_stub.modules.engine.saying import Reason, reason

MOMENT: Final = re.compile(r"@(now|today([+-]\d{1,4}[dwmy])?)\Z", re.ASCII)
MAX_FIGURE: Final = 2**53
_MONEY: Final = re.compile(r"-?\d{1,15}\.\d{2}\Z", re.ASCII)


def value_problem(field: Field, value: Any) -> Reason | None:
    """What is wrong with a value or placeholder for this field; None: nothing."""
    return _CHECKS[field.kind](field, value)


def _text(field: Field, value: Any) -> Reason | None:
    if not isinstance(value, str):
        return reason("mustBeText", "must be a text")
    if field.max is not None and len(value) > field.max:
        return reason("tooLong", "is longer than {max:g} characters", max=field.max)
    if value and field.min is not None and len(value) < field.min:
        return reason("tooShort", "is shorter than {min:g} characters", min=field.min)
    if field.pattern is not None and compiled(field.pattern) is not None and not re.fullmatch(field.pattern, value):
        return reason("noMatch", "does not match the pattern")
    return None


def compiled(pattern: str) -> re.Pattern[str] | None:
    """The pattern, None when it is no regular expression."""
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return None


def _number(field: Field, value: Any) -> Reason | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return reason("mustBeNumber", "must be a number")
    if field.decimals is not None and round(float(value), field.decimals) != value:
        return reason("tooManyDecimals", "has more than {decimals} decimals", decimals=field.decimals)
    return _range(field, Decimal(repr(value)))


def _money(field: Field, value: Any) -> Reason | None:
    if not isinstance(value, str) or not _MONEY.match(value):
        return reason("mustBeMoney", 'must be money such as "1250.00"')
    try:
        return _range(field, Decimal(value))
    except InvalidOperation:  # pragma: no cover - the pattern lets nothing through that Decimal refuses
        return reason("mustBeMoney", 'must be money such as "1250.00"')


def _range(field: Field, value: Decimal) -> Reason | None:
    if abs(value) > MAX_FIGURE:
        return reason("tooLarge", "is too large")
    if field.min is not None and value < Decimal(repr(field.min)):
        return reason("lessThan", "is less than {min:g}", min=field.min)
    if field.max is not None and value > Decimal(repr(field.max)):
        return reason("moreThan", "is more than {max:g}", max=field.max)
    return None


def _date(field: Field, value: Any) -> Reason | None:
    if isinstance(value, str) and (MOMENT.match(value) and value != "@now"):
        return None
    try:
        fine = isinstance(value, str) and date.fromisoformat(value).isoformat() == value
    except ValueError:
        fine = False
    return None if fine else reason("mustBeDate", 'must be a date such as "2026-11-22" or "@today+3d"')


def _datetime(field: Field, value: Any) -> Reason | None:
    if isinstance(value, str) and MOMENT.match(value):
        return None
    try:
        fine = isinstance(value, str) and value.endswith("Z") and datetime.fromisoformat(value) is not None
    except ValueError:
        fine = False
    return (
        None if fine else reason("mustBeTime", 'must be a time such as "2026-11-22T08:00:00Z", "@now" or "@today+3d"')
    )


def _span(field: Field, value: Any) -> Reason | None:
    if not isinstance(value, dict) or set(value) != {"start", "end"}:
        return reason("mustBeSpan", "must be a span with start and end")
    problem = _datetime(field, value["start"]) or _datetime(field, value["end"])
    both = (value["start"], value["end"])
    if problem is None and not any(one.startswith("@") for one in both) and both[0] >= both[1]:
        return reason("endsFirst", "ends before it starts")
    return problem


def _bool(field: Field, value: Any) -> Reason | None:
    return None if isinstance(value, bool) else reason("mustBeBool", "must be true or false")


def _choice(field: Field, value: Any) -> Reason | None:
    known = [one.value for one in field.choices]
    return (
        None
        if value in known
        else reason("noChoice", "{value!r} is none of {known}", value=str(value)[:40], known=known)
    )


def _person(field: Field, value: Any) -> Reason | None:
    return None if value == "@me" else reason("noPersonHere", "no person can be named here but @me")


def _department(field: Field, value: Any) -> Reason | None:
    return (
        None
        if value == "@myDepartments"
        else reason("noDepartmentHere", "no department can be named here but @myDepartments")
    )


def _list_of(
    one: Callable[[Field, Any], Reason | None], whole: str | None = None
) -> Callable[[Field, Any], Reason | None]:
    def check(field: Field, value: Any) -> Reason | None:
        if value == whole and whole is not None:
            return None
        if not isinstance(value, list):
            return reason("mustBeList", "must be a list")
        if field.max is not None and len(value) > field.max:
            return reason("tooMany", "has more than {max:g} entries", max=field.max)
        return next((problem for problem in (one(field, entry) for entry in value) if problem), None)

    return check


def _empty_list(field: Field, value: Any) -> Reason | None:
    return None if value == [] else reason("onlyEmptyList", "can only be an empty list here")


def _nothing(field: Field, value: Any) -> Reason | None:
    return reason("notHere", "a {kind} cannot be given here", kind=field.kind)


def _audience(field: Field, value: Any) -> Reason | None:
    known: Mapping[str, Any] = {"everyone": bool, "departmentIds": list, "roles": list, "personIds": list}
    if not isinstance(value, dict) or not all(
        key in known and isinstance(one, known[key]) for key, one in value.items()
    ):
        return reason("mustBeAudience", "must be an audience: everyone, departmentIds, roles, personIds")
    return (
        reason("nobodyHere", "no person or department can be named here")
        if value.get("personIds") or value.get("departmentIds")
        else None
    )


def _object(field: Field, value: Any) -> Reason | None:
    if not isinstance(value, dict):
        return reason("mustBeTable", "must be a table")
    known = {one.name: one for one in field.fields}
    for name, one in value.items():
        if name not in known:
            return reason("nothingInIt", "there is no {name} in it", name=str(name)[:60])
        problem = value_problem(known[name], one)
        if problem is not None:
            return reason("badPart", "{name} {problem}", name=name, problem=problem)
    missing = [one.name for one in field.fields if one.required and one.default is None and one.name not in value]
    return reason("missing", "{name} is missing", name=missing[0]) if missing else None


_CHECKS: Final[Mapping[FieldKind, Callable[[Field, Any], Reason | None]]] = {
    FieldKind.TEXT: _text,
    FieldKind.LONG_TEXT: _text,
    FieldKind.RICH_TEXT: _text,
    FieldKind.NUMBER: _number,
    FieldKind.MONEY: _money,
    FieldKind.DATE: _date,
    FieldKind.DATETIME: _datetime,
    FieldKind.SPAN: _span,
    FieldKind.BOOL: _bool,
    FieldKind.CHOICE: _choice,
    FieldKind.MULTI_CHOICE: _list_of(_choice),
    FieldKind.PERSON: _person,
    FieldKind.PERSONS: _list_of(_person),
    FieldKind.DEPARTMENT: _department,
    FieldKind.DEPARTMENTS: _list_of(_department, "@myDepartments"),
    FieldKind.AUDIENCE: _audience,
    FieldKind.REFERENCE: _nothing,
    FieldKind.REFERENCES: _empty_list,
    FieldKind.FILES: _empty_list,
    FieldKind.BLOB: _nothing,
    FieldKind.OBJECT: _object,
    FieldKind.LINES: _list_of(_object),
}
