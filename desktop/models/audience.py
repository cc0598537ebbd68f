"""Who an audience is, person by person, from the directory on this device: for counts and names, never for rights."""

from __future__ import annotations

from desktop.core.domain import Audience
from desktop.models.contacts import Organization


def audience_people(audience: Audience, organization: Organization) -> frozenset[str]:
    """The ids of everyone meant; a department means its sub-departments too."""
    if audience.everyone:
        return frozenset(organization.people)
    departments, roles = set(audience.department_ids), set(audience.roles)
    return frozenset(
        person.id
        for person in organization.people.values()
        if person.id in audience.person_ids
        or roles & set(person.roles)
        or departments & organization.scopes.get(person.id, frozenset())
    )


def known_roles(organization: Organization) -> list[str]:
    """Roles that somebody has, in order of name."""
    return sorted({role for person in organization.people.values() for role in person.roles})
