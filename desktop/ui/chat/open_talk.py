"""What the helpers of the chat pane (sending, message actions) need of it."""

from typing import Protocol

from desktop.core.domain import ChatPolicy, Conversation, Message
from desktop.ui.chat.composer import Composer
from desktop.ui.chat.context import TalkContext
from desktop.ui.chat.view import MessageView
from desktop.ui.kit import Snack
from desktop.ui.tasks import TaskOwner


class OpenTalk(Protocol):
    """The conversation that is open, with the parts it is shown by."""

    conversation: Conversation | None
    context: TalkContext
    view: MessageView
    composer: Composer
    snack: Snack
    tasks: TaskOwner
    policy: ChatPolicy
    role: str  # this user's in the group: owner, admin, member; empty elsewhere

    def held(self, message_id: str) -> Message | None:
        """A message of the window, None when it is not held."""
        ...

    def jump_to_message(self, message_id: str) -> None:
        """Shows a message, out of the history if need be."""
        ...
