"""The hub: takes the events of each commit and tells the open sockets concerned. Belongs to the event loop.

No SQL and no encoding per receiver: sockets are indexed by scope, a pushed frame is encoded once and its bytes are shared. News without
objects are gathered for 100 ms. A push is only a hint, so a socket that does not keep up hears less, not late.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from server_stub.clock import Clock
from server_stub.push.connection import TOO_SLOW, Connection
from server_stub.push.events import MembershipChanged, ObjectsChanged
from server_stub.push.frames import Frame, push_frame, signal, state_change, typing_signal
from server_stub.push.presence import OFFLINE, Presence, best_status
from server_stub.storage.database import Database

log = logging.getLogger("tongban.push")

GATHER_S: Final = 0.1
GATHER_OBJECTS_S: Final = 1.0
TYPING_EVERY_MS: Final = 1000
STATUS_CHANGES: Final = 5  # a socket may change its presence so often…
STATUS_WINDOW_MS: Final = 10_000  # … in so long; what it says beyond that is dropped, but for the last
TRY_LATER: Final = 1013  # RFC 6455 §7.4, registered: come back when the network is better
EVERY_TYPE: Final = "*"  # in Connection.dirty: rights changed, any type may have news

K = TypeVar("K")
LoadScopes = Callable[[sa.Connection, str], set[int]]


class Hub:
    """All open sockets of this process."""

    def __init__(self, database: Database, clock: Clock, load_scopes: LoadScopes, type_names: Collection[str]) -> None:
        self._database = database
        self._clock = clock
        self._load_scopes = load_scopes
        self._type_names = type_names
        self._by_scope: dict[int, set[Connection]] = {}
        self._by_person: dict[str, set[Connection]] = {}
        self._dirty_scopes: dict[tuple[int, str], int] = {}
        self._dirty: set[Connection] = set()
        self._presence = Presence()
        self._snapshot: Frame | None = None
        self._flush_at: asyncio.TimerHandle | None = None
        self._gathered: dict[tuple[str, int], tuple[dict[str, Mapping[str, Any]], list[int]]] = {}
        self._gather_at: asyncio.TimerHandle | None = None
        self._latest = 0
        self.stopping = False
        database.subscribe(self.on_events)

    def know_types(self, type_names: Collection[str]) -> None:
        """There are other types now."""
        self._type_names = type_names

    # ------------------------------------------------------------ coming and going

    async def connect(self, connection: Connection) -> None:
        """Take a socket in; when this returns it is found by its scopes."""
        self._by_person.setdefault(connection.person_id, set()).add(connection)
        try:
            scopes = await self._database.read(lambda conn: self._load_scopes(conn, connection.person_id))
        except BaseException:
            self.disconnect(connection)
            raise
        if connection not in self._by_person.get(connection.person_id, ()):
            return
        connection.scopes = scopes
        waiting, connection.waiting = connection.waiting or [], None
        for scope in scopes:
            self._by_scope.setdefault(scope, set()).add(connection)
        for scope, joined in waiting:
            self._move(connection, scope, joined)

    def disconnect(self, connection: Connection) -> None:
        """Let a socket go; safe to call twice."""
        for scope in connection.scopes:
            _discard(self._by_scope, scope, connection)
        connection.scopes = set()
        _discard(self._by_person, connection.person_id, connection)
        self._dirty.discard(connection)
        connection.enabled = False
        connection.objects = frozenset()
        if connection.status_timer is not None:
            connection.status_timer.cancel()
            connection.status_timer = connection.wanted_status = connection.wanted_text = None
        if connection.status is not None:
            connection.status = None
            self._note_presence(connection.person_id)

    def enable(
        self,
        connection: Connection,
        data_types: Collection[str] | None,
        objects: Collection[str] = (),
        *,
        signals: bool = False,
    ) -> None:
        """The client wants pushes: of these types (None: all), some of them whole.

        With `signals` it also counts as present and hears who is there; a standard client knows no such frames.
        """
        connection.enabled = True
        connection.data_types = None if data_types is None else frozenset(data_types)
        connection.objects = frozenset(objects)
        connection.signals = signals
        if not signals:
            return
        if connection.status is None:
            connection.status = "online"
            self._note_presence(connection.person_id)
        connection.outlet.send(self._presence_snapshot())

    def _presence_snapshot(self) -> Frame:
        if self._snapshot is None:
            texts = {"texts": self._presence.texts} if self._presence.texts else {}
            self._snapshot = signal("presence", presence=self._presence.current, **texts)
        return self._snapshot

    def listen(self, connection: Connection, data_types: Collection[str] | None) -> None:
        """State changes only, no presence: for event streams."""
        connection.enabled = True
        connection.data_types = None if data_types is None else frozenset(data_types)

    def disable(self, connection: Connection) -> None:
        """The client wants no more pushes."""
        connection.enabled = connection.signals = False
        connection.objects = frozenset()
        connection.dirty.clear()
        self._dirty.discard(connection)

    def tell_state(self, connection: Connection, changed: dict[str, str]) -> None:
        """Send a StateChange now: what a client missed while it was away."""
        if changed:
            newest = max(self._latest, *(int(state) for state in changed.values()))
            connection.outlet.send(state_change(connection.person_id, changed, newest))

    def close_where(self, matches: Callable[[Connection], bool], code: int, reason: str) -> None:
        """Close all sockets that match, such as those of a revoked device."""
        for connection in self.connections():
            if matches(connection):
                connection.outlet.close(code, reason)

    def connections(self) -> list[Connection]:
        """Every open socket."""
        return [connection for group in self._by_person.values() for connection in group]

    def count_of(self, person_id: str) -> int:
        """How many sockets of a person are open."""
        return len(self._by_person.get(person_id, ()))

    def go_away(self, *, first_s: float = 1.0, spread_s: float = 30.0) -> None:
        """Graceful stop: tell every client to come back, each after a delay of its own, and close."""
        self.stopping = True
        for timer in (self._flush_at, self._gather_at):
            if timer is not None:
                timer.cancel()
        self._flush_at = self._gather_at = None
        leaving = self.connections()
        for position, connection in enumerate(leaving):
            delay = round(first_s + spread_s * position / max(1, len(leaving)), 3)
            if connection.signals:
                connection.outlet.send(signal("goingAway", retryAfter=delay))
            connection.outlet.close(1001, "the server is stopping")

    # ------------------------------------------------------------ news

    def on_events(self, events: list[object]) -> None:
        """The database's listener: events of one commit, in order."""
        for event in events:
            if isinstance(event, ObjectsChanged):
                self._latest = max(self._latest, event.change_id)
                self._on_objects(event)
            elif isinstance(event, MembershipChanged):
                self._latest = max(self._latest, event.change_id)
                self._on_membership(event)

    def _on_objects(self, event: ObjectsChanged) -> None:
        if event.objects is not None and event.gather:
            self._gather(event)
            return
        if event.objects is not None:
            if self._gathered:
                self._overtake(event)
            groups = [self._by_scope[scope] for scope in event.scopes if scope in self._by_scope]
            groups += [self._by_person[person] for person in event.person_ids if person in self._by_person]
            if groups:  # nobody there: nothing is encoded
                frame = push_frame(event.type_name, event.change_id, event.objects)
                for group in groups:
                    self._fan_out(group, frame, event)
            return
        for scope in event.scopes:
            if scope in self._by_scope:
                self._dirty_scopes[scope, event.type_name] = event.change_id
                self._schedule()
        for person_id in event.person_ids:
            for connection in self._by_person.get(person_id, ()):
                self._mark(connection, event.type_name, event.change_id)

    def _gather(self, event: ObjectsChanged) -> None:
        """Keep the newest version of each object; all of them are as of the last change id when they go out."""
        for scope in event.scopes:
            if scope not in self._by_scope:
                continue
            held = self._gathered.setdefault((event.type_name, scope), ({}, []))
            held[0].update((str(obj["id"]), obj) for obj in event.objects or ())
            held[1][:] = [event.change_id]
            if self._gather_at is None and not self.stopping:
                self._gather_at = asyncio.get_running_loop().call_later(GATHER_OBJECTS_S, self._flush_gathered)

    def _overtake(self, event: ObjectsChanged) -> None:
        """What goes out at once is newer than what was gathered of the same objects, which must not come after it."""
        for scope in event.scopes:
            held = self._gathered.get((event.type_name, scope))
            if held is not None:
                for obj in event.objects or ():
                    held[0].pop(str(obj["id"]), None)

    def _flush_gathered(self) -> None:
        self._gather_at = None
        gathered, self._gathered = self._gathered, {}
        for (type_name, scope), (objects, (change_id,)) in gathered.items():
            if not objects:
                continue
            self._on_objects(ObjectsChanged(type_name, change_id, (scope,), objects=list(objects.values())))

    def _fan_out(self, receivers: Iterable[Connection], frame: Frame, event: ObjectsChanged) -> None:
        """The hot loop: one call into the transport per receiver."""
        type_name, change_id = event.type_name, event.change_id
        for connection in receivers:
            outlet = connection.outlet
            if type_name in connection.objects and not outlet.behind and not connection.lagging:
                outlet.send(frame)
            else:
                connection.lagging = connection.lagging or outlet.behind
                self._mark(connection, type_name, change_id)

    def _on_membership(self, event: MembershipChanged) -> None:
        for connection in self._by_person.get(event.person_id, ()):
            if connection.waiting is not None:
                connection.waiting.append((event.scope, event.joined))
            else:
                self._move(connection, event.scope, event.joined)
            self._mark(connection, EVERY_TYPE, event.change_id)

    def _move(self, connection: Connection, scope: int, joined: bool) -> None:
        if joined:
            connection.scopes.add(scope)
            self._by_scope.setdefault(scope, set()).add(connection)
        else:
            connection.scopes.discard(scope)
            _discard(self._by_scope, scope, connection)

    # ------------------------------------------------------------ gathering

    def _mark(self, connection: Connection, type_name: str, change_id: int) -> None:
        if connection.enabled:
            connection.dirty[type_name] = change_id
            self._dirty.add(connection)
            self._schedule()

    def _schedule(self) -> None:
        if self._flush_at is None and not self.stopping:
            self._flush_at = asyncio.get_running_loop().call_later(GATHER_S, self._flush)

    def _flush(self) -> None:
        """Tell everybody concerned what was gathered."""
        self._flush_at = None
        for (scope, type_name), change_id in self._dirty_scopes.items():
            for connection in self._by_scope.get(scope, ()):
                if connection.enabled:
                    connection.dirty[type_name] = max(change_id, connection.dirty.get(type_name, 0))
                    self._dirty.add(connection)
        self._dirty_scopes.clear()
        again: set[Connection] = set()
        for connection in self._dirty:
            outlet = connection.outlet
            if outlet.behind and outlet.backlog() > TOO_SLOW:
                log.info("a socket does not take what it is sent: closed")
                outlet.close(TRY_LATER, "too slow")
            elif outlet.behind:
                connection.lagging = True
                again.add(connection)
            else:
                if connection.lagging:
                    connection.lagging = False
                    if connection.signals:
                        connection.outlet.send(self._presence_snapshot())
                self._tell(connection)
        self._dirty = again
        self._flush_presence()
        if again:
            self._schedule()

    def _tell(self, connection: Connection) -> None:
        every = connection.dirty.pop(EVERY_TYPE, None)
        if every is not None:
            connection.dirty.update((name, every) for name in self._type_names if connection.dirty.get(name, 0) < every)
        changed = {name: str(connection.dirty[name]) for name in connection.wants(connection.dirty)}
        connection.dirty.clear()
        if changed:
            connection.outlet.send(state_change(connection.person_id, changed, self._latest))

    # ------------------------------------------------------------ signals

    def tell_person(self, person_id: str, frame: Frame) -> int:
        """A signal for all devices of one person that know signals; how many were sent it."""
        heard = [one for one in self._by_person.get(person_id, ()) if one.signals and not one.lagging]
        for connection in heard:
            connection.outlet.send(frame)
        return len(heard)

    def set_status(self, connection: Connection, status: str, text: str | None = None) -> None:
        """The client says how its person is: one of presence.STATUSES, and a text ("": none, None: as before).

        Said too often, only the last counts, and later.
        """
        if text is not None:
            connection.wanted_text = text
        if connection.status_timer is not None:
            connection.wanted_status = status
            return
        now = self._clock.now_ms()
        recent = [at for at in connection.status_changes if 0 <= now - at < STATUS_WINDOW_MS]
        connection.status_changes = recent
        if len(recent) < STATUS_CHANGES:
            self._apply_status(connection, status, now)
            return
        connection.wanted_status = status
        left_s = (recent[0] + STATUS_WINDOW_MS - now) / 1000
        loop = asyncio.get_running_loop()
        connection.status_timer = loop.call_later(left_s, self._apply_wanted_status, connection)

    def _apply_wanted_status(self, connection: Connection) -> None:
        connection.status_timer = None
        status, connection.wanted_status = connection.wanted_status, None
        if status is not None:
            self.set_status(connection, status)

    def _apply_status(self, connection: Connection, status: str, now: int) -> None:
        text, connection.wanted_text = connection.wanted_text, None
        said_anew = text is not None and text != self._presence.texts.get(connection.person_id, "")
        if status == connection.status and not said_anew:
            return
        connection.status_changes.append(now)
        connection.status = status
        self._note_presence(connection.person_id)
        if text is not None and self._presence.set_text(connection.person_id, text):
            self._snapshot = None
            self._schedule()

    def status_of(self, person_id: str) -> str:
        """How a person is over all sockets."""
        return self._presence.current.get(person_id, OFFLINE)

    def _note_presence(self, person_id: str) -> None:
        status = best_status(connection.status for connection in self._by_person.get(person_id, ()))
        if self._presence.update(person_id, status):
            self._snapshot = None
            self._schedule()

    def _flush_presence(self) -> None:
        changes, texts = self._presence.take_changes(), self._presence.take_texts()
        if changes or texts:
            self._broadcast(signal("presence", presence=changes, **({"texts": texts} if texts else {})))

    def _broadcast(self, frame: Frame) -> None:
        for connection in self.connections():
            if connection.signals and not connection.lagging:
                connection.outlet.send(frame)

    def type_in(self, connection: Connection, scope: int, conversation_id: str) -> bool:
        """The person writes in a conversation: tell the other members who are there. False when not a member, or told just now."""
        now = self._clock.now_ms()
        if scope not in connection.scopes or now - connection.typed_at.get(conversation_id, 0) < TYPING_EVERY_MS:
            return False
        connection.typed_at = {key: at for key, at in connection.typed_at.items() if now - at < TYPING_EVERY_MS}
        connection.typed_at[conversation_id] = now
        frame = typing_signal(conversation_id, connection.person_id)
        for other in self._by_scope.get(scope, ()):
            if other.signals and not other.lagging and other.person_id != connection.person_id:
                other.outlet.send(frame)
        return True


def _discard(index: dict[K, set[Connection]], key: K, connection: Connection) -> None:
    group = index.get(key)
    if group is not None:
        group.discard(connection)
        if not group:
            del index[key]
