"""Departments and their people as one list of rows, folded and unfolded: the mini panel's contacts. No texts, no widgets."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.core.domain import Person, Presence
from desktop.core.domain.directory import match_rank, wanted_text
from desktop.models.contacts import Organization
from desktop.models.people import People

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class RosterRole(IntEnum):
    """Roles beyond Qt's own."""

    ROW = int(Qt.ItemDataRole.UserRole) + 1


@dataclass(frozen=True, slots=True)
class DepartmentRow:
    """A heading: how many of its subtree are here. `depth` 0 is a top department."""

    id: str
    name: str
    depth: int
    online: int
    total: int
    opened: bool


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A colleague below a heading, or a find (`place` names the department then)."""

    person: Person
    post: str
    place: str
    depth: int
    presence: Presence


Row = DepartmentRow | PersonRow


class Roster(QAbstractListModel):
    """A single root (the office itself) is left out: its departments stand at the top. People who are here come first."""

    def __init__(self, people: People, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._people = people
        self._organization = Organization()
        self._opened: set[str] = set()
        self._wanted = ""
        self._rows: list[Row] = []

    # ---- reading
    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == RosterRole.ROW:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return row.name if isinstance(row, DepartmentRow) else row.person.name
        return None

    def at(self, row: int) -> Row:
        """What stands in a row."""
        return self._rows[row]

    @property
    def opened(self) -> frozenset[str]:
        """The departments that are unfolded."""
        return frozenset(self._opened)

    def presence_text(self, person_id: str) -> str:
        """What somebody says beside his presence."""
        return self._people.presence_text(person_id)

    # ---- changing
    def set_organization(self, organization: Organization) -> None:
        """Takes the directory as it is now."""
        self._organization = organization
        self.refresh()

    def set_opened(self, department_ids: frozenset[str]) -> None:
        """Unfolds these departments, and no others."""
        self._opened = set(department_ids)
        self.refresh()

    def toggle(self, department_id: str) -> None:
        """Folds or unfolds one."""
        self._opened ^= {department_id}
        self.refresh()

    def set_filter(self, text: str) -> None:
        """Finds people by name, pinyin, initials or number; empty shows the departments again."""
        self._wanted = wanted_text(text)
        self.refresh()

    def refresh(self) -> None:
        """Somebody came or went; rows that stay where they are keep the view where it is."""
        rows = self._found() if self._wanted else self._tree()
        if [_key(row) for row in rows] == [_key(row) for row in self._rows]:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _tops(self) -> tuple[str, ...]:
        roots = tuple(self._organization.children())
        below = tuple(self._organization.children(roots[0])) if len(roots) == 1 else ()
        return below or roots

    def _tree(self) -> list[Row]:
        rows: list[Row] = []
        if self._tops() != tuple(self._organization.children()):
            rows += self._staff(self._organization.children()[0], 0)
        for top in self._tops():
            self._add(top, 0, rows)
        return rows

    def _add(self, department_id: str, depth: int, rows: list[Row]) -> None:
        organization = self._organization
        opened = department_id in self._opened
        everyone = [row.person.id for row in organization.staff(department_id)]
        name = organization.departments[department_id].name
        rows.append(DepartmentRow(department_id, name, depth, self._people.online_of(everyone), len(everyone), opened))
        if opened:
            rows += self._staff(department_id, depth + 1)
            for child in organization.children(department_id):
                self._add(child, depth + 1, rows)

    def _staff(self, department_id: str, depth: int) -> list[Row]:
        organization = self._organization
        found = [organization.people[person_id] for person_id in organization.own_staff(department_id)]
        found.sort(key=lambda person: self._people.presence(person.id) is Presence.OFFLINE)
        return [self._person(person, department_id, depth) for person in found]

    def _person(self, person: Person, department_id: str, depth: int, place: str = "") -> PersonRow:
        posts = [one.post for one in person.identities if one.department_id == department_id and one.post]
        return PersonRow(person, " · ".join(posts), place, depth, self._people.presence(person.id))

    def _found(self) -> list[Row]:
        people = self._organization.people.values()
        ranked = [(rank, one) for one in people if (rank := match_rank(one, self._wanted)) is not None]
        ranked.sort(key=lambda pair: (pair[0], pair[1].pinyin, pair[1].id))
        found: list[Row] = []
        for _, person in ranked:
            identity = person.primary
            department_id = identity.department_id if identity else ""
            found.append(self._person(person, department_id, 0, self._organization.place(person)))
        return found


def _key(row: Row) -> tuple[str, int]:
    return (row.id, row.depth) if isinstance(row, DepartmentRow) else (row.person.id, row.depth)
