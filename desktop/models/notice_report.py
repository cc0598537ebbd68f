"""Who of a notice's audience has read and confirmed it, department by department, from its read marks and the directory. Times in ms; no texts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from desktop.core.domain import Audience, Person, ReadMark
from desktop.models.audience import audience_people
from desktop.models.contacts import Organization


@dataclass(frozen=True, slots=True)
class Reader:
    """One person of the audience; None: not yet."""

    person: Person
    read_at: int | None = None
    confirmed_at: int | None = None


@dataclass(frozen=True, slots=True)
class ReportGroup:
    """The audience within one department ("": people without any), everyone in the department they mainly belong to."""

    department_id: str
    name: str
    readers: tuple[Reader, ...]

    @property
    def unread(self) -> tuple[Reader, ...]:
        """Who has not read it."""
        return tuple(one for one in self.readers if one.read_at is None and one.confirmed_at is None)

    @property
    def read(self) -> tuple[Reader, ...]:
        """Who has read it and not confirmed it."""
        return tuple(one for one in self.readers if one.read_at is not None and one.confirmed_at is None)

    @property
    def confirmed(self) -> tuple[Reader, ...]:
        """Who has confirmed it."""
        return tuple(one for one in self.readers if one.confirmed_at is not None)

    def done(self, must_confirm: bool) -> int:
        """How many owe the notice nothing more."""
        return len(self.confirmed) if must_confirm else len(self.readers) - len(self.unread)


def report_of(
    audience: Audience, marks: Iterable[ReadMark], organization: Organization, *, without: str | None = None
) -> tuple[ReportGroup, ...]:
    """The groups in the order of the directory. `without`: the author, who has nothing to read. Who left the audience does not count."""
    meant = audience_people(audience, organization) - {without or ""}
    by_person = {mark.person_id: mark for mark in marks}
    members: dict[str, list[Person]] = {}
    for person in (organization.people[key] for key in meant):
        members.setdefault(_department_of(person, organization), []).append(person)
    ordered = [key for root in organization.children() for key in organization.subtree(root) if key in members]
    ordered += sorted(members.keys() - set(ordered))
    return tuple(
        ReportGroup(
            key,
            organization.departments[key].name if key in organization.departments else "",
            tuple(_reader(one, by_person.get(one.id)) for one in sorted(members[key], key=partial(_place_in, key))),
        )
        for key in ordered
    )


def _department_of(person: Person, organization: Organization) -> str:
    identity = person.primary
    key = identity.department_id if identity is not None else ""
    return key if key in organization.departments else ""


def _reader(person: Person, mark: ReadMark | None) -> Reader:
    return Reader(person) if mark is None else Reader(person, mark.read_at, mark.confirmed_at)


def _place_in(department_id: str, person: Person) -> tuple[int, str, str]:
    """The order of people within a department."""
    places = [one.order for one in person.identities if one.department_id == department_id]
    return min(places, default=0), person.pinyin or person.name, person.id
