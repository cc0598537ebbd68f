"""Formula fields: exact decimal arithmetic over the fields of a record and of its lines. Golden cases for both sides:
resources/protocol/golden/formulas.json. A missing operand counts 0, a division by 0 has no result; money is rounded half up to 2 decimals, numbers to the
field's decimals (6 when it names none). Pure."""

import decimal
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from desktop.core.clock import parse_utc_date
from desktop.core.domain.conditions import as_decimal
from desktop.core.domain.definition import Field, FieldKind

DECIMALS: Final = 6
LARGEST: Final = Decimal(10) ** 15
_HOUR_MS: Final = 3_600_000
_CONTEXT: Final = decimal.Context(prec=80, rounding=decimal.ROUND_HALF_UP)
_ZERO: Final = Decimal(0)
_CENT: Final = Decimal("0.01")


def with_formulas(fields: Sequence[Field], data: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the data with every formula field computed, those of lines first; formulas may stand on formulas."""
    result = dict(data)
    for field in fields:
        lines = result.get(field.name)
        if field.kind is FieldKind.LINES and isinstance(lines, list) and any(one.formula for one in field.fields):
            result[field.name] = [
                with_formulas(field.fields, line) if isinstance(line, dict) else line for line in lines
            ]
    pending = {field.name: field for field in fields if field.formula}
    while pending:
        ready = [one for one in pending.values() if not any(part in pending for part in one.formula[1:])]
        for field in ready or list(pending.values()):  # the server lets no circle in; one must not hang us either
            del pending[field.name]
            value = compute(field.formula, field.kind, result, field.decimals)
            if value is None:
                result.pop(field.name, None)
            else:
                result[field.name] = value
    return result


def compute(
    formula: Sequence[str | int | float], kind: str, data: Mapping[str, Any], decimals: int | None = None
) -> str | int | float | None:
    """The value of one formula: money as text with 2 decimals, else a number; None: no result (division by 0, beyond 10^15, an operation of a newer server)."""
    if not formula:
        return None
    with decimal.localcontext(_CONTEXT):
        result = _apply(str(formula[0]), formula[1:], data)
        if result is None or abs(result) >= LARGEST:
            return None
        return format_money(result) if kind == FieldKind.MONEY else _number(result, decimals)


def format_money(amount: Decimal) -> str:
    """Two decimals, half up; never "-0.00"."""
    rounded = amount.quantize(_CENT, decimal.ROUND_HALF_UP, context=_CONTEXT)
    return str(abs(rounded)) if rounded == 0 else str(rounded)


def _number(number: Decimal, decimals: int | None) -> int | float:
    rounded = number.quantize(Decimal(1).scaleb(-(DECIMALS if decimals is None else decimals)))
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _apply(operation: str, operands: Sequence[str | int | float], data: Mapping[str, Any]) -> Decimal | None:
    match operation:
        case "count":
            return Decimal(sum(_length(data.get(str(one))) for one in operands))
        case "hours":
            return sum((_hours(data.get(str(one))) for one in operands), _ZERO)
        case "days":
            return sum((_hours(data.get(str(one))) for one in operands), _ZERO) / 24
    values = [_operand(one, data) for one in operands]
    match operation:
        case "sum" | "add":
            return sum(values, _ZERO)
        case "subtract":
            return values[0] - sum(values[1:], _ZERO) if values else None
        case "multiply":
            return _product(values)
        case "divide":
            divisor = _product(values[1:])
            return values[0] / divisor if values and divisor != 0 else None
        case _:
            return None


def _product(values: Sequence[Decimal]) -> Decimal:
    result = Decimal(1)
    for value in values:
        result *= value
    return result


def _operand(operand: str | int | float, data: Mapping[str, Any]) -> Decimal:
    if not isinstance(operand, str):
        return as_decimal(operand) or _ZERO
    name, dot, inner = operand.partition(".")
    value = data.get(name)
    if not dot:
        return as_decimal(value) or _ZERO
    lines = value if isinstance(value, list) else []
    return sum((as_decimal(line.get(inner)) or _ZERO for line in lines if isinstance(line, dict)), _ZERO)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0


def _hours(value: Any) -> Decimal:
    """The length of a span; 0 for anything else."""
    try:
        return Decimal(parse_utc_date(value["end"]) - parse_utc_date(value["start"])) / _HOUR_MS
    except (KeyError, TypeError, ValueError, OverflowError):
        return _ZERO
