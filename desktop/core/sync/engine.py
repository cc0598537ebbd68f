"""The sync machine of one account. Decides; never does: no I/O, no clock, no randomness. One driver feeds it and executes its commands."""

from typing import Final, assert_never

from desktop.core.domain import ConnectionState
from desktop.core.protocol.frames import Push, RequestError, Response, Signal, StateChange, Unknown
from desktop.core.protocol.problems import ProtocolError
from desktop.core.sync import backoff
from desktop.core.sync.commands import (
    CloseConnection,
    Command,
    EnablePush,
    EndSession,
    NoteBroken,
    OpenConnection,
    Persist,
    RenewToken,
    ReportSignal,
    SetStatus,
    WakeUpAt,
)
from desktop.core.sync.events import (
    ConnectionLost,
    EditDropped,
    EditMade,
    EditRetried,
    FrameArrived,
    NetworkChanged,
    SessionEnded,
    SocketOpened,
    Start,
    Stop,
    SyncEvent,
    TokenNotRenewed,
    TokenRenewed,
    UploadFinished,
    UploadRefused,
    WindowWanted,
    WokeUp,
)
from desktop.core.sync.jobs import (
    ChangesJob,
    FetchJob,
    IdsJob,
    Job,
    PageJob,
    ProbeJob,
    Requests,
    SendJob,
    SnapshotJob,
    Window,
    WindowJob,
)
from desktop.core.sync.port import CoverMessages, PutObjects
from desktop.core.sync.puller import Puller
from desktop.core.sync.sender import Sender

STEADY: Final = 10.0
"""A connection that lived this long starts the back-off anew."""
RENEW_AGAIN: Final = 10.0


class SyncEngine:
    """Turns wire and local events into commands for the driver."""

    def __init__(self, me: str) -> None:
        self._requests = Requests()
        self._puller = Puller(me, self._requests)
        self._sender = Sender(me, self._requests, self._puller)
        self._state = ConnectionState.IDLE
        self._detail: str | None = None
        self._attempt = 0
        self._retry_at: float | None = None
        self._renew_at: float | None = None
        self._opened_at = 0.0
        self._going_away: float | None = None
        self._last_status: SetStatus | None = None
        self._last_wake: float | None = None

    @property
    def state(self) -> ConnectionState:
        """The one observable state."""
        return self._state

    def handle(self, event: SyncEvent) -> list[Command]:
        """The commands one event leads to, Persist first."""
        commands = self._react(event)
        if self._state is ConnectionState.LIVE:
            # Pulling first: nothing depends on the order, but a new Conversation is asked for before old history.
            commands += self._sender.pump(event.now)
            commands += self._puller.pump(event.now)
        commands += self._status(event.now)
        commands += self._wake()
        return sorted(commands, key=lambda command: not isinstance(command, Persist))

    def _react(self, event: SyncEvent) -> list[Command]:  # noqa: PLR0911 - one line for each event
        match event:
            case Start():
                self._puller.load(event.saved)
                self._sender.load(event.saved.edits)
                return self._connect()
            case SocketOpened():
                return self._on_opened(event)
            case ConnectionLost():
                return self._on_lost(event)
            case SessionEnded():
                return [*self._disconnect(ConnectionState.FAILED, event.code), EndSession(event.code)]
            case FrameArrived():
                return self._on_frame(event)
            case WokeUp():
                return self._on_woke(event)
            case TokenRenewed():
                self._renew_at = event.renew_at
                return []
            case TokenNotRenewed():
                self._renew_at = event.now + RENEW_AGAIN
                return []
            case NetworkChanged():
                return self._on_network(event)
            case Stop():
                return [*self._disconnect(ConnectionState.IDLE, None), CloseConnection()]
            case EditMade():
                return self._sender.add(event.edit)
            case EditRetried():
                return self._sender.retry(event.edit_id)
            case EditDropped():
                return self._sender.drop(event.edit_id)
            case UploadFinished():
                return self._sender.uploaded(event.transfer_id, event.blob_id)
            case UploadRefused():
                return self._sender.upload_refused(event.transfer_id, event.code)
            case WindowWanted():
                window = Window(
                    event.conversation_id, event.low, event.high, event.limit, event.newest_first, event.tag
                )
                return self._puller.want(window)
            case _:
                assert_never(event)

    # ------------------------------------------------------------ the connection's life
    def _connect(self) -> list[Command]:
        self._state = ConnectionState.CONNECTING
        self._retry_at = None
        return [OpenConnection()]

    def _on_opened(self, event: SocketOpened) -> list[Command]:
        if self._state is not ConnectionState.CONNECTING:  # stopped meanwhile
            return [CloseConnection()]
        self._state, self._detail = ConnectionState.LIVE, None
        self._opened_at, self._renew_at, self._going_away = event.now, event.renew_at, None
        dropped = self._puller.connected(event.types, event.max_get)
        return [*dropped, EnablePush((), self._puller.push_state, event.push_types)]

    def _on_lost(self, event: ConnectionLost) -> list[Command]:
        if self._state in (ConnectionState.IDLE, ConnectionState.FAILED, ConnectionState.OFFLINE):
            return []
        if self._state is ConnectionState.LIVE and event.now - self._opened_at >= STEADY:
            self._attempt = 0
        asked = event.retry_after if event.retry_after is not None else self._going_away
        wait = backoff.delay(self._attempt, event.roll)
        if asked is not None:  # the server spreads its clients: never earlier than it said
            wait = max(0.0, asked) * (1 + 0.1 * event.roll)
        self._attempt += 1
        commands = self._disconnect(ConnectionState.OFFLINE, event.code)
        self._retry_at = event.now + wait
        return commands

    def _disconnect(self, state: ConnectionState, detail: str | None) -> list[Command]:
        commands = self._puller.disconnected()
        self._sender.disconnected()
        self._requests.clear()
        self._state, self._detail = state, detail
        self._retry_at = self._renew_at = self._going_away = None
        return commands

    def _on_network(self, event: NetworkChanged) -> list[Command]:
        if self._state is ConnectionState.OFFLINE:
            self._attempt = 0
            return self._connect()
        if self._state is ConnectionState.LIVE and not self._requests.count(ProbeJob):
            return [self._requests.start(ProbeJob(), [("Core/echo", {}, "echo")], event.now)]
        return []

    def _on_woke(self, event: WokeUp) -> list[Command]:
        now = event.now
        if self._retry_at is not None and self._retry_at <= now:
            return self._connect()
        if self._state is not ConnectionState.LIVE:
            return []
        due = self._requests.due()
        if due is not None and due <= now:  # silence: the connection is dead, whatever the socket believes
            lost = ConnectionLost(now, event.roll, "timeout")
            return [*self._on_lost(lost), CloseConnection()]
        self._puller.woke(now)
        if self._renew_at is not None and self._renew_at <= now:
            self._renew_at = now + RENEW_AGAIN
            return [RenewToken()]
        return []

    # ------------------------------------------------------------ frames
    def _on_frame(self, event: FrameArrived) -> list[Command]:
        if self._state is not ConnectionState.LIVE:  # a late frame of a closed socket
            return []
        try:
            return self._take_frame(event)
        except ProtocolError as error:
            # A server that breaks the contract gets a new connection, with back-off; the cursors have not moved.
            self._opened_at = event.now
            lost = ConnectionLost(event.now, event.roll, "protocolError")
            return [NoteBroken(str(error)), *self._on_lost(lost), CloseConnection()]

    def _take_frame(self, event: FrameArrived) -> list[Command]:
        match event.frame:
            case Response() as response:
                job = self._requests.finish(response.request_id)
                return [] if job is None else self._on_answer(job, response, event)
            case RequestError() as error:
                job = self._requests.finish(error.request_id)
                return [] if job is None else self._on_request_error(job, error, event)
            case StateChange() as change:
                self._puller.on_states(change)
                return []
            case Push() as push:
                commands, seen = self._puller.on_push(push, event.now)
                return [*commands, *self._confirm(seen)]
            case Signal() as signal:
                if signal.kind == "goingAway":
                    self._going_away = signal.retry_after or 0.0
                    return []
                return [ReportSignal(signal)]
            case Unknown(type=name):
                return [NoteBroken(f"unknown frame {name[:40]}")]
            case _:
                assert_never(event.frame)

    def _on_answer(self, job: Job, response: Response, event: FrameArrived) -> list[Command]:
        now, roll = event.now, event.roll
        match job:
            case ChangesJob():
                commands = self._puller.on_changes(job, response, now, roll)
            case FetchJob():
                commands = self._puller.on_fetched(job, response, now, roll)
            case SnapshotJob():
                commands = self._puller.on_snapshot(job, response, now, roll)
            case IdsJob():
                commands = self._puller.on_ids(job, response, now, roll)
            case PageJob():
                commands = self._puller.on_page(job, response, now, roll)
            case WindowJob():
                commands = self._puller.on_windows(job, response)
            case SendJob():
                return self._sender.answered(job, response, now, roll)
            case ProbeJob():
                return []
            case _:
                assert_never(job)
        return [*commands, *self._confirm(_written(commands))]

    def _confirm(self, seen: list[tuple[str, tuple[str, ...]]]) -> list[Command]:
        operations = [operation for name, ids in seen for operation in self._sender.arrived(name, ids)]
        return [Persist(tuple(operations))] if operations else []

    def _on_request_error(self, job: Job, error: RequestError, event: FrameArrived) -> list[Command]:
        code = error.type.rsplit(":", 1)[-1]
        match job:
            case SendJob():
                temporary = error.status >= 500 or error.status == 429 or code == "limit"
                return self._sender.failed(job, "rateLimit" if temporary else code, event.now, event.roll)
            case ChangesJob():
                return self._puller.failed([name for name, _ in job.since], (), event.now, event.roll)
            case FetchJob() | SnapshotJob() | IdsJob() | PageJob():
                return self._puller.failed([job.type_name], (), event.now, event.roll)
            case WindowJob():
                return self._puller.failed((), job.windows, event.now, event.roll)
            case ProbeJob():
                return []
            case _:
                assert_never(job)

    # ------------------------------------------------------------ what follows every event
    def _status(self, now: float) -> list[Command]:
        live = self._state is ConnectionState.LIVE
        status = SetStatus(
            self._state,
            self._detail,
            None if self._retry_at is None else max(0.0, self._retry_at - now),
            live and self._puller.syncing,
        )
        same = self._last_status is not None and (
            status.state is self._last_status.state
            and status.detail == self._last_status.detail
            and status.syncing == self._last_status.syncing
        )
        if same:
            return []
        self._last_status = status
        return [status]

    def _wake(self) -> list[Command]:
        wishes: list[float | None] = [self._retry_at]
        if self._state is ConnectionState.LIVE:
            wishes += [self._requests.due(), self._renew_at, self._puller.due(), self._sender.due()]
        at = min((wish for wish in wishes if wish is not None), default=None)
        if at == self._last_wake:
            return []
        self._last_wake = at
        return [WakeUpAt(at)]


def _written(commands: list[Command]) -> list[tuple[str, tuple[str, ...]]]:
    """Which objects the commands write: own messages among them are confirmed."""
    seen: list[tuple[str, tuple[str, ...]]] = []
    for command in commands:
        if not isinstance(command, Persist):
            continue
        for operation in command.operations:
            if isinstance(operation, PutObjects) and operation.type_name == "Message":
                seen.append(("Message", tuple(value.id for value in operation.objects)))
            elif isinstance(operation, CoverMessages):
                seen.append(("Message", tuple(message.id for message in operation.messages)))
    return seen
