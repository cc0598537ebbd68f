"""One type of a module on the record engine: checks by its definition, rights by its access, the rest by its rules."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from server_stub.errors import MethodError, MethodErrorType, invalid_properties
from server_stub.modules.engine.access import allows
from server_stub.modules.engine.alerts import OFFICE, do_drop_alerts
from server_stub.modules.engine.blobrefs import do_refer_blobs
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Field, TypeDefinition
from server_stub.modules.engine.duties import do_clear_due
from server_stub.modules.engine.fields import check_record
from server_stub.modules.engine.marks import do_drop_marks
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.handler import ENVELOPE, RecordHandler, compile_plain_condition
from server_stub.records.store import Record, load_record
from server_stub.records.types import Comparator, JsonObject, QueryResult, Window
from server_stub.storage.blobs import do_unrefer
from server_stub.storage.database import Tx


class OfficeHandler(RecordHandler):
    """The TypeHandler of a type that a module.toml describes."""

    def __init__(self, context: OfficeContext, definition: TypeDefinition, rules: Rules) -> None:
        super().__init__(definition.name, OFFICE)
        self.context = context
        self.definition = definition
        self.rules = rules
        self.properties = ENVELOPE | {one.name for one in definition.fields}
        self._limited = [one for one in definition.fields if one.visible_to]

    # ------------------------------------------------------------ writing

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        answer = super().create(tx, actor, creation_id, obj)
        record = load_record(tx.conn, answer["id"], type_name=self.name)
        assert record is not None  # just made
        self.rules.after_create(tx, actor, record)
        return answer

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        before = self._access(tx, actor, id_)
        answer = super().update(tx, actor, id_, patch)
        after = load_record(tx.conn, id_, type_name=self.name)
        if after is not None and after.data != before.data:
            self.rules.after_update(tx, actor, before, after)
        return answer

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> tuple[JsonObject, list[int]]:
        self._refuse_server_set(set(data))
        self.rules.check_create(tx, actor, data)
        checked = check_record(tx.conn, actor, self.definition, data)
        stored = self.rules.before_create(tx, actor, record_id, checked)
        do_refer_blobs(tx, self.context, self.definition, actor, record_id, stored)
        return stored, self.rules.scopes(tx, actor.person_id, stored)

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        self.rules.check_update(tx, actor, record, data, changed)
        self._refuse_server_set(changed)
        fixed = [one.name for one in self.definition.fields if one.immutable and one.name in changed]
        if fixed:
            raise invalid_properties("cannot be changed after creation", *fixed)
        checked = check_record(tx.conn, actor, self.definition, data, only=changed)
        stored = self.rules.before_update(tx, actor, record, checked, changed)
        do_refer_blobs(tx, self.context, self.definition, actor, record.id, stored, record.data)
        return stored, self.rules.scopes(tx, record.author_id, stored)

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        self.rules.check_destroy(tx, actor, record)
        do_drop_marks(tx, record.id)
        do_drop_alerts(tx, self.name, record.id)
        do_clear_due(tx, record.id)
        do_unrefer(tx, record.id, self.name)
        self.rules.after_destroy(tx, actor, record)

    def _refuse_server_set(self, names: set[str]) -> None:
        wrong = [one.name for one in self.definition.fields if (one.server_set or one.computed) and one.name in names]
        if wrong:
            raise invalid_properties("set by the server", *wrong)

    # ------------------------------------------------------------ reading

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record]) -> list[JsonObject]:
        objects = [record.to_object() for record in records]
        self.rules.present(conn, actor, records, objects)
        for record, obj in zip(records, objects, strict=True):
            for field in self._limited:
                if field.name in obj and not self._sees_field(actor, record, field):
                    del obj[field.name]
        return objects

    def _sees_field(self, actor: Actor, record: Record, field: Field) -> bool:
        return allows(field.visible_to, actor, record.author_id, record.data)

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        named = _names_in(filter_)
        hidden = {flag: False for flag in self.rules.hidden_unless_filtered if flag not in named}
        if hidden:
            conditions: list[Any] = [hidden] if filter_ is None else [filter_, hidden]
            filter_ = {"operator": "AND", "conditions": conditions}
        for comparator in sort:
            if self.properties is not None and comparator.property not in self.properties:
                raise MethodError(MethodErrorType.UNSUPPORTED_SORT, f"there is no {comparator.property[:64]}")
        return super().query(conn, actor, filter_, sort, window)

    def compile_condition(self, name: str, value: Any) -> Callable[[JsonObject], bool]:
        field = name.removesuffix("Before").removesuffix("After")
        if name != "text" and self.properties is not None and not {name, field} & self.properties:
            raise MethodError(MethodErrorType.UNSUPPORTED_FILTER, f"there is no {name[:64]}")
        return compile_plain_condition(name, value)


def _names_in(filter_: Any) -> set[str]:
    """The conditions a filter names, at any depth the compiler will accept."""
    names: set[str] = set()
    pending, steps = [filter_], 0
    while pending and steps < 1000:
        steps += 1
        one = pending.pop()
        if isinstance(one, dict):
            names.update(str(key) for key in one if key not in ("operator", "conditions"))
            inner = one.get("conditions")
            pending.extend(inner if isinstance(inner, list) else ())
    return names
