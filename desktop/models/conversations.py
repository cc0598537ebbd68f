"""The list of conversations as rows: pinned first, then newest. Changes arrive as row moves and updates, never as a reset."""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from desktop.core.domain import Conversation, ConversationKind
from desktop.models.people import People

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()


class ConversationRole(IntEnum):
    """Roles beyond Qt's own."""

    CONVERSATION = Qt.ItemDataRole.UserRole + 1
    ID = Qt.ItemDataRole.UserRole + 2


def unread_of(conversation: Conversation) -> int:
    """What the badge shows: unread messages; one for a conversation that was marked as unread by hand."""
    return conversation.unread_count or int(conversation.marked_unread)


class ConversationList(QAbstractListModel):
    """Rows of conversations, narrowed by a text that matches names, pinyin and initials."""

    def __init__(self, people: People, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._people = people
        self._all: list[Conversation] = []
        self._rows: list[Conversation] = []
        self._filter = ""
        self._folder: str | None = None
        people.changed.connect(self._on_people)

    # ---- reading
    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        conversation = self._rows[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                return self.shown_name(conversation)
            case ConversationRole.CONVERSATION:
                return conversation
            case ConversationRole.ID:
                return conversation.id
            case _:
                return None

    def shown_name(self, conversation: Conversation) -> str:
        """The name users see; a screen with translated names overrides it."""
        return conversation.name

    def at(self, row: int) -> Conversation:
        """The conversation of a row."""
        return self._rows[row]

    def find(self, conversation_id: str) -> Conversation | None:
        """A conversation by id, filtered out or not."""
        return next((c for c in self._all if c.id == conversation_id), None)

    def row_of(self, conversation_id: str) -> int:
        """The row of a conversation, -1 when it is not shown."""
        return next((row for row, c in enumerate(self._rows) if c.id == conversation_id), -1)

    @property
    def unread_total(self) -> int:
        """Unread messages over all conversations that are not muted."""
        return sum(unread_of(c) for c in self._all if not c.muted)

    @property
    def is_filtered(self) -> bool:
        """Whether a filter narrows the rows."""
        return bool(self._filter)

    # ---- changing
    def set_conversations(self, conversations: Iterable[Conversation]) -> None:
        """Takes the list as the store has it now."""
        self._all = list(conversations)
        self._refresh()

    @property
    def folders(self) -> list[str]:
        """The folders conversations are in, by name."""
        return sorted({c.folder for c in self._all if c.folder})

    def set_folder(self, folder: str | None) -> None:
        """Narrows the rows to one folder; None: all conversations."""
        self._folder = folder
        self._refresh()

    def set_filter(self, text: str) -> None:
        """Narrows the rows."""
        self._filter = text.strip().lower()
        self._refresh()

    def _on_people(self) -> None:
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def _matches(self, conversation: Conversation) -> bool:
        if not self._filter or self._filter in self.shown_name(conversation).lower():
            return True
        peer = self._people.person(conversation.peer_id) if conversation.kind is ConversationKind.DIRECT else None
        return peer is not None and (peer.pinyin.startswith(self._filter) or peer.initials.startswith(self._filter))

    def _refresh(self) -> None:
        wanted = [c for c in self._all if self._folder in (None, c.folder) and self._matches(c)]
        if not self._rows and wanted:
            self.beginInsertRows(_ROOT, 0, len(wanted) - 1)
            self._rows = wanted
            self.endInsertRows()
            return
        self._drop_missing({c.id for c in wanted})
        for row, conversation in enumerate(wanted):
            self._put(row, conversation)

    def _drop_missing(self, wanted: set[str]) -> None:
        for row in range(len(self._rows) - 1, -1, -1):
            if self._rows[row].id not in wanted:
                self.beginRemoveRows(_ROOT, row, row)
                del self._rows[row]
                self.endRemoveRows()

    def _put(self, row: int, conversation: Conversation) -> None:
        """Makes `row` show `conversation`; rows above are right already."""
        found = next((i for i in range(row, len(self._rows)) if self._rows[i].id == conversation.id), -1)
        if found < 0:
            self.beginInsertRows(_ROOT, row, row)
            self._rows.insert(row, conversation)
            self.endInsertRows()
            return
        if found != row:
            self.beginMoveRows(_ROOT, found, found, _ROOT, row)
            self._rows.insert(row, self._rows.pop(found))
            self.endMoveRows()
        if self._rows[row] != conversation:
            self._rows[row] = conversation
            self.dataChanged.emit(self.index(row), self.index(row))
