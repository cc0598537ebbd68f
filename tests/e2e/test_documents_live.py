"""Documents on the real backend with several people's clients: one sent from draft to archive, one dropped in as a package; the server is killed meanwhile."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import Record
from desktop.core.domain.cases import Flow
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from server_stub.modules.documents.exchange.manifest import PackedDocument, Unit
from server_stub.modules.documents.exchange.packing import Content, make_package
from server_stub.modules.engine.reading import MODULES_FOLDER
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
    (modules / "documents").mkdir()
    for name in ("module.toml", "rules.py", "receiving.bpmn", "sending.bpmn"):
        shutil.copy(MODULES_FOLDER / "documents" / name, modules / "documents" / name)
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
