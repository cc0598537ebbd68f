"""A window onto one conversation: a bounded, contiguous run of messages that is paged both ways. Pending ones stand last.

The view above lays out only what is in sight; this model holds at most `MAX_HELD` messages, however long the history is.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from desktop.core.domain import Message, MessagePage
from desktop.models.verbs import ChatVerbs

Index = QModelIndex | QPersistentModelIndex
_ROOT = QModelIndex()
PAGE = 60
MAX_HELD = 480


class MessageRole(IntEnum):
    """Roles beyond Qt's own."""

    MESSAGE = Qt.ItemDataRole.UserRole + 1


class MessageWindow(QAbstractListModel):
    """Holds the run; `opened` follows each jump, when nothing of what was held is left."""

    opened = Signal()
    fell_behind = Signal()  # newer messages came than the run can join: only a jump leads there

    def __init__(self, chat: ChatVerbs, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._chat = chat
        self._messages: list[Message] = []
        self._rows: dict[str, int] = {}
        self._jumps = 0
        self._loading: set[str] = set()
        self.conversation_id = ""
        self.has_older = False
        self.has_newer = False
        self.arriving = False  # what is inserted now is new, not a page of history

    # ---- reading
    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._messages)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._messages):
            return None
        message = self._messages[index.row()]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return message.text
            case MessageRole.MESSAGE:
                return message
            case _:
                return None

    def __len__(self) -> int:
        return len(self._messages)

    def at(self, row: int) -> Message:
        """The message of a row."""
        return self._messages[row]

    @property
    def held(self) -> list[Message]:
        """All held messages, oldest first."""
        return list(self._messages)

    def row_of(self, message_id: str) -> int:
        """The row of a message, -1 when it is not held."""
        return self._rows.get(message_id, -1)

    def row_of_seq(self, seq: int) -> int:
        """The row of a place in the conversation, -1 when it is not held."""
        first = self.first_seq
        row = seq - first if first else -1
        if 0 <= row < len(self._messages) and self._messages[row].seq == seq:
            return row
        return next((i for i, m in enumerate(self._messages) if m.seq >= seq), -1) if first and seq >= first else -1

    @property
    def first_seq(self) -> int:
        """Place of the oldest held message, 0 when none has one."""
        return self._messages[0].seq if self._messages else 0

    @property
    def last_seq(self) -> int:
        """Place of the newest held message that has one."""
        return next((m.seq for m in reversed(self._messages) if m.seq), 0)

    # ---- paging
    async def open(self, conversation_id: str, around: int | None = None) -> None:
        """Shows another conversation, or another place of this one; no place means the newest end."""
        self._jumps += 1
        jump = self._jumps
        place = {} if around is None else {"around": around}
        page = await self._chat.window(conversation_id, **place, limit=PAGE)
        if jump == self._jumps:
            self._jumps += 1  # pages asked for beside the place before do not belong beside this one
            self._show(conversation_id, page)

    def clear(self) -> None:
        """Shows nothing; what is under way is dropped."""
        self._jumps += 1
        self._show("", MessagePage(()))

    def _show(self, conversation_id: str, page: MessagePage) -> None:
        # A reset, not a diff: another conversation, or a place that shares no row with what was held.
        self.beginResetModel()
        self.conversation_id = conversation_id
        self._messages = list(page.messages)
        self._index()
        self.has_older, self.has_newer = page.has_older, page.has_newer
        self.endResetModel()
        self.opened.emit()

    async def load_older(self) -> None:
        """Joins one page before; drops the newest beyond the bound."""
        if not self.has_older or "older" in self._loading or not self.first_seq:
            return
        jump = self._jumps
        self._loading.add("older")
        try:
            page = await self._chat.older(self.conversation_id, self.first_seq, PAGE)
        finally:
            self._loading.discard("older")
        if jump != self._jumps:
            return
        self.has_older = page.has_older
        fresh = [m for m in page.messages if m.seq and m.seq < self.first_seq]
        self._insert(0, fresh)
        if len(self._messages) > MAX_HELD:
            self._remove(MAX_HELD, len(self._messages) - MAX_HELD)
            self.has_newer = True

    async def load_newer(self) -> None:
        """Joins one page after; drops the oldest beyond the bound."""
        if not self.has_newer or "newer" in self._loading:
            return
        jump = self._jumps
        self._loading.add("newer")
        try:
            page = await self._chat.newer(self.conversation_id, self.last_seq, PAGE)
        finally:
            self._loading.discard("newer")
        if jump != self._jumps:
            return
        self.has_newer = page.has_newer
        held = self.last_seq
        self._insert(len(self._messages), [m for m in page.messages if not m.seq or m.seq > held])
        self._bound_oldest()

    async def refresh(self) -> None:
        """Takes what changed at the newest end: arrivals, deliveries, refusals."""
        if not self.conversation_id or self.has_newer:
            return
        jump = self._jumps
        page = await self._chat.window(self.conversation_id, limit=PAGE)
        if jump == self._jumps and not self.has_newer:
            self.arriving = True
            try:
                self._merge(page)
            finally:
                self.arriving = False

    async def take_changes(self, message_ids: Iterable[str]) -> None:
        """Takes what these messages say now, wherever in the run they stand: edits, recalls, reactions, votes."""
        held = [key for key in message_ids if (row := self.row_of(key)) >= 0 and self._messages[row].seq]
        if not held:
            return
        jump = self._jumps
        found = await self._chat.messages(held)
        if jump == self._jumps:
            for message in found:
                self._change(message)

    def _change(self, message: Message) -> None:
        row = self.row_of(message.id)
        if row < 0 or self._messages[row] == message or self._messages[row].seq != message.seq:
            return
        self._messages[row] = message
        place = self.index(row)
        self.dataChanged.emit(place, place)

    def drop(self, message_ids: tuple[str, ...]) -> None:
        """Removes messages that are gone."""
        for message_id in message_ids:
            row = self.row_of(message_id)
            if row >= 0:
                self._remove(row, 1)

    # ---- keeping the run
    def _merge(self, page: MessagePage) -> None:
        first = next((m.seq for m in page.messages if m.seq), 0)
        held = self.last_seq
        if first and held and first > held + 1 and page.has_older:
            self.has_newer = True
            pending = next((i for i, m in enumerate(self._messages) if not m.seq), len(self._messages))
            self._remove(pending, len(self._messages) - pending)
            self.fell_behind.emit()
            return
        start = next((i for i, m in enumerate(self._messages) if not m.seq or m.seq >= first), len(self._messages))
        self._replace_tail(start if first else 0, list(page.messages))
        if not self.first_seq or first == self.first_seq:
            self.has_older = page.has_older
        self._bound_oldest()

    def _replace_tail(self, start: int, fresh: list[Message]) -> None:
        """Makes the rows from `start` on equal to `fresh` with the least rows touched."""
        old = self._messages[start:]
        same = 0
        while same < min(len(old), len(fresh)) and old[same].id == fresh[same].id:
            if old[same] != fresh[same]:
                self._messages[start + same] = fresh[same]
                place = self.index(start + same)
                self.dataChanged.emit(place, place)
            same += 1
        self._remove(start + same, len(old) - same)
        self._insert(start + same, fresh[same:])

    def _bound_oldest(self) -> None:
        surplus = len(self._messages) - MAX_HELD
        if surplus > 0:
            self._remove(0, surplus)
            self.has_older = True

    def _insert(self, row: int, fresh: list[Message]) -> None:
        if not fresh:
            return
        self.beginInsertRows(_ROOT, row, row + len(fresh) - 1)
        self._messages[row:row] = fresh
        self._index()
        self.endInsertRows()

    def _remove(self, row: int, count: int) -> None:
        if count <= 0:
            return
        self.beginRemoveRows(_ROOT, row, row + count - 1)
        del self._messages[row : row + count]
        self._index()
        self.endRemoveRows()

    def _index(self) -> None:
        self._rows = {m.id: row for row, m in enumerate(self._messages)}
