"""Verbs of the directory: departments, people, search by name, pinyin, initials and the end of a phone number."""

from collections.abc import Callable
from typing import Final

from desktop.core.domain import Department, Person
from desktop.core.services.context import Context
from desktop.core.sync.outbox import EditKind

MAX_FOUND: Final = 100


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
        wanted = text.strip().casefold().replace(" ", "")
        if not wanted:
            return []
        ranked = [(rank, person) for person in await self.people() if (rank := _rank(person, wanted)) is not None]
        ranked.sort(key=lambda pair: (pair[0], pair[1].pinyin, pair[1].id))
        return [person for _, person in ranked[:limit]]

    async def set_signature(self, text: str) -> None:
        """This user's own line under the name."""
        await self._context.edit(EditKind.UPDATE, "Person", self._context.me, {"signature": text})


def _rank(person: Person, wanted: str) -> int | None:
    """0 is best; None: no hit."""
    pinyin, initials = person.pinyin.casefold().replace(" ", ""), person.initials.casefold()
    checks: tuple[Callable[[], bool], ...] = (
        lambda: person.name.casefold() == wanted,
        lambda: person.name.casefold().startswith(wanted),
        lambda: initials == wanted,
        lambda: pinyin.startswith(wanted) or initials.startswith(wanted),
        lambda: wanted in person.name.casefold(),
        lambda: wanted in pinyin or person.login.casefold().startswith(wanted),
        lambda: len(wanted) >= 3 and wanted.isdigit() and _number_ends(person, wanted),
    )
    return next((rank for rank, check in enumerate(checks) if check()), None)


def _number_ends(person: Person, digits: str) -> bool:
    numbers = (person.mobile, person.office_phone)
    return any("".join(c for c in number if c.isdigit()).endswith(digits) for number in numbers if number)
