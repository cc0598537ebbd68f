"""Reminders of due dates (definition.Due): at 08:00 of the office's day, so many days before, as alerts, until `unless` holds."""

import datetime as dt
from typing import Any, Final

from server_stub.clock import UTC, parse_utc, utc_offset
from server_stub.modules.engine.alerts import AlertText, do_alert, do_drop_alerts
from server_stub.modules.engine.conditions import day_start, local_day, matches
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Due, TypeDefinition
from server_stub.modules.engine.dues import do_clear_due, do_set_due
from server_stub.modules.engine.scopes import people_of
from server_stub.modules.engine.titles import title_of
from server_stub.records.store import Record
from server_stub.storage.database import Tx

DUE: Final = "due"
PREFIX: Final = "remind"
HOUR: Final = 8
HOUR_MS: Final = 3_600_000


def do_reminders(tx: Tx, context: OfficeContext, record: Record) -> None:
    """Set the moments at which to remind of a record, and drop reminders of what is settled."""
    definition = context.types[record.type]
    if not definition.due:
        return
    open_ones = [one for one in definition.due if is_open(tx.now, context, definition, record, one)]
    if not open_ones:
        do_drop_alerts(tx, record.type, record.id, kinds=(DUE,))
    wanted = {
        _kind(one, days): at
        for one in open_ones
        for days in one.remind_days
        if (at := moment(record.data.get(one.field), days)) is not None and at > tx.now
    }
    held = tx.raw.execute(
        "SELECT kind, at FROM due WHERE record_id = ? AND kind LIKE 'remind:%'", (record.id,)
    ).fetchall()
    for kind, at in held:
        if wanted.get(kind) != at:
            do_clear_due(tx, record.id, kind)
    for kind, at in wanted.items():
        if (kind, at) not in held:
            do_set_due(tx, record.id, record.type, kind, at)


def do_remind(tx: Tx, context: OfficeContext, record: Record, kind: str) -> None:
    """The moment has come: alert those the definition names."""
    definition = context.types[record.type]
    rule = next((one for one in definition.due if kind in [_kind(one, days) for days in one.remind_days]), None)
    if rule is None or not is_open(tx.now, context, definition, record, rule):
        return
    people = people_of(tx, context, definition, record, rule.to)
    day = due_day(record.data[rule.field])
    label = {"zh": f"{rule.label.zh} {day}", "en": f"{rule.label.en} {day}"}
    title = title_of(tx.conn, context.types, definition, record.data)
    do_alert(tx, people, AlertText(DUE, title, label["zh"], False, record.type, record.id, label))


def is_reminder(kind: str) -> bool:
    """Whether a duty of this kind is one of these reminders."""
    return kind.startswith(f"{PREFIX}:")


def is_open(now: int, context: OfficeContext, definition: TypeDefinition, record: Record, rule: Due) -> bool:
    """Whether something still has to be done by then."""
    state = definition.state(record.data.get("state"))
    if (state is not None and state.final) or due_day(record.data.get(rule.field)) is None:
        return False
    return rule.unless is None or not matches(rule.unless, record.to_object(), context.standpoint(now))


def moment(value: Any, days: int) -> int | None:
    """08:00 so many days before a date, moment or span; None when there is none."""
    day = due_day(value)
    if day is None:
        return None
    wanted = day - dt.timedelta(days=days)
    noon = (dt.datetime(wanted.year, wanted.month, wanted.day, 12, tzinfo=UTC)).timestamp()
    return day_start(wanted, utc_offset(int(noon * 1000))) + HOUR * HOUR_MS


def due_day(value: Any) -> dt.date | None:
    """The office's day of a date, of a moment, of a span's start."""
    text = value.get("start") if isinstance(value, dict) else value
    if not isinstance(text, str):
        return None
    try:
        if len(text) == 10:
            return dt.date.fromisoformat(text)
        at = parse_utc(text)
    except ValueError:
        return None
    return local_day(at, utc_offset(at))


def _kind(rule: Due, days: int) -> str:
    return f"{PREFIX}:{rule.field}:{days}"
