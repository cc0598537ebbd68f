"""Who may do what with a record, as far as the definition says: for buttons and fields on the screen. The server decides in the end. Pure.

Principals: `everyone`, `author`, `superior` (the author's), `department` (the record's, or none), `role:x`, `field:f` the people in that field,
`field:f.g` those in a field of the record referred to, `head:f` the heads of those departments, `superior:f` the superiors of those people;
`…@draft|returned` at the end: only in these states.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from desktop.core.domain.conditions import Facts, matches, resolve
from desktop.core.domain.definition import Action, Field, FieldKind, TypeDefinition
from desktop.core.domain.directory import Department, Person
from desktop.core.domain.records import Record, wire_of

READ: Final = "read"
CREATE: Final = "create"
UPDATE: Final = "update"
DESTROY: Final = "destroy"

Lookup = Callable[[str, str], Record | None]
"""(type, id) → the record where it is known here."""


class Organization(Struct, frozen=True):
    """Who stands over whom: person → superior, department → head and parent, person → roles and own departments (the primary one first)."""

    superiors: dict[str, str] = {}
    heads: dict[str, str] = {}
    parents: dict[str, str] = {}
    roles: dict[str, frozenset[str]] = {}
    departments: dict[str, tuple[str, ...]] = {}

    @classmethod
    def of(cls, people: Iterable[Person], departments: Iterable[Department]) -> "Organization":
        """From the directory."""
        known, units = list(people), list(departments)
        return cls(
            {person.id: person.superior_id for person in known if person.superior_id},
            {unit.id: unit.head_id for unit in units if unit.head_id},
            {unit.id: unit.parent_id for unit in units if unit.parent_id},
            {person.id: frozenset(person.roles) for person in known},
            {
                person.id: tuple(
                    dict.fromkeys(i.department_id for i in sorted(person.identities, key=lambda i: not i.primary))
                )
                for person in known
            },
        )

    def within(self, person_id: str) -> frozenset[str]:
        """The departments a person belongs to, those above the own ones too."""
        found: set[str] = set()
        for department in self.departments.get(person_id, ()):
            at: str | None = department
            while at is not None and at not in found:
                found.add(at)
                at = self.parents.get(at)
        return frozenset(found)


class Viewer(Struct, frozen=True):
    """Who asks, in which organization, at what time (`zone`: minutes ahead of UTC)."""

    me: str
    organization: Organization = Organization()
    now_ms: int = 0
    zone: int = 0

    @property
    def roles(self) -> frozenset[str]:
        """This user's roles."""
        return self.organization.roles.get(self.me, frozenset())

    @property
    def departments(self) -> tuple[str, ...]:
        """This user's own departments, the primary one first."""
        return self.organization.departments.get(self.me, ())

    @property
    def facts(self) -> Facts:
        """What placeholders stand for."""
        return Facts(self.me, self.departments, self.now_ms, self.zone)


def nothing_known(type_name: str, record_id: str) -> Record | None:
    """A lookup that knows no record."""
    del type_name, record_id
    return None


class Rights:
    """The definition's rules of one type as one user meets them."""

    def __init__(self, type_: TypeDefinition, viewer: Viewer, lookup: Lookup = nothing_known) -> None:
        self._type = type_
        self._viewer = viewer
        self._lookup = lookup
        self._within = viewer.organization.within(viewer.me)

    def may(self, record: Record | None, what: str) -> bool:
        """Whether this user may `read`, `create`, `update`, `destroy`, or do the action named. `record` None: a new one of this user's."""
        if what in (READ, CREATE, UPDATE, DESTROY):
            principals: tuple[str, ...] = getattr(self._type.access, what)
            return self.holds(principals, record)
        action = self._type.action(what)
        return action is not None and record is not None and self._allows(action, record)

    def actions(self, record: Record) -> list[Action]:
        """What this user may do with the record now: the primary one first, destructive ones last."""
        found = [action for action in self._type.actions if self._allows(action, record)]
        return sorted(found, key=lambda action: (action.destructive, not action.primary))

    def may_edit(self, record: Record | None, field_name: str) -> bool:
        """Whether this user may change the field (`record` None: fill it in a new one), outside of actions."""
        field = self._type.field(field_name)
        if field is None or field_name == "state" or field.read_only or field.computed or field.formula:
            return False
        if record is not None and field.immutable:
            return False
        access = self._type.access
        return self.holds(field.edit or (access.create if record is None else access.update), record)

    def may_see(self, record: Record, field: Field) -> bool:
        """Whether this user is shown the field."""
        return not field.see or self.holds(field.see, record)

    def applies(self, field: Field, data: Mapping[str, Any]) -> bool:
        """Whether the field belongs to a record with this data (`when`)."""
        return field.when is None or matches(resolve(field.when, self._viewer.facts), data)

    def _allows(self, action: Action, record: Record) -> bool:
        if record.data.get("state") not in action.from_ or not self.holds(action.who, record):
            return False
        return action.when is None or matches(resolve(action.when, self._viewer.facts), wire_of(record))

    # ------------------------------------------------------------ principals
    def holds(self, principals: Iterable[str], record: Record | None) -> bool:
        """Whether one of the principals is this user."""
        return any(self._is(principal, record) for principal in principals)

    def _is(self, principal: str, record: Record | None) -> bool:
        who, _, states = principal.partition("@")
        data: Mapping[str, Any] = {"state": self._first_state()} if record is None else record.data
        if states and data.get("state") not in states.split("|"):
            return False
        kind, _, rest = who.partition(":")
        if not rest:
            return self._is_plain(kind, record, data)
        path = rest.split(".")
        match kind:
            case "role":
                return rest in self._viewer.roles
            case "field":
                return self._in_field(self._type, path, data)
            case "head":
                heads = self._viewer.organization.heads
                return any(heads.get(one) == self._viewer.me for one in self._ids(path, data))
            case "superior":
                superiors = self._viewer.organization.superiors
                return any(superiors.get(one) == self._viewer.me for one in self._ids(path, data))
        return False

    def _is_plain(self, kind: str, record: Record | None, data: Mapping[str, Any]) -> bool:
        author = self._viewer.me if record is None else record.author_id
        match kind:
            case "everyone":
                return True
            case "author":
                return author == self._viewer.me
            case "superior":
                return author is not None and self._viewer.organization.superiors.get(author) == self._viewer.me
            case "department":
                department = data.get("departmentId")
                return not department or department in self._within
            case "audience":
                return self._in_audience(data.get("audience"))
            case "handler":
                return self._viewer.me in ids_in(data.get("handlerIds"))
            case "participant":
                held = [*ids_in(data.get("participantIds")), *ids_in(data.get("handlerIds"))]
                return self._viewer.me in held
        return False

    def _in_audience(self, audience: Any) -> bool:
        if not isinstance(audience, dict):
            return False
        return bool(
            audience.get("everyone")
            or self._viewer.me in ids_in(audience.get("personIds"))
            or self._viewer.roles.intersection(ids_in(audience.get("roles")))
            or self._within.intersection(ids_in(audience.get("departmentIds")))
        )

    def _in_field(self, type_: TypeDefinition, path: list[str], data: Mapping[str, Any]) -> bool:
        """Whether this user is meant by a field: as a person, as one of a department, as one of an audience."""
        field = type_.field(path[0])
        if field is None:
            return False
        held = data.get(field.name)
        if len(path) > 1:
            found = [self._lookup(field.target or "", one) for one in ids_in(held)]
            return any(self._viewer.me in ids_in(one.data.get(path[1])) for one in found if one is not None)
        match field.kind:
            case FieldKind.PERSON | FieldKind.PERSONS:
                return self._viewer.me in ids_in(held)
            case FieldKind.DEPARTMENT | FieldKind.DEPARTMENTS:
                return bool(self._within.intersection(ids_in(held)))
            case FieldKind.AUDIENCE:
                return self._in_audience(held)
        return False

    def _ids(self, path: list[str], data: Mapping[str, Any]) -> list[str]:
        """Ids in a field, or in a field of the records it refers to."""
        ids = ids_in(data.get(path[0]))
        if len(path) == 1:
            return ids
        field = self._type.field(path[0])
        target = "" if field is None or field.target is None else field.target
        known = [self._lookup(target, one) for one in ids]
        return [one for record in known if record is not None for one in ids_in(record.data.get(path[1]))]

    def _first_state(self) -> str | None:
        return self._type.states[0].value if self._type.states else None


def ids_in(value: Any) -> list[str]:
    """The ids a person, department or reference field holds, one or many."""
    if isinstance(value, str):
        return [value] if value else []
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def references_needed(type_: TypeDefinition) -> list[tuple[str, str]]:
    """(field, target type) of the references whose records the principals of this type look into."""
    principals = [*type_.access.create, *type_.access.update, *type_.access.destroy]
    for action in type_.actions:
        principals += action.who
    for due in type_.due:
        principals += due.to
    for field in type_.fields:
        principals += [*field.see, *field.edit]
    names = dict.fromkeys(
        path.partition(".")[0]
        for principal in principals
        if "." in (path := principal.partition("@")[0].partition(":")[2])
    )
    found = [(name, type_.field(name)) for name in names]
    return [(name, field.target) for name, field in found if field is not None and field.target is not None]
