"""A card that is carried to a state whose action asks for more: the module's page opens the record and asks for it."""

from typing import Any

from PySide6.QtWidgets import QWidget

from desktop.ui.office.module_page import ModulePage, create_module_page
from desktop.ui.office.views.board import BoardView
from tests.helpers.fake_records import RecordsScene
from tests.helpers.stage import RecordingNavigator, play, settle, shown, until

_kept: list[Any] = []


async def opened(session: RecordsScene, view_id: str) -> ModulePage:
    page = create_module_page(session, RecordingNavigator(), "sample_vehicles", session.clock.now_ms)
    _kept.append(page)
    shown(page)
    await until(page.views)
    page.show_view(view_id)
    await until(lambda: page.frame is not None)
    await settle()
    return page


def test_the_pane_asks_for_what_the_action_needs() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        page = await opened(session, "board")
        board = page.frame.view if page.frame is not None else None
        assert isinstance(board, BoardView)
        await until(lambda: board.place_of("t4") is not None)
        board.move_card(session.records.get("t4"), "approved")
        await until(lambda: page.detail.record_id == "t4")
        await until(lambda: page.detail.findChild(QWidget, "actionForm") is not None)
        assert session.called("records.act") == []
        assert board.painter.marked == "t4"

    play(scene())


def test_a_patch_of_a_gesture_is_written_by_the_page() -> None:
    async def scene() -> None:
        session = RecordsScene(fleet=True)
        page = await opened(session, "tree")
        tree = page.frame.view if page.frame is not None else None
        assert tree is not None
        tree.patch_asked.emit(session.records.get("v2"), {"parentId": "v1"})
        await until(lambda: session.records.get("v2").data.get("parentId") == "v1")

    play(scene())
