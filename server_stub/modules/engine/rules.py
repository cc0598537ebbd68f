"""The hooks a module's rules.py may fill: what is true of this type alone. The plain type needs none of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType
from server_stub.modules.engine.access import allows, scopes_for
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import TypeDefinition
from server_stub.records.actor import Actor
from server_stub.records.store import Record
from server_stub.records.types import JsonObject
from server_stub.storage.database import Tx


class Rules:
    """The rules of one type. All run inside the transaction of the write; SetError refuses it.

    Data that comes in has passed the definition's checks; data that goes out is stored as it is.
    """

    hidden_unless_filtered: tuple[str, ...] = ()
    """Flags: records where one is true are left out of /query unless the filter names the flag."""

    def __init__(self, context: OfficeContext, definition: TypeDefinition) -> None:
        self.context = context
        self.definition = definition

    # ------------------------------------------------------------ rights

    def check_create(self, tx: Tx, actor: Actor, data: JsonObject) -> None:
        """May the actor create this?"""
        if not allows(self.definition.access["create"], actor, actor.person_id, data):
            raise SetError(SetErrorType.FORBIDDEN, f"you may not create a {self.definition.name}")

    def check_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> None:
        """May the actor change these properties?"""
        if not allows(self.definition.access["update"], actor, record.author_id, record.data):
            raise SetError(SetErrorType.FORBIDDEN, f"you may not change this {self.definition.name}")

    def check_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """May the actor destroy this?"""
        if not allows(self.definition.access["destroy"], actor, record.author_id, record.data):
            raise SetError(SetErrorType.FORBIDDEN, f"you may not destroy this {self.definition.name}")

    def scopes(self, tx: Tx, author_id: str | None, data: Mapping[str, Any]) -> list[int]:
        """Who sees a record with this data."""
        return scopes_for(tx, self.definition.access["read"], author_id, data)

    # ------------------------------------------------------------ content

    def before_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> JsonObject:
        """Complete the data of a new record."""
        return data

    def before_update(self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]) -> JsonObject:
        """Complete the data of a changed record."""
        return data

    def after_create(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Effects of a new record."""

    def after_update(self, tx: Tx, actor: Actor, before: Record, after: Record) -> None:
        """Effects of a change."""

    def after_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Effects of a destruction; the engine itself drops read marks, alerts, due dates and blob references."""

    # ------------------------------------------------------------ events

    def check_mark(self, tx: Tx, actor: Actor, record: Record, confirmed: bool) -> None:
        """May the actor mark the record as read or confirmed?"""

    def on_mark(self, tx: Tx, actor: Actor, record: Record, confirmed: bool) -> None:
        """Somebody has read or confirmed the record (for the first time)."""

    def on_due(self, tx: Tx, record: Record, kind: str) -> None:
        """A due date of the record has come (see duties.py)."""

    # ------------------------------------------------------------ showing

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record], objects: list[JsonObject]) -> None:
        """Add computed properties to the objects (same order as the records), hide what this reader may not see."""
