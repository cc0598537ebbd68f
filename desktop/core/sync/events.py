"""What the driver tells the sync machine. `now` is monotonic seconds; `roll` is a random number in [0, 1), for jitter."""

from dataclasses import dataclass

from desktop.core.protocol.frames import Frame
from desktop.core.sync.outbox import Edit
from desktop.core.sync.port import Saved


@dataclass(frozen=True, slots=True)
class Start:
    """Begins with what the store saved; the first connection is tried at once."""

    now: float
    saved: Saved


@dataclass(frozen=True, slots=True)
class SocketOpened:
    """The socket is there and the session is signed in. `push_types`: what the server pushes as objects; `types`: what it knows."""

    now: float
    push_types: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    max_get: int = 500
    renew_at: float | None = None


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """No connection came about, or the one there was ended. `code` is an error code for the status line."""

    now: float
    roll: float
    code: str = "offline"
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The server will not have this session any more (revoked, disabled, grant used up)."""

    now: float
    code: str


@dataclass(frozen=True, slots=True)
class FrameArrived:
    """A frame of the present socket."""

    now: float
    roll: float
    frame: Frame


@dataclass(frozen=True, slots=True)
class WokeUp:
    """The time of the last `WakeUpAt` has come."""

    now: float
    roll: float


@dataclass(frozen=True, slots=True)
class TokenRenewed:
    """A fresh access token is in use; the next renewal is due at `renew_at`."""

    now: float
    renew_at: float


@dataclass(frozen=True, slots=True)
class TokenNotRenewed:
    """The renewal failed for now (no answer)."""

    now: float


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """The system reports another network situation, or the machine woke from sleep: what we believe of the connection needs a proof."""

    now: float
    roll: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Ends the connection; nothing is tried any more until `Start`."""

    now: float


@dataclass(frozen=True, slots=True)
class EditMade:
    """The user did something."""

    now: float
    edit: Edit


@dataclass(frozen=True, slots=True)
class EditRetried:
    """A refused edit goes out again."""

    now: float
    edit_id: str


@dataclass(frozen=True, slots=True)
class EditDropped:
    """The user takes an edit back; one that is on its way stays."""

    now: float
    edit_id: str


@dataclass(frozen=True, slots=True)
class UploadFinished:
    """The file an edit waits for has arrived."""

    now: float
    transfer_id: str
    blob_id: str


@dataclass(frozen=True, slots=True)
class UploadRefused:
    """The file an edit waits for can't be sent."""

    now: float
    transfer_id: str
    code: str


@dataclass(frozen=True, slots=True)
class WindowWanted:
    """A screen needs messages in [low, high] of a conversation, `limit` of them from the newest (or oldest) on. Answered by SettleWindow."""

    now: float
    tag: int
    conversation_id: str
    low: int
    high: int
    limit: int = 60
    newest_first: bool = True


SyncEvent = (
    Start
    | SocketOpened
    | ConnectionLost
    | SessionEnded
    | FrameArrived
    | WokeUp
    | TokenRenewed
    | TokenNotRenewed
    | NetworkChanged
    | Stop
    | EditMade
    | EditRetried
    | EditDropped
    | UploadFinished
    | UploadRefused
    | WindowWanted
)
