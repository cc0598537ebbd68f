"""Filters over a view: what each means, chips and their panel, saved ones by name, what is remembered; many rows at once with what failed."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from desktop.core.domain.conditions import Facts, matches, resolve
from desktop.core.domain.definition import Field, FieldKind, Label
from desktop.core.errors import Offline
from desktop.core.events import EditRefused
from desktop.models.record_filters import (
    FieldFilter,
    Period,
    SavedFilter,
    TableState,
    condition_of,
    conditions,
    period_days,
    read_state,
    write_state,
)
from desktop.models.record_form import zone_minutes
from desktop.ui.i18n import tr
from desktop.ui.kit import Button, CheckBox, TextField
from desktop.ui.office.frame.bulk_bar import BulkBar
from desktop.ui.office.frame.filter_bar import FilterBar
from desktop.ui.office.frame.filter_editors import NumbersFilter, create_filter_editor
from desktop.ui.office.frame.view_frame import ViewFrame
from desktop.ui.office.views.base import ViewContext
from desktop.ui.office.views.table import TableView
from tests.helpers.fake_records import RecordsScene
from tests.helpers.fake_session import NOW
from tests.helpers.stage import play, press, shown, until

FACTS = Facts("linyuan", ("d2",), NOW, zone_minutes(NOW))


def of_kind(kind: FieldKind) -> Field:
    return Field(name="x", kind=kind, label=Label("x", "x"))


def passes(one: FieldFilter, kind: FieldKind, value: Any) -> bool:
    condition = conditions([one], lambda _name: of_kind(kind), NOW)
    return matches(resolve(condition, FACTS), {} if value is None else {"x": value})


# ------------------------------------------------------------ what they mean
@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50) | st.none())
def test_bounds_of_numbers_are_within(low: int, high: int, value: int | None) -> None:
    one = FieldFilter("x", low=str(low), high=str(high))
    assert passes(one, FieldKind.NUMBER, value) is (value is not None and low <= value <= high)
    money = None if value is None else f"{value}.00"
    assert passes(one, FieldKind.MONEY, money) is (value is not None and low <= value <= high)


DAYS = st.dates(date(2026, 9, 1), date(2026, 12, 1))


@given(DAYS | st.none(), DAYS | st.none(), DAYS)
def test_bounds_of_days_hold_both_days(first: date | None, last: date | None, day: date) -> None:
    one = FieldFilter("x", low=first and first.isoformat(), high=last and last.isoformat())
    wanted = (first is None or first <= day) and (last is None or day <= last)
    assert passes(one, FieldKind.DATE, day.isoformat()) is wanted
    noon = f"{day.isoformat()}T12:00:00.000Z"
    assert passes(one, FieldKind.DATETIME, noon) is wanted
    assert passes(one, FieldKind.SPAN, {"start": noon, "end": f"{day.isoformat()}T13:00:00.000Z"}) is wanted


@given(DAYS)
def test_periods_move_with_today(today: date) -> None:
    for period in Period:
        first, last = period_days(period, today)
        assert last is not None
        assert first is None or first <= last
    assert period_days(Period.OVERDUE, today) == (None, today - timedelta(days=1))
    first, last = period_days(Period.THIS_WEEK, today)
    assert first is not None
    assert last is not None
    assert (first.weekday(), last.weekday(), first <= today <= last) == (0, 6, True)
    first, last = period_days(Period.THIS_MONTH, today)
    assert first is not None
    assert last is not None
    assert (first.day, (last + timedelta(days=1)).day, first.month) == (1, 1, today.month)


@pytest.mark.parametrize(
    ("one", "kind", "passing", "failing"),
    [
        (FieldFilter("x", values=("a", "b")), FieldKind.CHOICE, "b", "c"),
        (FieldFilter("x", values=("a",)), FieldKind.MULTI_CHOICE, ["c", "a"], ["c"]),
        (FieldFilter("x", values=("p1",)), FieldKind.PERSONS, ["p1"], ["p2"]),
        (FieldFilter("x", values=(True,)), FieldKind.BOOL, True, None),
        (FieldFilter("x", values=(False,)), FieldKind.BOOL, None, True),
        (FieldFilter("x", empty=True), FieldKind.TEXT, "", "word"),
        (FieldFilter("x", empty=True), FieldKind.PERSONS, [], ["p1"]),
        (FieldFilter("x", empty=False), FieldKind.DATE, "2026-01-01", None),
    ],
)
def test_choices_and_emptiness(one: FieldFilter, kind: FieldKind, passing: Any, failing: Any) -> None:
    assert passes(one, kind, passing)
    assert not passes(one, kind, failing)


def test_a_filter_that_asks_nothing_and_one_of_a_field_that_is_gone_are_left_out() -> None:
    assert condition_of(FieldFilter("x"), of_kind(FieldKind.NUMBER), NOW) is None
    assert conditions([FieldFilter("gone", values=("a",))], lambda _name: None, NOW) is None
    both = conditions(
        [FieldFilter("x", values=("a",)), FieldFilter("x", empty=False)], lambda _n: of_kind(FieldKind.TEXT), NOW
    )
    assert both is not None
    assert both["operator"] == "AND"


def test_what_is_remembered_comes_back_and_nonsense_starts_afresh() -> None:
    one = FieldFilter("wanted", period=Period.LAST_7)
    state = TableState(("a", "b"), {"a": 90}, ("-a",), "kind", True, ("'x'",), (one,))
    state = state.with_saved(SavedFilter("mine", (one,), "text", ("-a",), "kind"))
    assert read_state(write_state(state)) == state
    assert read_state({"columns": 5}) == TableState()
    renamed = state.renamed("mine", "ours")
    assert ([s.name for s in renamed.saved], renamed.active) == (["ours"], "ours")
    assert renamed.without("ours").saved == ()


# ------------------------------------------------------------ the bar
async def opened(session: RecordsScene) -> tuple[ViewFrame, TableView, FilterBar]:
    context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
    await context.load()
    module = context.module
    assert module is not None
    view = module.view("requests")
    assert view is not None
    frame = ViewFrame(context, view)
    context.setParent(frame)
    shown(frame, 1040, 640)
    assert frame.table is not None
    assert frame.bar is not None
    await until(lambda: frame.table is not None and frame.table.ready)
    return frame, frame.table, frame.bar


def chip_texts(bar: FilterBar) -> list[str]:
    return [button.text() for button in bar.chips.findChildren(Button)]


def box(bar: FilterBar, name: str) -> CheckBox:
    found = bar.findChild(CheckBox, name)
    assert isinstance(found, CheckBox)
    return found


def test_a_choice_narrows_as_it_is_made_and_its_chip_says_so() -> None:
    async def scene() -> None:
        frame, table, bar = await opened(RecordsScene())
        bar.edit("state")
        box(bar, "filterChoice_asked").click()
        await until(lambda: table.total == 1)
        box(bar, "filterChoice_draft").click()
        await until(lambda: table.total == 2)
        assert chip_texts(bar) == ["状态：草稿、待审批"]
        bar.set_filter(FieldFilter("wanted", low="2026-10-24"))
        await until(lambda: table.total == 1)
        assert chip_texts(bar)[1] == "最迟：≥ 2026-10-24"
        press(bar, Qt.Key.Key_Escape)
        assert bar.editor is None
        bar.take_off("state")
        bar.clear_all()
        await until(lambda: table.total == 7)
        assert chip_texts(bar) == []
        assert frame.state.isHidden()

    play(scene())


def test_every_kind_has_an_editor_that_can_ask_for_nothing() -> None:
    async def scene() -> None:
        frame, _table, bar = await opened(RecordsScene())
        for field in bar.fields():
            editor = create_filter_editor(frame.context, field, FieldFilter(field.name))
            seen: list[FieldFilter] = []
            editor.changed.connect(seen.append)
            empty = editor.findChild(CheckBox, "filterEmpty")
            assert isinstance(empty, CheckBox), field.name
            empty.click()
            empty.click()
            assert [one.empty for one in seen] == [True, None], field.name
            editor.deleteLater()

    play(scene())


def test_numbers_that_are_none_are_marked_and_not_asked_for() -> None:
    async def scene() -> None:
        _frame, table, bar = await opened(RecordsScene())
        bar.edit("cost")
        editor = bar.editor
        assert isinstance(editor, NumbersFilter)
        editor.low.setText("viel")
        editor.low.textEdited.emit("viel")
        assert editor.low.property("invalid") == "true"
        editor.low.setText("1")
        editor.low.textEdited.emit("1")
        await until(lambda: table.total == 1)

    play(scene())


def test_a_person_is_picked_by_name() -> None:
    async def scene() -> None:
        _frame, table, bar = await opened(RecordsScene())
        bar.set_filter(FieldFilter("passengers", values=("linyuan", "zhangmin")))
        await until(lambda: table.total == 3)
        assert chip_texts(bar) == ["乘车人：林远、张敏"]
        bar.edit("passengers")
        assert bar.editor is not None
        assert any(label.text() == "乘车人" for label in bar.findChildren(QLabel))

    play(scene())


def test_filters_are_saved_renamed_made_the_default_and_deleted() -> None:
    async def scene() -> None:
        session = RecordsScene()
        frame, table, bar = await opened(session)
        bar.set_filter(FieldFilter("kind", values=("flood",)))
        table.group_by("state")
        bar.text = "水"
        bar.ask_name("")
        line = bar.findChild(TextField, "filterName")
        assert isinstance(line, TextField)
        line.setText("防汛用车")
        press(line, Qt.Key.Key_Return)
        assert bar.saved.text() == "防汛用车"
        wanted: list[str] = []
        bar.text_wanted.connect(wanted.append)
        bar.show_everything()
        await until(lambda: table.total == 7)
        saved = bar.memory.state.named("防汛用车")
        assert saved is not None
        bar.apply_saved(saved)
        await until(lambda: table.total == 2)
        assert wanted == ["", "水"]
        assert table.group == "state"
        default = next(a for a in bar.saved_menu().actions() if a.text() == tr("office_module.make_default"))
        default.trigger()
        bar.ask_name("防汛用车")
        line = bar.findChild(TextField, "filterName")
        assert isinstance(line, TextField)
        line.setText("防汛")
        press(line, Qt.Key.Key_Return)
        assert (bar.memory.state.default, bar.saved.text()) == ("防汛", "防汛")
        bar.show_everything()
        frame.leave()
        await until(lambda: session.records.states.get("sample_vehicles/requests/filters", {}).get("default") == "防汛")
        _frame, again, other = await opened(session)
        await until(lambda: again.total == 2)  # the default is on from the start
        forget = next(a for a in other.saved_menu().actions() if a.text() == tr("office_module.delete_filter"))
        forget.trigger()
        assert other.memory.state.saved == ()

    play(scene())


# ------------------------------------------------------------ many rows at once
def bulk_of(frame: ViewFrame) -> BulkBar:
    assert frame.bulk is not None
    return frame.bulk


def select(table: TableView, *ids: str) -> None:
    flags = table.grid.selectionModel().SelectionFlag
    table.grid.clearSelection()
    for record_id in ids:
        index = table.model.index(table.model.position(record_id), 0)
        table.grid.selectionModel().select(index, flags.Select | flags.Rows)


def go(bulk: BulkBar) -> None:
    button = bulk.findChild(Button, "bulkGo")
    assert isinstance(button, Button)
    button.click()


def test_a_field_is_set_on_all_that_are_chosen() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        frame, table, _bar = await opened(session)
        bulk = bulk_of(frame)
        select(table, "t1", "t2", "t3")
        assert bulk.isVisible()
        assert bulk.words.text() == tr("office_module.chosen", n=3)
        names = [field.name for field in bulk.fields()]
        assert "kind" in names
        assert "number" not in names
        kind = next(field for field in bulk.fields() if field.name == "kind")
        bulk.ask_value(kind)
        from desktop.ui.office.record.editor import FieldEditor

        editor = bulk.findChild(FieldEditor, "field_kind")
        assert isinstance(editor, FieldEditor)
        editor.set_value("guest")
        go(bulk)
        await until(lambda: bulk.run.done == 3 and not bulk.run.running)
        assert {session.records.get(key).data["kind"] for key in ("t1", "t2", "t3")} == {"guest"}
        assert bulk.words.text() == tr("office_module.bulk_done", done=3)

    play(scene())


def test_what_fails_is_named_with_its_reason_also_when_the_server_says_so_later() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        frame, table, _bar = await opened(session)
        bulk = bulk_of(frame)
        select(table, "t4", "t5", "t6")
        actions = {action.name: action for action in bulk.offered()}
        assert {"approve", "refuse"} <= set(actions)
        bulk.ask_action(actions["refuse"])
        from desktop.ui.office.record.editor import FieldEditor

        editor = bulk.findChild(FieldEditor, "field_reason")
        assert isinstance(editor, FieldEditor)
        editor.set_value("车辆不足")
        go(bulk)
        await until(lambda: not bulk.run.running and bulk.run.failures)
        assert {failure.record.id for failure in bulk.run.failures} == {"t5", "t6"}
        assert session.records.get("t4").data["state"] == "refused"
        assert bulk.words.text() == tr("office_module.bulk_failed", done=1, failed=2)
        session.events.publish(EditRefused("SampleTrip", "t4", "conflict"))
        await until(lambda: len(bulk.run.failures) == 3)
        assert bulk.words.text() == tr("office_module.bulk_failed", done=0, failed=3)
        texts = [button.text() for button in bulk.findChildren(Button)]
        assert "YC-2026-004 · 省水利厅" in texts

    play(scene())


def test_deleting_asks_and_can_be_stopped_half_way() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True, many=400)
        frame, table, _bar = await opened(session)
        bulk = bulk_of(frame)
        table.grid.setFocus()
        table.grid.selectAll()
        press(table.grid, Qt.Key.Key_Delete)
        assert session.called("records.destroy") == []
        bulk.run.progressed.connect(lambda done, _total: bulk.run.cancel() if done == 20 else None)
        go(bulk)
        await until(lambda: bulk.run.cancelled and not bulk.run.running)
        assert len(session.called("records.destroy")) == 20
        await until(lambda: table.total == 387)

    play(scene())


def test_rows_that_are_not_in_memory_are_read_before() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True, many=700)
        _frame, table, _bar = await opened(session)
        table.grid.selectAll()
        records = await table.chosen()
        assert len({record.id for record in records}) == 707
        session.failures["records.page"] = Offline(reason="offline")
        with pytest.raises(Offline):
            await table.chosen()

    play(scene())
