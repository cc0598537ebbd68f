"""Who holds what when: spans [start, end) of resources, written with the record. Touching is fine; overlapping never is, whatever the types."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.clock import parse_utc
from server_stub.errors import SetError
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.conditions import Standpoint, compile_conditions
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.modules.engine.titles import title_of
from server_stub.records.store import load_records
from server_stub.records.visibility import visible_ids
from server_stub.storage.database import Tx

OVERLAP: Final = "overlap"
MAX_FREE: Final = 50


def do_book(
    tx: Tx,
    types: Mapping[str, TypeDefinition],
    definition: TypeDefinition,
    record_id: str,
    data: Mapping[str, Any],
    viewer: Viewer | None,
    standpoint: Standpoint,
) -> None:
    """Hold what the record holds now, and nothing else.

    Raises:
        SetError: overlap, with who holds it and what is free then.
    """
    rule = definition.booking
    if rule is None:
        return
    wanted = _wanted(definition, data)
    held = {
        (row[0], row[1], row[2])
        for row in tx.raw.execute('SELECT resource_id, start, "end" FROM booking WHERE record_id = ?', (record_id,))
    }
    if wanted == held:
        return
    do_release(tx, record_id)
    for resource_id, start, end in sorted(wanted):
        others = holds(tx.conn, resource_id, start, end)
        if others:
            raise _overlap(tx.conn, types, definition, others, (start, end), viewer, standpoint)
        tx.raw.execute(
            'INSERT INTO booking(record_id, resource_id, type, start, "end") VALUES (?, ?, ?, ?, ?)',
            (record_id, resource_id, definition.name, start, end),
        )


def do_release(tx: Tx, record_id: str) -> None:
    """The record holds nothing any more."""
    tx.raw.execute("DELETE FROM booking WHERE record_id = ?", (record_id,))


def holds(conn: sa.Connection, resource_id: str, start: int, end: int) -> list[str]:
    """The records that hold a resource at some time in [start, end), by time."""
    rows = conn.exec_driver_sql(
        'SELECT record_id FROM booking WHERE resource_id = ? AND start < ? AND "end" > ? ORDER BY start',
        (resource_id, end, start),
    )
    return [row[0] for row in rows]


def busy_resources(conn: sa.Connection, resource_ids: Sequence[str], start: int, end: int) -> set[str]:
    """Those of the resources that are held at some time in [start, end)."""
    rows = conn.exec_driver_sql('SELECT DISTINCT resource_id FROM booking WHERE start < ? AND "end" > ?', (end, start))
    return {row[0] for row in rows} & set(resource_ids)


def _wanted(definition: TypeDefinition, data: Mapping[str, Any]) -> set[tuple[str, int, int]]:
    rule = definition.booking
    span = data.get(rule.span) if rule is not None else None
    if rule is None or not isinstance(span, dict) or (rule.states and data.get("state") not in rule.states):
        return set()
    resources = data.get(rule.resource) or []
    start, end = parse_utc(span["start"]), parse_utc(span["end"])
    return {(one, start, end) for one in ([resources] if isinstance(resources, str) else resources)}


def _overlap(
    conn: sa.Connection,
    types: Mapping[str, TypeDefinition],
    definition: TypeDefinition,
    others: Sequence[str],
    span: tuple[int, int],
    viewer: Viewer | None,
    standpoint: Standpoint,
) -> SetError:
    assert definition.booking is not None
    conflicts = _conflicts(conn, types, others, viewer)
    free = _free(conn, definition, span, viewer, standpoint)
    properties = [definition.booking.span]
    return SetError(OVERLAP, "it is taken at that time", properties, conflicts=conflicts, free=free)


def _conflicts(
    conn: sa.Connection, types: Mapping[str, TypeDefinition], ids: Sequence[str], viewer: Viewer | None
) -> list[dict[str, Any]]:
    """Who holds it and when; which record that is only for those who see it."""
    found = load_records(conn, ids)
    shown: list[dict[str, Any]] = []
    for record in (found[one] for one in ids if one in found):
        definition = types.get(record.type)
        if definition is None or definition.booking is None:
            continue
        entry: dict[str, Any] = {
            "type": record.type,
            "span": record.data.get(definition.booking.span),
            "authorId": record.author_id,
        }
        if viewer is None or visible_ids(conn, viewer.actor.person_id, record.type, [record.id]):
            entry["id"], entry["title"] = record.id, title_of(conn, types, definition, record.data)
        shown.append(entry)
    return shown


def _free(
    conn: sa.Connection,
    definition: TypeDefinition,
    span: tuple[int, int],
    viewer: Viewer | None,
    standpoint: Standpoint,
) -> list[str]:
    """What could be had instead: visible, allowed by the field's `only`, held by nobody then."""
    assert definition.booking is not None
    field = definition.field(definition.booking.resource)
    if viewer is None or field is None or field.target is None:
        return []
    ids = visible_ids(conn, viewer.actor.person_id, field.target, None)
    busy = busy_resources(conn, ids, *span)
    candidates = load_records(conn, [one for one in ids if one not in busy], type_name=field.target)
    allowed = compile_conditions(field.only or {}, standpoint)
    return [one.id for one in candidates.values() if allowed(one.to_object())][:MAX_FREE]
