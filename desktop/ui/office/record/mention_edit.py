"""A text in which "@" offers the readers of a record: a name chosen becomes a mention."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QTextCursor
from PySide6.QtWidgets import QWidget

from desktop.core.domain import Person
from desktop.ui.kit.hit_list import Hit, HitList
from desktop.ui.office.record.pick_editors import person_matches
from desktop.ui.office.record.text_editors import GrowingText

_TYPED = re.compile(r"@([^\s@]{0,20})$")


class MentionEdit(GrowingText):
    """The text. `sent` on Ctrl+Enter."""

    sent = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__((2, 8), parent)
        self._people: tuple[Person, ...] = ()
        self.list = HitList(self)
        self.list.picked.connect(self._on_picked)
        self.textChanged.connect(self._offer)

    def set_people(self, people: Sequence[Person]) -> None:
        """Who can be mentioned."""
        self._people = tuple(people)

    def mentions(self) -> tuple[str, ...]:
        """The ids of those whose "@name" stands in the text."""
        text = self.toPlainText()
        return tuple(person.id for person in self._people if _mentions(text, person.name))

    def _needle(self) -> str | None:
        cursor = self.textCursor()
        found = _TYPED.search(cursor.block().text()[: cursor.positionInBlock()])
        return found[1].casefold() if found else None

    def _offer(self) -> None:
        needle = self._needle()
        if needle is None or not self.hasFocus():
            self.list.hide()
            return
        fitting = [person for person in self._people if person_matches(person, needle)]
        self.list.show_hits([Hit(person.id, person.name) for person in fitting], self.cursorRect())

    def _on_picked(self, hit: Hit) -> None:
        needle = self._needle()
        if needle is None:
            return
        cursor = self.textCursor()
        cursor.movePosition(QTextCursor.MoveOperation.Left, QTextCursor.MoveMode.KeepAnchor, len(needle))
        cursor.insertText(f"{hit.name} ")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Tab and self.list.isVisible():
            self.list.take(self.list.currentIndex())
            return
        if self.list.handles(event):
            return
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.sent.emit()
            return
        super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.list.hide()
        super().focusOutEvent(event)


def _mentions(text: str, name: str) -> bool:
    """Whether "@name" stands there as a word of its own: "@林远征" does not mean 林远."""  # not a text
    return re.search(f"@{re.escape(name)}(?![\\w])", text) is not None
