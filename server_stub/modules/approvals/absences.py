"""请假、出差、外出、加班: days by the working calendar, no two absences at once, and the balance of each person, year and kind of leave.

Balances are never counted up and down: what is held, taken and earned is added up anew from the applications whenever one of them moves.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import chinese_calendar

from server_stub.clock import parse_utc, utc_offset
from server_stub.errors import invalid_properties
from server_stub.modules.approvals.kinds import NOT_DONE, KindRules
from server_stub.modules.approvals.standing_in import do_stand_in
from server_stub.modules.engine.conditions import day_start, local_day
from server_stub.modules.engine.referrers import load_referrers, load_written_by
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx
from server_stub.workflow.working_time import MINUTE_MS, WorkingTime

LEAVE: Final = "Leave"
TRIP: Final = "BusinessTrip"
OVERTIME: Final = "Overtime"
BALANCE: Final = "LeaveBalance"
COMPENSATORY: Final = "compensatory"
LIMITED: Final = frozenset({"annual", "marriage", "maternity", "paternity", COMPENSATORY})
"""Kinds of leave of which nobody has any unless the personnel office says how much."""
CALENDAR_DAYS: Final = frozenset({"maternity"})
"""Kinds of which every day counts, not only working days."""
CERTIFICATE_AFTER: Final = 3
HOURS_A_DAY: Final = 8
"""Of overtime, for a day of leave."""


class LeaveRules(KindRules):
    """请假: held while under way, taken once it has passed, given back when nothing comes of it or one is back early.

    Its stand-in gets new work for as long as one is away.
    """

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        start, end = span_of(data)
        first, _ = local_days(start, end)
        made = {**data, "days": leave_days(data["kind"], start, end), "year": first.year}
        if made["days"] <= 0:
            raise invalid_properties("there is no working time in it", "time")
        refuse_overlap(tx, author_id, record_id, start, end)
        if data.get("state") == "closed":
            back = min(parse_utc(data["backAt"]), end)
            made["takenDays"] = leave_days(data["kind"], start, back) if back > start else 0
        return made

    def check_submitted(self, tx: Tx, record: Record) -> None:
        data = record.data
        refuse_overlap(tx, record.author_id, record.id, *span_of(data))
        if data.get("standInId") == record.author_id:
            raise invalid_properties("nobody stands in for themselves", "standInId")
        if data["kind"] == "sick" and data["days"] > CERTIFICATE_AFTER and not data.get("certificate"):
            raise invalid_properties(
                f"sick leave of more than {CERTIFICATE_AFTER} days needs a certificate", "certificate"
            )
        balance = load_balance(tx, str(record.author_id), data["year"], data["kind"])
        if balance is not None and balance.data.get("limited") and balance.data["left"] < 0:
            left = balance.data["left"] + data["days"]
            raise invalid_properties(f"{left:g} days of this leave are left in {data['year']}", "time")

    def do_follow(self, tx: Tx, record: Record) -> None:
        do_renew_balance(self, tx, str(record.author_id), record.data.get("year"), record.data["kind"])
        do_stand_in(self, tx, record)


class TripRules(KindRules):
    """出差: every day counts; nobody is on leave meanwhile."""

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        start, end = span_of(data)
        refuse_overlap(tx, author_id, record_id, start, end)
        return {**data, "days": calendar_days(start, end)}

    def check_submitted(self, tx: Tx, record: Record) -> None:
        refuse_overlap(tx, record.author_id, record.id, *span_of(record.data))


class OutingRules(KindRules):
    """外出: back on the same day."""

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        first, last = local_days(*span_of(data))
        if first != last:
            raise invalid_properties("it ends on the same day: else it is a business trip", "time")
        return data


class OvertimeRules(KindRules):
    """加班: only the time outside working hours counts; what is not paid becomes compensatory leave once it has passed."""

    def completed(self, tx: Tx, author_id: str | None, record_id: str, data: JsonObject) -> JsonObject:
        start, end = span_of(data)
        day, _ = local_days(start, end)
        hours = overtime_hours(start, end)
        if hours <= 0:
            raise invalid_properties("it lies inside working hours, or is shorter than half an hour", "time")
        days = round(hours / HOURS_A_DAY, 2) if data["reward"] == "leave" else 0
        return {**data, "hours": hours, "dayKind": day_kind(day), "leaveDays": days, "year": day.year}

    def check_submitted(self, tx: Tx, record: Record) -> None:
        start, end = span_of(record.data)
        for other in own_records(tx, OVERTIME, record.author_id):
            if other.id != record.id and _is_open_or_passed(other) and _crosses(other, start, end):
                raise invalid_properties(f"{other.data.get('number', '')} is about the same time", "time")

    def do_follow(self, tx: Tx, record: Record) -> None:
        do_renew_balance(self, tx, str(record.author_id), record.data.get("year"), COMPENSATORY)

    def refuse_void(self, tx: Tx, record: Record) -> None:
        balance = load_balance(tx, str(record.author_id), record.data["year"], COMPENSATORY)
        if balance is not None and balance.data["left"] < record.data.get("leaveDays", 0):
            raise invalid_properties("the leave it gave is taken already", "voidReason")


class BalanceRules(Rules):
    """假期额度: never less than what is used by now."""

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        year = data.get("year", local_day(tx.now, utc_offset(tx.now)).year)
        return _checked({**data, "year": year, **_used(tx, data["personId"], year, data["kind"])})

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        return _checked(data)

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        if record.data.get("used"):
            raise invalid_properties("days of it are taken or held", "used")


def _checked(data: JsonObject) -> JsonObject:
    total = sum(data.get(name) or 0 for name in ("entitled", "carried", "earned"))
    used = sum(data.get(name) or 0 for name in ("held", "taken"))
    if data.get("limited") and total < used:
        raise invalid_properties(f"{used:g} days are taken or held by now", "entitled")
    return data


# ---------------------------------------------------------------- balances


def do_renew_balance(rules: Rules, tx: Tx, person_id: str, year: int | None, kind: str) -> None:
    """Add up anew what a person has used and earned of a kind of leave in a year; a balance is made where there is none and something to say."""
    if year is None:
        return
    used = _used(tx, person_id, year, kind)
    balance = load_balance(tx, person_id, year, kind)
    if balance is not None:
        rules.change(tx, BALANCE, balance.id, used)
    elif any(used.values()):
        made = {
            "personId": person_id,
            "year": year,
            "kind": kind,
            "limited": kind in LIMITED,
            "entitled": 0,
            "carried": 0,
        }
        rules.make(tx, BALANCE, {**made, **used}, None)


def load_balance(tx: Tx, person_id: str, year: int, kind: str) -> Record | None:
    """What a person has of a kind of leave in a year; None: nobody said, and nothing was used."""
    held = load_referrers(tx.conn, BALANCE, "personId", person_id)
    return next((one for one in held if one.data.get("year") == year and one.data["kind"] == kind), None)


def _used(tx: Tx, person_id: str, year: int, kind: str) -> dict[str, float]:
    leaves = [one.data for one in own_records(tx, LEAVE, person_id) if _is_about(one, year, kind)]
    made = {
        "held": sum(one["days"] for one in leaves if one["state"] == "pending"),
        "taken": sum(one.get("takenDays", one["days"]) for one in leaves if one["state"] in ("passed", "closed")),
    }
    if kind == COMPENSATORY:
        worked = [one.data for one in own_records(tx, OVERTIME, person_id) if one.data.get("year") == year]
        made["earned"] = round(sum(one.get("leaveDays", 0) for one in worked if one["state"] == "passed"), 2)
    return made


def _is_about(leave: Record, year: int, kind: str) -> bool:
    return leave.data.get("year") == year and leave.data["kind"] == kind


# ---------------------------------------------------------------- time


def span_of(data: Mapping[str, Any]) -> tuple[int, int]:
    """Start and end in ms of the field `time`."""
    return parse_utc(data["time"]["start"]), parse_utc(data["time"]["end"])


def local_days(start: int, end: int) -> tuple[dt.date, dt.date]:
    """The first and the last day of a span; one that ends at midnight ends the day before."""
    return local_day(start, utc_offset(start)), local_day(max(start, end - 1), utc_offset(end))


def leave_days(kind: str, start: int, end: int) -> float:
    """Days of leave: mornings and afternoons that are worked, begun ones count whole; of some kinds every day."""
    if kind in CALENDAR_DAYS:
        return calendar_days(start, end)
    work, (day, last) = WorkingTime(utc_offset=utc_offset(start)), local_days(start, end)
    parts = 0
    while day <= last:
        midnight = day_start(day, work.utc_offset)
        for begin, finish in work.hours:
            first, until = midnight + begin * MINUTE_MS, midnight + finish * MINUTE_MS
            parts += work.between(max(start, first), min(end, until)) > 0
        day += dt.timedelta(days=1)
    return parts / len(work.hours)


def calendar_days(start: int, end: int) -> int:
    """Days a span touches."""
    first, last = local_days(start, end)
    return (last - first).days + 1


def overtime_hours(start: int, end: int) -> float:
    """Hours outside working hours, down to the half hour."""
    minutes = (end - start) // 60_000 - WorkingTime(utc_offset=utc_offset(start)).between(start, end)
    return minutes // 30 / 2


def day_kind(day: dt.date) -> str:
    """workday, restDay or holiday, by the announced calendar; later years know no holidays yet."""
    if WorkingTime().is_worked(day):
        return "workday"
    try:
        _, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return "restDay"
    return "restDay" if name is None else "holiday"


def refuse_overlap(tx: Tx, author_id: str | None, record_id: str, start: int, end: int) -> None:
    """Raises SetError: the person is on leave or on a trip in that time already."""
    for type_name in (LEAVE, TRIP):
        for other in own_records(tx, type_name, author_id):
            if other.id != record_id and _is_open_or_passed(other) and _crosses(other, start, end):
                raise invalid_properties(f"{other.data.get('number', '')} is in the same time", "time")


def _is_open_or_passed(record: Record) -> bool:
    return record.data.get("state") not in NOT_DONE | {"draft"}


def _crosses(record: Record, start: int, end: int) -> bool:
    begin, finish = span_of(record.data)
    if record.data.get("backAt"):
        finish = min(finish, parse_utc(record.data["backAt"]))
    return begin < end and start < finish


def own_records(tx: Tx, type_name: str, author_id: str | None) -> list[Record]:
    """Every record of a type that a person has written."""
    return load_written_by(tx.conn, type_name, author_id)
