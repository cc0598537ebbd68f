"""Groups: roles, transfer, silence, joining, announcements, dissolving, those of departments; and what is each member's own."""

from typing import Any

import pytest

from server_stub.accounts.directory import (
    Identity,
    do_create_department,
    do_create_person,
    do_disable_person,
    do_set_identities,
    do_update_department,
)
from server_stub.chat.department_groups import do_follow_departments
from server_stub.ids import uuid7
from tests.helpers.chat_room import Room
from tests.helpers.running_backend import Jmap


def member(there: str, who: Jmap) -> str:
    return f"{there}_{who.person}"


def speak(me: Jmap, there: str) -> str | None:
    """None when the person may write, else why not."""
    answer = me.call("Message/set", create={uuid7(1): {"conversationId": there, "text": "x"}})["notCreated"]
    return None if answer is None else str(next(iter(answer.values())).get("reason"))


def test_what_is_ones_own_is_seen_on_ones_own_devices_alone(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    room.say(ann, there)
    state = ann.call("Conversation/get", ids=[])["state"]
    draft = {"text": "写到一半", "replyToId": "r"}
    room.change(
        bob, "Conversation", there, folder=" 工作 ", markedUnread=True, draft=draft, hiddenAt="2026-01-01T00:00:00Z"
    )
    shown = room.get(bob, "Conversation", there)
    assert (shown["folder"], shown["markedUnread"], shown["draft"]["text"]) == ("工作", True, "写到一半")
    assert (shown["draft"]["at"][:2], shown["hiddenAt"]) == ("20", "2026-01-01T00:00:00.000Z")
    others = room.get(ann, "Conversation", there)
    assert not others.keys() & {"folder", "draft", "hiddenAt"}
    assert ann.call("Conversation/changes", sinceState=state)["updated"] == []
    room.change(bob, "Conversation", there, readSeq=1, folder=None, draft={"text": ""}, hiddenAt=None)
    shown = room.get(bob, "Conversation", there)
    assert (shown["markedUnread"], shown.keys() & {"folder", "draft", "hiddenAt"}) == (False, set())
    for notify, muted in (("mentions", False), ("none", True), ("all", False)):
        room.change(bob, "Conversation", there, notify=notify)
        shown = room.get(bob, "Conversation", there)
        assert (shown["notify"], shown["muted"]) == (notify, muted)
    room.change(bob, "Conversation", there, muted=True)
    assert room.get(bob, "Conversation", there)["notify"] == "none"
    room.change(bob, "Conversation", there, muted=False)
    assert room.get(bob, "Conversation", there)["notify"] == "all"
    bad: tuple[dict[str, Any], ...] = (
        {"folder": "x" * 51},
        {"markedUnread": 1},
        {"draft": {"text": "x" * 10_001}},
        {"draft": {"text": "x", "odd": 1}},
        {"notify": "some"},
        {"hiddenAt": "yesterday"},
    )
    for patch in bad:
        assert room.refused(bob, "Conversation", there, **patch)["type"] == "invalidProperties", patch


def test_silence_for_one_and_for_all(room: Room) -> None:
    ann, bob, eve, *_ = room.people()
    there = room.group(ann, bob, eve)
    room.change(ann, "Member", member(there, bob), role="admin")
    assert room.refused(eve, "Member", member(there, bob), mutedUntil="2999-01-01T00:00:00Z")["type"] == "forbidden"
    assert room.refused(bob, "Member", member(there, ann), mutedUntil="2999-01-01T00:00:00Z")["type"] == "forbidden"
    room.change(bob, "Member", member(there, eve), mutedUntil="2999-01-01T00:00:00Z")
    assert (speak(eve, there), speak(ann, there)) == ("muted", None)
    room.change(bob, "Member", member(there, eve), mutedUntil=None)
    assert speak(eve, there) is None
    room.change(ann, "Conversation", there, mutedAll=True)
    assert (speak(eve, there), speak(bob, there)) == ("mutedAll", None)
    assert room.refused(eve, "Conversation", there, mutedAll=False)["type"] == "forbidden"
    room.change(bob, "Conversation", there, mutedAll=False)
    assert speak(eve, there) is None
    assert [one["type"] for one in room.events(ann, there)] == ["roleChanged", "muted", "unmuted", "muted", "unmuted"]
    room.change(eve, "Member", member(there, eve), nickname=" 小伊 ")
    assert room.get(ann, "Member", member(there, eve))["nickname"] == "小伊"
    assert room.refused(ann, "Member", member(there, eve), nickname="x")["type"] == "forbidden"
    assert room.refused(eve, "Member", member(there, eve), nickname="a\u202eb")["type"] == "invalidProperties"


def test_a_dissolved_group_is_read_and_nothing_more(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    said = room.say(ann, there, "最后一句")
    key = uuid7(5)
    first = bob.create("Message", key, conversationId=there, text="好")
    assert bob.call("Conversation/set", destroy=[there])["notDestroyed"][there]["type"] == "forbidden"
    assert ann.call("Conversation/set", destroy=[there])["destroyed"] == [there]
    shown = room.get(bob, "Conversation", there)
    assert (shown["dissolvedAt"][:2], shown["lastMessage"]["event"]["type"]) == ("20", "dissolved")
    assert (speak(ann, there), speak(bob, there)) == ("dissolved", "dissolved")
    assert bob.create("Message", key, conversationId=there, text="好") == first
    for patch in ({"text": "x"}, {"recalled": True}, {"reactions/👍": True}, {"pinned": True}):
        assert room.refused(ann, "Message", said, **patch)["reason"] == "dissolved"
    assert room.refused(ann, "Conversation", there, name="新")["reason"] == "dissolved"
    assert ann.refused("Member", conversationId=there, personId=room.backend.people[3])["reason"] == "dissolved"
    room.change(bob, "Conversation", there, readSeq=9, pinned=True)
    assert bob.call("Member/set", destroy=[member(there, bob)])["destroyed"] == [member(there, bob)]
    between = room.direct(ann, bob)
    assert ann.call("Conversation/set", destroy=[between])["notDestroyed"][between]["type"] == "forbidden"


def test_a_card_of_a_group_tells_who_may_ask_what_to_ask_for(room: Room) -> None:
    ann, bob, eve, *_ = room.people()
    there = room.group(ann, bob, name="技术交流")
    between = room.direct(bob, eve)

    def card(who: Any) -> dict[str, Any]:
        found: dict[str, Any] = who.call("Conversation/card", id=there)
        return found

    assert card(eve)["refused"]["type"] == "forbidden"
    assert card(bob)["isMember"] is True
    room.change(ann, "Conversation", there, joinRule="approve")
    shown = {key: value for key, value in card(eve).items() if key != "accountId"}
    assert shown == {
        "id": there, "name": "技术交流", "memberCount": 2, "joinRule": "approve", "isMember": False, "asked": False,
    }  # fmt: skip
    sent = room.send(bob, between, "text", text="", card={"type": "Conversation", "id": there, "title": "别的名字"})
    assert room.get(eve, "Message", sent)["card"] == {"type": "Conversation", "id": there, "title": "技术交流"}
    refused = eve.refused("Message", conversationId=between, kind="text", card={"type": "Conversation", "id": there})
    assert refused["type"] == "invalidProperties", "who is not in it sends no card of it"
    eve.create("JoinRequest", uuid7(1), conversationId=there)
    assert card(eve)["asked"] is True
    assert eve.call("Conversation/card", id=uuid7(1))["refused"]["type"] == "notFound"
    assert ann.call("Conversation/set", destroy=[there])["destroyed"] == [there]
    assert card(eve)["refused"]["type"] == "notFound"


def test_who_lets_people_in(room: Room) -> None:
    ann, bob, eve, dan, zoe = room.people()
    there = room.group(ann, bob, name="技术交流")
    assert bob.refused("Member", conversationId=there, personId=eve.person)["type"] == "forbidden"
    assert eve.refused("JoinRequest", conversationId=there)["type"] == "forbidden"
    room.change(ann, "Conversation", there, anyoneInvites=True)
    assert bob.create("Member", conversationId=there, personId=eve.person)["invitedById"] == bob.person
    room.change(ann, "Conversation", there, joinRule="approve")
    assert bob.refused("Member", conversationId=there, personId=dan.person)["type"] == "forbidden"
    asked = dan.create("JoinRequest", uuid7(1), conversationId=there, text="我是小丹")
    assert dan.refused("JoinRequest", conversationId=there)["type"] == "invalidProperties"
    assert [one for one in room.alerts(ann) if one[2] == asked["id"]] == [
        ("system", "成员申请加入技术交流", asked["id"])
    ]
    assert bob.call("JoinRequest/get", ids=[asked["id"]])["notFound"] == [asked["id"]]
    room.change(ann, "Member", member(there, bob), role="admin")
    assert room.get(bob, "JoinRequest", asked["id"])["text"] == "我是小丹"
    assert room.refused(dan, "JoinRequest", asked["id"], state="accepted")["type"] == "forbidden"
    room.change(bob, "JoinRequest", asked["id"], state="accepted")
    assert room.get(ann, "Member", member(there, dan))["role"] == "member"
    assert [one for one in room.alerts(ann) if one[2] == asked["id"]] == []
    assert ("system", "技术交流已同意加入申请", there) in room.alerts(dan)
    assert room.refused(ann, "JoinRequest", asked["id"], state="refused")["type"] == "forbidden"
    proposed = eve.create("JoinRequest", uuid7(1), conversationId=there, personId=zoe.person)
    room.change(ann, "JoinRequest", proposed["id"], state="refused")
    assert zoe.call("Conversation/get", ids=[there])["notFound"] == [there]
    waiting = zoe.create("JoinRequest", uuid7(1), conversationId=there)["id"]
    ann.create("Member", conversationId=there, personId=zoe.person)
    assert zoe.call("JoinRequest/get", ids=[waiting])["notFound"] == [waiting]
    zoe.call("Member/set", destroy=[member(there, zoe)])
    room.change(ann, "Conversation", there, joinRule="admins")
    assert zoe.refused("JoinRequest", conversationId=there)["type"] == "forbidden"
    joined = [one for one in room.events(ann, there) if one["type"] == "joined"]
    assert [one.get("byId") for one in joined] == [bob.person, None, ann.person]


def test_announcements_are_kept_with_who_read_them(room: Room) -> None:
    ann, bob, eve, *_ = room.people()
    there = room.group(ann, bob)
    assert bob.refused("Announcement", conversationId=there, text="x")["type"] == "forbidden"
    first = ann.create(
        "Announcement", uuid7(1), conversationId=there, text="周三交预算", title="预算", mustConfirm=True
    )
    assert room.get(bob, "Conversation", there)["announcement"].items() >= {
        "id": first["id"], "title": "预算", "text": "周三交预算", "by": ann.person, "mustConfirm": True,
    }.items()  # fmt: skip
    assert ("confirm", "预算", first["id"]) in room.alerts(bob)
    room.change(bob, "Announcement", first["id"], read=True)
    room.change(bob, "Announcement", first["id"], confirmed=True)
    shown = room.get(ann, "Announcement", first["id"])
    assert (shown["readIds"], shown["confirmedIds"]) == ([ann.person, bob.person], [bob.person])
    assert not [one for one in room.alerts(bob) if one[2] == first["id"]]
    assert eve.call("Announcement/get", ids=[first["id"]])["notFound"] == [first["id"]]
    room.change(ann, "Conversation", there, announcement={"text": "改到周四"})
    listed = bob.call("Announcement/query", filter={"conversationId": there}, sort=[{"property": "at"}])["ids"]
    assert (listed[0], len(listed)) == (first["id"], 2)
    assert room.refused(bob, "Announcement", listed[1], confirmed=True)["type"] == "forbidden"
    ann.call("Announcement/set", destroy=[listed[1]])
    assert room.get(bob, "Conversation", there)["announcement"]["text"] == "周三交预算"
    room.change(ann, "Conversation", there, announcement=None)
    assert "announcement" not in room.get(bob, "Conversation", there)
    assert [one["value"] for one in room.events(ann, there)] == ["预算", "改到周四"]
    room.change(ann, "Conversation", there, name="预算组", avatarBlobId=room.blob(ann, b"face"))
    assert room.sees_blob(bob, room.get(bob, "Conversation", there)["avatarBlobId"])
    assert (
        room.refused(ann, "Conversation", there, avatarBlobId=room.blob(ann, b"t", "text/plain"))["type"]
        == "invalidProperties"
    )
    assert room.get(bob, "Conversation", there)["lastMessage"]["text"] == "成员将群名改为“预算组”"


@pytest.fixture(scope="module")
def bureau(room: Room) -> dict[str, str]:
    """A bureau with two offices: a head, a clerk in the inner office, one in the other."""

    def fill(tx: Any) -> dict[str, str]:
        bureau = do_create_department(tx, name="水利局")
        inner = do_create_department(tx, name="科室", parent_id=bureau)
        other = do_create_department(tx, name="站", parent_id=bureau)
        people = {
            name: do_create_person(
                tx, name=name, login=None, password_hash=None, identities=[Identity(where, "", True)]
            )
            for name, where in (("林远", inner), ("张敏", inner), ("孙强", other))
        }
        do_update_department(tx, inner, {"headId": people["张敏"]})
        return {"bureau": bureau, "inner": inner, "other": other, **people}

    return dict(room.backend.write(fill))


def test_the_group_of_a_department_follows_the_organisation(room: Room, bureau: dict[str, str]) -> None:
    lin, zhang, sun = (room.backend.client(bureau[name]) for name in ("林远", "张敏", "孙强"))
    assert lin.refused("Conversation", kind="group", departmentId=bureau["inner"])["type"] == "forbidden"
    assert zhang.refused("Conversation", kind="group", departmentId=bureau["bureau"])["type"] == "forbidden"
    there = zhang.create("Conversation", uuid7(1), kind="group", departmentId=bureau["inner"])["id"]
    again = zhang.refused("Conversation", kind="group", departmentId=bureau["inner"])
    assert (again["type"], again["existingId"]) == ("invalidProperties", there)
    shown = room.get(lin, "Conversation", there)
    assert (shown["name"], shown["departmentId"], shown["memberCount"], shown["lastSeq"]) == (
        "科室",
        bureau["inner"],
        2,
        0,
    )
    assert room.get(lin, "Member", member(there, zhang))["role"] == "owner"
    for me, gone in ((lin, lin), (zhang, lin)):
        assert (
            me.call("Member/set", destroy=[member(there, gone)])["notDestroyed"][member(there, gone)]["type"]
            == "forbidden"
        )
    assert zhang.refused("Member", conversationId=there, personId=sun.person)["type"] == "forbidden"
    assert room.refused(zhang, "Member", member(there, lin), role="owner")["type"] == "forbidden"
    assert zhang.call("Conversation/set", destroy=[there])["notDestroyed"][there]["type"] == "forbidden"

    def reorganise(tx: Any) -> None:
        below = do_create_department(tx, name="小组", parent_id=bureau["inner"])
        do_set_identities(tx, sun.person, [Identity(below, "", True)])
        do_update_department(tx, bureau["inner"], {"headId": lin.person, "name": "综合科"})
        do_disable_person(tx, zhang.person)

    room.backend.write(reorganise)
    assert room.backend.write(do_follow_departments) == 2
    assert room.backend.write(do_follow_departments) == 0
    shown = room.get(sun, "Conversation", there)
    assert (shown["name"], shown["memberCount"]) == ("综合科", 2)
    assert room.get(sun, "Member", member(there, lin))["role"] == "owner"
    assert room.texts(sun, there) == ["孙强加入了群聊", "张敏退出了群聊"]
    assert zhang.call("Conversation/get", ids=[there])["notFound"] == [there]
