"""The messages page: conversations at the left, the open one at the right, a handle between them."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from desktop.core.events import ChangeSet, Event, PresenceChanged
from desktop.models.people import People
from desktop.models.verbs import TalkSession
from desktop.ui import theme
from desktop.ui.chat.conversation_list import ConversationPane
from desktop.ui.i18n import tr
from desktop.ui.kit import EmptyState
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import TaskOwner

if TYPE_CHECKING:
    from desktop.ui.chat.cards import CardSource
    from desktop.ui.chat.pane import ChatPane

LIST_SHARE = 0.4
PANE_MS = 60  # after the list: its first paint does not wait for the pane beside it


class MessagesPage(QWidget):
    """Owns the list and the open conversation, and feeds both the session's events. `badge_changed` is the unread total."""

    badge_changed = Signal(int)
    conversation_shown = Signal(str)

    def __init__(
        self,
        session: TalkSession,
        navigator: Navigator,
        files: FileOpener,
        state: UiState,
        cards: Callable[[], "CardSource"] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._navigator, self._files, self._state = session, navigator, files, state
        self._cards = cards
        self.tasks = TaskOwner(self)
        self.people = People(session.me, self)
        self.people.set_presence(session.presence.everyone(), snapshot=True, texts=session.presence.texts())
        self.list = ConversationPane(session, self.people, self)
        self._pane: ChatPane | None = None
        self._enter_sends = True
        self._wanted = ""
        self._wanted_message = ("", "", 0)  # conversation, message, place
        self._offered = ""  # the conversation about which the server is being asked
        self._wanted_members = ""  # the conversation whose members are to stand beside it
        self._build_ui()
        self._bind()

    def _build_ui(self) -> None:
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(self.list)
        self._no_pane = EmptyState("chat-circle-dots", "chat.pick", hint_key="chat.pick_hint", parent=self)
        self.splitter.addWidget(self._no_pane)
        self.splitter.setStretchFactor(1, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.splitter)
        self._fit()
        self._soon = QTimer(self, singleShot=True, interval=PANE_MS)
        self._soon.timeout.connect(lambda: self.pane)

    @property
    def pane(self) -> "ChatPane":
        """The open conversation. Made when first asked for, at the latest a moment after the list was painted."""
        if self._pane is None:
            from desktop.ui.chat.pane import ChatPane

            self._pane = ChatPane(self._session, self.people, self._navigator, self._files, self._state, self._cards)
            self._pane.composer.set_enter_sends(self._enter_sends)
            self._no_pane.hide()
            self._no_pane.setParent(self)
            self.splitter.addWidget(self._pane)
            self.splitter.setStretchFactor(1, 1)
            self._fit()
            self._no_pane.deleteLater()
        return self._pane

    def set_enter_sends(self, sends: bool) -> None:
        """Whether Enter sends, or Ctrl+Enter."""
        self._enter_sends = sends
        if self._pane is not None:
            self._pane.composer.set_enter_sends(sends)

    def _fit(self) -> None:
        self.list.setMinimumWidth(
            theme.values.LIST_MIN
        )  # not scaled: large text in a small window keeps room for the talk
        self.list.setMaximumWidth(theme.scaled(theme.values.LIST_MAX))
        width = self._state.get("messages.list_width", theme.values.LIST_WIDTH)
        wanted = theme.scaled(width if isinstance(width, int) else theme.values.LIST_WIDTH)
        wanted = min(wanted, max(theme.values.LIST_MIN, round(self.width() * LIST_SHARE)))
        self.splitter.setSizes([wanted, max(1, self.width() - wanted)])

    def _bind(self) -> None:
        self._subscription = ExitStack()
        self._subscription.enter_context(self._session.events.subscribe(self._on_event))
        subscription = self._subscription
        self.destroyed.connect(subscription.close)
        self.list.opened.connect(self.open_conversation)
        self.list.unread_changed.connect(self.badge_changed)
        self.list.loaded.connect(self._on_loaded)
        self.splitter.splitterMoved.connect(self._on_moved)
        theme.changed.connect(self._fit)
        for keys, step in (("Ctrl+PgDown", 1), ("Ctrl+PgUp", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda step=step: self._step(step))
        find = QShortcut(QKeySequence(QKeySequence.StandardKey.Find), self)
        find.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        find.activated.connect(self.find_in_talk)

    # ---- intentions
    def start(self) -> None:
        """Reads what the page shows: the list first, the directory behind it."""
        self.list.refresh()
        self.tasks.start(self._load_people(), name="people", exclusive=True)

    async def _load_people(self) -> None:
        directory = self._session.directory
        departments = await directory.departments()
        self.people.set_directory(await directory.people(), departments)

    def open_conversation(self, conversation_id: str) -> None:
        """Shows a conversation; one that the list does not hold yet is shown when it arrives."""
        found = self.list.model.find(conversation_id)
        self._wanted = "" if found is not None else conversation_id
        self.list.set_current(conversation_id)
        if found is None:
            self.list.refresh()
            return
        self._state.set("messages.open", conversation_id)
        self.pane.show_conversation(found, found.draft)
        self.conversation_shown.emit(conversation_id)
        self._reveal_wanted()

    def open_message(self, conversation_id: str, message_id: str, seq: int) -> None:
        """Shows a message in its conversation, with what stands around it, lit for a moment."""
        self._wanted_message = (conversation_id, message_id, seq)
        if self.shown_conversation == conversation_id:
            self._reveal_wanted()
        else:
            self.open_conversation(conversation_id)

    def open_members(self, conversation_id: str) -> None:
        """Shows a group with its members, and who asks to join, beside it."""
        self._wanted_members = conversation_id
        self.open_conversation(conversation_id)

    def _reveal_wanted(self) -> None:
        members, self._wanted_members = self._wanted_members, ""
        if members and members == self.shown_conversation:
            self.pane.open_panel("members")
        (conversation_id, message_id, seq), self._wanted_message = self._wanted_message, ("", "", 0)
        if conversation_id and conversation_id == self.shown_conversation:
            self.pane.reveal(message_id, seq)

    def find_in_talk(self) -> None:
        """Opens the search inside the conversation that is shown."""
        if self._pane is not None:
            self._pane.find_in_talk()

    def focus_search(self) -> None:
        """Puts the cursor into the filter of the list."""
        self.list.search.setFocus()
        self.list.search.selectAll()

    @property
    def shown_conversation(self) -> str:
        """The id of the conversation that is open, empty when none is."""
        pane = self._pane
        return pane.conversation.id if pane is not None and pane.conversation is not None else ""

    def save_drafts(self) -> None:
        """Hands out what is written but not saved; call before the session ends."""
        if self._pane is not None:
            self._pane.composer.flush_draft()

    def close_page(self) -> None:
        """Ends what the page does; the session ends."""
        self._subscription.close()
        self._soon.stop()
        self.list.stop_timers()
        owners = [self.tasks, self.list.tasks, self.list.looks.tasks]
        if self._pane is not None:
            self._pane.stop_timers()
            owners.append(self._pane.tasks)
            if self._pane.panel is not None:
                owners.append(self._pane.panel.tasks)
        for owner in owners:
            owner.cancel_all()

    def _on_event(self, event: Event) -> None:
        match event:
            case PresenceChanged(presence=presence, snapshot=snapshot, texts=texts):
                self.people.set_presence(presence, snapshot=snapshot, texts=texts)
            case ChangeSet(type_name="Person" | "Department"):
                self.tasks.start(self._load_people(), name="people", exclusive=True)
            case _:
                pass
        self.list.on_event(event)
        if self._pane is not None:
            self._pane.on_event(event)

    def _on_loaded(self) -> None:
        if self._pane is None:
            self._soon.start()
        if self._wanted and self.list.model.find(self._wanted) is not None:
            self.open_conversation(self._wanted)
        elif self._wanted and self._wanted != self._offered:
            self._offered = self._wanted
            self.tasks.start(self._offer_to_join(self._wanted), name=f"join-{self._wanted}")
        elif self.shown_conversation:
            newer = self.list.model.find(self.shown_conversation)
            if newer is not None:
                self.pane.update_conversation(newer)

    async def _offer_to_join(self, conversation_id: str) -> None:
        """A card or a link led to a conversation that is not here: a group to be asked, it may be."""
        from desktop.ui.chat.joining import Joiner

        told = await Joiner(self, self._session.chat).offer(conversation_id)
        self._offered = ""
        if told is None:
            return
        if self._wanted == conversation_id:
            self._wanted = ""  # nobody is thrown into it hours later, when the answer comes
        if told:
            self.pane.snack.say(tr(told))

    def _step(self, step: int) -> None:
        count = self.list.model.rowCount()
        if count:
            row = self.list.model.row_of(self.shown_conversation)
            self.open_conversation(self.list.model.at((row + step) % count).id)

    def _on_moved(self, position: int, _index: int) -> None:
        self._state.set("messages.list_width", round(position / theme.text_scale()))

    # ---- Qt
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()
        self.window().installEventFilter(self)
        if self._pane is not None:
            self._pane.read_marks.window_activated()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.WindowActivate and self._pane is not None:
            self._pane.read_marks.window_activated()
        return False


def create_messages_page(
    session: TalkSession,
    navigator: Navigator,
    files: FileOpener,
    state: UiState,
    cards: Callable[[], "CardSource"] | None = None,
) -> MessagesPage:
    """Makes the page and starts reading."""
    page = MessagesPage(session, navigator, files, state, cards)
    page.start()
    return page
