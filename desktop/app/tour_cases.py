"""The processes' part of the tour: the desk, the flow and its diagram, what an action asks, an act with the cable out, the designer."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from desktop.app.tour_hands import Hands

if TYPE_CHECKING:
    from desktop.ui.office.module_page import ModulePage
    from desktop.ui.office.process.desk import DeskView

MODULE: Final = "documents"
DESIGNED: Final = "seals"


class CaseStops:
    """Stops in the order of the walk. `open_module` shows a module's page once it stands; `quiet` waits until it stands still."""

    def __init__(
        self,
        hands: Hands,
        open_module: Callable[[str], Awaitable["ModulePage"]],
        quiet: Callable[["ModulePage"], Awaitable[None]],
    ) -> None:
        self._hands, self._open_module, self._quiet = hands, open_module, quiet

    def stops(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        """Name and way of each stop."""
        return [("case", self.cases), ("designer", self.designer)]

    async def _desk(self) -> tuple["ModulePage", "DeskView"]:
        from desktop.ui.office.process.desk import DeskView

        page = await self._open_module(MODULE)
        view = next(one for one in page.views() if one.kind == "desk")
        page.show_view(view.id)
        assert page.frame is not None
        desk = page.frame.view
        assert isinstance(desk, DeskView)
        await self._still(page, desk)
        return page, desk

    async def _still(self, page: "ModulePage", desk: "DeskView") -> None:
        def still() -> bool:
            parts = (desk.tasks, desk.page.tasks, desk.pane.tasks, desk.pane.box.tasks, desk.pane.box.phrases.tasks)
            return desk.ready and not any(tasks.busy for tasks in parts)

        await self._quiet(page)
        await self._hands.until(still, "the desk")
        await self._hands.until(still, "the desk standing still")

    async def cases(self) -> None:
        """Every list of the desk, the diagram, returning, adding a signer, and an act that waits for the cable."""
        from desktop.core.domain import ConnectionState
        from desktop.core.domain.cases import WorkTab

        hands = self._hands
        page, desk = await self._desk()
        for tab in WorkTab:
            desk.show_tab(tab)
            await self._still(page, desk)
            hands.shoot(f"case-list-{tab}")
        desk.show_tab(WorkTab.TODO)
        await self._still(page, desk)
        if not desk.model.rowCount():
            return
        if not desk.reading:
            desk.step(1)
        desk.enter()  # where there is room for one only: from the list to what is chosen
        await self._still(page, desk)
        desk.show_diagram()
        await self._still(page, desk)
        hands.shoot("case-diagram")
        desk.page.diagram.closed.emit()
        desk.page.panel.setChecked(True)
        await self._still(page, desk)
        box = desk.pane.box
        for choice in box.row.choices:
            if choice.key in ("return", "addSigner", "transfer"):
                box.choose(choice)
                await self._still(page, desk)
                hands.shoot(f"case-ask-{choice.key}")
                box.ask.dismiss()
        if hands.quick:
            return
        session = hands.entered().session
        await hands.cable.cut()
        await hands.until(lambda: session.status.state is not ConnectionState.LIVE, "no connection", 30)
        await hands.until(lambda: box.phrases.phrases, "the common phrases")
        box.edit.setPlainText(box.phrases.phrases[0])
        box.pen.sheet.write_name(session.me.name)
        for picker in box.pickers.values():
            picker.set_value([session.me.id])
        await self._still(page, desk)
        hands.shoot("case-opinion")
        if box.row.primary is not None:
            box.go_on()
            await self._still(page, desk)
            hands.shoot("case-waiting")
        await hands.cable.mend()
        await hands.until(lambda: session.status.state is ConnectionState.LIVE, "live again", 40)
        await self._still(page, desk)
        hands.shoot("case-done")

    async def designer(self) -> None:
        """The designer of a module's processes, for who may change them."""
        from desktop.ui.office.process.designer.pane import DesignerPane

        page = await self._open_module(DESIGNED)
        if not page.may_design():
            return
        page.open_designer()
        pane = page.findChild(DesignerPane)
        assert isinstance(pane, DesignerPane)
        await self._hands.until(lambda: pane.form is not None and not pane.tasks.busy, "the process", 30)
        if pane.steps is not None:
            pane.choose(("steps", 1))
        await self._quiet(page)
        self._hands.shoot("designer")
        pane.open_trial()
        await self._quiet(page)
        self._hands.shoot("designer-trial")
        pane.closed.emit()
