"""Sealed copies of blobs on this device: content by SHA-256, thumbnails beside it, parts while they come. All calls block: `cpu` executor."""

import hashlib
import re
from pathlib import Path
from typing import Final

from desktop.core.crypto.blobfile import BlobReader, BlobWriter
from desktop.core.errors import BadFile, StorageUnavailable

_BLOB_ID: Final = re.compile(r"[0-9a-f]{64}\Z")


class BlobCache:
    """Files under one folder, all encrypted under one key."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._key = key

    def path(self, blob_id: str, suffix: str = "") -> Path:
        """Where a blob lies. Raises BadFile for an id that is none: it comes from outside and becomes a path."""
        if not _BLOB_ID.match(blob_id):
            raise BadFile(reason="blobId")
        return self._folder / blob_id[:2] / (blob_id + suffix)

    def has(self, blob_id: str) -> bool:
        """Whether the whole blob is here."""
        return bool(_BLOB_ID.match(blob_id)) and self.path(blob_id).exists()

    def read(self, blob_id: str, offset: int = 0, length: int | None = None) -> bytes:
        """Plain bytes. Raises BadFile when missing or damaged."""
        with BlobReader(self.path(blob_id), self._key) as reader:
            return reader.read(offset, length)

    def copy_to(self, blob_id: str, target: Path) -> None:
        """A plain copy where the user wants one; complete or not there."""
        part = target.with_name(target.name + ".part")
        try:
            with BlobReader(self.path(blob_id), self._key) as reader, open(part, "wb") as file:
                for chunk in reader.chunks():
                    file.write(chunk)
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise StorageUnavailable(reason="disk") from error

    def put(self, data: bytes) -> str:
        """Keeps `data`; its blob id."""
        blob_id = hashlib.sha256(data).hexdigest()
        if not self.has(blob_id):
            self._write(self.path(blob_id), data)
        return blob_id

    def put_thumbnail(self, blob_id: str, edge: int, data: bytes) -> None:
        """Keeps a thumbnail."""
        self._write(self.path(blob_id, f".{edge}"), data)

    def thumbnail(self, blob_id: str, edge: int) -> bytes | None:
        """A kept thumbnail."""
        path = self.path(blob_id, f".{edge}")
        if not path.exists():
            return None
        try:
            with BlobReader(path, self._key) as reader:
                return reader.read()
        except BadFile:
            path.unlink(missing_ok=True)
            return None

    def part(self, blob_id: str) -> "BlobPart":
        """A download that goes on where it stopped."""
        return BlobPart(self, blob_id, self._key)

    def delete(self, blob_id: str) -> None:
        """Forgets a blob, its part and its thumbnails."""
        for path in self.path(blob_id).parent.glob(blob_id + "*"):
            path.unlink(missing_ok=True)

    def used(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self._folder.rglob("*") if path.is_file())

    def _write(self, path: Path, data: bytes) -> None:
        part = path.with_name(path.name + ".new")
        part.unlink(missing_ok=True)
        try:
            writer = BlobWriter(part, self._key)
            writer.write(data)
            writer.finish()
            part.replace(path)
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error


class BlobPart:
    """One blob on its way in: sealed as it comes, hashed as it comes, taken only when the hash is its name."""

    def __init__(self, cache: BlobCache, blob_id: str, key: bytes) -> None:
        self._cache = cache
        self._blob_id = blob_id
        self._key = key
        self._path = cache.path(blob_id, ".part")
        self._begin()

    def _begin(self) -> None:
        try:
            self._writer = BlobWriter(self._path, self._key)
        except OSError as error:
            raise StorageUnavailable(reason="disk") from error
        self._hash = hashlib.sha256()
        for chunk in self._writer.parts():
            self._hash.update(chunk)

    @property
    def size(self) -> int:
        """Plain bytes here so far."""
        return self._writer.size

    def restart(self) -> None:
        """The server begins at zero again."""
        self._writer.close()
        self._path.unlink(missing_ok=True)
        self._begin()

    def write(self, data: bytes) -> None:
        """More bytes. Raises StorageUnavailable (disk full)."""
        try:
            self._writer.write(data)
        except OSError as error:
            raise StorageUnavailable(reason="diskFull") from error
        self._hash.update(data)

    def finish(self) -> None:
        """All is here. Raises BadFile when it is not what its id says; nothing of it stays then."""
        if self._hash.hexdigest() != self._blob_id:
            self._writer.close()
            self._path.unlink(missing_ok=True)
            raise BadFile(reason="hash")
        self._writer.finish()
        self._path.replace(self._cache.path(self._blob_id))

    def close(self) -> None:
        """Stops; what is here stays for the next try."""
        self._writer.close()
