"""Who reads a record, by the rules of its definition: whom a comment may mention. For offering names, never for rights."""

from __future__ import annotations

from desktop.core.domain import Person
from desktop.core.domain.access import READ, Rights, Viewer
from desktop.core.domain.access import Organization as Standing
from desktop.core.domain.definition import TypeDefinition
from desktop.core.domain.records import Record
from desktop.models.contacts import Organization


def readers_of(definition: TypeDefinition, record: Record, organization: Organization) -> list[Person]:
    """Everyone who reads the record, by pinyin. References of principals (`field:f.g`) are not followed: their people may be missing."""
    people = organization.people
    if "everyone" in definition.access.read:
        found = list(people.values())
    else:
        standing = Standing.of(people.values(), organization.departments.values())
        found = [p for p in people.values() if Rights(definition, Viewer(p.id, standing)).may(record, READ)]
    return sorted(found, key=lambda person: (person.pinyin or person.name, person.id))
