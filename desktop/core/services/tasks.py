"""An owner for tasks that outlive the call that began them: keeps references, names them, ends them all, reports the one that fell."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, Final

_log = logging.getLogger("tongban.tasks")
CLOSE_LIMIT: Final = 5.0


class TaskRoom:
    """Tasks of one service. Verbs come from other tasks, so a TaskGroup, which belongs to the task that entered it, will not do."""

    def __init__(self, name: str, on_failure: Callable[[BaseException], None] | None = None) -> None:
        self._name = name
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def start(self, work: Coroutine[Any, Any, None], *, name: str) -> asyncio.Task[None]:
        """Runs `work` until it ends or the room closes."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self._name}.{name}")
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    @property
    def closed(self) -> bool:
        """Whether it is ending: nothing new should begin."""
        return self._closed

    async def close(self) -> None:
        """Cancels everything and waits, with a limit; what hangs is named in the log."""
        self._closed = True
        running = {task for task in self._tasks if task is not asyncio.current_task()}
        for task in running:
            task.cancel()
        if running:
            _, hung = await asyncio.wait(running, timeout=CLOSE_LIMIT)
            for task in hung:
                _log.error("task %s did not end", task.get_name())

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            return
        error = task.exception()
        if error is None or self._closed:
            return
        if self._on_failure is not None:
            self._on_failure(error)
        else:
            _log.error("task %s failed", task.get_name(), exc_info=error)
