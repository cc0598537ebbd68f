"""A stage for screens under test: one QApplication in a known dress, one qasync loop a scene, waiting on conditions with a deadline."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import qasync
import shiboken6
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from desktop.core.domain import Attachment
from desktop.ui import i18n, tasks, theme
from desktop.ui.i18n import when
from tests.helpers.fake_session import FakeClock

DEADLINE = 5.0
SCENE_LIMIT = 30.0


def application() -> QApplication:
    """The one QApplication of the test process."""
    app = QApplication.instance()
    return app if isinstance(app, QApplication) else QApplication(["tests"])


def play(
    scene: Coroutine[Any, Any, None], *, mode: theme.Mode = "light", scale: float = 1.0, clock: FakeClock | None = None
) -> None:
    """Runs a scene on the UI loop, in Chinese and light unless said; failures of tasks that nobody expected fail the test."""
    app = application()
    theme.apply(app, chosen=mode, scale=scale)
    i18n.set_language("zh")
    when.use_clock(clock or FakeClock())
    before = {shiboken6.getCppPointer(widget)[0] for widget in QApplication.topLevelWidgets()}
    shown: list[BaseException] = []
    tasks.set_presenter(lambda error, _widget: shown.append(error))
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    try:
        loop.run_until_complete(asyncio.wait_for(scene, SCENE_LIMIT))
        left = [task for task in asyncio.all_tasks(loop) if not task.done()]
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        tasks.set_presenter(None)
        for widget in QApplication.topLevelWidgets():
            if shiboken6.getCppPointer(widget)[0] not in before:  # other tests' widgets are theirs
                widget.hide()
                widget.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        loop.close()
        asyncio.set_event_loop(None)
        gc.collect()
        theme.apply(app, chosen="light", scale=1.0)
        i18n.set_language("zh")
    assert not shown, f"failures nobody expected: {shown}"


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Waits for a condition, with a deadline."""
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.005)
    assert condition(), what


async def settle() -> None:
    """Lets what is due run: a few turns of the loop, then one frame."""
    for _ in range(6):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)


def press(widget: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key press and release, as from the keyboard."""
    QTest.keyClick(widget, key, modifiers)


def click(widget: QWidget, place: QPoint | None = None) -> None:
    """A press and release of the left button."""
    at = place if place is not None else widget.rect().center()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)


class Recorder:
    """A navigator and a file opener that only write down what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def open_conversation(self, conversation_id: str) -> None:
        self.asked.append(("conversation", conversation_id))

    def open_person(self, person_id: str) -> None:
        self.asked.append(("person", person_id))

    def open_notice(self, notice_id: str) -> None:
        self.asked.append(("notice", notice_id))

    def open_document(self, document_id: str) -> None:
        self.asked.append(("document", document_id))

    def open_page(self, key: str) -> None:
        self.asked.append(("page", key))

    def view_picture(self, attachment: Attachment) -> None:
        self.asked.append(("picture", attachment.name))

    def open_file(self, attachment: Attachment) -> None:
        self.asked.append(("file", attachment.name))

    def save_file(self, attachment: Attachment) -> None:
        self.asked.append(("save", attachment.name))
