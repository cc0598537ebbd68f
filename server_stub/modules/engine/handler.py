"""One type of a module on the record engine: checks by its definition, rights by its access and actions, the rest by its rules."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar, Final

import msgspec
import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.modules.engine.access import Viewer
from server_stub.modules.engine.actions import covered_fields, find_action, take_action_name, was_done
from server_stub.modules.engine.alerts import OFFICE
from server_stub.modules.engine.blobrefs import FIELD_MARK, do_refer_blobs
from server_stub.modules.engine.case_removal import has_open_case
from server_stub.modules.engine.conditions import Standpoint
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Action, TypeDefinition
from server_stub.modules.engine.fields import apply_sets, check_filled, check_record, settle_record
from server_stub.modules.engine.keeping import do_drop, do_keep, do_keep_new
from server_stub.modules.engine.line_rights import check_lines
from server_stub.modules.engine.processes.following import do_follow_record
from server_stub.modules.engine.queries import query_records
from server_stub.modules.engine.rules import Rules
from server_stub.modules.engine.todos import do_todos
from server_stub.modules.engine.values import Check
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.handler import ENVELOPE, RecordHandler
from server_stub.records.patch import apply_patch, changed_properties
from server_stub.records.store import Record, load_record
from server_stub.records.types import Comparator, GetResult, JsonObject, QueryResult, Window
from server_stub.records.visibility import is_visible
from server_stub.storage.database import Tx

VERSION: Final = "version"
CONFLICT: Final = "conflict"
OFFICE_ENVELOPE: Final = ENVELOPE | {VERSION}


class OfficeHandler(RecordHandler):
    """The TypeHandler of a type that a module.toml describes."""

    imports: ClassVar[bool] = True

    def __init__(self, context: OfficeContext, definition: TypeDefinition, rules: Rules, module: str = "") -> None:
        super().__init__(definition.name, OFFICE)
        self.context = context
        self.definition = definition
        self.rules = rules
        self.properties = OFFICE_ENVELOPE | {one.name for one in definition.every_field}
        self._limited = [one for one in definition.every_field if one.see]
        context.types[definition.name] = definition
        context.modules[definition.name] = module
        context.scopers[definition.name] = rules.scopes

    # ------------------------------------------------------------ creating

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        self._refuse_envelope(obj)
        given = {key: value for key, value in obj.items() if value is not None}
        viewer = Viewer(tx.conn, actor, self.context.types)
        standpoint = self.context.standpoint(tx.now, actor)
        wanted_state = given.pop("state", None) if self.definition.states else None
        self._check_create(tx, viewer, given)
        data = check_record(self._check(tx, viewer, standpoint), self.definition, given)
        record_id = object_id(tx, creation_id)
        move = self._first_move(viewer, standpoint, actor, data, wanted_state, record_id, tx.now)
        self._finish(tx, standpoint, move, data, set(data), None)
        stored = self.rules.before_create(tx, actor, record_id, data)
        do_refer_blobs(tx, self.context, self.definition, actor, record_id, stored)
        record = do_keep_new(tx, self.context, self.name, record_id, stored, actor.person_id, viewer)
        self.rules.after_create(tx, actor, record)
        shown = self._show_again(tx, actor, record_id) or {}
        return {"id": record_id, **{key: value for key, value in shown.items() if obj.get(key, ...) != value}}

    def _check_create(self, tx: Tx, viewer: Viewer, given: JsonObject) -> None:
        person_id = viewer.actor.person_id
        if not viewer.is_one_of(self.definition.access.create, self.definition, person_id, given):
            raise SetError(SetErrorType.FORBIDDEN, f"you may not create a {self.name}")
        self._refuse_read_only(set(given))
        check_lines(self.definition, None, given)
        for field in self.definition.every_field:
            filled = field.edit and field.name in given and given[field.name] != field.default
            if filled and not viewer.is_one_of(field.edit, self.definition, person_id, given):
                raise SetError(SetErrorType.FORBIDDEN, f"you may not fill in {field.name}", [field.name])
        self.rules.check_create(tx, viewer.actor, given)

    def _first_move(
        self,
        viewer: Viewer,
        standpoint: Standpoint,
        actor: Actor,
        data: JsonObject,
        wanted: Any,
        record_id: str,
        now: int,
    ) -> Action | None:
        """A new record begins in the first state; one that is wanted in another is made and taken there by an action at once."""
        if not self.definition.states:
            return None
        first = self.definition.states[0].value
        data["state"] = first
        if wanted in (None, first):
            return None
        made = Record(record_id, self.name, dict(data), actor.person_id, now, now, 0)
        data["state"] = wanted
        return find_action(self.definition, viewer, standpoint, made, data, {"state"}, None)

    # ------------------------------------------------------------ changing

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        record = self._access(tx, actor, id_)
        viewer = Viewer(tx.conn, actor, self.context.types)
        standpoint = self.context.standpoint(tx.now, actor)
        seen = self._check_envelope_of(record, patch)
        name, plain = take_action_name(self.definition, _without(patch, OFFICE_ENVELOPE))
        self._refuse_hidden(viewer, record, plain)
        data = apply_patch(record.data, plain)
        changed = changed_properties(record.data, data)
        if not changed and (name is None or was_done(self.definition, record, name)):
            self._refuse_guess(tx, actor, record, plain)
            return None
        self._check_conflict(tx, actor, record, seen, changed)
        check_lines(self.definition, record.data, data)
        move = find_action(self.definition, viewer, standpoint, record, data, changed, name)
        self._check_rights(tx, viewer, record, move, data, changed)
        written = changed - {"state"} if self.definition.states else changed
        cleaned = check_record(
            self._check(tx, viewer, standpoint), self.definition, data, only=written, before=record.data
        )
        self._finish(tx, standpoint, move, cleaned, changed, record.data)
        dropped = {one.name for one in self.definition.fields if one.when is not None and one.name in record.data}
        self._check_conflict(tx, actor, record, seen, dropped - cleaned.keys())
        stored = self.rules.before_update(tx, actor, record, cleaned, changed)
        do_refer_blobs(tx, self.context, self.definition, actor, id_, stored, record.data)
        after = do_keep(tx, self.context, record, stored, actor.person_id, viewer)
        if after.data != record.data:
            self.rules.after_update(tx, actor, record, after)
            self._renew_todos(tx, actor, id_)
            if self.definition.process is not None:
                do_follow_record(tx, self.context, self.rules, actor, record, after)
        return self._answer(tx, actor, record, patch)

    def _check_rights(
        self, tx: Tx, viewer: Viewer, record: Record, move: Action | None, data: JsonObject, changed: set[str]
    ) -> None:
        """What an action covers is allowed with it; for the rest `access.update` and the fields' own `edit` decide."""
        left = changed if move is None else changed - covered_fields(move) - {"state"}
        if move is not None:
            self.rules.check_action(tx, viewer.actor, record, move, data)
        if not left:
            return
        fields = [field for name in sorted(left) if (field := self.definition.field(name)) is not None]
        own = [one for one in fields if one.edit]
        for field in own:
            if not viewer.is_one_of(field.edit, self.definition, record.author_id, record.data):
                raise SetError(SetErrorType.FORBIDDEN, f"you may not change {field.name}", [field.name])
        if len(own) < len(left) and not viewer.is_one_of(
            self.definition.access.update, self.definition, record.author_id, record.data
        ):
            raise SetError(SetErrorType.FORBIDDEN, f"you may not change this {self.name}")
        self.rules.check_update(tx, viewer.actor, record, data, left)
        self._refuse_read_only(left)
        fixed = [one.name for one in fields if one.immutable]
        if fixed:
            raise invalid_properties("cannot be changed after creation", *fixed)

    def _check_conflict(self, tx: Tx, actor: Actor, record: Record, seen: int | None, changed: set[str]) -> None:
        """Fields that somebody else has changed since the version this person saw are not overwritten unseen."""
        if seen is None or seen >= record.version:
            return
        rows = tx.raw.execute(
            "SELECT changes FROM record_change WHERE record_id = ? AND version > ? AND person_id IS NOT ?",
            (record.id, seen, actor.person_id),
        )
        elsewhere = {entry[0] for row in rows for entry in msgspec.json.decode(row[0])}
        if elsewhere & changed:
            shown = self.present(tx.conn, actor, [record])[0]
            raise SetError(CONFLICT, "changed by somebody else since", sorted(elsewhere & changed), current=shown)

    def _finish(
        self,
        tx: Tx,
        standpoint: Standpoint,
        move: Action | None,
        data: JsonObject,
        changed: set[str],
        before: JsonObject | None,
    ) -> None:
        """What follows from what was written: an action's `sets`, conditional fields, formulas, what is required."""
        if move is not None:
            apply_sets(standpoint, self.definition, data, move.sets)
            changed = changed | set(move.sets)
        settle_record(standpoint, self.definition, data, changed=changed, before=before)
        if move is not None:
            check_filled(self.definition, data, move.requires)

    def _answer(self, tx: Tx, actor: Actor, before: Record, patch: JsonObject) -> JsonObject | None:
        """What is not as the patch says; nothing for who sees the record no more."""
        shown = self._show_again(tx, actor, before.id)
        if shown is None:
            return None
        asked = apply_patch(self.present(tx.conn, actor, [before])[0], patch)
        asked.pop("action", None)
        answer = {key: value for key, value in shown.items() if asked.get(key) != value}
        return {**answer, **{key: None for key in asked if key not in shown}} or None

    def _renew_todos(self, tx: Tx, actor: Actor, id_: str) -> None:
        if self.definition.todos:
            after = load_record(tx.conn, id_, type_name=self.name)
            if after is not None:
                do_todos(tx, self.context, after, actor.person_id)

    # ------------------------------------------------------------ destroying

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        record = self._access(tx, actor, id_)
        viewer = Viewer(tx.conn, actor, self.context.types)
        if not viewer.is_one_of(self.definition.access.destroy, self.definition, record.author_id, record.data):
            raise SetError(SetErrorType.FORBIDDEN, f"you may not destroy this {self.name}")
        if has_open_case(tx, id_):
            raise SetError(SetErrorType.FORBIDDEN, "its case is under way: terminate it first")
        self.rules.check_destroy(tx, actor, record)
        do_drop(tx, self.context, record, actor.person_id)
        self.rules.after_destroy(tx, actor, record)

    # ------------------------------------------------------------ refusing

    def _check(self, tx: Tx, viewer: Viewer, standpoint: Standpoint) -> Check:
        return Check(tx.conn, viewer, standpoint, self.context.types)

    def _refuse_envelope(self, obj: JsonObject) -> None:
        set_by_server = sorted(OFFICE_ENVELOPE & obj.keys())
        if set_by_server:
            raise invalid_properties("set by the server", *set_by_server)

    def _check_envelope_of(self, record: Record, patch: JsonObject) -> int | None:
        """RFC 8620 §5.3: naming a server-set property is fine as long as it is what it is. Gives the version the patch names."""
        self._check_envelope(record, patch)
        seen = patch.get(VERSION)
        if seen is not None and (isinstance(seen, bool) or not isinstance(seen, int) or not 0 < seen <= record.version):
            raise invalid_properties("there is no such version", VERSION)
        return seen

    def _refuse_read_only(self, names: Collection[str]) -> None:
        numbered = self.definition.numbering.field if self.definition.numbering is not None else None
        wrong = [
            one.name
            for one in self.definition.every_field
            if one.name in names and (one.read_only or one.computed or one.formula or one.name == numbered)
        ]
        if wrong:
            raise invalid_properties("set by the server", *wrong)

    def _refuse_hidden(self, viewer: Viewer, record: Record, patch: JsonObject) -> None:
        """What somebody is not shown he cannot write either: whether it is the same would tell what it is."""
        hidden = self._hidden(viewer, record)
        if hidden & {one.partition("/")[0].replace("~1", "/").replace("~0", "~") for one in patch}:
            raise SetError(SetErrorType.FORBIDDEN, f"you may not change this {self.name}")

    # ------------------------------------------------------------ reading

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        """RFC 8620 §5.1. An id with FIELD_MARK (never from the wire) is there for who is shown that field of the record."""
        marked = [one for one in ids or () if FIELD_MARK in one]
        if not marked:
            return super().get(conn, actor, ids, properties)
        plain = super().get(conn, actor, [one.partition(FIELD_MARK)[0] for one in ids or ()], properties)
        shown = {obj["id"]: obj for obj in plain.list}
        wanted = [one.partition(FIELD_MARK) for one in ids or ()]
        found = {
            record_id: shown[record_id]
            for record_id, mark, name in wanted
            if record_id in shown and (not mark or name in shown[record_id])
        }
        return GetResult(list(found.values()), plain.not_found)

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record]) -> list[JsonObject]:
        objects = [{**record.to_object(), VERSION: record.version} for record in records]
        self.rules.present(conn, actor, records, objects)
        if self._limited:
            hidden = self.hider(conn, actor)
            for record, obj in zip(records, objects, strict=True):
                for name in hidden(record.author_id, record.data):
                    obj.pop(name, None)
        return objects

    def shown_fields(self, conn: sa.Connection, actor: Actor, record: Record) -> set[str]:
        """The fields of a record that this reader is shown: for its history."""
        viewer = Viewer(conn, actor, self.context.types)
        names = {one.name for one in self.definition.every_field} - self._hidden(viewer, record)
        shown = self.present(conn, actor, [record])[0]  # rules may hide more
        return {name for name in names if shown.get(name) == record.data.get(name)}

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        """RFC 8620 §5.5, as docs/protocol.md §4 says of office records."""
        return query_records(self, conn, actor, filter_, sort, window)

    def hider(self, conn: sa.Connection, actor: Actor) -> Callable[[str | None, JsonObject], Collection[str]]:
        """(author, data) → the fields this reader is not shown of such a record."""
        viewer = Viewer(conn, actor, self.context.types)
        tests = [(one.name, viewer.tester(one.see, self.definition)) for one in self._limited]
        return lambda author_id, data: [name for name, shown in tests if not shown(author_id, data)]

    def _hidden(self, viewer: Viewer, record: Record) -> set[str]:
        return {
            one.name
            for one in self._limited
            if not viewer.is_one_of(one.see, self.definition, record.author_id, record.data)
        }

    def _show_again(self, tx: Tx, actor: Actor, id_: str) -> JsonObject | None:
        record = load_record(tx.conn, id_, type_name=self.name)
        if record is None or not is_visible(tx.conn, actor.person_id, self.name, id_):
            return None
        return self.present(tx.conn, actor, [record])[0]


def _without(data: JsonObject, names: Collection[str]) -> JsonObject:
    return {key: value for key, value in data.items() if key not in names}
