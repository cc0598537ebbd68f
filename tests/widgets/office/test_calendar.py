"""The calendar on the screen: month, week, day and list; moving to another day, making over days, full days, keys."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from desktop.core.domain.definition import View, ViewKind
from desktop.core.domain.records import During, RecordQuery
from desktop.core.errors import StorageUnavailable
from desktop.models.record_values import local_ms
from desktop.ui.office.views.base import ViewContext, create_view
from desktop.ui.office.views.calendar import CalendarView
from desktop.ui.office.views.calendar_canvas import CalendarCanvas
from tests.helpers.fake_records import RecordsScene, span
from tests.helpers.stage import play, press, settle, shown, until
from tests.helpers.view_stage import open_view

TODAY = date(2026, 10, 22)


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def opened(session: RecordsScene, time_field: str = "span") -> CalendarView:
    return await open_view(session, "month", CalendarView, time=time_field)


def grabbed(canvas: CalendarCanvas) -> None:
    canvas.viewport().repaint()


def spot(canvas: CalendarCanvas, record_id: str) -> QPoint:
    grabbed(canvas)
    return next(hit.rect.center().toPoint() for hit in canvas.hits if hit.entry.record.id == record_id)


def drag(canvas: CalendarCanvas, a: QPoint, b: QPoint) -> None:
    port = canvas.viewport()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, a)
    QTest.mouseMove(port, (a + b) / 2)
    QTest.mouseMove(port, b)
    QTest.mouseRelease(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, b)


def foot(canvas: CalendarCanvas, day: date) -> QPoint:
    """A free place on a day."""
    rect = canvas.day_rect(day)
    return QPointF(rect.center().x(), rect.bottom() - 4).toPoint()


def patches(session: RecordsScene) -> list[dict[str, Any]]:
    return [call[1] for call in session.called("records.update")]  # type: ignore[misc]  # recorded as given


def test_a_month_has_its_weeks_and_entries_on_their_days() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        assert view.bar.title.text() == "2026 年 10 月"
        assert view.days()[0] == date(2026, 9, 28)
        assert {one.record.id for one in view.month.of_day(TODAY)} == {"t1", "t2", "t3", "t4"}
        assert view.month.day_at(spot(view.month, "t5").toPointF()) == date(2026, 10, 21)

    play(scene())


def test_an_entry_is_dragged_to_another_day_at_the_same_hour() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        drag(view.month, spot(view.month, "t7"), foot(view.month, date(2026, 10, 27)))
        await until(lambda: patches(session) == [{"span": span(5, 6, 9)}])
        await until(lambda: (found := view.month.entry_of("t7")) is not None and found.first == date(2026, 10, 27))

    play(scene())


def test_dates_move_as_dates() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session, "wanted")
        view.month.choose("t4")
        press(view.month, Qt.Key.Key_Down, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: patches(session) == [{"wanted": "2026-10-30"}])

    play(scene())


def test_without_the_right_an_entry_stays_and_the_reason_is_said() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        drag(view.month, spot(view.month, "t7"), foot(view.month, date(2026, 10, 27)))
        assert view.notice.isVisible()
        assert patches(session) == []

    play(scene())


def test_dragging_over_days_makes_a_record_over_them() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        asked: list[dict[str, Any]] = []
        view.new_asked.connect(asked.append)
        drag(view.month, foot(view.month, date(2026, 10, 28)), foot(view.month, date(2026, 10, 30)))
        QTest.mouseDClick(
            view.month.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            foot(view.month, date(2026, 10, 29)),
        )
        assert asked == [{"span": span(6, 0, 72)}, {"span": span(7, 9, 10)}]

    play(scene())


def test_a_full_day_says_how_many_more_and_a_press_shows_that_day() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        view.resize(1000, 480)
        await settle()
        hidden = view.month._line_of(TODAY).hidden[TODAY.weekday()]
        assert hidden == 4 - (view.month.lanes() - 1)
        place = view.month._more_rect(TODAY).center().toPoint()
        QTest.mouseClick(view.month.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        assert view.scale == "day"
        await until(lambda: len(view.week.entries) == 4)
        assert view.rooms.currentWidget() is view.week

    play(scene())


def test_keys_go_over_days_open_and_turn_the_page() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        opened_ids: list[str] = []
        view.opened.connect(opened_ids.append)
        press(view.month, Qt.Key.Key_Space)
        press(view.month, Qt.Key.Key_Space)
        press(view.month, Qt.Key.Key_Return)
        assert opened_ids == ["t3"]
        press(view.month, Qt.Key.Key_Right)
        assert "周五" in view.month.accessibleDescription()
        for _ in range(2):
            press(view.month, Qt.Key.Key_Down)
        await until(lambda: view.day == date(2026, 11, 6))
        assert view.bar.title.text() == "2026 年 11 月"
        press(view.month, Qt.Key.Key_PageUp)
        await until(lambda: view.day == date(2026, 10, 6))

    play(scene())


def test_a_week_shows_hours_and_makes_records_at_them() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        view.bar.buttons["week"].click()
        await until(lambda: len(view.week.days) == 7 and view.week.entries)
        asked: list[dict[str, Any]] = []
        view.new_asked.connect(asked.append)
        y = view.week._y_of(13.3)
        place = QPointF(view.week.day_rect(date(2026, 10, 23)).center().x(), y).toPoint()
        QTest.mouseDClick(view.week.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
        assert asked == [{"span": span(1, 13, 14)}]
        assert "第 43 周" in view.bar.title.text()

    play(scene())


def test_the_list_has_days_and_opens_what_is_on_them() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        view.set_scale("agenda")
        await until(lambda: view.agenda.lines.lines)
        lines = [(day.day, entry.record.id if entry else "") for day, entry in view.agenda.lines.lines]
        assert lines[:5] == [(21, ""), (21, "t5"), (22, ""), (22, "t1"), (22, "t3")]
        opened_ids: list[str] = []
        view.opened.connect(opened_ids.append)
        view.agenda.choose("t3")
        view.agenda.chosen.emit(view.agenda.currentIndex())
        assert opened_ids == ["t3"]
        view.set_text("nothing has these words")
        await until(lambda: not view.stack.showing)

    play(scene())


def test_changes_flow_in_and_the_choice_stays() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        view.month.choose("t3")
        trip = session.records.get("t1")
        session.records.put(msgspec.structs.replace(trip, data={**trip.data, "span": span(4, 6, 8)}), tell=True)
        await until(lambda: (one := view.month.entry_of("t1")) is not None and one.first == date(2026, 10, 26))
        assert view.month.current == "t3"

    play(scene())


def test_a_failure_is_said() -> None:
    async def scene() -> None:
        session = RecordsScene()
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        view = create_view(
            context, View(id="c", type="SampleTrip", kind=ViewKind.CALENDAR, label=context.modules[0].label)
        )
        assert isinstance(view, CalendarView)
        shown(view, 800, 500)
        session.failures["records.page"] = StorageUnavailable()
        view.reload()
        await until(view.stack.state.action.isVisible)
        view.stack.state.action.click()
        await until(lambda: view.stack.showing)  # without `time` the booking's span places the records

    play(scene())


def test_of_ten_thousand_records_those_of_the_month_are_read() -> None:
    async def scene() -> None:
        session = RecordsScene(many=10_000)
        view = await opened(session)
        query = session.called("records.page")[-1][0]
        assert isinstance(query, RecordQuery)
        days = view.days()
        assert query.during == During("span", local_ms(days[0]), local_ms(days[-1] + timedelta(days=1)))
        assert 0 < len(view.entries) < 500
        assert {one.record.id for one in view.entries} == {
            record.id
            for record in session.records._found(query)  # nothing but these was handed over
        }

    play(scene())


def test_what_began_long_ago_and_lasts_is_on_its_days() -> None:
    async def scene() -> None:
        session = RecordsScene()
        long = msgspec.structs.replace(session.records.get("t5"), id="long")
        long = msgspec.structs.replace(
            long, data={**long.data, "span": {**span(-200, 8, 9), "end": span(1, 8, 9)["end"]}}
        )
        session.records.put(long)
        view = await opened(session)
        assert "long" in {one.record.id for one in view.entries}
        view.step(1)
        await until(lambda: "long" not in {one.record.id for one in view.entries})

    play(scene())


def test_it_is_painted_in_both_palettes_languages_and_sizes() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        for scale in ("month", "week", "day", "agenda"):
            view.set_scale(scale)
            await settle()
            image = view.grab().toImage()
            colors = {image.pixel(x, y) for x in range(0, image.width(), 5) for y in range(60, image.height(), 3)}
            assert len(colors) > 6

    for mode, language, size in (("light", "zh", 1.0), ("dark", "en", 2.0)):
        play(scene(), mode=mode, language=language, scale=size)  # type: ignore[arg-type]  # literals of a tuple
