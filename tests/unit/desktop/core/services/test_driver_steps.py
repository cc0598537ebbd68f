"""The driver's steps: what follows is decided while the disk is at work, and yet all ends in its order, or nothing more does."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from desktop.core.errors import StorageUnavailable
from desktop.core.events import ChangeSet, EventBus
from desktop.core.services.driver import Driver
from desktop.core.services.workers import Workers
from desktop.core.sync.commands import Command, NoteBroken, Persist, SendRequest
from desktop.core.sync.events import NetworkChanged, SyncEvent
from desktop.core.sync.port import Operation, SetPushState

DEADLINE = 10.0


class Script:
    """In place of the machine: what each event leads to, in order."""

    def __init__(self, *steps: Sequence[Command]) -> None:
        self._steps = list(steps)

    def handle(self, event: SyncEvent) -> list[Command]:
        return list(self._steps.pop(0)) if self._steps else []


class SlowStore:
    """Writes when it is let; fails when it is told to."""

    def __init__(self) -> None:
        self.begun, self.may = threading.Event(), threading.Event()
        self.written: list[str | None] = []
        self.broken = False

    def apply(self, operations: Sequence[Operation], *, durable: bool = False) -> list[ChangeSet]:
        self.begun.set()
        assert self.may.wait(DEADLINE)
        if self.broken:
            raise StorageUnavailable(reason="diskFull")
        self.written += [one.push_state for one in operations if isinstance(one, SetPushState)]
        return []


def writes(name: str) -> Persist:
    return Persist((SetPushState(name),))


def asks(method: str) -> SendRequest:
    return SendRequest(method, ((method, {}, "c"),))


class Desk:
    """A driver over a script; `said` is what went out, in order."""

    def __init__(self, *steps: Sequence[Command]) -> None:
        nothing: Any = None
        self.store = SlowStore()
        self.workers = Workers()
        store: Any = self.store
        self.driver = Driver(
            me="me", store=store, transport=nothing, tokens=nothing, bus=EventBus(), clock=nothing, workers=self.workers
        )
        script: Any = Script(*steps)
        self.driver._engine = script
        self.outgoing: asyncio.Queue[str] = asyncio.Queue()
        self.driver._outgoing = self.outgoing
        self.running = self.driver._room.start(self.driver._run(), name="driver")

    def post(self) -> None:
        self.driver._post(NetworkChanged(0.0, 0.5))

    async def said(self) -> str:
        text = await asyncio.wait_for(self.outgoing.get(), DEADLINE)
        return next(name for name in ("Message/changes", "Alert/get", "Message/set") if name in text)

    async def close(self) -> None:
        self.store.may.set()
        await self.driver._room.close()
        self.workers.close()


def test_the_next_question_goes_out_while_the_disk_is_at_work_and_the_order_holds() -> None:
    async def scenario() -> None:
        desk = Desk(
            (writes("1"), asks("Message/changes"), NoteBroken("plain")),
            (writes("2"), asks("Alert/get")),
            (writes("3"), asks("Message/set")),
        )
        desk.post()
        assert await desk.said() == "Message/changes"
        assert await asyncio.to_thread(desk.store.begun.wait, DEADLINE)
        desk.post()
        assert await desk.said() == "Alert/get"  # though nothing is written
        assert desk.store.written == []
        desk.post()
        desk.store.may.set()
        assert await desk.said() == "Message/set"  # what writes there waits for what is written here
        assert desk.store.written == ["1", "2", "3"]
        await desk.close()

    asyncio.run(scenario())


def test_after_a_failure_nothing_that_was_decided_is_written() -> None:
    async def scenario() -> None:
        desk = Desk((writes("1"),), (writes("2"), asks("Alert/get")))
        desk.driver._clock = type("Stopped", (), {"now_ms": lambda self: 0, "monotonic": lambda self: 0.0})()
        desk.store.broken = True
        desk.post()
        assert await asyncio.to_thread(desk.store.begun.wait, DEADLINE)
        desk.post()
        assert await desk.said() == "Alert/get"
        desk.store.may.set()
        await asyncio.wait([desk.running], timeout=DEADLINE)
        with pytest.raises(StorageUnavailable):
            await desk.driver.do(NetworkChanged(0.0, 0.5))
        assert desk.store.written == []
        await desk.close()

    asyncio.run(scenario())
