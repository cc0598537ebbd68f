"""Acting on a step: exactly the buttons it offers, what each asks, what is missing, drafts, phrases, offline, being overtaken, fields of the step."""

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from desktop.core.domain import ConnectionState
from desktop.core.domain.cases import Refusal
from desktop.core.domain.processes import StepAction
from desktop.core.errors import StorageUnavailable
from desktop.ui.kit import Button
from desktop.ui.office.process.ask_box import Answer
from desktop.ui.office.process.case_pane import CasePane
from desktop.ui.office.record.pick_editors import PickMany, PickOne
from tests.helpers.case_samples import PAPER, SEAL
from tests.helpers.case_scene import KEPT, acts, choice, item_of, pane_of
from tests.helpers.fake_cases import CasesScene
from tests.helpers.stage import play, press, settle, until


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


def labels(pane: CasePane) -> list[str]:
    return [button.text() for button in pane.box.row.buttons.values()]


async def sent(session: CasesScene, pane: CasePane) -> tuple[object, ...]:
    await until(lambda: acts(session) and not pane.box.tasks.running("act"), "the act")
    return acts(session)[-1]


def test_the_buttons_are_exactly_those_of_the_item_the_first_one_leading() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "d1")
        assert labels(pane) == ["签批并流转", "加签", "转办", "退回", "催办"]
        assert pane.box.row.buttons["approve"].property("kind") == "primary"
        assert pane.box.title.text() == "批办意见"
        reading = await pane_of(session, "d3")
        assert labels(reading) == ["已阅"]
        assert reading.box.title.text() == "阅读意见"
        both = msgspec.structs.replace(item_of(session, "d3"), actions=(StepAction("approve"), StepAction("read")))
        session.cases.put(both)
        assert labels(await pane_of(session, "d3")) == ["已阅", "同意"]  # what a round is for comes first
        nothing = await pane_of(session, "d4")
        assert nothing.box.isHidden()
        starter = await pane_of(session, "s1")
        assert labels(starter) == ["撤回", "催办"]
        assert starter.box.row.primary is None
        assert starter.box.edit.isHidden()

    play(scene())


def test_a_narrow_pane_keeps_two_lines_and_puts_the_rest_into_a_menu() -> None:
    async def scene() -> None:
        pane = await pane_of(CasesScene(), "d1", width=190)
        await until(lambda: not pane.box.row.more.isHidden(), "the menu")
        hidden = [one.label for one in pane.box.row.hidden_choices()]
        assert hidden
        assert [action.text() for action in pane.box.row.more_menu().actions()] == hidden
        assert not pane.box.row.buttons["approve"].isHidden()
        pane.resize(700, 720)
        await until(pane.box.row.more.isHidden)

    play(scene())


def test_ctrl_enter_does_what_the_step_is_for_and_the_draft_goes_with_it() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "d2")
        pane.activateWindow()
        pane.box.edit.setFocus()
        QTest.keyClicks(pane.box.edit, "agreed")
        item = item_of(session, "d2")
        key = f"opinion/{item.id}"
        await until(lambda: session.records.drafts.get(key, {}).get("text", "").startswith("a"), "the draft")
        await until(lambda: session.records.drafts[key]["text"] == "agreed", "the whole draft")
        session.cases.put(msgspec.structs.replace(item, required=()))
        pane.reload()
        await until(lambda: pane.box.item is not None and not pane.box.item.required)
        press(pane.box.edit, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        record, name, item_id, more = await sent(session, pane)
        assert (record, name, item_id) == ("d2", "approve", item.id)
        assert isinstance(more, dict)
        assert more["opinion"] == "agreed"
        await until(lambda: key not in session.records.drafts)
        assert pane.box.edit.toPlainText() == ""
        await until(pane.box.isHidden)

    play(scene())


def test_what_was_typed_is_there_again_for_its_item_alone() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "d1")
        pane.box.edit.setPlainText("请防汛办牵头")
        pane.box.pickers["undertake"].set_value(["lixiaoming"])
        pane.box.pickers["undertake"].changed.emit()
        pane.show_record(session.records.get("d3"))
        await until(lambda: pane.flow is not None and pane.flow.record_id == "d3" and not pane.box.tasks.busy)
        assert pane.box.edit.toPlainText() == ""
        pane.show_record(session.records.get("d1"))
        await until(lambda: pane.box.edit.toPlainText() == "请防汛办牵头", "the draft")
        await until(lambda: pane.box.pickers["undertake"].value() == ["lixiaoming"])

    play(scene())


def test_a_change_meanwhile_leaves_what_is_typed() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "d1")
        pane.box.edit.setPlainText("同意")
        calls = len(session.calls)
        session.cases.put(msgspec.structs.replace(item_of(session, "d1"), urged_at=session.clock.now))
        await until(lambda: any(call[0] == "cases.flow" for call in session.calls[calls:]))
        await settle()
        assert pane.box.edit.toPlainText() == "同意"

    play(scene())


def test_returning_asks_where_to_and_wants_words() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "d1")
        box = pane.box
        box.choose(choice(pane, "return"))
        assert [mark.text() for mark, _ in box.ask.steps] == ["拟办 · 办公室 张敏", "登记 · 信息中心 刘洋"]
        assert box.row.isHidden()
        assert "须在上面写明意见" in box.ask.hint.text()
        assert box.title.text() == "批办意见 *"
        box.ask.answer()
        assert box.problem.text() == "请先写明意见。"
        assert not acts(session)
        box.edit.setPlainText("附件不全")
        assert box.problem.isHidden()
        box.ask.steps[1][0].setChecked(True)
        box.ask.answer()
        _, name, _, more = await sent(session, pane)
        assert name == "return"
        assert isinstance(more, dict)
        assert (more["to_step"], more["opinion"]) == ("register", "附件不全")

    play(scene())


def test_escape_takes_a_question_back() -> None:
    async def scene() -> None:
        pane = await pane_of(CasesScene(), "d1")
        pane.box.choose(choice(pane, "return"))
        press(pane.box.ask, Qt.Key.Key_Escape)
        assert pane.box.ask.isHidden()
        assert not pane.box.row.isHidden()
        assert pane.isVisible()

    play(scene())


def test_handing_on_picks_one_and_signers_are_added_before_or_after() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "s2")
        box = pane.box
        box.choose(choice(pane, "transfer"))
        assert isinstance(box.ask.people, PickOne)
        box.ask.answer()
        assert box.ask.problem.text() == "请先选人。"
        box.ask.people.set_value("wufang")
        box.ask.answer()
        _, name, _, more = await sent(session, pane)
        assert isinstance(more, dict)
        assert (name, more["to"]) == ("transfer", ("wufang",))
        other = await pane_of(session, "d6")
        other.box.choose(choice(other, "addSigner"))
        assert isinstance(other.box.ask.people, PickMany)
        before, after = (button for button, _ in other.box.ask.sides)
        assert before.isChecked()
        after.setChecked(True)
        other.box.ask.people.set_value(["wufang", "liuyang"])
        other.box.ask.answer()
        _, name, _, more = await sent(session, other)
        assert isinstance(more, dict)
        assert (name, more["to"]) == ("addSignerAfter", ("wufang", "liuyang"))

    play(scene())


def test_an_approval_wants_its_choices_and_its_signature() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "d1")
        box = pane.box
        box.go_on()
        assert box.problem.text() == "请先选择“承办”由谁办理。"
        box.pickers["undertake"].set_value(["lixiaoming"])
        box.go_on()
        assert box.problem.text() == "请先手写签名。"
        assert box.pen.isVisible()
        sheet = box.pen.sheet
        QTest.mousePress(sheet, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(20, 60))
        for x in range(20, 120, 10):
            QTest.mouseMove(sheet, QPoint(x, 60 + x % 20))
        QTest.mouseRelease(sheet, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, QPoint(120, 60))
        box.go_on()
        await sent(session, pane)
        made = next(event for event in session.cases.history.values() if event.id.startswith("made-"))
        assert made.chosen == {"undertake": ("lixiaoming",)}
        assert made.signature is not None

    play(scene())


def test_refusing_is_asked_once_more_and_terminating_too() -> None:
    async def scene() -> None:
        session = CasesScene()
        item = item_of(session, "d2")
        session.cases.put(msgspec.structs.replace(item, actions=(StepAction("approve"), StepAction("terminate"))))
        pane = await pane_of(session, "d2")
        box = pane.box
        assert box.row.buttons["terminate"].property("kind") == "danger"
        box.choose(choice(pane, "terminate"))
        assert "不能恢复" in box.ask.title.text()
        assert box.ask.no.hasFocus() or not box.isActiveWindow()
        box.ask.dismiss()
        assert not acts(session)
        box.choose(choice(pane, "terminate"))
        box.ask.answer()
        assert (await sent(session, pane))[1] == "terminate"

    play(scene())


def test_offline_it_answers_at_once_and_waits() -> None:
    async def scene() -> None:
        session = CasesScene()
        session.go(ConnectionState.OFFLINE)
        pane = await pane_of(session, "d6")
        pane.box.edit.setPlainText("同意")
        pane.box.go_on()
        await sent(session, pane)
        await until(pane.box.answer_box.isVisible, "the answer")
        assert "等待发送" in pane.box.answer.text()
        assert pane.box.row.isHidden()
        now = next(row for row in pane.list.rows if row.look == "current")
        assert [(one.person_id, one.pending) for one in now.members] == [
            ("wufang", False),
            ("linyuan", True),
            ("wangjianguo", False),
        ]
        session.go(ConnectionState.LIVE)
        await until(pane.box.isHidden, "it is done")

    play(scene())


def test_overtaken_it_says_who_was_faster_and_keeps_the_words() -> None:
    async def scene() -> None:
        session = CasesScene()
        session.go(ConnectionState.OFFLINE)
        pane = await pane_of(session, "d7")
        item = item_of(session, "d7")
        session.cases.put(msgspec.structs.replace(item, required=()))
        pane.reload()
        await until(lambda: pane.box.item is not None and not pane.box.item.required)
        pane.box.edit.setPlainText("由财务科核对")
        pane.box.go_on()
        await sent(session, pane)
        session.cases.by_others(item.id, "wufang", opinion="我来办")
        session.go(ConnectionState.LIVE)
        await until(lambda: pane.cards, "the refusal")
        card = pane.cards[0]
        assert "办公室 吴芳 已于" in card.why.text()
        assert "由财务科核对" in card.typed.text()
        assert card.reuse.isHidden()  # nothing waits for this user any more
        card.drop.click()
        await until(lambda: not pane.cards, "let go")

    play(scene())


def test_what_was_refused_goes_back_into_the_box_and_takes_its_place() -> None:
    async def scene() -> None:
        session = CasesScene()
        session.cases.refuse["d6"] = Refusal(
            "invalidProperties", properties=("opinion",), reasons={"opinion": "too short"}
        )
        pane = await pane_of(session, "d6")
        pane.box.edit.setPlainText("同")
        pane.box.go_on()
        await until(lambda: pane.cards, "the refusal")
        assert "意见 (too short)" in pane.cards[0].why.text()
        pane.cards[0].reuse.click()
        assert pane.box.edit.toPlainText() == "同"
        pane.box.edit.insertPlainText("意")
        pane.box.go_on()
        await until(lambda: not session.cases.sent_back.keys() - {"x-d5"}, "its place is taken")

    play(scene())


def test_a_failure_is_said_and_nothing_is_lost() -> None:
    async def scene() -> None:
        session = CasesScene()
        session.failures["cases.act"] = StorageUnavailable(reason="full")
        pane = await pane_of(session, "d6")
        pane.box.edit.setPlainText("同意")
        pane.box.go_on()
        await until(lambda: not pane.box.problem.isHidden(), "the reason")
        assert pane.box.edit.toPlainText() == "同意"
        assert pane.box.row.buttons["approve"].isEnabled()

    play(scene())


def test_phrases_go_where_the_cursor_is_and_the_list_is_ones_own() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "d1")
        line = pane.box.phrases
        assert line.phrases[0] == "同意"
        line.taken.emit("同意")
        line.taken.emit("请阅")
        assert pane.box.edit.toPlainText() == "同意，请阅"
        line.open_editor()
        line.text.setPlainText("照办\n\n照办\n请张主任阅处 ")
        line.save()
        await until(lambda: session.cases.own_phrases == ["照办", "请张主任阅处"])
        await until(lambda: line.phrases == ["照办", "请张主任阅处"])
        words = [button.text() for button in line.findChildren(Button) if not button.isHidden()]
        assert "照办" in words

    play(scene())


def test_the_fields_of_the_step_go_with_it() -> None:
    async def scene() -> None:
        session = CasesScene()
        item = item_of(session, "s2")
        session.cases.put(msgspec.structs.replace(item, required=("copies",)))
        pane = await pane_of(session, "s2")
        form = pane.box.form
        assert form is not None
        assert set(form.rows) == {"copies", "papers"}
        assert form.foot.isHidden()
        editor = form.rows["copies"].editor
        assert editor is not None
        editor.set_value(None)
        form._on_changed("copies")
        pane.box.go_on()
        assert pane.box.problem.text() == "请先填好上面的内容。"
        assert not acts(session)
        editor.set_value(5)
        form._on_changed("copies")
        pane.box.go_on()
        more = (await sent(session, pane))[3]
        assert isinstance(more, dict)
        assert more["values"] == {"copies": 5}
        await until(lambda: session.records.get("s2").data["copies"] == 5)

    play(scene())


def test_a_draft_is_submitted_and_its_case_begins() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "s4")
        assert labels(pane) == ["提交"]
        pane.box.go_on()
        await until(lambda: session.cases.case("s4") is not None, "the case")
        await until(lambda: pane.flow is not None and pane.flow.case is not None)
        assert any(row.look == "current" for row in pane.list.rows)

    play(scene())


def test_a_draft_whose_starter_picks_who_decides_is_submitted_with_them() -> None:
    async def scene() -> None:
        session = CasesScene()
        held = session.cases.versions["p-seal-3"]
        own, *others = held.steps
        steps = (msgspec.structs.replace(own, chooses=("head",)), *others)
        session.cases.versions[held.id] = msgspec.structs.replace(held, steps=steps)
        pane = await pane_of(session, "s4")
        assert list(pane.box.pickers) == ["head"]
        pane.box.go_on()
        await settle()
        assert (session.cases.case("s4"), "部门领导审批" in pane.box.problem.text()) == (None, True)
        pane.box.pickers["head"].set_value(["lixiaoming"])
        pane.box.go_on()
        await until(lambda: session.cases.case("s4") is not None, "the case")
        (event,) = [one for one in session.cases.history.values() if one.record_id == "s4" and one.action == "submit"]
        assert {step: list(people) for step, people in event.chosen.items()} == {"head": ["lixiaoming"]}
        await until(lambda: not pane.box.pickers)

    play(scene())


def test_the_starter_withdraws_with_or_without_words() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "s1")
        pane.box.choose(choice(pane, "withdraw"))
        assert pane.box.edit.isVisible()
        pane.box.ask.answer()
        _, name, item, _ = await sent(session, pane)
        assert (name, item) == ("withdraw", None)

    play(scene())


def test_what_may_not_be_done_any_more_is_not_asked_on() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session, "d7")
        pane.box.choose(choice(pane, "transfer"))
        session.cases.by_others(item_of(session, "d7").id, "wufang")
        await until(pane.box.ask.isHidden, "the question is gone")
        assert pane.box.isHidden()

    play(scene())


@pytest.mark.parametrize(("kind", "record"), [(PAPER, "d1"), (SEAL, "s2")])
def test_the_english_screen_has_words_for_everything(kind: str, record: str) -> None:
    async def scene() -> None:
        pane = await pane_of(CasesScene(), record)
        words = [*labels(pane), pane.box.title.text(), pane.box.edit.placeholderText()]
        assert all("office_process" not in word for word in words)
        assert isinstance(Answer(pane.box.offered[0]), Answer)

    del kind
    play(scene(), language="en", scale=2.0, mode="dark")
