"""Verbs that read conversations and messages: what the store holds with the outbox laid over it; the server is asked only for what is missing here."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Final

import msgspec

from desktop.core.domain import (
    Conversation,
    Member,
    Message,
    MessageKind,
    MessagePage,
    Person,
    Readers,
    Receipt,
)
from desktop.core.domain.search import Facet, MessagesWanted
from desktop.core.errors import Offline
from desktop.core.protocol.answers import GetAnswer
from desktop.core.protocol.objects import decode_object
from desktop.core.services import message_overlay, overlay
from desktop.core.services.context import Context
from desktop.core.sync.outbox import Edit, conversation_of
from desktop.core.sync.port import Store

DRAFTS: Final = "drafts"
_LOOK_AHEAD: Final = 200
"""Messages above a pending read marker that are looked at to count what it leaves unread."""


class Anchor(StrEnum):
    """Where a window of messages stands."""

    NEWEST = "newest"
    FIRST_UNREAD = "firstUnread"


class ChatReading:
    """Conversations as this user sees them, pending edits included."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def conversations(self) -> list[Conversation]:
        """All conversations, pinned ones first, then the newest; what was hidden comes back with its next message."""
        store, me = self._context.store, self._context.me

        def load() -> list[Conversation]:
            edits = store.load_edits()
            drafts = store.load_local(DRAFTS)
            confirmed = store.load_conversations()
            known = {conversation.id for conversation in confirmed}
            made = [overlay.created_conversation(edit, me) for edit in edits]
            everyone = [*confirmed, *(c for c in made if c is not None and c.id not in known)]
            names = _names(store, (c.peer_id for c in everyone if c.peer_id is not None and not c.name))
            touched, quiet = _by_conversation(edits), _quiet_after(store, me)
            found = [
                _finished(overlay.with_edits(c, touched.get(c.id, ()), me, quiet), names, drafts.get(c.id))
                for c in everyone
            ]
            shown = [conversation for conversation in found if not is_hidden(conversation)]
            return sorted(shown, key=lambda c: (not c.pinned, -c.updated_at, c.id))

        return await self._context.db(load)

    async def conversation(self, conversation_id: str) -> Conversation | None:
        """One of them."""
        store, me = self._context.store, self._context.me

        def load() -> Conversation | None:
            edits = store.load_edits(conversation_id)
            found = store.load_object("Conversation", conversation_id)
            if found is None:
                made = (overlay.created_conversation(e, me) for e in edits if e.object_id == conversation_id)
                found = next((c for c in made if c is not None), None)
            if not isinstance(found, Conversation):
                return None
            names = _names(store, [found.peer_id] if found.peer_id else [])
            shown = overlay.with_edits(found, edits, me, _quiet_after(store, me))
            return _finished(shown, names, store.load_local(DRAFTS).get(found.id))

        return await self._context.db(load)

    async def window(
        self, conversation_id: str, *, around: Anchor | str | int = Anchor.NEWEST, limit: int = 60
    ) -> MessagePage:
        """A run of messages around the newest one, the first unread one, or a sequence number. Asks the server only for what is missing;
        offline, what there is."""
        conversation = await self.conversation(conversation_id)
        if conversation is None:
            return MessagePage(())
        top = conversation.last_seq
        unread = conversation.unread_count > 0 and conversation.read_seq < top
        first_unread = conversation.read_seq + 1 if unread and around == Anchor.FIRST_UNREAD else top
        middle = first_unread if isinstance(around, str) else max(1, min(around, top))
        if top - middle < limit // 2:
            return await self._page(conversation_id, top, before=None, limit=limit)
        low = max(1, middle - limit // 2)
        await self._fill(conversation_id, low, min(top, low + limit - 1), limit, newest_first=False)
        return await self._page(conversation_id, top, after=low - 1, limit=limit)

    async def older(self, conversation_id: str, before_seq: int, limit: int = 60) -> MessagePage:
        """The messages just before `before_seq`."""
        conversation = await self.conversation(conversation_id)
        top = conversation.last_seq if conversation else 0
        return await self._page(conversation_id, top, before=before_seq, limit=limit)

    async def newer(self, conversation_id: str, after_seq: int, limit: int = 60) -> MessagePage:
        """The messages just after `after_seq`; at the newest end the pending ones too."""
        conversation = await self.conversation(conversation_id)
        top = conversation.last_seq if conversation else 0
        await self._fill(conversation_id, after_seq + 1, min(top, after_seq + limit), limit, newest_first=False)
        return await self._page(conversation_id, top, after=after_seq, limit=limit)

    async def message(self, message_id: str) -> Message | None:
        """One message, confirmed or pending."""
        store, me = self._context.store, self._context.me

        def load() -> Message | None:
            found = store.load_object("Message", message_id)
            if isinstance(found, Message):
                return message_overlay.with_changes([found], store.load_edits(found.conversation_id), me)[0]
            edits = store.load_edits()
            return next(
                (overlay.pending_message(e, me) for e in edits if overlay.is_message(e) and e.object_id == message_id),
                None,
            )

        return await self._context.db(load)

    async def messages(self, message_ids: Sequence[str]) -> list[Message]:
        """Those of the messages that are here, in the order they are named."""
        return [message for key in message_ids if (message := await self.message(key)) is not None]

    async def _lane(self, kind: str, conversation_id: str) -> str:
        """The lane of a setting: one of its own, so that a read marker does not wait behind an upload; but behind the making of the conversation."""
        made = await self._context.db(self._context.store.load_object, "Conversation", conversation_id)
        return conversation_lane(conversation_id) if made is None else f"{kind}:{conversation_id}"

    async def find_message(self, message_id: str) -> Message | None:
        """One message, asked of the server where it is not here (a quoted one of long ago); None: it is gone, or nobody can be asked."""
        here = await self.message(message_id)
        if here is not None or not self._context.live:
            return here
        found = await self._fetch([message_id])
        return found[0] if found else None

    async def _fetch(self, message_ids: Sequence[str]) -> list[Message]:
        """Messages as the server has them; they are not kept."""
        answer = await self._context.call("Message/get", {"ids": list(message_ids)}, GetAnswer)
        values = [decode_object("Message", raw, self._context.me) for raw in answer.objects]
        return [value for value in values if isinstance(value, Message)]

    async def _page(
        self, conversation_id: str, top: int, *, before: int | None = None, after: int | None = None, limit: int
    ) -> MessagePage:
        if after is None:
            high = top if before is None else before - 1
            await self._fill(conversation_id, max(1, high - limit + 1), high, limit, newest_first=True)
        store, me = self._context.store, self._context.me

        def load() -> MessagePage:
            messages = store.load_messages(conversation_id, before=before, after=after, limit=limit)
            last = messages[-1].seq if messages else (after if after is not None else 0)
            newest = before is None and last >= top
            edits = store.load_edits(conversation_id)
            if edits:
                messages = message_overlay.with_changes(messages, edits, me)
            if before is None and (after is None or newest):
                held = {message.id for message in messages}
                pending = overlay.pending_messages(edits, conversation_id, me)
                messages += [message for message in pending if message.id not in held]
            first = messages[0].seq if messages and messages[0].seq else (before or top + 1)
            has_older = first > 1 and bool(len(messages) >= limit or self._more_before(conversation_id, first))
            return MessagePage(tuple(messages), has_older, before is not None or (not newest and last < top))

        return await self._context.db(load)

    def _more_before(self, conversation_id: str, first: int) -> bool:
        """Whether anything older is held, or unknown yet."""
        if self._context.store.load_messages(conversation_id, before=first, limit=1):
            return True
        covered = self._context.store.load_coverage(conversation_id)
        return not any(low <= 1 and high >= first - 1 for low, high in covered)

    async def _fill(self, conversation_id: str, low: int, high: int, limit: int, *, newest_first: bool) -> None:
        if low > high:
            return
        try:
            await self._context.driver.fill(conversation_id, low, high, limit, newest_first=newest_first)
        except Offline:
            return  # what is here is shown; the rest comes when the network does

    async def members(self, conversation_id: str) -> list[Member]:
        """Who is in it, owner and admins first."""
        rank = {"owner": 0, "admin": 1}
        store = self._context.store

        def load() -> list[Member]:
            found = [
                value for value in store.load_objects("Member", parent=conversation_id) if isinstance(value, Member)
            ]
            return overlay.members_with_edits(found, store.load_edits(conversation_id), conversation_id)

        members = await self._context.db(load)
        return sorted(members, key=lambda m: (rank.get(m.role, 2), m.joined_at, m.id))

    async def readers(self, message_id: str) -> Readers:
        """Who has read a message, and who has confirmed it; nobody for one that is not sent."""
        message = await self.message(message_id)
        if message is None or not message.seq:
            return Readers()
        people = [m.person_id for m in await self.members(message.conversation_id) if m.person_id != message.sender_id]
        conversation = await self.conversation(message.conversation_id)
        seen = {receipt.person_id: receipt.read_seq for receipt in await self.receipts(message.conversation_id)}
        if conversation is not None:
            seen[self._context.me] = max(conversation.read_seq, seen.get(self._context.me, 0))
        done = set(message.confirmed_ids)
        return Readers(
            tuple(person for person in people if seen.get(person, 0) >= message.seq),
            tuple(person for person in people if seen.get(person, 0) < message.seq),
            tuple(person for person in people if person in done),
            tuple(person for person in people if person not in done),
        )

    async def receipts(self, conversation_id: str) -> list[Receipt]:
        """How far each member has read."""
        found = await self._context.db(lambda: self._context.store.load_objects("Receipt", parent=conversation_id))
        return [value for value in found if isinstance(value, Receipt)]

    async def search(self, text: str, *, conversation_id: str | None = None, limit: int = 50) -> list[Message]:
        """Messages on this device that hold every word; without those whose recall is on its way."""
        store, me = self._context.store, self._context.me

        def load() -> list[Message]:
            found, _ = store.search_messages(MessagesWanted(text, conversation_id, limit=limit))
            return [m for m in message_overlay.with_changes(found, store.load_edits(), me) if m.recalled_at is None]

        return await self._context.db(load) if text.strip() else []

    async def sent_files(self, conversation_id: str, *, pictures: bool, limit: int = 300) -> list[Message]:
        """Files of a conversation that are known on this device, or its pictures and videos; the newest first."""
        facets = frozenset({Facet.PICTURE if pictures else Facet.FILE})
        wanted = MessagesWanted(conversation_id=conversation_id, facets=facets, limit=limit)
        return (await self._context.db(self._context.store.search_messages, wanted))[0]


def _quiet_after(store: Store, me: str) -> overlay.QuietAfter:
    def count(conversation_id: str, seq: int) -> int:
        held = store.load_messages(conversation_id, after=seq, limit=_LOOK_AHEAD)
        return sum(message.sender_id == me or message.kind is MessageKind.SYSTEM for message in held)

    return count


def _names(store: Store, person_ids: Iterable[str]) -> dict[str, str]:
    """One by one: a list has hundreds of peers, an office tens of thousands of people."""
    found = (store.load_object("Person", person_id) for person_id in set(person_ids))
    return {person.id: person.name for person in found if isinstance(person, Person)}


def _by_conversation(edits: Sequence[Edit]) -> dict[str, list[Edit]]:
    found: dict[str, list[Edit]] = {}
    for edit in edits:
        found.setdefault(conversation_of(edit), []).append(edit)
    return found


def conversation_lane(conversation_id: str) -> str:
    """The lane of what is said in a conversation, and of its making."""
    return f"conversation:{conversation_id}"


class LocalDraft(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What is typed here and not handed to the server yet; then the server's word counts, which all devices see."""

    text: str
    reply_to_id: str | None = None


def read_draft(data: bytes) -> LocalDraft | None:
    """A draft as it lies on disk; earlier programs kept the text alone."""
    try:
        held = msgspec.json.decode(data, type=str | LocalDraft)
    except msgspec.MsgspecError:
        return None
    return LocalDraft(held) if isinstance(held, str) else held


def is_hidden(conversation: Conversation) -> bool:
    """Whether the user took it off the list and nothing came since."""
    if conversation.hidden_at is None or conversation.draft:
        return False
    last = conversation.last_message
    return last is None or last.sent_at <= conversation.hidden_at


def _finished(conversation: Conversation, names: dict[str, str], draft: bytes | None) -> Conversation:
    """With the peer's name and the draft."""
    changed: dict[str, Any] = {}
    if conversation.peer_id is not None and not conversation.name:
        changed["name"] = names.get(conversation.peer_id, "")
    held = None if draft is None else read_draft(draft)
    if held is not None:
        changed |= {"draft": held.text, "draft_reply_to_id": held.reply_to_id}
    return msgspec.structs.replace(conversation, **changed) if changed else conversation
