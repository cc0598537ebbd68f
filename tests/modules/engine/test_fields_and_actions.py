"""What a record may hold and how it moves: kinds, conditional fields, formulas, actions, rights of fields, versions."""

from functools import partial
from typing import Any

import pytest

from tests.modules.engine.fleet_bench import FleetBench, hours
from tests.modules.office_bench import refusal


def shown(fleet: FleetBench, who: str, id_: str, type_name: str = "Trip") -> dict[str, object]:
    found = fleet.get(who, type_name, id_)
    assert found is not None
    return found


def test_a_new_record_gets_defaults_state_formulas_and_version(fleet: FleetBench) -> None:
    lines = [{"item": "油", "quantity": 2, "price": "10.05", "amount": "999.00"}, {"item": "桥", "price": 5}]
    trip = shown(fleet, "yu", fleet.trip(lines=lines))
    assert trip["state"] == "draft"
    assert trip["kind"] == "near"
    assert trip["departmentId"] == fleet.departments["flood"]
    assert [line["amount"] for line in trip["lines"]] == ["20.10", "5.00"]  # type: ignore[attr-defined]
    assert (trip["total"], trip["hours"], trip["version"]) == ("25.10", 4, 1)
    assert "number" not in trip


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"purpose": ""}, {"purpose"}),
        ({"span": {"start": hours(8, 9)["end"], "end": hours(8, 9)["start"]}}, {"span"}),
        ({"span": {"start": hours(8, 9)["start"]}}, {"span"}),
        ({"backOn": "2020-01-01", "leftOn": "2020-01-02"}, {"backOn"}),
        ({"kind": "far"}, {"farReason"}),
        ({"kind": "huge"}, {"kind"}),
        ({"lines": [{"quantity": 1}]}, {"lines"}),
        ({"lines": [{"item": "x", "price": "1.234"}]}, {"lines"}),
        ({"lines": [{"item": "x", "price": 1.5}]}, {"lines"}),
        ({"lines": [{"item": "x", "quantity": 2**53, "price": "9999999999999.00"}]}, {"lines", "amount"}),
        ({"carId": "nothing"}, {"carId"}),
        ({"passengerIds": ["nobody"]}, {"passengerIds"}),
        ({"number": "1"}, {"number"}),
        ({"total": "1.00"}, {"total"}),
        ({"approverId": "x"}, {"approverId"}),
        ({"purpose": "", "kind": "huge"}, {"purpose", "kind"}),
        ({"nonsense": 1}, {"nonsense"}),
        ({"version": 1}, {"version"}),
    ],
)
def test_a_wrong_value_is_refused_by_name(fleet: FleetBench, wrong: dict[str, Any], names: set[str]) -> None:
    error = refusal(lambda: fleet.trip(**wrong))
    assert error.type == "invalidProperties"
    assert set(error.properties or ()) <= names
    assert error.properties


def test_a_car_that_is_not_in_use_cannot_be_chosen_but_stays_where_it_was(fleet: FleetBench) -> None:
    car = fleet.car()
    trip = fleet.trip(carId=car)
    fleet.update("fang", "Car", car, active=False)
    assert refusal(lambda: fleet.trip(carId=car)).properties == ["carId"]
    fleet.update("yu", "Trip", trip, purpose="查勘")
    assert shown(fleet, "yu", trip)["carId"] == car


def test_conditional_fields_come_and_go(fleet: FleetBench) -> None:
    trip = fleet.trip(kind="far", farReason="防汛")
    fleet.update("yu", "Trip", trip, kind="near")
    assert "farReason" not in shown(fleet, "yu", trip)
    assert refusal(lambda: fleet.update("yu", "Trip", trip, kind="far")).properties == ["farReason"]
    fleet.update("yu", "Trip", trip, kind="far", farReason="调研")
    assert "farReason" not in shown(fleet, "yu", fleet.trip(farReason="不算"))


def test_unique_values_ignore_case_and_width_and_name_the_other_one(fleet: FleetBench) -> None:
    first = fleet.car("ab 12")
    error = refusal(lambda: fleet.car("AB 12"))
    assert (error.type, error.properties, error.extra["existingId"]) == ("invalidProperties", ["plate"], first)
    fleet.update("fang", "Car", first, plate="zz")
    second = fleet.car("AB 12")
    assert refusal(lambda: fleet.update("fang", "Car", first, plate="ab 12")).extra["existingId"] == second
    fleet.destroy("fang", "Car", second)
    fleet.update("fang", "Car", first, plate="ab 12")


def test_a_set_of_fields_is_unique_together(fleet: FleetBench) -> None:
    one, two = fleet.car("1"), fleet.car("2")
    fleet.create("fang", "Outage", reason="保养", carId=one, span=hours(1, 2))
    fleet.create("fang", "Outage", reason="保养", carId=two, span=hours(1, 2))
    error = refusal(lambda: fleet.create("fang", "Outage", reason="保养", carId=one, span=hours(5, 6)))
    assert error.properties == ["carId", "reason"]


# ---------------------------------------------------------------- actions


def test_the_way_of_a_trip(fleet: FleetBench) -> None:
    car = fleet.car(driverId=fleet.person("chen"))
    trip = fleet.trip(carId=car)
    fleet.update("yu", "Trip", trip, state="sent")
    answer = fleet.update("gao", "Trip", trip, state="approved", opinion="同意")
    assert answer is not None
    assert answer["approverId"] == fleet.person("gao")
    assert "approvedAt" in answer
    assert refusal(lambda: fleet.update("chen", "Trip", trip, state="done")).properties == ["endKm"]
    fleet.update("chen", "Trip", trip, state="done", endKm=120)
    assert shown(fleet, "yu", trip)["endKm"] == 120


def test_what_no_action_leads_to_is_refused(fleet: FleetBench) -> None:
    trip = fleet.trip()
    assert refusal(lambda: fleet.update("yu", "Trip", trip, state="done")).properties == ["state"]
    assert refusal(lambda: fleet.update("yu", "Trip", trip, state="flown")).properties == ["state"]
    assert refusal(lambda: fleet.trip(state="approved")).properties == ["state"]
    assert refusal(lambda: fleet.update("fang", "Trip", trip, state="sent")).type == "forbidden"
    fleet.update("yu", "Trip", trip, state="sent")
    assert refusal(lambda: fleet.update("yu", "Trip", trip, state="approved")).type == "forbidden"
    assert refusal(lambda: fleet.update("gao", "Trip", trip, state="refused")).properties == ["opinion"]


def test_an_action_covers_its_fields_and_no_more(fleet: FleetBench) -> None:
    trip = fleet.sent()
    assert refusal(lambda: fleet.update("gao", "Trip", trip, state="approved", purpose="别的")).type == "forbidden"
    assert refusal(lambda: fleet.update("yu", "Trip", trip, purpose="别的")).type == "forbidden"
    assert refusal(lambda: fleet.update("fang", "Trip", trip, opinion="同意")).type == "forbidden"
    fleet.update("fang", "Trip", trip, state="approved", opinion="同意")
    fleet.update("gao", "Trip", trip, opinion="注意安全")  # the field's own edit


def test_sending_may_carry_edits_the_author_may_make(fleet: FleetBench) -> None:
    trip = fleet.trip()
    fleet.update("yu", "Trip", trip, state="sent", purpose="新的")
    found = shown(fleet, "yu", trip)
    assert (found["state"], found["purpose"]) == ("sent", "新的")


def test_an_action_without_a_new_state_is_named(fleet: FleetBench) -> None:
    trip = fleet.sent(kind="far", farReason="防汛")
    near = fleet.sent()
    assert refusal(lambda: fleet.update("yu", "Trip", trip, action="pin")).type == "forbidden"
    assert refusal(lambda: fleet.update("fang", "Trip", near, action="pin")).type == "forbidden"
    assert refusal(lambda: fleet.update("fang", "Trip", trip, action="jump")).type == "invalidProperties"
    answer = fleet.update("fang", "Trip", trip, action="pin")
    assert answer is not None
    assert answer["pinned"] is True
    assert "action" not in answer


def test_an_action_that_was_sent_before_is_done_once(fleet: FleetBench) -> None:
    trip = fleet.sent()
    for expected in (True, False):
        answer = fleet.update("gao", "Trip", trip, action="approve", state="approved", opinion="同意")
        assert (answer is not None) is expected
    assert len(fleet.history("yu", trip)) == 1
    again = refusal(lambda: fleet.update("gao", "Trip", trip, action="approve", opinion="改了"))
    assert again.type == "invalidProperties"


def test_an_immutable_field_is_set_once(fleet: FleetBench) -> None:
    trip = fleet.trip(startKm=10)
    assert refusal(lambda: fleet.update("yu", "Trip", trip, startKm=11)).properties == ["startKm"]


# ---------------------------------------------------------------- who sees and writes what


def test_a_hidden_field_is_neither_seen_written_guessed_nor_found(fleet: FleetBench) -> None:
    trip = fleet.sent(secret="绕道", passengerIds=[fleet.person("lin")])
    assert shown(fleet, "yu", trip)["secret"] == "绕道"
    assert "secret" not in shown(fleet, "lin", trip)
    for guess in ("绕道", "别的", None):
        assert refusal(partial(fleet.update, "lin", "Trip", trip, secret=guess)).type == "forbidden"
    assert fleet.query("lin", "Trip", {"secret": "绕道"}) == []
    assert fleet.query("lin", "Trip", {"text": "绕道"}) == []
    assert fleet.query("lin", "Trip", {"secret": None}) == [trip]
    assert fleet.query("fang", "Trip", {"secret": "绕道"}) == [trip]


def test_a_hidden_field_is_not_in_history_titles_or_answers(fleet: FleetBench) -> None:
    trip = fleet.trip(secret="一", passengerIds=[fleet.person("lin")])
    fleet.update("yu", "Trip", trip, secret="二")
    fleet.update("yu", "Trip", trip, secret="三", purpose="新")
    assert [[one["field"] for one in entry["changes"]] for entry in fleet.history("lin", trip)] == [["purpose"]]
    assert [sorted(one["field"] for one in entry["changes"]) for entry in fleet.history("yu", trip)] == [
        ["secret"],
        ["purpose", "secret"],
    ]


def test_a_file_of_a_hidden_field_is_not_to_be_had(fleet: FleetBench) -> None:
    hidden, open_ = fleet.blob("fang", b"contract"), fleet.blob("yu", b"map")
    car = fleet.car(
        driverId=fleet.person("chen"), contract=[{"blobId": hidden, "name": "a.pdf", "type": "", "size": 0}]
    )
    fleet.trip(carId=car, files=[{"blobId": open_, "name": "b.pdf", "type": "", "size": 0}])
    assert fleet.may_read_blob("fang", hidden)
    assert not fleet.may_read_blob("chen", hidden)
    assert fleet.may_read_blob("chen", open_)
    assert not fleet.may_read_blob("zhang", open_)
    fleet.update("fang", "Car", car, contract=[])
    fleet.grant("zhang", "fleet")
    assert not fleet.may_read_blob("zhang", hidden)


def test_a_field_seen_through_a_person_of_the_record(fleet: FleetBench) -> None:
    car = fleet.car(driverId=fleet.person("chen"), price="1000.5")
    assert shown(fleet, "chen", car, "Car")["price"] == "1000.50"
    assert "price" not in shown(fleet, "yu", car, "Car")
    assert fleet.query("yu", "Car", {"priceAfter": 1}) == []
    assert fleet.query("chen", "Car", {"priceAfter": 1000.5}) == [car]


# ---------------------------------------------------------------- versions


def test_edits_of_different_fields_merge_and_of_the_same_conflict(fleet: FleetBench) -> None:
    car = fleet.car(seats=5)
    fleet.grant("zhang", "fleet")
    fleet.update("zhang", "Car", car, seats=7, version=1)
    fleet.update("fang", "Car", car, driverId=fleet.person("chen"), version=1)
    error = refusal(lambda: fleet.update("fang", "Car", car, seats=4, insured=True, version=1))
    assert (error.type, error.properties) == ("conflict", ["seats"])
    current = error.extra["current"]
    assert isinstance(current, dict)
    assert (current["seats"], current["driverId"], current["version"]) == (7, fleet.person("chen"), 3)
    assert shown(fleet, "fang", car, "Car")["insured"] is False  # nothing of it was written
    fleet.update("fang", "Car", car, seats=4, version=3)
    assert fleet.update("fang", "Car", car, seats=4, version=1) is None  # as somebody else, or oneself, made it


def test_a_conditional_field_somebody_else_filled_in_is_not_dropped_unseen(fleet: FleetBench) -> None:
    trip = fleet.trip(kind="far", farReason="防汛")
    fleet.write(lambda tx: fleet.change_as("zhang", tx, "Trip", trip, farReason="抢险"))
    error = refusal(lambda: fleet.update("yu", "Trip", trip, kind="near", version=1))
    assert (error.type, error.properties) == ("conflict", ["farReason"])
    fleet.update("yu", "Trip", trip, kind="near", version=2)
    assert "farReason" not in shown(fleet, "yu", trip)


def test_one_s_own_edits_do_not_conflict(fleet: FleetBench) -> None:
    car = fleet.car(seats=5)
    fleet.update("fang", "Car", car, seats=6, version=1)
    fleet.update("fang", "Car", car, seats=7, version=1)
    assert shown(fleet, "fang", car, "Car")["seats"] == 7


@pytest.mark.parametrize("version", [0, 2, -1, True, "1", 1.5])
def test_a_version_that_never_was_is_refused(fleet: FleetBench, version: object) -> None:
    car = fleet.car(seats=5)
    assert refusal(lambda: fleet.update("fang", "Car", car, seats=6, version=version)).properties == ["version"]


def test_history_says_who_changed_what(fleet: FleetBench) -> None:
    trip = fleet.sent()
    fleet.update("gao", "Trip", trip, state="approved")
    (entry,) = fleet.history("yu", trip)
    assert entry["personId"] == fleet.person("gao")
    assert {one["field"]: (one["old"], one["new"]) for one in entry["changes"]}["state"] == ("sent", "approved")
    assert fleet.history("zhang", trip) == []
    ids = fleet.query("yu", "RecordChange", {"recordId": trip}, "at")
    handler, actor = fleet.handlers["RecordChange"], fleet.actors["zhang"]
    assert fleet.database.read_now(lambda conn: handler.get(conn, actor, ids, None).list) == []
