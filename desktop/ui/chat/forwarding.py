"""Forwarding: asks where to, makes conversations with colleagues that have none, sends one by one or as one, says how it went."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QWidget

from desktop.core.domain import Card, Message
from desktop.core.domain.chat_rules import may_forward
from desktop.models.verbs import TalkSession
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.chat.summaries import summary
from desktop.ui.chat.text import one_line
from desktop.ui.i18n import tr
from desktop.ui.tasks import alive

if TYPE_CHECKING:
    from desktop.ui.chat.target_picker import Target


class Forwarder:
    """Acts for one open talk; the question stands over `host`."""

    def __init__(self, host: QWidget, talk: OpenTalk, session: TalkSession) -> None:
        self._host, self._talk, self._session = host, talk, session

    def start(self, messages: Sequence[Message], *, merged: bool = False) -> None:
        """Asks where the messages go, and sends them there."""
        self._talk.tasks.start(self._forward(list(messages), merged=merged), name="forward", exclusive=True)

    async def _forward(self, messages: list[Message], *, merged: bool) -> None:
        fit = [message for message in messages if may_forward(message)]
        if not fit:
            self._talk.snack.say(tr("chat_talk.forward.nothing"))
            return
        chat = self._session.chat
        people = self._talk.context.people
        first = one_line(summary(fit[0], people), 80)
        what = first if len(fit) == 1 else tr("chat_talk.forward.many", text=first, n=len(fit))
        from desktop.ui.chat.target_picker import ask_targets

        targets, said = await ask_targets(self._host, people, await chat.conversations(), summary=what)
        if not targets:
            return
        where = [await self.conversation_of(target) for target in targets]
        ids = [message.id for message in fit]
        if merged:
            await chat.forward_merged(ids, where)
        else:
            await chat.forward(ids, where)
        if said:
            for conversation_id in where:
                await chat.send_text(conversation_id, said)
        if alive(self._host):
            self._done(targets, len(messages) - len(fit))

    async def conversation_of(self, target: "Target") -> str:
        """The conversation of a target; the one with a colleague is made when there is none."""
        if target.conversation_id:
            return target.conversation_id
        return (await self._session.chat.open_direct(target.person_id)).id

    def _done(self, targets: "list[Target]", left_out: int) -> None:
        self._talk.view.picking.stop()
        key = "chat_talk.forward.done" if len(targets) == 1 else "chat_talk.forward.done_many"
        text = tr(key, name=targets[0].name, n=len(targets))
        if left_out:
            text = f"{text} {tr('chat_talk.forward.left_out', n=left_out)}"
        self._talk.snack.say(text)

    async def send_card(self, conversation_id: str) -> None:
        """Asks for a colleague and sends the contact card to a conversation."""
        from desktop.ui.chat.target_picker import ask_targets

        people = self._talk.context.people
        targets, _ = await ask_targets(
            self._host,
            people,
            [c for c in await self._session.chat.conversations() if c.peer_id],
            title_key="chat_talk.card.title",
            with_note=False,
            ok_key="chat_talk.card.send",
        )
        for target in targets:
            if target.person_id:
                card = Card("Person", target.person_id, target.name)
                await self._session.chat.send_card(conversation_id, card)
