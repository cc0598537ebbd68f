"""A stage for the process screens: the cases of the samples, a context that is read, and waiting for a pane that stands."""

import msgspec

from desktop.core.domain.cases import WorkItem
from desktop.core.domain.definition import ViewKind
from desktop.ui.office.module_page import ModulePage, create_module_page
from desktop.ui.office.process.action_row import Choice
from desktop.ui.office.process.case_pane import CasePane
from desktop.ui.office.process.desk import DeskView
from desktop.ui.office.views.base import ViewContext
from tests.helpers.case_samples import PAPER, SEAL
from tests.helpers.fake_cases import CasesScene
from tests.helpers.stage import RecordingNavigator, settle, shown, until

KEPT: list[object] = []
"""Windows of the scene: nobody else holds them."""


async def context_of(session: CasesScene, module: str = "sample_papers") -> ViewContext:
    """A context that knows modules and names."""
    context = ViewContext(session, module, session.clock.now_ms)
    KEPT.append(context)
    await context.load()
    return context


async def pane_of(session: CasesScene, record_id: str, *, width: int = 300, height: int = 720) -> CasePane:
    """The case of a record, read and shown."""
    pane = CasePane(await context_of(session))
    KEPT.append(pane)
    shown(pane, width, height)
    pane.show_record(session.records.get(record_id))
    await until(lambda: pane.flow is not None and pane.flow.record_id == record_id, "the flow")
    await until(lambda: not pane.box.tasks.busy and not pane.box.phrases.tasks.busy, "the box")
    await settle()
    return pane


def choice(pane: CasePane, key: str) -> Choice:
    """A button of the box."""
    return next(one for one in pane.box.row.choices if one.key == key)


def item_of(session: CasesScene, record_id: str) -> WorkItem:
    """The user's open item of a record."""
    return next(i for i in session.cases.items.values() if i.record_id == record_id and i.open and i.is_of("linyuan"))


def acts(session: CasesScene) -> list[tuple[object, ...]]:
    """What was done, as (record, action, item, more)."""
    return [call[1:] for call in session.calls if call[0] == "cases.act"]


def with_desk(session: CasesScene) -> CasesScene:
    """The documents' tab as a desk over both types."""
    found = []
    for module in session.records.definitions:
        if module.id == "sample_papers":
            desk = msgspec.structs.replace(
                module.views[0],
                kind=ViewKind.DESK,
                columns=("fromUnit", "docNumber"),
                group="urgency",
                types=(PAPER, SEAL),
            )
            found.append(msgspec.structs.replace(module, views=(desk,)))
        else:
            found.append(module)
    session.records.definitions = found
    return session


async def desk_of(session: CasesScene, *, width: int = 1096, height: int = 748) -> tuple[ModulePage, DeskView]:
    """The page of documents with its desk, read and shown."""
    page = create_module_page(with_desk(session), RecordingNavigator(), "sample_papers", session.clock.now_ms)
    KEPT.append(page)
    shown(page, width, height)
    await until(lambda: page.frame is not None and isinstance(page.frame.view, DeskView), "the desk")
    assert page.frame is not None
    desk = page.frame.view
    assert isinstance(desk, DeskView)
    await until(lambda: desk.ready and not desk.tasks.busy, "the list")
    await settle()
    return page, desk
