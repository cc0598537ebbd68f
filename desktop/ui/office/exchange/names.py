"""Names in a workbook: a person, department or record by the words people write, and back. Two of one name are told apart or refused, never guessed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from desktop.models.contacts import Organization


class NotOne(LookupError):
    """Nobody or several have that name. `ids`: those that have it."""

    def __init__(self, text: str, ids: tuple[str, ...]) -> None:
        super().__init__(text)
        self.text, self.ids = text, ids


class Names:
    """The directory by name. A person whose name is not the only one is written with the login, a department with those above it."""

    def __init__(self, organization: Organization) -> None:
        self._people = {person.id: person for person in organization.people.values()}
        self._departments = organization.departments
        self._organization = organization
        people = Counter(person.name for person in self._people.values())
        departments = Counter(department.name for department in self._departments.values())
        self._person_words = {
            p.id: p.name if people[p.name] == 1 else f"{p.name} ({p.login or p.id})" for p in self._people.values()
        }
        self._department_words = {
            d.id: d.name if departments[d.name] == 1 else self._path(d.id) for d in self._departments.values()
        }
        self._person_ids: dict[str, list[str]] = {}
        for person in self._people.values():
            for word in {person.name, person.login, self._person_words[person.id], person.id}:
                _add(self._person_ids, word, person.id)
        self._department_ids: dict[str, list[str]] = {}
        for key, department in self._departments.items():
            for word in {department.name, self._path(key), key}:
                _add(self._department_ids, word, key)

    def _path(self, department_id: str) -> str:
        above = self._organization.ancestors(department_id)
        return "/".join(self._departments[key].name for key in reversed(above))

    def person(self, person_id: str) -> str:
        """The words for a person; the id where nobody has it any more."""
        return self._person_words.get(person_id, person_id)

    def department(self, department_id: str) -> str:
        """The words for a department."""
        return self._department_words.get(department_id, department_id)

    def person_id(self, text: str) -> str:
        """Who is meant. Raises NotOne."""
        return _only(self._person_ids, text)

    def department_id(self, text: str) -> str:
        """Which one is meant. Raises NotOne."""
        return _only(self._department_ids, text)


class Titles:
    """The records of one type by title."""

    def __init__(self, titles: Mapping[str, str]) -> None:
        self._titles = dict(titles)
        self._ids: dict[str, list[str]] = {}
        for key, title in titles.items():
            for word in {title, key, _short(title, key)}:
                _add(self._ids, word, key)

    def words(self, record_id: str) -> str:
        """The words for a record: its title, with its id where it is not the only one."""
        title = self._titles.get(record_id, "")
        if not title:
            return record_id
        return title if len(self._ids[_folded(title)]) == 1 else _short(title, record_id)

    def id(self, text: str) -> str:
        """Which record is meant. Raises NotOne."""
        return _only(self._ids, text)


def _short(title: str, key: str) -> str:
    return f"{title} [{key}]"


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _add(held: dict[str, list[str]], word: str, key: str) -> None:
    found = held.setdefault(_folded(word), [])
    if word and key not in found:
        found.append(key)


def _only(held: Mapping[str, Iterable[str]], text: str) -> str:
    found = tuple(held.get(_folded(text), ()))
    if len(found) != 1:
        raise NotOne(text, found)
    return found[0]
