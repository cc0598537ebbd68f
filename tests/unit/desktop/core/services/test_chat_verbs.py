"""Talking with the line gone and with a server that refuses: what is changed shows at once, waits, goes out, or is put back with its reason."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import SystemClock
from desktop.core.domain import Alert, Delivery, Link, Message, MessageKind, Notify, ScheduledState
from desktop.core.errors import Offline, Rejected
from desktop.core.events import ChangeSet, EditRefused
from desktop.core.services import chat_own
from desktop.core.services.chat import ChatService
from desktop.core.store.memory import MemoryStore
from desktop.core.sync.port import PutObjects
from tests.helpers.backend_model import BackendModel
from tests.helpers.desk import Desk, at_work, signed_in
from tests.helpers.fake_transport import CAPABILITIES, FakeNetwork, FakeTransport


class Talk:
    """Anna and Ben in a room, and the line between them."""

    def __init__(self, folder: Path) -> None:
        model = BackendModel(page=50)
        model.add_conversation("room", "anna", "ben")
        self.net = FakeNetwork(model)
        self.net.passwords = {"anna": "pw", "ben": "pw"}
        self._folder = folder

    @asynccontextmanager
    async def desk(self, account: str) -> AsyncIterator[tuple[Desk, ChatService]]:
        store = MemoryStore(account)
        session = signed_in(account, self._folder, store, FakeTransport(self.net, account), SystemClock())
        found = Desk(session, store)
        async with at_work(found):
            await found.live()
            yield found, session.chat

    def cut(self) -> None:
        self.net.cut()

    def mend(self, *desks: Desk) -> None:
        self.net.up = True
        for desk in desks:
            desk.session.network_changed()


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    return Talk(tmp_path)


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


async def get(chat: ChatService, message_id: str) -> Message:
    found = await chat.message(message_id)
    assert found is not None
    return found


def test_an_edit_without_a_line_shows_at_once_and_goes_out_later(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat), talk.desk("ben") as (ben, theirs):
            said = await chat.send_text("room", "防汛会三点")
            await anna.until_sent()
            talk.cut()
            anna.seen.clear()
            await chat.edit(said.id, "防汛会四点")
            shown = await get(chat, said.id)
            assert (shown.text, shown.changing, shown.delivery) == ("防汛会四点", True, Delivery.SENT)
            assert [m.text for m in (await chat.window("room")).messages] == ["防汛会四点"]
            (room,) = await chat.conversations()
            assert room.last_message is not None
            assert room.last_message.text == "防汛会四点"
            told = [e for e in anna.seen if isinstance(e, ChangeSet) and e.type_name == "Message"]
            assert [(e.upserts, e.conversations) for e in told] == [((said.id,), frozenset({"room"}))]
            talk.mend(anna, ben)
            await anna.until_sent()

            async def arrived() -> bool:
                found = await theirs.message(said.id)
                return found is not None and found.text == "防汛会四点"

            await ben.until(arrived)
            assert (await get(chat, said.id)).changing is False
            assert [m.id for m in await theirs.search("四点")] == [said.id]
            assert await theirs.search("三点") == []

    run(scenario)


def test_a_refused_edit_is_put_back_and_says_why(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat), talk.desk("ben") as (ben, theirs):
            said = await chat.send_text("room", "只有我能改")
            await anna.until_sent()

            async def there() -> bool:
                return await theirs.message(said.id) is not None

            await ben.until(there)
            await theirs.edit(said.id, "别人改的")

            async def refused() -> bool:
                return any(isinstance(event, EditRefused) for event in ben.seen)

            await ben.until(refused)
            assert [e for e in ben.seen if isinstance(e, EditRefused)] == [
                EditRefused("Message", said.id, "forbidden", written="别人改的")
            ]
            assert (await get(theirs, said.id)).text == "只有我能改"
            assert await ben.session.outbox.edits() == []

    run(scenario)


def test_a_message_that_was_not_sent_is_taken_back_or_changed_on_its_way(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat):
            talk.cut()
            gone = await chat.send_text("room", "算了")
            kept = await chat.send_text("room", "初稿")
            await chat.recall(gone.id)
            assert await chat.message(gone.id) is None
            await chat.edit(kept.id, "定稿")
            talk.mend(anna)
            await anna.until_sent()
            assert [m["text"] for m in talk.net.model.objects["Message"].values()] == ["定稿"]

    run(scenario)


def test_a_recall_on_its_way_leaves_a_trace_and_no_search_result(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat):
            said = await chat.send_text("room", "发错群了")
            await anna.until_sent()
            talk.cut()
            await chat.react(said.id, "👍")
            await chat.recall(said.id)
            shown = await get(chat, said.id)
            assert (shown.text, shown.reactions, shown.recalled_by_id) == ("", {}, "anna")
            assert await chat.search("发错") == []
            (room,) = await chat.conversations()
            assert room.last_message is not None
            assert room.last_message.recalled_by_id == "anna"
            assert len(await anna.session.outbox.edits()) == 2

    run(scenario)


def test_own_settings_show_at_once(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat):
            await chat.send_text("room", "x")
            await anna.until_sent()
            talk.cut()
            await chat.set_notify("room", Notify.NONE)
            await chat.set_folder("room", " 工作 ")
            await chat.set_marked_unread("room", True)
            (room,) = await chat.conversations()
            assert (room.muted, room.notify, room.folder, room.marked_unread) == (True, Notify.NONE, "工作", True)
            await chat.mark_read("room", 0)
            await chat.set_muted("room", False)
            (room,) = await chat.conversations()
            assert (room.muted, room.notify, room.marked_unread) == (False, Notify.ALL, False)
            await chat.set_hidden("room", True)
            assert await chat.conversations() == []
            await chat.set_draft("room", "等等")
            assert [c.draft for c in await chat.conversations()] == ["等等"]
            await chat.set_hidden("room", False)
            await chat.set_draft("room", "")
            assert [c.draft for c in await chat.conversations()] == [""]
            with pytest.raises(Rejected):
                await chat.set_folder("room", "x" * 51)

    run(scenario)


def test_settings_of_a_group_that_is_not_made_yet_wait_behind_it(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat):
            talk.cut()
            group = await chat.create_group("专班", ["ben"])
            await chat.set_pinned(group.id, True)
            await chat.mute_all(group.id, True)
            await chat.set_notify(group.id, Notify.MENTIONS)
            assert {edit.lane for edit in await anna.session.outbox.edits()} == {f"conversation:{group.id}"}
            found = await chat.conversation(group.id)
            assert found is not None
            assert (found.pinned, found.muted_all, found.notify) == (True, True, Notify.MENTIONS)

    run(scenario)


def test_what_older_servers_do_not_keep_stays_a_draft_of_this_device(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(chat_own, "DRAFT_EVERY", 0.0)
        async with talk.desk("anna") as (anna, chat):
            await chat.set_draft("room", "半句", "m1")
            await asyncio.sleep(0.05)
            assert await anna.session.outbox.edits() == []
            (room,) = await chat.conversations()
            assert (room.draft, room.draft_reply_to_id) == ("半句", "m1")

    run(scenario)


def test_a_draft_typed_without_a_line_reaches_the_other_device_later(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        monkeypatch.setattr(chat_own, "DRAFT_EVERY", 0.0)
        monkeypatch.setitem(CAPABILITIES, "urn:tongban:chat", {"editWithin": 60, "recallWithin": 5})
        async with talk.desk("anna") as (anna, chat), talk.desk("anna") as (other, there):
            assert (await chat.policy()).edit_within == 60
            talk.cut()
            await chat.set_draft("room", "没网时写的", "m1")
            assert await chat.draft("room") == "没网时写的"
            talk.mend(anna, other)

            async def arrived() -> bool:
                found = await there.conversation("room")
                return found is not None and (found.draft, found.draft_reply_to_id) == ("没网时写的", "m1")

            await other.until(arrived)
            await anna.until_sent()
            await there.set_draft("room", "那边接着写")

            async def followed() -> bool:
                return await chat.draft("room") == "那边接着写"

            await anna.until(followed)
            assert anna.store.load_local("drafts") == {}

    run(scenario)


def test_a_confirmation_ends_what_asked_for_it_at_once(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat):
            said = Message("m9", "room", MessageKind.TEXT, "请确认", 9, "ben", 1000, must_confirm=True)
            asks = Alert("a1", "confirm", "请确认", link=Link("Message", "m9"))
            other = Alert("a2", "confirm", "别的", link=Link("Message", "m8"))
            talk.cut()
            anna.store.apply([PutObjects("Message", (said,)), PutObjects("Alert", (asks, other))])
            anna.seen.clear()
            await chat.confirm("m9")
            assert (await get(chat, "m9")).confirmed_ids == ("anna",)
            assert [a.id for a in await anna.session.alerts.alerts()] == ["a2"]
            assert ChangeSet("Alert", removed=("a1",)) in anna.seen
            await chat.confirm("m9")
            assert len(await anna.session.outbox.edits()) == 1

    run(scenario)


def test_what_one_keeps_shows_before_the_server_knows(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat):
            said = await chat.send_text("room", "收藏我")
            await anna.until_sent()
            talk.cut()
            kept = await chat.add_favorite(said.id, note="备忘", tags=["工作", " "])
            assert [(f.id, f.text, f.tags, f.pending) for f in await chat.favorites("备忘")] == [
                (kept.id, "收藏我", ("工作",), True)
            ]
            assert await chat.favorites(tag="别的") == []
            await chat.remove_favorite(kept.id)
            assert await chat.favorites() == []
            later = SystemClock().now_ms() + 60_000
            planned = await chat.schedule("room", "明早", later)
            await chat.reschedule(planned.id, text="后天")
            (waiting,) = await chat.scheduled("room")
            assert (waiting.text, waiting.state, waiting.pending) == ("后天", ScheduledState.WAITING, True)
            assert await chat.scheduled("elsewhere") == []
            await chat.unschedule(planned.id)
            assert await chat.scheduled() == []
            with pytest.raises(Rejected):
                await chat.schedule("room", "昨天", 1)
            assert await anna.session.outbox.edits() == []

    run(scenario)


def test_polls_chains_and_forwarded_talk_show_while_they_wait(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (anna, chat):
            said = await chat.send_text("room", "原话")
            await anna.until_sent()
            talk.cut()
            poll = await chat.send_poll("room", "去吗", ["是", "否"], closes_at=5000)
            chain = await chat.send_chain("room", "报名", " 张三 2 人 ")
            (merged,) = await chat.forward_merged([said.id], ["room"])
            (plain,) = await chat.forward([said.id], ["room"])
            shown = (await chat.window("room")).messages
            assert [m.kind for m in shown[1:]] == [
                MessageKind.POLL,
                MessageKind.CHAIN,
                MessageKind.MERGED,
                MessageKind.TEXT,
            ]
            assert shown[1] == poll
            assert poll.poll is not None
            assert ([o.text for o in poll.poll.options], poll.poll.closes_at) == (["是", "否"], 5000)
            assert chain.chain is not None
            assert chain.chain.example == "张三 2 人"
            assert merged.merged is not None
            assert [item.text for item in merged.merged.items] == ["原话"]
            assert plain.forwarded
            (room,) = await chat.conversations()
            assert room.last_message is not None
            assert room.last_message.text == "原话"

    run(scenario)


def test_what_cannot_be_is_said_at_once(talk: Talk) -> None:
    async def scenario() -> None:
        async with talk.desk("anna") as (_, chat):
            talk.cut()
            for refused in (
                chat.edit("nothing", "x"),
                chat.recall("nothing"),
                chat.send_poll("room", "", ["a", "b"]),
                chat.send_poll("room", "q", ["a", " "]),
                chat.send_chain("room", " "),
                chat.forward(["nothing"], ["room"]),
                chat.forward_merged(["nothing"], ["room"]),
                chat.announce("room", " "),
                chat.set_role("room", "ben", "king"),
                chat.send_sticker("room", "nothing"),
            ):
                with pytest.raises(Rejected):
                    await refused
            for impossible in (chat.send_shake("room"), chat.remind("m"), chat.dissolve("room")):
                with pytest.raises(Offline):
                    await impossible

    run(scenario)
