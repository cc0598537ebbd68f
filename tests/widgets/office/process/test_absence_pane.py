"""Absences from the desk: who acts for whom, a new one with what is missing said, an early end, without a connection."""

from collections.abc import Iterator

import pytest

from desktop.core.clock import utc_date
from desktop.core.domain import ConnectionState
from desktop.ui import i18n
from desktop.ui.kit import Button
from desktop.ui.office.process.absence_pane import AbsencePane
from tests.helpers.case_scene import KEPT, context_of, desk_of
from tests.helpers.fake_cases import CasesScene
from tests.helpers.fake_session import DAY, NOW
from tests.helpers.stage import click, play, settle, shown, until


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


async def pane_of(session: CasesScene) -> AbsencePane:
    pane = AbsencePane(await context_of(session))
    KEPT.append(pane)
    shown(pane, 520, 700)
    pane.load()
    await until(lambda: pane.held, "the absences")
    await settle()
    return pane


def fill(pane: AbsencePane, who: str | None, start: int, end: int) -> None:
    for name, value in (("delegate", who), ("from", utc_date(start)), ("to", utc_date(end)), ("reason", "出差")):
        pane.lines[name].set_value(value)


def cards(pane: AbsencePane) -> list[str]:
    return [
        name
        for place in range(pane._list.count())
        if (item := pane._list.itemAt(place)) is not None
        and (widget := item.widget()) is not None
        and (name := widget.accessibleName())
    ]


def test_it_says_for_whom_the_user_acts() -> None:
    async def scene() -> None:
        pane = await pane_of(CasesScene())
        assert cards(pane)[0].startswith("我代 王建国 办理, 生效中")
        assert not pane.findChildren(Button, "absenceEnd_g1")  # not the user's to end

    play(scene())


def test_a_new_one_is_made_and_ended() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        fill(pane, "zhangmin", NOW - 1000, NOW + 3 * DAY)
        pane.delegate()
        await until(lambda: any("由 张敏 代我办理, 生效中" in card for card in cards(pane)), "the new one")
        made = next(one for one in session.cases.absences.values() if one.delegate_id == "zhangmin")
        assert (made.from_at, made.to_at, made.reason) == (NOW - 1000, NOW + 3 * DAY, "出差")
        pane.end(made.id)
        await until(lambda: any("由 张敏 代我办理, 已结束" in card for card in cards(pane)), "its end")

    play(scene())


def test_what_is_missing_or_turned_round_is_said() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        fill(pane, None, NOW + DAY, NOW)
        pane.delegate()
        assert pane.lines["delegate"].wrong == "请选一位同事。"
        assert pane.lines["to"].wrong == "结束时间要晚于开始时间。"
        fill(pane, "linyuan", NOW, NOW + DAY)
        pane.delegate()
        assert pane.lines["delegate"].wrong
        assert not session.called("cases.delegate")

    play(scene())


def test_without_a_connection_it_says_so_and_keeps_what_is_written() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        session.go(ConnectionState.OFFLINE)
        fill(pane, "zhangmin", NOW, NOW + DAY)
        pane.delegate()
        await until(pane.problem.isVisible, "why")
        assert pane.send.isEnabled()
        editor = pane.lines["delegate"].editor
        assert editor is not None
        assert editor.value() == "zhangmin"
        i18n.set_language("en")
        again = pane.lines["delegate"].editor
        assert again is not None
        assert again.value() == "zhangmin"

    play(scene(), scale=2.0, mode="dark")


def test_the_desk_leads_there_and_back() -> None:
    async def scene() -> None:
        _, desk = await desk_of(CasesScene())
        await until(lambda: desk.page.record is not None and not desk.page.tasks.busy)
        before = desk.page.stack.currentWidget()
        next(one for one in desk.page.menu().actions() if one.text() == "出差委托").trigger()
        pane = desk.page.stack.currentWidget()
        assert isinstance(pane, AbsencePane)
        await until(lambda: pane.held)
        pane.close_button.click()
        assert desk.page.stack.currentWidget() is before

    play(scene())


def test_who_is_back_takes_back_what_is_open() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        click(pane.back)
        await until(lambda: not pane.came.isHidden())
        assert pane.came.text() == "已收回 2 件还没有办理的事项。"
        session.cases.stood_in = 0
        click(pane.back)
        await until(lambda: "没有" in pane.came.text())
        session.go(ConnectionState.OFFLINE)
        click(pane.back)
        await until(lambda: not pane.problem.isHidden())
        assert pane.came.isHidden()

    play(scene())
