"""One open conversation: header, announcement, messages, who is typing, composer. Turns what the user does into verbs."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QSizePolicy, QStackedLayout, QVBoxLayout, QWidget

from desktop.core.domain import ConnectionState, Conversation, ConversationKind, Message, MessageKind
from desktop.core.errors import AppError
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
from desktop.ui import i18n, theme
from desktop.ui.chat import text as words
from desktop.ui.chat.composer import Composer, Outgoing
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.members import MembersDialog
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.chat.rows import summary
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
    clipboard_text,
    confirm,
    conversation_name,
    on_click,
)
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.shell.ui_state import UiState
from desktop.ui.tasks import TaskOwner, alive
from desktop.ui.theme import icons

TYPING_SHOWN_MS = 5000
SEEN_MS = 300
JUMP_MS = 90


class JumpButton(QPushButton):
    """The round button over the messages that leads back to the newest, with how many came meanwhile."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._count = 0
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        i18n.changed.connect(self._fit)
        theme.changed.connect(self._fit)
        self.set_count(0)
        self.hide()

    def set_count(self, count: int) -> None:
        """How many new messages are below."""
        self._count = count
        self._fit()

    def _fit(self) -> None:
        text = tr("chat.jump_fresh", n=self._count) if self._count else ""
        self.setAccessibleName(text or tr("chat.jump_newest"))
        self.setToolTip(tr("chat.jump_newest"))
        width = self.fontMetrics().horizontalAdvance(text) + theme.scaled(44) if text else theme.scaled(36)
        self.setFixedSize(width, theme.scaled(36))
        self.place()
        self.update()

    def place(self) -> None:
        """Stands at the lower right of its parent."""
        host = self.parentWidget()
        if host is not None:
            self.move(host.width() - self.width() - 20, host.height() - self.height() - 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        colors = theme.tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        painter.setPen(QPen(colors.accent if self.hasFocus() else colors.line, 1))
        painter.setBrush(colors.hover if self.underMouse() else colors.surface)
        painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
        side = theme.scaled(18)
        left = theme.scaled(9)
        icons.paint(painter, QRectF(left, (self.height() - side) / 2, side, side), "arrow-down", colors.link)
        if self._count:
            painter.setPen(colors.link)
            painter.setFont(self.font())
            place = QRectF(left + side + 4, 0, self.width(), self.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, tr("chat.jump_fresh", n=self._count))


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
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._people, self._navigator, self._files = session, people, navigator, files
        self.tasks = TaskOwner(self)
        self._sending = asyncio.Lock()
        self.conversation: Conversation | None = None
        self._seen = 0
        self._told = 0
        self._jump_to = 0
        self._member_ids: list[str] = []
        self._stale = False
        self._typing: dict[str, int] = {}
        self.window_model = MessageWindow(session.chat, self)
        self.thumbnails = Thumbnails(session.files, self.devicePixelRatioF, self)
        self.context = TalkContext(people, self.thumbnails, self._held)
        self.context_loaded = False
        self._build_ui(state)
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
        view.acted.connect(self._on_action)
        view.menu_wanted.connect(self._on_menu)
        view.seen.connect(self._on_seen)
        view.fresh_changed.connect(self._show_jump)
        view.verticalScrollBar().valueChanged.connect(lambda _value: self._show_jump())
        view.verticalScrollBar().rangeChanged.connect(lambda _low, _high: self._show_jump())
        view.installEventFilter(self)
        on_click(self.jump, view.to_newest)
        on_click(self.members_button, lambda: self.tasks.start(self._show_members(), name="members", exclusive=True))
        on_click(self.card_button, self._open_peer)
        composer.submitted.connect(self._on_submitted)
        composer.draft_changed.connect(self._on_draft)
        composer.typed.connect(self._on_typed)
        composer.complained.connect(self.snack.say)
        self.window_model.fell_behind.connect(self._on_fell_behind)
        self._people.changed.connect(self._on_people)
        i18n.changed.connect(self._show_header)
        self._seen_timer = _single_shot(self, SEEN_MS, self._mark_read)
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
        self._told, self._seen = conversation.read_seq, 0
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

    def _held(self, message_id: str) -> Message | None:
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

    def _on_seen(self, seq: int) -> None:
        self._seen = max(self._seen, seq)
        if self._seen > self._told and not self._seen_timer.isActive():
            self._seen_timer.start()

    def _mark_read(self) -> None:
        if self.conversation is None or self._seen <= self._told:
            return
        if not self.isVisible() or not self.window().isActiveWindow():
            return
        self._told = self._seen
        self.tasks.start(self._session.chat.mark_read(self.conversation.id, self._seen), name="mark-read")

    def stop_timers(self) -> None:
        """The page is being closed."""
        for timer in (self._seen_timer, self._typing_timer, self._jump_timer):
            timer.stop()

    def window_activated(self) -> None:
        """The window came to the front: what is in sight counts as read now."""
        if self._seen > self._told:
            self._seen_timer.start()

    # ---- sending
    def _on_submitted(self, outgoing: Outgoing) -> None:
        if self.conversation is not None:
            self.tasks.start(self._send(self.conversation.id, outgoing), name="send")

    async def _send(self, conversation_id: str, outgoing: Outgoing) -> None:
        chat = self._session.chat
        left = list(outgoing.items)
        text = outgoing.text
        try:
            async with self._sending:  # two presses of Send keep their order
                while left:
                    item = left[0]
                    if item.is_picture:
                        await chat.send_picture(conversation_id, item.source, item.name)
                    else:
                        await chat.send_file(conversation_id, item.source)
                    left.pop(0)
                if text:
                    await chat.send_text(conversation_id, text, outgoing.mentions, outgoing.reply_to)
                    text = ""
        except AppError as error:
            self._give_back(conversation_id, Outgoing(text, outgoing.mentions, outgoing.reply_to, tuple(left)))
            self.snack.say(i18n.error_text(error))
        except BaseException:
            self._give_back(conversation_id, Outgoing(text, outgoing.mentions, outgoing.reply_to, tuple(left)))
            raise

    def _give_back(self, conversation_id: str, outgoing: Outgoing) -> None:
        if not alive(self):
            return
        if self.conversation is not None and self.conversation.id == conversation_id:
            self.composer.restore(outgoing)
        elif outgoing.text:
            self._on_draft(conversation_id, outgoing.text)

    def _on_draft(self, conversation_id: str, text: str) -> None:
        self.tasks.start(self._session.chat.set_draft(conversation_id, text), name=f"draft-{conversation_id}")

    def _on_typed(self, conversation_id: str) -> None:
        if self._session.status.state is ConnectionState.LIVE:
            self.tasks.start(self._session.chat.typing(conversation_id), name="typing", exclusive=True)

    # ---- what a click in the messages does
    def _on_action(self, action: str, message_id: str, data: str) -> None:
        message = self._held(message_id)
        if message is None:
            return
        chat, files = self._session.chat, self._session.files
        match action:
            case "link":
                self.tasks.start(self._open_link(data), name="link", exclusive=True)
            case "person":
                self._navigator.open_person(data)
            case "jump":
                self._jump_to_message(data)
            case "card" if message.card is not None:
                self._open_card(message.card.type, message.card.id)
            case "picture" if message.attachment is not None:
                self._files.view_picture(message.attachment)
            case "open" if message.attachment is not None:
                self._files.open_file(message.attachment)
            case "save_as" if message.attachment is not None:
                self._files.save_file(message.attachment)
            case "download" if message.attachment is not None:
                self.tasks.start(files.download(message.attachment), name="file")
            case "pause":
                self.tasks.start(files.pause(data), name="file")
            case "resume":
                self.tasks.start(files.resume(data), name="file")
            case "cancel":
                self.tasks.start(files.cancel(data), name="file")
            case "retry":
                self.tasks.start(chat.retry(message_id), name="retry")
            case "discard":
                self.tasks.start(chat.discard(message_id), name="discard")
            case _:
                pass

    def _open_card(self, type_name: str, record_id: str) -> None:
        match type_name:
            case "Notice":
                self._navigator.open_notice(record_id)
            case "Document":
                self._navigator.open_document(record_id)
            case _:
                self._navigator.open_page("workbench")

    def _jump_to_message(self, message_id: str) -> None:
        if self.view.show_message(message_id):
            return
        quoted = self.context.quoted(message_id)
        if quoted is not None and quoted.seq:
            self._open_at(quoted.seq)

    async def _open_link(self, address: str) -> None:
        url = QUrl(address)
        if url.scheme().lower() not in ("http", "https") or not url.host():
            return
        shown = url.toDisplayString()[:300]
        if await confirm(self, "chat.link.title", tr("chat.link.text", address=shown), accept_key="chat.link.open"):
            QDesktopServices.openUrl(url)

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

    def _on_menu(self, message_id: str, place: QPoint) -> None:
        message = self._held(message_id)
        if message is not None:
            self.message_menu(message).popup(place)

    def message_menu(self, message: Message) -> QMenu:
        """What can be done with a message."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

        def add(key: str, icon: str, run: Callable[[], object]) -> None:
            action = menu.addAction(icons.icon(icon, "ink2", 16), tr(key))
            action.triggered.connect(lambda _checked=False: run())

        selected = self.view.selected_text()
        if selected:
            add("chat.menu.copy_selection", "copy", lambda: clipboard_text(selected))
        elif message.text:
            add("chat.menu.copy", "copy", lambda: clipboard_text(message.text))
        for _, address in list(words.links(message.text))[:1]:
            add("chat.menu.copy_link", "link", partial(clipboard_text, address))
        if message.seq and message.kind is not MessageKind.SYSTEM and self.composer.isVisible():
            add("chat.menu.reply", "arrow-bend-up-left", lambda: self._reply_to(message))
        if message.attachment is not None:
            attachment = message.attachment
            if message.kind is MessageKind.PICTURE:
                add("chat.menu.view", "magnifying-glass-plus", lambda: self._files.view_picture(attachment))
            add("chat.menu.save_as", "download-simple", lambda: self._files.save_file(attachment))
        if message.sender_id and message.sender_id != self._people.me.id:
            sender = message.sender_id
            add("chat.menu.person", "identification-card", lambda: self._navigator.open_person(sender))
        menu.addSeparator()
        add("chat.menu.select_all", "selection-all", self.view.select_all)
        return menu

    def _reply_to(self, message: Message) -> None:
        name = self._people.name(message.sender_id)
        self.composer.set_reply(message.id, tr("chat.replying", name=name, text=words.one_line(summary(message))))

    # ---- Qt
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.view and event.type() == QEvent.Type.Resize:
            QTimer.singleShot(0, self.jump, self.jump.place)
        return False


def _single_shot(parent: QObject, interval: int, action: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval)
    timer.timeout.connect(action)
    return timer
