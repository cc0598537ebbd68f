"""Who may do what: the principals of a definition, as a yes or no for an actor and as scopes for a record.

A principal stands for scopes (everyone, a department with those below it, a role, one person); somebody is meant who is in one of them.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.directory import DEPARTMENT, PERSON
from server_stub.modules.engine.definition import HANDLERS, PARTICIPANTS, FieldKind, TypeDefinition
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.visibility import EVERYONE, INF, ScopeKind, scope_id
from server_stub.storage.database import Tx

ScopeKey = tuple[ScopeKind, str]
Basis = dict[tuple[str, str], str]
"""(kind, id) → value: what scopes were computed from: ("record", id) → "", ("superior", person) → superior, ("head", department) → head."""

_FIELDS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "audience": ("audience",),
    "department": ("departmentId",),
    "handler": (HANDLERS,),
    "participant": (PARTICIPANTS, HANDLERS),
}
_PERSON_KINDS: Final = frozenset({FieldKind.PERSON, FieldKind.PERSONS})
_DEPARTMENT_KINDS: Final = frozenset({FieldKind.DEPARTMENT, FieldKind.DEPARTMENTS})
_REFERENCE_KINDS: Final = frozenset({FieldKind.REFERENCE, FieldKind.REFERENCES})


@dataclass(frozen=True, slots=True)
class Principal:
    """A principal, taken apart: `field:vehicleId.driverId@draft|sent` → field, (vehicleId, driverId), {draft, sent}."""

    word: str
    path: tuple[str, ...]
    states: frozenset[str] | None


@functools.lru_cache(maxsize=4096)
def parse_principal(text: str) -> Principal:
    """Take a principal apart."""
    text, at, states = text.partition("@")
    word, _, path = text.partition(":")
    return Principal(word, tuple(path.split(".")) if path else (), frozenset(states.split("|")) if at else None)


class Lookup:
    """Reads what principals need beyond the record itself, and remembers it: for one call on one snapshot.

    Attributes:
        basis: everything that was read.
    """

    def __init__(self, conn: sa.Connection, types: Mapping[str, TypeDefinition]) -> None:
        self._conn = conn
        self._types = types
        self._records: dict[tuple[str, str], Record | None] = {}
        self.basis: Basis = {}

    def referred(self, type_name: str | None, record_id: str) -> tuple[TypeDefinition, Record] | None:
        """A record that a reference points to, with its type."""
        definition = self._types.get(type_name or "")
        record = self._load(type_name or "", record_id)
        self.basis["record", record_id] = ""
        return None if definition is None or record is None else (definition, record)

    def superior(self, person_id: str) -> str | None:
        """The direct superior of a person."""
        found = self._text(PERSON, person_id, "superiorId")
        self.basis["superior", person_id] = found or ""
        return found

    def head(self, department_id: str) -> str | None:
        """The head of a department."""
        found = self._text(DEPARTMENT, department_id, "headId")
        self.basis["head", department_id] = found or ""
        return found

    def _text(self, type_name: str, record_id: str, name: str) -> str | None:
        record = self._load(type_name, record_id)
        value = None if record is None else record.data.get(name)
        return value if isinstance(value, str) and value else None

    def _load(self, type_name: str, record_id: str) -> Record | None:
        key = (type_name, record_id)
        if key not in self._records:
            self._records[key] = load_record(self._conn, record_id, type_name=type_name)
        return self._records[key]


class Viewer:
    """An actor with everything access asks about: the scopes the person is in now. For one call on one snapshot."""

    def __init__(self, conn: sa.Connection, actor: Actor, types: Mapping[str, TypeDefinition]) -> None:
        self.actor = actor
        self.lookup = Lookup(conn, types)
        self._conn = conn
        self._keys: frozenset[tuple[str, str]] | None = None

    def is_one_of(
        self, principals: Iterable[str], definition: TypeDefinition, author_id: str | None, data: Mapping[str, Any]
    ) -> bool:
        """Whether this actor is meant by one of the principals, seen from a record."""
        return any(
            self.holds(key)
            for principal in principals
            for key in principal_keys(self.lookup, definition, principal, author_id, data)
        )

    def tester(
        self, principals: Sequence[str], definition: TypeDefinition
    ) -> Callable[[str | None, Mapping[str, Any]], bool]:
        """The same as a function of (author, data), for many records: what does not depend on the record is found out once."""
        me = self.actor.person_id
        if any(
            one == "everyone" or (_is_role(one) and self.is_one_of((one,), definition, None, {})) for one in principals
        ):
            return lambda author_id, data: True
        rest = [one for one in principals if one != "author" and not _is_role(one)]
        by_author = "author" in principals
        if not rest:
            return lambda author_id, data: by_author and author_id == me
        return lambda author_id, data: (
            (by_author and author_id == me) or self.is_one_of(rest, definition, author_id, data)
        )

    def holds(self, key: ScopeKey) -> bool:
        """Whether the actor is in a scope."""
        kind, ref = key
        if kind == "everyone":
            return True
        if kind == "person":
            return ref == self.actor.person_id
        if kind == "role":
            return ref in self.actor.roles
        return ref in self.actor.department_ids or key in self._memberships()

    def _memberships(self) -> frozenset[tuple[str, str]]:
        if self._keys is None:
            rows = self._conn.exec_driver_sql(
                "SELECT s.kind, s.ref FROM membership AS m JOIN scope AS s ON s.id = m.scope"
                " WHERE m.person_id = ? AND m.until = ? AND s.kind = 'department'",
                (self.actor.person_id, INF),
            )
            self._keys = frozenset((row[0], row[1]) for row in rows)
        return self._keys


def _is_role(principal: str) -> bool:
    """A role whatever the state."""
    return principal.startswith("role:") and "@" not in principal


def fields_read(principals: Iterable[str]) -> set[str]:
    """The fields of a record that these principals look at."""
    names: set[str] = set()
    for one in principals:
        parsed = parse_principal(one)
        names.update(parsed.path[:1] if parsed.word != "role" else ())
        names.update(_FIELDS_OF.get(parsed.word, ()))
        names.update(["state"] if parsed.states is not None else [])
    return names


def principal_keys(  # noqa: PLR0911 (a line each)
    lookup: Lookup, definition: TypeDefinition, principal: str, author_id: str | None, data: Mapping[str, Any]
) -> list[ScopeKey]:
    """The scopes a principal stands for, seen from a record with this author and data."""
    parsed = parse_principal(principal)
    if parsed.states is not None and data.get("state") not in parsed.states:
        return []
    match parsed.word:
        case "everyone":
            return [EVERYONE]
        case "author":
            return _persons([author_id])
        case "role":
            return [("role", parsed.path[0])]
        case "audience":
            return audience_keys(data.get("audience"))
        case "department":
            department_id = data.get("departmentId")
            return _departments([department_id]) if department_id else [EVERYONE]
        case "handler":
            return _persons(_texts(data.get(HANDLERS)))
        case "participant":
            return _persons((*_texts(data.get(PARTICIPANTS)), *_texts(data.get(HANDLERS))))
        case "superior" if not parsed.path:
            return _persons([lookup.superior(author_id) if author_id else None])
    keys = _field_keys(lookup, definition, parsed.path, data)
    if parsed.word == "head":
        return _persons([lookup.head(ref) for kind, ref in keys if kind == "department"])
    if parsed.word == "superior":
        return _persons([lookup.superior(ref) for kind, ref in keys if kind == "person"])
    return keys


def audience_keys(audience: Any) -> list[ScopeKey]:
    """The scopes of an audience field's value."""
    if not isinstance(audience, Mapping):
        return []
    if audience.get("everyone"):
        return [EVERYONE]
    keys = _departments(_texts(audience.get("departmentIds")))
    keys += [("role", one) for one in _texts(audience.get("roles"))]
    return [*keys, *_persons(_texts(audience.get("personIds")))]


def audience_scopes(tx: Tx, audience: Mapping[str, Any]) -> list[int]:
    """The scopes of an audience field."""
    return [scope_id(tx, *key) for key in dict.fromkeys(audience_keys(audience))]


def _field_keys(
    lookup: Lookup, definition: TypeDefinition, path: Sequence[str], data: Mapping[str, Any]
) -> list[ScopeKey]:
    field = definition.field(path[0])
    if field is None:
        return []
    values = _texts(data.get(field.name))
    if len(path) == 1:
        if field.kind in _PERSON_KINDS:
            return _persons(values)
        if field.kind in _DEPARTMENT_KINDS:
            return _departments(values)
        return audience_keys(data.get(field.name)) if field.kind is FieldKind.AUDIENCE else []
    if field.kind not in _REFERENCE_KINDS:
        return []
    found = [lookup.referred(field.target, one) for one in values]
    return [key for one in found if one is not None for key in _field_keys(lookup, one[0], path[1:], one[1].data)]


def _persons(ids: Iterable[str | None]) -> list[ScopeKey]:
    return [("person", one) for one in ids if one]


def _departments(ids: Iterable[str]) -> list[ScopeKey]:
    return [("department", one) for one in ids]


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value] if value else []
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
