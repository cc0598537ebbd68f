"""The run of messages a conversation shows: what changes anywhere in it is taken in by its row, and nothing else is touched."""

import asyncio

from desktop.core.domain import Conversation, ConversationKind
from desktop.models.conversations import ConversationList, unread_of
from desktop.models.messages import MessageWindow
from desktop.models.people import People
from tests.helpers.fake_session import GROUP, PEOPLE, FakeSession


def test_what_changes_far_above_the_newest_page_is_taken_in() -> None:
    async def scenario() -> None:
        session = FakeSession()
        for number in range(200):
            session.receive(GROUP, "zhangmin", f"第 {number} 条")
        window = MessageWindow(session.chat)
        await window.open(GROUP)
        while window.has_older:
            await window.load_older()
        old = window.at(3)
        touched: list[tuple[int, int]] = []
        window.dataChanged.connect(lambda first, last: touched.append((first.row(), last.row())))
        await session.chat.edit(old.id, "改过了")
        await session.chat.react(window.at(5).id, "👍")
        await window.take_changes([old.id, window.at(5).id, window.at(9).id, "elsewhere"])
        assert (window.at(3).text, window.at(5).reactions) == ("改过了", {"👍": ("linyuan",)})
        assert sorted(touched) == [(3, 3), (5, 5)]
        calls = len(session.called("chat.messages"))
        await window.take_changes(["elsewhere"])
        assert len(session.called("chat.messages")) == calls

    asyncio.run(scenario())


def test_a_change_read_for_another_conversation_comes_too_late() -> None:
    async def scenario() -> None:
        session = FakeSession()
        window = MessageWindow(session.chat)
        await window.open(GROUP)
        taking = asyncio.ensure_future(window.take_changes([window.at(0).id]))
        await asyncio.sleep(0)
        window.clear()
        await taking
        assert len(window) == 0

    asyncio.run(scenario())


def test_folders_narrow_the_list_and_a_mark_counts_as_unread() -> None:
    people = People(PEOPLE[0])
    rows = ConversationList(people)
    marked = Conversation("a", ConversationKind.GROUP, "甲", marked_unread=True, folder="工作")
    rows.set_conversations([marked, Conversation("b", ConversationKind.GROUP, "乙", unread_count=2, muted=True)])
    assert (rows.folders, rows.unread_total, unread_of(marked)) == (["工作"], 1, 1)
    rows.set_folder("工作")
    assert [rows.at(row).id for row in range(rows.rowCount())] == ["a"]
    rows.set_folder(None)
    assert rows.rowCount() == 2
