"""Message/query by words: two-character Chinese words, senders, kinds, times; rights at every question; what was edited or recalled is found as it is."""

import asyncio
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from server_stub.chat.search import MessageSearch
from server_stub.chat.search_words import holds, index_text, match_expression, words_of
from server_stub.ids import uuid7
from server_stub.push.events import ObjectsChanged
from server_stub.records.actor import Actor
from server_stub.records.types import Window
from tests.helpers.chat_room import Room
from tests.helpers.running_backend import Jmap


def found(me: Jmap, **filter_: Any) -> list[str]:
    answer = me.call("Message/query", filter=filter_, calculateTotal=True)
    assert answer["total"] == len(answer["ids"])
    return list(answer["ids"])


def test_words_senders_kinds_and_times(room: Room) -> None:
    ann, bob, cyd, *_ = room.people()
    there, other = room.group(ann, bob), room.group(bob, cyd)
    first = room.say(ann, there, "关于防汛值班的安排")
    second = room.say(bob, there, "防汛物资见 https://oa.example/7")
    blob = room.blob(bob, b"paper", "application/pdf")
    file = room.send(bob, there, "file", attachment={"blobId": blob, "name": "防汛方案.pdf"})
    elsewhere = room.say(cyd, other, "防汛 flood report")
    room.age(first, 86_400)
    assert found(ann, text="防汛") == [file, second, first]
    assert found(bob, text="防汛") == [elsewhere, file, second, first]
    assert found(cyd, text="防汛") == [elsewhere]
    assert found(bob, text="防汛", conversationId=there, senderId=bob.person) == [file, second]
    assert found(cyd, text="防汛", conversationId=there) == []
    assert found(bob, text="REPO 防汛") == [elsewhere]
    assert found(bob, text="汛防") == []
    assert found(ann, **{"is": "file"}) == [file]
    assert found(ann, text="物资", **{"is": "link"}) == [second]
    sent = room.get(ann, "Message", second)["sentAt"]
    assert found(ann, text="防汛", sentBefore=sent) == [first]
    assert found(ann, text="防汛", sentAfter=sent) == [file, second]
    page = bob.call("Message/query", filter={"text": "防汛"}, position=1, limit=2)
    assert page["ids"] == [file, second]


def test_what_was_edited_or_recalled_is_found_as_it_is_now(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    edited, recalled = room.say(ann, there, "会签意见"), room.say(ann, there, "会签名单")
    assert found(bob, text="会签", conversationId=there) == [recalled, edited]
    room.change(ann, "Message", edited, text="改为联签")
    room.change(ann, "Message", recalled, recalled=True)
    assert found(bob, text="会签", conversationId=there) == []
    assert found(bob, text="联签", conversationId=there) == [edited]
    assert recalled not in found(bob, senderId=ann.person, conversationId=there)


def test_who_leaves_finds_nothing_any_more(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    said = room.say(ann, there, "离场测试")
    assert found(bob, text="离场") == [said]
    bob.call("Member/set", destroy=[f"{there}_{bob.person}"])
    assert found(bob, text="离场") == []
    assert found(ann, text="离场") == [said]


@pytest.mark.parametrize(
    ("filter_", "code"),
    [
        ({"text": " ! "}, "invalidArguments"),
        ({"sentAfter": "2026-01-01T00:00:00Z"}, "invalidArguments"),
        ({"text": "x", "sentAfter": "yesterday"}, "invalidArguments"),
        ({"is": "emoji"}, "invalidArguments"),
        ({"text": 7}, "unsupportedFilter"),
        ({"text": "x", "beforeSeq": 3}, "unsupportedFilter"),
    ],
)
def test_a_bad_question_is_told(room: Room, filter_: dict[str, Any], code: str) -> None:
    ann, *_ = room.people()
    answers = ann.calls(("Message/query", {"filter": filter_}))
    assert (answers[0][0], answers[0][1]["type"]) == ("error", code)


def test_the_index_is_made_again_when_it_is_lost_or_broken(room: Room, tmp_path: Any) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    said = [room.say(ann, there, f"重建索引 {number}") for number in range(3)]
    read = room.backend.services.database.read_now
    path = tmp_path / "search.db"
    path.write_bytes(b"this is no database, but it is long enough to look like one" * 40)
    index = MessageSearch(path)
    while read(index.index_more):
        pass
    index.close()
    asked = {"text": "重建", "conversationId": there}
    ids = read(lambda conn: index.query(conn, Actor(bob.person), asked, [], Window()).ids)
    assert ids == said[::-1]
    read(index.index_more)
    event = ObjectsChanged("Message", 1, (1,), objects=({"id": said[0], "recalledAt": "2026-01-01T00:00:00Z"},))

    async def commit() -> None:
        index.on_commit([event, object()])
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(commit())  # the text of what was recalled stays nowhere
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM words WHERE text LIKE '%重建%'").fetchone() == (2,)
    index.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_words_are_cut_as_the_client_cuts_them() -> None:
    from desktop.core.store import search_text as client

    for text in ("关于档案管理的 Budget report", "ＡＢＣ１２３防汛abc", "档", uuid7(1), "a-b_c é 㐀㐁"):
        assert index_text(text) == client.index_text(text)
        assert (match_expression(words_of(text)) or None) == client.match_expression(text)
        assert holds(text, words_of(text))
        assert client.holds(text, client.words_of(text))
