"""Visibility for many objects or many people at once: the same rows as records.visibility writes, in a few statements."""

from collections.abc import Collection, Sequence

from server_stub.push.events import ObjectsChanged
from server_stub.records.visibility import INF, scope_id
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
