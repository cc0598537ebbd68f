"""Proof of possession: who has the bytes is given the blob at once; who knows only its name, size or a part of it is not."""

import asyncio
import hashlib
import hmac
import json
import random
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any

import pytest

from server_stub.storage.possession import LIVES_MS, MAX_OPEN, RANGE_BYTES, RANGES, WHOLE_UP_TO, choose_ranges
from tests.helpers.asgi_call import Answer, call
from tests.helpers.file_server import FileServer, open_files

DATA = random.Random(7).randbytes(5_000_000)
NAME = hashlib.sha256(DATA).hexdigest()


async def post(server: FileServer, path: str, body: object, person: str = "li", **headers: str) -> Answer:
    return await call(server.app, "POST", path, {"x-person": person, **headers}, json.dumps(body).encode())


async def begin(server: FileServer, blob_id: str = NAME, size: int = len(DATA), person: str = "li") -> dict[str, Any]:
    answer = await post(server, "/blobs/claim", {"blobId": blob_id, "size": size, "type": "image/png"}, person)
    assert answer.status == 200, answer.body
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, Any] = json.loads(answer.body)
    return found


def proof(challenge: dict[str, Any], data: bytes, blob_id: str = NAME) -> str:
    digest = hmac.new(urlsafe_b64decode(challenge["key"] + "="), blob_id.encode(), hashlib.sha256)
    for offset, length in challenge["ranges"]:
        digest.update(data[offset : offset + length])
    return digest.hexdigest()


async def answer(server: FileServer, challenge: dict[str, Any], given: str, person: str = "li") -> Answer:
    return await post(server, f"/blobs/claim/{challenge['id']}", {"proof": given}, person)


async def readable(server: FileServer, person: str) -> bool:
    return (await call(server.app, "GET", f"/jmap/download/{person}/{NAME}/x", {"x-person": person})).status == 200


def test_only_who_holds_the_bytes_is_given_the_blob(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        await server.parts.blobs.put_bytes(DATA, type_="application/pdf", uploader="wang")
        assert not await readable(server, "li")
        for held in (b"", bytes(len(DATA)), DATA[:4_000_000] + bytes(1_000_000)):  # the last has four fifths of it
            challenge = await begin(server)
            assert (await answer(server, challenge, proof(challenge, held))).code == "notFound"
            assert not await readable(server, "li")
            assert (await answer(server, challenge, proof(challenge, DATA))).code == "notFound"  # used up
        first, second = await begin(server), await begin(server)
        assert (await answer(server, second, proof(first, DATA))).code == "notFound"  # an answer fits one challenge
        assert (await answer(server, first, proof(first, DATA), person="zhao")).code == "notFound"  # not his
        given = await answer(server, first, proof(first, DATA))
        assert (given.status, json.loads(given.body)) == (201, {"blobId": NAME, "size": len(DATA), "type": "image/png"})
        assert await readable(server, "li")
        assert not await readable(server, "zhao")

    with open_files(tmp_path) as server:
        asyncio.run(asyncio.wait_for(test(server), 60))


def test_asking_tells_nothing_and_claims_run_out(tmp_path: Path) -> None:
    async def test(server: FileServer) -> None:
        unknown = await begin(server)  # no such blob here: the challenge looks like any other
        assert len(unknown["ranges"]) == RANGES
        assert (await answer(server, unknown, proof(unknown, DATA))).code == "notFound"
        await server.parts.blobs.put_bytes(DATA, type_="application/pdf", uploader="wang")
        wrong_size = await begin(server, size=len(DATA) - 1)
        assert (await answer(server, wrong_size, proof(wrong_size, DATA))).code == "notFound"
        late = await begin(server)
        server.parts.clock.now += LIVES_MS
        assert (await answer(server, late, proof(late, DATA))).code == "notFound"
        bodies: list[Any] = [{"blobId": NAME, "size": 1000}, {"blobId": "../x", "size": 1 << 20}, {"blobId": NAME}, []]
        for body in bodies:
            assert (await post(server, "/blobs/claim", body)).code == "badRequest"
        assert (await post(server, "/blobs/claim", {}, **{"x-scopes": "read"})).code == "forbidden"
        for _ in range(MAX_OPEN):
            await begin(server)
        crowd = await post(server, "/blobs/claim", {"blobId": NAME, "size": len(DATA)})
        assert (crowd.status, crowd.code) == (503, "busy")
        await begin(server, person="zhao")  # nobody else is held up

    with open_files(tmp_path) as server:
        asyncio.run(asyncio.wait_for(test(server), 60))


@pytest.mark.parametrize("size", [0, 1, WHOLE_UP_TO, WHOLE_UP_TO + 1, 10 * 1024**3])
def test_ranges_lie_in_the_file_apart_and_are_never_the_same(size: int) -> None:
    ranges = choose_ranges(size)
    ends = [0]
    for offset, length in ranges:
        assert offset >= ends[-1]
        ends.append(offset + length)
    assert ends[-1] <= size
    if size > WHOLE_UP_TO:
        assert [length for _, length in ranges] == [RANGE_BYTES] * RANGES
        assert choose_ranges(size) != ranges
    else:
        assert sum(length for _, length in ranges) == size
