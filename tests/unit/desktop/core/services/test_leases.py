"""The files of records with the cable out: open within their lease, closed when it is over, renewed by every word of the server."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from desktop.core.clock import SystemClock
from desktop.core.domain import AnnotationTarget, ArrivalState, Attachment, ConnectionState, Document, OfflinePolicy
from desktop.core.errors import LeaseExpired, Offline
from desktop.core.services.arriving import EARLY_FROM
from desktop.core.services.leases import DAY_MS, RECORD_DAYS
from desktop.core.store.memory import MemoryStore
from desktop.core.sync.port import PutObjects
from tests.helpers.backend_model import BackendModel
from tests.helpers.desk import Desk, at_work, signed_in
from tests.helpers.fake_transport import FakeNetwork, FakeTransport

DATA = b"%PDF the paper"
BLOB = hashlib.sha256(DATA).hexdigest()
PAPER = Attachment(BLOB, "正文.pdf", "application/pdf", len(DATA))
TARGET = AnnotationTarget("IncomingDocument", "r1", BLOB)


class MovedClock(SystemClock):
    """The system's clock, some days ahead."""

    days = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.days * DAY_MS


def test_a_records_file_opens_within_its_lease_and_every_word_of_the_server_renews_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store, clock = FakeNetwork(BackendModel(page=50)), MemoryStore("anna"), MovedClock()
        net.passwords = {"anna": "pw"}
        net.blobs[BLOB] = DATA
        desk = Desk(signed_in("anna", tmp_path, store, FakeTransport(net, "anna"), clock), store)
        async with at_work(desk):
            office = desk.session.office
            await desk.live()
            online = await office.open_file(PAPER, TARGET)
            assert (online.data, online.lease_until, online.target, online.arriving) == (DATA, None, TARGET, None)

            async def cut() -> None:
                net.cut()
                await desk.session.wait_until(ConnectionState.OFFLINE)

            await cut()
            read = await office.open_file(PAPER, TARGET)
            until = read.lease_until
            assert read.data == DATA
            assert until is not None
            assert abs(until - clock.now_ms() - RECORD_DAYS * DAY_MS) < DAY_MS
            clock.days = RECORD_DAYS + 1
            with pytest.raises(LeaseExpired) as over:
                await office.open_file(PAPER, TARGET)
            assert over.value.data == {"until": until}
            assert (await office.open_file(PAPER)).data == DATA  # a colleague's message has no lease
            clock.days = 20
            assert (await office.open_file(PAPER, TARGET)).lease_until == until
            clock.days = -100  # set back: the latest time at which something was read counts
            assert (await office.open_file(PAPER, TARGET)).lease_until == until
            with pytest.raises(Offline):
                await office.open_file(Attachment("b" * 64, "other.pdf"), TARGET)
            clock.days, net.up = 20, True
            desk.session.network_changed()
            await desk.live()
            await office.open_file(PAPER, TARGET)
            await cut()
            clock.days = RECORD_DAYS + 19
            longer = (await office.open_file(PAPER, TARGET)).lease_until
            assert longer is not None
            assert longer - until >= 19 * DAY_MS

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_a_large_document_of_the_library_is_read_while_it_comes_and_stays_only_where_it_may(tmp_path: Path) -> None:
    data = bytes(EARLY_FROM + 1)
    blob = hashlib.sha256(data).hexdigest()

    async def scenario() -> None:
        net, store = FakeNetwork(BackendModel(page=50)), MemoryStore("anna")
        net.passwords = {"anna": "pw"}
        net.blobs[blob] = data
        names = {"d1": OfflinePolicy("none", print=False), "d2": OfflinePolicy("allowed")}
        documents = tuple(
            Document(one, one, "f", blob, f"{one}.pdf", size=len(data), offline=offline)
            for one, offline in names.items()
        )
        store.apply([PutObjects("Document", documents)])
        desk = Desk(signed_in("anna", tmp_path, store, FakeTransport(net, "anna")), store)
        async with at_work(desk):
            await desk.live()
            for one, stays in (("d1", False), ("d2", True)):
                read = await desk.session.office.document_path(one, early=True)
                assert (read.data, read.may_print) == (b"", stays)
                arriving = read.arriving
                assert arriving is not None
                whole = asyncio.Event()
                arriving.listen(whole.set)
                while arriving.state is not ArrivalState.WHOLE:
                    await whole.wait()
                    whole.clear()
                assert arriving.content() == data
                assert desk.session.files.has(blob) is stays
            assert (await desk.session.office.document_path("d2", early=True)).data == data

    asyncio.run(asyncio.wait_for(scenario(), 30))


def test_an_office_document_comes_with_pages_where_the_server_makes_them_and_keeps_them(tmp_path: Path) -> None:
    async def scenario() -> None:
        net, store = FakeNetwork(BackendModel(page=50)), MemoryStore("anna")
        net.passwords = {"anna": "pw"}
        net.blobs[BLOB] = DATA
        desk = Desk(signed_in("anna", tmp_path, store, FakeTransport(net, "anna")), store)
        plan = Attachment(BLOB, "预案.DOCX", "", len(DATA))
        async with at_work(desk):
            await desk.live()
            assert (await desk.session.office.open_file(plan)).pages == b""
            net.renditions[BLOB, "docx"] = b"%PDF pages"
            read = await desk.session.office.open_file(plan)
            assert (read.data, read.pages) == (DATA, b"%PDF pages")
            net.cut()
            await desk.session.wait_until(ConnectionState.OFFLINE)
            assert (await desk.session.office.open_file(plan)).pages == b"%PDF pages"

    asyncio.run(scenario())
