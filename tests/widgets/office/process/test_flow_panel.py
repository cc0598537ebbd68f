"""The flow panel: its words, members and readers on demand, files, what changes live, the reader's place, both languages and palettes."""

from collections.abc import Iterator
from datetime import datetime

import msgspec
import pytest

from desktop.core.domain.cases import CurrentStep
from desktop.core.domain.chat_parts import Attachment
from desktop.ui import i18n
from desktop.ui.kit import Button
from desktop.ui.office.process import words
from desktop.ui.office.process.flow_panel import FlowPanel, lit_of
from desktop.ui.office.process.flow_row import MemberLine
from desktop.ui.office.process.pen_canvas import PenSheet
from desktop.ui.office.process.signature_view import SignatureView, decode_signature
from desktop.ui.theme import icons
from tests.helpers.case_samples import PAPER, SEAL
from tests.helpers.case_scene import KEPT, context_of
from tests.helpers.fake_cases import CasesScene
from tests.helpers.fake_session import HOUR, NOW
from tests.helpers.stage import play, settle, shown, until


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


async def panel_of(session: CasesScene, kind: str, record: str, height: int = 560) -> FlowPanel:
    panel = FlowPanel(await context_of(session))
    KEPT.append(panel)
    shown(panel, 290, height)
    panel.show_flow(await session.cases.flow(kind, record))
    await settle()
    return panel


def heads(panel: FlowPanel) -> list[str]:
    return [panel.list.views[row.key].head.text() for row in panel.list.rows]


def place(panel: FlowPanel, key: str) -> int:
    """Where a row stands in what is seen."""
    view = panel.list.views[key]
    return view.mapTo(panel.area.viewport(), view.rect().topLeft()).y()


def times(panel: FlowPanel) -> list[str]:
    return [panel.list.views[row.key].time.text() for row in panel.list.rows]


def test_it_says_what_the_mockup_says() -> None:
    async def scene() -> None:
        panel = await panel_of(CasesScene(), PAPER, "d1")
        assert heads(panel)[:4] == ["签收 信息中心 刘洋", "登记 信息中心 刘洋", "拟办 办公室 张敏", "批办 林远（您）"]
        assert heads(panel)[6] == "传阅 9 人"
        assert "「请林局批示,防汛办主办」" in times(panel)[2]
        assert times(panel)[3].startswith("剩余 1 小时")
        assert times(panel)[4] == "待办"

    play(scene())


def test_overdue_is_said_and_delegation_keeps_both_names() -> None:
    async def scene() -> None:
        session = CasesScene()
        late = await panel_of(session, PAPER, "d7")
        assert any(text.startswith("超时 ") for text in times(late))
        assert any("办理超时" in head for head in heads(late))
        shared = next(head for head in heads(late) if head.startswith("承办 林远（您）、"))
        assert "吴芳" in shared
        other = await panel_of(session, SEAL, "s2")
        assert "部门领导审批 林远（您） 代 王建国" in heads(other)
        back = await panel_of(session, SEAL, "s3")
        assert any("退回 → 申请" in head for head in heads(back))

    play(scene())


def test_unread_names_come_when_asked() -> None:
    async def scene() -> None:
        panel = await panel_of(CasesScene(), PAPER, "d3")
        row = panel.list.views["read:circulate"]
        assert row.head.text() == "传阅 5/9 已阅"
        assert not row.findChildren(MemberLine)
        words = [button.text() for button in row.findChildren(Button, "flowNames")]
        assert words == ["未阅 4 人"]
        row.toggle_names()
        await settle()
        named = " ".join(line.accessibleName() for line in row.findChildren(MemberLine))
        assert "孙丽" in named
        assert "张敏" in named

    play(scene())


def test_members_of_a_countersigning_are_listed_with_what_they_said() -> None:
    async def scene() -> None:
        panel = await panel_of(CasesScene(), PAPER, "d6")
        row = panel.list.views["now:countersign"]
        assert row.head.text() == "会签 1/3"
        lines = [line.accessibleName() for line in row.findChildren(MemberLine)]
        assert any("「同意。」" in line and "吴芳" in line and line.startswith("已办") for line in lines)

    play(scene())


def test_what_happens_meanwhile_keeps_rows_and_the_readers_place() -> None:
    async def scene() -> None:
        session = CasesScene()
        panel = await panel_of(session, PAPER, "d1", height=220)
        bar = panel.area.verticalScrollBar()
        bar.setValue(bar.maximum())
        await settle()
        kept = dict(panel.list.views)
        key = "next:circulate"
        before = place(panel, key)
        session.cases.by_others("w-d1-linyuan", "linyuan", opinion="同意,请防汛办办理。")
        panel.show_flow(await session.cases.flow(PAPER, "d1"))
        assert panel.list.views[key] is kept[key]
        await until(lambda: "「同意,请防汛办办理。」" in " ".join(times(panel)))
        await until(lambda: abs(place(panel, key) - before) <= 2, "the place")
        assert any("「同意,请防汛办办理。」" in text for text in times(panel))

    play(scene())


def test_what_comes_back_to_the_reader_comes_into_sight() -> None:
    async def scene() -> None:
        session = CasesScene()
        panel = await panel_of(session, PAPER, "d7", height=200)
        bar = panel.area.verticalScrollBar()
        bar.setValue(bar.maximum())
        await settle()
        back = CurrentStep("register", "登记", NOW, None, None, ("linyuan",))
        session.cases.put(msgspec.structs.replace(session.cases.held["c-d7"], now=(back,)))
        panel.show_flow(await session.cases.flow(PAPER, "d7"))
        shown_part = panel.area.viewport().height()
        await until(lambda: 0 <= place(panel, "now:register") < shown_part, "the current step")

    play(scene())


def test_another_record_shows_where_it_is_now() -> None:
    async def scene() -> None:
        session = CasesScene()
        panel = await panel_of(session, PAPER, "d4", height=200)
        panel.show_flow(await session.cases.flow(PAPER, "d1"))
        await until(lambda: 0 <= place(panel, "now:instruct") < panel.area.viewport().height() - 20, "where it is")
        assert panel.state.isHidden()
        panel.show_flow(await session.cases.flow(PAPER, "d4"))
        assert panel.state.text() == "已办结"

    play(scene())


def test_files_open_and_time_goes_on() -> None:
    async def scene() -> None:
        session = CasesScene()
        panel = await panel_of(session, PAPER, "d1")
        opened: list[Attachment] = []
        panel.file_opened.connect(opened.append)
        button = next(b for b in panel.findChildren(Button) if b.text() == "拟办单.pdf")
        button.click()
        assert [one.name for one in opened] == ["拟办单.pdf"]
        session.clock.now += 3 * HOUR
        panel.list.views["now:instruct"].tick()
        assert panel.list.views["now:instruct"].time.text().startswith("超时 15 分钟")

    play(scene())


@pytest.mark.parametrize(
    ("since", "now", "zh"),
    [
        ("2026-11-23 10:00", "2026-11-23 10:40", "40 分钟"),
        ("2026-11-23 09:00", "2026-11-23 11:00", "2 小时"),
        ("2026-11-20 17:00", "2026-11-23 10:00", "3 天（工作时间 2 小时）"),
        ("2026-11-21 09:00", "2026-11-22 09:00", "24 小时（非工作时间）"),
        ("2026-11-21 09:00", "2026-11-21 09:20", "20 分钟"),
    ],
)
def test_how_long_somebody_has_it_tells_working_time_where_it_differs(since: str, now: str, zh: str) -> None:
    i18n.set_language("zh")
    moments = [int(datetime.strptime(one, "%Y-%m-%d %H:%M").astimezone().timestamp() * 1000) for one in (since, now)]
    assert words.waited(moments[0], moments[1]) == zh


def test_the_language_changes_in_place() -> None:
    async def scene() -> None:
        panel = await panel_of(CasesScene(), PAPER, "d1")
        i18n.set_language("en")
        await settle()
        assert times(panel)[4] == "To come"
        assert heads(panel)[3] == "Instruct 林远 (you)"
        assert heads(panel)[0].startswith("Sign for it")
        i18n.set_language("zh")

    play(scene())


def test_the_diagram_is_lit_as_far_as_the_case_is() -> None:
    async def scene() -> None:
        session = CasesScene()
        context = await context_of(session)
        diagram, lit, title = lit_of(await session.cases.flow(SEAL, "s1"), context)
        assert diagram is not None
        assert title == "用印申请 · 第 3 版"
        assert {"start", "apply"} <= lit.done
        assert lit.current == {"head": "张敏 · 剩 2 小时"}
        assert lit.spent == {"apply": "20 分钟"}
        assert not lit.late
        passed = msgspec.structs.replace(session.cases.held["c-s1"], way=("start", "apply", "gate"))
        session.cases.put(passed)
        assert (
            "gate" in lit_of(await session.cases.flow(SEAL, "s1"), context)[1].done
        )  # what the program did itself is lit, too
        late = CurrentStep("head", "部门领导审批", NOW - HOUR, NOW - 1, None, ("zhangmin",))
        session.cases.put(msgspec.structs.replace(session.cases.held["c-s1"], now=(late,)))
        assert lit_of(await session.cases.flow(SEAL, "s1"), context)[1].late == {"head"}
        assert lit_of(await session.cases.flow(SEAL, "s4"), context)[0] is None

    play(scene())


def test_a_signature_is_fetched_and_drawn_and_rubbish_is_not() -> None:
    async def scene() -> None:
        session = CasesScene()
        sheet = PenSheet()
        KEPT.append(sheet)
        shown(sheet, 240, 120)
        sheet.write_name("张敏")
        session.files.blobs["blob-sign-zhang"] = sheet.png()
        panel = await panel_of(session, PAPER, "d1")
        view = panel.findChild(SignatureView)
        assert isinstance(view, SignatureView)
        await until(lambda: view.image is not None and view.isVisible(), "the signature")
        assert decode_signature(b"no picture") is None
        session.files.blobs.clear()
        again = await panel_of(session, PAPER, "d1")
        missing = again.findChild(SignatureView)
        assert isinstance(missing, SignatureView)
        await until(lambda: not missing.tasks.busy)
        assert missing.isHidden()

    play(scene())


def test_every_icon_there_is() -> None:
    for name in ("flow-arrow", "pen-nib", "code", "hand-pointing", "check-circle-fill", "circle", "download-simple"):
        assert icons.exists(name), name
