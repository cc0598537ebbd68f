"""Encrypted blob files: ChaCha20-Poly1305 over 64 KiB chunks, readable at any place, growable while a download runs.

Layout: 4-byte magic, 16-byte salt, then sealed chunks. Each file has its own key (HKDF of the blob key and the salt), so the
chunk's number is a safe nonce; the nonce's last byte says whether the chunk is the last one (the STREAM construction). A chunk
that was changed, moved, or cut off therefore never opens: `BadFile`. All calls block: use an executor.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from desktop.core.crypto.keys import subkey
from desktop.core.errors import BadFile

MAGIC: Final = b"TBB1"
SALT_BYTES: Final = 16
HEADER_BYTES: Final = len(MAGIC) + SALT_BYTES
CHUNK: Final = 65536
TAG: Final = 16
SEALED_CHUNK: Final = CHUNK + TAG


class BlobWriter:
    """Writes one blob in order. `finish` seals the last chunk; until then the file is a resumable part."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Begins at the last whole chunk that opens; `size` tells how many plain bytes are there already."""
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115 - closed by close()
        self._buffer = bytearray()
        self._count = 0
        header = self._file.read(HEADER_BYTES)
        if len(header) == HEADER_BYTES and header.startswith(MAGIC):
            self._cipher = file_cipher(key, header)
            self._keep_whole_chunks()
        else:
            header = MAGIC + os.urandom(SALT_BYTES)
            self._cipher = file_cipher(key, header)
            self._restart(header)

    @property
    def size(self) -> int:
        """Plain bytes taken so far, those in the buffer too."""
        return self._count * CHUNK + len(self._buffer)

    def parts(self) -> Iterator[bytes]:
        """The plain chunks on disk so far, to hash again what an earlier run wrote."""
        for number in range(self._count):
            self._file.seek(HEADER_BYTES + number * SEALED_CHUNK)
            yield self._open_chunk(number, self._file.read(SEALED_CHUNK))
        self._file.seek(HEADER_BYTES + self._count * SEALED_CHUNK)

    def write(self, data: bytes) -> None:
        """Takes more plain bytes. A full chunk is held back until another byte comes, since the last one is sealed as last."""
        self._buffer += data
        while len(self._buffer) > CHUNK:
            self._seal(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]

    def finish(self) -> None:
        """Seals the last chunk (perhaps an empty one) and makes the file durable."""
        self._seal(bytes(self._buffer), last=True)
        self._buffer.clear()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def close(self) -> None:
        """Ends without finishing: whole chunks stay for the next run."""
        if not self._file.closed:
            self._file.flush()
            self._file.close()

    def _restart(self, header: bytes) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._file.write(header)

    def _keep_whole_chunks(self) -> None:
        whole = (os.path.getsize(self._path) - HEADER_BYTES) // SEALED_CHUNK
        while whole:  # a torn last write is dropped, not trusted
            self._file.seek(HEADER_BYTES + (whole - 1) * SEALED_CHUNK)
            try:
                self._open_chunk(whole - 1, self._file.read(SEALED_CHUNK))
                break
            except BadFile:
                whole -= 1
        self._count = whole
        self._file.seek(HEADER_BYTES + whole * SEALED_CHUNK)
        self._file.truncate()

    def _open_chunk(self, number: int, sealed: bytes) -> bytes:
        return open_chunk(self._cipher, number, sealed, last=False)

    def _seal(self, plain: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(chunk_nonce(self._count, last=last), plain, None))
        self._count += 1


class BlobReader:
    """Reads a finished blob at any place. Raises BadFile when a byte of it is not what was written."""

    def __init__(self, path: Path, key: bytes) -> None:
        try:
            self._file: BinaryIO = open(path, "rb")  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise BadFile(reason="missing") from error
        header = self._file.read(HEADER_BYTES)
        body = os.fstat(self._file.fileno()).st_size - HEADER_BYTES
        rest = body % SEALED_CHUNK
        if len(header) < HEADER_BYTES or not header.startswith(MAGIC) or body < TAG or 0 < rest < TAG:
            self._file.close()
            raise BadFile(reason="damaged")
        self._cipher = file_cipher(key, header)
        self._chunks = (body + SEALED_CHUNK - 1) // SEALED_CHUNK
        self.size: int = body - self._chunks * TAG
        try:
            # The last chunk proves the length: without it a cut at a chunk's border would go unseen until somebody read there.
            self._chunk(self._chunks - 1)
        except BadFile:
            self._file.close()
            raise

    def read(self, offset: int = 0, length: int | None = None) -> bytes:
        """Plain bytes from `offset`, at most `length`, fewer at the end."""
        end = self.size if length is None else min(self.size, offset + length)
        if offset >= end:
            return b""
        first, last = offset // CHUNK, (end - 1) // CHUNK
        plain = b"".join(self._chunk(number) for number in range(first, last + 1))
        return plain[offset - first * CHUNK : end - first * CHUNK]

    def chunks(self) -> Iterator[bytes]:
        """The whole content in order."""
        for number in range(self._chunks):
            yield self._chunk(number)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def __enter__(self) -> "BlobReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _chunk(self, number: int) -> bytes:
        self._file.seek(HEADER_BYTES + number * SEALED_CHUNK)
        return open_chunk(self._cipher, number, self._file.read(SEALED_CHUNK), last=number == self._chunks - 1)


def file_cipher(key: bytes, header: bytes) -> ChaCha20Poly1305:
    """The cipher of one file; `header` is its magic and salt."""
    return ChaCha20Poly1305(subkey(key, "blob", header[len(MAGIC) :]))


def chunk_nonce(number: int, *, last: bool) -> bytes:
    """The nonce of a chunk."""
    return number.to_bytes(11) + (b"\x01" if last else b"\x00")


def open_chunk(cipher: ChaCha20Poly1305, number: int, sealed: bytes, *, last: bool) -> bytes:
    """The plain bytes of a chunk. Raises BadFile."""
    try:
        return cipher.decrypt(chunk_nonce(number, last=last), sealed, None)
    except (InvalidTag, ValueError) as error:
        raise BadFile(reason="damaged") from error
