"""Backup and restore: one tar with the database, the blobs and the certificates, and a manifest of hashes.

A backup is consistent while the server serves: the database is copied by SQLite's online backup, blobs never change once they
are there. Restoring verifies every byte before anything is put in place, and never overwrites.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from server_stub.app.layout import DataLayout
from server_stub.app.reentry import LiveFacts, Reentry, end_what_was_open, load_live_facts
from server_stub.clock import Clock, SystemClock, format_utc
from server_stub.errors import DatabaseDamaged, DatabaseTooNew, StorageFailed
from server_stub.storage.database import Database

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
MAX_MANIFEST: Final = 1 << 30
_DATABASE: Final = "tongban.db"
_KNOWN: Final = re.compile(r"tongban\.db|tls/(ca|server)\.(pem|key)|blobs/([0-9a-f]{2})/([0-9a-f]{2})/\3\4[0-9a-f]{60}")
_CHUNK: Final = 1024 * 1024
NEW_HISTORY: Final = 1 << 40  # more changes than any server makes between a backup and its restoring


class BackupFailed(Exception):
    """The backup cannot be made or put back; nothing was changed. The text says why."""


def make_backup(layout: DataLayout, target: Path, clock: Clock) -> int:
    """Write a backup to `target` (which must not exist). Gives the number of files in it. Raises BackupFailed."""
    if not layout.database.exists():
        raise BackupFailed(f"{layout.root} holds no database")
    if target.exists():
        raise BackupFailed(f"{target} exists already")
    partial = target.with_name(target.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".tongban-backup-") as folder:
            snapshot = Path(folder) / _DATABASE
            copy_database(layout.database, snapshot)
            entries = list(_collect(layout, snapshot))
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                _write_tar(out, entries, clock.now_ms())
                out.flush()
                os.fsync(out.fileno())
        partial.replace(target)
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise BackupFailed(f"the backup was not made: {error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return len(entries)


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored folder: its number of files, and what nobody comes in by any more."""

    files: int
    ended: Reentry


def restore_backup(
    archive: Path, root: Path, *, clock: Clock | None = None, live: DataLayout | None = None
) -> Restored:
    """Put a backup back as the data folder `root`, which must be missing or empty. Nobody stays signed in (see reentry.py).

    Args:
        live: the data folder that was in use until now, when it is still there to be asked.

    Raises:
        BackupFailed: damaged or foreign archive, live data that cannot be read, or a folder that holds something; nothing was
            changed.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise BackupFailed(f"{root} is not empty; restore goes into a new folder only")
    root.parent.mkdir(parents=True, exist_ok=True)
    staged = Path(tempfile.mkdtemp(dir=root.parent, prefix=".tongban-restore-"))
    try:
        facts = None if live is None else load_live_facts(live.database)
        count = _unpack(archive, staged)
        _check_database(staged / _DATABASE)
        _begin_new_history(staged / _DATABASE)
        ended = _end_what_was_open(staged / _DATABASE, clock or SystemClock(), facts)
        if root.exists():
            root.rmdir()
        staged.rename(root)
    except (OSError, tarfile.TarError, sqlite3.Error, EOFError) as error:
        raise BackupFailed(f"{archive} cannot be restored: {error}") from error
    except (DatabaseTooNew, DatabaseDamaged, StorageFailed) as error:
        raise BackupFailed(f"{archive}: {error}") from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return Restored(count, ended)


def _end_what_was_open(path: Path, clock: Clock, facts: LiveFacts | None) -> Reentry:
    database = Database.open(path, clock=clock)
    try:
        return end_what_was_open(database, facts)
    finally:
        database.close_now()


def copy_database(source: Path, target: Path) -> None:
    """A consistent copy of a database, also of one that is being written to. Raises OSError, sqlite3.Error."""
    with closing(sqlite3.connect(source, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
        live.execute("PRAGMA query_only = ON")
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")


def _collect(layout: DataLayout, snapshot: Path) -> Iterator[tuple[str, Path, int, str]]:
    """(name in the archive, file, size, SHA-256) of everything that belongs into the backup of this snapshot."""
    blobs = []
    with closing(sqlite3.connect(snapshot)) as copy:
        for blob_id, size in copy.execute("SELECT id, size FROM blob ORDER BY id").fetchall():
            path = layout.blobs / blob_id[:2] / blob_id[2:4] / blob_id
            if path.exists():
                blobs.append((f"blobs/{blob_id[:2]}/{blob_id[2:4]}/{blob_id}", path, size, blob_id))
                continue
            if copy.execute("SELECT 1 FROM blob_ref WHERE blob_id = ?", (blob_id,)).fetchone():
                raise BackupFailed(f"the file of blob {blob_id} is missing; run check")
            # An orphan that was cleaned up while we copied: it leaves the copy as well.
            copy.execute("DELETE FROM blob_uploader WHERE blob_id = ?", (blob_id,))
            copy.execute("DELETE FROM blob WHERE id = ?", (blob_id,))
        copy.commit()
    yield _DATABASE, snapshot, snapshot.stat().st_size, _hash(snapshot)
    for path in sorted(layout.tls.folder.glob("*")):
        name = f"tls/{path.name}"
        if _KNOWN.fullmatch(name):
            yield name, path, path.stat().st_size, _hash(path)
    yield from blobs


def _write_tar(out: IO[bytes], entries: list[tuple[str, Path, int, str]], now_ms: int) -> None:
    manifest = {
        "format": FORMAT,
        "createdAt": format_utc(now_ms),
        "files": [{"path": name, "size": size, "sha256": digest} for name, _, size, digest in entries],
    }
    text = json.dumps(manifest).encode()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(_member(MANIFEST, len(text), now_ms), io.BytesIO(text))
        for name, path, size, digest in entries:
            with path.open("rb") as source:
                checked = _HashingReader(source)
                tar.addfile(_member(name, size, now_ms), checked)
                if checked.hexdigest() != digest or source.read(1):
                    raise BackupFailed(f"{name} does not have the content its hash promises; run check")


def _member(name: str, size: int, now_ms: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, now_ms // 1000, 0o600
    return member


class _HashingReader:
    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._digest.update(data)
        return data

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


def _unpack(archive: Path, staged: Path) -> int:
    with tarfile.open(archive, mode="r:") as tar:
        first = tar.next()
        if first is None or first.name != MANIFEST or not first.isreg() or first.size > MAX_MANIFEST:
            raise BackupFailed(f"{archive} is no backup of this program")
        expected = _read_manifest(tar, first)
        while (member := tar.next()) is not None:
            wanted = expected.pop(member.name, None)
            if wanted is None or not member.isreg() or member.issparse() or member.size != wanted[0]:
                raise BackupFailed(f"{archive}: unexpected entry {member.name[:100]!r}")
            _extract(tar, member, staged / member.name, wanted[1])
    if expected:
        raise BackupFailed(f"{archive} is not complete: {len(expected)} files are missing")
    return len(list(path for path in staged.rglob("*") if path.is_file()))


def _read_manifest(tar: tarfile.TarFile, member: tarfile.TarInfo) -> dict[str, tuple[int, str]]:
    source = tar.extractfile(member)
    assert source is not None  # a regular file
    try:
        manifest: Any = json.loads(source.read())
        if manifest["format"] != FORMAT:
            raise BackupFailed(f"this program cannot read backups of format {manifest['format']!r}")
        files = {str(one["path"]): (int(one["size"]), str(one["sha256"])) for one in manifest["files"]}
    except (ValueError, KeyError, TypeError) as error:
        raise BackupFailed("the manifest of the backup is damaged") from error
    bad = next((name for name in files if not _KNOWN.fullmatch(name)), None)
    # A blob is what its name says, whatever the manifest says of it.
    forged = any(name.startswith("blobs/") and digest != name[-64:] for name, (_, digest) in files.items())
    if bad is not None or forged or _DATABASE not in files:
        raise BackupFailed("the manifest of the backup names files that do not belong there")
    return files


def _extract(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, digest: str) -> None:
    source = tar.extractfile(member)
    assert source is not None  # a regular file
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    running = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        while chunk := source.read(_CHUNK):
            running.update(chunk)
            out.write(chunk)
        out.flush()
        os.fsync(out.fileno())
    if running.hexdigest() != digest:
        raise BackupFailed(f"{member.name} in the backup is damaged")


def _check_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        found = database.execute("PRAGMA integrity_check(1)").fetchone()
    if found[0] != "ok":
        raise BackupFailed("the database in the backup is damaged")


def _begin_new_history(path: Path) -> None:
    """Changes made after the backup are gone, but clients have seen them: the change ids they hold must never be given out again."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("UPDATE counter SET value = value + ? WHERE name = 'change'", (NEW_HISTORY,))
        database.execute(
            "UPDATE counter SET value = (SELECT value FROM counter WHERE name = 'change') WHERE name = 'log_start'"
        )


def _hash(path: Path) -> str:
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()
