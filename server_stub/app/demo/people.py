"""Departments and people of the demo office, made by the same functions the command line uses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from server_stub.accounts.directory import Identity, do_create_department, do_create_person, do_update_department
from server_stub.app.demo.source import Table
from server_stub.ids import uuid7
from server_stub.records.actor import Actor
from server_stub.storage.database import Tx

SPOKEN_PINYIN = {"曾": "zeng"}
"""Family names that are read differently as a name."""


@dataclass(frozen=True, slots=True)
class People:
    """Who is who. Keys: logins and department keys of office.toml.

    Attributes:
        ids: login → person id.
        departments: key → department id.
        actors: login → the actor that person is.
        inside: department key → logins of it and of what lies below it, in order of the file.
    """

    ids: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    departments: dict[str, str] = field(default_factory=dict)
    actors: dict[str, Actor] = field(default_factory=dict)
    inside: dict[str, list[str]] = field(default_factory=dict)
    leaders: frozenset[str] = frozenset()

    def expand(self, members: list[str]) -> list[str]:
        """Logins of a list in which "@key" stands for a department."""
        found: dict[str, None] = {}
        for one in members:
            found.update(dict.fromkeys(self.inside[one[1:]] if one.startswith("@") else [one]))
        return list(found)


def do_make_people(tx: Tx, office: Table, password_hash: str) -> People:
    """Everybody, with logins, identities, roles, phones; then the heads of departments. All have the same password."""
    departments = _do_departments(tx, office)
    ids = {person["login"]: uuid7(tx.now + index) for index, person in enumerate(office["people"])}
    actors: dict[str, Actor] = {}
    inside: dict[str, list[str]] = {key: [] for key in departments}
    parents = {one["key"]: one.get("parent") for one in office["departments"]}
    rooms = {one["key"]: one for one in office["departments"]}
    counts: dict[str, int] = {}
    for index, person in enumerate(office["people"]):
        identities, keys = _identities(person, departments)
        main = keys[0]
        number = counts[main] = counts.get(main, 0) + 1
        do_create_person(
            tx,
            name=person["name"],
            login=person["login"],
            password_hash=password_hash,
            identities=identities,
            roles=person.get("roles", ()),
            sex=person["sex"],
            details=_details(person, rooms[main], office["mail_domain"], index, number, ids),
            person_id=ids[person["login"]],
        )
        roles = frozenset(person.get("roles", ()))
        actors[person["login"]] = Actor(ids[person["login"]], roles, tuple(one.department_id for one in identities))
        for key in keys:
            above: str | None = key
            while above is not None:
                if person["login"] not in inside[above]:
                    inside[above].append(person["login"])
                above = parents[above]
    for one in office["departments"]:
        do_update_department(tx, departments[one["key"]], {"headId": ids[one["head"]]})
    names = {person["login"]: person["name"] for person in office["people"]}
    leaders = frozenset(login for login, actor in actors.items() if "leader" in actor.roles)
    return People(ids, names, departments, actors, inside, leaders)


def _do_departments(tx: Tx, office: Table) -> dict[str, str]:
    made: dict[str, str] = {}
    for one in office["departments"]:
        parent = made[one["parent"]] if "parent" in one else None
        made[one["key"]] = do_create_department(tx, name=one["name"], parent_id=parent, order=one["order"])
    return made


def _identities(person: Table, departments: Mapping[str, str]) -> tuple[list[Identity], list[str]]:
    identities, keys = [], []
    for index, text in enumerate(person["at"]):
        key, post, order = text.split(" ")
        keys.append(key)
        identities.append(Identity(departments[key], post, primary=index == 0, order=int(order)))
    return identities, keys


def _details(
    person: Table, room: Table, mail_domain: str, index: int, number: int, ids: Mapping[str, str]
) -> dict[str, Any]:
    """Phones are placeholders: an extension, and a mobile number whose middle is all zeros."""
    tail = person.get("mobile_tail", 1000 + (index * 137 + 211) % 9000)
    details = {
        "officePhone": str(int(room["phone"]) + number - 1),
        "mobile": f"1380000{tail:04d}",
        "email": f"{person['login']}@{mail_domain}",
        "room": f"{room['room']}{number:02d}",
    }
    if "signature" in person:
        details["signature"] = person["signature"]
    if "superior" in person:
        details["superiorId"] = ids[person["superior"]]
    if person["name"][0] in SPOKEN_PINYIN:
        details["pinyin"] = person["login"]
        details["initials"] = SPOKEN_PINYIN[person["name"][0]][0] + "".join(person["login"][4:5])
    return details
