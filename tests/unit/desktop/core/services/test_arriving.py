"""Files read while they come: what is wished for first comes first, is sealed on disk, goes on after a cut, and counts only when the whole is right."""

import asyncio
import hashlib
import random
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from desktop.core.crypto.blobfile import CHUNK, BlobReader, BlobWriter
from desktop.core.crypto.sparse_blob import SparseBlob
from desktop.core.domain import ArrivalState, Arriving, Attachment, TransferState
from desktop.core.errors import BadFile, Offline, Rejected
from desktop.core.net.transport import Piece
from desktop.core.store.memory import MemoryStore
from tests.helpers.backend_model import BackendModel
from tests.helpers.desk import Desk, at_work, signed_in
from tests.helpers.fake_transport import FakeNetwork, FakeTransport

KEY = bytes(range(32))
DATA = random.Random(4).randbytes(40 * CHUNK + 1234)
BLOB = hashlib.sha256(DATA).hexdigest()
FILE = Attachment(BLOB, "来文.pdf", "application/pdf", len(DATA))
LIMIT = 20.0


class SlowTransport(FakeTransport):
    """Hands out a piece when the test lets it; remembers what was asked for. `answer`: another answer than the right one."""

    def __init__(self, network: FakeNetwork) -> None:
        super().__init__(network, "anna")
        self.asked: list[tuple[int, int]] = []
        self.streams = 0
        self.let = asyncio.Semaphore(0)
        self.answer: Callable[[int, int], Awaitable[Piece | None]] | None = None

    async def fetch_piece(self, blob_id: str, name: str, offset: int, length: int) -> Piece | None:
        self.asked.append((offset, length))
        await self.let.acquire()
        if self.answer is not None:
            return await self.answer(offset, length)
        return await super().fetch_piece(blob_id, name, offset, length)

    async def download(self, blob_id: str, name: str, offset: int) -> Any:
        self.streams += 1
        return await super().download(blob_id, name, offset)

    def go(self) -> None:
        """All that is asked for from now on comes at once."""
        for _ in range(1000):
            self.let.release()


class Table(Desk):
    """A desk over a slow transport."""

    def __init__(self, net: FakeNetwork, folder: Path, store: MemoryStore, transport: SlowTransport) -> None:
        super().__init__(signed_in("anna", folder, store, transport), store)
        self.net, self.transport, self.folder = net, transport, folder / "anna"

    async def arrive(self) -> Arriving:
        found = await self.session.files.arrive(FILE)
        assert found is not None
        return found

    def on_disk(self, suffix: str = "") -> Path:
        return self.folder / BLOB[:2] / (BLOB + suffix)


async def until(arriving: Arriving, true: Callable[[], bool]) -> None:
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def told() -> None:
        loop.call_soon_threadsafe(changed.set)

    arriving.listen(told)
    async with asyncio.timeout(LIMIT):
        while not true():
            await changed.wait()
            changed.clear()


def with_table(
    folder: Path, scene: Callable[[Table], Coroutine[Any, Any, None]], store: MemoryStore | None = None
) -> None:
    async def play() -> None:
        net = FakeNetwork(BackendModel(page=50))
        net.passwords = {"anna": "pw"}
        net.blobs[BLOB] = DATA
        table = Table(net, folder, store or MemoryStore("anna"), SlowTransport(net))
        async with at_work(table):
            await table.live()
            await scene(table)

    asyncio.run(asyncio.wait_for(play(), 60))


def test_what_is_wished_for_comes_first_and_the_whole_is_checked(tmp_path: Path) -> None:
    async def scene(table: Table) -> None:
        arriving = await table.arrive()
        assert arriving.read(0, 10) is None
        end = len(DATA) - 100
        arriving.want(end, 100)
        table.transport.let.release()
        await until(arriving, lambda: arriving.arrived > 0)
        table.transport.let.release()
        await until(arriving, lambda: arriving.read(end, 1000) is not None)
        assert arriving.read(end, 1000) == DATA[end:]
        assert arriving.read(0, 20) == DATA[:20]
        assert arriving.read(3 * CHUNK, 10) is None
        assert arriving.arrived <= 4 * CHUNK
        assert [offset for offset, _ in table.transport.asked[:2]] == [0, end // CHUNK * CHUNK]
        table.transport.go()
        await until(arriving, lambda: arriving.state is ArrivalState.WHOLE)
        assert arriving.content() == DATA
        assert arriving.read(5, 70_000) == DATA[5:70_005]
        with BlobReader(table.on_disk(), await _key_of(table)) as reader:
            assert reader.read() == DATA
        assert not table.on_disk(".pieces").exists()
        assert sum(length for _, length in table.transport.asked) < len(DATA) + 3 * CHUNK
        assert await table.session.files.arrive(FILE) is None  # it is here
        assert table.session.files.transfers() == []  # quietly

    with_table(tmp_path, scene)


async def _key_of(table: Table) -> bytes:
    return table.session.files._cache._key


def test_it_lies_sealed_on_the_disk_and_goes_on_after_the_cut(tmp_path: Path) -> None:
    async def scene(table: Table) -> None:
        arriving = await table.arrive()
        for _ in range(3):
            table.transport.let.release()
        await until(arriving, lambda: arriving.arrived >= 5 * CHUNK)
        table.net.cut()
        table.transport.let.release()
        await until(arriving, lambda: arriving.state is ArrivalState.HELD)
        assert isinstance(arriving.error, Offline)
        assert arriving.read(0, 100) == DATA[:100]  # what is here is read on
        sealed = table.on_disk(".pieces").read_bytes()
        assert DATA[1000:1064] not in sealed
        before = len(table.transport.asked)
        table.net.up = True
        table.session.network_changed()
        table.transport.go()
        await until(arriving, lambda: arriving.state is ArrivalState.WHOLE)
        again = table.transport.asked[before:]
        assert arriving.content() == DATA
        assert min(offset for offset, _ in again) >= 4 * CHUNK

    with_table(tmp_path, scene)


def test_another_run_takes_up_the_pieces_and_what_a_stream_left(tmp_path: Path) -> None:
    store = MemoryStore("anna")

    async def first(table: Table) -> None:
        arriving = await table.arrive()
        arriving.want(len(DATA) - 1, 1)
        for _ in range(2):
            table.transport.let.release()
        await until(arriving, lambda: arriving.read(len(DATA) - 1, 1) is not None)

    async def second(table: Table) -> None:
        table.transport.go()
        arriving = await table.session.files.arrive(FILE)
        if arriving is not None:  # the session took the transfer up by itself
            await until(arriving, lambda: arriving.state is ArrivalState.WHOLE)
        assert await table.session.files.open_bytes(BLOB) == DATA
        assert not [one for one in table.transport.asked[1:] if one[0] >= len(DATA) // CHUNK * CHUNK]
        assert table.transport.streams == 0

    with_table(tmp_path, first, store)
    with_table(tmp_path, second, store)


def test_a_stream_that_runs_becomes_one_that_is_read(tmp_path: Path) -> None:
    async def scene(table: Table) -> None:
        table.net.break_after = 20 * CHUNK
        transfer = await table.session.files.download(FILE)

        async def held() -> bool:
            return table.session.files.transfers()[0].state is TransferState.HELD

        await table.until(held)
        arriving = await table.arrive()
        table.transport.go()
        await until(arriving, lambda: arriving.state is ArrivalState.WHOLE)
        assert [one.id for one in table.session.files.transfers()] == [transfer.id]
        assert arriving.content() == DATA
        assert (
            min(offset for offset, _ in table.transport.asked[1:]) > 15 * CHUNK
        )  # what streamed in is not fetched again

    with_table(tmp_path, scene)


def test_a_file_that_is_not_what_it_was_is_withdrawn(tmp_path: Path) -> None:
    async def scene(table: Table) -> None:
        async def changed(offset: int, length: int) -> Piece:
            other = b"x" * len(DATA) if offset > CHUNK else DATA
            return Piece(other[offset : offset + length], len(DATA))

        table.transport.answer = changed
        arriving = await table.arrive()
        table.transport.go()
        await until(arriving, lambda: arriving.state is ArrivalState.FAILED)
        assert isinstance(arriving.error, BadFile)
        assert arriving.error.data == {"reason": "hash"}
        assert arriving.read(0, 10) is None
        assert list(table.folder.glob("*/*")) == []
        with pytest.raises(BadFile):
            arriving.content()

    with_table(tmp_path, scene)


@pytest.mark.parametrize("told", [None, len(DATA) - 1, 1 << 60])
def test_a_server_without_pieces_or_with_another_size_sends_a_stream(tmp_path: Path, told: int | None) -> None:
    async def scene(table: Table) -> None:
        async def whole(offset: int, length: int) -> Piece | None:
            return None if told is None else Piece(DATA[offset : offset + length], told)

        table.transport.answer = whole
        arriving = await table.arrive()
        table.transport.go()
        await until(arriving, lambda: arriving.state is ArrivalState.WHOLE)
        assert arriving.content() == DATA
        assert (len(table.transport.asked), table.transport.streams) == (1, 1)

    with_table(tmp_path, scene)


def test_a_refusal_and_a_cancelled_transfer_are_told(tmp_path: Path) -> None:
    async def scene(table: Table) -> None:
        del table.net.blobs[BLOB]
        arriving = await table.arrive()
        table.transport.go()
        await until(arriving, lambda: arriving.state is ArrivalState.FAILED)
        assert isinstance(arriving.error, Rejected)
        table.net.blobs[BLOB] = DATA
        table.transport.let = asyncio.Semaphore(1)
        seen = await table.session.files.arrive(FILE, quiet=False)
        assert seen is not None
        await until(seen, lambda: seen.arrived > 0)
        (transfer,) = table.session.files.transfers()
        await table.session.files.cancel(transfer.id)
        assert seen.state is ArrivalState.FAILED
        assert list(table.folder.glob("*/*")) == []

    with_table(tmp_path, scene)


def test_what_may_not_stay_is_gone_when_it_was_read(tmp_path: Path) -> None:
    async def scene(table: Table) -> None:
        arriving = await table.session.files.arrive(FILE, keep=False)
        assert arriving is not None
        table.transport.go()
        await until(arriving, lambda: arriving.state is ArrivalState.WHOLE)
        assert arriving.content() == DATA
        assert list(table.folder.glob("*/*")) == []
        closed = await table.session.files.arrive(FILE, keep=False)
        assert closed is not None
        closed.close()

        async def gone() -> bool:
            return closed.state is ArrivalState.WHOLE and not table.session.files.has(BLOB)

        async with asyncio.timeout(LIMIT):
            while not await gone():
                await asyncio.sleep(0.01)

    with_table(tmp_path, scene)


# ------------------------------------------------------------ the file on disk
def test_chunks_in_any_order_are_a_blob_like_others(tmp_path: Path) -> None:
    path, size = tmp_path / "b", 5 * CHUNK + 7
    data = DATA[:size]
    first = SparseBlob(path, KEY, size)
    for number in (5, 0, 3):
        first.put(number, data[number * CHUNK : (number + 1) * CHUNK])
    assert (first.arrived, first.whole) == (3 * CHUNK, False)
    assert first.read(CHUNK - 5, 10) is None
    assert first.read(size - 9, 100) is None
    assert first.read(5 * CHUNK, 100) == data[5 * CHUNK :]
    with pytest.raises(ValueError, match="chunk"):
        first.put(1, b"short")
    first.close()
    with open(path, "r+b") as file:  # a byte of chunk 3 is damaged on the disk
        file.seek(20 + 3 * (CHUNK + 16) + 100)
        file.write(b"\xff\x00\xff")
    again = SparseBlob(path, KEY, size)
    assert [again.has(number) for number in range(6)] == [True, False, False, False, False, True]
    for number in range(6):
        again.put(number, data[number * CHUNK : (number + 1) * CHUNK])
    assert b"".join(again.content()) == data
    again.finish()
    with BlobReader(path, KEY) as reader:
        assert reader.read() == data
    with pytest.raises(BadFile):
        BlobReader(path, bytes(32))


def test_a_part_that_came_in_order_is_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "b"
    writer = BlobWriter(path, KEY)
    writer.write(DATA[: 4 * CHUNK])
    writer.close()
    taken = SparseBlob(path, KEY, len(DATA))
    assert taken.read(0, 3 * CHUNK) == DATA[: 3 * CHUNK]
    assert taken.arrived == 3 * CHUNK  # the last one is held back by who writes in order
    taken.close()
    other = SparseBlob(path, KEY, 2 * CHUNK)  # longer than this file can be: begins anew
    assert other.arrived == 0
    other.close()
