"""Transfers and documents kept on this device."""

from enum import StrEnum

import msgspec

from desktop.core.domain.annotations import AnnotationTarget


class Direction(StrEnum):
    """Which way a transfer goes."""

    UP = "up"
    DOWN = "down"


class TransferState(StrEnum):
    """waiting and running become done; paused by the user; held by a lost network, goes on by itself; failed needs the user."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    HELD = "held"
    DONE = "done"
    FAILED = "failed"


class Transfer(msgspec.Struct, frozen=True):
    """One file on its way. Sizes in bytes, `speed` in bytes/s, `seconds_left` None while unknown; `error` is an error code."""

    id: str
    direction: Direction
    name: str
    size: int
    moved: int
    state: TransferState
    speed: float = 0.0
    seconds_left: float | None = None
    error: str | None = None
    blob_id: str | None = None
    message_id: str | None = None
    path: str | None = None


class LocalDocument(msgspec.Struct, frozen=True):
    """A document's bytes, decrypted in memory, with what its lease allows. `lease_until` in ms, None while online; `target`: as what it may be marked."""

    name: str
    type: str
    data: bytes
    lease_until: int | None = None
    may_print: bool = True
    may_copy: bool = True
    target: AnnotationTarget | None = None
