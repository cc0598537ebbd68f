"""Files in talks of two: they run out by policy, and where the policy allows it clients agree on a way past the server."""

import asyncio
import base64
import hashlib
import json
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from server_stub.ids import uuid7
from server_stub.push.frames import Frame
from tests.helpers.asgi_call import Answer
from tests.helpers.whole_backend import Program, Whole, open_whole

DAY_MS = 86_400_000
CONTENT = b"drawing " * 1000
BLOB = hashlib.sha256(CONTENT).hexdigest()
CERTIFICATE = base64.b64encode(bytes(300)).decode()


def run(folder: Path, test: Callable[[Whole], Awaitable[None]], **settings: Any) -> None:
    async def limited() -> None:
        async with asyncio.timeout(60), open_whole(folder, **settings) as whole:
            await test(whole)

    asyncio.run(limited())


async def send(me: Program, whole: Whole, conversation: str, blob: str, kind: str = "file") -> str:
    id_ = uuid7(whole.clock.now)
    attachment = {"blobId": blob, "name": "a.png"}
    result = await me.call(
        "Message/set", create={id_: {"conversationId": conversation, "kind": kind, "attachment": attachment}}
    )
    assert result["created"], result["notCreated"]
    return id_


async def shown(me: Program, id_: str) -> dict[str, Any]:
    (found,) = (await me.call("Message/get", ids=[id_]))["list"]
    return dict(found["attachment"])


async def reads(me: Program, blob: str) -> int:
    return (await me.http("GET", f"/jmap/download/{me.person_id}/{blob}/x")).status


def test_files_run_out_where_nobody_else_keeps_them(tmp_path: Path) -> None:
    """After the days of the policy the message says so and the content goes; a favorite, a group and a picture keep theirs."""

    async def test(whole: Whole) -> None:
        ann, bob = await whole.enroll("ann"), await whole.enroll("bob")
        assert (await ann.http("POST", "/direct", b"{}")).status == 404  # no policy, no such route
        session = json.loads((await ann.http("GET", "/.well-known/jmap")).body)
        assert "direct" not in session["capabilities"]["urn:tongban:upload"]
        talk = (await ann.make("Conversation", kind="direct", memberIds=[bob.person_id]))["id"]
        group = (await ann.make("Conversation", kind="group", name="值班", memberIds=[bob.person_id]))["id"]
        blobs = [await ann.upload(bytes([number]) * 5000, "image/png") for number in range(4)]
        gone, favorite, grouped, picture = blobs
        old = [await send(ann, whole, talk, gone), await send(ann, whole, talk, favorite)]
        kept = [await send(ann, whole, group, grouped), await send(ann, whole, talk, picture, "picture")]
        await bob.make("Favorite", messageId=old[1])
        whole.clock.now += 20 * DAY_MS
        young = await send(ann, whole, talk, fresh := await ann.upload(b"new" * 2000))
        await whole.backend.keep_house()
        assert [await reads(bob, one) for one in blobs] == [200] * 4
        whole.clock.now += 11 * DAY_MS
        before = (await bob.call("Message/get", ids=[]))["state"]
        await whole.backend.keep_house()
        assert [await reads(bob, one) for one in (*blobs, fresh)] == [404, 200, 200, 200, 200]
        assert not whole.backend.blobs.path(gone).exists()
        for id_ in old:
            assert (await shown(bob, id_))["expired"] is True
        for id_ in (*kept, young):
            assert "expired" not in await shown(bob, id_)
        assert sorted((await bob.call("Message/changes", sinceState=before))["updated"]) == sorted(old)
        await bob.make("Favorite", messageId=old[0])  # nothing is given by what has run out
        assert await reads(bob, gone) == 404
        state = (await bob.call("Message/get", ids=[]))["state"]
        await whole.backend.keep_house()
        assert (await bob.call("Message/changes", sinceState=state))["updated"] == []

    run(tmp_path, test, chat_file_days=30)


NO_OFFERS: list[tuple[dict[str, Any], str]] = [
    ({"size": 100_001}, "tooLarge"),
    ({"blobId": "../x"}, "badRequest"),
    ({"addresses": [["files.example", 40000]]}, "badRequest"),
    ({"addresses": [["224.0.0.1", 40000]]}, "badRequest"),
    ({"addresses": [["127.0.0.1", 40000]]}, "badRequest"),
    ({"addresses": [["10.0.0.1", 80]]}, "badRequest"),
    ({"addresses": []}, "badRequest"),
    ({"certificate": "x"}, "badRequest"),
    ({"conversationId": "d-of-others"}, "notFound"),
]


class Desk:
    """Two people of a talk, and a third; what each was told."""

    def __init__(self, whole: Whole, people: list[Program], talk: str) -> None:
        self.whole, self.talk = whole, talk
        self.ann, self.bob, self.eve = people
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.there = {person.person_id for person in people}

    def tell(self, person_id: str, frame: Frame) -> int:
        self.told.append((person_id, json.loads(frame.payload)["direct"]))
        return int(person_id in self.there)

    async def post(self, who: Program, path: str, **body: Any) -> Answer:
        return await who.http("POST", f"/direct{path}", json.dumps(body).encode(), content_type="application/json")

    async def offer(self, **more: Any) -> Answer:
        body = {
            "conversationId": self.talk, "blobId": BLOB, "size": len(CONTENT), "name": "图.bin", "type": "image/png",
            "addresses": [["10.1.2.3", 40000]], "certificate": CERTIFICATE, **more,
        }  # fmt: skip
        return await self.post(self.ann, "", **body)

    async def audited(self, act: str) -> list[tuple[str, str, dict[str, Any]]]:
        """(who, what, details) of these acts."""
        sql = "SELECT actor, subject, details FROM audit_entry WHERE act = ?"
        rows = await self.whole.backend.database.read(lambda conn: conn.exec_driver_sql(sql, (act,)).fetchall())
        return [(row[0], row[1], json.loads(row[2])) for row in rows]

    async def passed(self) -> str:
        """A file that went through; the id of its transfer."""
        id_ = str(json.loads((await self.offer()).body)["id"])
        assert (await self.post(self.bob, f"/{id_}/take", certificate=CERTIFICATE)).status == 200
        assert (await self.post(self.bob, f"/{id_}/end", result="done")).status == 200
        return id_


def direct(folder: Path, test: Callable[[Desk], Awaitable[None]]) -> None:
    async def with_desk(whole: Whole) -> None:
        people = [await whole.enroll(name) for name in ("ann", "bob", "eve")]
        talk = (await people[0].make("Conversation", kind="direct", memberIds=[people[1].person_id]))["id"]
        desk = Desk(whole, people, talk)
        assert whole.backend.direct_api is not None
        whole.backend.direct_api.tell = desk.tell
        await test(desk)

    run(folder, with_desk, lan_direct_max_bytes=100_000, lan_direct_keep_copy=0)


def test_two_clients_agree_and_the_log_knows(tmp_path: Path) -> None:
    async def test(desk: Desk) -> None:
        ann, bob, eve = desk.ann, desk.bob, desk.eve
        made = await desk.offer()
        assert made.status == 201
        id_ = json.loads(made.body)["id"]
        (heard,) = desk.told
        assert (heard[0], heard[1]["event"], heard[1]["blobId"]) == (bob.person_id, "offered", BLOB)
        assert not heard[1].keys() & {"addresses", "certificate", "token"}  # for the device that takes it alone
        for who in (ann, eve):
            assert (await desk.post(who, f"/{id_}/take", certificate=CERTIFICATE)).code == "notFound"
        taken = json.loads((await desk.post(bob, f"/{id_}/take", certificate=CERTIFICATE)).body)
        assert (taken["addresses"], len(taken["token"])) == ([["10.1.2.3", 40000]], 64)
        assert desk.told[-1] == (
            ann.person_id,
            {"id": id_, "event": "taken", "certificate": CERTIFICATE, "token": taken["token"]},
        )
        assert (await desk.post(bob, f"/{id_}/take", certificate=CERTIFICATE)).code == "notFound"  # once
        assert (await desk.post(ann, f"/{id_}/end", result="done")).code == "forbidden"
        assert (await desk.post(eve, f"/{id_}/end", result="failed")).code == "notFound"
        assert (await desk.post(bob, f"/{id_}/end", result="done")).status == 200
        assert desk.told[-1][1] == {"id": id_, "event": "ended", "result": "done"}
        assert json.loads((await ann.http("GET", f"/direct/{id_}")).body)["state"] == "done"
        assert (await desk.post(bob, f"/{id_}/end", result="failed")).code == "notFound"
        ((actor, subject, details),) = await desk.audited("file.direct")
        assert (actor, subject, details["to"]) == (ann.person_id, id_, bob.person_id)
        assert (details["sha256"], details["size"], details["result"]) == (BLOB, len(CONTENT), "done")
        assert details["name"] == hashlib.sha256("图.bin".encode()).hexdigest()

    direct(tmp_path, test)


def test_what_is_no_offer_and_a_proof_that_fails(tmp_path: Path) -> None:
    """Refused, and nobody is told; who answers for a file of others and has it not stands in the log."""

    async def test(desk: Desk) -> None:
        for more, code in NO_OFFERS:
            assert (await desk.offer(**more)).code == code, more
        assert desk.told == []
        session = json.loads((await desk.ann.http("GET", "/.well-known/jmap")).body)
        told = session["capabilities"]["urn:tongban:upload"]["direct"]
        assert told == {"url": "/direct", "maxSize": 100_000, "keepCopy": False}
        held = random.Random(1).randbytes(300_000)
        blob = await desk.eve.upload(held)
        body = json.dumps({"blobId": blob, "size": len(held)}).encode()
        claim = json.loads((await desk.ann.http("POST", "/blobs/claim", body, content_type="application/json")).body)
        wrong = json.dumps({"proof": "0" * 64}).encode()
        path = f"/blobs/claim/{claim['id']}"
        assert (await desk.ann.http("POST", path, wrong, content_type="application/json")).code == "notFound"
        assert await desk.audited("blob.claimFailed") == [
            (desk.ann.person_id, blob, {"device": None, "size": len(held)})
        ]

    direct(tmp_path, test)


def test_a_direct_file_gives_nobody_a_blob(tmp_path: Path) -> None:
    """Two who pass a name to each other get nothing by it: not now, not when another uploads it, not by copying the message."""

    async def test(desk: Desk) -> None:
        ann, bob, eve = desk.ann, desk.bob, desk.eve
        desk.there.discard(bob.person_id)
        assert (await desk.offer()).code == "notFound"  # nobody there
        desk.there.add(bob.person_id)
        refused = await ann.call(
            "Message/set",
            create={"k": {"conversationId": desk.talk, "kind": "file", "attachment": {"blobId": BLOB, "name": "a"}}},
        )
        assert refused["notCreated"]["k"]["type"] == "blobNotFound"
        id_ = await desk.passed()
        message = await send(ann, desk.whole, desk.talk, BLOB)
        assert await shown(bob, message) == {
            "blobId": BLOB, "name": "a.png", "type": "image/png", "size": len(CONTENT), "direct": True,
        }  # fmt: skip
        assert await eve.upload(CONTENT) == BLOB
        assert [await reads(one, BLOB) for one in (ann, bob, eve)] == [404, 404, 200]
        assert (await desk.post(ann, f"/{id_}/keep")).code == "notFound"  # has not shown to have it
        await bob.make("Favorite", messageId=message)
        assert (await bob.make("Message", conversationId=desk.talk, kind="merged", mergedIds=[message]))["merged"]
        assert [await reads(one, BLOB) for one in (ann, bob)] == [404, 404]
        await ann.upload(CONTENT, "image/png")
        assert (await desk.post(bob, f"/{id_}/keep")).code == "notFound"
        assert (await desk.post(ann, f"/{id_}/keep")).status == 204
        assert "direct" not in await shown(bob, message)
        assert [await reads(one, BLOB) for one in (ann, bob)] == [200, 200]

    direct(tmp_path, test)
