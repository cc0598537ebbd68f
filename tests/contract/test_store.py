"""One suite for both stores: what the port promises, memory and encrypted SQLite alike."""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from desktop.core.domain import (
    Alert,
    Announcement,
    Attachment,
    Card,
    Conversation,
    ConversationKind,
    Document,
    LastMessage,
    Member,
    Message,
    MessageKind,
    Person,
    Receipt,
)
from desktop.core.domain.search import Facet, MessagesWanted
from desktop.core.events import ChangeSet
from desktop.core.store.memory import MemoryStore
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.outbox import Edit, EditKind, EditState
from desktop.core.sync.port import (
    CoverMessages,
    KeepOnly,
    PutEdit,
    PutLocal,
    PutObjects,
    RemoveEdit,
    RemoveObjects,
    Saved,
    SetCoverage,
    SetPushState,
    SetState,
    Store,
)

ME = "me"
KEY = bytes(range(32))


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    make: dict[str, Callable[[], Store]] = {
        "memory": lambda: MemoryStore(ME),
        "sqlite": lambda: SqliteStore.open(tmp_path / "store.db", KEY, ME),
    }
    opened = make[str(request.param)]()
    yield opened
    opened.close()


def room(conversation_id: str = "room", **changes: object) -> Conversation:
    return msgspec.structs.replace(Conversation(conversation_id, ConversationKind.GROUP, conversation_id), **changes)


def said(seq: int, conversation_id: str = "room", text: str = "", sender: str = "ben", **changes: object) -> Message:
    message = Message(
        f"{conversation_id}-{seq}", conversation_id, MessageKind.TEXT, text or f"text {seq}", seq, sender, 1000 + seq
    )
    return msgspec.structs.replace(message, **changes)


def edit(edit_id: str, order: int = 1, **payload: object) -> Edit:
    body = {"conversationId": "room", "kind": "text", "text": "hi", **payload}
    return Edit(edit_id, "conversation:room", EditKind.CREATE, "Message", edit_id, body, order=order)


def by_type(changes: list[ChangeSet]) -> dict[str, ChangeSet]:
    return {change.type_name: change for change in changes}


def seqs(messages: list[Message]) -> list[int]:
    return [message.seq for message in messages]


def test_an_empty_store_has_nothing_saved(store: Store) -> None:
    assert store.load_saved() == Saved()
    assert store.load_conversations() == []
    assert store.load_messages("room") == []
    assert store.load_object("Message", "x") is None


def test_objects_come_back_as_they_went_in(store: Store) -> None:
    person = Person("p1", "林远", pinyin="lin yuan", roles=("admin",))
    document = Document("d1", "Plan", "f1", "b" * 64, "plan.pdf")
    changes = store.apply([PutObjects("Person", (person,)), PutObjects("Document", (document,))])
    assert by_type(changes)["Person"] == ChangeSet("Person", ("p1",))
    assert store.load_object("Person", "p1") == person
    assert store.load_objects("Document", parent="f1") == [document]
    assert store.load_objects("Document", parent="f2") == []
    changed = msgspec.structs.replace(document, folder_id="f2")
    store.apply([PutObjects("Document", (changed,))])
    assert store.load_objects("Document", parent="f1") == []


def test_removed_objects_are_told_once(store: Store) -> None:
    store.apply([PutObjects("Alert", (Alert("a1", "system", "t"), Alert("a2", "system", "t")))])
    assert store.apply([RemoveObjects("Alert", ("a1", "unknown"))]) == [ChangeSet("Alert", (), ("a1",))]
    assert store.apply([KeepOnly("Alert", frozenset({"a3"}))]) == [ChangeSet("Alert", (), ("a2",))]
    assert store.load_objects("Alert") == []


def test_cursors_and_data_move_together_and_are_saved(store: Store) -> None:
    store.apply(
        [
            PutObjects("Conversation", (room("old", updated_at=1, last_seq=3), room("new", updated_at=2, last_seq=9))),
            SetState("Conversation", "17"),
            SetPushState("p1"),
            SetCoverage("old", ((1, 3),)),
        ]
    )
    saved = store.load_saved()
    assert saved.states == {"Conversation": "17"}
    assert saved.push_state == "p1"
    assert saved.coverage == {"old": ((1, 3),)}
    assert list(saved.tops.items()) == [("new", 9), ("old", 3)]
    assert store.load_coverage("old") == ((1, 3),)
    assert store.load_coverage("new") == ()
    store.apply([SetState("Conversation", None)])
    assert store.load_saved().states == {}


def test_conversations_stand_pinned_first_then_newest(store: Store) -> None:
    rooms = (room("a", updated_at=1), room("b", updated_at=3), room("c", updated_at=2, pinned=True))
    store.apply([PutObjects("Conversation", rooms)])
    assert [conversation.id for conversation in store.load_conversations()] == ["c", "b", "a"]


def test_windows_of_messages(store: Store) -> None:
    store.apply([PutObjects("Message", tuple(said(n) for n in range(1, 21)))])
    assert seqs(store.load_messages("room", limit=3)) == [18, 19, 20]
    assert seqs(store.load_messages("room", before=5, limit=3)) == [2, 3, 4]
    assert seqs(store.load_messages("room", after=17, limit=2)) == [18, 19]
    assert seqs(store.load_messages("room", after=17, before=20)) == [18, 19]
    assert store.load_messages("room", limit=0) == []
    assert store.load_messages("elsewhere") == []


def test_a_live_message_moves_its_conversation(store: Store) -> None:
    store.apply([PutObjects("Conversation", (room(last_seq=4, read_seq=4, updated_at=5),))])
    changes = by_type(store.apply([PutObjects("Message", (said(5, text="news", mentions=(ME,)),), live=True)]))
    assert changes["Message"] == ChangeSet("Message", ("room-5",), (), frozenset({"room"}))
    assert changes["Conversation"].upserts == ("room",)
    (conversation,) = store.load_conversations()
    assert (conversation.last_seq, conversation.unread_count, conversation.mention_count) == (5, 1, 1)
    assert conversation.last_message == LastMessage("room-5", 5, MessageKind.TEXT, "news", 1005, "ben")
    store.apply([PutObjects("Message", (said(3),), live=True)])  # an old one changes no count
    assert store.load_conversations() == [conversation]
    store.apply([PutObjects("Message", (said(6, sender=ME),), live=True)])
    (conversation,) = store.load_conversations()  # writing moves no read marker
    assert (conversation.last_seq, conversation.read_seq, conversation.unread_count) == (6, 4, 1)


def test_the_same_message_twice_is_there_once(store: Store) -> None:
    store.apply([PutObjects("Message", (said(1), said(1)))])
    store.apply([PutObjects("Message", (said(1),))])
    assert seqs(store.load_messages("room")) == [1]


def test_a_place_belongs_to_one_message(store: Store) -> None:
    store.apply([PutObjects("Message", (said(1),))])
    other = said(1, id="other")
    changes = by_type(store.apply([PutObjects("Message", (other,))]))
    assert changes["Message"].removed == ("room-1",)
    assert store.load_messages("room") == [other]


def test_covering_a_window_makes_it_what_the_server_showed(store: Store) -> None:
    store.apply([PutObjects("Conversation", (room(),)), PutObjects("Message", (said(1), said(2), said(3), said(9)))])
    changes = store.apply([CoverMessages("room", 2, 8, (said(3), said(4)))])
    assert by_type(changes)["Message"].removed == ("room-2",)
    assert seqs(store.load_messages("room")) == [1, 3, 4, 9]
    store.apply([CoverMessages("left long ago", 1, 5, (said(1, "left long ago"),))])
    assert store.load_messages("left long ago") == []


def test_a_conversation_takes_everything_along(store: Store) -> None:
    store.apply(
        [
            PutObjects("Conversation", (room(), room("other"))),
            PutObjects("Message", (said(1), said(1, "other"))),
            PutObjects("Member", (Member("room_ben", "room", "ben"), Member("other_ben", "other", "ben"))),
            PutObjects("Receipt", (Receipt("room_ben", "room", "ben"),)),
            SetCoverage("room", ((1, 1),)),
        ]
    )
    changes = by_type(store.apply([RemoveObjects("Conversation", ("room",))]))
    assert {name: change.removed for name, change in changes.items()} == {
        "Conversation": ("room",),
        "Message": ("room-1",),
        "Member": ("room_ben",),
        "Receipt": ("room_ben",),
    }
    assert store.load_saved().coverage == {}
    assert [value.id for value in store.load_objects("Member")] == ["other_ben"]
    assert seqs(store.load_messages("other")) == [1]


def test_the_outbox_keeps_its_order_and_tells_what_looks_different(store: Store) -> None:
    changes = by_type(store.apply([PutEdit(edit("e2", 2)), PutEdit(edit("e1", 1))], durable=True))
    assert changes["Message"] == ChangeSet("Message", ("e2", "e1"), (), frozenset({"room"}))
    assert changes["Conversation"].upserts == ("room",)
    assert [e.id for e in store.load_edits()] == ["e1", "e2"]
    refused = msgspec.structs.replace(edit("e1", 1), state=EditState.REFUSED, code="forbidden")
    store.apply([PutEdit(refused)])
    assert store.load_edits()[0] == refused
    assert store.load_saved().edits == tuple(store.load_edits())
    gone = by_type(store.apply([RemoveEdit(refused)]))
    assert gone["Message"].removed == ("e1",)


def test_the_outbox_answers_for_one_conversation_alone(store: Store) -> None:
    assert store.load_edits() == []  # the first look comes before the first edit
    elsewhere = msgspec.structs.replace(edit("e3", 3), payload={"conversationId": "other", "kind": "text", "text": "x"})
    mark = Edit("e4", "marks:room", EditKind.UPDATE, "Conversation", "room", {"readSeq": 1}, order=4)
    store.apply([PutEdit(edit("e2", 2)), PutEdit(edit("e1", 1)), PutEdit(elsewhere), PutEdit(mark)])
    assert [e.id for e in store.load_edits("room")] == ["e1", "e2", "e4"]
    assert [e.id for e in store.load_edits("other")] == ["e3"]
    assert store.load_edits("nowhere") == []
    later = msgspec.structs.replace(edit("e1", 9), attempts=1)
    store.apply([PutEdit(later), RemoveEdit(edit("e2", 2))])
    assert [e.id for e in store.load_edits("room")] == ["e4", "e1"]
    assert [e.id for e in store.load_edits()] == ["e3", "e4", "e1"]
    assert store.load_edits("room")[1] == later


def test_a_confirmed_message_replaces_its_edit_without_a_gap(store: Store) -> None:
    store.apply([PutEdit(edit("m1"))])
    changes = by_type(store.apply([PutObjects("Message", (said(1, id="m1"),)), RemoveEdit(edit("m1"))]))
    assert changes["Message"] == ChangeSet("Message", ("m1",), (), frozenset({"room"}))


def test_local_values(store: Store) -> None:
    changes = store.apply([PutLocal("drafts", "room", b"1"), PutLocal("drafts", "other", b"2")])
    assert changes == []  # a screen that shows such a value hears of it from its service
    store.apply([PutLocal("drafts", "other", None), PutLocal("settings", "room", b"3")])
    assert store.load_local("drafts") == {"room": b"1"}
    assert store.load_local("nothing") == {}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("档案", [2, 1]),
        ("档案管理", [1]),
        ("理", [1]),
        ("budget", [1]),
        ("BUDGET 档案", [1]),
        ("防汛", [3]),
        ("档", [2, 1]),
        ("案档", []),
        ('"', []),
        ("", []),
        ("OR", []),
    ],
)
def test_search_finds_chinese_words(store: Store, query: str, found: list[int]) -> None:
    texts = {1: "关于档案管理的 Budget report", 2: "档案室", 3: "防汛值班"}
    store.apply([PutObjects("Message", tuple(said(n, text=text) for n, text in texts.items()))])
    while store.index_some(2):
        pass
    assert seqs(store.search_messages(MessagesWanted(query))[0]) == found
    assert store.search_messages(MessagesWanted(query, limit=1, counted=2))[1] == min(2, len(found))
    assert store.search_messages(MessagesWanted(query or "档案", conversation_id="elsewhere")) == ([], 0)
    store.apply([RemoveObjects("Message", ("room-1",))])
    assert seqs(store.search_messages(MessagesWanted(query))[0]) == [n for n in found if n != 1]


def test_search_by_sender_kind_conversation_and_time(store: Store) -> None:
    report = Attachment("b1", "防汛方案.pdf")
    messages = [
        said(1, text="防汛值班 https://oa.example/1", sender="ann", sent_at=1000),
        said(2, text="防汛", sender="ben", sent_at=2000),
        said(3, sender="ben", kind=MessageKind.FILE, attachment=report, sent_at=3000),
        said(4, text="防汛简报", sender="ann", card=Card("Notice", "n1"), sent_at=4000),
        said(5, "room2", text="kfile 防汛", sender="ann", sent_at=5000),
    ]
    store.apply([PutObjects("Message", tuple(messages))])

    def found(text: str = "", **more: Any) -> list[int]:
        return seqs(store.search_messages(MessagesWanted(text, **more))[0])

    assert found("防汛") == [5, 4, 3, 2, 1]
    assert found("防汛", sender_id="ann") == [5, 4, 1]
    assert found("防汛", conversation_id="room", sender_id="ann", limit=1) == [4]
    assert found("防汛", without=frozenset({Facet.FILE, Facet.PICTURE})) == [5, 4, 2, 1]
    assert found(facets=frozenset({Facet.FILE})) == [3]
    assert found("方案", facets=frozenset({Facet.FILE, Facet.CARD})) == [3]
    assert found(conversation_id="room", facets=frozenset({Facet.LINK})) == [1]
    assert found(facets=frozenset({Facet.CARD, Facet.LINK}), since=1001) == [4]
    assert found("防汛", since=2000, until=4000) == [3, 2]
    assert found("kfile") == [5]
    assert found("\ue000kfile") == found("kfile")
    assert found() == []
    assert found("!", conversation_id="room") == []
    assert found(conversation_id="room2") == [5]


def test_search_follows_what_a_message_says_now(store: Store) -> None:
    store.apply([PutObjects("Message", (said(1, text="防汛"), said(2, text="防汛办")))])
    assert seqs(store.search_messages(MessagesWanted("防汛"))[0]) == [2, 1]
    store.apply([PutObjects("Message", (said(1, text="会议改期"),))])
    assert seqs(store.search_messages(MessagesWanted("防汛"))[0]) == [2]
    assert seqs(store.search_messages(MessagesWanted("改期"))[0]) == [1]
    store.apply([PutObjects("Message", (said(1, text="会议改期", recalled_at=5), said(3, kind=MessageKind.SYSTEM)))])
    assert store.search_messages(MessagesWanted("改期")) == ([], 0)
    assert seqs(store.search_messages(MessagesWanted(conversation_id="room"))[0]) == [2]


def test_the_last_line_follows_what_its_message_says_now(store: Store) -> None:
    room = Conversation("room", ConversationKind.GROUP, last_seq=1, unread_count=3)
    store.apply([PutObjects("Conversation", (room,)), PutObjects("Message", (said(1), said(2)), live=True)])
    changes = by_type(store.apply([PutObjects("Message", (said(2, text="changed"), said(1, text="older")))]))
    assert changes["Conversation"].upserts == ("room",)
    (held,) = store.load_conversations()
    assert held.last_message is not None
    assert (held.last_message.text, held.unread_count) == ("changed", 4)
    recalled = Message("room-2", "room", MessageKind.TEXT, seq=2, sender_id="ben", sent_at=1002, recalled_at=2000)
    store.apply([PutObjects("Message", (recalled,), live=True)])
    (held,) = store.load_conversations()
    assert held.last_message is not None
    assert (held.last_message.text, held.last_message.recalled_at, held.unread_count) == ("", 2000, 4)
    assert "Conversation" not in by_type(store.apply([PutObjects("Message", (recalled,), live=True)]))


def test_a_window_leaves_newer_versions_as_they_are(store: Store) -> None:
    store.apply([PutObjects("Conversation", (Conversation("room", ConversationKind.GROUP),))])
    store.apply([PutObjects("Message", (said(1, text="newer"), said(2), said(3)))])
    store.apply([CoverMessages("room", 1, 3, (said(3, text="read now"),), ("room-1",))])
    assert [m.text for m in store.load_messages("room")] == ["newer", "read now"]


def test_what_hangs_on_a_conversation_goes_with_it(store: Store) -> None:
    store.apply([PutObjects("Conversation", (Conversation("room", ConversationKind.GROUP),))])
    store.apply([PutObjects("Announcement", (Announcement("a1", "room", "x"), Announcement("a2", "other", "y")))])
    changes = by_type(store.apply([RemoveObjects("Conversation", ("room",))]))
    assert changes["Announcement"].removed == ("a1",)
    assert [value.id for value in store.load_objects("Announcement")] == ["a2"]


def test_a_change_on_its_way_touches_its_message_and_its_room(store: Store) -> None:
    store.apply([PutObjects("Message", (said(1),))])
    change = Edit("e1", "message:room-1", EditKind.UPDATE, "Message", "room-1", {"text": "x"}, room="room")
    for operation in (PutEdit(change), RemoveEdit(change)):
        told = by_type(store.apply([operation]))["Message"]
        assert (told.upserts, told.removed, told.conversations) == (("room-1",), (), frozenset({"room"}))
    assert store.load_edits("room") == []


# ---------------------------------------------------------------- heaps of messages


def searched(store: Store, text: str) -> set[str]:
    return {found.id for found in store.search_messages(MessagesWanted(text, limit=500))[0]}


def test_a_heap_is_held_found_and_counted_like_one_after_the_other(store: Store) -> None:
    store.apply([PutObjects("Conversation", (room(last_seq=2), room("other")))])
    store.apply([PutObjects("Message", (said(2, text="老的文字"), said(40, text="不变")))])
    heap = [said(seq, text=f"会议纪要 {seq}") for seq in range(1, 151) if seq != 40]
    heap += [said(40, text="不变"), said(3, text="改过的"), said(7, "other", text="别处的")]
    told = by_type(store.apply([PutObjects("Message", tuple(heap), live=True)]))
    changed, rooms = told["Message"], told["Conversation"]
    assert set(changed.upserts) == {m.id for m in heap}
    assert set(rooms.upserts) == {"room", "other"}
    assert seqs(store.load_messages("room", limit=500)) == list(range(1, 151))
    assert seqs(store.load_messages("other")) == [7]
    held = store.load_conversations()
    assert {c.id: (c.last_seq, c.unread_count) for c in held} == {"room": (150, 147), "other": (7, 1)}
    assert len(searched(store, "会议")) == 148  # all but the 40th and the 3rd
    assert (searched(store, "改过"), searched(store, "老的"), searched(store, "别处")) == (
        {"room-3"},
        set(),
        {"other-7"},
    )


def test_in_a_heap_the_later_one_takes_the_place(store: Store) -> None:
    store.apply([PutObjects("Conversation", (room(),)), PutObjects("Message", (said(5, text="它先来"),))])
    rival = said(5, text="后来的", id="rival")
    moved = said(90, text="搬了家", id="room-6")
    heap = [*(said(seq, text="普通") for seq in range(6, 80)), rival, moved]
    store.apply([CoverMessages("room", 6, 80, tuple(heap))])
    assert [m.id for m in store.load_messages("room", limit=3, after=3)] == ["rival", "room-7", "room-8"]
    assert store.load_object("Message", "room-6") == moved
    assert (searched(store, "它先"), searched(store, "后来"), searched(store, "搬了")) == (set(), {"rival"}, {"room-6"})
    store.apply([RemoveObjects("Message", ("rival",))])
    assert searched(store, "后来") == set()


def test_a_heap_waits_for_no_index_even_where_two_share_a_moment(tmp_path: Path) -> None:
    cut: dict[int, str] = {}
    number = 0
    while (twin := cut.setdefault(zlib.crc32(str(number).encode()) >> 12, str(number))) == str(number):
        number += 1
    store = SqliteStore.open(tmp_path / "heap.db", KEY, ME)
    heap = [said(seq, text="同一刻", sent_at=7) for seq in range(1, 100)]
    twins = [said(200, id=twin, sent_at=7, text="同一刻"), said(201, id=str(number), sent_at=7, text="同一刻")]
    store.apply([PutObjects("Conversation", (room(),)), PutObjects("Message", (*heap, *twins))])
    assert store.index_some() <= 1  # all but the one that had to give way
    assert len(searched(store, "同一")) == 101
    store.close()
