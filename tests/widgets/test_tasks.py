"""TaskOwner: what is cancelled before its first step leaves nothing behind that Python would warn of."""

import asyncio
import gc
import inspect
from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from desktop.ui.tasks import TaskOwner


class Work:
    """Records what ran."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    async def do(self, name: str) -> None:
        self.ran.append(name)

    async def guard(self, work: Coroutine[Any, Any, None]) -> None:
        await work

    def enclose(self, work: Coroutine[Any, Any, None]) -> Coroutine[Any, Any, None]:
        async def guarded() -> None:
            await work

        return guarded()


def test_a_task_cancelled_before_it_ran_closes_its_coroutine_and_those_it_holds(qapp: QApplication) -> None:
    work = Work()

    async def scene() -> list[Coroutine[Any, Any, None]]:
        owner = TaskOwner(QObject(qapp))
        plain, inner, captured = work.do("plain"), work.do("inner"), work.do("captured")
        left = [plain, inner, captured]
        for started in (plain, work.guard(inner), work.enclose(captured)):
            owner.start(started, name="refresh", exclusive=True)
        last = owner.start(work.do("last"), name="refresh", exclusive=True)
        assert last is not None
        await last
        return left

    left = asyncio.run(scene())
    assert work.ran == ["last"]
    assert [inspect.getcoroutinestate(one) for one in left] == [inspect.CORO_CLOSED] * 3
    del left
    gc.collect()  # "never awaited" would come now, and warnings are errors here


def test_what_had_begun_is_cancelled_where_it_stands(qapp: QApplication) -> None:
    seen: list[str] = []

    async def slow(begun: asyncio.Event) -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    async def scene() -> None:
        owner, begun = TaskOwner(QObject(qapp)), asyncio.Event()
        task = owner.start(slow(begun), name="slow")
        assert task is not None
        await begun.wait()
        owner.cancel("slow")
        await asyncio.wait({task})
        assert task.cancelled()
        assert not owner.running("slow")

    asyncio.run(scene())
    assert seen == ["cleaned up"]
