"""Colleagues and departments by what somebody types: name, pinyin, initials, department, post, the end of a number. From memory, on a spare thread."""

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from desktop.core.domain import Department, Person
from desktop.core.domain.search import Found, FoundKind, FoundPart, excerpt, fold, marked, query_words

NO_MATCH: Final = 99
_INSIDE: Final = 5
"""Rank of what stands somewhere inside a spelling: too little for a department."""
_LATIN: Final = re.compile(r"[a-z]")
_SHORTEST_NUMBER: Final = 3


@functools.lru_cache(maxsize=20_000)
def spelled(name: str) -> tuple[str, str]:
    """Pinyin and initials of a name that has none on the wire."""
    from pypinyin import Style, lazy_pinyin  # 0.2 s to load: only who types letters waits for it

    whole = "".join(lazy_pinyin(name, errors="default")).casefold()
    return whole, "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors="default")).casefold()


def name_rank(name: str, pinyin: str, initials: str, word: str) -> int:
    """How well a folded name fits a folded word: 0 is best."""
    if name == word:
        return 0
    if name.startswith(word):
        return 1
    if initials == word:
        return 2
    if pinyin.startswith(word) or initials.startswith(word):
        return 3
    if word in name:
        return 4
    return 5 if word in pinyin else NO_MATCH


@dataclass(frozen=True, slots=True)
class _Entry:
    """One person, folded once."""

    person: Person
    name: str
    pinyin: str
    initials: str
    login: str
    numbers: tuple[str, ...]
    place: str
    shown_place: str

    def rank(self, word: str) -> int:
        found = name_rank(self.name, self.pinyin, self.initials, word)
        if found < NO_MATCH:
            return found
        if self.login.startswith(word):
            return 6
        if len(word) >= _SHORTEST_NUMBER and word.isdigit() and any(one.endswith(word) for one in self.numbers):
            return 7
        return 8 if word in self.place else NO_MATCH


@dataclass(frozen=True, slots=True)
class _Unit:
    """One department, folded once."""

    department: Department
    name: str
    above: str
    head: str
    count: int


class PeopleIndex:
    """Everybody, ready to be asked. Made anew when the directory changes; never changes itself."""

    def __init__(self, people: Sequence[Person], departments: Sequence[Department]) -> None:
        units = {one.id: one for one in departments}
        names = {one.id: one.name for one in people}
        self._entries = [_entry(person, units) for person in people if person.active]
        staff: dict[str, set[str]] = {}
        for person in people:
            for identity in person.identities if person.active else ():
                staff.setdefault(identity.department_id, set()).add(person.id)
        self._units = [
            _Unit(
                one,
                _squeezed(one.name),
                _above(one, units),
                names.get(one.head_id or "", ""),
                len(staff.get(one.id, ())),
            )
            for one in departments
        ]

    def find(self, text: str, limit: int) -> FoundPart:
        """The best people, then departments."""
        words = tuple(_squeezed(word) for word in text.split())
        if not words:
            return FoundPart(FoundKind.PERSON)
        marks = query_words(text)
        people = [
            (rank, 0, entry.pinyin, entry.person.id, _shown(entry, words, marks)) for rank, entry in self._ranked(words)
        ]
        units = [
            (rank, 1, f"{unit.department.order:06}", unit.department.id, _shown_unit(unit, marks))
            for rank, unit in self._named_units(words)
        ]
        best = sorted([*people, *units], key=lambda one: one[:4])[:limit]
        return FoundPart(FoundKind.PERSON, tuple(one[4] for one in best), len(people) + len(units))

    def named(self, text: str, limit: int) -> list[Person]:
        """People whose name or spelling fits."""
        words = tuple(_squeezed(word) for word in text.split())
        return [entry.person for rank, entry in self._ranked(words)[:limit] if rank < 6]

    def _ranked(self, words: tuple[str, ...]) -> list[tuple[int, _Entry]]:
        found = []
        for entry in self._entries if words else ():
            worst = max(entry.rank(word) for word in words)
            if worst < NO_MATCH:
                found.append((worst, entry))
        found.sort(key=lambda pair: (pair[0], pair[1].pinyin, pair[1].person.id))
        return found

    def _named_units(self, words: tuple[str, ...]) -> list[tuple[int, _Unit]]:
        word = "".join(words)
        latin = _LATIN.search(word) is not None
        ranks = ((name_rank(one.name, *(spelled(one.name) if latin else ("", "")), word), one) for one in self._units)
        return [(rank, unit) for rank, unit in ranks if rank < _INSIDE]


def _entry(person: Person, units: dict[str, Department]) -> _Entry:
    places = [
        (units[one.department_id].name if one.department_id in units else "", one.post) for one in person.identities
    ]
    numbers = tuple("".join(c for c in one if c.isdigit()) for one in (person.mobile, person.office_phone) if one)
    return _Entry(
        person,
        _squeezed(person.name),
        _squeezed(person.pinyin),
        _squeezed(person.initials),
        person.login.casefold(),
        numbers,
        fold(" ".join(f"{unit}{post}" for unit, post in places)),
        " ".join(dict.fromkeys(post if post.startswith(unit) else f"{unit}{post}" for unit, post in places)),
    )


def _above(department: Department, units: dict[str, Department]) -> str:
    above = units.get(department.parent_id or "")
    return "" if above is None else above.name


def _squeezed(text: str) -> str:
    return "".join(fold(text).split())


def _shown(entry: _Entry, words: tuple[str, ...], marks: tuple[str, ...]) -> Found:
    person = entry.person
    parts = [entry.shown_place]
    numbers = [one for one in (person.mobile, person.office_phone) if one]
    parts += [one for one in numbers if any(word.isdigit() and _digits(one).endswith(word) for word in words)]
    detail = " ・ ".join(part for part in parts if part)
    return Found(FoundKind.PERSON, "Person", person.id, marked(person.name, marks), marked(detail, marks))


def _digits(number: str) -> str:
    return "".join(c for c in number if c.isdigit())


def _shown_unit(unit: _Unit, marks: tuple[str, ...]) -> Found:
    detail = " ・ ".join(part for part in (unit.above, unit.head) if part)
    title = marked(unit.department.name, marks)
    return Found(FoundKind.PERSON, "Department", unit.department.id, title, excerpt(detail, marks), count=unit.count)
