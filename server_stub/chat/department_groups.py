"""Groups whose members are those of a department and the ones below it: nobody is let in or out by hand, the organisation decides."""

import logging
from typing import Any, Final

from server_stub.accounts.directory import DEPARTMENT
from server_stub.chat.conversations import (
    MAX_MEMBERS,
    Membership,
    do_add_member,
    do_change_conversation,
    do_create_group,
    do_remove_member,
    do_set_role,
    load_memberships,
)
from server_stub.chat.lines import do_line
from server_stub.errors import SetError, SetErrorType, invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_record
from server_stub.records.visibility import audience, fetch_rows, find_scope
from server_stub.storage.database import Tx

log = logging.getLogger("tongban.chat")

_ABOVE: Final = 32  # steps up a tree that is at most half as deep


def do_make_department_group(tx: Tx, actor: Actor, conversation_id: str, department_id: object) -> str:
    """The group of a department, by an administrator, its head, or a head above. Writes no lines.

    Raises:
        SetError: forbidden; invalidProperties: no such department, nobody in it, too many, or there is one (`existingId`).
    """
    department = load_record(tx.conn, department_id, type_name=DEPARTMENT) if isinstance(department_id, str) else None
    if department is None:
        raise invalid_properties("there is no such department", "departmentId")
    if not actor.is_admin and actor.person_id not in _heads(tx, department):
        raise SetError(SetErrorType.FORBIDDEN, "only an administrator or a head of the department")
    known = fetch_rows(
        tx.conn, "SELECT id FROM conversation WHERE department_id = ? AND dissolved_at IS NULL", (department.id,)
    )
    if known:
        raise SetError(
            SetErrorType.INVALID_PROPERTIES, "this department has a group", ["departmentId"], existingId=known[0][0]
        )
    people = sorted(_people(tx, department.id))
    if not 0 < len(people) <= MAX_MEMBERS:
        raise invalid_properties(f"a group has 1 to {MAX_MEMBERS} members", "departmentId")
    head = department.data.get("headId")
    owner = head if head in people else actor.person_id if actor.person_id in people else people[0]
    do_create_group(tx, conversation_id, department.data["name"], owner, people)
    do_change_conversation(tx, conversation_id, department_id=department.id)
    return conversation_id


def do_follow_departments(tx: Tx) -> int:
    """Let every department's group be what the department is now; returns how many people came or went."""
    groups = fetch_rows(
        tx.conn,
        "SELECT id, department_id, name FROM conversation WHERE department_id IS NOT NULL AND dissolved_at IS NULL",
    )
    moved = 0
    for group in groups:
        try:
            with tx.savepoint():
                moved += _do_follow(tx, *group)
        except Exception:  # border: one group that cannot follow must not hold up all others
            log.exception("the group of a department could not follow it")
    return moved


def _do_follow(tx: Tx, conversation_id: str, department_id: str, name: str) -> int:
    department = load_record(tx.conn, department_id, type_name=DEPARTMENT)
    if department is None:
        return 0
    wanted = _people(tx, department_id)
    held = {one.person_id: one for one in load_memberships(tx.conn, conversation_id)}
    gone = [held[one] for one in sorted(held.keys() - wanted)]
    come = sorted(wanted - held.keys())[: max(0, MAX_MEMBERS - len(held) + len(gone))]
    if len(held) - len(gone) + len(come) < len(wanted):
        log.warning("the group of a department is full: %d people are not in it", len(wanted) - MAX_MEMBERS)
    for person_id in come:
        do_add_member(tx, conversation_id, person_id)
    for one in gone:
        do_remove_member(tx, one)
    for type_, people in (("joined", come), ("left", [one.person_id for one in gone])):
        if people:
            do_line(tx, conversation_id, type_, people=people)
    if department.data["name"] != name:
        do_change_conversation(tx, conversation_id, name=department.data["name"])
    _do_follow_head(tx, conversation_id, department.data)
    return len(come) + len(gone)


def _do_follow_head(tx: Tx, conversation_id: str, department: dict[str, Any]) -> None:
    members = load_memberships(tx.conn, conversation_id)
    head: Membership | None = next((one for one in members if one.person_id == department.get("headId")), None)
    if head is None or head.role == "owner":
        return
    for one in members:
        if one.role == "owner":
            do_set_role(tx, one, "member")
    do_set_role(tx, head, "owner")
    do_line(tx, conversation_id, "transferred", people=[head.person_id])


def _people(tx: Tx, department_id: str) -> set[str]:
    """Who is in a department or below it; those who left the office are in none."""
    scope = find_scope(tx.conn, "department", department_id)
    return set() if scope is None else audience(tx.conn, [scope])


def _heads(tx: Tx, department: Record) -> set[str]:
    """Heads of the department and of those above it."""
    heads: set[str] = set()
    current: Record | None = department
    for _ in range(_ABOVE):
        if current is None:
            break
        heads.add(str(current.data.get("headId")))
        parent = current.data.get("parentId")
        current = None if parent is None else load_record(tx.conn, parent, type_name=DEPARTMENT)
    return heads
