"""Who may do what: the principals of a definition, as a yes or no for an actor and as scopes for a record."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from server_stub.records.actor import Actor
from server_stub.records.visibility import EVERYONE, scope_id
from server_stub.storage.database import Tx

ROLE: Final = "role:"
FIELD: Final = "field:"


def allows(principals: Iterable[str], actor: Actor, author_id: str | None, data: Mapping[str, Any]) -> bool:
    """Whether one of the principals is this actor. `audience` means nothing here: it says who reads, not who acts."""
    for principal in principals:
        if principal == "everyone":
            return True
        if principal == "author" and author_id == actor.person_id:
            return True
        if principal == "department" and data.get("departmentId") in (None, *actor.department_ids):
            return True
        if principal.startswith(ROLE) and principal.removeprefix(ROLE) in actor.roles:
            return True
        if principal.startswith(FIELD) and actor.person_id in _people(data.get(principal.removeprefix(FIELD))):
            return True
    return False


def scopes_for(tx: Tx, principals: Iterable[str], author_id: str | None, data: Mapping[str, Any]) -> list[int]:
    """The scopes that see a record with this data, without doubles."""
    scopes: dict[int, None] = {}
    for principal in principals:
        for scope in _scopes_of(tx, principal, author_id, data):
            scopes[scope] = None
    return list(scopes)


def audience_scopes(tx: Tx, audience: Mapping[str, Any]) -> list[int]:
    """The scopes of an audience field."""
    if audience.get("everyone"):
        return [scope_id(tx, *EVERYONE)]
    scopes = [scope_id(tx, "department", one) for one in audience.get("departmentIds", ())]
    scopes += [scope_id(tx, "role", one) for one in audience.get("roles", ())]
    scopes += [scope_id(tx, "person", one) for one in audience.get("personIds", ())]
    return list(dict.fromkeys(scopes))


def _scopes_of(tx: Tx, principal: str, author_id: str | None, data: Mapping[str, Any]) -> list[int]:
    if principal == "everyone":
        return [scope_id(tx, *EVERYONE)]
    if principal == "author":
        return [scope_id(tx, "person", author_id)] if author_id else []
    if principal == "audience":
        return audience_scopes(tx, data.get("audience") or {})
    if principal == "department":
        department_id = data.get("departmentId")
        return [scope_id(tx, "department", department_id) if department_id else scope_id(tx, *EVERYONE)]
    if principal.startswith(ROLE):
        return [scope_id(tx, "role", principal.removeprefix(ROLE))]
    return [scope_id(tx, "person", one) for one in _people(data.get(principal.removeprefix(FIELD)))]


def _people(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
