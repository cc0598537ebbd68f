"""Takes an older database to the schema of this program, with a copy of it made first.

Only the database changes with the schema: blobs are named by their content and stay, so a copy of the database alone is the way
back. A migration is one transaction (storage/database.py): when it fails, the file is as it was and the copy lies beside it.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from server_stub.app.backup import copy_database
from server_stub.app.layout import DataLayout
from server_stub.clock import Clock, format_utc
from server_stub.errors import DatabaseDamaged, DatabaseTooNew, StorageFailed
from server_stub.storage.database import Database
from server_stub.storage.schema import MIGRATIONS, Migration

log = logging.getLogger("tongban.migrate")

KEPT_COPIES: Final = 10
_SPARE: Final = 1.1  # room a copy must find, in sizes of the database
_COPY: Final = re.compile(r"before-schema-\d+-from-\d+-\d{8}T\d{6}(?:\d{3})?Z\.db")


class MigrationFailed(Exception):
    """The database was not taken forward and is as it was; the text says why and where its copy lies."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done: `found` and `now` are schema versions, `copy` the database as it was before."""

    found: int
    now: int
    copy: Path


def schema_of(path: Path) -> int | None:
    """The schema version of a database file; None where there is no file, or nothing in it yet. Raises DatabaseDamaged."""
    if not path.exists() or not path.stat().st_size:
        return None
    try:
        with closing(sqlite3.connect(path, timeout=10)) as database:
            database.execute("PRAGMA query_only = ON")
            if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone():
                return None
            row = database.execute("SELECT max(version) FROM schema_version").fetchone()
    except sqlite3.DatabaseError as problem:
        raise DatabaseDamaged(f"cannot open the database: {problem}") from problem
    return None if row[0] is None else int(row[0])


def bring_forward(
    layout: DataLayout,
    clock: Clock,
    *,
    copies: Path | None = None,
    always_copy: bool = False,
    migrations: Mapping[int, Migration] = MIGRATIONS,
) -> Moved | None:
    """Copy the database, then take it to the newest schema. None when there was nothing to do. The caller holds the data folder's lock.

    Args:
        copies: where the copy goes; DATA/backups when missing. The newest KEPT_COPIES of them stay.
        always_copy: also copy a database that needs no migration (before a new version of the program works with it).

    Raises:
        MigrationFailed, DatabaseTooNew, DatabaseDamaged.
    """
    found, newest = schema_of(layout.database), max(migrations)
    if found is None:
        return None
    if found > newest:
        raise DatabaseTooNew(found, newest)
    if found == newest and not always_copy:
        return None
    copy = _copy(layout.database, copies or layout.backups, found, newest, clock)
    try:
        if found < newest:
            Database.open(layout.database, clock=clock, migrations=migrations).close_now()
    except (DatabaseDamaged, StorageFailed, sqlite3.Error, sa.exc.SQLAlchemyError) as problem:
        raise MigrationFailed(
            f"the database could not be taken from schema {found} to {newest} and is as it was: {problem}."
            f" A copy of it is {copy}. Go on with the version of the program before this one, and report this."
        ) from problem
    if found < newest:
        log.info("the database has a new schema", extra={"found": found, "now": newest})
    return Moved(found, newest, copy)


def _copy(source: Path, folder: Path, found: int, newest: int, clock: Clock) -> Path:
    stamp = re.sub(r"[^0-9TZ]", "", format_utc(clock.now_ms()))
    target = folder / f"before-schema-{newest}-from-{found}-{stamp}.db"
    partial = target.with_name(target.name + ".part")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < source.stat().st_size * _SPARE:
            raise MigrationFailed(
                f"there is no room in {folder} for a copy of the database ({source.stat().st_size / 1e6:.0f} MB);"
                " nothing was changed. Make room, or name another folder as backup_folder."
            )
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copy_database(source, partial)
        with partial.open("r+b") as written:
            os.fsync(written.fileno())
        partial.replace(target)
    except (OSError, sqlite3.Error) as problem:
        raise MigrationFailed(
            f"no copy of the database could be made in {folder}, so nothing was changed: {problem}"
        ) from problem
    finally:
        partial.unlink(missing_ok=True)
    _prune(folder, keep=target)
    return target


def _prune(folder: Path, *, keep: Path) -> None:
    """Let go of all but the newest copies of ours; other files in the folder are not ours to touch."""
    ours = [one for one in folder.iterdir() if _COPY.fullmatch(one.name) and one != keep]
    ours.sort(key=lambda one: one.stem.rpartition("-")[2])
    for old in ours[: max(0, len(ours) + 1 - KEPT_COPIES)]:
        old.unlink(missing_ok=True)
