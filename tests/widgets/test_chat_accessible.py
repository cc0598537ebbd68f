"""What a screen reader finds in the message view: every held message as a child, the focused one, places, and nothing left behind."""

import asyncio
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface

from desktop.ui.chat import accessible
from desktop.ui.chat.view import MessageView
from tests.helpers.fake_session import GROUP, HISTORY, WANG, FakeSession
from tests.helpers.stage import application, play, press, settle, until
from tests.widgets.test_chat_view import open_page

NAME = QAccessible.Text.Name


@pytest.fixture(autouse=True)
def reader_is_there() -> Iterator[None]:
    """As if a screen reader ran."""
    application()
    was = QAccessible.isActive()
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(was)


def the_list(view: MessageView) -> QAccessibleInterface:
    found = QAccessible.queryAccessibleInterface(view)
    assert isinstance(found, accessible.MessageViewList)
    return found


def held_items() -> int:
    """How many messages are kept for Qt."""
    accessible._drop_deleted()
    return sum(isinstance(interface, accessible.MessageItem) for interface in accessible._kept)


def test_each_message_is_a_child_with_its_words_and_place() -> None:
    async def scene() -> None:
        page = await open_page(FakeSession(), GROUP)
        view, window = page.pane.view, page.pane.window_model
        found = the_list(view)
        assert found.role() is QAccessible.Role.List
        assert found.childCount() == len(window) > 3
        for row in range(len(window)):
            child = found.child(row)
            assert child.text(NAME) == view.spoken(window.at(row).id)
            assert child.role() is QAccessible.Role.ListItem
            assert child.parent() == found
            assert found.indexOfChild(child) == row
        newest = found.child(len(window) - 1)
        assert view.rect().contains(view.mapFromGlobal(newest.rect().center()))
        middle = newest.rect().center()
        assert found.childAt(middle.x(), middle.y()) == newest
        assert found.child(len(window)) is None
        page.close_page()

    play(scene())


def test_the_focused_child_follows_the_keys() -> None:
    async def scene() -> None:
        page = await open_page(FakeSession(), GROUP)
        view, window = page.pane.view, page.pane.window_model
        found = the_list(view)
        assert found.focusChild() is None
        view.setFocus(Qt.FocusReason.TabFocusReason)
        await settle()
        for row in (len(window) - 1, len(window) - 2, len(window) - 3):
            child = found.focusChild()
            assert found.indexOfChild(child) == row
            assert child.state().focused
            press(view, Qt.Key.Key_Up)
        assert not found.child(len(window) - 1).state().focused
        page.close_page()

    play(scene())


def test_what_leaves_the_list_is_let_go() -> None:
    async def scene() -> None:
        session = FakeSession(history=1500)
        page = await open_page(session, HISTORY)
        view, window = page.pane.view, page.pane.window_model
        found = the_list(view)
        gone = found.child(0)
        assert gone.isValid()
        for _ in range(40):
            view.scroll_up(900)
            await asyncio.sleep(0)
            for row in range(found.childCount()):
                assert found.child(row).isValid()
        assert held_items() <= len(window)
        page.open_conversation(WANG)
        await until(lambda: window.conversation_id == WANG)
        assert held_items() == 0
        page.close_page()
        page.deleteLater()

    play(scene())
    assert held_items() == 0
