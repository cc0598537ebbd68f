"""Picks the conversation that a record is sent to as a card."""

from __future__ import annotations

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QVBoxLayout, QWidget

from desktop.core.domain import Conversation, ConversationKind
from desktop.core.domain.records import Record
from desktop.core.errors import AppError
from desktop.ui import theme
from desktop.ui.i18n import error_text, tr
from desktop.ui.kit import (
    IconButton,
    Label,
    ListPane,
    PaneHeader,
    RowDelegate,
    SearchBox,
    conversation_icon,
    conversation_name,
    draw_elided,
    on_click,
    paint_avatar,
)
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

Index = QModelIndex | QPersistentModelIndex
NO_INDEX = QModelIndex()
AVATAR_SIDE = 30


class _Conversations(QAbstractListModel):
    """The conversations found."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[Conversation] = []

    def show_rows(self, rows: list[Conversation]) -> None:
        """Other ones: what was typed changed."""
        self.beginResetModel()  # a new search, nothing of the old one is kept
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = NO_INDEX) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole) and index.row() < len(self.rows):
            return conversation_name(self.rows[index.row()])
        return None


class _Delegate(RowDelegate):
    height = 44

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, _Conversations)
        conversation = model.rows[index.row()]
        side = theme.scaled(AVATAR_SIDE)
        place = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        name = conversation_name(conversation)
        paint_avatar(painter, place, name, conversation.id, icon=conversation_icon(conversation))
        draw_elided(painter, rect.adjusted(side + 10, 0, 0, 0), name, theme.font("base"), theme.tokens().ink)


class SharePane(QWidget):
    """The picker. `sent` carries the conversation's name; `closed` when the user goes back."""

    sent = Signal(str)
    closed = Signal()

    def __init__(self, context: ViewContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sharePane")
        self.context = context
        self.tasks = TaskOwner(self)
        self._record: Record | None = None
        self._all: list[Conversation] = []
        header = PaneHeader(key="office_record.share")
        back = IconButton("x", "common.dismiss")
        on_click(back, self.closed.emit)
        header.add_action(back)
        self.search = SearchBox("office_record.find_conversation")
        self.problem = Label(role="secondary", tone="red_text", wrap=True)
        self.problem.hide()
        self.model = _Conversations(self)
        self.list = ListPane("office_record.share")
        self.list.setObjectName("shareList")
        self.list.setProperty("look", "")
        self.list.setModel(self.model)
        self.list.setItemDelegate(_Delegate(self.list))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(header)
        inner = QVBoxLayout()
        inner.setContentsMargins(14, 10, 14, 10)
        inner.addWidget(self.search)
        inner.addWidget(self.problem)
        column.addLayout(inner)
        column.addWidget(self.list, 1)
        self.search.searched.connect(self._narrow)
        self.list.chosen.connect(self._on_chosen)

    def show_record(self, record: Record) -> None:
        """Asks where this record is to go."""
        self._record = record
        self.search.clear()
        self.problem.hide()
        self.search.setFocus(Qt.FocusReason.OtherFocusReason)
        self.tasks.start(self._load(), name="load", exclusive=True)

    async def _load(self) -> None:
        try:
            found = await self.context.session.chat.conversations()
        except AppError as error:
            if alive(self):
                self._say(error_text(error))
            return
        if alive(self):
            self._all = [one for one in found if one.kind is not ConversationKind.SYSTEM]
            self._narrow(self.search.text())

    def _narrow(self, text: str) -> None:
        needle = text.strip().casefold()
        self.model.show_rows([one for one in self._all if needle in conversation_name(one).casefold()])
        if self.model.rows:
            self.list.setCurrentIndex(self.model.index(0))

    def _on_chosen(self, index: QModelIndex) -> None:
        if self._record is not None and 0 <= index.row() < len(self.model.rows):
            work = self._send(self.model.rows[index.row()], self._record)
            self.tasks.start(work, name="send", exclusive=True)

    async def _send(self, conversation: Conversation, record: Record) -> None:
        try:
            await self.context.records.send_card(conversation.id, record)
        except AppError as error:
            if alive(self):
                self._say(error_text(error))
            return
        if alive(self):
            self.sent.emit(conversation_name(conversation))

    def _say(self, text: str) -> None:
        self.problem.setText(text)
        self.problem.show()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        match event.key():
            case Qt.Key.Key_Escape:
                self.closed.emit()
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._on_chosen(self.list.currentIndex())
            case Qt.Key.Key_Down if self.search.hasFocus():
                self.list.setFocus(Qt.FocusReason.OtherFocusReason)
            case _:
                super().keyPressEvent(event)


def sent_text(name: str) -> str:
    """What is said after a record went to a conversation."""
    return tr("office_record.sent_to", name=name)
