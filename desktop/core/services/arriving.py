"""A blob that is read while it comes: pieces somebody waits for are fetched before the rest, sealed where they belong, checked as a whole at the end.

The reader's side (`Arriving` in domain/files.py) works from any thread; the fetching side runs on the session's loop.
"""

import hashlib
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from desktop.core.clock import Clock
from desktop.core.crypto.blobfile import CHUNK
from desktop.core.crypto.sparse_blob import SparseBlob
from desktop.core.domain import ArrivalState
from desktop.core.errors import AppError, BadFile, StorageUnavailable
from desktop.core.net.transport import Piece
from desktop.core.services.blobs import BlobCache
from desktop.core.services.transfer_records import disk_reason

EARLY_FROM: Final = 512 * 1024
"""Smaller files come at once: reading them on the way is not worth more requests."""
EARLY_TO: Final = 2 << 30
"""Larger ones (in bytes) come as a stream and are read when they are whole."""
LEAST: Final = 2
MOST: Final = 64
"""Chunks of one request: a wish brings at least so many, the rest comes in requests that grow up to so many."""
QUICK: Final = 0.25
SLOW: Final = 0.75
"""Seconds of one request: shorter ones make the next larger, longer ones smaller, so that no wish waits long."""
MAX_WISHES: Final = 64

Fetch = Callable[[int, int], Awaitable[Piece | None]]
Cpu = Callable[..., Awaitable[Any]]


class NoPieces(Exception):
    """The server does not send parts of this file: it comes as a stream, and is read when it is whole."""


class ArrivingBlob:
    """One blob on its way to this device and whoever reads it meanwhile. `size` as the record told it, in bytes; `keep`: it may stay here."""

    def __init__(self, cache: BlobCache, blob_id: str, size: int, *, keep: bool = True) -> None:
        self.blob_id = blob_id
        self._keep = keep
        self._cache = cache
        self._size = size
        self._lock = threading.Lock()
        self._part: SparseBlob | None = None
        self._streamed = 0
        self._wishes: deque[tuple[int, int]] = deque(maxlen=MAX_WISHES)
        self.want(size - 1, 1)  # both a PDF and an OFD tell at their end where everything else is
        self._listeners: list[Callable[[], None]] = []
        self._state = ArrivalState.COMING
        self._error: AppError | None = None
        self._step = LEAST

    # ------------------------------------------------------------ for readers, from any thread
    @property
    def size(self) -> int:
        """The whole file in bytes."""
        return self._size

    @property
    def arrived(self) -> int:
        """Bytes that are here."""
        part = self._part
        return self._size if self._state is ArrivalState.WHOLE else part.arrived if part else self._streamed

    @property
    def state(self) -> ArrivalState:
        """How it goes."""
        return self._state

    @property
    def error(self) -> AppError | None:
        """Why it failed, or is held."""
        return self._error

    def read(self, offset: int, length: int) -> bytes | None:
        """Bytes, fewer at the end; None when some of them are not here (or came, and were not what they should be)."""
        part = self._part
        if self._state is ArrivalState.FAILED:
            return None
        if part is not None:
            found = part.read(offset, length)
            if found is not None:
                return found
        if self._state is not ArrivalState.WHOLE:
            return None
        try:
            return self._cache.read(self.blob_id, offset, length)
        except BadFile:
            return None

    def want(self, offset: int, length: int) -> None:
        """Have these bytes come next; the newest wish goes first."""
        end = min(self._size, offset + length)
        if 0 <= offset < end:
            with self._lock:
                self._wishes.append((offset // CHUNK, (end - 1) // CHUNK + 1))

    def content(self) -> bytes:
        """All of it, once it is whole. Raises BadFile."""
        data = self._cache.read(self.blob_id)
        self._forget_unless_kept()
        return data

    def listen(self, told: Callable[[], None]) -> None:
        """Calls `told` when more has come or the state is another."""
        self._listeners.append(told)

    def close(self) -> None:
        """Nobody reads it any more: what is still to come needs no order, and nobody is told."""
        with self._lock:
            self._wishes.clear()
        self._listeners.clear()
        if self._state is ArrivalState.WHOLE:
            self._forget_unless_kept()

    # ------------------------------------------------------------ for the transfer
    def tell(self, state: ArrivalState, error: AppError | None = None) -> None:
        """It goes otherwise from now on."""
        self._state, self._error = state, error
        if state is ArrivalState.WHOLE and not self._listeners:
            self._forget_unless_kept()
        self._call()

    def streamed(self, count: int) -> None:
        """So many bytes came in a stream."""
        self._streamed = count
        self._call()

    async def fetch(self, fetch: Fetch, cpu: Cpu, clock: Clock, moved: Callable[[int], None]) -> None:
        """Brings all that is missing; afterwards the cache has the blob.

        Raises:
            NoPieces: the server sends this file whole, or it has another size than was told; what is here is forgotten.
            BadFile: it is not what its id says; nothing of it stays. Offline, Rejected, StorageUnavailable.
        """
        self.tell(ArrivalState.COMING)
        while True:
            span = self._next()
            if span is None:
                break
            first, count = span
            began = clock.monotonic()
            piece = await fetch(first * CHUNK, count * CHUNK)
            self._size = self._size or (piece.size if piece is not None else 0)
            if piece is None or piece.size != self._size or self._size > EARLY_TO:
                await cpu(self._forget)
                raise NoPieces
            await cpu(self._put, first, piece.data)
            self._pace(clock.monotonic() - began, count)
            moved(self.arrived)
            self._call()
        await cpu(self._finish)

    def release(self) -> None:
        """The file on disk is let go; what is here stays for the next try."""
        part, self._part = self._part, None
        if part is not None:
            part.close()

    def _forget_unless_kept(self) -> None:
        if not self._keep:
            self._cache.delete(self.blob_id)

    def _next(self) -> tuple[int, int] | None:
        """First chunk and how many of them come next; None when all is here."""
        part = self._part
        if part is None:
            return 0, LEAST  # tells the size, too
        with self._lock:
            while self._wishes:
                first, stop = self._wishes.pop()
                missing = next((number for number in range(first, stop) if not part.has(number)), None)
                if missing is not None:
                    found = _run(part, missing, min(MOST, max(LEAST, stop - missing)))
                    if missing + found < stop:
                        self._wishes.append((missing + found, stop))
                    self._step = LEAST  # somebody waits: he may wait for more
                    return missing, found
        missing = next((number for number in range(part.chunks) if not part.has(number)), None)
        return None if missing is None else (missing, _run(part, missing, self._step))

    def _pace(self, took: float, count: int) -> None:
        if took < QUICK and count >= self._step:
            self._step = min(MOST, self._step * 2)
        elif took > SLOW:
            self._step = max(LEAST, self._step // 2)

    def _put(self, first: int, data: bytes) -> None:
        try:
            if self._part is None:
                self._part = self._cache.sparse(self.blob_id, self._size)
            for number in range(0, len(data), CHUNK):
                self._part.put(first + number // CHUNK, data[number : number + CHUNK])
        except OSError as error:
            raise StorageUnavailable(reason=disk_reason(error)) from error

    def _finish(self) -> None:
        part = self._part
        assert part is not None
        digest = hashlib.sha256()
        with suppress(BadFile):  # damaged on this disk meanwhile: the hash tells
            for chunk in part.content():
                digest.update(chunk)
        if digest.hexdigest() != self.blob_id:
            self._forget()
            raise BadFile(reason="hash")
        try:
            part.finish()
        except OSError as error:
            raise StorageUnavailable(reason=disk_reason(error)) from error
        self._cache.take_sparse(self.blob_id)
        self._part, self._streamed = None, self._size

    def _forget(self) -> None:
        part, self._part = self._part, None
        if part is not None:
            part.close()
        self._cache.drop_sparse(self.blob_id)

    def _call(self) -> None:
        for told in list(self._listeners):
            told()


def _run(part: SparseBlob, first: int, most: int) -> int:
    """How many chunks from `first` on are missing, at most so many."""
    count = 1
    while count < most and first + count < part.chunks and not part.has(first + count):
        count += 1
    return count
