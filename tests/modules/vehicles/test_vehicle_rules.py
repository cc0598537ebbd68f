"""Rules of vehicles: seats, papers, overlap with what is free, odometer in order, totals, who may do what."""

from datetime import date, timedelta
from typing import Any

import pytest

from server_stub.clock import format_utc
from tests.modules.office_bench import DAY, Bench, refusal

HOUR = 3_600_000


@pytest.fixture
def fleet(bench: Bench) -> Bench:
    """chen runs the fleet; zhang, lin, yu, gao ask."""
    bench.grant("chen", "fleet")
    return bench


def vehicle(bench: Bench, plate: str = "苏A·12345", **properties: Any) -> str:
    given = {"plate": plate, "model": "别克 GL8", "seats": 7, "odometer": 1000, **properties}
    return bench.create("chen", "Vehicle", key=plate, **given)


def hours(bench: Bench, start: float, end: float) -> dict[str, str]:
    """A span tomorrow, in hours from now plus a day."""
    base = bench.clock.now_ms() // HOUR * HOUR + DAY
    return {"start": format_utc(int(base + start * HOUR)), "end": format_utc(int(base + end * HOUR))}


def trip(bench: Bench, who: str = "lin", **properties: Any) -> str:
    given = {"span": hours(bench, 0, 2), "destination": "省水利厅", "reason": "送材料", **properties}
    return bench.create(who, "VehicleTrip", key=f"{who}-{bench.clock.now_ms()}", **given)


def day(bench: Bench, days: int) -> str:
    return (date.fromisoformat(format_utc(bench.clock.now_ms())[:10]) + timedelta(days=days)).isoformat()


def drive(bench: Bench, trip_id: str, vehicle_id: str, start: int, end: int) -> None:
    bench.update("chen", "VehicleTrip", trip_id, state="approved", vehicleId=vehicle_id, driverId=bench.person("chen"))
    bench.update("chen", "VehicleTrip", trip_id, state="out", startOdometer=start)
    bench.update("chen", "VehicleTrip", trip_id, state="returned", endOdometer=end)


# ---------------------------------------------------------------- booking


def test_touching_trips_are_fine_and_a_minute_more_is_not(fleet: Bench) -> None:
    car = vehicle(fleet)
    trip(fleet, vehicleId=car, span=hours(fleet, 0, 2))
    trip(fleet, "yu", vehicleId=car, span=hours(fleet, 2, 3))
    refused = refusal(lambda: trip(fleet, "gao", vehicleId=car, span=hours(fleet, 1.99, 2)))
    assert refused.type == "overlap"


def test_the_other_is_told_who_holds_it_and_what_is_free(fleet: Bench) -> None:
    car, free = vehicle(fleet), vehicle(fleet, "苏A·22318")
    vehicle(fleet, "苏A·90216", publicUse=False)
    mine = trip(fleet, vehicleId=car)
    refused = refusal(lambda: trip(fleet, "yu", vehicleId=car))
    assert [one["id"] for one in refused.extra["conflicts"]] == [mine]
    assert refused.extra["conflicts"][0]["authorId"] == fleet.person("lin")
    assert refused.extra["free"] == [free]


def test_a_vehicle_out_of_service_cannot_be_booked(fleet: Bench) -> None:
    car = vehicle(fleet)
    fleet.create("chen", "VehicleOutage", vehicleId=car, kind="inspection", span=hours(fleet, -2, 5))
    assert refusal(lambda: trip(fleet, vehicleId=car)).type == "overlap"


def test_a_cancelled_trip_frees_the_vehicle(fleet: Bench) -> None:
    car = vehicle(fleet)
    first = trip(fleet, vehicleId=car)
    fleet.update("lin", "VehicleTrip", first, state="cancelled")
    trip(fleet, "yu", vehicleId=car)


def test_a_vehicle_in_repair_is_not_offered(fleet: Bench) -> None:
    car = vehicle(fleet)
    fleet.update("chen", "Vehicle", car, state="repair")
    assert refusal(lambda: trip(fleet, vehicleId=car)).properties == ["vehicleId"]


# ---------------------------------------------------------------- seats and papers


def test_seats_count_passengers_guests_and_the_driver(fleet: Bench) -> None:
    car = vehicle(fleet, seats=4)
    people = [fleet.person(one) for one in ("lin", "yu")]
    trip(fleet, vehicleId=car, passengers=people, otherPassengers=1)
    refused = refusal(
        lambda: trip(fleet, "yu", vehicleId=car, passengers=people, otherPassengers=2, span=hours(fleet, 5, 6))
    )
    assert refused.properties == ["vehicleId"]


def test_a_driver_among_the_passengers_takes_one_seat(fleet: Bench) -> None:
    car = vehicle(fleet, seats=2, driverId=fleet.person("yu"))
    trip(fleet, vehicleId=car, passengers=[fleet.person("lin"), fleet.person("yu")])


@pytest.mark.parametrize("paper", ["inspectionDue", "insuranceDue"])
def test_papers_must_be_valid_to_the_end_of_the_trip(fleet: Bench, paper: str) -> None:
    span = hours(fleet, 0, 1)
    good = vehicle(fleet, "苏A·10001", **{paper: day(fleet, 3)})
    trip(fleet, vehicleId=good, span=span)
    bad = vehicle(fleet, "苏A·10002", **{paper: day(fleet, -1)})
    assert refusal(lambda: trip(fleet, "yu", vehicleId=bad, span=span)).properties == ["vehicleId"]


# ---------------------------------------------------------------- rights and steps


def test_only_the_fleet_keeps_vehicles_and_costs(fleet: Bench) -> None:
    car = vehicle(fleet)
    assert refusal(lambda: fleet.update("lin", "Vehicle", car, model="x")).type == "forbidden"
    assert (
        refusal(
            lambda: fleet.create("lin", "VehicleCost", vehicleId=car, kind="fuel", date=day(fleet, 0), amount="1.00")
        ).type
        == "forbidden"
    )


def test_only_the_fleet_approves_and_the_driver_may_leave_and_return(fleet: Bench) -> None:
    car, driver = vehicle(fleet), fleet.person("yu")
    mine = trip(fleet)
    assert refusal(lambda: fleet.update("lin", "VehicleTrip", mine, state="approved")).type == "forbidden"
    fleet.update("chen", "VehicleTrip", mine, state="approved", vehicleId=car, driverId=driver)
    assert (
        refusal(lambda: fleet.update("lin", "VehicleTrip", mine, state="out", startOdometer=1000)).type == "forbidden"
    )
    fleet.update("yu", "VehicleTrip", mine, state="out", startOdometer=1000)
    fleet.update("yu", "VehicleTrip", mine, state="returned", endOdometer=1010)
    shown = fleet.get("lin", "VehicleTrip", mine)
    assert shown is not None
    assert shown["distance"] == 10


def test_refusing_needs_an_answer(fleet: Bench) -> None:
    mine = trip(fleet)
    assert refusal(lambda: fleet.update("chen", "VehicleTrip", mine, state="refused")).properties == ["answer"]
    fleet.update("chen", "VehicleTrip", mine, state="refused", answer="当天无车")


def test_a_request_for_the_past_is_for_the_fleet_alone(fleet: Bench) -> None:
    assert refusal(lambda: trip(fleet, span=hours(fleet, -30, -25))).properties == ["span"]
    trip(fleet, "chen", span=hours(fleet, -30, -25))


def test_requests_are_numbered_by_the_day(fleet: Bench) -> None:
    first, second = trip(fleet), trip(fleet, "yu")
    numbers = [(fleet.get("lin", "VehicleTrip", one) or {})["number"] for one in (first, second)]
    assert [one[-2:] for one in numbers] == ["01", "02"]
    assert all(one.startswith("YC2025") for one in numbers)


# ---------------------------------------------------------------- odometer and totals


def test_the_odometer_never_runs_back(fleet: Bench) -> None:
    car, mine = vehicle(fleet), trip(fleet)
    fleet.update("chen", "VehicleTrip", mine, state="approved", vehicleId=car, driverId=fleet.person("chen"))
    low = refusal(lambda: fleet.update("chen", "VehicleTrip", mine, state="out", startOdometer=999))
    assert low.properties == ["startOdometer"]
    fleet.update("chen", "VehicleTrip", mine, state="out", startOdometer=1000)
    low = refusal(lambda: fleet.update("chen", "VehicleTrip", mine, state="returned", endOdometer=999))
    assert low.properties == ["endOdometer"]
    fleet.update("chen", "VehicleTrip", mine, state="returned", endOdometer=1000)


def test_a_trip_moves_the_vehicles_odometer_and_distance(fleet: Bench) -> None:
    car = vehicle(fleet)
    drive(fleet, trip(fleet), car, 1000, 1080)
    drive(fleet, trip(fleet, "yu", span=hours(fleet, 5, 6)), car, 1085, 1100)
    shown = fleet.get("lin", "Vehicle", car)
    assert shown is not None
    assert (shown["odometer"], shown["totalDistance"]) == (1100, 95)


def test_costs_follow_into_the_vehicle_exactly(fleet: Bench) -> None:
    car = vehicle(fleet)
    ids = [
        fleet.create("chen", "VehicleCost", key=f"c{n}", vehicleId=car, kind="fuel", date=day(fleet, 0), amount=amount)
        for n, amount in enumerate(("0.10", "0.20", "300.00"))
    ]
    fleet.update("chen", "VehicleCost", ids[0], amount="0.30")
    fleet.destroy("chen", "VehicleCost", ids[2])
    shown = fleet.get("lin", "Vehicle", car)
    assert shown is not None
    assert shown["totalCost"] == "0.50"


def test_a_reading_between_two_others_stays_between_them(fleet: Bench) -> None:
    car = vehicle(fleet)

    def fuel(days: int, kilometers: int) -> str:
        return fleet.create(
            "chen",
            "VehicleCost",
            key=f"{days}-{kilometers}",
            vehicleId=car,
            kind="fuel",
            date=day(fleet, days),
            amount="200.00",
            odometer=kilometers,
        )

    fuel(-10, 500)
    fuel(-2, 900)
    assert refusal(lambda: fuel(-5, 499)).properties == ["odometer"]
    assert refusal(lambda: fuel(-5, 901)).properties == ["odometer"]
    fuel(-5, 500)
    fuel(-5, 900)


def test_a_new_insurance_renews_the_vehicles_date_and_an_old_one_does_not(fleet: Bench) -> None:
    car = vehicle(fleet, insuranceDue=day(fleet, 10))

    def insure(key: str, days: int) -> None:
        until = day(fleet, days)
        fleet.create(
            "chen",
            "VehicleCost",
            key=key,
            vehicleId=car,
            kind="insurance",
            date=day(fleet, 0),
            amount="3000.00",
            validUntil=until,
        )

    insure("a", 375)
    insure("b", 5)
    shown = fleet.get("lin", "Vehicle", car)
    assert shown is not None
    assert shown["insuranceDue"] == day(fleet, 375)


def test_a_used_vehicle_is_scrapped_not_destroyed(fleet: Bench) -> None:
    used, unused = vehicle(fleet), vehicle(fleet, "苏A·22318")
    trip(fleet, vehicleId=used)
    assert refusal(lambda: fleet.destroy("chen", "Vehicle", used)).type == "forbidden"
    fleet.destroy("chen", "Vehicle", unused)


# ---------------------------------------------------------------- what waits for whom


def test_the_fleet_has_a_to_do_until_it_answers_and_the_author_reads_the_answer(fleet: Bench) -> None:
    mine = trip(fleet)

    def waiting(who: str) -> set[str]:
        return {one["rule"] for one in fleet.all(who, "Todo") if one["state"] == "open" and one["recordId"] == mine}

    assert waiting("chen") == {"dispatch"}
    car = vehicle(fleet)
    fleet.update("chen", "VehicleTrip", mine, state="approved", vehicleId=car, driverId=fleet.person("yu"))
    assert (waiting("chen"), waiting("lin"), waiting("yu")) == (set(), {"answered"}, {"drive"})
