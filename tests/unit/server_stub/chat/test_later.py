"""Messages sent later, favorites, stickers; and a database of before messages could change."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from server_stub.chat.handlers import chat_handlers, message_handler
from server_stub.chat.runner import ChatRunner
from server_stub.chat.scheduled import do_send_due
from server_stub.clock import SystemClock, format_utc
from server_stub.ids import uuid7
from server_stub.storage.schema import MIGRATIONS
from tests.helpers.chat_room import Room


def test_what_is_scheduled_is_sent_once_as_the_person(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    blob = room.blob(ann, b"later", "text/plain")
    soon = format_utc(SystemClock().now_ms() + 3_600_000)
    message = {"kind": "file", "attachment": {"blobId": blob, "name": "会议纪要.txt"}}
    made = ann.create("ScheduledMessage", uuid7(1), conversationId=there, message=message, sendAt=soon)
    assert made["state"] == "waiting"
    room.change(ann, "ScheduledMessage", made["id"], sendAt=format_utc(SystemClock().now_ms() + 1000))
    assert bob.call("ScheduledMessage/get", ids=None)["list"] == []
    dropped = ann.create("ScheduledMessage", uuid7(1), conversationId=there, message={"text": "不发了"}, sendAt=soon)
    ann.call("ScheduledMessage/set", destroy=[dropped["id"]])
    handler = message_handler(chat_handlers(room.backend.blobs))
    now = SystemClock().now_ms() + 7_200_000
    assert room.backend.write(lambda tx: do_send_due(tx, handler, now)) == 1
    assert room.backend.write(lambda tx: do_send_due(tx, handler, now)) == 0
    (sent,) = room.messages(bob, there)
    assert (sent["senderId"], sent["kind"], sent["attachment"]["size"]) == (ann.person, "file", 5)
    shown = room.get(ann, "ScheduledMessage", made["id"])
    assert (shown["state"], shown["messageId"]) == ("sent", sent["id"])
    assert room.refused(ann, "ScheduledMessage", made["id"], sendAt=soon)["type"] == "forbidden"
    assert room.rows("SELECT type_name FROM blob_ref WHERE blob_id = ?", blob) == [("Message",)]
    for wrong in (
        {"sendAt": "soon"},
        {"sendAt": "2999-01-01T00:00:00Z"},
        {"message": {"kind": "shake"}},
        {"message": {"text": " "}},
        {"conversationId": "none"},
    ):
        given: dict[str, Any] = {"conversationId": there, "message": {"text": "x"}, "sendAt": soon, **wrong}
        assert ann.refused("ScheduledMessage", **given)["type"] == "invalidProperties", wrong


def test_what_cannot_be_sent_says_why(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    made = bob.create(
        "ScheduledMessage", uuid7(1), conversationId=there, message={"text": "x"}, sendAt="2020-01-01T00:00:00Z"
    )
    ann.call("Conversation/set", destroy=[there])
    handler = message_handler(chat_handlers(None))
    room.backend.write(lambda tx: do_send_due(tx, handler, tx.now))
    shown = room.get(bob, "ScheduledMessage", made["id"])
    assert (shown["state"], shown["reason"]) == ("failed", "dissolved")


def test_the_runner_wakes_for_what_is_due(room: Room) -> None:
    ann, bob, *_ = room.people()
    there = room.group(ann, bob)
    handler = message_handler(chat_handlers(None))

    async def start() -> "asyncio.Task[None]":
        runner = ChatRunner(room.backend.services.database, SystemClock(), handler)
        return asyncio.create_task(runner.run())

    async def stop(task: "asyncio.Task[None]") -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def listen() -> dict[str, object]:
        async with room.backend.socket(bob.person) as socket:
            await socket.enable(["Message"], objects=["Message"])
            at = format_utc(SystemClock().now_ms() + 50)
            await asyncio.to_thread(
                ann.create, "ScheduledMessage", uuid7(1), conversationId=there, message={"text": "到点"}, sendAt=at
            )
            return dict((await socket.type("Push"))["objects"]["Message"][0])

    task = room.backend.run(start())
    try:
        assert asyncio.run(listen())["text"] == "到点"
    finally:
        room.backend.run(stop(task))


def test_a_favorite_is_ones_own_copy(room: Room) -> None:
    ann, bob, eve, *_ = room.people()
    there = room.group(ann, bob)
    blob = room.blob(ann, b"kept", "application/pdf")
    said = room.send(ann, there, "file", attachment={"blobId": blob, "name": "图纸.pdf"})
    kept = bob.create("Favorite", uuid7(1), messageId=said, tags=["图纸", "图纸"], note="要看")
    assert (kept["kind"], kept["tags"], kept["senderId"]) == ("file", ["图纸"], ann.person)
    room.change(ann, "Message", said, recalled=True)
    shown = room.get(bob, "Favorite", kept["id"])
    assert (shown["attachment"]["name"], room.sees_blob(bob, blob)) == ("图纸.pdf", True)
    room.change(bob, "Favorite", kept["id"], note=None, tags=["旧"])
    assert "note" not in room.get(bob, "Favorite", kept["id"])
    assert room.refused(bob, "Favorite", kept["id"], text="x")["type"] == "invalidProperties"
    assert ann.call("Favorite/get", ids=[kept["id"]])["notFound"] == [kept["id"]]
    bob.call("Favorite/set", destroy=[kept["id"]])
    assert not room.sees_blob(bob, blob)
    assert eve.refused("Favorite", messageId=room.say(ann, there))["type"] == "invalidProperties"
    assert bob.refused("Favorite", messageId=said)["type"] == "invalidProperties"
    room.say(bob, there, "一")
    merged = room.send(bob, there, "merged", mergedIds=[room.say(bob, there, "二")])
    assert ann.create("Favorite", messageId=merged)["merged"]["items"][0]["text"] == "二"


def test_stickers_have_an_order_of_their_own(room: Room) -> None:
    ann, bob, *_ = room.people()
    one = ann.create("Sticker", uuid7(1), blobId=room.blob(ann, b"s1"), name="赞")
    two = ann.create("Sticker", uuid7(1), blobId=room.blob(ann, b"s2"))
    assert (one["order"], two["order"], two["type"]) == (1, 2, "image/png")
    room.change(ann, "Sticker", two["id"], order=0)
    assert ann.call("Sticker/query", sort=[{"property": "order"}])["ids"] == [two["id"], one["id"]]
    assert bob.call("Sticker/get", ids=None)["list"] == []
    assert ann.refused("Sticker", blobId=room.blob(ann, b"t", "text/plain"))["type"] == "invalidProperties"
    assert bob.refused("Sticker", blobId=room.blob(ann, b"s3"))["type"] == "blobNotFound"
    assert room.refused(ann, "Sticker", one["id"], blobId="x")["type"] == "invalidProperties"


def test_a_built_in_sticker_is_a_name_and_what_it_says(room: Room) -> None:
    ann, bob, *_ = room.people()
    between = room.direct(ann, bob)
    sent = room.send(ann, between, "sticker", sticker="got-it", text="别的话")
    shown = room.get(bob, "Message", sent)
    assert (shown["kind"], shown["sticker"], shown["text"]) == ("sticker", "got-it", "收到")
    assert room.get(bob, "Conversation", between)["lastMessage"]["text"] == "收到"
    kept = bob.create("Favorite", messageId=sent)
    assert room.get(bob, "Favorite", kept["id"])["sticker"] == "got-it"
    merged = room.send(bob, between, "merged", mergedIds=[sent])
    assert room.get(ann, "Message", merged)["merged"]["items"][0]["sticker"] == "got-it"
    picture = {"blobId": room.blob(ann, b"p"), "name": "p.png"}
    for wrong in ({"sticker": "../secret"}, {}, {"sticker": "got-it", "attachment": picture}):
        refused = ann.refused("Message", conversationId=between, kind="sticker", **wrong)
        assert refused["type"] == "invalidProperties", wrong
    refused = ann.refused("Message", conversationId=between, kind="text", text="x", sticker="got-it")
    assert (refused["type"], refused["properties"]) == ("invalidProperties", ["sticker"])


def test_an_older_database_is_taken_forward(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    with sqlite3.connect(path) as old:
        old.execute("CREATE TABLE message (id TEXT, scope INTEGER, seq BIGINT, modseq BIGINT)")
        old.execute("CREATE TABLE conversation (id TEXT)")
        old.execute("CREATE TABLE member (row INTEGER)")
        old.execute("INSERT INTO message VALUES ('m', 1, 1, 7)")
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as conn:
        for _ in range(2):
            MIGRATIONS[4](conn)
        assert conn.exec_driver_sql("SELECT since FROM message").scalar_one() == 7
        assert conn.exec_driver_sql("SELECT count(muted_all), count(settings) FROM conversation").fetchone() == (0, 0)
        assert conn.exec_driver_sql("SELECT count(own), count(muted_until) FROM member").fetchone() == (0, 0)
    engine.dispose()
    old.close()
