"""What can be done on the contacts page beyond reading: menus, calls, own contacts and groups, files in and out, the office's order and rules."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import QObject, QPoint, QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from desktop.core.domain import Person
from desktop.core.domain.records import Record
from desktop.core.errors import AppError, Offline, Rejected
from desktop.models.contacts import BOOK_KEY, CONTACT, CONTACT_GROUP, PersonRow
from desktop.ui.contacts.card_export import NotWritten, write_contacts, write_people
from desktop.ui.contacts.host import ContactsHost
from desktop.ui.contacts.reach import call_url, mail_url
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import Menu, clipboard_text, confirm, finished
from desktop.ui.layouts import discard
from desktop.ui.tasks import alive

if TYPE_CHECKING:
    from desktop.ui.contacts.contact_pane import ContactPane

ADMIN: Final = "admin"
FIELDS: Final = (
    ("mobile", "contacts.mobile"),
    ("officePhone", "contacts.office_phone"),
    ("email", "contacts.email"),
    ("room", "contacts.room"),
)
LEVELS: Final = ("everyone", "masked", "department", "leaders", "office")
FILTERS: Final = {"xlsx": "contacts.workbook_filter", "vcf": "contacts.card_filter"}


class ContactsActions(QObject):
    """The verbs behind menus and buttons. Answers of the server are said at the foot of the page."""

    def __init__(self, page: ContactsHost, widget: QWidget) -> None:
        """`widget` is the page itself: what menus and dialogs belong to."""
        super().__init__(widget)
        self._page, self._widget = page, widget
        self.open_url: Callable[[QUrl], bool] = QDesktopServices.openUrl

    @property
    def _is_admin(self) -> bool:
        return ADMIN in self._page.session.me.roles

    def _run(self, work: Awaitable[object], *, done: str = "contacts.saved") -> None:
        self._page.tasks.start(self._told(work, done), name="act")

    async def _told(self, work: Awaitable[object], done: str) -> None:
        try:
            await work
        except AppError as error:
            done = error_text(error)
        else:
            done = tr(done) if done else ""
        if alive(self._widget) and done:
            self._page.snack.say(done)

    # ------------------------------------------------------------ to reach somebody
    def call(self, number: str) -> None:
        """Hands a number to the system."""
        self._hand_over(call_url(number), number)

    def mail(self, address: str) -> None:
        """Hands an address to the system."""
        self._hand_over(mail_url(address), address)

    def _hand_over(self, url: QUrl, value: str) -> None:
        if url.isEmpty() or not self.open_url(url):
            clipboard_text(value)
            self._page.snack.say(tr("contacts.no_program", value=value))

    # ------------------------------------------------------------ menus
    def open_tree_menu(self, kind: str, key: str, place: QPoint) -> None:
        """The menu of a node of the tree."""
        menu = self.tree_menu(kind, key)
        if not menu.isEmpty():
            menu.popup(place)

    def tree_menu(self, kind: str, key: str) -> QMenu:
        """What can be done with a department or a group."""
        menu = Menu(self._widget, leaves=True)
        if kind == "department" and self._is_admin:
            siblings = self._siblings(key)
            self._add_moves(menu, siblings, key, self._page.session.directory.set_departments_order)
            held = self._page.organization.departments[key].visibility
            self._add_rules(menu, "Department", key, held, "contacts.level.default")
        elif kind in ("book", "contact_group") and self._page.book is not None:
            group = self._page.book.group(key)
            _add(menu, "contacts.new_contact", partial(self.new_contact, group.id if group else ""))
            _add(menu, "contacts.new_group", self.new_group)
            if group is not None:
                _add(menu, "contacts.edit_group", partial(self.edit_group, group))
                _add(menu, "contacts.delete_group", partial(self._ask_delete, group))
        return menu

    def open_people_menu(self, person_id: str, place: QPoint) -> None:
        """The menu of a row of the list."""
        menu = self.people_menu(person_id)
        if not menu.isEmpty():
            menu.popup(place)

    def people_menu(self, person_id: str) -> QMenu:
        """What can be done with somebody in the list: in a department, where they stand."""
        kind, key = self._page.shown
        menu = self.card_menu(person_id)
        order = self._page.organization.own_staff(key) if kind == "department" else []
        if self._is_admin and person_id in order:
            menu.addSeparator()
            change = partial(self._page.session.directory.set_people_order, key)
            self._add_moves(menu, order, person_id, change)
        return menu

    def open_card_menu(self, place: QPoint) -> None:
        """The menu of the card that is shown."""
        self.card_menu(self._page.card.person_id).popup(place)

    def card_menu(self, person_id: str) -> QMenu:
        """What can be done with a card."""
        menu = Menu(self._widget, leaves=True)
        person = self._page.organization.people.get(person_id)
        if person is None:
            _add(menu, "contacts.export_card", partial(self.export_contact, person_id))
            return menu
        if person.id == self._page.card.person_id:
            _add(menu, "contacts.copy_card", self._page.card.copy_card)
        _add(menu, "contacts.export_card", partial(self._ask_export_people, [person], "vcf"))
        self._add_groups(menu, person)
        if person.id == self._page.session.me.id:
            self._add_hides(menu, person)
        if self._is_admin:
            self._add_rules(menu, "Person", person.id, person.visibility, "contacts.level.default_person")
        return menu

    def open_list_menu(self, place: QPoint) -> None:
        """The menu of the list's head."""
        self.list_menu().popup(place)

    def list_menu(self) -> QMenu:
        """What can be done with everybody in the list."""
        menu = Menu(self._widget, leaves=True)
        if self._page.book is not None:
            _add(menu, "contacts.new_contact", partial(self.new_contact, ""))
            _add(menu, "contacts.new_group", self.new_group)
            _add(menu, "contacts.import", self.open_import)
            menu.addSeparator()
        if self._page.rows:
            _add(menu, "contacts.export_xlsx", partial(self._ask_export_rows, "xlsx"))
            _add(menu, "contacts.export_vcf", partial(self._ask_export_rows, "vcf"))
        return menu

    def _add_groups(self, menu: QMenu, person: Person) -> None:
        book, personal = self._page.book, self._page.personal
        if book is None or personal is None or not book.groups:
            return
        inner = Menu(menu)
        inner.setTitle(tr("contacts.in_group"))
        for group in book.groups:
            inside = person.id in (group.data.get("colleagues") or ())
            _add_choice(
                inner,
                str(group.data.get("name") or ""),
                inside,
                partial(self._put_in_group, group, person.id, not inside),
            )
        menu.addMenu(inner)

    def _put_in_group(self, group: Record, person_id: str, on: bool) -> None:
        if self._page.personal is not None:
            self._run(self._page.personal.set_in_group(group, person_id, on), done="")

    def _add_hides(self, menu: QMenu, person: Person) -> None:
        inner = Menu(menu)
        inner.setTitle(tr("contacts.hide_menu"))
        for field, key in FIELDS:
            hidden = set(person.hides)
            wanted = hidden ^ {field}
            _add_choice(inner, tr(key), field in hidden, partial(self._set_hides, sorted(wanted)))
        menu.addMenu(inner)

    def _set_hides(self, fields: Sequence[str]) -> None:
        self._run(self._page.session.directory.set_hides(fields))

    def _add_rules(self, menu: QMenu, type_name: str, id: str, held: dict[str, str], default: str) -> None:
        outer = Menu(menu)
        outer.setTitle(tr("contacts.see_menu"))
        for field, key in FIELDS:
            inner = Menu(outer)
            inner.setTitle(tr(key))
            rest = {name: level for name, level in held.items() if name != field}
            _add_choice(inner, tr(default), field not in held, partial(self._set_rules, type_name, id, rest))
            for level in LEVELS:
                wanted = {**rest, field: level}
                words = tr(f"contacts.level.{level}")
                _add_choice(inner, words, held.get(field) == level, partial(self._set_rules, type_name, id, wanted))
            outer.addMenu(inner)
        menu.addMenu(outer)

    def _set_rules(self, type_name: str, id: str, rules: dict[str, str]) -> None:
        self._run(self._page.session.directory.set_visibility(type_name, id, rules))

    def _siblings(self, key: str) -> list[str]:
        organization = self._page.organization
        parent = organization.departments[key].parent_id or ""
        found = list(organization.children(parent))
        return found if key in found else list(organization.children())

    def _add_moves(
        self, menu: QMenu, order: list[str], key: str, change: Callable[[Sequence[str]], Awaitable[None]]
    ) -> None:
        place = order.index(key)
        for text, other in (("contacts.move_up", place - 1), ("contacts.move_down", place + 1)):
            if 0 <= other < len(order):
                wanted = list(order)
                wanted[place], wanted[other] = wanted[other], wanted[place]
                _add(menu, text, partial(self._move, change, wanted))

    def _move(self, change: Callable[[Sequence[str]], Awaitable[None]], wanted: Sequence[str]) -> None:
        self._run(change(wanted), done="")

    # ------------------------------------------------------------ own contacts and groups
    def show_contact(self, record: Record) -> None:
        """Shows a contact at the right."""
        self._page.tasks.start(self._with_pane(lambda pane: pane.show_contact(record)), name="contact", exclusive=True)

    def new_contact(self, group_id: str = "") -> None:
        """Opens the form of a new contact, in the group that is shown."""
        kind, key = self._page.shown
        wanted = group_id or (key if kind == "contact_group" else "")
        prefill: dict[str, Any] = {"groupIds": [wanted]} if wanted else {}
        self._page.tasks.start(self._with_pane(lambda pane: pane.new(CONTACT, prefill)), name="contact", exclusive=True)

    def new_group(self) -> None:
        """Opens the form of a new group."""
        self._page.tasks.start(
            self._with_pane(lambda pane: pane.new(CONTACT_GROUP, {})), name="contact", exclusive=True
        )

    def edit_group(self, group: Record) -> None:
        """Shows a group with its people, to be changed."""
        show = partial(_show_group, group_id=group.id)
        self._page.tasks.start(self._with_pane(show), name="contact", exclusive=True)

    async def _with_pane(self, show: Callable[[ContactPane], None]) -> None:
        page = self._page
        if page.personal is None:
            return
        if page.contact_pane is None:
            from desktop.ui.contacts.contact_pane import ContactPane

            context = await page.personal.context()
            if not alive(self._widget):
                return
            pane = page.contact_pane = ContactPane(context)
            pane.closed.connect(lambda: page.show_right(None))
            pane.call_asked.connect(self.call)
            pane.mail_asked.connect(self.mail)
            pane.export_asked.connect(self.export_contact)
            pane.saved.connect(self._on_saved)
            pane.opened.connect(self._on_opened)
        page.show_right(page.contact_pane)
        show(page.contact_pane)

    def _on_saved(self, type_name: str, record_id: str) -> None:
        """What was written is in the list; a new group is gone to."""
        self._page.tasks.start(self._follow(type_name, record_id), name="follow", exclusive=True)

    async def _follow(self, type_name: str, record_id: str) -> None:
        await self._page.read_again()
        if not alive(self._widget):
            return
        if type_name == CONTACT:
            if not self._page.people.select(record_id):
                self._page.tree.select(BOOK_KEY)
                self._page.people.select(record_id)
        else:
            self._page.tree.select(record_id)

    def _on_opened(self, type_name: str, record_id: str) -> None:
        if type_name == CONTACT_GROUP:
            self._page.tree.select(record_id)
        else:
            self._page.open_person(record_id)

    def _ask_delete(self, group: Record) -> None:
        self._page.tasks.start(self._delete(group), name="delete")

    async def _delete(self, group: Record) -> None:
        text = tr("contacts.delete_group_text", name=str(group.data.get("name") or ""))
        if not await confirm(
            self._widget, "contacts.delete_group", text, accept_key="contacts.delete_group", kind="danger"
        ):
            return
        if alive(self._widget) and self._page.personal is not None:
            await self._told(self._page.personal.session.records.destroy(group), "")
            self._page.tree.select(BOOK_KEY)

    # ------------------------------------------------------------ files
    def open_import(self) -> None:
        """Opens the way from a file to contacts in place of the panes."""
        self._page.tasks.start(self._open_import(), name="import", exclusive=True)

    async def _open_import(self) -> None:
        page = self._page
        if page.personal is None:
            return
        from desktop.ui.contacts.card_import import CardImportPane

        context = await page.personal.context()
        if not alive(self._widget):
            return
        pane = CardImportPane(context)

        def close() -> None:
            page.show_whole(None)
            discard(pane)
            page.reload()

        pane.closed.connect(close)
        page.show_whole(pane)
        pane.setFocus()

    def _ask_export_rows(self, format: str) -> None:
        self._page.tasks.start(self._ask_and_write(list(self._page.rows), format), name="export", exclusive=True)

    def _ask_export_people(self, people: Sequence[Person], format: str) -> None:
        rows = [PersonRow(one) for one in people]
        self._page.tasks.start(self._ask_and_write(rows, format), name="export", exclusive=True)

    def export_contact(self, record_id: str) -> None:
        """Asks where to, then writes one contact as a card."""
        book = self._page.book
        row = book.rows.get(record_id) if book is not None else None
        if row is not None:
            self._page.tasks.start(self._ask_and_write([row], "vcf"), name="export", exclusive=True)

    async def _ask_and_write(self, rows: Sequence[PersonRow], format: str) -> None:
        folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        words = rows[0].person.name if len(rows) == 1 else self._page.header.title.text()
        name = "".join("_" if sign in '\\/:*?"<>|' else sign for sign in words).strip()[:80] or "contacts"
        dialog = QFileDialog(self._widget, tr(f"contacts.export_{format}"), str(folder / f"{name}.{format}"))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(format)
        dialog.setNameFilter(tr(FILTERS[format]))
        try:
            if not await finished(dialog) or not alive(self._widget):
                return
            path = Path(dialog.selectedFiles()[0])
        finally:
            dialog.deleteLater()
        await self.write(rows, path.with_suffix(f".{format}"))

    async def write(self, rows: Sequence[PersonRow], path: Path) -> None:
        """Writes the people of a list. Colleagues only after the server has logged it; contacts and colleagues go to files of their own."""
        page = self._page
        people = [row.person for row in rows if row.contact is None]
        contacts = [row.contact for row in rows if row.contact is not None]
        beside = path.with_stem(f"{path.stem}-{tr('contacts.personal')}") if people else path
        try:
            if people:
                await page.session.directory.ask_export([one.id for one in people], path.suffix[1:].lower())
                await write_people(people, page.organization, path)
            if contacts and page.personal is not None and page.book is not None:
                await write_contacts(await page.personal.context(), page.book, contacts, beside)
        except AppError as error:
            if alive(self._widget):
                page.snack.say(_export_text(error))
            return
        if alive(self._widget):
            page.snack.say(tr("contacts.exported", n=len(rows), name=path.name if people else beside.name))


def _export_text(error: AppError) -> str:
    match error:
        case NotWritten():
            return tr("contacts.not_written", name=str(error.data.get("name", "")))
        case Offline():
            return tr("contacts.export_offline")
        case Rejected() if error.data.get("type") == "invalidProperties":
            return tr("contacts.export_refused")
    return error_text(error)


def _show_group(pane: ContactPane, group_id: str) -> None:
    pane.show_other(CONTACT_GROUP, group_id)


def _add(menu: QMenu, key: str, run: Callable[[], object]) -> None:
    action = menu.addAction(tr(key))
    action.triggered.connect(lambda _checked=False: run())


def _add_choice(menu: QMenu, words: str, checked: bool, run: Callable[[], object]) -> None:
    action = menu.addAction(words)
    action.setCheckable(True)
    action.setChecked(checked)
    action.triggered.connect(lambda _checked=False: run())
