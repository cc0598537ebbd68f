"""What the sync machine asks of its driver. Persist comes before everything else of the same step: first on disk, then on the wire or the screen."""

from dataclasses import dataclass

from desktop.core.domain import ConnectionState
from desktop.core.protocol.frames import MethodCall, Signal
from desktop.core.sync.port import Operation


@dataclass(frozen=True, slots=True)
class SetStatus:
    """The observable state. `retry_in` seconds from now, while offline."""

    state: ConnectionState
    detail: str | None = None
    retry_in: float | None = None
    syncing: bool = False


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """Make sure of a fresh token, then open the socket. Ends in SocketOpened, ConnectionLost or SessionEnded."""


@dataclass(frozen=True, slots=True)
class CloseConnection:
    """Close the socket; its late frames must not come in any more."""


@dataclass(frozen=True, slots=True)
class RenewToken:
    """Refresh the access token and tell the socket. Ends in TokenRenewed, TokenNotRenewed or SessionEnded."""


@dataclass(frozen=True, slots=True)
class SendRequest:
    """A JMAP request on the socket."""

    request_id: str
    calls: tuple[MethodCall, ...]


@dataclass(frozen=True, slots=True)
class EnablePush:
    """Ask for pushes (RFC 8887 §4.3.5.2), some types as objects."""

    types: tuple[str, ...]
    push_state: str | None
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Persist:
    """One transaction of the store."""

    operations: tuple[Operation, ...]
    durable: bool = False


@dataclass(frozen=True, slots=True)
class AnnounceMessages:
    """Messages that came just now, in order of arrival."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnnounceAlerts:
    """Alerts that came just now."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportRefusal:
    """The server refused an edit."""

    type_name: str
    object_id: str
    code: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ReportSignal:
    """Typing or presence for the screen."""

    signal: Signal


@dataclass(frozen=True, slots=True)
class SettleWindow:
    """The answer to WindowWanted; None: the messages are in the store."""

    tag: int
    error: str | None = None


@dataclass(frozen=True, slots=True)
class EndSession:
    """Signed out from outside."""

    code: str


@dataclass(frozen=True, slots=True)
class WakeUpAt:
    """Send WokeUp at this monotonic time; replaces the earlier wish. None: not needed."""

    at: float | None


@dataclass(frozen=True, slots=True)
class NoteBroken:
    """Something from the server was skipped because it broke the contract: for the log."""

    what: str


Command = (
    SetStatus
    | OpenConnection
    | CloseConnection
    | RenewToken
    | SendRequest
    | EnablePush
    | Persist
    | AnnounceMessages
    | AnnounceAlerts
    | ReportRefusal
    | ReportSignal
    | SettleWindow
    | EndSession
    | WakeUpAt
    | NoteBroken
)
