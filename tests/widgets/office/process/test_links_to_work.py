"""The way from a pop-up or the workbench to the work: what wants something done says so, and leads to the desk at that case."""

from collections.abc import Iterator

import pytest

from desktop.core.domain import Alert, Link
from desktop.models.alerts import NoticeItem
from desktop.ui.office.page import OfficePage
from desktop.ui.office.process.desk import DeskView
from desktop.ui.theme import icons
from desktop.ui.toasts.toast import NoticeToast, alert_heading, alert_icon, open_key
from tests.helpers.case_samples import PAPER, SEAL
from tests.helpers.case_scene import KEPT, item_of, with_desk
from tests.helpers.fake_cases import CasesScene
from tests.helpers.fake_session import NOW
from tests.helpers.stage import RecordingNavigator, play, shown, until


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


def alert(kind: str) -> Alert:
    return Alert("a1", kind, "关于做好防汛值班工作的通知", "批办", link=Link(PAPER, "d1"), created_at=NOW)


@pytest.mark.parametrize(
    ("kind", "button", "heading"),
    [
        ("todo", "toasts.handle", "待您办理"),
        ("urge", "toasts.handle", "催办"),
        ("overdue", "toasts.handle", "办理超时"),
        ("advance", "toasts.open", "办理进展"),
    ],
)
def test_what_wants_something_done_offers_to_do_it(kind: str, button: str, heading: str) -> None:
    async def scene() -> None:
        assert open_key(alert(kind)) == button
        assert alert_heading(alert(kind)) == heading
        assert icons.exists(alert_icon(alert(kind)))
        toast = NoticeToast(NoticeItem("a1", alert(kind)))
        KEPT.append(toast)
        primary = toast.open.property("kind") == "primary"
        assert primary == (button == "toasts.handle")

    play(scene())


async def office_of(session: CasesScene) -> OfficePage:
    page = OfficePage(with_desk(session), RecordingNavigator(), session.clock.now_ms)
    KEPT.append(page)
    shown(page)
    await until(lambda: page.data.ready and page.work.ready, "the office")
    return page


def test_a_link_opens_the_desk_at_the_case() -> None:
    async def scene() -> None:
        session = CasesScene()
        page = await office_of(session)
        page.open_record(PAPER, "d2")
        module = page.module_page("sample_papers")
        await until(lambda: module.frame is not None and isinstance(module.frame.view, DeskView), "the desk")
        assert module.frame is not None
        desk = module.frame.view
        assert isinstance(desk, DeskView)
        await until(lambda: desk.page.record is not None and desk.page.record.id == "d2", "the case")
        assert module.detail_card.isHidden()
        page.open_record("WorkItem", item_of(session, "d6").id)
        await until(lambda: desk.page.record is not None and desk.page.record.id == "d6", "the work item")

    play(scene())


def test_a_type_without_a_desk_opens_in_the_pane_with_its_case() -> None:
    async def scene() -> None:
        page = await office_of(CasesScene())
        page.open_record(SEAL, "s2")
        module = page.module_page("sample_seals")
        await until(lambda: module.frame is not None and module.detail_card.isVisible(), "the pane")
        await until(lambda: module.detail.case is not None and module.detail.case.isVisible(), "its case")

    play(scene())
