"""What is pinned in the open talk: asked of the server, followed in the messages that are held, shown in the bar over them."""

from desktop.core.domain import ConversationKind, Message
from desktop.core.domain.chat_rules import may_pin
from desktop.core.errors import AppError
from desktop.models.verbs import TalkSession
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.chat.pinned_bar import PinnedBar


class Pins:
    """Fills a bar for one pane."""

    def __init__(self, talk: OpenTalk, session: TalkSession, bar: PinnedBar) -> None:
        self._talk, self._session, self._bar = talk, session, bar
        bar.wanted.connect(talk.jump_to_message)
        bar.unpin_wanted.connect(self._unpin)

    def clear(self) -> None:
        """Another talk is coming."""
        self._bar.show_messages([], may_unpin=False)

    async def load(self) -> None:
        """Asks the server; without it, what is held says what is pinned."""
        talk, conversation = self._talk, self._talk.conversation
        if conversation is None or conversation.kind is ConversationKind.SYSTEM:
            return
        try:
            found = await self._session.chat.pinned_messages(conversation.id)
        except AppError:
            found = [m for m in talk.view.window_model.held if m.pinned is not None]
        if talk.conversation is None or talk.conversation.id != conversation.id:
            return
        self._bar.show_messages(found, may_unpin=may_pin(conversation, talk.role))
        for message in found:
            if talk.held(message.id) is None:
                talk.context.set_quote(message.id, message)  # so that a press finds its place

    def follow(self) -> None:
        """Messages changed: asks again where they say something else than the bar."""
        shown = {message.id for message in self._bar.messages}
        differs = any((m.pinned is not None) != (m.id in shown) for m in self._talk.view.window_model.held)
        if (differs or any(map(self._is_recalled, shown))) and not self._talk.tasks.running("open"):
            self._talk.tasks.start(self.load(), name="pins", exclusive=True)

    def _is_recalled(self, message_id: str) -> bool:
        message: Message | None = self._talk.held(message_id)
        return message is not None and message.recalled_at is not None

    def _unpin(self, message_id: str) -> None:
        self._talk.tasks.start(self._session.chat.pin_message(message_id, False), name="pin")
