"""Rights read from a definition by brute force, person by person, without any of the engine's code: what tests compare the engine with."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from server_stub.modules.engine.definition import FieldKind, TypeDefinition


@dataclass(slots=True)
class Somebody:
    """A person as the oracle knows him. `departments`: own ones with all above them."""

    id: str
    roles: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    superior: str | None = None
    active: bool = True


@dataclass(slots=True)
class World:
    """Everything principals look at. `heads`: department → head; `records`: id → (type, data)."""

    types: Mapping[str, TypeDefinition]
    people: dict[str, Somebody] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    records: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def is_meant(
        self, who: Somebody, principals: Iterable[str], type_name: str, author: str | None, data: Mapping[str, Any]
    ) -> bool:
        """Whether a person is one of those the principals name."""
        return any(self._one(who, principal, type_name, author, data) for principal in principals)

    def _one(self, who: Somebody, principal: str, type_name: str, author: str | None, data: Mapping[str, Any]) -> bool:
        principal, _, states = principal.partition("@")
        if states and data.get("state") not in states.split("|"):
            return False
        word, _, path = principal.partition(":")
        if word == "everyone":
            return who.active
        if word == "author":
            return who.id == author
        if word == "role":
            return who.active and path in who.roles
        if word == "superior" and not path:
            return author in self.people and self.people[author].superior == who.id
        if word == "department":
            place = data.get("departmentId")
            return who.active and (not place or place in who.departments)
        if word == "audience":
            return self._in_audience(who, data.get("audience"))
        named = self._values(type_name, path.split("."), data)
        if word == "head":
            return any(self.heads.get(one) == who.id for one in named)
        if word == "superior":
            return any(one in self.people and self.people[one].superior == who.id for one in named)
        return who.id in named or (who.active and bool(who.departments & set(named)))

    def _in_audience(self, who: Somebody, audience: Any) -> bool:
        if not audience:
            return False
        if who.id in audience.get("personIds", ()) and not audience.get("everyone"):
            return True
        return who.active and bool(
            audience.get("everyone")
            or who.departments & set(audience.get("departmentIds", ()))
            or who.roles & set(audience.get("roles", ()))
        )

    def _values(self, type_name: str, path: list[str], data: Mapping[str, Any]) -> list[str]:
        held = data.get(path[0])
        values = [held] if isinstance(held, str) else list(held or ())
        if len(path) == 1:
            return values
        target = self.types[type_name].field(path[0])
        assert target is not None
        assert target.kind in (FieldKind.REFERENCE, FieldKind.REFERENCES)
        found = [self.records[one] for one in values if one in self.records]
        return [value for name, inner in found for value in self._values(name, path[1:], inner)]
