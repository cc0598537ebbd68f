"""What the sync machine asks of its driver. Persist comes before everything else of the same step: first on disk, then on the wire or the screen."""

import msgspec

from desktop.core.domain import ConnectionState
from desktop.core.protocol.frames import MethodCall, Signal
from desktop.core.sync.port import Operation


class SetStatus(msgspec.Struct, frozen=True):
    """The observable state. `retry_in` seconds from now, while offline."""

    state: ConnectionState
    detail: str | None = None
    retry_in: float | None = None
    syncing: bool = False


class OpenConnection(msgspec.Struct, frozen=True):
    """Make sure of a fresh token, then open the socket. Ends in SocketOpened, ConnectionLost or SessionEnded."""


class CloseConnection(msgspec.Struct, frozen=True):
    """Close the socket; its late frames must not come in any more."""


class RenewToken(msgspec.Struct, frozen=True):
    """Refresh the access token and tell the socket. Ends in TokenRenewed, TokenNotRenewed or SessionEnded."""


class SendRequest(msgspec.Struct, frozen=True):
    """A JMAP request on the socket."""

    request_id: str
    calls: tuple[MethodCall, ...]


class EnablePush(msgspec.Struct, frozen=True):
    """Ask for pushes (RFC 8887 §4.3.5.2), some types as objects. No types: all there are, those that modules bring later too."""

    types: tuple[str, ...]
    push_state: str | None
    objects: tuple[str, ...]


class Persist(msgspec.Struct, frozen=True):
    """One transaction of the store."""

    operations: tuple[Operation, ...]
    durable: bool = False


class AnnounceMessages(msgspec.Struct, frozen=True):
    """Messages that came just now, in order of arrival."""

    ids: tuple[str, ...]


class AnnounceAlerts(msgspec.Struct, frozen=True):
    """Alerts that came just now."""

    ids: tuple[str, ...]


class ReportRefusal(msgspec.Struct, frozen=True):
    """The server refused an edit. `written`: the text of one that is not kept."""

    type_name: str
    object_id: str
    code: str
    description: str = ""
    written: str = ""


class ReportSignal(msgspec.Struct, frozen=True):
    """Typing or presence for the screen."""

    signal: Signal


class SettleWindow(msgspec.Struct, frozen=True):
    """The answer to WindowWanted; None: the messages are in the store."""

    tag: int
    error: str | None = None


class EndSession(msgspec.Struct, frozen=True):
    """Signed out from outside."""

    code: str


class WakeUpAt(msgspec.Struct, frozen=True):
    """Send WokeUp at this monotonic time; replaces the earlier wish. None: not needed."""

    at: float | None


class NoteBroken(msgspec.Struct, frozen=True):
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
