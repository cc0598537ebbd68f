"""Where the bytes of an upload come from, read as they were when the user sent them; and their hash and the proof that we hold them."""

import hashlib
import hmac
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol

from desktop.core.errors import BadFile
from desktop.core.net.transport import Claim
from desktop.core.services.blobs import BlobCache
from desktop.core.services.folder_zip import FolderList, FolderZip, take_crcs
from desktop.core.services.transfer_records import Record
from desktop.core.services.workers import Workers

HASH_PIECE: Final = 8 * 1024 * 1024
_PROOF_PIECE: Final = 1024 * 1024

Read = Callable[[int, int], bytes]
"""Blocking: bytes at an offset, so many. Raises BadFile."""


class Counted(Protocol):
    """Told how many bytes have been read so far."""

    def __call__(self, count: int, /) -> None: ...


def source_of(record: Record, cache: BlobCache, folder: FolderList | None) -> Read:
    """How to read what a record sends. Raises BadFile: the list of a folder is lost."""
    kind, _, where = record.source.partition(":")
    if kind == "blob":
        return lambda offset, length: cache.read(where, offset, length)
    if kind == "folder":
        if folder is None:
            raise BadFile(reason="missing")
        return FolderZip(folder).read
    size, modified = record.transfer.size, record.modified_ns
    return lambda offset, length: read_unchanged(Path(where), size, modified, offset, length)


async def hash_source(read: Read, size: int, workers: Workers, counted: Counted) -> str:
    """SHA-256 (hex) of all of it, a piece at a time, so that other work gets its turn. Raises BadFile."""
    digest = hashlib.sha256()

    def take(offset: int, length: int) -> None:
        data = read(offset, length)
        if len(data) != length:
            raise BadFile(reason="changed")
        digest.update(data)

    for offset in range(0, size, HASH_PIECE):
        await workers.cpu(take, offset, min(HASH_PIECE, size - offset))
        counted(min(size, offset + HASH_PIECE))
    return digest.hexdigest()


async def add_crcs(folder: FolderList, workers: Workers, counted: Counted) -> FolderList:
    """The list with the CRC of each file, a piece at a time. Raises BadFile."""
    steps = take_crcs(folder)

    def step() -> tuple[int, FolderList | None]:
        try:
            return next(steps), None
        except StopIteration as end:
            return 0, end.value

    while True:
        count, known = await workers.cpu(step)
        if known is not None:
            return known
        counted(count)


def proves(read: Read, blob_id: str, workers: Workers) -> Callable[[Claim], Awaitable[str]]:
    """Answers the server's question for places of the file (docs/protocol.md, possession)."""

    def prove(claim: Claim) -> str:
        digest = hmac.new(claim.key, blob_id.encode(), hashlib.sha256)
        for offset, length in claim.ranges:
            for start in range(offset, offset + length, _PROOF_PIECE):
                digest.update(read(start, min(_PROOF_PIECE, offset + length - start)))
        return digest.hexdigest()

    return lambda claim: workers.cpu(prove, claim)


def read_unchanged(path: Path, size: int, modified_ns: int, offset: int, length: int) -> bytes:
    """A piece of the user's file, as long as it is the file it was. Raises BadFile: `changed`, `missing`, `noRights`."""
    try:
        with open(path, "rb") as file:
            stat = os.fstat(file.fileno())
            if stat.st_size != size or stat.st_mtime_ns != modified_ns:
                raise BadFile(reason="changed")
            file.seek(offset)
            return file.read(length)
    except PermissionError as error:
        raise BadFile(reason="noRights") from error
    except OSError as error:
        raise BadFile(reason="missing") from error


def read_limited(path: Path, limit: int) -> bytes:
    """A small file, a byte more than `limit` at most. Raises BadFile."""
    try:
        with open(path, "rb") as file:
            return file.read(limit + 1)
    except PermissionError as error:
        raise BadFile(reason="noRights") from error
    except OSError as error:
        raise BadFile(reason="missing") from error
