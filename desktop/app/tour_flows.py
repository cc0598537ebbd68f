"""The flows' part of the tour: 用印, 收文 and 发文 from each person's side, a window each: what comes in, the desk, the opinion, where it is, how it ended."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from desktop.app.signed_in import SignedIn
    from desktop.app.tour_people import People
    from desktop.app.ui_session import ScreenSession
    from desktop.ui.office.module_page import ModulePage
    from desktop.ui.office.page import OfficePage
    from desktop.ui.office.process.desk import DeskView

REQUEST, SEAL, RECEIVED, SENT = "SealRequest", "Seal", "IncomingDocument", "OutgoingDocument"
SIZE: Final = (1160, 748)
POLL_S: Final = 0.05
APPLICANT, HEAD, OFFICE = "jiangnan", "dinglixin", "zhangmin"
REGISTRAR, SECRETARY, LEADER, LEAD, READER, ARCHIVE = (
    "liuyang",
    "hejing",
    "gaojianping",
    "zhouhai",
    "sunli",
    "chenjing",
)
DESIGNER: Final = "wufang"
KEEPER: Final = "wufang"
Camera = Callable[[str, Any], None]


class FlowStops:
    """Stops in the order of the walk.

    Args:
        entered: the tour's own user, who keeps the seals.
        until: waits for a condition, told what it is. act: acts on a widget outside of any task.
        shoot: saves a window under a name. screen: saves the whole screen.
    """

    def __init__(
        self,
        people: "People",
        entered: Callable[[], "SignedIn"],
        until: Callable[..., Awaitable[None]],
        act: Callable[..., Awaitable[None]],
        shoot: Camera,
        screen: Callable[[str], Awaitable[None]],
        folder: Path,
    ) -> None:
        self._people, self._entered, self._until, self._act = people, entered, until, act
        self._shoot, self._screen, self._folder = shoot, screen, folder

    def stops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Name and way of each stop."""
        return [
            ("sealing", self.sealing),
            ("receiving", self.receiving),
            ("sending", self.sending),
            ("designing", self.designing),
            ("registers", self.registers),
        ]

    # ---- acting without a window
    async def _record(self, session: "ScreenSession", type_name: str, key: str) -> Any:
        while True:
            found = await session.records.record(type_name, key)
            if found is not None and found.version:
                return found
            await asyncio.sleep(POLL_S)

    async def _started(self, session: "ScreenSession", type_name: str, data: Mapping[str, Any]) -> str:
        key = await session.records.create(type_name, dict(data))
        await session.cases.submit(await self._record(session, type_name, key))
        return key

    async def _acts(
        self,
        session: "ScreenSession",
        paper: tuple[str, str],
        step: str,
        name: str = "approve",
        outcome: str | None = None,
        **more: Any,
    ) -> None:
        """What a step offers is done as soon as it is there."""
        while True:
            flow = await session.cases.flow(*paper)
            if flow.item is not None and flow.item.step_id == step and not flow.pending:
                break
            await asyncio.sleep(POLL_S)
        action = next(one for one in flow.actions if one.name == name and outcome in (None, one.outcome))
        await session.cases.act(await self._record(session, *paper), action, flow.item, **more)

    # ---- windows
    async def _office(self, entered: "SignedIn") -> "OfficePage":
        from desktop.ui.office.page import OfficePage

        entered.window.show_page("workbench")
        page = entered.window.page("workbench")
        assert isinstance(page, OfficePage)
        await self._until(lambda: page.data.ready and page.work.ready and not page.work.tasks.busy, "the workbench")
        return page

    async def _desk(
        self, entered: "SignedIn", module_id: str, paper: tuple[str, str], step: str = ""
    ) -> tuple["ModulePage", "DeskView"]:
        """The module's desk with this record; `step`: when it is his there."""
        from desktop.ui.office.process.desk import DeskView

        page = await self._office(entered)
        page.open_module(module_id)
        module = page.module_page(module_id)
        await self._until(lambda: module.frame is not None, module_id)
        view = next(one for one in module.views() if one.kind == "desk")
        module.show_view(view.id)
        assert module.frame is not None
        desk = module.frame.view
        assert isinstance(desk, DeskView)
        await self._until(lambda: desk.ready, "the desk")
        module.open_link(*paper)

        def there() -> bool:
            flow = desk.pane.flow
            shown = desk.reading == paper[1] and flow is not None and flow.record_id == paper[1]
            return shown and (not step or (flow is not None and flow.item is not None and flow.item.step_id == step))

        await self._until(there, f"{step} on the desk", 30)
        await self._still(desk)
        return module, desk

    async def _still(self, desk: "DeskView") -> None:
        def still() -> bool:
            box = desk.pane.box
            parts = (desk.tasks, desk.context.tasks, desk.page.tasks, desk.pane.tasks, box.tasks, box.phrases.tasks)
            return desk.ready and not any(tasks.busy for tasks in parts)

        await self._until(still, "the desk")
        await self._until(still, "the desk standing still")

    async def _news(self, entered: "SignedIn", picture: str) -> None:
        """The pop-up of what has just come in, over the workbench."""
        await self._office(entered)
        await self._until(lambda: entered.desk.toasts.shown, "the pop-up", 30)
        self._people.hush(entered)
        await self._until(lambda: entered.desk.toasts.shown, "the pop-up alone")
        await self._screen(picture)
        entered.desk.toasts.clear()

    async def _handles(
        self, login: str, module_id: str, paper: tuple[str, str], step: str, picture: str, words: str = ""
    ) -> "DeskView":
        """The step on his desk, with an opinion where he gives one; left on the screen."""
        entered = self._people.sit_down(login, SIZE)
        _, desk = await self._desk(entered, module_id, paper, step)
        if words and not desk.pane.box.edit.isHidden():
            desk.pane.box.edit.setPlainText(words)
        await self._still(desk)
        self._shoot(picture, entered.window)
        return desk

    async def _goes_on(self, login: str, desk: "DeskView", picture: str = "") -> None:
        """The main button of the step; a picture of what then stands there."""
        item = desk.pane.box.item
        assert item is not None
        await self._act(desk.pane.box.go_on)
        flow = desk.pane

        def done() -> bool:
            shown = flow.flow
            return shown is not None and not shown.pending and (shown.item is None or shown.item.id != item.id)

        await self._until(done, f"{item.step_id} done")
        if picture:
            await self._still(desk)
            self._shoot(picture, self._people.sit_down(login, SIZE).window)
        self._people.get_up(login)

    async def _watches(self, login: str, module_id: str, paper: tuple[str, str], picture: str, state: str) -> None:
        """The starter's side: the flow, the diagram, and the live card in the talk of processes."""
        entered = self._people.sit_down(login, SIZE)
        _, desk = await self._desk(entered, module_id, paper)
        await self._until(
            lambda: desk.pane.record is not None and desk.pane.record.data.get("state") == state, state, 30
        )
        await self._still(desk)
        self._shoot(f"{picture}-flow", entered.window)
        desk.show_diagram()
        await self._still(desk)
        self._shoot(f"{picture}-diagram", entered.window)
        desk.page.diagram.closed.emit()
        await self._card(entered, paper[1])
        self._shoot(f"{picture}-card", entered.window)
        self._people.get_up(login)

    async def _card(self, entered: "SignedIn", record_id: str) -> None:
        from desktop.core.domain import ConversationKind
        from desktop.ui.chat.page import MessagesPage

        page = entered.window.page("messages")
        assert isinstance(page, MessagesPage)
        talks = [one for one in await entered.session.chat.conversations() if one.kind is ConversationKind.SYSTEM]
        for talk in talks:
            window = await entered.session.chat.window(talk.id, limit=100)
            if any(one.card is not None and one.card.id == record_id for one in window.messages):
                entered.window.show_page("messages")
                entered.window.open_conversation(talk.id)
                break
        else:
            raise LookupError("no card of the record")
        model = page.pane.window_model

        def shown() -> bool:
            held = (model.at(row) for row in range(len(model)))
            card = next((one.card for one in held if one.card is not None and one.card.id == record_id), None)
            return card is not None and page.pane.context.face(card) is not None

        await self._until(shown, "the card")

    # ---- 用印
    async def sealing(self) -> None:
        """The applicant, the head of the department, the head of the office, the keeper, and the applicant again."""
        people = self._people
        await people.come(APPLICANT, HEAD, OFFICE)
        keeper = self._entered()
        applicant = people[APPLICANT]
        seal = await self._seal(applicant, keeper.session.me.id)
        head = people.sit_down(HEAD, SIZE)
        await self._office(head)
        data = {
            "subject": "三号闸检修合同",  # not a text
            "content": "检修合同一式三份，甲乙双方各执一份，存档一份。",  # not a text
            "sealIds": [seal],
            "documentKind": "contract",
            "recipient": "清州市水利工程公司",  # not a text
            "copies": 3,
            "pages": 12,
        }
        paper = (REQUEST, await self._started(applicant, REQUEST, data))
        await self._news(head, "sealing-1-news")
        said = "同意，请按合同约定时间完成。"  # not a text
        desk = await self._handles(HEAD, "seals", paper, "department", "sealing-2-head", said)
        await self._goes_on(HEAD, desk, "sealing-3-head-done")
        desk = await self._handles(OFFICE, "seals", paper, "office", "sealing-4-office")
        await self._goes_on(OFFICE, desk)
        await self._watches(APPLICANT, "seals", paper, "sealing-5-applicant", "stamping")
        keeper.window.come_forward()
        _, desk = await self._desk(keeper, "seals", paper, "stamp")
        self._shoot("sealing-6-keeper", keeper.window)
        scan = self._folder / "首页扫描件.pdf"  # not a text
        scan.write_bytes(b"%PDF-1.7\n%%EOF\n")
        blob = await keeper.session.files.upload_file(scan)
        entry = {"blobId": blob.blob_id, "name": blob.name, "type": blob.type, "size": blob.size}
        values = {"stampedCopies": 3, "stampedPages": 12, "scan": [entry]}
        await self._acts(keeper.session, paper, "stamp", outcome="stamped", values=values)
        await self._watches(APPLICANT, "seals", paper, "sealing-7-finished", "done")
        keeper.desk.toasts.clear()

    async def _seal(self, session: "ScreenSession", keeper_id: str) -> str:
        from desktop.core.domain.records import RecordQuery

        found = (await session.records.page(RecordQuery(SEAL))).records
        mine = [one for one in found if keeper_id in one.data["keepers"] and one.data["state"] == "active"]
        return next(one.id for one in mine if one.data["kind"] == "contract")

    # ---- 收文
    async def receiving(self) -> None:
        """The registrar, the secretary, the office, a leader, a department, a reader, the archive."""
        people = self._people
        await people.come(REGISTRAR, SECRETARY, OFFICE, LEADER, LEAD, READER, ARCHIVE)
        registrar = people[REGISTRAR]
        data = await self._arrival(registrar)
        key = await registrar.records.create(RECEIVED, data)
        paper = (RECEIVED, key)
        entered = people.sit_down(REGISTRAR, SIZE)
        await self._record(registrar, *paper)
        _, desk = await self._desk(entered, "documents", paper)
        self._shoot("receiving-01-sign", entered.window)
        await registrar.cases.submit(await self._record(registrar, *paper))
        desk = await self._handles(REGISTRAR, "documents", paper, "register", "receiving-02-register")
        await self._goes_on(REGISTRAR, desk)
        said = "要件齐全，请拟办。"  # not a text
        desk = await self._handles(SECRETARY, "documents", paper, "review", "receiving-03-review", said)
        await self._goes_on(SECRETARY, desk)
        await self._handles(OFFICE, "documents", paper, "propose", "receiving-04-propose")
        leader, lead, reader = people[LEADER].me.id, people[LEAD].me.id, people[READER].me.id
        units = await self._headed_by(registrar, lead)
        proposal = "请高局长批示，拟由防汛办主办。"  # not a text
        values = {"proposal": proposal, "leaders": [leader], "leadUnits": units, "readers": [reader]}
        leaders = people.sit_down(LEADER, SIZE)
        await self._office(leaders)
        people.get_up(OFFICE)
        await self._acts(people[OFFICE], paper, "propose", values=values)
        await self._news(leaders, "receiving-05-news")
        said = "同意拟办意见，请防汛办抓好落实。"  # not a text
        desk = await self._handles(LEADER, "documents", paper, "instruct", "receiving-06-instruct", said)
        await self._goes_on(LEADER, desk, "receiving-07-instructed")
        await self._watches(REGISTRAR, "documents", paper, "receiving-08-registrar", "handling")
        said = "已部署落实，值班表已报。"  # not a text
        desk = await self._handles(LEAD, "documents", paper, "lead", "receiving-09-lead", said)
        await self._goes_on(LEAD, desk)
        desk = await self._handles(READER, "documents", paper, "circulate", "receiving-10-reader")
        await self._goes_on(READER, desk)
        await self._handles(REGISTRAR, "documents", paper, "conclude", "receiving-11-conclude")
        done = "已按要求办结。"  # not a text
        await self._acts(registrar, paper, "conclude", values={"conclusion": done})
        people.get_up(REGISTRAR)
        desk = await self._handles(ARCHIVE, "documents", paper, "file", "receiving-12-file")
        await self._goes_on(ARCHIVE, desk)
        await self._watches(REGISTRAR, "documents", paper, "receiving-13-finished", "archived")

    async def _arrival(self, session: "ScreenSession") -> dict[str, Any]:
        """A document like one that is here already, with its paper."""
        from desktop.core.domain.records import RecordQuery

        found = (await session.records.page(RecordQuery(RECEIVED))).records
        body = next(one.data["body"] for one in found if one.data.get("body"))
        return {
            "title": "关于开展汛前安全检查的通知",  # not a text
            "sourceUnit": "清州市水利局",  # not a text
            "sourceNumber": "清水防〔2026〕21号",  # not a text
            "urgency": "urgent",
            "body": body,
        }

    # ---- 发文
    async def sending(self) -> None:
        """The drafter, the head, the signer, the secretary, the registrar with number and red-headed paper, the keeper of the seal, the archive."""
        people = self._people
        await people.come(APPLICANT, HEAD, LEADER, SECRETARY, REGISTRAR, KEEPER, ARCHIVE)
        drafter, registrar = people[APPLICANT], people[REGISTRAR]
        mark, unit = await self._mark(registrar)
        paper = (SENT, await self._started(drafter, SENT, self._draft(unit, people[LEADER].me.id)))
        desk = await self._handles(HEAD, "documents", paper, "check", "sending-01-check")
        await self._goes_on(HEAD, desk)
        await self._set(people[LEADER], paper, "paper")
        said = "同意印发。"  # not a text
        desk = await self._handles(LEADER, "documents", paper, "issue", "sending-02-issue", said)
        await self._goes_on(LEADER, desk)
        desk = await self._handles(SECRETARY, "documents", paper, "proof", "sending-03-proof")
        await self._goes_on(SECRETARY, desk)
        await self._acts(registrar, paper, "number", values={"markId": mark, "copies": 60, "duplex": True})
        await self._set(registrar, paper, "paper")
        desk = await self._handles(REGISTRAR, "documents", paper, "redHead", "sending-04-red-head")
        await self._goes_on(REGISTRAR, desk)
        desk = await self._handles(KEEPER, "documents", paper, "seal", "sending-05-seal")
        await self._acts(people[KEEPER], paper, "seal", outcome="electronic")
        people.get_up(KEEPER)
        await self._set(registrar, paper, "sealedPaper")
        desk = await self._handles(REGISTRAR, "documents", paper, "distribute", "sending-06-distribute")
        pages = desk.page.reader.pages
        assert pages is not None
        pages.go_to(1)
        await self._until(lambda: pages.page == 1, "the page with the seal")
        await self._still(desk)
        self._shoot("sending-06-sealed", people.sit_down(REGISTRAR, SIZE).window)
        await self._acts(registrar, paper, "distribute", values={"audience": {"everyone": True}})
        people.get_up(REGISTRAR)
        desk = await self._handles(ARCHIVE, "documents", paper, "file", "sending-07-file")
        await self._goes_on(ARCHIVE, desk)
        await self._watches(APPLICANT, "documents", paper, "sending-08-finished", "archived")

    async def _set(self, session: "ScreenSession", paper: tuple[str, str], field: str) -> None:
        """The server has set, or sealed, the paper."""
        while True:
            record = await self._record(session, *paper)
            if record.data.get(field) and not record.data.get("paperProblem"):
                return
            await asyncio.sleep(POLL_S)

    async def _mark(self, session: "ScreenSession") -> tuple[str, str]:
        """A mark of our own bureau, and the bureau."""
        from desktop.core.domain.records import RecordQuery

        found = (await session.records.page(RecordQuery("IssuingMark"))).records
        mark = next(
            one for one in found if one.data.get("active", True) and one.data.get("style", "yearly") == "yearly"
        )
        return mark.id, str(mark.data["unitId"])

    def _draft(self, unit: str, signer: str) -> dict[str, Any]:
        body = (
            "为做好汛前各项准备，现就有关事项通知如下。\n"  # not a text
            "一、落实责任。各单位要**逐级**落实防汛责任人，名单见附件。\n"  # not a text
            "二、备足物资。按下表核对储备。\n"  # not a text
            "| 品名 | 单位 | 数量 |\n|---|---|---:|\n| 编织袋 | 条 | 120,000 |\n| 抽水泵 | 台 | 36 |\n"  # not a text
            "三、加强值守。严格执行24小时值班制度。"  # not a text
        )
        names = "| 单位 | 责任人 |\n|---|---|\n| 防汛办 | 周海 |\n| 工程科 | 丁立新 |"  # not a text
        return {
            "title": "云溪县水利局关于做好汛前准备工作的通知",  # not a text
            "recipients": "各乡镇水利站，局机关各科室",  # not a text
            "body": body,
            "annexes": [{"title": "防汛责任人名单", "body": names}],  # not a text
            "unitId": unit,
            "signerId": signer,
            "cc": "县委办公室，县政府办公室",  # not a text
        }

    # ---- the designer
    async def designing(self) -> None:
        """The process of 用印 as who looks after processes sees it: its steps, one of them, trying it out."""
        from desktop.ui.office.process.designer.pane import DesignerPane

        await self._people.come(DESIGNER)
        entered = self._people.sit_down(DESIGNER, SIZE)
        page = await self._office(entered)
        page.open_module("seals")
        module = page.module_page("seals")
        await self._until(lambda: module.frame is not None and module.may_design(), "the designer's door")
        module.open_designer()
        pane = module.findChild(DesignerPane)
        assert isinstance(pane, DesignerPane)
        await self._until(lambda: pane.form is not None and not pane.tasks.busy, "the process", 30)
        self._shoot("designing-1-process", entered.window)
        if pane.steps is not None:
            pane.choose(("steps", 1))
            await self._until(lambda: not pane.tasks.busy, "the step")
            self._shoot("designing-2-step", entered.window)
        pane.open_trial()
        await self._until(lambda: not pane.tasks.busy, "the trial")
        self._shoot("designing-3-trial", entered.window)
        pane.closed.emit()
        self._people.get_up(DESIGNER)

    # ---- the registers
    async def registers(self) -> None:
        """The registers of documents and seals on paper, of this year, in the reader."""
        await self._registers_of(REGISTRAR, "documents")
        await self._registers_of(KEEPER, "seals")

    async def _registers_of(self, login: str, module_id: str) -> None:
        await self._people.come(login)
        entered = self._people.sit_down(login, SIZE)
        page = await self._office(entered)
        page.open_module(module_id)
        module = page.module_page(module_id)
        await self._until(lambda: module.frame is not None, module_id)
        opened: list[object] = []
        module.document_opened.connect(lambda *found: opened.append(found))
        for view in [one for one in module.views() if one.register]:
            opened.clear()
            module.show_view(view.id)
            await self._until(lambda: not module.tasks.busy, "the register on the screen")
            self._shoot(f"registers-{view.id}-table", entered.window)
            module.print_register(module.register_years()[0])
            await self._until(lambda: opened, "the register on paper", 30)
            await self._until(lambda: not module.tasks.busy, "the reader")
            self._shoot(f"registers-{view.id}", entered.window)
        self._people.get_up(login)

    async def _headed_by(self, session: "ScreenSession", person_id: str) -> list[str]:
        found = await session.directory.departments()
        return [one.id for one in found if one.head_id == person_id]
