"""The workbench and "my work" over records in memory: figures, favourites, lists, dates, and where a press leads."""

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QAbstractItemModelTester, QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.core.clock import local_minutes
from desktop.core.domain import Alert, Link, ModuleDefinition
from desktop.core.domain.moments import day_of, day_start, is_today
from desktop.core.domain.records import Light, Todo, TodoKind
from desktop.core.events import ChangeSet
from desktop.models.workbench import (
    Habits,
    Part,
    Waiting,
    WorkListModel,
    gathered,
    habits_of,
    light_at,
)
from desktop.ui import i18n, theme
from desktop.ui.i18n import tr
from desktop.ui.office import OfficePage, create_workbench
from desktop.ui.office.workbench_tiles import ModuleTile
from desktop.ui.office.workbench_words import left_text
from tests.helpers.fake_records import TRIP, RecordsScene
from tests.helpers.fake_session import DAY, HOUR, NOW
from tests.helpers.stage import RecordingNavigator, play, shown, until

ME = "linyuan"
ZONE = local_minutes(NOW)
MIDNIGHT = day_start(day_of(NOW, ZONE), ZONE) + DAY
"""The end of the scene's today, where these tests run."""
SAMPLE = "sample_vehicles"


def todo(key: str, *, kind: TodoKind = TodoKind.TODO, due: int | None = None, state: str = "open", at: int = 0) -> Todo:
    return Todo(key, f"r-{key}", TRIP, SAMPLE, "approve", kind, ME, f"事项 {key}", due, state, NOW - DAY + at, NOW)


# ------------------------------------------------------------ lists
def test_each_thing_stands_in_its_list_urgent_and_due_first() -> None:
    alerts = [
        Alert("a1", "system", "更新", created_at=NOW),
        Alert("a2", "mention", "提到", link=Link(TRIP, "x"), created_at=NOW),
        Alert("a3", "todo", "别再说一遍", link=Link(TRIP, "r-1"), created_at=NOW),
        Alert("a4", "due", "在雷达上", link=Link(TRIP, "r-1"), created_at=NOW),
    ]
    waiting = Waiting(
        todos=[todo("1"), todo("2", due=MIDNIGHT), todo("3", due=NOW - DAY), todo("4", kind=TodoKind.TO_READ)],
        done=[todo("5", state="done", due=NOW - DAY)],
    )
    work = gathered(waiting, [], alerts, me=ME, now=NOW, zone=ZONE)
    assert [item.key for item in work.part(Part.TODO)] == ["todo:3", "todo:2", "alert:a1", "todo:1"]
    assert {item.key for item in work.part(Part.TO_READ)} == {"todo:4", "alert:a2"}
    assert [item.key for item in work.part(Part.DUE_TODAY)] == ["todo:2"]
    assert [item.light for item in work.part(Part.DONE)] == [None]


@pytest.mark.parametrize(
    ("due", "light", "today"),
    [
        (NOW, Light.RED, True),
        (NOW - DAY, Light.RED, False),
        (MIDNIGHT, Light.AMBER, True),
        (MIDNIGHT + 1, Light.AMBER, False),
        (MIDNIGHT + 3 * DAY, Light.AMBER, False),
        (MIDNIGHT + 3 * DAY + 1, Light.GREEN, False),
    ],
)
def test_lights_change_at_midnight(due: int, light: Light, today: bool) -> None:
    assert light_at(due, NOW, ZONE) is light
    assert is_today(due, NOW, ZONE) is today


def test_habits_are_ordered_and_survive_what_is_written() -> None:
    habits = Habits().with_star("a", True).with_star("b", True).with_star("c", True)
    assert habits.moved("c", 0).favorites == ("c", "a", "b")
    assert habits.moved("a", 99).favorites == ("b", "c", "a")
    assert habits.moved("never", 0) == habits
    assert habits.with_star("b", False).favorites == ("a", "c")
    used = habits.with_use("x").with_use("y").with_use("x")
    assert used.recent == ("x", "y")
    assert habits_of(used.kept()) == used
    assert habits_of({"favorites": "text", "recent": [1, "z"]}) == Habits((), ("z",))


def test_search_finds_title_and_detail(qapp: QApplication) -> None:
    model = WorkListModel()
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Fatal)
    work = gathered(Waiting(todos=[todo("1"), todo("2")]), [], [], me=ME, now=NOW, zone=ZONE)
    items = work.part(Part.TODO)
    model.set_items(items, {"todo:1": "车辆 · 审批", "todo:2": "任务"})
    model.set_needle("车辆 事项")
    assert [model.item(row).key for row in range(model.rowCount())] == ["todo:1"]
    model.set_needle("")
    assert model.rowCount() == 2


# ------------------------------------------------------------ the page
class Scene:
    """An office page whose server has the sample module besides its own two."""

    def __init__(self, change: Callable[[RecordsScene], None] = lambda session: None, *, more: int = 0) -> None:
        self.session = RecordsScene(fleet=True)
        self.navigator = RecordingNavigator()
        change(self.session)
        plain, sample = self.session.office.modules, self.session.records.definitions[0]
        copies = [msgspec.structs.replace(sample, id=f"m{n}", order=50 + n, types=(), views=()) for n in range(more)]

        async def modules() -> list[ModuleDefinition]:
            return [*await plain(), *self.session.records.definitions, *copies]

        self.session.office.modules = modules  # type: ignore[method-assign]  # the real one lists them all
        self.page: OfficePage = create_workbench(self.session, self.navigator, self.session.clock.now_ms)

    async def open(self) -> OfficePage:
        shown(self.page)
        await until(lambda: self.page.data.ready and self.page.work.ready, "records")
        await until(lambda: self.page.workbench.figures[Part.STARTED].number > 0, "figures")
        return self.page


def child(widget: QWidget, name: str) -> QWidget:
    found = widget.findChild(QWidget, name)
    assert found is not None, name
    return found


def press(widget: QWidget) -> None:
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton)


def waiting(session: RecordsScene) -> None:
    trip = next(iter(session.records.held[TRIP].values()))
    session.records.list = [
        msgspec.structs.replace(todo("1", due=MIDNIGHT), record_id=trip.id, title=session.records.title(trip)),
        todo("2", due=NOW - 2 * DAY),
        todo("3"),
        todo("4", kind=TodoKind.TO_READ),
        todo("5", state="done"),
    ]


def picture(widget: QWidget, name: str) -> None:
    """Kept for the eye where TONGBAN_PICTURES names a folder."""
    folder = os.environ.get("TONGBAN_PICTURES")
    if folder:
        assert widget.grab().save(str(Path(folder) / f"{name}.png"))


def test_figures_come_from_the_records_and_lead_to_the_lists() -> None:
    async def scene() -> None:
        stage = Scene(waiting)
        page = await stage.open()
        bench = page.workbench
        assert bench.figures[Part.TODO].number == 4  # three to-dos and a notice to confirm
        assert bench.figures[Part.TO_READ].number == 2
        assert bench.figures[Part.DUE_TODAY].number == 1
        assert page.badge == 6
        tile = child(bench, f"module_{SAMPLE}")
        assert isinstance(tile, ModuleTile)
        assert tile.count == 4
        picture(page, "workbench")
        press(bench.figures[Part.TODO])
        assert page.my_work.isVisible()
        assert page.my_work.model.rowCount() == 4
        for part in Part:
            page.my_work.show_part(part)
            picture(page, f"my-work-{part}")
        page.my_work.back_asked.emit()
        assert bench.isVisible()

    play(scene())


def test_a_todo_opens_its_record_in_its_module() -> None:
    async def scene() -> None:
        stage = Scene(waiting)
        page = await stage.open()
        trip = stage.session.records.list[0].record_id
        press(child(page.workbench, f"todo_{trip}"))
        await until(lambda: SAMPLE in page._modules and page.module_page(SAMPLE).isVisible(), "the module")
        module = page.module_page(SAMPLE)
        await until(lambda: module.detail.record is not None, "the record")
        assert module.detail.record_id == trip
        module.back_asked.emit()
        assert page.workbench.isVisible()

    play(scene())


def test_new_todos_arrive_and_done_ones_leave() -> None:
    async def scene() -> None:
        stage = Scene(waiting)
        page = await stage.open()
        stage.session.records.list = [todo("7")]
        stage.session.events.publish(ChangeSet("Todo", ("7",), ("1", "2", "3", "4")))
        await until(lambda: page.workbench.figures[Part.TODO].number == 2, "the new one and the notice")
        assert page.workbench.findChild(QWidget, "todo_r-7") is not None
        assert page.badge == 3

    play(scene())


def test_a_new_day_asks_again_a_minute_only_words() -> None:
    async def scene() -> None:
        stage = Scene(waiting)
        page = await stage.open()
        asked = len(stage.session.called("records.radar"))
        stage.session.clock.now += 60_000
        page.work._on_tick()
        assert len(stage.session.called("records.radar")) == asked
        stage.session.clock.now += DAY
        page.work._on_tick()
        await until(lambda: len(stage.session.called("records.radar")) == asked + 1, "asked again")
        await until(lambda: not page.work.tasks.busy, "read")
        assert page.workbench.figures[Part.DUE_TODAY].number == 1  # another one: what was due yesterday is over
        over = page.work.work.part(Part.TODO)
        assert sum(item.light is Light.RED for item in over) == 2

    play(scene())


def test_favorites_are_starred_dragged_and_kept() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        bench = page.workbench
        for name in ("notices", "library", SAMPLE):
            tile = child(bench, f"module_{name}")
            assert isinstance(tile, ModuleTile)
            star = next(a for a in tile.menu().actions() if a.text() == tr("office_workbench.star"))
            star.trigger()
        assert page.work.habits.favorites == ("notices", "library", SAMPLE)
        last, first = child(bench, f"favorite_{SAMPLE}"), child(bench, "favorite_notices")
        await until(lambda: last.geometry().isValid() and last.x() > first.x(), "laid out")
        QTest.mousePress(last, Qt.MouseButton.LeftButton, pos=last.rect().center())
        target = last.mapFromGlobal(first.mapToGlobal(QPoint(4, first.height() // 2)))
        QTest.mouseMove(last, last.rect().center() - QPoint(40, 0))
        QTest.mouseMove(last, target)
        QTest.mouseRelease(last, Qt.MouseButton.LeftButton, pos=last.mapFromGlobal(first.mapToGlobal(QPoint(4, 30))))
        assert page.work.habits.favorites == (SAMPLE, "notices", "library")
        assert page.workbench.isVisible()  # a drag is no click
        QTest.keyClick(child(bench, f"favorite_{SAMPLE}"), Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        assert page.work.habits.favorites == ("notices", SAMPLE, "library")
        kept = stage.session.records.states
        await until(lambda: kept.get("workbench", {}).get("favorites") == ["notices", SAMPLE, "library"], "written")
        picture(page, "workbench-favorites")

    play(scene())


def test_what_was_used_last_stands_on_top_where_there_are_many() -> None:
    async def scene() -> None:
        stage = Scene(more=8)
        page = await stage.open()
        page.open_module(SAMPLE)
        await until(lambda: page.module_page(SAMPLE).frame is not None, "the module")
        page.show_workbench()
        assert child(page.workbench, f"recent_{SAMPLE}").isVisible()
        picture(page, "workbench-many")

    play(scene())


def test_any_type_is_opened_by_its_definition_and_an_unknown_one_is_told() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        page.open_record(TRIP, "t1")
        await until(lambda: page.module_page(SAMPLE).detail.record_id == "t1", "the record")
        page.open_record("Conversation", "c1")
        page.open_record("Person", "zhangmin")
        assert stage.navigator.calls == [("conversation", "c1"), ("person", "zhangmin")]
        page.open_record("NeverHeardOf", "x")
        await until(page.snack.isVisible, "a word")
        assert page.snack.text.text() == tr("office_workbench.no_record")

    play(scene())


def test_a_new_record_begins_with_what_is_known() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        page.new_record(TRIP, {"destination": "三号闸"})
        await until(lambda: SAMPLE in page._modules and page.module_page(SAMPLE).detail.form is not None, "the form")
        form = page.module_page(SAMPLE).detail.form
        assert form is not None
        assert form.value()["destination"] == "三号闸"

    play(scene())


def test_a_module_that_is_taken_away_takes_its_page_along() -> None:
    async def scene() -> None:
        stage = Scene()
        page = await stage.open()
        page.open_module(SAMPLE)
        assert page.module_page(SAMPLE).isVisible()
        await until(lambda: page.module_page(SAMPLE).frame is not None, "the module")
        stage.session.records.definitions = []
        stage.session.events.publish(ChangeSet("ModuleDefinition", (), (SAMPLE,)))
        await until(page.workbench.isVisible, "back on the workbench")
        await until(lambda: page.workbench.findChild(QWidget, f"module_{SAMPLE}") is None, "the tile")

    play(scene())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_workbench_in_every_look(language: str, mode: str) -> None:
    async def scene() -> None:
        stage = Scene(waiting, more=3)
        page = await stage.open()
        theme.set_mode("dark" if mode == "dark" else "light")
        picture(page, f"bench-{mode}-{language}")
        page.open_my_work()
        picture(page, f"work-{mode}-{language}")
        theme.set_text_scale(2.0)
        try:
            page.grab()
            page.show_workbench()
            page.grab()
        finally:
            theme.set_text_scale(1.0)

    play(scene(), language="zh" if language == "zh" else "en")


def test_words_for_the_time_left(qapp: QApplication) -> None:
    i18n.set_language("zh")
    assert left_text(NOW - 3 * DAY, NOW) == "超期 3 天"
    assert left_text(NOW - HOUR, NOW) == "已到期"
    assert left_text(NOW + 2 * HOUR, NOW) == "剩 2 小时"
    assert left_text(MIDNIGHT, NOW) == "今天到期"
    assert left_text(MIDNIGHT + DAY, NOW) == "明天到期"
    assert left_text(MIDNIGHT + 5 * DAY, NOW) == "剩 5 天"
