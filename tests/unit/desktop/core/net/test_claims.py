"""A file the server may have already: what the client proves, what it does not answer, and that it never fails for it; how large a chunk of an upload is."""

import asyncio
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from desktop.core.net.https import FIRST_CHUNK, LEAST_CHUNK, MOST_CHUNK, _next_chunk
from desktop.core.net.transport import Claim
from desktop.core.protocol.capabilities import UPLOAD
from tests.helpers.arriving_files import transport_over

BLOB = "ab" * 32
SIZE = 1000
GOOD = {"id": "c/1", "key": "a2V5", "ranges": [[0, 10], [990, 10]], "expiresIn": 600}


def claimed(
    folder: Path, asked: httpx.Response, *, least: int = 100, url: str = "/blobs/claim"
) -> tuple[bool, list[Any]]:
    """Whether the claim was believed, and what was sent."""
    seen: list[Any] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.url.raw_path.decode(), json.loads(request.content)))
        return asked if len(seen) == 1 else httpx.Response(201, json={"blobId": BLOB, "size": SIZE, "type": "a/b"})

    async def prove(claim: Claim) -> str:
        assert claim == Claim(b"key", ((0, 10), (990, 10)))
        return hmac.new(claim.key, BLOB.encode() + bytes(20), hashlib.sha256).hexdigest()

    async def ask() -> bool:
        transport = transport_over(httpx.MockTransport(answer), folder)
        assert transport._session is not None
        offer = {UPLOAD: {"claimUrl": url, "claimFrom": least}} if url else {}
        transport._session = msgspec.structs.replace(transport._session, capabilities=offer)
        try:
            return await transport.claim(BLOB, SIZE, "a/b", prove)
        finally:
            await transport.close()

    return asyncio.run(ask()), seen


def test_the_places_asked_for_are_proved(tmp_path: Path) -> None:
    believed, seen = claimed(tmp_path, httpx.Response(200, json=GOOD))
    assert believed
    (first, begin), (second, end) = seen
    assert (first, begin) == ("/blobs/claim", {"blobId": BLOB, "size": SIZE, "type": "a/b"})
    assert second == "/blobs/claim/c%2F1"
    assert end == {"proof": hmac.new(b"key", BLOB.encode() + bytes(20), hashlib.sha256).hexdigest()}


@pytest.mark.parametrize(
    "asked",
    [
        httpx.Response(404, json={"type": "urn:tongban:error:notFound"}),
        httpx.Response(503, json={"type": "urn:tongban:error:busy"}),
        httpx.Response(200, content=b"no json"),
        httpx.Response(200, json=GOOD | {"ranges": []}),
        httpx.Response(200, json=GOOD | {"ranges": [[0, 1001]]}),
        httpx.Response(200, json=GOOD | {"ranges": [[-1, 5]]}),
        httpx.Response(200, json=GOOD | {"ranges": [[0, 600], [0, 600]]}),
        httpx.Response(200, json=GOOD | {"key": "x"}),
    ],
)
def test_what_is_refused_or_makes_no_sense_is_sent_instead(tmp_path: Path, asked: httpx.Response) -> None:
    believed, seen = claimed(tmp_path, asked)
    assert (believed, len(seen)) == (False, 1)


def test_a_server_that_does_not_offer_it_and_a_small_file_are_not_asked(tmp_path: Path) -> None:
    assert claimed(tmp_path, httpx.Response(200), url="") == (False, [])
    assert claimed(tmp_path, httpx.Response(200), least=SIZE + 1) == (False, [])


def test_chunks_grow_on_a_fast_line_and_shrink_on_a_slow_one() -> None:
    size = FIRST_CHUNK
    for _ in range(10):
        size = _next_chunk(size, 0.01)
    assert size == MOST_CHUNK
    assert _next_chunk(size, 1.0) == size
    for _ in range(10):
        size = _next_chunk(size, 30.0)
    assert size == LEAST_CHUNK
