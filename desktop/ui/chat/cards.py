"""What the cards of office records in a talk show, and what a message can be made into. The office side answers; the talk only paints."""

from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec

from desktop.core.domain import Card, Message

PLAIN_HEIGHT: Final = 104
LIVE_HEIGHT: Final = 146


class CardFace(msgspec.Struct, frozen=True):
    """What a card says now: the kind of record, its title, its state with the tone of the chip, fields as (name, value).

    closed: this user may not see the record, or it is gone; then there is only the title that came with the message.
    """

    kind: str
    icon: str
    title: str
    state: str = ""
    tone: str = "neutral"
    fields: tuple[tuple[str, str], ...] = ()
    closed: bool = False


class Offer(msgspec.Struct, frozen=True):
    """A kind of record that a message can be made into."""

    type_name: str
    label: str
    icon: str


class CardSource(Protocol):
    """The records behind cards. Answers from memory; `watch` tells when an answer changed."""

    def face(self, card: Card) -> CardFace | None:
        """The card as it is now; None while it is being read."""
        ...

    def watch(self, on_change: Callable[[], None]) -> None:
        """Calls back whenever a face or an offer changed."""
        ...

    def offers(self) -> list[Offer]:
        """What this user may make out of a message."""
        ...

    def prefill(self, type_name: str, message: Message) -> dict[str, Any]:
        """What the new record begins with."""
        ...
