"""One verb on many records, one after the other: how far it is, what failed and why. What the server refuses later is added as it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from desktop.core.domain.records import Record
from desktop.core.errors import AppError, Rejected
from desktop.core.events import EditRefused, Event
from desktop.models.records_verbs import RecordsVerbs
from desktop.ui.office.views.base import ViewContext
from desktop.ui.tasks import TaskOwner, alive

Verb = Callable[[Record], Awaitable[None]]


class NotOffered(AppError):
    """The record is in no state for the action, or this user may not do it there. Data: name."""

    code = "notOffered"


@dataclass(frozen=True, slots=True)
class Failure:
    """A record the verb could not be done on."""

    record: Record
    title: str
    error: AppError


class BulkRun(QObject):
    """One run at a time. `cancel` stops before the next record; what was done stays done.

    Signals:
        progressed: done, of how many.
        ended: the run is over; `done`, `failures` and `cancelled` tell how.
        failed_later: the server refused one that had been taken.
    """

    progressed = Signal(int, int)
    ended = Signal()
    failed_later = Signal()

    def __init__(self, context: ViewContext, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self.tasks = TaskOwner(self)
        self.failures: list[Failure] = []
        self.done = 0
        self.running = False
        self.cancelled = False
        self._taken: dict[str, Record] = {}
        self._listening = ExitStack()  # kept: a connection holds a bound method weakly
        self._listening.enter_context(context.session.events.subscribe(self._on_event))
        self.destroyed.connect(self._listening.close)

    def start(self, records: Sequence[Record], verb: Verb) -> None:
        """Begins."""
        if self.running:
            return
        self.failures, self.done, self.cancelled, self._taken = [], 0, False, {}
        self.running = True
        self.tasks.start(self._run(tuple(records), verb), name="bulk")

    def cancel(self) -> None:
        """Stops before the next record."""
        self.cancelled = True

    async def _run(self, records: tuple[Record, ...], verb: Verb) -> None:
        try:
            for number, record in enumerate(records):
                if self.cancelled:
                    break
                self._taken[record.id] = record
                try:
                    await verb(record)
                except AppError as error:
                    self._fail(record, error)
                else:
                    self.done += record.id in self._taken
                if not alive(self):
                    return
                self.progressed.emit(number + 1, len(records))
        finally:
            self.running = False
        self.ended.emit()

    def _fail(self, record: Record, error: AppError) -> None:
        self._taken.pop(record.id, None)
        self.failures.append(Failure(record, self._context.title(record), error))

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, EditRefused) or event.object_id not in self._taken or not alive(self):
            return
        self._fail(self._taken[event.object_id], Rejected(type=event.code, description=event.description))
        if not self.running:
            self.done -= 1
            self.failed_later.emit()


# ------------------------------------------------------------ verbs
def setting(records: RecordsVerbs, name: str, value: object) -> Verb:
    """Sets a field; Rejected forbidden where this user may not."""

    async def do(record: Record) -> None:
        if not records.may_edit(record, name):
            raise Rejected(type="forbidden", description=name)
        await records.update(record, {name: value})

    return do


def acting(records: RecordsVerbs, action_name: str, data: dict[str, object]) -> Verb:
    """Runs an action; NotOffered where it is not offered on that record."""

    async def do(record: Record) -> None:
        if not any(action.name == action_name for action in records.allowed_actions(record)):
            raise NotOffered(name=action_name)
        await records.act(record, action_name, dict(data))

    return do


def destroying(records: RecordsVerbs) -> Verb:
    """Deletes; Rejected forbidden where this user may not."""

    async def do(record: Record) -> None:
        if not records.may(record, record.type, "destroy"):
            raise Rejected(type="forbidden", description="destroy")
        await records.destroy(record)

    return do
