"""Frame times of the message view through a history of 1,000,000 messages: smooth scrolling, random jumps, arrivals, a resize.

  dev.py bench scroll; main takes [--rows N] [--frames N] [--jumps N]

A frame is what one step costs the UI thread: model, layout, paint, and the flush to the platform, synchronously. The history is
made in memory on demand, so that the figures are the view's, not a disk's. Reference in the same run: one blank full repaint of a
bare widget of the same size.
"""

import argparse
import asyncio
import os
import random
import resource
import sys
import time
from typing import Any

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import qasync
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

from desktop.models.messages import MAX_HELD
from desktop.ui import i18n, theme
from desktop.ui.chat.page import MessagesPage, create_messages_page
from desktop.ui.i18n import when
from desktop.ui.shell.ui_state import UiState
from tests.helpers.fake_session import HISTORY, FakeSession
from tests.helpers.stage import RecordingNavigator

SIZE = (1096, 748)
STEP = 48
BUDGET_MS = 8.0


class _Blank(QWidget):
    """The reference: fills itself with one color."""

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(event.rect(), theme.tokens().bg)


def quantiles(samples: list[float]) -> dict[str, float]:
    """p50, p99, max in ms, and how many."""
    ordered = sorted(samples)
    last = len(ordered) - 1
    return {
        "p50": round(ordered[len(ordered) // 2], 2),
        "p99": round(ordered[min(last, int(len(ordered) * 0.99))], 2),
        "max": round(ordered[last], 2),
        "n": len(ordered),
    }


class Watch:
    """Wall time and this thread's CPU time of the same stretch: on a busy machine the first one measures the neighbors."""

    def __init__(self) -> None:
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def __enter__(self) -> "Watch":
        self._started = time.perf_counter(), time.thread_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall.append((time.perf_counter() - self._started[0]) * 1000)
        self.cpu.append((time.thread_time() - self._started[1]) * 1000)

    def figures(self) -> dict[str, Any]:
        """Both, as quantiles."""
        return {"wall_ms": quantiles(self.wall), "cpu_ms": quantiles(self.cpu)}


async def _open(session: FakeSession) -> tuple[MessagesPage, float]:
    recorder = RecordingNavigator()
    page = create_messages_page(session, recorder, recorder, UiState())
    page.resize(*SIZE)
    page.show()
    while page.list.model.rowCount() == 0:
        await asyncio.sleep(0.001)
    started = time.perf_counter()
    page.open_conversation(HISTORY)
    while len(page.pane.window_model) == 0:
        await asyncio.sleep(0)
    page.pane.view.viewport().repaint()
    return page, time.perf_counter() - started


async def measure(rows: int, frames: int, jumps: int) -> dict[str, Any]:
    """Runs the scenes and answers the figures."""
    session = FakeSession(conversations=500, history=rows)
    when.use_clock(session.clock)
    page, open_s = await _open(session)
    view, window = page.pane.view, page.pane.window_model
    await asyncio.sleep(0.2)
    result: dict[str, Any] = {"rows": rows, "open_ms": round(open_s * 1000, 1), "platform": QApplication.platformName()}
    port = view.viewport()
    up = Watch()
    for _ in range(frames):
        with up:
            view.scroll_up(STEP)
            port.repaint()
            await asyncio.sleep(0)  # pages that were asked for join here: their cost is a frame's too
            await asyncio.sleep(0)
    result["scroll_up"] = up.figures()
    result["held_most"] = len(window)
    down = Watch()
    for _ in range(frames // 2):
        with down:
            view.scroll_up(-STEP)
            port.repaint()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    result["scroll_down"] = down.figures()
    dice = random.Random(3)
    cold = Watch()
    for _ in range(jumps):
        with cold:
            await window.open(HISTORY, dice.randrange(100, rows))
            port.repaint()
    result["jump"] = cold.figures()
    page.pane._open_at(None)
    await asyncio.sleep(0.1)
    arrivals = Watch()
    for number in range(100):
        session.receive(HISTORY, "zhangmin", f"新消息 {number} 收到请回复")
        with arrivals:
            await window.refresh()
            port.repaint()
    result["arrival"] = arrivals.figures()
    warm = Watch()
    for _ in range(200):
        with warm:
            port.repaint()
    result["repaint_warm"] = warm.figures()
    blank = _Blank()
    blank.resize(port.size())
    blank.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
    blank.show()
    await asyncio.sleep(0.05)
    reference = Watch()
    for _ in range(200):
        with reference:
            blank.repaint()
    result["reference_blank_repaint"] = reference.figures()
    result["rows_cached"] = view.cached_rows
    result["bounded"] = len(window) <= MAX_HELD
    result["peak_rss_mib"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    result["within_budget"] = all(result[way]["wall_ms"]["p99"] <= BUDGET_MS for way in ("scroll_up", "scroll_down"))
    page.close_page()
    return result


def main(argv: list[str]) -> dict[str, Any]:
    """Runs the bench, offscreen unless the environment names a screen."""
    parser = argparse.ArgumentParser(prog="scroll", description="Frame times of the message view")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--jumps", type=int, default=200)
    options = parser.parse_args(argv)
    app = QApplication(sys.argv[:1])
    theme.apply(app, chosen="light")
    i18n.set_language("zh")
    loop = qasync.QEventLoop(app)
    asyncio.set_event_loop(loop)
    with loop:
        result: dict[str, Any] = loop.run_until_complete(measure(options.rows, options.frames, options.jumps))
    return result
