"""The base of every type that lies in the record table: all five methods, with hooks for what the type's own rules add."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final

import sqlalchemy as sa

from server_stub.errors import MethodError, MethodErrorType, SetError, SetErrorType, invalid_properties
from server_stub.records import visibility
from server_stub.records.actor import Actor
from server_stub.records.creation import object_id
from server_stub.records.patch import apply_patch, changed_properties
from server_stub.records.store import (
    Record,
    do_create_record,
    do_destroy_record,
    do_update_record,
    load_record,
    load_records,
)
from server_stub.records.types import Comparator, GetResult, JsonObject, OwnMethod, QueryResult, Window, cut_window
from server_stub.records.visibility import ChangesPage
from server_stub.storage.database import Tx

ENVELOPE: Final = frozenset({"id", "createdAt", "updatedAt", "authorId"})
"""Set by the server on every record."""

MAX_FILTER_DEPTH: Final = 8
MAX_CONDITIONS: Final = 200  # of a whole filter: each is asked of every object
MAX_COMPARATORS: Final = 16


class RecordHandler:
    """A TypeHandler over generic records. Without overrides: readable by its scopes, writable by nobody.

    A subclass says what may be done: `on_create` / `on_update` / `on_destroy` check rights, validate and return the data to store and
    the scopes that shall see it; `present` shapes an object for its reader.
    """

    keeps_creations: ClassVar[bool] = False
    can_calculate_query_changes: bool = True
    properties: frozenset[str] | None = None

    def __init__(self, name: str, capability: str) -> None:
        self.name = name
        self.capability = capability
        self.own_methods: Mapping[str, OwnMethod] = {}

    # ------------------------------------------------------------ hooks

    def on_create(self, tx: Tx, actor: Actor, record_id: str, data: JsonObject) -> tuple[JsonObject, list[int]]:
        """Check and complete the data of a new record (no envelope in it). Returns the data to store and the scopes that see it."""
        raise SetError(SetErrorType.FORBIDDEN, f"{self.name} cannot be created")

    def on_update(
        self, tx: Tx, actor: Actor, record: Record, data: JsonObject, changed: set[str]
    ) -> tuple[JsonObject, list[int] | None]:
        """Check the patched data; `changed` names the properties that differ. Returns the data to store and the scopes (None: the same)."""
        raise SetError(SetErrorType.FORBIDDEN, f"{self.name} cannot be changed")

    def on_destroy(self, tx: Tx, actor: Actor, record: Record) -> None:
        """Check whether the record may be destroyed, and clean up after it."""
        raise SetError(SetErrorType.FORBIDDEN, f"{self.name} cannot be destroyed")

    def present(self, conn: sa.Connection, actor: Actor, records: Sequence[Record]) -> list[JsonObject]:
        """The records as objects for this reader, in the same order."""
        return [record.to_object() for record in records]

    # ------------------------------------------------------------ reading

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        """RFC 8620 §5.1."""
        wanted = visibility.visible_ids(conn, actor.person_id, self.name, ids)
        found = load_records(conn, wanted, type_name=self.name)
        records = [found[record_id] for record_id in dict.fromkeys(wanted) if record_id in found]
        missing = [] if ids is None else [record_id for record_id in dict.fromkeys(ids) if record_id not in found]
        return GetResult(self.present(conn, actor, records), missing)

    def changes(self, conn: sa.Connection, actor: Actor, since: str, limit: int) -> ChangesPage:
        """RFC 8620 §5.2."""
        return visibility.changes(conn, actor.person_id, self.name, since, limit)

    def updated_properties(self, conn: sa.Connection, actor: Actor, since: str, page: ChangesPage) -> list[str] | None:
        """Records do not tell which property changed."""
        return None

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        """RFC 8620 §5.5 over the presented objects: conditions are equality, `text` (contains, over all texts), `xxxBefore`, `xxxAfter`."""
        objects = self.get(conn, actor, None, None).list
        if filter_ is not None:
            matches = compile_filter(filter_, self.compile_condition)
            objects = [obj for obj in objects if matches(obj)]
        return cut_window([obj["id"] for obj in sort_objects(objects, sort)], window)

    def compile_condition(self, name: str, value: Any) -> Callable[[JsonObject], bool]:
        """The meaning of one condition of a filter; override for the type's own.

        Raises:
            MethodError: unsupportedFilter.
        """
        return compile_plain_condition(name, value)

    # ------------------------------------------------------------ writing

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """RFC 8620 §5.3, create."""
        set_by_server = sorted(ENVELOPE & obj.keys())
        if set_by_server:
            raise invalid_properties("set by the server", *set_by_server)
        record_id = object_id(tx, creation_id)
        given = {key: value for key, value in obj.items() if value is not None}
        data, scopes = self.on_create(tx, actor, record_id, given)
        record = do_create_record(tx, self.name, record_id, data, scopes=scopes, author_id=actor.person_id)
        presented = self.present(tx.conn, actor, [record])[0]
        return {"id": record_id, **{key: value for key, value in presented.items() if obj.get(key, ...) != value}}

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """RFC 8620 §5.3, update."""
        record = self._access(tx, actor, id_)
        data = apply_patch(record.data, {key: value for key, value in patch.items() if key not in ENVELOPE})
        self._check_envelope(record, patch)
        changed = changed_properties(record.data, data)
        if not changed:
            self._refuse_guess(tx, actor, record, patch)
            return None
        stored, scopes = self.on_update(tx, actor, record, data, changed)
        after = do_update_record(tx, record, stored, by=actor.person_id, history=False)
        if scopes is not None:
            visibility.do_set_scopes(tx, id_, self.name, scopes)
        presented = self.present(tx.conn, actor, [after])[0]
        before = self.present(tx.conn, actor, [record])[0]
        asked = apply_patch(before, patch)
        return {key: value for key, value in presented.items() if asked.get(key) != value} or None

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        """RFC 8620 §5.3, destroy."""
        record = self._access(tx, actor, id_)
        self.on_destroy(tx, actor, record)
        do_destroy_record(tx, id_)

    def _refuse_guess(self, tx: Tx, actor: Actor, record: Record, patch: Mapping[str, Any]) -> None:
        """A patch that says what is stored but hidden from this reader must not be told that it guessed right."""
        shown = self.present(tx.conn, actor, [record])[0]
        guessed = apply_patch(shown, {key: value for key, value in patch.items() if key not in ENVELOPE})
        if changed_properties(shown, guessed):
            raise SetError(SetErrorType.FORBIDDEN, f"you may not change this {self.name}")

    def _access(self, tx: Tx, actor: Actor, id_: str) -> Record:
        record = load_record(tx.conn, id_, type_name=self.name)
        if record is None or not visibility.is_visible(tx.conn, actor.person_id, self.name, id_):
            raise SetError(SetErrorType.NOT_FOUND)
        return record

    def _check_envelope(self, record: Record, patch: Mapping[str, Any]) -> None:
        """RFC 8620 §5.3: naming a server-set property is fine as long as it is what it is."""
        current = record.to_object()
        wrong = [key for key in sorted(ENVELOPE & patch.keys()) if patch[key] != current[key]]
        if wrong:
            raise invalid_properties("set by the server", *wrong)


# ---------------------------------------------------------------- filters and sorts over objects

Test = Callable[[JsonObject], bool]


def compile_filter(filter_: Any, compile_condition: Callable[[str, Any], Test]) -> Test:
    """FilterOperator and FilterCondition (RFC 8620 §5.5) as one test of an object.

    Raises:
        MethodError: unsupportedFilter, invalidArguments.
    """
    return _compile(filter_, compile_condition, 0, itertools.count(1))


def _compile(
    filter_: Any, compile_condition: Callable[[str, Any], Test], depth: int, counter: "itertools.count[int]"
) -> Test:
    def condition(name: str, value: Any) -> Test:
        if next(counter) > MAX_CONDITIONS:
            raise MethodError(MethodErrorType.UNSUPPORTED_FILTER, f"a filter has at most {MAX_CONDITIONS} conditions")
        return compile_condition(name, value)

    if not isinstance(filter_, dict) or depth > MAX_FILTER_DEPTH:
        raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "a filter is an object, not too deep")
    if "operator" not in filter_:
        tests = [condition(name, value) for name, value in filter_.items()]
        return lambda obj: all(test(obj) for test in tests)
    conditions = filter_.get("conditions")
    if not isinstance(conditions, list) or len(conditions) > MAX_CONDITIONS:
        raise MethodError(MethodErrorType.INVALID_ARGUMENTS, f"an operator needs conditions, at most {MAX_CONDITIONS}")
    inner = [_compile(one, compile_condition, depth + 1, counter) for one in conditions]
    match filter_["operator"]:
        case "AND":
            return lambda obj: all(test(obj) for test in inner)
        case "OR":
            return lambda obj: any(test(obj) for test in inner)
        case "NOT":
            return lambda obj: not any(test(obj) for test in inner)
    raise MethodError(MethodErrorType.UNSUPPORTED_FILTER, "operator is AND, OR or NOT")


def compile_plain_condition(name: str, value: Any) -> Test:
    """Equality on a property (membership when it is a list); `text`: contained in any text; `<property>Before` / `<property>After`."""
    if name == "text":
        needle = str(value).casefold()
        return lambda obj: any(needle in item.casefold() for item in obj.values() if isinstance(item, str))
    for suffix, sign in (("Before", -1), ("After", 1)):
        if name.endswith(suffix) and name != suffix and isinstance(value, str):
            key = name.removesuffix(suffix)
            return lambda obj: isinstance(obj.get(key), str) and (obj[key] < value if sign < 0 else obj[key] >= value)

    def equal(obj: JsonObject) -> bool:
        held = obj.get(name)
        return value in held if isinstance(held, list) and not isinstance(value, list) else bool(held == value)

    return equal


def sort_objects(objects: Sequence[JsonObject], sort: Sequence[Comparator]) -> list[JsonObject]:
    """Objects in order of the comparators; missing values first; ties by id, so that the order is the same at every call.

    Raises:
        MethodError: unsupportedSort: the values cannot be compared, or there are too many comparators.
    """
    if len(sort) > MAX_COMPARATORS:
        raise MethodError(MethodErrorType.UNSUPPORTED_SORT, f"at most {MAX_COMPARATORS} comparators")
    result = sorted(objects, key=lambda obj: str(obj["id"]))
    for comparator in reversed(sort):
        try:
            result.sort(key=lambda obj: _sort_key(obj.get(comparator.property)), reverse=not comparator.is_ascending)
        except TypeError:
            raise MethodError(MethodErrorType.UNSUPPORTED_SORT, f"{comparator.property} has no order") from None
    return result


def _sort_key(value: Any) -> tuple[bool, Any]:
    if isinstance(value, dict | list):
        raise TypeError
    return (value is not None, 0 if value is None else value)
