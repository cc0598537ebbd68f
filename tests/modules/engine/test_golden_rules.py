"""Filters and formulas mean what the golden cases say, which the client is held to as well."""

import json
from pathlib import Path
from typing import Any

import pytest

from server_stub.clock import parse_utc
from server_stub.errors import MethodError
from server_stub.modules.engine.conditions import Standpoint, compile_conditions, matches
from server_stub.modules.engine.formulas import TooLarge, compute

GOLDEN = Path(__file__).parents[3] / "resources" / "protocol" / "golden"
FILTERS: list[dict[str, Any]] = json.loads((GOLDEN / "filters.json").read_text(encoding="utf-8"))
FORMULAS: list[dict[str, Any]] = json.loads((GOLDEN / "formulas.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", FILTERS, ids=lambda case: json.dumps(case["filter"], ensure_ascii=False))
def test_a_filter_matches_as_the_golden_case_says(case: dict[str, Any]) -> None:
    standpoint = Standpoint(case["me"], tuple(case["departments"]), parse_utc(case["now"]), case["timeZone"])
    assert matches(case["filter"], case["record"], standpoint) is case["matches"]


@pytest.mark.parametrize("case", FORMULAS, ids=lambda case: json.dumps([case["formula"], case["kind"]]))
def test_a_formula_gives_what_the_golden_case_says(case: dict[str, Any]) -> None:
    result = compute(case["formula"], case["kind"], case["data"])
    assert result == case["result"]
    assert isinstance(result, str) is (case["kind"] == "money" and result is not None)


@pytest.mark.parametrize(
    "filter_", [[], {"operator": "XOR", "conditions": []}, {"operator": "AND"}, {"operator": "AND", "conditions": [1]}]
)
def test_a_malformed_filter_is_refused(filter_: Any) -> None:
    with pytest.raises(MethodError):
        compile_conditions(filter_, Standpoint("p", (), 0, 0))


def test_a_filter_of_any_json_never_breaks() -> None:
    odd: list[Any] = [None, True, 1, 1.5, "", "@today+9999y", "@nobody", "2026-02-31", [], [[]], [{}], {}, {"start": 1}]
    for value in odd:
        for held in odd:
            for name in ("due", "dueBefore", "dueAfter", "text"):
                assert matches({name: value}, {"due": held}, Standpoint("p", (), 0, 480)) in (True, False)


def test_a_result_beyond_reason_is_refused() -> None:
    with pytest.raises(TooLarge):
        compute(["multiply", "a", "a"], "money", {"a": 1e9})
