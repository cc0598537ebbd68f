"""Cases on the real backend with several people's clients: submit, approve, the starter sees it; two at once; a late one keeps his words."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import pytest

from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import ConnectionState, Label, Record
from desktop.core.domain.cases import CaseEvent, CaseState, Flow, WorkQuery, WorkTab
from desktop.core.domain.processes import StepAction
from desktop.core.errors import Rejected
from desktop.core.events import AlertArrived, Event
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from tests.helpers.cable import cable
from tests.helpers.core_server import PASSWORD, ServerProcess
from tests.helpers.fake_session import make_png
from tests.helpers.module_server import ModuleServer
from tests.modules.engine.processes.case_bench import BEGIN, end, process, step

LIMIT = 60.0
PNG = make_png(40, 20, (10, 10, 10))

TOML = """
id = "papers"
group = "official"
label = { zh = "请示", en = "Papers" }
icon = "ph.file"
order = 5

[[types]]
name = "LivePaper"
process = "live_paper"
label = { zh = "请示", en = "Paper" }
title = ["subject"]
tracked = true
access = { read = ["author", "handler", "participant"], create = ["everyone"], update = ["author@draft"], destroy = ["author@draft"] }
states = [
  { value = "draft", label = { zh = "草稿", en = "Draft" } },
  { value = "checking", label = { zh = "审核", en = "Checking" }, color = "amber" },
  { value = "passed", label = { zh = "通过", en = "Passed" }, color = "green", final = true },
]
fields = [
  { name = "subject", kind = "text", label = { zh = "事由", en = "Subject" }, required = true },
  { name = "unit", kind = "text", label = { zh = "单位", en = "Unit" } },
  { name = "papers", kind = "files", label = { zh = "附件", en = "Papers" } },
]

[[views]]
id = "all"
type = "LivePaper"
kind = "table"
label = { zh = "全部", en = "All" }
columns = ["subject", "state"]
"""
PAPER = "LivePaper"


def bpmn() -> str:
    """ben or carl checks (whoever comes first), carl signs with words and a signature."""
    return process(
        BEGIN,
        step("check", "person:ben,person:carl", state="checking", limit="1d", editable="unit"),
        step("sign", "person:carl", opinion="required", signature="onApprove", actions="approve return"),
        end(),
        flows="begin>check check>sign sign>end",
        process_id="live_paper",
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    modules = tmp_path_factory.mktemp("modules")
    (modules / "papers").mkdir()
    (modules / "papers" / "module.toml").write_text(TOML, encoding="utf-8")
    (modules / "papers" / "paper.bpmn").write_text(bpmn(), encoding="utf-8")
    process_ = ModuleServer(tmp_path_factory.mktemp("cases"), modules)
    process_.init("anna", "ben", "carl", "root")
    process_.give_roles("root", "admin")
    process_.start()
    yield process_
    process_.stop()


@asynccontextmanager
async def signed_in(
    server: ServerProcess, folder: Path, *logins: str, address: str | None = None
) -> AsyncIterator[list[Session]]:
    async with AsyncExitStack() as stack:
        sessions = []
        for login in logins:
            client = await stack.enter_async_context(await Client.open(folder / login, keychain=MemoryKeychain()))
            session = await client.sign_in(address or server.address, login, PASSWORD, remember=True)
            async with asyncio.timeout(LIMIT):
                await session.wait_until(synced=True)
            sessions.append(session)
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


async def record_of(session: Session, key: str) -> Record:
    async def here() -> bool:
        return await session.records.record(PAPER, key) is not None

    await until(session, here)
    found = await session.records.record(PAPER, key)
    assert found is not None
    return found


async def flow_when(session: Session, key: str, true: Callable[[Flow], bool]) -> Flow:
    """The flow of a record as soon as it is so."""
    found: list[Flow] = []

    async def look() -> bool:
        found.append(await session.cases.flow(PAPER, key))
        return true(found[-1])

    await until(session, look)
    return found[-1]


async def submitted(anna: Session, subject: str) -> str:
    key = await anna.records.create(PAPER, {"subject": subject})
    await anna.cases.submit(await record_of(anna, key), opinion="请审核")
    await sent(anna)
    return key


def named(flow: Flow, name: str) -> StepAction:
    return next(action for action in flow.actions if action.name == name)


def at_step(step_id: str) -> Callable[[Flow], bool]:
    return lambda flow: flow.item is not None and flow.item.step_id == step_id and flow.item.open and not flow.pending


def test_a_case_goes_its_way_and_its_starter_watches(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna", "ben", "carl") as (anna, ben, carl):
            told: list[str] = []
            stop = ExitStack()
            stop.enter_context(anna.events.subscribe(lambda event: _note(told, event)))
            key = await submitted(anna, "防汛物资采购用印")
            hers = await flow_when(anna, key, lambda flow: flow.case is not None and bool(flow.events))
            assert hers.case is not None
            assert (hers.case.now[0].step_id, set(hers.case.now[0].person_ids)) == (
                "check",
                {ben.account_id, carl.account_id},
            )
            assert hers.process is not None
            assert {"check", "sign"} <= {one.id for one in hers.process.steps}
            assert hers.process.diagram is not None
            assert {"check", "sign"} <= hers.process.diagram.shapes.keys()

            his = await flow_when(ben, key, at_step("check"))
            assert his.item is not None
            assert [row.title for row in (await ben.cases.work(WorkQuery())).rows] == ["防汛物资采购用印"]
            assert [row.title for row in (await ben.cases.work(WorkQuery(text="物资"))).rows] == ["防汛物资采购用印"]
            assert (await ben.cases.counts()).todo_by_module == {"papers": 1}
            await ben.cases.opened(his.item)
            paper = tmp_path / "意见.txt"
            paper.write_text("附件", encoding="utf-8")
            record = await record_of(ben, key)
            await ben.cases.act(
                record, named(his, "approve"), his.item, opinion="同意", attachments=[paper], values={"unit": "防汛办"}
            )
            await sent(ben)
            assert await ben.cases.refused() == []

            seen = await flow_when(anna, key, lambda flow: flow.case is not None and flow.case.now[0].step_id == "sign")
            event = next(one for one in seen.events if one.person_id == ben.account_id)
            assert (event.action, event.opinion, event.step_id) == ("approve", "同意", "check")
            assert await anna.files.open_bytes(event.attachments[0].blob_id) == paper.read_bytes()
            assert (await record_of(anna, key)).data["unit"] == "防汛办"

            last = await flow_when(carl, key, at_step("sign"))
            with pytest.raises(Rejected) as raised:
                await carl.cases.act(await record_of(carl, key), named(last, "approve"), last.item)
            assert raised.value.data["properties"] == ["opinion", "signature"]
            await carl.cases.act(
                await record_of(carl, key), named(last, "approve"), last.item, opinion="签发", signature=PNG
            )
            await sent(carl)
            over = await flow_when(anna, key, lambda flow: flow.case is not None and flow.case.ended)
            assert over.case is not None
            assert (over.case.state, over.case.end_state) == (CaseState.COMPLETED, "passed")
            signed = next(one for one in over.events if one.person_id == carl.account_id)
            assert signed.signature == hashlib.sha256(PNG).hexdigest()
            assert await anna.files.open_bytes(signed.signature) == PNG
            assert [one.seq for one in over.events] == sorted(one.seq for one in over.events)
            assert (await record_of(anna, key)).data["state"] == "passed"
            done = [row.title for row in (await carl.cases.work(WorkQuery(WorkTab.DONE))).rows]
            assert done == ["防汛物资采购用印"]
            assert [row.title for row in (await anna.cases.work(WorkQuery(WorkTab.STARTED))).rows] == [
                "防汛物资采购用印"
            ]
            await until(anna, lambda: _has(told, "advance"))
            stop.close()

    asyncio.run(scenario())


def _note(told: list[str], event: Event) -> None:
    if isinstance(event, AlertArrived):
        told.append(event.alert.kind)


async def _has(told: list[str], kind: str) -> bool:
    return kind in told


def test_two_approve_at_once_and_one_learns_who_was_faster(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna", "ben", "carl") as (anna, ben, carl):
            key = await submitted(anna, "同时办理")
            flows = [await flow_when(one, key, at_step("check")) for one in (ben, carl)]
            records = [await record_of(one, key) for one in (ben, carl)]
            acts = [
                one.cases.act(record, named(flow, "approve"), flow.item, opinion=f"{one.account_id} 同意")
                for one, flow, record in zip((ben, carl), flows, records, strict=True)
            ]
            await asyncio.gather(*acts)
            await asyncio.gather(sent(ben), sent(carl))
            lost = [await one.cases.refused(key) for one in (ben, carl)]
            assert sorted(len(one) for one in lost) == [0, 1]
            slow, fast = (ben, carl) if lost[0] else (carl, ben)
            (event,) = lost[0] or lost[1]
            assert event.refusal is not None
            assert (event.refusal.code, event.refusal.by, event.refusal.action) == (
                "overtaken",
                fast.account_id,
                "approve",
            )
            assert event.refusal.at is not None
            assert event.opinion == f"{slow.account_id} 同意"
            over = await flow_when(anna, key, lambda flow: flow.case is not None and flow.case.now[0].step_id == "sign")
            assert [one.person_id for one in over.events if one.action == "approve"] == [fast.account_id]
            await slow.cases.drop(event.id)
            assert await slow.cases.refused(key) == []

    asyncio.run(scenario())


def test_what_was_done_with_the_cable_out_comes_back_overtaken_with_all_that_was_typed(
    server: ServerProcess, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with (
            cable(server.port) as line,
            signed_in(server, tmp_path, "anna", "carl") as (anna, carl),
            signed_in(server, tmp_path, "ben", address=line.address) as (ben,),
        ):
            key = await submitted(anna, "断网办理")
            his, hers = await flow_when(ben, key, at_step("check")), await flow_when(carl, key, at_step("check"))
            record = await record_of(ben, key)
            await line.pull()
            async with asyncio.timeout(LIMIT):
                await ben.wait_until(ConnectionState.OFFLINE)
            paper = tmp_path / "附件.txt"
            paper.write_bytes(b"paper")
            words = "防汛办牵头,周五前报。"
            event_id = await ben.cases.act(
                record,
                named(his, "approve"),
                his.item,
                opinion=words,
                attachments=[paper],
                signature=PNG,
                values={"unit": "x"},
            )
            shown = await ben.cases.flow(PAPER, key)
            assert (shown.pending, shown.actions, shown.events[-1].opinion) == (True, (), words)
            await carl.cases.act(await record_of(carl, key), named(hers, "approve"), hers.item, opinion="我先")
            await sent(carl)
            assert await carl.cases.refused() == []
            await line.plug()
            ben.network_changed()
            await sent(ben)
            (lost,) = await ben.cases.refused(key)
            assert lost.refusal is not None
            assert (lost.refusal.code, lost.refusal.by, lost.refusal.action) == (
                "overtaken",
                carl.account_id,
                "approve",
            )
            assert lost.refusal.step_names == (Label("sign", "sign"),)
            assert (lost.id, lost.opinion, lost.values) == (event_id, words, {"unit": "x"})
            assert [one.name for one in lost.attachments] == ["附件.txt"]
            assert await ben.files.open_bytes(lost.signature or "") == PNG
            after = await flow_when(ben, key, lambda flow: flow.case is not None and flow.case.now[0].step_id == "sign")
            assert (after.pending, after.item) == (False, None)
            assert "unit" not in (await record_of(ben, key)).data

    asyncio.run(scenario())


def test_an_act_written_while_the_server_is_away_arrives_late_and_keeps_its_words(
    server: ServerProcess, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna", "ben", "carl") as (anna, ben, carl):
            key = await submitted(anna, "服务器重启")
            his = await flow_when(ben, key, at_step("check"))
            hers = await flow_when(carl, key, at_step("check"))
            records = {one: await record_of(one, key) for one in (ben, carl)}
            await asyncio.to_thread(server.kill)
            for session in (ben, carl):
                async with asyncio.timeout(LIMIT):
                    await session.wait_until(ConnectionState.OFFLINE)
            await ben.cases.act(records[ben], named(his, "approve"), his.item, opinion="断网时写的意见")
            waiting = await ben.cases.flow(PAPER, key)
            assert waiting.pending
            assert waiting.events[-1].opinion == "断网时写的意见"
            assert [
                row.pending for row in (await ben.cases.work(WorkQuery())).rows if row.record and row.record.id == key
            ] == [True]
            await carl.cases.act(records[carl], named(hers, "approve"), hers.item, opinion="我先")
            await asyncio.to_thread(server.start)
            for session in (ben, carl):
                session.network_changed()
            await asyncio.gather(sent(ben), sent(carl))
            lost: list[CaseEvent] = []

            async def told() -> bool:
                lost[:] = [*(await ben.cases.refused(key)), *(await carl.cases.refused(key))]
                return bool(lost)

            await until(ben, told)
            assert len(lost) == 1
            assert lost[0].refusal is not None
            assert lost[0].refusal.code == "overtaken"
            assert lost[0].opinion in ("断网时写的意见", "我先")

            def passed(flow: Flow) -> bool:  # the case and what was done come one after the other
                at_sign = flow.case is not None and flow.case.now[0].step_id == "sign"
                return at_sign and any(one.action == "approve" for one in flow.events)

            over = await flow_when(anna, key, passed)
            assert len([one for one in over.events if one.action == "approve"]) == 1

    asyncio.run(scenario())


def test_the_starter_takes_it_back_and_sends_it_again(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna", "ben") as (anna, ben):
            key = await submitted(anna, "撤回重报")
            hers = await flow_when(anna, key, lambda flow: any(one.name == "withdraw" for one in flow.actions))
            await flow_when(ben, key, at_step("check"))
            await anna.cases.act(await record_of(anna, key), named(hers, "withdraw"), opinion="写错了")
            await sent(anna)
            assert await anna.cases.refused() == []
            back = await flow_when(anna, key, lambda flow: any(one.action == "withdraw" for one in flow.events))
            assert back.case is not None
            await flow_when(ben, key, lambda flow: flow.item is None)

            async def may() -> bool:
                return await anna.cases.may_submit(await record_of(anna, key))

            await until(anna, may)
            await anna.records.update(await record_of(anna, key), {"unit": "改好了"})
            await anna.cases.submit(await record_of(anna, key))
            await sent(anna)
            again = await flow_when(ben, key, at_step("check"))
            assert again.item is not None

    asyncio.run(scenario())


def test_work_goes_to_who_stands_in_and_both_names_stay(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "anna", "carl", "root", "ben") as (anna, carl, root, ben):
            now = SystemClock().now_ms()
            given = await carl.cases.delegate(root.account_id, now - 60_000, now + 3_600_000, reason="出差")

            async def known() -> bool:
                return [one.reason for one in await root.cases.delegations()] == ["出差"]

            await until(root, known)
            await carl.cases.change_delegation(
                given, now - 60_000, now + 7_200_000, modules=["papers"], reason="出差两天"
            )

            async def longer() -> bool:
                return [one.reason for one in await root.cases.delegations()] == ["出差两天"]

            await until(root, longer)
            key = await submitted(anna, "出差委托")
            theirs = await flow_when(root, key, at_step("check"))
            assert theirs.item is not None
            assert theirs.item.is_of(root.account_id)
            assert theirs.item.on_behalf_of_id == carl.account_id
            await root.cases.act(await record_of(root, key), named(theirs, "approve"), theirs.item, opinion="代办")
            await sent(root)
            seen = await flow_when(anna, key, lambda flow: any(one.action == "approve" for one in flow.events))
            event = next(one for one in seen.events if one.action == "approve")
            assert (event.person_id, event.on_behalf_of_id) == (root.account_id, carl.account_id)
            await carl.cases.end_delegation(given)
            moved = await root.cases.hand_over(root.account_id, ben.account_id)
            assert moved >= 1  # the signing that came to who stood in
            await flow_when(ben, key, at_step("sign"))

    asyncio.run(scenario())


def test_an_administrator_writes_tries_and_publishes_a_version(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "root", "anna", "ben") as (root, anna, ben):
            shipped = next(
                one
                for one in await root.cases.processes()
                if one.process_id == "live_paper" and one.state == "published"
            )
            form = await root.cases.process_form(shipped.id)
            assert b"live_paper" in form.bpmn
            assert form.process.steps == shipped.steps
            broken = await root.cases.save_draft(b"<definitions", record_type=PAPER)
            assert broken.id is None
            assert broken.problems
            assert broken.problems[0].text("en")
            shorter = process(
                BEGIN, step("check", "person:ben"), end(), flows="begin>check check>end", process_id="live_paper"
            )
            draft = await root.cases.save_draft(shorter.encode(), record_type=PAPER)
            assert draft.id is not None
            assert draft.problems == ()
            tried = await root.cases.try_out(draft.id, PAPER, {"subject": "试"}, anna.account_id, ["approved"])
            assert [one.step_id for one in tried.trace if one.kind == "userTask"] == ["check"]
            assert tried.trace[0].person_ids == (ben.account_id,)
            assert tried.ended
            assert await root.cases.publish(draft.id) == ()

            async def newer() -> bool:
                return any(one.version == shipped.version + 1 for one in await anna.cases.processes())

            await until(anna, newer)
            key = await submitted(anna, "新版流程")
            his = await flow_when(ben, key, at_step("check"))
            assert his.case is not None
            assert his.case.process_version == shipped.version + 1
            assert await root.cases.publish(shipped.id) == ()  # back to the old one for the others

    asyncio.run(scenario())


def test_an_administrator_adds_a_field_without_code(server: ServerProcess, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with signed_in(server, tmp_path, "root", "anna") as (root, anna):
            assert await root.cases.overlay("papers") is None
            label = {"zh": "份数", "en": "Copies"}
            field = {"name": "copies", "kind": "number", "label": label, "min": 1}
            await root.cases.save_overlay("papers", {"types": [{"name": PAPER, "fields": [field]}]})
            plan = await root.cases.plan_overlay("papers")
            assert plan.lines
            assert plan.problems == ()
            assert (await root.cases.publish_overlay("papers")).problems == ()
            held = await root.cases.overlay("papers")
            assert held is not None
            assert held.changes is not None
            assert held.published_by_id == root.account_id

            async def known() -> bool:
                modules = await anna.records.modules()
                return any(type_.field("copies") is not None for module in modules for type_ in module.types)

            await until(anna, known)
            key = await anna.records.create(PAPER, {"subject": "加字段", "copies": 3})
            await sent(anna)
            assert (await record_of(anna, key)).data["copies"] == 3
            with pytest.raises(Rejected):
                await root.cases.save_overlay(
                    "papers", {"types": [{"name": PAPER, "fields": [{"name": "copies", "kind": "nothing"}]}]}
                )

    asyncio.run(scenario())
