"""Chooses whom a notice is for: everyone, or departments, roles and people, with a count of how many that are."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QFrame, QGridLayout, QListWidget, QListWidgetItem, QTreeView, QVBoxLayout, QWidget

from desktop.core.domain import Audience, Person
from desktop.models.audience import audience_people, known_roles
from desktop.models.contacts import Organization
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Card, CheckBox, Label, SearchBox, on_click, row
from desktop.ui.layouts import empty_layout
from desktop.ui.office.levels import role_text

KEY = int(Qt.ItemDataRole.UserRole) + 1
HITS = 8


class AudiencePicker(QWidget):
    """The choice; `changed` after each step of the user."""

    changed = Signal()

    def __init__(self, organization: Organization, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._organization = organization
        self._people: list[str] = []
        self.everyone = CheckBox(key="office.audience.everyone")
        self.everyone.setObjectName("audienceEveryone")
        self.count = Label(role="secondary", tone="ink3")
        self.count.setObjectName("audienceCount")
        self._tree, self._model = QTreeView(), QStandardItemModel(self)
        self._roles = {role: CheckBox(role_text(role)) for role in known_roles(organization)}
        self.search = SearchBox("office.audience.find_person")
        self._hits = QListWidget()
        self._chosen = QGridLayout()
        self._build_ui()
        self._fill(self._model.invisibleRootItem(), "")
        self._tree.expandToDepth(0)
        self._model.itemChanged.connect(self._on_item)
        self.everyone.toggled.connect(self._on_changed)
        for box in self._roles.values():
            box.toggled.connect(self._on_changed)
        self.search.searched.connect(self._on_search)
        self._hits.itemActivated.connect(self._on_hit)
        self._hits.itemClicked.connect(self._on_hit)
        self._on_changed()

    def _build_ui(self) -> None:
        self._tree.setModel(self._model)
        self._tree.setHeaderHidden(True)
        self._tree.setFrameShape(QFrame.Shape.NoFrame)
        self._tree.setMinimumHeight(theme.scaled(170))
        self._tree.setObjectName("audienceTree")
        i18n.bind(self._tree.setAccessibleName, "office.audience.departments")
        self._hits.setFrameShape(QFrame.Shape.NoFrame)
        self._hits.hide()
        i18n.bind(self._hits.setAccessibleName, "office.audience.find_person")
        self._chosen.setSpacing(4)
        self._details = QWidget()
        column = QVBoxLayout(self._details)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        frame = Card(padding=4)
        frame.body.addWidget(self._tree)
        column.addWidget(frame)
        if self._roles:
            column.addWidget(Label(key="office.audience.roles", role="secondary", tone="ink3"))
            column.addLayout(row(*self._roles.values(), None, spacing=12))
        column.addWidget(self.search)
        column.addWidget(self._hits)
        column.addLayout(self._chosen)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(6)
        outer.addLayout(row(self.everyone, None, self.count))
        outer.addWidget(self._details)

    def _fill(self, parent: QStandardItem, department_id: str) -> None:
        for key in self._organization.children(department_id):
            total = self._organization.totals.get(key, 0)
            item = QStandardItem(f"{self._organization.departments[key].name}  {total}")
            item.setData(key, KEY)
            item.setCheckable(True)
            item.setEditable(False)
            parent.appendRow(item)
            self._fill(item, key)

    # ---- the choice
    def audience(self) -> Audience:
        """What is chosen; nothing at all is an empty audience."""
        if self.everyone.isChecked():
            return Audience(everyone=True)
        roles = tuple(role for role, box in self._roles.items() if box.isChecked())
        return Audience(False, tuple(self._checked(self._model.invisibleRootItem())), roles, tuple(self._people))

    def _checked(self, parent: QStandardItem) -> list[str]:
        found: list[str] = []
        for number in range(parent.rowCount()):
            item = parent.child(number)
            # A department means those below it: naming them again would only grow the list.
            found += [str(item.data(KEY))] if item.checkState() is Qt.CheckState.Checked else self._checked(item)
        return found

    def set_audience(self, audience: Audience) -> None:
        """Shows a choice made before."""
        self.everyone.setChecked(audience.everyone)
        for role, box in self._roles.items():
            box.setChecked(role in audience.roles)
        self._check(self._model.invisibleRootItem(), set(audience.department_ids))
        self._people = [key for key in audience.person_ids if key in self._organization.people]
        self._show_people()
        self._on_changed()

    def _check(self, parent: QStandardItem, keys: set[str]) -> None:
        for number in range(parent.rowCount()):
            item = parent.child(number)
            item.setCheckState(Qt.CheckState.Checked if item.data(KEY) in keys else Qt.CheckState.Unchecked)
            self._check(item, keys)

    def is_empty(self) -> bool:
        """Whether nobody would see it."""
        return not audience_people(self.audience(), self._organization)

    def _on_item(self, item: QStandardItem) -> None:
        self._on_changed()

    def _on_changed(self) -> None:
        self._details.setVisible(not self.everyone.isChecked())
        self.count.setText(tr("office.audience.count", n=len(audience_people(self.audience(), self._organization))))
        self.changed.emit()

    # ---- people
    def _on_search(self, text: str) -> None:
        needle = text.casefold()
        found = [p for p in self._organization.people.values() if needle and _matches(p, needle)][:HITS]
        self._hits.clear()
        for person in found:
            item = QListWidgetItem(f"{person.name}  {self._organization.place(person)}")
            item.setData(KEY, person.id)
            self._hits.addItem(item)
        self._hits.setVisible(bool(found))
        self._hits.setFixedHeight(max(1, len(found)) * theme.scaled(30) + 4)

    def _on_hit(self, item: QListWidgetItem) -> None:
        key = str(item.data(KEY))
        if key not in self._people:
            self._people.append(key)
        self.search.clear()
        self._show_people()
        self._on_changed()

    def _drop(self, key: str) -> None:
        self._people.remove(key)
        self._show_people()
        self._on_changed()

    def _show_people(self) -> None:
        empty_layout(self._chosen)
        for number, key in enumerate(self._people):
            name = self._organization.people[key].name
            button = Button(name, icon="x", small=True)
            button.setAccessibleName(tr("office.audience.drop", name=name))
            on_click(button, partial(self._drop, key))
            self._chosen.addWidget(button, number // 4, number % 4)


def _matches(person: Person, needle: str) -> bool:
    return needle in person.name.casefold() or person.pinyin.startswith(needle) or person.initials.startswith(needle)
