"""The contacts page: tree of departments and own groups, people of the chosen one, card of the chosen person or contact, search over all."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from desktop.core.domain import Conversation, ConversationKind
from desktop.core.errors import AppError
from desktop.core.events import ChangeSet, Event, PresenceChanged
from desktop.models.contacts import ContactBook, DepartmentTreeModel, Organization, PeopleModel, PersonRow
from desktop.ui import i18n, theme
from desktop.ui.background import in_background
from desktop.ui.contacts.actions import ContactsActions
from desktop.ui.contacts.department_tree import DepartmentTree
from desktop.ui.contacts.people_list import PeopleList
from desktop.ui.contacts.person_card import PersonCard
from desktop.ui.contacts.personal import Personal
from desktop.ui.contacts.ports import ContactsSession, records_session
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Button, EmptyState, IconButton, PaneHeader, SearchBox, Snack, on_click
from desktop.ui.shell.navigator import Navigator
from desktop.ui.tasks import TaskOwner, alive

if TYPE_CHECKING:
    from desktop.ui.contacts.contact_pane import ContactPane

PANES = (280, 330, 490)
GATHER_MS = 300
"""Changes of the directory come in runs; the page looks again once."""


class ContactsPage(QWidget):
    """Three panes. Loads when first shown; later changes flow in without moving what the user looks at."""

    def __init__(self, session: ContactsSession, navigator: Navigator, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("contactsPage")
        self.tasks = TaskOwner(self)
        self._session, self._navigator = session, navigator
        self._organization = Organization()
        self._groups: list[Conversation] = []
        self._members: dict[str, frozenset[str]] = {}
        self._loaded = self._sized = False
        self._wanted_person = ""
        self._wanted_department = ""
        self._shown: tuple[str, str] = ("", "")
        self._tree_model, self._people_model = DepartmentTreeModel(self), PeopleModel(self)
        held = records_session(session)
        self.personal = Personal(held, self) if held is not None else None
        self.contact_pane: ContactPane | None = None
        self._build_ui()
        self.actions_ = ContactsActions(self, self)
        self._bind()

    # ---- build
    def _build_ui(self) -> None:
        self.search = SearchBox("contacts.search")
        self.search.setObjectName("contactsSearch")
        self.tree = DepartmentTree(self._tree_model)
        left = QWidget()
        left.setProperty("surface", "pane")
        left.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 14, 0, 0)
        column.setSpacing(10)
        box = QVBoxLayout()
        box.setContentsMargins(12, 0, 12, 0)
        box.addWidget(self.search)
        column.addLayout(box)
        column.addWidget(self.tree, 1)
        self.header = PaneHeader()
        self.header.setObjectName("contactsHeader")
        self.group_message = Button(key="contacts.send_message", small=True)
        self.group_message.hide()
        self.header.add_action(self.group_message)
        self.new_contact = Button(key="contacts.new_contact", small=True)
        self.new_contact.setObjectName("newContact")
        self.new_contact.hide()
        self.header.add_action(self.new_contact)
        self.more = IconButton("dots-three", "contacts.more", size=18, box=30)
        self.more.setObjectName("contactsMore")
        self.header.add_action(self.more)
        self.people = PeopleList(self._people_model)
        self.people.set_presence_texts(lambda who: self._session.presence.texts().get(who, ""))
        self.state = EmptyState("users-three", "common.loading")
        self._middle = QStackedWidget()
        self._middle.addWidget(self.people)
        self._middle.addWidget(self.state)
        self._whole = QStackedWidget()
        middle = QWidget()
        middle.setProperty("surface", "surface")
        middle.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self._middle, 1)
        self.card = PersonCard()
        self.nobody = EmptyState("identification-card", "contacts.nobody")
        self.nobody.setProperty("surface", "bg")
        self.nobody.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._right = QStackedWidget()
        self._right.addWidget(self.nobody)
        self._right.addWidget(self.card)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setHandleWidth(1)
        self._split.setChildrenCollapsible(False)
        for number, pane in enumerate((left, middle, self._right)):
            pane.setMinimumWidth(theme.values.LIST_MIN)
            self._split.addWidget(pane)
            self._split.setStretchFactor(number, 1 if number == 2 else 0)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._whole.addWidget(self._split)
        outer.addWidget(self._whole)
        self.snack = Snack(self)
        self._show_state("hourglass-medium", "common.loading")

    def _bind(self) -> None:
        self._gather = QTimer(self, interval=GATHER_MS, singleShot=True)
        self._gather.timeout.connect(self.reload)
        self.tree.picked.connect(self._on_picked)
        self.tree.opened.connect(self._on_opened)
        self.people.picked.connect(self._show_person)
        self.people.opened.connect(self.send_message)
        self.search.searched.connect(self._on_search)
        self.card.message_asked.connect(self.send_message)
        self.card.person_asked.connect(self.open_person)
        self.card.group_asked.connect(self._navigator.open_conversation)
        self.card.copied.connect(lambda text: self.snack.say(tr("contacts.copied", value=text)))
        self.state.action.clicked.connect(self.reload)
        actions = self.actions_
        self.tree.menu_asked.connect(actions.open_tree_menu)
        self.people.menu_asked.connect(actions.open_people_menu)
        self.card.menu_asked.connect(actions.open_card_menu)
        self.card.call_asked.connect(actions.call)
        self.card.mail_asked.connect(actions.mail)
        on_click(self.new_contact, actions.new_contact)
        on_click(self.more, lambda: actions.open_list_menu(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        on_click(self.group_message, lambda: self._navigator.open_conversation(self._shown[1]))
        i18n.changed.connect(self._refresh_header)
        shortcut = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(self.search.setFocus)
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(self._session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    # ---- loading
    def reload(self) -> None:
        """Reads the directory again."""
        self.tasks.start(self._load(), name="load", exclusive=True)

    async def read_again(self) -> None:
        """Reads the directory and waits for it."""
        await self._load()

    async def _load(self) -> None:
        session = self._session
        try:
            departments, people = await session.directory.departments(), await session.directory.people()
            conversations = await session.chat.conversations()
            book = await self.personal.load() if self.personal is not None else None
        except AppError as error:
            if alive(self) and not self._loaded:
                self._show_state("warning-circle", "contacts.failed", hint=error_text(error), retry=True)
            return
        organization = await in_background(Organization, departments, people)
        if not alive(self):
            return
        self._organization, self._members = organization, {}
        self._groups = sorted(
            (c for c in conversations if c.kind is ConversationKind.GROUP), key=lambda c: (c.name, c.id)
        )
        first, self._loaded = not self._loaded, bool(people)
        self._tree_model.set_presence(session.presence.everyone(), snapshot=True)
        self._people_model.set_presence(session.presence.everyone(), snapshot=True)
        self._tree_model.set_content(organization, self._groups, book)
        if not people:
            self._show_state("users-three", "contacts.empty")
            return
        if first:
            self._choose_first()
        else:
            self._refresh_people()
        if self._wanted_department:
            self.open_department(self._wanted_department)
        if self._wanted_person:
            self.open_person(self._wanted_person)
        elif self.contact_pane is not None and self._right.currentWidget() is self.contact_pane:
            self._refresh_contact(self.contact_pane)
        elif self.card.person_id:
            self._show_person(self.card.person_id)

    def _refresh_contact(self, pane: ContactPane) -> None:
        """The contact as it is now; the pane itself follows its record."""
        row = self.book.rows.get(pane.contact_id) if self.book is not None else None
        if row is not None and row.contact is not None:
            pane.show_contact(row.contact)

    def _choose_first(self) -> None:
        """Begins with the user's own department and own boss's list: the people one looks for most."""
        identity = self._session.me.primary
        own = identity.department_id if identity else ""
        known = own in self._organization.departments
        roots = self._organization.children()
        self.tree.select(own if known else roots[0] if roots else "")
        self._refresh_people()
        self.people.setCurrentIndex(self._people_model.index(0))

    def _on_event(self, event: Event) -> None:
        match event:
            case PresenceChanged(presence=presence, snapshot=snapshot):
                self._tree_model.set_presence(presence, snapshot=snapshot)
                self._people_model.set_presence(presence, snapshot=snapshot)
                self._show_presence()
                self._refresh_header()
            case ChangeSet(type_name="Person" | "Department" | "Contact" | "ContactGroup" | "ModuleDefinition"):
                self._gather.start()
            case ChangeSet(type_name="Member"):
                self._members = {}
            case ChangeSet(type_name="Conversation", upserts=upserts, removed=removed):
                # Every message touches its conversation; only a group that came or went changes this page.
                known = {group.id for group in self._groups}
                if known & set(removed) or any(not key.startswith("d-") and key not in known for key in upserts):
                    self._gather.start()

    # ---- what is shown
    def _show_state(self, icon: str, key: str, *, hint: str = "", retry: bool = False) -> None:
        self.state.show_text(icon, key)
        self.state.hint.setText(hint)
        self.state.hint.setVisible(bool(hint))
        i18n.bind(self.state.action.setText, "common.retry")
        self.state.action.setVisible(retry)
        self._middle.setCurrentWidget(self.state)
        self._refresh_header()

    def _on_picked(self, kind: str, key: str) -> None:
        if kind == "groups":
            return
        if self.search.text():
            self.search.blockSignals(True)
            self.search.clear()
            self.search.blockSignals(False)
        self._shown = (kind, key)
        self._refresh_people()

    def _on_opened(self, kind: str, key: str) -> None:
        if kind == "group":
            self._navigator.open_conversation(key)

    def _refresh_people(self) -> None:
        kind, key = self._shown
        if kind == "department":
            self._show_rows(self._organization.staff(key))
        elif kind == "group":
            self.tasks.start(self._show_members(key), name="people", exclusive=True)
        elif kind in ("book", "contact_group") and self.book is not None:
            self._show_rows(self.book.members(key, self._organization))
        elif kind == "search":
            self._on_search(key)

    async def _show_members(self, group_id: str) -> None:
        members = await self._members_of(group_id)
        if alive(self) and self._shown == ("group", group_id):
            people = [p for p in self._organization.people.values() if p.id in members]
            self._show_rows([self._organization.row(p) for p in sorted(people, key=lambda p: (p.pinyin, p.id))])

    async def _members_of(self, group_id: str) -> frozenset[str]:
        if group_id not in self._members:
            found = await self._session.chat.members(group_id)
            self._members[group_id] = frozenset(member.person_id for member in found)
        return self._members[group_id]

    def _on_search(self, text: str) -> None:
        if not self._loaded:
            return
        if not text:
            index = self.tree.currentIndex()
            if self._shown[0] == "search" and index.isValid():
                self.tree.clearSelection()
                self.tree.setCurrentIndex(self._tree_model.index(-1, 0))
                self.tree.setCurrentIndex(index)
            return
        self._shown = ("search", text)
        self.tasks.start(self._search(text), name="people", exclusive=True)

    async def _search(self, text: str) -> None:
        found = await self._session.directory.search(text)
        if alive(self) and self._shown == ("search", text):
            own = self.book.search(text) if self.book is not None else []
            self._show_rows([*(self._organization.row(person) for person in found), *own])

    def _show_rows(self, rows: list[PersonRow]) -> None:
        self.people.set_show_place(self._shown[0] != "department")
        self._people_model.set_rows(rows)
        if not rows:
            searching, own = self._shown[0] == "search", self._shown[0] in ("book", "contact_group")
            self._show_state(
                "magnifying-glass" if searching else "users-three",
                "contacts.none" if searching else "contacts.no_contacts" if own else "contacts.no_people",
            )
            return
        self._middle.setCurrentWidget(self.people)
        self.people.select(self.shown_id)
        self._refresh_header()

    def _refresh_header(self) -> None:
        kind, key = self._shown
        count = self._people_model.rowCount()
        self.group_message.setVisible(kind == "group")
        self.new_contact.setVisible(kind in ("book", "contact_group"))
        i18n.unbind(self.header.title.setText)
        match kind:
            case "department":
                department = self._organization.departments.get(key)
                online, total = self._tree_model.counts(key)
                self.header.title.setText(department.name if department else "")
                self.header.detail.setText(tr("contacts.counts", n=total, online=online))
            case "group":
                name = next((g.name for g in self._groups if g.id == key), "")
                self.header.title.setText(name)
                self.header.detail.setText(tr("contacts.people_count", n=count))
            case "book" | "contact_group":
                group = self.book.group(key) if self.book is not None else None
                name = str(group.data.get("name") or "") if group is not None else tr("contacts.personal")
                self.header.title.setText(name)
                self.header.detail.setText(tr("contacts.people_count", n=count))
            case "search":
                self.header.title.setText(tr("contacts.found"))
                self.header.detail.setText(tr("contacts.people_count", n=count))
            case _:
                self.header.title.setText(tr("contacts.title"))
                self.header.detail.setText("")

    # ---- who is shown, for the actions
    @property
    def session(self) -> ContactsSession:
        """The signed-in session."""
        return self._session

    @property
    def organization(self) -> Organization:
        """Departments and people as they are shown."""
        return self._organization

    @property
    def book(self) -> ContactBook | None:
        """Personal contacts; None where there are none at all."""
        return self.personal.book if self.personal is not None else None

    @property
    def shown(self) -> tuple[str, str]:
        """Which list is shown: department, group, book, contact_group or search, and its key."""
        return self._shown

    @property
    def rows(self) -> Sequence[PersonRow]:
        """The people of the list."""
        return self._people_model.rows

    @property
    def shown_id(self) -> str:
        """Whose card is shown: a person's or contact's id."""
        if self.contact_pane is not None and self._right.currentWidget() is self.contact_pane:
            return self.contact_pane.contact_id
        return self.card.person_id

    def show_right(self, widget: QWidget | None) -> None:
        """Puts a pane at the right; None: nobody is chosen."""
        if widget is not None and self._right.indexOf(widget) < 0:
            self._right.addWidget(widget)
        self._right.setCurrentWidget(widget or self.nobody)

    def show_whole(self, widget: QWidget | None) -> None:
        """Puts a pane in place of all three; None: they come back."""
        if widget is not None:
            self._whole.addWidget(widget)
        self._whole.setCurrentWidget(widget or self._split)

    def _show_person(self, person_id: str) -> None:
        row = self.book.rows.get(person_id) if self.book is not None else None
        if row is not None and row.contact is not None:
            self.actions_.show_contact(row.contact)
            return
        person = self._organization.people.get(person_id)
        if person is None:
            self._right.setCurrentWidget(self.nobody)
            return
        self.card.show_person(person, self._organization, self._tree_model.presence(person_id), self._session.me.id)
        self._show_presence()
        self._right.setCurrentWidget(self.card)
        self.tasks.start(self._show_groups(person_id), name="groups", exclusive=True)

    def _show_presence(self) -> None:
        who = self.card.person_id
        self.card.show_presence(self._tree_model.presence(who), self._session.presence.texts().get(who, ""))

    async def _show_groups(self, person_id: str) -> None:
        if person_id == self._session.me.id:
            return
        common = [group for group in self._groups if person_id in await self._members_of(group.id)]
        if alive(self) and self.card.person_id == person_id:
            self.card.show_groups(common)

    # ---- what the user does
    def focus_search(self) -> None:
        """Puts the cursor into the search field."""
        self.search.setFocus()

    def open_person(self, person_id: str) -> None:
        """Shows a colleague's card, in the list of the main department."""
        if not self._loaded:
            self._wanted_person = person_id
            return
        self._wanted_person = ""
        person = self._organization.people.get(person_id)
        if person is None:
            return
        identity = person.primary
        if identity is not None and not self.people.select(person_id):
            self.tree.select(identity.department_id)
            self.people.select(person_id)
        self._show_person(person_id)

    def open_department(self, department_id: str) -> None:
        """Shows the people of a department."""
        if not self._loaded:
            self._wanted_department = department_id
            return
        self._wanted_department = ""
        if department_id in self._organization.departments:
            self.tree.select(department_id)

    def send_message(self, person_id: str) -> None:
        """Opens the talk with a colleague."""
        if person_id != self._session.me.id and person_id in self._organization.people:
            self.tasks.start(self._open_talk(person_id), name="talk", exclusive=True)

    async def _open_talk(self, person_id: str) -> None:
        conversation = await self._session.chat.open_direct(person_id)
        if alive(self):
            self._navigator.open_conversation(conversation.id)

    def _pane_widths(self) -> list[int]:
        """As drawn, but never so wide that large text in a small window leaves no room for the card."""
        tree, people, _ = (theme.scaled(width) for width in PANES)
        left, middle = min(tree, self.width() * 28 // 100), min(people, self.width() * 32 // 100)
        return [left, middle, max(1, self.width() - left - middle)]

    # ---- Qt events
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._sized:
            self._sized = True
            self._split.setSizes(self._pane_widths())
        if not self._loaded and not self.tasks.running("load"):
            self.reload()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.search.hasFocus():
            self.people.setFocus()
            self.people.setCurrentIndex(self._people_model.index(0))
            return
        super().keyPressEvent(event)


def create_contacts(session: ContactsSession, navigator: Navigator) -> ContactsPage:
    """The page as the main window adds it."""
    return ContactsPage(session, navigator)
