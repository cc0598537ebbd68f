"""Unfinished resumable uploads on disk: a part file and a small state file each; both survive a crash.

The promised offset never runs ahead of what was fsynced. Blocking (but for the counts): callers use a thread. Knows nothing of
HTTP.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from server_stub.storage.uploadindex import UploadIndex

SYNC_EVERY: Final = 32 * 1024 * 1024
_READ: Final = 1024 * 1024
_UPLOAD_ID: Final = re.compile(r"[0-9a-f-]{36}\Z")


class UploadNotFound(Exception):
    """No such upload, or its state file is damaged."""


class ChecksumMismatch(Exception):
    """The bytes of this request do not have the announced checksum; they were discarded."""


@dataclass(frozen=True, slots=True)
class Upload:
    """One upload: sizes in bytes, times in ms. `offset` is durable. `blob_id` is set once it is complete."""

    id: str
    person_id: str
    length: int
    offset: int
    type: str
    metadata: str  # the Upload-Metadata header as it came, echoed by HEAD
    created_at: int
    touched_at: int
    sealed_id: str | None = None  # its content's hash, noted before the file is moved away
    blob_id: str | None = None


@dataclass(slots=True)
class RunningHash:
    """SHA-256 of the first `position` bytes of an upload."""

    digest: Any = field(default_factory=hashlib.sha256)
    position: int = 0

    def update(self, data: memoryview | bytes) -> None:
        """Take the next bytes in."""
        self.digest.update(data)
        self.position += len(data)


class UploadStore:
    """The folder of unfinished uploads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes: dict[str, RunningHash] = {}
        self._index = UploadIndex()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for upload in self.all():
            self._count(upload)

    def create(self, upload: Upload) -> None:
        """Make room for a new upload. Raises OSError."""
        self._part(upload.id).touch(0o600, exist_ok=False)
        self.save(upload)
        self._count(upload)
        self._hashes[upload.id] = RunningHash()

    def load(self, upload_id: str) -> Upload:
        """The upload's state. Raises UploadNotFound."""
        if not _UPLOAD_ID.match(upload_id):
            raise UploadNotFound(upload_id[:64])
        try:
            values = json.loads(self._state(upload_id).read_bytes())
            return Upload(**values)
        except FileNotFoundError:
            raise UploadNotFound(upload_id) from None
        except (ValueError, TypeError) as error:
            raise UploadNotFound(upload_id) from error

    def all(self) -> Iterator[Upload]:
        """Every upload whose state can be read."""
        for path in sorted(self.folder.glob("*.json")):
            try:
                yield self.load(path.stem)
            except UploadNotFound:
                continue

    def append(self, upload: Upload) -> PartWriter:
        """A writer that goes on at the durable offset; anything written past it by a crashed run is cut off."""
        return PartWriter(self, upload)

    def content_hash(self, upload: Upload) -> str:
        """SHA-256 (hex) of the whole part file; only what was not hashed on the way is read again."""
        running = self._hashes.get(upload.id)
        if running is None or running.position != upload.length:
            running = RunningHash()
            with self._part(upload.id).open("rb") as source:
                while chunk := source.read(_READ):
                    running.update(chunk)
        if running.position != upload.length:
            raise OSError("the part file is not as long as the upload")
        return str(running.digest.hexdigest())

    def hash_at(self, upload_id: str, position: int) -> RunningHash | None:
        """The hash running over this upload if it stands exactly there."""
        running = self._hashes.get(upload_id)
        return running if running is not None and running.position == position else None

    def forget_hash(self, upload_id: str) -> None:
        """What was hashed on the way no longer holds: it will be read again at the end."""
        self._hashes.pop(upload_id, None)

    def part_path(self, upload: Upload) -> Path:
        """Where the bytes lie; a finished upload's file is moved away by its taker."""
        return self._part(upload.id)

    def seal(self, upload: Upload, blob_id: str) -> Upload:
        """Note which blob it is about to become, so that a crash in between loses nothing."""
        sealed = replace(upload, sealed_id=blob_id)
        self.save(sealed)
        return sealed

    def finish(self, upload: Upload, blob_id: str) -> Upload:
        """Remember which blob it became, so that a client that lost the answer can still ask."""
        done = replace(upload, blob_id=blob_id)
        self.save(done)
        self._count(done)
        self._hashes.pop(upload.id, None)
        self._part(upload.id).unlink(missing_ok=True)
        return done

    def remove(self, upload_id: str) -> None:
        """Forget an upload and its bytes."""
        self._hashes.pop(upload_id, None)
        self._state(upload_id).unlink(missing_ok=True)
        self._part(upload_id).unlink(missing_ok=True)
        self._index.remove(upload_id)

    def count_open(self, person_id: str) -> int:
        """How many unfinished uploads a person has. Reads nothing from disk."""
        return self._index.of(person_id).unfinished

    def open_bytes(self, person_id: str) -> int:
        """Bytes a person's uploads take or will take, finished ones' state files included. Reads nothing from disk."""
        return self._index.of(person_id).size

    def remove_untouched_since(self, limit_ms: int, busy: frozenset[str] = frozenset()) -> list[str]:
        """Remove uploads without progress since then, and part files nobody knows. Gives the ids removed."""
        removed = [upload.id for upload in self.all() if upload.touched_at <= limit_ms and upload.id not in busy]
        for path in self.folder.glob("*.part"):
            if not self._state(path.stem).exists() and path.stat().st_mtime * 1000 < limit_ms:
                removed.append(path.stem)
        for upload_id in removed:
            self.remove(upload_id)
        return removed

    def _count(self, upload: Upload) -> None:
        self._index.put(upload.id, upload.person_id, upload.length, unfinished=upload.blob_id is None)

    def save(self, upload: Upload) -> None:
        """Write the state file; durable when it returns."""
        target = self._state(upload.id)
        temporary = target.with_suffix(".new")
        with temporary.open("wb") as out:
            out.write(json.dumps(asdict(upload)).encode())
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)

    def _state(self, upload_id: str) -> Path:
        return self.folder / f"{upload_id}.json"

    def _part(self, upload_id: str) -> Path:
        return self.folder / f"{upload_id}.part"


class PartWriter:
    """Appends one request's bytes. `write` from one thread at a time, `sync` from another beside it; `keep` or `discard` ends it, alone."""

    def __init__(self, store: UploadStore, upload: Upload) -> None:
        self._store = store
        self._upload = upload
        self._start = upload
        self._position = upload.offset
        self._broken: OSError | None = None
        self._out = store.part_path(upload).open("r+b", buffering=0)
        try:
            self._out.truncate(upload.offset)
            self._out.seek(upload.offset)
        except OSError:
            self._out.close()
            raise

    @property
    def position(self) -> int:
        """Bytes written so far, durable or not."""
        return self._position

    @property
    def is_due(self) -> bool:
        """Whether so much is not durable that it ought to be."""
        return self._position - self._upload.offset >= SYNC_EVERY

    def write(self, data: bytes) -> None:
        """Append. Raises OSError (a full disk)."""
        running = self._store.hash_at(self._upload.id, self._position)
        rest = memoryview(data)
        while rest:
            written = self._out.write(rest)
            if running is not None:
                running.update(rest[:written])
            self._position += written
            rest = rest[written:]

    def sync(self, now_ms: int) -> None:
        """Make durable what was written until now, the offset last; more may be written meanwhile. Raises OSError."""
        if self._broken is not None:  # the system tells of it once: the next fsync would promise what is lost
            raise self._broken
        position = self._position
        try:
            os.fsync(self._out.fileno())
        except OSError as error:
            self._broken = error
            raise
        upload = replace(self._upload, offset=position, touched_at=now_ms)
        self._store.save(upload)
        self._upload = upload

    def keep(self, now_ms: int) -> Upload:
        """Make what was written durable and close. Raises OSError."""
        try:
            self.sync(now_ms)
        finally:
            self._out.close()
        return self._upload

    def discard(self) -> Upload:
        """Take back everything this writer wrote and close."""
        try:
            self._out.seek(self._start.offset)
            self._out.truncate(self._start.offset)
        finally:
            self._out.close()
            self._store.forget_hash(self._upload.id)
        self._store.save(self._start)
        return self._start


class Checksum:
    """The Upload-Checksum of one request: `sha256 <base64>` or `sha1 <base64>`. Raises ValueError for anything else."""

    def __init__(self, header: str) -> None:
        algorithm, _, encoded = header.strip().partition(" ")
        if algorithm not in ("sha256", "sha1"):
            raise ValueError("unsupported checksum algorithm")
        self._digest = hashlib.new(algorithm)
        try:
            self._wanted = base64.b64decode(encoded.strip(), validate=True)
        except ValueError as error:
            raise ValueError("malformed checksum") from error
        if len(self._wanted) != self._digest.digest_size:
            raise ValueError("malformed checksum")

    def update(self, data: bytes) -> None:
        """Take the next bytes in."""
        self._digest.update(data)

    def fits(self) -> bool:
        """Whether what was taken in has the announced checksum."""
        return self._digest.digest() == self._wanted
