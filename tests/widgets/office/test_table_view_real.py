"""The table over the core's own records, from the encrypted store: groups, totals, filters and writes are what the real service says they are."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication

from desktop.core.domain import Person
from desktop.core.domain.definition import ModuleDefinition
from desktop.core.services.session import Session
from desktop.core.store.sqlite import SqliteStore
from desktop.core.sync.port import PutObjects
from desktop.models.record_filters import FieldFilter
from desktop.ui.layouts import discard
from desktop.ui.office.frame.view_frame import ViewFrame
from desktop.ui.office.views.base import ViewContext
from desktop.ui.office.views.table import TableView
from tests.helpers.fake_records import TRIP, made_trip, sample_records
from tests.helpers.fake_session import DEPARTMENTS, NOW, PEOPLE
from tests.helpers.record_desk import RecordDesk, record_desk
from tests.helpers.record_model import RecordModel
from tests.helpers.sample_module import SAMPLE
from tests.helpers.stage import play, shown, until

ME = "linyuan"


class OnScreen:
    """The core's session as the bridge would hand it over, on one loop with the screen."""

    def __init__(self, session: Session, me: Person) -> None:
        self._session, self.me = session, me

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)


def filled(path: Path, many: int) -> SqliteStore:
    store = SqliteStore.open(path, bytes(32), ME)
    me = msgspec.structs.replace(PEOPLE[0], roles=("fleet",))
    store.apply([PutObjects("ModuleDefinition", (msgspec.convert(SAMPLE, ModuleDefinition),))])
    store.apply([PutObjects("Person", (me, *PEOPLE[1:])), PutObjects("Department", DEPARTMENTS)])
    by_type: dict[str, list[Any]] = {}
    for record in (*sample_records(), *(made_trip(number) for number in range(many))):
        by_type.setdefault(record.type, []).append(record)
    for name, records in by_type.items():
        store.apply([PutObjects(name, tuple(records))])
    return store


def over_the_core(
    folder: Path, work: Callable[[RecordDesk, TableView], Coroutine[Any, Any, None]], many: int = 0
) -> None:
    async def scene() -> None:
        async with record_desk(RecordModel(ME), ME, folder, filled(folder / "store.db", many)) as desk:
            desk.network.cut()
            session: Any = OnScreen(desk.session, msgspec.structs.replace(PEOPLE[0], roles=("fleet",)))
            context = ViewContext(session, "sample_vehicles", lambda: NOW)
            await context.load()
            assert context.module is not None
            view = context.module.view("requests")
            assert view is not None
            frame = ViewFrame(context, view)
            shown(frame, 1040, 640)
            assert frame.table is not None
            table = frame.table
            await until(lambda: table.ready)
            context.setParent(frame)
            await work(desk, table)
            frame.leave()
            await until(lambda: not (table.memory.tasks.running("write") or table.tasks.running("reload")))
            discard(frame)
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)

    play(scene())


def texts(table: TableView, name: str) -> list[str]:
    column = table.model.columns.index(name)
    return [str(table.model.index(row, column).data() or "") for row in range(table.model.rowCount())]


def test_every_way_to_group_puts_each_record_below_its_own_head(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, table: TableView) -> None:
        for name in table.groupable():
            table.group_by(name)
            await until(lambda name=name: table.shown_group == name, name)
            assert sum(run.count for run in table.model.runs) == 187
            value: Any = None
            for row in range(table.model.rowCount()):
                record, run = table.model.record_at(row), table.model.run_at(row)
                if run is not None:
                    value = run.value
                elif record is not None:
                    assert (record.get(name) or None) == (value or None), name
        await desk.records.modules()

    over_the_core(tmp_path, work, 180)


def test_totals_filters_and_search_are_the_stores(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, table: TableView) -> None:
        del desk
        assert table.totals.sums == {table.model.columns.index("cost"): "404.05"}
        table.set_text("水利厅")
        await until(lambda: table.total == 1)
        table.set_text("")
        table.memory.change(filters=(FieldFilter("state", values=("approved",)),))
        table.set_filter({"state": "approved"})
        await until(lambda: table.total == 3)
        assert set(texts(table, "state")) == {"已批准"}

    over_the_core(tmp_path, work)


def test_a_write_is_on_the_screen_at_once_and_marked_as_waiting(tmp_path: Path) -> None:
    async def work(desk: RecordDesk, table: TableView) -> None:
        record = await desk.one(TRIP, "t1")
        assert desk.records.may_edit(record, "destination")
        await desk.records.update(record, {"destination": "三号闸"})
        await until(lambda: "三号闸" in texts(table, "destination"))
        shown_record = table.model.record_at(table.model.position("t1"))
        assert shown_record is not None
        assert shown_record.pending

    over_the_core(tmp_path, work)
