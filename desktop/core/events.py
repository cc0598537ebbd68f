"""What the core tells upward: typed events on a bus. One store transaction makes one ChangeSet for each type it touched."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from desktop.core.domain import Alert, ConnectionStatus, Conversation, Message, Presence, Transfer


class ChangeSet(msgspec.Struct, frozen=True):
    """Objects of one type that one transaction of the store wrote or removed. For Message, `conversations` names those touched."""

    type_name: str
    upserts: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    conversations: frozenset[str] = frozenset()


class StatusChanged(msgspec.Struct, frozen=True):
    """The connection's state changed."""

    status: ConnectionStatus


class MessageArrived(msgspec.Struct, frozen=True):
    """A colleague's new message came while signed in. `notify`: it deserves a toast (not muted, not read elsewhere, not history)."""

    message: Message
    conversation: Conversation
    notify: bool


class AlertArrived(msgspec.Struct, frozen=True):
    """A new alert."""

    alert: Alert


class TypingSeen(msgspec.Struct, frozen=True):
    """A colleague is typing; shown for some seconds."""

    conversation_id: str
    person_id: str


class DirectTold(msgspec.Struct, frozen=True):
    """The server tells of a direct transfer (docs/protocol.md): offered, taken or ended, and what belongs to it. For the transfers alone."""

    told: dict[str, Any]


class PresenceChanged(msgspec.Struct, frozen=True):
    """Presence of the people named; a snapshot replaces everyone's. `texts`: what they say beside it, "" for no longer anything."""

    presence: dict[str, Presence] = msgspec.field(default_factory=dict)
    snapshot: bool = False
    texts: dict[str, str] = msgspec.field(default_factory=dict)


class TransferProgress(msgspec.Struct, frozen=True):
    """A transfer moved on or changed its state; at most some a second."""

    transfer: Transfer


class EditRefused(msgspec.Struct, frozen=True):
    """The server refused something the user did. `type_name` and `object_id` name it, `code` and `description` say why.

    `written`: the text of a change that was put back, so that it is not lost.
    """

    type_name: str
    object_id: str
    code: str
    description: str = ""
    written: str = ""


class SignedOut(msgspec.Struct, frozen=True):
    """The session ended from outside: revoked, disabled, or expired for good. `reason` is an error code."""

    reason: str


Event = (
    ChangeSet
    | StatusChanged
    | MessageArrived
    | AlertArrived
    | TypingSeen
    | PresenceChanged
    | DirectTold
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
