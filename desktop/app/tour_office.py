"""The office part of the tour: workbench, "my work", every view of every module, a record, a form with errors, import, a card, a conflict."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from desktop.app.tour_cases import CaseStops
from desktop.app.tour_hands import Hands

if TYPE_CHECKING:
    from desktop.ui.office.module_page import ModulePage
    from desktop.ui.office.page import OfficePage

OWN_SCREENS: Final = frozenset({"notices", "library", "contacts"})
"""Modules with pages of their own; the tour has stops for them."""
TASK: Final = "Task"
SEEN_SECONDS: Final = 20
DETAILS: Final = 3
"""Records that are looked at in a hurry: they are all drawn by the same pane."""
POLL_S: Final = 0.05


class OfficeStops:
    """Stops in the order of the walk; each leaves the workbench as it found it."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    def stops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Name and way of each stop. The names begin with those of their pictures."""
        return [
            ("my-work", self.my_work),
            ("module", self.modules),
            ("detail", self.details),
            ("form", self.form_with_errors),
            ("import", self.import_rows),
            ("card", self.card),
            ("message-to-task", self.message_to_task),
            ("conflict", self.conflict),
            *CaseStops(self._hands, self._module, self._quiet).stops(),
        ]

    # ---- help
    async def _page(self) -> "OfficePage":
        page = await self._office()
        page.show_workbench()
        return page

    async def _office(self) -> "OfficePage":
        from desktop.ui.office.page import OfficePage

        entered = self._hands.entered()
        entered.window.show_page("workbench")
        page = entered.window.page("workbench")
        assert isinstance(page, OfficePage)
        await self._hands.until(lambda: page.data.ready and page.work.ready, "records")
        return page

    async def _module(self, module_id: str) -> "ModulePage":
        page = await self._page()
        page.open_module(module_id)
        module = page.module_page(module_id)
        await self._hands.until(lambda: module.frame is not None, module_id)
        await self._quiet(module)
        return module

    async def _quiet(self, module: "ModulePage") -> None:
        """Until the view, the names and the pane have read what they show."""

        def still() -> bool:
            frame = module.frame
            parts = (module.tasks, module.context.tasks, module.detail.tasks)
            return frame is not None and not frame.view.tasks.busy and not any(tasks.busy for tasks in parts)

        await self._hands.until(still, "a view that stands")
        await self._hands.until(still, "a view that stands still")

    async def _modules(self) -> list[str]:
        found = await self._hands.entered().session.records.modules()
        return [one.id for one in found if one.id not in OWN_SCREENS and one.views]

    # ---- stops
    async def my_work(self) -> None:
        """The lists behind the figures."""
        from desktop.app import drive
        from desktop.models.workbench import Part

        page = await self._page()
        await self._hands.until(lambda: drive.find("figure_todo"), "figures")
        await self._hands.act(drive.click, "figure_todo")
        await self._hands.until(page.my_work.isVisible, "my work")
        self._hands.shoot("my-work")
        for part in (Part.RADAR, Part.STARTED):
            page.open_my_work(part)
            await self._hands.until(lambda: not page.work.tasks.busy, "lists")
            self._hands.shoot(f"my-work-{part}")
        page.show_workbench()

    async def modules(self) -> None:
        """Every view of every module."""
        seen: set[str] = set()
        for module_id in await self._modules():
            module = await self._module(module_id)
            for number, view in enumerate(module.views()):
                if self._hands.quick and number and str(view.kind) in seen:  # another one of its kind
                    continue
                seen.add(str(view.kind))
                module.show_view(view.id)
                await self._quiet(module)
                self._hands.shoot(f"module-{module_id}-{view.id}")

    async def details(self) -> None:
        """The first record of each module, beside its view."""
        from desktop.core.domain.records import RecordQuery

        records = self._hands.entered().session.records
        modules = await self._modules()
        for module_id in modules[:DETAILS] if self._hands.quick else modules:
            module = await self._module(module_id)
            for view in module.views():
                found = (await records.page(RecordQuery(view.type, view.filter, sort=view.sort, limit=1))).records
                if found and view.kind in ("table", "board", "timeline"):
                    module.show_view(view.id)
                    module.open_record(found[0].type, found[0].id)
                    wanted = found[0].id
                    await self._hands.until(
                        lambda wanted=wanted, module=module: (
                            module.detail.record is not None and module.detail.record.id == wanted
                        ),
                        "record",
                    )
                    await self._quiet(module)
                    self._hands.shoot(f"detail-{module_id}")
                    module.close_pane()
                    break

    async def form_with_errors(self) -> None:
        """A new record that lacks what it must have."""
        from desktop.app import drive

        module = await self._module("tasks")
        module.new_record({}, TASK)
        await self._hands.until(lambda: module.detail.form is not None and module.detail.form.isVisible(), "form")
        form = module.detail.form
        assert form is not None
        await self._quiet(module)
        self._hands.shoot("form")
        await self._hands.act(drive.click, "formSubmit")
        await self._quiet(module)
        self._hands.shoot("form-errors")
        form.forget()
        module.close_pane()

    async def import_rows(self) -> None:
        """The way from a workbook to records."""
        module = await self._module("tasks")
        module.open_import()
        await self._quiet(module)
        self._hands.shoot("import")
        from desktop.ui.office.exchange.import_pane import ImportPane

        pane = module.findChild(ImportPane)
        assert pane is not None
        pane.closed.emit()

    async def _make_task(self, title: str) -> str:
        from desktop.core.clock import SystemClock, utc_date

        entered = self._hands.entered()
        colleague = await self._hands.colleague()
        supervisor = (await self._hands.call(colleague.me())).id
        day = utc_date(SystemClock().now_ms() + round(timedelta(days=5).total_seconds() * 1000))[:10]
        me = entered.session.me.id
        data = {"title": title, "assignees": [me], "supervisorId": supervisor, "deadline": day, "level": "high"}
        return await entered.session.records.create(TASK, data)

    async def card(self) -> None:
        """A record in a talk, as it is now; then the talk that notices come in."""
        from desktop.core.domain import ConversationKind

        entered = self._hands.entered()
        conversation = await self._hands.open_talk("张敏")  # not a text
        record_id = await self._make_task("核对防汛物资台账")  # not a text
        record = await entered.session.records.record(TASK, record_id)
        assert record is not None
        await entered.session.records.send_card(conversation, record)
        page = entered.window.page("messages")
        await self._hands.until(lambda: _has_card(page, record_id), "the card")
        self._hands.shoot("card")
        talks = await entered.session.chat.conversations()
        notices = next(one for one in talks if one.kind is ConversationKind.SYSTEM)
        entered.window.open_conversation(notices.id)
        await self._hands.until(lambda: _cards_are_read(page, notices.id), "cards of notices")
        self._hands.shoot("card-notices")

    async def message_to_task(self) -> None:
        """Out of a message's menu into the form of a task, filled in."""
        from desktop.ui.chat.page import MessagesPage
        from desktop.ui.i18n import tr

        hands = self._hands
        conversation = await hands.open_talk("张敏")  # not a text
        page = hands.entered().window.page("messages")
        assert isinstance(page, MessagesPage)
        colleague = await hands.colleague()
        said = "请周三前把三季度水质监测数据汇总给我。\n附上各站点的原始记录。"  # not a text
        await hands.call(colleague.chat.send_text(conversation, said))
        window = page.pane.window_model
        await hands.until(lambda: len(window) > 0 and window.at(len(window) - 1).text == said, "the message")
        message = window.at(len(window) - 1)
        cards = page.pane.context.cards
        assert cards is not None
        await hands.until(cards.offers, "what it can become")
        menu = page.pane.message_actions.menu(message)
        words = tr("office_workbench.make", type=next(o.label for o in cards.offers() if o.type_name == TASK))
        next(action for action in menu.actions() if action.text() == words).trigger()
        office = hands.entered().window.page("workbench")
        await hands.until(lambda: office is not None and office.isVisible(), "the office")
        module = (await self._office()).module_page("tasks")
        await hands.until(lambda: module.detail.form is not None and module.detail.form.isVisible(), "form")
        await self._quiet(module)
        hands.shoot("message-to-task")
        if module.detail.form is not None:
            module.detail.form.forget()
        module.close_pane()

    async def conflict(self) -> None:
        """Two people write the same field; the slower one compares."""
        from desktop.core.domain import ConnectionState

        hands = self._hands
        entered, colleague = hands.entered(), await hands.colleague()
        records = entered.session.records
        record_id = await self._make_task("汛期值班表")  # not a text
        await hands.until(lambda: not entered.session.status.syncing, "sent")
        theirs = await _seen(hands, colleague.records, record_id)
        mine = await records.record(TASK, record_id)
        assert mine is not None
        await hands.cable.cut()
        await hands.until(lambda: entered.session.status.state is not ConnectionState.LIVE, "no connection", 30)
        await records.update(mine, {"title": "汛期值班表（10 月）"})  # not a text
        await hands.call(colleague.records.update(theirs, {"title": "防汛值班表"}))  # not a text
        await hands.cable.mend()
        await hands.until(lambda: entered.session.status.state is ConnectionState.LIVE, "live again", 40)
        module = await self._module("tasks")
        module.open_record(TASK, record_id)
        await hands.until(
            lambda: module.detail.record is not None and module.detail.record.refusal is not None, "the refusal", 30
        )
        await self._quiet(module)
        hands.shoot("conflict-banner")
        module.detail.open_conflict()
        await hands.until(module.detail.conflict.isVisible, "both versions")
        hands.shoot("conflict")
        module.close_pane()


def _has_card(page: Any, record_id: str) -> bool:
    pane = page.pane
    window = pane.window_model
    held = (window.at(row) for row in range(len(window)))
    message = next((m for m in held if m.card is not None and m.card.id == record_id), None)
    return message is not None and message.seq > 0 and pane.context.face(message.card) is not None


def _cards_are_read(page: Any, conversation_id: str) -> bool:
    pane = page.pane
    window = pane.window_model
    held = [window.at(row) for row in range(len(window))]
    cards = [message.card for message in held if message.card is not None]
    shown = page.shown_conversation == conversation_id and window.conversation_id == conversation_id
    return shown and bool(cards) and all(pane.context.face(card) is not None for card in cards)


async def _seen(hands: Hands, records: Any, record_id: str) -> Any:
    """The colleague's version, once the sync has brought it."""
    async with asyncio.timeout(SEEN_SECONDS):
        while True:
            found = await hands.call(records.record(TASK, record_id))
            if found is not None and found.version:
                return found
            await asyncio.sleep(POLL_S)
