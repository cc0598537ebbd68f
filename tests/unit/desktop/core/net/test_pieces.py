"""Bytes from the middle of a file: what is asked of the server, and what is made of answers that are not what was asked for."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from desktop.core.errors import AppError, BadFile, Offline, Rejected
from desktop.core.net.transport import Piece
from tests.helpers.arriving_files import transport_over

BLOB = "ab" * 32
DATA = bytes(range(256)) * 40


class Body(httpx.AsyncByteStream):
    """Sent in two halves; cut off after the first one."""

    def __init__(self, data: bytes, *, cut: bool = False) -> None:
        self._data, self._cut = data, cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._data[:50]
        if self._cut:
            raise httpx.RemoteProtocolError("peer closed connection")
        yield self._data[50:]


def answered(folder: Path, response: httpx.Response) -> tuple[Piece | None, httpx.Request]:
    """What 100 bytes from 1,000 on become when the server answers so."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return response

    async def ask() -> Piece | None:
        transport = transport_over(httpx.MockTransport(answer), folder)
        try:
            return await transport.fetch_piece(BLOB, "来文.pdf", 1000, 100)
        finally:
            await transport.close()

    return asyncio.run(ask()), seen[0]


def partial(told: str, data: bytes, *, cut: bool = False) -> httpx.Response:
    return httpx.Response(206, headers={"Content-Range": told}, stream=Body(data, cut=cut))


def test_a_piece_is_asked_for_by_its_range_and_its_content(tmp_path: Path) -> None:
    piece, request = answered(tmp_path, partial(f"bytes 1000-1099/{len(DATA)}", DATA[1000:1100]))
    assert piece == Piece(DATA[1000:1100], len(DATA))
    wanted = {"range": "bytes=1000-1099", "if-range": f'"{BLOB}"', "accept-encoding": "identity"}
    assert {name: request.headers[name] for name in wanted} == wanted


def test_the_last_piece_is_shorter(tmp_path: Path) -> None:
    piece, _ = answered(tmp_path, partial("bytes 1000-1059/1060", DATA[1000:1060]))
    assert piece == Piece(DATA[1000:1060], 1060)


def test_a_server_that_sends_files_whole_says_so(tmp_path: Path) -> None:
    assert answered(tmp_path, httpx.Response(200, stream=Body(DATA)))[0] is None


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (partial("bytes 0-99/10240", DATA[:100]), BadFile),
        (partial("bytes 1000-1199/10240", DATA[1000:1200]), BadFile),
        (partial("bytes 1000-1098/10240", DATA[1000:1099]), BadFile),
        (partial("bytes 1000-1099/*", DATA[1000:1100]), BadFile),
        (partial("bytes 1000-1099/1000", DATA[1000:1100]), BadFile),
        (partial("", DATA[1000:1100]), BadFile),
        (partial("bytes 1000-1099/10240", DATA), BadFile),
        (partial("bytes 1000-1099/10240", DATA[1000:1090]), Offline),
        (partial("bytes 1000-1099/10240", DATA[1000:1100], cut=True), Offline),
        (httpx.Response(416), Rejected),
    ],
    ids=["elsewhere", "more", "less", "no size", "beyond", "no range", "long body", "short body", "cut", "none there"],
)
def test_another_answer_than_what_was_asked_for(
    tmp_path: Path, response: httpx.Response, error: type[AppError]
) -> None:
    with pytest.raises(error):
        answered(tmp_path, response)
