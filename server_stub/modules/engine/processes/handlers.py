"""The wire types Case, WorkItem and CaseEvent (docs/protocol.md §4): seen by whoever sees the record; people act by creating a CaseEvent."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.processes.acting import do_act, is_admin
from server_stub.modules.engine.processes.request import read_wish
from server_stub.modules.engine.processes.rows import (
    CASE,
    CASE_EVENT,
    ENDED,
    WORK_ITEM,
    CaseRow,
    do_write_item,
    load_cases,
    load_events,
    load_items,
)
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.handler import RecordHandler, compile_filter, sort_objects
from server_stub.records.store import access_record
from server_stub.records.types import Comparator, GetResult, JsonObject, QueryResult, Window, cut_window
from server_stub.records.visibility import do_touch, fetch_rows, visible_ids
from server_stub.storage.database import Tx

_NARROWING: Final[Mapping[str, Mapping[str, str]]] = {
    CASE: {"id": "id", "recordId": "record_id"},
    WORK_ITEM: {"id": "id", "caseId": "case_id"},
    CASE_EVENT: {"id": "id", "caseId": "case_id"},
}
_TABLES: Final = {CASE: "office_case", WORK_ITEM: "work_item", CASE_EVENT: "case_event"}


class _OfCase(RecordHandler):
    """What the three have in common: read by who sees the record, written by the server alone."""

    refused: ClassVar[str] = ""

    def __init__(self, name: str) -> None:
        super().__init__(name, OFFICE)

    def load(self, conn: sa.Connection, actor: Actor, ids: Sequence[str]) -> dict[str, JsonObject]:
        """These objects for this reader."""
        raise NotImplementedError

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        wanted = list(dict.fromkeys(visible_ids(conn, actor.person_id, self.name, ids)))
        found = self.load(conn, actor, wanted)
        missing = [] if ids is None else [one for one in dict.fromkeys(ids) if one not in found]
        return GetResult([found[one] for one in wanted if one in found], missing)

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        """RFC 8620 §5.5; a filter on recordId, caseId, or one's own open work looks at those only."""
        objects = self.get(conn, actor, self._narrowed(conn, actor, filter_ or {}), None).list
        if filter_ is not None:
            matches = compile_filter(filter_, self.compile_condition)
            objects = [one for one in objects if matches(one)]
        return cut_window([one["id"] for one in sort_objects(objects, sort)], window)

    def _narrowed(self, conn: sa.Connection, actor: Actor, filter_: Mapping[str, Any]) -> list[str] | None:
        """Ids among which everything that matches is; None: anything may match."""
        if self.name == WORK_ITEM and filter_.get("personId", filter_.get("candidateIds")) == actor.person_id:
            return _items_of(conn, actor.person_id, open_only=filter_.get("state") == "open")
        for name, column in _NARROWING[self.name].items():
            value = filter_.get(name)
            if isinstance(value, str):
                table = _TABLES[self.name]
                return [row[0] for row in fetch_rows(conn, f"SELECT id FROM {table} WHERE {column} = ?", (value,))]
        value = filter_.get("recordId")
        if isinstance(value, str):
            of_cases = f"SELECT t.id FROM {_TABLES[self.name]} AS t JOIN office_case AS c ON c.id = t.case_id WHERE c.record_id = ?"
            return [row[0] for row in fetch_rows(conn, of_cases, (value,))]
        return None

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        raise SetError(SetErrorType.FORBIDDEN, self.refused)

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        raise SetError(SetErrorType.FORBIDDEN, self.refused)

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        raise SetError(SetErrorType.FORBIDDEN, self.refused)


def _items_of(conn: sa.Connection, person_id: str, *, open_only: bool) -> list[str]:
    only = " AND todo_id IS NOT NULL" if open_only else ""
    return [
        row[0]
        for row in fetch_rows(conn, f"SELECT item_id FROM work_item_person WHERE person_id = ?{only}", (person_id,))
    ]


class CaseHandler(_OfCase):
    """The Case type: where a record is. `actions`: what this reader may do with it without an item of the own."""

    refused = "a case is moved by creating a CaseEvent"
    properties = frozenset(
        "id recordType recordId module processId processVersion title state startedById startedAt departmentId endedAt endState"
        " now next done way durations actions".split()
    )

    def __init__(self) -> None:
        super().__init__(CASE)

    def load(self, conn: sa.Connection, actor: Actor, ids: Sequence[str]) -> dict[str, JsonObject]:
        return {one: _presented(case, actor) for one, case in load_cases(conn, ids).items()}


def _presented(case: CaseRow, actor: Actor) -> JsonObject:
    may = case.shown.get("may", {})
    names = [name for name, people in may.items() if actor.person_id in people]
    if is_admin(actor) and case.state not in ENDED:
        names += ["urge", "resume" if case.state == "suspended" else "suspend", "terminate"]
    return {**case.to_object(), "actions": [{"name": one} for one in dict.fromkeys(names)]}


class WorkItemHandler(_OfCase):
    """The WorkItem type. Its own person may set `readAt`: that it has been looked at."""

    refused = "a work item is done by creating a CaseEvent"
    properties = frozenset(
        "id caseId recordType recordId module title stepId stepName stepLabel kind part state personId candidateIds onBehalfOfId onBehalf"
        " addedById createdAt readAt amberAt dueAt doneAt actions opinion signature attachments editable required returnTo"
        " chooses urgedAt".split()
    )

    def __init__(self) -> None:
        super().__init__(WORK_ITEM)

    def load(self, conn: sa.Connection, actor: Actor, ids: Sequence[str]) -> dict[str, JsonObject]:
        items = load_items(conn, ids)
        cases = load_cases(conn, list(dict.fromkeys(one.case_id for one in items.values())))
        return {item_id: one.to_object(cases[one.case_id]) for item_id, one in items.items()}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        if not visible_ids(tx.conn, actor.person_id, self.name, [id_]):
            raise SetError(SetErrorType.NOT_FOUND)
        item = load_items(tx.conn, [id_])[id_]
        if set(patch) - {"readAt"} or actor.person_id not in item.people:
            raise SetError(SetErrorType.FORBIDDEN, self.refused)
        if item.read_at is None:
            item.read_at = tx.now
            do_write_item(tx, item)
            do_touch(tx, id_)
        return {"readAt": self.load(tx.conn, actor, [id_])[id_]["readAt"]}


class CaseEventHandler(_OfCase):
    """The CaseEvent type: the history of cases, and the way in which people act. It only grows."""

    refused = "history is not rewritten"
    properties = frozenset(
        "id caseId recordType recordId workItemId action outcome stepId stepName stepLabel personId onBehalfOfId opinion attachments"
        " signature values to toStepId chosen at seq".split()
    )

    def __init__(self, context: OfficeContext, rules_of: Callable[[str], Rules | None]) -> None:
        super().__init__(CASE_EVENT)
        self._context = context
        self._rules_of = rules_of

    def load(self, conn: sa.Connection, actor: Actor, ids: Sequence[str]) -> dict[str, JsonObject]:
        events = load_events(conn, ids)
        cases = load_cases(conn, list(dict.fromkeys(one.case_id for one in events.values())))
        return {
            event_id: one.to_object(cases[one.case_id].record_type, cases[one.case_id].record_id)
            for event_id, one in events.items()
        }

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """RFC 8620 §5.3; ADR 0004 makes it idempotent."""
        given = {key: value for key, value in obj.items() if value is not None}
        wish = read_wish(tx, self._context, given)
        record_type, record_id = given["recordType"], given["recordId"]
        rules, definition = self._rules_of(record_type), self._context.types.get(record_type)
        if rules is None or definition is None or definition.process is None:
            raise invalid_properties("records of this type have no process", "recordType")
        record = access_record(tx.conn, actor.person_id, record_type, record_id)
        if record is None:
            raise invalid_properties("there is no such record", "recordId")
        event_id = object_id(tx, creation_id)
        if tx.raw.execute("SELECT 1 FROM record_scope WHERE object_id = ? LIMIT 1", (event_id,)).fetchone():
            raise invalid_properties("this id is taken", "id")
        made = do_act(tx, self._context, rules, actor, event_id, record, wish)
        shown = made.to_object(record.type, record.id)
        return {"id": event_id, **{key: value for key, value in shown.items() if obj.get(key, ...) != value}}


def case_handlers(context: OfficeContext, rules_of: Callable[[str], Rules | None]) -> list[RecordHandler]:
    """One handler for each of the three types."""
    return [CaseHandler(), WorkItemHandler(), CaseEventHandler(context, rules_of)]
