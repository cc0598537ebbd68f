"""The reader: a list and what it says, next and previous by keys, marks, files, live changes that do not move what is read."""

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from desktop.core.domain import Attachment
from desktop.core.domain.definition import ModuleDefinition
from desktop.core.domain.records import Record, Todo, TodoKind
from desktop.core.errors import StorageUnavailable
from desktop.core.events import ChangeSet
from desktop.ui.i18n import tr
from desktop.ui.office.reading.reader import ReaderView
from tests.helpers.fake_records import TRIP, RecordsScene
from tests.helpers.fake_session import NOW
from tests.helpers.sample_module import SAMPLE
from tests.helpers.stage import click, play, press, settle, until
from tests.helpers.view_stage import open_view


class MarkedScene(RecordsScene):
    """Trips keep read marks; two of them wait to be read."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        types = [one | {"marks": True} if one["name"] == TRIP else one for one in SAMPLE["types"]]
        self.records.definitions = [msgspec.convert(SAMPLE | {"types": types}, ModuleDefinition)]
        self.marked: list[tuple[str, str]] = []
        self.office.mark_read = self._mark  # type: ignore[method-assign]  # the fake's own knows notices alone
        self.records.list = [
            Todo(f"todo-{key}", key, TRIP, "sample_vehicles", "r", TodoKind.TO_READ) for key in ("t6", "t7")
        ]

    async def _mark(self, record_id: str, record_type: str = "Notice") -> None:
        self.marked.append((record_id, record_type))
        self.records.list = [one for one in self.records.list if one.record_id != record_id]
        self.events.publish(ChangeSet("Todo", (), (f"todo-{record_id}",)))


async def opened(session: RecordsScene, *, started: bool = True) -> ReaderView:
    return await open_view(session, "reader", ReaderView, size=(1000, 600), started=started)


def reading(view: ReaderView) -> str:
    return view.page.record.id if view.page.record is not None else ""


def test_the_newest_is_read_first_and_steps_lead_on() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        assert reading(view) == "t7"
        assert view.place.text() == "1 / 7"
        assert not view.previous.isEnabled()
        click(view.next)
        assert reading(view) == "t6"
        view.list.setFocus()
        QTest.keyClick(view.list, Qt.Key.Key_J)
        assert reading(view) == "t5"
        QTest.keyClick(view.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        assert reading(view) == "t6"
        press(view.list, Qt.Key.Key_End)
        assert reading(view) == "t1"
        assert not view.next.isEnabled()
        assert "长江堤防" in view.page.title.text()
        assert view.page.state.text() == "已批准"
        assert "李晓明" in view.page.meta.text()

    play(scene())


def test_what_is_read_is_marked_and_its_dot_goes() -> None:
    async def scene() -> None:
        session = MarkedScene()
        view = await opened(session)
        await until(lambda: session.marked == [("t7", TRIP)])
        await until(lambda: view.unread == {"t6"})
        view.step(1)
        await until(lambda: view.unread == frozenset())
        assert session.marked == [("t7", TRIP), ("t6", TRIP)]

    play(scene())


def test_without_marks_nothing_is_marked() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        view.step(1)
        await settle()
        assert session.called("office.mark_read") == []

    play(scene())


def test_files_and_links_lead_on() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        view.step(1)
        asked: list[Attachment] = []
        opened_ids: list[str] = []
        view.file_asked.connect(asked.append)
        view.opened.connect(opened_ids.append)
        view.page.facts.file_opened.emit(Attachment("b-sheet", "移交清单.xlsx"))
        click(view.open)
        assert [one.name for one in asked] == ["移交清单.xlsx"]
        assert opened_ids == ["t6"]

    play(scene())


def test_changes_do_not_move_what_is_read() -> None:
    async def scene() -> None:
        session = RecordsScene(many=200)
        view = await opened(session)
        first = reading(view)
        view.step(40)
        await until(lambda: reading(view) != first, "what was stepped to is read")
        was = reading(view)
        session.records.put(Record("x1", TRIP, {"destination": "新"}, "zhaolei", NOW + 1000, NOW), tell=True)
        await until(lambda: view.model.rowCount() == 208)
        assert reading(view) == was
        assert view.place.text() == "42 / 208"
        session.records.remove(session.records.get(was))
        await until(lambda: reading(view) not in ("", was))
        assert view.list.currentIndex().row() == 41

    play(scene())


def test_the_page_shows_what_the_list_is_told() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        view.show_record("t2")
        assert reading(view) == "t2"
        view.set_text("水利厅")
        await until(lambda: reading(view) == "t4")
        view.set_text("no such words")
        await until(lambda: not view.stack.showing)
        view.set_text("")
        await until(lambda: view.stack.showing and reading(view) == "t7")

    play(scene())


def test_the_width_of_the_list_is_kept() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        view.split.setSizes([420, 580])
        view.split.splitterMoved.emit(420, 1)
        await until(lambda: session.records.states.get("sample_vehicles/reader/reader") == {"list": 420})
        again = await opened(session)
        assert abs(again.split.sizes()[0] - 420) < 5

    play(scene())


def test_a_failure_is_said() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session, started=False)
        session.failures["records.outline"] = StorageUnavailable()
        view.reload()
        await until(view.stack.state.action.isVisible)
        view.stack.state.action.click()
        await until(lambda: view.stack.showing)

    play(scene())


def test_of_ten_thousand_records_those_on_the_screen_are_read() -> None:
    async def scene() -> None:
        session = RecordsScene(many=10_000)
        view = await opened(session)
        assert len(view.model.ids) == 10_007
        assert not session.called("records.page")
        assert session.records.read_singly() < 200
        last = view.model.ids[-1]
        view.show_record(last)
        await until(lambda: view.page.record is not None and view.page.record.id == last)
        assert view.place.text() == tr("office_views.of", at=10_007, n=10_007)

    play(scene())


@pytest.mark.parametrize(("mode", "language", "size"), [("light", "zh", 1.0), ("dark", "en", 2.0)])
def test_it_is_painted(mode: Any, language: Any, size: float) -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        image = view.grab().toImage()
        assert len({image.pixel(x, y) for x in range(0, 900, 3) for y in range(0, 300, 3)}) > 6

    play(scene(), mode=mode, language=language, scale=size)
