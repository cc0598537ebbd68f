"""The timeline on the screen: rows and blocks, making, moving and sizing by hand and by keys, what someone else holds, live changes."""

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from desktop.core.clock import utc_date
from desktop.core.domain.records import During, Record, RecordQuery
from desktop.core.errors import StorageUnavailable
from desktop.models.record_values import local_ms
from desktop.models.timeline_layout import HOUR_MS
from desktop.ui.office.views.base import ViewContext, create_view
from desktop.ui.office.views.timeline import TimelineView
from tests.helpers.fake_records import VEHICLE, RecordsScene, span
from tests.helpers.sample_module import EVERYONE, SAMPLE, both, field
from tests.helpers.stage import play, press, settle, shown, until

TODAY = date(2026, 10, 22)
OUTAGE: dict[str, Any] = {
    "name": "SampleOutage",
    "label": both("停驶", "Outage"),
    "title": ["why"],
    "fields": [
        field("why", "text", "原因", "Why"),
        field("vehicleId", "reference", "车辆", "Vehicle", target=VEHICLE),
        field("span", "span", "时间", "Time"),
    ],
    "access": {"read": EVERYONE, "create": EVERYONE, "update": EVERYONE, "destroy": EVERYONE},
    "booking": {"resource": "vehicleId", "span": "span"},
}
_kept: list[object] = []


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def with_outage(session: RecordsScene) -> None:
    from desktop.core.domain.definition import ModuleDefinition

    session.records.definitions = [msgspec.convert(SAMPLE | {"types": [*SAMPLE["types"], OUTAGE]}, ModuleDefinition)]
    outage = {"why": "年检停驶", "vehicleId": "v3", "span": span(0, 8, 18)}
    session.records.put(Record("o1", "SampleOutage", outage, "zhaolei", 1, 1, 1))


async def opened(session: RecordsScene) -> TimelineView:
    context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
    await context.load()
    module = context.module
    assert module is not None
    definition = module.view("calendar")
    assert definition is not None
    view = create_view(context, definition)
    assert isinstance(view, TimelineView)
    _kept.append(view)
    view.patch_asked.connect(lambda record, patch: view.tasks.start(session.records.update(record, patch), name="page"))
    shown(view, 1000, 600)
    view.reload()
    await until(lambda: view.canvas.rows)
    await settle()
    return view


def drag(view: TimelineView, start: QPointF, end: QPointF, *, drop: bool = True) -> None:
    port = view.canvas.viewport()
    a, b = start.toPoint(), end.toPoint()
    QTest.mousePress(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, a)
    QTest.mouseMove(port, (a + b) / 2)
    QTest.mouseMove(port, b)
    if drop:
        QTest.mouseRelease(port, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, b)


def place(view: TimelineView, row: int, hour: float) -> QPointF:
    at = local_ms(TODAY) + round(hour * HOUR_MS)
    return QPointF(view.canvas.x_of(at), view.canvas.row_rect(row).top() + 20)


def patches(session: RecordsScene) -> list[dict[str, Any]]:
    return [call[1] for call in session.called("records.update")]  # type: ignore[misc]  # recorded as given


def hours(start: float, end: float) -> dict[str, str]:
    return {
        "start": utc_date(local_ms(TODAY) + round(start * HOUR_MS)),
        "end": utc_date(local_ms(TODAY) + round(end * HOUR_MS)),
    }


def test_vehicles_are_rows_and_trips_and_outages_stand_on_them() -> None:
    async def scene() -> None:
        session = RecordsScene()
        with_outage(session)
        view = await opened(session)
        assert [row.key for row in view.canvas.rows] == ["v1", "v2", "v4", "v3"]
        assert view._head("v1") == ("苏A・12345", "别克 GL8 · 7 座")
        assert [p.block.record.id for p in view.canvas.rows[0].placed] == ["t1", "t2"]
        outage = view.canvas.rows[3].placed[0].block
        assert (outage.record.id, outage.own, outage.holds) == ("o1", False, True)
        assert view.bar.title.text() == "2026 年 10 月 22 日 周四"
        assert abs(view.canvas.ms_at(view.canvas.head_width()) - local_ms(TODAY, 8)) < 60_000
        assert "苏A・12345" in view._spoken(view.canvas.rows[0].placed[0].block)

    play(scene())


def test_dragging_over_nothing_asks_for_a_new_record_on_that_row() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        asked: list[dict[str, Any]] = []
        view.new_asked.connect(asked.append)
        drag(view, place(view, 1, 8.05), place(view, 1, 9.6))
        assert asked == [{"span": hours(8, 9.5), "vehicleId": "v2"}]

    play(scene())


def test_a_block_goes_to_another_time_and_vehicle() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        drag(view, place(view, 0, 14.5), place(view, 3, 11.5))
        await until(lambda: patches(session) == [{"span": hours(11, 13), "vehicleId": "v3"}])
        await until(lambda: (found := view.canvas.placed("t2")) is not None and found[0] == 3)
        assert view.canvas.current == "t2@v3"

    play(scene())


def test_edges_change_the_length_and_nothing_happens_without_a_move() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        rect = view.canvas.rect_of("t1")
        assert rect is not None
        end = QPointF(rect.right() - 2, rect.center().y())
        drag(view, end, QPointF(view.canvas.x_of(local_ms(TODAY, 13)), end.y()))
        await until(lambda: patches(session) == [{"span": hours(9, 13)}])
        opened_ids: list[str] = []
        view.opened.connect(opened_ids.append)
        QTest.mouseClick(
            view.canvas.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            place(view, 1, 12).toPoint(),
        )
        assert opened_ids == ["t3"]
        assert len(patches(session)) == 1

    play(scene())


def test_what_someone_holds_is_shown_and_a_drop_there_is_refused_with_words() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        drag(view, place(view, 0, 14.5), place(view, 1, 14.5), drop=False)
        dragging = view.canvas.drag
        assert dragging is not None
        assert [one.record.id for one in dragging.clash] == ["t3"]
        assert dragging.refusal == "苏A・22318 10:00–16:00 已被王建国占用（YC-2026-003 · 市财政局）"
        QTest.mouseRelease(
            view.canvas.viewport(),
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
            place(view, 1, 14.5).toPoint(),
        )
        assert patches(session) == []
        assert view.notice.text.text() == dragging.refusal
        drag(view, place(view, 0, 14.5), place(view, 1, 16.5))  # 16:00 to 18:00 only touches
        await until(lambda: patches(session) == [{"span": hours(16, 18), "vehicleId": "v2"}])

    play(scene())


def test_a_holder_the_filter_hides_is_still_in_the_way() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        view.set_filter({"kind": "guest"})
        await until(lambda: view.canvas.placed("t3") is None)
        drag(view, place(view, 0, 14.5), place(view, 1, 14.5))
        assert patches(session) == []
        assert "王建国" in view.notice.text.text()

    play(scene())


def test_without_the_right_nothing_moves() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        drag(view, place(view, 0, 14.5), place(view, 0, 16.5))
        await settle()
        assert patches(session) == []
        assert view.notice.isVisible()

    play(scene())


def test_keys_move_size_choose_and_open() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        canvas = view.canvas
        canvas.choose("t1")
        press(canvas, Qt.Key.Key_Right)
        press(canvas, Qt.Key.Key_Right)
        press(canvas, Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
        await until(lambda: len(patches(session)) == 3)
        assert patches(session)[-1] == {"span": hours(9.5, 12.25)}
        press(canvas, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        assert canvas.current == "t2@v1"
        press(canvas, Qt.Key.Key_Down)
        assert "王建国" in view.notice.text.text()
        opened_ids: list[str] = []
        view.opened.connect(opened_ids.append)
        press(canvas, Qt.Key.Key_Return)
        assert opened_ids == ["t2"]
        assert "火车站" in canvas.accessibleDescription()

    play(scene())


def test_escape_gives_a_drag_up() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        drag(view, place(view, 0, 14.5), place(view, 3, 11.5), drop=False)
        press(view.canvas, Qt.Key.Key_Escape)
        QTest.mouseRelease(
            view.canvas.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(500, 300)
        )
        assert patches(session) == []

    play(scene())


def test_scale_day_and_zoom_are_kept_and_steps_go_by_the_scale() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        view.bar.buttons["week"].click()
        await until(lambda: view.canvas.window_ is not None and view.canvas.window_.first == date(2026, 10, 19))
        assert "第 43 周" in view.bar.title.text()
        assert view.canvas.placed("t6") is not None  # without a vehicle: the row before all
        assert view.canvas.rows[0].key == ""
        view.bar.on.click()
        await until(lambda: view.day == date(2026, 10, 29))
        width = view.canvas.scale_width()
        press(view.canvas, Qt.Key.Key_Plus)
        assert view.canvas.scale_width() == pytest.approx(width * 1.5)
        await until(
            lambda: session.records.states.get("sample_vehicles/calendar/timeline") == {"scale": "week", "zoom": 1.5}
        )
        again = await opened(session)
        await until(lambda: again.canvas.zoom == 1.5)
        assert again.scale == "week"

    play(scene())


def test_changes_flow_in_and_wait_for_the_end_of_a_gesture() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session)
        drag(view, place(view, 0, 14.5), place(view, 3, 11.5), drop=False)
        trip = session.records.get("t1")
        session.records.put(msgspec.structs.replace(trip, data={**trip.data, "span": span(0, 6, 8)}), tell=True)
        await until(lambda: view._waiting)
        found = view.canvas.placed("t1")
        assert found is not None
        assert found[2].start == local_ms(TODAY, 9)
        press(view.canvas, Qt.Key.Key_Escape)
        await until(lambda: (now := view.canvas.placed("t1")) is not None and now[2].start == local_ms(TODAY, 6))

    play(scene())


def test_a_failure_is_said_and_tried_again() -> None:
    async def scene() -> None:
        session = RecordsScene()
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        definition = context.module.view("calendar") if context.module else None
        assert definition is not None
        view = create_view(context, definition)
        assert isinstance(view, TimelineView)
        shown(view, 900, 500)
        session.failures["records.page"] = StorageUnavailable()
        view.reload()
        await until(view.stack.state.action.isVisible)
        view.stack.state.action.click()
        await until(lambda: view.stack.showing)

    play(scene())


def test_of_ten_thousand_trips_those_of_the_day_are_read() -> None:
    async def scene() -> None:
        session = RecordsScene(many=10_000)
        view = await opened(session)
        queries = [call[0] for call in session.called("records.page")]
        during = [one.during for one in queries if isinstance(one, RecordQuery) and one.type_name == "SampleTrip"]
        assert during == [During("span", view.window_.start, view.window_.end)], (
            "without a filter all that hold are among them"
        )
        assert 0 < len(view.blocks) < 60

    play(scene())


def test_it_is_painted_in_both_palettes_languages_and_sizes() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        for scale in ("day", "week", "month"):
            view.set_scale(scale)
            await settle()
            image = view.grab().toImage()
            colors = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(60, image.height(), 5)}
            assert len(colors) > 6

    for mode, language, size in (("light", "zh", 1.0), ("dark", "en", 2.0)):
        play(scene(), mode=mode, language=language, scale=size)  # type: ignore[arg-type]  # literals of a tuple
