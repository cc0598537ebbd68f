"""The form of a record: what stands in it, what it says is wrong, the draft that keeps itself, leaving, others' changes, bookings."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from desktop.core.domain.records import Hold, Record
from desktop.core.errors import Offline
from desktop.ui.i18n import tr
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.record.form import RecordForm
from desktop.ui.office.record.pick_editors import PickOne
from desktop.ui.office.record.text_editors import TextEditor
from desktop.ui.office.views.base import ViewContext
from tests.helpers.fake_records import RecordsScene, span
from tests.helpers.stage import play, press, settle, shown, until

Scene = Callable[[RecordsScene, ViewContext], Coroutine[Any, Any, None]]
NEW = "form/SampleTrip/new"
GOOD: dict[str, Any] = {"destination": "省水利厅", "span": span(5, 9, 11), "passengers": ["linyuan"]}


def run(scene: Scene, *, fleet: bool = False) -> None:
    async def whole() -> None:
        session = RecordsScene(fleet=fleet)
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        await scene(session, context)

    play(whole())


async def made(context: ViewContext, record: Record | None = None, **prefill: Any) -> RecordForm:
    definition = context.type_of("SampleTrip")
    assert definition is not None
    form = RecordForm(context, definition)
    form.set_record(record, prefill)
    shown(form, 420, 900)
    form.activateWindow()
    await until(form.isActiveWindow, "an active window")
    await settle()
    return form


def editor(form: RecordForm, name: str) -> FieldEditor:
    found = form.rows[name].editor
    assert found is not None
    return found


def write(form: RecordForm, name: str, text: str) -> None:
    line = editor(form, name)
    assert isinstance(line, TextEditor)
    line.line.setText(text)


def sent(form: RecordForm) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    form.submitted.connect(found.append)
    return found


def visible(form: RecordForm) -> set[str]:
    return {name for name, row in form.rows.items() if not row.isHidden()}


# ------------------------------------------------------------ what stands in it
def test_what_waits_for_others_as_soon_as_it_is_there_is_submitted_and_no_draft() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        definition = context.type_of("SampleTrip")
        assert definition is not None
        first = definition.states[0].value
        waiting = msgspec.structs.replace(definition.todos[0], when={"state": first})
        form = RecordForm(context, msgspec.structs.replace(definition, todos=(waiting,)))
        form.set_record(None, GOOD)
        shown(form, 420, 900)
        assert form.save_button.isHidden()
        assert form.submit_button.text() == tr("office_record.submit")
        assert form._primary is None
        assert not (await made(context, **GOOD)).save_button.isHidden()  # whose to-do comes with a later state

    run(scene)


def test_a_field_that_does_not_belong_to_a_record_has_no_words_in_a_row() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        record = Record("r1", "SampleTrip", {"overnight": False, "nights": 2})
        assert context.text(record, "nights") == ""
        stays = msgspec.structs.replace(record, data={"overnight": True, "nights": 2})
        assert context.text(stays, "nights").startswith("2")

    run(scene)


def test_sections_required_marks_and_conditions() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context)
        assert list(form.rows)[:3] == ["destination", "span", "passengers"]
        assert "nights" not in visible(form)
        assert "number" not in visible(form)
        assert {"cost", "distance"} <= visible(form)
        assert form.rows["cost"].editor is None
        assert editor(form, "destination").focus_target().accessibleName() == tr(
            "office_record.required_name", name="目的地"
        )
        editor(form, "overnight").focus_target().toggle()  # type: ignore[attr-defined]  # a check box
        assert "nights" in visible(form)

    run(scene)


def test_what_is_wrong_stands_below_and_leaves_when_it_is_right() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context)
        found = sent(form)
        press(editor(form, "destination").focus_target(), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        assert found == []
        assert form.rows["destination"].wrong == tr("office_record.problem.required")
        assert form.rows["passengers"].wrong
        assert editor(form, "destination").focus_target().hasFocus()
        write(form, "destination", "省水利厅")
        assert form.rows["destination"].wrong == ""
        write(form, "destination", "长" * 101)
        assert not form.check()
        assert form.rows["destination"].wrong == tr("office_record.problem.too_long", limit=100, n=101)

    run(scene)


def test_control_enter_sends_what_is_right() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context, **GOOD)
        found = sent(form)
        press(editor(form, "destination").focus_target(), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: found)
        assert found == [GOOD | {"kind": "duty"}]
        assert form.then is not None
        assert form.then.name == "ask"
        assert not form.submit_button.isEnabled()
        form.show_failure("x")
        assert form.submit_button.isEnabled()
        form.save()
        await until(lambda: len(found) == 2)
        assert form.then is None

    run(scene)


def test_lines_name_the_row_that_is_wrong() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context, **GOOD, items=[{"item": "油", "price": "1.00"}, {"price": "2.00"}])
        assert not form.check()
        assert form.rows["items"].wrong.startswith("第 2 行")

    run(scene)


def test_what_the_server_says_stands_at_its_field_or_on_top() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context, **GOOD)
        form.show_errors({"destination": "去不了", "gone": "别的"})
        assert form.rows["destination"].wrong == "去不了"
        assert form.banner.text.text() == "别的"
        assert editor(form, "destination").focus_target().property("invalid") == "true"

    run(scene)


def test_what_may_not_be_written_is_shown() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context, session.records.get("t3"))
        assert form.rows["destination"].editor is None
        assert form.rows["destination"].view is not None
        assert "passengers" in visible(form)
        assert "wanted" not in visible(form)

    run(scene)


# ------------------------------------------------------------ the draft
def test_every_change_is_kept_at_once_and_comes_back() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context)
        write(form, "destination", "省")
        await until(lambda: session.records.drafts.get(NEW))
        assert session.records.drafts[NEW]["values"] == {"destination": "省"}
        for number in range(30):
            write(form, "destination", f"省水利厅{number}")
        editor(form, "wanted").set_raw("下周吧")
        form._on_changed("wanted")
        await until(lambda: session.records.drafts[NEW]["raws"] == {"wanted": "下周吧"})
        assert session.records.drafts[NEW]["values"] == {"destination": "省水利厅29"}
        assert len(session.called("records.set_draft")) < 12  # not one for every key
        again = await made(context)
        assert editor(again, "destination").value() == "省水利厅29"
        assert editor(again, "wanted").raw() == "下周吧"
        assert again.banner.text.text() == tr("office_record.draft_found")
        assert again.changed

    run(scene)


def test_closing_the_window_writes_what_is_not_written_yet() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context)
        write(form, "destination", "a")
        write(form, "destination", "ab")
        form.hide()
        await until(lambda: session.records.drafts.get(NEW, {}).get("values") == {"destination": "ab"})

    run(scene)


def test_what_was_sent_is_no_draft_any_more() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context, **GOOD)
        write(form, "destination", "机场")
        await until(lambda: session.records.drafts.get(NEW))
        await form.done()
        assert session.records.drafts == {}
        assert not form.changed
        form.reopen()
        await until(lambda: session.records.drafts.get(NEW))
        assert form.changed

    run(scene)


def test_a_restored_draft_can_be_thrown_away() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        session.records.drafts[NEW] = {"values": {"destination": "机场"}, "raws": {}}
        form = await made(context)
        assert editor(form, "destination").value() == "机场"
        form.banner.action.click()
        await until(lambda: session.records.drafts == {})
        assert editor(form, "destination").value() is None
        assert form.banner.isHidden()

    run(scene)


def test_what_the_view_prefills_is_stronger_than_the_draft() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        session.records.drafts[NEW] = {"values": {"destination": "机场", "span": span(1, 8, 9)}, "raws": {}}
        form = await made(context, span=span(5, 9, 11))
        assert editor(form, "destination").value() == "机场"
        assert editor(form, "span").value() == span(5, 9, 11)

    run(scene)


def test_a_store_that_fails_does_not_stop_the_writing() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        session.failures["records.draft"] = Offline()
        form = await made(context)
        write(form, "destination", "机场")
        await until(lambda: session.records.drafts.get(NEW))

    run(scene)


# ------------------------------------------------------------ leaving
def test_escape_asks_only_when_something_was_written() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context)
        closed: list[bool] = []
        form.closed.connect(lambda: closed.append(True))
        write(form, "destination", "机场")
        press(editor(form, "destination").focus_target(), Qt.Key.Key_Escape)
        assert closed == []
        assert form.leave.isVisible()
        assert form.leave.stay.hasFocus()
        press(form.leave.stay, Qt.Key.Key_Escape)
        assert not form.leave.isVisible()
        form.ask_close()
        keep = form.leave.findChild(QPushButton, "leaveKeep")
        assert keep is not None
        keep.click()
        assert closed == [True]
        await until(lambda: session.records.drafts.get(NEW))
        form.ask_close()
        throw = form.leave.findChild(QPushButton, "leaveThrow")
        assert throw is not None
        throw.click()
        await until(lambda: session.records.drafts == {})
        assert closed == [True, True]
        other = await made(context)
        other.closed.connect(lambda: closed.append(False))
        press(editor(other, "destination").focus_target(), Qt.Key.Key_Escape)
        assert closed[-1] is False

    run(scene)


# ------------------------------------------------------------ others write too
def test_a_change_of_somebody_else_is_taken_or_shown() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        record = session.records.get("t4")
        form = await made(context, record)
        write(form, "destination", "我的目的地")
        theirs = msgspec.structs.replace(
            record, version=9, data={**record.data, "destination": "别处", "wanted": "2026-11-11"}
        )
        form.rebase(theirs)
        assert editor(form, "wanted").value() == "2026-11-11"
        assert editor(form, "destination").value() == "我的目的地"
        assert "别处" in form.rows["destination"].theirs.text()
        assert form.value() == {"destination": "我的目的地"}
        form.rows["destination"].theirs_taken.emit()
        assert editor(form, "destination").value() == "别处"
        assert form.value() == {}

    run(scene)


def test_a_draft_written_before_somebody_elses_change_says_so() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        key = "form/SampleTrip/t4"
        session.records.drafts[key] = {"values": {"reason": "我的"}, "base": {"reason": "以前的"}, "raws": {}}
        form = await made(context, session.records.get("t4"))
        assert editor(form, "reason").value() == "我的"
        assert "防汛值班汇报" in form.rows["reason"].theirs.text()

    run(scene)


# ------------------------------------------------------------ bookings
def test_a_taken_vehicle_is_told_while_writing_with_the_free_ones() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context, **GOOD | {"span": span(0, 10, 12)}, vehicleId="v1")
        box = form._free
        assert box is not None
        await until(lambda: not box.isHidden(), "the free ones")
        assert "李晓明" in form.rows["vehicleId"].wrong
        await until(lambda: [b.text() for b in box.findChildren(QPushButton)] == ["苏A・77105 · 汉兰达"])
        assert form.check()  # a hint: the server decides
        assert form.rows["vehicleId"].wrong
        box.findChildren(QPushButton)[0].click()
        assert editor(form, "vehicleId").value() == "v4"
        assert form.rows["vehicleId"].wrong == ""
        assert form.submit_button.hasFocus()

    run(scene)


def test_touching_times_are_free() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context, **GOOD | {"span": span(0, 12, 14)}, vehicleId="v1")
        await until(lambda: not form._holds_timer.isActive() and not form.tasks.running("holds"))
        assert form.rows["vehicleId"].wrong == ""
        assert form._free is not None
        assert form._free.isHidden()

    run(scene)


def test_the_server_tells_who_was_faster() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context, **GOOD, vehicleId="v1")
        form.show_overlap((Hold("SampleTrip", "tx", "开会", span(5, 10, 12), "wangjianguo"),), ("v2",))
        assert "王建国" in form.rows["vehicleId"].wrong
        assert "–" in form.rows["vehicleId"].wrong
        assert form._free is not None
        assert form._free.isVisible()
        line = editor(form, "vehicleId")
        assert isinstance(line, PickOne)
        assert line.line.hasFocus()

    run(scene)


def test_another_language_keeps_what_is_written() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        from desktop.ui import i18n

        form = await made(context)
        write(form, "destination", "机场")
        editor(form, "wanted").set_raw("someday")
        form._on_changed("wanted")
        i18n.set_language("en")
        assert form.rows["destination"].name == "Destination"
        assert editor(form, "destination").value() == "机场"
        assert editor(form, "wanted").raw() == "someday"

    run(scene)


def test_tab_goes_from_field_to_field() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        form = await made(context)
        form.focus_first()
        assert editor(form, "destination").focus_target().hasFocus()
        press(editor(form, "destination").focus_target(), Qt.Key.Key_Tab)
        assert editor(form, "span").focus_target().hasFocus()
        QTest.keyClick(editor(form, "span").focus_target(), Qt.Key.Key_Tab)
        focus = form.focusWidget()
        assert focus is not None
        assert form.rows["span"].isAncestorOf(focus) or form.rows["passengers"].isAncestorOf(focus)

    run(scene)
