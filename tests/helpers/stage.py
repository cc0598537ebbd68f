"""A stage for screens under test: one QApplication in a known dress, one qasync loop a scene, waiting on conditions with a deadline."""

import asyncio
import gc
import itertools
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
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
PAGE_SIZE = (1096, 748)
LOOK_AGAIN = 50
_scenes = itertools.count(1)


def application() -> QApplication:
    """The one QApplication of the test process."""
    app = QApplication.instance()
    return app if isinstance(app, QApplication) else QApplication(["tests"])


def play(
    scene: Coroutine[Any, Any, None],
    *,
    mode: theme.Mode = "light",
    scale: float = 1.0,
    language: i18n.Language = "zh",
    clock: FakeClock | None = None,
) -> None:
    """Runs a scene on the loop the client uses, in Chinese and light unless said, and closes every window it left open.

    Failures of tasks that nobody expected fail the test; a scene that expects them sets a presenter of its own.
    """
    app = application()
    theme.apply(app, chosen=mode, scale=scale)
    i18n.set_language(language)
    when.use_clock(clock or FakeClock())
    before = _windows()
    shown: list[BaseException] = []
    tasks.set_presenter(lambda error, _widget: shown.append(error))
    _set_aside()
    # As in the client (desktop/app/garbage.py), and from the first scene to the end of the run: an automatic collection happens on whichever
    # thread allocates, and a server's thread would destroy widgets of this scene or of the one before.
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=lambda: _loop(app)) as runner:
            try:
                runner.run(asyncio.wait_for(scene, SCENE_LIMIT))
            finally:
                _close_windows(before)
    finally:
        tasks.set_presenter(None)
        gc.collect()
        theme.apply(app, chosen="light", scale=1.0)
        i18n.set_language("zh")
    assert not shown, f"failures nobody expected: {shown}"


def _set_aside() -> None:
    """What lives from before is not looked at again, but now and then: a full collection of a long test run takes half a second."""
    if next(_scenes) % LOOK_AGAIN == 0:
        gc.unfreeze()
        gc.collect()
    gc.freeze()


def _loop(app: QApplication) -> asyncio.AbstractEventLoop:
    loop: asyncio.AbstractEventLoop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    return loop


def _windows() -> dict[int, QWidget]:
    return {shiboken6.getCppPointer(window)[0]: window for window in QApplication.topLevelWidgets()}


def _close_windows(before: dict[int, QWidget]) -> None:
    for address, window in _windows().items():
        if address not in before:  # other tests' windows are theirs
            window.hide()
            window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Waits for a condition, with a deadline."""
    try:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"did not come: {what or condition}") from None


async def settle() -> None:
    """Lets what is due run: a few turns of the loop, then one frame."""
    for _ in range(6):
        await asyncio.sleep(0)
    await asyncio.sleep(0.02)


def shown(widget: QWidget, width: int = PAGE_SIZE[0], height: int = PAGE_SIZE[1]) -> QWidget:
    """Shows a widget at the size of the main window's pages."""
    widget.resize(width, height)
    widget.show()
    return widget


def press(widget: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """A key press and release, as from the keyboard."""
    QTest.keyClick(widget, key, modifiers)


def click(widget: QWidget, place: QPoint | None = None) -> None:
    """A press and release of the left button."""
    at = place if place is not None else widget.rect().center()
    QTest.mouseClick(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)


@dataclass
class RecordingNavigator:
    """A navigator and a file opener that only write down what was asked, as (kind, id or name)."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    prefills: list[dict[str, Any]] = field(default_factory=list)

    def open_conversation(self, conversation_id: str) -> None:
        self.calls.append(("conversation", conversation_id))

    def open_message(self, conversation_id: str, message_id: str, seq: int) -> None:
        self.calls.append(("message", message_id))

    def open_members(self, conversation_id: str) -> None:
        self.calls.append(("members", conversation_id))

    def open_person(self, person_id: str) -> None:
        self.calls.append(("person", person_id))

    def open_notice(self, notice_id: str) -> None:
        self.calls.append(("notice", notice_id))

    def open_document(self, document_id: str) -> None:
        self.calls.append(("document", document_id))

    def open_record(self, type_name: str, record_id: str) -> None:
        self.calls.append((type_name, record_id))

    def new_record(self, type_name: str, prefill: Mapping[str, Any]) -> None:
        self.calls.append(("new", type_name))
        self.prefills.append(dict(prefill))

    def open_page(self, key: str) -> None:
        self.calls.append(("page", key))

    def view_picture(self, attachment: Attachment, among: Sequence[Attachment] = ()) -> None:
        self.calls.append(("picture", attachment.name))

    def open_file(self, attachment: Attachment) -> None:
        self.calls.append(("file", attachment.name))

    def save_file(self, attachment: Attachment) -> None:
        self.calls.append(("save", attachment.name))
