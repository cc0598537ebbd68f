"""Documents on the real backend with several people's clients: one sent from draft to archive, one dropped in as a package; the server is killed meanwhile."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import AnnotationTarget, ArrivalState, Attachment, ConnectionState, Record
from desktop.core.domain.cases import Flow
from desktop.core.errors import LeaseExpired
from desktop.core.services.case_keeping import files_of
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from server_stub.modules.documents.exchange.manifest import PackedDocument, Unit
from server_stub.modules.documents.exchange.packing import Content, make_package
from server_stub.modules.engine.reading import MODULES_FOLDER
from tests.helpers.arriving_files import pdf_of_pictures
from tests.helpers.cable import cable
from tests.helpers.core_server import PASSWORD, ServerProcess
from tests.helpers.module_server import ModuleServer
from tests.modules.documents.pdf_measure import MeasuredPdf

LIMIT = 60.0
SENT, RECEIVED, PACKAGE = "OutgoingDocument", "IncomingDocument", "ExchangePackage"
ROLES = {
    "liu": ("registrar",),
    "he": ("secretary",),
    "gao": ("leader",),
    "chen": ("librarian",),
    "anna": (),
    "root": ("admin",),
}
BODY = "为做好防汛值班工作，现通知如下。\n一、强化责任落实。主要负责同志为第一责任人。"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    modules = tmp_path_factory.mktemp("modules")
    for name in ("documents", "seals"):
        ignored = shutil.ignore_patterns("__pycache__", "samples.toml")
        shutil.copytree(MODULES_FOLDER / name, modules / name, ignore=ignored)
    process = ModuleServer(tmp_path_factory.mktemp("bureau"), modules)
    process.init(*ROLES)
    for login, roles in ROLES.items():
        if roles:
            process.give_roles(login, *roles)
    process.start()
    yield process
    process.stop()


@asynccontextmanager
async def signed_in(server: ServerProcess, folder: Path, *logins: str) -> AsyncIterator[dict[str, Session]]:
    async with AsyncExitStack() as stack:
        sessions: dict[str, Session] = {}
        for login in logins:
            client = await stack.enter_async_context(await Client.open(folder / login, keychain=MemoryKeychain()))
            sessions[login] = await client.sign_in(server.address, login, PASSWORD, remember=True)
            async with asyncio.timeout(LIMIT):
                await sessions[login].wait_until(synced=True)
        yield sessions


async def until(session: Session, true: Callable[[], Awaitable[bool]]) -> None:
    changed = asyncio.Event()
    with session.events.subscribe(lambda event: changed.set()):
        async with asyncio.timeout(LIMIT):
            while not await true():
                await changed.wait()
                changed.clear()


async def sent(session: Session) -> None:
    async def done() -> bool:
        return await session.outbox.pending() == 0

    await until(session, done)


async def record_when(session: Session, type_name: str, key: str, true: Callable[[Record], bool]) -> Record:
    found: list[Record] = []

    async def look() -> bool:
        record = await session.records.record(type_name, key)
        if record is not None:
            found.append(record)
        return record is not None and true(record)

    await until(session, look)
    return found[-1]


async def made(session: Session, type_name: str, **data: Any) -> str:
    key = await session.records.create(type_name, data)
    await sent(session)
    return key


async def act(session: Session, type_name: str, key: str, step: str, name: str = "approve", **more: Any) -> None:
    """Do what the step offers, as soon as it is this person's."""
    outcome = more.pop("outcome", None)
    flows: list[Flow] = []

    async def mine() -> bool:
        flow = await session.cases.flow(type_name, key)
        flows.append(flow)
        return flow.item is not None and flow.item.step_id == step and flow.item.open and not flow.pending

    await until(session, mine)
    record = await record_when(session, type_name, key, lambda one: True)
    offered = next(one for one in flows[-1].actions if one.name == name and outcome in (None, one.outcome))
    await session.cases.act(record, offered, flows[-1].item, **more)
    await sent(session)
    assert await session.cases.refused(key) == []


def has(name: str) -> Callable[[Record], bool]:
    return lambda record: bool(record.data.get(name))


def in_state(state: str) -> Callable[[Record], bool]:
    return lambda record: record.data.get("state") == state


def test_a_document_is_written_signed_numbered_set_and_filed(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, *ROLES) as people:
            anna, liu, he, gao, chen = (people[one] for one in ("anna", "liu", "he", "gao", "chen"))
            unit = await made(
                liu, "IssuingUnit", name="云溪县水利局", code="YX", own=True, printer="云溪县水利局办公室"
            )
            mark = await made(liu, "IssuingMark", mark="云水防", unitId=unit)
            key = await made(
                anna, SENT, title="关于做好防汛值班工作的通知", body=BODY, unitId=unit, signerId=gao.account_id, signing="plain",
                recipients="各乡镇人民政府",
            )  # fmt: skip
            await anna.cases.submit(await record_when(anna, SENT, key, lambda one: True))
            await sent(anna)
            await act(he, SENT, key, "check")
            shown = await record_when(gao, SENT, key, has("paper"))
            assert "第一责任人" in MeasuredPdf(await gao.files.open_bytes(shown.data["paper"][0]["blobId"])).text(0)
            await act(gao, SENT, key, "issue", opinion="同意印发")
            await act(he, SENT, key, "proof")
            await act(liu, SENT, key, "number", values={"markId": mark})
            await asyncio.to_thread(server.kill)  # the paper may or may not be set by now
            await asyncio.to_thread(server.start)
            for session in people.values():
                session.network_changed()
            numbered = await record_when(liu, SENT, key, has("number"))
            assert numbered.data["number"].startswith("云水防〔20")
            paper = (await record_when(liu, SENT, key, _is_set)).data["paper"][0]
            pdf = MeasuredPdf(await liu.files.open_bytes(paper["blobId"]))
            assert numbered.data["number"] in pdf.text(0)
            await act(liu, SENT, key, "redHead")
            await act(liu, SENT, key, "distribute", values={"audience": {"everyone": True}})
            await act(chen, SENT, key, "file")
            over = await record_when(people["root"], SENT, key, in_state("archived"))
            assert over.data["archiveCode"].startswith("FW-")

            async def has_heard_the_end() -> bool:  # of another client than the one that was waited for
                return any(one.step_id == "file" for one in (await anna.cases.flow(SENT, key)).events)

            await until(anna, has_heard_the_end)
            flow = await anna.cases.flow(SENT, key)
            assert flow.case is not None
            steps = [one.step_id for one in flow.events if one.action == "approve"]
            assert steps == ["check", "issue", "proof", "number", "redHead", "distribute", "file"]

    asyncio.run(scenario())


def _is_set(record: Record) -> bool:
    """A paper that was made after the number was taken."""
    names = [one["name"] for one in record.data.get("paper", ())]
    return bool(names) and names[0].startswith("云水防〔20")


def test_a_package_is_dropped_and_goes_its_way(server: ServerProcess, tmp_path: Path) -> None:
    document = PackedDocument(
        number="省水防〔2026〕18号", title="关于防汛值班的通知", urgency="特急", day="2026-10-20", issuers=("省水利厅",)
    )
    body = Content("正文.pdf", "application/pdf", b"%PDF-1.7\n%%EOF\n")
    data = make_package("sending-0001", "2026-10-20T08:00:00Z", Unit(code="SL", name="省水利厅"), (), document, body)
    file = tmp_path / "来文.gwx"
    file.write_bytes(data)

    async def scenario() -> None:
        async with signed_in(server, tmp_path, "liu", "he", "gao", "chen") as people:
            liu, he, gao, chen = people.values()
            blob = await liu.files.upload_file(file)
            entry = {"blobId": blob.blob_id, "name": blob.name, "type": blob.type, "size": blob.size}
            package = await made(liu, PACKAGE, package=[entry])
            opened = await record_when(liu, PACKAGE, package, in_state("received"))
            key = str(opened.data["incomingId"])
            arrived = await record_when(liu, RECEIVED, key, in_state("received"))
            assert (arrived.data["title"], arrived.data["urgency"]) == ("关于防汛值班的通知", "express")
            await liu.cases.submit(arrived)
            await sent(liu)
            await act(liu, RECEIVED, key, "register")
            await act(he, RECEIVED, key, "review")
            values = {"proposal": "请高局批示", "leaders": [gao.account_id], "readers": [chen.account_id]}
            await act(he, RECEIVED, key, "propose", values=values)
            await act(gao, RECEIVED, key, "instruct", opinion="已阅，请传阅")
            assert await gao.files.open_bytes(arrived.data["body"][0]["blobId"]) == body.data
            await act(chen, RECEIVED, key, "circulate", "read")
            await act(liu, RECEIVED, key, "conclude", values={"conclusion": "已传阅"})
            await act(chen, RECEIVED, key, "file")
            over = await record_when(liu, RECEIVED, key, in_state("archived"))
            assert over.data["number"].startswith("收文20")

    asyncio.run(scenario())


def test_a_document_to_handle_is_whole_with_the_cable_out_until_its_lease_ends(
    server: ServerProcess, tmp_path: Path
) -> None:
    body, annex = _paper(tmp_path / "来文.pdf", 400_000), _paper(tmp_path / "附件.pdf", 900_000)

    async def scenario() -> None:
        async with (
            cable(server.port) as line,
            signed_in(server, tmp_path, "liu") as people,
            await Client.open(tmp_path / "he", keychain=MemoryKeychain(), clock=(clock := MovedClock())) as client,
        ):
            liu = people["liu"]
            he = await client.sign_in(line.address, "he", PASSWORD, remember=True)
            await he.wait_until(synced=True)
            sent_files = [await _entry(liu, body), await _entry(liu, annex)]
            large = Attachment(sent_files[1]["blobId"], "附件.pdf", "application/pdf", sent_files[1]["size"])
            assert await _read_on_its_way(liu, large) == annex.read_bytes()
            key = await made(
                liu,
                RECEIVED,
                title="关于防汛的来文",
                sourceUnit="省水利厅",
                body=sent_files[:1],
                attachments=sent_files[1:],
            )
            await liu.cases.submit(await record_when(liu, RECEIVED, key, lambda one: True))
            await sent(liu)
            target = AnnotationTarget(RECEIVED, key, sent_files[0]["blobId"])
            await liu.annotations.annotate(target, 0, "note", {"x": 40, "y": 60, "text": "请重点看"}, shared=True)
            await sent(liu)
            await act(liu, RECEIVED, key, "register")

            async def kept() -> bool:
                item = (await he.cases.flow(RECEIVED, key)).item
                marks = await he.annotations.annotations(target)
                return item is not None and bool(marks) and all(he.files.has(one["blobId"]) for one in sent_files)

            await until(he, kept)
            await line.pull()
            await he.wait_until(ConnectionState.OFFLINE)
            await he.cache.clear()  # making room takes none of it
            record = await record_when(he, RECEIVED, key, lambda one: True)
            opened = {}
            for blob_id, (name, size) in files_of(record, None).items():
                about = AnnotationTarget(RECEIVED, key, blob_id)
                read = await he.office.open_file(Attachment(blob_id, name, "application/pdf", size), about)
                assert read.lease_until is not None
                opened[name] = read.data
            assert opened == {"来文.pdf": body.read_bytes(), "附件.pdf": annex.read_bytes()}
            assert [one.mark["text"] for one in await he.annotations.annotations(target)] == ["请重点看"]
            flow = await he.cases.flow(RECEIVED, key)
            assert flow.item is not None
            assert (flow.item.step_id, flow.process is not None) == ("review", True)
            assert [one.action for one in flow.events if one.step_id == "register"] == ["approve"]
            clock.days = 31
            shown = Attachment(sent_files[0]["blobId"], "来文.pdf", "application/pdf", 1)
            with pytest.raises(LeaseExpired):
                await he.office.open_file(shown, target)
            clock.days = 0
            await line.plug()
            he.network_changed()
            await he.wait_until(ConnectionState.LIVE, synced=True)
            assert (await he.office.open_file(shown, target)).lease_until is None

    asyncio.run(scenario())


class MovedClock(SystemClock):
    """The system's clock, some days ahead."""

    days = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.days * 86_400_000


async def _read_on_its_way(session: Session, attachment: Attachment) -> bytes:
    """What a file is once it came piece by piece, its end before its middle."""
    arriving = (await session.office.open_file(attachment)).arriving
    assert arriving is not None
    loop, told = asyncio.get_running_loop(), asyncio.Event()

    def on_more() -> None:
        loop.call_soon_threadsafe(told.set)

    arriving.listen(on_more)
    async with asyncio.timeout(LIMIT):
        while arriving.state is ArrivalState.COMING:
            await told.wait()
            told.clear()
    assert arriving.state is ArrivalState.WHOLE, arriving.error
    return arriving.content()


def _paper(path: Path, size: int) -> Path:
    path.write_bytes(pdf_of_pictures(2, size // 2))
    return path


async def _entry(session: Session, path: Path) -> dict[str, Any]:
    blob = await session.files.upload_file(path)
    return {"blobId": blob.blob_id, "name": blob.name, "type": blob.type, "size": blob.size}
