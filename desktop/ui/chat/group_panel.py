"""The panel of a group at the right of its messages: members, announcements, files, album, settings. Follows the session while it is open."""

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedLayout, QVBoxLayout, QWidget

from desktop.core.domain import Card, Conversation, ConversationKind, Message, MessageKind
from desktop.core.events import ChangeSet, Event
from desktop.models.people import People
from desktop.models.verbs import TalkSession
from desktop.ui import i18n, theme
from desktop.ui.chat.group_files import SHOWN, SentFiles
from desktop.ui.chat.group_members import GroupMembers
from desktop.ui.chat.group_notices import GroupNotices
from desktop.ui.chat.group_settings import GroupSettings
from desktop.ui.chat.pictures import Thumbnails
from desktop.ui.chat.target_picker import ask_targets
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, Divider, IconButton, TabStrip, on_click
from desktop.ui.shell.navigator import FileOpener, Navigator
from desktop.ui.tasks import TaskOwner, alive

TABS: Final = ("members", "notices", "files", "album", "settings")
WIDTH = 344
NARROWEST = 160
"""With large text in a small window; the messages keep as much."""


class GroupPanel(QFrame):
    """`closed` when the user has done with it."""

    closed = Signal()
    said = Signal(str)  # a short word about what was done

    def __init__(
        self,
        session: TalkSession,
        people: People,
        thumbnails: Thumbnails,
        navigator: Navigator,
        files: FileOpener,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("groupPanel")
        self.setProperty("surface", "surface")
        self._session, self._people, self._files = session, people, files
        self.tasks = TaskOwner(self)
        self._group: Conversation | None = None
        self._stale = False
        self.tab = "members"
        chat = session.chat
        self.members = GroupMembers(chat, people, self.tasks)
        self.notices = GroupNotices(chat, people, self.tasks)
        self.sent_files = SentFiles(MessageKind.FILE, people, thumbnails)
        self.album = SentFiles(MessageKind.PICTURE, people, thumbnails)
        self.settings = GroupSettings(chat, people, self.tasks)
        self._build()
        self.members.picked.connect(navigator.open_person)
        self.notices.picked.connect(navigator.open_person)
        self.members.invite_wanted.connect(lambda: self.tasks.start(self._invite(), name="invite", exclusive=True))
        self.settings.share_wanted.connect(lambda: self.tasks.start(self._share(), name="share", exclusive=True))
        self.settings.said.connect(self.said)
        self.sent_files.picked.connect(self._on_file)
        self.album.picked.connect(self._on_picture)
        theme.changed.connect(self._fit)
        self._fit()

    def _build(self) -> None:
        self.strip = TabStrip(small=True, prefix="chat.group.")
        self.strip.chosen.connect(self.open_tab)
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 8, 6, 4)
        bar.setSpacing(0)
        self._stack = QStackedLayout()
        parts = (self.members, self.notices, self.sent_files, self.album, self.settings)
        for part in parts:
            self._stack.addWidget(part)
        self._label_tabs()
        i18n.changed.connect(self._label_tabs)
        bar.addWidget(self.strip, 1)
        self.close_button = IconButton("x", "common.close", size=14, box=26)
        on_click(self.close_button, self.closed.emit)
        bar.addWidget(self.close_button)
        across = QHBoxLayout(self)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(Divider(vertical=True))
        column = QVBoxLayout()
        column.setSpacing(0)
        across.addLayout(column, 1)
        column.addLayout(bar)
        column.addLayout(self._stack, 1)

    @property
    def buttons(self) -> dict[str, Button]:
        """The tabs by their names."""
        return self.strip.buttons

    def _label_tabs(self) -> None:
        self.strip.set_tabs([(name, i18n.tr(f"chat_group.tab.{name}")) for name in TABS])

    def _fit(self) -> None:
        self.setMinimumWidth(theme.scaled(NARROWEST))
        self.setMaximumWidth(theme.scaled(WIDTH))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(WIDTH), super().sizeHint().height())

    # ---- intentions
    def show_group(self, conversation: Conversation, tab: str = "") -> None:
        """Another group, or another tab of it."""
        same = self._group is not None and self._group.id == conversation.id
        self._group = conversation
        if not same:
            self.sent_files.show_messages([])
            self.album.show_messages([])
            self.members.search.clear()
        self.open_tab(tab or self.tab)

    def open_tab(self, name: str) -> None:
        """Shows one part, fresh."""
        self.tab = name
        self.strip.choose(name)
        self._stack.setCurrentIndex(TABS.index(name))
        self.refresh()

    def refresh(self) -> None:
        """Reads what the open part shows; what comes meanwhile leads to one more round."""
        self._stale = True
        if not self.tasks.running("panel"):
            self.tasks.start(self._load(), name="panel")

    def on_event(self, event: Event) -> None:
        """Follows the session's events while the panel is in sight."""
        if not self.isVisible():
            return
        match event:
            case ChangeSet(type_name="Member" | "Conversation" | "Announcement" | "JoinRequest"):
                self.refresh()
            case ChangeSet(type_name="Message") if self.tab in ("files", "album"):
                self.refresh()
            case _:
                pass

    async def _load(self) -> None:
        while self._stale and self._group is not None:
            self._stale = False
            chat, group = self._session.chat, self._group
            members = await chat.members(group.id)
            mine = next((m for m in members if m.person_id == self._people.me.id), None)
            match self.tab:
                case "members":
                    self.members.show_group(group, members, await chat.join_requests(group.id))
                case "notices":
                    ids = [m.person_id for m in members]
                    found = await chat.announcements(group.id)
                    self.notices.show_group(group, mine.role if mine is not None else "", ids, found)
                    self.notices.mark_read()
                case "files" | "album":
                    pane = self.sent_files if self.tab == "files" else self.album
                    pictures = self.tab == "album"
                    sent = await chat.sent_files(group.id, pictures=pictures, limit=SHOWN)
                    pane.show_messages(sent)
                case _:
                    self.settings.show_group(group, mine)

    def update_conversation(self, conversation: Conversation) -> None:
        """The list has a newer version of the group."""
        if self._group is not None and self._group.id == conversation.id:
            self._group = conversation
            if self.isVisible():
                self.refresh()

    async def _invite(self) -> None:
        group = self._group
        if group is None:
            return
        members = {m.person_id for m in await self._session.chat.members(group.id)}
        direct = [c for c in await self._session.chat.conversations() if c.kind is ConversationKind.DIRECT]
        fresh = [c for c in direct if c.peer_id not in members]
        targets, _ = await ask_targets(
            self, self._people, fresh, title_key="chat_group.invite", with_note=False, ok_key="chat_group.invite_do"
        )
        ids = [t.person_id for t in targets if t.person_id and t.person_id not in members]
        if ids and alive(self):
            await self._session.chat.add_members(group.id, ids)

    async def _share(self) -> None:
        """Sends the group's card: whoever gets it can ask to join."""
        group = self._group
        if group is None:
            return
        chat = self._session.chat
        others = [c for c in await chat.conversations() if c.id != group.id]
        targets, said = await ask_targets(
            self, self._people, others, title_key="chat_join.share", summary=group.name, ok_key="chat_join.share_do"
        )
        card = Card("Conversation", group.id, group.name)
        for target in targets:
            where = target.conversation_id or (await chat.open_direct(target.person_id)).id
            await chat.send_card(where, card)
            if said:
                await chat.send_text(where, said)
        if targets and alive(self):
            key = "chat_talk.forward.done" if len(targets) == 1 else "chat_talk.forward.done_many"
            self.said.emit(tr(key, name=targets[0].name, n=len(targets)))

    def _on_file(self, message: Message) -> None:
        if message.attachment is not None:
            self._files.open_file(message.attachment)

    def _on_picture(self, message: Message) -> None:
        if message.attachment is not None:
            among = [m.attachment for m in self.album.shown if m.attachment is not None]
            self._files.view_picture(message.attachment, among)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.closed.emit()
            return
        super().keyPressEvent(event)
