"""The organization as the contacts page shows it: who stands where, how many are online, and the Qt models over that.

No widgets, no texts: roles carry raw values. Several identities of one person count once in each subtree. Personal contacts stand below the
departments, in their groups; each has the shape of a Person, so that one list shows both.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractItemModel, QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.core.domain import Conversation, Department, Person, Presence
from desktop.core.domain.directory import match_rank, wanted_text
from desktop.core.domain.records import Record

AnyIndex = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
GROUPS_KEY = "groups:"
BOOK_KEY = "book:"
CONTACT, CONTACT_GROUP = "Contact", "ContactGroup"


class TreeRole(IntEnum):
    """What a node of the tree tells."""

    KEY = int(Qt.ItemDataRole.UserRole) + 1
    KIND = int(Qt.ItemDataRole.UserRole) + 2
    ONLINE = int(Qt.ItemDataRole.UserRole) + 3
    TOTAL = int(Qt.ItemDataRole.UserRole) + 4


class PersonRole(IntEnum):
    """What a row of the people list tells."""

    PERSON = int(Qt.ItemDataRole.UserRole) + 1
    POSTS = int(Qt.ItemDataRole.UserRole) + 2
    PLACE = int(Qt.ItemDataRole.UserRole) + 3
    PRESENCE = int(Qt.ItemDataRole.UserRole) + 4
    IS_CONTACT = int(Qt.ItemDataRole.UserRole) + 5


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person in a list: the posts that count here, and the department to name beside them. contact: a personal one."""

    person: Person
    posts: tuple[str, ...] = ()
    place: str = ""
    contact: Record | None = None


class Organization:
    """The tree of departments with its people; siblings stand by `order`, people by their order in the department."""

    def __init__(self, departments: Iterable[Department] = (), people: Iterable[Person] = ()) -> None:
        self.departments = {d.id: d for d in departments}
        self.people = {p.id: p for p in people if p.active}
        self._children = self._link_children()
        self._staff = self._link_staff()
        self.scopes = {p.id: self._scope(p) for p in self.people.values()}
        self.totals: dict[str, int] = dict.fromkeys(self.departments, 0)
        for scope in self.scopes.values():
            for department_id in scope:
                self.totals[department_id] += 1

    def _link_children(self) -> dict[str, list[str]]:
        children: dict[str, list[str]] = {}
        for department in sorted(self.departments.values(), key=lambda d: (d.order, d.name, d.id)):
            children.setdefault(self._parent_of(department), []).append(department.id)
        return children

    def _parent_of(self, department: Department) -> str:
        """The parent's id, "" for a root. A missing parent, or a ring of parents, makes a root: nobody gets lost."""
        seen = {department.id}
        parent = department.parent_id
        if parent is None or parent not in self.departments:
            return ""
        walk: str | None = parent
        while walk is not None and walk in self.departments:
            if walk in seen:
                return "" if walk == department.id else parent
            seen.add(walk)
            walk = self.departments[walk].parent_id
        return parent

    def _link_staff(self) -> dict[str, list[tuple[int, Person, str]]]:
        staff: dict[str, list[tuple[int, Person, str]]] = {}
        for person in self.people.values():
            for identity in person.identities:
                staff.setdefault(identity.department_id, []).append((identity.order, person, identity.post))
        for rows in staff.values():
            rows.sort(key=lambda row: (row[0], row[1].pinyin or row[1].name, row[1].id))
        return staff

    def _scope(self, person: Person) -> frozenset[str]:
        return frozenset(above for i in person.identities for above in self.ancestors(i.department_id))

    def ancestors(self, department_id: str) -> tuple[str, ...]:
        """The department itself and all above it, nearest first."""
        path: list[str] = []
        walk: str | None = department_id
        while walk is not None and walk in self.departments and walk not in path:
            path.append(walk)
            walk = self._parent_of(self.departments[walk]) or None
        return tuple(path)

    def children(self, department_id: str = "") -> Sequence[str]:
        """The departments right under this one; under "" stand the roots."""
        return self._children.get(department_id, ())

    def subtree(self, department_id: str) -> list[str]:
        """The department and all below it, in tree order."""
        found: list[str] = []
        stack = [department_id]
        while stack:
            current = stack.pop()
            found.append(current)
            stack.extend(reversed(self.children(current)))
        return found

    def staff(self, department_id: str) -> list[PersonRow]:
        """Everyone in the subtree once, own people first, each with all posts held inside it."""
        posts: dict[str, list[str]] = {}
        for below in self.subtree(department_id):
            for _, person, post in self._staff.get(below, ()):
                posts.setdefault(person.id, []).extend([post] if post else [])
        people = ((self.people[person_id], tuple(dict.fromkeys(held))) for person_id, held in posts.items())
        return [PersonRow(person, held, self.place(person)) for person, held in people]

    def own_staff(self, department_id: str) -> list[str]:
        """The ids of those who have a post in the department itself, in its order."""
        return list(dict.fromkeys(person.id for _, person, _ in self._staff.get(department_id, ())))

    def place(self, person: Person) -> str:
        """The name of the person's main department."""
        identity = person.primary
        department = self.departments.get(identity.department_id) if identity else None
        return department.name if department else ""

    def row(self, person: Person) -> PersonRow:
        """The person as a search result: all posts."""
        return PersonRow(person, tuple(dict.fromkeys(i.post for i in person.identities if i.post)), self.place(person))


class ContactBook:
    """Personal contacts and groups. Groups stand by `order` and name, contacts by pinyin."""

    def __init__(self, contacts: Iterable[Record] = (), groups: Iterable[Record] = ()) -> None:
        self.groups = sorted(
            groups, key=lambda one: (one.data.get("order") or 0, str(one.data.get("name", "")), one.id)
        )
        rows = [_contact_row(one) for one in contacts]
        rows.sort(key=lambda row: (row.person.pinyin, row.person.name, row.person.id))
        self.rows = {row.person.id: row for row in rows}
        self._inside: dict[str, list[PersonRow]] = {one.id: [] for one in self.groups}
        for row in rows:
            for group_id in (row.contact.data.get("groupIds") or ()) if row.contact is not None else ():
                if group_id in self._inside:
                    self._inside[group_id].append(row)

    def group(self, group_id: str) -> Record | None:
        """One of the groups."""
        return next((one for one in self.groups if one.id == group_id), None)

    def members(self, group_id: str, organization: Organization) -> list[PersonRow]:
        """Contacts and colleagues of a group; under BOOK_KEY all contacts."""
        if group_id == BOOK_KEY:
            return list(self.rows.values())
        group = self.group(group_id)
        colleagues = group.data.get("colleagues") or () if group is not None else ()
        people = [organization.people[one] for one in colleagues if one in organization.people]
        return [organization.row(one) for one in people] + self._inside.get(group_id, [])

    def search(self, text: str) -> list[PersonRow]:
        """Contacts whose name, pinyin, initials or organization hold the text, or a number of whom ends so; the best first."""
        wanted = wanted_text(text)
        if not wanted:
            return []
        ranked = [(rank, row) for row in self.rows.values() if (rank := _rank_contact(row, wanted)) is not None]
        return [row for _, row in sorted(ranked, key=lambda pair: pair[0])]


def _rank_contact(row: PersonRow, wanted: str) -> int | None:
    assert row.contact is not None
    data = row.contact.data
    numbers = [str(data.get(name) or "") for name in ("homePhone", "fax")]
    numbers += [str(line.get("value") or "") for line in data.get("more") or ()]
    rank = match_rank(row.person, wanted, numbers)
    return 9 if rank is None and wanted in wanted_text(row.place) else rank


@functools.lru_cache(maxsize=20_000)
def _spelled(name: str) -> tuple[str, str]:
    """Pinyin and initials of a name; kept, because the book is made anew with every change of a contact."""
    from pypinyin import Style, lazy_pinyin  # 0.2 s to load, and only who has contacts of their own waits for it

    whole = "".join(lazy_pinyin(name, errors="default")).lower()
    return whole, "".join(lazy_pinyin(name, style=Style.FIRST_LETTER, errors="default")).lower()


def _contact_row(record: Record) -> PersonRow:
    data = record.data
    name = str(data.get("name") or "")
    pinyin, initials = _spelled(name)
    shape = Person(
        id=record.id,
        name=name,
        pinyin=pinyin,
        initials=initials,
        mobile=data.get("mobile"),
        office_phone=data.get("officePhone"),
        email=data.get("email"),
    )
    post = str(data.get("post") or "")
    return PersonRow(shape, (post,) if post else (), str(data.get("company") or ""), record)


@dataclass(frozen=True, slots=True)
class _Node:
    key: str
    kind: str
    name: str
    parent: int
    row: int


class DepartmentTreeModel(QAbstractItemModel):
    """Departments, then personal contacts with their groups, then "my groups". Index ids are positions in `_nodes`; counts live beside them."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.organization = Organization()
        self.book: ContactBook | None = None
        self._groups: tuple[Conversation, ...] = ()
        self._presence: dict[str, Presence] = {}
        self._online: dict[str, int] = {}
        self._nodes: list[_Node] = []
        self._children: dict[int, list[int]] = {}
        self._by_key: dict[str, int] = {}
        self.words: Callable[[str], str] = lambda _kind: ""
        """What a node without a name of its own is called, by its kind: the words are the screen's."""

    # ---- content
    def set_content(
        self, organization: Organization, groups: Sequence[Conversation], book: ContactBook | None = None
    ) -> None:
        """Shows another organization, other contacts or other groups. book: None where this office has no personal contacts."""
        same_tree = self._shape(organization, groups, book) == self._shape(self.organization, self._groups, self.book)
        self.organization, self._groups, self.book = organization, tuple(groups), book
        if not same_tree:
            self.beginResetModel()  # the tree has another shape; the view restores what was open by key
            self._build()
            self.endResetModel()
        self._count_online()
        self._tell(self._by_key)

    @staticmethod
    def _shape(
        organization: Organization, groups: Sequence[Conversation], book: ContactBook | None
    ) -> tuple[object, ...]:
        keys = [key for root in organization.children() for key in organization.subtree(root)]
        order = [(key, organization.departments[key].name) for key in keys]
        parents = [d.parent_id for d in organization.departments.values()]
        own = None if book is None else [(g.id, g.data.get("name")) for g in book.groups]
        return order, parents, [(g.id, g.name) for g in groups], own

    def _build(self) -> None:
        self._nodes, self._children, self._by_key = [], {}, {}
        stack = [("", -1)]
        while stack:
            department_id, parent = stack.pop(0)
            for key in self.organization.children(department_id):
                stack.append((key, self._add(key, "department", self.organization.departments[key].name, parent)))
        if self.book is not None:
            top = self._add(BOOK_KEY, "book", "", -1)
            for one in self.book.groups:
                self._add(one.id, "contact_group", str(one.data.get("name") or ""), top)
        if self._groups:
            top = self._add(GROUPS_KEY, "groups", "", -1)
            for group in self._groups:
                self._add(group.id, "group", group.name, top)

    def _add(self, key: str, kind: str, name: str, parent: int) -> int:
        siblings = self._children.setdefault(parent, [])
        position = len(self._nodes)
        self._nodes.append(_Node(key, kind, name, parent, len(siblings)))
        siblings.append(position)
        self._by_key[key] = position
        return position

    def set_presence(self, presence: Mapping[str, Presence], *, snapshot: bool = False) -> None:
        """People came or went; a snapshot names everyone who is not offline."""
        if snapshot:
            self._presence = dict(presence)
            self._count_online()
            self._tell(self._by_key)
            return
        touched: set[str] = set()
        for person_id, now in presence.items():
            step = int(now is not Presence.OFFLINE) - int(self.presence(person_id) is not Presence.OFFLINE)
            self._presence[person_id] = now
            for department_id in self.organization.scopes.get(person_id, frozenset()) if step else ():
                self._online[department_id] = self._online.get(department_id, 0) + step
                touched.add(department_id)
        self._tell(touched)

    def presence(self, person_id: str) -> Presence:
        """What this person is now."""
        return self._presence.get(person_id, Presence.OFFLINE)

    def counts(self, department_id: str) -> tuple[int, int]:
        """(online, all) people of a subtree."""
        return self._online.get(department_id, 0), self.organization.totals.get(department_id, 0)

    def _count_online(self) -> None:
        self._online = {}
        for person_id, scope in self.organization.scopes.items():
            if self.presence(person_id) is Presence.OFFLINE:
                continue
            for department_id in scope:
                self._online[department_id] = self._online.get(department_id, 0) + 1

    def _tell(self, keys: Iterable[str]) -> None:
        for key in keys:
            index = self.index_of(key)
            if index.isValid():
                self.dataChanged.emit(index, index)

    def index_of(self, key: str) -> QModelIndex:
        """The index of a department or group."""
        position = self._by_key.get(key)
        return QModelIndex() if position is None else self.createIndex(self._nodes[position].row, 0, position)

    # ---- QAbstractItemModel
    def index(self, row: int, column: int, parent: AnyIndex = NO_INDEX) -> QModelIndex:
        children = self._children.get(parent.internalId() if parent.isValid() else -1, [])
        if column != 0 or not 0 <= row < len(children):
            return QModelIndex()
        return self.createIndex(row, column, children[row])

    def parent(self, index: AnyIndex = NO_INDEX) -> QModelIndex:  # type: ignore[override]  # Qt overloads parent() and parent(index)
        if not index.isValid():
            return QModelIndex()
        above = self._nodes[index.internalId()].parent
        return QModelIndex() if above < 0 else self.createIndex(self._nodes[above].row, 0, above)

    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return len(self._children.get(parent.internalId() if parent.isValid() else -1, []))

    def columnCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 1

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        node = self._nodes[index.internalId()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return node.name or self.words(node.kind)
            case TreeRole.KEY:
                return node.key
            case TreeRole.KIND:
                return node.kind
            case TreeRole.ONLINE:
                return self._online.get(node.key, 0)
            case TreeRole.TOTAL:
                return self._total(node)
        return None

    def _total(self, node: _Node) -> int:
        if node.kind == "groups":
            return len(self._groups)
        if self.book is not None and node.kind in ("book", "contact_group"):
            return len(self.book.members(node.key, self.organization))
        return self.organization.totals.get(node.key, 0)


class PeopleModel(QAbstractListModel):
    """The people of the chosen department, or what a search found."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[PersonRow] = []
        self._presence: dict[str, Presence] = {}

    def set_rows(self, rows: Sequence[PersonRow]) -> None:
        """Shows other people; nothing is signalled when they are the same."""
        if list(rows) == self._rows:
            return
        if [r.person.id for r in rows] == [r.person.id for r in self._rows]:
            self._rows = list(rows)
            self.dataChanged.emit(self.index(0), self.index(len(rows) - 1))
            return
        self.beginResetModel()  # another department is another list: nothing of the old one stays in place
        self._rows = list(rows)
        self.endResetModel()

    def set_presence(self, presence: Mapping[str, Presence], *, snapshot: bool = False) -> None:
        """People came or went."""
        before = self._presence
        self._presence = dict(presence) if snapshot else {**before, **presence}
        for row, item in enumerate(self._rows):
            if before.get(item.person.id) is not self._presence.get(item.person.id):
                self.dataChanged.emit(self.index(row), self.index(row))

    def position(self, person_id: str) -> int:
        """The row of this person, -1 when not shown."""
        return next((row for row, item in enumerate(self._rows) if item.person.id == person_id), -1)

    def person(self, row: int) -> Person | None:
        """The person in this row."""
        return self._rows[row].person if 0 <= row < len(self._rows) else None

    def item(self, row: int) -> PersonRow | None:
        """What stands in this row."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    @property
    def rows(self) -> Sequence[PersonRow]:
        """Everyone shown, in order."""
        return self._rows

    def rowCount(self, parent: AnyIndex = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return row.person.name
            case Qt.ItemDataRole.AccessibleTextRole:
                return ", ".join(part for part in (row.person.name, *row.posts, row.place) if part)
            case PersonRole.PERSON:
                return row.person
            case PersonRole.POSTS:
                return row.posts
            case PersonRole.PLACE:
                return row.place
            case PersonRole.PRESENCE:
                return self._presence.get(row.person.id, Presence.OFFLINE)
            case PersonRole.IS_CONTACT:
                return row.contact is not None
        return None
