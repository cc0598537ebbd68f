"""The driver and the services over a fake network: what a screen sees while the line is good, bad, and gone."""

import asyncio
import hashlib
import os
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import SystemClock
from desktop.core.domain import (
    Attachment,
    ConnectionState,
    Conversation,
    ConversationKind,
    Delivery,
    Direction,
    Document,
    Notice,
    OfflinePolicy,
    TransferState,
)
from desktop.core.errors import BadFile, LeaseExpired, Offline, Rejected, StorageUnavailable
from desktop.core.events import ChangeSet, EditRefused, MessageArrived, SignedOut, TransferProgress
from desktop.core.services.office import NoticeFilter
from desktop.core.services.session import Session
from desktop.core.store.memory import MemoryStore
from desktop.core.sync.port import PutObjects
from tests.helpers.backend_model import BackendModel
from tests.helpers.desk import Desk, at_work, signed_in
from tests.helpers.fake_transport import FakeNetwork, FakeTransport


class MovableClock(SystemClock):
    """The system's clock plus what a test adds to the wall time."""

    ahead_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms


class Room(Desk):
    """A desk whose clock moves, and what it says in conversations."""

    def __init__(self, session: Session, clock: MovableClock, store: MemoryStore) -> None:
        super().__init__(session, store)
        self.clock = clock

    async def until_texts(self, room: str, count: int) -> list[str]:
        async def there() -> bool:
            return len(await self.texts(room)) >= count

        await self.until(there)
        return await self.texts(room)

    async def texts(self, room: str) -> list[str]:
        page = await self.session.chat.window(room, limit=1000)
        return [message.text for message in page.messages if message.delivery is Delivery.SENT]

    def events(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.seen if isinstance(event, kind)]


def network() -> FakeNetwork:
    model = BackendModel(page=50)
    model.add_conversation("room", "anna", "ben")
    net = FakeNetwork(model)
    net.passwords = {"anna": "pw", "ben": "pw"}
    return net


@asynccontextmanager
async def desk(net: FakeNetwork, account: str, folder: Path, store: MemoryStore | None = None) -> AsyncIterator[Room]:
    clock, kept = MovableClock(), store or MemoryStore(account)
    found = Room(signed_in(account, folder, kept, FakeTransport(net, account), clock), clock, kept)
    async with at_work(found):
        yield found


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scenario())


def test_a_message_goes_from_desk_to_desk(tmp_path: Path) -> None:
    async def scenario() -> None:
        net = network()
        async with desk(net, "anna", tmp_path) as anna, desk(net, "ben", tmp_path) as ben:
            await anna.live()
            await ben.live()
            message = await anna.session.chat.send_text("room", "hello", mentions=["ben"])
            assert await ben.until_texts("room", 1) == ["hello"]
            assert [event.message.id for event in ben.events(MessageArrived)] == [message.id]
            await anna.until_sent()
            assert anna.events(MessageArrived) == []

    run(scenario)


@pytest.mark.parametrize("fault", ["loss", "doubling", "delay"])
def test_a_bad_line_loses_and_doubles_nothing(tmp_path: Path, fault: str) -> None:
    async def scenario() -> None:
        net = network()
        async with desk(net, "anna", tmp_path) as anna, desk(net, "ben", tmp_path) as ben:
            await anna.live()
            await ben.live()
            setattr(net, fault, 0.4)
            wanted = [f"text {n}" for n in range(40)]
            for number, text in enumerate(wanted):
                await anna.session.chat.send_text("room", text)
                if number % 10 == 5:
                    net.cut()
                    net.up = True
                    anna.session.network_changed()
            setattr(net, fault, 0.0)
            net.cut()
            net.up = True
            for one in (anna, ben):
                one.session.network_changed()
            assert await ben.until_texts("room", 40) == wanted
            await anna.until_sent()
            assert await anna.texts("room") == wanted

    run(scenario)


async def unread(one: Room, room: str = "room") -> tuple[int, int]:
    found = await one.session.chat.conversation(room)
    assert found is not None
    return found.unread_count, found.read_seq


def test_a_reply_that_arrived_first_does_not_swallow_the_read_marker(tmp_path: Path) -> None:
    """Sending moves no marker on the server: a client that thought so would never send it, and the count would come back."""

    async def scenario() -> None:
        net = network()
        async with desk(net, "anna", tmp_path) as anna, desk(net, "ben", tmp_path) as ben:
            await anna.live()
            await ben.live()
            await anna.session.chat.send_text("room", "ping")
            await ben.until_texts("room", 1)
            await ben.session.chat.send_text("room", "pong")
            await ben.until_sent()
            assert (await unread(ben))[0] == 1
            await ben.session.chat.mark_read("room", 1)
            await ben.until_sent()
            assert net.model.read["ben", "room"] == 1
            await ben.live()
            assert await unread(ben) == (0, 1)

    run(scenario)


def test_a_marker_on_its_way_leaves_only_what_others_wrote_after_it_unread(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("ben")
        async with desk(net, "anna", tmp_path) as anna, desk(net, "ben", tmp_path, store) as ben:
            await anna.live()
            await ben.live()
            for text in ("one", "two"):
                await anna.session.chat.send_text("room", text)
            await ben.until_texts("room", 2)
            await ben.session.chat.send_text("room", "mine")
            await ben.until_texts("room", 3)
            await ben.live()
        net.cut()
        async with desk(net, "ben", tmp_path, store) as ben:
            assert await unread(ben) == (2, 0)
            await ben.session.chat.mark_read("room", 1)
            assert await unread(ben) == (1, 1)
            await ben.session.chat.mark_read("room", 2)
            assert await unread(ben) == (0, 2)  # what comes after is this user's own

    run(scenario)


def test_a_marker_beyond_what_the_conversation_knows_is_sent_as_it_is(tmp_path: Path) -> None:
    """A pushed message may be here before its conversation has heard of it."""

    async def scenario() -> None:
        net, store = network(), MemoryStore("ben")
        net.up = False
        room = Conversation("room", ConversationKind.GROUP, last_seq=4, read_seq=4)
        store.apply([PutObjects("Conversation", (room,))])
        async with desk(net, "ben", tmp_path, store) as ben:
            await ben.session.chat.mark_read("room", 5)
            (edit,) = await ben.session.outbox.edits()
            assert edit.payload == {"readSeq": 5}
            await ben.session.chat.mark_read("room", 5)
            assert len(await ben.session.outbox.edits()) == 1

    run(scenario)


def test_values_of_this_device_make_no_noise(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")
        kept = Document(
            "d1", "Plan", "f", hashlib.sha256(b"plan").hexdigest(), "p.pdf", offline=OfflinePolicy("always")
        )
        net.blobs[kept.blob_id] = b"plan"
        store.apply([PutObjects("Document", (kept,))])
        async with desk(net, "anna", tmp_path, store) as anna:
            await anna.live()

            async def here() -> bool:
                return (await anna.session.office.documents())[0].kept

            await anna.until(here)
            await anna.session.settings.set("x", 1)
            changes = anna.events(ChangeSet)
            assert {c.type_name for c in changes} <= {"Conversation", "Message", "Member", "Receipt", "Document"}
            assert [c.upserts for c in changes if c.type_name == "Document"] == [("d1",)]  # it is kept now, said once
            before = len(anna.events(ChangeSet))
            for _ in range(3):  # leases are renewed at every quiet moment; nobody needs to hear of it
                await anna.session.office.keep_by_policy()
            assert len(anna.events(ChangeSet)) == before

    run(scenario)


def test_a_withdrawn_notice_stays_as_its_trace(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")
        net.up = False
        past, future = 1, 1 << 42
        notices = (
            Notice(
                "gone", "Gone", "", state="withdrawn", published_at=9, withdrawn_at=10, withdraw_reason="wrong date"
            ),
            Notice("old", "Old", "", state="withdrawn", published_at=8, withdrawn_at=10, expires_at=past),
            Notice("now", "Now", "x", published_at=7, expires_at=future),
            Notice("over", "Over", "x", published_at=6, expires_at=past),
            Notice("draft", "Draft", "x", state="draft", author_id="ben"),
            Notice("mine", "Mine", "x", state="draft", author_id="anna"),
        )
        store.apply([PutObjects("Notice", notices)])
        async with desk(net, "anna", tmp_path, store) as anna:
            shown = await anna.session.office.notices()
            assert [notice.id for notice in shown] == ["gone", "now", "mine"]
            assert (shown[0].withdrawn_at, shown[0].withdraw_reason) == (10, "wrong date")
            assert [n.id for n in await anna.session.office.notices(NoticeFilter.UNREAD)] == ["now"]

    run(scenario)


def test_a_document_is_added_with_the_cable_out_and_shown_at_once(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")
        net.up = False
        path = tmp_path / "plan.pdf"
        path.write_bytes(b"%PDF plan")
        async with desk(net, "anna", tmp_path, store) as anna:
            office = anna.session.office
            document_id = await office.add_document("f1", path, "The plan", "2026-1")
            (shown,) = await office.documents("f1")
            assert (shown.id, shown.title, shown.number, shown.size) == (document_id, "The plan", "2026-1", 9)
            assert (shown.type, shown.owner_id, shown.kept) == ("application/pdf", "anna", False)
            assert await office.documents("elsewhere") == []
            assert (await office.document_path(document_id)).data == b"%PDF plan"
            assert [c.upserts for c in anna.events(ChangeSet) if c.type_name == "Document"] == [(document_id,)]
            (transfer,) = anna.session.files.transfers()
            assert (transfer.name, transfer.state) == ("plan.pdf", TransferState.HELD)
            with pytest.raises(BadFile):
                await office.add_version(document_id, tmp_path / "none.pdf")
            with pytest.raises(Offline):
                await anna.session.files.upload_file(path)
            await anna.session.files.cancel(transfer.id)  # taken back: it never was
            assert await office.documents() == []
            assert await anna.session.outbox.edits() == []
            assert ChangeSet("Transfer", removed=(transfer.id,)) in anna.events(ChangeSet)
            assert anna.events(EditRefused) == []

    run(scenario)


def test_offline_everything_can_be_written_and_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")
        async with desk(net, "anna", tmp_path, store) as anna:
            await anna.live()
            await anna.session.chat.send_text("room", "before")
            await anna.until_sent()
        net.cut()
        async with desk(net, "anna", tmp_path, store) as anna:
            assert [m.text for m in (await anna.session.chat.window("room")).messages] == ["before"]
            await anna.session.chat.send_text("room", "pending 1")
            await anna.session.chat.set_draft("room", "half a th")
            await anna.session.chat.set_pinned("room", True)
            (room,) = await anna.session.chat.conversations()
            assert (room.draft, room.pinned) == ("half a th", True)
            assert room.last_message is not None
            assert (room.last_message.text, room.last_message.delivery) == ("pending 1", Delivery.PENDING)
            page = await anna.session.chat.window("room")
            assert [m.delivery for m in page.messages] == [Delivery.SENT, Delivery.PENDING]
            with pytest.raises(Offline):
                await anna.session.settings.devices()
            with pytest.raises(Offline):
                await anna.session.files.open_bytes("0" * 64)

    run(scenario)


def test_a_refused_message_is_told_and_can_be_taken_back(tmp_path: Path) -> None:
    async def scenario() -> None:
        net = network()
        async with desk(net, "anna", tmp_path) as anna:
            await anna.live()
            net.model.leave("anna", "room")
            message = await anna.session.chat.send_text("room", "too late")

            async def told() -> bool:
                return bool(anna.events(EditRefused))

            await anna.until(told)
            assert anna.events(EditRefused) == [EditRefused("Message", message.id, "forbidden")]
            refused = await anna.session.chat.message(message.id)
            assert refused is not None
            assert (refused.delivery, refused.refusal) == (Delivery.REFUSED, "forbidden")
            await anna.session.chat.discard(message.id)
            assert await anna.session.chat.message(message.id) is None

    run(scenario)


@pytest.mark.parametrize("text", ["", "  \n", "x" * 10_001])
def test_texts_that_cannot_be_sent_are_refused_at_once(tmp_path: Path, text: str) -> None:
    async def scenario() -> None:
        async with desk(network(), "anna", tmp_path) as anna:
            with pytest.raises(Rejected):
                await anna.session.chat.send_text("room", text)
            assert await anna.session.outbox.edits() == []

    run(scenario)


def test_an_upload_cut_in_the_middle_goes_on_and_its_message_follows(tmp_path: Path) -> None:
    async def scenario() -> None:
        net = network()
        path = tmp_path / "big.bin"
        path.write_bytes(os.urandom(20_000))
        async with desk(net, "anna", tmp_path) as anna, desk(net, "ben", tmp_path) as ben:
            await anna.live()
            await ben.live()
            net.break_after = 7000
            message = await anna.session.chat.send_file("room", path)
            assert message.delivery is Delivery.UPLOADING
            await anna.session.chat.send_text("room", "not held up by the file")

            async def held() -> bool:
                return any(t.state is TransferState.HELD for t in anna.session.files.transfers())

            await anna.until(held)
            net.cut()
            net.up = True
            anna.session.network_changed()
            await ben.until_texts("room", 2)
            await anna.until_sent()
            (transfer,) = anna.session.files.transfers()
            assert (transfer.state, transfer.moved, transfer.direction) == (TransferState.DONE, 20_000, Direction.UP)
            assert net.blobs[transfer.blob_id or ""] == path.read_bytes()
            assert len(net.uploads) == 1
            assert anna.events(TransferProgress)

    run(scenario)


def test_a_file_that_changes_while_it_is_sent_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")
        path = tmp_path / "f.bin"
        path.write_bytes(os.urandom(5000))
        net.up = False
        async with desk(net, "anna", tmp_path, store) as anna:
            message = await anna.session.chat.send_file("room", path)
            path.write_bytes(os.urandom(5001))
            net.up = True
            anna.session.network_changed()

            async def refused() -> bool:
                found = await anna.session.chat.message(message.id)
                return found is not None and found.delivery is Delivery.REFUSED

            await anna.until(refused)
            assert anna.session.files.transfers()[0].error == "changed"
            with pytest.raises(BadFile):
                await anna.session.chat.send_file("room", tmp_path / "none")
            with pytest.raises(BadFile):
                await anna.session.chat.send_picture("room", b"no picture")

    run(scenario)


def test_a_download_survives_a_cut_and_a_restart_and_a_lying_server(tmp_path: Path) -> None:
    data = random.Random(3).randbytes(400_000)

    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")

        blob_id = hashlib.sha256(data).hexdigest()
        net.blobs[blob_id] = data
        async with desk(net, "anna", tmp_path, store) as anna:
            await anna.live()
            net.break_after = 140_000
            transfer = await anna.session.files.download(Attachment(blob_id, "x.bin", size=len(data)))

            async def stopped() -> bool:
                return anna.session.files.transfers()[0].state is TransferState.HELD

            await anna.until(stopped)
            await anna.session.files.pause(transfer.id)
        async with desk(net, "anna", tmp_path, store) as anna:
            await anna.live()
            (again,) = anna.session.files.transfers()
            assert (again.id, again.state) == (transfer.id, TransferState.PAUSED)
            assert 0 < again.moved < len(data)
            await anna.session.files.resume(transfer.id)

            async def done() -> bool:
                return anna.session.files.transfers()[0].state is TransferState.DONE

            await anna.until(done)
            assert await anna.session.files.open_bytes(blob_id) == data
            lie = "a" * 64
            net.blobs[lie] = b"something else"
            with pytest.raises(Rejected):
                await anna.session.files.open_bytes(lie)
            assert not anna.session.files.has(lie)
            with pytest.raises(BadFile):
                await anna.session.files.download(Attachment("../../etc/passwd", "x"))

    run(scenario)


def test_a_kept_document_is_readable_until_its_lease_ends(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = network(), MemoryStore("anna")

        blob_id = hashlib.sha256(b"the plan").hexdigest()
        net.blobs[blob_id] = b"the plan"
        kept = Document("d1", "Plan", "f", blob_id, "plan.pdf", offline=OfflinePolicy("allowed", 10, print=False))
        other = Document("d2", "Other", "f", "b" * 64, "other.pdf")
        never = Document("d3", "Never", "f", blob_id, "never.pdf", offline=OfflinePolicy("none"))
        store.apply([PutObjects("Document", (kept, other, never))])
        async with desk(net, "anna", tmp_path, store) as anna:
            await anna.live()
            await anna.session.office.keep_offline("d1", True)
            with pytest.raises(Rejected):
                await anna.session.office.keep_offline("d3", True)
            assert (await anna.session.office.document_path("d1")).lease_until is None
        net.cut()
        async with desk(net, "anna", tmp_path, store) as anna:
            read = await anna.session.office.document_path("d1")
            assert (read.data, read.may_print, read.may_copy) == (b"the plan", False, True)
            assert read.lease_until is not None
            with pytest.raises(Offline):
                await anna.session.office.document_path("d2")
            anna.clock.ahead_ms = 11 * 86_400_000
            with pytest.raises(LeaseExpired):
                await anna.session.office.document_path("d1")
            anna.clock.ahead_ms = 9 * 86_400_000
            await anna.session.office.document_path("d1")
            anna.clock.ahead_ms = -100 * 86_400_000  # set back: the latest time ever seen counts
            await anna.session.office.document_path("d1")

    run(scenario)


def test_a_used_up_grant_ends_the_session_and_says_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        net = network()
        net.passwords["anna"] = "changed"
        async with desk(net, "anna", tmp_path) as anna:

            async def told() -> bool:
                return bool(anna.events(SignedOut))

            await anna.until(told)
            assert anna.events(SignedOut) == [SignedOut("invalidCredentials")]
            assert anna.session.status.state is ConnectionState.FAILED

    run(scenario)


def test_a_store_that_fails_stops_the_session_with_a_clear_state(tmp_path: Path) -> None:
    class FullStore(MemoryStore):
        full = False

        def apply(self, operations: Any, *, durable: bool = False) -> Any:
            if self.full:
                raise StorageUnavailable(reason="diskFull")
            return super().apply(operations, durable=durable)

    async def scenario() -> None:
        store = FullStore("anna")
        async with desk(network(), "anna", tmp_path, store) as anna:
            await anna.live()
            store.full = True
            with pytest.raises(StorageUnavailable):
                await anna.session.chat.send_text("room", "x")
            assert anna.session.status.state is ConnectionState.FAILED
            with pytest.raises(StorageUnavailable):
                await anna.session.chat.send_text("room", "y")

    run(scenario)
