"""Plays a scene on the loop the client uses: qasync over the application of pytest-qt, with a deadline and nothing left running."""

import asyncio
import gc
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import qasync
import shiboken6
from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.ui import i18n, theme

DEADLINE_S = 20


@dataclass
class RecordingNavigator:
    """Notes where pages want to go."""

    calls: list[tuple[str, str]] = field(default_factory=list)

    def open_conversation(self, conversation_id: str) -> None:
        self.calls.append(("conversation", conversation_id))

    def open_person(self, person_id: str) -> None:
        self.calls.append(("person", person_id))

    def open_notice(self, notice_id: str) -> None:
        self.calls.append(("notice", notice_id))

    def open_document(self, document_id: str) -> None:
        self.calls.append(("document", document_id))

    def open_page(self, key: str) -> None:
        self.calls.append(("page", key))


def play(qapp: QApplication, scene: Callable[[], Coroutine[Any, Any, None]], *, language: i18n.Language = "zh") -> None:
    """Runs the scene to its end, light, at 100 %, then closes every window it left open."""

    def factory() -> asyncio.AbstractEventLoop:
        loop: asyncio.AbstractEventLoop = qasync.QEventLoop(qapp)
        asyncio.set_event_loop(loop)
        return loop

    before = _windows()
    theme.apply(qapp, chosen="light")
    i18n.set_language(language)
    gc.disable()  # as the client does: a worker thread that collects would destroy widgets in cycles (desktop/app/garbage.py)
    with asyncio.Runner(loop_factory=factory) as runner:
        try:
            runner.run(asyncio.wait_for(scene(), DEADLINE_S))
        finally:
            for address, window in _windows().items():
                if address not in before:  # other tests' windows are theirs
                    window.close()
                    window.deleteLater()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            i18n.set_language("zh")
            gc.collect()
            gc.enable()


def _windows() -> dict[int, QWidget]:
    return {shiboken6.getCppPointer(window)[0]: window for window in QApplication.topLevelWidgets()}


async def until(condition: Callable[[], object], what: str = "") -> None:
    """Waits for a condition; the scene's deadline is far behind this one."""
    for _ in range(800):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError(f"did not come: {what or condition}")


def shown(widget: QWidget, width: int = 1096, height: int = 748) -> QWidget:
    """Shows a widget at the size of the main window's pages."""
    widget.resize(width, height)
    widget.show()
    return widget
