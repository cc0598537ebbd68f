"""What one person may write, asked over HTTP of the whole server: how often, how many bytes; nobody else is held up."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from server_stub.ids import uuid7
from server_stub.storage.blobs import do_link
from tests.helpers.server_parts import START_MS
from tests.helpers.whole_backend import Program, Whole, open_whole

TUS = {"tus_resumable": "1.0.0"}
OCTETS = "application/offset+octet-stream"


def run(folder: Path, scenario: Callable[[Whole], Awaitable[None]], **settings: Any) -> None:
    async def main() -> None:
        async with asyncio.timeout(120), open_whole(folder, **settings) as whole:
            await scenario(whole)

    asyncio.run(main())


async def group_of(program: Program) -> str:
    return str((await program.make("Conversation", kind="group", name="g", memberIds=[]))["id"])


def messages(conversation_id: str, first: int, count: int) -> dict[str, dict[str, Any]]:
    return {
        uuid7(START_MS + number): {"conversationId": conversation_id, "kind": "text", "text": f"m{number}"}
        for number in range(first, first + count)
    }


async def begin(program: Program, length: int) -> Any:
    return await program.http("POST", "/files", upload_length=str(length), **TUS)


# ---------------------------------------------------------------- how often


def test_the_first_of_too_many_are_written_and_the_rest_may_come_later(tmp_path: Path) -> None:
    async def scenario(whole: Whole) -> None:
        li, wang = await whole.enroll("li"), await whole.enroll("wang")
        group, other = await group_of(li), await group_of(wang)  # one write each
        wanted = messages(group, 0, 14)
        result = await li.call("Message/set", create=wanted)
        keys = list(wanted)
        assert list(result["created"]) == keys[:9]
        assert list(result["notCreated"]) == keys[9:]
        assert {one["type"] for one in result["notCreated"].values()} == {"rateLimit"}
        assert {one["retryAfter"] for one in result["notCreated"].values()} == {1}
        assert int(result["newState"]) > int(result["oldState"])

        update = {group: {"muted": True}}
        refused = await li.call("Conversation/set", update=update, destroy=["nothing"])
        assert refused["notUpdated"][group]["type"] == refused["notDestroyed"]["nothing"]["type"] == "rateLimit"
        assert refused["oldState"] == refused["newState"]
        assert (await li.call("Conversation/get", ids=[group]))["list"][0]["muted"] is False
        assert len((await wang.call("Message/set", create=messages(other, 100, 5)))["created"]) == 5

        whole.clock.advance(2_500)  # two a second
        again = await li.call("Message/set", create={key: wanted[key] for key in keys[9:]})
        assert list(again["created"]) == keys[9:]
        assert [one["seq"] for one in again["created"].values()] == [10, 11, 12, 13, 14]

    run(tmp_path / "data", scenario, write_burst=10, writes_per_second=2)


def test_five_thousand_sends_at_once_are_not_too_many(tmp_path: Path) -> None:
    async def scenario(whole: Whole) -> None:
        li = await whole.enroll("li")
        group = await group_of(li)
        for first in range(0, 5_000, 500):
            result = await li.call("Message/set", create=messages(group, first, 500))
            assert result["notCreated"] is None
        (shown,) = (await li.call("Conversation/get", ids=[group]))["list"]
        assert shown["lastSeq"] == 5_000

    run(tmp_path / "data", scenario)


def test_uploads_are_writes_too(tmp_path: Path) -> None:
    async def scenario(whole: Whole) -> None:
        li, wang = await whole.enroll("li"), await whole.enroll("wang")
        assert (await begin(li, 5)).status == 201
        await li.upload(b"one")
        for refused in (await begin(li, 5), await li.http("POST", f"/jmap/upload/{li.person_id}/", b"two")):
            assert (refused.status, refused.code) == (429, "rateLimit")
            assert refused.headers["retry-after"] == "1"
        assert (await begin(wang, 5)).status == 201
        whole.clock.advance(1_000)
        assert (await begin(li, 5)).status == 201

    run(tmp_path / "data", scenario, write_burst=2, writes_per_second=1)


# ---------------------------------------------------------------- how much


def test_what_is_kept_begun_and_arriving_counts_until_it_is_swept(tmp_path: Path) -> None:
    async def scenario(whole: Whole) -> None:
        li, wang = await whole.enroll("li"), await whole.enroll("wang")
        await li.upload(b"a" * 400_000)  # never referred to
        begun = await begin(li, 400_000)
        assert begun.status == 201

        too_much = await li.http("POST", f"/jmap/upload/{li.person_id}/", b"b" * 300_000, content_length="300000")
        assert (too_much.status, too_much.code) == (507, "overQuota")
        unannounced = await li.http("POST", f"/jmap/upload/{li.person_id}/", [b"b" * 150_000, b"b" * 150_000])
        assert unannounced.code == "overQuota"
        assert (await begin(li, 300_000)).code == "overQuota"
        assert (await begin(wang, 300_000)).status == 201
        names = [path.name for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()]
        assert names == [hashlib.sha256(b"a" * 400_000).hexdigest()]

        url = begun.headers["location"]
        done = await li.http("PATCH", url, b"c" * 400_000, upload_offset="0", content_type=OCTETS, **TUS)
        assert done.headers["tongban-blob-id"]
        assert (await begin(li, 300_000)).code == "overQuota"  # finished and not referred to: it is still there
        whole.clock.advance(25 * 3_600_000)
        await whole.backend.keep_house()
        assert (await begin(li, 900_000)).status == 201

    run(tmp_path / "data", scenario, stored_bytes_per_person=1_000_000)


def test_what_is_referred_to_counts_after_a_restart_too(tmp_path: Path) -> None:
    seen: list[Program] = []

    async def first(whole: Whole) -> None:
        li = await whole.enroll("li")
        blob = await li.upload(b"a" * 600_000)
        await whole.backend.database.write(lambda tx: do_link(tx, blob, "m", "Message"))
        assert (await begin(li, 300_000)).status == 201
        whole.clock.advance(25 * 3_600_000)
        await whole.backend.keep_house()  # the upload is too old, the blob is in use
        assert (await begin(li, 300_000)).status == 201
        seen.append(li)

    async def second(whole: Whole) -> None:
        li = Program(whole.app, seen[0].person_id, seen[0].secret)
        assert (await begin(li, 100_001)).code == "overQuota"
        assert (await begin(li, 60_000)).status == 201

    run(tmp_path / "data", first, stored_bytes_per_person=1_000_000)
    run(tmp_path / "data", second, stored_bytes_per_person=1_000_000)


def test_two_at_once_never_both_find_the_last_room(tmp_path: Path) -> None:
    async def scenario(whole: Whole) -> None:
        li = await whole.enroll("li")

        async def slowly(byte: bytes) -> AsyncIterator[object]:
            for _ in range(3):
                yield byte * 200_000
                await asyncio.sleep(0)

        answers = await asyncio.gather(
            *(
                li.http("POST", f"/jmap/upload/{li.person_id}/", slowly(byte), content_length="600000")
                for byte in (b"x", b"y", b"z")
            ),
            begin(li, 600_000),
        )
        assert sum(one.status == 201 for one in answers) <= 1
        assert {one.code for one in answers if one.status != 201} == {"overQuota"}
        assert (await li.http("POST", f"/jmap/upload/{li.person_id}/", b"q" * 300_000)).status == 201

    run(tmp_path / "data", scenario, stored_bytes_per_person=1_000_000)


def test_empty_files_are_not_for_nothing(tmp_path: Path) -> None:
    async def scenario(whole: Whole) -> None:
        li = await whole.enroll("li")
        made = [(await begin(li, 0)).status for _ in range(300)]
        assert made.count(201) == 1_000_000 // 4096 - 1  # one blob, and what tells of each upload
        assert set(made) == {201, 507}

    run(tmp_path / "data", scenario, stored_bytes_per_person=1_000_000)


# ---------------------------------------------------------------- what it is said to be


def test_the_first_uploaders_type_binds_nobody_else(tmp_path: Path) -> None:
    async def scenario(whole: Whole) -> None:
        li, wang, zhao = [await whole.enroll(name) for name in ("li", "wang", "zhao")]
        blob = await wang.upload(b"%PDF-1.7", "application/x-msdownload")  # somebody was there first
        assert await li.upload(b"%PDF-1.7", "application/pdf") == blob

        everybody = [zhao.person_id]
        group = (await li.make("Conversation", kind="group", name="g", memberIds=everybody))["id"]
        file = {"blobId": blob, "name": "a.pdf", "type": "application/pdf", "size": 8}
        sent = await li.call("Message/set", create={"k": {"conversationId": group, "kind": "file", "attachment": file}})
        message = sent["created"]["k"]["id"]
        (shown,) = (await zhao.call("Message/get", ids=[message]))["list"]
        assert shown["attachment"]["type"] == "application/pdf"

        async def type_for(program: Program, query: str = "") -> str:
            answer = await program.http("GET", f"/jmap/download/{program.person_id}/{blob}/a.pdf{query}")
            assert answer.status == 200
            assert answer.headers["content-disposition"].startswith("attachment;")
            assert answer.headers["x-content-type-options"] == "nosniff"
            return answer.headers["content-type"]

        assert await type_for(li) == await type_for(zhao) == "application/pdf"
        assert await type_for(wang) == "application/x-msdownload"
        assert await type_for(zhao, "?type=image/png") == "image/png"
        assert await type_for(zhao, "?type=text/html") == "application/octet-stream"
        assert await type_for(zhao, "?type=not%20a%20type") == "application/octet-stream"

        again = (await zhao.make("Conversation", kind="group", name="h", memberIds=[]))["id"]
        copy = {"conversationId": again, "kind": "file", "attachment": file}
        passed_on = (await zhao.call("Message/set", create={"k": copy}))["created"]["k"]["id"]
        (shown,) = (await zhao.call("Message/get", ids=[passed_on]))["list"]
        assert shown["attachment"]["type"] == "application/pdf"  # as it was when he got it

        metadata = "filetype " + base64.b64encode(b"text/plain").decode()
        sent_again = await wang.http("POST", "/files", b"%PDF-1.7", upload_length="8", upload_metadata=metadata,
                                     content_type=OCTETS, **TUS)  # fmt: skip
        assert sent_again.headers["tongban-blob-id"] == blob
        assert await type_for(wang) == "text/plain; charset=utf-8"

    run(tmp_path / "data", scenario)


# ---------------------------------------------------------------- the log of changes


def test_changes_are_kept_so_long_and_no_longer(tmp_path: Path) -> None:
    async def scenario(whole: Whole) -> None:
        li, wang = await whole.enroll("li"), await whole.enroll("wang")
        group = (await li.make("Conversation", kind="group", name="g", memberIds=[wang.person_id]))["id"]
        member = f"{group}_{wang.person_id}"

        async def state_of() -> str:
            return str((await li.call("Member/get", ids=[]))["state"])

        async def a_day() -> None:
            whole.clock.advance(86_400_000)
            await whole.backend.keep_house()

        old = await state_of()
        await li.call("Member/set", destroy=[member])
        await a_day()
        kept = await state_of()
        await li.make("Member", conversationId=group, personId=wang.person_id)
        await li.call("Member/set", destroy=[member])
        for _ in range(29):
            await a_day()
        assert (await li.call("Member/changes", sinceState=old))["destroyed"] == [member]
        await a_day()
        for type_name in ("Member", "Conversation", "Message", "Person", "Notice"):
            answered, result = await li.calls(f"{type_name}/changes", sinceState=old)
            assert (answered, result["type"]) == ("error", "cannotCalculateChanges")
        assert (await li.call("Member/changes", sinceState=kept))["destroyed"] == [member]
        rows = whole.backend.database.read_now(
            lambda conn: conn.exec_driver_sql(
                "SELECT count(*) FROM member WHERE person_id = ?", (wang.person_id,)
            ).scalar_one()
        )
        assert rows == 1  # the first stay is forgotten
        for _ in range(3):
            await a_day()
        assert (await li.call("Conversation/get", ids=[group]))["list"]
        answered, result = await li.calls("Member/changes", sinceState=kept)
        assert result["type"] == "cannotCalculateChanges"
        now = await state_of()
        assert (await li.call("Member/changes", sinceState=now))["destroyed"] == []

    run(tmp_path / "data", scenario, keep_changes_days=30)


@pytest.mark.parametrize("days", [0, 399])
def test_by_default_nothing_is_forgotten_within_a_year(tmp_path: Path, days: int) -> None:
    async def scenario(whole: Whole) -> None:
        li = await whole.enroll("li")
        state = (await li.call("Member/get", ids=[]))["state"]
        await whole.backend.keep_house()
        whole.clock.advance(days * 86_400_000)
        await group_of(li)
        await whole.backend.keep_house()
        assert len((await li.call("Conversation/changes", sinceState=state))["created"]) == 1

    run(tmp_path / "data", scenario)
