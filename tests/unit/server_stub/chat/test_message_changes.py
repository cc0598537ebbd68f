"""Messages that change: edits with history, recall that leaves nothing, reactions, pins, confirmations, reminders, polls, chains."""

import asyncio
from typing import Any

from server_stub.chat.messages import do_post_system
from server_stub.ids import uuid7
from tests.helpers.chat_room import Room


def test_an_edit_keeps_what_was_said_before(room: Room) -> None:
    ann, bob, eve, *_ = room.people()
    there = room.group(ann, bob)
    said = room.say(ann, there, "第一版", mentions=[bob.person], formatted="<b>第一版</b>")
    state = bob.call("Message/get", ids=[])["state"]
    answer = room.change(ann, "Message", said, text="第二版", mentions=[])
    assert set(answer) == {"editedAt", "formatted"}
    room.change(ann, "Message", said, text="第三版")
    shown = room.get(bob, "Message", said)
    assert (shown["text"], shown["mentions"], "edits" in shown, "formatted" in shown) == ("第三版", [], False, False)
    named = room.get(bob, "Message", said, ["edits"])["edits"]
    assert [one["text"] for one in named] == ["第一版", "第二版"]
    assert (named[0]["at"], named[1]["at"] > named[0]["at"]) == (shown["sentAt"], True)
    page = bob.call("Message/changes", sinceState=state)
    assert (page["created"], page["updated"]) == ([], [said])
    conversation = room.get(bob, "Conversation", there)
    assert (conversation["lastMessage"]["text"], conversation["mentionCount"]) == ("第三版", 0)
    assert room.refused(bob, "Message", said, text="hers")["type"] == "forbidden"
    assert room.refused(eve, "Message", said, text="x")["type"] == "notFound"
    for patch, error in (
        ({"text": " "}, "invalidProperties"),
        ({"text": "字" * 10_001}, "tooLarge"),
        ({"seq": 9}, "invalidProperties"),
    ):
        assert room.refused(ann, "Message", said, **patch)["type"] == error
    between = room.direct(ann, bob)
    private = room.say(ann, between, "a")
    room.change(ann, "Message", private, text="b")
    assert "edits" in room.get(ann, "Message", private, ["edits"])
    assert "edits" not in room.get(bob, "Message", private, ["edits"])
    room.age(private, 86_401)
    assert room.refused(ann, "Message", private, text="late")["type"] == "tooLate"


def test_what_is_recalled_is_gone_everywhere(room: Room) -> None:
    ann, bob, eve, *_ = room.people()
    there = room.group(ann, bob, eve)
    secret, before = "绝密口令七七四九", "绝密旧口令"
    blob = room.blob(bob, b"secret picture")
    said = room.say(bob, there, before, mentions=[ann.person], mustConfirm=True)
    room.change(bob, "Message", said, text=secret)
    picture = room.send(bob, there, "picture", attachment={"blobId": blob, "name": "绝密图.png"})
    assert room.get(ann, "Conversation", there)["unreadCount"] == 2
    assert room.sees_blob(eve, blob)
    assert [kind for kind, _, about in room.alerts(ann) if about == said] == ["confirm"]
    reply = room.say(ann, there, "收到", replyToId=said)
    assert room.refused(eve, "Message", said, recalled=True)["type"] == "forbidden"
    for id_ in (said, picture):
        assert set(room.change(bob, "Message", id_, recalled=True)) >= {"recalledAt", "recalledById"}
    shown = room.get(ann, "Message", said)
    assert shown.keys() == set(
        "id conversationId seq senderId kind text mentions sentAt recalledAt recalledById".split()
    )
    assert (shown["text"], shown["senderId"], shown["recalledById"]) == ("", bob.person, bob.person)
    assert room.get(ann, "Message", reply)["replyToId"] == said
    assert not room.sees_blob(eve, blob)
    assert [about for _, _, about in room.alerts(ann) if about == said] == []
    dump = room.dump()
    for word in (secret, before, "绝密图"):
        assert word not in dump
    counts = room.get(ann, "Conversation", there)
    assert (counts["unreadCount"], counts["mentionCount"]) == (0, 0)
    assert room.change(bob, "Message", said, recalled=True) is None
    assert room.refused(bob, "Message", said, text="again")["type"] == "forbidden"
    again = bob.create(
        "Message", picture, conversationId=there, kind="picture", attachment={"blobId": blob, "name": "绝密图.png"}
    )
    assert again["id"] == picture
    assert not room.sees_blob(eve, blob)
    late = room.say(bob, there, "晚了")
    room.age(late, 121)
    assert room.refused(bob, "Message", late, recalled=True)["type"] == "tooLate"
    assert room.change(ann, "Message", late, recalled=True)["recalledById"] == ann.person
    assert room.get(eve, "Conversation", there)["lastMessage"]["recalledById"] == ann.person


def test_reactions_are_each_persons_own(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    said = room.say(ann, there)
    room.change(bob, "Message", said, **{"reactions/👍": True, "reactions/❤️": True})
    room.change(ann, "Message", said, **{"reactions/👍": True})
    assert room.get(ann, "Message", said)["reactions"] == {"👍": [bob.person, ann.person], "❤️": [bob.person]}
    state = ann.call("Message/get", ids=[])["state"]
    room.change(bob, "Message", said, **{"reactions/👍": True})
    assert ann.call("Message/changes", sinceState=state)["updated"] == []
    room.change(bob, "Message", said, **{"reactions/👍": None, "reactions/❤️": None})
    assert room.get(ann, "Message", said)["reactions"] == {"👍": [ann.person]}
    for bad in ("", "x" * 17, "👨‍👩‍👧‍👦" * 3, "a b", "\u202e" * 0 + "\n"):
        assert room.refused(ann, "Message", said, **{f"reactions/{bad}": True})["type"] == "invalidProperties"
    many = {f"reactions/{chr(0x1F600 + n)}": True for n in range(20)}
    assert room.refused(ann, "Message", said, **many)["type"] == "invalidProperties"
    assert room.refused(ann, "Message", said, reactions={"👍": [bob.person]})["type"] == "invalidProperties"
    room.change(ann, "Message", said, recalled=True)
    assert room.refused(bob, "Message", said, **{"reactions/👍": True})["type"] == "forbidden"


def test_pins_belong_to_the_conversation(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    ids = [room.say(ann, there, f"m{n}") for n in range(3)]
    assert room.refused(bob, "Message", ids[0], pinned=True)["type"] == "forbidden"
    room.change(ann, "Conversation", there, anyonePins=True)
    for id_ in ids[:2]:
        room.change(bob, "Message", id_, pinned=True)
    assert room.get(ann, "Message", ids[0])["pinned"]["byId"] == bob.person
    assert {one["id"] for one in room.messages(ann, there, pinned=True)} == set(ids[:2])
    room.change(ann, "Message", ids[0], pinned=False)
    room.change(ann, "Message", ids[1], recalled=True)
    assert room.messages(ann, there, pinned=True) == []
    assert [one["type"] for one in room.events(ann, there)] == ["pinned", "pinned", "unpinned"]
    for id_ in [ids[2], *(room.say(ann, there) for _ in range(49))]:
        room.change(ann, "Message", id_, pinned=True)
    assert room.refused(ann, "Message", room.say(ann, there), pinned=True)["type"] == "invalidProperties"
    assert (
        ann.fails("Message/query", filter={"conversationId": there, "pinned": True, "afterSeq": 1})
        == "unsupportedFilter"
    )
    between = room.direct(ann, bob)
    room.change(bob, "Message", room.say(ann, between), pinned=True)


def test_a_message_that_must_be_confirmed_waits_for_each(room: Room) -> None:
    ann, bob, eve, dan, _ = room.people()
    there = room.group(ann, bob, eve, name="防汛")
    said = room.say(ann, there, "今晚全员到岗", mustConfirm=True)

    def waiting(me: object) -> list[str]:
        return [kind for kind, _, about in room.alerts(me) if about == said]  # type: ignore[arg-type]

    assert (waiting(ann), waiting(bob), waiting(eve)) == ([], ["confirm"], ["confirm"])
    room.change(bob, "Message", said, confirmed=True)
    room.change(bob, "Message", said, confirmed=True)
    assert room.get(eve, "Message", said)["confirmedIds"] == [bob.person]
    assert waiting(bob) == []
    assert room.refused(ann, "Message", said, confirmed=True)["type"] == "forbidden"
    assert room.refused(dan, "Message", said, confirmed=True)["type"] == "notFound"
    answer = ann.call("Message/remind", id=said)
    assert answer["personIds"] == [eve.person]
    assert waiting(eve) == ["confirm", "urge"]
    again = ann.call("Message/remind", id=said)["refused"]
    assert (again["type"], 0 < again["retryAfter"] <= 600) == ("rateLimit", True)
    assert bob.call("Message/remind", id=said)["refused"]["type"] == "forbidden"
    room.change(ann, "Message", said, text="明晚全员到岗")
    assert waiting(eve) == ["confirm"]
    eve.call("Member/set", destroy=[f"{there}_{eve.person}"])
    assert waiting(eve) == []
    plain = room.say(ann, there)
    bob.call("Conversation/set", update={there: {"readSeq": 99}})
    assert ann.call("Message/remind", id=plain)["personIds"] == []
    assert (
        ann.refused("Message", conversationId=there, kind="emoji", text="👍", mustConfirm=True)["type"]
        == "invalidProperties"
    )


def test_a_poll_counts_and_keeps_what_is_anonymous(room: Room) -> None:
    ann, bob, eve, *_ = room.people()
    there = room.group(ann, bob, eve)
    options = [{"id": "a", "text": "周五"}, {"id": "b", "text": "周六"}]
    poll = {"question": "哪天团建？", "options": options, "multiple": False, "anonymous": False}
    asked = room.send(ann, there, "poll", poll=poll)
    assert room.get(bob, "Conversation", there)["lastMessage"]["text"] == "哪天团建？"
    room.change(bob, "Message", asked, choice=["a"])
    room.change(eve, "Message", asked, choice=["a"])
    room.change(bob, "Message", asked, choice=["b"])
    shown = room.get(bob, "Message", asked)
    assert shown["results"] == {
        "a": {"count": 1, "personIds": [eve.person]},
        "b": {"count": 1, "personIds": [bob.person]},
    }
    assert (shown["choice"], "choice" in room.get(ann, "Message", asked)) == (["b"], False)
    for bad in (["a", "b"], ["c"], "a", ["a", "a"]):
        assert room.refused(bob, "Message", asked, choice=bad)["type"] == "invalidProperties"
    room.change(bob, "Message", asked, choice=[])
    assert room.get(bob, "Message", asked)["results"]["b"] == {"count": 0, "personIds": []}
    assert room.refused(bob, "Message", asked, close=True)["type"] == "forbidden"
    assert "closedAt" in room.change(ann, "Message", asked, close=True)["poll"]
    assert room.refused(bob, "Message", asked, choice=["a"])["type"] == "closed"
    secret = room.send(ann, there, "poll", poll={**poll, "anonymous": True, "multiple": True})
    room.change(bob, "Message", secret, choice=["a", "b"])
    shown = room.get(eve, "Message", secret)
    assert (shown["results"], "choice" in shown) == ({"a": {"count": 1}, "b": {"count": 1}}, False)
    over = room.send(ann, there, "poll", poll={**poll, "closesAt": "2020-01-01T00:00:00.000Z"})
    assert room.refused(bob, "Message", over, choice=["a"])["type"] == "closed"
    for bad_poll in (
        {"options": options[:1]},
        {"question": " "},
        {"options": [*options, options[0]]},
        {"closesAt": "soon"},
    ):
        assert (
            ann.refused("Message", conversationId=there, kind="poll", poll={**poll, **bad_poll})["type"]
            == "invalidProperties"
        )


def test_a_chain_keeps_the_order_of_entries(room: Room) -> None:
    ann, bob, eve, *_ = room.people()
    there = room.group(ann, bob, eve)
    chain = room.send(ann, there, "chain", chain={"title": "周末加班报名", "example": "姓名 午餐"})
    for me, entry in (
        (bob, "李四 米饭"),
        (eve, "王五 面条"),
        (bob, "李四 面条"),
        (eve, None),
        (eve, None),
        (ann, "张三"),
    ):
        room.change(me, "Message", chain, entry=entry)
    shown = room.get(ann, "Message", chain)
    assert [(one["personId"], one["text"]) for one in shown["entries"]] == [
        (bob.person, "李四 面条"),
        (ann.person, "张三"),
    ]
    for bad in ("", "x" * 201, 5):
        assert room.refused(ann, "Message", chain, entry=bad)["type"] == "invalidProperties"
    assert room.refused(ann, "Message", room.say(ann, there), entry="x")["type"] == "forbidden"


def test_kinds_ask_for_what_they_need(room: Room) -> None:
    ann, bob, *_ = room.people()
    between = room.direct(ann, bob)
    sound, picture, big = (
        room.blob(ann, b"sound", "audio/ogg"),
        room.blob(ann, b"png"),
        room.blob(ann, b"x" * (2 << 20) + b"x"),
    )

    def file(blob: str, **more: object) -> dict[str, object]:
        return {"blobId": blob, "name": "a", **more}

    voice = room.send(ann, between, "voice", attachment=file(sound, durationMs=3000, waveform=[0, 50, 100]))
    assert room.get(bob, "Message", voice)["attachment"] == {
        "blobId": sound, "name": "a", "type": "audio/ogg", "size": 5, "durationMs": 3000, "waveform": [0, 50, 100],
    }  # fmt: skip
    room.send(ann, between, "video", attachment=file(sound, durationMs=600_000, width=640, height=480))
    room.send(ann, between, "sticker", attachment=file(picture))
    for kind, attachment, error in (
        ("voice", file(sound), "invalidProperties"),
        ("voice", file(sound, durationMs=120_001), "invalidProperties"),
        ("voice", file(sound, durationMs=5, waveform=[101]), "invalidProperties"),
        ("voice", file(sound, durationMs=5, waveform=[1] * 101), "invalidProperties"),
        ("picture", file(picture, durationMs=5), "invalidProperties"),
        ("sticker", file(sound), "invalidProperties"),
        ("sticker", file(big), "tooLarge"),
        ("sticker", None, "invalidProperties"),
    ):
        given: dict[str, Any] = {} if attachment is None else {"attachment": attachment}
        assert ann.refused("Message", conversationId=between, kind=kind, **given)["type"] == error, (kind, attachment)
    text = room.say(ann, between, "print(1)", code=True, language="python", silent=True, forwardedFrom=True)
    shown = room.get(bob, "Message", text)
    assert (shown["code"], shown["language"], shown["silent"], shown["forwardedFrom"]) == (True, "python", True, True)
    dirty = '<b onclick="x()">粗</b><script>alert(1)</script><a href="file:///etc">f</a><a href="https://x.cn">l</a><img src=x>'
    made = ann.create("Message", uuid7(1), conversationId=between, text="粗", formatted=dirty)
    assert made["formatted"] == (
        '<b>粗</b><a rel="noopener noreferrer">f</a><a href="https://x.cn" rel="noopener noreferrer">l</a>'
    )
    wrongs: tuple[dict[str, Any], ...] = (
        {"language": "python"},
        {"kind": "emoji", "code": True},
        {"poll": {}},
        {"event": {}},
        {"recalledAt": "x"},
    )
    for wrong in wrongs:
        assert ann.refused("Message", conversationId=between, text="x", **wrong)["type"] == "invalidProperties", wrong


def test_a_shake_is_for_two_and_not_too_often(room: Room) -> None:
    *_, dan, zoe = room.people()
    between = room.direct(dan, zoe)
    shaken = room.send(dan, between, "shake")
    again = zoe.refused("Message", conversationId=between, kind="shake")
    assert (again["type"], 0 < again["retryAfter"] <= 10) == ("rateLimit", True)
    assert dan.create("Message", shaken, conversationId=between, kind="shake")["id"] == shaken
    room.age(shaken, 11)
    room.send(zoe, between, "shake")
    assert dan.refused("Message", conversationId=room.group(dan, zoe), kind="shake")["type"] == "invalidProperties"
    assert dan.refused("Message", conversationId=between, kind="shake", text="x")["type"] == "invalidProperties"


def test_forwarded_talk_is_copied_by_the_server(room: Room) -> None:
    ann, bob, eve, dan, _ = room.people()
    there, elsewhere = room.group(ann, bob, name="项目"), room.direct(bob, eve)
    blob = room.blob(ann, b"plan", "application/pdf")
    first = room.say(ann, there, "方案发你")
    second = room.send(ann, there, "file", attachment={"blobId": blob, "name": "方案.pdf"})
    assert not room.sees_blob(eve, blob)
    sent = bob.create("Message", uuid7(1), conversationId=elsewhere, kind="merged", mergedIds=[second, first])
    merged = sent["merged"]
    assert merged["title"] == "项目的聊天记录"
    assert [(one["kind"], one["text"], one["senderId"]) for one in merged["items"]] == [
        ("text", "方案发你", ann.person),
        ("file", "", ann.person),
    ]
    assert room.get(eve, "Message", sent["id"])["merged"] == merged
    assert room.sees_blob(eve, blob)
    assert (
        bob.create("Message", sent["id"], conversationId=elsewhere, kind="merged", mergedIds=[first])["merged"]
        == merged
    )
    further = room.direct(eve, dan)
    outer = room.send(eve, further, "merged", mergedIds=[sent["id"]])
    (inside,) = room.get(dan, "Message", outer)["merged"]["items"]
    assert inside["merged"] == {"title": "项目的聊天记录", "count": 2}
    opened = dan.call("Message/merged", id=outer, path=[0])
    assert [one["text"] for one in opened["items"]] == ["方案发你", ""]
    assert dan.call("Message/merged", id=outer, path=[0, 1])["refused"]["type"] == "notFound"
    assert ann.call("Message/merged", id=outer, path=[])["refused"]["type"] == "notFound"
    assert room.sees_blob(dan, blob)
    deepest = room.send(eve, further, "merged", mergedIds=[outer])
    assert (
        eve.refused("Message", conversationId=further, kind="merged", mergedIds=[deepest])["type"]
        == "invalidProperties"
    )
    other = room.say(bob, elsewhere)
    for ids in ([], [first, first], [first, other], ["none"]):
        assert bob.refused("Message", conversationId=there, kind="merged", mergedIds=ids)["type"] == "invalidProperties"
    assert (
        eve.refused("Message", conversationId=elsewhere, kind="merged", mergedIds=[first])["type"]
        == "invalidProperties"
    )
    for id_, me in ((deepest, eve), (outer, eve)):
        room.change(me, "Message", id_, recalled=True)
    assert not room.sees_blob(dan, blob)
    room.change(ann, "Message", first, recalled=True)
    assert ann.refused("Message", conversationId=there, kind="merged", mergedIds=[first])["type"] == "invalidProperties"


def test_a_change_is_pushed_whole_to_who_listens(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    said = room.say(ann, there, "旧")

    async def listen() -> list[dict[str, object]]:
        async with room.backend.socket(bob.person) as socket:
            await socket.enable(["Message"], objects=["Message"])
            told = []
            for patch in ({"text": "新"}, {"reactions/👍": True}, {"recalled": True}):
                await asyncio.to_thread(room.change, ann, "Message", said, **patch)
                told.append((await socket.type("Push"))["objects"]["Message"][0])
            return told

    edited, reacted, recalled = asyncio.run(listen())
    assert (edited["text"], reacted["reactions"]) == ("新", {"👍": [ann.person]})
    assert ("reactions" in recalled, recalled["text"]) == (False, "")


def test_what_the_system_says_is_only_read(room: Room) -> None:
    ann, *_ = room.people()
    room.backend.write(lambda tx: do_post_system(tx, "notices", [ann.person], "放假"))
    ((id_,),) = room.rows("SELECT id FROM message WHERE text = '放假'")
    for patch in ({"text": "x"}, {"recalled": True}, {"pinned": True}, {"reactions/👍": True}):
        assert room.refused(ann, "Message", id_, **patch)["type"] == "forbidden"
