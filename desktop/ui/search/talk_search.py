"""Search inside the open conversation (Ctrl+F): words, who, what kind, when; hits at the right, a click leads to the place. Local first, then the server."""

import asyncio
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from desktop.core.domain import ConnectionState, Conversation, Person
from desktop.core.domain.search import Found, FoundKind, FoundPart, SearchQuery
from desktop.core.errors import Offline, Rejected
from desktop.models.search import Row
from desktop.models.search_filters import Filters
from desktop.models.search_verbs import TalkSearchSession
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr, when
from desktop.ui.kit import Divider, ElidedLabel, EmptyState, IconButton, Label, ListPane, SearchBox, on_click
from desktop.ui.search.filter_row import FilterRow
from desktop.ui.search.result_rows import ResultDelegate, SpokenResults
from desktop.ui.tasks import TaskOwner

WIDTH: Final = 320
LEAST: Final = 180
TYPING_MS: Final = 60
REMOTE_S: Final = 0.3
PAGE: Final = 100


class TalkSearch(QWidget):
    """The pane. `found` carries message id and place; `closed` when the user is done."""

    found = Signal(str, int)
    closed = Signal()

    def __init__(self, session: TalkSearchSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.tasks = TaskOwner(self)
        self.conversation: Conversation | None = None
        self._limit = PAGE
        self._more = False
        self.setObjectName("talkSearch")
        self._build_ui()
        self._bind()

    def _build_ui(self) -> None:
        self.setProperty("surface", "pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        i18n.bind(self.setAccessibleName, "search.talk.name")
        title = ElidedLabel(key="search.talk.name", role="header", strong=True)
        self.close_button = IconButton("x", "search.talk.close", size=16, box=28, parent=self)
        self.input = SearchBox("search.talk.placeholder", parent=self)
        self.input.setObjectName("talkSearch.input")
        self.filters = FilterRow(conversations=False, parent=self)
        self.status = Label(role="secondary", tone="ink3", wrap=True)
        self.status.setObjectName("talkSearch.status")
        self.model = SpokenResults(self)
        self.list = ListPane("search.results", parent=self)
        self.list.setObjectName("talkSearch.results")
        self.list.setUniformItemSizes(False)
        self.list.setItemDelegate(ResultDelegate(self.list, inside=True))
        self.list.setModel(self.model)
        self.empty = EmptyState("magnifying-glass", "search.talk.begin", hint_key="search.talk.hint", parent=self)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(self.list)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(title, 1)
        head.addWidget(self.close_button)
        fields = QVBoxLayout()
        fields.setContentsMargins(14, 12, 10, 6)
        fields.setSpacing(8)
        fields.addLayout(head)
        fields.addWidget(self.input)
        fields.addWidget(self.filters)
        fields.addWidget(self.status)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addLayout(fields)
        column.addLayout(self._stack, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(Divider(vertical=True))
        layout.addLayout(column, 1)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._fit()

    def _fit(self) -> None:
        self.setMinimumWidth(theme.scaled(LEAST))
        self.setMaximumWidth(theme.scaled(WIDTH))

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(WIDTH), theme.scaled(WIDTH))

    def _bind(self) -> None:
        self._typing = QTimer(self, singleShot=True, interval=TYPING_MS)
        self._typing.timeout.connect(self._ask_anew)
        self.input.installEventFilter(self)
        self.input.searched.connect(lambda _text: self._typing.start())
        self.filters.changed.connect(self._ask_anew)
        self.list.chosen.connect(self._on_chosen)
        self.list.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        on_click(self.close_button, self.close_search)
        theme.changed.connect(self._fit)
        i18n.changed.connect(self._ask)

    # ---- opening and turning
    def open_search(self, conversation: Conversation, people: list[Person]) -> None:
        """Shows the pane for a conversation; `people`: who may have written in it."""
        self.turn_to(conversation, people)
        self.show()
        self.input.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.input.selectAll()

    def turn_to(self, conversation: Conversation, people: list[Person]) -> None:
        """Another conversation is open: nothing of the old one is left."""
        self.filters.set_names(people)
        if self.conversation is not None and self.conversation.id == conversation.id:
            return
        self.conversation = conversation
        self.filters.set_filters(Filters())
        self.input.clear()
        self._ask_anew()

    @property
    def answered(self) -> bool:
        """Nothing is under way: what is shown is what was found."""
        return not (self._typing.isActive() or self.tasks.running("search"))

    def close_search(self) -> None:
        """The user is done."""
        self.stop()
        self.hide()
        self.closed.emit()

    def stop(self) -> None:
        """Ends what is under way."""
        self._typing.stop()
        self.tasks.cancel_all()

    # ---- asking
    def _ask_anew(self) -> None:
        self._limit = PAGE
        self._ask()

    def _ask(self) -> None:
        if self.conversation is None:
            return
        query = self.filters.filters.query(self.input.text(), when.now())
        query = SearchQuery(query.text, query.person_id, self.conversation.id, query.facet, query.since, query.until)
        asked = bool(query.text or not self.filters.filters.empty)
        if not asked:
            self.tasks.cancel("search")
            self.model.clear()
            self.empty.show_text("magnifying-glass", "search.talk.begin", hint_key="search.talk.hint")
            self._stack.setCurrentWidget(self.empty)
            self.status.setText("")
            return
        self.model.begin()
        self.tasks.start(self._run(query), name="search", exclusive=True)

    async def _run(self, query: SearchQuery) -> None:
        search = self._session.search
        part = await search.messages(query, self._limit)
        if query.facet is None:
            part = _joined(part, await search.files(query, self._limit), self._limit)
        self._more = part.total > len(part.items) or part.more
        self.model.set_tab(FoundKind.MESSAGE.value)
        self.model.put(part)
        self.model.settle()
        live = self._session.status.state is ConnectionState.LIVE
        self._show(part, "search.asking" if live else "search.offline")
        if not live:
            return
        await asyncio.sleep(REMOTE_S)  # who types on cancels this
        try:
            beyond = await search.remote_messages(query, PAGE)
        except (Offline, Rejected):
            self._show(part, "search.no_answer")
            return
        self.model.append(beyond)
        self._show(part, "")

    def _show(self, part: FoundPart, note: str) -> None:
        total, more = self.model.totals.get(FoundKind.MESSAGE.value, (part.total, part.more))
        said = tr("search.talk.found", n=f"{total}+" if more else str(total)) if total else ""
        self.status.setText(" ・ ".join(one for one in (said, tr(note) if note else "") if one))
        self.input.setAccessibleDescription(self.status.text())
        if self.model.rowCount():
            self._stack.setCurrentWidget(self.list)
            return
        live = self._session.status.state is ConnectionState.LIVE
        hint = "search.nothing_hint" if live else "search.nothing_offline"
        self.empty.show_text("magnifying-glass", "search.nothing", hint_key=hint)
        self._stack.setCurrentWidget(self.empty)

    def _on_scrolled(self, value: int) -> None:
        """More of them, when the end comes near."""
        bar = self.list.verticalScrollBar()
        if self._more and value >= bar.maximum() - bar.pageStep() and not self.tasks.running("search"):
            self._limit += PAGE
            self._ask()

    # ---- going there
    def _on_chosen(self, index: QModelIndex) -> None:
        row: Row | None = self.model.row(index.row())
        found: Found | None = None if row is None else row.found
        if found is not None and found.message is not None:
            self.found.emit(found.id, found.message.seq)

    def _step(self, by: int) -> None:
        number = self.model.step(self.list.currentIndex().row(), by)
        if number >= 0:
            self.list.setCurrentIndex(self.model.index(number, 0))

    # ---- Qt
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is not self.input or event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        match event.key():
            case Qt.Key.Key_Down | Qt.Key.Key_Up:
                self._step(1 if event.key() == Qt.Key.Key_Down else -1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self._on_chosen(self.list.currentIndex())
            case _:
                return False
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_search()
        else:
            super().keyPressEvent(event)


def _joined(one: FoundPart, other: FoundPart, limit: int) -> FoundPart:
    """Messages and files in one list, the newest first."""
    items = sorted((*one.items, *other.items), key=lambda found: -found.at)[:limit]
    return FoundPart(FoundKind.MESSAGE, tuple(items), one.total + other.total, one.more or other.more)
