"""Where to: recent conversations first, colleagues by name, pinyin or initials when something is typed; several may be chosen."""

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QRect, QRectF, QStringListModel, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPen
from PySide6.QtWidgets import QPlainTextEdit, QStyleOptionViewItem, QWidget

from desktop.core.domain import Conversation, ConversationKind, Person
from desktop.models.people import People
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import (
    Dialog,
    Label,
    ListPane,
    RowDelegate,
    SearchBox,
    conversation_name,
    draw_elided,
    finished,
    group_faces,
    paint_avatar,
)
from desktop.ui.kit.panes import Index
from desktop.ui.theme import icons

MOST_TARGETS = 9
RECENT = 60
FOUND_PEOPLE = 40
NOTE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Target:
    """A conversation, or a colleague with whom there may be none yet. `key` is unique among both."""

    key: str
    name: str
    detail: str = ""
    conversation_id: str = ""
    person_id: str = ""


def conversation_target(conversation: Conversation, people: People) -> Target:
    """A conversation that can be written to, as a target."""
    direct = conversation.kind is ConversationKind.DIRECT
    detail = people.post(conversation.peer_id) if direct else tr("chat.header.members", total=conversation.member_count)
    person = conversation.peer_id or "" if direct else ""
    return Target(person or conversation.id, conversation_name(conversation), detail, conversation.id, person)


def person_target(person: Person, people: People) -> Target:
    """A colleague as a target."""
    return Target(person.id, person.name, people.post(person.id), "", person.id)


def fits(person: Person, needle: str) -> bool:
    """Whether what was typed finds a person."""
    return needle in person.name.lower() or person.pinyin.startswith(needle) or person.initials.startswith(needle)


def writable(conversation: Conversation) -> bool:
    """Whether one may write there at all."""
    return conversation.kind is not ConversationKind.SYSTEM and conversation.dissolved_at is None


class TargetPicker(Dialog):
    """Asks where something goes. `chosen` are the targets, in the order they were picked; `note` is a word to go with it."""

    def __init__(
        self,
        parent: QWidget,
        people: People,
        conversations: list[Conversation],
        *,
        title_key: str = "chat_talk.forward.title",
        summary: str = "",
        with_note: bool = True,
        ok_key: str = "chat_talk.forward.send",
    ) -> None:
        super().__init__(parent, title_key, width=400)
        self._people, self._ok_key = people, ok_key
        self._recent = [conversation_target(one, people) for one in conversations if writable(one)][:RECENT]
        self.shown: list[Target] = []
        self.picked: dict[str, Target] = {}
        self.search = SearchBox("chat_talk.forward.search")
        self.list = ListPane("chat_talk.forward.list")
        self.list.setProperty("look", "")
        self.list.setMinimumHeight(theme.scaled(300))
        self._model = QStringListModel(self)
        self.list.setItemDelegate(_Delegate(self))
        self.list.setModel(self._model)
        self._summary = Label(summary, role="secondary", tone="ink2", wrap=True)
        self._summary.setVisible(bool(summary))
        self.note = QPlainTextEdit()
        self.note.setProperty("look", "field")
        self.note.setFixedHeight(theme.scaled(54))
        self.note.setTabChangesFocus(True)
        i18n.bind(self.note.setPlaceholderText, "chat_talk.forward.note")
        i18n.bind(self.note.setAccessibleName, "chat_talk.forward.note")
        self.note.setVisible(with_note)
        self.body.addWidget(Label(key=title_key, role="header", strong=True))
        for part in (self.search, self.list, self._summary, self.note):
            self.body.addWidget(part)
        self.add_button("common.cancel", accept=False)
        self.send = self.add_button("common.ok", kind="primary", accept=True)
        self.search.searched.connect(self.narrow)
        self.search.returnPressed.connect(self._take_first)
        self.list.chosen.connect(self._on_chosen)
        self.narrow("")
        self._show_count()
        self.search.setFocus()

    @property
    def chosen(self) -> list[Target]:
        """Where it goes."""
        return list(self.picked.values())

    @property
    def said(self) -> str:
        """The word that goes with it."""
        return self.note.toPlainText().strip()[:NOTE_LIMIT]

    def narrow(self, text: str) -> None:
        """Narrows the list."""
        needle = text.lower()
        found = [one for one in self._recent if self._matches(one, needle)]
        if needle:
            known = {one.key for one in found} | {self._people.me.id}
            fitting = (person for person in self._people.all() if person.id not in known and fits(person, needle))
            found += [
                person_target(person, self._people) for person, _ in zip(fitting, range(FOUND_PEOPLE), strict=False)
            ]
        self.shown = found
        self._model.setStringList([f"{one.name} {one.detail}" for one in found])
        if found:
            self.list.setCurrentIndex(self._model.index(0))

    def _matches(self, target: Target, needle: str) -> bool:
        if not needle or needle in target.name.lower():
            return True
        person = self._people.person(target.person_id)
        return person is not None and fits(person, needle)

    def toggle(self, row: int) -> None:
        """Takes a target, or puts it back."""
        target = self.shown[row]
        if self.picked.pop(target.key, None) is None and len(self.picked) < MOST_TARGETS:
            self.picked[target.key] = target
        self._show_count()
        self.list.viewport().update()

    def _take_first(self) -> None:
        if self.shown:
            self.toggle(max(0, self.list.currentIndex().row()))
            self.search.selectAll()

    def _on_chosen(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self.shown):
            self.toggle(index.row())

    def _show_count(self) -> None:
        many = len(self.picked)
        self.send.setText(tr(self._ok_key, n=many))
        self.send.setEnabled(bool(many))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.search.hasFocus():
            return  # the field's own Enter takes the first one found
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and self.search.hasFocus():
            self.list.setFocus()
            return
        super().keyPressEvent(event)


class _Delegate(RowDelegate):
    """A check mark, a face, a name, a detail."""

    height = 44

    def __init__(self, picker: TargetPicker) -> None:
        super().__init__(picker.list)
        self._picker = picker

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        if index.row() >= len(self._picker.shown):
            return
        target = self._picker.shown[index.row()]
        colors = theme.tokens()
        side = theme.scaled(18)
        mark = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        picked = target.key in self._picker.picked
        painter.setPen(Qt.PenStyle.NoPen if picked else QPen(colors.line_strong, 1.2))
        painter.setBrush(colors.accent if picked else colors.surface)
        painter.drawEllipse(mark)
        if picked:
            icons.paint(painter, mark.adjusted(4, 4, -4, -4), "check-bold", colors.on_accent)
        face_side = theme.scaled(30)
        face = QRectF(mark.right() + 10, rect.center().y() - face_side / 2 + 0.5, face_side, face_side)
        group = not target.person_id
        paint_avatar(
            painter,
            face,
            target.name,
            target.key,
            icon="users" if group and group_faces.get(target.key) is None else "",
        )
        text = rect.adjusted(side + face_side + 20, 0, 0, 0)
        used = draw_elided(painter, text, target.name, theme.font("base"), colors.ink)
        draw_elided(painter, text.adjusted(used + 8, 0, 0, 0), target.detail, theme.font("secondary"), colors.ink3)


async def ask_targets(
    parent: QWidget,
    people: People,
    conversations: list[Conversation],
    *,
    title_key: str = "chat_talk.forward.title",
    summary: str = "",
    with_note: bool = True,
    ok_key: str = "chat_talk.forward.send",
) -> tuple[list[Target], str]:
    """Opens the picker and waits; no targets when it was given up. The second answer is the word that goes with it."""
    picker = TargetPicker(
        parent, people, conversations, title_key=title_key, summary=summary, with_note=with_note, ok_key=ok_key
    )
    try:
        if await finished(picker):
            return picker.chosen, picker.said
        return [], ""
    finally:
        picker.deleteLater()
