"""用印, 收文 and 发文 on one real backend with everybody's own client, unhappy turns included; the backend is killed in the middle of each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from desktop.core.clock import SystemClock
from desktop.core.crypto.keychain import MemoryKeychain
from desktop.core.domain import Alert, ConversationKind, Record
from desktop.core.domain.cases import CaseState, Flow, WorkQuery
from desktop.core.domain.records import RecordQuery
from desktop.core.services.client import Client
from desktop.core.services.session import Session
from tests.helpers.bureau_server import STAFF, BureauServer
from tests.helpers.core_server import PASSWORD
from tests.modules.documents.pdf_measure import MeasuredPdf
from tests.modules.engine.processes.case_bench import BEGIN, end, process, step

pytestmark = pytest.mark.slow

LIMIT = 60.0
REQUEST, SEAL, USE = "SealRequest", "Seal", "SealUse"
RECEIVED, SENT, PACKAGE, TIMED = "IncomingDocument", "OutgoingDocument", "ExchangePackage", "TimedPaper"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
BODY = "为做好防汛值班工作，现通知如下。\n一、强化责任落实。主要负责同志为第一责任人。"

TIMERS = {"early": "PT1S", "between": "PT3S", "late": "PT9S"}
"""Counter of the record → when it counts, from entering the step. The server is away from before `between` until after it."""
AWAY_UNTIL_MS = 3_500
TIMED_TOML = """
id = "timed"
group = "official"
label = { zh = "计时", en = "Timed" }
icon = "ph.timer"
order = 5

[[types]]
name = "TimedPaper"
process = "timed"
rules = "TimedRules"
label = { zh = "计时件", en = "Timed paper" }
title = ["subject"]
access = { read = ["everyone"], create = ["everyone"], update = ["author@draft"], destroy = ["author@draft"] }
states = [
  { value = "draft", label = { zh = "草稿", en = "Draft" } },
  { value = "passed", label = { zh = "通过", en = "Passed" }, color = "green", final = true },
]
fields = [
  { name = "subject", kind = "text", label = { zh = "事由", en = "Subject" }, required = true },
  { name = "early", kind = "number", label = { zh = "一", en = "1" }, default = 0 },
  { name = "between", kind = "number", label = { zh = "二", en = "2" }, default = 0 },
  { name = "late", kind = "number", label = { zh = "三", en = "3" }, default = 0 },
]

[[views]]
id = "all"
type = "TimedPaper"
kind = "table"
label = { zh = "全部", en = "All" }
columns = ["subject", "state"]
"""
TIMED_RULES = '''
"""Counts how often each timer goes off."""

from server_stub.modules.engine.rules import Rules


class TimedRules(Rules):
    """One counter for each timer."""

    def service(self, tx, name, case, record):
        self.change(tx, "TimedPaper", record.id, {name: (record.data.get(name) or 0) + 1})
        return {}
'''


def timed_bpmn() -> str:
    """ding has it; three timers on the border of his step count."""
    nodes, flows = [], ["begin>wait", "wait>done"]
    for name, span in TIMERS.items():
        nodes.append(
            f'<bpmn:boundaryEvent id="at_{name}" attachedToRef="wait" cancelActivity="false"><bpmn:timerEventDefinition>'
            f"<bpmn:timeDuration>{span}</bpmn:timeDuration></bpmn:timerEventDefinition></bpmn:boundaryEvent>"
            f'<bpmn:serviceTask id="count_{name}" name="count"><bpmn:extensionElements><tongban:service name="{name}"/>'
            f"</bpmn:extensionElements></bpmn:serviceTask>{end(f'end_{name}', '')}"
        )
        flows += [f"at_{name}>count_{name}", f"count_{name}>end_{name}"]
    return process(
        BEGIN, step("wait", "person:ding"), *nodes, end("done"), flows=" ".join(flows), process_id="timed"
    ).replace('<bpmn:extensionElements><tongban:end state=""/></bpmn:extensionElements>', "")


class Paper(NamedTuple):
    """A record under way, wherever it is looked at."""

    type: str
    id: str


@dataclass
class Colleague:
    """One person's client, with nothing but the core."""

    login: str
    session: Session
    alerts: list[Alert] = field(default_factory=list)

    @property
    def id(self) -> str:
        return self.session.account_id

    async def until(self, true: Callable[[], Awaitable[bool]], what: str) -> None:
        """Looks again whenever this client hears of something."""
        changed = asyncio.Event()
        with self.session.events.subscribe(lambda event: changed.set()):
            try:
                async with asyncio.timeout(LIMIT):
                    while not await true():
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                raise AssertionError(f"{self.login} waits in vain for {what}") from None

    async def sent(self) -> None:
        """All that was done here has arrived, and nothing came back."""

        async def done() -> bool:
            return await self.session.outbox.pending() == 0

        await self.until(done, "the outbox")
        assert await self.session.cases.refused() == []

    async def record(self, paper: Paper, true: Callable[[Record], bool] = lambda record: True) -> Record:
        found: list[Record] = []

        async def look() -> bool:
            record = await self.session.records.record(*paper)
            if record is not None:
                found.append(record)
            return record is not None and true(record)

        await self.until(look, f"a {paper.type} as it should be: {found[-1].data if found else None}")
        return found[-1]

    async def flow(self, paper: Paper, true: Callable[[Flow], bool], what: str) -> Flow:
        found: list[Flow] = []

        async def look() -> bool:
            found.append(await self.session.cases.flow(*paper))
            return true(found[-1])

        await self.until(look, what)
        return found[-1]

    async def make(self, type_name: str, **data: Any) -> Paper:
        return Paper(type_name, await self.session.records.create(type_name, data))

    async def start(self, type_name: str, **data: Any) -> Paper:
        """Written and sent on its way in one go."""
        paper = await self.make(type_name, **data)
        await self.session.cases.submit(await self.record(paper))
        await self.sent()
        return paper

    async def file(self, folder: Path, name: str = "正文.pdf", data: bytes = PDF) -> dict[str, Any]:
        path = folder / name
        path.write_bytes(data)
        async with asyncio.timeout(LIMIT):
            await self.session.wait_until()
        blob = await self.session.files.upload_file(path)
        return {"blobId": blob.blob_id, "name": blob.name, "type": blob.type, "size": blob.size}

    async def has(self, paper: Paper, step_id: str) -> Flow:
        """It is this person's to do, and stands on the list of to-dos."""

        def mine(flow: Flow) -> bool:
            return flow.item is not None and flow.item.step_id == step_id and flow.item.open and not flow.pending

        flow = await self.flow(paper, mine, f"{step_id} of {paper.type}")
        assert flow.item is not None
        assert flow.item.is_of(self.id)
        return flow

    async def do(
        self, paper: Paper, step_id: str, name: str = "approve", outcome: str | None = None, **more: Any
    ) -> str:
        """What the step offers, as soon as it is this person's; the event's id. Not awaited: that it arrives."""
        flow = await self.has(paper, step_id)
        action = next(one for one in flow.actions if one.name == name and outcome in (None, one.outcome))
        return await self.session.cases.act(await self.record(paper), action, flow.item, **more)

    async def act(
        self, paper: Paper, step_id: str, name: str = "approve", outcome: str | None = None, **more: Any
    ) -> str:
        """The same, arrived and accepted."""
        event_id = await self.do(paper, step_id, name, outcome, **more)
        await self.sent()
        return event_id

    async def nothing_of(self, paper: Paper) -> None:
        """Nothing of it waits for this person."""
        await self.flow(paper, lambda flow: flow.item is None and not flow.pending, "the to-do to go")
        rows = (await self.session.cases.work(WorkQuery())).rows
        assert paper.id not in {row.record.id for row in rows if row.record is not None}

    # ---- what the starter watches

    async def sees(self, paper: Paper, *steps: str, told: str = "") -> Flow:
        """It is at these steps now; `told`: with an alert that says so."""

        def there(flow: Flow) -> bool:
            return flow.case is not None and sorted(one.step_id for one in flow.case.now) == sorted(steps)

        flow = await self.flow(paper, there, f"{paper.type} at {steps}")
        await self.was_told(paper, told)
        return flow

    async def sees_end(self, paper: Paper, state: str, told: str = "办理完毕") -> Flow:
        """It is over: the case, the record and its one card; nobody has it, and the history stands in one piece."""

        def over(flow: Flow) -> bool:
            return flow.case is not None and flow.case.ended and flow.events[-1].action == "end"

        flow = await self.flow(paper, over, f"the end ({state})")
        assert flow.case is not None
        assert (flow.case.state, flow.case.end_state, flow.case.now) == (CaseState.COMPLETED, state, ())
        assert [one for one in flow.items if one.open and one.part != "read" and one.kind != "read"] == []
        assert [one.seq for one in flow.events] == list(range(1, len(flow.events) + 1))
        await self.record(paper, lambda record: record.data["state"] == state)
        await self.was_told(paper, told)
        await self.has_card(paper)
        return flow

    async def was_told(self, paper: Paper, word: str) -> None:
        """The alert of the last advance says so (there is one about a record, it is replaced by the next), and has popped up if this client was there."""

        async def look() -> bool:
            shown = [*self.alerts, *await self.session.alerts.alerts()]
            told = [one.text for one in shown if one.kind == "advance" and one.link and one.link.id == paper.id]
            return any(word in text for text in told)

        if word:
            await self.until(look, f"the news: {word}")

    async def has_card(self, paper: Paper) -> None:
        """One live card in the talk of processes, however many steps there were."""
        cards: list[str] = []

        async def look() -> bool:
            cards.clear()
            for talk in await self.session.chat.conversations():
                if talk.kind is ConversationKind.SYSTEM:
                    page = await self.session.chat.window(talk.id, limit=200)
                    cards.extend(one.card.id for one in page.messages if one.card is not None)
            return paper.id in cards

        await self.until(look, "the card")
        assert cards.count(paper.id) == 1


def steps_of(flow: Flow, *actions: str) -> list[str]:
    """Where people acted, in order."""
    wanted = actions or ("submit", "approve", "read", "refuse", "return")
    return [one.step_id for one in flow.events if one.action in wanted and one.person_id is not None]


class Bureau:
    """The backend and everybody's client, on one loop."""

    def __init__(self, server: BureauServer, people: dict[str, Colleague], folder: Path) -> None:
        self.server, self._people, self.folder = server, people, folder
        self._own: str | None = None

    def __getitem__(self, login: str) -> Colleague:
        return self._people[login]

    def __call__(self, *logins: str) -> list[Colleague]:
        return [self._people[one] for one in logins]

    def department(self, key: str) -> str:
        return self.server.departments[key]

    async def own_unit(self) -> str:
        """The bureau as it issues documents; in the books once."""
        if self._own is None:
            liu = self["liu"]
            paper = await liu.make("IssuingUnit", name="云溪县水利局", code="YX", own=True)
            await liu.sent()
            await asyncio.gather(*(one.record(paper) for one in self._people.values()))
            self._own = paper.id
        return self._own

    async def power_cut(self, away_until: int | None = None) -> None:
        """kill -9, and up again (not before a moment)."""
        await asyncio.to_thread(self.server.kill)
        if away_until is not None:
            await asyncio.sleep(max(0, away_until - SystemClock().now_ms()) / 1000)
        await asyncio.to_thread(self.server.start)
        for one in self._people.values():
            one.session.network_changed()

    async def together(self, *flows: Callable[["Middle"], Coroutine[Any, Any, None]]) -> None:
        """All these at the same time; the power goes once, when each has come to its middle."""
        middle = Middle(self, len(flows))
        async with asyncio.TaskGroup() as group:
            for one in flows:
                group.create_task(one(middle))


class Middle:
    """Where flows wait for each other, and the backend dies."""

    def __init__(self, bureau: Bureau, flows: int) -> None:
        self._bureau, self._barrier = bureau, asyncio.Barrier(flows)

    async def power_cut(self) -> None:
        if await self._barrier.wait() == 0:
            await self._bureau.power_cut()
        await self._barrier.wait()


@asynccontextmanager
async def opened(server: BureauServer, folder: Path) -> AsyncIterator[Bureau]:
    async with AsyncExitStack() as stack:

        async def come_in(login: str) -> Colleague:
            client = await stack.enter_async_context(await Client.open(folder / login, keychain=MemoryKeychain()))
            session = await client.sign_in(server.address, login, PASSWORD, remember=True)
            async with asyncio.timeout(LIMIT):
                await session.wait_until(synced=True)
            one = Colleague(login, session)
            stack.enter_context(session.events.subscribe(lambda event: _keep_alert(one, event)))
            return one

        people = [await come_in(login) for login in STAFF]
        yield Bureau(server, {one.login: one for one in people}, folder)


def _keep_alert(one: Colleague, event: object) -> None:
    alert = getattr(event, "alert", None)
    if isinstance(alert, Alert):
        one.alerts.append(alert)


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all tests of this file: the clients stay signed in."""
    with asyncio.Runner() as made:
        yield made


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory, runner: asyncio.Runner) -> Iterator[Bureau]:
    folder = tmp_path_factory.mktemp("flows")
    server = BureauServer(folder, "seals", "documents", "notices", "library", "contacts")
    server.add_module("timed", module_toml=TIMED_TOML, rules_py=TIMED_RULES, timed_bpmn=timed_bpmn())
    server.furnish()
    server.start()
    opening = opened(server, folder)
    try:
        yield runner.run(opening.__aenter__())
        runner.run(opening.__aexit__(None, None, None))
    finally:
        server.stop()


# ---------------------------------------------------------------- 用印


async def seal_of(bureau: Bureau, name: str, keeper: str) -> str:
    fang = bureau["fang"]
    paper = await fang.make(SEAL, name=name, keepers=[bureau[keeper].id], place="办公室 301")
    await fang.sent()
    for one in bureau("jiang", "yan", "wu", keeper):
        await one.record(paper)
    return paper.id


def asked(seal: str, **more: Any) -> dict[str, Any]:
    return {"subject": "防汛物资采购合同", "sealIds": [seal], "copies": 3, "pages": 12, **more}


def test_a_seal_is_asked_for_and_the_request_passes_itself_on(bureau: Bureau, runner: asyncio.Runner) -> None:
    async def on_site(middle: Middle) -> None:
        jiang, feng, minister, liu = bureau("jiang", "feng", "min", "liu")
        paper = await jiang.start(REQUEST, **asked(seals[0]))
        await jiang.sees(paper, "department")
        await feng.act(paper, "department", opinion="同意，抓紧到货")
        flow = await jiang.sees(paper, "office", told="部门领导审批：feng已同意")
        assert flow.case is not None
        assert (flow.case.now[0].person_ids, flow.case.done) == ((minister.id,), ("apply", "department"))
        await minister.act(paper, "office")
        await jiang.sees(paper, "stamp", told="可以用印了，请携带文件到办公室 301")
        values = {"stampedCopies": 3, "stampedPages": 12, "scan": [await liu.file(bureau.folder, "首页.pdf")]}
        event_id = await liu.do(paper, "stamp", outcome="stamped", values=values)  # on its way when the power goes
        await middle.power_cut()
        await liu.sent()
        flow = await jiang.sees_end(paper, "done")
        assert steps_of(flow) == ["apply", "department", "office", "stamp"]
        assert flow.case is not None
        assert flow.case.done[-1] == "doneEnd"  # of two ends the one it reached, for the diagram
        assert [one.id for one in flow.events if one.step_id == "stamp" and one.action == "approve"] == [event_id]
        lines = (await bureau["fang"].session.records.page(RecordQuery(USE))).records
        mine = [one for one in lines if one.data["requestId"] == paper.id]
        assert [(one.data["copies"], one.data["keeperId"], one.data["applicantId"]) for one in mine] == [
            (3, liu.id, jiang.id)
        ]
        for one in (feng, minister, liu):
            await one.nothing_of(paper)

    async def lent(middle: Middle) -> None:
        yan, jiang, feng, minister, fang = bureau("yan", "jiang", "feng", "min", "fang")
        now = datetime.now(UTC)
        span = {"start": wire(now), "end": wire(now + timedelta(days=1))}
        paper = await yan.start(REQUEST, **asked(seals[1], manner="takeOut", lending=span, companionId=jiang.id))
        await feng.act(paper, "department")
        await minister.act(paper, "office")
        await jiang.act(paper, "companion")
        await yan.sees(paper, "lend", told="监印人确认：jiang已同意")
        await fang.act(paper, "lend", outcome="lent")
        await yan.sees(paper, "giveBack", told="归还查验")
        out = Paper(SEAL, seals[1])
        held = await yan.record(out, lambda record: record.data["state"] == "out")
        assert held.data["holderId"] == yan.id
        await middle.power_cut()
        first = await fang.file(bureau.folder, "首页1.pdf")
        values = {"stampedCopies": 1, "stampedPages": 60, "scan": [first], "backNote": "完好"}
        await fang.act(paper, "giveBack", outcome="back", values=values)
        flow = await yan.sees_end(paper, "done")
        assert steps_of(flow) == ["apply", "department", "office", "companion", "lend", "giveBack"]
        back = await yan.record(out, lambda record: record.data["state"] == "active")
        assert (back.data.get("holderId"), back.data["uses"]) == (None, 1)

    async def refused(middle: Middle) -> None:
        wu, ding = bureau("wu", "ding")
        paper = await wu.start(REQUEST, **asked(seals[0], subject="空白介绍信十份"))
        await wu.sees(paper, "department")
        await middle.power_cut()
        await ding.act(paper, "department", "refuse", opinion="介绍信须写明事由")
        flow = await wu.sees_end(paper, "refused", told="ding不同意")
        assert [one.opinion for one in flow.events if one.action == "refuse"] == ["介绍信须写明事由"]
        await ding.nothing_of(paper)

    async def returned(middle: Middle) -> None:
        jiang, feng, minister, liu = bureau("jiang", "feng", "min", "liu")
        paper = await jiang.start(REQUEST, **asked(seals[0], subject="采购合同补充"))
        await feng.act(paper, "department", "return", opinion="请附合同文本")
        await jiang.sees(paper, "apply", told="部门领导审批：feng已退回")
        await middle.power_cut()
        await jiang.act(paper, "apply", "submit", values={"files": [await jiang.file(bureau.folder, "合同.pdf")]})
        await feng.act(paper, "department")
        await minister.act(paper, "office")
        values = {"stampedCopies": 2, "stampedPages": 4, "scan": [await liu.file(bureau.folder, "首页2.pdf")]}
        await liu.act(paper, "stamp", outcome="stamped", values=values)
        flow = await jiang.sees_end(paper, "done")
        assert steps_of(flow) == ["apply", "department", "apply", "department", "office", "stamp"]

    async def abandoned(middle: Middle) -> None:
        yan, feng, minister, fang = bureau("yan", "feng", "min", "fang")
        paper = await yan.start(REQUEST, **asked(seals[1], subject="合同文本有误的一件"))
        await feng.act(paper, "department")
        await middle.power_cut()
        await minister.act(paper, "office")
        await fang.act(paper, "stamp", "refuse", "abandoned", opinion="合同文本有误")
        await yan.sees_end(paper, "abandoned")
        lines = (await fang.session.records.page(RecordQuery(USE))).records
        assert paper.id not in {one.data["requestId"] for one in lines}

    seals: list[str] = []

    async def scenario() -> None:
        seals.append(await seal_of(bureau, "单位公章", "liu"))
        seals.append(await seal_of(bureau, "合同专用章", "fang"))
        await bureau.together(on_site, lent, refused, returned, abandoned)

    runner.run(scenario())


def wire(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def test_a_request_is_taken_back_passed_on_and_asked_about(bureau: Bureau, runner: asyncio.Runner) -> None:
    async def withdrawn(seal: str) -> None:
        jiang, feng = bureau("jiang", "feng")
        paper = await jiang.start(REQUEST, **asked(seal, subject="撤回重报"))
        await feng.has(paper, "department")
        flow = await jiang.flow(paper, lambda flow: any(one.name == "withdraw" for one in flow.actions), "withdraw")
        action = next(one for one in flow.actions if one.name == "withdraw")
        await jiang.session.cases.act(await jiang.record(paper), action, opinion="写错了")
        await jiang.sent()
        await feng.nothing_of(paper)
        await jiang.record(paper, lambda record: record.data["state"] == "draft")
        await jiang.session.cases.submit(await jiang.record(paper), values={"copies": 1})
        await jiang.sent()
        await feng.act(paper, "department")
        assert (await jiang.record(paper, lambda record: record.data["state"] == "office")).data["copies"] == 1

    async def passed_on(seal: str) -> None:
        jiang, yan, feng, minister, ding = bureau("jiang", "yan", "feng", "min", "ding")
        paper = await jiang.start(REQUEST, **asked(seal, subject="转办与加签"))
        await feng.act(paper, "department", "transfer", to=[yan.id], opinion="我外出，请代审")
        await feng.nothing_of(paper)
        await yan.act(paper, "department")
        await minister.act(paper, "office", "addSignerBefore", to=[ding.id], opinion="请工程科先看")
        await minister.flow(paper, lambda flow: flow.item is None, "to wait for ding")
        flow = await ding.has(paper, "office")
        assert flow.item is not None
        assert (flow.item.part, flow.item.added_by_id) == ("before", minister.id)
        await ding.act(paper, "office", opinion="工程量属实")
        flow = await minister.has(paper, "office")
        assert "工程量属实" in [one.opinion for one in flow.events]
        await minister.act(paper, "office")
        await jiang.sees(paper, "stamp")

    async def on_behalf(seal: str) -> None:
        wu, ding, feng = bureau("wu", "ding", "feng")
        now = SystemClock().now_ms()
        away = await ding.session.cases.delegate(feng.id, now - 60_000, now + 3_600_000, reason="出差")
        paper = await wu.start(REQUEST, **asked(seal, subject="出差委托"))
        flow = await feng.has(paper, "department")
        assert flow.item is not None
        assert flow.item.on_behalf_of_id == ding.id
        await feng.act(paper, "department", opinion="代办")
        flow = await wu.sees(paper, "office")
        done = next(one for one in flow.events if one.action == "approve")
        assert (done.person_id, done.on_behalf_of_id) == (feng.id, ding.id)
        await ding.session.cases.end_delegation(away)
        again = await wu.start(REQUEST, **asked(seal, subject="回来以后"))
        await ding.has(again, "department")

    async def scenario() -> None:
        seal = await seal_of(bureau, "财务专用章", "fang")
        await asyncio.gather(withdrawn(seal), passed_on(seal))
        await on_behalf(seal)

    runner.run(scenario())


# ---------------------------------------------------------------- 收文


def test_documents_are_received_and_go_to_the_archive(bureau: Bureau, runner: asyncio.Runner) -> None:
    liu, he, minister, gao, sun, feng, ding = bureau("liu", "he", "min", "gao", "sun", "feng", "ding")
    jiang, yan, chen, wu = bureau("jiang", "yan", "chen", "wu")
    flood, works = bureau.department("flood"), bureau.department("works")

    async def proposed(title: str, **values: Any) -> Paper:
        """Signed for, registered, examined, and proposed to the leaders."""
        body = [await liu.file(bureau.folder, f"{title}.pdf")]
        paper = await liu.start(RECEIVED, title=title, sourceUnit="省水利厅", urgency="express", body=body)
        await liu.act(paper, "register")
        await he.act(paper, "review")
        await minister.act(paper, "propose", values={"proposal": "请局领导批示", **values})
        return paper

    async def filed(paper: Paper) -> Flow:
        await liu.act(paper, "conclude", values={"conclusion": "已办结"})
        await chen.act(paper, "file")
        return await liu.sees_end(paper, "archived", told="归档：chen已同意")

    async def whole(middle: Middle) -> None:
        paper = await proposed(
            "防汛值班", leaders=[gao.id, sun.id], leadUnits=[flood], coUnits=[works], readers=[yan.id]
        )
        await liu.sees(paper, "instruct")
        assert await sun.session.records.record(*paper) is None  # one leader after the other
        await gao.act(paper, "instruct", opinion="请孙局阅示")
        await liu.was_told(paper, "批办：gao已同意")
        await sun.act(paper, "instruct", opinion="防汛办牵头，工程科配合")
        flow = await liu.sees(paper, "lead", "support", told="批办：sun已同意")
        assert flow.case is not None
        assert {one.step_id: one.person_ids for one in flow.case.now} == {"lead": (feng.id,), "support": (ding.id,)}
        await feng.do(paper, "lead", opinion="值班表已排")
        await middle.power_cut()
        await feng.sent()
        await liu.was_told(paper, "主办：feng已同意")
        await ding.act(paper, "support", opinion="已配合")
        await yan.act(paper, "circulate", "circulate", to=[jiang.id])
        await jiang.has(paper, "circulate")
        await yan.act(paper, "circulate", "read")
        await liu.sees(paper, "conclude")  # who was added holds nothing up
        flow = await filed(paper)
        assert steps_of(flow) == [
            "sign", "register", "review", "propose", "instruct", "instruct", "lead", "support", "circulate", "conclude", "file",
        ]  # fmt: skip
        await jiang.act(paper, "circulate", "read")  # still there to be read
        over = await liu.record(paper, lambda record: "archiveCode" in record.data)
        assert over.data["archiveCode"].startswith("SW-")
        assert await jiang.session.files.open_bytes(over.data["body"][0]["blobId"]) == PDF

    async def instructed_again(middle: Middle) -> None:
        paper = await proposed("巡查通报", leaders=[gao.id], leadUnits=[flood], readers=[sun.id, jiang.id])
        await gao.act(paper, "instruct", "addSignerAfter", to=[sun.id], opinion="同意，请孙局会签")
        await sun.act(paper, "instruct", opinion="同意")
        await feng.act(paper, "lead", opinion="办毕")
        await sun.act(paper, "circulate", outcome="instruct", opinion="请工程科也研究")
        await middle.power_cut()
        await jiang.act(paper, "circulate", "read")
        await minister.act(paper, "propose", outcome="circulateOnly", values={"readers": [ding.id], "proposal": "请阅"})
        await ding.act(paper, "circulate", "read")
        flow = await filed(paper)
        assert steps_of(flow, "addSignerAfter", "approve", "read").count("circulate") == 3

    async def sent_back(middle: Middle) -> None:
        unit = await liu.make("IssuingUnit", name="市档案局", code="DA")
        body = [await liu.file(bureau.folder, "错投.pdf")]
        data = {"title": "错投的文件", "sourceUnit": "市档案局", "sourceUnitId": unit.id, "body": body}
        paper = await liu.start(RECEIVED, **data)
        await liu.act(paper, "register")
        await middle.power_cut()
        await he.act(paper, "review", "refuse", "returnToSender", opinion="不属我局职责")
        await liu.sees_end(paper, "returned", told="初审：he不同意")
        assert (await liu.record(paper)).data["returnReason"] == "不属我局职责"

        async def packed() -> bool:
            found = (await liu.session.records.page(RecordQuery(PACKAGE))).records
            return any(one.data.get("incomingId") == paper.id and one.data["state"] == "ready" for one in found)

        await liu.until(packed, "the package back to the sender")

    async def handed_over(middle: Middle) -> None:
        paper = await proposed("灌溉渠维修", leaders=[gao.id], leadUnits=[flood])
        await gao.act(paper, "instruct", opinion="防汛办办理")
        await feng.act(paper, "lead", "refuse", "handOver", opinion="属工程科职责")
        await liu.sees(paper, "propose", told="主办：feng不同意")
        await middle.power_cut()
        await minister.act(paper, "propose", values={"leadUnits": [works]})
        await gao.act(paper, "instruct", "return", opinion="拟办意见请写明时限", to_step="propose")
        await minister.act(paper, "propose", values={"proposal": "请工程科本周内办结"})
        await gao.act(paper, "instruct", opinion="工程科办")
        await ding.act(paper, "lead", "transfer", to=[wu.id], opinion="请具体办理")
        await wu.act(paper, "lead", opinion="已修复")
        flow = await filed(paper)
        assert steps_of(flow)[3:] == [
            "propose", "instruct", "lead", "propose", "instruct", "propose", "instruct", "lead", "conclude", "file",
        ]  # fmt: skip
        assert flow.case is not None
        assert {"lead", "propose"} <= set(flow.case.done)

    async def scenario() -> None:
        await bureau.own_unit()
        await bureau.together(whole, instructed_again, sent_back, handed_over)

    runner.run(scenario())


# ---------------------------------------------------------------- 发文


def test_documents_are_written_signed_numbered_set_and_sent(bureau: Bureau, runner: asyncio.Runner) -> None:
    jiang, feng, ding, gao, he, liu = bureau("jiang", "feng", "ding", "gao", "he", "liu")
    chen, fang, wu, sun = bureau("chen", "fang", "wu", "sun")
    own: list[str] = []

    def draft(title: str, **more: Any) -> dict[str, Any]:
        return {"title": title, "body": BODY, "unitId": own[0], "signerId": gao.id, "recipients": "各乡镇", **more}

    async def whole(middle: Middle) -> None:
        paper = await jiang.start(SENT, **draft("关于做好防汛值班工作的通知", countersigners=[ding.id]))
        await feng.act(paper, "check", values={"cc": "县防汛抗旱指挥部"})
        await ding.act(paper, "countersign", opinion="无意见")
        await gao.record(paper, lambda record: bool(record.data.get("paper")))  # a fair copy lies before him
        await gao.act(paper, "issue", opinion="同意印发")
        await he.act(paper, "proof", values={"body": BODY.replace("第一责任人", "总责任人")}, opinion="改了责任人")
        flow = await jiang.sees(paper, "issue", told="复核：he已同意")  # what was signed is what is printed
        assert flow.case is not None
        assert flow.case.now[0].person_ids == (gao.id,)
        await gao.act(paper, "issue", opinion="同意修改")
        await he.act(paper, "proof")
        await liu.do(paper, "number", values={"markId": own[1]})
        await middle.power_cut()  # the number may be taken by now or not, the paper set or not
        await liu.sent()
        record = await liu.record(paper, is_set)
        pdf = MeasuredPdf(await liu.session.files.open_bytes(record.data["paper"][0]["blobId"]))
        assert record.data["number"] in pdf.text(0)
        assert "总责任人" in pdf.text(0)
        await liu.act(paper, "redHead")
        await fang.act(paper, "seal", values={"sealIds": [await seal_of(bureau, "云溪县水利局公章", "fang")]})
        await liu.act(paper, "distribute", values={"audience": {"everyone": True}})
        await chen.act(paper, "file")
        flow = await jiang.sees_end(paper, "archived")
        assert steps_of(flow) == [
            "draft", "check", "countersign", "issue", "proof", "issue", "proof", "number", "redHead", "seal", "distribute", "file",
        ]  # fmt: skip
        for one in (jiang, wu, sun):  # everybody's client gets what was distributed
            there = await one.record(paper, is_set)
            assert await one.session.files.open_bytes(there.data["paper"][0]["blobId"]) == await liu.session.files.open_bytes(
                record.data["paper"][0]["blobId"]
            )  # fmt: skip

    async def not_issued(middle: Middle) -> None:
        paper = await wu.start(SENT, **draft("关于暂缓施工的通知"))
        await ding.act(paper, "check", "return", opinion="补充依据")
        await wu.act(paper, "draft", "submit", values={"body": BODY + "\n二、依据另附。"})
        await ding.act(paper, "check")
        await middle.power_cut()
        await gao.act(paper, "issue", "refuse", "void", opinion="暂不发文")
        await wu.sees_end(paper, "cancelled", told="签发：gao不同意")
        assert "number" not in (await wu.record(paper)).data

    async def scenario() -> None:
        own.append(await bureau.own_unit())
        own.append((await liu.make("IssuingMark", mark="云水防", unitId=own[0])).id)
        await liu.sent()
        await bureau.together(whole, not_issued)

    runner.run(scenario())


def is_set(record: Record) -> bool:
    """A paper that was made after the number was taken."""
    names = [one["name"] for one in record.data.get("paper", ())]
    return bool(names) and names[0].startswith("云水防〔20")


# ---------------------------------------------------------------- timers


def test_each_timer_goes_off_once_whenever_the_backend_dies(bureau: Bureau, runner: asyncio.Runner) -> None:
    async def scenario() -> None:
        jiang, ding = bureau("jiang", "ding")
        paper = await jiang.start(TIMED, subject="限时件")
        flow = await ding.has(paper, "wait")
        assert flow.case is not None
        began = flow.case.now[0].since
        await jiang.record(paper, counted(early=1))
        await bureau.power_cut(away_until=began + AWAY_UNTIL_MS)
        await jiang.record(paper, counted(early=1, between=1))
        await jiang.record(paper, counted(early=1, between=1, late=1))
        await bureau.power_cut()
        other = await jiang.start(TIMED, subject="后来的一件")
        await jiang.record(other, counted(early=1))  # what waited before it was looked at, too
        await ding.act(paper, "wait")
        await jiang.sees_end(paper, "passed")
        assert counted(early=1, between=1, late=1)(await jiang.record(paper))

    runner.run(scenario())


def counted(**wanted: int) -> Callable[[Record], bool]:
    def look(record: Record) -> bool:
        for name in TIMERS:
            assert record.data.get(name, 0) <= 1, f"{name} went off again: {record.data}"
        return all(record.data.get(name, 0) == number for name, number in wanted.items())

    return look
