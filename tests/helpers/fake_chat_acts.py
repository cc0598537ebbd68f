"""The verbs of ChatService beyond plain sending, in memory: message changes, own settings, groups, what one keeps. A base of FakeChat; no Qt in here."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from desktop.core.domain import (
    Announcement,
    Attachment,
    Card,
    Chain,
    ChainEntry,
    ChatPolicy,
    ConnectionState,
    Conversation,
    ConversationKind,
    Favorite,
    JoinRequest,
    JoinRule,
    JoinState,
    Member,
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
    ScheduledMessage,
    Sticker,
    TextVersion,
)
from desktop.core.errors import Offline, Rejected
from desktop.core.events import ChangeSet, EditRefused
from desktop.core.ids import member_id

if TYPE_CHECKING:
    from tests.helpers.fake_session import FakeSession


class FakeChatActs:
    """What FakeChat adds to its conversations and messages. `refusals`: verb → code: the next call of it is put back with that refusal."""

    if TYPE_CHECKING:
        _session: FakeSession
        talks: dict[str, Any]
        _rooms: dict[str, Conversation]
        drafts: dict[str, str]

        async def _begin(self, name: str, *arguments: object) -> None: ...
        def add(self, conversation: Conversation, messages: Any, *, members: tuple[str, ...] = ()) -> None: ...
        def _talk(self, conversation_id: str) -> Any: ...
        def _queue(self, conversation_id: str, kind: MessageKind, text: str, **more: Any) -> Message: ...
        def change(self, conversation_id: str, **fields: Any) -> None: ...
        async def discard(self, message_id: str) -> None: ...

    def __init__(self) -> None:
        self.versions: dict[str, list[TextVersion]] = {}
        self.roles: dict[tuple[str, str], dict[str, Any]] = {}
        self.announcement_list: dict[str, Announcement] = {}
        self.request_list: dict[str, JoinRequest] = {}
        self.scheduled_list: dict[str, ScheduledMessage] = {}
        self.favorite_list: dict[str, Favorite] = {}
        self.sticker_list: dict[str, Sticker] = {}
        self.nested: dict[tuple[str | int, ...], Merged] = {}
        self.refusals: dict[str, str] = {}
        self.limits = ChatPolicy()
        self._kept = 0

    async def _act(self, name: str, *arguments: object) -> None:
        await self._begin(f"chat.{name}", *arguments)

    def _refused(self, name: str, type_name: str, object_id: str, written: str = "") -> bool:
        code = self.refusals.pop(name, None)
        if code is not None:
            self._session.events.publish(EditRefused(type_name, object_id, code, written=written))
        return code is not None

    def _tell(self, type_name: str, *ids: str) -> None:
        self._session.events.publish(ChangeSet(type_name, ids))

    def _next(self, prefix: str) -> str:
        self._kept += 1
        return f"{prefix}-own-{self._kept}"

    @property
    def _now(self) -> int:
        return self._session.clock.now_ms()

    # ---- messages
    def find(self, message_id: str) -> Message:
        """A message by id. Raises Rejected."""
        for talk in self.talks.values():
            for message in talk.held:
                if message.id == message_id:
                    return message  # type: ignore[no-any-return]
        raise Rejected(type="notFound", description=message_id)

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

    def _online(self) -> None:
        if self._session.status.state is not ConnectionState.LIVE:
            raise Offline(reason="offline")

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

    # ---- groups
    def member_of(self, conversation_id: str, person_id: str) -> Member:
        """One member as it is now; the first of a group is its owner."""
        first = self._talk(conversation_id).members[0]
        known: dict[str, Any] = {"role": "owner" if person_id == first else "member"}
        known |= self.roles.get((conversation_id, person_id), {})
        return Member(member_id(conversation_id, person_id), conversation_id, person_id, **known)

    def set_member(self, conversation_id: str, person_id: str, **fields: Any) -> None:
        """Changes one member and tells so."""
        self.roles.setdefault((conversation_id, person_id), {}).update(fields)
        self._tell("Member", member_id(conversation_id, person_id))

    async def members(self, conversation_id: str) -> list[Member]:
        await self._act("members", conversation_id)
        rank = {"owner": 0, "admin": 1}
        found = [self.member_of(conversation_id, p) for p in self._talk(conversation_id).members]
        return sorted(found, key=lambda m: rank.get(m.role, 2))

    async def create_department_group(self, department_id: str) -> str:
        await self._act("create_department_group", department_id)
        self._online()
        key = self._next("c-dept")
        people = [p for p in self._session.people if any(i.department_id == department_id for i in p.identities)]
        members = tuple(dict.fromkeys([self._session.me.id, *(p.id for p in people)]))
        group = Conversation(key, ConversationKind.GROUP, department_id, member_count=len(members))
        self.add(msgspec.structs.replace(group, department_id=department_id), [], members=members)
        self._tell("Conversation", key)
        return key

    async def rename(self, conversation_id: str, name: str) -> None:
        await self._act("rename", conversation_id, name)
        self.change(conversation_id, name=name)

    async def add_members(self, conversation_id: str, person_ids: Sequence[str]) -> None:
        await self._act("add_members", conversation_id, tuple(person_ids))
        self._set_members(conversation_id, (*self._talk(conversation_id).members, *person_ids))

    async def remove_member(self, conversation_id: str, person_id: str) -> None:
        await self._act("remove_member", conversation_id, person_id)
        self._set_members(conversation_id, tuple(p for p in self._talk(conversation_id).members if p != person_id))

    def _set_members(self, conversation_id: str, people: tuple[str, ...]) -> None:
        self._talk(conversation_id).members = people
        self._tell("Member", *(member_id(conversation_id, p) for p in people))
        self.change(conversation_id, member_count=len(people))

    async def set_role(self, conversation_id: str, person_id: str, role: str) -> None:
        await self._act("set_role", conversation_id, person_id, role)
        if not self._refused("set_role", "Member", member_id(conversation_id, person_id)):
            self.set_member(conversation_id, person_id, role=role)

    async def transfer(self, conversation_id: str, person_id: str) -> None:
        await self._act("transfer", conversation_id, person_id)
        self.set_member(conversation_id, self._session.me.id, role="member")
        self.set_member(conversation_id, person_id, role="owner")

    async def mute_member(self, conversation_id: str, person_id: str, until: int | None) -> None:
        await self._act("mute_member", conversation_id, person_id, until)
        self.set_member(conversation_id, person_id, muted_until=until)

    async def set_nickname(self, conversation_id: str, nickname: str | None) -> None:
        await self._act("set_nickname", conversation_id, nickname)
        self.set_member(conversation_id, self._session.me.id, nickname=nickname)

    async def mute_all(self, conversation_id: str, muted: bool) -> None:
        await self._act("mute_all", conversation_id, muted)
        self.change(conversation_id, muted_all=muted)

    async def set_join_rule(self, conversation_id: str, rule: JoinRule) -> None:
        await self._act("set_join_rule", conversation_id, rule)
        self.change(conversation_id, join_rule=rule)

    async def set_anyone_pins(self, conversation_id: str, anyone: bool) -> None:
        await self._act("set_anyone_pins", conversation_id, anyone)
        self.change(conversation_id, anyone_pins=anyone)

    async def set_anyone_invites(self, conversation_id: str, anyone: bool) -> None:
        await self._act("set_anyone_invites", conversation_id, anyone)
        self.change(conversation_id, anyone_invites=anyone)

    async def set_avatar(self, conversation_id: str, source: Any) -> None:
        await self._act("set_avatar", conversation_id)
        self.change(conversation_id, avatar_blob_id=self._session.files.keep(source))

    async def dissolve(self, conversation_id: str) -> None:
        await self._act("dissolve", conversation_id)
        self.change(conversation_id, dissolved_at=self._now)

    async def announcements(self, conversation_id: str) -> list[Announcement]:
        await self._act("announcements", conversation_id)
        found = [a for a in self.announcement_list.values() if a.conversation_id == conversation_id]
        return sorted(found, key=lambda a: -a.at)

    async def announce(
        self, conversation_id: str, text: str, *, title: str | None = None, must_confirm: bool = False
    ) -> Announcement:
        await self._act("announce", conversation_id, text, title, must_confirm)
        made = Announcement(
            self._next("an"), conversation_id, text, title, self._session.me.id, self._now, must_confirm
        )
        self.announcement_list[made.id] = made
        self._tell("Announcement", made.id)
        self.change(conversation_id, announcement=text)
        return made

    async def remove_announcement(self, announcement_id: str) -> None:
        await self._act("remove_announcement", announcement_id)
        gone = self.announcement_list.pop(announcement_id)
        self._session.events.publish(ChangeSet("Announcement", removed=(announcement_id,)))
        left = await self.announcements(gone.conversation_id)
        self.change(gone.conversation_id, announcement=left[0].text if left else None)

    async def read_announcement(self, announcement_id: str) -> None:
        await self._act("read_announcement", announcement_id)
        self._mark_announcement(announcement_id, "read_ids")

    async def confirm_announcement(self, announcement_id: str) -> None:
        await self._act("confirm_announcement", announcement_id)
        self._mark_announcement(announcement_id, "read_ids", "confirmed_ids")

    def _mark_announcement(self, announcement_id: str, *fields: str) -> None:
        old, me = self.announcement_list[announcement_id], self._session.me.id
        marks = {field: tuple(dict.fromkeys((*getattr(old, field), me))) for field in fields}
        self.announcement_list[announcement_id] = msgspec.structs.replace(old, **marks)
        self._tell("Announcement", announcement_id)

    async def join_requests(self, conversation_id: str | None = None) -> list[JoinRequest]:
        await self._act("join_requests", conversation_id)
        return [
            r
            for r in self.request_list.values()
            if r.state is JoinState.WAITING and conversation_id in (None, r.conversation_id)
        ]

    async def ask_to_join(self, conversation_id: str, text: str = "") -> None:
        await self._act("ask_to_join", conversation_id, text)
        me = self._session.me.id
        made = JoinRequest(self._next("jr"), conversation_id, me, me, text, created_at=self._now)
        self.request_list[made.id] = made
        self._tell("JoinRequest", made.id)

    async def decide_join(self, request_id: str, accepted: bool) -> None:
        await self._act("decide_join", request_id, accepted)
        state = JoinState.ACCEPTED if accepted else JoinState.REFUSED
        request = self.request_list[request_id]
        self.request_list[request_id] = msgspec.structs.replace(request, state=state)
        self._tell("JoinRequest", request_id)
        if accepted:
            talk = self._talk(request.conversation_id)
            self._set_members(request.conversation_id, (*talk.members, request.person_id))

    # ---- what one keeps
    async def schedule(
        self,
        conversation_id: str,
        text: str,
        send_at: int,
        mentions: Iterable[str] = (),
        reply_to: str | None = None,
        *,
        must_confirm: bool = False,
        silent: bool = False,
    ) -> ScheduledMessage:
        await self._act("schedule", conversation_id, text, send_at)
        content: dict[str, Any] = {"kind": "text", "text": text, "mentions": list(mentions)}
        content |= {"replyToId": reply_to, "mustConfirm": must_confirm, "silent": silent}
        made = ScheduledMessage(self._next("sm"), conversation_id, content, send_at, self._now)
        self.scheduled_list[made.id] = made
        self._tell("ScheduledMessage", made.id)
        return made

    async def scheduled(self, conversation_id: str | None = None) -> list[ScheduledMessage]:
        await self._act("scheduled", conversation_id)
        found = [s for s in self.scheduled_list.values() if conversation_id in (None, s.conversation_id)]
        return sorted(found, key=lambda s: s.send_at)

    async def reschedule(self, scheduled_id: str, *, send_at: int | None = None, text: str | None = None) -> None:
        await self._act("reschedule", scheduled_id, send_at, text)
        old = self.scheduled_list[scheduled_id]
        content = old.message if text is None else {**old.message, "text": text}
        self.scheduled_list[scheduled_id] = msgspec.structs.replace(
            old, message=content, send_at=old.send_at if send_at is None else send_at
        )
        self._tell("ScheduledMessage", scheduled_id)

    async def unschedule(self, scheduled_id: str) -> None:
        await self._act("unschedule", scheduled_id)
        del self.scheduled_list[scheduled_id]
        self._session.events.publish(ChangeSet("ScheduledMessage", removed=(scheduled_id,)))

    async def favorites(self, text: str = "", *, tag: str | None = None) -> list[Favorite]:
        await self._act("favorites", text, tag)
        found = [f for f in self.favorite_list.values() if text in f.text and (tag is None or tag in f.tags)]
        return sorted(found, key=lambda f: (-f.created_at, f.id))

    async def add_favorite(self, message_id: str, *, note: str = "", tags: Iterable[str] = ()) -> Favorite:
        await self._act("add_favorite", message_id)
        m = self.find(message_id)
        made = Favorite(
            self._next("fav"),
            m.kind,
            m.text,
            m.id,
            m.conversation_id,
            m.sender_id,
            m.attachment,
            m.merged,
            m.card,
            m.sent_at,
            note=note or None,
            tags=tuple(tags),
            created_at=self._now,
        )
        self.favorite_list[made.id] = made
        self._tell("Favorite", made.id)
        return made

    async def change_favorite(self, favorite_id: str, *, note: str, tags: Iterable[str]) -> None:
        await self._act("change_favorite", favorite_id)
        old = self.favorite_list[favorite_id]
        self.favorite_list[favorite_id] = msgspec.structs.replace(old, note=note or None, tags=tuple(tags))
        self._tell("Favorite", favorite_id)

    async def remove_favorite(self, favorite_id: str) -> None:
        await self._act("remove_favorite", favorite_id)
        del self.favorite_list[favorite_id]
        self._session.events.publish(ChangeSet("Favorite", removed=(favorite_id,)))

    async def stickers(self) -> list[Sticker]:
        await self._act("stickers")
        return sorted(self.sticker_list.values(), key=lambda s: (s.order, s.id))

    async def add_sticker(self, source: Any, name: str | None = None) -> Sticker:
        await self._act("add_sticker", name)
        return self._new_sticker(
            self._session.files.keep(source.read_bytes() if isinstance(source, Path) else source), name
        )

    async def add_sticker_of(self, message_id: str) -> Sticker:
        await self._act("add_sticker_of", message_id)
        attachment = self.find(message_id).attachment
        if attachment is None:
            raise Rejected(type="notFound")
        return self._new_sticker(attachment.blob_id, attachment.name)

    def _new_sticker(self, blob_id: str, name: str | None) -> Sticker:
        made = Sticker(self._next("st"), blob_id, name=name, order=len(self.sticker_list), created_at=self._now)
        self.sticker_list[made.id] = made
        self._tell("Sticker", made.id)
        return made

    async def order_stickers(self, sticker_ids: Sequence[str]) -> None:
        await self._act("order_stickers", tuple(sticker_ids))
        for place, key in enumerate(sticker_ids):
            self.sticker_list[key] = msgspec.structs.replace(self.sticker_list[key], order=place)
        self._tell("Sticker", *sticker_ids)

    async def remove_sticker(self, sticker_id: str) -> None:
        await self._act("remove_sticker", sticker_id)
        del self.sticker_list[sticker_id]
        self._session.events.publish(ChangeSet("Sticker", removed=(sticker_id,)))
