"""The expression language: what it says, what it refuses, how much it may take."""

from typing import Any

import pytest
from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine

from server_stub.workflow.budget import Budget, EvaluationError
from server_stub.workflow.evaluator import SafeEnvironment, check_expression, check_script, evaluate, execute

DATA: dict[str, Any] = {
    "record": {
        "amount": "12500.00",
        "small": "900.00",
        "lines": [{"amount": "1.10"}, {"amount": "2.20"}, {}],
        "signers": ["a", "b"],
        "time": {"start": "2026-11-01T00:00:00Z", "end": "2026-11-04T12:00:00Z"},
        "deadline": "2026-12-01",
    },
    "starter": "a",
    "outcome": "同意",
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("outcome == '同意' and starter in record.signers", True),
        ("record.amount > 5000", True),
        ("record.amount > record.small", True),
        ("record.amount == 12500", True),
        ("sum(record.lines.amount) == 3.3", True),
        ("0.1 + 0.2", 0.3),
        ("7 // 2 + 7 % 2 - 1 / 4", 3.75),
        ("record.missing.deeper > 3", False),
        ("record.missing is None", True),
        ("record['signers'][-1]", "b"),
        ("has(record.signers, 'b') and not has(record.none, 'b')", True),
        ("days(record.time)", 3.5),
        ("days('2026-11-01', record.deadline)", 30),
        ("date(record.time.start) < record.deadline", True),
        ("1 < 2 < 3 and not 1 < 3 < 2", True),
        ("'x' if record.amount >= 20000 else 'y'", "y"),
        ("[1, 'a', {'k': len(record.lines)}]", [1, "a", {"k": 3}]),
        ("max(1, '7.5', 3)", 7.5),
        ("min([])", None),
        ("round(2.5) + round(1.005, 2)", 4.01),
        ("int('42') + float('0.5')", 42.5),
        ("str(3) + 'a' + str(None)", "3a"),
        ("any([0, 1]) and not all([0, 1]) and bool('x')", True),
        ("outcome in ['同意', '通过'] or undefined", True),
    ],
)
def test_expressions_mean_what_they_say(text: str, value: Any) -> None:
    found = evaluate(text, DATA)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("__import__('os')", "noFunction"),
        ("().__class__.__bases__", "notAllowed"),
        ("record.__class__", "notAllowed"),
        ("open('/etc/passwd')", "noFunction"),
        ("record.get('amount')", "notAllowed"),
        ("(lambda: 1)()", "notAllowed"),
        ("[x for x in [1]]", "notAllowed"),
        ("f'{record}'", "notAllowed"),
        ("2 ** 9", "notAllowed"),
        ("1 << 40", "notAllowed"),
        ("'a' * 9", "wrongKind"),
        ("'%099d' % 1", "wrongKind"),
        ("b'x'", "notAllowed"),
        ("len(x=1)", "notAllowed"),
        ("{**record}", "notAllowed"),
        ("max(*record.signers)", "notAllowed"),
        ("(x := 1)", "notAllowed"),
        ("True or eval('1')", "noFunction"),
        ("nobody", "noName"),
        ("1 / 0", "wrongKind"),
        ("outcome > 3", "wrongKind"),
        ("record.signers[9]", "wrongKind"),
        ("starter.name", "wrongKind"),
        ("float('inf')", "wrongKind"),
        ("1e400", "tooLarge"),
        ("999999999999999999 * 999999999999999999", "tooLarge"),
        ("x = 1", "syntax"),
        ("", "empty"),
        ("'\\q'", "syntax"),
        ("x + " * 900 + "x", "tooLong"),
        ("-" * 60 + "1", "tooDeep"),
    ],
)
def test_the_rest_is_refused_with_a_reason(text: str, code: str) -> None:
    with pytest.raises(EvaluationError) as refusal:
        evaluate(text, DATA)
    assert refusal.value.code == code
    assert refusal.value.zh
    assert refusal.value.en


def test_work_and_size_are_bounded() -> None:
    with pytest.raises(EvaluationError, match="too many steps"):
        evaluate("sum(items) + sum(items)", {"items": [1] * 600}, Budget(steps=1_000))
    with pytest.raises(EvaluationError, match="too large"):
        evaluate("[text, text, text]", {"text": "x" * 500}, Budget(size=1_000))
    with pytest.raises(EvaluationError, match="too large"):
        evaluate("text + text", {"text": "x" * 60_000})


def test_a_script_cannot_grow_by_doubling() -> None:
    data: dict[str, Any] = {"a": [1, 2, 3, 4]}
    with pytest.raises(EvaluationError, match="too large"):
        execute("\n".join(["a = [a, a]"] * 40), data)
    assert data == {"a": [1, 2, 3, 4]}


def test_scripts_assign_in_order() -> None:
    data = dict(DATA)
    execute("total = sum(record.lines.amount)\nbig = total > 3", data)
    assert (data["total"], data["big"]) == (3.3, True)
    assert check_script("a = 1\nb = a") == ("a", "b")


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "a.b = 1",
        "a = b = 1",
        "a += 1",
        "record = 1",
        "_x = 1",
        "len = 1",
        "x",
        "",
        "a = 1\n" * 60,
        "del a",
    ],
)
def test_scripts_do_nothing_else(text: str) -> None:
    with pytest.raises(EvaluationError):
        execute(text, dict(DATA))


def test_the_names_an_expression_reads() -> None:
    assert check_expression("len(items) > 2 and record.a.b == x") == {"items", "record", "x"}


def test_spiff_evaluates_with_it() -> None:
    environment = PythonScriptEngine(environment=SafeEnvironment()).environment
    assert environment.evaluate("a + b", {"a": 1}, {"b": 2}) == 3
    data = {"a": 1}
    assert environment.execute("b = a + 1", data)
    assert data == {"a": 1, "b": 2}
    with pytest.raises(EvaluationError):
        environment.call_service({})
