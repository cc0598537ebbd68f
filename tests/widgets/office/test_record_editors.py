"""The editors of fields: typed, picked, dropped, pasted, by keyboard."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QDate, QMimeData, Qt, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton

from desktop.core.domain import Attachment, ConnectionState, Direction, Document, Transfer, TransferState
from desktop.core.domain.definition import Choice, Field, FieldKind, Label
from desktop.core.errors import AppError, Offline
from desktop.core.events import TransferProgress
from desktop.models import record_values as values
from desktop.ui.office.record.calendar import DayPane, SpanPane
from desktop.ui.office.record.choice_editors import ChipsEditor, ChoiceList
from desktop.ui.office.record.editor import FieldEditor
from desktop.ui.office.record.field_editors import create_editor
from desktop.ui.office.record.files_editor import PASTED, FilesEditor
from desktop.ui.office.record.lines_editor import LinesEditor
from desktop.ui.office.record.pick_editors import PickMany, PickOne
from desktop.ui.office.record.text_editors import AmountEditor, LongTextEditor
from desktop.ui.office.record.time_editors import DateEditor, DatetimeEditor, SpanEditor
from desktop.ui.office.views.base import ViewContext
from tests.helpers.fake_records import RecordsScene
from tests.helpers.stage import play, press, settle, shown, until

Scene = Callable[[RecordsScene, ViewContext], Coroutine[Any, Any, None]]
TODAY = "2026-10-22"


def run(scene: Scene) -> None:
    async def whole() -> None:
        session = RecordsScene()
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        await scene(session, context)

    play(whole())


def a_field(kind: str, **more: Any) -> Field:
    return Field(name="x", kind=FieldKind(kind), label=Label("某项", "Something"), **more)


def sample_field(context: ViewContext, name: str, type_name: str = "SampleTrip") -> Field:
    found = context.field_of(type_name, name)
    assert found is not None
    return found


async def made(context: ViewContext, field: Field) -> FieldEditor:
    editor = create_editor(context, field)
    shown(editor, 420, 300)
    editor.activateWindow()
    await until(editor.isActiveWindow, "an active window")
    return editor


def changes(editor: FieldEditor) -> list[object]:
    seen: list[object] = []
    editor.changed.connect(lambda: seen.append(editor.value()))
    return seen


def type_into(editor: FieldEditor, text: str) -> None:
    editor.take_focus()
    target = editor.focus_target()
    if text.isascii():
        QTest.keyClicks(target, text)
    else:  # what an input method would bring
        assert isinstance(target, QLineEdit)
        target.insert(text)


SPAN = {"start": "2026-10-22T02:00:00.000Z", "end": "2026-10-22T04:30:00.000Z"}
FILES = [{"blobId": "b1", "name": "单.pdf", "type": "application/pdf", "size": 12}]
CHOICES = tuple(Choice(value=v, label=Label(v, v)) for v in "abc")
EVERY_KIND: list[tuple[str, Any, dict[str, Any]]] = [
    ("text", "省水利厅", {}),
    ("longText", "一\n二", {}),
    ("richText", "<p>请<strong>提前</strong></p>", {}),
    ("number", 12.5, {}),
    ("money", "1250.00", {}),
    ("date", "2026-11-22", {}),
    ("datetime", "2026-11-22T08:30:00.000Z", {}),
    ("span", SPAN, {}),
    ("bool", True, {}),
    ("choice", "b", {"choices": CHOICES}),
    ("multiChoice", ["a", "c"], {"choices": CHOICES}),
    ("person", "zhangmin", {}),
    ("persons", ["zhangmin", "linyuan"], {}),
    ("department", "d2", {}),
    ("departments", ["d2", "d8"], {}),
    ("audience", {"everyone": False, "departmentIds": ["d2"], "roles": [], "personIds": ["zhouhai"]}, {}),
    ("reference", "v1", {"target": "SampleVehicle"}),
    ("references", ["v1", "v2"], {"target": "SampleVehicle"}),
    ("files", FILES, {}),
    ("blob", "b1", {}),
    ("object", {"a": "b"}, {"fields": (Field(name="a", kind=FieldKind.TEXT, label=Label("a", "a")),)}),
    ("lines", [{"a": "b"}], {"fields": (Field(name="a", kind=FieldKind.TEXT, label=Label("a", "a")),)}),
]


@pytest.mark.parametrize(("kind", "value", "more"), EVERY_KIND, ids=[kind for kind, _, _ in EVERY_KIND])
def test_a_value_goes_in_and_out_unchanged_and_silently(kind: str, value: Any, more: dict[str, Any]) -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, a_field(kind, **more))
        seen = changes(editor)
        editor.set_value(value)
        await settle()
        assert editor.value() == value
        assert editor.raw() is None
        assert seen == []
        editor.set_value(None)
        assert editor.value() in (None, False)
        assert seen == []

    run(scene)


def test_there_is_an_editor_for_every_kind() -> None:
    assert {kind for kind, _, _ in EVERY_KIND} == {kind.value for kind in FieldKind}


@pytest.mark.parametrize("kind", [kind.value for kind in FieldKind])
def test_a_broken_value_does_no_harm(kind: str) -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, a_field(kind, target="SampleVehicle", choices=CHOICES))
        for broken in (5, "x", ["x", 3], {"start": 4}, [{"name": 1}], True):
            editor.set_value(broken)
        await settle()

    run(scene)


def test_numbers_stand_with_thousands_but_are_edited_plain() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, a_field("money"))
        assert isinstance(editor, AmountEditor)
        editor.line.clearFocus()
        editor.set_value("1250000.50")
        assert editor.line.text() == "1,250,000.50"
        editor.take_focus()
        assert editor.line.text() == "1250000.50"
        editor.line.selectAll()
        QTest.keyClicks(editor.line, "12,345.6")
        assert editor.value() == "12345.60"
        editor.line.clearFocus()
        assert editor.line.text() == "12,345.60"
        editor.line.setText("zwölf")
        assert editor.raw() == "zwölf"
        assert editor.value() == "12345.60"
        editor.line.setText("")
        assert editor.value() is None

    run(scene)


def test_days_are_typed_stepped_and_picked() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, a_field("date"))
        assert isinstance(editor, DateEditor)
        type_into(editor, "明天")
        assert editor.value() == "2026-10-23"
        press(editor.line, Qt.Key.Key_Return)
        assert editor.line.text() == "2026-10-23"
        press(editor.line, Qt.Key.Key_Up)
        press(editor.line, Qt.Key.Key_PageDown)
        assert editor.value() == "2026-09-24"
        press(editor.line, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        pane = editor.findChild(DayPane)
        assert pane is not None
        assert pane.isVisible()
        pane.month.clicked.emit(QDate(2026, 12, 24))
        assert editor.value() == "2026-12-24"
        assert not pane.isVisible()
        editor.line.setText("irgendwann")
        assert editor.raw() == "irgendwann"
        assert editor.value() == "2026-12-24"

    run(scene)


def test_a_moment_is_picked_with_its_time() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, a_field("datetime"))
        assert isinstance(editor, DatetimeEditor)
        editor.open_calendar()
        pane = editor.findChild(DayPane)
        assert pane is not None
        pane.time.setCurrentText("14:30")
        pane.month.clicked.emit(QDate(2026, 10, 25))
        assert editor.line.text() == "2026-10-25 14:30"
        assert values.moment_of(editor.value()) == values.parse_moment("2026-10-25 14:30", values.local_date(0))

    run(scene)


def test_a_span_is_typed_and_picked() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, a_field("span"))
        assert isinstance(editor, SpanEditor)
        type_into(editor, "10-22 10:00-12:00")
        editor.line.clearFocus()
        assert editor.line.text() == "2026-10-22 10:00 — 12:00"
        press(editor.line, Qt.Key.Key_Up)
        assert editor.line.text() == "2026-10-23 10:00 — 12:00"
        editor.open_calendar()
        pane = editor.findChild(SpanPane)
        assert pane is not None
        pane.month.clicked.emit(QDate(2026, 11, 2))
        assert editor.line.text() == "2026-11-02 10:00 — 12:00"
        pane.month.clicked.emit(QDate(2026, 11, 4))
        pane.times[1].setCurrentText("18:00")
        assert editor.line.text() == "2026-11-02 10:00 — 2026-11-04 18:00"

    run(scene)


def test_a_long_text_grows_with_what_is_written() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, a_field("longText"))
        assert isinstance(editor, LongTextEditor)
        small = editor.text.height()
        editor.set_value("\n".join("一二三四五" for _ in range(9)))
        await settle()
        taller = editor.text.height()
        editor.set_value("\n".join("一" for _ in range(90)))
        await settle()
        assert small < taller < editor.text.height() < 40 * editor.text.fontMetrics().lineSpacing()

    run(scene)


def test_few_choices_are_chips_and_many_a_list() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        chips = await made(context, a_field("choice", choices=CHOICES))
        assert isinstance(chips, ChipsEditor)
        seen = changes(chips)
        chips.chips["b"].click()
        press(chips.chips["b"], Qt.Key.Key_Right)
        assert chips.chips["c"].hasFocus()
        press(chips.chips["c"], Qt.Key.Key_Space)
        assert seen == ["b", "c"]
        chips.chips["c"].click()
        assert chips.value() is None
        needed = await made(context, a_field("choice", choices=CHOICES, required=True))
        assert isinstance(needed, ChipsEditor)
        needed.set_value("a")
        needed.chips["a"].click()
        assert needed.value() == "a"
        many = await made(
            context,
            a_field("choice", choices=tuple(Choice(value=f"v{n}", label=Label(f"{n}", f"{n}")) for n in range(9))),
        )
        assert isinstance(many, ChoiceList)
        many.set_value("gone")
        assert many.value() == "gone"

    run(scene)


def test_a_value_that_is_no_choice_any_more_is_kept() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, a_field("multiChoice", choices=CHOICES))
        assert isinstance(editor, ChipsEditor)
        editor.set_value(["old", "a"])
        editor.chips["b"].click()
        assert editor.value() == ["old", "a", "b"]

    run(scene)


# ------------------------------------------------------------ picking
@pytest.mark.parametrize("typed", ["wjg", "wangjian", "王建"])
def test_people_are_found_by_name_pinyin_and_initials(typed: str) -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, sample_field(context, "driverId"))
        assert isinstance(editor, PickOne)
        type_into(editor, typed)
        editor.line.search()
        await until(lambda: [hit.id for hit in editor.line.hits] == ["wangjianguo"])
        assert editor.raw() == typed
        assert editor.line.take_first()
        assert editor.value() == "wangjianguo"
        assert editor.line.text() == "王建国"
        assert editor.raw() is None

    run(scene)


def test_enter_takes_what_was_typed_last_and_the_list_stays_away() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, sample_field(context, "driverId"))
        assert isinstance(editor, PickOne)
        editor.take_focus()
        editor.line.search()
        await until(lambda: len(editor.line.hits) > 1)  # everybody hangs there
        assert editor.line.hits[0].id != "wangjianguo"
        editor.line.setText("王建国")
        editor.line.textEdited.emit("王建国")
        press(editor.line, Qt.Key.Key_Return)  # before the list has followed
        await until(lambda: editor.value() == "wangjianguo")
        await settle()
        assert not editor.line.list.isVisible()
        assert not editor.line.tasks.running("search")

    run(scene)


def test_typing_over_a_picked_name_gives_it_up() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, sample_field(context, "driverId"))
        assert isinstance(editor, PickOne)
        editor.set_value("sunqiang")
        seen = changes(editor)
        type_into(editor, "x")
        assert seen == [None]
        assert editor.raw() == "孙强x"

    run(scene)


def test_references_are_found_by_title_among_those_allowed_and_open() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, sample_field(context, "vehicleId"))
        assert isinstance(editor, PickOne)
        editor.take_focus()
        editor.line.search()
        await until(lambda: editor.line.hits)
        assert {hit.id for hit in editor.line.hits} == {"v1", "v2", "v4"}
        editor.line.insert("帕萨特")
        editor.line.search()
        await until(lambda: [hit.id for hit in editor.line.hits] == ["v2"])
        editor.line.take_first()
        assert editor.line.text() == "苏A・22318 · 帕萨特"
        opened: list[tuple[str, str]] = []
        editor.opened.connect(lambda name, key: opened.append((name, key)))
        assert editor.open.isVisible()
        editor.open.click()
        assert opened == [("SampleVehicle", "v2")]
        editor.line.search()
        await until(lambda: len(editor.line.hits) == 3)

    run(scene)


def test_the_title_of_a_reference_comes_when_it_is_known() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, sample_field(context, "vehicleId"))
        assert isinstance(editor, PickOne)
        editor.set_value("v4")
        assert editor.raw() is None
        await until(lambda: editor.line.text() == "苏A・77105 · 汉兰达")
        assert editor.value() == "v4"

    run(scene)


def test_several_people_stand_as_chips() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, sample_field(context, "passengers"))
        assert isinstance(editor, PickMany)
        editor.set_value(["linyuan"])
        seen = changes(editor)
        editor.take_focus()
        QTest.keyClicks(editor.line, "zhouh")
        editor.line.search()
        await until(lambda: editor.line.hits)
        await until(editor.line.list.isVisible)
        press(editor.line, Qt.Key.Key_Return)
        assert editor.value() == ["linyuan", "zhouhai"]
        assert not editor.line.list.isVisible()
        assert editor.line.text() == ""
        assert [chip.text() for chip in editor.findChildren(QPushButton)] == ["林远", "周海"]
        press(editor.line, Qt.Key.Key_Backspace)
        assert editor.value() == ["linyuan"]
        assert seen[-1] == ["linyuan"]
        editor.findChildren(QPushButton)[0].click()
        assert editor.value() is None

    run(scene)


# ------------------------------------------------------------ files
async def files_editor(context: ViewContext) -> FilesEditor:
    editor = await made(context, sample_field(context, "papers"))
    assert isinstance(editor, FilesEditor)
    return editor


def test_files_go_up_when_they_are_attached(tmp_path: Path) -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await files_editor(context)
        path = tmp_path / "移交清单.txt"
        path.write_bytes(b"abc")
        mime = QMimeData()
        mime.setUrls([QUrl.fromLocalFile(str(path)), QUrl("https://spy.example/x")])
        assert editor.take_mime(mime)
        assert editor.raw() == str(path)
        progress = Transfer("t", Direction.UP, path.name, 3000, 1500, TransferState.RUNNING, path=str(path))
        session.events.publish(TransferProgress(progress))
        await until(lambda: editor.raw() is None)
        [value] = editor.value()
        assert (value["name"], value["size"]) == (path.name, 3)
        assert session.files.blobs[value["blobId"]] == b"abc"
        editor.attach([path])
        await until(lambda: editor.raw() is None)
        assert len(editor.entries) == 1

    run(scene)


def test_without_a_connection_files_wait_for_the_form(tmp_path: Path) -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        session.go(ConnectionState.OFFLINE)
        editor = await files_editor(context)
        path = tmp_path / "a.txt"
        path.write_bytes(b"abc")
        editor.attach([path])
        await settle()
        assert session.called("files.upload_file") == []
        session.failures["files.upload_file"] = Offline()
        with pytest.raises(AppError):
            await editor.settle()
        assert editor.entries[0].problem
        session.go(ConnectionState.LIVE)
        await editor.settle()
        assert editor.value()[0]["name"] == "a.txt"
        other = await files_editor(context)
        other.set_raw(f"{path}\n{tmp_path / 'gone.txt'}")
        await until(other.value)
        assert [entry.name for entry in other.entries] == ["a.txt"]

    run(scene)


def test_a_pasted_picture_goes_up_and_leaves_no_file() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        image = QImage(4, 4, QImage.Format.Format_RGB32)
        image.fill(QColor(Qt.GlobalColor.red))
        QGuiApplication.clipboard().setImage(image)
        editor = await files_editor(context)
        editor.paste.click()
        path = editor.entries[0].path
        assert path is not None
        assert PASTED in str(path)
        await until(lambda: editor.raw() is None)
        assert editor.value()[0]["name"].endswith(".png")
        assert not path.parent.exists()

    run(scene)


def test_a_document_of_the_library_is_attached_without_going_up_again() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        session.office.document_list = {
            "x": Document("x", "防汛手册", "f1", "b-book", "防汛手册.pdf", "application/pdf", 77)
        }
        editor = await files_editor(context)
        editor.library.click()
        await until(lambda: editor.documents.hits)
        editor.documents.picked.emit(editor.documents.hits[0])
        expected = {"blobId": "b-book", "name": "防汛手册.pdf", "type": "application/pdf", "size": 77}
        assert editor.value() == [expected]
        assert session.called("files.upload_file") == []
        editor.add_attachment(Attachment("b-book", "x"))
        assert len(editor.entries) == 1

    run(scene)


def test_a_single_file_is_replaced() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await made(context, sample_field(context, "photo", "SampleVehicle"))
        assert isinstance(editor, FilesEditor)
        editor.set_value("b-old")
        editor.add_attachment(Attachment("b-new", "新.png"))
        assert editor.value() == "b-new"

    run(scene)


# ------------------------------------------------------------ lines
async def lines_editor(context: ViewContext) -> LinesEditor:
    editor = await made(context, sample_field(context, "items"))
    assert isinstance(editor, LinesEditor)
    return editor


def test_cells_are_written_by_keyboard_and_sums_follow() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await lines_editor(context)
        editor.add.click()
        await settle()
        cell = editor.table.findChild(FieldEditor)
        assert cell is not None
        QTest.keyClicks(cell.focus_target(), "toll")
        press(cell.focus_target(), Qt.Key.Key_Tab)
        await settle()
        assert editor.value() == [{"item": "toll", "amount": "0.00"}]
        number = editor.table.findChildren(FieldEditor)[-1]
        QTest.keyClicks(number.focus_target(), "many")
        press(number.focus_target(), Qt.Key.Key_Return)
        await settle()
        assert editor.model.raws() == {0: {"quantity": "many"}}
        editor.model.set_cell(0, "quantity", 3)
        editor.model.set_cell(0, "price", "12.50")
        assert editor.value() == [{"item": "toll", "quantity": 3, "price": "12.50", "amount": "37.50"}]
        assert "37.50" in editor.sums.text()
        assert "12.50" not in editor.sums.text()

    run(scene)


def test_a_spreadsheet_is_pasted_into_the_table() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await lines_editor(context)
        seen = changes(editor)
        QGuiApplication.clipboard().setText("过路费\t2\t1,035.00\t明天\n停车\tviel\t10\t10-23\n")
        editor.paste.click()
        assert editor.value() == [
            {"item": "过路费", "quantity": 2, "price": "1035.00", "paidOn": "2026-10-23", "amount": "2070.00"},
            {"item": "停车", "price": "10.00", "paidOn": "2026-10-23", "amount": "0.00"},
        ]
        assert len(seen) == 1
        assert not editor.note.isHidden()
        assert editor.model.index(1, 1).data() == "viel"
        kept = editor.raw()
        assert kept is not None
        editor.model.set_cell(1, "quantity", 1)
        assert editor.raw() is None
        editor.set_raw(kept)
        assert editor.model.raws() == {1: {"quantity": "viel"}}
        editor.model.set_cell(1, "quantity", None)
        editor.table.selectRow(0)
        editor.table.setCurrentIndex(editor.model.index(0, 0))
        press(editor.table, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
        assert [line["item"] for line in editor.value()] == ["停车", "过路费"]
        editor.table.selectRow(1)
        press(editor.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
        assert QGuiApplication.clipboard().text().split("\t")[0] == "过路费"
        editor.drop.click()
        assert [line["item"] for line in editor.value()] == ["停车"]
        editor.table.setCurrentIndex(editor.model.index(0, 2))
        press(editor.table, Qt.Key.Key_Delete)
        assert "price" not in editor.value()[0]

    run(scene)


def test_tab_leaves_the_table_after_its_last_cell() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await lines_editor(context)
        editor.take_focus()
        editor.table.setCurrentIndex(editor.model.index(0, 0))
        for _ in range(editor.model.columnCount()):
            press(editor.table, Qt.Key.Key_Tab)
        await settle()
        assert not editor.table.hasFocus()

    run(scene)


def test_a_thousand_lines_are_shown_at_once() -> None:
    async def scene(session: RecordsScene, context: ViewContext) -> None:
        editor = await lines_editor(context)
        loop = asyncio.get_running_loop()
        began = loop.time()
        editor.set_value([{"item": f"{n}", "quantity": n, "price": "1.00"} for n in range(1000)])
        await settle()
        assert loop.time() - began < 2
        assert len(editor.value()) == 1000

    run(scene)
