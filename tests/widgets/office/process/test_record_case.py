"""The case inside a record's pane: its tab, coming to the front where the user has to act, submitting a new record, leaving with words in the box."""

from collections.abc import Iterator

import msgspec
import pytest

from desktop.ui.office.process.case_pane import CasePane
from desktop.ui.office.record.detail import FACTS, FLOW, RecordDetail
from tests.helpers.case_samples import PAPER, SEAL
from tests.helpers.case_scene import KEPT, context_of
from tests.helpers.fake_cases import CasesScene
from tests.helpers.fake_records import TRIP, RecordsScene
from tests.helpers.stage import play, settle, shown, until


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


async def detail_of(session: CasesScene, kind: str = "", record: str = "") -> RecordDetail:
    detail = RecordDetail(await context_of(session, "sample_seals"))
    KEPT.append(detail)
    shown(detail, 360, 760)
    if record:
        detail.show_record(kind, record)
        await until(lambda: detail.record is not None and detail.record.id == record)
        await until(lambda: not detail.tasks.busy)
    return detail


def case_of(detail: RecordDetail) -> CasePane:
    assert isinstance(detail.case, CasePane)
    return detail.case


def test_where_the_user_acts_the_case_comes_to_the_front_once() -> None:
    async def scene() -> None:
        session = CasesScene()
        detail = await detail_of(session, SEAL, "s2")
        await until(lambda: detail.tabs.currentIndex() == FLOW, "the case")
        assert case_of(detail).isVisible()
        assert case_of(detail).box.isVisible()
        detail.tabs.setCurrentIndex(FACTS)
        session.cases.put(session.cases.items["w-s2-linyuan"])
        await settle()
        await until(lambda: not case_of(detail).tasks.busy)
        assert detail.tabs.currentIndex() == FACTS
        detail.show_record(PAPER, "d4")
        await until(lambda: case_of(detail).flow is not None and case_of(detail).flow.record_id == "d4")  # type: ignore[union-attr]
        assert detail.tabs.currentIndex() == FACTS
        assert detail.tabs.isTabVisible(FLOW)

    play(scene())


def test_a_type_without_process_and_a_core_without_cases_have_none() -> None:
    async def scene() -> None:
        detail = await detail_of(CasesScene(), TRIP, "t1")
        assert not detail.tabs.isTabVisible(FLOW)
        plain = RecordsScene()
        with_process = CasesScene()
        plain.records.definitions = with_process.records.definitions
        plain.records.put(with_process.records.get("s2"))
        other = RecordDetail(await context_of(plain, "sample_seals"))  # type: ignore[arg-type]
        KEPT.append(other)
        shown(other, 360, 760)
        other.show_record(SEAL, "s2")
        await until(lambda: other.record is not None)
        assert not other.tabs.isTabVisible(FLOW)
        assert other.case is None

    play(scene())


def test_a_new_record_is_submitted_with_the_forms_button() -> None:
    async def scene() -> None:
        session = CasesScene()
        detail = await detail_of(session)
        detail.new(SEAL, {"subject": "合同用印"})
        form = detail.form
        assert form is not None
        await until(lambda: not form.tasks.busy)
        assert form.submit_button.text() == "提交"
        assert not form.save_button.isHidden()
        form.submit()
        await until(lambda: session.cases.case("new-1") is not None, "its case")
        await until(lambda: detail.record is not None and detail.record.id == "new-1")

    play(scene())


def test_who_has_it_next_is_asked_before_the_first_submission() -> None:
    async def scene() -> None:
        session = CasesScene()
        for key, version in session.cases.versions.items():
            if version.process_id == "sample_seal" and version.state == "published":
                steps = tuple(
                    msgspec.structs.replace(one, chooses=("stamp",)) if one.id == "apply" else one
                    for one in version.steps
                )
                session.cases.versions[key] = msgspec.structs.replace(version, steps=steps)
        detail = await detail_of(session)
        detail.new(SEAL, {"subject": "合同用印"})
        form = detail.form
        assert form is not None
        await until(lambda: not form.tasks.busy)
        form.submit()
        await until(lambda: detail.record is not None and detail.record.id == "new-1")
        await until(lambda: detail.tabs.currentIndex() == FLOW, "where it is asked")
        assert session.cases.case("new-1") is None
        box = case_of(detail).box
        await until(lambda: "stamp" in box.pickers, "the picker")
        box.pickers["stamp"].set_value(["hejing"])
        box.go_on()
        await until(lambda: session.cases.case("new-1") is not None, "its case")
        case = session.cases.case("new-1")
        assert case is not None
        (event,) = await session.cases.events(case.id)
        assert {step: list(people) for step, people in event.chosen.items()} == {"stamp": ["hejing"]}

    play(scene())


def test_a_new_record_may_stay_a_draft_and_be_submitted_later() -> None:
    async def scene() -> None:
        session = CasesScene()
        detail = await detail_of(session)
        detail.new(SEAL, {"subject": "合同用印"})
        form = detail.form
        assert form is not None
        await until(lambda: not form.tasks.busy)
        form.save()
        await until(lambda: detail.record is not None and detail.record.id == "new-1")
        assert session.cases.case("new-1") is None
        await until(lambda: detail.tabs.currentIndex() == FLOW, "the way to submit")
        case_of(detail).box.go_on()
        await until(lambda: session.cases.case("new-1") is not None, "its case")

    play(scene())


def test_the_diagram_opens_among_the_rows() -> None:
    async def scene() -> None:
        detail = await detail_of(CasesScene(), SEAL, "s2")
        await until(lambda: case_of(detail).flow is not None)
        case = case_of(detail)
        case.diagram_button.click()
        assert case.drawing is not None
        assert case.drawing.isVisible()
        assert case.drawing.sheet.lit.current.keys() == {"head"}
        case.drawing.closed.emit()
        assert case.drawing.isHidden()
        assert not case.diagram_button.isChecked()

    play(scene())


def test_words_in_the_box_count_as_being_written() -> None:
    async def scene() -> None:
        detail = await detail_of(CasesScene(), SEAL, "s2")
        await until(lambda: detail.tabs.currentIndex() == FLOW)
        await until(lambda: not case_of(detail).box.tasks.busy)
        assert not detail.writing
        case_of(detail).box.edit.setPlainText("份数再核实")
        assert detail.writing

    play(scene())
