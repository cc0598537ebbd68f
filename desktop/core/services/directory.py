"""Verbs of the directory: departments, people, search by name, pinyin, initials and the end of a phone number."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from desktop.core.domain import Department, Person
from desktop.core.domain.directory import match_rank, wanted_text
from desktop.core.services.context import Context
from desktop.core.sync.outbox import EditKind

MAX_FOUND: Final = 100
MOST_IN_SET: Final = 500
ORDER_STEP: Final = 10


class DirectoryService:
    """People and departments on this device."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def departments(self) -> list[Department]:
        """All of them, siblings by `order`."""
        found = await self._context.db(self._context.store.load_objects, "Department")
        departments = [value for value in found if isinstance(value, Department)]
        return sorted(departments, key=lambda d: (d.parent_id or "", d.order, d.name))

    async def people(self) -> list[Person]:
        """Everyone active, by pinyin."""
        found = await self._context.db(self._context.store.load_objects, "Person")
        people = [value for value in found if isinstance(value, Person) and value.active]
        return sorted(people, key=lambda person: (person.pinyin, person.name, person.id))

    async def person(self, person_id: str) -> Person | None:
        """One of them, inactive ones too: old messages name them."""
        found = await self._context.db(self._context.store.load_object, "Person", person_id)
        return found if isinstance(found, Person) else None

    async def search(self, text: str, limit: int = MAX_FOUND) -> list[Person]:
        """People whose name, pinyin or initials hold `text`, or whose number ends so; the best first."""
        wanted = wanted_text(text)
        if not wanted:
            return []
        ranked = [(rank, person) for person in await self.people() if (rank := match_rank(person, wanted)) is not None]
        ranked.sort(key=lambda pair: (pair[0], pair[1].pinyin, pair[1].id))
        return [person for _, person in ranked[:limit]]

    async def set_signature(self, text: str) -> None:
        """This user's own line under the name."""
        await self._context.edit(EditKind.UPDATE, "Person", self._context.me, {"signature": text})

    # ------------------------------------------------------------ what needs the server's word at once
    async def set_hides(self, fields: Iterable[str]) -> None:
        """Which of mobile, officePhone, email and room this user hides from other departments. Raises Offline, Rejected."""
        await self._set("Person", {self._context.me: {"hides": sorted(set(fields))}})

    async def set_visibility(self, type_name: str, id: str, rules: Mapping[str, str]) -> None:
        """Who sees which field of a person, or of a department's people; an administrator's. Raises Offline, Rejected."""
        await self._set(type_name, {id: {"visibility": dict(rules) or None}})

    async def set_people_order(self, department_id: str, person_ids: Sequence[str]) -> None:
        """In which order people of a department stand; an administrator's. Those not named stay where they are. Raises Offline, Rejected."""
        people = {person.id: person for person in await self.people()}
        patches: dict[str, dict[str, Any]] = {}
        for place, person_id in enumerate(person_ids, 1):
            identities = [msgspec.to_builtins(one) for one in people[person_id].identities]
            for one in identities:
                if one["departmentId"] == department_id and one["order"] != place * ORDER_STEP:
                    one["order"] = place * ORDER_STEP
                    patches[person_id] = {"identities": identities}
        await self._set("Person", patches)

    async def set_departments_order(self, department_ids: Sequence[str]) -> None:
        """In which order departments of one parent stand; an administrator's. Raises Offline, Rejected."""
        held = {one.id: one.order for one in await self.departments()}
        wanted = {one: place * ORDER_STEP for place, one in enumerate(department_ids, 1)}
        await self._set("Department", {one: {"order": order} for one, order in wanted.items() if held[one] != order})

    async def ask_export(self, person_ids: Sequence[str], format: str) -> None:
        """Has the server log an export of colleagues as xlsx or vcf; it refuses too many of them. Raises Offline, Rejected."""
        wanted = {"people": list(person_ids), "format": format}
        await self._context.call_set("DirectoryExport", create={self._context.new_id(): wanted})

    async def _set(self, type_name: str, patches: Mapping[str, dict[str, Any]]) -> None:
        whole = list(patches.items())
        for start in range(0, len(whole), MOST_IN_SET):
            await self._context.call_set(type_name, update=dict(whole[start : start + MOST_IN_SET]))
