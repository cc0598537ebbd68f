"""Numbers, texts and comparisons of process expressions: decimal where people mean decimals, money texts are numbers, an absent field is no error."""

import datetime
import decimal
import re
from decimal import Decimal
from typing import Any, Final

from server_stub.workflow.budget import Budget, too_large, wrong_kind

LARGEST: Final = 10**18
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_CONTEXT: Final = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_UP)

Number = int | float


def as_number(value: Any) -> Number | None:
    """The number a value is, or that its text shows ("1250.00", as money fields hold it); None: it is none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return from_decimal(Decimal(value))
    return None


def number_of(value: Any) -> Number:
    """The same; nothing counts 0.

    Raises:
        EvaluationError: not a number.
    """
    number = 0 if value is None else as_number(value)
    if number is None:
        raise wrong_kind(f"{shown(value)} 不是数字", f"{shown(value)} is not a number")
    return number


def from_decimal(number: Decimal) -> Number:
    """As JSON has it: an int where it is whole."""
    if not number.is_finite() or abs(number) >= LARGEST:
        raise too_large()
    return int(number) if number == number.to_integral_value() else float(number)


def _exact(number: Number) -> Decimal:
    if abs(number) < LARGEST:  # also false for NaN
        return Decimal(repr(number))
    raise too_large()


def calculate(operation: str, left: Any, right: Any) -> Number:
    """Exact in decimals: 0.1 + 0.2 is 0.3. `operation`: + - * / // %.

    Raises:
        EvaluationError: no numbers, a division by 0, or 10^18 and more.
    """
    a, b = _exact(number_of(left)), _exact(number_of(right))
    if operation in {"/", "//", "%"} and b == 0:
        raise wrong_kind("除数为零", "division by zero")
    match operation:
        case "+":
            result = _CONTEXT.add(a, b)
        case "-":
            result = _CONTEXT.subtract(a, b)
        case "*":
            result = _CONTEXT.multiply(a, b)
        case "/":
            result = _CONTEXT.divide(a, b)
        case _:
            floor = (a / b).to_integral_value(decimal.ROUND_FLOOR)
            result = floor if operation == "//" else a - floor * b
    return from_decimal(result)


def add(budget: Budget, left: Any, right: Any) -> Any:
    """`+`: texts and lists are joined, numbers added."""
    if isinstance(left, str) and isinstance(right, str):
        if len(left) + len(right) > budget.size:
            raise too_large()
        return left + right
    if isinstance(left, list) and isinstance(right, list):
        budget.spend(len(left) + len(right))
        return budget.weigh([*left, *right])
    return calculate("+", left, right)


def rounded(value: Any, digits: Any) -> Number:
    """Half up, as people round; `digits` after the point, 0 to 10."""
    places = number_of(digits)
    if places != int(places) or not 0 <= places <= 10:
        raise wrong_kind("小数位数应为 0 到 10", "the number of digits is 0 to 10")
    return from_decimal(_exact(number_of(value)).quantize(Decimal(1).scaleb(-int(places)), context=_CONTEXT))


def is_equal(left: Any, right: Any) -> bool:
    """Equal; a money text and a number are compared as numbers."""
    if isinstance(left, str) != isinstance(right, str):
        a, b = as_number(left), as_number(right)
        if a is not None and b is not None and not isinstance(left, bool) and not isinstance(right, bool):
            return a == b
    return bool(left == right)


def is_before(left: Any, right: Any, *, or_equal: bool = False) -> bool:
    """Smaller: numbers as numbers, texts (also dates, in the ISO way) as texts. With nothing nothing can be compared: False.

    Raises:
        EvaluationError: values of two kinds.
    """
    if left is None or right is None:
        return False
    a, b = as_number(left), as_number(right)
    if a is not None and b is not None:
        return a <= b if or_equal else a < b
    if isinstance(left, str) and isinstance(right, str):
        return left <= right if or_equal else left < right
    raise wrong_kind(
        f"{shown(left)} 与 {shown(right)} 无法比较大小", f"{shown(left)} and {shown(right)} cannot be compared"
    )


def is_in(member: Any, values: Any) -> bool:
    """Whether a list holds it, an object has that key, a text contains it; nothing holds nothing."""
    if values is None:
        return False
    if isinstance(values, str):
        return isinstance(member, str) and member in values
    if isinstance(values, list | tuple):
        return any(is_equal(member, one) for one in values)
    if isinstance(values, dict):
        return isinstance(member, str) and member in values
    raise wrong_kind(f"{shown(values)} 不是列表", f"{shown(values)} is not a list")


def moment_of(value: Any) -> datetime.datetime:
    """A date or a moment in the ISO way; without a zone it is UTC.

    Raises:
        EvaluationError: neither.
    """
    try:
        moment = datetime.datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise wrong_kind(f"{shown(value)} 不是日期", f"{shown(value)} is not a date")
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


def shown(value: Any) -> str:
    """A value in a sentence: short, and no object's whole content."""
    if isinstance(value, dict):
        return "{…}"
    if isinstance(value, list | tuple):
        return "[…]"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
