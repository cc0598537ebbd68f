"""To-dos: what a definition's rules make wait for whom, kept in step with every write of a record (docs/protocol.md §4, Todo)."""

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.directory import load_rights
from server_stub.clock import format_utc
from server_stub.errors import SetError, SetErrorType
from server_stub.ids import uuid7
from server_stub.modules.engine.alerts import OFFICE, AlertText, do_alert, do_drop_alerts
from server_stub.modules.engine.conditions import matches
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import TodoRule, TypeDefinition
from server_stub.modules.engine.scopes import do_share_many, people_of, person_scope_ids
from server_stub.modules.engine.tables import todo
from server_stub.modules.engine.titles import title_of
from server_stub.records.actor import Actor
from server_stub.records.handler import RecordHandler
from server_stub.records.store import Record
from server_stub.records.types import GetResult, JsonObject
from server_stub.records.visibility import do_bury, do_touch, visible_ids
from server_stub.storage.database import Tx

TODO: Final = "Todo"
KEPT_MS: Final = 90 * 86_400_000
_CHUNK: Final = 500


def do_todos(tx: Tx, context: OfficeContext, record: Record, by: str | None = None) -> None:
    """Make and close the to-dos about a record so that they are what its rules say now.

    Args:
        by: who wrote the record: somebody is not alerted of what he gave himself to do.
    """
    definition = context.types[record.type]
    if not definition.todos:
        return
    title = title_of(tx.conn, context.types, definition, record.data)
    for rule in definition.todos:
        wanted = _wanted(tx, context, definition, rule, record)
        held = _open(tx, record.id, rule.id)
        due_at = _due_text(record.data.get(rule.due)) if rule.due is not None else None
        for person_id in sorted(held.keys() - wanted):
            _do_close(tx, record, held[person_id][0], person_id)
        _do_open(tx, context, rule, record, sorted(wanted - held.keys()), title, due_at, by)
        for person_id in held.keys() & wanted:
            if held[person_id][1:] != (title, due_at):
                _do_rename(tx, held[person_id][0], title, due_at)


def do_close_to_read(tx: Tx, record: Record, person_id: str) -> None:
    """The person has read the record. What a process gave to read is closed by reading it there."""
    rows = tx.raw.execute(
        "SELECT id FROM todo WHERE record_id = ? AND person_id = ? AND kind = 'toRead' AND done_at IS NULL"
        " AND rule NOT LIKE 'step:%'",
        (record.id, person_id),
    ).fetchall()
    for (todo_id,) in rows:
        _do_close(tx, record, todo_id, person_id)


def do_drop_todos(tx: Tx, record_id: str) -> None:
    """The record is gone: nothing about it waits, and nothing about it was done."""
    for (todo_id,) in tx.raw.execute("SELECT id FROM todo WHERE record_id = ?", (record_id,)).fetchall():
        do_bury(tx, todo_id)
    tx.raw.execute("DELETE FROM todo WHERE record_id = ?", (record_id,))


def do_forget_done(tx: Tx) -> int:
    """Drop what was done more than 90 days ago. Returns how many."""
    rows = tx.raw.execute("SELECT id FROM todo WHERE done_at < ?", (tx.now - KEPT_MS,)).fetchall()
    for (todo_id,) in rows:
        do_bury(tx, todo_id)
    tx.raw.executemany("DELETE FROM todo WHERE id = ?", rows)
    return len(rows)


def _wanted(tx: Tx, context: OfficeContext, definition: TypeDefinition, rule: TodoRule, record: Record) -> set[str]:
    """Who has to do it now. `@me` in the rule's filter is that person."""
    state = definition.state(record.data.get("state"))
    if rule.kind == "todo" and state is not None and state.final:
        return set()
    shown = record.to_object()
    personal = "@m" in str(rule.when)
    standpoint = context.standpoint(tx.now)
    if not personal and not matches(rule.when, shown, standpoint):
        return set()
    people = people_of(tx, context, definition, record, rule.to)
    if personal:
        people = {
            one
            for one in people
            if matches(rule.when, shown, context.standpoint(tx.now, Actor(one, department_ids=_departments(tx, one))))
        }
    if rule.kind == "toRead" and people:
        rows = tx.raw.execute("SELECT person_id FROM read_mark WHERE record_id = ?", (record.id,))
        people -= {row[0] for row in rows}
    return people


def _departments(tx: Tx, person_id: str) -> tuple[str, ...]:
    return load_rights(tx.conn, person_id).department_ids


def _open(tx: Tx, record_id: str, rule_id: str) -> dict[str, tuple[str, str, str | None]]:
    """Person → (id, title, due) of what waits."""
    rows = tx.raw.execute(
        "SELECT person_id, id, title, due_at FROM todo WHERE record_id = ? AND rule = ? AND done_at IS NULL",
        (record_id, rule_id),
    )
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _due_text(value: Any) -> str | None:
    start = value.get("start") if isinstance(value, dict) else value
    return start if isinstance(start, str) else None


def _do_open(
    tx: Tx,
    context: OfficeContext,
    rule: TodoRule,
    record: Record,
    person_ids: Sequence[str],
    title: str,
    due_at: str | None,
    by: str | None,
) -> None:
    label = {"zh": rule.label.zh, "en": rule.label.en}
    do_give_todos(tx, context, record, rule.id, rule.kind, person_ids, title, due_at, label, by)


def do_give_todos(
    tx: Tx,
    context: OfficeContext,
    record: Record,
    rule: str,
    kind: str,
    person_ids: Sequence[str],
    title: str,
    due_at: str | None,
    label: dict[str, str],
    by: str | None,
) -> dict[str, str]:
    """A to-do about a record for each of these people, with an alert where it is work and not their own doing. Returns person → its id."""
    if not person_ids:
        return {}
    scopes = person_scope_ids(tx, person_ids)
    made = [(uuid7(tx.now), person_id) for person_id in person_ids]
    module = context.modules.get(record.type, "")
    tx.raw.executemany(
        "INSERT INTO todo(id, record_id, record_type, module, rule, kind, person_id, title, due_at, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (todo_id, record.id, record.type, module, rule, kind, person_id, title, due_at, tx.now)
            for todo_id, person_id in made
        ],
    )
    do_share_many(tx, TODO, [(todo_id, scopes[person_id]) for todo_id, person_id in made])
    told = [one for one in person_ids if one != by]
    if told and kind == "todo":
        do_alert(tx, told, AlertText("todo", title, label["zh"], False, record.type, record.id, label, beside=True))
    return {person_id: todo_id for todo_id, person_id in made}


def do_retitle_todo(tx: Tx, todo_id: str, title: str, due_at: str | None) -> None:
    """What it is about is called something else, or is due at another time."""
    _do_rename(tx, todo_id, title, due_at)


def do_finish_todo(
    tx: Tx, record: Record, todo_id: str, person_id: str, rule: str = "", text: str | None = None
) -> None:
    """The to-do waits no more. `rule`, `text`: of the to-do and its alert, which goes while others about the record still wait."""
    _do_close(tx, record, todo_id, person_id, rule, text)


def _do_close(tx: Tx, record: Record, todo_id: str, person_id: str, rule: str = "", text: str | None = None) -> None:
    tx.raw.execute("UPDATE todo SET done_at = ? WHERE id = ?", (tx.now, todo_id))
    do_touch(tx, todo_id)
    waiting = "SELECT rule FROM todo WHERE record_id = ? AND person_id = ? AND done_at IS NULL"
    others = {row[0] for row in tx.raw.execute(waiting, (record.id, person_id))}
    if not others:
        do_drop_alerts(tx, record.type, record.id, [person_id], kinds=("todo", "urge", "overdue"))
    elif text is not None and rule not in others:
        do_drop_alerts(tx, record.type, record.id, [person_id], kinds=("todo",), text=text)


def _do_rename(tx: Tx, todo_id: str, title: str, due_at: str | None) -> None:
    tx.raw.execute("UPDATE todo SET title = ?, due_at = ? WHERE id = ?", (title, due_at, todo_id))
    do_touch(tx, todo_id)


class TodoHandler(RecordHandler):
    """The Todo type: read your own; the server alone makes and closes them."""

    properties = frozenset(
        "id recordId recordType module rule kind personId title dueAt state createdAt doneAt".split()
    )

    def __init__(self) -> None:
        super().__init__(TODO, OFFICE)

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        found: dict[str, JsonObject] = {}
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            found.update((row.id, _present(row)) for row in conn.execute(sa.select(todo).where(todo.c.id.in_(chunk))))
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, "a to-do is done when its record says so")

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        raise SetError(SetErrorType.FORBIDDEN, "a to-do is done when its record says so")


def _present(row: Any) -> JsonObject:
    shown = {
        "id": row.id,
        "recordId": row.record_id,
        "recordType": row.record_type,
        "module": row.module,
        "rule": row.rule,
        "kind": row.kind,
        "personId": row.person_id,
        "title": row.title,
        "state": "open" if row.done_at is None else "done",
        "createdAt": format_utc(row.created_at),
    }
    if row.due_at is not None:
        shown["dueAt"] = row.due_at
    if row.done_at is not None:
        shown["doneAt"] = format_utc(row.done_at)
    return shown
