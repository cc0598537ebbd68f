"""Sealed copies of blobs on this device: content by SHA-256, thumbnails beside it, parts while they come. All calls block: `cpu` executor."""

import hashlib
import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from desktop.core.crypto.blobfile import BlobReader, BlobWriter
from desktop.core.crypto.sparse_blob import SparseBlob
from desktop.core.errors import BadFile, StorageUnavailable
from desktop.core.services.file_names import MAX_SAME_NAME, safe_name
from desktop.core.services.transfer_records import disk_reason

if TYPE_CHECKING:
    from desktop.core.services.folder_unzip import FolderArchive

_BLOB_ID: Final = re.compile(r"[0-9a-f]{64}\Z")
_ID_LENGTH: Final = 64


@dataclass(frozen=True, slots=True)
class BlobUsage:
    """What one blob takes on disk with its thumbnails and its part: bytes, and when it was last used (seconds since 1970)."""

    blob_id: str
    size: int
    used_at: float


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
        part = target.with_name(f".{target.name[:80]}.tongban-part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with BlobReader(self.path(blob_id), self._key) as reader, open(part, "wb") as file:
                for chunk in reader.chunks():
                    file.write(chunk)
            part.replace(target)
        except OSError as error:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise StorageUnavailable(reason=disk_reason(error)) from error

    def copy_into(self, blob_id: str, folder: Path, name: str) -> Path:
        """A plain copy in a folder, under the name or the next one that is free; where it is. Raises StorageUnavailable, BadFile."""
        plain = safe_name(name)
        stem, suffix = os.path.splitext(plain)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(1, MAX_SAME_NAME):
                target = folder / (plain if number == 1 else f"{stem} ({number}){suffix}")
                with suppress(FileExistsError):
                    target.open("xb").close()  # ours from now on, whoever else saves the same name
                    break
            else:
                raise StorageUnavailable(reason="disk")
        except OSError as error:
            raise StorageUnavailable(reason=disk_reason(error)) from error
        try:
            self.copy_to(blob_id, target)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return target

    def folder(self, blob_id: str, name: str) -> "FolderArchive":
        """The blob as a folder that was sent; to be closed. Raises BadFile: it is not here, or (`archive`) it is something else."""
        from desktop.core.services.folder_unzip import FolderArchive

        if not name.endswith(".zip"):
            raise BadFile(reason="archive")
        return FolderArchive(self.path(blob_id), self._key, name)

    def free_bytes(self) -> int:
        """What the disk has left for blobs."""
        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        return shutil.disk_usage(folder).free

    def put(self, data: bytes) -> str:
        """Keeps `data`; its blob id."""
        blob_id = hashlib.sha256(data).hexdigest()
        try:
            os.utime(self.path(blob_id))  # wanted again: whoever is making room leaves it alone
        except OSError:
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

    def sparse(self, blob_id: str, size: int) -> SparseBlob:
        """A download whose pieces come in any order; takes up what came in order before. Raises OSError."""
        part, pieces = self.path(blob_id, ".part"), self.path(blob_id, ".pieces")
        if part.exists() and not pieces.exists():
            part.replace(pieces)
        return SparseBlob(pieces, self._key, size)

    def has_pieces(self, blob_id: str) -> bool:
        """Whether an earlier run left pieces of it."""
        return self.path(blob_id, ".pieces").exists()

    def take_sparse(self, blob_id: str) -> None:
        """All pieces are here and right: from now on it is a blob like the others."""
        self.path(blob_id, ".pieces").replace(self.path(blob_id))
        self.path(blob_id, ".part").unlink(missing_ok=True)

    def drop_sparse(self, blob_id: str) -> None:
        """Nothing of a download stays."""
        for suffix in (".pieces", ".part"):
            self.path(blob_id, suffix).unlink(missing_ok=True)

    def delete(self, blob_id: str) -> None:
        """Forgets a blob, its part and its thumbnails."""
        for path in self.path(blob_id).parent.glob(blob_id + "*"):
            path.unlink(missing_ok=True)

    def delete_idle(self, usage: BlobUsage) -> int:
        """Forgets a blob unless it was used after it was looked at; the bytes that became free."""
        now = self._usage_of(usage.blob_id)
        if now is None or now.used_at > usage.used_at:
            return 0
        self.delete(usage.blob_id)
        return now.size

    def used(self) -> int:
        """Bytes on disk."""
        return sum(usage.size for usage in self.usage())

    def usage(self) -> list[BlobUsage]:
        """What is here, blob by blob."""
        ids = {path.name[:_ID_LENGTH] for path in self._folder.glob("*/*")}
        found = (self._usage_of(blob_id) for blob_id in ids if _BLOB_ID.match(blob_id))
        return [usage for usage in found if usage is not None]

    def _usage_of(self, blob_id: str) -> BlobUsage | None:
        size, used_at, found = 0, 0.0, False
        for path in self.path(blob_id).parent.glob(blob_id + "*"):
            try:
                info = path.stat()
            except FileNotFoundError:
                continue  # it went while we looked
            size, used_at, found = size + info.st_size, max(used_at, info.st_atime, info.st_mtime), True
        return BlobUsage(blob_id, size, used_at) if found else None

    def _write(self, path: Path, data: bytes) -> None:
        part = path.with_name(path.name + ".new")
        part.unlink(missing_ok=True)
        try:
            writer = BlobWriter(part, self._key)
            writer.write(data)
            writer.finish()
            part.replace(path)
        except OSError as error:
            raise StorageUnavailable(reason=disk_reason(error)) from error


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
            raise StorageUnavailable(reason=disk_reason(error)) from error
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
            raise StorageUnavailable(reason=disk_reason(error)) from error
        self._hash.update(data)

    def finish(self) -> None:
        """All is here. Raises BadFile when it is not what its id says; nothing of it stays then."""
        if self._hash.hexdigest() != self._blob_id:
            self._writer.close()
            self._path.unlink(missing_ok=True)
            raise BadFile(reason="hash")
        try:
            self._writer.finish()
            self._path.replace(self._cache.path(self._blob_id))
        except OSError as error:
            raise StorageUnavailable(reason=disk_reason(error)) from error

    def close(self) -> None:
        """Stops; what is here stays for the next try."""
        self._writer.close()
