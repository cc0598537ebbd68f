"""Transfers and documents kept on this device."""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

import msgspec

from desktop.core.domain.annotations import AnnotationTarget
from desktop.core.errors import AppError


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
    """One file on its way. Sizes in bytes, `speed` in bytes/s, `seconds_left` None while unknown; `error` is an error code.

    `checked`: bytes read so far of a file that is looked at before it is sent, None when it is not being looked at;
    `instant`: the server had it, nothing was sent; `files`: how many a folder holds, 0 for a single file.
    `way`: `direct` from device to device, `server` where that was tried and did not do; empty where there was nothing to choose.
    """

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
    checked: int | None = None
    instant: bool = False
    files: int = 0
    way: str = ""


class TransferRules(msgspec.Struct, frozen=True):
    """What the user wants of transfers on this device. Speeds in bytes/s, 0: no limit.

    `receive`: kinds of messages (`picture`, `file`, `voice`, `video`) whose files come by themselves when they have at most `receive_up_to` bytes;
    all others are asked for. `direct`: files may go from device to device in the office network, where the server's policy allows it.
    """

    up_limit: int = 0
    down_limit: int = 0
    receive: tuple[str, ...] = ()
    receive_up_to: int = 20 * 1024 * 1024
    direct: bool = True


class ArrivalState(StrEnum):
    """Coming; held by a lost network or by the user; whole, and what its name says; failed, and nothing of it may be shown."""

    COMING = "coming"
    HELD = "held"
    WHOLE = "whole"
    FAILED = "failed"


class Arriving(Protocol):
    """A file read while it comes. Every method may be called from any thread; reading blocks on the disk."""

    @property
    def size(self) -> int:
        """The whole file in bytes."""
        ...

    @property
    def arrived(self) -> int:
        """Bytes that are here."""
        ...

    @property
    def state(self) -> ArrivalState:
        """How it goes."""
        ...

    @property
    def error(self) -> AppError | None:
        """Why it failed, or is held."""
        ...

    def read(self, offset: int, length: int) -> bytes | None:
        """Bytes, fewer at the end; None when some of them are not here. What is read so is not checked yet as the whole will be."""
        ...

    def want(self, offset: int, length: int) -> None:
        """Have these bytes come next."""
        ...

    def content(self) -> bytes:
        """All of it, once it is whole. Raises BadFile."""
        ...

    def listen(self, told: Callable[[], None]) -> None:
        """`told` is called, on any thread, when more has come or the state is another."""
        ...

    def close(self) -> None:
        """Nobody here reads it any more."""
        ...


class LocalDocument(msgspec.Struct, frozen=True):
    """A document's bytes, decrypted in memory, with what its lease allows. `lease_until` in ms, None while online; `target`: as what it may be marked.

    `arriving`: it is still on its way; `data` is empty then, and comes from there in the end. `pages`: an office document as PDF, where the server makes one.
    """

    name: str
    type: str
    data: bytes
    lease_until: int | None = None
    may_print: bool = True
    may_copy: bool = True
    target: AnnotationTarget | None = None
    arriving: Arriving | None = None
    pages: bytes = b""
