"""Talking against the real server: what is said can be changed, counted, forwarded and kept, and each of it reaches the others and one's other device."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import (
    AbsenceReply,
    Card,
    Conversation,
    Delivery,
    JoinRule,
    Message,
    MessageKind,
    Notify,
    ScheduledState,
)
from desktop.core.errors import Rejected
from desktop.core.events import EditRefused, Event
from desktop.core.services import chat_own
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from tests.helpers.core_server import PASSWORD, ServerProcess

LIMIT = 30.0


class Desk:
    """A signed-in device."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.chat = session.chat
        self.me = session.account_id
        self.seen: list[Event] = []
        self._changed = asyncio.Event()

    def hear(self, event: Event) -> None:
        self.seen.append(event)
        self._changed.set()

    async def until(self, true: Callable[[], Awaitable[Any]]) -> Any:
        """Waits for a change that makes it true; what it is then."""
        async with asyncio.timeout(LIMIT):
            while True:
                self._changed.clear()
                if found := await true():
                    return found
                await self._changed.wait()

    async def holds(self, message_id: str, true: Callable[[Message], Any]) -> Message:
        """Waits until the message is as it should be, confirmed by the server."""

        async def look() -> Message | None:
            found = await self.chat.message(message_id)
            return found if found is not None and found.seq and not found.changing and true(found) else None

        found = await self.until(look)
        assert isinstance(found, Message)
        return found

    async def room(self, conversation_id: str, true: Callable[[Conversation], Any]) -> Conversation:
        """Waits until the conversation is as it should be."""

        async def look() -> Conversation | None:
            found = await self.chat.conversation(conversation_id)
            return found if found is not None and true(found) else None

        found = await self.until(look)
        assert isinstance(found, Conversation)
        return found

    async def said(self, conversation_id: str, text: str, **more: Any) -> Message:
        """Says something, and waits until the server has it."""
        message = await self.chat.send_text(conversation_id, text, **more)
        return await self.holds(message.id, lambda m: m.delivery is Delivery.SENT)


class Office:
    """Anna with two devices, Ben and Cara with one each, a direct talk and a group of three."""

    def __init__(self, runner: asyncio.Runner) -> None:
        self._runner = runner
        self.anna: Desk
        self.other: Desk
        self.ben: Desk
        self.cara: Desk
        self.server: ServerProcess
        self.direct = ""
        self.group = ""

    def play(self, scene: Callable[["Office"], Coroutine[Any, Any, None]]) -> None:
        """Runs a scene on the loop all of them live on."""
        self._runner.run(scene(self))


def picture() -> bytes:
    data = BytesIO()
    Image.new("RGB", (40, 30), (200, 80, 40)).save(data, "PNG")
    return data.getvalue()


@asynccontextmanager
async def signed_in(server: ServerProcess, folder: Path, login: str) -> AsyncIterator[Desk]:
    async with await Client.open(folder, keychain=MemoryKeychain()) as client:
        session = await client.sign_in(server.address, login, PASSWORD, remember=True)
        desk = Desk(session)
        with session.events.subscribe(desk.hear):
            async with asyncio.timeout(LIMIT):
                await session.wait_until(synced=True)
            yield desk


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("talk")
    server = ServerProcess(folder)
    server.init("anna", "ben", "cara")
    server.start()
    try:
        with asyncio.Runner() as runner, pytest.MonkeyPatch.context() as patched:
            patched.setattr(chat_own, "DRAFT_EVERY", 0.05)
            it, stack = Office(runner), AsyncExitStack()
            it.server = server

            async def open_all() -> None:
                for name, login in (("anna", "anna"), ("other", "anna"), ("ben", "ben"), ("cara", "cara")):
                    desk = await stack.enter_async_context(signed_in(server, folder / name, login))
                    setattr(it, name, desk)
                it.direct = (await it.anna.chat.open_direct(it.ben.me)).id
                it.group = (await it.anna.chat.create_group("防汛", [it.ben.me, it.cara.me])).id
                for desk in (it.anna, it.other, it.ben):
                    await desk.room(it.direct, lambda c: c.member_count == 2)
                for desk in (it.anna, it.other, it.ben, it.cara):
                    await desk.room(it.group, lambda c: c.member_count == 3)

            runner.run(open_all())
            yield it
            runner.run(stack.aclose())
    finally:
        server.stop()


def test_a_text_is_changed_and_taken_back_everywhere(office: Office) -> None:
    async def scene(o: Office) -> None:
        said = await o.anna.said(o.direct, "防汛会议三点", mentions=[o.ben.me])
        await o.ben.room(o.direct, lambda c: c.mention_count == 1)
        await o.anna.chat.edit(said.id, "防汛会议四点")
        shown = await o.anna.chat.message(said.id)
        assert shown is not None
        assert shown.text == "防汛会议四点"
        assert shown.edited_at is not None
        for desk in (o.ben, o.other):
            await desk.holds(said.id, lambda m: m.text == "防汛会议四点" and m.edited_at)
            await desk.room(o.direct, lambda c: c.last_message and c.last_message.text == "防汛会议四点")
        assert [one.text for one in await o.anna.chat.history(said.id)] == ["防汛会议三点"]
        assert [m.id for m in await o.ben.chat.search("四点")] == [said.id]
        assert await o.ben.chat.search("三点") == []

        await o.anna.chat.recall(said.id)
        gone = await o.ben.holds(said.id, lambda m: m.recalled_at)
        assert (gone.text, gone.recalled_by_id, gone.seq) == ("", o.anna.me, said.seq)
        assert await o.ben.chat.search("四点") == []
        room = await o.ben.room(o.direct, lambda c: c.last_message and c.last_message.recalled_at)
        assert room.last_message is not None
        assert room.last_message.text == ""
        await o.ben.room(o.direct, lambda c: (c.unread_count, c.mention_count) == (0, 0))

    office.play(scene)


def test_a_refused_change_is_put_back_and_told(office: Office) -> None:
    async def scene(o: Office) -> None:
        said = await o.anna.said(o.group, "只有我能改")
        await o.ben.holds(said.id, lambda m: m.text)
        await o.ben.chat.edit(said.id, "别人改的")
        shown = await o.ben.chat.message(said.id)
        assert shown is not None
        assert (shown.text, shown.changing) == ("别人改的", True)
        await o.ben.holds(said.id, lambda m: m.text == "只有我能改")
        refused = [event for event in o.ben.seen if isinstance(event, EditRefused)]
        assert [(one.type_name, one.object_id, one.code) for one in refused] == [("Message", said.id, "forbidden")]

    office.play(scene)


def test_reactions_pins_confirmations_and_readers(office: Office) -> None:
    async def scene(o: Office) -> None:
        said = await o.anna.said(o.group, "值班表已发，请确认", must_confirm=True)
        await o.ben.holds(said.id, lambda m: m.must_confirm)
        await asyncio.gather(o.ben.chat.react(said.id, "👍"), o.cara.chat.react(said.id, "👍"))
        await o.anna.holds(said.id, lambda m: set(m.reactions.get("👍", ())) == {o.ben.me, o.cara.me})
        await o.ben.chat.react(said.id, "👍", False)
        await o.cara.holds(said.id, lambda m: m.reactions == {"👍": (o.cara.me,)})

        async def alerted() -> bool:
            return any(a.link is not None and a.link.id == said.id for a in await o.ben.session.alerts.alerts())

        await o.ben.until(alerted)
        await o.ben.chat.confirm(said.id)
        await o.anna.holds(said.id, lambda m: m.confirmed_ids == (o.ben.me,))
        readers = await o.anna.chat.readers(said.id)
        assert (readers.confirmed, readers.unconfirmed) == ((o.ben.me,), (o.cara.me,))
        await o.anna.chat.remind(said.id)
        with pytest.raises(Rejected) as refused:
            await o.anna.chat.remind(said.id)
        assert refused.value.data["type"] == "rateLimit"
        assert refused.value.data["retry_after"]

        await o.anna.chat.pin_message(said.id, True)
        await o.cara.holds(said.id, lambda m: m.pinned and m.pinned.by_id == o.anna.me)
        assert [m.id for m in await o.cara.chat.pinned_messages(o.group)] == [said.id]
        await o.anna.chat.pin_message(said.id, False)
        await o.cara.holds(said.id, lambda m: m.pinned is None)
        assert await o.cara.chat.pinned_messages(o.group) == []

    office.play(scene)


def test_polls_chains_and_forwarded_talk(office: Office) -> None:
    async def scene(o: Office) -> None:
        poll = await o.anna.chat.send_poll(o.group, "几点开会", ["两点", "三点"], anonymous=True)
        chain = await o.anna.chat.send_chain(o.group, "报名")
        await o.ben.holds(poll.id, lambda m: m.poll and len(m.poll.options) == 2)
        await o.ben.chat.choose(poll.id, ["2"])
        counted = await o.anna.holds(poll.id, lambda m: m.results.get("2") and m.results["2"].count == 1)
        assert counted.results["2"].person_ids == ()
        assert not counted.choice
        await o.ben.holds(poll.id, lambda m: m.choice == ("2",) and m.results["2"].count == 1)
        await o.anna.chat.close_poll(poll.id)
        await o.ben.holds(poll.id, lambda m: m.poll and m.poll.closed_at and m.choice == ("2",))

        await o.ben.holds(chain.id, lambda m: m.chain)
        await o.ben.chat.set_entry(chain.id, "参加，两人")
        await o.anna.holds(chain.id, lambda m: [e.text for e in m.entries] == ["参加，两人"])

        first = await o.ben.said(o.group, "第一条")
        code = await o.ben.chat.send_code(o.group, "print(1)", "python")
        await o.anna.holds(code.id, lambda m: m.code and m.language == "python")
        (merged,) = await o.anna.chat.forward_merged([code.id, first.id], [o.direct])
        assert merged.merged is not None
        assert [item.text for item in merged.merged.items] == ["第一条", "print(1)"]
        got = await o.ben.holds(merged.id, lambda m: m.kind is MessageKind.MERGED and m.merged)
        assert got.merged is not None
        assert [item.name for item in got.merged.items] == ["Ben", "Ben"]
        (twice,) = await o.ben.chat.forward([merged.id], [o.group])
        wrapped = await o.anna.holds(twice.id, lambda m: m.merged)
        assert wrapped.merged is not None
        assert wrapped.merged.items[0].merged is not None
        inside = await o.anna.chat.open_merged(twice.id, [0])
        assert [item.text for item in inside.items] == ["第一条", "print(1)"]
        assert inside.items[1].code
        card = await o.anna.chat.send_card(o.group, Card("Person", o.ben.me))
        await o.cara.holds(card.id, lambda m: m.card and m.card.title == "Ben")
        (plain,) = await o.anna.chat.forward([first.id], [o.direct])
        await o.ben.holds(plain.id, lambda m: m.forwarded and m.text == "第一条" and m.sender_id == o.anna.me)

    office.play(scene)


def test_what_is_ones_own_shows_on_the_other_device(office: Office) -> None:
    async def scene(o: Office) -> None:
        await o.anna.chat.set_draft(o.group, "写到一半")
        await o.other.room(o.group, lambda c: c.draft == "写到一半")
        await o.other.chat.set_draft(o.group, "")
        await o.anna.room(o.group, lambda c: not c.draft)
        await o.anna.chat.set_folder(o.group, "工作")
        await o.anna.chat.set_marked_unread(o.group, True)
        await o.anna.chat.set_notify(o.group, Notify.MENTIONS)
        await o.other.room(o.group, lambda c: (c.folder, c.marked_unread, c.notify) == ("工作", True, "mentions"))
        await o.other.chat.mark_read(o.group, 0)
        await o.anna.room(o.group, lambda c: not c.marked_unread)
        await o.anna.chat.set_hidden(o.group, True)

        async def hidden() -> bool:
            return o.group not in [c.id for c in await o.other.chat.conversations()]

        await o.other.until(hidden)
        await o.ben.said(o.group, "又来了")

        async def back() -> bool:
            return o.group in [c.id for c in await o.other.chat.conversations()]

        await o.other.until(back)

    office.play(scene)


def test_groups_have_roles_announcements_and_an_end(office: Office) -> None:
    async def scene(o: Office) -> None:
        room = (await o.anna.chat.create_group("专班", [o.ben.me])).id
        await o.ben.room(room, lambda c: c.member_count == 2)
        await o.anna.chat.set_join_rule(room, JoinRule.APPROVE)
        await o.anna.chat.announce(room, "明天交材料", title="通知", must_confirm=True)
        await o.ben.room(room, lambda c: c.announcement == "明天交材料" and c.join_rule == "approve")

        async def listed() -> str:
            return next((one.id for one in await o.ben.chat.announcements(room) if one.must_confirm), "")

        await o.anna.chat.set_avatar(room, picture())
        await o.ben.room(room, lambda c: c.avatar_blob_id)
        key = await o.ben.until(listed)
        await o.ben.chat.confirm_announcement(key)

        async def confirmed() -> bool:
            return any(o.ben.me in one.confirmed_ids for one in await o.anna.chat.announcements(room))

        await o.anna.until(confirmed)
        card = await o.cara.chat.group_card(room)
        assert (card.name, card.member_count, card.is_member, card.asked) == ("专班", 2, False, False)
        shared = await o.ben.chat.send_card(o.group, Card("Conversation", room))
        await o.cara.holds(shared.id, lambda m: m.card and m.card.title == "专班")
        await o.cara.chat.ask_to_join(room, "我也参加")
        assert (await o.cara.chat.group_card(room)).asked

        async def asked() -> str:
            return next((one.id for one in await o.anna.chat.join_requests(room)), "")

        await o.anna.chat.decide_join(await o.anna.until(asked), True)
        assert await o.anna.chat.join_requests(room) == []
        await o.cara.room(room, lambda c: c.member_count == 3)

        await o.anna.chat.mute_member(room, o.ben.me, SystemClock().now_ms() + 3_600_000)
        await o.anna.chat.transfer(room, o.cara.me)

        async def roles() -> bool:
            found = {m.person_id: m for m in await o.cara.chat.members(room)}
            muted = o.ben.me in found and found[o.ben.me].muted_until
            return bool(muted and found[o.cara.me].role == "owner" and found[o.anna.me].role != "owner")

        await o.cara.until(roles)
        refused = await o.ben.chat.send_text(room, "能说话吗")

        async def held_back() -> bool:
            found = await o.ben.chat.message(refused.id)
            return found is not None and found.delivery is Delivery.REFUSED

        await o.ben.until(held_back)
        await o.ben.chat.discard(refused.id)
        await o.cara.chat.dissolve(room)
        ended = await o.anna.room(room, lambda c: c.dissolved_at)
        assert ended.last_message is not None
        assert ended.last_message.event is not None
        assert ended.last_message.event.type == "dissolved"

    office.play(scene)


def test_what_one_keeps(office: Office) -> None:
    async def scene(o: Office) -> None:
        said = await o.ben.said(o.direct, "收藏我")
        await o.anna.holds(said.id, lambda m: m.text)
        await o.anna.chat.add_favorite(said.id, note="备忘", tags=["工作"])
        assert [f.text for f in await o.anna.chat.favorites("备忘", tag="工作")] == ["收藏我"]
        await o.ben.chat.recall(said.id)

        async def kept() -> bool:
            found = await o.other.chat.favorites()
            return [(f.text, f.pending) for f in found] == [("收藏我", False)]

        await o.other.until(kept)

        await o.anna.chat.add_sticker(picture(), "好")

        async def there() -> str:
            return next((s.id for s in await o.other.chat.stickers() if not s.pending), "")

        sticker = await o.other.until(there)
        sent = await o.other.chat.send_sticker(o.direct, sticker)
        drawn = await o.anna.chat.send_built_in(o.direct, "thanks", "谢谢")
        await o.ben.holds(drawn.id, lambda m: (m.sticker, m.text) == ("thanks", "谢谢"))
        voice = await o.anna.chat.send_voice(o.direct, b"OggS" + bytes(400), 1500, [0, 50, 100])
        got = await o.ben.holds(voice.id, lambda m: m.kind is MessageKind.VOICE)
        assert got.attachment is not None
        assert (got.attachment.duration_ms, got.attachment.waveform) == (1500, (0, 50, 100))
        await o.ben.holds(sent.id, lambda m: m.kind is MessageKind.STICKER and m.attachment)

        later = SystemClock().now_ms() + 3_600_000
        planned = await o.anna.chat.schedule(o.direct, "明早提醒", later)
        assert planned.pending

        async def waiting() -> bool:
            return [(s.text, s.pending) for s in await o.other.chat.scheduled(o.direct)] == [("明早提醒", False)]

        await o.other.until(waiting)
        await o.anna.chat.reschedule(planned.id, send_at=SystemClock().now_ms() + 1200, text="现在提醒")

        async def came() -> str:
            return next((m.id for m in await o.ben.chat.search("现在提醒")), "")

        assert (await o.ben.holds(await o.ben.until(came), lambda m: m.seq)).sender_id == o.anna.me

        async def none_left() -> bool:
            found = await o.anna.chat.scheduled(o.direct)
            return not [one for one in found if one.state is ScheduledState.WAITING]

        await o.anna.until(none_left)
        await o.ben.chat.send_shake(o.direct)
        with pytest.raises(Rejected) as refused:
            await o.ben.chat.send_shake(o.direct)
        assert refused.value.data["type"] == "rateLimit"

    office.play(scene)


def test_who_is_away_is_remembered_over_a_restart(office: Office) -> None:
    """The last of the scenes: it kills the server."""

    async def scene(o: Office) -> None:
        def automatic(texts: list[Message]) -> list[Message]:
            return [one for one in texts if one.auto]

        with_cara = (await o.cara.chat.open_direct(o.ben.me)).id
        await o.ben.session.presence.do_set_absence(AbsenceReply("出差中，周五回来"))
        await o.cara.said(with_cara, "在吗")

        async def told() -> list[Message]:
            return automatic(list((await o.cara.chat.newer(with_cara, 0)).messages))

        (answer,) = await o.cara.until(told)
        assert (answer.text, answer.sender_id) == ("出差中，周五回来", o.ben.me)
        o.server.kill()
        o.server.start()
        await o.cara.said(with_cara, "还在吗")
        await o.anna.said(o.direct, "我也问一句")

        async def anna_told() -> list[Message]:
            return automatic(list((await o.anna.chat.newer(o.direct, 0, 500)).messages))

        assert len(await o.anna.until(anna_told)) == 1
        assert len(await told()) == 1, "answers go out in order: a second one to Cara would have come before"
        await o.ben.session.wait_until(synced=True)
        await o.ben.session.presence.do_set_absence(AbsenceReply("出差中，周五回来", enabled=False))

    office.play(scene)
