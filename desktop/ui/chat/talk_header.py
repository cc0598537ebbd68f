"""What stands over the messages of an open talk: who it is with, the ways to what belongs to it, the group's notice."""

from PySide6.QtWidgets import QFrame, QHBoxLayout

from desktop.core.domain import Conversation, ConversationKind
from desktop.models.people import People
from desktop.ui.chat import text as words
from desktop.ui.i18n import tr
from desktop.ui.kit import Avatar, Button, ElidedLabel, IconButton, IconLabel, PaneHeader, conversation_name

FACE = 28


class TalkHeader(PaneHeader):
    """The bar at the top; the buttons are the pane's to bind."""

    def __init__(self, people: People) -> None:
        super().__init__()
        self._people = people
        self._member_ids: list[str] = []
        self.face = Avatar(FACE, surface="surface")
        self.put_first(self.face)
        self.find_button = IconButton("magnifying-glass", "search.talk.open")
        self.favorites_button = IconButton("star", "chat_talk.favorite.title")
        self.card_button = IconButton("identification-card", "chat.header.card")
        self.members_button = IconButton("users", "chat.header.members_action")
        for button in (self.find_button, self.favorites_button, self.card_button, self.members_button):
            self.add_action(button)

    def set_members(self, person_ids: list[str]) -> None:
        """Who is in the group, as far as known; shown with the next `show_talk`."""
        self._member_ids = person_ids

    def show_talk(self, conversation: Conversation) -> None:
        """The talk as it is now."""
        name, group = conversation_name(conversation), conversation.kind is ConversationKind.GROUP
        self.title.setText(name)
        self.detail.setText(self._detail(conversation))
        self.face.setVisible(group)
        if group:
            self.face.set_subject(name, conversation.id)
        self.members_button.setVisible(group)
        self.card_button.setVisible(conversation.kind is ConversationKind.DIRECT)

    def _detail(self, conversation: Conversation) -> str:
        people, known = self._people, self._member_ids
        match conversation.kind:
            case ConversationKind.DIRECT:
                said = tr(f"presence.{people.presence(conversation.peer_id).value}")
                parts = (people.post(conversation.peer_id), said, people.presence_text(conversation.peer_id))
                return " ・ ".join(part for part in parts if part)
            case ConversationKind.GROUP:
                total = conversation.member_count or len(known)
                if not known:
                    return tr("chat.header.members", total=total)
                return tr("chat.header.people", total=total, online=people.online_of(known))
            case _:
                return ""


class NoticeStrip(QFrame):
    """The group's notice in one line. There while there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("surface", "note")
        self._text = ElidedLabel(role="secondary", tone="amber")
        self.button = Button(key="chat_talk.announcement_open", kind="link", small=True)
        line = QHBoxLayout(self)
        line.setContentsMargins(18, 6, 18, 6)
        line.setSpacing(8)
        line.addWidget(IconLabel("push-pin-fill", tone="amber", size=14))
        line.addWidget(self._text, 1)
        line.addWidget(self.button)

    def show_notice(self, notice: str) -> None:
        """The notice; empty for none."""
        self.setVisible(bool(notice))
        if notice:
            self._text.setText(tr("chat.announcement", text=words.one_line(notice, 400)))
