"""Files on their way: what the server has is not sent again, folders, speed limits, order, tries by itself, and what a disk may refuse."""

import asyncio
import errno
import hashlib
import io
import os
import random
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import SystemClock
from desktop.core.domain import (
    Attachment,
    Conversation,
    ConversationKind,
    Delivery,
    Message,
    MessageKind,
    Transfer,
    TransferRules,
    TransferState,
)
from desktop.core.errors import BadFile, StorageUnavailable
from desktop.core.events import MessageArrived, TransferProgress
from desktop.core.net.direct import DirectSource
from desktop.core.net.transport import DirectPolicy
from desktop.core.services import folder_unzip, transfers
from desktop.core.services.blobs import BlobCache
from desktop.core.services.direct import LEAST
from desktop.core.services.downloading import KEEP_FREE
from desktop.core.services.pace import Pace
from desktop.core.store.memory import MemoryStore
from desktop.core.sync import backoff
from tests.helpers.backend_model import BackendModel
from tests.helpers.desk import Desk, at_work, signed_in
from tests.helpers.fake_transport import FakeNetwork, FakeTransport

DATA = random.Random(11).randbytes(120_000)


def network() -> FakeNetwork:
    model = BackendModel(page=50)
    model.add_conversation("room", "anna", "ben")
    net = FakeNetwork(model)
    net.passwords = {"anna": "pw", "ben": "pw"}
    return net


@asynccontextmanager
async def desk(net: FakeNetwork, account: str, folder: Path, store: MemoryStore | None = None) -> AsyncIterator[Desk]:
    kept = store or MemoryStore(account)
    found = Desk(signed_in(account, folder, kept, FakeTransport(net, account), SystemClock()), kept)
    async with at_work(found):
        yield found


async def until(one: Desk, state: TransferState, name: str = "") -> Transfer:
    """The first transfer in this state whose name has this in it."""

    def found() -> list[Transfer]:
        return [each for each in one.session.files.transfers() if each.state is state and name in each.name]

    async def there() -> bool:
        return bool(found())

    await one.until(there)
    return found()[0]


def test_what_the_server_has_is_not_sent_again_and_a_false_word_is_caught(tmp_path: Path) -> None:
    async def scenario() -> None:
        net = network()
        first, second = tmp_path / "a.bin", tmp_path / "b.bin"
        first.write_bytes(DATA)
        second.write_bytes(DATA)
        async with desk(net, "anna", tmp_path) as anna:
            await anna.live()
            await anna.session.chat.send_file("room", first)
            sent = await until(anna, TransferState.DONE, "a.bin")
            assert (sent.instant, sent.blob_id) == (False, hashlib.sha256(DATA).hexdigest())
            await anna.session.chat.send_file("room", second)
            told = await until(anna, TransferState.DONE, "b.bin")
            assert (told.instant, told.blob_id, told.moved) == (True, sent.blob_id, len(DATA))
            assert len(net.uploads) == 1
            await anna.until_sent()
            seen = [event.transfer for event in anna.seen if isinstance(event, TransferProgress)]
            assert any(one.checked is not None for one in seen)  # read before it is sent, and told so
            assert all(one.checked is None for one in seen if one.state is TransferState.DONE)

    asyncio.run(scenario())


def test_a_folder_goes_as_one_file_also_when_the_line_falls_and_the_program_ends(tmp_path: Path) -> None:
    root = tmp_path / "航拍"
    (root / "一月").mkdir(parents=True)
    for number in range(3):
        (root / "一月" / f"{number}.mp4").write_bytes(random.Random(number).randbytes(9000))

    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")
        async with desk(net, "anna", tmp_path, store) as anna:
            await anna.live()
            net.break_after = 10_000
            message = await anna.session.chat.send_file("room", root)
            assert message.delivery is Delivery.UPLOADING
            held = await until(anna, TransferState.HELD)
            assert (held.name, held.files, held.path) == ("航拍.zip", 3, str(root))
        async with desk(net, "anna", tmp_path, store) as anna:
            await anna.live()
            done = await until(anna, TransferState.DONE)
            assert len(net.uploads) == 1  # gone on with, not begun again
            with zipfile.ZipFile(io.BytesIO(net.blobs[done.blob_id or ""])) as opened:
                assert opened.testzip() is None
                assert opened.read("航拍/一月/2.mp4") == (root / "一月" / "2.mp4").read_bytes()
            await anna.until_sent()
            assert store.load_local("transferFolders") == {}
            net.cut()
            await anna.session.chat.send_file("room", root)
            (root / "一月" / "1.mp4").write_bytes(b"another")
            net.up = True
            anna.session.network_changed()
            assert (await until(anna, TransferState.FAILED)).error == "changed"
            (tmp_path / "nothing").mkdir()
            with pytest.raises(BadFile, match="emptyFolder"):
                await anna.session.chat.send_file("room", tmp_path / "nothing")

    asyncio.run(scenario())


def test_a_transfer_that_falls_tries_again_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line stands, only this request was cut: no status comes that would wake it."""
    monkeypatch.setattr(backoff, "FIRST", 0.001)

    async def scenario() -> None:
        net = network()
        blob_id = hashlib.sha256(DATA).hexdigest()
        net.blobs[blob_id] = DATA
        async with desk(net, "anna", tmp_path) as anna:
            await anna.live()
            net.break_after = 70_000
            await anna.session.files.download(Attachment(blob_id, "x.bin", size=len(DATA)))
            done = await until(anna, TransferState.DONE)
            assert (done.moved, done.error) == (len(DATA), None)
            seen = [event.transfer.state for event in anna.seen if isinstance(event, TransferProgress)]
            assert TransferState.HELD in seen

    asyncio.run(scenario())


def test_order_pausing_and_going_on_all_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transfers, "AT_ONCE", 1)  # several at once overtake each other

    async def scenario() -> None:
        net = network()
        net.up = False
        async with desk(net, "anna", tmp_path) as anna:
            files = anna.session.files
            for name in "abcde":
                (tmp_path / name).write_bytes(name.encode() * 3000)
                await anna.session.chat.send_file("room", tmp_path / name)
            by_name = {one.name: one.id for one in files.transfers()}
            await files.pause_all()
            assert {one.state for one in files.transfers()} == {TransferState.PAUSED}
            net.up = True
            anna.session.network_changed()
            await anna.live()
            await files.hasten(by_name["e"])
            await files.resume_all()

            async def done() -> bool:
                return all(one.state is TransferState.DONE for one in files.transfers())

            await anna.until(done)
            assert next(iter(net.uploads.values())) == b"e" * 3000
            await files.clear_done()
            assert files.transfers() == []

    asyncio.run(scenario())


def test_rules_are_kept_and_files_come_by_themselves_by_kind_and_size(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("ben")
        sizes = {hashlib.sha256(DATA[:size]).hexdigest(): size for size in (2000, 3001)}
        net.blobs = {blob_id: DATA[:size] for blob_id, size in sizes.items()}
        async with desk(net, "ben", tmp_path, store) as ben:
            assert ben.session.files.rules() == TransferRules()
            await ben.session.files.set_rules(TransferRules(receive=("file",), receive_up_to=3000, down_limit=1 << 30))
        async with desk(net, "ben", tmp_path, store) as ben:
            assert ben.session.files.rules().receive_up_to == 3000
            await ben.live()
            room = Conversation("room", ConversationKind.GROUP, "room")
            for blob_id, size in (*sizes.items(), ("../etc", 1)):
                for kind in (MessageKind.PICTURE, MessageKind.FILE):
                    told = Message(f"m{size}", "room", kind, "", 1, attachment=Attachment(blob_id, "a.bin", size=size))
                    ben.session.events.publish(MessageArrived(told, room, notify=True))
            come = await until(ben, TransferState.DONE)
            assert [one.size for one in ben.session.files.transfers()] == [2000]
            assert ben.session.files.has(come.blob_id or "")
            folder = tmp_path / "下载"
            first = await ben.session.files.save_into(come.id, folder)
            again = await ben.session.files.save_into(come.id, folder)
            assert [path.name for path in (first, again) if path] == ["a.bin", "a (2).bin"]
            assert {path.read_bytes() for path in (first, again) if path} == {DATA[:2000]}
            assert ben.session.files.transfers()[0].path == str(again)

    asyncio.run(scenario())


def test_a_full_disk_and_missing_rights_are_told_and_nothing_half_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        net = network()
        blob_id = hashlib.sha256(DATA).hexdigest()
        net.blobs[blob_id] = DATA
        async with desk(net, "anna", tmp_path) as anna:
            await anna.live()
            files = anna.session.files
            with monkeypatch.context() as full:
                full.setattr(BlobCache, "free_bytes", lambda self: KEEP_FREE + len(DATA) - 1)
                await files.download(Attachment(blob_id, "x.bin", size=len(DATA)))
                assert (await until(anna, TransferState.FAILED)).error == "diskFull"
            (failed,) = files.transfers()
            await files.resume(failed.id)
            done = await until(anna, TransferState.DONE)
            for number, reason in ((errno.ENOSPC, "diskFull"), (errno.EACCES, "noRights"), (errno.EIO, "disk")):

                def refuse(*_: object, number: int = number) -> Any:
                    raise OSError(number, os.strerror(number))

                with monkeypatch.context() as broken:
                    broken.setattr("desktop.core.services.blobs.BlobReader.chunks", refuse)
                    with pytest.raises(StorageUnavailable, match=reason):
                        await files.save_into(done.id, tmp_path / "out")
                assert list((tmp_path / "out").iterdir()) == []

    asyncio.run(scenario())


def test_a_limit_holds_for_all_together_and_changes_at_once() -> None:
    async def scenario() -> None:
        clock = SystemClock()
        pace = Pace(clock)
        assert pace.portion(4 << 20) == 4 << 20
        pace.set_limit(1_000_000)
        assert pace.portion(4 << 20) == 500_000
        begun = clock.monotonic()
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(pace.take(50_000))
        assert clock.monotonic() - begun >= 0.14  # the fourth waits for three times 50 ms
        pace.set_limit(10)
        await pace.take(1000)
        async with asyncio.timeout(5):
            waiting = asyncio.ensure_future(pace.take(1000))
            await asyncio.sleep(0)
            assert not waiting.done()
            pace.set_limit(0)
            await waiting

    asyncio.run(scenario())


def test_a_received_folder_is_unpacked_and_that_can_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row tells how far it is; stopped, nothing is left and the file stays; done, the row points at the folder."""
    monkeypatch.setattr(folder_unzip, "STEP", 1)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for number in range(6):
            out.writestr(f"材料/{number}.txt", f"第{number}份")
    data = made.getvalue()

    async def scenario() -> None:
        async with desk(network(), "anna", tmp_path / "d") as anna:
            files, to = anna.session.files, tmp_path / "to"
            blob = files._cache.put(data)
            transfer = await files.download(Attachment(blob, "材料.zip", "application/zip", len(data)))
            assert transfer.state is TransferState.DONE
            assert await files.is_folder(blob, "材料.zip")
            assert not await files.is_folder(blob, "别的.zip")
            seen: list[int | None] = []

            def stop(event: object) -> None:
                if isinstance(event, TransferProgress):
                    seen.append(event.transfer.checked)
                    if len(seen) == 1:
                        anna.session._context.start(files.cancel(transfer.id), "stop")

            monkeypatch.setattr(transfers, "REPORT_EVERY", 0.0)
            with anna.session.events.subscribe(stop):
                assert await files.save_into(transfer.id, to) is None
            assert seen[0]
            assert seen[-1] is None
            assert list(to.iterdir()) == []
            assert [one.id for one in files.transfers()] == [transfer.id]
            assert await files.save_into(transfer.id, to) == to / "材料"
            assert (to / "材料" / "3.txt").read_text() == "第3份"
            assert files.transfers()[0].path == str(to / "材料")

    asyncio.run(scenario())


def test_without_the_policy_no_port_is_ever_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(DirectSource, "open", lambda _source, hosts: opened.append(hosts) or [])
    (tmp_path / "a.bin").write_bytes(bytes(LEAST))

    async def scenario() -> None:
        async with desk(network(), "anna", tmp_path / "d") as anna:
            files = anna.session.files
            outgoing = await files.take_file(tmp_path / "a.bin")
            await files.begin_upload(outgoing, "m1", "d-1")
            assert (await until(anna, TransferState.DONE)).way == ""
            assert opened == []
            policy = DirectPolicy(LEAST, False, "127.0.0.1", 1)

            async def allowed() -> DirectPolicy:
                return policy

            monkeypatch.setattr(anna.session._context.transport, "direct_policy", allowed)
            for name, size, on in (("small", LEAST - 1, True), ("large", LEAST + 1, True), ("off", LEAST, False)):
                await files.set_rules(TransferRules(direct=on))
                (tmp_path / name).write_bytes(os.urandom(size))
                await files.begin_upload(await files.take_file(tmp_path / name), name, "d-1")
                await until(anna, TransferState.DONE, name)
            assert opened == []
            await files.set_rules(TransferRules())
            (tmp_path / "fits").write_bytes(os.urandom(LEAST))
            await files.begin_upload(await files.take_file(tmp_path / "fits"), "fits", "d-1")
            await until(anna, TransferState.DONE, "fits")
            assert opened == [["127.0.0.1"]]

    asyncio.run(scenario())
