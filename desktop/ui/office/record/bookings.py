"""Who holds a resource at a time, and which ones are free then: from the records on this device, as a hint; the server decides."""

from __future__ import annotations

from typing import Any

from desktop.core.domain.definition import TypeDefinition
from desktop.core.domain.records import Hold, Record, RecordQuery
from desktop.models.record_values import span_of
from desktop.ui.office.views.base import ViewContext

MOST = 500


async def find_holds(
    context: ViewContext, definition: TypeDefinition, span: Any, *, without: str = ""
) -> dict[str, tuple[Hold, ...]]:
    """Resource id → holds that overlap the span, by records of any type that books the same; touching is free.

    `without`: a record that does not count, the one being written. What the server refused to make holds nothing either.
    """
    wanted = span_of(span)
    found: dict[str, tuple[Hold, ...]] = {}
    if definition.booking is None or wanted is None:
        return found
    for one in _booking_the_same(context, definition):
        booking = one.booking
        for record in await _records_before(context, one, span["end"]):
            held = span_of(record.data.get(booking.span)) if booking is not None else None
            resource = record.data.get(booking.resource) if booking is not None else None
            idle = record.id == without or (record.refusal is not None and not record.version)
            if idle or held is None or not isinstance(resource, str):
                continue
            if held[0] < wanted[1] and wanted[0] < held[1]:
                found[resource] = (*found.get(resource, ()), _hold(context, one, record))
    return found


def _target(definition: TypeDefinition) -> str | None:
    field = definition.field(definition.booking.resource) if definition.booking is not None else None
    return field.target if field is not None else None


def _booking_the_same(context: ViewContext, definition: TypeDefinition) -> list[TypeDefinition]:
    """The type itself, and others whose records hold the same resources: a car in repair is not free."""
    target = _target(definition)
    others = (one for module in context.modules for one in module.types)
    return [definition, *(one for one in others if one.name != definition.name and target and _target(one) == target)]


async def _records_before(context: ViewContext, definition: TypeDefinition, end: str) -> tuple[Record, ...]:
    booking = definition.booking
    assert booking is not None, definition.name
    condition: dict[str, Any] = {f"{booking.span}Before": end}
    if booking.states:
        condition["state"] = list(booking.states)
    query = RecordQuery(type_name=definition.name, filter=condition, sort=(f"-{booking.span}",), limit=MOST)
    return (await context.records.page(query)).records


def _hold(context: ViewContext, definition: TypeDefinition, record: Record) -> Hold:
    booking = definition.booking
    span = record.data.get(booking.span) if booking is not None else None
    held = span if isinstance(span, dict) else {}
    return Hold(type=record.type, id=record.id, title=context.title(record), span=held, author_id=record.author_id)


async def find_free(context: ViewContext, definition: TypeDefinition, held: frozenset[str]) -> tuple[str, ...]:
    """Resources that nobody holds, of those that may be chosen at all."""
    booking = definition.booking
    field = definition.field(booking.resource) if booking is not None else None
    if field is None or field.target is None:
        return ()
    page = await context.records.page(RecordQuery(type_name=field.target, filter=field.only, limit=MOST))
    return tuple(record.id for record in page.records if record.id not in held)
