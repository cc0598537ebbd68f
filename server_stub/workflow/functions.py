"""The functions an expression of a process may call. Each takes the budget and its arguments; nothing else can be called."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from server_stub.workflow.arithmetic import as_number, calculate, is_before, is_in, moment_of, number_of, rounded, shown
from server_stub.workflow.budget import Budget, EvaluationError, wrong_kind

DAY_SECONDS: Final = 86_400
Function = Callable[[Budget, Sequence[Any]], Any]


def call_function(budget: Budget, name: str, values: Sequence[Any]) -> Any:
    """The value of a call.

    Raises:
        EvaluationError: no such function, a wrong number or kind of arguments.
    """
    if name not in FUNCTIONS:
        raise EvaluationError("noFunction", f"没有函数 {name}", f"there is no function {name}")
    function, fewest, most = FUNCTIONS[name]
    if not fewest <= len(values) <= most:
        raise wrong_kind(f"函数 {name} 的参数个数不对", f"{name} takes {fewest} to {most} arguments")
    return function(budget, values)


def _entries(budget: Budget, value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise wrong_kind(f"{shown(value)} 不是列表", f"{shown(value)} is not a list")
    budget.spend(len(value))
    return value


def _len(budget: Budget, values: Sequence[Any]) -> int:
    value = values[0]
    if value is None:
        return 0
    if not isinstance(value, str | list | tuple | dict):
        raise wrong_kind(f"{shown(value)} 没有长度", f"{shown(value)} has no length")
    return len(value)


def _str(budget: Budget, values: Sequence[Any]) -> str:
    value = values[0]
    if isinstance(value, list | tuple | dict):
        raise wrong_kind("列表或对象不能转成文本", "a list or object cannot become a text")
    return "" if value is None else str(value)


def _int(budget: Budget, values: Sequence[Any]) -> int:
    return int(number_of(values[0]))


def _float(budget: Budget, values: Sequence[Any]) -> float:
    return float(number_of(values[0]))


def _bool(budget: Budget, values: Sequence[Any]) -> bool:
    return bool(values[0])


def _round(budget: Budget, values: Sequence[Any]) -> Any:
    return rounded(values[0], values[1] if len(values) == 2 else 0)


def _sum(budget: Budget, values: Sequence[Any]) -> Any:
    total: Any = 0
    for one in _entries(budget, values[0]):
        total = calculate("+", total, one)
    return total


def _extreme(budget: Budget, values: Sequence[Any], *, smallest: bool) -> Any:
    found = None
    for one in _entries(budget, values[0] if len(values) == 1 else list(values)):
        if one is not None and (found is None or (is_before(one, found) if smallest else is_before(found, one))):
            found = one
    number = as_number(found)
    return found if number is None else number


def _min(budget: Budget, values: Sequence[Any]) -> Any:
    return _extreme(budget, values, smallest=True)


def _max(budget: Budget, values: Sequence[Any]) -> Any:
    return _extreme(budget, values, smallest=False)


def _any(budget: Budget, values: Sequence[Any]) -> bool:
    return any(_entries(budget, values[0]))


def _all(budget: Budget, values: Sequence[Any]) -> bool:
    return all(_entries(budget, values[0]))


def _has(budget: Budget, values: Sequence[Any]) -> bool:
    if isinstance(values[0], list | tuple):
        budget.spend(len(values[0]))
    return is_in(values[1], values[0])


def _date(budget: Budget, values: Sequence[Any]) -> str | None:
    return None if values[0] is None else moment_of(values[0]).date().isoformat()


def _days(budget: Budget, values: Sequence[Any]) -> Any:
    if len(values) == 2:
        start, end = values
    elif isinstance(values[0], dict):
        start, end = values[0].get("start"), values[0].get("end")
    elif values[0] is None:
        return 0
    else:
        raise wrong_kind(f"{shown(values[0])} 不是起止时间", f"{shown(values[0])} is not a span of time")
    if start is None or end is None:
        return 0
    return calculate("/", (moment_of(end) - moment_of(start)).total_seconds(), DAY_SECONDS)


FUNCTIONS: Final[dict[str, tuple[Function, int, int]]] = {
    "len": (_len, 1, 1),
    "str": (_str, 1, 1),
    "int": (_int, 1, 1),
    "float": (_float, 1, 1),
    "bool": (_bool, 1, 1),
    "round": (_round, 1, 2),
    "min": (_min, 1, 20),
    "max": (_max, 1, 20),
    "sum": (_sum, 1, 1),
    "any": (_any, 1, 1),
    "all": (_all, 1, 1),
    "has": (_has, 2, 2),
    "date": (_date, 1, 1),
    "days": (_days, 1, 2),
}
"""By name: the function, its fewest and most arguments. `has(list, x)`; `date(moment)` its day; `days(span)` or `days(from, to)`: 24-hour days between,
with fractions; `min`, `max` of a list or of several."""
