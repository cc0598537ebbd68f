"""Who sees a record, kept in step with everything that decides it; and visibility for many objects or people in a few statements."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.modules.engine.access import Lookup, ScopeKey, principal_keys
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.push.events import ObjectsChanged
from server_stub.records.store import Record, load_records
from server_stub.records.visibility import (
    EVERYONE,
    INF,
    audience,
    do_set_scopes,
    find_scope,
    scope_id,
    scopes_of,
)
from server_stub.storage.database import Tx

_CHUNK = 500


def person_scope_ids(tx: Tx, person_ids: Collection[str]) -> dict[str, int]:
    """Person id → the number of the scope of that one person, made where it is missing."""
    ids = list(dict.fromkeys(person_ids))
    found: dict[str, int] = {}
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        rows = tx.raw.execute(
            f"SELECT ref, id FROM scope WHERE kind = 'person' AND ref IN ({','.join('?' * len(chunk))})", chunk
        )
        found.update((row[0], row[1]) for row in rows)
    for person_id in ids:
        if person_id not in found:
            found[person_id] = scope_id(tx, "person", person_id)
    return found


def do_share_many(tx: Tx, type_name: str, pairs: Sequence[tuple[str, int]]) -> None:
    """Show new objects, each to one scope. The objects must not have been shown to it before (see do_share for those)."""
    if not pairs:
        return
    n = tx.change_id()
    tx.raw.executemany(
        "INSERT INTO record_scope(object_id, type, scope, since, until, touched) VALUES (?, ?, ?, ?, ?, ?)",
        [(object_id, type_name, scope, n, INF, n) for object_id, scope in pairs],
    )
    tx.publish(ObjectsChanged(type_name, n, tuple(dict.fromkeys(scope for _, scope in pairs))))


def do_touch_for(tx: Tx, object_id: str, scopes: Collection[int]) -> None:
    """The object changed for the readers in these scopes only (its counts, say): nobody else hears of it."""
    if not scopes:
        return
    n = tx.change_id()
    rows = tx.raw.execute(
        f"UPDATE record_scope SET touched = ? WHERE object_id = ? AND until = ? AND scope IN ({','.join('?' * len(scopes))})"
        " RETURNING type, scope",
        (n, object_id, INF, *scopes),
    ).fetchall()
    if rows:
        tx.publish(ObjectsChanged(rows[0][0], n, tuple(row[1] for row in rows)))


# ---------------------------------------------------------------- the scopes of records


def do_scope(tx: Tx, context: OfficeContext, record: Record) -> None:
    """Show a record to exactly those its definition and rules name now, and note what that depends on."""
    do_set_scopes(tx, record.id, record.type, context.scopers[record.type](tx, record.author_id, record.data))
    definition = context.types[record.type]
    if not any(_looks_elsewhere(one) for one in definition.access.read):
        return
    lookup = Lookup(tx.conn, context.types)
    for principal in definition.access.read:
        principal_keys(lookup, definition, principal, record.author_id, record.data)
    held = {
        (row[0], row[1]): row[2]
        for row in tx.raw.execute("SELECT kind, ref, value FROM scope_basis WHERE record_id = ?", (record.id,))
    }
    if held == lookup.basis:
        return
    tx.raw.execute("DELETE FROM scope_basis WHERE record_id = ?", (record.id,))
    tx.raw.executemany(
        "INSERT INTO scope_basis(record_id, kind, ref, value) VALUES (?, ?, ?, ?)",
        [(record.id, kind, ref, value) for (kind, ref), value in lookup.basis.items()],
    )


def do_scope_dependents(tx: Tx, context: OfficeContext, record_id: str) -> int:
    """Scope again what took people from this record (`field:vehicleId.driverId`). Returns how many."""
    rows = tx.raw.execute("SELECT record_id FROM scope_basis WHERE kind = 'record' AND ref = ?", (record_id,))
    return _do_scope_all(tx, context, [row[0] for row in rows])


def do_scope_by_directory(tx: Tx, context: OfficeContext) -> int:
    """Scope again what took a superior or a head of department who is another by now. Returns how many."""
    rows = tx.raw.execute(
        "SELECT b.record_id FROM scope_basis AS b LEFT JOIN record AS r ON r.id = b.ref AND r.type = ?"
        " WHERE b.kind = 'superior' AND b.value <> coalesce(json_extract(r.data, '$.superiorId'), '')"
        " UNION SELECT b.record_id FROM scope_basis AS b LEFT JOIN record AS r ON r.id = b.ref AND r.type = ?"
        " WHERE b.kind = 'head' AND b.value <> coalesce(json_extract(r.data, '$.headId'), '')",
        (PERSON, DEPARTMENT),
    )
    return _do_scope_all(tx, context, [row[0] for row in rows])


def do_forget_basis(tx: Tx, record_id: str) -> None:
    """The record is gone."""
    tx.raw.execute("DELETE FROM scope_basis WHERE record_id = ?", (record_id,))


def people_of(
    tx: Tx, context: OfficeContext, definition: TypeDefinition, record: Record, principals: Iterable[str]
) -> set[str]:
    """The people meant by some principals who are active and see the record."""
    lookup = Lookup(tx.conn, context.types)
    keys = dict.fromkeys(
        key for one in principals for key in principal_keys(lookup, definition, one, record.author_id, record.data)
    )
    return readers_among(tx, record.id, people_in(tx, keys))


def readers_among(tx: Tx, record_id: str, person_ids: Iterable[str]) -> set[str]:
    """Those of these people who are active and see the record."""
    wanted = set(person_ids)
    if not wanted:
        return set()
    everyone = find_scope(tx.conn, *EVERYONE)
    held = scopes_of(tx.conn, record_id)
    return {
        one for one in wanted if _is_in(tx, one, [everyone] if everyone is not None else []) and _is_in(tx, one, held)
    }


def people_in(tx: Tx, keys: Iterable[ScopeKey]) -> set[str]:
    """The people who are in these scopes now; those of `person` keys as they are, active or not."""
    people: set[str] = set()
    for kind, ref in keys:
        if kind == "person":
            people.add(ref)
        else:
            scope = find_scope(tx.conn, kind, ref)
            people |= set() if scope is None else audience(tx.conn, [scope])
    return people


def _is_in(tx: Tx, person_id: str, scopes: Sequence[int]) -> bool:
    marks = ",".join("?" * len(scopes))
    statement = f"SELECT 1 FROM membership WHERE person_id = ? AND until = ? AND scope IN ({marks}) LIMIT 1"
    return tx.raw.execute(statement, (person_id, INF, *scopes)).fetchone() is not None


def _do_scope_all(tx: Tx, context: OfficeContext, record_ids: Sequence[str]) -> int:
    records = load_records(tx.conn, record_ids)
    for record in records.values():
        if record.type in context.types:
            do_scope(tx, context, record)
    return len(records)


def _looks_elsewhere(principal: str) -> bool:
    return principal.startswith(("superior", "head:")) or "." in principal


def data_scopes(
    tx: Tx,
    context: OfficeContext,
    definition: TypeDefinition,
    principals: Iterable[str],
    author_id: str | None,
    data: Mapping[str, Any],
) -> list[int]:
    """The scopes these principals stand for, seen from such a record; made where they are missing."""
    lookup = Lookup(tx.conn, context.types)
    keys = [key for one in principals for key in principal_keys(lookup, definition, one, author_id, data)]
    return [scope_id(tx, *key) for key in dict.fromkeys(keys)]
