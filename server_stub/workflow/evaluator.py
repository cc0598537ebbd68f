"""Expressions and scripts of processes, evaluated by an allow-list: no attributes, no builtins, no calls but ours, within a budget. Never Python's eval.

The language is a part of Python's: names, numbers, texts, lists, objects, and/or/not, comparisons, + - * / // %, `a if b else c`, `a.b` (a key of an object;
of a list: that key of each entry; of nothing: nothing), `a[b]`, and the functions of functions.py. A script is lines of `name = expression`.
"""

import ast
import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any, Final

from server_stub.workflow.arithmetic import add, calculate, is_before, is_equal, is_in, number_of, shown
from server_stub.workflow.budget import Budget, EvaluationError, wrong_kind
from server_stub.workflow.functions import FUNCTIONS, call_function

MAX_SOURCE: Final = 2_000
MAX_LINES: Final = 50
MAX_DEPTH: Final = 40
KEPT_NAMES: Final = frozenset({"record", "starter", "outcome", "outcomes"})
"""What the engine itself puts into the data: scripts read it and never assign it."""

_ODD_ESCAPE: Final = re.compile(r"(?<!\\)(\\\\)*\\[^\\'\"n]")
_CALCULATED: Final = {ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%"}
_COMPARED: Final = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot)
_PLAIN: Final = (ast.List, ast.Tuple, ast.Dict, ast.BoolOp, ast.IfExp, ast.Subscript)
_PARTS: Final = (ast.expr_context, ast.boolop, ast.unaryop, ast.operator, ast.cmpop)


def evaluate(expression: str, data: Mapping[str, Any], budget: Budget | None = None) -> Any:
    """The value of an expression over `data` (JSON values by name).

    Raises:
        EvaluationError: not allowed, too long, a name that is not there, values that do not go together.
    """
    budget = budget or Budget()
    return budget.weigh(_guarded(_parse(expression), data, budget))


def execute(script: str, data: MutableMapping[str, Any], budget: Budget | None = None) -> None:
    """Run a script of assignments over `data`; all of them or none.

    Raises:
        EvaluationError: as evaluate, or something else than `name = expression`.
    """
    budget = budget or Budget()
    made: dict[str, Any] = {}
    names = _Layered(made, data)
    for name, value in _parse_script(script):
        made[name] = budget.weigh(_guarded(value, names, budget))
    budget.weigh(made)
    data.update(made)


def check_expression(expression: str) -> frozenset[str]:
    """The names of data an expression reads.

    Raises:
        EvaluationError: it is not allowed.
    """
    tree = _parse(expression)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(one.id for one in ast.walk(tree) if isinstance(one, ast.Name) and id(one) not in called)


def check_script(script: str) -> tuple[str, ...]:
    """The names a script assigns, in order.

    Raises:
        EvaluationError: it is not allowed.
    """
    return tuple(name for name, _value in _parse_script(script))


class SafeEnvironment:
    """What SpiffWorkflow's PythonScriptEngine evaluates with: `PythonScriptEngine(environment=SafeEnvironment())`. Subclasses add call_service."""

    def __init__(self) -> None:
        self.globals: dict[str, Any] = {}

    def evaluate(
        self, expression: str, context: Mapping[str, Any], external_context: Mapping[str, Any] | None = None
    ) -> Any:
        """A condition, a timer, a number of instances. Raises EvaluationError."""
        return evaluate(expression, _Layered(context, external_context or {}))

    def execute(
        self, script: str, context: MutableMapping[str, Any], external_context: Mapping[str, Any] | None = None
    ) -> bool:
        """A script task: assigns into `context`. Raises EvaluationError."""
        execute(script, context)
        return True

    def call_service(self, context: Mapping[str, Any], **_arguments: Any) -> Any:
        """No service is known here."""
        raise EvaluationError("noService", "没有可调用的服务", "there is no service to call")


class _Layered(Mapping[str, Any]):
    """Two mappings read as one, without copying the case's data for each expression."""

    def __init__(self, upper: Mapping[str, Any], lower: Mapping[str, Any]) -> None:
        self._upper, self._lower = upper, lower

    def __getitem__(self, name: str) -> Any:
        return self._upper[name] if name in self._upper else self._lower[name]

    def __iter__(self) -> Any:
        return iter({**self._lower, **self._upper})

    def __len__(self) -> int:
        return len({**self._lower, **self._upper})


def _guarded(node: ast.expr, data: Mapping[str, Any], budget: Budget) -> Any:
    try:
        return _value(node, data, budget)
    except (RecursionError, OverflowError, ArithmeticError) as error:
        raise EvaluationError("tooLarge", "表达式无法计算", f"the expression cannot be evaluated: {error}") from None


@lru_cache(maxsize=1024)
def _parse(expression: str) -> ast.expr:
    if not isinstance(expression, str) or not expression.strip():
        raise EvaluationError("empty", "表达式为空", "the expression is empty")
    if len(expression) > MAX_SOURCE:
        raise EvaluationError("tooLong", "表达式过长", f"the expression is longer than {MAX_SOURCE} characters")
    tree = _syntax(expression.strip(), "eval")
    assert isinstance(tree, ast.Expression)
    _check(tree.body)
    return tree.body


@lru_cache(maxsize=256)
def _parse_script(script: str) -> tuple[tuple[str, ast.expr], ...]:
    if len(script) > MAX_SOURCE * 2:
        raise EvaluationError("tooLong", "脚本过长", f"the script is longer than {MAX_SOURCE * 2} characters")
    tree = _syntax("\n".join(line.strip().rstrip(";") for line in script.strip().splitlines()), "exec")
    assert isinstance(tree, ast.Module)
    if not 1 <= len(tree.body) <= MAX_LINES:
        raise EvaluationError("empty", "脚本为空或行数过多", f"a script has 1 to {MAX_LINES} lines")
    lines = []
    for line in tree.body:
        if not (isinstance(line, ast.Assign) and len(line.targets) == 1 and isinstance(line.targets[0], ast.Name)):
            raise EvaluationError(
                "onlyAssign", "脚本只能写“名称 = 表达式”", "a script may only say name = expression, a line each"
            )
        name = line.targets[0].id
        if name.startswith("_") or name in KEPT_NAMES or name in FUNCTIONS:
            raise EvaluationError("keptName", f"脚本不能给 {name} 赋值", f"a script may not assign {name}")
        _check(line.value)
        lines.append((name, line.value))
    return tuple(lines)


def _syntax(source: str, mode: str) -> ast.AST:
    if _ODD_ESCAPE.search(source):  # Python warns of these on the console; here they have no meaning
        raise EvaluationError("syntax", f"看不懂的表达式：{source[:60]}", f"an unknown escape: {source[:60]}")
    try:
        return ast.parse(source, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else type(error).__name__
        raise EvaluationError("syntax", f"看不懂的表达式：{source[:60]}", f"{reason}: {source[:60]}") from None


def _check(tree: ast.expr) -> None:
    """Refuse what is not on the list, before anything is evaluated: a bad branch is found even if it is never taken."""
    level: list[ast.AST] = [tree]
    for _depth in range(MAX_DEPTH):
        if not level:
            return
        for node in level:
            _check_node(node)
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    if level:
        raise EvaluationError("tooDeep", "表达式嵌套过深", f"the expression is nested deeper than {MAX_DEPTH}")


def _check_node(node: ast.AST) -> None:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            allowed = not name.startswith("_")
        case ast.Constant(value=value):
            allowed = value is None or isinstance(value, str | bool | int | float)
            if isinstance(value, int | float) and not abs(value) < 10**18:
                raise EvaluationError("tooLarge", "数字过大", "a number is too large")
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in FUNCTIONS:
                raise EvaluationError("noFunction", f"没有函数 {name}", f"there is no function {name}")
            allowed = not any(isinstance(one, ast.Starred) for one in arguments)
        case ast.Dict(keys=keys):
            allowed = None not in keys
        case ast.BinOp(op=operation):
            allowed = isinstance(operation, ast.Add) or type(operation) in _CALCULATED
        case ast.UnaryOp(op=operation):
            allowed = isinstance(operation, ast.Not | ast.USub | ast.UAdd)
        case ast.Compare(ops=operations):
            allowed = all(isinstance(one, _COMPARED) for one in operations)
        case _:
            allowed = isinstance(node, _PLAIN + _PARTS)
    if not allowed:
        what = type(node).__name__
        raise EvaluationError("notAllowed", f"流程表达式中不允许 {what}", f"not allowed in a process: {what}")


def _value(node: ast.expr, data: Mapping[str, Any], budget: Budget) -> Any:  # noqa: PLR0911 - the whole language, a line each
    budget.spend()
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            if name not in data:
                raise EvaluationError("noName", f"没有数据 {name}", f"there is no {name} in the data")
            return data[name]
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return budget.weigh([_value(one, data, budget) for one in parts])
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return budget.weigh({_key(_value(k, data, budget)): _value(v, data, budget) for k, v in pairs if k})
        case ast.BoolOp(op=operation, values=values):
            result = None
            for one in values:
                result = _value(one, data, budget)
                if bool(result) is isinstance(operation, ast.Or):
                    break
            return result
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, data, budget)
        case ast.UnaryOp(op=operation, operand=operand):
            number = number_of(_value(operand, data, budget))
            return -number if isinstance(operation, ast.USub) else number
        case ast.BinOp(left=left, op=operation, right=right):
            return _binary(budget, operation, _value(left, data, budget), _value(right, data, budget))
        case ast.Compare():
            return _compare(node, data, budget)
        case ast.IfExp(test=test, body=body, orelse=other):
            return _value(body if _value(test, data, budget) else other, data, budget)
        case ast.Subscript(value=value, slice=index):
            return _entry(_value(value, data, budget), _value(index, data, budget))
        case ast.Attribute(value=value, attr=name):
            return _member(budget, _value(value, data, budget), name)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return call_function(budget, name, [_value(one, data, budget) for one in arguments])
    raise EvaluationError("notAllowed", "流程表达式中不允许", f"not allowed in a process: {type(node).__name__}")


def _binary(budget: Budget, operation: ast.operator, left: Any, right: Any) -> Any:
    if isinstance(operation, ast.Add):
        return add(budget, left, right)
    return calculate(_CALCULATED[type(operation)], left, right)  # _check let only these through


def _compare(node: ast.Compare, data: Mapping[str, Any], budget: Budget) -> bool:
    left = _value(node.left, data, budget)
    for operation, comparator in zip(node.ops, node.comparators, strict=True):
        right = _value(comparator, data, budget)
        if isinstance(right, list | tuple):
            budget.spend(len(right))
        if not _holds(operation, left, right):
            return False
        left = right
    return True


def _holds(operation: ast.cmpop, left: Any, right: Any) -> bool:
    match operation:
        case ast.Eq():
            return is_equal(left, right)
        case ast.NotEq():
            return not is_equal(left, right)
        case ast.Lt():
            return is_before(left, right)
        case ast.LtE():
            return is_before(left, right, or_equal=True)
        case ast.Gt():
            return is_before(right, left)
        case ast.GtE():
            return is_before(right, left, or_equal=True)
        case ast.In():
            return is_in(left, right)
        case ast.NotIn():
            return not is_in(left, right)
        case ast.Is():
            return left is right
        case _:
            return left is not right


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong_kind("对象的键应为文本", "the key of an object is a text")
    return value


def _member(budget: Budget, value: Any, name: str) -> Any:
    """A key of an object, never an attribute of Python's: what is absent is nothing, as fields of records are."""
    if value is None:
        return None
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list | tuple):
        budget.spend(len(value))
        return budget.weigh([one.get(name) for one in value if isinstance(one, dict)])
    raise wrong_kind(f"{shown(value)} 没有字段 {name}", f"{shown(value)} has no field {name}")


def _entry(value: Any, index: Any) -> Any:
    if isinstance(value, dict) and isinstance(index, str):
        return value.get(index)
    if isinstance(value, list | tuple | str) and isinstance(index, int) and not isinstance(index, bool):
        if -len(value) <= index < len(value):
            return value[index]
        raise wrong_kind(f"没有第 {index} 项", f"there is no entry {index}")
    if value is None:
        return None
    raise wrong_kind(f"不能从 {shown(value)} 中取项", f"{shown(value)} has no entries")
