"""Filters and formulas mean here what they mean on the server: the golden cases of both sides."""

import json
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import parse_utc_date
from desktop.core.domain.conditions import BadFilter, Facts, matches, resolve
from desktop.core.domain.formulas import compute

GOLDEN = Path(__file__).parents[5] / "resources" / "protocol" / "golden"


def cases(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((GOLDEN / name).read_text(encoding="utf-8"))
    assert len(found) >= 25
    return found


@pytest.mark.parametrize("case", cases("filters.json"), ids=lambda case: json.dumps(case["filter"])[:80])
def test_a_filter_means_the_same_on_both_sides(case: dict[str, Any]) -> None:
    facts = Facts(case["me"], tuple(case["departments"]), parse_utc_date(case["now"]), case["timeZone"])
    assert matches(resolve(case["filter"], facts), case["record"]) is case["matches"]


@pytest.mark.parametrize("case", cases("formulas.json"), ids=lambda case: json.dumps(case["formula"])[:80])
def test_a_formula_gives_the_same_on_both_sides(case: dict[str, Any]) -> None:
    result = compute(case["formula"], case["kind"], case["data"])
    assert result == case["result"]
    assert type(result) is type(case["result"]) or isinstance(result, int | float)


@pytest.mark.parametrize(
    "broken",
    [{"operator": "XOR", "conditions": []}, {"operator": "AND", "conditions": 3}, {"text": 7}, {"a": {"b": 1}}, []],
)
def test_what_is_no_filter_is_named(broken: Any) -> None:
    with pytest.raises(BadFilter):
        resolve(broken, Facts("p1"))


def test_a_filter_nested_without_end_is_refused() -> None:
    nested: dict[str, Any] = {"state": "draft"}
    for _ in range(40):
        nested = {"operator": "NOT", "conditions": [nested]}
    with pytest.raises(BadFilter):
        resolve(nested, Facts("p1"))
