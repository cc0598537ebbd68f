"""The two executors of a session: `db`, one thread that alone touches the store, and `cpu` for hashing, sealing and pictures."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar

from desktop.core.errors import StorageUnavailable

Result = TypeVar("Result")


class _Closes(Protocol):
    def close(self) -> object: ...


Opened = TypeVar("Opened", bound=_Closes)
_CPU_THREADS: Final = 2


class Workers:
    """Blocking work off the loop."""

    def __init__(self) -> None:
        self._db = ThreadPoolExecutor(1, thread_name_prefix="db")
        self._cpu = ThreadPoolExecutor(_CPU_THREADS, thread_name_prefix="cpu")

    async def db(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Runs on the store's thread, in order of asking."""
        return await asyncio.get_running_loop().run_in_executor(self._db, work, *arguments)

    async def cpu(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Runs on a spare thread."""
        return await asyncio.get_running_loop().run_in_executor(self._cpu, work, *arguments)

    async def opened(self, work: Callable[..., Opened], *arguments: Any) -> Opened:
        """Runs on a spare thread what opens something; when the one who waits is cancelled meanwhile, it is closed again."""
        running = self._cpu.submit(work, *arguments)
        try:
            return await asyncio.wrap_future(running)
        except asyncio.CancelledError:
            running.add_done_callback(_close_result)
            raise

    def close(self) -> None:
        """Ends both when their work is done."""
        self._db.shutdown(wait=True)
        self._cpu.shutdown(wait=True)


def _close_result(running: "Future[Opened]") -> None:
    if not running.cancelled() and running.exception() is None:
        running.result().close()


async def within(seconds: float, work: Callable[..., Result], *arguments: Any) -> Result:
    """Runs `work` (a keychain that may wait for a prompt) on a thread of its own.

    Raises:
        StorageUnavailable: it took longer than `seconds`; the thread is left to itself and does not hold up the end of the program.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Result] = loop.create_future()

    def settle(result: Result | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # None only where Result allows it

    def run() -> None:
        result: Result | None = None
        failure: BaseException | None = None
        try:
            result = work(*arguments)
        except BaseException as error:  # noqa: BLE001 - handed over to the caller, whatever it is
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, name="keychain", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            return await answer
    except TimeoutError as error:
        raise StorageUnavailable(reason="keychainTimeout") from error
