"""The board: columns and counts, what a move means, carrying by hand and by keys, refusals with reasons, lights, thousands of cards."""

from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.core.domain import ConnectionState
from desktop.core.domain.records import Light, Placed, Record
from desktop.core.errors import StorageUnavailable
from desktop.models.board_columns import Way, columns_of, key_of, step_to
from desktop.ui.office.views.base import field_of
from desktop.ui.office.views.board import BoardView
from tests.helpers.fake_records import TRIP, RecordsScene
from tests.helpers.sample_module import sample_module
from tests.helpers.stage import play, press, until
from tests.helpers.view_stage import open_view

DEFINITION = next(one for one in sample_module().types if one.name == TRIP)


async def opened(session: RecordsScene, group: str | None = "state", *, started: bool = True) -> BoardView:
    columns = ("destination", "wanted", "passengers", "cost")
    return await open_view(session, "board", BoardView, size=(1300, 640), started=started, group=group, columns=columns)


def ids(view: BoardView) -> dict[str, list[str]]:
    return {key: list(column.model.rows.rows) for key, column in view.columns.items()}


def carry(view: BoardView, record_id: str, key: str, *, drop: bool = True) -> None:
    place = view.place_of(record_id)
    assert place is not None
    cards = view.columns[place[0]].list
    start = cards.visualRect(cards.cards.index(place[1], 0)).center()
    over = view.columns[key].list.viewport()
    end = cards.viewport().mapFromGlobal(over.mapToGlobal(QPoint(over.width() // 2, 200)))
    QTest.mousePress(cards.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, start)
    QTest.mouseMove(cards.viewport(), (start + end) / 2)
    QTest.mouseMove(cards.viewport(), end)
    if drop:
        QTest.mouseRelease(cards.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, end)


# ------------------------------------------------------------ what a move means
def trip(state: str, **data: Any) -> Record:
    return Record("r", TRIP, {"state": state, **data}, "linyuan")


def test_columns_are_the_states_and_what_else_there_is() -> None:
    state, kind = field_of(DEFINITION, "state"), field_of(DEFINITION, "kind")
    assert state is not None
    assert kind is not None
    columns = columns_of(
        DEFINITION, state, [Placed("a", "asked"), Placed("b", "asked"), Placed("c", "lost"), Placed("x", None)]
    )
    assert [(one.key, len(one.ids)) for one in columns] == [
        ("", 1), ("draft", 0), ("asked", 2), ("approved", 0), ("done", 0), ("refused", 0), ("lost", 1)
    ]  # fmt: skip
    assert [one.key for one in columns_of(DEFINITION, kind, [])] == ["duty", "flood", "guest"]


def test_a_state_changes_by_an_action_alone() -> None:
    state = field_of(DEFINITION, "state")
    assert state is not None
    approve, refuse = DEFINITION.action("approve"), DEFINITION.action("refuse")
    assert approve is not None
    assert refuse is not None
    asked = trip("asked", vehicleId="v1")
    assert step_to(DEFINITION, state, asked, "asked", [approve], True).way is Way.NOTHING
    step = step_to(DEFINITION, state, asked, "approved", [approve, refuse], True)
    assert (step.way, step.action) == (Way.ASK, approve), "it asks for the driver"
    plain = msgspec.structs.replace(approve, asks=())
    assert step_to(DEFINITION, state, asked, "approved", [plain], True).way is Way.ACT
    assert step_to(DEFINITION, state, trip("asked"), "approved", [plain], True).way is Way.ASK, "the vehicle is missing"
    assert step_to(DEFINITION, state, asked, "approved", [], True).way is Way.NOT_YOURS
    assert step_to(DEFINITION, state, asked, "done", [approve, refuse], True).way is Way.NO_ACTION


def test_a_choice_changes_by_a_patch_where_that_is_allowed() -> None:
    kind, needs = field_of(DEFINITION, "kind"), field_of(DEFINITION, "needs")
    assert kind is not None
    assert needs is not None
    record = trip("draft", kind="duty", needs=["boots", "radio", "boat"])
    assert step_to(DEFINITION, kind, record, "flood", [], True).patch == {"kind": "flood"}
    assert step_to(DEFINITION, kind, record, "", [], True).patch == {"kind": None}
    assert step_to(DEFINITION, kind, record, "flood", [], False).way is Way.NO_EDIT
    assert key_of(record, needs) == "boots"
    assert step_to(DEFINITION, needs, record, "boat", [], True).patch == {"needs": ["boat", "radio"]}


# ------------------------------------------------------------ on the screen
def test_cards_stand_in_columns_with_counts_and_words() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        found = ids(view)
        assert list(found) == ["draft", "asked", "approved", "done", "refused"]
        assert set(found["approved"]) == {"t1", "t2", "t3"}
        assert view.columns["approved"].count.text() == "3"
        assert view.columns["approved"].list.accessibleName() == "已批准，3 条"
        words = str(view.columns["asked"].model.index(0, 0).data())
        assert "省水利厅" in words
        assert "待审批" in words

    play(scene())


def test_due_dates_have_their_light() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        lights = {light for _, light in view._lines(session.records.get("t4"))}
        assert Light.AMBER in lights
        assert {light for _, light in view._lines(session.records.get("t5"))} == {None}

    play(scene())


def test_a_card_is_carried_where_an_action_leads() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        carry(view, "t6", "asked")
        await until(lambda: [call[1] for call in session.called("records.act")] == ["ask"])
        await until(lambda: "t6" in ids(view)["asked"])
        assert view.ghost.isHidden()

    play(scene())


def test_an_action_that_asks_is_handed_on() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene(fleet=True))
        asked: list[tuple[str, str]] = []
        view.action_asked.connect(lambda record, name: asked.append((record.id, name)))
        carry(view, "t4", "approved")
        assert asked == [("t4", "approve")]

    play(scene())


def test_other_moves_are_refused_with_the_reason() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        carry(view, "t6", "done")
        assert view.notice.text.text() == "不能直接从“草稿”变为“已完成”"
        carry(view, "t4", "approved")
        assert view.notice.text.text() == "“批准”不由你来办"
        assert session.called("records.act") == []
        assert "t4" in ids(view)["asked"]

    play(scene())


def test_a_carried_card_follows_the_pointer_and_may_be_given_up() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        carry(view, "t6", "asked", drop=False)
        assert view.ghost.isVisible()
        assert view.columns["asked"]._target
        trip_now = session.records.get("t4")
        session.records.put(msgspec.structs.replace(trip_now, data={**trip_now.data, "state": "approved"}), tell=True)
        await until(lambda: view._waiting)
        assert "t4" in ids(view)["asked"], "columns do not move under the card"
        press(view.columns["draft"].list, Qt.Key.Key_Escape)
        assert view.ghost.isHidden()
        await until(lambda: "t4" in ids(view)["approved"])
        assert session.called("records.act") == []

    play(scene())


def test_keys_go_between_cards_and_carry_them() -> None:
    async def scene() -> None:
        session = RecordsScene()
        view = await opened(session)
        view.choose("t6")
        press(view.columns["draft"].list, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: "t6" in ids(view)["asked"])
        await until(lambda: (now := view.columns["asked"].list.current_record()) is not None and now.id == "t6")
        press(view.columns["asked"].list, Qt.Key.Key_Right)
        assert view.columns["approved"].list.hasFocus()
        opened_ids: list[str] = []
        view.opened.connect(opened_ids.append)
        press(view.columns["approved"].list, Qt.Key.Key_Return)
        assert opened_ids == [ids(view)["approved"][view.columns["approved"].list.currentIndex().row()]]

    play(scene())


def test_a_board_by_choice_changes_the_choice_offline_too() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        view = await opened(session, "kind")
        session.go(ConnectionState.OFFLINE)
        carry(view, "t3", "flood")
        await until(lambda: "t3" in ids(view)["flood"])
        assert session.records.get("t3").pending

    play(scene())


def test_people_and_departments_are_columns_by_name() -> None:
    async def scene() -> None:
        view = await opened(RecordsScene(), "departmentId")
        names = {column.name.text() for column in view.columns.values()}
        assert names
        assert "…" not in names
        assert all(name and not name.startswith("d") for name in names)

    play(scene())


def test_changes_keep_the_chosen_card_and_the_place() -> None:
    async def scene() -> None:
        session = RecordsScene(many=300)
        view = await opened(session)
        cards = view.columns["done"].list
        bar = cards.verticalScrollBar()
        bar.setValue(bar.maximum() // 2)
        middle = bar.value()
        cards.setCurrentIndex(view.columns["done"].model.index(30, 0))
        bar.setValue(middle)
        await until(lambda: cards.current_record() is not None, "the card is read")
        chosen = cards.current_record()
        other = session.records.get(ids(view)["draft"][0])
        session.records.put(msgspec.structs.replace(other, data={**other.data, "destination": "新地方"}), tell=True)
        words = view.columns["draft"].model
        await until(lambda: "新地方" in str(words.index(0, 0).data()))
        assert bar.value() == middle
        now = cards.current_record()
        assert chosen is not None
        assert now is not None
        assert now.id == chosen.id

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


def test_of_ten_thousand_cards_those_on_the_screen_are_read() -> None:
    async def scene() -> None:
        session = RecordsScene(many=10_000)
        view = await opened(session)
        assert sum(int(column.count.text()) for column in view.columns.values()) == 10_007
        assert not session.called("records.page")
        assert session.records.read_singly() < 200
        cards = view.columns["draft"]
        last = cards.model.ids[-1]
        assert cards.model.rowCount() < len(cards.model.ids)
        view.choose(last)
        await until(lambda: view.pool.peek(last) is not None)
        assert cards.list.current_record() == session.records.get(last)
        assert cards.model.rowCount() == len(cards.model.ids)

    play(scene())


@pytest.mark.parametrize(("mode", "language", "size"), [("light", "zh", 1.0), ("dark", "en", 2.0)])
def test_it_is_painted(mode: Any, language: Any, size: float) -> None:
    async def scene() -> None:
        view = await opened(RecordsScene())
        image = view.grab().toImage()
        colors = {image.pixel(x, y) for x in range(0, image.width(), 5) for y in range(0, image.height(), 3)}
        assert len(colors) > 8

    play(scene(), mode=mode, language=language, scale=size)
