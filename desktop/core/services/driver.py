"""Executes what the sync machine decides: one loop takes events, asks the machine, writes one transaction, then does the rest in order.

Nothing here decides about sync. Everything else of the core posts events and listens to the bus.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any, Final, assert_never

import msgspec

from desktop.core.clock import Clock
from desktop.core.domain import (
    Alert,
    ConnectionState,
    ConnectionStatus,
    Conversation,
    Message,
    MessageKind,
    Notify,
    Person,
    Presence,
)
from desktop.core.errors import (
    AccountDisabled,
    AppError,
    AuthExpired,
    DeviceRevoked,
    InvalidCredentials,
    Offline,
    StorageUnavailable,
    UntrustedServer,
)
from desktop.core.events import (
    AlertArrived,
    DirectTold,
    EditRefused,
    EventBus,
    MessageArrived,
    PresenceChanged,
    SignedOut,
    StatusChanged,
    TypingSeen,
)
from desktop.core.net.transport import Socket, SocketClosed, Transport
from desktop.core.protocol.answers import SessionAnswer
from desktop.core.protocol.capabilities import (
    CAPABILITY_OF,
    CORE,
    PUSH,
    USING,
    WEBSOCKET,
    changes_messages,
    office_types,
)
from desktop.core.protocol.frames import Signal, decode_frame, encode_push_enable, encode_request, encode_signal
from desktop.core.protocol.problems import ProtocolError
from desktop.core.services.tasks import TaskRoom
from desktop.core.services.tokens import Tokens
from desktop.core.services.workers import Workers
from desktop.core.sync import events as happened
from desktop.core.sync.commands import (
    AnnounceAlerts,
    AnnounceMessages,
    CloseConnection,
    Command,
    EnablePush,
    EndSession,
    NoteBroken,
    OpenConnection,
    Persist,
    RenewToken,
    ReportRefusal,
    ReportSignal,
    SendRequest,
    SetStatus,
    SettleWindow,
    WakeUpAt,
)
from desktop.core.sync.engine import SyncEngine
from desktop.core.sync.events import SyncEvent
from desktop.core.sync.port import Operation, Store

_log = logging.getLogger("tongban.sync")

BURST: Final = 128
"""Events handled per transaction at most."""
ROOM: Final = 512
"""Events waiting before the socket is no longer read."""
_ASKING: Final = frozenset({"get", "changes", "query", "queryChanges"})
TICK: Final = 5.0
JUMP: Final = 20.0
"""Seconds by which the wall clock may drift from the monotonic one in a tick before we believe the machine slept."""
TOKEN_EXPIRED_CODE: Final = 1008
NEWER: Final = frozenset(
    {"Todo", "Comment", "Annotation", "Follow", "Case", "WorkItem", "CaseEvent", "Process", "Delegation"}
)
"""Types that older servers do not have."""
TALK: Final = frozenset({"Announcement", "JoinRequest", "ScheduledMessage", "Favorite", "Sticker"})
"""Types of talking that older servers do not have: those whose messages never change."""
PUSHED_TYPES: Final = ("Message", "Receipt", "Conversation", "Alert")


class _Step(msgspec.Struct, frozen=True):
    """What is left to do of some events: operations of one transaction (None: there is nothing to write), then the rest in order."""

    operations: Sequence[Operation] | None
    durable: bool
    rest: Sequence[Command]

    @property
    def plain(self) -> bool:
        """Whether questions of what follows may go out before this is done: nothing is said to the server here, and the connection stays."""
        if self.operations is None or self.durable:
            return False
        return all(isinstance(command, _PLAIN) for command in self.rest)


_PLAIN: Final = (SetStatus, WakeUpAt, SettleWindow, AnnounceMessages, AnnounceAlerts, NoteBroken)


class Driver:
    """One account's engine at work."""

    def __init__(
        self,
        *,
        me: str,
        store: Store,
        transport: Transport,
        tokens: Tokens,
        bus: EventBus,
        clock: Clock,
        workers: Workers,
        roll: Callable[[], float] = random.random,
        may_connect: asyncio.Event | None = None,
    ) -> None:
        self._me = me
        self._store = store
        self._transport = transport
        self._tokens = tokens
        self._bus = bus
        self._clock = clock
        self._workers = workers
        self._roll = roll
        self._may_connect = may_connect
        self._engine = SyncEngine(me)
        self._queue: asyncio.Queue[tuple[SyncEvent, asyncio.Future[None] | None]] = asyncio.Queue()
        self._drained = asyncio.Event()
        self._room = TaskRoom("sync", self._on_failure)
        self._generation = 0
        self._connection: asyncio.Task[None] | None = None
        self._outgoing: asyncio.Queue[str] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._windows: dict[int, asyncio.Future[None]] = {}
        self._tag = 0
        self._snapshot_due = False
        self._failed: BaseException | None = None
        self.limits: dict[str, Any] = {}
        self.status = ConnectionStatus(ConnectionState.IDLE)

    # ------------------------------------------------------------ from above
    async def start(self) -> None:
        """Loads what was saved and begins."""
        saved = await self._workers.db(self._store.load_saved)
        self._post(happened.Start(self._now(), saved))
        self._room.start(self._run(), name="driver")
        self._room.start(self._watch_clock(), name="clock")

    async def close(self) -> None:
        """Ends the connection and every task; what was posted before is still written."""
        if self._failed is None:
            try:
                async with asyncio.timeout(3.0):
                    await self.do(happened.Stop(self._now()))
            except (TimeoutError, StorageUnavailable):
                _log.warning("the sync did not stop in time")
        if self._timer is not None:
            self._timer.cancel()
        await self._room.close()

    async def do(self, event: SyncEvent) -> None:
        """Posts an event and waits until what it led to is in the store."""
        if self._failed is not None:
            raise self._failed
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((event, done))
        await done

    async def fill(self, conversation_id: str, low: int, high: int, limit: int, *, newest_first: bool) -> None:
        """Makes sure that messages of [low, high] are in the store, `limit` from one end.

        Raises:
            Offline: they are not, and nobody can be asked.
        """
        self._tag += 1
        tag, loop = self._tag, asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        self._windows[tag] = answer
        try:
            await self.do(happened.WindowWanted(self._now(), tag, conversation_id, low, high, limit, newest_first))
            async with asyncio.timeout(35.0):
                await answer
        except TimeoutError as error:
            raise Offline(reason="timeout") from error
        finally:
            self._windows.pop(tag, None)

    def send_signal(self, kind: str, **fields: str) -> None:
        """Typing, presence: sent when there is a connection, forgotten otherwise."""
        if self._outgoing is not None:
            self._outgoing.put_nowait(encode_signal(kind, **fields))

    def network_changed(self) -> None:
        """The system says so, or a user presses "try now"."""
        self._post(happened.NetworkChanged(self._now(), self._roll()))

    def upload_finished(self, transfer_id: str, blob_id: str) -> None:
        """A file arrived."""
        self._post(happened.UploadFinished(self._now(), transfer_id, blob_id))

    def upload_refused(self, transfer_id: str, code: str) -> None:
        """A file will not arrive."""
        self._post(happened.UploadRefused(self._now(), transfer_id, code))

    async def write(self, *operations: Operation) -> None:
        """Local values (drafts, transfers) beside the sync."""
        for change in await self._workers.db(lambda: self._store.apply(operations)):
            self._bus.publish(change)

    def _post(self, event: SyncEvent) -> None:
        self._queue.put_nowait((event, None))

    # ------------------------------------------------------------ the loop
    async def _run(self) -> None:
        """While one step is being written the next is decided already, where nothing but the disk is waited for: steps end in their order."""
        before: asyncio.Task[None] | None = None
        while True:
            burst = [await self._queue.get()]
            while len(burst) < BURST and not self._queue.empty():
                burst.append(self._queue.get_nowait())
            if self._queue.qsize() < ROOM:
                self._drained.set()
            waiting = [done for _, done in burst if done is not None]
            try:
                step = await self._decide([event for event, _ in burst])
                if before is not None:
                    await before
            except BaseException as error:
                self._give_up(error, waiting)
                raise
            before = None
            if step.plain and not waiting:
                before = self._room.start(self._finish(step, ()), name="driver.step")
            else:
                await self._finish(step, waiting)

    async def _decide(self, burst: list[SyncEvent]) -> "_Step":
        """What the events lead to. Questions go out at once: they do not wait for the disk."""
        commands = [command for event in burst for command in self._engine.handle(event)]
        questions = _questions_first(commands)
        for command in questions:
            await self._execute(command)
        persists = [command for command in commands if isinstance(command, Persist)]
        asked = {id(command) for command in questions}
        rest = [command for command in commands if not isinstance(command, Persist) and id(command) not in asked]
        return _Step(
            [operation for command in persists for operation in command.operations] if persists else None,
            any(command.durable for command in persists),
            rest,
        )

    async def _finish(self, step: "_Step", waiting: Sequence[asyncio.Future[None]]) -> None:
        """One transaction for all, then the rest: first on disk, then on the wire and the screen."""
        try:
            operations, durable = step.operations, step.durable
            if operations is not None:
                changes = await self._workers.db(lambda: self._store.apply(operations, durable=durable))
                for change in changes:
                    self._bus.publish(change)
            for command in step.rest:
                await self._execute(command)
        except BaseException as error:
            self._give_up(error, waiting)
            raise
        for done in waiting:
            if not done.done():
                done.set_result(None)

    def _give_up(self, error: BaseException, waiting: Sequence[asyncio.Future[None]]) -> None:
        if not isinstance(error, asyncio.CancelledError):
            self._on_failure(error)
        for done in waiting:
            if not done.done():
                done.set_exception(self._failed or StorageUnavailable(reason="stopped"))

    async def _execute(self, command: Command) -> None:
        match command:
            case SetStatus():
                self._set_status(command)
            case OpenConnection():
                self._open()
            case CloseConnection():
                self._shut()
            case RenewToken():
                self._room.start(self._renew(self._generation), name="renew")
            case SendRequest(request_id=request_id, calls=calls):
                self._send(encode_request(request_id, list(calls), USING))
            case EnablePush(types=types, push_state=push_state, objects=objects):
                self._snapshot_due = True
                self._send(encode_push_enable(list(types) or None, push_state, list(objects)))
            case AnnounceMessages(ids=ids):
                await self._announce_messages(ids)
            case AnnounceAlerts(ids=ids):
                await self._announce_alerts(ids)
            case ReportRefusal():
                refusal = (command.type_name, command.object_id, command.code, command.description, command.written)
                self._bus.publish(EditRefused(*refusal))
            case ReportSignal(signal=signal):
                self._report(signal)
            case SettleWindow(tag=tag, error=error):
                self._settle(tag, error)
            case EndSession(code=code):
                self._shut()
                self._bus.publish(SignedOut(code))
            case WakeUpAt(at=at):
                self._set_timer(at)
            case NoteBroken(what=what):
                _log.warning("skipped: %s", what)
            case Persist():
                raise AssertionError("persisted before")
            case _:
                assert_never(command)

    # ------------------------------------------------------------ the connection
    def _open(self) -> None:
        self._shut()
        self._generation += 1
        self._connection = self._room.start(self._connect(self._generation), name="connection")

    def _shut(self) -> None:
        """Late frames of the old socket belong to an old generation and are dropped."""
        self._generation += 1
        self._outgoing = None
        if self._connection is not None:
            self._connection.cancel()
            self._connection = None

    async def _connect(self, generation: int) -> None:
        event: SyncEvent
        if self._may_connect is not None:
            await self._may_connect.wait()
        try:
            socket, session = await self._open_socket()
        except (AuthExpired, AccountDisabled, DeviceRevoked, InvalidCredentials) as error:
            event = happened.SessionEnded(self._now(), error.code)
        except UntrustedServer as error:
            event = happened.ConnectionLost(self._now(), self._roll(), error.code, retry_after=60.0)
        except AppError as error:
            after = error.data.get("retry_after")
            event = happened.ConnectionLost(
                self._now(), self._roll(), error.code, float(after) if isinstance(after, int | float) else None
            )
        else:
            event = await self._serve(socket, session, generation)
        self._post_of(generation, event)

    async def _open_socket(self) -> tuple[Socket, SessionAnswer]:
        await self._tokens.ensure()
        try:
            session = await self._transport.fetch_session()
        except AuthExpired:  # the token died early (server restarted, clock moved): once more with a new one
            self._tokens.spoil()
            await self._tokens.ensure()
            session = await self._transport.fetch_session()
        url = str(session.capabilities.get(WEBSOCKET, {}).get("url", "/jmap/ws"))
        return await self._transport.open_socket(url), session

    async def _serve(self, socket: Socket, session: SessionAnswer, generation: int) -> SyncEvent:
        outgoing: asyncio.Queue[str] = asyncio.Queue()
        if generation == self._generation:
            self._outgoing = outgoing
            self.limits = session.capabilities
            self._post_of(generation, self._opened(session))
        writer = self._room.start(_write(socket, outgoing), name="socket.write")
        try:
            while True:
                data = await socket.receive()
                try:
                    frame = decode_frame(data)
                except ProtocolError as error:
                    _log.warning("closing: %s", error)
                    return happened.ConnectionLost(self._now(), self._roll(), "protocolError")
                self._post_of(generation, happened.FrameArrived(self._now(), self._roll(), frame))
                await self._wait_for_room()
        except SocketClosed as closed:
            if closed.code == TOKEN_EXPIRED_CODE:
                self._tokens.spoil()
                return happened.ConnectionLost(self._now(), self._roll(), "authExpired", retry_after=0.0)
            return happened.ConnectionLost(self._now(), self._roll(), "offline")
        finally:
            writer.cancel()
            if generation == self._generation:
                self._outgoing = None
            await socket.close()

    def _opened(self, session: SessionAnswer) -> SyncEvent:
        capabilities = session.capabilities
        office = office_types(capabilities)
        known = [name for name, capability in CAPABILITY_OF.items() if capability in capabilities]
        older = NEWER.difference(office)
        if not changes_messages(capabilities):
            older |= TALK
        types = tuple(dict.fromkeys([*(name for name in known if name not in older), *office]))
        pushed = capabilities.get(PUSH, {}).get("objects", ())
        objects = tuple(name for name in PUSHED_TYPES if isinstance(pushed, list) and name in pushed)
        limit = capabilities.get(CORE, {}).get("maxObjectsInGet", 500)
        return happened.SocketOpened(
            self._now(), objects, types, limit if isinstance(limit, int) else 500, self._tokens.renew_at
        )

    async def _wait_for_room(self) -> None:
        while self._queue.qsize() >= ROOM:
            self._drained.clear()
            await self._drained.wait()

    async def _renew(self, generation: int) -> None:
        try:
            self._tokens.spoil()
            await self._tokens.ensure()
        except Offline:
            self._post_of(generation, happened.TokenNotRenewed(self._now()))
        except AppError as error:
            self._post_of(generation, happened.SessionEnded(self._now(), error.code))
        else:
            self._send(encode_signal("authorize", accessToken=self._tokens.access_token or ""))
            self._post_of(generation, happened.TokenRenewed(self._now(), self._tokens.renew_at))

    def _send(self, text: str) -> None:
        if self._outgoing is not None:
            self._outgoing.put_nowait(text)

    def _post_of(self, generation: int, event: SyncEvent) -> None:
        if generation == self._generation:
            self._post(event)

    # ------------------------------------------------------------ to the screen
    def _set_status(self, command: SetStatus) -> None:
        now = self._clock.now_ms()
        retry_at = None if command.retry_in is None else now + round(command.retry_in * 1000)
        since = self.status.since if self.status.state is command.state else now
        self.status = ConnectionStatus(command.state, command.detail, since, retry_at, command.syncing)
        self._bus.publish(StatusChanged(self.status))

    async def _announce_messages(self, ids: tuple[str, ...]) -> None:
        def load() -> list[tuple[Message, Conversation]]:
            found: list[tuple[Message, Conversation]] = []
            for message_id in ids:
                message = self._store.load_object("Message", message_id)
                if not isinstance(message, Message) or message.sender_id == self._me:
                    continue
                conversation = self._store.load_object("Conversation", message.conversation_id)
                if not isinstance(conversation, Conversation):
                    continue
                peer = self._store.load_object("Person", conversation.peer_id) if conversation.peer_id else None
                if isinstance(peer, Person):
                    conversation = msgspec.structs.replace(conversation, name=peer.name)
                found.append((message, conversation))
            return found

        for message, conversation in await self._workers.db(load):
            mentioned = self._me in message.mentions or "all" in message.mentions
            quiet = conversation.muted or conversation.notify is not Notify.ALL
            loud = not quiet or (mentioned and conversation.notify is Notify.MENTIONS)
            news = message.seq > conversation.read_seq and message.recalled_at is None and not message.silent
            notify = loud and news and message.kind is not MessageKind.SYSTEM
            self._bus.publish(MessageArrived(message, conversation, notify))

    async def _announce_alerts(self, ids: tuple[str, ...]) -> None:
        for alert_id in ids:
            alert = await self._workers.db(self._store.load_object, "Alert", alert_id)
            if isinstance(alert, Alert):
                self._bus.publish(AlertArrived(alert))

    def _report(self, signal: Signal) -> None:
        if signal.kind == "typing" and signal.conversation_id and signal.person_id:
            self._bus.publish(TypingSeen(signal.conversation_id, signal.person_id))
        elif signal.kind == "direct" and signal.direct is not None:
            self._bus.publish(DirectTold(signal.direct))
        elif signal.kind == "presence" and signal.presence is not None:
            known = set(Presence)
            presence = {person: Presence(status) for person, status in signal.presence.items() if status in known}
            # The first one after push is enabled is everyone's, the others are single changes.
            self._bus.publish(PresenceChanged(presence, snapshot=self._snapshot_due, texts=signal.texts or {}))
            self._snapshot_due = False

    def _settle(self, tag: int, error: str | None) -> None:
        answer = self._windows.get(tag)
        if answer is None or answer.done():
            return
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(Offline(reason=error))

    # ------------------------------------------------------------ time
    def _now(self) -> float:
        return self._clock.monotonic()

    def _set_timer(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            delay = max(0.0, at - self._now())
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _wake(self) -> None:
        self._post(happened.WokeUp(self._now(), self._roll()))

    async def _watch_clock(self) -> None:
        """A machine that slept has a wall clock far ahead of the monotonic one; its sockets are dead without knowing."""
        wall, ticks = self._clock.now_ms(), self._now()
        while True:
            await asyncio.sleep(TICK)
            fresh_wall, fresh_ticks = self._clock.now_ms(), self._now()
            drift = (fresh_wall - wall) / 1000 - (fresh_ticks - ticks)
            if abs(drift) > JUMP or fresh_ticks - ticks > TICK + JUMP:
                self.network_changed()
            wall, ticks = fresh_wall, fresh_ticks

    def _on_failure(self, error: BaseException) -> None:
        """The store failed, or a bug: the session can't go on, and says so once."""
        if self._failed is not None:
            return
        code = error.code if isinstance(error, AppError) else "internalError"
        self._failed = error if isinstance(error, AppError) else StorageUnavailable(reason="stopped")
        _log.error("the sync stopped: %s", code, exc_info=error)
        self._shut()
        while not self._queue.empty():
            _, done = self._queue.get_nowait()
            if done is not None and not done.done():
                done.set_exception(self._failed)
        self.status = ConnectionStatus(ConnectionState.FAILED, code, self._clock.now_ms())
        self._bus.publish(StatusChanged(self.status))


async def _write(socket: Socket, outgoing: asyncio.Queue[str]) -> None:
    try:
        while True:
            await socket.send(await outgoing.get())
    except SocketClosed:
        return  # the reader tells


def _questions_first(commands: Sequence[Command]) -> list[Command]:
    """What only asks the server, up to the first command that writes there or touches the connection: server and disk work at the same time."""
    found: list[Command] = []
    for command in commands:
        if isinstance(command, SendRequest):
            if any(method.rpartition("/")[2] not in _ASKING for method, *_ in command.calls):
                break
            found.append(command)
        elif isinstance(command, OpenConnection | CloseConnection | EnablePush | EndSession):
            break
    return found
