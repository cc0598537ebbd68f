"""Colleagues by id, for whatever paints a name: kept in memory, so that a delegate never waits. No texts, no widgets."""

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QObject, Signal

from desktop.core.domain import Department, Person, Presence


class People(QObject):
    """Names, posts and presence. `changed` carries the ids that changed, empty for many."""

    changed = Signal(frozenset)

    def __init__(self, me: Person, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.me = me
        self._people: dict[str, Person] = {me.id: me}
        self._departments: dict[str, Department] = {}
        self._presence: dict[str, Presence] = {}
        self._texts: dict[str, str] = {}

    def set_directory(self, people: Iterable[Person], departments: Iterable[Department]) -> None:
        """Takes the whole directory."""
        self._people = {self.me.id: self.me} | {person.id: person for person in people}
        self._departments = {department.id: department for department in departments}
        self.changed.emit(frozenset())

    def set_presence(
        self, presence: dict[str, Presence], *, snapshot: bool, texts: Mapping[str, str] | None = None
    ) -> None:
        """Takes a change of presence; a snapshot replaces everyone's. `texts`: what they say beside it, "" for nothing."""
        texts = texts or {}
        touched = frozenset(presence) | frozenset(texts) | (frozenset(self._presence) if snapshot else frozenset())
        if snapshot:
            self._presence, self._texts = dict(presence), dict(texts)
        else:
            self._presence.update(presence)
            self._texts.update(texts)
        self.changed.emit(touched)

    def person(self, person_id: str | None) -> Person | None:
        """A colleague, None when unknown here."""
        return self._people.get(person_id) if person_id else None

    def all(self) -> Iterable[Person]:
        """Everyone known."""
        return self._people.values()

    def name(self, person_id: str | None) -> str:
        """A colleague's name; empty when unknown."""
        person = self.person(person_id)
        return person.name if person else ""

    def post(self, person_id: str | None) -> str:
        """Department and post of the main identity, the post alone when it already names the department."""
        person = self.person(person_id)
        identity = person.primary if person else None
        if identity is None:
            return ""
        department = self._departments.get(identity.department_id)
        place = department.name if department else ""
        return identity.post if identity.post.startswith(place) else f"{place}{identity.post}"

    def department(self, person_id: str | None) -> str:
        """Name of the main department; empty when unknown."""
        person = self.person(person_id)
        identity = person.primary if person else None
        department = self._departments.get(identity.department_id) if identity else None
        return department.name if department else ""

    def presence(self, person_id: str | None) -> Presence:
        """What colleagues see of a person."""
        return self._presence.get(person_id or "", Presence.OFFLINE)

    def presence_text(self, person_id: str | None) -> str:
        """What a person says beside the presence; empty for nothing, and for who is not there."""
        there = self.presence(person_id) is not Presence.OFFLINE
        return self._texts.get(person_id or "", "") if there else ""

    def online_of(self, person_ids: Iterable[str]) -> int:
        """How many of them are not offline."""
        return sum(self.presence(person_id) is not Presence.OFFLINE for person_id in person_ids)
