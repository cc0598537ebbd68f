"""What the driver tells the sync machine. `now` is monotonic seconds; `roll` is a random number in [0, 1), for jitter."""

import msgspec

from desktop.core.protocol.frames import Frame
from desktop.core.sync.outbox import Edit
from desktop.core.sync.port import Saved


class Start(msgspec.Struct, frozen=True):
    """Begins with what the store saved; the first connection is tried at once."""

    now: float
    saved: Saved


class SocketOpened(msgspec.Struct, frozen=True):
    """The socket is there and the session is signed in. `push_types`: what the server pushes as objects; `types`: what it knows."""

    now: float
    push_types: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    max_get: int = 500
    renew_at: float | None = None


class ConnectionLost(msgspec.Struct, frozen=True):
    """No connection came about, or the one there was ended. `code` is an error code for the status line."""

    now: float
    roll: float
    code: str = "offline"
    retry_after: float | None = None


class SessionEnded(msgspec.Struct, frozen=True):
    """The server will not have this session any more (revoked, disabled, grant used up)."""

    now: float
    code: str


class FrameArrived(msgspec.Struct, frozen=True):
    """A frame of the present socket."""

    now: float
    roll: float
    frame: Frame


class WokeUp(msgspec.Struct, frozen=True):
    """The time of the last `WakeUpAt` has come."""

    now: float
    roll: float


class TokenRenewed(msgspec.Struct, frozen=True):
    """A fresh access token is in use; the next renewal is due at `renew_at`."""

    now: float
    renew_at: float


class TokenNotRenewed(msgspec.Struct, frozen=True):
    """The renewal failed for now (no answer)."""

    now: float


class NetworkChanged(msgspec.Struct, frozen=True):
    """The system reports another network situation, or the machine woke from sleep: what we believe of the connection needs a proof."""

    now: float
    roll: float


class Stop(msgspec.Struct, frozen=True):
    """Ends the connection; nothing is tried any more until `Start`."""

    now: float


class EditMade(msgspec.Struct, frozen=True):
    """The user did something."""

    now: float
    edit: Edit


class EditRetried(msgspec.Struct, frozen=True):
    """A refused edit goes out again."""

    now: float
    edit_id: str


class EditDropped(msgspec.Struct, frozen=True):
    """The user takes an edit back; one that is on its way stays."""

    now: float
    edit_id: str


class UploadFinished(msgspec.Struct, frozen=True):
    """The file an edit waits for has arrived."""

    now: float
    transfer_id: str
    blob_id: str


class UploadRefused(msgspec.Struct, frozen=True):
    """The file an edit waits for can't be sent."""

    now: float
    transfer_id: str
    code: str


class WindowWanted(msgspec.Struct, frozen=True):
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
