"""/query of office records: SQL picks what the reader sees of the type, the filter and the sort run over the decoded objects."""

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, Protocol, TypedDict

import msgspec
import sqlalchemy as sa

from server_stub.clock import format_utc
from server_stub.errors import MethodError, MethodErrorType
from server_stub.modules.engine.access import fields_read
from server_stub.modules.engine.conditions import as_number, compile_conditions, condition_field
from server_stub.modules.engine.context import OfficeContext
from server_stub.modules.engine.definition import Field, FieldKind, TypeDefinition
from server_stub.modules.engine.fields import searched_fields
from server_stub.modules.engine.rules import Rules
from server_stub.records.actor import Actor
from server_stub.records.handler import MAX_COMPARATORS
from server_stub.records.types import Comparator, GetResult, JsonObject, QueryResult, Window, cut_window
from server_stub.records.visibility import INF

_VISIBLE: Final = (
    "SELECT id, type, data, author_id, created_at, updated_at, modseq, version FROM record WHERE type = ? AND id IN ("
    "SELECT s.object_id FROM membership AS m CROSS JOIN record_scope AS s ON s.scope = m.scope AND s.type = ? AND s.until = ?"
    " WHERE m.person_id = ? AND m.until = ?)"
)
ENVELOPE_NAMES: Final = frozenset({"authorId", "version", "createdAt", "updatedAt"})
_UNORDERED: Final = frozenset(
    {FieldKind.FILES, FieldKind.OBJECT, FieldKind.LINES, FieldKind.AUDIENCE, FieldKind.PERSONS}
    | {FieldKind.DEPARTMENTS, FieldKind.REFERENCES, FieldKind.MULTI_CHOICE}
)


class Queried(Protocol):
    """As much of a handler as a query needs."""

    name: str
    definition: TypeDefinition
    rules: Rules
    context: OfficeContext
    properties: frozenset[str] | None

    def hider(self, conn: sa.Connection, actor: Actor) -> Callable[[str | None, JsonObject], Collection[str]]: ...

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult: ...


def query_records(
    handler: Queried,
    conn: sa.Connection,
    actor: Actor,
    filter_: JsonObject | None,
    sort: Sequence[Comparator],
    window: Window,
) -> QueryResult:
    """RFC 8620 §5.5 over what the reader is shown: a field that is hidden from him is empty for filter and sort.

    Raises:
        MethodError: unsupportedFilter, unsupportedSort, invalidArguments, anchorNotFound.
    """
    named = names_in(filter_)
    _check_names(handler, named, sort)
    keys = [(_sort_key(handler.definition, one.property), one.is_ascending) for one in sort]
    flags = {flag: False for flag in handler.rules.hidden_unless_filtered if flag not in named}
    if flags:
        filter_ = flags if filter_ is None else {"operator": "AND", "conditions": [filter_, flags]}
    objects = _objects(handler, conn, actor, {condition_field(one) for one in named} | {one.property for one in sort})
    if filter_ is not None:
        standpoint = handler.context.standpoint(handler.context.clock.now_ms(), actor)
        test = compile_conditions(filter_, standpoint, searched_fields(handler.definition))
        objects = [obj for obj in objects if test(obj)]
    objects.sort(key=lambda obj: str(obj["id"]))
    for key, ascending in reversed(keys):
        objects.sort(key=key, reverse=not ascending)
    return cut_window([obj["id"] for obj in objects], window)


def names_in(filter_: Any) -> set[str]:
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


def _check_names(handler: Queried, named: Iterable[str], sort: Sequence[Comparator]) -> None:
    known = handler.properties or frozenset()
    for name in named:
        if name != "text" and not {name, condition_field(name)} & known:
            raise MethodError(MethodErrorType.UNSUPPORTED_FILTER, f"there is no {name[:64]}")
    if len(sort) > MAX_COMPARATORS:
        raise MethodError(MethodErrorType.UNSUPPORTED_SORT, f"at most {MAX_COMPARATORS} comparators")
    for comparator in sort:
        if comparator.property not in known:
            raise MethodError(MethodErrorType.UNSUPPORTED_SORT, f"there is no {comparator.property[:64]}")


def _objects(handler: Queried, conn: sa.Connection, actor: Actor, named: set[str]) -> list[JsonObject]:
    """What the reader sees, as objects that hold what the query names and no more: decoding is most of the work.

    Where rules have a say in what is shown, the objects are whole.
    """
    fields = handler.definition.every_field
    if type(handler.rules).present is not Rules.present or any(one.computed and one.name in named for one in fields):
        return list(handler.get(conn, actor, None, None).list)
    if "text" in named:
        named = named | searched_fields(handler.definition)
    rows = conn.exec_driver_sql(_VISIBLE, (handler.name, handler.name, INF, actor.person_id, INF)).fetchall()
    limited = [one for one in fields if one.see and one.name in named]
    looked_at = fields_read(principal for one in fields for principal in one.see) if limited else set()
    decode = _decoder(frozenset((named | looked_at) & {one.name for one in fields}))
    found = [decode(row[2]) for row in rows]
    if limited:
        hidden = handler.hider(conn, actor)
        for data, row in zip(found, rows, strict=True):
            for name in hidden(row[3], data):
                data.pop(name, None)
    for data, row in zip(found, rows, strict=True):
        data["id"] = row[0]
    if named & ENVELOPE_NAMES:
        for data, row in zip(found, rows, strict=True):
            data["authorId"], data["version"] = row[3], row[7]
            data["createdAt"], data["updatedAt"] = format_utc(row[4]), format_utc(row[5])
    return found


@functools.lru_cache(maxsize=256)
def _decoder(names: frozenset[str]) -> Callable[[str], JsonObject]:
    """Reads the fields of these names out of the JSON of a record's data."""
    part: Any = TypedDict("part", dict.fromkeys(names, Any), total=False)  # type: ignore[misc]  # known only now
    decoder: msgspec.json.Decoder[JsonObject] = msgspec.json.Decoder(part)
    return decoder.decode


Key = tuple[bool, Any]


def _sort_key(definition: TypeDefinition, name: str) -> Callable[[JsonObject], Key]:
    """Missing values first; choices and states in the order of the definition, money by its amount, spans by their start."""
    field = definition.field(name)
    rank = _ranker(field)

    def key(obj: JsonObject) -> Key:
        value = obj.get(name)
        return (False, 0) if value is None else (True, rank(value))

    return key


def _ranker(field: Field | None) -> Callable[[Any], Any]:
    if field is None:
        return lambda value: value
    if field.kind in _UNORDERED:
        raise MethodError(MethodErrorType.UNSUPPORTED_SORT, f"{field.name} has no order")
    match field.kind:
        case FieldKind.CHOICE:
            places = {one.value: place for place, one in enumerate(field.choices)}
            return lambda value: places.get(value, len(places))
        case FieldKind.MONEY:
            return lambda value: as_number(value) or 0
        case FieldKind.SPAN:
            return lambda value: str(value.get("start", ""))
    return lambda value: value
