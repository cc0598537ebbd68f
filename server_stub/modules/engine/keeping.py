"""Writes a record with everything that hangs on it: formulas, number, unique values, bookings, history, readers, to-dos, reminders, followers.

Checks no rights and no values: handler.py does for people, rules.py answers for what a module's own code writes.
"""

from collections.abc import Mapping
from typing import Any

from server_stub.errors import invalid_properties
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.alerts import do_drop_alerts
from server_stub.modules.engine.annotations import do_drop_annotations
from server_stub.modules.engine.blobrefs import do_drop_blobs
from server_stub.modules.engine.bookings import do_book, do_release
from server_stub.modules.engine.case_removal import do_drop_cases
from server_stub.modules.engine.comments import do_drop_comments
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.dues import do_clear_due
from server_stub.modules.engine.fields import compute_formulas
from server_stub.modules.engine.follows import do_drop_follows, do_tell_followers
from server_stub.modules.engine.lookups import do_forget_values, do_index_values
from server_stub.modules.engine.marks import do_drop_marks
from server_stub.modules.engine.numbering import DESTROYED, do_note_gap, do_note_void, do_number
from server_stub.modules.engine.reminders import do_reminders
from server_stub.modules.engine.scopes import do_forget_basis, do_scope, do_scope_dependents
from server_stub.modules.engine.todos import do_drop_todos, do_todos
from server_stub.modules.engine.uniqueness import do_claim_unique, do_release_unique
from server_stub.records.store import Record, do_create_record, do_destroy_record, do_update_record
from server_stub.storage.database import Tx


def do_keep_new(
    tx: Tx,
    context: OfficeContext,
    type_name: str,
    record_id: str,
    data: Mapping[str, Any],
    author_id: str | None,
    viewer: Viewer | None = None,
) -> Record:
    """Write a new record.

    Args:
        viewer: who is told of what is in the way; None: the server itself.

    Raises:
        SetError: invalidProperties (unique, id taken), overlap.
    """
    definition = context.types[type_name]
    kept = dict(data)
    compute_formulas(definition, kept)
    if "state" not in kept and definition.states:
        kept["state"] = definition.states[0].value
    do_number(tx, definition, kept)
    do_claim_unique(tx, definition, record_id, kept, viewer)
    do_book(tx, context.types, definition, record_id, kept, viewer, _standpoint(tx, context, viewer))
    record = do_create_record(tx, type_name, record_id, kept, scopes=(), author_id=author_id)
    do_index_values(tx, definition, record_id, kept)
    do_scope(tx, context, record)
    do_reminders(tx, context, record)
    do_todos(tx, context, record, author_id)
    return record


def do_keep(
    tx: Tx,
    context: OfficeContext,
    record: Record,
    data: Mapping[str, Any],
    by: str | None,
    viewer: Viewer | None = None,
    *,
    touch_time: bool = True,
) -> Record:
    """Write the changed data of a record; nothing happens when nothing differs.

    Raises:
        SetError: invalidProperties (unique), overlap.
    """
    definition = context.types[record.type]
    kept = dict(data)
    compute_formulas(definition, kept)
    do_number(tx, definition, kept)
    if kept == record.data:
        return record
    do_claim_unique(tx, definition, record.id, kept, viewer)
    do_book(tx, context.types, definition, record.id, kept, viewer, _standpoint(tx, context, viewer))
    after = do_update_record(tx, record, kept, touch_time=touch_time, by=by)
    do_index_values(tx, definition, record.id, kept)
    do_note_void(tx, definition, after, record.data, by)
    do_scope(tx, context, after)
    do_scope_dependents(tx, context, record.id)
    do_reminders(tx, context, after)
    do_todos(tx, context, after, by)
    if record.data.get("state") != kept.get("state"):
        do_tell_followers(tx, context, after, by)
    return after


def do_drop(tx: Tx, context: OfficeContext, record: Record, by: str | None) -> None:
    """Destroy a record with all that hangs on it; its number stays known as a gap.

    Raises:
        SetError: invalidProperties: it is booked by others.
    """
    definition = context.types[record.type]
    _refuse_held(tx, record)
    do_note_gap(tx, definition, record, DESTROYED, by)
    do_release_unique(tx, record.id)
    do_forget_values(tx, record.id)
    do_release(tx, record.id)
    do_drop_todos(tx, record.id)
    do_drop_cases(tx, record.id)
    do_drop_comments(tx, record.id)
    do_drop_annotations(tx, record.id)
    do_drop_follows(tx, record.id)
    do_drop_marks(tx, record.id)
    do_drop_alerts(tx, record.type, record.id)
    do_clear_due(tx, record.id)
    do_drop_blobs(tx, definition, record.id)
    do_forget_basis(tx, record.id)
    do_destroy_record(tx, record.id)
    do_scope_dependents(tx, context, record.id)


def do_refresh(tx: Tx, context: OfficeContext, record: Record) -> None:
    """Bring what hangs on a stored record in line with a definition that changed; its data stays as it is.

    Raises:
        SetError: two records share what must be unique now, or hold the same thing at the same time.
    """
    definition = context.types[record.type]
    do_claim_unique(tx, definition, record.id, record.data, None)
    do_index_values(tx, definition, record.id, record.data)
    do_book(tx, context.types, definition, record.id, record.data, None, context.standpoint(tx.now))
    do_scope(tx, context, record)
    do_reminders(tx, context, record)
    do_todos(tx, context, record)


def _refuse_held(tx: Tx, record: Record) -> None:
    row = tx.raw.execute('SELECT 1 FROM booking WHERE resource_id = ? AND "end" > ? LIMIT 1', (record.id, tx.now))
    if row.fetchone() is not None:
        raise invalid_properties("it is booked", "id")


def _standpoint(tx: Tx, context: OfficeContext, viewer: Viewer | None) -> Any:
    return context.standpoint(tx.now, None if viewer is None else viewer.actor)
