"""Requests in flight: what each one was for, and since when. An answer nobody waits for (a duplicate, one of an older socket) finds nothing."""

from typing import Final

import msgspec

from desktop.core.protocol.frames import MethodCall
from desktop.core.sync.commands import SendRequest
from desktop.core.sync.port import Operation

DEADLINE: Final = 30.0
"""Seconds without an answer after which the connection counts as dead."""
PROBE_DEADLINE: Final = 5.0


class ChangesJob(msgspec.Struct, frozen=True):
    """/changes of some types, each from its cursor; `chained`: types whose objects come in the same answer."""

    since: tuple[tuple[str, str], ...]
    chained: frozenset[str]


class FetchJob(msgspec.Struct, frozen=True):
    """The objects one /changes page named; `rest` is persisted with them."""

    type_name: str
    ids: tuple[str, ...]
    created: frozenset[str]
    rest: tuple[Operation, ...]
    new_state: str
    more: bool


class SnapshotJob(msgspec.Struct, frozen=True):
    """The start-up path of one type: its state first, then every id, then the objects."""

    type_name: str


class IdsJob(msgspec.Struct, frozen=True):
    """More ids of a snapshot whose /query was cut short by the server."""

    type_name: str
    state: str
    ids: tuple[str, ...]


class PageJob(msgspec.Struct, frozen=True):
    """Objects of a large snapshot, page by page."""

    type_name: str
    state: str
    ids: tuple[str, ...]
    done: int


class Window(msgspec.Struct, frozen=True):
    """Messages of one conversation in [low, high], `limit` of them from one end."""

    conversation_id: str
    low: int
    high: int
    limit: int
    newest_first: bool = True
    tag: int | None = None


class WindowJob(msgspec.Struct, frozen=True):
    """Some windows in one request."""

    windows: tuple[Window, ...]
    history: bool = False


class SendJob(msgspec.Struct, frozen=True):
    """Edits of one lane."""

    lane: str
    edit_ids: tuple[str, ...]


class ProbeJob(msgspec.Struct, frozen=True):
    """Core/echo, to learn whether the connection lives."""


Job = ChangesJob | FetchJob | SnapshotJob | IdsJob | PageJob | WindowJob | SendJob | ProbeJob


class Requests(msgspec.Struct):
    """The book of what is in flight."""

    _number: int = 0
    _open: dict[str, tuple[Job, float]] = msgspec.field(default_factory=dict)

    def start(self, job: Job, calls: list[MethodCall], now: float) -> SendRequest:
        """Enters a job; ids are never used twice, not even over connections."""
        self._number += 1
        request_id = f"r{self._number}"
        limit = PROBE_DEADLINE if isinstance(job, ProbeJob) else DEADLINE
        self._open[request_id] = (job, now + limit)
        return SendRequest(request_id, tuple(calls))

    def finish(self, request_id: str | None) -> Job | None:
        """The job an answer belongs to, once."""
        entry = self._open.pop(request_id, None) if request_id is not None else None
        return entry[0] if entry else None

    def clear(self) -> list[Job]:
        """Forgets everything (the connection is gone); what was under way."""
        jobs = [job for job, _ in self._open.values()]
        self._open.clear()
        return jobs

    def due(self) -> float | None:
        """When the first deadline passes."""
        return min((deadline for _, deadline in self._open.values()), default=None)

    def count(self, *kinds: type) -> int:
        """How many jobs of these kinds are in flight."""
        return sum(isinstance(job, kinds) for job, _ in self._open.values())

    def jobs(self) -> list[Job]:
        """What is in flight."""
        return [job for job, _ in self._open.values()]
