"""Verbs of conversations and messages. Everything the user writes goes through the outbox; everything shown comes from the store."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from desktop.core.domain import (
    Conversation,
    ConversationKind,
    Member,
    Message,
    MessageKind,
    MessagePage,
    Person,
    Receipt,
)
from desktop.core.errors import BadFile, Offline, Rejected
from desktop.core.events import ChangeSet
from desktop.core.ids import direct_conversation_id, member_id
from desktop.core.services import overlay
from desktop.core.services.context import Context
from desktop.core.services.transfers import Outgoing, TransferService
from desktop.core.sync.events import EditDropped, EditRetried
from desktop.core.sync.outbox import Edit, EditKind, conversation_of
from desktop.core.sync.port import Store

MAX_TEXT: Final = 10_000
MAX_PICTURE: Final = 50 * 1024 * 1024
_DRAFTS: Final = "drafts"
_TYPING_EVERY: Final = 3.0
_LOOK_AHEAD: Final = 200
"""Messages above a pending read marker that are looked at to count what it leaves unread."""


class Anchor(StrEnum):
    """Where a window of messages stands."""

    NEWEST = "newest"
    FIRST_UNREAD = "firstUnread"


class ChatService:
    """Conversations as this user sees them, pending edits included."""

    def __init__(self, context: Context, transfers: TransferService) -> None:
        self._context = context
        self._transfers = transfers
        self._typed_at: dict[str, float] = {}

    # ------------------------------------------------------------ reading
    async def conversations(self) -> list[Conversation]:
        """All conversations, pinned ones first, then the newest."""
        store, me = self._context.store, self._context.me

        def load() -> list[Conversation]:
            edits = store.load_edits()
            drafts = store.load_local(_DRAFTS)
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
            return sorted(found, key=lambda c: (not c.pinned, -c.updated_at, c.id))

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
            return _finished(shown, names, store.load_local(_DRAFTS).get(found.id))

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
                return found
            edits = store.load_edits()
            return next(
                (overlay.pending_message(e, me) for e in edits if overlay.is_message(e) and e.object_id == message_id),
                None,
            )

        return await self._context.db(load)

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
            if before is None and (after is None or newest):
                held = {message.id for message in messages}
                pending = overlay.pending_messages(store.load_edits(conversation_id), conversation_id, me)
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
        found = await self._context.db(lambda: self._context.store.load_objects("Member", parent=conversation_id))
        members = [value for value in found if isinstance(value, Member)]
        return sorted(members, key=lambda m: (rank.get(m.role, 2), m.joined_at, m.id))

    async def receipts(self, conversation_id: str) -> list[Receipt]:
        """How far each member has read."""
        found = await self._context.db(lambda: self._context.store.load_objects("Receipt", parent=conversation_id))
        return [value for value in found if isinstance(value, Receipt)]

    async def search(self, text: str, *, conversation_id: str | None = None, limit: int = 50) -> list[Message]:
        """Messages on this device that hold every word."""
        store = self._context.store
        return await self._context.db(lambda: store.search_messages(text, conversation_id=conversation_id, limit=limit))

    # ------------------------------------------------------------ writing
    async def send_text(
        self, conversation_id: str, text: str, mentions: Iterable[str] = (), reply_to: str | None = None
    ) -> Message:
        """Queues a text; the message comes back pending.

        Raises:
            Rejected: empty, or longer than 10,000 characters.
        """
        if not text.strip() or len(text) > MAX_TEXT:
            raise Rejected(type="invalidText", length=len(text))
        payload: dict[str, Any] = {"conversationId": conversation_id, "kind": "text", "text": text}
        if named := list(mentions):
            payload["mentions"] = named
        if reply_to is not None:
            payload["replyToId"] = reply_to
        return await self._send(payload)

    async def send_emoji(self, conversation_id: str, emoji: str) -> Message:
        """One large emoji."""
        if not emoji or len(emoji) > 64:
            raise Rejected(type="invalidText", length=len(emoji))
        return await self._send({"conversationId": conversation_id, "kind": "emoji", "text": emoji})

    async def send_picture(self, conversation_id: str, source: Path | str | bytes, name: str | None = None) -> Message:
        """Queues a picture from a file or from the clipboard. It is kept sealed on this device, so that it shows at once and offline.

        Raises:
            BadFile: no picture we can read, or too large.
        """
        picture = Path(source) if isinstance(source, str) else source
        outgoing = await self._transfers.take_picture(picture, name, MAX_PICTURE)
        return await self._send_outgoing(conversation_id, "picture", outgoing, None)

    async def send_file(self, conversation_id: str, path: Path | str) -> Message:
        """Queues a file; it stays where it is until it is sent.

        Raises:
            BadFile: not a readable file.
        """
        path = Path(path)
        if not path.is_file():
            raise BadFile(reason="missing")
        outgoing = await self._transfers.take_file(path)
        return await self._send_outgoing(conversation_id, "file", outgoing, str(path))

    async def _send_outgoing(
        self, conversation_id: str, kind: str, outgoing: Outgoing, local_path: str | None
    ) -> Message:
        attachment = msgspec.to_builtins(outgoing.attachment)
        payload = {
            "conversationId": conversation_id,
            "kind": kind,
            "attachment": {key: value for key, value in attachment.items() if value not in (None, "")},
        }
        message = await self._send(payload, upload=outgoing.transfer_id, local_path=local_path)
        await self._transfers.begin_upload(outgoing, message.id)
        return message

    async def _send(
        self, payload: dict[str, Any], *, upload: str | None = None, local_path: str | None = None
    ) -> Message:
        message_id = self._context.new_id()
        edit = await self._context.edit(
            EditKind.CREATE,
            "Message",
            message_id,
            payload,
            lane=_lane(str(payload["conversationId"])),
            edit_id=message_id,
            upload=upload,
            local_path=local_path,
        )
        return overlay.pending_message(edit, self._context.me)

    async def retry(self, message_id: str) -> None:
        """Sends a refused message again."""
        await self._transfers.retry_of(message_id)
        await self._context.driver.do(EditRetried(self._context.clock.monotonic(), message_id))

    async def discard(self, message_id: str) -> None:
        """Takes a message back that was not sent yet."""
        await self._transfers.cancel_of(message_id)
        await self._context.driver.do(EditDropped(self._context.clock.monotonic(), message_id))

    async def mark_read(self, conversation_id: str, seq: int) -> None:
        """Moves the read marker forward; counts drop at once. The server bounds it by the last message: the conversation may lag here."""
        conversation = await self.conversation(conversation_id)
        if conversation is None or seq <= conversation.read_seq:
            return
        await self._update(conversation_id, {"readSeq": seq})

    async def set_muted(self, conversation_id: str, muted: bool) -> None:
        """No toasts from it (mentions still come)."""
        await self._update(conversation_id, {"muted": muted})

    async def set_pinned(self, conversation_id: str, pinned: bool) -> None:
        """At the top of the list."""
        await self._update(conversation_id, {"pinned": pinned})

    async def rename(self, conversation_id: str, name: str) -> None:
        """A group's name (owner, admin)."""
        await self._update(conversation_id, {"name": name})

    async def set_announcement(self, conversation_id: str, text: str) -> None:
        """A group's announcement (owner, admin)."""
        await self._update(conversation_id, {"announcement": {"text": text}})

    async def _update(self, conversation_id: str, patch: dict[str, Any]) -> None:
        # A lane of its own: a read marker must not wait behind an upload, nor a message behind a setting.
        lane = f"marks:{conversation_id}"
        await self._context.edit(EditKind.UPDATE, "Conversation", conversation_id, patch, lane=lane)

    async def open_direct(self, person_id: str) -> Conversation:
        """The direct conversation with a colleague; made when there is none, offline too."""
        conversation_id = direct_conversation_id(self._context.me, person_id)
        known = await self.conversation(conversation_id)
        if known is None:
            payload = {"kind": "direct", "memberIds": [person_id]}
            lane = _lane(conversation_id)
            await self._context.edit(EditKind.CREATE, "Conversation", conversation_id, payload, lane=lane)
            known = await self.conversation(conversation_id)
        return known or Conversation(conversation_id, ConversationKind.DIRECT, peer_id=person_id)

    async def create_group(self, name: str, person_ids: Sequence[str]) -> Conversation:
        """A new group with this user as its owner."""
        conversation_id = self._context.new_id()
        payload = {"kind": "group", "name": name, "memberIds": list(person_ids)}
        lane = _lane(conversation_id)
        await self._context.edit(EditKind.CREATE, "Conversation", conversation_id, payload, lane=lane)
        found = await self.conversation(conversation_id)
        return found or Conversation(conversation_id, ConversationKind.GROUP, name)

    async def add_members(self, conversation_id: str, person_ids: Sequence[str]) -> None:
        """Asks people in."""
        for person_id in person_ids:
            payload = {"conversationId": conversation_id, "personId": person_id}
            key = member_id(conversation_id, person_id)
            await self._context.edit(EditKind.CREATE, "Member", key, payload, lane=_lane(conversation_id))

    async def remove_member(self, conversation_id: str, person_id: str) -> None:
        """Removes somebody, or leaves (this user's own id)."""
        key = member_id(conversation_id, person_id)
        await self._context.edit(EditKind.DESTROY, "Member", key, {}, lane=_lane(conversation_id))

    async def set_draft(self, conversation_id: str, text: str) -> None:
        """Keeps what is typed but not sent, on this device."""
        await self._context.put_local(_DRAFTS, conversation_id, text or None)
        self._context.bus.publish(ChangeSet("Conversation", (conversation_id,)))

    async def draft(self, conversation_id: str) -> str:
        """What was typed but not sent."""
        drafts = await self._context.load_local(_DRAFTS, str)
        return drafts.get(conversation_id, "")

    async def typing(self, conversation_id: str) -> None:
        """Tells the others, at most every three seconds."""
        now = self._context.clock.monotonic()
        if now - self._typed_at.get(conversation_id, -_TYPING_EVERY) >= _TYPING_EVERY:
            self._typed_at[conversation_id] = now
            self._context.driver.send_signal("typing", conversationId=conversation_id)


def _lane(conversation_id: str) -> str:
    return f"conversation:{conversation_id}"


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


def _finished(conversation: Conversation, names: dict[str, str], draft: bytes | None) -> Conversation:
    """With the peer's name and the draft."""
    changed: dict[str, str] = {}
    if conversation.peer_id is not None and not conversation.name:
        changed["name"] = names.get(conversation.peer_id, "")
    if draft is not None:
        try:
            changed["draft"] = msgspec.json.decode(draft, type=str)
        except msgspec.MsgspecError:
            changed["draft"] = ""
    return msgspec.structs.replace(conversation, **changed) if changed else conversation
