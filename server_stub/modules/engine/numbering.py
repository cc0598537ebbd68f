"""Numbers given once and without holes: a counter row for each type and period, taken inside the transaction that needs it.

What is rolled back gives its number back; what is destroyed or voided leaves a row that says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import utc_offset
from server_stub.modules.engine.conditions import local_day
from server_stub.modules.engine.definition import Numbering, TypeDefinition
from server_stub.modules.engine.tables import number_gap
from server_stub.records.store import Record
from server_stub.storage.database import Tx

DESTROYED: Final = "destroyed"
VOID_STATES: Final = frozenset({"void", "voided", "cancelled", "canceled", "revoked", "annulled", "withdrawn"})
"""Final states in which a number stands for nothing valid."""
_PERIODS: Final = {"day": "%Y%m%d", "month": "%Y%m", "year": "%Y", "never": ""}
_PLACE: Final = re.compile(r"\{(yyyy|yy|MM|dd|n)(?::0(\d))?\}")


@dataclass(frozen=True, slots=True)
class Gap:
    """A number without a valid record. `reason`: destroyed, or the state it was voided by; `at` in ms."""

    number: str
    record_id: str
    reason: str
    at: int
    person_id: str | None


def do_number(tx: Tx, definition: TypeDefinition, data: dict[str, Any]) -> None:
    """Give a record its number when it is time, and has none."""
    rule = definition.numbering
    if rule is None or data.get(rule.field) or (rule.state is not None and data.get("state") != rule.state):
        return
    today = local_day(tx.now, utc_offset(tx.now))
    period = today.strftime(_PERIODS[rule.period])
    row = tx.raw.execute(
        "INSERT INTO number_counter(type, period, last) VALUES (?, ?, 1)"
        " ON CONFLICT (type, period) DO UPDATE SET last = last + 1 RETURNING last",
        (definition.name, period),
    ).fetchone()
    data[rule.field] = format_number(rule, today, row[0])


def format_number(rule: Numbering, day: date, count: int) -> str:
    """`YC{yyyy}-{n:03}` → `YC2026-007`."""
    values = {"yyyy": f"{day.year:04}", "yy": f"{day.year % 100:02}", "MM": f"{day.month:02}", "dd": f"{day.day:02}"}

    def fill(place: re.Match[str]) -> str:
        return values.get(place[1], f"{count:0{place[2] or 1}d}")

    return _PLACE.sub(fill, rule.pattern)


def do_note_void(tx: Tx, definition: TypeDefinition, record: Record, before: Mapping[str, Any], by: str | None) -> None:
    """Note, or take back, that the number of a changed record stands for nothing."""
    state, was = definition.state(record.data.get("state")), before.get("state")
    if definition.numbering is None or state is None or state.value == was:
        return
    if state.final and state.value in VOID_STATES:
        do_note_gap(tx, definition, record, state.value, by)
    elif was in VOID_STATES:
        tx.raw.execute(
            "DELETE FROM number_gap WHERE type = ? AND record_id = ? AND reason = ?", (definition.name, record.id, was)
        )


def do_note_gap(tx: Tx, definition: TypeDefinition, record: Record, reason: str, by: str | None) -> None:
    """The record's number, if it has one, is given to nothing else: say why it is missing."""
    number = record.data.get(definition.numbering.field) if definition.numbering is not None else None
    if number:
        tx.raw.execute(
            "INSERT INTO number_gap(type, number, record_id, reason, at, person_id) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (type, number) DO UPDATE SET reason = excluded.reason, at = excluded.at, person_id = excluded.person_id",
            (definition.name, number, record.id, reason, tx.now, by),
        )


def load_gaps(conn: sa.Connection, type_name: str) -> list[Gap]:
    """Every gap in the numbers of a type, by number: for registers and reports."""
    rows = conn.execute(sa.select(number_gap).where(number_gap.c.type == type_name).order_by(number_gap.c.number))
    return [Gap(row.number, row.record_id, row.reason, row.at, row.person_id) for row in rows]
