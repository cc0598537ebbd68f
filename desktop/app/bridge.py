"""The one place that knows both threads: the core's plain asyncio loop and the UI's qasync loop.

Verbs go in with `await bridge.call(coro)` or through a proxy made by `bridge.wrap(service)`; events come out gathered, at most one
batch a frame, on the UI thread. No Qt object is ever touched from the core's thread. (Why two threads: design/STACK.md, trap 2.)
"""

import asyncio
import concurrent.futures
import functools
import inspect
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from typing import Any, Protocol, TypeVar, cast

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from desktop.app.garbage import UiGarbage
from desktop.core.events import Event, EventBus

log = logging.getLogger("tongban.bridge")

# The interpreter's default of 5 ms lets a busy core starve the screen for whole seconds.
SWITCH_INTERVAL_S = 0.0005
FRAME_MS = 16
CLOSE_LIMIT_S = 5.0

T = TypeVar("T")


class HasEvents(Protocol):
    """What a session must have to be wrapped."""

    @property
    def events(self) -> EventBus: ...


S = TypeVar("S", bound=HasEvents)


class BridgeClosed(RuntimeError):
    """A verb was called before the core's thread ran or after it ended: a bug of the caller."""


class EventFeed(QObject):
    """Carries events of a core bus to the UI thread and publishes them there on `bus`, one batch a frame."""

    bus: EventBus

    _wake = Signal()

    def __init__(self, parent: QObject | None = None, *, frame_ms: int = FRAME_MS) -> None:
        super().__init__(parent)
        self.bus = EventBus()
        self.batches = 0
        self._pending: list[Event] = []
        self._lock = threading.Lock()
        self._armed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(frame_ms)
        self._timer.timeout.connect(self.deliver)
        self._wake.connect(self._timer.start, Qt.ConnectionType.QueuedConnection)

    def take(self, event: Event) -> None:
        """Called on the core's thread for each event. Wakes the UI thread once a batch, never once an event."""
        with self._lock:
            self._pending.append(event)
            wake, self._armed = not self._armed, True
        if wake:
            self._wake.emit()

    def deliver(self) -> None:
        """Publishes what has gathered. Runs on the UI thread; a listener's bug doesn't keep the rest from its events."""
        with self._lock:
            batch, self._pending = self._pending, []
            self._armed = False
        if batch:
            self.batches += 1
        for event in batch:
            try:
                self.bus.publish(event)
            except Exception:  # noqa: BLE001 - a border: one screen's bug must not stop every other screen's events
                sys.excepthook(*sys.exc_info())


class Bridge(QObject):
    """Owns the core's thread. Made and closed on the UI thread by lifecycle.py."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._feeds: list[ExitStack] = []
        self._garbage = UiGarbage(self)

    @property
    def running(self) -> bool:
        """Whether verbs can be called."""
        return self._loop is not None

    def start(self) -> None:
        """Starts the core's thread and returns when its loop runs."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._garbage.start()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run_core, args=(ready,), name="core", daemon=True)
        self._thread.start()
        ready.wait()

    def _run_core(self, ready: threading.Event) -> None:
        async def main() -> None:
            self._stop = asyncio.Event()
            self._loop = asyncio.get_running_loop()
            ready.set()
            await self._stop.wait()

        try:
            asyncio.run(main())  # on leaving it cancels what still runs and waits for it
        finally:
            self._loop = None
            ready.set()

    def submit(self, coro: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        """Starts a core coroutine from any thread.

        Raises:
            BridgeClosed: the core's thread does not run.
        """
        loop = self._loop
        if loop is None:
            coro.close()
            raise BridgeClosed("the core's thread does not run")
        return asyncio.run_coroutine_threadsafe(coro, loop)  # noqa: TID251 - this is the bridge

    async def call(self, coro: Coroutine[Any, Any, T]) -> T:
        """Runs a core coroutine on its thread; its result or error arrives here. Cancelling the caller cancels it."""
        return await asyncio.wrap_future(self.submit(coro))

    async def finish(self, coro: Coroutine[Any, Any, T]) -> T:
        """Like call, but what has begun runs to its end even when the caller is cancelled: a closed window loses no message."""
        return await asyncio.shield(asyncio.wrap_future(self.submit(coro)))

    def wrap(self, service: T, *, cancellable: bool = False, **instead: object) -> T:
        """A stand-in for a core service whose verbs are awaited on the UI loop and run on the core's thread.

        Attributes that are themselves services (objects with async verbs) are wrapped too; plain values are passed on. Synchronous
        methods run where they are called: the core keeps them to reading values that never change in place. `instead` gives
        attributes other values than the service's.
        """
        return cast(T, _Proxy(self, service, cancellable, instead))

    def wrap_session(self, session: S, **instead: object) -> S:
        """A session's stand-in whose `events` publish on the UI thread, gathered once a frame."""
        return cast(S, _Proxy(self, session, False, {"events": self.feed(session.events), **instead}))

    def feed(self, bus: EventBus) -> EventBus:
        """A bus that publishes the events of a core bus on the UI thread, gathered once a frame."""
        feed = EventFeed(self)
        stack = ExitStack()
        stack.enter_context(bus.subscribe(feed.take))
        stack.callback(feed.deleteLater)
        self._feeds.append(stack)
        return feed.bus

    def drop_feeds(self) -> None:
        """Ends every feed: the session they belonged to is over."""
        while self._feeds:
            self._feeds.pop().close()

    async def close(self, limit: float = CLOSE_LIMIT_S) -> bool:
        """Stops the core's thread: cancels what runs there, waits `limit` seconds, logs what hung. True when all ended."""
        self.drop_feeds()
        loop, stop, thread = self._loop, self._stop, self._thread
        if loop is None or stop is None or thread is None:
            return True
        loop.call_soon_threadsafe(stop.set)
        running = asyncio.get_running_loop()
        deadline = running.time() + limit
        while thread.is_alive() and running.time() < deadline:  # noqa: ASYNC110 - a thread's end sets no event
            await asyncio.sleep(0.01)
        if thread.is_alive():
            self._log_what_hangs(loop, thread)
            return False
        self._garbage.stop()
        return True

    def _log_what_hangs(self, loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
        for task in asyncio.all_tasks(loop):
            log.error("still running at close: %s", task.get_name())
        frame = sys._current_frames().get(thread.ident or 0)
        stack = "".join(traceback.format_stack(frame)) if frame else "no stack"
        log.error("the core's thread did not end within its limit:\n%s", stack)


class _Proxy:
    """Passes attribute reads on; async verbs become awaitables of the UI loop."""

    def __init__(self, bridge: Bridge, target: object, cancellable: bool, instead: dict[str, object]) -> None:
        self._bridge = bridge
        self._target = target
        self._cancellable = cancellable
        self._wrapped = dict(instead)

    def __getattr__(self, name: str) -> object:
        known = self._wrapped.get(name)
        if known is not None:
            return known
        value = getattr(self._target, name)
        if inspect.iscoroutinefunction(value):
            value = self._wrapped[name] = self._verb(value)
        elif _is_service(value):
            value = self._wrapped[name] = _Proxy(self._bridge, value, self._cancellable, {})
        return value

    def _verb(self, verb: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., Coroutine[Any, Any, T]]:
        run = self._bridge.call if self._cancellable else self._bridge.finish

        @functools.wraps(verb)
        async def on_core(*args: Any, **kwargs: Any) -> T:
            return await run(verb(*args, **kwargs))

        return on_core

    def __repr__(self) -> str:
        return f"<on the core's thread: {self._target!r}>"


def _is_service(value: object) -> bool:
    """An object of the core with verbs to await; values (structs, enums, containers) are not."""
    kind = type(value)
    if not kind.__module__.startswith("desktop.core.services") and not getattr(kind, "is_core_service", False):
        return False
    return any(
        inspect.iscoroutinefunction(member) for name, member in inspect.getmembers(kind) if not name.startswith("_")
    )
