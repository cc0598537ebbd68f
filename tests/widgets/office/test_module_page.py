"""A module's page: tabs by role, what is remembered, search, the pane beside the view, keyboard, offline, a definition that changes or goes."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt

from desktop.core.errors import Rejected, StorageUnavailable
from desktop.core.events import EditRefused
from desktop.ui import i18n, tasks, theme
from desktop.ui.i18n import tr
from desktop.ui.office.module_page import ModulePage, create_module_page
from desktop.ui.office.views.table import TableView
from tests.helpers.fake_records import TRIP, VEHICLE, RecordsScene
from tests.helpers.stage import RecordingNavigator, play, press, settle, shown, until

KEPT: list[ModulePage] = []
"""Windows of the scene: nobody else holds them."""


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


async def opened(session: RecordsScene, tab: str = "requests", width: int = 1096) -> ModulePage:
    session.records.states.setdefault("sample_vehicles/page", {"tab": tab})
    page = create_module_page(session, RecordingNavigator(), "sample_vehicles", session.clock.now_ms)
    KEPT.append(page)
    shown(page, width, 748)
    await until(lambda: page.frame is not None and table(page).ready)
    return page


def table(page: ModulePage) -> TableView:
    assert page.frame is not None
    assert page.frame.table is not None
    return page.frame.table


def test_tabs_are_those_of_the_users_roles_and_the_last_one_comes_back() -> None:
    async def scene() -> None:
        plain = await opened(RecordsScene())
        assert list(plain.tabs.buttons)[:3] == ["calendar", "requests", "fleet"]
        assert "fleetOnly" not in plain.tabs.buttons
        session = RecordsScene(fleet=True)
        page = await opened(session)
        assert "fleetOnly" in page.tabs.buttons
        page.show_view("fleet")
        await until(lambda: session.records.states["sample_vehicles/page"]["tab"] == "fleet")
        again = await opened(session)
        assert again.tabs.current == "fleet"
        assert again.title.text() == "车辆管理"

    play(scene())


def test_the_primary_button_is_the_tabs_and_the_users() -> None:
    async def scene() -> None:
        page = await opened(RecordsScene())
        assert page.new.text() == "用车申请"
        assert page.new.isVisible()
        page.show_view("fleet")
        assert not page.new.isVisible()  # only the fleet adds vehicles
        fleet = await opened(RecordsScene(fleet=True), "fleet")
        assert (fleet.new.text(), fleet.new.isVisible()) == ("车辆", True)

    play(scene())


def test_tabs_that_find_no_room_wait_in_a_menu_and_the_chosen_one_is_always_there() -> None:
    async def scene() -> None:
        page = await opened(RecordsScene(fleet=True), "fleetOnly", 900)
        assert not page.tabs.buttons["fleetOnly"].isHidden()
        hidden = page.tabs.hidden_keys()
        assert hidden
        assert [action.text() for action in page.tabs.more_menu().actions()] == [
            page.tabs.buttons[k].text() for k in hidden
        ]
        page.resize(2200, 748)
        await until(lambda: not page.tabs.hidden_keys())

    play(scene())


def test_search_narrows_and_keys_lead_everywhere() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        page = await opened(session)
        page.activateWindow()
        press(page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
        await until(page.search.hasFocus)
        page.search.setText("省水利厅")
        await until(lambda: table(page).total == 1)
        page.search.clear()
        await until(lambda: table(page).total == 7)
        press(page, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
        assert page.detail_card.isVisible()
        assert page.detail.form is not None
        press(page.detail, Qt.Key.Key_Escape)
        await until(page.detail_card.isHidden)
        session.calls.clear()
        press(page, Qt.Key.Key_F5)
        await until(lambda: session.called("records.page"))
        page.activateWindow()  # the platform of tests forgets it when the form's pop-ups go
        await until(page.isActiveWindow)
        table(page).grid.setFocus()
        press(page, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
        assert page.tabs.current == "fleet"

    play(scene())


def test_a_record_opens_beside_the_view_and_arrows_lead_through() -> None:
    async def scene() -> None:
        page = await opened(RecordsScene())
        view = table(page)
        view.grid.setFocus()
        view.grid.select_row(0)
        press(view.grid, Qt.Key.Key_Return)
        await until(lambda: page.detail.record is not None and page.detail.record.id == "t7")
        assert view.grid.delegate.opened == "t7"
        press(view.grid, Qt.Key.Key_Down)
        await until(lambda: page.detail.record_id == "t6")
        press(view.grid, Qt.Key.Key_Escape)
        assert page.detail_card.isHidden()
        assert view.grid.delegate.opened == ""

    play(scene())


def test_a_form_that_was_opened_stays_whatever_is_chosen_in_the_view() -> None:
    async def scene() -> None:
        page = await opened(RecordsScene())
        page.new_record({"destination": "省水利厅"})
        form = page.detail.form
        assert form is not None
        table(page).grid.select_row(2)
        await until(lambda: not page._follow.isActive())
        assert page.detail.form is form

    play(scene())


def test_the_pane_keeps_its_width() -> None:
    async def scene() -> None:
        session = RecordsScene()
        page = await opened(session)
        page.open_record(TRIP, "t1")
        sizes = page.split.sizes()
        page.split.setSizes([sizes[0] - 100, sizes[1] + 100])
        page.split.splitterMoved.emit(0, 1)
        await until(lambda: session.records.states["sample_vehicles/page"].get("pane"))
        wide = page.detail_card.width()
        again = await opened(session)
        again.open_record(TRIP, "t1")
        await until(lambda: abs(again.detail_card.width() - wide) <= 2)

    play(scene())


def test_links_asked_before_the_page_is_ready_are_kept_and_others_go_elsewhere() -> None:
    async def scene() -> None:
        session = RecordsScene()
        session.records.states["sample_vehicles/page"] = {"tab": "requests"}
        page = create_module_page(session, RecordingNavigator(), "sample_vehicles", session.clock.now_ms)
        KEPT.append(page)
        page.open_record(VEHICLE, "v2")
        shown(page)
        await until(lambda: page.detail.record is not None and page.detail.record.id == "v2")
        away: list[tuple[str, str]] = []
        page.link_asked.connect(lambda kind, key: away.append((kind, key)))
        page.open_record("Notice", "n1")
        assert away == [("Notice", "n1")]

    play(scene())


def test_a_patch_of_a_gesture_is_written_and_a_refusal_puts_the_picture_back() -> None:
    async def scene() -> None:
        said: list[str] = []
        tasks.set_presenter(lambda error, _widget: said.append(error.code))
        session = RecordsScene(fleet=True)
        page = await opened(session)
        record = session.records.get("t1")
        table(page).patch_asked.emit(record, {"kind": "guest"})
        await until(lambda: session.records.get("t1").data["kind"] == "guest")
        session.failures["records.update"] = Rejected(type="forbidden")
        session.calls.clear()
        table(page).patch_asked.emit(record, {"kind": "duty"})
        await until(lambda: said == ["rejected"] and session.called("records.page"))

    play(scene())


def test_a_refusal_is_said_unless_the_form_it_came_from_says_it() -> None:
    async def scene() -> None:
        session = RecordsScene()
        page = await opened(session)
        page.detail.sending = True
        session.events.publish(EditRefused(TRIP, "t1", "overlap"))
        await settle()
        assert not page._snack.isVisible()
        page.detail.sending = False
        page.open_record(TRIP, "t1")
        await until(lambda: page.detail.record is not None)
        session.events.publish(EditRefused(TRIP, "t1", "conflict"))
        await until(page._snack.isVisible)
        beside = page.detail_card.rect().translated(page.detail_card.mapTo(page, QPoint(0, 0)))
        snack = page._snack.rect().translated(page._snack.mapTo(page, QPoint(0, 0)))
        assert page.detail_card.isVisible()
        assert not beside.intersects(snack), "the buttons of the two versions stay free"

    play(scene())


def test_a_failure_can_be_tried_again() -> None:
    async def scene() -> None:
        session = RecordsScene()
        session.failures["records.modules"] = StorageUnavailable(reason="disk")
        session.records.states["sample_vehicles/page"] = {"tab": "requests"}
        page = create_module_page(session, RecordingNavigator(), "sample_vehicles", session.clock.now_ms)
        KEPT.append(page)
        shown(page)
        await until(page.state.action.isVisible)
        assert page.state.text.text() == tr("office_module.failed")
        page.state.action.click()
        await until(lambda: page.frame is not None and table(page).ready)

    play(scene())


def test_a_module_that_goes_says_so_and_one_that_changes_keeps_its_other_tabs() -> None:
    async def scene() -> None:
        session = RecordsScene()
        page = await opened(session)
        kept = page.frame
        old = session.records.definitions[0]
        renamed = tuple(
            msgspec.structs.replace(view, columns=("plate",)) if view.id == "fleet" else view for view in old.views
        )
        session.records.definitions = [msgspec.structs.replace(old, views=renamed[1:])]
        session.records._tell("ModuleDefinition", "sample_vehicles")
        await until(lambda: "calendar" not in page.tabs.buttons)
        assert page.frame is kept
        session.records.definitions = []
        session.records._tell("ModuleDefinition", "sample_vehicles")
        await until(page.state.isVisible)
        assert page.state.text.text() == tr("office_module.gone")
        assert page.frames == {}

    play(scene())


def test_language_and_size_change_while_it_is_open() -> None:
    async def scene() -> None:
        page = await opened(RecordsScene(fleet=True))
        i18n.set_language("en")
        assert (page.title.text(), page.tabs.buttons["requests"].text(), page.new.text()) == (
            "Vehicles",
            "Requests",
            "Trip request",
        )
        assert table(page).model.headerData(0, Qt.Orientation.Horizontal) == "Number"
        tall = table(page).grid.rowHeight(0)
        theme.set_text_scale(2.0)
        assert table(page).grid.rowHeight(0) == 2 * tall
        theme.set_text_scale(1.0)

    play(scene())


def test_a_register_is_printed_by_year_into_the_reader() -> None:
    async def scene() -> None:
        page = await opened(RecordsScene())
        assert not [one for one in page.export_menu().actions() if "登记簿" in one.text()]
        assert page.frame is not None
        page.frame.definition = msgspec.structs.replace(page.frame.definition, register="wanted", columns=("reason",))
        seen: list[tuple[str, Any]] = []
        page.document_opened.connect(lambda *told: seen.append(told))
        entries = [one for one in page.export_menu().actions() if "登记簿" in one.text()]
        assert [one.text().rpartition(" · ")[2] for one in entries][::5] == ["2026 年", "全部年度"]
        entries[0].trigger()
        await until(lambda: seen)
        ((title, document),) = seen
        assert title.endswith("（2026 年）")
        assert document.data.startswith(b"%PDF")

    play(scene())
