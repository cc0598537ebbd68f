"""What comes from the server: cursors by type, the start-up path, changes in pages, pushes, windows of history.

A push is a hint: its objects are shown at once, but a cursor moves only by /changes, in the transaction that holds its data.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import msgspec

from desktop.core.domain import Conversation, Message, ModuleDefinition
from desktop.core.protocol.answers import ChangesAnswer, GetAnswer, MethodError, QueryAnswer, decode_answer
from desktop.core.protocol.frames import MethodCall, Push, Response, StateChange
from desktop.core.protocol.objects import DomainObject, decode_object, state_number
from desktop.core.protocol.problems import ProtocolError
from desktop.core.sync import backoff, ranges
from desktop.core.sync.beyond import Beyond
from desktop.core.sync.commands import (
    AnnounceAlerts,
    AnnounceMessages,
    Command,
    NoteBroken,
    Persist,
    SettleWindow,
)
from desktop.core.sync.coverage import Coverage
from desktop.core.sync.jobs import ChangesJob, FetchJob, IdsJob, PageJob, Requests, SnapshotJob, Window, WindowJob
from desktop.core.sync.port import (
    CoverMessages,
    DropType,
    KeepOnly,
    Operation,
    PutObjects,
    RemoveObjects,
    Saved,
    SetCoverage,
    SetPushState,
    SetState,
)
from desktop.core.sync.type_order import LAST, START_ORDER, STATIC, in_order

CHANGES_PAGE: Final = 400
MOST_CHANGES: Final = 1000
PAGE_BYTES: Final = 1 << 20
"""Pages of messages grow up to MOST_CHANGES while the objects of one stay below so many bytes; those of a new connection begin small again, so that a
page that was too long for a frame is none the next time."""
SETTLE: Final = 1.0
"""Seconds after a push before the cursor follows: a burst of pushes costs one /changes."""
MAX_SNAPSHOTS: Final = 3
MAX_CHANGES_REQUESTS: Final = 3
MAX_WINDOW_REQUESTS: Final = 3
WINDOWS_PER_REQUEST: Final = 8
TYPES_PER_REQUEST: Final = 8
MAX_ANNOUNCED_UNKNOWN: Final = 50


class Puller:
    """Keeps the cursors and what is under way; every answer becomes one Persist."""

    def __init__(self, me: str, requests: Requests) -> None:
        self._me = me
        self._requests = requests
        self.coverage = Coverage()
        self._states: dict[str, str] = {}
        self._push_state: str | None = None
        self._new_push_state: str | None = None
        self._types: tuple[str, ...] = (*START_ORDER, *LAST)
        self._modules: dict[str, tuple[str, ...]] = {}  # which types each office module has
        self._offered: frozenset[str] = frozenset()  # types the server named at the last connection
        self._max_get = 500
        self._message_page = self._most_changes = CHANGES_PAGE
        self._running: set[str] = set()
        self._dirty: set[str] = set()
        self._settle_at: float | None = None
        self._settling: set[str] = set()
        self._retry_at: float | None = None
        self._failures = 0
        self._beyond = Beyond(self._states)
        self._suspects: dict[str, set[str]] = {}
        self._wanted: list[Window] = []
        self._busy_windows: set[str] = set()
        self._unknown_arrivals: dict[str, list[str]] = {}
        self._caught_up = False
        self.live = False
        self._messages_from = 0  # where the cursor of messages began
        self.message_cursors = 0  # counts the cursors of messages: the saved one, and each that was taken anew

    # ------------------------------------------------------------ life
    def load(self, saved: Saved) -> None:
        """Starts with what the store holds."""
        self._states.clear()  # filled, not replaced: others look at it
        self._states.update(saved.states)
        self.message_cursors = int("Message" in saved.states)
        self._push_state = saved.push_state
        self._modules = dict(saved.modules)
        self._beyond.load(saved.loose)
        self.coverage.load(saved.coverage, saved.tops)

    @property
    def push_state(self) -> str | None:
        """Where the push stream stood when everything had been taken in."""
        return self._push_state

    @property
    def syncing(self) -> bool:
        """Whether something is still being filled."""
        return bool(self._running or self._dirty or self._busy_windows) or not self._caught_up

    def due(self) -> float | None:
        """When the puller wants to be woken."""
        return min((at for at in (self._settle_at, self._retry_at) if at is not None), default=None)

    def connected(self, types: Sequence[str], max_get: int) -> list[Command]:
        """A new socket: every type is asked for, from its cursor or by the start-up path. `types`: what the server has; none named: the known ones."""
        self.live = True
        self._offered = frozenset(types)
        offered = [name for name in types if name not in STATIC]
        static = {name for name in STATIC if not types or name in types}
        self._types = in_order(static, dict.fromkeys([*self._defined(), *offered]))
        self._max_get = max(1, min(max_get, 500))
        self._most_changes = max(1, min(max_get, MOST_CHANGES))
        self._message_page = min(CHANGES_PAGE, self._max_get)
        self._dirty = set(self._types)
        self._running.clear()
        self._retry_at = None
        self._caught_up = False
        self.coverage.retry_skipped()
        return self._drop_unknown() if "ModuleDefinition" in static and "ModuleDefinition" in self._states else []

    def disconnected(self) -> list[Command]:
        """Nothing is under way any more; who waits for a window is told."""
        self.live = False
        windows = [
            *self._wanted,
            *(w for job in self._requests.jobs() if isinstance(job, WindowJob) for w in job.windows),
        ]
        tags = {window.tag for window in windows if window.tag is not None}
        self._wanted.clear()
        self._busy_windows.clear()
        self._running.clear()
        self._beyond.ahead.clear()
        self._suspects.clear()
        self._settling.clear()
        self._settle_at = self._retry_at = None
        self._new_push_state = None
        return [SettleWindow(tag, "offline") for tag in sorted(tags)]

    # ------------------------------------------------------------ types that modules bring
    def _defined(self) -> dict[str, None]:
        return {name: None for names in self._modules.values() for name in names if name not in STATIC}

    def _take_modules(self, found: Mapping[str, tuple[str, ...]], gone: Iterable[str] = ()) -> list[Command]:
        """Definitions came or went: their types are asked for from now on, or are no more."""
        before = self._defined()
        self._modules.update(found)
        for module_id in gone:
            self._modules.pop(module_id, None)
        now = self._defined()
        self._types = in_order(STATIC.intersection(self._types), dict.fromkeys([*self._types, *now]))
        if self.live:
            self._dirty.update(name for name in now if name not in before and name in self._types)
        return self._drop_types([name for name in before if name not in now])

    def _drop_unknown(self) -> list[Command]:
        """Takes away what is held of types that neither the definitions nor the server name any more."""
        known = {*STATIC, *self._defined(), *self._offered}
        return self._drop_types([name for name in self._states if name not in known])

    def _drop_types(self, names: Sequence[str]) -> list[Command]:
        if not names:
            return []
        self._types = tuple(name for name in self._types if name not in names)
        for name in names:
            self._states.pop(name, None)
            self._beyond.ahead.pop(name, None)
            for waiting in (self._dirty, self._running, self._settling):
                waiting.discard(name)
            self._suspects.pop(name, None)
        ties = [operation for name in names for operation in self._beyond.tie(name, self._beyond.loose_of(name))]
        return [Persist((*(DropType(name) for name in names), *ties))]

    def mark_dirty(self, type_name: str) -> None:
        """Something of this type changed on the server."""
        if type_name in self._types:
            self._dirty.add(type_name)

    def woke(self, now: float) -> None:
        """Time has passed: pushed types settle, failed jobs are tried again."""
        if self._settle_at is not None and self._settle_at <= now:
            self._dirty |= self._settling
            self._settling.clear()
            self._settle_at = None
        if self._retry_at is not None and self._retry_at <= now:
            self._retry_at = None

    # ------------------------------------------------------------ what to ask next
    def pump(self, now: float) -> list[Command]:
        """Requests for everything that may be asked now."""
        if not self.live:
            return []
        commands: list[Command] = []
        if self._retry_at is None:
            commands += self._ask_changes(now)
            commands += self._ask_snapshots(now)
            commands += self._ask_suspects(now)
        commands += self._ask_windows(now)
        if not self._caught_up and not self._dirty and not self._running:
            self._caught_up = self.coverage.complete(frozenset(self._busy_windows))
        if self._new_push_state is not None and not self._dirty and not self._running and not self._settling:
            self._push_state, self._new_push_state = self._new_push_state, None
            commands.append(Persist((SetPushState(self._push_state),)))
        return commands

    def _ask_changes(self, now: float) -> list[Command]:
        ready = [name for name in self._types if name in self._dirty - self._running and name in self._states]
        commands: list[Command] = []
        for start in range(0, len(ready), TYPES_PER_REQUEST):
            if self._requests.count(ChangesJob) >= MAX_CHANGES_REQUESTS:
                break
            names = ready[start : start + TYPES_PER_REQUEST]
            chained = frozenset(name for name in names if not self._beyond.ahead.get(name))
            calls = [call for name in names for call in self._changes_calls(name, name in chained)]
            job = ChangesJob(tuple((name, self._states[name]) for name in names), chained)
            self._running.update(names)
            self._dirty.difference_update(names)
            commands.append(self._requests.start(job, calls, now))
        return commands

    def _changes_calls(self, name: str, chained: bool) -> list[MethodCall]:
        asked = {
            "accountId": self._me,
            "sinceState": self._states[name],
            "maxChanges": self._message_page if name == "Message" else min(CHANGES_PAGE, self._max_get),
        }
        calls: list[MethodCall] = [(f"{name}/changes", asked, f"{name}/c")]
        if chained:
            for part in ("created", "updated"):
                reference = {"resultOf": f"{name}/c", "name": f"{name}/changes", "path": f"/{part}"}
                calls.append((f"{name}/get", {"accountId": self._me, "#ids": reference}, f"{name}/{part}"))
        return calls

    def _ask_snapshots(self, now: float) -> list[Command]:
        commands: list[Command] = []
        for name in self._types:
            if self._requests.count(SnapshotJob, PageJob, IdsJob) >= MAX_SNAPSHOTS:
                break
            if name in self._dirty - self._running and name not in self._states:
                self._dirty.discard(name)
                self._running.add(name)
                commands.append(self._requests.start(SnapshotJob(name), self._snapshot_calls(name), now))
        return commands

    def _snapshot_calls(self, name: str) -> list[MethodCall]:
        calls: list[MethodCall] = [(f"{name}/get", {"accountId": self._me, "ids": []}, "state")]
        if name != "Message":  # messages come by windows
            reference = {"resultOf": "ids", "name": f"{name}/query", "path": "/ids"}
            calls.append((f"{name}/query", {"accountId": self._me}, "ids"))
            calls.append((f"{name}/get", {"accountId": self._me, "#ids": reference}, "objects"))
        return calls

    def _ask_suspects(self, now: float) -> list[Command]:
        """Whether what no /changes named is still there."""
        commands: list[Command] = []
        for name in [name for name in self._suspects if name in self._types and name not in self._running]:
            if name not in self._states:  # the cursor was lost: the snapshot names all there is
                del self._suspects[name]
                continue
            ids = sorted(self._suspects.pop(name))[: self._max_get]
            self._running.add(name)
            job = FetchJob(name, tuple(ids), frozenset(), (), self._states[name], False)
            commands.append(self._requests.start(job, [self._get_call(name, ids)], now))
        return commands

    def _ask_windows(self, now: float) -> list[Command]:
        commands: list[Command] = []
        while self._wanted:
            commands.append(self._start_windows([self._wanted.pop(0)], now))
        if "Message" not in self._states or "Conversation" not in self._states:
            return commands
        while self._requests.count(WindowJob) < MAX_WINDOW_REQUESTS:
            behind = "Message" in self._running or "Message" in self._dirty
            windows = self.coverage.first_screens(frozenset(self._busy_windows), WINDOWS_PER_REQUEST, behind=behind)
            if not windows:
                break
            commands.append(self._start_windows(windows, now))
        # Old history comes last and one page at a time: it must not stand in anybody's way.
        if not self._running and self._requests.count(WindowJob) == 0:
            window = self.coverage.next_window(frozenset(self._busy_windows))
            if window is not None:
                commands.append(self._start_windows([window], now, history=True))
        return commands

    def _start_windows(self, windows: list[Window], now: float, *, history: bool = False) -> Command:
        calls: list[MethodCall] = []
        for place, window in enumerate(windows):
            self._busy_windows.add(window.conversation_id)
            bounds = {"beforeSeq": window.high + 1, "afterSeq": window.low - 1}
            query = {
                "accountId": self._me,
                "filter": {"conversationId": window.conversation_id, **bounds},
                "sort": [{"property": "seq", "isAscending": not window.newest_first}],
                "limit": min(window.limit, self._max_get),
            }
            reference = {"resultOf": f"{place}/q", "name": "Message/query", "path": "/ids"}
            calls.append(("Message/query", query, f"{place}/q"))
            calls.append(("Message/get", {"accountId": self._me, "#ids": reference}, f"{place}/g"))
        return self._requests.start(WindowJob(tuple(windows), history), calls, now)

    def want(self, window: Window) -> list[Command]:
        """A screen asks for messages; what is held already is answered at once."""
        missing = self.coverage.missing_in(window.conversation_id, window.low, window.high)
        if not missing:
            return [SettleWindow(window.tag, None)] if window.tag is not None else []
        if not self.live:
            return [SettleWindow(window.tag, "offline")] if window.tag is not None else []
        low, high = missing[0][0], missing[-1][1]
        self._wanted.append(narrowed(window, low, high))
        return []

    # ------------------------------------------------------------ pushes
    def on_states(self, frame: StateChange) -> None:
        """Types whose state moved."""
        for name, state in frame.changed.get(self._me, {}).items():
            if self._states.get(name) != state:
                self.mark_dirty(name)
        if frame.push_state is not None:
            self._new_push_state = frame.push_state

    def on_push(self, frame: Push, now: float) -> tuple[list[Command], list[tuple[str, tuple[str, ...]]]]:
        """Objects themselves; also which ids came, for the outbox."""
        number = state_number(frame.state)
        operations: list[Operation] = []
        follow: list[Command] = []
        seen: list[tuple[str, tuple[str, ...]]] = []
        for name, raws in frame.objects.items():
            if name not in self._types:
                continue
            objects = self._decode(name, raws, follow)
            fresh = objects if number is None else self._beyond.not_older(name, objects, number)
            put, more = self.absorb(name, fresh, announce=True)
            operations += put
            operations += self._beyond.loosen(name, (value.id for value in fresh))
            follow += more
            seen.append((name, tuple(value.id for value in objects)))
            if number is not None:
                self._beyond.note(name, (value.id for value in fresh), number)
            self._settling.add(name)
        if self._settling and self._settle_at is None:
            self._settle_at = now + SETTLE
        return ([Persist(tuple(operations)), *follow] if operations else follow), seen

    # ------------------------------------------------------------ answers
    def on_changes(self, job: ChangesJob, response: Response, now: float, roll: float) -> list[Command]:
        """One answer with the changes of some types."""
        answers = {call_id: (name, raw) for name, raw, call_id in response.method_responses}
        commands: list[Command] = []
        for name, since in job.since:
            self._running.discard(name)
            if self._states.get(name) != since:  # a snapshot overtook it
                continue
            method, raw = answers.get(f"{name}/c", ("error", _FAIL))
            if method == "error":
                commands += self._changes_failed(name, decode_answer(raw, MethodError), now, roll)
                continue
            changes = decode_answer(raw, ChangesAnswer)
            self._beyond.note_named(name, (*changes.created, *changes.updated, *changes.destroyed))
            parts = [answers.get(f"{name}/{part}", ("error", _FAIL)) for part in ("created", "updated")]
            if name in job.chained and all(method != "error" for method, _ in parts):
                gots = [decode_answer(raw, GetAnswer) for _, raw in parts]
                if name == "Message":
                    self._fit_page([raw for got in gots for raw in got.objects])
                commands += self._take_changes(name, changes, gots)
            else:
                commands += self._fetch_changed(name, changes, now)
        return commands

    def _fit_page(self, raws: Sequence[msgspec.Raw]) -> None:
        """How many messages the next page asks for: as many of this kind as may come in one."""
        if raws:
            average = sum(memoryview(raw).nbytes for raw in raws) // len(raws) + 1
            self._message_page = max(1, min(PAGE_BYTES // average, self._most_changes))

    def _fetch_changed(self, name: str, changes: ChangesAnswer, now: float) -> list[Command]:
        """Asks for the changed objects that are not here already; the cursor moves when they are."""
        ahead = self._beyond.ahead.get(name, {})
        ids = [
            object_id
            for object_id in (*changes.created, *changes.updated)
            if object_id not in ahead or ahead[object_id] < changes.modseqs.get(object_id, 1 << 62)
        ]
        if not ids:
            return self._take_changes(name, changes, [])
        self._running.add(name)
        rest: list[Operation] = [RemoveObjects(name, tuple(changes.destroyed))] if changes.destroyed else []
        job = FetchJob(
            name, tuple(ids), frozenset(changes.created), tuple(rest), changes.new_state, changes.has_more_changes
        )
        return [self._requests.start(job, [self._get_call(name, ids)], now)]

    def on_fetched(self, job: FetchJob, response: Response, now: float, roll: float) -> list[Command]:
        """The objects of one /changes page."""
        self._running.discard(job.type_name)
        if job.type_name not in self._types:  # gone meanwhile
            return []
        method, raw = _first(response)
        if method == "error":
            return self._changes_failed(job.type_name, decode_answer(raw, MethodError), now, roll)
        got = decode_answer(raw, GetAnswer)
        removed = [operation.ids for operation in job.rest if isinstance(operation, RemoveObjects)]
        gone = [*(object_id for ids in removed for object_id in ids), *got.not_found]
        changes = ChangesAnswer(job.new_state, job.more, list(job.created), [], gone)
        self._beyond.note_named(job.type_name, job.ids)
        return self._take_changes(job.type_name, changes, [got])

    def _take_changes(self, name: str, changes: ChangesAnswer, gots: list[GetAnswer]) -> list[Command]:
        follow: list[Command] = []
        operations: list[Operation] = []
        if changes.destroyed:
            operations.append(RemoveObjects(name, tuple(changes.destroyed)))
            self._forget(name, changes.destroyed)
            if name == "ModuleDefinition":
                follow += self._take_modules({}, changes.destroyed)
        for got in gots:
            objects = self._decode(name, got.objects, follow)
            put, more = self.absorb(name, objects, state_text=got.state, announce=True)
            operations += put
            follow += more
        operations.append(SetState(name, changes.new_state))
        operations += self._beyond.tie_named(name)
        self._states[name] = changes.new_state
        self._failures = 0
        if changes.has_more_changes:
            self._dirty.add(name)
        else:
            self._beyond.drop_reached(name, changes.new_state)
            left = self._beyond.loose_of(name).difference(self._beyond.ahead.get(name, ()))
            if left:
                self._suspects[name] = left
        return [Persist(tuple(operations)), *follow]

    def _changes_failed(self, name: str, error: MethodError, now: float, roll: float) -> list[Command]:
        if error.type == "cannotCalculateChanges":
            return self._lose_cursor(name)
        if error.type in ("unknownMethod", "forbidden", "accountNotSupportedByMethod"):
            self._types = tuple(other for other in self._types if other != name)  # this server has no such type for us
            return [NoteBroken(f"{name}: {error.type}")]
        self._dirty.add(name)
        self._try_later(now, roll)
        return []

    def _lose_cursor(self, name: str) -> list[Command]:
        """A lost cursor means the start-up path, nothing else; what is on the screen stays until the snapshot says otherwise."""
        self._states.pop(name, None)
        self._dirty.add(name)
        operations: list[Operation] = [SetState(name, None)]
        if name == "Message":
            operations += self._forget_coverage()
        return [Persist(tuple(operations))]

    def _forget_coverage(self) -> list[Operation]:
        """What is held was read before the cursor began: what changed in between nobody will tell, so all of it is fetched again."""
        found: list[Operation] = [SetCoverage(conversation_id, ()) for conversation_id in self.coverage.runs]
        self.coverage.load({}, self.coverage.tops)
        return found

    def on_snapshot(self, job: SnapshotJob, response: Response, now: float, roll: float) -> list[Command]:
        """State, ids and (when they fit) objects of one type."""
        name = job.type_name
        if name not in self._types:
            return []
        answers = {call_id: (method, raw) for method, raw, call_id in response.method_responses}
        method, raw = answers.get("state", ("error", _FAIL))
        ids_method, ids_raw = answers.get("ids", ("error", _FAIL))
        if method == "error" or (name != "Message" and ids_method == "error"):
            self._running.discard(name)
            return self._changes_failed(
                name, decode_answer(raw if method == "error" else ids_raw, MethodError), now, roll
            )
        state = decode_answer(raw, GetAnswer).state
        if name == "Message":
            self.message_cursors += 1
            self._messages_from = state_number(state) or 0
            return self._end_snapshot(name, state, [*self._forget_coverage(), SetState(name, state)], [])
        query = decode_answer(ids_raw, QueryAnswer)
        objects_method, objects_raw = answers.get("objects", ("error", _FAIL))
        cut = query.limit is not None and len(query.ids) >= query.limit > 0
        if objects_method != "error" and not cut:
            got = decode_answer(objects_raw, GetAnswer)
            follow: list[Command] = []
            put, more = self.absorb(name, self._decode(name, got.objects, follow), state_text=got.state)
            keep = KeepOnly(name, frozenset(query.ids))
            return self._end_snapshot(name, state, [*put, keep, SetState(name, state)], [*follow, *more], query.ids)
        if cut:
            return [self._ask_ids(name, state, query.ids, now)]
        return [self._ask_page(PageJob(name, state, tuple(query.ids), 0), now)]

    def _ask_ids(self, name: str, state: str, ids: Sequence[str], now: float) -> Command:
        asked: dict[str, Any] = {"accountId": self._me, "anchor": ids[-1], "anchorOffset": 1}
        return self._requests.start(IdsJob(name, state, tuple(ids)), [(f"{name}/query", asked, "ids")], now)

    def on_ids(self, job: IdsJob, response: Response, now: float, roll: float) -> list[Command]:
        """More ids of a snapshot; an anchor that vanished begins it anew."""
        if job.type_name not in self._types:
            return []
        method, raw = _first(response)
        if method == "error":
            self._running.discard(job.type_name)
            error = decode_answer(raw, MethodError)
            if error.type == "anchorNotFound":
                self._dirty.add(job.type_name)
                return []
            return self._changes_failed(job.type_name, error, now, roll)
        query = decode_answer(raw, QueryAnswer)
        known = set(job.ids)
        fresh = [object_id for object_id in query.ids if object_id not in known]
        ids = (*job.ids, *fresh)
        if fresh and query.limit is not None and len(query.ids) >= query.limit:
            return [self._ask_ids(job.type_name, job.state, ids, now)]
        return [self._ask_page(PageJob(job.type_name, job.state, ids, 0), now)]

    def _ask_page(self, job: PageJob, now: float) -> Command:
        page = list(job.ids[job.done : job.done + self._max_get])
        return self._requests.start(job, [self._get_call(job.type_name, page)], now)

    def on_page(self, job: PageJob, response: Response, now: float, roll: float) -> list[Command]:
        """One page of a large snapshot."""
        if job.type_name not in self._types:
            return []
        method, raw = _first(response)
        if method == "error":
            self._running.discard(job.type_name)
            return self._changes_failed(job.type_name, decode_answer(raw, MethodError), now, roll)
        got = decode_answer(raw, GetAnswer)
        follow: list[Command] = []
        put, more = self.absorb(job.type_name, self._decode(job.type_name, got.objects, follow), state_text=got.state)
        done = job.done + self._max_get
        if done < len(job.ids):
            following = PageJob(job.type_name, job.state, job.ids, done)
            return [Persist(tuple(put)), *follow, *more, self._ask_page(following, now)]
        ends: list[Operation] = [KeepOnly(job.type_name, frozenset(job.ids)), SetState(job.type_name, job.state)]
        return self._end_snapshot(job.type_name, job.state, [*put, *ends], [*follow, *more], job.ids)

    def _end_snapshot(
        self,
        name: str,
        state: str,
        operations: list[Operation],
        follow: list[Command],
        ids: Sequence[str] = (),
    ) -> list[Command]:
        self._running.discard(name)
        self._states[name] = state
        self._failures = 0
        # What a push brought while the snapshot was under way may be newer than its ids: the cursor, taken first, tells.
        self._dirty.add(name)
        # What the snapshot did not name is gone from the store: /changes must bring it again.
        if name == "ModuleDefinition":
            follow = [*follow, *self._take_modules({}, set(self._modules).difference(ids)), *self._drop_unknown()]
        known = set(self._beyond.ahead.get(name, {})) if name != "Message" else set()
        if name == "Conversation":
            known |= set(self.coverage.tops)
        self._forget(name, known - set(ids))
        return [Persist(tuple(operations)), *follow]

    def on_windows(self, job: WindowJob, response: Response) -> list[Command]:
        """Messages of some windows; each answer covers an interval, empty ones too."""
        answers = {call_id: (method, raw) for method, raw, call_id in response.method_responses}
        commands: list[Command] = []
        for place, window in enumerate(job.windows):
            self._busy_windows.discard(window.conversation_id)
            query_method, query_raw = answers.get(f"{place}/q", ("error", _FAIL))
            get_method, get_raw = answers.get(f"{place}/g", ("error", _FAIL))
            if "error" in (query_method, get_method):
                self.coverage.skip(window.conversation_id)
                commands += self._settle(window, "rejected")
                continue
            query, got = decode_answer(query_raw, QueryAnswer), decode_answer(get_raw, GetAnswer)
            number = state_number(got.state)
            if number is not None and number < self._messages_from:  # read before the cursor began
                self._wanted.append(window)
                continue
            objects = self._decode("Message", got.objects, commands)
            commands += self._take_window(window, query, objects, number)
            commands += self._settle(window, None)
        return commands

    def _take_window(
        self, window: Window, query: QueryAnswer, objects: list[DomainObject], number: int | None
    ) -> list[Command]:
        conversation_id = window.conversation_id
        if conversation_id not in self.coverage.tops:  # left meanwhile
            return []
        inside = [
            m
            for m in objects
            if isinstance(m, Message) and m.conversation_id == conversation_id and window.low <= m.seq <= window.high
        ]
        limit = min(window.limit, self._max_get, query.limit or window.limit)
        low, high = window.low, window.high
        if len(query.ids) >= limit:  # there may be more beyond the end of the page
            if not inside:
                self.coverage.skip(conversation_id)
                return [NoteBroken("Message/query: nothing of what it named")]
            low, high = (min(m.seq for m in inside), high) if window.newest_first else (low, max(m.seq for m in inside))
        inside.sort(key=lambda message: message.seq)
        newer = self._newer_here(conversation_id, inside, number)
        runs = self.coverage.hold(conversation_id, low, high)
        cover = CoverMessages(conversation_id, low, high, tuple(m for m in inside if m.id not in newer), newer)
        return [Persist((cover, SetCoverage(conversation_id, runs)))]

    def _newer_here(self, conversation_id: str, messages: list[Message], number: int | None) -> tuple[str, ...]:
        """Those of a window, read at change `number`, of which a later version is here: what is held follows every change up to the cursor, what is
        not held did not change since."""
        if number is None:
            return ()
        reached = state_number(self._states.get("Message", ""))
        late = reached is not None and number < reached
        return tuple(
            message.id
            for message in messages
            if self._beyond.is_newer("Message", message.id, number)
            or (late and self.coverage.holds(conversation_id, message.seq))
        )

    def failed(self, type_names: Iterable[str], windows: Iterable[Window], now: float, roll: float) -> list[Command]:
        """A request was refused as a whole (RequestError): the same again, later."""
        for name in type_names:
            self._running.discard(name)
            self._dirty.add(name)
        commands: list[Command] = []
        for window in windows:
            self._busy_windows.discard(window.conversation_id)
            self.coverage.skip(window.conversation_id)
            commands += self._settle(window, "rejected")
        self._try_later(now, roll)
        return commands

    # ------------------------------------------------------------ taking objects in
    def absorb(
        self, name: str, objects: Sequence[DomainObject], *, state_text: str = "", announce: bool = False
    ) -> tuple[list[Operation], list[Command]]:
        """Operations that write `objects`, unless newer versions are here; and what to tell the user."""
        number = state_number(state_text)
        if number is not None:
            objects = self._beyond.not_older(name, objects, number)
        if not objects:
            return [], []
        if name == "Message":
            return self._absorb_messages([m for m in objects if isinstance(m, Message)], announce)
        follow: list[Command] = []
        if name == "Conversation":
            for value in objects:
                if isinstance(value, Conversation):
                    self.coverage.seen(value.id, value.last_seq)
                    waiting = self._unknown_arrivals.pop(value.id, None)
                    if waiting:
                        follow.append(AnnounceMessages(tuple(waiting)))
        if name == "ModuleDefinition":
            modules = [value for value in objects if isinstance(value, ModuleDefinition)]
            follow += self._take_modules({one.id: tuple(type_.name for type_ in one.types) for one in modules})
        if name == "Alert" and announce:
            follow.append(AnnounceAlerts(tuple(value.id for value in objects)))
        return [PutObjects(name, tuple(objects))], follow

    def absorb_written(
        self, name: str, value: DomainObject, state_text: str, *, sure: bool = True
    ) -> tuple[list[Operation], list[Command]]:
        """Like `absorb`, for what an own write made. Answers overtake one another: one that was read before the write must not undo it.

        `sure`: it is as it was written. A message that was perhaps made long ago may have changed since: it is shown, and fetched.
        """
        if name not in self._types:  # its module went meanwhile
            return [], []
        if isinstance(value, Message) and not sure:
            if (
                value.conversation_id not in self.coverage.tops
            ):  # left since, or not here yet: then it comes with its conversation
                self.mark_dirty("Conversation")
                return [], []
            self.coverage.seen(value.conversation_id, value.seq)
            return [PutObjects(name, (value,), live=True)], []
        put, follow = self.absorb(name, [value], state_text=state_text)
        number = state_number(state_text)
        if put and number is not None:
            self._beyond.note(name, (value.id,), number)
        if put:
            put += self._beyond.loosen(name, (value.id,))
        return put, follow

    def _absorb_messages(self, messages: list[Message], announce: bool) -> tuple[list[Operation], list[Command]]:
        operations: list[Operation] = [PutObjects("Message", tuple(messages), live=True)]
        news: list[str] = []
        touched: dict[str, tuple[tuple[int, int], ...]] = {}
        for conversation_id, found in _by_conversation(messages).items():
            known = conversation_id in self.coverage.tops
            if announce and known:
                top = self.coverage.tops[conversation_id]
                news += [message.id for message in found if message.seq > top]
            elif announce:
                waiting = self._unknown_arrivals.setdefault(conversation_id, [])
                waiting += [message.id for message in found[: max(0, MAX_ANNOUNCED_UNKNOWN - len(waiting))]]
                self.mark_dirty("Conversation")
            for low, high in ranges.runs_of(message.seq for message in found):
                touched[conversation_id] = self.coverage.hold(conversation_id, low, high)
            if known:
                self.coverage.seen(conversation_id, found[-1].seq)
        operations += [SetCoverage(conversation_id, runs) for conversation_id, runs in touched.items()]
        return operations, [AnnounceMessages(tuple(dict.fromkeys(news)))] if news else []

    def _forget(self, name: str, ids: Iterable[str]) -> None:
        for object_id in ids:
            self._beyond.ahead.get(name, {}).pop(object_id, None)
            if name == "Conversation":
                self.coverage.forget(object_id)

    def _decode(self, name: str, raws: Iterable[msgspec.Raw], notes: list[Command]) -> list[DomainObject]:
        objects: list[DomainObject] = []
        for raw in raws:
            try:
                objects.append(decode_object(name, raw, self._me))
            except ProtocolError as error:  # one broken object must not stop all others for ever
                notes.append(NoteBroken(str(error)))
        return objects

    def _get_call(self, name: str, ids: Sequence[str]) -> MethodCall:
        return (f"{name}/get", {"accountId": self._me, "ids": list(ids)}, "get")

    def _settle(self, window: Window, error: str | None) -> list[Command]:
        return [] if window.tag is None else [SettleWindow(window.tag, error)]

    def _try_later(self, now: float, roll: float) -> None:
        self._retry_at = now + backoff.delay(self._failures, roll)
        self._failures += 1


_FAIL: Final = msgspec.Raw(b'{"type":"serverFail"}')


def _by_conversation(messages: Iterable[Message]) -> dict[str, list[Message]]:
    """Those of each conversation in their order."""
    found: dict[str, list[Message]] = {}
    for message in messages:
        found.setdefault(message.conversation_id, []).append(message)
    for run in found.values():
        run.sort(key=_seq)
    return found


_seq: Final = attrgetter("seq")


def _first(response: Response) -> tuple[str, msgspec.Raw]:
    if not response.method_responses:
        return "error", _FAIL
    method, raw, _ = response.method_responses[0]
    return method, raw


def narrowed(window: Window, low: int, high: int) -> Window:
    """`window` narrowed to what is missing."""
    return Window(window.conversation_id, low, high, window.limit, window.newest_first, window.tag)
