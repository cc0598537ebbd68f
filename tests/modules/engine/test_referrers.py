"""Records that refer to a record are found by an index of their field, which comes and goes with the field."""

from server_stub.modules.engine.referrers import do_index_references, load_referrers
from server_stub.storage.database import Tx
from tests.modules.engine.fleet_bench import FleetBench


def indexes(tx: Tx) -> set[str]:
    rows = tx.raw.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix_reference_Trip_%'")
    return {row[0] for row in rows}


def test_referrers_are_found_through_the_index_of_their_field(fleet: FleetBench) -> None:
    fleet.write(fleet.office.do_bring_in_line)
    car_id = fleet.car()
    trip = fleet.trip(carId=car_id)

    def look(tx: Tx) -> tuple[list[str], str]:
        seen: list[str] = []
        tx.raw.set_trace_callback(seen.append)
        found = [one.id for one in load_referrers(tx.conn, "Trip", "carId", car_id)]
        tx.raw.set_trace_callback(None)
        plan = tx.raw.execute(f"EXPLAIN QUERY PLAN {seen[0]}").fetchall()
        return found, plan[0][-1]

    found, plan = fleet.write(look)
    assert found == [trip]
    assert "ix_reference_Trip_carId" in plan


def test_a_field_that_is_gone_takes_its_index_along(fleet: FleetBench) -> None:
    fleet.write(fleet.office.do_bring_in_line)
    assert "ix_reference_Trip_carId" in fleet.write(indexes)
    fleet.write(lambda tx: do_index_references(tx, []))
    assert fleet.write(indexes) == set()
