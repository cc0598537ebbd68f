"""The pane of a record: reading, acting, writing with what the server says, comments, history, conflicts, paper, links."""

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from desktop.core.domain import Attachment, ConnectionState, LocalDocument
from desktop.core.domain.records import Conflict, Hold, Record
from desktop.core.errors import Offline, Rejected
from desktop.core.events import ChangeSet
from desktop.models.record_readers import readers_of
from desktop.ui.i18n import tr
from desktop.ui.kit import IconButton, Label
from desktop.ui.office.attachments import AttachmentCard
from desktop.ui.office.record.comments import CommentRow
from desktop.ui.office.record.detail import COMMENTS, HISTORY, RecordDetail
from desktop.ui.office.record.form import RecordForm
from desktop.ui.office.views.base import ViewContext
from tests.helpers.fake_records import RecordsScene, span
from tests.helpers.stage import application, play, press, settle, shown, until

Scene = Callable[[RecordsScene, RecordDetail], Coroutine[Any, Any, None]]
GOOD: dict[str, Any] = {"destination": "省水利厅", "span": span(5, 9, 11), "passengers": ["linyuan"]}


def run(scene: Scene, *, fleet: bool = False) -> None:
    async def whole() -> None:
        session = RecordsScene(fleet=fleet)
        context = ViewContext(session, "sample_vehicles", session.clock.now_ms)
        await context.load()
        detail = RecordDetail(context)
        shown(detail, 400, 800)
        detail.activateWindow()
        await until(detail.isActiveWindow, "an active window")
        await scene(session, detail)

    play(whole())


async def show(detail: RecordDetail, type_name: str, record_id: str) -> None:
    detail.show_record(type_name, record_id)
    await until(lambda: detail.record is not None and detail.stack.currentWidget() is detail.page, "the record")


def asked(detail: RecordDetail) -> RecordForm | None:
    """The small form of an action, where one is open."""
    return detail._action_form


def is_writing(detail: RecordDetail) -> bool:
    return detail.writing


class StrayWindows(QObject):
    """Windows that open while it watches: a part that is set visible before it has a parent is one for a moment, and takes the keyboard."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        application().installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow():
            self.seen.append(f"{type(watched).__name__} {watched.objectName()}")
        return False

    def stop(self) -> list[str]:
        application().removeEventFilter(self)
        return self.seen


def words(widget: QWidget) -> str:
    return " | ".join(label.text() for label in widget.findChildren(Label) if label.isVisibleTo(widget))


async def form_of(detail: RecordDetail) -> RecordForm:
    await until(lambda: detail.form is not None and detail.stack.currentWidget() is detail.form_page, "the form")
    assert detail.form is not None
    await settle()
    return detail.form


def write(form: RecordForm, name: str, value: Any) -> None:
    editor = form.rows[name].editor
    assert editor is not None
    editor.set_value(value)
    editor.changed.emit()


# ------------------------------------------------------------ reading
def test_it_shows_title_state_fields_and_linked_records() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t1")
        assert detail.title.text() == "YC-2026-001 · 长江堤防"
        assert detail.chip.text() == "已批准"
        assert detail.chip.property("chip") == "accent"
        await until(lambda: "苏A・12345 · 别克 GL8" in [b.text() for b in detail.facts.findChildren(QPushButton)])
        assert "防汛办" in words(detail.facts)
        assert "notes" not in detail.facts.views
        assert not detail.edit_button.isVisible()
        opened: list[tuple[str, str]] = []
        detail.opened_record.connect(lambda name, key: opened.append((name, key)))
        for button in detail.facts.findChildren(QPushButton):
            button.click()
        assert ("Person", "sunqiang") in opened
        assert ("SampleVehicle", "v1") in opened
        await show(detail, "SampleVehicle", "v1")
        expected = {"YC-2026-001 · 长江堤防", "YC-2026-002 · 火车站"}
        await until(lambda: {b.text() for b in detail.linked.findChildren(QPushButton)} == expected)
        await show(detail, "SampleVehicle", "v3")
        assert detail.linked.findChildren(QPushButton) == []

    run(scene)


def test_it_follows_the_record_and_says_when_it_is_gone() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t1")
        record = session.records.get("t1")
        session.records.put(msgspec.structs.replace(record, data={**record.data, "state": "done"}), tell=True)
        await until(lambda: detail.chip.text() == "已完成")
        session.records.put(msgspec.structs.replace(record, pending=True), tell=True)
        await until(lambda: detail.banner.text.text() == tr("office_record.pending"))
        session.records.remove(session.records.get("t1"))
        await until(lambda: detail.state.text.text() == tr("office_record.gone"))
        detail.show_record("SampleTrip", "nowhere")
        await until(lambda: detail.state.text.text() == tr("office_record.gone"))

    run(scene)


def test_a_failure_can_be_tried_again() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        session.failures["records.record"] = Offline()
        detail.show_record("SampleTrip", "t1")
        await until(detail.state.action.isVisible)
        detail.state.action.click()
        await until(lambda: detail.stack.currentWidget() is detail.page)

    run(scene)


def test_no_part_of_it_is_ever_a_window() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await session.records.comment(session.records.get("t6"), "收到", (), (Attachment("b", "x.pdf"),))
        watch = StrayWindows()
        await show(detail, "SampleTrip", "t6")
        for tab in (COMMENTS, HISTORY, 0):
            detail.tabs.setCurrentIndex(tab)
            await settle()
        detail.edit()
        form = await form_of(detail)
        form.check()
        form.ask_close()
        await show(detail, "SampleTrip", "t4")
        detail.ask_delete()
        detail.share_it()
        await settle()
        assert watch.stop() == []

    run(scene, fleet=True)


# ------------------------------------------------------------ acting
def test_an_action_without_questions_is_done_at_once() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t6")
        assert list(detail.action_bar.buttons) == ["ask"]
        assert detail.action_bar.buttons["ask"].property("kind") == "primary"
        detail.action_bar.buttons["ask"].click()
        await until(lambda: detail.chip.text() == "待审批")
        assert session.records.get("t6").data["state"] == "asked"

    run(scene)


def test_an_action_asks_for_its_fields_in_place() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t4")
        assert list(detail.action_bar.buttons) == ["approve", "refuse"]
        assert detail.action_bar.buttons["refuse"].property("kind") == "danger"
        detail.action_bar.buttons["refuse"].click()
        form = asked(detail)
        assert form is not None
        assert set(form.rows) == {"reason"}
        write(form, "reason", None)
        form.submit()
        await until(lambda: form.rows["reason"].wrong)
        write(form, "reason", "没有车")
        assert is_writing(detail)
        session.failures["records.act"] = Rejected(type="invalidProperties", properties=["reason"])
        form.submit()
        await until(lambda: form.rows["reason"].wrong)
        form.submit()
        await until(lambda: session.records.get("t4").data["state"] == "refused")
        assert session.records.get("t4").data["reason"] == "没有车"
        await until(lambda: asked(detail) is None)
        assert not is_writing(detail)

    run(scene, fleet=True)


def test_escape_leaves_the_question_and_the_confirmation() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t4")
        detail.action_bar.buttons["approve"].click()
        assert asked(detail) is not None
        detail.ask_close()
        assert asked(detail) is None
        detail.ask_delete()
        assert detail.ask.isVisible()
        press(detail.ask.no, Qt.Key.Key_Escape)
        assert not detail.ask.isVisible()
        closed: list[bool] = []
        detail.closed.connect(lambda: closed.append(True))
        press(detail.close_button, Qt.Key.Key_Escape)
        assert closed == [True]

    run(scene, fleet=True)


def test_deleting_asks_first() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t6")
        texts = [action.text() for action in detail.menu().actions()]
        assert tr("office_record.delete") in texts
        closed: list[bool] = []
        detail.closed.connect(lambda: closed.append(True))
        detail.ask_delete()
        assert session.called("records.destroy") == []
        detail.ask.yes.click()
        await until(lambda: closed)
        assert "t6" not in session.records.held["SampleTrip"]
        await show(detail, "SampleTrip", "t3")
        assert tr("office_record.delete") not in [action.text() for action in detail.menu().actions()]

    run(scene)


# ------------------------------------------------------------ writing
def test_a_new_record_is_made_and_its_first_action_follows() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        detail.new("SampleTrip", GOOD)
        form = await form_of(detail)
        assert form.submit_button.text() == "提交"
        write(form, "reason", "开会")
        form.submit()
        await until(lambda: detail.stack.currentWidget() is detail.page)
        await until(lambda: detail.chip.text() == "待审批")
        [(name, data)] = session.called("records.create")
        assert name == "SampleTrip"
        assert isinstance(data, dict)
        assert data["reason"] == "开会"
        assert session.records.drafts == {}
        assert detail.form is None

    run(scene)


def test_save_as_draft_leaves_it_in_its_first_state() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        detail.new("SampleTrip", GOOD)
        (await form_of(detail)).save_button.click()
        await until(lambda: detail.stack.currentWidget() is detail.page)
        assert detail.chip.text() == "草稿"
        assert session.called("records.act") == []

    run(scene)


def test_without_a_connection_it_is_queued_and_says_so() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        session.go(ConnectionState.OFFLINE)
        detail.new("SampleTrip", GOOD)
        (await form_of(detail)).save_button.click()
        await until(lambda: detail.banner.isVisible() and detail.banner.text.text() == tr("office_record.pending"))
        session.go(ConnectionState.LIVE)
        await until(lambda: not detail.banner.isVisible())

    run(scene)


def test_a_store_that_fails_leaves_the_form_as_it_is() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        detail.new("SampleTrip", GOOD)
        form = await form_of(detail)
        session.failures["records.create"] = Offline()
        form.save()
        await until(form.banner.isVisible)
        assert detail.form is form
        assert form.submit_button.isEnabled()
        form.save()
        await until(lambda: detail.stack.currentWidget() is detail.page)

    run(scene)


def test_editing_sends_what_changed() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t6")
        press(detail.close_button, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
        form = await form_of(detail)
        write(form, "destination", "市档案馆")
        form.submit()
        await until(lambda: detail.title.text() == "YC-2026-006 · 市档案馆")
        [(_, patch)] = session.called("records.update")
        assert patch == {"destination": "市档案馆"}

    run(scene)


def test_leaving_a_form_for_another_record_keeps_the_draft() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t6")
        detail.edit()
        form = await form_of(detail)
        write(form, "destination", "市档案馆")
        assert is_writing(detail)
        await show(detail, "SampleTrip", "t4")
        assert not is_writing(detail)
        await until(lambda: "form/SampleTrip/t6" in session.records.drafts)
        await show(detail, "SampleTrip", "t6")
        detail.edit()
        again = await form_of(detail)
        await until(lambda: again.value() == {"destination": "市档案馆"})

    run(scene)


def test_somebody_elses_change_reaches_the_open_form() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t6")
        detail.edit()
        form = await form_of(detail)
        write(form, "destination", "市档案馆")
        record = session.records.get("t6")
        session.records.put(
            msgspec.structs.replace(record, version=7, data={**record.data, "destination": "别处"}), tell=True
        )
        await until(lambda: "别处" in words(form.rows["destination"]))
        assert form.state.record is not None
        assert form.state.record.version == 7

    run(scene)


def refused_conflict(record: Record, **more: Any) -> Conflict:
    return Conflict("e1", record.type, record.id, {"destination": "我的"}, record, ("destination",), **more)


def test_a_refused_change_goes_to_both_versions() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t6")
        detail.edit()
        form = await form_of(detail)
        write(form, "destination", "我的")
        session.records.refuse["t6"] = "conflict"
        session.records.open_conflicts.append(refused_conflict(session.records.get("t6")))
        form.submit()
        await until(lambda: detail.stack.currentWidget() is detail.conflict)
        assert not detail.conflict.take.isEnabled()
        assert "县档案馆" in words(detail.conflict)
        assert "我的" in words(detail.conflict)
        detail.conflict.choose_all("mine")
        detail.conflict.take.click()
        await until(lambda: detail.title.text().endswith("我的"))
        assert session.called("records.resolve") == [("e1", {"destination": "mine"})]
        assert detail.form is None

    run(scene)


def test_a_refused_booking_names_the_holder_and_can_be_sent_again() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t6")
        detail.edit()
        form = await form_of(detail)
        write(form, "vehicleId", "v1")
        hold = Hold("SampleTrip", "tx", "开会", span(1, 10, 12), "wangjianguo")
        conflict = refused_conflict(session.records.get("t6"), code="overlap", holds=(hold,), free=("v4",))
        session.records.refuse["t6"] = "overlap"
        session.records.open_conflicts.append(conflict)
        form.submit()
        await until(lambda: "王建国" in form.rows["vehicleId"].wrong)
        assert form.changed
        write(form, "vehicleId", "v4")
        form.submit()
        await until(lambda: session.records.get("t6").data.get("vehicleId") == "v4")
        assert session.called("records.drop") == [("e1",)]

    run(scene)


def test_what_was_refused_goes_with_the_form_that_is_thrown_away() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t6")
        detail.edit()
        form = await form_of(detail)
        write(form, "vehicleId", "v1")
        session.records.refuse["t6"] = "overlap"
        session.records.open_conflicts.append(refused_conflict(session.records.get("t6"), code="overlap"))
        form.submit()
        await until(lambda: session.called("records.update") and not detail.sending, "the answer")
        assert form.changed
        detail.ask_close()
        await until(form.leave.isVisible)
        assert session.called("records.drop") == []
        form.close_thrown()
        await until(lambda: session.called("records.drop") == [("e1",)])
        assert detail.form is None

    run(scene)


def test_a_record_refused_earlier_is_mended_in_a_form() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        record = session.records.get("t6")
        session.records.put(msgspec.structs.replace(record, refusal="invalidProperties"))
        session.records.open_conflicts.append(refused_conflict(record, code="invalidProperties"))
        await show(detail, "SampleTrip", "t6")
        await until(detail.banner.action.isVisible)
        assert detail.banner.action.text() == tr("office_record.mend")
        detail.banner.action.click()
        form = await form_of(detail)
        assert form.value() == {"destination": "我的"}
        assert form.rows["destination"].wrong == tr("office_record.refused.invalidProperties")

    run(scene)


def test_conflicts_can_be_decided_field_by_field_or_dropped() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        record = session.records.get("t6")
        mine = {"destination": "我的", "passengers": ["linyuan"], "reason": "一起保存"}
        conflict = Conflict("e2", record.type, record.id, mine, record, ("destination", "passengers"))
        session.records.open_conflicts.append(conflict)
        session.records.put(msgspec.structs.replace(record, refusal="conflict"))
        await show(detail, "SampleTrip", "t6")
        await until(detail.banner.action.isVisible)
        detail.open_conflict()
        pane = detail.conflict
        assert "一起保存" in words(pane)
        pane._sides["destination"][0].mark.click()
        assert not pane.take.isEnabled()
        pane._sides["passengers"][1].mark.click()
        assert pane.choice() == {"destination": "mine", "passengers": "theirs"}
        assert pane.take.isEnabled()
        pane.choose_all("theirs")
        assert set(pane.choice().values()) == {"theirs"}
        pane.drop.click()
        await until(lambda: session.called("records.drop") == [("e2",)])
        await until(lambda: detail.stack.currentWidget() is detail.page)

    run(scene)


def test_what_was_written_to_a_deleted_record_is_still_shown() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        gone = Conflict("e3", "SampleTrip", "t6", {"destination": "我的"}, None, ())
        session.records.open_conflicts.append(gone)
        session.records.remove(session.records.get("t6"))
        detail.show_record("SampleTrip", "t6")
        await until(lambda: detail.stack.currentWidget() is detail.conflict)
        assert "我的" in words(detail.conflict)
        assert not detail.conflict.take.isVisible()

    run(scene)


# ------------------------------------------------------------ comments
def test_comments_mention_readers_and_carry_a_draft() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t1")
        detail.tabs.setCurrentIndex(COMMENTS)
        edit = detail.comments.edit
        edit.setFocus()
        QTest.keyClicks(edit, "@wjg")
        await until(edit.list.isVisible)
        press(edit, Qt.Key.Key_Return)
        assert edit.toPlainText() == "@王建国 "
        edit.insertPlainText("请看，@王建国军 不是")
        assert edit.mentions() == ("wangjianguo",)
        await until(lambda: session.records.drafts.get("comment/SampleTrip/t1"))
        await show(detail, "SampleTrip", "t4")
        await until(lambda: edit.toPlainText() == "")
        await show(detail, "SampleTrip", "t1")
        await until(lambda: edit.toPlainText().startswith("@王建国"))
        detail.tabs.setCurrentIndex(COMMENTS)
        press(edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: len(detail.comments.findChildren(CommentRow)) == 1)
        [(_, text, mentions, files)] = session.called("records.comment")
        assert (text, mentions, files) == ("@王建国 请看，@王建国军 不是", ("wangjianguo",), ())
        await until(lambda: "comment/SampleTrip/t1" not in session.records.drafts)
        assert detail.tabs.tabText(COMMENTS) == tr("office_record.tab.comments", n=1)
        drop = next(
            b for b in detail.comments.findChildren(IconButton) if b.toolTip() == tr("office_record.comment_delete")
        )
        drop.click()
        await until(lambda: detail.comments.findChildren(CommentRow) == [])

    run(scene)


def test_a_comment_that_fails_is_not_lost() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t1")
        detail.tabs.setCurrentIndex(COMMENTS)
        detail.comments.edit.setPlainText("收到 <b>&")
        session.failures["records.comment"] = Offline()
        detail.comments.say()
        await until(detail.comments.problem.isVisible)
        assert detail.comments.edit.toPlainText() == "收到 <b>&"
        detail.comments.say()
        await until(lambda: len(detail.comments.findChildren(CommentRow)) == 1)
        session.events.publish(ChangeSet("Comment", ("c9",)))
        await settle()
        assert len(detail.comments.findChildren(CommentRow)) == 1

    run(scene)


def test_readers_are_those_the_definition_names() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        context = detail.context
        definition = context.type_of("SampleTrip")
        assert definition is not None
        record = session.records.get("t1")
        assert len(readers_of(definition, record, context.organization)) == len(context.organization.people)
        access = msgspec.structs.replace(definition.access, read=("author", "field:driverId", "role:librarian"))
        closed = msgspec.structs.replace(definition, access=access)
        found = readers_of(closed, record, context.organization)
        assert [person.id for person in found] == ["chenjing", "lixiaoming", "sunqiang"]

    run(scene)


# ------------------------------------------------------------ history, follow, share, link, paper
def test_history_tells_old_and_new_and_says_when_it_is_offline() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await session.records.update(session.records.get("t6"), {"destination": "机场", "wanted": None})
        await show(detail, "SampleTrip", "t6")
        detail.tabs.setCurrentIndex(HISTORY)
        await until(lambda: "县档案馆 → 机场" in words(detail.history))
        assert f"2026-10-24 → {tr('office_record.nothing')}" in words(detail.history)
        session.go(ConnectionState.OFFLINE)
        detail.history.reload()
        await until(lambda: detail.history.note.text() == tr("office_record.history_offline"))
        assert "县档案馆 → 机场" in words(detail.history)
        session.go(ConnectionState.LIVE)
        detail.history.retry.click()
        await until(lambda: not detail.history.retry.isVisible())

    run(scene)


def test_following_sharing_and_the_link() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t1")
        detail.follow.click()
        await until(lambda: session.records.following("t1"))
        await until(lambda: detail.follow.toolTip() == tr("office_record.unfollow"))
        detail.follow.click()
        await until(lambda: not session.records.following("t1"))
        detail.copy_link()
        assert QGuiApplication.clipboard().text() == "tongban://SampleTrip/t1"
        detail.share_it()
        await until(lambda: detail.share.model.rows)
        detail.share.search.setText("张敏")
        assert [one.name or "张敏" for one in detail.share.model.rows] != []
        wanted = detail.share.model.rows[0].id
        press(detail.share.search, Qt.Key.Key_Return)
        await until(lambda: session.called("records.send_card"))
        assert session.called("records.send_card")[0][0] == wanted
        await until(lambda: detail.stack.currentWidget() is detail.page)

    run(scene)


def test_the_sheet_is_shown_in_the_reader() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        await show(detail, "SampleTrip", "t1")
        opened: list[LocalDocument] = []
        detail.document_opened.connect(lambda _title, document: opened.append(document))
        press(detail.close_button, Qt.Key.Key_P, Qt.KeyboardModifier.ControlModifier)
        await until(lambda: opened)
        assert opened[0].data.startswith(b"%PDF")
        assert opened[0].name.endswith(".pdf")
        failed: list[str] = []
        detail.document_failed.connect(lambda title, _error: failed.append(title))
        session.failures["records.titles"] = Offline()
        detail.preview()
        await until(lambda: failed)

    run(scene)


def test_attached_files_open_in_the_reader() -> None:
    async def scene(session: RecordsScene, detail: RecordDetail) -> None:
        session.files.blobs["b-sheet"] = b"abc"
        await show(detail, "SampleTrip", "t6")
        opened: list[LocalDocument] = []
        failed: list[str] = []
        detail.document_opened.connect(lambda _title, document: opened.append(document))
        detail.document_failed.connect(lambda title, _error: failed.append(title))
        button = detail.facts.views["papers"].findChild(QPushButton, "attachmentOpen")
        assert button is not None
        card = detail.facts.views["papers"].findChild(AttachmentCard)
        assert card is not None
        detail.facts.file_opened.emit(card.attachment)
        await until(lambda: opened)
        assert opened[0].data == b"abc"
        del session.files.blobs["b-sheet"]
        detail.retry_open()
        await until(lambda: failed)

    run(scene)
