"""What a message may be and carry: files, cards, pins, merged forwards, polls, chains, the events of system lines. Times in ms since 1970."""

from enum import StrEnum
from typing import Any

import msgspec


class MessageKind(StrEnum):
    """What a message is."""

    TEXT = "text"
    EMOJI = "emoji"
    PICTURE = "picture"
    FILE = "file"
    SYSTEM = "system"
    VOICE = "voice"
    VIDEO = "video"
    STICKER = "sticker"
    SHAKE = "shake"
    MERGED = "merged"
    POLL = "poll"
    CHAIN = "chain"


class Attachment(msgspec.Struct, frozen=True, rename="camel"):
    """A file in a message or record; `size` in bytes, pictures and videos have `width` and `height` in pixels.

    Voice messages and videos have `duration_ms`; voice messages a `waveform` of at most 100 loudnesses 0..100.
    `direct`: it went from device to device, the server has none; `expired`: the server let it go. What a device has stays there.
    """

    blob_id: str
    name: str
    type: str = "application/octet-stream"
    size: int = 0
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    waveform: tuple[int, ...] | None = None
    direct: bool | None = None
    expired: bool | None = None


class Card(msgspec.Struct, frozen=True, rename="camel"):
    """A message's link to an office record, or to a person (type "Person")."""

    type: str
    id: str
    title: str = ""


class Pin(msgspec.Struct, frozen=True, rename="camel"):
    """Who pinned a message in its conversation, and when."""

    by_id: str
    at: int = 0


class SystemEvent(msgspec.Struct, frozen=True, rename="camel"):
    """What a system line tells: joined, left, removed, renamed, announced, transferred, dissolved, muted, unmuted, roleChanged, pinned…

    `value`: the new name, role or text, the end of a mute (ms): whatever the type has.
    """

    type: str
    person_ids: tuple[str, ...] = ()
    by_id: str | None = None
    value: Any = None


class NestedMerged(msgspec.Struct, frozen=True, rename="camel"):
    """A merged message inside a merged one: title and how many; `open_merged` reads what is inside."""

    title: str = ""
    count: int = 0


class MergedItem(msgspec.Struct, frozen=True, rename="camel"):
    """One message inside a merged one, as it was when it was forwarded; `name`: what its sender was called."""

    sender_id: str | None = None
    name: str = ""
    sent_at: int = 0
    kind: MessageKind = MessageKind.TEXT
    text: str = ""
    attachment: Attachment | None = None
    card: Card | None = None
    merged: NestedMerged | None = None
    code: bool = False
    language: str | None = None
    markdown: bool = False
    formatted: str | None = None
    sticker: str | None = None


class Merged(msgspec.Struct, frozen=True, rename="camel"):
    """Messages forwarded as one, oldest first."""

    title: str = ""
    items: tuple[MergedItem, ...] = ()


class PollOption(msgspec.Struct, frozen=True, rename="camel"):
    """One answer of a poll."""

    id: str
    text: str


class Poll(msgspec.Struct, frozen=True, rename="camel"):
    """A question to the conversation; `closed_at`: no more answers, `closes_at`: from when on there will be none."""

    question: str
    options: tuple[PollOption, ...] = ()
    multiple: bool = False
    anonymous: bool = False
    closes_at: int | None = None
    closed_at: int | None = None


class PollResult(msgspec.Struct, frozen=True, rename="camel"):
    """How many chose an option, and who, unless the poll is anonymous."""

    count: int = 0
    person_ids: tuple[str, ...] = ()


class Chain(msgspec.Struct, frozen=True, rename="camel"):
    """A list everybody adds a line to (jielong)."""

    title: str
    example: str | None = None


class ChainEntry(msgspec.Struct, frozen=True, rename="camel"):
    """One person's line of a chain."""

    person_id: str
    text: str
    at: int = 0
