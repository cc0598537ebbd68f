"""The list of conversations: a filter above, painted rows below. 500 rows cost what is in sight."""

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPoint, QRect, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QMenu, QStackedLayout, QStyle, QStyleOptionViewItem, QVBoxLayout, QWidget

from desktop.core.domain import Conversation, ConversationKind, Delivery, LastMessage
from desktop.core.events import ChangeSet, Event, PresenceChanged
from desktop.models.conversations import ConversationList, ConversationRole, unread_of
from desktop.models.people import People
from desktop.models.verbs import TalkSession
from desktop.ui import theme
from desktop.ui.chat import text as words
from desktop.ui.chat.folder_bar import FolderBar
from desktop.ui.chat.group_looks import GroupLooks
from desktop.ui.chat.summaries import kind_words
from desktop.ui.chat.system_words import event_words, recalled_words
from desktop.ui.i18n import tr, when
from desktop.ui.kit import (
    EmptyState,
    ListPane,
    Menu,
    RowDelegate,
    SearchBox,
    clipboard_text,
    conversation_icon,
    conversation_name,
    draw_elided,
    group_faces,
    paint_avatar,
    paint_badge,
    person_tip,
)
from desktop.ui.kit.panes import Index
from desktop.ui.tasks import TaskOwner
from desktop.ui.theme import icons

REFRESH_MS = 30
FOLDER_LIMIT = 30
MINUTE_MS = 60_000


def title(conversation: Conversation, people: People) -> str:
    """The name in the list: a colleague's with the department."""
    if conversation.kind is ConversationKind.DIRECT:
        department = people.department(conversation.peer_id)
        return f"{conversation.name} ・ {department}" if department else conversation.name
    return conversation_name(conversation)


def preview(conversation: Conversation, people: People, *, open_id: str = "") -> tuple[str, str, str]:
    """The second line: (a mark that stands out, its color token, the rest). The draft of the open conversation stands in its composer."""
    last = conversation.last_message
    body = ""
    if last is not None:
        told = _told(last, people)
        body = told or words.one_line(kind_words(last.kind, last.text) or last.text)
        sender = people.name(last.sender_id)
        others = bool(sender) and last.sender_id != people.me.id and not told
        if conversation.kind is ConversationKind.GROUP and others:
            body = tr("chat.list.says", name=sender, text=body)
    if conversation.mention_count:
        return tr("chat.list.mention"), "red_text", body
    if conversation.draft and conversation.id != open_id:
        return tr("chat.list.draft"), "red_text", words.one_line(conversation.draft)
    if last is not None and last.delivery is Delivery.REFUSED:
        return tr("chat.list.refused"), "red_text", body
    if last is not None and last.delivery is not Delivery.SENT:
        return tr("chat.list.pending"), "ink3", body
    return "", "", body


def _told(last: LastMessage, people: People) -> str:
    """The line of what nobody says: taken back, somebody came…; empty for what is said."""
    if last.recalled_at is not None:
        return recalled_words(last.sender_id, last.recalled_by_id, people)
    return event_words(last.event, people) if last.event is not None else ""


class ConversationDelegate(RowDelegate):
    """A row as in the drawing: face, name, time, last words, badge."""

    def __init__(self, people: People, parent: QWidget) -> None:
        super().__init__(parent)
        self._people = people
        self.open_id = ""
        self.looks: Callable[[Conversation], None] = lambda _group: None  # told which groups come into sight

    def tip(self, index: Index) -> str:
        conversation: Conversation = index.data(ConversationRole.CONVERSATION)
        who = conversation.peer_id
        if not who:
            return ""
        return person_tip(conversation.name, self._people.presence(who), self._people.presence_text(who))

    def background(self, option: QStyleOptionViewItem, index: Index) -> QColor | None:
        fill = super().background(option, index)
        state: QStyle.StateFlag = option.state
        conversation: Conversation = index.data(ConversationRole.CONVERSATION)
        if conversation.pinned and not state & QStyle.StateFlag.State_Selected:
            return fill or theme.tokens().pinned
        return fill

    def paint_row(self, painter: QPainter, rect: QRect, option: QStyleOptionViewItem, index: Index) -> None:
        conversation: Conversation = index.data(ConversationRole.CONVERSATION)
        colors = theme.tokens()
        side = theme.scaled(theme.values.AVATAR_LIST)
        face = QRectF(rect.left(), rect.center().y() - side / 2 + 0.5, side, side)
        self._face(painter, face, conversation, self.background(option, index) or colors.pane)
        text = rect.adjusted(side + 10, theme.scaled(9), 0, -theme.scaled(9))
        upper = QRect(text.left(), text.top(), text.width(), text.height() // 2)
        lower = QRect(text.left(), text.top() + text.height() // 2, text.width(), text.height() // 2)
        self._upper(painter, upper, conversation)
        self._lower(painter, lower, conversation)

    def _face(self, painter: QPainter, face: QRectF, conversation: Conversation, ring: QColor) -> None:
        if conversation.kind is ConversationKind.DIRECT:
            presence = self._people.presence(conversation.peer_id)
            shown = presence if presence.value != "offline" else None
            paint_avatar(painter, face, conversation.name, conversation.peer_id or "", presence=shown, ring=ring)
        else:
            self.looks(conversation)
            icon = conversation_icon(conversation)
            paint_avatar(painter, face, conversation_name(conversation), conversation.id, icon=icon)

    def _upper(self, painter: QPainter, rect: QRect, conversation: Conversation) -> None:
        colors = theme.tokens()
        small = theme.font("small")
        moment = when.short(conversation.updated_at, when.now())
        width = QFontMetrics(small).horizontalAdvance(moment)
        right = QRect(rect.right() - width, rect.top(), width + 1, rect.height())
        draw_elided(painter, right, moment, small, colors.ink3)
        unread = bool(unread_of(conversation))
        name = rect.adjusted(0, 0, -width - 8, 0)
        draw_elided(painter, name, title(conversation, self._people), theme.font("base", bold=unread), colors.ink)

    def _lower(self, painter: QPainter, rect: QRect, conversation: Conversation) -> None:
        colors = theme.tokens()
        right = rect.right() + 1
        unread = unread_of(conversation)
        if unread:
            pill = paint_badge(painter, right, rect.center().y() + 1, unread, quiet=conversation.muted)
            right = int(pill.left()) - 6
        if conversation.muted:
            side = theme.scaled(14)
            icons.paint(
                painter, QRectF(right - side, rect.center().y() - side / 2 + 1, side, side), "bell-slash", colors.faint
            )
            right -= side + 6
        if conversation.pinned:
            side = theme.scaled(12)
            icons.paint(
                painter, QRectF(right - side, rect.center().y() - side / 2 + 1, side, side), "push-pin", colors.faint
            )
            right -= side + 6
        mark, token, body = preview(conversation, self._people, open_id=self.open_id)
        font = theme.font("secondary")
        line = QRect(rect.left(), rect.top(), max(0, right - rect.left()), rect.height())
        if mark:
            used = draw_elided(painter, line, mark, font, colors.named(token))
            line.setLeft(line.left() + used + 4)
        draw_elided(painter, line, body, font, colors.ink3)

    def accessible_text(self, conversation: Conversation) -> str:
        """What a screen reader says of a row."""
        mark, _, body = preview(conversation, self._people, open_id=self.open_id)
        said = {
            "name": title(conversation, self._people),
            "text": f"{mark} {body}".strip(),
            "time": when.short(conversation.updated_at, when.now()),
        }
        if unread_of(conversation):
            return tr("chat.list.row", unread=unread_of(conversation), **said)
        return tr("chat.list.row_read", **said)


class SpokenList(ConversationList):
    """Gives rows their spoken text, here and in the panel; the words belong to the screen, not to the model."""

    def __init__(self, people: People, delegate: ConversationDelegate, parent: QWidget) -> None:
        super().__init__(people, parent)
        self._delegate = delegate

    def shown_name(self, conversation: Conversation) -> str:
        return conversation_name(conversation)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if role == Qt.ItemDataRole.AccessibleTextRole and index.isValid():
            return self._delegate.accessible_text(self.at(index.row()))
        return super().data(index, role)


class ConversationPane(QWidget):
    """The pane at the left of the messages page. `opened` names the conversation the user wants."""

    opened = Signal(str)
    pop_out_asked = Signal(str)  # in a window of its own
    unread_changed = Signal(int)
    loaded = Signal()

    def __init__(self, session: TalkSession, people: People, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._people = session, people
        self.tasks = TaskOwner(self)
        self._current = ""
        self._unread = -1
        self._build_ui()
        self.looks = GroupLooks(session, people, self)
        self.delegate.looks = self.looks.want
        self._bind()

    def _build_ui(self) -> None:
        self.setProperty("surface", "pane")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.search = SearchBox("chat.filter")
        self.list = ListPane("chat.list_name")
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.list.setSelectionMode(QListView.SelectionMode.SingleSelection)
        self.delegate = ConversationDelegate(self._people, self.list)
        self.model = SpokenList(self._people, self.delegate, self)
        self.list.setItemDelegate(self.delegate)
        self.list.setModel(self.model)
        self.empty = EmptyState("chat-circle-dots", "common.loading")
        top = QVBoxLayout()
        top.setContentsMargins(12, 12, 12, 10)
        top.setSpacing(8)
        top.addWidget(self.search)
        self.folders = FolderBar()
        top.addWidget(self.folders)
        self._stack = QStackedLayout()
        self._stack.addWidget(self.list)
        self._stack.addWidget(self.empty)
        self._stack.setCurrentWidget(self.empty)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addLayout(self._stack, 1)

    def _bind(self) -> None:
        self.search.searched.connect(self._on_search)
        group_faces.changed.connect(self._on_face)
        self.folders.chosen.connect(self._on_folder)
        self.search.returnPressed.connect(self._open_first)
        self.list.chosen.connect(self._on_chosen)
        self.list.customContextMenuRequested.connect(self._on_menu)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        self._minute = QTimer(self)  # 10:42 becomes 昨天 without any event
        self._minute.setInterval(MINUTE_MS)
        self._minute.timeout.connect(self.list.viewport().update)
        self._minute.start()

    def _on_face(self, _key: str) -> None:
        self.list.viewport().update()

    # ---- intentions
    def on_event(self, event: Event) -> None:
        """Follows the session's events."""
        match event:
            case ChangeSet(type_name="Conversation" | "Message" | "Person"):
                if not self._soon.isActive():
                    self._soon.start()
            case PresenceChanged():
                self.list.viewport().update()
            case _:
                pass

    def stop_timers(self) -> None:
        """The page is being closed."""
        self._soon.stop()
        self._minute.stop()

    def refresh(self) -> None:
        """Reads the list again."""
        self.tasks.start(self._load(), name="conversations", exclusive=True)

    async def _load(self) -> None:
        conversations = await self._session.chat.conversations()
        self.model.set_conversations(conversations)
        self.folders.show_folders(self.model.folders, conversations)
        if not self.list.hasFocus():  # else the arrow keys are on their way through the list
            self._show_current()
        self._show_state()
        unread = self.model.unread_total
        if unread != self._unread:
            self._unread = unread
            self.unread_changed.emit(unread)
        self.loaded.emit()

    # ---- folders
    def _on_folder(self, folder: str) -> None:
        self.model.set_folder(folder or None)
        self._show_state()
        self._show_current()

    async def _new_folder(self, conversation_id: str) -> None:
        from desktop.ui.chat.ask_text import ask_text

        name = await ask_text(self, "chat_talk.folder.new", limit=FOLDER_LIMIT, lines=1)
        if name:
            await self._session.chat.set_folder(conversation_id, " ".join(name.split()))

    def _add_folders(self, menu: QMenu, conversation: Conversation) -> None:
        inner = Menu(menu)
        inner.setTitle(tr("chat_talk.folder.move"))
        inner.setIcon(icons.icon("folder-simple", "ink2", 16))
        chat, key = self._session.chat, conversation.id
        for name in self.model.folders:
            action = inner.addAction(name)
            action.setCheckable(True)
            action.setChecked(conversation.folder == name)
            action.triggered.connect(lambda _on=False, name=name: self._do(chat.set_folder(key, name)))
        if self.model.folders:
            inner.addSeparator()
        if conversation.folder:
            action = inner.addAction(tr("chat_talk.folder.out"))
            action.triggered.connect(lambda _on=False: self._do(chat.set_folder(key, None)))
        fresh = inner.addAction(icons.icon("folder-simple-plus", "ink2", 16), tr("chat_talk.folder.new"))
        fresh.triggered.connect(lambda _on=False: self._do(self._new_folder(key)))
        menu.addMenu(inner)

    def set_current(self, conversation_id: str) -> None:
        """Marks the conversation that is open."""
        self._current = self.delegate.open_id = conversation_id
        self._show_current()
        self.list.viewport().update()

    def _show_current(self) -> None:
        row = self.model.row_of(self._current)
        index = self.model.index(row) if row >= 0 else QModelIndex()
        if self.list.currentIndex() != index or not self.list.selectionModel().isSelected(index):
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
            self.list.selectionModel().setCurrentIndex(index, flags)

    def _show_state(self) -> None:
        if self.model.rowCount():
            self._stack.setCurrentWidget(self.list)
            return
        if self.model.is_filtered:
            self.empty.show_text("magnifying-glass", "chat.no_match")
        else:
            self.empty.show_text("chat-circle-dots", "chat.no_conversations", hint_key="chat.no_conversations_hint")
        self._stack.setCurrentWidget(self.empty)

    def _on_search(self, text: str) -> None:
        self.model.set_filter(text)
        self._show_state()
        self._show_current()

    def _open_first(self) -> None:
        if self.model.rowCount():
            self.opened.emit(self.model.at(0).id)

    def _on_chosen(self, index: QModelIndex) -> None:
        self.opened.emit(index.data(ConversationRole.ID))

    def _on_menu(self, place: QPoint) -> None:
        index = self.list.indexAt(place)
        if index.isValid():
            conversation: Conversation = index.data(ConversationRole.CONVERSATION)
            self.menu(conversation).popup(self.list.viewport().mapToGlobal(place))

    def menu(self, conversation: Conversation) -> QMenu:
        """What can be done with a conversation."""
        chat, key = self._session.chat, conversation.id
        menu = Menu(self, leaves=True)

        def add(text_key: str, icon: str, start: Callable[[], object]) -> None:
            action = menu.addAction(icons.icon(icon, "ink2", 16), tr(text_key))
            action.triggered.connect(lambda _checked=False: start())

        add("popout.open", "arrow-square-out", lambda: self.pop_out_asked.emit(key))
        menu.addSeparator()
        if conversation.pinned:
            add("chat.menu.unpin", "push-pin-slash", lambda: self._do(chat.set_pinned(key, False)))
        else:
            add("chat.menu.pin", "push-pin", lambda: self._do(chat.set_pinned(key, True)))
        if conversation.muted:
            add("chat.menu.unmute", "bell", lambda: self._do(chat.set_muted(key, False)))
        else:
            add("chat.menu.mute", "bell-slash", lambda: self._do(chat.set_muted(key, True)))
        if conversation.unread_count:
            add("chat.menu.mark_read", "checks", lambda: self._do(chat.mark_read(key, conversation.last_seq)))
        elif conversation.marked_unread:
            add("chat.menu.mark_read", "checks", lambda: self._do(chat.set_marked_unread(key, False)))
        else:
            add("chat_talk.menu.mark_unread", "chat-circle-dots", lambda: self._do(chat.set_marked_unread(key, True)))
        self._add_folders(menu, conversation)
        add("chat_talk.menu.hide", "eye-slash", lambda: self._do(chat.set_hidden(key, True)))
        menu.addSeparator()
        add("chat.menu.copy_name", "copy", lambda: clipboard_text(conversation_name(conversation)))
        return menu

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        self.tasks.start(work, name="conversation-menu")
