"""The hooks a module's rules.py may fill: what is true of this type alone. The plain type needs none of them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType
from server_stub.ids import uuid7
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Action, TypeDefinition
from server_stub.modules.engine.keeping import do_drop, do_keep, do_keep_new
from server_stub.modules.engine.scopes import data_scopes
from server_stub.modules.engine.todos import do_todos
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx


class Rules:
    """The rules of one type. All run inside the transaction of the write; SetError refuses it.

    Data that comes in has passed the definition's checks; data that goes out is stored as it is. What the definition's access does not
    allow never comes here: the check_ hooks can only refuse more.
    """

    hidden_unless_filtered: tuple[str, ...] = ()
    """Flags: records where one is true are left out of /query unless the filter names the flag."""

    def __init__(self, context: OfficeContext, definition: TypeDefinition) -> None:
        self.context = context
        self.definition = definition

    # ------------------------------------------------------------ what a rule may call

    def is_one_of(
        self, conn: sa.Connection, actor: Actor, principals: Iterable[str], author_id: str | None, data: JsonObject
    ) -> bool:
        """Whether the actor is meant by one of the principals, seen from a record of this type."""
        viewer = Viewer(conn, actor, self.context.types)
        return viewer.is_one_of(principals, self.definition, author_id, data)

    def scopes_of(self, tx: Tx, principals: Iterable[str], author_id: str | None, data: Mapping[str, Any]) -> list[int]:
        """The scopes these principals stand for."""
        return data_scopes(tx, self.context, self.definition, principals, author_id, data)

    def make(self, tx: Tx, type_name: str, data: Mapping[str, Any], author_id: str | None) -> Record:
        """Write a new record of any type as the server, with all that hangs on it; no rights, no hooks. Raises SetError (unique, overlap)."""
        return do_keep_new(tx, self.context, type_name, uuid7(tx.now), data, author_id)

    def change(
        self, tx: Tx, type_name: str, record_id: str, values: Mapping[str, Any], by: str | None = None
    ) -> Record:
        """Write some fields of a record of any type as the server (None takes one away), in the history under `by`; no rights, no hooks.

        Raises:
            SetError: notFound, unique, overlap.
        """
        record = load_record(tx.conn, record_id, type_name=type_name)
        if record is None:
            raise SetError(SetErrorType.NOT_FOUND)
        data = {key: value for key, value in {**record.data, **values}.items() if value is not None}
        return do_keep(tx, self.context, record, data, by)

    def drop(self, tx: Tx, record: Record, by: str | None = None) -> None:
        """Destroy a record of any type as the server. Raises SetError: it is booked."""
        do_drop(tx, self.context, record, by)

    def renew_todos(self, tx: Tx, record: Record) -> None:
        """Look again who has to do something about a record, when it is not the record itself that changed."""
        do_todos(tx, self.context, record)

    # ------------------------------------------------------------ rights

    def check_create(self, tx: Tx, actor: Actor, data: JsonObject) -> None:
        """Refuse a new record that the definition would allow. The data is as it came: check what you read."""

    def check_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> None:
        """Refuse a change that the definition would allow. `changed` leaves out what an action covers."""

    def check_action(self, tx: Tx, actor: Actor, record: Record, action: Action, data: JsonObject) -> None:
        """Refuse an action that the definition would allow. `data`: as it will be, before `sets`."""

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Refuse a destruction that the definition would allow."""

    def scopes(self, tx: Tx, author_id: str | None, data: Mapping[str, Any]) -> list[int]:
        """Who sees a record with this data."""
        return self.scopes_of(tx, self.definition.access.read, author_id, data)

    # ------------------------------------------------------------ content

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        """Complete the data of a new record. Its number is given afterwards."""
        return data

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        """Complete the data of a changed record, after what an action sets."""
        return data

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Effects of a new record."""

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        """Effects of a change."""

    def after_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Effects of a destruction; the engine itself drops all that hangs on the record."""

    # ------------------------------------------------------------ events

    def check_mark(self, tx: Tx, actor: Actor, record: Record, confirmed: bool) -> None:
        """May the actor mark the record as read or confirmed?"""

    def on_mark(self, tx: Tx, actor: Actor, record: Record, confirmed: bool) -> None:
        """Somebody has read or confirmed the record (for the first time)."""

    def on_due(self, tx: Tx, record: Record, kind: str) -> None:
        """A due date of the record has come (see duties.py)."""

    # ------------------------------------------------------------ a type with a process

    def performers(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Collection[str]:
        """Ids of the people that `rule:<name>` stands for at a step of the record's process. `case`: as on the wire."""
        return ()

    def service(self, tx: Tx, name: str, case: JsonObject, record: Record) -> Mapping[str, Any]:
        """Do what a service task of the process asks for; what is returned becomes data of the process, for its conditions.

        `case`: as on the wire, with `handled`: step id → ids of the people who did it last.
        """
        return {}

    def check_case_action(self, tx: Tx, actor: Actor, record: Record, event: JsonObject) -> None:
        """Refuse an action on the record's case that the process would allow. `event`: the CaseEvent it would become."""

    def on_step(self, tx: Tx, record: Record, step_id: str, event: JsonObject) -> None:
        """A step of the record's process was done by this CaseEvent; the record is as it is after it."""

    def on_case_end(self, tx: Tx, record: Record, end_state: str | None) -> None:
        """The record's case has ended; None: it was terminated or taken back."""

    def on_case(self, tx: Tx, record: Record, before: str | None) -> None:
        """Anything was done with the record's case, back and sideways too; all is written. `before`: the state the record had. After the other two."""

    # ------------------------------------------------------------ showing

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record], objects: list[JsonObject]) -> None:
        """Add computed properties to the objects (same order as the records), hide what this reader may not see."""
