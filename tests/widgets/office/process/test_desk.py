"""The desk: lists with counts, rows, the document in the middle, keys, what stays while the list moves on, links from outside, narrow windows."""

from collections.abc import Iterator

import msgspec
import pytest
from PySide6.QtCore import Qt

from desktop.core.domain import ConnectionState
from desktop.core.domain.cases import WorkTab
from desktop.core.errors import StorageUnavailable
from desktop.ui import i18n
from desktop.ui.office.process.desk import NARROW, NARROWEST, WIDE, DeskView
from desktop.ui.office.process.desk_list import record_of
from tests.helpers.case_samples import PAPER, SEAL
from tests.helpers.case_scene import KEPT, desk_of, with_desk
from tests.helpers.fake_cases import CasesScene
from tests.helpers.stage import play, press, settle, shown, until


@pytest.fixture(autouse=True)
def _release() -> Iterator[None]:
    yield
    KEPT.clear()


def records(desk: DeskView) -> list[str]:
    return [record_of(row)[1] for row in desk.model.rows.rows]


def tabs(desk: DeskView) -> list[str]:
    return [button.text() for button in desk.tabs.buttons.values()]


async def reads(desk: DeskView, record_id: str) -> None:
    await until(lambda: desk.page.record is not None and desk.page.record.id == record_id, record_id)
    await until(lambda: desk.pane.flow is not None and desk.pane.flow.record_id == record_id, "its flow")
    await until(lambda: not desk.pane.box.tasks.busy and not desk.page.tasks.busy)


def test_lists_counts_and_words_of_rows() -> None:
    async def scene() -> None:
        _, desk = await desk_of(CasesScene())
        assert tabs(desk) == ["待办 6", "待阅 1", "已办", "我发起", "全部"]
        assert records(desk)[0] == "d7"  # the overdue one
        says, rows = desk.says, {record_of(row)[1]: row for row in desk.model.rows.rows}
        assert says.detail(rows["d1"]) == "省水利厅 · 苏水防〔2026〕18号"
        assert says.chip(rows["d1"]) == ("特急", "red")
        assert says.step(rows["d1"]) == ("批办 · 剩 1 小时", "ink3")
        assert says.step(rows["d7"])[0].startswith("承办 · 超时")
        assert says.step(rows["d7"])[1] == "red_text"
        assert says.step(rows["s2"])[0] == "部门领导审批 · 代 王建国 · 剩 4 小时"
        assert (says.unread(rows["d2"]), says.unread(rows["d1"])) == (True, False)
        assert "已离线" in says.spoken(rows["d1"])
        assert "未读" in says.spoken(rows["d2"])
        desk.show_tab(WorkTab.TO_READ)
        await until(lambda: records(desk) == ["d3"])
        desk.show_tab(WorkTab.DONE)
        await until(lambda: "d4" in records(desk))
        done = next(row for row in desk.model.rows.rows if record_of(row)[1] == "d4")
        assert "已归档" in desk.says.step(done)[0]
        desk.show_tab(WorkTab.ALL)
        await until(lambda: len(records(desk)) == 10)
        desk.show_tab(WorkTab.TODO)
        await until(lambda: len(records(desk)) == 6)
        await reads(desk, records(desk)[0])
        assert desk.reading == records(desk)[0]

    play(scene())


def test_the_first_one_is_read_and_keys_lead_on() -> None:
    async def scene() -> None:
        page, desk = await desk_of(CasesScene())
        await reads(desk, "d7")
        page.activateWindow()
        await until(page.isActiveWindow)
        desk.list.setFocus()
        press(desk.list, Qt.Key.Key_J)
        await reads(desk, records(desk)[1])
        press(desk.list, Qt.Key.Key_K)
        await reads(desk, "d7")
        press(desk.list, Qt.Key.Key_Return)
        await until(desk.pane.box.edit.hasFocus, "the opinion")
        press(desk.pane.box.edit, Qt.Key.Key_J)
        assert desk.pane.box.edit.toPlainText() == "j"
        assert desk.reading == "d7"

    play(scene())


def test_the_document_is_in_the_middle_and_its_sheet_a_press_away() -> None:
    async def scene() -> None:
        session = CasesScene()
        session.files.blobs["blob-18"] = "关于做好防汛值班工作的通知".encode()
        record = session.records.get("d1")
        files = [{"blobId": "blob-18", "name": "通知.txt", "type": "text/plain", "size": 60}]
        session.records.put(msgspec.structs.replace(record, data={**record.data, "body": files}))
        _, desk = await desk_of(session)
        assert desk.open_here(PAPER, "d1")
        await reads(desk, "d1")
        page = desk.page
        await until(lambda: page.stack.currentWidget() is page.reader and page.reader.kind is not None, "the document")
        assert page.title.text() == "关于做好 2026 年防汛值班工作的通知"
        assert page.chip.text() == "特急"
        session.files.blobs["blob-19"] = "盖了章的通知".encode()
        sealed = [{"blobId": "blob-19", "name": "用印稿.txt", "type": "text/plain", "size": 18}]
        shown = session.records.get("d1")
        session.records.put(msgspec.structs.replace(shown, data={**shown.data, "body": sealed}), tell=True)
        await until(lambda: page.shown_file == "blob-19", "what took its place")
        await until(lambda: not page.tasks.busy)
        page.parts["sheet"].click()
        assert page.stack.currentWidget() is page.sheet
        names = [action.text() for action in page.menu().actions()]
        assert names[0] == "用印稿.txt"
        assert desk.open_here(SEAL, "s2")
        await reads(desk, "s2")
        assert page.stack.currentWidget() is page.sheet
        assert page.parts["document"].isHidden()

    play(scene())


def test_a_document_that_can_not_be_had_says_so_and_can_be_tried_again() -> None:
    async def scene() -> None:
        session = CasesScene()
        _, desk = await desk_of(session)
        desk.open_here(PAPER, "d1")
        await reads(desk, "d1")
        page = desk.page
        await until(lambda: not page.tasks.busy)
        assert page.stack.currentWidget() is page.reader
        assert page.reader.kind is None
        session.files.blobs["blob-18"] = b"%PDF-no"
        page.reader.retry.emit()
        await until(lambda: session.called("files.open_bytes"))
        await until(lambda: not page.tasks.busy)

    play(scene())


def test_what_is_read_stays_when_it_leaves_the_list() -> None:
    async def scene() -> None:
        session = CasesScene()
        _, desk = await desk_of(session)
        desk.open_here(PAPER, "d6")
        await reads(desk, "d6")
        place = records(desk).index("d6")
        following = records(desk)[place + 1]
        desk.pane.box.edit.setPlainText("同意")
        desk.pane.box.go_on()
        await until(lambda: "d6" not in records(desk), "done")
        assert desk.reading == "d6"
        assert not desk.list.currentIndex().isValid()
        assert not desk.list.selectionModel().hasSelection()
        await until(lambda: tabs(desk)[0] == "待办 5")
        desk.list.setFocus()
        await settle()
        assert desk.reading == "d6"
        assert not desk.list.selectionModel().hasSelection()
        press(desk.list, Qt.Key.Key_Down)
        await reads(desk, following)

    play(scene())


def test_offline_the_row_says_that_it_waits() -> None:
    async def scene() -> None:
        session = CasesScene()
        session.go(ConnectionState.OFFLINE)
        _, desk = await desk_of(session)
        desk.open_here(PAPER, "d6")
        await reads(desk, "d6")
        desk.pane.box.go_on()
        row = desk.model.find
        await until(lambda: desk.says.step(desk.model.row(row("d6")))[0] == "已提交，等待发送", "the row")

    play(scene())


def test_others_work_flows_in_without_moving_what_is_read() -> None:
    async def scene() -> None:
        session = CasesScene()
        _, desk = await desk_of(session)
        desk.open_here(SEAL, "s2")
        await reads(desk, "s2")
        desk.pane.box.edit.setPlainText("先看看")
        session.cases.by_others("w-d7-shared", "wufang")
        await until(lambda: "d7" not in records(desk))
        assert desk.reading == "s2"
        current = desk.current()
        assert current is not None
        assert record_of(current)[1] == "s2"
        assert desk.pane.box.edit.toPlainText() == "先看看"

    play(scene())


def test_search_narrows_and_an_empty_list_says_so() -> None:
    async def scene() -> None:
        page, desk = await desk_of(CasesScene())
        page.search.setText("档案局")
        await until(lambda: records(desk) == ["d2"])
        page.search.setText("没有这样的")
        await until(desk.state.isVisible)
        assert desk.list.isHidden()
        page.search.clear()
        await until(lambda: len(records(desk)) == 6)

    play(scene())


def test_a_link_from_outside_finds_the_list_that_has_it() -> None:
    async def scene() -> None:
        page, desk = await desk_of(CasesScene())
        page.open_link(PAPER, "d3")
        await reads(desk, "d3")
        assert desk.tabs.current == "toRead"
        page.open_link(PAPER, "d4")
        await reads(desk, "d4")
        assert desk.tabs.current == "all"
        assert page.detail_card.isHidden()
        page.open_link(PAPER, "d2")
        await reads(desk, "d2")
        assert desk.tabs.current == "all"  # it stands there too
        asked: list[tuple[str, str]] = []
        page.link_asked.connect(lambda *link: asked.append(link))
        page.open_link("SampleTrip", "t1")
        await until(lambda: asked == [("SampleTrip", "t1")])

    play(scene())


def test_a_link_that_comes_before_the_page_is_read_waits() -> None:
    async def scene() -> None:
        from desktop.ui.office.module_page import create_module_page
        from tests.helpers.stage import RecordingNavigator

        session = with_desk(CasesScene())
        page = create_module_page(session, RecordingNavigator(), "sample_papers", session.clock.now_ms)
        KEPT.append(page)
        page.open_link(PAPER, "d2")
        shown(page)
        await until(lambda: page.frame is not None)
        assert page.frame is not None
        desk = page.frame.view
        assert isinstance(desk, DeskView)
        await reads(desk, "d2")

    play(scene())


def test_the_diagram_takes_the_middle_and_gives_it_back() -> None:
    async def scene() -> None:
        session = CasesScene()
        _, desk = await desk_of(session)
        desk.open_here(SEAL, "s2")
        await reads(desk, "s2")
        desk.show_diagram()
        page = desk.page
        assert page.stack.currentWidget() is page.diagram
        assert page.diagram.sheet.lit.current.keys() == {"head"}
        session.cases.by_others("w-s2-linyuan", "linyuan")
        await until(lambda: page.diagram.sheet.lit.current.keys() == {"office"}, "live")
        page.diagram.closed.emit()
        assert page.stack.currentWidget() is page.sheet

    play(scene())


def test_narrow_windows_show_the_list_or_what_was_chosen() -> None:
    async def scene() -> None:
        page, desk = await desk_of(CasesScene(), width=760)
        await until(lambda: desk.mode == NARROW)
        assert desk.left.isVisible()
        assert desk.page.isHidden()
        desk.list.setCurrentIndex(desk.model.index(0, 0))
        await reads(desk, "d7")
        assert desk.left.isHidden()
        assert (desk.page.isVisible(), desk.pane.isVisible()) == (True, True)
        desk.page.back.click()
        assert desk.left.isVisible()
        page.resize(520, 700)
        await until(lambda: desk.mode == NARROWEST)
        desk.list.setCurrentIndex(desk.model.index(1, 0))
        await until(desk.page.isVisible)
        assert desk.pane.isHidden()
        desk.page.panel.click()
        assert desk.pane.isVisible()
        assert desk.page.stack.isHidden()
        page.resize(1200, 748)
        await until(lambda: desk.mode == WIDE)
        assert all(part.isVisible() for part in (desk.left, desk.page, desk.pane, desk.page.stack))

    play(scene())


def test_the_last_list_and_the_widths_come_back() -> None:
    async def scene() -> None:
        session = CasesScene()
        _, desk = await desk_of(session)
        desk.show_tab(WorkTab.DONE)
        await until(lambda: session.records.states.get("sample_papers/desk/desk", {}).get("tab") == "done")
        _, again = await desk_of(session)
        assert again.tab is WorkTab.DONE

    play(scene())


def test_a_store_that_can_not_be_read_says_so_and_is_tried_again() -> None:
    async def scene() -> None:
        session = CasesScene()
        session.failures["cases.work"] = StorageUnavailable(reason="locked")
        from desktop.ui.office.module_page import create_module_page
        from tests.helpers.stage import RecordingNavigator

        page = create_module_page(with_desk(session), RecordingNavigator(), "sample_papers", session.clock.now_ms)
        KEPT.append(page)
        shown(page)
        await until(lambda: page.frame is not None)
        assert page.frame is not None
        desk = page.frame.view
        assert isinstance(desk, DeskView)
        await until(lambda: desk.state.isVisible() and not desk.state.action.isHidden(), "a way to try again")
        desk.state.action.click()
        await until(lambda: len(records(desk)) == 6)

    play(scene())


def test_a_record_that_is_not_here_says_so() -> None:
    async def scene() -> None:
        session = CasesScene()
        _, desk = await desk_of(session)
        del session.records.held[PAPER]["d2"]
        desk.open_here(PAPER, "d2")
        await until(lambda: desk.page.stack.currentWidget() is desk.page.state and desk.reading == "d2")
        await until(lambda: "同步" in desk.page.state.text.text())
        assert desk.pane.box.isHidden()

    play(scene())


def test_both_languages_and_the_large_text() -> None:
    async def scene() -> None:
        page, desk = await desk_of(CasesScene(), width=1800, height=1000)
        assert tabs(desk)[0] == "To do 6"
        i18n.set_language("zh")
        await until(lambda: tabs(desk)[0] == "待办 6")
        i18n.set_language("en")
        await settle()
        assert not page.grab().isNull()
        rows = [desk.says.spoken(row) for row in desk.model.rows.rows]
        assert any("Instruct" in one for one in rows)
        assert not any("批办" in one for one in rows)

    play(scene(), language="en", scale=2.0, mode="dark")
