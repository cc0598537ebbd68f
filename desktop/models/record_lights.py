"""The light of a due date in a table: green far, amber soon, red over; none where nothing is due any more."""

from __future__ import annotations

from desktop.core.clock import utc_date
from desktop.core.domain.conditions import Facts, matches, resolve
from desktop.core.domain.definition import Due, TypeDefinition
from desktop.core.domain.moments import DAY_MS, bounds_ms
from desktop.core.domain.records import Light, Record


def light_of(definition: TypeDefinition, due: Due, record: Record, facts: Facts) -> Light | None:
    """The light of one of the type's dues on a record. A date is over when its day is."""
    bounds = bounds_ms(record.data.get(due.field), facts.zone)
    if bounds is None or record.data.get("state") in definition.final_states:
        return None
    if due.unless and matches(resolve(due.unless, facts), wire_object(record)):
        return None
    left = bounds[1] - facts.now_ms
    if left <= 0:
        return Light.RED
    return Light.AMBER if left <= due.amber_days * DAY_MS else Light.GREEN


def wire_object(record: Record) -> dict[str, object]:
    """The record with its envelope, as filters see it."""
    return {
        **record.data,
        "id": record.id,
        "authorId": record.author_id,
        "createdAt": utc_date(record.created_at),
        "updatedAt": utc_date(record.updated_at),
        "version": record.version,
    }
