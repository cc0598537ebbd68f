"""A colleague's card: identities, how to reach them, superior, common groups. A press on a number or address copies it.

What this user may not see stands there as hidden, with the reason. Calls and mails are handed to the system's programs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from desktop.core.domain import Conversation, Person, Presence
from desktop.models.contacts import Organization
from desktop.ui import i18n, theme
from desktop.ui.contacts.reach import call_url, mail_url
from desktop.ui.i18n import has, tr
from desktop.ui.kit import (
    Avatar,
    Button,
    Card,
    Divider,
    IconButton,
    IconLabel,
    Label,
    Scroll,
    clipboard_text,
    on_click,
    row,
)
from desktop.ui.layouts import discard
from desktop.ui.office.record.flow import Flow

AVATAR_SIDE = 72
LABEL_WIDTH = 96
ROW_HEIGHT = 38
CARD_WIDTH = 560
NARROW = 400
LINK_INSET = 5
"""What a link button pads its text with; plain values stand in by as much, so that all line up."""


def breakable(text: str) -> str:
    """A number or an address that may be broken at its signs: one long word is wider than a narrow card."""
    return "".join(f"{sign}\u200b" if sign in "@.-_/" else sign for sign in text)


class CopyValue(QWidget):
    """A number or an address; a press anywhere on it puts it on the clipboard."""

    copied = Signal(str)

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = text
        self.button = IconButton("copy", "contacts.press_to_copy", tone="ink3", size=15, box=26)
        self.button.setAccessibleName(tr("contacts.copy_value", value=text))
        on_click(self.button, self.copy)
        value = Label(breakable(text), wrap=True)
        value.setAccessibleName(text)
        line = row(value, self.button, spacing=4, margins=(LINK_INSET, 0, 0, 0))
        line.setStretch(0, 1)
        value.setMaximumWidth(
            value.fontMetrics().horizontalAdvance(text) + theme.scaled(8)
        )  # the sign stands behind the text
        line.addStretch(0)
        self.setLayout(line)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(tr("contacts.press_to_copy"))

    def copy(self) -> None:
        """Copies it and says so."""
        clipboard_text(self._text)
        self.copied.emit(self._text)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            self.copy()


class PersonCard(Scroll):
    """The card of one person at a time."""

    message_asked = Signal(str)
    person_asked = Signal(str)
    group_asked = Signal(str)
    copied = Signal(str)
    call_asked = Signal(str)
    mail_asked = Signal(str)
    menu_asked = Signal(QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent=parent)
        self.setObjectName("personCard")
        self._person: Person | None = None
        self._organization = Organization()
        self._groups: Sequence[Conversation] = ()
        self._me = ""
        self._narrow = False
        self.avatar = Avatar(AVATAR_SIDE, surface="bg")
        self.name = Label(role="display", strong=True)
        self.name.setObjectName("personName")
        self.posts = Label(role="base", tone="ink2", wrap=True)
        self.signature = Label(role="secondary", tone="ink3", wrap=True)
        self.said = Label(role="secondary", tone="link", wrap=True)
        self.said.hide()
        self.message = Button(key="contacts.send_message", kind="primary", icon="chat-circle-dots")
        self.message.setObjectName("personSendMessage")
        self.call = Button(key="contacts.call", icon="phone")
        self.call.setObjectName("personCall")
        self.mail = Button(key="contacts.mail", icon="envelope-simple")
        self.mail.setObjectName("personMail")
        self.more = IconButton("dots-three", "contacts.more", size=18, box=34)
        self.more.setObjectName("personMore")
        self._facts = Card(padding=0)
        self._facts.setMaximumWidth(theme.scaled(CARD_WIDTH))
        self._grid = QWidget()
        self._facts.body.addWidget(self._grid)
        self._build_ui()
        on_click(self.message, self._ask_message)
        on_click(self.call, lambda: self.call_asked.emit(self._number()))
        on_click(self.mail, self._ask_mail)
        on_click(self.more, lambda: self.menu_asked.emit(self.more.mapToGlobal(self.more.rect().bottomLeft())))
        i18n.changed.connect(self._refresh)
        theme.changed.connect(self._refresh)

    def _build_ui(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(4)
        words.addStretch(1)
        for label in (self.name, self.posts, self.said, self.signature):
            words.addWidget(label)
        words.addStretch(1)
        top = QHBoxLayout()
        top.setSpacing(18)
        top.addWidget(self.avatar)
        top.addLayout(words, 1)
        self.inner.setContentsMargins(26, 34, 26, 26)
        self.inner.setSpacing(20)
        self.inner.addLayout(top)
        buttons = Flow(spacing=10)
        for button in (self.message, self.call, self.mail, self.more):
            buttons.add(button)
        self.inner.addWidget(buttons)
        self.inner.addWidget(self._facts)
        self.inner.addStretch(1)

    @property
    def person_id(self) -> str:
        """Whose card it is; empty for nobody."""
        return self._person.id if self._person else ""

    def show_person(self, person: Person, organization: Organization, presence: Presence, me: str) -> None:
        """Shows a person; the common groups come later with `show_groups`."""
        if self._person is None or self._person.id != person.id:
            self._groups = ()
            self.verticalScrollBar().setValue(0)
        self._person, self._organization, self._me = person, organization, me
        self.avatar.set_subject(person.name, person.id, presence=presence)
        self._refresh()

    def show_presence(self, presence: Presence, text: str = "") -> None:
        """The person came or went, or says something beside it."""
        self.avatar.set_presence(presence)
        self.said.setText(text)
        self.said.setVisible(bool(text) and presence is not Presence.OFFLINE)

    def show_groups(self, groups: Sequence[Conversation]) -> None:
        """The groups this user shares with the person."""
        self._groups = groups
        self._refresh()

    def _identity_texts(self) -> list[str]:
        assert self._person is not None
        texts = []
        for identity in sorted(self._person.identities, key=lambda i: not i.primary):
            department = self._organization.departments.get(identity.department_id)
            place = [department.name if department else "", identity.post]
            text = " · ".join(part for part in place if part)
            if text:
                told = identity is self._person.primary or identity.post.endswith(("（兼）", "(兼)"))  # not a text
                texts.append(text if told else tr("contacts.also", post=text))
        return texts

    def _refresh(self) -> None:
        person = self._person
        if person is None:
            return
        self.name.setText(person.name)
        self.posts.setText("  |  ".join(self._identity_texts()))
        self.signature.setText(person.signature or "")
        self.signature.setVisible(bool(person.signature))
        self.message.setVisible(person.id != self._me)
        self.call.setVisible(person.id != self._me and bool(self._number()))
        self.mail.setVisible(person.id != self._me and not mail_url(person.email).isEmpty())
        self._rebuild_facts(person)

    def _rebuild_facts(self, person: Person) -> None:
        fresh = QWidget()
        grid = QGridLayout(fresh)
        grid.setContentsMargins(18, 6, 18, 6)
        grid.setHorizontalSpacing(theme.scaled(8))
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(1, 1)
        rows = [
            (
                tr("contacts.office_phone"),
                self._held_back("officePhone", person.office_phone) or self._copyable(person.office_phone),
            ),
            (tr("contacts.mobile"), self._held_back("mobile", person.mobile) or self._copyable(person.mobile)),
            (tr("contacts.email"), self._held_back("email", person.email) or self._copyable(person.email)),
            (tr("contacts.room"), self._held_back("room", person.room) or self._plain(person.room)),
            (tr("contacts.superior"), self._superior(person)),
            (tr("contacts.common_groups"), self._common_groups()),
        ]
        shown = [(name, value) for name, value in rows if value is not None]
        self._narrow = self._is_narrow()
        for number, (name, value) in enumerate(shown):
            label = Label(name, tone="ink3")
            top = number * 3
            if self._narrow:
                label.setContentsMargins(LINK_INSET, theme.scaled(8), 0, 0)
                grid.addWidget(label, top, 0, 1, 2)
                grid.addWidget(value, top + 1, 0, 1, 2)
            else:
                label.setMinimumSize(theme.scaled(LABEL_WIDTH), theme.scaled(ROW_HEIGHT))
                grid.addWidget(label, top, 0, Qt.AlignmentFlag.AlignTop)  # beside the first of several groups
                grid.addWidget(value, top, 1)
            grid.setRowMinimumHeight(top + self._narrow, theme.scaled(ROW_HEIGHT))
            if number < len(shown) - 1:
                grid.addWidget(Divider(), top + 2, 0, 1, 2)
        self._facts.setVisible(bool(shown))
        self._facts.body.replaceWidget(self._grid, fresh)
        discard(self._grid)
        self._grid = fresh

    def _is_narrow(self) -> bool:
        """Whether names stand over their values: large letters in a narrow window leave no room beside them."""
        return self.viewport().width() < theme.scaled(NARROW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._person is not None and self._is_narrow() is not self._narrow:
            self._rebuild_facts(self._person)

    @staticmethod
    def _plain(text: str | None) -> QWidget | None:
        if not text:
            return None
        label = Label(text, wrap=True)
        label.setContentsMargins(LINK_INSET, 0, 0, 0)
        return label

    def _copyable(self, text: str | None) -> QWidget | None:
        if not text:
            return None
        value = CopyValue(text)
        value.copied.connect(self.copied)
        return value

    def _held_back(self, field: str, masked: str | None) -> QWidget | None:
        """What stands in place of a field that this user may not see: the few signs there are, and why."""
        assert self._person is not None
        level = self._person.hidden.get(field)
        if level is None:
            return None
        key = f"contacts.hidden.{level}"
        holder = QWidget()
        line = QHBoxLayout(holder)
        line.setContentsMargins(LINK_INSET, 0, 0, 0)
        line.addWidget(IconLabel("lock-simple", size=15) if not masked else Label(masked))
        line.addWidget(
            Label(tr(key if has(key) else "contacts.hidden.other"), role="secondary", tone="ink3", wrap=True), 1
        )
        return holder

    def _number(self) -> str:
        """What the call button dials: the mobile number, else the office phone."""
        person = self._person
        numbers = (person.mobile, person.office_phone) if person is not None else ()
        return next((one for one in numbers if one and not call_url(one).isEmpty()), "")

    def _superior(self, person: Person) -> QWidget | None:
        superior = self._organization.people.get(person.superior_id or "")
        if superior is None:
            return None
        button = Button(superior.name, kind="link")
        button.setObjectName("personSuperior")
        on_click(button, lambda: self.person_asked.emit(superior.id))
        holder = QWidget()
        line = row(button, None)
        holder.setLayout(line)
        return holder

    def _common_groups(self) -> QWidget | None:
        if not self._groups:
            return None
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 4, 0, 4)
        column.setSpacing(0)
        for group in self._groups:
            button = Button(group.name, kind="link")
            on_click(button, partial(self.group_asked.emit, group.id))
            column.addLayout(row(button, None))
        return holder

    def _ask_mail(self) -> None:
        if self._person is not None:
            self.mail_asked.emit(self._person.email or "")

    def _ask_message(self) -> None:
        self.message_asked.emit(self.person_id)

    def copy_card(self) -> None:
        """Puts what the card shows on the clipboard."""
        person = self._person
        if person is None:
            return
        mobile = None if "mobile" in person.hidden else person.mobile
        parts = [person.name, *self._identity_texts(), person.office_phone, mobile, person.email, person.room]
        clipboard_text("\n".join(part for part in parts if part))
        self.copied.emit(person.name)
