"""What the core tells upward: typed events on a bus. One store transaction makes one ChangeSet for each type it touched."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from desktop.core.domain import Alert, ConnectionStatus, Conversation, Message, Presence, Transfer


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Objects of one type that one transaction of the store wrote or removed. For Message, `conversations` names those touched."""

    type_name: str
    upserts: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    conversations: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The connection's state changed."""

    status: ConnectionStatus


@dataclass(frozen=True, slots=True)
class MessageArrived:
    """A colleague's new message came while signed in. `notify`: it deserves a toast (not muted, not read elsewhere, not history)."""

    message: Message
    conversation: Conversation
    notify: bool


@dataclass(frozen=True, slots=True)
class AlertArrived:
    """A new alert."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class TypingSeen:
    """A colleague is typing; shown for some seconds."""

    conversation_id: str
    person_id: str


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """Presence of the people named; a snapshot replaces everyone's."""

    presence: dict[str, Presence] = field(default_factory=dict)
    snapshot: bool = False


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """A transfer moved on or changed its state; at most some a second."""

    transfer: Transfer


@dataclass(frozen=True, slots=True)
class EditRefused:
    """The server refused something the user did. `type_name` and `object_id` name it, `code` and `description` say why."""

    type_name: str
    object_id: str
    code: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The session ended from outside: revoked, disabled, or expired for good. `reason` is an error code."""

    reason: str


Event = (
    ChangeSet
    | StatusChanged
    | MessageArrived
    | AlertArrived
    | TypingSeen
    | PresenceChanged
    | TransferProgress
    | EditRefused
    | SignedOut
)


class EventBus:
    """Hands each event to every subscriber, in order, on the publisher's thread."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Event], None]] = []

    @contextmanager
    def subscribe(self, listener: Callable[[Event], None]) -> Iterator[None]:
        """Calls `listener` for each event while the context is open."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def publish(self, event: Event) -> None:
        """Tells every listener there is now."""
        for listener in tuple(self._listeners):
            listener(event)
