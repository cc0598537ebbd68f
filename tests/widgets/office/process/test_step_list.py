"""The list the designer writes: places, changes that leave the old list alone, moving, new items, and that the server takes what comes out."""

import copy
import random

import msgspec
import pytest

from desktop.models import step_list as lists
from desktop.models.step_list import Path, StepList
from server_stub.workflow.step_list import StepList as ServerList
from server_stub.workflow.step_list import check_step_list
from tests.helpers.case_samples import SEAL_STEP_LIST


def fresh() -> StepList:
    return copy.deepcopy(SEAL_STEP_LIST)


def lines(steps: StepList) -> list[tuple[str, int, int]]:
    return [(row.id or row.way, row.depth, row.number) for row in lists.rows_of(steps)]


def check(steps: StepList) -> None:
    """The server reads it and finds nothing wrong."""
    assert check_step_list(msgspec.convert(steps, ServerList)) == ()


def test_rows_are_the_list_from_top_to_bottom() -> None:
    assert lines(fresh()) == [
        ("apply", 0, 1),
        ("head", 0, 2),
        ("gate", 0, 0),
        ("choice", 1, 0),
        ("office", 2, 3),
        ("otherwise", 1, 0),
        ("stamp", 0, 4),
        ("done", 0, 0),
    ]
    check(fresh())


def test_places_are_found_and_lost() -> None:
    steps = fresh()
    path = lists.path_of(steps, "office")
    assert path == ("steps", 2, "choices", 0, "steps", 0)
    assert lists.at(steps, path)["name"] == "办公室主任审核"
    assert lists.at(steps, ("steps", 9)) is None
    assert lists.at(steps, ("steps", 0, "choices", 0)) is None
    assert lists.path_of(steps, "nobody") is None


def test_changes_leave_the_old_list_alone() -> None:
    steps, before = fresh(), fresh()
    path: Path = ("steps", 1)
    renamed = lists.changed(steps, path, name="科室审核")
    limited = lists.with_option(steps, path, "limit", "2d")
    unlimited = lists.with_option(limited, path, "limit", None)
    assert steps == before
    assert lists.at(renamed, path)["name"] == "科室审核"
    assert lists.at(limited, path)["options"]["limit"] == "2d"
    assert "limit" not in lists.at(unlimited, path)["options"]
    assert "options" not in lists.at(lists.with_option(steps, ("steps", 3), "performers", None), ("steps", 3))
    for made in (renamed, limited, unlimited):
        check(made)


def test_items_move_within_a_list_into_a_way_and_out_but_not_into_themselves() -> None:
    steps = fresh()
    up, there = lists.step_by(steps, ("steps", 1), -1)
    assert (there, lines(up)[0][0]) == (("steps", 0), "head")
    assert lists.step_by(steps, ("steps", 0), -1) == (steps, ("steps", 0))
    down, there = lists.step_by(steps, ("steps", 0), 1)
    assert (there, [one["id"] for one in down["steps"]][:2]) == (("steps", 1), ["head", "apply"])
    inside = lists.moved(steps, ("steps", 3), ("steps", 2, "otherwise", "steps"), 0)
    assert lists.path_of(inside, "stamp") == ("steps", 2, "otherwise", "steps", 0)
    check(inside)
    outside = lists.moved(steps, ("steps", 2, "choices", 0, "steps", 0), ("steps",), 2)
    assert lists.path_of(outside, "office") == ("steps", 2)
    assert lists.moved(steps, ("steps", 2), ("steps", 2, "choices", 0, "steps"), 0) == steps


def test_new_items_go_after_what_is_chosen_and_before_the_end() -> None:
    steps = fresh()
    assert lists.place_after(steps, None) == (("steps",), 4)
    assert lists.place_after(steps, ("steps", 0)) == (("steps",), 1)
    assert lists.place_after(steps, ("steps", 4)) == (("steps",), 4)
    assert lists.place_after(steps, ("steps", 2, "choices", 0)) == (("steps", 2, "choices", 0, "steps"), 1)
    assert lists.place_after(steps, ("steps", 2, "otherwise")) == (("steps", 2, "otherwise", "steps"), 0)
    made = (
        lists.new_step(steps, "新步骤"),
        lists.new_branch(steps, "", "新步骤"),
        lists.new_parallel(steps, "", "新步骤"),
    )
    where, place = lists.place_after(steps, None)
    for one in made:
        check(lists.inserted(steps, where, place, one))


def test_ids_are_never_taken_twice() -> None:
    steps = fresh()
    for _ in range(4):
        where, place = lists.place_after(steps, None)
        steps = lists.inserted(steps, where, place, lists.new_parallel(steps, "", "x"))
    ids = lists.ids_of(steps)
    assert len(ids) == len(set(ids))
    check(steps)


def test_every_property_that_the_card_writes_is_taken_by_the_server() -> None:
    steps = fresh()
    path: Path = ("steps", 1)
    for name, value in {
        "performers": ["superiorChain:2", "post:办公室/主任", "field:copies", "of:apply", "rule:keepers", "person:p1"],
        "fallback": ["role:admin"],
        "kind": "read",
        "count": 3,
        "order": "sequential",
        "actions": [{"name": "approve"}, {"name": "return"}, {"name": "addSignerBefore"}],
        "opinion": "onReturn",
        "signature": "onApprove",
        "limit": "4h",
        "urgeAfter": "0h",
        "escalateAfter": "1d",
        "onOverdue": "return",
        "editable": ["*"],
        "required": ["copies"],
        "skipRepeated": True,
        "chooses": ["stamp"],
        "state": "asked",
    }.items():
        steps = lists.with_option(steps, path, name, value)
        check(steps)
    read = msgspec.convert(steps, ServerList)
    assert msgspec.to_builtins(read)["steps"][1]["options"]["urgeAfter"] == "0h"


@pytest.mark.parametrize("seed", range(30))
def test_any_number_of_moves_loses_nothing(seed: int) -> None:
    hand = random.Random(seed)
    steps = fresh()
    for _ in range(25):
        rows = [row for row in lists.rows_of(steps) if not row.way]
        row = hand.choice(rows)
        goals = [("steps",), *((*r.path, "steps") for r in lists.rows_of(steps) if r.way)]
        goal = hand.choice(goals)
        before = sorted(lists.ids_of(steps))
        steps = lists.moved(steps, row.path, goal, hand.randrange(4))
        assert sorted(lists.ids_of(steps)) == before
