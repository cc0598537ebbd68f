"""Verbs of what a conversation is to this user alone, on all devices: how far it is read, marks, folder, notices, drafts; and typing."""

import asyncio
from typing import Any, Final

from desktop.core.clock import utc_date
from desktop.core.domain import ConnectionState, Notify
from desktop.core.errors import Rejected
from desktop.core.events import ChangeSet, StatusChanged
from desktop.core.protocol.capabilities import changes_messages
from desktop.core.services.chat_reading import DRAFTS, ChatReading, LocalDraft, read_draft
from desktop.core.services.context import Context
from desktop.core.sync.outbox import EditKind

DRAFT_EVERY: Final = 2.0
"""Seconds between two versions of a draft that leave this device."""
MAX_DRAFT: Final = 10_000
MAX_FOLDER: Final = 50
_TYPING_EVERY: Final = 3.0


class ChatOwn(ChatReading):
    """Own settings of conversations."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._typed_at: dict[str, float] = {}
        self._drafts: dict[str, LocalDraft] = {}
        self._handing: set[str] = set()

    async def mark_read(self, conversation_id: str, seq: int) -> None:
        """Moves the read marker forward; counts drop at once. The server bounds it by the last message: the conversation may lag here."""
        conversation = await self.conversation(conversation_id)
        if conversation is None:
            return
        patch: dict[str, Any] = {"readSeq": seq} if seq > conversation.read_seq else {}
        if conversation.marked_unread:
            patch["markedUnread"] = False
        if patch:
            await self._set_own(conversation_id, patch)

    async def set_marked_unread(self, conversation_id: str, unread: bool) -> None:
        """Stands in the list as unread until it is read; the read marker stays."""
        await self._set_own(conversation_id, {"markedUnread": unread})

    async def set_muted(self, conversation_id: str, muted: bool) -> None:
        """No toasts from it: `Notify.NONE`, or everything again."""
        await self._set_notices(conversation_id, {"muted": muted})

    async def set_notify(self, conversation_id: str, notify: Notify) -> None:
        """What of it pops up."""
        await self._set_notices(conversation_id, {"notify": notify.value})

    async def set_pinned(self, conversation_id: str, pinned: bool) -> None:
        """At the top of the list."""
        await self._set_own(conversation_id, {"pinned": pinned})

    async def set_folder(self, conversation_id: str, folder: str | None) -> None:
        """Into a group of the list; None: into none.

        Raises:
            Rejected: longer than 50 characters.
        """
        name = (folder or "").strip()
        if len(name) > MAX_FOLDER:
            raise Rejected(type="invalidText", length=len(name))
        await self._set_own(conversation_id, {"folder": name or None})

    async def set_hidden(self, conversation_id: str, hidden: bool) -> None:
        """Off the list until its next message; False: back at once."""
        now = self._context.clock.now_ms()
        conversation = await self.conversation(conversation_id)
        if conversation is not None and conversation.last_message is not None:  # the server's clock may be ahead
            now = max(now, conversation.last_message.sent_at)
        await self._set_own(conversation_id, {"hiddenAt": utc_date(now) if hidden else None})

    async def _set_own(self, conversation_id: str, patch: dict[str, Any]) -> None:
        lane = await self._lane("marks", conversation_id)
        await self._context.edit(EditKind.UPDATE, "Conversation", conversation_id, patch, lane=lane)

    async def _set_notices(self, conversation_id: str, patch: dict[str, Any]) -> None:
        # Alone: each of the two ways to say it sets the other one, so they must not be said in one patch.
        lane = await self._lane("notices", conversation_id)
        await self._context.edit(EditKind.UPDATE, "Conversation", conversation_id, patch, lane=lane, alone=True)

    # ------------------------------------------------------------ drafts
    async def draft(self, conversation_id: str) -> str:
        """What was typed but not sent, here or on another device."""
        conversation = await self.conversation(conversation_id)
        if conversation is not None:
            return conversation.draft
        held = (await self._load_drafts()).get(conversation_id)
        return held.text if held is not None else ""

    async def set_draft(self, conversation_id: str, text: str, reply_to: str | None = None) -> None:
        """Keeps what is typed but not sent: here at once, on the other devices within two seconds of a connection."""
        held = LocalDraft(text, reply_to)
        self._drafts[conversation_id] = held
        await self._context.put_local(DRAFTS, conversation_id, held)
        self._context.bus.publish(ChangeSet("Conversation", (conversation_id,)))
        self._hand_soon(conversation_id)

    def on_status(self, event: StatusChanged) -> None:
        """A connection is there: drafts typed without one go."""
        if event.status.state is ConnectionState.LIVE:
            self._context.start(self._hand_all(), name="drafts")

    async def _load_drafts(self) -> dict[str, LocalDraft]:
        raw = await self._context.db(self._context.store.load_local, DRAFTS)
        return {key: held for key, data in raw.items() if (held := read_draft(data)) is not None}

    async def _hand_all(self) -> None:
        for conversation_id, held in (await self._load_drafts()).items():
            self._drafts.setdefault(conversation_id, held)
            self._hand_soon(conversation_id)

    def _hand_soon(self, conversation_id: str) -> None:
        if conversation_id not in self._handing:
            self._handing.add(conversation_id)
            self._context.start(self._hand(conversation_id), name="draft")

    async def _hand(self, conversation_id: str) -> None:
        """Gives the draft as it is two seconds on to the outbox; from then on the server's word counts."""
        try:
            await asyncio.sleep(DRAFT_EVERY)
        finally:
            self._handing.discard(conversation_id)
        held = self._drafts.get(conversation_id)
        known = await self.conversation(conversation_id)
        if held is None or known is None or not self._context.live or not changes_messages(self._context.driver.limits):
            return  # it stays here, for a connection to a server that keeps drafts
        await self._send_draft(conversation_id, held)
        if self._drafts.get(conversation_id) is held:  # nothing was typed meanwhile
            del self._drafts[conversation_id]
            await self._context.put_local(DRAFTS, conversation_id, None)

    async def _send_draft(self, conversation_id: str, held: LocalDraft) -> None:
        draft: dict[str, Any] | None = None
        if held.text or held.reply_to_id is not None:
            draft = {"text": held.text[:MAX_DRAFT]}
            if held.reply_to_id is not None:
                draft["replyToId"] = held.reply_to_id
        lane = await self._lane("draft", conversation_id)
        await self._context.edit(EditKind.UPDATE, "Conversation", conversation_id, {"draft": draft}, lane=lane)

    async def typing(self, conversation_id: str) -> None:
        """Tells the others, at most every three seconds."""
        now = self._context.clock.monotonic()
        if now - self._typed_at.get(conversation_id, -_TYPING_EVERY) >= _TYPING_EVERY:
            self._typed_at[conversation_id] = now
            self._context.driver.send_signal("typing", conversationId=conversation_id)
