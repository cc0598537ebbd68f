"""The people of a department or of a search, one painted row each: avatar with presence, name, post, what they are doing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.core.domain import Person, Presence
from desktop.models.contacts import PeopleModel, PersonRole
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import ListPane, RowDelegate, draw_elided, paint_avatar, paint_presence, person_tip

Index = QModelIndex | QPersistentModelIndex


class PersonDelegate(RowDelegate):
    """A person's row; `show_place` puts the department into the second line."""

    height = 56
    show_place = False

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.says: Callable[[str], str] = lambda _person_id: ""

    def tip(self, index: Index) -> str:
        if index.data(PersonRole.IS_CONTACT):
            return ""
        person: Person = index.data(PersonRole.PERSON)
        return person_tip(person.name, Presence(index.data(PersonRole.PRESENCE)), self.says(person.id))

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        colors = theme.tokens()
        person: Person = index.data(PersonRole.PERSON)
        presence = Presence(index.data(PersonRole.PRESENCE))  # a QVariant makes a plain str of it
        side = theme.scaled(theme.values.AVATAR)
        disc = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        paint_avatar(painter, disc, person.name, person.id)
        is_contact = bool(index.data(PersonRole.IS_CONTACT))
        if not is_contact:
            paint_presence(painter, disc, presence, self.background(option, index) or colors.surface)
        left = rect.left() + side + theme.scaled(10)
        half = rect.height() // 2
        upper = QRect(left, rect.top() + theme.scaled(5), rect.right() - left, half - theme.scaled(4))
        lower = QRect(left, rect.top() + half, rect.right() - left, half - theme.scaled(6))
        width = draw_elided(painter, upper, person.name, theme.font("base"), colors.ink)
        posts = " · ".join(index.data(PersonRole.POSTS))
        if posts:
            beside = upper.adjusted(width + theme.scaled(6), 0, 0, 0)
            draw_elided(painter, beside, posts, theme.font("secondary"), colors.ink3)
        parts = [tr(f"presence.{presence.value}")]
        if is_contact:
            numbers = (person.mobile, person.office_phone, person.email)
            parts = [index.data(PersonRole.PLACE) or next((one for one in numbers if one), "")]
        elif self.show_place:
            parts.insert(0, index.data(PersonRole.PLACE))
        elif person.signature:
            parts.append(person.signature)
        draw_elided(painter, lower, " · ".join(p for p in parts if p), theme.font("secondary"), colors.ink3)


class PeopleList(ListPane):
    """The list. `picked` as the user goes through it, `opened` by double click or Enter."""

    picked = Signal(str)
    opened = Signal(str)
    menu_asked = Signal(str, QPoint)

    def __init__(self, model: PeopleModel, parent: QWidget | None = None) -> None:
        super().__init__("contacts.people", parent=parent)
        self.setObjectName("peopleList")
        self.setProperty("look", "")
        self._model = model
        self._rows = PersonDelegate(self)
        self.setItemDelegate(self._rows)
        self.setModel(model)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)

    def set_presence_texts(self, says: Callable[[str], str]) -> None:
        """Where to ask what somebody says beside his presence: the tooltip of his row."""
        self._rows.says = says

    def set_show_place(self, shown: bool) -> None:
        """Whether rows name the department: yes among search results."""
        self._rows.show_place = shown
        self.viewport().update()

    def select(self, person_id: str) -> bool:
        """Goes to a person of the list; False when not in it."""
        row = self._model.position(person_id)
        if row < 0:
            return False
        self.setCurrentIndex(self._model.index(row))
        self.scrollTo(self._model.index(row))
        return True

    def _on_menu(self, place: QPoint) -> None:
        person = self._model.person(self.indexAt(place).row())
        if person is not None:
            self.menu_asked.emit(person.id, self.viewport().mapToGlobal(place))

    def _on_current(self, index: QModelIndex) -> None:
        person = self._model.person(index.row())
        if person is not None:
            self.picked.emit(person.id)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        person = self._model.person(self.indexAt(event.position().toPoint()).row())
        if person is not None:
            self.opened.emit(person.id)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        person = self._model.person(self.currentIndex().row())
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and person is not None:
            self.opened.emit(person.id)
            return
        super().keyPressEvent(event)
