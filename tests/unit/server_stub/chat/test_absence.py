"""Absence replies: once a day, to single people, never to automatic messages; the server sends them with no client open."""

from server_stub.chat.absence import AGAIN_MS, AbsenceAnswers, is_active, to_answer
from server_stub.clock import SystemClock, format_utc
from server_stub.ids import uuid7
from tests.helpers.chat_room import Room

HOUR = 3_600_000


def test_who_is_away_answers_once_a_day_and_not_in_groups(room: Room) -> None:
    ann, bob, cid, *_ = room.people()
    status = {bob.person: "online"}
    woken: list[bool] = []
    answers = AbsenceAnswers(room.backend.services.database, SystemClock(), lambda: woken.append(True))
    answers.status_of = lambda person_id: status.get(person_id, "offline")
    talk, group = room.direct(ann, bob), room.group(ann, bob, cid)

    def run() -> int:
        return int(room.backend.run(answers.run_due()))

    room.say(ann, talk)
    assert run() == 0, "nobody has set one"
    made = bob.create("AbsenceReply", uuid7(1), text="出差中，周五回来。", enabled=True)
    assert bob.refused("AbsenceReply", text="第二份")["type"] == "singleton"
    assert ann.call("AbsenceReply/get", ids=[made["id"]])["notFound"] == [made["id"]]
    run()
    first = room.say(ann, talk)
    room.say(ann, talk)
    room.say(ann, group)
    room.say(bob, talk)
    assert woken
    assert run() == 1
    auto = [one for one in room.messages(ann, talk) if "auto" in one]
    assert [(one["senderId"], one["text"], one["auto"]) for one in auto] == [(bob.person, "出差中，周五回来。", True)]
    assert not any("auto" in one for one in room.messages(ann, group))
    ann.call("Message/set", update={first: {"text": "改过"}})
    room.say(ann, talk)
    assert run() == 0, "once a day"
    room.backend.write(lambda tx: tx.raw.execute("UPDATE absence_sent SET at = at - ?", (AGAIN_MS,)).rowcount)
    room.say(ann, talk)
    assert run() == 1, "the next day"
    ann.create("AbsenceReply", uuid7(1), text="也不在", enabled=True)
    run()
    room.say(cid, room.direct(cid, ann))
    assert run() == 1
    assert run() == 0, "an automatic message is not answered"
    room.change(bob, "AbsenceReply", made["id"], enabled=False)
    room.change(bob, "AbsenceReply", made["id"], enabled=True, whileAway=True)
    room.say(ann, talk)
    assert run() == 0, "he is at his desk"
    status[bob.person] = "away"
    room.say(ann, talk)
    assert run() == 1, "turned on anew, everybody is answered again"
    for wrong in ({"text": " "}, {"text": "x" * 501}, {"from": "soon"}, {"enabled": "yes"}, {"other": 1}):
        assert room.refused(bob, "AbsenceReply", made["id"], **wrong)["type"] == "invalidProperties", wrong
    backwards = {"from": "2030-01-02T00:00:00Z", "to": "2030-01-01T00:00:00Z"}
    assert room.refused(bob, "AbsenceReply", made["id"], **backwards)["properties"] == ["from", "to"]
    forged = ann.create("Message", uuid7(1), conversationId=talk, text="x", auto=True)
    assert "auto" not in room.get(ann, "Message", forged["id"]), "only the server says so"
    bob.call("AbsenceReply/set", destroy=[made["id"]])
    assert room.rows("SELECT count(*) FROM absence_sent WHERE person_id = ?", bob.person) == [(0,)]


def test_what_waited_when_the_server_ended_is_answered_once(room: Room) -> None:
    _, bob, _, dan, zoe = room.people()
    dan.create("AbsenceReply", uuid7(1), text="休假", enabled=True)
    zoe.create("AbsenceReply", uuid7(1), text="离开时", enabled=True, whileAway=True)
    talk, other, group = room.direct(dan, bob), room.direct(zoe, bob), room.group(dan, bob, zoe)
    room.say(bob, talk)
    room.say(bob, other)
    room.say(bob, group)

    def restarted() -> int:
        answers = AbsenceAnswers(room.backend.services.database, SystemClock(), lambda: None)
        return int(room.backend.run(answers.run_due()))

    assert restarted() == 1, "who was away is not known after a restart"
    assert [one["text"] for one in room.messages(bob, talk) if "auto" in one] == ["休假"]
    assert restarted() == 0, "an automatic message stands last"
    room.say(bob, talk)
    assert restarted() == 0, "whom it has told, it remembers"


def test_when_it_answers() -> None:
    now = 1_800_000_000_000
    plan = {"enabled": 1, "text": "x", "from": format_utc(now), "to": format_utc(now + HOUR), "whileAway": 0}
    assert [is_active(plan, at, "online") for at in (now - 1000, now, now + HOUR)] == [False, True, False]
    assert not is_active({**plan, "enabled": 0}, now, "offline")
    fresh = {"conversationId": "c", "senderId": "p", "kind": "text", "sentAt": format_utc(now)}
    assert to_answer([fresh], now + 1000) == [("c", "p")]
    others = (
        {"senderId": None},
        {"kind": "shake"},
        {"auto": True},
        {"editedAt": "x"},
        {"sentAt": format_utc(now - HOUR)},
    )
    assert to_answer([{**fresh, **other} for other in others], now) == []
