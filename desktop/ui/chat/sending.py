"""Sends what the composer hands over, in order; what could not be queued goes back into the composer, or into its draft."""

import asyncio
from dataclasses import asdict, replace
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from desktop.core.domain import ConnectionState
from desktop.core.errors import AppError
from desktop.models.verbs import TalkSession
from desktop.ui import i18n
from desktop.ui.chat.open_talk import OpenTalk
from desktop.ui.chat.outgoing import Outgoing
from desktop.ui.tasks import alive


class Sender(QObject):
    """Acts for one open talk's composer."""

    def __init__(self, host: QWidget, talk: OpenTalk, session: TalkSession) -> None:
        super().__init__(host)
        self._host, self._talk, self._session = host, talk, session
        self._sending = asyncio.Lock()
        talk.composer.submitted.connect(self._on_submitted)
        talk.composer.draft_changed.connect(self._on_draft)
        talk.composer.typed.connect(self._on_typed)

    def _on_submitted(self, outgoing: Outgoing) -> None:
        if self._talk.conversation is not None:
            self._talk.tasks.start(self._send(self._talk.conversation.id, outgoing), name="send")

    async def _send(self, conversation_id: str, outgoing: Outgoing) -> None:
        chat = self._session.chat
        left = list(outgoing.items)
        text, options = outgoing.text, outgoing.options
        try:
            async with self._sending:  # two presses of Send keep their order
                while left:
                    item = left[0]
                    confirm: dict[str, Any] = {"must_confirm": True} if options.must_confirm else {}
                    if item.is_picture:
                        await chat.send_picture(conversation_id, item.source, item.name, **confirm)
                    else:
                        await chat.send_file(conversation_id, item.source, **confirm)
                    left.pop(0)
                if text:
                    chosen: dict[str, Any] = {name: True for name, on in asdict(options).items() if on}
                    await chat.send_text(conversation_id, text, outgoing.mentions, outgoing.reply_to, **chosen)
                    text = ""
        except AppError as error:
            self._give_back(conversation_id, replace(outgoing, text=text, items=tuple(left)))
            self._talk.snack.say(i18n.error_text(error))
        except BaseException:
            self._give_back(conversation_id, replace(outgoing, text=text, items=tuple(left)))
            raise

    def _give_back(self, conversation_id: str, outgoing: Outgoing) -> None:
        if not alive(self._host):
            return
        shown = self._talk.conversation
        if shown is not None and shown.id == conversation_id:
            self._talk.composer.restore(outgoing)
        elif outgoing.text:
            self._on_draft(conversation_id, outgoing.text)

    def _on_draft(self, conversation_id: str, text: str) -> None:
        shown = self._talk.conversation
        here = shown is not None and shown.id == conversation_id
        reply = {"reply_to": self._talk.composer.reply_to} if here and text and self._talk.composer.reply_to else {}
        kept = self._session.chat.set_draft(conversation_id, text, **reply)
        self._talk.tasks.start(kept, name=f"draft-{conversation_id}")

    def _on_typed(self, conversation_id: str) -> None:
        if self._session.status.state is ConnectionState.LIVE:
            self._talk.tasks.start(self._session.chat.typing(conversation_id), name="typing", exclusive=True)
