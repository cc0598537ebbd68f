"""Marks on documents: private ones are their author's, shared ones the record's readers'; only known shapes are kept."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.errors import SetError
from tests.modules.engine.fleet_bench import FleetBench
from tests.modules.office_bench import refusal

HIGHLIGHT = {"rects": [[72, 100.004, 200, 14]], "color": "yellow"}


def mark(fleet: FleetBench, who: str, trip: str, key: str = "m", **parts: Any) -> str:
    given_ = {"kind": "highlight", "mark": HIGHLIGHT, "blobId": "B1", "page": 0, **parts}
    return fleet.create(who, "Annotation", key=key, recordType="Trip", recordId=trip, **given_)


def test_a_private_mark_is_seen_by_its_author_alone(fleet: FleetBench) -> None:
    trip = fleet.sent()
    made = mark(fleet, "gao", trip)
    shown = fleet.get("gao", "Annotation", made)
    assert shown is not None
    assert (shown["mark"]["rects"], shown["shared"]) == ([[72.0, 100.0, 200.0, 14.0]], False)
    assert fleet.get("yu", "Annotation", made) is None


def test_a_shared_mark_goes_with_the_record(fleet: FleetBench) -> None:
    trip = fleet.sent()
    made = mark(fleet, "gao", trip, shared=True, kind="note", mark={"x": 5, "y": 6, "text": " 请核对 "})
    assert [fleet.get(who, "Annotation", made) is not None for who in ("yu", "gao", "zhang")] == [True, True, False]
    shown = fleet.get("yu", "Annotation", made)
    assert shown is not None
    assert shown["mark"] == {"color": "yellow", "x": 5.0, "y": 6.0, "text": "请核对"}
    assert refusal(lambda: fleet.destroy("yu", "Annotation", made)).type == "forbidden"
    assert refusal(lambda: fleet.destroy("zhang", "Annotation", made)).type == "notFound"
    assert refusal(lambda: fleet.update("gao", "Annotation", made, page=2)).type == "forbidden"
    fleet.destroy("gao", "Annotation", made)
    assert fleet.get("yu", "Annotation", made) is None


def test_who_does_not_see_the_record_marks_nothing(fleet: FleetBench) -> None:
    trip = fleet.trip()
    assert refusal(lambda: mark(fleet, "zhang", trip)).properties == ["recordId"]


def test_marks_go_with_the_record(fleet: FleetBench) -> None:
    trip = fleet.trip()
    private, shared = mark(fleet, "yu", trip), mark(fleet, "yu", trip, key="n", shared=True)
    before = fleet.state()
    fleet.destroy("yu", "Trip", trip)
    assert fleet.changes("yu", "Annotation", before)[2] == {private, shared}


@pytest.mark.parametrize(
    ("parts", "wrong"),
    [
        ({"kind": "stamp"}, "kind"),
        ({"page": -1}, "page"),
        ({"page": True}, "page"),
        ({"blobId": ""}, "blobId"),
        ({"shared": "yes"}, "shared"),
        ({"mark": []}, "mark"),
        ({"mark": {"rects": []}}, "mark"),
        ({"mark": {"rects": [[1, 2, 3]]}}, "mark"),
        ({"mark": {"rects": [[1, 2, 3, 1e9]]}}, "mark"),
        ({"mark": {"rects": [[1, 2, 3, "4"]]}}, "mark"),
        ({"mark": {**HIGHLIGHT, "color": "url(x)"}}, "mark"),
        ({"kind": "note", "mark": {"x": 1, "y": 1, "text": " "}}, "mark"),
        ({"kind": "note", "mark": {"x": 1, "text": "a"}}, "mark"),
        ({"kind": "pen", "mark": {"strokes": [[]]}}, "mark"),
        ({"kind": "pen", "mark": {"strokes": [[[1, 2]]] * 201}}, "mark"),
        ({"kind": "pen", "mark": {"strokes": [[[1, 2]] * 19_000, [[1, 2]] * 1_001]}}, "mark"),
        ({"extra": 1}, "extra"),
    ],
)
def test_only_marks_of_known_shape_are_kept(fleet: FleetBench, parts: dict[str, Any], wrong: str) -> None:
    assert refusal(lambda: mark(fleet, "yu", fleet.trip(), **parts)).properties == [wrong]


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["x", "rects", "text"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["highlight", "note", "pen"]),
    st.dictionaries(st.sampled_from(["rects", "x", "y", "text", "strokes", "width", "color"]), JSON),
)
def test_no_mark_makes_it_fall(fleet: FleetBench, kind: str, content: dict[str, Any]) -> None:
    trip = fleet.trip()
    wrong: list[str] | None = None
    try:
        made = mark(fleet, "yu", trip, kind=kind, mark=content)
    except SetError as refused:
        wrong = list(refused.properties or ())
    assert wrong in (None, ["mark"])
    if wrong is None:
        assert fleet.get("yu", "Annotation", made) is not None
        fleet.destroy("yu", "Annotation", made)
