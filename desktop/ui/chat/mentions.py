"""Completion of @names in a group: matches names, pinyin and initials. The editor keeps the focus; this only shows and answers."""

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPoint, QRect, QRectF, QStringListModel, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyleOptionViewItem, QVBoxLayout, QWidget

from desktop.core.domain import Person
from desktop.models.people import People
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import ListPane, RowDelegate, draw_elided, paint_avatar
from desktop.ui.kit.panes import Index

SHOWN = 6
FOUND = 50


@dataclass(frozen=True, slots=True)
class Candidate:
    """Someone who can be mentioned; id `all` is everyone."""

    id: str
    name: str
    post: str = ""


def matches(person: Person, needle: str) -> bool:
    """Whether what was typed after the @ fits a person."""
    return needle in person.name.lower() or person.pinyin.startswith(needle) or person.initials.startswith(needle)


def candidates(people: People, member_ids: list[str], needle: str) -> list[Candidate]:
    """Who fits, in the group's order; everyone comes first while nothing is typed or its word fits."""
    wanted = needle.lower()
    found: list[Candidate] = []
    everyone = tr("chat.everyone")
    if everyone.startswith(needle) or "all".startswith(wanted) or "suoyouren".startswith(wanted):
        found.append(Candidate("all", everyone))
    for member_id in member_ids:
        person = people.person(member_id)
        if person is not None and person.id != people.me.id and matches(person, wanted):
            found.append(Candidate(person.id, person.name, people.post(person.id)))
    return found[:FOUND]


class _Delegate(RowDelegate):
    """A face, a name, a post."""

    height = 36
    padding = 8

    def __init__(self, popup: "MentionPopup") -> None:
        super().__init__(popup)
        self._popup = popup

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        candidate = self._popup.found[index.row()]
        side = theme.scaled(24)
        place = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        paint_avatar(painter, place, candidate.name, candidate.id, icon="at" if candidate.id == "all" else "")
        text = rect.adjusted(side + 8, 0, 0, 0)
        used = draw_elided(painter, text, candidate.name, theme.font("base"), theme.tokens().ink)
        rest = text.adjusted(used + 8, 0, 0, 0)
        draw_elided(painter, rest, candidate.post, theme.font("secondary"), theme.tokens().ink3)


class MentionPopup(QFrame):
    """The list beside the caret."""

    chosen = Signal(object)

    def __init__(self, people: People, parent: QWidget) -> None:
        super().__init__(parent)
        self._people = people
        self.found: list[Candidate] = []
        self.setProperty("surface", "popup")
        self.list = ListPane("chat.compose.mention")
        self.list.setProperty("look", "")
        self._model = QStringListModel(self)
        self.list.setModel(self._model)
        self.list.setItemDelegate(_Delegate(self))
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.list.chosen.connect(self._on_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.list)
        i18n.changed.connect(self.hide)
        self.hide()

    def offer(self, member_ids: list[str], needle: str, caret: QPoint) -> None:
        """Shows who fits above the caret (in the parent's places); hides when nobody does."""
        self.found = candidates(self._people, member_ids, needle)
        if not self.found:
            self.hide()
            return
        self._model.setStringList([c.name for c in self.found])
        self.list.setCurrentIndex(self._model.index(0))
        height = theme.scaled(36) * min(len(self.found), SHOWN) + 10
        self.setFixedSize(theme.scaled(240), height)
        host = self.parentWidget()
        x = min(caret.x(), max(0, (host.width() if host else 0) - self.width() - 8))
        self.move(x, max(0, caret.y() - height - 4))
        self.show()
        self.raise_()

    def move_by(self, step: int) -> None:
        """Moves the choice up or down, around the ends."""
        row = (self.list.currentIndex().row() + step) % len(self.found)
        self.list.setCurrentIndex(self._model.index(row))

    def accept(self) -> None:
        """Takes the choice."""
        self._on_chosen(self.list.currentIndex())

    def _on_chosen(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self.found):
            self.chosen.emit(self.found[index.row()])
