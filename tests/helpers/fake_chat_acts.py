"""The verbs of ChatService beyond plain sending, in memory: message changes, other kinds, own settings. A base of FakeChat; no Qt in here."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from desktop.core.domain import (
    Attachment,
    Card,
    Chain,
    ChainEntry,
    ChatPolicy,
    Conversation,
    Merged,
    MergedItem,
    Message,
    MessageKind,
    Notify,
    Pin,
    Poll,
    PollOption,
    PollResult,
    Readers,
    TextVersion,
)
from desktop.core.errors import Rejected

if TYPE_CHECKING:
    pass


from tests.helpers.fake_chat_groups import FakeChatGroups
from tests.helpers.fake_chat_keeping import FakeChatKeeping


class FakeChatActs(FakeChatGroups, FakeChatKeeping):
    """What FakeChat adds to its conversations and messages."""

    # ---- messages

    def put(self, message: Message) -> None:
        """A message as it is now; tells so, and moves the conversation's last line."""
        talk = self._talk(message.conversation_id)
        for row, known in enumerate(talk.held):
            if known.id == message.id:
                talk.messages[row] = message
        last = self._rooms[message.conversation_id].last_message
        self._session.publish_messages(message.conversation_id, message.id)
        if last is not None and last.id == message.id:
            text = "" if message.recalled_at else message.text
            line = msgspec.structs.replace(
                last, text=text, recalled_at=message.recalled_at, recalled_by_id=message.recalled_by_id
            )
            self.change(message.conversation_id, last_message=line)

    def _alter(self, name: str, message_id: str, change: Callable[[Message], Message], written: str = "") -> None:
        if not self._refused(name, "Message", message_id, written):
            self.put(change(self.find(message_id)))

    async def messages(self, message_ids: Sequence[str]) -> list[Message]:
        await self._act("messages", tuple(message_ids))
        wanted = set(message_ids)
        return [m for talk in self.talks.values() for m in (*talk.held, *talk.pending) if m.id in wanted]

    async def readers(self, message_id: str) -> Readers:
        await self._act("readers", message_id)
        message = self.find(message_id)
        talk = self._talk(message.conversation_id)
        others = [p for p in talk.members if p != message.sender_id]
        read = tuple(p for p in others if p == self._session.me.id or talk.receipts.get(p, 0) >= message.seq)
        confirmed = tuple(p for p in others if p in message.confirmed_ids)
        return Readers(
            read, tuple(p for p in others if p not in read), confirmed, tuple(p for p in others if p not in confirmed)
        )

    async def policy(self) -> ChatPolicy:
        await self._act("policy")
        return self.limits

    async def conversation(self, conversation_id: str) -> Conversation | None:
        await self._act("conversation", conversation_id)
        return self._rooms.get(conversation_id)

    async def search(self, text: str, **narrowed: Any) -> list[Message]:
        await self._act("search", text, narrowed)
        room, sender = narrowed.get("conversation_id"), narrowed.get("sender_id")
        kinds = set(narrowed.get("kinds", ()))
        since, until = narrowed.get("since") or 0, narrowed.get("until") or 1 << 60
        found = [
            m
            for key, talk in self.talks.items()
            if room in (None, key)
            for m in talk.held
            if text in m.text and sender in (None, m.sender_id) and since <= m.sent_at < until
        ]
        found = [m for m in found if not kinds or m.kind in kinds]
        return sorted(found, key=lambda m: -m.sent_at)[: narrowed.get("limit", 50)]

    async def sent_files(self, conversation_id: str, *, pictures: bool, limit: int = 300) -> list[Message]:
        await self._act("sent_files", conversation_id, pictures)
        kind = MessageKind.PICTURE if pictures else MessageKind.FILE
        return [m for m in reversed(self._talk(conversation_id).held) if m.kind is kind][:limit]

    async def edit(
        self, message_id: str, text: str, mentions: Iterable[str] = (), *, formatted: str | None = None
    ) -> None:
        await self._act("edit", message_id, text, tuple(mentions))
        before = self.find(message_id)

        def change(m: Message) -> Message:
            self.versions.setdefault(message_id, []).append(
                TextVersion(before.text, before.edited_at or before.sent_at)
            )
            return msgspec.structs.replace(
                m, text=text, mentions=tuple(mentions), formatted=formatted, edited_at=self._now
            )

        self._alter("edit", message_id, change, text)

    async def history(self, message_id: str) -> list[TextVersion]:
        await self._act("history", message_id)
        return list(self.versions.get(message_id, ()))

    async def recall(self, message_id: str) -> None:
        await self._act("recall", message_id)
        if any(m.id == message_id for talk in self.talks.values() for m in talk.pending):
            await self.discard(message_id)
            return

        def change(m: Message) -> Message:
            return Message(
                m.id,
                m.conversation_id,
                m.kind,
                seq=m.seq,
                sender_id=m.sender_id,
                sent_at=m.sent_at,
                recalled_at=self._now,
                recalled_by_id=self._session.me.id,
            )

        self._alter("recall", message_id, change)

    async def react(self, message_id: str, emoji: str, on: bool = True) -> None:
        await self._act("react", message_id, emoji, on)
        me = self._session.me.id

        def change(m: Message) -> Message:
            people = [p for p in m.reactions.get(emoji, ()) if p != me] + ([me] if on else [])
            reactions = {**m.reactions, emoji: tuple(people)}
            return msgspec.structs.replace(m, reactions={key: ids for key, ids in reactions.items() if ids})

        self._alter("react", message_id, change)

    async def pin_message(self, message_id: str, pinned: bool) -> None:
        await self._act("pin_message", message_id, pinned)
        pin = Pin(self._session.me.id, self._now) if pinned else None
        self._alter("pin_message", message_id, lambda m: msgspec.structs.replace(m, pinned=pin))

    async def pinned_messages(self, conversation_id: str) -> list[Message]:
        await self._act("pinned_messages", conversation_id)
        pinned = [m for m in self._talk(conversation_id).held if m.pinned is not None]
        return sorted(pinned, key=lambda m: -m.pinned.at if m.pinned else 0)

    async def confirm(self, message_id: str) -> None:
        await self._act("confirm", message_id)
        me = self._session.me.id

        def change(m: Message) -> Message:
            return msgspec.structs.replace(m, confirmed_ids=tuple(dict.fromkeys((*m.confirmed_ids, me))))

        self._alter("confirm", message_id, change)

    async def remind(self, message_id: str, person_ids: Sequence[str] | None = None) -> None:
        await self._act("remind", message_id, None if person_ids is None else tuple(person_ids))
        self._online()

    async def choose(self, message_id: str, option_ids: Sequence[str]) -> None:
        await self._act("choose", message_id, tuple(option_ids))
        me = self._session.me.id

        def change(m: Message) -> Message:
            results: dict[str, PollResult] = {}
            for option in m.poll.options if m.poll else ():
                held = m.results.get(option.id, PollResult())
                people = [p for p in held.person_ids if p != me] + ([me] if option.id in option_ids else [])
                count = held.count - (option.id in m.choice) + (option.id in option_ids)
                results[option.id] = PollResult(count, () if m.poll and m.poll.anonymous else tuple(people))
            return msgspec.structs.replace(m, results=results, choice=tuple(option_ids))

        self._alter("choose", message_id, change)

    async def close_poll(self, message_id: str) -> None:
        await self._act("close_poll", message_id)

        def change(m: Message) -> Message:
            closed = msgspec.structs.replace(m.poll, closed_at=self._now) if m.poll else None
            return msgspec.structs.replace(m, poll=closed)

        self._alter("close_poll", message_id, change)

    async def set_entry(self, message_id: str, text: str | None) -> None:
        await self._act("set_entry", message_id, text)
        me = self._session.me.id

        def change(m: Message) -> Message:
            rest = [e for e in m.entries if e.person_id != me]
            return msgspec.structs.replace(m, entries=(*rest, ChainEntry(me, text, self._now)) if text else tuple(rest))

        self._alter("set_entry", message_id, change)

    async def open_merged(self, message_id: str, path: Sequence[int] = ()) -> Merged:
        await self._act("open_merged", message_id, tuple(path))
        merged = self.find(message_id).merged
        if merged is None:
            raise Rejected(type="notFound")
        return self.nested.get((message_id, *path), merged) if path else merged

    async def find_message(self, message_id: str) -> Message | None:
        await self._act("find_message", message_id)
        found = [m for talk in self.talks.values() for m in (*talk.held, *talk.pending) if m.id == message_id]
        return found[0] if found else None

    # ---- sending
    async def send_code(self, conversation_id: str, text: str, language: str | None = None) -> Message:
        await self._act("send_code", conversation_id, text, language)
        return self._queue(conversation_id, MessageKind.TEXT, text, code=True, language=language)

    async def send_voice(
        self, conversation_id: str, data: bytes, duration_ms: int, waveform: Sequence[int], type: str = "audio/ogg"
    ) -> Message:
        await self._act("send_voice", conversation_id, duration_ms)
        blob = self._session.files.keep(data)
        attachment = Attachment(blob, "voice.ogg", type, len(data), duration_ms=duration_ms, waveform=tuple(waveform))
        return self._queue(conversation_id, MessageKind.VOICE, "", attachment=attachment)

    async def send_video(
        self,
        conversation_id: str,
        path: Any,
        *,
        duration_ms: int | None = None,
        width: int | None = None,
        height: int | None = None,
    ) -> Message:
        await self._act("send_video", conversation_id, path)
        attachment = Attachment(
            "", str(path).rpartition("/")[2], "video/mp4", 4_000_000, width, height, duration_ms=duration_ms
        )
        return self._queue(conversation_id, MessageKind.VIDEO, "", attachment=attachment, local_path=str(path))

    async def send_built_in(self, conversation_id: str, name: str, text: str) -> Message:
        await self._act("send_built_in", conversation_id, name, text)
        return self._queue(conversation_id, MessageKind.STICKER, text, sticker=name)

    async def send_sticker(self, conversation_id: str, sticker_id: str) -> Message:
        await self._act("send_sticker", conversation_id, sticker_id)
        sticker = self.sticker_list[sticker_id]
        attachment = Attachment(sticker.blob_id, sticker.name or "sticker", sticker.type, 20_000, 160, 160)
        return self._queue(conversation_id, MessageKind.STICKER, "", attachment=attachment)

    async def send_shake(self, conversation_id: str) -> Message:
        await self._act("send_shake", conversation_id)
        self._online()
        return self._queue(conversation_id, MessageKind.SHAKE, "")

    async def send_card(self, conversation_id: str, card: Card, text: str = "") -> Message:
        await self._act("send_card", conversation_id, card, text)
        return self._queue(conversation_id, MessageKind.TEXT, text, card=card)

    async def send_poll(
        self,
        conversation_id: str,
        question: str,
        options: Sequence[str],
        *,
        multiple: bool = False,
        anonymous: bool = False,
        closes_at: int | None = None,
    ) -> Message:
        await self._act("send_poll", conversation_id, question, tuple(options))
        made = tuple(PollOption(str(place), text) for place, text in enumerate(options, 1))
        poll = Poll(question, made, multiple, anonymous, closes_at)
        return self._queue(conversation_id, MessageKind.POLL, "", poll=poll)

    async def send_chain(self, conversation_id: str, title: str, example: str | None = None) -> Message:
        await self._act("send_chain", conversation_id, title, example)
        return self._queue(conversation_id, MessageKind.CHAIN, "", chain=Chain(title, example))

    async def forward(self, message_ids: Sequence[str], conversation_ids: Sequence[str]) -> list[Message]:
        await self._act("forward", tuple(message_ids), tuple(conversation_ids))
        found = [self.find(key) for key in message_ids]
        return [
            self._queue(
                room, m.kind, m.text, attachment=m.attachment, card=m.card, merged=m.merged, code=m.code, forwarded=True
            )
            for room in conversation_ids
            for m in found
        ]

    async def forward_merged(self, message_ids: Sequence[str], conversation_ids: Sequence[str]) -> list[Message]:
        await self._act("forward_merged", tuple(message_ids), tuple(conversation_ids))
        found = sorted((self.find(key) for key in message_ids), key=lambda m: m.seq)
        items = tuple(MergedItem(m.sender_id, "", m.sent_at, m.kind, m.text, m.attachment, m.card) for m in found)
        merged = Merged(self._rooms[found[0].conversation_id].name, items)
        return [self._queue(room, MessageKind.MERGED, "", merged=merged) for room in conversation_ids]

    # ---- own settings
    async def set_notify(self, conversation_id: str, notify: Notify) -> None:
        await self._act("set_notify", conversation_id, notify)
        self.change(conversation_id, notify=notify, muted=notify is Notify.NONE)

    async def set_folder(self, conversation_id: str, folder: str | None) -> None:
        await self._act("set_folder", conversation_id, folder)
        self.change(conversation_id, folder=folder)

    async def set_marked_unread(self, conversation_id: str, unread: bool) -> None:
        await self._act("set_marked_unread", conversation_id, unread)
        self.change(conversation_id, marked_unread=unread)

    async def set_hidden(self, conversation_id: str, hidden: bool) -> None:
        await self._act("set_hidden", conversation_id, hidden)
        self.change(conversation_id, hidden_at=self._now if hidden else None)
