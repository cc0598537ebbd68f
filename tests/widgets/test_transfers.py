"""The transfers page: what a row says, what can be done, by mouse, key and menu; the model follows the core's events."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
import qasync
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QSignalSpy, QTest
from PySide6.QtWidgets import QApplication, QMenu

from desktop.core.domain import Attachment, Direction, Transfer, TransferRules, TransferState
from desktop.core.errors import StorageUnavailable
from desktop.core.events import ChangeSet, TransferProgress
from desktop.models.transfers import TransferFilter, TransferRole, TransfersModel
from desktop.platform import opening
from desktop.ui import i18n, theme
from desktop.ui.kit import Button, IconButton, Snack
from desktop.ui.transfers.delegate import TransferDelegate
from desktop.ui.transfers.rules_menu import rules_menu
from desktop.ui.transfers.view import TransfersPage
from desktop.ui.transfers.words import Action, actions, detail, fraction, menu_actions, title, tone

MB = 1024 * 1024


def transfer(key: str = "t1", state: TransferState = TransferState.RUNNING, **more: Any) -> Transfer:
    fields: dict[str, Any] = {"size": 10 * MB, "moved": 4 * MB, "speed": 2.0 * MB, "seconds_left": 3.0, **more}
    return Transfer(key, Direction.DOWN, "防汛材料.pdf", state=state, **fields)


class Verbs:
    """Records what the page asks of the core."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []
        self.kept = TransferRules()
        self.full = False

    async def transfers(self) -> list[Transfer]:
        return []

    async def pause(self, transfer_id: str) -> None:
        self.calls.append(("pause", transfer_id))

    async def resume(self, transfer_id: str) -> None:
        self.calls.append(("resume", transfer_id))

    async def cancel(self, transfer_id: str) -> None:
        self.calls.append(("cancel", transfer_id))

    async def hasten(self, transfer_id: str) -> None:
        self.calls.append(("hasten", transfer_id))

    async def pause_all(self) -> None:
        self.calls.append(("pause_all", ""))

    async def resume_all(self) -> None:
        self.calls.append(("resume_all", ""))

    async def clear_done(self) -> None:
        self.calls.append(("clear_done", ""))

    async def save_into(self, transfer_id: str, folder: Path) -> Path | None:
        self.calls.append(("save_into", transfer_id))
        if self.full:
            raise StorageUnavailable(reason="diskFull")
        return folder / "x.pdf"

    def rules(self) -> TransferRules:
        return self.kept

    async def set_rules(self, rules: TransferRules) -> None:
        self.kept = rules


class Files:
    """Records which files are to be opened."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def view_picture(self, attachment: Attachment, among: Sequence[Attachment] = ()) -> None:
        self.opened.append(attachment.blob_id)

    def open_file(self, attachment: Attachment) -> None:
        self.opened.append(attachment.blob_id)

    def save_file(self, attachment: Attachment) -> None:
        self.opened.append(attachment.blob_id)


@pytest.fixture
def model(qapp: QApplication) -> TransfersModel:
    theme.apply(qapp)
    i18n.set_language("zh")
    return TransfersModel()


def on_loop(qapp: QApplication, scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    def factory() -> asyncio.AbstractEventLoop:
        loop = qasync.QEventLoop(qapp)
        asyncio.set_event_loop(loop)
        return loop

    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(asyncio.wait_for(scene(), 10))


async def settled(page: TransfersPage) -> None:
    """The page's tasks are through."""
    while page.tasks.busy:
        await asyncio.sleep(0)


# ---------------------------------------------------------------- words
@pytest.mark.parametrize(
    ("state", "more", "text"),
    [
        (TransferState.RUNNING, {}, "↓ 4.0 MB / 10.0 MB · 2.0 MB/s · 剩余 3 秒"),
        (TransferState.RUNNING, {"speed": 0.0, "seconds_left": None}, "↓ 4.0 MB / 10.0 MB"),
        (TransferState.WAITING, {}, "↓ 4.0 MB / 10.0 MB · 等待中"),
        (TransferState.PAUSED, {}, "↓ 4.0 MB / 10.0 MB · 已暂停"),
        (TransferState.HELD, {}, "↓ 4.0 MB / 10.0 MB · 网络恢复后自动继续"),
        (TransferState.DONE, {"moved": 10 * MB}, "↓ 10.0 MB · 已下载"),
        (TransferState.DONE, {"instant": True}, "↓ 秒传 · 已完成"),
        (TransferState.RUNNING, {"moved": 0, "checked": 3 * MB}, "↓ 10.0 MB · 正在校验 30%"),
        (TransferState.DONE, {"moved": 10 * MB, "way": "direct"}, "↓ 10.0 MB · 已下载 · 局域网直传"),
        (TransferState.DONE, {"moved": 10 * MB, "way": "server"}, "↓ 10.0 MB · 已下载 · 经服务器"),
        (TransferState.DONE, {"moved": 10 * MB, "checked": 4 * MB}, "↓ 10.0 MB · 正在解压 40%"),
        (TransferState.FAILED, {"error": "changed"}, "↓ 没有完成 · 文件在发送时被改动，请重新发送"),
        (TransferState.FAILED, {"error": "diskFull"}, "↓ 没有完成 · 磁盘空间不足，腾出空间后重试"),
        (TransferState.FAILED, {"error": "tooLarge"}, "↓ 没有完成 · 文件超过服务器允许的大小"),
        (TransferState.FAILED, {"error": "strange"}, "↓ 没有完成 · 原因代码 strange"),
    ],
)
def test_row_says_where_it_stands(model: TransfersModel, state: TransferState, more: dict[str, Any], text: str) -> None:
    assert detail(transfer(state=state, **more)) == text


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        (TransferState.RUNNING, (Action.PAUSE, Action.CANCEL)),
        (TransferState.PAUSED, (Action.RESUME, Action.CANCEL)),
        (TransferState.FAILED, (Action.RETRY, Action.CANCEL)),
        (TransferState.DONE, (Action.REMOVE,)),
    ],
)
def test_only_what_can_be_done_is_offered(state: TransferState, offered: tuple[Action, ...]) -> None:
    assert actions(transfer(state=state)) == offered


def test_finished_file_on_disk_can_be_opened_and_shown() -> None:
    done = transfer(state=TransferState.DONE, path="/tmp/x.pdf")
    assert actions(done) == (Action.OPEN, Action.FOLDER, Action.REMOVE)
    unpacked = transfer(state=TransferState.DONE, blob_id="ab" * 32, checked=4 * MB)
    assert (actions(unpacked), menu_actions(unpacked)) == ((Action.CANCEL,), (Action.CANCEL,))
    assert (fraction(unpacked), tone(unpacked)) == (0.4, "accent")


@pytest.mark.parametrize(("size", "moved", "expected"), [(0, 0, 0.0), (10, 4, 0.4), (10, 40, 1.0), (10, -1, 0.0)])
def test_fraction_stays_within_the_bar(size: int, moved: int, expected: float) -> None:
    assert fraction(transfer(size=size, moved=moved)) == expected


def test_state_is_told_by_color_and_word() -> None:
    assert {tone(transfer(state=state)) for state in TransferState} == {"accent", "amber", "green", "red"}


def test_folder_is_named_with_its_files_and_a_download_offers_to_be_saved(model: TransfersModel) -> None:
    assert title(transfer(files=214)) == "防汛材料.pdf/（214 个文件）"
    done = transfer(state=TransferState.DONE, blob_id="b")
    assert menu_actions(done) == (Action.OPEN, Action.SAVE, Action.SAVE_AS, Action.REMOVE)
    assert menu_actions(transfer(state=TransferState.WAITING)) == (Action.PAUSE, Action.HASTEN, Action.CANCEL)


# ---------------------------------------------------------------- model
def test_progress_changes_one_row_in_place(model: TransfersModel) -> None:
    model.reset([transfer("t1"), transfer("t2")])
    changed, inserted = QSignalSpy(model.dataChanged), QSignalSpy(model.rowsInserted)
    model.on_event(TransferProgress(transfer("t2", moved=9 * MB)))
    assert (changed.count(), inserted.count()) == (1, 0)
    assert model.index(1).data(TransferRole.TRANSFER).moved == 9 * MB


def test_new_transfer_comes_on_top_and_removed_one_goes(model: TransfersModel) -> None:
    model.reset([transfer("t1")])
    model.on_event(TransferProgress(transfer("t2")))
    assert [model.index(row).data(TransferRole.TRANSFER).id for row in range(2)] == ["t2", "t1"]
    model.on_event(ChangeSet("Transfer", removed=("t2",)))
    model.on_event(TransferProgress(transfer("t1", TransferState.FAILED, error="userCancelled")))
    assert model.rowCount() == 0
    model.on_event(ChangeSet("Transfer", removed=("unknown",)))


def test_totals_count_what_is_under_way(model: TransfersModel) -> None:
    model.reset([transfer("a"), transfer("b"), transfer("c", TransferState.DONE), transfer("d", TransferState.PAUSED)])
    assert model.active == 3
    assert model.speed(Direction.DOWN) == 4.0 * MB
    assert model.speed(Direction.UP) == 0


def names(model: TransfersModel) -> list[str]:
    return [model.index(row).data(TransferRole.TRANSFER).id for row in range(model.rowCount())]


def test_filter_shows_a_part_and_follows_what_changes(model: TransfersModel) -> None:
    done = TransferState.DONE
    model.reset([transfer("d"), transfer("c", done), transfer("b"), transfer("a", TransferState.FAILED)])
    model.show_only(TransferFilter.ACTIVE)
    assert names(model) == ["d", "b"]
    removed, inserted = QSignalSpy(model.rowsRemoved), QSignalSpy(model.rowsInserted)
    model.apply(transfer("d", done))  # finished: it leaves what is shown, not what there is
    model.apply(transfer("a"))  # tried again: it comes back to its old place
    model.apply(transfer("e"))
    assert (names(model), removed.count(), inserted.count()) == (["e", "b", "a"], 1, 2)
    assert (model.total, model.active, model.count(done)) == (5, 3, 2)
    model.show_only(TransferFilter.ALL, "防汛 PDF")
    assert names(model) == ["e", "d", "c", "b", "a"]
    model.show_only(TransferFilter.SENT)
    assert names(model) == []
    model.show_only(TransferFilter.ALL)
    model.remove("c", "none")
    assert names(model) == ["e", "d", "b", "a"]


def test_ten_thousand_rows_cost_what_changes_not_what_there_is(model: TransfersModel) -> None:
    model.reset(transfer(f"t{number}", TransferState.DONE) for number in range(10_000))
    resets = QSignalSpy(model.modelReset)
    begun = time.perf_counter()
    for number in range(200):
        model.apply(transfer("t5000", moved=number))
        model.apply(transfer(f"new{number}"))
    assert time.perf_counter() - begun < 1.0  # 400 changes; going through all rows at each would take many times that
    assert (model.rowCount(), resets.count()) == (10_200, 0)
    model.remove(*(f"t{number}" for number in range(10_000)))  # "clear finished": one reset, not ten thousand removals
    assert (model.rowCount(), resets.count()) == (200, 1)


# ---------------------------------------------------------------- page
def test_bar_filters_and_acts_on_all_and_rules_are_chosen_in_a_menu(qapp: QApplication, model: TransfersModel) -> None:
    async def scene() -> None:
        verbs = Verbs()
        page = TransfersPage(verbs, model, Files())
        page.resize(900, 500)
        page.show()
        model.reset(
            [transfer("b"), transfer("a", TransferState.DONE, blob_id="x"), transfer("p", TransferState.PAUSED)]
        )
        for name in ("pauseAll", "resumeAll", "clear"):
            button = page.findChild(IconButton, f"transfers.{name}")
            assert button is not None
            assert button.isEnabled()
            button.click()
        page.act(Action.SAVE, "a")
        await settled(page)
        assert verbs.calls == [("pause_all", ""), ("resume_all", ""), ("clear_done", ""), ("save_into", "a")]
        snack = page.findChild(Snack)
        assert snack is not None
        assert snack.text.text().startswith("已保存到")
        verbs.full = True
        page.act(Action.SAVE, "a")
        await settled(page)
        assert "磁盘空间不足" in snack.text.text()
        chip = page.findChild(Button, "transferFilter.done")
        assert chip is not None
        chip.click()
        assert names(model) == ["a"]
        menu = rules_menu(verbs.kept, lambda rules: page.tasks.start(verbs.set_rules(rules), name="rules"), page)
        up, _down, receive = (action.menu() for action in menu.actions())
        assert isinstance(up, QMenu)
        assert isinstance(receive, QMenu)
        up.actions()[2].trigger()
        await settled(page)
        assert verbs.kept == TransferRules(up_limit=500 * 1024)
        receive.actions()[1].trigger()
        await settled(page)
        assert verbs.kept.receive == ("file",)
        page.close()

    on_loop(qapp, scene)


def test_click_on_a_button_asks_for_that_action(qapp: QApplication, model: TransfersModel) -> None:
    async def scene() -> None:
        verbs = Verbs()
        page = TransfersPage(verbs, model, Files())
        page.resize(900, 500)
        page.show()
        model.reset([transfer("t1"), transfer("t2", TransferState.PAUSED)])
        delegate = page.list.itemDelegate()
        assert isinstance(delegate, TransferDelegate)
        for row in range(2):
            index = model.index(row)
            where = delegate.buttons(page.list.visualRect(index), index.data(TransferRole.TRANSFER))
            for _action, place in where:
                QTest.mouseClick(page.list.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert verbs.calls == [("cancel", "t1"), ("pause", "t1"), ("cancel", "t2"), ("resume", "t2")]
        page.close()

    on_loop(qapp, scene)


def test_keyboard_does_the_main_action_and_delete_cancels(qapp: QApplication, model: TransfersModel) -> None:
    async def scene() -> None:
        verbs = Verbs()
        page = TransfersPage(verbs, model, Files())
        page.show()
        model.reset([transfer("t1", TransferState.FAILED, error="offline")])
        page.list.setCurrentIndex(model.index(0))
        QTest.keyClick(page.list, Qt.Key.Key_Return)
        QTest.keyClick(page.list, Qt.Key.Key_Delete)
        await asyncio.sleep(0)
        assert verbs.calls == [("resume", "t1"), ("cancel", "t1")]
        page.close()

    on_loop(qapp, scene)


def test_file_on_this_device_is_opened_through_the_file_opener(qapp: QApplication, model: TransfersModel) -> None:
    files = Files()
    page = TransfersPage(Verbs(), model, files)
    model.reset([transfer("t1", TransferState.DONE, blob_id="b1")])
    page.act(actions(transfer(state=TransferState.DONE, blob_id="b1"))[0], "t1")
    assert files.opened == ["b1"]


def test_row_moves_the_wanted_transfer_though_a_new_one_came_above(qapp: QApplication, model: TransfersModel) -> None:
    model.reset([transfer("t1")])
    page = TransfersPage(Verbs(), model, Files())
    page.list.setCurrentIndex(model.index(0))
    model.apply(transfer("t2"))
    current: QModelIndex = page.list.currentIndex()
    assert current.data(TransferRole.TRANSFER).id == "t1"


@pytest.mark.parametrize("name", ["setup.EXE", "a.desktop", "run.sh", "x.lnk", "m.jar", "注册.reg"])
def test_program_is_never_opened_only_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    monkeypatch.setattr(opening, "show_in_folder", lambda path: seen.append(path) or True)
    monkeypatch.setattr(opening.QDesktopServices, "openUrl", lambda _url: pytest.fail("opened"))
    assert opening.open_file(Path("/tmp") / name)
    assert seen == [Path("/tmp") / name]


@pytest.mark.parametrize("url", ["file:///etc/passwd", "javascript:alert(1)", "tongban://x", "https://", "smb://h/x"])
def test_only_web_addresses_reach_the_browser(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening.QDesktopServices, "openUrl", lambda _url: pytest.fail("opened"))
    assert not opening.open_web_link(url)
