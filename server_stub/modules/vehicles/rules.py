"""Rules of vehicles: seats, papers that must be valid for the whole trip, odometer readings in order, and the totals of each vehicle.

That two trips never overlap is the definition's `booking`; who may do what are its actions.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import parse_utc
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.conditions import day_start
from server_stub.modules.engine.definition import Action
from server_stub.modules.engine.referrers import load_referrers
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx

FLEET: Final = "fleet"
VEHICLE: Final = "Vehicle"
TRIP: Final = "VehicleTrip"
COST: Final = "VehicleCost"
OUTAGE: Final = "VehicleOutage"
DAY_MS: Final = 86_400_000
PAPERS: Final = {"inspectionDue": "inspection", "insuranceDue": "insurance"}
"""The vehicle's dates that must not lie before the end of a trip, and the kind of cost that renews each."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an odometer said: `low` to `high` in ms is when (a cost knows only its day)."""

    low: int
    high: int
    kilometers: float


class VehicleRules(Rules):
    """A vehicle that was ever used is scrapped, not destroyed; its odometer never runs back."""

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if "odometer" in changed:
            known = max((one.kilometers for one in _readings(tx.conn, record.id, self._offset(tx.now))), default=0)
            if data.get("odometer", 0) < known:
                raise invalid_properties(f"below the last reading, {known:g} km", "odometer")
        return data

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        if any(load_referrers(tx.conn, name, "vehicleId", record.id) for name in (TRIP, COST, OUTAGE)):
            raise SetError(SetErrorType.FORBIDDEN, "it has trips or costs: scrap it instead")

    def _offset(self, now: int) -> int:
        return self.context.standpoint(now).offset


class TripRules(Rules):
    """用车申请: requested → approved → out → returned. What is refused here names the vehicle, the passengers or the reading."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        self._check_future(tx, actor, data)
        return self._checked(tx, data)

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if "span" in changed:
            self._check_future(tx, actor, data)
        if data["state"] in ("requested", "approved"):
            return self._checked(tx, data)
        return data

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        if action.name == "depart":
            vehicle = _vehicle(tx.conn, data)
            if data.get("startOdometer", 0) < vehicle.data.get("odometer", 0):
                raise invalid_properties(
                    f"below the last reading, {vehicle.data.get('odometer', 0):g} km", "startOdometer"
                )
        if action.name == "return" and data.get("endOdometer", 0) < data.get("startOdometer", 0):
            raise invalid_properties(
                f"below the reading at departure, {data.get('startOdometer', 0):g} km", "endOdometer"
            )

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        if before.data["state"] == "approved" and after.data["state"] == "out":
            self._read(tx, actor, after, after.data["startOdometer"], 0)
        elif before.data["state"] == "out" and after.data["state"] == "returned":
            self._read(tx, actor, after, after.data["endOdometer"], after.data.get("distance", 0))

    # ------------------------------------------------------------ one rule each

    def _check_future(self, tx: Tx, actor: Actor, data: Mapping[str, Any]) -> None:
        """Only the fleet books what is over already (a trip somebody forgot to ask for)."""
        if FLEET not in actor.roles and parse_utc(data["span"]["end"]) <= tx.now:
            raise invalid_properties("lies in the past", "span")

    def _checked(self, tx: Tx, data: JsonObject) -> JsonObject:
        if data.get("vehicleId"):
            vehicle = _vehicle(tx.conn, data)
            _check_seats(vehicle, data)
            self._check_papers(vehicle, data)
            if not data.get("driverId") and vehicle.data.get("driverId"):
                data["driverId"] = vehicle.data["driverId"]
        return data

    def _check_papers(self, vehicle: Record, data: Mapping[str, Any]) -> None:
        end = parse_utc(data["span"]["end"])
        for name, what in PAPERS.items():
            until = vehicle.data.get(name)
            if until and end > _day_end(until, self.context.standpoint(end).offset):
                raise invalid_properties(f"its {what} is valid until {until} only", "vehicleId")

    def _read(self, tx: Tx, actor: Actor, trip: Record, kilometers: float, distance: float) -> None:
        vehicle = _vehicle(tx.conn, trip.data)
        values = {"odometer": max(kilometers, vehicle.data.get("odometer", 0))}
        if distance:
            values["totalDistance"] = vehicle.data.get("totalDistance", 0) + distance
        self.change(tx, VEHICLE, vehicle.id, values, by=actor.person_id)


class CostRules(Rules):
    """车辆费用: the vehicle's totals follow, its papers are renewed, its readings stay in the order of time."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        self._check_reading(tx, record_id, data)
        return data

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        if changed & {"odometer", "date"}:
            self._check_reading(tx, record.id, data)
        return data

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        self._follow(tx, actor, record.data, _amount(record.data))

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        self._follow(tx, actor, after.data, _amount(after.data) - _amount(before.data))

    def after_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        vehicle = _vehicle(tx.conn, record.data)
        total = _total(vehicle) - _amount(record.data)
        self.change(tx, VEHICLE, vehicle.id, {"totalCost": f"{total:.2f}"}, by=actor.person_id)

    def _follow(self, tx: Tx, actor: Actor, data: Mapping[str, Any], more: Decimal) -> None:
        vehicle = _vehicle(tx.conn, data)
        values: dict[str, Any] = {"totalCost": f"{_total(vehicle) + more:.2f}"}
        if data.get("odometer", 0) > vehicle.data.get("odometer", 0):
            values["odometer"] = data["odometer"]
        for name, kind in PAPERS.items():
            until = data.get("validUntil")
            if data["kind"] == kind and until and until > vehicle.data.get(name, ""):
                values[name] = until
        self.change(tx, VEHICLE, vehicle.id, values, by=actor.person_id)

    def _check_reading(self, tx: Tx, record_id: str, data: Mapping[str, Any]) -> None:
        kilometers = data.get("odometer")
        if kilometers is None:
            return
        offset = self.context.standpoint(tx.now).offset
        low, high = _day_start(data["date"], offset), _day_end(data["date"], offset)
        others = _readings(tx.conn, data["vehicleId"], offset, but=record_id)
        below = max((one.kilometers for one in others if one.high <= low), default=None)
        above = min((one.kilometers for one in others if one.low >= high), default=None)
        if below is not None and kilometers < below:
            raise invalid_properties(f"an earlier reading says {below:g} km", "odometer")
        if above is not None and kilometers > above:
            raise invalid_properties(f"a later reading says {above:g} km", "odometer")


# ---------------------------------------------------------------- small things


def _vehicle(conn: sa.Connection, data: Mapping[str, Any]) -> Record:
    vehicle = load_record(conn, data["vehicleId"], type_name=VEHICLE)
    assert vehicle is not None  # a reference that was checked; what is referred to is never destroyed
    return vehicle


def _check_seats(vehicle: Record, data: Mapping[str, Any]) -> None:
    """Passengers, guests and the driver (somebody drives, chosen or not) have a seat each."""
    passengers = set(data.get("passengers") or ())
    driver = data.get("driverId") or vehicle.data.get("driverId")
    people = len(passengers) + int(data.get("otherPassengers") or 0) + (driver not in passengers)
    if people > vehicle.data["seats"]:
        raise invalid_properties(f"{people} people with the driver, but {vehicle.data['seats']:g} seats", "vehicleId")


def _readings(conn: sa.Connection, vehicle_id: str, offset: int, but: str | None = None) -> list[Reading]:
    """Everything that tells where the odometer stood, apart from the cost `but`."""
    found: list[Reading] = []
    for trip in load_referrers(conn, TRIP, "vehicleId", vehicle_id):
        for at, value in (("departedAt", "startOdometer"), ("returnedAt", "endOdometer")):
            if trip.data.get(at) and trip.data.get(value) is not None:
                when = parse_utc(trip.data[at])
                found.append(Reading(when, when, trip.data[value]))
    for cost in load_referrers(conn, COST, "vehicleId", vehicle_id):
        if cost.id != but and cost.data.get("odometer") is not None:
            day = cost.data["date"]
            found.append(Reading(_day_start(day, offset), _day_end(day, offset), cost.data["odometer"]))
    return found


def _day_start(day: str, offset: int) -> int:
    return day_start(date.fromisoformat(day), offset)


def _day_end(day: str, offset: int) -> int:
    return _day_start(day, offset) + DAY_MS


def _amount(data: Mapping[str, Any]) -> Decimal:
    return Decimal(data["amount"])


def _total(vehicle: Record) -> Decimal:
    return Decimal(vehicle.data.get("totalCost", "0"))
