"""Who has read, who has confirmed, who voted: the lists behind counts, kept up while they are open, and reminding those who have not."""

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from desktop.core.domain import Message
from desktop.core.errors import Rejected
from desktop.models.verbs import TalkSession
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.i18n import tr, when
from desktop.ui.shell.navigator import Navigator
from desktop.ui.tasks import alive

if TYPE_CHECKING:
    from desktop.ui.chat.people_tabs import PeopleTab, PeopleTabs


class ReaderLists:
    """Opens the lists of one talk's messages over `host`."""

    def __init__(self, host: QWidget, talk: OpenTalk, session: TalkSession, navigator: Navigator) -> None:
        self._host, self._talk, self._session, self._navigator = host, talk, session, navigator
        self.dialog: PeopleTabs | None = None
        self._kind, self._message_id = "", ""

    async def show(self, kind: str, message: Message) -> None:
        """kind: readers, confirmations or voters."""
        from desktop.ui.chat.people_tabs import PeopleTabs

        tabs = await self._tabs(kind, message)
        if not alive(self._host):
            return
        waiting = kind != "voters" and bool(tabs[1].person_ids) and message.sender_id == self._talk.context.me_id
        people = self._talk.context.people
        action = "chat_talk.remind" if kind == "confirmations" else "chat_talk.remind_unread"
        dialog = PeopleTabs(self._host, people, f"chat_talk.{kind}_title", tabs, action_key=action if waiting else "")
        dialog.picked.connect(self._navigator.open_person)
        dialog.acted.connect(lambda: self._talk.tasks.start(self.remind(message), name="remind"))
        dialog.finished.connect(self._on_closed)
        self.dialog, self._kind, self._message_id = dialog, kind, message.id
        dialog.open()

    def _on_closed(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    async def follow(self) -> None:
        """Receipts or messages changed: the open list follows."""
        message = self._talk.held(self._message_id)
        if self.dialog is None or message is None:
            return
        tabs = await self._tabs(self._kind, message)
        if self.dialog is not None and alive(self.dialog):
            self.dialog.set_tabs(tabs)

    async def _tabs(self, kind: str, message: Message) -> "list[PeopleTab]":
        from desktop.ui.chat.people_tabs import PeopleTab

        if kind == "voters":
            options = message.poll.options if message.poll is not None else ()
            voted = {one.id: message.results[one.id].person_ids for one in options if one.id in message.results}
            return [PeopleTab(f"{one.text} {len(voted.get(one.id, ()))}", voted.get(one.id, ())) for one in options]
        readers = await self._session.chat.readers(message.id)
        if kind == "confirmations":
            done, open_ = readers.confirmed, readers.unconfirmed
        else:
            done, open_ = readers.read, readers.unread
        return [
            PeopleTab(tr(f"chat_talk.{kind}.done", n=len(done)), done),
            PeopleTab(tr(f"chat_talk.{kind}.open", n=len(open_)), open_),
        ]

    async def remind(self, message: Message) -> None:
        """Reminds those who have not; said how it went, and when it can be done again."""
        try:
            await self._session.chat.remind(message.id)
        except Rejected as error:
            if error.data.get("type") != "rateLimit":
                raise
            wait = error.data.get("retry_after") or error.data.get("retryAfter") or 0
            seconds = float(wait) if isinstance(wait, int | float) else 0.0
            if alive(self._host):
                self._talk.snack.say(tr("chat_talk.remind.again_in", time=when.duration(seconds)))
            return
        if alive(self._host):
            self._talk.snack.say(tr("chat_talk.remind.done"))
