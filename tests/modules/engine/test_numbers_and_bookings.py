"""Numbers without holes and cars nobody holds twice, however many ask at the same instant."""

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from server_stub.errors import SetError
from server_stub.ids import uuid7
from server_stub.modules.engine.numbering import load_gaps
from tests.modules.engine.fleet_bench import FLEET, FleetBench, hours, open_fleet
from tests.modules.office_bench import DAY, refusal


def number(fleet: FleetBench, id_: str, type_name: str = "Trip") -> object:
    return (fleet.get("fang" if type_name == "Trip" else "yu", type_name, id_) or {}).get("number")


def test_a_number_comes_with_its_state_and_restarts_each_month(fleet: FleetBench) -> None:
    draft = fleet.trip()
    assert number(fleet, draft) is None
    first, second = fleet.sent(), fleet.sent()
    fleet.update("yu", "Trip", draft, state="sent")
    numbers = [str(number(fleet, one)) for one in (first, second, draft)]
    assert all(re.fullmatch(r"YC20\d{4}-\d{3}", one) for one in numbers)
    assert [one[-3:] for one in numbers] == ["001", "002", "003"]
    fleet.clock.advance(40 * DAY)
    later = str(number(fleet, fleet.sent(span=hours(8, 9, 60))))
    assert later.endswith("-001")
    assert later[:8] != numbers[0][:8]


def test_what_fails_gives_its_number_back(fleet: FleetBench) -> None:
    car = fleet.car()
    fleet.sent(carId=car)
    assert refusal(lambda: fleet.sent(carId=car)).type == "overlap"
    assert str(number(fleet, fleet.sent())).endswith("-002")


def test_gaps_say_why(fleet: FleetBench) -> None:
    voided, gone, drafted = fleet.sent(), fleet.sent(), fleet.trip()
    fleet.update("gao", "Trip", voided, state="approved")
    fleet.update("yu", "Trip", voided, state="void")
    kept = number(fleet, gone)
    fleet.destroy("fang", "Trip", gone)
    fleet.destroy("yu", "Trip", drafted)
    gaps = fleet.database.read_now(lambda conn: load_gaps(conn, "Trip"))
    assert [(one.reason, one.record_id, one.person_id) for one in gaps] == [
        ("void", voided, fleet.person("yu")),
        ("destroyed", gone, fleet.person("fang")),
    ]
    assert gaps[1].number == kept
    assert str(number(fleet, fleet.sent())).endswith("-003")


def test_many_at_once_get_dense_numbers(fleet: FleetBench) -> None:
    handler = fleet.handlers["Bill"]

    async def make(index: int) -> str | None:
        who = fleet.actors[("yu", "lin", "zhang")[index % 3]]
        amount = "oops" if index % 7 == 0 else "1.00"
        try:
            made = await fleet.database.write(lambda tx: handler.create(tx, who, uuid7(tx.now), {"amount": amount}))
        except SetError:
            return None
        return str(made["id"])

    async def scenario() -> list[str]:
        return [one for one in await asyncio.gather(*(make(index) for index in range(140))) if one is not None]

    made = asyncio.run(scenario())
    assert len(made) == 120
    ends = sorted(int(str(number(fleet, one, "Bill")).partition("-")[2]) for one in made)
    assert ends == list(range(1, 121))


# ---------------------------------------------------------------- bookings


def conflicts_of(error: SetError) -> list[dict[str, Any]]:
    found = error.extra["conflicts"]
    assert isinstance(found, list)
    return found


def test_touching_is_fine_and_overlapping_is_not(fleet: FleetBench) -> None:
    car = fleet.car()
    held = fleet.sent(carId=car, span=hours(8, 12))
    fleet.sent("lin", carId=car, span=hours(12, 13))
    fleet.sent("lin", carId=car, span=hours(7, 8))
    for span in (hours(11.9, 14), hours(6, 8.1), hours(9, 10), hours(1, 23), hours(8, 12)):
        error = refusal(partial(fleet.sent, "lin", carId=car, span=span))
        assert (error.type, error.properties) == ("overlap", ["span"])
    fleet.trip("lin", carId=car)  # a draft holds nothing
    fleet.update("gao", "Trip", held, state="refused", opinion="有会")
    fleet.sent("lin", carId=car, span=hours(9, 10))


def test_the_other_is_told_who_has_it_and_what_is_free(fleet: FleetBench) -> None:
    car, other, _resting = fleet.car("1"), fleet.car("2"), fleet.car("3", active=False)
    held = fleet.sent(carId=car)
    error = refusal(lambda: fleet.sent("lin", carId=car))
    assert error.extra["free"] == [other]
    (conflict,) = conflicts_of(error)
    assert (conflict["authorId"], conflict["span"]) == (fleet.person("yu"), hours(8, 12))
    assert "id" not in conflict  # lin does not see yu's trip
    (shown,) = conflicts_of(refusal(lambda: fleet.sent("fang", carId=car)))
    assert (shown["id"], shown["title"]) == (held, "巡堤 · 1")


def test_types_that_share_a_resource_block_each_other(fleet: FleetBench) -> None:
    car = fleet.car()
    outage = fleet.create("fang", "Outage", reason="年检", carId=car, span=hours(0, 24))
    error = refusal(lambda: fleet.sent(carId=car))
    assert [one["type"] for one in conflicts_of(error)] == ["Outage"]
    fleet.update("fang", "Outage", outage, span=hours(0, 8))
    fleet.sent(carId=car)
    error = refusal(lambda: fleet.update("fang", "Outage", outage, span=hours(0, 9)))
    assert error.type == "overlap"
    assert (fleet.get("fang", "Outage", outage) or {})["span"] == hours(0, 8)


def test_moving_a_booking_frees_what_it_held(fleet: FleetBench) -> None:
    car, other = fleet.car("1"), fleet.car("2")
    outage = fleet.create("fang", "Outage", reason="修", carId=car, span=hours(8, 12))
    fleet.update("fang", "Outage", outage, carId=other)
    fleet.sent(carId=car)
    assert refusal(lambda: fleet.sent(carId=other)).type == "overlap"
    fleet.destroy("fang", "Outage", outage)
    fleet.sent(carId=other)


def test_a_car_that_is_booked_is_not_destroyed(fleet: FleetBench) -> None:
    car = fleet.car()
    trip = fleet.sent(carId=car)
    assert refusal(lambda: fleet.destroy("fang", "Car", car)).description == "it is booked"
    fleet.destroy("fang", "Trip", trip)
    fleet.destroy("fang", "Car", car)


@pytest.mark.parametrize("seed", range(3))
def test_two_at_the_same_instant_one_wins(fleet: FleetBench, seed: int) -> None:
    car = fleet.car()
    handler = fleet.handlers["Trip"]
    people = ["yu", "lin", "zhang", "gao"][seed:] + ["yu", "lin", "zhang", "gao"][:seed]

    async def ask(who: str) -> str:
        given = {"purpose": who, "carId": car, "span": hours(8, 9), "state": "sent"}
        try:
            await fleet.database.write(lambda tx: handler.create(tx, fleet.actors[who], uuid7(tx.now), given))
        except SetError as error:
            return error.type
        return "won"

    async def scenario() -> list[str]:
        return await asyncio.gather(*(ask(who) for who in people))

    assert sorted(asyncio.run(scenario())) == ["overlap", "overlap", "overlap", "won"]


def test_a_list_of_resources_is_held_as_a_whole(tmp_path: Path) -> None:
    one_car = (
        '{ name = "carId", kind = "reference", target = "Car", label = { zh = "车辆", en = "Car" }, required = true }'
    )
    text = FLEET.replace(one_car, one_car.replace('"reference"', '"references"'))
    text = text.replace('unique = [["carId", "reason"]]\n', "")
    assert text != FLEET
    with open_fleet(tmp_path, text) as fleet:
        one, two, three = fleet.car("1"), fleet.car("2"), fleet.car("3")
        fleet.create("fang", "Outage", reason="检", carId=[one, two], span=hours(8, 12))
        assert refusal(lambda: fleet.sent(carId=two)).type == "overlap"
        fleet.sent(carId=three)
        more: dict[str, Any] = {"reason": "修", "carId": [three, one], "span": hours(11, 12)}
        assert refusal(lambda: fleet.create("fang", "Outage", **more)).type == "overlap"
