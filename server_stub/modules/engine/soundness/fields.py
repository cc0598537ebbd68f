"""Whether the fields of a type make sense: options that mean something for their kind, formulas that can be computed, defaults that fit."""

from collections.abc import Mapping, Sequence
from typing import Final

from server_stub.modules.engine.definition import (
    CHOICE_KINDS,
    NESTED_KINDS,
    RESERVED,
    Field,
    FieldKind,
    TypeDefinition,
)
from server_stub.modules.engine.soundness.filters import check_filter, names_in
from server_stub.modules.engine.soundness.findings import (
    FIGURE_KINDS,
    LIST_KINDS,
    PLAIN_KINDS,
    REFERENCE_KINDS,
    TIME_KINDS,
    Findings,
)
from server_stub.modules.engine.soundness.principals import check_principals
from server_stub.modules.engine.soundness.values import compiled, value_problem

TEXT_KINDS: Final = frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT, FieldKind.RICH_TEXT})
LIMITED_KINDS: Final = TEXT_KINDS | FIGURE_KINDS | LIST_KINDS
_PARTS: Final[Mapping[str, frozenset[FieldKind]]] = {
    "choices": CHOICE_KINDS,
    "fields": NESTED_KINDS,
    "target": REFERENCE_KINDS,
}
_OPTIONS: Final[Mapping[str, frozenset[FieldKind]]] = {
    "color": frozenset({FieldKind.BOOL}),
    "decimals": frozenset({FieldKind.NUMBER}),
    "unit": FIGURE_KINDS,
    "pattern": frozenset({FieldKind.TEXT, FieldKind.LONG_TEXT}),
    "min": LIMITED_KINDS,
    "max": LIMITED_KINDS,
    "only": REFERENCE_KINDS,
}
NOT_IN_LINES: Final = ("computed", "immutable", "unique", "when", "see", "edit")
OPERANDS: Final[Mapping[str, tuple[int, int]]] = {
    "sum": (1, 20),
    "count": (1, 20),
    "add": (2, 20),
    "multiply": (2, 20),
    "subtract": (2, 20),
    "divide": (2, 20),
    "days": (1, 1),
    "hours": (1, 1),
}
"""Operation of a formula → the least and the most operands it takes."""


def check_fields(found: Findings, where: str, type_: TypeDefinition) -> None:
    """Note everything wrong with the fields of a type."""
    if not type_.fields:
        found.say(where, "noFields", "has no fields")
    found.twice(where, "field", [one.name for one in type_.fields])
    for field in type_.fields:
        place = f"{where}.{field.name}"
        if field.name in RESERVED or (field.name == "state" and type_.states):
            found.say(place, "taken", "this name is taken")
        _check_field(found, place, field, type_.fields)
        check_filter(found, f"{place}.when", type_, field.when)
        if field.name in names_in(field.when):
            found.say(f"{place}.when", "looksAtItself", "looks at the field itself")
        for key, principals in (("see", field.see), ("edit", field.edit)):
            check_principals(found, f"{place}.{key}", type_, principals)
        _check_only(found, place, field)
    _check_circles(found, where, type_.fields)


def _check_field(found: Findings, where: str, field: Field, siblings: Sequence[Field]) -> None:
    """What holds for a field of a record and for one of a line."""
    _check_kind(found, where, field)
    _check_limits(found, where, field)
    if field.pattern is not None and compiled(field.pattern) is None:
        found.say(where, "badPattern", "pattern is no regular expression")
    if field.computed and (field.required or field.unique or field.formula or field.default is not None):
        found.say(
            where,
            "computed",
            "what is computed when shown has no formula, no default, and is neither required nor unique",
        )
    if field.formula:
        _check_formula(found, where, field, siblings)
    if field.unique and field.kind not in PLAIN_KINDS:
        found.say(where, "cannotBeUnique", "a {kind} cannot be unique", kind=field.kind)
    if field.default is not None:
        problem = value_problem(field, field.default)
        if problem is not None:
            found.say(where, "badDefault", "default {problem}", problem=problem)
    _check_after(found, where, field, siblings)
    _check_inner(found, where, field)


def _check_kind(found: Findings, where: str, field: Field) -> None:
    for key, kinds in _PARTS.items():
        if bool(getattr(field, key)) != (field.kind in kinds):
            found.say(where, "keyOfKinds", "{key} belong to {kinds}, and those need them", key=key, kinds=sorted(kinds))
    for key, kinds in _OPTIONS.items():
        if getattr(field, key) is not None and field.kind not in kinds:
            found.say(where, "keyNotOfKind", "{key} means nothing for kind {kind}", key=key, kind=field.kind)
    if field.plain and field.kind is not FieldKind.NUMBER:
        found.say(where, "plainOfNumber", "plain means nothing but for a number")
    if field.indexed and (field.kind not in PLAIN_KINDS or field.computed):
        found.say(where, "oneValueIndexed", "only one stored value can be indexed")
    found.twice(where, "choice", [one.value for one in field.choices])


def _check_limits(found: Findings, where: str, field: Field) -> None:
    if field.min is not None and field.max is not None and field.min > field.max:
        found.say(where, "minOverMax", "min is more than max")
    if field.kind in LIMITED_KINDS - FIGURE_KINDS:
        for key, limit in (("min", field.min), ("max", field.max)):
            if limit is not None and (limit < 0 or limit != int(limit)):
                found.say(
                    where, "wholeLimit", "{key} counts characters or entries: a whole number, not negative", key=key
                )


def _check_after(found: Findings, where: str, field: Field, siblings: Sequence[Field]) -> None:
    if field.after is None:
        return
    other = next((one for one in siblings if one.name == field.after), None)
    if other is None:
        found.say(where, "noFieldAfter", "after: there is no field {name}", name=field.after)
    elif field.kind not in TIME_KINDS or other.kind not in TIME_KINDS:
        found.say(where, "afterOfTimes", "after is for date, datetime and span, and names one of these")


def _check_inner(found: Findings, where: str, field: Field) -> None:
    found.twice(where, "field", [one.name for one in field.fields])
    for inner in field.fields:
        place = f"{where}.{inner.name}"
        if inner.kind in NESTED_KINDS or inner.kind is FieldKind.AUDIENCE:
            found.say(
                place, "cannotLieInside", "a {kind} cannot lie inside a {around}", kind=inner.kind, around=field.kind
            )
            continue
        for key in NOT_IN_LINES:
            if getattr(inner, key):
                found.say(
                    place,
                    "notInLines",
                    "{key} is for the fields of a record, not for those inside a {kind}",
                    key=key,
                    kind=field.kind,
                )
        _check_field(found, place, inner, field.fields)
        _check_only(found, place, inner)
    _check_circles(found, where, field.fields)


def _check_only(found: Findings, where: str, field: Field) -> None:
    if field.target is None:
        return
    target = found.type(where, field.target)
    if target is not None:
        check_filter(found, f"{where}.only", target, field.only)


def _check_formula(found: Findings, where: str, field: Field, siblings: Sequence[Field]) -> None:
    operation, operands = field.formula[0], field.formula[1:]
    if field.kind not in FIGURE_KINDS:
        found.say(where, "noFormulaOfKind", "a {kind} has no formula: only number and money have", kind=field.kind)
    if field.required or field.default is not None:
        found.say(where, "formulaAlone", "what a formula computes has no default and need not be required")
    if not isinstance(operation, str) or operation not in OPERANDS:
        found.say(where, "noOperation", "formula begins with one of {known}", known=[*OPERANDS])
        return
    least, most = OPERANDS[operation]
    if not least <= len(operands) <= most:
        found.say(
            where,
            "operandCount",
            "{operation} takes {count} operands",
            operation=operation,
            count=least if least == most else f"{least} to {most}",
        )
    for operand in operands:
        if isinstance(operand, str):
            _check_operand(found, where, operation, operand, siblings)
        elif operation in ("count", "days", "hours"):
            found.say(where, "operandField", "{operation} takes a field", operation=operation)


def _check_operand(found: Findings, where: str, operation: str, operand: str, siblings: Sequence[Field]) -> None:
    outer, dot, inner = operand.partition(".")
    field = next((one for one in siblings if one.name == outer), None)
    if field is not None and dot:
        field = (
            next((one for one in field.fields if one.name == inner), None) if field.kind is FieldKind.LINES else None
        )
    if field is None:
        found.say(where, "noOperand", "formula: there is no field {name}", name=operand[:60])
        return
    wanted: frozenset[FieldKind] = FIGURE_KINDS
    if operation == "count":
        wanted = LIST_KINDS
    elif operation in ("days", "hours"):
        wanted = frozenset({FieldKind.SPAN})
    if field.kind not in wanted or (dot and wanted is not FIGURE_KINDS):
        takes = {"count": "a list", "days": "a span", "hours": "a span"}.get(operation, "number or money")
        found.say(
            where,
            "wrongOperand",
            "formula: {operation} takes {takes}, not {name}",
            operation=operation,
            takes=takes,
            name=operand[:60],
        )


def _check_circles(found: Findings, where: str, fields: Sequence[Field]) -> None:
    """Formulas that need each other, dates that each come after the other."""
    formulas = {one.name: {str(name).partition(".")[0] for name in one.formula[1:]} for one in fields}
    # a line's own formula never looks outside its line, so `lines.x` leads no further
    afters = {one.name: {one.after} for one in fields if one.after is not None}
    for what, graph in (("formula", formulas), ("after", afters)):
        for name in sorted(graph):
            if _reaches(graph, name, name):
                found.say(f"{where}.{name}", "circle", "{what} leads back to itself", what=what)


def _reaches(graph: Mapping[str, set[str]], start: str, goal: str) -> bool:
    seen: set[str] = set()
    pending = list(graph.get(start, ()))
    while pending:
        one = pending.pop()
        if one == goal:
            return True
        if one not in seen:
            seen.add(one)
            pending.extend(graph.get(one, ()))
    return False
