"""Cases, work items and their history as rows: read, written, shown on the wire. Decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import sqlalchemy as sa
from msgspec import Struct

from server_stub.clock import format_utc
from server_stub.modules.engine.processes.tables import case_event, office_case, work_item
from server_stub.records.types import JsonObject
from server_stub.records.visibility import IN_CHUNK, fetch_rows
from server_stub.storage.database import Tx

CASE: Final = "Case"
WORK_ITEM: Final = "WorkItem"
CASE_EVENT: Final = "CaseEvent"
ENDED: Final = frozenset({"completed", "terminated"})
_CASE_COLUMNS: Final = ", ".join(office_case.columns.keys())
_ITEM_COLUMNS: Final = ", ".join(work_item.columns.keys())
_EVENT_COLUMNS: Final = ", ".join(case_event.columns.keys())


@dataclass(slots=True)
class CaseRow:
    """A case. `shown`: now, next, done, durations as on the wire, and `may`: action → people who may do it without an item of their own."""

    id: str
    record_type: str
    record_id: str
    module: str
    process_id: str
    sha: str
    version: int
    title: str
    state: str
    started_by: str
    started_at: int
    department_id: str | None = None
    ended_at: int | None = None
    end_state: str | None = None
    seq: int = 0
    shown: JsonObject = field(default_factory=dict)

    def to_object(self) -> JsonObject:
        """The Case of the wire."""
        made: JsonObject = {
            "id": self.id,
            "recordType": self.record_type,
            "recordId": self.record_id,
            "module": self.module,
            "processId": self.process_id,
            "processVersion": self.version,
            "title": self.title,
            "state": self.state,
            "startedById": self.started_by,
            "startedAt": format_utc(self.started_at),
            "departmentId": self.department_id,
            **{name: value for name, value in self.shown.items() if name != "may"},
        }
        if self.ended_at is not None:
            made["endedAt"] = format_utc(self.ended_at)
        if self.end_state is not None:
            made["endState"] = self.end_state
        return made


class Offer(Struct, omit_defaults=True, rename="camel"):
    """What an item lets its person do: as it was when the step was entered.

    Attributes:
        actions: as on the wire: {name, outcome?, label?, opinion}.
        moments: kind of time limit → when (ms). parent: the item of the signer who asked this one.
    """

    step_name: str = ""
    step_label: dict[str, str] | None = None
    actions: list[JsonObject] = []
    opinion: str = "optional"
    signature: str = "never"
    attachments: bool = True
    editable: list[str] = []
    required: list[str] = []
    return_to: list[JsonObject] = []
    chooses: list[JsonObject] = []
    moments: dict[str, int] = {}
    parent: str | None = None


@dataclass(slots=True)
class ItemRow:
    """A work item. `people`: who may act → the absent person they act for."""

    id: str
    case_id: str
    token: str
    step_id: str
    kind: str
    part: str
    state: str
    person_id: str | None
    on_behalf_of: str | None
    added_by: str | None
    created_at: int
    read_at: int | None = None
    done_at: int | None = None
    amber_at: int | None = None
    due_at: int | None = None
    urged_at: int | None = None
    closed_by: str | None = None
    offer: Offer = field(default_factory=Offer)
    passed: list[str] = field(default_factory=list)
    people: dict[str, str | None] = field(default_factory=dict)
    todos: dict[str, str] = field(default_factory=dict)

    def to_object(self, case: CaseRow) -> JsonObject:
        """The WorkItem of the wire."""
        offer = self.offer
        made: JsonObject = {
            "id": self.id,
            "caseId": self.case_id,
            "recordType": case.record_type,
            "recordId": case.record_id,
            "module": case.module,
            "title": case.title,
            "stepId": self.step_id,
            "stepName": offer.step_name,
            "kind": self.kind,
            "part": self.part,
            "state": self.state,
            "personId": self.person_id,
            "candidateIds": list(self.people),
            "createdAt": format_utc(self.created_at),
            "actions": offer.actions,
            "opinion": offer.opinion,
            "signature": offer.signature,
            "attachments": offer.attachments,
            "editable": offer.editable,
            "required": offer.required,
            "returnTo": offer.return_to,
            "chooses": offer.chooses,
        }
        made.update({key: value for key, value in self._optional().items() if value is not None})
        return made

    def _optional(self) -> JsonObject:
        shared = {one: absent for one, absent in self.people.items() if absent}
        return {
            "stepLabel": self.offer.step_label,
            "onBehalfOfId": self.on_behalf_of,
            "onBehalf": shared if self.person_id is None and shared else None,
            "addedById": self.added_by,
            "readAt": _text(self.read_at),
            "amberAt": _text(self.amber_at),
            "dueAt": _text(self.due_at),
            "doneAt": _text(self.done_at),
            "urgedAt": _text(self.urged_at),
        }


@dataclass(slots=True)
class EventRow:
    """One entry of the history. `extra`: as on the wire."""

    id: str
    case_id: str
    seq: int
    action: str
    work_item_id: str | None
    step_id: str
    step_name: str
    person_id: str | None
    on_behalf_of: str | None
    at: int
    extra: JsonObject = field(default_factory=dict)

    def to_object(self, record_type: str, record_id: str) -> JsonObject:
        """The CaseEvent of the wire."""
        made: JsonObject = {
            "id": self.id,
            "caseId": self.case_id,
            "recordType": record_type,
            "recordId": record_id,
            "action": self.action,
            "stepId": self.step_id,
            "stepName": self.step_name,
            "personId": self.person_id,
            "at": format_utc(self.at),
            "seq": self.seq,
            **self.extra,
        }
        if self.work_item_id is not None:
            made["workItemId"] = self.work_item_id
        if self.on_behalf_of is not None:
            made["onBehalfOfId"] = self.on_behalf_of
        return made


# ---------------------------------------------------------------- reading


def load_cases(conn: sa.Connection, ids: Sequence[str]) -> dict[str, CaseRow]:
    """Cases by id."""
    return {row[0]: _case(row) for row in _chunked(conn, f"SELECT {_CASE_COLUMNS} FROM office_case WHERE id IN", ids)}


def load_case(conn: sa.Connection, case_id: str) -> CaseRow | None:
    """One case."""
    return load_cases(conn, [case_id]).get(case_id)


def newest_case(conn: sa.Connection, record_id: str) -> CaseRow | None:
    """The case of a record that was started last."""
    rows = fetch_rows(
        conn,
        f"SELECT {_CASE_COLUMNS} FROM office_case WHERE record_id = ? ORDER BY started_at DESC, id DESC LIMIT 1",
        (record_id,),
    )
    return _case(rows[0]) if rows else None


def open_case(conn: sa.Connection, record_id: str) -> CaseRow | None:
    """The case of a record that is running or suspended."""
    found = newest_case(conn, record_id)
    return None if found is None or found.state in ENDED else found


def load_items(conn: sa.Connection, ids: Sequence[str]) -> dict[str, ItemRow]:
    """Work items by id, with who may act on them."""
    rows = _chunked(conn, f"SELECT {_ITEM_COLUMNS} FROM work_item WHERE id IN", ids)
    items = {row[0]: _item(row) for row in rows}
    _fill_people(conn, items)
    return items


def load_open_items(conn: sa.Connection, case_id: str) -> dict[str, ItemRow]:
    """The open items of a case, oldest first."""
    rows = fetch_rows(
        conn,
        f"SELECT {_ITEM_COLUMNS} FROM work_item WHERE case_id = ? AND state = 'open' ORDER BY created_at, id",
        (case_id,),
    )
    items = {row[0]: _item(row) for row in rows}
    _fill_people(conn, items)
    return items


def load_events(conn: sa.Connection, ids: Sequence[str]) -> dict[str, EventRow]:
    """Events by id."""
    rows = _chunked(conn, f"SELECT {_EVENT_COLUMNS} FROM case_event WHERE id IN", ids)
    return {row[0]: EventRow(*[*row[:10], msgspec.json.decode(row[10])]) for row in rows}


def _chunked(conn: sa.Connection, statement: str, ids: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    for start in range(0, len(ids), IN_CHUNK):
        chunk = tuple(ids[start : start + IN_CHUNK])
        yield from fetch_rows(conn, f"{statement} ({','.join('?' * len(chunk))})", chunk)


def _case(row: tuple[Any, ...]) -> CaseRow:
    return CaseRow(*[*row[:15], msgspec.json.decode(row[15])])


def _item(row: tuple[Any, ...]) -> ItemRow:
    offer = msgspec.json.decode(row[17], type=Offer)
    return ItemRow(*[*row[:17], offer, msgspec.json.decode(row[18])])


def _fill_people(conn: sa.Connection, items: Mapping[str, ItemRow]) -> None:
    statement = "SELECT item_id, person_id, on_behalf_of, todo_id FROM work_item_person WHERE item_id IN"
    for item_id, person_id, absent, todo_id in _chunked(conn, statement, list(items)):
        items[item_id].people[person_id] = absent
        if todo_id is not None:
            items[item_id].todos[person_id] = todo_id


# ---------------------------------------------------------------- writing


def do_write_case(tx: Tx, case: CaseRow) -> None:
    """Insert or replace a case."""
    values = [getattr(case, name.strip()) for name in _CASE_COLUMNS.split(",")[:-1]]
    _do_put(tx, "office_case", _CASE_COLUMNS, [*values, _encode(case.shown)])


def do_write_item(tx: Tx, item: ItemRow) -> None:
    """Insert or replace a work item and who may act on it."""
    values = [getattr(item, name.strip()) for name in _ITEM_COLUMNS.split(",")[:-2]]
    _do_put(tx, "work_item", _ITEM_COLUMNS, [*values, _encode(item.offer), _encode(item.passed)])
    tx.raw.execute("DELETE FROM work_item_person WHERE item_id = ?", (item.id,))
    tx.raw.executemany(
        "INSERT INTO work_item_person(item_id, person_id, on_behalf_of, todo_id) VALUES (?, ?, ?, ?)",
        [(item.id, one, absent, item.todos.get(one)) for one, absent in item.people.items()],
    )


def do_write_event(tx: Tx, event: EventRow) -> None:
    """Add to the history; there is no other way to write it."""
    values = [getattr(event, name.strip()) for name in _EVENT_COLUMNS.split(",")[:-1]]
    tx.raw.execute(
        f"INSERT INTO case_event({_EVENT_COLUMNS}) VALUES ({','.join('?' * (len(values) + 1))})",
        (*values, _encode(event.extra)),
    )


def _do_put(tx: Tx, table: str, columns: str, values: Sequence[Any]) -> None:
    marks = ",".join("?" * len(values))
    tx.raw.execute(f"INSERT OR REPLACE INTO {table}({columns}) VALUES ({marks})", tuple(values))


def _encode(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _text(at: int | None) -> str | None:
    return None if at is None else format_utc(at)
