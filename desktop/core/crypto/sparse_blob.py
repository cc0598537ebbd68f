"""An encrypted blob file whose chunks come in any order: what a reader wants first is sealed at its place at once.

Same layout as blobfile.py, so a sequential part is taken up here as it is, and a whole one is read by `BlobReader`. Which chunks are here
is told by the file alone: a hole does not open. Every method may be called from any thread; all block.
"""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from desktop.core.crypto.blobfile import (
    CHUNK,
    HEADER_BYTES,
    MAGIC,
    SALT_BYTES,
    SEALED_CHUNK,
    chunk_nonce,
    file_cipher,
    open_chunk,
)
from desktop.core.errors import BadFile


class SparseBlob:
    """A blob of a known size (plain bytes, at least 1) on its way in."""

    def __init__(self, path: Path, key: bytes, size: int) -> None:
        """Takes up what an earlier run left; what does not open counts as not here. Raises OSError."""
        self.size = size
        self.chunks = (size + CHUNK - 1) // CHUNK
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115 - closed by close()
        try:
            header = self._file.read(HEADER_BYTES)
            fits = os.path.getsize(path) <= HEADER_BYTES + self.chunks * SEALED_CHUNK
            if not (len(header) == HEADER_BYTES and header.startswith(MAGIC) and fits):
                header = MAGIC + os.urandom(SALT_BYTES)
                self._file.seek(0)
                self._file.truncate()
                self._file.write(header)
            self._cipher = file_cipher(key, header)
            self._here = bytearray(self.chunks)
            for number in range(self.chunks):
                self._here[number] = self._load(number) is not None
        except BaseException:
            self._file.close()
            raise
        self._count = sum(self._here)

    @property
    def arrived(self) -> int:
        """Plain bytes that are here."""
        return min(self.size, self._count * CHUNK)

    @property
    def whole(self) -> bool:
        """Whether every chunk is here."""
        return self._count == self.chunks

    def has(self, number: int) -> bool:
        """Whether a chunk is here."""
        return bool(self._here[number])

    def put(self, number: int, plain: bytes) -> None:
        """Seals a chunk at its place; one that is here already stays. Raises ValueError for a wrong length, OSError (disk full)."""
        if len(plain) != min(CHUNK, self.size - number * CHUNK):
            raise ValueError("not a chunk")
        with self._lock:
            if self._here[number]:
                return
            self._file.seek(HEADER_BYTES + number * SEALED_CHUNK)
            nonce = chunk_nonce(number, last=number == self.chunks - 1)
            self._file.write(self._cipher.encrypt(nonce, plain, None))
            self._file.flush()
            self._here[number] = True
            self._count += 1

    def read(self, offset: int, length: int) -> bytes | None:
        """Plain bytes, fewer at the end; None when some of them are not here, or were damaged on this disk."""
        end = min(self.size, offset + length)
        if offset < 0 or offset >= end:
            return b""
        first, last = offset // CHUNK, (end - 1) // CHUNK
        parts = []
        for number in range(first, last + 1):
            part = self._take(number)
            if part is None:
                return None
            parts.append(part)
        return b"".join(parts)[offset - first * CHUNK : end - first * CHUNK]

    def content(self) -> Iterator[bytes]:
        """Everything in order. Raises BadFile where something is missing."""
        for number in range(self.chunks):
            part = self._take(number)
            if part is None:
                raise BadFile(reason="damaged")
            yield part

    def finish(self) -> None:
        """All is here: durable, then closed."""
        with self._lock:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def close(self) -> None:
        """Ends; what is here stays for the next run."""
        with self._lock:
            self._file.close()

    def _take(self, number: int) -> bytes | None:
        with self._lock:
            if not self._here[number] or self._file.closed:
                return None
            found = self._load(number)
            if found is None:  # damaged since: it must come again
                self._here[number] = False
                self._count -= 1
            return found

    def _load(self, number: int) -> bytes | None:
        self._file.seek(HEADER_BYTES + number * SEALED_CHUNK)
        sealed = self._file.read(min(CHUNK, self.size - number * CHUNK) + SEALED_CHUNK - CHUNK)
        try:
            return open_chunk(self._cipher, number, sealed, last=number == self.chunks - 1)
        except BadFile:
            return None
