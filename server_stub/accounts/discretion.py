"""Which fields of a colleague's entry a reader gets: rules kept as data with departments and people, the strictest one counts.

A rule gives a field one of the levels below, from open to closed. A person's own rule stands in for those of the departments; without one
the nearest department that has one speaks, of every identity. On top of it people may hide fields of their own from other departments.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from server_stub.errors import invalid_properties
from server_stub.records.actor import Actor
from server_stub.records.store import Record, load_records_of_type
from server_stub.records.types import JsonObject

LEVELS: Final = ("everyone", "masked", "department", "leaders", "office")
"""everyone; masked: others than the department get a few digits; department: those of the same one, and leaders; leaders: superior, heads of the
departments and the role `leader`; office: administrators."""
FIELDS: Final = ("mobile", "officePhone", "email", "room")
"""What can be hidden."""
LEADER_ROLE: Final = "leader"
VISIBILITY: Final = "visibility"
HIDES: Final = "hides"
HIDDEN: Final = "hidden"
_DEFAULT: Final[Mapping[str, str]] = {"mobile": "masked"}
_DEPARTMENT: Final = "Department"


class Discretion:
    """What one reader may see of people. Made for one answer: it reads the departments once."""

    def __init__(self, conn: sa.Connection, actor: Actor) -> None:
        self._actor = actor
        self._departments = {one.id: one.data for one in load_records_of_type(conn, _DEPARTMENT)}

    def show(self, record: Record, shown: JsonObject) -> JsonObject:
        """The entry without what this reader may not see. `hidden` names each such field with its level."""
        data, hidden = record.data, {}
        own = record.id == self._actor.person_id
        if not self._actor.is_admin:
            shown.pop(VISIBILITY, None)
        if not (own or self._actor.is_admin):
            shown.pop(HIDES, None)
            hidden = {field: level for field in FIELDS if (level := self._held_back(data, field))}
        for field, level in hidden.items():
            if level == "masked":
                shown[field] = mask_mobile(data[field])
            else:
                del shown[field]
        return {**shown, HIDDEN: hidden} if hidden else shown

    def _held_back(self, data: Mapping[str, Any], field: str) -> str:
        """The level that keeps a field from the reader; empty when it is to be seen or has no value."""
        if not data.get(field):
            return ""
        level = level_of(data, field, self._departments)
        allowed = {
            "everyone": True,
            "masked": self._is_near(data) or self._is_leader_of(data),
            "department": self._is_near(data) or self._is_leader_of(data),
            "leaders": self._is_leader_of(data),
        }
        return "" if allowed.get(level, False) else level

    def _is_near(self, data: Mapping[str, Any]) -> bool:
        return not _department_ids(data).isdisjoint(self._actor.department_ids)

    def _is_leader_of(self, data: Mapping[str, Any]) -> bool:
        me = self._actor.person_id
        if LEADER_ROLE in self._actor.roles or data.get("superiorId") == me:
            return True
        return any(self._departments.get(one, {}).get("headId") == me for one in _department_ids(data))


def level_of(data: Mapping[str, Any], field: str, departments: Mapping[str, Mapping[str, Any]]) -> str:
    """The level of a field of a person."""
    own = (data.get(VISIBILITY) or {}).get(field)
    found = [own] if own else [_rule_above(one, field, departments) for one in sorted(_department_ids(data))]
    levels = [level for level in found if level in LEVELS] or [_DEFAULT.get(field, "everyone")]
    if field in (data.get(HIDES) or ()):
        levels.append("department")
    return max(levels, key=LEVELS.index)


def mask_mobile(number: str) -> str:
    """138****2046: what others see of a mobile number."""
    return f"{number[:3]}****{number[-4:]}" if len(number) >= 8 else "*" * len(number)


def check_visibility(value: object) -> dict[str, str]:
    """A rule as written by the office. Raises SetError: no such field or level."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(k in FIELDS and v in LEVELS for k, v in value.items() if v is not None):
        raise invalid_properties(f"a level ({', '.join(LEVELS)}) for each of {', '.join(FIELDS)}", VISIBILITY)
    unknown = value.keys() - set(FIELDS)
    if unknown:
        raise invalid_properties(f"fields are {', '.join(FIELDS)}", VISIBILITY)
    return {key: level for key, level in value.items() if level is not None}


def check_hides(value: object) -> list[str]:
    """The fields that people hide of themselves. Raises SetError."""
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str) and one in FIELDS for one in value):
        raise invalid_properties(f"a list of {', '.join(FIELDS)}", HIDES)
    return sorted(set(value))


def _rule_above(department_id: str, field: str, departments: Mapping[str, Mapping[str, Any]]) -> str:
    """What the nearest department with a rule says; the default where none has one."""
    walk: Any = department_id
    seen: set[str] = set()
    while isinstance(walk, str) and walk in departments and walk not in seen:
        seen.add(walk)
        level = (departments[walk].get(VISIBILITY) or {}).get(field)
        if level:
            return str(level)
        walk = departments[walk].get("parentId")
    return _DEFAULT.get(field, "everyone")


def _department_ids(data: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(one["departmentId"] for one in data["identities"])


def concerns_readers(before: Iterable[str], after: Iterable[str]) -> bool:
    """Whether a change of roles changes what the person may see of others."""
    return bool({LEADER_ROLE, "admin"} & (set(before) ^ set(after)))
