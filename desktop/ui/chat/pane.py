"""One open conversation: header, announcement, messages, who is typing, composer. Follows the session's events and pages the history."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, cast

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop.core.domain import (
    ChatPolicy,
    ConnectionState,
    Conversation,
    ConversationKind,
    Member,
    Message,
    MessageKind,
    Receipt,
)
from desktop.core.domain.chat_rules import may_write
from desktop.core.events import (
    ChangeSet,
    EditRefused,
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
from desktop.ui.chat.capturing import Capturing
from desktop.ui.chat.cards import CardSource
from desktop.ui.chat.composer import Composer
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.jump_button import JumpButton
from desktop.ui.chat.message_actions import MessageActions
from desktop.ui.chat.picking import PickBar
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.chat.pinned_bar import PinnedBar
from desktop.ui.chat.pins import Pins
from desktop.ui.chat.read_marks import ReadMarks
from desktop.ui.chat.sending import Sender
from desktop.ui.chat.sending_more import MoreToSend
from desktop.ui.chat.shaking import Shaker
from desktop.ui.chat.talk_header import NoticeStrip, TalkHeader
from desktop.ui.chat.typing_line import TypingLine
from desktop.ui.chat.view import MessageView
from desktop.ui.chat.voices import VoicePlaying, VoiceRecording
from desktop.ui.i18n import has, tr, when
from desktop.ui.kit import (
    EmptyState,
    Label,
    Snack,
    on_click,
)
from desktop.ui.search.spotlight import Spotlight
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import TaskOwner, alive

if TYPE_CHECKING:
    from desktop.models.search_verbs import TalkSearchSession
    from desktop.ui.chat.group_panel import GroupPanel
    from desktop.ui.search.talk_search import TalkSearch

REFUSABLE = frozenset(
    {"Message", "Conversation", "Member", "Announcement", "JoinRequest", "ScheduledMessage", "Favorite", "Sticker"}
)
JUMP_MS = 90
UNREAD_AT_THE_FOOT = 30  # more than so many are not at hand with the newest page


class _FirstRead:
    """A talk on its way to the screen. The reader may ask for its foot before anything is there."""

    to_the_foot = False


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
        self._opening: asyncio.Task[Any] | None = None
        self._first_read: _FirstRead | None = None
        self.finder: TalkSearch | None = None
        self.policy = ChatPolicy()
        self.role = ""
        self._mine: Member | None = None
        self._stale = False
        self._changed: set[str] = set()
        self.window_model = MessageWindow(session.chat, self)
        self.thumbnails = Thumbnails(session.files, self.devicePixelRatioF, self)
        self.context = TalkContext(people, self.thumbnails, self.held, cards, self._on_cards)
        self.context_loaded = False
        self.read_marks = ReadMarks(self, lambda: self.conversation)
        self._build_ui(state)
        self.message_actions = MessageActions(self, self, session, navigator, files, state)
        self.pins = Pins(self, session, self.pinned)
        self._sender = Sender(self, self, session)
        self.more_to_send = MoreToSend(self, self, session, self.message_actions.forwarder, navigator)
        self.shaker = Shaker(self)
        self.capturing = Capturing(self, self)
        self.voices = self.context.voice = VoicePlaying(self, self, session, state)
        self.voice_recording = VoiceRecording(self, self, session)
        self.panel: GroupPanel | None = None
        self._open_files = files
        self._bind()

    # ---- build
    def _build_ui(self, state: UiState) -> None:
        self.setProperty("surface", "bg")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.header = TalkHeader(self._people)
        self.notice = NoticeStrip()
        self.pinned = PinnedBar(self._people)
        self.view = MessageView(self.window_model, self.context)
        self.pick_bar = PickBar(self.view.picking)
        self.jump = JumpButton(self.view)
        self.spotlight = Spotlight(self.view)
        self.typing_line = TypingLine(self._people)
        self.composer = Composer(self._people, state, self)
        self.read_only = Label(key="chat.compose.read_only", role="secondary", tone="ink3")
        self.read_only.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.read_only.setContentsMargins(18, 12, 18, 14)
        talk = QWidget()
        beside = QHBoxLayout(talk)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.setSpacing(0)
        column = QVBoxLayout()
        beside.addLayout(column, 1)
        self._beside = beside
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for above in (self.header, self.notice, self.pinned):
            column.addWidget(above)
        column.addWidget(self.view, 1)
        for below in (self.typing_line, self.composer, self.read_only, self.pick_bar):
            column.addWidget(below)
        self.empty = EmptyState("chat-circle-dots", "chat.pick", hint_key="chat.pick_hint")
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self.empty)
        self._talk = QWidget()
        self._beside = QHBoxLayout(self._talk)
        self._beside.setContentsMargins(0, 0, 0, 0)
        self._beside.setSpacing(0)
        self._beside.addWidget(talk, 1)
        self._stack.addWidget(self._talk)
        self.snack = Snack(self)

    def _bind(self) -> None:
        view, composer = self.view, self.composer
        view.older_wanted.connect(lambda: self._page(self.window_model.load_older, "older"))
        view.newer_wanted.connect(lambda: self._page(self.window_model.load_newer, "newer"))
        view.newest_wanted.connect(self._on_newest_wanted)
        view.jump_wanted.connect(self._on_jump_wanted)
        view.seen.connect(self.read_marks.see)
        self.read_marks.read.connect(self._mark_read)
        view.fresh_changed.connect(self._show_jump)
        view.verticalScrollBar().valueChanged.connect(lambda _value: self._show_jump())
        view.verticalScrollBar().rangeChanged.connect(lambda _low, _high: self._show_jump())
        on_click(self.jump, view.to_newest)
        on_click(self.header.members_button, self._toggle_panel)
        on_click(self.notice.button, lambda: self.open_panel("notices"))
        on_click(self.header.card_button, self._open_peer)
        on_click(self.header.favorites_button, self._open_favorites)
        on_click(self.header.find_button, self.find_in_talk)
        composer.complained.connect(self.snack.say)
        view.picking.changed.connect(self._show_foot)
        view.picking.full.connect(lambda: self.snack.say(tr("chat_talk.pick.full")))
        acts = self.message_actions
        self.pick_bar.add("copy", "copy", self._copy_picked)
        self.pick_bar.add("favorite", "star", acts.keep)
        self.pick_bar.add("forward", "share", acts.forwarder.start)
        self.pick_bar.add("merge", "chat-centered-text", lambda some: acts.forwarder.start(some, merged=True))
        self.window_model.fell_behind.connect(self._on_fell_behind)
        self._people.changed.connect(self._on_people)
        i18n.changed.connect(self._show_header)
        self._jump_timer = QTimer(self, singleShot=True, interval=JUMP_MS)
        self._jump_timer.timeout.connect(self._jump_now)

    # ---- turning to a conversation
    def show_conversation(self, conversation: Conversation, draft: str) -> None:
        """Opens a conversation where the reader left it: at the first unread message, else at the newest."""
        again = self.conversation is not None and self.conversation.id == conversation.id
        if again:
            if conversation.marked_unread:
                self.tasks.start(self._session.chat.set_marked_unread(conversation.id, False), name="mark-read")
            self.composer.edit.setFocus()
            if self._first_read is None:
                self.view.to_newest()
            return
        self.voices.stop()
        self.voice_recording.cancel()
        self.composer.show_conversation(conversation, draft)
        self.conversation = conversation
        self.context.turn_to(conversation)
        self.read_marks.turn_to(conversation)
        self.header.set_members([])
        self.role, self._mine = "", None
        self._changed.clear()
        self.view.picking.stop()
        self.pins.clear()
        self.typing_line.forget()
        self.window_model.clear()
        self._show_header()
        self._stack.setCurrentWidget(self._talk)
        self._turn_panel(conversation)
        self.turned.emit(conversation.id)
        self._first_read = _FirstRead()
        self._opening = self.tasks.start(self._load(conversation, self._first_read), name="open", exclusive=True)
        if conversation.kind is not ConversationKind.SYSTEM:
            self.composer.edit.setFocus()

    async def _load(self, conversation: Conversation, first: "_FirstRead") -> None:
        chat = self._session.chat
        await self._read_first(conversation, first)
        self.view.set_last_place(conversation.last_seq)
        if conversation.unread_count:
            self._mark_first_unread(conversation, go=not first.to_the_foot)
        if not self.context_loaded:
            self.context_loaded = True
            for transfer in self._session.files.transfers():
                self.context.set_transfer(transfer)
        await self._load_quotes()
        self._take_receipts(await chat.receipts(conversation.id))
        self._take_members(await chat.members(conversation.id))
        self.policy = await chat.policy()
        await self._load_reply(conversation)
        await self.pins.load()
        if conversation.marked_unread:
            await chat.set_marked_unread(conversation.id, False)

    async def _read_first(self, conversation: Conversation, first: "_FirstRead") -> None:
        """The messages around the first unread one; the newest where those are few, or the reader went to the foot meanwhile."""
        around = conversation.read_seq + 1 if conversation.unread_count > UNREAD_AT_THE_FOOT else None
        try:
            await self.window_model.open(conversation.id, around)
            if first.to_the_foot and self.window_model.has_newer:
                await self.window_model.open(conversation.id)
        finally:
            if self._first_read is first:
                self._first_read = None

    def _on_newest_wanted(self) -> None:
        if self._first_read is not None:
            self._first_read.to_the_foot = True
        else:
            self._open_at(None)

    async def _load_reply(self, conversation: Conversation) -> None:
        """The draft answers a message: another device, or this one before it was closed, said so."""
        if not conversation.draft_reply_to_id or self.composer.reply_to or not self.composer.text:
            return
        message = await self._session.chat.message(conversation.draft_reply_to_id)
        if message is not None and message.recalled_at is None:
            self.composer.set_reply(message.id, self.message_actions.reply_words(message), focus=False)

    def _take_receipts(self, receipts: list[Receipt]) -> None:
        before = self.context.others
        self.context.set_receipts(receipts)
        if self.context.others != before:
            self.view.relayout()  # the strips of messages to confirm count everyone
        self.view.viewport().update()

    def _take_members(self, members: list[Member]) -> None:
        self._mine = next((m for m in members if m.person_id == self._people.me.id), None)
        self.role = self._mine.role if self._mine is not None and self.context.is_group else ""
        nicknames = {m.person_id: m.nickname for m in members if m.nickname}
        if nicknames != self.context.nicknames:
            self.context.nicknames = nicknames
            self.view.relayout()
        self.composer.set_members([m.person_id for m in members])
        self.header.set_members([m.person_id for m in members])
        self._show_header()

    def _copy_picked(self, messages: list[Message]) -> None:
        self.view.copy_messages(messages)
        self.view.picking.stop()
        self.snack.say(tr("chat_talk.pick.copied"))

    def _mark_first_unread(self, conversation: Conversation, *, go: bool) -> None:
        """Draws the line before the first message of a colleague that was not read; may go there when it is out of sight."""
        window, me = self.window_model, self._people.me.id
        held = (window.at(row) for row in range(len(window)))
        first = next((m for m in held if m.seq > conversation.read_seq and m.sender_id != me), None)
        if first is None:
            return
        row = window.row_of(first.id)
        above = row == 0 and window.has_older  # older unread ones are not held: the line waits for them
        self.context.unread_from = conversation.read_seq + 1 if above else first.seq
        self.view.relayout()
        in_sight = [number for number, y, _ in self.view.placed if y >= 0]
        if go and row >= 0 and in_sight and row < min(in_sight):
            self.view.show_message(self.window_model.at(row).id, at_top=True)

    async def _load_quotes(self) -> None:
        missing = self.context.missing_quotes(self.window_model.held)
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
        if self.panel is not None:
            self.panel.update_conversation(conversation)
        self.view.set_last_place(conversation.last_seq)
        if not self.composer.edit.hasFocus() or not self.window().isActiveWindow():
            self.composer.take_draft(conversation.draft)
        self._show_header()

    def _show_header(self) -> None:
        if self.conversation is not None:
            self.header.show_talk(self.conversation)
            self.notice.show_notice(self.conversation.announcement or "")
            self._show_foot()

    def _show_foot(self) -> None:
        """The composer, or why there is none, or what can be done with the picked messages."""
        conversation = self.conversation
        if conversation is None:
            return
        writable = may_write(conversation, self._mine if self.context.is_group else None, when.now())
        picking = self.view.picking.active
        bar = self.view.hover_bar
        bar.enabled = {"react", "reply", "forward", "more"} if writable else {"forward", "more"}
        self.composer.setVisible(writable and not picking)
        self.read_only.setVisible(not writable and not picking)
        if not writable:
            i18n.bind(self.read_only.setText, self._closed_key(conversation))

    def _closed_key(self, conversation: Conversation) -> str:
        if conversation.kind is ConversationKind.SYSTEM:
            return "chat.compose.read_only"
        if conversation.dissolved_at is not None:
            return "chat_talk.closed.dissolved"
        return "chat_talk.closed.all" if conversation.muted_all else "chat_talk.closed.muted"

    # ---- events
    def on_event(self, event: Event) -> None:
        """Follows the session's events."""
        if self.panel is not None:
            self.panel.on_event(event)
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
            case ChangeSet(type_name="Message", upserts=upserts, removed=removed, conversations=touched):
                if removed:
                    self.window_model.drop(removed)
                    self.view.picking.drop(removed)
                if not touched or conversation_id in touched:
                    self._changed.update(upserts)
                    self._refresh_soon()
            case ChangeSet(type_name="Receipt", upserts=upserts):
                if any(key.startswith(conversation_id) for key in upserts):
                    self.tasks.start(self._load_receipts(conversation_id), name="receipts", exclusive=True)
            case ChangeSet(type_name="Member", upserts=upserts, removed=removed):
                if any(key.startswith(conversation_id) for key in (*upserts, *removed)):
                    self.tasks.start(self._load_members(conversation_id), name="member-list", exclusive=True)
            case ChangeSet(type_name="ScheduledMessage"):
                self.tasks.start(self.more_to_send.follow(), name="follow-later", exclusive=True)
            case EditRefused(type_name=type_name, object_id=what, code=code) if type_name in REFUSABLE:
                message = self.held(what)
                if message is None or message.seq:  # a message that was refused whole says so itself
                    key = f"chat.act.refused.{code}"
                    self.snack.say(tr(key) if has(key) else tr("chat.act.refused"))
            case MessageArrived(message=message) if self._shakes(message, conversation_id):
                self.shaker.shake()
            case TypingSeen(conversation_id=where, person_id=who) if where == conversation_id:
                self.typing_line.saw(who)
            case MessageArrived(message=message) if message.sender_id is not None:
                self.typing_line.spoke(message.sender_id)
            case _:
                pass

    async def _load_receipts(self, conversation_id: str) -> None:
        receipts = await self._session.chat.receipts(conversation_id)
        if self.conversation is not None and self.conversation.id == conversation_id:
            self._take_receipts(receipts)
            await self.message_actions.lists.follow()

    def _shakes(self, message: Message, conversation_id: str) -> bool:
        """A colleague shakes the window while the talk with them is open."""
        theirs = message.sender_id != self._people.me.id
        return message.kind is MessageKind.SHAKE and theirs and message.conversation_id == conversation_id

    async def _load_members(self, conversation_id: str) -> None:
        members = await self._session.chat.members(conversation_id)
        if self.conversation is not None and self.conversation.id == conversation_id:
            self._take_members(members)

    def _on_cards(self) -> None:
        """A record behind a card changed, or its words."""
        if alive(self):
            self.view.viewport().update()

    def _on_people(self, ids: frozenset[str]) -> None:
        if not ids:
            self.view.relayout()
        self._show_header()

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
            changed, self._changed = self._changed, set()
            await self.window_model.refresh()
            await self.window_model.take_changes(changed)
            await self._load_quotes()
            await self._refresh_quotes(changed)
            self.pins.follow()
            await self.message_actions.lists.follow()

    async def _refresh_quotes(self, changed: set[str]) -> None:
        """A quoted message that is not held was changed or taken back."""
        stale = sorted(one for one in changed if self.held(one) is None and self.context.quoted(one) is not None)
        for message_id in stale:
            self.context.set_quote(message_id, await self._session.chat.message(message_id))
        answered = {m.reply_to_id for m in self.window_model.held if m.reply_to_id} & changed
        if answered:
            self.view.relayout()

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
        if self.finder is not None:
            self.finder.stop()
        for timer in (self.read_marks, self.typing_line.timer, self._jump_timer):
            timer.stop()

    def find_in_talk(self) -> None:
        """Opens the search inside this conversation, beside it."""
        if self.conversation is None:
            return
        if self.finder is None:
            from desktop.ui.search.talk_search import TalkSearch

            self.finder = TalkSearch(cast("TalkSearchSession", self._session), self._talk)
            self.finder.found.connect(self.reveal)
            self.finder.closed.connect(self.composer.edit.setFocus)
            self.turned.connect(lambda _conversation_id: self._turn_finder())
            self._beside.addWidget(self.finder)
        self.finder.open_search(self.conversation, list(self._people.all()))

    def _turn_finder(self) -> None:
        if self.finder is not None and self.finder.isVisible() and self.conversation is not None:
            self.finder.turn_to(self.conversation, list(self._people.all()))

    def reveal(self, message_id: str, seq: int) -> None:
        """Shows a message that was found, with what stands around it, lit for a moment."""
        self.tasks.start(self._reveal(message_id, seq), name="open-at", exclusive=True)

    async def _reveal(self, message_id: str, seq: int) -> None:
        if self._opening is not None and not self._opening.done():
            await asyncio.wait([self._opening])
        if self.held(message_id) is None:
            await self._reopen(seq)
        if self.view.show_message(message_id):
            self.spotlight.light(message_id)
        else:
            self.snack.say(tr("search.talk.gone"))

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

    # ---- the group's panel
    def _toggle_panel(self) -> None:
        if self.panel is not None and self.panel.isVisible():
            self.panel.hide()
        else:
            self.open_panel("members")

    def open_panel(self, tab: str) -> None:
        """Shows the panel of the open group, at one of its parts."""
        if self.conversation is None or self.conversation.kind is not ConversationKind.GROUP:
            return
        if self.panel is None:
            from desktop.ui.chat.group_panel import GroupPanel

            self.panel = GroupPanel(
                self._session, self._people, self.thumbnails, self._navigator, self._open_files, self._talk
            )
            self.panel.closed.connect(self.panel.hide)
            self.panel.said.connect(self.snack.say)
            self._beside.addWidget(self.panel)
        self.panel.show()
        self.panel.show_group(self.conversation, tab)

    def _turn_panel(self, conversation: Conversation) -> None:
        if self.panel is None or not self.panel.isVisible():
            return
        if conversation.kind is ConversationKind.GROUP:
            self.panel.show_group(conversation)
        else:
            self.panel.hide()

    def _open_favorites(self) -> None:
        where = self.conversation.id if self.conversation is not None else ""
        self.tasks.start(self.more_to_send.open_favorites(where), name="favorites", exclusive=True)
