"""Files from device to device, two real clients and the real server: none of it reaches the server, cuts are mended, else it goes as always."""

import asyncio
import json
import random
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import ConnectionState, Direction, Message, Transfer, TransferRules, TransferState
from desktop.core.errors import Rejected
from desktop.core.events import TransferProgress
from desktop.core.net import direct as net_direct
from desktop.core.net.direct import PIECE, DirectSource
from desktop.core.net.transport import Moved, ReadAt
from desktop.core.services import direct
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from tests.helpers.core_server import PASSWORD, ServerProcess

LIMIT = 30.0
SIZE = 3_000_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("server"))
    process.init("anna", "ben")
    process.settings = {"TONGBAN_LAN_DIRECT_MAX_BYTES": "1000000000"}
    process.start()
    yield process
    process.kill()


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """None with what fails at once; all there is with what is only slow."""
    monkeypatch.setattr(direct, "AGAIN_S", (0.01, 0.05, 0.05))
    for module, name in ((direct, "TAKEN_S"), (direct, "FOUND_S"), (direct, "REACH_S"), (net_direct, "CONNECT_S")):
        monkeypatch.setattr(module, name, LIMIT)


@pytest.fixture
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where `lan_direct_keep_copy` is 0."""

    async def never(_: direct.DirectFiles) -> bool:
        return False

    monkeypatch.setattr(direct.DirectFiles, "keeps_copies", never)


@asynccontextmanager
async def signed_in(server: ServerProcess, folder: Path, login: str) -> AsyncIterator[Session]:
    async with await Client.open(folder, keychain=MemoryKeychain()) as client:
        session = await client.sign_in(server.address, login, PASSWORD, remember=True)
        async with asyncio.timeout(LIMIT):
            await session.wait_until(ConnectionState.LIVE, synced=True)
        yield session


@asynccontextmanager
async def pair(server: ServerProcess, folder: Path) -> AsyncIterator[tuple[Session, Session, str]]:
    """Anna, Ben, and their conversation."""
    async with signed_in(server, folder / "a", "anna") as anna, signed_in(server, folder / "b", "ben") as ben:
        (found,) = await anna.directory.search("ben")
        yield anna, ben, (await anna.chat.open_direct(found.id)).id


def new_file(folder: Path, seed: int) -> Path:
    path = folder / f"图纸{seed}.bin"
    path.write_bytes(random.Random(seed).randbytes(SIZE))
    return path


async def arrived(session: Session, room: str, name: str) -> Message:
    """The message with this file, once it is there and sent."""
    changed = asyncio.Event()
    with session.events.subscribe(lambda _: changed.set()):
        async with asyncio.timeout(LIMIT):
            while True:
                changed.clear()
                page = await session.chat.window(room, limit=50)
                for message in page.messages:
                    if message.attachment is not None and message.attachment.name == name and message.seq:
                        return message
                await changed.wait()


async def until(session: Session, name: str, *states: TransferState) -> Transfer:
    changed = asyncio.Event()
    with session.events.subscribe(lambda _: changed.set()):
        async with asyncio.timeout(LIMIT):
            while True:
                changed.clear()
                for one in session.files.transfers():
                    if one.name == name and one.state in states:
                        return one
                await changed.wait()


def of_server(server: ServerProcess, sql: str) -> list[Any]:
    with sqlite3.connect(server._data / "tongban.db") as found:
        return found.execute(sql).fetchall()


def audited(server: ServerProcess) -> list[dict[str, Any]]:
    return [json.loads(row[0]) for row in of_server(server, "SELECT details FROM audit_entry WHERE act='file.direct'")]


class Falling(DirectSource):
    """A line that is cut after some pieces; for good, or so that it can be opened again."""

    left = 3
    for_good = False
    sent = 0

    def _touch(self) -> None:
        super()._touch()
        if self._line is not None:
            Falling.sent += 1
            Falling.left -= 1
            if Falling.left == 0:
                if self.for_good:
                    for one in self._servers:
                        one.close()
                raise ConnectionResetError


@pytest.mark.usefixtures("no_copies")
def test_a_file_goes_past_the_server(server: ServerProcess, tmp_path: Path) -> None:
    """Held back, stopped and taken up again, the receiver has it when the message comes, the server never; a second device hears so; the log has its line."""

    async def scenario() -> None:
        path = new_file(tmp_path, 1)
        async with pair(server, tmp_path) as (anna, ben, room):
            moving = asyncio.Event()

            def look(event: object) -> None:
                if isinstance(event, TransferProgress) and event.transfer.moved and event.transfer.way == "direct":
                    moving.set()

            await ben.files.set_rules(TransferRules(down_limit=1_000_000))
            with ben.events.subscribe(look):
                await anna.chat.send_file(room, path)
                async with asyncio.timeout(LIMIT):
                    await moving.wait()
            (row,) = ben.files.transfers()
            await ben.files.pause(row.id)
            stopped = await until(ben, path.name, TransferState.PAUSED)
            assert 0 < stopped.moved < SIZE
            await ben.files.set_rules(TransferRules())
            await ben.files.resume(row.id)
            message = await arrived(ben, room, path.name)
            assert message.attachment is not None
            assert (message.attachment.direct, message.attachment.size) == (True, SIZE)
            assert await ben.files.open_bytes(message.attachment.blob_id) == path.read_bytes()
            here = await until(ben, path.name, TransferState.DONE)
            assert (here.direction, here.way) == (Direction.DOWN, "direct")
            assert (await until(anna, path.name, TransferState.DONE)).way == "direct"
            assert of_server(server, "SELECT id FROM blob") == []
            (line,) = audited(server)
            assert (line["result"], line["size"], line["sha256"]) == ("done", SIZE, message.attachment.blob_id)
            assert (line["to"], line["conversation"]) == (ben.account_id, room)
            assert path.name not in json.dumps(line, ensure_ascii=False)
            async with signed_in(server, tmp_path / "b2", "ben") as second:
                again = await arrived(second, room, path.name)
                assert again.attachment is not None
                assert again.attachment.direct
                with pytest.raises(Rejected) as refused:
                    await second.files.open_bytes(again.attachment.blob_id)
                assert refused.value.data["type"] == "notFound"

    asyncio.run(scenario())


class Unreachable(DirectSource):
    """Cannot be reached where it says that it is: a firewall, another subnet."""

    def open(self, hosts: Sequence[str]) -> list[tuple[str, int]]:
        super().open(hosts)
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            return [("127.0.0.1", int(closed.getsockname()[1]))]


class Lying(DirectSource):
    """Sends other bytes than it promised."""

    def __init__(self, read_at: ReadAt, size: int, moved: Moved) -> None:
        async def other(offset: int, length: int) -> bytes:
            return (await read_at(offset, length))[:-1] + b"x"

        super().__init__(other, size, moved)


@pytest.mark.usefixtures("no_copies")
def test_what_is_cut_goes_on_and_what_is_wrong_comes_by_the_server(
    server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that is cut is opened again; one that stays cut, or brings other bytes, ends in the upload, and what came is not fetched again."""
    ways = [
        (Falling, False, "done", ""),
        (Falling, True, "failed", "cut"),
        (Lying, False, "failed", "hash"),
        (Unreachable, False, "failed", "cut"),
    ]

    async def scenario() -> None:
        async with pair(server, tmp_path) as (anna, ben, room):
            for number, (source, for_good, result, reason) in enumerate(ways):
                monkeypatch.setattr(direct, "DirectSource", source)
                for name, value in (("left", 3), ("for_good", for_good), ("sent", 0)):
                    monkeypatch.setattr(Falling, name, value)
                path = new_file(tmp_path, 10 + number)
                await anna.chat.send_file(room, path)
                message = await arrived(ben, room, path.name)
                assert message.attachment is not None
                went = result == "done"
                assert message.attachment.direct is (True if went else None)
                here = await until(ben, path.name, TransferState.DONE)
                assert await ben.files.open_bytes(message.attachment.blob_id) == path.read_bytes()
                sent = await until(anna, path.name, TransferState.DONE)
                assert here.way == sent.way == ("direct" if went else "server")
                at_server = of_server(server, "SELECT id FROM blob")
                assert ((message.attachment.blob_id,) in at_server) is not went
                line = audited(server)[-1]
                assert (line["result"], line.get("reason", "")) == (result, reason)
                assert Falling.sent < 2 * SIZE / PIECE  # what had come was not sent again

    asyncio.run(scenario())


def test_by_policy_the_server_gets_it_later(server: ServerProcess, tmp_path: Path) -> None:
    """The message comes at once and says that it went directly; when the sender has uploaded it, the receiver's other device reads it, too."""

    async def scenario() -> None:
        path = new_file(tmp_path, 20)
        async with pair(server, tmp_path) as (anna, ben, room):
            await anna.chat.send_file(room, path)
            changed = asyncio.Event()
            with ben.events.subscribe(lambda _: changed.set()):
                async with asyncio.timeout(LIMIT):
                    found = await arrived(ben, room, path.name)
                    while found.attachment is None or found.attachment.direct:
                        changed.clear()
                        await changed.wait()
                        found = await arrived(ben, room, path.name)
            assert (await until(ben, path.name, TransferState.DONE)).way == "direct"
            async with signed_in(server, tmp_path / "b2", "ben") as second:
                await arrived(second, room, path.name)
                assert await second.files.open_bytes(found.attachment.blob_id) == path.read_bytes()
            assert audited(server)[-1]["result"] == "done"

    asyncio.run(scenario())
