"""Who is in a group: faces, posts, presence. A click shows the contact card."""

from PySide6.QtCore import QModelIndex, QRect, QRectF, QStringListModel, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from desktop.core.domain import Member
from desktop.models.people import People
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Dialog, Label, ListPane, RowDelegate, SearchBox, draw_elided, paint_avatar, person_tip
from desktop.ui.kit.panes import Index


class PersonDelegate(RowDelegate):
    """Rows of people: face with presence, name, post."""

    height = 44

    def __init__(self, people: People, ids: list[str], parent: QWidget) -> None:
        super().__init__(parent)
        self._people, self.ids = people, ids

    def tip(self, index: Index) -> str:
        who = self.ids[index.row()]
        return person_tip(self._people.name(who), self._people.presence(who), self._people.presence_text(who))

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        who = self.ids[index.row()]
        side = theme.scaled(30)
        face = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        name = self._people.name(who) or tr("common.unknown_person")
        paint_avatar(painter, face, name, who, presence=self._people.presence(who))
        text = rect.adjusted(side + 10, 0, 0, 0)
        used = draw_elided(painter, text, name, theme.font("base"), theme.tokens().ink)
        rest = text.adjusted(used + 8, 0, 0, 0)
        draw_elided(painter, rest, self._people.post(who), theme.font("secondary"), theme.tokens().ink3)


class MembersDialog(Dialog):
    """The list with a filter; `picked` names the person."""

    picked = Signal(str)

    def __init__(self, parent: QWidget, people: People, members: list[Member]) -> None:
        super().__init__(parent, "chat.header.members_action", width=340)
        self._people = people
        self._all = [m.person_id for m in members]
        self.search = SearchBox("common.search")
        self.list = ListPane("chat.header.members_action")
        self.list.setProperty("look", "")
        self.list.setMinimumHeight(theme.scaled(320))
        self._model = QStringListModel(self)
        self._delegate = PersonDelegate(people, self._all, self.list)
        self.list.setItemDelegate(self._delegate)
        self.list.setModel(self._model)
        self.body.addWidget(Label(tr("chat.members_title", n=len(members)), role="header", strong=True))
        self.body.addWidget(self.search)
        self.body.addWidget(self.list, 1)
        self.add_button("common.close", accept=False)
        self.search.searched.connect(self._filter)
        self.list.chosen.connect(self._on_chosen)
        self._filter("")

    def _filter(self, text: str) -> None:
        needle = text.lower()
        self._delegate.ids = [who for who in self._all if self._fits(who, needle)]
        self._model.setStringList([self._people.name(who) for who in self._delegate.ids])

    def _fits(self, who: str, needle: str) -> bool:
        person = self._people.person(who)
        if not needle or person is None:
            return not needle
        return needle in person.name or person.pinyin.startswith(needle) or person.initials.startswith(needle)

    def _on_chosen(self, index: QModelIndex) -> None:
        who = self._delegate.ids[index.row()]
        self.accept()
        self.picked.emit(who)
