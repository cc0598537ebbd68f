"""What a synced type offers to the api, and the registry of all types. Plain sync functions over a snapshot or a transaction.

Expected failures are raised: SetError for one object of a /set, MethodError for the whole call. Handlers never commit, never await.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import sqlalchemy as sa

from server_stub.errors import MethodError, MethodErrorType
from server_stub.records.actor import Actor
from server_stub.records.visibility import ChangesPage
from server_stub.storage.database import Tx

JsonObject = dict[str, Any]

OwnMethod = Callable[[Actor, JsonObject], Awaitable[JsonObject]]
"""A method beside the standard ones (`Process/tryOut`): the arguments (without accountId) in, the answer's arguments out. Raises MethodError or SetError.
A handler that has some holds them by name in an attribute `own_methods`; it opens its transactions itself."""

MAX_QUERY: Final = 5000  # ids of one answer to /query when the client names no limit


@dataclass(frozen=True, slots=True)
class Comparator:
    """One key of a sort, RFC 8620 §5.5."""

    property: str
    is_ascending: bool = True


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a query's result is wanted. `position` may be negative (from the end); `anchor` wins over it."""

    position: int = 0
    anchor: str | None = None
    anchor_offset: int = 0
    limit: int | None = None
    calculate_total: bool = False


@dataclass(frozen=True, slots=True)
class QueryResult:
    """A part of a query's result: the ids from index `position` on; `total` only where it was asked for."""

    ids: list[str]
    position: int
    total: int | None = None


def cut_window(ids: Sequence[str], window: Window) -> QueryResult:
    """The window of a whole result, for handlers whose results are small.

    Raises:
        MethodError: anchorNotFound.
    """
    if window.anchor is not None:
        try:
            start = max(0, ids.index(window.anchor) + window.anchor_offset)
        except ValueError:
            raise MethodError(MethodErrorType.ANCHOR_NOT_FOUND) from None
    else:
        start = max(0, window.position + len(ids)) if window.position < 0 else window.position
    limit = MAX_QUERY if window.limit is None else min(window.limit, MAX_QUERY)
    return QueryResult(list(ids[start : start + limit]), start, len(ids) if window.calculate_total else None)


@dataclass(frozen=True, slots=True)
class GetResult:
    """What /get found. `list` holds whole objects (the api cuts them down to the properties asked for)."""

    list: list[JsonObject]
    not_found: Sequence[str] = field(default_factory=tuple)


class TypeHandler(Protocol):
    """One JMAP type.

    Attributes:
        name: such as `Message`.
        capability: the URN a request must name in `using`.
        keeps_creations: True when the handler itself recognizes a creation id that was used before (hot types);
            False: the api remembers and repeats the answer.
        can_calculate_query_changes: False where a filter looks at other types or at the time.
        properties: the names /get may be asked for (others are invalidArguments); None: not checked.
    """

    @property
    def name(self) -> str: ...

    @property
    def capability(self) -> str: ...

    @property
    def keeps_creations(self) -> bool: ...

    @property
    def can_calculate_query_changes(self) -> bool: ...

    @property
    def properties(self) -> frozenset[str] | None: ...

    def get(
        self, conn: sa.Connection, actor: Actor, ids: Sequence[str] | None, properties: Sequence[str] | None
    ) -> GetResult:
        """The objects the actor sees among `ids` (None: all); `properties` is a hint, to save work."""
        ...

    def changes(self, conn: sa.Connection, actor: Actor, since: str, limit: int) -> ChangesPage:
        """See visibility.changes."""
        ...

    def updated_properties(self, conn: sa.Connection, actor: Actor, since: str, page: ChangesPage) -> list[str] | None:
        """RFC 8621 §2.2: the only properties that changed on `page.updated`, None when anything may have."""
        ...

    def query(
        self, conn: sa.Connection, actor: Actor, filter_: JsonObject | None, sort: Sequence[Comparator], window: Window
    ) -> QueryResult:
        """Ids in order. Raises MethodError unsupportedFilter, unsupportedSort, anchorNotFound."""
        ...

    def create(self, tx: Tx, actor: Actor, creation_id: str, obj: JsonObject) -> JsonObject:
        """Make an object; a UUIDv7 `creation_id` becomes its id. Returns `id` and what the server set or changed."""
        ...

    def update(self, tx: Tx, actor: Actor, id_: str, patch: JsonObject) -> JsonObject | None:
        """Apply a patch (RFC 8620 §5.3). Returns what the server changed beyond the patch, or None."""
        ...

    def destroy(self, tx: Tx, actor: Actor, id_: str) -> None:
        """Destroy an object."""
        ...


class Registry:
    """All types by name, and whom to ask about each."""

    def __init__(self, handlers: Iterable[TypeHandler] = ()) -> None:
        self._handlers: dict[str, TypeHandler] = {}
        for handler in handlers:
            self.add(handler)

    def add(self, handler: TypeHandler) -> None:
        """Add a type.

        Raises:
            ValueError: there is one of this name already.
        """
        if handler.name in self._handlers:
            raise ValueError(f"there are two types {handler.name}")
        self._handlers = {**self._handlers, handler.name: handler}

    def remove(self, name: str) -> None:
        """Forget a type. Readers on other threads keep what they look at."""
        self._handlers = {key: one for key, one in self._handlers.items() if key != name}

    def get(self, name: str) -> TypeHandler | None:
        """The handler of a type, None when there is no such type."""
        return self._handlers.get(name)

    def __iter__(self) -> Iterator[TypeHandler]:
        return iter(self._handlers.values())

    def by_capability(self) -> Mapping[str, list[str]]:
        """Capability → names of its types, in order of registration."""
        found: dict[str, list[str]] = {}
        for handler in self:
            found.setdefault(handler.capability, []).append(handler.name)
        return found
