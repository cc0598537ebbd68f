"""Time limits of a work item in working time: when it is amber, red, urged, told to the superior, done by the server."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from server_stub.clock import parse_utc, utc_offset
from server_stub.modules.engine.conditions import day_start
from server_stub.records.store import Record
from server_stub.workflow.options import StepOptions
from server_stub.workflow.working_time import WorkingTime, WorkingTimeError

OVERDUE: Final = "overdue"
URGE: Final = "urge"
ESCALATE: Final = "escalate"
AUTOMATIC: Final = "automatic"
AMBER_PERCENT: Final = 70
"""Of the working time between entering and limit; after that a light is amber."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Moments in ms. `moments`: kind → when the server does something about an item that is still open."""

    amber_at: int | None = None
    due_at: int | None = None
    moments: Mapping[str, int] = field(default_factory=dict)


def limits_of(options: StepOptions, record: Record, now: int, work: WorkingTime) -> Limits:
    """What a step's options mean for an item that begins to wait now."""
    due_at = _due(options.limit, record, now, work)
    if due_at is None:
        return Limits()
    worked = work.between(now, due_at)
    amber_at = work.add(now, f"{worked * AMBER_PERCENT // 100 // 60}h{worked * AMBER_PERCENT // 100 % 60}m")
    moments = {OVERDUE: due_at}
    for kind, after in ((URGE, options.urge_after), (ESCALATE, options.escalate_after)):
        if after is not None:
            moments[kind] = work.add(due_at, after)
    if options.on_overdue is not None:
        moments[AUTOMATIC] = work.add(due_at, options.overdue_after or "0h")
    return Limits(min(amber_at, due_at), due_at, moments)


def _due(limit: str | None, record: Record, now: int, work: WorkingTime) -> int | None:
    if limit is None:
        return None
    if not limit.startswith("field:"):
        try:
            return work.add(now, limit)
        except WorkingTimeError:
            return None
    return moment_of(_value(record.data, limit.removeprefix("field:").split(".")), work)


def moment_of(value: Any, work: WorkingTime) -> int | None:
    """A datetime as it is, of a span the end, of a date the end of that day's work; None where there is none."""
    text = value.get("end") if isinstance(value, dict) else value
    if not isinstance(text, str):
        return None
    try:
        if len(text) != 10:
            return parse_utc(text)
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    noon = int(dt.datetime(day.year, day.month, day.day, 12, tzinfo=dt.UTC).timestamp() * 1000)
    return day_start(day, utc_offset(noon)) + work.hours[-1][1] * 60_000


def _value(data: Any, path: list[str]) -> Any:
    for name in path:
        data = data.get(name) if isinstance(data, dict) else None
    return data
