"""The designer: drafts that save themselves, changes that can be had back, files in and out with what was said of them, trying, publishing, offline."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.core.domain import ConnectionState
from desktop.core.domain.processes import ProcessNote, ProcessState
from desktop.core.errors import BadFile
from desktop.models import step_list as lists
from desktop.ui import i18n
from desktop.ui.kit import Button, IconButton, TextField
from desktop.ui.office.module_page import create_module_page
from desktop.ui.office.process.designer.action_rows import ActionRows
from desktop.ui.office.process.designer.pane import DesignerPane
from desktop.ui.office.process.designer.property_card import PROCESS
from desktop.ui.office.process.designer.small_editors import ChoiceBox, ManyBox, MomentEdit
from desktop.ui.office.process.designer.who_editor import WhoEditor
from tests.helpers.case_scene import KEPT, context_of
from tests.helpers.fake_cases import CasesScene
from tests.helpers.stage import RecordingNavigator, click, play, press, settle, shown, until

HEAD: lists.Path = ("steps", 1)


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


async def designer_of(session: CasesScene, module: str = "sample_seals", width: int = 1200) -> DesignerPane:
    pane = DesignerPane(await context_of(session, module))
    KEPT.append(pane)
    shown(pane, width, 800)
    pane.load()
    await until(lambda: pane.form is not None and not pane.tasks.busy, "the process")
    await settle()
    return pane


def item(pane: DesignerPane, path: lists.Path) -> dict[str, object]:
    assert pane.steps is not None
    found = lists.at(pane.steps, path)
    assert isinstance(found, dict)
    return found


def options(pane: DesignerPane, path: lists.Path) -> dict[str, object]:
    found = item(pane, path).get("options")
    assert isinstance(found, dict)
    return found


async def saved(session: CasesScene, pane: DesignerPane) -> object:
    await until(lambda: session.called("cases.save_draft") and not pane.tasks.busy, "the draft")
    return next(call for call in reversed(session.calls) if call[0] == "cases.save_draft")[1]


def test_the_draft_is_shown_with_what_runs_on_which_version() -> None:
    async def scene() -> None:
        pane = await designer_of(CasesScene())
        assert pane.title.text() == "流程设计 · 用印申请"
        assert pane.chip.text() == "草稿 v4 (运行中 v3：12 件)"
        assert pane.publish_button.text() == "发布 v4"
        titles = [card.accessibleName() for card in pane.column.cards]
        assert titles[1].startswith("2, 部门领导审批, 发起人部门负责人（当时）, 限 1 个工作日")
        assert titles[3] == "份数>2, 条件：record.copies > 2"
        assert pane.diagram.sheet.diagram is not None
        texts = [button.text() for button in pane.report.findChildren(Button)]
        assert texts == ["head: camunda:assignee 已改为 departmentHead"]

    play(scene())


def test_choosing_in_the_list_or_in_the_diagram_shows_the_same_properties() -> None:
    async def scene() -> None:
        pane = await designer_of(CasesScene())
        pane.column.choose(HEAD)
        assert pane.card.title.text() == "部门领导审批"
        assert pane.diagram.sheet.picked == "head"
        pane.diagram.chosen.emit("stamp")
        assert pane.path == ("steps", 3)
        assert pane.card.title.text() == "用印登记"
        pane.column.setFocus()
        press(pane.column, Qt.Key.Key_Up)
        assert pane.card.title.text() == "其余情况"

    play(scene())


def test_properties_are_written_and_the_draft_saves_itself() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        pane.column.choose(HEAD)
        editors = pane.card.editors
        who, count, limit, actions = (editors[key] for key in ("performers", "count", "limit", "actions"))
        assert isinstance(who, WhoEditor)
        assert isinstance(count, ChoiceBox)
        assert isinstance(limit, MomentEdit)
        assert isinstance(actions, ManyBox)
        ways = [action.text() for action in who.menu().actions()]
        assert {"发起人部门负责人（当时）", "“申请部门”的负责人", "“用印登记”的办理人", "岗位…"} <= set(ways)
        who.put("role:admin")
        who.ask_word("post")
        who.line.setText("办公室/主任")
        who.line.returnPressed.emit()
        assert options(pane, HEAD)["performers"] == ["departmentHead", "role:admin", "post:办公室/主任"]
        count.setCurrentIndex(1)
        assert options(pane, HEAD)["count"] == "all"
        limit.number.setText("4")
        limit.unit.set_value("h")
        limit.number.editingFinished.emit()
        assert options(pane, HEAD)["limit"] == "4h"
        actions.toggle("approve")
        actions.toggle("return")
        assert options(pane, HEAD)["actions"] == [{"name": "approve"}, {"name": "return"}]
        content = await saved(session, pane)
        assert content == pane.steps
        assert pane.draft_id == "p-seal-4"
        count.setCurrentIndex(0)
        assert "count" not in options(pane, HEAD)

    play(scene())


def test_names_are_written_in_both_languages() -> None:
    async def scene() -> None:
        pane = await designer_of(CasesScene())
        pane.column.choose(HEAD)
        for key, text in (("name", "科长审批"), ("name_en", "Head of section")):
            line = pane.card.editors[key]
            assert isinstance(line, TextField)
            line.setText(text)
            line.editingFinished.emit()
        assert item(pane, HEAD)["name"] == "科长审批"
        assert options(pane, HEAD)["label"] == {"zh": "科长审批", "en": "Head of section"}
        assert pane.steps is not None
        branch = next(row for row in lists.rows_of(pane.steps) if row.kind == lists.BRANCH)
        pane.column.choose(branch.path)
        english = pane.card.findChild(TextField, "english_1")
        assert isinstance(english, TextField)
        english.setText("More than two")
        english.editingFinished.emit()
        assert lists.label_of(lists.at(pane.steps, (*branch.path, "choices", 0)))["en"] == "More than two"
        i18n.set_language("en")
        pane.column.choose(HEAD)
        assert pane.card.title.text() == "Head of section"
        pane.undo()
        pane.undo()
        assert options(pane, HEAD).get("label") is None

    play(scene())


def test_the_process_has_a_name_of_its_own_in_both_languages() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        assert pane.card.kind == PROCESS
        pane.column.choose(HEAD)
        assert pane.card.title.text() == "部门领导审批"
        pane.rename.click()
        assert pane.card.title.text() == "流程"
        for key, text in (("name", "用印审批"), ("name_en", "Approval of seals"), ("name", "")):
            line = pane.card.editors[key]
            assert isinstance(line, TextField)
            line.setText(text)
            line.editingFinished.emit()
        assert pane.steps is not None
        label = {"zh": "用印审批", "en": "Approval of seals"}
        assert (pane.steps["name"], pane.steps["label"]) == ("用印审批", label), "without a name it stays as it was"
        assert pane.title.text() == "流程设计 · 用印审批"
        i18n.set_language("en")
        assert pane.title.text().endswith("Approval of seals")
        assert await saved(session, pane) == pane.steps

    play(scene())


def test_buttons_of_a_step_get_their_words_and_outcomes() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        pane.column.choose(HEAD)
        actions = pane.card.editors["actions"]
        assert isinstance(actions, ManyBox)
        for name in actions.value():
            actions.toggle(name)
        actions.toggle("approve")
        rows = pane.card.editors["buttons"]
        assert isinstance(rows, ActionRows)

        def write(number: int, key: str, text: str) -> None:
            rows.fields[number, key].setText(text)
            rows.fields[number, key].editingFinished.emit()

        write(0, "zh", "同意用印")
        assert options(pane, HEAD)["actions"] == [{"name": "approve", "label": {"zh": "同意用印", "en": "同意用印"}}]
        write(0, "en", "Let it be stamped")
        again = rows.findChild(IconButton, "again_0")
        assert isinstance(again, IconButton)
        click(again)
        write(1, "outcome", "half")
        rows.opinions[1].setCurrentIndex(rows.opinions[1].findData("required"))
        assert options(pane, HEAD)["actions"] == [
            {"name": "approve", "label": {"zh": "同意用印", "en": "Let it be stamped"}},
            {"name": "approve", "outcome": "half", "opinion": "required"},
        ]
        write(0, "zh", "")
        assert rows.value()[0] == {"name": "approve"}
        await saved(session, pane)

    play(scene())


def test_fields_people_and_states_come_from_the_record_type() -> None:
    async def scene() -> None:
        pane = await designer_of(CasesScene())
        pane.column.choose(HEAD)
        editable, state = pane.card.editors["editable"], pane.card.editors["state"]
        assert isinstance(editable, ManyBox)
        assert isinstance(state, ChoiceBox)
        words = [action.text() for action in editable.menu().actions()]
        assert words[:3] == ["全部字段", "事由", "印章"]
        assert [state.itemText(n) for n in range(state.count())] == ["不变", "草稿", "审批中", "已盖章", "未通过"]
        editable.toggle("copies")
        assert options(pane, HEAD)["editable"] == ["copies"]

    play(scene())


def test_steps_are_sorted_by_dragging_and_by_keys_and_all_of_it_can_be_had_back() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        before = pane.steps
        pane.column.choose(HEAD)
        pane.column.setFocus()
        press(pane.column, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        assert pane.path == ("steps", 0)
        assert item(pane, ("steps", 0))["id"] == "head"
        pane.undo()
        assert pane.steps == before
        pane.redo()
        assert item(pane, ("steps", 0))["id"] == "head"
        pane.undo()
        await settle()
        source, goal = pane.column.card(("steps", 3)), pane.column.card(("steps", 2, "otherwise"))
        assert source is not None
        assert goal is not None
        grip = QPoint(40, 12)
        QTest.mousePress(source, Qt.MouseButton.LeftButton, pos=grip)
        for y in (30, 60):
            QTest.mouseMove(source, grip - QPoint(0, y))
        target = source.mapFromParent(QPoint(40, goal.y() + goal.height() - 4))
        QTest.mouseMove(source, target)
        QTest.mouseRelease(source, Qt.MouseButton.LeftButton, pos=target)
        assert pane.steps is not None
        assert lists.path_of(pane.steps, "stamp") == ("steps", 2, "otherwise", "steps", 0)
        assert str(pane.path) == str(("steps", 2, "otherwise", "steps", 0))
        press(pane.column, Qt.Key.Key_Delete)
        assert lists.path_of(pane.steps, "stamp") is None
        pane.undo()
        pane.undo()
        assert pane.steps == before

    play(scene())


def test_steps_branches_and_parallels_are_added_where_one_is() -> None:
    async def scene() -> None:
        pane = await designer_of(CasesScene())
        pane.column.choose(HEAD)
        pane.add_buttons["step"].click()
        assert pane.path == ("steps", 2)
        assert pane.card.title.text() == "新步骤"
        pane.add_buttons["branch"].click()
        assert item(pane, ("steps", 3))["type"] == "branch"
        pane.add_way()
        assert len(item(pane, ("steps", 3))["choices"]) == 2  # type: ignore[arg-type]
        pane.card.way_removed.emit(("steps", 3, "choices", 0))
        assert len(item(pane, ("steps", 3))["choices"]) == 1  # type: ignore[arg-type]
        pane.column.choose(("steps", 3, "choices", 0))
        pane.card.value_set.emit("condition", "record.copies > 5")
        assert item(pane, ("steps", 3, "choices", 0))["condition"] == "record.copies > 5"
        pane.column.choose(("steps", 3, "otherwise"))
        pane.add_buttons["parallel"].click()
        assert item(pane, ("steps", 3, "otherwise", "steps", 0))["type"] == "parallel"
        menu = pane.more_menu()
        menu.actions()[-1].trigger()
        assert pane.path is not None
        assert item(pane, pane.path)["type"] == "end"

    play(scene())


def test_what_the_server_will_not_have_stands_at_its_step() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        session.cases.problems = (ProcessNote("head", "badPerformer", "没有这个角色", "no such role"),)
        pane.column.choose(HEAD)
        pane.card.option_set.emit("performers", ["role:nobody"])
        await until(lambda: pane.problems, "what is wrong")
        await settle()
        card = pane.column.card(HEAD)
        assert card is not None
        assert card.problem == "没有这个角色"
        assert pane._changed_since
        session.cases.problems = ()
        pane.card.option_set.emit("performers", ["role:admin"])
        await until(lambda: not pane.problems and not pane._changed_since, "mended")

    play(scene())


def test_offline_what_is_written_waits_here_and_comes_back() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        session.go(ConnectionState.OFFLINE)
        pane.column.choose(HEAD)
        pane.card.value_set.emit("name", "科室审核")
        await until(pane.banner.isVisible, "the word")
        assert "保留在本机" in pane.banner.text.text()
        await until(lambda: "process/sample_seal" in session.records.drafts)
        session.go(ConnectionState.LIVE)
        again = await designer_of(session)
        await until(lambda: again.steps is not None and item(again, HEAD)["name"] == "科室审核", "what was written")
        content = await saved(session, again)
        assert content == again.steps
        await until(lambda: "process/sample_seal" not in session.records.drafts)

    play(scene())


def test_a_file_comes_in_with_a_report_or_is_refused_by_element(tmp_path: Path) -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        file = tmp_path / "用印.bpmn"
        file.write_bytes(b"<definitions/>")
        await pane.import_file(file)
        assert "已导入为草稿" in pane.banner.text.text()
        assert ("cases.save_draft", b"<definitions/>", "p-seal-4", "SampleSealRequest") in session.calls
        session.cases.problems = (
            ProcessNote("Task_1", "script", "脚本不能运行", "the script can't run"),
            ProcessNote("", "size", "太大", "too large"),
        )
        await pane.import_file(file)
        assert "2 处不能运行" in pane.banner.text.text()
        texts = [button.text() for button in pane.report.findChildren(Button) if not button.isHidden()]
        assert "Task_1: 脚本不能运行" in texts
        assert pane.draft_id == "p-seal-4"  # what was there stays
        with pytest.raises(BadFile):
            await pane.import_file(tmp_path / "not-there.bpmn")
        with pytest.raises(BadFile):
            await pane.import_bytes(bytes(5_000_001))

    play(scene())


def test_the_file_goes_out(tmp_path: Path) -> None:
    async def scene() -> None:
        pane = await designer_of(CasesScene())
        await pane.export_to(tmp_path / "out.bpmn")
        assert b"sample_seal" in (tmp_path / "out.bpmn").read_bytes()
        with pytest.raises(BadFile):
            await pane.export_to(tmp_path / "no" / "out.bpmn")

    play(scene())


def test_trying_it_tells_the_way_and_each_step_may_answer_otherwise() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        pane.open_trial()
        trial = pane.trial
        assert trial.form is not None
        await until(lambda: not trial.form.tasks.busy)  # type: ignore[union-attr]
        trial.run()
        assert trial.problem.text() == "请先填好下面的内容。"
        assert not session.called("cases.try_out")
        subject = trial.form.rows["subject"].editor
        assert subject is not None
        subject.set_value("合同用印")
        subject.changed.emit()
        trial.run()
        await until(lambda: trial.result is not None)
        call = next(call for call in session.calls if call[0] == "cases.try_out")
        assert (call[1], call[2], call[4], call[5]) == ("p-seal-4", "SampleSealRequest", "linyuan", ())
        assert pane.diagram.sheet.lit.done >= {"apply", "head", "office", "stamp"}
        boxes = trial.findChildren(ChoiceBox, "outcome_1")
        assert boxes
        trial.answer(1, "return")
        await until(lambda: [c for c in session.calls if c[0] == "cases.try_out"][-1][5] == ("approved", "return"))
        await until(lambda: not trial.tasks.busy)
        pane.trial.closed.emit()
        assert not pane.diagram.sheet.lit.done

    play(scene())


def test_publishing_says_what_changes_and_happens_after_a_yes() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        pane.publish_button.click()
        assert pane.confirm.isVisible()
        assert "v3：12 件" in pane.confirm.text.text()
        assert "仍按原版办完" in pane.confirm.text.text()
        pane.confirm.no.click()
        assert not session.called("cases.publish")
        pane.publish_button.click()
        pane.confirm.yes.click()
        await until(lambda: session.cases.versions["p-seal-4"].state is ProcessState.PUBLISHED, "published")
        await until(lambda: pane.chip.text().startswith("v4 已发布"))
        assert not pane.publish_button.isEnabled()

    play(scene())


def test_what_keeps_it_from_being_published_is_said() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        session.cases.problems = (ProcessNote("stamp", "noPeople", "没有办理人", "nobody acts"),)
        pane.publish()
        await until(pane.banner.isVisible)
        assert "没有发布" in pane.banner.text.text()
        card = pane.column.card(("steps", 3))
        assert card is not None
        assert card.problem == "没有办理人"

    play(scene())


def test_the_first_change_of_a_published_version_makes_a_draft() -> None:
    async def scene() -> None:
        session = CasesScene()
        del session.cases.versions["p-seal-4"]
        pane = await designer_of(session)
        assert pane.chip.text().startswith("v3 已发布")
        assert pane.draft_id is None
        pane.column.choose(HEAD)
        pane.card.value_set.emit("name", "科室审核")
        assert pane.chip.text().startswith("草稿 v4")
        await until(lambda: pane.draft_id is not None and not pane.tasks.busy, "the draft")
        assert session.cases.versions["p-seal-3"].state is ProcessState.PUBLISHED

    play(scene())


def test_a_process_of_another_shape_is_shown_and_not_edited_as_a_list() -> None:
    async def scene() -> None:
        pane = await designer_of(CasesScene(), "sample_papers")
        assert pane.no_list.isVisible()
        assert "有会签边界事件" in pane.no_list.hint.text()
        assert pane.list_area.isHidden()
        assert pane.below.isHidden()
        pane.open_trial()
        assert pane.trial.isVisible()
        pane.trial.closed.emit()
        assert pane.below.isHidden()
        assert pane.diagram.sheet.isVisible()
        assert pane.export_button.isEnabled()

    play(scene())


def test_a_draft_is_thrown_away_and_a_version_taken_out_of_use_after_a_yes() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await designer_of(session)
        pane.ask_drop()
        pane.confirm.yes.click()
        await until(lambda: "p-seal-4" not in session.cases.versions)
        await until(lambda: pane.form is not None and pane.form.process.id == "p-seal-3")
        pane.ask_retire()
        pane.confirm.yes.click()
        await until(lambda: session.cases.versions["p-seal-3"].state is ProcessState.RETIRED)

    play(scene())


def test_only_administrators_find_the_way_to_it() -> None:
    async def scene() -> None:
        session = CasesScene()
        page = create_module_page(session, RecordingNavigator(), "sample_seals", session.clock.now_ms)
        KEPT.append(page)
        shown(page)
        await until(lambda: page.frame is not None)
        session.me = msgspec.structs.replace(session.me, roles=())
        assert not page.may_design()
        session.me = msgspec.structs.replace(session.me, roles=("process-admin",))
        assert "流程设计" in [action.text() for action in page.more_menu().actions()]
        page.open_designer()
        pane = page.findChild(DesignerPane)
        assert isinstance(pane, DesignerPane)
        await until(lambda: pane.form is not None and not pane.tasks.busy)
        pane.close_button.click()
        await settle()
        assert page.left.currentWidget() is page.stack

    play(scene())


@pytest.mark.parametrize("width", [760, 1500])
def test_it_is_drawn_at_every_size_palette_and_language(width: int) -> None:
    async def scene() -> None:
        pane = await designer_of(CasesScene(), width=width)
        for path in (HEAD, ("steps", 2), ("steps", 2, "choices", 0), ("steps", 4)):
            pane.column.choose(path)
            await settle()
            assert pane.card.title.text()
        assert not pane.grab().isNull()

    play(scene(), mode="dark", scale=2.0, language="en")
