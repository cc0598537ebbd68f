"""Blobs: files named by the SHA-256 of their content, and the rows that say what they are and who refers to them.

A file is complete and durable before its row is. Who may read a blob follows from the objects that refer to it; how to ask
whether a person sees an object is handed in, since this layer knows no objects. A media type is what somebody said of the
content: it belongs to who uploaded or attached it, and binds nobody else.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import sqlalchemy as sa

from server_stub.errors import SetError, SetErrorType
from server_stub.storage.database import Database, Tx
from server_stub.storage.schema import metadata

log = logging.getLogger("tongban.blobs")

READ_SIZE: Final = 1024 * 1024
_BLOB_ID: Final = re.compile(r"[0-9a-f]{64}\Z")
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\Z")
UNKNOWN_TYPE: Final = "application/octet-stream"

blob: Final = sa.Table(
    "blob",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=False),  # what the first uploader said: for references older than version 2
    sa.Column("created_at", sa.BigInteger, nullable=False),
)
blob_uploader: Final = sa.Table(
    "blob_uploader",
    metadata,
    sa.Column("blob_id", sa.Text, sa.ForeignKey("blob.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("person_id", sa.Text, primary_key=True),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("type", sa.Text, nullable=True),
    sa.Index("blob_uploader_person", "person_id"),
)
blob_ref: Final = sa.Table(
    "blob_ref",
    metadata,
    sa.Column("blob_id", sa.Text, sa.ForeignKey("blob.id"), primary_key=True),
    sa.Column("type_name", sa.Text, primary_key=True),
    sa.Column("object_id", sa.Text, primary_key=True),
    sa.Column("type", sa.Text, nullable=True),
    sa.Index("blob_ref_object", "type_name", "object_id"),
)


class BlobActor(Protocol):
    """As much of an actor as blobs need."""

    @property
    def person_id(self) -> str: ...


Sees = Callable[[sa.Connection, BlobActor, str, Sequence[str]], bool]
"""(conn, actor, type name, object ids) → whether the actor sees at least one of these objects."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob: its id (SHA-256, hex), size in bytes, and its media type for who asked."""

    id: str
    size: int
    type: str


def is_blob_id(text: str) -> bool:
    """Whether the text has the form of a blob id."""
    return _BLOB_ID.match(text) is not None


def clean_type(text: str | None) -> str:
    """A media type in its plain lower-case form, or application/octet-stream for anything that is none."""
    plain = (text or "").partition(";")[0].strip().lower()
    return plain if _TYPE.match(plain) else UNKNOWN_TYPE


class BlobStore:
    """The blob folder of a data directory with its tables. Blocking methods say so; the others belong to the event loop."""

    def __init__(self, folder: Path, database: Database) -> None:
        self._folder = folder
        self._temporary = folder / "tmp"
        self._database = database
        self._sees: Sees = _sees_nothing
        # One lock per first byte of the id: adding a file and its row must not cross with dropping them.
        self._locks: dict[str, asyncio.Lock] = {}
        self._temporary.mkdir(mode=0o700, parents=True, exist_ok=True)

    def set_visibility(self, sees: Sees) -> None:
        """Tell how to ask whether an actor sees an object; until then only uploaders see their blobs."""
        self._sees = sees

    def path(self, blob_id: str) -> Path:
        """Where the blob's file lies (or would). Raises ValueError for a text that is no blob id."""
        if not is_blob_id(blob_id):
            raise ValueError("not a blob id")
        return self._folder / blob_id[:2] / blob_id[2:4] / blob_id

    def new_temporary(self) -> Path:
        """A fresh path on the same file system for a file that will be put; the caller writes or removes it."""
        return self._temporary / secrets.token_hex(16)

    # ------------------------------------------------------------ adding

    async def put_file(self, source: Path, *, type_: str, uploader: str, blob_id: str | None = None) -> Blob:
        """Take a finished file over (it is moved). `blob_id` is its hash when the caller has computed it already.

        Raises:
            OSError: the disk is full or not writable; the source is left where it is.
        """
        known = await asyncio.to_thread(_hash_file, source) if blob_id is None else blob_id
        async with self._lock(known):
            size = await asyncio.to_thread(self._move_in, source, known)
            return await self._database.write(lambda tx: do_register(tx, known, size, type_, uploader))

    async def register_known(self, blob_id: str, *, type_: str, uploader: str) -> Blob | None:
        """Make the row of a file that was moved in before a crash; None when the file is not there."""
        async with self._lock(blob_id):
            path = self.path(blob_id)
            if not path.exists():
                return None
            size = path.stat().st_size
            return await self._database.write(lambda tx: do_register(tx, blob_id, size, type_, uploader))

    async def put_bytes(self, data: bytes, *, type_: str, uploader: str) -> Blob:
        """Store bytes. Raises OSError."""
        known = hashlib.sha256(data).hexdigest()
        async with self._lock(known):
            await asyncio.to_thread(self.store_bytes, data)
            return await self._database.write(lambda tx: do_register(tx, known, len(data), type_, uploader))

    def store_bytes(self, data: bytes) -> str:
        """Blocking: only the file, for imports that `do_register` it in their own transaction right after."""
        blob_id = hashlib.sha256(data).hexdigest()
        temporary = self.new_temporary()
        try:
            temporary.write_bytes(data)
            self._move_in(temporary, blob_id)
        finally:
            temporary.unlink(missing_ok=True)
        return blob_id

    def _move_in(self, source: Path, blob_id: str) -> int:
        target = self.path(blob_id)
        size = source.stat().st_size
        if target.exists() and target.stat().st_size == size:
            source.unlink()
            return size
        with source.open("r+b") as file:
            os.fsync(file.fileno())
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        source.replace(target)
        for folder in (target.parent, target.parent.parent, self._folder):
            _sync_folder(folder)
        return size

    # ------------------------------------------------------------ reading

    def access_blob(self, conn: sa.Connection, actor: BlobActor, blob_id: str) -> Blob | None:
        """The blob when this actor may read it: uploaded by him, or referred to by an object he sees. None otherwise.

        Its type is the one he gave, else the one of an object he sees it through.
        """
        row = conn.execute(sa.select(blob).where(blob.c.id == blob_id)).first()
        if row is None:
            return None
        mine = sa.select(blob_uploader.c.type).where(
            blob_uploader.c.blob_id == blob_id, blob_uploader.c.person_id == actor.person_id
        )
        own = conn.execute(mine).first()
        if own is not None:
            return Blob(row.id, row.size, own.type or row.type)
        by_kind: dict[tuple[str, str], list[str]] = {}
        refs = sa.select(blob_ref.c.type_name, blob_ref.c.object_id, blob_ref.c.type).where(
            blob_ref.c.blob_id == blob_id
        )
        for type_name, object_id, type_ in conn.execute(refs):
            by_kind.setdefault((type_name, type_ or row.type), []).append(object_id)
        seen = (type_ for (name, type_), ids in by_kind.items() if self._sees(conn, actor, name, ids))
        through = next(seen, None)
        return None if through is None else Blob(row.id, row.size, through)

    def do_refer(self, tx: Tx, blob_id: str, object_id: str, type_name: str, actor: BlobActor) -> Blob:
        """Note that an object refers to a blob. Raises SetError blobNotFound when the actor may not see the blob."""
        found = self.access_blob(tx.conn, actor, blob_id) if is_blob_id(blob_id) else None
        if found is None:
            raise SetError(SetErrorType.BLOB_NOT_FOUND, "no such blob", notFound=[blob_id])
        do_link(tx, blob_id, object_id, type_name, found.type)
        return found

    # ------------------------------------------------------------ keeping

    async def drop_orphans(self, older_than_ms: int) -> int:
        """Remove blobs nothing refers to and nobody uploaded since; gives how many. Old temporary files go too."""
        candidates = await self._database.read(lambda conn: _orphans(conn, older_than_ms))
        dropped = 0
        for blob_id in candidates:
            async with self._lock(blob_id):
                if await self._database.write(lambda tx, one=blob_id: _do_drop(tx, one, older_than_ms)):  # type: ignore[misc]
                    await asyncio.to_thread(self._remove, blob_id)
                    dropped += 1
        await asyncio.to_thread(self._drop_temporary, older_than_ms)
        if dropped:
            log.info("dropped %d blobs nothing refers to", dropped)
        return dropped

    def _remove(self, blob_id: str) -> None:
        self.path(blob_id).unlink(missing_ok=True)

    def _drop_temporary(self, older_than_ms: int) -> None:
        for path in self._temporary.iterdir():
            if path.stat().st_mtime * 1000 < older_than_ms:
                path.unlink(missing_ok=True)

    def _lock(self, blob_id: str) -> asyncio.Lock:
        return self._locks.setdefault(blob_id[:2], asyncio.Lock())


def do_register(tx: Tx, blob_id: str, size: int, type_: str, uploader: str) -> Blob:
    """Make the row of a file that is in place. The type is this uploader's own; a later upload of his replaces it."""
    type_ = clean_type(type_)
    tx.raw.execute(
        "INSERT INTO blob(id, size, type, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (blob_id, size, type_, tx.now),
    )
    tx.raw.execute(
        "INSERT INTO blob_uploader(blob_id, person_id, at, type) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (blob_id, person_id) DO UPDATE SET at = excluded.at, type = excluded.type",
        (blob_id, uploader, tx.now, type_),
    )
    row = tx.raw.execute("SELECT size FROM blob WHERE id = ?", (blob_id,)).fetchone()
    return Blob(blob_id, row[0], type_)


def do_link(tx: Tx, blob_id: str, object_id: str, type_name: str, type_: str | None = None) -> None:
    """Note a reference without asking who may: for imports and for copies the server itself makes.

    Args:
        type_: the media type the object gives the blob; None: that of its first uploader.
    """
    tx.raw.execute(
        "INSERT INTO blob_ref(blob_id, type_name, object_id, type) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (blob_id, type_name, object_id) DO UPDATE SET type = coalesce(excluded.type, type)",
        (blob_id, type_name, object_id, type_),
    )


def do_unrefer(tx: Tx, object_id: str, type_name: str, keep: Sequence[str] = ()) -> None:
    """Drop the references of an object, but for the blobs in `keep`."""
    statement = sa.delete(blob_ref).where(blob_ref.c.object_id == object_id, blob_ref.c.type_name == type_name)
    tx.conn.execute(statement.where(blob_ref.c.blob_id.not_in(keep)) if keep else statement)


def _orphan_condition(older_than_ms: int) -> sa.ColumnElement[bool]:
    referred = sa.select(sa.literal(1)).where(blob_ref.c.blob_id == blob.c.id).exists()
    fresh = (
        sa.select(sa.literal(1))
        .where(blob_uploader.c.blob_id == blob.c.id, blob_uploader.c.at >= older_than_ms)
        .exists()
    )
    return sa.and_(blob.c.created_at < older_than_ms, ~referred, ~fresh)


def _orphans(conn: sa.Connection, older_than_ms: int) -> list[str]:
    return list(conn.scalars(sa.select(blob.c.id).where(_orphan_condition(older_than_ms)).limit(10_000)))


def _do_drop(tx: Tx, blob_id: str, older_than_ms: int) -> bool:
    # Asked again inside the transaction: it may have been uploaded or referred to since.
    still = tx.conn.execute(sa.select(blob.c.id).where(blob.c.id == blob_id, _orphan_condition(older_than_ms))).first()
    if still is None:
        return False
    tx.conn.execute(sa.delete(blob_uploader).where(blob_uploader.c.blob_id == blob_id))
    tx.conn.execute(sa.delete(blob).where(blob.c.id == blob_id))
    return True


def _sees_nothing(conn: sa.Connection, actor: BlobActor, type_name: str, object_ids: Sequence[str]) -> bool:
    return False


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows has no fsync for folders
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
