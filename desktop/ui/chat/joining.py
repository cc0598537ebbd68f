"""Asking to join a group one is not in: what it is called, how many are in it, a line of reason; owner and admins answer."""

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QPlainTextEdit, QVBoxLayout, QWidget

from desktop.core.domain import GroupCard
from desktop.core.errors import AppError, Rejected
from desktop.models.verbs import ChatVerbs
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.kit import Avatar, Dialog, Label, finished, row
from desktop.ui.tasks import alive

REASON_LIMIT = 200


class JoinDialog(Dialog):
    """Shows the group and takes the reason; where one has asked already there is nothing but waiting."""

    def __init__(self, parent: QWidget, card: GroupCard) -> None:
        super().__init__(parent, "chat_join.title", width=420)
        face = Avatar(48)
        face.set_subject(card.name, card.id)
        about = QVBoxLayout()
        about.setSpacing(2)
        about.addWidget(Label(card.name, strong=True, wrap=True))
        about.addWidget(Label(tr("chat.header.members", total=card.member_count), role="secondary", tone="ink3"))
        head = row(face, spacing=12)
        head.addLayout(about, 1)
        self.reason = QPlainTextEdit()
        self.reason.setProperty("look", "field")
        self.reason.setFixedHeight(theme.scaled(64))
        self.reason.setTabChangesFocus(True)
        i18n.bind(self.reason.setPlaceholderText, "chat_join.reason")
        i18n.bind(self.reason.setAccessibleName, "chat_join.reason")
        self.count = Label(role="secondary", tone="ink3")
        self.body.addWidget(Label(key="chat_join.title", role="header", strong=True))
        self.body.addLayout(head)
        self.body.addWidget(
            Label(key="chat_join.waiting" if card.asked else "chat_join.hint", role="secondary", tone="ink2", wrap=True)
        )
        if card.asked:
            self.reason.hide()
            self.ok = self.add_button("common.ok", kind="primary", accept=False)
            return
        self.body.addWidget(self.reason)
        self.body.addWidget(self.count)
        self.add_button("common.cancel", accept=False)
        self.ok = self.add_button("chat_join.ask", kind="primary", accept=True)
        self.reason.textChanged.connect(self._show_state)
        self._show_state()
        self.reason.setFocus()

    @property
    def text(self) -> str:
        """The reason."""
        return self.reason.toPlainText().strip()

    def _show_state(self) -> None:
        length = len(self.text)
        self.count.setText(f"{length} / {REASON_LIMIT}")
        self.count.set_tone("red_text" if length > REASON_LIMIT else "ink3")
        self.ok.setEnabled(length <= REASON_LIMIT)


class Joiner(QObject):
    """Offers it over `host`."""

    def __init__(self, host: QWidget, chat: ChatVerbs) -> None:
        super().__init__(host)
        self._host, self._chat = host, chat

    async def offer(self, conversation_id: str) -> str | None:
        """Offers to ask, where the id is that of a group this user is not in.

        Returns:
            The key of what to tell the user, empty where nothing is to be told; None: the conversation is theirs, only not in the list yet.
        """
        if await self._chat.conversation(conversation_id) is not None:
            return None
        try:
            card = await self._chat.group_card(conversation_id)
        except Rejected as error:
            return "chat_join.closed" if error.data.get("type") == "forbidden" else "chat_join.gone"
        except AppError:
            return "chat_join.offline"
        if card.is_member or not alive(self._host):
            return None
        dialog = JoinDialog(self._host, card)
        try:
            if not await finished(dialog) or card.asked:
                return ""
            reason = dialog.text
        finally:
            dialog.deleteLater()
        try:
            await self._chat.ask_to_join(conversation_id, reason)
        except Rejected as error:
            return "chat_join.too_many" if error.data.get("type") == "rateLimit" else "chat_join.closed"
        except AppError:
            return "chat_join.offline"
        return "chat_join.asked"
