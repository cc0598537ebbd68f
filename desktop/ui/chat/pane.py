"""One open conversation: header, announcement, messages, who is typing, composer. Follows the session's events and pages the history."""

from collections.abc import Callable, Coroutine
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from desktop.core.domain import ConnectionState, Conversation, ConversationKind, Message
from desktop.core.events import (
    ChangeSet,
    Event,
    MessageArrived,
    PresenceChanged,
    StatusChanged,
    TransferProgress,
    TypingSeen,
)
from desktop.models.messages import MessageWindow
from desktop.models.people import People
from desktop.models.verbs import TalkSession
from desktop.ui import i18n
from desktop.ui.chat import text as words
from desktop.ui.chat.cards import CardSource
from desktop.ui.chat.composer import Composer
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.jump_button import JumpButton
from desktop.ui.chat.members import MembersDialog
from desktop.ui.chat.message_actions import MessageActions
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.chat.read_marks import ReadMarks
from desktop.ui.chat.sending import Sender
from desktop.ui.chat.view import MessageView
from desktop.ui.i18n import tr, when
from desktop.ui.kit import (
    ElidedLabel,
    EmptyState,
    IconButton,
    IconLabel,
    Label,
    PaneHeader,
    Snack,
    conversation_name,
    on_click,
)
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import TaskOwner, alive

TYPING_SHOWN_MS = 5000
JUMP_MS = 90


class ChatPane(QWidget):
    """Shows one conversation at a time; `show_conversation` turns to another."""

    turned = Signal(str)

    def __init__(
        self,
        session: TalkSession,
        people: People,
        navigator: Navigator,
        files: FileOpener,
        state: UiState,
        cards: Callable[[], CardSource] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._people, self._navigator = session, people, navigator
        self.tasks = TaskOwner(self)
        self.conversation: Conversation | None = None
        self._jump_to = 0
        self._member_ids: list[str] = []
        self._stale = False
        self._typing: dict[str, int] = {}
        self.window_model = MessageWindow(session.chat, self)
        self.thumbnails = Thumbnails(session.files, self.devicePixelRatioF, self)
        self.context = TalkContext(people, self.thumbnails, self.held, cards, self._on_cards)
        self.context_loaded = False
        self.read_marks = ReadMarks(self, lambda: self.conversation)
        self._build_ui(state)
        self.message_actions = MessageActions(self, self, session, navigator, files)
        self._sender = Sender(self, self, session)
        self._bind()

    # ---- build
    def _build_ui(self, state: UiState) -> None:
        self.setProperty("surface", "bg")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.header = PaneHeader()
        self.members_button = IconButton("users", "chat.header.members_action")
        self.card_button = IconButton("identification-card", "chat.header.card")
        self.header.add_action(self.card_button)
        self.header.add_action(self.members_button)
        self.announcement = QFrame()
        self.announcement.setProperty("surface", "note")
        self.announcement_text = ElidedLabel(role="secondary", tone="amber")
        note = QHBoxLayout(self.announcement)
        note.setContentsMargins(18, 6, 18, 6)
        note.setSpacing(8)
        note.addWidget(IconLabel("push-pin-fill", tone="amber", size=14))
        note.addWidget(self.announcement_text, 1)
        self.view = MessageView(self.window_model, self.context)
        self.jump = JumpButton(self.view)
        self.typing_line = Label(role="secondary", tone="ink3")
        self.typing_line.setContentsMargins(18, 2, 18, 4)
        self.typing_line.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.composer = Composer(self._people, state, self)
        self.read_only = Label(key="chat.compose.read_only", role="secondary", tone="ink3")
        self.read_only.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.read_only.setContentsMargins(18, 12, 18, 14)
        talk = QWidget()
        column = QVBoxLayout(talk)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.header, self.announcement):
            column.addWidget(part)
        column.addWidget(self.view, 1)
        for part in (self.typing_line, self.composer, self.read_only):
            column.addWidget(part)
        self.empty = EmptyState("chat-circle-dots", "chat.pick", hint_key="chat.pick_hint")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._stack.addWidget(talk)
        self._talk = talk
        self.typing_line.hide()
        self.snack = Snack(self)

    def _bind(self) -> None:
        view, composer = self.view, self.composer
        view.older_wanted.connect(lambda: self._page(self.window_model.load_older, "older"))
        view.newer_wanted.connect(lambda: self._page(self.window_model.load_newer, "newer"))
        view.newest_wanted.connect(lambda: self._open_at(None))
        view.jump_wanted.connect(self._on_jump_wanted)
        view.seen.connect(self.read_marks.see)
        self.read_marks.read.connect(self._mark_read)
        view.fresh_changed.connect(self._show_jump)
        view.verticalScrollBar().valueChanged.connect(lambda _value: self._show_jump())
        view.verticalScrollBar().rangeChanged.connect(lambda _low, _high: self._show_jump())
        on_click(self.jump, view.to_newest)
        on_click(self.members_button, lambda: self.tasks.start(self._show_members(), name="members", exclusive=True))
        on_click(self.card_button, self._open_peer)
        composer.complained.connect(self.snack.say)
        self.window_model.fell_behind.connect(self._on_fell_behind)
        self._people.changed.connect(self._on_people)
        i18n.changed.connect(self._show_header)
        self._typing_timer = _single_shot(self, TYPING_SHOWN_MS, self._clear_typing)
        self._jump_timer = _single_shot(self, JUMP_MS, self._jump_now)

    # ---- turning to a conversation
    def show_conversation(self, conversation: Conversation, draft: str) -> None:
        """Opens a conversation where the reader left it: at the first unread message, else at the newest."""
        again = self.conversation is not None and self.conversation.id == conversation.id
        if again:
            self.composer.edit.setFocus()
            self.view.to_newest()
            return
        self.composer.show_conversation(conversation, draft)
        self.conversation = conversation
        self.context.turn_to(conversation)
        self.read_marks.turn_to(conversation)
        self._member_ids = []
        self._clear_typing()
        self.window_model.clear()
        self._show_header()
        self._stack.setCurrentWidget(self._talk)
        self.turned.emit(conversation.id)
        self.tasks.start(self._load(conversation), name="open", exclusive=True)
        if conversation.kind is not ConversationKind.SYSTEM:
            self.composer.edit.setFocus()

    async def _load(self, conversation: Conversation) -> None:
        chat, around = self._session.chat, None
        if conversation.unread_count > 30:
            around = conversation.read_seq + 1
        await self.window_model.open(conversation.id, around)
        self.view.set_last_place(conversation.last_seq)
        if conversation.unread_count:
            self._show_first_unread(conversation)
        if not self.context_loaded:
            self.context_loaded = True
            for transfer in self._session.files.transfers():
                self.context.set_transfer(transfer)
        await self._load_quotes()
        self.context.set_receipts(await chat.receipts(conversation.id))
        members = await chat.members(conversation.id)
        self.composer.set_members([m.person_id for m in members])
        self._show_header([m.person_id for m in members])
        self.view.viewport().update()

    def _show_first_unread(self, conversation: Conversation) -> None:
        """Draws the line before the first message of a colleague that was not read; goes there when it is out of sight."""
        window, me = self.window_model, self._people.me.id
        held = (window.at(row) for row in range(len(window)))
        first = next((m for m in held if m.seq > conversation.read_seq and m.sender_id != me), None)
        if first is None:
            return
        self.context.unread_from = first.seq
        self.view.relayout()
        row = window.row_of(first.id)
        in_sight = [number for number, y, _ in self.view.placed if y >= 0]
        if row >= 0 and in_sight and row < min(in_sight):
            self.view.show_message(self.window_model.at(row).id, at_top=True)

    async def _load_quotes(self) -> None:
        held = [self.window_model.at(row) for row in range(len(self.window_model))]
        missing = self.context.missing_quotes(held)
        for message_id in missing:
            self.context.set_quote(message_id, await self._session.chat.message(message_id))
        if missing:
            self.view.relayout()

    def held(self, message_id: str) -> Message | None:
        """A message of the window, None when it is not held."""
        row = self.window_model.row_of(message_id)
        return self.window_model.at(row) if row >= 0 else None

    def update_conversation(self, conversation: Conversation) -> None:
        """The list has a newer version of the open conversation."""
        if self.conversation is None or self.conversation.id != conversation.id:
            return
        self.conversation = conversation
        self.context.conversation = conversation
        self.view.set_last_place(conversation.last_seq)
        self._show_header()

    def _show_header(self, member_ids: list[str] | None = None) -> None:
        conversation = self.conversation
        if conversation is None:
            return
        group = conversation.kind is ConversationKind.GROUP
        self.header.title.setText(conversation_name(conversation))
        self.header.detail.setText(self._detail(conversation, member_ids))
        self.members_button.setVisible(group)
        self.card_button.setVisible(conversation.kind is ConversationKind.DIRECT)
        self.announcement.setVisible(bool(conversation.announcement))
        if conversation.announcement:
            self.announcement_text.setText(tr("chat.announcement", text=words.one_line(conversation.announcement, 400)))
        writable = conversation.kind is not ConversationKind.SYSTEM
        self.composer.setVisible(writable)
        self.read_only.setVisible(not writable)

    def _detail(self, conversation: Conversation, member_ids: list[str] | None) -> str:
        match conversation.kind:
            case ConversationKind.DIRECT:
                presence = self._people.presence(conversation.peer_id)
                post = self._people.post(conversation.peer_id)
                said = tr(f"presence.{presence.value}")
                return f"{post} ・ {said}" if post else said
            case ConversationKind.GROUP:
                if member_ids is not None:
                    self._member_ids = member_ids
                known = self._member_ids
                total = conversation.member_count or len(known)
                if not known:
                    return tr("chat.header.members", total=total)
                return tr("chat.header.people", total=total, online=self._people.online_of(known))
            case _:
                return ""

    # ---- events
    def on_event(self, event: Event) -> None:
        """Follows the session's events."""
        match event:
            case TransferProgress(transfer=transfer):
                self.context.set_transfer(transfer)
                self.view.viewport().update()
            case StatusChanged(status=status) if status.state is ConnectionState.LIVE:
                self.thumbnails.forget_failures()
                self.view.viewport().update()
            case PresenceChanged():
                self._show_header()
            case _ if self.conversation is not None:
                self._on_talk_event(event, self.conversation.id)
            case _:
                pass

    def _on_talk_event(self, event: Event, conversation_id: str) -> None:
        match event:
            case ChangeSet(type_name="Message", removed=removed, conversations=touched):
                if removed:
                    self.window_model.drop(removed)
                if not touched or conversation_id in touched:
                    self._refresh_soon()
            case ChangeSet(type_name="Receipt", upserts=upserts):
                if any(key.startswith(conversation_id) for key in upserts):
                    self.tasks.start(self._load_receipts(conversation_id), name="receipts", exclusive=True)
            case ChangeSet(type_name="Member", upserts=upserts, removed=removed):
                if any(key.startswith(conversation_id) for key in (*upserts, *removed)):
                    self.tasks.start(self._load_members(conversation_id), name="member-list", exclusive=True)
            case TypingSeen(conversation_id=where, person_id=who) if where == conversation_id:
                self._typing[who] = when.now()
                self._show_typing()
            case MessageArrived(message=message) if message.sender_id in self._typing:
                self._typing.pop(message.sender_id, None)
                self._show_typing()
            case _:
                pass

    async def _load_receipts(self, conversation_id: str) -> None:
        receipts = await self._session.chat.receipts(conversation_id)
        if self.conversation is not None and self.conversation.id == conversation_id:
            self.context.set_receipts(receipts)
            self.view.viewport().update()

    async def _load_members(self, conversation_id: str) -> None:
        members = await self._session.chat.members(conversation_id)
        if self.conversation is not None and self.conversation.id == conversation_id:
            self.composer.set_members([m.person_id for m in members])
            self._show_header([m.person_id for m in members])

    def _on_cards(self) -> None:
        """A record behind a card changed, or its words."""
        if alive(self):
            self.view.viewport().update()

    def _on_people(self, ids: frozenset[str]) -> None:
        if not ids:
            self.view.relayout()
        self._show_header()

    def _show_typing(self) -> None:
        names = [self._people.name(who) for who in self._typing if who != self._people.me.id]
        names = [name for name in names if name]
        self.typing_line.setText(tr("chat.typing", names=when.list_join(names)) if names else "")
        self.typing_line.setVisible(bool(names))
        if names:
            self._typing_timer.start()

    def _clear_typing(self) -> None:
        self._typing = {}
        self.typing_line.hide()

    # ---- paging and reading
    def _page(self, load: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        async def run() -> None:
            await load()
            await self._load_quotes()

        if not self.tasks.running(name):
            self.tasks.start(run(), name=name)

    def _refresh_soon(self) -> None:
        """Takes in what changed; what changes meanwhile leads to one more round, however many events there were."""
        self._stale = True
        if not self.tasks.running("refresh"):
            self.tasks.start(self._refresh(), name="refresh")

    async def _refresh(self) -> None:
        while self._stale:
            self._stale = False
            await self.window_model.refresh()
            await self._load_quotes()

    def _open_at(self, seq: int | None) -> None:
        self.tasks.start(self._reopen(seq), name="open-at", exclusive=True)

    async def _reopen(self, seq: int | None) -> None:
        if self.conversation is None:
            return
        await self.window_model.open(self.conversation.id, seq)
        if seq is not None:
            row = self.window_model.row_of_seq(seq)
            if row >= 0:
                self.view.show_message(self.window_model.at(row).id, at_top=True)
        await self._load_quotes()

    def _on_jump_wanted(self, seq: int) -> None:
        self._jump_to = seq
        if not self._jump_timer.isActive():
            self._jump_timer.start()

    def _jump_now(self) -> None:
        self._open_at(self._jump_to)

    def _on_fell_behind(self) -> None:
        self._show_jump()
        if self.view.at_newest or self.view.verticalScrollBar().value() >= self.view.verticalScrollBar().maximum():
            self._open_at(None)

    def _show_jump(self, fresh: int | None = None) -> None:
        if fresh is not None:
            self.jump.set_count(fresh)
        self.jump.setVisible(bool(len(self.window_model)) and not self.view.at_newest)
        self.jump.place()

    def _mark_read(self, conversation_id: str, seq: int) -> None:
        self.tasks.start(self._session.chat.mark_read(conversation_id, seq), name="mark-read")

    def stop_timers(self) -> None:
        """The page is being closed."""
        for timer in (self.read_marks, self._typing_timer, self._jump_timer):
            timer.stop()

    # ---- what a click in the messages leads to
    def jump_to_message(self, message_id: str) -> None:
        """Shows a message, out of the history if need be."""
        if self.view.show_message(message_id):
            return
        quoted = self.context.quoted(message_id)
        if quoted is not None and quoted.seq:
            self._open_at(quoted.seq)

    def _open_peer(self) -> None:
        if self.conversation is not None and self.conversation.peer_id:
            self._navigator.open_person(self.conversation.peer_id)

    async def _show_members(self) -> None:
        if self.conversation is None:
            return
        members = await self._session.chat.members(self.conversation.id)
        dialog = MembersDialog(self, self._people, members)
        dialog.picked.connect(self._navigator.open_person)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


def _single_shot(parent: QObject, interval: int, action: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval)
    timer.timeout.connect(action)
    return timer
