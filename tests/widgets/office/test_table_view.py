"""The table view: pages near the screen only, rows that keep their identity, order, groups, totals, columns that are kept, marks, copying."""

import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, QRect, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication

from desktop.core.domain import ConnectionState
from desktop.core.domain.conditions import Facts
from desktop.core.domain.definition import Label
from desktop.core.domain.records import Light, Record, RecordPage, RecordQuery
from desktop.core.errors import StorageUnavailable
from desktop.models.record_lights import light_of
from desktop.models.record_summary import Run
from desktop.models.record_table import KEPT_PAGES, PAGE, RecordRole, RecordTableModel
from desktop.ui import theme
from desktop.ui.i18n import tr
from desktop.ui.office.frame.table_menus import header_menu, row_menu
from desktop.ui.office.frame.view_frame import ViewFrame
from desktop.ui.office.module_page import create_module_page
from desktop.ui.office.views.base import ViewContext
from desktop.ui.office.views.table import TableView
from tests.helpers.fake_records import TRIP, VEHICLE, RecordsScene, day, made_trip
from tests.helpers.fake_session import NOW
from tests.helpers.sample_module import sample_module
from tests.helpers.stage import RecordingNavigator, play, press, settle, shown, until


# ------------------------------------------------------------ the model
def record(number: int) -> Record:
    return Record(f"r{number}", TRIP, {"destination": f"place {number}"})


def model() -> RecordTableModel:
    made = RecordTableModel(lambda r, name: f"{name}:{r.id}", lambda name: name.upper(), lambda run: f"<{run.value}>")
    made.set_columns(("number", "destination"))
    return made


def pages(ids: list[int]) -> dict[int, list[Record]]:
    return {n: [record(i) for i in ids[n * PAGE : (n + 1) * PAGE]] for n in range((len(ids) + PAGE - 1) // PAGE)}


def runs_of(counts: list[int]) -> list[Run]:
    return [Run(f"g{n}", sum(counts[:n]), count) for n, count in enumerate(counts)]


@settings(max_examples=40)
@given(st.lists(st.tuples(st.lists(st.integers(1, 9), max_size=5), st.sets(st.integers(0, 5))), min_size=1, max_size=5))
def test_places_and_rows_belong_together_whatever_is_shown(qapp: QApplication, steps: list[Any]) -> None:
    shown_model = model()
    tester = QAbstractItemModelTester(shown_model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for counts, closed in steps:
        total = sum(counts)
        ids = list(range(total))
        random.Random(total).shuffle(ids)  # noqa: S311
        shown_model.closed = frozenset()
        shown_model.show(total, pages(ids), runs_of(counts))
        shown_model.set_closed(repr(f"g{n}") for n in closed)
        rows = shown_model.rowCount()
        places = [shown_model.place_of(row) for row in range(rows)]
        assert [shown_model.row_of(place) for place in places if place >= 0] == [
            r for r in range(rows) if places[r] >= 0
        ]
        heads = [shown_model.run_at(row) for row in range(rows) if places[row] < 0]
        assert [run.value for run in heads if run is not None] == [f"g{n}" for n in range(len(counts))]
        open_records = sum(count for n, count in enumerate(counts) if n not in closed)
        assert rows == open_records + len(counts)
        assert shown_model.place_of(rows) == shown_model.place_of(-1) == -1
    del tester


@settings(max_examples=40)
@given(st.lists(st.permutations(list(range(12))).map(lambda ids: ids[: ids[0]]), min_size=1, max_size=6))
def test_a_persistent_row_follows_its_record(qapp: QApplication, results: list[list[int]]) -> None:
    shown_model = model()
    tester = QAbstractItemModelTester(shown_model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    shown_model.show(12, pages(list(range(12))))
    kept = {n: QPersistentModelIndex(shown_model.index(n, 1)) for n in range(12)}
    for ids in results:
        alive = {n for n, index in kept.items() if index.isValid()}
        shown_model.show(len(ids), pages(ids))
        for n, index in kept.items():
            assert index.isValid() is (n in alive and n in ids)
            if index.isValid():
                assert (index.row(), index.column()) == (ids.index(n), 1)
    del tester


def test_pages_that_are_far_away_are_forgotten(qapp: QApplication) -> None:
    shown_model = model()
    shown_model.show(PAGE * 200, {})
    for number in range(KEPT_PAGES + 5):
        shown_model.put(number, [record(number * PAGE + n) for n in range(PAGE)])
    assert len(shown_model.pages) == KEPT_PAGES
    assert shown_model.record_at(0) is None
    assert shown_model.missing(0, 1) == [0]
    assert shown_model.position("r0") == -1
    assert shown_model.position(f"r{6 * PAGE}") == 6 * PAGE


def test_roles_tell_records_heads_and_words(qapp: QApplication) -> None:
    shown_model = model()
    shown_model.show(2, pages([1, 2]), runs_of([2]))
    first = shown_model.index(0, 0)
    assert shown_model.data(first) == "<g0>"
    assert shown_model.data(first, RecordRole.RUN) == runs_of([2])[0]
    assert shown_model.data(shown_model.index(1, 1)) == "destination:r1"
    assert shown_model.data(shown_model.index(1, 1), RecordRole.RECORD) == record(1)
    assert shown_model.headerData(1, Qt.Orientation.Horizontal) == "DESTINATION"


# ------------------------------------------------------------ the view
async def opened(session: RecordsScene, view_id: str = "requests") -> ViewFrame:
    context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
    await context.load()
    module = context.module
    assert module is not None
    view = module.view(view_id)
    assert view is not None
    frame = ViewFrame(context, view)
    context.setParent(frame)
    shown(frame, 1040, 640)
    KEPT.append(frame)
    await until(lambda: table(frame).ready or frame.failed is not None)
    return frame


KEPT: list[ViewFrame] = []
"""Windows of the scene: nobody else holds them."""


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


def table(frame: ViewFrame) -> TableView:
    assert frame.table is not None
    return frame.table


def rows(view: TableView, name: str) -> list[str]:
    column = view.model.columns.index(name)
    return [str(view.model.index(row, column).data() or "") for row in range(view.model.rowCount())]


def asked(session: RecordsScene) -> RecordQuery:
    query = session.called("records.page")[-1][0]
    assert isinstance(query, RecordQuery)
    return query


def test_it_shows_the_views_columns_words_and_totals() -> None:
    async def scene() -> None:
        frame = await opened(RecordsScene())
        view = table(frame)
        await until(lambda: "苏A・12345 · 别克 GL8" in rows(view, "vehicleId"))
        assert rows(view, "number")[:2] == ["YC-2026-007", "YC-2026-006"]
        assert rows(view, "passengers")[0] == "孙丽、何静、吴芳"
        assert rows(view, "state")[:3] == ["已退回", "草稿", "已完成"]
        assert rows(view, "cost")[2] == "404.05"
        assert view.totals.sums == {view.model.columns.index("cost"): "404.05"}
        assert view.totals.words == tr("office_module.count", n=7)
        assert view.model.headerData(0, Qt.Orientation.Horizontal) == "单号"

    play(scene())


def test_only_pages_near_the_screen_are_read() -> None:
    async def scene() -> None:
        session = RecordsScene(many=2000)
        view = table(await opened(session))
        session.calls.clear()
        view.grid.verticalScrollBar().setValue(view.grid.verticalScrollBar().maximum() // 2)
        middle = view.model.rowCount() // 2
        await until(lambda: not view.model.missing(middle - 5, middle + 5))
        offsets = {query.offset for (query,) in session.called("records.page")}
        assert len(offsets) <= 3
        assert all(abs(offset - middle) <= 2 * PAGE for offset in offsets)
        view.grid.scrollToBottom()
        await until(lambda: view.model.record_at(view.model.rowCount() - 1) is not None)
        assert len(view.model.pages) <= 6

    play(scene())


class _Endless(RecordsScene):
    """A hundred thousand records made as they are asked for, so that only the screen's own work is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.records.page = self._page  # type: ignore[method-assign]  # a verb of its own for this one scene

    async def _page(self, query: RecordQuery) -> RecordPage:
        limit = query.limit or 100_000
        numbers = range(query.offset, min(query.offset + limit, 100_000))
        return RecordPage(tuple(made_trip(number) for number in numbers), 100_000)


def test_a_hundred_thousand_rows_are_scrolled_through_page_by_page() -> None:
    async def scene() -> None:
        view = table(await opened(_Endless()))
        assert view.model.rowCount() == 100_000
        bar = view.grid.verticalScrollBar()
        for step in range(25):
            bar.setValue(bar.maximum() * step // 25)
            view.grid.viewport().repaint()
            await settle()
        assert len(view.model.pages) < 80, "what was scrolled past is dropped"
        last = view.grid.visible_rows()[1]
        await until(lambda: view.model.record_at(last) is not None)

    play(scene())


def test_a_header_sorts_up_down_and_back_and_shift_adds() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = table(await opened(session))
        header = view.grid.header
        place = header.sectionViewportPosition(1) + 20
        for wanted in (("destination",), ("-destination",), ("-createdAt",)):
            QTest.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=_at(header, place))
            await until(lambda wanted=wanted: asked(session).sort == wanted)
        view.sort_by(1, False)
        view.sort_by(7, True)
        await until(lambda: asked(session).sort == ("destination", "cost"))
        assert header.marks == {1: (1, False), 7: (2, False)}
        view.sort_by(1, True)
        assert view.sort == ("-destination", "cost")

    play(scene())


def _at(header: Any, x: int) -> Any:
    from PySide6.QtCore import QPoint

    return QPoint(x, header.height() // 2)


def test_columns_widths_order_and_choice_are_kept() -> None:
    async def scene() -> None:
        session = RecordsScene()
        frame = await opened(session)
        view = table(frame)
        view.grid.header.moveSection(0, 2)
        view.grid.header.resizeSection(view.model.columns.index("destination"), 250)
        assert view.shown_columns()[:3] == ("destination", "span", "number")
        menu = header_menu(view, view.model.columns.index("span"))
        hide = next(action for action in menu.actions() if action.text() == tr("office_module.hide_column"))
        hide.trigger()
        frame.leave()
        await until(lambda: session.records.states.get("sample_vehicles/requests/filters", {}).get("widths"))
        again = table(await opened(session))
        assert again.shown_columns()[:3] == ("destination", "number", "vehicleId")
        assert again.grid.columnWidth(0) == 250
        again.set_columns(())
        assert again.shown_columns()[:2] == ("number", "destination")

    play(scene())


def test_groups_have_counts_sums_and_close() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = table(await opened(session))
        view.group_by("kind")
        await until(lambda: len(view.model.runs) == 3)
        heads = [text for text in rows(view, "number") if "共" in text]
        assert heads == ["公务   共 3 条   费用 0.00", "防汛   共 2 条   费用 404.05", "接待   共 2 条   费用 0.00"]
        assert view.model.rowCount() == 10
        view.grid.select_row(4)
        press(view.grid, Qt.Key.Key_Left)
        await until(lambda: view.model.rowCount() == 8)
        assert rows(view, "number")[5].startswith("接待")
        press(view.grid, Qt.Key.Key_Right)
        await until(lambda: view.model.rowCount() == 10)
        view.close_groups(True)
        await until(lambda: view.model.rowCount() == 3)
        again = table(await opened(session))
        view.memory.flush()
        await until(lambda: session.records.states.get("sample_vehicles/requests/filters"))
        again = table(await opened(session))
        await until(lambda: again.model.rowCount() == 3)

    play(scene())


def test_empty_values_are_a_group_of_their_own() -> None:
    async def scene() -> None:
        view = table(await opened(RecordsScene()))
        view.group_by("driverId")
        await until(lambda: len(view.model.runs) == 2)
        assert [run.count for run in view.model.runs] == [3, 4]
        assert rows(view, "number")[4].startswith(tr("office_module.none"))

    play(scene())


def test_a_change_flows_in_and_what_is_chosen_stays() -> None:
    async def scene() -> None:
        session = RecordsScene(many=600)
        view = table(await opened(session))
        view.grid.verticalScrollBar().setValue(200 * view.grid.rowHeight(0))
        await until(lambda: view.model.record_at(210) is not None)
        view.grid.select_row(205)
        chosen = view.model.record_at(205)
        top = view.model.record_at(view.grid.rowAt(0))
        assert chosen is not None
        newest = msgspec.structs.replace(made_trip(0), id="newest", created_at=NOW + 1)
        session.records.put(newest, tell=True)
        await until(lambda: view.total == 608)
        assert view.model.record_at(206) == chosen
        assert list(view.grid.selected_rows()) == [206]
        assert view.model.record_at(view.grid.rowAt(0)) == top

    play(scene())


def test_rows_wait_and_refusals_are_marked_and_told() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = table(await opened(session))
        session.go(ConnectionState.OFFLINE)
        await session.records.update(session.records.get("t1"), {"reason": "改"})
        await until(lambda: any(r is not None and r.pending for r in map(view.model.record_at, range(7))))
        row = view.model.position("t1")
        assert view.model.data(view.model.index(row, 0), Qt.ItemDataRole.ToolTipRole) == tr("office_module.pending_row")
        session.go(ConnectionState.LIVE)
        await until(lambda: not any(r is not None and r.pending for r in map(view.model.record_at, range(7))))
        session.records.refuse["t2"] = "conflict"
        await session.records.update(session.records.get("t2"), {"reason": "改"})
        await until(lambda: (r := view.model.record_at(view.model.position("t2"))) is not None and r.refusal)
        row = view.model.position("t2")
        assert view.model.data(view.model.index(row, 0), Qt.ItemDataRole.ToolTipRole) == tr("office_module.refused_row")
        assert view.grab().toImage().width() > 0

    play(scene())


def test_rows_are_copied_as_lines_with_tabs() -> None:
    async def scene() -> None:
        session = RecordsScene(many=500)
        view = table(await opened(session))
        view.set_columns(["destination", "kind"])
        view.grid.selectAll()
        press(view.grid, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: QApplication.clipboard().text().count("\n") == 506)
        assert QApplication.clipboard().text().split("\n")[0] == "水文站 0\t公务"

    play(scene())


def test_enter_and_a_press_open_and_arrows_move() -> None:
    async def scene() -> None:
        view = table(await opened(RecordsScene()))
        seen: list[str] = []
        view.opened.connect(seen.append)
        view.grid.select_row(0)
        press(view.grid, Qt.Key.Key_Down)
        press(view.grid, Qt.Key.Key_Return)
        place = view.grid.visualRect(view.model.index(3, 0)).center()
        QTest.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, pos=place)
        QTest.mouseClick(view.grid.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier, place)
        assert seen == ["t6", "t4"]
        press(view.grid, Qt.Key.Key_End)
        assert view.grid.currentIndex().row() == 6

    play(scene())


def test_the_row_menu_offers_what_the_record_offers() -> None:
    async def scene() -> None:
        view = table(await opened(RecordsScene(fleet=True)))
        view.show_record("t4")
        texts = [action.text() for action in row_menu(view).actions()]
        assert {"批准", "退回", tr("office_module.copy_link")} <= set(texts)

    play(scene())


def test_nothing_found_nothing_there_and_a_failure_are_three_things() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        frame = await opened(session)
        frame.set_text("没有这样的")
        await until(frame.state.isVisible)
        assert frame.state.text.text() == tr("office_module.none_found")
        wanted: list[str] = []
        frame.text_wanted.connect(wanted.append)
        frame.text_wanted.connect(frame.set_text)
        frame.state.action.click()
        await until(lambda: not frame.state.isVisible())
        assert wanted[0] == ""
        session.records.held[VEHICLE] = {}
        empty = await opened(session, "fleet")
        assert empty.state.text.text() == tr("office_module.no_records")
        session.failures["records.page"] = StorageUnavailable(reason="disk")
        broken = await opened(session)
        await until(lambda: broken.state.text.text() == tr("office_module.failed"))
        broken.state.action.click()
        await until(lambda: not broken.state.isVisible())

    play(scene())


def test_a_new_field_appears_without_a_restart() -> None:
    async def scene() -> None:
        session = RecordsScene()
        frame = await opened(session, "fleetOnly")
        view = table(frame)
        old = session.records.definitions[0]
        vehicle = old.type(VEHICLE)
        assert vehicle is not None
        extra = msgspec.structs.replace(vehicle.fields[1], name="nickname")
        changed = msgspec.structs.replace(vehicle, fields=(*vehicle.fields, extra))
        types = (changed, *(one for one in old.types if one.name != VEHICLE))
        session.records.definitions = [msgspec.structs.replace(old, types=types)]
        session.records._tell("ModuleDefinition", "sample_vehicles")
        await until(lambda: "nickname" in view.possible_columns())

    play(scene())


# ------------------------------------------------------------ lights
@pytest.mark.parametrize(
    ("data", "light"),
    [
        ({"wanted": day(-1)}, Light.RED),
        ({"wanted": day(0)}, Light.AMBER),
        ({"wanted": day(1)}, Light.AMBER),
        ({"wanted": day(5)}, Light.GREEN),
        ({"wanted": day(-1), "state": "done"}, None),
        ({"wanted": day(-1), "state": "asked"}, Light.RED),
        ({"wanted": "nonsense"}, None),
        ({}, None),
    ],
)
def test_lights_of_dates(data: dict[str, Any], light: Light | None) -> None:
    definition = sample_module().type(TRIP)
    assert definition is not None
    facts = Facts("linyuan", (), NOW, 480)
    assert light_of(definition, definition.due[0], Record("r", TRIP, data), facts) is light


def test_a_view_calls_a_field_by_another_name_and_a_yes_may_warn() -> None:
    async def scene() -> None:
        session = RecordsScene()
        module = session.records.definitions[0]
        fields = tuple(
            msgspec.structs.replace(one, color="red") if one.name == "inUse" else one for one in module.types[0].fields
        )
        vehicle = msgspec.structs.replace(module.types[0], fields=fields)
        view = msgspec.structs.replace(
            next(one for one in module.views if one.id == "fleet"),
            columns=("plate", "inUse", "authorId"),
            labels={"authorId": Label("登记人", "Entered by"), "plate": Label("车号", "Number plate")},
        )
        session.records.definitions[0] = msgspec.structs.replace(
            module, types=(vehicle, *module.types[1:]), views=(view,)
        )
        page = create_module_page(session, RecordingNavigator(), "sample_vehicles", session.clock.now_ms)
        shown(page)
        await until(lambda: page.frame is not None and page.frame.table is not None and page.frame.table.ready)
        frame = page.frame
        assert frame is not None
        assert frame.table is not None
        heads = [frame.table.model.headerData(n, Qt.Orientation.Horizontal) for n in range(3)]
        assert heads == ["车号", "在用", "登记人"]
        assert [one.label.zh for one in page.export_fields(frame, every_field=False)] == ["车号", "在用", "登记人"]
        await settle()
        cell = frame.table.grid.visualRect(frame.table.index_at(0, "inUse"))
        picture = frame.table.grid.viewport().grab().toImage()
        ratio = picture.devicePixelRatio()
        place = QRect(cell.topLeft() * ratio, cell.size() * ratio)
        tones = {
            picture.pixelColor(x, y).name()
            for x in range(place.left(), place.right())
            for y in range(place.top(), place.bottom())
        }
        assert theme.tokens().red.name() in tones
        assert theme.tokens().green.name() not in tones

    play(scene())
