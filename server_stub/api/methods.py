"""The five standard methods (RFC 8620 §5) for any TypeHandler: plain functions over a snapshot or a transaction."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
import sqlalchemy as sa

from server_stub.api.references import creation_references, resolve_creation_ids
from server_stub.api.wire import Limits
from server_stub.errors import (
    CannotCalculateChanges,
    MethodError,
    MethodErrorType,
    SetError,
    SetErrorType,
    invalid_properties,
)
from server_stub.ids import is_id
from server_stub.records.actor import WRITE_SCOPE, Actor
from server_stub.records.creation import recall_creation, remember_creation
from server_stub.records.types import MAX_QUERY, Comparator, OwnMethod, TypeHandler, Window
from server_stub.records.visibility import current_state
from server_stub.storage.database import Tx

Arguments = dict[str, Any]
S = TypeVar("S", bound=msgspec.Struct)

MAX_IMPORT: Final = 10_000  # objects of one /import: some 4 s of one transaction
QUERY_CHANGES_LIMIT: Final = 5000  # changed objects a /queryChanges looks at before it gives up


class _Get(msgspec.Struct, rename="camel"):
    account_id: str
    ids: list[str] | None = None
    properties: list[str] | None = None


class _Changes(msgspec.Struct, rename="camel"):
    account_id: str
    since_state: str
    max_changes: int | None = None


class Set(msgspec.Struct, rename="camel"):
    """The arguments of Foo/set, RFC 8620 §5.3."""

    account_id: str
    if_in_state: str | None = None
    create: dict[str, dict[str, Any]] | None = None
    update: dict[str, dict[str, Any]] | None = None
    destroy: list[str] | None = None


class Import(msgspec.Struct, rename="camel"):
    """The arguments of Foo/import."""

    account_id: str
    create: dict[str, dict[str, Any]]
    dry_run: bool = False


class _Comparator(msgspec.Struct, rename="camel"):
    property: str
    is_ascending: bool = True
    collation: str | None = None


class _Own(msgspec.Struct, rename="camel"):
    account_id: str


class _Query(msgspec.Struct, rename="camel"):
    account_id: str
    filter: dict[str, Any] | None = None
    sort: list[_Comparator] | None = None
    position: int = 0
    anchor: str | None = None
    anchor_offset: int = 0
    limit: int | None = None
    calculate_total: bool = False


class _QueryChanges(msgspec.Struct, rename="camel"):
    account_id: str
    since_query_state: str
    filter: dict[str, Any] | None = None
    sort: list[_Comparator] | None = None
    max_changes: int | None = None
    up_to_id: str | None = None
    calculate_total: bool = False


def _take(arguments: Arguments, shape: type[S], actor: Actor) -> S:
    """The arguments in their shape, for the actor's own account."""
    try:
        taken = msgspec.convert(arguments, shape)
    except msgspec.ValidationError as problem:
        raise MethodError(MethodErrorType.INVALID_ARGUMENTS, str(problem)) from problem
    if taken.account_id != actor.person_id:  # type: ignore[attr-defined]  # every shape above has it
        raise MethodError(MethodErrorType.ACCOUNT_NOT_FOUND)
    return taken


def _positive(value: int | None, name: str, most: int) -> int:
    if value is None:
        return most
    if value <= 0:
        raise MethodError(MethodErrorType.INVALID_ARGUMENTS, f"{name} is a positive number")
    return min(value, most)


# ---------------------------------------------------------------- reading


def get_objects(
    conn: sa.Connection, handler: TypeHandler, actor: Actor, arguments: Arguments, limits: Limits
) -> Arguments:
    """Foo/get."""
    args = _take(arguments, _Get, actor)
    if args.ids is not None and len(args.ids) > limits.max_objects_in_get:
        raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, f"at most {limits.max_objects_in_get} ids")
    _check_properties(handler, args.properties)
    wanted = {} if args.ids is None else dict.fromkeys(args.ids)
    ids = None if args.ids is None else [id_ for id_ in wanted if is_id(id_)]
    found = handler.get(conn, actor, ids, args.properties)
    if len(found.list) > limits.max_objects_in_get:
        raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, f"more than {limits.max_objects_in_get} objects: name ids")
    objects = found.list
    if args.properties is not None:
        named = {"id", *args.properties}
        objects = [{key: value for key, value in obj.items() if key in named} for obj in objects]
    malformed = [] if ids is None or len(ids) == len(wanted) else [id_ for id_ in wanted if not is_id(id_)]
    return {
        "accountId": actor.person_id,
        "state": current_state(conn),
        "list": objects,
        "notFound": [*found.not_found, *malformed],
    }


def _check_properties(handler: TypeHandler, wanted: Sequence[str] | None) -> None:
    if wanted is None or handler.properties is None:
        return
    unknown = sorted(set(wanted) - handler.properties - {"id"})
    if unknown:
        raise MethodError(MethodErrorType.INVALID_ARGUMENTS, f"no such property: {', '.join(unknown)[:200]}")


def get_changes(
    conn: sa.Connection, handler: TypeHandler, actor: Actor, arguments: Arguments, limits: Limits
) -> Arguments:
    """Foo/changes, with our `modseqs` and, where a type tells, `updatedProperties`."""
    args = _take(arguments, _Changes, actor)
    limit = _positive(args.max_changes, "maxChanges", limits.max_changes)
    page = handler.changes(conn, actor, args.since_state, limit)
    result: Arguments = {
        "accountId": actor.person_id,
        "oldState": args.since_state,
        "newState": page.new_state,
        "hasMoreChanges": page.has_more,
        "created": page.created,
        "updated": page.updated,
        "destroyed": page.destroyed,
        "modseqs": page.modseqs,
    }
    if page.updated:
        only = handler.updated_properties(conn, actor, args.since_state, page)
        if only is not None:
            result["updatedProperties"] = only
    return result


def _sort(sort: Iterable[_Comparator] | None) -> list[Comparator]:
    comparators = list(sort or ())
    if any(comparator.collation is not None for comparator in comparators):
        raise MethodError(MethodErrorType.UNSUPPORTED_SORT, "no collations are known")
    return [Comparator(comparator.property, comparator.is_ascending) for comparator in comparators]


def query_objects(
    conn: sa.Connection, handler: TypeHandler, actor: Actor, arguments: Arguments, limits: Limits
) -> Arguments:
    """Foo/query."""
    args = _take(arguments, _Query, actor)
    if args.limit is not None and args.limit < 0:
        raise MethodError(MethodErrorType.INVALID_ARGUMENTS, "limit is not negative")
    window = Window(args.position, args.anchor, args.anchor_offset, args.limit, args.calculate_total)
    found = handler.query(conn, actor, args.filter, _sort(args.sort), window)
    result: Arguments = {
        "accountId": actor.person_id,
        "queryState": current_state(conn),
        "canCalculateChanges": handler.can_calculate_query_changes,
        "position": found.position,
        "ids": found.ids,
    }
    if found.total is not None:
        result["total"] = found.total
    if (args.limit is None or args.limit > MAX_QUERY) and len(found.ids) >= MAX_QUERY:
        result["limit"] = (
            MAX_QUERY  # RFC 8620 §5.5: told where the server sets it, or who asks takes a part for the whole
        )
    return result


def query_changes(
    conn: sa.Connection, handler: TypeHandler, actor: Actor, arguments: Arguments, limits: Limits
) -> Arguments:
    """Foo/queryChanges: whatever changed leaves the result and comes back where it now stands, which RFC 8620 §5.6 allows."""
    args = _take(arguments, _QueryChanges, actor)
    most = _positive(args.max_changes, "maxChanges", QUERY_CHANGES_LIMIT)
    if not handler.can_calculate_query_changes or "." in args.since_query_state:
        raise CannotCalculateChanges("this query's changes cannot be told")
    page = handler.changes(conn, actor, args.since_query_state, QUERY_CHANGES_LIMIT)
    if page.has_more:
        raise CannotCalculateChanges("too much has changed")
    found = handler.query(
        conn, actor, args.filter, _sort(args.sort), Window(limit=QUERY_CHANGES_LIMIT, calculate_total=True)
    )
    if found.total is not None and found.total > len(found.ids):
        raise CannotCalculateChanges("the result is too long")
    changed = {*page.created, *page.updated}
    added = [{"id": id_, "index": index} for index, id_ in enumerate(found.ids) if id_ in changed]
    removed = [*page.destroyed, *page.updated, *page.created]
    if len(added) + len(removed) > most:
        raise MethodError(MethodErrorType.TOO_MANY_CHANGES)
    result: Arguments = {
        "accountId": actor.person_id,
        "oldQueryState": args.since_query_state,
        "newQueryState": current_state(conn),
        "removed": removed,
        "added": added,
    }
    if args.calculate_total:
        result["total"] = len(found.ids)
    return result


ReadMethod = Callable[[sa.Connection, TypeHandler, Actor, Arguments, Limits], Arguments]

READ_METHODS: Final[dict[str, ReadMethod]] = {
    "get": get_objects,
    "changes": get_changes,
    "query": query_objects,
    "queryChanges": query_changes,
}


# ---------------------------------------------------------------- writing


def may_write(handler: TypeHandler, method: str) -> bool:
    """Whether a type has this method, and it writes."""
    if method == "set" or (method == "import" and bool(getattr(handler, "imports", False))):
        return True
    return own_method(handler, method) is not None


def own_method(handler: TypeHandler, method: str) -> OwnMethod | None:
    """A method that only this type has."""
    held: Mapping[str, OwnMethod] = getattr(handler, "own_methods", {})
    return held.get(method)


async def call_own(run: OwnMethod, actor: Actor, arguments: Arguments) -> Arguments:
    """Call a type's own method; a SetError of it is answered as the argument `refused`.

    Raises:
        MethodError: invalidArguments, accountNotFound, accountReadOnly, and what the method raises.
    """
    _take(arguments, _Own, actor)
    if not actor.may(WRITE_SCOPE):
        raise MethodError(MethodErrorType.ACCOUNT_READ_ONLY, "the token may only read")
    try:
        answer = await run(actor, {key: value for key, value in arguments.items() if key != "accountId"})
    except SetError as problem:
        answer = {"refused": problem.to_object()}
    return {"accountId": actor.person_id, **answer}


class _TakenBack(Exception):
    """Ends a savepoint that is to leave nothing behind."""


def check_import(arguments: Arguments, actor: Actor) -> Import:
    """The arguments of Foo/import, before any transaction is begun.

    Raises:
        MethodError: invalidArguments, accountNotFound, accountReadOnly, requestTooLarge.
    """
    args = _take(arguments, Import, actor)
    if not actor.may(WRITE_SCOPE):
        raise MethodError(MethodErrorType.ACCOUNT_READ_ONLY, "the token may only read")
    if len(args.create) > MAX_IMPORT:
        raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, f"at most {MAX_IMPORT} objects")
    return args


def import_objects(tx: Tx, handler: TypeHandler, actor: Actor, args: Import, known: dict[str, str]) -> Arguments:
    """Foo/import (docs/protocol.md §4): every object is made, or none; a dry run makes none and says what it would."""
    result: Arguments = {}
    made = dict(known)
    try:
        with tx.savepoint():
            _create_all(tx, handler, actor, args.create, made, result)
            if result["notCreated"] or args.dry_run:
                raise _TakenBack
    except _TakenBack:
        made = dict(known)
    created = {} if result["notCreated"] else {key: {"id": one["id"]} for key, one in (result["created"] or {}).items()}
    known.update(made)
    return {"accountId": actor.person_id, "created": created, "notCreated": result["notCreated"] or {}}


def count_set(args: Set) -> int:
    """How many objects a /set is about."""
    return len(args.create or ()) + len(args.update or ()) + len(args.destroy or ())


def check_set(arguments: Arguments, actor: Actor, limits: Limits) -> Set:
    """The arguments of Foo/set, before any transaction is begun.

    Raises:
        MethodError: invalidArguments, accountNotFound, accountReadOnly, requestTooLarge.
    """
    args = _take(arguments, Set, actor)
    if not actor.may(WRITE_SCOPE):
        raise MethodError(MethodErrorType.ACCOUNT_READ_ONLY, "the token may only read")
    if count_set(args) > limits.max_objects_in_set:
        raise MethodError(MethodErrorType.REQUEST_TOO_LARGE, f"at most {limits.max_objects_in_set} objects")
    return args


def cut_set(args: Set, allowed: int) -> Set:
    """Leave the first `allowed` objects in `args`, in the order in which they apply; gives the rest."""
    rest = Set(args.account_id)
    for name in ("create", "update"):
        entries: dict[str, dict[str, Any]] = getattr(args, name) or {}
        keys = list(entries)
        setattr(args, name, {key: entries[key] for key in keys[:allowed]})
        setattr(rest, name, {key: entries[key] for key in keys[allowed:]})
        allowed = max(0, allowed - len(keys))
    listed = args.destroy or []
    args.destroy, rest.destroy = listed[:allowed], listed[allowed:]
    return rest


def refuse_rest(answer: Arguments, rest: Set, problem: SetError) -> None:
    """Add the objects that cut_set took out to the answer, all refused for the same reason."""
    for name, key in (("create", "notCreated"), ("update", "notUpdated"), ("destroy", "notDestroyed")):
        refused = dict.fromkeys(getattr(rest, name) or (), problem.to_object())
        if refused:
            answer[key] = {**(answer[key] or {}), **refused}


def nothing_set(conn: sa.Connection, actor: Actor) -> Arguments:
    """The answer of a /set that did nothing at all."""
    state = current_state(conn)
    return {"accountId": actor.person_id, "oldState": state, "newState": state, **_NOTHING_SET}


_NOTHING_SET: Final = dict.fromkeys(("created", "updated", "destroyed", "notCreated", "notUpdated", "notDestroyed"))


def set_objects(tx: Tx, handler: TypeHandler, actor: Actor, args: Set, known: dict[str, str]) -> Arguments:
    """Foo/set: each object stands or falls alone. New objects are added to `known` (creation id → id)."""
    old_state = str(tx.latest)
    if args.if_in_state is not None:
        _check_state(tx, handler, actor, args.if_in_state)
    result: Arguments = {"accountId": actor.person_id, "oldState": old_state, "newState": old_state, **_NOTHING_SET}
    made: dict[str, str] = dict(known)
    if args.create:
        _create_all(tx, handler, actor, args.create, made, result)
    if args.update:
        _update_all(tx, handler, actor, args.update, made, result)
    if args.destroy:
        _destroy_all(tx, handler, actor, args.destroy, made, result)
    result["newState"] = str(tx.latest)
    known.update(made)
    return result


def _check_state(tx: Tx, handler: TypeHandler, actor: Actor, state: str) -> None:
    """Nothing this actor sees of the type has changed since `state`: a state is exact, not merely the newest number."""
    try:
        page = handler.changes(tx.conn, actor, state, 1)
    except CannotCalculateChanges:
        raise MethodError(MethodErrorType.STATE_MISMATCH) from None
    if page.created or page.updated or page.destroyed or page.has_more:
        raise MethodError(MethodErrorType.STATE_MISMATCH)


def _create_all(
    tx: Tx,
    handler: TypeHandler,
    actor: Actor,
    wanted: dict[str, dict[str, Any]],
    made: dict[str, str],
    result: Arguments,
) -> None:
    created: Arguments = {}
    refused: Arguments = {}
    for key in _creation_order(wanted):
        try:
            with tx.savepoint():
                created[key] = _create_one(tx, handler, actor, key, resolve_creation_ids(wanted[key], made))
            made[key] = created[key]["id"]
        except SetError as problem:
            refused[key] = problem.to_object()
    result["created"] = created or None
    result["notCreated"] = refused or None


def _creation_order(wanted: dict[str, dict[str, Any]]) -> list[str]:
    """The keys so that an object comes after those it refers to; circles come last, and fail at the missing one."""
    if len(wanted) == 1:
        return list(wanted)
    needs = {key: (creation_references(obj) & wanted.keys()) - {key} for key, obj in wanted.items()}
    order: list[str] = []
    done: set[str] = set()
    while len(order) < len(wanted):
        ready = [key for key in wanted if key not in done and needs[key] <= done]
        if not ready:
            return order + [key for key in wanted if key not in done]
        order += ready
        done.update(ready)
    return order


def _create_one(tx: Tx, handler: TypeHandler, actor: Actor, key: str, obj: dict[str, Any]) -> Arguments:
    if not is_id(key):
        raise invalid_properties("a creation id is an Id (RFC 8620 §1.2)", "id")
    if handler.keeps_creations:
        return handler.create(tx, actor, key, obj)
    known = recall_creation(tx, actor, handler.name, key)
    if known is not None:
        return known
    answer = handler.create(tx, actor, key, obj)
    remember_creation(tx, actor, handler.name, key, answer)
    return answer


def _resolve_key(key: str, made: dict[str, str]) -> str:
    id_ = made.get(key[1:], "") if key.startswith("#") else key
    if not is_id(id_):
        raise SetError(SetErrorType.NOT_FOUND)
    return id_


def _update_all(
    tx: Tx,
    handler: TypeHandler,
    actor: Actor,
    wanted: dict[str, dict[str, Any]],
    made: dict[str, str],
    result: Arguments,
) -> None:
    updated: Arguments = {}
    refused: Arguments = {}
    for key, patch in wanted.items():
        try:
            id_ = _resolve_key(key, made)
            with tx.savepoint():
                updated[id_] = handler.update(tx, actor, id_, resolve_creation_ids(patch, made))
        except SetError as problem:
            refused[key] = problem.to_object()
    result["updated"] = updated or None
    result["notUpdated"] = refused or None


def _destroy_all(
    tx: Tx, handler: TypeHandler, actor: Actor, wanted: list[str], made: dict[str, str], result: Arguments
) -> None:
    destroyed: list[str] = []
    refused: Arguments = {}
    for key in dict.fromkeys(wanted):
        try:
            id_ = _resolve_key(key, made)
            with tx.savepoint():
                handler.destroy(tx, actor, id_)
            destroyed.append(id_)
        except SetError as problem:
            refused[key] = problem.to_object()
    result["destroyed"] = destroyed or None
    result["notDestroyed"] = refused or None
