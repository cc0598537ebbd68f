"""Fields and views changed by an administrator: drafts, what each line says, order, new fields, publishing; and that the server takes what comes out."""

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt

from desktop.core.domain import ConnectionState
from desktop.core.domain.definition import Label
from desktop.core.domain.processes import Unsound
from desktop.models import module_changes as changes
from desktop.models.module_changes import Draft
from desktop.ui.kit import CheckBox, TextField
from desktop.ui.office.process.designer.changes_pane import VIEWS, ChangesPane
from desktop.ui.office.process.designer.small_editors import ChoiceBox, ManyBox
from server_stub.modules.engine.overlays import Changes
from tests.helpers.case_samples import SEAL, case_modules
from tests.helpers.case_scene import KEPT, context_of
from tests.helpers.fake_cases import CasesScene
from tests.helpers.stage import play, press, settle, shown, until

SEALS = next(one for one in case_modules() if one.id == "sample_seals")
TYPE = SEALS.types[0]


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


def taken(draft: Draft) -> None:
    """The server reads it: no key it does not know, no value of another kind."""
    msgspec.convert(draft, Changes)


def test_changes_are_said_as_little_as_can_be() -> None:
    draft = changes.field_changed({}, SEAL, "note", label={"zh": "说明", "en": "Remark"}, required=True)
    assert draft == {
        "types": [
            {"name": SEAL, "change": [{"name": "note", "label": {"zh": "说明", "en": "Remark"}, "required": True}]}
        ]
    }
    taken(draft)
    hidden = changes.field_changed(draft, SEAL, "copies", hidden=True)
    line = next(one for one in changes.field_lines(TYPE, hidden) if one.name == "copies")
    assert (line.hidden, line.label.zh) == (True, "份数")
    assert changes.field_changed(hidden, SEAL, "copies", hidden=False) == draft
    assert changes.field_dropped(draft, SEAL, "note") == {}
    assert draft["types"][0]["change"][0]["required"] is True


def test_new_fields_have_names_of_their_own_and_go_again() -> None:
    draft, first = changes.field_added({}, TYPE, "text", Label(zh="电话", en="Telephone"))
    draft, second = changes.field_added(draft, TYPE, "choice", Label(zh="级别", en="Level"))
    assert (first, second) == ("extra1", "extra2")
    taken(draft)
    lines = {one.name: one for one in changes.field_lines(TYPE, draft)}
    assert (lines[second].new, lines[second].kind) == (True, "choice")
    ordered = changes.fields_ordered(draft, SEAL, [second, "subject"])
    assert [one.name for one in changes.field_lines(TYPE, ordered)][:2] == [second, "subject"]
    taken(ordered)
    assert second not in {one.name for one in changes.field_lines(TYPE, changes.field_dropped(ordered, SEAL, second))}


def test_choices_keep_their_values() -> None:
    known = [{"value": "office", "label": {"zh": "行政公章", "en": "Official seal"}}]
    made = changes.choices_of("行政公章 = Seal of the office\n财务章 = Finance\n\n其他", known)
    assert [one["value"] for one in made] == ["office", "finance", "choice"]
    assert made[2]["label"] == {"zh": "其他", "en": "其他"}
    twice = changes.choices_of("甲 = Same\n乙 = Same")
    assert len({one["value"] for one in twice}) == 2


def test_views_are_renamed_hidden_and_sorted() -> None:
    draft = changes.view_changed({}, "requests", label={"zh": "申请", "en": "Requests"}, columns=["subject"])
    draft = changes.views_ordered(draft, ["requests"])
    taken(draft)
    assert changes.view_lines(SEALS, draft)[0].label.zh == "申请"
    gone = changes.view_changed(draft, "requests", hidden=True)
    assert changes.view_lines(SEALS, gone)[0].hidden
    taken(gone)


async def pane_of(session: CasesScene) -> ChangesPane:
    pane = ChangesPane(await context_of(session, "sample_seals"))
    KEPT.append(pane)
    shown(pane, 1000, 700)
    pane.load()
    await until(lambda: pane.loaded, "the module")
    await settle()
    return pane


async def saved(session: CasesScene, pane: ChangesPane) -> Draft:
    await until(lambda: session.called("cases.save_overlay") and not pane._unsaved and not pane.tasks.busy, "the draft")
    held = session.cases.overlays["sample_seals"].draft
    assert held is not None
    taken(held)
    return held


def test_fields_are_renamed_sorted_and_saved_as_a_draft() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        assert pane.list.keys()[:2] == ["number", "subject"]
        pane.list.setCurrentRow(1)
        assert pane.name.text() == "事由"
        line = pane.editors["label_zh"]
        assert isinstance(line, TextField)
        line.setText("用印事由")
        line.editingFinished.emit()
        assert pane.list.item(1).text().startswith("用印事由 · 单行文字")
        assert "已修改" in pane.list.item(1).text()
        press(pane.list, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
        assert pane.list.keys()[:2] == ["subject", "number"]
        hide = pane.editors["hide"]
        assert isinstance(hide, CheckBox)
        hide.click()
        draft = await saved(session, pane)
        entry = draft["types"][0]
        assert entry["change"][0] == {"name": "subject", "label": {"zh": "用印事由", "en": "Subject"}, "hidden": True}
        assert entry["order"][:2] == ["subject", "number"]

    play(scene())


def test_a_new_field_gets_a_kind_and_choices_and_may_go_again() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        pane.add_field("text")
        assert pane.current == "extra1"
        kind = pane.editors["kind"]
        assert isinstance(kind, ChoiceBox)
        kind.set_value("choice")
        kind.changed.emit()
        assert "choices" in pane.editors
        await saved(session, pane)
        pane.drop()
        assert "extra1" not in set(pane.list.keys())

    play(scene())


def test_views_too() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        pane.show_part(VIEWS)
        assert pane.list.keys() == ["requests"]
        assert pane.add.isHidden()
        columns = pane.editors["columns"]
        assert isinstance(columns, ManyBox)
        columns.toggle("number")
        draft = await saved(session, pane)
        assert "number" not in draft["views"][0]["columns"]

    play(scene())


def test_publishing_says_what_it_does_first() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        pane.add_field("date")
        pane.ask_publish()
        await until(pane.confirm.isVisible, "the question")
        assert "新增 1 个字段" in pane.confirm.text.text()
        pane.confirm.yes.click()
        await until(lambda: session.called("cases.publish_overlay"))
        await until(lambda: not pane.tasks.busy)
        assert session.cases.overlays["sample_seals"].changes is not None
        pane.add_field("date")
        pane.throw()
        await until(lambda: not pane.tasks.busy)
        assert session.cases.overlays["sample_seals"].draft is None

    play(scene())


def test_offline_it_says_that_nothing_is_saved_and_tries_again() -> None:
    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        session.go(ConnectionState.OFFLINE)
        pane.add_field("date")
        await until(pane.banner.isVisible, "the word")
        assert pane._unsaved
        session.go(ConnectionState.LIVE)
        pane.save()
        await saved(session, pane)
        again = await pane_of(session)
        assert "extra1" in set(again.list.keys())

    play(scene(), mode="dark", language="en", scale=2.0)


def test_why_it_is_not_sound_is_said_in_the_language_of_the_screen() -> None:
    """With the labels of what it is about; what the client does not know is in the server's words."""

    async def scene() -> None:
        session = CasesScene()
        pane = await pane_of(session)
        because = {"code": "viewNeedsIt", "args": {"view": "requests"}}
        session.cases.unsound = (
            Unsound("x", "x", f"types.{SEAL}", "cannotHide", {"name": "subject", "why": because}),
            Unsound(
                "x",
                "x",
                f"types.{SEAL}.subject",
                "wrongKind",
                {"name": "subject", "kind": "text", "kinds": ["date", "span"]},
            ),
            Unsound(
                "x", "x", f"types.{SEAL}.change.subject.label.zh", "mustBe", {"meant": {"code": "aText", "args": {}}}
            ),
            Unsound("Something new", "Something new", "types.X", "newer", {}),
            Unsound("Something else", "Something else", "types.X", "noField", {"other": 1}),
        )
        pane.add_field("date")
        await saved(session, pane)
        pane.ask_publish()
        await until(pane.banner.isVisible, "the word")
        said = pane.banner.text.text().splitlines()
        assert said[1:] == [
            "用印申请：“事由”不能隐藏：页签“用印申请”要用它",
            "用印申请 · 事由：“事由”是单行文字，这里要用：日期、时段",
            "用印申请 · 改动 · 事由 · 名称 · 中文：须是1 到 500 个字的文字",
            "Something new",
            "Something else",
        ]
        assert not pane.confirm.isVisible()

    play(scene())


def test_without_a_connection_it_can_be_tried_again() -> None:
    async def scene() -> None:
        session = CasesScene()
        session.go(ConnectionState.OFFLINE)
        pane = ChangesPane(await context_of(session, "sample_seals"))
        KEPT.append(pane)
        shown(pane, 900, 600)
        pane.load()
        await until(lambda: not pane.tasks.busy and pane.state.action.isVisible(), "a way to try again")
        session.go(ConnectionState.LIVE)
        pane.state.action.click()
        await until(lambda: pane.loaded)

    play(scene())
