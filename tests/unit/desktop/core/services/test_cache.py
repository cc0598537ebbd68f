"""Making room on this device: the oldest goes first, and nothing that is kept offline or still on its way."""

import hashlib
import os
from io import BytesIO
from pathlib import Path

from PIL import Image

from desktop.core.domain import Attachment, Document, OfflinePolicy, TransferState
from desktop.core.services.blobs import BlobCache
from desktop.core.services.client import pinned_fingerprint
from desktop.core.store.memory import MemoryStore
from desktop.core.sync.port import PutObjects
from tests.unit.desktop.core.services.test_session import desk, network, run

KEY = bytes(32)


def picture() -> bytes:
    target = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(target, "PNG")
    return target.getvalue()


def test_clearing_spares_what_is_kept_and_what_is_on_its_way(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")
        loose, plan = b"loose" * 100, b"plan" * 100
        for content in (loose, plan):
            net.blobs[hashlib.sha256(content).hexdigest()] = content
        document = Document("d1", "Plan", "f", hashlib.sha256(plan).hexdigest(), "p.pdf", offline=OfflinePolicy())
        store.apply([PutObjects("Document", (document,))])
        async with desk(net, "anna", tmp_path, store) as anna:
            session = anna.session
            await anna.live()
            await session.office.keep_offline("d1", True)
            await session.files.open_bytes(hashlib.sha256(loose).hexdigest())
            net.cut()
            message = await session.chat.send_picture("room", picture(), "p.png")
            assert message.attachment is not None
            sent, kept, gone = message.attachment.blob_id, document.blob_id, hashlib.sha256(loose).hexdigest()
            before = await session.cache.size()
            freed = await session.cache.clear()
            assert freed > 0
            assert await session.cache.size() == before - freed
            assert [session.files.has(blob) for blob in (sent, kept, gone)] == [True, True, False]
            assert await session.cache.clear() == 0
            assert (await session.office.document_path("d1")).data == plan
            net.up = True
            session.network_changed()
            await anna.until_sent()  # what was spared was needed
            assert net.blobs[sent] == picture()

    run(scenario)


def test_a_download_under_way_keeps_its_part_and_a_finished_one_may_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        net = network()
        content = os.urandom(300_000)
        blob_id = hashlib.sha256(content).hexdigest()
        net.blobs[blob_id] = content
        async with desk(net, "anna", tmp_path) as anna:
            session = anna.session
            await anna.live()
            net.break_after = 140_000
            transfer = await session.files.download(Attachment(blob_id, "x.bin", size=len(content)))

            async def held() -> bool:
                return session.files.transfers()[0].state is TransferState.HELD

            async def done() -> bool:
                return session.files.transfers()[0].state is TransferState.DONE

            await anna.until(held)
            part = await session.cache.size()
            assert part > 0
            assert await session.cache.clear() == 0
            await session.files.resume(transfer.id)
            await anna.until(done)
            assert await session.cache.clear() > part
            assert await session.cache.size() == 0

    run(scenario)


def test_trimming_takes_the_longest_unused_first_with_its_thumbnails(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with desk(network(), "anna", tmp_path) as anna:
            blobs = BlobCache(tmp_path / "anna", b"")
            made = BlobCache(tmp_path / "anna", KEY)
            ids = [made.put(bytes([number]) * 1000) for number in range(4)]
            made.put_thumbnail(ids[0], 96, b"small")
            for age, blob_id in enumerate(ids):
                for path in blobs.path(blob_id).parent.glob(f"{blob_id}*"):
                    os.utime(path, (1000 + age, 1000 + age))
            (tmp_path / "anna" / "notes").mkdir()
            (tmp_path / "anna" / "notes" / "readme").write_bytes(b"no blob")
            one = next(usage.size for usage in made.usage() if usage.blob_id == ids[3])
            assert await anna.session.cache.trim(10**9) == 0
            assert await anna.session.cache.trim(3 * one) > one  # the thumbnail went along
            assert [blobs.has(blob_id) for blob_id in ids] == [False, True, True, True]
            assert await anna.session.cache.trim(one) == 2 * one
            assert [blobs.has(blob_id) for blob_id in ids] == [False, False, False, True]
            assert await anna.session.cache.trim(10**9, unused_since_ms=1_003_000) == 0, "used at that very moment"
            assert await anna.session.cache.trim(10**9, unused_since_ms=1_003_001) == one
            assert (tmp_path / "anna" / "notes" / "readme").exists()

    run(scenario)


def test_what_is_wanted_again_meanwhile_stays(tmp_path: Path) -> None:
    blobs = BlobCache(tmp_path, KEY)
    blob_id = blobs.put(b"again")
    os.utime(blobs.path(blob_id), (1000, 1000))
    (seen,) = blobs.usage()
    assert blobs.put(b"again") == blob_id  # somebody sends it just now
    assert blobs.delete_idle(seen) == 0
    assert blobs.has(blob_id)
    (seen,) = blobs.usage()
    assert blobs.delete_idle(seen) == seen.size
    assert blobs.usage() == []
    assert blobs.delete_idle(seen) == 0


def test_no_pin_is_an_empty_fingerprint(tmp_path: Path) -> None:
    assert pinned_fingerprint(tmp_path, "https://oa") == ""
    assert pinned_fingerprint(tmp_path, "http://no") == ""
    (tmp_path / "trust.json").write_bytes(b"broken")
    assert pinned_fingerprint(tmp_path, "https://oa") == ""
