"""Reports on the screen: figures and pictures, periods, measures, what is copied, written and saved, changes and failures."""

import time
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from desktop.core.domain.definition import ModuleDefinition
from desktop.core.domain.records import Record, RecordQuery
from desktop.core.errors import BadFile, StorageUnavailable
from desktop.models.record_values import local_ms
from desktop.models.report_table import table_of
from desktop.ui.office.reports.chart import ChartView
from desktop.ui.office.reports.chart_canvas import ChartCanvas, ChartData, Line
from tests.helpers.fake_records import TRIP, RecordsScene, made_trip
from tests.helpers.sample_module import SAMPLE, both
from tests.helpers.stage import play, press, settle, shown, until
from tests.helpers.view_stage import open_view

BY_VEHICLE = {
    "id": "byVehicle",
    "type": TRIP,
    "label": both("每月按车辆", "By month and vehicle"),
    "group": ["month:span", "vehicleId"],
    "measures": [{"label": both("次数", "Trips"), "op": "count"}],
    "chart": "line",
}
BY_PERSON = {
    "id": "byPerson",
    "type": TRIP,
    "label": both("按乘车人", "By passenger"),
    "group": ["passengers"],
    "measures": [{"label": both("次数", "Trips"), "op": "count"}],
}


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


class ReportScene(RecordsScene):
    """Two reports more."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        views = [
            one | {"reports": [*one["reports"], "byVehicle", "byPerson"]} if one["id"] == "stats" else one
            for one in SAMPLE["views"]
        ]
        changed = SAMPLE | {"views": views, "reports": [*SAMPLE["reports"], BY_VEHICLE, BY_PERSON]}
        self.records.definitions = [msgspec.convert(changed, ModuleDefinition)]


async def opened(session: RecordsScene, *, started: bool = True) -> ChartView:
    return await open_view(session, "stats", ChartView, started=started)


def cells(view: ChartView) -> list[tuple[str, ...]]:
    model = view.figures.figures
    return [model.row(number).cells for number in range(model.rowCount())]


def test_figures_and_picture_say_the_same() -> None:
    async def scene() -> None:
        view = await opened(ReportScene())
        assert view.figures.figures.heads == ("类别", "次数", "费用")
        assert cells(view) == [
            ("公务", "3", "0.00"),
            ("防汛", "2", "404.05"),
            ("接待", "2", "0.00"),
            ("合计", "7", "404.05"),
        ]
        assert view.canvas.chart.kind == "pie"
        assert view.canvas.chart.names == ("公务", "防汛", "接待")
        assert view.canvas.chart.lines[0].values == (Decimal(3), Decimal(2), Decimal(2))
        assert view.foot.text() == "统计了 7 条记录"
        assert "公务 3" in view.canvas.accessibleDescription()
        view.bar.measures[1].click()
        assert view.canvas.chart.lines[0].values[1] == Decimal("404.05")
        assert view.canvas.chart.text(Decimal("404.05")) == "404.05"

    play(scene())


def test_references_and_people_are_named() -> None:
    async def scene() -> None:
        view = await opened(ReportScene())
        view.choose_report("byVehicle")
        await until(lambda: "苏A・12345 · 别克 GL8" in [line.name for line in view.canvas.chart.lines])
        assert view.canvas.chart.kind == "line"
        assert "（未填）" in [line.name for line in view.canvas.chart.lines]
        view.choose_report("byPerson")
        await until(lambda: cells(view)[0][0] == "林远")
        assert cells(view)[0] == ("林远", "2")
        assert cells(view)[-1] == ("合计", "7")

    play(scene())


def test_periods_narrow_and_are_kept() -> None:
    async def scene() -> None:
        session = ReportScene()
        old = session.records.get("t1")
        session.records.put(
            msgspec.structs.replace(
                old,
                id="old",
                data={**old.data, "span": {"start": "2025-05-01T01:00:00.000Z", "end": "2025-05-01T02:00:00.000Z"}},
            )
        )
        view = await opened(session)
        assert view.table.records == 7, "this year"
        assert view.bar.by.text() == "按“用车时间”"
        view.choose_period("all")
        await until(lambda: view.table.records == 8)
        view.choose_period("last_year")
        await until(lambda: view.table.records == 1)
        view.choose_period("custom", date(2026, 10, 22), date(2026, 10, 22))
        await until(lambda: view.table.records == 4)
        assert view.bar.first.isVisible()
        assert view.bar.first.text() == "2026-10-22"
        view.bar.last.setText("2026-10-24")
        view.bar.last.editingFinished.emit()
        await until(lambda: view.table.records == 6)
        kept = {"period": "custom", "first": "2026-10-22", "last": "2026-10-24"}
        await until(lambda: session.records.states.get("sample_vehicles/stats/chart") == kept)
        again = await opened(session)
        assert again.table.records == 6

    play(scene())


def test_days_that_are_none_or_in_the_wrong_order_change_nothing() -> None:
    async def scene() -> None:
        view = await opened(ReportScene())
        view.choose_period("custom", date(2026, 10, 22), date(2026, 10, 22))
        await until(lambda: view.table.records == 4)
        view.bar.last.setText("2026-10-01")
        view.bar.last.editingFinished.emit()
        assert view.bar.by.text() == "起始日期要早于截止日期"
        view.bar.last.setText("never")
        view.bar.last.editingFinished.emit()
        assert view.bar.last.property("invalid") == "true"
        await settle()
        assert view.days() == (date(2026, 10, 22), date(2026, 10, 22))

    play(scene())


def test_a_time_without_records_says_so() -> None:
    async def scene() -> None:
        view = await opened(ReportScene())
        view.choose_period("last_year")
        await until(lambda: not view.stack.showing)
        assert view.stack.state.text.text() == "这段时间没有数据"
        assert not view.bar.excel.isEnabled()
        view.choose_period("year")
        await until(lambda: view.stack.showing)

    play(scene())


def test_headers_sort_and_the_table_is_copied() -> None:
    async def scene() -> None:
        view = await opened(ReportScene())
        view.figures.sort_by(2)
        assert [row[0] for row in cells(view)] == ["防汛", "公务", "接待", "合计"]
        view.figures.sort_by(2)
        assert cells(view)[2][0] == "防汛"
        view.figures.sort_by(2)
        assert cells(view)[0][0] == "公务"
        press(view.figures, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        lines = QApplication.clipboard().text().split("\n")
        assert lines[0] == "类别\t次数\t费用"
        assert lines[2] == "防汛\t2\t404.05"

    play(scene())


def test_the_workbook_holds_numbers_and_the_picture_is_one(tmp_path: Path) -> None:
    async def scene() -> None:
        view = await opened(ReportScene())
        await view.write_excel(tmp_path / "figures.xlsx")
        sheet = load_workbook(tmp_path / "figures.xlsx").active
        assert sheet is not None
        rows = list(sheet.iter_rows(values_only=True))
        assert rows[0] == ("类别", "次数", "费用")
        assert rows[2] == ("防汛", 2, 404.05)
        assert rows[-1][1] == 7
        await view.write_picture(tmp_path / "chart.png")
        image = QImage(str(tmp_path / "chart.png"))
        assert image.width() >= 1900
        assert sorted(path.name for path in tmp_path.iterdir()) == ["chart.png", "figures.xlsx"]
        with pytest.raises(BadFile):
            await view.write_picture(tmp_path / "nowhere" / "chart.png")
        with pytest.raises(BadFile):
            await view.write_excel(tmp_path / "nowhere" / "figures.xlsx")

    play(scene())


def test_changes_flow_in() -> None:
    async def scene() -> None:
        session = ReportScene()
        view = await opened(session)
        trip = session.records.get("t3")
        session.records.put(msgspec.structs.replace(trip, data={**trip.data, "kind": "flood"}), tell=True)
        await until(lambda: cells(view)[1][:2] == ("防汛", "3"))

    play(scene())


def test_failures_are_said() -> None:
    async def scene() -> None:
        session = ReportScene()
        view = await opened(session, started=False)
        session.failures["records.page"] = StorageUnavailable()
        view.reload()
        await until(view.stack.state.action.isVisible)
        view.stack.state.action.click()
        await until(lambda: view.stack.showing)

    play(scene())


def test_the_query_asks_for_the_report_and_the_period() -> None:
    async def scene() -> None:
        session = ReportScene()
        await opened(session)
        query = session.called("records.page")[-1][0]
        assert isinstance(query, RecordQuery)
        assert query.filter == {
            "spanAfter": "2025-12-31T16:00:00.000Z",
            "spanBefore": "2026-12-31T16:00:00.000Z",
        }
        assert local_ms(date(2026, 1, 1)) % 86_400_000 == 57_600_000

    play(scene())


def test_the_figures_of_ten_thousand_records_are_shown() -> None:
    async def scene() -> None:
        view = await opened(ReportScene())
        report = view.report
        assert report is not None
        records: list[Record] = [made_trip(number) for number in range(10_000)]
        view.table = table_of(report, records)
        view._show()
        view.repaint()
        assert view.table.records == 10_000
        assert len(view.figures.figures.rows) == len(view.table.rows) > 0

    play(scene())


NAMES = ("一月", "二月", "三月")
ONE = (Line("次数", (Decimal(3), None, Decimal(-1))),)
TWO = (Line("甲", (Decimal(3), Decimal(1), None)), Line("乙", (Decimal(1), Decimal(2), Decimal(5))))


@pytest.mark.parametrize("kind", ["bar", "line", "pie"])
@pytest.mark.parametrize("along", [True, False])
@pytest.mark.parametrize("lines", [ONE, TWO])
def test_every_kind_of_chart_is_painted_with_its_figures(kind: str, along: bool, lines: tuple[Line, ...]) -> None:
    async def scene() -> None:
        canvas = ChartCanvas()
        shown(canvas, 600, 300)
        canvas.show_chart(ChartData(kind, "图", NAMES, lines, lambda value: str(value or ""), along))
        canvas.grab()
        assert canvas.spots
        assert all(rect.width() >= 0 and rect.left() > -1 and rect.right() < 620 for rect, _ in canvas.spots)
        assert any("一月" in words for _, words in canvas.spots)

    for mode, size in (("light", 1.0), ("dark", 2.0)):
        play(scene(), mode=mode, scale=size)  # type: ignore[arg-type]  # literals of a tuple
