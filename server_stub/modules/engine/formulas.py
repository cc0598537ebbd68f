"""Formula fields: exact decimal arithmetic over the fields of a record, and of its lines. Pure.

Golden cases for server and client: resources/protocol/golden/formulas.json. A missing operand counts 0, a division by 0 has no result;
money is rounded half up to 2 decimals, numbers to the field's decimals (6 when it names none).
"""

import decimal
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from server_stub.clock import parse_utc
from server_stub.modules.engine.conditions import as_number
from server_stub.modules.engine.definition import Field, FieldKind

DECIMALS: Final = 6
LARGEST: Final = Decimal(10) ** 15
HOUR_MS: Final = 3_600_000
_CONTEXT: Final = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_UP)
_ZERO: Final = Decimal(0)


class TooLarge(ValueError):
    """A result nobody can mean: 10^15 or more."""


def compute_record(fields: Sequence[Field], data: dict[str, Any]) -> None:
    """Fill in every formula field, those of lines first; formulas may stand on formulas.

    Raises:
        TooLarge: the text names the field.
    """
    for field in fields:
        if field.kind is FieldKind.LINES and any(one.formula for one in field.fields):
            for line in data.get(field.name) or ():
                compute_record(field.fields, line)
    pending = {one.name: one for one in fields if one.formula}
    while pending:
        ready = [one for one in pending.values() if not any(part in pending for part in one.formula[1:])]
        for field in ready or list(
            pending.values()
        ):  # a circle cannot come out of soundness.py; it must not hang either
            del pending[field.name]
            try:
                result = compute(field.formula, field.kind, data, field.decimals)
            except TooLarge:
                raise TooLarge(field.name) from None
            if result is None:
                data.pop(field.name, None)
            else:
                data[field.name] = result


def compute(
    formula: Sequence[str | int | float], kind: str, data: Mapping[str, Any], decimals: int | None = None
) -> str | int | float | None:
    """The value of one formula: money as text with 2 decimals, else a number; None: no result.

    Raises:
        TooLarge: beyond 10^15.
    """
    with decimal.localcontext(_CONTEXT):
        result = _apply(str(formula[0]), formula[1:], data)
        if result is None:
            return None
        if abs(result) >= LARGEST:
            raise TooLarge(str(formula[0]))
        return format_money(result) if kind == FieldKind.MONEY else _as_json(result, decimals)


def format_money(amount: Decimal) -> str:
    """Two decimals, half up; never "-0.00"."""
    rounded = amount.quantize(Decimal("0.01"), decimal.ROUND_HALF_UP, context=_CONTEXT)
    return str(abs(rounded)) if rounded == 0 else str(rounded)


def _as_json(number: Decimal, decimals: int | None) -> int | float:
    rounded = number.quantize(Decimal(1).scaleb(-(DECIMALS if decimals is None else decimals)))
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _apply(operation: str, operands: Sequence[str | int | float], data: Mapping[str, Any]) -> Decimal | None:
    match operation:
        case "count":
            return Decimal(sum(_length(data.get(str(one))) for one in operands))
        case "days" | "hours":
            return sum((_hours(data.get(str(one))) for one in operands), _ZERO) / (24 if operation == "days" else 1)
    values = [_operand(one, data) for one in operands]
    match operation:
        case "sum" | "add":
            return sum(values, _ZERO)
        case "subtract":
            return values[0] - sum(values[1:], _ZERO)
        case "multiply":
            return _product(values)
        case "divide":
            divisor = _product(values[1:])
            return None if divisor == 0 else values[0] / divisor
    raise ValueError(f"there is no operation {operation}")


def _product(values: Iterable[Decimal]) -> Decimal:
    result = Decimal(1)
    for value in values:
        result *= value
    return result


def _operand(operand: str | int | float, data: Mapping[str, Any]) -> Decimal:
    if not isinstance(operand, str):
        return as_number(operand) or _ZERO
    name, dot, inner = operand.partition(".")
    value = data.get(name)
    if not dot:
        return as_number(value) or _ZERO
    lines = value if isinstance(value, list) else []
    return sum((as_number(line.get(inner)) or _ZERO for line in lines if isinstance(line, dict)), _ZERO)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _hours(value: Any) -> Decimal:
    """The length of a span; 0 for anything else."""
    if not isinstance(value, dict):
        return _ZERO
    try:
        return Decimal(parse_utc(value["end"]) - parse_utc(value["start"])) / HOUR_MS
    except (KeyError, TypeError, ValueError):
        return _ZERO
