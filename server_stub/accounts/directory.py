"""People and departments: records everyone sees, and the scopes people are in because of their identities and roles.

A person is in the scope of each own department and of all departments above it, so that a notice to a department reaches
its sub-departments. Every function runs in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from server_stub.accounts.discretion import VISIBILITY, check_visibility, concerns_readers
from server_stub.accounts.events import RightsChanged
from server_stub.accounts.logins import do_disable_login, do_enable_login, do_give_login
from server_stub.accounts.tables import person_scope
from server_stub.audit.chain import SYSTEM, do_record
from server_stub.errors import invalid_properties
from server_stub.ids import uuid7
from server_stub.records.store import (
    Record,
    do_create_record,
    do_update_record,
    load_record,
    load_records_of_type,
)
from server_stub.records.visibility import EVERYONE, do_join, do_leave, do_touch, find_scope, scope_id
from server_stub.storage.database import Tx

PERSON: Final = "Person"
DEPARTMENT: Final = "Department"
MAX_DEPTH: Final = 16
MAX_NAME: Final = 100
MAX_ORDER: Final = 1_000_000
KEPT_BY_OFFICE: Final = frozenset({"officePhone", "mobile", "email", "room", "superiorId", "identities", VISIBILITY})
"""What an administrator may change of anybody."""
_PERSON_TEXTS: Final = ("officePhone", "mobile", "email", "room", "signature", "superiorId")


@dataclass(frozen=True, slots=True)
class Identity:
    """One post of a person in one department; `order` sorts people inside it."""

    department_id: str
    post: str
    primary: bool = False
    order: int = 0

    def to_object(self) -> dict[str, Any]:
        """As it stands on the wire."""
        return {"departmentId": self.department_id, "post": self.post, "primary": self.primary, "order": self.order}


@dataclass(frozen=True, slots=True)
class Rights:
    """What an actor is made of. An inactive person does not come in."""

    roles: frozenset[str]
    department_ids: tuple[str, ...]
    active: bool


# ---------------------------------------------------------------- departments


def do_create_department(
    tx: Tx,
    *,
    name: str,
    parent_id: str | None = None,
    order: int = 0,
    head_id: str | None = None,
    department_id: str | None = None,
    actor: str = SYSTEM,
) -> str:
    """Make a department; gives its id. Raises SetError invalidProperties."""
    new_id = department_id or uuid7(tx.now)
    _check_name(name)
    if parent_id is not None and len(ancestors(tx.conn, parent_id)) >= MAX_DEPTH:
        raise invalid_properties("the tree would be too deep", "parentId")
    data = {"name": name, "parentId": parent_id, "order": order, "headId": head_id}
    do_create_record(tx, DEPARTMENT, new_id, data, scopes=[scope_id(tx, *EVERYONE)])
    do_record(tx, actor, "department.create", new_id)
    return new_id


def do_update_department(tx: Tx, department_id: str, values: Mapping[str, Any], actor: str = SYSTEM) -> None:
    """Change name, parentId, order, headId or visibility; a new parent moves its people's memberships. Raises SetError."""
    record = _load(tx, DEPARTMENT, department_id)
    data = do_keep_department(tx, record, values, actor)
    moved = data["parentId"] != record.data["parentId"]
    do_update_record(tx, record, data, history=False)
    if moved:
        for person in load_records_of_type(tx.conn, PERSON):
            _do_sync_scopes(tx, person.id, person.data)
        _do_touch_people(tx, department_id)


def do_keep_department(tx: Tx, record: Record, values: Mapping[str, Any], actor: str) -> dict[str, Any]:
    """The checked data of a department with new values, for the caller to store; logged, and readers look at its people again. Raises SetError."""
    unknown = values.keys() - {"name", "parentId", "order", "headId", VISIBILITY}
    if unknown:
        raise invalid_properties("no such property of a department", *sorted(unknown))
    data = {**record.data, **values}
    _check_name(data["name"])
    _check_order(data["order"])
    if data["parentId"] != record.data["parentId"] and data["parentId"] is not None:
        above = ancestors(tx.conn, data["parentId"])
        if record.id in above or len(above) >= MAX_DEPTH:
            raise invalid_properties("a department cannot lie below itself, nor too deep", "parentId")
    rules = check_visibility(data.pop(VISIBILITY, None))
    if rules:
        data[VISIBILITY] = rules
    if rules != (record.data.get(VISIBILITY) or {}) or data["headId"] != record.data["headId"]:
        _do_touch_people(tx, record.id)
    do_record(tx, actor, "department.update", record.id, {"properties": sorted(values)})
    return data


def ancestors(conn: sa.Connection, department_id: str) -> list[str]:
    """The department itself and all above it, up to the root. Raises SetError when it is unknown."""
    chain: list[str] = []
    current: str | None = department_id
    while current is not None and current not in chain:
        record = load_record(conn, current, type_name=DEPARTMENT)
        if record is None:
            raise invalid_properties(f"there is no department {current[:64]}", "departmentId")
        chain.append(current)
        current = record.data.get("parentId")
    return chain


# ---------------------------------------------------------------- people


def do_create_person(
    tx: Tx,
    *,
    name: str,
    login: str | None = None,
    password_hash: str | None = None,
    identities: Sequence[Identity] = (),
    roles: Iterable[str] = (),
    sex: str | None = None,
    details: Mapping[str, Any] | None = None,
    person_id: str | None = None,
    actor: str = SYSTEM,
) -> str:
    """Make a person, with a login when one is given; gives the id.

    Args:
        password_hash: from `Passwords.hash`; needed with a login.
        sex: male, female or None.
        details: any of officePhone, mobile, email, room, signature, superiorId, pinyin, initials.

    Raises:
        SetError: a property is wrong.
        LoginRefused: the login is malformed or taken.
    """
    new_id = person_id or uuid7(tx.now)
    _check_name(name)
    if sex not in (None, "male", "female"):
        raise invalid_properties("sex is male, female or null", "sex")
    data: dict[str, Any] = {
        "name": name,
        **pinyin_of(name),
        "login": (login or "").strip(),
        "sex": sex,
        "identities": [one.to_object() for one in _check_identities(tx.conn, identities)],
        "roles": sorted(set(roles)),
        "active": True,
        **_check_details(details or {}),
    }
    do_create_record(tx, PERSON, new_id, data, scopes=[scope_id(tx, *EVERYONE)])
    do_join(tx, new_id, scope_id(tx, "person", new_id))
    _do_sync_scopes(tx, new_id, data)
    if login is not None:
        if password_hash is None:
            raise ValueError("a login needs a password")
        do_give_login(tx, new_id, login, password_hash)
    do_record(tx, actor, "user.create", new_id)
    return new_id


def do_set_identities(tx: Tx, person_id: str, identities: Sequence[Identity], actor: str = SYSTEM) -> None:
    """Replace the posts of a person; memberships of departments follow. Raises SetError."""
    record = _load(tx, PERSON, person_id)
    chosen = [one.to_object() for one in _check_identities(tx.conn, identities)]
    before = _department_ids(record.data)
    data = {**record.data, "identities": chosen}
    _do_save_person(tx, record, data)
    do_record(tx, actor, "user.identities", person_id, {"departments": [one["departmentId"] for one in chosen]})
    # Who shares a department sees the other's mobile number: that changes for both sides.
    concerned = set(before) ^ set(_department_ids(data))
    if concerned:
        for other in load_records_of_type(tx.conn, PERSON):
            if other.id != person_id and concerned & set(_department_ids(other.data)):
                do_touch(tx, other.id)


def do_set_roles(tx: Tx, person_id: str, roles: Iterable[str], actor: str = SYSTEM) -> None:
    """Replace the roles of a person. Raises SetError."""
    record = _load(tx, PERSON, person_id)
    chosen = sorted(set(roles))
    _do_save_person(tx, record, {**record.data, "roles": chosen})
    if concerns_readers(record.data["roles"], chosen):  # this reader sees more or less of everybody from now on
        for other in load_records_of_type(tx.conn, PERSON):
            do_touch(tx, other.id)
    do_record(tx, actor, "user.roles", person_id, {"roles": chosen})


def do_update_person(tx: Tx, person_id: str, details: Mapping[str, Any], actor: str = SYSTEM) -> None:
    """Change details (see do_create_person) or `visibility`; null takes one away. Raises SetError."""
    record = _load(tx, PERSON, person_id)
    texts = {key: value for key, value in details.items() if key != VISIBILITY}
    data = {**record.data, **_check_details(texts)}
    if VISIBILITY in details:
        data[VISIBILITY] = check_visibility(details[VISIBILITY])
    for key in [key for key, value in details.items() if value is None]:
        data.pop(key, None)
    do_update_record(tx, record, data, history=False)
    do_record(tx, actor, "user.update", person_id, {"properties": sorted(details)})


def check_kept(tx: Tx, record: Record, data: Mapping[str, Any], changed: Iterable[str]) -> dict[str, Any]:
    """The data of a person after the office changed these of KEPT_BY_OFFICE; of the identities only the order. Raises SetError."""
    checked = dict(data)
    for key in changed:
        value = data.get(key)
        if key == VISIBILITY:
            checked[key] = check_visibility(value) or None
        elif key == "identities":
            checked[key] = _check_reordered(record.data["identities"], value)
        else:
            _check_details({key: value})
    superior = checked.get("superiorId")
    if "superiorId" in changed and superior is not None:
        _load(tx, PERSON, superior)
        if superior == record.id:
            raise invalid_properties("nobody is their own superior", "superiorId")
    return checked


def _check_reordered(before: list[dict[str, Any]], after: object) -> list[dict[str, Any]]:
    plain = [{**one, "order": 0} for one in before]
    if (
        not isinstance(after, list)
        or not all(isinstance(one, dict) for one in after)
        or [{**one, "order": 0} for one in after] != plain
    ):
        raise invalid_properties("only the order of identities can be changed here", "identities")
    for one in after:
        _check_order(one.get("order"), "identities")
    return after


def _check_order(order: object, name: str = "order") -> None:
    if not isinstance(order, int) or isinstance(order, bool) or not 0 <= order <= MAX_ORDER:
        raise invalid_properties(f"an order is a whole number up to {MAX_ORDER}", name)


def _do_touch_people(tx: Tx, department_id: str) -> None:
    """Readers look again at the people of a department and of those below it."""
    scope = find_scope(tx.conn, "department", department_id)
    rows = tx.raw.execute("SELECT person_id FROM person_scope WHERE scope = ?", (scope,)).fetchall()
    for row in rows:
        do_touch(tx, row[0])


def do_disable_person(tx: Tx, person_id: str, actor: str = SYSTEM) -> None:
    """The person cannot come in any more and leaves all scopes but the own one; the entry stays, not active."""
    record = _load(tx, PERSON, person_id)
    _do_save_person(tx, record, {**record.data, "active": False})
    do_disable_login(tx, person_id, actor)


def do_enable_person(tx: Tx, person_id: str, actor: str = SYSTEM) -> None:
    """Undo do_disable_person."""
    record = _load(tx, PERSON, person_id)
    _do_save_person(tx, record, {**record.data, "active": True})
    do_enable_login(tx, person_id, actor)


def load_rights(conn: sa.Connection, person_id: str) -> Rights:
    """Roles and departments of a person; an unknown one is inactive and has none."""
    record = load_record(conn, person_id, type_name=PERSON)
    if record is None:
        return Rights(frozenset(), (), active=False)
    return Rights(frozenset(record.data["roles"]), _department_ids(record.data), bool(record.data["active"]))


def load_people(conn: sa.Connection) -> list[Record]:
    """Every person record, oldest first."""
    return load_records_of_type(conn, PERSON)


def pinyin_of(name: str) -> dict[str, str]:
    """`pinyin` (林远 → linyuan) and `initials` (ly) of a name, in lower case."""
    from pypinyin import Style, lazy_pinyin  # 0.2 s to load, and most commands make no person

    full = "".join(lazy_pinyin(name, errors="default"))
    initials = "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors="default"))
    return {"pinyin": full.lower(), "initials": initials.lower()}


# ---------------------------------------------------------------- inside


def _do_save_person(tx: Tx, record: Record, data: Mapping[str, Any]) -> None:
    do_update_record(tx, record, data, history=False)
    _do_sync_scopes(tx, record.id, data)
    tx.publish(RightsChanged((record.id,)))


def _do_sync_scopes(tx: Tx, person_id: str, data: Mapping[str, Any]) -> None:
    wanted: set[int] = set()
    if data["active"]:
        wanted.add(scope_id(tx, *EVERYONE))
        wanted.update(scope_id(tx, "role", role) for role in data["roles"])
        for department_id in _department_ids(data):
            wanted.update(scope_id(tx, "department", one) for one in ancestors(tx.conn, department_id))
    rows = tx.raw.execute("SELECT scope FROM person_scope WHERE person_id = ?", (person_id,)).fetchall()
    held = {row[0] for row in rows}
    for scope in sorted(wanted - held):
        do_join(tx, person_id, scope)
        tx.raw.execute("INSERT INTO person_scope(person_id, scope) VALUES (?, ?)", (person_id, scope))
    for scope in sorted(held - wanted):
        do_leave(tx, person_id, scope)
        tx.conn.execute(
            sa.delete(person_scope).where(person_scope.c.person_id == person_id, person_scope.c.scope == scope)
        )


def _department_ids(data: Mapping[str, Any]) -> tuple[str, ...]:
    ordered = sorted(data["identities"], key=lambda one: (not one["primary"], one["order"]))
    return tuple(dict.fromkeys(one["departmentId"] for one in ordered))


def _check_identities(conn: sa.Connection, identities: Sequence[Identity]) -> list[Identity]:
    if sum(one.primary for one in identities) > 1:
        raise invalid_properties("only one identity can be the primary one", "identities")
    for one in identities:
        ancestors(conn, one.department_id)
    if identities and not any(one.primary for one in identities):
        first = identities[0]
        return [Identity(first.department_id, first.post, True, first.order), *identities[1:]]
    return list(identities)


def _check_details(details: Mapping[str, Any]) -> dict[str, Any]:
    known = (*_PERSON_TEXTS, "pinyin", "initials")
    wrong = [key for key, value in details.items() if key not in known or not isinstance(value, str | None)]
    if wrong:
        raise invalid_properties("no such text of a person", *sorted(wrong))
    if any(value is not None and len(value) > 500 for value in details.values()):
        raise invalid_properties("the text is too long", *sorted(details))
    return {key: value for key, value in details.items() if value is not None}


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME or not name.isprintable():
        raise invalid_properties(f"a name has 1 to {MAX_NAME} visible characters", "name")


def _load(tx: Tx, type_name: str, record_id: str) -> Record:
    record = load_record(tx.conn, record_id, type_name=type_name)
    if record is None:
        raise invalid_properties(f"there is no {type_name.lower()} {record_id[:64]}", "id")
    return record
