"""The one way a widget starts work: tasks with an owner, a name and an end (STYLE 2.3.3).

One of the four borders where a bug may be caught: it is logged once with its traceback and shown as an internal error with an id.
"""

import asyncio
import inspect
import logging
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from desktop.core.errors import AppError, UserCancelled

log = logging.getLogger("tongban.ui")


class InternalError(AppError):
    """A bug of ours. Data: id, as it stands in the log."""

    code = "internal"


Presenter = Callable[[AppError, QWidget | None], None]


class _Presenting:
    """Who shows failures; the shell sets it."""

    presenter: Presenter | None = None


def set_presenter(presenter: Presenter | None) -> None:
    """Says who shows the failures of all tasks to the user."""
    _Presenting.presenter = presenter


def present(error: AppError, widget: QWidget | None = None) -> None:
    """Shows a failure to the user, near `widget` where that is known."""
    if isinstance(error, UserCancelled):
        return
    if _Presenting.presenter is None:
        log.warning("unshown failure: %s", error.code)
        return
    _Presenting.presenter(error, widget)


class TaskOwner(QObject):
    """Keeps a widget's tasks: strong references, one of a name at a time where asked, all cancelled with the widget."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks: dict[str, set[asyncio.Task[Any]]] = {}
        tasks = self._tasks  # not self: the signal comes when this object is half gone
        parent.destroyed.connect(lambda: _cancel(tasks))

    def start(self, work: Coroutine[Any, Any, Any], *, name: str, exclusive: bool = False) -> asyncio.Task[Any] | None:
        """Runs `work` on the UI loop. `exclusive` cancels the older tasks of that name first. None after the loop has ended."""
        if exclusive:
            self.cancel(name)
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # Qt still hands out timers and signals while the program is coming down
            work.close()
            log.debug("too late for task %s", name)
            return None
        task = loop.create_task(_run(work), name=name)
        self._tasks.setdefault(name, set()).add(task)
        task.add_done_callback(lambda done: self._on_done(done, work))
        return task

    def cancel(self, name: str) -> None:
        """Stops the tasks of that name."""
        for task in tuple(self._tasks.get(name, ())):
            task.cancel()

    def cancel_all(self) -> None:
        """Stops everything; the widget is going away."""
        _cancel(self._tasks)

    def running(self, name: str) -> bool:
        """Whether a task of that name is under way."""
        return any(not task.done() for task in self._tasks.get(name, ()))

    @property
    def busy(self) -> bool:
        """Whether any task is under way."""
        return any(not task.done() for tasks in self._tasks.values() for task in tasks)

    def _on_done(self, task: asyncio.Task[Any], work: Coroutine[Any, Any, Any]) -> None:
        self._tasks.get(task.get_name(), set()).discard(task)
        if task.cancelled():
            _close_unstarted(work)
            return
        error = task.exception()
        if error is None:
            return
        parent = self.parent() if shiboken6.isValid(self) else None
        widget = parent if isinstance(parent, QWidget) else None
        if isinstance(error, AppError):
            present(error, widget)
            return
        mark = secrets.token_hex(4)
        log.error("internal error %s in task %s", mark, task.get_name(), exc_info=error)
        present(InternalError(id=mark), widget)


async def _run(work: Coroutine[Any, Any, Any]) -> Any:
    return await work


def _close_unstarted(work: object) -> None:
    """Cancelled before its first step: neither it nor what it was to await (an argument, a captured name) ever runs."""
    if not inspect.iscoroutine(work) or inspect.getcoroutinestate(work) != inspect.CORO_CREATED:
        return
    for value in inspect.getcoroutinelocals(work).values():
        _close_unstarted(value)
    work.close()


def _cancel(tasks: dict[str, set[asyncio.Task[Any]]]) -> None:
    for group in tuple(tasks.values()):
        for task in tuple(group):
            task.cancel()


def alive(widget: QObject) -> bool:
    """Whether a widget still exists after an await that crossed user time."""
    return shiboken6.isValid(widget)
