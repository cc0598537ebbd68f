"""Chat through the api: conversations, members and their rights, messages, read markers, unread counts, history by membership."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from server_stub.chat.conversations import do_open_system
from server_stub.chat.messages import do_post_system
from server_stub.ids import direct_conversation_id, uuid7
from server_stub.records.actor import Actor
from tests.helpers.running_backend import Backend, Jmap, running_backend


@pytest.fixture
def backend(tmp_path: Path) -> Iterator[Backend]:
    with running_backend(tmp_path, people=5) as running:
        yield running


def say(me: Jmap, conversation: str, text: str = "x", **more: Any) -> dict[str, Any]:
    return me.create("Message", uuid7(1), conversationId=conversation, text=text, **more)


def one(me: Jmap, type_name: str, id_: str) -> dict[str, Any]:
    (found,) = me.call(f"{type_name}/get", ids=[id_])["list"]
    return dict(found)


def texts(me: Jmap, conversation: str, **filter_: Any) -> list[str]:
    answers = me.calls(
        ("Message/query", {"filter": {"conversationId": conversation, **filter_}}),
        ("Message/get", {"#ids": {"resultOf": "0", "name": "Message/query", "path": "/ids"}}),
    )
    return [message["text"] for message in answers[1][1]["list"]]


def group(owner: Jmap, *others: str) -> str:
    return str(owner.create("Conversation", uuid7(1), kind="group", name="值班", memberIds=list(others))["id"])


def test_a_direct_conversation_is_one_from_both_sides(backend: Backend) -> None:
    ann, bob = (backend.client(person) for person in backend.people[:2])
    made = ann.create("Conversation", kind="direct", memberIds=[bob.person])
    assert made["id"] == direct_conversation_id(ann.person, bob.person)
    assert bob.create("Conversation", kind="direct", memberIds=[ann.person, bob.person])["id"] == made["id"]
    assert sorted(one(bob, "Conversation", made["id"])["memberIds"]) == sorted([ann.person, bob.person])
    for members in ([], [ann.person], [bob.person, backend.people[2]], ["nobody"], "x", [5]):
        assert ann.refused("Conversation", kind="direct", memberIds=members)["type"] == "invalidProperties"
    assert ann.refused("Conversation", kind="odd", memberIds=[bob.person])["properties"] == ["kind"]
    member = ann.call("Member/query", filter={"conversationId": made["id"]})["ids"][0]
    assert ann.call("Member/set", destroy=[member])["notDestroyed"][member]["type"] == "forbidden"
    assert ann.refused("Member", conversationId=made["id"], personId=backend.people[2])["type"] == "forbidden"


def test_messages_are_numbered_pushed_through_and_paged_both_ways(backend: Backend) -> None:
    ann, bob, eve = (backend.client(person) for person in backend.people[:3])
    there = str(ann.create("Conversation", kind="direct", memberIds=[bob.person])["id"])
    for n in range(1, 8):
        sent = say((ann, bob)[n % 2], there, f"m{n}")
        assert sent["seq"] == n
    assert texts(bob, there) == [f"m{n}" for n in range(1, 8)]
    assert texts(bob, there, beforeSeq=4) == ["m1", "m2", "m3"]
    assert texts(bob, there, afterSeq=5) == ["m6", "m7"]
    newest = {"filter": {"conversationId": there}, "sort": [{"property": "seq", "isAscending": False}]}
    page = bob.call("Message/query", **newest, limit=2, calculateTotal=True)
    older = bob.call("Message/query", **newest, anchor=page["ids"][-1], anchorOffset=1, limit=2)
    assert [one(bob, "Message", id_)["seq"] for id_ in (*page["ids"], *older["ids"])] == [7, 6, 5, 4]
    assert (page["total"], older["position"]) == (7, 2)
    assert bob.call("Message/query", **newest, position=-1)["position"] == 6
    assert bob.fails("Message/query", **newest, anchor="none") == "anchorNotFound"
    assert bob.fails("Message/query", filter={"odd": "x"}) == "unsupportedFilter"
    assert bob.fails("Message/query", filter=newest["filter"], sort=[{"property": "text"}]) == "unsupportedSort"
    assert bob.fails("Message/query", filter={"conversationId": there, "afterSeq": "1"}) == "invalidArguments"
    assert eve.call("Message/query", **newest)["ids"] == []
    assert eve.call("Message/get", ids=page["ids"])["notFound"] == page["ids"]
    assert eve.refused("Message", conversationId=there, text="let me in")["properties"] == ["conversationId"]
    assert one(bob, "Conversation", there)["lastMessage"]["text"] == "m7"


def test_the_same_message_sent_again_is_one_message(backend: Backend) -> None:
    ann, bob = (backend.client(person) for person in backend.people[:2])
    there = str(ann.create("Conversation", kind="direct", memberIds=[bob.person])["id"])
    key = uuid7(9)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ann.create("Message", key, conversationId=there, text="once"), range(8)))
    assert answers == [{"id": key, "seq": 1, "senderId": ann.person, "sentAt": answers[0]["sentAt"]}] * 8
    assert texts(bob, there) == ["once"]
    assert bob.refused("Message", key, conversationId=there, text="mine")["properties"] == ["id"]
    assert say(ann, there)["seq"] == 2
    assert ann.create("Message", "k", conversationId=there, text="x")["seq"] == 3


def test_what_a_message_may_be(backend: Backend) -> None:
    ann, bob = (backend.client(person) for person in backend.people[:2])
    there = str(ann.create("Conversation", kind="direct", memberIds=[bob.person])["id"])
    first = say(ann, there, "字" * 10_000)
    reply = say(ann, there, "re", replyToId=first["id"], mentions=[bob.person, bob.person, "all"])
    shown = one(bob, "Message", reply["id"])
    assert (shown["replyToId"], shown["mentions"]) == (first["id"], [bob.person, "all"])
    for wrong, error in (
        ({"text": "字" * 10_001}, "tooLarge"),
        ({"text": " \n"}, "invalidProperties"),
        ({}, "invalidProperties"),
        ({"text": 5}, "invalidProperties"),
        ({"text": "x", "kind": "system"}, "invalidProperties"),
        ({"text": "x", "seq": 5}, "invalidProperties"),
        ({"text": "x", "senderId": bob.person}, "invalidProperties"),
        ({"text": "x", "card": {"type": "Notice"}}, "invalidProperties"),
        ({"text": "x", "replyToId": "none"}, "invalidProperties"),
        ({"text": "x", "mentions": [""]}, "invalidProperties"),
        ({"text": "x", "mentions": [str(n) for n in range(201)]}, "invalidProperties"),
        ({"kind": "file"}, "invalidProperties"),
        ({"kind": "file", "attachment": {"blobId": "x", "name": "../x"}}, "invalidProperties"),
        ({"kind": "file", "attachment": {"blobId": "a" * 64, "name": "x"}}, "blobNotFound"),
        ({"text": "x", "attachment": {"blobId": "a" * 64, "name": "x"}}, "invalidProperties"),
    ):
        assert ann.refused("Message", conversationId=there, **wrong)["type"] == error, wrong
    assert texts(bob, there)[1:] == ["re"]
    message = bob.call("Message/set", update={first["id"]: {"text": "y"}}, destroy=[first["id"]])
    assert message["notUpdated"][first["id"]]["type"] == message["notDestroyed"][first["id"]]["type"] == "forbidden"
    assert ann.call("Message/set", destroy=[first["id"]])["notDestroyed"][first["id"]]["type"] == "forbidden"


def test_unread_and_mentions_are_counted_by_the_server(backend: Backend) -> None:
    ann, bob, eve = (backend.client(person) for person in backend.people[:3])
    there = group(ann, bob.person, eve.person)

    def counts(me: Jmap) -> tuple[int, int, int]:
        shown = one(me, "Conversation", there)
        return shown["unreadCount"], shown["mentionCount"], shown["readSeq"]

    say(ann, there, mentions=[bob.person])
    say(bob, there)
    say(eve, there, mentions=["all"])
    assert (counts(ann), counts(bob), counts(eve)) == ((2, 1, 0), (2, 2, 0), (2, 0, 0))
    state = bob.call("Conversation/get", ids=[])["state"]
    assert bob.call("Conversation/set", update={there: {"readSeq": 1}})["updated"][there].keys() >= {"unreadCount"}
    assert counts(bob) == (1, 1, 1)
    page = bob.call("Conversation/changes", sinceState=state)
    assert page["updatedProperties"] == [
        "lastSeq",
        "lastMessage",
        "unreadCount",
        "mentionCount",
        "readSeq",
        "updatedAt",
    ]
    assert ann.call("Conversation/changes", sinceState=state)["updated"] == []
    bob.call("Conversation/set", update={there: {"readSeq": 99}})
    assert counts(bob) == (0, 0, 3)
    bob.call("Conversation/set", update={there: {"readSeq": 2}})
    assert counts(bob) == (0, 0, 3)
    receipt = one(ann, "Receipt", f"{there}_{bob.person}")
    assert (receipt["readSeq"], receipt["personId"]) == (3, bob.person)
    assert (
        ann.call("Receipt/set", update={receipt["id"]: {"readSeq": 9}})["notUpdated"][receipt["id"]]["type"]
        == "forbidden"
    )
    for bad in (-1, "3", True, 1.5, 2**63):
        error = bob.call("Conversation/set", update={there: {"readSeq": bad}})["notUpdated"][there]
        assert error["properties"] == ["readSeq"]


def test_what_is_ones_own_and_what_is_everybodys(backend: Backend) -> None:
    ann, bob = (backend.client(person) for person in backend.people[:2])
    there = group(ann, bob.person)
    state = ann.call("Conversation/get", ids=[])["state"]
    bob.call("Conversation/set", update={there: {"muted": True, "pinned": True}})
    assert one(bob, "Conversation", there)["muted"] is one(bob, "Conversation", there)["pinned"] is True
    assert one(ann, "Conversation", there)["muted"] is False
    page = bob.call("Conversation/changes", sinceState=state)
    assert page["updated"] == [there]
    assert "updatedProperties" not in page
    assert ann.call("Conversation/changes", sinceState=state)["updated"] == []
    assert bob.call("Conversation/set", update={there: {"name": "mine"}})["notUpdated"][there]["type"] == "forbidden"
    ann.call("Conversation/set", update={there: {"name": " 防汛 ", "announcement": {"text": "今晚值班"}}})
    shown = one(bob, "Conversation", there)
    assert (shown["name"], shown["announcement"]["text"], shown["announcement"]["by"]) == (
        "防汛",
        "今晚值班",
        ann.person,
    )
    for patch in ({"name": ""}, {"name": "x" * 101}, {"muted": 5}, {"lastSeq": 9}, {"kind": "direct"}, {"odd": 1}):
        assert ann.call("Conversation/set", update={there: patch})["notUpdated"][there]["type"] == "invalidProperties"
    assert ann.call("Conversation/set", update={there: {"kind": "group"}})["updated"] == {there: None}


def test_who_may_change_who_is_in_a_group(backend: Backend) -> None:
    ann, bob, eve, dan, zoe = (backend.client(person) for person in backend.people)
    there = group(ann, bob.person, eve.person)

    def member(person: str) -> str:
        return f"{there}_{person}"

    def roles() -> dict[str, str]:
        answers = ann.calls(
            ("Member/query", {"filter": {"conversationId": there}}),
            ("Member/get", {"#ids": {"resultOf": "0", "name": "Member/query", "path": "/ids"}}),
        )
        return {one["personId"]: one["role"] for one in answers[1][1]["list"]}

    def not_updated(me: Jmap, person: str, role: str) -> str:
        return str(me.call("Member/set", update={member(person): {"role": role}})["notUpdated"][member(person)]["type"])

    def not_destroyed(me: Jmap, person: str) -> str:
        return str(me.call("Member/set", destroy=[member(person)])["notDestroyed"][member(person)]["type"])

    assert bob.refused("Member", conversationId=there, personId=dan.person)["type"] == "forbidden"
    assert dan.refused("Member", conversationId=there, personId=dan.person)["type"] == "invalidProperties"
    assert not_updated(bob, bob.person, "admin") == "forbidden"
    assert not_updated(ann, bob.person, "king") == "invalidProperties"
    assert not_updated(ann, ann.person, "member") == "forbidden"
    assert not_updated(dan, bob.person, "admin") == "notFound"
    ann.call("Member/set", update={member(bob.person): {"role": "admin"}})
    bob.create("Member", conversationId=there, personId=dan.person)
    assert bob.refused("Member", conversationId=there, personId=dan.person)["type"] == "invalidProperties"
    assert bob.refused("Member", conversationId=there, personId="nobody")["type"] == "invalidProperties"
    assert not_destroyed(bob, ann.person) == "forbidden"
    assert not_destroyed(eve, dan.person) == "forbidden"
    assert bob.call("Member/set", destroy=[member(dan.person)])["destroyed"] == [member(dan.person)]
    ann.call("Member/set", update={member(eve.person): {"role": "owner"}})
    assert roles() == {ann.person: "admin", bob.person: "admin", eve.person: "owner"}
    assert eve.call("Member/set", destroy=[member(eve.person)])["destroyed"] == [member(eve.person)]
    assert roles() == {ann.person: "owner", bob.person: "admin"}
    assert texts(ann, there)[-2:] == ["成员退出了群聊", "成员成为群主"]
    assert one(ann, "Conversation", there)["memberCount"] == 2
    assert zoe.call("Conversation/get", ids=[there])["notFound"] == [there]


def test_history_is_uncovered_by_joining_and_hidden_by_leaving(backend: Backend) -> None:
    ann, bob, eve = (backend.client(person) for person in backend.people[:3])
    there = group(ann, bob.person)
    sent = [say(ann, there, f"m{n}")["id"] for n in range(3)]
    before = eve.call("Message/get", ids=[])["state"]
    ann.create("Member", conversationId=there, personId=eve.person)
    page = eve.call("Message/changes", sinceState=before)
    (line,) = ann.call("Message/query", filter={"conversationId": there, "afterSeq": 3})["ids"]
    assert (sorted(page["created"]), page["destroyed"]) == (sorted([*sent, line]), [])
    assert one(eve, "Message", line)["event"] == {"type": "joined", "personIds": [eve.person], "byId": ann.person}
    assert eve.call("Conversation/changes", sinceState=before)["created"] == [there]
    shown = one(eve, "Conversation", there)
    assert (shown["unreadCount"], shown["readSeq"], shown["memberCount"]) == (0, 3, 3)
    assert len(eve.call("Receipt/changes", sinceState=before)["created"]) == 3
    joined = eve.call("Message/get", ids=[])["state"]
    key = uuid7(3)
    first = eve.create("Message", key, conversationId=there, text="hello")
    eve.call("Member/set", destroy=[f"{there}_{eve.person}"])
    page = eve.call("Message/changes", sinceState=joined)
    assert sorted(page["destroyed"]) == sorted([*sent, line, key])
    for type_name in ("Conversation", "Member", "Receipt"):
        gone = eve.call(f"{type_name}/changes", sinceState=joined)
        assert gone["destroyed"], type_name
        assert not gone["created"] + gone["updated"]
    assert eve.call("Message/get", ids=sent)["notFound"] == sent
    assert eve.create("Message", key, conversationId=there, text="hello") == first
    assert eve.refused("Message", uuid7(4), conversationId=there, text="late")["type"] == "invalidProperties"
    assert ann.call("Member/changes", sinceState=joined)["destroyed"] == [f"{there}_{eve.person}"]
    ann.create("Member", conversationId=there, personId=eve.person)
    assert eve.call("Member/changes", sinceState=joined)["destroyed"] == []
    joined_line, left_line = "成员邀请成员加入了群聊", "成员退出了群聊"
    assert texts(eve, there) == ["m0", "m1", "m2", joined_line, "hello", left_line, joined_line]


def test_the_system_speaks_to_each_person_alone(backend: Backend) -> None:
    ann, bob = (backend.client(person) for person in backend.people[:2])
    card = {"type": "Notice", "id": "n1", "title": "放假"}
    backend.write(lambda tx: do_post_system(tx, "notices", [ann.person, bob.person], "关于放假的通知", card))
    backend.write(lambda tx: do_post_system(tx, "notices", [ann.person], "补充"))
    there = backend.write(lambda tx: do_open_system(tx, "notices", ann.person))
    shown = one(ann, "Conversation", there)
    assert (shown["kind"], shown["name"], shown["unreadCount"], shown["lastSeq"]) == ("system", "notices", 2, 2)
    first = ann.call("Message/query", filter={"conversationId": there})["ids"][0]
    message = one(ann, "Message", first)
    assert (message["senderId"], message["card"]) == (None, card)
    assert bob.call("Message/get", ids=[first])["notFound"] == [first]
    assert ann.refused("Message", conversationId=there, text="thanks")["type"] == "invalidProperties"
    member = f"{there}_{ann.person}"
    assert ann.call("Member/set", destroy=[member])["notDestroyed"][member]["type"] == "forbidden"


def test_seq_is_contiguous_and_follows_commit_order_under_many_senders(backend: Backend) -> None:
    people = [backend.client(person) for person in backend.people]
    there = group(people[0], *(person.person for person in people[1:]))

    def talk(me: Jmap) -> None:
        for _ in range(6):
            create = {uuid7(2): {"conversationId": there, "text": "x"} for _ in range(5)}
            assert me.call("Message/set", create=create)["notCreated"] is None

    with ThreadPoolExecutor(5) as pool:
        list(pool.map(talk, people))
    messages = people[0].calls(
        ("Message/query", {"filter": {"conversationId": there}}),
        ("Message/get", {"#ids": {"resultOf": "0", "name": "Message/query", "path": "/ids"}}),
    )[1][1]["list"]
    assert [message["seq"] for message in messages] == list(range(1, 151))
    modseqs = people[0].call("Message/changes", sinceState="0")["modseqs"]
    in_order = [modseqs[message["id"]] for message in messages]
    assert in_order == sorted(in_order)


def change_some_message(rnd: random.Random, me: Jmap, other: Jmap, there: str) -> None:
    """Whether it may or not: an edit, a recall, a reaction, a pin."""
    ids = me.call("Message/query", filter={"conversationId": there})["ids"]
    changes: tuple[dict[str, Any], ...] = (
        {"text": f"y{rnd.random()}", "mentions": [other.person]},
        {"recalled": True},
        {"reactions/👍": rnd.choice((True, None))},
        {"pinned": rnd.random() < 0.7},
    )
    if ids:
        me.call("Message/set", update={rnd.choice(ids): rnd.choice(changes)})


def act_at_random(rnd: random.Random, people: list[Jmap], groups: list[str]) -> None:
    """One thing somebody does somewhere, whether it may be done or not."""
    me, other, there = rnd.choice(people), rnd.choice(people), rnd.choice(groups)
    match rnd.randrange(10):
        case 0 | 1 | 2:
            me.call("Message/set", create={uuid7(1): {"conversationId": there, "text": "x", "mentions": ["all"]}})
        case 3:
            me.call("Conversation/set", update={there: {"readSeq": rnd.randrange(9), "pinned": rnd.random() < 0.5}})
        case 7 | 8 | 9:
            change_some_message(rnd, me, other, there)
        case 4:
            me.call("Member/set", create={"k": {"conversationId": there, "personId": other.person}})
        case 5:
            me.call("Member/set", destroy=[f"{there}_{other.person}"])
        case 6:
            me.call("Conversation/set", update={there: {"name": f"n{rnd.randrange(99)}"}})


@pytest.mark.parametrize("seed", range(3))
def test_a_client_that_follows_changes_sees_what_get_gives(backend: Backend, seed: int) -> None:
    """verify_action for chat: old snapshot + changes = new snapshot, for each type and person, after random actions."""
    rnd = random.Random(seed)
    people = [backend.client(person) for person in backend.people]
    types = ("Conversation", "Member", "Message", "Receipt")
    groups = [group(people[0], people[1].person), group(people[1], people[2].person, people[3].person)]
    held: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {}
    for me in people:
        for type_name in types:
            answer = me.call(f"{type_name}/get", ids=None)
            held[me.person, type_name] = (answer["state"], {one["id"]: one for one in answer["list"]})

    def follow(me: Jmap, type_name: str) -> None:
        state, objects = held[me.person, type_name]
        more = True
        while more:
            page = me.call(f"{type_name}/changes", sinceState=state, maxChanges=3)
            only = page.get("updatedProperties")
            for ids, properties in ((page["created"], None), (page["updated"], only)):
                for obj in me.call(f"{type_name}/get", ids=ids, properties=properties)["list"]:
                    objects[obj["id"]] = {**(objects.get(obj["id"], {}) if properties else {}), **obj}
            for gone in page["destroyed"]:
                objects.pop(gone, None)
            state, more = page["newState"], page["hasMoreChanges"]
        held[me.person, type_name] = (state, objects)
        assert objects == {one["id"]: one for one in me.call(f"{type_name}/get", ids=None)["list"]}

    for _ in range(12):
        for _ in range(rnd.randint(1, 4)):
            act_at_random(rnd, people, groups)
        follow(rnd.choice(people), rnd.choice(types))
    for me in people:
        for type_name in types:
            follow(me, type_name)


def test_a_file_is_seen_by_whoever_sees_its_message(backend: Backend) -> None:
    ann, bob, eve = (backend.client(person) for person in backend.people[:3])
    there = group(ann, bob.person)
    blob = backend.run(backend.blobs.put_bytes(b"hello", type_="text/plain", uploader=ann.person))
    attachment = {"blobId": blob.id, "name": "通知.txt", "type": "application/pdf", "size": 99, "width": 4}
    sent = ann.create("Message", uuid7(1), conversationId=there, kind="file", attachment=attachment)
    true = {"blobId": blob.id, "name": "通知.txt", "type": "text/plain", "size": 5, "width": 4}
    assert sent["attachment"] == true
    assert one(bob, "Message", sent["id"])["attachment"] == true

    def sees(me: Jmap) -> bool:
        actor = Actor(me.person)
        return (
            backend.services.database.read_now(lambda conn: backend.blobs.access_blob(conn, actor, blob.id)) is not None
        )

    assert (sees(ann), sees(bob), sees(eve)) == (True, True, False)
    stolen: dict[str, Any] = {"kind": "file", "attachment": attachment}
    mine = str(eve.create("Conversation", kind="direct", memberIds=[ann.person])["id"])
    assert eve.refused("Message", conversationId=mine, **stolen)["type"] == "blobNotFound"
    ann.call("Member/set", destroy=[f"{there}_{bob.person}"])
    assert sees(bob) is False
