"""What the actions of the contacts page ask of the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from PySide6.QtWidgets import QWidget

from desktop.models.contacts import ContactBook, Organization, PersonRow
from desktop.ui.contacts.department_tree import DepartmentTree
from desktop.ui.contacts.people_list import PeopleList
from desktop.ui.contacts.person_card import PersonCard
from desktop.ui.contacts.personal import Personal
from desktop.ui.contacts.ports import ContactsSession
from desktop.ui.kit import PaneHeader, Snack
from desktop.ui.tasks import TaskOwner

if TYPE_CHECKING:
    from desktop.ui.contacts.contact_pane import ContactPane


class ContactsHost(Protocol):
    """The page as its actions see it."""

    tasks: TaskOwner
    snack: Snack
    card: PersonCard
    people: PeopleList
    tree: DepartmentTree
    header: PaneHeader
    personal: Personal | None
    contact_pane: ContactPane | None

    @property
    def session(self) -> ContactsSession: ...
    @property
    def organization(self) -> Organization: ...
    @property
    def book(self) -> ContactBook | None: ...
    @property
    def shown(self) -> tuple[str, str]: ...
    @property
    def rows(self) -> Sequence[PersonRow]: ...
    def show_right(self, widget: QWidget | None) -> None: ...
    def show_whole(self, widget: QWidget | None) -> None: ...
    def open_person(self, person_id: str) -> None: ...
    def reload(self) -> None: ...
    async def read_again(self) -> None: ...
